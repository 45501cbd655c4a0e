/* recursion: the rows of the first input, then of the second again and again, as long as it makes any. In it stand working_tables of the
 * same number, which hold the rows of the round before.
 *
 *     first:  1        second: i + 1 of the working table, where i < 3
 *     rounds: 1 | 2 | 3 | none
 *
 * Without `is_all` a row comes once, whatever round makes it again (UNION).
 *
 * With keys (USING KEY) there is one row of each key, the one that was made last, and rows come when all rounds are over. What
 * working_tables hold is the rows of the round before, without `is_all` the one of each key and only where it was not there before;
 * `recurring` ones hold all rows so far. */
#ifndef FL_OP_RECURSION_NODE_H
#define FL_OP_RECURSION_NODE_H

#include "plan/node.h"

typedef struct fl_recursion_attrs {
    int64_t number; /* tells it from others of the plan */
    bool is_all;
    int64_t n_keys; /* the first columns; -1: it has none */
    int32_t n_cols;
    const fl_col_id *cols; /* made */
    int32_t n_first;       /* same as n_cols: which columns of the inputs they are made of */
    const fl_col_id *first;
    int32_t n_step;
    const fl_col_id *step;
} fl_recursion_attrs;

extern const fl_op_desc fl_op_recursion;

/** n columns of each side, of the same types; the first n_keys are the keys, where it is not -1. ret_cols[i] is the result's i-th column. */
fl_status fl_recursion_build(fl_plan *plan, int64_t number, bool is_all, int64_t n_keys, const fl_node *first,
                             const fl_col_id *first_cols, const fl_node *step, const fl_col_id *step_cols,
                             const fl_str *names, int32_t n, fl_col_id *ret_cols, const fl_node **ret, fl_err *err);

static inline const fl_recursion_attrs *fl_recursion_of(const fl_node *node)
{
    return node->attrs;
}

#endif
