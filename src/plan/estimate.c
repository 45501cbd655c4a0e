/* Estimates. Constants where nothing is known are those of Selinger et al. 1979, tempered by what TPC-H shows. */
#include "plan/estimate.h"

#include "plan/table.h"

#include <math.h>

#define SELECTIVITY_MIN 1e-7
#define EQUAL_UNKNOWN 0.05
#define RANGE_UNKNOWN 0.3
#define LIKE_UNKNOWN 0.1
#define PARTS_MAX 4096 /* of an expression that is looked into: shared parts are met as often as they occur */
#define PAIRS_APART 32 /* the ends of a range are looked for so many conjuncts away */

static double clamp(double s)
{
    return s < SELECTIVITY_MIN ? SELECTIVITY_MIN : s > 1 ? 1 : s == s ? s : 0.5;
}

bool fl_estimate_col_stats(const fl_plan *plan, fl_col_id col, fl_col_stats *ret, double *ret_rows)
{
    const fl_col_info *info = fl_plan_col(plan, col);
    *ret = (fl_col_stats){.null_fraction = -1, .distinct = -1};
    fl_table *table = info->table;
    if (table == NULL)
        return false;
    *ret_rows = table->rows < 1 ? 1 : table->rows;
    if (table->ops->stats != NULL)
        table->ops->stats(table, info->table_col, ret);
    if (ret->distinct < 0) {
        double low, high;
        if (ret->has_bounds && (fl_type_is_integer(info->type) || info->type.id == FL_DATE) &&
            fl_value_to_double(&ret->min, &low) && fl_value_to_double(&ret->max, &high))
            ret->distinct = high - low + 1 < *ret_rows ? high - low + 1 : *ret_rows;
        else
            ret->distinct = fmax(1, pow(*ret_rows, 0.7));
    }
    return true;
}

double fl_estimate_distinct(const fl_plan *plan, const fl_expr *expr, double rows)
{
    fl_col_stats stats;
    double table_rows = 1, distinct = fmax(1, pow(rows, 0.8));
    if (expr->kind == FL_EXPR_COLUMN) {
        if (fl_estimate_col_stats(plan, expr->col, &stats, &table_rows))
            distinct = stats.distinct;
        else
            distinct = fmax(1, rows * 0.9);
    } else if (expr->kind == FL_EXPR_CONST) {
        distinct = 1;
    } else if (expr->type.id == FL_BOOL) {
        distinct = 2;
    } else if (expr->n_args > 0 && expr->kind != FL_EXPR_CASE && expr->size <= PARTS_MAX) {
        distinct = 1;
        for (int32_t i = 0; i < expr->n_args; i++)
            distinct *= fl_estimate_distinct(plan, expr->args[i], rows);
        if (expr->kind == FL_EXPR_CALL &&
            (strstr(expr->func->name, "extract") != NULL || strstr(expr->func->name, "date_part") != NULL))
            distinct = fmin(distinct, 40);
    }
    return distinct > rows ? fmax(1, rows) : distinct < 1 ? 1 : distinct;
}

/* The column below casts that keep order, and the constant as a double on its scale. */
static const fl_expr *plain_column(const fl_expr *e)
{
    while (e->kind == FL_EXPR_CAST && (fl_type_is_numeric(e->type) || fl_type_is_timestamp(e->type)))
        e = e->args[0];
    return e->kind == FL_EXPR_COLUMN ? e : NULL;
}

static bool as_double(const fl_expr *e, fl_type column, double *ret)
{
    if (e->kind != FL_EXPR_CONST || e->value->is_null || !fl_value_to_double(e->value, ret))
        return false;
    if (column.id == FL_DATE && fl_type_is_timestamp(e->type))
        *ret /= 86400e6;
    return true;
}

static double range_share(const fl_plan *plan, const fl_expr *col, const fl_expr *bound, bool below)
{
    fl_col_stats stats;
    double rows, low, high, at;
    if (!fl_estimate_col_stats(plan, col->col, &stats, &rows) || !stats.has_bounds ||
        !as_double(bound, col->type, &at) || !fl_value_to_double(&stats.min, &low) ||
        !fl_value_to_double(&stats.max, &high))
        return RANGE_UNKNOWN;
    if (high <= low)
        return (below ? low <= at : low >= at) ? 1 : SELECTIVITY_MIN;
    double share = (at - low) / (high - low);
    return clamp(below ? share : 1 - share);
}

