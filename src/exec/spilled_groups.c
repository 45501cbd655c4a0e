/* Dividing tables, and loading, splitting and handing round what was divided. */
#include "exec/spilled_groups.h"

#define CHUNK_ROWS 1024
#define SHARE_MIN (1 << 20)    /* some pages and a table for them */
#define SPLIT_BYTES (2 << 20)  /* of pages that are split at a time: blocks should not become small */
#define PAGE_BYTES (512 << 10) /* what reading a page may take, but for rows that are larger */
#define MORSEL_BATCHES 8
#define AHEAD 16             /* rows between asking for an entry's memory and using it */
#define TRIM_BYTES (4 << 20) /* piles from here on leave holes that blocks of the next may not fit */

/* ---- hashing ------------------------------------------------------------------------------------------------------- */

/* Writes the hash of the first n columns into rows. */
static fl_status hash_rows(const fl_row_layout *layout, int32_t n, uint64_t seed, uint8_t *const *rows, int64_t count,
                           fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena scratch;
    uint16_t list[CHUNK_ROWS];
    uint64_t hashes[CHUNK_ROWS];
    fl_arena_init(&scratch, NULL);
    for (int32_t i = 0; i < CHUNK_ROWS; i++)
        list[i] = (uint16_t)i;
    for (int64_t start = 0; start < count; start += CHUNK_ROWS) {
        fl_vec *vecs = NULL;
        int32_t n_rows = count - start < CHUNK_ROWS ? (int32_t)(count - start) : CHUNK_ROWS;
        fl_arena_reset(&scratch);
        FL_TRY(FL_NEW_ARRAY(&scratch, n + 1, &vecs, err));
        for (int32_t c = 0; c < n; c++)
            FL_TRY(fl_rows_read(layout, c, rows + start, n_rows, &scratch, &vecs[c], err));
        fl_rows_hash(vecs, n, list, n_rows, seed, hashes);
        for (int32_t i = 0; i < n_rows; i++)
            memcpy(rows[start + i], &hashes[i], 8);
    }
cleanup:
    fl_arena_drop(&scratch);
    return st;
}

