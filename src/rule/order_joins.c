/* order_joins: each region of joins in the order of least cost (opt/join_order.h); no operator is made before that is found. */
#include "op/join/node.h"
#include "rule/join_region.h"

static fl_status to_plan(const fl_join_region *r, const fl_join_tree *tree, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *left = NULL, *right = NULL;
    if (tree->relation >= 0) {
        *ret = r->relations[tree->relation];
        return FL_OK;
    }
    FL_TRY(to_plan(r, tree->left, &left, err));
    FL_TRY(to_plan(r, tree->right, &right, err));
    FL_TRY(fl_join_region_join(r, tree, left, right, ret, err));
    FL_ASSERT(*ret != NULL); /* nothing was taken away from the relations, and the sides may meet */
cleanup:
    return st;
}

/* The region in the query's order, over what became of its relations. */
static fl_status keep_order(const fl_join_region *r, const fl_node *node, int32_t *n_seen, const fl_node **ret,
                            fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *inputs[2];
    if (!fl_join_is_ordered(node, r->has_outer)) {
        *ret = r->relations[(*n_seen)++];
        return FL_OK;
    }
    FL_TRY(keep_order(r, node->inputs[0], n_seen, &inputs[0], err));
    FL_TRY(keep_order(r, node->inputs[1], n_seen, &inputs[1], err));
    st = fl_node_with_inputs(r->regions->plan, node, inputs, ret, err);
cleanup:
    return st;
}

static fl_status order_region(fl_join_region *r, const fl_node *node, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_tree *tree = NULL;
    const fl_node *joined = NULL;
    int32_t n_seen = 0;
    bool can_order = false;
    FL_TRY(fl_join_region_prepare(r, node, &can_order, err));
    if (can_order)
        FL_TRY(fl_join_order(&r->graph, &tree, err));
    if (tree == NULL)
        return keep_order(r, node, &n_seen, ret, err);
    FL_TRY(to_plan(r, tree, &joined, err));
    st = fl_node_with_cols(r->regions->plan, joined, node->cols, node->n_cols, ret, err);
cleanup:
    return st;
}

/* Orders every region below and including the node. */
static fl_status order(fl_join_regions *o, const fl_node *node, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node **inputs = NULL;
    fl_join_region *r = NULL;
    *ret = o->done[node->id];
    if (*ret != NULL)
        return FL_OK;
    FL_TRY(FL_NEW(o->scratch, &r, err));
    r->regions = o;
    if (fl_join_region_measure(r, node)) {
        FL_TRY(order_region(r, node, ret, err));
    } else {
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(o->plan), node->n_inputs, &inputs, err));
        for (int32_t i = 0; i < node->n_inputs; i++)
            FL_TRY(order(o, node->inputs[i], &inputs[i], err));
        FL_TRY(fl_node_with_inputs(o->plan, node, inputs, ret, err));
    }
    o->done[node->id] = *ret;
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *out = NULL;
    fl_join_regions regions;
    FL_TRY(fl_join_regions_init(&regions, call, err));
    regions.of_relation = order;
    FL_TRY(order(&regions, call->root, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_order_joins = {FL_DESC(fl_rule_desc),    .name = "order_joins",
                                          .phase = "join_order",    .pattern = "root",
                                          .scope = FL_SCOPE_GLOBAL, .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
                                          .on_match = on_match,     .doc = "joins in the order of least cost"};
