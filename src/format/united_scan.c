/* Scans of united files: one file after the other, each by its own reader. */
#include "format/united_internal.h"

#define CHILD_MORSEL_BITS 24 /* of a morsel's number: its number in its file; the file's stands before it */

typedef struct child {
    fl_scan *scan;
    fl_scan_bounds *bounds;
    int32_t *slots;     /* of the child: ours; what its bounds are looked up by */
    int32_t *own_slots; /* ours: the child's, or FL_UNITED_CONSTANT */
} child;

typedef struct united_scan {
    fl_scan scan;
    fl_united *table;
    fl_memory *memory;
    fl_arena arena;
    const fl_scan_bounds *bounds;
    int32_t *cols; /* per slot: the table's column */
    int32_t n_slots;
    child *children;      /* per part */
    _Atomic int32_t part; /* whose morsels are claimed now */
} united_scan;

typedef struct united_worker {
    fl_scan_worker base;
    fl_memory *memory;
    int32_t part; /* of `child` */
    fl_scan_worker *child;
    int64_t done_before; /* of the child's scan, what was counted */
    int32_t rows;        /* of the batch */
    fl_arena converted;  /* its columns of other types */
} united_worker;

static void scan_free(fl_scan *base)
{
    united_scan *scan = (united_scan *)base;
    for (int32_t i = 0; i < scan->table->n_parts; i++) {
        if (scan->children[i].scan != NULL)
            scan->children[i].scan->ops->free(scan->children[i].scan);
        fl_scan_bounds_free(scan->children[i].bounds);
    }
    fl_arena_drop(&scan->arena);
    fl_table_unref(&scan->table->table);
    fl_free(scan);
}

static void leave_child(united_worker *w)
{
    if (w->child != NULL)
        w->child->scan->ops->worker_free(w->child);
    w->child = NULL;
}

static void worker_free(fl_scan_worker *base)
{
    united_worker *w = (united_worker *)base;
    leave_child(w);
    fl_arena_drop(&w->converted);
    fl_free(w);
}

static fl_status worker_new(fl_scan *base, fl_memory *memory, fl_scan_worker **ret, fl_err *err)
{
    united_worker *w = NULL;
    fl_status st = fl_alloc_zero(memory, (int64_t)sizeof(*w), (void **)&w, err);
    if (st != FL_OK)
        return st;
    w->base.scan = base;
    w->memory = memory;
    fl_arena_init(&w->converted, memory);
    *ret = &w->base;
    return FL_OK;
}

/* Whether the constants of a part may pass. */
static bool can_match(const united_scan *scan, int32_t number)
{
    const fl_united_part *p = &scan->table->parts[number];
    for (int32_t slot = 0; slot < scan->n_slots; slot++) {
        int32_t col = scan->cols[slot];
        const fl_value *value = &p->values[col];
        const fl_value *known_value = value->is_null ? NULL : value;
        if (p->cols[col] == FL_UNITED_CONSTANT &&
            !fl_scan_bounds_can_match(scan->bounds, slot, known_value, known_value, value->is_null))
            return false;
    }
    return true;
}

/* Morsels are claimed of one part after the other, by all workers; who finds a part at its end goes to the next, and takes the others
 * along. */
static fl_status claim(fl_scan_worker *base, bool *ret_any, int64_t *ret_morsel, fl_err *err)
{
    fl_status st = FL_OK;
    united_worker *w = (united_worker *)base;
    united_scan *scan = (united_scan *)base->scan;
    *ret_any = false;
    for (;;) {
        int32_t now = atomic_load(&scan->part), next = now;
        if (now >= scan->table->n_parts)
            return FL_OK;
        if (can_match(scan, now)) {
            int64_t morsel = 0;
            if (w->child == NULL || w->part != now) {
                fl_scan *of = scan->children[now].scan;
                leave_child(w);
                w->part = now;
                FL_TRY(of->ops->worker_new(of, w->memory, &w->child, err));
            }
            FL_TRY(w->child->scan->ops->claim(w->child, ret_any, &morsel, err));
            if (*ret_any) {
                FL_ASSERT(morsel >> CHILD_MORSEL_BITS == 0);
                *ret_morsel = ((int64_t)now << CHILD_MORSEL_BITS) + morsel;
                return FL_OK;
            }
        } else {
            atomic_fetch_add_explicit(&scan->scan.morsels_pruned, 1, memory_order_relaxed);
        }
        atomic_compare_exchange_strong(&scan->part, &next, now + 1);
    }
cleanup:
    return st;
}

static fl_status next(fl_scan_worker *base, int32_t *ret_rows, fl_err *err)
{
    united_worker *w = (united_worker *)base;
    FL_ASSERT(w->child != NULL);
    fl_status st = w->child->scan->ops->next(w->child, ret_rows, err);
    w->rows = *ret_rows;
    fl_arena_reset(&w->converted);
    base->mask = w->child->mask;
    base->work_bytes = w->child->work_bytes;
    if (st == FL_OK)
        atomic_fetch_add_explicit(&base->scan->rows_done, *ret_rows, memory_order_relaxed);
    return st;
}

