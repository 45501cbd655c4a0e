/* Running a physical plan: a graph of pipelines over morsels.
 *
 * The plan is cut at its breakers. A pipeline is a source, a chain of operators that pass batches on, and a sink; chains
 * are built from the root down, so an operator knows what it pushes to. Workers claim morsels of the source and push their
 * batches through the chain; when all are done, the sink's finish() runs once, and what waited for it may start.
 *
 *     build(join):  build(right, hash-build sink) ; finish ; build(left, probe -> next), whose pipelines wait for the finish
 *
 * A pipeline starts when all is finished that its source and its stages wait for (fl_exec_wait_for), and when the pipelines
 * that feed the same sink and were added before it have ended. Those that wait for nothing run side by side: a worker that
 * finds no morsel in one goes on with the next. finish() may add more: what waits for it waits for these, too.
 *
 * Whoever runs a plan is its worker 0 and the only one who finishes sinks and adds to the graph. Threads of the engine's pool
 * help as the others (base/workers.h); they come and go between morsels. A run can be left when there are rows enough, and
 * gone on with (fl_exec_run_until): helpers work on until its sink is full.
 *
 * What is made of one morsel may be more than the sink of such a run takes, or than its reader waits for. Where a stage multiplies rows, or
 * a source has large morsels, workers are on stacks of their own (base/fiber.h) and may pause in the middle of a push: the thread
 * goes, to its reader or to the pool, and whichever comes next goes on with what paused first. So a worker is a state more
 * than a thread: none of its calls may hold a lock over a push, or rely on being on the same thread behind it.
 *
 * Each worker has an arena that is reset for each batch of the source: whatever a chain makes of a batch lives there. */
#ifndef FL_EXEC_EXEC_H
#define FL_EXEC_EXEC_H

#include "base/fiber.h"
#include "base/index_map.h"
#include "base/interrupt.h"
#include "base/workers.h"
#include "exec/session_state.h"
#include "plan/explain.h"
#include "plan/node.h"
#include "plan/table.h"

#include <pthread.h>

typedef struct fl_exec fl_exec;
typedef struct fl_stage fl_stage;
typedef struct fl_source fl_source;

/* What a worker brings to every call. */
typedef struct fl_worker {
    fl_exec *exec;
    int32_t id;
    fl_arena arena;         /* this batch's memory */
    int32_t pipeline;       /* number of the pipeline under way, in the order in which they run */
    int64_t morsel;         /* number of the morsel under way, in the source's order */
    fl_node_actual *actual; /* [nodes + 1] */
    struct fl_stay *stay;   /* where it is now; NULL: the one that only counts (fl_exec.finisher) */
} fl_worker;

/* What a pipeline tells its chain between batches, in order with the worker's rows. */
typedef enum fl_event {
    FL_EVENT_ENTER,  /* the worker begins, or comes back: it claims a morsel next */
    FL_EVENT_MORSEL, /* all rows of worker->morsel went by, if it had any */
    FL_EVENT_LEAVE,  /* the worker holds no morsel any more */
    FL_EVENT_END /* of the pipeline, to each stage in turn and for the state of each worker that took part, which may be
                      * another's: what was held back goes on now. The only one that is not passed on */
} fl_event;

/* A stage of a chain: an operator that passes batches on, or a sink (next is NULL). Operators put their own struct around
 * this one, in the run's arena. */
