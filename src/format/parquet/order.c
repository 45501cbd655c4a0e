/* The order of a table of Parquet files, as they claim it.
 *
 * A row group says by which columns its rows are sorted; nothing is said of one group beside the next. There the statistics
 * decide: the first column's values of a group must not reach into those of the next, in the order in which groups and files are
 * read, and nulls must stand at one end of all. Where the values of two groups touch, rows that tie may lie in both, so that
 * further columns say nothing. Writers put NaN where they like, so that no floating column counts, and none that is made coarser
 * when it is read: its ties are none in the file.
 *
 * All of this is what the files say: who relies on it holds the rows to it (op/scan/order_check.h). */
#include "format/parquet/table.h"

#include "arrow/vec_order.h"

/* The groups so far. */
typedef struct claim {
    fl_table_order_key *keys;
    int32_t n_keys;
    bool has_groups;
    bool has_nulls, has_values; /* of the first key */
    bool is_null_known;
    fl_value last; /* no value of the first key lies behind it */
    bool has_last;
} claim;

static bool is_comparable(const fl_pq_leaf *leaf)
{
    bool is_coarser =
        leaf->convert == FL_PQ_NANO_TIME || leaf->convert == FL_PQ_INT96_MICRO || leaf->convert == FL_PQ_INT96_NANO;
    return !leaf->is_null_type && !is_coarser && fl_type_is_ordered(leaf->type) && !fl_type_is_float(leaf->type);
}

/* The table's column that is this leaf alone; negative: there is none, or it is none that counts. */
static int32_t column_of(const fl_pq_metadata *meta, int32_t leaf)
{
    for (int32_t c = 0; c < meta->n_columns; c++) {
        const fl_pq_node *node = &meta->columns[c];
        if (node->kind == FL_PQ_LEAF && node->leaf == leaf)
            return is_comparable(&meta->leaves[leaf]) ? c : -1;
    }
    return -1;
}

static int64_t null_count(const fl_pq_leaf *leaf, const fl_pq_chunk *chunk)
{
    return leaf->def_max == 0 ? 0 : chunk->stats.null_count;
}

/* The first keys that the group has, too. */
static void meet_keys(claim *c, const fl_pq_metadata *meta, const fl_pq_row_group *group)
{
    int32_t n = 0;
    for (; n < group->n_sorting && n < (c->has_groups ? c->n_keys : meta->n_leaves); n++) {
        const fl_pq_sorting *s = &group->sorting[n];
        fl_table_order_key key = {
            .col = column_of(meta, s->leaf), .is_descending = s->is_descending, .nulls_first = s->nulls_first};
        if (key.col < 0)
            break;
        bool is_null_free = null_count(&meta->leaves[s->leaf], &group->chunks[s->leaf]) == 0;
        if (!c->has_groups) {
            c->keys[n] = key;
            c->keys[n].is_null_free = is_null_free;
            continue;
        }
        c->keys[n].is_null_free &= is_null_free;
        if (c->keys[n].col != key.col || c->keys[n].is_descending != key.is_descending ||
            c->keys[n].nulls_first != key.nulls_first)
            break;
    }
    c->n_keys = n;
}

/* How the first key's values go on from those of the groups before: negative, as they should; 0, with the same value; positive, not. */
static int go_on(const claim *c, const fl_value *first, bool has_first)
{
    if (!c->has_last || !has_first)
        return 1;
    int order = fl_value_compare(&c->last, first);
    return c->keys[0].is_descending ? -order : order;
}

static void add_group(claim *c, const fl_pq_metadata *meta, const fl_pq_row_group *group)
{
    fl_pq_zone zone;
    meet_keys(c, meta, group);
    if (c->n_keys == 0)
        return;
    const fl_table_order_key *key = &c->keys[0];
    int32_t number = meta->columns[key->col].leaf;
    const fl_pq_leaf *leaf = &meta->leaves[number];
    fl_pq_chunk_zone(leaf, &group->chunks[number], group->rows, &zone);
    int64_t nulls = null_count(leaf, &group->chunks[number]);
    bool is_null_known = nulls >= 0 && nulls <= group->rows;
    bool has_nulls = nulls != 0, has_values = nulls != group->rows;
    bool is_in_order = !c->has_groups || (is_null_known && c->is_null_known);
    if (c->has_groups && has_nulls)
        is_in_order &= key->nulls_first ? !c->has_values : true;
    if (c->has_groups && has_values)
        is_in_order &= key->nulls_first ? true : !c->has_nulls;
    bool ties = c->has_nulls && has_nulls;
    if (c->has_values && has_values) {
        int order = key->is_descending ? go_on(c, &zone.max, zone.has_max) : go_on(c, &zone.min, zone.has_min);
        is_in_order &= order <= 0;
        ties |= order == 0;
    }
    c->n_keys = !is_in_order ? 0 : ties ? 1 : c->n_keys;
    if (has_values) {
        c->last = key->is_descending ? zone.min : zone.max;
        c->has_last = key->is_descending ? zone.has_min && zone.has_max : zone.has_max;
    }
    c->is_null_known = is_null_known;
    c->has_nulls |= has_nulls;
    c->has_values |= has_values;
    c->has_groups = true;
}

fl_status fl_pq_table_find_order(fl_pq_table *table, fl_err *err)
{
    fl_status st = FL_OK;
    claim c = {0};
    if (table->base.table.rows < 2)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(&table->base.arena, table->files[0].n_leaves + 1, &c.keys, err));
    for (int32_t f = 0; f < table->base.n_files; f++)
        for (int32_t g = 0; g < table->files[f].n_groups && (!c.has_groups || c.n_keys > 0); g++)
            if (table->files[f].groups[g].rows > 0)
                add_group(&c, &table->files[f], &table->files[f].groups[g]);
    table->order = (fl_table_order){.keys = c.keys, .n_keys = c.n_keys, .is_claimed = true};
cleanup:
    return st;
}
