/* Aggregates in WebAssembly: <name>_state() says how many bytes a state has, <name>_init(state), <name>_update(state, argument …),
 * <name>_combine(into, from) and <name>_finish(state) work on it in the module's memory.
 *
 * The host keeps the states in its groups' rows, so that workers merge them and they spill as others do; they are copied into the module's
 * memory for a call, and back. Compiled, update is called by the loop over columns, with the states of a few thousand rows' groups in the
 * module at once. Interpreted, each row's state goes back before the next row's call: one that takes too long is made again as compiled code.
 * A row's state begins with `state_head`. */
#include "arrow/type.h"
#include "base/text.h"
#include "udf/called_rows.h"
#include "udf/wasm/aggregate_instance.h"

#include <stdio.h>

#define STATE_BYTES_MAX 4096
#define SLOTS_BYTES 65536 /* for states in the module */
#define LOAD_MS_MAX 1000

/* Before the module's bytes in a row's state. */
typedef struct state_head {
    uint8_t is_begun;
    uint16_t slot; /* in the module, from 1, while a chunk of rows is gone through; else 0 */
    uint32_t unused;
} state_head;
#define HEAD_BYTES ((int32_t)sizeof(state_head))

static wasm_aggregate *aggregate_of(const fl_agg_call *call)
{
    return ((wasm_function *)((fl_udf *)call->agg->ctx)->state)->aggregate;
}

/* ---- states ------------------------------------------------------------------------------------------------------------- */

static uint32_t slot_at(const wasm_aggregate *of, const aggregate_instance *a, int32_t slot)
{
    FL_ASSERT(slot >= 0 && slot < of->n_slots);
    return a->at + (uint32_t)(slot * of->state_bytes);
}

static uint8_t *slot_bytes(const wasm_aggregate *of, const aggregate_instance *a, int32_t slot)
{
    size_t bytes;
    return a->local.engine->memory(a->local.instance, FL_WASM_OWN_MEMORY, &bytes) + slot_at(of, a, slot);
}

/* Brings a state in: one that was not begun is made. */
static fl_status load_state(const wasm_aggregate *of, aggregate_instance *a, const uint8_t *state, int32_t slot,
                            fl_memory *memory, fl_err *err)
{
    uint64_t value = slot_at(of, a, slot);
    if (!((const state_head *)(const void *)state)->is_begun)
        return fl_aggregate_instance_call(a, a->init, &value, 1, memory, err);
    memcpy(slot_bytes(of, a, slot), state + HEAD_BYTES, (size_t)of->state_bytes);
    return FL_OK;
}

static void store_state(const wasm_aggregate *of, const aggregate_instance *a, int32_t slot, uint8_t *state)
{
    ((state_head *)(void *)state)->is_begun = 1;
    memcpy(state + HEAD_BYTES, slot_bytes(of, a, slot), (size_t)of->state_bytes);
}

/* ---- rows into states --------------------------------------------------------------------------------------------------- */

typedef struct update_work {
    const fl_agg_call *call;
    uint8_t *const *states; /* a row's, with `offset` before it; NULL: all rows have `state` */
    int32_t offset;
    uint8_t *state;
    const uint16_t *list; /* rows; NULL: the first `count`, of which the mask's */
    const uint64_t *mask; /* NULL: all */
    int32_t count;
    int32_t next;    /* those before it are in their states */
    int32_t n_calls; /* of update, that are not counted yet */
    bool row_by_row; /* a call in the loop failed: which one? */
    fl_memory *memory;
} update_work;

static int32_t row_at(const update_work *w, int32_t i)
{
    return w->list != NULL ? w->list[i] : i;
}

static uint8_t *state_at(const update_work *w, int32_t i)
{
    return w->states != NULL ? w->states[i] + w->offset : w->state;
}

