/* unnest_apply: every dependent join becomes a join (Neumann & Kemper 2015, "Unnesting Arbitrary Queries").
 *
 * Two ways. Pulling up: where the right side uses outer columns in filters only, the conjuncts move into the join's
 * condition; through an aggregate they go as equalities, whose inner side becomes a group key. Otherwise pushing down: the
 * domain, the distinct values of the outer columns, is joined into the right side where they are used, carried up as
 * columns, and equated with the left side's (nulls equal) at the end.
 *
 * The domain is taken from what the left side had before joins added columns that nothing outside reads, so that many
 * subqueries beside each other do not hold each other. Where one is made of another, the left side is materialized: its
 * plan would double with each of them. */
#include "op/aggregate/node.h"
#include "op/apply/node.h"
#include "op/filter/node.h"
#include "op/limit/node.h"
#include "op/materialize/node.h"
#include "op/project/node.h"
#include "op/set_op/node.h"
#include "op/sort/node.h"
#include "op/topk/node.h"
#include "op/unnest/node.h"
#include "op/values/node.h"
#include "plan/rule.h"

#define STRICT_PARTS_MAX 1000 /* of an expression that is looked into: shared parts are met as often as they occur */
#define SHARED_NODES 64       /* a left side of more is computed once, and not again for its domain */

typedef struct unnesting {
    fl_plan *plan;
    const fl_col_set *outer; /* columns of the left side */
    const fl_expr **pulled;  /* conjuncts on their way up */
    int32_t n_pulled;
    int64_t pulled_capacity;
    bool below_aggregate_ok; /* the join makes nulls for missing groups: scalar aggregates may be pulled through */
    fl_col_id *cols;         /* pushing: outer columns used */
    int32_t n_cols;
} unnesting;

static bool uses_outer(const unnesting *u, const fl_node *node)
{
    return fl_col_set_meets(&node->outer, u->outer);
}

static fl_status expr_uses_outer(unnesting *u, const fl_expr *e, bool *ret, fl_err *err)
{
    fl_col_set used;
    fl_col_set_init(&used);
    fl_status st = fl_expr_add_cols(fl_plan_arena(u->plan), e, &used, err);
    *ret = st == FL_OK && fl_col_set_meets(&used, u->outer);
    return st;
}

/* ---- pulling up --------------------------------------------------------------------------------------------------- */

static fl_status note_pulled(unnesting *u, const fl_expr *e, fl_err *err)
{
    if (u->n_pulled == u->pulled_capacity) {
        const fl_expr **grown = NULL;
        int64_t capacity = u->pulled_capacity == 0 ? 16 : u->pulled_capacity * 2;
        fl_status st = FL_NEW_ARRAY(fl_plan_arena(u->plan), capacity, &grown, err);
        if (st != FL_OK)
            return st;
        if (u->n_pulled > 0)
            memcpy(grown, u->pulled, (size_t)u->n_pulled * sizeof(*grown));
        u->pulled = grown;
        u->pulled_capacity = capacity;
    }
    u->pulled[u->n_pulled++] = e;
    return FL_OK;
}

/* Inner columns that the pulled conjuncts from number `from` on read. */
static fl_status pulled_cols(unnesting *u, int32_t from, const fl_node *input, fl_col_id **ret, int32_t *ret_n,
                             fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set used;
    fl_col_set_init(&used);
    for (int32_t i = from; i < u->n_pulled; i++)
        FL_TRY(fl_expr_add_cols(fl_plan_arena(u->plan), u->pulled[i], &used, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), input->n_cols + 1, ret, err));
    *ret_n = 0;
    for (int32_t i = 0; i < input->n_cols; i++)
        if (fl_col_set_has(&used, input->cols[i]))
            (*ret)[(*ret_n)++] = input->cols[i];
cleanup:
    return st;
}

static fl_status pull(unnesting *u, const fl_node *node, const fl_node **ret, bool *ret_ok, fl_err *err);

static fl_status pull_filter(unnesting *u, const fl_node *node, const fl_node **ret, bool *ret_ok, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_filter_attrs *filter = fl_filter_of(node);
    const fl_node *input = NULL;
    const fl_expr **kept = NULL;
    int32_t n_kept = 0;
    FL_TRY(pull(u, node->inputs[0], &input, ret_ok, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), filter->n_conjuncts, &kept, err));
    for (int32_t i = 0; i < filter->n_conjuncts && *ret_ok; i++) {
        bool outer = false;
        FL_TRY(expr_uses_outer(u, filter->conjuncts[i], &outer, err));
        if (outer)
            FL_TRY(note_pulled(u, filter->conjuncts[i], err));
        else
            kept[n_kept++] = filter->conjuncts[i];
    }
    if (*ret_ok)
        st = fl_filter_build_all(u->plan, input, kept, n_kept, ret, err);
cleanup:
    return st;
}

