/* Filters to conditions. */
#include "front/expr/filter.h"

#include "front/expr/tree.h"

typedef enum field_op {
    FIELD_EQ,
    FIELD_NE,
    FIELD_GT,
    FIELD_GTE,
    FIELD_LT,
    FIELD_LTE,
    FIELD_IN,
    FIELD_NIN,
    FIELD_NOT,
    FIELD_EXISTS,
    FIELD_REGEX,
    FIELD_OPTIONS,
    N_FIELD_OPS
} field_op;

static const char *const field_ops[] = {"$eq",  "$ne",  "$gt",     "$gte",   "$lt",      "$lte", "$in",
                                        "$nin", "$not", "$exists", "$regex", "$options", NULL};
static const char *const group_ops[] = {"$and", "$or", "$nor", "$not", "$expr", "expr", NULL};

_Static_assert(FL_LEN(field_ops) == N_FIELD_OPS + 1, "a name for each");

static fl_status fail_operator(maker *m, json_ref ref, fl_str name, const char *const *known, const char *other)
{
    fl_status st = fl_maker_fail(m, ref.at, "there is no operator \"%.*s\"", FL_STR_ARG(name));
    fl_err_hint(m->err, "%s", other);
    fl_json_ref_hint_name(m, name, known);
    return st;
}

/* Rows for which it is false or null. */
static fl_status negate(maker *m, fl_ast_expr *condition, int32_t at, fl_ast_expr **ret)
{
    return fl_maker_is(m, FL_AST_IS_TRUE, true, condition, NULL, at, ret);
}

/* field IN (values): nulls among them are tests for null. */
static fl_status parse_in(maker *m, fl_ast_expr *field, json_ref ref, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr **items = NULL, *parts[2];
    int32_t n = 0, n_values = 0, n_parts = 0;
    FL_TRY(fl_tree_parse_operands(m, ref, &items, &n));
    for (int32_t i = 0; i < n; i++)
        if (items[i]->kind != FL_AST_NULL)
            items[n_values++] = items[i];
    if (n_values > 0)
        FL_TRY(fl_maker_in(m, field, items, n_values, ref.at, &parts[n_parts++]));
    if (n_values < n)
        FL_TRY(fl_maker_is(m, FL_AST_IS_NULL, false, field, NULL, ref.at, &parts[n_parts++]));
    st = n_parts == 0 ? fl_maker_in(m, field, NULL, 0, ref.at, ret)
                      : fl_maker_junction(m, FL_AST_OR, parts, n_parts, ref.at, ret);
cleanup:
    return st;
}

static fl_status parse_regex(maker *m, fl_ast_expr *field, json_ref object, json_ref ref, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *pattern = NULL;
    json_ref options;
    bool no_case = false;
    if (!yyjson_is_str(ref.value))
        return fl_maker_fail(m, ref.at, "\"$regex\" takes a text, the pattern");
    FL_TRY(fl_json_ref_get(m, object, "$options", &options));
    if (options.value != NULL) {
        fl_str letters = yyjson_is_str(options.value) ? fl_json_ref_text(options.value) : FL_STR("?");
        no_case = letters.len == 1 && letters.data[0] == 'i';
        if (!no_case && letters.len > 0)
            return fl_maker_fail(m, options.at,
                                 "\"$options\" is \"i\", or empty: patterns go without regard to case, or as they are");
    }
    FL_TRY(fl_maker_literal(m, FL_AST_STRING, fl_json_ref_text(ref.value), ref.at, &pattern));
    st = fl_maker_regex(m, field, pattern, no_case, ref.at, ret);
cleanup:
    return st;
}

static fl_status parse_field(maker *m, fl_ast_expr *field, json_ref ref, fl_ast_expr **ret);

