/* Reading and printing JSON (json_text.h). */
#include "exec/json_text.h"

#include "base/json_nesting.h"

#include <math.h>

/* ---- memory -------------------------------------------------------------------------------------------------------- */

void fl_json_begin(fl_json_work *work, fl_call *call)
{
    *work = (fl_json_work){.call = call, .mark = fl_arena_mark_get(call->heap)};
    fl_json_memory_init(&work->memory, call->heap);
}

void fl_json_end(fl_json_work *work)
{
    fl_arena_rewind(work->call->heap, work->mark);
}

fl_status fl_json_fail_memory(const fl_json_work *work, fl_err *err)
{
    fl_status st = fl_json_memory_status(&work->memory, err);
    return st != FL_OK ? st : FL_FAIL(err, FL_ERR_INTERNAL, "a JSON value cannot be written");
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static fl_status parse(fl_json_work *work, fl_str text, yyjson_doc **ret, yyjson_read_err *fault, fl_err *err)
{
    fl_status st = fl_call_work(work->call, 2 * text.len + 16, err);
    if (st != FL_OK)
        return st;
    if (fl_json_is_deeper(text, FL_JSON_NESTING_MAX)) {
        st = FL_FAIL(err, FL_ERR_LIMIT, "the JSON is nested more than %d deep", FL_JSON_NESTING_MAX);
        return fl_err_state(err, "54001", st);
    }
    *ret = yyjson_read_opts((char *)(uintptr_t)text.data, (size_t)text.len, YYJSON_READ_BIGNUM_AS_RAW,
                            &work->memory.alc, fault);
    return *ret == NULL ? fl_json_memory_status(&work->memory, err) : FL_OK;
}

fl_status fl_json_read(fl_json_work *work, fl_str text, yyjson_val **ret, fl_err *err)
{
    yyjson_doc *doc = NULL;
    yyjson_read_err fault = {0};
    fl_status st = parse(work, text, &doc, &fault, err);
    if (st != FL_OK)
        return st;
    if (doc == NULL)
        return fl_err_state(err, "22P02",
                            FL_FAIL(err, FL_ERR_VALUE, "\"%.*s\" is no JSON: %s at byte %lld",
                                    (int)(text.len < 60 ? text.len : 60), text.data, fault.msg,
                                    (long long)fault.pos + 1));
    *ret = yyjson_doc_get_root(doc);
    return FL_OK;
}

fl_status fl_json_is_valid(fl_json_work *work, fl_str text, bool *ret, fl_err *err)
{
    yyjson_doc *doc = NULL;
    yyjson_read_err fault = {0};
    fl_status st = parse(work, text, &doc, &fault, err);
    *ret = doc != NULL;
    return st;
}

/* ---- printing ------------------------------------------------------------------------------------------------------ */

fl_status fl_json_print_value(fl_json_work *work, const yyjson_val *value, yyjson_write_flag flags, fl_text *to,
                              fl_err *err)
{
    size_t len = 0;
    const char *text = yyjson_val_write_opts(value, flags, &work->memory.alc, &len, NULL);
    if (text == NULL)
        return fl_json_fail_memory(work, err);
    fl_text_add(to, (fl_str){text, (int64_t)len});
    return fl_call_work(work->call, (int64_t)len, err);
}

fl_status fl_json_print_plain(fl_json_work *work, yyjson_val *value, fl_text *to, fl_err *err)
{
    if (!yyjson_is_str(value))
        return fl_json_print_value(work, value, YYJSON_WRITE_NOFLAG, to, err);
    fl_str text = fl_json_str(value);
    if (text.len > 0 && memchr(text.data, 0, (size_t)text.len) != NULL)
        return fl_err_state(err, "22P05", FL_FAIL(err, FL_ERR_VALUE, "a JSON string with \\u0000 cannot be a text"));
    fl_text_add(to, text);
    return FL_OK;
}

fl_status fl_json_keep(fl_call *call, int32_t row, const fl_text *text, fl_err *err)
{
    char *out = NULL;
    fl_status st = fl_text_status(text, err);
    if (st != FL_OK)
        return st;
    if (text->len > (int64_t)1 << 30)
        return FL_FAIL(err, FL_ERR_LIMIT, "the text would be longer than 1 GB");
    if (text->len > FL_VIEW_INLINE_MAX) {
        st = fl_call_room(call, text->len, &out, err);
        if (st != FL_OK)
            return st;
        memcpy(out, text->data, (size_t)text->len);
    }
    fl_ret_view(call)[row] = fl_view_of(text->len == 0 ? "" : out != NULL ? out : text->data, text->len);
    return FL_OK;
}

/* ---- values of any type --------------------------------------------------------------------------------------------- */

static fl_status add_items(const fl_value *value, fl_text *to, fl_err *err)
{
    bool is_list = value->type.id == FL_LIST;
    fl_status st = FL_OK;
    fl_text_add_char(to, is_list ? '[' : '{');
    for (int64_t i = 0; i < value->list.n && st == FL_OK; i++) {
        if (i > 0)
            fl_text_add_char(to, ',');
        if (!is_list) {
            fl_text_add_json(to, value->type.fields[i].name);
            fl_text_add_char(to, ':');
        }
        st = fl_json_add_value(&value->list.items[i], to, err);
    }
    fl_text_add_char(to, is_list ? ']' : '}');
    return st;
}

/* As its text, in quotes. */
static fl_status add_text_of(const fl_value *value, fl_text *to, fl_err *err)
{
    fl_text plain;
    fl_text_init(&plain, NULL);
    fl_value_print(&plain, value);
    fl_status st = fl_text_status(&plain, err);
    if (st == FL_OK)
        fl_text_add_json(to, plain.len > 0 ? fl_text_str(&plain) : FL_STR(""));
    fl_text_drop(&plain);
    return st;
}

/* A map is an object, whose names are the texts of its keys. */
static fl_status add_map(const fl_value *value, fl_text *to, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text_add_char(to, '{');
    for (int64_t i = 0; i < value->list.n && st == FL_OK; i++) {
        const fl_value *entry = value->list.items[i].list.items;
        if (i > 0)
            fl_text_add_char(to, ',');
        st = add_text_of(&entry[0], to, err);
        fl_text_add_char(to, ':');
        if (st == FL_OK)
            st = fl_json_add_value(&entry[1], to, err);
    }
    fl_text_add_char(to, '}');
    return st;
}

/* Numbers as they are printed, but for those that JSON has no numbers for. */
fl_status fl_json_add_value(const fl_value *value, fl_text *to, fl_err *err)
{
    fl_type type = value->type;
    if (value->is_null)
        fl_text_add(to, FL_STR("null"));
    else if (type.extension == FL_JSON)
        fl_text_add(to, value->s);
    else if (type.extension == FL_MAP)
        return add_map(value, to, err);
    else if (fl_type_is_nested(type))
        return add_items(value, to, err);
    else if (type.id == FL_BOOL || (fl_type_is_numeric(type) && (!fl_type_is_float(type) || isfinite(value->f))))
        fl_value_print(to, value);
    else
        return add_text_of(value, to, err);
    return FL_OK;
}
