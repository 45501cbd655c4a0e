/* Keeping statistics: what was given out is never changed or freed before the table is. */
#include "store/table_stats.h"

#include "arrow/bounds.h"
#include "arrow/vec_check.h"
#include "store/column_stats.h"
#include "store/table_order.h"

#include <math.h>

#define LAZY_ROWS 16384     /* of the sample that statistics are made of when a query needs them */
#define ANALYZE_ROWS 131072 /* of ANALYZE's */
#define DRIFT_PART 16       /* figures are looked for anew when more than one row in so many has changed */
#define WINDOW_ROWS 65536   /* a segment's builder takes row numbers of 16 bits */

void fl_table_stats_init(fl_table_stats *stats, const fl_table *table, fl_memory *memory)
{
    *stats = (fl_table_stats){.table = table, .memory = memory};
    pthread_mutex_init(&stats->lock, NULL);
    fl_arena_init(&stats->arena, memory);
    fl_arena_init(&stats->analyzed_arena, memory);
}

void fl_table_stats_set_segments(fl_table_stats *stats, fl_segment *const *segments, int64_t n_segments)
{
    stats->segments = segments;
    stats->n_segments = n_segments;
}

void fl_table_stats_drop(fl_table_stats *stats)
{
    for (int32_t i = 0; stats->samples != NULL && i < stats->table->n_cols; i++)
        fl_segment_unref(stats->samples[i]);
    for (int32_t i = 0; stats->retired != NULL && i < stats->table->n_cols; i++)
        fl_segment_unref(stats->retired[i]);
    stats->samples = stats->retired = NULL;
    fl_arena_drop(&stats->arena);
    fl_arena_drop(&stats->analyzed_arena);
    pthread_mutex_destroy(&stats->lock);
}

static fl_stats_column column_of(const fl_table_stats *stats, int32_t col)
{
    const fl_table *table = stats->table;
    bool is_unique = false;
    for (int32_t k = 0; k < table->n_keys; k++)
        is_unique |= table->keys[k].n_cols == 1 && table->keys[k].cols[0] == col;
    return (fl_stats_column){.segments = stats->segments,
                             .n_segments = stats->n_segments,
                             .col = col,
                             .type = table->fields[col].type,
                             .rows = table->rows,
                             .is_unique = is_unique};
}

/* ---- a column when it is asked for ---------------------------------------------------------------------------------- */

static fl_status make_column(fl_table_stats *stats, const fl_stats_column *column, fl_col_stats *io, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_stats *made = NULL;
    fl_row_sample rows;
    if (stats->rows.places == NULL) {
        FL_TRY(fl_row_sample_pick(&stats->arena, stats->segments, stats->n_segments, LAZY_ROWS, &rows, err));
        stats->rows = rows;
    }
    if (stats->cols == NULL)
        FL_TRY(FL_NEW_ARRAY(&stats->arena, stats->table->n_cols, &stats->cols, err));
    FL_TRY(FL_NEW(&stats->arena, &made, err));
    *made = *io;
    FL_TRY(fl_column_stats_add_sample(column, &stats->rows, &stats->arena, stats->memory, made, err));
    stats->cols[column->col] = made;
    *io = *made;
cleanup:
    return st;
}

void fl_table_stats_get(fl_table_stats *stats, int32_t col, fl_col_stats *ret)
{
    pthread_mutex_lock(&stats->lock);
    if (stats->analyzed != NULL) {
        *ret = stats->analyzed[col];
    } else if (stats->cols != NULL && stats->cols[col] != NULL) {
        *ret = *stats->cols[col];
    } else {
        fl_stats_column column = column_of(stats, col);
        fl_column_stats_init(&column, ret);
        if (column.rows > 0)
            (void)make_column(stats, &column, ret, NULL); /* no memory: asked again next time */
    }
    pthread_mutex_unlock(&stats->lock);
}

/* ---- orders --------------------------------------------------------------------------------------------------------- */

int32_t fl_table_stats_orders(fl_table_stats *stats, const fl_table_order *declared, const fl_table_order **ret)
{
    const fl_table_order *found = NULL;
    int32_t n = 0;
    pthread_mutex_lock(&stats->lock);
    if (stats->orders == NULL && fl_table_order_find(&stats->arena, stats->segments, stats->n_segments,
                                                     stats->table->n_cols, declared, &found, &n, NULL) == FL_OK) {
        stats->orders = found;
        stats->n_orders = n;
    }
    *ret = stats->orders;
    n = stats->orders == NULL ? 0 : stats->n_orders;
    pthread_mutex_unlock(&stats->lock);
    return n;
}

/* ---- ANALYZE -------------------------------------------------------------------------------------------------------- */

