/* recursion: what becomes of one that reads outer columns. It goes on for all values of the domain at once: rows have the columns of
 * their value in front, those of its working table, too, and a step makes rows of one value of rows of it. Keys are told apart by it. */
#include "op/recursion/node.h"
#include "op/working_table/node.h"

#include "plan/rewrites.h"

static fl_status with_domain(fl_plan *plan, const fl_col_id *cols, int32_t n, const fl_col_id *domain, int32_t n_domain,
                             fl_col_id **ret, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n + n_domain, ret, err));
    memcpy(*ret, domain, (size_t)n_domain * sizeof(**ret));
    memcpy(*ret + n_domain, cols, (size_t)n * sizeof(**ret));
cleanup:
    return st;
}

static fl_status push(fl_unnesting *u, const fl_node *node, const fl_node **ret, fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    fl_recursion_attrs attrs = *fl_recursion_of(node);
    const fl_node *inputs[2], *marked = NULL;
    fl_col_id *domains[2] = {NULL, NULL}, *made = NULL;
    for (int side = 0; side < 2; side++)
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), u->n_cols, &domains[side], err));
    FL_TRY(fl_unnesting_push(u, node->inputs[0], &inputs[0], domains[0], err));
    FL_TRY(fl_working_table_mark(u->plan, node->inputs[1], attrs.number, u->cols, u->n_cols, &marked, err));
    FL_TRY(fl_unnesting_push(u, marked, &inputs[1], domains[1], err));
    for (int32_t i = 0; i < u->n_cols; i++) {
        fl_col_info info = {.name = fl_plan_col(u->plan, u->cols[i])->name,
                            .type = fl_plan_col(u->plan, u->cols[i])->type};
        FL_TRY(fl_plan_add_col(u->plan, &info, &ret_cols[i], err));
    }
    FL_TRY(with_domain(u->plan, attrs.cols, attrs.n_cols, ret_cols, u->n_cols, &made, err));
    attrs.cols = made;
    FL_TRY(with_domain(u->plan, attrs.first, attrs.n_first, domains[0], u->n_cols, &made, err));
    attrs.first = made;
    FL_TRY(with_domain(u->plan, attrs.step, attrs.n_step, domains[1], u->n_cols, &made, err));
    attrs.step = made;
    attrs.n_keys += attrs.n_keys >= 0 ? u->n_cols : 0;
    attrs.n_cols += u->n_cols;
    attrs.n_first += u->n_cols;
    attrs.n_step += u->n_cols;
    st = fl_node_make(u->plan, &fl_op_recursion, &attrs, NULL, inputs, 2, NULL, 0, ret, err);
cleanup:
    return st;
}

const fl_op_rewrites fl_recursion_rewrites = {FL_DESC(fl_op_rewrites), .push = push};
