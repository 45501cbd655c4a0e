/* Instances, and what goes into their calls. */
#include "arrow/type.h"
#include "udf/wasm/instance.h"
#include "udf/wasm/rewrite.h"

#include <math.h>
#include <stdio.h>

#define MEMORY_BYTES_MAX (256ll << 20) /* of an instance, where half of what the budget has left is more */
#define TABLE_ELEMENTS_MAX 100000
#define DAY_US 86400000000ull
#define ROOM_BYTES_MIN 1024
#define ROOM_BYTES_MAX (1u << 30)

/* ---- instances ---------------------------------------------------------------------------------------------------------- */

void fl_wasm_instance_drop(wasm_local *local)
{
    if (local->instance != NULL)
        local->engine->instance_free(local->instance);
    local->instance = NULL;
    fl_wasm_uncharge(local);
}

void fl_wasm_uncharge(wasm_local *local)
{
    if (local->charged_bytes > 0)
        fl_memory_release(local->charged_to, local->charged_bytes);
    local->charged_bytes = 0;
}

fl_status fl_wasm_charge(wasm_local *local, fl_memory *memory, fl_err *err)
{
    size_t own = 0, columns = 0;
    FL_ASSERT(local->charged_bytes == 0 || local->charged_to == memory);
    if (memory == NULL || local->instance == NULL)
        return FL_OK;
    local->engine->memory(local->instance, FL_WASM_OWN_MEMORY, &own);
    local->engine->memory(local->instance, FL_WASM_COLUMNS, &columns);
    int64_t grown = (int64_t)(own + columns) - local->charged_bytes; /* memories never shrink */
    if (grown <= 0)
        return FL_OK;
    fl_status st = fl_memory_charge(memory, grown, err);
    if (st != FL_OK) {
        fl_memory_say_who(err, "a function in WebAssembly");
        return st;
    }
    local->charged_to = memory;
    local->charged_bytes += grown;
    return FL_OK;
}

fl_status fl_wasm_find(wasm_local *local, const char *name, void **ret, fl_err *err)
{
    fl_wasm_fault fault = {0};
    *ret = NULL;
    if (name == NULL)
        return FL_OK;
    *ret = local->engine->find(local->instance, name, &fault);
    return *ret != NULL ? FL_OK : fl_wasm_fail(&fault, local->function->name, err);
}

bool fl_wasm_is_compiled(const wasm_local *local)
{
    return local->engine == local->function->runtime->compiler;
}

/* An instance in the engine that there is: the compiled one, once it is there. */
fl_status fl_wasm_instance_make(wasm_local *local, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    wasm_function *f = local->function;
    fl_interrupt *interrupt = memory != NULL ? memory->interrupt : NULL;
    fl_wasm_fault fault = {0};
    int64_t limit = 0, left = memory != NULL ? fl_memory_left(memory, &limit) / 2 : MEMORY_BYTES_MAX;
    fl_wasm_limits limits = {.memory_bytes = left < MEMORY_BYTES_MAX ? left : MEMORY_BYTES_MAX,
                             .table_elements = TABLE_ELEMENTS_MAX};
    void *module = atomic_load(&f->compiled);
    fl_wasm_instance_drop(local);
    local->room_bytes = 0;
    for (;;) {
        if (module == NULL && f->interpreted == NULL) {
            FL_TRY(fl_wasm_wait_compiled(f, interrupt, err));
            module = atomic_load(&f->compiled);
        }
        local->engine = module != NULL ? f->runtime->compiler : f->runtime->interpreter;
        local->instance = local->engine->instance_new(module != NULL ? module : f->interpreted, &limits,
                                                      fl_interrupt_shall_stop, interrupt, &fault);
        if (local->instance != NULL)
            break;
        FL_TRY(fl_interrupt_check(interrupt, err));
        if (fault.kind != FL_WASM_STEPS)
            return fl_wasm_fail(&fault, f->name, err);
        FL_TRY(fl_wasm_wait_compiled(f, interrupt, err)); /* its start takes too long to be interpreted */
        module = atomic_load(&f->compiled);
    }
    FL_TRY(fl_wasm_find(local, f->export, &local->func, err));
    FL_TRY(fl_wasm_find(local, f->alloc, &local->alloc, err));
    FL_TRY(fl_wasm_find(local, f->dealloc, &local->dealloc, err));
    FL_TRY(
        fl_wasm_find(local, fl_wasm_is_compiled(local) && f->has_loop ? WASM_BATCH_EXPORT : NULL, &local->batch, err));
cleanup:
    return st;
}

