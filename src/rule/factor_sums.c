/* factor_sums: constants come out of sums over the same value.
 *
 *     sum(x), sum(x + 1), sum(2 - x)   =   s, s + 1 * n, 2 * n - s   of   sum(x) AS s, count(x) AS n
 *
 * Whole numbers only, and only where types prove that x + 1 cannot overflow: else its error would be lost. What a product overflows, as the
 * sum itself would, takes more than 2^32 rows. Done where fewer aggregates are left: a single sum is as fast as a sum and a count. */
#include "op/aggregate/node.h"
#include "op/project/node.h"
#include "plan/bounds.h"
#include "plan/null.h"
#include "plan/props.h"
#include "plan/rule.h"

#define AGGS_MAX 4096 /* each is compared with the values found so far */

/* An aggregate's argument as `value` + `add`, or `add` - `value`. */
typedef struct shifted {
    const fl_expr *value; /* NULL: it is none */
    const fl_expr *add;
    const char
        *op;      /* of sum(value) and count(value) * add: "+" or "-", and "_": their difference the other way round */
    int32_t base; /* of factoring.bases */
} shifted;

/* Values whose sum and count others are made of. */
typedef struct sum_base {
    const fl_expr *value, *filter;
    fl_type type;
    int32_t n_shifted;
    int32_t sum, count; /* among the aggregates there are; -1: none yet */
    fl_col_id sum_col, count_col;
} sum_base;

typedef struct factoring {
    fl_rule_call *call;
    const fl_aggregate_attrs *aggregate;
    shifted *shifts; /* by aggregate */
    sum_base *bases;
    int32_t n_bases;
} factoring;

static bool is_plain(const fl_agg *agg, const char *name, int32_t n_args)
{
    return agg->n_args == n_args && !agg->is_distinct && agg->n_order == 0 && strcmp(agg->agg->name, name) == 0;
}

static bool is_stable(const fl_expr *e)
{
    return e == NULL || !(e->flags & (FL_EXPR_VOLATILE | FL_EXPR_HAS_SUBQUERY));
}

static bool is_number(const fl_expr *e)
{
    return e->kind == FL_EXPR_CONST && fl_type_is_integer(e->type) && !e->value->is_null;
}

/* fl_bounds_leaf */
static fl_bounds type_bounds(void *ctx, const fl_expr *leaf)
{
    (void)ctx;
    return fl_bounds_of_type(leaf->type);
}

/* By shape alone. */
static bool is_shifted(const fl_agg *agg, shifted *ret)
{
    const fl_expr *e = agg->n_args == 1 ? agg->args[0] : NULL;
    if (e == NULL || !is_plain(agg, "sum", 1) || e->kind != FL_EXPR_CALL || e->n_args != 2 ||
        !fl_type_is_integer(e->type) || !is_stable(e) || !is_stable(agg->filter))
        return false;
    bool is_sum = strcmp(e->func->name, "+") == 0;
    int32_t number = is_number(e->args[1]) ? 1 : 0;
    if ((!is_sum && strcmp(e->func->name, "-") != 0) || !is_number(e->args[number]) ||
        !fl_type_is_integer(e->args[1 - number]->type))
        return false;
    *ret = (shifted){e->args[1 - number], e->args[number], is_sum ? "+" : number == 1 ? "-" : "_", -1};
    return fl_expr_bounds(e, type_bounds, NULL).is_known;
}

static bool check(const fl_rule_call *call)
{
    const fl_aggregate_attrs *a = fl_aggregate_of(call->node);
    shifted found;
    for (int32_t i = 0; i < a->n_aggs && a->n_aggs <= AGGS_MAX; i++)
        if (is_shifted(&a->aggs[i], &found))
            return true;
    return false;
}

/* The value without casts to wider numbers, as far as its sum is of the same type: sum(x) beside sum(x + 1), where x is small. */
static fl_status strip_casts(fl_plan *plan, const fl_expr **value, fl_type type, fl_err *err)
{
    fl_status st = FL_OK;
    for (const fl_expr *e = *value; e->kind == FL_EXPR_CAST; e = e->args[0]) {
        fl_type from = e->args[0]->type;
        fl_agg sum;
        if (!fl_type_is_integer(from) || fl_cast_can_fail(from, e->type))
            break;
        FL_TRY(fl_agg_make(plan, FL_STR("sum"), &e->args[0], 1, false, NULL, NULL, 0, -1, &sum, err));
        if (fl_type_is_equal(sum.type, type))
            *value = e->args[0];
    }
cleanup:
    return st;
}

static fl_status find_bases(factoring *f, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_aggregate_attrs *a = f->aggregate;
    fl_col_set not_null;
    for (int32_t i = 0; i < a->n_aggs; i++) {
        const fl_agg *agg = &a->aggs[i];
        shifted *s = &f->shifts[i];
        int32_t b = 0;
        if (!is_shifted(agg, s)) {
            s->value = NULL;
            continue;
        }
        FL_TRY(strip_casts(f->call->plan, &s->value, agg->type, err));
        while (b < f->n_bases && (f->bases[b].value != s->value || f->bases[b].filter != agg->filter ||
                                  !fl_type_is_equal(f->bases[b].type, agg->type)))
            b++;
        if (b == f->n_bases)
            f->bases[f->n_bases++] =
                (sum_base){.value = s->value, .filter = agg->filter, .type = agg->type, .sum = -1, .count = -1};
        f->bases[b].n_shifted++;
        s->base = b;
    }
    FL_TRY(fl_node_input_not_null(f->call->plan, f->call->node, &not_null, err));
    for (int32_t b = 0; b < f->n_bases; b++) {
        sum_base *base = &f->bases[b];
        bool counts_rows = !fl_expr_can_be_null(base->value, &not_null); /* count(value) is count(*) */
        for (int32_t i = 0; i < a->n_aggs; i++) {
            const fl_agg *agg = &a->aggs[i];
            if (agg->filter != base->filter || f->shifts[i].value != NULL) /* one that may go itself is none to keep */
                continue;
            bool is_same = agg->n_args == 1 && agg->args[0] == base->value;
            if (is_same && is_plain(agg, "sum", 1) && fl_type_is_equal(agg->type, base->type))
                base->sum = i;
            else if ((is_same && is_plain(agg, "count", 1)) || (counts_rows && is_plain(agg, "count", 0)))
                base->count = i;
        }
    }
cleanup:
    return st;
}

