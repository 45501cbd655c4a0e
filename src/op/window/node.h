/* window: functions of rows near each row: of its partition, in an order. All rows come out, with the functions' results behind their
 * columns, in the order of partition and order keys; equal ones keep the order of the input.
 *
 * Functions that share partition and order are computed by one node. Its expressions are columns of the input or read none. */
#ifndef FL_OP_WINDOW_NODE_H
#define FL_OP_WINDOW_NODE_H

#include "plan/node.h"

typedef struct fl_window_attrs {
    int32_t n_partition;
    const fl_expr *const *partition;
    int32_t n_order;
    const fl_sort_key *order;
    int32_t n_functions;
    const fl_agg *functions; /* each with a frame */
    int64_t
        limit; /* rows of a partition behind its first ones, so many, may be left out, but for peers of the last; -1: none */
} fl_window_attrs;

/* fl_agg_desc.window of functions that are called over windows only. */
typedef enum fl_window_function {
    FL_OVER_NONE,
    FL_OVER_ROW_NUMBER,
    FL_OVER_RANK,
    FL_OVER_DENSE_RANK,
    FL_OVER_PERCENT_RANK,
    FL_OVER_CUME_DIST,
    FL_OVER_NTILE,
    FL_OVER_LAG,
    FL_OVER_LEAD,
    FL_OVER_FIRST_VALUE,
    FL_OVER_LAST_VALUE,
    FL_OVER_NTH_VALUE
} fl_window_function;

extern const fl_op_desc fl_op_window;

/** The function of this name, in any case, that is called over windows only; NULL: there is none. */
const fl_agg_desc *fl_window_find(fl_str name);

/** Names of all of them; NULL behind the last. */
const char *fl_window_name(int32_t i);

/** Whether nulls of its argument may be ignored. */
static inline bool fl_window_can_ignore_nulls(const fl_agg_desc *desc)
{
    return desc->window >= FL_OVER_LAG;
}

/** Whether the frame decides what it gives. */
static inline bool fl_window_has_frame(const fl_agg_desc *desc)
{
    return desc->window == FL_OVER_NONE || desc->window >= FL_OVER_FIRST_VALUE;
}

/** Functions over the input's rows; their results are in functions[i].out. */
fl_status fl_window_build(fl_plan *plan, const fl_node *input, const fl_window_attrs *attrs, const fl_node **ret,
                          fl_err *err);

/** The keys by which its rows are ordered: of the partition, then of the order, each expression once. */
fl_status fl_window_keys(fl_arena *arena, const fl_window_attrs *window, fl_sort_key **ret, int32_t *ret_n,
                         fl_err *err);

static inline const fl_window_attrs *fl_window_of(const fl_node *node)
{
    return node->attrs;
}

#endif
