/* Estimates. What a sample shows comes first, then common values and histograms, then bounds and distinct values; the constants
 * where nothing is known are those of Selinger et al. 1979, tempered by what TPC-H shows. */
#include "plan/estimate.h"

#include "base/hash.h"
#include "plan/false_statistics.h"
#include "plan/meeting_range.h"
#include "plan/plan_internal.h"
#include "plan/props.h"
#include "plan/rewrites.h"
#include "plan/sample_estimate.h"
#include "plan/table.h"

#include <math.h>

#define SELECTIVITY_MIN 1e-9
#define EQUAL_UNKNOWN 0.05
#define RANGE_UNKNOWN 0.3
#define LIKE_UNKNOWN 0.1
#define PARTS_MAX 4096      /* of an expression that is looked into: shared parts are met as often as they occur */
#define SAME_ROWS_KEYS 0.95 /* of the rows, that keys are at least: few are of two rows */
#define SAME_COLS_MAX 3     /* of each side that are looked at for being of the same rows */
#define PAIRS_APART 32      /* the ends of a range are looked for so many conjuncts away */

static double clamp(double s)
{
    return s < SELECTIVITY_MIN ? SELECTIVITY_MIN : s > 1 ? 1 : s == s ? s : 0.5;
}

double fl_estimate_table_rows(const fl_plan *plan, fl_table *table)
{
    double rows = table->rows;
    (void)fl_sample_estimate_rows(plan, table, &rows);
    return fmax(1, fl_false_table_rows(plan, table, rows));
}

