/* A table of which some morsels are left out: whole segments and row groups, of which nothing is read. */
#ifndef FL_PLAN_SAMPLED_TABLE_H
#define FL_PLAN_SAMPLED_TABLE_H

#include "plan/table.h"

/** Each morsel of `of` stays with the probability `share`, 0 to 1; `seed` decides which. The new table holds a reference to `of`, and is
 *  the caller's. What is known of `of`'s columns serves as an estimate; nothing is known for sure. */
fl_status fl_sampled_table_new(fl_table *of, double share, uint64_t seed, fl_memory *memory, fl_table **ret,
                               fl_err *err);

#endif
