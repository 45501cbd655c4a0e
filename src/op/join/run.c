/* join: builds a table of one side's rows, then probes it with the other's.
 *
 * The build side is the right input; semi and anti joins may build the left one (build_left): probing then only marks
 * build rows, which are put out at the end. Equalities between the sides are keys; what else is in the condition is
 * evaluated on candidate pairs. Without keys every pair is a candidate (nested loop).
 *
 * Mark joins: conjunct 0 is the three-valued comparison of IN; the others are plain conditions. Where it is an equality and
 * alone, it is the key, and nulls are remembered as flags; else it is evaluated per pair. */
#include "op/join/node.h"

#include "exec/eval.h"
#include "exec/exec.h"
#include "exec/runtime_filter.h"
#include "op/join/table.h"

#define CHECK_ROWS 65536 /* a power of two: rows entered between looks whether the statement shall stop */
#define RUNTIME_FILTER_BITS_MAX (1ll << 26) /* 8 MB of bitmap */
#define DICTIONARY_ROWS_MAX 16384
#define ROW_NUMBER_OFFSET \
    12 /* in a row's extra room: behind the next row and the byte that says whether it was matched */

typedef struct join_build {
    fl_stage base; /* the sink of the build side */
    fl_exec *exec;
    int32_t kind;
    bool build_left;
    bool is_mark_fast;
    const fl_node *node;
    const fl_node *build_side, *probe_side;
    int32_t n_keys;
    bool *is_null_safe; /* per key: nulls are equal (IS NOT DISTINCT FROM) */
    fl_program *build_keys, *probe_keys;
    int32_t n_payload;
    int32_t *payload_from; /* per payload column: position in the build input */
    fl_col_id *payload_cols;
    fl_row_layout layout; /* keys, payload; extra: next, matched, number of the row */
    fl_vec *payload_dict; /* per payload column: a dictionary without codes, or of another layout; NULL: none at all */
    int32_t n_residual;
    fl_program *residual;           /* over pair columns */
    bool residual_has_three_valued; /* mark joins: residual 0 is three-valued */
    int32_t n_pair_cols;            /* columns of a pair batch for the residual */
    int32_t *pair_from;             /* >= 0: position in the probe input; else -1 - payload column */
    int32_t *out_from;              /* per output column: same; INT32_MIN: the mark */
    bool keeps_unmatched_build;
    bool has_dense_key;          /* one integer key: the table may be an array */
    bool *has_range;             /* per key: min and max are collected, for the table or a filter */
    fl_runtime_filter **filters; /* per key; NULL where there is none */
    fl_join_table table;
    bool has_null_key; /* of build rows, for mark joins */
    int64_t build_rows;
    uint8_t **all_rows; /* nested loop: every build row */
    int64_t n_all_rows;
    void *const *locals;
    int32_t n_locals;
} join_build;

/* The values of one key; min > max: none were seen. */
typedef struct key_range {
    int64_t min, max;
} key_range;

typedef struct build_local {
    fl_eval *eval;
    fl_row_store store;
    uint16_t *list;
    uint64_t *hashes;
    uint8_t **rows;
    key_range *ranges; /* per key */
    bool has_null_key;
} build_local;

typedef struct join_probe {
    fl_stage base;
    join_build *build;
} join_probe;

typedef struct probe_local {
    fl_eval *keys_eval;
    fl_eval *residual_eval;
    uint16_t *list; /* probe rows with usable keys */
    uint64_t *hashes;
    uint8_t **heads; /* chain position per list entry */
    uint16_t *pair_probe;
    uint8_t **pair_build;
    uint16_t *match, *differ;
    uint64_t *found;   /* per probe row */
    uint64_t *unknown; /* mark joins: comparison was null for some partner */
} probe_local;

static int64_t key_at(const fl_vec *vec, int32_t row)
{
    int64_t i = fl_vec_row(vec, row);
    return vec->width == 4 ? ((const int32_t *)vec->data)[i] : ((const int64_t *)vec->data)[i];
}

/* ---- build side --------------------------------------------------------------------------------------------------- */

static fl_status build_local_new(fl_stage *base, fl_worker *worker, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    join_build *join = (join_build *)base;
    fl_memory *memory = worker->exec->context.memory;
    int32_t rows_max = worker->exec->context.session->vector_rows;
    build_local *local = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*local), (void **)&local, err));
    *ret = local;
    fl_row_store_init(&local->store, &join->layout, memory);
    FL_TRY(fl_alloc(memory, (join->n_keys + 1) * (int64_t)sizeof(*local->ranges), (void **)&local->ranges, err));
    for (int32_t k = 0; k < join->n_keys; k++)
        local->ranges[k] = (key_range){INT64_MAX, INT64_MIN};
    FL_TRY(fl_eval_new(join->build_keys, memory, rows_max, &local->eval, err));
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
    fl_row_store_drop(&local->store);
    fl_free(local->ranges);
    fl_free(local->list);
    fl_free(local->hashes);
    fl_free(local->rows);
    fl_free(local);
}

static int32_t list_of(const fl_batch *batch, uint16_t *list)
{
    if (batch->mask != NULL)
        return fl_bitmap_to_list(batch->mask, batch->rows, list);
    for (int32_t i = 0; i < batch->rows; i++)
        list[i] = (uint16_t)i;
    return batch->rows;
}

