/* Functions whose native code came with their module: whose code runs, what is compiled instead, and that answers are the same. */
#include "engine/signed_function.h"

#include "base/fault.h"
#include "base/metrics.h"
#include "engine/internal.h"
#include "udf/wasm/function.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "udf_keys.h"

#define MODULES "test/udf/modules/"

static char folder[] = "/tmp/fletch-signed-function-XXXXXX";
static char *module, *file; /* plus_one.wasm, and signed by PRIVATE_KEY with its code for this machine */
static size_t module_bytes, file_bytes;

static const char *path_of(const char *name)
{
    static char paths[4][96];
    static int n;
    n = (n + 1) % 4;
    snprintf(paths[n], sizeof(paths[n]), "%s/%s", folder, name);
    return paths[n];
}

static void write_file(const char *name, const void *bytes, size_t n)
{
    FILE *to = fopen(path_of(name), "wb");
    assert_non_null(to);
    assert_int_equal(fwrite(bytes, 1, n, to), n);
    assert_int_equal(fclose(to), 0);
}

typedef struct opened {
    fl_engine *engine;
    fl_session *session;
    int64_t compiles, signed_uses; /* before */
} opened;

static opened open_it(const char *key, const char *udf_dir)
{
    opened o = {.compiles = atomic_load(&fl_code_counted.compiles),
                .signed_uses = atomic_load(&fl_code_counted.signed_uses)};
    fl_err err = {0};
    fl_engine_options options = {.size = sizeof(options),
                                 .threads = 1,
                                 .plugin_dir = FLETCH_PLUGIN_DIR,
                                 .udf_dir = udf_dir,
                                 .udf_keys = &key,
                                 .n_udf_keys = key != NULL};
    if (fl_engine_open(&options, &o.engine, &err) != FL_OK || fl_session_open(o.engine, &o.session, &err) != FL_OK)
        fail_msg("%s", err.message);
    return o;
}

/* Engines wait for their compilers when they are closed: then all is counted. */
static void close_it(opened *o)
{
    fl_session_close(o->session);
    fl_engine_close(o->engine);
    o->compiles = atomic_load(&fl_code_counted.compiles) - o->compiles;
    o->signed_uses = atomic_load(&fl_code_counted.signed_uses) - o->signed_uses;
}

/* The one bigint of a query; INT64_MIN: it failed. */
static int64_t number_of(const opened *o, const char *sql)
{
    struct ArrowArrayStream rows;
    struct ArrowArray batch = {0};
    int64_t number = INT64_MIN;
    if (fl_session_query(o->session, sql, &rows, NULL) != FL_OK)
        return number;
    if (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
        number = ((const int64_t *)batch.children[0]->buffers[1])[batch.children[0]->offset];
        batch.release(&batch);
    }
    rows.release(&rows);
    return number;
}

static int make_files(void **state)
{
    (void)state;
    FILE *from = fopen(MODULES "plus_one.wasm", "rb");
    module = malloc(1 << 16);
    if (mkdtemp(folder) == NULL || from == NULL || module == NULL)
        return 1;
    module_bytes = fread(module, 1, 1 << 16, from);
    fclose(from);
    write_file("private.pem", PRIVATE_KEY, strlen(PRIVATE_KEY));
    write_file("public.pem", PUBLIC_KEY, strlen(PUBLIC_KEY));
    write_file("other.pem", OTHER_PRIVATE_KEY, strlen(OTHER_PRIVATE_KEY));
    opened o = open_it(NULL, NULL);
    fl_err err = {0};
    if (fl_session_compile_function(o.session, NULL, NULL, module, module_bytes, path_of("private.pem"), &file,
                                    &file_bytes, &err) != FL_OK)
        fail_msg("%s", err.message);
    close_it(&o);
    write_file("plus.signed", file, file_bytes);
    return 0;
}

