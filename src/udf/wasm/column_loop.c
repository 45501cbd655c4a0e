/* The loop over columns that the compiled form of a function has (rewrite.h): arguments in, a call, results out.
 *
 * Columns lie in a memory that the module's own code does not reach; of texts these are pointers and lengths, and their bytes lie in the
 * module's memory, in what its `alloc` gave. A text that is returned is read before the next call, so functions that give one have no loop. */
#include "arrow/type.h"
#include "udf/called_rows.h"
#include "udf/wasm/column_loop.h"

#include <math.h>

#define COLUMNS_MAX (3 * FL_FUNC_ARGS_MAX + 2) /* the state; pointers, lengths, whether it is null; the result */

/* Columns of the loop, in the order of its parameters. */
typedef struct loop_columns {
    uint32_t places[COLUMNS_MAX];
    int32_t n;
    uint32_t bytes;
} loop_columns;

static void add_column(loop_columns *columns, int32_t count, int32_t width)
{
    FL_ASSERT(columns->n < COLUMNS_MAX);
    columns->places[columns->n++] = columns->bytes;
    columns->bytes += ((uint32_t)count * (uint32_t)width + 63) & ~63u;
}

static int32_t passed_width(fl_type type)
{
    uint8_t values[2] = {0};
    (void)fl_wasm_values_of(type, values);
    return values[0] == WASM_I32 || values[0] == WASM_F32 ? 4 : 8;
}

/* A number's values for the rows of the list (NULL: all), side by side. */
static void put_column(const fl_vec *vec, const int32_t *list, int32_t count, uint8_t *to)
{
    int32_t width = fl_type_width(vec->type), passed = passed_width(vec->type);
    bool is_plain = vec->layout == FL_FLAT && vec->type.id != FL_BOOL && width == passed;
    if (is_plain && list == NULL) {
        memcpy(to, vec->data, (size_t)count * (size_t)width);
    } else if (is_plain && width == 8) {
        for (int32_t i = 0; i < count; i++)
            ((uint64_t *)(void *)to)[i] = ((const uint64_t *)vec->data)[list[i]];
    } else if (is_plain) {
        for (int32_t i = 0; i < count; i++)
            ((uint32_t *)(void *)to)[i] = ((const uint32_t *)vec->data)[list[i]];
    } else {
        for (int32_t i = 0; i < count; i++) {
            int64_t value = fl_wasm_read_number(vec, fl_called_row(list, i));
            memcpy(to + (int64_t)i * passed, &value, (size_t)passed);
        }
    }
}

/* 1 for each of those rows that is null. */
static void put_nulls(const fl_vec *vec, const int32_t *list, int32_t count, uint8_t *to)
{
    for (int32_t i = 0; i < count; i++)
        ((uint32_t *)(void *)to)[i] = !fl_vec_is_valid(vec, fl_called_row(list, i));
}

/* The results of those rows. */
static fl_status put_results(fl_call *call, const int32_t *list, int32_t count, const uint8_t *results, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t width = passed_width(call->ret->type);
    if (list == NULL && call->ret->type.id == FL_F64) {
        for (int32_t i = 0; i < count; i++) {
            double d = ((const double *)(const void *)results)[i];
            fl_ret_f64(call)[i] = d != d ? (double)NAN : d;
        }
        return FL_OK;
    }
    if (list == NULL && (call->ret->type.id == FL_I32 || call->ret->type.id == FL_I64)) {
        memcpy((void *)(uintptr_t)call->ret->data, results, (size_t)count * (size_t)width);
        return FL_OK;
    }
    for (int32_t i = 0; i < count && st == FL_OK; i++) {
        uint64_t value = 0;
        memcpy(&value, results + (int64_t)i * width, (size_t)width);
        st = fl_wasm_put_number(call->ret, fl_called_row(list, i), value, call->func->name, err);
    }
    return st;
}

/* Texts' pointers and lengths; their bytes go to `to`, which is `at` for the module. Returns how many. */
static uint32_t put_texts(const fl_vec *vec, const int32_t *list, int32_t count, uint8_t *pointers, uint8_t *lengths,
                          uint8_t *to, uint32_t at)
{
    uint32_t bytes = 0;
    for (int32_t i = 0; i < count; i++) {
        int32_t row = fl_called_row(list, i);
        fl_str text = fl_vec_is_valid(vec, row) ? fl_vec_str(vec, row) : (fl_str){0};
        ((uint32_t *)(void *)pointers)[i] = at + bytes;
        ((uint32_t *)(void *)lengths)[i] = (uint32_t)text.len;
        if (text.len > 0)
            memcpy(to + bytes, text.data, (size_t)text.len);
        bytes += (uint32_t)text.len;
    }
    return bytes;
}

static uint64_t texts_bytes(const fl_vec *args, int32_t n_args, const int32_t *list, int32_t count)
{
    uint64_t bytes = 0;
    for (int32_t k = 0; k < n_args; k++)
        if (fl_type_is_string(args[k].type))
            bytes += (uint64_t)fl_called_rows_bytes(&args[k], list, count);
    return bytes;
}