/* Drops rows with a null in a key that nulls cannot match. Returns how many are left. */
static int32_t drop_null_keys(const join_build *join, const fl_vec *keys, uint16_t *list, int32_t count)
{
    for (int32_t k = 0; k < join->n_keys; k++) {
        if (join->is_null_safe[k] || keys[k].valid == NULL)
            continue;
        int32_t kept = 0;
        for (int32_t i = 0; i < count; i++) {
            list[kept] = list[i];
            kept += fl_vec_is_valid(&keys[k], list[i]);
        }
        count = kept;
    }
    return count;
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

static fl_status build_push(fl_stage *base, fl_worker *worker, void *ptr, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    join_build *join = (join_build *)base;
    build_local *local = ptr;
    fl_vec *keys = NULL;
    FL_TRY(FL_NEW_ARRAY(&worker->arena, join->n_keys + 1, &keys, err));
    fl_eval_begin(local->eval, batch, &worker->arena);
    for (int32_t k = 0; k < join->n_keys; k++) {
        FL_TRY(fl_eval_value(local->eval, k, batch->mask, &keys[k], err));
        if (join->has_range[k] && keys[k].layout == FL_DICT)
            FL_TRY(fl_vec_flatten(&worker->arena, &keys[k], batch->rows, &keys[k], err));
    }
    int32_t count = list_of(batch, local->list);
    if (!join->keeps_unmatched_build || join->is_mark_fast) {
        int32_t usable = drop_null_keys(join, keys, local->list, count);
        local->has_null_key |= usable < count;
        count = usable;
    }
    if (count == 0)
        return FL_OK;
    fl_rows_hash(keys, join->n_keys, local->list, count, worker->exec->context.session->seed, local->hashes);
    FL_TRY(fl_row_store_add(&local->store, count, local->rows, err));
    for (int32_t i = 0; i < count; i++)
        *(uint64_t *)local->rows[i] = local->hashes[i];
    for (int32_t k = 0; k < join->n_keys; k++)
        FL_TRY(fl_rows_write(&join->layout, k, &keys[k], local->list, count, local->rows, &local->store.heap, err));
    for (int32_t p = 0; p < join->n_payload; p++)
        FL_TRY(fl_rows_write(&join->layout, join->n_keys + p, &batch->vec[join->payload_from[p]], local->list, count,
                             local->rows, &local->store.heap, err));
    for (int32_t k = 0; k < join->n_keys; k++)
        if (join->has_range[k])
            widen_range(&local->ranges[k], &keys[k], local->list, count);
cleanup:
    return st;
}

/* Whether a stored row can have partners: no null in a plain key. */
static bool can_match(const join_build *join, const uint8_t *row)
{
    for (int32_t k = 0; k < join->n_keys; k++)
        if (!join->is_null_safe[k] && fl_row_is_null(&join->layout, row, k))
            return false;
    return true;
}

static int64_t row_key(const join_build *join, const uint8_t *row, int32_t k)
{
    const uint8_t *value = row + join->layout.offsets[k];
    return fl_type_width(join->layout.types[k]) == 4 ? *(const int32_t *)value : *(const int64_t *)value;
}

static fl_status enter_rows(void *ctx, int32_t w, fl_err *err)
{
    join_build *join = ctx;
    build_local *local = join->locals[w];
    if (local == NULL)
        return FL_OK;
    for (fl_row_block *b = local->store.first; b != NULL; b = b->next)
        for (int32_t i = 0; i < b->rows; i++) {
            if ((i & (CHECK_ROWS - 1)) == 0) {
                fl_status st = fl_exec_check(join->exec, err);
                if (st != FL_OK)
                    return st;
            }
            uint8_t *row = b->data + (int64_t)i * join->layout.bytes;
            if (!can_match(join, row))
                continue;
            fl_join_table_add(&join->table, row, join->has_dense_key ? row_key(join, row, 0) : 0);
            for (int32_t k = 0; k < join->n_keys; k++)
                if (join->filters[k] != NULL && join->filters[k]->bits != NULL) {
                    uint64_t at = (uint64_t)row_key(join, row, k) - (uint64_t)join->filters[k]->min;
                    __atomic_fetch_or(&join->filters[k]->bits[at >> 6], 1ull << (at & 63), __ATOMIC_RELAXED);
                }
        }
    return FL_OK;
}

/* Strings of a small build side are put out as a dictionary whose codes are the numbers of the rows: a pair costs four bytes
 * of each, and what reads them (groups, functions) works once per build row. */
static fl_status make_dictionaries(join_build *join, fl_err *err)
{
    fl_status st = FL_OK;
    fl_exec *exec = join->exec;
    uint8_t **rows = NULL;
    uint32_t n = 0;
    bool has_strings = false;
    for (int32_t p = 0; p < join->n_payload; p++)
        has_strings |= fl_type_is_string(join->layout.types[join->n_keys + p]);
    if (!has_strings || join->build_rows == 0 || join->build_rows > DICTIONARY_ROWS_MAX)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, join->build_rows, &rows, err));
    for (int32_t w = 0; w < join->n_locals; w++)
        for (fl_row_block *b = join->locals[w] == NULL ? NULL : ((build_local *)join->locals[w])->store.first;
             b != NULL; b = b->next)
            for (int32_t i = 0; i < b->rows; i++) {
                rows[n] = b->data + (int64_t)i * join->layout.bytes;
                *(uint32_t *)(rows[n] + join->layout.extra_offset + ROW_NUMBER_OFFSET) = n;
                n++;
            }
    FL_TRY(FL_NEW_ARRAY(&exec->arena, join->n_payload, &join->payload_dict, err));
    for (int32_t p = 0; p < join->n_payload; p++) {
        fl_vec *values = NULL, *dict = &join->payload_dict[p];
        fl_type type = join->layout.types[join->n_keys + p];
        if (!fl_type_is_string(type))
            continue;
        FL_TRY(FL_NEW(&exec->arena, &values, err));
        FL_TRY(fl_rows_read(&join->layout, join->n_keys + p, rows, (int32_t)n, &exec->arena, values, err));
        if (values->valid != NULL) /* nulls are told by the codes: such columns stay as they are */
            continue;
        *dict = (fl_vec){
            .type = type, .layout = FL_DICT, .child = values, .child_rows = n, .width = 4, .dict_id = fl_dict_id_new()};
    }
