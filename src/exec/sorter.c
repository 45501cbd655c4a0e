/* Sorting by a normalized 8-byte prefix of the keys, then by full comparison where prefixes tie. */
#include "exec/sorter.h"

#include <math.h>
#include <stdlib.h>

/* One row to sort: the first bytes of its keys as a number that orders as the keys do, and the row. */
typedef struct entry {
    uint64_t prefix;
    uint8_t *row;
} entry;

static uint64_t order_f64(double v)
{
    uint64_t bits;
    if (isnan(v))
        return ~0ull;
    v = v == 0 ? 0 : v;
    memcpy(&bits, &v, 8);
    return bits >> 63 ? ~bits : bits | 1ull << 63;
}

static fl_i128 span_of(const uint8_t *value)
{
    fl_interval v;
    memcpy(&v, value, 16);
    return ((fl_i128)v.months * 30 + v.days) * 86400000000000LL + v.nanos;
}

/* Up to 63 bits of a value that order as it does. *ret_exact: equal prefixes mean equal values. */
static uint64_t prefix_of(fl_type type, const uint8_t *value, bool *ret_exact)
{
    *ret_exact = true;
    switch (type.id) {
    case FL_NULL:
        return 0;
    case FL_BOOL:
    case FL_U8:
        return *value;
    case FL_I8:
        return (uint64_t)(*(const int8_t *)value + 128);
    case FL_I16:
        return (uint64_t)(*(const int16_t *)value + 32768);
    case FL_U16:
        return *(const uint16_t *)value;
    case FL_I32:
    case FL_DATE:
        return (uint64_t)((int64_t)*(const int32_t *)value + 2147483648LL);
    case FL_U32:
        return *(const uint32_t *)value;
    case FL_F32:
        *ret_exact = false;
        return order_f64((double)*(const float *)value) >> 1;
    case FL_F64:
        *ret_exact = false;
        return order_f64(*(const double *)value) >> 1;
    case FL_U64:
        *ret_exact = false;
        return *(const uint64_t *)value >> 1;
    case FL_DECIMAL:
        if (fl_type_width(type) == 16) {
            fl_i128 d;
            memcpy(&d, value, 16);
            *ret_exact = false;
            if (d >= INT64_MIN / 2 && d <= INT64_MAX / 2)
                return ((uint64_t)(int64_t)d + (1ull << 62)) & ~(1ull << 63);
            return d < 0 ? 0 : ~0ull >> 1;
        }
        break;
    case FL_UTF8:
    case FL_BINARY: {
        fl_view view;
        unsigned char bytes[8] = {0};
        memcpy(&view, value, 16);
        memcpy(bytes, fl_view_data(&view), view.len < 8 ? view.len : 8);
        *ret_exact = false;
        uint64_t word;
        memcpy(&word, bytes, 8);
        return __builtin_bswap64(word) >> 1;
    }
    case FL_INTERVAL:
    case FL_LIST:
    case FL_STRUCT:
        *ret_exact = false;
        return 0;
    default:
        break;
    }
    int64_t v = *(const int64_t *)value;
    if (v >= -(1LL << 62) && v < 1LL << 62)
        return (uint64_t)v + (1ull << 62);
    *ret_exact = false;
    return v < 0 ? 0 : ~0ull >> 1;
}

static int compare_values(fl_type type, const uint8_t *a, const uint8_t *b)
{
#define ORDER(x, y) (((x) > (y)) - ((x) < (y)))
#define AS(t) ORDER(*(const t *)a, *(const t *)b)
    switch (type.id) {
    case FL_NULL:
        return 0;
    case FL_BOOL:
    case FL_U8:
        return AS(uint8_t);
    case FL_I8:
        return AS(int8_t);
    case FL_I16:
        return AS(int16_t);
    case FL_U16:
        return AS(uint16_t);
    case FL_I32:
    case FL_DATE:
        return AS(int32_t);
    case FL_U32:
        return AS(uint32_t);
    case FL_U64:
        return AS(uint64_t);
    case FL_F32:
        return ORDER(order_f64((double)*(const float *)a), order_f64((double)*(const float *)b));
    case FL_F64:
        return ORDER(order_f64(*(const double *)a), order_f64(*(const double *)b));
    case FL_DECIMAL:
        if (fl_type_width(type) == 16) {
            fl_i128 x, y;
            memcpy(&x, a, 16);
            memcpy(&y, b, 16);
            return ORDER(x, y);
        }
        return AS(int64_t);
    case FL_UTF8:
    case FL_BINARY: {
        fl_view x, y;
        memcpy(&x, a, 16);
        memcpy(&y, b, 16);
        return fl_view_compare(&x, &y);
    }
    case FL_INTERVAL:
        return ORDER(span_of(a), span_of(b));
    case FL_LIST:
    case FL_STRUCT: {
        const fl_value *x, *y;
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        return fl_value_compare(x, y);
    }
    default:
        return AS(int64_t);
    }
}

