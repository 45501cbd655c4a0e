/* Groups of an ordered input that leave memory. A worker writes its groups as they are, in their order, and begins anew. When all are
 * written their pages have the order of the input (exec/spilled_stretches.h), and are put out some at a time: groups that are the
 * same lie side by side, or in one run, where one worker's morsel ended and the next one's began, or where one wrote in the middle of
 * a run. A run is put out by who has the pages that it begins in; so those who have the next ones leave out the groups of a run
 * that goes on from before.
 *
 * The groups of a single run must fit. */
#include "op/aggregate/run.h"

#define MORSEL_PAGES 8 /* one more is read to see where the first run goes on from before */

fl_status fl_aggregate_begin_runs(aggregate_stage *stage, aggregate_local *local, fl_err *err)
{
    const fl_session_state *session = stage->exec->context.session;
    fl_row_store_init(&local->groups.store, &stage->layout, stage->exec->context.memory);
    local->last = NULL;
    if (stage->n_ordered == stage->n_keys)
        return FL_OK;
    fl_run_groups_drop(&local->in_runs);
    return fl_run_groups_init(&local->in_runs, &local->groups.store, stage->n_ordered, stage->n_keys,
                              session->vector_rows, session->seed, err);
}

fl_status fl_aggregate_spill_runs(aggregate_stage *stage, aggregate_local *local, fl_worker *worker, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t before = local->spilled_runs.rows.bytes;
    FL_TRY(fl_spilled_stretches_write(&local->spilled_runs, stage->exec, &local->groups.store, &local->stretches, err));
    fl_row_store_drop(&local->groups.store);
    fl_spill_count(worker, stage->base.node, local->spilled_runs.rows.bytes - before, 0);
    st = fl_aggregate_begin_runs(stage, local, err);
cleanup:
    return st;
}

fl_status fl_aggregate_finish_runs(aggregate_stage *stage, aggregate_local *const *locals, int32_t n_locals,
                                   fl_err *err)
{
    fl_status st = FL_OK;
    fl_spilled_stretches **parts = NULL;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(&stage->exec->arena, n_locals + 1, &parts, err));
    for (int32_t w = 0; w < n_locals; w++) {
        if (locals[w] == NULL)
            continue;
        FL_TRY(fl_aggregate_spill_runs(stage, locals[w], stage->exec->finisher, err));
        parts[n++] = &locals[w]->spilled_runs;
    }
    st = fl_ordered_pages_gather(stage->exec, parts, n, &stage->pages, err);
cleanup:
    return st;
}

/* ---- coming back --------------------------------------------------------------------------------------------------- */

/* A page in memory. */
typedef struct loaded_page {
    fl_row_page page;
    fl_arena heap;
    int64_t end; /* behind its rows in the list */
} loaded_page;

/* Groups that are not put out yet: of pages side by side, from the front of which groups were put out. */
typedef struct open_groups {
    aggregate_stage *stage;
    loaded_page *pages;
    int64_t n_pages, pages_capacity;
    uint8_t **rows;
    int64_t n_rows, rows_capacity;
    int64_t *starts; /* where stretches begin among the rows; the first one is 0 */
    int64_t n_starts, starts_capacity;
} open_groups;

static void drop_pages(open_groups *open, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        fl_row_page_drop(&open->pages[i].page);
        fl_arena_drop(&open->pages[i].heap);
    }
    open->n_pages -= n;
    if (open->n_pages > 0)
        memmove(open->pages, open->pages + n, (size_t)open->n_pages * sizeof(*open->pages));
}

static void drop_open(open_groups *open)
{
    drop_pages(open, open->n_pages);
    fl_free(open->pages);
    fl_free(open->rows);
    fl_free(open->starts);
}

static bool is_same_run(const open_groups *open, const uint8_t *a, const uint8_t *b)
{
    return fl_rows_are_same(&open->stage->layout, open->stage->n_ordered, a, b);
}

/* Reads a page, whose rows are not in the list yet. */
static fl_status load(open_groups *open, int64_t p, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_spilled_rows *from = &open->stage->pages.rows;
    fl_memory *memory = open->stage->exec->context.memory;
    FL_TRY(fl_grow(memory, (void **)&open->pages, &open->pages_capacity, open->n_pages + 1,
                   (int64_t)sizeof(*open->pages), err));
    loaded_page *loaded = &open->pages[open->n_pages++];
    *loaded = (loaded_page){.end = open->n_rows};
    fl_arena_init(&loaded->heap, memory);
    if (p + 1 < from->n_pages)
        fl_spill_file_prefetch(from->file, &from->pages[p + 1].block);
    FL_TRY(fl_spilled_rows_read(from, p, &loaded->heap, &loaded->page, err));
cleanup:
    return st;
}

