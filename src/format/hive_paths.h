/* Hive's partitions: folders of a path that are a key with a value, "year=2024/month=1/a.parquet".
 *
 * In values %XX is a byte, and __HIVE_DEFAULT_PARTITION__ is NULL. Keys are compared whatever their case. */
#ifndef FL_FORMAT_HIVE_PATHS_H
#define FL_FORMAT_HIVE_PATHS_H

#include "arrow/type.h"
#include "base/arena.h"

/** Whether there are keys, and all paths have the first one's. */
bool fl_hive_is_common(const fl_str *paths, int64_t n_paths);

/** The keys of a path in order of their names, parts of it. */
fl_status fl_hive_keys(fl_arena *arena, fl_str path, fl_str **ret, int32_t *ret_n, fl_err *err);

/** The value of a key; data is NULL where it is NULL or the path has no such key. */
fl_status fl_hive_value(fl_arena *arena, fl_str path, fl_str key, fl_str *ret, fl_err *err);

/** bigint, date or timestamp, the first that all values are of, else text; data NULL: NULL. Numbers with zeros in front
 *  are text, as those in CSV files. */
fl_type fl_hive_guess_type(const fl_str *texts, int64_t n);

#endif
