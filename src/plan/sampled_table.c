/* The scan is that of the table below, but for how morsels are claimed: one that is left out is claimed, left and forgotten. */
#include "plan/sampled_table.h"

#include "base/hash.h"

typedef struct sampled_table {
    fl_table base;
    fl_table *of;
    double share;
    uint64_t seed;
} sampled_table;

/* Stands in the place of the scan's own functions. */
typedef struct sampled_ops {
    fl_scan_ops ops;
    const fl_scan_ops *own;
    double share;
    uint64_t seed;
} sampled_ops;

static const sampled_ops *ops_of(const fl_scan *scan)
{
    return (const sampled_ops *)(const void *)scan->ops;
}

static bool is_kept(const sampled_ops *ops, int64_t morsel)
{
    return (double)(fl_hash_u64((uint64_t)morsel, ops->seed) >> 11) * 0x1p-53 < ops->share;
}

static fl_status claim(fl_scan_worker *worker, bool *ret_any, int64_t *ret_morsel, fl_err *err)
{
    const sampled_ops *ops = ops_of(worker->scan);
    for (;;) {
        fl_status st = ops->own->claim(worker, ret_any, ret_morsel, err);
        if (st != FL_OK || !*ret_any || is_kept(ops, *ret_morsel))
            return st;
        if (ops->own->leave != NULL)
            ops->own->leave(worker);
        atomic_fetch_add(&worker->scan->morsels_pruned, 1);
    }
}

static void scan_free(fl_scan *scan)
{
    union {
        const fl_scan_ops *ops;
        sampled_ops *made;
    } place = {.ops = scan->ops}; /* it was made here, for this scan */
    scan->ops = place.made->own;
    scan->ops->free(scan);
    fl_free(place.made);
}

static fl_status scan_new(fl_table *base, const fl_scan_request *request, fl_scan **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const sampled_table *table = (const sampled_table *)base;
    sampled_ops *ops = NULL;
    FL_TRY(fl_alloc_zero(request->memory, (int64_t)sizeof(*ops), (void **)&ops, err));
    FL_TRY(table->of->ops->scan_new(table->of, request, ret, err));
    ops->own = (*ret)->ops;
    ops->ops = *ops->own;
    ops->ops.claim = claim;
    ops->ops.free = scan_free;
    ops->share = table->share;
    ops->seed = table->seed;
    (*ret)->ops = &ops->ops;
    return FL_OK;
cleanup:
    fl_free(ops);
    return st;
}

static void stats(fl_table *base, int32_t col, fl_col_stats *ret)
{
    fl_table *of = ((sampled_table *)base)->of;
    *ret = (fl_col_stats){.null_fraction = -1, .distinct = -1};
    if (of->ops->stats != NULL)
        of->ops->stats(of, col, ret);
}

static int32_t orders(fl_table *base, const fl_table_order **ret)
{
    fl_table *of = ((sampled_table *)base)->of;
    return of->ops->orders != NULL ? of->ops->orders(of, ret) : 0;
}

static void table_free(fl_table *base)
{
    fl_table_unref(((sampled_table *)base)->of);
    fl_free(base);
}

static const fl_table_ops table_ops = {.scan_new = scan_new, .stats = stats, .orders = orders, .free = table_free};

fl_status fl_sampled_table_new(fl_table *of, double share, uint64_t seed, fl_memory *memory, fl_table **ret,
                               fl_err *err)
{
    fl_status st = FL_OK;
    sampled_table *table = NULL;
    FL_ASSERT(share >= 0 && share <= 1);
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*table), (void **)&table, err));
    table->base = (fl_table){.ops = &table_ops,
                             .name = of->name,
                             .format = of->format,
                             .function = of->function,
                             .options_hash = fl_hash_combine(of->options_hash, seed),
                             .fields = of->fields,
                             .n_cols = of->n_cols,
                             .keys = of->keys,
                             .n_keys = of->n_keys,
                             .note = of->note,
                             .rows = of->rows * share,
                             .version = of->version};
    atomic_store(&table->base.refs, 1);
    table->of = fl_table_ref(of);
    table->share = share;
    table->seed = seed;
    *ret = &table->base;
cleanup:
    return st;
}
