/* Expressions: from the syntax tree to the plan's typed ones, kind by kind. */
#include "front/sql/ast_make.h"
#include "front/sql/bind.h"

#include "plan/rule.h"

/* ---- operators ---- */

const char *fl_sql_op_name(fl_ast_op op)
{
    static const char *const names[] = {
        [FL_AST_OP_ADD] = "+",
        [FL_AST_OP_SUB] = "-",
        [FL_AST_OP_MUL] = "*",
        [FL_AST_OP_DIV] = "/",
        [FL_AST_OP_INT_DIV] = "//",
        [FL_AST_OP_MOD] = "%",
        [FL_AST_OP_POW] = "^",
        [FL_AST_OP_CONCAT] = "||",
        [FL_AST_OP_EQ] = "=",
        [FL_AST_OP_NE] = "<>",
        [FL_AST_OP_LT] = "<",
        [FL_AST_OP_LE] = "<=",
        [FL_AST_OP_GT] = ">",
        [FL_AST_OP_GE] = ">=",
        [FL_AST_OP_REGEX] = "~",
        [FL_AST_OP_REGEX_NOCASE] = "~*",
        [FL_AST_OP_LIKE] = "like",
        [FL_AST_OP_ILIKE] = "ilike",
        [FL_AST_OP_BIT_AND] = "&",
        [FL_AST_OP_BIT_OR] = "|",
        [FL_AST_OP_BIT_XOR] = "#",
        [FL_AST_OP_BIT_NOT] = "~",
        [FL_AST_OP_SHIFT_LEFT] = "<<",
        [FL_AST_OP_SHIFT_RIGHT] = ">>",
        [FL_AST_OP_ARROW] = "->",
        [FL_AST_OP_ARROW_TEXT] = "->>",
        [FL_AST_OP_PATH] = "#>",
        [FL_AST_OP_PATH_TEXT] = "#>>",
        [FL_AST_OP_PATH_DELETE] = "jsonb_delete_path",
        [FL_AST_OP_HAS] = "jsonb_exists",
        [FL_AST_OP_PATH_EXISTS] = "jsonb_path_exists_opr",
        [FL_AST_OP_PATH_MATCH] = "jsonb_path_match_opr",
        [FL_AST_OP_HAS_ANY] = "jsonb_exists_any",
        [FL_AST_OP_HAS_ALL] = "jsonb_exists_all",
        [FL_AST_OP_PLUS] = "+",
        [FL_AST_OP_MINUS] = "-",
        [FL_AST_OP_CONTAINS] = "@>",
        [FL_AST_OP_CONTAINED] = "<@",
        [FL_AST_OP_OVERLAPS] = "&&",
        [FL_AST_OP_STARTS] = "^@",
        [FL_AST_OP_SIMILAR] = "similar_to",
        [FL_AST_OP_GLOB] = "glob",
    };
    FL_ASSERT(op > FL_AST_OP_NONE && op < FL_LEN(names));
    return names[op];
}

fl_status fl_sql_bind_bool(binder *b, scope *s, const fl_ast_expr *ast, const char *what, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr *expr;
    FL_TRY(fl_sql_bind_expr(b, s, ast, &expr));
    if (!(expr->flags & FL_EXPR_UNTYPED) && expr->type.id != FL_BOOL && expr->type.id != FL_NULL)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_TYPE, "%s must be boolean, not %s", what,
                                FL_TYPE_NAME(expr->type));
    FL_TRY(fl_expr_coerce(b->plan, expr, FL_TYPE(FL_BOOL), ret, b->err));
cleanup:
    return st;
}

static fl_status bind_junction(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    bool is_and = ast->kind == FL_AST_AND;
    const fl_expr **args = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, ast->list.count, &args, b->err));
    for (int32_t i = 0; i < ast->list.count; i++)
        FL_TRY(fl_sql_bind_bool(b, s, ast->list.items[i], is_and ? "argument of AND" : "argument of OR", &args[i]));
    FL_TRY((is_and ? fl_expr_and : fl_expr_or)(b->plan, args, ast->list.count, ast->start, ret, b->err));
cleanup:
    return st;
}

/* -5 is a constant, not a call. */
static bool negate_constant(const fl_ast_expr *ast, fl_value *value)
{
    if (ast->kind != FL_AST_INTEGER && ast->kind != FL_AST_DECIMAL && ast->kind != FL_AST_FLOAT)
        return false;
    switch (value->type.id) {
    case FL_I32:
    case FL_I64:
        value->i = -value->i;
        if (value->i == INT32_MIN) /* the least of each type has no positive twin */
            value->type = FL_TYPE(FL_I32);
        return true;
    case FL_DECIMAL:
        value->d = -value->d;
        if (value->d == INT64_MIN && value->type.scale == 0)
            *value = (fl_value){.type = FL_TYPE(FL_I64), .i = INT64_MIN};
        return true;
    case FL_F64:
        value->f = -value->f;
        return true;
    default:
        return false;
    }
}

