/* Who gives memory back, and when: holders of rows that a run can put on the disk.
 *
 * A sink that keeps rows is a holder, one for each worker. Between two batches it says how much it holds and asks whether it is
 * time; when memory is short the largest of the run's holders is told so, writes its rows to the run's spill file on its worker's
 * own stack, and goes on with an empty store. What is written lies in partitions of the hash (exec/spilled_rows.h), which come
 * back one by one when all rows are in, or in sorted runs (exec/sorted_runs.h), which are merged then.
 *
 * Memory is short when the tightest budget has less left than the holder would need to grow by half, what the others may take before
 * they look again (the most that each took between two looks: a batch of nested values is megabytes), and a part of the limit for all
 * that cannot be given back. A smaller holder writes, too, where its own next batch might not fit: the largest one's worker may be
 * busy. Run without a limit nothing is ever spilled. */
#ifndef FL_EXEC_SPILL_H
#define FL_EXEC_SPILL_H

#include "exec/exec.h"
#include "exec/spill_file.h"

#define FL_SPILL_PARTITIONS 16
#define FL_SPILL_FREE_PART 8 /* of the limit: what a sink leaves to others when all its rows are in, or it spills */
#define FL_SPILL_LEVELS \
    12 /* how often a partition can be split: the hash's bits, but for those that tables look with */

typedef struct fl_spill_holder {
    struct fl_spill_holder *next;
    _Atomic int64_t bytes;
    _Atomic int64_t growth; /* the most that it took from one look to the next */
} fl_spill_holder;

/** Adds a holder, which goes with the run, in a worker's local_new. Any thread. */
void fl_spill_register(fl_exec *exec, fl_spill_holder *holder);

/** Whether the holder, with `bytes` in memory, is to write them away now. Its worker asks at a place where it can. */
bool fl_spill_is_due(fl_exec *exec, fl_spill_holder *holder, int64_t bytes);

/** Says that what the holder had is written. Its worker. */
void fl_spill_gave_back(fl_spill_holder *holder);

/** Says that the holder takes nothing more, and that nobody gives back what it has. Any thread, once its worker does not look again. */
void fl_spill_ended(fl_spill_holder *holder);

/** Whether there is a limit, so that rows may leave memory at all. */
bool fl_spill_is_possible(const fl_exec *exec);

/** Whether the tightest limit leaves a part of it (1 / part) free when `needed` more bytes are taken. Without a limit it does. */
bool fl_spill_has_room(const fl_exec *exec, int64_t needed, int32_t part);

/** How much may be held while partitions come back, by each of the workers: what one worker's partition may take before it is
 *  split again. INT64_MAX without a limit. */
int64_t fl_spill_share(fl_exec *exec);

/** The run's file, made now if it is the first time. Any thread. */
fl_status fl_spill_get_file(fl_exec *exec, fl_spill_file **ret, fl_err *err);

/** Counts for EXPLAIN ANALYZE what a node wrote, in bytes that the rows take in memory, and how often its partitions were split. */
void fl_spill_count(fl_worker *worker, const fl_node *node, int64_t bytes, int64_t splits);

/** The partition of a hash on a level, the highest bits first. */
static inline int32_t fl_spill_partition(uint64_t hash, int32_t level)
{
    return (int32_t)(hash >> (60 - 4 * level) & (FL_SPILL_PARTITIONS - 1));
}

#endif