/* Rows with a null argument are left out, unless it is CALLED ON NULL INPUT. */
static bool takes_row(const wasm_aggregate *of, const update_work *w, int32_t i)
{
    int32_t row = row_at(w, i);
    bool takes = w->mask == NULL || fl_bit_get(w->mask, row);
    for (int32_t k = 0; k < w->call->n_args && !of->function->udf->declaration.takes_nulls; k++)
        takes &= fl_vec_is_valid(&w->call->args[k], row);
    return takes;
}

static fl_status update_row(const wasm_aggregate *of, aggregate_instance *a, const update_work *w, fl_err *err)
{
    const fl_agg_call *call = w->call;
    uint64_t values[WASM_VALUES_MAX] = {slot_at(of, a, 0)};
    int32_t n = 0, row = row_at(w, w->next);
    fl_wasm_fault fault = {0};
    fl_text args;
    if (fl_wasm_put_arguments(&a->local, call->args, call->n_args, row, w->memory != NULL ? w->memory->interrupt : NULL,
                              values + 1, &n, &fault) &&
        fl_aggregate_instance_try(a, a->update, fl_wasm_fuel(of->function, 1), values, n + 1, w->memory, &fault))
        return FL_OK;
    a->fault = fault.kind;
    fl_text_init(&args, NULL);
    fl_text_add_char(&args, '(');
    fl_called_row_print(call->heap, call->args, call->n_args, row, &args);
    fl_text_add_char(&args, ')');
    fl_status st = fl_aggregate_instance_fail(a, &fault, fl_text_str(&args), w->memory, err);
    fl_text_drop(&args);
    return st;
}

static fl_status update_rows(const wasm_aggregate *of, aggregate_instance *a, update_work *w, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t *now = NULL; /* the state that the module holds */
    bool keeps = fl_wasm_is_compiled(&a->local);
    for (; w->next < w->count; w->next++) {
        uint8_t *state = state_at(w, w->next);
        if (!takes_row(of, w, w->next))
            continue;
        if (state != now) {
            if (now != NULL)
                store_state(of, a, 0, now);
            now = NULL;
            FL_TRY(load_state(of, a, state, 0, w->memory, err));
        }
        FL_TRY(update_row(of, a, w, err));
        w->n_calls++;
        now = keeps ? state : NULL;
        if (!keeps)
            store_state(of, a, 0, state);
    }
    if (now != NULL)
        store_state(of, a, 0, now);
cleanup:
    return st;
}

static fl_status fill_chunk(const wasm_aggregate *of, aggregate_instance *a, const update_work *w, fl_err *err)
{
    fl_status st = FL_OK;
    chunk *c = &a->rows;
    c->n = c->n_slots = 0;
    for (c->end = w->next; c->end < w->count && c->n < CHUNK_ROWS; c->end++) {
        uint8_t *state = state_at(w, c->end);
        state_head *head = (state_head *)(void *)state;
        if (!takes_row(of, w, c->end))
            continue;
        if (head->slot == 0 && c->n_slots == of->n_slots)
            break;
        if (head->slot == 0) {
            FL_TRY(load_state(of, a, state, c->n_slots, w->memory, err));
            c->states[c->n_slots++] = state;
            head->slot = (uint16_t)c->n_slots;
        }
        c->rows[c->n] = row_at(w, c->end);
        c->pointers[c->n++] = slot_at(of, a, head->slot - 1);
    }
cleanup:
    return st;
}

static fl_status update_chunks(const wasm_aggregate *of, aggregate_instance *a, update_work *w, fl_err *err)
{
    fl_status st = FL_OK;
    const chunk *c = &a->rows;
    while (w->next < w->count && st == FL_OK) {
        fl_wasm_fault fault = {0};
        st = fill_chunk(of, a, w, err);
        wasm_loop loop = {
            .args = w->call->args, .n_args = w->call->n_args, .states = c->pointers, .list = c->rows, .count = c->n};
        if (st == FL_OK && c->n > 0 &&
            !fl_wasm_call_loop(&a->local, &loop, w->memory != NULL ? w->memory->interrupt : NULL, NULL, &fault)) {
            a->fault = fault.kind;
            st = fl_wasm_fail(&fault, of->function->name, err);
        }
        for (int32_t i = 0; i < c->n_slots; i++) {
            if (st == FL_OK)
                store_state(of, a, i, c->states[i]);
            ((state_head *)(void *)c->states[i])->slot = 0;
        }
        if (st == FL_OK) {
            w->next = c->end;
            w->n_calls += c->n;
        }
    }
    return st;
}

