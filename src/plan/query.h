/* A bound query: a plan's root with what belongs to the query and not to the plan: output names and parameters. */
#ifndef FL_PLAN_QUERY_H
#define FL_PLAN_QUERY_H

#include "plan/node.h"

typedef struct fl_query {
    fl_plan *plan;
    const fl_node *root;
    int32_t n_outputs;
    const fl_col_id *outputs; /* columns of root, in the order of the select list (a column may come twice) */
    const fl_str *names;      /* [n_outputs], in the plan's arena */
    int32_t n_params;
    fl_type *param_types; /* [n_params]; FL_NULL where nothing said what it is */
} fl_query;

#endif
