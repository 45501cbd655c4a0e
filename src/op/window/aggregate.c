/* window: aggregates over frames.
 *
 * Kernels take rows into states and combine states. Where a state is its bytes, each row gets one of its own, and frames are put
 * together of these: by sums from the partition's first row on, of which what lies before the frame is taken away; where frames only move
 * on, by sums towards both ends of segments that the frames themselves mark; or by a tree of states whose nodes hold what lies below them
 * (Leis et al. 2015, "Efficient Processing of Window Functions in Analytical SQL Queries", section 4). What keeps values beside its state,
 * DISTINCT and aggregates with an order of their own are fed each frame's rows (anew.c).
 *
 * Doubles are added up in the same order whoever does it: only kernels that say that they can take back what they combined, and so that
 * they are exact, are added up a stretch at a time. */
#include "op/window/anew.h"

#define FANOUT_BITS 2 /* of the tree */
#define FANOUT (1 << FANOUT_BITS)
#define CHECKED_ROWS 65536 /* are added up between two looks whether to stop */

bool fl_window_is_whole(const fl_frame *frame, int32_t n_order_keys)
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
    if (fl_window_is_whole(frame, n_order_keys))
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

bool fl_window_needs_peers(const window_part *part)
{
    const fl_frame *frame = part->agg->frame;
    bool is_bounded = frame->start != FL_FRAME_UNBOUNDED_PRECEDING || frame->end != FL_FRAME_UNBOUNDED_FOLLOWING;
    if (part->feed == WINDOW_NO_FEED && !fl_window_has_frame(part->agg->agg))
        return part->agg->agg->window >= FL_OVER_RANK && part->agg->agg->window <= FL_OVER_CUME_DIST;
    return (frame->unit != FL_FRAME_ROWS && is_bounded) || frame->exclude == FL_EXCLUDE_GROUP ||
           frame->exclude == FL_EXCLUDE_TIES;
}

bool fl_window_is_divisible(const window_part *part)
{
    const fl_agg *agg = part->agg;
    bool goes_on = agg->frame->start == FL_FRAME_UNBOUNDED_PRECEDING && agg->frame->exclude == FL_EXCLUDE_NO_OTHERS;
    return part->feed != WINDOW_ANEW || part->is_whole || !goes_on || agg->is_distinct || agg->n_order > 0;
}

/* A state is a few words: a call would cost more. */
static inline void copy_state(uint8_t *to, const uint8_t *from, int64_t bytes)
{
    for (int64_t at = 0; at < bytes; at += 8)
        memcpy(to + at, from + at, 8);
}

/* Whether it does not matter in which order states are combined. */
static bool is_exact(const window_part *part)
{
    return part->agg->kernel->subtract != NULL;
}

static bool is_running(const window_part *part)
{
    const fl_frame *frame = part->agg->frame;
    return frame->start == FL_FRAME_UNBOUNDED_PRECEDING && frame->exclude == FL_EXCLUDE_NO_OTHERS;
}

bool fl_window_is_narrow(const window_part *part, int64_t rows_max)
{
    const fl_frame *frame = part->agg->frame;
    bool is_moving = part->feed == WINDOW_MOVING || (part->feed == WINDOW_RUNNING && !is_running(part));
    if (!is_moving || frame->unit != FL_FRAME_ROWS || frame->exclude != FL_EXCLUDE_NO_OTHERS)
        return false;
    window_span to = fl_window_distances(part, INT32_MAX);
    return to.start < to.end && to.end - to.start <= rows_max;
}

/* Whether stretches make the states that they need: of the rows in reach of their frames. */
static bool is_reached(const window_chunk *c, const window_part *part)
{
    return part->is_narrow && c->n_stretches > 1;
}

/* ---- what all do ---------------------------------------------------------------------------------------------------- */

fl_agg_call fl_window_call(const window_part *part, const fl_vec *args, fl_arena *heap)
{
    return (fl_agg_call){.n_args = part->agg->n_args,
                         .args = args,
                         .heap = heap,
                         .agg = part->agg->agg,
                         .run = part->run,
                         .arg_types = part->arg_types,
                         .ret_type = part->agg->type};
}

