/* unwrap_cast: CAST(x AS wider) op constant compares x itself with a constant of its own type.
 *
 * The comparison is cheaper, and scans know bounds of columns only: DATE columns are compared with timestamps wherever a
 * query adds an interval to a date. The cast must be exact and keep order. A constant that no value of x equals lies between
 * two neighbours: x < 2.5 is x <= 2. Constants of another scale (fl_type_is_scaled_apart) are narrowed in the same way, without
 * a cast. */
#include "plan/func.h"
#include "plan/rule.h"

/* Whether a cast gives every value one of its own, in the same order. */
static bool is_exact(const fl_expr *cast)
{
    fl_type from = cast->args[0]->type, to = cast->type;
    if (cast->is_compared) /* a date beside timestamps; the session's zone is UTC */
        return true;
    if (fl_cast_can_fail(from, to))
        return false;
    bool to_number = fl_type_is_integer(to) || to.id == FL_DECIMAL;
    if (fl_type_is_integer(from))
        return to_number || (to.id == FL_F64 && fl_type_width(from) <= 4);
    return (from.id == FL_DECIMAL && to.id == FL_DECIMAL && to.scale >= from.scale) || fl_type_is_longer_time(from, to);
}

static bool is_exact_cast(const fl_expr *e)
{
    return e->kind == FL_EXPR_CAST && !e->is_try && is_exact(e);
}

/* The constant in the type of x; *ret_order: how it compares with what it was made of. False: it has no neighbour there. */
static bool narrow(const fl_expr *constant, fl_type type, fl_value *ret, int *ret_order)
{
    fl_value back;
    if (constant->value->is_null || fl_value_cast(constant->value, type, ret, NULL) != FL_OK)
        return false;
    if (fl_type_is_scaled_apart(type, constant->type)) {
        *ret_order =
            fl_value_compare_scaled(fl_value_scaled(ret), type, fl_value_scaled(constant->value), constant->type);
        return true;
    }
    if (fl_value_cast(ret, constant->type, &back, NULL) != FL_OK)
        return false;
    *ret_order = fl_value_compare(&back, constant->value);
    return true;
}

/* The operator for the neighbour; NULL: the constant must be met exactly. */
static const char *operator_for(const char *op, int order)
{
    bool is_less = op[0] == '<' && op[1] != '>';
    if (order == 0)
        return op;
    if (op[0] == '=' || strcmp(op, "<>") == 0)
        return NULL;
    return order < 0 ? (is_less ? "<=" : ">") : (is_less ? "<" : ">=");
}

static const char *mirrored(const char *op)
{
    static const char *const pairs[][2] = {{"=", "="},   {"<>", "<>"}, {"<", ">"},
                                           {"<=", ">="}, {">", "<"},   {">=", "<="}};
    for (int64_t i = 0; i < FL_LEN(pairs); i++)
        if (strcmp(pairs[i][0], op) == 0)
            return pairs[i][1];
    return NULL;
}

static fl_status unwrap_comparison(fl_plan *plan, const fl_expr *e, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *cast = e->args[0], *constant = e->args[1];
    const char *op = mirrored(e->func->name);
    fl_value value;
    int order;
    if (op == NULL)
        return FL_OK;
    if (cast->kind == FL_EXPR_CONST) {
        cast = e->args[1];
        constant = e->args[0];
    } else {
        op = e->func->name;
    }
    const fl_expr *x = is_exact_cast(cast) ? cast->args[0] : cast;
    if (constant->kind != FL_EXPR_CONST || (x == cast && !fl_type_is_scaled_apart(x->type, constant->type)) ||
        !narrow(constant, x->type, &value, &order))
        return FL_OK;
    op = operator_for(op, order);
    if (op == NULL)
        return FL_OK;
    const fl_expr *narrowed;
    FL_TRY(fl_expr_const(plan, &value, constant->pos, &narrowed, err));
    st = fl_expr_call_args(plan, op, e->pos, ret, err, 2, x, narrowed);
cleanup:
    return st;
}

static fl_status unwrap_in(fl_plan *plan, fl_arena *scratch, const fl_expr *e, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **items = NULL;
    int32_t n = e->n_args - 1;
    if (!is_exact_cast(e->args[0]))
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(scratch, n, &items, err));
    for (int32_t i = 0; i < n; i++) {
        fl_value value;
        int order;
        if (!narrow(e->args[i + 1], e->args[0]->args[0]->type, &value, &order) || order != 0)
            return FL_OK;
        FL_TRY(fl_expr_const(plan, &value, e->args[i + 1]->pos, &items[i], err));
    }
    st = fl_expr_in(plan, e->args[0]->args[0], items, n, e->pos, ret, err);
cleanup:
    return st;
}

static fl_status unwrap(void *ctx, fl_plan *plan, const fl_expr *e, const fl_expr **ret, fl_err *err)
{
    const fl_rule_call *call = ctx;
    *ret = e;
    if (e->kind == FL_EXPR_IN)
        return unwrap_in(plan, call->scratch, e, ret, err);
    return e->kind == FL_EXPR_CALL && e->n_args == 2 ? unwrap_comparison(plan, e, ret, err) : FL_OK;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    const fl_node *out = NULL;
    fl_status st = fl_node_rewrite_exprs(call->plan, call->node, unwrap, call, &out, err);
    return st == FL_OK ? fl_rule_call_transform_to(call, out, err) : st;
}

const fl_rule_desc fl_rule_unwrap_cast = {FL_DESC(fl_rule_desc),
                                          .name = "unwrap_cast",
                                          .phase = "normalize",
                                          .pattern = "?",
                                          .scope = FL_SCOPE_BOTH,
                                          .promise = 85,
                                          .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ORDER,
                                          .on_match = on_match,
                                          .doc = "casts of columns that are compared with constants"};
