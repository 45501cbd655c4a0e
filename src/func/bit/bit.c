/* Bit strings: & | # ~ << >>, lengths, bits by number (from 0), parts and places (from 1), as PostgreSQL has them (9.6); bitstring and
 * bit_position as DuckDB does. A bit string lies as text of 0 and 1. A name with "bit " in front is called where an argument is one. */
#include "exec/func.h"

#define BITS_MAX (1 << 26) /* that are made of a number alone */

#define BIT ((fl_type){.id = FL_UTF8, .extension = FL_BIT})

/* ---- rows ----------------------------------------------------------------------------------------------------------- */

static bool wants(const fl_call *call, int32_t row)
{
    bool is = fl_call_wants(call, row);
    for (int32_t a = 0; a < call->n_args && is; a++)
        is = fl_vec_is_valid(&call->args[a], row);
    return is;
}

static fl_str bits_of(const fl_call *call, int32_t arg, int32_t row)
{
    return fl_vec_str(&call->args[arg], row);
}

static int64_t number_of(const fl_call *call, int32_t arg, int32_t row)
{
    return fl_arg_i64(call, arg)[fl_vec_row(&call->args[arg], row)];
}

/* Makes a row's result of so many bits, which are for the caller to fill. */
static fl_status make(fl_call *call, int64_t n, char **ret, fl_err *err)
{
    fl_status st = fl_call_room(call, n + 1, ret, err);
    if (st != FL_OK)
        return st;
    memset(*ret, '0', (size_t)n + 1);
    return fl_call_work(call, n, err);
}

static void keep(fl_call *call, int32_t row, const char *bits, int64_t n)
{
    fl_ret_view(call)[row] = n > 0 ? fl_view_of(bits, n) : (fl_view){0};
}

/* Makes the result of a row, whose arguments are not null. `how` tells functions apart that share it. */
typedef fl_status (*row_run)(fl_call *call, int32_t row, int32_t how, fl_err *err);

static fl_status run(fl_call *call, row_run make_row, int32_t how, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_number = call->ret->type.id == FL_I64;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++) {
        if (is_number)
            fl_ret_i64(call)[row] = 0;
        else
            fl_ret_view(call)[row] = (fl_view){0};
        if (wants(call, row))
            st = make_row(call, row, how, err);
    }
    return st;
}

#define RUN(name, make_row, how)                      \
    static fl_status name(fl_call *call, fl_err *err) \
    {                                                 \
        return run(call, make_row, how, err);         \
    }

/* ---- operators ------------------------------------------------------------------------------------------------------ */

static fl_status combine_row(fl_call *call, int32_t row, int32_t op, fl_err *err)
{
    fl_status st = FL_OK;
    char *to;
    fl_str a = bits_of(call, 0, row), b = bits_of(call, 1, row);
    if (a.len != b.len)
        return fl_err_state(err, "22026",
                            FL_FAIL(err, FL_ERR_VALUE, "%c of bit strings of different lengths, %lld and %lld", op,
                                    (long long)a.len, (long long)b.len));
    FL_TRY(make(call, a.len, &to, err));
    for (int64_t i = 0; i < a.len; i++) {
        bool x = a.data[i] == '1', y = b.data[i] == '1';
        to[i] = (char)('0' + (op == '&' ? x && y : op == '|' ? x || y : x != y));
    }
    keep(call, row, to, a.len);
cleanup:
    return st;
}

static fl_status inverted_row(fl_call *call, int32_t row, int32_t unused, fl_err *err)
{
    (void)unused;
    fl_status st = FL_OK;
    char *to;
    fl_str a = bits_of(call, 0, row);
    FL_TRY(make(call, a.len, &to, err));
    for (int64_t i = 0; i < a.len; i++)
        to[i] = (char)('0' + (a.data[i] == '0'));
    keep(call, row, to, a.len);
cleanup:
    return st;
}

