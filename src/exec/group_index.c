/* The group index: places of a batch's keys, a key at a time by typed loops. */
#include "exec/group_index.h"

#define NO_PLACE \
    (1u << 26) /* added where a value is out of its range: more than all places, however many keys add it */
#define KEYS_MAX 16

/* Whether values are whole numbers, so that they can have a range. */
static bool is_countable(fl_type type)
{
    switch (type.id) {
    case FL_BOOL:
    case FL_DECIMAL:
    case FL_DATE:
    case FL_TIME:
    case FL_TIMESTAMP:
    case FL_TIMESTAMPTZ:
        return true;
    default:
        return fl_type_is_integer(type);
    }
}

static fl_key_range range_of_type(fl_type type)
{
    switch (type.id) {
    case FL_BOOL:
        return (fl_key_range){0, 2};
    case FL_I8:
        return (fl_key_range){INT8_MIN, 256};
    case FL_U8:
        return (fl_key_range){0, 256};
    default:
        return (fl_key_range){0, 0};
    }
}

fl_status fl_group_index_init(fl_group_index *index, const fl_row_layout *layout, int32_t n_keys,
                              const fl_key_range *ranges, int32_t rows_max, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    *index = (fl_group_index){.memory = memory};
    if (n_keys == 0 || n_keys > KEYS_MAX)
        return FL_OK;
    FL_TRY(fl_alloc_zero(memory, n_keys * (int64_t)sizeof(*index->keys), (void **)&index->keys, err));
    FL_TRY(fl_alloc(memory, (int64_t)rows_max * 4 + 64, (void **)&index->places, err));
    index->n_keys = n_keys;
    index->is_complete = ranges != NULL;
    for (int32_t k = 0; k < n_keys; k++) {
        fl_type type = layout->types[k];
        fl_key_range *range = &index->keys[k].range;
        *range = range_of_type(type);
        if (ranges != NULL && is_countable(type) && ranges[k].n > 0)
            *range = ranges[k];
        index->is_complete &= range->n > 0;
        if (range->n == 0 && !fl_type_is_string(type))
            index->n_keys = 0; /* no batch can use it */
    }
    index->is_complete &= index->n_keys > 0;
    return FL_OK;
cleanup:
    fl_group_index_drop(index);
    return st;
}

void fl_group_index_drop(fl_group_index *index)
{
    fl_free(index->keys);
    fl_free(index->rows);
    fl_free(index->places);
    *index = (fl_group_index){0};
}

/* An array of n_places for what the keys mean now. */
static fl_status clear(fl_group_index *index, int64_t n_places, fl_err *err)
{
    if (n_places <= index->capacity) {
        memset(index->rows, 0, (size_t)n_places * sizeof(*index->rows));
    } else {
        fl_free(index->rows);
        index->rows = NULL;
        index->capacity = 0;
        fl_status st =
            fl_alloc_zero(index->memory, n_places * (int64_t)sizeof(*index->rows), (void **)&index->rows, err);
        if (st != FL_OK)
            return st;
        index->capacity = n_places;
    }
    index->n_places = n_places;
    return FL_OK;
}

/* Makes the array fit the batch's vectors; *ret_used false where a key has no places in it, or there are too many. */
static fl_status begin(fl_group_index *index, const fl_vec *keys, int32_t count, bool *ret_used, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n_places = 1;
    bool is_same = true;
    *ret_used = false;
    if (index->n_keys == 0)
        return FL_OK;
    for (int32_t k = 0; k < index->n_keys; k++) {
        bool is_coded = fl_type_is_string(keys[k].type);
        if (is_coded && (keys[k].layout != FL_DICT || keys[k].dict_id == 0))
            return FL_OK;
        int64_t n = is_coded ? keys[k].child_rows : index->keys[k].range.n;
        n_places *= n < FL_GROUP_PLACES_MAX ? n + 1 : FL_GROUP_PLACES_MAX + 1;
        if (n_places > (index->is_complete ? FL_GROUP_PLACES_MAX : FL_GROUP_PACKED_PLACES_MAX))
            return FL_OK;
    }
    uint32_t stride = 1;
    for (int32_t k = 0; k < index->n_keys; k++) {
        fl_key_place *key = &index->keys[k];
        bool is_coded = fl_type_is_string(keys[k].type);
        key->stride = stride;
        stride *= (uint32_t)(is_coded ? keys[k].child_rows : key->range.n) + 1;
        is_same &= !is_coded || key->dict_id == keys[k].dict_id;
        key->dict_id = keys[k].dict_id;
    }
    FL_ASSERT(stride == n_places); /* steps of all keys: no two combinations have the same place */
    if (!is_same)
        index->n_places = index->rows_seen = 0;
    index->rows_seen += count;
    if (index->n_places == 0) {
        if (!index->is_complete && n_places > 2 * index->rows_seen) /* clearing costs more than hashing did so far */
            return FL_OK;
        FL_TRY(clear(index, n_places, err));
    }
    FL_ASSERT(index->n_places == n_places); /* the same dictionaries have as many values */
    *ret_used = true;
cleanup:
    return st;
}

