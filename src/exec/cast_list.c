/* Text to lists. Elements are separated by commas outside of quotes and inner brackets; a quote makes its text an element
 * as it stands, with \ before a character that is meant itself; the bare word NULL is null. */
#include "exec/cast_list.h"

#include "arrow/value.h"
#include "exec/cast.h"
#include "exec/pieces.h"

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

/* Bytes up to the comma or the end that closes the element; -1: a quote or bracket is left open. */
static int64_t element_bytes(fl_str x)
{
    int64_t depth = 0;
    char quote = 0;
    for (int64_t i = 0; i < x.len; i++) {
        char c = x.data[i];
        if (c == '\\' && i + 1 < x.len)
            i++;
        else if (quote != 0)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || (c == '\'' && (i == 0 || is_blank(x.data[i - 1]) || depth > 0)))
            quote = c;
        else if (c == '[' || c == '{' || c == '(')
            depth++;
        else if (c == ']' || c == '}' || c == ')')
            depth--;
        else if (c == ',' && depth == 0)
            return i;
        if (depth < 0)
            return -1;
    }
    return quote != 0 || depth != 0 ? -1 : x.len;
}

/* The text of a quoted element, without its quotes and backslashes. False: something stands behind the quote. */
static fl_status unquote(fl_call *call, fl_str x, fl_str *ret, bool *ret_ok, fl_err *err)
{
    fl_status st = FL_OK;
    char *out = NULL;
    int64_t n = 0, i = 1;
    FL_TRY(fl_call_room(call, x.len + 1, &out, err));
    for (; i < x.len && x.data[i] != x.data[0]; i++) {
        i += x.data[i] == '\\' && i + 1 < x.len;
        out[n++] = x.data[i];
    }
    *ret = (fl_str){out, n};
    *ret_ok = i == x.len - 1;
cleanup:
    return st;
}

/* Adds a text's elements; *ret_ok false: it is no list. */
static fl_status split(fl_call *call, fl_str text, fl_pieces *to, bool *ret_ok, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_nested = fl_type_is_nested(call->ret->type.fields[0].type);
    fl_str x = trim(text);
    char close = x.len < 2 ? 0 : x.data[0] == '[' ? ']' : x.data[0] == '{' ? '}' : 0;
    *ret_ok = close != 0 && x.data[x.len - 1] == close;
    x = *ret_ok ? trim((fl_str){x.data + 1, x.len - 2}) : (fl_str){0};
    while (*ret_ok && x.len > 0) {
        int64_t bytes = element_bytes(x);
        fl_str item = trim((fl_str){x.data, bytes < 0 ? 0 : bytes});
        *ret_ok = item.len > 0 && bytes != x.len - 1; /* no element is empty, the one behind the last comma neither */
        if (!*ret_ok)
            break;
        if (!is_nested && (item.data[0] == '"' || item.data[0] == '\'')) {
            FL_TRY(unquote(call, item, &item, ret_ok, err));
            FL_TRY(fl_pieces_add(call, to, item, false, err));
        } else {
            FL_TRY(fl_pieces_add(call, to, item, fl_str_is_equal_nocase(item, FL_STR("NULL")), err));
        }
        x = bytes < x.len ? (fl_str){x.data + bytes + 1, x.len - bytes - 1} : (fl_str){0};
    }
cleanup:
    return st;
}

/* The child: the elements' texts, cast to the element's type. */
static fl_status make_child(fl_call *call, const fl_pieces *items, bool is_try, fl_err *err)
{
    fl_status st = FL_OK;
    fl_type type = call->ret->type.fields[0].type;
    fl_vec *child = NULL, texts;
    uint64_t *valid = NULL, *mask = NULL;
    void *data = NULL;
    fl_view none;
    int64_t words = fl_bitmap_words(items->n) + 1;
    FL_TRY(FL_NEW(call->heap, &child, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, words, &valid, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, words, &mask, err));
    for (int64_t i = 0; i < items->n; i++)
        fl_bit_put(valid, i, !items->is_null[i]);
    memcpy(mask, valid, (size_t)words * 8);
    FL_TRY(fl_arena_get_zero(call->heap, items->n * 16 + 64, &data, err));
    fl_vec_set_flat(&texts, FL_TYPE(FL_UTF8), items->n > 0 ? items->views : &none, valid);
    fl_vec_set_flat(child, type, data, valid);
    fl_call inner = {.rows = (int32_t)items->n,
                     .n_args = 1,
                     .args = &texts,
                     .ret = child,
                     .mask = mask,
                     .heap = call->heap,
                     .session = call->session};
    FL_TRY(fl_cast_run(&inner, is_try, err));
    call->ret->child = child;
    call->ret->child_rows = items->n;
cleanup:
    return st;
}

fl_status fl_cast_text_to_list(fl_call *call, bool is_try, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pieces items = {0};
    fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data;
    for (int32_t row = 0; row < call->rows; row++) {
        bool is_wanted = fl_call_wants(call, row) && fl_vec_is_valid(&call->args[0], row), is_list = true;
        int64_t start = items.n;
        if (is_wanted)
            FL_TRY(split(call, fl_vec_str(&call->args[0], row), &items, &is_list, err));
        if (!is_list && !is_try) {
            fl_str text = fl_vec_str(&call->args[0], row);
            return FL_FAIL(err, FL_ERR_VALUE, "invalid text for type %s: \"%.*s\"", FL_TYPE_NAME(call->ret->type),
                           (int)(text.len > 100 ? 100 : text.len), text.data);
        }
        if (!is_list) {
            items.n = start;
            fl_bit_clear(fl_call_valid(call), row);
        }
        ret[row] = (fl_list_entry){(int32_t)start, (int32_t)(items.n - start)};
    }
    st = make_child(call, &items, is_try, err);
cleanup:
    return st;
}
