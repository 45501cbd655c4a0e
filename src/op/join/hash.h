/* The hash join, as its parts see it: building and probing (op/join/run.c), and what is done where the build side's rows leave memory
 * (op/join/spill.c). */
#ifndef FL_OP_JOIN_HASH_H
#define FL_OP_JOIN_HASH_H

#include "exec/runtime_filter.h"
#include "exec/spill.h"
#include "exec/spilled_rows.h"
#include "op/join/pairs.h"
#include "op/join/table.h"

/* Build rows that can be probed: all of them, or those of a partition that came back. */
typedef struct fl_join_built {
    fl_join_table table;
    uint8_t **all_rows; /* nested loop: every build row */
    int64_t n_all_rows;
    int32_t
        hash_turn; /* the hashes are turned left by so many bits: those that all rows of a partition share decide last */
} fl_join_built;

/* What a worker has of one side's rows: in memory, and in partitions of their hashes. */
typedef struct fl_join_rows {
    fl_spill_holder holder;
    fl_row_store store;
    fl_spilled_rows partitions[FL_SPILL_PARTITIONS];
    bool has_spilled;
} fl_join_rows;

/* Of a run: both sides on the disk. Build rows are there when the build side is finished, probe rows when their pipelines are. */
typedef struct fl_join_spill {
    bool is_possible; /* there is a limit */
    bool has_spilled; /* probe rows are put into the partitions, too, and joined when all of them are there */
    bool
        is_ordered; /* somebody may rely on the order of the probe side: rows carry their places, by which they are sorted */
    fl_row_layout layout; /* of probe rows */
    int32_t n_probe;      /* columns of the probe input, and is_ordered: the places behind them */
    int32_t n_cols;
    int32_t *col_from; /* per column of a row: its place in the probe input; else -1 - key */
    int32_t *col_of;   /* per column of the probe input: the row's column; -1: nobody reads it */
    int32_t *key_of;   /* per key: the row's column */
    fl_stage *probe;   /* whose workers hold what is not written yet */
    fl_source *rest;   /* puts out what the partitions give */
    fl_spilled_rows build_rows[FL_SPILL_PARTITIONS];
    fl_spilled_rows probe_rows[FL_SPILL_PARTITIONS];
    bool has_locks;
    pthread_mutex_t begin_lock; /* guards has_begun: the workers' probe rows were gathered */
    bool has_begun;
    pthread_mutex_t lock; /* guards what follows; inside of the other one */
    struct fl_join_partition *begun, *waiting;
    int32_t n_under_way; /* in the hands of workers, and in no list */
    bool is_missed;      /* somebody found none while others had some */
    _Atomic int64_t n_steps;
} fl_join_spill;

typedef struct fl_hash_join {
    fl_stage base; /* the sink of the build side */
    fl_join_pairs pairs;
    bool keeps_unmatched_build;
    bool is_one_enough;          /* what is asked is whether there is a build row: the first one ends the build */
    bool has_dense_key;          /* one integer key: the table may be an array */
    bool *has_range;             /* per key: min and max are collected, for the table or a filter */
    fl_runtime_filter **filters; /* per key; NULL where there is none */
    fl_join_built built;
    void *const *locals;
    int32_t n_locals;
    fl_join_spill spill;
} fl_hash_join;

/* A worker's means of probing. */
typedef struct fl_join_prober {
    fl_pair_list pairs;
    uint16_t *list; /* probe rows with usable keys */
    uint64_t *hashes;
    uint8_t **heads; /* chain position per list entry */
    uint16_t *match, *differ;
    fl_join_rows rows; /* those that go to the disk */
    int64_t place;     /* the morsel that they come from, */
    int64_t n_seen;    /* and how many rows of it came */
} fl_join_prober;

fl_status fl_join_prober_new(fl_hash_join *join, fl_worker *worker, void **ret, fl_err *err);
void fl_join_prober_free(fl_join_prober *prober);

/** Finds the partners of the rows prober->list[0 .. count) of a batch among build rows, of which there are some, and settles the
 *  pairs. */
fl_status fl_join_probe_rows(fl_hash_join *join, const fl_join_built *built, fl_join_prober *prober, fl_worker *worker,
                             fl_stage *next, const fl_batch *batch, const fl_vec *keys, int32_t count, fl_err *err);

/** Whether a stored build row can have partners: no null in a plain key. */
bool fl_join_can_match(const fl_hash_join *join, const uint8_t *row);

/** When the probe is done: passes on those of n build rows, one behind the other, that the kind of join puts out then. */
fl_status fl_join_emit_build_rows(const fl_hash_join *join, fl_worker *worker, fl_stage *to, uint8_t *rows, int64_t n,
                                  fl_err *err);

/* ---- op/join/spill.c ---------------------------------------------------------------------------------------------- */

/** Plans what is kept of probe rows, where it may come to that. */
fl_status fl_join_spill_plan(fl_hash_join *join, fl_err *err);
void fl_join_spill_drop(fl_hash_join *join);

void fl_join_rows_init(fl_join_rows *rows, const fl_row_layout *layout, fl_exec *exec, bool is_holder);
void fl_join_rows_drop(fl_join_rows *rows);
int64_t fl_join_rows_count(const fl_join_rows *rows);

/** Writes what is in memory to the partitions. */
fl_status fl_join_rows_write(fl_join_rows *rows, fl_exec *exec, fl_err *err);

/** Does so if it is time, between two batches, and counts. */
fl_status fl_join_rows_write_due(const fl_hash_join *join, fl_worker *worker, fl_join_rows *rows, fl_err *err);

/** A batch was not taken in (`st`): forgets what was. If memory is short and there are rows to write away, does that and counts:
 *  *ret_again, and the batch is tried once more. Else fails as it did. */
fl_status fl_join_rows_make_room(const fl_hash_join *join, fl_worker *worker, fl_join_rows *rows, fl_row_mark mark,
                                 fl_status st, bool *ret_again, fl_err *err);

/** Whether the table over all build rows leaves memory for what else the run needs. */
bool fl_join_spill_has_room(const fl_hash_join *join, int64_t table_bytes);

/** Ends the build side: all its rows are in partitions then. `rows` are those of the workers, NULL where there are none. */
fl_status fl_join_spill_build(fl_hash_join *join, fl_join_rows *const *rows, int32_t n, fl_err *err);

/** Takes a probe batch: those of prober->list[0 .. count) go to the partitions, the others have no partners. */
fl_status fl_join_spill_probe(fl_hash_join *join, fl_join_prober *prober, fl_worker *worker, fl_stage *next,
                              const fl_batch *batch, const fl_vec *keys, int32_t count, fl_err *err);

/** fl_source_ops.has_morsel. */
bool fl_join_spill_has_step(fl_hash_join *join);

/** Goes a step on with joining the partitions; *ret_any false: all are done. */
fl_status fl_join_spill_run(fl_hash_join *join, fl_join_prober **prober, fl_worker *worker, fl_stage *to, bool *ret_any,
                            fl_err *err);

#endif
