/* Functions that are kept in a folder: by whom they are seen, and what comes of faults, damage and other processes. */
#include "engine/function_store.h"

#include "base/fault.h"
#include "engine/internal.h"
#include "udf/plugin.h"

#include "owned_system.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MODULES "test/udf/modules/"
#define CREATE_PLUS_ONE "CREATE OR REPLACE FUNCTION plus LANGUAGE wasm AS '" MODULES "plus_one.wasm'"
#define CREATE_PLUS_TWO "CREATE OR REPLACE FUNCTION plus LANGUAGE wasm AS '" MODULES "plus_two.wasm'"
#define CREATE_TRIPLE "CREATE OR REPLACE FUNCTION triple(\"theX\" bigint) RETURNS bigint LANGUAGE expr AS 'theX * 3'"
#define FAILED INT64_MIN

static char folder[] = "/tmp/fletch-function-store-XXXXXX"; /* with all folders of functions in it */
static char dir[64];                                        /* of the test at hand */

typedef struct opened {
    fl_engine *engine;
    fl_session *session;
} opened;

static fl_status try_open_on(const fl_system *system, const char *udf_dir, opened *ret, fl_err *err)
{
    fl_engine_options options = {.size = sizeof(options), .threads = 1, .udf_dir = udf_dir};
    fl_status st = fl_engine_open_on(system, &options, &ret->engine, err);
    if (st == FL_OK)
        st = fl_session_open(ret->engine, &ret->session, err);
    return st;
}

static opened open_on(const fl_system *system)
{
    opened o = {0};
    fl_err err = {0};
    if (try_open_on(system, dir, &o, &err) != FL_OK)
        fail_msg("%s", err.message);
    return o;
}

static void close_it(opened *o)
{
    fl_session_close(o->session);
    fl_engine_close(o->engine);
}

static fl_status run(const opened *o, const char *sql, fl_err *err)
{
    struct ArrowArrayStream rows;
    fl_status st = fl_session_query(o->session, sql, &rows, err);
    if (st == FL_OK)
        rows.release(&rows);
    return st;
}

static void must_run(const opened *o, const char *sql)
{
    fl_err err = {0};
    if (run(o, sql, &err) != FL_OK)
        fail_msg("%s: %s", sql, err.message);
}

/* The one bigint of a query. */
static int64_t number_of(const opened *o, const char *sql, fl_err *err)
{
    struct ArrowArrayStream rows;
    struct ArrowArray batch = {0};
    int64_t number = FAILED;
    if (fl_session_query(o->session, sql, &rows, err) != FL_OK)
        return FAILED;
    if (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
        number = ((const int64_t *)batch.children[0]->buffers[1])[batch.children[0]->offset];
        batch.release(&batch);
    } else {
        (void)fl_stream_error(&rows, err);
    }
    rows.release(&rows);
    return number;
}

#define assert_number(o, sql, wanted)                                  \
    do {                                                               \
        fl_err why = {0};                                              \
        int64_t got = number_of((o), (sql), &why);                     \
        if (got != (wanted))                                           \
            fail_msg("%s: %lld %s", sql, (long long)got, why.message); \
    } while (0)

static int make_dir(void **state)
{
    static int n;
    (void)state;
    snprintf(dir, sizeof(dir), "%s/%d", folder, ++n);
    return 0;
}

static int make_folder(void **state)
{
    (void)state;
    fl_plugin_set_folder(FL_STR(FLETCH_PLUGIN_DIR));
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s%s%s", dir, name[0] != 0 ? "/" : "", name);
    return path;
}

static int64_t size_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (int64_t)info.st_size : -1;
}

/* ---- processes ---- */

static int deploy(void)
{
    opened o = {0};
    bool is_good = try_open_on(NULL, dir, &o, NULL) == FL_OK && run(&o, CREATE_PLUS_ONE, NULL) == FL_OK &&
                   number_of(&o, "SELECT plus(4)", NULL) == 5;
    close_it(&o); /* native code is kept by then */
    return is_good && atomic_load(&fl_code_counted.compiles) == 1 && atomic_load(&fl_code_counted.cache_writes) == 1
               ? 0
               : 1;
}

static fl_code_counters counted(void)
{
    return fl_code_counted;
}

