/* Merging group tables. */
#include "exec/group_merge.h"

#define PARTITION_ROWS_MIN 20000 /* smaller results are merged by one worker */
#define AHEAD 8                  /* rows between asking for memory and looking at it: of an entry, then of its row */
#define CHECK_ROWS 65536         /* a power of two: how often cancellation is looked at */

_Static_assert(FL_GROUP_PARTITIONS == 16, "fl_group_result_table takes the hash's upper four bits");

/* The rows of one worker in the order of their partitions, and their hashes: rows lie far from each other, so that whoever goes by a
 * partition looks at none that need not be combined. */
typedef struct listed {
    uint8_t **rows;
    uint64_t *hashes;
    int64_t starts[FL_GROUP_PARTITIONS + 1];
} listed;

typedef struct merging {
    fl_exec *exec;
    fl_group_table *const *tables;
    int32_t n_tables;
    listed *lists; /* by table */
    fl_group_combine combine;
    void *ctx;
    fl_group_result *result;
    int32_t pieces;
} merging;

static fl_status list_table(void *ctx, int32_t w, fl_err *err)
{
    fl_status st = FL_OK;
    merging *m = ctx;
    const fl_row_store *store = &m->tables[w]->store;
    listed *list = &m->lists[w];
    int64_t at[FL_GROUP_PARTITIONS + 1] = {0};
    FL_TRY(fl_alloc(store->memory, store->rows * 8 + 8, (void **)&list->rows, err));
    FL_TRY(fl_alloc(store->memory, store->rows * 8 + 8, (void **)&list->hashes, err));
    for (const fl_row_block *b = store->first; b != NULL; b = b->next) {
        FL_TRY(fl_exec_check(m->exec, err));
        for (int32_t i = 0; i < b->rows; i++)
            at[fl_group_result_table(m->result, fl_row_hash(b->data + (int64_t)i * store->layout->bytes)) + 1]++;
    }
    for (int32_t p = 0; p < FL_GROUP_PARTITIONS; p++)
        at[p + 1] += at[p];
    FL_ASSERT(at[FL_GROUP_PARTITIONS] == store->rows);
    memcpy(list->starts, at, sizeof(at));
    for (const fl_row_block *b = store->first; b != NULL; b = b->next) {
        FL_TRY(fl_exec_check(m->exec, err));
        for (int32_t i = 0; i < b->rows; i++) {
            uint8_t *row = b->data + (int64_t)i * store->layout->bytes;
            int64_t place = at[fl_group_result_table(m->result, fl_row_hash(row))]++;
            list->rows[place] = row;
            list->hashes[place] = fl_row_hash(row);
        }
    }
cleanup:
    return st;
}

static fl_status adopt(merging *m, fl_group_table *into, uint8_t *row, uint64_t hash, fl_arena *heap, bool *ret_is_new,
                       fl_err *err)
{
    uint8_t *known = NULL;
    fl_status st = fl_group_table_adopt_hashed(into, row, hash, &known, err);
    *ret_is_new = known == NULL;
    return st == FL_OK && known != NULL && m->combine != NULL ? m->combine(m->ctx, known, row, heap, err) : st;
}

static fl_status merge_partition(void *ctx, int32_t p, fl_err *err)
{
    fl_status st = FL_OK;
    merging *m = ctx;
    fl_group_table *into = &m->result->tables[p];
    int64_t total = 0, *n_kept = &m->result->n_rows[p];
    for (int32_t w = 0; w < m->n_tables; w++)
        total += m->lists[w].starts[p + 1] - m->lists[w].starts[p];
    FL_TRY(fl_alloc(into->store.memory, total * 8 + 8, (void **)&m->result->rows[p], err));
    FL_TRY(fl_group_table_reserve(into, total, err));
    uint8_t **kept = m->result->rows[p];
    for (int32_t w = 0; w < m->n_tables; w++) {
        uint8_t *const *rows = m->lists[w].rows + m->lists[w].starts[p];
        const uint64_t *hashes = m->lists[w].hashes + m->lists[w].starts[p];
        int64_t n = m->lists[w].starts[p + 1] - m->lists[w].starts[p];
        for (int64_t i = 0; i < n; i++) {
            bool is_new = false;
            if ((i & (CHECK_ROWS - 1)) == CHECK_ROWS - 1)
                FL_TRY(fl_exec_check(m->exec, err));
            FL_ASSERT_SLOW(fl_group_result_table(m->result, hashes[i]) == p);
            if (i + 2 * AHEAD < n)
                fl_group_table_prefetch(into, hashes[i + 2 * AHEAD]);
            if (i + AHEAD < n && fl_group_table_prefetch_row(into, hashes[i + AHEAD]))
                __builtin_prefetch(rows[i + AHEAD]);
            FL_TRY(adopt(m, into, rows[i], hashes[i], &m->result->heaps[p], &is_new, err));
            kept[*n_kept] = rows[i];
            *n_kept += is_new;
        }
    }
    FL_ASSERT(*n_kept == into->n_hashed && *n_kept <= total);
cleanup:
    return st;
}

