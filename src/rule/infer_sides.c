/* infer_sides: of a join's disjunction over both sides, what all of its branches say of a side is asked of that side below.
 *
 *     (n1.x = 'F' AND n2.x = 'G') OR (n1.x = 'G' AND n2.x = 'F')     asks for n1.x IN ('F', 'G') and n2.x IN ('F', 'G')
 *
 * The disjunction itself stays. What follows of it is noted beside it, so that estimates do not count it twice
 * (plan/estimate.h). Each is asked once, whatever becomes of the filter. */
#include "op/filter/node.h"
#include "op/join/node.h"
#include "plan/props.h"
#include "plan/rule.h"

#define BRANCHES_MAX 1000
#define DIFFERENT_MAX 64 /* branches that make no list of values */

/* The column of `column = constant` or `column IN (constants)`; NULL: it is something else. */
static const fl_expr *listed_column(const fl_expr *e)
{
    bool is_equality = e->kind == FL_EXPR_CALL && e->n_args == 2 && strcmp(e->func->name, "=") == 0 &&
                       fl_expr_is_const(e->args[1]) && !e->args[1]->value->is_null;
    return (is_equality || e->kind == FL_EXPR_IN) && e->args[0]->kind == FL_EXPR_COLUMN &&
                   fl_type_is_equal(e->args[0]->type, e->args[1]->type)
               ? e->args[0]
               : NULL;
}

/* The parts of a branch that read columns of the side and no others; *ret NULL: there are none. */
static fl_status part_of_branch(fl_rule_call *call, const fl_expr *branch, const fl_node *side, const fl_expr **ret,
                                fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *const *parts = branch->kind == FL_EXPR_AND ? branch->args : &branch, **own = NULL;
    int32_t n = branch->kind == FL_EXPR_AND ? branch->n_args : 1, n_own = 0;
    *ret = NULL;
    FL_TRY(FL_NEW_ARRAY(call->scratch, n, &own, err));
    for (int32_t i = 0; i < n; i++) {
        fl_col_set used;
        fl_col_set_init(&used);
        FL_TRY(fl_expr_add_cols(call->scratch, parts[i], &used, err));
        if (!fl_col_set_is_empty(&used) && fl_col_set_has_all(&side->made, &used))
            own[n_own++] = parts[i];
    }
    if (n_own > 0)
        st = fl_expr_and(call->plan, own, n_own, branch->pos, ret, err);
cleanup:
    return st;
}

/* One of these is true: a list where all are values of one column. *ret stays NULL where they are too many. */
static fl_status any_of(fl_rule_call *call, const fl_expr *const *parts, int32_t n, int32_t pos, const fl_expr **ret,
                        fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *col = listed_column(parts[0]), **list = NULL;
    int32_t n_listed = 0, n_list = 0;
    for (int32_t i = 0; i < n && col != NULL; i++)
        if (listed_column(parts[i]) == col)
            n_listed += parts[i]->n_args - 1;
        else
            col = NULL;
    if (col == NULL && n > DIFFERENT_MAX)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(call->scratch, col != NULL ? n_listed : n, &list, err));
    for (int32_t i = 0; i < n; i++) {
        bool is_double = false;
        for (int32_t a = 1; col != NULL && a < parts[i]->n_args; a++)
            list[n_list++] = parts[i]->args[a];
        for (int32_t k = 0; k < n_list && col == NULL && !is_double; k++)
            is_double = list[k] == parts[i];
        if (col == NULL && !is_double)
            list[n_list++] = parts[i];
    }
    st = col != NULL ? fl_expr_in(call->plan, col, list, n_list, pos, ret, err)
                     : fl_expr_or(call->plan, list, n_list, pos, ret, err);
cleanup:
    return st;
}

/* What a disjunction says of a side; *ret NULL: nothing, as a branch says nothing of it. */
static fl_status said_of(fl_rule_call *call, const fl_expr *either, const fl_node *side, const fl_expr **ret,
                         fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **parts = NULL;
    *ret = NULL;
    FL_TRY(FL_NEW_ARRAY(call->scratch, either->n_args, &parts, err));
    for (int32_t i = 0; i < either->n_args; i++) {
        FL_TRY(part_of_branch(call, either->args[i], side, &parts[i], err));
        if (parts[i] == NULL)
            return FL_OK;
    }
    st = any_of(call, parts, either->n_args, either->pos, ret, err);
cleanup:
    return st;
}

/* Adds what the disjunction says of the side to its filters, where that is neither known nor was asked before. */
static fl_status ask(fl_rule_call *call, const fl_expr *either, const fl_node *side, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *said = NULL;
    const fl_props *props = NULL;
    bool is_new = false;
    FL_TRY(said_of(call, either, side, &said, err));
    if (said == NULL)
        return FL_OK;
    FL_TRY(fl_node_props(call->plan, side, &props, err));
    for (int32_t i = 0; i < props->n_tests; i++)
        if (props->tests[i] == said)
            return FL_OK;
    FL_TRY(fl_plan_derive_once(call->plan, said, &is_new, err));
    if (!is_new)
        return FL_OK;
    FL_TRY(fl_plan_note_implied(call->plan, either, said, err));
    st = fl_filter_build(call->plan, *ret, said, ret, err);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *join = call->node, *inputs[2] = {join->inputs[0], join->inputs[1]}, *out = NULL;
    const fl_join_attrs *attrs = fl_join_of(join);
    for (int32_t i = 0; i < attrs->n_conjuncts; i++) {
        const fl_expr *e = attrs->conjuncts[i];
        if (e->kind != FL_EXPR_OR || e->n_args > BRANCHES_MAX || !fl_expr_is_movable(e))
            continue;
        for (int32_t side = 0; side < 2; side++)
            if (fl_join_drops_unmet((fl_join_kind)attrs->kind, side))
                FL_TRY(ask(call, e, join->inputs[side], &inputs[side], err));
    }
    if (inputs[0] == join->inputs[0] && inputs[1] == join->inputs[1])
        return FL_OK;
    FL_TRY(fl_node_with_inputs(call->plan, join, inputs, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_infer_sides = {FL_DESC(fl_rule_desc),
                                          .name = "infer_sides",
                                          .phase = "normalize",
                                          .pattern = "join",
                                          .scope = FL_SCOPE_BOTH,
                                          .promise = 46,
                                          .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
                                          .on_match = on_match,
                                          .doc = "each side of a join by what all branches of an OR say of it"};