/* What one process compiles another one reads. First of the tests: it forks, before there are threads. */
static void test_second_process(void **state)
{
    int status = -1;
    (void)state;
    pid_t child = fork();
    if (child == 0)
        _exit(deploy());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    opened o = open_on(NULL);
    assert_int_equal(counted().cache_hits, 0); /* nothing is loaded before it is called */
    assert_number(&o, "SELECT sum(plus(range)) FROM range(100000)", 100000ll * 100001 / 2);
    close_it(&o);
    assert_int_equal(counted().cache_hits, 1);
    assert_int_equal(counted().compiles, 0);
}

/* Each sees what the other does, and a query goes on with what it began with. */
static void test_two_engines(void **state)
{
    (void)state;
    opened a = open_on(NULL), b = open_on(NULL);
    must_run(&a, CREATE_PLUS_ONE);
    assert_number(&b, "SELECT plus(10)", 11);
    must_run(&b, CREATE_PLUS_TWO);
    must_run(&b, CREATE_TRIPLE);
    assert_number(&a, "SELECT plus(10) + triple(100)", 312);
    assert_int_equal(fl_session_rollback_function(a.session, "PLUS", 0, NULL), FL_OK);
    assert_number(&b, "SELECT plus(10)", 11);
    must_run(&b, CREATE_PLUS_TWO); /* the same code again: the same version */
    assert_int_equal(fl_udf_store_active(&b.engine->functions, FL_STR("plus"))->version, 2);
    assert_int_equal(fl_session_rollback_function(a.session, "plus", 7, NULL), FL_ERR_FUNCTION);
    must_run(&a, "DROP FUNCTION plus");
    assert_int_equal(run(&b, "SELECT plus(10)", NULL), FL_ERR_FUNCTION);
    must_run(&b, CREATE_PLUS_TWO);
    assert_int_equal(fl_udf_store_active(&b.engine->functions, FL_STR("plus"))->version, 1);
    assert_number(&a, "SELECT plus(10)", 12);
    assert_int_equal(unlink(path_of("functions.log")), 0); /* all are gone then */
    assert_int_equal(run(&a, "SELECT plus(10)", NULL), FL_ERR_FUNCTION);
    must_run(&b, CREATE_TRIPLE);
    assert_number(&a, "SELECT triple(10)", 30);
    close_it(&a);
    close_it(&b);
}

/* Who holds the lock for too long is told of; whoever only asks goes on with what it knows. */
static void test_lock(void **state)
{
    owned_system owned;
    fl_err err = {0};
    fl_udf_log other;
    bool has = false;
    (void)state;
    owned_system_init(&owned);
    opened o = open_on(&owned.system);
    must_run(&o, CREATE_PLUS_ONE);
    assert_int_equal(fl_udf_log_init(&other, NULL, dir, &err), FL_OK);
    assert_int_equal(fl_udf_log_lock(&other, FL_UDF_LOG_READ, 0, NULL, &has, &err), FL_OK);
    assert_true(has);
    owned.owns_clock = true; /* waits end at once */
    assert_int_equal(run(&o, CREATE_PLUS_TWO, &err), FL_ERR_IO);
    assert_non_null(strstr(err.message, "another process"));
    assert_number(&o, "SELECT plus(10)", 11);
    fl_udf_log_unlock(&other);
    must_run(&o, CREATE_PLUS_TWO);
    assert_number(&o, "SELECT plus(10)", 12);
    close_it(&o);
}

typedef struct deployer {
    pthread_t thread;
    int32_t id;
} deployer;

static void *deploy_many(void *ctx)
{
    const deployer *d = ctx;
    char sql[256];
    opened o = {0};
    fl_err err = {0};
    int64_t failures = try_open_on(NULL, dir, &o, &err) != FL_OK;
    for (int32_t i = 0; i < 20; i++) {
        snprintf(sql, sizeof(sql),
                 "CREATE OR REPLACE FUNCTION shared(x bigint) RETURNS bigint LANGUAGE expr AS 'x * 0 + %d'",
                 d->id * 1000 + i);
        failures += run(&o, sql, &err) != FL_OK;
        int64_t got = number_of(&o, "SELECT shared(5)", &err);
        failures += got < 1000 || got % 1000 >= 20;
    }
    close_it(&o);
    return (void *)(intptr_t)failures;
}

