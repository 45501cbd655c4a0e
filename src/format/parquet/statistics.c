/* Statistics: of row groups for pruning, of the table for the planner; as far as they may be believed.
 *
 * Old writers compared strings and unsigned numbers as signed bytes, so that their `min` and `max` count for signed
 * numbers only. Text may be cut off: a shorter minimum and a rounded-up maximum are bounds all the same. NaN is in no
 * statistics but is the greatest value here, so that floating columns have no maximum. */
#include "format/parquet/reader.h"
#include "format/parquet/table.h"

#include <math.h>

static bool number_value(const fl_pq_leaf *leaf, const uint8_t *stored, fl_value *ret)
{
    uint8_t slot[16] __attribute__((aligned(16)));
    if (fl_pq_convert_fixed(leaf, stored, 1, slot) != NULL)
        return false;
    int64_t wide = 0;
    float single = 0;
    switch (leaf->type.id) {
    case FL_F32:
        memcpy(&single, slot, 4);
        ret->f = (double)single;
        return !isnan(single);
    case FL_F64:
        memcpy(&ret->f, slot, 8);
        return !isnan(ret->f);
    case FL_DECIMAL:
        memcpy(&wide, slot, 8);
        ret->d = wide;
        if (leaf->width == 16)
            memcpy(&ret->d, slot, 16);
        return true;
    case FL_U64:
        memcpy(&ret->u, slot, 8);
        return true;
    default:
        memcpy(&wide, slot, (size_t)leaf->width);
        if (fl_type_is_signed(leaf->type) || !fl_type_is_integer(leaf->type)) {
            int unused = 64 - 8 * leaf->width;
            wide = (int64_t)((uint64_t)wide << unused) >> unused;
        }
        ret->i = wide;
        return true;
    }
}

bool fl_pq_statistic_value(const fl_pq_leaf *leaf, fl_str stored, fl_value *ret)
{
    *ret = (fl_value){.type = leaf->type};
    const uint8_t *data = (const uint8_t *)stored.data;
    switch (leaf->convert) {
    case FL_PQ_BITS:
        ret->b = stored.len == 1 && data[0] != 0;
        return stored.len == 1;
    case FL_PQ_STRING:
        ret->s = stored;
        return true;
    case FL_PQ_UUID:
    case FL_PQ_INTERVAL:
    case FL_PQ_INT96_TIME:
        return false;
    case FL_PQ_BIG_ENDIAN_64:
    case FL_PQ_BIG_ENDIAN_128:
        return stored.len > 0 && fl_pq_load_big_endian(data, stored.len, &ret->d);
    default:
        return stored.len == leaf->stored_width && number_value(leaf, data, ret);
    }
}

void fl_pq_chunk_bounds(const fl_pq_leaf *leaf, const fl_pq_chunk *chunk, fl_value *ret_min, bool *ret_has_min,
                        fl_value *ret_max, bool *ret_has_max)
{
    const fl_pq_statistics *s = &chunk->stats;
    *ret_has_min = *ret_has_max = false;
    if (leaf->has_type_order && s->min_value.data != NULL)
        *ret_has_min = fl_pq_statistic_value(leaf, s->min_value, ret_min);
    else if (leaf->is_signed_order && s->min.data != NULL)
        *ret_has_min = fl_pq_statistic_value(leaf, s->min, ret_min);
    if (fl_type_is_float(leaf->type))
        return;
    if (leaf->has_type_order && s->max_value.data != NULL)
        *ret_has_max = fl_pq_statistic_value(leaf, s->max_value, ret_max);
    else if (leaf->is_signed_order && s->max.data != NULL)
        *ret_has_max = fl_pq_statistic_value(leaf, s->max, ret_max);
}

/* How many values there are to choose from when `rows` draws gave `seen` different ones: seen = all (1 -
 * e^(-rows/all)). */
static double estimate_distinct(double seen, double rows)
{
    if (seen >= rows)
        return INFINITY;
    double all = seen;
    for (int i = 0; i < 40; i++) {
        double expected = all * (1 - exp(-rows / all));
        if (expected >= seen * 0.999)
            break;
        all *= seen / expected;
    }
    return all;
}

/* Integers, dates and such have no more values than there are between their bounds. */
static double count_between(const fl_col_stats *s)
{
    const fl_value *min = &s->min, *max = &s->max;
    switch (min->type.id) {
    case FL_BOOL:
        return 2;
    case FL_DECIMAL:
        return (double)(max->d - min->d) + 1;
    case FL_U64:
        return (double)(max->u - min->u) + 1;
    case FL_UTF8:
    case FL_BINARY:
        return INFINITY;
    default:
        return (double)max->i - (double)min->i + 1;
    }
}

