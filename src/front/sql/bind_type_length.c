/* Lists of a fixed length. A type that is written as integer[3] is a list that knows its length (fl_type_list_length); what becomes one, by a
 * cast or in a column, is held to it here. Types of any length are equal: only the place that a value goes to says how long it is. */
#include "front/sql/bind.h"

static fl_status make_number(binder *b, int64_t n, const fl_expr **ret)
{
    fl_value value = {.type = FL_TYPE(FL_I64), .i = n};
    return fl_expr_const(b->plan, &value, -1, ret, b->err);
}

fl_status fl_sql_hold_length(binder *b, fl_type type, bool is_try, int32_t pos, const fl_expr **value)
{
    fl_status st = FL_OK;
    const fl_expr *args[FL_FUNC_ARGS_MAX], *cases[3];
    int32_t n = 1, n_used = 0;
    args[0] = *value;
    for (fl_type at = type; at.id == FL_LIST && at.extension == FL_PLAIN && n < FL_FUNC_ARGS_MAX;
         at = at.fields[0].type) {
        int32_t length = fl_type_list_length(at);
        FL_TRY(make_number(b, length > 0 ? length : -1, &args[n++]));
        n_used = length > 0 ? n : n_used;
    }
    if (n_used == 0 || (*value)->type.id != FL_LIST)
        return FL_OK;
    if (!is_try) {
        st = fl_expr_call(b->plan, FL_STR("fixed list"), args, n_used, pos, value, b->err);
        goto cleanup;
    }
    FL_TRY(fl_expr_call(b->plan, FL_STR("has lengths"), args, n_used, pos, &cases[0], b->err));
    cases[1] = *value;
    cases[2] = NULL;
    st = fl_expr_case(b->plan, cases, 3, pos, value, b->err);
cleanup:
    return st;
}
