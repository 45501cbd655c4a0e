/* The search over a tiny algebra, whose best plans are known: leaves, steps over one input and pairs of two, with prices in their
 * attributes. */
#include "opt/search.h"

#include "opt/cost.h"
#include "opt/lower.h"
#include "opt/memo.h"
#include "plan/props.h"
#include "plan/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- operators ---------------------------------------------------------------------------------------------------- */

typedef struct attrs {
    fl_col_id made; /* leaves */
    int32_t mark;
    double price;  /* of one row of all inputs, of a leaf's own rows */
    double factor; /* rows out by rows in; of a leaf its rows */
} attrs;

static const attrs *attrs_of(const fl_node *node)
{
    return node->attrs;
}

static int32_t leaf_cols(const fl_plan *plan, const void *a, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan, (void)inputs;
    ret[0] = ((const attrs *)a)->made;
    return 1;
}

static int32_t passed_cols(const fl_plan *plan, const void *a, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan, (void)a;
    memcpy(ret, inputs[0]->cols, (size_t)inputs[0]->n_cols * sizeof(*ret));
    return inputs[0]->n_cols;
}

static int32_t pair_cols(const fl_plan *plan, const void *a, const fl_node *const *inputs, fl_col_id *ret)
{
    int32_t n = passed_cols(plan, a, inputs, ret);
    memcpy(ret + n, inputs[1]->cols, (size_t)inputs[1]->n_cols * sizeof(*ret));
    return n + inputs[1]->n_cols;
}

static double rows_of(const fl_plan *plan, const fl_node *node)
{
    (void)plan;
    double rows = attrs_of(node)->factor;
    for (int32_t i = 0; i < node->n_inputs; i++)
        rows *= node->inputs[i]->rows;
    return rows;
}

/* A pair's left input is the dear one. */
static void cost(const fl_plan *plan, const fl_node *node, fl_cost *ret)
{
    (void)plan;
    double rows = node->n_inputs == 0 ? node->rows : node->inputs[0]->rows;
    ret->ns += attrs_of(node)->price * rows;
}

static void sort_cost(const fl_plan *plan, const fl_node *node, fl_cost *ret)
{
    (void)plan;
    ret->ns += 5 * node->rows;
}

static fl_status enforce(fl_plan *plan, const fl_node *node, int32_t want, const fl_node **ret, fl_err *err);

static fl_status sort_gives(fl_plan *plan, const fl_node *node, const fl_trait_set *const *inputs,
                            const fl_trait_set **ret, fl_err *err)
{
    (void)inputs;
    fl_order_key key = {.cols = node->cols, .n_cols = 1};
    int32_t order = 0;
    fl_status st = fl_ordering_make(plan, &key, 1, &order, err);
    return st == FL_OK ? fl_trait_with(plan, *ret, &fl_trait_ordering, order, ret, err) : st;
}

/* A meeting of two inputs in the order of their first columns, whose rows are in that of the left one. */
static fl_status meet_needs(fl_plan *plan, const fl_node *node, int32_t input, const fl_trait_set *want, int32_t way,
                            const fl_trait_set **ret, fl_err *err)
{
    (void)want;
    fl_order_key key = {.cols = node->inputs[input]->cols, .n_cols = 1};
    int32_t value = 0;
    *ret = NULL;
    if (way > 0)
        return FL_OK;
    fl_status st = fl_ordering_make(plan, &key, 1, &value, err);
    return st == FL_OK ? fl_trait_with(plan, fl_trait_none(plan), &fl_trait_ordering, value, ret, err) : st;
}

static const fl_attr_field fields[] = {
    {"made", FL_FIELD_COL, offsetof(attrs, made), 0, NULL, false, false},
    {"mark", FL_FIELD_I32, offsetof(attrs, mark), 0, NULL, false, false},
    {"price", FL_FIELD_F64, offsetof(attrs, price), 0, NULL, false, false},
    {"factor", FL_FIELD_F64, offsetof(attrs, factor), 0, NULL, false, false},
};
#define TINY(called, inputs, cols)                                                                          \
    FL_DESC(fl_op_desc), .name = called, .n_inputs = inputs, .attr_bytes = sizeof(attrs), .fields = fields, \
        .n_fields = FL_LEN(fields), .derive_cols = cols, .derive_rows = rows_of
