/* Nodes of a class with every kind of field and as many inputs as one likes: found again when they are the same, apart when one
 * field differs, without a pointer into their maker's memory, rewritten, visited, printed and hashed. */
#include "plan/plan_hash.h"
#include "plan/explain.h"
#include "plan/ordering.h"
#include "plan/plan_copy.h"
#include "plan/plan_internal.h"
#include "plan/registry.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define INPUTS 5
#define COLS 8

/* ---- two classes: a leaf of one column, and one with all fields over any number of inputs ---- */

typedef struct leaf_attrs {
    fl_col_id col;
} leaf_attrs;

typedef struct all_attrs {
    const fl_expr *expr;
    int32_t n_exprs;
    const fl_expr *const *exprs;
    int32_t n_made;
    const fl_col_id *made;
    fl_col_id one;
    int32_t n_used;
    const fl_col_id *used;
    int32_t n_sort;
    const fl_sort_key *sort;
    int32_t n_order;
    const fl_order_key *order;
    int32_t n_aggs;
    const fl_agg *aggs;
    int64_t i64;
    int32_t i32;
    double f64;
    bool flag;
    int32_t choice;
    fl_table *table;
    fl_str str;
    fl_type type;
    const fl_value *value;
    const fl_node *plan;
} all_attrs;

static const char *const choices[] = {"this", "that"};

static const fl_attr_field leaf_fields[] = {
    {.name = "col", .kind = FL_FIELD_COL, .offset = offsetof(leaf_attrs, col)},
};

#define ONE(field, field_kind) {.name = #field, .kind = field_kind, .offset = offsetof(all_attrs, field)}
#define MANY(field, field_kind)            \
    {.name = #field,                       \
     .kind = field_kind,                   \
     .offset = offsetof(all_attrs, field), \
     .count_offset = offsetof(all_attrs, n_##field)}

static const fl_attr_field all_fields[] = {
    ONE(expr, FL_FIELD_EXPR),
    MANY(exprs, FL_FIELD_EXPRS),
    MANY(made, FL_FIELD_COLS),
    ONE(one, FL_FIELD_COL),
    MANY(used, FL_FIELD_COLS_USED),
    MANY(sort, FL_FIELD_SORT_KEYS),
    MANY(order, FL_FIELD_ORDER_KEYS),
    MANY(aggs, FL_FIELD_AGGS),
    ONE(i64, FL_FIELD_I64),
    ONE(i32, FL_FIELD_I32),
    ONE(f64, FL_FIELD_F64),
    ONE(flag, FL_FIELD_BOOL),
    {.name = "choice", .kind = FL_FIELD_ENUM, .offset = offsetof(all_attrs, choice), .names = choices},
    ONE(table, FL_FIELD_TABLE),
    ONE(str, FL_FIELD_STR),
    ONE(type, FL_FIELD_TYPE),
    ONE(value, FL_FIELD_VALUE),
    ONE(plan, FL_FIELD_PLAN),
};

static int32_t leaf_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan;
    (void)inputs;
    ret[0] = ((const leaf_attrs *)attrs)->col;
    return 1;
}

static int32_t all_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    const all_attrs *all = attrs;
    (void)plan;
    (void)inputs;
    memcpy(ret, all->made, (size_t)all->n_made * sizeof(*ret));
    return all->n_made;
}

static const fl_op_desc leaf_op = {FL_DESC(fl_op_desc),
                                   .name = "leaf",
                                   .attr_bytes = sizeof(leaf_attrs),
                                   .fields = leaf_fields,
                                   .n_fields = FL_LEN(leaf_fields),
                                   .derive_cols = leaf_cols};
static const fl_op_desc all_op = {FL_DESC(fl_op_desc),    .name = "all",
                                  .n_inputs = -1,         .attr_bytes = sizeof(all_attrs),
                                  .fields = all_fields,   .n_fields = FL_LEN(all_fields),
                                  .derive_cols = all_cols};

/* ---- a plan ---- */

typedef struct fixture {
    fl_registry *registry;
    fl_plan *plan;
    fl_col_id cols[COLS]; /* a, b, ... h */
    const fl_expr *exprs[COLS];
    const fl_node *leaves[COLS];
} fixture;

