/* Run groups: the groups of rows that come in an order of some of their keys.
 *
 * Rows that agree in the ordered keys are a run. No group goes on beyond its run, so the directory holds the groups of the run under
 * way alone and stays in the cache; within a run they are found by a hash of the other keys. Groups are numbered as they lie in the store,
 * hence an entry whose number is below that of the run's first group is empty: a new run costs nothing, whatever the directory holds.
 *
 * Groups lie in the store run by run, in a run in the order in which each was seen first. Workers begin a run with each morsel;
 * fl_run_groups_join makes one of those that belong together. */
#ifndef FL_EXEC_RUN_GROUPS_H
#define FL_EXEC_RUN_GROUPS_H

#include "exec/exec.h"
#include "exec/group_merge.h"
#include "exec/rows.h"

typedef struct fl_run_groups {
    fl_row_store *store;
    int32_t n_ordered, n_keys;
    uint64_t seed;
    struct fl_run_entry *entries;
    int64_t n_entries;          /* in use: a power of two */
    int64_t begin;              /* groups in the store when the run under way began */
    struct fl_open_group *open; /* of the run under way, [store->rows - begin] */
    int64_t open_capacity;
    bool has_words;                 /* the other key is one integer: an entry holds it instead of a hash */
    int64_t null_number;            /* has_words: that of the group whose key is null, as in an entry */
    struct fl_run_scratch *scratch; /* of a batch of rows_max rows */
    int32_t rows_max;
} fl_run_groups;

/** Keys are the first n_keys columns of the store's rows, the first n_ordered of these the ordered ones: 0 < n_ordered < n_keys. The
 *  store is borrowed and grows by groups alone. */
fl_status fl_run_groups_init(fl_run_groups *groups, fl_row_store *store, int32_t n_ordered, int32_t n_keys,
                             int32_t rows_max, uint64_t seed, fl_err *err);
void fl_run_groups_drop(fl_run_groups *groups);

/** The groups of the rows list[0 .. count), count ≤ rows_max, which come behind those of all calls before. starts[i]: a run begins with
 *  row i; keys are such as fl_runs_mark takes. ret_fresh: how many groups are new, which are the store's last rows. */
fl_status fl_run_groups_find(fl_run_groups *groups, const fl_vec *keys, const uint16_t *list, int32_t count,
                             const uint8_t *starts, uint8_t **ret_rows, int32_t *ret_fresh, fl_err *err);

/** Joins the runs at the seams of stretches: where the first run of one goes on with the last of those before, its groups are combined
 *  with the same ones there, or follow them. rows: of all stretches in the order of the input, starts[n_stretches + 1] where each
 *  begins; what is left, ret_n rows, is moved to the front. */
fl_status fl_run_groups_join(fl_exec *exec, const fl_row_layout *layout, int32_t n_ordered, int32_t n_keys,
                             uint8_t **rows, const int64_t *starts, int64_t n_stretches, fl_group_combine combine,
                             void *ctx, fl_arena *heap, int64_t *ret_n, fl_err *err);

#endif
