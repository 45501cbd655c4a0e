/* prune_columns: no operator makes or passes columns that nobody above it reads; scans read only what is used. */
#include "op/aggregate/node.h"
#include "op/project/node.h"
#include "op/set_op/node.h"
#include "plan/rule.h"

typedef struct pruning {
    fl_plan *plan;
    fl_arena *scratch;
    const fl_node *
        *shared; /* by node id: what became of an input that is computed once, of which all readers want the same */
} pruning;

static fl_status prune(pruning *p, const fl_node *node, const fl_col_set *wanted, const fl_node **ret, fl_err *err);

static bool is_wanted(const fl_col_set *wanted, fl_col_id col)
{
    return fl_col_set_has(wanted, col);
}

/* The node with its own computed columns thinned out; attributes only. */
static fl_status thin_project(pruning *p, const fl_node *node, const fl_col_set *wanted, fl_project_attrs *ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    const fl_project_attrs *old = fl_project_of(node);
    fl_col_id *cols = NULL, *passed = NULL;
    const fl_expr **exprs = NULL;
    *ret = (fl_project_attrs){0};
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(p->plan), old->n_cols + 1, &cols, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(p->plan), old->n_cols + 1, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(p->plan), old->n_passed + 1, &passed, err));
    for (int32_t i = 0; i < old->n_cols; i++)
        if (is_wanted(wanted, old->cols[i]) || (old->exprs[i]->flags & FL_EXPR_VOLATILE)) {
            cols[ret->n_cols] = old->cols[i];
            exprs[ret->n_cols++] = old->exprs[i];
        }
    for (int32_t i = 0; i < old->n_passed; i++)
        if (is_wanted(wanted, old->passed[i]))
            passed[ret->n_passed++] = old->passed[i];
    ret->cols = cols;
    ret->exprs = exprs;
    ret->n_exprs = ret->n_cols;
    ret->passed = passed;
cleanup:
    return st;
}

static fl_status thin_aggregate(pruning *p, const fl_node *node, const fl_col_set *wanted, fl_aggregate_attrs *ret,
                                fl_err *err)
{
    fl_status st = FL_OK;
    fl_agg *aggs = NULL;
    *ret = *fl_aggregate_of(node);
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(p->plan), ret->n_aggs + 1, &aggs, err));
    int32_t n = 0;
    for (int32_t i = 0; i < ret->n_aggs; i++)
        if (is_wanted(wanted, ret->aggs[i].out))
            aggs[n++] = ret->aggs[i];
    ret->aggs = aggs;
    ret->n_aggs = n;
cleanup:
    return st;
}

static fl_status thin_union(pruning *p, const fl_node *node, const fl_col_set *wanted, fl_set_op_attrs *ret,
                            fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_id *cols = NULL, *left = NULL, *right = NULL;
    *ret = *fl_set_op_of(node);
    if (ret->kind != FL_UNION || !ret->is_all)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(p->plan), ret->n_cols + 1, &cols, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(p->plan), ret->n_cols + 1, &left, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(p->plan), ret->n_cols + 1, &right, err));
    int32_t n = 0;
    for (int32_t i = 0; i < ret->n_cols; i++)
        if (is_wanted(wanted, ret->cols[i])) {
            cols[n] = ret->cols[i];
            left[n] = ret->left[i];
            right[n++] = ret->right[i];
        }
    ret->cols = cols;
    ret->left = left;
    ret->right = right;
    ret->n_cols = ret->n_left = ret->n_right = n;
cleanup:
    return st;
}

static fl_status prune(pruning *p, const fl_node *node, const fl_col_set *wanted, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    union {
        fl_project_attrs project;
        fl_aggregate_attrs aggregate;
        fl_set_op_attrs set_op;
    } thin;
    const void *attrs = node->attrs;
    const fl_node **inputs = NULL, *thinned = node;
    fl_col_set below;
    fl_col_id *cols = NULL;
    int32_t n_cols = 0;
    if (node->op == &fl_op_project) {
        FL_TRY(thin_project(p, node, wanted, &thin.project, err));
        attrs = &thin.project;
    } else if (node->op == &fl_op_aggregate) {
        FL_TRY(thin_aggregate(p, node, wanted, &thin.aggregate, err));
        attrs = &thin.aggregate;
    } else if (node->op == &fl_op_set_op) {
        FL_TRY(thin_union(p, node, wanted, &thin.set_op, err));
        attrs = &thin.set_op;
    }
    FL_TRY(FL_NEW_ARRAY(p->scratch, node->n_cols + 1, &cols, err));
    for (int32_t i = 0; i < node->n_cols; i++)
        if (is_wanted(wanted, node->cols[i]))
            cols[n_cols++] = node->cols[i];
    if (node->n_inputs > 0) {
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(p->plan), node->n_inputs, &inputs, err));
        FL_TRY(fl_node_make(p->plan, node->op, attrs, node->traits, node->inputs, node->n_inputs, cols, n_cols,
                            &thinned, err));
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
    }
    st = fl_node_make(p->plan, node->op, attrs, node->traits, inputs, node->n_inputs, cols, n_cols, ret, err);
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
