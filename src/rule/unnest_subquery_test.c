/* unnest_subquery over the inputs of a join: what stands in the left sides of several subqueries. */
#include "rule/unnest_subquery.c"

#include "op/filter/node.h"
#include "op/values/node.h"
#include "plan/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

extern const fl_func_set fl_func_set_compare;

typedef struct fixture {
    fl_memory memory;
    fl_registry *registry;
    fl_plan *plan;
    const fl_node *inputs[2];
    const fl_expr *cols[2]; /* of each input its only column */
    const fl_expr *scalar;  /* a subquery that reads neither */
} fixture;

static const fl_node *table(fixture *f)
{
    const fl_node *ret = NULL;
    const fl_expr *one = NULL;
    fl_value value = {.type = FL_TYPE(FL_I64), .i = 1};
    assert_int_equal(fl_expr_const(f->plan, &value, -1, &one, NULL), FL_OK);
    assert_int_equal(fl_values_build(f->plan, &one, 1, 1, NULL, &ret, NULL), FL_OK);
    return ret;
}

static const fl_expr *column(fixture *f, const fl_node *node)
{
    const fl_expr *ret = NULL;
    assert_int_equal(fl_expr_column(f->plan, node->cols[0], -1, &ret, NULL), FL_OK);
    return ret;
}

static const fl_expr *subquery(fixture *f, fl_subquery_kind kind, const fl_expr *left, const fl_node *query)
{
    const fl_expr *ret = NULL;
    fl_subquery s = {.kind = kind, .query = query, .n_left = left != NULL, .left = &left};
    assert_int_equal(fl_expr_subquery(f->plan, &s, -1, &ret, NULL), FL_OK);
    return ret;
}

/* left IN (a query that reads the column) */
static const fl_expr *is_in(fixture *f, const fl_expr *left, const fl_expr *outer)
{
    const fl_node *query = table(f);
    const fl_expr *test = NULL;
    assert_int_equal(fl_expr_call_args(f->plan, "<", -1, &test, NULL, 2, outer, column(f, query)), FL_OK);
    assert_int_equal(fl_filter_build(f->plan, query, test, &query, NULL), FL_OK);
    return subquery(f, FL_SUBQUERY_ANY, left, query);
}

static int set_up(void **state)
{
    static fixture f;
    const fl_op_desc *const ops[] = {&fl_op_values, &fl_op_filter, &fl_op_project, &fl_op_join, &fl_op_apply};
    f = (fixture){0};
    fl_memory_init(&f.memory, NULL, "test", 0);
    assert_int_equal(fl_registry_new(&f.registry, NULL), FL_OK);
    assert_int_equal(fl_registry_add_funcs(f.registry, &fl_func_set_compare, NULL), FL_OK);
    for (int64_t i = 0; i < FL_LEN(ops); i++)
        assert_int_equal(fl_registry_add_op(f.registry, ops[i], NULL), FL_OK);
    assert_int_equal(fl_plan_new(&f.memory, f.registry, &f.plan, NULL), FL_OK);
    for (int32_t i = 0; i < 2; i++) {
        f.inputs[i] = table(&f);
        f.cols[i] = column(&f, f.inputs[i]);
    }
    f.scalar = subquery(&f, FL_SUBQUERY_SCALAR, NULL, table(&f));
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

/* The condition without subqueries of a full join of both inputs, and what it then joins. */
static const fl_expr *const *taken_of(fixture *f, const fl_expr *const *conjuncts, int32_t n, taking *sides)
{
    const fl_node *join = NULL;
    assert_int_equal(
        fl_join_build_all(f->plan, FL_JOIN_FULL, f->inputs[0], f->inputs[1], conjuncts, n, (fl_col_id){0}, &join, NULL),
        FL_OK);
    for (int32_t i = 0; i < 2; i++)
        sides[i] = (taking){.input = join->inputs[i], .sides = sides, .n_sides = 2};
    side_taking beside = {join, sides};
    assert_int_equal(fl_node_replace_exprs(f->plan, join, take_beside, &beside, &join, NULL), FL_OK);
    assert_int_equal(fl_join_of(join)->n_conjuncts, n);
    for (int32_t i = 0; i < n; i++)
        assert_false(fl_join_of(join)->conjuncts[i]->flags & FL_EXPR_HAS_SUBQUERY);
    return fl_join_of(join)->conjuncts;
}

static const fl_node *apply_of_kind(const fl_node *node, fl_join_kind kind)
{
    assert_ptr_equal(node->op, &fl_op_apply);
    assert_int_equal(fl_apply_of(node)->kind, kind);
    return node->inputs[0];
}

/* Each of the inputs gets the dependent joins that what reads it needs, and columns of its own. */
static void test_left_side_is_asked_over_both(void **state)
{
    fixture *f = *state;
    taking sides[2];
    const fl_expr *conjuncts[2] = {is_in(f, f->scalar, f->cols[0]), is_in(f, f->scalar, f->cols[1])};
    const fl_expr *const *tests = taken_of(f, conjuncts, 2, sides);
    for (int32_t i = 0; i < 2; i++) {
        const fl_node *single = apply_of_kind(sides[i].input, FL_JOIN_MARK);
        assert_ptr_equal(apply_of_kind(single, FL_JOIN_SINGLE), f->inputs[i]);
        assert_int_equal(single->n_cols, 2);
        assert_int_equal(tests[i]->kind, FL_EXPR_COLUMN);
        assert_true(fl_col_set_has(&sides[i].input->made, tests[i]->col));
    }
    assert_false(fl_col_set_meets(&sides[0].input->made, &sides[1].input->made));
}

/* By itself it reads neither input; in the left side of another it goes where that one goes. */
static void test_left_side_goes_along(void **state)
{
    fixture *f = *state;
    taking sides[2];
    const fl_expr *test = is_in(f, f->scalar, f->cols[0]);
    (void)taken_of(f, &test, 1, sides);
    assert_ptr_equal(sides[1].input, f->inputs[1]);
    const fl_node *single = apply_of_kind(sides[0].input, FL_JOIN_MARK);
    assert_ptr_equal(apply_of_kind(single, FL_JOIN_SINGLE), f->inputs[0]);
}

/* Over one input it is joined once, however often the condition has it. */
static void test_joined_once(void **state)
{
    fixture *f = *state;
    taking sides[2];
    const fl_expr *conjuncts[2] = {NULL};
    for (int32_t i = 0; i < 2; i++)
        assert_int_equal(
            fl_expr_call_args(f->plan, i == 0 ? "<" : ">", -1, &conjuncts[i], NULL, 2, f->scalar, f->cols[i]), FL_OK);
    (void)taken_of(f, conjuncts, 2, sides);
    assert_ptr_equal(sides[0].input, f->inputs[0]);
    assert_ptr_equal(apply_of_kind(sides[1].input, FL_JOIN_SINGLE), f->inputs[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_left_side_is_asked_over_both, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_left_side_goes_along, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_joined_once, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