static fl_status pull_project(unnesting *u, const fl_node *node, const fl_node **ret, bool *ret_ok, fl_err *err)
{
    fl_status st = FL_OK;
    fl_project_attrs attrs = *fl_project_of(node);
    const fl_node *input = NULL;
    fl_col_id *more = NULL, *passed = NULL;
    int32_t n_more = 0, from = u->n_pulled;
    for (int32_t i = 0; i < attrs.n_exprs; i++) {
        bool outer = false;
        FL_TRY(expr_uses_outer(u, attrs.exprs[i], &outer, err));
        *ret_ok &= !outer;
    }
    for (int32_t i = 0; i < attrs.n_passed; i++)
        *ret_ok &= !fl_col_set_has(u->outer, attrs.passed[i]);
    if (!*ret_ok)
        return FL_OK;
    FL_TRY(pull(u, node->inputs[0], &input, ret_ok, err));
    if (!*ret_ok)
        return FL_OK;
    FL_TRY(pulled_cols(u, from, input, &more, &n_more, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), attrs.n_passed + n_more + 1, &passed, err));
    int32_t n = 0;
    for (int32_t i = 0; i < attrs.n_passed; i++)
        passed[n++] = attrs.passed[i];
    for (int32_t i = 0; i < n_more; i++) {
        bool known = false;
        for (int32_t j = 0; j < attrs.n_passed; j++)
            known |= attrs.passed[j].n == more[i].n;
        if (!known)
            passed[n++] = more[i];
    }
    attrs.passed = passed;
    attrs.n_passed = n;
    st = fl_node_make(u->plan, &fl_op_project, &attrs, node->traits, &input, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

/* An equality with outer columns on one side only, inner ones on the other. */
static fl_status split_equality(unnesting *u, const fl_expr *e, const fl_node *input, const fl_expr **ret_outer,
                                const fl_expr **ret_inner, fl_err *err)
{
    fl_status st = FL_OK;
    *ret_inner = NULL;
    if (e->kind != FL_EXPR_CALL || e->n_args != 2 || strcmp(e->func->name, "=") != 0)
        return FL_OK;
    for (int32_t side = 0; side < 2; side++) {
        fl_col_set a, b;
        fl_col_set_init(&a);
        fl_col_set_init(&b);
        FL_TRY(fl_expr_add_cols(fl_plan_arena(u->plan), e->args[side], &a, err));
        FL_TRY(fl_expr_add_cols(fl_plan_arena(u->plan), e->args[1 - side], &b, err));
        if (!fl_col_set_meets(&a, &input->made) && !fl_col_set_meets(&b, u->outer) &&
            fl_col_set_has_all(&input->made, &b)) {
            *ret_outer = e->args[side];
            *ret_inner = e->args[1 - side];
            return FL_OK;
        }
    }
cleanup:
    return st;
}

static fl_status pull_aggregate(unnesting *u, const fl_node *node, const fl_node **ret, bool *ret_ok, fl_err *err)
{
    fl_status st = FL_OK;
    fl_aggregate_attrs attrs = *fl_aggregate_of(node);
    const fl_node *input = NULL;
    const fl_expr **keys = NULL;
    fl_col_id *cols = NULL;
    int32_t from = u->n_pulled;
    if (attrs.n_keys == 0) { /* a group that is missing must be told from one that is there */
        *ret_ok &= u->below_aggregate_ok;
        for (int32_t i = 0; i < attrs.n_aggs; i++)
            *ret_ok &= !attrs.aggs[i].agg->empty_is_zero;
    }
    for (int32_t i = 0; i < attrs.n_keys; i++) {
        bool outer = false;
        FL_TRY(expr_uses_outer(u, attrs.keys[i], &outer, err));
        *ret_ok &= !outer;
    }
    for (int32_t i = 0; i < attrs.n_aggs; i++)
        for (int32_t a = 0; a <= attrs.aggs[i].n_args; a++) {
            const fl_expr *e = a < attrs.aggs[i].n_args ? attrs.aggs[i].args[a] : attrs.aggs[i].filter;
            bool outer = false;
            if (e != NULL)
                FL_TRY(expr_uses_outer(u, e, &outer, err));
            *ret_ok &= !outer && attrs.aggs[i].n_order == 0;
        }
    if (!*ret_ok)
        return FL_OK;
    bool was_ok = u->below_aggregate_ok;
    u->below_aggregate_ok = false;
    FL_TRY(pull(u, node->inputs[0], &input, ret_ok, err));
    u->below_aggregate_ok = was_ok;
    if (!*ret_ok)
        return FL_OK;
    int32_t n = attrs.n_keys;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), n + u->n_pulled + 1, &keys, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), n + u->n_pulled + 1, &cols, err));
    for (int32_t i = 0; i < n; i++) {
        keys[i] = attrs.keys[i];
        cols[i] = attrs.cols[i];
    }
    for (int32_t p = from; p < u->n_pulled; p++) {
        const fl_expr *outer = NULL, *inner = NULL, *col = NULL;
        FL_TRY(split_equality(u, u->pulled[p], input, &outer, &inner, err));
        if (inner == NULL) {
            *ret_ok = false;
            return FL_OK;
        }
        int32_t k = 0;
        while (k < n && keys[k] != inner)
            k++;
        if (k == n) {
            keys[n] = inner;
            if (inner->kind == FL_EXPR_COLUMN) {
                cols[n] = inner->col;
            } else {
                fl_col_info info = {.name = FL_STR("key"), .type = inner->type};
                FL_TRY(fl_plan_add_col(u->plan, &info, &cols[n], err));
            }
            n++;
        }
        FL_TRY(fl_expr_column(u->plan, cols[k], -1, &col, err));
        FL_TRY(fl_expr_call_args(u->plan, "=", u->pulled[p]->pos, &u->pulled[p], err, 2, outer, col));
    }
    attrs.keys = keys;
    attrs.cols = cols;
    attrs.n_keys = attrs.n_cols = n;
    st = fl_node_make(u->plan, &fl_op_aggregate, &attrs, node->traits, &input, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

static fl_status pull_join(unnesting *u, const fl_node *node, const fl_node **ret, bool *ret_ok, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_attrs *join = fl_join_of(node);
    const fl_node *left = node->inputs[0], *right = node->inputs[1];
    const fl_expr **kept = NULL;
    int32_t n_kept = 0;
    bool is_inner = join->kind == FL_JOIN_INNER;
    bool left_only = join->kind == FL_JOIN_LEFT || join->kind == FL_JOIN_SEMI || join->kind == FL_JOIN_ANTI ||
                     join->kind == FL_JOIN_MARK || join->kind == FL_JOIN_SINGLE || join->kind == FL_JOIN_FIRST;
    *ret_ok &= is_inner || (left_only && !uses_outer(u, right));
    if (!*ret_ok)
        return FL_OK;
    FL_TRY(pull(u, left, &left, ret_ok, err));
    if (*ret_ok && is_inner)
        FL_TRY(pull(u, right, &right, ret_ok, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), join->n_conjuncts + 1, &kept, err));
    for (int32_t i = 0; i < join->n_conjuncts && *ret_ok; i++) {
        bool outer = false;
        FL_TRY(expr_uses_outer(u, join->conjuncts[i], &outer, err));
        if (outer && !is_inner)
            *ret_ok = false;
        else if (outer)
            FL_TRY(note_pulled(u, join->conjuncts[i], err));
        else
            kept[n_kept++] = join->conjuncts[i];
    }
    if (*ret_ok)
        st = fl_join_build_all(u->plan, (fl_join_kind)join->kind, left, right, kept, n_kept, join->mark, ret, err);
cleanup:
    return st;
}