static fl_status bind_unary(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr *arg;
    FL_TRY(fl_sql_bind_expr(b, s, ast->ops.left, &arg));
    if (ast->op == FL_AST_OP_MINUS && fl_expr_is_const(arg)) {
        fl_value value = *arg->value;
        if (negate_constant(ast->ops.left, &value))
            return fl_expr_const(b->plan, &value, ast->start, ret, b->err);
    }
    if (ast->op == FL_AST_OP_PLUS && (fl_type_is_numeric(arg->type) || arg->type.id == FL_INTERVAL)) {
        *ret = arg;
        return FL_OK;
    }
    FL_TRY(fl_expr_call_args(b->plan, fl_sql_op_name((fl_ast_op)ast->op), ast->at, ret, b->err, 1, arg));
cleanup:
    return st;
}

fl_status fl_sql_compare(binder *b, fl_ast_op op, const fl_expr *left, const fl_expr *right, int32_t pos,
                         const fl_expr **ret)
{
    const fl_expr *sides[2] = {left, right};
    fl_status st = fl_sql_collate_all(b, sides, 2, pos);
    return st != FL_OK ? st : fl_expr_call_args(b->plan, fl_sql_op_name(op), pos, ret, b->err, 2, sides[0], sides[1]);
}

/* Pairs of a row. */
static fl_status collate_pairs(binder *b, const fl_expr **lefts, const fl_expr **rights, int32_t n, int32_t pos)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < n; i++) {
        const fl_expr *sides[2] = {lefts[i], rights[i]};
        FL_TRY(fl_sql_collate_all(b, sides, 2, pos));
        lefts[i] = sides[0];
        rights[i] = sides[1];
    }
cleanup:
    return st;
}

static fl_status bind_items(binder *b, scope *s, fl_ast_expr *const *items, int32_t n, const fl_expr ***ret)
{
    fl_status st = FL_OK;
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, ret, b->err));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_sql_bind_expr(b, s, items[i], &(*ret)[i]));
cleanup:
    return st;
}

fl_status fl_sql_bind_compare(binder *b, scope *s, fl_ast_op op, const fl_ast_expr *left, const fl_ast_expr *right,
                              int32_t pos, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr **lefts = NULL, **rights = NULL;
    if ((left->kind == FL_AST_ROW && right->kind == FL_AST_SUBQUERY) ||
        (left->kind == FL_AST_SUBQUERY && right->kind == FL_AST_ROW)) {
        bool is_left = left->kind == FL_AST_ROW;
        int32_t n = is_left ? left->list.count : right->list.count;
        FL_TRY(bind_items(b, s, is_left ? left->list.items : right->list.items, n, is_left ? &lefts : &rights));
        FL_TRY(FL_NEW_ARRAY(b->arena, n, is_left ? &rights : &lefts, b->err));
        FL_TRY(fl_sql_bind_row_query(b, s, is_left ? right : left, n, is_left ? rights : lefts));
        FL_TRY(collate_pairs(b, lefts, rights, n, pos));
        return fl_expr_compare_rows(b->plan, fl_sql_op_name(op), lefts, rights, n, pos, ret, b->err);
    }
    if (left->kind == FL_AST_ROW && right->kind == FL_AST_ROW) {
        if (left->list.count != right->list.count)
            return fl_sql_bind_fail(b, pos, FL_ERR_SYNTAX, "rows of %d and %d values are not comparable",
                                    left->list.count, right->list.count);
        FL_TRY(bind_items(b, s, left->list.items, left->list.count, &lefts));
        FL_TRY(bind_items(b, s, right->list.items, right->list.count, &rights));
        FL_TRY(collate_pairs(b, lefts, rights, left->list.count, pos));
        return fl_expr_compare_rows(b->plan, fl_sql_op_name(op), lefts, rights, left->list.count, pos, ret, b->err);
    }
    const fl_expr *a, *c;
    FL_TRY(fl_sql_bind_expr(b, s, left, &a));
    FL_TRY(fl_sql_bind_expr(b, s, right, &c));
    FL_TRY(fl_sql_compare(b, op, a, c, pos, ret));
cleanup:
    return st;
}

/* Operators that are a function of another name for lists, maps and JSON. *ret_swaps: of the exchanged arguments. */
static const char *function_of(fl_ast_op op, fl_type left, fl_type right, bool *ret_swaps)
{
    bool is_json = left.extension == FL_JSON || right.extension == FL_JSON;
    *ret_swaps = op == FL_AST_OP_CONTAINED && is_json;
    if (op == FL_AST_OP_CONCAT && (left.extension == FL_MAP || right.extension == FL_MAP))
        return "map_concat";
    if (op == FL_AST_OP_CONCAT && (left.id == FL_LIST || right.id == FL_LIST))
        return "array_cat";
    if (op == FL_AST_OP_CONCAT && left.extension == FL_JSON && right.extension == FL_JSON)
        return "json_concat";
    if (op == FL_AST_OP_SUB && left.extension == FL_JSON)
        return "json_delete";
    return is_json && (op == FL_AST_OP_CONTAINS || op == FL_AST_OP_CONTAINED) ? "json_contains" : fl_sql_op_name(op);
}