/* To the left where `by` counts up; what comes in is 0, the length stays. */
static fl_status shift_row(fl_call *call, int32_t row, int32_t sign, fl_err *err)
{
    fl_status st = FL_OK;
    char *to;
    fl_str a = bits_of(call, 0, row);
    int64_t by = number_of(call, 1, row);
    by = by > a.len ? a.len : by < -a.len ? -a.len : by;
    by *= sign;
    FL_TRY(make(call, a.len, &to, err));
    if (by >= 0)
        memcpy(to, a.data + by, (size_t)(a.len - by));
    else
        memcpy(to - by, a.data, (size_t)(a.len + by));
    keep(call, row, to, a.len);
cleanup:
    return st;
}

/* ---- numbers of them ------------------------------------------------------------------------------------------------ */

enum { LENGTH, OCTETS, ONES };

static fl_status count_row(fl_call *call, int32_t row, int32_t of, fl_err *err)
{
    fl_str bits = bits_of(call, 0, row);
    int64_t n = of == LENGTH ? bits.len : (bits.len + 7) / 8;
    if (of == ONES) {
        n = 0;
        for (int64_t i = 0; i < bits.len; i++)
            n += bits.data[i] == '1';
    }
    fl_ret_i64(call)[row] = n;
    return fl_call_work(call, of == ONES ? bits.len : 16, err);
}

/* ---- bits by number -------------------------------------------------------------------------------------------------- */

static fl_status check_number(fl_str bits, int64_t n, fl_err *err)
{
    if (n >= 0 && n < bits.len)
        return FL_OK;
    return fl_err_state(err, "2202E",
                        FL_FAIL(err, FL_ERR_RANGE, "there is no bit %lld: they are numbered from 0 to %lld",
                                (long long)n, (long long)bits.len - 1));
}

static fl_status get_row(fl_call *call, int32_t row, int32_t unused, fl_err *err)
{
    (void)unused;
    fl_status st = FL_OK;
    FL_TRY(check_number(bits_of(call, 0, row), number_of(call, 1, row), err));
    fl_ret_i64(call)[row] = bits_of(call, 0, row).data[number_of(call, 1, row)] == '1';
cleanup:
    return st;
}

static fl_status set_row(fl_call *call, int32_t row, int32_t unused, fl_err *err)
{
    (void)unused;
    fl_status st = FL_OK;
    char *to;
    fl_str a = bits_of(call, 0, row);
    int64_t at = number_of(call, 1, row), value = number_of(call, 2, row);
    FL_TRY(check_number(a, at, err));
    if (value != 0 && value != 1)
        return fl_err_state(err, "22023", FL_FAIL(err, FL_ERR_VALUE, "a bit is 0 or 1, not %lld", (long long)value));
    FL_TRY(make(call, a.len, &to, err));
    memcpy(to, a.data, (size_t)a.len);
    to[at] = (char)('0' + value);
    keep(call, row, to, a.len);
cleanup:
    return st;
}

/* ---- parts ----------------------------------------------------------------------------------------------------------- */

static fl_status fail_length(int64_t n, fl_err *err)
{
    return fl_err_state(err, "22011", FL_FAIL(err, FL_ERR_RANGE, "a part of %lld bits", (long long)n));
}

/* What lies in [from, from + n), counted from 1, of `len` bits: *ret_start counts from 0. `from` lies between -len and len + 1. */
static int64_t part_of(int64_t len, int64_t from, int64_t n, int64_t *ret_start)
{
    int64_t end = n > 2 * len ? len : from - 1 + n;
    end = end > len ? len : end;
    *ret_start = from < 1 ? 0 : from - 1;
    return end > *ret_start ? end - *ret_start : 0;
}

