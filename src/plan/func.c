/* Which casts exist, which are implicit, and how an overload is chosen. */
#include "plan/func.h"

/* How far an implicit numeric cast goes; the ladder of fl_type_common read as distances. */
static int32_t numeric_rank(fl_type type)
{
    static const int8_t ranks[FL_TYPE_COUNT] = {
        [FL_I8] = 1,  [FL_U8] = 2,  [FL_I16] = 3,      [FL_U16] = 4,  [FL_I32] = 5, [FL_U32] = 6,
        [FL_I64] = 7, [FL_U64] = 8, [FL_DECIMAL] = 10, [FL_F32] = 13, [FL_F64] = 12};
    return ranks[type.id];
}

bool fl_cast_is_implicit(fl_type from, fl_type to, int32_t *ret_cost)
{
    int32_t cost = -1;
    if (fl_type_is_equal(from, to))
        cost = 0;
    else if (from.id == FL_NULL)
        cost = fl_type_is_text(to) ? 1 : 2;
    else if (from.id == FL_TIME && to.extension == FL_TIMETZ)
        cost = 2;
    else if (from.extension != FL_PLAIN || to.extension != FL_PLAIN)
        cost = fl_type_is_equal(fl_type_plain(from), to) ? 1 : -1; /* JSON and enums are text */
    else if (fl_type_is_integer(from) && fl_type_is_integer(to)) {
        if (fl_type_int_min(to) <= fl_type_int_min(from) && fl_type_int_max(to) >= fl_type_int_max(from))
            cost = numeric_rank(to) - numeric_rank(from);
    } else if (fl_type_is_numeric(from) &&
               (fl_type_is_float(to) || (fl_type_is_decimal(to) && !fl_type_is_float(from)))) {
        if (!(from.id == FL_F64 && to.id == FL_F32))
            cost = numeric_rank(to) - numeric_rank(from) + 2;
        if (cost < 1)
            cost = 1;
    } else if (from.id == FL_DATE && fl_type_is_timestamp(to))
        cost = to.id == FL_TIMESTAMP ? 2 : 3;
    else if (fl_type_is_timestamp(from) && fl_type_is_timestamp(to) && (from.unit != FL_NANO || to.unit == FL_NANO))
        cost = from.id == to.id ? 1 : from.id == FL_TIMESTAMP ? 2 : -1;
    else if (from.id == to.id && (from.id == FL_TIME || from.id == FL_INTERVAL))
        cost = 1;
    if (ret_cost != NULL && cost >= 0)
        *ret_cost = cost;
    return cost >= 0;
}

/* Of types one of which is over another. Text and JSON are read as any type that can be read; maps go entry by entry. */
static bool extension_cast_exists(fl_type from, fl_type to)
{
    if (to.extension == FL_JSON)
        return true;
    if (from.extension == FL_MAP || to.extension == FL_MAP) {
        fl_type key = from, value = from;
        if (to.extension != FL_MAP)
            return false;
        if (from.extension == FL_MAP) {
            key = fl_type_map_key(from);
            value = fl_type_map_value(from);
        }
        return (from.extension == FL_MAP || fl_type_is_text(from) || from.extension == FL_JSON) &&
               fl_cast_exists(from.extension == FL_JSON ? FL_TYPE(FL_UTF8) : key, fl_type_map_key(to)) &&
               fl_cast_exists(value, fl_type_map_value(to));
    }
    if (from.extension == FL_JSON && to.id == FL_LIST)
        return fl_cast_exists(from, to.fields[0].type);
    if (from.extension == FL_JSON && to.id == FL_STRUCT) {
        for (int32_t i = 0; i < to.n_fields; i++)
            if (!fl_cast_exists(from, to.fields[i].type))
                return false;
        return true;
    }
    if (from.extension == FL_JSON || fl_type_is_text(from))
        return !fl_type_is_nested(to);
    if (from.extension == FL_BIT || to.extension == FL_BIT)
        return fl_type_is_integer(from) || fl_type_is_integer(to);
    if (to.extension == FL_TIMETZ)
        return from.id == FL_TIME || from.id == FL_TIMESTAMPTZ;
    return (from.extension == FL_TIMETZ && to.id == FL_TIME) || (from.extension == FL_ENUM && to.extension == FL_ENUM);
}

