/* Page indexes: where the pages of a chunk lie, and what values they can hold.
 *
 * They are advice: an index that is malformed or contradicts itself, the chunk or its statistics is left aside, never an
 * error, because the pages themselves tell the truth. Whether the pages begin where an offset index says is for readers
 * to see when they come there (reader.c). */
#include "format/parquet/metadata.h"
#include "format/parquet/thrift.h"

#define INDEX_BYTES_MAX (64 << 20)
#define PLACE_BYTES_MIN 4

/* The index's bytes; *ret is NULL when the file says nothing that can be true about where they are. */
static fl_status read_bytes(fl_arena *arena, fl_file *file, int64_t at, int64_t bytes, uint8_t **ret, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t *data = NULL;
    *ret = NULL;
    if (at <= 0 || bytes <= 0 || bytes > INDEX_BYTES_MAX || at > file->bytes || bytes > file->bytes - at)
        return FL_OK;
    FL_TRY(fl_arena_get(arena, bytes, (void **)&data, err));
    FL_TRY(fl_file_read_at(file, at, data, bytes, err));
    *ret = data;
cleanup:
    return st;
}

static bool is_in_order(const fl_pq_chunk *chunk, int64_t rows, const fl_pq_page_place *places, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const fl_pq_page_place *p = &places[i];
        if (p->at < chunk->begin || p->bytes <= 0 || p->at - chunk->begin > chunk->bytes - p->bytes || p->row >= rows ||
            p->row < 0)
            return false;
        if (i == 0 ? p->row != 0 : p->row <= p[-1].row || p->at != p[-1].at + p[-1].bytes)
            return false;
    }
    return count > 0;
}

static const fl_pq_thrift_member page_location[] = {
    [1] = FL_PQ_THRIFT_VALUE(I64, fl_pq_page_place, at),
    [2] = FL_PQ_THRIFT_VALUE(I32, fl_pq_page_place, bytes),
    [3] = FL_PQ_THRIFT_VALUE(I64, fl_pq_page_place, row),
};

fl_status fl_pq_offset_index_read(fl_arena *arena, const fl_pq_metadata *meta, const fl_pq_chunk *chunk, int64_t rows,
                                  fl_pq_page_place **ret, int32_t *ret_count, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t *data = NULL;
    fl_pq_page_place *places = NULL;
    int64_t count = 0;
    int32_t id = 0, k = 0;
    fl_pq_thrift t;
    *ret_count = 0;
    FL_TRY(read_bytes(arena, meta->file, chunk->offset_index_at, chunk->offset_index_bytes, &data, err));
    if (data == NULL)
        return FL_OK;
    fl_pq_thrift_init(&t, data, chunk->offset_index_bytes);
    while (fl_pq_thrift_field(&t, &id, &k)) {
        int32_t element = 0;
        if (id != 1 || places != NULL) {
            fl_pq_thrift_skip(&t, k);
            continue;
        }
        count = fl_pq_thrift_list(&t, k, PLACE_BYTES_MIN, &element);
        FL_TRY(FL_NEW_ARRAY(arena, count, &places, err));
        for (int64_t i = 0; i < count && fl_pq_thrift_struct(&t, element); i++)
            fl_pq_thrift_read(&t, page_location, FL_LEN(page_location), &places[i]);
    }
    if (!t.is_bad && count <= INT32_MAX && is_in_order(chunk, rows, places, count)) {
        *ret = places;
        *ret_count = (int32_t)count;
    }
cleanup:
    return st;
}

/* The order that an index says its pages' bounds are in. */
enum { UNORDERED, ASCENDING, DESCENDING };

/* The column index as it is stored: a claim a page. */
typedef struct column_index {
    fl_pq_thrift t;
    fl_pq_claim *claims;
    int32_t pages;
    int64_t order;
    int64_t nulls; /* of all pages; negative: not said */
} column_index;

/* One of the index's lists of stored values. */
static bool read_values(column_index *x, int32_t kind, bool is_max)
{
    int32_t element = 0;
    if (fl_pq_thrift_list(&x->t, kind, 1, &element) != x->pages)
        return false;
    for (int32_t i = 0; i < x->pages && !x->t.is_bad; i++)
        *(is_max ? &x->claims[i].max : &x->claims[i].min) = fl_pq_thrift_str(&x->t, element);
    return !x->t.is_bad;
}

static bool read_null_counts(column_index *x, int32_t kind)
{
    int32_t element = 0;
    if (fl_pq_thrift_list(&x->t, kind, 1, &element) != x->pages)
        return false;
    x->nulls = 0;
    for (int32_t i = 0; i < x->pages && !x->t.is_bad; i++) {
        int64_t count = fl_pq_thrift_int(&x->t, element);
        if (count < 0 || count > x->claims[i].rows)
            return false;
        x->claims[i].null_count = count;
        x->nulls += count;
    }
    return !x->t.is_bad;
}

static bool read_null_pages(column_index *x, int32_t kind)
{
    int32_t element = 0;
    if (fl_pq_thrift_list(&x->t, kind, 1, &element) != x->pages)
        return false;
    for (int32_t i = 0; i < x->pages; i++)
        x->claims[i].is_all_null = fl_pq_thrift_bool_element(&x->t);
    return !x->t.is_bad;
}

