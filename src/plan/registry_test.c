/* The registry: what may be added when, the order of phases, rules by class, snapshots. */
#include "plan/registry.h"

#include "plan/rule_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const fl_op_desc leaf = {FL_DESC(fl_op_desc), .name = "leaf"};
static const fl_op_desc other = {FL_DESC(fl_op_desc), .name = "other"};
static const fl_op_desc unknown = {FL_DESC(fl_op_desc), .name = "unknown"};

static fl_rule_desc rule_of(const char *name, const char *phase, const char *pattern, int32_t promise)
{
    return (fl_rule_desc){FL_DESC(fl_rule_desc),  .name = name,           .phase = phase,    .pattern = pattern,
                          .scope = FL_SCOPE_BOTH, .keeps = FL_KEEPS_COLS, .promise = promise};
}

static fl_registry *registry_of(const fl_phase_desc *phases, int32_t n)
{
    fl_registry *registry = NULL;
    assert_int_equal(fl_registry_new(&registry, NULL), FL_OK);
    assert_int_equal(fl_registry_add_op(registry, &leaf, NULL), FL_OK);
    assert_int_equal(fl_registry_add_op(registry, &other, NULL), FL_OK);
    for (int32_t i = 0; i < n; i++)
        assert_int_equal(fl_registry_add_phase(registry, &phases[i], NULL), FL_OK);
    return registry;
}

static void assert_says(const fl_err *err, const char *says, const char *hints)
{
    if (strstr(err->message, says) == NULL || strstr(err->hint, hints) == NULL)
        fail_msg("\"%s\", hint \"%s\"", err->message, err->hint);
}

static void assert_order(const fl_phase_desc *phases, int32_t n, const char *order)
{
    char got[256] = "";
    fl_registry *registry = registry_of(phases, n);
    fl_err err = {0};
    if (fl_registry_seal(registry, &err) != FL_OK)
        fail_msg("%s", err.message);
    const fl_rule_set *set = fl_registry_rule_set(registry);
    for (int32_t i = 0; i < set->n_phases; i++)
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s ", set->phases[i].phase->name);
    assert_string_equal(got, order);
    fl_registry_unref(registry);
}

static void assert_no_order(const fl_phase_desc *phases, int32_t n, const char *says, const char *hints)
{
    fl_registry *registry = registry_of(phases, n);
    fl_err err = {0};
    assert_int_equal(fl_registry_seal(registry, &err), FL_ERR_CONFIG);
    assert_says(&err, says, hints);
    assert_null(fl_registry_rule_set(registry));
    fl_registry_unref(registry);
}

static void test_order_of_phases(void **state)
{
    (void)state;
    /* what nothing is said of keeps the order of registration */
    const fl_phase_desc free_ones[] = {{.name = "c"}, {.name = "a"}, {.name = "b"}};
    assert_order(free_ones, 3, "c a b ");
    const fl_phase_desc chain[] = {{.name = "last", .needs = NAMES("sorted")},
                                   {.name = "middle", .needs = NAMES("clean"), .gives = NAMES("sorted")},
                                   {.name = "first", .gives = NAMES("clean", "bright")}};
    assert_order(chain, 3, "first middle last ");
    const fl_phase_desc two_behind_one[] = {{.name = "one", .gives = NAMES("clean")},
                                            {.name = "left", .needs = NAMES("clean")},
                                            {.name = "right", .needs = NAMES("clean")}};
    assert_order(two_behind_one, 3, "one left right ");
    const fl_phase_desc two_givers[] = {{.name = "reader", .needs = NAMES("clean")},
                                        {.name = "g", .gives = NAMES("clean")},
                                        {.name = "h", .gives = NAMES("clean")}};
    assert_order(two_givers, 3, "g h reader ");
    const fl_phase_desc by_name[] = {{.name = "b", .needs = NAMES("a")}, {.name = "a"}};
    assert_order(by_name, 2, "a b ");
}

static void test_phases_without_order(void **state)
{
    (void)state;
    const fl_phase_desc cycle[] = {{.name = "start"},
                                   {.name = "waits", .needs = NAMES("x")},
                                   {.name = "p", .needs = NAMES("z", "start"), .gives = NAMES("x")},
                                   {.name = "q", .needs = NAMES("x"), .gives = NAMES("y")},
                                   {.name = "r", .needs = NAMES("y"), .gives = NAMES("z")}};
    assert_no_order(cycle, 5, "each for the next: r, q, p", "");
    const fl_phase_desc itself[] = {{.name = "alone", .needs = NAMES("alone")}};
    assert_no_order(itself, 1, "each for the next: alone", "");
    const fl_phase_desc missing[] = {{.name = "one", .gives = NAMES("no_subqueries")},
                                     {.name = "two", .needs = NAMES("no_subquery")}};
    assert_no_order(missing, 2, "phase two needs \"no_subquery\", which no phase gives",
                    "did you mean \"no_subqueries\"?");
}