fl_status fl_window_read_args(window_chunk *c, const window_part *part, int64_t first, int32_t rows, fl_arena *arena,
                              fl_vec *args, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t a = 0; a < part->agg->n_args; a++)
        FL_TRY(fl_rows_read(c->shape->layout, part->args[a], c->rows + first, rows, arena, &args[a], err));
cleanup:
    return st;
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

fl_status fl_window_finish(window_chunk *c, const window_part *part, int32_t rows, fl_arena *arena, fl_vec *ret,
                           fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *valid = NULL;
    fl_agg_call call = fl_window_call(part, NULL, arena);
    FL_TRY(new_result(part, rows, arena, ret, &valid, err));
    st = part->agg->kernel->finish(&call, c->states, 0, rows, ret, err);
cleanup:
    return st;
}

/* ---- a state a partition -------------------------------------------------------------------------------------------- */

/* Feeds rows of a block to c->states[0 .. n), which are those of the rows in c->list. */
static fl_status feed_block(window_chunk *c, const window_part *part, int64_t first, int32_t rows, int32_t n,
                            fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec args[FL_AGG_ARGS_MAX];
    fl_arena_reset(&c->scratch);
    FL_TRY(fl_window_read_args(c, part, first, rows, &c->scratch, args, err));
    fl_agg_call call = fl_window_call(part, args, &c->arena);
    if (n > 0)
        FL_TRY(part->agg->kernel->update_groups(&call, c->states, 0, c->list, n, err));
    st = fl_exec_check(c->shape->exec, err);
cleanup:
    return st;
}

/* Feeds rows to the states of their partitions, of which `p` is the first one's or an earlier one. */
static fl_status feed_partitions(window_chunk *c, const window_part *part, int64_t start, int64_t end, uint8_t *states,
                                 fl_err *err)
{
    fl_status st = FL_OK;
    int64_t p = 0;
    for (int64_t first = start; first < end; first += c->block_rows) {
        int32_t rows = end - first < c->block_rows ? (int32_t)(end - first) : c->block_rows, n = 0;
        for (int32_t i = 0; i < rows; i++) {
            p += first + i >= c->partitions[p + 1];
            c->list[n] = (uint16_t)i;
            c->states[n] = states + p * part->agg->kernel->state_bytes;
            n += window_is_kept(c, part, first + i);
        }
        FL_TRY(feed_block(c, part, first, rows, n, err));
    }
cleanup:
    return st;
}

static fl_status join_partitions(window_chunk *c, int32_t number, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    const fl_agg_kernel *kernel = part->agg->kernel;
    window_prepared *p = &c->prepared[number];
    int32_t bytes = kernel->state_bytes;
    fl_agg_call call = fl_window_call(part, NULL, &c->arena);
    if (p->totals == NULL)
        FL_TRY(feed_partitions(c, part, 0, c->n, p->states, err));
    for (int64_t stretch = 0; p->totals != NULL && stretch < c->n_stretches; stretch++)
        FL_TRY(kernel->combine(&call, p->states, p->totals + stretch * bytes, err));
    for (int64_t first = 0; first < c->n_partitions; first += c->block_rows) {
        int32_t rows = c->n_partitions - first < c->block_rows ? (int32_t)(c->n_partitions - first) : c->block_rows;
        fl_vec results;
        fl_arena_reset(&c->scratch);
        for (int32_t i = 0; i < rows; i++)
            c->states[i] = p->states + (first + i) * bytes;
        FL_TRY(fl_window_finish(c, part, rows, &c->scratch, &results, err));
        for (int32_t i = 0; i < rows; i++) {
            c->list[i] = (uint16_t)i;
            c->pointers[i] = p->results + (first + i) * part->result.bytes;
        }
        FL_TRY(fl_rows_write(&part->result, 0, &results, c->list, rows, c->pointers, p->arena, err));
    }
cleanup:
    return st;
}

/* ---- a state a row -------------------------------------------------------------------------------------------------- */

