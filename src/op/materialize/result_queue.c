/* A bounded queue of segments between the workers of a run and the reader of its rows. */
#include "op/materialize/result_queue.h"

#define BYTES_MAX (16ll << 20) /* some morsels of each worker; a reader that keeps up never sees it */
#define LIMIT_PART 16          /* of the tightest limit, where that is less */
#define SMALL_ROWS 4096        /* of a piece that is put together with those behind it */
#define TOGETHER_ROWS 16384
#define TOGETHER_PART 8 /* of the queue's bytes, where that is less */
#define FULL_ROWS 65536 /* of a piece, where one worker alone decides */
#define PIECE_PART 2    /* of the queue's bytes: a piece is larger by a batch at the most, or it alone would fill it */
#define MORSEL_BITS 40

struct fl_result_piece {
    fl_result_piece *next;
    int64_t place; /* pipeline, then morsel */
    int64_t bytes;
    fl_segment *segment;
};

typedef struct queue_local {
    fl_segment_builder *builder;
    fl_vec *vecs;
    uint16_t *list;
    int64_t rows_wanted; /* of the next piece: the first is small, so that it comes soon */
    int64_t n_rows;      /* that it took in */
} queue_local;

static fl_status local_new(fl_stage *base, fl_worker *worker, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_result_queue *queue = (fl_result_queue *)base;
    fl_memory *memory = worker->exec->context.memory;
    queue_local *local = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*local), (void **)&local, err));
    *ret = local;
    local->rows_wanted = queue->rows_enough == 0 ? 1 : queue->rows_enough < FULL_ROWS ? queue->rows_enough : FULL_ROWS;
    FL_TRY(fl_segment_builder_new(queue->keep, queue->types, queue->n_cols, FL_SEGMENT_RESULT, &local->builder, err));
    FL_TRY(fl_alloc_zero(memory, (queue->n_cols + 1) * (int64_t)sizeof(fl_vec), (void **)&local->vecs, err));
    FL_TRY(fl_alloc(memory, worker->exec->context.session->vector_rows * 2 + 64, (void **)&local->list, err));
cleanup:
    return st;
}

static void local_free(fl_stage *base, void *ptr)
{
    (void)base;
    queue_local *local = ptr;
    fl_segment_builder_free(local->builder);
    fl_free(local->vecs);
    fl_free(local->list);
    fl_free(local);
}

static int64_t place_of(const fl_worker *worker)
{
    FL_ASSERT(worker->morsel >= 0 && worker->morsel < 1ll << MORSEL_BITS);
    return ((int64_t)worker->pipeline << MORSEL_BITS) + worker->morsel;
}

static void note_claimed(fl_result_queue *queue, int64_t place)
{
    int64_t known = atomic_load(&queue->highest);
    while (known < place && !atomic_compare_exchange_weak(&queue->highest, &known, place))
        ;
}

/* Whether a piece may leave: nobody brings rows that come before it. */
static bool is_ready(const fl_result_queue *queue, const fl_result_piece *piece)
{
    bool is = piece != NULL;
    for (int32_t w = 0; is && w < queue->exec->n_workers; w++)
        is = piece->place <= atomic_load(&queue->bounds[w]);
    return is;
}

/* Whether a worker is where the rows lie that come first. */
static bool is_first(const fl_result_queue *queue, const fl_worker *worker)
{
    int64_t place = place_of(worker);
    bool is = true;
    for (int32_t w = 0; is && w < queue->exec->n_workers; w++)
        is = place <= atomic_load(&queue->bounds[w]);
    return is;
}

static bool has_ready(fl_result_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool is = is_ready(queue, queue->first);
    pthread_mutex_unlock(&queue->lock);
    return is;
}

bool fl_result_queue_has_any(void *ptr)
{
    fl_result_queue *queue = ptr;
    if (has_ready(queue))
        return true;
    atomic_store(&queue->is_told, false); /* what is put in before is seen by the next look, what comes behind wakes */
    return has_ready(queue);
}