/* ---- calls -------------------------------------------------------------------------------------------------------------- */

int64_t fl_wasm_fuel(const wasm_function *function, int32_t rows)
{
    int64_t fuel = function->udf->declaration.fuel;
    FL_ASSERT(rows > 0);
    return fuel > 0 && fuel <= INT64_MAX / rows ? fuel * rows : WASM_NO_FUEL;
}

bool fl_wasm_call(wasm_local *local, void *func, int64_t fuel, uint64_t *values, int32_t n, fl_interrupt *interrupt,
                  fl_wasm_fault *fault)
{
    bool is_held_back = !fl_wasm_is_compiled(local) && fuel > WASM_STEPS;
    FL_ASSERT(fuel > 0);
    if (!fl_wasm_is_compiled(local) || local->function->udf->declaration.fuel > 0)
        local->engine->set_steps(local->instance, is_held_back ? WASM_STEPS : fuel);
    if (local->engine->call(local->instance, func, values, n, fl_interrupt_shall_stop, interrupt, fault))
        return true;
    if (fault->kind == FL_WASM_STEPS && !is_held_back) {
        *fault = (fl_wasm_fault){.kind = FL_WASM_FUEL};
        snprintf(fault->message, sizeof(fault->message), "it takes more than the %lld steps of its FUEL",
                 (long long)local->function->udf->declaration.fuel);
    }
    return false;
}

/* ---- arguments ---------------------------------------------------------------------------------------------------------- */

bool fl_wasm_make_room(wasm_local *local, uint64_t bytes, fl_interrupt *interrupt, fl_wasm_fault *fault)
{
    uint64_t value = 0;
    size_t memory_bytes = 0;
    if (bytes <= local->room_bytes)
        return true;
    if (bytes > ROOM_BYTES_MAX) {
        *fault = (fl_wasm_fault){.kind = FL_WASM_LIMIT, .message = "its arguments have more than 1 GB"};
        return false;
    }
    if (local->dealloc != NULL && local->room_bytes > 0) {
        value = local->room_at;
        if (!fl_wasm_call(local, local->dealloc, WASM_NO_FUEL, &value, 1, interrupt, fault))
            return false;
    }
    local->room_bytes = 0;
    uint32_t wanted = ROOM_BYTES_MIN;
    while (wanted < bytes)
        wanted *= 2;
    value = wanted;
    if (!fl_wasm_call(local, local->alloc, WASM_NO_FUEL, &value, 1, interrupt, fault))
        return false;
    local->engine->memory(local->instance, FL_WASM_OWN_MEMORY, &memory_bytes);
    local->room_at = (uint32_t)value;
    if (local->room_at == 0 || (uint64_t)local->room_at + wanted > memory_bytes) {
        *fault = (fl_wasm_fault){.kind = FL_WASM_LIMIT};
        snprintf(fault->message, sizeof(fault->message),
                 "its memory has no room for its arguments: %s(%u) gave %u, and it has %zu bytes",
                 local->function->alloc, wanted, local->room_at, memory_bytes);
        return false;
    }
    local->room_bytes = wanted;
    return true;
}

int64_t fl_wasm_read_number(const fl_vec *vec, int64_t row)
{
    if (vec->layout == FL_CONST)
        row = 0;
    switch (vec->type.id) {
    case FL_BOOL:
        return vec->layout == FL_CONST ? *(const uint8_t *)vec->data != 0 : fl_bit_get(vec->data, row);
    case FL_I8:
        return ((const int8_t *)vec->data)[row];
    case FL_U8:
        return ((const uint8_t *)vec->data)[row];
    case FL_I16:
        return ((const int16_t *)vec->data)[row];
    case FL_U16:
        return ((const uint16_t *)vec->data)[row];
    default:
        return fl_type_width(vec->type) == 4 ? (int64_t)((const uint32_t *)vec->data)[row]
                                             : ((const int64_t *)vec->data)[row];
    }
}

