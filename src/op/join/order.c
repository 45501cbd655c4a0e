/* join: orders. Hash joins and nested loops keep that of their left input; merge joins ask both inputs for one. */
#include "op/join/node.h"

#include "arrow/vec_order.h"
#include "plan/ordering.h"

bool fl_join_equality(const fl_node *node, const fl_expr *conjunct, fl_col_id *ret_sides)
{
    if (conjunct->kind != FL_EXPR_CALL || conjunct->n_args != 2 || strcmp(conjunct->func->name, "=") != 0)
        return false;
    const fl_expr *a = conjunct->args[0], *b = conjunct->args[1];
    if (a->kind != FL_EXPR_COLUMN || b->kind != FL_EXPR_COLUMN || !fl_type_is_equal(a->type, b->type) ||
        !fl_type_is_ordered(a->type))
        return false;
    bool is_straight = fl_col_set_has(&node->inputs[0]->made, a->col);
    ret_sides[0] = is_straight ? a->col : b->col;
    ret_sides[1] = is_straight ? b->col : a->col;
    return fl_col_set_has(&node->inputs[0]->made, ret_sides[0]) && fl_col_set_has(&node->inputs[1]->made, ret_sides[1]);
}

const fl_expr *fl_join_merge_key(const fl_node *node, int32_t k, fl_col_id *ret_sides)
{
    const fl_join_attrs *join = fl_join_of(node);
    FL_ASSERT(k < join->n_order && join->order[k].expr->kind == FL_EXPR_COLUMN);
    for (int32_t i = 0; i < join->n_conjuncts; i++)
        if (fl_join_equality(node, join->conjuncts[i], ret_sides) &&
            fl_col_is_equal(ret_sides[0], join->order[k].expr->col))
            return join->conjuncts[i];
    FL_ASSERT(!"each key of a merge join's order is the left side of an equality");
    return NULL;
}

static bool is_merge(const fl_node *node)
{
    return fl_trait_get(node->traits, &fl_trait_implementation) == FL_IMPL_MERGE;
}

bool fl_join_keeps_left_order(const fl_node *node)
{
    const fl_join_attrs *join = fl_join_of(node);
    if (fl_trait_get(node->traits, &fl_trait_convention) == FL_LOGICAL) /* merged, it would */
        return join->kind != FL_JOIN_RIGHT && join->kind != FL_JOIN_FULL;
    return is_merge(node) || join->kind == FL_JOIN_INNER || join->kind == FL_JOIN_MARK ||
           ((join->kind == FL_JOIN_SEMI || join->kind == FL_JOIN_ANTI) && !join->build_left);
}

/* The order of one side that rows are merged by. */
static fl_status merge_order(fl_plan *plan, const fl_node *node, int32_t side, int32_t *ret, fl_err *err)
{
    const fl_join_attrs *join = fl_join_of(node);
    fl_col_id sides[FL_JOIN_ORDER_MAX][2];
    fl_order_key keys[FL_JOIN_ORDER_MAX];
    FL_ASSERT(join->n_order > 0 && join->n_order <= FL_JOIN_ORDER_MAX);
    for (int32_t k = 0; k < join->n_order; k++) {
        fl_join_merge_key(node, k, sides[k]);
        keys[k] = (fl_order_key){.cols = &sides[k][side],
                                 .n_cols = 1,
                                 .is_descending = join->order[k].is_descending,
                                 .nulls_first = join->order[k].nulls_first};
    }
    return fl_ordering_make(plan, keys, join->n_order, ret, err);
}

/* Way 0: the order of the keys of both sides; way 1: of the left one the order that is wanted, which begins with it. */
static fl_status merge_needs(fl_plan *plan, const fl_node *node, int32_t input, const fl_trait_set *want, int32_t way,
                             const fl_trait_set **ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t order = 0, wanted = fl_trait_get(want, &fl_trait_ordering);
    FL_TRY(merge_order(plan, node, input, &order, err));
    if (way > 0 && input == 0) {
        bool goes_on = wanted != order && fl_trait_satisfies(plan, &fl_trait_ordering, wanted, order);
        *ret = NULL;
        return goes_on ? fl_ordering_needs_passed(plan, node, input, want, way, ret, err) : FL_OK;
    }
    st = fl_trait_with(plan, fl_trait_none(plan), &fl_trait_ordering, order, ret, err);
cleanup:
    return st;
}

fl_status fl_join_needs(fl_plan *plan, const fl_node *node, int32_t input, const fl_trait_set *want, int32_t way,
                        const fl_trait_set **ret, fl_err *err)
{
    if (is_merge(node))
        return merge_needs(plan, node, input, want, way, ret, err);
    *ret = NULL;
    if (way > 0 && !fl_join_keeps_left_order(node))
        return FL_OK;
    return fl_ordering_needs_passed(plan, node, input, want, way, ret, err);
}

/* The left input's order; of an inner join each key is the column of the right side as well. */
static fl_status merge_gives(fl_plan *plan, const fl_node *node, int32_t order, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_attrs *join = fl_join_of(node);
    fl_ordering left = fl_ordering_of(plan, order);
    fl_order_key *keys = NULL;
    fl_col_id sides[2];
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), left.n_keys, &keys, err));
    for (int32_t i = 0; i < left.n_keys; i++) {
        fl_col_id *cols = NULL;
        int32_t n = left.keys[i].n_cols;
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n + join->n_order, &cols, err));
        memcpy(cols, left.keys[i].cols, (size_t)n * sizeof(*cols));
        for (int32_t k = 0; k < join->n_order && join->kind == FL_JOIN_INNER; k++) {
            fl_join_merge_key(node, k, sides);
            for (int32_t c = 0; c < left.keys[i].n_cols; c++)
                if (fl_col_is_equal(left.keys[i].cols[c], sides[0])) {
                    cols[n++] = sides[1];
                    break;
                }
        }
        keys[i] = left.keys[i];
        keys[i].cols = cols;
        keys[i].n_cols = n;
    }
    st = fl_ordering_make(plan, keys, left.n_keys, ret, err);
cleanup:
    return st;
}

fl_status fl_join_gives(fl_plan *plan, const fl_node *node, const fl_trait_set *const *inputs, const fl_trait_set **ret,
                        fl_err *err)
{
    fl_status st = FL_OK;
    const fl_trait_set *left = inputs[0];
    int32_t order = fl_trait_get(left, &fl_trait_ordering);
    if (!fl_join_keeps_left_order(node))
        return FL_OK;
    if (is_merge(node)) {
        FL_TRY(merge_gives(plan, node, order, &order, err));
        FL_TRY(fl_trait_with(plan, left, &fl_trait_ordering, order, &left, err));
    }
    st = fl_ordering_gives_passed(plan, node, &left, ret, err);
cleanup:
    return st;
}
