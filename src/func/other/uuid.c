/* Identifiers of RFC 9562 as text: uuid() and gen_random_uuid() of version 4, uuidv7() of version 7, which ascend with time, and what can
 * be read from them. */
#include "base/system.h"
#include "exec/func.h"
#include "exec/session_state.h"

#define UUID_TEXT 36

static void print_uuid(const uint8_t bytes[16], char *ret)
{
    static const char digits[] = "0123456789abcdef";
    int len = 0;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            ret[len++] = '-';
        ret[len++] = digits[bytes[i] >> 4];
        ret[len++] = digits[bytes[i] & 15];
    }
}

static fl_status make(fl_call *call, int version, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t *bytes = NULL;
    char *text = NULL;
    uint64_t ms = (uint64_t)(call->session->now_us / 1000);
    FL_TRY(FL_NEW_ARRAY(call->heap, (int64_t)call->rows * 16 + 1, &bytes, err));
    FL_TRY(fl_call_room(call, (int64_t)call->rows * UUID_TEXT + 1, &text, err));
    int failure = fl_system_random(fl_memory_system(call->memory), bytes, (int64_t)call->rows * 16);
    if (failure < 0)
        return FL_FAIL(err, FL_ERR_IO, "the system gives no random bytes: %s", fl_system_reason(failure));
    for (int32_t row = 0; row < call->rows; row++) {
        uint8_t *one = bytes + 16LL * row;
        char *out = text + (int64_t)UUID_TEXT * row;
        for (int i = 0; i < 6 && version == 7; i++)
            one[i] = (uint8_t)(ms >> (40 - 8 * i));
        one[6] = (uint8_t)(version << 4 | (one[6] & 15));
        one[8] = 0x80 | (one[8] & 0x3F);
        print_uuid(one, out);
        fl_ret_view(call)[row] = fl_view_of(out, UUID_TEXT);
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

/* Digits, with or without hyphens and braces. */
static bool read_uuid(fl_str x, uint8_t ret[16])
{
    int n = 0;
    if (x.len >= 2 && x.data[0] == '{' && x.data[x.len - 1] == '}')
        x = (fl_str){x.data + 1, x.len - 2};
    for (int64_t i = 0; i < x.len; i++) {
        char c = fl_char_lower(x.data[i]);
        int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (c == '-' && n > 0 && n % 4 == 0)
            continue;
        if (value < 0 || n == 32)
            return false;
        ret[n / 2] = (uint8_t)(n % 2 == 0 ? value << 4 : ret[n / 2] | value);
        n++;
    }
    return n == 32;
}

static fl_status fail_uuid(fl_str x, fl_err *err)
{
    return fl_err_state(err, "22P02",
                        FL_FAIL(err, FL_ERR_VALUE, "\"%.*s\" is no UUID", (int)(x.len < 60 ? x.len : 60), x.data));
}

static fl_status version_of(fl_call *call, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        uint8_t bytes[16] = {0};
        fl_ret_u32(call)[row] = 0;
        if (!fl_call_wants(call, row))
            continue;
        if (!read_uuid(fl_vec_str(&call->args[0], row), bytes))
            return fail_uuid(fl_vec_str(&call->args[0], row), err);
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
        uint8_t bytes[16] = {0};
        int64_t ms = 0;
        fl_ret_i64(call)[row] = 0;
        if (!fl_call_wants(call, row) || !fl_vec_is_valid(&call->args[0], row))
            continue;
        if (!read_uuid(fl_vec_str(&call->args[0], row), bytes))
            return fail_uuid(fl_vec_str(&call->args[0], row), err);
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
                FL_ARGS(), FL_UTF8, 0, run                                                \
            }                                                                             \
        }                                                                                 \
    }

static const fl_func_desc funcs[] = {
    MAKER("gen_random_uuid", make_v4, "gen_random_uuid(): a random UUID as text, another for every row"),
    MAKER("uuidv7", make_v7, "uuidv7(): a UUID as text that begins with the time at which the statement began"),
    {FL_DESC(fl_func_desc), .name = "uuid_extract_version", .traits = FL_PURE | FL_NULL_GIVES_NULL,
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_UTF8), FL_U32, FL_CAN_FAIL, version_of}}, .n_overloads = 1,
     .doc = "uuid_extract_version(x): the version of a UUID"},
    {FL_DESC(fl_func_desc), .name = "uuid_extract_timestamp", .traits = FL_PURE | FL_NULL_GIVES_NULL | FL_GIVES_NULL,
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_UTF8), FL_TIMESTAMPTZ, FL_CAN_FAIL, timestamp_of}},
     .n_overloads = 1, .doc = "uuid_extract_timestamp(x): the time of a UUID of version 7, null of others"},
};

FL_FUNC_SET(uuid, funcs);
