/* copy: workers fill segments of their morsels and put them into the outputs' queues; when all are written, a source gives the count. */
#include "base/hash.h"
#include "op/copy/sink.h"

#include <stdio.h>

#define MORSEL_BITS 40

typedef struct copy_count {
    fl_source base;
    const copy_sink *sink;
    bool is_given;
    int64_t rows;
} copy_count;

typedef struct copy_local {
    fl_segment_builder **builders; /* by output; NULL: none yet */
    int64_t n_builders, builders_capacity;
    fl_vec *vecs;
    uint16_t *list;
    /* of partitions: */
    fl_arena arena;
    fl_text key;
    fl_index_map known; /* by hash: place in `outputs` */
    int32_t *outputs;
    fl_str *keys;
    int64_t n_keys, keys_capacity, outputs_capacity;
    int32_t *key_of, *count, *seen; /* by row; by key, of this batch; keys of this batch */
    int64_t count_capacity;
} copy_local;

static void local_free(fl_stage *base, void *ptr)
{
    (void)base;
    copy_local *local = ptr;
    for (int64_t i = 0; i < local->n_builders; i++)
        fl_segment_builder_free(local->builders[i]);
    fl_free(local->builders);
    fl_free(local->vecs);
    fl_free(local->list);
    fl_text_drop(&local->key);
    fl_free(local->outputs);
    fl_free(local->keys);
    fl_free(local->key_of);
    fl_free(local->count);
    fl_free(local->seen);
    fl_arena_drop(&local->arena);
    fl_free(local);
}

static fl_status local_new(fl_stage *base, fl_worker *worker, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    copy_sink *sink = (copy_sink *)base;
    fl_memory *memory = worker->exec->context.memory;
    copy_local *local = NULL;
    int64_t rows = worker->exec->context.session->vector_rows + 64;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*local), (void **)&local, err));
    *ret = local;
    fl_arena_init(&local->arena, memory);
    fl_text_init(&local->key, memory);
    fl_index_map_init(&local->known, &local->arena);
    FL_TRY(fl_alloc_zero(memory, (sink->attrs->n_from + 1) * (int64_t)sizeof(fl_vec), (void **)&local->vecs, err));
    FL_TRY(fl_alloc(memory, rows * 2, (void **)&local->list, err));
    if (sink->attrs->n_parts > 0) {
        FL_TRY(fl_alloc(memory, rows * 4, (void **)&local->key_of, err));
        FL_TRY(fl_alloc(memory, rows * 4, (void **)&local->seen, err));
    }
cleanup:
    return st;
}

static int64_t place_of(const fl_worker *worker)
{
    FL_ASSERT(worker->morsel >= 0 && worker->morsel < 1ll << MORSEL_BITS);
    return ((int64_t)worker->pipeline << MORSEL_BITS) + worker->morsel;
}

