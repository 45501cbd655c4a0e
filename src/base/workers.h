/* The worker pool of an engine: threads that help whoever has work for several.
 *
 * A job is such work: a query's run, a loop over pieces. The thread that has it works on it as its worker 0; threads of the
 * pool help as workers 1, 2, … while the job says that there is something to do. Of several jobs a thread helps the one that
 * got the least of the pool's time for its weight, and looks for another after a while where one waits. So nobody waits behind
 * a long query: who calls works for itself, and what the pool has is divided.
 *
 * With one worker a job starts no thread and takes no lock. Idle threads spin briefly, then sleep. */
#ifndef FL_BASE_WORKERS_H
#define FL_BASE_WORKERS_H

#include "base/interrupt.h"

#define FL_WORKERS_MAX 256 /* of a job, the caller included */

#define FL_JOB_WEIGHT 16           /* of a query */
#define FL_JOB_WEIGHT_BACKGROUND 1 /* of what may wait */

typedef struct fl_workers fl_workers;

/* A helper's stay at a job. */
typedef struct fl_job_turn {
    fl_workers *workers;
    int64_t until_ns; /* where another job waits, it leaves then */
} fl_job_turn;

typedef struct fl_job {
    /** A helper's work, as `worker` (1 .. workers_max - 1; nobody else is it meanwhile), until nothing is left for it or
     *  fl_job_shall_leave says so. It may be called again, and by another thread for the same worker. */
    void (*help)(struct fl_job *job, int32_t worker, const fl_job_turn *turn);
    int32_t workers_max;
    int32_t weight;
    /* the pool's, guarded by its lock */
    fl_workers *workers;
    struct fl_job *next;
    bool is_known;
    int32_t wanted;  /* helpers that have something to do */
    int32_t helpers; /* inside */
    double spent;    /* time of helpers by weight; jobs that come later begin with the least that is there */
    uint64_t taken[FL_WORKERS_MAX / 64];
} fl_job;

/* What a pool counted; for tests and figures. */
typedef struct fl_workers_counts {
    int64_t turns;              /* stays of helpers */
    int64_t turns_cut;          /* that ended because another job waited */
    int64_t sleeps;             /* of helpers */
    int64_t sleeps_beside_work; /* of these, with a job that wanted one more: a fault */
} fl_workers_counts;

/** Starts no thread yet; threads come with the first job that wants them, up to count_max - 1. */
fl_status fl_workers_new(int32_t count_max, fl_workers **ret, fl_err *err);

/** Ends the threads; no job may be under way. */
void fl_workers_free(fl_workers *workers);

void fl_workers_count(fl_workers *workers, fl_workers_counts *ret);

/** A job of up to workers_max workers, which nobody helps yet. Costs nothing until fl_job_call. */
void fl_job_init(fl_job *job, fl_workers *workers, int32_t workers_max, int32_t weight,
                 void (*help)(fl_job *job, int32_t worker, const fl_job_turn *turn));

/** Says how many helpers have something to do now, those inside included (cut to workers_max - 1); 0: none more come. Any
 *  thread. */
void fl_job_call(fl_job *job, int32_t wanted);

/** Lets nobody in any more and waits for those inside, which the caller has told to leave. Does nothing for a job that was
 *  never helped. */
void fl_job_end(fl_job *job);

/** Slow path of fl_job_shall_leave. */
bool fl_job_turn_is_over(const fl_job_turn *turn);

/** Whether a helper leaves the job to another one. turn NULL: the caller's own thread never does. */
static inline bool fl_job_shall_leave(const fl_job_turn *turn)
{
    return turn != NULL && fl_job_turn_is_over(turn);
}

/** Runs fn(ctx, i) for i in 0 .. n-1 on up to `count` workers; looks at the interrupt (may be NULL) behind each. The first
 *  failure stops all and is returned. One worker, or `workers` NULL: in order. */
fl_status fl_workers_each(fl_workers *workers, int32_t count, int32_t n,
                          fl_status (*fn)(void *ctx, int32_t i, fl_err *err), void *ctx, fl_interrupt *interrupt,
                          fl_err *err);

#endif
