/* eliminate_materialize: what is read in one place only need not be kept; a projection gives its columns their ids.
 *
 * A place counts as often as the plan leads to it: a subtree that two operators share is run for each of them, unless it is
 * materialized itself. */
#include "op/materialize/node.h"
#include "op/project/node.h"
#include "plan/rule.h"

typedef struct counting {
    int32_t key;
    uint8_t *paths; /* by node id: 1 + ways from there to a reader of the key, two stand for more; 0: not known yet */
    bool *is_known; /* by key: counted for one of its readers, which is all */
} counting;

static int32_t count_paths(counting *c, const fl_node *node)
{
    int32_t n = 0;
    if (c->paths[node->id] > 0)
        return c->paths[node->id] - 1;
    if (node->op == &fl_op_materialize && fl_materialize_key(node) == c->key)
        n = 1;
    else if (node->op != &fl_op_materialize || !c->is_known[fl_materialize_key(node)])
        for (int32_t i = 0; i < node->n_inputs; i++)
            n += count_paths(c, node->inputs[i]);
    if (node->op == &fl_op_materialize)
        c->is_known[fl_materialize_key(node)] = true;
    n = n > 2 ? 2 : n;
    c->paths[node->id] = (uint8_t)(n + 1);
    return n;
}

static fl_status inline_one(void *ctx, fl_plan *plan, const fl_node *node, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_rule_call *call = ctx;
    const fl_expr **exprs = NULL;
    *ret = node;
    if (node->op != &fl_op_materialize || fl_materialize_of(node)->is_always)
        return FL_OK;
    const fl_materialize_attrs *attrs = fl_materialize_of(node);
    counting c = {.key = fl_materialize_key(node)};
    FL_TRY(FL_NEW_ARRAY(call->scratch, fl_plan_nodes(plan) + 1, &c.paths, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, fl_plan_cols(plan) + 1, &c.is_known, err));
    if (count_paths(&c, call->root) > 1)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), attrs->n_cols, &exprs, err));
    for (int32_t i = 0; i < attrs->n_cols; i++)
        FL_TRY(fl_expr_column(plan, attrs->from[i], -1, &exprs[i], err));
    fl_project_attrs project = {.n_cols = attrs->n_cols, .cols = attrs->cols, .n_exprs = attrs->n_cols, .exprs = exprs};
    st = fl_node_make(plan, &fl_op_project, &project, NULL, node->inputs, 1, node->cols, node->n_cols, ret, err);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    const fl_node *out = NULL;
    fl_status st = fl_node_rewrite(call->plan, call->root, inline_one, call, &out, err);
    return st != FL_OK ? st : fl_rule_call_transform_to(call, out, err);
}

const fl_rule_desc fl_rule_eliminate_materialize = {FL_DESC(fl_rule_desc),
                                                    .name = "eliminate_materialize",
                                                    .phase = "normalize",
                                                    .pattern = "root",
                                                    .scope = FL_SCOPE_BOTH,
                                                    .promise = 100,
                                                    .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT |
                                                             FL_KEEPS_ORDER,
                                                    .on_match = on_match,
                                                    .doc = "rows that are read once are not kept"};
