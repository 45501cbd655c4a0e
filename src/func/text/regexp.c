/* ~ and ~* (regular expressions), regexp_like, regexp_replace; regexp_extract, regexp_extract_all and regexp_split_to_array;
 * regexp_full_match, regexp_count, regexp_match, regexp_escape. A constant pattern is compiled once.
 *
 * "~" with one argument is the complement of an integer: one name is one descriptor, so its kernels are here too. */
#include "exec/pieces.h"
#include "func/text/text.h"
#include "func/text/regex.h"

#include "base/utf8.h"

/* ---- patterns ------------------------------------------------------------------------------------------------------ */

#define WHOLE (1u << 31) /* beside the flags of regex.h: the whole text has to match */

/* The pattern between the text's ends, behind what turns case off. */
static fl_status between_ends(fl_arena *arena, fl_str *pattern, fl_err *err)
{
    char *out;
    int64_t head = pattern->len >= 4 && memcmp(pattern->data, "(?i)", 4) == 0 ? 4 : 0;
    fl_status st = fl_arena_get(arena, pattern->len + 12, (void **)&out, err);
    if (st != FL_OK)
        return st;
    memcpy(out, "(?i)\\A(?:", 9);
    if (pattern->len > head)
        memcpy(out + 9, pattern->data + head, (size_t)(pattern->len - head));
    memcpy(out + 9 + pattern->len - head, ")\\Z", 3);
    *pattern = (fl_str){out + 4 - head, 8 + pattern->len};
    return FL_OK;
}

static fl_status compile(fl_arena *arena, fl_str pattern, fl_str flags_text, uint32_t flags, fl_regex **ret,
                         uint32_t *ret_flags, fl_err *err)
{
    bool is_whole = (flags & WHOLE) != 0;
    flags &= ~WHOLE;
    fl_status st = fl_regex_flags(flags_text, &flags, err);
    *ret_flags = flags;
    if (st == FL_OK && is_whole && (flags & FL_REGEX_LITERAL)) {
        FL_FAIL(err, FL_ERR_VALUE, "flag q is not for regexp_full_match: x = pattern is the same");
        return fl_err_state(err, "22023", FL_ERR_VALUE);
    }
    if (st == FL_OK && is_whole) /* which has to be one by itself: "a)(b" is none */
        st = fl_regex_compile(arena, pattern, flags, ret, err);
    if (st == FL_OK && is_whole)
        st = between_ends(arena, &pattern, err);
    return st != FL_OK ? st : fl_regex_compile(arena, pattern, flags, ret, err);
}

typedef struct prepared {
    fl_regex *regex;
    uint32_t flags;
} prepared;

/* A pattern with a mistake is told about when a row asks for it: state stays NULL. */
static fl_status prepare(fl_arena *arena, const fl_value *const *args, int32_t n_args, int32_t flags_at, uint32_t flags,
                         void **ret, fl_err *err)
{
    prepared *p;
    *ret = NULL;
    if (n_args < 2 || args[1] == NULL || args[1]->is_null ||
        (n_args > flags_at && (args[flags_at] == NULL || args[flags_at]->is_null)))
        return FL_OK;
    fl_status st = FL_NEW(arena, &p, err);
    if (st == FL_OK && compile(arena, args[1]->s, n_args > flags_at ? args[flags_at]->s : (fl_str){0}, flags, &p->regex,
                               &p->flags, NULL) == FL_OK)
        *ret = p;
    return st;
}

/* The pattern of the row at hand, with its machine. */
typedef struct current {
    prepared own;
    bool has_own;
    fl_str pattern, flags;
    fl_regex_run run;
} current;

static fl_status select_row(fl_call *call, current *now, int32_t row, int32_t flags_at, uint32_t flags, bool wants_caps,
                            fl_err *err)
{
    fl_str pattern = fl_text_arg(call, 1, row),
           text = call->n_args > flags_at ? fl_text_arg(call, flags_at, row) : (fl_str){0};
    if (now->has_own &&
        (call->state != NULL || (fl_str_is_equal(pattern, now->pattern) && fl_str_is_equal(text, now->flags))))
        return FL_OK;
    if (call->state != NULL) {
        now->own = *(const prepared *)call->state;
    } else {
        fl_status st = compile(call->heap, pattern, text, flags, &now->own.regex, &now->own.flags, err);
        if (st != FL_OK)
            return st;
    }
    now->has_own = true;
    now->pattern = pattern;
    now->flags = text;
    return fl_regex_run_init(&now->run, now->own.regex, wants_caps, call->heap, err);
}

