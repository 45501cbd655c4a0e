/* Other names of functions and aggregates: those of DuckDB and of PostgreSQL that mean just the same.
 *
 * The set comes last in builtins.def, when what it names is registered. */
#include "plan/func.h"

#define ALIAS(name_, of) {FL_DESC(fl_func_desc), .name = name_, .alias_of = of, .doc = "as " of}
#define AGG_ALIAS(name_, of) {FL_DESC(fl_agg_desc), .name = name_, .alias_of = of, .doc = "as " of}

static const fl_func_desc funcs[] = {
    ALIAS("greatest_common_divisor", "gcd"),
    ALIAS("least_common_multiple", "lcm"),
    ALIAS("roundbankers", "round_even"),

    ALIAS("date_add", "+"),
    ALIAS("datediff", "date_diff"),
    ALIAS("datesub", "date_sub"),
    ALIAS("datepart", "date_part"),
    ALIAS("datetrunc", "date_trunc"),
    ALIAS("weekofyear", "week"),
    ALIAS("weekday", "dayofweek"),
    ALIAS("dayofmonth", "day"),
    ALIAS("normalized_interval", "justify_interval"),
    ALIAS("today", "current_date"),
    ALIAS("current_localtime", "localtime"),
    ALIAS("get_current_time", "localtime"),
    ALIAS("current_localtimestamp", "localtimestamp"),
    ALIAS("get_current_timestamp", "now"),

    ALIAS("ord", "ascii"),
    ALIAS("unicode", "ascii"),
    ALIAS("to_binary", "bin"),
    ALIAS("from_hex", "unhex"),
    ALIAS("from_binary", "unbin"),
    ALIAS("base64", "to_base64"),
    ALIAS("formatReadableSize", "format_bytes"),
    ALIAS("mismatches", "hamming"),
    ALIAS("like_escape", "like"),
    ALIAS("ilike_escape", "ilike"),
    ALIAS("str_split_regex", "regexp_split_to_array"),

    ALIAS("struct_extract_at", "struct_extract"),
    ALIAS("struct_has", "struct_contains"),
    ALIAS("struct_indexof", "struct_position"),

    ALIAS("array_contains", "list_contains"),
    ALIAS("array_has", "list_contains"),
    ALIAS("list_has", "list_contains"),
    ALIAS("array_extract", "list_extract"),
    ALIAS("list_element", "list_extract"),
    ALIAS("array_indexof", "array_position"),
    ALIAS("array_reverse_sort", "list_reverse_sort"),
    ALIAS("array_unique", "list_unique"),
    ALIAS("array_value", "list_value"),
    ALIAS("list_pack", "list_value"),
    ALIAS("unpivot_list", "list_value"),
    ALIAS("array_push_back", "list_append"),
    ALIAS("array_resize", "list_resize"),
    ALIAS("array_select", "list_select"),
    ALIAS("array_where", "list_where"),
    ALIAS("array_zip", "list_zip"),
    ALIAS("array_intersect", "list_intersect"),
    ALIAS("array_grade_up", "list_grade_up"),
    ALIAS("grade_up", "list_grade_up"),
    ALIAS("list_aggr", "list_aggregate"),
    ALIAS("array_aggr", "list_aggregate"),
    ALIAS("array_aggregate", "list_aggregate"),
    ALIAS("aggregate", "list_aggregate"),
    ALIAS("list_dot_product", "list_inner_product"),
    ALIAS("array_inner_product", "list_inner_product"),
    ALIAS("array_dot_product", "list_inner_product"),
    ALIAS("list_negative_dot_product", "list_negative_inner_product"),
    ALIAS("array_negative_inner_product", "list_negative_inner_product"),
    ALIAS("array_negative_dot_product", "list_negative_inner_product"),
    ALIAS("array_distance", "list_distance"),
    ALIAS("array_cosine_similarity", "list_cosine_similarity"),
    ALIAS("array_cosine_distance", "list_cosine_distance"),

    ALIAS("json_quote", "to_json"),
    ALIAS("array_to_json", "to_json"),
    ALIAS("row_to_json", "to_json"),

    ALIAS("uuid", "gen_random_uuid"),
    ALIAS("uuidv4", "gen_random_uuid"),
    ALIAS("current_catalog", "current_database"),
    ALIAS("current_role", "current_user"),
    ALIAS("session_user", "current_user"),
    ALIAS("user", "current_user"),
};

FL_FUNC_SET(func_aliases, funcs);

static const fl_agg_desc aggs[] = {
    AGG_ALIAS("arbitrary", "first"),
    AGG_ALIAS("argmax", "arg_max"),
    AGG_ALIAS("argmin", "arg_min"),
    AGG_ALIAS("countif", "count_if"),
    AGG_ALIAS("mean", "avg"),
    AGG_ALIAS("count_star", "count"),
    AGG_ALIAS("sum_no_overflow", "sum"),
    AGG_ALIAS("kahan_sum", "fsum"),
    AGG_ALIAS("sumkahan", "fsum"),
    AGG_ALIAS("weighted_avg", "wavg"),
    AGG_ALIAS("geometric_mean", "geomean"),
    AGG_ALIAS("approx_quantile", "quantile_disc"),
    AGG_ALIAS("reservoir_quantile", "quantile_disc"),
};

FL_AGG_SET(agg_aliases, aggs);