static fl_status bind_binary(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_op op = (fl_ast_op)ast->op;
    const fl_expr *left, *right;
    if (op >= FL_AST_OP_EQ && op <= FL_AST_OP_GE)
        return fl_sql_bind_compare(b, s, op, ast->ops.left, ast->ops.right, ast->at, ret);
    FL_TRY(fl_sql_bind_expr(b, s, ast->ops.left, &left));
    FL_TRY(fl_sql_bind_expr(b, s, ast->ops.right, &right));
    bool swaps;
    fl_type left_type = left->type, right_type = right->type;
    if (op == FL_AST_OP_CONCAT && (left->flags & FL_EXPR_UNTYPED) && right_type.extension == FL_JSON)
        left_type = right_type; /* a literal beside JSON is JSON */
    if (op == FL_AST_OP_CONCAT && (right->flags & FL_EXPR_UNTYPED) && left_type.extension == FL_JSON)
        right_type = left_type;
    const char *function = function_of(op, left_type, right_type, &swaps);
    FL_TRY(fl_expr_call_args(b->plan, function, ast->at, ret, b->err, 2, swaps ? right : left, swaps ? left : right));
    if (ast->is_negated)
        FL_TRY(fl_expr_not(b->plan, *ret, ast->at, ret, b->err));
cleanup:
    return st;
}

/* ---- tests ---- */

/* x IS TRUE: null counts as false. */
static fl_status bind_truth(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr *arg, *cases[3];
    FL_TRY(fl_sql_bind_bool(b, s, ast->ops.left, "argument of IS TRUE and the like", &arg));
    if (ast->op == FL_AST_IS_UNKNOWN) {
        FL_TRY(fl_expr_is_null(b->plan, arg, ast->at, ret, b->err));
    } else {
        cases[0] = arg;
        if (ast->op == FL_AST_IS_FALSE)
            FL_TRY(fl_expr_not(b->plan, arg, ast->at, &cases[0], b->err));
        FL_TRY(fl_sql_expr_bool(b, true, ast->at, &cases[1]));
        FL_TRY(fl_sql_expr_bool(b, false, ast->at, &cases[2]));
        FL_TRY(fl_expr_case(b->plan, cases, 3, ast->at, ret, b->err));
    }
    if (ast->is_negated)
        FL_TRY(fl_expr_not(b->plan, *ret, ast->at, ret, b->err));
cleanup:
    return st;
}

/* (a, b) IS NULL: all are; (a, b) IS NOT NULL: none is. */
static fl_status bind_row_is_null(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_ast_expr *row = ast->ops.left;
    const fl_expr **parts;
    FL_TRY(bind_items(b, s, row->list.items, row->list.count, &parts));
    for (int32_t i = 0; i < row->list.count; i++) {
        FL_TRY(fl_expr_is_null(b->plan, parts[i], ast->at, &parts[i], b->err));
        if (ast->is_negated)
            FL_TRY(fl_expr_not(b->plan, parts[i], ast->at, &parts[i], b->err));
    }
    FL_TRY(fl_expr_and(b->plan, parts, row->list.count, ast->at, ret, b->err));
cleanup:
    return st;
}

/* (a, b) IS DISTINCT FROM (c, d), pair by pair. */
static fl_status bind_rows_distinct(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_ast_expr *left = ast->ops.left, *right = ast->ops.right;
    const fl_expr **lefts, **rights;
    if (left->list.count != right->list.count)
        return fl_sql_bind_fail(b, ast->at, FL_ERR_SYNTAX, "rows of %d and %d values are not comparable",
                                left->list.count, right->list.count);
    FL_TRY(bind_items(b, s, left->list.items, left->list.count, &lefts));
    FL_TRY(bind_items(b, s, right->list.items, right->list.count, &rights));
    FL_TRY(collate_pairs(b, lefts, rights, left->list.count, ast->at));
    for (int32_t i = 0; i < left->list.count; i++)
        FL_TRY(fl_expr_call_args(b->plan, ast->is_negated ? "is_not_distinct_from" : "is_distinct_from", ast->at,
                                 &lefts[i], b->err, 2, lefts[i], rights[i]));
    FL_TRY((ast->is_negated ? fl_expr_and : fl_expr_or)(b->plan, lefts, left->list.count, ast->at, ret, b->err));
cleanup:
    return st;
}

