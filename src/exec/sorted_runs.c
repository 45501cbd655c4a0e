/* Writing runs, and merging them with a tree of losers (Knuth, The Art of Computer Programming 3, 5.4.1). */
#include "exec/sorted_runs.h"

#include "exec/spill.h"

#define WRITTEN_BYTES (192 << 10) /* of rows that become a page: less than what a page holds at the most */
#define PIVOT_BYTES_MAX 4096      /* a row with longer keys begins a page, but no range */
#define FAN_IN_MAX 256            /* runs merged at once */
#define RANGE_BYTES_MIN (1 << 20) /* ranges are no smaller */
#define RETIRED_BYTES_MIN \
    (64 << 10)          /* of pages whose rows were handed out, before the caller is asked to let go of them */
#define NESTED_WEIGHT 6 /* what nested values take in memory, by what they do in a page */
#define SHARE_BYTES_MIN (1 << 20) /* what a worker takes at the least */
#define MERGED_ROWS 16384         /* written at a time, where runs are merged to a run */

/* A row with its keys alone: other columns must not be looked at. */
typedef struct fl_run_pivot {
    int64_t block; /* that it begins */
    uint8_t *row;
} fl_run_pivot;

/* ---- order --------------------------------------------------------------------------------------------------------- */

static int compare_places(const uint8_t *a, const uint8_t *b)
{
    uint64_t x = fl_row_hash(a), y = fl_row_hash(b);
    return (x > y) - (x < y);
}

static int compare(const fl_sorted_runs *runs, const uint8_t *a, const uint8_t *b)
{
    int order = fl_sort_compare(runs->layout, runs->columns, runs->n_columns, a, b);
    return order != 0 ? order : compare_places(a, b);
}

/* The first of the rows [at, n) that is not below `bound`; n: there is none. */
static int64_t lower_bound(const fl_sorted_runs *runs, uint8_t *const *rows, int64_t at, int64_t n,
                           const uint8_t *bound)
{
    while (at < n) {
        int64_t middle = at + (n - at) / 2;
        if (compare(runs, rows[middle], bound) < 0)
            at = middle + 1;
        else
            n = middle;
    }
    return at;
}

#if defined(FLETCH_SLOW_ASSERTS)
/* What is wrong with rows from `low` on, below `high` (NULL: no bound); NULL: nothing is. */
static const char *rows_fault(const fl_sorted_runs *runs, uint8_t *const *rows, int64_t n, const uint8_t *low,
                              const uint8_t *high)
{
    for (int64_t i = 1; i < n; i++)
        if (compare(runs, rows[i - 1], rows[i]) > 0)
            return "rows of a run are not in its order";
    if (n > 0 && low != NULL && compare(runs, low, rows[0]) > 0)
        return "a row stands before its range";
    if (n > 0 && high != NULL && compare(runs, rows[n - 1], high) >= 0)
        return "a row stands behind its range";
    return NULL;
}
#endif

/* ---- runs ---------------------------------------------------------------------------------------------------------- */

void fl_sorted_runs_init(fl_sorted_runs *runs, fl_exec *exec, const fl_row_layout *layout,
                         const fl_sort_column *columns, int32_t n_columns)
{
    *runs = (fl_sorted_runs){.exec = exec, .layout = layout, .columns = columns, .n_columns = n_columns};
}

static void drop_run(fl_sorted_run *run)
{
    fl_spilled_rows_drop(&run->rows);
    fl_arena_drop(&run->arena);
    fl_free(run->pivots);
    run->pivots = NULL;
    run->n_pivots = run->capacity = 0;
}

void fl_sorted_runs_drop(fl_sorted_runs *runs)
{
    for (int64_t i = 0; i < runs->n; i++)
        drop_run(&runs->items[i]);
    fl_free(runs->items);
    fl_free(runs->bounds);
    fl_sorted_runs_init(runs, runs->exec, runs->layout, runs->columns, runs->n_columns);
}