static void note_claimed(copy_sink *sink, int64_t place)
{
    int64_t known = atomic_load(&sink->highest);
    while (known < place && !atomic_compare_exchange_weak(&sink->highest, &known, place))
        ;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

static fl_status builder_of(copy_sink *sink, copy_local *local, int32_t output, fl_segment_builder **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_memory *memory = sink->exec->context.memory;
    FL_TRY(fl_grow(memory, (void **)&local->builders, &local->builders_capacity, output + 1,
                   (int64_t)sizeof(*local->builders), err));
    while (local->n_builders <= output)
        local->builders[local->n_builders++] = NULL;
    if (local->builders[output] == NULL)
        FL_TRY(fl_segment_builder_new(memory, sink->types, sink->attrs->n_from, FL_SEGMENT_RESULT,
                                      &local->builders[output], err));
    *ret = local->builders[output];
cleanup:
    return st;
}

/* Puts what a builder holds into the queue. */
static fl_status put_rows(copy_sink *sink, copy_local *local, int32_t output, int64_t place, fl_err *err)
{
    fl_status st = FL_OK;
    fl_segment *segment = NULL;
    if (fl_segment_builder_rows(local->builders[output]) == 0)
        return FL_OK;
    int64_t bytes = fl_segment_builder_bytes(local->builders[output]);
    FL_TRY(fl_segment_builder_finish(local->builders[output], &segment, err));
    FL_TRY(fl_copy_output_put(sink, output, place, segment, bytes, err));
    if (sink->attrs->n_parts > 0) { /* many may be asked for once */
        fl_segment_builder_free(local->builders[output]);
        local->builders[output] = NULL;
    }
cleanup:
    return st;
}

static fl_status add_rows(copy_sink *sink, copy_local *local, const fl_worker *worker, int32_t output,
                          const uint16_t *list, int32_t count, int64_t place, fl_err *err)
{
    fl_status st = FL_OK;
    fl_segment_builder *builder = NULL;
    FL_TRY(builder_of(sink, local, output, &builder, err));
    FL_TRY(fl_segment_builder_add(builder, local->vecs, list, count, err));
    if (fl_segment_builder_is_full(builder) || fl_segment_builder_rows(builder) >= sink->piece_rows ||
        fl_segment_builder_bytes(builder) >= sink->chunk_bytes) {
        FL_TRY(put_rows(sink, local, output, place, err));
        FL_TRY(fl_copy_output_work(sink, output, err));
        st = fl_copy_sink_wait(sink, worker, place, err);
    }
cleanup:
    return st;
}

/* ---- partitions ---------------------------------------------------------------------------------------------------- */

/* As part of a path: what is not a letter, digit or one of -_.~ as %XX. */
static void add_escaped(fl_text *text, fl_str part)
{
    for (int64_t i = 0; i < part.len; i++) {
        char c = part.data[i], lower = fl_char_lower(c);
        bool is_plain =
            (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || (c != 0 && strchr("-_.~", c) != NULL);
        if (is_plain)
            fl_text_add_char(text, c);
        else
            fl_text_addf(text, "%%%02X", (unsigned)(uint8_t)c);
    }
}

/* a=1/b=x */
static fl_status key_of_row(const copy_sink *sink, copy_local *local, const fl_batch *batch, int32_t row,
                            fl_arena *arena, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text printed;
    fl_text_init(&printed, sink->exec->context.memory);
    fl_text_clear(&local->key);
    for (int32_t p = 0; p < sink->attrs->n_parts; p++) {
        fl_value value;
        fl_text_clear(&printed);
        FL_TRY(fl_value_from_vec(arena, &batch->vec[sink->parts[p]], row, &value, err));
        fl_value_print(&printed, &value);
        FL_TRY(fl_text_status(&printed, err));
        if (p > 0)
            fl_text_add_char(&local->key, '/');
        add_escaped(&local->key, sink->attrs->part_names->list.items[p].s);
        fl_text_add_char(&local->key, '=');
        if (value.is_null)
            fl_text_add(&local->key, FL_STR("__HIVE_DEFAULT_PARTITION__"));
        else
            add_escaped(&local->key, fl_text_str(&printed));
    }
    st = fl_text_status(&local->key, err);
cleanup:
    fl_text_drop(&printed);
    return st;
}

/* The place of the key in the worker's list. */
static fl_status find_key(copy_sink *sink, copy_local *local, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str key = fl_text_str(&local->key), copy;
    uint64_t hash = fl_hash_bytes(key.data, key.len);
    fl_memory *memory = sink->exec->context.memory;
    for (;; hash++) {
        hash += hash == 0;
        *ret = fl_index_map_find(&local->known, hash);
        if (*ret < 0)
            break;
        if (fl_str_is_equal(local->keys[*ret], key))
            return FL_OK;
    }
    FL_TRY(fl_arena_copy_str(&local->arena, key, &copy, err));
    FL_TRY(
        fl_grow(memory, (void **)&local->keys, &local->keys_capacity, local->n_keys + 1, (int64_t)sizeof(fl_str), err));
    FL_TRY(fl_grow(memory, (void **)&local->outputs, &local->outputs_capacity, local->n_keys + 1, 4, err));
    FL_TRY(fl_grow(memory, (void **)&local->count, &local->count_capacity, local->n_keys + 1, 4, err));
    FL_TRY(fl_copy_output_find(sink, key, &local->outputs[local->n_keys], err));
    FL_TRY(fl_index_map_add(&local->known, hash, (int32_t)local->n_keys, err));
    local->keys[local->n_keys] = copy;
    local->count[local->n_keys] = 0;
    *ret = (int32_t)local->n_keys++;
cleanup:
    return st;
}

/* Puts the rows list[0 .. count) of each key together, in the order of the rows, and adds them to its output. */
static fl_status add_parted(copy_sink *sink, copy_local *local, fl_worker *worker, const fl_batch *batch, int32_t count,
                            int64_t place, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n_seen = 0, start = 0, *starts = NULL;
    uint16_t *sorted = NULL;
    FL_TRY(FL_NEW_ARRAY(&worker->arena, count, &sorted, err));
    for (int32_t i = 0; i < count; i++) {
        FL_TRY(key_of_row(sink, local, batch, local->list[i], &worker->arena, err));
        FL_TRY(find_key(sink, local, &local->key_of[i], err));
        if (local->count[local->key_of[i]]++ == 0)
            local->seen[n_seen++] = local->key_of[i];
    }
    FL_TRY(FL_NEW_ARRAY(&worker->arena, n_seen + 1, &starts, err));
    for (int32_t k = 0; k < n_seen; k++) {
        int32_t n = local->count[local->seen[k]];
        starts[k] = start;
        local->count[local->seen[k]] = start; /* where the next row of the key goes */
        start += n;
    }
    starts[n_seen] = start;
    for (int32_t i = 0; i < count; i++)
        sorted[local->count[local->key_of[i]]++] = local->list[i];
    for (int32_t k = 0; k < n_seen; k++)
        local->count[local->seen[k]] = 0;
    for (int32_t k = 0; k < n_seen; k++)
        FL_TRY(add_rows(sink, local, worker, local->outputs[local->seen[k]], sorted + starts[k],
                        starts[k + 1] - starts[k], place, err));
cleanup:
    return st;
}

/* ---- the sink ------------------------------------------------------------------------------------------------------ */

static fl_status output_of_worker(copy_sink *sink, const fl_worker *worker, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    char name[16];
    int len = snprintf(name, sizeof(name), "%d", worker->id);
    *ret = 0;
    if (!sink->attrs->is_by_worker)
        return sink->n_outputs > 0 ? FL_OK : fl_copy_output_find(sink, FL_STR(""), ret, err);
    FL_TRY(fl_copy_output_find(sink, (fl_str){name, len}, ret, err));
cleanup:
    return st;
}

static fl_status push(fl_stage *base, fl_worker *worker, void *ptr, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    copy_sink *sink = (copy_sink *)base;
    copy_local *local = ptr;
    int32_t count = batch->rows, output = 0;
    int64_t place = place_of(worker);
    bool is_listed = batch->mask != NULL;
    if (atomic_load_explicit(&sink->bounds[worker->id], memory_order_relaxed) < place) {
        note_claimed(sink, place);
        fl_copy_sink_move(sink, worker, place);
    }
    FL_ASSERT(atomic_load(&sink->bounds[worker->id]) == place); /* morsels are claimed in their order */
    for (int32_t c = 0; c < sink->attrs->n_from; c++)
        local->vecs[c] = batch->vec[sink->from[c]];
    if (is_listed)
        count = fl_bitmap_to_list(batch->mask, batch->rows, local->list);
    if (sink->attrs->n_parts > 0) {
        for (int32_t i = 0; i < count && !is_listed; i++)
            local->list[i] = (uint16_t)i;
        return add_parted(sink, local, worker, batch, count, place, err);
    }
    FL_TRY(output_of_worker(sink, worker, &output, err));
    st = add_rows(sink, local, worker, output, is_listed ? local->list : NULL, count, place, err);
cleanup:
    return st;
}

static fl_status put_all(copy_sink *sink, copy_local *local, int64_t place, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < local->n_builders && st == FL_OK; i++)
        if (local->builders[i] != NULL)
            st = put_rows(sink, local, i, place, err);
    return st;
}

/* Whoever ends a morsel may have made others' rows ready. */
static fl_status work_all(copy_sink *sink, const copy_local *local, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < local->n_builders && st == FL_OK; i++)
        st = fl_copy_output_work(sink, i, err);
    return st;
}

