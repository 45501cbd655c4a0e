/* What is spilled comes back as it was, or not at all: sizes, threads, changed bits, full disks, limits. */
#include "exec/spill_file.h"

#include "base/fault.h"
#include "base/hash.h"
#include "base/interrupt.h"

#include "owned_system.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void init_disk(owned_system *disk, fl_memory *memory)
{
    owned_system_init(disk);
    fl_memory_init(memory, NULL, "test", 0);
    memory->system = &disk->system;
}

/* Bytes that cannot be compressed, that can, and half and half. */
static void fill(char *to, int64_t bytes, int kind, uint64_t seed)
{
    for (int64_t i = 0; i < bytes; i += 8) {
        bool is_random = kind == 0 || (kind == 2 && i / 100000 % 2 == 0);
        uint64_t word = is_random ? fl_hash_u64((uint64_t)i, seed) : ((uint64_t)i / 512 + seed) * 0x0101010101010101;
        memcpy(to + i, &word, (size_t)(bytes - i < 8 ? bytes - i : 8));
    }
}

static const fl_str directory = {"/tmp", 4};

static void check_sizes(fl_memory *memory)
{
    static const int64_t sizes[] = {0, 1, 7, 4095, 4096, 65535, 65536, 65537, 131072, 1000000, 10000000};
    fl_spill_file *file = NULL;
    fl_spill_quota quota;
    fl_spill_block blocks[3 * FL_LEN(sizes)];
    fl_err err = {0};
    char *from = malloc(10000000), *to = malloc(10000001);
    fl_spill_quota_init(&quota, NULL, "temp_limit", 0);
    assert_int_equal(fl_spill_file_new(memory, directory, &quota, &file, &err), FL_OK);
    for (int i = 0; i < FL_LEN(blocks); i++) {
        fill(from, sizes[i / 3], i % 3, (uint64_t)i);
        assert_int_equal(fl_spill_file_write(file, from, sizes[i / 3], &blocks[i], &err), FL_OK);
    }
    fl_spill_stats stats = fl_spill_file_stats(file);
    assert_int_equal(stats.blocks, FL_LEN(blocks) - 3);
    assert_true(stats.raw_bytes > 33000000 && stats.stored_bytes < stats.raw_bytes / 10 * 7);
    assert_true(stats.used_bytes >= stats.stored_bytes && stats.used_bytes == quota.used_bytes);
    for (int round = 0; round < 2; round++)
        for (int i = (int)FL_LEN(blocks) - 1; i >= 0; i--) {
            fl_spill_file_prefetch(file, &blocks[i]);
            fill(from, sizes[i / 3], i % 3, (uint64_t)i);
            to[sizes[i / 3]] = 'x';
            if (fl_spill_file_read(file, &blocks[i], to, &err) != FL_OK)
                fail_msg("block %d: %s", i, err.message);
            assert_memory_equal(from, to, (size_t)sizes[i / 3]);
            assert_int_equal(to[sizes[i / 3]], 'x');
            if (round == 1)
                fl_spill_file_forget(file, &blocks[i]);
        }
    assert_int_equal(quota.used_bytes, 0);
    assert_int_equal(fl_spill_file_stats(file).used_bytes, 0);
    assert_true(quota.peak_bytes >= stats.used_bytes);
    fl_spill_file_free(file);
    assert_int_equal(memory->used_bytes, 0);
    free(from);
    free(to);
}

static void test_sizes(void **state)
{
    owned_system disk;
    fl_memory memory;
    (void)state;
    init_disk(&disk, &memory);
    check_sizes(&memory);
    disk.piece_max = 5000; /* short reads and writes */
    disk.is_interrupted = true;
    check_sizes(&memory);
    disk.piece_max = 0;
    disk.has_no_holes = true;
    check_sizes(&memory);
    memory.system = NULL;
    check_sizes(&memory);
}

