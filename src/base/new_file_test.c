/* New files: nothing is seen of one before it is committed, and nothing is left of one that is not. */
#include "base/new_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "owned_system.h"

#include <cmocka.h>

static char folder[] = "/tmp/fletch-new-XXXXXX";

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* A budget whose system is a test's. */
static void init_arena(fl_arena *arena, fl_memory *memory, owned_system *owned)
{
    owned_system_init(owned);
    fl_memory_init(memory, NULL, "test", 0);
    memory->system = &owned->system;
    fl_arena_init(arena, memory);
}

static void test_commit(void **state)
{
    (void)state;
    owned_system owned;
    fl_memory memory;
    fl_arena arena;
    fl_new_file file;
    fl_err err = {0};
    char text[16] = "";
    init_arena(&arena, &memory, &owned);
    assert_int_equal(fl_new_file_open(&arena, FL_STR("a"), &file, &err), FL_OK);
    assert_int_equal(fl_new_file_write(&file, FL_STR("one, "), &err), FL_OK);
    fl_new_file_rest(&file);
    assert_int_equal(atomic_load(&owned.files_open), 0);
    assert_int_equal(fl_new_file_write(&file, FL_STR("two"), &err), FL_OK);
    assert_false(exists("a"));
    assert_true(exists(file.temporary) && file.temporary[0] == '.');
    assert_int_equal(fl_new_file_commit(&file, &err), FL_OK);
    assert_true(exists("a"));
    fl_new_file_drop(&file, false);
    FILE *read = fopen("a", "r");
    assert_non_null(read);
    assert_non_null(fgets(text, sizeof(text), read));
    fclose(read);
    assert_string_equal(text, "one, two");
    assert_int_equal(unlink("a"), 0);
    assert_int_equal(atomic_load(&owned.files_open), 0);
    fl_arena_drop(&arena);
}

static void test_drop(void **state)
{
    (void)state;
    owned_system owned;
    fl_memory memory;
    fl_arena arena;
    fl_new_file file;
    init_arena(&arena, &memory, &owned);
    assert_int_equal(fl_new_file_open(&arena, FL_STR("b"), &file, NULL), FL_OK);
    const char *temporary = file.temporary;
    fl_new_file_drop(&file, false);
    fl_new_file_drop(&file, false);
    assert_false(exists("b") || exists(temporary));
    assert_int_equal(fl_new_file_open(&arena, FL_STR("b"), &file, NULL), FL_OK);
    assert_int_equal(fl_new_file_commit(&file, NULL), FL_OK);
    fl_new_file_drop(&file, true); /* it took nobody's place */
    assert_false(exists("b"));
    fl_arena_drop(&arena);
}

static void test_failures(void **state)
{
    (void)state;
    owned_system owned;
    fl_memory memory;
    fl_arena arena;
    fl_new_file file;
    fl_err err = {0};
    init_arena(&arena, &memory, &owned);
    assert_int_equal(fl_new_file_open(&arena, FL_STR("none/a"), &file, &err), FL_ERR_IO);
    assert_string_equal(err.sqlstate, "58P01");
    assert_int_equal(fl_new_file_open(&arena, FL_STR("."), &file, &err), FL_ERR_IO);
    assert_string_equal(err.sqlstate, "42809");
    assert_int_equal(fl_new_file_open(&arena, FL_STR(""), &file, &err), FL_ERR_IO);
    assert_int_equal(fl_new_file_open(&arena, FL_STR("c"), &file, &err), FL_OK);
    owned.room_bytes = 3;
    assert_int_equal(fl_new_file_write(&file, FL_STR("four"), &err), FL_ERR_IO);
    assert_string_equal(err.sqlstate, "53100");
    fl_new_file_drop(&file, false);
    assert_false(exists("c"));
    assert_int_equal(fl_new_file_fail(NULL, "x", "write", -13, &err), FL_ERR_IO); /* EACCES */
    assert_string_equal(err.sqlstate, "42501");
    fl_arena_drop(&arena);
}

static int enter_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int leave_folder(void **state)
{
    (void)state;
    return chdir("/") != 0 || rmdir(folder) != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_commit), cmocka_unit_test(test_drop),
                                       cmocka_unit_test(test_failures)};
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
