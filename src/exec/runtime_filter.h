/* Run-time filters: what a join's build side knows of its keys, handed sideways to the scans of the probe side; and what the worst row
 * that a top-k keeps says of its first key.
 *
 * While its probe side is built, the join announces a filter for a column; the scan that makes the column picks it up. The
 * same scan may stand in a plan several times, so a filter is seen only where its column is put out by every operator on
 * the way down from the join (fl_exec_build hides it elsewhere), and until the join closes it. When the build is finished the filter is filled, before the probe pipeline starts: exact bounds
 * for zone maps, and a bitmap over the key range where that is small enough. A top-k's is open as soon as a worker keeps rows enough, and gets sharper
 * while the scan runs. */
#ifndef FL_EXEC_RUNTIME_FILTER_H
#define FL_EXEC_RUNTIME_FILTER_H

#include "exec/exec.h"

typedef struct fl_runtime_filter {
    struct fl_runtime_filter *next;
    fl_col_id col;
    const fl_stage *build; /* the sink whose finish fills it; NULL: a threshold, which nobody waits for */
    int32_t hidden;        /* operators being built that do not put the column out */
    bool is_closed;        /* the probe side is built */
    bool is_filled;
    int64_t min, max; /* keys' range; min > max: there is none, nothing passes */
    uint64_t *bits;   /* [max - min + 1], or NULL: only the range is known */
    bool is_threshold;
    bool is_descending;     /* what is below the bound is dropped, else what is above */
    bool keeps_nulls;       /* they come first; else they are dropped */
    _Atomic bool has_bound; /* from here on it is open */
    _Atomic int64_t bound;
} fl_runtime_filter;

/** Announces a filter on `col`, which the finish of `build` fills, for the node that is built next (the probe side). It lives as
 *  long as the run. The caller sets is_closed when that node is built. */
fl_status fl_runtime_filter_announce(fl_exec *exec, fl_col_id col, const fl_stage *build, fl_runtime_filter **ret,
                                     fl_err *err);

/** The same of a top-k's first key, which anybody opens with fl_runtime_filter_sharpen. */
fl_status fl_runtime_filter_announce_threshold(fl_exec *exec, fl_col_id col, bool is_descending, bool keeps_nulls,
                                               fl_runtime_filter **ret, fl_err *err);

/** Announced filters for a column, from `after` (NULL: the first); NULL at the end. */
fl_runtime_filter *fl_runtime_filter_find(fl_exec *exec, fl_col_id col, fl_runtime_filter *after);

/** Opens a filter whose range and bits are set. Bits that are all set say no more than the range does, and are dropped. */
void fl_runtime_filter_fill(fl_runtime_filter *filter);

/** Opens a threshold, or makes it sharper: rows whose value is beyond the bound are not wanted. Any thread. */
void fl_runtime_filter_sharpen(fl_runtime_filter *filter, int64_t bound);

/** Whether it has something to say. Any thread. */
static inline bool fl_runtime_filter_is_open(const fl_runtime_filter *filter)
{
    return filter->is_threshold ? atomic_load_explicit(&filter->has_bound, memory_order_acquire) : filter->is_filled;
}

/** The range of wanted values of an open filter. */
void fl_runtime_filter_range(const fl_runtime_filter *filter, int64_t *ret_min, int64_t *ret_max);

/** Clears bits of mask whose row's value is not wanted; nulls are not, unless it keeps them. The vector is a flat or constant integer, date or
 *  decimal of width 4 or 8. */
void fl_runtime_filter_apply(const fl_runtime_filter *filter, const fl_vec *vec, int32_t rows, uint64_t *mask);

#endif