static int remove_files(void **state)
{
    char command[128];
    (void)state;
    free(module);
    fl_text_free(file);
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static fl_status deploy(const opened *o, const char *name, const void *bytes, size_t n, fl_err *err)
{
    return fl_session_deploy_function(o->session, name, "wasm", NULL, bytes, n, err);
}

static void test_runs(void **state)
{
    (void)state;
    char sql[256];
    opened o = open_it(path_of("public.pem"), NULL);
    struct ArrowArrayStream rows;
    snprintf(sql, sizeof(sql), "CREATE FUNCTION plus LANGUAGE wasm AS '%s'", path_of("plus.signed"));
    assert_int_equal(fl_session_query(o.session, sql, &rows, NULL), FL_OK);
    rows.release(&rows);
    assert_string_equal(fl_session_notes(o.session), "");
    fl_udf *udf = fl_udf_store_active(&o.engine->functions, FL_STR("plus"));
    assert_true(udf->takes_native);
    assert_int_equal(udf->declaration.code.len, module_bytes);
    assert_int_equal(fl_wasm_wait_compiled(udf->state, NULL, NULL), FL_OK);
    assert_int_equal(number_of(&o, "SELECT sum(plus(range)) FROM range(10000)"), 10000ll * 10001 / 2);
    assert_int_equal(fl_metrics_value(o.engine->memory.metrics, FL_METRIC_WASM_UDF_JIT_CALLS), 10000);
    close_it(&o);
    assert_int_equal(o.signed_uses, 1);
    assert_int_equal(o.compiles, 0);
}

static void must_compile(const char *key, const char *name, const void *bytes, size_t n, const char *says)
{
    opened o = open_it(key, NULL);
    fl_err err = {0};
    if (deploy(&o, name, bytes, n, &err) != FL_OK)
        fail_msg("%s", err.message);
    assert_non_null(strstr(fl_session_notes(o.session), says));
    fl_udf *udf = fl_udf_store_active(&o.engine->functions, fl_str_of(name));
    assert_int_equal(fl_wasm_wait_compiled(udf->state, NULL, NULL), FL_OK);
    assert_int_equal(number_of(&o, "SELECT sum(plus(range)) FROM range(10000)"), 10000ll * 10001 / 2);
    close_it(&o);
    assert_int_equal(o.signed_uses, 0);
    assert_int_equal(o.compiles, 1);
}

static void test_strangers(void **state)
{
    (void)state;
    fl_err err = {0};
    char *bytes = NULL;
    size_t n = 0;
    must_compile(NULL, "plus", file, file_bytes, "none of the keys");
    opened o = open_it(NULL, NULL); /* what is signed already may be signed anew */
    assert_int_equal(fl_session_compile_function(o.session, "plus", "(bigint) -> bigint", file, file_bytes,
                                                 path_of("other.pem"), &bytes, &n, &err),
                     FL_OK);
    close_it(&o);
    must_compile(path_of("public.pem"), "plus", bytes, n, "none of the keys");
    fl_text_free(bytes);
}

/* Signed by who is believed, for what is not here: another version or processor, another function or signature. */
static void test_other_machines(void **state)
{
    (void)state;
    fl_signed_code parts = {0};
    fl_signer signer;
    fl_text other;
    assert_int_equal(fl_signed_code_open((fl_str){file, (int64_t)file_bytes}, &parts, NULL), FL_OK);
    assert_int_equal(fl_signer_init(&signer, FL_STR(PRIVATE_KEY), "key", NULL), FL_OK);
    for (int32_t what = 0; what < 3; what++) {
        fl_text_init(&other, NULL);
        if (what < 2) /* version, processor's features: parts of the name */
            parts.native.name[what] ^= 1;
        else /* the name is right, and nothing behind it */
            parts.native.code.len = 0;
        parts.runtime = FL_STR("wasmtime 1 for a pocket calculator");
        assert_int_equal(fl_signed_code_make(&parts, &signer, &other, NULL), FL_OK);
        must_compile(path_of("public.pem"), "plus", other.data, (size_t)other.len, "for a pocket calculator");
        fl_text_drop(&other);
        if (what < 2)
            parts.native.name[what] ^= 1;
    }
    fl_signer_drop(&signer);
}

/* Whoever is believed has signed bytes that are no code: Wasmtime refuses them, and the module is compiled. */
static void test_no_code(void **state)
{
    (void)state;
    fl_signed_code parts = {0};
    fl_signer signer;
    fl_text other;
    assert_int_equal(fl_signed_code_open((fl_str){file, (int64_t)file_bytes}, &parts, NULL), FL_OK);
    assert_int_equal(fl_signer_init(&signer, FL_STR(PRIVATE_KEY), "key", NULL), FL_OK);
    fl_text_init(&other, NULL);
    parts.native.code = FL_STR("no code");
    assert_int_equal(fl_signed_code_make(&parts, &signer, &other, NULL), FL_OK);
    must_compile(path_of("public.pem"), "plus", other.data, (size_t)other.len, "");
    fl_text_drop(&other);
    fl_signer_drop(&signer);
}

/* In a folder: the module is what is kept, its code lies in the cache, and is taken from there without a key. */
static void test_kept(void **state)
{
    (void)state;
    fl_err err = {0};
    const char *dir = path_of("udf");
    opened o = open_it(path_of("public.pem"), dir);
    assert_int_equal(deploy(&o, "plus", file, file_bytes, &err), FL_OK);
    close_it(&o);
    assert_int_equal(o.signed_uses, 1);
    assert_int_equal(o.compiles, 0);
    int64_t hits = atomic_load(&fl_code_counted.cache_hits);
    o = open_it(NULL, dir);
    assert_int_equal(number_of(&o, "SELECT plus(41)"), 42);
    close_it(&o);
    assert_int_equal(o.compiles, 0);
    assert_int_equal(atomic_load(&fl_code_counted.cache_hits) - hits, 1);
    o = open_it(NULL, dir);
    assert_int_equal(deploy(&o, "plus", module, module_bytes, &err), FL_OK); /* the same version */
    assert_int_equal(fl_udf_store_next_version(&o.engine->functions, FL_STR("plus")), 2);
    close_it(&o);
    assert_int_equal(o.compiles, 0);
}

/* Bits flipped all over the file: refused, each of them. */
static void test_flipped(void **state)
{
    (void)state;
    opened o = open_it(path_of("public.pem"), NULL);
    uint64_t random = 1;
    for (int32_t i = 0; i < 300; i++) {
        fl_err err = {0};
        random = random * 6364136223846793005u + 1442695040888963407u;
        size_t at = i < 100 ? (size_t)i : (size_t)(random >> 33) % file_bytes;
        char bit = (char)(1 << (random >> 20 & 7));
        file[at] ^= bit;
        if (deploy(&o, "plus", file, file_bytes, &err) == FL_OK)
            fail_msg("byte %zu was changed, and the file is taken", at);
        if (at >= 12)
            assert_string_equal(err.sqlstate, "42501");
        file[at] ^= bit;
    }
    assert_int_equal(deploy(&o, "plus", file, file_bytes, NULL), FL_OK);
    assert_int_equal(number_of(&o, "SELECT plus(41)"), 42);
    close_it(&o);
    assert_int_equal(o.signed_uses, 1);
}

static void test_bad_keys(void **state)
{
    (void)state;
    fl_err err = {0};
    const char *key = path_of("loose.pem"), *missing = path_of("missing.pem"), *none = NULL;
    fl_engine *engine = NULL;
    fl_engine_options options = {.size = sizeof(options), .udf_keys = &key, .n_udf_keys = 1};
    write_file("loose.pem", PUBLIC_KEY, strlen(PUBLIC_KEY));
    assert_int_equal(chmod(key, 0666), 0);
    assert_int_equal(fl_engine_open(&options, &engine, &err), FL_ERR_CONFIG);
    assert_non_null(strstr(err.message, "others than you may write"));
    options.udf_keys = &missing;
    assert_int_equal(fl_engine_open(&options, &engine, &err), FL_ERR_TABLE);
    options.udf_keys = &none;
    assert_int_equal(fl_engine_open(&options, &engine, &err), FL_ERR_CONFIG);
    options.n_udf_keys = -1;
    assert_int_equal(fl_engine_open(&options, &engine, &err), FL_ERR_CONFIG);
}

/* Whatever has no name that says which function is compiled, or is no module. */
static void test_bad_modules(void **state)
{
    (void)state;
    fl_err err = {0};
    char *bytes = NULL;
    size_t n = 0;
    opened o = open_it(NULL, NULL);
    const char *key = path_of("private.pem");
    assert_int_equal(fl_session_compile_function(o.session, "minus", NULL, module, module_bytes, key, &bytes, &n, &err),
                     FL_ERR_FUNCTION);
    assert_int_equal(fl_session_compile_function(o.session, NULL, NULL, "x", 1, key, &bytes, &n, &err), FL_ERR_CORRUPT);
    assert_int_equal(
        fl_session_compile_function(o.session, NULL, NULL, module, module_bytes, path_of("no"), &bytes, &n, &err),
        FL_ERR_TABLE);
    assert_null(bytes);
    close_it(&o);
}

/* Each allocation fails once: an error, and nothing is left behind. */
static void test_memory_runs_out(void **state)
{
    (void)state;
    fl_err err = {0};
    opened o = open_it(path_of("public.pem"), NULL);
    fl_status st = FL_ERR_MEMORY;
    for (int64_t n = 1; st != FL_OK && n < 10000; n++) {
        fl_fault_arm(FL_FAULT_ALLOC, n);
        st = deploy(&o, "plus", file, file_bytes, &err);
        fl_fault_arm(FL_FAULT_ALLOC, 0);
        assert_true(st == FL_OK || st == FL_ERR_MEMORY);
    }
    assert_int_equal(st, FL_OK);
    assert_int_equal(number_of(&o, "SELECT plus(41)"), 42);
    close_it(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs),     cmocka_unit_test(test_strangers),   cmocka_unit_test(test_other_machines),
        cmocka_unit_test(test_no_code),  cmocka_unit_test(test_kept),        cmocka_unit_test(test_flipped),
        cmocka_unit_test(test_bad_keys), cmocka_unit_test(test_bad_modules), cmocka_unit_test(test_memory_runs_out),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