int fl_sort_compare(const fl_row_layout *layout, const fl_sort_column *columns, int32_t n_columns, const uint8_t *a, const uint8_t *b)
{
    for (int32_t i = 0; i < n_columns; i++) {
        const fl_sort_column *c = &columns[i];
        bool null_a = fl_row_is_null(layout, a, c->col), null_b = fl_row_is_null(layout, b, c->col);
        if (null_a || null_b) {
            if (null_a != null_b)
                return null_a == c->nulls_first ? -1 : 1;
            continue;
        }
        int order = compare_values(layout->types[c->col], a + layout->offsets[c->col], b + layout->offsets[c->col]);
        if (order != 0)
            return c->is_descending ? -order : order;
    }
    return 0;
}

typedef struct sorting {
    const fl_row_layout *layout;
    const fl_sort_column *columns;
    int32_t n_columns;
    int32_t first; /* columns before this one are decided by the prefix */
} sorting;

static int compare_entries(const void *x, const void *y, void *ctx)
{
    const entry *a = x, *b = y;
    const sorting *s = ctx;
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    return fl_sort_compare(s->layout, s->columns + s->first, s->n_columns - s->first, a->row, b->row);
}

/* Least significant digit first, 8 bits a pass; digits that are the same in all rows are skipped. */
static void radix_sort(entry *entries, entry *spare, int64_t n)
{
    uint64_t all_or = 0, all_and = ~0ull;
    for (int64_t i = 0; i < n; i++) {
        all_or |= entries[i].prefix;
        all_and &= entries[i].prefix;
    }
    uint64_t varying = all_or ^ all_and;
    entry *from = entries, *to = spare;
    for (int shift = 0; shift < 64; shift += 8) {
        if ((varying >> shift & 0xFF) == 0)
            continue;
        int64_t starts[257] = {0};
        for (int64_t i = 0; i < n; i++)
            starts[(from[i].prefix >> shift & 0xFF) + 1]++;
        for (int d = 0; d < 256; d++)
            starts[d + 1] += starts[d];
        for (int64_t i = 0; i < n; i++)
            to[starts[from[i].prefix >> shift & 0xFF]++] = from[i];
        entry *swap = from;
        from = to;
        to = swap;
    }
    if (from != entries)
        memcpy(entries, from, (size_t)n * sizeof(entry));
}

fl_status fl_sort_rows(const fl_row_layout *layout, const fl_sort_column *columns, int32_t n_columns, uint8_t **rows,
                       int64_t n, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    entry *entries = NULL;
    bool exact = true;
    const fl_sort_column *c = &columns[0];
    if (n < 2 || n_columns == 0)
        return FL_OK;
    FL_TRY(fl_alloc(memory, n * 2 * (int64_t)sizeof(entry), (void **)&entries, err));
    for (int64_t i = 0; i < n; i++) {
        bool one = true;
        uint64_t prefix;
        if (fl_row_is_null(layout, rows[i], c->col)) {
            prefix = c->nulls_first ? 0 : 1ull << 63;
        } else {
            uint64_t value = prefix_of(layout->types[c->col], rows[i] + layout->offsets[c->col], &one) & ~(1ull << 63);
            if (c->is_descending)
                value = ~value & ~(1ull << 63);
            prefix = c->nulls_first ? value | 1ull << 63 : value;
        }
        exact &= one;
        entries[i] = (entry){prefix, rows[i]};
    }
    radix_sort(entries, entries + n, n);
    sorting s = {layout, columns, n_columns, exact ? 1 : 0};
    if (!exact || n_columns > 1) /* runs of equal prefixes are settled by comparing */
        for (int64_t start = 0; start < n;) {
            int64_t end = start + 1;
            while (end < n && entries[end].prefix == entries[start].prefix)
                end++;
            if (end - start > 1)
                qsort_r(entries + start, (size_t)(end - start), sizeof(entry), compare_entries, &s);
            start = end;
        }
    for (int64_t i = 0; i < n; i++)
        rows[i] = entries[i].row;
cleanup:
    fl_free(entries);
    return st;
}