typedef struct fl_stage_ops {
    const char *what; /* for messages: "the join's build side"; NULL: the node's operator */
    /** Makes the worker's state; may be NULL: none. */
    fl_status (*local_new)(fl_stage *stage, fl_worker *worker, void **ret, fl_err *err);
    /** Takes a batch: passes batches on with fl_push, or keeps its rows. FL_DONE: no more rows are wanted. */
    fl_status (*push)(fl_stage *stage, fl_worker *worker, void *local, fl_batch *batch, fl_err *err);
    /** Takes an event and passes it on with fl_push_event. NULL: it has no opinion, and the event goes on. */
    fl_status (*on_event)(fl_stage *stage, fl_worker *worker, void *local, fl_event event, fl_err *err);
    /** Sinks: once, after every pipeline that feeds the stage is done; locals[w] of the workers that took part (others
     *  NULL), which stay where they are. Worker 0's thread; may use the worker pool and add to the graph. NULL: nothing is to
     *  be done, others wait for the sink. */
    fl_status (*finish)(fl_stage *stage, void *const *locals, int32_t n_locals, fl_err *err);
    /** Sinks: whether no more rows are wanted for now. NULL: never. Any thread. */
    bool (*is_full)(fl_stage *stage);
    /** Sinks with is_paced: whether a worker in the middle of a morsel shall wait for now. Never all that are in a morsel, while
     *  the reader has nothing to take. Any thread, under the run's lock or not. */
    bool (*is_held)(fl_stage *stage, const fl_worker *worker);
    /** Sinks of fl_exec_add_commit: makes what the run did outside of the process last. */
    fl_status (*commit)(fl_stage *stage, fl_err *err);
    void (*local_free)(fl_stage *stage, void *local);
    void (*free)(fl_stage *stage);
} fl_stage_ops;

struct fl_stage {
    const fl_stage_ops *ops;
    fl_stage *next;
    const fl_node *node; /* whose output this stage pushes; NULL: helper stages, not counted */
    struct fl_stage *next_commit;
    bool is_ordered; /* the rows must arrive in the source's order, by one worker at a time (limits) */
    bool multiplies; /* a batch may become many, as rows that have several partners do */
    bool is_paced;   /* sinks: rows are read while the run goes on, and workers may pause (fl_exec_pause_if_due) */
    void **locals;   /* [exec->n_workers] */
    struct fl_wait *waits;
    struct fl_task *finish; /* sinks: its task, when it was added */
    struct fl_task *feeder; /* sinks: the last pipeline that was added */
};

typedef struct fl_source_ops {
    fl_status (*local_new)(fl_source *source, fl_worker *worker, void **ret, fl_err *err);
    /** Claims one morsel and pushes its batches to `to`; *ret_any false: none was left. Resets worker->arena per batch. */
    fl_status (*run)(fl_source *source, fl_worker *worker, void *local, fl_stage *to, bool *ret_any, fl_err *err);
    /** Whether a worker that comes would find a morsel, or that there is none any more; false: what others have in hands decides,
     *  of whom the last one to give something back calls fl_exec_wake. NULL: always. Any thread, under the run's lock. */
    bool (*has_morsel)(fl_source *source);
    /** Whether a morsel may be of any number of rows. NULL: none is. Asked when what the source waits for is finished. */
    bool (*has_large_morsels)(const fl_source *source);
    void (*local_free)(fl_source *source, void *local);
    void (*free)(fl_source *source);
} fl_source_ops;

struct fl_source {
    const fl_source_ops *ops;
    const fl_node *node;
    int32_t workers_max; /* more would be idle; 0 = no limit. A finish that it waits for may still say so */
    fl_scan *scan;       /* for progress; may be NULL */
    void **locals;       /* [exec->n_workers] */
    struct fl_wait *waits;
    fl_source *next_scan;   /* of those with a scan */
    _Atomic bool has_ended; /* for progress */
};

/* How an operator class runs. */
typedef struct fl_op_exec {
    /** Builds what produces the node's rows and pushes them to `next`: adds stages, pipelines and finishes to the run. */
    fl_status (*build)(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err);
    /** Builds what of the node is the same in all rounds of the recursion that it is in, as part of a run of its own, which is over before
     *  the first round begins and lives as long as they do. The rounds' `build` finds *ret by fl_exec_kept; NULL: nothing is the
     *  same. NULL: no node of the class has anything. */
    fl_status (*keep)(fl_exec *exec, const fl_node *node, void **ret, fl_err *err);
} fl_op_exec;

/* What the rounds of a recursion share: of a node, what its class made of it (fl_op_exec.keep). */
typedef struct fl_kept_build {
    const struct fl_kept_build *next; /* of the same recursion or one around it; NULL: the last */
    const fl_node *node;
    void *built;
} fl_kept_build;

/* The rows of a recursion's last round, for the run of the next one; of a recursion with keys also the rows of all its rounds. */
typedef struct fl_working_rows {
    const struct fl_working_rows *outer; /* of a recursion around it */
    int64_t number;                      /* the recursion's */
    struct fl_segment *const *segments;
    int64_t n_segments;
    bool is_live_only; /* rows of the last round that are marked as deleted are none of it */
    struct fl_segment *const *all;
    int64_t n_all;
} fl_working_rows;