static fl_status hash_store(const fl_row_store *store, int32_t n, uint64_t seed, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t *rows[CHUNK_ROWS];
    int32_t count = 0;
    for (const fl_row_block *b = store->first; b != NULL; b = b->next)
        for (int32_t i = 0; i < b->rows; i++) {
            rows[count++] = b->data + (int64_t)i * store->layout->bytes;
            if (count < CHUNK_ROWS)
                continue;
            FL_TRY(hash_rows(store->layout, n, seed, rows, count, err));
            count = 0;
        }
    st = hash_rows(store->layout, n, seed, rows, count, err);
cleanup:
    return st;
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

static fl_status new_rows(const fl_group_kinds *kinds, int32_t n_each, fl_spilled_rows **ret, fl_err *err)
{
    /* of no budget: this is needed where there is nothing left of it */
    fl_status st = fl_alloc(NULL, (int64_t)kinds->n_kinds * n_each * (int64_t)sizeof(**ret), (void **)ret, err);
    for (int32_t i = 0; st == FL_OK && i < kinds->n_kinds * n_each; i++)
        fl_spilled_rows_init(&(*ret)[i], kinds->layouts[i / n_each], i / n_each == 0 ? kinds->states : NULL);
    return st;
}

static void free_rows(const fl_group_kinds *kinds, int32_t n_each, fl_spilled_rows *rows)
{
    for (int32_t i = 0; rows != NULL && i < kinds->n_kinds * n_each; i++)
        fl_spilled_rows_drop(&rows[i]);
    fl_free(rows);
}

fl_status fl_group_parts_divide(const fl_group_kinds *kinds, fl_group_parts *parts, int32_t kind,
                                const fl_row_store *store, bool is_hashed, fl_err *err)
{
    fl_status st = FL_OK;
    fl_spill_file *file = NULL;
    FL_ASSERT(kind >= 0 && kind < kinds->n_kinds && store->layout == kinds->layouts[kind]);
    FL_TRY(fl_spill_get_file(kinds->exec, &file, err));
    if (parts->rows == NULL)
        FL_TRY(new_rows(kinds, FL_SPILL_PARTITIONS, &parts->rows, err));
    if (!is_hashed)
        FL_TRY(hash_store(store, kinds->n_keys, kinds->exec->context.session->seed, err));
    fl_spilled_rows *rows = parts->rows + (int64_t)kind * FL_SPILL_PARTITIONS;
    int64_t before = fl_spilled_rows_bytes(rows, FL_SPILL_PARTITIONS);
    FL_TRY(fl_spilled_rows_divide(rows, 0, file, store, err));
    parts->bytes += fl_spilled_rows_bytes(rows, FL_SPILL_PARTITIONS) - before;
cleanup:
    return st;
}

void fl_group_parts_drop(const fl_group_kinds *kinds, fl_group_parts *parts)
{
    free_rows(kinds, FL_SPILL_PARTITIONS, parts->rows);
    *parts = (fl_group_parts){0};
}

int64_t fl_group_table_bytes(const fl_group_table *table)
{
    return fl_row_store_bytes(&table->store) + table->n_entries * 8;
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

/* Reads the last block, whose space is given back at once. */
static fl_status take_block(fl_spilled_rows *rows, fl_arena *heap, fl_row_page *ret, fl_err *err)
{
    int64_t i = rows->n_pages - 1;
    FL_ASSERT(i >= 0);
    if (i > 0)
        fl_spill_file_prefetch(rows->file, &rows->pages[i - 1].block);
    fl_status st = fl_spilled_rows_read(rows, i, heap, ret, err);
    if (st != FL_OK)
        return st;
    fl_spill_file_forget(rows->file, &rows->pages[i].block);
    rows->n_pages--;
    return FL_OK;
}

/* Lets a new row have texts of its own, apart from the page that it was copied from. */
static fl_status keep_texts(const fl_row_layout *layout, uint8_t *row, fl_arena *heap, fl_err *err)
{
    for (int32_t c = 0; c < layout->n_cols; c++) {
        fl_view view;
        if (!fl_type_is_string(layout->types[c]) || fl_row_is_null(layout, row, c))
            continue;
        memcpy(&view, row + layout->offsets[c], 16);
        if (view.len <= FL_VIEW_INLINE_MAX)
            continue;
        char *text = NULL;
        fl_status st = fl_arena_get(heap, view.len, (void **)&text, err);
        if (st != FL_OK)
            return st;
        memcpy(text, view.ptr, view.len);
        view.ptr = text;
        memcpy(row + layout->offsets[c], &view, 16);
    }
    return FL_OK;
}

/* Adds a page's rows to the table, for which there is room in its directory. */
static fl_status add_page(const fl_group_reading *gather, const fl_row_page *page, fl_group_table *table, fl_err *err)
{
    fl_status st = FL_OK;
    fl_row_store *store = &table->store;
    uint8_t *row = NULL, *known = NULL; /* row: a spare one, the store's last */
    for (int64_t i = 0; i < page->n; i++) {
        if (i + AHEAD < page->n)
            fl_group_table_prefetch(table, fl_row_hash(page->rows[i + AHEAD]));
        if (row == NULL)
            FL_TRY(fl_row_store_add_one(store, &row, err));
        memcpy(row, page->rows[i], (size_t)store->layout->bytes);
        FL_TRY(fl_group_table_adopt(table, row, &known, err));
        if (known == NULL) {
            FL_TRY(keep_texts(store->layout, row, &store->heap, err));
            row = NULL;
        } else if (gather->combine != NULL) {
            FL_TRY(gather->combine(gather->ctx, known, page->rows[i], &store->heap, err));
        }
    }
    if (row != NULL) {
        store->last->rows--;
        store->rows--;
    }
cleanup:
    return st;
}

static fl_status begin_table(const fl_group_reading *gather, const fl_row_layout *layout, fl_group_table *ret,
                             fl_err *err)
{
    return fl_group_table_init(ret, layout, gather->n_keys, gather->exec->context.session->vector_rows,
                               gather->exec->context.memory, err);
}

/* Moves the table's rows to the parts. */
static fl_status divide_table(const fl_group_reading *gather, fl_group_table *table, fl_spilled_rows *parts,
                              fl_err *err)
{
    fl_status st = FL_OK;
    fl_spill_file *file = NULL;
    const fl_row_layout *layout = table->store.layout;
    FL_TRY(fl_spill_get_file(gather->exec, &file, err));
    FL_TRY(fl_spilled_rows_divide(parts, gather->level, file, &table->store, err));
    fl_group_table_drop(table);
    st = begin_table(gather, layout, table, err);
cleanup:
    return st;
}

/* What the table would take with some more rows. */
static int64_t bytes_with(const fl_group_table *table, int64_t more)
{
    int64_t rows = table->n_hashed + more, entries = table->n_entries;
    while (rows * 2 > table->n_entries && entries < rows * 4)
        entries *= 2;
    return fl_group_table_bytes(table) + (entries > table->n_entries ? entries * 8 : 0) + PAGE_BYTES;
}

fl_status fl_group_read_rows(const fl_group_reading *gather, fl_spilled_rows *from, fl_group_table *ret,
                             fl_spilled_rows *parts, bool *ret_is_split, int64_t *ret_bytes, fl_err *err)
{
    fl_status st = FL_OK;
    fl_row_page page = {0};
    const fl_row_layout *layout = from->layout;
    int64_t more = PAGE_BYTES / layout->bytes + 1 < from->rows ? PAGE_BYTES / layout->bytes + 1 : from->rows;
    bool can_split = gather->level < FL_SPILL_LEVELS;
    *ret_is_split = false;
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++)
        fl_spilled_rows_init(&parts[p], layout, from->states);
    FL_TRY(begin_table(gather, layout, ret, err));
    if (from->bytes + from->rows * 4 * 8 <=
        gather->limit_bytes) { /* all fit, with a directory of four places for each */
        st = fl_group_table_reserve(ret, from->rows, err);
        if (st == FL_ERR_MEMORY)
            fl_err_clear(err);
        else
            FL_TRY(st);
    }
    while (from->n_pages > 0) {
        bool is_splittable = can_split && ret->store.rows > 1;
        bool is_large = is_splittable && bytes_with(ret, more) > gather->limit_bytes;
        st = is_large ? FL_ERR_MEMORY : fl_group_table_reserve(ret, more, err);
        if (st == FL_ERR_MEMORY && is_splittable) {
            FL_TRY(divide_table(gather, ret, parts, err));
            *ret_is_split = true;
            st = fl_group_table_reserve(ret, more, err);
        }
        FL_TRY(st);
        FL_TRY(take_block(from, &ret->store.heap, &page, err));
        if (!gather->is_hashed)
            FL_TRY(hash_rows(layout, gather->n_keys, gather->exec->context.session->seed, page.rows, page.n, err));
        FL_TRY(add_page(gather, &page, ret, err));
        fl_row_page_drop(&page);
    }
    if (*ret_is_split) {
        FL_TRY(divide_table(gather, ret, parts, err));
        *ret_bytes += fl_spilled_rows_bytes(parts, FL_SPILL_PARTITIONS);
    }
    fl_spilled_rows_drop(from);
cleanup:
    fl_row_page_drop(&page);
    return st;
}

/* ---- piles --------------------------------------------------------------------------------------------------------- */

void fl_group_piles_init(fl_group_piles *piles, const fl_group_kinds *kinds, const fl_group_pile_ops *ops)
{
    *piles = (fl_group_piles){.kinds = kinds, .ops = ops};
    pthread_mutex_init(&piles->lock, NULL);
}

static void free_pile(const fl_group_kinds *kinds, fl_group_pile *pile)
{
    free_rows(kinds, 1, pile->rows);
    if (pile->table.store.layout != NULL)
        fl_group_table_drop(&pile->table);
    fl_arena_drop(&pile->heap);
    fl_free(pile);
}

static void free_piles(const fl_group_kinds *kinds, fl_group_pile *first)
{
    while (first != NULL) {
        fl_group_pile *next = first->next;
        free_pile(kinds, first);
        first = next;
    }
}

void fl_group_piles_drop(fl_group_piles *piles)
{
    free_piles(piles->kinds, piles->first);
    pthread_mutex_destroy(&piles->lock);
}

/* Empty piles in front of *first, one for each partition. */
static fl_status add_piles(const fl_group_kinds *kinds, int32_t level, fl_group_pile **first, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++) {
        fl_group_pile *pile = NULL;
        FL_TRY(fl_alloc_zero(NULL, (int64_t)sizeof(*pile), (void **)&pile, err));
        pile->level = level;
        fl_arena_init(&pile->heap, kinds->exec->context.memory);
        pile->next = *first;
        *first = pile;
        FL_TRY(new_rows(kinds, 1, &pile->rows, err));
    }
cleanup:
    return st;
}

