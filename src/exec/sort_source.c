/* Putting out sorted rows. */
#include "exec/sort_source.h"

#define MORSEL_BATCHES 8 /* of rows in memory */

fl_status fl_sort_source_finish(fl_sort_sink *sink, fl_err *err)
{
    fl_sort_source *source = sink->owner;
    return fl_sort_finish(sink, &source->rows, &source->n_rows, err);
}

/* Where merged rows go. */
typedef struct merged_to {
    fl_sort_source *source;
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
    fl_sort_source *source = (fl_sort_source *)base;
    int32_t rows_max = worker->exec->context.session->vector_rows;
    if (source->sink->is_spilled)
        return fl_run_reader_next(local, &source->sink->runs, &source->next_range, worker, emit_merged,
                                  &(merged_to){source, to}, ret_any, err);
    int64_t step = (int64_t)rows_max * MORSEL_BATCHES, start = atomic_fetch_add(&source->next_row, step);
    *ret_any = start < source->n_rows;
    worker->morsel = start / step;
    int64_t stop = start + step < source->n_rows ? start + step : source->n_rows;
    for (int64_t at = start; at < stop; at += rows_max) {
        int64_t end = at + rows_max < stop ? at + rows_max : stop;
        FL_TRY(fl_sort_emit(source->sink, base->node, worker, to, source->rows + at, (int32_t)(end - at), err));
    }
    if (*ret_any && atomic_fetch_add(&source->n_out, stop - start) + stop - start == source->n_rows) {
        fl_sort_forget(source->sink, worker);
        fl_free(source->rows);
        source->rows = NULL;
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
    fl_free(((fl_sort_source *)base)->rows);
}

static bool has_large_morsels(const fl_source *base)
{
    return ((const fl_sort_source *)base)->sink->is_spilled; /* ranges of the merged rows */
}

static const fl_source_ops source_ops = {.local_new = local_new,
                                         .run = run,
                                         .has_large_morsels = has_large_morsels,
                                         .local_free = local_free,
                                         .free = source_free};

fl_status fl_sort_source_new(fl_exec *exec, const fl_node *node, fl_sort_source **ret, fl_err *err)
{
    return fl_exec_add_source(exec, &source_ops, (int64_t)sizeof(**ret), node, ret, err);
}
