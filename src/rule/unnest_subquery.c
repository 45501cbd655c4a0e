/* unnest_subquery: subqueries in expressions become columns of dependent joins below the operator.
 *
 *     scalar        apply single, the query's column
 *     EXISTS        apply mark with the condition true
 *     x op ANY (q)  apply mark with the three-valued comparison; x op ALL (q) is NOT (x negated-op ANY (q))
 *
 * Those of an operator of one input stand over it, of several over the one that they read; where that does not do, the
 * operator's class says what it is instead (plan/rewrites.h). A subquery in the left side of another, as in (q) IN (q2), stands
 * below it, over the same input, whichever it reads. The dependent joins are then removed by unnest_apply. Filters whose
 * conjunct is such a test may instead become semi and anti joins (rule semi_join). */
#include "op/apply/node.h"
#include "op/project/node.h"
#include "plan/rewrites.h"
#include "plan/rule.h"

#define TAKEN_MAX 16 /* subqueries that are kept in mind; more are only joined once for each use */

typedef struct taking {
    const fl_node *input;                                 /* what the operator reads; dependent joins are put on top */
    const fl_expr *taken[TAKEN_MAX], *columns[TAKEN_MAX]; /* a subquery that is used twice is joined once */
    int32_t n_taken;
    const struct taking *sides; /* of all inputs, where there are several: what one of them makes, no other may */
    int32_t n_sides;
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

/* The query's column, under another id where another input has it already. */
static fl_status add_single(fl_plan *plan, taking *t, const fl_node *query, int32_t pos, const fl_expr **ret,
                            fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_id col = query->cols[0];
    bool is_made = false;
    for (int32_t i = 0; i < t->n_sides; i++)
        is_made |= &t->sides[i] != t && fl_col_set_has(&t->sides[i].input->made, col);
    if (is_made)
        FL_TRY(fl_project_copy(plan, query, &query->cols[0], 1, &col, &query, err));
    FL_TRY(fl_apply_build(plan, FL_JOIN_SINGLE, t->input, query, NULL, 0, (fl_col_id){0}, &t->input, err));
    st = fl_expr_column(plan, col, pos, ret, err);
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
    if (s->kind == FL_SUBQUERY_SCALAR)
        return add_single(plan, t, s->query, expr->pos, ret, err);
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

typedef struct side_taking {
    const fl_node *node;
    taking *sides; /* one for each input */
} side_taking;

/* With what is in its left side, over the first input whose columns they read, else over the last. */
static fl_status take_beside(void *ctx, fl_plan *plan, const fl_expr *expr, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    side_taking *beside = ctx;
    const fl_node *node = beside->node;
    fl_col_set used;
    int32_t side = 0;
    *ret = expr;
    if (expr->kind != FL_EXPR_SUBQUERY)
        return FL_OK;
    fl_col_set_init(&used);
    FL_TRY(fl_expr_add_cols(fl_plan_arena(plan), expr, &used, err));
    while (side < node->n_inputs - 1 && !fl_col_set_meets(&used, &node->inputs[side]->made))
        side++;
    st = fl_expr_rewrite(plan, expr, take, &beside->sides[side], ret, err);
cleanup:
    return st;
}

/* Each subquery below the input that it reads. */
static fl_status below_inputs(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = call->node, *out = NULL, **inputs = NULL;
    taking *sides = NULL;
    FL_TRY(FL_NEW_ARRAY(call->scratch, node->n_inputs, &inputs, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, node->n_inputs, &sides, err));
    for (int32_t i = 0; i < node->n_inputs; i++)
        sides[i] = (taking){.input = node->inputs[i], .sides = sides, .n_sides = node->n_inputs};
    side_taking beside = {node, sides};
    FL_TRY(fl_node_replace_exprs(call->plan, node, take_beside, &beside, &out, err));
    for (int32_t i = 0; i < node->n_inputs; i++)
        inputs[i] = sides[i].input;
    FL_TRY(fl_node_with_inputs(call->plan, out, inputs, &out, err));
    FL_TRY(fl_node_with_cols(call->plan, out, node->cols, node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = call->node, *out = node;
    const fl_op_rewrites *rewrites = fl_rewrites_of(node);
    if (rewrites->free_exprs == NULL && node->n_inputs != 1)
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "subqueries in the expressions of %s are not supported yet",
                       node->op->name);
    if (rewrites->free_exprs != NULL)
        FL_TRY(rewrites->free_exprs(call->plan, node, &out, err));
    if (out != node)
        return fl_rule_call_transform_to(call, out, err);
    if (node->n_inputs != 1)
        return below_inputs(call, err);
    taking t = {.input = node->inputs[0]};
    FL_TRY(fl_node_rewrite_exprs(call->plan, node, take, &t, &out, err));
    FL_TRY(fl_node_with_inputs(call->plan, out, &t.input, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_unnest_subquery = {FL_DESC(fl_rule_desc),
                                              .name = "unnest_subquery",
                                              .phase = "unnest",
                                              .pattern = "?",
                                              .scope = FL_SCOPE_GLOBAL,
                                              .is_required = true,
                                              .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
                                              .check = check,
                                              .on_match = on_match,
                                              .doc = "subqueries become dependent joins"};