static fl_status bind_is(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr *left, *right;
    if (ast->op != FL_AST_IS_NULL && ast->op != FL_AST_IS_DISTINCT)
        return bind_truth(b, s, ast, ret);
    if (ast->ops.left->kind == FL_AST_ROW && ast->ops.left->list.count > 0) {
        if (ast->op == FL_AST_IS_NULL)
            return bind_row_is_null(b, s, ast, ret);
        if (ast->ops.right->kind == FL_AST_ROW)
            return bind_rows_distinct(b, s, ast, ret);
    }
    FL_TRY(fl_sql_bind_expr(b, s, ast->ops.left, &left));
    if (ast->op == FL_AST_IS_DISTINCT) {
        FL_TRY(fl_sql_bind_expr(b, s, ast->ops.right, &right));
        FL_TRY(collate_pairs(b, &left, &right, 1, ast->at));
        return fl_expr_call_args(b->plan, ast->is_negated ? "is_not_distinct_from" : "is_distinct_from", ast->at, ret,
                                 b->err, 2, left, right);
    }
    FL_TRY(fl_expr_is_null(b->plan, left, ast->at, ret, b->err));
    if (ast->is_negated)
        FL_TRY(fl_expr_not(b->plan, *ret, ast->at, ret, b->err));
cleanup:
    return st;
}

/* low <= x AND x <= high */
static fl_status bind_range(binder *b, const fl_expr *x, const fl_expr *low, const fl_expr *high, int32_t pos,
                            const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr *pair[2];
    FL_TRY(fl_sql_compare(b, FL_AST_OP_GE, x, low, pos, &pair[0]));
    FL_TRY(fl_sql_compare(b, FL_AST_OP_LE, x, high, pos, &pair[1]));
    FL_TRY(fl_expr_and(b->plan, pair, 2, pos, ret, b->err));
cleanup:
    return st;
}

static fl_status bind_between(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr *x, *low, *high, *pair[2];
    FL_TRY(fl_sql_bind_expr(b, s, ast->ops.left, &x));
    FL_TRY(fl_sql_bind_expr(b, s, ast->ops.right, &low));
    FL_TRY(fl_sql_bind_expr(b, s, ast->ops.third, &high));
    const fl_expr *sides[3] = {x, low, high};
    FL_TRY(fl_sql_collate_all(b, sides, 3, ast->at));
    x = sides[0];
    low = sides[1];
    high = sides[2];
    FL_TRY(bind_range(b, x, low, high, ast->at, &pair[0]));
    *ret = pair[0];
    if (ast->flag) { /* SYMMETRIC */
        FL_TRY(bind_range(b, x, high, low, ast->at, &pair[1]));
        FL_TRY(fl_expr_or(b->plan, pair, 2, ast->at, ret, b->err));
    }
    if (ast->is_negated)
        FL_TRY(fl_expr_not(b->plan, *ret, ast->at, ret, b->err));
cleanup:
    return st;
}

static fl_status bind_like(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr *args[3];
    int32_t n = 2;
    FL_TRY(fl_sql_bind_expr(b, s, ast->ops.left, &args[0]));
    FL_TRY(fl_sql_bind_expr(b, s, ast->ops.right, &args[1]));
    if (ast->ops.third != NULL)
        FL_TRY(fl_sql_bind_expr(b, s, ast->ops.third, &args[n++]));
    FL_TRY(fl_sql_collate_all(b, args, n, ast->at)); /* the escape too: it stands in a pattern that becomes a key */
    FL_TRY(fl_expr_call(b->plan, fl_str_of(fl_sql_op_name((fl_ast_op)ast->op)), args, n, ast->at, ret, b->err));
    if (ast->is_negated)
        FL_TRY(fl_expr_not(b->plan, *ret, ast->at, ret, b->err));
cleanup:
    return st;
}

/* (a, b) IN ((1, 2), (3, 4)) */
static fl_status bind_in_rows(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr **parts = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, ast->in.count, &parts, b->err));
    for (int32_t i = 0; i < ast->in.count; i++)
        FL_TRY(fl_sql_bind_compare(b, s, FL_AST_OP_EQ, ast->in.left, ast->in.items[i], ast->at, &parts[i]));
    FL_TRY(fl_expr_or(b->plan, parts, ast->in.count, ast->at, ret, b->err));
cleanup:
    return st;
}

static fl_status bind_in(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr *left, **items, **sides = NULL;
    if (ast->in.left->kind == FL_AST_ROW) {
        FL_TRY(bind_in_rows(b, s, ast, ret));
    } else {
        fl_ast_expr *const *asts;
        int32_t n;
        FL_TRY(fl_sql_bind_expr(b, s, ast->in.left, &left));
        FL_TRY(fl_sql_spread_list(b, s, ast->in.items, ast->in.count, &asts, &n));
        FL_TRY(bind_items(b, s, asts, n, &items));
        FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &sides, b->err));
        sides[0] = left;
        memcpy(sides + 1, items, (size_t)n * sizeof(*items));
        FL_TRY(fl_sql_collate_all(b, sides, n + 1, ast->at));
        FL_TRY(fl_expr_in(b->plan, sides[0], sides + 1, n, ast->at, ret, b->err));
    }
    if (ast->is_negated)
        FL_TRY(fl_expr_not(b->plan, *ret, ast->at, ret, b->err));