/* Whether the first rows_enough rows are ready. */
static bool has_enough(fl_result_queue *queue)
{
    int64_t rows = 0;
    if (queue->rows_enough == 0)
        return false;
    pthread_mutex_lock(&queue->lock);
    for (const fl_result_piece *p = queue->first; rows < queue->rows_enough && is_ready(queue, p); p = p->next)
        rows += p->segment->rows;
    pthread_mutex_unlock(&queue->lock);
    return rows >= queue->rows_enough;
}

static void tell_reader(fl_result_queue *queue)
{
    if (queue->rows_enough == 0 && !atomic_load(&queue->is_told) && has_ready(queue) &&
        !atomic_exchange(&queue->is_told, true))
        fl_exec_wake(queue->exec);
}

static int64_t bytes_of(const fl_segment *segment)
{
    int64_t bytes = segment->arena.bytes;
    for (int32_t i = 0; i < segment->n_cols * 3; i++)
        bytes += segment->buffers[i] != NULL ? segment->buffers[i]->bytes : 0;
    return bytes;
}

/* Makes a piece of what the builder holds and puts it where it belongs. */
static fl_status put_piece(fl_result_queue *queue, queue_local *local, int64_t place, fl_err *err)
{
    fl_result_piece *piece = NULL;
    fl_status st = fl_alloc_zero(queue->exec->context.memory, (int64_t)sizeof(*piece), (void **)&piece, err);
    if (st != FL_OK)
        return st;
    st = fl_segment_builder_finish(local->builder, &piece->segment, err);
    if (st != FL_OK) {
        fl_free(piece);
        return st;
    }
    piece->place = place;
    atomic_fetch_add(&queue->rows, piece->segment->rows);
    piece->bytes = bytes_of(piece->segment);
    if (local->rows_wanted < FULL_ROWS && piece->bytes < queue->bytes_max / 4)
        local->rows_wanted *= 4;
    atomic_fetch_add(&queue->bytes, piece->bytes);
    pthread_mutex_lock(&queue->lock);
    if (queue->last != NULL && queue->last->place <= place) {
        queue->last = queue->last->next = piece;
    } else {
        fl_result_piece **at = &queue->first;
        while (*at != NULL && (*at)->place <= place)
            at = &(*at)->next;
        piece->next = *at;
        *at = piece;
        if (piece->next == NULL)
            queue->last = piece;
    }
    pthread_mutex_unlock(&queue->lock);
    return FL_OK;
}

static fl_status push(fl_stage *base, fl_worker *worker, void *ptr, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    fl_result_queue *queue = (fl_result_queue *)base;
    queue_local *local = ptr;
    int32_t count = batch->rows;
    int64_t place = place_of(worker);
    if (atomic_load_explicit(&queue->bounds[worker->id], memory_order_relaxed) < place) {
        note_claimed(queue, place);
        atomic_store(&queue->bounds[worker->id], place);
    }
    FL_ASSERT(atomic_load(&queue->bounds[worker->id]) == place); /* morsels are claimed in their order */
    if (queue->rows_enough > 0 &&
        local->n_rows >= queue->rows_enough) /* those come before these, and before all unclaimed ones */
        return FL_DONE;
    local->n_rows += batch->kept;
    for (int32_t c = 0; c < queue->n_cols; c++)
        local->vecs[c] = batch->vec[queue->from[c]];
    if (batch->mask != NULL)
        count = fl_bitmap_to_list(batch->mask, batch->rows, local->list);
    FL_TRY(fl_segment_builder_add(local->builder, local->vecs, batch->mask != NULL ? local->list : NULL, count, err));
    int64_t rows = fl_segment_builder_rows(local->builder);
    if (fl_segment_builder_is_full(local->builder) || (rows >= local->rows_wanted && rows < FULL_ROWS) ||
        (rows > 0 && fl_segment_builder_bytes(local->builder) >= queue->bytes_max / PIECE_PART)) {
        FL_TRY(put_piece(queue, local, place, err));
        tell_reader(queue);
        st = has_enough(queue) ? FL_DONE : fl_exec_pause_if_due(worker, err);
    }
cleanup:
    return st;
}

