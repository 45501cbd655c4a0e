/* What puts out the rows of a sort's sink (exec/collect.h): from memory in pieces, or merged from runs by ranges, each by a worker.
 *
 *     FL_TRY(fl_sort_source_new(exec, node, &source, err));
 *     FL_TRY(fl_sort_sink_build(exec, node, keys, n_keys, 0, false, fl_sort_source_finish, source, &source->sink, err));
 *     FL_TRY(fl_exec_wait_for(exec, &source->base.waits, &source->sink->base, err));
 *     FL_TRY(fl_exec_add_pipeline(exec, &source->base, next, err)); */
#ifndef FL_EXEC_SORT_SOURCE_H
#define FL_EXEC_SORT_SOURCE_H

#include "exec/collect.h"

typedef struct fl_sort_source {
    fl_source base;
    fl_sort_sink *sink;
    uint8_t **rows;
    int64_t n_rows;
    _Atomic int64_t next_row;
    _Atomic int64_t n_out; /* rows that were put out: behind the last one the sink keeps none */
    _Atomic int64_t next_range;
} fl_sort_source;

/** Adds a source of rows of `node`. Its sink is set by the caller. */
fl_status fl_sort_source_new(fl_exec *exec, const fl_node *node, fl_sort_source **ret, fl_err *err);

/** What the sink, whose owner is the source, is finished by. */
fl_status fl_sort_source_finish(fl_sort_sink *sink, fl_err *err);

#endif
