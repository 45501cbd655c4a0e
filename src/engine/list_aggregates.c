/* list_sum, list_avg and others: the aggregates that lists have functions for, and list_aggregate, which calls them by name.
 *
 * Functions of lists do not know those of rows: here both are known. */
#include "func/list/aggregate.h"

#define SET(set) extern const fl_func_set fl_func_set_##set
SET(any_value);
SET(bit_and);
SET(bool_and);
SET(compensated);
SET(count);
SET(distinct_sketch);
SET(frequency);
SET(min_max);
SET(moments);
SET(quantile);
SET(statistics);
SET(string_agg);
SET(sum);

#define LIST_AGGREGATE(set_, name_)                                                    \
    {FL_DESC(fl_func_desc),                                                            \
     .name = "list_" name_,                                                            \
     .traits = FL_PURE | FL_SETS_VALID,                                                \
     .resolve = fl_list_aggregate_resolve,                                             \
     .ctx = (void *)(uintptr_t)&(const fl_list_aggregate){&fl_func_set_##set_, name_}, \
     .doc = "list_" name_ "(l): " name_ " over the elements of a list"}
#define BY_NAME(name_, doc_)                     \
    {FL_DESC(fl_func_desc),                      \
     .name = name_,                              \
     .traits = FL_PURE,                          \
     .resolve = fl_list_aggregate_resolve_named, \
     .expand = fl_list_aggregate_expand,         \
     .doc = doc_}

static const fl_func_desc funcs[] = {
    LIST_AGGREGATE(any_value, "any_value"),
    LIST_AGGREGATE(any_value, "first"),
    LIST_AGGREGATE(any_value, "last"),
    LIST_AGGREGATE(bit_and, "bit_and"),
    LIST_AGGREGATE(bit_and, "bit_or"),
    LIST_AGGREGATE(bit_and, "bit_xor"),
    LIST_AGGREGATE(bool_and, "bool_and"),
    LIST_AGGREGATE(bool_and, "bool_or"),
    LIST_AGGREGATE(bool_and, "count_if"),
    LIST_AGGREGATE(count, "count"),
    LIST_AGGREGATE(compensated, "product"),
    LIST_AGGREGATE(compensated, "fsum"),
    LIST_AGGREGATE(compensated, "favg"),
    LIST_AGGREGATE(compensated, "geomean"),
    LIST_AGGREGATE(distinct_sketch, "approx_count_distinct"),
    LIST_AGGREGATE(frequency, "entropy"),
    LIST_AGGREGATE(frequency, "approx_top_k"),
    LIST_AGGREGATE(min_max, "min"),
    LIST_AGGREGATE(min_max, "max"),
    LIST_AGGREGATE(moments, "skewness"),
    LIST_AGGREGATE(moments, "kurtosis"),
    LIST_AGGREGATE(moments, "kurtosis_pop"),
    LIST_AGGREGATE(quantile, "median"),
    LIST_AGGREGATE(quantile, "mode"),
    LIST_AGGREGATE(quantile, "mad"),
    LIST_AGGREGATE(quantile, "quantile_cont"),
    LIST_AGGREGATE(quantile, "quantile_disc"),
    LIST_AGGREGATE(quantile, "quantile"),
    LIST_AGGREGATE(statistics, "stddev"),
    LIST_AGGREGATE(statistics, "stddev_pop"),
    LIST_AGGREGATE(statistics, "stddev_samp"),
    LIST_AGGREGATE(statistics, "sem"),
    LIST_AGGREGATE(statistics, "variance"),
    LIST_AGGREGATE(statistics, "var_pop"),
    LIST_AGGREGATE(statistics, "var_samp"),
    LIST_AGGREGATE(string_agg, "string_agg"),
    LIST_AGGREGATE(sum, "sum"),
    LIST_AGGREGATE(sum, "avg"),
    BY_NAME("list_aggregate", "list_aggregate(l, 'name', ...): that aggregate over the elements of a list"),
};

FL_FUNC_SET(list_aggregates, funcs);