/* What part of the column's range the first row group spans; 1 where that cannot be said. */
static double spanned_part(const fl_pq_leaf *leaf, const fl_pq_chunk *chunk, const fl_col_stats *s)
{
    fl_value min, max;
    bool has_min = false, has_max = false;
    double low, high, all_low, all_high;
    fl_pq_chunk_bounds(leaf, chunk, &min, &has_min, &max, &has_max);
    if (!s->has_bounds || !has_min || !has_max || fl_type_is_string(leaf->type) || !fl_value_to_double(&min, &low) ||
        !fl_value_to_double(&max, &high) || !fl_value_to_double(&s->min, &all_low) ||
        !fl_value_to_double(&s->max, &all_high) || !(all_high > all_low) || !(high >= low))
        return 1;
    return (high - low + 1) / (all_high - all_low + 1);
}

/* From the dictionary of the first row group: how many values are in it, of how many rows, and whether the other groups
 * have the same ones (they do not where the column is clustered: then each group spans its part of the range). */
static double distinct_by_dictionary(const fl_pq_table *table, int32_t leaf_number, const fl_col_stats *s)
{
    const fl_pq_metadata *meta = &table->files[0];
    const fl_pq_leaf *leaf = &meta->leaves[leaf_number];
    const fl_pq_chunk *chunk = &meta->groups[0].chunks[leaf_number];
    double seen = (double)fl_pq_dict_count(meta, 0, leaf_number), rows = (double)meta->groups[0].rows;
    if (!(seen > 0))
        return INFINITY;
    if (chunk->coded_pages > 0 && chunk->other_pages > 0) { /* given up: what was seen is of the first pages only */
        rows *= (double)chunk->coded_pages / (chunk->coded_pages + chunk->other_pages);
        if (seen > rows / 2)
            return seen / rows * table->base.table.rows;
    }
    double distinct = estimate_distinct(seen, rows);
    double part = spanned_part(leaf, chunk, s);
    if (distinct == INFINITY)
        return table->base.table.rows; /* no two rows were the same */
    return part < 0.9 ? distinct / part : distinct;
}

static double distinct_values(const fl_pq_table *table, int32_t leaf_number, const fl_col_stats *s)
{
    double distinct = s->has_bounds ? count_between(s) : INFINITY;
    const fl_pq_metadata *meta = &table->files[0];
    bool has_first_group = meta->n_groups > 0 && meta->groups[0].rows > 0;
    if (has_first_group && meta->leaves[leaf_number].physical != FL_PQ_BOOLEAN)
        distinct = fmin(distinct, distinct_by_dictionary(table, leaf_number, s));
    return distinct == INFINITY ? -1 : fmin(distinct, table->base.table.rows);
}

void fl_pq_table_stats(fl_table *base, int32_t col, fl_col_stats *ret)
{
    const fl_pq_table *table = (const fl_pq_table *)base;
    const fl_pq_node *node = &table->files[0].columns[col];
    *ret = (fl_col_stats){.null_fraction = -1, .distinct = -1};
    if (node->kind != FL_PQ_LEAF || base->rows <= 0)
        return;
    bool has_min = true, has_max = true, has_any = false, has_nulls = true;
    double nulls = 0;
    for (int32_t f = 0; f < table->base.n_files; f++) {
        const fl_pq_metadata *meta = &table->files[f];
        int32_t number = meta->columns[col].leaf;
        const fl_pq_leaf *leaf = &meta->leaves[number];
        for (int32_t g = 0; g < meta->n_groups; g++) {
            const fl_pq_chunk *chunk = &meta->groups[g].chunks[number];
            fl_value min, max;
            bool has_low = false, has_high = false;
            if (meta->groups[g].rows == 0)
                continue;
            int64_t null_count = leaf->def_max == 0 ? 0 : chunk->stats.null_count;
            has_nulls &= null_count >= 0;
            nulls += (double)null_count;
            if (null_count == meta->groups[g].rows)
                continue; /* nothing but nulls */
            fl_pq_chunk_bounds(leaf, chunk, &min, &has_low, &max, &has_high);
            has_min &= has_low;
            has_max &= has_high;
            if (has_min && (!has_any || fl_value_compare(&min, &ret->min) < 0))
                ret->min = min;
            if (has_max && (!has_any || fl_value_compare(&max, &ret->max) > 0))
                ret->max = max;
            has_any = true;
        }
    }
    ret->has_bounds = has_any && has_min && has_max && fl_value_compare(&ret->min, &ret->max) <= 0;
    if (has_nulls)
        ret->null_fraction = nulls / base->rows;
    ret->distinct = distinct_values(table, node->leaf, ret);
}
