/* Page indexes: where the pages of a chunk lie, and what values they can hold.
 *
 * They are advice: an index that is malformed or contradicts the chunk is left aside, never an error, because the pages
 * themselves tell the truth. */
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
        if (i == 0 ? p->row != 0 : p->row <= p[-1].row || p->at < p[-1].at + p[-1].bytes)
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

/* One of the index's lists of stored values. */
static bool read_values(fl_pq_thrift *t, int32_t kind, const fl_pq_leaf *leaf, int32_t pages, fl_pq_page_zone *zones,
                        bool is_max)
{
    int32_t element = 0;
    if (fl_pq_thrift_list(t, kind, 1, &element) != pages)
        return false;
    for (int32_t i = 0; i < pages && !t->is_bad; i++) {
        fl_str stored = fl_pq_thrift_str(t, element);
        if (is_max)
            zones[i].has_max = fl_pq_statistic_value(leaf, stored, &zones[i].max) && !fl_type_is_float(leaf->type);
        else
            zones[i].has_min = fl_pq_statistic_value(leaf, stored, &zones[i].min);
    }
    return !t->is_bad;
}

fl_status fl_pq_column_index_read(fl_arena *arena, const fl_pq_metadata *meta, const fl_pq_leaf *leaf,
                                  const fl_pq_chunk *chunk, int32_t pages, fl_pq_page_zone **ret, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t *data = NULL;
    fl_pq_page_zone *zones = NULL;
    int32_t id = 0, k = 0, element = 0, seen = 0;
    bool is_whole = true;
    fl_pq_thrift t;
    *ret = NULL;
    if (!leaf->has_type_order)
        return FL_OK;
    FL_TRY(read_bytes(arena, meta->file, chunk->column_index_at, chunk->column_index_bytes, &data, err));
    if (data == NULL)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(arena, pages, &zones, err));
    fl_pq_thrift_init(&t, data, chunk->column_index_bytes);
    while (is_whole && fl_pq_thrift_field(&t, &id, &k)) {
        switch (id) {
        case 1:
            is_whole = fl_pq_thrift_list(&t, k, 1, &element) == pages;
            for (int32_t i = 0; is_whole && i < pages; i++)
                zones[i].is_all_null = fl_pq_thrift_bool_element(&t);
            break;
        case 2:
            is_whole = read_values(&t, k, leaf, pages, zones, false);
            break;
        case 3:
            is_whole = read_values(&t, k, leaf, pages, zones, true);
            break;
        default:
            fl_pq_thrift_skip(&t, k);
        }
        seen |= id <= 3 ? 1 << id : 0;
    }
    if (is_whole && !t.is_bad && seen == (1 << 1 | 1 << 2 | 1 << 3))
        *ret = zones;
cleanup:
    return st;
}
