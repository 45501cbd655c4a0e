/* window: a partition on which all workers work. */
#include "op/window/large.h"

int64_t fl_window_stretch_rows(const window_shape *shape)
{
    int64_t rows = 4;
    while (rows * 4 <= window_large_rows(shape) / 4)
        rows *= 4;
    return rows;
}

fl_status fl_window_large_new(const window_shape *shape, uint8_t **rows, int64_t n, uint64_t number, window_large **ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    fl_memory *memory = shape->exec->context.memory;
    window_large *large = NULL;
    FL_ASSERT(n > 0 && number > 0 && shape->is_divisible);
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*large), (void **)&large, err));
    window_chunk *c = &large->shared;
    *c = (window_chunk){.shape = shape, .memory = memory, .rows = rows, .n = n};
    c->stretch_rows = fl_window_stretch_rows(shape);
    large->number = c->large = number;
    c->n_stretches = (n + c->stretch_rows - 1) / c->stretch_rows;
    c->n_partitions = c->n_peers = 1;
    fl_arena_init(&c->arena, memory);
    FL_TRY(fl_alloc_zero(memory, shape->n_parts * (int64_t)sizeof(*c->prepared) + 1, (void **)&c->prepared, err));
    FL_TRY(fl_alloc_zero(memory, shape->n_parts * (int64_t)sizeof(fl_arena) + 1, (void **)&large->arenas, err));
    FL_TRY(FL_NEW_ARRAY(&c->arena, 2, &c->partitions, err));
    FL_TRY(FL_NEW_ARRAY(&c->arena, 2, &c->first_peers, err));
    FL_TRY(FL_NEW_ARRAY(&c->arena, c->n_stretches + 1, &large->n_peers, err));
    c->partitions[1] = n;
    c->first_peers[1] = 1;
    c->peers = c->partitions;
    if (shape->needs_peers)
        FL_TRY(fl_arena_get(&c->arena, (n + 1) * 8, (void **)&c->peers, err));
    for (int32_t i = 0; i < shape->n_parts; i++) {
        fl_arena_init(&large->arenas[i], memory);
        c->prepared[i].arena = &large->arenas[i];
    }
    for (int32_t i = 0; i < shape->n_parts; i++)
        FL_TRY(fl_window_begin(c, i, err));
    *ret = large;
    return FL_OK;
cleanup:
    fl_window_large_free(large);
    return st;
}

void fl_window_large_free(window_large *large)
{
    if (large == NULL)
        return;
    for (int32_t i = 0; i < large->shared.shape->n_parts; i++) {
        if (large->shared.prepared != NULL)
            fl_free(large->shared.prepared[i].segments);
        if (large->arenas != NULL && large->arenas[i].memory != NULL)
            fl_arena_drop(&large->arenas[i]);
    }
    fl_free(large->shared.prepared);
    fl_free(large->arenas);
    fl_arena_drop(&large->shared.arena);
    fl_free(large);
}

/* ---- steps ---------------------------------------------------------------------------------------------------------- */

static int64_t steps_of(const window_large *large, window_phase phase)
{
    const window_shape *shape = large->shared.shape;
    int64_t n_spread = 0;
    switch (phase) {
    case WINDOW_JOIN_PEERS:
        return shape->needs_peers;
    case WINDOW_JOIN:
        return shape->n_parts;
    case WINDOW_SPREAD:
        for (int32_t i = 0; i < shape->n_parts; i++)
            n_spread += fl_window_has_spread(&shape->parts[i]);
        return n_spread > 0 ? large->shared.n_stretches : 0;
    case WINDOW_ALL_OUT:
        return 0;
    default:
        return large->shared.n_stretches;
    }
}

bool fl_window_large_has_step(const window_large *large)
{
    return large->n_claimed < steps_of(large, large->phase);
}

bool fl_window_large_claim(window_large *large, window_step *ret)
{
    if (!fl_window_large_has_step(large))
        return false;
    *ret = (window_step){large, large->phase, large->n_claimed++};
    return true;
}

