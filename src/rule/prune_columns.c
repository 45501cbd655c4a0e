/* prune_columns: no operator makes or passes columns that nobody above it reads; scans read only what is used.
 *
 * An operator asks its inputs for what is wanted of it and for what it reads. What it computes for columns that are not wanted it
 * takes away itself (plan/rewrites.h). */
#include "plan/rewrites.h"
#include "plan/rule.h"

typedef struct pruning {
    fl_plan *plan;
    fl_arena *scratch;
    const fl_node *
        *shared; /* by node id: what became of an input that is computed once, of which all readers want the same */
} pruning;

static fl_status prune(pruning *p, const fl_node *node, const fl_col_set *wanted, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_op_rewrites *rewrites = fl_rewrites_of(node);
    const fl_node **inputs = NULL, *thinned = node;
    fl_col_set below;
    fl_col_id *cols = NULL;
    int32_t n_cols = 0;
    if (rewrites->thin != NULL)
        FL_TRY(rewrites->thin(p->plan, node, wanted, &thinned, err));
    FL_TRY(FL_NEW_ARRAY(p->scratch, node->n_cols + 1, &cols, err));
    for (int32_t i = 0; i < node->n_cols; i++)
        if (fl_col_set_has(wanted, node->cols[i]))
            cols[n_cols++] = node->cols[i];
    FL_TRY(FL_NEW_ARRAY(p->scratch, node->n_inputs, &inputs, err));
    fl_col_set_init(&below);
    if (!node->op->is_computed_once)
        FL_TRY(fl_col_set_add_all(p->scratch, &below, wanted, err));
    FL_TRY(fl_node_add_used_cols(p->scratch, thinned, &below, err));
    for (int32_t i = 0; i < node->n_inputs; i++) {
        const fl_node *known = node->op->is_computed_once ? p->shared[node->inputs[i]->id] : NULL;
        if (known == NULL)
            FL_TRY(prune(p, node->inputs[i], &below, &known, err));
        if (node->op->is_computed_once)
            p->shared[node->inputs[i]->id] = known;
        inputs[i] = known;
    }
    st = fl_node_make(p->plan, node->op, thinned->attrs, node->traits, inputs, node->n_inputs, cols, n_cols, ret, err);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    pruning p = {.plan = call->plan, .scratch = call->scratch};
    const fl_node *out = NULL;
    FL_TRY(FL_NEW_ARRAY(call->scratch, fl_plan_nodes(call->plan) + 1, &p.shared, err));
    FL_TRY(prune(&p, call->root, call->wanted, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_prune_columns = {FL_DESC(fl_rule_desc),
                                            .name = "prune_columns",
                                            .phase = "refine",
                                            .pattern = "root",
                                            .scope = FL_SCOPE_BOTH,
                                            .promise = 40,
                                            .keeps = FL_KEEPS_ROW_COUNT | FL_KEEPS_ORDER,
                                            .on_match = on_match,
                                            .doc = "only columns that are used are read and passed on"};
