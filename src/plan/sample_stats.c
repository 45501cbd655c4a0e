/* From a sample to figures. Common values are chosen as PostgreSQL's ANALYZE chooses them: as many of the most frequent ones as
 * are clearly more frequent than those left out are on average. Because every column of many values has some that a sample
 * shows a few times by chance, they must also have been seen often enough for their share to be right. */
#include "plan/sample_stats.h"

#include "plan/distinct_estimate.h"
#include "plan/sample_estimate.h"

#include <math.h>

#define COMMON_COUNT_MIN 16   /* in a sample; its share is within a quarter then, two times of three */
#define COMMON_RATIO_MIN 1.25 /* to the mean of what is left out */
#define COMMON_DEVIATIONS 5   /* above it */
#define ALIKE_MIN 3           /* eight places, or two, differ less by chance alone */
#define PART_ROWS_MIN 4       /* picked by themselves, of a part of a histogram; bounds tell more than fewer do */
#define PARTS_MIN 8           /* beside bounds */

/* The most frequent values of a sample, most frequent first, and of equally frequent ones the least. */
typedef struct ranking {
    int32_t n;
    int32_t at[FL_COMMON_VALUES_MAX]; /* places among the sample's values */
} ranking;

typedef struct sampled {
    const fl_sampled_column *column;
    fl_sample_values values;
    int32_t seen;  /* rows of the sample that are not null */
    double filled; /* rows of the table that are not */
    ranking ranked;
    fl_arena *arena; /* of what is kept */
} sampled;

static bool has_places(const sampled *s)
{
    return s->column->sample.n_places >= 2;
}

/* Whether rows of a place are so alike that they do not tell of the table. */
static bool is_clustered(const sampled *s)
{
    return has_places(s) && s->column->sample.likeness >= ALIKE_MIN;
}

/* Counts the rows of each place that have the value. */
static void count_hits(const sampled *s, const fl_sample_value *value, int32_t hits[FL_SAMPLE_PLACES_MAX])
{
    const fl_table_sample *sample = &s->column->sample;
    memset(hits, 0, FL_SAMPLE_PLACES_MAX * sizeof(*hits));
    for (int32_t i = 0; i < value->count; i++) {
        int32_t place = 0;
        while (s->values.picks[value->first + i] >= sample->place_ends[place])
            place++;
        hits[place]++;
    }
}

/* ---- distinct values ----------------------------------------------------------------------------------------------- */

/* Whole numbers from one to the other. */
static double count_between(fl_type type, const fl_value *min, const fl_value *max)
{
    switch (type.id) {
    case FL_BOOL:
        return 2;
    case FL_DECIMAL:
        return (double)max->d - (double)min->d + 1;
    case FL_U64:
        return (double)max->u - (double)min->u + 1;
    case FL_F32:
    case FL_F64:
    case FL_UTF8:
    case FL_BINARY:
        return INFINITY;
    default:
        return (double)max->i - (double)min->i + 1;
    }
}

/* More values than this there are not. Without bounds: those between the least and the greatest that were seen, and one in each of
 * the rows that may lie beyond. */
static fl_status find_limit(const sampled *s, const fl_col_stats *stats, fl_arena *scratch, double *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_sampled_column *c = s->column;
    const fl_sample_value *v = s->values.values;
    fl_value least, greatest;
    double limit = fmin(c->distinct_max, s->filled);
    if (stats->has_bounds || c->column.type.id == FL_BOOL) {
        limit = fmin(limit, count_between(c->column.type, &stats->min, &stats->max));
    } else if (s->values.n > 0) {
        double beyond = 2 * s->filled * c->sample.likeness / s->seen;
        FL_TRY(fl_sample_value_get(scratch, &c->column, s->values.picks[v[0].first], &least, err));
        FL_TRY(fl_sample_value_get(scratch, &c->column, s->values.picks[v[s->values.n - 1].first], &greatest, err));
        limit = fmin(limit, count_between(c->column.type, &least, &greatest) + beyond);
    }
    *ret = fmax(1, limit);
cleanup:
    return st;
}

static double estimate_evenly(const fl_sample_values *values, double filled)
{
    fl_frequencies f = {0};
    for (int32_t i = 0; i < values->n; i++)
        fl_frequencies_add(&f, values->values[i].count);
    return fl_distinct_estimate(&f, filled);
}