/* One operator of a field's object. *ret NULL: it says nothing by itself. */
static fl_status parse_field_op(maker *m, fl_ast_expr *field, json_ref object, field_op op, json_ref ref,
                                fl_ast_expr **ret)
{
    static const uint8_t compares[] = {
        [FIELD_GT] = MAKER_GT, [FIELD_GTE] = MAKER_GE, [FIELD_LT] = MAKER_LT, [FIELD_LTE] = MAKER_LE};
    fl_status st = FL_OK;
    fl_ast_expr *value = NULL;
    *ret = NULL;
    switch (op) {
    case FIELD_IN:
        return parse_in(m, field, ref, ret);
    case FIELD_NIN:
        FL_TRY(parse_in(m, field, ref, ret));
        return negate(m, *ret, ref.at, ret);
    case FIELD_NOT:
        if (yyjson_obj_size(ref.value) == 0)
            return fl_maker_fail(m, ref.at, "\"$not\" takes an object of operators, such as {\"$gt\": 5}");
        FL_TRY(parse_field(m, field, ref, ret));
        return negate(m, *ret, ref.at, ret);
    case FIELD_EXISTS:
        if (!yyjson_is_bool(ref.value))
            return fl_maker_fail(m, ref.at, "\"$exists\" is true or false");
        return fl_maker_is(m, FL_AST_IS_NULL, yyjson_get_bool(ref.value), field, NULL, ref.at, ret);
    case FIELD_REGEX:
        return parse_regex(m, field, object, ref, ret);
    case FIELD_OPTIONS: {
        json_ref regex;
        FL_TRY(fl_json_ref_get(m, object, "$regex", &regex));
        return regex.value != NULL ? FL_OK : fl_maker_fail(m, ref.at, "\"$options\" goes with \"$regex\" only");
    }
    default:
        break;
    }
    if (yyjson_is_arr(ref.value)) {
        st = fl_maker_fail(m, ref.at, "\"%s\" takes one value, found an array", field_ops[op]);
        fl_err_hint(m->err, "one of several values: {\"$in\": […]}");
        return st;
    }
    FL_TRY(fl_tree_parse_operand(m, ref, &value));
    if (value->kind == FL_AST_NULL) /* equal it is, or nothing */
        return op == FIELD_GT || op == FIELD_LT
                   ? fl_maker_in(m, field, NULL, 0, ref.at, ret)
                   : fl_maker_is(m, FL_AST_IS_NULL, op == FIELD_NE, field, NULL, ref.at, ret);
    if (op == FIELD_EQ)
        return fl_maker_operator(m, MAKER_EQ, field, value, ref.at, ret);
    if (op == FIELD_NE && !yyjson_is_obj(ref.value))
        return fl_maker_is(m, FL_AST_IS_DISTINCT, false, field, value, ref.at, ret);
    if (op == FIELD_NE) { /* of an expression: it may be null, as the field may */
        FL_TRY(fl_maker_operator(m, MAKER_EQ, field, value, ref.at, ret));
        return negate(m, *ret, ref.at, ret);
    }
    st = fl_maker_operator(m, (maker_op)compares[op], field, value, ref.at, ret);
cleanup:
    return st;
}

/* What is asked of one field: a value to equal, or operators that must all hold. */
static fl_status parse_field(maker *m, fl_ast_expr *field, json_ref ref, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *parts[N_FIELD_OPS];
    int32_t n_parts = 0;
    size_t i, n;
    yyjson_val *key, *value;
    if (!yyjson_is_obj(ref.value) || fl_tree_is_one(ref.value))
        return parse_field_op(m, field, ref, FIELD_EQ, ref, ret);
    FL_TRY(fl_maker_enter(m, ref.at));
    if (yyjson_obj_size(ref.value) == 0)
        return fl_maker_fail(m, ref.at, "expected a value or operators such as \"$gt\", found an empty object");
    uint32_t seen = 0;
    yyjson_obj_foreach(ref.value, i, n, key, value)
    {
        json_ref member;
        fl_str name = fl_json_ref_text(key);
        int32_t op = 0;
        FL_TRY(fl_json_ref_member(m, ref, key, value, &member));
        while (op < N_FIELD_OPS && !fl_str_is_equal(name, fl_str_of(field_ops[op])))
            op++;
        if (op == N_FIELD_OPS)
            return fail_operator(m, member, name, field_ops,
                                 "a field inside of a field is written with a dot: {\"a.b\": 5}");
        if (seen >> op & 1)
            return fl_maker_fail(m, member.at, "\"%s\" is there twice", field_ops[op]);
        seen |= 1u << op;
        FL_TRY(parse_field_op(m, field, ref, (field_op)op, member, &parts[n_parts]));
        n_parts += parts[n_parts] != NULL;
    }
    fl_maker_leave(m);
    st = fl_maker_junction(m, FL_AST_AND, parts, n_parts, ref.at, ret);
cleanup:
    return st;
}