static bool read_column_index(column_index *x)
{
    int32_t id = 0, k = 0, seen = 0;
    while (fl_pq_thrift_field(&x->t, &id, &k)) {
        bool is_whole = true;
        switch (id) {
        case 1:
            is_whole = read_null_pages(x, k);
            break;
        case 2:
            is_whole = read_values(x, k, false);
            break;
        case 3:
            is_whole = read_values(x, k, true);
            break;
        case 4:
            x->order = fl_pq_thrift_int(&x->t, k);
            break;
        case 5:
            is_whole = read_null_counts(x, k);
            break;
        default:
            fl_pq_thrift_skip(&x->t, k);
        }
        if (!is_whole)
            return false;
        seen |= id <= 3 ? 1 << id : 0;
    }
    return !x->t.is_bad && seen == (1 << 1 | 1 << 2 | 1 << 3);
}

/* Bounds of pages with nulls alone are there, but empty. Pages that are such by their count alone contradict themselves:
 * nothing is said of them. */
static void drop_unsaid(column_index *x)
{
    for (int32_t i = 0; i < x->pages; i++) {
        fl_pq_claim *c = &x->claims[i];
        bool is_contradiction = c->null_count == c->rows && !c->is_all_null;
        if (is_contradiction)
            c->null_count = -1;
        if (is_contradiction || (c->is_all_null && c->min.len == 0 && c->max.len == 0))
            c->min.data = c->max.data = NULL;
    }
}

/* Whether zones follow the order that was promised. */
static bool is_ordered(const fl_pq_zone *zones, int32_t pages, int64_t order)
{
    const fl_pq_zone *last = NULL;
    for (int32_t i = 0; i < pages && (order == ASCENDING || order == DESCENDING); i++) {
        const fl_pq_zone *z = &zones[i], *low = order == ASCENDING ? last : z, *high = order == ASCENDING ? z : last;
        if (z->is_all_null || (!z->has_min && !z->has_max))
            continue;
        if (last != NULL && ((low->has_min && high->has_min && fl_value_compare(&low->min, &high->min) > 0) ||
                             (low->has_max && high->has_max && fl_value_compare(&low->max, &high->max) > 0)))
            return false;
        last = z;
    }
    return true;
}

/* Whether the bounds of all pages together are those of the chunk. Texts may be cut off at different lengths. */
static bool is_of_chunk(const fl_pq_zone *zones, int32_t pages, const fl_pq_zone *chunk)
{
    const fl_value *min = NULL, *max = NULL;
    bool has_min = chunk->has_min, has_max = chunk->has_max;
    for (int32_t i = 0; i < pages; i++) {
        const fl_pq_zone *z = &zones[i];
        if (z->is_all_null)
            continue;
        has_min &= z->has_min;
        has_max &= z->has_max;
        if (has_min && (min == NULL || fl_value_compare(&z->min, min) < 0))
            min = &z->min;
        if (has_max && (max == NULL || fl_value_compare(&z->max, max) > 0))
            max = &z->max;
    }
    return (!has_min || min == NULL || fl_value_compare(min, &chunk->min) == 0) &&
           (!has_max || max == NULL || fl_value_compare(max, &chunk->max) == 0);
}

fl_status fl_pq_column_index_read(fl_arena *arena, const fl_pq_metadata *meta, const fl_pq_leaf *leaf,
                                  const fl_pq_chunk *chunk, int64_t rows, const fl_pq_page_place *places, int32_t pages,
                                  fl_pq_zone **ret, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t *data = NULL;
    fl_pq_zone *zones = NULL, whole;
    column_index x = {.pages = pages, .nulls = -1};
    FL_ASSERT(!leaf->is_nested && pages > 0);
    *ret = NULL;
    if (!leaf->has_type_order)
        return FL_OK;
    FL_TRY(read_bytes(arena, meta->file, chunk->column_index_at, chunk->column_index_bytes, &data, err));
    if (data == NULL)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(arena, pages, &zones, err));
    FL_TRY(FL_NEW_ARRAY(arena, pages, &x.claims, err));
    for (int32_t i = 0; i < pages; i++) {
        x.claims[i].rows = (i + 1 < pages ? places[i + 1].row : rows) - places[i].row;
        x.claims[i].null_count = -1;
    }
    fl_pq_thrift_init(&x.t, data, chunk->column_index_bytes);
    if (!read_column_index(&x) || (x.nulls >= 0 && chunk->stats.null_count >= 0 && x.nulls != chunk->stats.null_count))
        return FL_OK;
    drop_unsaid(&x);
    for (int32_t i = 0; i < pages; i++)
        fl_pq_zone_of(leaf, &x.claims[i], &zones[i]);
    fl_pq_chunk_zone(leaf, chunk, rows, &whole);
    if (is_ordered(zones, pages, x.order) && (fl_type_is_string(leaf->type) || is_of_chunk(zones, pages, &whole)))
        *ret = zones;
cleanup:
    return st;
}
