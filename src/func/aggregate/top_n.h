/* max(x, n), min(x, n), arg_max(x, y, n), arg_min(x, y, n): the n rows at one end, as a list, best first. */
#ifndef FL_FUNC_AGGREGATE_TOP_N_H
#define FL_FUNC_AGGREGATE_TOP_N_H

#include "exec/agg.h"

/** Resolves min or max with a number behind the value. */
fl_status fl_top_n_resolve(const fl_type *args, int32_t n_args, bool is_max, fl_agg_choice *ret, fl_err *err);

/** Resolves arg_min or arg_max with a number behind value and key. */
fl_status fl_top_n_resolve_by(const fl_type *args, int32_t n_args, bool is_max, fl_agg_choice *ret, fl_err *err);

#endif