cleanup:
    return st;
}

/* Over all workers. */
static key_range range_of(const join_build *join, int32_t k)
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

static fl_status build_finish(fl_stage *base, void *const *locals, int32_t n_locals, fl_err *err)
{
    fl_status st = FL_OK;
    join_build *join = (join_build *)base;
    fl_exec *exec = join->exec;
    for (int32_t w = 0; w < n_locals; w++) {
        build_local *local = locals[w];
        if (local == NULL)
            continue;
        join->build_rows += local->store.rows;
        join->has_null_key |= local->has_null_key;
    }
    join->locals = locals;
    join->n_locals = n_locals;
    void **kept = NULL; /* the array is the runner's; the pipelines that follow need their own */
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_locals, &kept, err));
    memcpy(kept, locals, (size_t)n_locals * sizeof(*kept));
    join->locals = kept;
    if (join->n_keys == 0) {
        FL_TRY(fl_alloc(exec->context.memory, join->build_rows * 8 + 8, (void **)&join->all_rows, err));
        for (int32_t w = 0; w < n_locals; w++)
            for (fl_row_block *b = kept[w] == NULL ? NULL : ((build_local *)kept[w])->store.first; b != NULL;
                 b = b->next) {
                FL_TRY(fl_exec_check(exec, err));
                for (int32_t i = 0; i < b->rows; i++)
                    join->all_rows[join->n_all_rows++] = b->data + (int64_t)i * join->layout.bytes;
            }
        return FL_OK;
    }
    key_range range = join->has_dense_key ? range_of(join, 0) : (key_range){1, 0};
    FL_TRY(fl_join_table_init(&join->table, &join->layout, join->build_rows, range.min <= range.max, range.min,
                              range.max, exec->context.memory, err));
    for (int32_t k = 0; k < join->n_keys; k++) {
        fl_runtime_filter *filter = join->filters[k];
        if (filter == NULL)
            continue;
        range = range_of(join, k);
        filter->min = range.min;
        filter->max = range.max;
        if (range.min <= range.max && (uint64_t)range.max - (uint64_t)range.min < RUNTIME_FILTER_BITS_MAX) {
            int64_t words = (int64_t)(((uint64_t)range.max - (uint64_t)range.min) >> 6) + 1;
            FL_TRY(fl_arena_get_zero(&exec->arena, words * 8, (void **)&filter->bits, err));
        }
    }
    FL_TRY(make_dictionaries(join, err));
    FL_TRY(fl_exec_parallel(exec, n_locals, enter_rows, join, err));
    for (int32_t k = 0; k < join->n_keys; k++)
        if (join->filters[k] != NULL)
            fl_runtime_filter_fill(join->filters[k]);
cleanup:
    return st;
}

static void build_free(fl_stage *base)
{
    join_build *join = (join_build *)base;
    fl_join_table_drop(&join->table);
    fl_free(join->all_rows);
}

static const fl_stage_ops build_ops = {.what = "the build side of the hash join",
                                       .local_new = build_local_new,
                                       .push = build_push,
                                       .finish = build_finish,
                                       .local_free = build_local_free,
                                       .free = build_free};

/* ---- probe side --------------------------------------------------------------------------------------------------- */

static fl_status probe_local_new(fl_stage *base, fl_worker *worker, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    join_build *join = ((join_probe *)base)->build;
    fl_memory *memory = worker->exec->context.memory;
    int32_t rows_max = worker->exec->context.session->vector_rows;
    probe_local *local = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*local), (void **)&local, err));
    *ret = local;
    FL_TRY(fl_eval_new(join->probe_keys, memory, rows_max, &local->keys_eval, err));
    if (join->n_residual > 0)
        FL_TRY(fl_eval_new(join->residual, memory, rows_max, &local->residual_eval, err));
    FL_TRY(fl_alloc(memory, rows_max * 2 + 64, (void **)&local->list, err));
    FL_TRY(fl_alloc(memory, rows_max * 8 + 64, (void **)&local->hashes, err));
    FL_TRY(fl_alloc(memory, rows_max * 8 + 64, (void **)&local->heads, err));
    FL_TRY(fl_alloc(memory, rows_max * 2 + 64, (void **)&local->pair_probe, err));
    FL_TRY(fl_alloc(memory, rows_max * 8 + 64, (void **)&local->pair_build, err));
    FL_TRY(fl_alloc(memory, rows_max * 2 + 64, (void **)&local->match, err));
    FL_TRY(fl_alloc(memory, rows_max * 2 + 64, (void **)&local->differ, err));
    FL_TRY(fl_alloc(memory, rows_max / 8 + 64, (void **)&local->found, err));
    FL_TRY(fl_alloc(memory, rows_max / 8 + 64, (void **)&local->unknown, err));
cleanup:
    return st;
}

static void probe_local_free(fl_stage *base, void *ptr)
{
    (void)base;
    probe_local *local = ptr;
    fl_eval_free(local->keys_eval);
    fl_eval_free(local->residual_eval);
    fl_free(local->list);
    fl_free(local->hashes);
    fl_free(local->heads);
    fl_free(local->pair_probe);
    fl_free(local->pair_build);
    fl_free(local->match);
    fl_free(local->differ);
    fl_free(local->found);
    fl_free(local->unknown);
    fl_free(local);
}

static bool is_existence(const join_build *join)
{
    return join->kind == FL_JOIN_SEMI || join->kind == FL_JOIN_ANTI || join->kind == FL_JOIN_MARK;
}

/* Whether a probe row that has a partner needs no other. */
static bool wants_one(const join_build *join)
{
    return (is_existence(join) && !join->build_left) || join->kind == FL_JOIN_FIRST;
}

