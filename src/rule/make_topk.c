/* make_topk: the first rows of a sort need no full sort. Rows that tie no longer come in the order in which they came to it. */
#include "op/limit/node.h"
#include "op/sort/node.h"
#include "op/topk/node.h"
#include "plan/rule.h"

#define ROWS_MAX 1000000 /* beyond, a full sort is as good */

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_limit_attrs *limit = fl_limit_of(call->node);
    const fl_node *sort = fl_rule_call_bound(call, "sort"), *out = NULL;
    if (limit->limit < 0 || limit->limit > ROWS_MAX || limit->offset > ROWS_MAX)
        return FL_OK;
    FL_TRY(fl_topk_build(call->plan, sort->inputs[0], fl_sort_of(sort)->keys, fl_sort_of(sort)->n_keys, limit->limit,
                         limit->offset, &out, err));
    FL_TRY(fl_node_with_cols(call->plan, out, call->node->cols, call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_make_topk = {FL_DESC(fl_rule_desc),
                                        .name = "make_topk",
                                        .phase = "refine",
                                        .pattern = "limit(sort:sort)",
                                        .scope = FL_SCOPE_BOTH,
                                        .promise = 35,
                                        .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT,
                                        .on_match = on_match,
                                        .doc = "ORDER BY with LIMIT keeps only the best rows"};
