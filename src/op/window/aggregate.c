/* window: aggregates over frames.
 *
 * Kernels take rows into states and combine states. Where a state is its bytes, each row gets one of its own, and frames are put
 * together of these: by sums from the partition's first row on, of which what lies before the frame is taken away, or by a tree of
 * states whose nodes hold what lies below them, where a frame does not simply move on (Leis et al. 2015, "Efficient Processing of Window Functions in Analytical SQL Queries",
 * section 4). What keeps values beside its state, DISTINCT and aggregates with an order of their own are fed each frame's rows. */
#include "op/window/run.h"

#include "exec/sorter.h"

#include <stdlib.h>

#define FANOUT_BITS 2 /* of the tree */
#define FANOUT (1 << FANOUT_BITS)
#define CHECKED_ROWS 4096 /* are fed between two looks whether to stop */

static bool is_whole(const fl_frame *frame, int32_t n_order_keys)
{
    bool ends = frame->end == FL_FRAME_UNBOUNDED_FOLLOWING ||
                (frame->end == FL_FRAME_CURRENT_ROW && frame->unit == FL_FRAME_RANGE && n_order_keys == 0);
    bool starts = frame->start == FL_FRAME_UNBOUNDED_PRECEDING ||
                  (frame->start == FL_FRAME_CURRENT_ROW && frame->unit == FL_FRAME_RANGE && n_order_keys == 0);
    return starts && ends && frame->exclude == FL_EXCLUDE_NO_OTHERS;
}

window_feed fl_window_feed_of(const fl_agg *agg, int32_t n_order_keys)
{
    const fl_frame *frame = agg->frame;
    bool is_running = frame->start == FL_FRAME_UNBOUNDED_PRECEDING && frame->exclude == FL_EXCLUDE_NO_OTHERS;
    if (agg->agg->window != FL_OVER_NONE)
        return WINDOW_NO_FEED;
    if (agg->is_distinct || agg->n_order > 0)
        return WINDOW_ANEW;
    if (is_whole(frame, n_order_keys))
        return WINDOW_PER_PARTITION;
    if (agg->kernel->state_kind != FL_STATE_PLAIN)
        return WINDOW_ANEW;
    if (is_running || agg->kernel->subtract != NULL)
        return WINDOW_RUNNING;
    bool by_value =
        frame->exprs[FL_FRAME_KEY] != NULL; /* what is added to a key need not grow with it: months are cut to fit */
    return frame->exclude == FL_EXCLUDE_NO_OTHERS && !by_value ? WINDOW_MOVING : WINDOW_TREE;
}

bool fl_window_is_streamed(const window_part *part)
{
    const fl_frame *frame = part->agg->frame;
    if (part->feed == WINDOW_NO_FEED)
        return part->agg->agg->window <= FL_OVER_DENSE_RANK;
    return part->feed == WINDOW_RUNNING && frame->start == FL_FRAME_UNBOUNDED_PRECEDING &&
           frame->end == FL_FRAME_CURRENT_ROW && frame->exclude == FL_EXCLUDE_NO_OTHERS;
}

/* ---- what all do ---------------------------------------------------------------------------------------------------- */

static fl_agg_call call_of(const window_part *part, const fl_vec *args, fl_arena *heap)
{
    return (fl_agg_call){.n_args = part->agg->n_args,
                         .args = args,
                         .heap = heap,
                         .agg = part->agg->agg,
                         .run = part->run,
                         .arg_types = part->arg_types,
                         .ret_type = part->agg->type};
}

/* Whether a row counts, by FILTER. */
static inline bool is_kept(const window_chunk *c, const window_part *part, int64_t row)
{
    const fl_row_layout *layout = c->shape->layout;
    return part->filter < 0 ||
           (!fl_row_is_null(layout, c->rows[row], part->filter) && c->rows[row][layout->offsets[part->filter]] != 0);
}

