/* Threads that look for the job that got the least, help it, and look again. */
#include "base/workers.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/spin.h"

#include <pthread.h>

/* By the machine's own clock, not by a test's, which may stand still. */
#define SPIN_NS 30000 /* a sleep and wake-up costs about this much */
#define TURN_NS \
    2000000 /* of a helper, where another job waits: long against a look at the pool, short against a query's time */

struct fl_workers {
    pthread_mutex_t lock; /* guards what follows, and the jobs' parts of the pool */
    pthread_cond_t wake;  /* a job wants more */
    pthread_cond_t left;  /* a helper left a job that ends */
    _Atomic int64_t calls;
    _Atomic int32_t open; /* jobs that want more helpers than they have */
    bool ends;
    fl_job *jobs;
    int32_t started; /* threads alive */
    int32_t count_max;
    fl_workers_counts counts;
    pthread_t threads[FL_WORKERS_MAX];
};

static bool is_open(const fl_job *job)
{
    return job->helpers < job->wanted;
}

/* The job that a free thread helps: the one that got the least. */
static fl_job *choose(const fl_workers *w)
{
    fl_job *best = NULL;
    for (fl_job *job = w->jobs; job != NULL; job = job->next)
        if (is_open(job) && (best == NULL || job->spent < best->spent))
            best = job;
    return best;
}

static int32_t take_place(fl_job *job)
{
    for (int32_t i = 1; i < job->workers_max; i++)
        if (!(job->taken[i >> 6] >> (i & 63) & 1)) {
            job->taken[i >> 6] |= 1ull << (i & 63);
            return i;
        }
    FL_ASSERT(!"a job that wants a helper has no place");
    return -1;
}

/* Lets the thread help; the lock is held before and after. */
static void help(fl_workers *w, fl_job *job)
{
    int32_t place = take_place(job);
    w->counts.turns++;
    if (++job->helpers == job->wanted)
        atomic_fetch_sub(&w->open, 1);
    pthread_mutex_unlock(&w->lock);
    int64_t started_ns = fl_clock_ns(NULL);
    fl_job_turn turn = {w, started_ns + TURN_NS};
    job->help(job, place, &turn);
    int64_t ended_ns = fl_clock_ns(NULL);
    pthread_mutex_lock(&w->lock);
    w->counts.turns_cut += ended_ns >= turn.until_ns && atomic_load(&w->open) > 0;
    job->spent += (double)(ended_ns - started_ns) / job->weight;
    job->taken[place >> 6] &= ~(1ull << (place & 63));
    if (job->helpers-- == job->wanted)
        atomic_fetch_add(&w->open, 1);
    if (job->helpers == 0)
        pthread_cond_broadcast(&w->left);
}