static fl_status on_event(fl_stage *base, fl_worker *worker, void *ptr, fl_event event, fl_err *err)
{
    fl_status st = FL_OK;
    fl_result_queue *queue = (fl_result_queue *)base;
    queue_local *local = ptr;
    int64_t rows = fl_segment_builder_rows(local->builder);
    int64_t place = 0;
    switch (event) {
    case FL_EVENT_ENTER:
        place = ((int64_t)worker->pipeline << MORSEL_BITS) - 1; /* before all of the pipeline */
        note_claimed(queue, place);
        atomic_store(&queue->bounds[worker->id], atomic_load(&queue->highest) + 1);
        return FL_OK;
    case FL_EVENT_MORSEL:
        place = place_of(worker);
        note_claimed(queue, place);
        if (rows >= local->rows_wanted || (rows > 0 && queue->exec->n_workers > 1))
            FL_TRY(put_piece(queue, local, place, err));
        atomic_fetch_add(&queue->morsels, 1);
        atomic_store(&queue->bounds[worker->id], atomic_load(&queue->highest) + 1);
        break;
    case FL_EVENT_LEAVE:
        if (rows > 0 && queue->exec->n_workers > 1) /* of a morsel that ended early, as a limit was reached */
            FL_TRY(put_piece(queue, local, place_of(worker), err));
        atomic_store(&queue->bounds[worker->id], INT64_MAX);
        break;
    case FL_EVENT_END:
        if (rows > 0) /* that one worker alone held back */
            FL_TRY(put_piece(queue, local, place_of(worker), err));
        break;
    }
    tell_reader(queue);
    if (event == FL_EVENT_MORSEL && has_enough(queue))
        st = FL_DONE;
cleanup:
    return st;
}

void fl_result_queue_keep_first(fl_result_queue *queue, int64_t n)
{
    FL_ASSERT(n > 0);
    queue->base.is_paced = false;
    queue->rows_enough = n;
    queue->bytes_max = INT64_MAX;
}

bool fl_result_queue_is_full(const fl_result_queue *queue)
{
    return atomic_load_explicit(&queue->bytes, memory_order_relaxed) > queue->bytes_max;
}

static bool is_full(fl_stage *base)
{
    return fl_result_queue_is_full((fl_result_queue *)base);
}

/* While the reader finds nothing in a queue that is full of what comes later, the worker that he waits for goes on. */
static bool is_held(fl_stage *base, const fl_worker *worker)
{
    fl_result_queue *queue = (fl_result_queue *)base;
    return fl_result_queue_is_full(queue) && (has_ready(queue) || !is_first(queue, worker));
}

static void stage_free(fl_stage *base)
{
    fl_result_queue *queue = (fl_result_queue *)base;
    while (queue->first != NULL) {
        fl_result_piece *next = queue->first->next;
        fl_segment_unref(queue->first->segment);
        fl_free(queue->first);
        queue->first = next;
    }
    pthread_mutex_destroy(&queue->lock);
}

static const fl_stage_ops queue_ops = {.what = "the result",
                                       .local_new = local_new,
                                       .push = push,
                                       .on_event = on_event,
                                       .is_full = is_full,
                                       .is_held = is_held,
                                       .local_free = local_free,
                                       .free = stage_free};

/* ---- the reader ---------------------------------------------------------------------------------------------------- */

/* Takes the first piece out, if it is ready and so small. */
static fl_segment *take_first(fl_result_queue *queue, int64_t rows_max, int64_t bytes_max)
{
    fl_segment *segment = NULL;
    pthread_mutex_lock(&queue->lock);
    fl_result_piece *piece = queue->first;
    if (is_ready(queue, piece) && piece->segment->rows <= rows_max && piece->bytes <= bytes_max) {
        segment = piece->segment;
        queue->first = piece->next;
        if (queue->first == NULL)
            queue->last = NULL;
    } else {
        piece = NULL;
    }
    pthread_mutex_unlock(&queue->lock);
    if (piece != NULL) {
        atomic_fetch_sub(&queue->bytes, piece->bytes);
        fl_free(piece);
    }
    return segment;
}

