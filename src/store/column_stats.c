/* From segments to figures. Common values are chosen as PostgreSQL's ANALYZE chooses them: as many of the most frequent ones as
 * are clearly more frequent than those left out are on average. Because every column of many values has some that a sample
 * shows a few times by chance, they must also have been seen often enough for their share to be right. */
#include "store/column_stats.h"

#include "store/distinct_estimate.h"
#include "store/distinct_sketch.h"
#include "store/sample_values.h"

#include <math.h>

#define COMMON_COUNT_MIN 16   /* in a sample; its share is within a quarter then, two times of three */
#define COMMON_RATIO_MIN 1.25 /* to the mean of what is left out */
#define COMMON_DEVIATIONS 5   /* above it */

/* ---- what segments know -------------------------------------------------------------------------------------------- */

static void widen_bounds(fl_col_stats *stats, const fl_value *min, const fl_value *max)
{
    if (!stats->has_bounds || fl_value_compare(min, &stats->min) < 0)
        stats->min = *min;
    if (!stats->has_bounds || fl_value_compare(max, &stats->max) > 0)
        stats->max = *max;
    stats->has_bounds = true;
}

void fl_column_stats_init(const fl_stats_column *column, fl_col_stats *ret)
{
    double nulls = 0, coded = 0; /* coded: values of the largest dictionary */
    bool knows_nulls = true, knows_bounds = true;
    *ret = (fl_col_stats){.null_fraction = -1, .distinct = -1};
    if (column->rows <= 0)
        return;
    for (int64_t s = 0; s < column->n_segments; s++) {
        const fl_segment *segment = column->segments[s];
        const fl_vec *vec = &segment->vecs[column->col];
        const fl_value *min = &segment->min[column->col], *max = &segment->max[column->col];
        int64_t segment_nulls = vec->type.id == FL_NULL ? segment->rows : segment->nulls[column->col];
        if (segment->rows == 0)
            continue;
        knows_nulls &= segment_nulls >= 0;
        nulls += (double)segment_nulls;
        coded = vec->layout != FL_DICT || coded < 0 ? -1 : fmax(coded, (double)vec->child_rows);
        if (!min->is_null)
            widen_bounds(ret, min, max);
        else if (segment_nulls != segment->rows)
            knows_bounds = false;
    }
    ret->has_bounds &= knows_bounds;
    if (knows_nulls)
        ret->null_fraction = nulls / column->rows;
    if (column->is_unique && knows_nulls && nulls < column->rows) {
        ret->distinct = column->rows - nulls;
        ret->source = FL_STATS_EXACT;
    } else if (knows_nulls && nulls == column->rows) {
        ret->distinct = 1; /* of none there are none, but nobody wants to divide by that */
        ret->source = FL_STATS_EXACT;
    } else if (coded > 0) {
        ret->distinct = coded;
    }
}

/* More values than this cannot be: whole numbers between bounds, entries of dictionaries. */
static double distinct_limit(const fl_stats_column *column, const fl_col_stats *stats)
{
    double entries = 0, between = INFINITY;
    const fl_value *min = &stats->min, *max = &stats->max;
    for (int64_t s = 0; s < column->n_segments; s++) {
        const fl_segment *segment = column->segments[s];
        const fl_vec *vec = &segment->vecs[column->col];
        if (segment->rows > 0)
            entries += vec->layout == FL_DICT ? (double)vec->child_rows : INFINITY;
    }
    switch (column->type.id) {
    case FL_BOOL:
        return 2;
    case FL_DECIMAL:
        between = stats->has_bounds ? (double)max->d - (double)min->d + 1 : INFINITY;
        break;
    case FL_U64:
        between = stats->has_bounds ? (double)max->u - (double)min->u + 1 : INFINITY;
        break;
    case FL_F32:
    case FL_F64:
    case FL_UTF8:
    case FL_BINARY:
        break;
    default:
        between = stats->has_bounds ? (double)max->i - (double)min->i + 1 : INFINITY;
    }
    return fmax(1, fmin(entries, between));
}

fl_status fl_column_stats_count(const fl_stats_column *column, fl_memory *memory, fl_col_stats *stats, fl_err *err)
{
    fl_status st = FL_OK;
    fl_distinct_sketch *sketch = NULL;
    fl_work work = fl_work_of(memory);
    double nulls = 0;
    if (stats->source == FL_STATS_EXACT || column->rows <= 0)
        return FL_OK;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*sketch), (void **)&sketch, err));
    for (int64_t s = 0; s < column->n_segments; s++) {
        const fl_segment *segment = column->segments[s];
        const fl_vec *vec = &segment->vecs[column->col];
        for (int64_t row = 0; stats->null_fraction < 0 && row < segment->rows; row++)
            nulls += vec->type.id == FL_NULL || !fl_vec_is_valid(vec, row);
        if (fl_distinct_sketch_takes(vec->type))
            FL_TRY(fl_distinct_sketch_add(sketch, vec, segment->rows, &work, err));
    }
    if (stats->null_fraction < 0)
        stats->null_fraction = nulls / column->rows;
    if (fl_distinct_sketch_takes(column->type)) {
        double filled = column->rows * (1 - stats->null_fraction);
        stats->distinct = fmax(1, fmin(fl_distinct_sketch_count(sketch), filled));
        stats->source = FL_STATS_ANALYZE;
    }
cleanup:
    fl_free(sketch);
    return st;
}

/* ---- what a sample shows ------------------------------------------------------------------------------------------- */

