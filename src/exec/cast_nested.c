/* Text to lists and structs. Elements are separated by commas outside of quotes and inner brackets; a quote makes its text an
 * element as it stands, with \ before a character that is meant itself; the bare word NULL is null. PostgreSQL's forms have
 * rules of their own: in {1,2} only " quotes and \ may stand anywhere, in (1,x) blanks count, "" is a " and nothing is null. */
#include "exec/cast_nested.h"

#include "exec/map_keys.h"

#include "arrow/field_index.h"

#include "arrow/value.h"
#include "exec/cast.h"
#include "exec/pieces.h"

#define DEPTH_MAX 128 /* of brackets; types are nested 64 deep at most */

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static fl_str trim(fl_str x)
{
    while (x.len > 0 && is_blank(x.data[0]))
        x = (fl_str){x.data + 1, x.len - 1};
    while (x.len > 0 && is_blank(x.data[x.len - 1]))
        x.len--;
    return x;
}

static char closing(char c)
{
    return c == '[' ? ']' : c == '{' ? '}' : c == '(' ? ')' : 0;
}

/* Which quotes there are, and what the text is part of. */
typedef enum form {
    FORM_LIST,  /* [a, 'b'] and {'a': b} */
    FORM_BRACES /* {a,"b"} */
} form;

/* Bytes up to the first `stop` outside of quotes and brackets, or to the end; -1: one of them is left open, or closed too
 * often. */
static int64_t bytes_until(fl_str x, char stop, form form)
{
    char open[DEPTH_MAX];
    int32_t depth = 0;
    bool at_start = true; /* of a value: there a quote is one */
    for (int64_t i = 0; i < x.len; i++) {
        char c = x.data[i];
        bool in_row = depth > 0 && open[depth - 1] == ')';
        bool is_quote = c == '"' ? at_start || in_row : c == '\'' && at_start && !in_row && form == FORM_LIST;
        if (depth == 0 && c == stop)
            return i;
        if (c == '\\' && i + 1 < x.len) {
            i++;
            at_start = false;
        } else if (is_quote) {
            for (i++; i < x.len && x.data[i] != c; i++)
                i += x.data[i] == '\\' && i + 1 < x.len;
            if (i >= x.len)
                return -1;
            at_start = false;
        } else if (c == '(' || (!in_row && closing(c) != 0)) {
            if (depth == DEPTH_MAX)
                return -1;
            open[depth++] = closing(c);
            at_start = true;
        } else if (c == ')' || (!in_row && (c == ']' || c == '}'))) {
            if (depth == 0 || open[depth - 1] != c)
                return -1;
            depth--;
            at_start = false;
        } else {
            at_start = c == ',' || c == ':' || (at_start && is_blank(c));
        }
    }
    return depth != 0 ? -1 : x.len;
}

/* The text behind a quote at its beginning, up to the one that closes it, without backslashes; without a quote all of it. False
 * in *ret_ok: something stands behind the quote. */
static fl_status unescape(fl_call *call, fl_str x, char quote, fl_str *ret, bool *ret_ok, fl_err *err)
{
    fl_status st = FL_OK;
    char *out = NULL;
    int64_t n = 0, i = quote != 0;
    FL_TRY(fl_call_room(call, x.len + 1, &out, err));
    for (; i < x.len && (quote == 0 || x.data[i] != quote); i++) {
        i += x.data[i] == '\\' && i + 1 < x.len;
        out[n++] = x.data[i];
    }
    *ret = (fl_str){out, n};
    *ret_ok = quote == 0 || i == x.len - 1;
cleanup:
    return st;
}

/* A value as it stands between commas becomes the text that is cast, and whether it is null. */
static fl_status read_item(fl_call *call, fl_str item, form form, bool is_nested, fl_str *ret, bool *ret_null,
                           bool *ret_ok, fl_err *err)
{
    *ret = item;
    *ret_ok = item.len > 0; /* no value is empty without quotes */
    *ret_null = fl_str_is_equal_nocase(item, FL_STR("NULL"));
    if (item.len == 0 || *ret_null)
        return FL_OK;
    if (item.data[0] == '"' || (item.data[0] == '\'' && form == FORM_LIST))
        return unescape(call, item, item.data[0], ret, ret_ok, err);
    if (form == FORM_BRACES && !is_nested && memchr(item.data, '\\', (size_t)item.len) != NULL)
        return unescape(call, item, 0, ret, ret_ok, err);
    return FL_OK;
}

