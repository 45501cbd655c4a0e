/* nextval, currval, lastval, setval: numbers of sequences (exec/sequences.h). A number is taken for each row that is wanted. */
#include "exec/func.h"
#include "exec/sequences.h"
#include "exec/session_state.h"

static fl_status find(const fl_call *call, fl_sequences **ret, fl_err *err)
{
    *ret = call->session->sequences;
    return *ret != NULL ? FL_OK : FL_FAIL(err, FL_ERR_UNSUPPORTED, "there are no sequences here");
}

static bool is_wanted(const fl_call *call, int32_t row)
{
    for (int32_t i = 0; i < call->n_args; i++)
        if (!fl_vec_is_valid(&call->args[i], row))
            return false;
    return fl_call_wants(call, row);
}

static fl_status next(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sequences *sequences = NULL;
    FL_TRY(find(call, &sequences, err));
    for (int32_t row = 0; row < call->rows; row++) {
        fl_ret_i64(call)[row] = 0;
        if (is_wanted(call, row))
            FL_TRY(sequences->next(sequences, fl_vec_str(&call->args[0], row), &fl_ret_i64(call)[row], err));
    }
cleanup:
    return st;
}

static fl_status current(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sequences *sequences = NULL;
    FL_TRY(find(call, &sequences, err));
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str name = call->n_args > 0 && is_wanted(call, row) ? fl_vec_str(&call->args[0], row) : (fl_str){0};
        fl_ret_i64(call)[row] = 0;
        if (is_wanted(call, row))
            FL_TRY(sequences->current(sequences, name, &fl_ret_i64(call)[row], err));
    }
cleanup:
    return st;
}

static fl_status set(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sequences *sequences = NULL;
    FL_TRY(find(call, &sequences, err));
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t value = fl_arg_i64(call, 1)[row];
        fl_ret_i64(call)[row] = value;
        if (is_wanted(call, row))
            FL_TRY(sequences->set(sequences, fl_vec_str(&call->args[0], row), value,
                                  call->n_args < 3 || fl_bit_get(fl_arg_bits(call, 2), row), err));
    }
cleanup:
    return st;
}

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "nextval", .traits = FL_NULL_GIVES_NULL | FL_CAN_FAIL,
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_UTF8), FL_I64, FL_CAN_FAIL, next}}, .n_overloads = 1,
     .doc = "nextval(name): the next number of a sequence, another for every row"},
    {FL_DESC(fl_func_desc), .name = "currval", .traits = FL_NULL_GIVES_NULL | FL_CAN_FAIL,
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_UTF8), FL_I64, FL_CAN_FAIL, current}}, .n_overloads = 1,
     .doc = "currval(name): the number that nextval gave to this session last"},
    {FL_DESC(fl_func_desc), .name = "lastval", .traits = FL_CAN_FAIL,
     .overloads = (const fl_func_overload[]){{FL_ARGS(), FL_I64, FL_CAN_FAIL, current}}, .n_overloads = 1,
     .doc = "lastval(): the number that nextval gave to this session last, of any sequence"},
    {FL_DESC(fl_func_desc), .name = "setval", .traits = FL_NULL_GIVES_NULL | FL_CAN_FAIL,
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_UTF8, FL_I64), FL_I64, FL_CAN_FAIL, set},
                                             {FL_ARGS(FL_UTF8, FL_I64, FL_BOOL), FL_I64, FL_CAN_FAIL, set}},
     .n_overloads = 2,
     .doc = "setval(name, n [, is_given]): makes n the number that the sequence gave last; is_given false: that comes "
            "next"},
};

FL_FUNC_SET(sequence, funcs);