static int begin(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_int_equal(fl_registry_new(&f->registry, NULL), FL_OK);
    assert_int_equal(fl_plan_new(NULL, f->registry, &f->plan, NULL), FL_OK);
    for (int32_t i = 0; i < COLS; i++) {
        char name = (char)('a' + i);
        fl_col_info info = {.name = {&name, 1}, .type = FL_TYPE(FL_I64)};
        assert_int_equal(fl_plan_add_col(f->plan, &info, &f->cols[i], NULL), FL_OK);
        assert_int_equal(fl_expr_column(f->plan, f->cols[i], -1, &f->exprs[i], NULL), FL_OK);
        leaf_attrs attrs = {.col = f->cols[i]};
        assert_int_equal(fl_node_make(f->plan, &leaf_op, &attrs, NULL, NULL, 0, NULL, 0, &f->leaves[i], NULL), FL_OK);
    }
    *state = f;
    return 0;
}

static int end(void **state)
{
    fixture *f = *state;
    fl_plan_unref(f->plan);
    fl_registry_unref(f->registry);
    free(f);
    return 0;
}

/* Attributes and all that they point to, in one piece that can be thrown away. */
typedef struct maker {
    all_attrs attrs;
    const fl_expr *exprs[2];
    fl_col_id made[2], used[2], equal[2];
    fl_sort_key sort[2], within[1];
    fl_order_key order[2];
    fl_agg aggs[2];
    char str[8], text[8];
    fl_field field;
    fl_value value;
} maker;

static const fl_agg_desc agg_desc = {FL_DESC(fl_agg_desc), .name = "tally"};
static fl_table table = {.name = {"t", 1}, .format = "test", .refs = 1};

static maker *new_maker(const fixture *f)
{
    maker *m = calloc(1, sizeof(*m));
    *m = (maker){.exprs = {f->exprs[0], f->exprs[1]},
                 .made = {f->cols[6], f->cols[7]},
                 .used = {f->cols[2], f->cols[3]},
                 .equal = {f->cols[0], f->cols[2]},
                 .sort = {{.expr = f->exprs[1], .is_descending = true}, {.expr = f->exprs[2], .nulls_first = true}},
                 .within = {{.expr = f->exprs[3]}},
                 .str = "string",
                 .text = "it's",
                 .field = {.name = {"item", 4}, .type = FL_TYPE(FL_I32), .nullable = true}};
    m->order[0] = (fl_order_key){.cols = m->equal, .n_cols = 2, .is_descending = true, .nulls_first = true};
    m->order[1] = (fl_order_key){.cols = m->used, .n_cols = 1};
    m->aggs[0] = (fl_agg){.agg = &agg_desc,
                          .n_args = 1,
                          .args = {f->exprs[4]},
                          .n_order = 1,
                          .order = m->within,
                          .type = FL_TYPE(FL_I64),
                          .out = f->cols[6]};
    m->aggs[1] = (fl_agg){.agg = &agg_desc, .filter = f->exprs[0], .type = FL_TYPE(FL_I64), .out = f->cols[7]};
    m->value = (fl_value){.type = FL_TYPE(FL_UTF8), .s = {m->text, 4}};
    m->attrs = (all_attrs){.expr = f->exprs[0],
                           .n_exprs = 2,
                           .exprs = m->exprs,
                           .n_made = 2,
                           .made = m->made,
                           .one = f->cols[5],
                           .n_used = 2,
                           .used = m->used,
                           .n_sort = 2,
                           .sort = m->sort,
                           .n_order = 2,
                           .order = m->order,
                           .n_aggs = 2,
                           .aggs = m->aggs,
                           .i64 = 64,
                           .i32 = 32,
                           .f64 = 0.5,
                           .flag = true,
                           .choice = 1,
                           .table = &table,
                           .str = {m->str, 6},
                           .type = {.id = FL_LIST, .n_fields = 1, .fields = &m->field},
                           .value = &m->value,
                           .plan = f->leaves[5]};
    return m;
}

static const fl_node *make(fixture *f, const maker *m, int32_t n_inputs)
{
    const fl_node *node = NULL;
    assert_int_equal(fl_node_make(f->plan, &all_op, &m->attrs, NULL, f->leaves, n_inputs, NULL, 0, &node, NULL), FL_OK);
    return node;
}

static void throw_away(maker *m)
{
    memset(m, 0xEE, sizeof(*m));
    free(m);
}

/* ---- fields ---- */

