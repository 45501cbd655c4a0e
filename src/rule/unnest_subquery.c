/* unnest_subquery: subqueries in expressions become columns of dependent joins below the operator.
 *
 *     scalar        apply single, the query's column
 *     EXISTS        apply mark with the condition true
 *     x op ANY (q)  apply mark with the three-valued comparison; x op ALL (q) is NOT (x negated-op ANY (q))
 *
 * One subquery at a time; the operator is tried again until none is left. The dependent joins are then removed by
 * unnest_apply. Filters whose conjunct is such a test may instead become semi and anti joins (rule semi_join). */
#include "op/apply/node.h"
#include "op/filter/node.h"
#include "op/project/node.h"
#include "op/values/node.h"
#include "plan/rule.h"

#define TAKEN_MAX 16 /* subqueries that are kept in mind; more are only joined once for each use */

typedef struct taking {
    const fl_node *input;                                 /* what the operator reads; dependent joins are put on top */
    const fl_expr *taken[TAKEN_MAX], *columns[TAKEN_MAX]; /* a subquery that is used twice is joined once */
    int32_t n_taken;
} taking;

static fl_status comparison(fl_plan *plan, const fl_subquery *s, const char *compare, int32_t pos, const fl_expr **ret,
                            fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **cols = NULL;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), s->n_left, &cols, err));
    for (int32_t i = 0; i < s->n_left; i++)
        FL_TRY(fl_expr_column(plan, s->query->cols[i], pos, &cols[i], err));
    st = fl_expr_compare_rows(plan, compare, s->left, cols, s->n_left, pos, ret, err);
cleanup:
    return st;
}

static fl_status add_mark(fl_plan *plan, taking *t, const fl_node *query, const fl_expr *test, int32_t pos,
                          const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_id mark;
    fl_col_info info = {.name = FL_STR("mark"), .type = FL_TYPE(FL_BOOL)};
    FL_TRY(fl_plan_add_col(plan, &info, &mark, err));
    FL_TRY(fl_apply_build(plan, FL_JOIN_MARK, t->input, query, &test, 1, mark, &t->input, err));
    st = fl_expr_column(plan, mark, pos, ret, err);
cleanup:
    return st;
}

static fl_status take_one(taking *t, fl_plan *plan, const fl_expr *expr, const fl_expr **ret, fl_err *err)
{
    static const struct {
        const char *compare, *negated;
    } pairs[] = {{"=", "<>"}, {"<>", "="}, {"<", ">="}, {"<=", ">"}, {">", "<="}, {">=", "<"}};
    fl_status st = FL_OK;
    const fl_subquery *s = expr->subquery;
    const fl_expr *test = NULL;
    const char *compare = s->compare;
    if (s->kind == FL_SUBQUERY_SCALAR) {
        FL_TRY(fl_apply_build(plan, FL_JOIN_SINGLE, t->input, s->query, NULL, 0, (fl_col_id){0}, &t->input, err));
        return fl_expr_column(plan, s->query->cols[0], expr->pos, ret, err);
    }
    if (s->kind == FL_SUBQUERY_EXISTS) {
        fl_value yes = {.type = FL_TYPE(FL_BOOL), .b = true};
        FL_TRY(fl_expr_const(plan, &yes, expr->pos, &test, err));
        return add_mark(plan, t, s->query, test, expr->pos, ret, err);
    }
    if (s->kind == FL_SUBQUERY_ALL)
        for (int64_t i = 0; i < FL_LEN(pairs); i++)
            if (strcmp(pairs[i].compare, s->compare) == 0)
                compare = pairs[i].negated;
    FL_TRY(comparison(plan, s, compare, expr->pos, &test, err));
    FL_TRY(add_mark(plan, t, s->query, test, expr->pos, ret, err));
    if (s->kind == FL_SUBQUERY_ALL)
        st = fl_expr_not(plan, *ret, expr->pos, ret, err);
cleanup:
    return st;
}

static fl_status take(void *ctx, fl_plan *plan, const fl_expr *expr, const fl_expr **ret, fl_err *err)
{
    taking *t = ctx;
    *ret = expr;
    if (expr->kind != FL_EXPR_SUBQUERY)
        return FL_OK;
    for (int32_t i = 0; i < t->n_taken; i++)
        if (t->taken[i] == expr) {
            *ret = t->columns[i];
            return FL_OK;
        }
    fl_status st = take_one(t, plan, expr, ret, err);
    if (st == FL_OK && t->n_taken < TAKEN_MAX) {
        t->taken[t->n_taken] = expr;
        t->columns[t->n_taken++] = *ret;
    }
    return st;
}

static fl_status look(void *ctx, const fl_expr *expr, fl_err *err)
{
    (void)err;
    *(bool *)ctx |= (expr->flags & FL_EXPR_HAS_SUBQUERY) != 0;
    return FL_OK;
}

static bool check(const fl_rule_call *call)
{
    bool found = false;
    (void)fl_node_visit_exprs(call->node, look, &found, NULL);
    return found;
}

