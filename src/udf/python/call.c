/* Calls: rows that are wanted become dense columns, results go back to their rows.
 *
 * What a process gave is looked at as what a stranger sent: it may change what lies in shared memory at any time, so that is copied
 * first and checked then. */
#include "arrow/type.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"
#include "udf/called_rows.h"
#include "udf/python/function.h"

#include <math.h>

#define ALIGN(bytes) (((bytes) + 63) & ~63ll)
#define DAY_US 86400000000ll

typedef struct python_local {
    python_function *function;
    void *caller;
    fl_memory *memory;
    int64_t charged_bytes; /* of shared memory */
} python_local;

fl_status fl_python_local_new(fl_call *call, void **ret, fl_err *err)
{
    python_local *local = NULL;
    fl_status st = fl_alloc_zero(call->memory, (int64_t)sizeof(*local), (void **)&local, err);
    if (st != FL_OK)
        return st;
    local->function = ((fl_udf *)call->func->ctx)->state;
    local->memory = call->memory;
    *ret = local;
    return FL_OK;
}

void fl_python_local_free(const fl_func_desc *func, void *ptr)
{
    python_local *local = ptr;
    (void)func;
    if (local == NULL)
        return;
    if (local->caller != NULL)
        local->function->runtime->caller_free(local->caller);
    if (local->charged_bytes > 0)
        fl_memory_release(local->memory, local->charged_bytes);
    fl_free(local);
}

/* ---- faults ------------------------------------------------------------------------------------------------------------- */

/* What Python says need not be UTF-8. */
static void clean(char *message, int64_t bytes)
{
    message[bytes - 1] = 0;
    if (fl_utf8_is_valid(message, (int64_t)strlen(message)))
        return;
    for (; *message != 0; message++)
        *message = (unsigned char)*message < 0x80 ? *message : '?';
}

static fl_status fail(const fl_call *call, const int32_t *list, int32_t count, fl_python_fault *fault, fl_err *err)
{
    fl_status st;
    fl_text text;
    fl_interrupt *interrupt = call->memory != NULL ? call->memory->interrupt : NULL;
    const char *name = call->func->name;
    fl_str args = FL_STR("…");
    clean(fault->message, (int64_t)sizeof(fault->message));
    clean(fault->traceback, (int64_t)sizeof(fault->traceback));
    switch (fault->kind) {
    case FL_PYTHON_STOPPED:
        st = fl_interrupt_check(interrupt, err);
        return st != FL_OK ? st : FL_FAIL(err, FL_ERR_CANCELLED, "function %s was stopped", name);
    case FL_PYTHON_NO_MEMORY:
        return FL_FAIL(err, FL_ERR_MEMORY, "function %s: %s", name, fault->message);
    case FL_PYTHON_REFUSED:
        return FL_FAIL(err, FL_ERR_CONFIG, "function %s: %s", name, fault->message);
    case FL_PYTHON_LIMIT:
        return FL_FAIL(err, FL_ERR_LIMIT, "function %s: %s", name, fault->message);
    default:
        break;
    }
    fl_text_init(&text, NULL);
    if (fault->row >= 0 && fault->row < count) {
        fl_called_row_print(call->heap, call->args, call->n_args, fl_called_row(list, fault->row), &text);
        args = fl_text_str(&text);
    }
    st = FL_FAIL(err, FL_ERR_VALUE, "function %s(%.*s): %s", name, FL_STR_ARG(args), fault->message);
    fl_err_state(err, fault->kind == FL_PYTHON_MOMENT ? "22008" : "38000", st);
    if (fault->traceback[0] != 0)
        fl_err_hint(err, "%s", fault->traceback);
    fl_text_drop(&text);
    return st;
}

/* ---- columns in --------------------------------------------------------------------------------------------------------- */

/* Whether an argument's values are passed where they lie. */
static bool is_passed(const python_function *f, const fl_vec *vec, int32_t type, const int32_t *list)
{
    return f->runtime->room == NULL && list == NULL && vec->layout == FL_FLAT && type != FL_PYTHON_BOOL &&
           !fl_python_is_text(type);
}

static bool tells_nulls(const python_function *f, const fl_vec *vec)
{
    return f->udf->declaration.takes_nulls && vec->valid != NULL;
}

static void put_texts(const fl_vec *vec, const int32_t *list, int32_t count, int64_t *offsets, char *bytes)
{
    int64_t at = 0;
    for (int32_t i = 0; i < count; i++) {
        int64_t row = fl_called_row(list, i);
        offsets[i] = at;
        if (!fl_vec_is_valid(vec, row))
            continue;
        fl_str s = fl_vec_str(vec, row);
        if (s.len > 0)
            memcpy(bytes + at, s.data, (size_t)s.len);
        at += s.len;
    }
    offsets[count] = at;
}

