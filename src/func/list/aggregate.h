/* Aggregates over the elements of a list: list_sum(l) is sum over l.
 *
 * One kernel runs any aggregate: each row of a batch is a group, and its list's elements are the group's rows. A function is bound to its
 * aggregate by `ctx`, a fl_list_aggregate. */
#ifndef FL_FUNC_LIST_AGGREGATE_H
#define FL_FUNC_LIST_AGGREGATE_H

#include "exec/agg.h"
#include "exec/func.h"

typedef struct fl_list_aggregate {
    const fl_func_set *set; /* in which the aggregate is */
    const char *name;
} fl_list_aggregate;

/** fl_func_desc.resolve of such a function. */
fl_status fl_list_aggregate_resolve(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err);

/** fl_func_desc.resolve and .expand of list_aggregate(l, 'name', ...): a call of the function list_<name>. */
fl_status fl_list_aggregate_resolve_named(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err);
fl_status fl_list_aggregate_expand(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t n_args,
                                   int32_t pos, const fl_expr **ret, fl_err *err);

#endif
