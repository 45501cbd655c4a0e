/* join: builds a table of one side's rows, then probes it with the other's.
 *
 * The build side is the right input; semi and anti joins may build the left one (build_left): probing then only marks
 * build rows, which are put out at the end. Equalities between the sides are keys; what else is in the condition is
 * evaluated on candidate pairs (op/join/pairs.h). Without keys every pair is a candidate (nested loop). */
#include "op/join/hash.h"
#include "op/join/merge.h"

#include "exec/sort_source.h"

#define CHECK_ROWS 65536 /* a power of two: rows entered between looks whether the statement shall stop */
#define RUNTIME_FILTER_BITS_MAX (1ll << 26) /* 8 MB of bitmap */
#define DICTIONARY_ROWS_MAX 16384
#define AHEAD_ROWS 16 /* whose places in memory are asked for before they are looked at */

/* A row's extra room: the next row of its chain, whether it was matched, its number. */
enum { MATCHED_AT = 8, NUMBER_AT = 12, EXTRA_BYTES = 16 };

/* The values of one key; min > max: none were seen. */
typedef struct key_range {
    int64_t min, max;
} key_range;

typedef struct build_local {
    fl_eval *eval;
    fl_join_rows kept;
    uint16_t *list;
    uint64_t *hashes;
    uint8_t **rows;
    key_range *ranges; /* per key */
    bool has_null_key;
} build_local;

typedef struct join_probe {
    fl_stage base;
    fl_hash_join *join;
} join_probe;

static int64_t key_at(const fl_vec *vec, int32_t row)
{
    int64_t i = fl_vec_row(vec, row);
    return vec->width == 4 ? ((const int32_t *)vec->data)[i] : ((const int64_t *)vec->data)[i];
}

/* ---- build side --------------------------------------------------------------------------------------------------- */

static fl_status build_local_new(fl_stage *base, fl_worker *worker, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_hash_join *join = (fl_hash_join *)base;
    fl_memory *memory = worker->exec->context.memory;
    int32_t rows_max = worker->exec->context.session->vector_rows;
    build_local *local = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*local), (void **)&local, err));
    *ret = local;
    fl_join_rows_init(&local->kept, &join->pairs.layout, worker->exec, join->spill.is_possible);
    FL_TRY(fl_alloc(memory, (join->pairs.n_keys + 1) * (int64_t)sizeof(*local->ranges), (void **)&local->ranges, err));
    for (int32_t k = 0; k < join->pairs.n_keys; k++)
        local->ranges[k] = (key_range){INT64_MAX, INT64_MIN};
    FL_TRY(fl_eval_new(join->pairs.build_keys, memory, rows_max, &local->eval, err));
    FL_TRY(fl_alloc(memory, rows_max * 2 + 64, (void **)&local->list, err));
    FL_TRY(fl_alloc(memory, rows_max * 8 + 64, (void **)&local->hashes, err));
    FL_TRY(fl_alloc(memory, rows_max * 8 + 64, (void **)&local->rows, err));
cleanup:
    return st;
}

static void build_local_free(fl_stage *base, void *ptr)
{
    (void)base;
    build_local *local = ptr;
    fl_eval_free(local->eval);
    fl_join_rows_drop(&local->kept);
    fl_free(local->ranges);
    fl_free(local->list);
    fl_free(local->hashes);
    fl_free(local->rows);
    fl_free(local);
}

static void widen_range(key_range *range, const fl_vec *key, const uint16_t *list, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        if (!fl_vec_is_valid(key, list[i]))
            continue;
        int64_t value = key_at(key, list[i]);
        range->min = value < range->min ? value : range->min;
        range->max = value > range->max ? value : range->max;
    }
}

static fl_status take_build_batch(fl_hash_join *join, build_local *local, fl_worker *worker, fl_batch *batch,
                                  fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *keys = NULL;
    FL_TRY(FL_NEW_ARRAY(&worker->arena, join->pairs.n_keys + 1, &keys, err));
    fl_eval_begin(local->eval, batch, &worker->arena);
    for (int32_t k = 0; k < join->pairs.n_keys; k++) {
        FL_TRY(fl_eval_value(local->eval, k, batch->mask, &keys[k], err));
        if (join->has_range[k] && keys[k].layout == FL_DICT)
            FL_TRY(fl_vec_flatten(&worker->arena, &keys[k], batch->rows, &keys[k], err));
    }
    int32_t count = fl_join_list_rows(batch, local->list);
    if (!join->keeps_unmatched_build || join->pairs.is_mark_fast) {
        int32_t usable = fl_join_drop_null_keys(&join->pairs, keys, local->list, count);
        local->has_null_key |= usable < count;
        count = usable;
    }
    if (count == 0)
        return FL_OK;
    count = join->is_one_enough ? 1 : count;
    fl_rows_hash(keys, join->pairs.n_keys, local->list, count, worker->exec->context.session->seed, local->hashes);
    FL_TRY(fl_row_store_add(&local->kept.store, count, local->rows, err));
    for (int32_t i = 0; i < count; i++)
        *(uint64_t *)local->rows[i] = local->hashes[i];
    FL_TRY(
        fl_join_write_rows(&join->pairs, batch, keys, local->list, count, local->rows, &local->kept.store.heap, err));
    for (int32_t k = 0; k < join->pairs.n_keys; k++)
        if (join->has_range[k])
            widen_range(&local->ranges[k], &keys[k], local->list, count);
    st = join->is_one_enough ? FL_DONE : FL_OK;
cleanup:
    return st;
}