static fl_status part_row(fl_call *call, int32_t row, int32_t unused, fl_err *err)
{
    (void)unused;
    fl_status st = FL_OK;
    fl_str a = bits_of(call, 0, row);
    int64_t from = number_of(call, 1, row), start, n;
    n = call->n_args > 2 ? number_of(call, 2, row) : a.len * 2 + 1;
    if (n >= 0 && from < -a.len) { /* far outside is as good */
        n = n > -a.len - from ? n - (-a.len - from) : 0;
        from = -a.len;
    }
    from = from > a.len + 1 ? a.len + 1 : from;
    if (n < 0)
        return fail_length(n, err);
    n = part_of(a.len, from, n, &start);
    keep(call, row, a.data + start, n);
    FL_TRY(fl_call_work(call, 16, err));
cleanup:
    return st;
}

static fl_status overlay_row(fl_call *call, int32_t row, int32_t unused, fl_err *err)
{
    (void)unused;
    fl_status st = FL_OK;
    char *to;
    fl_str a = bits_of(call, 0, row), b = bits_of(call, 1, row);
    int64_t from = number_of(call, 2, row), n = call->n_args > 3 ? number_of(call, 3, row) : b.len;
    if (from < 1)
        return fail_length(from - 1, err);
    int64_t before = from - 1 < a.len ? from - 1 : a.len;
    int64_t behind = n > a.len - before ? a.len : before + n < 0 ? 0 : before + n;
    FL_TRY(make(call, before + b.len + a.len - behind, &to, err));
    memcpy(to, a.data, (size_t)before);
    memcpy(to + before, b.data, (size_t)b.len);
    memcpy(to + before + b.len, a.data + behind, (size_t)(a.len - behind));
    keep(call, row, to, before + b.len + a.len - behind);
cleanup:
    return st;
}

/* Where `sub` is in `all`, from 1; 0: nowhere. */
static fl_status find_row(fl_call *call, int32_t row, int32_t all, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str a = bits_of(call, all, row), b = bits_of(call, 1 - all, row);
    const char *hit = b.len == 0 ? a.data : memmem(a.data, (size_t)a.len, b.data, (size_t)b.len);
    fl_ret_i64(call)[row] = hit != NULL || b.len == 0 ? (b.len == 0 ? 0 : hit - a.data) + 1 : 0;
    FL_TRY(fl_call_work(call, a.len, err));
cleanup:
    return st;
}

/* Zeros in front, as many as are wanting. */
static fl_status padded_row(fl_call *call, int32_t row, int32_t unused, fl_err *err)
{
    (void)unused;
    fl_status st = FL_OK;
    char *to;
    fl_str a = bits_of(call, 0, row);
    int64_t n = number_of(call, 1, row);
    if (n < a.len)
        return fl_err_state(err, "22026",
                            FL_FAIL(err, FL_ERR_RANGE, "a bit string of length %lld has no room for %lld bits",
                                    (long long)n, (long long)a.len));
    if (n > BITS_MAX)
        return fl_err_state(
            err, "54000",
            FL_FAIL(err, FL_ERR_LIMIT, "a bit string of %lld bits: there may be %d", (long long)n, BITS_MAX));
    FL_TRY(make(call, n, &to, err));
    memcpy(to + (n - a.len), a.data, (size_t)a.len);
    keep(call, row, to, n);
cleanup:
    return st;
}

RUN(both, combine_row, '&')
RUN(either, combine_row, '|')
RUN(one, combine_row, '#')
RUN(inverted, inverted_row, 0)
RUN(shifted_left, shift_row, 1)
RUN(shifted_right, shift_row, -1)
RUN(length, count_row, LENGTH)
RUN(octets, count_row, OCTETS)
RUN(ones, count_row, ONES)
RUN(get, get_row, 0)
RUN(set, set_row, 0)
RUN(part, part_row, 0)
RUN(overlay, overlay_row, 0)
RUN(find_second, find_row, 0) /* strpos(all, sub) */
RUN(find_first, find_row, 1)  /* bit_position(sub, all) */
RUN(padded, padded_row, 0)