fl_status fl_sorted_runs_begin(fl_sorted_runs *runs, fl_err *err)
{
    /* lists of runs are small, and are made where no memory is left: not counted */
    fl_status st =
        fl_grow(NULL, (void **)&runs->items, &runs->capacity, runs->n + 1, (int64_t)sizeof(*runs->items), err);
    if (st != FL_OK)
        return st;
    fl_sorted_run *run = &runs->items[runs->n++];
    *run = (fl_sorted_run){0};
    fl_spilled_rows_init(&run->rows, runs->layout, NULL);
    fl_arena_init(&run->arena, runs->exec->context.memory);
    return FL_OK;
}

static int64_t text_bytes(const fl_row_layout *layout, int32_t col, const uint8_t *row)
{
    fl_view view;
    if (!fl_type_is_string(layout->types[col]) || fl_row_is_null(layout, row, col))
        return 0;
    memcpy(&view, row + layout->offsets[col], 16);
    return view.len > FL_VIEW_INLINE_MAX ? view.len : 0;
}

/* About what a row takes in a page. */
static int64_t row_bytes(const fl_row_layout *layout, const uint8_t *row)
{
    int64_t bytes = layout->bytes;
    for (int32_t c = 0; c < layout->n_cols; c++)
        bytes += text_bytes(layout, c, row);
    return bytes;
}

static fl_status copy_key(const fl_row_layout *layout, int32_t col, uint8_t *row, fl_arena *arena, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t *at = row + layout->offsets[col];
    if (fl_row_is_null(layout, row, col))
        return FL_OK;
    if (text_bytes(layout, col, row) > 0) {
        fl_view view;
        char *copy = NULL;
        memcpy(&view, at, 16);
        FL_TRY(fl_arena_get(arena, view.len, (void **)&copy, err));
        memcpy(copy, view.ptr, view.len);
        view.ptr = copy;
        memcpy(at, &view, 16);
    } else if (fl_type_is_nested(layout->types[col])) {
        const fl_value *value;
        fl_value *copy = NULL;
        memcpy(&value, at, 8);
        FL_TRY(FL_NEW(arena, &copy, err));
        FL_TRY(fl_value_copy(arena, value, copy, err));
        memcpy(at, &copy, 8);
    }
cleanup:
    return st;
}

static fl_status add_pivot(const fl_sorted_runs *runs, fl_sorted_run *run, const uint8_t *row, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t *copy = NULL;
    int64_t bytes = runs->layout->bytes;
    fl_memory *memory = runs->exec->context.memory;
    for (int32_t k = 0; k < runs->n_columns; k++)
        bytes += text_bytes(runs->layout, runs->columns[k].col, row);
    if (bytes > PIVOT_BYTES_MAX)
        return FL_OK;
    FL_TRY(
        fl_grow(memory, (void **)&run->pivots, &run->capacity, run->n_pivots + 1, (int64_t)sizeof(*run->pivots), err));
    FL_TRY(fl_arena_get(&run->arena, runs->layout->bytes, (void **)&copy, err));
    memcpy(copy, row, (size_t)runs->layout->bytes);
    for (int32_t k = 0; k < runs->n_columns; k++)
        FL_TRY(copy_key(runs->layout, runs->columns[k].col, copy, &run->arena, err));
    run->pivots[run->n_pivots++] = (fl_run_pivot){run->rows.n_pages, copy};
cleanup:
    return st == FL_ERR_MEMORY ? FL_OK : st; /* one fewer: merging finds its way all the same */
}

fl_status fl_sorted_runs_append(fl_sorted_runs *runs, uint8_t *const *rows, int64_t n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_spill_file *file = NULL;
    FL_ASSERT(runs->n > 0 && runs->n_ranges == 0); /* ranges are of all that is written */
    FL_ASSERT_NO_FAULT(rows_fault(runs, rows, n, NULL, NULL));
    fl_sorted_run *run = &runs->items[runs->n - 1];
    FL_TRY(fl_spill_get_file(runs->exec, &file, err));
    for (int64_t start = 0, end = 0; start < n; start = end) {
        for (int64_t bytes = 0; end < n && bytes < WRITTEN_BYTES; end++)
            bytes += row_bytes(runs->layout, rows[end]);
        FL_TRY(add_pivot(runs, run, rows[start], err));
        FL_TRY(fl_spilled_rows_add(&run->rows, file, rows + start, end - start, err));
    }
cleanup:
    return st;
}

