/* The kernels of every instruction set that this processor has, against loops that cannot be wrong; runs and deltas. */
#include "format/parquet/delta.h"
#include "format/parquet/hybrid.h"
#include "format/parquet/kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VALUES_MAX 3000
#define SPARE 64

static uint64_t random_state = 88172645463325252ull;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static const char *const sets[] = {"baseline", "avx2", "avx512"};

/* The next of the sets; NULL when this processor has not got it. */
static const fl_pq_kernels *set_named(const char *name)
{
    setenv("FLETCH_SIMD", name, 1);
    const fl_pq_kernels *kernels = fl_pq_kernels_choose();
    unsetenv("FLETCH_SIMD");
    return strcmp(kernels->name, name) == 0 ? kernels : NULL;
}

static void put_bits(uint8_t *to, int64_t bit, int width, uint64_t value)
{
    for (int b = 0; b < width; b++, bit++)
        to[bit >> 3] |= (uint8_t)((value >> b & 1) << (bit & 7));
}

static void test_unpacking(void **state)
{
    (void)state;
    static uint32_t values[VALUES_MAX + 1], got[VALUES_MAX + SPARE];
    static uint8_t packed[VALUES_MAX * 4 + 2 * SPARE];
    for (int width = 0; width <= 32; width++) {
        memset(packed, 0, sizeof(packed));
        for (int64_t i = 0; i < VALUES_MAX; i++) {
            values[i] = width == 0 ? 0 : (uint32_t)(next_random() >> (64 - width));
            put_bits(packed, i * width, width, values[i]);
        }
        for (size_t s = 0; s < 3; s++) {
            const fl_pq_kernels *kernels = set_named(sets[s]);
            if (kernels == NULL)
                continue;
            for (int64_t from = 0; from < 40; from++) /* runs are read in pieces that begin anywhere */
                for (int64_t n = 0; n < VALUES_MAX - 40; n = n * 2 + 1) {
                    kernels->unpack(packed, from * width, width, n, got);
                    assert_memory_equal(got, values + from, (size_t)n * 4);
                }
        }
    }
}

static void test_gathering(void **state)
{
    (void)state;
    static uint32_t values_4[500], codes[VALUES_MAX], got_4[VALUES_MAX];
    static uint64_t values_8[500], got_8[VALUES_MAX];
    for (int i = 0; i < 500; i++) {
        values_8[i] = next_random();
        values_4[i] = (uint32_t)values_8[i];
    }
    for (size_t s = 0; s < 3; s++) {
        const fl_pq_kernels *kernels = set_named(sets[s]);
        for (int64_t n = 0; kernels != NULL && n < VALUES_MAX; n = n * 2 + 1) {
            uint32_t max = 0;
            for (int64_t i = 0; i < n; i++) {
                codes[i] = (uint32_t)(next_random() % 500);
                max = codes[i] > max ? codes[i] : max;
            }
            assert_int_equal(kernels->max_u32(codes, n), max);
            static uint8_t bytes[VALUES_MAX];
            int64_t sevens = 0;
            for (int64_t i = 0; i < n; i++)
                sevens += codes[i] % 8 == 7;
            for (int64_t i = 0; i < n; i++)
                codes[i] %= 8;
            kernels->narrow(codes, n, bytes);
            assert_int_equal(kernels->count_equal(bytes, n, 7), sevens);
            int64_t slots = 0;
            for (int64_t i = 0; i + 1 < n; i++)
                slots += bytes[i] <= 2 && bytes[i + 1] >= 5;
            if (n > 0)
                assert_int_equal(kernels->count_slots(bytes, bytes + 1, n - 1, 2, 5), slots);
            kernels->gather_4(values_4, codes, n, got_4);
            kernels->gather_8(values_8, codes, n, got_8);
            for (int64_t i = 0; i < n; i++) {
                assert_int_equal(got_4[i], values_4[codes[i]]);
                assert_true(got_8[i] == values_8[codes[i]]);
            }
        }
    }
}