static fl_status read_args(window_chunk *c, const window_part *part, int64_t first, int32_t rows, fl_arena *arena,
                           fl_vec *args, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t a = 0; a < part->agg->n_args; a++)
        FL_TRY(fl_rows_read(c->shape->layout, part->args[a], c->rows + first, rows, arena, &args[a], err));
cleanup:
    return st;
}

static int32_t rows_of_block(const window_chunk *c, int64_t first)
{
    return c->n - first < c->block_rows ? (int32_t)(c->n - first) : c->block_rows;
}

/* A vector that results are written to. */
static fl_status new_result(const window_part *part, int32_t rows, fl_arena *arena, fl_vec *ret, uint64_t **ret_valid,
                            fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t *data = NULL;
    FL_TRY(fl_arena_get(arena, fl_bitmap_words(rows) * 8 + 8, (void **)ret_valid, err));
    fl_bitmap_fill(*ret_valid, rows, true);
    FL_TRY(fl_arena_get_zero(arena, (int64_t)rows * 16 + 64, (void **)&data, err));
    fl_vec_set_flat(ret, part->agg->type, data, *ret_valid);
cleanup:
    return st;
}

/* The results of `rows` states, c->states. */
static fl_status finish(window_chunk *c, const window_part *part, int32_t rows, fl_arena *arena, fl_vec *ret,
                        fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *valid = NULL;
    fl_agg_call call = call_of(part, NULL, arena);
    FL_TRY(new_result(part, rows, arena, ret, &valid, err));
    st = part->agg->kernel->finish(&call, c->states, 0, rows, ret, err);
cleanup:
    return st;
}

/* ---- a state a partition -------------------------------------------------------------------------------------------- */

static fl_status feed_partitions(window_chunk *c, const window_part *part, uint8_t *states, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_agg_kernel *kernel = part->agg->kernel;
    int64_t p = 0;
    for (int64_t first = 0; first < c->n; first += c->block_rows) {
        int32_t rows = rows_of_block(c, first), n = 0;
        fl_vec args[FL_AGG_ARGS_MAX];
        fl_arena_reset(&c->scratch);
        FL_TRY(read_args(c, part, first, rows, &c->scratch, args, err));
        for (int32_t i = 0; i < rows; i++) {
            p += first + i >= c->partitions[p + 1];
            c->list[n] = (uint16_t)i;
            c->states[n] = states + p * kernel->state_bytes;
            n += is_kept(c, part, first + i);
        }
        fl_agg_call call = call_of(part, args, &c->arena);
        if (n > 0)
            FL_TRY(kernel->update_groups(&call, c->states, 0, c->list, n, err));
        FL_TRY(fl_exec_check(c->shape->exec, err));
    }
cleanup:
    return st;
}

static fl_status prepare_partitions(window_chunk *c, int32_t number, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    window_part_state *s = &c->parts[number];
    int32_t bytes = part->agg->kernel->state_bytes;
    uint8_t *states = NULL;
    FL_TRY(fl_arena_get_zero(&c->arena, c->n_partitions * bytes, (void **)&states, err));
    FL_TRY(fl_arena_get_zero(&c->arena, c->n_partitions * part->result.bytes, (void **)&s->results, err));
    FL_TRY(feed_partitions(c, part, states, err));
    for (int64_t first = 0; first < c->n_partitions; first += c->block_rows) {
        int32_t rows = c->n_partitions - first < c->block_rows ? (int32_t)(c->n_partitions - first) : c->block_rows;
        fl_vec results;
        fl_arena_reset(&c->scratch);
        for (int32_t i = 0; i < rows; i++)
            c->states[i] = states + (first + i) * bytes;
        FL_TRY(finish(c, part, rows, &c->scratch, &results, err));
        for (int32_t i = 0; i < rows; i++) {
            c->list[i] = (uint16_t)i;
            c->pointers[i] = s->results + (first + i) * part->result.bytes;
        }
        FL_TRY(fl_rows_write(&part->result, 0, &results, c->list, rows, c->pointers, &c->arena, err));
    }
cleanup:
    return st;
}

/* ---- a state a row -------------------------------------------------------------------------------------------------- */

