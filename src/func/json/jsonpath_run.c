/* Running paths of SQL/JSON, as PostgreSQL does.
 *
 * In the lax mode arrays are opened where a single value is wanted, a single value is an array of one where an array is, and what is not there is
 * nothing. In the strict mode each of these is an error. Conditions are true, false or unknown, which is what an error within one makes of it.
 * Numbers are what the document's reader makes of them: whole ones of 64 bits, and doubles, whose sums and products have 15 digits. */
#include "func/json/jsonpath.h"

#include "func/json/jsonpath_time.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX 1000 /* of steps within and behind others */

typedef fl_jsonpath_step step;
typedef fl_jsonpath_run run;
typedef fl_jsonpath_items items;

typedef enum outcome { FOUND, NOTHING, FAILED /* and nobody shall be told */ } outcome;
typedef enum truth { NO, YES, UNKNOWN } truth;

static fl_status apply(run *r, const step *s, yyjson_val *value, bool opens, items *found, outcome *ret, fl_err *err);
static fl_status decide(run *r, const step *s, yyjson_val *value, truth *ret, fl_err *err);

/* ---- errors and values ----------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 5, 6))) static fl_status fault(run *r, const char *state, outcome *ret, fl_err *err,
                                                             const char *format, ...)
{
    va_list args;
    char message[300];
    *ret = FAILED;
    if (r->is_silent || r->is_tolerant)
        return FL_OK;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return fl_err_state(err, state, FL_FAIL(err, FL_ERR_VALUE, "%s", message));
}

static fl_status fail_depth(fl_err *err)
{
    return fl_err_state(err, "54001", FL_FAIL(err, FL_ERR_LIMIT, "a path goes at most %d steps deep", DEPTH_MAX));
}

static bool is_lax(const run *r)
{
    return !r->path->is_strict;
}

static fl_status add(run *r, items *to, yyjson_val *value, fl_err *err)
{
    fl_status st = FL_OK;
    if (to->n == to->capacity) {
        yyjson_val **more = NULL;
        int64_t capacity = to->n * 2 + 8;
        FL_TRY(FL_NEW_ARRAY(r->work->call->heap, capacity, &more, err));
        if (to->n > 0)
            memcpy(more, to->values, (size_t)to->n * sizeof(*more));
        to->values = more;
        to->capacity = capacity;
    }
    to->values[to->n++] = value;
    st = fl_call_work(r->work->call, 8, err);
cleanup:
    return st;
}

static fl_status new_value(run *r, yyjson_val **ret, fl_err *err)
{
    return FL_NEW(r->work->call->heap, ret, err);
}

static bool is_number(yyjson_val *value)
{
    return yyjson_is_num(value) || yyjson_is_raw(value);
}

static double double_of(yyjson_val *value)
{
    char digits[400];
    if (!yyjson_is_raw(value))
        return yyjson_get_num(value);
    size_t len = yyjson_get_len(value) < sizeof(digits) - 1 ? yyjson_get_len(value) : sizeof(digits) - 1;
    memcpy(digits, yyjson_get_raw(value), len); /* a number that 64 bits do not hold */
    digits[len] = 0;
    return strtod(digits, NULL);
}

static bool whole_of(yyjson_val *value, int64_t *ret)
{
    *ret = yyjson_is_int(value) ? yyjson_get_sint(value) : 0;
    return yyjson_is_sint(value) || (yyjson_is_uint(value) && yyjson_get_uint(value) <= INT64_MAX);
}

/* Of doubles whose fraction is nothing whole ones are made, where `is_whole` asks for it. */
static fl_status number(run *r, double value, bool is_whole, yyjson_val **ret, outcome *ret_outcome, fl_err *err)
{
    if (!isfinite(value))
        return fault(r, "22003", ret_outcome, err, "a number of the path is out of range");
    fl_status st = new_value(r, ret, err);
    if (st == FL_OK && is_whole && fabs(value) < 9e15 && value == trunc(value))
        yyjson_set_sint(*ret, (int64_t)value);
    else if (st == FL_OK)
        yyjson_set_real(*ret, value);
    return st;
}

static fl_status text_value(run *r, const char *text, yyjson_val **ret, fl_err *err)
{
    fl_status st = new_value(r, ret, err);
    if (st == FL_OK)
        yyjson_set_str(*ret, text);
    return st;
}

/* ---- steps ----------------------------------------------------------------------------------------------------------- */