/* The filters of an array, of which none is left out: one that keeps all is TRUE. */
static fl_status parse_array(maker *m, json_ref ref, fl_ast_expr ***ret)
{
    fl_status st = FL_OK;
    char buffer[JSON_DESCRIBE_BYTES];
    size_t i, n;
    yyjson_val *value;
    if (!yyjson_is_arr(ref.value) || yyjson_arr_size(ref.value) == 0)
        return fl_maker_fail(m, ref.at, "expected an array of filters, found %s",
                             yyjson_is_arr(ref.value) ? "an empty one"
                                                      : fl_json_ref_describe(ref.value, buffer, sizeof(buffer)));
    FL_TRY(FL_NEW_ARRAY(m->arena, (int64_t)yyjson_arr_size(ref.value), ret, m->err));
    yyjson_arr_foreach(ref.value, i, n, value)
    {
        json_ref item;
        FL_TRY(fl_json_ref_item(m, ref, (int32_t)i, value, &item));
        FL_TRY(fl_filter_parse(m, item, &(*ret)[i]));
        if ((*ret)[i] == NULL)
            FL_TRY(fl_maker_bool(m, true, item.at, &(*ret)[i]));
    }
cleanup:
    return st;
}

/* $and and its like: *ret NULL keeps all. */
static fl_status parse_group(maker *m, fl_str name, json_ref ref, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr **items = NULL;
    if (fl_str_is_equal(name, FL_STR("$expr")) || fl_str_is_equal(name, FL_STR("expr")))
        return fl_tree_parse_expression(m, ref, ret);
    if (fl_str_is_equal(name, FL_STR("$not"))) {
        FL_TRY(fl_filter_parse(m, ref, ret));
        return *ret == NULL ? fl_maker_bool(m, false, ref.at, ret) : negate(m, *ret, ref.at, ret);
    }
    bool is_and = fl_str_is_equal(name, FL_STR("$and"));
    FL_TRY(parse_array(m, ref, &items));
    FL_TRY(
        fl_maker_junction(m, is_and ? FL_AST_AND : FL_AST_OR, items, (int32_t)yyjson_arr_size(ref.value), ref.at, ret));
    if (fl_str_is_equal(name, FL_STR("$nor")))
        st = negate(m, *ret, ref.at, ret);
cleanup:
    return st;
}

static bool is_among(fl_str name, const char *const *names)
{
    for (int32_t i = 0; names[i] != NULL; i++)
        if (fl_str_is_equal(name, fl_str_of(names[i])))
            return true;
    return false;
}

fl_status fl_filter_parse(maker *m, json_ref ref, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    char buffer[JSON_DESCRIBE_BYTES];
    fl_ast_expr **parts = NULL;
    int32_t n_parts = 0;
    size_t i, n;
    yyjson_val *key, *value;
    *ret = NULL;
    if (!yyjson_is_obj(ref.value))
        return fl_maker_fail(m, ref.at, "a filter is an object, such as {\"age\": {\"$gt\": 25}}, found %s",
                             fl_json_ref_describe(ref.value, buffer, sizeof(buffer)));
    FL_TRY(fl_maker_enter(m, ref.at));
    FL_TRY(FL_NEW_ARRAY(m->arena, (int64_t)yyjson_obj_size(ref.value) + 1, &parts, m->err));
    yyjson_obj_foreach(ref.value, i, n, key, value)
    {
        json_ref member;
        fl_str name = fl_json_ref_text(key);
        fl_ast_expr *field = NULL, *part = NULL;
        FL_TRY(fl_json_ref_member(m, ref, key, value, &member));
        bool is_expression = fl_str_is_equal(name, FL_STR("expr")); /* else a field of that name: it has no operators */
        if (is_among(name, group_ops) && !(is_expression && yyjson_is_obj(value) && !fl_tree_is_one(value))) {
            FL_TRY(parse_group(m, name, member, &part));
        } else if (name.len > 0 && name.data[0] == '$') {
            return fail_operator(m, member, name, group_ops,
                                 "operators of a field stand inside of it: {\"age\": {\"$gt\": 25}}");
        } else {
            FL_TRY(fl_maker_field(m, name, member.at, &field));
            FL_TRY(parse_field(m, field, member, &part));
        }
        parts[n_parts] = part;
        n_parts += part != NULL;
    }
    fl_maker_leave(m);
    if (n_parts > 0)
        st = fl_maker_junction(m, FL_AST_AND, parts, n_parts, ref.at, ret);
cleanup:
    return st;
}