/* States of single rows, side by side. */
static fl_status feed_rows(window_chunk *c, const window_part *part, uint8_t *states, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_agg_kernel *kernel = part->agg->kernel;
    for (int64_t first = 0; first < c->n; first += c->block_rows) {
        int32_t rows = rows_of_block(c, first), n = 0;
        fl_vec args[FL_AGG_ARGS_MAX];
        fl_arena_reset(&c->scratch);
        FL_TRY(read_args(c, part, first, rows, &c->scratch, args, err));
        for (int32_t i = 0; i < rows; i++) {
            c->list[n] = (uint16_t)i;
            c->states[n] = states + (first + i) * kernel->state_bytes;
            n += is_kept(c, part, first + i);
        }
        fl_agg_call call = call_of(part, args, &c->arena);
        if (n > 0)
            FL_TRY(kernel->update_groups(&call, c->states, 0, c->list, n, err));
        FL_TRY(fl_exec_check(c->shape->exec, err));
    }
cleanup:
    return st;
}

/* Each state becomes that of all rows of its partition up to it. */
static fl_status add_up(window_chunk *c, int32_t number, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    uint8_t *states = c->parts[number].states, *carry = c->parts[number].carry;
    const fl_agg_kernel *kernel = part->agg->kernel;
    int32_t bytes = kernel->state_bytes;
    uint8_t *sum = NULL;
    fl_agg_call call = call_of(part, NULL, &c->arena);
    FL_TRY(fl_arena_get(&c->arena, bytes, (void **)&sum, err));
    for (int64_t p = 0; p < c->n_partitions; p++) {
        memset(sum, 0, (size_t)bytes);
        if (p == 0 && c->rows_before > 0)
            memcpy(sum, carry, (size_t)bytes);
        for (int64_t row = c->partitions[p]; row < c->partitions[p + 1]; row++) {
            uint8_t *state = states + row * bytes;
            FL_TRY(kernel->combine(&call, sum, state, err));
            memcpy(state, sum, (size_t)bytes);
        }
    }
    if (carry != NULL)
        memcpy(carry, sum, (size_t)bytes);
cleanup:
    return st;
}

static fl_status prepare_running(window_chunk *c, int32_t number, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    window_part_state *s = &c->parts[number];
    FL_TRY(fl_arena_get_zero(&c->arena, c->n * part->agg->kernel->state_bytes, (void **)&s->states, err));
    FL_TRY(feed_rows(c, part, s->states, err));
    FL_TRY(add_up(c, number, err));
cleanup:
    return st;
}

static fl_status prepare_moving(window_chunk *c, int32_t number, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    window_part_state *s = &c->parts[number];
    FL_TRY(fl_arena_get_zero(&c->arena, c->n * part->agg->kernel->state_bytes, (void **)&s->states, err));
    FL_TRY(fl_arena_get_zero(&c->arena, part->agg->kernel->state_bytes, (void **)&s->back, err));
    FL_TRY(feed_rows(c, part, s->states, err));
cleanup:
    return st;
}

static fl_status prepare_tree(window_chunk *c, int32_t number, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    window_part_state *s = &c->parts[number];
    const fl_agg_kernel *kernel = part->agg->kernel;
    int32_t bytes = kernel->state_bytes;
    fl_agg_call call = call_of(part, NULL, &c->arena);
    FL_TRY(fl_arena_get_zero(&c->arena, c->n * bytes, (void **)&s->states, err));
    FL_TRY(feed_rows(c, part, s->states, err));
    s->levels[0] = s->states;
    s->n_levels = 1;
    for (int64_t n = c->n; n > FANOUT && s->n_levels < FL_LEN(s->levels); s->n_levels++) {
        int64_t above = (n + FANOUT - 1) / FANOUT;
        uint8_t *from = s->levels[s->n_levels - 1], *to = NULL;
        FL_TRY(fl_arena_get_zero(&c->arena, above * bytes, (void **)&to, err));
        for (int64_t i = 0; i < n; i++)
            FL_TRY(kernel->combine(&call, to + i / FANOUT * bytes, from + i * bytes, err));
        s->levels[s->n_levels] = to;
        n = above;
    }
cleanup:
    return st;
}

