/* The pool of regions: what comes back, what is kept, and that blocks and buffers lie in it. */
#include "base/buffer.h"
#include "base/region_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MB (1ll << 20)

#if defined(__SANITIZE_ADDRESS__)
#define KEEPS false /* so that use of what was freed is seen */
#else
#define KEEPS true
#endif

static void test_a_region_comes_back(void **state)
{
    fl_region_pool *pool = NULL;
    assert_int_equal(fl_region_pool_new(16 * MB, &pool, NULL), FL_OK);
    void *first = fl_region_get(pool, 3 * MB);
    assert_true((uintptr_t)first % FL_HUGE_PAGE_BYTES == 0);
    assert_true(fl_region_bytes(pool, 3 * MB) >= 4 * MB);
    memset(first, 1, (size_t)fl_region_bytes(pool, 3 * MB));
    fl_region_put(pool, first, 3 * MB);
    void *again = fl_region_get(pool, 4 * MB); /* of the same class */
    if (KEEPS)
        assert_ptr_equal(first, again);
    fl_region_put(pool, again, 4 * MB);
    fl_region_pool_free(pool);
}

static void test_small_ones_have_their_own_size(void **state)
{
    fl_region_pool *pool = NULL;
    assert_int_equal(fl_region_pool_new(64 * MB, &pool, NULL), FL_OK);
    assert_int_equal(fl_region_bytes(pool, 1000), 1000);
    assert_int_equal(fl_region_bytes(NULL, 3 * MB), 3 * MB);
    assert_false(fl_region_is_filled(pool, 1000));
    assert_false(fl_region_is_filled(NULL, 4 * MB));
    assert_true(fl_region_is_filled(pool, 4 * MB));
    assert_true(fl_region_is_filled(pool, 4 * MB + 64));
    assert_false(fl_region_is_filled(pool, 3 * MB)); /* a quarter of the region would be counted by nobody */
    fl_region_put(pool, fl_region_get(pool, 1000), 1000);
    fl_region_pool_free(pool);
}

static void test_no_more_is_kept_than_allowed(void **state)
{
    fl_region_pool *pool = NULL;
    void *regions[4];
    assert_int_equal(fl_region_pool_new(9 * MB, &pool, NULL), FL_OK); /* two of 4 MB and a page */
    for (int i = 0; i < 4; i++)
        assert_non_null(regions[i] = fl_region_get(pool, 4 * MB));
    for (int i = 0; i < 4; i++) /* those that are not kept are freed: a leak or a crash would tell */
        fl_region_put(pool, regions[i], 4 * MB);
    for (int i = 1; KEEPS && i >= 0; i--) {
        void *again = fl_region_get(pool, 4 * MB);
        assert_ptr_equal(again, regions[i]);
        regions[i] = again;
    }
    for (int i = 1; KEEPS && i >= 0; i--)
        fl_region_put(pool, regions[i], 4 * MB);
    fl_region_pool_free(pool);
}

/* Blocks grow into regions and out of them, keep what is in them, and are charged what was asked for. */
static void test_blocks_move(void **state)
{
    static const int64_t sizes[] = {100, 2 * MB - 64, 3 * MB, 8 * MB - 64, 8 * MB, 2 * MB, 50};
    fl_region_pool *pool = NULL;
    fl_memory memory;
    void *block = NULL;
    assert_int_equal(fl_region_pool_new(64 * MB, &pool, NULL), FL_OK);
    fl_memory_init(&memory, NULL, "test", 100 * MB);
    memory.pool = pool;
    for (int round = 0; round < 2; round++) {
        for (int64_t i = 0; i < FL_LEN(sizes); i++) {
            assert_int_equal(fl_realloc(&memory, &block, sizes[i], NULL), FL_OK);
            assert_int_equal(atomic_load(&memory.used_bytes), sizes[i]);
            assert_int_equal((uintptr_t)block % 16, 0);
            if (i > 0)
                for (int b = 0; b < 50; b++)
                    assert_int_equal(((uint8_t *)block)[b], b);
            for (int b = 0; b < 50; b++)
                ((uint8_t *)block)[b] = (uint8_t)b;
        }
        fl_free(block);
        block = NULL;
    }
    assert_int_equal(atomic_load(&memory.used_bytes), 0);
    fl_region_pool_free(pool);
}

static void test_buffers_grow_within_their_region(void **state)
{
    fl_region_pool *pool = NULL;
    fl_memory memory;
    fl_buffer *buffer = NULL;
    assert_int_equal(fl_region_pool_new(64 * MB, &pool, NULL), FL_OK);
    fl_memory_init(&memory, NULL, "test", 0);
    memory.pool = pool;
    assert_int_equal(fl_buffer_new(&memory, 3 * MB, &buffer, NULL), FL_OK);
    const uint8_t *data = buffer->data;
    assert_int_equal(fl_buffer_grow(&buffer, 4 * MB, NULL), FL_OK);
    assert_ptr_equal(data, buffer->data);
    assert_int_equal(atomic_load(&memory.used_bytes), 4 * MB);
    assert_int_equal(fl_buffer_grow(&buffer, 5 * MB, NULL), FL_OK);
    memset(buffer->data, 1, (size_t)(5 * MB + 64)); /* so much may be read behind it */
    fl_buffer_unref(buffer);
    assert_int_equal(atomic_load(&memory.used_bytes), 0);
    fl_region_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_region_comes_back),
        cmocka_unit_test(test_small_ones_have_their_own_size),
        cmocka_unit_test(test_no_more_is_kept_than_allowed),
        cmocka_unit_test(test_blocks_move),
        cmocka_unit_test(test_buffers_grow_within_their_region),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