fl_status fl_sorted_runs_add(fl_sorted_runs *runs, uint8_t *const *rows, int64_t n, fl_err *err)
{
    fl_status st = fl_sorted_runs_begin(runs, err);
    return st == FL_OK ? fl_sorted_runs_append(runs, rows, n, err) : st;
}

fl_status fl_sorted_runs_take(fl_sorted_runs *runs, fl_sorted_runs *from, fl_err *err)
{
    fl_status st = FL_OK;
    FL_ASSERT(runs->layout == from->layout && runs->n_ranges == 0 && from->n_ranges == 0);
    if (from->n == 0)
        return FL_OK;
    FL_TRY(
        fl_grow(NULL, (void **)&runs->items, &runs->capacity, runs->n + from->n, (int64_t)sizeof(*runs->items), err));
    memcpy(runs->items + runs->n, from->items, (size_t)from->n * sizeof(*runs->items));
    runs->n += from->n;
    from->n = 0;
cleanup:
    return st;
}

int64_t fl_sorted_runs_bytes(const fl_sorted_runs *runs)
{
    int64_t bytes = 0;
    for (int64_t i = 0; i < runs->n; i++)
        bytes += runs->items[i].rows.bytes;
    return bytes;
}

/* ---- merging ------------------------------------------------------------------------------------------------------- */

typedef struct page {
    struct page *next;
    fl_row_page rows;
    fl_arena heap;
} page;

/* Where a run is read. */
typedef struct cursor {
    const fl_sorted_run *run;
    int64_t next_block;
    page *page; /* NULL: behind the last */
    int64_t at;
    int64_t end;  /* rows of the page that are of the range */
    bool is_cut;  /* the range ends in the page */
    bool is_done; /* no row of the range is left */
    fl_sort_head head;
} cursor;

struct fl_run_merger {
    const fl_sorted_runs *runs;
    fl_memory *memory;
    cursor *cursors;
    int32_t
        *losers; /* [0]: who won; [i]: who lost at node i, whose children are nodes 2i and 2i + 1, from n on cursors */
    int32_t n;
    int32_t n_told;       /* columns that a head tells all of */
    int64_t next_range;   /* the cursors stand at its beginning */
    const uint8_t *bound; /* the range's end; NULL: that of the runs */
    page *retired;
    int64_t retired_bytes, retired_max;
};

static void free_page(page *p)
{
    fl_row_page_drop(&p->rows);
    fl_arena_drop(&p->heap);
    fl_free(p);
}

static void drop_retired(fl_run_merger *m)
{
    while (m->retired != NULL) {
        page *next = m->retired->next;
        free_page(m->retired);
        m->retired = next;
    }
    m->retired_bytes = 0;
}

void fl_run_merger_free(fl_run_merger *m)
{
    if (m == NULL)
        return;
    drop_retired(m);
    for (int32_t i = 0; m->cursors != NULL && i < m->n; i++)
        if (m->cursors[i].page != NULL)
            free_page(m->cursors[i].page);
    fl_free(m->cursors);
    fl_free(m->losers);
    fl_free(m);
}

static int64_t share_of(const fl_sorted_runs *runs)
{
    int64_t share = fl_spill_share(runs->exec);
    return share < SHARE_BYTES_MIN ? SHARE_BYTES_MIN : share;
}