static void test_spreading(void **state)
{
    (void)state;
    static uint64_t dense_8[VALUES_MAX + 1], valid[VALUES_MAX / 64 + 4], got_8[VALUES_MAX + SPARE];
    static uint32_t dense_4[VALUES_MAX + 1], got_4[VALUES_MAX + SPARE];
    for (int64_t i = 0; i < VALUES_MAX; i++)
        dense_8[i] = dense_4[i] = (uint32_t)next_random();
    for (size_t w = 0; w < sizeof(valid) / 8; w++)
        valid[w] = w % 5 == 0 ? ~0ull : w % 5 == 1 ? 0 : next_random();
    for (size_t s = 0; s < 3; s++) {
        const fl_pq_kernels *kernels = set_named(sets[s]);
        for (int64_t bit = 0; kernels != NULL && bit < 130; bit += 13)
            for (int64_t n = 0; n < VALUES_MAX - 130; n = n * 2 + 1) {
                kernels->spread_4(dense_4, valid, bit, n, got_4);
                kernels->spread_8(dense_8, valid, bit, n, got_8);
                for (int64_t i = 0, next = 0; i < n; i++)
                    if (valid[(bit + i) >> 6] >> ((bit + i) & 63) & 1) {
                        assert_int_equal(got_4[i], dense_4[next]);
                        assert_true(got_8[i] == dense_8[next]);
                        next++;
                    }
            }
    }
}

static void test_split_bytes_and_ascii(void **state)
{
    (void)state;
    static uint8_t split[VALUES_MAX * 16], got[VALUES_MAX * 16 + SPARE], text[VALUES_MAX];
    static const int64_t widths[] = {2, 4, 8, 12, 16};
    for (size_t s = 0; s < 3; s++) {
        const fl_pq_kernels *kernels = set_named(sets[s]);
        if (kernels == NULL)
            continue;
        for (size_t w = 0; w < 5; w++)
            for (int64_t n = 0; n < VALUES_MAX; n = n * 3 + 1) {
                int64_t width = widths[w];
                for (int64_t i = 0; i < n * width; i++)
                    split[i] = (uint8_t)next_random();
                kernels->unsplit(split, n, width, got);
                for (int64_t i = 0; i < n; i++)
                    for (int64_t b = 0; b < width; b++)
                        assert_int_equal(got[i * width + b], split[b * n + i]);
            }
        memset(text, 'x', sizeof(text));
        assert_true(kernels->is_ascii(text, VALUES_MAX));
        assert_true(kernels->is_ascii(text, 0));
        for (int64_t i = 0; i < VALUES_MAX; i += 37) {
            text[i] = 0xC3;
            assert_false(kernels->is_ascii(text, VALUES_MAX));
            assert_true(kernels->is_ascii(text, i));
            text[i] = 'x';
        }
    }
}

/* Runs as a writer makes them: headers, repeated values, packed groups. */
typedef struct runs {
    uint8_t data[VALUES_MAX * 8];
    int64_t bytes;
    uint32_t values[VALUES_MAX + 512];
    int64_t n;
} runs;

static void put_varint(runs *r, uint64_t value)
{
    for (; value >= 128; value >>= 7)
        r->data[r->bytes++] = (uint8_t)(value | 128);
    r->data[r->bytes++] = (uint8_t)value;
}

static void make_runs(runs *r, int width)
{
    memset(r, 0, sizeof(*r));
    uint32_t mask = width == 32 ? ~0u : (1u << width) - 1;
    while (r->n < VALUES_MAX) {
        if (next_random() % 2 == 0) {
            int64_t count = (int64_t)(next_random() % 200);
            uint32_t value = (uint32_t)next_random() & mask;
            put_varint(r, (uint64_t)count << 1);
            for (int b = 0; b < (width + 7) / 8; b++)
                r->data[r->bytes++] = (uint8_t)(value >> (8 * b));
            for (int64_t i = 0; i < count; i++)
                r->values[r->n++] = value;
        } else {
            int64_t groups = (int64_t)(next_random() % 20);
            put_varint(r, (uint64_t)groups << 1 | 1);
            for (int64_t i = 0; i < groups * 8; i++) {
                r->values[r->n] = (uint32_t)next_random() & mask;
                put_bits(r->data + r->bytes, i * width, width, r->values[r->n++]);
            }
            r->bytes += groups * width;
        }
    }
}

