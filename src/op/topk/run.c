/* topk: each worker keeps about its best offset + limit rows; finish() sorts what is left of all and cuts. */
#include "op/topk/node.h"

#include "exec/collect.h"

typedef struct topk_source {
    fl_source base;
    fl_sort_sink *sink;
    uint8_t **rows;
    int64_t next;
    int64_t end;
} topk_source;

static fl_status finish(fl_sort_sink *sink, fl_err *err)
{
    fl_status st = FL_OK;
    topk_source *source = sink->owner;
    const fl_topk_attrs *attrs = fl_topk_of(source->base.node);
    int64_t n = 0;
    FL_TRY(fl_sort_gather(sink, &source->rows, &n, err));
    FL_TRY(fl_sort_rows(sink->exec, &sink->layout, sink->columns, sink->n_keys, source->rows, n,
                        sink->exec->context.memory, err));
    source->next = attrs->offset < n ? attrs->offset : n;
    source->end = n - source->next > attrs->limit ? source->next + attrs->limit : n;
cleanup:
    return st;
}

static fl_status run(fl_source *base, fl_worker *worker, void *local, fl_stage *to, bool *ret_any, fl_err *err)
{
    (void)local;
    fl_status st = FL_OK;
    topk_source *source = (topk_source *)base;
    int32_t rows_max = worker->exec->context.session->vector_rows;
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
    fl_free(((topk_source *)base)->rows);
}

static const fl_source_ops source_ops = {.run = run, .free = source_free};

static fl_status build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    topk_source *source = NULL;
    const fl_topk_attrs *attrs = fl_topk_of(node);
    FL_TRY(fl_exec_add_source(exec, &source_ops, (int64_t)sizeof(*source), node, &source, err));
    source->base.workers_max = 1;
    int64_t keep = attrs->limit + attrs->offset;
    FL_TRY(fl_sort_sink_build(exec, node, attrs->keys, attrs->n_keys, keep < 1 ? 1 : keep, finish, source,
                              &source->sink, err));
    FL_TRY(fl_exec_wait_for(exec, &source->base.waits, &source->sink->base, err));
    st = fl_exec_add_pipeline(exec, &source->base, next, err);
cleanup:
    return st;
}

const fl_op_exec fl_topk_exec = {.build = build};