bool fl_estimate_col_stats(const fl_plan *plan, fl_col_id col, fl_col_stats *ret, double *ret_rows)
{
    const fl_col_info *info = fl_plan_col(plan, col);
    *ret = (fl_col_stats){.null_fraction = -1, .distinct = -1};
    fl_table *table = info->table;
    if (table == NULL)
        return false;
    *ret_rows = fl_estimate_table_rows(plan, table);
    if (!fl_sample_estimate_stats(plan, table, info->table_col, ret) && table->ops->stats != NULL)
        table->ops->stats(table, info->table_col, ret);
    fl_false_col_stats(plan, table, info->table_col, ret);
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

/* Of `distinct` values that are equally frequent, how many are expected among `rows` rows (Cardenas 1975). */
static double drawn(double distinct, double rows)
{
    if (distinct <= 1 || rows <= 1)
        return 1;
    return fmin(rows, -expm1(rows * log1p(-1 / distinct)) * distinct);
}

double fl_estimate_distinct(const fl_plan *plan, const fl_expr *expr, double rows)
{
    fl_col_stats stats;
    double table_rows = 1, distinct = fmax(1, pow(rows, 0.8));
    if (expr->kind == FL_EXPR_COLUMN) {
        if (fl_estimate_col_stats(plan, expr->col, &stats, &table_rows))
            distinct = rows < table_rows ? drawn(stats.distinct, rows) : stats.distinct;
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

/* The constant as a value of the column's type; strings are those of the expression. */
static bool as_value(const fl_expr *e, fl_type column, fl_value *ret)
{
    if (e->kind != FL_EXPR_CONST || e->value->is_null || fl_type_is_nested(column))
        return false;
    *ret = *e->value;
    return fl_type_is_equal(e->type, column) || (!fl_type_is_string(e->type) && !fl_type_is_string(column) &&
                                                 fl_value_cast(e->value, column, ret, NULL) == FL_OK && !ret->is_null);
}

static double not_null_share(const fl_col_stats *stats)
{
    return stats->null_fraction > 0 ? fmax(0, 1 - stats->null_fraction) : 1;
}

/* ---- one column and a constant ------------------------------------------------------------------------------------ */

/* The share of the rows below a number: linear between bounds. */
static double share_between(double low, double high, double at)
{
    return high <= low ? (at >= low ? 1 : 0) : fmin(1, fmax(0, (at - low) / (high - low)));
}

/* What part of a histogram's rows lies at a value or beyond it that is beyond the end `from` of a histogram: half a part's rows at
 * the end, where nothing but a sample tells of the least and the greatest value, and fewer the farther it is away. */
static double share_beyond(const fl_col_stats *stats, const fl_value *from, const fl_value *at)
{
    int32_t parts = stats->n_histogram - 1;
    double low, high, x, end;
    if (stats->has_bounds)
        return 0;
    if (!fl_value_to_double(&stats->histogram[0], &low) || !fl_value_to_double(&stats->histogram[parts], &high) ||
        !fl_value_to_double(from, &end) || !fl_value_to_double(at, &x) || !(high > low))
        return 0.5 / parts;
    return 0.5 / parts / (1 + fabs(x - end) * parts / (high - low));
}

/* What part of a histogram's rows lies below the value: within a part values of which a number can be made lie evenly. */
static double histogram_share(const fl_col_stats *stats, const fl_value *at)
{
    int32_t low = 0, high = stats->n_histogram - 1;
    const fl_value *least = &stats->histogram[0], *greatest = &stats->histogram[high];
    double below, above, x, beyond = stats->has_bounds ? 0 : 0.5 / high;
    if (fl_value_compare(at, least) <= 0)
        return share_beyond(stats, least, at);
    if (fl_value_compare(at, greatest) >= 0)
        return 1 - share_beyond(stats, greatest, at);
    while (high - low > 1) {
        int32_t middle = (low + high) / 2;
        if (fl_value_compare(&stats->histogram[middle], at) < 0)
            low = middle;
        else
            high = middle;
    }
    double within = fl_value_to_double(&stats->histogram[low], &below) &&
                            fl_value_to_double(&stats->histogram[high], &above) && fl_value_to_double(at, &x)
                        ? share_between(below, above, x)
                        : 0.5;
    return fmin(fmax((low + within) / (stats->n_histogram - 1), beyond), 1 - beyond);
}

/* The share of all rows whose column is below the value (or above). */
static double range_share(const fl_plan *plan, const fl_expr *col, const fl_expr *bound, bool below)
{
    fl_col_stats stats;
    fl_value value;
    double rows, low, high, at;
    if (!fl_estimate_col_stats(plan, col->col, &stats, &rows))
        return RANGE_UNKNOWN;
    double not_null = not_null_share(&stats);
    if ((stats.n_common > 0 || stats.n_histogram > 0) && as_value(bound, col->type, &value)) {
        double common = 0, hit = 0;
        for (int32_t i = 0; i < stats.n_common; i++) {
            common += stats.common[i].share;
            hit += (fl_value_compare(&stats.common[i].value, &value) < 0) == below ? stats.common[i].share : 0;
        }
        double rest = fmax(0, not_null - common);
        double part = stats.n_histogram > 0 ? histogram_share(&stats, &value) : 0.5;
        return clamp(hit + rest * (below ? part : 1 - part));
    }
    if (!stats.has_bounds || !as_double(bound, col->type, &at) || !fl_value_to_double(&stats.min, &low) ||
        !fl_value_to_double(&stats.max, &high))
        return RANGE_UNKNOWN * not_null;
    if (high <= low)
        return clamp(not_null * ((below ? low <= at : low >= at) ? 1 : 0));
    double share = share_between(low, high, at);
    return clamp(not_null * (below ? share : 1 - share));
}

/* The share of all rows whose column is the constant. */
static double value_share(const fl_col_stats *stats, const fl_expr *e, fl_type column)
{
    fl_value value;
    double at, low, high, common = 0;
    bool is_value = as_value(e, column, &value);
    if (stats->has_bounds && as_double(e, column, &at) && fl_value_to_double(&stats->min, &low) &&
        fl_value_to_double(&stats->max, &high) && (at < low || at > high))
        return SELECTIVITY_MIN;
    for (int32_t i = 0; i < stats->n_common; i++) {
        if (is_value && fl_value_compare(&stats->common[i].value, &value) == 0)
            return stats->common[i].share;
        common += stats->common[i].share;
    }
    double others = fmax(1, stats->distinct - stats->n_common);
    return clamp(fmax(0, not_null_share(stats) - common) / others);
}

/* ---- two columns -------------------------------------------------------------------------------------------------- */

/* Whether the grid has all of the columns, and which they are. */
static bool find_places(const fl_known_grid *grid, const fl_col_id *cols, int32_t n, int32_t *ret_places)
{
    for (int32_t i = 0; i < n; i++) {
        int32_t at = 0;
        while (at < grid->n && grid->cols[at].n != cols[i].n)
            at++;
        if (at == grid->n)
            return false;
        ret_places[i] = at;
    }
    return true;
}

static fl_status make_grid(const fl_plan *plan, const fl_col_id *cols, int32_t n, const fl_grid_column *columns,
                           const fl_known_grid **ret)
{
    fl_status st = FL_OK;
    fl_plan_making *making = plan->making;
    fl_known_grid *made = NULL;
    int64_t known = making->grids_capacity;
    FL_TRY(fl_grow(plan->memory, (void **)&making->grids, &making->grids_capacity, fl_plan_cols(plan) + 1,
                   (int64_t)sizeof(*making->grids), NULL));
    for (int64_t i = known; i < making->grids_capacity; i++)
        making->grids[i] = NULL;
    FL_TRY(FL_NEW(&making->arena, &made, NULL));
    FL_TRY(fl_value_grid_make(&making->arena, fl_plan_col(plan, cols[0])->type, columns, n, &made->grid, NULL));
    memcpy(made->cols, cols, (size_t)n * sizeof(*cols));
    made->n = n;
    for (int32_t i = 0; i < n; i++)
        making->grids[cols[i].n] = made;
    *ret = made;
cleanup:
    return st;
}

/* A grid that there is already; NULL: none has all of the columns. */
static const fl_value_grid *find_grid(const fl_plan *plan, const fl_col_id *cols, int32_t n, int32_t *ret_places)
{
    const fl_plan_making *making = plan->making;
    const fl_known_grid *grid = cols[0].n < making->grids_capacity ? making->grids[cols[0].n] : NULL;
    return grid != NULL && find_places(grid, cols, n, ret_places) ? &grid->grid : NULL;
}

const fl_value_grid *fl_estimate_value_grid(const fl_plan *plan, const fl_col_id *cols, int32_t n, int32_t *ret_places)
{
    fl_col_stats stats[2 * FL_EQUAL_COLS_MAX];
    fl_grid_column columns[2 * FL_EQUAL_COLS_MAX];
    int32_t n_skewed = 0;
    if (plan->making == NULL || plan->making->samples == NULL) /* nobody optimizes */
        return NULL;
    const fl_known_grid *made = NULL;
    const fl_value_grid *known = find_grid(plan, cols, n, ret_places);
    if (known != NULL)
        return known;
    for (int32_t i = 0; i < n; i++) {
        columns[i].stats = &stats[i];
        if (!fl_type_is_equal(fl_plan_col(plan, cols[i])->type, fl_plan_col(plan, cols[0])->type) ||
            !fl_estimate_col_stats(plan, cols[i], &stats[i], &columns[i].rows))
            return NULL;
        n_skewed += stats[i].n_common > 0;
        ret_places[i] = i;
    }
    return n_skewed > 1 && make_grid(plan, cols, n, columns, &made) == FL_OK ? &made->grid : NULL;
}

/* The share of pairs that meet in their equal columns, of which those of a side have met before, by how often each value occurs;
 * negative: distinct values tell. Grids of more than a pair are those of the order of joins: there is no other one for each way to
 * it. */
static double grid_share(const fl_plan *plan, const fl_equal_cols *left, const fl_equal_cols *right)
{
    fl_col_id cols[2 * FL_EQUAL_COLS_MAX];
    int32_t places[2 * FL_EQUAL_COLS_MAX], n = left->n + right->n;
    memcpy(cols, left->cols, (size_t)left->n * sizeof(*cols));
    memcpy(cols + left->n, right->cols, (size_t)right->n * sizeof(*cols));
    const fl_value_grid *grid =
        n == 2 ? fl_estimate_value_grid(plan, cols, n, places) : find_grid(plan, cols, n, places);
    if (grid == NULL)
        return -1;
    double of_left = left->n > 1 ? fl_value_grid_share(grid, places, left->n) : 1;
    double of_right = right->n > 1 ? fl_value_grid_share(grid, places + left->n, right->n) : 1;
    return of_left > 0 && of_right > 0 ? clamp(fl_value_grid_share(grid, places, n) / of_left / of_right) : -1;
}

/* The values of a side are at most those of the column with the fewest, and of the side with fewer all are met. */
static double distinct_share(const fl_plan *plan, const fl_equal_cols *left, const fl_equal_cols *right)
{
    double least[2] = {INFINITY, INFINITY}, share = 1;
    for (int32_t s = 0; s < 2; s++) {
        const fl_equal_cols *side = s == 0 ? left : right;
        for (int32_t i = 0; i < side->n; i++) {
            fl_col_stats stats;
            double rows;
            bool knows = fl_estimate_col_stats(plan, side->cols[i], &stats, &rows);
            least[s] = fmin(least[s], knows ? stats.distinct : 100);
            share *= knows && side->n == 1 ? not_null_share(&stats) : 1;
        }
    }
    return share / fmax(1, fmax(least[0], least[1]));
}

/* Columns in any order. */
static uint64_t hash_cols(const fl_equal_cols *cols)
{
    uint64_t hash = 0;
    for (int32_t i = 0; i < cols->n; i++)
        hash += fl_hash_combine((uint64_t)cols->cols[i].n, 0);
    return hash;
}

/* By values found once for the same columns: joins of them are made by the dozen. */
static double meeting_share(const fl_plan *plan, const fl_equal_cols *left, const fl_equal_cols *right)
{
    fl_plan_making *making = plan->making;
    if (making == NULL || making->samples == NULL)
        return distinct_share(plan, left, right);
    uint64_t key = fl_hash_combine(hash_cols(left), hash_cols(right)) | 1;
    int32_t at = fl_index_map_find(&making->meeting_places, key);
    if (at >= 0)
        return making->meetings[at];
    double share = grid_share(plan, left, right);
    if (share < 0 && left->n + right->n > 2)
        return distinct_share(plan, left, right); /* a grid may come */
    if (share < 0)
        share = distinct_share(plan, left, right);
    if (fl_grow(plan->memory, (void **)&making->meetings, &making->meetings_capacity, making->n_meetings + 1,
                (int64_t)sizeof(*making->meetings), NULL) == FL_OK &&
        fl_index_map_add(&making->meeting_places, key, making->n_meetings, NULL) == FL_OK)
        making->meetings[making->n_meetings++] = share;
    return share;
}

static double equal_share(const fl_plan *plan, const fl_expr *a, const fl_expr *b)
{
    const fl_expr *x = plain_column(a), *y = plain_column(b);
    fl_col_stats sx;
    double rows_x;
    if (x != NULL && y != NULL) {
        fl_equal_cols of_x = {.cols = {x->col}, .n = 1}, of_y = {.cols = {y->col}, .n = 1};
        return meeting_share(plan, &of_x, &of_y);
    }
    if (x == NULL)
        x = y, b = a;
    if (x != NULL && fl_estimate_col_stats(plan, x->col, &sx, &rows_x))
        return value_share(&sx, b, x->type);
    double distinct = fl_estimate_distinct(plan, a->kind == FL_EXPR_CONST ? b : a, 1e6);
    return distinct < 1e5 ? 1 / distinct : EQUAL_UNKNOWN;
}

/* ---- predicates --------------------------------------------------------------------------------------------------- */

/* LIKE with a constant pattern: letters that are fixed keep rows out, up to a word's length; where it must begin with them they
 * keep more. */
static double like_share(const fl_expr *e)
{
    if (e->args[1]->kind != FL_EXPR_CONST || e->args[1]->value->is_null || !fl_type_is_string(e->args[1]->type))
        return LIKE_UNKNOWN;
    fl_str pattern = e->args[1]->value->s;
    double share = 1;
    int32_t n_fixed = 0;
    for (int64_t i = 0; i < pattern.len; i++)
        n_fixed += pattern.data[i] != '%' && pattern.data[i] != '_';
    for (int32_t i = 0; i < n_fixed && i < 5; i++)
        share *= 0.55;
    return pattern.len > 0 && pattern.data[0] == '%' ? share : share * 0.3;
}

static double call_selectivity(const fl_plan *plan, const fl_expr *e)
{
    const char *name = e->func->name;
    if (e->n_args >= 2) {
        const fl_expr *a = e->args[0], *b = e->args[1];
        if (fl_expr_is_equality(e))
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
        if (strcmp(name, "like") == 0 || strcmp(name, "ilike") == 0)
            return like_share(e);
        if (strcmp(name, "not_like") == 0 || strcmp(name, "not_ilike") == 0)
            return 1 - like_share(e);
    }
    return LIKE_UNKNOWN;
}

/* Parts are looked into as a tree, so only where they are small. */
static double part_selectivity(const fl_plan *plan, const fl_expr *e)
{
    return e->size > PARTS_MAX ? RANGE_UNKNOWN : fl_estimate_selectivity(plan, e);
}

static double in_selectivity(const fl_plan *plan, const fl_expr *e)
{
    double sum = 0;
    for (int32_t i = 1; i < e->n_args && sum < 1; i++)
        sum += equal_share(plan, e->args[0], e->args[i]);
    return sum;
}

/* What is known of an expression, which is asked for once for each operator that is made with it; NULL: it cannot be kept. Valid
 * until the next call. */
static fl_known_share *known_share(const fl_plan *plan, const fl_expr *e)
{
    fl_plan_making *making = plan->making;
    if (making == NULL || making->samples == NULL)
        return NULL;
    int32_t at = fl_index_map_find(&making->share_places, fl_index_map_key(e));
    if (at >= 0)
        return &making->shares[at];
    if (fl_grow(plan->memory, (void **)&making->shares, &making->shares_capacity, making->n_shares + 1,
                (int64_t)sizeof(*making->shares), NULL) != FL_OK ||
        fl_index_map_add(&making->share_places, fl_index_map_key(e), making->n_shares, NULL) != FL_OK)
        return NULL;
    making->shares[making->n_shares] = (fl_known_share){-1, -1};
    return &making->shares[making->n_shares++];
}

/* Of a conjunct by figures, without a look at rows. */
static double compute_figured(const fl_plan *plan, const fl_expr *e)
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
        return clamp(in_selectivity(plan, e));
    case FL_EXPR_CALL:
        return clamp(call_selectivity(plan, e));
    default:
        return RANGE_UNKNOWN;
    }
}

static double figured_selectivity(const fl_plan *plan, const fl_expr *e)
{
    const fl_known_share *known = known_share(plan, e);
    if (known != NULL && known->figured >= 0)
        return known->figured;
    double figured = compute_figured(plan, e);
    fl_known_share *kept = known_share(plan, e);
    if (kept != NULL)
        kept->figured = figured;
    return figured;
}

/* Few hits are not believed alone: one more among as many rows as the figures say that one is among. */
static double seen_share(const fl_sample_estimate *sample, double figured)
{
    if (sample->hits >= FL_SAMPLE_HITS_MIN)
        return clamp(sample->hits / sample->rows);
    return clamp((sample->hits + 1) / (sample->rows + 1 / clamp(figured)));
}

static double compute_selectivity(const fl_plan *plan, const fl_expr *e)
{
    bool is_seen = false;
    fl_sample_estimate sample;
    fl_sample_estimate_conjuncts(plan, &e, 1, &is_seen, &sample);
    if (is_seen && sample.hits >= FL_SAMPLE_HITS_MIN)
        return clamp(sample.hits / sample.rows);
    double figured = figured_selectivity(plan, e);
    return is_seen ? seen_share(&sample, figured) : figured;
}

double fl_estimate_selectivity(const fl_plan *plan, const fl_expr *e)
{
    const fl_known_share *known = known_share(plan, e);
    if (known != NULL && known->whole >= 0)
        return known->whole;
    double share = compute_selectivity(plan, e);
    fl_known_share *kept = known_share(plan, e);
    if (kept != NULL)
        kept->whole = share;
    return share;
}

double fl_estimate_condition(const fl_plan *plan, const fl_expr *condition)
{
    double share = fl_estimate_selectivity(plan, condition);
    const fl_expr *implied;
    for (int32_t i = 0; (implied = fl_plan_implied(plan, condition, i)) != NULL; i++)
        share /= fl_estimate_selectivity(plan, implied);
    return clamp(share);
}

static bool is_range(const fl_expr *e)
{
    return e->kind == FL_EXPR_CALL && e->n_args == 2 && (e->func->name[0] == '<' || e->func->name[0] == '>') &&
           strcmp(e->func->name, "<>") != 0;
}

/* The number of the conjunct that is the other end of a range over the same; -1: none. */
static int32_t find_other_end(const fl_expr *const *conjuncts, int32_t n, int32_t i)
{
    const fl_expr *e = conjuncts[i];
    for (int32_t j = i < PAIRS_APART ? 0 : i - PAIRS_APART; is_range(e) && j < n && j <= i + PAIRS_APART; j++)
        if (j != i && is_range(conjuncts[j]) && conjuncts[j]->args[0] == e->args[0] &&
            conjuncts[j]->func->name[0] != e->func->name[0])
            return j;
    return -1;
}

double fl_estimate_conjuncts(const fl_plan *plan, const fl_expr *const *conjuncts, int32_t n)
{
    bool few[64] = {false}, *is_seen = n <= FL_LEN(few) ? few : NULL;
    fl_sample_estimate sample = {0};
    double product = 1, seen_product = 1;
    if (is_seen != NULL)
        fl_sample_estimate_conjuncts(plan, conjuncts, n, is_seen, &sample);
    for (int32_t i = 0; i < n; i++) {
        double s = is_seen != NULL && is_seen[i] ? figured_selectivity(plan, conjuncts[i])
                                                 : fl_estimate_selectivity(plan, conjuncts[i]);
        int32_t other = find_other_end(conjuncts, n, i);
        if (other > i) /* both ends are dependent: what neither cuts off */
            s = clamp(s + figured_selectivity(plan, conjuncts[other]) - 1);
        else if (other >= 0)
            s = 1;
        if (is_seen != NULL && is_seen[i])
            seen_product *= s;
        else
            product *= s;
    }
    if (sample.rows > 0)
        seen_product = seen_share(&sample, seen_product);
    return n == 0 ? 1 : clamp(fl_false_share(plan, product * seen_product, conjuncts, n));
}

/* ---- joins -------------------------------------------------------------------------------------------------------- */

/* A side of the equalities of a join: whether all of its columns are of one scan, and how many rows its table has. */
typedef struct key_side {
    fl_col_id col; /* the first */
    bool is_one_table;
    double rows;
} key_side;

static void note_key(const fl_plan *plan, key_side *side, const fl_expr *col)
{
    const fl_col_info *info = fl_plan_col(plan, col->col);
    if (info->table == NULL || (side->col.n != 0 && !fl_plan_is_one_scan(plan, side->col, col->col))) {
        side->is_one_table = false;
        return;
    }
    side->col = col->col;
    side->rows = fl_estimate_table_rows(plan, info->table);
}

typedef struct keeping {
    fl_col_id col;
    const fl_expr *conjuncts[8]; /* more are not looked at */
    int32_t n;
} keeping;

/* Whether the expression reads the column alone. */
static bool reads_only(const fl_expr *e, fl_col_id col)
{
    if (e->kind == FL_EXPR_COLUMN)
        return e->col.n == col.n;
    for (int32_t i = 0; i < e->n_args; i++)
        if (!reads_only(e->args[i], col))
            return false;
    return e->kind != FL_EXPR_SUBQUERY;
}

static fl_status note_kept(void *ctx, const fl_expr *expr, fl_err *err)
{
    (void)err;
    keeping *k = ctx;
    if (expr->type.id == FL_BOOL && (expr->flags & FL_EXPR_HAS_COLUMN) && expr->size <= PARTS_MAX &&
        reads_only(expr, k->col) && k->n < FL_LEN(k->conjuncts))
        k->conjuncts[k->n++] = expr;
    return FL_OK;
}

/* The leaf that makes a column; NULL: none does. */
static const fl_node *find_leaf(const fl_node *node, fl_col_id col)
{
    while (node->n_inputs > 0) {
        int32_t i = 0;
        while (i < node->n_inputs && !fl_col_set_has(&node->inputs[i]->made, col))
            i++;
        if (i == node->n_inputs)
            return NULL;
        node = node->inputs[i];
    }
    return node;
}

/* The share of a column's values that is left by what the leaf which makes it filters it by. */
static double kept_values(const fl_plan *plan, const fl_node *node, fl_col_id col)
{
    keeping k = {.col = col};
    node = find_leaf(node, col);
    if (node == NULL)
        return 1;
    (void)fl_node_visit_exprs(node, note_kept, &k, NULL);
    return k.n == 0 ? 1 : fl_estimate_conjuncts(plan, k.conjuncts, k.n);
}

static fl_status note_conjunct(void *ctx, const fl_expr *expr, fl_err *err)
{
    (void)err;
    keeping *k = ctx;
    if (expr->type.id == FL_BOOL && (expr->flags & FL_EXPR_HAS_COLUMN) && k->n < FL_LEN(k->conjuncts))
        k->conjuncts[k->n++] = expr;
    return FL_OK;
}

/* The conjuncts of the scan that makes the column, and of filters right above it; false: no scan does. */
static bool find_filters(const fl_node *node, fl_col_id col, keeping *ret)
{
    const fl_node *leaf = find_leaf(node, col);
    if (leaf == NULL)
        return false;
    while (true) {
        if (node->n_inputs > 1)
            ret->n = 0;
        else if (node->op->rewrites != NULL && node->op->rewrites->tests != NULL)
            (void)fl_node_visit_exprs(node, note_conjunct, ret, NULL);
        if (node == leaf)
            return true;
        int32_t i = 0;
        while (!fl_col_set_has(&node->inputs[i]->made, col))
            i++;
        node = node->inputs[i];
    }
}

double fl_estimate_kept_in_range(const fl_plan *plan, const fl_node *node, fl_col_id col, fl_col_id other)
{
    keeping k = {.col = col};
    return fl_plan_col(plan, col)->table != NULL && fl_plan_col(plan, other)->table != NULL &&
                   find_filters(node, col, &k)
               ? fl_meeting_range_factor(plan, col, other, k.conjuncts, k.n)
               : 1;
}

double fl_estimate_same_rows(const fl_plan *plan, const fl_node *a, fl_col_id a_col, const fl_node *b, fl_col_id b_col)
{
    const fl_col_info *of_a = fl_plan_col(plan, a_col), *of_b = fl_plan_col(plan, b_col);
    keeping by_a = {.col = a_col}, by_b = {.col = b_col};
    fl_col_stats stats;
    double rows;
    if (of_a->table == NULL || of_a->table != of_b->table || of_a->table_col != of_b->table_col ||
        !fl_estimate_col_stats(plan, a_col, &stats, &rows) || stats.distinct < SAME_ROWS_KEYS * rows)
        return 1;
    if (!find_filters(a, a_col, &by_a) || !find_filters(b, b_col, &by_b))
        return 1;
    return fl_sample_estimate_overlap(plan, by_a.conjuncts, by_a.n, by_b.conjuncts, by_b.n);
}

/* Of each column of the left side with the first one of the right side that is of the same rows. */
static double same_rows(const fl_plan *plan, const fl_node *left, const fl_equal_cols *of_left, const fl_node *right,
                        const fl_equal_cols *of_right)
{
    double factor = 1;
    for (int32_t i = 0; i < of_left->n && i < SAME_COLS_MAX; i++)
        for (int32_t k = 0; k < of_right->n && k < SAME_COLS_MAX; k++) {
            double one = fl_estimate_same_rows(plan, left, of_left->cols[i], right, of_right->cols[k]);
            factor *= one;
            if (one != 1)
                break;
        }
    /* where other columns are equal already, they are in the range that was looked at */
    if (of_left->n == 1)
        factor *= fl_estimate_kept_in_range(plan, left, of_left->cols[0], of_right->cols[0]);
    if (of_right->n == 1)
        factor *= fl_estimate_kept_in_range(plan, right, of_right->cols[0], of_left->cols[0]);
    return factor;
}

/* An equality of a column of each side. Where both sides are filtered by their column, as a condition is that holds of equal
 * columns, the values which are left meet as all of them would. */
static double equality_share(const fl_plan *plan, const fl_expr *e, const fl_expr *x, const fl_node *left,
                             const fl_expr *y, const fl_node *right,
                             void (*find_equal)(const fl_node *input, fl_equal_cols *cols))
{
    fl_col_stats sx, sy;
    double rows;
    double kept_x = kept_values(plan, left, x->col), kept_y = kept_values(plan, right, y->col);
    if (kept_x == 1 || kept_y == 1) {
        fl_equal_cols of_left = {.cols = {x->col}, .n = 1}, of_right = {.cols = {y->col}, .n = 1};
        find_equal(left, &of_left);
        find_equal(right, &of_right);
        return clamp(meeting_share(plan, &of_left, &of_right) * same_rows(plan, left, &of_left, right, &of_right));
    }
    if (!fl_estimate_col_stats(plan, x->col, &sx, &rows) || !fl_estimate_col_stats(plan, y->col, &sy, &rows))
        return fl_estimate_selectivity(plan, e);
    return fmax(fl_estimate_selectivity(plan, e), 1 / fmax(1, fmax(sx.distinct * kept_x, sy.distinct * kept_y)));
}

double fl_estimate_join(const fl_plan *plan, const fl_expr *const *conjuncts, int32_t n, const fl_node *left,
                        const fl_node *right, void (*find_equal)(const fl_node *input, fl_equal_cols *cols))
{
    double equal = 1, strongest = 1, rest = 1;
    int32_t n_equal = 0;
    key_side sides[2] = {{.is_one_table = true}, {.is_one_table = true}};
    for (int32_t i = 0; i < n; i++) {
        const fl_expr *e = conjuncts[i];
        bool is_equality = fl_expr_is_equality(e);
        const fl_expr *x = is_equality ? plain_column(e->args[0]) : NULL,
                      *y = is_equality ? plain_column(e->args[1]) : NULL;
        if (x != NULL && y != NULL && fl_col_set_has(&right->made, x->col)) {
            const fl_expr *other = x;
            x = y;
            y = other;
        }
        if (x == NULL || y == NULL || !fl_col_set_has(&left->made, x->col) || !fl_col_set_has(&right->made, y->col)) {
            rest *= fl_estimate_condition(plan, e);
            continue;
        }
        double share = equality_share(plan, e, x, left, y, right, find_equal);
        equal *= share;
        strongest = fmin(strongest, share);
        n_equal++;
        note_key(plan, &sides[0], x);
        note_key(plan, &sides[1], y);
    }
    /* A key of several columns: no side has more combinations than its table has rows, and the smaller one's are met. Of what
     * is computed that is not known: all but the strongest are taken for half dependent. */
    if (n_equal > 1 && sides[0].is_one_table && sides[1].is_one_table)
        equal = fmax(equal, 1 / fmin(sides[0].rows, sides[1].rows));
    else if (n_equal > 1)
        equal = strongest * sqrt(equal / strongest);
    return clamp(equal * rest);
}
