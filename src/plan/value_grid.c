/* Cutting values into cells, and spreading what is known of a column over them. */
#include "plan/value_grid.h"

#include <math.h>
#include <stdlib.h>

#define POINTS_MAX 64 /* common values that are cells; the others are counted among those that are not common */
#define RANGES_MAX 64
#define KEY_SHARE 0.95 /* of the rows, that values of a key are as many as */

/* A stretch of a column's values that are not common, equally frequent: as numbers, (low, high]. */
typedef struct part {
    double low, high;
    double share, distinct;
} part;

typedef struct spread {
    const fl_grid_column *column;
    part *parts;
    int32_t n;
    double average; /* share of one of the values that are not common */
    bool is_key;    /* each of them is as frequent as the others */
} spread;

typedef struct point {
    const fl_value *value;
    double weight; /* the greatest of its shares */
    double at;     /* as a number */
} point;

typedef struct grid_maker {
    fl_arena *arena;
    fl_type type;
    const fl_grid_column *columns;
    int32_t n_columns;
    bool is_number; /* all bounds and common values are */
    point *points;
    int32_t n_points;
    double *cuts; /* of ranges: between cuts[i] and cuts[i + 1] */
    int32_t n_ranges;
    spread *spreads;
} grid_maker;

/* ---- points --------------------------------------------------------------------------------------------------------- */

static int by_weight(const void *a, const void *b)
{
    const point *x = a, *y = b;
    return x->weight != y->weight ? (x->weight > y->weight ? -1 : 1) : fl_value_compare(x->value, y->value);
}

static int by_value(const void *a, const void *b)
{
    return fl_value_compare(((const point *)a)->value, ((const point *)b)->value);
}

static fl_status find_points(grid_maker *m, fl_err *err)
{
    int32_t all = 0, n = 0;
    for (int32_t c = 0; c < m->n_columns; c++)
        all += m->columns[c].stats->n_common;
    fl_status st = FL_NEW_ARRAY(m->arena, all + 1, &m->points, err);
    if (st != FL_OK)
        return st;
    all = 0;
    for (int32_t c = 0; c < m->n_columns; c++)
        for (int32_t i = 0; i < m->columns[c].stats->n_common; i++) {
            const fl_common_value *common = &m->columns[c].stats->common[i];
            m->points[all++] = (point){&common->value, common->share, 0};
        }
    qsort(m->points, (size_t)all, sizeof(*m->points), by_value);
    for (int32_t i = 0; i < all; i++) {
        if (n > 0 && fl_value_compare(m->points[n - 1].value, m->points[i].value) == 0)
            m->points[n - 1].weight = fmax(m->points[n - 1].weight, m->points[i].weight);
        else
            m->points[n++] = m->points[i];
    }
    if (n > POINTS_MAX) {
        qsort(m->points, (size_t)n, sizeof(*m->points), by_weight);
        n = POINTS_MAX;
        qsort(m->points, (size_t)n, sizeof(*m->points), by_value);
    }
    m->n_points = n;
    for (int32_t i = 0; i < n; i++)
        m->is_number &= fl_value_to_double(m->points[i].value, &m->points[i].at);
    return FL_OK;
}

/* The number of the cell of a value; -1: it has none. */
static int32_t find_point(const grid_maker *m, const fl_value *value)
{
    point key = {.value = value};
    const point *found = bsearch(&key, m->points, (size_t)m->n_points, sizeof(key), by_value);
    return found == NULL ? -1 : (int32_t)(found - m->points);
}

/* ---- what is not common --------------------------------------------------------------------------------------------- */

static double clear_of_nulls(const fl_col_stats *stats)
{
    return stats->null_fraction > 0 ? fmax(0, 1 - stats->null_fraction) : 1;
}

/* Bounds of a histogram as parts; a part of one value goes to the one before. */
static void add_parts(spread *s, double share)
{
    const fl_col_stats *stats = s->column->stats;
    double low, high;
    for (int32_t i = 0; i + 1 < stats->n_histogram; i++) {
        if (!fl_value_to_double(&stats->histogram[i], &low) || !fl_value_to_double(&stats->histogram[i + 1], &high) ||
            !(high >= low))
            return;
        if (high > low || s->n == 0)
            s->parts[s->n++] = (part){low, high, share, 0};
        else
            s->parts[s->n - 1].share += share;
    }
}

