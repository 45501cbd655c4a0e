/* What became of the calls of one run: rows, by function or aggregate and by how they were done ("interpreted", "compiled"). EXPLAIN ANALYZE
 * shows it of those that can be called in more than one way; functions add to it when a worker is through, aggregates as they go. Thread-safe. */
#ifndef FL_PLAN_CALL_TALLY_H
#define FL_PLAN_CALL_TALLY_H

#include "plan/func.h"

#include <pthread.h>

typedef struct fl_call_tally_entry {
    const void *callee; /* an fl_func_desc or fl_agg_desc */
    const char *how;    /* a literal */
    int64_t rows;
} fl_call_tally_entry;

typedef struct fl_call_tally {
    pthread_mutex_t lock; /* guards what follows, while the run is under way */
    fl_call_tally_entry *entries;
    int64_t capacity;
    int32_t n;
} fl_call_tally;

void fl_call_tally_init(fl_call_tally *tally);
void fl_call_tally_drop(fl_call_tally *tally);

/** Adds rows; `tally` NULL, or none of them: does nothing. What there is no memory for is left out. */
void fl_call_tally_add(fl_call_tally *tally, const void *callee, const char *how, int64_t rows);

#endif