static fl_status build_push(fl_stage *base, fl_worker *worker, void *ptr, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    fl_hash_join *join = (fl_hash_join *)base;
    build_local *local = ptr;
    bool again = false;
    if (!join->spill.is_possible)
        return take_build_batch(join, local, worker, batch, err);
    FL_TRY(fl_join_rows_write_due(join, worker, &local->kept, err));
    fl_row_mark mark = fl_row_store_mark(&local->kept.store);
    st = take_build_batch(join, local, worker, batch, err);
    FL_TRY(fl_join_rows_make_room(join, worker, &local->kept, mark, st, &again, err));
    st = again ? take_build_batch(join, local, worker, batch, err) : st;
cleanup:
    return st;
}

bool fl_join_can_match(const fl_hash_join *join, const uint8_t *row)
{
    for (int32_t k = 0; k < join->pairs.n_keys; k++)
        if (!join->pairs.is_null_safe[k] && fl_row_is_null(&join->pairs.layout, row, k))
            return false;
    return true;
}

static int64_t row_key(const fl_hash_join *join, const uint8_t *row, int32_t k)
{
    const uint8_t *value = row + join->pairs.layout.offsets[k];
    return fl_type_width(join->pairs.layout.types[k]) == 4 ? *(const int32_t *)value : *(const int64_t *)value;
}

/* The place of a row in the table is on its way to the cache when the row's turn comes: a table is larger than that, and writers wait
 * for each other's cache lines, so that nothing else would hide it. */
static void announce_row(const fl_hash_join *join, const uint8_t *row)
{
    const fl_join_table *table = &join->built.table;
    uint64_t at =
        table->is_dense ? (uint64_t)row_key(join, row, 0) - (uint64_t)table->min : fl_row_hash(row) >> table->shift;
    if (at < (uint64_t)table->n_entries) /* a row with a null key is not entered */
        __builtin_prefetch(&table->entries[at], 1);
}

static void enter_row(fl_hash_join *join, uint8_t *row)
{
    if (!fl_join_can_match(join, row))
        return;
    fl_join_table_add(&join->built.table, row, join->has_dense_key ? row_key(join, row, 0) : 0);
    for (int32_t k = 0; k < join->pairs.n_keys; k++)
        if (join->filters[k] != NULL && join->filters[k]->bits != NULL) {
            uint64_t at = (uint64_t)row_key(join, row, k) - (uint64_t)join->filters[k]->min;
            __atomic_fetch_or(&join->filters[k]->bits[at >> 6], 1ull << (at & 63), __ATOMIC_RELAXED);
        }
}

static fl_status enter_rows(void *ctx, int32_t w, fl_err *err)
{
    fl_hash_join *join = ctx;
    build_local *local = join->locals[w];
    int64_t bytes = join->pairs.layout.bytes;
    if (local == NULL)
        return FL_OK;
    for (fl_row_block *b = local->kept.store.first; b != NULL; b = b->next)
        for (int32_t i = 0; i < b->rows; i++) {
            if ((i & (CHECK_ROWS - 1)) == 0) {
                fl_status st = fl_exec_check(join->pairs.exec, err);
                if (st != FL_OK)
                    return st;
            }
            if (i + AHEAD_ROWS < b->rows)
                announce_row(join, b->data + (i + AHEAD_ROWS) * bytes);
            enter_row(join, b->data + i * bytes);
        }
    return FL_OK;
}

/* Strings of a small build side are put out as a dictionary whose codes are the numbers of the rows: a pair costs four bytes
 * of each, and what reads them (groups, functions) works once per build row. */