static fl_status pull(unnesting *u, const fl_node *node, const fl_node **ret, bool *ret_ok, fl_err *err)
{
    *ret = node;
    if (!*ret_ok || !uses_outer(u, node))
        return FL_OK;
    if (node->op == &fl_op_filter)
        return pull_filter(u, node, ret, ret_ok, err);
    if (node->op == &fl_op_project)
        return pull_project(u, node, ret, ret_ok, err);
    if (node->op == &fl_op_aggregate)
        return pull_aggregate(u, node, ret, ret_ok, err);
    if (node->op == &fl_op_join)
        return pull_join(u, node, ret, ret_ok, err);
    if (node->op == &fl_op_sort) /* the order of a subquery's rows means nothing outside */
        return pull(u, node->inputs[0], ret, ret_ok, err);
    *ret_ok = false;
    return FL_OK;
}

/* Whether every projection above an aggregate without keys gives null for null: then a missing group may stand for the
 * group of no rows. */
static bool is_strict(const fl_expr *e)
{
    if (e->kind == FL_EXPR_COLUMN)
        return true;
    if (e->kind == FL_EXPR_CAST)
        return is_strict(e->args[0]);
    if (e->kind != FL_EXPR_CALL || !(e->traits & FL_NULL_GIVES_NULL) || e->size > STRICT_PARTS_MAX)
        return false;
    for (int32_t i = 0; i < e->n_args; i++)
        if (e->args[i]->kind != FL_EXPR_CONST && is_strict(e->args[i]))
            return true;
    return false;
}

static bool top_is_strict(const fl_node *node)
{
    while (node->op == &fl_op_project) {
        const fl_project_attrs *p = fl_project_of(node);
        for (int32_t i = 0; i < p->n_exprs; i++)
            if (!is_strict(p->exprs[i]))
                return false;
        node = node->inputs[0];
    }
    return node->op == &fl_op_aggregate;
}

/* ---- pushing down ------------------------------------------------------------------------------------------------- */

/* The same rows with copies of some columns under new ids (only these columns). */
static fl_status copy_cols(unnesting *u, const fl_node *node, const fl_col_id *cols, int32_t n, const fl_node **ret,
                           fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **exprs = NULL;
    fl_col_id *made = NULL;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), n + 1, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), n + 1, &made, err));
    for (int32_t i = 0; i < n; i++) {
        fl_col_info info = *fl_plan_col(u->plan, cols[i]);
        info.table = NULL;
        FL_TRY(fl_expr_column(u->plan, cols[i], -1, &exprs[i], err));
        FL_TRY(fl_plan_add_col(u->plan, &info, &made[i], err));
        ret_cols[i] = made[i];
    }
    fl_project_attrs attrs = {.n_cols = n, .cols = made, .n_exprs = n, .exprs = exprs};
    st = fl_node_make(u->plan, &fl_op_project, &attrs, NULL, &node, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

typedef struct renaming {
    const unnesting *u;
    const fl_col_id *to;
} renaming;

static fl_status rename_one(void *ctx, fl_plan *plan, const fl_expr *expr, const fl_expr **ret, fl_err *err)
{
    const renaming *r = ctx;
    *ret = expr;
    if (expr->kind == FL_EXPR_COLUMN)
        for (int32_t i = 0; i < r->u->n_cols; i++)
            if (r->u->cols[i].n == expr->col.n)
                return fl_expr_column(plan, r->to[i], expr->pos, ret, err);
    return FL_OK;
}

static fl_status equate(unnesting *u, const fl_col_id *a, const fl_col_id *b, const fl_expr **tests, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < u->n_cols; i++) {
        const fl_expr *x = NULL, *y = NULL;
        FL_TRY(fl_expr_column(u->plan, a[i], -1, &x, err));
        FL_TRY(fl_expr_column(u->plan, b[i], -1, &y, err));
        FL_TRY(fl_expr_call_args(u->plan, "is_not_distinct_from", -1, &tests[i], err, 2, x, y));
    }
cleanup:
    return st;
}