/* Adds nodes [start, end) of a level and what they hold, in the order of the rows: the ends that do not fill a node of the level above
 * by themselves, what lies between by that level. */
static fl_status add_nodes(const window_part_state *s, const fl_agg_kernel *kernel, fl_agg_call *call, int32_t level,
                           int64_t start, int64_t end, uint8_t *into, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t bytes = kernel->state_bytes;
    const uint8_t *nodes = s->levels[level];
    bool is_top = level + 1 == s->n_levels;
    int64_t left = is_top ? end : (start + FANOUT - 1) >> FANOUT_BITS, right = is_top ? end : end >> FANOUT_BITS;
    if (is_top || left >= right) {
        for (int64_t i = start; i < end; i++)
            FL_TRY(kernel->combine(call, into, nodes + i * bytes, err));
        return FL_OK;
    }
    for (int64_t i = start; i < left << FANOUT_BITS; i++)
        FL_TRY(kernel->combine(call, into, nodes + i * bytes, err));
    FL_TRY(add_nodes(s, kernel, call, level + 1, left, right, into, err));
    for (int64_t i = right << FANOUT_BITS; i < end; i++)
        FL_TRY(kernel->combine(call, into, nodes + i * bytes, err));
cleanup:
    return st;
}

/* What begins a partition: no rows. */
static void begin_moving(const window_part *part, window_part_state *s, int64_t partition, int64_t start)
{
    s->partition = partition;
    s->middle = s->back_end = start;
    memset(s->back, 0, (size_t)part->agg->kernel->state_bytes);
}

/* The state of a frame that begins and ends no earlier than the one before (Tangwongsan et al. 2015, "General Incremental Sliding-Window
 * Aggregation": two stacks). A row is added three times at the most. */
static fl_status add_moving(window_chunk *c, int32_t number, int32_t i, uint8_t *into, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    window_part_state *s = &c->parts[number];
    const fl_agg_kernel *kernel = part->agg->kernel;
    fl_agg_call call = call_of(part, NULL, &c->arena);
    int64_t start = c->start[i], end = c->end[i], bytes = kernel->state_bytes;
    if (s->partition != c->partition[i] || start > s->back_end)
        begin_moving(part, s, c->partition[i], start);
    if (start >= end)
        return FL_OK;
    for (; s->back_end < end; s->back_end++)
        FL_TRY(kernel->combine(&call, s->back, s->states + s->back_end * bytes, err));
    if (start >= s->middle) { /* the back becomes the front */
        for (int64_t row = s->back_end - 2; row >= start; row--)
            FL_TRY(kernel->combine(&call, s->states + row * bytes, s->states + (row + 1) * bytes, err));
        s->middle = s->back_end;
        memset(s->back, 0, (size_t)bytes);
    }
    memcpy(into, s->states + start * bytes, (size_t)bytes);
    if (s->back_end > s->middle)
        FL_TRY(kernel->combine(&call, into, s->back, err));
cleanup:
    return st;
}

static fl_status add_frame(window_chunk *c, int32_t number, const window_batch *batch, int32_t i, uint8_t *into,
                           fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    const window_part_state *s = &c->parts[number];
    const fl_agg_kernel *kernel = part->agg->kernel;
    fl_agg_call call = call_of(part, NULL, &c->arena);
    window_span spans[3];
    int32_t n = fl_window_spans(c, part, batch, i, spans), bytes = kernel->state_bytes;
    for (int32_t j = 0; j < n; j++) {
        if (part->feed == WINDOW_TREE) {
            FL_TRY(add_nodes(s, kernel, &call, 0, spans[j].start, spans[j].end, into, err));
            continue;
        }
        FL_TRY(kernel->combine(&call, into, s->states + (spans[j].end - 1) * bytes, err));
        if (spans[j].start > window_partition_start(c, i))
            kernel->subtract(into, s->states + (spans[j].start - 1) * bytes);
    }
cleanup:
    return st;
}