static fl_status make_dictionaries(fl_hash_join *join, fl_err *err)
{
    fl_status st = FL_OK;
    fl_exec *exec = join->pairs.exec;
    uint8_t **rows = NULL;
    uint32_t n = 0;
    bool has_strings = false;
    for (int32_t p = 0; p < join->pairs.n_payload; p++)
        has_strings |= fl_type_is_string(join->pairs.layout.types[join->pairs.n_keys + p]);
    if (!has_strings || join->pairs.build_rows == 0 || join->pairs.build_rows > DICTIONARY_ROWS_MAX)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, join->pairs.build_rows, &rows, err));
    for (int32_t w = 0; w < join->n_locals; w++)
        for (fl_row_block *b = join->locals[w] == NULL ? NULL : ((build_local *)join->locals[w])->kept.store.first;
             b != NULL; b = b->next)
            for (int32_t i = 0; i < b->rows; i++) {
                rows[n] = b->data + (int64_t)i * join->pairs.layout.bytes;
                *(uint32_t *)(rows[n] + join->pairs.code_offset) = n;
                n++;
            }
    FL_ASSERT(n == join->pairs.build_rows); /* for so many there is room */
    FL_TRY(FL_NEW_ARRAY(&exec->arena, join->pairs.n_payload, &join->pairs.payload_dict, err));
    for (int32_t p = 0; p < join->pairs.n_payload; p++) {
        fl_vec *values = NULL, *dict = &join->pairs.payload_dict[p];
        fl_type type = join->pairs.layout.types[join->pairs.n_keys + p];
        if (!fl_type_is_string(type))
            continue;
        FL_TRY(FL_NEW(&exec->arena, &values, err));
        FL_TRY(fl_rows_read(&join->pairs.layout, join->pairs.n_keys + p, rows, (int32_t)n, &exec->arena, values, err));
        if (values->valid != NULL) /* nulls are told by the codes: such columns stay as they are */
            continue;
        *dict = (fl_vec){
            .type = type, .layout = FL_DICT, .child = values, .child_rows = n, .width = 4, .dict_id = fl_dict_id_new()};
    }
cleanup:
    return st;
}

/* Over all workers. */
static key_range range_of(const fl_hash_join *join, int32_t k)
{
    key_range range = {INT64_MAX, INT64_MIN};
    for (int32_t w = 0; w < join->n_locals; w++) {
        const build_local *local = join->locals[w];
        if (local == NULL)
            continue;
        range.min = local->ranges[k].min < range.min ? local->ranges[k].min : range.min;
        range.max = local->ranges[k].max > range.max ? local->ranges[k].max : range.max;
    }
    return range;
}

/* The bounds are exact; which values there are between them is known where all rows are in memory. */
static fl_status begin_filters(fl_hash_join *join, bool has_rows, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t k = 0; k < join->pairs.n_keys; k++) {
        fl_runtime_filter *filter = join->filters[k];
        if (filter == NULL)
            continue;
        key_range range = range_of(join, k);
        filter->min = range.min;
        filter->max = range.max;
        if (has_rows && range.min <= range.max && (uint64_t)range.max - (uint64_t)range.min < RUNTIME_FILTER_BITS_MAX) {
            int64_t words = (int64_t)(((uint64_t)range.max - (uint64_t)range.min) >> 6) + 1;
            FL_TRY(fl_arena_get_zero(&join->pairs.exec->arena, words * 8, (void **)&filter->bits, err));
        }
    }
cleanup:
    return st;
}

static void fill_filters(fl_hash_join *join)
{
    for (int32_t k = 0; k < join->pairs.n_keys; k++)
        if (join->filters[k] != NULL)
            fl_runtime_filter_fill(join->filters[k]);
}

static fl_status list_all_rows(fl_hash_join *join, fl_err *err)
{
    fl_status st = FL_OK;
    fl_exec *exec = join->pairs.exec;
    FL_TRY(fl_alloc(exec->context.memory, join->pairs.build_rows * 8 + 8, (void **)&join->built.all_rows, err));
    for (int32_t w = 0; w < join->n_locals; w++)
        for (fl_row_block *b = join->locals[w] == NULL ? NULL : ((build_local *)join->locals[w])->kept.store.first;
             b != NULL; b = b->next) {
            FL_TRY(fl_exec_check(exec, err));
            for (int32_t i = 0; i < b->rows; i++)
                join->built.all_rows[join->built.n_all_rows++] = b->data + (int64_t)i * join->pairs.layout.bytes;
        }
    FL_ASSERT(join->built.n_all_rows == join->pairs.build_rows);
cleanup:
    return st;
}

