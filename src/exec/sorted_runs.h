/* Sorted runs: rows that left memory in the order of a sort, and how they become one order again.
 *
 * A worker that is to give memory back sorts what it has and writes it as a run. When all rows are in, runs are merged page by page: a
 * page of each is in memory. The order of all rows is cut into ranges, by rows that begin pages, so that several workers merge, each
 * a range at a time, and so that rows are handed on in pieces; who goes on with the next range goes on where it is. Where there are more
 * runs than pages fit in memory, some are merged to fewer first.
 *
 * Rows that the columns do not tell apart come in the order of their place: a number that the row carries where its hash would be
 * (fl_sorted_run_place), and for the same place in the order of the runs. */
#ifndef FL_EXEC_SORTED_RUNS_H
#define FL_EXEC_SORTED_RUNS_H

#include "exec/exec.h"
#include "exec/sorter.h"
#include "exec/spilled_rows.h"

typedef struct fl_sorted_run {
    fl_spilled_rows rows;
    struct fl_run_pivot *pivots; /* rows that begin pages, with their keys: as many as there is memory for */
    int64_t n_pivots, capacity;
    fl_arena arena; /* of the pivots */
} fl_sorted_run;

typedef struct fl_sorted_runs {
    fl_exec *exec;
    const fl_row_layout *layout;
    const fl_sort_column *columns; /* none: the place alone orders the rows */
    int32_t n_columns;
    fl_sorted_run *items;
    int64_t n, capacity;
    const uint8_t **bounds; /* [n_ranges - 1]: the first row behind each range */
    int64_t n_ranges;
} fl_sorted_runs;

/** No runs yet. Layout and columns are borrowed. */
void fl_sorted_runs_init(fl_sorted_runs *runs, fl_exec *exec, const fl_row_layout *layout,
                         const fl_sort_column *columns, int32_t n_columns);
/** Gives the memory and the space on the disk back. What was never initialised but cleared may be dropped, too. */
void fl_sorted_runs_drop(fl_sorted_runs *runs);

/** Where rows of a morsel stand among others that are equal. */
static inline uint64_t fl_sorted_run_place(int32_t pipeline, int64_t morsel)
{
    FL_ASSERT(morsel >= 0 && morsel < 1ll << 40);
    return ((uint64_t)pipeline << 40) + (uint64_t)morsel;
}

/** Writes rows that are sorted as a run behind the others. Takes no memory from the budget but for what speeds merging up. */
fl_status fl_sorted_runs_add(fl_sorted_runs *runs, uint8_t *const *rows, int64_t n, fl_err *err);

/** Begins a run, and writes more rows to the last one: those behind all that it has. */
fl_status fl_sorted_runs_begin(fl_sorted_runs *runs, fl_err *err);
fl_status fl_sorted_runs_append(fl_sorted_runs *runs, uint8_t *const *rows, int64_t n, fl_err *err);

/** Takes the runs of another list over, behind its own. `from` is empty afterwards. */
fl_status fl_sorted_runs_take(fl_sorted_runs *runs, fl_sorted_runs *from, fl_err *err);

/** What was written to the runs, as EXPLAIN ANALYZE shows it. */
int64_t fl_sorted_runs_bytes(const fl_sorted_runs *runs);

/** When there are no more runs to come: merges until there are few enough, and chooses the ranges. Counts for the node. For
 *  finish(). */
fl_status fl_sorted_runs_finish(fl_sorted_runs *runs, const fl_node *node, fl_err *err);

/* One worker's merging. Several may read the same runs. */
typedef struct fl_run_merger fl_run_merger;

fl_status fl_run_merger_new(const fl_sorted_runs *runs, fl_run_merger **ret, fl_err *err);
void fl_run_merger_free(fl_run_merger *merger);

/** Goes to the beginning of a range, 0 .. n_ranges - 1. */
fl_status fl_run_merger_seek(fl_run_merger *merger, int64_t range, fl_err *err);

/** The next rows of the range, rows_max at the most, in their order; none: it is at its end. They stay until the next call. */
fl_status fl_run_merger_next(fl_run_merger *merger, int32_t rows_max, uint8_t **rows, int32_t *ret_n, fl_err *err);

/* A source's reading of all ranges, a worker a range at a time. */
typedef struct fl_run_reader {
    fl_run_merger *merger; /* of a worker */
    uint8_t **rows;
} fl_run_reader;

/** Takes the next range, which becomes the worker's morsel, and hands its rows to `emit` in batches. *ret_any false: there is none
 *  left. */
fl_status fl_run_reader_next(fl_run_reader *reader, const fl_sorted_runs *runs, _Atomic int64_t *next_range,
                             fl_worker *worker,
                             fl_status (*emit)(void *ctx, fl_worker *worker, uint8_t **rows, int32_t n, fl_err *err),
                             void *ctx, bool *ret_any, fl_err *err);
void fl_run_reader_drop(fl_run_reader *reader);

#endif