cleanup:
    return st;
}

/* ---- ANY and ALL of a list ---- */

/* x op y, negated where the operator is (NOT LIKE ANY). */
static fl_ast_expr *compare_with(fl_ast_maker *m, const fl_ast_expr *ast, fl_ast_expr *y)
{
    fl_ast_expr *test = fl_sql_make_binary(m, (fl_ast_op)ast->op, ast->ops.left, y);
    test->is_negated = ast->is_negated;
    test->at = ast->at;
    return test;
}

/* Of a list that is no constant, with NULL as SQL has it: false beats NULL in ALL, true in ANY.
 *
 *     CASE WHEN l IS NULL THEN NULL ELSE
 *         (SELECT CASE WHEN bool_or(c) THEN true WHEN count(c) < count(*) THEN NULL ELSE false END
 *          FROM (SELECT x op y AS c FROM unnest(l) AS t(y))) END
 *
 * For ALL the test is bool_or(NOT c), and what it gives the other way round. */
static fl_status bind_any_value(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr *bound, const fl_expr **ret)
{
    fl_str element = FL_STR("element of a list"), test = FL_STR("test of an element");
    fl_ast_maker m = fl_sql_maker(b->arena, ast->start, ast->end, b->err);
    bool is_all = ast->flag;
    fl_ast_expr *list = fl_sql_make_done(&m, bound);
    fl_ast_table *elements = fl_sql_make_unnest(&m, 1, &list, FL_STR("elements"), &element, 1);
    fl_ast_item inner = {.expr = compare_with(&m, ast, fl_sql_make_column(&m, (fl_str){0}, element)),
                         .alias = fl_sql_make_name(&m, test)};
    fl_ast_table *tests = fl_sql_make_table_of(&m, fl_sql_make_query(&m, &inner, 1, elements), FL_STR("tests"));
    fl_ast_expr *c = fl_sql_make_column(&m, (fl_str){0}, test);
    fl_ast_expr *decides = fl_sql_make_call(&m, is_all ? "bool_and" : "bool_or", 1, &c);
    fl_ast_expr *some = fl_sql_make_call(&m, "count", 1, &c), *all = fl_sql_make_call(&m, "count", 0, NULL);
    if (m.st == FL_OK)
        all->call->is_star = true;
    fl_ast_expr *is_decided = fl_sql_make_binary(&m, FL_AST_OP_EQ, decides, fl_sql_make_bool(&m, !is_all));
    fl_ast_expr *cases[5] = {is_decided, fl_sql_make_bool(&m, !is_all), fl_sql_make_binary(&m, FL_AST_OP_LT, some, all),
                             fl_sql_make_null(&m), fl_sql_make_bool(&m, is_all)};
    fl_ast_item outer = {.expr = fl_sql_make_case(&m, 5, cases)};
    fl_ast_expr *sub = fl_sql_make_sub(&m, FL_AST_SUBQUERY, fl_sql_make_query(&m, &outer, 1, tests));
    fl_ast_expr *parts[3] = {fl_sql_make_is_null(&m, list, false), fl_sql_make_null(&m), sub};
    fl_ast_expr *whole = fl_sql_make_case(&m, 3, parts);
    return m.st != FL_OK ? m.st : fl_sql_bind_expr(b, s, whole, ret);
}

/* x = ANY ([1, 2]): of values that are written out one by one; = ANY and <> ALL of others is list_contains. */
static fl_status bind_any_list(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_ast_expr *list = ast->ops.right;
    const fl_expr *left, *right, **parts = NULL;
    fl_ast_expr *const *items;
    int32_t n;
    if (list->kind == FL_AST_LIST && list->list.count > 0) {
        FL_TRY(fl_sql_spread_list(b, s, list->list.items, list->list.count, &items, &n));
        FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &parts, b->err));
        for (int32_t i = 0; i < n; i++) {
            fl_ast_maker m = fl_sql_maker(b->arena, ast->start, ast->end, b->err);
            fl_ast_expr *test = compare_with(&m, ast, items[i]);
            FL_TRY(m.st);
            FL_TRY(fl_sql_bind_expr(b, s, test, &parts[i]));
        }
        return (ast->flag ? fl_expr_and : fl_expr_or)(b->plan, parts, n, ast->at, ret, b->err);
    }
    FL_TRY(fl_sql_bind_expr(b, s, list, &right));
    bool is_open = (right->flags & FL_EXPR_UNTYPED) || right->type.id == FL_NULL;
    if (right->type.id != FL_LIST && !is_open)
        return fl_sql_bind_fail_state(b, list->start, FL_ERR_TYPE, "42809", "%s takes a list or a query, not %s",
                                      ast->flag ? "ALL" : "ANY", FL_TYPE_NAME(right->type));
    if (is_open) { /* NULL, '{1,2}', a parameter: a list of what it is compared with */
        fl_type type;
        FL_TRY(fl_sql_bind_expr(b, s, ast->ops.left, &left));
        FL_TRY(fl_type_list_of(b->arena, left->type.id == FL_NULL ? FL_TYPE(FL_UTF8) : left->type, &type, b->err));
        FL_TRY(fl_expr_coerce(b->plan, right, type, &right, b->err));
    }
    bool is_any = ast->op == FL_AST_OP_EQ && !ast->flag, is_none = ast->op == FL_AST_OP_NE && ast->flag;
    if (!is_any && !is_none)
        return bind_any_value(b, s, ast, right, ret);
    FL_TRY(fl_sql_bind_expr(b, s, ast->ops.left, &left));
    FL_TRY(fl_expr_call_args(b->plan, "list_contains", ast->at, ret, b->err, 2, right, left));
    if (is_none)
        FL_TRY(fl_expr_not(b->plan, *ret, ast->at, ret, b->err));