static bool is_wanted(const fl_call *call, int32_t row)
{
    bool wanted = fl_call_wants(call, row);
    for (int32_t a = 0; a < call->n_args && wanted; a++)
        wanted = fl_vec_is_valid(&call->args[a], row);
    return wanted;
}

/* ---- matching ------------------------------------------------------------------------------------------------------ */

static fl_status run_match(fl_call *call, uint32_t flags, fl_err *err)
{
    current now = {0};
    for (int32_t row = 0; row < call->rows; row++) {
        fl_bit_clear(fl_ret_bits(call), row);
        if (!is_wanted(call, row))
            continue;
        fl_status st = select_row(call, &now, row, 2, flags, false, err);
        if (st != FL_OK)
            return st;
        bool found = false;
        fl_regex_begin(&now.run, fl_text_arg(call, 0, row));
        st = fl_regex_search(&now.run, 0, &found, err);
        if (st != FL_OK)
            return st;
        fl_bit_put(fl_ret_bits(call), row, found);
    }
    return FL_OK;
}

static fl_status match(fl_call *call, fl_err *err)
{
    return run_match(call, 0, err);
}
static fl_status match_no_case(fl_call *call, fl_err *err)
{
    return run_match(call, FL_REGEX_NO_CASE, err);
}

static fl_status match_whole(fl_call *call, fl_err *err)
{
    return run_match(call, WHOLE, err);
}

static fl_status prepare_whole(const fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                               void **ret, fl_err *err)
{
    (void)func;
    return prepare(arena, args, n_args, 2, WHOLE, ret, err);
}

static fl_status prepare_match(const fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                               void **ret, fl_err *err)
{
    (void)func;
    return prepare(arena, args, n_args, 2, 0, ret, err);
}

static fl_status prepare_no_case(const fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                                 void **ret, fl_err *err)
{
    (void)func;
    return prepare(arena, args, n_args, 2, FL_REGEX_NO_CASE, ret, err);
}

/* The next match from *at on; then *at is where to search on: behind an empty match past the next character. */
static fl_status next_match(fl_regex_run *run, int64_t *at, bool *ret_found, fl_err *err)
{
    fl_str x = run->text;
    *ret_found = false;
    if (*at > x.len)
        return FL_OK;
    fl_status st = fl_regex_search(run, *at, ret_found, err);
    if (st != FL_OK || !*ret_found)
        return st;
    int64_t start = run->caps[0], end = run->caps[1];
    int width = end < x.len ? fl_utf8_width(x.data + end, x.len - end) : 1;
    *at = end > start ? end : end + (width > 0 ? width : 1);
    return FL_OK;
}

/* ---- replacing ----------------------------------------------------------------------------------------------------- */

/* Bytes of a result that grows, in the call's heap. */
typedef struct output {
    fl_call *call;
    char *data;
    int64_t len, capacity;
} output;

static fl_status put(output *out, const char *data, int64_t len, fl_err *err)
{
    if (len == 0)
        return FL_OK;
    if (out->len + len > out->capacity) {
        char *grown;
        int64_t capacity = (out->len + len) * 2 + 64;
        fl_status st =
            capacity > FL_TEXT_BYTES_MAX ? fl_text_fail_long(err) : fl_call_room(out->call, capacity, &grown, err);
        if (st != FL_OK)
            return st;
        if (out->len > 0)
            memcpy(grown, out->data, (size_t)out->len);
        out->data = grown;
        out->capacity = capacity;
    }
    memcpy(out->data + out->len, data, (size_t)len);
    out->len += len;
    return FL_OK;
}

/* The replacement with \1 .. \9 and \& filled in. */
static fl_status put_replacement(output *out, fl_str to, const fl_regex_run *run, fl_str x, fl_err *err)
{
    fl_status st = FL_OK;
    for (int64_t i = 0; i < to.len && st == FL_OK; i++) {
        const char *slash = memchr(to.data + i, '\\', (size_t)(to.len - i));
        int64_t plain = (slash == NULL ? to.data + to.len : slash) - (to.data + i);
        st = put(out, to.data + i, plain, err);
        i += plain;
        if (slash == NULL || st != FL_OK)
            break;
        char c = i + 1 < to.len ? to.data[i + 1] : 0;
        if ((c >= '1' && c <= '9') || c == '&') {
            const int64_t *cap = run->caps + (c == '&' ? 0 : 2 * (c - '0'));
            if (cap[0] >= 0 && cap[1] >= 0)
                st = put(out, x.data + cap[0], cap[1] - cap[0], err);
            i++;
        } else {
            st = put(out, "\\", 1, err);
            i += c == '\\';
        }
    }
    return st;
}