static const fl_op_desc leaf = {TINY("leaf", 0, leaf_cols), .cost = cost};
static const fl_op_desc step = {TINY("step", 1, passed_cols), .cost = cost, .needs = fl_ordering_needs_passed,
                                .gives = fl_ordering_gives_passed, .n_ways = 2};
static const fl_op_desc pair = {TINY("pair", 2, pair_cols), .cost = cost};
static const fl_op_desc row = {TINY("row", 0, leaf_cols), .cost = cost,
                               .gives = sort_gives}; /* a leaf that is sorted */
static const fl_op_desc meet = {TINY("meet", 2, pair_cols), .cost = cost, .needs = meet_needs,
                                .gives = fl_ordering_gives_passed, .n_ways = 2};
static const fl_op_desc order = {TINY("order", 1, passed_cols), .cost = sort_cost, .gives = sort_gives,
                                 .enforce = enforce, .enforces = &fl_trait_ordering};

static fl_status enforce(fl_plan *plan, const fl_node *node, int32_t want, const fl_node **ret, fl_err *err)
{
    (void)want;
    const attrs a = {.factor = 1};
    const fl_trait_set *traits = NULL;
    fl_status st = fl_trait_with(plan, fl_trait_none(plan), &fl_trait_convention, FL_VECTORIZED, &traits, err);
    return st == FL_OK ? fl_node_make(plan, &order, &a, traits, &node, 1, NULL, 0, ret, err) : st;
}

/* ---- rules -------------------------------------------------------------------------------------------------------- */

/* The node, executable, at another price. */
static fl_status lower_at(fl_rule_call *call, double price, fl_err *err)
{
    fl_status st = FL_OK;
    attrs a = *attrs_of(call->node);
    const fl_trait_set *traits = NULL;
    const fl_node *node = NULL;
    a.price = price;
    FL_TRY(fl_trait_with(call->plan, call->node->traits, &fl_trait_convention, FL_VECTORIZED, &traits, err));
    FL_TRY(fl_node_make(call->plan, call->node->op, &a, traits, call->node->inputs, call->node->n_inputs,
                        call->node->cols, call->node->n_cols, &node, err));
    st = fl_rule_call_transform_to(call, node, err);
cleanup:
    return st;
}

static fl_status lower(fl_rule_call *call, fl_err *err)
{
    return lower_at(call, attrs_of(call->node)->price, err);
}

/* All that it knows, the cheapest neither first nor last. */
static fl_status lower_in_three_ways(fl_rule_call *call, fl_err *err)
{
    fl_status st = lower_at(call, 4, err);
    st = st == FL_OK ? lower_at(call, 1, err) : st;
    return st == FL_OK ? lower_at(call, 2, err) : st;
}

static fl_status turn(fl_rule_call *call, fl_err *err)
{
    const fl_node *swapped[2] = {call->node->inputs[1], call->node->inputs[0]}, *node = NULL;
    fl_status st =
        fl_node_make(call->plan, &pair, call->node->attrs, call->node->traits, swapped, 2, NULL, 0, &node, err);
    return st == FL_OK ? fl_rule_call_transform_to(call, node, err) : st;
}

