/* unnest: its class, and how one is built. */
#include "op/unnest/node.h"

#include "op/project/node.h"

#include "plan/ordering.h"
#include "plan/props.h"

#include <stddef.h>

/* Elements of a list of which nothing is known. */
#define ELEMENTS_GUESSED 4.0

static int32_t derive_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan;
    const fl_unnest_attrs *unnest = attrs;
    int32_t n = inputs[0]->n_cols;
    memcpy(ret, inputs[0]->cols, (size_t)n * sizeof(*ret));
    for (int32_t i = 0; i < unnest->n_cols; i++)
        ret[n++] = unnest->cols[i];
    if (unnest->ordinality.n > 0)
        ret[n++] = unnest->ordinality;
    return n;
}

/* Elements of a list that a projection makes, where its text says how many. */
static double elements_of(const fl_node *input, fl_col_id list)
{
    if (input->op != &fl_op_project)
        return ELEMENTS_GUESSED;
    const fl_project_attrs *project = fl_project_of(input);
    for (int32_t i = 0; i < project->n_cols; i++) {
        const fl_expr *made = project->exprs[i];
        if (!fl_col_is_equal(project->cols[i], list))
            continue;
        if (made->kind == FL_EXPR_CONST)
            return made->value->is_null ? 0 : (double)made->value->list.n;
        if (made->kind == FL_EXPR_CALL && strcmp(made->func->name, "list_value") == 0)
            return made->n_args;
    }
    return ELEMENTS_GUESSED;
}

static double derive_rows(const fl_plan *plan, const fl_node *node)
{
    (void)plan;
    const fl_unnest_attrs *unnest = fl_unnest_of(node);
    double longest = unnest->keeps_all ? 1 : 0;
    for (int32_t i = 0; i < unnest->n_lists; i++) {
        double elements = elements_of(node->inputs[0], unnest->lists[i]);
        if (elements > longest)
            longest = elements;
    }
    return node->inputs[0]->rows * longest;
}

static fl_status derive_props(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    const fl_unnest_attrs *unnest = fl_unnest_of(node);
    FL_TRY(fl_props_add_all(plan, ret, inputs[0], err));
    ret->n_keys = 0; /* a row comes as often as it has elements */
    for (int32_t i = 0; i < inputs[0]->n_keys; i++) {
        fl_col_set key = inputs[0]->keys[i];
        FL_TRY(fl_props_add_dependency(plan, ret, &key, &node->inputs[0]->made, err));
        if (unnest->ordinality.n == 0)
            continue;
        fl_col_set_init(&key);
        FL_TRY(fl_col_set_add_all(fl_plan_arena(plan), &key, &inputs[0]->keys[i], err));
        FL_TRY(fl_col_set_add(fl_plan_arena(plan), &key, unnest->ordinality, err));
        FL_TRY(fl_props_add_key(plan, ret, &key, err));
    }
    ret->rows_min = unnest->keeps_all ? inputs[0]->rows_min : 0;
cleanup:
    return st;
}

static const fl_attr_field fields[] = {
    {"cols", FL_FIELD_COLS, offsetof(fl_unnest_attrs, cols), offsetof(fl_unnest_attrs, n_cols), NULL, true, false},
    {"lists", FL_FIELD_COLS_USED, offsetof(fl_unnest_attrs, lists), offsetof(fl_unnest_attrs, n_lists), NULL, false,
     false},
    {"ordinality", FL_FIELD_COL, offsetof(fl_unnest_attrs, ordinality), 0, NULL, false, false},
    {"keeps_all", FL_FIELD_BOOL, offsetof(fl_unnest_attrs, keeps_all), 0, NULL, false, false},
};

extern const fl_op_rewrites fl_unnest_rewrites;
extern const struct fl_op_exec fl_unnest_exec;

const fl_op_desc fl_op_unnest = {FL_DESC(fl_op_desc),
                                 .name = "unnest",
                                 .n_inputs = 1,
                                 .attr_bytes = sizeof(fl_unnest_attrs),
                                 .fields = fields,
                                 .n_fields = FL_LEN(fields),
                                 .derive_cols = derive_cols,
                                 .derive_rows = derive_rows,
                                 .derive_props = derive_props,
                                 .needs = fl_ordering_needs_passed,
                                 .gives = fl_ordering_gives_passed,
                                 .n_ways = 2,
                                 .rewrites = &fl_unnest_rewrites,
                                 .exec = &fl_unnest_exec,
                                 .doc = "a row for each element of a list"};

fl_status fl_unnest_add_col(fl_plan *plan, fl_type list, fl_str name, fl_col_id *ret, fl_err *err)
{
    FL_ASSERT(list.id == FL_LIST && list.n_fields == 1);
    fl_col_info info = {.name = name, .type = list.fields[0].type};
    return fl_plan_add_col(plan, &info, ret, err);
}

fl_status fl_unnest_build(fl_plan *plan, const fl_node *input, const fl_expr *const *lists, const fl_col_id *cols,
                          int32_t n, fl_col_id ordinality, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_id *read = NULL;
    bool is_computed = false;
    FL_ASSERT(n > 0);
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n, &read, err));
    for (int32_t i = 0; i < n; i++) {
        if (lists[i]->kind == FL_EXPR_COLUMN && fl_col_set_has(&input->made, lists[i]->col))
            read[i] = lists[i]->col;
        else
            is_computed = true;
    }
    if (is_computed)
        FL_TRY(fl_project_extend(plan, input, lists, NULL, n, read, &input, err));
    fl_unnest_attrs attrs = {.n_cols = n, .cols = cols, .n_lists = n, .lists = read, .ordinality = ordinality};
    st = fl_node_make(plan, &fl_op_unnest, &attrs, NULL, &input, 1, NULL, 0, ret, err);
cleanup:
    return st;
}