/* What comes behind a step gets the value that it gave; `found` NULL: it is only asked whether there is one. */
static fl_status go_on(run *r, const step *s, yyjson_val *value, items *found, outcome *ret, fl_err *err)
{
    *ret = FOUND;
    if (s->next != NULL)
        return apply(r, s->next, value, is_lax(r), found, ret, err);
    return found != NULL ? add(r, found, value, err) : FL_OK;
}

/* Joins what several values led to. True: nothing more is to be looked at. */
static bool join(outcome one, const items *found, outcome *all)
{
    if (one == FAILED || (one == FOUND && found == NULL)) {
        *all = one;
        return true;
    }
    *all = one == FOUND ? FOUND : *all;
    return false;
}

/* The step on each element of an array. */
static fl_status apply_to_elements(run *r, const step *s, yyjson_val *array, items *found, outcome *ret, fl_err *err)
{
    fl_status st = FL_OK;
    size_t i, n;
    yyjson_val *element;
    *ret = NOTHING;
    yyjson_arr_foreach(array, i, n, element)
    {
        outcome one;
        FL_TRY(apply(r, s, element, false, found, &one, err));
        if (join(one, found, ret))
            break;
    }
cleanup:
    return st;
}

static fl_status apply_member(run *r, const step *s, yyjson_val *value, items *found, outcome *ret, fl_err *err)
{
    *ret = NOTHING;
    if (!yyjson_is_obj(value))
        return r->is_relaxed ? FL_OK
                             : fault(r, "2203A", ret, err, "a member, \"%.*s\", is asked of what is no object",
                                     FL_STR_ARG(s->text));
    yyjson_val *member = yyjson_obj_getn(value, s->text.data, (size_t)s->text.len);
    if (member != NULL)
        return go_on(r, s, member, found, ret, err);
    return r->is_relaxed ? FL_OK
                         : fault(r, "2203A", ret, err, "the object has no member \"%.*s\"", FL_STR_ARG(s->text));
}

/* What lies below, from one level to another; of FL_JP_LAST_LEVEL alone what holds nothing. */
static fl_status apply_below(run *r, const step *s, yyjson_val *value, int64_t level, int64_t first, int64_t last,
                             bool relaxes, items *found, outcome *ret, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_object = yyjson_is_obj(value), was_relaxed = r->is_relaxed, only_last = first < 0 && last < 0;
    size_t n = is_object ? yyjson_obj_size(value) : yyjson_arr_size(value);
    yyjson_val *child = NULL, *name = NULL;
    yyjson_obj_iter members;
    yyjson_obj_iter_init(value, &members);
    *ret = NOTHING;
    for (size_t i = 0; i < n; i++) {
        outcome one = NOTHING;
        if (is_object) {
            name = yyjson_obj_iter_next(&members);
            child = yyjson_obj_iter_get_val(name);
        } else {
            child = i == 0 ? yyjson_arr_get_first(value) : unsafe_yyjson_get_next(child);
        }
        FL_TRY(fl_call_work(r->work->call, 4, err));
        if (only_last ? !yyjson_is_ctn(child) : first >= 0 && level >= first) {
            r->is_relaxed |= relaxes;
            st = go_on(r, s, child, found, &one, err);
            r->is_relaxed = was_relaxed;
            if (st != FL_OK || join(one, found, ret))
                break;
        }
        if (yyjson_is_ctn(child) && (last < 0 || level < last)) {
            FL_TRY(apply_below(r, s, child, level + 1, first, last, relaxes, found, &one, err));
            if (join(one, found, ret))
                break;
        }
    }
cleanup:
    return st;
}

static fl_status apply_all_levels(run *r, const step *s, yyjson_val *value, items *found, outcome *ret, fl_err *err)
{
    fl_status st = FL_OK;
    outcome below = NOTHING;
    *ret = NOTHING;
    if (s->first == 0) {
        bool was_relaxed = r->is_relaxed;
        outcome own;
        r->is_relaxed = true;
        st = go_on(r, s, value, found, &own, err);
        r->is_relaxed = was_relaxed;
        if (st != FL_OK || join(own, found, ret))
            return st;
    }
    if (yyjson_is_ctn(value) && s->last != 0) {
        FL_TRY(apply_below(r, s, value, 1, s->first, s->last, true, found, &below, err));
        (void)join(below, found, ret);
    }
cleanup:
    return st;
}

