/* materialize: the first node of a key that is built gathers the input's rows; each reads them, piece by piece, from memory or from the
 * disk, and waits for the gathering. */
#include "op/materialize/gather.h"
#include "op/materialize/node.h"

#define MORSEL_ROWS 16384

typedef struct read_source {
    fl_source base;
    const fl_gather *gather;
    int32_t *from; /* per output column: of the gathered ones */
    _Atomic int64_t next;
} read_source;

/* Where rows go that come back from the disk. */
typedef struct merged_to {
    read_source *source;
    fl_stage *to;
} merged_to;

static fl_status emit_merged(void *ctx, fl_worker *worker, uint8_t **rows, int32_t n, fl_err *err)
{
    fl_status st = FL_OK;
    const merged_to *m = ctx;
    const fl_node *node = m->source->base.node;
    fl_vec *vecs = NULL;
    fl_arena_reset(&worker->arena);
    FL_TRY(FL_NEW_ARRAY(&worker->arena, node->n_cols + 1, &vecs, err));
    for (int32_t c = 0; c < node->n_cols; c++)
        FL_TRY(fl_rows_read(&m->source->gather->layout, m->source->from[c], rows, n, &worker->arena, &vecs[c], err));
    fl_batch batch = {.rows = n, .cols = node->n_cols, .vec = vecs, .kept = n};
    st = fl_push(node, m->to, worker, &batch, err);
cleanup:
    return st;
}

/* The i-th piece of all segments. */
static bool find_piece(const fl_gather *gather, int64_t i, const fl_segment **ret, int64_t *ret_start)
{
    for (int64_t s = 0; s < gather->n_segments; s++) {
        int64_t pieces = (gather->segments[s]->rows + MORSEL_ROWS - 1) / MORSEL_ROWS;
        if (i < pieces) {
            *ret = gather->segments[s];
            *ret_start = i * MORSEL_ROWS;
            return true;
        }
        i -= pieces;
    }
    return false;
}

static fl_status run(fl_source *base, fl_worker *worker, void *local, fl_stage *to, bool *ret_any, fl_err *err)
{
    fl_status st = FL_OK;
    read_source *source = (read_source *)base;
    const fl_node *node = base->node;
    const fl_segment *segment = NULL;
    int64_t start = 0, rows_max = worker->exec->context.session->vector_rows;
    if (source->gather->is_spilled)
        return fl_run_reader_next(local, &source->gather->runs, &source->next, worker, emit_merged,
                                  &(merged_to){source, to}, ret_any, err);
    worker->morsel = atomic_fetch_add(&source->next, 1);
    *ret_any = find_piece(source->gather, worker->morsel, &segment, &start);
    if (!*ret_any)
        return FL_OK;
    int64_t end = start + MORSEL_ROWS < segment->rows ? start + MORSEL_ROWS : segment->rows;
    while (start < end) {
        int64_t rows = end - start < rows_max ? end - start : rows_max;
        fl_vec *vecs = NULL;
        fl_arena_reset(&worker->arena);
        FL_TRY(FL_NEW_ARRAY(&worker->arena, node->n_cols + 1, &vecs, err));
        for (int32_t c = 0; c < node->n_cols; c++)
            FL_TRY(fl_vec_slice(&worker->arena, &segment->vecs[source->from[c]], start, rows, &vecs[c], err));
        fl_batch batch = {.rows = (int32_t)rows, .cols = node->n_cols, .vec = vecs, .kept = (int32_t)rows};
        FL_TRY(fl_push(node, to, worker, &batch, err));
        start += rows;
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

static const fl_source_ops source_ops = {.local_new = local_new, .run = run, .local_free = local_free};

static fl_status build_gather(fl_exec *exec, const fl_node *node, fl_gather **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_materialize_attrs *attrs = fl_materialize_of(node);
    FL_TRY(fl_gather_new(exec, attrs->from, attrs->n_from, node->inputs[0], FL_SEGMENT_TABLE, exec->context.memory, ret,
                         err));
    FL_TRY(fl_gather_let_spill(*ret, node, err));
    FL_TRY(fl_exec_build(exec, node->inputs[0], &(*ret)->base, err));
    FL_TRY(fl_exec_add_finish(exec, &(*ret)->base, err));
cleanup:
    return st;
}

static fl_status build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_materialize_attrs *attrs = fl_materialize_of(node);
    read_source *source = NULL;
    fl_gather *made = NULL;
    void **known = NULL;
    FL_TRY(fl_exec_place(exec, fl_materialize_key(node), &known, err));
    if (*known == NULL) {
        FL_TRY(build_gather(exec, node, &made, err));
        *known = made;
    }
    FL_TRY(fl_exec_add_source(exec, &source_ops, (int64_t)sizeof(*source), node, &source, err));
    source->gather = *known;
    FL_TRY(fl_exec_wait_for(exec, &source->base.waits, &source->gather->base, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, node->n_cols + 1, &source->from, err));
    for (int32_t c = 0; c < node->n_cols; c++)
        for (int32_t i = 0; i < attrs->n_cols; i++)
            if (fl_col_is_equal(attrs->cols[i], node->cols[c]))
                source->from[c] = i;
    st = fl_exec_add_pipeline(exec, &source->base, next, err);
cleanup:
    return st;
}

const fl_op_exec fl_materialize_exec = {.build = build};
