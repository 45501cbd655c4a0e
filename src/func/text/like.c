/* like and ilike: % stands for any characters, _ for one.
 *
 * A pattern is cut at its % into pieces. The first piece lies at the text's start, the last at its end (unless a % is
 * there), those between are each searched leftmost behind the one before: if any way matches, this one does, so nothing
 * is ever tried twice. Only a piece with `_` in it may be compared at every place. A constant pattern is compiled once; others
 * when they differ from the row before.
 *
 * Relies on case.h for ilike: text and pattern are compared in lower case. */
#include "func/text/case.h"
#include "func/text/find.h"
#include "func/text/text.h"
#include "plan/expr.h"

#include "base/simd.h"
#include "base/utf8.h"

#define SEARCH_BYTES (1 << 20) /* between looks whether the statement shall stop */

/* Bytes to be found as they are; where any[i] is set, byte i is a placeholder for one character. */
typedef struct piece {
    const char *data;
    const uint8_t *any; /* NULL: none */
    int64_t len;
    int64_t chars;
} piece;

typedef enum like_kind { LIKE_EXACT, LIKE_PREFIX, LIKE_SUFFIX, LIKE_CONTAINS, LIKE_GENERAL } like_kind;

typedef struct like_pattern {
    like_kind kind;
    bool open_start, open_end; /* a % there */
    int32_t n;
    piece *pieces;
} like_pattern;

static fl_status fail_escape(fl_err *err, const char *why)
{
    return fl_err_state(err, "22025", FL_FAIL(err, FL_ERR_VALUE, "%s", why));
}

static fl_status compile(fl_arena *arena, fl_str text, fl_str escape, bool no_case, like_pattern *ret, fl_err *err)
{
    fl_status st = FL_OK;
    char *bytes = NULL;
    uint8_t *any = NULL;
    piece *pieces = NULL;
    if (escape.len > 0 && fl_utf8_count(escape.data, escape.len) != 1) {
        st = fail_escape(err, "the escape of LIKE must be empty or one character");
        fl_err_hint(err, "the escape character is the one behind ESCAPE");
        return st;
    }
    int64_t room = text.len * 3; /* a letter of two bytes may become one of three, a byte that is no UTF-8 U+FFFD */
    FL_TRY(fl_arena_get(arena, room + 1, (void **)&bytes, err));
    FL_TRY(fl_arena_get_zero(arena, room + 1, (void **)&any, err));
    int64_t at = 0, n_max = 2;
    for (int64_t i = 0; i < text.len; i++)
        n_max += text.data[i] == '%';
    FL_TRY(FL_NEW_ARRAY(arena, n_max, &pieces, err));
    *ret = (like_pattern){.pieces = pieces};
    piece now = {.data = bytes, .any = NULL};
    bool first = true;
    for (int64_t i = 0; i < text.len;) {
        int width;
        uint32_t code = fl_utf8_decode(text.data + i, text.len - i, &width);
        if (escape.len > 0 && text.len - i >= escape.len &&
            memcmp(text.data + i, escape.data, (size_t)escape.len) == 0) {
            i += escape.len;
            if (i == text.len)
                return fail_escape(err, "a pattern of LIKE must not end with its escape character");
            code = fl_utf8_decode(text.data + i, text.len - i, &width);
        } else if (code == '%') {
            if (now.len > 0)
                pieces[ret->n++] = now;
            if (first)
                ret->open_start = now.len == 0;
            first = false;
            ret->open_end = true;
            now = (piece){.data = bytes + at};
            i++;
            continue;
        } else if (code == '_') {
            now.any = any + (now.data - bytes);
            any[at] = 1;
        }
        first = false;
        ret->open_end = false;
        if (no_case && !any[at])
            code = fl_case_lower(code);
        int put = fl_utf8_encode(code, bytes + at);
        at += put;
        now.len += put;
        now.chars++;
        i += width;
    }
    if (now.len > 0)
        pieces[ret->n++] = now;
    bool plain = ret->n <= 1 && (ret->n == 0 || pieces[0].any == NULL);
    ret->kind = !plain                             ? LIKE_GENERAL
                : ret->n == 0 && !ret->open_end    ? LIKE_EXACT
                : ret->open_start && ret->open_end ? LIKE_CONTAINS
                : ret->open_start                  ? LIKE_SUFFIX
                : ret->open_end                    ? LIKE_PREFIX
                                                   : LIKE_EXACT;
    if (ret->n == 0)
        pieces[0] = (piece){.data = bytes}; /* the kinds but the general one read a piece */
cleanup:
    return st;
}