/* A subscript: a single number, whose fraction is cut off. */
static fl_status subscript(run *r, const step *s, yyjson_val *value, int64_t *ret, outcome *ret_outcome, fl_err *err)
{
    fl_status st = FL_OK;
    items found = {0};
    FL_TRY(apply(r, s, value, is_lax(r), &found, ret_outcome, err));
    if (*ret_outcome == FAILED)
        return FL_OK;
    if (found.n != 1 || !is_number(found.values[0]))
        return fault(r, "22033", ret_outcome, err, "a subscript of the path is not a single number");
    double number = double_of(found.values[0]);
    if (!(fabs(number) < 2147483648.0))
        return fault(r, "22033", ret_outcome, err, "a subscript of the path is out of range");
    *ret = (int64_t)number;
cleanup:
    return st;
}

static fl_status apply_subscripts(run *r, const step *s, yyjson_val *value, items *found, outcome *ret, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_array = yyjson_is_arr(value);
    int64_t n = is_array ? (int64_t)yyjson_arr_size(value) : 1, outer = r->last;
    *ret = NOTHING;
    if (!is_array && !is_lax(r))
        return r->is_relaxed ? FL_OK : fault(r, "22039", ret, err, "an element is asked of what is no array");
    for (int32_t i = 0; i < s->n_elements; i++) {
        int64_t from = 0, to;
        outcome one = FOUND;
        r->last = n - 1;
        FL_TRY(subscript(r, s->elements[2 * i], value, &from, &one, err));
        to = from;
        if (one != FAILED && s->elements[2 * i + 1] != NULL)
            FL_TRY(subscript(r, s->elements[2 * i + 1], value, &to, &one, err));
        r->last = outer;
        if (one != FAILED && !r->is_relaxed && (from < 0 || from > to || to >= n))
            FL_TRY(fault(r, "22033", &one, err, "a subscript of the path is out of bounds"));
        if (one == FAILED) {
            *ret = FAILED;
            break;
        }
        from = from < 0 ? 0 : from;
        to = to < n ? to : n - 1;
        for (int64_t k = from; k <= to; k++) {
            yyjson_val *element = is_array ? yyjson_arr_get(value, (size_t)k) : value;
            FL_TRY(fl_call_work(r->work->call, 2, err));
            FL_TRY(go_on(r, s, element, found, &one, err));
            if (join(one, found, ret))
                return FL_OK;
        }
    }
cleanup:
    r->last = outer;
    return st;
}

/* ---- methods --------------------------------------------------------------------------------------------------------- */

static const char *type_of(yyjson_val *value)
{
    if (fl_jsonpath_is_time(value))
        return fl_jsonpath_time_type(value);
    return yyjson_is_obj(value)    ? "object"
           : yyjson_is_arr(value)  ? "array"
           : yyjson_is_str(value)  ? "string"
           : yyjson_is_null(value) ? "null"
           : yyjson_is_bool(value) ? "boolean"
                                   : "number";
}

static const char *method_name(fl_jsonpath_kind kind)
{
    return kind == FL_JP_ABS ? "abs" : kind == FL_JP_FLOOR ? "floor" : "ceiling";
}

static fl_status apply_rounding(run *r, const step *s, yyjson_val *value, items *found, outcome *ret, fl_err *err)
{
    fl_status st = FL_OK;
    yyjson_val *made = value;
    *ret = NOTHING;
    if (!is_number(value))
        return fault(r, "22036", ret, err, ".%s() is for numbers", method_name(s->kind));
    double number_ = double_of(value);
    if (s->kind != FL_JP_ABS && !yyjson_is_int(value))
        FL_TRY(number(r, s->kind == FL_JP_FLOOR ? floor(number_) : ceil(number_), true, &made, ret, err));
    else if (s->kind == FL_JP_ABS && number_ < 0)
        FL_TRY(number(r, -number_, yyjson_is_int(value), &made, ret, err));
    if (*ret != FAILED)
        st = go_on(r, s, made, found, ret, err);
cleanup:
    return st;
}

static fl_status apply_double(run *r, const step *s, yyjson_val *value, items *found, outcome *ret, fl_err *err)
{
    fl_status st = FL_OK;
    yyjson_val *made = NULL;
    double number_ = 0;
    *ret = NOTHING;
    if (yyjson_is_str(value) && !fl_jsonpath_is_time(value)) {
        char digits[400], *end = digits;
        size_t len = yyjson_get_len(value);
        if (len > 0 && len < sizeof(digits)) {
            memcpy(digits, yyjson_get_str(value), len);
            digits[len] = 0;
            number_ = strtod(digits, &end);
            while (*end == ' ')
                end++;
        }
        if (len == 0 || len >= sizeof(digits) || end == digits || *end != 0 || !isfinite(number_))
            return fault(r, "22036", ret, err, ".double() is of a text that is no number");
    } else if (is_number(value)) {
        number_ = double_of(value);
    } else {
        return fault(r, "22036", ret, err, ".double() is for numbers and texts");
    }
    FL_TRY(number(r, number_, true, &made, ret, err));
    if (*ret != FAILED)
        st = go_on(r, s, made, found, ret, err);
cleanup:
    return st;
}