/* What a run needs from outside; all borrowed for as long as it lasts. */
typedef struct fl_exec_context {
    const fl_plan *plan;
    const fl_session_state *session;
    fl_memory *memory;
    fl_workers *workers;
    fl_fibers *fibers;     /* NULL: workers never pause */
    fl_str temp_directory; /* where rows go that leave memory */
    struct fl_spill_quota *spill_quota;
    const fl_working_rows *working; /* NULL: it is no round of a recursion */
    const fl_kept_build *kept;      /* by rounds; NULL: nothing */
} fl_exec_context;

struct fl_exec {
    fl_exec_context context;
    uint64_t number; /* of the run: no other in this process has it */
    int64_t started_ns;
    const fl_plan *plan;
    fl_arena arena; /* of the run: stages, programs, everything that lives until the end. Worker 0's thread only */
    struct fl_task *tasks; /* pipelines and finishes, in the order in which they were added */
    struct fl_task *tasks_last;
    struct fl_task *finishing; /* the one under way */
    int32_t n_pipelines;       /* that were started */
    fl_stage **stages;
    int64_t stages_capacity;
    int32_t n_stages;
    fl_source **sources;
    int64_t sources_capacity;
    int32_t n_sources;
    struct fl_runtime_filter *runtime_filters;
    fl_stage *commits; /* in the order in which they were added */
    struct fl_exec_shared *shared;
    fl_worker *workers; /* [n_workers] */
    int32_t n_workers;
    fl_worker *finisher;      /* for whom finishes of sinks count; it is in no pipeline */
    fl_source *_Atomic scans; /* for progress, from another thread */
    struct fl_spill_holder *_Atomic spill_holders;
    pthread_mutex_t spill_lock;
    struct fl_spill_file *spill_file; /* guarded by it; NULL: nothing was spilled */
    fl_job job;
    pthread_mutex_t
        lock; /* guards the tasks' states and what follows; inside of it the pool's may be taken, and sinks' */
    pthread_cond_t changed; /* a worker left a pipeline, or a sink has something for the reader */
    struct fl_stay *stays;  /* [n_workers] */
    int32_t n_running;      /* workers in a pipeline with a thread, */
    int32_t n_helping;      /* of which so many are the pool's; */
    int32_t n_paused;       /* and those without one */
    fl_status st;           /* first failure */
    fl_err err;
    _Atomic bool stops; /* it failed, or nobody wants it any more */
};

/** Makes a run. Nothing is executed yet. */
fl_status fl_exec_new(const fl_exec_context *context, fl_exec **ret, fl_err *err);

/** Builds the pipelines for `node`, ending in `next`. FL_ERR_PLAN names an operator that is still logical. */
fl_status fl_exec_build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err);

/** Runs all. On any failure, cancellation or timeout every worker stops at its next batch. */
fl_status fl_exec_run(fl_exec *exec, fl_err *err);

/** Runs on until all is done (*ret_has_ended) or is_enough(ctx) says that there is something for the caller, who calls again
 *  for more. It is asked between morsels, and where workers may pause, on this thread. After a failure every call fails in the same way. One thread at a
 *  time, not always the same. */
fl_status fl_exec_run_until(fl_exec *exec, bool (*is_enough)(void *ctx), void *ctx, bool *ret_has_ended, fl_err *err);

/** Says that there is something for whoever waits in fl_exec_run_until, or that a sink is not full any more. Any thread,
 *  holding no lock of a sink. */
void fl_exec_wake(fl_exec *exec);

/** Commits what stages have to, in the order in which they were added; what is not committed is undone when the run is freed. */
fl_status fl_exec_commit(fl_exec *exec, fl_err *err);

/** Ends the run where it is, and frees it. Waits for helpers, who stop at their next batch; workers that pause end on this thread. */
void fl_exec_free(fl_exec *exec);

/** Share of the work done, 0 to 1; from any thread, while it runs. */
double fl_exec_progress(fl_exec *exec);

/** Actual figures by node id, summed over workers. `ret` has room for n entries; nodes with larger ids are left out. */
void fl_exec_actual(fl_exec *exec, fl_node_actual *ret, int32_t n);

