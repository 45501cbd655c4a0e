/* The keys of maps: none is null, none stands twice. Who makes a map asks here. */
#ifndef FL_EXEC_MAP_KEYS_H
#define FL_EXEC_MAP_KEYS_H

#include "exec/func.h"

/** *ret = the row of `keys` at which the entries of one map break the rule; -1: they keep it. Cost: one pass. */
fl_status fl_map_faulty_key(fl_call *call, const fl_vec *keys, fl_list_entry entries, int64_t *ret, fl_err *err);

/** Says so of that row: 22004 for null, 22023 for a key that stands twice. */
fl_status fl_map_fail_key(fl_call *call, const fl_vec *keys, int64_t row, fl_err *err);

#endif
