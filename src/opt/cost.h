/* The cost of running a plan: one model for all operators.
 *
 * An operator says how often it does which kind of work (fl_op_desc.cost); a table says what each kind takes on a machine of today
 * (bench/calibrate_cost.py measures it). Times are those of all workers together: a plan is not dearer because it runs on
 * one worker. They serve to compare plans, not to foretell when a query ends. */
#ifndef FL_OPT_COST_H
#define FL_OPT_COST_H

#include "plan/node.h"

typedef enum fl_cost_kind {
    FL_COST_ROW,        /* a row passed on or put out */
    FL_COST_READ,       /* a value read from a table */
    FL_COST_TEST,       /* a condition on numbers, for one row */
    FL_COST_TEST_TEXT,  /* a condition on text */
    FL_COST_COMPUTE,    /* an expression's value */
    FL_COST_BUILD,      /* a row put into a join's table */
    FL_COST_PROBE,      /* a row looked for in it */
    FL_COST_FILTER_ROW, /* a row held against a run-time filter */
    FL_COST_PAIR,       /* two rows compared by a nested loop */
    FL_COST_MERGE,      /* a row of either input gone past by a merge */
    FL_COST_GROUP,      /* a row's group found by hashing */
    FL_COST_PLACE,      /* a row's group found by an index */
    FL_COST_RUN,        /* a row's group is that of the row before it, or a new one */
    FL_COST_RUN_GROUP,  /* a row's group found among those of its run */
    FL_COST_AGGREGATE,  /* a row added to one aggregate */
    FL_COST_SORT,       /* a row moved once by a sort: n log n of them */
    FL_COST_HEAP,       /* a row compared with the worst that is kept */
    FL_COST_KEEP        /* a value copied to rows that are kept */
} fl_cost_kind;

/** Adds work that is done so many times. */
void fl_cost_add(fl_cost *cost, fl_cost_kind kind, double times);

/** The same where each time a place of so many bytes is gone to at random: beyond the caches it takes longer. The bytes are
 *  not added. */
void fl_cost_add_random(fl_cost *cost, fl_cost_kind kind, double times, double bytes);

/** Adds rows that are kept: their copying, and the memory. */
void fl_cost_add_kept(fl_cost *cost, double rows, int32_t n_cols);

/** Adds conditions, each for the rows that those before it leave. */
void fl_cost_add_tests(const fl_plan *plan, const fl_expr *const *conjuncts, int32_t n, double rows, fl_cost *cost);

/** The bytes of a kept row of so many columns. */
double fl_cost_row_bytes(int32_t n_cols);

/** What the node itself costs, its inputs left out. Never less than fl_cost_bound of its rows. */
fl_cost fl_cost_of(const fl_plan *plan, const fl_node *node);

/** All of a cost in one number, by which plans are compared. */
double fl_cost_total(const fl_cost *cost);

/** What no plan is below that puts out so many rows. */
double fl_cost_bound(double rows);

void fl_cost_sum(fl_cost *to, const fl_cost *cost);

#endif
