/* Lists and structs: levels and dense values of leaf columns, put together as trees of vectors.
 *
 * After Melnik et al., "Dremel" (2010). Below a list, a place of the schema has a slot for each element: a level entry
 * of any leaf under it with rep <= the list's repetition level (an element begins here) and def >= the level from
 * which on the list has elements. Every node is made from its first leaf's entries; a struct's other leaves must
 * agree. */
#include "format/parquet/nested.h"

#include "format/parquet/variant.h"

typedef struct assembly {
    fl_arena *arena;
    fl_pq_reader *readers;
    const fl_pq_levels *levels;
    int32_t first_leaf;
    int64_t row; /* of the row group, the first that is read */
} assembly;

void fl_pq_levels_drop(fl_pq_levels *levels)
{
    fl_free(levels->def);
    fl_free(levels->rep);
    fl_free(levels->values);
    *levels = (fl_pq_levels){0};
}

static fl_status new_bits(fl_arena *arena, int64_t rows, uint64_t **ret, fl_err *err)
{
    return fl_arena_get_zero(arena, fl_bitmap_words(rows) * 8 + 64, (void **)ret, err);
}

/* Validity of a node's slots: def >= valid_def. *ret_valid is NULL when all are; *ret_slots is how many there are. */
static fl_status make_validity(assembly *a, const fl_pq_levels *l, int rep, int def, int valid_def,
                               const uint64_t **ret_valid, int64_t *ret_slots, fl_err *err)
{
    const fl_pq_kernels *kernels = a->readers->kernels;
    int64_t slots = kernels->count_slots(l->rep, l->def, l->n, (uint8_t)rep, (uint8_t)def);
    int64_t valid_slots = slots;
    uint64_t *bits = NULL;
    *ret_valid = NULL;
    if (valid_def > def)
        valid_slots = kernels->count_slots(l->rep, l->def, l->n, (uint8_t)rep, (uint8_t)valid_def);
    *ret_slots = slots;
    if (valid_slots == slots)
        return FL_OK;
    fl_status st = new_bits(a->arena, slots, &bits, err);
    if (st != FL_OK)
        return st;
    int64_t slot = 0;
    for (int64_t i = 0; i < l->n; i++)
        if (l->rep[i] <= rep && l->def[i] >= def) {
            bits[slot >> 6] |= (uint64_t)(l->def[i] >= valid_def) << (slot & 63);
            slot++;
        }
    *ret_valid = bits;
    return FL_OK;
}

/* Dense values to slots; null slots are zero. */
static fl_status spread(assembly *a, const uint8_t *dense, int64_t width, const uint64_t *valid, int64_t slots,
                        const uint8_t **ret, fl_err *err)
{
    uint8_t *to = NULL;
    fl_status st = fl_arena_get_zero(a->arena, slots * width + 64, (void **)&to, err);
    if (st != FL_OK)
        return st;
    *ret = to;
    for (int64_t i = 0; i < slots; i++, to += width)
        if (fl_bit_get(valid, i)) {
            memcpy(to, dense, (size_t)width);
            dense += width;
        }
    return FL_OK;
}

static fl_status build_leaf(assembly *a, const fl_pq_node *node, int rep, int def, fl_vec *ret, int64_t *ret_slots,
                            fl_err *err)
{
    fl_status st = FL_OK;
    const fl_pq_levels *l = &a->levels[node->leaf - a->first_leaf];
    fl_pq_reader *reader = &a->readers[node->leaf - a->first_leaf];
    const fl_pq_leaf *leaf = reader->leaf;
    const uint64_t *valid = NULL;
    const uint8_t *values = l->values;
    int64_t slots = 0;
    FL_TRY(make_validity(a, l, rep, def, leaf->def_max, &valid, &slots, err));
    int64_t present = valid == NULL ? slots : fl_bitmap_count(valid, slots);
    if (present != l->n_values)
        return fl_pq_reader_fail(reader, err, "its levels contradict each other");
    if (valid != NULL)
        FL_TRY(spread(a, l->values, leaf->width, valid, slots, &values, err));
    if (node->type.id == FL_BOOL) {
        uint64_t *bits = NULL;
        FL_TRY(new_bits(a->arena, slots, &bits, err));
        for (int64_t i = 0; i < slots; i++)
            bits[i >> 6] |= (uint64_t)(values[i] & 1) << (i & 63);
        values = (const uint8_t *)bits;
    }
    fl_vec_set_flat(ret, node->type, values, valid);
    ret->width = node->type.id == FL_BOOL ? ret->width : (uint8_t)leaf->width;
    *ret_slots = slots;
cleanup:
    return st;
}

