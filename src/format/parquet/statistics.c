/* Statistics: of row groups and pages for pruning, of the table for the planner; as far as they may be believed.
 *
 * A statistic is a claim that the pages may belie. It is held against all that is known without reading them, and what
 * does not fit is taken for not said: a zone that is read in vain costs time, one that is skipped wrongly costs rows.
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
    bool is_fixed = leaf->physical == FL_PQ_FIXED;
    switch (leaf->convert) {
    case FL_PQ_BITS:
        ret->b = stored.len == 1 && data[0] != 0;
        return stored.len == 1 && data[0] <= 1;
    case FL_PQ_STRING:
        ret->s = stored;
        return !is_fixed || stored.len <= leaf->stored_width; /* shorter: cut off */
    case FL_PQ_UUID:
    case FL_PQ_INTERVAL:
    case FL_PQ_INT96_MICRO:
    case FL_PQ_INT96_NANO:
        return false;
    case FL_PQ_BIG_ENDIAN_64:
    case FL_PQ_BIG_ENDIAN_128:
        return (is_fixed ? stored.len == leaf->stored_width : stored.len > 0) &&
               fl_pq_load_big_endian(data, stored.len, &ret->d) && fl_pq_is_decimal_within(leaf->type, ret->d);
    default:
        return stored.len == leaf->stored_width && number_value(leaf, data, ret);
    }
}

void fl_pq_zone_of(const fl_pq_leaf *leaf, const fl_pq_claim *claim, fl_pq_zone *ret)
{
    fl_pq_zone zone = {0};
    int64_t nulls = claim->null_count;
    bool is_said_min = claim->min.data != NULL, is_said_max = claim->max.data != NULL;
    *ret = zone;
    if (nulls > claim->rows || (leaf->def_max == 0 && nulls > 0))
        return;
    bool is_all_null = nulls >= 0 && nulls == claim->rows;
    if (is_all_null || claim->is_all_null) { /* writers without statistics say "all null", too: the count decides */
        ret->is_all_null = is_all_null && leaf->def_max > 0 && !is_said_min && !is_said_max;
        return;
    }
    zone.has_min = is_said_min && fl_pq_statistic_value(leaf, claim->min, &zone.min);
    zone.has_max = is_said_max && fl_pq_statistic_value(leaf, claim->max, &zone.max);
    if (zone.has_min != is_said_min || zone.has_max != is_said_max ||
        (zone.has_min && zone.has_max && fl_value_compare(&zone.min, &zone.max) > 0))
        return;
    zone.has_max &= !fl_type_is_float(leaf->type);
    *ret = zone;
}

