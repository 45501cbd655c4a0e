/* From segments to figures. */
#include "store/column_stats.h"

#include "plan/sample_stats.h"
#include "store/distinct_sketch.h"

#include <math.h>

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
        int64_t rows = fl_segment_live_rows(segment);
        int64_t segment_nulls = vec->type.id == FL_NULL ? rows : segment->nulls[column->col];
        if (rows == 0)
            continue;
        knows_nulls &= segment_nulls >= 0;
        nulls += (double)segment_nulls;
        coded = vec->layout != FL_DICT || coded < 0 ? -1 : fmax(coded, (double)vec->child_rows);
        if (!min->is_null)
            widen_bounds(ret, min, max);
        else if (segment_nulls != rows)
            knows_bounds = false;
    }
    ret->has_bounds &= knows_bounds;
    FL_ASSERT(!knows_nulls || nulls <= column->rows);
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

/* More values than dictionaries have entries there cannot be. */
static double count_entries(const fl_stats_column *column)
{
    double entries = 0;
    for (int64_t s = 0; s < column->n_segments; s++) {
        const fl_segment *segment = column->segments[s];
        const fl_vec *vec = &segment->vecs[column->col];
        if (segment->rows > 0)
            entries += vec->layout == FL_DICT ? (double)vec->child_rows : INFINITY;
    }
    return entries;
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
            nulls += fl_segment_is_live(segment, row) && (vec->type.id == FL_NULL || !fl_vec_is_valid(vec, row));
        if (fl_distinct_sketch_takes(vec->type))
            FL_TRY(fl_distinct_sketch_add(sketch, vec, segment->live, segment->rows, &work, err));
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

fl_status fl_column_stats_add_sample(const fl_stats_column *column, const fl_row_sample *sample, fl_arena *arena,
                                     fl_memory *memory, fl_col_stats *stats, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_vec **vecs = NULL;
    fl_arena scratch;
    fl_arena_init(&scratch, memory);
    FL_TRY(FL_NEW_ARRAY(&scratch, column->n_segments + 1, &vecs, err));
    for (int64_t s = 0; s < column->n_segments; s++)
        vecs[s] = &column->segments[s]->vecs[column->col];
    fl_sampled_column sampled = {.column = {.type = column->type,
                                            .vecs = vecs,
                                            .n_vecs = column->n_segments,
                                            .starts = sample->starts,
                                            .rows = sample->places},
                                 .sample = {.rows = sample->rows, .likeness = 1},
                                 .rows = column->rows,
                                 .distinct_max = count_entries(column),
                                 .is_unique = column->is_unique};
    st = fl_sample_stats_add(&sampled, arena, memory, stats, err);
cleanup:
    fl_arena_drop(&scratch);
    return st;
}