bool fl_cast_exists(fl_type from, fl_type to)
{
    if (from.id == FL_NULL || fl_type_is_equal(from, to) || fl_type_is_text(to))
        return true;
    if (from.extension != FL_PLAIN || to.extension != FL_PLAIN)
        return extension_cast_exists(from, to);
    if (from.id == FL_LIST && to.id == FL_LIST)
        return fl_cast_exists(from.fields[0].type, to.fields[0].type);
    if (from.id == FL_UTF8 && to.id == FL_LIST)
        return fl_cast_exists(from, to.fields[0].type);
    if (from.id == FL_UTF8 && to.id == FL_STRUCT) {
        for (int32_t i = 0; i < to.n_fields; i++)
            if (!fl_cast_exists(from, to.fields[i].type))
                return false;
        return true;
    }
    if (from.id == FL_STRUCT && to.id == FL_STRUCT) { /* field by field, whatever they are called */
        bool exists = from.n_fields == to.n_fields;
        for (int32_t i = 0; exists && i < from.n_fields; i++)
            exists = fl_cast_exists(from.fields[i].type, to.fields[i].type);
        return exists;
    }
    if (fl_type_is_nested(from) || fl_type_is_nested(to))
        return false;
    if (from.id == FL_UTF8)
        return true;
    if (from.id == FL_BOOL)
        return fl_type_is_integer(to);
    if (fl_type_is_numeric(from))
        return fl_type_is_numeric(to) || to.id == FL_BOOL;
    if (from.id == FL_DATE)
        return fl_type_is_timestamp(to);
    if (fl_type_is_timestamp(from))
        return fl_type_is_timestamp(to) || to.id == FL_DATE || to.id == FL_TIME;
    return (from.id == FL_TIME || from.id == FL_INTERVAL) && (to.id == FL_TIME || to.id == FL_INTERVAL);
}

bool fl_cast_can_fail(fl_type from, fl_type to)
{
    if (fl_type_is_nested(from) && from.id == to.id && from.extension == to.extension && from.extension == FL_PLAIN) {
        for (int32_t i = 0; i < from.n_fields && i < to.n_fields; i++)
            if (!fl_type_is_equal(from.fields[i].type, to.fields[i].type) &&
                fl_cast_can_fail(from.fields[i].type, to.fields[i].type))
                return true;
        return false;
    }
    if (from.extension != FL_PLAIN || to.extension != FL_PLAIN)
        return !(from.id == FL_NULL || fl_type_is_text(to) ||
                 (to.extension == FL_TIMETZ && (from.id == FL_TIME || from.id == FL_TIMESTAMPTZ)) ||
                 (from.extension == FL_TIMETZ && to.id == FL_TIME));
    if (from.id == FL_NULL || to.id == FL_UTF8 || to.id == FL_BOOL)
        return from.id == FL_UTF8 && to.id == FL_BOOL;
    if (from.id == FL_UTF8)
        return true;
    if (from.id == FL_BOOL || fl_type_is_float(to))
        return from.id == FL_F64 && to.id == FL_F32;
    if (fl_type_is_integer(from) && fl_type_is_integer(to))
        return fl_type_int_min(to) > fl_type_int_min(from) || fl_type_int_max(to) < fl_type_int_max(from);
    if (to.id == FL_DECIMAL && fl_type_is_integer(from))
        return to.precision - to.scale < fl_type_int_digits(from);
    if (to.id == FL_DECIMAL && from.id == FL_DECIMAL)
        return to.precision - to.scale < from.precision - from.scale + (to.scale < from.scale);
    if (fl_type_is_numeric(from))
        return true;
    return from.id == FL_DATE || (fl_type_is_timestamp(from) && fl_type_is_timestamp(to) && from.unit != to.unit);
}

bool fl_cast_gives_null(fl_type from, fl_type to)
{
    if (fl_type_is_nested(from) && from.id == to.id) {
        for (int32_t i = 0; i < from.n_fields && i < to.n_fields; i++)
            if (fl_cast_gives_null(from.fields[i].type, to.fields[i].type))
                return true;
        return false;
    }
    if (from.extension == FL_JSON) /* as JSON's null does */
        return !fl_type_is_text(to);
    return fl_type_is_timestamp(from) &&
           (to.id == FL_TIME || to.extension == FL_TIMETZ); /* infinity has no time of day */
}

fl_type fl_func_type_of(uint8_t code)
{
    return code == FL_OF_JSON ? FL_TYPE_JSON : code == FL_OF_UUID ? FL_TYPE_UUID : FL_TYPE(code);
}

/* Cost of passing `arg` to an overload's parameter; -1: not possible. ret_type: what it is cast to. in_nanos: kernels work in
 * nanoseconds, else in microseconds. */