/* The states of a batch's frames. */
static fl_status find_states(window_chunk *c, int32_t number, const window_batch *batch, fl_arena *arena, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    const fl_frame *frame = part->agg->frame;
    int32_t bytes = part->agg->kernel->state_bytes;
    uint8_t *states = NULL, *empty = NULL;
    bool is_running = part->feed == WINDOW_RUNNING && frame->start == FL_FRAME_UNBOUNDED_PRECEDING &&
                      frame->exclude == FL_EXCLUDE_NO_OTHERS;
    fl_window_frames(c, number, batch);
    if (is_running) {
        FL_TRY(fl_arena_get_zero(arena, bytes, (void **)&empty, err));
        for (int32_t i = 0; i < batch->rows; i++)
            c->states[i] =
                c->end[i] > window_partition_start(c, i) ? c->parts[number].states + (c->end[i] - 1) * bytes : empty;
        return FL_OK;
    }
    FL_TRY(fl_arena_get_zero(arena, (int64_t)batch->rows * bytes, (void **)&states, err));
    for (int32_t i = 0; i < batch->rows; i++) {
        c->states[i] = states + (int64_t)i * bytes;
        FL_TRY(part->feed == WINDOW_MOVING ? add_moving(c, number, i, c->states[i], err)
                                           : add_frame(c, number, batch, i, c->states[i], err));
    }
cleanup:
    return st;
}

/* ---- frames fed anew ------------------------------------------------------------------------------------------------ */

/* The chunk's rows in the order of some columns; each has its number in the place of its hash. */
static fl_status sort_chunk(window_chunk *c, const int32_t *cols, const fl_sort_key *keys, int32_t n, uint8_t ***ret,
                            fl_sort_column **ret_columns, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t **rows = NULL;
    fl_sort_column *columns = NULL;
    FL_TRY(FL_NEW_ARRAY(&c->arena, c->n + 1, &rows, err));
    FL_TRY(FL_NEW_ARRAY(&c->arena, n + 1, &columns, err));
    for (int32_t k = 0; k < n; k++)
        columns[k] = (fl_sort_column){.col = cols[k],
                                      .is_descending = keys != NULL && keys[k].is_descending,
                                      .nulls_first = keys != NULL && keys[k].nulls_first};
    for (int64_t row = 0; row < c->n; row++) {
        rows[row] = c->rows[row];
        memcpy(rows[row], &row, 8);
    }
    FL_TRY(fl_sort_rows(NULL, c->shape->layout, columns, n, rows, c->n, c->memory, err));
    *ret = rows;
    *ret_columns = columns;
cleanup:
    return st;
}

static int64_t number_of(const uint8_t *row)
{
    return (int64_t)fl_row_hash(row);
}

static fl_status find_ids(window_chunk *c, const window_part *part, window_part_state *s, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t **rows = NULL;
    fl_sort_column *columns = NULL;
    int64_t id = 0;
    FL_TRY(sort_chunk(c, part->args, NULL, part->agg->n_args, &rows, &columns, err));
    FL_TRY(FL_NEW_ARRAY(&c->arena, c->n + 1, &s->ids, err));
    FL_TRY(FL_NEW_ARRAY(&c->arena, c->n + 1, &s->stamps, err));
    for (int64_t i = 0; i < c->n; i++) {
        id += i > 0 && fl_sort_compare(c->shape->layout, columns, part->agg->n_args, rows[i - 1], rows[i]) != 0;
        s->ids[number_of(rows[i])] = id;
    }
cleanup:
    return st;
}

