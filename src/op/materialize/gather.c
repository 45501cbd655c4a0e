/* Gathering: each worker fills segments of its own and notes the morsel of each run of rows; the end puts runs in order. Where several
 * work, a segment is closed at the end of a morsel as soon as it is large, so that most are taken over as they are; what lies in
 * pieces is put together by all workers. */
#include "op/materialize/gather.h"

#include "exec/spill.h"

#include <stdlib.h>

#define LARGE_ROWS (FL_SEGMENT_ROWS / 2) /* of a segment that is left as it is */

#define WRITTEN_ROWS 1024 /* of a segment at a time, as it leaves memory */
#define WRITTEN_BYTES (160 << 10)
#define KEPT_PART 3 /* of the limit, to be left for readers where rows stay in memory */

/* Rows of one morsel, in a worker's segments. */
typedef struct run_of_rows {
    int32_t pipeline;
    int64_t morsel;
    int64_t segment; /* of the worker; the builder's open one is n_segments */
    int64_t start;
    int64_t count;
    struct gather_local *local;
} run_of_rows;

typedef struct gather_local {
    fl_memory *memory; /* of the run: what the lists below are charged to */
    fl_segment_builder *builder;
    fl_segment **segments;
    int64_t n_segments, segments_capacity;
    run_of_rows *runs;
    int64_t n_runs, runs_capacity;
    fl_vec *vecs;
    uint16_t *list;
    int64_t bytes; /* of the segments */
    fl_spill_holder holder;
    fl_sorted_runs spilled; /* in the order in which the rows came */
} gather_local;

static fl_status local_new(fl_stage *base, fl_worker *worker, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_gather *stage = (fl_gather *)base;
    fl_memory *memory = worker->exec->context.memory;
    gather_local *local = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*local), (void **)&local, err));
    *ret = local;
    local->memory = memory;
    fl_sorted_runs_init(&local->spilled, worker->exec, &stage->layout, NULL, 0);
    if (stage->spills != NULL)
        fl_spill_register(worker->exec, &local->holder);
    fl_segment_use use = stage->use == FL_SEGMENT_TABLE ? FL_SEGMENT_PIECE : stage->use;
    FL_TRY(fl_segment_builder_new(stage->keep, stage->types, stage->n_cols, use, &local->builder, err));
    FL_TRY(fl_alloc_zero(memory, (stage->n_cols + 1) * (int64_t)sizeof(fl_vec), (void **)&local->vecs, err));
    FL_TRY(fl_alloc(memory, worker->exec->context.session->vector_rows * 2 + 64, (void **)&local->list, err));
cleanup:
    return st;
}

static void drop_segments(gather_local *local)
{
    for (int64_t i = 0; i < local->n_segments; i++)
        fl_segment_unref(local->segments[i]);
    local->n_segments = local->n_runs = local->bytes = 0;
}

static void local_free(fl_stage *base, void *ptr)
{
    (void)base;
    gather_local *local = ptr;
    fl_sorted_runs_drop(&local->spilled);
    fl_segment_builder_free(local->builder);
    drop_segments(local);
    fl_free(local->segments);
    fl_free(local->runs);
    fl_free(local->vecs);
    fl_free(local->list);
    fl_free(local);
}

static fl_status close_segment(gather_local *local, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t bytes = fl_segment_builder_bytes(local->builder);
    FL_TRY(fl_grow(local->memory, (void **)&local->segments, &local->segments_capacity, local->n_segments + 1, 8, err));
    FL_TRY(fl_segment_builder_finish(local->builder, &local->segments[local->n_segments], err));
    local->n_segments++;
    local->bytes += bytes;
cleanup:
    return st;
}

/* ---- leaving memory ------------------------------------------------------------------------------------------------ */

/* Rows under way to the disk: not counted, since there is no memory left, and few. */
typedef struct leaving {
    fl_gather *stage;
    fl_row_store store;
    fl_arena arena;
    uint16_t list[WRITTEN_ROWS];
    uint8_t **rows;
    int64_t n, capacity;
    int64_t written;
    fl_sorted_runs *to;
} leaving;