cleanup:
    return st;
}

/* ---- CASE, casts, parameters ---- */

static fl_status bind_case(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_ast_case *cases = ast->cases;
    const fl_expr *subject = NULL, *value, **args = NULL;
    int32_t n = 0, n_lists = s->n_lists;
    FL_TRY(FL_NEW_ARRAY(b->arena, cases->when_count * 2 + 1, &args, b->err));
    if (cases->subject != NULL)
        FL_TRY(fl_sql_bind_expr(b, s, cases->subject, &subject));
    for (int32_t i = 0; i < cases->when_count; i++) {
        if (subject != NULL) {
            FL_TRY(fl_sql_bind_expr(b, s, cases->whens[i].when, &value));
            FL_TRY(fl_sql_compare(b, FL_AST_OP_EQ, subject, value, cases->whens[i].when->start, &args[n++]));
        } else {
            FL_TRY(fl_sql_bind_bool(b, s, cases->whens[i].when, "argument of CASE/WHEN", &args[n++]));
        }
        FL_TRY(fl_sql_bind_expr(b, s, cases->whens[i].then, &args[n++]));
    }
    if (cases->otherwise != NULL)
        FL_TRY(fl_sql_bind_expr(b, s, cases->otherwise, &args[n]));
    FL_TRY(fl_sql_refuse_unnest(b, s, n_lists, "CASE"));
    FL_TRY(fl_expr_case(b->plan, args, n + 1, ast->start, ret, b->err));
cleanup:
    return st;
}

static fl_status bind_cast(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr *value;
    fl_type type;
    FL_TRY(fl_sql_bind_expr(b, s, ast->cast.value, &value));
    FL_TRY(fl_sql_bind_type(b, ast->cast.type, &type));
    st = fl_expr_cast(b->plan, value, type, ast->flag, ast->start, ret, b->err);
    if (st == FL_OK)
        st = fl_sql_hold_length(b, type, ast->flag, ast->start, ret);
    /* A literal that is written twice is one expression, with the first one's place: tell the place of this one. */
    if (st != FL_OK && b->err != NULL && fl_expr_is_const(value) && st != FL_ERR_TYPE)
        b->err->position = ast->cast.value->start + 1;
cleanup:
    return st;
}

static fl_status bind_typed(binder *b, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr *value;
    fl_type type;
    fl_value text = {.type = FL_TYPE(FL_UTF8), .s = ast->typed.text};
    FL_TRY(fl_sql_bind_type(b, ast->typed.type, &type));
    FL_TRY(fl_expr_untyped(b->plan, &text, ast->at, &value, b->err));
    FL_TRY(fl_expr_cast(b->plan, value, type, false, ast->at, ret, b->err));
cleanup:
    return st;
}

static fl_status bind_parameter(binder *b, const fl_ast_expr *ast, const fl_expr **ret)
{
    int32_t number = ast->parameter - 1;
    if (b->env->is_final && number >= b->env->n_params)
        return ast->parameter_name.len > 0
                   ? fl_sql_bind_fail_state(b, ast->start, FL_ERR_PARAMETER, "42P02", "there is no parameter $%.*s",
                                            FL_STR_ARG(ast->parameter_name))
                   : fl_sql_bind_fail_state(b, ast->start, FL_ERR_PARAMETER, "42P02", "there is no parameter $%d",
                                            ast->parameter);
    fl_type type = number < b->n_params ? b->param_types[number] : FL_TYPE(FL_NULL);
    return fl_expr_param(b->plan, number, type, ast->start, ret, b->err);
}