static fl_status read(fl_scan_worker *base, int32_t slot, const uint64_t *mask, fl_vec *ret, fl_err *err)
{
    united_worker *w = (united_worker *)base;
    const united_scan *scan = (const united_scan *)base->scan;
    int32_t own = scan->children[w->part].own_slots[slot];
    if (own != FL_UNITED_CONSTANT && fl_united_is_converted(scan->table, w->part, scan->cols[slot])) {
        fl_vec vec;
        fl_status st = w->child->scan->ops->read(w->child, own, mask, &vec, err);
        fl_type type = scan->table->table.fields[scan->cols[slot]].type;
        return st != FL_OK ? st : fl_united_convert(&w->converted, &vec, w->rows, mask, type, ret, err);
    }
    if (own != FL_UNITED_CONSTANT)
        return w->child->scan->ops->read(w->child, own, mask, ret, err);
    *ret = scan->table->parts[w->part].constants[scan->cols[slot]];
    return FL_OK;
}

static void leave(fl_scan_worker *base)
{
    united_worker *w = (united_worker *)base;
    if (w->child != NULL && w->child->scan->ops->leave != NULL)
        w->child->scan->ops->leave(w->child);
}

static void place(const fl_scan *base, int64_t morsel, fl_text *text)
{
    const united_scan *scan = (const united_scan *)base;
    const fl_scan *of = scan->children[morsel >> CHILD_MORSEL_BITS].scan;
    if (of->ops->place != NULL)
        of->ops->place(of, morsel & ((1 << CHILD_MORSEL_BITS) - 1), text);
}

static const fl_scan_ops scan_ops = {.worker_new = worker_new,
                                     .worker_free = worker_free,
                                     .claim = claim,
                                     .next = next,
                                     .read = read,
                                     .leave = leave,
                                     .place = place,
                                     .free = scan_free};

static fl_status begin_child(united_scan *scan, int32_t number, const fl_scan_request *request, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_united_part *p = &scan->table->parts[number];
    child *c = &scan->children[number];
    int32_t *cols = NULL;
    fl_scan_request own = *request;
    FL_TRY(FL_NEW_ARRAY(&scan->arena, scan->n_slots + 1, &cols, err));
    FL_TRY(FL_NEW_ARRAY(&scan->arena, scan->n_slots + 1, &c->slots, err));
    FL_TRY(FL_NEW_ARRAY(&scan->arena, scan->n_slots + 1, &c->own_slots, err));
    own.n_cols = 0;
    for (int32_t slot = 0; slot < scan->n_slots; slot++) {
        int32_t col = p->cols[scan->cols[slot]];
        c->own_slots[slot] = FL_UNITED_CONSTANT;
        if (col == FL_UNITED_CONSTANT)
            continue;
        c->own_slots[slot] = own.n_cols;
        bool is_converted = fl_united_is_converted(scan->table, number, scan->cols[slot]);
        c->slots[own.n_cols] = is_converted ? scan->n_slots : slot; /* of which there are no bounds */
        cols[own.n_cols++] = col;
    }
    own.cols = cols;
    if (request->bounds != NULL)
        FL_TRY(fl_scan_bounds_new_view(scan->memory, request->bounds, c->slots, &c->bounds, err));
    own.bounds = c->bounds;
    FL_TRY(p->table->ops->scan_new(p->table, &own, &c->scan, err));
    scan->scan.has_large_morsels |= c->scan->has_large_morsels;
    scan->scan.rows_total += c->scan->rows_total;
cleanup:
    return st;
}

fl_status fl_united_scan_new(fl_table *base, const fl_scan_request *request, fl_scan **ret, fl_err *err)
{
    fl_status st = FL_OK;
    united_scan *scan = NULL;
    fl_united *t = (fl_united *)base;
    FL_TRY(fl_alloc_zero(request->memory, (int64_t)sizeof(*scan), (void **)&scan, err));
    scan->scan.ops = &scan_ops;
    scan->table = (fl_united *)fl_table_ref(base);
    scan->memory = request->memory;
    scan->bounds = request->bounds;
    scan->n_slots = request->n_cols;
    fl_arena_init(&scan->arena, request->memory);
    st = FL_NEW_ARRAY(&scan->arena, t->n_parts, &scan->children, err);
    if (st != FL_OK) { /* nothing to free but itself */
        fl_arena_drop(&scan->arena);
        fl_table_unref(base);
        fl_free(scan);
        return st;
    }
    FL_TRY(FL_NEW_ARRAY(&scan->arena, request->n_cols + 1, &scan->cols, err));
    for (int32_t i = 0; i < request->n_cols; i++)
        scan->cols[i] = request->cols[i];
    for (int32_t i = 0; i < t->n_parts; i++)
        FL_TRY(begin_child(scan, i, request, err));
    *ret = &scan->scan;
    return FL_OK;
cleanup:
    if (scan != NULL)
        scan_free(&scan->scan);
    return st;
}
