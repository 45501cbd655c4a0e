/* Lists as vectors: inner product, distance, cosine, cross product. Over doubles, or over floats where both lists are of such. */
#include "func/list/list.h"

#include <math.h>

typedef enum measure {
    MEASURE_INNER,
    MEASURE_NEGATIVE_INNER,
    MEASURE_DISTANCE,
    MEASURE_COSINE,
    MEASURE_COSINE_DISTANCE
} measure;

static fl_status fail_null(const fl_call *call, fl_err *err)
{
    return fl_err_state(err, "22004",
                        FL_FAIL(err, FL_ERR_VALUE, "%s takes no null among the elements", call->func->name));
}

static fl_status fail_length(const fl_call *call, int32_t a, int32_t b, fl_err *err)
{
    return fl_err_state(
        err, "2202E",
        FL_FAIL(err, FL_ERR_VALUE, "%s takes lists of one length, not of %d and %d elements", call->func->name, a, b));
}

static double element(const fl_vec *child, int64_t at)
{
    return child->type.id == FL_F32 ? (double)((const float *)child->data)[at] : ((const double *)child->data)[at];
}

static bool has_null(const fl_vec *child, fl_list_entry entry)
{
    for (int32_t i = entry.start; child->valid != NULL && i < entry.start + entry.len; i++)
        if (!fl_vec_is_valid(child, i))
            return true;
    return false;
}

/* The children of both lists, flat. */
static fl_status children_of(fl_call *call, fl_vec ret[2], fl_err *err)
{
    fl_status st = FL_OK;
    for (int i = 0; i < 2 && st == FL_OK; i++) {
        ret[i] = (fl_vec){.type = call->args[i].type.fields[0].type};
        if (call->args[i].child != NULL)
            st = fl_vec_flatten(call->heap, call->args[i].child, call->args[i].child_rows, &ret[i], err);
    }
    return st;
}

static fl_status entries_of(fl_call *call, const fl_vec *children, int32_t row, fl_list_entry ret[2], fl_err *err)
{
    for (int i = 0; i < 2; i++)
        ret[i] = fl_list_entry_of(&call->args[i], row);
    if (ret[0].len != ret[1].len)
        return fail_length(call, ret[0].len, ret[1].len, err);
    if (has_null(&children[0], ret[0]) || has_null(&children[1], ret[1]))
        return fail_null(call, err);
    return fl_call_work(call, 2 * (int64_t)ret[0].len + 8, err);
}

static double measure_of(measure what, const fl_vec *children, const fl_list_entry *entries)
{
    double product = 0, square_a = 0, square_b = 0, distance = 0;
    for (int32_t i = 0; i < entries[0].len; i++) {
        double a = element(&children[0], entries[0].start + i), b = element(&children[1], entries[1].start + i);
        product += a * b;
        square_a += a * a;
        square_b += b * b;
        distance += (a - b) * (a - b);
    }
    double cosine = product / (sqrt(square_a) * sqrt(square_b));
    cosine = cosine > 1 ? 1 : cosine < -1 ? -1 : cosine; /* which rounding may pass */
    switch (what) {
    case MEASURE_INNER:
        return product;
    case MEASURE_NEGATIVE_INNER:
        return -product;
    case MEASURE_DISTANCE:
        return sqrt(distance);
    case MEASURE_COSINE:
        return cosine;
    case MEASURE_COSINE_DISTANCE:
        break;
    }
    return 1 - cosine;
}

static fl_status run(fl_call *call, measure what, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec children[2];
    uint64_t *valid = NULL;
    bool is_float = call->ret->type.id == FL_F32;
    FL_TRY(children_of(call, children, err));
    for (int32_t row = 0; row < call->rows; row++) {
        fl_list_entry entries[2];
        double found = 0;
        if (fl_list_wants(call, row)) {
            FL_TRY(entries_of(call, children, row, entries, err));
            found = measure_of(what, children, entries);
            if (entries[0].len == 0 && (what == MEASURE_COSINE || what == MEASURE_COSINE_DISTANCE)) {
                if (valid == NULL)
                    FL_TRY(fl_call_own_valid(call, &valid, err));
                fl_bit_clear(valid, row); /* vectors of no dimension have no angle */
                found = 0;
            }
        }
        if (is_float)
            fl_ret_f32(call)[row] = (float)found;
        else
            fl_ret_f64(call)[row] = found;
    }
cleanup:
    return st;
}