static void test_rule_of_unknown_phase(void **state)
{
    (void)state;
    const fl_phase_desc phases[] = {{.name = "normalize"}};
    const fl_rule_desc rule = rule_of("lost", "normalise", "leaf", 0);
    fl_registry *registry = registry_of(phases, 1);
    fl_err err = {0};
    assert_int_equal(fl_registry_add_rule(registry, &rule, NULL), FL_OK);
    assert_int_equal(fl_registry_seal(registry, &err), FL_ERR_CONFIG);
    assert_says(&err, "rule lost is of the phase \"normalise\"", "did you mean \"normalize\"?");
    fl_registry_unref(registry);
}

static void test_rules_refused(void **state)
{
    (void)state;
    fl_registry *registry = registry_of(NULL, 0);
    fl_err err = {0};
    int32_t n = 0;
    const fl_rule_desc wrong = rule_of("wrong", "p", "leef", 0), twice = rule_of("twice", "p", "leaf", 0);
    fl_rule_desc loose = rule_of("loose", "p", "leaf", 0);
    const fl_op_desc root = {FL_DESC(fl_op_desc), .name = "root"};
    assert_int_equal(fl_registry_add_rule(registry, &wrong, &err), FL_ERR_CONFIG);
    assert_says(&err, "rule wrong, pattern \"leef\", byte 1", "did you mean \"leaf\"?");
    loose.keeps = FL_KEEPS_ROW_COUNT;
    assert_int_equal(fl_registry_add_rule(registry, &loose, &err), FL_ERR_CONFIG);
    assert_says(&err, "rule loose", "");
    assert_int_equal(fl_registry_add_rule(registry, &twice, &err), FL_OK);
    assert_int_equal(fl_registry_add_rule(registry, &twice, &err), FL_ERR_DUPLICATE);
    assert_int_equal(fl_registry_add_op(registry, &root, &err), FL_ERR_CONFIG);
    fl_registry_rules(registry, &n);
    assert_int_equal(n, 1);
    fl_registry_unref(registry);
}

/* A class is asked for its rules and those of any operator, by promise, in order of registration where that is the same. */
static void test_rules_by_class(void **state)
{
    (void)state;
    const fl_phase_desc phases[] = {{.name = "p"}, {.name = "q"}};
    const fl_rule_desc rules[] = {rule_of("of_leaf", "p", "leaf", 5),   rule_of("of_any", "p", "?", 7),
                                  rule_of("of_other", "p", "other", 9), rule_of("also_of_leaf", "p", "leaf", 7),
                                  rule_of("of_q", "q", "leaf", 0),      rule_of("of_root", "p", "root", 0)};
    fl_registry *registry = registry_of(phases, 2);
    for (int64_t i = 0; i < FL_LEN(rules); i++)
        assert_int_equal(fl_registry_add_rule(registry, &rules[i], NULL), FL_OK);
    assert_int_equal(fl_registry_seal(registry, NULL), FL_OK);
    const fl_rule_set *set = fl_registry_rule_set(registry);
    const fl_rule_list *list = fl_rule_set_of_class(set, &set->phases[0], &leaf);
    assert_int_equal(list->n, 3);
    assert_ptr_equal(list->entries[0]->rule, &rules[1]);
    assert_ptr_equal(list->entries[1]->rule, &rules[3]);
    assert_ptr_equal(list->entries[2]->rule, &rules[0]);
    list = fl_rule_set_of_class(set, &set->phases[0], &unknown);
    assert_int_equal(list->n, 1);
    assert_ptr_equal(list->entries[0]->rule, &rules[1]);
    assert_int_equal(set->phases[0].on_root.n, 1);
    assert_int_equal(fl_rule_set_of_class(set, &set->phases[1], &leaf)->n, 1);
    assert_int_equal(fl_rule_set_of_class(set, &set->phases[1], &other)->n, 0);
    fl_registry_unref(registry);
}