static void put_arguments(const wasm_local *local, const wasm_loop *loop, const loop_columns *columns,
                          bool has_text_bytes)
{
    size_t unused;
    uint8_t *memory = local->engine->memory(local->instance, FL_WASM_COLUMNS, &unused);
    uint8_t *own = has_text_bytes ? local->engine->memory(local->instance, FL_WASM_OWN_MEMORY, &unused) : NULL;
    uint32_t at = local->room_at;
    int32_t n = 0;
    if (loop->states != NULL)
        memcpy(memory + columns->places[n++], loop->states, (size_t)loop->count * sizeof(*loop->states));
    for (int32_t i = 0; i < loop->n_args; i++) {
        const fl_vec *vec = &loop->args[i];
        if (fl_type_is_string(vec->type)) {
            at += put_texts(vec, loop->list, loop->count, memory + columns->places[n], memory + columns->places[n + 1],
                            has_text_bytes ? own + at : NULL, at);
            n += 2;
        } else {
            put_column(vec, loop->list, loop->count, memory + columns->places[n++]);
        }
        if (local->function->udf->declaration.takes_nulls)
            put_nulls(vec, loop->list, loop->count, memory + columns->places[n++]);
    }
    FL_ASSERT(n + (loop->returns != NULL) == columns->n);
}

static bool make_columns(const wasm_local *local, uint32_t wanted, fl_wasm_fault *fault)
{
    size_t bytes = 0;
    local->engine->memory(local->instance, FL_WASM_COLUMNS, &bytes);
    if (bytes >= wanted || local->engine->grow(local->instance, FL_WASM_COLUMNS,
                                               (uint32_t)((wanted - bytes + WASM_PAGE_BYTES - 1) / WASM_PAGE_BYTES)))
        return true;
    *fault = (fl_wasm_fault){.kind = FL_WASM_NO_MEMORY, .message = "out of memory: columns of a function"};
    return false;
}

bool fl_wasm_call_loop(wasm_local *local, const wasm_loop *loop, fl_interrupt *interrupt, const uint8_t **ret_results,
                       fl_wasm_fault *fault)
{
    const fl_wasm_engine_ops *engine = local->engine;
    uint64_t values[WASM_VALUES_MAX] = {(uint64_t)loop->count};
    uint64_t text_bytes = texts_bytes(loop->args, loop->n_args, loop->list, loop->count);
    loop_columns columns = {0};
    size_t unused = 0;
    FL_ASSERT(loop->count > 0 && local->batch != NULL);
    if (loop->states != NULL)
        add_column(&columns, loop->count, 4);
    for (int32_t i = 0; i < loop->n_args; i++) {
        bool is_text = fl_type_is_string(loop->args[i].type);
        add_column(&columns, loop->count, is_text ? 4 : passed_width(loop->args[i].type));
        if (is_text)
            add_column(&columns, loop->count, 4);
        if (local->function->udf->declaration.takes_nulls)
            add_column(&columns, loop->count, 4);
    }
    if (loop->returns != NULL)
        add_column(&columns, loop->count, passed_width(*loop->returns));
    for (int32_t i = 0; i < columns.n; i++)
        values[1 + i] = columns.places[i];
    if (!make_columns(local, columns.bytes, fault) ||
        (text_bytes > 0 && !fl_wasm_make_room(local, text_bytes, interrupt, fault)))
        return false;
    put_arguments(local, loop, &columns, text_bytes > 0);
    int32_t n = 1 + columns.n + (loop->returns == NULL); /* the loop has a place for the result even so */
    if (!engine->call(local->instance, local->batch, values, n, fl_interrupt_shall_stop, interrupt, fault))
        return false;
    if (loop->returns != NULL)
        *ret_results = engine->memory(local->instance, FL_WASM_COLUMNS, &unused) + columns.places[columns.n - 1];
    return true;
}

fl_status fl_wasm_run_loop(wasm_local *local, fl_call *call, const int32_t *list, int32_t count, bool *ret_fault,
                           fl_err *err)
{
    fl_interrupt *interrupt = call->memory != NULL ? call->memory->interrupt : NULL;
    wasm_loop loop = {
        .args = call->args, .n_args = call->n_args, .returns = &call->ret->type, .list = list, .count = count};
    const uint8_t *results = NULL;
    fl_wasm_fault fault = {0};
    *ret_fault = !fl_wasm_call_loop(local, &loop, interrupt, &results, &fault);
    if (!*ret_fault)
        return put_results(call, list, count, results, err);
    fl_wasm_instance_drop(local);
    return fault.kind == FL_WASM_STOPPED || fault.kind == FL_WASM_NO_MEMORY
               ? fl_wasm_fail_row(call, fl_called_row(list, 0), &fault, err)
               : FL_OK;
}