static inline uint8_t *state_of(const window_reach *r, int64_t row, int64_t bytes)
{
    FL_ASSERT_SLOW(row >= r->first && row < r->end);
    return r->states + (row - r->first) * bytes;
}

static inline uint8_t *sum_of(const window_reach *r, int64_t row, int64_t bytes)
{
    FL_ASSERT_SLOW(row >= r->first && row < r->end);
    return r->sums + (row - r->first) * bytes;
}

static window_reach whole_reach(const window_chunk *c, int32_t number)
{
    return (window_reach){c->prepared[number].states, c->prepared[number].sums, 0, c->n};
}

/* States of single rows, side by side. */
static fl_status feed_rows(window_chunk *c, int32_t number, const window_reach *r, int64_t start, int64_t end,
                           fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    int64_t bytes = part->agg->kernel->state_bytes;
    for (int64_t first = start; first < end; first += c->block_rows) {
        int32_t rows = end - first < c->block_rows ? (int32_t)(end - first) : c->block_rows, n = 0;
        memset(state_of(r, first, bytes), 0, (size_t)(rows * bytes));
        for (int32_t i = 0; i < rows; i++) {
            c->list[n] = (uint16_t)i;
            c->states[n] = state_of(r, first + i, bytes);
            n += window_is_kept(c, part, first + i);
        }
        FL_TRY(feed_block(c, part, first, rows, n, err));
    }
cleanup:
    return st;
}

/* Each state of [start, end) becomes that of all rows of its partition up to it. `sum` begins as that of the rows before. */
static fl_status add_up(window_chunk *c, const fl_agg_kernel *kernel, fl_agg_call *call, const window_reach *r,
                        int64_t start, int64_t end, uint8_t *sum, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t bytes = kernel->state_bytes;
    for (int64_t row = start; row < end; row++) {
        uint8_t *state = state_of(r, row, bytes);
        FL_TRY(kernel->combine(call, sum, state, err));
        copy_state(state, sum, bytes);
        if ((row + 1) % CHECKED_ROWS == 0)
            FL_TRY(fl_exec_check(c->shape->exec, err));
    }
cleanup:
    return st;
}

/* All partitions of the rows [start, end). */
static fl_status add_up_all(window_chunk *c, int32_t number, int64_t start, int64_t end, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    uint8_t *carry = c->parts[number].carry, *sum = NULL;
    const fl_agg_kernel *kernel = part->agg->kernel;
    window_reach all = whole_reach(c, number);
    fl_agg_call call = fl_window_call(part, NULL, &c->arena);
    FL_TRY(fl_arena_get_zero(&c->arena, kernel->state_bytes, (void **)&sum, err));
    if (start == 0 && c->rows_before > 0)
        memcpy(sum, carry, (size_t)kernel->state_bytes);
    for (int64_t p = 0; p < c->n_partitions; p++) {
        int64_t from = c->partitions[p] > start ? c->partitions[p] : start;
        int64_t to = c->partitions[p + 1] < end ? c->partitions[p + 1] : end;
        FL_TRY(add_up(c, kernel, &call, &all, from, to, sum, err));
        if (p + 1 < c->n_partitions)
            memset(sum, 0, (size_t)kernel->state_bytes);
    }
    if (end == c->n && carry != NULL)
        memcpy(carry, sum, (size_t)kernel->state_bytes);
cleanup:
    return st;
}

/* What is known of each stretch by its last row becomes that of all stretches before it. */
static fl_status join_running(window_chunk *c, int32_t number, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    const fl_agg_kernel *kernel = part->agg->kernel;
    const window_prepared *p = &c->prepared[number];
    int64_t bytes = kernel->state_bytes;
    fl_agg_call call = fl_window_call(part, NULL, &c->arena);
    memset(p->totals, 0, (size_t)bytes);
    for (int64_t stretch = 1; stretch < c->n_stretches; stretch++) {
        uint8_t *total = p->totals + stretch * bytes;
        memcpy(total, total - bytes, (size_t)bytes);
        FL_TRY(kernel->combine(&call, total, p->states + (window_stretch_start(c, stretch) - 1) * bytes, err));
    }
cleanup:
    return st;
}

