/* ordering: the trait that says in which order rows come.
 *
 * A value is a list of keys, the first of which decides first. A key may name several columns: they are equal in every row, as
 * after a join on them, and any of them stands for the key. Whoever makes values of one plan names all columns of such a
 * class that the rows have, so that two keys which share a column are of the same class.
 *
 * a satisfies b when b is a prefix of a: its keys, one by one, share a column and agree in their direction, and in the place of
 * nulls unless a's key has none. */
#ifndef FL_PLAN_ORDERING_H
#define FL_PLAN_ORDERING_H

#include "plan/node.h"

typedef struct fl_ordering {
    const fl_order_key *keys;
    int32_t n_keys; /* 0: rows come in any order */
} fl_ordering;

/** The value for an order, brought to one form: columns of a key by id, and no key that an earlier one decides already. */
fl_status fl_ordering_make(fl_plan *plan, const fl_order_key *keys, int32_t n_keys, int32_t *ret, fl_err *err);

/** The keys of a value. Valid as long as the plan. */
fl_ordering fl_ordering_of(const fl_plan *plan, int32_t value);

/** Whether the column is one of those that the key names. */
bool fl_order_key_has(const fl_order_key *key, fl_col_id col);

/** How many keys the order begins with that name one of the columns each, every time another one: ret_places[k], with room for n_cols,
 *  is the place in `cols` of key k's. */
int32_t fl_ordering_match(fl_ordering order, const fl_col_id *cols, int32_t n_cols, int32_t *ret_places);

/** The value for the order that sorting by the keys makes, as far as they are columns; of a key that is none, and those behind
 *  it, nothing is said. *ret_is_whole (may be NULL): all of them are columns. */
fl_status fl_ordering_of_keys(fl_plan *plan, const fl_sort_key *keys, int32_t n, int32_t *ret, bool *ret_is_whole,
                              fl_err *err);

/** Whether a node or one below it makes an order of its own, be it that of a leaf: else nothing comes sorted unless it is sorted to
 *  that end. Asked for once a node, as is the next. For a plan that is being made. */
fl_status fl_ordering_has_maker(fl_plan *plan, const fl_node *node, bool *ret, fl_err *err);

/** Whether the column may be a key of an order of the node's rows: false where no table is ordered by it and nothing above tables
 *  makes an order. Costs little, where what the orders are costs properties. For a plan that is being made. */
fl_status fl_ordering_may_have(fl_plan *plan, const fl_node *node, fl_col_id col, bool *ret, fl_err *err);

/** All orders in which a plan's rows are known to come, or can be asked for where a table claims one: what its operators give as the
 *  plan stands, then those among its properties. At most FL_ORDERINGS_MAX (plan/props.h). */
fl_status fl_orderings_of_node(fl_plan *plan, const fl_node *node, fl_ordering *ret, int32_t *ret_n, fl_err *err);

/* fl_op_desc.needs and .gives (n_ways 2) of a class that puts its first input's rows out in their order: either nothing is asked
 * of it, or the order that is wanted. */
fl_status fl_ordering_needs_passed(fl_plan *plan, const fl_node *node, int32_t input, const fl_trait_set *want,
                                   int32_t way, const fl_trait_set **ret, fl_err *err);
fl_status fl_ordering_gives_passed(fl_plan *plan, const fl_node *node, const fl_trait_set *const *inputs,
                                   const fl_trait_set **ret, fl_err *err);

#endif