/* One column of `count` pairs: gathered from the probe batch, or read from build rows. */
static fl_status pair_column(join_build *join, int32_t from, const fl_batch *batch, const uint16_t *probe,
                             uint8_t *const *rows, int32_t count, fl_arena *arena, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    uint32_t *codes = NULL;
    if (from >= 0)
        return fl_vec_gather(arena, &batch->vec[from], probe, count, ret, err);
    if (join->payload_dict == NULL || join->payload_dict[-1 - from].layout != FL_DICT)
        return fl_rows_read(&join->layout, join->n_keys - 1 - from, rows, count, arena, ret, err);
    FL_TRY(fl_arena_get(arena, (int64_t)count * 4 + 64, (void **)&codes, err));
    for (int32_t i = 0; i < count; i++)
        codes[i] = *(const uint32_t *)(rows[i] + join->layout.extra_offset + ROW_NUMBER_OFFSET);
    *ret = join->payload_dict[-1 - from];
    ret->data = codes;
cleanup:
    return st;
}

/* Keeps the pairs that satisfy the residual conjuncts; notes unknowns of a three-valued one. Returns the new count. */
static fl_status filter_pairs(join_build *join, probe_local *local, fl_worker *worker, const fl_batch *batch,
                              int32_t *count, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *vecs = NULL;
    uint64_t *mask = NULL;
    int32_t n = *count, kept = n;
    if (join->n_residual == 0 || n == 0)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(&worker->arena, join->n_pair_cols + 1, &vecs, err));
    for (int32_t c = 0; c < join->n_pair_cols; c++)
        FL_TRY(pair_column(join, join->pair_from[c], batch, local->pair_probe, local->pair_build, n, &worker->arena,
                           &vecs[c], err));
    fl_batch pairs = {.rows = n, .cols = join->n_pair_cols, .vec = vecs, .kept = n};
    FL_TRY(fl_arena_get(&worker->arena, fl_bitmap_words(n) * 8 + 8, (void **)&mask, err));
    fl_bitmap_fill(mask, n, true);
    mask[fl_bitmap_words(n) - 1] &= fl_bitmap_tail(n);
    fl_eval_begin(local->residual_eval, &pairs, &worker->arena);
    int32_t first = join->residual_has_three_valued ? 1 : 0;
    for (int32_t i = first; i < join->n_residual && kept > 0; i++)
        FL_TRY(fl_eval_filter(local->residual_eval, i, mask, &kept, err));
    if (first == 1 && kept > 0) {
        fl_vec test;
        FL_TRY(fl_eval_value(local->residual_eval, 0, mask, &test, err));
        FL_TRY(fl_vec_flatten(&worker->arena, &test, n, &test, err));
        const uint64_t *bits = test.data;
        for (int32_t i = 0; i < n; i++) {
            if (!fl_bit_get(mask, i))
                continue;
            if (!fl_is_valid(test.valid, i))
                fl_bit_set(local->unknown, local->pair_probe[i]);
            if (!fl_is_valid(test.valid, i) || !fl_bit_get(bits, i))
                fl_bit_clear(mask, i);
        }
    }
    int32_t to = 0;
    for (int32_t i = 0; i < n; i++)
        if (fl_bit_get(mask, i)) {
            local->pair_probe[to] = local->pair_probe[i];
            local->pair_build[to++] = local->pair_build[i];
        }
    *count = to;
cleanup:
    return st;
}

static fl_status emit_pairs(join_probe *stage, probe_local *local, fl_worker *worker, const fl_batch *batch,
                            int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    join_build *join = stage->build;
    fl_vec *vecs = NULL;
    if (count == 0)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(&worker->arena, join->node->n_cols + 1, &vecs, err));
    for (int32_t c = 0; c < join->node->n_cols; c++)
        FL_TRY(pair_column(join, join->out_from[c], batch, local->pair_probe, local->pair_build, count, &worker->arena,
                           &vecs[c], err));
    fl_batch out = {.rows = count, .cols = join->node->n_cols, .vec = vecs, .kept = count};
    st = fl_push(join->node, stage->base.next, worker, &out, err);
cleanup:
    return st;
}

static fl_status fail_second_row(const join_build *join, fl_err *err)
{
    fl_status st = FL_FAIL(err, FL_ERR_CARDINALITY, "a subquery used as an expression returned more than one row");
    for (int32_t c = 0; c < join->build_side->n_cols; c++) {
        int32_t at = fl_plan_col(join->exec->plan, join->build_side->cols[c])->subquery_at;
        if (at > 0)
            fl_err_at(err, at - 1);
    }
    return st;
}

/* Of the true pairs those of probe rows that have no partner yet, one each. */
static int32_t keep_first(probe_local *local, int32_t count)
{
    int32_t to = 0;
    for (int32_t i = 0; i < count; i++) {
        if (fl_bit_get(local->found, local->pair_probe[i]))
            continue;
        fl_bit_set(local->found, local->pair_probe[i]);
        local->pair_probe[to] = local->pair_probe[i];
        local->pair_build[to++] = local->pair_build[i];
    }
    return to;
}

/* What is done with a set of true pairs. */
static fl_status take_pairs(join_probe *stage, probe_local *local, fl_worker *worker, const fl_batch *batch,
                            int32_t count, fl_err *err)
{
    join_build *join = stage->build;
    if (join->keeps_unmatched_build || join->build_left)
        for (int32_t i = 0; i < count; i++)
            __atomic_store_n(local->pair_build[i] + join->layout.extra_offset + 8, 1, __ATOMIC_RELAXED);
    if (join->build_left)
        return FL_OK;
    if (join->kind == FL_JOIN_FIRST)
        count = keep_first(local, count);
    else if (join->kind == FL_JOIN_SINGLE)
        for (int32_t i = 0; i < count; i++) {
            if (fl_bit_get(local->found, local->pair_probe[i]))
                return fail_second_row(join, err);
            fl_bit_set(local->found, local->pair_probe[i]);
        }
    else
        for (int32_t i = 0; i < count; i++)
            fl_bit_set(local->found, local->pair_probe[i]);
    return is_existence(join) ? FL_OK : emit_pairs(stage, local, worker, batch, count, err);
}