static void count_calls(const aggregate_instance *a, update_work *w)
{
    bool is_compiled = fl_wasm_is_compiled(&a->local);
    fl_metrics_add(a->local.function->udf->metrics,
                   is_compiled ? FL_METRIC_WASM_UDF_JIT_CALLS : FL_METRIC_WASM_UDF_INTERPRETER_CALLS, w->n_calls);
    fl_call_tally_add(w->call->tally, w->call->agg, is_compiled ? "compiled" : "interpreted", w->n_calls);
    w->n_calls = 0;
}

static fl_status update(update_work *w, fl_err *err)
{
    fl_status st = FL_OK;
    wasm_aggregate *of = aggregate_of(w->call);
    aggregate_instance *a = NULL;
    bool again = true;
    w->memory = w->call->heap != NULL ? w->call->heap->memory : NULL;
    while (again) {
        FL_TRY(fl_aggregate_instance_take(of, w->call->run, w->memory, &a, err));
        bool by_loop = a->local.batch != NULL && !w->row_by_row;
        st = by_loop ? update_chunks(of, a, w, err) : update_rows(of, a, w, err);
        if (st != FL_OK && by_loop && a->fault != FL_WASM_STOPPED && a->fault != FL_WASM_NO_MEMORY)
            again = w->row_by_row = true;
        else
            again = st != FL_OK && fl_aggregate_instance_can_try_again(of, a, w->memory, &st, err);
        count_calls(a, w);
        fl_aggregate_instance_give_back(of, a, st);
    }
cleanup:
    return st;
}

static fl_status update_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                               int32_t count, fl_err *err)
{
    update_work w = {.call = call, .states = states, .offset = offset, .list = list, .count = count};
    return update(&w, err);
}

static fl_status update_all(fl_agg_call *call, void *state, const uint64_t *mask, int32_t rows, fl_err *err)
{
    update_work w = {.call = call, .state = state, .mask = mask, .count = rows};
    return update(&w, err);
}

/* ---- states together, and results --------------------------------------------------------------------------------------- */

static fl_status combine_in(const wasm_aggregate *of, aggregate_instance *a, uint8_t *into, const uint8_t *from,
                            fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(load_state(of, a, into, 0, memory, err));
    FL_TRY(load_state(of, a, from, 1, memory, err));
    uint64_t values[2] = {slot_at(of, a, 0), slot_at(of, a, 1)};
    FL_TRY(fl_aggregate_instance_call(a, a->combine, values, 2, memory, err));
    store_state(of, a, 0, into);
cleanup:
    return st;
}

static fl_status combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    fl_status st = FL_OK;
    wasm_aggregate *of = aggregate_of(call);
    fl_memory *memory = call->heap != NULL ? call->heap->memory : NULL;
    aggregate_instance *a = NULL;
    bool again = ((const state_head *)from)->is_begun;
    while (again) {
        FL_TRY(fl_aggregate_instance_take(of, call->run, memory, &a, err));
        st = combine_in(of, a, into, from, memory, err);
        again = st != FL_OK && fl_aggregate_instance_can_try_again(of, a, memory, &st, err);
        fl_aggregate_instance_give_back(of, a, st);
    }
cleanup:
    return st;
}