/** What was kept of the node for the rounds of which this run is one; NULL: nothing. */
void *fl_exec_kept(const fl_exec *exec, const fl_node *node);

/** Adds what a run of a part of the plan counted, which is over, to what the worker counts. */
void fl_exec_count_run(fl_worker *worker, const fl_exec *run);

/* For operators while they build. */

/** Registers a stage (struct of `bytes`, cleared, begins with fl_stage) that pushes to `next`. */
fl_status fl_exec_add_stage(fl_exec *exec, const fl_stage_ops *ops, int64_t bytes, const fl_node *node, fl_stage *next,
                            void *ret_stage, fl_err *err);
fl_status fl_exec_add_source(fl_exec *exec, const fl_source_ops *ops, int64_t bytes, const fl_node *node,
                             void *ret_source, fl_err *err);

/** Adds to the graph: run source -> chain; finish a sink when all pipelines that feed it have ended. */
fl_status fl_exec_add_pipeline(fl_exec *exec, fl_source *source, fl_stage *chain, fl_err *err);
fl_status fl_exec_add_finish(fl_exec *exec, fl_stage *sink, fl_err *err);

/** The stage has something to commit when the run and all that is made of its rows has succeeded. */
void fl_exec_add_commit(fl_exec *exec, fl_stage *stage);

/** A stage or source whose pipelines do not start before the sink is finished: `waits` is &stage->waits or &source->waits. The
 *  sink's finish is added before a pipeline over it. */
fl_status fl_exec_wait_for(fl_exec *exec, struct fl_wait **waits, const fl_stage *sink, fl_err *err);

/** The same for the end of all pipelines that were added so far and feed the sink behind `stage`, which is not finished yet. */
fl_status fl_exec_wait_for_feeders(fl_exec *exec, struct fl_wait **waits, const fl_stage *stage, fl_err *err);

/** Where nodes that share something of the run keep it: the same place for the same key, NULL in it at first. */
fl_status fl_exec_place(fl_exec *exec, int64_t key, void ***ret, fl_err *err);

/** Positions of columns by id (fl_index_map_find), in the run's arena: for more than a few lookups. */
fl_status fl_exec_col_places(fl_exec *exec, const fl_col_id *cols, int32_t n, fl_index_map *ret, fl_err *err);

/** Positions of several columns among `input`'s, in the run's arena; FL_ERR_INTERNAL when one is missing. */
fl_status fl_exec_col_map(fl_exec *exec, const fl_col_id *cols, int32_t n, const fl_node *input, int32_t **ret,
                          fl_err *err);

/* For operators while they run. */

/** Passes a batch that `from` made (NULL: a helper, not counted) to the stage: counts rows and time, and looks whether the
 *  statement shall stop. An empty batch is dropped. */
fl_status fl_push(const fl_node *from, fl_stage *to, fl_worker *worker, fl_batch *batch, fl_err *err);

/** Passes an event to the stage, or on to the first behind it that takes it. */
fl_status fl_push_event(fl_stage *to, fl_worker *worker, fl_event event, fl_err *err);

/** Gathers the kept rows of a batch to the front: afterwards rows == kept and there is no mask. */
fl_status fl_batch_compact(fl_arena *arena, fl_batch *batch, fl_err *err);

/** For sinks with is_paced, in a push that put rows where the reader finds them: lets the worker pause when it is held, when the
 *  reader's own thread is on it and there is enough for him, or when another job waits for the thread. FL_ERR_CANCELLED: the run
 *  has ended meanwhile. No lock may be held, by the sink or by what pushes to it. */
fl_status fl_exec_pause_if_due(fl_worker *worker, fl_err *err);

/** FL_ERR_CANCELLED or FL_ERR_TIMEOUT when the run must stop. Call at least every few milliseconds of work; loops of small
 *  steps count them (base/interrupt.h). */
fl_status fl_exec_check(fl_exec *exec, fl_err *err);

/** Runs fn(ctx, i) for i in 0 .. n-1 on the pool; the first failure is returned. For finish(). */
fl_status fl_exec_parallel(fl_exec *exec, int32_t n, fl_status (*fn)(void *ctx, int32_t i, fl_err *err), void *ctx,
                           fl_err *err);

#endif
