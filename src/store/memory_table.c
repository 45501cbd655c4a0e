/* Tables in memory: scanning segments. A morsel is a segment, so that what is made of the rows one by one lies as they do; of the
 * last segments it is a quarter, so that small tables still keep two workers busy, and all workers end at about the same time. */
#include "store/memory_table.h"

#include "arrow/bounds.h"
#include "store/numbered_table.h"
#include "store/table_order.h"
#include "store/table_stats.h"

#define MORSEL_ROWS 30720 /* a quarter of a segment; a multiple of 64, so bitmaps are sliced without copying */

typedef struct memory_table {
    fl_table base;
    fl_arena arena;
    fl_segment **segments;
    int64_t n_segments;
    fl_memory *memory;
    fl_column_rules *rules;
    fl_table_constraints constraints;
    fl_table_order declared; /* that the rows were put in */
    fl_table_stats stats;
} memory_table;

typedef struct memory_scan {
    fl_scan base;
    memory_table *table;
    fl_scan_request request;
    int32_t *cols;
    int64_t n_whole;      /* segments in front that are a morsel each */
    _Atomic int64_t next; /* what is claimed next: these segments, then the pieces of the others */
} memory_scan;

typedef struct memory_worker {
    fl_scan_worker base;
    memory_scan *scan;
    fl_segment *segment; /* of the morsel under way */
    int64_t number;      /* of the segment */
    int64_t at;          /* first row of the batch */
    int64_t next;        /* first row of the next batch */
    int64_t end;         /* of the morsel */
    int32_t rows;
    fl_arena arena; /* slices that had to be copied */
} memory_worker;

#define PIECES (FL_SEGMENT_ROWS / MORSEL_ROWS + 1)
#define PIECED_PER_WORKER 2 /* segments that are claimed in pieces */

static fl_status worker_new(fl_scan *base, fl_memory *memory, fl_scan_worker **ret, fl_err *err)
{
    memory_worker *w = NULL;
    fl_status st = fl_alloc_zero(memory, (int64_t)sizeof(*w), (void **)&w, err);
    if (st != FL_OK)
        return st;
    w->base.scan = base;
    w->scan = (memory_scan *)base;
    fl_arena_init(&w->arena, memory);
    *ret = &w->base;
    return FL_OK;
}

static void worker_free(fl_scan_worker *base)
{
    fl_arena_drop(&((memory_worker *)base)->arena);
    fl_free(base);
}

static bool can_match(const memory_scan *scan, const fl_segment *segment)
{
    for (int32_t slot = 0; slot < scan->request.n_cols; slot++) {
        int32_t col = scan->cols[slot];
        if (col == segment->n_cols) /* places */
            continue;
        const fl_value *min = segment->min[col].is_null ? NULL : &segment->min[col];
        const fl_value *max = segment->max[col].is_null ? NULL : &segment->max[col];
        bool all_null = segment->nulls[col] == fl_segment_live_rows(segment) && segment->rows > 0;
        if ((min != NULL || all_null) && fl_scan_bounds_has(scan->request.bounds, slot) &&
            !fl_scan_bounds_can_match(scan->request.bounds, slot, min, max, all_null))
            return false;
    }
    return true;
}

static fl_status claim(fl_scan_worker *base, bool *ret_any, int64_t *ret_morsel, fl_err *err)
{
    (void)err;
    memory_worker *w = (memory_worker *)base;
    memory_scan *scan = w->scan;
    for (;;) {
        int64_t n = atomic_fetch_add(&scan->next, 1);
        bool is_whole = n < scan->n_whole;
        n = is_whole ? n * PIECES : n + scan->n_whole * (PIECES - 1); /* segment * PIECES + piece */
        int64_t s = n / PIECES, start = n % PIECES * MORSEL_ROWS;
        *ret_any = s < scan->table->n_segments;
        *ret_morsel = n;
        if (!*ret_any)
            return FL_OK;
        fl_segment *segment = scan->table->segments[s];
        bool is_last =
            is_whole || n % PIECES == PIECES - 1; /* takes all that is left: imported segments may be larger */
        if (start >= segment->rows)
            continue;
        w->end = is_last || start + MORSEL_ROWS > segment->rows ? segment->rows : start + MORSEL_ROWS;
        if (!can_match(scan, segment)) {
            atomic_fetch_add(&scan->base.rows_done, w->end - start);
            atomic_fetch_add(&scan->base.morsels_pruned, 1);
            continue;
        }
        w->segment = segment;
        w->number = s;
        w->next = start;
        return FL_OK;
    }
}