/* Compares the keys of the first `count` pairs and closes the gaps. */
static int32_t match_keys(join_build *join, probe_local *local, const fl_vec *keys, int32_t count)
{
    int32_t n_differ = 0, n = count;
    if (join->table.is_dense)
        return count;
    for (int32_t i = 0; i < count; i++)
        local->match[i] = (uint16_t)i;
    for (int32_t k = 0; k < join->n_keys && n > 0; k++) {
        n = fl_rows_match(&join->layout, k, &keys[k], local->pair_probe, local->pair_build, local->match, n,
                          local->differ, &n_differ);
        n_differ = 0;
    }
    if (n == count)
        return n;
    for (int32_t i = 0; i < n; i++) {
        local->pair_probe[i] = local->pair_probe[local->match[i]];
        local->pair_build[i] = local->pair_build[local->match[i]];
    }
    return n;
}

/* Filters, counts and puts out the first `count` pairs; what that took of the worker's arena is given back, since one
 * probe batch may make any number of batches of pairs. */
static fl_status settle_pairs(join_probe *stage, probe_local *local, fl_worker *worker, fl_batch *batch, int32_t count,
                              fl_err *err)
{
    fl_arena_mark mark = fl_arena_mark_get(&worker->arena);
    fl_status st = filter_pairs(stage->build, local, worker, batch, &count, err);
    if (st == FL_OK)
        st = take_pairs(stage, local, worker, batch, count, err);
    if (st == FL_OK)
        st = fl_exec_check(worker->exec, err);
    fl_arena_rewind(&worker->arena, mark);
    return st;
}

static fl_status probe_hash(join_probe *stage, probe_local *local, fl_worker *worker, fl_batch *batch,
                            const fl_vec *keys, int32_t n_list, fl_err *err)
{
    fl_status st = FL_OK;
    join_build *join = stage->build;
    const fl_join_table *table = &join->table;
    int32_t rows_max = worker->exec->context.session->vector_rows;
    bool stops_early = wants_one(join);
    if (table->is_dense) {
        for (int32_t i = 0; i < n_list; i++)
            local->heads[i] = fl_join_table_find_dense(table, key_at(&keys[0], local->list[i]));
    } else {
        fl_rows_hash(keys, join->n_keys, local->list, n_list, worker->exec->context.session->seed, local->hashes);
        for (int32_t i = 0; i < n_list; i++)
            __builtin_prefetch(&table->entries[local->hashes[i] >> table->shift]);
        for (int32_t i = 0; i < n_list; i++) {
            local->heads[i] = fl_join_table_find(table, local->hashes[i]);
            __builtin_prefetch(local->heads[i]);
        }
    }
    int32_t count = 0;
    for (int32_t i = 0; i < n_list;) {
        uint8_t *row = local->heads[i];
        if (row == NULL || (stops_early && fl_bit_get(local->found, local->list[i]))) {
            i++;
            continue;
        }
        local->heads[i] = fl_join_next(table, row);
        if (!table->is_dense && fl_row_hash(row) != local->hashes[i])
            continue;
        local->pair_probe[count] = local->list[i];
        local->pair_build[count++] = row;
        if (count < rows_max)
            continue;
        FL_TRY(settle_pairs(stage, local, worker, batch, match_keys(join, local, keys, count), err));
        count = 0;
    }
    st = settle_pairs(stage, local, worker, batch, match_keys(join, local, keys, count), err);
cleanup:
    return st;
}

static fl_status probe_all(join_probe *stage, probe_local *local, fl_worker *worker, fl_batch *batch, int32_t n_list,
                           fl_err *err)
{
    fl_status st = FL_OK;
    join_build *join = stage->build;
    int32_t rows_max = worker->exec->context.session->vector_rows, count = 0;
    bool stops_early = wants_one(join);
    for (int32_t i = 0; i < n_list; i++)
        for (int64_t b = 0; b < join->n_all_rows; b++) {
            if (stops_early && fl_bit_get(local->found, local->list[i]))
                break;
            local->pair_probe[count] = local->list[i];
            local->pair_build[count++] = join->all_rows[b];
            if (count < rows_max)
                continue;
            FL_TRY(settle_pairs(stage, local, worker, batch, count, err));
            count = 0;
        }
    st = settle_pairs(stage, local, worker, batch, count, err);
cleanup:
    return st;
}

/* Passes probe rows on as they are (semi, anti, mark), or with nulls for the build side (outer joins). */
static fl_status emit_probe_rows(join_probe *stage, fl_worker *worker, const fl_batch *batch, const uint64_t *mask,
                                 int32_t kept, const fl_vec *mark, fl_err *err)
{
    fl_status st = FL_OK;
    join_build *join = stage->build;
    fl_vec *vecs = NULL;
    FL_TRY(FL_NEW_ARRAY(&worker->arena, join->node->n_cols + 1, &vecs, err));
    for (int32_t c = 0; c < join->node->n_cols; c++) {
        if (join->out_from[c] == INT32_MIN)
            vecs[c] = *mark;
        else if (join->out_from[c] >= 0)
            vecs[c] = batch->vec[join->out_from[c]];
        else
            fl_vec_set_const(&vecs[c], fl_plan_col(join->exec->plan, join->node->cols[c])->type, NULL);
    }
    fl_batch out = {.rows = batch->rows, .cols = join->node->n_cols, .vec = vecs, .mask = mask, .kept = kept};
    if (kept * 8 < batch->rows)
        FL_TRY(fl_batch_compact(&worker->arena, &out, err));
    st = fl_push(join->node, stage->base.next, worker, &out, err);
cleanup:
    return st;
}

