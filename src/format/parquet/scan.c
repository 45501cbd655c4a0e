/* Scanning: morsels of row groups, batches of rows, columns when they are asked for.
 *
 * A row group is a morsel; one of more rows than PIECE_ROWS is cut into several, whose workers share its dictionaries.
 * A worker has a reader per leaf column, kept from morsel to morsel with its buffers. A column that is not read in a
 * batch stays behind and catches up by skipping when it is read again. */
#include "format/file_scan.h"
#include "format/parquet/nested.h"
#include "format/parquet/reader.h"
#include "format/parquet/table.h"

#include <stdlib.h>

#define PIECE_ROWS 122880
#define BLOCK_ROWS_MIN 2048
#define PADDING 64
#define READ_AHEAD_BYTES (512 << 10)
#define READ_AHEAD_BYTES_MIN (64 << 10)
#define READ_AHEAD_BYTES_ALL (64 << 20)   /* of a worker's columns together: wide tables read in smaller pieces */
#define READ_AHEAD_BYTES_SPARSE (4 << 10) /* a page's header: what follows it may not be wanted */
#define PAGE_BYTES_MAX_SPARSE (8 << 20)
#define RANGES_MAX 1024 /* beyond that many gaps, skipping costs more than it saves */

typedef struct morsel {
    int32_t file;
    int32_t group;
    int64_t row; /* within the row group */
    int64_t rows;
    int32_t shared; /* index of the shared group; negative: the group is one morsel */
} morsel;

/* A row group that was cut: its dictionaries live until its last piece is done. */
typedef struct shared_group {
    _Atomic int32_t pieces_left;
    fl_pq_dict_slot *slots; /* one per leaf of the scan */
} shared_group;

typedef struct pq_scan {
    fl_file_scan base;
    const fl_pq_table *table;
    const fl_pq_kernels *kernels;
    int32_t n_leaves;      /* readers of a worker */
    int32_t *first_reader; /* per slot */
    morsel *morsels;
    shared_group *groups;
    int32_t n_groups;
} pq_scan;

typedef struct slot_buffers {
    fl_buffer *values;
    fl_buffer *codes;
    fl_buffer *valid;
    fl_pq_levels *levels; /* nested: one per leaf */
    fl_arena arena;       /* nested: the vector's tree */
} slot_buffers;

/* Rows [row, end) of a row group. */
typedef struct range {
    int64_t row, end;
} range;

typedef struct pq_worker {
    fl_scan_worker base;
    fl_memory *memory;
    fl_arena index; /* page indexes of the morsel's row group */
    range *ranges;  /* rows of the morsel that can match, ascending, apart */
    int32_t n_ranges;
    int32_t range; /* the one at hand */
    fl_pq_codecs codecs;
    fl_buffer *scratch;
    fl_pq_reader *readers;
    slot_buffers *slots;
    fl_file *held; /* the morsel's, kept open */
    int64_t now;   /* morsel; negative: none */
    int64_t row;   /* next row, within the row group */
    int64_t batch_row;
    int32_t batch_rows;
} pq_worker;

static pq_scan *scan_of(const pq_worker *w)
{
    return (pq_scan *)w->base.scan;
}

static int64_t block_rows(const pq_scan *scan)
{
    return scan->base.rows_max > BLOCK_ROWS_MIN ? scan->base.rows_max : BLOCK_ROWS_MIN;
}

/* ---- the scan ---- */

static void scan_free(fl_scan *base)
{
    pq_scan *scan = (pq_scan *)base;
    for (int32_t g = 0; g < scan->n_groups; g++)
        for (int32_t i = 0; i < scan->n_leaves; i++) {
            fl_pq_dict_unref(scan->groups[g].slots[i].dict);
            pthread_mutex_destroy(&scan->groups[g].slots[i].lock);
        }
    fl_file_scan_free(base);
}

