/* IN over constants: a hash table of the items, made once, in which every row is looked up. */
#ifndef FL_EXEC_IN_LIST_H
#define FL_EXEC_IN_LIST_H

#include "plan/expr.h"

typedef struct fl_in_list fl_in_list;

/** A table of the items, constants of one type that are not null, in the arena; their strings are borrowed. */
fl_status fl_in_list_new(fl_arena *arena, const fl_expr *const *items, int32_t n, fl_in_list **ret, fl_err *err);

/** Sets bit i where value i of a flat vector of the items' type is one of them (strings as views); null rows are not told
 *  apart. All other bits of the words are 0. Safe from any thread. */
void fl_in_list_run(const fl_in_list *list, const fl_vec *arg, int32_t rows, uint64_t *bits);

#endif
