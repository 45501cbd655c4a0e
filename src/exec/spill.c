/* Choosing who spills. */
#include "exec/spill.h"

#include "base/clock.h"

#include <sched.h>

#define RESERVE_PART 6    /* of the limit: for what cannot be spilled, and for what grows before the next look */
#define SMALL_PART 64     /* holders that are smaller give too little back for their blocks */
#define SMALL_BYTES 65536 /* at the least */
#define WAIT_NS 500000000 /* for others who write */

void fl_spill_register(fl_exec *exec, fl_spill_holder *holder)
{
    holder->next = atomic_load(&exec->spill_holders);
    while (!atomic_compare_exchange_weak(&exec->spill_holders, &holder->next, holder))
        ;
}

static bool is_largest(fl_exec *exec, const fl_spill_holder *holder, int64_t bytes)
{
    for (const fl_spill_holder *h = atomic_load(&exec->spill_holders); h != NULL; h = h->next)
        if (h != holder && atomic_load_explicit(&h->bytes, memory_order_relaxed) > bytes)
            return false;
    return true;
}

bool fl_spill_is_due(fl_exec *exec, fl_spill_holder *holder, int64_t bytes)
{
    int64_t limit = 0, left = fl_memory_left(exec->context.memory, &limit);
    atomic_store_explicit(&holder->bytes, bytes, memory_order_relaxed);
    int64_t reserve = limit / RESERVE_PART, small = limit / SMALL_PART;
    if (left >= bytes / 2 + reserve || bytes < (small > SMALL_BYTES ? small : SMALL_BYTES))
        return false;
    /* a larger one that does not come to look, as its worker is busy, is not waited for to the end */
    return left < reserve || is_largest(exec, holder, bytes);
}

static int64_t held_by_others(fl_exec *exec, const fl_spill_holder *holder)
{
    int64_t bytes = 0;
    for (const fl_spill_holder *h = atomic_load(&exec->spill_holders); h != NULL; h = h->next)
        bytes += h != holder ? atomic_load_explicit(&h->bytes, memory_order_relaxed) : 0;
    return bytes;
}

void fl_spill_wait_for_others(fl_exec *exec, fl_spill_holder *holder)
{
    const fl_system *system = fl_memory_system(exec->context.memory);
    int64_t limit = 0, left = fl_memory_left(exec->context.memory, &limit), reserve = limit / RESERVE_PART;
    if (exec->n_workers < 2 || left >= reserve || holder->waited_ns >= WAIT_NS)
        return;
    int64_t begin = fl_clock_ns(system), waited = holder->waited_ns;
    while (holder->waited_ns < WAIT_NS && fl_memory_left(exec->context.memory, &limit) < reserve &&
           held_by_others(exec, holder) >= reserve && fl_exec_check(exec, NULL) == FL_OK) {
        sched_yield();
        holder->waited_ns = waited + fl_clock_ns(system) - begin;
    }
}

bool fl_spill_is_possible(const fl_exec *exec)
{
    int64_t limit = 0;
    return fl_memory_left(exec->context.memory, &limit) != INT64_MAX;
}

bool fl_spill_has_room(const fl_exec *exec, int64_t needed, int32_t part)
{
    FL_ASSERT(needed >= 0 && part > 0);
    int64_t limit = 0, left = fl_memory_left(exec->context.memory, &limit);
    return left == INT64_MAX || left - needed >= limit / part;
}

int64_t fl_spill_share(fl_exec *exec)
{
    int64_t limit = 0, left = fl_memory_left(exec->context.memory, &limit);
    if (left == INT64_MAX)
        return INT64_MAX;
    return (left - limit / RESERVE_PART) / (2 * exec->n_workers);
}

fl_status fl_spill_get_file(fl_exec *exec, fl_spill_file **ret, fl_err *err)
{
    fl_status st = FL_OK;
    pthread_mutex_lock(&exec->spill_lock);
    if (exec->spill_file == NULL)
        st = fl_spill_file_new(exec->context.memory, exec->context.temp_directory, exec->context.spill_quota,
                               &exec->spill_file, err);
    *ret = exec->spill_file;
    pthread_mutex_unlock(&exec->spill_lock);
    return st;
}

void fl_spill_count(fl_worker *worker, const fl_node *node, int64_t bytes, int64_t splits)
{
    FL_ASSERT(bytes >= 0 && splits >= 0);
    if (node == NULL)
        return;
    worker->actual[node->id].spilled_bytes += bytes;
    worker->actual[node->id].spill_splits += splits;
}