/* A bound of a slice: where it is left out, the end of that side. */
static fl_status bind_bound(binder *b, scope *s, const fl_ast_expr *bound, int64_t otherwise, int32_t pos,
                            const fl_expr **ret)
{
    fl_status st = FL_OK;
    fl_value end = {.type = FL_TYPE(FL_I64), .i = otherwise};
    if (bound == NULL)
        return fl_expr_const(b->plan, &end, pos, ret, b->err);
    FL_TRY(fl_sql_bind_expr(b, s, bound, ret));
    if (!((*ret)->flags & FL_EXPR_UNTYPED) && !fl_cast_is_implicit((*ret)->type, FL_TYPE(FL_I64), NULL))
        return fl_sql_bind_fail(b, bound->start, FL_ERR_TYPE, "a slice's bound is an integer, not %s",
                                FL_TYPE_NAME((*ret)->type));
cleanup:
    return st;
}

static fl_status bind_slice(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr *value, *from, *to;
    FL_TRY(fl_sql_bind_expr(b, s, ast->index.value, &value));
    if (value->type.id != FL_LIST && value->type.id != FL_UTF8 && !(value->flags & FL_EXPR_UNTYPED))
        return fl_sql_bind_fail(b, ast->at, FL_ERR_TYPE, "lists and texts have slices, %s has none",
                                FL_TYPE_NAME(value->type));
    FL_TRY(bind_bound(b, s, ast->index.from, 1, ast->at, &from));
    FL_TRY(bind_bound(b, s, ast->index.to, INT64_MAX, ast->at, &to));
    FL_TRY(fl_expr_call_args(b->plan, "list_slice", ast->at, ret, b->err, 3, value, from, to));
cleanup:
    return st;
}

static fl_status bind_index(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr *value, *from;
    if (ast->flag)
        return bind_slice(b, s, ast, ret);
    FL_TRY(fl_sql_bind_expr(b, s, ast->index.value, &value));
    if (value->type.id == FL_STRUCT && ast->index.from->kind == FL_AST_STRING)
        return fl_expr_field(b->plan, value, ast->index.from->text, ast->index.from->start, ret, b->err);
    FL_TRY(fl_sql_bind_expr(b, s, ast->index.from, &from));
    const char *function = value->type.extension == FL_MAP    ? "map_extract_value"
                           : value->type.extension == FL_JSON ? "json_extract"
                                                              : "list_extract";
    FL_TRY(fl_expr_call_args(b->plan, function, ast->at, ret, b->err, 2, value, from));
cleanup:
    return st;
}

static fl_status bind_not(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    const fl_expr *arg;
    fl_status st = fl_sql_bind_bool(b, s, ast->ops.left, "argument of NOT", &arg);
    return st != FL_OK ? st : fl_expr_not(b->plan, arg, ast->start, ret, b->err);
}

/* A field of a struct; of JSON a member, null where there is none: j.a is j -> '/a' (RFC 6901). */
fl_status fl_sql_bind_member(binder *b, const fl_expr *value, const fl_ast_name *name, const fl_expr **ret)
{
    fl_status st = FL_OK;
    fl_value path = {.type = FL_TYPE(FL_UTF8)};
    fl_text text;
    const fl_expr *at;
    if (value->type.extension != FL_JSON)
        return fl_expr_field(b->plan, value, name->text, name->start, ret, b->err);
    fl_text_init(&text, NULL);
    fl_text_add_char(&text, '/');
    for (int64_t i = 0; i < name->text.len; i++) {
        char c = name->text.data[i];
        if (c == '~' || c == '/')
            fl_text_addf(&text, "~%d", c == '/');
        else
            fl_text_add_char(&text, c);
    }
    FL_TRY(fl_text_status(&text, b->err));
    FL_TRY(fl_sql_bind_keep(b, fl_text_str(&text), &path.s));
    FL_TRY(fl_expr_const(b->plan, &path, name->start, &at, b->err));
    st = fl_expr_call_args(b->plan, "json_extract", name->start, ret, b->err, 2, value, at);
cleanup:
    fl_text_drop(&text);
    return st;
}

static fl_status bind_field(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    const fl_expr *value;
    fl_status st = fl_sql_bind_expr(b, s, ast->field.value, &value);
    return st != FL_OK ? st : fl_sql_bind_member(b, value, ast->field.name, ret);
}

static fl_status bind_collate(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    fl_collation collation;
    const fl_expr *value;
    FL_TRY(fl_sql_find_collation(ast->field.name, &collation, b->err));
    FL_TRY(fl_sql_bind_expr(b, s, ast->field.value, &value));
    if (!fl_type_is_text(value->type) && value->type.id != FL_NULL)
        return fl_sql_bind_fail_state(b, ast->at, FL_ERR_TYPE, "42804", "type %s has no collations, text has",
                                      FL_TYPE_NAME(value->type));
    st = fl_sql_collate(b, collation, value, ast->start, ret);
cleanup:
    return st;
}