/* The part of one key in each place: 0 for null, else (offset + 1) * stride, where an offset below n is one that the array
 * has. Differences wrap around, which is one to one: no two values of a type get the same offset. The first key's stride
 * is 1. Lists ascend, so one that ends with count - 1 is all rows in order, which compilers can do many of at a time. */
#define PLACE_LOOP(row_of, is_on, type, offset_of_row)                                     \
    for (int32_t i = 0; i < count; i++) {                                                  \
        int64_t row = (row_of);                                                            \
        type offset = (type)(offset_of_row);                                               \
        uint32_t step = is_first ? (uint32_t)offset + 1 : ((uint32_t)offset + 1) * stride; \
        uint32_t part = (is_on) ? (offset < (type)n ? step : NO_PLACE) : 0;                \
        places[i] = is_first ? part : places[i] + part;                                    \
    }
#define PLACE(type, offset_of_row)                                           \
    do {                                                                     \
        if (constant)                                                        \
            PLACE_LOOP(0, fl_is_valid(valid, row), type, offset_of_row)      \
        else if (valid != NULL)                                              \
            PLACE_LOOP(list[i], fl_bit_get(valid, row), type, offset_of_row) \
        else if (list[count - 1] != count - 1)                               \
            PLACE_LOOP(list[i], true, type, offset_of_row)                   \
        else                                                                 \
            PLACE_LOOP(i, true, type, offset_of_row)                         \
    } while (0)

static inline __attribute__((always_inline)) void place_key(const fl_key_place *key, const fl_vec *vec,
                                                            const uint16_t *list, int32_t count, bool is_first,
                                                            uint32_t *places)
{
    bool constant = vec->layout == FL_CONST;
    const uint64_t *valid = vec->valid;
    const void *x = vec->data;
    uint64_t min = (uint64_t)key->range.min, n = (uint64_t)key->range.n;
    uint32_t stride = key->stride, low = (uint32_t)min;
    if (fl_type_is_string(vec->type)) {
        n = (uint64_t)vec->child_rows;
        PLACE(uint32_t, ((const uint32_t *)x)[row]);
        return;
    }
    switch (vec->type.id) {
    case FL_BOOL:
        PLACE(uint32_t, (constant ? *(const uint8_t *)x != 0 : fl_bit_get(x, row)) - low);
        return;
    case FL_U8:
        PLACE(uint32_t, ((const uint8_t *)x)[row] - low);
        return;
    case FL_U16:
        PLACE(uint32_t, ((const uint16_t *)x)[row] - low);
        return;
    default:
        break;
    }
    switch (vec->width) {
    case 1:
        PLACE(uint32_t, (uint32_t)((const int8_t *)x)[row] - low);
        break;
    case 2:
        PLACE(uint32_t, (uint32_t)((const int16_t *)x)[row] - low);
        break;
    case 4:
        PLACE(uint32_t, ((const uint32_t *)x)[row] - low);
        break;
    case 8:
        PLACE(uint64_t, ((const uint64_t *)x)[row] - min);
        break;
    default: { /* decimals: what 64 bits don't hold has no place */
        const fl_i128 *wide = x;
        PLACE(uint64_t, wide[row] == (int64_t)wide[row] ? (uint64_t)(int64_t)wide[row] - min : n);
    }
    }
}

static void place_first(const fl_key_place *key, const fl_vec *vec, const uint16_t *list, int32_t count,
                        uint32_t *places)
{
    place_key(key, vec, list, count, true, places);
}

static void place_next(const fl_key_place *key, const fl_vec *vec, const uint16_t *list, int32_t count,
                       uint32_t *places)
{
    place_key(key, vec, list, count, false, places);
}

fl_status fl_group_index_find(fl_group_index *index, const fl_vec *keys, const uint16_t *list, int32_t count,
                              uint8_t **ret_rows, uint16_t *misses, int32_t *ret_misses, bool *ret_used, fl_err *err)
{
    fl_status st = begin(index, keys, count, ret_used, err);
    *ret_misses = 0;
    if (st != FL_OK || !*ret_used || count == 0)
        return st;
    uint32_t *places = index->places, n_places = (uint32_t)index->n_places;
    uint8_t *const *rows = index->rows;
    int32_t n = 0, n_found = 0;
    place_first(&index->keys[0], &keys[0], list, count, places);
    for (int32_t k = 1; k < index->n_keys; k++)
        place_next(&index->keys[k], &keys[k], list, count, places);
    for (int32_t i = 0; i < count; i++) {
        uint8_t *row = places[i] < n_places ? rows[places[i]] : NULL;
        ret_rows[i] = row;
        n_found += row != NULL;
    }
    for (int32_t i = 0; i < count && n_found < count; i++) {
        misses[n] = (uint16_t)i;
        n += ret_rows[i] == NULL;
    }
    *ret_misses = n;
    return FL_OK;
}