/* Of many who deploy at once each version is there, whole, once. */
static void test_races(void **state)
{
    deployer deployers[4];
    (void)state;
    for (int32_t i = 0; i < 4; i++) {
        deployers[i].id = i + 1;
        assert_int_equal(pthread_create(&deployers[i].thread, NULL, deploy_many, &deployers[i]), 0);
    }
    for (int32_t i = 0; i < 4; i++) {
        void *failures = NULL;
        pthread_join(deployers[i].thread, &failures);
        assert_null(failures);
    }
    opened o = open_on(NULL);
    assert_int_equal(o.engine->functions.n, 80);
    for (int32_t i = 0; i < 80; i++)
        assert_int_equal(o.engine->functions.items[i].udf->version, i + 1);
    close_it(&o);
}

/* ---- damage ---- */

typedef struct kept_file {
    char path[400];
    char *bytes;
    int64_t size;
} kept_file;

typedef struct kept_files {
    kept_file items[16];
    int n;
} kept_files;

static void keep_files(kept_files *ret, const char *below)
{
    DIR *list = opendir(path_of(below));
    ret->n = 0;
    assert_non_null(list);
    for (struct dirent *entry; (entry = readdir(list)) != NULL;) {
        if (entry->d_name[0] == '.' || (below[0] == 0 && strcmp(entry->d_name, "functions.log") != 0))
            continue;
        kept_file *file = &ret->items[ret->n++];
        snprintf(file->path, sizeof(file->path), "%s/%.100s", path_of(below), entry->d_name);
        file->size = size_of(file->path);
        file->bytes = malloc((size_t)file->size);
        FILE *in = fopen(file->path, "r");
        assert_int_equal(fread(file->bytes, 1, (size_t)file->size, in), file->size);
        fclose(in);
    }
    closedir(list);
}

static void write_file(const kept_file *file, int64_t size, int64_t flipped)
{
    FILE *out = fopen(file->path, "w");
    if (flipped >= 0)
        file->bytes[flipped / 8] ^= (char)(1 << flipped % 8);
    assert_int_equal(fwrite(file->bytes, 1, (size_t)size, out), size);
    assert_int_equal(fclose(out), 0);
    if (flipped >= 0)
        file->bytes[flipped / 8] ^= (char)(1 << flipped % 8);
}

static void drop_files(kept_files *files)
{
    for (int i = 0; i < files->n; i++) {
        write_file(&files->items[i], files->items[i].size, -1);
        free(files->items[i].bytes);
    }
}

/* plus: two versions, of which the second is active after the first was for a while; triple: one. */
static void deploy_all(void)
{
    opened o = open_on(NULL);
    must_run(&o, CREATE_PLUS_ONE);
    must_run(&o, CREATE_TRIPLE);
    must_run(&o, CREATE_PLUS_TWO);
    assert_int_equal(fl_session_rollback_function(o.session, "plus", 1, NULL), FL_OK);
    assert_int_equal(fl_session_rollback_function(o.session, "plus", 2, NULL), FL_OK);
    close_it(&o);
}

/* The right answer, or an error that names the damaged file (and the record in it). Counts the refusals. */
static void ask_damaged(const opened *o, const char *sql, int64_t right, const kept_file *file, int *refused)
{
    fl_err err = {0};
    int64_t got = number_of(o, sql, &err);
    if (got == right)
        return;
    if (got != FAILED)
        fail_msg("%s after damage to %s: %lld", sql, file->path, (long long)got);
    if (strstr(err.message, file->path) == NULL && strstr(err.hint, file->path) == NULL)
        fail_msg("%s after damage to %s: %s (%s)", sql, file->path, err.message, err.hint);
    bool is_log = strstr(file->path, "functions.log") != NULL;
    if (is_log && strstr(err.message, "record ") == NULL && strstr(err.hint, "record ") == NULL)
        fail_msg("the record is not named: %s", err.message);
    ++*refused;
}

