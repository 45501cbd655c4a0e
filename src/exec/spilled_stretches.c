/* Pages that hold rows of one stretch each, and their order. */
#include "exec/spilled_stretches.h"

#include "exec/spill.h"

void fl_spilled_stretches_init(fl_spilled_stretches *spilled, const fl_row_layout *layout, const fl_row_states *states)
{
    *spilled = (fl_spilled_stretches){0};
    fl_spilled_rows_init(&spilled->rows, layout, states);
}

void fl_spilled_stretches_drop(fl_spilled_stretches *spilled)
{
    fl_spilled_rows_drop(&spilled->rows);
    fl_free(spilled->items);
    fl_spilled_stretches_init(spilled, spilled->rows.layout, spilled->rows.states);
}

fl_status fl_spilled_stretches_write(fl_spilled_stretches *spilled, fl_exec *exec, const fl_row_store *store,
                                     fl_stretches *stretches, fl_err *err)
{
    fl_status st = FL_OK;
    fl_spill_file *file = NULL;
    fl_row_cursor at = {.store = store, .block = store->first};
    int64_t n_rows = 0;
    if (stretches->n == 0)
        return FL_OK;
    FL_TRY(fl_spill_get_file(exec, &file, err));
    FL_TRY(fl_grow(NULL, (void **)&spilled->items, &spilled->capacity, spilled->n + stretches->n,
                   (int64_t)sizeof(*spilled->items), err));
    for (int64_t s = 0; s < stretches->n; s++) {
        int64_t before = spilled->rows.n_pages;
        n_rows += stretches->items[s].n_rows;
        FL_TRY(fl_spilled_rows_add_next(&spilled->rows, file, &at, stretches->items[s].n_rows, err));
        spilled->items[spilled->n++] = (fl_spilled_stretch){stretches->items[s], spilled->rows.n_pages - before};
    }
    FL_ASSERT(n_rows == store->rows);
    stretches->n = 0;
cleanup:
    return st;
}

/* A worker's next stretch. */
typedef struct cursor {
    fl_spilled_stretches *from;
    int64_t next, page;
} cursor;

static bool is_earlier(const cursor *a, const cursor *b)
{
    const fl_stretch *x = &a->from->items[a->next].of, *y = &b->from->items[b->next].of;
    return x->pipeline != y->pipeline ? x->pipeline < y->pipeline : x->morsel < y->morsel;
}

/* Moves the pages of the stretches that come first. A morsel is one worker's, and its pieces are in their order there. */
static fl_status move_pages(fl_exec *exec, cursor *cursors, int32_t n, fl_ordered_pages *ret, fl_err *err)
{
    for (;;) {
        cursor *first = NULL;
        for (int32_t w = 0; w < n; w++)
            if (cursors[w].next < cursors[w].from->n && (first == NULL || is_earlier(&cursors[w], first)))
                first = &cursors[w];
        if (first == NULL)
            return FL_OK;
        fl_status st = fl_exec_check(exec, err);
        if (st != FL_OK)
            return st;
        int64_t n_pages = first->from->items[first->next++].n_pages;
        fl_bit_set(ret->begins, ret->rows.n_pages);
        memcpy(ret->rows.pages + ret->rows.n_pages, first->from->rows.pages + first->page,
               (size_t)n_pages * sizeof(*ret->rows.pages));
        ret->rows.n_pages += n_pages;
        first->page += n_pages;
    }
}

fl_status fl_ordered_pages_gather(fl_exec *exec, fl_spilled_stretches *const *parts, int32_t n_parts,
                                  fl_ordered_pages *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_spilled_rows *rows = &ret->rows;
    cursor *cursors = NULL;
    int64_t n_pages = 0, n_rows = 0;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_parts + 1, &cursors, err));
    for (int32_t w = 0; w < n_parts; w++) {
        cursors[w].from = parts[w];
        n_pages += parts[w]->rows.n_pages;
    }
    FL_TRY(fl_grow(NULL, (void **)&rows->pages, &rows->capacity, n_pages + 1, (int64_t)sizeof(*rows->pages), err));
    FL_TRY(fl_arena_get(&exec->arena, (n_pages + 1) * 8, (void **)&ret->starts, err));
    FL_TRY(fl_arena_get_zero(&exec->arena, fl_bitmap_words(n_pages + 1) * 8, (void **)&ret->begins, err));
    for (int32_t w = 0; w < n_parts; w++) {
        rows->layout = parts[w]->rows.layout;
        rows->states = parts[w]->rows.states;
        rows->file = parts[w]->rows.file != NULL ? parts[w]->rows.file : rows->file;
        rows->rows += parts[w]->rows.rows;
        rows->bytes += parts[w]->rows.bytes;
    }
    FL_TRY(move_pages(exec, cursors, n_parts, ret, err));
    FL_ASSERT(rows->n_pages == n_pages);
    for (int64_t p = 0; p < n_pages; n_rows += rows->pages[p++].rows)
        ret->starts[p] = n_rows;
    ret->starts[n_pages] = n_rows;
    FL_ASSERT(n_rows == rows->rows);
    for (int32_t w = 0; w < n_parts; w++) {
        parts[w]->rows.n_pages = 0; /* they are given back with the others */
        fl_spilled_stretches_drop(parts[w]);
    }
    return FL_OK;
cleanup:
    rows->n_pages = 0; /* they are still the workers' */
    return st;
}

void fl_ordered_pages_drop(fl_ordered_pages *pages)
{
    fl_spilled_rows_drop(&pages->rows);
}