static fl_status finish_batch(join_probe *stage, probe_local *local, fl_worker *worker, const fl_batch *batch,
                              const fl_vec *keys, fl_err *err)
{
    fl_status st = FL_OK;
    join_build *join = stage->build;
    int64_t words = fl_bitmap_words(batch->rows);
    uint64_t *mask = NULL;
    int32_t kept = 0;
    if (join->kind == FL_JOIN_INNER || join->kind == FL_JOIN_RIGHT || join->build_left)
        return FL_OK;
    FL_TRY(fl_arena_get(&worker->arena, words * 8 + 8, (void **)&mask, err));
    if (join->kind == FL_JOIN_MARK) {
        fl_vec mark;
        uint64_t *valid = NULL, *bits = NULL;
        FL_TRY(fl_arena_get(&worker->arena, words * 8 + 8, (void **)&valid, err));
        FL_TRY(fl_arena_get(&worker->arena, words * 8 + 8, (void **)&bits, err));
        memcpy(bits, local->found, (size_t)words * 8);
        for (int64_t w = 0; w < words; w++)
            valid[w] = ~(local->unknown[w] & ~local->found[w]);
        if (join->is_mark_fast && (join->build_rows > 0 || join->has_null_key))
            for (int32_t i = 0; i < batch->rows; i++) {
                bool null_key = false;
                for (int32_t k = 0; k < join->n_keys; k++)
                    null_key |= !fl_vec_is_valid(&keys[k], i);
                if ((null_key || join->has_null_key) && !fl_bit_get(bits, i))
                    fl_bit_clear(valid, i);
            }
        fl_vec_set_flat(&mark, FL_TYPE(FL_BOOL), bits, valid);
        return emit_probe_rows(stage, worker, batch, batch->mask, batch->kept, &mark, err);
    }
    bool wants_found = join->kind == FL_JOIN_SEMI;
    for (int64_t w = 0; w < words; w++) {
        uint64_t in = batch->mask != NULL ? batch->mask[w] : w == words - 1 ? fl_bitmap_tail(batch->rows) : ~0ull;
        mask[w] = in & (wants_found ? local->found[w] : ~local->found[w]);
        kept += __builtin_popcountll(mask[w]);
    }
    if (kept > 0)
        st = emit_probe_rows(stage, worker, batch, kept == batch->rows ? NULL : mask, kept, NULL, err);
cleanup:
    return st;
}

/* Without build rows no probe row has a partner: reading them is idle where only pairs are wanted, unless it may raise. */
static bool is_probe_idle(const join_build *join)
{
    bool wants_pairs =
        join->kind == FL_JOIN_INNER || join->kind == FL_JOIN_RIGHT || join->kind == FL_JOIN_SEMI || join->build_left;
    return join->build_rows == 0 && wants_pairs && !join->node->can_fail;
}

static fl_status probe_push(fl_stage *base, fl_worker *worker, void *ptr, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    join_probe *stage = (join_probe *)base;
    join_build *join = stage->build;
    probe_local *local = ptr;
    fl_vec *keys = NULL;
    size_t bytes = (size_t)fl_bitmap_words(batch->rows) * 8;
    if (is_probe_idle(join))
        return FL_DONE;
    memset(local->found, 0, bytes);
    memset(local->unknown, 0, bytes);
    FL_TRY(FL_NEW_ARRAY(&worker->arena, join->n_keys + 1, &keys, err));
    fl_eval_begin(local->keys_eval, batch, &worker->arena);
    for (int32_t k = 0; k < join->n_keys; k++) {
        FL_TRY(fl_eval_value(local->keys_eval, k, batch->mask, &keys[k], err));
        if (join->has_dense_key && keys[k].layout == FL_DICT)
            FL_TRY(fl_vec_flatten(&worker->arena, &keys[k], batch->rows, &keys[k], err));
    }
    int32_t count = drop_null_keys(join, keys, local->list, list_of(batch, local->list));
    if (join->build_rows > 0 && count > 0) {
        if (join->n_keys > 0)
            FL_TRY(probe_hash(stage, local, worker, batch, keys, count, err));
        else
            FL_TRY(probe_all(stage, local, worker, batch, count, err));
    }
    st = finish_batch(stage, local, worker, batch, keys, err);
cleanup:
    return st;
}

static const fl_stage_ops probe_ops = {.what = "the probe side of the join",
                                       .local_new = probe_local_new,
                                       .push = probe_push,
                                       .local_free = probe_local_free};

/* ---- build rows after the probe: unmatched ones of outer joins, matched or not of semi and anti joins --------------- */

typedef struct build_rows_source {
    fl_source base;
    join_build *build;
    _Atomic int32_t next_local;
} build_rows_source;

static fl_status emit_build_rows(join_build *join, fl_worker *worker, fl_stage *to, uint8_t **rows, int32_t count,
                                 fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *vecs = NULL;
    fl_arena_reset(&worker->arena);
    FL_TRY(FL_NEW_ARRAY(&worker->arena, join->node->n_cols + 1, &vecs, err));
    for (int32_t c = 0; c < join->node->n_cols; c++) {
        if (join->out_from[c] >= 0)
            fl_vec_set_const(&vecs[c], fl_plan_col(join->exec->plan, join->node->cols[c])->type, NULL);
        else
            FL_TRY(fl_rows_read(&join->layout, join->n_keys - 1 - join->out_from[c], rows, count, &worker->arena,
                                &vecs[c], err));
    }
    fl_batch out = {.rows = count, .cols = join->node->n_cols, .vec = vecs, .kept = count};
    st = fl_push(join->node, to, worker, &out, err);
cleanup:
    return st;
}

