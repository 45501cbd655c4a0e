/* Trees to nodes. What an object is goes by the member that only such an object has. */
#include "front/expr/tree.h"

#include "front/expr/infix.h"

static const struct {
    const char *sign;
    maker_op op;
} operators[] = {{"+", MAKER_ADD},   {"-", MAKER_SUB}, {"*", MAKER_MUL},  {"/", MAKER_DIV}, {"%", MAKER_MOD},
                 {"pow", MAKER_POW}, {"==", MAKER_EQ}, {"!=", MAKER_NE},  {"<", MAKER_LT},  {"<=", MAKER_LE},
                 {">", MAKER_GT},    {">=", MAKER_GE}, {"&&", MAKER_AND}, {"||", MAKER_OR}, {"!", MAKER_NOT}};

/* Each tree has one of these members. */
static const char *const kinds[] = {"op", "field", "const", "func", "cond", "expr", NULL};

bool fl_tree_is_one(yyjson_val *object)
{
    for (int32_t i = 0; kinds[i] != NULL; i++)
        if (yyjson_obj_get(object, kinds[i]) != NULL)
            return true;
    return false;
}

/* An object that is no tree: one of its members may be meant as what makes it one. */
static fl_status fail_shape(maker *m, json_ref ref)
{
    size_t i, n;
    yyjson_val *key, *value;
    fl_status st =
        fl_maker_fail(m, ref.at,
                      "an expression has one of \"op\", \"field\", \"const\", \"func\", \"cond\" and \"expr\", this "
                      "object has none");
    yyjson_obj_foreach(ref.value, i, n, key, value) fl_json_ref_hint_name(m, fl_json_ref_text(key), kinds);
    return st;
}

fl_status fl_tree_parse_constant(maker *m, json_ref ref, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr **items = NULL;
    switch (yyjson_get_type(ref.value)) {
    case YYJSON_TYPE_NULL:
        return fl_maker_null(m, ref.at, ret);
    case YYJSON_TYPE_BOOL:
        return fl_maker_bool(m, yyjson_get_bool(ref.value), ref.at, ret);
    case YYJSON_TYPE_RAW:
        return fl_maker_number(m, fl_json_ref_text(ref.value), ref.at, ret);
    case YYJSON_TYPE_STR:
        return fl_maker_literal(m, FL_AST_STRING, fl_json_ref_text(ref.value), ref.at, ret);
    case YYJSON_TYPE_ARR: {
        size_t i, n;
        yyjson_val *value;
        FL_TRY(fl_maker_enter(m, ref.at));
        FL_TRY(FL_NEW_ARRAY(m->arena, (int64_t)yyjson_arr_size(ref.value) + 1, &items, m->err));
        yyjson_arr_foreach(ref.value, i, n, value)
        {
            json_ref item;
            FL_TRY(fl_json_ref_item(m, ref, (int32_t)i, value, &item));
            FL_TRY(fl_tree_parse_constant(m, item, &items[i]));
        }
        fl_maker_leave(m);
        return fl_maker_list(m, items, (int32_t)n, ref.at, ret);
    }
    default:
        return fl_maker_fail(m, ref.at, "a constant is null, a boolean, a number, a text or an array, not an object");
    }
cleanup:
    return st;
}

fl_status fl_tree_parse_operands(maker *m, json_ref ref, fl_ast_expr ***ret, int32_t *ret_n)
{
    fl_status st = FL_OK;
    char buffer[JSON_DESCRIBE_BYTES];
    size_t i, n;
    yyjson_val *value;
    if (!yyjson_is_arr(ref.value))
        return fl_maker_fail(m, ref.at, "expected an array, found %s",
                             fl_json_ref_describe(ref.value, buffer, sizeof(buffer)));
    FL_TRY(FL_NEW_ARRAY(m->arena, (int64_t)yyjson_arr_size(ref.value) + 1, ret, m->err));
    yyjson_arr_foreach(ref.value, i, n, value)
    {
        json_ref item;
        FL_TRY(fl_json_ref_item(m, ref, (int32_t)i, value, &item));
        FL_TRY(fl_tree_parse_operand(m, item, &(*ret)[i]));
    }
    *ret_n = (int32_t)yyjson_arr_size(ref.value);
cleanup:
    return st;
}

/* A member that has to be there. */
static fl_status need(maker *m, json_ref ref, const char *name, const char *of, json_ref *ret)
{
    fl_status st = fl_json_ref_get(m, ref, name, ret);
    if (st == FL_OK && ret->value == NULL)
        st = fl_maker_fail(m, ref.at, "%s has no \"%s\"", of, name);
    return st;
}

static fl_status parse_member(maker *m, json_ref ref, const char *name, const char *of, fl_ast_expr **ret)
{
    json_ref member;
    fl_status st = need(m, ref, name, of, &member);
    return st == FL_OK ? fl_tree_parse_operand(m, member, ret) : st;
}

