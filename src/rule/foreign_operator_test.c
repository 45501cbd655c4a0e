/* Operators that no rule has heard of: `tally`, whose class says what rules may do with it, takes part in all of them; `mute`,
 * whose class says nothing, is left as it is. */
#include "op/aggregate/node.h"
#include "op/apply/node.h"
#include "op/filter/node.h"
#include "op/limit/node.h"
#include "op/project/node.h"
#include "op/sort/node.h"
#include "op/values/node.h"
#include "opt/lower.h"
#include "opt/optimize.h"
#include "plan/props.h"
#include "plan/rewrites.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* ---- tally: its input's rows with a column that is computed of each --------------------------------------------------- */

typedef struct tally_attrs {
    const fl_expr *expr; /* NULL: nobody wants the column any more */
    fl_col_id col;
} tally_attrs;

static const tally_attrs *tally_of(const fl_node *node)
{
    return node->attrs;
}

static int32_t input_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan, (void)attrs;
    memcpy(ret, inputs[0]->cols, (size_t)inputs[0]->n_cols * sizeof(*ret));
    return inputs[0]->n_cols;
}

static int32_t tally_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    int32_t n = input_cols(plan, attrs, inputs, ret);
    if (((const tally_attrs *)attrs)->expr != NULL)
        ret[n++] = ((const tally_attrs *)attrs)->col;
    return n;
}

static double input_rows(const fl_plan *plan, const fl_node *node)
{
    (void)plan;
    return node->inputs[0]->rows;
}

static fl_status tally_props(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret,
                             fl_err *err)
{
    fl_status st = fl_props_pass(plan, node, inputs, ret, err);
    if (st == FL_OK && tally_of(node)->expr != NULL)
        st = fl_props_add_computed(plan, ret, tally_of(node)->col, tally_of(node)->expr, err);
    return st;
}

static uint32_t tally_flow(const fl_node *node)
{
    (void)node;
    return FL_ROWS_ONE_FOR_ONE | FL_ROWS_ORDERED | FL_ROWS_ALONE | FL_ROWS_CHOSEN;
}

static fl_status tally_passes(fl_plan *plan, const fl_node *node, int32_t input, const fl_expr *const *conjuncts,
                              int32_t n, const fl_expr **ret, fl_err *err)
{
    (void)input;
    fl_status st = FL_OK;
    fl_substitution s = {0};
    FL_TRY(
        fl_substitution_init(&s, plan, &tally_of(node)->col, &tally_of(node)->expr, tally_of(node)->expr != NULL, err));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_substitute(&s, conjuncts[i], &ret[i], err));
cleanup:
    fl_substitution_drop(&s);
    return st;
}

static fl_status tally_thin(fl_plan *plan, const fl_node *node, const fl_col_set *wanted, const fl_node **ret,
                            fl_err *err)
{
    tally_attrs none = {0};
    *ret = node;
    return tally_of(node)->expr == NULL || fl_col_set_has(wanted, tally_of(node)->col)
               ? FL_OK
               : fl_node_make(plan, node->op, &none, node->traits, node->inputs, 1, NULL, 0, ret, err);
}

