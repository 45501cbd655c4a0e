/* Texts to lists and back: string_to_array, string_split, array_to_string. */
#include "exec/pieces.h"
#include "func/text/text.h"

#include "base/utf8.h"

/* What stands for null in a list's text; has: it was given, and is not null. */
typedef struct null_text {
    fl_str text;
    bool has;
} null_text;

static null_text null_text_of(const fl_call *call, int32_t row)
{
    bool has = call->n_args == 3 && fl_vec_is_valid(&call->args[2], row);
    return (null_text){.text = has ? fl_text_arg(call, 2, row) : (fl_str){0}, .has = has};
}

static fl_status add(fl_call *call, fl_pieces *to, fl_str piece, null_text null, fl_err *err)
{
    fl_status st = fl_call_work(call, 16, err);
    return st != FL_OK ? st : fl_pieces_add(call, to, piece, null.has && fl_str_is_equal(piece, null.text), err);
}

static fl_status split_chars(fl_call *call, fl_pieces *to, fl_str x, null_text null, fl_err *err)
{
    fl_status st = FL_OK;
    for (int64_t at = 0, width; at < x.len && st == FL_OK; at += width) {
        width = fl_utf8_width(x.data + at, x.len - at);
        width = width > 0 ? width : 1;
        st = add(call, to, (fl_str){x.data + at, width}, null, err);
    }
    return st;
}

static fl_status split_at(fl_call *call, fl_pieces *to, fl_str x, fl_str separator, null_text null, fl_err *err)
{
    fl_status st = FL_OK;
    for (int64_t at = 0, hit = -1;; at = hit + separator.len) {
        if (separator.len > 0)
            FL_TRY(fl_text_find(call, x, at, separator, &hit, err));
        FL_TRY(add(call, to, (fl_str){x.data + at, (hit < 0 ? x.len : hit) - at}, null, err));
        if (hit < 0)
            break;
    }
cleanup:
    return st;
}

/* A null separator splits into characters, an empty one not at all; the empty text has no parts. */
static fl_status string_to_array(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pieces pieces = {0};
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = pieces.n;
        if (fl_vec_is_valid(&call->args[0], row)) {
            fl_str x = fl_text_arg(call, 0, row);
            null_text null = null_text_of(call, row);
            if (!fl_vec_is_valid(&call->args[1], row))
                FL_TRY(split_chars(call, &pieces, x, null, err));
            else if (x.len > 0)
                FL_TRY(split_at(call, &pieces, x, fl_text_arg(call, 1, row), null, err));
        } else {
            fl_bit_clear(fl_call_valid(call), row);
        }
        fl_pieces_end_row(call, &pieces, row, start);
    }
    st = fl_pieces_finish(call, &pieces, err);
cleanup:
    return st;
}

/* An empty separator splits into characters; the empty text is its own part. */
static fl_status string_split(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pieces pieces = {0};
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = pieces.n;
        if (fl_vec_is_valid(&call->args[0], row) && fl_vec_is_valid(&call->args[1], row)) {
            fl_str x = fl_text_arg(call, 0, row), separator = fl_text_arg(call, 1, row);
            if (separator.len == 0 && x.len > 0)
                FL_TRY(split_chars(call, &pieces, x, (null_text){0}, err));
            else
                FL_TRY(split_at(call, &pieces, x, separator, (null_text){0}, err));
        }
        fl_pieces_end_row(call, &pieces, row, start);
    }
    st = fl_pieces_finish(call, &pieces, err);
cleanup:
    return st;
}