static double equal_share(const fl_plan *plan, const fl_expr *a, const fl_expr *b)
{
    const fl_expr *x = plain_column(a), *y = plain_column(b);
    fl_col_stats sx, sy;
    double rows;
    if (x != NULL && y != NULL) {
        double dx = fl_estimate_col_stats(plan, x->col, &sx, &rows) ? sx.distinct : 100;
        double dy = fl_estimate_col_stats(plan, y->col, &sy, &rows) ? sy.distinct : 100;
        return 1 / fmax(1, fmax(dx, dy));
    }
    if (x == NULL)
        x = y, b = a;
    if (x != NULL && fl_estimate_col_stats(plan, x->col, &sx, &rows)) {
        double at, low, high;
        if (sx.has_bounds && as_double(b, x->type, &at) && fl_value_to_double(&sx.min, &low) &&
            fl_value_to_double(&sx.max, &high) && (at < low || at > high))
            return SELECTIVITY_MIN;
        return 1 / fmax(1, sx.distinct);
    }
    double distinct = fl_estimate_distinct(plan, a->kind == FL_EXPR_CONST ? b : a, 1e6);
    return distinct < 1e5 ? 1 / distinct : EQUAL_UNKNOWN;
}

static double call_selectivity(const fl_plan *plan, const fl_expr *e)
{
    const char *name = e->func->name;
    if (e->n_args == 2) {
        const fl_expr *a = e->args[0], *b = e->args[1];
        if (strcmp(name, "=") == 0)
            return equal_share(plan, a, b);
        if (strcmp(name, "<>") == 0)
            return 1 - equal_share(plan, a, b);
        if (name[0] == '<' || name[0] == '>') {
            const fl_expr *x = plain_column(a), *y = plain_column(b);
            if (x != NULL && b->kind == FL_EXPR_CONST)
                return range_share(plan, x, b, name[0] == '<');
            if (y != NULL && a->kind == FL_EXPR_CONST)
                return range_share(plan, y, a, name[0] == '>');
            return RANGE_UNKNOWN;
        }
    }
    return LIKE_UNKNOWN;
}

/* Parts are looked into as a tree, so only where they are small. */
static double part_selectivity(const fl_plan *plan, const fl_expr *e)
{
    return e->size > PARTS_MAX ? RANGE_UNKNOWN : fl_estimate_selectivity(plan, e);
}

double fl_estimate_selectivity(const fl_plan *plan, const fl_expr *e)
{
    double s = 1;
    switch (e->kind) {
    case FL_EXPR_CONST:
        return fl_expr_is_true(e) ? 1 : SELECTIVITY_MIN;
    case FL_EXPR_AND:
        return fl_estimate_conjuncts(plan, e->args, e->n_args);
    case FL_EXPR_OR:
        for (int32_t i = 0; i < e->n_args; i++)
            s *= 1 - part_selectivity(plan, e->args[i]);
        return clamp(1 - s);
    case FL_EXPR_NOT:
        return clamp(1 - part_selectivity(plan, e->args[0]));
    case FL_EXPR_IS_NULL: {
        fl_col_stats stats;
        double rows;
        if (e->args[0]->kind == FL_EXPR_COLUMN && fl_estimate_col_stats(plan, e->args[0]->col, &stats, &rows) &&
            stats.null_fraction >= 0)
            return clamp(stats.null_fraction);
        return 0.05;
    }
    case FL_EXPR_IN:
        return clamp((e->n_args - 1) * equal_share(plan, e->args[0], e->args[1]));
    case FL_EXPR_CALL:
        return clamp(call_selectivity(plan, e));
    default:
        return RANGE_UNKNOWN;
    }
}

double fl_estimate_conjuncts(const fl_plan *plan, const fl_expr *const *conjuncts, int32_t n)
{
    /* Ranges over one column are dependent: low and high ends are combined before they are multiplied. */
    double product = 1;
    for (int32_t i = 0; i < n; i++) {
        double s = fl_estimate_selectivity(plan, conjuncts[i]);
        const fl_expr *e = conjuncts[i];
        bool paired = false;
        if (e->kind == FL_EXPR_CALL && e->n_args == 2 && (e->func->name[0] == '<' || e->func->name[0] == '>') &&
            strcmp(e->func->name, "<>") != 0) {
            for (int32_t j = i < PAIRS_APART ? 0 : i - PAIRS_APART; j < n && j <= i + PAIRS_APART && !paired; j++) {
                const fl_expr *f = conjuncts[j];
                if (j == i || f->kind != FL_EXPR_CALL || f->n_args != 2 || f->args[0] != e->args[0] ||
                    (f->func->name[0] != '<' && f->func->name[0] != '>') || f->func->name[0] == e->func->name[0] ||
                    strcmp(f->func->name, "<>") == 0)
                    continue;
                paired = true;
                if (j > i)
                    s = clamp(s + fl_estimate_selectivity(plan, f) - 1);
                else
                    s = 1;
            }
        }
        product *= s;
    }
    return clamp(product);
}
