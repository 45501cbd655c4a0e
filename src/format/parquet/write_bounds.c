/* Bounds. NaN is in none of them; zero has the sign that lets both zeros lie within (parquet.thrift, ColumnOrder). */
#include "format/parquet/write_bounds.h"

#include "format/parquet/metadata.h"

#include <math.h>

#define CUT_BYTES 64 /* of a text: longer bounds are cut, the greatest is rounded up */

static double double_at(const fl_pq_out_leaf *leaf, const void *values, int64_t i)
{
    return leaf->lay == FL_PQ_LAY_4 ? (double)((const float *)values)[i] : ((const double *)values)[i];
}

int fl_pq_bound_compare(const fl_pq_out_leaf *leaf, fl_str a, fl_str b)
{
    int64_t x = 0, y = 0;
    int32_t x4 = 0, y4 = 0;
    if (leaf->lay == FL_PQ_LAY_BYTES) {
        bool is_signed = leaf->rank == FL_PQ_RANK_BIG_ENDIAN;
        if (is_signed && a.len > 0 && b.len > 0 && (a.data[0] ^ b.data[0]) & 0x80)
            return a.data[0] & 0x80 ? -1 : 1;
        return fl_str_compare(a, b);
    }
    if (leaf->lay == FL_PQ_LAY_1)
        return (int)(uint8_t)a.data[0] - (int)(uint8_t)b.data[0];
    if (leaf->rank == FL_PQ_RANK_FLOAT) {
        double p = 0, q = 0;
        float p4 = 0, q4 = 0;
        if (leaf->lay == FL_PQ_LAY_4) {
            memcpy(&p4, a.data, 4);
            memcpy(&q4, b.data, 4);
            p = (double)p4;
            q = (double)q4;
        } else {
            memcpy(&p, a.data, 8);
            memcpy(&q, b.data, 8);
        }
        return (p > q) - (p < q);
    }
    if (leaf->lay == FL_PQ_LAY_4) {
        memcpy(&x4, a.data, 4);
        memcpy(&y4, b.data, 4);
        x = leaf->rank == FL_PQ_RANK_SIGNED ? x4 : (int64_t)(uint32_t)x4;
        y = leaf->rank == FL_PQ_RANK_SIGNED ? y4 : (int64_t)(uint32_t)y4;
    } else {
        memcpy(&x, a.data, 8);
        memcpy(&y, b.data, 8);
        if (leaf->rank == FL_PQ_RANK_UNSIGNED)
            return ((uint64_t)x > (uint64_t)y) - ((uint64_t)x < (uint64_t)y);
    }
    return (x > y) - (x < y);
}

/* Places of the least and the greatest value; false: there is none. */
#define FIND_EXTREMES(type)                         \
    do {                                            \
        const type *v = values;                     \
        type low = v[start], high = v[start];       \
        for (int64_t i = start + 1; i < end; i++) { \
            low = v[i] < low ? v[i] : low;          \
            high = v[i] > high ? v[i] : high;       \
        }                                           \
        memcpy(ret_low, &low, sizeof(type));        \
        memcpy(ret_high, &high, sizeof(type));      \
    } while (0)

static void find_numbers(const fl_pq_out_leaf *leaf, const void *values, int64_t start, int64_t end, char *ret_low,
                         char *ret_high)
{
    bool is_signed = leaf->rank == FL_PQ_RANK_SIGNED;
    if (leaf->lay == FL_PQ_LAY_1)
        FIND_EXTREMES(uint8_t);
    else if (leaf->lay == FL_PQ_LAY_4 && is_signed)
        FIND_EXTREMES(int32_t);
    else if (leaf->lay == FL_PQ_LAY_4)
        FIND_EXTREMES(uint32_t);
    else if (is_signed)
        FIND_EXTREMES(int64_t);
    else
        FIND_EXTREMES(uint64_t);
}

static bool find_floats(const fl_pq_out_leaf *leaf, const void *values, int64_t start, int64_t end, char *ret_low,
                        char *ret_high)
{
    bool any = false;
    double low = 0, high = 0;
    for (int64_t i = start; i < end; i++) {
        double x = double_at(leaf, values, i);
        if (isnan(x))
            continue;
        low = !any || x < low ? x : low;
        high = !any || x > high ? x : high;
        any = true;
    }
    if (low == 0)
        low = -0.0;
    if (high == 0)
        high = 0.0;
    float low4 = (float)low, high4 = (float)high;
    bool is_single = leaf->lay == FL_PQ_LAY_4;
    memcpy(ret_low, is_single ? (const void *)&low4 : &low, is_single ? 4 : 8);
    memcpy(ret_high, is_single ? (const void *)&high4 : &high, is_single ? 4 : 8);
    return any;
}

/* The first 8 bytes, as a number that is in their order; missing ones are zero. */
static uint64_t head_of(fl_str s)
{
    uint64_t word = 0;
    if (s.len >= 8) {
        memcpy(&word, s.data, 8);
        return __builtin_bswap64(word);
    }
    for (int64_t i = 0; i < s.len; i++)
        word |= (uint64_t)(uint8_t)s.data[i] << (56 - 8 * i);
    return word;
}