static fl_status analyze_columns(const fl_table_stats *stats, fl_memory *memory, fl_arena *arena, fl_col_stats **ret,
                                 fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena scratch;
    fl_col_stats *cols = NULL;
    fl_row_sample rows;
    fl_work work = fl_work_of(memory);
    fl_arena_init(&scratch, memory);
    FL_TRY(fl_row_sample_pick(&scratch, stats->segments, stats->n_segments, ANALYZE_ROWS, &rows, err));
    FL_TRY(FL_NEW_ARRAY(arena, stats->table->n_cols + 1, &cols, err));
    for (int32_t i = 0; i < stats->table->n_cols; i++) {
        fl_stats_column column = column_of(stats, i);
        fl_column_stats_init(&column, &cols[i]);
        FL_TRY(fl_work_add(&work, FL_WORK_STEPS, err)); /* sorting the sample takes milliseconds */
        if (rows.rows < column.rows)
            FL_TRY(fl_column_stats_count(&column, memory, &cols[i], err));
        FL_TRY(fl_column_stats_add_sample(&column, &rows, arena, memory, &cols[i], err));
    }
    *ret = cols;
cleanup:
    fl_arena_drop(&scratch);
    return st;
}

fl_status fl_table_stats_analyze(fl_table_stats *stats, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_stats *cols = NULL;
    fl_arena arena; /* others may ask for figures meanwhile */
    fl_arena_init(&arena, stats->memory);
    pthread_mutex_lock(&stats->lock);
    bool is_done = stats->analyzed != NULL;
    pthread_mutex_unlock(&stats->lock);
    if (is_done)
        return FL_OK;
    FL_TRY(analyze_columns(stats, memory, &arena, &cols, err));
    pthread_mutex_lock(&stats->lock);
    if (stats->analyzed == NULL) {
        stats->analyzed_arena = arena;
        stats->analyzed = cols;
        fl_arena_init(&arena, stats->memory);
    }
    pthread_mutex_unlock(&stats->lock);
cleanup:
    fl_arena_drop(&arena);
    return st;
}

/* ---- the sample ----------------------------------------------------------------------------------------------------- */

static fl_status add_picks(const fl_table_stats *stats, int64_t seg, int32_t col, fl_segment_builder *builder,
                           fl_arena *scratch, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_segment *segment = stats->segments[seg];
    uint16_t list[FL_SAMPLE_ROWS_MAX];
    int64_t pick = stats->picks.starts[seg], end = stats->picks.starts[seg + 1];
    while (pick < end) {
        int64_t start = stats->picks.places[pick] / WINDOW_ROWS * WINDOW_ROWS, left = segment->rows - start;
        int32_t n = 0;
        fl_vec window;
        for (; pick < end && stats->picks.places[pick] < start + WINDOW_ROWS; pick++)
            list[n++] = (uint16_t)(stats->picks.places[pick] - start);
        FL_TRY(
            fl_vec_slice(scratch, &segment->vecs[col], start, left < WINDOW_ROWS ? left : WINDOW_ROWS, &window, err));
        FL_ASSERT_NO_FAULT(fl_list_fault(list, n, WINDOW_ROWS));
        FL_TRY(fl_segment_builder_add(builder, &window, list, n, err));
    }
cleanup:
    return st;
}

static fl_status sample_column(fl_table_stats *stats, int32_t col, fl_err *err)
{
    fl_status st = FL_OK;
    fl_segment_builder *builder = NULL;
    fl_segment *segment = NULL;
    fl_arena scratch;
    fl_arena_init(&scratch, stats->memory);
    FL_TRY(fl_segment_builder_new(stats->memory, &stats->table->fields[col].type, 1, FL_SEGMENT_TABLE, &builder, err));
    for (int64_t s = 0; s < stats->n_segments; s++)
        FL_TRY(add_picks(stats, s, col, builder, &scratch, err));
    FL_TRY(fl_segment_builder_finish(builder, &segment, err));
    FL_ASSERT(segment->rows == stats->picks.rows); /* row i is the same one in the sample of each column */
    if (segment->vecs[0].layout == FL_FLAT)
        fl_vec_set_bounds(&segment->vecs[0], fl_bounds_of_values(&segment->min[0], &segment->max[0]));
    stats->samples[col] = segment;
cleanup:
    fl_segment_builder_free(builder);
    fl_arena_drop(&scratch);
    return st;
}

static bool has_samples(const fl_table_stats *stats, const int32_t *cols, int32_t n_cols)
{
    for (int32_t i = 0; i < n_cols; i++)
        if (stats->samples[cols[i]] == NULL)
            return false;
    return true;
}

fl_status fl_table_stats_sample(fl_table_stats *stats, const int32_t *cols, int32_t n_cols, fl_vec *ret_vecs,
                                fl_table_sample *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_row_sample picks;
    pthread_mutex_lock(&stats->lock);
    if (stats->is_sample_inherited && !has_samples(stats, cols, n_cols)) {
        stats->is_sample_inherited = false;
        stats->retired = stats->samples;
        stats->samples = NULL;
    }
    if (stats->picks.places == NULL && !stats->is_sample_inherited) {
        FL_TRY(fl_row_sample_pick(&stats->arena, stats->segments, stats->n_segments, FL_SAMPLE_ROWS_MAX, &picks, err));
        stats->picks = picks;
        stats->sample_rows = picks.rows;
    }
    if (stats->samples == NULL)
        FL_TRY(FL_NEW_ARRAY(&stats->arena, stats->table->n_cols + 1, &stats->samples, err));
    for (int32_t i = 0; i < n_cols; i++) {
        FL_ASSERT(cols[i] >= 0 && cols[i] < stats->table->n_cols);
        if (stats->samples[cols[i]] == NULL)
            FL_TRY(sample_column(stats, cols[i], err));
        ret_vecs[i] = stats->samples[cols[i]]->vecs[0];
    }
    *ret = (fl_table_sample){.rows = stats->sample_rows, .likeness = 1};
cleanup:
    pthread_mutex_unlock(&stats->lock);
    return st;
}