static fl_status apply_datetime(run *r, const step *s, yyjson_val *value, items *found, outcome *ret, fl_err *err)
{
    fl_status st = FL_OK;
    yyjson_val *made = NULL;
    *ret = NOTHING;
    if (!yyjson_is_str(value))
        return fault(r, "22031", ret, err, ".datetime() is for texts");
    FL_TRY(fl_jsonpath_time_read(r->work->call->heap, fl_json_str(value), &made, err));
    if (made == NULL)
        return fault(r, "22031", ret, err, "\"%.*s\" is no date or time that .datetime() knows",
                     FL_STR_ARG(fl_json_str(value)));
    st = go_on(r, s, made, found, ret, err);
cleanup:
    return st;
}

/* Each member as an object of its own. */
static fl_status apply_keyvalue(run *r, const step *s, yyjson_val *value, items *found, outcome *ret, fl_err *err)
{
    fl_status st = FL_OK;
    size_t i, n;
    yyjson_val *name, *member;
    fl_text text;
    fl_text_init(&text, NULL);
    *ret = NOTHING;
    if (!yyjson_is_obj(value))
        return fault(r, "2203C", ret, err, ".keyvalue() is for objects");
    int64_t id = value >= r->root ? (int64_t)(value - r->root) : 0; /* where it lies in the document */
    yyjson_obj_foreach(value, i, n, name, member)
    {
        fl_str kept;
        yyjson_val *made = NULL;
        outcome one;
        fl_text_clear(&text);
        fl_text_add(&text, FL_STR("{\"id\":"));
        fl_text_addf(&text, "%lld", (long long)id);
        fl_text_add(&text, FL_STR(",\"key\":"));
        FL_TRY(fl_json_print_value(r->work, name, YYJSON_WRITE_NOFLAG, &text, err));
        fl_text_add(&text, FL_STR(",\"value\":"));
        FL_TRY(fl_json_print_value(r->work, member, YYJSON_WRITE_NOFLAG, &text, err));
        fl_text_add(&text, FL_STR("}"));
        FL_TRY(fl_text_status(&text, err));
        FL_TRY(fl_arena_copy_str(r->work->call->heap, fl_text_str(&text), &kept, err));
        FL_TRY(fl_json_read(r->work, kept, &made, err));
        FL_TRY(go_on(r, s, made, found, &one, err));
        if (join(one, found, ret))
            break;
    }
cleanup:
    fl_text_drop(&text);
    return st;
}

static fl_status apply_size(run *r, const step *s, yyjson_val *value, items *found, outcome *ret, fl_err *err)
{
    fl_status st = FL_OK;
    yyjson_val *made = NULL;
    *ret = NOTHING;
    if (!yyjson_is_arr(value) && !is_lax(r))
        return r->is_relaxed ? FL_OK : fault(r, "22039", ret, err, ".size() is for arrays");
    FL_TRY(new_value(r, &made, err));
    yyjson_set_sint(made, yyjson_is_arr(value) ? (int64_t)yyjson_arr_size(value) : 1);
    st = go_on(r, s, made, found, ret, err);
cleanup:
    return st;
}

/* ---- arithmetic ------------------------------------------------------------------------------------------------------ */

/* The values of an expression, arrays among them opened in the lax mode. */
static fl_status collect(run *r, const step *s, yyjson_val *value, bool opens, items *ret, outcome *ret_outcome,
                         fl_err *err)
{
    fl_status st = FL_OK;
    items found = {0};
    *ret = (items){0};
    FL_TRY(apply(r, s, value, is_lax(r), &found, ret_outcome, err));
    if (*ret_outcome == FAILED || !opens || !is_lax(r)) {
        *ret = found;
        return FL_OK;
    }
    for (int64_t i = 0; i < found.n; i++) {
        size_t k, n;
        yyjson_val *element;
        if (!yyjson_is_arr(found.values[i]))
            FL_TRY(add(r, ret, found.values[i], err));
        yyjson_arr_foreach(found.values[i], k, n, element)
        {
            FL_TRY(add(r, ret, element, err));
        }
    }
cleanup:
    return st;
}

static const char *symbol_of(fl_jsonpath_kind kind)
{
    return kind == FL_JP_ADD ? "+" : kind == FL_JP_SUB ? "-" : kind == FL_JP_MUL ? "*" : kind == FL_JP_DIV ? "/" : "%";
}

