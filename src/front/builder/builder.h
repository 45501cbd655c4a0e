/* The builder frontend: steps in the order of the calls become one SELECT, wrapped where a step comes "too late" for its
 * clause (a filter behind an aggregate filters the aggregate's rows). The text then goes the way of all SQL, so a query
 * has the same plan, and the same plan hash, whichever frontend wrote it.
 *
 * One thread at a time. The first error is kept. */
#ifndef FL_FRONT_BUILDER_BUILDER_H
#define FL_FRONT_BUILDER_BUILDER_H

#include "base/text.h"

typedef enum fl_step { FL_STEP_FROM, FL_STEP_JOIN, FL_STEP_WHERE, FL_STEP_GROUP, FL_STEP_SELECT, FL_STEP_ORDER, FL_STEP_SKIP, FL_STEP_TAKE } fl_step;

typedef struct fl_steps {
    fl_text from; /* FROM and joins */
    fl_text where;
    fl_text group;
    fl_text select;
    fl_text order;
    int64_t take; /* -1: none */
    int64_t skip; /* 0: none */
    fl_step last; /* the latest clause in use */
    bool is_grouped; /* a group_by waits for its agg */
    fl_status st;
    fl_err err;
} fl_steps;

void fl_steps_init(fl_steps *steps, fl_memory *memory);
void fl_steps_drop(fl_steps *steps);

void fl_steps_from(fl_steps *steps, fl_str table);
void fl_steps_join(fl_steps *steps, fl_str table, fl_str kind, fl_str on);
void fl_steps_where(fl_steps *steps, fl_str condition);
void fl_steps_group_by(fl_steps *steps, fl_str expressions);
void fl_steps_agg(fl_steps *steps, fl_str aggregates);
void fl_steps_select(fl_steps *steps, fl_str expressions);
void fl_steps_order_by(fl_steps *steps, fl_str keys);
void fl_steps_take(fl_steps *steps, int64_t rows);
void fl_steps_skip(fl_steps *steps, int64_t rows);

/** Adds the SELECT to `text`. FL_ERR_SYNTAX for the first step that was wrong. */
fl_status fl_steps_sql(fl_steps *steps, fl_text *text, fl_err *err);

#endif
