/* The right side of a merge join, as the left one reads it: rows in the order of the keys, kept in memory or on the disk.
 *
 * Rows are numbered in their order. A reader looks at them through a window: all of them where they are in memory, otherwise those of a
 * page, of which some stay loaded. */
#ifndef FL_OP_JOIN_MERGE_RIGHT_H
#define FL_OP_JOIN_MERGE_RIGHT_H

#include "exec/spill.h"
#include "exec/spilled_stretches.h"
#include "op/join/pairs.h"

typedef struct fl_merge_right {
    fl_stage base; /* the sink */
    fl_join_pairs pairs;
    const fl_sort_key *order;
    uint8_t **rows; /* in order; their first word is that of the first key, the words of others are in the extra room */
    uint64_t *words; /* of their first keys */
    int64_t n_rows;
    _Atomic bool is_disordered;
    bool can_spill;
    bool is_spilled;        /* when finished: rows and words are NULL, and all are in */
    fl_ordered_pages pages; /* whose heads are the words of their first rows */
} fl_merge_right;

#define FL_MERGE_WINDOW_PAGES 4 /* that stay loaded: rows of equal keys are gone over again */

/* The rows [from, end), and of each the word of its first key. */
typedef struct fl_merge_window {
    int64_t from, end;
    uint8_t *const *rows;
    const uint64_t *words;
    struct fl_merge_page {
        int64_t number; /* 1 + that of the page; 0: none */
        fl_row_page page;
        fl_arena heap;
        uint64_t *words;
    } loaded[FL_MERGE_WINDOW_PAGES]; /* page p at p % FL_MERGE_WINDOW_PAGES */
} fl_merge_window;

/** Adds the sink of a merge join's right input, and plans its pairs. */
fl_status fl_merge_right_plan(fl_exec *exec, const fl_node *node, fl_merge_right **ret, fl_err *err);

/** Where a kept row has the word of a key. */
static inline int32_t fl_merge_word_offset(const fl_merge_right *right, int32_t k)
{
    return k == 0 ? 0 : right->pairs.layout.extra_offset + (k - 1) * 8;
}

/** Makes a key's vector one that words are made of. */
fl_status fl_merge_flatten_key(fl_arena *arena, int32_t rows, fl_vec *key, fl_err *err);

/** The error that rows of an input (0: left) are not in their order. */
fl_status fl_merge_fail_disordered(const fl_merge_right *right, int32_t input, fl_err *err);

/** Begins to read, when the right side is finished. A window is one worker's. */
void fl_merge_window_open(fl_merge_window *window, const fl_merge_right *right);
void fl_merge_window_drop(fl_merge_window *window);

static inline bool fl_merge_window_has(const fl_merge_window *window, int64_t row)
{
    return (uint64_t)(row - window->from) < (uint64_t)(window->end - window->from);
}

/** Moves the window to where a row is. Rows that were seen through it may go: nothing may point at them. */
fl_status fl_merge_window_move(fl_merge_window *window, const fl_merge_right *right, int64_t row, fl_err *err);

/** A row from `row` on, which is not in the window, that no row comes before whose first key has the word or a later one: where to go on to
 *  look for the first one of these. */
int64_t fl_merge_window_skip(const fl_merge_right *right, int64_t row, uint64_t word);

#endif