static fl_status add_shared_group(pq_scan *scan, int32_t pieces, fl_err *err)
{
    shared_group *g = &scan->groups[scan->n_groups];
    fl_status st = FL_NEW_ARRAY(&scan->base.arena, scan->n_leaves, &g->slots, err);
    if (st != FL_OK)
        return st;
    for (int32_t i = 0; i < scan->n_leaves; i++)
        pthread_mutex_init(&g->slots[i].lock, NULL);
    atomic_init(&g->pieces_left, pieces);
    scan->n_groups++;
    return FL_OK;
}

/* Whether readers of a row group share its dictionaries: those of its pieces, or who comes back to it. */
static bool is_shared(const pq_scan *scan, int64_t pieces)
{
    return pieces > 1 || scan->base.is_sparse;
}

static int64_t pieces_of(int64_t rows)
{
    return rows <= PIECE_ROWS ? 1 : (rows + PIECE_ROWS - 1) / PIECE_ROWS;
}

/* The column that the table's type is from: another file's may have nothing but nulls. */
static const fl_pq_node *model_of(const pq_scan *scan, int32_t slot)
{
    int32_t col = scan->base.cols[slot];
    return &scan->table->files[scan->table->models[col]].columns[col];
}

static fl_status make_morsels(pq_scan *scan, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t count = 0, groups = 0;
    for (int32_t f = 0; f < scan->table->base.n_files; f++)
        for (int32_t g = 0; g < scan->table->files[f].n_groups; g++) {
            int64_t pieces = pieces_of(scan->table->files[f].groups[g].rows);
            count += pieces;
            groups += is_shared(scan, pieces);
            if (count > INT32_MAX)
                return FL_FAIL(err, FL_ERR_LIMIT, "\"%s\" has too many rows", scan->table->files[f].file->path);
        }
    FL_TRY(FL_NEW_ARRAY(&scan->base.arena, count, &scan->morsels, err));
    FL_TRY(FL_NEW_ARRAY(&scan->base.arena, groups, &scan->groups, err));
    for (int32_t f = 0; f < scan->table->base.n_files; f++)
        for (int32_t g = 0; g < scan->table->files[f].n_groups; g++) {
            int64_t rows = scan->table->files[f].groups[g].rows, pieces = pieces_of(rows);
            int32_t shared = is_shared(scan, pieces) ? scan->n_groups : -1;
            if (rows == 0)
                continue;
            if (shared >= 0)
                FL_TRY(add_shared_group(scan, scan->base.is_sparse ? INT32_MAX : (int32_t)pieces, err));
            for (int64_t p = 0; p < pieces; p++) {
                int64_t row = rows * p / pieces, end = rows * (p + 1) / pieces;
                scan->morsels[scan->base.n_morsels++] = (morsel){f, g, row, end - row, shared};
            }
        }
cleanup:
    return st;
}

static fl_status worker_new(fl_scan *base, fl_memory *memory, fl_scan_worker **ret, fl_err *err);
static void worker_free(fl_scan_worker *base);
static fl_status claim(fl_scan_worker *base, bool *ret_any, int64_t *ret_morsel, fl_err *err);
static fl_status next(fl_scan_worker *base, int32_t *ret_rows, fl_err *err);
static void leave(fl_scan_worker *base);
static fl_status read(fl_scan_worker *base, int32_t slot, const uint64_t *mask, fl_vec *ret, fl_err *err);

static void place(const fl_scan *base, int64_t number, fl_text *text)
{
    const pq_scan *scan = (const pq_scan *)base;
    const morsel *m = &scan->morsels[number];
    FL_ASSERT(number >= 0 && number < scan->base.n_morsels);
    fl_text_addf(text, "\"%s\", row group %d", scan->table->files[m->file].file->path, m->group);
}

/* What the statistics of two row groups tell (order.c); of the pieces of one there are none. */
static bool is_apart(const fl_scan *base, int64_t number)
{
    const pq_scan *scan = (const pq_scan *)base;
    FL_ASSERT(number >= 0 && number < scan->base.n_morsels);
    return scan->morsels[number].row == 0;
}

static const fl_scan_ops scan_ops = {.worker_new = worker_new,
                                     .worker_free = worker_free,
                                     .claim = claim,
                                     .next = next,
                                     .read = read,
                                     .leave = leave,
                                     .place = place,
                                     .is_apart = is_apart,
                                     .free = scan_free};

