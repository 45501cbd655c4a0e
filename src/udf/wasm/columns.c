/* Columns go into the module's memory as one block, and the result's come from where the module says that they lie. */
#include "arrow/type.h"
#include "base/utf8.h"
#include "udf/called_rows.h"
#include "udf/wasm/columns.h"

#include <math.h>
#include <stdio.h>

/* As the module sees it; pointers are into its memory. */
typedef struct wasm_column {
    uint32_t is_constant; /* 1: one value, which all rows have */
    uint32_t values;      /* numbers in their width, booleans as bits, texts' bytes */
    uint32_t offsets;     /* texts: rows + 1, into values */
    uint32_t validity;    /* a bit a row, 1: it has a value; 0: all have one */
} wasm_column;

static int64_t bits_bytes(int64_t rows)
{
    return (rows + 7) / 8;
}

/* Bytes of so many values, texts' own aside. */
static int64_t values_bytes(fl_type type, int64_t rows)
{
    return type.id == FL_BOOL ? bits_bytes(rows) : fl_type_is_string(type) ? 0 : rows * fl_type_width(type);
}

/* The next place for so many bytes. */
static uint32_t place(uint64_t *at, int64_t bytes)
{
    uint64_t here = *at;
    *at += ((uint64_t)bytes + 7) & ~7ull;
    return (uint32_t)here;
}

static int32_t stored_rows(const fl_vec *vec, int32_t count)
{
    return vec->layout == FL_CONST ? 1 : count;
}

/* ---- columns in --------------------------------------------------------------------------------------------------------- */

static void put_texts(const fl_vec *vec, const int32_t *list, int32_t rows, uint32_t *offsets, uint8_t *bytes)
{
    uint32_t at = 0;
    for (int32_t i = 0; i < rows; i++) {
        offsets[i] = at;
        if (!fl_vec_is_valid(vec, fl_called_row(list, i)))
            continue;
        fl_str text = fl_vec_str(vec, fl_called_row(list, i));
        if (text.len > 0)
            memcpy(bytes + at, text.data, (size_t)text.len);
        at += (uint32_t)text.len;
    }
    offsets[rows] = at;
}

static void put_values(const fl_vec *vec, const int32_t *list, int32_t rows, uint8_t *to)
{
    size_t width = (size_t)fl_type_width(vec->type);
    if (vec->type.id == FL_BOOL) {
        memset(to, 0, (size_t)bits_bytes(rows));
        for (int32_t i = 0; i < rows; i++)
            to[i / 8] |= (uint8_t)((fl_wasm_read_number(vec, fl_called_row(list, i)) & 1) << (i % 8));
    } else if (vec->layout == FL_CONST || list == NULL) {
        memcpy(to, vec->data, (size_t)rows * width);
    } else {
        for (int32_t i = 0; i < rows; i++)
            memcpy(to + (size_t)i * width, (const uint8_t *)vec->data + (size_t)list[i] * width, width);
    }
}

static void put_validity(const fl_vec *vec, const int32_t *list, int32_t rows, uint8_t *to)
{
    memset(to, 0, (size_t)bits_bytes(rows));
    for (int32_t i = 0; i < rows; i++)
        to[i / 8] |= (uint8_t)(fl_vec_is_valid(vec, fl_called_row(list, i)) << (i % 8));
}

/* Where the columns and the result lie, from 0; returns the bytes that all take. */
static uint64_t lay_out(const fl_call *call, const int32_t *list, int32_t count, bool takes_nulls,
                        wasm_column columns[FL_FUNC_ARGS_MAX + 1])
{
    uint64_t at = (uint64_t)(call->n_args + 1) * sizeof(wasm_column);
    for (int32_t i = 0; i < call->n_args; i++) {
        const fl_vec *vec = &call->args[i];
        int32_t rows = stored_rows(vec, count);
        bool is_text = fl_type_is_string(vec->type);
        columns[i] = (wasm_column){.is_constant = vec->layout == FL_CONST};
        columns[i].values = place(&at, is_text ? fl_called_rows_bytes(vec, list, rows) : values_bytes(vec->type, rows));
        columns[i].offsets = is_text ? place(&at, (rows + 1ll) * 4) : 0;
        columns[i].validity = takes_nulls ? place(&at, bits_bytes(rows)) : 0;
    }
    wasm_column *result = &columns[call->n_args];
    *result = (wasm_column){.values = place(&at, values_bytes(call->ret->type, count))};
    result->offsets = fl_type_is_string(call->ret->type) ? place(&at, (count + 1ll) * 4) : 0;
    result->validity = place(&at, bits_bytes(count));
    return at;
}