/* Which of the batch's rows are there; *ret_any false: none is. */
static fl_status set_mask(memory_worker *w, bool *ret_any, fl_err *err)
{
    uint64_t *mask = NULL;
    fl_status st = fl_arena_get(&w->arena, fl_bitmap_words(w->rows) * 8 + 8, (void **)&mask, err);
    if (st != FL_OK)
        return st;
    fl_bitmap_copy(mask, w->segment->live, w->at, w->rows);
    int64_t kept = fl_bitmap_count(mask, w->rows);
    w->base.mask = kept < w->rows ? mask : NULL;
    *ret_any = kept > 0;
    return FL_OK;
}

static fl_status next(fl_scan_worker *base, int32_t *ret_rows, fl_err *err)
{
    fl_status st = FL_OK;
    memory_worker *w = (memory_worker *)base;
    bool any;
    do {
        int64_t left = w->end - w->next;
        fl_arena_reset(&w->arena);
        w->at = w->next;
        w->rows = left < w->scan->request.rows_max ? (int32_t)left : w->scan->request.rows_max;
        w->next += w->rows;
        atomic_fetch_add_explicit(&w->scan->base.rows_done, w->rows, memory_order_relaxed);
        any = true;
        base->mask = NULL;
        if (w->segment->live != NULL && w->rows > 0)
            FL_TRY(set_mask(w, &any, err));
    } while (!any);
    *ret_rows = w->rows;
cleanup:
    return st;
}

static fl_status read_places(memory_worker *w, fl_vec *ret, fl_err *err)
{
    int64_t *places = NULL;
    fl_status st = FL_NEW_ARRAY(&w->arena, w->rows, &places, err);
    if (st != FL_OK)
        return st;
    for (int32_t i = 0; i < w->rows; i++)
        places[i] = fl_row_place(w->number, w->at + i);
    fl_vec_set_flat(ret, FL_TYPE(FL_I64), places, NULL);
    return FL_OK;
}

static fl_status read(fl_scan_worker *base, int32_t slot, const uint64_t *mask, fl_vec *ret, fl_err *err)
{
    (void)mask;
    memory_worker *w = (memory_worker *)base;
    FL_ASSERT(slot < w->scan->request.n_cols && w->at + w->rows <= w->segment->rows);
    int32_t col = w->scan->cols[slot];
    if (col == w->segment->n_cols)
        return read_places(w, ret, err);
    fl_status st = fl_vec_slice(&w->arena, &w->segment->vecs[col], w->at, w->rows, ret, err);
    if (st == FL_OK && ret->layout == FL_FLAT) /* the segment's bounds were found by us, on these very values */
        fl_vec_set_bounds(ret, fl_bounds_of_values(&w->segment->min[col], &w->segment->max[col]));
    return st;
}

static void scan_free(fl_scan *base)
{
    memory_scan *scan = (memory_scan *)base;
    fl_table_unref(&scan->table->base);
    fl_free(scan->cols);
    fl_free(scan);
}

static const fl_scan_ops scan_ops = {.worker_new = worker_new,
                                     .worker_free = worker_free,
                                     .claim = claim,
                                     .next = next,
                                     .read = read,
                                     .free = scan_free};

/* Of the table's columns, and of its rows' places as one behind them. */
static fl_status scan_new(fl_table *base, const fl_scan_request *request, fl_scan **ret, fl_err *err)
{
    fl_status st = FL_OK;
    memory_scan *scan = NULL;
    FL_TRY(fl_alloc_zero(request->memory, (int64_t)sizeof(*scan), (void **)&scan, err));
    FL_TRY(fl_alloc(request->memory, request->n_cols * 4 + 4, (void **)&scan->cols, err));
    memcpy(scan->cols, request->cols, (size_t)request->n_cols * sizeof(*scan->cols));
    scan->base.ops = &scan_ops;
    scan->base.rows_total = (int64_t)base->rows;
    scan->request = *request;
    scan->table = (memory_table *)fl_table_ref(base);
    int64_t n_pieced = (request->n_workers < 1 ? 1 : request->n_workers) * PIECED_PER_WORKER;
    scan->n_whole = scan->table->n_segments < n_pieced ? 0 : scan->table->n_segments - n_pieced;
    *ret = &scan->base;
    return FL_OK;
cleanup:
    fl_free(scan);
    return st;
}

