/* Spilled stretches: rows that come in an order, on the disk in that order.
 *
 * Workers keep rows with their stretches (exec/stretches.h). One that gives memory back writes them, stretch by stretch, so that no page
 * has rows of two; the order of all pages is that of the stretches then, and nothing needs to be merged:
 *
 *     fl_spilled_stretches_write(&spilled, exec, &store, &stretches, …)     each time that memory is short, and once at the end
 *     fl_ordered_pages_gather(exec, parts, n, &pages, …)                    in finish(): all of them, in the order of the input */
#ifndef FL_EXEC_SPILLED_STRETCHES_H
#define FL_EXEC_SPILLED_STRETCHES_H

#include "exec/spilled_rows.h"
#include "exec/stretches.h"

typedef struct fl_spilled_stretch {
    fl_stretch of;
    int64_t n_pages;
} fl_spilled_stretch;

/* What a worker wrote. */
typedef struct fl_spilled_stretches {
    fl_spilled_rows rows;
    fl_spilled_stretch *items; /* in the order of its pages */
    int64_t n, capacity;
} fl_spilled_stretches;

/** Nothing yet. Layout and states are borrowed. What was never initialised but cleared may be dropped, too. */
void fl_spilled_stretches_init(fl_spilled_stretches *spilled, const fl_row_layout *layout, const fl_row_states *states);
void fl_spilled_stretches_drop(fl_spilled_stretches *spilled);

/** Writes all rows of a store, whose stretches are forgotten: the next rows begin anew, though their morsel goes on. The store may be
 *  dropped then. */
fl_status fl_spilled_stretches_write(fl_spilled_stretches *spilled, fl_exec *exec, const fl_row_store *store,
                                     fl_stretches *stretches, fl_err *err);

/* Pages of all workers, in the order of the input. */
typedef struct fl_ordered_pages {
    fl_spilled_rows rows;
    int64_t *starts;  /* [rows.n_pages + 1]: rows before each page */
    uint64_t *begins; /* by page, a bit: a stretch begins with it, or a piece of one that was written by itself */
} fl_ordered_pages;

/** Takes over what workers have, which are empty afterwards. The arrays lie in the run's arena. */
fl_status fl_ordered_pages_gather(fl_exec *exec, fl_spilled_stretches *const *parts, int32_t n_parts,
                                  fl_ordered_pages *ret, fl_err *err);
void fl_ordered_pages_drop(fl_ordered_pages *pages);

#endif