/* The values of a row's arguments; texts are copied in. */
bool fl_wasm_put_arguments(wasm_local *local, const fl_vec *args, int32_t n_args, int32_t row, fl_interrupt *interrupt,
                           uint64_t *values, int32_t *ret_n, fl_wasm_fault *fault)
{
    const fl_function_declaration *d = &local->function->udf->declaration;
    fl_str texts[FL_FUNC_ARGS_MAX];
    uint64_t bytes = 0;
    int32_t n = 0;
    size_t unused;
    for (int32_t i = 0; i < n_args; i++) {
        bool is_null = !fl_vec_is_valid(&args[i], row);
        texts[i] = fl_type_is_string(args[i].type) && !is_null ? fl_vec_str(&args[i], row) : (fl_str){0};
        bytes += (uint64_t)texts[i].len;
    }
    if (bytes > 0 && !fl_wasm_make_room(local, bytes, interrupt, fault))
        return false;
    uint8_t *memory = bytes > 0 ? local->engine->memory(local->instance, FL_WASM_OWN_MEMORY, &unused) : NULL;
    uint32_t at = local->room_at;
    for (int32_t i = 0; i < n_args; i++) {
        bool is_null = !fl_vec_is_valid(&args[i], row);
        if (fl_type_is_string(args[i].type)) {
            if (texts[i].len > 0)
                memcpy(memory + at, texts[i].data, (size_t)texts[i].len);
            values[n++] = at;
            values[n++] = (uint64_t)texts[i].len;
            at += (uint32_t)texts[i].len;
        } else {
            values[n++] = is_null ? 0 : (uint64_t)fl_wasm_read_number(&args[i], row);
        }
        if (d->takes_nulls)
            values[n++] = is_null;
    }
    *ret_n = n;
    return true;
}

/* ---- results ------------------------------------------------------------------------------------------------------------ */

static fl_status put_integer(fl_vec *ret, int32_t row, int32_t value, const char *function, fl_err *err)
{
    void *data = (void *)(uintptr_t)ret->data;
    bool fits = true;
    switch (ret->type.id) {
    case FL_I8:
        ((int8_t *)data)[row] = (int8_t)value;
        fits = value == (int8_t)value;
        break;
    case FL_U8:
        ((uint8_t *)data)[row] = (uint8_t)value;
        fits = value == (uint8_t)value;
        break;
    case FL_I16:
        ((int16_t *)data)[row] = (int16_t)value;
        fits = value == (int16_t)value;
        break;
    case FL_U16:
        ((uint16_t *)data)[row] = (uint16_t)value;
        fits = value == (uint16_t)value;
        break;
    default:
        ((int32_t *)data)[row] = value;
    }
    return fits ? FL_OK
                : FL_FAIL(err, FL_ERR_RANGE, "function %s gave %d, which is out of range for type %s", function, value,
                          FL_TYPE_NAME(ret->type));
}

fl_status fl_wasm_put_number(fl_vec *ret, int32_t row, uint64_t bits, const char *function, fl_err *err)
{
    void *data = (void *)(uintptr_t)ret->data;
    int32_t narrow = (int32_t)(uint32_t)bits;
    float f;
    double d;
    FL_ASSERT(ret->layout == FL_FLAT && row >= 0);
    switch (ret->type.id) {
    case FL_BOOL:
        fl_bit_put(data, row, narrow != 0);
        return FL_OK;
    case FL_F32:
        memcpy(&f, &narrow, sizeof(f));
        ((float *)data)[row] = f != f ? NAN : f;
        return FL_OK;
    case FL_F64:
        memcpy(&d, &bits, sizeof(d));
        ((double *)data)[row] = d != d ? (double)NAN : d;
        return FL_OK;
    default:
        break;
    }
    if (fl_type_width(ret->type) != 8)
        return put_integer(ret, row, narrow, function, err);
    ((int64_t *)data)[row] = (int64_t)bits;
    if (ret->type.id == FL_TIME && bits >= DAY_US)
        return FL_FAIL(err, FL_ERR_RANGE, "function %s gave %lld microseconds as a time of the day", function,
                       (long long)bits);
    return FL_OK;
}
