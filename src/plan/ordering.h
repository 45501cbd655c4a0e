/* ordering: the trait that says in which order rows come.
 *
 * A value is a list of keys, the first of which decides first. A key may name several columns: they are equal in every row, as
 * after a join on them, and any of them stands for the key. Whoever makes values of one plan names all columns of such a
 * class that the rows have, so that two keys which share a column are of the same class.
 *
 * a satisfies b when b is a prefix of a: its keys, one by one, share a column and agree in their direction and nulls. */
#ifndef FL_PLAN_ORDERING_H
#define FL_PLAN_ORDERING_H

#include "plan/trait.h"

typedef struct fl_ordering {
    const fl_order_key *keys;
    int32_t n_keys; /* 0: rows come in any order */
} fl_ordering;

/** The value for an order, brought to one form: columns of a key by id, and no key that an earlier one decides already. */
fl_status fl_ordering_make(fl_plan *plan, const fl_order_key *keys, int32_t n_keys, int32_t *ret, fl_err *err);

/** The keys of a value. Valid as long as the plan. */
fl_ordering fl_ordering_of(const fl_plan *plan, int32_t value);

#endif