static uint64_t hash_of(fixture *f, const fl_node *node)
{
    fl_query query = {.plan = f->plan, .root = node};
    uint64_t hash = 0;
    fl_err err = {0};
    assert_int_equal(fl_plan_hash(&query, true, &hash, &err), FL_OK);
    return hash;
}

static void assert_printed(fixture *f, const fl_node *node, const char *wanted)
{
    fl_text text;
    fl_query query = {.plan = f->plan, .root = node};
    fl_explain explain = {.query = &query};
    fl_text_init(&text, NULL);
    fl_explain_text(&text, &explain);
    assert_string_equal(text.data, wanted);
    fl_text_drop(&text);
}

#define PRINTED                                                                                                    \
    "all [logical] expr: a, exprs: a, b, made: g, h, one: f, used: c, d, sort: b DESC NULLS LAST, c NULLS FIRST, " \
    "order: a=c DESC, c, aggs: tally(e ORDER BY d), tally(*) FILTER a, i64: 64, i32: 32, f64: 0.5, flag: yes, "    \
    "choice: that, table: t, str: string, type: integer[], value: 'it''s', plan: leaf  ~1 rows\n"

static void test_copied(void **state)
{
    fixture *f = *state;
    maker *m = new_maker(f);
    const fl_node *node = make(f, m, 0);
    throw_away(m);
    assert_printed(f, node, PRINTED);
    m = new_maker(f);
    assert_ptr_equal(make(f, m, 0), node);
    throw_away(m);
    assert_int_equal(fl_plan_nodes(f->plan), COLS + 1);
    for (int32_t i = 0; i < COLS; i++) /* a leaf's own column and those that it makes are no outer references */
        assert_int_equal(fl_col_set_has(&node->outer, f->cols[i]), i < 5);
}

/* Each change makes another node, with another hash within the plan. */
static void test_each_field_counts(void **state)
{
    fixture *f = *state;
    const fl_node *nodes[64] = {0};
    int32_t n = 0;
#define WITH(change)                                   \
    do {                                               \
        maker *m = new_maker(f);                       \
        change;                                        \
        nodes[n++] = make(f, m, 0);                    \
        assert_ptr_equal(make(f, m, 0), nodes[n - 1]); \
        throw_away(m);                                 \
    } while (0)
    WITH((void)0);
    WITH(m->attrs.expr = NULL);
    WITH(m->exprs[1] = f->exprs[2]);
    WITH(m->attrs.n_exprs = 1);
    WITH(m->made[0] = f->cols[5]);
    WITH(m->attrs.one = f->cols[0]);
    WITH(m->used[1] = f->cols[0]);
    WITH(m->sort[0].is_descending = false);
    WITH(m->sort[1].expr = f->exprs[0]);
    WITH(m->equal[1] = f->cols[3]);
    WITH(m->order[0].n_cols = 1);
    WITH(m->order[1].nulls_first = true);
    WITH(m->aggs[1].out = f->cols[5]);
    WITH(m->attrs.i64 = 65);
    WITH(m->attrs.i32 = 33);
    WITH(m->attrs.f64 = 0);
    WITH(m->attrs.f64 = -0.0);
    WITH(m->attrs.f64 = NAN);
    WITH(m->attrs.flag = false);
    WITH(m->attrs.choice = 0);
    WITH(m->str[0] = 'S');
    WITH(m->field.type = FL_TYPE(FL_I64));
    WITH(m->text[0] = 'I');
    WITH(m->attrs.value = NULL);
    WITH(m->attrs.plan = f->leaves[4]);
    WITH(m->attrs.plan = NULL);
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < i; j++) {
            assert_ptr_not_equal(nodes[i], nodes[j]);
            assert_true(fl_node_hash(nodes[i]) != fl_node_hash(nodes[j]));
        }
    WITH(m->within[0].expr = f->exprs[0]); /* an aggregate has its column's hash */
    assert_ptr_not_equal(nodes[n - 1], nodes[0]);
#undef WITH
}

static void test_nan_is_nan(void **state)
{
    fixture *f = *state;
    maker *m = new_maker(f);
    uint64_t bits = 0;
    m->attrs.f64 = NAN;
    const fl_node *node = make(f, m, 0);
    memcpy(&bits, &m->attrs.f64, 8);
    bits ^= 1ull << 63 | 1;
    memcpy(&m->attrs.f64, &bits, 8);
    assert_true(isnan(m->attrs.f64));
    assert_ptr_equal(make(f, m, 0), node);
    throw_away(m);
}

