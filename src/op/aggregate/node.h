/* aggregate: groups by keys and computes aggregates. Without keys: one row always. Without aggregates: DISTINCT. */
#ifndef FL_OP_AGGREGATE_NODE_H
#define FL_OP_AGGREGATE_NODE_H

#include "plan/node.h"

typedef struct fl_aggregate_attrs {
    int32_t n_keys;
    const fl_expr *const *keys;
    int32_t n_cols; /* same as n_keys: ids of the key columns put out */
    const fl_col_id *cols;
    int32_t n_aggs;
    const fl_agg *aggs;
    bool is_early;   /* taken apart already, by eager_aggregate or aggregate_union, which do so once */
    int32_t n_order; /* lowered to runs: the order in which the rows come, of columns: all keys, or the first ones */
    const fl_sort_key *order;
} fl_aggregate_attrs;

extern const fl_op_desc fl_op_aggregate;

/** ret_cols[i] holds keys[i] (a plain column keeps its id); aggregates are in aggs[i].out. */
fl_status fl_aggregate_build(fl_plan *plan, const fl_node *input, const fl_expr *const *keys, const fl_str *names,
                             int32_t n_keys, const fl_agg *aggs, int32_t n_aggs, fl_col_id *ret_cols,
                             const fl_node **ret, fl_err *err);

/** DISTINCT over the given columns of the input. */
fl_status fl_distinct_build(fl_plan *plan, const fl_node *input, const fl_col_id *cols, int32_t n, const fl_node **ret,
                            fl_err *err);

/** Whether statistics say that the keys' combinations are few enough to be an index into an array of groups. ret (may be
 *  NULL) gets the bounds of each key, unknown for strings: their dictionaries' codes count. Bounds are hints. */
bool fl_aggregate_has_places(const fl_plan *plan, const fl_node *node, fl_bounds *ret);

/** Whether rows are added to the aggregate's state as they come: no DISTINCT, no order. */
bool fl_aggregate_is_direct(const fl_agg *agg);

/** The order of as many keys as possible in which the input's rows are known to come, or can be asked for, in the plan's arena: of all, so
 *  that groups are runs, or of some. ret_n 0: there is none, or the aggregates cannot be computed so. ret_places (may be NULL): which of
 *  the keys each is, and behind these the others; [n_keys]. */
fl_status fl_aggregate_find_order(fl_plan *plan, const fl_node *node, const fl_sort_key **ret, int32_t *ret_n,
                                  const int32_t **ret_places, fl_err *err);

/** fl_op_desc.has_choice, .needs and .gives. */
fl_status fl_aggregate_has_choice(fl_plan *plan, const fl_node *node, bool *ret, fl_err *err);
fl_status fl_aggregate_needs(fl_plan *plan, const fl_node *node, int32_t input, const fl_trait_set *want, int32_t way,
                             const fl_trait_set **ret, fl_err *err);
fl_status fl_aggregate_gives(fl_plan *plan, const fl_node *node, const fl_trait_set *const *inputs,
                             const fl_trait_set **ret, fl_err *err);

static inline const fl_aggregate_attrs *fl_aggregate_of(const fl_node *node)
{
    return node->attrs;
}

#endif