static void put_columns(const fl_call *call, const int32_t *list, int32_t count, uint32_t begin, uint8_t *memory,
                        wasm_column columns[FL_FUNC_ARGS_MAX + 1])
{
    for (int32_t i = 0; i <= call->n_args; i++) {
        columns[i].values += begin;
        columns[i].offsets += columns[i].offsets != 0 ? begin : 0;
        columns[i].validity += columns[i].validity != 0 ? begin : 0;
    }
    for (int32_t i = 0; i < call->n_args; i++) {
        const fl_vec *vec = &call->args[i];
        int32_t rows = stored_rows(vec, count);
        if (columns[i].offsets != 0)
            put_texts(vec, list, rows, (uint32_t *)(void *)(memory + columns[i].offsets), memory + columns[i].values);
        else
            put_values(vec, list, rows, memory + columns[i].values);
        if (columns[i].validity != 0)
            put_validity(vec, list, rows, memory + columns[i].validity);
    }
    memset(memory + columns[call->n_args].validity, 0xff, (size_t)bits_bytes(count));
    memcpy(memory + begin, columns, (size_t)(call->n_args + 1) * sizeof(wasm_column));
}

/* ---- the result --------------------------------------------------------------------------------------------------------- */

/* The bits of value i in a column of results. */
static uint64_t bits_of(fl_type type, const uint8_t *values, int64_t i)
{
    fl_vec vec = {.type = type, .layout = FL_FLAT, .data = values};
    if (type.id == FL_BOOL)
        return values[i / 8] >> (i % 8) & 1;
    return (uint64_t)fl_wasm_read_number(&vec, i);
}

static fl_status take_numbers(fl_call *call, const int32_t *list, int32_t count, const uint8_t *values, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < count && st == FL_OK; i++)
        st = fl_wasm_put_number(call->ret, (int32_t)fl_called_row(list, i), bits_of(call->ret->type, values, i),
                                call->func->name, err);
    return st;
}

static fl_status take_texts(fl_call *call, const int32_t *list, int32_t count, const uint32_t *offsets,
                            const uint8_t *bytes, uint64_t bytes_max, fl_err *err)
{
    fl_status st = FL_OK;
    char *copy = NULL;
    for (int32_t i = 0; i < count; i++)
        if (offsets[i] > offsets[i + 1])
            return FL_FAIL(err, FL_ERR_VALUE, "function %s gave texts whose offsets descend: %u, then %u",
                           call->func->name, offsets[i], offsets[i + 1]);
    if (offsets[count] > bytes_max)
        return FL_FAIL(err, FL_ERR_VALUE, "function %s gave a text that ends at %u, beyond its memory",
                       call->func->name, offsets[count]);
    FL_TRY(fl_call_room(call, (int64_t)(offsets[count] - offsets[0]), &copy, err));
    if (offsets[count] > offsets[0])
        memcpy(copy, bytes + offsets[0], offsets[count] - offsets[0]);
    for (int32_t i = 0; i < count; i++) {
        const char *text = copy + (offsets[i] - offsets[0]);
        int64_t len = offsets[i + 1] - offsets[i];
        if (call->ret->type.id == FL_UTF8 && !fl_utf8_is_valid(text, len)) {
            st = FL_FAIL(err, FL_ERR_VALUE, "function %s gave a text that is no UTF-8", call->func->name);
            fl_err_state(err, "22021", st);
            return st;
        }
        fl_ret_view(call)[fl_called_row(list, i)] = fl_view_of(text, len);
    }
cleanup:
    return st;
}