static fl_status build_in_memory(fl_hash_join *join, key_range range, fl_err *err)
{
    fl_status st = FL_OK;
    fl_exec *exec = join->pairs.exec;
    if (join->pairs.n_keys == 0)
        return list_all_rows(join, err);
    FL_TRY(fl_join_table_init(&join->built.table, &join->pairs.layout, join->pairs.build_rows, range.min <= range.max,
                              range.min, range.max, exec->context.memory, err));
    FL_TRY(begin_filters(join, true, err));
    FL_TRY(make_dictionaries(join, err));
    FL_TRY(fl_exec_parallel(exec, join->n_locals, enter_rows, join, err));
    fill_filters(join);
cleanup:
    return st;
}

static fl_status build_on_disk(fl_hash_join *join, fl_err *err)
{
    fl_status st = FL_OK;
    fl_join_rows **rows = NULL;
    FL_TRY(FL_NEW_ARRAY(&join->pairs.exec->arena, join->n_locals + 1, &rows, err));
    for (int32_t w = 0; w < join->n_locals; w++)
        rows[w] = join->locals[w] == NULL ? NULL : &((build_local *)join->locals[w])->kept;
    FL_TRY(fl_join_spill_build(join, rows, join->n_locals, err));
    FL_TRY(begin_filters(join, false, err));
    fill_filters(join);
cleanup:
    return st;
}

static fl_status build_finish(fl_stage *base, void *const *locals, int32_t n_locals, fl_err *err)
{
    fl_status st = FL_OK;
    fl_hash_join *join = (fl_hash_join *)base;
    void **kept = NULL; /* the array is the runner's; the pipelines that follow need their own */
    bool spills = false;
    FL_TRY(FL_NEW_ARRAY(&join->pairs.exec->arena, n_locals, &kept, err));
    memcpy(kept, locals, (size_t)n_locals * sizeof(*kept));
    join->locals = kept;
    join->n_locals = n_locals;
    for (int32_t w = 0; w < n_locals; w++) {
        build_local *local = locals[w];
        if (local == NULL)
            continue;
        join->pairs.build_rows += fl_join_rows_count(&local->kept);
        join->pairs.has_null_key |= local->has_null_key;
        spills |= local->kept.has_spilled;
        fl_spill_ended(&local->kept.holder); /* its rows stay, or are written now */
    }
    key_range range = join->has_dense_key ? range_of(join, 0) : (key_range){1, 0};
    int64_t table_bytes = join->pairs.n_keys == 0 ? join->pairs.build_rows * 8
                                                  : fl_join_table_bytes(join->pairs.build_rows, range.min <= range.max,
                                                                        range.min, range.max);
    spills |= join->spill.is_possible && join->pairs.build_rows > 0 && !fl_join_spill_has_room(join, table_bytes);
    st = spills ? build_on_disk(join, err) : build_in_memory(join, range, err);
cleanup:
    return st;
}

static void build_free(fl_stage *base)
{
    fl_hash_join *join = (fl_hash_join *)base;
    fl_join_table_drop(&join->built.table);
    fl_free(join->built.all_rows);
    fl_join_spill_drop(join);
}

static const fl_stage_ops build_ops = {.what = "the build side of the hash join",
                                       .local_new = build_local_new,
                                       .push = build_push,
                                       .finish = build_finish,
                                       .local_free = build_local_free,
                                       .free = build_free};

/* ---- probe side --------------------------------------------------------------------------------------------------- */

fl_status fl_join_prober_new(fl_hash_join *join, fl_worker *worker, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_memory *memory = worker->exec->context.memory;
    int32_t rows_max = worker->exec->context.session->vector_rows;
    fl_join_prober *prober = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*prober), (void **)&prober, err));
    *ret = prober;
    fl_join_rows_init(&prober->rows, &join->spill.layout, worker->exec, join->spill.has_spilled);
    FL_TRY(fl_pair_list_init(&prober->pairs, &join->pairs, worker, err));
    FL_TRY(fl_alloc(memory, rows_max * 2 + 64, (void **)&prober->list, err));
    FL_TRY(fl_alloc(memory, rows_max * 8 + 64, (void **)&prober->hashes, err));
    FL_TRY(fl_alloc(memory, rows_max * 8 + 64, (void **)&prober->heads, err));
    FL_TRY(fl_alloc(memory, rows_max * 2 + 64, (void **)&prober->match, err));
    FL_TRY(fl_alloc(memory, rows_max * 2 + 64, (void **)&prober->differ, err));
cleanup:
    return st;
}

void fl_join_prober_free(fl_join_prober *prober)
{
    if (prober == NULL)
        return;
    fl_join_rows_drop(&prober->rows);
    fl_pair_list_drop(&prober->pairs);
    fl_free(prober->list);
    fl_free(prober->hashes);
    fl_free(prober->heads);
    fl_free(prober->match);
    fl_free(prober->differ);
    fl_free(prober);
}

