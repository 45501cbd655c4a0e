/* project: its class, and how one is built. */
#include "op/project/node.h"

#include "base/index_map.h"

#include "opt/cost.h"
#include "plan/ordering.h"
#include "plan/props.h"

#include <stddef.h>

static int32_t derive_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan;
    const fl_project_attrs *project = attrs;
    int32_t n = 0;
    for (int32_t i = 0; i < project->n_passed; i++)
        if (fl_col_set_has(&inputs[0]->made, project->passed[i]))
            ret[n++] = project->passed[i];
    for (int32_t i = 0; i < project->n_cols; i++)
        ret[n++] = project->cols[i];
    return n;
}

static double derive_rows(const fl_plan *plan, const fl_node *node)
{
    (void)plan;
    return node->inputs[0]->rows;
}

static fl_status derive_props(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    const fl_project_attrs *project = fl_project_of(node);
    FL_TRY(fl_props_pass(plan, node, inputs, ret, err));
    for (int32_t i = 0; i < project->n_cols; i++)
        FL_TRY(fl_props_add_computed(plan, ret, project->cols[i], project->exprs[i], err));
cleanup:
    return st;
}

static void cost(const fl_plan *plan, const fl_node *node, fl_cost *cost)
{
    (void)plan;
    fl_cost_add(cost, FL_COST_COMPUTE, node->rows * fl_project_of(node)->n_exprs);
}

static const fl_attr_field fields[] = {
    {"computed", FL_FIELD_COLS, offsetof(fl_project_attrs, cols), offsetof(fl_project_attrs, n_cols), NULL, true,
     false},
    {"exprs", FL_FIELD_EXPRS, offsetof(fl_project_attrs, exprs), offsetof(fl_project_attrs, n_exprs), NULL, false,
     false},
    {"passed", FL_FIELD_COLS_USED, offsetof(fl_project_attrs, passed), offsetof(fl_project_attrs, n_passed), NULL,
     false, true},
};

extern const fl_op_rewrites fl_project_rewrites;
extern const struct fl_op_exec fl_project_exec;

const fl_op_desc fl_op_project = {FL_DESC(fl_op_desc),
                                  .name = "project",
                                  .in_memory = "one value lies in memory",
                                  .n_inputs = 1,
                                  .attr_bytes = sizeof(fl_project_attrs),
                                  .fields = fields,
                                  .n_fields = FL_LEN(fields),
                                  .derive_cols = derive_cols,
                                  .derive_rows = derive_rows,
                                  .derive_props = derive_props,
                                  .cost = cost,
                                  .needs = fl_ordering_needs_passed,
                                  .gives = fl_ordering_gives_passed,
                                  .n_ways = 2,
                                  .rewrites = &fl_project_rewrites,
                                  .exec = &fl_project_exec,
                                  .doc = "computed columns"};

/* ret_cols: where each expression ends up; columns of the input keep their ids. Adds `n_before` passed columns first. */
static fl_status build(fl_plan *plan, const fl_node *input, const fl_expr *const *exprs, const fl_str *names, int32_t n,
                       const fl_col_id *before, int32_t n_before, fl_col_id *ret_cols, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_id *made = NULL, *passed = NULL;
    const fl_expr **computed = NULL;
    int32_t n_made = 0, n_passed = n_before;
    fl_col_set have;
    fl_index_map known; /* computed expressions */
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n + 1, &made, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n + n_before + 1, &passed, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n + 1, &computed, err));
    fl_col_set_init(&have);
    fl_index_map_init(&known, fl_plan_arena(plan));
    for (int32_t i = 0; i < n_before; i++) {
        passed[i] = before[i];
        FL_TRY(fl_col_set_add(fl_plan_arena(plan), &have, before[i], err));
    }
    for (int32_t i = 0; i < n; i++) {
        const fl_expr *e = exprs[i];
        if ((e->flags & FL_EXPR_UNTYPED) && e->type.id != FL_LIST) /* as a column it is a text, whoever reads it */
            FL_TRY(fl_expr_cast(plan, e, FL_TYPE(FL_UTF8), false, e->pos, &e, err));
        if (e->kind == FL_EXPR_COLUMN && fl_col_set_has(&input->made, e->col)) {
            ret_cols[i] = e->col;
            if (!fl_col_set_has(&have, e->col)) {
                passed[n_passed++] = e->col;
                FL_TRY(fl_col_set_add(fl_plan_arena(plan), &have, e->col, err));
            }
            continue;
        }
        int32_t same = e->flags & FL_EXPR_VOLATILE ? -1 : fl_index_map_find(&known, fl_index_map_key(e));
        if (same >= 0) {
            ret_cols[i] = made[same];
            continue;
        }
        fl_str name = names != NULL ? names[i] : (fl_str){0};
        fl_text text;
        fl_text_init(&text, NULL);
        if (name.len == 0) {
            fl_expr_print(&text, plan, e);
            name = fl_text_str(&text);
        }
        fl_col_info info = {.name = name, .type = e->type};
        st = fl_text_status(&text, err);
        if (st == FL_OK)
            st = fl_plan_add_col(plan, &info, &made[n_made], err);
        fl_text_drop(&text);
        FL_TRY(st);
        FL_TRY(fl_index_map_add(&known, fl_index_map_key(e), n_made, err));
        computed[n_made] = e;
        ret_cols[i] = made[n_made++];
    }
    fl_project_attrs attrs = {
        .n_cols = n_made, .cols = made, .n_exprs = n_made, .exprs = computed, .n_passed = n_passed, .passed = passed};
    st = fl_node_make(plan, &fl_op_project, &attrs, NULL, &input, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

fl_status fl_project_build(fl_plan *plan, const fl_node *input, const fl_expr *const *exprs, const fl_str *names,
                           int32_t n, fl_col_id *ret_cols, const fl_node **ret, fl_err *err)
{
    return build(plan, input, exprs, names, n, NULL, 0, ret_cols, ret, err);
}

fl_status fl_project_extend(fl_plan *plan, const fl_node *input, const fl_expr *const *exprs, const fl_str *names,
                            int32_t n, fl_col_id *ret_cols, const fl_node **ret, fl_err *err)
{
    return build(plan, input, exprs, names, n, input->cols, input->n_cols, ret_cols, ret, err);
}

fl_status fl_project_copy(fl_plan *plan, const fl_node *input, const fl_col_id *cols, int32_t n, fl_col_id *ret_cols,
                          const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **exprs = NULL;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n + 1, &exprs, err));
    for (int32_t i = 0; i < n; i++) {
        fl_col_info info = *fl_plan_col(plan, cols[i]);
        info.table = NULL;
        FL_TRY(fl_expr_column(plan, cols[i], -1, &exprs[i], err));
        FL_TRY(fl_plan_add_col(plan, &info, &ret_cols[i], err));
    }
    fl_project_attrs attrs = {.n_cols = n, .cols = ret_cols, .n_exprs = n, .exprs = exprs};
    st = fl_node_make(plan, &fl_op_project, &attrs, NULL, &input, 1, NULL, 0, ret, err);
cleanup:
    return st;
}