/* Whether the piece lies at `p`; gives the bytes that it takes there, -1 if it does not. */
static int64_t match_at(const piece *piece, const char *p, int64_t left)
{
    if (piece->any == NULL)
        return left >= piece->len && memcmp(p, piece->data, (size_t)piece->len) == 0 ? piece->len : -1;
    int64_t at = 0;
    for (int64_t i = 0; i < piece->len; i++) {
        if (at >= left)
            return -1;
        if (piece->any[i]) {
            int width = fl_utf8_width(p + at, left - at);
            at += width > 0 ? width : 1;
        } else if (p[at++] != piece->data[i]) {
            return -1;
        }
    }
    return at;
}

/* Bytes from the start of `text` to behind the leftmost place of the piece, -1 if there is none. */
static fl_status find(fl_call *call, const piece *piece, fl_str text, int64_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = -1;
    if (piece->any == NULL) {
        st = fl_text_find(call, text, 0, (fl_str){piece->data, piece->len}, ret, err);
        *ret += *ret < 0 ? 0 : piece->len;
        return st;
    }
    for (int64_t at = 0; at < text.len;) {
        int64_t took = match_at(piece, text.data + at, text.len - at);
        if (took >= 0) {
            *ret = at + took;
            return FL_OK;
        }
        int width = fl_utf8_width(text.data + at, text.len - at);
        at += width > 0 ? width : 1;
        FL_TRY(fl_call_work(call, piece->len, err)); /* how far it agreed is not known */
    }
cleanup:
    return st;
}

static fl_status match_general(fl_call *call, const like_pattern *pattern, fl_str text, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t i = 0, n = pattern->n;
    *ret = false;
    if (!pattern->open_start && n > 0) {
        int64_t took = match_at(&pattern->pieces[0], text.data, text.len);
        if (took < 0)
            return FL_OK;
        text.data += took;
        text.len -= took;
        i = 1;
    }
    if (n == i) {
        *ret = pattern->open_end || text.len == 0;
        return FL_OK;
    }
    int32_t last = pattern->open_end ? n : n - 1;
    for (; i < last; i++) {
        int64_t took;
        FL_TRY(find(call, &pattern->pieces[i], text, &took, err));
        if (took < 0)
            return FL_OK;
        text.data += took;
        text.len -= took;
    }
    if (pattern->open_end) {
        *ret = true;
        return FL_OK;
    }
    const piece *tail = &pattern->pieces[last]; /* as many characters as it has, from the end */
    int64_t start = text.len;
    if (tail->any == NULL) {
        start -= tail->len;
    } else {
        for (int64_t c = 0; c < tail->chars; c++) {
            if (start == 0)
                return FL_OK;
            start--;
            while (start > 0 && fl_utf8_is_continuation(text.data[start]))
                start--;
        }
    }
    *ret = start >= 0 && match_at(tail, text.data + start, text.len - start) == text.len - start;
cleanup:
    return st;
}

static inline fl_status match(fl_call *call, const like_pattern *pattern, fl_str text, bool *ret, fl_err *err)
{
    const piece *p = &pattern->pieces[0];
    int64_t at = 0;
    fl_status st = FL_OK;
    switch (pattern->kind) {
    case LIKE_EXACT:
        *ret = fl_str_is_equal(text, (fl_str){p->data, p->len});
        return FL_OK;
    case LIKE_PREFIX:
        *ret = text.len >= p->len && memcmp(text.data, p->data, (size_t)p->len) == 0;
        return FL_OK;
    case LIKE_SUFFIX:
        *ret = text.len >= p->len && memcmp(text.data + text.len - p->len, p->data, (size_t)p->len) == 0;
        return FL_OK;
    case LIKE_CONTAINS:
        if (p->len > 0)
            st = fl_text_find(call, text, 0, (fl_str){p->data, p->len}, &at, err);
        *ret = at >= 0;
        return st;
    case LIKE_GENERAL:
        break;
    }
    return match_general(call, pattern, text, ret, err);
}