/* Moves what was divided to the piles of its partitions. */
static fl_status fill_piles(const fl_group_kinds *kinds, fl_spilled_rows *parts, fl_group_pile *first, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++, first = first->next)
        for (int32_t k = 0; k < kinds->n_kinds; k++)
            FL_TRY(fl_spilled_rows_move(&first->rows[k], &parts[k * FL_SPILL_PARTITIONS + p], err));
cleanup:
    return st;
}

fl_status fl_group_piles_add(fl_group_piles *piles, fl_group_parts *parts, fl_err *err)
{
    fl_status st = FL_OK;
    if (parts->rows == NULL)
        return FL_OK;
    if (piles->first == NULL)
        FL_TRY(add_piles(piles->kinds, 0, &piles->first, err));
    st = fill_piles(piles->kinds, parts->rows, piles->first, err);
cleanup:
    return st;
}

bool fl_group_pile_can_split(const fl_group_pile *pile)
{
    return pile->level + 1 < FL_SPILL_LEVELS && pile->table.store.rows > 1;
}

/* Divides rows by the hash that they hold, some pages at a time. */
static fl_status divide_rows(const fl_group_kinds *kinds, fl_spilled_rows *from, int32_t level, fl_spilled_rows *parts,
                             fl_err *err)
{
    fl_status st = FL_OK;
    fl_row_page pages[16] = {{0}};
    fl_arena heap;
    uint8_t **rows = NULL;
    int64_t capacity = 0;
    fl_arena_init(&heap, kinds->exec->context.memory);
    while (from->n_pages > 0) {
        int64_t bytes = 0, n = 0;
        int32_t n_pages = 0;
        for (; n_pages < (int32_t)FL_LEN(pages) && bytes < SPLIT_BYTES && from->n_pages > 0; n_pages++) {
            FL_TRY(take_block(from, &heap, &pages[n_pages], err));
            bytes += pages[n_pages].bytes;
            n += pages[n_pages].n;
        }
        FL_TRY(fl_grow(NULL, (void **)&rows, &capacity, n + 1, 8, err));
        for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++) {
            n = 0;
            for (int32_t i = 0; i < n_pages; i++)
                for (int64_t r = 0; r < pages[i].n; r++)
                    if (fl_spill_partition(fl_row_hash(pages[i].rows[r]), level) == p)
                        rows[n++] = pages[i].rows[r];
            FL_TRY(fl_spilled_rows_add(&parts[p], from->file, rows, n, err));
        }
        for (int32_t i = 0; i < n_pages; i++)
            fl_row_page_drop(&pages[i]);
        fl_arena_reset(&heap);
    }
    fl_spilled_rows_drop(from);