/* The most frequent values of a sample, most frequent first, and of equally frequent ones the least. */
typedef struct ranking {
    int32_t n;
    int32_t at[FL_COMMON_VALUES_MAX]; /* places among the sample's values */
} ranking;

static void rank_values(const fl_sample_values *values, ranking *ret)
{
    const fl_sample_value *v = values->values;
    ret->n = 0;
    for (int32_t i = 0; i < values->n; i++) {
        int32_t to = ret->n;
        if (to == FL_COMMON_VALUES_MAX && v[ret->at[--to]].count >= v[i].count)
            continue;
        for (; to > 0 && v[ret->at[to - 1]].count < v[i].count; to--)
            ret->at[to] = ret->at[to - 1];
        ret->at[to] = i;
        ret->n += ret->n < FL_COMMON_VALUES_MAX;
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

/* Cuts the ranking to the values that are common; `seen` rows of the sample are not null, of `filled` of the column. */
static void keep_common(ranking *ranked, const fl_sample_values *values, double distinct, double seen, double filled)
{
    const fl_sample_value *v = values->values;
    double rows_left = seen;
    if (values->n <= FL_COMMON_VALUES_MAX && distinct <= values->n && values->n < seen)
        return; /* all that there are */
    int32_t count_min = seen < filled ? COMMON_COUNT_MIN : 2;
    while (ranked->n > 0 && v[ranked->at[ranked->n - 1]].count < count_min)
        ranked->n--;
    for (int32_t i = 0; i < ranked->n; i++)
        rows_left -= v[ranked->at[i]].count;
    for (; ranked->n > 0; ranked->n--) {
        int32_t count = v[ranked->at[ranked->n - 1]].count;
        rows_left += count; /* the value is held against those behind it and itself */
        if (stands_out(count, rows_left, distinct - (ranked->n - 1), seen, filled))
            return;
    }
}

typedef struct sampled_column {
    const fl_stats_column *column;
    const fl_row_sample *sample;
    fl_sample_values values;
    ranking ranked;
    fl_arena *arena; /* of what is kept */
} sampled_column;

static fl_status get_value(const sampled_column *s, int32_t at, fl_value *ret, fl_err *err)
{
    const fl_stats_column *c = s->column;
    return fl_sample_value_get(s->arena, c->segments, c->n_segments, c->col, s->sample, s->values.values[at].pick, ret,
                               err);
}

static fl_status make_common(const sampled_column *s, double row_share, fl_col_stats *stats, fl_err *err)
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

static fl_status make_histogram(const sampled_column *s, int64_t seen, fl_col_stats *stats, fl_err *err)
{
    fl_status st = FL_OK;
    fl_value *bounds = NULL;
    int64_t rows = seen, passed = 0;
    int32_t n = 0;
    for (int32_t i = 0; i < s->ranked.n; i++)
        rows -= s->values.values[s->ranked.at[i]].count;
    if (rows < 2)
        return FL_OK;
    int32_t parts = rows - 1 < FL_HISTOGRAM_PARTS ? (int32_t)rows - 1 : FL_HISTOGRAM_PARTS;
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

static double estimate(const fl_sample_values *values, double filled)
{
    fl_frequencies f = {0};
    for (int32_t i = 0; i < values->n; i++)
        fl_frequencies_add(&f, values->values[i].count);
    return fl_distinct_estimate(&f, filled);
}

static void set_distinct(const fl_stats_column *column, const fl_sample_values *values, bool is_whole, double filled,
                         fl_col_stats *stats)
{
    double limit = fmin(distinct_limit(column, stats), fmax(filled, 1));
    if (stats->source == FL_STATS_EXACT)
        return;
    if (is_whole || values->n >= limit) {
        stats->distinct = fmax(values->n, 1);
        stats->source = FL_STATS_EXACT;
        return;
    }
    double distinct = stats->source == FL_STATS_ANALYZE ? stats->distinct
                      : values->n > 0                   ? estimate(values, filled)
                                                        : filled; /* only nulls were seen: there are few others */
    stats->distinct = fmax(fmin(fmax(distinct, values->n), limit), 1);
    if (stats->source < FL_STATS_SAMPLE)
        stats->source = FL_STATS_SAMPLE;
}

fl_status fl_column_stats_add_sample(const fl_stats_column *column, const fl_row_sample *sample, fl_arena *arena,
                                     fl_memory *memory, fl_col_stats *stats, fl_err *err)
{
    fl_status st = FL_OK;
    sampled_column s = {.column = column, .sample = sample, .arena = arena};
    fl_arena scratch;
    fl_arena_init(&scratch, memory);
    if (sample->rows == 0 || !fl_sample_values_takes(column->type))
        goto cleanup;
    FL_TRY(fl_sample_values_sort(&scratch, column->segments, column->n_segments, column->col, sample, &s.values, err));
    int32_t seen = sample->rows - s.values.n_nulls;
    if (stats->null_fraction < 0)
        stats->null_fraction = (double)s.values.n_nulls / sample->rows;
    double filled = column->rows * (1 - stats->null_fraction);
    set_distinct(column, &s.values, sample->rows >= column->rows, filled, stats);
    if (seen == 0)
        goto cleanup;
    if (!column->is_unique) {
        rank_values(&s.values, &s.ranked);
        keep_common(&s.ranked, &s.values, stats->distinct, seen, filled);
    }
    FL_TRY(make_common(&s, (1 - stats->null_fraction) / seen, stats, err));
    st = make_histogram(&s, seen, stats, err);
cleanup:
    fl_arena_drop(&scratch);
    return st;
}