/* A pair is a meeting, at half the price, if one of its inputs has an order. */
static fl_status merge(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    attrs a = *attrs_of(call->node);
    const fl_trait_set *traits = NULL;
    const fl_node *node = NULL;
    bool has_maker = false;
    for (int32_t i = 0; i < 2 && !has_maker; i++)
        FL_TRY(fl_ordering_has_maker(call->plan, call->node->inputs[i], &has_maker, err));
    if (!has_maker)
        return FL_OK;
    a.price /= 2;
    FL_TRY(fl_trait_with(call->plan, call->node->traits, &fl_trait_convention, FL_VECTORIZED, &traits, err));
    FL_TRY(fl_node_make(call->plan, &meet, &a, traits, call->node->inputs, 2, call->node->cols, call->node->n_cols,
                        &node, err));
    st = fl_rule_call_transform_to(call, node, err);
cleanup:
    return st;
}

/* A step that does nothing: its rows are those below it. */
static fl_status leave_out(fl_rule_call *call, fl_err *err)
{
    return attrs_of(call->node)->mark == 0 ? fl_rule_call_transform_to(call, call->node->inputs[0], err) : FL_OK;
}

/* Two steps are one that does what both do, at the price of one. */
static fl_status join_steps(fl_rule_call *call, fl_err *err)
{
    attrs a = *attrs_of(call->node);
    const fl_node *below = fl_rule_call_bound(call, "below"), *node = NULL;
    a.mark += attrs_of(below)->mark;
    fl_status st = fl_node_make(call->plan, &step, &a, call->node->traits, below->inputs, 1, NULL, 0, &node, err);
    return st == FL_OK ? fl_rule_call_transform_to(call, node, err) : st;
}

/* Never comes to an end: each step is the equal of one with a higher mark. */
static fl_status count_up(fl_rule_call *call, fl_err *err)
{
    attrs a = *attrs_of(call->node);
    const fl_node *node = NULL;
    a.mark++;
    fl_status st = fl_node_make(call->plan, &step, &a, call->node->traits, call->node->inputs, 1, NULL, 0, &node, err);
    return st == FL_OK ? fl_rule_call_transform_to(call, node, err) : st;
}

#define RULE(called, matched, fn) \
    {.name = called,              \
     .phase = "search",           \
     .pattern = matched,          \
     .scope = FL_SCOPE_BOTH,      \
     .keeps = FL_KEEPS_COLS,      \
     .on_match = fn}
static const fl_rule_desc lower_leaf = RULE("lower_leaf", "leaf[convention=logical]", lower);
static const fl_rule_desc lower_leaf_well = RULE("lower_leaf_well", "leaf[convention=logical]", lower_in_three_ways);
static const fl_rule_desc lower_row = RULE("lower_row", "row[convention=logical]", lower);
static const fl_rule_desc merge_pair = RULE("merge_pair", "pair[convention=logical]", merge);
static const fl_rule_desc lower_step = RULE("lower_step", "step[convention=logical]", lower);
static const fl_rule_desc lower_pair = RULE("lower_pair", "pair[convention=logical]", lower);
static const fl_rule_desc turn_pair = RULE("turn_pair", "pair[convention=logical]", turn);
static const fl_rule_desc leave_out_step = RULE("leave_out_step", "step[convention=logical]", leave_out);
static const fl_rule_desc two_steps =
    RULE("join_steps", "step[convention=logical](below:step[convention=logical])", join_steps);
static const fl_rule_desc mutant = RULE("count_up", "step[convention=logical]", count_up);

/* ---- a search ----------------------------------------------------------------------------------------------------- */

static const fl_phase_desc search_phase = {.name = "search", .strategy = FL_PHASE_SEARCH};