static fl_status spread_running(window_chunk *c, int32_t number, int64_t stretch, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    const fl_agg_kernel *kernel = part->agg->kernel;
    const window_prepared *p = &c->prepared[number];
    int64_t bytes = kernel->state_bytes, end = window_stretch_end(c, stretch);
    fl_agg_call call = fl_window_call(part, NULL, &c->arena);
    for (int64_t row = window_stretch_start(c, stretch); stretch > 0 && row < end; row++)
        FL_TRY(kernel->combine(&call, p->states + row * bytes, p->totals + stretch * bytes, err));
cleanup:
    return st;
}

/* ---- a tree of states ----------------------------------------------------------------------------------------------- */

/* Makes nodes of the levels [from, to) that lie over rows [start, end), which begin a node of each of them. */
static fl_status add_levels(window_chunk *c, int32_t number, int32_t from, int32_t to, int64_t start, int64_t end,
                            fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    const fl_agg_kernel *kernel = part->agg->kernel;
    const window_prepared *p = &c->prepared[number];
    int64_t bytes = kernel->state_bytes;
    fl_agg_call call = fl_window_call(part, NULL, &c->arena);
    for (int32_t level = from; level < to; level++) {
        int32_t bits = FANOUT_BITS * (level - 1);
        int64_t first = start >> bits, behind = (end + (1ll << bits) - 1) >> bits; /* of the level below */
        int64_t above = (behind + FANOUT - 1) / FANOUT;
        FL_ASSERT(first % FANOUT == 0);
        memset(p->levels[level] + first / FANOUT * bytes, 0, (size_t)((above - first / FANOUT) * bytes));
        for (int64_t i = first; i < behind; i++) {
            FL_TRY(
                kernel->combine(&call, p->levels[level] + i / FANOUT * bytes, p->levels[level - 1] + i * bytes, err));
            if ((i + 1) % CHECKED_ROWS == 0)
                FL_TRY(fl_exec_check(c->shape->exec, err));
        }
    }
cleanup:
    return st;
}

static fl_status begin_tree(window_chunk *c, int32_t number, fl_err *err)
{
    fl_status st = FL_OK;
    window_prepared *p = &c->prepared[number];
    int64_t bytes = c->shape->parts[number].agg->kernel->state_bytes;
    p->levels[0] = p->states;
    p->n_levels = 1;
    for (int64_t n = c->n; n > FANOUT && p->n_levels < FL_LEN(p->levels); p->n_levels++) {
        n = (n + FANOUT - 1) / FANOUT;
        FL_TRY(fl_arena_get(p->arena, n * bytes, (void **)&p->levels[p->n_levels], err));
    }
cleanup:
    return st;
}

/* Levels below this one have nodes that lie in one stretch each. */
static int32_t levels_of_stretch(const window_chunk *c, const window_prepared *p)
{
    int32_t levels = 1;
    while (levels < p->n_levels && (c->n_stretches == 1 || 1ll << FANOUT_BITS * levels <= c->stretch_rows))
        levels++;
    return levels;
}

/* Adds nodes [start, end) of a level and what they hold, in the order of the rows: the ends that do not fill a node of the level above
 * by themselves, what lies between by that level. */
static fl_status add_nodes(const window_prepared *p, const fl_agg_kernel *kernel, fl_agg_call *call, int32_t level,
                           int64_t start, int64_t end, uint8_t *into, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t bytes = kernel->state_bytes;
    const uint8_t *nodes = p->levels[level];
    bool is_top = level + 1 == p->n_levels;
    int64_t left = is_top ? end : (start + FANOUT - 1) >> FANOUT_BITS, right = is_top ? end : end >> FANOUT_BITS;
    if (is_top || left >= right) {
        for (int64_t i = start; i < end; i++)
            FL_TRY(kernel->combine(call, into, nodes + i * bytes, err));
        return FL_OK;
    }
    for (int64_t i = start; i < left << FANOUT_BITS; i++)
        FL_TRY(kernel->combine(call, into, nodes + i * bytes, err));
    FL_TRY(add_nodes(p, kernel, call, level + 1, left, right, into, err));
    for (int64_t i = right << FANOUT_BITS; i < end; i++)
        FL_TRY(kernel->combine(call, into, nodes + i * bytes, err));
cleanup:
    return st;
}