static fl_status tally_pull(fl_unnesting *u, const fl_node *node, bool missing_is_null, const fl_node **ret,
                            fl_err *err)
{
    (void)missing_is_null;
    fl_status st = FL_OK;
    const fl_node *input = NULL;
    bool is_outer = false;
    FL_TRY(fl_unnesting_reads_outer(u, tally_of(node)->expr, &is_outer, err));
    if (!is_outer)
        FL_TRY(fl_unnesting_pull(u, node->inputs[0], false, &input, err));
    if (input != NULL)
        st = fl_node_make(u->plan, node->op, node->attrs, node->traits, &input, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

static const fl_attr_field tally_fields[] = {
    {"expr", FL_FIELD_EXPR, offsetof(tally_attrs, expr), 0, NULL, false, false},
    {"col", FL_FIELD_COL, offsetof(tally_attrs, col), 0, NULL, false, false},
};
static const fl_op_rewrites tally_rewrites = {
    FL_DESC(fl_op_rewrites), .flow = tally_flow, .order = fl_order_is_passed,   .passes = tally_passes,
    .thin = tally_thin,      .pull = tally_pull, .push = fl_unnesting_push_rows};
static const fl_op_desc tally = {FL_DESC(fl_op_desc),
                                 .name = "tally",
                                 .n_inputs = 1,
                                 .attr_bytes = sizeof(tally_attrs),
                                 .fields = tally_fields,
                                 .n_fields = FL_LEN(tally_fields),
                                 .derive_cols = tally_cols,
                                 .derive_rows = input_rows,
                                 .derive_props = tally_props,
                                 .rewrites = &tally_rewrites};
static const fl_op_desc mute = {FL_DESC(fl_op_desc), .name = "mute", .n_inputs = 1, .derive_cols = input_cols,
                                .derive_rows = input_rows};

/* ---- plans over them -------------------------------------------------------------------------------------------------- */

extern const fl_phase_desc fl_phase_unnest, fl_phase_normalize, fl_phase_join_order, fl_phase_refine, fl_phase_lower,
    fl_phase_physical;
extern const fl_rule_desc fl_rule_unnest_apply, fl_rule_push_filter, fl_rule_propagate_empty, fl_rule_prune_columns,
    fl_rule_push_limit, fl_rule_reorder_filters, fl_rule_runtime_filter, fl_rule_flatten_lateral, fl_rule_drop_order;
extern const fl_func_set fl_func_set_compare;

static fl_status lower_anything(fl_rule_call *call, fl_err *err)
{
    return fl_lower(call, call->node->op == &fl_op_join ? FL_IMPL_HASH : FL_IMPL_STREAM, err);
}

static const fl_rule_desc lower_all = {
    FL_DESC(fl_rule_desc),  .name = "lower_all",    .phase = "lower",          .pattern = "?[convention=logical]",
    .scope = FL_SCOPE_BOTH, .keeps = FL_KEEPS_COLS, .on_match = lower_anything};

typedef struct fixture {
    fl_memory memory;
    fl_registry *registry;
    fl_plan *plan;
    const fl_node *table, *outer;            /* values of two rows: columns a, b, c; x, y */
    const fl_expr *a, *b, *c, *x, *y, *made; /* columns; `made` is tally's */
    fl_err err;
} fixture;

static const fl_expr *column(fixture *f, fl_col_id col)
{
    const fl_expr *ret = NULL;
    assert_int_equal(fl_expr_column(f->plan, col, -1, &ret, NULL), FL_OK);
    return ret;
}

static const fl_expr *equal(fixture *f, const fl_expr *left, const fl_expr *right)
{
    const fl_expr *ret = NULL;
    if (fl_expr_call_args(f->plan, "=", -1, &ret, &f->err, 2, left, right) != FL_OK)
        fail_msg("%s", f->err.message);
    return ret;
}

static const fl_node *table_of(fixture *f, int32_t n_rows, int32_t n_cols)
{
    const fl_node *ret = NULL;
    const fl_expr *exprs[6] = {NULL};
    for (int32_t i = 0; i < n_rows * n_cols; i++) {
        fl_value value = {.type = FL_TYPE(FL_I64), .i = i};
        assert_int_equal(fl_expr_const(f->plan, &value, -1, &exprs[i], NULL), FL_OK);
    }
    assert_int_equal(fl_values_build(f->plan, exprs, n_rows, n_cols, NULL, &ret, NULL), FL_OK);
    return ret;
}

static int set_up(void **state)
{
    static fixture f;
    const fl_op_desc *const ops[] = {&tally,         &mute,       &fl_op_values,    &fl_op_filter,
                                     &fl_op_project, &fl_op_join, &fl_op_aggregate, &fl_op_apply,
                                     &fl_op_limit,   &fl_op_sort};
    const fl_phase_desc *const phases[] = {&fl_phase_unnest, &fl_phase_normalize, &fl_phase_join_order,
                                           &fl_phase_refine, &fl_phase_lower,     &fl_phase_physical};
    const fl_rule_desc *const rules[] = {&fl_rule_unnest_apply,    &fl_rule_push_filter,
                                         &fl_rule_propagate_empty, &fl_rule_prune_columns,
                                         &fl_rule_push_limit,      &fl_rule_reorder_filters,
                                         &fl_rule_runtime_filter,  &fl_rule_flatten_lateral,
                                         &fl_rule_drop_order,      &lower_all};
    f = (fixture){0};
    fl_memory_init(&f.memory, NULL, "test", 0);
    assert_int_equal(fl_registry_new(&f.registry, NULL), FL_OK);
    assert_int_equal(fl_registry_add_funcs(f.registry, &fl_func_set_compare, NULL), FL_OK);
    assert_int_equal(fl_registry_add_trait(f.registry, &fl_trait_convention, NULL), FL_OK);
    assert_int_equal(fl_registry_add_trait(f.registry, &fl_trait_implementation, NULL), FL_OK);
    for (int64_t i = 0; i < FL_LEN(ops); i++)
        assert_int_equal(fl_registry_add_op(f.registry, ops[i], NULL), FL_OK);
    for (int64_t i = 0; i < FL_LEN(phases); i++)
        assert_int_equal(fl_registry_add_phase(f.registry, phases[i], NULL), FL_OK);
    for (int64_t i = 0; i < FL_LEN(rules); i++)
        assert_int_equal(fl_registry_add_rule(f.registry, rules[i], NULL), FL_OK);
    assert_int_equal(fl_registry_seal(f.registry, NULL), FL_OK);
    assert_int_equal(fl_plan_new(&f.memory, f.registry, &f.plan, NULL), FL_OK);
    f.table = table_of(&f, 2, 3);
    f.outer = table_of(&f, 2, 2);
    f.a = column(&f, f.table->cols[0]);
    f.b = column(&f, f.table->cols[1]);
    f.c = column(&f, f.table->cols[2]);
    f.x = column(&f, f.outer->cols[0]);
    f.y = column(&f, f.outer->cols[1]);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    fl_plan_unref(f->plan);
    fl_registry_unref(f->registry);
    assert_int_equal(f->memory.used_bytes, 0);
    return 0;
}

/* Sets f->made. */
static const fl_node *tally_over(fixture *f, const fl_node *input, const fl_expr *expr)
{
    const fl_node *ret = NULL;
    fl_col_info info = {.name = FL_STR("made"), .type = expr->type};
    tally_attrs attrs = {.expr = expr};
    assert_int_equal(fl_plan_add_col(f->plan, &info, &attrs.col, NULL), FL_OK);
    assert_int_equal(fl_node_make(f->plan, &tally, &attrs, NULL, &input, 1, NULL, 0, &ret, NULL), FL_OK);
    f->made = column(f, attrs.col);
    return ret;
}

static const fl_node *mute_over(fixture *f, const fl_node *input)
{
    const fl_node *ret = NULL;
    assert_int_equal(fl_node_make(f->plan, &mute, NULL, NULL, &input, 1, NULL, 0, &ret, NULL), FL_OK);
    return ret;
}

static const fl_node *filter_over(fixture *f, const fl_node *input, const fl_expr *test)
{
    const fl_node *ret = NULL;
    assert_int_equal(fl_filter_build(f->plan, input, test, &ret, NULL), FL_OK);
    return ret;
}

static const fl_node *limit_over(fixture *f, const fl_node *input)
{
    const fl_node *ret = NULL;
    assert_int_equal(fl_limit_build(f->plan, input, 1, 0, &ret, NULL), FL_OK);
    return ret;
}

static const fl_node *apply_over(fixture *f, fl_join_kind kind, const fl_node *right)
{
    const fl_node *ret = NULL;
    assert_int_equal(fl_apply_build(f->plan, kind, f->outer, right, NULL, 0, (fl_col_id){0}, &ret, NULL), FL_OK);
    return ret;
}

static fl_status try_optimize(fixture *f, const fl_node *root, const fl_expr *output, const fl_node **ret)
{
    fl_optimize_options options = {0};
    fl_query query = {.plan = f->plan, .root = root, .n_outputs = 1, .outputs = &output->col};
    fl_status st = fl_optimize(&query, &options, NULL, &f->err);
    *ret = query.root;
    return st;
}

/* The optimized plan of a query that puts out one column. */
static const fl_node *optimized(fixture *f, const fl_node *root, const fl_expr *output)
{
    const fl_node *ret = NULL;
    if (try_optimize(f, root, output, &ret) != FL_OK)
        fail_msg("%s", f->err.message);
    return ret;
}

/* The node down the first inputs, which has to be of the class. */
static const fl_node *down(const fl_node *node, int32_t levels, const fl_op_desc *op)
{
    for (; levels > 0; levels--) {
        assert_true(node->n_inputs > 0);
        node = node->inputs[0];
    }
    assert_string_equal(node->op->name, op->name);
    return node;
}

/* ---- tests ------------------------------------------------------------------------------------------------------------ */

static void test_filter_passes(void **state)
{
    fixture *f = *state;
    const fl_node *root = tally_over(f, f->table, equal(f, f->a, f->b));
    root = optimized(f, filter_over(f, root, f->made), f->made);
    down(root, 0, &tally);
    const fl_node *filter = down(root, 1, &fl_op_filter);
    assert_int_equal(fl_filter_of(filter)->n_conjuncts, 1);
    assert_ptr_equal(fl_filter_of(filter)->conjuncts[0], tally_of(root)->expr);
    down(root, 2, &fl_op_values);
}

static void test_filter_stays(void **state)
{
    fixture *f = *state;
    const fl_node *root = optimized(f, filter_over(f, mute_over(f, f->table), equal(f, f->a, f->b)), f->a);
    down(root, 0, &fl_op_filter);
    down(root, 1, &mute);
}

static void test_unread_columns(void **state)
{
    fixture *f = *state;
    const fl_node *root = tally_over(f, f->table, equal(f, f->a, f->b));
    const fl_node *wanted = optimized(f, root, f->made), *unwanted = optimized(f, root, f->c);
    assert_ptr_equal(tally_of(down(wanted, 0, &tally))->expr, equal(f, f->a, f->b));
    assert_int_equal(down(wanted, 1, &fl_op_values)->n_cols, 2);
    assert_null(tally_of(down(unwanted, 0, &tally))->expr);
    assert_int_equal(down(unwanted, 1, &fl_op_values)->n_cols, 1);
    assert_int_equal(down(optimized(f, mute_over(f, f->table), f->c), 1, &fl_op_values)->n_cols, 1);
}

/* What it computes reads no outer column: the conjunct below goes into the join. */
static void test_unnested_by_pulling(void **state)
{
    fixture *f = *state;
    const fl_node *right = filter_over(f, f->table, equal(f, f->a, f->x));
    const fl_node *root = apply_over(f, FL_JOIN_INNER, tally_over(f, right, equal(f, f->b, f->c)));
    root = optimized(f, root, f->made);
    const fl_join_attrs *join = fl_join_of(down(root, 0, &fl_op_join));
    assert_int_equal(join->n_conjuncts, 1);
    assert_ptr_equal(join->conjuncts[0], equal(f, f->a, f->x));
    down(root->inputs[1], 0, &tally);
    down(root->inputs[1], 1, &fl_op_values);
    assert_true(fl_col_set_is_empty(&root->inputs[1]->outer));
}

/* It reads an outer column itself: the domain goes below it. */
static void test_unnested_by_pushing(void **state)
{
    fixture *f = *state;
    const fl_node *root = apply_over(f, FL_JOIN_LEFT, tally_over(f, f->table, equal(f, f->a, f->x)));
    root = optimized(f, root, f->made);
    const fl_join_attrs *join = fl_join_of(down(root, 0, &fl_op_join));
    assert_int_equal(join->kind, FL_JOIN_LEFT);
    assert_int_equal(join->n_conjuncts, 1);
    assert_string_equal(join->conjuncts[0]->func->name, "is_not_distinct_from");
    const fl_expr *computed = tally_of(down(root->inputs[1], 0, &tally))->expr;
    assert_ptr_equal(computed->args[0], f->a);
    assert_ptr_not_equal(computed->args[1], f->x);
    down(root->inputs[1], 1, &fl_op_join);
    assert_true(fl_col_set_is_empty(&root->inputs[1]->outer));
}

static void test_refused_by_name(void **state)
{
    fixture *f = *state;
    const fl_node *root = apply_over(f, FL_JOIN_LEFT, mute_over(f, filter_over(f, f->table, equal(f, f->a, f->x))));
    assert_int_equal(try_optimize(f, root, f->a, &root), FL_ERR_UNSUPPORTED);
    assert_non_null(strstr(f->err.message, "mute"));
}

/* Nothing of it is dependent: no class has to be asked. */
static void test_not_correlated(void **state)
{
    fixture *f = *state;
    const fl_node *root = optimized(f, apply_over(f, FL_JOIN_INNER, mute_over(f, f->table)), f->a);
    down(root, 0, &fl_op_join);
    down(root->inputs[1], 0, &mute);
}

/* Over one row it needs no join at all. */
static void test_flattened(void **state)
{
    fixture *f = *state;
    const fl_node *root = apply_over(f, FL_JOIN_INNER, tally_over(f, table_of(f, 1, 1), equal(f, f->x, f->y)));
    root = optimized(f, root, f->made);
    down(root, 0, &tally);
    assert_ptr_equal(down(root, 2, &fl_op_values)->attrs, f->outer->attrs);
}

static void test_limit_passes(void **state)
{
    fixture *f = *state;
    const fl_node *root = tally_over(f, f->table, equal(f, f->a, f->b));
    root = optimized(f, limit_over(f, root), f->made);
    down(root, 0, &tally);
    down(root, 1, &fl_op_limit);
}

static void test_limit_stays(void **state)
{
    fixture *f = *state;
    const fl_node *root = optimized(f, limit_over(f, mute_over(f, f->table)), f->a);
    down(root, 0, &fl_op_limit);
    down(root, 1, &mute);
}

static void test_empty_input(void **state)
{
    fixture *f = *state;
    const fl_node *empty = table_of(f, 0, 2);
    const fl_expr *p = column(f, empty->cols[0]), *q = column(f, empty->cols[1]);
    const fl_node *root = tally_over(f, empty, equal(f, p, q));
    const fl_node *out = optimized(f, filter_over(f, root, f->made), f->made);
    assert_int_equal(fl_values_of(down(out, 0, &fl_op_values))->n_rows, 0);
    down(optimized(f, mute_over(f, empty), p), 0, &mute);
}

static void test_runtime_filter(void **state)
{
    fixture *f = *state;
    const fl_expr *on = equal(f, f->a, f->x);
    const fl_node *through = tally_over(f, f->table, equal(f, f->a, f->b)), *stopped = mute_over(f, f->table);
    for (int32_t i = 0; i < 2; i++) {
        const fl_node *join = NULL;
        assert_int_equal(fl_join_build_all(f->plan, FL_JOIN_INNER, i == 0 ? through : stopped, f->outer, &on, 1,
                                           (fl_col_id){0}, &join, NULL),
                         FL_OK);
        join = optimized(f, join, f->a);
        assert_int_equal(fl_join_of(down(join, 0, &fl_op_join))->filters_probe, i == 0);
    }
}

/* What is sorted below groups is not where the class passes the order on. */
static void test_order_is_dropped(void **state)
{
    fixture *f = *state;
    const fl_sort_key key = {.expr = f->a};
    const fl_node *sorted = NULL, *grouped = NULL;
    assert_int_equal(fl_sort_build(f->plan, f->table, &key, 1, &sorted, NULL), FL_OK);
    const fl_node *passed = tally_over(f, sorted, equal(f, f->a, f->b)), *stopped = mute_over(f, sorted);
    assert_int_equal(fl_distinct_build(f->plan, passed, &f->made->col, 1, &grouped, NULL), FL_OK);
    grouped = optimized(f, grouped, f->made);
    down(grouped, 1, &tally);
    down(grouped, 2, &fl_op_values);
    assert_int_equal(fl_distinct_build(f->plan, stopped, &f->a->col, 1, &grouped, NULL), FL_OK);
    grouped = optimized(f, grouped, f->a);
    down(grouped, 1, &mute);
    down(grouped, 2, &fl_op_sort);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_filter_passes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_filter_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unread_columns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unnested_by_pulling, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unnested_by_pushing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_correlated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_flattened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limit_passes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limit_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_empty_input, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_runtime_filter, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_order_is_dropped, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
