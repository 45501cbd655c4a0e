/* Runs of equal keys, and rows that agree in them, by typed loops a column at a time. */
#include "exec/runs.h"

#include "arrow/vec_check.h"

#include <math.h>

/* Values of nulls hold anything: whether both are null decides first. */
#define MARK_LOOP(differs)                                                         \
    for (int32_t i = 0; i < count; i++) {                                          \
        int32_t a = rows[i], b = others[i];                                        \
        bool is_a = fl_is_valid(key->valid, a), is_b = fl_is_valid(key->valid, b); \
        marks[i] |= is_a != is_b || (is_a && (differs));                           \
    }

static bool is_other_double(double a, double b)
{
    return a != b && !(isnan(a) && isnan(b));
}

static bool is_other_str(const fl_vec *key, int32_t a, int32_t b)
{
    if (key->layout == FL_DICT && ((const uint32_t *)key->data)[a] == ((const uint32_t *)key->data)[b])
        return false;
    fl_view x = fl_vec_view(key, a), y = fl_vec_view(key, b);
    return !fl_view_is_equal(&x, &y);
}

#define MARK_FIXED(type)           \
    do {                           \
        const type *x = key->data; \
        MARK_LOOP(x[a] != x[b])    \
    } while (0)

void fl_runs_mark_pairs(const fl_vec *key, const uint16_t *rows, const uint16_t *others, int32_t count, uint8_t *marks)
{
    const void *x = key->data;
    FL_ASSERT(!fl_type_is_nested(key->type) && key->type.id != FL_INTERVAL);
    FL_ASSERT(key->layout != FL_DICT || fl_type_is_string(key->type));
    if (key->layout == FL_CONST || key->type.id == FL_NULL)
        return;
    switch (key->type.id) {
    case FL_UTF8:
    case FL_BINARY:
        MARK_LOOP(is_other_str(key, a, b))
        return;
    case FL_BOOL:
        MARK_LOOP(fl_bit_get(x, a) != fl_bit_get(x, b))
        return;
    case FL_F32:
        MARK_LOOP(is_other_double((double)((const float *)x)[a], (double)((const float *)x)[b]))
        return;
    case FL_F64:
        MARK_LOOP(is_other_double(((const double *)x)[a], ((const double *)x)[b]))
        return;
    default:
        break;
    }
    switch (key->width) {
    case 1:
        MARK_FIXED(uint8_t);
        break;
    case 2:
        MARK_FIXED(uint16_t);
        break;
    case 4:
        MARK_FIXED(uint32_t);
        break;
    case 8:
        MARK_FIXED(uint64_t);
        break;
    default:
        MARK_FIXED(fl_i128);
    }
}

#define MARK_NEIGHBOURS(type)                          \
    do {                                               \
        const type *x = (const type *)key->data + row; \
        for (int32_t i = 1; i < count; i++)            \
            starts[i] |= x[i] != x[i - 1];             \
    } while (0)

/* Rows from `row` on, without nulls or gaps: the loop is the same for all of them, which compilers make vectors of. */
static void mark_neighbours(const fl_vec *key, int32_t row, int32_t count, uint8_t *starts)
{
    switch (key->width) {
    case 1:
        MARK_NEIGHBOURS(uint8_t);
        break;
    case 2:
        MARK_NEIGHBOURS(uint16_t);
        break;
    case 4:
        MARK_NEIGHBOURS(uint32_t);
        break;
    case 8:
        MARK_NEIGHBOURS(uint64_t);
        break;
    default:
        MARK_NEIGHBOURS(fl_i128);
    }
}

void fl_runs_mark(const fl_vec *key, const uint16_t *list, int32_t count, uint8_t *starts)
{
    if (count < 2)
        return;
    FL_ASSERT_NO_FAULT(fl_list_fault(list, count, UINT16_MAX + 1));
    bool has_bits = key->type.id == FL_BOOL || key->type.id == FL_NULL || fl_type_is_float(key->type);
    if (key->layout == FL_FLAT && key->valid == NULL && list[count - 1] - list[0] == count - 1 && !has_bits &&
        !fl_type_is_string(key->type) && !fl_type_is_nested(key->type) && key->type.id != FL_INTERVAL)
        mark_neighbours(key, list[0], count, starts);
    else
        fl_runs_mark_pairs(key, list + 1, list, count - 1, starts + 1);
}
