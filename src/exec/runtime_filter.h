/* Run-time filters: what a join's build side knows of its keys, handed sideways to the scans of the probe side.
 *
 * While its probe side is built, the join announces a filter for a column; the scan that makes the column picks it up. The
 * same scan may stand in a plan several times, so a filter is seen only where its column is put out by every operator on
 * the way down from the join (fl_exec_build hides it elsewhere), and until the join closes it. When the build is finished the filter is filled, before the probe pipeline starts: exact bounds
 * for zone maps, and a bitmap over the key range where that is small enough. */
#ifndef FL_EXEC_RUNTIME_FILTER_H
#define FL_EXEC_RUNTIME_FILTER_H

#include "exec/exec.h"

typedef struct fl_runtime_filter {
    struct fl_runtime_filter *next;
    fl_col_id col;
    const fl_stage *build; /* the sink whose finish fills it */
    int32_t hidden;        /* operators being built that do not put the column out */
    bool is_closed;        /* the probe side is built */
    bool is_filled;
    int64_t min, max; /* keys' range; min > max: there is none, nothing passes */
    uint64_t *bits;   /* [max - min + 1], or NULL: only the range is known */
} fl_runtime_filter;

/** Announces a filter on `col`, which the finish of `build` fills, for the node that is built next (the probe side). It lives as
 *  long as the run. The caller sets is_closed when that node is built. */
fl_status fl_runtime_filter_announce(fl_exec *exec, fl_col_id col, const fl_stage *build, fl_runtime_filter **ret,
                                     fl_err *err);

/** Announced filters for a column, from `after` (NULL: the first); NULL at the end. */
fl_runtime_filter *fl_runtime_filter_find(fl_exec *exec, fl_col_id col, fl_runtime_filter *after);

/** Opens a filter whose range and bits are set. Bits that are all set say no more than the range does, and are dropped. */
void fl_runtime_filter_fill(fl_runtime_filter *filter);

/** Clears bits of mask whose row's value is not wanted; nulls are not. The vector is a flat or constant integer, date or
 *  decimal of width 4 or 8. */
void fl_runtime_filter_apply(const fl_runtime_filter *filter, const fl_vec *vec, int32_t rows, uint64_t *mask);

#endif