/* After it the functions can be deployed again, and work. Gives how many questions were refused. */
static int try_damaged(const kept_file *file)
{
    int refused = 0;
    opened o = open_on(NULL);
    assert_number(&o, "SELECT 7::bigint", 7);
    ask_damaged(&o, "SELECT plus(10)", 12, file, &refused);
    ask_damaged(&o, "SELECT triple(10)", 30, file, &refused);
    if (refused > 0) {
        must_run(&o, CREATE_PLUS_ONE);
        must_run(&o, CREATE_PLUS_TWO);
        must_run(&o, CREATE_TRIPLE);
        assert_number(&o, "SELECT plus(10) + triple(10)", 42);
    }
    close_it(&o);
    if (refused > 0) {
        o = open_on(NULL);
        assert_number(&o, "SELECT plus(10) + triple(10)", 42);
        close_it(&o);
    }
    return refused;
}

/* A bit in each byte of the log, and in many of the modules and of the native code. */
static void test_flipped_bits(void **state)
{
    static const struct {
        const char *below;
        int64_t tries;
    } parts[] = {{"", 1000}, {"modules", 60}, {"cache", 60}};
    uint64_t random = 17;
    int tries = 0, refused[3] = {0};
    (void)state;
    deploy_all();
    for (int part = 0; part < 3; part++) {
        kept_files files, log;
        keep_files(&files, parts[part].below);
        keep_files(&log, ""); /* which deploying again appends to */
        for (int i = 0; i < files.n; i++) {
            int64_t step = files.items[i].size > parts[part].tries ? files.items[i].size / parts[part].tries : 1;
            for (int64_t byte = 0; byte < files.items[i].size; byte += step, tries++) {
                random = random * 6364136223846793005u + 1442695040888963407u;
                write_file(&files.items[i], files.items[i].size, byte * 8 + (int64_t)(random >> 61));
                refused[part] += try_damaged(&files.items[i]) > 0;
                write_file(&files.items[i], files.items[i].size, -1);
                write_file(&log.items[0], log.items[0].size, -1);
            }
        }
        drop_files(&files);
        drop_files(&log);
    }
    printf("%d flipped bits: refused %d in the log, %d in modules, %d in native code\n", tries, refused[0], refused[1],
           refused[2]);
    assert_true(tries >= 300);
    assert_true(refused[0] > 0 && refused[1] > 0);
    assert_int_equal(refused[2], 0); /* it is compiled again */
}

/* Cut off behind each byte: what a process leaves that is killed while it writes, and less. */
static void test_cut_files(void **state)
{
    (void)state;
    deploy_all();
    kept_files files;
    keep_files(&files, "cache");
    for (int i = 0; i < files.n; i++) {
        int64_t step = files.items[i].size / 20 + 1;
        for (int64_t size = 0; size < files.items[i].size; size += step) {
            write_file(&files.items[i], size, -1);
            opened o = open_on(NULL);
            for (int version = 1; version <= 2; version++) {
                assert_int_equal(fl_session_rollback_function(o.session, "plus", version, NULL), FL_OK);
                assert_number(&o, "SELECT plus(10)", 10 + version);
            }
            close_it(&o);
            assert_int_equal(size_of(files.items[i].path), files.items[i].size); /* it was put right */
        }
    }
    drop_files(&files);
    /* A whole record at the log's end whose header is not there is one that nobody was told of: plus is at version 1. */
    keep_files(&files, "");
    kept_file *log = &files.items[0];
    int64_t last = log->size - 32 - 96; /* the header of the last record, and a payload of 64 bytes and "plus" */
    assert_memory_equal(log->bytes + last, "FLU1", 4);
    memset(log->bytes + last, 0, 32);
    for (int64_t size = log->size; size >= last; size--) {
        write_file(log, size, -1);
        opened o = open_on(NULL);
        assert_number(&o, "SELECT plus(10)", 11);
        close_it(&o);
    }
    write_file(log, log->size, -1);
    opened o = open_on(NULL);
    must_run(&o, CREATE_TRIPLE); /* the same: nothing is written */
    assert_int_equal(size_of(log->path), log->size);
    must_run(&o, CREATE_PLUS_TWO); /* in the torn record's place */
    assert_int_equal(size_of(log->path), log->size);
    assert_number(&o, "SELECT plus(10)", 12);
    close_it(&o);
    free(log->bytes);
}

/* ---- faults ---- */

/* plus is version 1 alone; native code stays. */
static void begin_anew(void)
{
    unlink(path_of("functions.log"));
    opened o = open_on(NULL);
    must_run(&o, CREATE_PLUS_ONE);
    close_it(&o);
}