static fl_status find_ranks(window_chunk *c, const window_part *part, window_part_state *s, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t **rows = NULL;
    fl_sort_column *columns = NULL;
    FL_TRY(sort_chunk(c, part->order, part->agg->order, part->agg->n_order, &rows, &columns, err));
    FL_TRY(FL_NEW_ARRAY(&c->arena, c->n + 1, &s->ranks, err));
    FL_TRY(FL_NEW_ARRAY(&c->arena, c->n + 1, &s->by_rank, err));
    for (int64_t i = 0; i < c->n; i++) {
        s->by_rank[i] = number_of(rows[i]);
        s->ranks[s->by_rank[i]] = i;
    }
cleanup:
    return st;
}

static fl_status prepare_anew(window_chunk *c, int32_t number, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    window_part_state *s = &c->parts[number];
    int64_t n_blocks = (c->n + c->block_rows - 1) / c->block_rows;
    int32_t n_args = part->agg->n_args;
    fl_arena_drop(&s->heap);
    s->has_state = false;
    s->result = NULL;
    s->serial = 0;
    FL_TRY(FL_NEW_ARRAY(&c->arena, n_blocks * n_args + 1, &s->args, err));
    FL_TRY(fl_arena_get_zero(&c->arena, part->agg->kernel->state_bytes, (void **)&s->state, err));
    for (int64_t b = 0; b < n_blocks; b++)
        FL_TRY(read_args(c, part, b * c->block_rows, rows_of_block(c, b * c->block_rows), &c->arena,
                         s->args + b * n_args, err));
    if (part->agg->is_distinct)
        FL_TRY(find_ids(c, part, s, err));
    if (part->agg->n_order > 0)
        FL_TRY(find_ranks(c, part, s, err));
    if (part->agg->is_distinct || part->agg->n_order > 0)
        FL_TRY(FL_NEW_ARRAY(&c->arena, c->n + 1, &s->gathered, err));
cleanup:
    return st;
}

/* Feeds rows of one block, c->list. */
static fl_status feed_list(window_chunk *c, const window_part *part, window_part_state *s, int64_t block, int32_t n,
                           fl_err *err)
{
    fl_agg_call call = call_of(part, s->args + block * part->agg->n_args, &s->heap);
    for (int32_t i = 0; i < n; i++)
        c->states[i] = s->state;
    return n == 0 ? FL_OK : part->agg->kernel->update_groups(&call, c->states, 0, c->list, n, err);
}

static fl_status feed_span(window_chunk *c, const window_part *part, window_part_state *s, window_span span,
                           fl_err *err)
{
    fl_status st = FL_OK;
    for (int64_t row = span.start; row < span.end;) {
        int64_t block = row / c->block_rows, first = block * c->block_rows;
        int64_t end = span.end < first + c->block_rows ? span.end : first + c->block_rows;
        int32_t n = 0;
        for (; row < end; row++) {
            c->list[n] = (uint16_t)(row - first);
            n += is_kept(c, part, row);
        }
        FL_TRY(feed_list(c, part, s, block, n, err));
        FL_TRY(fl_exec_check(c->shape->exec, err));
    }
cleanup:
    return st;
}