static void stats(fl_table *base, int32_t col, fl_col_stats *ret)
{
    fl_table_stats_get(&((memory_table *)base)->stats, col, ret);
}

static fl_status sample(fl_table *base, fl_memory *memory, const int32_t *cols, int32_t n_cols, fl_vec *ret_vecs,
                        fl_table_sample *ret, fl_err *err)
{
    (void)memory; /* all that is made is kept */
    return fl_table_stats_sample(&((memory_table *)base)->stats, cols, n_cols, ret_vecs, ret, err);
}

static int32_t orders(fl_table *base, const fl_table_order **ret)
{
    memory_table *table = (memory_table *)base;
    return fl_table_stats_orders(&table->stats, &table->declared, ret);
}

/* Types whose equal values are the same bits. */
static bool is_exact(fl_type type)
{
    return !fl_type_is_float(type) && !fl_type_is_nested(type) && type.id != FL_INTERVAL && type.id != FL_NULL;
}

static void facts(fl_table *base, int32_t col, fl_table_facts *ret)
{
    const memory_table *table = (const memory_table *)base;
    *ret = (fl_table_facts){.has_extremes = col >= 0 && is_exact(base->fields[col].type)};
    for (int64_t s = 0; s < table->n_segments; s++)
        ret->rows += fl_segment_live_rows(table->segments[s]);
    if (col < 0)
        return;
    ret->min = ret->max = (fl_value){.type = base->fields[col].type, .is_null = true};
    for (int64_t s = 0; s < table->n_segments; s++) {
        const fl_segment *segment = table->segments[s];
        const fl_value *min = &segment->min[col], *max = &segment->max[col];
        int64_t nulls = base->fields[col].nullable ? segment->nulls[col] : 0;
        ret->nulls = nulls < 0 || ret->nulls < 0 ? -1 : ret->nulls + nulls;
        if (fl_segment_live_rows(segment) == nulls)
            continue;
        ret->has_extremes &=
            !min->is_null && !max->is_null && segment->live == NULL; /* else they may be deleted rows' */
        if (ret->has_extremes && (ret->min.is_null || fl_value_compare(min, &ret->min) < 0))
            ret->min = *min;
        if (ret->has_extremes && (ret->max.is_null || fl_value_compare(max, &ret->max) > 0))
            ret->max = *max;
    }
}

static void table_free(fl_table *base)
{
    memory_table *table = (memory_table *)base;
    for (int64_t i = 0; i < table->n_segments; i++)
        fl_segment_unref(table->segments[i]);
    fl_table_stats_drop(&table->stats);
    fl_arena_drop(&table->arena);
    fl_free(table);
}

static const fl_table_ops table_ops = {.scan_new = scan_new,
                                       .stats = stats,
                                       .sample = sample,
                                       .orders = orders,
                                       .facts = facts,
                                       .numbered = fl_numbered_table_new,
                                       .free = table_free};