/* What a fault came to: all of it or nothing, here and for others. Nothing, where the statement failed; but for want of memory it may fail
 * when all is done. */
static void check_outcome(const opened *o, fl_status st, const fl_err *err, const char *what, int64_t n)
{
    fl_err why = {0};
    if (st != FL_OK && err->message[0] == 0)
        fail_msg("%s %lld: no message", what, (long long)n);
    int64_t got = number_of(o, "SELECT plus(10)", &why);
    if (st == FL_OK ? got != 12 : got != 11 && (got != 12 || st != FL_ERR_MEMORY))
        fail_msg("%s %lld (%s): %lld %s", what, (long long)n, err->message, (long long)got, why.message);
    opened other = open_on(NULL);
    assert_number(&other, "SELECT plus(10)", got);
    must_run(&other, CREATE_PLUS_TWO);
    assert_number(o, "SELECT plus(10)", 12);
    close_it(&other);
}

static void test_failing_calls(void **state)
{
    int64_t failures = 0, n = 1;
    owned_system owned;
    (void)state;
    owned_system_init(&owned);
    for (bool is_through = false; !is_through; n++) {
        begin_anew();
        opened o = open_on(&owned.system);
        fl_err err = {0};
        owned.failing = OWNED_CALL_ANY;
        owned.failure = -EIO;
        atomic_store(&owned.calls_left, n);
        fl_status st = run(&o, CREATE_PLUS_TWO, &err);
        is_through = atomic_load(&owned.calls_left) > 0;
        atomic_store(&owned.calls_left, 0);
        failures += st != FL_OK;
        check_outcome(&o, st, &err, "call", n);
        close_it(&o);
        assert_int_equal(atomic_load(&owned.files_open), 0);
    }
    printf("%lld calls of the system, %lld failures\n", (long long)n - 2, (long long)failures);
    assert_true(failures > 10);
}

/* The first deployment makes the folder, too. */
static void test_failing_first(void **state)
{
    int64_t n = 1;
    owned_system owned;
    char command[128];
    (void)state;
    owned_system_init(&owned);
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    for (bool is_through = false; !is_through; n++) {
        assert_int_equal(system(command), 0);
        opened o = open_on(&owned.system);
        fl_err err = {0};
        owned.failing = OWNED_CALL_ANY;
        owned.failure = -EIO;
        atomic_store(&owned.calls_left, n);
        fl_status st = run(&o, CREATE_TRIPLE, &err);
        is_through = atomic_load(&owned.calls_left) > 0;
        atomic_store(&owned.calls_left, 0);
        opened other = open_on(NULL);
        assert_int_equal(number_of(&o, "SELECT triple(10)", NULL), st == FL_OK ? 30 : FAILED);
        assert_int_equal(number_of(&other, "SELECT triple(10)", NULL), st == FL_OK ? 30 : FAILED);
        must_run(&o, CREATE_TRIPLE);
        assert_number(&other, "SELECT triple(10)", 30);
        close_it(&o);
        close_it(&other);
    }
    assert_true(n > 15);
}

static void test_full_disk(void **state)
{
    owned_system owned;
    (void)state;
    owned_system_init(&owned);
    for (int64_t room = 0; room < 1200; room += 7) {
        begin_anew();
        opened o = open_on(&owned.system);
        fl_err err = {0};
        owned.room_bytes = room;
        fl_status st = run(&o, CREATE_TRIPLE, &err);
        owned.room_bytes = -1;
        assert_int_equal(number_of(&o, "SELECT triple(10)", NULL), st == FL_OK ? 30 : FAILED);
        must_run(&o, CREATE_TRIPLE);
        assert_number(&o, "SELECT plus(10) + triple(10)", 41);
        close_it(&o);
    }
}