/* ---- from version to version ---------------------------------------------------------------------------------------- */

/* Copies values that were common, with shares as they can be now. Those beyond the bounds are gone. */
static fl_status copy_common(fl_table_stats *stats, const fl_col_stats *from, fl_col_stats *io, fl_err *err)
{
    fl_status st = FL_OK;
    fl_common_value *common = NULL;
    double shares = 0, most = 1 - fmax(io->null_fraction, 0);
    FL_TRY(FL_NEW_ARRAY(&stats->arena, from->n_common + 1, &common, err));
    for (int32_t i = 0; i < from->n_common; i++) {
        const fl_value *value = &from->common[i].value;
        if (io->has_bounds && (fl_value_compare(value, &io->min) < 0 || fl_value_compare(value, &io->max) > 0))
            continue;
        fl_common_value *to = &common[io->n_common++];
        to->share = from->common[i].share;
        shares += to->share;
        FL_TRY(fl_value_copy(&stats->arena, value, &to->value, err));
    }
    for (int32_t i = 0; i < io->n_common && shares > most; i++)
        common[i].share *= most / shares;
    io->common = common;
cleanup:
    return st;
}

/* Copies a histogram; what lies beyond the bounds goes to them. */
static fl_status copy_histogram(fl_table_stats *stats, const fl_col_stats *from, fl_col_stats *io, fl_err *err)
{
    fl_status st = FL_OK;
    fl_value *histogram = NULL;
    FL_TRY(FL_NEW_ARRAY(&stats->arena, from->n_histogram + 1, &histogram, err));
    for (int32_t i = 0; i < from->n_histogram; i++) {
        const fl_value *value = &from->histogram[i];
        if (io->has_bounds && fl_value_compare(value, &io->min) < 0)
            value = &io->min;
        if (io->has_bounds && fl_value_compare(value, &io->max) > 0)
            value = &io->max;
        FL_TRY(fl_value_copy(&stats->arena, value, &histogram[i], err));
    }
    io->histogram = histogram;
    io->n_histogram = from->n_histogram;
cleanup:
    return st;
}

static fl_status copy_column(fl_table_stats *stats, int32_t col, const fl_col_stats *from, fl_err *err)
{
    fl_status st = FL_OK;
    fl_stats_column column = column_of(stats, col);
    fl_col_stats *made = NULL;
    FL_TRY(FL_NEW(&stats->arena, &made, err));
    fl_column_stats_init(&column, made);
    if (made->source != FL_STATS_EXACT && from->source == FL_STATS_EXACT)
        return FL_OK; /* what was exact then, as of nothing but nulls, says nothing now */
    if (made->source != FL_STATS_EXACT) {
        double filled = column.rows * (1 - fmax(made->null_fraction, 0));
        made->distinct = from->distinct < 0 ? from->distinct : fmax(1, fmin(from->distinct, filled));
        made->source = from->source;
    }
    FL_TRY(copy_common(stats, from, made, err));
    FL_TRY(copy_histogram(stats, from, made, err));
    stats->cols[col] = made;
cleanup:
    return st;
}

static fl_status inherit(fl_table_stats *stats, const fl_table_stats *old, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n = stats->table->n_cols;
    FL_TRY(FL_NEW_ARRAY(&stats->arena, n + 1, &stats->cols, err));
    for (int32_t i = 0; i < n; i++) {
        const fl_col_stats *known = old->analyzed != NULL ? &old->analyzed[i] : old->cols != NULL ? old->cols[i] : NULL;
        if (known != NULL)
            FL_TRY(copy_column(stats, i, known, err));
    }
    if (old->samples == NULL)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(&stats->arena, n + 1, &stats->samples, err));
    for (int32_t i = 0; i < n; i++)
        stats->samples[i] = old->samples[i] == NULL ? NULL : fl_segment_ref(old->samples[i]);
    stats->sample_rows = old->sample_rows;
    stats->is_sample_inherited = true;
cleanup:
    return st;
}

void fl_table_stats_inherit(fl_table_stats *stats, fl_table_stats *old, double n_changed)
{
    pthread_mutex_lock(&old->lock);
    double drift = old->drift + n_changed;
    if (stats->table->rows > LAZY_ROWS && old->table->rows > LAZY_ROWS && drift * DRIFT_PART < stats->table->rows) {
        stats->drift = drift;
        (void)inherit(stats, old, NULL); /* no memory: what is missing is found when it is asked for */
    }
    pthread_mutex_unlock(&old->lock);
}