/* Of a group without rows the result is null. */
static fl_status finish_in(const wasm_aggregate *of, aggregate_instance *a, const uint8_t *state, int32_t row,
                           fl_vec *ret, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t value = slot_at(of, a, 0);
    if (!((const state_head *)(const void *)state)->is_begun) {
        fl_bit_put((uint64_t *)(uintptr_t)ret->valid, row, false);
        return FL_OK;
    }
    FL_TRY(load_state(of, a, state, 0, memory, err));
    FL_TRY(fl_aggregate_instance_call(a, a->finish, &value, 1, memory, err));
    FL_TRY(fl_wasm_put_number(ret, row, value, of->function->name, err));
cleanup:
    return st;
}

static fl_status finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                        fl_err *err)
{
    fl_status st = FL_OK;
    wasm_aggregate *of = aggregate_of(call);
    fl_memory *memory = call->heap != NULL ? call->heap->memory : NULL;
    aggregate_instance *a = NULL;
    for (int32_t i = 0; i < count;) {
        if (a == NULL)
            FL_TRY(fl_aggregate_instance_take(of, call->run, memory, &a, err));
        st = finish_in(of, a, states[i] + offset, i, ret, memory, err);
        i += st == FL_OK;
        if (st == FL_OK)
            continue;
        bool again = fl_aggregate_instance_can_try_again(of, a, memory, &st, err);
        fl_aggregate_instance_give_back(of, a, st);
        a = NULL;
        if (!again)
            return st;
    }
    st = FL_OK;
cleanup:
    fl_aggregate_instance_give_back(of, a, st);
    return st;
}

/* ---- loading ------------------------------------------------------------------------------------------------------------ */

/* An export of this aggregate that takes so many values, all i32 but for arguments (NULL: none), and gives one or nothing. */
static fl_status check_export(wasm_function *f, const wasm_module *module, const char *suffix, const char *letters,
                              const char **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str name, found = FL_STR("");
    FL_TRY(fl_arena_format(&f->udf->arena, &name, err, "%s_%s", f->name, suffix));
    const wasm_export *export = fl_wasm_find_export(module, name, WASM_FUNC);
    const wasm_type *type = export == NULL ? NULL : wasm_type_of(module, export->index);
    const char *result = strchr(letters, ':') + 1;
    bool is = type != NULL && type->n_params == result - letters - 1 && type->n_results == (*result != 0);
    for (int32_t i = 0; is && i < type->n_params; i++)
        is = type->params[i] == (uint8_t)letters[i];
    if (is && *result != 0)
        is = type->results[0] == (uint8_t)*result;
    *ret = name.data;
    if (is)
        return FL_OK;
    if (type != NULL)
        FL_TRY(fl_wasm_print_type(&f->udf->arena, type, &found, err));
    st = type == NULL ? FL_FAIL(err, FL_ERR_FUNCTION,
                                "an aggregate needs the export \"%.*s\", which the module has not", FL_STR_ARG(name))
                      : FL_FAIL(err, FL_ERR_FUNCTION,
                                "an aggregate needs the export \"%.*s\" with another type than it has: %.*s",
                                FL_STR_ARG(name), FL_STR_ARG(found));
    fl_err_hint(err,
                "%s_state() → i32, _init(i32), _update(i32, argument …), _combine(i32, i32), _finish(i32) → result",
                f->name);
cleanup:
    return st;
}

/* Asks the module how many bytes a state has. No statement is behind it that could be stopped, and others wait meanwhile: it has a time of
 * its own. */
static fl_status ask_state_bytes(wasm_aggregate *of, const char *name, fl_err *err)
{
    fl_status st = FL_OK;
    aggregate_instance a = {.local = {.function = of->function}};
    void *func = NULL;
    uint64_t value = 0;
    fl_interrupt late = {0};
    fl_memory memory;
    fl_memory_init(&memory, NULL, "memory of the function's start", 0);
    memory.interrupt = &late;
    fl_interrupt_set_timeout(&late, LOAD_MS_MAX);
    FL_TRY(fl_wasm_instance_make(&a.local, &memory, err));
    FL_TRY(fl_wasm_find(&a.local, name, &func, err));
    FL_TRY(fl_aggregate_instance_call(&a, func, &value, 0, &memory, err));
    of->state_bytes = (int32_t)(((uint32_t)value + 7) & ~7u);
    if ((uint32_t)value == 0 || (uint32_t)value > STATE_BYTES_MAX)
        st = FL_FAIL(err, FL_ERR_LIMIT, "%s() gave %u: a state has from 1 to %d bytes", name, (uint32_t)value,
                     STATE_BYTES_MAX);
    else
        of->n_slots = SLOTS_BYTES / of->state_bytes < CHUNK_ROWS ? SLOTS_BYTES / of->state_bytes : CHUNK_ROWS;
cleanup:
    fl_wasm_instance_drop(&a.local);
    if (st == FL_ERR_TIMEOUT)
        st = FL_FAIL(err, FL_ERR_LIMIT, "%s() took longer than %d ms", name, LOAD_MS_MAX);
    return st;
}

