/* What is taken away from a state leaves that of the other rows, of each kernel that can: sums whose parts leave 128 bits, too. */
#include "exec/agg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROWS 100

extern const fl_func_set fl_func_set_sum, fl_func_set_count;

static uint64_t random_state = 11;

static uint64_t next_random(void)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return random_state ^ random_state >> 29;
}

/* Rows of random bytes, but that decimals have 38 digits at the most. */
static void fill(fl_type type, uint8_t *data)
{
    fl_i128 limit = fl_pow10_i128[37] * 10 - 1;
    for (int i = 0; i < ROWS * 2; i++)
        ((uint64_t *)data)[i] = next_random();
    for (int i = 0; type.id == FL_DECIMAL && i < ROWS; i++)
        ((fl_i128 *)data)[i] %= limit;
}

static void check(const fl_agg_desc *agg, fl_type type)
{
    fl_agg_choice choice = {.agg = agg};
    uint8_t data[ROWS * 16] __attribute__((aligned(16)));
    uint64_t valid[ROWS / 64 + 1];
    uint16_t list[ROWS];
    assert_int_equal(agg->resolve(&type, 1, &choice, NULL), FL_OK);
    const fl_agg_kernel *kernel = choice.kernel;
    int64_t bytes = kernel->state_bytes;
    uint8_t *rows = calloc(ROWS + 1, (size_t)bytes), *sums = calloc(ROWS + 1, (size_t)bytes);
    uint8_t *taken = calloc(1, (size_t)bytes), *added = calloc(1, (size_t)bytes), *states[ROWS];
    assert_non_null(kernel->subtract);
    fill(type, data);
    for (int i = 0; i < ROWS; i++) {
        list[i] = (uint16_t)i;
        states[i] = rows + i * bytes;
    }
    for (int i = 0; i <= ROWS / 64; i++)
        valid[i] = next_random() | next_random();
    fl_vec arg;
    fl_vec_set_flat(&arg, type, data, valid);
    fl_agg_call call = {.n_args = 1, .args = &arg, .agg = agg, .arg_types = &type, .ret_type = choice.ret};
    assert_int_equal(kernel->update_groups(&call, states, 0, list, ROWS, NULL), FL_OK);
    for (int i = 0; i < ROWS; i++) {
        memcpy(sums + (i + 1) * bytes, sums + i * bytes, (size_t)bytes);
        assert_int_equal(kernel->combine(&call, sums + (i + 1) * bytes, rows + i * bytes, NULL), FL_OK);
    }
    for (int start = 0; start < ROWS; start += 7)
        for (int end = start; end <= ROWS; end += 3) {
            memcpy(taken, sums + end * bytes, (size_t)bytes);
            kernel->subtract(taken, sums + start * bytes);
            memset(added, 0, (size_t)bytes);
            for (int i = start; i < end; i++)
                assert_int_equal(kernel->combine(&call, added, rows + i * bytes, NULL), FL_OK);
            assert_memory_equal(taken, added, (size_t)bytes);
        }
    free(rows);
    free(sums);
    free(taken);
    free(added);
}

static void what_is_taken_away_leaves_the_rest(void **state)
{
    (void)state;
    static const fl_type_id ids[] = {FL_I8, FL_I16, FL_I32, FL_I64, FL_U8, FL_U16, FL_U32, FL_U64, FL_INTERVAL};
    for (int round = 0; round < 20; round++) {
        for (int32_t a = 0; a < fl_func_set_sum.n_aggs; a++) {
            for (int64_t t = 0; t < FL_LEN(ids); t++)
                check(&fl_func_set_sum.aggs[a], FL_TYPE(ids[t]));
            check(&fl_func_set_sum.aggs[a], FL_TYPE_DECIMAL(38, 2));
        }
        check(&fl_func_set_count.aggs[0], FL_TYPE(FL_I64));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_taken_away_leaves_the_rest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