/* A plan that is an attribute runs below the node: its outer references and what it holds are the node's. */
static void test_plan_as_attribute(void **state)
{
    fixture *f = *state;
    maker *m = new_maker(f);
    m->attrs.plan = make(f, m, 0);
    m->attrs.n_exprs = m->attrs.n_used = m->attrs.n_sort = m->attrs.n_order = m->attrs.n_aggs = 0;
    m->attrs.expr = NULL;
    const fl_node *node = make(f, m, 0);
    assert_true(fl_col_set_has(&node->outer, f->cols[4]));
    uint64_t hash = hash_of(f, node);
    m->attrs.plan = f->leaves[0];
    assert_true(hash != hash_of(f, make(f, m, 0)));
    throw_away(m);
}

/* ---- five inputs ---- */

static fl_status next_column(void *ctx, fl_plan *plan, const fl_expr *expr, const fl_expr **ret, fl_err *err)
{
    const fixture *f = ctx;
    (void)plan;
    (void)err;
    *ret = expr->kind == FL_EXPR_COLUMN && expr->col.n == f->cols[0].n ? f->exprs[4] : expr;
    return FL_OK;
}

static fl_status count_node(void *ctx, const fl_node *node, fl_err *err)
{
    (void)err;
    int32_t *count = ctx;
    assert_true(node->op == &leaf_op || *count == INPUTS); /* inputs first */
    ++*count;
    return FL_OK;
}

/* Puts the leaf of h in the place of that of d. */
static fl_status replace_leaf(void *ctx, fl_plan *plan, const fl_node *node, const fl_node **ret, fl_err *err)
{
    const fixture *f = ctx;
    (void)plan;
    (void)err;
    *ret = node == f->leaves[3] ? f->leaves[7] : node;
    return FL_OK;
}

static void test_five_inputs(void **state)
{
    fixture *f = *state;
    maker *m = new_maker(f);
    const fl_node *node = make(f, m, INPUTS), *other = NULL;
    assert_int_equal(node->n_inputs, INPUTS);
    assert_int_equal(node->height, 2);
    assert_ptr_equal(make(f, m, INPUTS), node);
    assert_ptr_not_equal(make(f, m, INPUTS - 1), node);
    assert_true(fl_col_set_is_empty(&node->outer)); /* a to e come from below */
    assert_false(fl_col_set_is_empty(&make(f, m, INPUTS - 1)->outer));

    int32_t count = 0;
    assert_int_equal(fl_node_visit(node, count_node, &count, NULL), FL_OK);
    assert_int_equal(count, INPUTS + 1);

    assert_int_equal(fl_node_rewrite(f->plan, node, replace_leaf, f, &other, NULL), FL_OK);
    for (int32_t i = 0; i < INPUTS; i++)
        assert_ptr_equal(other->inputs[i], f->leaves[i == 3 ? 7 : i]);
    assert_true(hash_of(f, node) == hash_of(f, make(f, m, INPUTS)));
    assert_true(fl_node_hash(node) != fl_node_hash(other));
    assert_ptr_equal(other->attrs, node->attrs); /* no second copy */
    fl_settled settled = {0};
    assert_int_equal(fl_node_settle(f->plan, node, replace_leaf, f, &settled, &node, NULL), FL_OK);
    fl_free(settled.results);
    assert_ptr_equal(node, other);

    throw_away(m);
    assert_printed(f, node,
                   PRINTED "  leaf [logical] col: a  ~1 rows\n"
                           "  leaf [logical] col: b  ~1 rows\n"
                           "  leaf [logical] col: c  ~1 rows\n"
                           "  leaf [logical] col: h  ~1 rows\n"
                           "  leaf [logical] col: e  ~1 rows\n");
}

static void test_rewritten_expressions(void **state)
{
    fixture *f = *state;
    maker *m = new_maker(f);
    const fl_node *node = make(f, m, INPUTS), *other = NULL;
    assert_int_equal(fl_node_rewrite_exprs(f->plan, node, next_column, f, &other, NULL), FL_OK);
    assert_ptr_not_equal(other, node);
    m->attrs.expr = m->exprs[0] = m->aggs[1].filter = f->exprs[4];
    assert_ptr_equal(make(f, m, INPUTS), other);
    throw_away(m);
}

