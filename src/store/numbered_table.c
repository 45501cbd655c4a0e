/* The numbered table asks the table that it is of: whose scan knows the places of rows as a column behind its own. */
#include "store/numbered_table.h"

#include "store/memory_table.h"

typedef struct numbered_table {
    fl_table base;
    fl_table *of;
    fl_field *fields;
    fl_table_order_key key;
    fl_table_order order;
} numbered_table;

static fl_status scan_new(fl_table *base, const fl_scan_request *request, fl_scan **ret, fl_err *err)
{
    fl_table *of = ((numbered_table *)base)->of;
    return of->ops->scan_new(of, request, ret, err);
}

static void stats(fl_table *base, int32_t col, fl_col_stats *ret)
{
    const numbered_table *table = (const numbered_table *)base;
    if (col < table->of->n_cols)
        table->of->ops->stats(table->of, col, ret);
    else
        *ret = (fl_col_stats){.null_fraction = 0, .distinct = base->rows, .source = FL_STATS_EXACT};
}

static fl_status sample(fl_table *base, fl_memory *memory, const int32_t *cols, int32_t n_cols, fl_vec *ret_vecs,
                        fl_table_sample *ret, fl_err *err)
{
    fl_table *of = ((numbered_table *)base)->of;
    *ret = (fl_table_sample){0};
    for (int32_t i = 0; i < n_cols; i++)
        if (cols[i] == of->n_cols)
            return FL_OK;
    return of->ops->sample(of, memory, cols, n_cols, ret_vecs, ret, err);
}

static int32_t orders(fl_table *base, const fl_table_order **ret)
{
    *ret = &((const numbered_table *)base)->order;
    return base->rows > 1;
}

static void table_free(fl_table *base)
{
    numbered_table *table = (numbered_table *)base;
    fl_table_unref(table->of);
    fl_free(table->fields);
    fl_free(table);
}

static const fl_table_ops table_ops = {
    .scan_new = scan_new, .stats = stats, .sample = sample, .orders = orders, .free = table_free};

fl_status fl_numbered_table_new(fl_table *of, fl_memory *memory, fl_table **ret, fl_err *err)
{
    fl_status st = FL_OK;
    numbered_table *table = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*table), (void **)&table, err));
    FL_TRY(fl_alloc_zero(memory, (of->n_cols + 1) * (int64_t)sizeof(fl_field), (void **)&table->fields, err));
    if (of->n_cols > 0)
        memcpy(table->fields, of->fields, (size_t)of->n_cols * sizeof(fl_field));
    table->fields[of->n_cols] = (fl_field){.name = FL_STR("place"), .type = FL_TYPE(FL_I64)};
    table->base = (fl_table){.ops = &table_ops,
                             .name = of->name,
                             .format = of->format,
                             .options_hash = of->options_hash,
                             .fields = table->fields,
                             .n_cols = of->n_cols + 1,
                             .keys = of->keys,
                             .n_keys = of->n_keys,
                             .rows = of->rows,
                             .version = of->version};
    atomic_store(&table->base.refs, 1);
    table->key = (fl_table_order_key){.col = of->n_cols, .is_null_free = true};
    table->order = (fl_table_order){.keys = &table->key, .n_keys = 1};
    table->of = fl_table_ref(of);
    *ret = &table->base;
    return FL_OK;
cleanup:
    fl_free(table);
    return st;
}
