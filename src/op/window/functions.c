/* The functions that are called over windows only: their names and types. What they give is in op/window/values.c. */
#include "op/window/node.h"

static fl_status resolve_none(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    (void)args;
    if (n_args != 0)
        return FL_FAIL(err, FL_ERR_FUNCTION, "no argument was expected");
    uint8_t window = ret->agg->window;
    bool is_share = window == FL_OVER_PERCENT_RANK || window == FL_OVER_CUME_DIST;
    *ret = (fl_agg_choice){.ret = is_share ? FL_TYPE(FL_F64) : FL_TYPE(FL_I64), .never_fails = true};
    return FL_OK;
}

static fl_status resolve_ntile(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    (void)args;
    if (n_args != 1)
        return FL_FAIL(err, FL_ERR_FUNCTION, "the number of buckets was expected");
    *ret = (fl_agg_choice){.args = {FL_TYPE(FL_I64)}, .n_args = 1, .ret = FL_TYPE(FL_I64)};
    return FL_OK;
}

static fl_type value_type(fl_type type)
{
    return type.id == FL_NULL ? FL_TYPE(FL_UTF8) : type;
}

static fl_status resolve_shift(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    if (n_args < 1 || n_args > 3)
        return FL_FAIL(err, FL_ERR_FUNCTION, "a value, and perhaps an offset and a default, were expected");
    fl_type type = value_type(args[0]);
    *ret = (fl_agg_choice){.args = {type, FL_TYPE(FL_I64), type}, .n_args = n_args, .ret = type, .never_fails = true};
    return FL_OK;
}

static fl_status resolve_value(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    if (n_args != 1)
        return FL_FAIL(err, FL_ERR_FUNCTION, "one argument was expected");
    *ret = (fl_agg_choice){.args = {value_type(args[0])}, .n_args = 1, .ret = value_type(args[0]), .never_fails = true};
    return FL_OK;
}

static fl_status resolve_nth(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    if (n_args != 2)
        return FL_FAIL(err, FL_ERR_FUNCTION, "a value and a number were expected");
    *ret = (fl_agg_choice){.args = {value_type(args[0]), FL_TYPE(FL_I64)}, .n_args = 2, .ret = value_type(args[0])};
    return FL_OK;
}

#define FUNCTION(id, text, resolver, help) \
    {FL_DESC(fl_agg_desc), .name = text, .window = id, .takes_any_type = true, .resolve = resolver, .doc = help}

static const fl_agg_desc functions[] = {
    FUNCTION(FL_OVER_ROW_NUMBER, "row_number", resolve_none, "row_number() counts the rows of the partition from 1"),
    FUNCTION(FL_OVER_RANK, "rank", resolve_none, "rank() is one more than the rows before all peers"),
    FUNCTION(FL_OVER_DENSE_RANK, "dense_rank", resolve_none, "dense_rank() counts groups of peers from 1"),
    FUNCTION(FL_OVER_PERCENT_RANK, "percent_rank", resolve_none,
             "percent_rank() is (rank - 1) / (rows of the partition - 1)"),
    FUNCTION(FL_OVER_CUME_DIST, "cume_dist", resolve_none,
             "cume_dist() is the share of the partition's rows that are not behind all peers"),
    FUNCTION(FL_OVER_NTILE, "ntile", resolve_ntile, "ntile(n) cuts the partition into n buckets, as equal as can be"),
    FUNCTION(FL_OVER_LAG, "lag", resolve_shift, "lag(x, n, y) is x of the row n before, or y; n is 1 if left out"),
    FUNCTION(FL_OVER_LEAD, "lead", resolve_shift, "lead(x, n, y) is x of the row n behind, or y; n is 1 if left out"),
    FUNCTION(FL_OVER_FIRST_VALUE, "first_value", resolve_value, "first_value(x) is x of the frame's first row"),
    FUNCTION(FL_OVER_LAST_VALUE, "last_value", resolve_value, "last_value(x) is x of the frame's last row"),
    FUNCTION(FL_OVER_NTH_VALUE, "nth_value", resolve_nth, "nth_value(x, n) is x of the frame's n-th row"),
};

const fl_agg_desc *fl_window_find(fl_str name)
{
    for (int64_t i = 0; i < FL_LEN(functions); i++)
        if (fl_str_is_equal_nocase(name, fl_str_of(functions[i].name)))
            return &functions[i];
    return NULL;
}

const char *fl_window_name(int32_t i)
{
    return i < FL_LEN(functions) ? functions[i].name : NULL;
}