/* Null elements are left out where nothing stands for them. */
static fl_status array_to_string(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text text;
    fl_text_init(&text, NULL);
    for (int32_t row = 0; row < call->rows; row++) {
        const fl_vec *list = &call->args[0];
        bool is_valid = fl_vec_is_valid(list, row) && fl_vec_is_valid(&call->args[1], row), any = false;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!is_valid) {
            fl_bit_clear(fl_call_valid(call), row);
            continue;
        }
        fl_list_entry entry = ((const fl_list_entry *)list->data)[fl_vec_row(list, row)];
        fl_str separator = fl_text_arg(call, 1, row);
        null_text null = null_text_of(call, row);
        fl_text_clear(&text);
        for (int32_t i = entry.start; i < entry.start + entry.len; i++) {
            bool is_null = !fl_vec_is_valid(list->child, i);
            if (is_null && !null.has)
                continue;
            FL_TRY(fl_call_work(call, 16, err));
            if (any)
                fl_text_add(&text, separator);
            fl_text_add(&text, is_null ? null.text : fl_vec_str(list->child, i));
            any = true;
        }
        FL_TRY(fl_text_status(&text, err));
        if (text.len > FL_TEXT_BYTES_MAX) {
            st = fl_text_fail_long(err);
            goto cleanup;
        }
        FL_TRY(fl_text_keep(call, text.len == 0 ? FL_STR("") : fl_text_str(&text), &fl_ret_view(call)[row], err));
    }
cleanup:
    fl_text_drop(&text);
    return st;
}

/* ---- types --------------------------------------------------------------------------------------------------------- */

static bool are_texts(const fl_type *args, int32_t from, int32_t n_args)
{
    for (int32_t i = from; i < n_args; i++)
        if (args[i].id != FL_UTF8 && args[i].id != FL_NULL)
            return false;
    return true;
}

static fl_status resolve_split(const fl_type *args, int32_t n_args, int32_t n_max, fl_func_run run, fl_func_choice *ret,
                               fl_err *err)
{
    fl_arena *arena = ret->arena;
    if (n_args < 2 || n_args > n_max || !are_texts(args, 0, n_args))
        return FL_FAIL(err, FL_ERR_FUNCTION, "texts were expected");
    *ret =
        (fl_func_choice){.args = {FL_TYPE(FL_UTF8), FL_TYPE(FL_UTF8), FL_TYPE(FL_UTF8)}, .n_args = n_args, .run = run};
    return fl_type_list_of(arena, FL_TYPE(FL_UTF8), &ret->ret, err);
}

static fl_status resolve_to_array(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_split(args, n_args, 3, string_to_array, ret, err);
}

static fl_status resolve_string_split(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_split(args, n_args, 2, string_split, ret, err);
}

static fl_status resolve_to_string(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    if (n_args < 2 || n_args > 3 || args[0].id != FL_LIST || !are_texts(args, 1, n_args))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a list and a separator were expected");
    *ret = (fl_func_choice){.args = {args[0], FL_TYPE(FL_UTF8), FL_TYPE(FL_UTF8)},
                            .n_args = n_args,
                            .ret = FL_TYPE(FL_UTF8),
                            .run = array_to_string};
    return fl_type_list_of(arena, FL_TYPE(FL_UTF8), &ret->args[0], err);
}

#define FUNC(text, more, op, help)                                                                               \
    {FL_DESC(fl_func_desc), .name = text, .traits = FL_PURE | FL_OFFSETS_ARGS | (more), .resolve = resolve_##op, \
     .doc = help}

static const fl_func_desc funcs[] = {
    FUNC("string_to_array", FL_SETS_VALID, to_array,
         "string_to_array(x, separator [, null]): the parts of x; a null separator splits into characters"),
    FUNC("string_split", FL_NULL_GIVES_NULL, string_split,
         "string_split(x, separator): the parts of x; an empty separator splits into characters"),
    FUNC("str_split", FL_NULL_GIVES_NULL, string_split, "str_split(x, separator): as string_split"),
    FUNC("split", FL_NULL_GIVES_NULL, string_split, "split(x, separator): as string_split"),
    FUNC("array_to_string", FL_SETS_VALID, to_string,
         "array_to_string(l, separator [, null]): the elements' texts; null ones are left out, or `null` instead"),
};

FL_FUNC_SET(split, funcs);