/* Space that is given back is used again: the file of many rounds is as large as one round's. */
static void test_bounded(void **state)
{
    owned_system disk;
    fl_memory memory;
    fl_spill_file *file = NULL;
    fl_spill_quota quota;
    fl_spill_block kept, blocks[8];
    char *from = malloc(300000), *to = malloc(300000);
    (void)state;
    for (int holes = 0; holes < 2; holes++) {
        init_disk(&disk, &memory);
        disk.has_no_holes = holes == 0;
        fl_spill_quota_init(&quota, NULL, "temp_limit", 3000000);
        assert_int_equal(fl_spill_file_new(&memory, directory, &quota, &file, NULL), FL_OK);
        fill(from, 300000, 0, 1);
        if (holes == 1) /* one block that stays does not keep the space of others */
            assert_int_equal(fl_spill_file_write(file, from, 300000, &kept, NULL), FL_OK);
        for (int round = 0; round < 50; round++) {
            for (int i = 0; i < 8; i++)
                assert_int_equal(fl_spill_file_write(file, from, 300000, &blocks[i], NULL), FL_OK);
            for (int i = 0; i < 8; i++) {
                assert_int_equal(fl_spill_file_read(file, &blocks[i], to, NULL), FL_OK);
                assert_memory_equal(from, to, 300000);
                fl_spill_file_forget(file, &blocks[i]);
            }
        }
        assert_true(disk.resized_bytes < 3000000);
        if (holes == 1) {
            assert_int_equal(fl_spill_file_read(file, &kept, to, NULL), FL_OK);
            assert_memory_equal(from, to, 300000);
        }
        fl_spill_file_free(file);
        assert_int_equal(quota.used_bytes, 0);
    }
    free(from);
    free(to);
}

#define THREADS 8
#define ROUNDS 30

typedef struct spiller {
    fl_spill_file *file;
    uint64_t seed;
    bool is_good;
    pthread_t thread;
} spiller;

/* Several blocks of each thread are there at once; others' come and go meanwhile, so that the file begins anew now and then. */
static void *spill(void *ctx)
{
    spiller *s = ctx;
    fl_spill_block blocks[4];
    char *from = malloc(200000), *to = malloc(200000);
    s->is_good = true;
    for (int round = 0; round < ROUNDS && s->is_good; round++) {
        int64_t bytes = (int64_t)(fl_hash_u64((uint64_t)round, s->seed) % 200000);
        for (int i = 0; i < 4; i++) {
            fill(from, bytes, i % 3, s->seed + (uint64_t)i);
            s->is_good &= fl_spill_file_write(s->file, from, bytes, &blocks[i], NULL) == FL_OK;
        }
        for (int i = 3; i >= 0; i--) {
            fill(from, bytes, i % 3, s->seed + (uint64_t)i);
            s->is_good &= fl_spill_file_read(s->file, &blocks[i], to, NULL) == FL_OK;
            s->is_good &= memcmp(from, to, (size_t)bytes) == 0;
            fl_spill_file_forget(s->file, &blocks[i]);
        }
    }
    free(from);
    free(to);
    return NULL;
}

static void test_threads(void **state)
{
    owned_system disk;
    fl_memory memory;
    fl_spill_file *file = NULL;
    fl_spill_quota quota;
    spiller spillers[THREADS];
    (void)state;
    for (int holes = 0; holes < 2; holes++) {
        init_disk(&disk, &memory);
        disk.has_no_holes = holes == 0;
        fl_spill_quota_init(&quota, NULL, "temp_limit", 0);
        assert_int_equal(fl_spill_file_new(&memory, directory, &quota, &file, NULL), FL_OK);
        for (int i = 0; i < THREADS; i++) {
            spillers[i] = (spiller){.file = file, .seed = (uint64_t)i * 1000 + 1};
            assert_int_equal(pthread_create(&spillers[i].thread, NULL, spill, &spillers[i]), 0);
        }
        for (int i = 0; i < THREADS; i++) {
            pthread_join(spillers[i].thread, NULL);
            assert_true(spillers[i].is_good);
        }
        assert_int_equal(quota.used_bytes, 0);
        fl_spill_file_free(file);
    }
}

/* Each bit of a short block, and bits all over a long one, compressed and not. */
static void test_changed_bits(void **state)
{
    owned_system disk;
    fl_memory memory;
    fl_spill_file *file = NULL;
    fl_spill_block block;
    fl_err err = {0};
    char *from = malloc(200000), *to = malloc(200000);
    (void)state;
    init_disk(&disk, &memory);
    for (int kind = 0; kind < 4; kind++) {
        int64_t bytes = kind < 2 ? 40 : 200000;
        fill(from, bytes, kind % 2, 3);
        assert_int_equal(fl_spill_file_new(&memory, directory, NULL, &file, &err), FL_OK);
        assert_int_equal(fl_spill_file_write(file, from, bytes, &block, &err), FL_OK);
        for (int64_t bit = 0; bit < block.stored_bytes * 8; bit += kind < 2 ? 1 : 997) {
            disk.bit_flipped = block.offset * 8 + bit;
            if (fl_spill_file_read(file, &block, to, &err) != FL_ERR_CORRUPT)
                fail_msg("kind %d: bit %lld may change", kind, (long long)bit);
        }
        disk.bit_flipped = -1;
        assert_int_equal(fl_spill_file_read(file, &block, to, &err), FL_OK);
        fl_spill_file_free(file);
    }
    free(from);
    free(to);
}