static fl_status probe_local_new(fl_stage *base, fl_worker *worker, void **ret, fl_err *err)
{
    return fl_join_prober_new(((join_probe *)base)->join, worker, ret, err);
}

static void probe_local_free(fl_stage *base, void *ptr)
{
    (void)base;
    fl_join_prober_free(ptr);
}

/* Compares the keys of the first `count` pairs and closes the gaps. */
static int32_t match_keys(const fl_hash_join *join, const fl_join_built *built, fl_join_prober *local,
                          const fl_vec *keys, int32_t count)
{
    int32_t n_differ = 0, n = count;
    if (built->table.is_dense)
        return count;
    for (int32_t i = 0; i < count; i++)
        local->match[i] = (uint16_t)i;
    for (int32_t k = 0; k < join->pairs.n_keys && n > 0; k++) {
        n = fl_rows_match(&join->pairs.layout, k, &keys[k], local->pairs.probe, local->pairs.build, local->match, n,
                          local->differ, &n_differ);
        n_differ = 0;
    }
    if (n == count)
        return n;
    for (int32_t i = 0; i < n; i++) {
        local->pairs.probe[i] = local->pairs.probe[local->match[i]];
        local->pairs.build[i] = local->pairs.build[local->match[i]];
    }
    return n;
}

/* What probing a batch goes along with. */
typedef struct probing {
    fl_hash_join *join;
    const fl_join_built *built;
    fl_join_prober *local;
    fl_worker *worker;
    fl_stage *next;
    const fl_batch *batch;
    const fl_vec *keys;
} probing;

static fl_status settle(const probing *p, int32_t count, fl_err *err)
{
    return fl_join_settle_pairs(&p->join->pairs, &p->local->pairs, p->worker, p->next, p->batch, count, err);
}

/* Where it begins, and where its chain goes on: all of it, mostly. */
static inline void announce_head(const fl_join_table *table, const uint8_t *row)
{
    __builtin_prefetch(row);
    __builtin_prefetch(row + table->layout->extra_offset);
}

static void find_heads(const probing *p, int32_t n_list)
{
    fl_join_prober *local = p->local;
    const fl_join_table *table = &p->built->table;
    int32_t turn = p->built->hash_turn;
    if (table->is_dense) {
        for (int32_t i = 0; i < n_list; i++) {
            local->heads[i] = fl_join_table_find_dense(table, key_at(&p->keys[0], local->list[i]));
            announce_head(table, local->heads[i]);
        }
        return;
    }
    fl_rows_hash(p->keys, p->join->pairs.n_keys, local->list, n_list, p->worker->exec->context.session->seed,
                 local->hashes);
    for (int32_t i = 0; i < n_list && turn > 0; i++)
        local->hashes[i] = local->hashes[i] << turn | local->hashes[i] >> (64 - turn);
    for (int32_t i = 0; i < n_list; i++)
        __builtin_prefetch(&table->entries[local->hashes[i] >> table->shift]);
    for (int32_t i = 0; i < n_list; i++) {
        local->heads[i] = fl_join_table_find(table, local->hashes[i]);
        announce_head(table, local->heads[i]);
    }
}

static fl_status probe_hash(const probing *p, int32_t n_list, fl_err *err)
{
    fl_status st = FL_OK;
    fl_hash_join *join = p->join;
    fl_join_prober *local = p->local;
    const fl_join_table *table = &p->built->table;
    int32_t rows_max = p->worker->exec->context.session->vector_rows;
    bool stops_early = fl_join_wants_one(&join->pairs);
    find_heads(p, n_list);
    int32_t count = 0;
    for (int32_t i = 0; i < n_list;) {
        uint8_t *row = local->heads[i];
        if (row == NULL || (stops_early && fl_bit_get(local->pairs.found, local->list[i]))) {
            i++;
            continue;
        }
        local->heads[i] = fl_join_next(table, row);
        if (!table->is_dense && fl_row_hash(row) != local->hashes[i])
            continue;
        local->pairs.probe[count] = local->list[i];
        local->pairs.build[count++] = row;
        if (count < rows_max)
            continue;
        local->pairs.is_all = false;
        FL_TRY(settle(p, match_keys(join, p->built, local, p->keys, count), err));
        count = 0;
    }
    st = settle(p, match_keys(join, p->built, local, p->keys, count), err);
cleanup:
    return st;
}