static fl_status run_build_rows(fl_source *base, fl_worker *worker, void *ptr, fl_stage *to, bool *ret_any, fl_err *err)
{
    (void)ptr;
    fl_status st = FL_OK;
    join_build *join = ((build_rows_source *)base)->build;
    int32_t rows_max = worker->exec->context.session->vector_rows, count = 0;
    int32_t w = atomic_fetch_add(&((build_rows_source *)base)->next_local, 1);
    uint8_t **rows = NULL;
    uint8_t wanted = join->build_left && join->kind == FL_JOIN_SEMI;
    *ret_any = w < join->n_locals;
    worker->morsel = w;
    if (!*ret_any || join->locals[w] == NULL)
        return FL_OK;
    FL_TRY(fl_alloc(worker->exec->context.memory, rows_max * 8 + 8, (void **)&rows, err));
    for (fl_row_block *b = ((build_local *)join->locals[w])->store.first; b != NULL; b = b->next)
        for (int32_t i = 0; i < b->rows; i++) {
            uint8_t *row = b->data + (int64_t)i * join->layout.bytes;
            if (row[join->layout.extra_offset + 8] != wanted)
                continue;
            rows[count++] = row;
            if (count == rows_max) {
                FL_TRY(emit_build_rows(join, worker, to, rows, count, err));
                count = 0;
            }
        }
    if (count > 0)
        st = emit_build_rows(join, worker, to, rows, count, err);
cleanup:
    fl_free(rows);
    return st;
}

static const fl_source_ops build_rows_ops = {.run = run_build_rows};

/* ---- building ----------------------------------------------------------------------------------------------------- */

typedef struct split {
    const fl_expr **build_keys, **probe_keys, **residual;
    int32_t n_keys, n_residual;
    bool *is_null_safe;
    int32_t three_valued; /* index in residual, or -1 */
} split;

/* An equality between the sides: gives the build and probe expressions. */
static fl_status take_key(fl_exec *exec, const join_build *join, const fl_expr *e, split *s, bool *ret_taken,
                          fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set a, b;
    *ret_taken = false;
    if (e->kind != FL_EXPR_CALL || e->n_args != 2)
        return FL_OK;
    bool equal = strcmp(e->func->name, "=") == 0, same = strcmp(e->func->name, "is_not_distinct_from") == 0;
    if ((!equal && !same) || !fl_type_is_equal(e->args[0]->type, e->args[1]->type))
        return FL_OK;
    fl_col_set_init(&a);
    fl_col_set_init(&b);
    FL_TRY(fl_expr_add_cols(&exec->arena, e->args[0], &a, err));
    FL_TRY(fl_expr_add_cols(&exec->arena, e->args[1], &b, err));
    const fl_col_set *build = &join->build_side->made, *probe = &join->probe_side->made;
    if (fl_col_set_is_empty(&a) || fl_col_set_is_empty(&b))
        return FL_OK;
    bool straight = fl_col_set_has_all(probe, &a) && fl_col_set_has_all(build, &b);
    bool swapped = fl_col_set_has_all(build, &a) && fl_col_set_has_all(probe, &b);
    if (!straight && !swapped)
        return FL_OK;
    s->build_keys[s->n_keys] = e->args[straight ? 1 : 0];
    s->probe_keys[s->n_keys] = e->args[straight ? 0 : 1];
    s->is_null_safe[s->n_keys++] = same;
    *ret_taken = true;
cleanup:
    return st;
}

static fl_status split_condition(fl_exec *exec, join_build *join, const fl_join_attrs *attrs, split *s, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n = attrs->n_conjuncts;
    *s = (split){.three_valued = -1};
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n + 1, &s->build_keys, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n + 1, &s->probe_keys, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n + 1, &s->residual, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n + 1, &s->is_null_safe, err));
    for (int32_t i = 0; i < n; i++) {
        bool taken = false;
        bool is_in = attrs->kind == FL_JOIN_MARK && i == 0;
        if (is_in && fl_expr_is_true(attrs->conjuncts[i])) /* EXISTS as a value */
            continue;
        if (!is_in || n == 1)
            FL_TRY(take_key(exec, join, attrs->conjuncts[i], s, &taken, err));
        join->is_mark_fast |= taken && is_in;
        if (!taken) {
            if (is_in)
                s->three_valued = s->n_residual;
            s->residual[s->n_residual++] = attrs->conjuncts[i];
        }
    }
cleanup:
    return st;
}

static bool is_key_range_type(fl_type type)
{
    int32_t width = fl_type_width(type);
    return (fl_type_is_signed(type) || type.id == FL_DATE || fl_type_is_timestamp(type) || type.id == FL_DECIMAL) &&
           (width == 4 || width == 8);
}

/* Payload: columns of the build side that the output or the residual needs. */
static fl_status plan_payload(fl_exec *exec, join_build *join, const split *s, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set wanted;
    fl_type *types = NULL;
    const fl_node *build = join->build_side;
    fl_col_set_init(&wanted);
    for (int32_t i = 0; i < s->n_residual; i++)
        FL_TRY(fl_expr_add_cols(&exec->arena, s->residual[i], &wanted, err));
    FL_TRY(fl_col_set_add_all(&exec->arena, &wanted, &join->node->made, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, build->n_cols + 1, &join->payload_from, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, build->n_cols + 1, &join->payload_cols, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, build->n_cols + s->n_keys + 1, &types, err));
    for (int32_t k = 0; k < s->n_keys; k++)
        types[k] = s->build_keys[k]->type;
    for (int32_t c = 0; c < build->n_cols; c++)
        if (fl_col_set_has(&wanted, build->cols[c])) {
            types[s->n_keys + join->n_payload] = fl_plan_col(exec->plan, build->cols[c])->type;
            join->payload_cols[join->n_payload] = build->cols[c];
            join->payload_from[join->n_payload++] = c;
        }
    st = fl_row_layout_init(&join->layout, &exec->arena, types, s->n_keys + join->n_payload, 16, err);
cleanup:
    return st;
}

