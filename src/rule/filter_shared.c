/* filter_shared: rows that are kept for several readers are first tested for what any of the readers asks of them.
 *
 * Where a filter stands over each reader, a row for which none of the filters is true is read in vain: the OR of them goes below, from
 * where it is pushed on; and of each column that all of them test the OR of these tests, which may go where the whole cannot: below
 * the aggregate that makes another column. The filters stay. Readers of what was written MATERIALIZED get the rows as they were written. Filters may
 * become sharper while other rules work; then what is asked below does, too. */
#include "op/filter/node.h"
#include "op/materialize/node.h"
#include "plan/estimate.h"
#include "plan/expr_walk.h"
#include "plan/rule.h"

#define BRANCHES_MAX 16
#define PARTS_MAX 256 /* of a branch */
#define KEPT_MAX 0.9  /* of the rows: a test that drops fewer is not worth its time */

/* What reads the same rows. */
typedef struct shared {
    bool is_open; /* somebody may want all rows */
    int32_t n;
    const fl_expr *branches[BRANCHES_MAX]; /* what readers ask, of the columns that are kept */
    const fl_expr *test;                   /* what goes below; NULL: nothing */
} shared;

typedef struct looking {
    fl_rule_call *call;
    shared **by_key; /* by the key of readers; NULL: none was met */
    bool is_any;
} looking;

static bool is_reader(const fl_node *node)
{
    return node->op == &fl_op_materialize && !fl_materialize_of(node)->is_always &&
           !(node->inputs[0]->holds & FL_HOLDS_VOLATILE);
}

static fl_status find(looking *l, const fl_node *reader, shared **ret, fl_err *err)
{
    int32_t key = fl_materialize_key(reader);
    fl_status st = l->by_key[key] != NULL ? FL_OK : FL_NEW(l->call->scratch, &l->by_key[key], err);
    *ret = l->by_key[key];
    return st;
}

/* What the filter asks of the kept rows; *ret NULL: nothing that could be asked earlier. */
static fl_status asked(const looking *l, const fl_node *filter, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan *plan = l->call->plan;
    const fl_materialize_attrs *m = fl_materialize_of(filter->inputs[0]);
    const fl_filter_attrs *attrs = fl_filter_of(filter);
    const fl_expr **from = NULL, **tests = NULL;
    int32_t n = 0;
    fl_substitution s = {0};
    *ret = NULL;
    FL_TRY(FL_NEW_ARRAY(l->call->scratch, m->n_cols, &from, err));
    FL_TRY(FL_NEW_ARRAY(l->call->scratch, attrs->n_conjuncts, &tests, err));
    for (int32_t i = 0; i < m->n_cols; i++)
        FL_TRY(fl_expr_column(plan, m->from[i], -1, &from[i], err));
    FL_TRY(fl_substitution_init(&s, plan, m->cols, from, m->n_cols, err));
    for (int32_t i = 0; i < attrs->n_conjuncts; i++) {
        const fl_expr *e = attrs->conjuncts[i];
        fl_col_set used;
        fl_col_set_init(&used);
        FL_TRY(fl_expr_add_cols(l->call->scratch, e, &used, err));
        if (fl_expr_is_movable(e) && e->size <= PARTS_MAX && fl_col_set_has_all(&filter->inputs[0]->made, &used))
            FL_TRY(fl_substitute(&s, e, &tests[n++], err));
    }
    if (n > 0)
        FL_TRY(fl_expr_and(plan, tests, n, -1, ret, err));
    if (*ret != NULL && (*ret)->size > PARTS_MAX)
        *ret = NULL;
cleanup:
    fl_substitution_drop(&s);
    return st;
}

static fl_status note_reader(looking *l, const fl_node *reader, const fl_node *above, fl_err *err)
{
    fl_status st = FL_OK;
    shared *own = NULL;
    const fl_expr *branch = NULL;
    bool is_known = false;
    FL_TRY(find(l, reader, &own, err));
    if (above != NULL && above->op == &fl_op_filter)
        FL_TRY(asked(l, above, &branch, err));
    for (int32_t i = 0; i < own->n && branch != NULL; i++)
        is_known |= own->branches[i] == branch;
    own->is_open |= branch == NULL || (!is_known && own->n == BRANCHES_MAX);
    if (!own->is_open && !is_known)
        own->branches[own->n++] = branch;
cleanup:
    return st;
}

static fl_status note_inputs(void *ctx, const fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < node->n_inputs; i++)
        if (is_reader(node->inputs[i]))
            FL_TRY(note_reader(ctx, node->inputs[i], node, err));
cleanup:
    return st;
}

