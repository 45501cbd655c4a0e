/* The first key against the threshold, in a loop per type. */
#include "exec/threshold.h"

#include "base/bitmap.h"

/* Compares without branches: which rows pass is hard to foresee only where few do. Comparisons with NaN are false: kept. */
#define KEEP(type, t)                             \
    do {                                          \
        const type *x = key->data;                \
        if (column->is_descending)                \
            for (int32_t i = 0; i < count; i++) { \
                uint16_t row = list[i];           \
                list[kept] = row;                 \
                kept += !(x[row] < (t));          \
            }                                     \
        else                                      \
            for (int32_t i = 0; i < count; i++) { \
                uint16_t row = list[i];           \
                list[kept] = row;                 \
                kept += !(x[row] > (t));          \
            }                                     \
        return kept;                              \
    } while (0)

static int32_t drop_nulls(const uint64_t *valid, uint16_t *list, int32_t count)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < count; i++) {
        uint16_t row = list[i];
        list[kept] = row;
        kept += fl_bit_get(valid, row);
    }
    return kept;
}

int32_t fl_threshold_filter(const fl_row_layout *layout, const fl_sort_column *column, const uint8_t *threshold,
                            const fl_vec *key, uint16_t *list, int32_t count)
{
    fl_type type = key->type;
    const uint8_t *at = threshold + layout->offsets[column->col];
    int32_t kept = 0, width = fl_type_width(type);
    if (fl_row_is_null(layout, threshold, column->col) || key->layout != FL_FLAT || fl_type_is_nested(type) ||
        fl_type_is_string(type))
        return count;
    if (key->valid != NULL) {
        if (column->nulls_first)
            return count;
        count = drop_nulls(key->valid, list, count);
    }
    switch (type.id) {
    case FL_F32:
        KEEP(float, *(const float *)at);
    case FL_F64:
        KEEP(double, *(const double *)at);
    case FL_U8:
        KEEP(uint8_t, *at);
    case FL_U16:
        KEEP(uint16_t, *(const uint16_t *)at);
    case FL_U32:
        KEEP(uint32_t, *(const uint32_t *)at);
    case FL_U64:
        KEEP(uint64_t, *(const uint64_t *)at);
    case FL_I8:
        KEEP(int8_t, *(const int8_t *)at);
    case FL_I16:
        KEEP(int16_t, *(const int16_t *)at);
    case FL_I32:
    case FL_DATE:
        KEEP(int32_t, *(const int32_t *)at);
    case FL_I64:
    case FL_TIME:
    case FL_TIMESTAMP:
    case FL_TIMESTAMPTZ:
        KEEP(int64_t, *(const int64_t *)at);
    case FL_DECIMAL: { /* a wide type's values may be stored in 64 bits */
        fl_i128 value = width == 8 ? *(const int64_t *)at : *(const fl_i128 *)at;
        if (key->width == 8)
            KEEP(int64_t, value);
        KEEP(fl_i128, value);
    }
    default:
        return count;
    }
}