static void put_numbers(const fl_vec *vec, int32_t type, const int32_t *list, int32_t count, void *to)
{
    int64_t width = fl_python_width(type);
    if (type == FL_PYTHON_BOOL) {
        for (int32_t i = 0; i < count; i++)
            ((uint8_t *)to)[i] = fl_bit_get(vec->data, fl_vec_row(vec, fl_called_row(list, i)));
    } else if (vec->layout == FL_FLAT && list == NULL) {
        memcpy(to, vec->data, (size_t)(count * width));
    } else {
        for (int32_t i = 0; i < count; i++)
            memcpy((char *)to + i * width, (const char *)vec->data + fl_vec_row(vec, fl_called_row(list, i)) * width,
                   (size_t)width);
    }
}

/* Places of a batch's parts, in bytes from where its room begins. */
typedef struct layout {
    int64_t values[FL_PYTHON_ARGS_MAX + 1], nulls[FL_PYTHON_ARGS_MAX + 1], bytes[FL_PYTHON_ARGS_MAX];
    int64_t length[FL_PYTHON_ARGS_MAX]; /* of texts */
    int64_t all;
} layout;

static int64_t take(layout *l, int64_t bytes)
{
    int64_t at = l->all;
    l->all += ALIGN(bytes);
    return at;
}

static void lay_out(const python_function *f, const fl_call *call, const int32_t *list, int32_t count, layout *ret)
{
    *ret = (layout){0};
    for (int32_t i = 0; i < call->n_args; i++) {
        const fl_vec *vec = &call->args[i];
        bool is_text = fl_python_is_text(f->types[i]);
        if (!is_passed(f, vec, f->types[i], list))
            ret->values[i] = take(ret, (count + is_text) * fl_python_width(f->types[i]));
        if (tells_nulls(f, vec))
            ret->nulls[i] = take(ret, count);
        if (is_text) {
            ret->length[i] = fl_called_rows_bytes(vec, list, count);
            ret->bytes[i] = take(ret, ret->length[i]);
        }
    }
    int32_t returns = f->types[FL_FUNC_ARGS_MAX];
    ret->values[call->n_args] = take(ret, (count + 1) * fl_python_width(returns));
    ret->nulls[call->n_args] = take(ret, count);
}

static void put_columns(const python_function *f, const fl_call *call, const int32_t *list, int32_t count,
                        const layout *l, char *room, fl_python_batch *ret)
{
    *ret = (fl_python_batch){.rows = count, .n_args = call->n_args};
    for (int32_t i = 0; i < call->n_args; i++) {
        const fl_vec *vec = &call->args[i];
        fl_python_column *column = &ret->args[i];
        column->type = fl_python_type_of(vec->type, &column->unit);
        column->values = room + l->values[i];
        if (is_passed(f, vec, column->type, list)) {
            column->values = (void *)(uintptr_t)vec->data;
        } else if (fl_python_is_text(column->type)) {
            put_texts(vec, list, count, column->values, room + l->bytes[i]);
            column->bytes = room + l->bytes[i];
            column->bytes_length = l->length[i];
        } else {
            put_numbers(vec, column->type, list, count, column->values);
        }
        if (tells_nulls(f, vec)) {
            column->nulls = (uint8_t *)room + l->nulls[i];
            for (int32_t k = 0; k < count; k++)
                column->nulls[k] = !fl_vec_is_valid(vec, fl_called_row(list, k));
        }
    }
    ret->result.type = fl_python_type_of(call->ret->type, &ret->result.unit);
    ret->result.values = room + l->values[call->n_args];
    ret->result.nulls = (uint8_t *)room + l->nulls[call->n_args];
    memset(ret->result.nulls, 0, (size_t)count);
}

/* Memory for the columns: the runtime's, which counts as the query's, or the call's. */
static fl_status make_room(python_local *local, fl_call *call, int64_t bytes, char **ret, fl_python_fault *fault,
                           fl_err *err)
{
    fl_status st = FL_OK;
    const fl_python_runtime *runtime = local->function->runtime;
    fl_interrupt *interrupt = call->memory != NULL ? call->memory->interrupt : NULL;
    if (runtime->room == NULL)
        return fl_arena_get(call->heap, bytes + 64, (void **)ret, err);
    if (bytes > local->charged_bytes) {
        FL_TRY(fl_memory_charge(local->memory, bytes - local->charged_bytes, err));
        local->charged_bytes = bytes;
    }
    *ret = runtime->room(local->caller, bytes, fl_interrupt_shall_stop, interrupt, fault);
    if (*ret == NULL)
        st = fail(call, NULL, 0, fault, err);
cleanup:
    return st;
}

/* ---- results ------------------------------------------------------------------------------------------------------------ */

static fl_status fail_text(const fl_call *call, const char *what, fl_err *err)
{
    fl_status st = FL_FAIL(err, FL_ERR_VALUE, "function %s gave a text that %s", call->func->name, what);
    return fl_err_state(err, "22021", st);
}