/* Joins the domain into `node`: gives its rows for every domain value, with the domain's columns in ret_cols. */
static fl_status push(unnesting *u, const fl_node *domain, const fl_col_id *domain_cols, const fl_node *node,
                      const fl_node **ret, fl_col_id *ret_cols, fl_err *err);

static fl_status push_aggregate(unnesting *u, const fl_node *domain, const fl_col_id *domain_cols, const fl_node *node,
                                const fl_node **ret, fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    fl_aggregate_attrs attrs = *fl_aggregate_of(node);
    const fl_node *input = NULL, *grouped = NULL, *copy = NULL, *joined = NULL;
    fl_col_id *cols = NULL, *keys_out = NULL;
    const fl_expr **keys = NULL, **tests = NULL, **fixed = NULL;
    fl_agg *aggs = NULL;
    int32_t n = attrs.n_keys + u->n_cols, n_fixed = 0;
    fl_arena *arena = fl_plan_arena(u->plan);
    FL_TRY(FL_NEW_ARRAY(arena, u->n_cols, &cols, err));
    FL_TRY(push(u, domain, domain_cols, node->inputs[0], &input, cols, err));
    renaming r = {u, cols};
    FL_TRY(FL_NEW_ARRAY(arena, n, &keys, err));
    FL_TRY(FL_NEW_ARRAY(arena, n, &keys_out, err));
    FL_TRY(FL_NEW_ARRAY(arena, attrs.n_aggs + 1, &aggs, err));
    for (int32_t i = 0; i < attrs.n_keys; i++) {
        FL_TRY(fl_expr_rewrite(u->plan, attrs.keys[i], rename_one, &r, &keys[i], err));
        keys_out[i] = attrs.cols[i];
    }
    for (int32_t i = 0; i < u->n_cols; i++) {
        FL_TRY(fl_expr_column(u->plan, cols[i], -1, &keys[attrs.n_keys + i], err));
        keys_out[attrs.n_keys + i] = cols[i];
        ret_cols[i] = cols[i];
    }
    for (int32_t i = 0; i < attrs.n_aggs; i++) {
        aggs[i] = attrs.aggs[i];
        for (int32_t a = 0; a < aggs[i].n_args; a++)
            FL_TRY(fl_expr_rewrite(u->plan, aggs[i].args[a], rename_one, &r, &aggs[i].args[a], err));
        if (aggs[i].filter != NULL)
            FL_TRY(fl_expr_rewrite(u->plan, aggs[i].filter, rename_one, &r, &aggs[i].filter, err));
    }
    bool is_scalar = attrs.n_keys == 0;
    attrs.keys = keys;
    attrs.cols = keys_out;
    attrs.n_keys = attrs.n_cols = n;
    attrs.aggs = aggs;
    FL_TRY(fl_node_make(u->plan, &fl_op_aggregate, &attrs, NULL, &input, 1, NULL, 0, &grouped, err));
    if (!is_scalar) {
        *ret = grouped;
        return FL_OK;
    }
    /* Without keys there is a row even for no input: join the groups to the domain, and count nothing as 0. */
    FL_TRY(copy_cols(u, domain, domain_cols, u->n_cols, &copy, ret_cols, err));
    FL_TRY(FL_NEW_ARRAY(arena, u->n_cols, &tests, err));
    FL_TRY(equate(u, ret_cols, cols, tests, err));
    FL_TRY(fl_join_build_all(u->plan, FL_JOIN_LEFT, copy, grouped, tests, u->n_cols, (fl_col_id){0}, &joined, err));
    /* The aggregates' ids must come out of this: zeroed counts are computed under them, from copies below. */
    fl_col_id *zero_ids = NULL, *passed = NULL;
    int32_t n_passed = 0;
    FL_TRY(FL_NEW_ARRAY(arena, attrs.n_aggs + 1, &fixed, err));
    FL_TRY(FL_NEW_ARRAY(arena, attrs.n_aggs + 1, &zero_ids, err));
    FL_TRY(FL_NEW_ARRAY(arena, joined->n_cols + 1, &passed, err));
    for (int32_t i = 0; i < attrs.n_aggs; i++) {
        if (!aggs[i].agg->empty_is_zero)
            continue;
        fl_col_id raw;
        fl_col_info info = *fl_plan_col(u->plan, aggs[i].out);
        const fl_expr *value = NULL, *is_null = NULL, *zero = NULL;
        fl_value none = {.type = info.type};
        FL_TRY(fl_plan_add_col(u->plan, &info, &raw, err));
        zero_ids[n_fixed] = aggs[i].out;
        aggs[i].out = raw;
        FL_TRY(fl_expr_column(u->plan, raw, -1, &value, err));
        FL_TRY(fl_expr_is_null(u->plan, value, -1, &is_null, err));
        FL_TRY(fl_expr_const(u->plan, &none, -1, &zero, err));
        const fl_expr *branches[3] = {is_null, zero, value};
        FL_TRY(fl_expr_case(u->plan, branches, 3, -1, &fixed[n_fixed++], err));
    }
    if (n_fixed == 0) {
        *ret = joined;
        return FL_OK;
    }
    FL_TRY(fl_node_make(u->plan, &fl_op_aggregate, &attrs, NULL, &input, 1, NULL, 0, &grouped, err));
    FL_TRY(fl_join_build_all(u->plan, FL_JOIN_LEFT, copy, grouped, tests, u->n_cols, (fl_col_id){0}, &joined, err));
    for (int32_t i = 0; i < joined->n_cols; i++)
        passed[n_passed++] = joined->cols[i];
    fl_project_attrs project = {.n_cols = n_fixed,
                                .cols = zero_ids,
                                .n_exprs = n_fixed,
                                .exprs = fixed,
                                .n_passed = n_passed,
                                .passed = passed};
    st = fl_node_make(u->plan, &fl_op_project, &project, NULL, &joined, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

static fl_status push_join(unnesting *u, const fl_node *domain, const fl_col_id *domain_cols, const fl_node *node,
                           const fl_node **ret, fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_attrs *join = fl_join_of(node);
    const fl_node *left = node->inputs[0], *right = node->inputs[1];
    fl_col_id *right_cols = NULL;
    const fl_expr **tests = NULL;
    fl_arena *arena = fl_plan_arena(u->plan);
    bool in_right = uses_outer(u, right), in_left = uses_outer(u, left);
    bool right_only = join->kind == FL_JOIN_INNER && in_right && !in_left;
    if (join->kind == FL_JOIN_RIGHT || join->kind == FL_JOIN_FULL)
        in_right = true; /* unmatched right rows are there for every domain value */
    FL_TRY(FL_NEW_ARRAY(arena, u->n_cols, &right_cols, err));
    FL_TRY(FL_NEW_ARRAY(arena, join->n_conjuncts + u->n_cols + 1, &tests, err));
    if (right_only) {
        FL_TRY(push(u, domain, domain_cols, right, &right, ret_cols, err));
        in_right = false;
    } else {
        FL_TRY(push(u, domain, domain_cols, left, &left, ret_cols, err));
        if (in_right)
            FL_TRY(push(u, domain, domain_cols, right, &right, right_cols, err));
    }
    if (join->kind == FL_JOIN_RIGHT || join->kind == FL_JOIN_FULL)
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "an outer column inside a %s join is not supported yet",
                       join->kind == FL_JOIN_RIGHT ? "right" : "full");
    renaming r = {u, ret_cols};
    int32_t n = 0;
    for (int32_t i = 0; i < join->n_conjuncts; i++)
        FL_TRY(fl_expr_rewrite(u->plan, join->conjuncts[i], rename_one, &r, &tests[n++], err));
    if (in_right) {
        FL_TRY(equate(u, ret_cols, right_cols, tests + n, err));
        n += u->n_cols;
    }
    st = fl_join_build_all(u->plan, (fl_join_kind)join->kind, left, right, tests, n, join->mark, ret, err);
cleanup:
    return st;
}

static fl_status push_set_op(unnesting *u, const fl_node *domain, const fl_col_id *domain_cols, const fl_node *node,
                             const fl_node **ret, fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    fl_set_op_attrs attrs = *fl_set_op_of(node);
    const fl_node *inputs[2];
    fl_col_id *side[2] = {NULL, NULL}, *cols = NULL, *from[2] = {NULL, NULL};
    fl_arena *arena = fl_plan_arena(u->plan);
    int32_t n = attrs.n_cols + u->n_cols;
    FL_TRY(FL_NEW_ARRAY(arena, n, &cols, err));
    for (int32_t s = 0; s < 2; s++) {
        FL_TRY(FL_NEW_ARRAY(arena, u->n_cols, &side[s], err));
        FL_TRY(FL_NEW_ARRAY(arena, n, &from[s], err));
        FL_TRY(push(u, domain, domain_cols, node->inputs[s], &inputs[s], side[s], err));
        memcpy(from[s], s == 0 ? attrs.left : attrs.right, (size_t)attrs.n_cols * sizeof(*from[s]));
        memcpy(from[s] + attrs.n_cols, side[s], (size_t)u->n_cols * sizeof(*from[s]));
    }
    memcpy(cols, attrs.cols, (size_t)attrs.n_cols * sizeof(*cols));
    for (int32_t i = 0; i < u->n_cols; i++) {
        fl_col_info info = *fl_plan_col(u->plan, side[0][i]);
        FL_TRY(fl_plan_add_col(u->plan, &info, &cols[attrs.n_cols + i], err));
        ret_cols[i] = cols[attrs.n_cols + i];
    }
    attrs.cols = cols;
    attrs.left = from[0];
    attrs.right = from[1];
    attrs.n_cols = attrs.n_left = attrs.n_right = n;
    st = fl_node_make(u->plan, &fl_op_set_op, &attrs, NULL, inputs, 2, NULL, 0, ret, err);
cleanup:
    return st;
}

static fl_status push_values(unnesting *u, const fl_node *domain, const fl_col_id *domain_cols, const fl_node *node,
                             const fl_node **ret, fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_values_attrs *values = fl_values_of(node);
    const fl_node *copy = NULL;
    const fl_expr **exprs = NULL;
    if (values->n_rows != 1)
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "outer columns in VALUES with more than one row are not supported yet");
    FL_TRY(copy_cols(u, domain, domain_cols, u->n_cols, &copy, ret_cols, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), values->n_cols + 1, &exprs, err));
    renaming r = {u, ret_cols};
    for (int32_t i = 0; i < values->n_cols; i++)
        FL_TRY(fl_expr_rewrite(u->plan, values->exprs[i], rename_one, &r, &exprs[i], err));
    fl_project_attrs attrs = {.n_cols = values->n_cols,
                              .cols = values->cols,
                              .n_exprs = values->n_cols,
                              .exprs = exprs,
                              .n_passed = copy->n_cols,
                              .passed = copy->cols};
    st = fl_node_make(u->plan, &fl_op_project, &attrs, NULL, &copy, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

/* Of the list in a column what LIMIT and OFFSET leave: its first element, or a slice. */
static fl_status part_of_list(unnesting *u, fl_col_id col, const fl_limit_attrs *limit, bool is_first,
                              const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *list = NULL, *from = NULL, *to = NULL;
    fl_value first = {.type = FL_TYPE(FL_I64), .i = limit->offset + 1}, last = first;
    bool is_open = limit->limit < 0 || limit->limit > INT64_MAX - first.i;
    last.i = is_open ? INT64_MAX : limit->offset + limit->limit;
    FL_TRY(fl_expr_column(u->plan, col, -1, &list, err));
    FL_TRY(fl_expr_const(u->plan, &first, -1, &from, err));
    FL_TRY(fl_expr_const(u->plan, &last, -1, &to, err));
    st = is_first ? fl_expr_call_args(u->plan, "list_extract", -1, ret, err, 2, list, from)
                  : fl_expr_call_args(u->plan, "list_slice", -1, ret, err, 3, list, from, to);
cleanup:
    return st;
}

/* LIMIT and OFFSET per domain value: its rows as lists, one for each column and each in the same order, which keep nulls; of
 * them one element, or a slice that is unnested again. */
static fl_status push_limit(unnesting *u, const fl_node *domain, const fl_col_id *domain_cols, const fl_node *node,
                            const fl_node **ret, fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena *arena = fl_plan_arena(u->plan);
    const fl_node *below = node->inputs[0], *input = NULL, *grouped = NULL;
    const fl_sort_key *order = NULL;
    fl_sort_key *keys = NULL;
    fl_col_id *cols = NULL;
    const fl_expr **groups = NULL, **parts = NULL;
    fl_agg *aggs = NULL;
    fl_col_id *passed = NULL, *made = NULL;
    const fl_limit_attrs *limit = fl_limit_of(node);
    bool is_first = limit->limit == 1 && limit->offset == 0;
    int32_t n_keys = 0;
    if (below->op == &fl_op_sort) {
        order = fl_sort_of(below)->keys;
        n_keys = fl_sort_of(below)->n_keys;
        below = below->inputs[0];
    }
    FL_TRY(FL_NEW_ARRAY(arena, u->n_cols + 1, &cols, err));
    FL_TRY(push(u, domain, domain_cols, below, &input, cols, err));
    renaming r = {u, cols};
    FL_TRY(FL_NEW_ARRAY(arena, n_keys + 1, &keys, err));
    FL_TRY(FL_NEW_ARRAY(arena, u->n_cols + 1, &groups, err));
    FL_TRY(FL_NEW_ARRAY(arena, node->n_cols + 1, &aggs, err));
    FL_TRY(FL_NEW_ARRAY(arena, node->n_cols + 1, &parts, err));
    FL_TRY(FL_NEW_ARRAY(arena, node->n_cols + 1, &made, err));
    for (int32_t k = 0; k < n_keys; k++) {
        keys[k] = order[k];
        FL_TRY(fl_expr_rewrite(u->plan, order[k].expr, rename_one, &r, &keys[k].expr, err));
    }
    for (int32_t i = 0; i < u->n_cols; i++)
        FL_TRY(fl_expr_column(u->plan, cols[i], -1, &groups[i], err));
    for (int32_t c = 0; c < node->n_cols; c++) {
        const fl_expr *value = NULL;
        FL_TRY(fl_expr_column(u->plan, node->cols[c], -1, &value, err));
        FL_TRY(fl_agg_make(u->plan, FL_STR("array_agg"), &value, 1, false, NULL, keys, n_keys, -1, &aggs[c], err));
    }
    FL_TRY(fl_aggregate_build(u->plan, input, groups, NULL, u->n_cols, aggs, node->n_cols, ret_cols, &grouped, err));
    for (int32_t c = 0; c < node->n_cols; c++) {
        FL_TRY(part_of_list(u, aggs[c].out, limit, is_first, &parts[c], err));
        made[c] = node->cols[c];
        if (!is_first) {
            fl_col_info info = *fl_plan_col(u->plan, aggs[c].out);
            FL_TRY(fl_plan_add_col(u->plan, &info, &made[c], err));
        }
    }
    fl_project_attrs attrs = {
        .n_cols = node->n_cols, .cols = made, .n_exprs = node->n_cols, .exprs = parts, .n_passed = u->n_cols};
    FL_TRY(FL_NEW_ARRAY(arena, u->n_cols + 1, &passed, err));
    memcpy(passed, ret_cols, (size_t)u->n_cols * sizeof(*passed));
    attrs.passed = passed;
    FL_TRY(fl_node_make(u->plan, &fl_op_project, &attrs, NULL, &grouped, 1, NULL, 0, ret, err));
    if (is_first)
        return FL_OK;
    fl_unnest_attrs unnest = {.n_cols = node->n_cols, .cols = node->cols, .n_lists = node->n_cols, .lists = made};
    grouped = *ret;
    st = fl_node_make(u->plan, &fl_op_unnest, &unnest, NULL, &grouped, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

static fl_status push(unnesting *u, const fl_node *domain, const fl_col_id *domain_cols, const fl_node *node,
                      const fl_node **ret, fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *input = NULL;
    if (!uses_outer(u, node)) { /* every row for every domain value */
        const fl_node *copy = NULL;
        FL_TRY(copy_cols(u, domain, domain_cols, u->n_cols, &copy, ret_cols, err));
        return fl_join_build_all(u->plan, FL_JOIN_INNER, copy, node, NULL, 0, (fl_col_id){0}, ret, err);
    }
    if (node->op == &fl_op_aggregate)
        return push_aggregate(u, domain, domain_cols, node, ret, ret_cols, err);
    if (node->op == &fl_op_join)
        return push_join(u, domain, domain_cols, node, ret, ret_cols, err);
    if (node->op == &fl_op_set_op)
        return push_set_op(u, domain, domain_cols, node, ret, ret_cols, err);
    if (node->op == &fl_op_values)
        return push_values(u, domain, domain_cols, node, ret, ret_cols, err);
    if (node->op == &fl_op_sort)
        return push(u, domain, domain_cols, node->inputs[0], ret, ret_cols, err);
    if (node->op == &fl_op_limit && node->n_cols > 0)
        return push_limit(u, domain, domain_cols, node, ret, ret_cols, err);
    if (node->op != &fl_op_filter && node->op != &fl_op_project && node->op != &fl_op_unnest)
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "%s inside a correlated subquery is not supported yet", node->op->name);
    FL_TRY(push(u, domain, domain_cols, node->inputs[0], &input, ret_cols, err));
    if (node->op == &fl_op_unnest) /* its lists are columns of the input, which keep their ids */
        return fl_node_make(u->plan, &fl_op_unnest, node->attrs, NULL, &input, 1, NULL, 0, ret, err);
    renaming r = {u, ret_cols};
    if (node->op == &fl_op_filter) {
        const fl_filter_attrs *filter = fl_filter_of(node);
        const fl_expr **tests = NULL;
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), filter->n_conjuncts, &tests, err));
        for (int32_t i = 0; i < filter->n_conjuncts; i++)
            FL_TRY(fl_expr_rewrite(u->plan, filter->conjuncts[i], rename_one, &r, &tests[i], err));
        return fl_filter_build_all(u->plan, input, tests, filter->n_conjuncts, ret, err);
    }
    fl_project_attrs attrs = *fl_project_of(node);
    const fl_expr **exprs = NULL;
    fl_col_id *passed = NULL, *made = NULL;
    int32_t n_passed = 0, n_made = attrs.n_cols;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), attrs.n_exprs + attrs.n_passed + 1, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), attrs.n_exprs + attrs.n_passed + 1, &made, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), attrs.n_passed + u->n_cols + 1, &passed, err));
    for (int32_t i = 0; i < attrs.n_exprs; i++) {
        made[i] = attrs.cols[i];
        FL_TRY(fl_expr_rewrite(u->plan, attrs.exprs[i], rename_one, &r, &exprs[i], err));
    }
    for (int32_t i = 0; i < attrs.n_passed; i++)
        passed[n_passed++] = attrs.passed[i];
    for (int32_t i = 0; i < u->n_cols; i++)
        passed[n_passed++] = ret_cols[i];
    attrs.cols = made;
    attrs.n_cols = attrs.n_exprs = n_made;
    attrs.exprs = exprs;
    attrs.passed = passed;
    attrs.n_passed = n_passed;
    st = fl_node_make(u->plan, &fl_op_project, &attrs, NULL, &input, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

/* ---- the rule ----------------------------------------------------------------------------------------------------- */

/* Inner dependent joins go first. */
static bool check(const fl_rule_call *call)
{
    return !(call->node->inputs[1]->holds & FL_HOLDS_DEPENDENT);
}

/* EXISTS (… LIMIT n): whether there is a row does not depend on the limit. */
static const fl_node *drop_limit(const fl_apply_attrs *apply, const fl_node *right)
{
    bool exists = (apply->kind == FL_JOIN_SEMI || apply->kind == FL_JOIN_ANTI) && apply->n_conjuncts == 0;
    exists |= apply->kind == FL_JOIN_MARK && fl_expr_is_true(apply->conjuncts[0]);
    if (exists && right->op == &fl_op_limit && fl_limit_of(right)->offset == 0 && fl_limit_of(right)->limit != 0)
        return right->inputs[0];
    return right;
}

static fl_status make_join(fl_rule_call *call, const fl_node *left, const fl_node *right, const fl_expr *const *more,
                           int32_t n_more, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_apply_attrs *apply = fl_apply_of(call->node);
    const fl_expr **tests = NULL;
    const fl_node *join = NULL;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(call->plan), apply->n_conjuncts + n_more + 1, &tests, err));
    for (int32_t i = 0; i < apply->n_conjuncts; i++)
        tests[n++] = apply->conjuncts[i];
    for (int32_t i = 0; i < n_more; i++)
        tests[n++] = more[i];
    FL_TRY(fl_join_build_all(call->plan, (fl_join_kind)apply->kind, left, right, tests, n, apply->mark, &join, err));
    FL_TRY(fl_node_with_cols(call->plan, join, call->node->cols, call->node->n_cols, &join, err));
    st = fl_rule_call_transform_to(call, join, err);