static bool compute_whole(fl_jsonpath_kind kind, int64_t a, int64_t b, int64_t *ret)
{
    switch (kind) {
    case FL_JP_ADD:
        return !__builtin_add_overflow(a, b, ret);
    case FL_JP_SUB:
        return !__builtin_sub_overflow(a, b, ret);
    case FL_JP_MUL:
        return !__builtin_mul_overflow(a, b, ret);
    case FL_JP_DIV:
        *ret = b != -1 ? a / b : -a;
        return b != -1 ? a % b == 0 : a != INT64_MIN;
    default:
        *ret = b != -1 ? a % b : 0;
        return true;
    }
}

static double compute(fl_jsonpath_kind kind, double a, double b)
{
    char digits[40];
    double value = kind == FL_JP_ADD   ? a + b
                   : kind == FL_JP_SUB ? a - b
                   : kind == FL_JP_MUL ? a * b
                   : kind == FL_JP_DIV ? a / b
                                       : fmod(a, b);
    snprintf(digits, sizeof(digits), "%.15g", value); /* 0.1 + 0.2 is 0.3, as of decimals */
    return strtod(digits, NULL);
}

static fl_status apply_arithmetic(run *r, const step *s, yyjson_val *value, items *found, outcome *ret, fl_err *err)
{
    fl_status st = FL_OK;
    items sides[2];
    int64_t a, b, whole;
    yyjson_val *made = NULL;
    for (int side = 0; side < 2; side++) {
        FL_TRY(collect(r, s->args[side], value, true, &sides[side], ret, err));
        if (*ret == FAILED)
            return FL_OK;
        if (sides[side].n != 1 || !is_number(sides[side].values[0]))
            return fault(r, "22038", ret, err, "the %s side of %s is not a single number", side == 0 ? "left" : "right",
                         symbol_of(s->kind));
    }
    *ret = NOTHING;
    bool are_whole = whole_of(sides[0].values[0], &a) & whole_of(sides[1].values[0], &b);
    double x = double_of(sides[0].values[0]), y = double_of(sides[1].values[0]);
    if ((s->kind == FL_JP_DIV || s->kind == FL_JP_MOD) && y == 0)
        return fault(r, "22012", ret, err, "division by zero");
    if (are_whole && compute_whole(s->kind, a, b, &whole)) {
        FL_TRY(new_value(r, &made, err));
        yyjson_set_sint(made, whole);
    } else {
        FL_TRY(number(r, compute(s->kind, x, y), false, &made, ret, err));
    }
    if (*ret != FAILED)
        st = go_on(r, s, made, found, ret, err);
cleanup:
    return st;
}

static fl_status apply_sign(run *r, const step *s, yyjson_val *value, items *found, outcome *ret, fl_err *err)
{
    fl_status st = FL_OK;
    items of;
    FL_TRY(collect(r, s->args[0], value, true, &of, ret, err));
    if (*ret == FAILED)
        return FL_OK;
    *ret = NOTHING;
    for (int64_t i = 0; i < of.n; i++) {
        yyjson_val *made = of.values[i];
        outcome one = NOTHING;
        if (!is_number(made) && found == NULL && s->next == NULL)
            continue; /* as PostgreSQL has it: others may be there */
        if (!is_number(made))
            return fault(r, "2203B", ret, err, "the value behind %s is no number", s->kind == FL_JP_MINUS ? "-" : "+");
        if (s->kind == FL_JP_MINUS)
            FL_TRY(number(r, 0 - double_of(made), yyjson_is_int(made), &made, &one, err));
        if (one != FAILED)
            FL_TRY(go_on(r, s, made, found, &one, err));
        if (join(one, found, ret))
            break;
    }
cleanup:
    return st;
}

/* ---- conditions ------------------------------------------------------------------------------------------------------ */

static truth truth_of(bool is)
{
    return is ? YES : NO;
}

static truth by_order(fl_jsonpath_kind kind, int order)
{
    switch (kind) {
    case FL_JP_EQ:
        return truth_of(order == 0);
    case FL_JP_NE:
        return truth_of(order != 0);
    case FL_JP_LT:
        return truth_of(order < 0);
    case FL_JP_LE:
        return truth_of(order <= 0);
    case FL_JP_GT:
        return truth_of(order > 0);
    default:
        return truth_of(order >= 0);
    }
}

static int compare_numbers(yyjson_val *a, yyjson_val *b)
{
    int64_t x, y;
    if (whole_of(a, &x) & whole_of(b, &y))
        return (x > y) - (x < y);
    double u = double_of(a), v = double_of(b);
    return (u > v) - (u < v);
}

