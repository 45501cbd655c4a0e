/* HyperLogLog: each value's hash picks a register, which keeps the longest run of zeros that it saw. The count is Ertl's
 * ("New cardinality estimation algorithms for HyperLogLog sketches", 2017), which is without bias from nothing to
 * everything, so that no tables of corrections are needed. */
#include "store/distinct_sketch.h"

#include "base/hash.h"
#include "arrow/sort_key.h"

#include <math.h>

#define REGISTERS (1 << FL_SKETCH_BITS)
#define RANK_MAX (64 - FL_SKETCH_BITS + 1)
#define ROWS_PER_STEP 4096

bool fl_distinct_sketch_takes(fl_type type)
{
    return fl_type_is_string(type) || fl_sort_key_words(type) > 0;
}

static void add(fl_distinct_sketch *sketch, uint64_t hash)
{
    hash = (hash ^ hash >> 32) * 0xD6E8FEB86659FD93ull; /* all bits must be good, not only the low ones */
    hash = (hash ^ hash >> 32) * 0xD6E8FEB86659FD93ull;
    hash ^= hash >> 32;
    uint64_t rest = hash << FL_SKETCH_BITS | 1ull << (FL_SKETCH_BITS - 1);
    uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);
    uint8_t *at = &sketch->ranks[hash >> (64 - FL_SKETCH_BITS)];
    *at = rank > *at ? rank : *at;
}

static void add_row(fl_distinct_sketch *sketch, const fl_vec *vec, int64_t row, int words)
{
    if (words == 0) {
        fl_str text = fl_vec_str(vec, row);
        add(sketch, fl_hash_str(text.data, text.len, 0));
    } else if (words == 1) {
        add(sketch, fl_sort_key(vec, row));
    } else {
        fl_u128 key = fl_sort_key_wide(vec, row);
        add(sketch, fl_hash_combine((uint64_t)(key >> 64), (uint64_t)key));
    }
}

fl_status fl_distinct_sketch_add(fl_distinct_sketch *sketch, const fl_vec *vec, const uint64_t *mask, int64_t rows,
                                 fl_work *work, fl_err *err)
{
    fl_status st = FL_OK;
    int words = fl_sort_key_words(vec->type);
    if (vec->layout == FL_CONST) {
        rows = rows > 1 ? 1 : rows;
        mask = NULL;
    }
    for (int64_t start = 0; start < rows; start += ROWS_PER_STEP) {
        int64_t end = start + ROWS_PER_STEP < rows ? start + ROWS_PER_STEP : rows, bytes = (end - start) * 8;
        for (int64_t row = start; row < end; row++)
            if (fl_is_valid(mask, row) && fl_vec_is_valid(vec, row)) {
                add_row(sketch, vec, row, words);
                bytes += words == 0 ? fl_vec_str(vec, row).len : 0;
            }
        FL_TRY(fl_work_add(work, bytes, err));
    }
cleanup:
    return st;
}

static double sigma(double x)
{
    double sum = x, weight = 1, before;
    if (x == 1)
        return INFINITY;
    do {
        before = sum;
        x *= x;
        sum += x * weight;
        weight += weight;
    } while (sum != before);
    return sum;
}

static double tau(double x)
{
    double sum = 1 - x, weight = 1, before;
    if (x == 0 || x == 1)
        return 0;
    do {
        before = sum;
        x = sqrt(x);
        weight /= 2;
        sum -= (1 - x) * (1 - x) * weight;
    } while (sum != before);
    return sum / 3;
}

double fl_distinct_sketch_count(const fl_distinct_sketch *sketch)
{
    int64_t of_rank[RANK_MAX + 1] = {0};
    for (int i = 0; i < REGISTERS; i++)
        of_rank[sketch->ranks[i]]++;
    double sum = REGISTERS * tau(1 - (double)of_rank[RANK_MAX] / REGISTERS);
    for (int rank = RANK_MAX - 1; rank >= 1; rank--)
        sum = (sum + (double)of_rank[rank]) / 2;
    sum += REGISTERS * sigma((double)of_rank[0] / REGISTERS);
    return (double)REGISTERS * REGISTERS / (2 * M_LN2 * sum);
}