int64_t fl_pq_scan_morsel_rows(const fl_scan *base, int64_t number)
{
    const pq_scan *scan = (const pq_scan *)base;
    FL_ASSERT(number >= 0 && number < scan->base.n_morsels);
    return scan->morsels[number].rows;
}

fl_status fl_pq_scan_new(fl_table *table, const fl_scan_request *request, fl_scan **ret, fl_err *err)
{
    pq_scan *scan = NULL;
    fl_status st = fl_file_scan_new(table, &scan_ops, request, (int64_t)sizeof(*scan), (fl_file_scan **)&scan, err);
    if (st != FL_OK)
        return st;
    scan->table = (const fl_pq_table *)table;
    scan->kernels = fl_pq_kernels_choose();
    FL_TRY(FL_NEW_ARRAY(&scan->base.arena, request->n_cols + 1, &scan->first_reader, err));
    for (int32_t i = 0; i < request->n_cols; i++) {
        scan->first_reader[i] = scan->n_leaves;
        scan->n_leaves += model_of(scan, i)->leaves;
    }
    FL_TRY(make_morsels(scan, err));
    *ret = &scan->base.scan;
    return FL_OK;
cleanup:
    scan_free(&scan->base.scan);
    return st;
}

/* ---- workers ---- */

static const fl_pq_node *node_of(const pq_scan *scan, int32_t file, int32_t slot)
{
    return &scan->table->files[file].columns[scan->base.cols[slot]];
}

/* Whether the column has nothing but nulls in this file, whatever its type in others. */
static bool is_null_type(const pq_scan *scan, int32_t file, const fl_pq_node *node)
{
    return node->kind == FL_PQ_LEAF && scan->table->files[file].leaves[node->leaf].is_null_type;
}

static fl_status slot_init(pq_worker *w, int32_t slot, fl_err *err)
{
    fl_status st = FL_OK;
    const pq_scan *scan = scan_of(w);
    const fl_pq_metadata *meta = &scan->table->files[scan->table->models[scan->base.cols[slot]]];
    const fl_pq_node *node = model_of(scan, slot);
    slot_buffers *b = &w->slots[slot];
    int64_t rows = scan->base.rows_max;
    fl_arena_init(&b->arena, w->memory);
    if (node->kind == FL_PQ_ROW_NUMBER) {
        FL_TRY(fl_buffer_new(w->memory, rows * (int64_t)sizeof(int64_t) + PADDING, &b->values, err));
        return FL_OK;
    }
    if (node->kind != FL_PQ_LEAF) {
        FL_TRY(fl_alloc_zero(w->memory, node->leaves * (int64_t)sizeof(fl_pq_levels), (void **)&b->levels, err));
        return FL_OK;
    }
    /* another file of the table may store a decimal wider than the first one does */
    int64_t width = node->type.id == FL_DECIMAL ? 16 : meta->leaves[node->leaf].width;
    FL_TRY(fl_buffer_new(w->memory, rows * width + PADDING, &b->values, err));
    FL_TRY(fl_buffer_new(w->memory, fl_bitmap_words(rows) * 8 + PADDING, &b->valid, err));
    bool is_bits = node->type.id == FL_BOOL;
    if (fl_type_is_string(node->type) || is_bits)
        FL_TRY(fl_buffer_new(w->memory, is_bits ? fl_bitmap_words(rows) * 8 + PADDING : rows * 4 + PADDING, &b->codes,
                             err));
cleanup:
    return st;
}

static int64_t read_ahead_bytes(int32_t n_readers)
{
    int64_t bytes = READ_AHEAD_BYTES_ALL / n_readers;
    return bytes > READ_AHEAD_BYTES ? READ_AHEAD_BYTES : bytes < READ_AHEAD_BYTES_MIN ? READ_AHEAD_BYTES_MIN : bytes;
}