/* Lists n rows of the last page. */
static fl_status list(open_groups *open, int64_t p, uint8_t *const *rows, int64_t n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_memory *memory = open->stage->exec->context.memory;
    FL_TRY(fl_grow(memory, (void **)&open->rows, &open->rows_capacity, open->n_rows + n + 1,
                   (int64_t)sizeof(*open->rows), err));
    FL_TRY(fl_grow(memory, (void **)&open->starts, &open->starts_capacity, open->n_starts + 2,
                   (int64_t)sizeof(*open->starts), err));
    if (open->n_starts == 0 || fl_bit_get(open->stage->pages.begins, p))
        open->starts[open->n_starts++] = open->n_rows;
    if (n > 0)
        memcpy(open->rows + open->n_rows, rows, (size_t)n * sizeof(*rows));
    open->n_rows += n;
    open->pages[open->n_pages - 1].end = open->n_rows;
cleanup:
    return st;
}

/* Puts the first n groups out, which are whole runs. */
static fl_status put_out(open_groups *open, aggregate_source *source, fl_worker *worker, fl_stage *to, int64_t n,
                         fl_err *err)
{
    fl_status st = FL_OK;
    int32_t rows_max = worker->exec->context.session->vector_rows;
    int64_t n_starts = 0, kept = 0, n_pages = 0, left = 0;
    fl_arena heap;
    fl_arena_init(&heap, open->stage->exec->context.memory);
    if (n == 0)
        return FL_OK;
    FL_ASSERT(n <= open->n_rows && open->n_starts > 0 && open->starts[0] == 0);
    while (n_starts < open->n_starts && open->starts[n_starts] < n)
        n_starts++;
    int64_t next = n_starts < open->n_starts ? open->starts[n_starts] : n;
    open->starts[n_starts] = n; /* there is room for one more */
    FL_TRY(fl_aggregate_join_runs(open->stage, open->rows, open->starts, n_starts, &heap, &kept, err));
    for (int64_t at = 0; at < kept; at += rows_max)
        FL_TRY(fl_aggregate_emit(source, worker, to, open->rows + at,
                                 (int32_t)(kept - at < rows_max ? kept - at : rows_max), err));
    open->starts[n_starts] = next;
    for (int64_t s = n_starts; s < open->n_starts; s++)
        if (open->starts[s] > n)
            open->starts[1 + left++] = open->starts[s] - n;
    open->n_rows -= n;
    open->n_starts = open->n_rows > 0 ? 1 + left : 0; /* what is left begins one, be it in the middle */
    memmove(open->rows, open->rows + n, (size_t)open->n_rows * sizeof(*open->rows));
    while (n_pages < open->n_pages && open->pages[n_pages].end <= n)
        n_pages++;
    drop_pages(open, n_pages);
    for (int64_t i = 0; i < open->n_pages; i++)
        open->pages[i].end -= n;
cleanup:
    fl_arena_drop(&heap);
    return st;
}

/* Where the last run begins. */
static int64_t last_run(const open_groups *open)
{
    int64_t at = open->n_rows;
    while (at > 0 && is_same_run(open, open->rows[at - 1], open->rows[open->n_rows - 1]))
        at--;
    return at;
}

/* How many of the last page's rows go on with the run of a row. */
static int64_t count_run(const open_groups *open, const uint8_t *row)
{
    const fl_row_page *page = &open->pages[open->n_pages - 1].page;
    int64_t n = 0;
    while (n < page->n && is_same_run(open, row, page->rows[n]))
        n++;
    return n;
}

/* The groups of the runs that begin in the pages [from, end). */
static fl_status put_out_pages(open_groups *open, aggregate_source *source, fl_worker *worker, fl_stage *to,
                               int64_t from, int64_t end, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_spilled_rows *all = &open->stage->pages.rows;
    open_groups before = {.stage = open->stage};
    const uint8_t *last = NULL; /* of the run that goes on from before, until another one begins */
    if (from > 0) {
        FL_TRY(load(&before, from - 1, err));
        last = before.pages[0].page.rows[before.pages[0].page.n - 1];
    }
    for (int64_t p = from; p < all->n_pages && (p < end || open->n_rows > 0); p++) {
        FL_TRY(load(open, p, err));
        const fl_row_page *page = &open->pages[open->n_pages - 1].page;
        int64_t first = last != NULL ? count_run(open, last) : 0, n = page->n;
        last = first < n ? NULL : last;
        if (p >= end) /* the last run is at its end */
            n = count_run(open, open->rows[open->n_rows - 1]);
        FL_TRY(list(open, p, page->rows + first, n - first, err));
        if (n < page->n)
            break;
        FL_TRY(put_out(open, source, worker, to, last_run(open), err));
    }
    st = put_out(open, source, worker, to, open->n_rows, err);
cleanup:
    drop_open(&before);
    return st;
}

fl_status fl_aggregate_run_pages(aggregate_source *source, fl_worker *worker, fl_stage *to, bool *ret_any, fl_err *err)
{
    open_groups open = {.stage = source->stage};
    int64_t n = open.stage->pages.rows.n_pages, from = atomic_fetch_add(&source->next_row, MORSEL_PAGES);
    int64_t end = from + MORSEL_PAGES < n ? from + MORSEL_PAGES : n;
    worker->morsel = from / MORSEL_PAGES;
    *ret_any = from < n;
    fl_status st = *ret_any ? put_out_pages(&open, source, worker, to, from, end, err) : FL_OK;
    drop_open(&open);
    return st;
}