/* What lies between the brackets; false: there are none. */
static bool strip(fl_str text, const char *brackets, fl_str *ret)
{
    fl_str x = trim(text);
    if (x.len < 2 || strchr(brackets, x.data[0]) == NULL || x.data[x.len - 1] != closing(x.data[0]))
        return false;
    *ret = (fl_str){x.data + 1, x.len - 2};
    return true;
}

/* Takes the next value off `*x`, up to the comma; false: it is not well formed. */
static bool next_item(fl_str *x, form form, fl_str *ret)
{
    int64_t bytes = bytes_until(*x, ',', form);
    if (bytes < 0 || bytes == x->len - 1) /* nothing stands behind the last comma */
        return false;
    *ret = trim((fl_str){x->data, bytes});
    *x = bytes < x->len ? (fl_str){x->data + bytes + 1, x->len - bytes - 1} : (fl_str){0};
    return true;
}

/* Adds a text's elements; *ret_ok false: it is no list. */
static fl_status split(fl_call *call, fl_str text, fl_pieces *to, bool *ret_ok, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_nested = fl_type_is_nested(call->ret->type.fields[0].type);
    fl_str x = {0};
    *ret_ok = strip(text, "[{", &x);
    form form = *ret_ok && x.data[-1] == '{' ? FORM_BRACES : FORM_LIST;
    x = trim(x);
    while (*ret_ok && x.len > 0) {
        fl_str item;
        bool is_null;
        *ret_ok = next_item(&x, form, &item);
        if (!*ret_ok)
            break;
        FL_TRY(read_item(call, item, form, is_nested, &item, &is_null, ret_ok, err));
        FL_TRY(fl_pieces_add(call, to, item, is_null, err));
    }
cleanup:
    return st;
}

fl_status fl_cast_pieces(fl_call *call, const fl_pieces *items, fl_type from, fl_type type, bool is_try, fl_vec *ret,
                         fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec texts;
    uint64_t *valid = NULL, *mask = NULL;
    void *data = NULL;
    fl_view none;
    int64_t words = fl_bitmap_words(items->n) + 1;
    FL_TRY(FL_NEW_ARRAY(call->heap, words, &valid, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, words, &mask, err));
    for (int64_t i = 0; i < items->n; i++)
        fl_bit_put(valid, i, !items->is_null[i]);
    memcpy(mask, valid, (size_t)words * 8);
    FL_TRY(fl_arena_get_zero(call->heap, items->n * 16 + 64, &data, err));
    fl_vec_set_flat(&texts, from, items->n > 0 ? items->views : &none, valid);
    fl_vec_set_flat(ret, type, data, valid);
    fl_call inner = {.rows = (int32_t)items->n,
                     .n_args = 1,
                     .args = &texts,
                     .ret = ret,
                     .mask = mask,
                     .heap = call->heap,
                     .session = call->session};
    st = fl_cast_run(&inner, is_try, err);
cleanup:
    return st;
}

static fl_status fail_text(const fl_call *call, fl_str text, fl_err *err)
{
    fl_status st = FL_FAIL(err, FL_ERR_VALUE, "invalid text for type %s: \"%.*s\"", FL_TYPE_NAME(call->ret->type),
                           (int)(text.len > 100 ? 100 : text.len), text.data);
    fl_err_hint(err, call->ret->type.extension == FL_MAP ? "maps are written {key=value, other=NULL}"
                     : call->ret->type.id == FL_LIST     ? "lists are written [1, 2, NULL] or {1,2,NULL}"
                                                         : "structs are written {'a': 1, 'b': x} or (1,x)");
    return st;
}

static bool is_wanted(const fl_call *call, int32_t row)
{
    return fl_call_wants(call, row) && fl_vec_is_valid(&call->args[0], row);
}

fl_status fl_cast_text_to_list(fl_call *call, bool is_try, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pieces items = {0};
    fl_vec *child = NULL;
    fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data;
    for (int32_t row = 0; row < call->rows; row++) {
        bool is_list = true;
        int64_t start = items.n;
        if (is_wanted(call, row))
            FL_TRY(split(call, fl_vec_str(&call->args[0], row), &items, &is_list, err));
        if (!is_list && !is_try)
            return fail_text(call, fl_vec_str(&call->args[0], row), err);
        if (!is_list) {
            items.n = start;
            fl_bit_clear(fl_call_valid(call), row);
        }
        ret[row] = (fl_list_entry){(int32_t)start, (int32_t)(items.n - start)};
    }
    FL_TRY(FL_NEW(call->heap, &child, err));
    FL_TRY(fl_cast_pieces(call, &items, FL_TYPE(FL_UTF8), call->ret->type.fields[0].type, is_try, child, err));
    call->ret->child = child;
    call->ret->child_rows = items.n;
cleanup:
    return st;
}

