/* Tables that are kept: given again while their files are as they were, whatever is done to the files in between; never
 * for files that changed just before they were opened. All files are made first and left alone for two seconds, so that
 * their times are believed. */
#include "format/files_cache.h"

#include "base/workers.h"
#include "table_rows.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PARQUET "test/data/parquet/row_groups.parquet"
#define MANY 100 /* files, where a process may open fewer */

extern const fl_format_desc fl_format_csv, fl_format_parquet;

static fl_memory memory;
static char folder[64];

/* A cache, and a statement that uses it. */
typedef struct user {
    fl_files_cache *cache;
    fl_files_in_use in_use;
} user;

/* ---- files ---- */

static const char *path_of(const char *name)
{
    static char paths[4][128]; /* the last ones stay */
    static int at;
    at = (at + 1) % 4;
    snprintf(paths[at], sizeof(paths[at]), "%s/%s", folder, name);
    return paths[at];
}

static void write_file(const char *name, const char *text)
{
    int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static struct timespec modified_at(const char *name)
{
    struct stat info;
    assert_int_equal(stat(path_of(name), &info), 0);
    return info.st_mtim;
}

static void set_modified(const char *name, struct timespec time)
{
    const struct timespec times[2] = {time, time};
    assert_int_equal(utimensat(AT_FDCWD, path_of(name), times, 0), 0);
}

static const char *const names[] = {"again.csv", "twice.csv",   "renamed.csv", "beside.csv", "restored.csv", "cut.csv",
                                    "grown.csv", "removed.csv", "rights.csv",  "left.csv",   "right.csv",    "pipe.csv",
                                    "list1.csv", "list2.csv",   "options.csv", "budget.csv", "threads.csv",  "late.csv",
                                    "moved.csv", "bounds.csv",  "stays.csv",   "instead.csv"};

static int make_files(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/fletch-kept-XXXXXX");
    assert_non_null(mkdtemp(folder));
    for (int64_t i = 0; i < FL_LEN(names); i++)
        write_file(names[i], "a,b\n1,x\n2,y\n");
    for (int i = 0; i < MANY; i++) {
        char name[32];
        snprintf(name, sizeof(name), "many%d.csv", i);
        write_file(name, "a,b\n1,x\n");
    }
    assert_int_equal(symlink(path_of("left.csv"), path_of("link.csv")), 0);
    assert_int_equal(symlink(path_of("right.csv"), path_of("link.new")), 0);
    sleep(2);
    usleep(200000);
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    for (int64_t i = 0; i < FL_LEN(names); i++)
        unlink(path_of(names[i]));
    for (int i = 0; i < MANY; i++) {
        char name[32];
        snprintf(name, sizeof(name), "many%d.csv", i);
        unlink(path_of(name));
    }
    unlink(path_of("link.csv"));
    unlink(path_of("fresh.csv"));
    return rmdir(folder);
}

/* ---- statements ---- */

static user user_new(fl_memory *budget)
{
    user u = {0};
    assert_int_equal(fl_files_cache_new(budget, &u.cache, NULL), FL_OK);
    return u;
}

static void user_drop(user *u)
{
    fl_files_in_use_drop(&u->in_use);
    fl_files_cache_free(u->cache);
    assert_int_equal(memory.used_bytes, 0);
}

static fl_status bind_path(user *u, const char *path, fl_table **ret, fl_err *err)
{
    fl_str p = fl_str_of(path);
    return fl_files_cache_open(u->cache, &u->in_use, &fl_format_csv, &memory, &p, 1, NULL, 0, ret, err);
}

/* A statement over one file that has ended; only the table's address and number of rows are looked at. */
static const fl_table *ask(user *u, const char *name, int64_t rows)
{
    fl_table *table = NULL;
    table_rows got = {0};
    table_scan how = {.rows_max = 64};
    fl_err err = {0};
    if (bind_path(u, path_of(name), &table, &err) != FL_OK)
        fail_msg("%s: %s", name, err.message);
    assert_int_equal(table_scan_rows(table, &how, &memory, &got, NULL), FL_OK);
    assert_int_equal(got.rows, rows);
    fl_table_unref(table);
    fl_files_in_use_end(&u->in_use);
    return table;
}

static int64_t hits(const user *u)
{
    return fl_files_cache_look(u->cache).hits;
}

static int64_t tables(const user *u)
{
    return fl_files_cache_look(u->cache).tables;
}

/* ---- what stays ---- */

static void the_same_table_is_given_again(void **state)
{
    (void)state;
    user u = user_new(&memory);
    const fl_table *first = ask(&u, "again.csv", 2);
    assert_int_equal(hits(&u), 0);
    assert_ptr_equal(ask(&u, "again.csv", 2), first);
    assert_int_equal(hits(&u), 1);
    const fl_files_table *table = (const fl_files_table *)first;
    assert_true(table->files[0]->fd < 0); /* nobody reads it */
    fl_table *again = NULL;
    assert_int_equal(bind_path(&u, path_of("again.csv"), &again, NULL), FL_OK);
    assert_true(table->files[0]->fd >= 0);
    fl_table_unref(again);
    fl_files_in_use_end(&u.in_use);
    assert_true(table->files[0]->fd < 0);
    assert_int_equal(tables(&u), 1);
    user_drop(&u);
}

/* A statement that names a file twice has one table of it, even if another takes its name in between. */
static void a_statement_sees_one_state(void **state)
{
    (void)state;
    user u = user_new(&memory);
    fl_table *first = NULL, *second = NULL;
    table_rows got = {0};
    table_scan how = {.rows_max = 64};
    ask(&u, "twice.csv", 2);
    assert_int_equal(bind_path(&u, path_of("twice.csv"), &first, NULL), FL_OK);
    write_file("fresh.csv", "a,b\n1,x\n2,y\n3,z\n");
    assert_int_equal(rename(path_of("fresh.csv"), path_of("twice.csv")), 0);
    assert_int_equal(bind_path(&u, path_of("twice.csv"), &second, NULL), FL_OK);
    assert_ptr_equal(first, second);
    assert_int_equal(table_scan_rows(second, &how, &memory, &got, NULL), FL_OK);
    assert_int_equal(got.rows, 2); /* the file that it was bound to */
    fl_table_unref(first);
    fl_files_in_use_end(&u.in_use);
    fl_err err = {0}; /* a plan that is kept for longer opens the path again */
    assert_int_equal(table_scan_rows(second, &how, &memory, &got, &err), FL_ERR_IO);
    assert_non_null(strstr(err.message, "changed"));
    fl_table_unref(second);
    ask(&u, "twice.csv", 3);
    user_drop(&u);
}

static void options_and_lists_tell_tables_apart(void **state)
{
    (void)state;
    user u = user_new(&memory);
    const fl_option x = {.name = FL_STR("nullstr"), .value = {.type = FL_TYPE(FL_UTF8), .s = FL_STR("x")}};
    const fl_option y = {.name = FL_STR("NULLSTR"), .value = {.type = FL_TYPE(FL_UTF8), .s = FL_STR("y")}};
    const fl_option *const options[] = {NULL, &x, &y, NULL, &x, &y};
    const fl_table *seen[6] = {0};
    for (int i = 0; i < 6; i++) {
        fl_str paths[] = {fl_str_of(path_of("list1.csv")), fl_str_of(path_of("list2.csv"))};
        for (int n = 1; n <= 2; n++) {
            fl_table *table = NULL;
            assert_int_equal(fl_files_cache_open(u.cache, &u.in_use, &fl_format_csv, &memory, paths, n, options[i],
                                                 options[i] != NULL, &table, NULL),
                             FL_OK);
            seen[i] = table;
            fl_table_unref(table);
            fl_files_in_use_end(&u.in_use);
        }
    }
    for (int i = 0; i < 3; i++) {
        assert_ptr_equal(seen[i], seen[i + 3]);
        assert_ptr_not_equal(seen[i], seen[(i + 1) % 3]);
    }
    assert_int_equal(tables(&u), 6);
    assert_int_equal(hits(&u), 6);
    user_drop(&u);
}

/* More files than may be kept open. */
static void any_number_of_files_is_kept(void **state)
{
    (void)state;
    user u = user_new(&memory);
    struct rlimit before, limit;
    char paths[MANY][128];
    fl_str all[MANY];
    const fl_table *first = NULL;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = (struct rlimit){.rlim_cur = 64, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < MANY; i++) {
        snprintf(paths[i], sizeof(paths[i]), "%s/many%d.csv", folder, i);
        all[i] = fl_str_of(paths[i]);
    }
    for (int round = 0; round < 3; round++) {
        fl_table *table = NULL;
        table_rows got = {0};
        table_scan how = {.rows_max = 64};
        assert_int_equal(
            fl_files_cache_open(u.cache, &u.in_use, &fl_format_csv, &memory, all, MANY, NULL, 0, &table, NULL), FL_OK);
        assert_true(round == 0 || table == first);
        assert_true(u.in_use.items[0].n_kept > 0 && u.in_use.items[0].n_kept < MANY);
        first = table;
        assert_int_equal(table_scan_rows(table, &how, &memory, &got, NULL), FL_OK);
        assert_int_equal(got.rows, MANY);
        fl_table_unref(table);
        fl_files_in_use_end(&u.in_use);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    user_drop(&u);
}

/* ---- what changes ---- */

static void a_file_that_was_just_written_is_not_kept(void **state)
{
    (void)state;
    user u = user_new(&memory);
    write_file("fresh.csv", "a,b\n1,x\n");
    ask(&u, "fresh.csv", 1);
    assert_int_equal(tables(&u), 0);
    set_modified("fresh.csv", (struct timespec){.tv_sec = 1000000000}); /* its time of change tells */
    ask(&u, "fresh.csv", 1);
    assert_int_equal(tables(&u), 0);
    assert_int_equal(hits(&u), 0);
    user_drop(&u);
}

/* The same length and time of modification. */
static void a_file_that_is_replaced_is_another(void **state)
{
    (void)state;
    user u = user_new(&memory);
    ask(&u, "renamed.csv", 2);
    set_modified("beside.csv", modified_at("renamed.csv"));
    assert_int_equal(rename(path_of("beside.csv"), path_of("renamed.csv")), 0);
    ask(&u, "renamed.csv", 2);
    assert_int_equal(hits(&u), 0);
    assert_int_equal(tables(&u), 0); /* its name is new: it changed just now */
    user_drop(&u);
}

static void a_time_that_is_put_back_does_not_hide_a_change(void **state)
{
    (void)state;
    user u = user_new(&memory);
    struct timespec before = modified_at("restored.csv");
    ask(&u, "restored.csv", 2);
    write_file("restored.csv", "a,b\n12345,xy");
    set_modified("restored.csv", before);
    ask(&u, "restored.csv", 1);
    assert_int_equal(hits(&u), 0);
    user_drop(&u);
}

static void other_lengths_are_seen(void **state)
{
    (void)state;
    user u = user_new(&memory);
    struct timespec before = modified_at("cut.csv");
    ask(&u, "cut.csv", 2);
    assert_int_equal(truncate(path_of("cut.csv"), 8), 0);
    set_modified("cut.csv", before);
    ask(&u, "cut.csv", 1);
    ask(&u, "grown.csv", 2);
    write_file("grown.csv", "a,b\n1,x\n2,y\n3,z\n");
    ask(&u, "grown.csv", 3);
    assert_int_equal(hits(&u), 0);
    user_drop(&u);
}

static void a_file_that_is_gone_is_an_error(void **state)
{
    (void)state;
    user u = user_new(&memory);
    fl_table *table = NULL;
    fl_err err = {0};
    ask(&u, "removed.csv", 2);
    assert_int_equal(unlink(path_of("removed.csv")), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(bind_path(&u, path_of("removed.csv"), &table, &err), FL_ERR_TABLE);
        assert_string_equal(err.sqlstate, "58P01");
        assert_int_equal(tables(&u), 0);
    }
    write_file("removed.csv", "a,b\n1,x\n2,y\n");
    ask(&u, "removed.csv", 2);
    assert_int_equal(hits(&u), 0);
    user_drop(&u);
}

static void rights_are_asked_for_again(void **state)
{
    (void)state;
    user u = user_new(&memory);
    fl_table *table = NULL;
    ask(&u, "rights.csv", 2);
    assert_int_equal(chmod(path_of("rights.csv"), 0), 0);
    fl_status st = bind_path(&u, path_of("rights.csv"), &table, NULL);
    assert_true(st == (geteuid() == 0 ? FL_OK : FL_ERR_IO)); /* root may read all */
    if (st == FL_OK)
        fl_table_unref(table);
    assert_int_equal(hits(&u), 0);
    assert_int_equal(tables(&u), 0);
    user_drop(&u);
}

static void a_link_that_leads_elsewhere_is_followed(void **state)
{
    (void)state;
    user u = user_new(&memory);
    const fl_table *left = ask(&u, "link.csv", 2);
    assert_ptr_equal(ask(&u, "link.csv", 2), left);
    assert_int_equal(rename(path_of("link.new"), path_of("link.csv")), 0);
    ask(&u, "link.csv", 2); /* the right one, which is as old as the left one: kept at once */
    assert_int_equal(hits(&u), 1);
    ask(&u, "link.csv", 2);
    assert_int_equal(hits(&u), 2);
    assert_int_equal(tables(&u), 1);
    user_drop(&u);
}

static void what_is_no_file_is_never_kept(void **state)
{
    (void)state;
    user u = user_new(&memory);
    fl_table *table = NULL;
    ask(&u, "pipe.csv", 2);
    assert_int_equal(unlink(path_of("pipe.csv")), 0);
    assert_int_equal(mkfifo(path_of("pipe.csv"), 0600), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(bind_path(&u, path_of("pipe.csv"), &table, NULL), FL_ERR_IO); /* and does not hang */
    assert_int_equal(tables(&u), 0);
    assert_int_equal(hits(&u), 0);
    user_drop(&u);
}

static void errors_are_not_kept(void **state)
{
    (void)state;
    user u = user_new(&memory);
    fl_table *table = NULL;
    fl_str path = fl_str_of(path_of("options.csv"));
    const fl_option wrong = {.name = FL_STR("delim"), .value = {.type = FL_TYPE(FL_I64), .i = 1}, .pos = 7};
    for (int i = 0; i < 2; i++) {
        fl_err err = {0};
        assert_int_equal(
            fl_files_cache_open(u.cache, &u.in_use, &fl_format_csv, &memory, &path, 1, &wrong, 1, &table, &err),
            FL_ERR_CONFIG);
        assert_int_equal(err.position, 8);
    }
    assert_int_equal(tables(&u), 0);
    user_drop(&u);
}

/* ---- bounds ---- */

/* One table for each text that stands for null. */
static const fl_table *ask_with(user *u, const char *name, fl_str nullstr)
{
    fl_table *table = NULL;
    fl_str path = fl_str_of(path_of(name));
    const fl_option option = {.name = FL_STR("nullstr"), .value = {.type = FL_TYPE(FL_UTF8), .s = nullstr}};
    assert_int_equal(
        fl_files_cache_open(u->cache, &u->in_use, &fl_format_csv, &memory, &path, 1, &option, 1, &table, NULL), FL_OK);
    fl_table_unref(table);
    fl_files_in_use_end(&u->in_use);
    return table;
}

static void the_least_recently_used_go_first(void **state)
{
    (void)state;
    user u = user_new(&memory);
    char text[16];
    for (int i = 0; i < FL_FILES_CACHE_TABLES_MAX + 10; i++) {
        snprintf(text, sizeof(text), "%d", i);
        ask_with(&u, "bounds.csv", fl_str_of(text));
        if (i % 100 == 0)
            ask_with(&u, "bounds.csv", FL_STR("0"));
    }
    assert_int_equal(tables(&u), FL_FILES_CACHE_TABLES_MAX);
    int64_t before = hits(&u);
    ask_with(&u, "bounds.csv", FL_STR("0"));
    assert_int_equal(hits(&u), before + 1);
    ask_with(&u, "bounds.csv", FL_STR("1"));
    assert_int_equal(hits(&u), before + 1);
    user_drop(&u);
}

static void large_tables_are_bounded_by_bytes(void **state)
{
    (void)state;
    user u = user_new(&memory);
    int64_t len = 3 << 20;
    char *text = malloc((size_t)len);
    assert_non_null(text);
    memset(text, 'x', (size_t)len);
    for (int i = 0; i < 20; i++) {
        text[0] = (char)('a' + i);
        ask_with(&u, "bounds.csv", (fl_str){text, len});
        fl_files_cache_figures figures = fl_files_cache_look(u.cache);
        assert_true(figures.bytes <= FL_FILES_CACHE_BYTES_MAX);
        assert_true(figures.bytes >= figures.tables * len);
        assert_true(memory.used_bytes >= figures.bytes);
    }
    assert_true(tables(&u) > 2 && tables(&u) < 20);
    free(text);
    user_drop(&u);
}

/* A budget that is short gets back what nobody uses. */
static void a_budget_that_is_short_gets_tables_back(void **state)
{
    (void)state;
    fl_memory budget;
    user u = {0};
    fl_table *used = NULL;
    void *block = NULL;
    char text[16];
    fl_memory_init(&budget, NULL, "test", 4 << 20);
    u = user_new(&budget);
    budget.give_up = fl_files_cache_give_up;
    budget.kept = u.cache;
    assert_int_equal(bind_path(&u, path_of("budget.csv"), &used, NULL), FL_OK);
    fl_files_in_use no_more = u.in_use; /* one statement goes on while others come and end */
    u.in_use = (fl_files_in_use){0};
    for (int i = 0; i < 50; i++) {
        snprintf(text, sizeof(text), "%d", i);
        ask_with(&u, "budget.csv", fl_str_of(text));
    }
    assert_int_equal(tables(&u), 51);
    int64_t of_used = atomic_load(&((fl_files_table *)used)->memory.used_bytes);
    assert_true(budget.used_bytes > 10 * of_used);
    assert_int_equal(fl_alloc(&budget, budget.limit_bytes - budget.used_bytes + 1, &block, NULL), FL_OK);
    assert_true(tables(&u) > 40); /* no more than what is missing */
    fl_free(block);
    assert_int_equal(fl_alloc(&budget, budget.limit_bytes - of_used, &block, NULL), FL_OK);
    assert_int_equal(tables(&u), 1);
    void *more = NULL;
    assert_int_equal(fl_alloc(&budget, 1, &more, NULL), FL_ERR_MEMORY); /* one table is in use */
    fl_files_in_use_drop(&no_more);
    fl_table_unref(used);
    assert_int_equal(fl_alloc(&budget, 1, &more, NULL), FL_OK);
    assert_int_equal(tables(&u), 0);
    ask(&u, "budget.csv", 2); /* no room to keep it: it is used all the same */
    assert_int_equal(budget.used_bytes, budget.limit_bytes - of_used + 1);
    fl_free(block);
    fl_free(more);
    user_drop(&u);
    assert_int_equal(budget.used_bytes, 0);
}

/* ---- threads ---- */

typedef struct crowd {
    user *shared;
    _Atomic int32_t failures;
} crowd;

/* What sessions do at once: binding, statistics, scanning, ending. */
static fl_status bind_and_scan(void *ctx, int32_t worker, fl_err *err)
{
    (void)err;
    crowd *c = ctx;
    user mine = {.cache = c->shared->cache};
    char csv[128];
    snprintf(csv, sizeof(csv), "%s/threads.csv", folder);
    for (int round = 0; round < 200; round++) {
        bool is_csv = (round + worker) % 3 == 0;
        fl_str path = fl_str_of(is_csv ? csv : PARQUET);
        fl_table *table = NULL;
        fl_col_stats stats;
        table_rows got = {0};
        table_scan how = {.rows_max = 2048};
        if (fl_files_cache_open(mine.cache, &mine.in_use, is_csv ? &fl_format_csv : &fl_format_parquet, &memory, &path,
                                1, NULL, 0, &table, NULL) != FL_OK) {
            atomic_fetch_add(&c->failures, 1);
            continue;
        }
        for (int32_t col = 0; table->ops->stats != NULL && col < table->n_cols; col++)
            table->ops->stats(table, col, &stats);
        if (round % 8 == 0 && (table_scan_rows(table, &how, &memory, &got, NULL) != FL_OK || got.rows < 2))
            atomic_fetch_add(&c->failures, 1);
        fl_table_unref(table);
        fl_files_in_use_end(&mine.in_use);
        if (round % 50 == worker)
            fl_files_cache_give_up(mine.cache, INT64_MAX);
    }
    fl_files_in_use_drop(&mine.in_use);
    return FL_OK;
}

static void threads_share_tables(void **state)
{
    (void)state;
    user u = user_new(&memory);
    crowd c = {.shared = &u};
    fl_workers *workers = NULL;
    assert_int_equal(fl_workers_new(4, &workers, NULL), FL_OK);
    assert_int_equal(fl_workers_each(workers, 4, 4, bind_and_scan, &c, NULL, NULL), FL_OK);
    fl_workers_free(workers);
    assert_int_equal(c.failures, 0);
    assert_true(hits(&u) > 100);
    user_drop(&u);
}

static void statistics_are_remembered(void **state)
{
    (void)state;
    user u = user_new(&memory);
    fl_str path = FL_STR(PARQUET);
    fl_table *table = NULL;
    fl_col_stats first, again;
    assert_int_equal(
        fl_files_cache_open(u.cache, &u.in_use, &fl_format_parquet, &memory, &path, 1, NULL, 0, &table, NULL), FL_OK);
    for (int32_t col = 0; col < table->n_cols; col++) {
        table->ops->stats(table, col, &first);
        table->ops->stats(table, col, &again);
        assert_memory_equal(&first, &again, sizeof(first));
    }
    fl_table_unref(table);
    user_drop(&u);
}

static int leaves_no_memory(void **state)
{
    (void)state;
    return memory.used_bytes == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_same_table_is_given_again, leaves_no_memory),
        cmocka_unit_test_teardown(a_statement_sees_one_state, leaves_no_memory),
        cmocka_unit_test_teardown(options_and_lists_tell_tables_apart, leaves_no_memory),
        cmocka_unit_test_teardown(any_number_of_files_is_kept, leaves_no_memory),
        cmocka_unit_test_teardown(a_file_that_was_just_written_is_not_kept, leaves_no_memory),
        cmocka_unit_test_teardown(a_file_that_is_replaced_is_another, leaves_no_memory),
        cmocka_unit_test_teardown(a_time_that_is_put_back_does_not_hide_a_change, leaves_no_memory),
        cmocka_unit_test_teardown(other_lengths_are_seen, leaves_no_memory),
        cmocka_unit_test_teardown(a_file_that_is_gone_is_an_error, leaves_no_memory),
        cmocka_unit_test_teardown(rights_are_asked_for_again, leaves_no_memory),
        cmocka_unit_test_teardown(a_link_that_leads_elsewhere_is_followed, leaves_no_memory),
        cmocka_unit_test_teardown(what_is_no_file_is_never_kept, leaves_no_memory),
        cmocka_unit_test_teardown(errors_are_not_kept, leaves_no_memory),
        cmocka_unit_test_teardown(the_least_recently_used_go_first, leaves_no_memory),
        cmocka_unit_test_teardown(large_tables_are_bounded_by_bytes, leaves_no_memory),
        cmocka_unit_test_teardown(a_budget_that_is_short_gets_tables_back, leaves_no_memory),
        cmocka_unit_test_teardown(threads_share_tables, leaves_no_memory),
        cmocka_unit_test_teardown(statistics_are_remembered, leaves_no_memory),
    };
    fl_memory_init(&memory, NULL, "test", 0);
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