static bool is_worthwhile(const sum_base *base)
{
    return base->n_shifted > (base->sum < 0) + (base->count < 0);
}

/* The column of a base's sum or count, which is added where there is none. */
static fl_status find_part(const factoring *f, const sum_base *base, const char *name, int32_t known, fl_agg *aggs,
                           int32_t *n_aggs, fl_col_id *ret, fl_err *err)
{
    fl_status st = FL_OK;
    if (known >= 0) {
        *ret = f->aggregate->aggs[known].out;
        return FL_OK;
    }
    FL_TRY(fl_agg_make(f->call->plan, fl_str_of(name), &base->value, 1, false, base->filter, NULL, 0, -1,
                       &aggs[*n_aggs], err));
    *ret = aggs[(*n_aggs)++].out;
cleanup:
    return st;
}

/* What the shifted sum is made of: the sum, and the number as often as there are values. */
static fl_status combine(fl_plan *plan, const sum_base *base, const shifted *s, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *sum = NULL, *count = NULL, *add = NULL, *product = NULL;
    bool is_reversed = s->op[0] == '_';
    FL_TRY(fl_expr_column(plan, base->sum_col, -1, &sum, err));
    FL_TRY(fl_expr_column(plan, base->count_col, -1, &count, err));
    FL_TRY(fl_expr_cast(plan, count, base->type, false, -1, &count, err));
    FL_TRY(fl_expr_cast(plan, s->add, base->type, false, -1, &add, err));
    FL_TRY(fl_expr_call_args(plan, "*", -1, &product, err, 2, count, add));
    FL_TRY(fl_expr_call_args(plan, is_reversed ? "-" : s->op, -1, ret, err, 2, is_reversed ? product : sum,
                             is_reversed ? sum : product));
    st = fl_expr_cast(plan, *ret, base->type, false, -1, ret, err);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan *plan = call->plan;
    const fl_node *node = call->node, *out = NULL;
    fl_aggregate_attrs attrs = *fl_aggregate_of(node);
    factoring f = {.call = call, .aggregate = fl_aggregate_of(node)};
    const fl_expr **exprs = NULL;
    fl_agg *aggs = NULL;
    fl_col_id *made = NULL, *passed = NULL;
    int32_t n_aggs = 0, n = 0, n_passed = 0;
    FL_TRY(FL_NEW_ARRAY(call->scratch, attrs.n_aggs, &f.shifts, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, attrs.n_aggs, &f.bases, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, attrs.n_aggs, &aggs, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, attrs.n_aggs, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, attrs.n_aggs, &made, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, node->n_cols + 1, &passed, err));
    FL_TRY(find_bases(&f, err));
    for (int32_t i = 0; i < attrs.n_aggs; i++)
        if (f.shifts[i].value == NULL || !is_worthwhile(&f.bases[f.shifts[i].base]))
            aggs[n_aggs++] = attrs.aggs[i];
    if (n_aggs == attrs.n_aggs)
        return FL_OK;
    for (int32_t b = 0; b < f.n_bases; b++) { /* fewer are added than went */
        sum_base *base = &f.bases[b];
        if (!is_worthwhile(base))
            continue;
        FL_TRY(find_part(&f, base, "sum", base->sum, aggs, &n_aggs, &base->sum_col, err));
        FL_TRY(find_part(&f, base, "count", base->count, aggs, &n_aggs, &base->count_col, err));
    }
    FL_ASSERT(n_aggs < attrs.n_aggs);
    for (int32_t i = 0; i < attrs.n_aggs; i++) {
        const shifted *s = &f.shifts[i];
        if (s->value == NULL || !is_worthwhile(&f.bases[s->base]) || !fl_col_set_has(&node->made, attrs.aggs[i].out))
            continue;
        made[n] = attrs.aggs[i].out;
        FL_TRY(combine(plan, &f.bases[s->base], s, &exprs[n++], err));
    }
    attrs.aggs = aggs;
    attrs.n_aggs = n_aggs;
    FL_TRY(fl_node_make(plan, node->op, &attrs, NULL, node->inputs, 1, NULL, 0, &out, err));
    for (int32_t i = 0; i < node->n_cols; i++)
        if (fl_col_set_has(&out->made, node->cols[i]))
            passed[n_passed++] = node->cols[i];
    fl_project_attrs project = {
        .n_cols = n, .cols = made, .n_exprs = n, .exprs = exprs, .n_passed = n_passed, .passed = passed};
    FL_TRY(fl_node_make(plan, &fl_op_project, &project, NULL, &out, 1, NULL, 0, &out, err));
    FL_TRY(fl_node_with_cols(plan, out, node->cols, node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_factor_sums = {FL_DESC(fl_rule_desc),
                                          .name = "factor_sums",
                                          .phase = "normalize",
                                          .pattern = "aggregate",
                                          .scope = FL_SCOPE_BOTH,
                                          .promise = 30,
                                          .keeps =
                                              FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT | FL_KEEPS_ORDER,
                                          .check = check,
                                          .on_match = on_match,
                                          .doc = "constants come out of sums over the same value"};
