/* The snappy decoder against the library: data of every kind, every cut, and every changed bit of small inputs. */
#include "format/parquet/snappy.h"

#include <setjmp.h>
#include <snappy-c.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SPARE 64
#define BYTES_MAX 200000

typedef struct sample {
    char *raw;
    char *packed;   /* with SPARE bytes behind */
    uint8_t *again; /* likewise */
    size_t bytes, packed_bytes;
} sample;

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void fill(sample *s, int kind, size_t bytes)
{
    uint64_t state = 88172645463325252ull + (uint64_t)kind;
    s->bytes = bytes;
    for (size_t i = 0; i < bytes; i++) {
        switch (kind) {
        case 0:
            s->raw[i] = (char)next_random(&state);
            break; /* nothing repeats */
        case 1:
            s->raw[i] = 'a';
            break; /* everything does */
        case 2:
            s->raw[i] = (char)(i % 8 < 3 ? next_random(&state) : 0);
            break; /* small integers */
        case 3:
            s->raw[i] = (char)('a' + next_random(&state) % 3);
            break;
        default:
            s->raw[i] = (char)(i % (size_t)kind + (next_random(&state) % 200 == 0)); /* a period, with faults */
        }
    }
    s->packed_bytes = snappy_max_compressed_length(bytes);
    assert_int_equal(snappy_compress(s->raw, bytes, s->packed, &s->packed_bytes), SNAPPY_OK);
}

static void test_gives_what_was_packed(void **state)
{
    sample *s = *state;
    static const size_t sizes[] = {0, 1, 2, 15, 16, 17, 60, 61, 64, 100, 1000, 4097, 70000, BYTES_MAX};
    for (int kind = 0; kind < 40; kind++)
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            fill(s, kind, sizes[i]);
            assert_null(fl_pq_unsnappy((uint8_t *)s->packed, (int64_t)s->packed_bytes, s->again, (int64_t)s->bytes));
            assert_memory_equal(s->again, s->raw, s->bytes);
        }
}

/* Damage is either seen, or gives what the library makes of it. */
static void check_damaged(sample *s, size_t packed_bytes)
{
    size_t bytes = s->bytes;
    static char expected[4096 + SPARE];
    bool is_good = snappy_uncompress(s->packed, packed_bytes, expected, &bytes) == SNAPPY_OK && bytes == s->bytes;
    const char *wrong = fl_pq_unsnappy((uint8_t *)s->packed, (int64_t)packed_bytes, s->again, (int64_t)s->bytes);
    assert_int_equal(wrong == NULL, is_good);
    if (is_good)
        assert_memory_equal(s->again, expected, s->bytes);
}

static void test_damage_is_seen_as_the_library_sees_it(void **state)
{
    sample *s = *state;
    for (int kind = 0; kind < 12; kind++) {
        fill(s, kind, 700);
        for (size_t cut = 0; cut < s->packed_bytes; cut++)
            check_damaged(s, cut);
        for (size_t bit = 16; bit < s->packed_bytes * 8; bit++) { /* the first two bytes hold the size */
            s->packed[bit / 8] ^= (char)(1 << bit % 8);
            check_damaged(s, s->packed_bytes);
            s->packed[bit / 8] ^= (char)(1 << bit % 8);
        }
    }
}

/* Offsets of four bytes, which the library reads but does not write. */
static void test_far_copies(void **state)
{
    sample *s = *state;
    size_t at = 0;
    s->bytes = 64 + 300 * 8;
    s->packed[at++] = (char)(s->bytes % 128 + 128);
    s->packed[at++] = (char)(s->bytes / 128);
    s->packed[at++] = (char)(60 << 2);
    s->packed[at++] = 63; /* a literal of 64 bytes */
    for (int i = 0; i < 64; i++)
        s->packed[at++] = (char)(i * 7);
    for (int i = 0; i < 300; i++) {
        static const char copy[] = {7 << 2 | 3, 0, 0, 0, 0};
        memcpy(s->packed + at, copy, sizeof(copy));
        s->packed[at + 1] = (char)(8 + i % 50);
        at += sizeof(copy);
    }
    s->packed_bytes = at;
    size_t bytes = s->bytes;
    assert_int_equal(snappy_uncompress(s->packed, at, s->raw, &bytes), SNAPPY_OK);
    assert_null(fl_pq_unsnappy((uint8_t *)s->packed, (int64_t)at, s->again, (int64_t)s->bytes));
    assert_memory_equal(s->again, s->raw, s->bytes);
}

static int set_up(void **state)
{
    sample *s = calloc(1, sizeof(*s));
    s->raw = malloc(BYTES_MAX);
    s->packed = malloc(snappy_max_compressed_length(BYTES_MAX) + SPARE);
    s->again = malloc(BYTES_MAX + SPARE);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    sample *s = *state;
    free(s->raw);
    free(s->packed);
    free(s->again);
    free(s);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gives_what_was_packed),
        cmocka_unit_test(test_damage_is_seen_as_the_library_sees_it),
        cmocka_unit_test(test_far_copies),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
