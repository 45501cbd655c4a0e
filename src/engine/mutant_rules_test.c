/* Rules that lie: what each promises to keep is held against what it hands over (SET verify_rules), and the rule is named. */
#include "engine/internal.h"
#include "op/filter/node.h"
#include "op/join/node.h"
#include "op/limit/node.h"
#include "op/sort/node.h"
#include "plan/registry.h"
#include "plan/rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ALL_KEPT (FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT | FL_KEEPS_ORDER)

/* A filter that is to be true of one row. */
static fl_status cut(fl_rule_call *call, fl_err *err)
{
    const fl_node *out = NULL;
    fl_status st = fl_limit_build(call->plan, call->node->inputs[0], 1, 0, &out, err);
    return st == FL_OK ? fl_rule_call_transform_to(call, out, err) : st;
}

/* Nulls for rows without a partner. */
static fl_status widen(fl_rule_call *call, fl_err *err)
{
    fl_join_attrs attrs = *fl_join_of(call->node);
    const fl_node *out = NULL;
    if (attrs.kind != FL_JOIN_INNER)
        return FL_OK;
    attrs.kind = FL_JOIN_LEFT;
    fl_status st = fl_node_make(call->plan, &fl_op_join, &attrs, NULL, call->node->inputs, 2, call->node->cols,
                                call->node->n_cols, &out, err);
    return st == FL_OK ? fl_rule_call_transform_to(call, out, err) : st;
}

/* Rows in any order. */
static fl_status unsort(fl_rule_call *call, fl_err *err)
{
    return fl_rule_call_transform_to(call, call->node->inputs[0], err);
}

/* More rows than a limit lets through are not the same rows. */
static fl_status empty(fl_rule_call *call, fl_err *err)
{
    const fl_node *out = NULL;
    fl_status st = fl_limit_build(call->plan, call->node->inputs[0], 0, 0, &out, err);
    return st == FL_OK ? fl_rule_call_transform_to(call, out, err) : st;
}

static fl_status add_rule(void *rule, fl_registry *registry, fl_err *err)
{
    return fl_registry_add_rule(registry, rule, err);
}

/* Runs the query with the rule, and without verifying: fl_err.message of the first. */
static void check(const char *pattern, fl_status (*on_match)(fl_rule_call *call, fl_err *err), const char *sql,
                  const char *says)
{
    fl_engine *engine = NULL;
    fl_session *session = NULL;
    fl_err err = {0};
    struct ArrowArrayStream rows;
    fl_rule_desc rule = {FL_DESC(fl_rule_desc),    .name = "mutant",  .phase = "normalize", .pattern = pattern,
                         .scope = FL_SCOPE_GLOBAL, .keeps = ALL_KEPT, .on_match = on_match, .promise = 1000};
    static const char *const set_up[] = {
        "CREATE TABLE t (a integer NOT NULL, b integer); INSERT INTO t VALUES (1, 4), (3, 2)",
        "SET verify_rules = true"};
    assert_int_equal(fl_engine_open(NULL, &engine, &err), FL_OK);
    assert_int_equal(fl_session_open(engine, &session, &err), FL_OK);
    for (int64_t i = 0; i < FL_LEN(set_up); i++) {
        assert_int_equal(fl_session_query(session, set_up[i], &rows, &err), FL_OK);
        rows.release(&rows);
    }
    assert_int_equal(fl_session_query(session, sql, &rows, &err), FL_OK);
    rows.release(&rows);
    assert_int_equal(fl_engine_extend(engine, add_rule, &rule, &err), FL_OK);
    assert_int_equal(fl_session_query(session, sql, &rows, &err), FL_ERR_INTERNAL);
    if (strstr(err.message, "rule mutant") == NULL || strstr(err.message, says) == NULL)
        fail_msg("%s", err.message);
    assert_int_equal(fl_session_query(session, "SELECT 1", &rows, &err), FL_OK);
    rows.release(&rows);
    fl_session_close(session);
    fl_engine_close(engine);
}

static void test_fewer_rows(void **state)
{
    (void)state;
    check("filter", cut, "SELECT a FROM t WHERE b IS NULL", "does not keep the rows of filter");
    check("sort", empty, "SELECT a FROM (VALUES (1), (2)) AS v(a) ORDER BY a", "there were 2 to 2, there are 0 to 0");
}

static void test_nulls(void **state)
{
    (void)state;
    check("join", widen, "SELECT x.b, y.a FROM t AS x JOIN t AS y ON x.b = y.b", "lets column");
}

static void test_order(void **state)
{
    (void)state;
    check("sort", unsort, "SELECT a FROM t ORDER BY b", "does not keep the order of sort");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fewer_rows), cmocka_unit_test(test_nulls),
                                       cmocka_unit_test(test_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