/* ---- frames that only move on --------------------------------------------------------------------------------------- */

static fl_status add_segment(window_chunk *c, window_prepared *p, int64_t at, fl_err *err)
{
    if (p->n_segments > 0 && p->segments[p->n_segments - 1] >= at)
        return FL_OK;
    fl_status st = fl_grow(c->memory, (void **)&p->segments, &p->segments_capacity, p->n_segments + 1, 8, err);
    if (st == FL_OK)
        p->segments[p->n_segments++] = at;
    return st;
}

/* Cuts the rows into segments so that a frame that begins in one ends in it or in the next: where a frame has left a segment, the
 * next one ends with that frame (Tangwongsan et al. 2015, "General Incremental Sliding-Window Aggregation": two stacks). */
static fl_status find_segments(window_chunk *c, int32_t number, fl_err *err)
{
    fl_status st = FL_OK;
    window_prepared *p = &c->prepared[number];
    int64_t partition = 0, peer = 0, last = -1, middle = 0, behind = 0; /* the rows up to the middle are in segments */
    p->n_segments = 0;
    for (int64_t first = 0; first < c->n; first += c->block_rows) {
        window_batch batch = {first, c->n - first < c->block_rows ? (int32_t)(c->n - first) : c->block_rows};
        fl_window_place_rows(c, &batch, &partition, &peer);
        fl_window_frames(c, number, &batch);
        for (int32_t i = 0; i < batch.rows; i++) {
            if (c->start[i] >= c->end[i])
                continue;
            if (last != c->partition[i] || c->start[i] > behind) {
                if (last >= 0)
                    FL_TRY(add_segment(c, p, behind, err));
                FL_TRY(add_segment(c, p, c->start[i], err));
                middle = behind = c->start[i];
                last = c->partition[i];
            }
            behind = c->end[i] > behind ? c->end[i] : behind;
            if (c->start[i] >= middle) {
                FL_TRY(add_segment(c, p, behind, err));
                middle = behind;
            }
        }
        FL_TRY(fl_exec_check(c->shape->exec, err));
    }
    if (last >= 0)
        st = add_segment(c, p, behind, err);
cleanup:
    return st;
}

