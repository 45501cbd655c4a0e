/* Lists of a fixed length, integer[3]: what the binder puts around a value that becomes one (front/sql/bind_type_length.c). The names have
 * a blank in them: no call is written so.
 *
 *     "fixed list"(l, n, m, ...)     l, whose elements must be n in number, the elements of each of these m; -1: any number
 *     "has lengths"(l, n, m, ...)    whether it is so */
#include "exec/func.h"

typedef struct lengths {
    const fl_call *call;
    int64_t wanted, found; /* of the list that differs */
} lengths;

/* Whether a list has as many elements as argument `level` says, and its elements as the next ones say. */
static bool fits(lengths *l, const fl_vec *list, int64_t row, int32_t level)
{
    if (level == l->call->n_args || !fl_vec_is_valid(list, row))
        return true;
    fl_list_entry entry = ((const fl_list_entry *)list->data)[fl_vec_row(list, row)];
    int64_t wanted = fl_arg_i64(l->call, level)[fl_vec_row(&l->call->args[level], 0)];
    if (wanted >= 0 && entry.len != wanted) {
        l->wanted = wanted;
        l->found = entry.len;
        return false;
    }
    for (int64_t i = 0; level + 1 < l->call->n_args && i < entry.len; i++)
        if (!fits(l, list->child, entry.start + i, level + 1))
            return false;
    return true;
}

static fl_status fixed(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    lengths l = {.call = call};
    const fl_vec *list = &call->args[0];
    fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data;
    for (int32_t row = 0; row < call->rows; row++) {
        ret[row] = (fl_list_entry){0};
        if (!fl_vec_is_valid(list, row))
            continue;
        if (fl_call_wants(call, row) && !fits(&l, list, row, 1))
            return fl_err_state(err, "2202E",
                                FL_FAIL(err, FL_ERR_VALUE, "a list has %lld elements, its type says %lld",
                                        (long long)l.found, (long long)l.wanted));
        ret[row] = ((const fl_list_entry *)list->data)[fl_vec_row(list, row)];
        FL_TRY(fl_call_work(call, 16, err));
    }
    call->ret->child = list->child;
    call->ret->child_rows = list->child_rows;
cleanup:
    return st;
}

static fl_status has(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    lengths l = {.call = call};
    for (int32_t row = 0; row < call->rows; row++) {
        fl_bit_put(fl_ret_bits(call), row,
                   fl_call_wants(call, row) && fl_vec_is_valid(&call->args[0], row) &&
                       fits(&l, &call->args[0], row, 1));
        FL_TRY(fl_call_work(call, 16, err));
    }
cleanup:
    return st;
}

static fl_status choose(const fl_type *args, int32_t n_args, fl_func_run run, bool gives_list, fl_func_choice *ret,
                        fl_err *err)
{
    if (n_args < 2 || args[0].id != FL_LIST || n_args > FL_FUNC_ARGS_MAX)
        return FL_FAIL(err, FL_ERR_FUNCTION, "a list and its length were expected");
    ret->args[0] = args[0];
    for (int32_t i = 1; i < n_args; i++)
        ret->args[i] = FL_TYPE(FL_I64);
    ret->n_args = n_args;
    ret->ret = gives_list ? args[0] : FL_TYPE(FL_BOOL);
    ret->run = run;
    return FL_OK;
}

static fl_status resolve_fixed(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return choose(args, n_args, fixed, true, ret, err);
}

static fl_status resolve_has(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return choose(args, n_args, has, false, ret, err);
}

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "fixed list", .traits = FL_PURE | FL_NULL_GIVES_NULL | FL_CAN_FAIL | FL_ANY_TYPE,
     .resolve = resolve_fixed, .doc = "the same list, which has so many elements"},
    {FL_DESC(fl_func_desc), .name = "has lengths", .traits = FL_PURE | FL_NULL_GIVES_NULL | FL_ANY_TYPE,
     .resolve = resolve_has, .doc = "whether a list has so many elements"},
};

FL_FUNC_SET(fixed_list, funcs);