/* The tests of the column alone that are a part of a branch; *ret NULL: there are none. */
static fl_status tests_of_column(const looking *l, const fl_expr *branch, fl_col_id col, const fl_expr **ret,
                                 fl_err *err)
{
    fl_status st = FL_OK;
    bool is_and = branch->kind == FL_EXPR_AND;
    const fl_expr **tests = NULL;
    int32_t n = 0, n_parts = is_and ? branch->n_args : 1;
    *ret = NULL;
    FL_TRY(FL_NEW_ARRAY(l->call->scratch, n_parts, &tests, err));
    for (int32_t i = 0; i < n_parts; i++) {
        const fl_expr *part = is_and ? branch->args[i] : branch;
        fl_col_set used;
        fl_col_set_init(&used);
        FL_TRY(fl_expr_add_cols(l->call->scratch, part, &used, err));
        if (fl_col_set_has(&used, col) && fl_col_set_count(&used) == 1)
            tests[n++] = part;
    }
    if (n > 0)
        st = fl_expr_and(l->call->plan, tests, n, -1, ret, err);
cleanup:
    return st;
}

/* What all branches say of the column; *ret NULL: one of them says nothing. */
static fl_status of_column(const looking *l, const shared *own, fl_col_id col, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *tests[BRANCHES_MAX];
    *ret = NULL;
    for (int32_t i = 0; i < own->n; i++) {
        FL_TRY(tests_of_column(l, own->branches[i], col, &tests[i], err));
        if (tests[i] == NULL)
            return FL_OK;
    }
    st = fl_expr_or(l->call->plan, tests, own->n, -1, ret, err);
cleanup:
    return st;
}

/* Finds what goes below the readers, once for each OR. */
static fl_status make_test(looking *l, shared *own, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_new = false;
    const fl_expr *whole = NULL, **tests = NULL;
    fl_col_set used;
    int32_t n = 0;
    if (own->is_open || own->n == 0)
        return FL_OK;
    fl_col_set_init(&used);
    FL_TRY(fl_expr_or(l->call->plan, own->branches, own->n, -1, &whole, err));
    FL_TRY(fl_expr_add_cols(l->call->scratch, whole, &used, err));
    FL_TRY(FL_NEW_ARRAY(l->call->scratch, fl_col_set_count(&used) + 1, &tests, err));
    bool has_parts = own->n > 1 && fl_col_set_count(&used) > 1; /* else the whole says all of it */
    while (has_parts && !fl_col_set_is_empty(&used)) {
        fl_col_id col = fl_col_set_first(&used);
        FL_TRY(of_column(l, own, col, &tests[n], err));
        n += tests[n] != NULL;
        fl_col_set_remove(&used, col);
    }
    tests[n++] = whole;
    if (fl_estimate_conjuncts(l->call->plan, &whole, 1) <= KEPT_MAX)
        FL_TRY(fl_plan_derive_once(l->call->plan, whole, &is_new, err));
    if (is_new)
        FL_TRY(fl_expr_and(l->call->plan, tests, n, -1, &own->test, err));
    l->is_any |= is_new;
cleanup:
    return st;
}

static fl_status put_test(void *ctx, fl_plan *plan, const fl_node *node, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    looking *l = ctx;
    const fl_node *input = NULL;
    const shared *own = is_reader(node) ? l->by_key[fl_materialize_key(node)] : NULL;
    *ret = node;
    if (own == NULL || own->test == NULL)
        return FL_OK;
    FL_TRY(fl_filter_build(plan, node->inputs[0], own->test, &input, err));
    st = fl_node_with_inputs(plan, node, &input, ret, err);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    looking l = {.call = call};
    const fl_node *out = NULL;
    int32_t n_keys = fl_plan_cols(call->plan) + 1;
    FL_TRY(FL_NEW_ARRAY(call->scratch, n_keys, &l.by_key, err));
    if (is_reader(call->root))
        FL_TRY(note_reader(&l, call->root, NULL, err));
    FL_TRY(fl_node_visit(call->root, note_inputs, &l, err));
    for (int32_t key = 0; key < n_keys; key++)
        if (l.by_key[key] != NULL)
            FL_TRY(make_test(&l, l.by_key[key], err));
    if (!l.is_any)
        return FL_OK;
    FL_TRY(fl_node_rewrite(call->plan, call->root, put_test, &l, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_filter_shared = {FL_DESC(fl_rule_desc),
                                            .name = "filter_shared",
                                            .phase = "normalize",
                                            .pattern = "root",
                                            .scope = FL_SCOPE_GLOBAL,
                                            .promise = 40,
                                            .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
                                            .on_match = on_match,
                                            .doc = "shared rows are filtered by what any reader asks of them"};
