/* push_filter: conjuncts move down to where their columns are made: through projections, aggregates (on keys), joins,
 * set operations, unnests and sorts; filters above filters merge.
 *
 * A conjunct that can raise is not moved across a join: there it would see rows that the text keeps from it. */
#include "op/aggregate/node.h"
#include "op/filter/node.h"
#include "op/join/node.h"
#include "op/project/node.h"
#include "op/set_op/node.h"
#include "op/sort/node.h"
#include "op/unnest/node.h"
#include "plan/rule.h"

typedef struct pushing {
    fl_rule_call *call;
    fl_plan *plan;
    const fl_filter_attrs *filter;
    const fl_node *input;
    const fl_expr **kept; /* conjuncts that stay */
    int32_t n_kept;
    fl_col_set keys; /* of the aggregate below */
} pushing;

static fl_status cols_of(pushing *p, const fl_expr *e, fl_col_set *ret, fl_err *err)
{
    fl_col_set_init(ret);
    return fl_expr_add_cols(p->call->scratch, e, ret, err);
}

/* Hands over `below` under the conjuncts that stayed. */
static fl_status finish(pushing *p, const fl_node *below, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *out = NULL;
    FL_TRY(fl_filter_build_all(p->plan, below, p->kept, p->n_kept, &out, err));
    FL_TRY(fl_node_with_cols(p->plan, out, p->call->node->cols, p->call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(p->call, out, err);
cleanup:
    return st;
}

static fl_status merge(pushing *p, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_filter_attrs *below = fl_filter_of(p->input);
    const fl_expr **all = NULL;
    const fl_node *out = NULL;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(p->plan), below->n_conjuncts + p->filter->n_conjuncts, &all, err));
    memcpy(all, below->conjuncts, (size_t)below->n_conjuncts * sizeof(*all));
    memcpy(all + below->n_conjuncts, p->filter->conjuncts, (size_t)p->filter->n_conjuncts * sizeof(*all));
    FL_TRY(
        fl_filter_build_all(p->plan, p->input->inputs[0], all, below->n_conjuncts + p->filter->n_conjuncts, &out, err));
    FL_TRY(fl_node_with_cols(p->plan, out, p->call->node->cols, p->call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(p->call, out, err);
cleanup:
    return st;
}

/* Whether a conjunct, which reads these columns, moves below the input. */
typedef bool (*may_move)(const pushing *p, const fl_expr *e, const fl_col_set *used);

/* Below an operator of one input that computes cols[i] as exprs[i]: conjuncts read what it reads. */
static fl_status through(pushing *p, may_move moves, const fl_col_id *cols, const fl_expr *const *exprs, int32_t n,
                         fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **moved = NULL;
    const fl_node *below = NULL;
    int32_t n_moved = 0;
    fl_substitution s = {0};
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(p->plan), p->filter->n_conjuncts, &moved, err));
    FL_TRY(fl_substitution_init(&s, p->plan, cols, exprs, n, err));
    for (int32_t i = 0; i < p->filter->n_conjuncts; i++) {
        fl_col_set used;
        const fl_expr *e = p->filter->conjuncts[i];
        FL_TRY(cols_of(p, e, &used, err));
        if (moves(p, e, &used))
            FL_TRY(fl_substitute(&s, e, &moved[n_moved++], err));
        else
            p->kept[p->n_kept++] = e;
    }
    if (n_moved == 0)
        goto cleanup;
    FL_TRY(fl_filter_build_all(p->plan, p->input->inputs[0], moved, n_moved, &below, err));
    FL_TRY(fl_node_with_inputs(p->plan, p->input, &below, &below, err));
    st = finish(p, below, err);
cleanup:
    fl_substitution_drop(&s);
    return st;
}

static bool moves_below_project(const pushing *p, const fl_expr *e, const fl_col_set *used)
{
    const fl_project_attrs *project = fl_project_of(p->input);
    for (int32_t c = 0; c < project->n_cols; c++)
        if (fl_col_set_has(used, project->cols[c]) &&
            (project->exprs[c]->flags & (FL_EXPR_VOLATILE | FL_EXPR_HAS_SUBQUERY)))
            return false;
    return !(e->flags & FL_EXPR_VOLATILE);
}

static fl_status through_project(pushing *p, fl_err *err)
{
    const fl_project_attrs *project = fl_project_of(p->input);
    return through(p, moves_below_project, project->cols, project->exprs, project->n_cols, err);
}

static bool moves_below_aggregate(const pushing *p, const fl_expr *e, const fl_col_set *used)
{
    return fl_col_set_has_all(&p->keys, used) && !fl_col_set_is_empty(used) &&
           !(e->flags & (FL_EXPR_CAN_FAIL | FL_EXPR_VOLATILE));
}

static fl_status through_aggregate(pushing *p, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_aggregate_attrs *agg = fl_aggregate_of(p->input);
    fl_col_set_init(&p->keys);
    for (int32_t k = 0; k < agg->n_keys; k++)
        FL_TRY(fl_col_set_add(p->call->scratch, &p->keys, agg->cols[k], err));
    st = through(p, moves_below_aggregate, agg->cols, agg->keys, agg->n_keys, err);
cleanup:
    return st;
}

/* What the elements have no part in is tested once per list. */
static bool moves_below_unnest(const pushing *p, const fl_expr *e, const fl_col_set *used)
{
    return fl_col_set_has_all(&p->input->inputs[0]->made, used) && !(e->flags & (FL_EXPR_CAN_FAIL | FL_EXPR_VOLATILE));
}