/* Gives `a IS NULL` for column a: bottom-up and top-down alike, since what was given is not gone into. */
static fl_status is_null_of_column(void *ctx, fl_plan *plan, const fl_expr *expr, const fl_expr **ret, fl_err *err)
{
    const fixture *f = ctx;
    *ret = expr;
    return expr == f->exprs[0] ? fl_expr_is_null(plan, expr, -1, ret, err) : FL_OK;
}

/* Gives a column for what has another in it. */
static fl_status column_of_test(void *ctx, fl_plan *plan, const fl_expr *expr, const fl_expr **ret, fl_err *err)
{
    const fixture *f = ctx;
    (void)plan, (void)err;
    *ret = expr;
    if (expr == f->exprs[0])
        *ret = f->exprs[3];
    else if (expr->n_args == 1 && expr->args[0] == f->exprs[0])
        *ret = f->exprs[4];
    return FL_OK;
}

static void test_replaced_expressions(void **state)
{
    fixture *f = *state;
    maker *m = new_maker(f);
    const fl_node *node = make(f, m, INPUTS), *tests = NULL, *other = NULL;
    assert_int_equal(fl_node_rewrite_exprs(f->plan, node, is_null_of_column, f, &tests, NULL), FL_OK);
    assert_int_equal(fl_node_replace_exprs(f->plan, node, is_null_of_column, f, &other, NULL), FL_OK);
    assert_ptr_equal(other, tests);

    assert_int_equal(fl_node_replace_exprs(f->plan, tests, column_of_test, f, &other, NULL), FL_OK);
    m->attrs.expr = m->exprs[0] = m->aggs[1].filter = f->exprs[4];
    assert_ptr_equal(make(f, m, INPUTS), other);
    throw_away(m);
}

static void test_plan_of_shared_parts(void **state)
{
    fixture *f = *state;
    maker *m = new_maker(f);
    const fl_node *inputs[2];
    for (int32_t i = 0; i < 20; i++) { /* as a tree of 3^20 nodes */
        inputs[0] = inputs[1] = m->attrs.plan;
        assert_int_equal(fl_node_make(f->plan, &all_op, &m->attrs, NULL, inputs, 2, NULL, 0, &m->attrs.plan, NULL),
                         FL_OK);
    }
    fl_text text;
    fl_text_init(&text, NULL);
    assert_true(fl_field_print(&text, f->plan, &all_fields[FL_LEN(all_fields) - 1], &m->attrs));
    assert_non_null(strstr(text.data, "…"));
    assert_true(text.len < 200);
    assert_int_equal(m->attrs.plan->height, 21);
    assert_true(hash_of(f, m->attrs.plan) != hash_of(f, inputs[0]));
    fl_text_drop(&text);
    throw_away(m);
}

/* ---- copied into a plan of their own ---- */

/* Copies the plan below the root and throws away the one that it was made in, whose place the copy's takes. */
static void freeze(fixture *f, const fl_node *root, fl_query *ret)
{
    static const fl_str names[] = {{"g", 1}, {"other", 5}};
    const fl_col_id outputs[] = {f->cols[6], f->cols[7]};
    fl_type types[] = {FL_TYPE(FL_I64)};
    const fl_query query = {.plan = f->plan,
                            .root = root,
                            .n_outputs = 2,
                            .outputs = outputs,
                            .names = names,
                            .n_params = 1,
                            .param_types = types};
    uint64_t hash = 0, hash_of_copy = 0;
    bool is_equal = false;
    assert_int_equal(fl_query_copy(&query, NULL, ret, NULL), FL_OK);
    assert_int_equal(fl_plan_is_equal(&query, ret, true, &is_equal, NULL), FL_OK);
    assert_int_equal(fl_plan_hash(&query, true, &hash, NULL), FL_OK);
    assert_int_equal(fl_plan_hash(ret, true, &hash_of_copy, NULL), FL_OK);
    assert_true(is_equal && hash == hash_of_copy);
    fl_plan_unref(f->plan);
    f->plan = ret->plan;
}

