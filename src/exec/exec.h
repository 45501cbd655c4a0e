/* Running a physical plan: pipelines over morsels.
 *
 * The plan is cut at its breakers. A pipeline is a source, a chain of operators that pass batches on, and a sink; chains
 * are built from the root down, so an operator knows what it pushes to. Workers claim morsels of the source and push their
 * batches through the chain; when all are done, the sink's finish() runs once, and the next pipeline may start.
 *
 *     build(join):  build(right, hash-build sink) ; finish ; build(left, probe -> next)
 *
 * Each worker has an arena that is reset for each batch of the source: whatever a chain makes of a batch lives there. */
#ifndef FL_EXEC_EXEC_H
#define FL_EXEC_EXEC_H

#include "base/index_map.h"
#include "base/interrupt.h"
#include "base/workers.h"
#include "exec/session_state.h"
#include "plan/explain.h"
#include "plan/node.h"
#include "plan/table.h"

typedef struct fl_exec fl_exec;
typedef struct fl_stage fl_stage;
typedef struct fl_source fl_source;

/* What a worker brings to every call. */
typedef struct fl_worker {
    fl_exec *exec;
    int32_t id;
    fl_arena arena;         /* this batch's memory */
    void **locals;          /* [exec->n_parts]: state of each stage and source for this worker */
    int32_t pipeline;       /* number of the pipeline under way, in the order in which they run */
    int64_t morsel;         /* number of the morsel under way, in the source's order */
    fl_node_actual *actual; /* [nodes + 1] */
} fl_worker;

/* A stage of a chain: an operator that passes batches on, or a sink (next is NULL). Operators put their own struct around
 * this one, in the run's arena. */
typedef struct fl_stage_ops {
    const char *what; /* for messages: "the join's build side"; NULL: the node's operator */
    /** Makes the worker's state; may be NULL: none. */
    fl_status (*local_new)(fl_stage *stage, fl_worker *worker, void **ret, fl_err *err);
    /** Takes a batch: passes batches on with fl_push, or keeps its rows. FL_DONE: no more rows are wanted. */
    fl_status (*push)(fl_stage *stage, fl_worker *worker, void *local, fl_batch *batch, fl_err *err);
    /** After the worker's last batch of a pipeline: passes on what was held back. May be NULL. */
    fl_status (*flush)(fl_stage *stage, fl_worker *worker, void *local, fl_err *err);
    /** Sinks: once, after every pipeline that feeds the stage is done; locals[w] of the workers that took part (others
     *  NULL). May use the worker pool. */
    fl_status (*finish)(fl_stage *stage, void *const *locals, int32_t n_locals, fl_err *err);
    void (*local_free)(fl_stage *stage, void *local);
    void (*free)(fl_stage *stage);
} fl_stage_ops;

struct fl_stage {
    const fl_stage_ops *ops;
    fl_stage *next;
    const fl_node *node; /* whose output this stage pushes; NULL: helper stages, not counted */
    int32_t part;        /* index in locals */
    bool is_ordered;     /* the rows must arrive in the source's order on one worker (limits) */
};

typedef struct fl_source_ops {
    fl_status (*local_new)(fl_source *source, fl_worker *worker, void **ret, fl_err *err);
    /** Claims one morsel and pushes its batches to `to`; *ret_any false: none was left. Resets worker->arena per batch. */
    fl_status (*run)(fl_source *source, fl_worker *worker, void *local, fl_stage *to, bool *ret_any, fl_err *err);
    void (*local_free)(fl_source *source, void *local);
    void (*free)(fl_source *source);
} fl_source_ops;

struct fl_source {
    const fl_source_ops *ops;
    const fl_node *node;
    int32_t part;
    int32_t workers_max; /* more would be idle; 0 = no limit */
    fl_scan *scan;       /* for progress; may be NULL */
};

/* How an operator class runs. */
typedef struct fl_op_exec {
    /** Builds what produces the node's rows and pushes them to `next`: adds stages, pipelines and finishes to the run. */
    fl_status (*build)(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err);
} fl_op_exec;

/* What a run needs from outside; all borrowed for as long as it lasts. */
typedef struct fl_exec_context {
    const fl_plan *plan;
    const fl_session_state *session;
    fl_memory *memory;
    fl_workers *workers;
} fl_exec_context;

struct fl_exec {
    fl_exec_context context;
    const fl_plan *plan;
    fl_arena arena; /* of the run: stages, programs, everything that lives until the end. Main thread only */
    int32_t n_parts;
    struct fl_task *tasks; /* pipelines and finishes in order */
    struct fl_task *tasks_last;
    fl_stage **stages;
    int64_t stages_capacity;
    int32_t n_stages;
    fl_source **sources;
    int64_t sources_capacity;
    int32_t n_sources;
    struct fl_runtime_filter *runtime_filters;
    struct fl_exec_shared *shared;
    fl_worker *workers; /* [threads] */
    int32_t n_workers;
    _Atomic int64_t rows_total, rows_done; /* of finished pipelines; the current one's are in its scan */
    fl_scan *_Atomic scan_now;
};

/** Makes a run. Nothing is executed yet. */
fl_status fl_exec_new(const fl_exec_context *context, fl_exec **ret, fl_err *err);

/** Builds the pipelines for `root`, ending in `sink` (whose stage was made with fl_exec_add_stage). FL_ERR_PLAN names an
 *  operator that is still logical. */
fl_status fl_exec_build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err);

/** Runs all. On any failure, cancellation or timeout every worker stops at its next batch. */
fl_status fl_exec_run(fl_exec *exec, fl_err *err);
void fl_exec_free(fl_exec *exec);

/** Share of the work done, 0 to 1; from any thread, while it runs. */
double fl_exec_progress(fl_exec *exec);

/** Actual figures by node id, summed over workers. `ret` has room for n entries; nodes with larger ids are left out. */
void fl_exec_actual(fl_exec *exec, fl_node_actual *ret, int32_t n);

/* For operators while they build. */

/** Registers a stage (struct of `bytes`, cleared, begins with fl_stage) that pushes to `next`. */
fl_status fl_exec_add_stage(fl_exec *exec, const fl_stage_ops *ops, int64_t bytes, const fl_node *node, fl_stage *next,
                            void *ret_stage, fl_err *err);
fl_status fl_exec_add_source(fl_exec *exec, const fl_source_ops *ops, int64_t bytes, const fl_node *node,
                             void *ret_source, fl_err *err);

/** Appends to the list of things to do: run source -> chain; finish a sink. */
fl_status fl_exec_add_pipeline(fl_exec *exec, fl_source *source, fl_stage *chain, fl_err *err);
fl_status fl_exec_add_finish(fl_exec *exec, fl_stage *sink, fl_err *err);

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

/** Gathers the kept rows of a batch to the front: afterwards rows == kept and there is no mask. */
fl_status fl_batch_compact(fl_arena *arena, fl_batch *batch, fl_err *err);

/** FL_ERR_CANCELLED or FL_ERR_TIMEOUT when the run must stop. Call at least every few milliseconds of work; loops of small
 *  steps count them (base/interrupt.h). */
fl_status fl_exec_check(fl_exec *exec, fl_err *err);

/** Runs fn(ctx, i) for i in 0 .. n-1 on the pool; the first failure is returned. For finish(). */
fl_status fl_exec_parallel(fl_exec *exec, int32_t n, fl_status (*fn)(void *ctx, int32_t i, fl_err *err), void *ctx,
                           fl_err *err);

#endif