/* ---- maps ---- */

/* {a=1, 'b c'=NULL}: the entries of one row. */
static fl_status split_entries(fl_call *call, fl_str x, fl_pieces *keys, fl_pieces *values, bool *ret_ok, fl_err *err)
{
    fl_status st = FL_OK;
    fl_type type = call->ret->type;
    bool is_nested[] = {fl_type_is_nested(fl_type_map_key(type)), fl_type_is_nested(fl_type_map_value(type))};
    x = trim(x);
    *ret_ok = true;
    while (*ret_ok && x.len > 0) {
        fl_str item = {0}, parts[2];
        *ret_ok = next_item(&x, FORM_LIST, &item);
        int64_t sign = *ret_ok ? bytes_until(item, '=', FORM_LIST) : -1;
        *ret_ok = sign >= 0 && sign < item.len;
        if (!*ret_ok)
            break;
        parts[0] = trim((fl_str){item.data, sign});
        parts[1] = trim((fl_str){item.data + sign + 1, item.len - sign - 1});
        for (int i = 0; i < 2 && *ret_ok; i++) {
            bool is_null;
            FL_TRY(read_item(call, parts[i], FORM_LIST, is_nested[i], &parts[i], &is_null, ret_ok, err));
            if (*ret_ok)
                FL_TRY(fl_pieces_add(call, i == 0 ? keys : values, parts[i], is_null, err));
        }
    }
cleanup:
    return st;
}

fl_status fl_cast_set_entries(fl_call *call, const fl_vec *keys, const fl_vec *values, int64_t entries, bool is_try,
                              fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *entry = NULL, *parts = NULL;
    fl_type type = call->ret->type;
    FL_ASSERT(type.extension == FL_MAP);
    FL_TRY(FL_NEW(call->heap, &entry, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, 2, &parts, err));
    parts[0] = *keys;
    parts[1] = *values;
    fl_vec_set_flat(entry, type.fields[0].type, NULL, NULL);
    entry->child = parts;
    entry->child_rows = entries;
    call->ret->child = entry;
    call->ret->child_rows = entries;
    st = fl_cast_check_keys(call, keys, is_try, err);
cleanup:
    return st;
}

fl_status fl_cast_check_keys(fl_call *call, const fl_vec *keys, bool is_try, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_list_entry *lists = call->ret->data;
    FL_ASSERT(call->ret->type.extension == FL_MAP);
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t other = -1;
        if (!fl_call_wants(call, row) || !fl_is_valid(call->ret->valid, row))
            continue;
        FL_TRY(fl_map_faulty_key(call, keys, lists[row], &other, err));
        if (other < 0)
            continue;
        if (!is_try)
            return fl_map_fail_key(call, keys, other, err);
        fl_bit_clear(fl_call_valid(call), row);
    }
cleanup:
    return st;
}

fl_status fl_cast_text_to_map(fl_call *call, bool is_try, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pieces keys = {0}, values = {0};
    fl_vec key_vec, value_vec;
    fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data;
    fl_type type = call->ret->type;
    for (int32_t row = 0; row < call->rows; row++) {
        bool is_map = true;
        int64_t start = values.n;
        fl_str x;
        if (is_wanted(call, row)) {
            is_map = strip(fl_vec_str(&call->args[0], row), "{", &x);
            if (is_map)
                FL_TRY(split_entries(call, x, &keys, &values, &is_map, err));
        }
        if (!is_map && !is_try)
            return fail_text(call, fl_vec_str(&call->args[0], row), err);
        if (!is_map) {
            keys.n = values.n = start;
            fl_bit_clear(fl_call_valid(call), row);
        }
        ret[row] = (fl_list_entry){(int32_t)start, (int32_t)(values.n - start)};
    }
    FL_TRY(fl_cast_pieces(call, &keys, FL_TYPE(FL_UTF8), fl_type_map_key(type), is_try, &key_vec, err));
    FL_TRY(fl_cast_pieces(call, &values, FL_TYPE(FL_UTF8), fl_type_map_value(type), is_try, &value_vec, err));
    st = fl_cast_set_entries(call, &key_vec, &value_vec, values.n, is_try, err);
cleanup:
    return st;
}

/* ---- structs ---- */

/* The texts of one row's fields. */
typedef struct field_texts {
    fl_str *texts;
    bool *is_null, *is_named;
    int32_t n;
} field_texts;

