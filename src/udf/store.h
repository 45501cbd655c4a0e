/* The versions of users' functions that an engine has. One version of a name is active: what the registry holds. Where the log of stored
 * functions is damaged the active one may be one of version 0, which is refused.
 *
 * Callers guard it: the engine by its registry_lock. */
#ifndef FL_UDF_STORE_H
#define FL_UDF_STORE_H

#include "udf/function.h"

typedef struct fl_udf_entry {
    fl_udf *udf;
    bool is_active;
} fl_udf_entry;

typedef struct fl_udf_store {
    fl_udf_entry *items; /* in the order in which they came */
    int64_t capacity;
    int32_t n;
} fl_udf_store;

void fl_udf_store_drop(fl_udf_store *store);

/** The active version of a name (without regard to case), or one by its number; NULL when there is none. */
fl_udf *fl_udf_store_active(const fl_udf_store *store, fl_str name);
fl_udf *fl_udf_store_version(const fl_udf_store *store, fl_str name, int64_t version);

/** The version before the active one, by number; NULL when there is none. */
fl_udf *fl_udf_store_version_before(const fl_udf_store *store, fl_str name);

/** The number that the next version of the name gets. */
int64_t fl_udf_store_next_version(const fl_udf_store *store, fl_str name);

/** Room for one more: fl_udf_store_add does not fail behind it. */
fl_status fl_udf_store_reserve(fl_udf_store *store, fl_err *err);

/** Adds a version, whose number is none that there is, takes over the caller's reference, and makes it the active one. */
void fl_udf_store_add(fl_udf_store *store, fl_udf *udf);

/** Makes this version of its name the active one. */
void fl_udf_store_activate(fl_udf_store *store, const fl_udf *udf);

/** Forgets all versions of a name. */
void fl_udf_store_remove(fl_udf_store *store, fl_str name);

#endif