/* A block at another's place, and one whose bytes never came to the disk. */
static void test_lost_writes(void **state)
{
    owned_system disk;
    fl_memory memory;
    fl_spill_file *file = NULL;
    fl_spill_block first, second;
    fl_err err = {0};
    char from[5000], to[5000];
    (void)state;
    init_disk(&disk, &memory);
    fill(from, 5000, 0, 3);
    assert_int_equal(fl_spill_file_new(&memory, directory, NULL, &file, &err), FL_OK);
    assert_int_equal(fl_spill_file_write(file, from, 5000, &first, &err), FL_OK);
    assert_int_equal(fl_spill_file_write(file, from, 5000, &second, &err), FL_OK);
    fl_spill_block moved = first;
    moved.offset = second.offset;
    assert_int_equal(fl_spill_file_read(file, &moved, to, &err), FL_ERR_CORRUPT);
    fl_spill_file_forget(file, &first); /* zeros are there now */
    assert_int_equal(fl_spill_file_read(file, &first, to, &err), FL_ERR_CORRUPT);
    moved = second;
    moved.raw_bytes = 4000;
    assert_int_equal(fl_spill_file_read(file, &moved, to, &err), FL_ERR_CORRUPT);
    moved = second;
    moved.stored_bytes = 4000;
    assert_int_equal(fl_spill_file_read(file, &moved, to, &err), FL_ERR_CORRUPT);
    assert_int_equal(fl_spill_file_read(file, &second, to, &err), FL_OK);
    fl_spill_file_free(file);
}

/* What could not be written takes nothing, and the file goes on when there is room again. */
static void test_full_disk(void **state)
{
    owned_system disk;
    fl_memory memory;
    fl_spill_file *file = NULL;
    fl_spill_quota quota;
    fl_spill_block first, second;
    fl_err err = {0};
    char *from = malloc(200000), *to = malloc(200000);
    (void)state;
    init_disk(&disk, &memory);
    fl_spill_quota_init(&quota, NULL, "temp_limit", 0);
    fill(from, 200000, 0, 3);
    for (int64_t room = 0; room < 200000; room += 9973) {
        disk.room_bytes = -1;
        assert_int_equal(fl_spill_file_new(&memory, directory, &quota, &file, &err), FL_OK);
        assert_int_equal(fl_spill_file_write(file, from, 200000, &first, &err), FL_OK);
        int64_t used = quota.used_bytes;
        disk.room_bytes = room;
        assert_int_equal(fl_spill_file_write(file, from, 200000, &second, &err), FL_ERR_IO);
        assert_string_equal(err.sqlstate, "53100");
        assert_non_null(strstr(err.message, "the temporary directory \"/tmp\" is full: "));
        assert_int_equal(quota.used_bytes, used);
        disk.room_bytes = -1;
        assert_int_equal(fl_spill_file_write(file, from, 200000, &second, &err), FL_OK);
        assert_int_equal(fl_spill_file_read(file, &second, to, &err), FL_OK);
        assert_memory_equal(from, to, 200000);
        assert_int_equal(fl_spill_file_read(file, &first, to, &err), FL_OK);
        assert_memory_equal(from, to, 200000);
        fl_spill_file_free(file);
        assert_int_equal(quota.used_bytes, 0);
    }
    free(from);
    free(to);
}