static fl_status probe_all(const probing *p, int32_t n_list, fl_err *err)
{
    fl_status st = FL_OK;
    fl_join_prober *local = p->local;
    int32_t rows_max = p->worker->exec->context.session->vector_rows, count = 0;
    bool stops_early = fl_join_wants_one(&p->join->pairs);
    for (int32_t i = 0; i < n_list; i++)
        for (int64_t b = 0; b < p->built->n_all_rows; b++) {
            if (stops_early && fl_bit_get(local->pairs.found, local->list[i]))
                break;
            local->pairs.probe[count] = local->list[i];
            local->pairs.build[count++] = p->built->all_rows[b];
            if (count < rows_max)
                continue;
            local->pairs.is_all = false;
            FL_TRY(settle(p, count, err));
            count = 0;
        }
    st = settle(p, count, err);
cleanup:
    return st;
}

fl_status fl_join_probe_rows(fl_hash_join *join, const fl_join_built *built, fl_join_prober *prober, fl_worker *worker,
                             fl_stage *next, const fl_batch *batch, const fl_vec *keys, int32_t count, fl_err *err)
{
    probing p = {join, built, prober, worker, next, batch, keys};
    return join->pairs.n_keys > 0 ? probe_hash(&p, count, err) : probe_all(&p, count, err);
}

static fl_status probe_push(fl_stage *base, fl_worker *worker, void *ptr, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    fl_hash_join *join = ((join_probe *)base)->join;
    fl_join_prober *local = ptr;
    fl_vec *keys = NULL;
    if (fl_join_is_probe_idle(&join->pairs))
        return FL_DONE;
    FL_TRY(fl_join_begin_batch(&join->pairs, &local->pairs, worker, batch, &keys, err));
    if (join->has_dense_key && keys[0].layout == FL_DICT)
        FL_TRY(fl_vec_flatten(&worker->arena, &keys[0], batch->rows, &keys[0], err));
    int32_t count = fl_join_drop_null_keys(&join->pairs, keys, local->list, fl_join_list_rows(batch, local->list));
    if (join->spill.has_spilled)
        return fl_join_spill_probe(join, local, worker, base->next, batch, keys, count, err);
    local->pairs.is_all = true;
    if (join->pairs.build_rows > 0 && count > 0)
        FL_TRY(fl_join_probe_rows(join, &join->built, local, worker, base->next, batch, keys, count, err));
    st = fl_join_finish_batch(&join->pairs, &local->pairs, worker, base->next, batch, keys, err);
cleanup:
    return st;
}

static const fl_stage_ops probe_ops = {.what = "the probe side of the join",
                                       .local_new = probe_local_new,
                                       .push = probe_push,
                                       .local_free = probe_local_free};

/* ---- after the probe: build rows that were not matched, or were, and what lies on the disk ---------------------------- */

typedef struct rest_source {
    fl_source base;
    fl_hash_join *join;
    _Atomic int32_t next_local;
} rest_source;

static fl_status emit_rows(const fl_hash_join *join, fl_worker *worker, fl_stage *to, uint8_t **rows, int32_t count,
                           fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *vecs = NULL;
    fl_arena_reset(&worker->arena);
    FL_TRY(FL_NEW_ARRAY(&worker->arena, join->pairs.node->n_cols + 1, &vecs, err));
    for (int32_t c = 0; c < join->pairs.node->n_cols; c++) {
        if (join->pairs.out_from[c] >= 0)
            fl_vec_set_const(&vecs[c], fl_plan_col(join->pairs.exec->plan, join->pairs.node->cols[c])->type, NULL);
        else
            FL_TRY(fl_rows_read(&join->pairs.layout, join->pairs.n_keys - 1 - join->pairs.out_from[c], rows, count,
                                &worker->arena, &vecs[c], err));
    }
    fl_batch out = {.rows = count, .cols = join->pairs.node->n_cols, .vec = vecs, .kept = count};
    st = fl_push(join->pairs.node, to, worker, &out, err);
cleanup:
    return st;
}

fl_status fl_join_emit_build_rows(const fl_hash_join *join, fl_worker *worker, fl_stage *to, uint8_t *rows, int64_t n,
                                  fl_err *err)
{
    fl_status st = FL_OK;
    int32_t rows_max = worker->exec->context.session->vector_rows, count = 0;
    uint8_t wanted = join->pairs.build_left && join->pairs.kind == FL_JOIN_SEMI, **chosen = NULL;
    FL_TRY(fl_alloc(worker->exec->context.memory, rows_max * 8 + 8, (void **)&chosen, err));
    for (int64_t i = 0; i < n; i++, rows += join->pairs.layout.bytes) {
        if (rows[join->pairs.match_offset] != wanted)
            continue;
        chosen[count++] = rows;
        if (count == rows_max) {
            FL_TRY(emit_rows(join, worker, to, chosen, count, err));
            count = 0;
        }
    }
    if (count > 0)
        st = emit_rows(join, worker, to, chosen, count, err);
cleanup:
    fl_free(chosen);
    return st;
}