fl_status fl_wasm_aggregate_check(wasm_function *f, const wasm_module *module, int32_t *ret_update, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_function_declaration *d = &f->udf->declaration;
    wasm_aggregate *of = NULL;
    uint8_t values[2] = {0};
    char update_letters[2 + 3 * FL_FUNC_ARGS_MAX + 2] = {WASM_I32}, finish_letters[4] = {WASM_I32, ':'};
    const char *state = NULL;
    int32_t n = 1;
    FL_TRY(FL_NEW(&f->udf->arena, &of, err));
    for (int32_t i = 0; i < d->n_params; i++) {
        int32_t k = fl_wasm_values_of(d->params[i].type, values);
        memcpy(update_letters + n, values, (size_t)k);
        n += k;
        if (d->takes_nulls)
            update_letters[n++] = WASM_I32;
    }
    update_letters[n] = ':';
    if (!d->has_signature || d->n_params == 0 || fl_wasm_values_of(d->returns, values) != 1)
        return FL_FAIL(err, FL_ERR_FUNCTION, "an aggregate in WebAssembly has parameters, and RETURNS a number");
    if (d->errors_are_null)
        return FL_FAIL(err, FL_ERR_SYNTAX,
                       "an aggregate takes no ON ERROR NULL: what a failing row left in its state is not known");
    finish_letters[2] = (char)values[0];
    static const char init_letters[] = {WASM_I32, ':', 0}, combine_letters[] = {WASM_I32, WASM_I32, ':', 0},
                      state_letters[] = {':', WASM_I32, 0};
    FL_TRY(check_export(f, module, "state", state_letters, &state, err));
    FL_TRY(check_export(f, module, "init", init_letters, &of->init, err));
    FL_TRY(check_export(f, module, "update", update_letters, &of->update, err));
    FL_TRY(check_export(f, module, "combine", combine_letters, &of->combine, err));
    FL_TRY(check_export(f, module, "finish", finish_letters, &of->finish, err));
    *ret_update = fl_wasm_find_export(module, fl_str_of(of->update), WASM_FUNC)->index;
    of->function = f;
    pthread_mutex_init(&of->lock, NULL);
    f->aggregate = of;
    f->state_export = state;
cleanup:
    return st;
}

fl_status fl_wasm_aggregate_start(wasm_function *f, fl_err *err)
{
    wasm_aggregate *of = f->aggregate;
    fl_status st = ask_state_bytes(of, f->state_export, err);
    of->kernel = (fl_agg_kernel){.state_bytes = of->state_bytes + HEAD_BYTES,
                                 .state_kind = FL_STATE_PLAIN,
                                 .update_groups = update_groups,
                                 .update_all = update_all,
                                 .combine = combine,
                                 .finish = finish};
    f->udf->kernel = &of->kernel;
    return st;
}

void fl_wasm_aggregate_free(wasm_function *f)
{
    wasm_aggregate *of = f->aggregate;
    if (of == NULL)
        return;
    for (aggregate_instance *a = of->pool; a != NULL;) {
        aggregate_instance *next = a->next;
        fl_aggregate_instance_free(a);
        a = next;
    }
    pthread_mutex_destroy(&of->lock);
}