static fl_status merger_new(const fl_sorted_runs *runs, int64_t first, int64_t n, fl_run_merger **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_run_merger *m = NULL;
    fl_memory *memory = runs->exec->context.memory;
    FL_ASSERT(n > 0 && n < INT32_MAX);
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*m), (void **)&m, err));
    m->runs = runs;
    m->memory = memory;
    m->n = (int32_t)n;
    m->next_range = -1;
    m->retired_max = share_of(runs) / 8 < RETIRED_BYTES_MIN ? RETIRED_BYTES_MIN : share_of(runs) / 8;
    m->n_told = runs->n_columns > 0 && fl_sort_head_decides(runs->layout->types[runs->columns[0].col]);
    FL_TRY(fl_alloc_zero(memory, n * (int64_t)sizeof(*m->cursors), (void **)&m->cursors, err));
    FL_TRY(fl_alloc_zero(memory, n * (int64_t)sizeof(*m->losers), (void **)&m->losers, err));
    for (int64_t i = 0; i < n; i++)
        m->cursors[i].run = &runs->items[first + i];
    *ret = m;
    m = NULL;
cleanup:
    fl_run_merger_free(m);
    return st;
}

fl_status fl_run_merger_new(const fl_sorted_runs *runs, fl_run_merger **ret, fl_err *err)
{
    return merger_new(runs, 0, runs->n, ret, err);
}

static void read_head(const fl_run_merger *m, cursor *c)
{
    if (m->runs->n_columns > 0)
        c->head = fl_sort_head_of(m->runs->layout, &m->runs->columns[0], c->page->rows.rows[c->at]);
}

/* How far the page's rows from `at` on are of the range. */
static void enter_page(const fl_run_merger *m, cursor *c)
{
    uint8_t *const *rows = c->page->rows.rows;
    int64_t n = c->page->rows.n;
    c->is_cut = m->bound != NULL && (c->at == n || compare(m->runs, rows[n - 1], m->bound) >= 0);
    c->end = c->is_cut ? lower_bound(m->runs, rows, c->at, n, m->bound) : n;
    c->is_done = c->at >= c->end;
    if (!c->is_done)
        read_head(m, c);
}

/* Reads the next page of the run; there may be none. The one before is let go. */
static fl_status load_page(fl_run_merger *m, cursor *c, fl_err *err)
{
    fl_status st = FL_OK;
    page *p = NULL;
    const fl_spilled_rows *rows = &c->run->rows;
    if (c->page != NULL) {
        c->page->next = m->retired;
        m->retired = c->page;
        m->retired_bytes += c->page->rows.bytes + c->page->heap.bytes;
        c->page = NULL;
    }
    c->at = c->end = 0;
    c->is_done = true;
    if (c->next_block == rows->n_pages)
        return FL_OK;
    FL_TRY(fl_alloc_zero(m->memory, (int64_t)sizeof(*p), (void **)&p, err));
    fl_arena_init(&p->heap, m->memory);
    FL_TRY(fl_spilled_rows_read(rows, c->next_block, &p->heap, &p->rows, err));
    c->page = p;
    p = NULL;
    if (++c->next_block < rows->n_pages)
        fl_spill_file_prefetch(rows->file, &rows->pages[c->next_block].block);
cleanup:
    if (p != NULL)
        free_page(p);
    return st;
}

/* Whether the row of a comes in front of that of b. */
static bool is_before(const fl_run_merger *m, int32_t a, int32_t b)
{
    const cursor *x = &m->cursors[a], *y = &m->cursors[b];
    const fl_sorted_runs *runs = m->runs;
    if (x->is_done || y->is_done)
        return y->is_done && (!x->is_done || a < b);
    if (x->head.rank != y->head.rank)
        return x->head.rank < y->head.rank;
    if (x->head.word != y->head.word)
        return x->head.word < y->head.word;
    const uint8_t *row_x = x->page->rows.rows[x->at], *row_y = y->page->rows.rows[y->at];
    int order = 0;
    if (m->n_told < runs->n_columns)
        order = fl_sort_compare(runs->layout, runs->columns + m->n_told, runs->n_columns - m->n_told, row_x, row_y);
    if (order == 0)
        order = compare_places(row_x, row_y);
    return order != 0 ? order < 0 : a < b;
}