static fl_status replace_row(fl_call *call, current *now, int32_t row, fl_err *err)
{
    fl_str x = fl_text_arg(call, 0, row), to = fl_text_arg(call, 2, row);
    output out = {.call = call};
    int64_t at = 0, copied = 0;
    bool any = false, found = false;
    fl_status st = FL_OK;
    fl_regex_begin(&now->run, x);
    for (;;) {
        FL_TRY(next_match(&now->run, &at, &found, err));
        if (!found)
            break;
        int64_t start = now->run.caps[0], end = now->run.caps[1];
        any = true;
        FL_TRY(put(&out, x.data + copied, start - copied, err));
        FL_TRY(put_replacement(&out, to, &now->run, x, err));
        copied = end;
        if (!(now->own.flags & FL_REGEX_GLOBAL))
            break;
    }
    if (any)
        FL_TRY(put(&out, x.data + copied, x.len - copied, err));
    fl_ret_view(call)[row] =
        any ? fl_view_of(out.len == 0 ? "" : out.data, out.len) : fl_view_of(x.len == 0 ? "" : x.data, x.len);
cleanup:
    return st;
}

static fl_status replace(fl_call *call, fl_err *err)
{
    current now = {0};
    for (int32_t row = 0; row < call->rows; row++) {
        fl_ret_view(call)[row] = (fl_view){0};
        if (!is_wanted(call, row))
            continue;
        fl_status st = select_row(call, &now, row, 3, 0, true, err);
        if (st == FL_OK)
            st = replace_row(call, &now, row, err);
        if (st != FL_OK)
            return st;
    }
    return FL_OK;
}

static fl_status prepare_replace(const fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                                 void **ret, fl_err *err)
{
    (void)func;
    return prepare(arena, args, n_args, 3, 0, ret, err);
}

/* ---- parts --------------------------------------------------------------------------------------------------------- */

/* The group that a third argument asks for: 0, where there is none, is the whole match. */
static fl_status group_of(const fl_call *call, int32_t row, int64_t *ret, fl_err *err)
{
    *ret = call->n_args > 2 ? fl_text_arg_i64(call, 2, row) : 0;
    if (*ret >= 0 && *ret < FL_REGEX_CAPS_MAX / 2)
        return FL_OK;
    return fl_err_state(err, "22023",
                        FL_FAIL(err, FL_ERR_VALUE, "groups are numbered from 0 to %d, not %lld",
                                FL_REGEX_CAPS_MAX / 2 - 1, (long long)*ret));
}

static fl_str group_text(const fl_regex_run *run, fl_str x, int64_t group)
{
    const int64_t *cap = run->caps + 2 * group;
    return cap[0] >= 0 && cap[1] >= 0 ? (fl_str){x.data + cap[0], cap[1] - cap[0]} : (fl_str){0};
}

/* The first match, or its group; the empty text where there is none. */
static fl_status extract(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    current now = {0};
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t group;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!is_wanted(call, row))
            continue;
        fl_str x = fl_text_arg(call, 0, row);
        FL_TRY(select_row(call, &now, row, call->n_args, 0, true, err));
        FL_TRY(group_of(call, row, &group, err));
        bool is_found = false;
        fl_regex_begin(&now.run, x);
        FL_TRY(fl_regex_search(&now.run, 0, &is_found, err));
        if (!is_found)
            continue;
        fl_str found = group_text(&now.run, x, group);
        fl_ret_view(call)[row] = fl_view_of(found.len == 0 ? "" : found.data, found.len);
    }
cleanup:
    return st;
}