cleanup:
    return st;
}

static bool keeps_left_rows(const fl_node *node)
{
    if (node->op == &fl_op_project)
        return true;
    if (node->op != &fl_op_join && node->op != &fl_op_apply)
        return false;
    int32_t kind = node->op == &fl_op_join ? fl_join_of(node)->kind : fl_apply_of(node)->kind;
    return kind == FL_JOIN_LEFT || kind == FL_JOIN_SINGLE || kind == FL_JOIN_MARK || kind == FL_JOIN_FIRST;
}

/* The smallest plan that has the same values in the columns as `node`. */
static const fl_node *source_of(const fl_node *node, const fl_col_id *cols, int32_t n)
{
    while (keeps_left_rows(node)) {
        for (int32_t i = 0; i < n; i++)
            if (!fl_col_set_has(&node->inputs[0]->made, cols[i]))
                return node;
        node = node->inputs[0];
    }
    return node;
}

/* Takes the nodes of the tree from what is left of the number; shared ones as often as they would be run. */
static void take_nodes(const fl_node *node, int32_t *left)
{
    if ((*left)-- <= 0 || node->op == &fl_op_materialize)
        return;
    for (int32_t i = 0; i < node->n_inputs; i++)
        take_nodes(node->inputs[i], left);
}

static bool is_large(const fl_node *node)
{
    int32_t left = SHARED_NODES;
    take_nodes(node, &left);
    return left < 0;
}

