/* Calls of scalar functions: a batch at once where that can be, else row by row. */
#include "arrow/type.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"
#include "exec/session_state.h"
#include "udf/called_rows.h"
#include "udf/wasm/column_loop.h"
#include "udf/wasm/columns.h"

#include <stdio.h>

#define ROWS_BETWEEN_LOOKS 256

fl_status fl_wasm_local_new(fl_call *call, void **ret, fl_err *err)
{
    wasm_local *local = NULL;
    fl_status st = fl_alloc_zero(call->memory, (int64_t)sizeof(*local), (void **)&local, err);
    if (st != FL_OK)
        return st;
    local->function = ((fl_udf *)call->func->ctx)->state;
    local->tally = call->session->tally;
    *ret = local;
    return FL_OK;
}

void fl_wasm_local_free(const fl_func_desc *func, void *ptr)
{
    wasm_local *local = ptr;
    fl_call_tally_add(local->tally, func, "interpreted", local->rows[0]);
    fl_call_tally_add(local->tally, func, "compiled", local->rows[1]);
    fl_wasm_instance_drop(local);
    fl_free(local);
}

/* ---- a call of one row -------------------------------------------------------------------------------------------------- */

fl_status fl_wasm_fail_row(const fl_call *call, int32_t row, const fl_wasm_fault *fault, fl_err *err)
{
    fl_text text;
    fl_status st;
    fl_interrupt *interrupt = call->memory != NULL ? call->memory->interrupt : NULL;
    if (fault->kind == FL_WASM_STOPPED) {
        st = fl_interrupt_check(interrupt, err);
        return st != FL_OK ? st : FL_FAIL(err, FL_ERR_CANCELLED, "function %s was stopped", call->func->name);
    }
    if (fault->kind == FL_WASM_NO_MEMORY)
        return fl_wasm_fail(fault, call->func->name, err);
    fl_text_init(&text, NULL);
    fl_called_row_print(call->heap, call->args, call->n_args, row, &text);
    st = FL_FAIL(err, fault->kind == FL_WASM_LIMIT ? FL_ERR_LIMIT : FL_ERR_VALUE, "function %s(%.*s): %s",
                 call->func->name, FL_STR_ARG(fl_text_str(&text)), fault->message);
    if (fault->kind != FL_WASM_LIMIT)
        fl_err_state(err, "38000", st);
    if (fault->backtrace[0] != 0)
        fl_err_hint(err, "%s", fault->backtrace);
    fl_text_drop(&text);
    return st;
}

/* A text that the function returned; -1 is null. */
static fl_status put_text(wasm_local *local, fl_call *call, int32_t row, uint64_t packed, uint64_t *valid, fl_err *err)
{
    fl_status st = FL_OK;
    size_t memory_bytes = 0;
    uint64_t at = packed >> 32, bytes = packed & UINT32_MAX;
    const uint8_t *memory = local->engine->memory(local->instance, FL_WASM_OWN_MEMORY, &memory_bytes);
    char *copy = NULL;
    if (packed == UINT64_MAX) {
        fl_bit_put(valid, row, false);
        fl_ret_view(call)[row] = (fl_view){0};
        return FL_OK;
    }
    if (at + bytes > memory_bytes)
        return FL_FAIL(err, FL_ERR_VALUE,
                       "function %s gave a text of %llu bytes at %llu, beyond its memory of %zu bytes",
                       call->func->name, (unsigned long long)bytes, (unsigned long long)at, memory_bytes);
    if (call->ret->type.id == FL_UTF8 && !fl_utf8_is_valid((const char *)memory + at, (int64_t)bytes)) {
        st = FL_FAIL(err, FL_ERR_VALUE, "function %s gave a text that is no UTF-8", call->func->name);
        fl_err_state(err, "22021", st);
        return st;
    }
    FL_TRY(fl_call_room(call, (int64_t)bytes, &copy, err));
    if (bytes > 0)
        memcpy(copy, memory + at, bytes);
    fl_ret_view(call)[row] = fl_view_of(copy, (int64_t)bytes);
cleanup:
    return st;
}

/* One call; a fault is told by `fault`, with FL_OK. */
static fl_status try_row(wasm_local *local, fl_call *call, int32_t row, uint64_t *valid, fl_wasm_fault *fault,
                         fl_err *err)
{
    fl_interrupt *interrupt = call->memory != NULL ? call->memory->interrupt : NULL;
    uint64_t values[WASM_VALUES_MAX]; /* of which those are set that there are */
    int32_t n = 0;
    if (local->function->takes_columns)
        return fl_wasm_call_columns(local, call, &row, 1, valid, fault, err);
    if (!fl_wasm_put_arguments(local, call->args, call->n_args, row, interrupt, values, &n, fault))
        return FL_OK;
    if (!fl_wasm_call(local, local->func, fl_wasm_fuel(local->function, 1), values, n, interrupt, fault))
        return FL_OK;
    return fl_type_is_string(call->ret->type) ? put_text(local, call, row, values[0], valid, err)
                                              : fl_wasm_put_number(call->ret, row, values[0], call->func->name, err);
}