/* Of a place how many values there are, and that all but one are new there; unless most values are in several places. */
static double estimate_by_place(const sampled *s)
{
    const fl_table_sample *sample = &s->column->sample;
    fl_frequencies f = {0};
    int32_t n_shared = 0;
    for (int32_t i = 0; i < s->values.n; i++) {
        int32_t n_places = 0, hits[FL_SAMPLE_PLACES_MAX];
        count_hits(s, &s->values.values[i], hits);
        for (int32_t p = 0; p < sample->n_places; p++) {
            if (hits[p] > 0)
                fl_frequencies_add(&f, hits[p]);
            n_places += hits[p] > 0;
        }
        n_shared += n_places > 1;
    }
    double even = estimate_evenly(&s->values, s->filled), place_rows = fmax(s->column->place_rows, 1);
    if (2 * n_shared > s->values.n)
        return even;
    double of_place = fl_distinct_estimate(&f, place_rows * sample->n_places) / sample->n_places;
    return fmax(even, 1 + (of_place - 1) * s->filled / place_rows);
}

static void set_distinct(const sampled *s, double limit, fl_col_stats *stats)
{
    const fl_sampled_column *c = s->column;
    double seen = s->values.n;
    if (stats->source == FL_STATS_EXACT)
        return;
    if (c->sample.rows >= c->rows || seen >= limit) {
        stats->distinct = fmax(seen, 1);
        stats->source = FL_STATS_EXACT;
        return;
    }
    bool is_known = stats->source == FL_STATS_ANALYZE ||
                    (stats->source == FL_STATS_FOOTER && stats->distinct >= 0 && stats->distinct < limit);
    double distinct = is_known          ? stats->distinct
                      : seen == 0       ? s->filled /* only nulls were seen: there are few others */
                      : is_clustered(s) ? estimate_by_place(s)
                                        : estimate_evenly(&s->values, s->filled);
    stats->distinct = fmax(fmin(fmax(distinct, seen), limit), 1);
    if (stats->source < FL_STATS_SAMPLE)
        stats->source = FL_STATS_SAMPLE;
}

/* ---- common values ------------------------------------------------------------------------------------------------- */

/* Whether a value is frequent in some places alone, as far as these tell. */
static bool is_local(const sampled *s, const fl_sample_value *value)
{
    int32_t hits[FL_SAMPLE_PLACES_MAX];
    if (!has_places(s) || value->count < COMMON_COUNT_MIN)
        return false;
    count_hits(s, value, hits);
    double likeness = fl_sample_likeness_of_hits(&s->column->sample, hits);
    return likeness >= ALIKE_MIN && value->count / likeness < COMMON_COUNT_MIN;
}

static void rank_values(sampled *s, bool takes_local)
{
    const fl_sample_value *v = s->values.values;
    ranking *to = &s->ranked;
    to->n = 0;
    for (int32_t i = 0; i < s->values.n; i++) {
        int32_t at = to->n;
        if (at == FL_COMMON_VALUES_MAX && v[to->at[--at]].count >= v[i].count)
            continue;
        if (!takes_local && is_local(s, &v[i]))
            continue;
        for (; at > 0 && v[to->at[at - 1]].count < v[i].count; at--)
            to->at[at] = to->at[at - 1];
        to->at[at] = i;
        to->n += to->n < FL_COMMON_VALUES_MAX;
    }
}

/* Whether a value seen so many times is clearly more frequent than the mean of `others` values that share `rows_left` of
 * the sample's rows. */
static bool stands_out(int32_t count, double rows_left, double others, double sampled, double rows)
{
    double mean = others > 0 ? rows_left / others : 0, share = fmin(mean / sampled, 1);
    double variance = rows > 1 ? mean * (1 - share) * (rows - sampled) / (rows - 1) : 0;
    return count > mean + COMMON_DEVIATIONS * sqrt(fmax(variance, 0)) + 0.5 && count >= COMMON_RATIO_MIN * mean;
}

/* Ranks the values that are common. */
static void find_common(sampled *s, double distinct)
{
    const fl_sample_value *v = s->values.values;
    ranking *ranked = &s->ranked;
    double rows_left = s->seen;
    bool is_all = s->values.n <= FL_COMMON_VALUES_MAX && distinct <= s->values.n && s->values.n < s->seen;
    rank_values(s, is_all);
    if (is_all)
        return;
    int32_t count_min = s->seen < s->filled ? COMMON_COUNT_MIN : 2;
    while (ranked->n > 0 && v[ranked->at[ranked->n - 1]].count < count_min)
        ranked->n--;
    for (int32_t i = 0; i < ranked->n; i++)
        rows_left -= v[ranked->at[i]].count;
    for (; ranked->n > 0; ranked->n--) {
        int32_t count = v[ranked->at[ranked->n - 1]].count;
        rows_left += count; /* the value is held against those behind it and itself */
        if (stands_out(count, rows_left, distinct - (ranked->n - 1), s->seen, s->filled))
            return;
    }
}