static void *thread_main(void *arg)
{
    fl_workers *w = arg;
    pthread_mutex_lock(&w->lock);
    while (!w->ends) {
        fl_job *job = choose(w);
        if (job != NULL) {
            help(w, job);
            continue;
        }
        int64_t seen = atomic_load(&w->calls), until_ns = fl_clock_ns(NULL) + SPIN_NS;
        pthread_mutex_unlock(&w->lock);
        while (atomic_load_explicit(&w->calls, memory_order_acquire) == seen && fl_clock_ns(NULL) < until_ns)
            fl_spin_pause();
        pthread_mutex_lock(&w->lock);
        if (atomic_load(&w->calls) != seen || w->ends)
            continue;
        w->counts.sleeps++;
        w->counts.sleeps_beside_work += choose(w) != NULL;
        pthread_cond_wait(&w->wake, &w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

fl_status fl_workers_new(int32_t count_max, fl_workers **ret, fl_err *err)
{
    fl_workers *w = NULL;
    fl_status st = fl_alloc_zero(NULL, sizeof(*w), (void **)&w, err);
    if (st != FL_OK)
        return st;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    pthread_cond_init(&w->left, NULL);
    w->count_max = count_max < 1 ? 1 : count_max > FL_WORKERS_MAX ? FL_WORKERS_MAX : count_max;
    *ret = w;
    return FL_OK;
}

void fl_workers_free(fl_workers *w)
{
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->lock);
    FL_ASSERT(w->jobs == NULL);
    w->ends = true;
    atomic_fetch_add(&w->calls, 1);
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
    for (int32_t i = 0; i < w->started; i++)
        pthread_join(w->threads[i], NULL);
    pthread_cond_destroy(&w->wake);
    pthread_cond_destroy(&w->left);
    pthread_mutex_destroy(&w->lock);
    fl_free(w);
}

void fl_workers_count(fl_workers *w, fl_workers_counts *ret)
{
    pthread_mutex_lock(&w->lock);
    *ret = w->counts;
    pthread_mutex_unlock(&w->lock);
}

/* ---- jobs ---------------------------------------------------------------------------------------------------------- */

void fl_job_init(fl_job *job, fl_workers *workers, int32_t workers_max, int32_t weight,
                 void (*help)(fl_job *job, int32_t worker, const fl_job_turn *turn))
{
    FL_ASSERT(workers_max >= 1 && weight >= 1 && help != NULL);
    *job = (fl_job){.help = help,
                    .workers_max = workers_max < FL_WORKERS_MAX ? workers_max : FL_WORKERS_MAX,
                    .weight = weight,
                    .workers = workers};
    if (workers == NULL || job->workers_max > workers->count_max)
        job->workers_max = workers == NULL ? 1 : workers->count_max;
}

/* The pool's threads are as many as the largest job wants. Where the system gives none, there are fewer. */
static void start_threads(fl_workers *w, int32_t wanted)
{
    while (w->started < wanted && pthread_create(&w->threads[w->started], NULL, thread_main, w) == 0)
        w->started++;
}

static void enter(fl_workers *w, fl_job *job)
{
    double least = 0;
    for (const fl_job *other = w->jobs; other != NULL; other = other->next)
        least = other == w->jobs || other->spent < least ? other->spent : least;
    job->spent = least;
    job->next = w->jobs;
    job->is_known = true;
    w->jobs = job;
}

void fl_job_call(fl_job *job, int32_t wanted)
{
    fl_workers *w = job->workers;
    if (wanted > job->workers_max - 1)
        wanted = job->workers_max - 1;
    if (w == NULL || (wanted <= 0 && !job->is_known))
        return;
    pthread_mutex_lock(&w->lock);
    if (!job->is_known)
        enter(w, job);
    bool was_open = is_open(job);
    job->wanted = wanted;
    atomic_fetch_add(&w->open, (int32_t)is_open(job) - (int32_t)was_open);
    if (is_open(job)) {
        start_threads(w, wanted);
        atomic_fetch_add_explicit(&w->calls, 1, memory_order_release);
        if (wanted - job->helpers > 1)
            pthread_cond_broadcast(&w->wake);
        else
            pthread_cond_signal(&w->wake);
    }
    pthread_mutex_unlock(&w->lock);
}

void fl_job_end(fl_job *job)
{
    fl_workers *w = job->workers;
    if (!job->is_known)
        return;
    fl_job_call(job, 0);
    pthread_mutex_lock(&w->lock);
    while (job->helpers > 0)
        pthread_cond_wait(&w->left, &w->lock);
    fl_job **at = &w->jobs;
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    job->is_known = false;
    pthread_mutex_unlock(&w->lock);
}

bool fl_job_turn_is_over(const fl_job_turn *turn)
{
    return atomic_load_explicit(&turn->workers->open, memory_order_relaxed) > 0 && fl_clock_ns(NULL) >= turn->until_ns;
}

/* ---- loops over pieces --------------------------------------------------------------------------------------------- */

typedef struct each {
    fl_job job;
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

static void help_each(fl_job *job, int32_t worker, const fl_job_turn *turn)
{
    (void)worker;
    each *e = (each *)job;
    while (!atomic_load(&e->stops) && !fl_job_shall_leave(turn)) {
        int32_t i = atomic_fetch_add(&e->next, 1);
        if (i >= e->n) {
            fl_job_call(job, 0);
            return;
        }
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
    int32_t workers_max = n < count ? n : count;
    pthread_mutex_init(&e.lock, NULL);
    fl_job_init(&e.job, workers, workers_max < 1 ? 1 : workers_max, FL_JOB_WEIGHT, help_each);
    fl_job_call(&e.job, e.job.workers_max - 1);
    help_each(&e.job, 0, NULL);
    fl_job_end(&e.job);
    pthread_mutex_destroy(&e.lock);
    if (e.st != FL_OK && err != NULL)
        *err = e.err;
    return e.st;
}