static fl_status merge_by_hash(fl_exec *exec, merging *m, const fl_row_layout *layout, int32_t n_keys, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t rows_max = exec->context.session->vector_rows;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, m->n_tables + 1, &m->lists, err));
    for (int32_t t = 0; t < m->result->n_tables; t++)
        FL_TRY(fl_group_table_init(&m->result->tables[t], layout, n_keys, rows_max, exec->context.memory, err));
    FL_TRY(fl_exec_parallel(exec, m->n_tables, list_table, m, err));
    FL_TRY(fl_exec_parallel(exec, m->result->n_tables, merge_partition, m, err));
cleanup:
    for (int32_t w = 0; m->lists != NULL && w < m->n_tables; w++) {
        fl_free(m->lists[w].rows);
        fl_free(m->lists[w].hashes);
    }
    return st;
}

/* One piece of the places: groups that the result lacks are taken over, others are combined. */
static fl_status merge_places(void *ctx, int32_t piece, fl_err *err)
{
    fl_status st = FL_OK;
    merging *m = ctx;
    fl_group_index *into = &m->result->tables[0].index;
    int64_t start = into->n_places * piece / m->pieces, end = into->n_places * (piece + 1) / m->pieces;
    for (int32_t w = 0; w < m->n_tables; w++) {
        uint8_t *const *rows = m->tables[w]->index.rows;
        FL_ASSERT(rows == NULL || m->tables[w]->index.n_places == into->n_places); /* places mean the same keys */
        for (int64_t i = start; rows != NULL && i < end; i++) {
            if (rows[i] == NULL)
                continue;
            if (into->rows[i] == NULL)
                into->rows[i] = rows[i];
            else if (m->combine != NULL)
                FL_TRY(m->combine(m->ctx, into->rows[i], rows[i], &m->result->heaps[piece], err));
        }
    }
cleanup:
    return st;
}

/* The rows that lie outside of the ranges, of all tables but the one that was moved to the result. */
static fl_status adopt_hashed(merging *m, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t w = 0; w < m->n_tables; w++)
        for (int64_t i = 0; m->tables[w]->n_hashed > 0 && i < m->tables[w]->n_entries; i++) {
            uint8_t *row = fl_group_table_entry(m->tables[w], i);
            bool is_new = false;
            if (row != NULL)
                FL_TRY(adopt(m, &m->result->tables[0], row, fl_row_hash(row), &m->result->heaps[0], &is_new, err));
        }
cleanup:
    return st;
}

fl_status fl_group_merge(fl_exec *exec, const fl_row_layout *layout, int32_t n_keys, fl_group_table *const *tables,
                         int32_t n, fl_group_combine combine, void *ctx, fl_group_result *ret, fl_err *err)
{
    fl_status st = FL_OK;
    merging m = {.exec = exec, .tables = tables, .n_tables = n, .combine = combine, .ctx = ctx, .result = ret};
    int64_t rows = 0;
    int32_t base = 0; /* the table that is moved: one that has an array, where there is any */
    bool is_complete = n > 0 && tables[0]->index.is_complete, has_doubles = false;
    *ret = (fl_group_result){.n_tables = 1};
    for (int32_t p = 0; p < FL_GROUP_PARTITIONS; p++)
        fl_arena_init(&ret->heaps[p], exec->context.memory);
    for (int32_t w = n - 1; w >= 0; w--) {
        rows += tables[w]->store.rows;
        has_doubles |= tables[w]->has_doubles;
        base = tables[w]->index.n_places > 0 ? w : base;
    }
    FL_ASSERT(!is_complete || !has_doubles);
    bool is_moved = (n == 1 && !has_doubles) || is_complete;
    if (!is_moved && rows >= PARTITION_ROWS_MIN)
        ret->n_tables = FL_GROUP_PARTITIONS;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, ret->n_tables, &ret->tables, err));
    if (!is_moved)
        return merge_by_hash(exec, &m, layout, n_keys, err);
    ret->tables[0] = *tables[base];
    *tables[base] = (fl_group_table){0}; /* without rows from here on */
    m.pieces = ret->tables[0].index.n_places < PARTITION_ROWS_MIN ? 1 : FL_GROUP_PARTITIONS;
    if (n > 1) {
        FL_TRY(fl_exec_parallel(exec, m.pieces, merge_places, &m, err));
        FL_TRY(adopt_hashed(&m, err));
    }
    FL_TRY(
        fl_alloc(exec->context.memory, fl_group_table_rows_max(&ret->tables[0]) * 8 + 8, (void **)&ret->rows[0], err));
    FL_TRY(fl_group_table_list(&ret->tables[0], ret->rows[0], &ret->n_rows[0], err));
    FL_ASSERT(ret->n_rows[0] <= rows); /* those of all tables, but for the same ones */
cleanup:
    return st;
}

void fl_group_result_drop(fl_group_result *result)
{
    for (int32_t t = 0; result->tables != NULL && t < result->n_tables; t++)
        if (result->tables[t].store.layout != NULL)
            fl_group_table_drop(&result->tables[t]);
    for (int32_t p = 0; p < FL_GROUP_PARTITIONS; p++) {
        fl_free(result->rows[p]);
        fl_arena_drop(&result->heaps[p]);
    }
    *result = (fl_group_result){0};
}