/* VALUES (…(SELECT …)…) of one row: a projection over a row of nothing, which then is unnested as others are. */
static fl_status from_values(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_values_attrs *values = fl_values_of(call->node);
    const fl_node *row = NULL, *project = NULL;
    if (values->n_rows != 1)
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "subqueries in VALUES with more than one row are not supported yet");
    FL_TRY(fl_values_build(call->plan, NULL, 1, 0, NULL, &row, err));
    fl_project_attrs attrs = {
        .n_cols = values->n_cols, .cols = values->cols, .n_exprs = values->n_cols, .exprs = values->exprs};
    FL_TRY(fl_node_make(call->plan, &fl_op_project, &attrs, NULL, &row, 1, call->node->cols, call->node->n_cols,
                        &project, err));
    st = fl_rule_call_transform_to(call, project, err);
cleanup:
    return st;
}

/* Subqueries in a join's condition, each of which reads one side. */
typedef struct side_taking {
    const fl_node *inputs[2];
    bool reads_both; /* one was found that does not */
} side_taking;

static fl_status take_beside(void *ctx, fl_plan *plan, const fl_expr *expr, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    side_taking *sides = ctx;
    fl_col_set used;
    *ret = expr;
    if (expr->kind != FL_EXPR_SUBQUERY)
        return FL_OK;
    fl_col_set_init(&used);
    FL_TRY(fl_expr_add_cols(fl_plan_arena(plan), expr, &used, err));
    int side = fl_col_set_meets(&used, &sides->inputs[0]->made) ? 0 : 1;
    if (side == 0 && fl_col_set_meets(&used, &sides->inputs[1]->made)) {
        sides->reads_both = true;
        return FL_OK;
    }
    taking t = {.input = sides->inputs[side]};
    FL_TRY(take_one(&t, plan, expr, ret, err));
    sides->inputs[side] = t.input;
cleanup:
    return st;
}

/* ON with subqueries that read both sides: the other side's rows are those that the condition lets through, row by row of
 * the side that is kept. A full join keeps both. */
static fl_status apply_condition(fl_rule_call *call, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_attrs *join = fl_join_of(call->node);
    bool keeps_right = join->kind == FL_JOIN_RIGHT;
    const fl_node *kept = call->node->inputs[keeps_right ? 1 : 0], *other = call->node->inputs[keeps_right ? 0 : 1];
    if (join->kind == FL_JOIN_FULL) {
        st = FL_FAIL(err, FL_ERR_UNSUPPORTED,
                     "subqueries that read both sides of a full join are not supported yet in its condition");
        fl_err_at(err, join->conjuncts[0]->pos);
        return st;
    }
    FL_TRY(fl_filter_build_all(call->plan, other, join->conjuncts, join->n_conjuncts, &other, err));
    st = fl_apply_build(call->plan, keeps_right ? FL_JOIN_LEFT : (fl_join_kind)join->kind, kept, other, NULL, 0,
                        (fl_col_id){0}, ret, err);
cleanup:
    return st;
}

static fl_status from_join(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = call->node, *out = NULL;
    const fl_join_attrs *join = fl_join_of(node);
    side_taking sides = {.inputs = {node->inputs[0], node->inputs[1]}};
    if (join->kind == FL_JOIN_INNER) { /* the same as a filter behind it */
        FL_TRY(fl_join_build_all(call->plan, FL_JOIN_INNER, node->inputs[0], node->inputs[1], NULL, 0, (fl_col_id){0},
                                 &out, err));
        FL_TRY(fl_filter_build_all(call->plan, out, join->conjuncts, join->n_conjuncts, &out, err));
        return fl_rule_call_transform_to(call, out, err);
    }
    FL_TRY(fl_node_rewrite_exprs(call->plan, node, take_beside, &sides, &out, err));
    if (sides.reads_both)
        FL_TRY(apply_condition(call, &out, err));
    else
        FL_TRY(fl_node_with_inputs(call->plan, out, sides.inputs, &out, err));
    FL_TRY(fl_node_with_cols(call->plan, out, node->cols, node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = call->node, *out = NULL;
    if (node->op == &fl_op_values)
        return from_values(call, err);
    if (node->op == &fl_op_join)
        return from_join(call, err);
    if (node->n_inputs != 1)
        return FL_FAIL(err, FL_ERR_UNSUPPORTED,
                       "subqueries in the condition of a dependent join are not supported yet");
    taking t = {.input = node->inputs[0]};
    FL_TRY(fl_node_rewrite_exprs(call->plan, node, take, &t, &out, err));
    FL_TRY(fl_node_with_inputs(call->plan, out, &t.input, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_unnest_subquery = {FL_DESC(fl_rule_desc),    .name = "unnest_subquery",
                                              .phase = "unnest",        .pattern = "?",
                                              .scope = FL_SCOPE_GLOBAL, .is_required = true,
                                              .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,   .check = check,
                                              .on_match = on_match,     .doc = "subqueries become dependent joins"};
