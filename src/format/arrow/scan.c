/* Scanning Arrow IPC: a batch of the file is a morsel. Of it the wanted columns are read and imported as a stream of one batch is
 * (store/arrow_stream.h), which checks them; batches of the scan are pieces of what came of that. */
#include "format/arrow/schema.h"
#include "format/arrow/table.h"
#include "format/file_scan.h"
#include "store/arrow_stream.h"

#include <errno.h>
#include <stdio.h>

typedef struct arrow_scan {
    fl_file_scan base;
    const fl_arrow_table *table;
} arrow_scan;

typedef struct arrow_worker {
    fl_scan_worker base;
    fl_memory *memory;
    fl_segment *segment; /* the morsel's columns; NULL: there are no rows, or no columns are wanted */
    int64_t rows, row;   /* of the morsel; behind the batch */
    int64_t start;       /* of the batch */
    int32_t batch_rows;
    fl_arena arena; /* of the batch */
} arrow_worker;

/* ---- importing ----------------------------------------------------------------------------------------------------- */

/* A stream of one batch. */
typedef struct one_batch {
    struct ArrowSchema schema;
    struct ArrowArray array; /* until it is given */
    bool is_given;
} one_batch;

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *ret)
{
    *ret = ((const one_batch *)stream->private_data)->schema;
    return 0;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *ret)
{
    one_batch *b = stream->private_data;
    *ret = b->is_given ? (struct ArrowArray){0} : b->array;
    b->is_given = true;
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return NULL;
}

static void release(struct ArrowArrayStream *stream)
{
    one_batch *b = stream->private_data;
    if (!b->is_given && b->array.release != NULL)
        b->array.release(&b->array);
    b->is_given = true;
    stream->release = NULL;
}

static fl_status import_batch(arrow_worker *w, const fl_ipc_file *file, const fl_ipc_batch *batch, const int32_t *cols,
                              int32_t n, fl_err *err)
{
    fl_status st = FL_OK;
    one_batch one = {0};
    fl_arrow_import import = {0};
    fl_arena_reset(&w->arena);
    FL_TRY(fl_ipc_schema_of(&w->arena, file, cols, n, &one.schema, err));
    FL_TRY(fl_ipc_batch_read(w->memory, file, batch, cols, n, &one.array, err));
    struct ArrowArrayStream stream = {.get_schema = get_schema,
                                      .get_next = get_next,
                                      .get_last_error = get_last_error,
                                      .release = release,
                                      .private_data = &one};
    st = fl_arrow_import_stream(w->memory, w->memory->interrupt, &stream, &import, err);
    if (st == FL_ERR_CORRUPT || st == FL_ERR_VALUE || st == FL_ERR_RANGE)
        fl_err_prefix(err, "\"%s\", batch at byte %lld: ", file->file->path, (long long)batch->at);
    FL_TRY(st);
    FL_ASSERT(import.n_segments == 1 && import.segments[0]->rows == batch->rows);
    w->segment = fl_segment_ref(import.segments[0]);
cleanup:
    fl_arrow_import_drop(&import);
    return st;
}

/* ---- workers ------------------------------------------------------------------------------------------------------- */

static void leave(fl_scan_worker *base)
{
    arrow_worker *w = (arrow_worker *)base;
    fl_segment_unref(w->segment);
    w->segment = NULL;
    w->rows = w->row = 0;
}

static void worker_free(fl_scan_worker *base)
{
    arrow_worker *w = (arrow_worker *)base;
    leave(base);
    fl_arena_drop(&w->arena);
    fl_free(w);
}

static fl_status worker_new(fl_scan *scan, fl_memory *memory, fl_scan_worker **ret, fl_err *err)
{
    arrow_worker *w = NULL;
    fl_status st = fl_alloc_zero(memory, (int64_t)sizeof(*w), (void **)&w, err);
    if (st != FL_OK)
        return st;
    w->base.scan = scan;
    w->memory = memory;
    fl_arena_init(&w->arena, memory);
    *ret = &w->base;
    return FL_OK;
}

static const fl_ipc_file *file_of(const arrow_scan *scan, int64_t morsel)
{
    int32_t f = scan->table->base.n_files - 1;
    while (scan->table->files[f].first_morsel > morsel)
        f--;
    return &scan->table->files[f];
}

static fl_status claim(fl_scan_worker *base, bool *ret_any, int64_t *ret_morsel, fl_err *err)
{
    fl_status st = FL_OK;
    arrow_worker *w = (arrow_worker *)base;
    arrow_scan *scan = (arrow_scan *)base->scan;
    leave(base);
    FL_TRY(fl_file_scan_claim(&scan->base, ret_any, ret_morsel, err));
    if (!*ret_any)
        return FL_OK;
    const fl_ipc_file *file = file_of(scan, *ret_morsel);
    const fl_ipc_batch *batch = &file->batches[*ret_morsel - file->first_morsel];
    if (scan->base.n_slots > 0 && batch->rows > 0) {
        FL_TRY(fl_file_hold(file->file, err));
        st = import_batch(w, file, batch, scan->base.cols, scan->base.n_slots, err);
        fl_file_release(file->file);
        FL_TRY(st);
    }
    w->rows = batch->rows;
cleanup:
    return st;
}

static fl_status next(fl_scan_worker *base, int32_t *ret_rows, fl_err *err)
{
    (void)err;
    arrow_worker *w = (arrow_worker *)base;
    const arrow_scan *scan = (const arrow_scan *)base->scan;
    int64_t left = w->rows - w->row;
    w->start = w->row;
    w->batch_rows = (int32_t)(left < scan->base.rows_max ? left : scan->base.rows_max);
    w->row += w->batch_rows;
    fl_arena_reset(&w->arena);
    atomic_fetch_add_explicit(&base->scan->rows_done, w->batch_rows, memory_order_relaxed);
    *ret_rows = w->batch_rows;
    return FL_OK;
}

static fl_status read(fl_scan_worker *base, int32_t slot, const uint64_t *mask, fl_vec *ret, fl_err *err)
{
    (void)mask;
    arrow_worker *w = (arrow_worker *)base;
    FL_ASSERT(w->segment != NULL && slot < w->segment->n_cols);
    return fl_vec_slice(&w->arena, &w->segment->vecs[slot], w->start, w->batch_rows, ret, err);
}

static void place(const fl_scan *base, int64_t morsel, fl_text *text)
{
    const arrow_scan *scan = (const arrow_scan *)base;
    const fl_ipc_file *file = file_of(scan, morsel);
    fl_text_addf(text, "\"%s\", batch %lld", file->file->path, (long long)(morsel - file->first_morsel + 1));
}

static const fl_scan_ops scan_ops = {.worker_new = worker_new,
                                     .worker_free = worker_free,
                                     .claim = claim,
                                     .next = next,
                                     .read = read,
                                     .leave = leave,
                                     .place = place,
                                     .free = fl_file_scan_free};

fl_status fl_arrow_scan_new(fl_table *base, const fl_scan_request *request, fl_scan **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_arrow_table *table = (const fl_arrow_table *)base;
    fl_file_scan *scan = NULL;
    FL_TRY(fl_file_scan_new(base, &scan_ops, request, (int64_t)sizeof(arrow_scan), &scan, err));
    ((arrow_scan *)scan)->table = table;
    scan->scan.has_large_morsels = true;
    for (int32_t f = 0; f < table->base.n_files; f++)
        scan->n_morsels += table->files[f].n_batches;
    *ret = &scan->scan;
cleanup:
    return st;
}