fl_status fl_memory_table_new(fl_memory *memory, fl_str name, const fl_field *fields, int32_t n_cols,
                              fl_segment *const *segments, int64_t n_segments, fl_table **ret, fl_err *err)
{
    static _Atomic uint64_t versions; /* contents are told apart within the process */
    fl_status st = FL_OK;
    memory_table *table = NULL;
    fl_field *copy = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*table), (void **)&table, err));
    fl_arena_init(&table->arena, memory);
    table->memory = memory;
    fl_table_stats_init(&table->stats, &table->base, memory);
    table->base.ops = &table_ops;
    atomic_store(&table->base.refs, 1);
    FL_TRY(fl_arena_copy_str(&table->arena, name, &table->base.name, err));
    FL_TRY(FL_NEW_ARRAY(&table->arena, n_cols + 1, &copy, err));
    for (int32_t i = 0; i < n_cols; i++) {
        copy[i].nullable = fields[i].nullable;
        FL_TRY(fl_arena_copy_str(&table->arena, fields[i].name, &copy[i].name, err));
        FL_TRY(fl_type_copy(&table->arena, fields[i].type, &copy[i].type, err));
    }
    FL_TRY(FL_NEW_ARRAY(&table->arena, n_segments + 1, &table->segments, err));
    for (int64_t i = 0; i < n_segments; i++) {
        FL_ASSERT(segments[i]->n_cols == n_cols);
        table->segments[i] = fl_segment_ref(segments[i]);
        table->base.rows += (double)fl_segment_live_rows(segments[i]);
    }
    table->n_segments = n_segments;
    table->base.format = "memory";
    table->base.fields = copy;
    table->base.n_cols = n_cols;
    table->base.version = atomic_fetch_add(&versions, 1) + 1;
    fl_table_stats_set_segments(&table->stats, table->segments, n_segments);
    *ret = &table->base;
    return FL_OK;
cleanup:
    if (table != NULL)
        table_free(&table->base);
    return st;
}

fl_segment *const *fl_memory_table_segments(const fl_table *base, int64_t *ret_n)
{
    const memory_table *table = (const memory_table *)base;
    bool is_ours = base->ops == &table_ops;
    *ret_n = is_ours ? table->n_segments : 0;
    return is_ours ? table->segments : NULL;
}

static fl_status copy_cols(fl_arena *arena, const int32_t *from, int32_t n, const int32_t **ret, fl_err *err)
{
    int32_t *cols = NULL;
    fl_status st = FL_NEW_ARRAY(arena, n + 1, &cols, err);
    if (st == FL_OK && n > 0)
        memcpy(cols, from, (size_t)n * sizeof(*cols));
    *ret = cols;
    return st;
}

static fl_status copy_names(fl_arena *arena, const fl_str *from, int32_t n, const fl_str **ret, fl_err *err)
{
    fl_str *names = NULL;
    fl_status st = FL_NEW_ARRAY(arena, n + 1, &names, err);
    for (int32_t i = 0; i < n && st == FL_OK; i++)
        st = fl_arena_copy_str(arena, from[i], &names[i], err);
    *ret = names;
    return st;
}

static fl_status copy_rule_text(fl_arena *arena, const fl_rule_text *from, fl_rule_text *ret, fl_err *err)
{
    fl_status st = FL_OK;
    ret->n_cols = from->n_cols;
    FL_TRY(fl_arena_copy_str(arena, from->text, &ret->text, err));
    FL_TRY(copy_cols(arena, from->cols, from->n_cols, &ret->cols, err));
    FL_TRY(copy_names(arena, from->names, from->n_cols, &ret->names, err));
cleanup:
    return st;
}

fl_status fl_memory_table_set_rules(fl_table *base, const fl_column_rules *rules, fl_err *err)
{
    fl_status st = FL_OK;
    memory_table *table = (memory_table *)base;
    FL_TRY(FL_NEW_ARRAY(&table->arena, base->n_cols + 1, &table->rules, err));
    for (int32_t i = 0; i < base->n_cols; i++) {
        fl_column_rules *made = &table->rules[i];
        made->is_not_null = rules[i].is_not_null;
        made->identity = rules[i].identity;
        FL_TRY(fl_arena_copy_str(&table->arena, rules[i].default_text, &made->default_text, err));
        FL_TRY(fl_arena_copy_str(&table->arena, rules[i].sequence, &made->sequence, err));
        FL_TRY(copy_rule_text(&table->arena, &rules[i].generated, &made->generated, err));
    }
cleanup:
    return st;
}

