/* infer_filters: what is true of a column in all rows of one side of a join is asked of the column of the other side that it has
 * to equal, where no row of that side is kept which meets none.
 *
 * Each test is asked once, whatever becomes of the filter. */
#include "op/filter/node.h"
#include "op/join/node.h"
#include "plan/props.h"
#include "plan/rule.h"

#define COPIES_MAX 8 /* conjuncts that one application adds to a side */

/* The tests of column `from`, said of `to`, that are not known of it. */
static fl_status add_tests(fl_rule_call *call, const fl_props *props, fl_col_id from, const fl_expr *to,
                           const fl_props *known, const fl_expr **ret, int32_t *n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_substitution s = {0};
    FL_TRY(fl_substitution_init(&s, call->plan, &from, &to, 1, err));
    for (int32_t i = 0; i < props->n_tests && *n < COPIES_MAX; i++) {
        fl_col_set used;
        const fl_expr *copy = NULL;
        bool is_known = false;
        fl_col_set_init(&used);
        FL_TRY(fl_expr_add_cols(call->scratch, props->tests[i], &used, err));
        if (!fl_col_set_has(&used, from))
            continue;
        FL_TRY(fl_substitute(&s, props->tests[i], &copy, err));
        for (int32_t k = 0; k < known->n_tests && !is_known; k++)
            is_known = known->tests[k] == copy;
        for (int32_t k = 0; k < *n && !is_known; k++)
            is_known = ret[k] == copy;
        bool is_new = false;
        if (!is_known)
            FL_TRY(fl_plan_derive_once(call->plan, copy, &is_new, err));
        if (is_new)
            ret[(*n)++] = copy;
    }
cleanup:
    fl_substitution_drop(&s);
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *join = call->node, *inputs[2] = {join->inputs[0], join->inputs[1]}, *out = NULL;
    const fl_join_attrs *attrs = fl_join_of(join);
    const fl_props *props[2] = {NULL, NULL};
    FL_TRY(fl_node_props(call->plan, inputs[0], &props[0], err));
    FL_TRY(fl_node_props(call->plan, inputs[1], &props[1], err));
    for (int32_t side = 0; side < 2; side++) {
        const fl_expr *added[COPIES_MAX];
        int32_t n = 0;
        if (!fl_join_drops_unmet((fl_join_kind)attrs->kind, side) || props[1 - side]->n_tests == 0)
            continue;
        for (int32_t i = 0; i < attrs->n_conjuncts; i++) {
            const fl_expr *e = attrs->conjuncts[i];
            if (!fl_expr_is_equality(e) || e->args[0]->kind != FL_EXPR_COLUMN || e->args[1]->kind != FL_EXPR_COLUMN ||
                fl_type_is_float(e->args[0]->type))
                continue;
            bool is_first = fl_col_set_has(&inputs[side]->made, e->args[0]->col);
            const fl_expr *own = e->args[is_first ? 0 : 1], *other = e->args[is_first ? 1 : 0];
            if (fl_col_set_has(&inputs[side]->made, own->col) && fl_col_set_has(&inputs[1 - side]->made, other->col) &&
                fl_type_is_equal(own->type, other->type))
                FL_TRY(add_tests(call, props[1 - side], other->col, own, props[side], added, &n, err));
        }
        FL_TRY(fl_filter_build_all(call->plan, inputs[side], added, n, &inputs[side], err));
    }
    if (inputs[0] == join->inputs[0] && inputs[1] == join->inputs[1])
        return FL_OK;
    FL_TRY(fl_node_with_inputs(call->plan, join, inputs, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_infer_filters = {FL_DESC(fl_rule_desc),
                                            .name = "infer_filters",
                                            .phase = "normalize",
                                            .pattern = "join",
                                            .scope = FL_SCOPE_BOTH,
                                            .promise = 45,
                                            .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
                                            .on_match = on_match,
                                            .doc = "conditions hold of equal columns, too"};
