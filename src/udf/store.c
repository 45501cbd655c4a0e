/* A list: there are tens of functions, not thousands. */
#include "udf/store.h"

static bool is_named(const fl_udf *udf, fl_str name)
{
    return fl_str_is_equal_nocase(udf->declaration.name, name);
}

void fl_udf_store_drop(fl_udf_store *store)
{
    for (int32_t i = 0; i < store->n; i++)
        fl_udf_unref(store->items[i].udf);
    fl_free(store->items);
    *store = (fl_udf_store){0};
}

fl_udf *fl_udf_store_active(const fl_udf_store *store, fl_str name)
{
    for (int32_t i = 0; i < store->n; i++)
        if (store->items[i].is_active && is_named(store->items[i].udf, name))
            return store->items[i].udf;
    return NULL;
}

fl_udf *fl_udf_store_version(const fl_udf_store *store, fl_str name, int64_t version)
{
    for (int32_t i = 0; i < store->n; i++)
        if (store->items[i].udf->version == version && is_named(store->items[i].udf, name))
            return store->items[i].udf;
    return NULL;
}

fl_udf *fl_udf_store_version_before(const fl_udf_store *store, fl_str name)
{
    const fl_udf *active = fl_udf_store_active(store, name);
    fl_udf *best = NULL;
    for (int32_t i = 0; i < store->n; i++) {
        fl_udf *udf = store->items[i].udf;
        if (is_named(udf, name) && udf->version > 0 && udf != active &&
            (active == NULL || active->version == 0 || udf->version < active->version) &&
            (best == NULL || udf->version > best->version))
            best = udf;
    }
    return best;
}

int64_t fl_udf_store_next_version(const fl_udf_store *store, fl_str name)
{
    int64_t last = 0;
    for (int32_t i = 0; i < store->n; i++)
        if (is_named(store->items[i].udf, name) && store->items[i].udf->version > last)
            last = store->items[i].udf->version;
    return last + 1;
}

fl_status fl_udf_store_reserve(fl_udf_store *store, fl_err *err)
{
    return fl_grow(NULL, (void **)&store->items, &store->capacity, store->n + 1, (int64_t)sizeof(*store->items), err);
}

void fl_udf_store_add(fl_udf_store *store, fl_udf *udf)
{
    FL_ASSERT(store->n < store->capacity &&
              (udf->version == 0 || fl_udf_store_version(store, udf->declaration.name, udf->version) == NULL));
    store->items[store->n++] = (fl_udf_entry){.udf = udf};
    fl_udf_store_activate(store, udf);
}

void fl_udf_store_activate(fl_udf_store *store, const fl_udf *udf)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < store->n; i++) {
        fl_udf_entry entry = store->items[i];
        if (is_named(entry.udf, udf->declaration.name))
            entry.is_active = entry.udf == udf;
        if (entry.udf->version == 0 && !entry.is_active && is_named(entry.udf, udf->declaration.name))
            fl_udf_unref(entry.udf); /* its name is good again */
        else
            store->items[kept++] = entry;
    }
    store->n = kept;
}

void fl_udf_store_remove(fl_udf_store *store, fl_str name)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < store->n; i++) {
        if (is_named(store->items[i].udf, name))
            fl_udf_unref(store->items[i].udf);
        else
            store->items[kept++] = store->items[i];
    }
    store->n = kept;
}