static fl_status run_rest(fl_source *base, fl_worker *worker, void *ptr, fl_stage *to, bool *ret_any, fl_err *err)
{
    (void)ptr;
    fl_status st = FL_OK;
    fl_hash_join *join = ((rest_source *)base)->join;
    *ret_any = false;
    if (join->spill.has_spilled)
        return fl_join_spill_run(join, (fl_join_prober **)&base->locals[worker->id], worker, to, ret_any, err);
    if (!join->keeps_unmatched_build)
        return FL_OK;
    int32_t w = atomic_fetch_add(&((rest_source *)base)->next_local, 1);
    *ret_any = w < join->n_locals;
    worker->morsel = w;
    if (!*ret_any || join->locals[w] == NULL)
        return FL_OK;
    for (fl_row_block *b = ((build_local *)join->locals[w])->kept.store.first; b != NULL; b = b->next)
        FL_TRY(fl_join_emit_build_rows(join, worker, to, b->data, b->rows, err));
cleanup:
    return st;
}

static void rest_local_free(fl_source *base, void *ptr)
{
    (void)base;
    fl_join_prober_free(ptr);
}

static bool rest_has_morsel(fl_source *base)
{
    fl_hash_join *join = ((rest_source *)base)->join;
    return !join->spill.has_spilled || fl_join_spill_has_step(join);
}

static bool rest_has_large_morsels(const fl_source *base)
{
    const fl_hash_join *join = ((const rest_source *)base)->join;
    return join->spill.has_spilled || join->keeps_unmatched_build;
}

static const fl_source_ops rest_ops = {.run = run_rest,
                                       .has_morsel = rest_has_morsel,
                                       .has_large_morsels = rest_has_large_morsels,
                                       .local_free = rest_local_free};

/* ---- building ----------------------------------------------------------------------------------------------------- */

/* Whether the join asks of its right side only if there is a row. What may raise there is computed for all rows: which of them come before
 * the first one that is kept differs from run to run. */
static bool asks_for_one(const fl_node *node)
{
    const fl_join_attrs *attrs = fl_join_of(node);
    bool is_test = attrs->kind == FL_JOIN_SEMI || attrs->kind == FL_JOIN_ANTI || attrs->kind == FL_JOIN_MARK;
    for (int32_t i = 0; i < attrs->n_conjuncts; i++)
        is_test &= fl_expr_is_true(attrs->conjuncts[i]);
    return is_test && !attrs->build_left && !node->inputs[1]->can_fail;
}

/* What the partitions give is sorted by place, and goes on from there. */
static fl_status build_ordered_rest(fl_hash_join *join, fl_source *rest, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    fl_exec *exec = join->pairs.exec;
    fl_sort_source *source = NULL;
    FL_TRY(fl_sort_source_new(exec, join->pairs.node, &source, err));
    FL_TRY(fl_sort_sink_new(exec, join->pairs.node, FL_JOIN_PLACE_COLS, fl_sort_source_finish, source, &source->sink,
                            err));
    FL_TRY(fl_exec_wait_for_feeders(exec, &rest->waits, next, err)); /* the probe, which ends in another sink */
    FL_TRY(fl_exec_add_pipeline(exec, rest, &source->sink->base, err));
    FL_TRY(fl_exec_add_finish(exec, &source->sink->base, err));
    FL_TRY(fl_exec_wait_for(exec, &source->base.waits, &source->sink->base, err));
    st = fl_exec_add_pipeline(exec, &source->base, next, err);
cleanup:
    return st;
}

/* The sink of the build side, which nothing feeds yet. */
static fl_status plan_join(fl_exec *exec, const fl_node *node, fl_hash_join **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_hash_join *join = NULL;
    fl_join_pairs *pairs = NULL;
    const fl_join_attrs *attrs = fl_join_of(node);
    FL_TRY(fl_exec_add_stage(exec, &build_ops, (int64_t)sizeof(*join), NULL, NULL, &join, err));
    *ret = join;
    pairs = &join->pairs;
    FL_TRY(fl_join_pairs_plan(exec, node, EXTRA_BYTES, pairs, err));
    join->keeps_unmatched_build = attrs->kind == FL_JOIN_RIGHT || attrs->kind == FL_JOIN_FULL || attrs->build_left;
    join->is_one_enough = asks_for_one(node);
    pairs->code_offset = pairs->layout.extra_offset + NUMBER_AT;
    pairs->match_offset = join->keeps_unmatched_build ? pairs->layout.extra_offset + MATCHED_AT : 0;
    join->has_dense_key =
        pairs->n_keys == 1 && !pairs->is_null_safe[0] && fl_type_is_whole_word(pairs->build_exprs[0]->type);
    FL_TRY(FL_NEW_ARRAY(&exec->arena, pairs->n_keys + 1, &join->has_range, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, pairs->n_keys + 1, &join->filters, err));
    join->has_range[0] = join->has_dense_key;
    st = fl_join_spill_plan(join, err);
cleanup:
    return st;
}