static int64_t rows_of(const gather_local *local)
{
    int64_t rows = 0;
    for (int64_t i = 0; i < local->n_segments; i++)
        rows += local->segments[i]->rows;
    return rows;
}

static fl_status write_rows(leaving *l, fl_err *err)
{
    fl_status st = fl_sorted_runs_append(l->to, l->rows, l->n, err);
    fl_row_store_drop(&l->store);
    l->written += l->n;
    l->n = 0;
    return st;
}

static fl_status take_out(leaving *l, const fl_segment *segment, int64_t start, int32_t n, uint64_t place, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_row_layout *layout = &l->stage->layout;
    FL_TRY(fl_grow(NULL, (void **)&l->rows, &l->capacity, l->n + n, (int64_t)sizeof(*l->rows), err));
    uint8_t **rows = l->rows + l->n;
    FL_TRY(fl_row_store_add(&l->store, n, rows, err));
    fl_arena_reset(&l->arena);
    for (int32_t c = 0; c < layout->n_cols; c++) {
        fl_vec vec;
        FL_TRY(fl_vec_slice(&l->arena, &segment->vecs[c], start, n, &vec, err));
        FL_TRY(fl_rows_write(layout, c, &vec, l->list, n, rows, &l->store.heap, err));
    }
    for (int32_t i = 0; i < n; i++)
        memcpy(rows[i], &place, 8);
    l->n += n;
    if (l->store.rows * layout->bytes + l->store.heap.bytes >= WRITTEN_BYTES)
        st = write_rows(l, err);
cleanup:
    return st;
}

/* Writes all rows of a worker as a run, by where they come from. */
static fl_status spill(fl_gather *stage, gather_local *local, fl_worker *worker, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t written = fl_sorted_runs_bytes(&local->spilled);
    leaving l = {.stage = stage, .to = &local->spilled};
    fl_row_store_init(&l.store, &stage->layout, NULL);
    fl_arena_init(&l.arena, NULL);
    for (int32_t i = 0; i < WRITTEN_ROWS; i++)
        l.list[i] = (uint16_t)i;
    if (fl_segment_builder_rows(local->builder) > 0)
        FL_TRY(close_segment(local, err));
    FL_TRY(fl_sorted_runs_begin(&local->spilled, err));
    for (int64_t r = 0; r < local->n_runs; r++) {
        const run_of_rows *run = &local->runs[r];
        uint64_t place = fl_sorted_run_place(run->pipeline, run->morsel);
        for (int64_t at = run->start, end = run->start + run->count; at < end; at += WRITTEN_ROWS) {
            int32_t n = end - at < WRITTEN_ROWS ? (int32_t)(end - at) : WRITTEN_ROWS;
            FL_TRY(take_out(&l, local->segments[run->segment], at, n, place, err));
        }
    }
    FL_TRY(write_rows(&l, err));
    FL_ASSERT(l.written == rows_of(local)); /* all of them, in the order of their morsels */
    drop_segments(local);
    fl_memory_trim();
    fl_spill_gave_back(&local->holder);
    fl_spill_count(worker, stage->spills, fl_sorted_runs_bytes(&local->spilled) - written, 0);
cleanup:
    fl_row_store_drop(&l.store);
    fl_arena_drop(&l.arena);
    fl_free(l.rows);
    return st;
}

static fl_status spill_if_due(fl_gather *stage, gather_local *local, fl_worker *worker, fl_err *err)
{
    int64_t bytes = local->bytes + fl_segment_builder_bytes(local->builder);
    if (stage->spills == NULL || !fl_spill_is_due(stage->exec, &local->holder, bytes))
        return FL_OK;
    return spill(stage, local, worker, err);
}

/* ---- taking in ----------------------------------------------------------------------------------------------------- */

