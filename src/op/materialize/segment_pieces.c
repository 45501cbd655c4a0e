/* Pieces of segments. */
#include "op/materialize/segment_pieces.h"

#define PIECE_ROWS 16384

static int64_t pieces_of(const fl_segment *segment)
{
    return (segment->rows + PIECE_ROWS - 1) / PIECE_ROWS;
}

int64_t fl_segment_piece_count(fl_segment *const *segments, int64_t n_segments)
{
    int64_t n = 0;
    for (int64_t s = 0; s < n_segments; s++)
        n += pieces_of(segments[s]);
    return n;
}

bool fl_segment_piece_find(fl_segment *const *segments, int64_t n_segments, int64_t i, fl_segment_piece *ret)
{
    for (int64_t s = 0; s < n_segments; s++) {
        int64_t rows = segments[s]->rows, pieces = pieces_of(segments[s]);
        if (i < pieces) {
            int64_t start = i * PIECE_ROWS;
            *ret = (fl_segment_piece){segments[s], start, start + PIECE_ROWS < rows ? start + PIECE_ROWS : rows, NULL};
            return true;
        }
        i -= pieces;
    }
    return false;
}

fl_status fl_segment_piece_push(const fl_segment_piece *piece, const fl_node *node, const int32_t *from,
                                fl_worker *worker, fl_stage *to, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t rows_max = worker->exec->context.session->vector_rows;
    FL_ASSERT(piece->start >= 0 && piece->end <= piece->segment->rows);
    for (int64_t start = piece->start; start < piece->end; start += rows_max) {
        int64_t rows = piece->end - start < rows_max ? piece->end - start : rows_max;
        fl_vec *vecs = NULL;
        fl_arena_reset(&worker->arena);
        FL_TRY(FL_NEW_ARRAY(&worker->arena, node->n_cols + 1, &vecs, err));
        for (int32_t c = 0; c < node->n_cols; c++)
            FL_TRY(fl_vec_slice(&worker->arena, &piece->segment->vecs[from[c]], start, rows, &vecs[c], err));
        fl_batch batch = {.rows = (int32_t)rows, .cols = node->n_cols, .vec = vecs, .kept = (int32_t)rows};
        if (piece->live != NULL) {
            uint64_t *mask = NULL;
            FL_TRY(fl_arena_get(&worker->arena, fl_bitmap_words(rows) * 8 + 8, (void **)&mask, err));
            fl_bitmap_copy(mask, piece->live, start, rows);
            batch.mask = mask;
            batch.kept = (int32_t)fl_bitmap_count(mask, rows);
        }
        if (batch.kept > 0)
            FL_TRY(fl_push(node, to, worker, &batch, err));
    }
cleanup:
    return st;
}