static bool is_inside(uint64_t at, uint64_t bytes, size_t memory_bytes)
{
    return at + bytes <= memory_bytes;
}

static fl_status take_result(const wasm_local *local, fl_call *call, const int32_t *list, int32_t count, uint32_t at,
                             uint64_t *valid, fl_err *err)
{
    fl_status st = FL_OK;
    size_t memory_bytes = 0;
    const uint8_t *memory = local->engine->memory(local->instance, FL_WASM_OWN_MEMORY, &memory_bytes);
    bool is_text = fl_type_is_string(call->ret->type);
    uint64_t offsets_bytes = is_text ? ((uint64_t)count + 1) * 4 : 0;
    uint32_t *offsets = NULL;
    wasm_column result;
    memcpy(&result, memory + at, sizeof(result));
    if (!is_inside(result.values, (uint64_t)values_bytes(call->ret->type, count), memory_bytes) ||
        !is_inside(result.offsets, offsets_bytes, memory_bytes) ||
        (result.validity != 0 && !is_inside(result.validity, (uint64_t)bits_bytes(count), memory_bytes)))
        return FL_FAIL(err, FL_ERR_VALUE, "function %s gave a column beyond its memory of %zu bytes", call->func->name,
                       memory_bytes);
    if (is_text) { /* copied, as the module may have put them where no word begins */
        FL_TRY(fl_arena_get(call->heap, (int64_t)offsets_bytes, (void **)&offsets, err));
        memcpy(offsets, memory + result.offsets, offsets_bytes);
        FL_TRY(take_texts(call, list, count, offsets, memory + result.values, memory_bytes - result.values, err));
    } else {
        FL_TRY(take_numbers(call, list, count, memory + result.values, err));
    }
    for (int32_t i = 0; i < count && result.validity != 0; i++) {
        if ((memory[result.validity + (uint32_t)i / 8] >> (i % 8) & 1) == 0) {
            fl_bit_put(valid, fl_called_row(list, i), false);
            if (is_text)
                fl_ret_view(call)[fl_called_row(list, i)] = (fl_view){0};
        }
    }
cleanup:
    return st;
}

fl_status fl_wasm_call_columns(wasm_local *local, fl_call *call, const int32_t *list, int32_t count, uint64_t *valid,
                               fl_wasm_fault *fault, fl_err *err)
{
    wasm_column columns[FL_FUNC_ARGS_MAX + 1];
    size_t memory_bytes = 0;
    fl_interrupt *interrupt = call->memory != NULL ? call->memory->interrupt : NULL;
    FL_ASSERT(count > 0 && local->instance != NULL && call->n_args <= FL_FUNC_ARGS_MAX);
    uint64_t bytes = lay_out(call, list, count, local->function->udf->declaration.takes_nulls, columns);
    if (!fl_wasm_make_room(local, bytes, interrupt, fault))
        return FL_OK;
    uint8_t *memory = local->engine->memory(local->instance, FL_WASM_OWN_MEMORY, &memory_bytes);
    uint32_t begin = local->room_at, result = begin + (uint32_t)call->n_args * (uint32_t)sizeof(wasm_column);
    put_columns(call, list, count, begin, memory, columns);
    uint64_t values[3] = {(uint64_t)count, begin, result};
    if (!fl_wasm_call(local, local->func, fl_wasm_fuel(local->function, count), values, 3, interrupt, fault))
        return FL_OK;
    if ((uint32_t)values[0] != 0) {
        *fault = (fl_wasm_fault){.kind = FL_WASM_TRAP};
        if ((int32_t)(uint32_t)values[0] > 0 && (int64_t)(uint32_t)values[0] <= count)
            snprintf(fault->message, sizeof(fault->message), "it says that it fails for this row");
        else
            snprintf(fault->message, sizeof(fault->message), "it gave %d, which is no number of one of %d rows",
                     (int32_t)(uint32_t)values[0], count);
        return FL_OK;
    }
    return take_result(local, call, list, count, result, valid, err);
}