/* ---- descriptors ---------------------------------------------------------------------------------------------------- */

/* form: arguments and result, b for bits, i for a number; those behind '?' may be left out. */
static fl_status choose(const char *form, fl_func_run run, const fl_type *args, int32_t n_args, fl_func_choice *ret,
                        fl_err *err)
{
    int32_t n = 0, n_min = -1;
    fl_func_choice made = {.func = ret->func, .arena = ret->arena, .run = run};
    for (; *form != '>'; form++) {
        if (*form == '?') {
            n_min = n;
            continue;
        }
        bool fits = n >= n_args || args[n].id == FL_NULL ||
                    (*form == 'b' ? args[n].extension == FL_BIT || fl_type_is_text(args[n])
                                  : fl_cast_is_implicit(args[n], FL_TYPE(FL_I64), NULL));
        if (!fits)
            return FL_FAIL(err, FL_ERR_FUNCTION, "a bit string was expected");
        made.args[n++] = *form == 'b' ? BIT : FL_TYPE(FL_I64);
    }
    if (n_args > n || n_args < (n_min >= 0 ? n_min : n))
        return FL_FAIL(err, FL_ERR_FUNCTION, "another number of arguments was expected");
    made.n_args = n_args;
    made.ret = form[1] == 'b' ? BIT : FL_TYPE(FL_I64);
    *ret = made;
    return FL_OK;
}

#define RESOLVE(run, form)                                                                                \
    static fl_status resolve_##run(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err) \
    {                                                                                                     \
        return choose(form, run, args, n_args, ret, err);                                                 \
    }

RESOLVE(both, "bb>b")
RESOLVE(either, "bb>b")
RESOLVE(one, "bb>b")
RESOLVE(inverted, "b>b")
RESOLVE(shifted_left, "bi>b")
RESOLVE(shifted_right, "bi>b")
RESOLVE(length, "b>i")
RESOLVE(octets, "b>i")
RESOLVE(ones, "b>i")
RESOLVE(get, "bi>i")
RESOLVE(set, "bii>b")
RESOLVE(part, "bi?i>b")
RESOLVE(overlay, "bbi?i>b")
RESOLVE(find_second, "bb>i")
RESOLVE(find_first, "bb>i")
RESOLVE(padded, "bi>b")

#define TRAITS (FL_PURE | FL_NULL_GIVES_NULL | FL_CONST_ARGS | FL_OFFSETS_ARGS | FL_CAN_FAIL | FL_ANY_TYPE)
#define FUNC(name_, run, help) \
    {FL_DESC(fl_func_desc), .name = name_, .traits = TRAITS, .resolve = resolve_##run, .doc = help}

static const fl_func_desc funcs[] = {
    FUNC("bit &", both, ""),
    FUNC("bit |", either, ""),
    FUNC("bit #", one, ""),
    FUNC("bit xor", one, ""),
    FUNC("bit ~", inverted, ""),
    FUNC("bit <<", shifted_left, ""),
    FUNC("bit >>", shifted_right, ""),
    FUNC("bit length", length, ""),
    FUNC("bit bit_length", length, ""),
    FUNC("bit octet_length", octets, ""),
    FUNC("bit bit_count", ones, ""),
    FUNC("bit substring", part, ""),
    FUNC("bit substr", part, ""),
    FUNC("bit overlay", overlay, ""),
    FUNC("bit strpos", find_second, ""),
    FUNC("get_bit", get, "get_bit(b, n): a bit of a bit string, from 0 on"),
    FUNC("set_bit", set, "set_bit(b, n, value): with another bit, from 0 on"),
    FUNC("bit_position", find_first, "bit_position(a, b): where the bits a are in b, from 1 on; 0 where they are not"),
    FUNC("bitstring", padded, "bitstring(b, n): with zeros in front, n bits in all"),
};

FL_FUNC_SET(bit, funcs);
