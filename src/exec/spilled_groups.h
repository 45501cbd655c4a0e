/* Spilled groups: tables of groups that left memory piece by piece, and come back by partitions of the hash of their keys.
 *
 * What an operator keeps is of one or more kinds: the groups' rows, and rows that lie beside them (values that an aggregate is fed at
 * the end). All of a group goes to the same partition. A worker divides its tables and begins anew; when all rows are in, its
 * partitions are put together with the others':
 *
 *     fl_group_parts_divide(&parts, kind, &table->store, …)        each time that memory is short, and once at the end
 *     fl_group_piles_add(&piles, &parts, …)                        of each worker
 *     fl_group_piles_run(&piles, worker, &ret_any, …)              of a source: loads a pile, or puts out some rows of one
 *
 * A pile that is too large for its share of memory is split by the next bits of the hash into piles that wait their turn. A single
 * group cannot be split: it is loaded whatever it takes. */
#ifndef FL_EXEC_SPILLED_GROUPS_H
#define FL_EXEC_SPILLED_GROUPS_H

#include "exec/group_merge.h"
#include "exec/spill.h"
#include "exec/spilled_rows.h"

/* What is the same for all pieces of an operator's groups. Borrowed for as long as these last. */
typedef struct fl_group_kinds {
    fl_exec *exec;
    const fl_node *node;
    int32_t n_kinds; /* the first one is the groups' rows */
    int32_t n_keys;  /* the first columns of the rows of every kind */
    const fl_row_layout *const *layouts;
    const fl_row_states *states; /* of the groups' rows; may be NULL */
    fl_group_combine combine;    /* of the groups' rows */
    void *ctx;
} fl_group_kinds;

/* What one worker wrote: a row of partitions for each kind. Begins cleared. */
typedef struct fl_group_parts {
    fl_spilled_rows *rows; /* [n_kinds * FL_SPILL_PARTITIONS]; NULL: nothing yet */
    int64_t bytes;         /* that were written */
} fl_group_parts;

/** Writes all rows of a store to the partitions of its kind. is_hashed: the rows hold the hash of the keys. */
fl_status fl_group_parts_divide(const fl_group_kinds *kinds, fl_group_parts *parts, int32_t kind,
                                const fl_row_store *store, bool is_hashed, fl_err *err);
void fl_group_parts_drop(const fl_group_kinds *kinds, fl_group_parts *parts);

/** Bytes that a table gives back when its rows go: these, what they point at, and the hash directory. */
int64_t fl_group_table_bytes(const fl_group_table *table);

/* How rows are read into a table. */
typedef struct fl_group_reading {
    fl_exec *exec;
    int32_t n_keys;
    bool is_hashed;           /* rows hold the hash of the keys */
    fl_group_combine combine; /* NULL: rows are keys alone */
    void *ctx;
    int32_t level; /* of the parts; FL_SPILL_LEVELS: it is not split */
    int64_t limit_bytes;
} fl_group_reading;

/** Reads rows into a table that is made here, one of each key; their blocks are given back. When the table would take more than the
 *  limit, its rows go to parts[0 .. FL_SPILL_PARTITIONS) of that level instead, which are made here: then *ret_is_split, the table is
 *  empty, and *ret_bytes grows by what was written. Table and parts may be dropped also after a failure. */
fl_status fl_group_read_rows(const fl_group_reading *gather, fl_spilled_rows *from, fl_group_table *ret,
                             fl_spilled_rows *parts, bool *ret_is_split, int64_t *ret_bytes, fl_err *err);

/* A partition on its way back. */
typedef struct fl_group_pile {
    struct fl_group_pile *next;
    int32_t level;
    bool is_loaded;
    fl_spilled_rows *rows;     /* by kind */
    fl_group_table table;      /* loaded: the groups */
    fl_arena heap;             /* of states that were completed */
    const fl_row_block *block; /* where putting out goes on */
    int32_t at;
} fl_group_pile;

/* What an operator does with piles. */
typedef struct fl_group_pile_ops {
    /** The groups are there: what lies beside them is to be added. *ret_is_split: it is too much, and the pile shall be split. NULL: there
     *  is nothing. */
    fl_status (*complete)(void *ctx, fl_worker *worker, fl_group_pile *pile, bool *ret_is_split, fl_err *err);
    /** Puts out rows of groups. */
    fl_status (*emit)(void *ctx, fl_worker *worker, uint8_t **rows, int32_t count, fl_err *err);
} fl_group_pile_ops;

/** Whether a pile whose groups are loaded can be made smaller by splitting it. */
bool fl_group_pile_can_split(const fl_group_pile *pile);

/* All that wait. */
typedef struct fl_group_piles {
    const fl_group_kinds *kinds;
    const fl_group_pile_ops *ops;
    pthread_mutex_t lock; /* guards what follows */
    fl_group_pile *first;
    int32_t n_busy; /* workers that have one in hands */
    bool is_missed; /* somebody found none while others had some */
    int64_t n_morsels;
} fl_group_piles;

void fl_group_piles_init(fl_group_piles *piles, const fl_group_kinds *kinds, const fl_group_pile_ops *ops);
void fl_group_piles_drop(fl_group_piles *piles);

/** Takes over what a worker wrote. One thread at a time. */
fl_status fl_group_piles_add(fl_group_piles *piles, fl_group_parts *parts, fl_err *err);

/** Memory that a worker may use for a pile. */
int64_t fl_group_piles_share(const fl_group_piles *piles);

/** fl_source_ops.has_morsel: false while all that are left are in hands, which may split them. */
bool fl_group_piles_has_morsel(fl_group_piles *piles);

/** A morsel of a source: a pile is loaded or split, or some batches of a loaded one are put out. Any worker. ctx is what the operations
 *  get. *ret_any false: all have been put out. */
fl_status fl_group_piles_run(fl_group_piles *piles, fl_worker *worker, void *ctx, bool *ret_any, fl_err *err);

#endif