static bool moves_always(const pushing *p, const fl_expr *e, const fl_col_set *used)
{
    (void)p, (void)e, (void)used;
    return true;
}

static fl_status through_join(pushing *p, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_attrs *join = fl_join_of(p->input);
    const fl_node *sides[2] = {p->input->inputs[0], p->input->inputs[1]}, *out = NULL;
    const fl_expr **moved[2] = {NULL, NULL}, **on = NULL;
    int32_t n_moved[2] = {0, 0}, n_on = 0;
    fl_arena *arena = fl_plan_arena(p->plan);
    bool to_left = join->kind != FL_JOIN_RIGHT && join->kind != FL_JOIN_FULL;
    bool to_right = join->kind == FL_JOIN_INNER || join->kind == FL_JOIN_RIGHT;
    FL_TRY(FL_NEW_ARRAY(arena, p->filter->n_conjuncts, &moved[0], err));
    FL_TRY(FL_NEW_ARRAY(arena, p->filter->n_conjuncts, &moved[1], err));
    FL_TRY(FL_NEW_ARRAY(arena, p->filter->n_conjuncts + join->n_conjuncts, &on, err));
    for (int32_t i = 0; i < join->n_conjuncts; i++)
        on[n_on++] = join->conjuncts[i];
    for (int32_t i = 0; i < p->filter->n_conjuncts; i++) {
        fl_col_set used;
        const fl_expr *e = p->filter->conjuncts[i];
        FL_TRY(cols_of(p, e, &used, err));
        bool fixed =
            (e->flags & (FL_EXPR_CAN_FAIL | FL_EXPR_VOLATILE | FL_EXPR_HAS_SUBQUERY)) || fl_col_set_is_empty(&used);
        if (!fixed && to_left && fl_col_set_has_all(&sides[0]->made, &used))
            moved[0][n_moved[0]++] = e;
        else if (!fixed && to_right && fl_col_set_has_all(&sides[1]->made, &used))
            moved[1][n_moved[1]++] = e;
        else if (!fixed && join->kind == FL_JOIN_INNER)
            on[n_on++] = e;
        else
            p->kept[p->n_kept++] = e;
    }
    if (p->n_kept == p->filter->n_conjuncts)
        return FL_OK;
    for (int32_t s = 0; s < 2; s++)
        FL_TRY(fl_filter_build_all(p->plan, sides[s], moved[s], n_moved[s], &sides[s], err));
    FL_TRY(fl_join_build_all(p->plan, (fl_join_kind)join->kind, sides[0], sides[1], on, n_on, join->mark, &out, err));
    FL_TRY(fl_node_with_cols(p->plan, out, p->input->cols, p->input->n_cols, &out, err));
    st = finish(p, out, err);
cleanup:
    return st;
}

static fl_status through_set_op(pushing *p, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_set_op_attrs *set = fl_set_op_of(p->input);
    const fl_node *sides[2] = {NULL, NULL}, *out = NULL;
    const fl_expr **moved = NULL, **exprs = NULL;
    fl_substitution sub = {0};
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(p->plan), set->n_cols, &exprs, err));
    for (int32_t i = 0; i < p->filter->n_conjuncts; i++)
        if (p->filter->conjuncts[i]->flags & (FL_EXPR_CAN_FAIL | FL_EXPR_VOLATILE | FL_EXPR_HAS_SUBQUERY))
            return FL_OK;
    for (int32_t s = 0; s < 2; s++) {
        for (int32_t c = 0; c < set->n_cols; c++)
            FL_TRY(fl_expr_column(p->plan, s == 0 ? set->left[c] : set->right[c], -1, &exprs[c], err));
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(p->plan), p->filter->n_conjuncts, &moved, err));
        FL_TRY(fl_substitution_init(&sub, p->plan, set->cols, exprs, set->n_cols, err));
        for (int32_t i = 0; i < p->filter->n_conjuncts; i++)
            FL_TRY(fl_substitute(&sub, p->filter->conjuncts[i], &moved[i], err));
        fl_substitution_drop(&sub);
        FL_TRY(fl_filter_build_all(p->plan, p->input->inputs[s], moved, p->filter->n_conjuncts, &sides[s], err));
    }
    FL_TRY(fl_node_with_inputs(p->plan, p->input, sides, &out, err));
    st = finish(p, out, err);
cleanup:
    fl_substitution_drop(&sub);
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    pushing p = {.call = call, .plan = call->plan, .filter = fl_filter_of(call->node), .input = call->node->inputs[0]};
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(call->plan), p.filter->n_conjuncts, &p.kept, err));
    if (p.input->op == &fl_op_filter)
        st = merge(&p, err);
    else if (p.input->op == &fl_op_project)
        st = through_project(&p, err);
    else if (p.input->op == &fl_op_aggregate)
        st = through_aggregate(&p, err);
    else if (p.input->op == &fl_op_join)
        st = through_join(&p, err);
    else if (p.input->op == &fl_op_set_op)
        st = through_set_op(&p, err);
    else if (p.input->op == &fl_op_unnest)
        st = through(&p, moves_below_unnest, NULL, NULL, 0, err);
    else if (p.input->op == &fl_op_sort)
        st = through(&p, moves_always, NULL, NULL, 0, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_push_filter = {FL_DESC(fl_rule_desc),
                                          .name = "push_filter",
                                          .phase = "normalize",
                                          .pattern = "filter",
                                          .scope = FL_SCOPE_BOTH,
                                          .promise = 60,
                                          .keeps = FL_KEEPS_COLS | FL_KEEPS_ORDER,
                                          .on_match = on_match,
                                          .doc = "filters run where their columns are made"};