/* Two readers of the node's rows: one under its own column ids, one with copies of some. */
static fl_status share(unnesting *u, const fl_node *node, const fl_node **ret, const fl_node **ret_copy,
                       fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *kept = NULL, *copy = NULL;
    fl_col_id *from = NULL, *copies = NULL;
    FL_ASSERT(node->n_cols > 0 && fl_col_set_is_empty(&node->outer));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), node->n_cols, &from, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), node->n_cols, &copies, err));
    FL_TRY(copy_cols(u, node, node->cols, node->n_cols, &kept, from, err));
    fl_materialize_attrs attrs = {
        .name = FL_STR("outer rows"), .n_cols = node->n_cols, .cols = node->cols, .n_from = node->n_cols, .from = from};
    FL_TRY(fl_node_make(u->plan, &fl_op_materialize, &attrs, NULL, &kept, 1, NULL, 0, ret, err));
    FL_TRY(fl_materialize_build(u->plan, kept, attrs.name, from, node->n_cols, false, copies, &copy, err));
    for (int32_t i = 0; i < u->n_cols; i++)
        for (int32_t c = 0; c < node->n_cols; c++)
            if (node->cols[c].n == u->cols[i].n)
                ret_cols[i] = copies[c];
    *ret_copy = copy;
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_apply_attrs *apply = fl_apply_of(call->node);
    const fl_node *left = call->node->inputs[0], *right = drop_limit(apply, call->node->inputs[1]), *out = NULL;
    unnesting u = {.plan = call->plan, .outer = &left->made};
    bool ok = true;
    if (!uses_outer(&u, right))
        return make_join(call, left, right, NULL, 0, err);
    u.below_aggregate_ok = (apply->kind == FL_JOIN_SINGLE || apply->kind == FL_JOIN_LEFT) && top_is_strict(right);
    FL_TRY(pull(&u, right, &out, &ok, err));
    if (ok)
        return make_join(call, left, out, u.pulled, u.n_pulled, err);
    /* Push the domain down. */
    fl_arena *arena = fl_plan_arena(call->plan);
    const fl_node *source = NULL, *distinct = NULL, *domain = NULL;
    fl_col_id *domain_cols = NULL, *cols = NULL;
    const fl_expr **tests = NULL;
    FL_TRY(FL_NEW_ARRAY(arena, left->n_cols + 1, &u.cols, err));
    for (int32_t i = 0; i < left->n_cols; i++)
        if (fl_col_set_has(&right->outer, left->cols[i]))
            u.cols[u.n_cols++] = left->cols[i];
    FL_TRY(FL_NEW_ARRAY(arena, u.n_cols + 1, &domain_cols, err));
    FL_TRY(FL_NEW_ARRAY(arena, u.n_cols + 1, &cols, err));
    FL_TRY(FL_NEW_ARRAY(arena, u.n_cols + 1, &tests, err));
    source = source_of(left, u.cols, u.n_cols);
    if (is_large(source) && u.n_cols > 0 && fl_col_set_is_empty(&left->outer)) {
        FL_TRY(share(&u, left, &left, &source, domain_cols, err));
        FL_TRY(fl_distinct_build(call->plan, source, domain_cols, u.n_cols, &domain, err));
    } else {
        FL_TRY(fl_distinct_build(call->plan, source, u.cols, u.n_cols, &distinct, err));
        FL_TRY(copy_cols(&u, distinct, u.cols, u.n_cols, &domain, domain_cols, err));
    }
    FL_TRY(push(&u, domain, domain_cols, right, &out, cols, err));
    FL_TRY(equate(&u, u.cols, cols, tests, err));
    st = make_join(call, left, out, tests, u.n_cols, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_unnest_apply = {FL_DESC(fl_rule_desc),    .name = "unnest_apply",
                                           .phase = "unnest",        .pattern = "apply",
                                           .scope = FL_SCOPE_GLOBAL, .is_required = true,
                                           .keeps = FL_KEEPS_COLS,   .check = check,
                                           .on_match = on_match,     .doc = "dependent joins become joins"};