static fl_status append(fl_segment_builder *builder, fl_segment *segment, fl_arena *scratch, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *vecs = NULL;
    FL_TRY(FL_NEW_ARRAY(scratch, segment->n_cols + 1, &vecs, err));
    for (int32_t c = 0; c < segment->n_cols; c++)
        FL_TRY(fl_vec_slice(scratch, &segment->vecs[c], 0, segment->rows, &vecs[c], err));
    st = fl_segment_builder_add(builder, vecs, NULL, (int32_t)segment->rows, err);
cleanup:
    return st;
}

/* Puts the small piece `first` (taken over) and the small ones behind it together. */
static fl_status put_together(fl_result_queue *queue, fl_segment *first, fl_segment **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_segment_builder *builder = NULL;
    int64_t left = queue->bytes_max / TOGETHER_PART - bytes_of(first);
    fl_segment *next = take_first(queue, SMALL_ROWS, left);
    fl_arena scratch;
    *ret = next == NULL ? first : NULL;
    if (next == NULL)
        return FL_OK;
    fl_arena_init(&scratch, queue->exec->context.memory);
    FL_TRY(fl_segment_builder_new(queue->keep, queue->types, queue->n_cols, FL_SEGMENT_RESULT, &builder, err));
    FL_TRY(append(builder, first, &scratch, err));
    while (next != NULL) {
        FL_TRY(append(builder, next, &scratch, err));
        left -= bytes_of(next);
        fl_segment_unref(next);
        next = fl_segment_builder_rows(builder) < TOGETHER_ROWS && !fl_segment_builder_is_full(builder)
                   ? take_first(queue, SMALL_ROWS, left)
                   : NULL;
    }
    st = fl_segment_builder_finish(builder, ret, err);
cleanup:
    fl_segment_builder_free(builder);
    fl_segment_unref(first);
    fl_segment_unref(next);
    fl_arena_drop(&scratch);
    return st;
}

fl_status fl_result_queue_take(fl_result_queue *queue, fl_segment **ret, fl_err *err)
{
    fl_status st = FL_OK;
    bool was_full = is_full(&queue->base);
    *ret = take_first(queue, INT64_MAX, INT64_MAX);
    if (*ret != NULL && (*ret)->rows <= SMALL_ROWS && queue->is_read) /* the first rows leave at once */
        st = put_together(queue, *ret, ret, err);
    queue->is_read = true;
    if (was_full && (!is_full(&queue->base) || !has_ready(queue)))
        fl_exec_wake(queue->exec);
    return st;
}

fl_status fl_result_queue_new(fl_exec *exec, const fl_col_id *cols, int32_t n_cols, const fl_node *input,
                              fl_memory *keep, fl_result_queue **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_result_queue *queue = NULL;
    _Atomic int64_t *bounds = NULL;
    fl_type *types = NULL;
    int32_t *from = NULL;
    int64_t limit = 0;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_cols + 1, &types, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, exec->n_workers, &bounds, err));
    for (int32_t w = 0; w < exec->n_workers; w++)
        atomic_init(&bounds[w], INT64_MAX);
    for (int32_t i = 0; i < n_cols; i++)
        types[i] = fl_plan_col(exec->plan, cols[i])->type;
    FL_TRY(fl_exec_col_map(exec, cols, n_cols, input, &from, err));
    FL_TRY(fl_exec_add_stage(exec, &queue_ops, (int64_t)sizeof(*queue), NULL, NULL, &queue, err));
    pthread_mutex_init(&queue->lock, NULL);
    queue->base.is_paced = true;
    queue->exec = exec;
    queue->keep = keep;
    queue->n_cols = n_cols;
    queue->types = types;
    queue->from = from;
    (void)fl_memory_left(keep, &limit);
    queue->bytes_max = limit > 0 && limit / LIMIT_PART < BYTES_MAX ? limit / LIMIT_PART : BYTES_MAX;
    queue->bounds = bounds;
    *ret = queue;
cleanup:
    return st;
}
