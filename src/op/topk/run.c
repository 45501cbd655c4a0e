/* topk: each worker keeps about its best offset + limit rows; finish() sorts what is left of all and cuts. Rows that left memory are
 * merged, as far as they are wanted. */
#include "op/topk/node.h"

#include "exec/collect.h"

#define MORSEL_BATCHES 8 /* of merged rows */
#define LARGE_ROWS 65536 /* that are put out as one morsel */

typedef struct topk_source {
    fl_source base;
    fl_sort_sink *sink;
    uint8_t **rows; /* all; or, when they left memory, a batch */
    int64_t next;
    int64_t end;
    fl_run_merger *merger; /* one worker at a time */
    int64_t next_range, next_morsel;
} topk_source;

static fl_status begin_merging(topk_source *source, fl_err *err)
{
    fl_status st = FL_OK;
    fl_exec *exec = source->sink->exec;
    FL_TRY(fl_alloc(exec->context.memory, exec->context.session->vector_rows * (int64_t)sizeof(*source->rows),
                    (void **)&source->rows, err));
    st = fl_run_merger_new(&source->sink->runs, &source->merger, err);
cleanup:
    return st;
}

static fl_status finish(fl_sort_sink *sink, fl_err *err)
{
    fl_status st = FL_OK;
    topk_source *source = sink->owner;
    const fl_topk_attrs *attrs = fl_topk_of(source->base.node);
    int64_t n = 0;
    FL_TRY(fl_sort_finish(sink, &source->rows, &n, err));
    if (sink->is_spilled) {
        for (int64_t r = 0; r < sink->runs.n; r++)
            n += sink->runs.items[r].rows.rows;
        FL_TRY(begin_merging(source, err));
    }
    source->next = attrs->offset < n ? attrs->offset : n;
    source->end = n - source->next > attrs->limit ? source->next + attrs->limit : n;
    if (sink->is_spilled)
        source->next = 0; /* rows in front of the first are read, too */
cleanup:
    return st;
}

/* The next rows in their order, from range to range. */
static fl_status merge_some(topk_source *source, int32_t rows_max, int32_t *ret_n, fl_err *err)
{
    fl_status st = FL_OK;
    *ret_n = 0;
    if (source->next_range == 0)
        FL_TRY(fl_run_merger_seek(source->merger, source->next_range++, err));
    for (;;) {
        FL_TRY(fl_run_merger_next(source->merger, rows_max, source->rows, ret_n, err));
        if (*ret_n > 0 || source->next_range == source->sink->runs.n_ranges)
            break;
        FL_TRY(fl_run_merger_seek(source->merger, source->next_range++, err));
    }
cleanup:
    return st;
}

static fl_status run_merged(topk_source *source, fl_worker *worker, fl_stage *to, bool *ret_any, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t offset = fl_topk_of(source->base.node)->offset;
    int32_t rows_max = worker->exec->context.session->vector_rows;
    *ret_any = source->next < source->end;
    worker->morsel = source->next_morsel++;
    for (int32_t batch = 0; batch < MORSEL_BATCHES && source->next < source->end;) {
        int32_t n = 0;
        int64_t left = source->end - source->next;
        FL_TRY(fl_exec_check(worker->exec, err));
        FL_TRY(merge_some(source, left < rows_max ? (int32_t)left : rows_max, &n, err));
        int64_t skipped = offset - source->next < n ? offset - source->next : n;
        FL_ASSERT(n > 0);
        source->next += n;
        if (skipped == n)
            continue;
        skipped = skipped > 0 ? skipped : 0;
        FL_TRY(fl_sort_emit(source->sink, source->base.node, worker, to, source->rows + skipped, n - (int32_t)skipped,
                            err));
        batch++;
    }
cleanup:
    return st;
}

static fl_status run(fl_source *base, fl_worker *worker, void *local, fl_stage *to, bool *ret_any, fl_err *err)
{
    (void)local;
    fl_status st = FL_OK;
    topk_source *source = (topk_source *)base;
    int32_t rows_max = worker->exec->context.session->vector_rows;
    if (source->sink->is_spilled)
        return run_merged(source, worker, to, ret_any, err);
    *ret_any = source->next < source->end;
    while (source->next < source->end) {
        int64_t left = source->end - source->next;
        int32_t count = left < rows_max ? (int32_t)left : rows_max;
        FL_TRY(fl_sort_emit(source->sink, base->node, worker, to, source->rows + source->next, count, err));
        source->next += count;
    }
cleanup:
    return st;
}

static void source_free(fl_source *base)
{
    topk_source *source = (topk_source *)base;
    fl_run_merger_free(source->merger);
    fl_free(source->rows);
}

static bool has_large_morsels(const fl_source *base)
{
    const topk_source *source = (const topk_source *)base;
    return !source->sink->is_spilled && source->end - source->next > LARGE_ROWS;
}

static const fl_source_ops source_ops = {.run = run, .has_large_morsels = has_large_morsels, .free = source_free};

static fl_status build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    topk_source *source = NULL;
    const fl_topk_attrs *attrs = fl_topk_of(node);
    FL_TRY(fl_exec_add_source(exec, &source_ops, (int64_t)sizeof(*source), node, &source, err));
    source->base.workers_max = 1;
    int64_t keep = attrs->limit + attrs->offset;
    FL_TRY(fl_sort_sink_build(exec, node, attrs->keys, attrs->n_keys, keep < 1 ? 1 : keep, attrs->filters_scan, finish,
                              source, &source->sink, err));
    FL_TRY(fl_exec_wait_for(exec, &source->base.waits, &source->sink->base, err));
    st = fl_exec_add_pipeline(exec, &source->base, next, err);
cleanup:
    return st;
}

const fl_op_exec fl_topk_exec = {.build = build};
