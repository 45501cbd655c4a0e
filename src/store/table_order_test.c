/* The orders of tables against what comes of comparing all their rows one by one: of all types that are ordered, with and without
 * nulls, over one segment and over several, of dictionaries, NaN and -0. */
#include "store/table_order.h"
#include "store/memory_table.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROWS_MAX 3000
#define SEGMENTS_MAX 4

static uint64_t state = 7;

static uint64_t random_below(uint64_t n)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (state >> 33) % n;
}

/* ---- a column of numbers that stand for values of a type ---------------------------------------------------------- */

#define NONE INT32_MIN /* stands for null */
#define NOT_A_NUMBER 1000000

typedef struct column {
    fl_type type;
    int32_t values[ROWS_MAX];
    int32_t n;
} column;

static void put_value(fl_type type, int32_t value, uint8_t *to, char *chars)
{
    double d = value == NOT_A_NUMBER ? (double)NAN : value == 0 && random_below(2) == 0 ? -0.0 : value;
    float f = (float)d;
    int64_t wide = value;
    fl_i128 widest = (fl_i128)value * ((fl_i128)1 << 70);
    fl_view view;
    switch (type.id) {
    case FL_F32:
        memcpy(to, &f, 4);
        break;
    case FL_F64:
        memcpy(to, &d, 8);
        break;
    case FL_UTF8:
    case FL_BINARY: /* as long as they need to be to be told apart behind the prefix */
        view = fl_view_of(chars, snprintf(chars, 40, "a long prefix of all %07d", value + 1000));
        memcpy(to, &view, 16);
        break;
    case FL_DECIMAL:
        if (fl_type_width(type) == 16)
            memcpy(to, &widest, 16);
        else
            memcpy(to, &wide, 8);
        break;
    default:
        memcpy(to, &wide, (size_t)fl_type_width(type)); /* little-endian */
        break;
    }
}

static fl_segment *make_segment(const column *c, int32_t from, int32_t to)
{
    fl_segment_builder *builder = NULL;
    fl_segment *segment = NULL;
    static uint64_t words[ROWS_MAX * 2];
    uint8_t *data = (uint8_t *)words;
    static char chars[ROWS_MAX][40];
    uint64_t valid[ROWS_MAX / 64 + 1] = {0};
    int32_t width = fl_type_is_string(c->type) ? 16 : fl_type_width(c->type);
    memset(words, 0, sizeof(words));
    for (int32_t i = from; i < to; i++) {
        if (c->values[i] == NONE)
            continue;
        fl_bit_set(valid, i - from);
        if (c->type.id == FL_BOOL)
            fl_bit_put(words, i - from, c->values[i] > 0);
        else
            put_value(c->type, c->values[i], data + (size_t)(i - from) * (size_t)width, chars[i - from]);
    }
    fl_vec vec;
    fl_vec_set_flat(&vec, c->type, data, valid);
    assert_int_equal(fl_segment_builder_new(NULL, &c->type, 1, FL_SEGMENT_TABLE, &builder, NULL), FL_OK);
    assert_int_equal(fl_segment_builder_add(builder, &vec, NULL, to - from, NULL), FL_OK);
    assert_int_equal(fl_segment_builder_finish(builder, &segment, NULL), FL_OK);
    fl_segment_builder_free(builder);
    return segment;
}

static fl_table *make_table(const column *c, const int32_t *ends, int32_t n_segments)
{
    fl_segment *segments[SEGMENTS_MAX] = {NULL};
    fl_table *table = NULL;
    fl_field field = {.name = FL_STR("x"), .type = c->type, .nullable = true};
    for (int32_t s = 0; s < n_segments; s++)
        segments[s] = make_segment(c, s == 0 ? 0 : ends[s - 1], ends[s]);
    assert_int_equal(fl_memory_table_new(NULL, FL_STR("t"), &field, 1, segments, n_segments, &table, NULL), FL_OK);
    for (int32_t s = 0; s < n_segments; s++)
        fl_segment_unref(segments[s]);
    return table;
}

/* ---- what is true of it ------------------------------------------------------------------------------------------- */

static int32_t value_of(const column *c, int32_t i)
{
    return c->type.id == FL_BOOL && c->values[i] != NONE ? c->values[i] > 0 : c->values[i];
}

static bool is_in_order(const column *c, bool is_descending, bool nulls_first)
{
    for (int32_t i = 0; i + 1 < c->n; i++) {
        int32_t a = value_of(c, i), b = value_of(c, i + 1);
        if (a == NONE || b == NONE) {
            if (a != b && (a == NONE) != nulls_first)
                return false;
        } else if (is_descending ? a < b : a > b) {
            return false;
        }
    }
    return true;
}

static bool has_value(const column *c, bool is_null)
{
    for (int32_t i = 0; i < c->n; i++)
        if ((c->values[i] == NONE) == is_null)
            return true;
    return false;
}

static void check(const column *c, const int32_t *ends, int32_t n_segments)
{
    fl_table *table = make_table(c, ends, n_segments);
    const fl_table_order *orders = NULL;
    int32_t n = fl_table_orders(table, &orders);
    bool is_any = false;
    for (int32_t d = 0; d < 4; d++)
        is_any |= is_in_order(c, (d & 1) != 0, (d & 2) != 0);
    assert_int_equal(n, is_any && c->n > 1 && has_value(c, false));
    if (n > 0) {
        const fl_table_order_key *key = &orders[0].keys[0];
        assert_int_equal(orders[0].n_keys, 1);
        assert_false(orders[0].is_claimed);
        assert_int_equal(key->col, 0);
        assert_true(is_in_order(c, key->is_descending, key->nulls_first));
        assert_int_equal(key->is_null_free, !has_value(c, true));
    }
    fl_table_unref(table);
}