static fl_status extract_all(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    current now = {0};
    fl_pieces pieces = {0};
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = pieces.n, group;
        if (is_wanted(call, row)) {
            fl_str x = fl_text_arg(call, 0, row);
            FL_TRY(select_row(call, &now, row, call->n_args, 0, true, err));
            FL_TRY(group_of(call, row, &group, err));
            int64_t at = 0;
            bool found = false;
            fl_regex_begin(&now.run, x);
            for (;;) {
                FL_TRY(next_match(&now.run, &at, &found, err));
                if (!found)
                    break;
                FL_TRY(fl_pieces_add(call, &pieces, group_text(&now.run, x, group), false, err));
            }
        }
        fl_pieces_end_row(call, &pieces, row, start);
    }
    st = fl_pieces_finish(call, &pieces, err);
cleanup:
    return st;
}

/* How many matches there are from a character on, counted from one (PostgreSQL). */
static fl_status count(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    current now = {0};
    for (int32_t row = 0; row < call->rows; row++) {
        fl_ret_i32(call)[row] = 0;
        if (!is_wanted(call, row))
            continue;
        fl_str x = fl_text_arg(call, 0, row);
        int64_t from = call->n_args > 2 ? fl_text_arg_i64(call, 2, row) : 1;
        if (from < 1)
            return fl_err_state(
                err, "22023",
                FL_FAIL(err, FL_ERR_VALUE, "a place to start from is at least 1, not %lld", (long long)from));
        FL_TRY(select_row(call, &now, row, 3, 0, true, err));
        int64_t at = fl_utf8_offset(x.data, x.len, from - 1);
        bool found = from - 1 <= x.len;
        fl_regex_begin(&now.run, x);
        while (found) {
            FL_TRY(next_match(&now.run, &at, &found, err));
            fl_ret_i32(call)[row] += found;
        }
    }
cleanup:
    return st;
}

/* The first match: its groups, or all of it where the pattern has none; null where there is no match (PostgreSQL). */
static fl_status match_groups(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    current now = {0};
    fl_pieces pieces = {0};
    uint64_t *valid = NULL;
    FL_TRY(fl_call_own_valid(call, &valid, err));
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = pieces.n;
        bool found = false;
        if (is_wanted(call, row)) {
            fl_str x = fl_text_arg(call, 0, row);
            FL_TRY(select_row(call, &now, row, 2, 0, true, err));
            if (now.own.flags & FL_REGEX_GLOBAL) {
                FL_FAIL(err, FL_ERR_VALUE, "regexp_match does not take flag g: regexp_extract_all gives all matches");
                return fl_err_state(err, "22023", FL_ERR_VALUE);
            }
            fl_regex_begin(&now.run, x);
            FL_TRY(fl_regex_search(&now.run, 0, &found, err));
            int32_t n = found ? fl_regex_groups(now.own.regex) : 0;
            for (int32_t g = n > 0; found && g <= n; g++) {
                bool took_part = now.run.caps[2 * g] >= 0 && now.run.caps[2 * g + 1] >= 0;
                FL_TRY(fl_pieces_add(call, &pieces, group_text(&now.run, x, g), !took_part, err));
            }
        }
        if (!found)
            fl_bit_clear(valid, row);
        fl_pieces_end_row(call, &pieces, row, start);
    }
    st = fl_pieces_finish(call, &pieces, err);
cleanup:
    return st;
}

static fl_status prepare_count(const fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                               void **ret, fl_err *err)
{
    (void)func;
    return prepare(arena, args, n_args, 3, 0, ret, err);
}

/* What lies between the matches. An empty match at either end, or right behind another match, splits nothing off. */
static fl_status split(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    current now = {0};
    fl_pieces pieces = {0};
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = pieces.n;
        if (is_wanted(call, row)) {
            fl_str x = fl_text_arg(call, 0, row);
            int64_t from = 0;
            FL_TRY(select_row(call, &now, row, 2, 0, true, err));
            int64_t at = 0;
            bool found = false;
            fl_regex_begin(&now.run, x);
            for (;;) {
                FL_TRY(next_match(&now.run, &at, &found, err));
                if (!found)
                    break;
                const int64_t *cap = now.run.caps;
                if (cap[0] == cap[1] && (cap[0] == from || cap[0] == x.len))
                    continue;
                FL_TRY(fl_pieces_add(call, &pieces, (fl_str){x.data + from, cap[0] - from}, false, err));
                from = cap[1];
            }
            FL_TRY(fl_pieces_add(call, &pieces, (fl_str){x.data + from, x.len - from}, false, err));
        }
        fl_pieces_end_row(call, &pieces, row, start);
    }
    st = fl_pieces_finish(call, &pieces, err);
cleanup:
    return st;
}