static void test_failing_allocations(void **state)
{
    int64_t failures = 0, n = 1;
    (void)state;
    for (bool is_through = false; !is_through; n++) {
        begin_anew();
        opened o = open_on(NULL);
        fl_err err = {0};
        fl_fault_arm(FL_FAULT_ALLOC, n);
        fl_status st = run(&o, CREATE_PLUS_TWO, &err);
        is_through = fl_fault_is_armed(FL_FAULT_ALLOC);
        fl_fault_arm(FL_FAULT_ALLOC, 0);
        failures += st != FL_OK;
        check_outcome(&o, st, &err, "allocation", n);
        close_it(&o);
    }
    printf("%lld allocations of a deployment, %lld failures\n", (long long)n - 2, (long long)failures);
    n = 1;
    for (bool is_through = false; !is_through; n++) { /* reading the folder, and the first call */
        opened o = {0};
        fl_err err = {0};
        fl_fault_arm(FL_FAULT_ALLOC, n);
        fl_status st = try_open_on(NULL, dir, &o, &err);
        int64_t got = st == FL_OK ? number_of(&o, "SELECT plus(10)", &err) : FAILED;
        is_through = fl_fault_is_armed(FL_FAULT_ALLOC);
        fl_fault_arm(FL_FAULT_ALLOC, 0);
        assert_true(got == 12 || (got == FAILED && err.message[0] != 0));
        if (st == FL_OK)
            assert_number(&o, "SELECT plus(10)", 12);
        if (o.engine != NULL)
            close_it(&o);
    }
}

/* Code is on the disk before the record that names it, and a record's payload before its header. */
static void test_order(void **state)
{
    static owned_system owned;
    (void)state;
    owned_system_init(&owned);
    opened o = open_on(&owned.system);
    owned.is_noting = true;
    must_run(&o, CREATE_TRIPLE);
    owned.is_noting = false;
    const char *at = owned.notes;
    static const char *const steps[] = {"make_folder ",
                                        "edit functions.log; ",
                                        "make_folder modules; ",
                                        "make ",
                                        "write ",
                                        "sync; ",
                                        "rename ",
                                        "sync_folder; ",
                                        "sync_folder; ",
                                        "resize 0; ",
                                        "write ",
                                        "sync; ",
                                        "write 32; ",
                                        "sync; "};
    for (int64_t i = 0; i < FL_LEN(steps); i++) {
        const char *found = strstr(at, steps[i]);
        if (found == NULL)
            fail_msg("step %lld, %s, is not behind the others: %s", (long long)i, steps[i], owned.notes);
        at = found + strlen(steps[i]);
    }
    close_it(&o);
}

/* ---- folders ---- */

static void test_open_to_others(void **state)
{
    opened o = {0};
    fl_err err = {0};
    (void)state;
    deploy_all();
    assert_int_equal(chmod(dir, 0722), 0);
    assert_int_equal(try_open_on(NULL, dir, &o, &err), FL_ERR_CONFIG);
    assert_non_null(strstr(err.message, dir));
    assert_int_equal(chmod(dir, 0700), 0);
    assert_int_equal(chmod(path_of("cache"), 0777), 0);
    assert_int_equal(try_open_on(NULL, dir, &o, &err), FL_ERR_CONFIG);
    assert_non_null(strstr(err.message, "/cache"));
    assert_int_equal(chmod(path_of("cache"), 0700), 0);
    assert_int_equal(try_open_on(NULL, "/dev/null", &o, &err), FL_ERR_CONFIG);
    assert_int_equal(try_open_on(NULL, "/tmp", &o, &err), FL_ERR_CONFIG); /* anybody's */
    o = open_on(NULL);
    int64_t hits = counted().cache_hits, compiles = counted().compiles;
    assert_int_equal(chmod(path_of("cache"), 0777), 0); /* while it is in use */
    assert_number(&o, "SELECT plus(10)", 12);
    close_it(&o);
    assert_int_equal(counted().cache_hits, hits);
    assert_int_equal(counted().compiles, compiles + 1);
    assert_int_equal(chmod(path_of("cache"), 0700), 0);
}