static void test_every_field_is_copied_out(void **state)
{
    fixture *f = *state;
    maker *m = new_maker(f);
    fl_query copy, again;
    int32_t order = 0, place = 0;
    const fl_trait_set *traits = fl_trait_none(f->plan);
    assert_int_equal(fl_ordering_make(f->plan, m->order, 2, &order, NULL), FL_OK);
    assert_int_equal(fl_placement_make(f->plan, FL_STR("there"), &place, NULL), FL_OK);
    assert_int_equal(fl_trait_with(f->plan, traits, &fl_trait_placement, place, &traits, NULL), FL_OK);
    assert_int_equal(fl_trait_with(f->plan, traits, &fl_trait_ordering, order, &traits, NULL), FL_OK);
    const fl_node *node = make(f, m, INPUTS);
    assert_int_equal(fl_node_with_traits(f->plan, node, traits, &node, NULL), FL_OK);
    throw_away(m);
    fl_text before, after;
    fl_explain explain = {.query = &(fl_query){.plan = f->plan, .root = node}};
    fl_text_init(&before, NULL);
    fl_explain_text(&before, &explain);
    for (int32_t i = 0; i < 2; i++) { /* then a copy of the copy */
        freeze(f, i == 0 ? node : copy.root, i == 0 ? &copy : &again);
        const fl_query *now = i == 0 ? &copy : &again;
        for (int32_t c = 0; c < COLS && i == 0; c++)
            f->cols[c] = c < 6 ? (fl_col_id){0} : now->outputs[c - 6];
        fl_text_init(&after, NULL);
        explain.query = now;
        fl_explain_text(&after, &explain);
        assert_string_equal(before.data, after.data);
        fl_text_drop(&after);
        assert_int_equal(now->root->id, fl_plan_nodes(now->plan));
        assert_int_equal(fl_plan_nodes(now->plan), INPUTS + 2); /* with the plan that is an attribute */
        assert_int_equal(table.refs, 2);
        assert_true(fl_str_is_equal(now->names[1], FL_STR("other")));
        assert_int_equal(now->param_types[0].id, FL_I64);
    }
    fl_text_drop(&before);
}

/* What is met many times is copied once. */
static void test_shared_parts_are_copied_once(void **state)
{
    fixture *f = *state;
    const fl_expr *args[2] = {f->exprs[0], f->exprs[0]}, *sum = NULL;
    fl_query copy;
    leaf_attrs leaf = {f->cols[0]};
    const fl_node *node = NULL;
    for (int32_t i = 0; i < 30; i++) { /* as a tree of 2^30 parts */
        assert_int_equal(fl_expr_struct(f->plan, NULL, args, 2, -1, &sum, NULL), FL_OK);
        assert_int_equal(fl_expr_is_null(f->plan, sum, -1, &sum, NULL), FL_OK);
        args[0] = args[1] = sum;
    }
    maker *m = new_maker(f);
    m->attrs.expr = sum;
    assert_int_equal(fl_node_make(f->plan, &leaf_op, &leaf, NULL, NULL, 0, NULL, 0, &node, NULL), FL_OK);
    node = make(f, m, 1);
    throw_away(m);
    freeze(f, node, &copy);
    const fl_expr *at = ((const all_attrs *)copy.root->attrs)->expr;
    for (; at->n_args > 0; at = at->args[0])
        assert_true(at->n_args == 1 || at->args[0] == at->args[1]);
    fl_col_set cols;
    fl_arena arena;
    fl_arena_init(&arena, NULL);
    fl_col_set_init(&cols);
    assert_int_equal(fl_expr_add_cols(&arena, ((const all_attrs *)copy.root->attrs)->expr, &cols, NULL), FL_OK);
    assert_int_equal(fl_col_set_count(&cols), 1);
    assert_true(fl_col_set_has(&cols, at->col));
    fl_arena_drop(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_copied, begin, end),
        cmocka_unit_test_setup_teardown(test_each_field_counts, begin, end),
        cmocka_unit_test_setup_teardown(test_nan_is_nan, begin, end),
        cmocka_unit_test_setup_teardown(test_plan_as_attribute, begin, end),
        cmocka_unit_test_setup_teardown(test_five_inputs, begin, end),
        cmocka_unit_test_setup_teardown(test_rewritten_expressions, begin, end),
        cmocka_unit_test_setup_teardown(test_replaced_expressions, begin, end),
        cmocka_unit_test_setup_teardown(test_plan_of_shared_parts, begin, end),
        cmocka_unit_test_setup_teardown(test_every_field_is_copied_out, begin, end),
        cmocka_unit_test_setup_teardown(test_shared_parts_are_copied_once, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
