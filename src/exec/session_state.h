/* What a running statement knows of its session: settings that kernels and operators read. Immutable during a run. */
#ifndef FL_EXEC_SESSION_STATE_H
#define FL_EXEC_SESSION_STATE_H

#include "plan/plan.h"

typedef struct fl_session_state {
    int64_t now_us;      /* the statement's start: now(), current_date */
    int32_t vector_rows; /* rows of a batch */
    int32_t threads;
    uint64_t seed;          /* of the tables' hash */
    int64_t rounds_max;     /* of a recursion; 0: any number */
    const fl_value *params; /* values of $1 … */
    int32_t n_params;
    struct fl_sequences *sequences;       /* NULL: there are none, as where the optimizer tries something */
    const struct fl_session_facts *facts; /* NULL: there are none, as where the optimizer tries something */
    struct fl_call_tally *tally;          /* gets what becomes of calls; NULL: nobody asks */
    struct fl_metrics
        *metrics; /* where evaluations are counted; NULL: they are not, as what the optimizer tries is not */
} fl_session_state;

#endif
