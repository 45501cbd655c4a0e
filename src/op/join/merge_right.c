/* The right side of a merge join: its rows as they come, their order, and windows on them. */
#include "op/join/merge_right.h"

#include "exec/order_words.h"
#include "op/join/node.h"

#define CHECK_ROWS 65536    /* a power of two: rows between looks whether the statement shall stop */
#define WINDOW_FREE_PART 16 /* of the limit: what pages of a window that are not needed now leave to others */
#define LISTED_ROW_BYTES 16 /* what the list of all rows and their words takes */

typedef struct right_local {
    fl_eval *eval;
    fl_row_store store;
    fl_stretches stretches;
    fl_spill_holder holder;
    fl_spilled_stretches spilled;
    uint16_t *list;
    uint64_t *words;
    uint8_t **rows;
    bool has_null_key;
} right_local;

fl_status fl_merge_flatten_key(fl_arena *arena, int32_t rows, fl_vec *key, fl_err *err)
{
    if (key->layout != FL_DICT || fl_type_is_string(key->type))
        return FL_OK;
    return fl_vec_flatten(arena, key, rows, key, err);
}

fl_status fl_merge_fail_disordered(const fl_merge_right *right, int32_t input, fl_err *err)
{
    return FL_FAIL(err, FL_ERR_INTERNAL, "rows of the operator %s, which a join merges, are not in their order",
                   right->pairs.node->inputs[input]->op->name);
}

static fl_status right_local_new(fl_stage *base, fl_worker *worker, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_merge_right *right = (fl_merge_right *)base;
    fl_memory *memory = worker->exec->context.memory;
    int32_t rows_max = worker->exec->context.session->vector_rows;
    right_local *local = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*local), (void **)&local, err));
    *ret = local;
    fl_row_store_init(&local->store, &right->pairs.layout, memory);
    fl_spilled_stretches_init(&local->spilled, &right->pairs.layout, NULL);
    FL_TRY(fl_eval_new(right->pairs.build_keys, memory, rows_max, &local->eval, err));
    FL_TRY(fl_alloc(memory, rows_max * 2 + 64, (void **)&local->list, err));
    FL_TRY(fl_alloc(memory, rows_max * 8 + 64, (void **)&local->words, err));
    FL_TRY(fl_alloc(memory, rows_max * 8 + 64, (void **)&local->rows, err));
    if (right->can_spill)
        fl_spill_register(worker->exec, &local->holder);
cleanup:
    return st;
}

static void right_local_free(fl_stage *base, void *ptr)
{
    (void)base;
    right_local *local = ptr;
    fl_eval_free(local->eval);
    fl_row_store_drop(&local->store);
    fl_stretches_drop(&local->stretches);
    fl_spilled_stretches_drop(&local->spilled);
    fl_free(local->list);
    fl_free(local->words);
    fl_free(local->rows);
    fl_free(local);
}

static fl_status take_batch(fl_merge_right *right, right_local *local, fl_worker *worker, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n_keys = right->pairs.n_keys;
    fl_vec *keys = NULL;
    FL_TRY(FL_NEW_ARRAY(&worker->arena, n_keys, &keys, err));
    fl_eval_begin(local->eval, batch, &worker->arena);
    for (int32_t k = 0; k < n_keys; k++) {
        FL_TRY(fl_eval_value(local->eval, k, batch->mask, &keys[k], err));
        FL_TRY(fl_merge_flatten_key(&worker->arena, batch->rows, &keys[k], err));
    }
    int32_t all = fl_join_list_rows(batch, local->list);
    int32_t count = fl_join_drop_null_keys(&right->pairs, keys, local->list, all);
    local->has_null_key |= count < all;
    if (count == 0)
        return FL_OK;
    FL_TRY(fl_row_store_add(&local->store, count, local->rows, err));
    FL_TRY(fl_join_write_rows(&right->pairs, batch, keys, local->list, count, local->rows, &local->store.heap, err));
    for (int32_t k = 0; k < n_keys; k++) {
        int32_t at = fl_merge_word_offset(right, k);
        fl_order_words(&keys[k], local->list, count, right->order[k].is_descending, local->words);
        for (int32_t i = 0; i < count; i++)
            *(uint64_t *)(local->rows[i] + at) = local->words[i];
    }
    st = fl_stretches_add(&local->stretches, worker, count, err);
cleanup:
    return st;
}

static fl_status write_rows(fl_merge_right *right, right_local *local, fl_worker *worker, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t before = local->spilled.rows.bytes;
    FL_TRY(fl_spilled_stretches_write(&local->spilled, worker->exec, &local->store, &local->stretches, err));
    fl_row_store_drop(&local->store);
    fl_spill_count(worker, right->pairs.node, local->spilled.rows.bytes - before, 0);
cleanup:
    return st;
}

