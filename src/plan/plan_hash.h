/* Hashes and equality of plans: what two texts, processes or days have in common when they ask the same thing.
 *
 * The plan hash sees all that changes the rows: operators, tables, expressions, orders, limits, literals. The shape hash sees
 * no literal: neither constants, nor how many an IN list has, nor the numbers of LIMIT, nor arguments of table functions, nor
 * the digits that a literal gives to decimal types. Both are made of names and values, so they mean the same in every process.
 *
 * Written differently, these are the same: `a = b` and `b = a`, `a < b` and `b > a`, sums and products of two in either order
 * (fl_func_desc.mirror), ANDs, ORs and conjuncts in any order, names of outputs and aliases. Contents of tables do not count:
 * fl_table.version tells of them. */
#ifndef FL_PLAN_PLAN_HASH_H
#define FL_PLAN_PLAN_HASH_H

#include "plan/query.h"

/** The plan hash (literals true) or the shape hash (false) of a query: its root, and which columns of it are put out in which
 *  order. Linear in the plan's nodes, columns and parts, however they are shared. */
fl_status fl_plan_hash(const fl_query *query, bool literals, uint64_t *ret, fl_err *err);

/** Whether two queries, of one plan or of two, are the same in what that hash sees: then their hashes are equal, too. Compares
 *  the plans, not their hashes. */
fl_status fl_plan_is_equal(const fl_query *a, const fl_query *b, bool literals, bool *ret, fl_err *err);

#endif
