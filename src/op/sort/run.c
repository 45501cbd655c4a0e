/* sort: collects all rows, puts pointers to them in the input's order, sorts these by all workers, and puts the rows out. */
#include "op/sort/node.h"

#include "exec/eval.h"
#include "exec/exec.h"
#include "exec/sorter.h"
#include "exec/collect.h"

typedef struct sort_source {
    fl_source base;
    fl_sort_sink *sink;
    uint8_t **rows;
    int64_t n_rows;
    _Atomic int64_t next_row;
} sort_source;

static fl_status finish(fl_sort_sink *sink, fl_err *err)
{
    fl_status st = FL_OK;
    sort_source *source = sink->owner;
    FL_TRY(fl_sort_gather(sink, &source->rows, &source->n_rows, err));
    FL_TRY(fl_sort_rows(sink->exec, &sink->layout, sink->columns, sink->n_keys, source->rows, source->n_rows,
                        sink->exec->context.memory, err));
cleanup:
    return st;
}

static fl_status run(fl_source *base, fl_worker *worker, void *local, fl_stage *to, bool *ret_any, fl_err *err)
{
    (void)local;
    fl_status st = FL_OK;
    sort_source *source = (sort_source *)base;
    int32_t rows_max = worker->exec->context.session->vector_rows;
    int64_t step = (int64_t)rows_max * 8, start = atomic_fetch_add(&source->next_row, step);
    *ret_any = start < source->n_rows;
    worker->morsel = start / step;
    for (int64_t at = start; at < source->n_rows && at < start + step; at += rows_max) {
        int64_t end = at + rows_max < source->n_rows ? at + rows_max : source->n_rows;
        FL_TRY(fl_sort_emit(source->sink, base->node, worker, to, source->rows + at, (int32_t)(end - at), err));
    }
cleanup:
    return st;
}

static void source_free(fl_source *base)
{
    fl_free(((sort_source *)base)->rows);
}

static const fl_source_ops source_ops = {.run = run, .free = source_free};

static fl_status build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    sort_source *source = NULL;
    const fl_sort_attrs *attrs = fl_sort_of(node);
    FL_TRY(fl_exec_add_source(exec, &source_ops, (int64_t)sizeof(*source), node, &source, err));
    FL_TRY(fl_sort_sink_build(exec, node, attrs->keys, attrs->n_keys, 0, finish, source, &source->sink, err));
    FL_TRY(fl_exec_wait_for(exec, &source->base.waits, &source->sink->base, err));
    st = fl_exec_add_pipeline(exec, &source->base, next, err);
cleanup:
    return st;
}

const fl_op_exec fl_sort_exec = {.build = build};
