/* How many rows a set of a region's relations has when it is joined: see opt/join_graph.h. */
#ifndef FL_OPT_JOIN_ROWS_H
#define FL_OPT_JOIN_ROWS_H

#include "opt/join_graph.h"

/** The shares of joins that are no inner ones, and correlations; once the operators are there. */
fl_status fl_join_graph_find_shares(fl_join_graph *graph, fl_err *err);

/** Adds what two relations have to do with each other beyond all shares; before these are found. */
fl_status fl_join_graph_add_correlation(fl_join_graph *graph, int32_t a, int32_t b, double log_factor, fl_err *err);

/** What a class makes of the product of the rows of the set's relations; a logarithm. */
double fl_equality_class_log_share(const fl_equality_class *class, const uint64_t *set);

/** Logarithm of the rows of a set. */
double fl_join_graph_log_rows(const fl_join_graph *graph, const uint64_t *set);

/** A logarithm of rows as rows: neither 0 nor infinite, nor is a sum of a thousand of them. */
double fl_join_rows(double log_rows);

#endif
