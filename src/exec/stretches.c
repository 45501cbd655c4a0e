/* Rows of several workers in the order in which they came. */
#include "exec/stretches.h"

static bool is_earlier(const fl_stretch *a, const fl_stretch *b)
{
    return a->pipeline != b->pipeline ? a->pipeline < b->pipeline : a->morsel < b->morsel;
}

fl_status fl_stretches_add(fl_stretches *stretches, const fl_worker *worker, int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    if (!fl_stretches_go_on(stretches, worker)) {
        FL_TRY(fl_grow(worker->exec->context.memory, (void **)&stretches->items, &stretches->capacity, stretches->n + 1,
                       (int64_t)sizeof(*stretches->items), err));
        FL_ASSERT(stretches->n == 0 ||
                  is_earlier(&stretches->items[stretches->n - 1], &(fl_stretch){worker->pipeline, worker->morsel, 0}));
        stretches->items[stretches->n++] = (fl_stretch){.pipeline = worker->pipeline, .morsel = worker->morsel};
    }
    stretches->items[stretches->n - 1].n_rows += count;
cleanup:
    return st;
}

void fl_stretches_drop(fl_stretches *stretches)
{
    fl_free(stretches->items);
    *stretches = (fl_stretches){0};
}

/* Where a store is read on. */
typedef struct cursor {
    const fl_stretched_rows *from;
    int64_t next; /* stretch */
    fl_row_cursor rows;
} cursor;

static const fl_stretch *next_of(const cursor *c)
{
    return &c->from->stretches->items[c->next];
}

fl_status fl_stretches_gather(fl_exec *exec, const fl_stretched_rows *stores, int32_t n_stores, uint8_t **ret_rows,
                              int64_t *ret_starts, fl_err *err)
{
    fl_status st = FL_OK;
    cursor *cursors = NULL;
    int64_t n = 0, n_stretches = 0;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_stores + 1, &cursors, err));
    for (int32_t s = 0; s < n_stores; s++)
        cursors[s] = (cursor){.from = &stores[s], .rows = {stores[s].store, stores[s].store->first, 0}};
    for (;;) {
        cursor *first = NULL;
        for (int32_t s = 0; s < n_stores; s++)
            if (cursors[s].next < stores[s].stretches->n &&
                (first == NULL || is_earlier(next_of(&cursors[s]), next_of(first))))
                first = &cursors[s];
        if (first == NULL)
            break;
        FL_TRY(fl_exec_check(exec, err));
        if (ret_starts != NULL)
            ret_starts[n_stretches++] = n;
        for (int64_t left = first->from->stretches->items[first->next++].n_rows; left > 0; left--)
            ret_rows[n++] = fl_row_cursor_next(&first->rows);
    }
    for (int32_t s = 0; s < n_stores; s++)
        n -= stores[s].store->rows;
    FL_ASSERT(n == 0); /* stretches tell all rows */
cleanup:
    return st;
}