static int compare_numbers(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Rows of which each counts once, or in an order of their own. */
static fl_status feed_gathered(window_chunk *c, const window_part *part, window_part_state *s, const window_span *spans,
                               int32_t n_spans, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n = 0;
    s->serial++;
    for (int32_t j = 0; j < n_spans; j++)
        for (int64_t row = spans[j].start; row < spans[j].end; row++) {
            if (!is_kept(c, part, row) || (s->ids != NULL && s->stamps[s->ids[row]] == s->serial))
                continue;
            if (s->ids != NULL)
                s->stamps[s->ids[row]] = s->serial;
            s->gathered[n++] = s->ranks != NULL ? s->ranks[row] : row;
        }
    if (s->ranks != NULL)
        qsort(s->gathered, (size_t)n, sizeof(*s->gathered), compare_numbers);
    for (int64_t i = 0; i < n; i++) {
        int64_t row = s->ranks != NULL ? s->by_rank[s->gathered[i]] : s->gathered[i];
        c->list[0] = (uint16_t)(row % c->block_rows);
        FL_TRY(feed_list(c, part, s, row / c->block_rows, 1, err));
        if (i % CHECKED_ROWS == 0)
            FL_TRY(fl_exec_check(c->shape->exec, err));
    }
cleanup:
    return st;
}

static bool is_same_frame(const window_part_state *s, const window_span *spans, int32_t n)
{
    bool is_same = s->result != NULL && n == s->n_last;
    for (int32_t j = 0; j < n && is_same; j++)
        is_same = spans[j].start == s->last[j].start && spans[j].end == s->last[j].end;
    return is_same;
}

static fl_status feed_frame(window_chunk *c, const window_part *part, window_part_state *s, const window_span *spans,
                            int32_t n, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_direct = s->ids == NULL && s->ranks == NULL;
    if (is_direct && s->has_state && n == 1 && s->n_last == 1 && spans[0].start == s->last[0].start &&
        spans[0].end >= s->last[0].end)
        return feed_span(c, part, s, (window_span){s->last[0].end, spans[0].end}, err);
    fl_arena_reset(&s->heap);
    memset(s->state, 0, (size_t)part->agg->kernel->state_bytes);
    s->has_state = true;
    if (!is_direct)
        return feed_gathered(c, part, s, spans, n, err);
    for (int32_t j = 0; j < n; j++)
        FL_TRY(feed_span(c, part, s, spans[j], err));
cleanup:
    return st;
}

static fl_status find_result(window_chunk *c, int32_t number, const window_batch *batch, int32_t i, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    window_part_state *s = &c->parts[number];
    window_span spans[3];
    int32_t n = fl_window_spans(c, part, batch, i, spans);
    fl_vec result;
    uint8_t *row = NULL;
    if (is_same_frame(s, spans, n))
        return FL_OK;
    FL_TRY(feed_frame(c, part, s, spans, n, err));
    memcpy(s->last, spans, sizeof(spans));
    s->n_last = n;
    fl_arena_reset(&c->scratch);
    c->states[0] = s->state;
    FL_TRY(finish(c, part, 1, &c->scratch, &result, err));
    FL_TRY(fl_arena_get_zero(&c->arena, part->result.bytes, (void **)&row, err));
    c->list[0] = 0;
    FL_TRY(fl_rows_write(&part->result, 0, &result, c->list, 1, &row, &c->arena, err));
    s->result = row;
cleanup:
    return st;
}

/* ---- all ------------------------------------------------------------------------------------------------------------ */

fl_status fl_window_prepare_aggregate(window_chunk *c, int32_t number, fl_err *err)
{
    switch (c->shape->parts[number].feed) {
    case WINDOW_PER_PARTITION:
        return prepare_partitions(c, number, err);
    case WINDOW_RUNNING:
        return prepare_running(c, number, err);
    case WINDOW_MOVING:
        return prepare_moving(c, number, err);
    case WINDOW_TREE:
        return prepare_tree(c, number, err);
    case WINDOW_ANEW:
        return prepare_anew(c, number, err);
    case WINDOW_NO_FEED:
        break;
    }
    return FL_OK;
}

fl_status fl_window_aggregate(window_chunk *c, int32_t number, const window_batch *batch, fl_arena *arena, fl_vec *ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    window_part_state *s = &c->parts[number];
    if (part->feed == WINDOW_RUNNING || part->feed == WINDOW_MOVING || part->feed == WINDOW_TREE) {
        FL_TRY(find_states(c, number, batch, arena, err));
        return finish(c, part, batch->rows, arena, ret, err);
    }
    if (part->feed == WINDOW_ANEW)
        fl_window_frames(c, number, batch);
    for (int32_t i = 0; i < batch->rows; i++) {
        if (part->feed == WINDOW_ANEW)
            FL_TRY(find_result(c, number, batch, i, err));
        c->pointers[i] = part->feed == WINDOW_ANEW ? s->result : s->results + c->partition[i] * part->result.bytes;
    }
    st = fl_rows_read(&part->result, 0, c->pointers, batch->rows, arena, ret, err);
cleanup:
    return st;
}