/* Values of different types, and what holds others, are not compared; but null is different from all else. */
static truth compare(fl_jsonpath_kind kind, yyjson_val *a, yyjson_val *b)
{
    int order;
    bool are_same = strcmp(type_of(a), type_of(b)) == 0;
    if (!are_same && (yyjson_is_null(a) || yyjson_is_null(b)))
        return truth_of(kind == FL_JP_NE);
    if (!are_same || yyjson_is_ctn(a))
        return UNKNOWN;
    if (yyjson_is_str(a)) {
        fl_str x = fl_json_str(a), y = fl_json_str(b);
        size_t common = (size_t)(x.len < y.len ? x.len : y.len);
        order = common > 0 ? memcmp(x.data, y.data, common) : 0;
        order = order != 0 ? order : (x.len > y.len) - (x.len < y.len);
    } else if (yyjson_is_bool(a)) {
        order = (int)yyjson_get_bool(a) - (int)yyjson_get_bool(b);
    } else {
        order = yyjson_is_null(a) ? 0 : compare_numbers(a, b);
    }
    return by_order(kind, order);
}

static truth starts_with(yyjson_val *a, yyjson_val *b)
{
    if (!yyjson_is_str(a) || !yyjson_is_str(b))
        return UNKNOWN;
    return truth_of(fl_str_has_prefix(fl_json_str(a), fl_json_str(b)));
}

static fl_status compare_times(const run *r, fl_jsonpath_kind kind, const yyjson_val *a, const yyjson_val *b,
                               truth *ret, fl_err *err)
{
    fl_jsonpath_order order = fl_jsonpath_time_compare(a, b, r->uses_zone);
    *ret = order == FL_JP_APART ? UNKNOWN : by_order(kind, (int)order);
    if (order != FL_JP_NEEDS_ZONE)
        return FL_OK;
    fl_status st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "a %s is compared with a %s: which zone is meant?",
                           fl_jsonpath_time_type(a), fl_jsonpath_time_type(b));
    fl_err_hint(err, "jsonb_path_query_tz and its kin take the one for UTC's");
    return fl_err_state(err, "0A000", st);
}

/* A condition over each value of the left side with each of the right one. In the lax mode one that is true is enough. */
static fl_status decide_pairs(run *r, const step *s, yyjson_val *value, truth *ret, fl_err *err)
{
    fl_status st = FL_OK;
    items left, right = {0};
    outcome one;
    bool is_any = false, is_unknown = false;
    fl_regex_run regex;
    *ret = UNKNOWN;
    FL_TRY(collect(r, s->args[0], value, true, &left, &one, err));
    if (one != FAILED && s->kind != FL_JP_LIKE_REGEX)
        FL_TRY(collect(r, s->args[1], value, s->kind != FL_JP_STARTS_WITH, &right, &one, err));
    if (one == FAILED)
        return FL_OK;
    if (s->kind == FL_JP_LIKE_REGEX) {
        right.n = 1;
        if (left.n > 0)
            FL_TRY(fl_regex_run_init(&regex, s->regex, false, r->work->call->heap, err));
    }
    for (int64_t i = 0; i < left.n; i++)
        for (int64_t k = 0; k < right.n; k++) {
            truth is;
            FL_TRY(fl_call_work(r->work->call, 4, err));
            if (s->kind == FL_JP_LIKE_REGEX) {
                bool matches = false, is_text = yyjson_is_str(left.values[i]);
                if (is_text) {
                    fl_regex_begin(&regex, fl_json_str(left.values[i]));
                    FL_TRY(fl_regex_search(&regex, 0, &matches, err));
                }
                is = is_text ? truth_of(matches) : UNKNOWN;
            } else if (s->kind != FL_JP_STARTS_WITH && fl_jsonpath_is_time(left.values[i]) &&
                       fl_jsonpath_is_time(right.values[k])) {
                FL_TRY(compare_times(r, s->kind, left.values[i], right.values[k], &is, err));
            } else {
                is = s->kind == FL_JP_STARTS_WITH ? starts_with(left.values[i], right.values[k])
                                                  : compare(s->kind, left.values[i], right.values[k]);
            }
            is_unknown |= is == UNKNOWN;
            is_any |= is == YES;
            if ((is == YES && is_lax(r)) || (is == UNKNOWN && !is_lax(r))) {
                *ret = is;
                return FL_OK;
            }
        }
    *ret = is_any ? YES : is_unknown ? UNKNOWN : NO;
cleanup:
    return st;
}