static fl_status worker_new(fl_scan *base, fl_memory *memory, fl_scan_worker **ret, fl_err *err)
{
    fl_status st = FL_OK;
    pq_scan *scan = (pq_scan *)base;
    pq_worker *w = NULL;
    int64_t block = block_rows(scan);
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*w), (void **)&w, err));
    w->base.scan = base;
    w->memory = memory;
    w->now = -1;
    fl_arena_init(&w->index, memory);
    FL_TRY(fl_buffer_new(memory, block * 20 + 4 * PADDING, &w->scratch, err));
    FL_TRY(fl_alloc_zero(memory, scan->n_leaves * (int64_t)sizeof(*w->readers), (void **)&w->readers, err));
    FL_TRY(fl_alloc_zero(memory, scan->base.n_slots * (int64_t)sizeof(*w->slots), (void **)&w->slots, err));
    for (int32_t slot = 0; slot < scan->base.n_slots; slot++) {
        for (int32_t i = 0; i < model_of(scan, slot)->leaves; i++) {
            fl_pq_reader *r = &w->readers[scan->first_reader[slot] + i];
            r->kernels = scan->kernels;
            r->codecs = &w->codecs;
            r->memory = memory;
            r->dict_memory = scan->base.memory;
            r->verifies_checksums = scan->table->verifies_checksums;
            r->dense = w->scratch->data;
            r->scratch = (uint32_t *)(w->scratch->data + block * 16 + 2 * PADDING);
            r->block_rows = block;
            r->read_ahead_bytes = scan->base.is_sparse ? READ_AHEAD_BYTES_SPARSE : read_ahead_bytes(scan->n_leaves);
            r->page_bytes_max = scan->base.is_sparse ? PAGE_BYTES_MAX_SPARSE : FL_PQ_PAGE_BYTES_MAX;
            fl_pq_pool_init(&r->pool, memory);
        }
        FL_TRY(slot_init(w, slot, err));
    }
    *ret = &w->base;
    return FL_OK;
cleanup:
    if (w != NULL)
        worker_free(&w->base);
    return st;
}

/* Takes leave of a morsel; the last piece of a group lets its dictionaries go. Other workers hold their own
 * references. */
static void leave_morsel(pq_worker *w)
{
    pq_scan *scan = scan_of(w);
    if (w->now < 0)
        return;
    int32_t shared = scan->morsels[w->now].shared;
    w->now = -1;
    if (shared < 0 || atomic_fetch_sub(&scan->groups[shared].pieces_left, 1) != 1)
        return;
    for (int32_t i = 0; i < scan->n_leaves; i++) {
        fl_pq_dict_slot *slot = &scan->groups[shared].slots[i];
        pthread_mutex_lock(&slot->lock);
        fl_pq_dict_unref(slot->dict);
        slot->dict = NULL;
        pthread_mutex_unlock(&slot->lock);
    }
}

/* Files stay open from a morsel's beginning to its end: there may be more of them than the process can open, and a worker may claim
 * nothing more of this scan. */
static void let_go(pq_worker *w)
{
    fl_file_release(w->held);
    w->held = NULL;
}

static void leave(fl_scan_worker *base)
{
    let_go((pq_worker *)base);
}

static void worker_free(fl_scan_worker *base)
{
    pq_worker *w = (pq_worker *)base;
    pq_scan *scan = scan_of(w);
    leave_morsel(w);
    let_go(w);
    if (w->readers != NULL)
        for (int32_t i = 0; i < scan->n_leaves; i++)
            fl_pq_reader_drop(&w->readers[i]);
    if (w->slots != NULL)
        for (int32_t i = 0; i < scan->base.n_slots; i++) {
            slot_buffers *b = &w->slots[i];
            fl_buffer_unref(b->values);
            fl_buffer_unref(b->codes);
            fl_buffer_unref(b->valid);
            for (int32_t l = 0; b->levels != NULL && l < model_of(scan, i)->leaves; l++)
                fl_pq_levels_drop(&b->levels[l]);
            fl_free(b->levels);
            fl_arena_drop(&b->arena);
        }
    fl_free(w->slots);
    fl_free(w->readers);
    fl_buffer_unref(w->scratch);
    fl_pq_codecs_drop(&w->codecs);
    fl_arena_drop(&w->index);
    fl_free(w);
}

/* ---- morsels ---- */