/* Heads decide most comparisons. */
static void find_texts(const fl_str *v, int64_t start, int64_t end, fl_str *ret_low, fl_str *ret_high)
{
    fl_str low = v[start], high = v[start];
    uint64_t low_head = head_of(low), high_head = low_head;
    for (int64_t i = start + 1; i < end; i++) {
        uint64_t head = head_of(v[i]);
        if (head < low_head || (head == low_head && fl_str_compare(v[i], low) < 0)) {
            low = v[i];
            low_head = head;
        } else if (head > high_head || (head == high_head && fl_str_compare(v[i], high) > 0)) {
            high = v[i];
            high_head = head;
        }
    }
    *ret_low = low;
    *ret_high = high;
}

static bool is_first_of_char(char c)
{
    return ((uint8_t)c & 0xC0) != 0x80;
}

/* The longest beginning of so many bytes that ends with a whole character, or any where it is no text. */
static int64_t cut(const fl_pq_out_leaf *leaf, fl_str s)
{
    int64_t len = CUT_BYTES;
    while (leaf->type.id == FL_UTF8 && len > 0 && !is_first_of_char(s.data[len]))
        len--;
    return len;
}

/* Cut bounds: a beginning is not greater; of the greatest the last byte that can is raised, in text an ASCII character. Where none can it
 * stays whole. */
static fl_status cut_bounds(fl_arena *keep, const fl_pq_out_leaf *leaf, fl_pq_out_bounds *b, fl_err *err)
{
    fl_status st = FL_OK;
    if (b->min.len > CUT_BYTES) {
        b->min.len = cut(leaf, b->min);
        b->is_min_exact = false;
    }
    FL_TRY(fl_arena_copy_str(keep, b->min, &b->min, err));
    if (b->max.len <= CUT_BYTES) {
        st = fl_arena_copy_str(keep, b->max, &b->max, err);
        goto cleanup;
    }
    uint8_t most = leaf->type.id == FL_UTF8 ? 0x7E : 0xFE;
    int64_t len = cut(leaf, b->max);
    while (len > 0 && (uint8_t)b->max.data[len - 1] > most)
        len--;
    if (len == 0) {
        st = fl_arena_copy_str(keep, b->max, &b->max, err);
        goto cleanup;
    }
    char *raised = NULL;
    FL_TRY(fl_arena_get(keep, len, (void **)&raised, err));
    memcpy(raised, b->max.data, (size_t)len);
    raised[len - 1]++;
    b->max = (fl_str){raised, len};
    b->is_max_exact = false;
cleanup:
    return st;
}

fl_status fl_pq_bounds_of(fl_arena *keep, const fl_pq_out_leaf *leaf, const void *values, int64_t start, int64_t end,
                          fl_pq_out_bounds *ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = (fl_pq_out_bounds){.is_min_exact = true, .is_max_exact = true};
    if (start == end || leaf->rank == FL_PQ_RANK_NONE)
        return FL_OK;
    if (leaf->lay == FL_PQ_LAY_BYTES) {
        const fl_str *v = values;
        fl_str low = v[start], high = v[start];
        if (leaf->rank == FL_PQ_RANK_BYTES)
            find_texts(v, start, end, &low, &high);
        for (int64_t i = start + 1; i < end && leaf->rank != FL_PQ_RANK_BYTES; i++) {
            if (fl_pq_bound_compare(leaf, v[i], low) < 0)
                low = v[i];
            else if (fl_pq_bound_compare(leaf, v[i], high) > 0)
                high = v[i];
        }
        ret->min = low;
        ret->max = high;
        if (leaf->physical == FL_PQ_BYTE_ARRAY)
            return cut_bounds(keep, leaf, ret, err);
        FL_TRY(fl_arena_copy_str(keep, low, &ret->min, err));
        FL_TRY(fl_arena_copy_str(keep, high, &ret->max, err));
    } else {
        char *room = NULL;
        int64_t width = fl_pq_lay_bytes(leaf->lay);
        FL_TRY(fl_arena_get(keep, 16, (void **)&room, err));
        if (leaf->rank != FL_PQ_RANK_FLOAT)
            find_numbers(leaf, values, start, end, room, room + 8);
        else if (!find_floats(leaf, values, start, end, room, room + 8))
            return FL_OK;
        ret->min = (fl_str){room, width};
        ret->max = (fl_str){room + 8, width};
    }
cleanup:
    return st;
}

void fl_pq_bounds_add(const fl_pq_out_leaf *leaf, fl_pq_out_bounds *to, const fl_pq_out_bounds *other)
{
    if (other->min.data == NULL)
        return;
    if (to->min.data == NULL) {
        *to = *other;
        return;
    }
    if (fl_pq_bound_compare(leaf, other->min, to->min) < 0) {
        to->min = other->min;
        to->is_min_exact = other->is_min_exact;
    }
    if (fl_pq_bound_compare(leaf, other->max, to->max) > 0) {
        to->max = other->max;
        to->is_max_exact = other->is_max_exact;
    }
}