static fl_status on_event(fl_stage *base, fl_worker *worker, void *ptr, fl_event event, fl_err *err)
{
    fl_status st = FL_OK;
    copy_sink *sink = (copy_sink *)base;
    copy_local *local = ptr;
    bool is_alone = sink->exec->n_workers == 1; /* then rows of several morsels may lie together */
    switch (event) {
    case FL_EVENT_ENTER:
        note_claimed(sink, ((int64_t)worker->pipeline << MORSEL_BITS) - 1); /* before all of the pipeline */
        fl_copy_sink_move(sink, worker, atomic_load(&sink->highest) + 1);
        break;
    case FL_EVENT_MORSEL:
        note_claimed(sink, place_of(worker));
        if (!is_alone)
            FL_TRY(put_all(sink, local, place_of(worker), err));
        fl_copy_sink_move(sink, worker, atomic_load(&sink->highest) + 1);
        if (!is_alone)
            st = work_all(sink, local, err);
        break;
    case FL_EVENT_LEAVE:
        if (!is_alone) /* of a morsel that ended early */
            FL_TRY(put_all(sink, local, place_of(worker), err));
        fl_copy_sink_move(sink, worker, INT64_MAX);
        break;
    case FL_EVENT_END:
        FL_TRY(put_all(sink, local, place_of(worker), err));
        break;
    }
cleanup:
    return st;
}