static fl_status build(assembly *a, const fl_pq_node *node, int rep, int def, fl_vec *ret, int64_t *ret_slots,
                       fl_err *err);

static fl_status build_struct(assembly *a, const fl_pq_node *node, int rep, int def, fl_vec *ret, int64_t *ret_slots,
                              fl_err *err)
{
    fl_status st = FL_OK;
    const uint64_t *valid = NULL;
    fl_vec *children = NULL;
    int64_t slots = 0;
    FL_TRY(make_validity(a, &a->levels[node->leaf - a->first_leaf], rep, def, node->def, &valid, &slots, err));
    FL_TRY(FL_NEW_ARRAY(a->arena, node->n_children, &children, err));
    for (int32_t i = 0; i < node->n_children; i++) {
        int64_t child_slots = 0;
        FL_TRY(build(a, &node->children[i], rep, def, &children[i], &child_slots, err));
        if (child_slots != slots)
            return fl_pq_reader_fail(&a->readers[node->children[i].leaf - a->first_leaf], err,
                                     "it has other levels than its sister columns");
    }
    fl_vec_set_flat(ret, node->type, NULL, valid);
    ret->child = children;
    ret->child_rows = slots;
    *ret_slots = slots;
cleanup:
    return st;
}

static fl_status build_list(assembly *a, const fl_pq_node *node, int rep, int def, fl_vec *ret, int64_t *ret_slots,
                            fl_err *err)
{
    fl_status st = FL_OK;
    const fl_pq_levels *l = &a->levels[node->leaf - a->first_leaf];
    fl_pq_reader *reader = &a->readers[node->leaf - a->first_leaf];
    const uint64_t *valid = NULL;
    fl_list_entry *entries = NULL;
    fl_vec *child = NULL;
    int64_t slots = 0, slot = 0, items = 0, child_slots = 0;
    if (l->n > INT32_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "column \"%.*s\": lists of more than %d elements in one batch",
                       FL_STR_ARG(reader->leaf->path), INT32_MAX);
    FL_TRY(make_validity(a, l, rep, def, node->def, &valid, &slots, err));
    FL_TRY(FL_NEW_ARRAY(a->arena, slots + 4, &entries, err));
    FL_TRY(FL_NEW(a->arena, &child, err));
    for (int64_t i = 0; i < l->n; i++) {
        if (l->rep[i] <= rep && l->def[i] >= def)
            entries[slot++].start = (int32_t)items;
        if (l->rep[i] <= node->item_rep && l->def[i] >= node->item_def) {
            if (slot == 0)
                return fl_pq_reader_fail(reader, err, "its levels contradict each other");
            entries[slot - 1].len++;
            items++;
        }
    }
    FL_TRY(build(a, &node->children[0], node->item_rep, node->item_def, child, &child_slots, err));
    FL_ASSERT(child_slots == items);
    fl_vec_set_flat(ret, node->type, entries, valid);
    ret->child = child;
    ret->child_rows = items;
    *ret_slots = slots;
cleanup:
    return st;
}

