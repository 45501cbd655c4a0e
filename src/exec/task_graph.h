/* What exec/exec.c and exec/task_graph.c share of a run: its tasks. */
#ifndef FL_EXEC_TASK_GRAPH_H
#define FL_EXEC_TASK_GRAPH_H

#include "exec/exec.h"

/* A worker's stay in a pipeline: from when it enters to when it leaves. */
typedef struct fl_stay {
    struct fl_task *task; /* NULL: the worker is in none */
    fl_worker *worker;
    bool is_paused;                 /* guarded by the run's lock */
    fl_fiber *fiber;                /* NULL: it is on a thread's own stack, and cannot pause */
    const fl_job_turn *turn;        /* of the thread that has it; NULL: the caller's */
    const struct fl_enough *enough; /* for the caller; NULL: the thread is the pool's */
    bool ends_task;                 /* it is the last one of an empty pipeline */
} fl_stay;

/** Lets all workers that pause come to their ends, on this thread; the run has been told to stop, and nobody else is in it. */
void fl_exec_end_paused(fl_exec *exec);

/** A helper of the pool works on the run: fl_job.help of its job. */
void fl_exec_help(fl_job *job, int32_t worker, const fl_job_turn *turn);

/** A limit that is passed is the fault of who asks: the innermost stage (`what`, or its node) or source that an error of
 *  FL_ERR_MEMORY comes from. */
void fl_exec_say_who(const char *what, const fl_node *node, fl_err *err);

#endif