static void test_sealed_and_copied(void **state)
{
    (void)state;
    const fl_phase_desc phases[] = {{.name = "p"}};
    const fl_rule_desc old_rule = rule_of("old", "p", "leaf", 0), new_rule = rule_of("new", "p", "leaf", 1);
    fl_registry *registry = registry_of(phases, 1), *copy = NULL;
    fl_err err = {0};
    int32_t n = 0;
    assert_int_equal(fl_registry_add_rule(registry, &old_rule, NULL), FL_OK);
    assert_int_equal(fl_registry_seal(registry, NULL), FL_OK);
    assert_int_equal(fl_registry_add_rule(registry, &new_rule, &err), FL_ERR_CONFIG);
    assert_says(&err, "the rule \"new\" comes too late", "");
    assert_int_equal(fl_registry_add_op(registry, &unknown, &err), FL_ERR_CONFIG);

    assert_int_equal(fl_registry_copy(registry, &copy, NULL), FL_OK);
    assert_int_equal(fl_registry_add_rule(copy, &new_rule, NULL), FL_OK);
    assert_int_equal(fl_registry_seal(copy, NULL), FL_OK);
    fl_registry_rules(registry, &n);
    assert_int_equal(n, 1);
    fl_registry_unref(registry);
    const fl_rule_set *set = fl_registry_rule_set(copy);
    const fl_rule_list *list = fl_rule_set_of_class(set, &set->phases[0], &leaf);
    assert_int_equal(list->n, 2);
    assert_ptr_equal(list->entries[0]->rule, &new_rule);
    assert_ptr_equal(list->entries[1]->rule, &old_rule);
    fl_registry_unref(copy);
}

#define MANY 300

/* Nothing is dropped silently: there is no limit. */
static void test_many_rules(void **state)
{
    (void)state;
    static fl_rule_desc rules[MANY];
    static char names[MANY][24];
    const fl_phase_desc phases[] = {{.name = "p"}};
    fl_registry *registry = registry_of(phases, 1);
    for (int32_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof(names[i]), "rule_%d", i);
        rules[i] = rule_of(names[i], "p", "leaf", 0);
        assert_int_equal(fl_registry_add_rule(registry, &rules[i], NULL), FL_OK);
    }
    assert_int_equal(fl_registry_seal(registry, NULL), FL_OK);
    const fl_rule_set *set = fl_registry_rule_set(registry);
    const fl_rule_list *list = fl_rule_set_of_class(set, &set->phases[0], &leaf);
    assert_int_equal(list->n, MANY);
    for (int32_t i = 0; i < MANY; i++)
        assert_ptr_equal(list->entries[i]->rule, &rules[i]);
    fl_registry_unref(registry);
}

/* Another name gives the function that it stands for, also in a copy; one of nothing is refused. */
static void test_other_names(void **state)
{
    (void)state;
    static const fl_func_desc funcs[] = {{FL_DESC(fl_func_desc), .name = "first_name"},
                                         {FL_DESC(fl_func_desc), .name = "second_name", .alias_of = "first_name"}};
    static const fl_func_desc lost = {FL_DESC(fl_func_desc), .name = "third_name", .alias_of = "no_name"};
    static const fl_agg_desc aggs[] = {{FL_DESC(fl_agg_desc), .name = "all"},
                                       {FL_DESC(fl_agg_desc), .name = "everything", .alias_of = "all"}};
    const fl_func_set sets[] = {{.funcs = funcs, .n_funcs = 2, .aggs = aggs, .n_aggs = 2},
                                {.funcs = &lost, .n_funcs = 1}};
    fl_registry *registry = registry_of(NULL, 0), *copy = NULL;
    fl_err err = {0};
    int32_t n = 0;
    assert_int_equal(fl_registry_add_funcs(registry, &sets[0], &err), FL_OK);
    assert_ptr_equal(fl_registry_func(registry, FL_STR("SECOND_name")), &funcs[0]);
    assert_ptr_equal(fl_registry_agg(registry, FL_STR("everything")), &aggs[0]);
    fl_registry_funcs(registry, &n);
    assert_int_equal(n, 2);
    assert_int_equal(fl_registry_add_funcs(registry, &sets[1], &err), FL_ERR_CONFIG);
    assert_says(&err, "third_name", "");
    assert_null(fl_registry_func(registry, FL_STR("third_name")));
    assert_int_equal(fl_registry_copy(registry, &copy, &err), FL_OK);
    assert_ptr_equal(fl_registry_func(copy, FL_STR("second_name")), &funcs[0]);
    fl_registry_unref(copy);
    fl_registry_unref(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_of_phases),
        cmocka_unit_test(test_phases_without_order),
        cmocka_unit_test(test_rule_of_unknown_phase),
        cmocka_unit_test(test_rules_refused),
        cmocka_unit_test(test_rules_by_class),
        cmocka_unit_test(test_sealed_and_copied),
        cmocka_unit_test(test_many_rules),
        cmocka_unit_test(test_other_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
