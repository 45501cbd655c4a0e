/* json_transform(j, structure), from_json and their strict kin, as DuckDB has them: JSON as values of the types that a constant text says,
 * '{"a": "INTEGER", "b": ["VARCHAR"]}'. The call stands for a cast: TRY_CAST, which gives null where a value does not fit, or CAST. */
#include "func/json/json.h"

#include "base/json_nesting.h"
#include "plan/expr.h"

static fl_status fail_structure(fl_err *err, const char *what)
{
    fl_status st = FL_FAIL(err, FL_ERR_VALUE, "the structure of JSON %s", what);
    fl_err_hint(
        err,
        "a structure is written as {\"a\": \"INTEGER\", \"b\": [\"VARCHAR\"]}: names with types, a type in a list");
    return fl_err_state(err, "22023", st);
}

static bool skip(fl_str *text, char c)
{
    bool is = text->len > 0 && text->data[0] == c;
    *text = is ? (fl_str){text->data + 1, text->len - 1} : *text;
    return is;
}

/* A small number; -1: there is none. */
static int read_number(fl_str *text)
{
    int value = -1;
    while (skip(text, ' '))
        continue;
    while (text->len > 0 && text->data[0] >= '0' && text->data[0] <= '9' && value < 100) {
        value = (value < 0 ? 0 : value * 10) + (text->data[0] - '0');
        *text = (fl_str){text->data + 1, text->len - 1};
    }
    return value;
}

/* INTEGER, DECIMAL(4, 1) */
static fl_status read_name(fl_str text, fl_type *ret, fl_err *err)
{
    const char *paren = text.len > 0 ? memchr(text.data, '(', (size_t)text.len) : NULL;
    fl_str name = paren == NULL ? text : (fl_str){text.data, paren - text.data};
    int precision = -1, scale = -1;
    if (paren != NULL) {
        fl_str rest = {paren + 1, text.data + text.len - paren - 1};
        precision = read_number(&rest);
        if (skip(&rest, ','))
            scale = read_number(&rest);
        if (precision < 0 || !skip(&rest, ')') || rest.len > 0)
            return fail_structure(err, "has a type whose size cannot be read");
    }
    if (fl_type_from_name(name, precision, scale, ret))
        return FL_OK;
    fl_status st =
        FL_FAIL(err, FL_ERR_TYPE, "there is no type \"%.*s\", as the structure of JSON has it", FL_STR_ARG(text));
    fl_err_hint(err, "structs are written as {\"name\": type}, lists as [type]");
    return fl_err_state(err, "42704", st);
}

static fl_status read_type(fl_arena *arena, yyjson_val *value, fl_type *ret, fl_err *err)
{
    fl_status st = FL_OK;
    size_t i, n;
    yyjson_val *name, *part;
    fl_field *fields = NULL;
    fl_type element;
    if (yyjson_is_str(value))
        return read_name(fl_json_str(value), ret, err);
    if (yyjson_is_arr(value) && yyjson_arr_size(value) == 1) {
        FL_TRY(read_type(arena, yyjson_arr_get_first(value), &element, err));
        return fl_type_list_of(arena, element, ret, err);
    }
    if (!yyjson_is_obj(value) || yyjson_obj_size(value) == 0)
        return fail_structure(err, yyjson_is_arr(value)   ? "has a list of other than one type"
                                   : yyjson_is_obj(value) ? "has an object without names"
                                                          : "has something that is no type's name");
    FL_TRY(FL_NEW_ARRAY(arena, (int64_t)yyjson_obj_size(value), &fields, err));
    yyjson_obj_foreach(value, i, n, name, part)
    {
        fields[i].nullable = true;
        FL_TRY(fl_arena_copy_str(arena, fl_json_str(name), &fields[i].name, err));
        FL_TRY(read_type(arena, part, &fields[i].type, err));
    }
    FL_TRY(fl_type_check_size(fields, (int32_t)n, err));
    *ret = (fl_type){.id = FL_STRUCT, .n_fields = (int32_t)n, .fields = fields};
cleanup:
    return st;
}

static fl_status read_structure(fl_arena *arena, fl_str text, fl_type *ret, fl_err *err)
{
    fl_json_memory memory;
    fl_json_memory_init(&memory, arena);
    if (fl_json_is_deeper(text, FL_TYPE_DEPTH_MAX))
        return fail_structure(err, "is nested too deep");
    yyjson_doc *doc =
        yyjson_read_opts((char *)(uintptr_t)text.data, (size_t)text.len, YYJSON_READ_NOFLAG, &memory.alc, NULL);
    fl_status st = doc == NULL ? fl_json_memory_status(&memory, err) : FL_OK;
    if (st != FL_OK)
        return st;
    return doc == NULL ? fail_structure(err, "is no JSON") : read_type(arena, yyjson_doc_get_root(doc), ret, err);
}

static fl_status expand(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t n_args,
                        int32_t pos, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *json = NULL;
    fl_type type = FL_TYPE_JSON;
    bool is_strict = func->ctx != NULL;
    FL_ASSERT(n_args == 2);
    if (!fl_expr_is_const(args[1]))
        return FL_FAIL(err, FL_ERR_FUNCTION, "the structure of JSON is a constant");
    if (args[1]->value->is_null) {
        fl_value null = {.type = type, .is_null = true};
        return fl_expr_const(plan, &null, pos, ret, err);
    }
    FL_TRY(read_structure(fl_plan_arena(plan), args[1]->value->s, &type, err));
    FL_TRY(fl_expr_cast(plan, args[0], FL_TYPE_JSON, false, pos, &json, err));
    st = fl_expr_cast(plan, json, type, !is_strict, pos, ret, err);
cleanup:
    return st;
}

static fl_status resolve(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    bool fits = n_args == 2;
    for (int32_t i = 0; i < n_args && fits; i++)
        fits = fl_type_is_text(args[i]) || args[i].id == FL_NULL;
    if (!fits)
        return FL_FAIL(err, FL_ERR_FUNCTION, "JSON and a structure were expected");
    *ret = (fl_func_choice){.args = {FL_TYPE(FL_UTF8), FL_TYPE(FL_UTF8)}, .n_args = 2, .ret = FL_TYPE_JSON};
    return FL_OK;
}

static const bool strict = true;

#define FUNC(name_, ctx_, help)                                                                            \
    {FL_DESC(fl_func_desc), .name = name_, .traits = FL_JSON_TRAITS, .resolve = resolve, .expand = expand, \
     .ctx = ctx_,           .doc = help}
#define STRICT ((void *)(uintptr_t)&strict)

static const fl_func_desc funcs[] = {
    FUNC("json_transform", NULL, "json_transform(j, structure): JSON as values of types, null where one does not fit"),
    FUNC("from_json", NULL, "as json_transform"),
    FUNC("json_transform_strict", STRICT, "json_transform_strict(j, structure): JSON as values of types"),
    FUNC("from_json_strict", STRICT, "as json_transform_strict"),
};

FL_FUNC_SET(json_transform, funcs);