fl_status fl_sql_bind_expr(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    switch ((fl_ast_kind)ast->kind) {
    case FL_AST_COLUMN:
        return fl_sql_bind_column(b, s, ast, ret);
    case FL_AST_INTEGER:
    case FL_AST_DECIMAL:
    case FL_AST_FLOAT:
    case FL_AST_STRING:
    case FL_AST_BLOB:
    case FL_AST_BOOL:
    case FL_AST_NULL:
        return fl_sql_bind_literal(b, ast, ret);
    case FL_AST_TYPED:
        return bind_typed(b, ast, ret);
    case FL_AST_INTERVAL:
        return fl_sql_bind_interval(b, s, ast, ret);
    case FL_AST_PARAMETER:
        return bind_parameter(b, ast, ret);
    case FL_AST_AND:
    case FL_AST_OR:
        return bind_junction(b, s, ast, ret);
    case FL_AST_NOT:
        return bind_not(b, s, ast, ret);
    case FL_AST_UNARY:
        return bind_unary(b, s, ast, ret);
    case FL_AST_BINARY:
        return bind_binary(b, s, ast, ret);
    case FL_AST_IS:
        return bind_is(b, s, ast, ret);
    case FL_AST_BETWEEN:
        return bind_between(b, s, ast, ret);
    case FL_AST_LIKE:
        return bind_like(b, s, ast, ret);
    case FL_AST_IN_LIST:
        return bind_in(b, s, ast, ret);
    case FL_AST_IN_QUERY:
    case FL_AST_QUANTIFIED:
    case FL_AST_EXISTS:
    case FL_AST_SUBQUERY:
        return fl_sql_bind_subquery(b, s, ast, ret);
    case FL_AST_ARRAY_QUERY:
        return fl_sql_bind_array_query(b, s, ast, ret);
    case FL_AST_QUANTIFIED_LIST:
        return bind_any_list(b, s, ast, ret);
    case FL_AST_CASE:
        return bind_case(b, s, ast, ret);
    case FL_AST_CAST:
        return bind_cast(b, s, ast, ret);
    case FL_AST_CALL:
        return fl_sql_bind_call(b, s, ast, ret);
    case FL_AST_LIST:
        return fl_sql_bind_list(b, s, ast, ret);
    case FL_AST_STRUCT:
        return fl_sql_bind_struct(b, s, ast->record.items, ast->record.count, ast->start, ret);
    case FL_AST_COLLATE:
        return bind_collate(b, s, ast, ret);
    case FL_AST_FIELD:
        return bind_field(b, s, ast, ret);
    case FL_AST_INDEX:
        return bind_index(b, s, ast, ret);
    case FL_AST_ROW:
        return fl_sql_bind_row(b, s, ast, ret);
    case FL_AST_STAR:
        return fl_sql_bind_fail(b, ast->start, FL_ERR_SYNTAX, "\"*\" stands in select lists and in count(*) only");
    case FL_AST_COLUMNS:
        return fl_sql_bind_picked(b, s, ast, ret);
    case FL_AST_BOUND:
        return fl_expr_column(b->plan, (fl_col_id){ast->bound}, ast->start, ret, b->err);
    case FL_AST_DONE:
        *ret = ast->done;
        return FL_OK;
    case FL_AST_VALUE:
        return fl_expr_const(b->plan, ast->value, ast->start, ret, b->err);
    case FL_AST_DEFAULT:
        return fl_sql_bind_fail(b, ast->start, FL_ERR_SYNTAX, "DEFAULT stands in INSERT and UPDATE only");
    case FL_AST_ROLLUP:
    case FL_AST_CUBE:
    case FL_AST_SETS:
        return fl_sql_bind_fail(b, ast->start, FL_ERR_SYNTAX, "grouping sets stand in GROUP BY only");
    }
    return fl_sql_bind_fail(b, ast->start, FL_ERR_INTERNAL, "an expression of unknown kind %d", ast->kind);
}

fl_status fl_sql_bind_constant(binder *b, scope *s, const fl_ast_expr *ast, const char *what, fl_value *ret)
{
    fl_status st = FL_OK;
    const fl_expr *expr;
    FL_TRY(fl_sql_bind_expr(b, s, ast, &expr));
    if (expr->kind == FL_EXPR_PARAM && expr->param < b->env->n_params) {
        *ret = b->env->params[expr->param];
        return FL_OK;
    }
    if (fl_expr_is_const(expr)) {
        *ret = *expr->value;
        return FL_OK;
    }
    if (expr->flags & (FL_EXPR_HAS_COLUMN | FL_EXPR_HAS_SUBQUERY | FL_EXPR_HAS_PARAM) || b->env->evaluator == NULL)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_UNSUPPORTED, "%s must be a constant", what);
    st = b->env->evaluator->fold(b->env->evaluator, b->plan, expr, b->arena, ret, b->err);
    if (st != FL_OK)
        fl_err_at(b->err, ast->start);
cleanup:
    return st;
}