/* Plays from a cursor's leaf to the root. */
static void play(fl_run_merger *m, int32_t winner)
{
    for (int32_t node = (winner + m->n) / 2; node > 0; node /= 2) {
        int32_t other = m->losers[node];
        if (other < 0) { /* while the tree is made: the other has not come yet */
            m->losers[node] = winner;
            return;
        }
        if (is_before(m, other, winner)) {
            m->losers[node] = winner;
            winner = other;
        }
    }
    m->losers[0] = winner;
}

/* The page that a bound is in, or an earlier one. */
static int64_t find_block(const fl_sorted_runs *runs, const fl_sorted_run *run, const uint8_t *bound)
{
    int64_t low = 0, left = run->n_pivots; /* pivots below the bound */
    while (left > 0) {
        int64_t half = left / 2;
        bool is_below = compare(runs, run->pivots[low + half].row, bound) < 0;
        low = is_below ? low + half + 1 : low;
        left = is_below ? left - half - 1 : half;
    }
    return low == 0 ? 0 : run->pivots[low - 1].block;
}

static fl_status seek_cursor(fl_run_merger *m, cursor *c, const uint8_t *start, fl_err *err)
{
    fl_status st = FL_OK;
    if (c->page != NULL)
        free_page(c->page);
    c->page = NULL;
    c->next_block = start == NULL ? 0 : find_block(m->runs, c->run, start);
    do {
        FL_TRY(load_page(m, c, err));
        if (c->page != NULL && start != NULL)
            c->at = lower_bound(m->runs, c->page->rows.rows, 0, c->page->rows.n, start);
        drop_retired(m);
    } while (c->page != NULL && c->at == c->page->rows.n);
cleanup:
    return st;
}

fl_status fl_run_merger_seek(fl_run_merger *m, int64_t range, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_sorted_runs *runs = m->runs;
    bool goes_on = m->next_range == range;
    FL_ASSERT(range >= 0 && range < (runs->n_ranges > 0 ? runs->n_ranges : 1));
    m->next_range = -1;
    drop_retired(m);
    m->bound = range + 1 < runs->n_ranges ? runs->bounds[range] : NULL;
    for (int32_t i = 0; i < m->n; i++) {
        cursor *c = &m->cursors[i];
        if (!goes_on)
            FL_TRY(seek_cursor(m, c, range == 0 ? NULL : runs->bounds[range - 1], err));
        if (c->page != NULL)
            enter_page(m, c);
    }
    for (int32_t i = 0; i < m->n; i++)
        m->losers[i] = -1;
    for (int32_t i = 0; i < m->n; i++)
        play(m, i);
    m->next_range = range + 1;
cleanup:
    return st;
}

fl_status fl_run_merger_next(fl_run_merger *m, int32_t rows_max, uint8_t **rows, int32_t *ret_n, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n = 0;
    drop_retired(m);
    while (n < rows_max && m->retired_bytes < m->retired_max) {
        int32_t winner = m->losers[0];
        cursor *c = &m->cursors[winner];
        if (c->is_done)
            break;
        rows[n++] = c->page->rows.rows[c->at++];
        if (c->at < c->end) {
            read_head(m, c);
        } else if (c->is_cut) {
            c->is_done = true;
        } else {
            FL_TRY(load_page(m, c, err));
            if (c->page != NULL)
                enter_page(m, c);
        }
        play(m, winner);
    }
    *ret_n = n;
    FL_ASSERT_NO_FAULT(
        rows_fault(m->runs, rows, n, m->next_range > 1 ? m->runs->bounds[m->next_range - 2] : NULL, m->bound));
cleanup:
    return st;
}

void fl_run_reader_drop(fl_run_reader *reader)
{
    fl_run_merger_free(reader->merger);
    fl_free(reader->rows);
    *reader = (fl_run_reader){0};
}