/* What was not used for the longest time goes. */
static void test_least_recently_used(void **state)
{
    fl_code_cache cache;
    uint8_t keys[5][FL_DIGEST_SHA256_BYTES];
    char code[1000];
    void *block = NULL;
    fl_str got;
    (void)state;
    memset(code, 7, sizeof(code));
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(fl_code_cache_init(&cache, NULL, dir, NULL), FL_OK);
    cache.bytes_max = 3 * 1100;
    int64_t evictions = counted().cache_evictions;
    for (int i = 0; i < 5; i++) {
        fl_str part = {(const char *)&i, sizeof(i)};
        assert_int_equal(fl_code_cache_key(&part, 1, keys[i], NULL), FL_OK);
        if (i == 3) { /* the first is used, so the second is the oldest */
            assert_true(fl_code_cache_get(&cache, keys[0], &block, &got));
            assert_int_equal(got.len, sizeof(code));
            fl_free(block);
            usleep(20000); /* a tick of the file system's clock */
        }
        fl_code_cache_put(&cache, keys[i], (fl_str){code, sizeof(code)});
        usleep(20000);
    }
    static const bool is_kept[] = {true, false, false, true, true};
    for (int i = 0; i < 5; i++) {
        bool has = fl_code_cache_get(&cache, keys[i], &block, &got);
        assert_int_equal(has, is_kept[i]);
        if (has)
            fl_free(block);
    }
    assert_int_equal(counted().cache_evictions - evictions, 2);
}

/* Types of all kinds come back as they were, and names that a file could not have. */
static void test_declarations(void **state)
{
    static const char *const types[] = {
        "boolean",  "smallint",      "integer", "bigint",     "real",         "double",
        "text",     "blob",          "date",    "time",       "timestamp",    "timestamptz",
        "interval", "decimal(15,2)", "text[]",  "double[][]", "timestamp(9)", "struct(a integer, \"b c\" text[])"};
    static const char *const names[] = {"../../etc/passwd", "a\"b", "größe", "semi;colon", "line\nbreak", "%s%n"};
    char sql[512];
    fl_err err = {0};
    (void)state;
    opened o = open_on(NULL);
    for (int64_t i = 0; i < FL_LEN(types); i++) {
        snprintf(sql, sizeof(sql), "CREATE FUNCTION t%lld(x %s) RETURNS %s LANGUAGE expr AS 'x'", (long long)i,
                 types[i], types[i]);
        must_run(&o, sql);
    }
    for (int64_t i = 0; i < FL_LEN(names); i++)
        if (fl_session_deploy_function(o.session, names[i], "expr", "(x bigint) -> bigint", "x", 1, &err) != FL_OK)
            fail_msg("%s: %s", names[i], err.message);
    opened other = open_on(NULL);
    assert_int_equal(other.engine->functions.n, FL_LEN(types) + FL_LEN(names));
    for (int32_t i = 0; i < other.engine->functions.n; i++) {
        fl_udf *made = o.engine->functions.items[i].udf, *stored = other.engine->functions.items[i].udf;
        assert_true(fl_str_is_equal(made->declaration.name, stored->declaration.name));
        assert_int_equal(stored->refusal.len, 0);
        assert_true(fl_type_is_equal(made->declaration.returns, stored->declaration.returns));
        assert_string_equal(made->func.signature, stored->func.signature);
    }
    assert_number(&other, "SELECT t3(5)", 5);
    assert_number(&other, "SELECT \"../../etc/passwd\"(5)", 5);
    close_it(&o);
    close_it(&other);
}

/* Functions that call others are loaded with them; code that is gone is told of when it is called. */
static void test_loading(void **state)
{
    char command[128];
    fl_err err = {0};
    (void)state;
    opened o = open_on(NULL);
    must_run(&o, CREATE_TRIPLE);
    must_run(&o, "CREATE FUNCTION nine(x bigint) RETURNS bigint LANGUAGE expr AS 'triple(triple(x))'");
    must_run(&o, "CREATE OR REPLACE FUNCTION triple(x bigint) RETURNS bigint LANGUAGE expr AS 'nine(x)'");
    close_it(&o);
    o = open_on(NULL);
    assert_int_equal(run(&o, "SELECT nine(1)", &err), FL_ERR_CORRUPT); /* they call each other */
    assert_non_null(strstr(err.message, "calls itself"));
    assert_int_equal(fl_session_rollback_function(o.session, "triple", 1, NULL), FL_OK);
    assert_number(&o, "SELECT nine(1)", 9);
    close_it(&o);
    snprintf(command, sizeof(command), "rm %s/modules/*", dir);
    assert_int_equal(system(command), 0);
    o = open_on(NULL);
    assert_number(&o, "SELECT 7::bigint", 7);
    assert_int_equal(run(&o, "SELECT nine(1)", &err), FL_ERR_TABLE);
    assert_non_null(strstr(err.message, "function nine cannot be loaded: there is no file"));
    must_run(&o, CREATE_TRIPLE);
    must_run(&o, "CREATE OR REPLACE FUNCTION nine(x bigint) RETURNS bigint LANGUAGE expr AS 'triple(triple(x))'");
    assert_number(&o, "SELECT nine(1)", 9);
    close_it(&o);
}