static void test_runs_in_pieces(void **state)
{
    (void)state;
    static runs r;
    static uint32_t got[VALUES_MAX + 1024];
    static const int widths[] = {1, 2, 3, 7, 8, 12, 17, 24, 25};
    const fl_pq_kernels *kernels = fl_pq_kernels_choose();
    for (size_t w = 0; w < 9; w++)
        for (int64_t piece = 1; piece < 2500; piece = piece * 2 + 3) {
            fl_pq_hybrid h;
            make_runs(&r, widths[w]);
            fl_pq_hybrid_init(&h, r.data, r.bytes, (uint32_t)widths[w]);
            for (int64_t at = 0; at < r.n;) {
                int64_t n = r.n - at < piece ? r.n - at : piece;
                if (next_random() % 4 == 0) {
                    assert_true(fl_pq_hybrid_skip(&h, n));
                } else if (widths[w] == 1) {
                    uint64_t bits[64] = {0};
                    int64_t ones = 0, expected = 0, begin = (int64_t)(next_random() % 100);
                    n = n < 3900 ? n : 3900;
                    assert_true(fl_pq_hybrid_read_bits(&h, n, bits, begin, &ones));
                    for (int64_t i = 0; i < n; i++) {
                        assert_int_equal(bits[(begin + i) >> 6] >> ((begin + i) & 63) & 1, r.values[at + i]);
                        expected += r.values[at + i];
                    }
                    assert_int_equal(ones, expected);
                } else {
                    assert_true(fl_pq_hybrid_read(&h, kernels, n, got));
                    assert_memory_equal(got, r.values + at, (size_t)n * 4);
                }
                at += n;
            }
            assert_false(fl_pq_hybrid_read(&h, kernels, 1, got));
        }
}

static void test_a_run_of_a_value_too_wide_is_refused(void **state)
{
    (void)state;
    uint8_t data[SPARE * 2] = {8 << 1, 4};
    uint32_t got[SPARE];
    fl_pq_hybrid h;
    fl_pq_hybrid_init(&h, data, 2, 2);
    assert_false(fl_pq_hybrid_read(&h, fl_pq_kernels_choose(), 8, got));
}

static void test_deltas(void **state)
{
    (void)state;
    /* blocks of 128 in 4 miniblocks; 5 values from 7 on, one apart: least delta 1, 0 bits for the rest */
    static const uint8_t head[] = {0x80, 1, 4, 5, 14, 2, 0, 0, 0, 0};
    uint8_t data[SPARE * 2] = {0};
    int64_t got[8] = {0};
    memcpy(data, head, sizeof(head));
    assert_int_equal(fl_pq_delta_count(data, sizeof(head)), 5);
    assert_int_equal(fl_pq_delta_read(data, sizeof(head), 5, 8, got), sizeof(head));
    for (int64_t i = 0; i < 5; i++)
        assert_int_equal(got[i], 7 + i);
    int32_t narrow[8] = {0};
    assert_int_equal(fl_pq_delta_read(data, sizeof(head), 3, 4, narrow), sizeof(head));
    assert_int_equal(narrow[2], 9);
    assert_int_equal(narrow[3], 0);
    for (int64_t cut = 0; cut < (int64_t)sizeof(head); cut++)
        assert_true(fl_pq_delta_read(data, cut, 5, 8, got) < 0);
    data[6] = 65; /* bits of a delta */
    assert_true(fl_pq_delta_read(data, sizeof(head), 5, 8, got) < 0);
    data[2] = 0; /* no miniblocks */
    assert_true(fl_pq_delta_count(data, sizeof(head)) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unpacking),      cmocka_unit_test(test_gathering),
        cmocka_unit_test(test_spreading),      cmocka_unit_test(test_split_bytes_and_ascii),
        cmocka_unit_test(test_runs_in_pieces), cmocka_unit_test(test_a_run_of_a_value_too_wide_is_refused),
        cmocka_unit_test(test_deltas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