/* A pattern that does not compile is told about when a row asks for it: state stays NULL. */
static fl_status prepare(fl_arena *arena, const fl_value *const *args, int32_t n_args, bool no_case, void **ret,
                         fl_err *err)
{
    *ret = NULL;
    if (args[1] == NULL || args[1]->is_null || (n_args == 3 && (args[2] == NULL || args[2]->is_null)))
        return FL_OK;
    like_pattern *pattern;
    fl_status st = FL_NEW(arena, &pattern, err);
    if (st == FL_OK &&
        compile(arena, args[1]->s, n_args == 3 ? args[2]->s : FL_STR("\\"), no_case, pattern, NULL) == FL_OK)
        *ret = pattern;
    return st;
}

static fl_status prepare_like(const fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                              void **ret, fl_err *err)
{
    (void)func;
    return prepare(arena, args, n_args, false, ret, err);
}

static fl_status prepare_ilike(const fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                               void **ret, fl_err *err)
{
    (void)func;
    return prepare(arena, args, n_args, true, ret, err);
}

/* Texts that match begin with what stands before the first % or _. */
static fl_status range_of_like(fl_arena *arena, const fl_value *const *args, int32_t n_args, fl_func_range *ret,
                               fl_err *err)
{
    fl_status st = FL_OK;
    void *state = NULL;
    FL_TRY(prepare_like(NULL, arena, args, n_args, &state, err));
    const like_pattern *pattern = state;
    if (pattern == NULL || pattern->open_start || pattern->n == 0)
        return FL_OK;
    const piece *first = &pattern->pieces[0];
    fl_str prefix = {first->data, 0};
    while (prefix.len < first->len && (first->any == NULL || !first->any[prefix.len]))
        prefix.len++;
    FL_TRY(fl_text_prefix_range(arena, prefix, ret, err));
    if (pattern->kind == LIKE_EXACT) {
        ret->high = ret->low;
        ret->has_high = ret->has_low;
        ret->is_high_open = false;
    }
cleanup:
    return st;
}

/* Rows from `row` on that are asked for and whose texts lie one behind the other; where the last of them ends. Longer texts
 * usually do: they were written in the order of the rows. */
static int32_t adjacent_rows(const fl_call *call, const fl_vec *arg, int32_t row, fl_str first, const char **ret_end)
{
    const char *end = first.data + first.len;
    int32_t next = row + 1;
    for (; next < call->rows && fl_call_wants(call, next); next++) {
        fl_str text = fl_vec_str(arg, next);
        if (text.data != end)
            break;
        end += text.len;
    }
    *ret_end = end;
    return next - row;
}

/* %piece%: adjacent texts are searched as one, and what is found is given to the row in which all of it lies. */
static fl_status run_contains(fl_call *call, const piece *wanted, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *ret = fl_ret_bits(call);
    const fl_vec *arg = &call->args[0];
    const fl_find_kernels *kernels = FL_SIMD_CHOOSE(fl_find_kernels);
    memset(ret, 0, (size_t)fl_bitmap_words(call->rows) * 8);
    for (int32_t row = 0; row < call->rows;) {
        if (!fl_call_wants(call, row)) {
            row++;
            continue;
        }
        fl_str text = fl_vec_str(arg, row);
        const char *end, *at = text.data, *row_end = text.data + text.len;
        int32_t behind = row + adjacent_rows(call, arg, row, text, &end);
        while (row < behind) {
            int64_t left = end - at, window = left < SEARCH_BYTES + wanted->len ? left : SEARCH_BYTES + wanted->len;
            const char *hit = kernels->find(at, window, wanted->data, wanted->len);
            FL_TRY(fl_call_work(call, (hit != NULL ? hit - at : window) / 8 + 1, err));
            if (hit == NULL && window == left)
                break;
            at = hit != NULL ? hit : at + SEARCH_BYTES;
            if (hit == NULL)
                continue;
            while (row_end <= at)
                row_end += fl_vec_str(arg, ++row).len;
            if (at + wanted->len <= row_end) {
                fl_bit_set(ret, row);
                at = row_end; /* on with the next row */
                if (++row < behind)
                    row_end += fl_vec_str(arg, row).len;
            } else {
                at++;
            }
        }
        row = behind;
    }
cleanup:
    return st;
}