static size_t read_module(const char *name, uint8_t *ret, size_t bytes)
{
    char path[128];
    snprintf(path, sizeof(path), "test/udf/modules/%s.wasm", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(ret, 1, bytes, file);
    fclose(file);
    return n;
}

/* What CREATE FUNCTION can say beside the signature is said in C, too, and is there in another process. */
static void test_options(void **state)
{
    static uint8_t scoring[1 << 16], aggregates[1 << 16], traps[1 << 16];
    size_t n_scoring = read_module("scoring", scoring, sizeof(scoring));
    size_t n_aggregates = read_module("aggregates", aggregates, sizeof(aggregates));
    size_t n_traps = read_module("traps", traps, sizeof(traps));
    fl_err err = {0};
    fl_function_options options = {0};
    (void)state;
    opened o = open_on(NULL);
    assert_int_equal(
        fl_session_deploy_function_with(o.session, &options, "or_zero", "wasm", NULL, scoring, n_scoring, &err),
        FL_ERR_CONFIG);
    assert_int_equal(
        fl_session_deploy_function_with(o.session, NULL, "or_zero", "wasm", NULL, scoring, n_scoring, &err),
        FL_ERR_CONFIG);
    options = (fl_function_options){.size = sizeof(options), .fuel = -1};
    assert_int_equal(
        fl_session_deploy_function_with(o.session, &options, "or_zero", "wasm", NULL, scoring, n_scoring, &err),
        FL_ERR_CONFIG);
    options = (fl_function_options){.size = sizeof(options), .takes_nulls = true};
    assert_int_equal(fl_session_deploy_function_with(o.session, &options, "or_zero", "wasm", "(bigint) -> bigint",
                                                     scoring, n_scoring, &err),
                     FL_OK);
    options = (fl_function_options){.size = sizeof(options), .errors_are_null = true};
    assert_int_equal(fl_session_deploy_function_with(o.session, &options, "divide", "wasm", NULL, traps, n_traps, &err),
                     FL_OK);
    options = (fl_function_options){.size = sizeof(options), .is_aggregate = true, .fuel = 5};
    assert_int_equal(fl_session_deploy_function_with(o.session, &options, "tedious", "wasm", "(bigint) -> bigint",
                                                     aggregates, n_aggregates, &err),
                     FL_OK);
    close_it(&o);
    o = open_on(NULL);
    assert_number(&o, "SELECT or_zero(NULL)", 0);
    assert_number(&o, "SELECT divide(84, 2)::bigint", 42);
    assert_number(&o, "SELECT tedious(range) FROM range(11)", 55);
    assert_true(fl_udf_store_active(&o.engine->functions, FL_STR("divide"))->declaration.errors_are_null);
    assert_int_equal(fl_udf_store_active(&o.engine->functions, FL_STR("tedious"))->declaration.fuel, 5);
    close_it(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_second_process, make_dir),
        cmocka_unit_test_setup(test_two_engines, make_dir),
        cmocka_unit_test_setup(test_lock, make_dir),
        cmocka_unit_test_setup(test_races, make_dir),
        cmocka_unit_test_setup(test_flipped_bits, make_dir),
        cmocka_unit_test_setup(test_cut_files, make_dir),
        cmocka_unit_test_setup(test_failing_calls, make_dir),
        cmocka_unit_test_setup(test_failing_first, make_dir),
        cmocka_unit_test_setup(test_full_disk, make_dir),
        cmocka_unit_test_setup(test_failing_allocations, make_dir),
        cmocka_unit_test_setup(test_order, make_dir),
        cmocka_unit_test_setup(test_open_to_others, make_dir),
        cmocka_unit_test_setup(test_least_recently_used, make_dir),
        cmocka_unit_test_setup(test_declarations, make_dir),
        cmocka_unit_test_setup(test_loading, make_dir),
        cmocka_unit_test_setup(test_options, make_dir),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
