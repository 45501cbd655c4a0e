/* Frozen plans: what was chosen is copied out of the plan that it was chosen in, into one of its own, which nothing writes to.
 *
 * The plan of an optimizer holds all that was ever made, and tables to find it again. A copy holds what the query's root
 * reaches, once each: operators, expressions, values, types, traits, columns. It lies in one block of exactly the bytes that it
 * needs, so that keeping many plans is cheap and what runs lies close together. */
#ifndef FL_PLAN_PLAN_COPY_H
#define FL_PLAN_PLAN_COPY_H

#include "plan/query.h"

/** *ret: the query over a plan of its own, with one reference; `query` is left as it is. Ids of nodes are 1 .. n, inputs first,
 *  those of columns 1 .. n by first mention. It holds references to its tables and to the registry. Columns of tables that are
 *  never read have ids, but no fl_plan_col. Linear in what the root reaches. */
fl_status fl_query_copy(const fl_query *query, fl_memory *memory, fl_query *ret, fl_err *err);

#endif
