/* Sums under masks, on every instruction set, beside adding up row by row: each stored type, lengths around a word's. */
#include "func/aggregate/sum_kernel.h"

#include "base/bitmap.h"
#include "base/simd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROWS 200

static uint64_t random_state = 7;

static uint64_t next_random(void)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return random_state ^ random_state >> 29;
}

static int64_t at(const uint8_t *data, int width, bool is_signed, int row)
{
    uint64_t bits = 0;
    int unused = 64 - width * 8;
    memcpy(&bits, data + row * width, (size_t)width);
    return is_signed ? (int64_t)(bits << unused) >> unused : (int64_t)bits;
}

static void check(const fl_sum_kernels *kernels, const uint8_t *data, const uint64_t *mask, const uint64_t *valid,
                  int rows)
{
    for (int kind = 0; kind < 8; kind++) {
        int log = kind % 4;
        uint64_t want = 0;
        for (int row = 0; row < rows; row++)
            if ((mask == NULL || fl_bit_get(mask, row)) && (valid == NULL || fl_bit_get(valid, row)))
                want += (uint64_t)at(data, 1 << log, kind < 4, row);
        fl_sum_run run = (kind < 4 ? kernels->of_signed : kernels->of_unsigned)[log];
        assert_true((uint64_t)run(data, mask, valid, rows) == want);
    }
}

static void masked_sums_are_those_of_the_rows(void **state)
{
    (void)state;
    const fl_sum_kernels *sets[] = {FL_SIMD_ALL(fl_sum_kernels)};
    static const int lengths[] = {1, 63, 64, 65, 127, 128, ROWS};
    uint64_t data[ROWS], mask[ROWS / 64 + 1], valid[ROWS / 64 + 1];
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < ROWS; i++)
            data[i] = (uint64_t)((int64_t)next_random() >> 10); /* their sum fits */
        for (int i = 0; i <= ROWS / 64; i++) {
            mask[i] = round % 3 == 0   ? ~0ull
                      : round % 3 == 1 ? next_random()
                                       : next_random() & next_random() & next_random();
            valid[i] = round % 2 == 0 ? ~0ull : next_random();
        }
        for (int level = 0; level <= (int)fl_simd_level(); level++)
            for (int i = 0; i < (int)(sizeof(lengths) / sizeof(lengths[0])); i++) {
                check(sets[level], (const uint8_t *)data, NULL, NULL, lengths[i]);
                check(sets[level], (const uint8_t *)data, mask, NULL, lengths[i]);
                check(sets[level], (const uint8_t *)data, NULL, valid, lengths[i]);
                check(sets[level], (const uint8_t *)data, mask, valid, lengths[i]);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(masked_sums_are_those_of_the_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