/* Values are spread over the parts as rows are, but that of whole numbers there are no more than lie in a part. */
static void share_values(spread *s, bool is_whole, double others)
{
    double sum = 0;
    for (int32_t i = 0; i < s->n; i++) {
        part *p = &s->parts[i];
        p->distinct = fmax(1, p->share * s->column->rows);
        if (is_whole) /* the first one has its low end, too */
            p->distinct = fmin(p->distinct, fmax(1, p->high - p->low + (i == 0 ? 1 : 0)));
        sum += p->distinct;
    }
    for (int32_t i = 0; i < s->n; i++)
        s->parts[i].distinct *= others / sum;
}

static fl_status spread_values(const grid_maker *m, const fl_grid_column *column, spread *s, fl_err *err)
{
    const fl_col_stats *stats = column->stats;
    double common = 0, low, high;
    int32_t n_points = 0;
    for (int32_t i = 0; i < stats->n_common; i++) {
        bool is_point = find_point(m, &stats->common[i].value) >= 0;
        common += is_point ? stats->common[i].share : 0;
        n_points += is_point;
    }
    double rest = fmax(0, clear_of_nulls(stats) - common), others = fmax(0, stats->distinct - n_points);
    *s = (spread){.column = column};
    fl_status st = FL_NEW_ARRAY(m->arena, stats->n_histogram + 1, &s->parts, err);
    if (st != FL_OK || others < 1 || rest <= 0)
        return st;
    s->average = rest / others;
    s->is_key = stats->n_common == 0 && others >= KEY_SHARE * column->rows;
    if (m->is_number && stats->n_histogram >= 2)
        add_parts(s, rest / (stats->n_histogram - 1));
    else if (m->is_number && stats->has_bounds && fl_value_to_double(&stats->min, &low) &&
             fl_value_to_double(&stats->max, &high) && high >= low)
        s->parts[s->n++] = (part){low, high, rest, others};
    if (s->n == 0)
        s->parts[s->n++] = (part){-INFINITY, INFINITY, rest, others};
    bool is_whole = fl_type_is_integer(m->type) || m->type.id == FL_DATE;
    share_values(s, is_whole, others);
    return FL_OK;
}

/* ---- ranges --------------------------------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Bounds of all columns' parts are cuts; of many as many as there is room for, evenly. */
static fl_status find_ranges(grid_maker *m, fl_err *err)
{
    int32_t all = 0, n = 0, kept = 0;
    for (int32_t c = 0; c < m->n_columns; c++)
        all += 2 * m->spreads[c].n;
    fl_status st = FL_NEW_ARRAY(m->arena, all + 2, &m->cuts, err);
    if (st != FL_OK)
        return st;
    for (int32_t c = 0; c < m->n_columns; c++)
        for (int32_t i = 0; i < m->spreads[c].n; i++) {
            const part *p = &m->spreads[c].parts[i];
            if (i == 0 && isfinite(p->low))
                m->cuts[n++] = p->low;
            if (isfinite(p->high))
                m->cuts[n++] = p->high;
        }
    qsort(m->cuts, (size_t)n, sizeof(*m->cuts), by_number);
    for (int32_t i = 0; i < n; i++)
        if (kept == 0 || m->cuts[i] > m->cuts[kept - 1])
            m->cuts[kept++] = m->cuts[i];
    if (kept > RANGES_MAX + 1) {
        for (int32_t i = 0; i <= RANGES_MAX; i++)
            m->cuts[i] = m->cuts[(int64_t)i * (kept - 1) / RANGES_MAX];
        kept = RANGES_MAX + 1;
    }
    if (kept == 1)
        m->cuts[kept++] = m->cuts[0];
    m->n_ranges = kept < 2 ? 1 : kept - 1;
    if (kept < 2)
        m->cuts[0] = -INFINITY, m->cuts[1] = INFINITY;
    return FL_OK;
}

/* ---- cells ---------------------------------------------------------------------------------------------------------- */

/* The part that a number lies in; NULL: none. Where values are no numbers, or nothing is known of where they lie, there is one part. */
static part *find_part(const spread *s, double at)
{
    int32_t low = 0, high = s->n - 1;
    if (s->n == 0 || isinf(s->parts[0].low))
        return s->n == 0 ? NULL : &s->parts[0];
    while (low < high) { /* the first that ends there or behind it */
        int32_t middle = (low + high) / 2;
        if (s->parts[middle].high < at)
            low = middle + 1;
        else
            high = middle;
    }
    return at >= s->parts[low].low && at <= s->parts[low].high ? &s->parts[low] : NULL;
}