static bool can_zone_match(const pq_scan *scan, int32_t slot, const fl_pq_zone *z)
{
    return fl_scan_bounds_can_match(scan->base.bounds, slot, z->has_min ? &z->min : NULL, z->has_max ? &z->max : NULL,
                                    z->is_all_null);
}

/* Whether a row group can hold rows within the bounds, by its statistics. */
static bool can_match(const pq_scan *scan, const morsel *m)
{
    const fl_pq_metadata *meta = &scan->table->files[m->file];
    const fl_pq_row_group *group = &meta->groups[m->group];
    for (int32_t slot = 0; slot < scan->base.n_slots; slot++) {
        const fl_pq_node *node = node_of(scan, m->file, slot);
        fl_pq_zone zone;
        if (node->kind != FL_PQ_LEAF || is_null_type(scan, m->file, node) ||
            !fl_scan_bounds_has(scan->base.bounds, slot))
            continue;
        fl_pq_chunk_zone(&meta->leaves[node->leaf], &group->chunks[node->leaf], group->rows, &zone);
        if (!can_zone_match(scan, slot, &zone))
            return false;
    }
    return true;
}

/* Takes the rows of a page away from the ranges. False when there would be too many of them. */
static bool cut_range(pq_worker *w, int64_t row, int64_t end)
{
    for (int32_t i = 0; i < w->n_ranges; i++) {
        range *r = &w->ranges[i];
        if (end <= r->row)
            break;
        if (row >= r->end)
            continue;
        if (row <= r->row && end >= r->end) {
            memmove(r, r + 1, (size_t)(w->n_ranges - i - 1) * sizeof(*r));
            w->n_ranges--;
            i--;
        } else if (row <= r->row) {
            r->row = end;
        } else if (end >= r->end) {
            r->end = row;
        } else {
            if (w->n_ranges == RANGES_MAX)
                return false;
            memmove(r + 1, r, (size_t)(w->n_ranges - i) * sizeof(*r));
            w->n_ranges++;
            r[0].end = row;
            r[1].row = end;
            break;
        }
    }
    return true;
}

/* Rows of the morsel that can match, by the page indexes of bounded columns. */
static fl_status find_ranges(pq_worker *w, const morsel *m, fl_err *err)
{
    fl_status st = FL_OK;
    pq_scan *scan = scan_of(w);
    const fl_pq_metadata *meta = &scan->table->files[m->file];
    const fl_pq_row_group *group = &meta->groups[m->group];
    FL_TRY(FL_NEW_ARRAY(&w->index, RANGES_MAX, &w->ranges, err));
    w->ranges[0] = (range){m->row, m->row + m->rows};
    w->n_ranges = 1;
    for (int32_t slot = 0; slot < scan->base.n_slots; slot++) {
        const fl_pq_node *node = node_of(scan, m->file, slot);
        fl_pq_page_place *places = NULL;
        fl_pq_zone *zones = NULL;
        int32_t pages = 0;
        if (node->kind != FL_PQ_LEAF || is_null_type(scan, m->file, node) ||
            !fl_scan_bounds_has(scan->base.bounds, slot))
            continue;
        const fl_pq_chunk *chunk = &group->chunks[node->leaf];
        FL_TRY(fl_pq_offset_index_read(&w->index, meta, chunk, group->rows, &places, &pages, err));
        if (pages < 2)
            continue;
        FL_TRY(fl_pq_column_index_read(&w->index, meta, &meta->leaves[node->leaf], chunk, group->rows, places, pages,
                                       &zones, err));
        bool are_places_checked = false;
        for (int32_t p = 0; zones != NULL && p < pages; p++) {
            int64_t end = p + 1 < pages ? places[p + 1].row : group->rows;
            if (can_zone_match(scan, slot, &zones[p]))
                continue;
            /* rows are about to be passed over: do the pages have the rows that their zones are of? */
            if (!are_places_checked && !fl_pq_are_places_true(meta, m->group, node->leaf, places, pages))
                break;
            are_places_checked = true;
            if (!cut_range(w, places[p].row, end))
                break;
        }
    }
cleanup:
    return st;
}