/* The first segment that begins at or behind a row; n_segments: none. */
static int64_t find_segment(const window_prepared *p, int64_t row)
{
    int64_t low = 0, high = p->n_segments;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (p->segments[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The same of ROWS in a partition of all rows: from each frame that ends a segment a leap to the next one. */
static fl_status leap_segments(window_chunk *c, int32_t number, fl_err *err)
{
    fl_status st = FL_OK;
    window_prepared *p = &c->prepared[number];
    window_span to = fl_window_distances(&c->shape->parts[number], c->n);
    FL_ASSERT(to.start < to.end && c->n_partitions == 1);
    p->n_segments = 0;
    int64_t row = to.end > 0 ? 0 : 1 - to.end; /* the first one whose frame has rows */
    for (int64_t start = row + to.start > 0 ? row + to.start : 0; row < c->n && start < c->n;) {
        int64_t end = row + to.end < c->n ? row + to.end : c->n;
        FL_TRY(add_segment(c, p, start, err));
        FL_TRY(add_segment(c, p, end, err));
        start = end;
        row = end - to.start > row ? end - to.start : row + 1;
    }
    int64_t behind = c->n - 1 + to.end < c->n ? c->n - 1 + to.end : c->n;
    if (p->n_segments > 0)
        st = add_segment(c, p, behind, err);
cleanup:
    return st;
}

/* Adds up what is in reach of a segment, to both of its ends. */
static fl_status add_up_segment(window_chunk *c, int32_t number, const window_reach *r, int64_t i, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    const fl_agg_kernel *kernel = part->agg->kernel;
    int64_t bytes = kernel->state_bytes, start = c->prepared[number].segments[i];
    int64_t end = c->prepared[number].segments[i + 1], from = start > r->first ? start : r->first;
    fl_agg_call call = fl_window_call(part, NULL, &c->arena);
    uint8_t *sum = NULL;
    FL_TRY(fl_arena_get_zero(&c->arena, bytes, (void **)&sum, err));
    for (int64_t row = start; start >= r->first && row < end && row < r->end; row++) {
        FL_TRY(kernel->combine(&call, sum, state_of(r, row, bytes), err));
        copy_state(sum_of(r, row, bytes), sum, bytes);
        if ((row + 1) % CHECKED_ROWS == 0)
            FL_TRY(fl_exec_check(c->shape->exec, err));
    }
    for (int64_t row = end - 2; end <= r->end && row >= from; row--) {
        FL_TRY(kernel->combine(&call, state_of(r, row, bytes), state_of(r, row + 1, bytes), err));
        if ((row + 1) % CHECKED_ROWS == 0)
            FL_TRY(fl_exec_check(c->shape->exec, err));
    }
cleanup:
    return st;
}

/* Of the segments that begin in the stretch. */
static fl_status spread_moving(window_chunk *c, int32_t number, int64_t stretch, fl_err *err)
{
    fl_status st = FL_OK;
    const window_prepared *p = &c->prepared[number];
    int64_t end = window_stretch_end(c, stretch);
    window_reach all = whole_reach(c, number);
    for (int64_t i = find_segment(p, window_stretch_start(c, stretch)); i + 1 < p->n_segments && p->segments[i] < end;
         i++)
        FL_TRY(add_up_segment(c, number, &all, i, err));
cleanup:
    return st;
}

/* The states of frames: of the rest of the segment in which one begins, with those rows of the next that are part of it. */
static fl_status add_moving(window_chunk *c, int32_t number, const window_batch *batch, uint8_t *states, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    const window_prepared *p = &c->prepared[number];
    const window_reach *r = &c->parts[number].reach;
    int64_t bytes = part->agg->kernel->state_bytes, next = 0; /* the first segment behind the frame's start */
    fl_agg_call call = fl_window_call(part, NULL, &c->arena);
    for (int32_t i = 0; i < batch->rows; i++) {
        uint8_t *into = states + i * bytes;
        if (c->start[i] >= c->end[i])
            continue;
        if (next == 0)
            next = find_segment(p, c->start[i] + 1);
        while (p->segments[next] <= c->start[i])
            next++;
        FL_ASSERT_SLOW(next < p->n_segments && c->end[i] >= p->segments[next]);
        copy_state(into, state_of(r, c->start[i], bytes), bytes);
        if (c->end[i] > p->segments[next])
            FL_TRY(part->agg->kernel->combine(&call, into, sum_of(r, c->end[i] - 1, bytes), err));
    }
cleanup:
    return st;
}

/* ---- frames --------------------------------------------------------------------------------------------------------- */

static fl_status add_frame(window_chunk *c, int32_t number, const window_batch *batch, int32_t i, uint8_t *into,
                           fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    const window_prepared *p = &c->prepared[number];
    const window_reach *r = &c->parts[number].reach;
    const fl_agg_kernel *kernel = part->agg->kernel;
    fl_agg_call call = fl_window_call(part, NULL, &c->arena);
    window_span spans[3];
    int32_t n = fl_window_spans(c, part, batch, i, spans), bytes = kernel->state_bytes;
    for (int32_t j = 0; j < n; j++) {
        if (part->feed == WINDOW_TREE) {
            FL_TRY(add_nodes(p, kernel, &call, 0, spans[j].start, spans[j].end, into, err));
            continue;
        }
        FL_TRY(kernel->combine(&call, into, state_of(r, spans[j].end - 1, bytes), err));
        if (spans[j].start > window_partition_start(c, i) && spans[j].start > r->first)
            kernel->subtract(into, state_of(r, spans[j].start - 1, bytes));
    }
cleanup:
    return st;
}

/* The states of a batch's frames. */
static fl_status find_states(window_chunk *c, int32_t number, const window_batch *batch, fl_arena *arena, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    int32_t bytes = part->agg->kernel->state_bytes;
    uint8_t *states = NULL, *empty = NULL;
    fl_window_frames(c, number, batch);
    if (part->feed == WINDOW_RUNNING && is_running(part)) {
        FL_TRY(fl_arena_get_zero(arena, bytes, (void **)&empty, err));
        for (int32_t i = 0; i < batch->rows; i++)
            c->states[i] = c->end[i] > window_partition_start(c, i)
                               ? state_of(&c->parts[number].reach, c->end[i] - 1, bytes)
                               : empty;
        return FL_OK;
    }
    FL_TRY(fl_arena_get_zero(arena, (int64_t)batch->rows * bytes, (void **)&states, err));
    for (int32_t i = 0; i < batch->rows; i++)
        c->states[i] = states + (int64_t)i * bytes;
    if (part->feed == WINDOW_MOVING)
        return add_moving(c, number, batch, states, err);
    for (int32_t i = 0; i < batch->rows; i++)
        FL_TRY(add_frame(c, number, batch, i, c->states[i], err));
cleanup:
    return st;
}

/* ---- what is in reach ----------------------------------------------------------------------------------------------- */

fl_status fl_window_reach(window_chunk *c, int32_t number, int64_t start, int64_t end, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    const window_prepared *p = &c->prepared[number];
    window_reach *r = &c->parts[number].reach;
    *r = whole_reach(c, number);
    if (part->feed == WINDOW_NO_FEED || !is_reached(c, part))
        return FL_OK;
    window_span to = fl_window_distances(part, c->n);
    const fl_agg_kernel *kernel = part->agg->kernel;
    fl_agg_call call = fl_window_call(part, NULL, &c->arena);
    int64_t first = start + to.start, behind = end - 1 + to.end;
    first = first < 0 ? 0 : first < c->n ? first : c->n;
    behind = behind < first ? first : behind < c->n ? behind : c->n;
    *r = (window_reach){.first = first, .end = behind};
    FL_TRY(fl_arena_get(&c->results, (behind - first) * kernel->state_bytes + 8, (void **)&r->states, err));
    FL_TRY(fl_arena_get(&c->results, (behind - first) * kernel->state_bytes + 8, (void **)&r->sums, err));
    FL_TRY(feed_rows(c, number, r, first, behind, err));
    if (part->feed == WINDOW_RUNNING) {
        memset(r->sums, 0, (size_t)kernel->state_bytes);
        return add_up(c, kernel, &call, r, first, behind, r->sums, err);
    }
    int64_t i = find_segment(p, first + 1) - 1; /* the one that the first row is in */
    for (i = i < 0 ? 0 : i; i + 1 < p->n_segments && p->segments[i] < behind; i++)
        FL_TRY(add_up_segment(c, number, r, i, err));
cleanup:
    return st;
}

/* ---- all ------------------------------------------------------------------------------------------------------------ */

fl_status fl_window_begin_aggregate(window_chunk *c, int32_t number, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    window_prepared *p = &c->prepared[number];
    int64_t bytes = part->agg->kernel->state_bytes;
    bool has_rows = part->feed == WINDOW_RUNNING || part->feed == WINDOW_MOVING || part->feed == WINDOW_TREE;
    p->totals = p->results = NULL;
    if (is_reached(c, part))
        return FL_OK;
    if (has_rows)
        FL_TRY(fl_arena_get(p->arena, c->n * bytes, (void **)&p->states, err));
    if (part->feed == WINDOW_MOVING)
        FL_TRY(fl_arena_get(p->arena, c->n * bytes, (void **)&p->sums, err));
    if (part->feed == WINDOW_TREE)
        FL_TRY(begin_tree(c, number, err));
    if (part->feed == WINDOW_PER_PARTITION) {
        FL_TRY(fl_arena_get_zero(p->arena, c->n_partitions * bytes, (void **)&p->states, err));
        FL_TRY(fl_arena_get_zero(p->arena, c->n_partitions * part->result.bytes, (void **)&p->results, err));
    }
    if ((part->feed == WINDOW_PER_PARTITION || part->feed == WINDOW_RUNNING) && is_exact(part) && c->n_stretches > 1)
        FL_TRY(fl_arena_get_zero(p->arena, c->n_stretches * bytes, (void **)&p->totals, err));
cleanup:
    return st;
}

fl_status fl_window_feed_aggregate(window_chunk *c, int32_t number, int64_t stretch, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    const window_prepared *p = &c->prepared[number];
    int64_t start = window_stretch_start(c, stretch), end = window_stretch_end(c, stretch);
    window_reach all = whole_reach(c, number);
    if (is_reached(c, part))
        return FL_OK;
    switch (part->feed) {
    case WINDOW_PER_PARTITION:
        if (p->totals != NULL)
            return feed_partitions(c, part, start, end, p->totals + stretch * part->agg->kernel->state_bytes, err);
        return FL_OK;
    case WINDOW_RUNNING:
        FL_TRY(feed_rows(c, number, &all, start, end, err));
        return p->totals != NULL ? add_up_all(c, number, start, end, err) : FL_OK;
    case WINDOW_TREE:
        FL_TRY(feed_rows(c, number, &all, start, end, err));
        return add_levels(c, number, 1, levels_of_stretch(c, p), start, end, err);
    case WINDOW_MOVING:
        return feed_rows(c, number, &all, start, end, err);
    case WINDOW_ANEW:
        fl_window_feed_anew(c, number, stretch);
        break;
    case WINDOW_NO_FEED:
        break;
    }
cleanup:
    return st;
}

fl_status fl_window_join_aggregate(window_chunk *c, int32_t number, fl_err *err)
{
    const window_prepared *p = &c->prepared[number];
    const window_part *part = &c->shape->parts[number];
    if (is_reached(c, part))
        return part->feed == WINDOW_MOVING ? leap_segments(c, number, err) : FL_OK;
    switch (part->feed) {
    case WINDOW_PER_PARTITION:
        return join_partitions(c, number, err);
    case WINDOW_RUNNING:
        return p->totals != NULL ? join_running(c, number, err) : add_up_all(c, number, 0, c->n, err);
    case WINDOW_TREE:
        return add_levels(c, number, levels_of_stretch(c, p), p->n_levels, 0, c->n, err);
    case WINDOW_MOVING:
        return find_segments(c, number, err);
    case WINDOW_ANEW:
        return fl_window_join_anew(c, number, err);
    case WINDOW_NO_FEED:
        break;
    }
    return FL_OK;
}

fl_status fl_window_spread_aggregate(window_chunk *c, int32_t number, int64_t stretch, fl_err *err)
{
    if (is_reached(c, &c->shape->parts[number]))
        return FL_OK;
    if (c->shape->parts[number].feed == WINDOW_MOVING)
        return spread_moving(c, number, stretch, err);
    if (c->shape->parts[number].feed == WINDOW_RUNNING && c->prepared[number].totals != NULL)
        return spread_running(c, number, stretch, err);
    return FL_OK;
}

bool fl_window_has_spread(const window_part *part)
{
    if (part->feed == WINDOW_NO_FEED)
        return part->agg->frame->ignores_nulls;
    return !part->is_narrow && (part->feed == WINDOW_MOVING || (part->feed == WINDOW_RUNNING && is_exact(part)));
}

fl_status fl_window_aggregate(window_chunk *c, int32_t number, const window_batch *batch, fl_arena *arena, fl_vec *ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    const window_prepared *p = &c->prepared[number];
    if (part->feed == WINDOW_RUNNING || part->feed == WINDOW_MOVING || part->feed == WINDOW_TREE) {
        FL_TRY(find_states(c, number, batch, arena, err));
        return fl_window_finish(c, part, batch->rows, arena, ret, err);
    }
    if (p->results == NULL)
        FL_TRY(fl_window_find_anew(c, number, batch, c->pointers, err));
    for (int32_t i = 0; p->results != NULL && i < batch->rows; i++)
        c->pointers[i] = p->results + c->partition[i] * part->result.bytes;
    st = fl_rows_read(&part->result, 0, c->pointers, batch->rows, arena, ret, err);
cleanup:
    return st;
}
