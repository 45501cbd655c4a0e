/* Who signed is asked when a function is deployed. What is kept then is the module, and the native code in the cache of the folder, whose
 * owner alone may write there. */
#include "engine/signed_function.h"

#include "base/utf8.h"
#include "engine/function_store.h"
#include "engine/internal.h"
#include "udf/wasm/function.h"

#include <stdio.h>

#define KEY_BYTES_MAX (64 << 10)
#define KEYS_MAX 1000

static fl_status read_key_file(const fl_system *system, const char *file, char **ret, fl_str *ret_pem, fl_err *err)
{
    int64_t n = 0;
    fl_status st = fl_udf_file_read(system, file, KEY_BYTES_MAX, ret, &n, err);
    *ret_pem = (fl_str){*ret, n};
    return st;
}

static fl_status read_public_key(const fl_system *system, const char *file, uint8_t ret[FL_PUBLIC_KEY_BYTES],
                                 fl_err *err)
{
    fl_status st = FL_OK;
    fl_file_info info;
    fl_str pem;
    char *bytes = NULL;
    FL_TRY(read_key_file(system, file, &bytes, &pem, err));
    if (fl_system_look(system, file, true, &info) != 0 || info.others_may_write) {
        st = FL_FAIL(err, FL_ERR_CONFIG,
                     "the key in \"%s\" says whose code is run, and others than you may write to that file", file);
        fl_err_hint(err, "it must be yours (or root's) and writable for its owner alone: chmod go-w");
        goto cleanup;
    }
    st = fl_public_key_read(pem, file, ret, err);
cleanup:
    fl_free(bytes);
    return st;
}

fl_status fl_engine_read_udf_keys(fl_engine *engine, const char *const *files, int32_t n_files, fl_err *err)
{
    fl_status st = FL_OK;
    if (n_files < 0 || n_files > KEYS_MAX || (n_files > 0 && files == NULL))
        return FL_FAIL(err, FL_ERR_CONFIG, "n_udf_keys is %d, expected the number of udf_keys, up to %d", n_files,
                       KEYS_MAX);
    FL_TRY(fl_alloc_zero(NULL, (n_files + 1) * FL_PUBLIC_KEY_BYTES, (void **)&engine->udf_keys, err));
    for (int32_t i = 0; i < n_files; i++) {
        if (files[i] == NULL)
            FL_TRY(FL_FAIL(err, FL_ERR_CONFIG, "udf_keys[%d] is NULL, expected a file's name", i));
        FL_TRY(read_public_key(engine->memory.system, files[i], engine->udf_keys + i * FL_PUBLIC_KEY_BYTES, err));
        engine->n_udf_keys++;
    }
cleanup:
    return st;
}

static bool is_believed(const fl_engine *engine, const uint8_t signer[FL_PUBLIC_KEY_BYTES])
{
    for (int32_t i = 0; i < engine->n_udf_keys; i++)
        if (memcmp(engine->udf_keys + i * FL_PUBLIC_KEY_BYTES, signer, FL_PUBLIC_KEY_BYTES) == 0)
            return true;
    return false;
}

/* ---- deploying ----------------------------------------------------------------------------------------------------------- */

static void note_unused(fl_session *session, const fl_udf *udf, const fl_signed_code *code, bool is_taken)
{
    char why[512];
    int n = !is_taken ? snprintf(why, sizeof(why),
                                 "its native code is not used, as none of the keys that were given (--udf-key) is the "
                                 "signer's: its module is compiled")
                      : snprintf(why, sizeof(why),
                                 "its native code is not used, as it is of another function or signature, or for "
                                 "another machine (%.*s): its module is compiled",
                                 FL_STR_ARG(code->runtime));
    fl_session_add_note(session, udf->declaration.name, (fl_str){why, n < (int)sizeof(why) ? n : (int)sizeof(why) - 1});
}

