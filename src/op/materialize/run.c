/* materialize: the first node of a key that is built gathers the input's rows; each reads them, piece by piece, from memory or from the
 * disk, and waits for the gathering. */
#include "op/materialize/gather.h"
#include "op/materialize/node.h"
#include "op/materialize/segment_pieces.h"

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

static fl_status run(fl_source *base, fl_worker *worker, void *local, fl_stage *to, bool *ret_any, fl_err *err)
{
    read_source *source = (read_source *)base;
    const fl_gather *gather = source->gather;
    fl_segment_piece piece;
    if (gather->is_spilled)
        return fl_run_reader_next(local, &gather->runs, &source->next, worker, emit_merged, &(merged_to){source, to},
                                  ret_any, err);
    worker->morsel = atomic_fetch_add(&source->next, 1);
    *ret_any = fl_segment_piece_find(gather->segments, gather->n_segments, worker->morsel, &piece);
    return *ret_any ? fl_segment_piece_push(&piece, base->node, source->from, worker, to, err) : FL_OK;
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

static bool has_large_morsels(const fl_source *base)
{
    return ((const read_source *)base)->gather->is_spilled; /* ranges of rows */
}

static const fl_source_ops source_ops = {
    .local_new = local_new, .run = run, .has_large_morsels = has_large_morsels, .local_free = local_free};

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