fl_status fl_run_reader_next(fl_run_reader *reader, const fl_sorted_runs *runs, _Atomic int64_t *next_range,
                             fl_worker *worker,
                             fl_status (*emit)(void *ctx, fl_worker *worker, uint8_t **rows, int32_t n, fl_err *err),
                             void *ctx, bool *ret_any, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n = 0, rows_max = worker->exec->context.session->vector_rows;
    worker->morsel = atomic_fetch_add(next_range, 1);
    *ret_any = worker->morsel < runs->n_ranges;
    if (!*ret_any)
        return FL_OK;
    if (reader->rows == NULL)
        FL_TRY(fl_alloc(runs->exec->context.memory, rows_max * (int64_t)sizeof(*reader->rows), (void **)&reader->rows,
                        err));
    if (reader->merger == NULL)
        FL_TRY(fl_run_merger_new(runs, &reader->merger, err));
    FL_TRY(fl_run_merger_seek(reader->merger, worker->morsel, err));
    for (;;) {
        FL_TRY(fl_run_merger_next(reader->merger, rows_max, reader->rows, &n, err));
        if (n == 0)
            break;
        FL_TRY(emit(ctx, worker, reader->rows, n, err));
    }
    if (atomic_load(next_range) >= runs->n_ranges) /* it will not be asked for more, perhaps */
        fl_run_reader_drop(reader);
cleanup:
    return st;
}

/* ---- fewer runs ---------------------------------------------------------------------------------------------------- */

/* What a page of the runs takes in memory at the most. */
static int64_t page_bytes(const fl_sorted_runs *runs)
{
    int64_t most = WRITTEN_BYTES;
    for (int64_t i = 0; i < runs->n; i++)
        for (int64_t b = 0; b < runs->items[i].rows.n_pages; b++)
            if (runs->items[i].rows.pages[b].block.raw_bytes > most)
                most = runs->items[i].rows.pages[b].block.raw_bytes;
    for (int32_t c = 0; c < runs->layout->n_cols; c++)
        if (fl_type_is_nested(runs->layout->types[c]))
            return most * NESTED_WEIGHT;
    return most + most / 8; /* the list of its rows */
}

/* Runs beside each other that become one. */
typedef struct group {
    fl_sorted_runs *runs;
    int64_t first, n;
    fl_sorted_runs made;
} group;

/* For fl_exec_parallel. */
static fl_status merge_group(void *ctx, int32_t i, fl_err *err)
{
    fl_status st = FL_OK;
    group *g = &((group *)ctx)[i];
    fl_run_merger *merger = NULL;
    uint8_t **rows = NULL;
    int32_t n = 0;
    FL_TRY(fl_alloc(g->runs->exec->context.memory, MERGED_ROWS * (int64_t)sizeof(*rows), (void **)&rows, err));
    FL_TRY(merger_new(g->runs, g->first, g->n, &merger, err));
    FL_TRY(fl_run_merger_seek(merger, 0, err));
    FL_TRY(fl_sorted_runs_begin(&g->made, err));
    do {
        FL_TRY(fl_run_merger_next(merger, MERGED_ROWS, rows, &n, err));
        FL_TRY(fl_sorted_runs_append(&g->made, rows, n, err));
    } while (n > 0);
    int64_t n_rows = 0;
    for (int64_t r = 0; r < g->n; r++)
        n_rows += g->runs->items[g->first + r].rows.rows;
    FL_ASSERT(g->made.items[0].rows.rows == n_rows);
    for (int64_t r = 0; r < g->n; r++)
        drop_run(&g->runs->items[g->first + r]);
cleanup:
    fl_run_merger_free(merger);
    fl_free(rows);
    return st;
}

/* As many groups as make the runs few enough, if one round does. */
static int64_t choose_groups(fl_sorted_runs *runs, int64_t fan_in, group *groups)
{
    int64_t n = 0, over = runs->n - fan_in;
    for (int64_t at = 0; over > 0 && at + 1 < runs->n; n++) {
        int64_t size = over + 1 < fan_in ? over + 1 : fan_in;
        size = size < runs->n - at ? size : runs->n - at;
        groups[n] = (group){.runs = runs, .first = at, .n = size};
        fl_sorted_runs_init(&groups[n].made, runs->exec, runs->layout, runs->columns, runs->n_columns);
        at += size;
        over -= size - 1;
    }
    return n;
}

