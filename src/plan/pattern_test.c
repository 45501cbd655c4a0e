/* Patterns: what they match, what they bind, and what is refused with which words. */
#include "plan/pattern.h"

#include "plan/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int32_t no_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan, (void)attrs, (void)inputs, (void)ret;
    return 0;
}

static double one_row(const fl_plan *plan, const fl_node *node)
{
    (void)plan, (void)node;
    return 1;
}

#define OP(variable, called, inputs)                                                                 \
    static const fl_op_desc variable = {FL_DESC(fl_op_desc), .name = (called), .n_inputs = (inputs), \
                                        .derive_cols = no_cols, .derive_rows = one_row}
OP(leaf, "leaf", 0);
OP(step2, "step2", 1);
OP(pair, "pair", 2);

static const char no_attrs[1];
static const fl_trait_desc level = {FL_DESC(fl_trait_desc), .name = "level"};

typedef struct fixture {
    fl_memory memory;
    fl_registry *registry;
    fl_arena arena;
    fl_plan *plan;
    const fl_node *leaf, *hashed_leaf, *step, *pair; /* pair(step2(leaf), leaf[hash, level 3]) */
} fixture;

static int set_up(void **state)
{
    static fixture f;
    const fl_trait_set *traits = NULL;
    f = (fixture){0};
    fl_memory_init(&f.memory, NULL, "test", 0);
    fl_arena_init(&f.arena, &f.memory);
    assert_int_equal(fl_registry_new(&f.registry, NULL), FL_OK);
    assert_int_equal(fl_registry_add_op(f.registry, &leaf, NULL), FL_OK);
    assert_int_equal(fl_registry_add_op(f.registry, &step2, NULL), FL_OK);
    assert_int_equal(fl_registry_add_op(f.registry, &pair, NULL), FL_OK);
    assert_int_equal(fl_registry_add_trait(f.registry, &fl_trait_convention, NULL), FL_OK);
    assert_int_equal(fl_registry_add_trait(f.registry, &fl_trait_implementation, NULL), FL_OK);
    assert_int_equal(fl_registry_add_trait(f.registry, &fl_trait_windowing, NULL), FL_OK);
    assert_int_equal(fl_registry_add_trait(f.registry, &level, NULL), FL_OK);
    assert_int_equal(fl_plan_new(&f.memory, f.registry, &f.plan, NULL), FL_OK);
    assert_int_equal(fl_node_make(f.plan, &leaf, no_attrs, NULL, NULL, 0, NULL, 0, &f.leaf, NULL), FL_OK);
    assert_int_equal(fl_trait_with(f.plan, f.leaf->traits, &fl_trait_implementation, FL_IMPL_HASH, &traits, NULL),
                     FL_OK);
    assert_int_equal(fl_trait_with(f.plan, traits, &level, 3, &traits, NULL), FL_OK);
    assert_int_equal(fl_node_make(f.plan, &leaf, no_attrs, traits, NULL, 0, NULL, 0, &f.hashed_leaf, NULL), FL_OK);
    assert_int_equal(fl_node_make(f.plan, &step2, no_attrs, NULL, &f.leaf, 1, NULL, 0, &f.step, NULL), FL_OK);
    const fl_node *inputs[2] = {f.step, f.hashed_leaf};
    assert_int_equal(fl_node_make(f.plan, &pair, no_attrs, NULL, inputs, 2, NULL, 0, &f.pair, NULL), FL_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    fl_plan_unref(f->plan);
    fl_arena_drop(&f->arena);
    fl_registry_unref(f->registry);
    assert_int_equal(f->memory.used_bytes, 0);
    return 0;
}

static const fl_pattern *compile(fixture *f, const char *text)
{
    const fl_pattern *pattern = NULL;
    fl_err err = {0};
    if (fl_pattern_compile(f->registry, "test", text, &f->arena, &pattern, &err) != FL_OK)
        fail_msg("%s", err.message);
    return pattern;
}

static bool matches(fixture *f, const char *text, const fl_node *node)
{
    const fl_node *bound[FL_PATTERN_NODES_MAX];
    return fl_pattern_matches(compile(f, text), node, bound);
}

static void test_classes(void **state)
{
    fixture *f = *state;
    assert_true(matches(f, "?", f->leaf));
    assert_true(matches(f, "leaf", f->leaf));
    assert_false(matches(f, "leaf", f->step));
    assert_true(matches(f, "step2", f->step));
    assert_true(matches(f, "step2(leaf)", f->step));
    assert_false(matches(f, "step2(step2)", f->step));
    assert_true(matches(f, "pair(step2(leaf), leaf)", f->pair));
    assert_true(matches(f, "pair(step2)", f->pair));
    assert_true(matches(f, " pair ( ? , leaf ) ", f->pair));
    assert_false(matches(f, "pair(?, step2)", f->pair));
    assert_true(matches(f, "?(?, ?)", f->pair));
    assert_false(matches(f, "?(?, ?)", f->step)); /* it has one input */
}

/* A value belongs to its kind: windowing has none of implementation. */
static void test_traits(void **state)
{
    fixture *f = *state;
    assert_true(matches(f, "leaf[implementation=hash]", f->hashed_leaf));
    assert_false(matches(f, "leaf[implementation=hash]", f->leaf));
    assert_false(matches(f, "leaf[windowing=tumbling]", f->hashed_leaf));
    assert_true(matches(f, "leaf[windowing=none]", f->hashed_leaf)); /* the default of what is absent */
    assert_true(matches(f, "?[convention=logical, implementation=hash, level=3]", f->hashed_leaf));
    assert_false(matches(f, "?[convention=logical, implementation=hash, level=4]", f->hashed_leaf));
    assert_true(matches(f, "pair(?, leaf[level=3])", f->pair));
}

static void test_names(void **state)
{
    fixture *f = *state;
    const fl_node *bound[FL_PATTERN_NODES_MAX];
    const fl_pattern *pattern = compile(f, "top:pair(l:step2(?), r2:leaf[level=3])");
    assert_true(fl_pattern_matches(pattern, f->pair, bound));
    assert_int_equal(pattern->n_nodes, 4);
    assert_ptr_equal(bound[fl_pattern_find(pattern, FL_STR("top"))], f->pair);
    assert_ptr_equal(bound[fl_pattern_find(pattern, FL_STR("l"))], f->step);
    assert_ptr_equal(bound[2], f->leaf);
    assert_ptr_equal(bound[fl_pattern_find(pattern, FL_STR("r2"))], f->hashed_leaf);
    assert_int_equal(fl_pattern_find(pattern, FL_STR("r")), -1);
    assert_int_equal(fl_pattern_find(pattern, FL_STR("")), -1);
}

static void test_root(void **state)
{
    fixture *f = *state;
    assert_true(compile(f, "root")->is_root);
    assert_false(compile(f, "?")->is_root);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        int64_t place; /* of the fault: its byte from 1 */
        const char *says, *hints;
    } cases[] = {
        {"", 1, "an operator or ? is expected", ""},
        {"Leaf", 1, "an operator or ? is expected", ""},
        {"leef", 1, "no operator \"leef\"", "did you mean \"leaf\"?"},
        {"pair(?, leav)", 9, "no operator \"leav\"", "did you mean \"leaf\"?"},
        {"pair(leaf", 10, "')' is expected", ""},
        {"pair()", 6, "an operator or ? is expected", ""},
        {"step2(?, ?)", 9, "step2 has at most 1 inputs", ""},
        {"leaf(?)", 6, "leaf has at most 0 inputs", ""},
        {"leaf leaf", 6, "the end is expected", ""},
        {"leaf]", 5, "the end is expected", ""},
        {"leaf[hash]", 6, "no kind of trait \"hash\"", "did you mean \"implementation=hash\"?"},
        {"leaf[implementatoin=hash]", 6, "no kind of trait \"implementatoin\"", "did you mean \"implementation\"?"},
        {"leaf[implementation=hush]", 21, "implementation has no value \"hush\"", "did you mean \"hash\"?"},
        {"leaf[implementation]", 20, "'=' is expected", ""},
        {"leaf[implementation=hash", 25, "']' is expected", ""},
        {"leaf[level=1, level=2]", 15, "level is tested twice", ""},
        {"leaf[level=high]", 12, "level takes a number", ""},
        {"leaf[level=99999999999]", 12, "level takes a number", ""},
        {"leaf[]", 6, "no kind of trait \"\"", ""},
        {"pair(a:?, a:?)", 11, "the name \"a\" is given twice", ""},
        {"step2(root)", 7, "no operator \"root\"", ""},
        {"?(?(?(?(?(?(?(?(?(?(?(?(?(?(?(?(?))))))))))))))))", 33, "at most 16 operators", ""},
    };
    fixture *f = *state;
    for (int64_t i = 0; i < FL_LEN(cases); i++) {
        const fl_pattern *pattern = NULL;
        fl_err err = {0};
        assert_int_equal(fl_pattern_compile(f->registry, "my_rule", cases[i].text, &f->arena, &pattern, &err),
                         FL_ERR_CONFIG);
        assert_null(pattern);
        if (strstr(err.message, "my_rule") == NULL || strstr(err.message, cases[i].text) == NULL ||
            strstr(err.message, cases[i].says) == NULL || strstr(err.hint, cases[i].hints) == NULL ||
            err.position != cases[i].place)
            fail_msg("%s: \"%s\" at %lld, hint \"%s\"", cases[i].text, err.message, (long long)err.position, err.hint);
        assert_int_equal(fl_pattern_compile(f->registry, "my_rule", cases[i].text, &f->arena, &pattern, NULL),
                         FL_ERR_CONFIG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_classes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_traits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_root, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
