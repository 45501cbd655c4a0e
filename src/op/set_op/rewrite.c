/* set_op: what rules may do with it. */
#include "op/aggregate/node.h"
#include "op/project/node.h"
#include "op/set_op/node.h"

#include "plan/rewrites.h"

/* Its columns are its own: none of an input's comes out. */
static uint32_t flow(const fl_node *node)
{
    bool is_union_all = fl_set_op_of(node)->kind == FL_UNION && fl_set_op_of(node)->is_all;
    return FL_ROWS_CHOSEN | (is_union_all ? FL_ROWS_UNITED : 0);
}

static fl_order_use order(const fl_node *node, int32_t input)
{
    (void)input;
    return fl_rows_are(node, FL_ROWS_UNITED) ? FL_ORDER_PASSED : FL_ORDER_IGNORED;
}

/* To both sides, under their columns' names. All conjuncts or none: one that stayed, as it can raise, would be tested behind
 * those that the text puts after it. */
static fl_status passes(fl_plan *plan, const fl_node *node, int32_t input, const fl_expr *const *conjuncts, int32_t n,
                        const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_set_op_attrs *set = fl_set_op_of(node);
    const fl_expr **exprs = NULL;
    fl_substitution s = {0};
    for (int32_t i = 0; i < n; i++)
        if (!fl_expr_is_movable(conjuncts[i]))
            return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), set->n_cols, &exprs, err));
    for (int32_t c = 0; c < set->n_cols; c++)
        FL_TRY(fl_expr_column(plan, input == 0 ? set->left[c] : set->right[c], -1, &exprs[c], err));
    FL_TRY(fl_substitution_init(&s, plan, set->cols, exprs, set->n_cols, err));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_substitute(&s, conjuncts[i], &ret[i], err));
cleanup:
    fl_substitution_drop(&s);
    return st;
}

/* Of UNION ALL alone: the others compare whole rows. */
static fl_status thin(fl_plan *plan, const fl_node *node, const fl_col_set *wanted, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_set_op_attrs attrs = *fl_set_op_of(node);
    fl_col_id *cols = NULL, *left = NULL, *right = NULL;
    int32_t n = 0;
    *ret = node;
    if (attrs.kind != FL_UNION || !attrs.is_all)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), attrs.n_cols + 1, &cols, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), attrs.n_cols + 1, &left, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), attrs.n_cols + 1, &right, err));
    for (int32_t i = 0; i < attrs.n_cols; i++)
        if (fl_col_set_has(wanted, attrs.cols[i])) {
            cols[n] = attrs.cols[i];
            left[n] = attrs.left[i];
            right[n++] = attrs.right[i];
        }
    attrs.cols = cols;
    attrs.left = left;
    attrs.right = right;
    attrs.n_cols = attrs.n_left = attrs.n_right = n;
    st = fl_node_make(plan, &fl_op_set_op, &attrs, node->traits, node->inputs, 2, NULL, 0, ret, err);
cleanup:
    return st;
}

/* Of a union the other side's rows are left, of EXCEPT the left ones, under the result's names; as a set each once. */
static fl_status without(fl_plan *plan, const fl_node *node, int32_t input, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_set_op_attrs *set = fl_set_op_of(node);
    const fl_node *other = node->inputs[1 - input];
    const fl_col_id *from = input == 0 ? set->right : set->left;
    const fl_expr **exprs = NULL;
    *ret = node;
    if (set->kind != FL_UNION && !(set->kind == FL_EXCEPT && input == 1))
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), set->n_cols + 1, &exprs, err));
    for (int32_t i = 0; i < set->n_cols; i++)
        FL_TRY(fl_expr_column(plan, from[i], -1, &exprs[i], err));
    fl_project_attrs attrs = {.n_cols = set->n_cols, .cols = set->cols, .n_exprs = set->n_cols, .exprs = exprs};
    FL_TRY(fl_node_make(plan, &fl_op_project, &attrs, NULL, &other, 1, NULL, 0, ret, err));
    if (!set->is_all)
        FL_TRY(fl_distinct_build(plan, *ret, set->cols, set->n_cols, ret, err));
    st = fl_node_with_cols(plan, *ret, node->cols, node->n_cols, ret, err);
cleanup:
    return st;
}

/* The domain's columns are columns of both sides. */
static fl_status push(fl_unnesting *u, const fl_node *node, const fl_node **ret, fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    fl_set_op_attrs attrs = *fl_set_op_of(node);
    const fl_node *inputs[2];
    fl_col_id *side[2] = {NULL, NULL}, *cols = NULL, *from[2] = {NULL, NULL};
    fl_arena *arena = fl_plan_arena(u->plan);
    int32_t n = attrs.n_cols + u->n_cols;
    FL_TRY(FL_NEW_ARRAY(arena, n, &cols, err));
    for (int32_t s = 0; s < 2; s++) {
        FL_TRY(FL_NEW_ARRAY(arena, u->n_cols, &side[s], err));
        FL_TRY(FL_NEW_ARRAY(arena, n, &from[s], err));
        FL_TRY(fl_unnesting_push(u, node->inputs[s], &inputs[s], side[s], err));
        memcpy(from[s], s == 0 ? attrs.left : attrs.right, (size_t)attrs.n_cols * sizeof(*from[s]));
        memcpy(from[s] + attrs.n_cols, side[s], (size_t)u->n_cols * sizeof(*from[s]));
    }
    memcpy(cols, attrs.cols, (size_t)attrs.n_cols * sizeof(*cols));
    for (int32_t i = 0; i < u->n_cols; i++) {
        fl_col_info info = *fl_plan_col(u->plan, side[0][i]);
        FL_TRY(fl_plan_add_col(u->plan, &info, &cols[attrs.n_cols + i], err));
        ret_cols[i] = cols[attrs.n_cols + i];
    }
    attrs.cols = cols;
    attrs.left = from[0];
    attrs.right = from[1];
    attrs.n_cols = attrs.n_left = attrs.n_right = n;
    st = fl_node_make(u->plan, &fl_op_set_op, &attrs, NULL, inputs, 2, NULL, 0, ret, err);
cleanup:
    return st;
}

const fl_op_rewrites fl_set_op_rewrites = {
    FL_DESC(fl_op_rewrites), .flow = flow, .order = order, .passes = passes, .thin = thin,
    .without = without,      .push = push};
