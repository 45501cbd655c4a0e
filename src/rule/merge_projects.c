/* merge_projects: a projection over a projection is one, where no expression would be computed twice; a projection that
 * changes nothing goes. */
#include "op/project/node.h"
#include "plan/rule.h"

typedef struct counting {
    fl_expr_walk walk;
    fl_index_map places; /* of the columns that are made below */
    int32_t *uses;       /* by place */
} counting;

static fl_status count_uses(counting *c, const fl_expr *e, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_new = true;
    int32_t at = e->kind == FL_EXPR_COLUMN ? fl_index_map_find(&c->places, (uint64_t)e->col.n) : -1;
    if (at >= 0)
        c->uses[at]++;
    FL_TRY(fl_expr_walk_enter(&c->walk, e, &is_new, err));
    for (int32_t i = 0; i < e->n_args && is_new; i++)
        FL_TRY(count_uses(c, e->args[i], err));
cleanup:
    return st;
}

static bool is_identity(const fl_node *node)
{
    const fl_project_attrs *project = fl_project_of(node);
    return project->n_cols == 0 && node->n_cols == node->inputs[0]->n_cols;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = call->node, *below = node->inputs[0], *out = NULL;
    if (is_identity(node))
        return fl_rule_call_transform_to(call, below, err);
    if (below->op != node->op)
        return FL_OK;
    const fl_project_attrs *upper = fl_project_of(node), *lower = fl_project_of(below);
    fl_arena *arena = fl_plan_arena(call->plan);
    counting c = {0};
    fl_substitution s = {0};
    fl_expr_walk_init(&c.walk, call->plan);
    fl_index_map_init(&c.places, &c.walk.arena);
    FL_TRY(FL_NEW_ARRAY(&c.walk.arena, lower->n_cols + 1, &c.uses, err));
    for (int32_t i = 0; i < lower->n_cols; i++)
        FL_TRY(fl_index_map_add(&c.places, (uint64_t)lower->cols[i].n, i, err));
    for (int32_t i = 0; i < upper->n_exprs; i++) {
        if (upper->exprs[i]->flags & FL_EXPR_HAS_SUBQUERY)
            goto cleanup;
        FL_TRY(count_uses(&c, upper->exprs[i], err));
    }
    for (int32_t i = 0; i < upper->n_passed; i++) {
        int32_t at = fl_index_map_find(&c.places, (uint64_t)upper->passed[i].n);
        if (at >= 0)
            c.uses[at]++;
    }
    for (int32_t i = 0; i < lower->n_cols; i++) {
        bool cheap = lower->exprs[i]->n_args == 0;
        if ((c.uses[i] > 1 && !cheap) || (lower->exprs[i]->flags & (FL_EXPR_VOLATILE | FL_EXPR_HAS_SUBQUERY)) ||
            (c.uses[i] == 0 && (lower->exprs[i]->flags & FL_EXPR_CAN_FAIL)))
            goto cleanup;
    }
    fl_project_attrs attrs = {0};
    fl_col_id *cols = NULL, *passed = NULL;
    const fl_expr **exprs = NULL;
    FL_TRY(FL_NEW_ARRAY(arena, upper->n_cols + lower->n_cols + 1, &cols, err));
    FL_TRY(FL_NEW_ARRAY(arena, upper->n_cols + lower->n_cols + 1, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(arena, upper->n_passed + 1, &passed, err));
    FL_TRY(fl_substitution_init(&s, call->plan, lower->cols, lower->exprs, lower->n_cols, err));
    for (int32_t i = 0; i < upper->n_cols; i++) {
        cols[attrs.n_cols] = upper->cols[i];
        FL_TRY(fl_substitute(&s, upper->exprs[i], &exprs[attrs.n_cols++], err));
    }
    for (int32_t i = 0; i < upper->n_passed; i++) {
        int32_t at = fl_index_map_find(&c.places, (uint64_t)upper->passed[i].n);
        if (at >= 0) {
            cols[attrs.n_cols] = lower->cols[at];
            exprs[attrs.n_cols++] = lower->exprs[at];
        } else {
            passed[attrs.n_passed++] = upper->passed[i];
        }
    }
    attrs.n_exprs = attrs.n_cols;
    attrs.cols = cols;
    attrs.exprs = exprs;
    attrs.passed = passed;
    FL_TRY(fl_node_make(call->plan, &fl_op_project, &attrs, node->traits, below->inputs, 1, node->cols, node->n_cols,
                        &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    fl_expr_walk_drop(&c.walk);
    fl_substitution_drop(&s);
    return st;
}

const fl_rule_desc fl_rule_merge_projects = {FL_DESC(fl_rule_desc),
                                             .name = "merge_projects",
                                             .phase = "refine",
                                             .pattern = "project",
                                             .scope = FL_SCOPE_BOTH,
                                             .promise = 45,
                                             .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT |
                                                      FL_KEEPS_ORDER,
                                             .on_match = on_match,
                                             .doc = "projections over projections are one"};
