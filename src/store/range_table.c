/* Numbers as a table: morsels are pieces of the range, values are computed batch by batch. */
#include "store/range_table.h"

#define MORSEL_ROWS 122880

typedef struct range_table {
    fl_table base;
    fl_arena arena;
    fl_field field;
    int64_t start, step, rows;
    fl_value min, max;
    fl_table_order_key key;
    fl_table_order order;
} range_table;

typedef struct range_scan {
    fl_scan base;
    range_table *table;
    int32_t rows_max;
    _Atomic int64_t next;
} range_scan;

typedef struct range_worker {
    fl_scan_worker base;
    int64_t next, end; /* rows of the morsel */
    int64_t at;
    int32_t rows;
    int64_t *values;
} range_worker;

static fl_status worker_new(fl_scan *base, fl_memory *memory, fl_scan_worker **ret, fl_err *err)
{
    range_worker *w = NULL;
    fl_status st =
        fl_alloc_zero(memory, (int64_t)sizeof(*w) + ((range_scan *)base)->rows_max * 8 + 64, (void **)&w, err);
    if (st != FL_OK)
        return st;
    w->base.scan = base;
    w->values = (int64_t *)(w + 1);
    *ret = &w->base;
    return FL_OK;
}

static void worker_free(fl_scan_worker *base)
{
    fl_free(base);
}

static fl_status claim(fl_scan_worker *base, bool *ret_any, int64_t *ret_morsel, fl_err *err)
{
    (void)err;
    range_worker *w = (range_worker *)base;
    range_scan *scan = (range_scan *)base->scan;
    int64_t n = atomic_fetch_add(&scan->next, 1);
    w->next = n * MORSEL_ROWS;
    *ret_any = w->next < scan->table->rows;
    w->end = w->next + MORSEL_ROWS < scan->table->rows ? w->next + MORSEL_ROWS : scan->table->rows;
    *ret_morsel = n;
    return FL_OK;
}

static fl_status next(fl_scan_worker *base, int32_t *ret_rows, fl_err *err)
{
    (void)err;
    range_worker *w = (range_worker *)base;
    range_scan *scan = (range_scan *)base->scan;
    w->at = w->next;
    w->rows = w->end - w->next < scan->rows_max ? (int32_t)(w->end - w->next) : scan->rows_max;
    w->next += w->rows;
    atomic_fetch_add_explicit(&scan->base.rows_done, w->rows, memory_order_relaxed);
    *ret_rows = w->rows;
    return FL_OK;
}

static fl_status read(fl_scan_worker *base, int32_t slot, const uint64_t *mask, fl_vec *ret, fl_err *err)
{
    (void)slot;
    (void)mask;
    (void)err;
    range_worker *w = (range_worker *)base;
    const range_table *table = ((range_scan *)base->scan)->table;
    uint64_t value = (uint64_t)table->start + (uint64_t)w->at * (uint64_t)table->step;
    for (int32_t i = 0; i < w->rows; i++, value += (uint64_t)table->step)
        w->values[i] = (int64_t)value;
    fl_vec_set_flat(ret, FL_TYPE(FL_I64), w->values, NULL);
    return FL_OK;
}

static void scan_free(fl_scan *base)
{
    fl_table_unref(&((range_scan *)base)->table->base);
    fl_free(base);
}

static const fl_scan_ops scan_ops = {.worker_new = worker_new,
                                     .worker_free = worker_free,
                                     .claim = claim,
                                     .next = next,
                                     .read = read,
                                     .free = scan_free};

static fl_status scan_new(fl_table *base, const fl_scan_request *request, fl_scan **ret, fl_err *err)
{
    range_scan *scan = NULL;
    fl_status st = fl_alloc_zero(request->memory, (int64_t)sizeof(*scan), (void **)&scan, err);
    if (st != FL_OK)
        return st;
    scan->base.ops = &scan_ops;
    scan->base.rows_total = ((range_table *)base)->rows;
    scan->table = (range_table *)fl_table_ref(base);
    scan->rows_max = request->rows_max;
    *ret = &scan->base;
    return FL_OK;
}

static void stats(fl_table *base, int32_t col, fl_col_stats *ret)
{
    (void)col;
    const range_table *table = (const range_table *)base;
    *ret = (fl_col_stats){.has_bounds = table->rows > 0,
                          .min = table->min,
                          .max = table->max,
                          .null_fraction = 0,
                          .distinct = table->base.rows,
                          .source = FL_STATS_EXACT};
}

static int32_t orders(fl_table *base, const fl_table_order **ret)
{
    *ret = &((const range_table *)base)->order;
    return base->rows > 1;
}

static void facts(fl_table *base, int32_t col, fl_table_facts *ret)
{
    const range_table *table = (const range_table *)base;
    *ret = (fl_table_facts){.rows = table->rows, .has_extremes = col == 0, .min = table->min, .max = table->max};
    ret->min.is_null = ret->max.is_null = table->rows == 0;
}

static void table_free(fl_table *base)
{
    range_table *table = (range_table *)base;
    fl_arena_drop(&table->arena);
    fl_free(table);
}

static const fl_table_ops table_ops = {
    .scan_new = scan_new, .stats = stats, .orders = orders, .facts = facts, .free = table_free};

fl_status fl_range_table_new(fl_memory *memory, fl_str name, int64_t start, int64_t stop, int64_t step, bool is_closed,
                             fl_table **ret, fl_err *err)
{
    fl_status st = FL_OK;
    range_table *table = NULL;
    fl_str identity;
    if (step == 0)
        return FL_FAIL(err, FL_ERR_CONFIG, "the step of %.*s cannot be 0", FL_STR_ARG(name));
    fl_i128 span = step > 0 ? (fl_i128)stop - start : (fl_i128)start - stop;
    fl_i128 size = step > 0 ? step : -(fl_i128)step;
    fl_i128 rows = span < 0 ? 0 : is_closed ? span / size + 1 : (span + size - 1) / size;
    if (rows > INT64_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "%.*s has more than 2^63 rows", FL_STR_ARG(name));
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*table), (void **)&table, err));
    fl_arena_init(&table->arena, memory);
    FL_TRY(fl_arena_format(&table->arena, &identity, err, "%.*s(%lld, %lld, %lld)", FL_STR_ARG(name), (long long)start,
                           (long long)stop, (long long)step));
    FL_TRY(fl_arena_copy_str(&table->arena, name, &table->field.name, err));
    table->field.type = FL_TYPE(FL_I64);
    table->start = start;
    table->step = step;
    table->rows = (int64_t)rows;
    table->base = (fl_table){.ops = &table_ops,
                             .name = identity,
                             .format = "range",
                             .function = table->field.name,
                             .fields = &table->field,
                             .n_cols = 1,
                             .rows = (double)rows};
    atomic_store(&table->base.refs, 1);
    int64_t last = (int64_t)((uint64_t)start + (uint64_t)(rows > 0 ? rows - 1 : 0) * (uint64_t)step);
    table->min = (fl_value){.type = FL_TYPE(FL_I64), .i = step > 0 ? start : last};
    table->max = (fl_value){.type = FL_TYPE(FL_I64), .i = step > 0 ? last : start};
    table->key = (fl_table_order_key){.is_descending = step < 0, .nulls_first = step < 0, .is_null_free = true};
    table->order = (fl_table_order){.keys = &table->key, .n_keys = 1};
    *ret = &table->base;
    return FL_OK;
cleanup:
    if (table != NULL)
        table_free(&table->base);
    return st;
}