fl_status fl_session_make_function(fl_session *session, const fl_udf_language *language,
                                   const fl_function_declaration *declaration, fl_udf **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    fl_code_cache *cache = engine->function_store != NULL ? &engine->function_store->cache : NULL;
    fl_function_declaration whole = *declaration;
    fl_signed_code code = {0};
    if (language->compile == NULL || !fl_signed_code_is(declaration->code))
        return fl_udf_new(language, declaration, engine, cache, engine->memory.metrics, &session->interrupt, NULL, ret,
                          err);
    FL_TRY(fl_signed_code_open(declaration->code, &code, err));
    bool is_taken = is_believed(engine, code.signer);
    whole.code = code.module;
    FL_TRY(fl_udf_new(language, &whole, engine, cache, engine->memory.metrics, &session->interrupt,
                      is_taken ? &code.native : NULL, ret, err));
    if (!(*ret)->takes_native)
        note_unused(session, *ret, &code, is_taken);
cleanup:
    return st;
}

/* ---- compiling for others ------------------------------------------------------------------------------------------------ */

/* What a module exports beside its function: memory for texts, what runs first, the form that takes columns. */
static bool is_beside(fl_str name)
{
    static const char *const names[] = {"alloc", "malloc", "free", "_start", "_initialize"};
    fl_str batch = FL_STR("_batch");
    if (name.len > batch.len && memcmp(name.data + name.len - batch.len, batch.data, (size_t)batch.len) == 0)
        return true;
    for (int64_t i = 0; i < FL_LEN(names); i++)
        if (fl_str_is_equal(name, fl_str_of(names[i])))
            return true;
    return false;
}

/* The one function that a module exports. */
static fl_status find_name(fl_arena *arena, fl_str code, fl_str *ret, fl_err *err)
{
    fl_status st = FL_OK;
    wasm_module module;
    int32_t n = 0;
    FL_TRY(fl_wasm_read(arena, code, &module, err));
    for (int32_t i = 0; i < module.n_exports; i++)
        if (module.exports[i].kind == WASM_FUNC && !is_beside(module.exports[i].name)) {
            *ret = module.exports[i].name;
            n++;
        }
    if (n == 1)
        return FL_OK;
    st = FL_FAIL(err, FL_ERR_FUNCTION, "the module exports %d functions, and no name says which one is to be compiled",
                 n);
    fl_err_hint(err, "say it: --name NAME");
cleanup:
    return st;
}

fl_status fl_session_compile_signed(fl_session *session, const fl_function_declaration *declaration,
                                    const char *key_file, fl_text *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    fl_function_declaration d = *declaration;
    fl_signed_code parts = {0};
    fl_signer signer = {0};
    fl_udf *udf = NULL;
    fl_str pem;
    char *key = NULL;
    fl_arena arena;
    fl_text native, runtime;
    fl_arena_init(&arena, &session->statement_memory);
    fl_text_init(&native, NULL);
    fl_text_init(&runtime, NULL);
    FL_TRY(read_key_file(engine->memory.system, key_file, &key, &pem, err)); /* what fails sooner, first */
    FL_TRY(fl_signer_init(&signer, pem, key_file, err));
    if (fl_signed_code_is(d.code)) {
        FL_TRY(fl_signed_code_open(d.code, &parts, err));
        d.code = parts.module;
    }
    if (d.name.len == 0)
        FL_TRY(find_name(&arena, d.code, &d.name, err));
    FL_TRY(fl_udf_new(&fl_wasm_language, &d, engine, NULL, NULL, &session->interrupt, NULL, &udf, err));
    FL_TRY(fl_wasm_language.compile(udf, &session->interrupt, &parts.native, &native, &runtime, err));
    parts.module = udf->declaration.code;
    parts.runtime = fl_text_str(&runtime);
    st = fl_signed_code_make(&parts, &signer, ret, err);
cleanup:
    fl_udf_unref(udf);
    fl_signer_drop(&signer);
    fl_free(key);
    fl_text_drop(&native);
    fl_text_drop(&runtime);
    fl_arena_drop(&arena);
    return st;
}