static fl_status finish(fl_stage *base, void *const *locals, int32_t n_locals, fl_err *err)
{
    (void)locals;
    (void)n_locals;
    return fl_copy_sink_finish((copy_sink *)base, err);
}

static fl_status commit(fl_stage *base, fl_err *err)
{
    return fl_copy_sink_commit((copy_sink *)base, err);
}

static void stage_free(fl_stage *base)
{
    if (((copy_sink *)base)->exec != NULL)
        fl_copy_sink_drop((copy_sink *)base);
}

static const fl_stage_ops sink_ops = {.what = "the copy",
                                      .local_new = local_new,
                                      .push = push,
                                      .on_event = on_event,
                                      .finish = finish,
                                      .commit = commit,
                                      .local_free = local_free,
                                      .free = stage_free};

/* ---- the count ----------------------------------------------------------------------------------------------------- */

static fl_status give_count(fl_source *base, fl_worker *worker, void *local, fl_stage *to, bool *ret_any, fl_err *err)
{
    (void)local;
    fl_status st = FL_OK;
    copy_count *count = (copy_count *)base;
    fl_vec *vec = NULL;
    *ret_any = !count->is_given;
    if (count->is_given)
        return FL_OK;
    count->is_given = true;
    count->rows = atomic_load(&count->sink->rows);
    fl_arena_reset(&worker->arena);
    FL_TRY(FL_NEW(&worker->arena, &vec, err));
    fl_vec_set_const(vec, FL_TYPE(FL_I64), &count->rows);
    fl_batch batch = {.rows = 1, .cols = base->node->n_cols, .vec = vec, .kept = 1};
    st = fl_push(base->node, to, worker, &batch, err);
cleanup:
    return st;
}

static const fl_source_ops count_ops = {.run = give_count};

static fl_status build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    copy_sink *sink = NULL;
    copy_count *count = NULL;
    FL_TRY(fl_exec_add_stage(exec, &sink_ops, (int64_t)sizeof(*sink), NULL, NULL, &sink, err));
    FL_TRY(fl_copy_sink_begin(sink, exec, node, err));
    fl_exec_add_commit(exec, &sink->base);
    FL_TRY(fl_exec_build(exec, node->inputs[0], &sink->base, err));
    FL_TRY(fl_exec_add_finish(exec, &sink->base, err));
    FL_TRY(fl_exec_add_source(exec, &count_ops, (int64_t)sizeof(*count), node, &count, err));
    count->sink = sink;
    count->base.workers_max = 1;
    FL_TRY(fl_exec_wait_for(exec, &count->base.waits, &sink->base, err));
    st = fl_exec_add_pipeline(exec, &count->base, next, err);
cleanup:
    return st;
}

const fl_op_exec fl_copy_exec = {.build = build};