static void test_limits(void **state)
{
    owned_system disk;
    fl_memory memory;
    fl_spill_file *file = NULL, *other = NULL;
    fl_spill_quota engine, session;
    fl_spill_block block, blocks[3];
    fl_err err = {0};
    char *from = malloc(200000);
    (void)state;
    init_disk(&disk, &memory);
    fill(from, 200000, 0, 3);
    fl_spill_quota_init(&engine, NULL, "the engine's limit", 700000);
    fl_spill_quota_init(&session, &engine, "temp_limit", 500000);
    assert_int_equal(fl_spill_file_new(&memory, directory, &session, &file, &err), FL_OK);
    assert_int_equal(fl_spill_file_new(&memory, directory, &engine, &other, &err), FL_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(fl_spill_file_write(file, from, 200000, &blocks[i], &err), FL_OK);
    int64_t used = session.used_bytes;
    assert_int_equal(fl_spill_file_write(file, from, 200000, &block, &err), FL_ERR_LIMIT);
    assert_string_equal(err.sqlstate, "53400");
    assert_non_null(strstr(err.message, "temp_limit is 500 kB"));
    assert_int_equal(session.used_bytes, used);
    assert_int_equal(engine.used_bytes, used);
    assert_int_equal(fl_spill_file_write(other, from, 200000, &block, &err), FL_OK);
    fl_spill_file_forget(file, &blocks[0]);
    assert_int_equal(fl_spill_file_write(file, from, 200000, &blocks[0], &err), FL_OK);
    session.limit_bytes = 0;
    assert_int_equal(fl_spill_file_write(file, from, 200000, &blocks[2], &err), FL_ERR_LIMIT);
    assert_non_null(strstr(err.message, "the engine's limit is 700 kB"));
    fl_spill_file_free(file);
    fl_spill_file_free(other);
    assert_int_equal(session.used_bytes, 0);
    assert_int_equal(engine.used_bytes, 0);
    free(from);
}

static void test_missing_directory(void **state)
{
    fl_memory memory;
    fl_spill_file *file = NULL;
    fl_err err = {0};
    (void)state;
    fl_memory_init(&memory, NULL, "test", 0);
    assert_int_equal(fl_spill_file_new(&memory, FL_STR("/tmpp"), NULL, &file, &err), FL_ERR_IO);
    assert_string_equal(err.sqlstate, "58P01");
    assert_string_equal(err.hint, "did you mean \"/tmp\"?");
    assert_int_equal(fl_spill_file_new(&memory, FL_STR("/dev/null"), NULL, &file, &err), FL_ERR_IO);
    assert_string_equal(err.sqlstate, "58P01");
    assert_int_equal(fl_spill_file_new(&memory, FL_STR("/proc"), NULL, &file, &err),
                     FL_ERR_IO); /* there, but not to be written in */
    assert_string_equal(err.sqlstate, "58030");
    assert_null(file);
    assert_int_equal(memory.used_bytes, 0);
    fl_spill_file_free(NULL);
}

/* Each call in turn fails, and each look at the interrupt finds a request. */
static void test_faults(void **state)
{
    static const fl_fault faults[] = {FL_FAULT_ALLOC, FL_FAULT_OPEN, FL_FAULT_READ, FL_FAULT_WRITE, FL_FAULT_INTERRUPT};
    fl_memory memory;
    fl_interrupt interrupt = {0};
    char *from = malloc(200000), *to = malloc(200000);
    (void)state;
    fl_memory_init(&memory, NULL, "test", 0);
    memory.interrupt = &interrupt;
    fill(from, 200000, 2, 3);
    for (int i = 0; i < FL_LEN(faults); i++) {
        bool was_struck = true;
        for (int64_t n = 1; was_struck; n++) {
            fl_spill_file *file = NULL;
            fl_spill_block block;
            fl_spill_quota quota;
            fl_spill_quota_init(&quota, NULL, "temp_limit", 0);
            fl_interrupt_begin(&interrupt);
            fl_fault_arm(faults[i], n);
            fl_status st = fl_spill_file_new(&memory, directory, &quota, &file, NULL);
            if (st == FL_OK)
                st = fl_spill_file_write(file, from, 200000, &block, NULL);
            if (st == FL_OK)
                st = fl_spill_file_read(file, &block, to, NULL);
            if (st == FL_OK) {
                assert_memory_equal(from, to, 200000);
                fl_spill_file_forget(file, &block);
            }
            was_struck = !fl_fault_is_armed(faults[i]);
            fl_fault_arm(faults[i], 0);
            assert_int_equal(quota.used_bytes * (st != FL_ERR_IO && st != FL_ERR_CANCELLED), 0);
            fl_spill_file_free(file);
            assert_int_equal(quota.used_bytes, 0);
            assert_int_equal(memory.used_bytes, 0);
            if (!was_struck)
                assert_int_equal(st, FL_OK);
        }
    }
    free(from);
    free(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),        cmocka_unit_test(test_bounded),           cmocka_unit_test(test_threads),
        cmocka_unit_test(test_changed_bits), cmocka_unit_test(test_lost_writes),       cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_limits),       cmocka_unit_test(test_missing_directory), cmocka_unit_test(test_faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