/* Calls the function for one row. A call that is interpreted for too long goes on, from its begin, as compiled code. */
static fl_status run_row(wasm_local *local, fl_call *call, int32_t row, uint64_t *valid, fl_err *err)
{
    fl_status st = FL_OK;
    wasm_function *f = local->function;
    fl_interrupt *interrupt = call->memory != NULL ? call->memory->interrupt : NULL;
    for (;;) {
        fl_wasm_fault fault = {0};
        if (local->instance == NULL)
            FL_TRY(fl_wasm_instance_make(local, call->memory, err));
        fl_status result = try_row(local, call, row, valid, &fault, err);
        if (result == FL_OK && fault.kind == FL_WASM_FINE)
            return FL_OK;
        if (fault.kind != FL_WASM_FINE)
            fl_wasm_instance_drop(local); /* it may be left as it should not be */
        if (fault.kind == FL_WASM_STEPS) {
            FL_TRY(fl_wasm_wait_compiled(f, interrupt, err));
            continue;
        }
        bool is_functions =
            result != FL_OK ? result != FL_ERR_MEMORY
                            : fault.kind == FL_WASM_TRAP || fault.kind == FL_WASM_LIMIT || fault.kind == FL_WASM_FUEL;
        if (!f->udf->declaration.errors_are_null || !is_functions)
            return result != FL_OK ? result : fl_wasm_fail_row(call, row, &fault, err);
        fl_bit_put(valid, row, false);
        if (fl_type_is_string(call->ret->type))
            fl_ret_view(call)[row] = (fl_view){0};
        return FL_OK;
    }
cleanup:
    return st;
}

/* ---- a batch ------------------------------------------------------------------------------------------------------------ */

/* All rows of the list at once, by a function that takes columns. */
static fl_status run_columns(wasm_local *local, fl_call *call, const int32_t *list, int32_t count, uint64_t *valid,
                             bool *ret_fault, fl_err *err)
{
    fl_status st = FL_OK;
    fl_interrupt *interrupt = call->memory != NULL ? call->memory->interrupt : NULL;
    for (;;) {
        fl_wasm_fault fault = {0};
        if (local->instance == NULL)
            FL_TRY(fl_wasm_instance_make(local, call->memory, err));
        st = fl_wasm_call_columns(local, call, list, count, valid, &fault, err);
        *ret_fault = st != FL_OK || fault.kind != FL_WASM_FINE;
        if (!*ret_fault || st == FL_ERR_MEMORY)
            return st;
        if (fault.kind != FL_WASM_FINE)
            fl_wasm_instance_drop(local);
        if (fault.kind == FL_WASM_STOPPED || fault.kind == FL_WASM_NO_MEMORY)
            return fl_wasm_fail_row(call, fl_called_row(list, 0), &fault, err);
        if (fault.kind != FL_WASM_STEPS)
            return FL_OK; /* whoever calls goes row by row, which words it */
        FL_TRY(fl_wasm_wait_compiled(local->function, interrupt, err));
    }
cleanup:
    return st;
}

/* Row by row, so that a fault has its row. */
static fl_status run_rows(wasm_local *local, fl_call *call, const int32_t *list, int32_t count, uint64_t *valid,
                          fl_err *err)
{
    fl_status st = FL_OK;
    fl_interrupt *interrupt = call->memory != NULL ? call->memory->interrupt : NULL;
    for (int32_t i = 0; i < count; i++) {
        if (i % ROWS_BETWEEN_LOOKS == 0)
            FL_TRY(fl_interrupt_check(interrupt, err));
        FL_TRY(run_row(local, call, fl_called_row(list, i), valid, err));
    }
cleanup:
    return st;
}

/* By the loop over columns or as whole columns where that can be; what fails so is run again row by row. */
static fl_status run_list(wasm_local *local, fl_call *call, const int32_t *list, int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    const wasm_function *f = local->function;
    uint64_t *valid = NULL;
    bool has_fault = true;
    if (local->batch != NULL)
        FL_TRY(fl_wasm_run_loop(local, call, list, count, &has_fault, err));
    if (has_fault && f->udf->declaration.takes_nulls)
        valid = fl_call_valid(call);
    else if (has_fault)
        FL_TRY(fl_call_own_valid(call, &valid, err));
    if (f->takes_columns)
        FL_TRY(run_columns(local, call, list, count, valid, &has_fault, err));
    if (has_fault)
        FL_TRY(run_rows(local, call, list, count, valid, err));
    FL_TRY(fl_wasm_charge(local, call->memory, err));
cleanup:
    if (local->instance != NULL)
        local->engine->rest(local->instance);
    return st;
}

/* Counts a batch whose rows were called for; `ns` < 0: it was not measured. */
static void count_batch(wasm_local *local, bool is_compiled, int32_t count, int64_t ns)
{
    wasm_function *f = local->function;
    local->rows[is_compiled] += count;
    fl_metrics_add(f->udf->metrics, is_compiled ? FL_METRIC_WASM_UDF_JIT_CALLS : FL_METRIC_WASM_UDF_INTERPRETER_CALLS,
                   count);
    if (ns < 0)
        return;
    fl_metrics_observe(f->udf->metrics, FL_METRIC_WASM_UDF_CALL_DURATION, ns);
    fl_call_times_add(&f->times[is_compiled], ns, count);
}

fl_status fl_wasm_run(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    wasm_local *local = call->local;
    wasm_function *f = local->function;
    const fl_system *system = fl_memory_system(call->memory);
    int32_t *list = NULL, count = 0;
    FL_TRY(fl_called_rows_list(call, f->udf->declaration.takes_nulls, &list, &count, err));
    if (count == 0)
        return FL_OK;
    if (local->instance != NULL && !fl_wasm_is_compiled(local) && atomic_load(&f->compiled) != NULL)
        fl_wasm_instance_drop(local); /* the next one is compiled */
    if (local->instance == NULL)
        FL_TRY(fl_wasm_instance_make(local, call->memory, err));
    bool was_compiled = fl_wasm_is_compiled(local), is_measured = local->n_batches++ % FL_METRICS_EVERY == 0;
    int64_t began_ns = is_measured ? fl_clock_ns(system) : 0;
    FL_TRY(run_list(local, call, list, count, err));
    count_batch(local, was_compiled, count, is_measured ? fl_clock_ns(system) - began_ns : -1);
cleanup:
    return st;
}