static int32_t match(uint8_t wanted, fl_type arg, fl_type first, bool in_nanos, fl_type *ret_type)
{
    int32_t cost = -1;
    fl_type type = fl_func_type_of(wanted);
    if (wanted == FL_ANY) {
        *ret_type = arg.id == FL_NULL ? FL_TYPE(FL_UTF8) : arg;
        return 3;
    }
    if (wanted == FL_SAME)
        type = first;
    else if (wanted == FL_ANY_DECIMAL) {
        if (fl_type_is_decimal(arg)) {
            *ret_type = arg;
            return 0;
        }
        if (!fl_type_is_integer(arg))
            return -1;
        *ret_type = FL_TYPE_DECIMAL(fl_type_int_digits(arg), 0);
        return 12 - numeric_rank(arg);
    }
    if (fl_type_is_timestamp(type) && wanted != FL_SAME) {
        type.unit = in_nanos ? FL_NANO : FL_MICRO;
        if (type.id == arg.id && (in_nanos || arg.unit != FL_NANO)) {
            *ret_type = type;
            return arg.unit == type.unit ? 0 : 1;
        }
    }
    if (!fl_cast_is_implicit(arg, type, &cost))
        return -1;
    *ret_type = type;
    return cost;
}

static int32_t overload_args(const fl_func_overload *overload)
{
    int32_t n = 0;
    while (n < FL_FUNC_ARGS_MAX && overload->args[n] != FL_END)
        n++;
    return n;
}

fl_status fl_types_plain(fl_arena *arena, const fl_type *types, int32_t n, const char *name, const fl_type **ret,
                         fl_err *err)
{
    fl_status st = FL_OK;
    fl_type *plain = NULL;
    *ret = types;
    for (int32_t i = 0; i < n; i++) {
        if (types[i].extension == FL_PLAIN)
            continue;
        if (plain == NULL) {
            FL_TRY(FL_NEW_ARRAY(arena, n, &plain, err));
            memcpy(plain, types, (size_t)n * sizeof(*plain));
        }
        plain[i] = fl_type_plain(types[i]);
        if (plain[i].extension != FL_PLAIN)
            return FL_FAIL(err, FL_ERR_FUNCTION, "no form of %s takes %s", name, FL_TYPE_NAME(types[i]));
    }
    if (plain != NULL)
        *ret = plain;
cleanup:
    return st;
}

fl_status fl_func_resolve(const fl_func_desc *func, fl_arena *arena, const fl_type *args, int32_t n_args,
                          fl_func_choice *ret, fl_err *err)
{
    if (func->resolve != NULL) {
        fl_status st = FL_OK;
        *ret = (fl_func_choice){.func = func, .arena = arena};
        if (!(func->traits & FL_ANY_TYPE))
            st = fl_types_plain(arena, args, n_args, func->name, &args, err);
        if (st == FL_OK)
            st = func->resolve(args, n_args, ret, err);
        if (ret->func == NULL)
            ret->func = func;
        ret->traits |= ret->func->traits;
        return st;
    }
    int32_t best = INT32_MAX;
    for (int32_t o = 0; o < func->n_overloads; o++) {
        const fl_func_overload *overload = &func->overloads[o];
        bool variadic = (func->traits | overload->traits) & FL_VARIADIC;
        int32_t wanted = overload_args(overload), cost = 0;
        if (variadic ? n_args < wanted - 1 : n_args != wanted)
            continue;
        fl_func_choice choice = {.n_args = wanted, .traits = func->traits | overload->traits, .run = overload->run};
        fl_type first = n_args > 0 ? args[0] : FL_TYPE(FL_NULL);
        bool in_nanos = false;
        for (int32_t a = 0; a < n_args && (choice.traits & FL_NANOS); a++)
            in_nanos |= fl_type_is_timestamp(args[a]) && args[a].unit == FL_NANO;
        for (int32_t a = 0; a < n_args && cost >= 0; a++) {
            int32_t slot = a < wanted ? a : wanted - 1;
            fl_type type = {0};
            int32_t one = match(overload->args[slot], args[a], first, in_nanos, &type);
            cost = one < 0 ? -1 : cost + one;
            if (a == 0)
                first = type;
            if (a < wanted)
                choice.args[slot] = type;
        }
        if (cost < 0 || cost >= best)
            continue;
        if (variadic && n_args < wanted)
            choice.args[wanted - 1] =
                FL_TYPE(overload->args[wanted - 1] >= FL_TYPE_COUNT ? FL_UTF8 : overload->args[wanted - 1]);
        best = cost;
        choice.ret = overload->ret == FL_SAME ? choice.args[0] : fl_func_type_of(overload->ret);
        if (fl_type_is_timestamp(choice.ret) && in_nanos)
            choice.ret.unit = FL_NANO;
        *ret = choice;
    }
    if (best == INT32_MAX)
        return FL_FAIL(err, FL_ERR_FUNCTION, "no form of %s takes these arguments", func->name);
    return FL_OK;
}