/* Where a column of a pair comes from. */
static int32_t pair_source(const fl_index_map *payload, const fl_index_map *probe, fl_col_id col)
{
    int32_t p = fl_index_map_find(payload, (uint64_t)col.n);
    return p >= 0 ? -1 - p : fl_index_map_find(probe, (uint64_t)col.n);
}

static fl_status plan_pairs(fl_exec *exec, join_build *join, const fl_join_attrs *attrs, const split *s, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set used;
    fl_col_id *cols = NULL;
    int32_t n_all = join->build_side->n_cols + join->probe_side->n_cols;
    fl_index_map payload, probe;
    FL_TRY(fl_exec_col_places(exec, join->payload_cols, join->n_payload, &payload, err));
    FL_TRY(fl_exec_col_places(exec, join->probe_side->cols, join->probe_side->n_cols, &probe, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, join->node->n_cols + 1, &join->out_from, err));
    for (int32_t c = 0; c < join->node->n_cols; c++)
        join->out_from[c] = attrs->kind == FL_JOIN_MARK && join->node->cols[c].n == attrs->mark.n
                                ? INT32_MIN
                                : pair_source(&payload, &probe, join->node->cols[c]);
    join->n_residual = s->n_residual;
    join->residual_has_three_valued = s->three_valued == 0;
    fl_col_set_init(&used);
    for (int32_t i = 0; i < s->n_residual; i++)
        FL_TRY(fl_expr_add_cols(&exec->arena, s->residual[i], &used, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_all + 1, &cols, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_all + 1, &join->pair_from, err));
    for (int32_t side = 0; side < 2; side++) {
        const fl_node *node = side == 0 ? join->probe_side : join->build_side;
        for (int32_t c = 0; c < node->n_cols; c++)
            if (fl_col_set_has(&used, node->cols[c])) {
                join->pair_from[join->n_pair_cols] = pair_source(&payload, &probe, node->cols[c]);
                cols[join->n_pair_cols++] = node->cols[c];
            }
    }
    st = fl_program_new(&exec->arena, exec->plan, exec->context.session, s->residual, s->n_residual, cols,
                        join->n_pair_cols, &join->residual, err);
cleanup:
    return st;
}

static fl_status build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    join_build *join = NULL;
    join_probe *probe = NULL;
    split s;
    const fl_join_attrs *attrs = fl_join_of(node);
    FL_TRY(fl_exec_add_stage(exec, &build_ops, (int64_t)sizeof(*join), NULL, NULL, &join, err));
    join->exec = exec;
    join->node = node;
    join->kind = attrs->kind;
    join->build_left = attrs->build_left;
    join->build_side = node->inputs[attrs->build_left ? 0 : 1];
    join->probe_side = node->inputs[attrs->build_left ? 1 : 0];
    join->keeps_unmatched_build = attrs->kind == FL_JOIN_RIGHT || attrs->kind == FL_JOIN_FULL || attrs->build_left;
    FL_TRY(split_condition(exec, join, attrs, &s, err));
    join->n_keys = s.n_keys;
    join->is_null_safe = s.is_null_safe;
    join->has_dense_key = s.n_keys == 1 && !s.is_null_safe[0] && is_key_range_type(s.build_keys[0]->type);
    FL_TRY(FL_NEW_ARRAY(&exec->arena, s.n_keys + 1, &join->has_range, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, s.n_keys + 1, &join->filters, err));
    join->has_range[0] = join->has_dense_key;
    FL_TRY(plan_payload(exec, join, &s, err));
    FL_TRY(plan_pairs(exec, join, attrs, &s, err));
    FL_TRY(fl_program_new(&exec->arena, exec->plan, exec->context.session, s.build_keys, s.n_keys,
                          join->build_side->cols, join->build_side->n_cols, &join->build_keys, err));
    FL_TRY(fl_program_new(&exec->arena, exec->plan, exec->context.session, s.probe_keys, s.n_keys,
                          join->probe_side->cols, join->probe_side->n_cols, &join->probe_keys, err));
    FL_TRY(fl_exec_add_stage(exec, &probe_ops, (int64_t)sizeof(*probe), node, next, &probe, err));
    probe->build = join;

    FL_TRY(fl_exec_build(exec, join->build_side, &join->base, err));
    FL_TRY(fl_exec_add_finish(exec, &join->base, err));
    for (int32_t k = 0; k < s.n_keys; k++)
        if (attrs->filters_probe && !s.is_null_safe[k] && is_key_range_type(s.build_keys[k]->type) &&
            s.probe_keys[k]->kind == FL_EXPR_COLUMN) {
            FL_TRY(fl_runtime_filter_announce(exec, s.probe_keys[k]->col, &join->filters[k], err));
            join->has_range[k] = true;
        }
    FL_TRY(fl_exec_build(exec, join->probe_side, &probe->base, err));
    for (int32_t k = 0; k < s.n_keys; k++)
        if (join->filters[k] != NULL)
            join->filters[k]->is_closed = true;
    if (join->keeps_unmatched_build) {
        build_rows_source *source = NULL;
        FL_TRY(fl_exec_add_source(exec, &build_rows_ops, (int64_t)sizeof(*source), node, &source, err));
        source->build = join;
        st = fl_exec_add_pipeline(exec, &source->base, next, err);
    }
cleanup:
    return st;
}

const fl_op_exec fl_join_exec = {.build = build};