static fl_status decide_exists(run *r, const step *s, yyjson_val *value, truth *ret, fl_err *err)
{
    fl_status st = FL_OK;
    items found = {0};
    outcome one;
    FL_TRY(apply(r, s->args[0], value, is_lax(r), is_lax(r) ? NULL : &found, &one, err));
    *ret = one == FAILED ? UNKNOWN : truth_of(is_lax(r) ? one == FOUND : found.n > 0);
cleanup:
    return st;
}

static fl_status decide_both(run *r, const step *s, yyjson_val *value, truth *ret, fl_err *err)
{
    fl_status st = FL_OK;
    truth left, right, ends = s->kind == FL_JP_AND ? NO : YES;
    FL_TRY(decide(r, s->args[0], value, &left, err));
    *ret = left;
    if (left == ends)
        return FL_OK;
    FL_TRY(decide(r, s->args[1], value, &right, err));
    *ret = right == ends || left != UNKNOWN ? right : UNKNOWN;
cleanup:
    return st;
}

static fl_status decide(run *r, const step *s, yyjson_val *value, truth *ret, fl_err *err)
{
    fl_status st = FL_OK;
    bool was_tolerant = r->is_tolerant;
    if (r->depth >= DEPTH_MAX)
        return fail_depth(err);
    r->depth++;
    r->is_tolerant = true;
    switch (s->kind) {
    case FL_JP_AND:
    case FL_JP_OR:
        st = decide_both(r, s, value, ret, err);
        break;
    case FL_JP_NOT:
        st = decide(r, s->args[0], value, ret, err);
        *ret = *ret == UNKNOWN ? UNKNOWN : truth_of(*ret == NO);
        break;
    case FL_JP_IS_UNKNOWN:
        st = decide(r, s->args[0], value, ret, err);
        *ret = truth_of(*ret == UNKNOWN);
        break;
    case FL_JP_EXISTS:
        st = decide_exists(r, s, value, ret, err);
        break;
    default:
        st = decide_pairs(r, s, value, ret, err);
        break;
    }
    r->is_tolerant = was_tolerant;
    r->depth--;
    return st;
}

/* What a condition comes to, as a value: true, false, or null for unknown. */
static fl_status apply_condition(run *r, const step *s, yyjson_val *value, items *found, outcome *ret, fl_err *err)
{
    fl_status st = FL_OK;
    truth is = UNKNOWN;
    yyjson_val *made = NULL;
    FL_TRY(decide(r, s, value, &is, err));
    FL_TRY(new_value(r, &made, err));
    if (is == UNKNOWN)
        yyjson_set_null(made);
    else
        yyjson_set_bool(made, is == YES);
    st = go_on(r, s, made, found, ret, err);
cleanup:
    return st;
}

static fl_status apply_filter(run *r, const step *s, yyjson_val *value, items *found, outcome *ret, fl_err *err)
{
    fl_status st = FL_OK;
    truth is = UNKNOWN;
    yyjson_val *outer = r->current;
    *ret = NOTHING;
    r->current = value;
    st = decide(r, s->args[0], value, &is, err);
    r->current = outer;
    return st == FL_OK && is == YES ? go_on(r, s, value, found, ret, err) : st;
}

/* ---- one step -------------------------------------------------------------------------------------------------------- */

static fl_status find_variable(run *r, const step *s, yyjson_val **ret, fl_err *err)
{
    *ret = r->variables != NULL ? yyjson_obj_getn(r->variables, s->text.data, (size_t)s->text.len) : NULL;
    if (*ret != NULL)
        return FL_OK;
    fl_status st = FL_FAIL(err, FL_ERR_VALUE, "the path's variable \"%.*s\" has no value", FL_STR_ARG(s->text));
    fl_err_hint(err, "variables are given as an object: jsonb_path_query(j, '$ ? (@ > $x)', '{\"x\": 1}')");
    return fl_err_state(err, "42704", st);
}

/* Whether a step is about single values: of an array, about its elements, in the lax mode. */
static bool opens_arrays(fl_jsonpath_kind kind)
{
    switch (kind) {
    case FL_JP_MEMBER:
    case FL_JP_ANY_MEMBER:
    case FL_JP_FILTER:
    case FL_JP_ABS:
    case FL_JP_FLOOR:
    case FL_JP_CEILING:
    case FL_JP_DOUBLE:
    case FL_JP_DATETIME:
    case FL_JP_KEYVALUE:
        return true;
    default:
        return false;
    }
}

