/* random(): doubles in [0, 1), another for every row and call.
 *
 * All workers of a query draw from one counter, which a mixing function turns into numbers (Steele, Lea & Flood 2014,
 * "Fast splittable pseudorandom number generators"). */
#include "base/system.h"
#include "exec/func.h"
#include "exec/session_state.h"

#include <stdatomic.h>

typedef struct counter {
    _Atomic uint64_t next;
} counter;

static fl_status prepare(const fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                         void **ret, fl_err *err)
{
    (void)func;
    (void)args;
    (void)n_args;
    counter *c;
    fl_status st = FL_NEW(arena, &c, err);
    if (st != FL_OK)
        return st;
    uint64_t first;
    int failure = fl_system_random(fl_memory_system(arena->memory), &first, (int64_t)sizeof(first));
    if (failure < 0)
        return FL_FAIL(err, FL_ERR_IO, "the system gives no random bytes: %s", fl_system_reason(failure));
    atomic_init(&c->next, first);
    *ret = c;
    return FL_OK;
}

static uint64_t mix(uint64_t x)
{
    x *= 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static fl_status random_f64(fl_call *call, fl_err *err)
{
    (void)err;
    counter *c = call->state;
    uint64_t first =
        atomic_fetch_add(&c->next, (uint64_t)call->rows) + mix(call->session->seed); /* a sum: batches stay apart */
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_f64(call)[row] = (double)(mix(first + (uint64_t)row) >> 11) * 0x1p-53;
    return FL_OK;
}

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "random", .traits = 0, .prepare = prepare,
     .overloads = (const fl_func_overload[]){{FL_ARGS(), FL_F64, 0, random_f64}}, .n_overloads = 1,
     .doc = "random(): a double in [0, 1), another for every row"},
};

FL_FUNC_SET(random, funcs);