/* ---- tests -------------------------------------------------------------------------------------------------------- */

static const fl_type types[] = {{.id = FL_BOOL},
                                {.id = FL_I8},
                                {.id = FL_I16},
                                {.id = FL_I32},
                                {.id = FL_I64},
                                {.id = FL_U8},
                                {.id = FL_U16},
                                {.id = FL_U32},
                                {.id = FL_U64},
                                {.id = FL_F32},
                                {.id = FL_F64},
                                {.id = FL_DECIMAL, .precision = 18, .scale = 2},
                                {.id = FL_DECIMAL, .precision = 38, .scale = 2},
                                {.id = FL_UTF8},
                                {.id = FL_BINARY},
                                {.id = FL_DATE},
                                {.id = FL_TIME},
                                {.id = FL_TIMESTAMP},
                                {.id = FL_TIMESTAMPTZ}};

static int compare_values(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static bool is_unsigned(fl_type type)
{
    return type.id >= FL_U8 && type.id <= FL_U64;
}

/* Values in order in one of both directions, nulls at an end, and now and then two rows in each other's place. */
static void fill(column *c, fl_type type, int32_t rows)
{
    int32_t nulls = (int32_t)(random_below(3) == 0 ? random_below((uint64_t)rows + 1) : 0),
            low = is_unsigned(type) ? 0 : -60;
    bool is_descending = random_below(2) == 0, nulls_first = random_below(2) == 0, is_float = fl_type_is_float(type);
    c->type = type;
    c->n = rows;
    for (int32_t i = 0; i < rows; i++)
        c->values[i] = low + (int32_t)random_below(random_below(4) == 0 ? 1 : 120);
    if (is_float && rows > 0 && random_below(2) == 0)
        c->values[random_below((uint64_t)rows)] = NOT_A_NUMBER;
    int32_t from = nulls_first ? nulls : 0, n = rows - nulls;
    qsort(c->values + from, (size_t)n, sizeof(*c->values), compare_values);
    for (int32_t i = 0; is_descending && i < n / 2; i++) {
        int32_t swapped = c->values[from + i];
        c->values[from + i] = c->values[from + n - 1 - i];
        c->values[from + n - 1 - i] = swapped;
    }
    for (int32_t i = 0; i < nulls; i++)
        c->values[nulls_first ? i : n + i] = NONE;
    if (rows > 0 && random_below(3) == 0) {
        int32_t a = (int32_t)random_below((uint64_t)rows), b = (int32_t)random_below((uint64_t)rows),
                swapped = c->values[a];
        c->values[a] = c->values[b];
        c->values[b] = swapped;
    }
}

static void test_against_all_rows(void **unused)
{
    (void)unused;
    static column c;
    for (int32_t round = 0; round < 300; round++)
        for (int64_t t = 0; t < FL_LEN(types); t++) {
            int32_t ends[SEGMENTS_MAX], n = 1 + (int32_t)random_below(SEGMENTS_MAX);
            fill(&c, types[t], (int32_t)random_below(round % 10 == 0 ? ROWS_MAX : 12));
            for (int32_t s = 0; s < n; s++)
                ends[s] = s == n - 1 ? c.n : (int32_t)random_below((uint64_t)c.n + 1);
            qsort(ends, (size_t)n, sizeof(*ends), compare_values);
            check(&c, ends, n);
        }
}

static void test_no_order_of_these(void **unused)
{
    (void)unused;
    fl_vec vec;
    fl_interval intervals[2] = {{.days = 1}, {.days = 2}};
    fl_vec_set_flat(&vec, FL_TYPE(FL_INTERVAL), intervals, NULL);
    assert_false(fl_vec_order_of(&vec, 2).ascends);
    fl_vec_set_const(&vec, FL_TYPE(FL_NULL), NULL);
    assert_false(fl_vec_order_of(&vec, 2).ascends);
}

static void test_declared_order_comes_first(void **unused)
{
    (void)unused;
    static column c;
    const fl_table_order_key keys[] = {{.col = 0}, {.col = 0, .is_descending = true}};
    const fl_table_order declared = {.keys = keys, .n_keys = 2}, *orders = NULL;
    int32_t ends[] = {5};
    c = (column){.type = FL_TYPE(FL_I64), .values = {1, 2, 2, 3, 9}, .n = 5};
    fl_table *table = make_table(&c, ends, 1);
    assert_int_equal(fl_memory_table_set_order(table, &declared, NULL), FL_OK);
    assert_int_equal(fl_table_orders(table, &orders), 1);
    FL_ASSERT(orders != NULL);
    assert_int_equal(orders[0].n_keys, 2);
    assert_true(orders[0].keys[1].is_descending && orders[0].keys[1].is_null_free);
    int64_t n = 0;
    fl_segment *const *segments = fl_memory_table_segments(table, &n);
    assert_null(fl_table_order_fault(segments, n, &declared));
    assert_non_null(fl_table_order_fault(segments, n, &(fl_table_order){.keys = keys + 1, .n_keys = 1}));
    fl_table_unref(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_all_rows),
        cmocka_unit_test(test_no_order_of_these),
        cmocka_unit_test(test_declared_order_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