#define RUN(name, what)                               \
    static fl_status name(fl_call *call, fl_err *err) \
    {                                                 \
        return run(call, what, err);                  \
    }
RUN(inner, MEASURE_INNER)
RUN(negative_inner, MEASURE_NEGATIVE_INNER)
RUN(distance, MEASURE_DISTANCE)
RUN(cosine, MEASURE_COSINE)
RUN(cosine_distance, MEASURE_COSINE_DISTANCE)

static fl_status cross(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_list_values values = {0};
    fl_vec children[2];
    fl_type type = call->ret->type.fields[0].type;
    FL_TRY(children_of(call, children, err));
    for (int32_t row = 0; row < call->rows; row++) {
        fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data + row, entries[2];
        *ret = (fl_list_entry){(int32_t)values.n, 0};
        if (!fl_list_wants(call, row))
            continue;
        FL_TRY(entries_of(call, children, row, entries, err));
        if (entries[0].len != 3)
            return fail_length(call, 3, entries[0].len, err);
        for (int i = 0; i < 3; i++) {
            int next = (i + 1) % 3, after = (i + 2) % 3;
            double product =
                element(&children[0], entries[0].start + next) * element(&children[1], entries[1].start + after) -
                element(&children[0], entries[0].start + after) * element(&children[1], entries[1].start + next);
            fl_value value = {.type = type, .f = type.id == FL_F32 ? (double)(float)product : product};
            FL_TRY(fl_list_add_value(call, &values, &value, err));
        }
        ret->len = 3;
    }
    st = fl_list_finish_values(call, &values, err);
cleanup:
    return st;
}

/* ---- types --------------------------------------------------------------------------------------------------------- */

static fl_status resolve_vectors(const fl_type *args, int32_t n_args, fl_func_run run_, fl_func_choice *ret,
                                 fl_err *err)
{
    fl_arena *arena = ret->arena;
    bool fits = n_args == 2, is_float = fits;
    for (int32_t i = 0; i < n_args && fits; i++) {
        bool is_list = fl_list_is(args[i]);
        fl_type type = is_list ? args[i].fields[0].type : args[i];
        fits = type.id == FL_NULL || (is_list && fl_type_is_numeric(type));
        is_float &= type.id == FL_F32;
    }
    if (!fits)
        return FL_FAIL(err, FL_ERR_FUNCTION, "two lists of numbers were expected");
    fl_type number = FL_TYPE(is_float ? FL_F32 : FL_F64);
    *ret = (fl_func_choice){.n_args = 2, .ret = number, .traits = FL_CAN_FAIL, .run = run_};
    fl_status st = fl_type_list_of(arena, number, &ret->args[0], err);
    ret->args[1] = ret->args[0];
    return st;
}

#define RESOLVE(name)                                                                                      \
    static fl_status resolve_##name(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err) \
    {                                                                                                      \
        return resolve_vectors(args, n_args, name, ret, err);                                              \
    }
RESOLVE(inner)
RESOLVE(negative_inner)
RESOLVE(distance)
RESOLVE(cosine)
RESOLVE(cosine_distance)

static fl_status resolve_cross(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_status st = resolve_vectors(args, n_args, cross, ret, err);
    ret->ret = ret->args[0];
    return st;
}

#define FUNC(text, more, op, help)                                                                                  \
    {FL_DESC(fl_func_desc), .name = text, .traits = FL_PURE | FL_NULL_GIVES_NULL | (more), .resolve = resolve_##op, \
     .doc = help}

static const fl_func_desc funcs[] = {
    FUNC("list_inner_product", 0, inner, "list_inner_product(l, m): products of elements at the same place, added up"),
    FUNC("list_negative_inner_product", 0, negative_inner,
         "list_negative_inner_product(l, m): -list_inner_product(l, m)"),
    FUNC("list_distance", 0, distance, "list_distance(l, m): the distance of two points"),
    FUNC("list_cosine_similarity", FL_GIVES_NULL, cosine,
         "list_cosine_similarity(l, m): the cosine of the angle between two vectors"),
    FUNC("list_cosine_distance", FL_GIVES_NULL, cosine_distance,
         "list_cosine_distance(l, m): 1 - list_cosine_similarity(l, m)"),
    FUNC("array_cross_product", 0, cross,
         "array_cross_product(l, m): the cross product of two vectors of three dimensions"),
};

FL_FUNC_SET(list_geometry, funcs);