static fl_status push(fl_stage *base, fl_worker *worker, void *ptr, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    fl_gather *stage = (fl_gather *)base;
    gather_local *local = ptr;
    fl_memory *memory = worker->exec->context.memory;
    int32_t count = batch->rows;
    FL_TRY(spill_if_due(stage, local, worker, err));
    run_of_rows *run = local->n_runs > 0 ? &local->runs[local->n_runs - 1] : NULL;
    for (int32_t c = 0; c < stage->n_cols; c++)
        local->vecs[c] = batch->vec[stage->from[c]];
    if (batch->mask != NULL)
        count = fl_bitmap_to_list(batch->mask, batch->rows, local->list);
    bool is_next = run == NULL || run->pipeline != worker->pipeline || run->morsel != worker->morsel;
    if (is_next && worker->exec->n_workers > 1 && fl_segment_builder_rows(local->builder) >= LARGE_ROWS)
        FL_TRY(close_segment(local, err));
    if (is_next || run->segment != local->n_segments) {
        FL_TRY(fl_grow(memory, (void **)&local->runs, &local->runs_capacity, local->n_runs + 1, (int64_t)sizeof(*run),
                       err));
        run = &local->runs[local->n_runs++];
        *run = (run_of_rows){
            worker->pipeline, worker->morsel, local->n_segments, fl_segment_builder_rows(local->builder), 0, local};
    }
    FL_TRY(fl_segment_builder_add(local->builder, local->vecs, batch->mask != NULL ? local->list : NULL, count, err));
    run->count += count;
    if (fl_segment_builder_is_full(local->builder))
        st = close_segment(local, err);
cleanup:
    return st;
}

static int compare_runs(const void *a, const void *b)
{
    const run_of_rows *x = a, *y = b;
    if (x->pipeline != y->pipeline)
        return x->pipeline < y->pipeline ? -1 : 1;
    if (x->morsel != y->morsel)
        return x->morsel < y->morsel ? -1 : 1;
    if (x->segment != y->segment)
        return x->segment < y->segment ? -1 : 1;
    return (x->start > y->start) - (x->start < y->start);
}

/* ---- the end ------------------------------------------------------------------------------------------------------ */

/* Runs that become segments together, and what they became: one, or more where texts are long. */
typedef struct part {
    const run_of_rows *runs;
    int64_t n_runs;
    bool is_whole; /* they are all of a worker's segment, which is taken over */
    fl_segment **made;
    int64_t n_made, made_capacity;
} part;

typedef struct ending {
    fl_gather *stage;
    part *parts;
    int64_t n_parts, parts_capacity;
} ending;

static fl_segment *segment_of(const run_of_rows *run)
{
    return run->local->segments[run->segment];
}

/* How many of the runs are one worker's segment from its first to its last row; 0: they are not. */
static int64_t count_whole(const run_of_rows *runs, int64_t n)
{
    const fl_segment *segment = segment_of(runs);
    int64_t rows = 0, i = 0;
    for (; i < n && segment_of(&runs[i]) == segment && runs[i].start == rows; i++)
        rows += runs[i].count;
    return rows == segment->rows ? i : 0;
}

/* Says which runs become segments together. A worker's segment that is large, or ends the rows, is taken over as it is. */
static fl_status divide(ending *e, const run_of_rows *runs, int64_t n, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t rows = 0;
    for (int64_t i = 0, step; i < n; i += step) {
        int64_t whole = count_whole(runs + i, n - i);
        bool is_taken = whole > 0 && (segment_of(&runs[i])->rows >= LARGE_ROWS || (rows == 0 && i + whole == n));
        step = is_taken ? whole : 1;
        if (is_taken || rows == 0) {
            FL_TRY(fl_grow(e->stage->exec->context.memory, (void **)&e->parts, &e->parts_capacity, e->n_parts + 1,
                           (int64_t)sizeof(part), err));
            e->parts[e->n_parts++] = (part){.runs = &runs[i], .is_whole = is_taken};
        }
        e->parts[e->n_parts - 1].n_runs += step;
        rows += is_taken ? 0 : runs[i].count;
        if (is_taken || rows >= FL_SEGMENT_ROWS)
            rows = 0;
    }
cleanup:
    return st;
}

/* Takes the segment over. */
static fl_status add_made(fl_gather *stage, part *p, fl_segment *segment, fl_err *err)
{
    return fl_segment_list_add(stage->exec->context.memory, &p->made, &p->n_made, &p->made_capacity, segment, err);
}