static fl_status need_text(maker *m, json_ref ref, fl_str *ret)
{
    char buffer[JSON_DESCRIBE_BYTES];
    if (!yyjson_is_str(ref.value) || yyjson_get_len(ref.value) == 0)
        return fl_maker_fail(m, ref.at, "expected a name, found %s",
                             fl_json_ref_describe(ref.value, buffer, sizeof(buffer)));
    *ret = fl_json_ref_text(ref.value);
    return fl_maker_check_name(m, *ret, ref.at);
}

static fl_status fail_operator(maker *m, json_ref op, fl_str sign)
{
    static const char *const others[] = {"=", "and", "or", "not", "**", "^", "<>"};
    static const char *const ours[] = {"==", "&&", "||", "!", "pow", "pow", "!="};
    fl_status st = fl_maker_fail(m, op.at, "there is no operator \"%.*s\"", FL_STR_ARG(sign));
    fl_err_hint(m->err, "operators are + - * / %% pow == != < <= > >= && || ! in, not in");
    for (int64_t i = 0; i < FL_LEN(others); i++)
        if (fl_str_is_equal_nocase(sign, fl_str_of(others[i])))
            fl_err_hint(m->err, "did you mean \"%s\"?", ours[i]);
    return st;
}

/* {"op": "in", "left": e, "right": [e, e]} */
static fl_status parse_in(maker *m, json_ref ref, json_ref op, bool is_negated, fl_ast_expr **ret)
{
    static const char *const names[] = {"op", "left", "right", "as", NULL};
    fl_status st = FL_OK;
    fl_ast_expr *left = NULL, **items = NULL;
    int32_t n = 0;
    json_ref right;
    FL_TRY(fl_json_ref_check_names(m, ref, names, "the operator \"in\""));
    FL_TRY(parse_member(m, ref, "left", "this operator", &left));
    FL_TRY(need(m, ref, "right", "this operator", &right));
    FL_TRY(fl_tree_parse_operands(m, right, &items, &n));
    FL_TRY(fl_maker_in(m, left, items, n, op.at, ret));
    if (is_negated)
        st = fl_maker_operator(m, MAKER_NOT, *ret, NULL, op.at, ret);
cleanup:
    return st;
}

/* What an operator stands between: "arg", or "left" and "right". */
static fl_status parse_sides(maker *m, json_ref ref, int32_t n, fl_ast_expr ***ret)
{
    static const char *const names[] = {"left", "right"}, *const only[] = {"arg"};
    fl_status st = FL_OK;
    FL_TRY(FL_NEW_ARRAY(m->arena, n, ret, m->err));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(parse_member(m, ref, n == 1 ? only[i] : names[i], "this operator", &(*ret)[i]));
cleanup:
    return st;
}

static fl_status parse_operator(maker *m, json_ref ref, json_ref op, fl_ast_expr **ret)
{
    static const char *const binary[] = {"op", "left", "right", "args", "as", NULL};
    static const char *const unary[] = {"op", "arg", "args", "as", NULL};
    fl_status st = FL_OK;
    fl_str sign = {0};
    json_ref args, arg;
    fl_ast_expr **items = NULL;
    int32_t found = 0;
    FL_TRY(need_text(m, op, &sign));
    bool is_in = fl_str_is_equal(sign, FL_STR("in"));
    if (is_in || fl_str_is_equal(sign, FL_STR("not in")))
        return parse_in(m, ref, op, !is_in, ret);
    while (found < FL_LEN(operators) && !fl_str_is_equal(sign, fl_str_of(operators[found].sign)))
        found++;
    if (found == FL_LEN(operators))
        return fail_operator(m, op, sign);
    maker_op kind = operators[found].op;
    FL_TRY(fl_json_ref_get(m, ref, "args", &args));
    FL_TRY(fl_json_ref_get(m, ref, "arg", &arg));
    if (kind == MAKER_SUB && (args.value != NULL ? yyjson_arr_size(args.value) == 1 : arg.value != NULL))
        kind = MAKER_NEGATE;
    int32_t n_wanted = kind == MAKER_NOT || kind == MAKER_NEGATE ? 1 : 2, n = n_wanted;
    FL_TRY(fl_json_ref_check_names(m, ref, n_wanted == 1 ? unary : binary, "an operator's object"));
    FL_TRY(args.value != NULL ? fl_tree_parse_operands(m, args, &items, &n) : parse_sides(m, ref, n, &items));
    bool is_junction = kind == MAKER_AND || kind == MAKER_OR;
    if (is_junction && n > 0)
        return fl_maker_junction(m, kind == MAKER_AND ? FL_AST_AND : FL_AST_OR, items, n, op.at, ret);
    if (n == n_wanted)
        return fl_maker_operator(m, kind, items[0], n == 1 ? NULL : items[1], op.at, ret);
    st = fl_maker_fail(m, args.at, "\"%.*s\" takes %s, found %d", FL_STR_ARG(sign),
                       is_junction     ? "one argument or more"
                       : n_wanted == 1 ? "one argument"
                                       : "two arguments",
                       n);
cleanup:
    return st;
}

