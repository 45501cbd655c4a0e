/* The driver under rules that behave and rules that do not: loops, lost columns, several plans, too many rules for a table. */
#include "opt/optimize.h"

#include "plan/rule_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- operators: leaf makes columns a and b and carries a mark, which rules change; step passes on -------------------------- */

typedef struct leaf_attrs {
    fl_col_id a, b;
    int32_t mark;
} leaf_attrs;

static int32_t leaf_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan, (void)inputs;
    ret[0] = ((const leaf_attrs *)attrs)->a;
    ret[1] = ((const leaf_attrs *)attrs)->b;
    return 2;
}

static int32_t step_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan, (void)attrs;
    memcpy(ret, inputs[0]->cols, (size_t)inputs[0]->n_cols * sizeof(*ret));
    return inputs[0]->n_cols;
}

static double one_row(const fl_plan *plan, const fl_node *node)
{
    (void)plan, (void)node;
    return 1;
}

static const fl_attr_field leaf_fields[] = {
    {"a", FL_FIELD_COL, offsetof(leaf_attrs, a), 0, NULL, false, false},
    {"b", FL_FIELD_COL, offsetof(leaf_attrs, b), 0, NULL, false, false},
    {"mark", FL_FIELD_I32, offsetof(leaf_attrs, mark), 0, NULL, false, false},
};
static const fl_op_desc leaf = {FL_DESC(fl_op_desc),
                                .name = "leaf",
                                .attr_bytes = sizeof(leaf_attrs),
                                .fields = leaf_fields,
                                .n_fields = FL_LEN(leaf_fields),
                                .derive_cols = leaf_cols,
                                .derive_rows = one_row};
static const fl_op_desc step = {FL_DESC(fl_op_desc), .name = "step", .n_inputs = 1, .derive_cols = step_cols,
                                .derive_rows = one_row};

/* ---- a query over them: step(leaf), whose output is a ---- */

typedef struct fixture {
    fl_memory memory;
    fl_registry *registry;
    fl_query query;
    fl_col_id a, b;
    fl_optimize_report report;
    fl_err err;
} fixture;

static const fl_phase_desc phases[] = {
    {.name = "early"}, {.name = "later", .needs = NAMES("early")}, {.name = "also_later", .needs = NAMES("early")}};