static fl_status prepare_extract(const fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                                 void **ret, fl_err *err)
{
    (void)func;
    return prepare(arena, args, n_args, n_args, 0, ret, err);
}

static fl_status resolve_parts(const fl_type *args, int32_t n_args, fl_type third, fl_func_run run, fl_func_choice *ret,
                               fl_err *err)
{
    fl_arena *arena = ret->arena;
    bool fits = n_args >= 2 && n_args <= 3;
    for (int32_t i = 0; i < n_args && fits; i++)
        fits = args[i].id == FL_NULL || (i < 2 ? args[i].id == FL_UTF8 : fl_cast_is_implicit(args[i], third, NULL));
    if (!fits)
        return FL_FAIL(err, FL_ERR_FUNCTION, "a text and a pattern were expected");
    *ret = (fl_func_choice){
        .args = {FL_TYPE(FL_UTF8), FL_TYPE(FL_UTF8), third}, .n_args = n_args, .traits = FL_CAN_FAIL, .run = run};
    return fl_type_list_of(arena, FL_TYPE(FL_UTF8), &ret->ret, err);
}

static fl_status resolve_extract_all(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_parts(args, n_args, FL_TYPE(FL_I64), extract_all, ret, err);
}

static fl_status resolve_split(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_parts(args, n_args, FL_TYPE(FL_UTF8), split, ret, err);
}

static fl_status resolve_match_groups(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_parts(args, n_args, FL_TYPE(FL_UTF8), match_groups, ret, err);
}

/* ---- regexp_escape ------------------------------------------------------------------------------------------------- */

/* A backslash before all that is neither a letter, a digit nor an underscore. */
static fl_status escape(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        int64_t len = 0;
        char *out;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_call_wants(call, row))
            continue;
        if (x.len > FL_TEXT_BYTES_MAX / 2)
            return fl_text_fail_long(err);
        FL_TRY(fl_call_room(call, 2 * x.len + 1, &out, err));
        for (int64_t i = 0; i < x.len; i++) {
            char c = x.data[i], small = fl_char_lower(c);
            if ((uint8_t)c < 0x80 && !(small >= 'a' && small <= 'z') && !(c >= '0' && c <= '9') && c != '_')
                out[len++] = '\\';
            out[len++] = c;
        }
        FL_TRY(fl_call_work(call, x.len, err));
        fl_ret_view(call)[row] = fl_view_of(out, len);
    }
cleanup:
    return st;
}

/* ---- complement ---------------------------------------------------------------------------------------------------- */

#define NOT(suffix, type)                                                                                    \
    static fl_status not_##suffix(fl_call *call, fl_err *err)                                                \
    {                                                                                                        \
        (void)err;                                                                                           \
        const fl_vec *x = &call->args[0];                                                                    \
        for (int32_t row = 0; row < call->rows; row++)                                                       \
            ((type *)(uintptr_t)call->ret->data)[row] = (type) ~((const type *)x->data)[fl_vec_row(x, row)]; \
        return FL_OK;                                                                                        \
    }
NOT(i8, int8_t)
NOT(i16, int16_t)
NOT(i32, int32_t)
NOT(i64, int64_t)
NOT(u8, uint8_t)
NOT(u16, uint16_t)
NOT(u32, uint32_t)
NOT(u64, uint64_t)

