/* Worker threads around a generation counter: a run publishes its task, bumps the generation, takes part, and waits. */
#include "base/workers.h"

#include "base/clock.h"
#include "base/spin.h"
#include "base/memory.h"

#include <pthread.h>

#define SPIN_NS 30000 /* a sleep and wake-up costs about this much */
#define WORKERS_MAX 256

typedef struct worker {
    struct fl_workers *workers;
    int32_t id;
    pthread_t thread;
} worker;

struct fl_workers {
    pthread_mutex_t turn; /* held through a run */
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    pthread_cond_t done;
    _Atomic uint64_t generation;
    bool ends;
    void (*fn)(void *, int32_t);
    void *task;
    int32_t count; /* of this run */
    _Atomic int32_t busy;
    int32_t started; /* threads alive: ids 1 .. started */
    int32_t count_max;
    worker worker[WORKERS_MAX];
};

static void *worker_main(void *arg)
{
    worker *self = arg;
    fl_workers *w = self->workers;
    uint64_t seen = 0;
    for (;;) {
        int64_t until = fl_clock_ns() + SPIN_NS;
        while (atomic_load_explicit(&w->generation, memory_order_acquire) == seen && fl_clock_ns() < until)
            fl_spin_pause();
        pthread_mutex_lock(&w->lock);
        while (atomic_load(&w->generation) == seen && !w->ends)
            pthread_cond_wait(&w->wake, &w->lock);
        seen = atomic_load(&w->generation);
        bool ends = w->ends, mine = self->id < w->count;
        void (*fn)(void *, int32_t) = w->fn;
        void *task = w->task;
        pthread_mutex_unlock(&w->lock);
        if (ends)
            return NULL;
        if (!mine)
            continue;
        fn(task, self->id);
        if (atomic_fetch_sub(&w->busy, 1) == 1) {
            pthread_mutex_lock(&w->lock);
            pthread_cond_signal(&w->done);
            pthread_mutex_unlock(&w->lock);
        }
    }
}

fl_status fl_workers_new(int32_t count_max, fl_workers **ret, fl_err *err)
{
    fl_workers *w = NULL;
    fl_status st = fl_alloc_zero(NULL, sizeof(*w), (void **)&w, err);
    if (st != FL_OK)
        return st;
    pthread_mutex_init(&w->turn, NULL);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    pthread_cond_init(&w->done, NULL);
    w->count_max = count_max < 1 ? 1 : count_max > WORKERS_MAX ? WORKERS_MAX : count_max;
    *ret = w;
    return FL_OK;
}

void fl_workers_free(fl_workers *w)
{
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->lock);
    w->ends = true;
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
    for (int32_t i = 1; i <= w->started; i++)
        pthread_join(w->worker[i].thread, NULL);
    pthread_cond_destroy(&w->wake);
    pthread_cond_destroy(&w->done);
    pthread_mutex_destroy(&w->lock);
    pthread_mutex_destroy(&w->turn);
    fl_free(w);
}

void fl_workers_run(fl_workers *w, int32_t count, void (*fn)(void *task, int32_t worker), void *task)
{
    if (count > w->count_max)
        count = w->count_max;
    if (count <= 1) {
        fn(task, 0);
        return;
    }
    pthread_mutex_lock(&w->turn);
    pthread_mutex_lock(&w->lock);
    while (w->started < count - 1) {
        worker *next = &w->worker[w->started + 1];
        next->workers = w;
        next->id = w->started + 1;
        if (pthread_create(&next->thread, NULL, worker_main, next) != 0)
            break;
        w->started++;
    }
    if (count > w->started + 1)
        count = w->started + 1;
    w->fn = fn;
    w->task = task;
    w->count = count;
    atomic_store(&w->busy, count - 1);
    atomic_fetch_add_explicit(&w->generation, 1, memory_order_release);
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);

    fn(task, 0);

    int64_t until = fl_clock_ns() + SPIN_NS;
    while (atomic_load_explicit(&w->busy, memory_order_acquire) > 0 && fl_clock_ns() < until)
        fl_spin_pause();
    pthread_mutex_lock(&w->lock);
    while (atomic_load(&w->busy) > 0)
        pthread_cond_wait(&w->done, &w->lock);
    pthread_mutex_unlock(&w->lock);
    pthread_mutex_unlock(&w->turn);
}

typedef struct each {
    int32_t n;
    _Atomic int32_t next;
    _Atomic bool stops;
    fl_status (*fn)(void *ctx, int32_t i, fl_err *err);
    void *ctx;
    fl_interrupt *interrupt;
    pthread_mutex_t lock;
    fl_status st; /* first failure */
    fl_err err;
} each;

static void note_failure(each *e, fl_status st, const fl_err *err)
{
    pthread_mutex_lock(&e->lock);
    if (e->st == FL_OK) {
        e->st = st;
        e->err = *err;
    }
    pthread_mutex_unlock(&e->lock);
    atomic_store(&e->stops, true);
}

static void run_each(void *task, int32_t id)
{
    (void)id;
    each *e = task;
    for (int32_t i; !atomic_load(&e->stops) && (i = atomic_fetch_add(&e->next, 1)) < e->n;) {
        fl_err err = {0};
        fl_status st = e->fn(e->ctx, i, &err);
        if (st == FL_OK)
            st = fl_interrupt_check(e->interrupt, &err);
        if (st != FL_OK)
            note_failure(e, st, &err);
    }
}

fl_status fl_workers_each(fl_workers *workers, int32_t count, int32_t n,
                          fl_status (*fn)(void *ctx, int32_t i, fl_err *err), void *ctx, fl_interrupt *interrupt,
                          fl_err *err)
{
    each e = {.n = n, .fn = fn, .ctx = ctx, .interrupt = interrupt};
    pthread_mutex_init(&e.lock, NULL);
    if (workers == NULL)
        run_each(&e, 0);
    else
        fl_workers_run(workers, n < count ? n : count, run_each, &e);
    pthread_mutex_destroy(&e.lock);
    if (e.st != FL_OK && err != NULL)
        *err = e.err;
    return e.st;
}