typedef struct fixture {
    fl_memory memory;
    fl_registry *registry;
    fl_plan *plan;
    fl_col_id cols[3];
    const char *off; /* a rule that is switched off */
    int64_t ticks_max;
    int64_t plan_number;
    const fl_node *best;
    fl_err err;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    f = (fixture){.ticks_max = 10000};
    fl_memory_init(&f.memory, NULL, "test", 0);
    assert_int_equal(fl_registry_new(&f.registry, NULL), FL_OK);
    const fl_op_desc *const ops[] = {&leaf, &row, &step, &pair, &meet};
    for (int64_t i = 0; i < FL_LEN(ops); i++)
        assert_int_equal(fl_registry_add_op(f.registry, ops[i], NULL), FL_OK);
    assert_int_equal(fl_registry_add_trait(f.registry, &fl_trait_convention, NULL), FL_OK);
    assert_int_equal(fl_registry_add_trait(f.registry, &fl_trait_ordering, NULL), FL_OK);
    assert_int_equal(fl_registry_add_phase(f.registry, &search_phase, NULL), FL_OK);
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

static void begin(fixture *f, const fl_rule_desc *const *rules, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        if (fl_registry_add_rule(f->registry, rules[i], &f->err) != FL_OK)
            fail_msg("%s", f->err.message);
    assert_int_equal(fl_registry_seal(f->registry, NULL), FL_OK);
    assert_int_equal(fl_plan_new(&f->memory, f->registry, &f->plan, NULL), FL_OK);
    for (int32_t i = 0; i < 3; i++) {
        fl_col_info info = {.name = FL_STR("c"), .type = FL_TYPE(FL_I64)};
        assert_int_equal(fl_plan_add_col(f->plan, &info, &f->cols[i], NULL), FL_OK);
    }
}
#define BEGIN(f, ...) \
    begin(f, (const fl_rule_desc *const[]){__VA_ARGS__}, FL_LEN(((const fl_rule_desc *const[]){__VA_ARGS__})))

static const fl_node *make(fixture *f, const fl_op_desc *op, attrs a, const fl_node *left, const fl_node *right)
{
    const fl_node *inputs[2] = {left, right}, *node = NULL;
    assert_int_equal(
        fl_node_make(f->plan, op, &a, NULL, inputs, (left != NULL) + (right != NULL), NULL, 0, &node, NULL), FL_OK);
    return node;
}

static const fl_node *a_leaf(fixture *f, int32_t col, double rows)
{
    return make(f, &leaf, (attrs){.made = f->cols[col], .mark = col, .price = 1, .factor = rows}, NULL, NULL);
}

static const fl_node *a_row(fixture *f, int32_t col, double rows)
{
    return make(f, &row, (attrs){.made = f->cols[col], .mark = col, .price = 1, .factor = rows}, NULL, NULL);
}

static const fl_node *a_step(fixture *f, int32_t mark, double factor, const fl_node *input)
{
    return make(f, &step, (attrs){.mark = mark, .price = 1, .factor = factor}, input, NULL);
}

static void ignore_fired(void *ctx, const fl_rule_desc *rule)
{
    (void)ctx, (void)rule;
}

/* `ordered`: rows in the order of the first column are wanted. */
static fl_status search(fixture *f, const fl_node *root, bool ordered)
{
    bool is_off[8] = {false};
    int32_t n = 0, value = 0;
    const fl_rule_desc *const *rules = fl_registry_rules(f->registry, &n);
    const fl_rule_set *set = fl_registry_rule_set(f->registry);
    const fl_trait_set *want = NULL;
    fl_col_set wanted;
    fl_col_set_init(&wanted);
    fl_rule_call call = {.plan = f->plan, .root = root, .wanted = &wanted};
    for (int32_t i = 0; i < n; i++)
        is_off[i] = f->off != NULL && strcmp(rules[i]->name, f->off) == 0;
    assert_int_equal(fl_trait_with(f->plan, fl_trait_none(f->plan), &fl_trait_convention, FL_VECTORIZED, &want, NULL),
                     FL_OK);
    if (ordered) {
        fl_order_key key = {.cols = &f->cols[0], .n_cols = 1};
        assert_int_equal(fl_ordering_make(f->plan, &key, 1, &value, NULL), FL_OK);
        assert_int_equal(fl_trait_with(f->plan, want, &fl_trait_ordering, value, &want, NULL), FL_OK);
    }
    fl_search_options options = {.set = set,
                                 .phase = &set->phases[0],
                                 .is_off = is_off,
                                 .want = want,
                                 .call = &call,
                                 .ticks_max = f->ticks_max,
                                 .threshold = 0.01,
                                 .plan_number = f->plan_number,
                                 .fired = ignore_fired};
    return fl_search(f->plan, root, &options, &f->best, &f->err);
}

/* The best plan, as `pair(leaf 0, step 1(leaf 2))`. */
static void print(char *to, size_t room, const fl_node *node)
{
    snprintf(to + strlen(to), room - strlen(to), "%s", node->op->name);
    if (node->op != &order && node->op != &pair && node->op != &meet)
        snprintf(to + strlen(to), room - strlen(to), " %d", attrs_of(node)->mark);
    for (int32_t i = 0; i < node->n_inputs; i++) {
        snprintf(to + strlen(to), room - strlen(to), "%s", i == 0 ? "(" : ", ");
        print(to, room, node->inputs[i]);
    }
    if (node->n_inputs > 0)
        snprintf(to + strlen(to), room - strlen(to), ")");
}

static void assert_best(fixture *f, const fl_node *root, bool ordered, const char *wanted)
{
    char got[256] = "";
    if (search(f, root, ordered) != FL_OK)
        fail_msg("%s", f->err.message);
    print(got, sizeof(got), f->best);
    assert_string_equal(got, wanted);
}

/* ---- tests -------------------------------------------------------------------------------------------------------- */

/* Each pair is turned so that its smaller input is the left one, and each leaf has its cheapest implementation. */
static void test_best_is_known(void **state)
{
    fixture *f = *state;
    BEGIN(f, &lower_leaf_well, &lower_pair, &turn_pair);
    const fl_node *inner = make(f, &pair, (attrs){.price = 3, .factor = 0.01}, a_leaf(f, 0, 1000), a_leaf(f, 1, 100));
    const fl_node *outer = make(f, &pair, (attrs){.price = 3, .factor = 0.01}, inner, a_leaf(f, 2, 10));
    assert_best(f, outer, false, "pair(leaf 2, pair(leaf 1, leaf 0))");
    assert_true(attrs_of(f->best->inputs[0])->price <= 1);
    fl_cost best = fl_cost_of(f->plan, f->best);
    assert_true(best.ns < 3 * 10 + 100 + 1);
}

/* Where a step makes rows more, they are sorted before it, where it drops them, behind it. */
static void test_enforcer_is_at_its_height(void **state)
{
    fixture *f = *state;
    assert_int_equal(fl_registry_add_op(f->registry, &order, NULL), FL_OK);
    BEGIN(f, &lower_leaf, &lower_step);
    assert_best(f, a_step(f, 1, 10, a_leaf(f, 0, 100)), true, "step 1(order(leaf 0))");
    assert_best(f, a_step(f, 1, 0.1, a_leaf(f, 0, 100)), true, "order(step 1(leaf 0))");
    assert_best(f, a_step(f, 1, 10, a_step(f, 2, 0.1, a_leaf(f, 0, 100))), true, "step 1(order(step 2(leaf 0)))");
    assert_best(f, a_step(f, 1, 10, a_leaf(f, 0, 100)), false, "step 1(leaf 0)");
}

/* What a step that does nothing is over becomes one group with it, and pairs over either are one. */
static void test_groups_merge(void **state)
{
    fixture *f = *state;
    BEGIN(f, &lower_leaf, &lower_step, &lower_pair, &leave_out_step);
    const fl_node *a = a_leaf(f, 0, 100), *b = a_leaf(f, 1, 10);
    assert_best(f, a_step(f, 0, 1, a_step(f, 0, 1, a)), false, "leaf 0");
    const fl_node *twice = make(f, &pair, (attrs){.price = 1, .factor = 1}, a_step(f, 0, 1, a), b);
    assert_best(f, make(f, &pair, (attrs){.price = 1, .factor = 1}, twice, a_leaf(f, 2, 1)), false,
                "pair(pair(leaf 0, leaf 1), leaf 2)");
}

/* A group that was reached knows what its plans cost; one that it merges with may have a cheaper one. */
static void test_merged_groups_have_the_lower_bound(void **state)
{
    fixture *f = *state;
    BEGIN(f, &lower_leaf, &lower_step);
    const fl_node *nodes[2] = {a_step(f, 1, 1, a_leaf(f, 0, 100)), a_step(f, 2, 1, a_leaf(f, 0, 100))};
    for (int32_t lower = 0; lower < 2; lower++) {
        fl_memo memo;
        int32_t groups[2] = {0};
        fl_memo_init(&memo, f->plan, 0);
        for (int32_t i = 0; i < 2; i++) {
            assert_int_equal(fl_memo_add_plan(&memo, nodes[i], &groups[i], NULL), FL_OK);
            memo.groups[groups[i]].bound = i == lower ? 10 : 1000;
        }
        assert_int_equal(fl_memo_add_equal(&memo, groups[0], nodes[1], FL_MEMO_NONE, NULL), FL_OK);
        assert_int_equal(memo.n_merges, 1);
        assert_true(memo.groups[fl_memo_find(&memo, groups[1])].bound == 10);
        fl_memo_drop(&memo);
    }
}

/* A pattern of two levels meets each expression of the group below. */
static void test_patterns_go_into_groups(void **state)
{
    fixture *f = *state;
    BEGIN(f, &lower_leaf, &lower_step, &two_steps);
    const fl_node *root = a_step(f, 1, 1, a_step(f, 2, 1, a_step(f, 4, 1, a_leaf(f, 0, 100))));
    assert_best(f, root, false, "step 7(leaf 0)");
}

static void test_mutant_comes_to_an_end(void **state)
{
    fixture *f = *state;
    BEGIN(f, &lower_leaf, &lower_step, &mutant);
    assert_int_equal(search(f, a_step(f, 1, 1, a_leaf(f, 0, 100)), false), FL_OK);
    assert_ptr_equal(f->best->op, &step);
}

static void test_no_budget(void **state)
{
    fixture *f = *state;
    BEGIN(f, &lower_leaf_well, &lower_pair, &turn_pair);
    f->ticks_max = 0;
    const fl_node *root = make(f, &pair, (attrs){.price = 1, .factor = 1}, a_leaf(f, 0, 1000), a_leaf(f, 1, 10));
    assert_best(f, root, false, "pair(leaf 0, leaf 1)");
}

/* Any plan of the memo, counted round and round. */
static void test_plan_numbers(void **state)
{
    fixture *f = *state;
    int32_t turned = 0, n = 0;
    BEGIN(f, &lower_leaf_well, &lower_pair, &turn_pair);
    const fl_node *root = make(f, &pair, (attrs){.price = 1, .factor = 1}, a_leaf(f, 0, 1000), a_leaf(f, 1, 10));
    const fl_node *plans[18];
    for (f->plan_number = 1; f->plan_number <= 2 * 3 * 3 * 2; f->plan_number++) {
        assert_int_equal(search(f, root, false), FL_OK);
        if (f->plan_number > 18) {
            assert_ptr_equal(f->best, plans[f->plan_number - 19]);
            continue;
        }
        for (int32_t i = 0; i < n; i++)
            assert_ptr_not_equal(f->best, plans[i]);
        plans[n++] = f->best;
        turned += attrs_of(f->best->inputs[0])->mark == 1;
    }
    assert_int_equal(turned, 9);
}

/* Sorted inputs meet; one that is not is sorted where that is cheaper than to pair them; two are not looked at. */
static void test_sorted_inputs_meet(void **state)
{
    fixture *f = *state;
    assert_int_equal(fl_registry_add_op(f->registry, &order, NULL), FL_OK);
    BEGIN(f, &lower_leaf, &lower_row, &lower_step, &lower_pair, &merge_pair);
    const attrs dear = {.price = 30, .factor = 0.01}, cheap = {.price = 4, .factor = 0.01};
    const fl_node *sorted[2] = {a_row(f, 0, 100), a_row(f, 1, 100)}, *any[2] = {a_leaf(f, 0, 100), a_leaf(f, 1, 100)};
    assert_best(f, make(f, &pair, dear, sorted[0], sorted[1]), false, "meet(row 0, row 1)");
    assert_best(f, make(f, &pair, dear, sorted[0], any[1]), false, "meet(row 0, order(leaf 1))");
    assert_best(f, make(f, &pair, cheap, sorted[0], any[1]), false, "pair(row 0, leaf 1)");
    assert_best(f, make(f, &pair, dear, any[0], any[1]), false, "pair(leaf 0, leaf 1)");
    assert_best(f, make(f, &pair, cheap, a_step(f, 1, 1, sorted[0]), sorted[1]), true, "meet(step 1(row 0), row 1)");
}

/* What is known without a search: the order of a plan as it stands, and whether one below it makes any. */
static void test_orders_that_are_known(void **state)
{
    fixture *f = *state;
    BEGIN(f, &lower_leaf);
    const attrs a = {.price = 1, .factor = 1};
    const fl_node *sorted = a_step(f, 1, 1, a_row(f, 0, 100));
    const fl_node *left = make(f, &meet, a, sorted, a_leaf(f, 1, 10)),
                  *right = make(f, &pair, a, a_leaf(f, 1, 10), sorted);
    const struct {
        const fl_node *node;
        bool has_order, has_maker;
    } cases[] = {{sorted, true, true}, {left, true, true}, {right, false, true}, {a_leaf(f, 1, 10), false, false}};
    for (int64_t round = 0; round < 2; round++) /* the second answers are remembered */
        for (int64_t i = 0; i < FL_LEN(cases); i++) {
            fl_ordering orders[FL_ORDERINGS_MAX];
            int32_t n = 0;
            bool has_maker = false;
            assert_int_equal(fl_orderings_of_node(f->plan, cases[i].node, orders, &n, NULL), FL_OK);
            assert_int_equal(fl_ordering_has_maker(f->plan, cases[i].node, &has_maker, NULL), FL_OK);
            assert_int_equal(n > 0, cases[i].has_order);
            assert_int_equal(has_maker, cases[i].has_maker);
            if (n > 0)
                assert_true(fl_col_is_equal(orders[0].keys[0].cols[0], f->cols[0]));
        }
}

/* Without its enforcer an order that no plan has is an error, which names the operator and what was wanted of it. */
static void test_what_nobody_gives(void **state)
{
    fixture *f = *state;
    BEGIN(f, &lower_leaf, &lower_step);
    assert_int_equal(search(f, a_step(f, 1, 10, a_leaf(f, 0, 100)), true), FL_ERR_PLAN);
    assert_string_equal(f->err.message, "no plan gives rows of the operator step that are vectorized, ordered(c)");
}

static void test_no_implementation(void **state)
{
    fixture *f = *state;
    BEGIN(f, &lower_leaf, &lower_step, &leave_out_step);
    f->off = "lower_step";
    assert_int_equal(search(f, a_step(f, 1, 10, a_leaf(f, 0, 100)), false), FL_ERR_PLAN);
    assert_string_equal(f->err.message,
                        "no rule gives the operator step an implementation in the convention vectorized");
    assert_string_equal(f->err.hint, "rules for it: lower_step (switched off), leave_out_step");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_best_is_known),
        TEST(test_enforcer_is_at_its_height),
        TEST(test_groups_merge),
        TEST(test_merged_groups_have_the_lower_bound),
        TEST(test_patterns_go_into_groups),
        TEST(test_mutant_comes_to_an_end),
        TEST(test_no_budget),
        TEST(test_plan_numbers),
        TEST(test_sorted_inputs_meet),
        TEST(test_orders_that_are_known),
        TEST(test_what_nobody_gives),
        TEST(test_no_implementation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
