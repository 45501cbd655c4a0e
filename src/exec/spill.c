/* Choosing who spills. */
#include "exec/spill.h"

#define RESERVE_PART 6    /* of the limit: for what cannot be spilled, and for what grows before the next look */
#define SMALL_PART 64     /* holders that are smaller give too little back for their blocks */
#define SMALL_BYTES 65536 /* at the least */

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

/* What the other holders are expected to take before they look again. */
static int64_t others_growth(fl_exec *exec, const fl_spill_holder *holder)
{
    int64_t bytes = 0;
    for (const fl_spill_holder *h = atomic_load(&exec->spill_holders); h != NULL; h = h->next)
        bytes += h != holder ? atomic_load_explicit(&h->growth, memory_order_relaxed) : 0;
    return bytes;
}

bool fl_spill_is_due(fl_exec *exec, fl_spill_holder *holder, int64_t bytes)
{
    FL_ASSERT(bytes >= 0);
    int64_t limit = 0, left = fl_memory_left(exec->context.memory, &limit);
    int64_t growth = atomic_load_explicit(&holder->growth, memory_order_relaxed);
    int64_t step = bytes - atomic_load_explicit(&holder->bytes, memory_order_relaxed);
    growth = step > growth ? step : growth;
    atomic_store_explicit(&holder->bytes, bytes, memory_order_relaxed);
    atomic_store_explicit(&holder->growth, growth, memory_order_relaxed);
    int64_t reserve = limit / RESERVE_PART, small = limit / SMALL_PART;
    int64_t next = growth > bytes / 2 ? growth : bytes / 2;
    if (left >= next + others_growth(exec, holder) + reserve || bytes < (small > SMALL_BYTES ? small : SMALL_BYTES))
        return false;
    /* the largest does not come to look while its worker is busy: the next batch has to fit without it */
    return left < growth + reserve || is_largest(exec, holder, bytes);
}

void fl_spill_gave_back(fl_spill_holder *holder)
{
    atomic_store_explicit(&holder->bytes, 0, memory_order_relaxed);
}

void fl_spill_ended(fl_spill_holder *holder)
{
    atomic_store_explicit(&holder->bytes, 0, memory_order_relaxed);
    atomic_store_explicit(&holder->growth, 0, memory_order_relaxed);
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