cleanup:
    for (int32_t i = 0; i < (int32_t)FL_LEN(pages); i++)
        fl_row_page_drop(&pages[i]);
    fl_arena_drop(&heap);
    fl_free(rows);
    return st;
}

int64_t fl_group_piles_share(const fl_group_piles *piles)
{
    int64_t share = fl_spill_share(piles->kinds->exec);
    return share > SHARE_MIN ? share : SHARE_MIN;
}

/* Loads a pile, or makes piles of it, *ret_split. */
static fl_status load_pile(fl_group_piles *piles, fl_worker *worker, void *ctx, fl_group_pile *pile,
                           fl_group_pile **ret_split, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_group_kinds *kinds = piles->kinds;
    fl_spilled_rows *parts = NULL;
    int64_t bytes = 0;
    int32_t level = pile->level + 1;
    bool is_split = false;
    FL_TRY(new_rows(kinds, FL_SPILL_PARTITIONS, &parts, err));
    fl_group_reading gather = {.exec = kinds->exec,
                               .n_keys = kinds->n_keys,
                               .is_hashed = true,
                               .combine = kinds->combine,
                               .ctx = kinds->ctx,
                               .level = level,
                               .limit_bytes = fl_group_piles_share(piles)};
    FL_TRY(fl_group_read_rows(&gather, &pile->rows[0], &pile->table, parts, &is_split, &bytes, err));
    if (!is_split && piles->ops->complete != NULL) {
        FL_TRY(piles->ops->complete(ctx, worker, pile, &is_split, err));
        FL_ASSERT(!is_split || fl_group_pile_can_split(pile));
        if (is_split) {
            FL_TRY(divide_table(&gather, &pile->table, parts, err));
            bytes += fl_spilled_rows_bytes(parts, FL_SPILL_PARTITIONS);
        }
    }
    pile->is_loaded = true;
    pile->block = pile->table.store.first;
    if (!is_split)
        goto cleanup;
    for (int32_t k = 1; k < kinds->n_kinds; k++) {
        fl_spilled_rows *own = parts + (int64_t)k * FL_SPILL_PARTITIONS;
        FL_TRY(divide_rows(kinds, &pile->rows[k], level, own, err));
        bytes += fl_spilled_rows_bytes(own, FL_SPILL_PARTITIONS);
    }
    fl_spill_count(worker, kinds->node, bytes, 1);
    FL_TRY(add_piles(kinds, level, ret_split, err));
    st = fill_piles(kinds, parts, *ret_split, err);
cleanup:
    free_rows(kinds, FL_SPILL_PARTITIONS, parts);
    return st;
}