static fl_status merge_round(fl_sorted_runs *runs, int64_t fan_in, const fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    group *groups = NULL;
    int64_t n_groups = 0, bytes = 0, kept = 0;
    FL_TRY(fl_alloc_zero(NULL, runs->n * (int64_t)sizeof(*groups), (void **)&groups, err));
    n_groups = choose_groups(runs, fan_in, groups);
    FL_TRY(fl_exec_parallel(runs->exec, (int32_t)n_groups, merge_group, groups, err));
    for (int64_t g = 0; g < n_groups; g++) { /* a group's run takes the place of its first */
        bytes += fl_sorted_runs_bytes(&groups[g].made);
        runs->items[kept++] = groups[g].made.items[0];
        groups[g].made.n = 0;
    }
    int64_t rest = groups[n_groups - 1].first + groups[n_groups - 1].n;
    memmove(runs->items + kept, runs->items + rest, (size_t)(runs->n - rest) * sizeof(*runs->items));
    runs->n = kept + runs->n - rest;
    fl_spill_count(runs->exec->finisher, node, bytes, n_groups);
cleanup:
    for (int64_t g = 0; g < n_groups; g++)
        fl_sorted_runs_drop(&groups[g].made);
    fl_free(groups);
    return st;
}

/* ---- ranges -------------------------------------------------------------------------------------------------------- */

/* Pivots of all runs in their order, of which every few are bounds. */
static fl_status choose_ranges(fl_sorted_runs *runs, int64_t n_pivots, int64_t n_ranges, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t *next = NULL;
    int64_t done = 0;
    fl_memory *memory = runs->exec->context.memory;
    FL_TRY(fl_alloc_zero(memory, runs->n * (int64_t)sizeof(*next), (void **)&next, err));
    FL_TRY(fl_alloc(memory, n_ranges * (int64_t)sizeof(*runs->bounds), (void **)&runs->bounds, err));
    for (int64_t range = 1; range < n_ranges; range++) {
        const uint8_t *row = NULL;
        for (int64_t end = n_pivots * range / n_ranges; done <= end; done++) {
            int64_t first = -1;
            for (int64_t r = 0; r < runs->n; r++)
                if (next[r] < runs->items[r].n_pivots &&
                    (first < 0 ||
                     compare(runs, runs->items[r].pivots[next[r]].row, runs->items[first].pivots[next[first]].row) < 0))
                    first = r;
            FL_ASSERT(first >= 0); /* n_pivots is what all have */
            row = runs->items[first].pivots[next[first]++].row;
        }
        FL_TRY(fl_exec_check(runs->exec, err));
        runs->bounds[range - 1] = row;
    }
    runs->n_ranges = n_ranges;
cleanup:
    fl_free(next);
    return st;
}

fl_status fl_sorted_runs_finish(fl_sorted_runs *runs, const fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t share = share_of(runs), page = page_bytes(runs), n_pivots = 0;
    int64_t fan_in = share / 2 / page;
    FL_ASSERT(runs->n_ranges == 0);
    fan_in = fan_in < 2 ? 2 : fan_in > FAN_IN_MAX ? FAN_IN_MAX : fan_in;
    while (runs->n > fan_in)
        FL_TRY(merge_round(runs, fan_in, node, err));
    runs->n_ranges = 1;
    for (int64_t r = 0; r < runs->n; r++)
        n_pivots += runs->items[r].n_pivots;
    /* a range costs a page of each run, unless it is gone on with; its rows may wait for those of an earlier one */
    int64_t range_bytes = 4 * page * runs->n;
    range_bytes = range_bytes > share / 2 ? share / 2 : range_bytes;
    range_bytes = range_bytes < RANGE_BYTES_MIN ? RANGE_BYTES_MIN : range_bytes;
    int64_t n_ranges = fl_sorted_runs_bytes(runs) / range_bytes;
    n_ranges = n_ranges < n_pivots ? n_ranges : n_pivots;
    if (n_ranges > 1)
        st = choose_ranges(runs, n_pivots, n_ranges, err);
cleanup:
    return st;
}
