/* Names of columns: files may have the same one twice, queries tell columns apart by it, whatever its case. */
#ifndef FL_FORMAT_NAMES_H
#define FL_FORMAT_NAMES_H

#include "base/arena.h"

/** Gives each name that was there before a number of its own, as in a, A_1, a_2; they and the note are in the arena.
 *  `memory` is for what is needed meanwhile. *ret_note says what was done, in a sentence; empty when nothing was. */
fl_status fl_names_tell_apart(fl_arena *arena, fl_memory *memory, fl_str *names, int32_t n, fl_str *ret_note,
                              fl_err *err);

#endif
