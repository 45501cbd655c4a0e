/* filter: what rules may do with it. */
#include "op/filter/node.h"

#include "plan/rewrites.h"

static uint32_t flow(const fl_node *node)
{
    (void)node;
    return FL_ROWS_ONCE | FL_ROWS_ORDERED | FL_ROWS_ALONE | FL_ROWS_CHOSEN;
}

#define COMPARED_MAX 64 /* of a filter's conjuncts that another is held against */

/* Whether a conjunct is one of the filter's, of which it need not be asked again. */
static bool is_asked(const fl_filter_attrs *filter, const fl_expr *conjunct)
{
    for (int32_t i = 0; i < filter->n_conjuncts && i < COMPARED_MAX; i++)
        if (filter->conjuncts[i] == conjunct)
            return !(conjunct->flags & FL_EXPR_VOLATILE);
    return false;
}

/* Another filter's conjuncts run behind its own, on the rows that they would have seen. */
static fl_status takes(fl_plan *plan, const fl_node *node, const fl_expr *const *conjuncts, int32_t n, bool *ret_taken,
                       const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_filter_attrs *filter = fl_filter_of(node);
    const fl_expr **all = NULL;
    fl_filter_attrs attrs = {.n_conjuncts = filter->n_conjuncts};
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), filter->n_conjuncts + n, &all, err));
    for (int32_t i = 0; i < filter->n_conjuncts; i++)
        all[i] = filter->conjuncts[i];
    for (int32_t i = 0; i < n; i++) {
        if (!is_asked(filter, conjuncts[i]))
            all[attrs.n_conjuncts++] = conjuncts[i];
        ret_taken[i] = true;
    }
    attrs.conjuncts = all;
    st = fl_node_make(plan, &fl_op_filter, &attrs, node->traits, node->inputs, 1, node->cols, node->n_cols, ret, err);
cleanup:
    return st;
}

static fl_status pull(fl_unnesting *u, const fl_node *node, bool missing_is_null, const fl_node **ret, fl_err *err)
{
    (void)missing_is_null; /* what the conjuncts make of nulls is not known */
    fl_status st = FL_OK;
    const fl_filter_attrs *filter = fl_filter_of(node);
    const fl_node *input = NULL;
    const fl_expr **kept = NULL;
    int32_t n_kept = 0;
    FL_TRY(fl_unnesting_pull(u, node->inputs[0], false, &input, err));
    if (input == NULL)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), filter->n_conjuncts, &kept, err));
    FL_TRY(fl_unnesting_part(u, filter->conjuncts, filter->n_conjuncts, kept, &n_kept, err));
    st = fl_filter_build_all(u->plan, input, kept, n_kept, ret, err);
cleanup:
    return st;
}

const fl_op_rewrites fl_filter_rewrites = {
    FL_DESC(fl_op_rewrites), .flow = flow, .order = fl_order_is_passed,   .takes = takes,
    .tests = "where",        .pull = pull, .push = fl_unnesting_push_rows};