bool fl_window_large_did(const window_step *step)
{
    window_large *large = step->large;
    FL_ASSERT(large->phase == step->phase && large->n_done < large->n_claimed);
    if (++large->n_done < steps_of(large, large->phase))
        return false;
    do
        large->phase++;
    while (large->phase != WINDOW_ALL_OUT && steps_of(large, large->phase) == 0);
    large->n_claimed = large->n_done = 0;
    return true;
}

/* ---- groups of peers ------------------------------------------------------------------------------------------------ */

/* Those that begin in the stretch are written from its place on. */
static void find_peers(const window_large *large, const window_chunk *c, int64_t stretch)
{
    int64_t first = window_stretch_start(c, stretch);
    if (c->shape->needs_peers)
        large->n_peers[stretch] =
            fl_window_find_peers(c, first, window_stretch_end(c, stretch), stretch == 0, c->peers + first);
}

static void join_peers(window_large *large)
{
    window_chunk *c = &large->shared;
    int64_t n = 0;
    for (int64_t stretch = 0; stretch < c->n_stretches; stretch++) {
        int64_t count = large->n_peers[stretch];
        memmove(c->peers + n, c->peers + window_stretch_start(c, stretch), (size_t)count * 8);
        n += count;
    }
    c->peers[n] = c->n;
    c->n_peers = c->first_peers[1] = n;
}

/* The group that a row is of. */
static int64_t find_peer(const window_chunk *c, int64_t row)
{
    int64_t low = 0, high = c->n_peers; /* begins at or before the row; does not */
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (c->peers[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* ---- phases --------------------------------------------------------------------------------------------------------- */

/* What is prepared is the partition's, all else the worker's. */
static void set_up(window_chunk *c, const window_large *large)
{
    const window_chunk *from = &large->shared;
    bool is_new = c->large != large->number;
    if (is_new)
        fl_arena_reset(&c->arena);
    c->large = large->number;
    c->rows = from->rows;
    c->n = from->n;
    c->partitions = from->partitions;
    c->n_partitions = from->n_partitions;
    c->peers = from->peers;
    c->n_peers = from->n_peers;
    c->first_peers = from->first_peers;
    c->prepared = from->prepared;
    c->stretch_rows = from->stretch_rows;
    c->n_stretches = from->n_stretches;
    c->rows_before = c->peers_before = 0;
    fl_window_restart(c, is_new);
}

static fl_status feed(const window_step *step, window_chunk *c, fl_err *err)
{
    fl_status st = FL_OK;
    find_peers(step->large, c, step->number);
    for (int32_t i = 0; i < c->shape->n_parts; i++)
        FL_TRY(fl_window_feed(c, i, step->number, err));
cleanup:
    return st;
}

static fl_status join(const window_step *step, window_chunk *c, fl_err *err)
{
    fl_status st = fl_window_join(c, (int32_t)step->number, err);
    c->large = 0; /* what it took of the chunk's arena may be as much as the partition takes */
    fl_arena_drop(&c->arena);
    return st;
}

static fl_status spread(const window_step *step, window_chunk *c, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < c->shape->n_parts; i++)
        FL_TRY(fl_window_spread(c, i, step->number, err));
    st = fl_exec_check(c->shape->exec, err);
cleanup:
    return st;
}

fl_status fl_window_large_step(const window_step *step, window_chunk *c, fl_worker *worker, fl_stage *to, fl_err *err)
{
    set_up(c, step->large);
    switch (step->phase) {
    case WINDOW_FEED:
        return feed(step, c, err);
    case WINDOW_JOIN_PEERS:
        join_peers(step->large);
        break;
    case WINDOW_JOIN:
        return join(step, c, err);
    case WINDOW_SPREAD:
        return spread(step, c, err);
    case WINDOW_PUT_OUT:
        return fl_window_put_out(c, window_stretch_start(c, step->number), window_stretch_end(c, step->number),
                                 find_peer(c, window_stretch_start(c, step->number)), worker, to, err);
    case WINDOW_ALL_OUT:
        break;
    }
    return FL_OK;
}