/* ---- figures ------------------------------------------------------------------------------------------------------- */

static fl_status get_value(const sampled *s, int32_t at, fl_value *ret, fl_err *err)
{
    return fl_sample_value_get(s->arena, &s->column->column, s->values.picks[s->values.values[at].first], ret, err);
}

static fl_status make_common(const sampled *s, double row_share, fl_col_stats *stats, fl_err *err)
{
    fl_status st = FL_OK;
    fl_common_value *common = NULL;
    FL_TRY(FL_NEW_ARRAY(s->arena, s->ranked.n + 1, &common, err));
    for (int32_t i = 0; i < s->ranked.n; i++) {
        common[i].share = s->values.values[s->ranked.at[i]].count * row_share;
        FL_TRY(get_value(s, s->ranked.at[i], &common[i].value, err));
    }
    stats->common = common;
    stats->n_common = s->ranked.n;
cleanup:
    return st;
}

static bool is_common(const ranking *ranked, int32_t at)
{
    for (int32_t i = 0; i < ranked->n; i++)
        if (ranked->at[i] == at)
            return true;
    return false;
}

/* Parts of a histogram of so many rows: fewer where rows are alike, none where bounds tell as much. */
static int32_t count_parts(const sampled *s, int64_t rows, bool has_bounds)
{
    double parts = fmin((double)rows - 1, FL_HISTOGRAM_PARTS);
    if (!is_clustered(s))
        return (int32_t)parts;
    parts = fmin(parts, (double)rows / s->column->sample.likeness / PART_ROWS_MIN);
    return parts >= PARTS_MIN ? (int32_t)parts : has_bounds ? 0 : rows > PARTS_MIN ? PARTS_MIN : 1;
}

static fl_status make_histogram(const sampled *s, fl_col_stats *stats, fl_err *err)
{
    fl_status st = FL_OK;
    fl_value *bounds = NULL;
    int64_t rows = s->seen, passed = 0;
    int32_t n = 0;
    for (int32_t i = 0; i < s->ranked.n; i++)
        rows -= s->values.values[s->ranked.at[i]].count;
    int32_t parts = rows < 2 ? 0 : count_parts(s, rows, stats->has_bounds);
    if (parts == 0)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(s->arena, parts + 1, &bounds, err));
    for (int32_t i = 0; i < s->values.n && n <= parts; i++) {
        if (is_common(&s->ranked, i))
            continue;
        passed += s->values.values[i].count;
        for (bool is_first = true; n <= parts && passed > (rows - 1) * n / parts; n++, is_first = false)
            if (is_first)
                FL_TRY(get_value(s, i, &bounds[n], err));
            else
                bounds[n] = bounds[n - 1];
    }
    stats->histogram = bounds;
    stats->n_histogram = n;
cleanup:
    return st;
}

fl_status fl_sample_stats_add(const fl_sampled_column *column, fl_arena *arena, fl_memory *memory, fl_col_stats *stats,
                              fl_err *err)
{
    fl_status st = FL_OK;
    sampled s = {.column = column, .arena = arena};
    double limit = 1;
    fl_arena scratch;
    fl_arena_init(&scratch, memory);
    if (column->sample.rows == 0 || !fl_sample_values_takes(column->column.type))
        goto cleanup;
    FL_TRY(fl_sample_values_sort(&scratch, &column->column, &s.values, err));
    s.seen = column->sample.rows - s.values.n_nulls;
    if (stats->null_fraction < 0)
        stats->null_fraction = (double)s.values.n_nulls / column->sample.rows;
    s.filled = column->rows * (1 - stats->null_fraction);
    FL_TRY(find_limit(&s, stats, &scratch, &limit, err));
    set_distinct(&s, limit, stats);
    if (s.seen == 0)
        goto cleanup;
    if (!column->is_unique)
        find_common(&s, stats->distinct);
    FL_TRY(make_common(&s, (1 - stats->null_fraction) / s.seen, stats, err));
    FL_TRY(make_histogram(&s, stats, err));
    FL_ASSERT(stats->n_histogram == 0 || stats->n_histogram >= 2);
    for (int32_t i = 1; i < stats->n_histogram; i++)
        FL_ASSERT_SLOW(fl_value_compare(&stats->histogram[i - 1], &stats->histogram[i]) <= 0);
    for (int32_t i = 1; i < stats->n_common; i++)
        FL_ASSERT_SLOW(stats->common[i - 1].share >= stats->common[i].share);
cleanup:
    fl_arena_drop(&scratch);
    return st;
}