/* The row of the file that a slot is in, from 1. */
static int64_t row_of(const assembly *a, const fl_pq_levels *l, int rep, int def, int64_t slot)
{
    int64_t row = fl_pq_group_row(a->readers->meta, a->readers->group) + a->row;
    for (int64_t i = 0, at = -1; i < l->n && at < slot; i++) {
        row += l->rep[i] == 0;
        at += l->rep[i] <= rep && l->def[i] >= def;
    }
    return row;
}

/* A group as the JSON of its values, all of which lie in one piece of the arena. */
static fl_status build_variant(assembly *a, const fl_pq_node *node, int rep, int def, fl_vec *ret, int64_t *ret_slots,
                               fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec group = {0};
    fl_view *views = NULL;
    int64_t *ends = NULL;
    char *chars = NULL;
    const char *wrong = NULL;
    fl_text text;
    fl_text_init(&text, a->readers->memory);
    FL_TRY(build_struct(a, &node->children[0], rep, def, &group, ret_slots, err));
    FL_TRY(fl_arena_get_zero(a->arena, *ret_slots * (int64_t)sizeof(*views) + 64, (void **)&views, err));
    FL_TRY(FL_NEW_ARRAY(a->arena, *ret_slots + 1, &ends, err));
    for (int64_t slot = 0; slot < *ret_slots; slot++) {
        if (fl_vec_is_valid(&group, slot))
            FL_TRY(fl_pq_variant_print(&group, slot, a->arena, &text, &wrong, err));
        if (wrong != NULL) {
            const fl_pq_levels *l = &a->levels[node->leaf - a->first_leaf];
            st = FL_FAIL(err, FL_ERR_CORRUPT, "\"%s\" is damaged: column \"%.*s\", row %lld: %s",
                         a->readers->meta->file->path, FL_STR_ARG(node->path), (long long)row_of(a, l, rep, def, slot),
                         wrong);
            goto cleanup;
        }
        ends[slot + 1] = text.len;
        if (text.len - ends[slot] > INT32_MAX)
            FL_TRY(FL_FAIL(err, FL_ERR_LIMIT, "column \"%.*s\": a value of more than %d bytes", FL_STR_ARG(node->path),
                           INT32_MAX));
    }
    FL_TRY(fl_arena_get(a->arena, text.len + 64, (void **)&chars, err));
    if (text.len > 0)
        memcpy(chars, text.data, (size_t)text.len);
    for (int64_t slot = 0; slot < *ret_slots; slot++)
        views[slot] = fl_view_of(chars + ends[slot], ends[slot + 1] - ends[slot]);
    fl_vec_set_flat(ret, node->type, views, group.valid);
cleanup:
    fl_text_drop(&text);
    return st;
}

static fl_status build(assembly *a, const fl_pq_node *node, int rep, int def, fl_vec *ret, int64_t *ret_slots,
                       fl_err *err)
{
    switch (node->kind) {
    case FL_PQ_LEAF:
        return build_leaf(a, node, rep, def, ret, ret_slots, err);
    case FL_PQ_STRUCT:
        return build_struct(a, node, rep, def, ret, ret_slots, err);
    case FL_PQ_VARIANT:
        return build_variant(a, node, rep, def, ret, ret_slots, err);
    default:
        return build_list(a, node, rep, def, ret, ret_slots, err);
    }
}

fl_status fl_pq_nested_read(fl_pq_reader *readers, const fl_pq_node *node, int64_t row, int64_t rows, fl_arena *arena,
                            fl_pq_levels *levels, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t slots = 0;
    assembly a = {arena, readers, levels, node->leaf, row};
    for (int32_t i = 0; i < node->leaves; i++)
        FL_TRY(fl_pq_reader_read_levels(&readers[i], row, rows, &levels[i], err));
    FL_TRY(build(&a, node, 0, 0, ret, &slots, err));
    if (slots != rows)
        st = fl_pq_reader_fail(readers, err, "%lld rows where %lld must be", (long long)slots, (long long)rows);
cleanup:
    return st;
}