static const fl_func_desc funcs[] = {
    FL_TEXT_FUNC_PREPARED(
        "~", "x ~ pattern: whether the regular expression matches somewhere in x; ~n: n's bits turned over",
        prepare_match, {FL_ARGS(FL_UTF8, FL_UTF8), FL_BOOL, FL_PREPARED, match}, {FL_ARGS(FL_I8), FL_I8, 0, not_i8},
        {FL_ARGS(FL_I16), FL_I16, 0, not_i16}, {FL_ARGS(FL_I32), FL_I32, 0, not_i32},
        {FL_ARGS(FL_I64), FL_I64, 0, not_i64}, {FL_ARGS(FL_U8), FL_U8, 0, not_u8},
        {FL_ARGS(FL_U16), FL_U16, 0, not_u16}, {FL_ARGS(FL_U32), FL_U32, 0, not_u32},
        {FL_ARGS(FL_U64), FL_U64, 0, not_u64}),
    FL_TEXT_FUNC_PREPARED("~*", "x ~* pattern: as ~, without regard to case", prepare_no_case,
                          {FL_ARGS(FL_UTF8, FL_UTF8), FL_BOOL, FL_PREPARED, match_no_case}),
    FL_TEXT_FUNC_PREPARED("regexp_like",
                          "regexp_like(x, pattern [, flags]): whether the regular expression matches somewhere in x",
                          prepare_match, {FL_ARGS(FL_UTF8, FL_UTF8), FL_BOOL, FL_PREPARED, match},
                          {FL_ARGS(FL_UTF8, FL_UTF8, FL_UTF8), FL_BOOL, FL_CAN_FAIL, match}),
    FL_TEXT_FUNC_PREPARED("regexp_matches", "regexp_matches(x, pattern [, flags]): as regexp_like", prepare_match,
                          {FL_ARGS(FL_UTF8, FL_UTF8), FL_BOOL, FL_PREPARED, match},
                          {FL_ARGS(FL_UTF8, FL_UTF8, FL_UTF8), FL_BOOL, FL_CAN_FAIL, match}),
    FL_TEXT_FUNC_PREPARED("regexp_full_match",
                          "regexp_full_match(x, pattern [, flags]): whether the regular expression matches all of x",
                          prepare_whole, {FL_ARGS(FL_UTF8, FL_UTF8), FL_BOOL, FL_PREPARED, match_whole},
                          {FL_ARGS(FL_UTF8, FL_UTF8, FL_UTF8), FL_BOOL, FL_CAN_FAIL, match_whole}),
    FL_TEXT_FUNC_PREPARED("regexp_count",
                          "regexp_count(x, pattern [, from [, flags]]): how many matches x has from a character on",
                          prepare_count, {FL_ARGS(FL_UTF8, FL_UTF8), FL_I32, FL_PREPARED, count},
                          {FL_ARGS(FL_UTF8, FL_UTF8, FL_I64), FL_I32, FL_CAN_FAIL, count},
                          {FL_ARGS(FL_UTF8, FL_UTF8, FL_I64, FL_UTF8), FL_I32, FL_CAN_FAIL, count}),
    {FL_DESC(fl_func_desc), .name = "regexp_match", .traits = FL_TEXT_TRAITS | FL_GIVES_NULL, .prepare = prepare_match,
     .resolve = resolve_match_groups,
     .doc = "regexp_match(x, pattern [, flags]): the groups of the first match, or the match where there are none"},
    FL_TEXT_FUNC("regexp_escape", "regexp_escape(x): a pattern that matches x",
                 {FL_ARGS(FL_UTF8), FL_UTF8, FL_CAN_FAIL, escape}),
    FL_TEXT_FUNC_PREPARED(
        "regexp_extract",
        "regexp_extract(x, pattern [, group]): the first match, or its group; empty where there is none",
        prepare_extract, {FL_ARGS(FL_UTF8, FL_UTF8), FL_UTF8, FL_CAN_FAIL, extract},
        {FL_ARGS(FL_UTF8, FL_UTF8, FL_I64), FL_UTF8, FL_CAN_FAIL, extract}),
    {FL_DESC(fl_func_desc), .name = "regexp_extract_all", .traits = FL_TEXT_TRAITS, .prepare = prepare_extract,
     .resolve = resolve_extract_all,
     .doc = "regexp_extract_all(x, pattern [, group]): all matches, or their groups, as a list"},
    {FL_DESC(fl_func_desc), .name = "regexp_split_to_array", .traits = FL_TEXT_TRAITS, .prepare = prepare_match,
     .resolve = resolve_split,
     .doc = "regexp_split_to_array(x, pattern [, flags]): what lies between the matches, as a list"},
    {FL_DESC(fl_func_desc), .name = "string_split_regex", .traits = FL_TEXT_TRAITS, .prepare = prepare_match,
     .resolve = resolve_split, .doc = "string_split_regex(x, pattern [, flags]): as regexp_split_to_array"},
    FL_TEXT_FUNC_PREPARED(
        "regexp_replace",
        "regexp_replace(x, pattern, to [, flags]): the first match (flag g: each) becomes `to`; \\1 is a group",
        prepare_replace, {FL_ARGS(FL_UTF8, FL_UTF8, FL_UTF8), FL_UTF8, FL_PREPARED, replace},
        {FL_ARGS(FL_UTF8, FL_UTF8, FL_UTF8, FL_UTF8), FL_UTF8, FL_CAN_FAIL, replace}),
};

FL_FUNC_SET(regexp, funcs);