static fl_status open_readers(pq_worker *w, const morsel *m, fl_err *err)
{
    fl_status st = FL_OK;
    pq_scan *scan = scan_of(w);
    const fl_pq_metadata *meta = &scan->table->files[m->file];
    const fl_pq_row_group *group = &meta->groups[m->group];
    /* who reads from the first row to the last needs no places */
    bool has_gaps = scan->base.is_sparse || m->row > 0 || w->n_ranges > 1 || w->ranges[0].row > 0;
    for (int32_t slot = 0; slot < scan->base.n_slots; slot++) {
        const fl_pq_node *node = node_of(scan, m->file, slot);
        if (is_null_type(scan, m->file, node))
            continue;
        for (int32_t i = 0; i < node->leaves; i++) {
            int32_t reader = scan->first_reader[slot] + i, pages = 0;
            fl_pq_page_place *places = NULL;
            if (has_gaps)
                FL_TRY(fl_pq_offset_index_read(&w->index, meta, &group->chunks[node->leaf + i], group->rows, &places,
                                               &pages, err));
            fl_pq_reader_open(&w->readers[reader], meta, m->group, node->leaf + i, places, pages,
                              m->shared >= 0 ? &scan->groups[m->shared].slots[reader] : NULL);
        }
    }
cleanup:
    return st;
}

/* Opens a morsel unless no row of it can match. */
static fl_status open_morsel(pq_worker *w, int64_t number, bool *ret_is_open, fl_err *err)
{
    fl_status st = FL_OK;
    pq_scan *scan = scan_of(w);
    const morsel *m = &scan->morsels[number];
    w->now = number;
    fl_file *file = scan->table->files[m->file].file;
    if (w->held != file) {
        let_go(w);
        FL_TRY(fl_file_hold(file, err));
        w->held = file;
    }
    w->range = 0;
    w->n_ranges = 0;
    fl_arena_reset(&w->index);
    if (scan->base.bounds == NULL || can_match(scan, m))
        FL_TRY(find_ranges(w, m, err));
    int64_t rows = 0;
    for (int32_t i = 0; i < w->n_ranges; i++)
        rows += w->ranges[i].end - w->ranges[i].row;
    atomic_fetch_add_explicit(&scan->base.scan.rows_done, m->rows - rows, memory_order_relaxed);
    *ret_is_open = rows > 0;
    if (rows == 0) {
        atomic_fetch_add_explicit(&scan->base.scan.morsels_pruned, 1, memory_order_relaxed);
        return FL_OK;
    }
    w->row = w->ranges[0].row;
    FL_TRY(open_readers(w, m, err));
cleanup:
    return st;
}

static fl_status claim(fl_scan_worker *base, bool *ret_any, int64_t *ret_morsel, fl_err *err)
{
    fl_status st = FL_OK;
    pq_worker *w = (pq_worker *)base;
    for (bool is_open = false; !is_open;) {
        leave_morsel(w);
        FL_TRY(fl_file_scan_claim(&scan_of(w)->base, ret_any, ret_morsel, err));
        if (!*ret_any) {
            let_go(w);
            break;
        }
        FL_TRY(open_morsel(w, *ret_morsel, &is_open, err));
    }
cleanup:
    return st;
}

static fl_status next(fl_scan_worker *base, int32_t *ret_rows, fl_err *err)
{
    (void)err;
    pq_worker *w = (pq_worker *)base;
    pq_scan *scan = scan_of(w);
    while (w->range < w->n_ranges && w->row == w->ranges[w->range].end)
        if (++w->range < w->n_ranges)
            w->row = w->ranges[w->range].row;
    int64_t rows = w->range < w->n_ranges ? w->ranges[w->range].end - w->row : 0;
    rows = rows < scan->base.rows_max ? rows : scan->base.rows_max;
    w->batch_row = w->row;
    w->batch_rows = (int32_t)rows;
    w->row += rows;
    atomic_fetch_add_explicit(&scan->base.scan.rows_done, rows, memory_order_relaxed);
    if (rows == 0)
        let_go(w);
    *ret_rows = (int32_t)rows;
    return FL_OK;
}