static fl_status right_push(fl_stage *base, fl_worker *worker, void *ptr, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    fl_merge_right *right = (fl_merge_right *)base;
    right_local *local = ptr;
    if (!right->can_spill)
        return take_batch(right, local, worker, batch, err);
    if (local->store.rows > 0 && fl_spill_is_due(worker->exec, &local->holder, fl_row_store_bytes(&local->store)))
        FL_TRY(write_rows(right, local, worker, err));
    fl_row_mark mark = fl_row_store_mark(&local->store);
    st = take_batch(right, local, worker, batch, err);
    if (st == FL_ERR_MEMORY && mark.rows > 0) {
        fl_row_store_rewind(&local->store, mark);
        FL_TRY(write_rows(right, local, worker, err));
        st = take_batch(right, local, worker, batch, err);
    }
cleanup:
    return st;
}

/* Puts the first words of some of the rows side by side. */
static fl_status gather_words(void *ctx, int32_t c, fl_err *err)
{
    fl_merge_right *right = ctx;
    int64_t start = (int64_t)c * CHECK_ROWS,
            end = right->n_rows < start + CHECK_ROWS ? right->n_rows : start + CHECK_ROWS;
    uint64_t before = start > 0 ? *(const uint64_t *)right->rows[start - 1] : 0;
    bool is_disordered = false;
    for (int64_t i = start; i < end; i++) {
        uint64_t word = *(const uint64_t *)right->rows[i];
        is_disordered |= word < before;
        right->words[i] = before = word;
    }
    if (is_disordered)
        atomic_store(&right->is_disordered, true);
    return fl_exec_check(right->pairs.exec, err);
}

static fl_status list_rows(fl_merge_right *right, right_local *const *locals, int32_t n_locals, fl_err *err)
{
    fl_status st = FL_OK;
    fl_exec *exec = right->pairs.exec;
    fl_stretched_rows *stores = NULL;
    int32_t n_stores = 0;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_locals + 1, &stores, err));
    for (int32_t w = 0; w < n_locals; w++)
        if (locals[w] != NULL)
            stores[n_stores++] = (fl_stretched_rows){&locals[w]->store, &locals[w]->stretches};
    FL_TRY(fl_alloc(exec->context.memory, right->n_rows * 8 + 8, (void **)&right->rows, err));
    FL_TRY(fl_alloc(exec->context.memory, right->n_rows * 8 + 8, (void **)&right->words, err));
    FL_TRY(fl_stretches_gather(exec, stores, n_stores, right->rows, NULL, err));
    FL_TRY(fl_exec_parallel(exec, (int32_t)((right->n_rows + CHECK_ROWS - 1) / CHECK_ROWS), gather_words, right, err));
    if (atomic_load(&right->is_disordered))
        st = fl_merge_fail_disordered(right, 1, err);
cleanup:
    return st;
}

static fl_status list_pages(fl_merge_right *right, right_local *const *locals, int32_t n_locals, fl_err *err)
{
    fl_status st = FL_OK;
    fl_exec *exec = right->pairs.exec;
    fl_spilled_stretches **parts = NULL;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_locals + 1, &parts, err));
    for (int32_t w = 0; w < n_locals; w++) {
        if (locals[w] == NULL)
            continue;
        FL_TRY(write_rows(right, locals[w], exec->finisher, err));
        parts[n++] = &locals[w]->spilled;
    }
    FL_TRY(fl_ordered_pages_gather(exec, parts, n, &right->pages, err));
    FL_ASSERT(right->pages.rows.rows == right->n_rows);
cleanup:
    return st;
}

static fl_status right_finish(fl_stage *base, void *const *ptrs, int32_t n_locals, fl_err *err)
{
    fl_merge_right *right = (fl_merge_right *)base;
    right_local *const *locals = (right_local *const *)ptrs;
    for (int32_t w = 0; w < n_locals; w++) {
        right_local *local = locals[w];
        if (local == NULL)
            continue;
        right->n_rows += local->store.rows + local->spilled.rows.rows;
        right->pairs.has_null_key |= local->has_null_key;
        right->is_spilled |= local->spilled.n > 0;
        fl_spill_ended(&local->holder); /* its rows stay, or are written now */
    }
    right->pairs.build_rows = right->n_rows;
    right->is_spilled |= right->can_spill && right->n_rows > 0 &&
                         !fl_spill_has_room(right->pairs.exec, right->n_rows * LISTED_ROW_BYTES, FL_SPILL_FREE_PART);
    return right->is_spilled ? list_pages(right, locals, n_locals, err) : list_rows(right, locals, n_locals, err);
}

static void right_free(fl_stage *base)
{
    fl_merge_right *right = (fl_merge_right *)base;
    fl_free(right->rows);
    fl_free(right->words);
    fl_ordered_pages_drop(&right->pages);
}