static fl_status apply_one(run *r, const step *s, yyjson_val *value, items *found, outcome *ret, fl_err *err)
{
    fl_status st = FL_OK;
    yyjson_val *made = NULL;
    *ret = NOTHING;
    switch (s->kind) {
    case FL_JP_ROOT:
        return go_on(r, s, r->root, found, ret, err);
    case FL_JP_CURRENT:
        return go_on(r, s, r->current, found, ret, err);
    case FL_JP_LAST:
        FL_TRY(new_value(r, &made, err));
        yyjson_set_sint(made, r->last);
        return go_on(r, s, made, found, ret, err);
    case FL_JP_VARIABLE:
        FL_TRY(find_variable(r, s, &made, err));
        return go_on(r, s, made, found, ret, err);
    case FL_JP_STRING:
    case FL_JP_NUMBER:
    case FL_JP_NULL:
    case FL_JP_BOOL:
        FL_TRY(new_value(r, &made, err));
        *made = s->value;
        return go_on(r, s, made, found, ret, err);
    case FL_JP_MEMBER:
        return apply_member(r, s, value, found, ret, err);
    case FL_JP_ANY_MEMBER:
        if (yyjson_is_obj(value))
            return apply_below(r, s, value, 1, 1, 1, false, found, ret, err);
        return r->is_relaxed ? FL_OK : fault(r, "2203C", ret, err, "members (.*) are asked of what is no object");
    case FL_JP_ANY_ELEMENT:
        if (yyjson_is_arr(value))
            return apply_below(r, s, value, 1, 1, 1, false, found, ret, err);
        if (is_lax(r))
            return go_on(r, s, value, found, ret, err);
        return r->is_relaxed ? FL_OK : fault(r, "22039", ret, err, "elements ([*]) are asked of what is no array");
    case FL_JP_ELEMENTS:
        return apply_subscripts(r, s, value, found, ret, err);
    case FL_JP_BELOW:
        return apply_all_levels(r, s, value, found, ret, err);
    case FL_JP_FILTER:
        return apply_filter(r, s, value, found, ret, err);
    case FL_JP_TYPE:
        FL_TRY(text_value(r, type_of(value), &made, err));
        return go_on(r, s, made, found, ret, err);
    case FL_JP_SIZE:
        return apply_size(r, s, value, found, ret, err);
    case FL_JP_ABS:
    case FL_JP_FLOOR:
    case FL_JP_CEILING:
        return apply_rounding(r, s, value, found, ret, err);
    case FL_JP_DOUBLE:
        return apply_double(r, s, value, found, ret, err);
    case FL_JP_DATETIME:
        return apply_datetime(r, s, value, found, ret, err);
    case FL_JP_KEYVALUE:
        return apply_keyvalue(r, s, value, found, ret, err);
    case FL_JP_PLUS:
    case FL_JP_MINUS:
        return apply_sign(r, s, value, found, ret, err);
    default:
        return s->kind < FL_JP_AND ? apply_arithmetic(r, s, value, found, ret, err)
                                   : apply_condition(r, s, value, found, ret, err);
    }
cleanup:
    return st;
}

static fl_status apply(run *r, const step *s, yyjson_val *value, bool opens, items *found, outcome *ret, fl_err *err)
{
    fl_status st = fl_call_work(r->work->call, 4, err);
    if (st != FL_OK)
        return st;
    if (r->depth >= DEPTH_MAX)
        return fail_depth(err);
    r->depth++;
    st = opens && yyjson_is_arr(value) && opens_arrays(s->kind) ? apply_to_elements(r, s, value, found, ret, err)
                                                                : apply_one(r, s, value, found, ret, err);
    r->depth--;
    return st;
}

/* ---- all of it ------------------------------------------------------------------------------------------------------- */

static void begin(run *r)
{
    r->current = r->root;
    r->last = -1;
    r->is_relaxed = is_lax(r);
    r->is_tolerant = false;
    r->depth = 0;
}

fl_status fl_jsonpath_query(fl_jsonpath_run *run, fl_jsonpath_items *ret, bool *ret_failed, fl_err *err)
{
    outcome all = NOTHING;
    begin(run);
    *ret = (items){0};
    fl_status st = apply(run, run->path->first, run->root, is_lax(run), ret, &all, err);
    *ret_failed = all == FAILED;
    return st;
}

fl_status fl_jsonpath_exists(fl_jsonpath_run *run, bool *ret, bool *ret_failed, fl_err *err)
{
    outcome all = NOTHING;
    items found = {0};
    begin(run);
    fl_status st = apply(run, run->path->first, run->root, is_lax(run), is_lax(run) ? NULL : &found, &all, err);
    *ret_failed = all == FAILED;
    *ret = is_lax(run) ? all == FOUND : found.n > 0;
    return st;
}
