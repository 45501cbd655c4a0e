/* Values between two rows of the sample are taken for even: conditions become ranges of their column, and these ranges of the key. */
#include "plan/meeting_range.h"

#include "plan/estimate.h"
#include "plan/sample_estimate.h"

#include <math.h>

#define ALL_SHARE \
    0.5             /* of the key's values that the other side spans, from which on filters choose little among them */
#define DEPTH_MAX 4 /* of ORs */

typedef struct range {
    double low, high;
} range;

static const range everything = {-INFINITY, INFINITY};

/* The column of a comparison with a constant, and the constant; is_left: the column stands on the left. */
static bool is_comparison(const fl_expr *e, fl_col_id *ret_col, double *ret_at, bool *ret_is_left)
{
    if (e->kind != FL_EXPR_CALL || e->n_args != 2)
        return false;
    *ret_is_left = e->args[0]->kind == FL_EXPR_COLUMN;
    const fl_expr *col = e->args[*ret_is_left ? 0 : 1], *at = e->args[*ret_is_left ? 1 : 0];
    if (col->kind != FL_EXPR_COLUMN || at->kind != FL_EXPR_CONST || at->value->is_null ||
        !fl_type_is_equal(col->type, at->type))
        return false;
    *ret_col = col->col;
    return fl_value_to_double(at->value, ret_at);
}

/* What the condition leaves of the one column that it is about; false: it is of another form. */
static bool range_of(const fl_expr *e, int32_t depth, fl_col_id *ret_col, range *ret)
{
    double at;
    bool is_left;
    *ret = everything;
    if (is_comparison(e, ret_col, &at, &is_left)) {
        const char *name = e->func->name;
        bool is_below = name[0] == (is_left ? '<' : '>'), is_equal = strcmp(name, "=") == 0;
        if (strcmp(name, "<>") == 0 || (name[0] != '<' && name[0] != '>' && !is_equal))
            return false;
        if (is_equal || !is_below)
            ret->low = at;
        if (is_equal || is_below)
            ret->high = at;
        return true;
    }
    if (e->kind != FL_EXPR_IN && (e->kind != FL_EXPR_OR || depth == 0))
        return false;
    *ret = (range){INFINITY, -INFINITY};
    for (int32_t i = e->kind == FL_EXPR_IN ? 1 : 0; i < e->n_args; i++) {
        fl_col_id col = {0};
        range one;
        if (e->kind == FL_EXPR_IN) {
            if (e->args[0]->kind != FL_EXPR_COLUMN || e->args[i]->kind != FL_EXPR_CONST ||
                !fl_type_is_equal(e->args[0]->type, e->args[i]->type) ||
                !fl_value_to_double(e->args[i]->value, &one.low))
                return false;
            one.high = one.low;
            col = e->args[0]->col;
        } else if (!range_of(e->args[i], depth - 1, &col, &one)) {
            return false;
        }
        if (ret->low > ret->high)
            *ret_col = col;
        else if (col.n != ret_col->n)
            return false;
        *ret = (range){fmin(ret->low, one.low), fmax(ret->high, one.high)};
    }
    return ret->low <= ret->high;
}

/* The key where the other column has the value, or would have it. */
static double key_at(const fl_sample_growing *rows, double value)
{
    int32_t at = 0;
    while (at < rows->n && rows->values[at] <= value)
        at++;
    if (at == 0 || at == rows->n)
        return rows->keys[at == 0 ? 0 : rows->n - 1];
    double part = (value - rows->values[at - 1]) / (rows->values[at] - rows->values[at - 1]);
    return rows->keys[at - 1] + part * (rows->keys[at] - rows->keys[at - 1]);
}

static bool find_bounds(const fl_plan *plan, fl_col_id col, range *ret)
{
    fl_col_stats stats;
    double rows;
    return fl_estimate_col_stats(plan, col, &stats, &rows) && stats.has_bounds &&
           fl_value_to_double(&stats.min, &ret->low) && fl_value_to_double(&stats.max, &ret->high) &&
           ret->low < ret->high;
}

static double span(range r)
{
    return r.high - r.low;
}

static range both(range a, range b)
{
    return (range){fmax(a.low, b.low), fmin(a.high, b.high)};
}

double fl_meeting_range_factor(const fl_plan *plan, fl_col_id key, fl_col_id other, const fl_expr *const *conjuncts,
                               int32_t n)
{
    range of_key, of_other;
    fl_type type = fl_plan_col(plan, key)->type;
    if (n == 0 || !(fl_type_is_integer(type) || type.id == FL_DATE) ||
        !fl_type_is_equal(type, fl_plan_col(plan, other)->type) || !find_bounds(plan, key, &of_key) ||
        !find_bounds(plan, other, &of_other))
        return 1;
    double share = span(both(of_key, of_other)) / span(of_key);
    if (!(share > 0 && share < ALL_SHARE))
        return 1;
    range kept = of_key;
    bool chooses = false;
    for (int32_t i = 0; i < n; i++) {
        fl_col_id col = {0};
        range one;
        if (!range_of(conjuncts[i], DEPTH_MAX, &col, &one) || col.n == key.n || !fl_plan_is_one_scan(plan, key, col))
            continue;
        const fl_sample_growing *rows = fl_sample_estimate_growing(plan, key, col);
        if (rows == NULL)
            continue;
        /* between two whole values the rows change from one to the other */
        fl_type kind = fl_plan_col(plan, col)->type;
        double half = fl_type_is_integer(kind) || kind.id == FL_DATE ? 0.5 : 0;
        kept = both(kept, (range){isinf(one.low) ? of_key.low : key_at(rows, one.low - half),
                                  isinf(one.high) ? of_key.high : key_at(rows, one.high + half)});
        chooses = true;
    }
    if (!chooses || !(span(kept) > 0))
        return 1;
    return fmax(span(both(kept, of_other)) / span(kept), 0.01) / share;
}