/* The share of a value that is common in another column: it is taken out of the part that it lies in. */
static double take_value(const spread *s, double at)
{
    part *in = find_part(s, at);
    if (in == NULL) /* a sample's ends are not those of the table */
        return s->column->stats->has_bounds ? 0 : s->average / 2;
    double share = s->is_key ? s->average : in->share / fmax(in->distinct, 1);
    in->share = fmax(0, in->share - share);
    in->distinct = fmax(0, in->distinct - 1);
    return share;
}

static void fill_points(const grid_maker *m, const spread *s, fl_grid_cell *cells)
{
    const fl_col_stats *stats = s->column->stats;
    for (int32_t i = 0; i < m->n_points; i++)
        cells[i].distinct = 0;
    for (int32_t i = 0; i < stats->n_common; i++) {
        int32_t at = find_point(m, &stats->common[i].value);
        if (at >= 0)
            cells[at] = (fl_grid_cell){stats->common[i].share, 1};
    }
    for (int32_t i = 0; i < m->n_points; i++)
        if (cells[i].distinct == 0)
            cells[i] = (fl_grid_cell){take_value(s, m->points[i].at), 1};
}

static void add_to_cell(fl_grid_cell *cell, const part *of, double share)
{
    cell->each += of->share * share;
    cell->distinct += of->distinct * share;
}

/* Parts and ranges ascend. A part of one value goes to the range that it begins. */
static void fill_ranges(const grid_maker *m, const spread *s, fl_grid_cell *cells)
{
    int32_t range = 0;
    for (int32_t i = 0; i < s->n; i++) {
        const part *p = &s->parts[i];
        for (int32_t r = 0; isinf(p->low) && r < m->n_ranges; r++)
            add_to_cell(&cells[r], p, 1.0 / m->n_ranges);
        if (isinf(p->low))
            continue;
        while (range < m->n_ranges - 1 && m->cuts[range + 1] <= p->low)
            range++;
        if (p->high <= p->low)
            add_to_cell(&cells[range], p, 1);
        for (int32_t r = range; r < m->n_ranges && m->cuts[r] < p->high && p->high > p->low; r++) {
            double from = fmax(m->cuts[r], p->low), to = fmin(m->cuts[r + 1], p->high);
            add_to_cell(&cells[r], p, (to - from) / (p->high - p->low));
        }
    }
    for (int32_t r = 0; r < m->n_ranges; r++)
        cells[r].each = cells[r].distinct > 0 ? cells[r].each / cells[r].distinct : 0;
}

fl_status fl_value_grid_make(fl_arena *arena, fl_type type, const fl_grid_column *columns, int32_t n,
                             fl_value_grid *ret, fl_err *err)
{
    fl_status st = FL_OK;
    grid_maker m = {.arena = arena, .type = type, .columns = columns, .n_columns = n, .is_number = true};
    fl_value_grid grid = {.n_columns = n};
    if (fl_type_is_string(type) || fl_type_is_nested(type))
        m.is_number = false;
    FL_TRY(find_points(&m, err));
    FL_TRY(FL_NEW_ARRAY(arena, n, &m.spreads, err));
    for (int32_t c = 0; c < n; c++)
        FL_TRY(spread_values(&m, &columns[c], &m.spreads[c], err));
    FL_TRY(find_ranges(&m, err));
    grid.n_cells = m.n_points + m.n_ranges;
    FL_TRY(FL_NEW_ARRAY(arena, (int64_t)n * grid.n_cells, &grid.cells, err));
    for (int32_t c = 0; c < n; c++)
        fill_points(&m, &m.spreads[c], grid.cells + (int64_t)c * grid.n_cells);
    for (int32_t c = 0; c < n; c++)
        fill_ranges(&m, &m.spreads[c], grid.cells + (int64_t)c * grid.n_cells + m.n_points);
    *ret = grid;
cleanup:
    return st;
}

double fl_value_grid_share(const fl_value_grid *grid, const int32_t *list, int32_t n)
{
    double sum = 0;
    for (int32_t cell = 0; cell < grid->n_cells; cell++) {
        double product = 1, least = INFINITY;
        for (int32_t i = 0; i < n; i++) {
            const fl_grid_cell *c = &grid->cells[(int64_t)list[i] * grid->n_cells + cell];
            product *= c->each;
            least = c->distinct < least ? c->distinct : least;
        }
        sum += product * least;
    }
    return sum;
}