/* ---- columns ---- */

static void pack_bits(const uint8_t *from, int64_t n, uint64_t *to)
{
    for (int64_t w = 0; w * 64 < n; w++) {
        uint64_t word = 0;
        int64_t bits = n - w * 64 < 64 ? n - w * 64 : 64;
        for (int64_t b = 0; b < bits; b++)
            word |= (uint64_t)from[w * 64 + b] << b;
        to[w] = word;
    }
}

static fl_status read_flat(pq_worker *w, int32_t slot, const fl_pq_node *node, fl_vec *ret, fl_err *err)
{
    fl_pq_reader *r = &w->readers[scan_of(w)->first_reader[slot]];
    slot_buffers *b = &w->slots[slot];
    bool is_bits = node->type.id == FL_BOOL;
    fl_pq_slots s = {.values = b->values->data, .valid = (uint64_t *)b->valid->data};
    if (b->codes != NULL && !is_bits)
        s.codes = (uint32_t *)b->codes->data;
    fl_status st = fl_pq_reader_read_slots(r, w->batch_row, w->batch_rows, &s, err);
    if (st != FL_OK)
        return st;
    const uint64_t *valid = s.has_nulls ? s.valid : NULL;
    if (is_bits && b->codes != NULL) {
        uint64_t *bits = (uint64_t *)b->codes->data;
        pack_bits(s.values, w->batch_rows, bits);
        fl_vec_set_flat(ret, node->type, bits, valid);
    } else if (s.is_coded) {
        *ret = (fl_vec){.type = node->type,
                        .layout = FL_DICT,
                        .form = FL_VIEWS,
                        .width = 16,
                        .data = s.codes,
                        .valid = valid,
                        .child = &r->dict->vec,
                        .child_rows = r->dict->n,
                        .dict_id = r->dict->id};
    } else {
        fl_vec_set_flat(ret, node->type, s.values, valid);
        ret->width = (uint8_t)r->leaf->width;
    }
    return FL_OK;
}

static void read_row_numbers(const pq_worker *w, int32_t slot, fl_vec *ret)
{
    const pq_scan *scan = scan_of(w);
    const morsel *m = &scan->morsels[w->now];
    int64_t first = fl_pq_group_row(&scan->table->files[m->file], m->group) + w->batch_row;
    void *values = w->slots[slot].values->data;
    int64_t *to = values;
    for (int32_t row = 0; row < w->batch_rows; row++)
        to[row] = first + row;
    fl_vec_set_flat(ret, FL_TYPE(FL_I64), to, NULL);
}

static fl_status read(fl_scan_worker *base, int32_t slot, const uint64_t *mask, fl_vec *ret, fl_err *err)
{
    pq_worker *w = (pq_worker *)base;
    pq_scan *scan = scan_of(w);
    FL_ASSERT(w->now >= 0 && slot >= 0 && slot < scan->base.n_slots && w->batch_rows > 0);
    int32_t file = scan->morsels[w->now].file;
    const fl_pq_node *node = node_of(scan, file, slot);
    if (is_null_type(scan, file, node) ||
        (mask != NULL && fl_bitmap_is_empty(mask, w->batch_rows))) { /* nothing is wanted, nothing is decoded */
        fl_vec_set_const(ret, scan->table->base.table.fields[scan->base.cols[slot]].type, NULL);
        return FL_OK;
    }
    if (node->kind == FL_PQ_ROW_NUMBER) {
        read_row_numbers(w, slot, ret);
        return FL_OK;
    }
    if (node->kind == FL_PQ_LEAF) {
        fl_pq_reader *r = &w->readers[scan->first_reader[slot]];
        int64_t before = r->work_bytes;
        fl_status st = read_flat(w, slot, node, ret, err);
        w->base.work_bytes += r->work_bytes - before;
        return st;
    }
    slot_buffers *b = &w->slots[slot];
    fl_arena_reset(&b->arena);
    return fl_pq_nested_read(&w->readers[scan->first_reader[slot]], node, w->batch_row, w->batch_rows, &b->arena,
                             b->levels, ret, err);
}
