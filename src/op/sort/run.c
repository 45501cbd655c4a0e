/* sort: collects all rows, puts pointers to them in the input's order, sorts these by all workers, and puts the rows out. Rows that
 * left memory are merged by ranges, each by a worker. */
#include "op/sort/node.h"

#include "exec/collect.h"
#include "exec/eval.h"
#include "exec/exec.h"
#include "exec/sorter.h"

typedef struct sort_source {
    fl_source base;
    fl_sort_sink *sink;
    uint8_t **rows;
    int64_t n_rows;
    _Atomic int64_t next_row;
    _Atomic int64_t next_range;
} sort_source;

static fl_status finish(fl_sort_sink *sink, fl_err *err)
{
    sort_source *source = sink->owner;
    return fl_sort_finish(sink, &source->rows, &source->n_rows, err);
}

/* Where merged rows go. */
typedef struct merged_to {
    sort_source *source;
    fl_stage *to;
} merged_to;

static fl_status emit_merged(void *ctx, fl_worker *worker, uint8_t **rows, int32_t n, fl_err *err)
{
    const merged_to *m = ctx;
    return fl_sort_emit(m->source->sink, m->source->base.node, worker, m->to, rows, n, err);
}

static fl_status run(fl_source *base, fl_worker *worker, void *local, fl_stage *to, bool *ret_any, fl_err *err)
{
    fl_status st = FL_OK;
    sort_source *source = (sort_source *)base;
    int32_t rows_max = worker->exec->context.session->vector_rows;
    if (source->sink->is_spilled)
        return fl_run_reader_next(local, &source->sink->runs, &source->next_range, worker, emit_merged,
                                  &(merged_to){source, to}, ret_any, err);
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

static fl_status local_new(fl_source *base, fl_worker *worker, void **ret, fl_err *err)
{
    (void)base;
    return fl_alloc_zero(worker->exec->context.memory, (int64_t)sizeof(fl_run_reader), ret, err);
}

static void local_free(fl_source *base, void *ptr)
{
    (void)base;
    fl_run_reader_drop(ptr);
    fl_free(ptr);
}

static void source_free(fl_source *base)
{
    fl_free(((sort_source *)base)->rows);
}

static const fl_source_ops source_ops = {
    .local_new = local_new, .run = run, .local_free = local_free, .free = source_free};

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