static fl_status feed_join(fl_exec *exec, fl_hash_join *join, fl_err *err)
{
    fl_status st = fl_exec_build(exec, join->pairs.build_side, &join->base, err);
    return st == FL_OK ? fl_exec_add_finish(exec, &join->base, err) : st;
}

static fl_status add_probe(fl_exec *exec, fl_hash_join *join, fl_stage *next, join_probe **ret, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_exec_add_stage(exec, &probe_ops, (int64_t)sizeof(**ret), join->pairs.node, next, ret, err));
    (*ret)->join = join;
    (*ret)->base.multiplies = fl_join_multiplies(&join->pairs);
cleanup:
    return st;
}

static fl_status build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    fl_hash_join *join = fl_exec_kept(exec, node);
    join_probe *probe = NULL;
    const fl_join_pairs *pairs = NULL;
    const fl_join_attrs *attrs = fl_join_of(node);
    if (fl_trait_get(node->traits, &fl_trait_implementation) == FL_IMPL_MERGE)
        return fl_join_build_merge(exec, node, next, err);
    if (join != NULL && !join->spill.has_spilled) {
        FL_TRY(add_probe(exec, join, next, &probe, err));
        return fl_exec_build(exec, join->pairs.probe_side, &probe->base, err);
    }
    FL_TRY(plan_join(exec, node, &join, err));
    pairs = &join->pairs;
    FL_TRY(add_probe(exec, join, next, &probe, err));
    join->spill.probe = &probe->base;

    FL_TRY(feed_join(exec, join, err));
    FL_TRY(fl_exec_wait_for(exec, &probe->base.waits, &join->base, err));
    for (int32_t k = 0; k < pairs->n_keys; k++)
        if (attrs->filters_probe && !pairs->is_null_safe[k] && fl_type_is_whole_word(pairs->build_exprs[k]->type) &&
            pairs->probe_exprs[k]->kind == FL_EXPR_COLUMN) {
            FL_TRY(fl_runtime_filter_announce(exec, pairs->probe_exprs[k]->col, &join->base, &join->filters[k], err));
            join->has_range[k] = true;
        }
    FL_TRY(fl_exec_build(exec, pairs->probe_side, &probe->base, err));
    for (int32_t k = 0; k < pairs->n_keys; k++)
        if (join->filters[k] != NULL)
            join->filters[k]->is_closed = true;
    if (join->keeps_unmatched_build || join->spill.is_possible) {
        rest_source *source = NULL;
        FL_TRY(fl_exec_add_source(exec, &rest_ops, (int64_t)sizeof(*source), node, &source, err));
        source->join = join;
        source->base.workers_max =
            join->keeps_unmatched_build ? 0 : 1; /* nothing is to be done unless rows are spilled */
        join->spill.rest = &source->base;
        FL_TRY(fl_exec_wait_for(exec, &source->base.waits, &join->base, err));
        if (join->spill.is_ordered)
            st = build_ordered_rest(join, &source->base, next, err);
        else
            st = fl_exec_add_pipeline(exec, &source->base, next, err);
    }
cleanup:
    return st;
}

/* ---- rounds of a recursion -------------------------------------------------------------------------------------------- */

static fl_status look_for_round(void *ctx, const fl_node *node, fl_err *err)
{
    (void)err;
    *(bool *)ctx |= (node->op->holds & FL_HOLDS_ROUND) != 0;
    return FL_OK;
}

/* The build side that is the same in each round, where probing leaves it as it is. A recursion in it hides whether it reads this one's rows:
 * such a side is not kept. */
static fl_status keep(fl_exec *exec, const fl_node *node, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_hash_join *join = NULL;
    bool changes = false;
    *ret = NULL;
    if (fl_trait_get(node->traits, &fl_trait_implementation) != FL_IMPL_HASH ||
        !fl_join_is_kept(node->inputs[0], node->inputs[1], fl_join_of(node)))
        return FL_OK;
    FL_TRY(fl_node_visit(node->inputs[1], look_for_round, &changes, err));
    if (changes)
        return FL_OK;
    FL_TRY(plan_join(exec, node, &join, err));
    FL_TRY(feed_join(exec, join, err));
    *ret = join;
cleanup:
    return st;
}

const fl_op_exec fl_join_exec = {.build = build, .keep = keep};