/* {'a': 1, b: x} */
static fl_status split_fields(fl_call *call, fl_str x, const fl_field_index *index, field_texts *to, bool *ret_ok,
                              fl_err *err)
{
    fl_status st = FL_OK;
    fl_type type = call->ret->type;
    x = trim(x);
    *ret_ok = true;
    while (*ret_ok && x.len > 0) {
        fl_str item = {0}, name;
        bool is_null;
        *ret_ok = next_item(&x, FORM_LIST, &item);
        int64_t colon = *ret_ok ? bytes_until(item, ':', FORM_LIST) : -1;
        *ret_ok = colon >= 0 && colon < item.len;
        if (!*ret_ok)
            break;
        name = trim((fl_str){item.data, colon});
        FL_TRY(read_item(call, name, FORM_LIST, false, &name, &is_null, ret_ok, err));
        int32_t field = *ret_ok ? fl_field_index_find(index, name) : -1;
        *ret_ok = field >= 0 && !to->is_named[field];
        if (!*ret_ok)
            break;
        to->is_named[field] = true;
        item = trim((fl_str){item.data + colon + 1, item.len - colon - 1});
        FL_TRY(read_item(call, item, FORM_LIST, fl_type_is_nested(type.fields[field].type), &to->texts[field],
                         &to->is_null[field], ret_ok, err));
    }
cleanup:
    return st;
}

/* (1,"a ""b""",): a field may be quoted in part; nothing at all is null. */
static fl_status split_row(fl_call *call, fl_str x, field_texts *to, bool *ret_ok, fl_err *err)
{
    fl_status st = FL_OK;
    char *out = NULL;
    int64_t i = 0, n = 0;
    FL_TRY(fl_call_room(call, x.len + 1, &out, err));
    for (int32_t field = 0; field < to->n; field++) {
        bool in_quotes = false;
        int64_t start = n, from = i;
        for (; i < x.len && (in_quotes || x.data[i] != ','); i++) {
            char c = x.data[i];
            if (c == '"' && in_quotes && i + 1 < x.len && x.data[i + 1] == '"')
                out[n++] = x.data[++i];
            else if (c == '"')
                in_quotes = !in_quotes;
            else if (c == '\\' && i + 1 < x.len)
                out[n++] = x.data[++i];
            else
                out[n++] = c;
        }
        bool is_last = field == to->n - 1;
        if (in_quotes || is_last != (i == x.len)) {
            *ret_ok = false;
            return FL_OK;
        }
        to->is_null[field] = i == from;
        to->texts[field] = (fl_str){out + start, n - start};
        i++;
    }
    *ret_ok = true;
cleanup:
    return st;
}

fl_status fl_cast_text_to_struct(fl_call *call, bool is_try, fl_err *err)
{
    fl_status st = FL_OK;
    fl_type type = call->ret->type;
    fl_pieces *columns = NULL;
    fl_vec *fields = NULL;
    field_texts row_texts = {.n = type.n_fields};
    fl_field_index index;
    FL_TRY(fl_field_index_init(&index, call->heap, type, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, type.n_fields + 1, &columns, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, type.n_fields + 1, &fields, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, type.n_fields + 1, &row_texts.texts, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, type.n_fields + 1, &row_texts.is_null, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, type.n_fields + 1, &row_texts.is_named, err));
    for (int32_t row = 0; row < call->rows; row++) {
        bool is_struct = true;
        fl_str text = {0}, x;
        for (int32_t i = 0; i < type.n_fields; i++) {
            row_texts.texts[i] = (fl_str){"", 0};
            row_texts.is_null[i] = true;
            row_texts.is_named[i] = false;
        }
        if (is_wanted(call, row)) {
            text = fl_vec_str(&call->args[0], row);
            is_struct = strip(text, "{(", &x);
            if (is_struct && x.data[-1] == '{')
                FL_TRY(split_fields(call, x, &index, &row_texts, &is_struct, err));
            else if (is_struct)
                FL_TRY(split_row(call, x, &row_texts, &is_struct, err));
        }
        if (!is_struct && !is_try)
            return fail_text(call, text, err);
        if (!is_struct)
            fl_bit_clear(fl_call_valid(call), row);
        for (int32_t i = 0; i < type.n_fields; i++)
            FL_TRY(fl_pieces_add(call, &columns[i], row_texts.texts[i], !is_struct || row_texts.is_null[i], err));
    }
    for (int32_t i = 0; i < type.n_fields; i++)
        FL_TRY(fl_cast_pieces(call, &columns[i], FL_TYPE(FL_UTF8), type.fields[i].type, is_try, &fields[i], err));
    call->ret->child = fields;
    call->ret->child_rows = call->rows;
cleanup:
    return st;
}
