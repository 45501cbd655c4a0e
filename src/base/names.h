/* Names of columns: files may have the same one twice, queries tell columns apart by it, whatever its case. */
#ifndef FL_BASE_NAMES_H
#define FL_BASE_NAMES_H

#include "base/arena.h"

/** Gives each name that was there before a number of its own, as in a, A_1, a_2, and spells NULs, which no name may hold,
 *  as in a\u0000b; they and the note are in the arena.
 *  `memory` is for what is needed meanwhile. *ret_note says what was done, in a sentence; empty when nothing was. */
fl_status fl_names_tell_apart(fl_arena *arena, fl_memory *memory, fl_str *names, int32_t n, fl_str *ret_note,
                              fl_err *err);

/* An index of names that are given one after the other and found by their bytes. */
typedef struct fl_name_index {
    int32_t *slots; /* number + 1; 0: free */
    int64_t size;
    int32_t n;
} fl_name_index;

/** The number of the name among names[0 .. n), which are those that were added; negative when it is none. */
int32_t fl_name_index_find(const fl_name_index *index, const fl_str *names, fl_str name);

/** Adds names[index->n]. What it outgrows stays in the arena. */
fl_status fl_name_index_add(fl_name_index *index, fl_arena *arena, const fl_str *names, fl_err *err);

#endif
