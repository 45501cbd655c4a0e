/* Sources that lie: a merge join refuses rows that are not in the order that their operator promised, of either side. What it does
 * with rows in order is tested through SQL. */
#include "base/workers.h"
#include "exec/exec.h"
#include "op/join/node.h"
#include "op/values/node.h"
#include "opt/lower.h"
#include "plan/func.h"
#include "plan/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ROWS_MAX 16

extern const fl_func_set fl_func_set_compare;

typedef struct fixture {
    fl_memory memory;
    fl_registry *registry;
    fl_plan *plan;
    fl_workers *workers;
    const fl_trait_set *plain, *merging;
    fl_err err;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    f = (fixture){0};
    fl_memory_init(&f.memory, NULL, "test", 0);
    assert_int_equal(fl_registry_new(&f.registry, NULL), FL_OK);
    assert_int_equal(fl_registry_add_funcs(f.registry, &fl_func_set_compare, NULL), FL_OK);
    assert_int_equal(fl_registry_add_trait(f.registry, &fl_trait_convention, NULL), FL_OK);
    assert_int_equal(fl_registry_add_trait(f.registry, &fl_trait_implementation, NULL), FL_OK);
    assert_int_equal(fl_registry_add_op(f.registry, &fl_op_values, NULL), FL_OK);
    assert_int_equal(fl_registry_add_op(f.registry, &fl_op_join, NULL), FL_OK);
    assert_int_equal(fl_registry_seal(f.registry, NULL), FL_OK);
    assert_int_equal(fl_plan_new(&f.memory, f.registry, &f.plan, NULL), FL_OK);
    assert_int_equal(fl_workers_new(1, &f.workers, NULL), FL_OK);
    assert_int_equal(fl_trait_with(f.plan, fl_trait_none(f.plan), &fl_trait_convention, FL_VECTORIZED, &f.plain, NULL),
                     FL_OK);
    assert_int_equal(fl_lower_traits(f.plan, fl_trait_none(f.plan), FL_IMPL_MERGE, &f.merging, NULL), FL_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    fl_workers_free(f->workers);
    fl_plan_unref(f->plan);
    fl_registry_unref(f->registry);
    assert_int_equal(f->memory.used_bytes, 0);
    return 0;
}

/* Rows of one column, one a digit; a dot is null. */
static const fl_node *rows_of(fixture *f, const char *digits)
{
    const fl_expr *exprs[ROWS_MAX] = {NULL};
    const fl_node *node = NULL;
    int32_t n = (int32_t)strlen(digits);
    for (int32_t i = 0; i < n; i++) {
        fl_value value = {.type = FL_TYPE(FL_I64), .is_null = digits[i] == '.', .i = digits[i] - '0'};
        assert_int_equal(fl_expr_const(f->plan, &value, -1, &exprs[i], NULL), FL_OK);
    }
    assert_int_equal(fl_values_build(f->plan, exprs, n, 1, NULL, &node, NULL), FL_OK);
    assert_int_equal(fl_node_with_traits(f->plan, node, f->plain, &node, NULL), FL_OK);
    return node;
}

typedef struct counter {
    fl_stage base;
    int64_t *rows;
} counter;

static fl_status count(fl_stage *stage, fl_worker *worker, void *local, fl_batch *batch, fl_err *err)
{
    (void)worker, (void)local, (void)err;
    *((counter *)stage)->rows += batch->kept;
    return FL_OK;
}

static const fl_stage_ops counter_ops = {.what = "the counter", .push = count};

/* Merges both and returns what comes of it; *ret_rows: how many rows came out. */
static fl_status merge(fixture *f, const char *left, const char *right, bool is_descending, int32_t vector_rows,
                       int64_t *ret_rows)
{
    const fl_node *inputs[2] = {rows_of(f, left), rows_of(f, right)}, *node = NULL;
    fl_session_state session = {.vector_rows = vector_rows, .threads = 1};
    fl_exec_context context = {.plan = f->plan, .session = &session, .memory = &f->memory, .workers = f->workers};
    const fl_expr *a = NULL, *b = NULL, *equal = NULL;
    fl_exec *exec = NULL;
    counter *sink = NULL;
    f->err = (fl_err){0};
    assert_int_equal(fl_expr_column(f->plan, inputs[0]->cols[0], -1, &a, NULL), FL_OK);
    assert_int_equal(fl_expr_column(f->plan, inputs[1]->cols[0], -1, &b, NULL), FL_OK);
    assert_int_equal(fl_expr_call_args(f->plan, "=", -1, &equal, NULL, 2, a, b), FL_OK);
    fl_sort_key key = {.expr = a, .is_descending = is_descending};
    fl_join_attrs attrs = {.kind = FL_JOIN_INNER, .n_conjuncts = 1, .conjuncts = &equal, .n_order = 1, .order = &key};
    assert_int_equal(fl_node_make(f->plan, &fl_op_join, &attrs, f->merging, inputs, 2, NULL, 0, &node, NULL), FL_OK);
    *ret_rows = 0;
    assert_int_equal(fl_exec_new(&context, &exec, NULL), FL_OK);
    assert_int_equal(fl_exec_add_stage(exec, &counter_ops, (int64_t)sizeof(*sink), NULL, NULL, &sink, NULL), FL_OK);
    sink->rows = ret_rows;
    assert_int_equal(fl_exec_build(exec, node, &sink->base, NULL), FL_OK);
    fl_status st = fl_exec_run(exec, &f->err);
    fl_exec_free(exec);
    return st;
}

static void test_rows_in_order(void **state)
{
    fixture *f = *state;
    int64_t rows = 0;
    for (int32_t vector_rows = 1; vector_rows < 6; vector_rows++) {
        assert_int_equal(merge(f, "1223.", "0222359..", false, vector_rows, &rows), FL_OK);
        assert_int_equal(rows, 7);
        assert_int_equal(merge(f, "93221", "95322", true, vector_rows, &rows), FL_OK);
        assert_int_equal(rows, 6);
    }
}

static void assert_refused(fixture *f, const char *left, const char *right, bool is_descending, int32_t vector_rows)
{
    int64_t rows = 0;
    assert_int_equal(merge(f, left, right, is_descending, vector_rows, &rows), FL_ERR_INTERNAL);
    assert_non_null(strstr(f->err.message, "values"));
}

/* Within a batch; a batch may be of an earlier morsel than the one before, and its rows have the partners that they should. */
static void test_left_rows_that_are_not(void **state)
{
    fixture *f = *state;
    int64_t rows = 0;
    for (int32_t vector_rows = 4; vector_rows < 6; vector_rows++) {
        assert_refused(f, "1324", "1234", false, vector_rows);
        assert_refused(f, "4312", "4321", true, vector_rows);
        assert_refused(f, "9990", "2", false, vector_rows);
    }
    assert_int_equal(merge(f, "1324", "1234", false, 1, &rows), FL_OK);
    assert_int_equal(rows, 4);
}

/* Wherever they meet: right rows are kept. */
static void test_right_rows_that_are_not(void **state)
{
    fixture *f = *state;
    for (int32_t vector_rows = 1; vector_rows < 6; vector_rows++) {
        assert_refused(f, "12345", "12354", false, vector_rows);
        assert_refused(f, "5432", "5342", true, vector_rows);
        assert_refused(f, "2", "21", false, vector_rows);
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rows_in_order),
        TEST(test_left_rows_that_are_not),
        TEST(test_right_rows_that_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