/* Puts out some batches of a pile. */
static fl_status emit_some(fl_group_piles *piles, fl_worker *worker, void *ctx, fl_group_pile *pile, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t rows_max = worker->exec->context.session->vector_rows, stride = pile->table.store.layout->bytes;
    uint8_t **rows = NULL;
    FL_TRY(fl_alloc(worker->exec->context.memory, (int64_t)rows_max * 8, (void **)&rows, err));
    for (int32_t batch = 0; batch < MORSEL_BATCHES && pile->block != NULL; batch++) {
        int32_t n = 0;
        while (n < rows_max && pile->block != NULL) {
            if (pile->at == pile->block->rows) {
                pile->block = pile->block->next;
                pile->at = 0;
                continue;
            }
            rows[n++] = pile->block->data + (int64_t)pile->at++ * stride;
        }
        if (n > 0)
            FL_TRY(piles->ops->emit(ctx, worker, rows, n, err));
    }
cleanup:
    fl_free(rows);
    return st;
}

/* Whether the first pile may be taken: one that is to be loaded waits for those in other hands where memory has no room for both. Under
 * the lock. */
static bool may_take(const fl_group_piles *piles)
{
    return piles->first != NULL &&
           (piles->first->is_loaded || piles->n_busy == 0 || fl_spill_share(piles->kinds->exec) >= SHARE_MIN);
}

bool fl_group_piles_has_morsel(fl_group_piles *piles)
{
    pthread_mutex_lock(&piles->lock);
    bool has = may_take(piles) || piles->n_busy == 0;
    piles->is_missed |= !has;
    pthread_mutex_unlock(&piles->lock);
    return has;
}

fl_status fl_group_piles_run(fl_group_piles *piles, fl_worker *worker, void *ctx, bool *ret_any, fl_err *err)
{
    fl_status st = FL_OK;
    fl_group_pile *split = NULL;
    pthread_mutex_lock(&piles->lock);
    fl_group_pile *pile = may_take(piles) ? piles->first : NULL;
    worker->morsel = piles->n_morsels++;
    *ret_any = pile != NULL || piles->n_busy > 0;
    piles->is_missed |= pile == NULL && piles->first != NULL;
    if (pile != NULL) {
        piles->first = pile->next;
        piles->n_busy++;
    }
    pthread_mutex_unlock(&piles->lock);
    if (pile == NULL)
        return FL_OK;
    pile->next = NULL;
    FL_ASSERT(pile->level < FL_SPILL_LEVELS);
    if (!pile->is_loaded)
        st = load_pile(piles, worker, ctx, pile, &split, err);
    if (st == FL_OK && split == NULL)
        st = emit_some(piles, worker, ctx, pile, err);
    if (st != FL_OK || split != NULL || pile->block == NULL) {
        bool is_large = pile->is_loaded && fl_group_table_bytes(&pile->table) >= TRIM_BYTES;
        free_pile(piles->kinds, pile);
        pile = NULL;
        if (is_large)
            fl_memory_trim();
    }
    if (st != FL_OK) {
        free_piles(piles->kinds, split);
        split = NULL;
    }
    fl_group_pile *back = split != NULL ? split : pile;
    pthread_mutex_lock(&piles->lock);
    if (back != NULL) {
        fl_group_pile *last = back;
        while (last->next != NULL)
            last = last->next;
        last->next = piles->first;
        piles->first = back;
    }
    FL_ASSERT(piles->n_busy > 0);
    piles->n_busy--;
    bool is_missed = piles->is_missed;
    piles->is_missed = false;
    pthread_mutex_unlock(&piles->lock);
    if (is_missed)
        fl_exec_wake(piles->kinds->exec);
    return st;
}