fl_status fl_memory_table_set_constraints(fl_table *base, const fl_table_constraints *from, fl_err *err)
{
    fl_status st = FL_OK;
    memory_table *table = (memory_table *)base;
    fl_table_check *checks = NULL;
    fl_foreign_key *keys = NULL;
    FL_ASSERT(base->ops == &table_ops);
    FL_TRY(FL_NEW_ARRAY(&table->arena, from->n_checks + 1, &checks, err));
    FL_TRY(FL_NEW_ARRAY(&table->arena, from->n_foreign_keys + 1, &keys, err));
    for (int32_t i = 0; i < from->n_checks; i++) {
        FL_TRY(fl_arena_copy_str(&table->arena, from->checks[i].name, &checks[i].name, err));
        FL_TRY(copy_rule_text(&table->arena, &from->checks[i].condition, &checks[i].condition, err));
    }
    for (int32_t i = 0; i < from->n_foreign_keys; i++) {
        const fl_foreign_key *key = &from->foreign_keys[i];
        keys[i] = *key;
        FL_TRY(fl_arena_copy_str(&table->arena, key->name, &keys[i].name, err));
        FL_TRY(fl_arena_copy_str(&table->arena, key->table, &keys[i].table, err));
        FL_TRY(copy_cols(&table->arena, key->cols, key->n_cols, &keys[i].cols, err));
        FL_TRY(copy_names(&table->arena, key->table_cols, key->n_cols, &keys[i].table_cols, err));
    }
    table->constraints = (fl_table_constraints){
        .checks = checks, .n_checks = from->n_checks, .foreign_keys = keys, .n_foreign_keys = from->n_foreign_keys};
cleanup:
    return st;
}

fl_status fl_memory_table_set_keys(fl_table *base, const fl_table_key *keys, int32_t n_keys, fl_err *err)
{
    fl_status st = FL_OK;
    memory_table *table = (memory_table *)base;
    fl_table_key *copy = NULL;
    FL_TRY(FL_NEW_ARRAY(&table->arena, n_keys + 1, &copy, err));
    for (int32_t i = 0; i < n_keys; i++) {
        int32_t *cols = NULL;
        FL_TRY(FL_NEW_ARRAY(&table->arena, keys[i].n_cols, &cols, err));
        memcpy(cols, keys[i].cols, (size_t)keys[i].n_cols * sizeof(*cols));
        copy[i] = (fl_table_key){.cols = cols, .n_cols = keys[i].n_cols, .is_primary = keys[i].is_primary};
        FL_TRY(fl_arena_copy_str(&table->arena, keys[i].name, &copy[i].name, err));
    }
    base->keys = copy;
    base->n_keys = n_keys;
cleanup:
    return st;
}

fl_status fl_memory_table_set_order(fl_table *base, const fl_table_order *order, fl_err *err)
{
    fl_status st = FL_OK;
    memory_table *table = (memory_table *)base;
    fl_table_order_key *keys = NULL;
    FL_ASSERT(base->ops == &table_ops && !order->is_claimed);
    FL_ASSERT_NO_FAULT(fl_table_order_fault(table->segments, table->n_segments, order));
    FL_TRY(FL_NEW_ARRAY(&table->arena, order->n_keys, &keys, err));
    if (order->n_keys > 0)
        memcpy(keys, order->keys, (size_t)order->n_keys * sizeof(*keys));
    table->declared = (fl_table_order){.keys = keys, .n_keys = order->n_keys};
cleanup:
    return st;
}

void fl_memory_table_inherit(fl_table *base, fl_table *old, double n_changed)
{
    if (base->ops == &table_ops && old->ops == &table_ops)
        fl_table_stats_inherit(&((memory_table *)base)->stats, &((memory_table *)old)->stats, n_changed);
}

const fl_table_order *fl_memory_table_order(const fl_table *base)
{
    static const fl_table_order none = {0};
    return base->ops == &table_ops ? &((const memory_table *)base)->declared : &none;
}

const fl_column_rules *fl_memory_table_rules(const fl_table *base)
{
    return base->ops == &table_ops ? ((const memory_table *)base)->rules : NULL;
}

const fl_table_constraints *fl_memory_table_constraints(const fl_table *base)
{
    static const fl_table_constraints none = {0};
    return base->ops == &table_ops ? &((const memory_table *)base)->constraints : &none;
}

fl_status fl_memory_table_analyze(fl_table *base, fl_memory *memory, fl_err *err)
{
    return base->ops == &table_ops ? fl_table_stats_analyze(&((memory_table *)base)->stats, memory, err) : FL_OK;
}