void fl_pq_chunk_zone(const fl_pq_leaf *leaf, const fl_pq_chunk *chunk, int64_t rows, fl_pq_zone *ret)
{
    const fl_pq_statistics *s = &chunk->stats;
    fl_pq_claim claim = {.rows = rows, .null_count = s->null_count};
    if (leaf->has_type_order)
        claim.min = s->min_value, claim.max = s->max_value;
    if (leaf->is_signed_order && claim.min.data == NULL && claim.max.data == NULL)
        claim.min = s->min, claim.max = s->max;
    fl_pq_zone_of(leaf, &claim, ret);
    ret->has_max &= s->is_max_exact || !fl_type_is_string(leaf->type);
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
static double spanned_part(const fl_pq_leaf *leaf, const fl_pq_chunk *chunk, int64_t rows, const fl_col_stats *s)
{
    fl_pq_zone zone;
    double low, high, all_low, all_high;
    fl_pq_chunk_zone(leaf, chunk, rows, &zone);
    if (!s->has_bounds || !zone.has_min || !zone.has_max || fl_type_is_string(leaf->type) ||
        !fl_value_to_double(&zone.min, &low) || !fl_value_to_double(&zone.max, &high) ||
        !fl_value_to_double(&s->min, &all_low) || !fl_value_to_double(&s->max, &all_high) || !(all_high > all_low) ||
        !(high >= low))
        return 1;
    return (high - low + 1) / (all_high - all_low + 1);
}

/* From the dictionary of the first row group: how many values are in it, of how many rows, and whether the other groups
 * have the same ones (they do not where the column is clustered: then each group spans its part of the range).
 * *ret_is_read: false where the dictionary's header could not be read, this time. */
static double distinct_by_dictionary(const fl_pq_table *table, int32_t leaf_number, const fl_col_stats *s,
                                     bool *ret_is_read)
{
    const fl_pq_metadata *meta = &table->files[0];
    const fl_pq_leaf *leaf = &meta->leaves[leaf_number];
    const fl_pq_chunk *chunk = &meta->groups[0].chunks[leaf_number];
    int64_t count = 0;
    *ret_is_read = fl_pq_dict_count(meta, 0, leaf_number, &count);
    double seen = (double)count, rows = (double)meta->groups[0].rows;
    if (!(seen > 0))
        return INFINITY;
    if (chunk->coded_pages > 0 && chunk->other_pages > 0) { /* given up: what was seen is of the first pages only */
        rows *= (double)chunk->coded_pages / (chunk->coded_pages + chunk->other_pages);
        if (seen > rows / 2)
            return seen / rows * table->base.table.rows;
    }
    double distinct = estimate_distinct(seen, rows);
    double part = spanned_part(leaf, chunk, meta->groups[0].rows, s);
    if (distinct == INFINITY)
        return table->base.table.rows; /* no two rows were the same */
    return part < 0.9 ? distinct / part : distinct;
}

static double distinct_values(const fl_pq_table *table, int32_t leaf_number, const fl_col_stats *s, bool *ret_is_read)
{
    double distinct = s->has_bounds ? count_between(s) : INFINITY;
    const fl_pq_metadata *meta = &table->files[0];
    bool has_first_group = meta->n_groups > 0 && meta->groups[0].rows > 0;
    const fl_pq_leaf *leaf = &meta->leaves[leaf_number];
    if (has_first_group && leaf->physical != FL_PQ_BOOLEAN && !leaf->is_null_type)
        distinct = fmin(distinct, distinct_by_dictionary(table, leaf_number, s, ret_is_read));
    return distinct == INFINITY ? -1 : fmin(distinct, table->base.table.rows);
}

/* Over all row groups of all files. False where something could not be read that could be another time. */
static bool find_stats(const fl_pq_table *table, int32_t col, fl_col_stats *ret)
{
    const fl_pq_node *node = &table->files[table->models[col]].columns[col];
    double all_rows = table->base.table.rows;
    *ret = (fl_col_stats){.null_fraction = -1, .distinct = -1, .source = FL_STATS_FOOTER};
    if (node->kind != FL_PQ_LEAF || all_rows <= 0)
        return true;
    bool has_min = true, has_max = true, has_any = false, has_nulls = true;
    double nulls = 0;
    for (int32_t f = 0; f < table->base.n_files; f++) {
        const fl_pq_metadata *meta = &table->files[f];
        int32_t number = meta->columns[col].leaf;
        const fl_pq_leaf *leaf = &meta->leaves[number];
        for (int32_t g = 0; g < meta->n_groups; g++) {
            int64_t rows = meta->groups[g].rows;
            const fl_pq_chunk *chunk = &meta->groups[g].chunks[number];
            fl_pq_zone zone;
            if (rows == 0)
                continue;
            if (leaf->is_null_type) {
                nulls += (double)rows;
                continue;
            }
            int64_t null_count = leaf->def_max == 0 ? 0 : chunk->stats.null_count;
            has_nulls &= null_count >= 0 && null_count <= rows;
            nulls += (double)null_count;
            fl_pq_chunk_zone(leaf, chunk, rows, &zone);
            if (zone.is_all_null)
                continue;
            has_min &= zone.has_min;
            has_max &= zone.has_max;
            if (has_min && (!has_any || fl_value_compare(&zone.min, &ret->min) < 0))
                ret->min = zone.min;
            if (has_max && (!has_any || fl_value_compare(&zone.max, &ret->max) > 0))
                ret->max = zone.max;
            has_any = true;
        }
    }
    ret->has_bounds = has_any && has_min && has_max && fl_value_compare(&ret->min, &ret->max) <= 0;
    if (has_nulls)
        ret->null_fraction = nulls / all_rows;
    bool is_read = true;
    ret->distinct = distinct_values(table, table->files[0].columns[col].leaf, ret, &is_read);
    return is_read;
}

void fl_pq_table_stats(fl_table *base, int32_t col, fl_col_stats *ret)
{
    const fl_pq_table *table = (const fl_pq_table *)base;
    fl_pq_known_stats *known = &table->stats[col];
    int32_t unknown = FL_PQ_STATS_UNKNOWN;
    if (atomic_load_explicit(&known->state, memory_order_acquire) == FL_PQ_STATS_KNOWN) {
        *ret = known->stats;
        return;
    }
    if (!find_stats(table, col, ret) || !atomic_compare_exchange_strong(&known->state, &unknown, FL_PQ_STATS_COMING))
        return;
    known->stats = *ret;
    atomic_store_explicit(&known->state, FL_PQ_STATS_KNOWN, memory_order_release);
}