static fl_status take_texts(fl_call *call, const int32_t *list, const fl_python_batch *batch, const uint64_t *valid,
                            fl_err *err)
{
    fl_status st = FL_OK;
    const fl_python_column *result = &batch->result;
    int64_t *offsets = NULL;
    char *bytes = NULL;
    FL_TRY(FL_NEW_ARRAY(call->heap, batch->rows + 1, &offsets, err));
    memcpy(offsets, result->values, (size_t)(batch->rows + 1) * sizeof(*offsets));
    FL_TRY(fl_call_room(call, result->bytes_length + 1, &bytes, err));
    if (result->bytes_length > 0)
        memcpy(bytes, result->bytes, (size_t)result->bytes_length);
    for (int32_t i = 0; i < batch->rows; i++) {
        int64_t row = fl_called_row(list, i), length = offsets[i + 1] - offsets[i];
        if (!fl_is_valid(valid, row)) {
            fl_ret_view(call)[row] = (fl_view){0};
            continue;
        }
        if (offsets[i] < 0 || length < 0 || offsets[i + 1] > result->bytes_length || length > INT32_MAX)
            return fail_text(call, "lies beyond its memory", err);
        if (call->ret->type.id == FL_UTF8 && !fl_utf8_is_valid(bytes + offsets[i], length))
            return fail_text(call, "is no UTF-8", err);
        fl_ret_view(call)[row] = fl_view_of(bytes + offsets[i], length);
    }
cleanup:
    return st;
}

static fl_status take_numbers(fl_call *call, const int32_t *list, const fl_python_batch *batch, fl_err *err)
{
    const fl_python_column *result = &batch->result;
    char *to = (char *)(uintptr_t)call->ret->data;
    int64_t width = fl_python_width(result->type);
    switch (result->type) {
    case FL_PYTHON_BOOL:
        for (int32_t i = 0; i < batch->rows; i++)
            fl_bit_put((uint64_t *)(void *)to, fl_called_row(list, i), ((const uint8_t *)result->values)[i] != 0);
        return FL_OK;
    case FL_PYTHON_F64:
        for (int32_t i = 0; i < batch->rows; i++) {
            double d = ((const double *)result->values)[i];
            fl_ret_f64(call)[fl_called_row(list, i)] = d != d ? (double)NAN : d;
        }
        return FL_OK;
    case FL_PYTHON_F32:
        for (int32_t i = 0; i < batch->rows; i++) {
            float d = ((const float *)result->values)[i];
            fl_ret_f32(call)[fl_called_row(list, i)] = d != d ? NAN : d;
        }
        return FL_OK;
    default:
        break;
    }
    for (int32_t i = 0; i < batch->rows; i++)
        memcpy(to + fl_called_row(list, i) * width, (const char *)result->values + i * width, (size_t)width);
    for (int32_t i = 0; result->type == FL_PYTHON_TIME && i < batch->rows; i++) {
        int64_t *time = &fl_ret_i64(call)[fl_called_row(list, i)];
        if (*time < 0 || *time > DAY_US)
            return FL_FAIL(err, FL_ERR_RANGE, "function %s gave %lld microseconds as a time of the day",
                           call->func->name, (long long)*time);
    }
    return FL_OK;
}

static fl_status take_results(python_function *f, fl_call *call, const int32_t *list, const fl_python_batch *batch,
                              fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *valid = f->udf->declaration.takes_nulls ? fl_call_valid(call) : NULL;
    bool has_nulls = memchr(batch->result.nulls, 1, (size_t)batch->rows) != NULL;
    if (has_nulls && valid == NULL)
        FL_TRY(fl_call_own_valid(call, &valid, err));
    for (int32_t i = 0; has_nulls && i < batch->rows; i++)
        if (batch->result.nulls[i] != 0)
            fl_bit_put(valid, fl_called_row(list, i), false);
    st = fl_python_is_text(batch->result.type) ? take_texts(call, list, batch, valid, err)
                                               : take_numbers(call, list, batch, err);
cleanup:
    return st;
}

fl_status fl_python_run(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    python_local *local = call->local;
    python_function *f = local->function;
    fl_interrupt *interrupt = call->memory != NULL ? call->memory->interrupt : NULL;
    const fl_system *system = fl_memory_system(call->memory);
    int32_t *list = NULL, count = 0;
    char *room = NULL;
    layout places;
    fl_python_batch batch;
    fl_python_fault fault = {.row = -1};
    FL_TRY(fl_called_rows_list(call, f->udf->declaration.takes_nulls, &list, &count, err));
    if (count == 0)
        return FL_OK;
    if (local->caller == NULL)
        local->caller = f->runtime->caller_new(f->function, &fault);
    if (local->caller == NULL)
        return fail(call, NULL, 0, &fault, err);
    lay_out(f, call, list, count, &places);
    FL_TRY(make_room(local, call, places.all, &room, &fault, err));
    put_columns(f, call, list, count, &places, room, &batch);
    int64_t began_ns = fl_clock_ns(system);
    if (!f->runtime->run(local->caller, &batch, fl_interrupt_shall_stop, interrupt, &fault))
        return fail(call, list, count, &fault, err);
    fl_call_times_add(&f->times, fl_clock_ns(system) - began_ns, count);
    st = take_results(f, call, list, &batch, err);
cleanup:
    return st;
}