static fl_status put_together(fl_gather *stage, part *p, fl_err *err)
{
    fl_status st = FL_OK;
    fl_segment_builder *builder = NULL;
    fl_segment *made = NULL;
    fl_arena scratch;
    fl_vec *vecs = NULL;
    fl_arena_init(&scratch, stage->exec->context.memory);
    FL_TRY(fl_segment_builder_new(stage->keep, stage->types, stage->n_cols, stage->use, &builder, err));
    for (int64_t r = 0; r < p->n_runs; r++) {
        const run_of_rows *run = &p->runs[r];
        fl_arena_reset(&scratch);
        FL_TRY(fl_exec_check(stage->exec, err));
        FL_TRY(FL_NEW_ARRAY(&scratch, stage->n_cols + 1, &vecs, err));
        for (int32_t c = 0; c < stage->n_cols; c++)
            FL_TRY(fl_vec_slice(&scratch, &segment_of(run)->vecs[c], run->start, run->count, &vecs[c], err));
        FL_TRY(fl_segment_builder_add(builder, vecs, NULL, (int32_t)run->count, err));
        if (!fl_segment_builder_is_full(builder) && r + 1 < p->n_runs)
            continue;
        FL_TRY(fl_segment_builder_finish(builder, &made, err));
        FL_TRY(add_made(stage, p, made, err));
    }
cleanup:
    fl_segment_builder_free(builder);
    fl_arena_drop(&scratch);
    return st;
}

/* For fl_exec_parallel. */
static fl_status make_part(void *ctx, int32_t i, fl_err *err)
{
    ending *e = ctx;
    part *p = &e->parts[i];
    fl_status st = FL_OK;
    if (!p->is_whole)
        return put_together(e->stage, p, err);
    FL_TRY(add_made(e->stage, p, fl_segment_ref(segment_of(p->runs)), err));
    if (e->stage->use == FL_SEGMENT_TABLE)
        st = fl_segment_measure(p->made[0], err);
cleanup:
    return st;
}

static fl_status take_segments(fl_gather *stage, part *p, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_grow(stage->exec->context.memory, (void **)&stage->segments, &stage->segments_capacity,
                   stage->n_segments + p->n_made, (int64_t)sizeof(*stage->segments), err));
    for (int64_t i = 0; i < p->n_made; i++)
        stage->segments[stage->n_segments++] = p->made[i];
    p->n_made = 0;
cleanup:
    return st;
}

static void drop_ending(ending *e)
{
    for (int64_t i = 0; i < e->n_parts; i++) {
        for (int64_t s = 0; s < e->parts[i].n_made; s++)
            fl_segment_unref(e->parts[i].made[s]);
        fl_free(e->parts[i].made);
    }
    fl_free(e->parts);
}

static fl_status finish_in_memory(fl_gather *stage, void *const *locals, int32_t n_locals, fl_err *err)
{
    fl_status st = FL_OK;
    run_of_rows *all = NULL;
    int64_t n = 0, capacity = 0, n_rows = 0;
    ending e = {.stage = stage};
    for (int32_t w = 0; w < n_locals; w++) {
        gather_local *local = locals[w];
        if (local == NULL || local->n_runs == 0)
            continue;
        FL_TRY(fl_grow(stage->exec->context.memory, (void **)&all, &capacity, n + local->n_runs, (int64_t)sizeof(*all),
                       err));
        memcpy(all + n, local->runs, (size_t)local->n_runs * sizeof(*all));
        n += local->n_runs;
    }
    bool in_order = true;
    for (int64_t i = 1; i < n && in_order; i++)
        in_order = compare_runs(&all[i - 1], &all[i]) <= 0;
    if (!in_order)
        qsort(all, (size_t)n, sizeof(*all), compare_runs);
    FL_TRY(divide(&e, all, n, err));
    if (n > 0)
        FL_TRY(fl_exec_parallel(stage->exec, (int32_t)e.n_parts, make_part, &e, err));
    for (int64_t i = 0; i < e.n_parts; i++)
        FL_TRY(take_segments(stage, &e.parts[i], err));
    for (int64_t i = 0; i < n; i++)
        n_rows += all[i].count;
    for (int64_t i = 0; i < stage->n_segments; i++)
        n_rows -= stage->segments[i]->rows;
    FL_ASSERT(n_rows == 0); /* as many as the workers have */
cleanup:
    drop_ending(&e);
    fl_free(all);
    return st;
}

