/* Files through the system's table: what is written comes back, reasons are the system's, and who notes calls sees their order. */
#include "base/system.h"

#include "base/clock.h"
#include "base/fault.h"
#include "owned_system.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/fletch-system-XXXXXX";

static const char *path_of(const char *name)
{
    static char paths[4][128];
    static int n;
    char *path = paths[n++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

/* A file is put in another's place as it must be, so that a crash leaves one or the other: the contents are on the disk before the
 * name is, and the name before anybody is told. */
static fl_status replace(const fl_system *system, const char *text)
{
    int fd = fl_system_make(system, path_of("new"));
    if (fd < 0)
        return FL_ERR_IO;
    int failure = fl_system_write_at(system, fd, 0, text, (int64_t)strlen(text));
    if (failure == 0)
        failure = fl_system_sync(system, fd);
    fl_system_close(system, fd);
    if (failure == 0)
        failure = fl_system_rename(system, path_of("new"), path_of("data"));
    if (failure == 0)
        failure = fl_system_sync_folder(system, folder);
    if (failure < 0)
        (void)fl_system_remove(system, path_of("new"));
    return failure < 0 ? FL_ERR_IO : FL_OK;
}

static void check_text(const char *wanted)
{
    char text[64] = "";
    fl_file_info info;
    int fd = fl_system_open(NULL, path_of("data"));
    assert_true(fd >= 0);
    assert_int_equal(fl_system_look_open(NULL, fd, &info), 0);
    assert_int_equal(info.bytes, strlen(wanted));
    assert_int_equal(fl_system_read_at(NULL, fd, 0, text, sizeof(text)), info.bytes);
    assert_string_equal(text, wanted);
    fl_system_close(NULL, fd);
}

static void test_order(void **state)
{
    owned_system owned;
    (void)state;
    owned_system_init(&owned);
    owned.is_noting = true;
    assert_int_equal(replace(&owned.system, "first"), FL_OK);
    assert_string_equal(owned.notes, "make new; write 5; sync; rename new data; sync_folder; ");
    check_text("first");
    owned.room_bytes = 3;
    owned.notes[0] = 0;
    assert_int_equal(replace(&owned.system, "second"), FL_ERR_IO);
    assert_string_equal(owned.notes, "make new; write 3; remove new; ");
    check_text("first");
    owned.room_bytes = -1;
    owned.piece_max = 2;
    owned.is_interrupted = true;
    owned.notes[0] = 0;
    assert_int_equal(replace(&owned.system, "third"), FL_OK);
    assert_string_equal(owned.notes, "make new; write 2; write 2; write 1; sync; rename new data; sync_folder; ");
    check_text("third");
}

/* Whichever of its steps fails, the file is the old one or the new one. */
static void test_faults(void **state)
{
    (void)state;
    assert_int_equal(replace(NULL, "old"), FL_OK);
    for (int kind = FL_FAULT_OPEN; kind <= FL_FAULT_WRITE; kind++) {
        bool was_struck = true;
        for (int64_t n = 1; was_struck; n++) {
            fl_fault_arm((fl_fault)kind, n);
            fl_status st = replace(NULL, "new");
            was_struck = !fl_fault_is_armed((fl_fault)kind);
            fl_fault_arm((fl_fault)kind, 0);
            assert_int_equal(st, was_struck ? FL_ERR_IO : FL_OK);
            check_text(st == FL_OK || (kind == FL_FAULT_WRITE && n == 4) ? "new" : "old");
            assert_int_equal(replace(NULL, "old"), FL_OK);
        }
    }
}

static bool count_name(void *ctx, const char *name)
{
    int *n = ctx;
    (*n)++;
    return strcmp(name, "data") != 0 || *n < 100;
}

static void test_reasons(void **state)
{
    fl_file_info info;
    char target[64];
    int n = 0;
    (void)state;
    assert_int_equal(replace(NULL, "text"), FL_OK);
    assert_int_equal(fl_system_open(NULL, path_of("none")), -ENOENT);
    assert_int_equal(fl_system_make(NULL, path_of("data")), -EEXIST);
    assert_int_equal(fl_system_make_temporary(NULL, path_of("none")), -ENOENT);
    assert_int_equal(fl_system_rename(NULL, path_of("none"), path_of("data")), -ENOENT);
    assert_int_equal(fl_system_remove(NULL, path_of("none")), -ENOENT);
    assert_int_equal(fl_system_sync_folder(NULL, path_of("none")), -ENOENT);
    assert_int_equal(fl_system_look(NULL, path_of("none"), true, &info), -ENOENT);
    assert_int_equal(fl_system_list(NULL, path_of("none"), count_name, &n), -ENOENT);
    assert_string_equal(fl_system_reason(-ENOENT), "No such file or directory");
    assert_int_equal(fl_system_list(NULL, folder, count_name, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(symlink("data", path_of("link")), 0);
    assert_int_equal(fl_system_look(NULL, path_of("link"), false, &info), 0);
    assert_int_equal(info.kind, FL_FILE_LINK);
    assert_int_equal(fl_system_look(NULL, path_of("link"), true, &info), 0);
    assert_int_equal(info.kind, FL_FILE_REGULAR);
    assert_int_equal(fl_system_read_link(NULL, path_of("link"), target, sizeof(target)), 4);
    assert_int_equal(fl_system_look(NULL, folder, true, &info), 0);
    assert_int_equal(info.kind, FL_FILE_FOLDER);
    assert_int_equal(fl_system_look(NULL, "/dev/null", true, &info), 0);
    assert_int_equal(info.kind, FL_FILE_DEVICE);
    assert_int_equal(fl_system_remove(NULL, path_of("link")), 0);
}

/* A file that is edited is made or kept; its lock is one open file's at a time; folders and files are their owner's. */
static void test_shared(void **state)
{
    fl_file_info before, now;
    (void)state;
    assert_int_equal(fl_system_make_folder(NULL, path_of("sub")), 0);
    assert_int_equal(fl_system_make_folder(NULL, path_of("sub")), -EEXIST);
    assert_int_equal(fl_system_look(NULL, path_of("sub"), true, &now), 0);
    assert_false(now.others_may_write);
    assert_int_equal(chmod(path_of("sub"), 0720), 0);
    assert_int_equal(fl_system_look(NULL, path_of("sub"), true, &now), 0);
    assert_true(now.others_may_write);
    assert_int_equal(rmdir(path_of("sub")), 0);
    int a = fl_system_edit(NULL, path_of("edited"));
    assert_true(a >= 0);
    assert_int_equal(fl_system_write_at(NULL, a, 0, "text", 4), 0);
    int b = fl_system_edit(NULL, path_of("edited"));
    assert_int_equal(fl_system_look_open(NULL, b, &before), 0);
    assert_int_equal(before.bytes, 4);
    assert_int_equal(fl_system_lock(NULL, a), 0);
    assert_int_equal(fl_system_lock(NULL, b), -EAGAIN);
    fl_system_close(NULL, a);
    assert_int_equal(fl_system_lock(NULL, b), 0);
    usleep(20000);
    assert_int_equal(fl_system_touch(NULL, path_of("edited")), 0);
    assert_int_equal(fl_system_look_open(NULL, b, &now), 0);
    assert_true(now.modified_ns > before.modified_ns);
    fl_system_close(NULL, b);
    assert_int_equal(fl_system_remove(NULL, path_of("edited")), 0);
}

/* A temporary file has no name from the first moment on. */
static void test_temporary(void **state)
{
    char text[4];
    int n = 0;
    (void)state;
    int fd = fl_system_make_temporary(NULL, folder);
    assert_true(fd >= 0);
    assert_int_equal(fl_system_write_at(NULL, fd, 100000, "text", 4), 0);
    assert_int_equal(fl_system_read_at(NULL, fd, 100000, text, 4), 4);
    assert_memory_equal(text, "text", 4);
    assert_int_equal(fl_system_read_at(NULL, fd, 100002, text, 4), 2);
    assert_int_equal(fl_system_list(NULL, folder, count_name, &n), 0);
    assert_int_equal(n, 1); /* of the tests before */
    assert_int_equal(fl_system_resize(NULL, fd, 0), 0);
    assert_int_equal(fl_system_read_at(NULL, fd, 0, text, 4), 0);
    fl_system_close(NULL, fd);
}

static void test_clocks(void **state)
{
    pthread_cond_t woken;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    uint64_t random[100] = {0};
    owned_system owned;
    (void)state;
    fl_condition_init(&woken);
    int64_t began = fl_clock_ns(NULL);
    pthread_mutex_lock(&lock);
    while (fl_system_wait(NULL, &woken, &lock, began + 5000000))
        ; /* woken without a reason */
    assert_true(fl_clock_ns(NULL) >= began + 5000000);
    owned_system_init(&owned);
    owned.owns_clock = true;
    owned.look_ns = 1;
    assert_false(fl_system_wait(&owned.system, &woken, &lock, 3600000000000));
    assert_int_equal(fl_clock_ns(&owned.system), 3600000000001);
    pthread_mutex_unlock(&lock);
    pthread_cond_destroy(&woken);
    assert_true(fl_clock_wall_us(NULL) > 1600000000000000 && fl_clock_process_ns(NULL) > 0);
    assert_int_equal(fl_system_random(NULL, random, sizeof(random)), 0);
    for (int i = 1; i < FL_LEN(random); i++)
        assert_true(random[i] != random[i - 1]);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path_of("data"));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order),     cmocka_unit_test(test_faults),
                                       cmocka_unit_test(test_reasons),   cmocka_unit_test(test_shared),
                                       cmocka_unit_test(test_temporary), cmocka_unit_test(test_clocks)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
