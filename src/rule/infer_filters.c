/* infer_filters: what a filter over inner joins says of one column holds of the columns that the joins make equal to it.
 *
 * Only over an inner join: there every conjunct of one column moves down, so that none is left for which the rule would make
 * the others again. */
#include "op/filter/node.h"
#include "op/join/node.h"
#include "plan/props.h"
#include "plan/rule.h"

#define COPIES_MAX 32 /* conjuncts that one application adds */

/* The only column of a conjunct that may be said of others, too; n = 0: there is none. */
static fl_status only_column(fl_rule_call *call, const fl_expr *e, fl_col_id *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set used;
    fl_col_set_init(&used);
    *ret = (fl_col_id){0};
    if (e->flags & (FL_EXPR_CAN_FAIL | FL_EXPR_VOLATILE | FL_EXPR_HAS_SUBQUERY))
        return FL_OK;
    FL_TRY(fl_expr_add_cols(call->scratch, e, &used, err));
    if (fl_col_set_count(&used) == 1)
        *ret = fl_col_set_first(&used);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_filter_attrs *filter = fl_filter_of(call->node);
    const fl_node *join = fl_rule_call_bound(call, "join"), *out = NULL;
    const fl_props *props = NULL;
    const fl_expr **all = NULL;
    int32_t n = filter->n_conjuncts;
    if (fl_join_of(join)->kind != FL_JOIN_INNER)
        return FL_OK;
    FL_TRY(fl_node_props(call->plan, join, &props, err));
    if (props->n_equal == 0)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(call->scratch, n + COPIES_MAX, &all, err));
    memcpy(all, filter->conjuncts, (size_t)n * sizeof(*all));
    for (int32_t i = 0; i < filter->n_conjuncts; i++) {
        fl_col_id col;
        FL_TRY(only_column(call, filter->conjuncts[i], &col, err));
        const fl_col_set *equal = col.n == 0 ? NULL : fl_props_equal_to(props, col);
        if (equal == NULL)
            continue;
        fl_col_set others;
        fl_col_set_init(&others);
        FL_TRY(fl_col_set_add_all(call->scratch, &others, equal, err));
        fl_col_set_remove(&others, col);
        for (fl_col_id other = fl_col_set_first(&others); other.n != 0; other = fl_col_set_first(&others)) {
            const fl_expr *to = NULL, *copy = NULL;
            fl_substitution s = {0};
            fl_col_set_remove(&others, other);
            if (!fl_type_is_equal(fl_plan_col(call->plan, col)->type, fl_plan_col(call->plan, other)->type))
                continue;
            FL_TRY(fl_expr_column(call->plan, other, -1, &to, err));
            FL_TRY(fl_substitution_init(&s, call->plan, &col, &to, 1, err));
            st = fl_substitute(&s, filter->conjuncts[i], &copy, err);
            fl_substitution_drop(&s);
            FL_TRY(st);
            bool is_known = n == filter->n_conjuncts + COPIES_MAX;
            for (int32_t k = 0; k < n && !is_known; k++)
                is_known = all[k] == copy;
            if (!is_known)
                all[n++] = copy;
        }
    }
    if (n == filter->n_conjuncts)
        return FL_OK;
    FL_TRY(fl_filter_build_all(call->plan, join, all, n, &out, err));
    FL_TRY(fl_node_with_cols(call->plan, out, call->node->cols, call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_infer_filters = {FL_DESC(fl_rule_desc),
                                            .name = "infer_filters",
                                            .phase = "normalize",
                                            .pattern = "filter(join:join)",
                                            .scope = FL_SCOPE_BOTH,
                                            .promise = 62,
                                            .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
                                            .on_match = on_match,
                                            .doc = "conditions hold of equal columns, too"};
