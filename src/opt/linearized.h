/* Linearized dynamic programming (Neumann and Radke: Adaptive optimization of very large join queries, SIGMOD 2018): the
 * relations are put in a line, and the best tree is found among those whose every join is of two neighboring stretches of it.
 *
 * The line is that of IKKBZ, which is the best left-deep order of an acyclic graph by the rows put out (Ibaraki and Kameda
 * 1984; Krishnamurthy, Boral and Zaniolo 1986), over a minimal spanning tree of the graph. */
#ifndef FL_OPT_LINEARIZED_H
#define FL_OPT_LINEARIZED_H

#include "opt/join_tree.h"

#define FL_LINEARIZED_MAX 100 /* relations of a line: its time is cubic */

/** The order of IKKBZ; `ret` has room for all relations. *ret_found false: simple edges do not connect all of them. */
fl_status fl_ikkbz(const fl_join_graph *graph, int32_t *ret, bool *ret_found, fl_err *err);

/** The best tree over stretches of the line; *ret NULL: it has none that may be joined. */
fl_status fl_linearized(const fl_join_graph *graph, const int32_t *line, int32_t n, const fl_join_tree **ret,
                        fl_err *err);

#endif
