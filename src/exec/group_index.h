/* The group index: rows of groups in an array, by the place that their keys give.
 *
 *     place = Σ stride[k] · (null ? 0 : 1 + (x - min)  or  1 + dictionary code)
 *
 * It stands in front of a group table's hash directory, which takes the keys that have no place: values out of their range,
 * strings that are not coded. So ranges may be wrong, and only cost time then. Two uses:
 *
 *   complete  every key has a range. A group with a place is in the index alone, and its row has no hash.
 *   cache     a key is coded by a dictionary. Rows are found by hash once per dictionary, then by their place; codes mean
 *             something else in the next dictionary, so the array is cleared for it. */
#ifndef FL_EXEC_GROUP_INDEX_H
#define FL_EXEC_GROUP_INDEX_H

#include "exec/rows.h"

#define FL_GROUP_PLACES_MAX (1 << 20)        /* of one key: 8 MB of pointers, what a shared cache holds */
#define FL_GROUP_PACKED_PLACES_MAX (1 << 16) /* of several keys, whose combinations may be few */

/* Values of a key: min .. min + n - 1. n = 0: nothing is known. */
typedef struct fl_key_range {
    int64_t min;
    int64_t n;
} fl_key_range;

typedef struct fl_key_place {
    fl_key_range range;
    uint32_t stride;
    uint64_t dict_id; /* of the dictionary whose codes are in the array */
} fl_key_place;

typedef struct fl_group_index {
    fl_key_place *keys;
    int32_t n_keys;
    bool is_complete;
    uint8_t **rows; /* by place; NULL until the first batch that can use it */
    int64_t n_places;
    int64_t capacity;
    int64_t rows_seen; /* since the dictionaries changed */
    uint32_t *places;  /* of the batch; n_places or more: it has none */
    fl_memory *memory;
} fl_group_index;

/** An index over the keys, the first columns of the layout. ranges NULL: what the types say is all that is known; else it
 *  is complete where every key has a range. Batches have up to rows_max rows. */
fl_status fl_group_index_init(fl_group_index *index, const fl_row_layout *layout, int32_t n_keys,
                              const fl_key_range *ranges, int32_t rows_max, fl_memory *memory, fl_err *err);
void fl_group_index_drop(fl_group_index *index);

/** Looks up the rows of the keys in list[0 .. count), which ascends: ret_rows[i] is the group's row, or NULL; the positions
 *  i without one are put in `misses`, *ret_misses of them. *ret_used false: these vectors give no places, and nothing was
 *  done. */
fl_status fl_group_index_find(fl_group_index *index, const fl_vec *keys, const uint16_t *list, int32_t count,
                              uint8_t **ret_rows, uint16_t *misses, int32_t *ret_misses, bool *ret_used, fl_err *err);

#endif