/* The first bytes of a piece, compared as one word. */
typedef struct head {
    uint64_t word, mask;
    int64_t bytes;
} head;

static head head_of(const piece *p)
{
    head ret = {.bytes = p->len < (int64_t)sizeof(ret.word) ? p->len : (int64_t)sizeof(ret.word)};
    memcpy(&ret.word, p->data, (size_t)ret.bytes);
    memset(&ret.mask, 0xFF, (size_t)ret.bytes);
    return ret;
}

/* Whether a text that is as long as the piece begins with it. Eight bytes may be read. */
static inline bool begins_with(const char *text, const piece *p, const head *head)
{
    uint64_t word;
    memcpy(&word, text, sizeof(word));
    return ((word ^ head->word) & head->mask) == 0 &&
           (p->len == head->bytes ||
            memcmp(text + head->bytes, p->data + head->bytes, (size_t)(p->len - head->bytes)) == 0);
}

/* piece%: of texts in views eight bytes can be read, 12 in place or more than 12 elsewhere; of texts one behind the other, of all but
 * the last ones. */
static void run_prefix(fl_call *call, const piece *wanted)
{
    const fl_vec *arg = &call->args[0];
    uint64_t *ret = fl_ret_bits(call);
    head head = head_of(wanted);
    const char *safe = NULL;
    if (arg->form == FL_OFFSETS)
        safe = arg->chars + ((const int32_t *)arg->data)[call->rows] - (int64_t)sizeof(head.word);
    for (int32_t base = 0; base < call->rows; base += 64) {
        uint64_t hits = 0, asked = call->mask != NULL ? call->mask[base >> 6] : ~0ull;
        int32_t end = call->rows - base < 64 ? call->rows - base : 64;
        for (int32_t i = 0; i < end; i++) {
            if ((asked >> i & 1) == 0)
                continue;
            fl_str text;
            if (arg->form == FL_VIEWS) {
                text = fl_view_str((const fl_view *)arg->data + base + i);
            } else {
                const int32_t *at = (const int32_t *)arg->data + base + i;
                text = (fl_str){arg->chars + at[0], at[1] - at[0]};
            }
            bool hit = text.len >= wanted->len;
            if (hit)
                hit = arg->form == FL_VIEWS || text.data <= safe
                          ? begins_with(text.data, wanted, &head)
                          : memcmp(text.data, wanted->data, (size_t)wanted->len) == 0;
            hits |= (uint64_t)hit << i;
        }
        ret[base >> 6] = hits;
    }
}

static fl_status run_const(fl_call *call, const like_pattern *pattern, fl_err *err)
{
    uint64_t *ret = fl_ret_bits(call);
    const fl_vec *arg = &call->args[0];
    if (pattern->kind == LIKE_CONTAINS && pattern->pieces[0].len > 0)
        return run_contains(call, &pattern->pieces[0], err);
    if (pattern->kind == LIKE_PREFIX && arg->layout == FL_FLAT && (arg->form == FL_VIEWS || arg->width == 4)) {
        run_prefix(call, &pattern->pieces[0]);
        return FL_OK;
    }
    for (int32_t base = 0; base < call->rows; base += 64) {
        uint64_t word = 0;
        int32_t end = call->rows - base < 64 ? call->rows - base : 64;
        for (int32_t i = 0; i < end; i++) {
            if (call->mask != NULL && !fl_bit_get(call->mask, base + i)) /* a search costs more than this test */
                continue;
            bool hit;
            fl_status st = match(call, pattern, fl_vec_str(arg, base + i), &hit, err);
            if (st != FL_OK)
                return st;
            word |= (uint64_t)hit << i;
        }
        ret[base >> 6] = word;
    }
    return FL_OK;
}

