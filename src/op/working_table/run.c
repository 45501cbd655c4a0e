/* working_table: reads the segments of the last round, or of all, piece by piece. */
#include "op/materialize/segment_pieces.h"
#include "op/working_table/node.h"

typedef struct table_source {
    fl_source base;
    const fl_working_rows *rows;
    int32_t *from; /* per output column */
    _Atomic int64_t next;
} table_source;

/* The segments that the source reads. */
static fl_segment *const *segments_of(const table_source *source, int64_t *ret_n)
{
    bool is_recurring = fl_working_table_of(source->base.node)->is_recurring;
    *ret_n = is_recurring ? source->rows->n_all : source->rows->n_segments;
    return is_recurring ? source->rows->all : source->rows->segments;
}

static fl_status run(fl_source *base, fl_worker *worker, void *local, fl_stage *to, bool *ret_any, fl_err *err)
{
    (void)local;
    table_source *source = (table_source *)base;
    int64_t n_segments;
    fl_segment *const *segments = segments_of(source, &n_segments);
    fl_segment_piece piece;
    worker->morsel = atomic_fetch_add(&source->next, 1);
    *ret_any = fl_segment_piece_find(segments, n_segments, worker->morsel, &piece);
    if (*ret_any && (fl_working_table_of(base->node)->is_recurring || source->rows->is_live_only))
        piece.live = piece.segment->live;
    return *ret_any ? fl_segment_piece_push(&piece, base->node, source->from, worker, to, err) : FL_OK;
}

static const fl_source_ops source_ops = {.run = run};

static fl_status build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    table_source *source = NULL;
    const fl_working_table_attrs *attrs = fl_working_table_of(node);
    const fl_working_rows *rows = exec->context.working;
    fl_index_map places;
    fl_segment *const *segments;
    int64_t n_segments, n_pieces;
    while (rows != NULL && rows->number != attrs->number)
        rows = rows->outer;
    if (rows == NULL)
        return FL_FAIL(err, FL_ERR_PLAN, "working_table %lld stands outside of its recursion",
                       (long long)attrs->number);
    FL_TRY(fl_exec_add_source(exec, &source_ops, (int64_t)sizeof(*source), node, &source, err));
    source->rows = rows;
    segments = segments_of(source, &n_segments);
    n_pieces = fl_segment_piece_count(segments, n_segments);
    source->base.workers_max = n_pieces < 1 ? 1 : n_pieces > INT32_MAX ? INT32_MAX : (int32_t)n_pieces;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, node->n_cols + 1, &source->from, err));
    FL_TRY(fl_exec_col_places(exec, attrs->cols, attrs->n_cols, &places, err));
    for (int32_t c = 0; c < node->n_cols; c++)
        source->from[c] = fl_index_map_find(&places, (uint64_t)node->cols[c].n);
    st = fl_exec_add_pipeline(exec, &source->base, next, err);
cleanup:
    return st;
}

const fl_op_exec fl_working_table_exec = {.build = build};