static int set_up(void **state)
{
    static fixture f;
    f = (fixture){0};
    fl_memory_init(&f.memory, NULL, "test", 0);
    assert_int_equal(fl_registry_new(&f.registry, NULL), FL_OK);
    assert_int_equal(fl_registry_add_op(f.registry, &leaf, NULL), FL_OK);
    assert_int_equal(fl_registry_add_op(f.registry, &step, NULL), FL_OK);
    assert_int_equal(fl_registry_add_trait(f.registry, &fl_trait_convention, NULL), FL_OK);
    for (int64_t i = 0; i < FL_LEN(phases); i++)
        assert_int_equal(fl_registry_add_phase(f.registry, &phases[i], NULL), FL_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    fl_plan_unref(f->query.plan);
    fl_registry_unref(f->registry);
    assert_int_equal(f->memory.used_bytes, 0);
    return 0;
}

static fl_status optimize_with(fixture *f, const fl_rule_desc *rules, int32_t n_rules, const char *disabled)
{
    const fl_node *node = NULL;
    const fl_trait_set *traits = NULL;
    leaf_attrs attrs = {0};
    fl_str off = fl_str_of(disabled == NULL ? "" : disabled);
    for (int32_t i = 0; i < n_rules; i++)
        if (fl_registry_add_rule(f->registry, &rules[i], &f->err) != FL_OK)
            fail_msg("%s", f->err.message);
    assert_int_equal(fl_registry_seal(f->registry, &f->err), FL_OK);
    assert_int_equal(fl_plan_new(&f->memory, f->registry, &f->query.plan, NULL), FL_OK);
    fl_col_info info = {.name = FL_STR("a"), .type = FL_TYPE(FL_I64)};
    assert_int_equal(fl_plan_add_col(f->query.plan, &info, &f->a, NULL), FL_OK);
    info.name = FL_STR("b");
    assert_int_equal(fl_plan_add_col(f->query.plan, &info, &f->b, NULL), FL_OK);
    attrs.a = f->a;
    attrs.b = f->b;
    assert_int_equal(
        fl_trait_with(f->query.plan, fl_trait_none(f->query.plan), &fl_trait_convention, FL_VECTORIZED, &traits, NULL),
        FL_OK);
    assert_int_equal(fl_node_make(f->query.plan, &leaf, &attrs, traits, NULL, 0, NULL, 0, &node, NULL), FL_OK);
    assert_int_equal(fl_node_make(f->query.plan, &step, &attrs, traits, &node, 1, NULL, 0, &f->query.root, NULL),
                     FL_OK);
    f->query.outputs = &f->a;
    f->query.n_outputs = 1;
    fl_optimize_options options = {.disabled_rules = &off, .n_disabled = disabled != NULL};
    return fl_optimize(&f->query, &options, &f->report, &f->err);
}

static int32_t final_mark(const fixture *f)
{
    return ((const leaf_attrs *)f->query.root->inputs[0]->attrs)->mark;
}

static void assert_fired(const fixture *f, const char *names)
{
    char got[256] = "";
    for (int32_t i = 0; i < f->report.n_fired; i++)
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s ", f->report.rules_fired[i]);
    assert_string_equal(got, names);
    assert_null(f->report.rules_fired[f->report.n_fired]);
}

static void assert_says(const fixture *f, const char *says)
{
    if (strstr(f->err.message, says) == NULL)
        fail_msg("\"%s\"", f->err.message);
}

/* ---- what rules do ---- */

static int32_t mark_of(const fl_rule_call *call)
{
    return ((const leaf_attrs *)call->node->attrs)->mark;
}

static const fl_node *marked(fl_rule_call *call, int32_t mark)
{
    leaf_attrs attrs = *(const leaf_attrs *)call->node->attrs;
    const fl_node *node = NULL;
    attrs.mark = mark;
    assert_int_equal(fl_node_make(call->plan, &leaf, &attrs, call->node->traits, NULL, 0, call->node->cols,
                                  call->node->n_cols, &node, NULL),
                     FL_OK);
    return node;
}

static fl_status set_one(fl_rule_call *call, fl_err *err)
{
    return mark_of(call) == 0 ? fl_rule_call_transform_to(call, marked(call, 1), err) : FL_OK;
}

static fl_status set_zero(fl_rule_call *call, fl_err *err)
{
    return mark_of(call) == 1 ? fl_rule_call_transform_to(call, marked(call, 0), err) : FL_OK;
}

static fl_status set_two(fl_rule_call *call, fl_err *err)
{
    return mark_of(call) == 1 ? fl_rule_call_transform_to(call, marked(call, 2), err) : FL_OK;
}

static fl_status set_three(fl_rule_call *call, fl_err *err)
{
    return mark_of(call) == 2 ? fl_rule_call_transform_to(call, marked(call, 3), err) : FL_OK;
}

#define GIVEN 9

/* The node itself, then others; each is kept in its place. */
static fl_status give_many(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    if (mark_of(call) != 0)
        return FL_OK;
    for (int32_t i = 0; i < GIVEN; i++)
        FL_TRY(fl_rule_call_transform_to(call, marked(call, i), err));
    assert_int_equal(call->n_results, GIVEN);
    assert_ptr_equal(call->results[0], call->node);
    for (int32_t i = 0; i < GIVEN; i++)
        assert_ptr_equal(call->results[i], marked(call, i));
cleanup:
    return st;
}

static fl_status give_three(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    if (mark_of(call) != 0)
        return FL_OK;
    for (int32_t i = 5; i < 8; i++)
        FL_TRY(fl_rule_call_transform_to(call, marked(call, i), err));
    assert_int_equal(call->n_results, 3);
cleanup:
    return st;
}

static fl_status give_itself(fl_rule_call *call, fl_err *err)
{
    return fl_rule_call_transform_to(call, call->node, err);
}

/* The node with its first (a) or second column (b) alone. */
static fl_status keep_col(fl_rule_call *call, int32_t which, fl_err *err)
{
    const fl_node *node = NULL;
    fl_status st = fl_node_with_cols(call->plan, call->node, &call->node->cols[which], 1, &node, err);
    return st == FL_OK ? fl_rule_call_transform_to(call, node, err) : st;
}

static fl_status keep_a(fl_rule_call *call, fl_err *err)
{
    return call->node->n_cols == 2 ? keep_col(call, 0, err) : FL_OK;
}

static fl_status keep_b(fl_rule_call *call, fl_err *err)
{
    return call->node->n_cols == 2 ? keep_col(call, 1, err) : FL_OK;
}

/* A good plan first, one without a column behind it. */
static fl_status lose_in_second(fl_rule_call *call, fl_err *err)
{
    fl_status st = set_one(call, err);
    return st == FL_OK ? keep_a(call, err) : st;
}

static fl_status look_at_names(fl_rule_call *call, fl_err *err)
{
    (void)err;
    assert_ptr_equal(fl_rule_call_bound(call, "s"), call->node);
    assert_ptr_equal(fl_rule_call_bound(call, "below"), call->node->inputs[0]);
    assert_ptr_equal(call->bound[1], call->node->inputs[0]);
    return FL_OK;
}

#define SCRATCH_BYTES (1 << 20)
#define SCRATCH_ROUNDS 50

static fl_status use_scratch(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    void *block = NULL;
    if (mark_of(call) == SCRATCH_ROUNDS)
        return FL_OK;
    FL_TRY(fl_arena_get(call->scratch, SCRATCH_BYTES, &block, err));
    memset(block, 1, SCRATCH_BYTES);
    st = fl_rule_call_transform_to(call, marked(call, mark_of(call) + 1), err);
cleanup:
    return st;
}

#define RULE(called, of_phase, matches, does)                                                   \
    {FL_DESC(fl_rule_desc),  .name = (called),       .phase = (of_phase), .pattern = (matches), \
     .scope = FL_SCOPE_BOTH, .keeps = FL_KEEPS_COLS, .on_match = (does)}

/* ---- tests ---- */

static void test_phases_behind_one(void **state)
{
    fixture *f = *state;
    const fl_rule_desc rules[] = {
        RULE("last", "also_later", "leaf", set_three), RULE("middle", "later", "leaf", set_two),
        RULE("first", "early", "?(leaf)", give_itself), RULE("second", "early", "leaf", set_one)};
    assert_int_equal(optimize_with(f, rules, FL_LEN(rules), NULL), FL_OK);
    assert_int_equal(final_mark(f), 3);
    assert_fired(f, "second middle last ");
    assert_int_equal(f->report.applications, 3);
}

static void test_disabled(void **state)
{
    fixture *f = *state;
    const fl_rule_desc rules[] = {RULE("one", "early", "leaf", set_one), RULE("two", "later", "leaf", set_two)};
    assert_int_equal(optimize_with(f, rules, FL_LEN(rules), "TWO"), FL_OK);
    assert_int_equal(final_mark(f), 1);
    assert_fired(f, "one ");
}

static void test_three_plans(void **state)
{
    fixture *f = *state;
    const fl_rule_desc rules[] = {RULE("three", "early", "leaf", give_three)};
    assert_int_equal(optimize_with(f, rules, FL_LEN(rules), NULL), FL_OK);
    assert_int_equal(final_mark(f), 5);
    assert_int_equal(f->report.applications, 1);
}

/* The first that is not the node itself. */
static void test_many_plans(void **state)
{
    fixture *f = *state;
    const fl_rule_desc rules[] = {RULE("many", "early", "leaf", give_many)};
    assert_int_equal(optimize_with(f, rules, FL_LEN(rules), NULL), FL_OK);
    assert_int_equal(final_mark(f), 1);
}

static void test_loop(void **state)
{
    fixture *f = *state;
    const fl_rule_desc rules[] = {RULE("up", "later", "leaf", set_one), RULE("down", "later", "leaf", set_zero)};
    assert_int_equal(optimize_with(f, rules, FL_LEN(rules), NULL), FL_ERR_INTERNAL);
    assert_says(f, "up");
    assert_says(f, "down");
    assert_says(f, "phase later");
}

static void test_lost_column(void **state)
{
    fixture *f = *state;
    const fl_rule_desc rules[] = {RULE("loser", "early", "leaf", keep_a)};
    assert_int_equal(optimize_with(f, rules, FL_LEN(rules), NULL), FL_ERR_INTERNAL);
    assert_says(f, "rule loser lost column #2 \"b\" of leaf");
}

static void test_lost_column_of_another_plan(void **state)
{
    fixture *f = *state;
    const fl_rule_desc rules[] = {RULE("half", "early", "leaf", lose_in_second)};
    assert_int_equal(optimize_with(f, rules, FL_LEN(rules), NULL), FL_ERR_INTERNAL);
    assert_says(f, "rule half lost column #2 \"b\" of leaf");
}

/* A rule of the whole plan may drop what nobody wants, if it says so, and nothing else. */
static void test_columns_of_the_whole_plan(void **state)
{
    fixture *f = *state;
    fl_rule_desc rules[] = {RULE("pruner", "early", "root", keep_a)};
    rules[0].keeps = 0;
    assert_int_equal(optimize_with(f, rules, FL_LEN(rules), NULL), FL_OK);
    assert_int_equal(f->query.root->n_cols, 1);
}

static void test_promise_of_the_whole_plan(void **state)
{
    fixture *f = *state;
    const fl_rule_desc rules[] = {RULE("pruner", "early", "root", keep_a)};
    assert_int_equal(optimize_with(f, rules, FL_LEN(rules), NULL), FL_ERR_INTERNAL);
    assert_says(f, "rule pruner lost column #2 \"b\" of step");
}

static void test_lost_output(void **state)
{
    fixture *f = *state;
    fl_rule_desc rules[] = {RULE("pruner", "early", "root", keep_b)};
    rules[0].keeps = 0;
    assert_int_equal(optimize_with(f, rules, FL_LEN(rules), NULL), FL_ERR_INTERNAL);
    assert_says(f, "rule pruner lost column #1 \"a\" of step");
}

static void test_bound_names(void **state)
{
    fixture *f = *state;
    const fl_rule_desc rules[] = {RULE("looks", "early", "s:step(below:leaf[convention=vectorized])", look_at_names)};
    assert_int_equal(optimize_with(f, rules, FL_LEN(rules), NULL), FL_OK);
    assert_int_equal(f->report.applications, 0);
}

static void test_scratch(void **state)
{
    fixture *f = *state;
    const fl_rule_desc rules[] = {RULE("writes", "early", "leaf", use_scratch)};
    assert_int_equal(optimize_with(f, rules, FL_LEN(rules), NULL), FL_OK);
    assert_int_equal(final_mark(f), SCRATCH_ROUNDS);
    assert_true(f->memory.peak_bytes < 8 * SCRATCH_BYTES);
    assert_true(f->memory.used_bytes < SCRATCH_BYTES);
}

#define MANY 200

/* Each raises the mark by one, so that the last one shows that all of them were tried. */
static fl_status raise_mark(fl_rule_call *call, fl_err *err)
{
    return mark_of(call) == call->rule->promise ? fl_rule_call_transform_to(call, marked(call, mark_of(call) + 1), err)
                                                : FL_OK;
}

static void test_many_rules(void **state)
{
    fixture *f = *state;
    static fl_rule_desc rules[MANY];
    static char names[MANY][24];
    for (int32_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof(names[i]), "rule_%d", i);
        rules[i] = (fl_rule_desc)RULE(names[i], "early", "leaf", raise_mark);
        rules[i].promise = i;
    }
    assert_int_equal(optimize_with(f, rules, MANY, NULL), FL_OK);
    assert_int_equal(final_mark(f), MANY);
    assert_int_equal(f->report.n_fired, MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_phases_behind_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_disabled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_three_plans, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_plans, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_loop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lost_column, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lost_column_of_another_plan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_columns_of_the_whole_plan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_promise_of_the_whole_plan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lost_output, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bound_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_scratch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_rules, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