static const fl_stage_ops right_ops = {.what = "the right side of the merge join",
                                       .local_new = right_local_new,
                                       .push = right_push,
                                       .finish = right_finish,
                                       .local_free = right_local_free,
                                       .free = right_free};

fl_status fl_merge_right_plan(fl_exec *exec, const fl_node *node, fl_merge_right **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_attrs *attrs = fl_join_of(node);
    FL_TRY(fl_exec_add_stage(exec, &right_ops, (int64_t)sizeof(**ret), NULL, NULL, ret, err));
    FL_TRY(fl_join_pairs_plan(exec, node, (attrs->n_order - 1) * 8, &(*ret)->pairs, err));
    (*ret)->order = attrs->order;
    (*ret)->can_spill = fl_spill_is_possible(exec);
cleanup:
    return st;
}

/* ---- windows ------------------------------------------------------------------------------------------------------ */

void fl_merge_window_open(fl_merge_window *window, const fl_merge_right *right)
{
    if (!right->is_spilled) {
        window->end = right->n_rows;
        window->rows = right->rows;
        window->words = right->words;
    }
}

static void drop_page(struct fl_merge_page *loaded)
{
    if (loaded->number == 0)
        return;
    fl_row_page_drop(&loaded->page);
    fl_arena_drop(&loaded->heap);
    fl_free(loaded->words);
    *loaded = (struct fl_merge_page){0};
}

void fl_merge_window_drop(fl_merge_window *window)
{
    for (int32_t i = 0; i < FL_MERGE_WINDOW_PAGES; i++)
        drop_page(&window->loaded[i]);
}

static fl_status load_page(struct fl_merge_page *loaded, const fl_merge_right *right, int64_t p, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_spilled_rows *from = &right->pages.rows;
    fl_memory *memory = right->pairs.exec->context.memory;
    bool is_disordered = false;
    drop_page(loaded);
    fl_arena_init(&loaded->heap, memory);
    loaded->number = p + 1;
    if (p + 1 < from->n_pages)
        fl_spill_file_prefetch(from->file, &from->pages[p + 1].block);
    FL_TRY(fl_spilled_rows_read(from, p, &loaded->heap, &loaded->page, err));
    FL_TRY(fl_alloc(memory, loaded->page.n * 8 + 8, (void **)&loaded->words, err));
    uint64_t before = p > 0 ? from->pages[p - 1].head : 0;
    for (int64_t i = 0; i < loaded->page.n; i++) {
        uint64_t word = *(const uint64_t *)loaded->page.rows[i];
        is_disordered |= word < before;
        loaded->words[i] = before = word;
    }
    if (is_disordered || (p + 1 < from->n_pages && from->pages[p + 1].head < before))
        st = fl_merge_fail_disordered(right, 1, err);
cleanup:
    if (st != FL_OK)
        drop_page(loaded);
    return st;
}

static int64_t page_of(const fl_merge_right *right, int64_t row)
{
    int64_t low = 0, high = right->pages.rows.n_pages; /* it begins with page `low` or later, before page `high` */
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (right->pages.starts[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

fl_status fl_merge_window_move(fl_merge_window *window, const fl_merge_right *right, int64_t row, fl_err *err)
{
    FL_ASSERT(right->is_spilled && row >= 0 && row < right->n_rows);
    fl_status st = FL_OK;
    int64_t p = page_of(right, row);
    struct fl_merge_page *loaded = &window->loaded[p % FL_MERGE_WINDOW_PAGES];
    if (loaded->number != p + 1) {
        const fl_spilled_page *page = &right->pages.rows.pages[p];
        if (!fl_spill_has_room(right->pairs.exec, page->block.raw_bytes + page->rows * 8, WINDOW_FREE_PART))
            fl_merge_window_drop(window);
        st = load_page(loaded, right, p, err);
        if (st == FL_ERR_MEMORY) { /* with no other page beside it */
            fl_merge_window_drop(window);
            st = load_page(loaded, right, p, err);
        }
    }
    window->from = right->pages.starts[p];
    window->end = st == FL_OK ? right->pages.starts[p + 1] : window->from;
    window->rows = loaded->page.rows;
    window->words = loaded->words;
    FL_ASSERT(st != FL_OK || fl_merge_window_has(window, row));
    return st;
}

int64_t fl_merge_window_skip(const fl_merge_right *right, int64_t row, uint64_t word)
{
    int64_t low = page_of(right, row), high = right->pages.rows.n_pages, first = low;
    while (high - low > 1) { /* page `low` is the first one, or begins before the word */
        int64_t middle = low + (high - low) / 2;
        if (right->pages.rows.pages[middle].head < word)
            low = middle;
        else
            high = middle;
    }
    return low == first ? row : right->pages.starts[low];
}
