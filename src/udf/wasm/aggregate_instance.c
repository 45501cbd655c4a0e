/* A pool of instances for each aggregate, from which a call takes one. */
#include "udf/wasm/aggregate_instance.h"

#define POOL_MAX 32 /* instances that wait for their run */

void fl_aggregate_instance_free(aggregate_instance *a)
{
    if (a != NULL)
        fl_wasm_instance_drop(&a->local);
    fl_free(a);
}

fl_status fl_aggregate_instance_fail(const aggregate_instance *a, const fl_wasm_fault *fault, fl_str args,
                                     const fl_memory *memory, fl_err *err)
{
    const char *name = a->local.function->name;
    fl_status st = fl_interrupt_check(memory != NULL ? memory->interrupt : NULL, err);
    if (st != FL_OK || fault->kind == FL_WASM_NO_MEMORY)
        return st != FL_OK ? st : fl_wasm_fail(fault, name, err);
    bool is_limit = fault->kind == FL_WASM_LIMIT || fault->kind == FL_WASM_STEPS;
    st = FL_FAIL(err, is_limit ? FL_ERR_LIMIT : FL_ERR_VALUE, "aggregate %s%.*s: %s", name, FL_STR_ARG(args),
                 fault->message);
    if (!is_limit)
        fl_err_state(err, "38000", st);
    if (fault->backtrace[0] != 0)
        fl_err_hint(err, "%s", fault->backtrace);
    return st;
}

bool fl_aggregate_instance_try(aggregate_instance *a, void *func, int64_t fuel, uint64_t *values, int32_t n,
                               fl_memory *memory, fl_wasm_fault *fault)
{
    bool is_good = fl_wasm_call(&a->local, func, fuel, values, n, memory != NULL ? memory->interrupt : NULL, fault);
    a->fault = fault->kind;
    return is_good;
}

fl_status fl_aggregate_instance_call(aggregate_instance *a, void *func, uint64_t *values, int32_t n, fl_memory *memory,
                                     fl_err *err)
{
    fl_wasm_fault fault = {0};
    return fl_aggregate_instance_try(a, func, WASM_NO_FUEL, values, n, memory, &fault)
               ? FL_OK
               : fl_aggregate_instance_fail(a, &fault, FL_STR(""), memory, err);
}

static fl_status new_instance(wasm_aggregate *of, fl_memory *memory, aggregate_instance **ret, fl_err *err)
{
    fl_status st = FL_OK;
    aggregate_instance *a = NULL;
    uint64_t room = (uint64_t)of->state_bytes * (uint64_t)of->n_slots + 16, value = room;
    size_t bytes = 0;
    FL_TRY(fl_alloc_zero(NULL, (int64_t)sizeof(*a), (void **)&a, err));
    a->local.function = of->function;
    FL_TRY(fl_wasm_instance_make(&a->local, memory, err));
    FL_TRY(fl_wasm_find(&a->local, of->init, &a->init, err));
    FL_TRY(fl_wasm_find(&a->local, of->update, &a->update, err));
    FL_TRY(fl_wasm_find(&a->local, of->combine, &a->combine, err));
    FL_TRY(fl_wasm_find(&a->local, of->finish, &a->finish, err));
    a->local.engine->memory(a->local.instance, FL_WASM_OWN_MEMORY, &bytes);
    if (a->local.alloc != NULL) {
        FL_TRY(fl_aggregate_instance_call(a, a->local.alloc, &value, 1, memory, err));
        a->at = ((uint32_t)value + 15) & ~15u;
    } else { /* it has no allocator that would meet them there */
        a->at = (uint32_t)bytes;
        if (!a->local.engine->grow(a->local.instance, FL_WASM_OWN_MEMORY, (uint32_t)(room / WASM_PAGE_BYTES + 1)))
            FL_TRY(FL_FAIL(err, FL_ERR_LIMIT, "aggregate %s: no memory for its state", of->function->name));
    }
    a->local.engine->memory(a->local.instance, FL_WASM_OWN_MEMORY, &bytes);
    if ((uint64_t)a->at + room - 16 > bytes)
        FL_TRY(FL_FAIL(err, FL_ERR_VALUE, "aggregate %s: %s gave no memory that there is", of->function->name,
                       of->function->alloc));
    *ret = a;
    return FL_OK;
cleanup:
    fl_aggregate_instance_free(a);
    return st;
}

/* One that serves this run, unless its code could be compiled by now. */
static bool can_serve(const wasm_aggregate *of, const aggregate_instance *a, uint64_t run)
{
    return a->run == run && (fl_wasm_is_compiled(&a->local) || atomic_load(&of->function->compiled) == NULL);
}

fl_status fl_aggregate_instance_take(wasm_aggregate *of, uint64_t run, fl_memory *memory, aggregate_instance **ret,
                                     fl_err *err)
{
    pthread_mutex_lock(&of->lock);
    aggregate_instance **at = &of->pool;
    while (*at != NULL && !can_serve(of, *at, run))
        at = &(*at)->next;
    *ret = *at;
    if (*ret != NULL) {
        *at = (*ret)->next;
        of->n_pool--;
    }
    pthread_mutex_unlock(&of->lock);
    fl_status st = *ret != NULL ? FL_OK : new_instance(of, memory, ret, err);
    if (st != FL_OK)
        return st;
    (*ret)->run = run;
    st = fl_wasm_charge(&(*ret)->local, memory, err);
    if (st != FL_OK)
        fl_aggregate_instance_free(*ret);
    *ret = st == FL_OK ? *ret : NULL;
    return st;
}

void fl_aggregate_instance_give_back(wasm_aggregate *of, aggregate_instance *a, fl_status st)
{
    if (a == NULL || st != FL_OK) {
        fl_aggregate_instance_free(a);
        return;
    }
    aggregate_instance *old = NULL;
    a->local.engine->rest(a->local.instance);
    fl_wasm_uncharge(&a->local); /* the run may be over before the next call */
    pthread_mutex_lock(&of->lock);
    a->next = of->pool;
    of->pool = a;
    if (++of->n_pool > POOL_MAX) { /* the last one was idle for longest: its run is over, most likely */
        aggregate_instance **last = &of->pool;
        while ((*last)->next != NULL)
            last = &(*last)->next;
        old = *last;
        *last = NULL;
        of->n_pool--;
    }
    pthread_mutex_unlock(&of->lock);
    fl_aggregate_instance_free(old);
}

bool fl_aggregate_instance_can_try_again(const wasm_aggregate *of, const aggregate_instance *a, fl_memory *memory,
                                         fl_status *st, fl_err *err)
{
    if (a->fault != FL_WASM_STEPS || fl_wasm_is_compiled(&a->local))
        return false;
    fl_status waited = fl_wasm_wait_compiled(of->function, memory != NULL ? memory->interrupt : NULL, err);
    if (waited != FL_OK)
        *st = waited;
    return waited == FL_OK;
}