static void drop_made(fl_gather *stage)
{
    for (int64_t i = 0; i < stage->n_segments; i++)
        fl_segment_unref(stage->segments[i]);
    stage->n_segments = 0;
}

/* For fl_exec_parallel: what a worker still has. */
static fl_status spill_rest(void *ctx, int32_t w, fl_err *err)
{
    fl_gather *stage = ctx;
    gather_local *local = stage->base.locals[w];
    if (local == NULL || local->n_runs == 0)
        return FL_OK;
    return spill(stage, local, &stage->exec->workers[w], err);
}

static fl_status finish_runs(fl_gather *stage, void *const *locals, int32_t n_locals, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_exec_parallel(stage->exec, n_locals, spill_rest, stage, err));
    for (int32_t w = 0; w < n_locals; w++)
        if (locals[w] != NULL)
            FL_TRY(fl_sorted_runs_take(&stage->runs, &((gather_local *)locals[w])->spilled, err));
    FL_TRY(fl_sorted_runs_finish(&stage->runs, stage->spills, err));
    stage->is_spilled = true;
cleanup:
    return st;
}

static fl_status finish(fl_stage *base, void *const *locals, int32_t n_locals, fl_err *err)
{
    fl_status st = FL_OK;
    fl_gather *stage = (fl_gather *)base;
    int64_t rows = 0;
    bool is_spilled = false;
    for (int32_t w = 0; w < n_locals; w++) {
        gather_local *local = locals[w];
        if (local == NULL)
            continue;
        fl_spill_ended(&local->holder);
        is_spilled |= local->spilled.n > 0;
        rows += local->n_runs;
        if (fl_segment_builder_rows(local->builder) > 0)
            FL_TRY(close_segment(local, err)); /* once: what fails leaves nothing of the rows */
    }
    is_spilled |= stage->spills != NULL && rows > 0 && !fl_spill_has_room(stage->exec, 0, KEPT_PART);
    if (!is_spilled) {
        st = finish_in_memory(stage, locals, n_locals, err);
        if (st != FL_ERR_MEMORY || stage->spills == NULL || !fl_spill_is_possible(stage->exec))
            return st;
        drop_made(stage);
    }
    st = finish_runs(stage, locals, n_locals, err);
cleanup:
    return st;
}

static void stage_free(fl_stage *base)
{
    fl_gather *stage = (fl_gather *)base;
    drop_made(stage);
    fl_free(stage->segments);
    fl_sorted_runs_drop(&stage->runs);
}

static const fl_stage_ops gather_ops = {.what = "the gathering of the result",
                                        .local_new = local_new,
                                        .push = push,
                                        .finish = finish,
                                        .local_free = local_free,
                                        .free = stage_free};

fl_status fl_gather_new(fl_exec *exec, const fl_col_id *cols, int32_t n_cols, const fl_node *input, fl_segment_use use,
                        fl_memory *keep, fl_gather **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_gather *stage = NULL;
    FL_TRY(fl_exec_add_stage(exec, &gather_ops, (int64_t)sizeof(*stage), NULL, NULL, &stage, err));
    stage->exec = exec;
    stage->keep = keep;
    stage->use = use;
    stage->n_cols = n_cols;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_cols + 1, &stage->types, err));
    for (int32_t i = 0; i < n_cols; i++)
        stage->types[i] = fl_plan_col(exec->plan, cols[i])->type;
    FL_TRY(fl_exec_col_map(exec, cols, n_cols, input, &stage->from, err));
    *ret = stage;
cleanup:
    return st;
}

fl_status fl_gather_let_spill(fl_gather *stage, const fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_row_layout_init(&stage->layout, &stage->exec->arena, stage->types, stage->n_cols, 0, err));
    fl_sorted_runs_init(&stage->runs, stage->exec, &stage->layout, NULL, 0);
    stage->spills = node;
cleanup:
    return st;
}
