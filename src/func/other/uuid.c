/* Identifiers of RFC 9562: uuid() and gen_random_uuid() of version 4, uuidv7() of version 7, which ascend with time, and what can
 * be read from them. */
#include "base/system.h"
#include "base/uuid.h"
#include "exec/func.h"
#include "exec/session_state.h"

static fl_status make(fl_call *call, int version, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t *bytes = NULL;
    uint64_t ms = (uint64_t)(call->session->now_us / 1000);
    FL_TRY(FL_NEW_ARRAY(call->heap, (int64_t)call->rows * 16 + 1, &bytes, err));
    int failure = fl_system_random(fl_memory_system(call->memory), bytes, (int64_t)call->rows * 16);
    if (failure < 0)
        return FL_FAIL(err, FL_ERR_IO, "the system gives no random bytes: %s", fl_system_reason(failure));
    for (int32_t row = 0; row < call->rows; row++) {
        uint8_t *one = bytes + 16LL * row;
        for (int i = 0; i < 6 && version == 7; i++)
            one[i] = (uint8_t)(ms >> (40 - 8 * i));
        one[6] = (uint8_t)(version << 4 | (one[6] & 15));
        one[8] = 0x80 | (one[8] & 0x3F);
        fl_ret_i128(call)[row] = fl_uuid_of_bytes(one);
    }
cleanup:
    return st;
}

static fl_status make_v4(fl_call *call, fl_err *err)
{
    return make(call, 4, err);
}

static fl_status make_v7(fl_call *call, fl_err *err)
{
    return make(call, 7, err);
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static fl_status version_of(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++) {
        uint8_t bytes[FL_UUID_BYTES];
        fl_uuid_to_bytes(fl_vec_i128(&call->args[0], row), bytes);
        fl_ret_u32(call)[row] = bytes[6] >> 4;
    }
    return FL_OK;
}

/* Of version 7; others tell no time: null. */
static fl_status timestamp_of(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *valid = NULL;
    FL_TRY(fl_call_own_valid(call, &valid, err));
    for (int32_t row = 0; row < call->rows; row++) {
        uint8_t bytes[FL_UUID_BYTES];
        int64_t ms = 0;
        fl_ret_i64(call)[row] = 0;
        if (!fl_call_wants(call, row) || !fl_vec_is_valid(&call->args[0], row))
            continue;
        fl_uuid_to_bytes(fl_vec_i128(&call->args[0], row), bytes);
        for (int i = 0; i < 6; i++)
            ms = ms << 8 | bytes[i];
        if (bytes[6] >> 4 != 7)
            fl_bit_clear(valid, row);
        else if (__builtin_mul_overflow(ms, (int64_t)1000, &fl_ret_i64(call)[row]))
            return fl_err_state(err, "22008", FL_FAIL(err, FL_ERR_RANGE, "timestamp out of range"));
    }
cleanup:
    return st;
}

#define MAKER(name_, run, help)                                                           \
    {                                                                                     \
        FL_DESC(fl_func_desc), .name = name_, .traits = 0, .n_overloads = 1, .doc = help, \
            .overloads = (const fl_func_overload[])                                       \
        {                                                                                 \
            {                                                                             \
                FL_ARGS(), FL_OF_UUID, 0, run                                             \
            }                                                                             \
        }                                                                                 \
    }

static const fl_func_desc funcs[] = {
    MAKER("gen_random_uuid", make_v4, "gen_random_uuid(): a random UUID, another for every row"),
    MAKER("uuidv7", make_v7, "uuidv7(): a UUID that begins with the time at which the statement began"),
    {FL_DESC(fl_func_desc), .name = "uuid_extract_version", .traits = FL_PURE | FL_NULL_GIVES_NULL,
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_OF_UUID), FL_U32, 0, version_of}}, .n_overloads = 1,
     .doc = "uuid_extract_version(x): the version of a UUID"},
    {FL_DESC(fl_func_desc), .name = "uuid_extract_timestamp", .traits = FL_PURE | FL_NULL_GIVES_NULL | FL_GIVES_NULL,
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_OF_UUID), FL_TIMESTAMPTZ, FL_CAN_FAIL, timestamp_of}},
     .n_overloads = 1, .doc = "uuid_extract_timestamp(x): the time of a UUID of version 7, null of others"},
};

FL_FUNC_SET(uuid, funcs);