static fl_status parse_call(maker *m, json_ref ref, json_ref func, fl_ast_expr **ret)
{
    static const char *const names[] = {"func", "args", "distinct", "as", NULL};
    fl_status st = FL_OK;
    fl_str name = {0};
    json_ref args, distinct;
    fl_ast_expr **items = NULL;
    int32_t n = 0;
    FL_TRY(fl_json_ref_check_names(m, ref, names, "a call"));
    FL_TRY(need_text(m, func, &name));
    FL_TRY(fl_json_ref_get(m, ref, "args", &args));
    FL_TRY(fl_json_ref_get(m, ref, "distinct", &distinct));
    if (distinct.value != NULL && !yyjson_is_bool(distinct.value))
        return fl_maker_fail(m, distinct.at, "\"distinct\" is true or false");
    if (args.value != NULL)
        FL_TRY(fl_tree_parse_operands(m, args, &items, &n));
    bool is_count = n == 0 && fl_str_is_equal_nocase(name, FL_STR("count"));
    st = fl_maker_call(m, name, items, n, is_count, yyjson_is_true(distinct.value), func.at, ret);
cleanup:
    return st;
}

static fl_status parse_choice(maker *m, json_ref ref, fl_ast_expr **ret)
{
    static const char *const names[] = {"cond", "then", "else", "as", NULL};
    fl_status st = FL_OK;
    fl_ast_expr *when = NULL, *then = NULL, *otherwise = NULL;
    FL_TRY(fl_json_ref_check_names(m, ref, names, "a choice"));
    FL_TRY(parse_member(m, ref, "cond", "a choice", &when));
    FL_TRY(parse_member(m, ref, "then", "a choice", &then));
    FL_TRY(parse_member(m, ref, "else", "a choice", &otherwise));
    st = fl_maker_choice(m, when, then, otherwise, ref.at, ret);
cleanup:
    return st;
}

static fl_status parse_object(maker *m, json_ref ref, fl_ast_expr **ret)
{
    static const char *const field_names[] = {"field", "as", NULL}, *const const_names[] = {"const", "as", NULL},
                             *const expr_names[] = {"expr", "as", NULL};
    fl_status st = FL_OK;
    fl_str path = {0};
    json_ref member;
    FL_TRY(fl_json_ref_get(m, ref, "op", &member));
    if (member.value != NULL)
        return parse_operator(m, ref, member, ret);
    FL_TRY(fl_json_ref_get(m, ref, "field", &member));
    if (member.value != NULL) {
        FL_TRY(fl_json_ref_check_names(m, ref, field_names, "a field's object"));
        FL_TRY(need_text(m, member, &path));
        return fl_maker_field(m, path, member.at, ret);
    }
    FL_TRY(fl_json_ref_get(m, ref, "const", &member));
    if (member.value != NULL) {
        FL_TRY(fl_json_ref_check_names(m, ref, const_names, "a constant's object"));
        return fl_tree_parse_constant(m, member, ret);
    }
    FL_TRY(fl_json_ref_get(m, ref, "func", &member));
    if (member.value != NULL)
        return parse_call(m, ref, member, ret);
    FL_TRY(fl_json_ref_get(m, ref, "cond", &member));
    if (member.value != NULL)
        return parse_choice(m, ref, ret);
    FL_TRY(fl_json_ref_get(m, ref, "expr", &member));
    if (member.value == NULL)
        return fail_shape(m, ref);
    FL_TRY(fl_json_ref_check_names(m, ref, expr_names, "an expression's object"));
    st = fl_tree_parse_expression(m, member, ret);
cleanup:
    return st;
}

fl_status fl_tree_parse_operand(maker *m, json_ref ref, fl_ast_expr **ret)
{
    if (!yyjson_is_obj(ref.value))
        return fl_tree_parse_constant(m, ref, ret);
    fl_status st = fl_maker_enter(m, ref.at);
    if (st == FL_OK)
        st = parse_object(m, ref, ret);
    if (st == FL_OK)
        fl_maker_leave(m);
    return st;
}

fl_status fl_tree_parse_expression(maker *m, json_ref ref, fl_ast_expr **ret)
{
    int32_t base = 0;
    if (!yyjson_is_str(ref.value))
        return fl_tree_parse_operand(m, ref, ret);
    fl_status st = fl_json_ref_infix_place(m, ref, &base);
    return st == FL_OK ? fl_infix_parse(m, fl_json_ref_text(ref.value), base, ret) : st;
}