static fl_status run(fl_call *call, bool no_case, fl_err *err)
{
    uint64_t *ret = fl_ret_bits(call);
    const like_pattern *shared = call->state;
    if (shared != NULL && !no_case)
        return run_const(call, shared, err);
    like_pattern own = {0};
    fl_str own_text = {0}, own_escape = {0};
    bool has_own = false;
    for (int32_t row = 0; row < call->rows; row++) {
        bool wanted = fl_call_wants(call, row);
        for (int32_t a = 0; a < call->n_args && wanted; a++)
            wanted = fl_vec_is_valid(&call->args[a], row);
        fl_bit_clear(ret, row);
        if (!wanted)
            continue;
        const like_pattern *pattern = shared;
        if (pattern == NULL) {
            fl_str text = fl_text_arg(call, 1, row),
                   escape = call->n_args == 3 ? fl_text_arg(call, 2, row) : FL_STR("\\");
            if (!has_own || !fl_str_is_equal(text, own_text) || !fl_str_is_equal(escape, own_escape)) {
                fl_status st = compile(call->heap, text, escape, no_case, &own, err);
                if (st != FL_OK)
                    return st;
                own_text = text;
                own_escape = escape;
                has_own = true;
            }
            pattern = &own;
        }
        fl_str x = fl_text_arg(call, 0, row);
        bool hit = false;
        fl_status st = FL_OK;
        if (no_case) {
            char small[256], *out = small;
            int64_t len = 0;
            if (fl_case_room(x.len) > (int64_t)sizeof(small))
                st = fl_call_room(call, fl_case_room(x.len), &out, err);
            if (st == FL_OK)
                st = fl_case_map(call, x, false, out, &len, err);
            if (st == FL_OK)
                st = match(call, pattern, (fl_str){out, len}, &hit, err);
        } else {
            st = match(call, pattern, x, &hit, err);
        }
        if (st != FL_OK)
            return st;
        fl_bit_put(ret, row, hit);
    }
    return FL_OK;
}

static fl_status like(fl_call *call, fl_err *err)
{
    return run(call, false, err);
}
static fl_status ilike(fl_call *call, fl_err *err)
{
    return run(call, true, err);
}

/* x NOT LIKE pattern ESCAPE c: the function that the context names, turned over. */
static fl_status expand_not(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t n_args,
                            int32_t pos, const fl_expr **ret, fl_err *err)
{
    const fl_expr *test = NULL;
    fl_status st = fl_expr_call(plan, fl_str_of(func->ctx), args, n_args, pos, &test, err);
    return st != FL_OK ? st : fl_expr_not(plan, test, pos, ret, err);
}

#define NOT_LIKE(name_, of, help)                                                                               \
    {FL_DESC(fl_func_desc),                                                                                     \
     .name = name_,                                                                                             \
     .traits = FL_TEXT_TRAITS,                                                                                  \
     .doc = help,                                                                                               \
     .expand = expand_not,                                                                                      \
     .ctx = (void *)(uintptr_t)(of),                                                                            \
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_UTF8, FL_UTF8, FL_UTF8), FL_BOOL, FL_CAN_FAIL, NULL}}, \
     .n_overloads = 1}

static const fl_func_desc funcs[] = {
    NOT_LIKE("not_like_escape", "like", "not_like_escape(x, pattern, c): x NOT LIKE pattern ESCAPE c"),
    NOT_LIKE("not_ilike_escape", "ilike", "not_ilike_escape(x, pattern, c): x NOT ILIKE pattern ESCAPE c"),
    FL_TEXT_FUNC_RANGED("like", "x LIKE pattern [ESCAPE c]: % is any text, _ one character", prepare_like,
                        range_of_like, {FL_ARGS(FL_UTF8, FL_UTF8), FL_BOOL, FL_PREPARED, like},
                        {FL_ARGS(FL_UTF8, FL_UTF8, FL_UTF8), FL_BOOL, FL_PREPARED, like}),
    FL_TEXT_FUNC_PREPARED("ilike", "x ILIKE pattern [ESCAPE c]: as LIKE, without regard to case", prepare_ilike,
                          {FL_ARGS(FL_UTF8, FL_UTF8), FL_BOOL, FL_PREPARED, ilike},
                          {FL_ARGS(FL_UTF8, FL_UTF8, FL_UTF8), FL_BOOL, FL_PREPARED, ilike}),
};

FL_FUNC_SET(like, funcs);
