/* CREATE FUNCTION, DROP FUNCTION and SHOW FUNCTIONS, and the C API's calls beside them.
 *
 * Each change is made under functions_lock, and, of functions that are kept in a folder, under the folder's lock: from before one looks at
 * what there is until the change is on the disk. */
#include "engine/function_store.h"
#include "engine/internal.h"
#include "engine/signed_function.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "udf/wasm/function.h"

#include <stdio.h>

#define CODE_BYTES_MAX (64 << 20)

extern const fl_udf_language fl_expression_language, fl_python_language;

static const fl_udf_language *const languages[] = {&fl_expression_language, &fl_wasm_language, &fl_python_language};

const fl_udf_language *fl_engine_language(fl_str name)
{
    for (int64_t i = 0; i < FL_LEN(languages); i++)
        if (fl_str_is_equal_nocase(name, fl_str_of(languages[i]->name)))
            return languages[i];
    return NULL;
}

static fl_status fail_language(fl_str name, fl_err *err)
{
    fl_nearest near;
    fl_status st = FL_FAIL(err, FL_ERR_FUNCTION, "there is no language \"%.*s\"", FL_STR_ARG(name));
    fl_err_state(err, "42704", st);
    fl_err_hint(err, "there are LANGUAGE expr, LANGUAGE wasm and LANGUAGE python");
    fl_nearest_init(&near, name);
    for (int64_t i = 0; i < FL_LEN(languages); i++)
        fl_nearest_offer(&near, fl_str_of(languages[i]->name));
    if (near.count > 0)
        fl_nearest_hint(&near, err);
    return st;
}

/* ---- changing ---- */

static fl_status begin_change(fl_session *session, bool makes, fl_err *err)
{
    fl_status st = FL_OK;
    pthread_mutex_lock(&session->engine->functions_lock);
    if (session->engine->function_store != NULL)
        st = fl_function_store_begin(session, makes, err);
    if (st != FL_OK)
        pthread_mutex_unlock(&session->engine->functions_lock);
    return st;
}

static void end_change(fl_session *session)
{
    if (session->engine->function_store != NULL)
        fl_function_store_end(session->engine);
    pthread_mutex_unlock(&session->engine->functions_lock);
}

/* What becomes of a function. */
typedef struct change {
    fl_engine *engine;
    fl_udf_change kind;
    fl_udf *udf;
} change;

static fl_status apply(void *ctx, fl_registry *registry, fl_err *err)
{
    const change *c = ctx;
    fl_udf *udf = c->udf;
    bool is_aggregate = udf->declaration.is_aggregate;
    if (c->kind == FL_UDF_DROPPED) {
        fl_registry_remove_user_func(registry, udf->declaration.name);
        return FL_OK;
    }
    return fl_registry_put_user_func(registry, is_aggregate ? NULL : &udf->func, is_aggregate ? &udf->agg : NULL,
                                     &udf->owner, err);
}

static fl_status keep(void *ctx, fl_err *err)
{
    const change *c = ctx;
    return c->engine->function_store == NULL ? FL_OK : fl_function_store_keep(c->engine, c->kind, c->udf, err);
}

/* First on the disk, then for all to see. */
static fl_status make_change(fl_engine *engine, fl_udf_change kind, fl_udf *udf, fl_err *err)
{
    change c = {engine, kind, udf};
    return fl_engine_extend_kept(engine, apply, keep, &c, err);
}

/* ---- making ---- */

static bool is_same(const fl_udf *a, const fl_udf *b)
{
    const fl_function_declaration *x = &a->declaration, *y = &b->declaration;
    bool is = a->language == b->language && memcmp(a->hash, b->hash, FL_UDF_HASH_BYTES) == 0 && a->refusal.len == 0 &&
              b->refusal.len == 0 && x->n_params == y->n_params && fl_type_is_equal(x->returns, y->returns) &&
              x->is_aggregate == y->is_aggregate && x->takes_nulls == y->takes_nulls &&
              x->errors_are_null == y->errors_are_null && x->volatility == y->volatility && x->fuel == y->fuel;
    for (int32_t i = 0; is && i < x->n_params; i++)
        is = fl_type_is_equal(x->params[i].type, y->params[i].type) &&
             fl_str_is_equal(x->params[i].name, y->params[i].name);
    return is;
}

/* A version of the name that is the same. */
static fl_udf *find_same(const fl_engine *engine, const fl_udf *udf)
{
    fl_udf *active = fl_udf_store_active(&engine->functions, udf->declaration.name);
    if (active != NULL && is_same(active, udf))
        return active;
    for (int32_t i = 0; i < engine->functions.n; i++) {
        fl_udf *other = engine->functions.items[i].udf;
        if (fl_str_is_equal_nocase(other->declaration.name, udf->declaration.name) && is_same(other, udf))
            return other;
    }
    return NULL;
}

/* Of versions that are not active the code is kept, no modules. Where there is no memory for the change they stay as they are. */
static void unload_inactive(fl_engine *engine, fl_str name)
{
    for (int32_t i = 0; i < engine->functions.n; i++) {
        fl_udf_entry *entry = &engine->functions.items[i];
        fl_udf *udf = entry->udf, *unloaded;
        bool is_loaded = udf->loader == NULL || atomic_load(&udf->loaded) != NULL;
        fl_udf_loader *loader = engine->function_store != NULL ? &engine->function_store->loader : NULL;
        if (entry->is_active || !is_loaded || !fl_str_is_equal_nocase(udf->declaration.name, name) ||
            fl_udf_new_unloaded(udf, loader, &unloaded, NULL) != FL_OK)
            continue;
        entry->udf = unloaded;
        fl_udf_unref(udf); /* queries under way may hold it */
    }
}

static fl_status activate(fl_engine *engine, fl_udf *udf, fl_err *err)
{
    fl_status st = FL_OK;
    if (udf == fl_udf_store_active(&engine->functions, udf->declaration.name))
        return FL_OK;
    FL_TRY(make_change(engine, FL_UDF_ACTIVATED, udf, err));
    fl_udf_store_activate(&engine->functions, udf);
    unload_inactive(engine, udf->declaration.name);
cleanup:
    return st;
}

static void count_deployment(const fl_engine *engine, const fl_udf *udf)
{
    if (udf->language->deployed != FL_METRIC_NONE)
        fl_metrics_add(engine->memory.metrics, udf->language->deployed, 1);
}

/* Between begin_change and end_change. The same code again is the same version. Takes over `udf`. */
static fl_status put(fl_engine *engine, fl_udf *udf, fl_err *err)
{
    fl_status st = FL_OK;
    fl_udf *same = find_same(engine, udf);
    if (fl_sql_is_form(udf->declaration.name))
        FL_TRY(FL_FAIL(err, FL_ERR_DUPLICATE, "\"%.*s\" is a form of the language: its name cannot be taken",
                       FL_STR_ARG(udf->declaration.name)));
    FL_ASSERT(udf->version == 0 && udf->loader == NULL);
    if (same != NULL) {
        if (engine->function_store != NULL)
            FL_TRY(fl_function_store_keep_code(engine, udf, err));
        fl_udf_take_loaded(same, udf);
        st = activate(engine, same, err);
        if (st == FL_OK)
            count_deployment(engine, same);
        return st;
    }
    udf->version = fl_udf_store_next_version(&engine->functions, udf->declaration.name);
    udf->created_us = fl_clock_wall_us(engine->memory.system);
    FL_TRY(fl_udf_store_reserve(&engine->functions, err));
    FL_TRY(make_change(engine, FL_UDF_CREATED, udf, err));
    fl_udf_store_add(&engine->functions, udf);
    count_deployment(engine, udf);
    unload_inactive(engine, udf->declaration.name);
    return FL_OK;
cleanup:
    fl_udf_unref(udf);
    return st;
}

fl_status fl_session_put_function(fl_session *session, const fl_function_declaration *declaration, fl_err *err)
{
    fl_status st = FL_OK;
    fl_udf *udf = NULL;
    const fl_udf_language *language = fl_engine_language(declaration->language);
    if (language == NULL)
        return fail_language(declaration->language, err);
    if (declaration->code.len > CODE_BYTES_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "the function's code has %lld bytes, it may have up to %d MB",
                       (long long)declaration->code.len, CODE_BYTES_MAX >> 20);
    st = begin_change(session, true, err);
    if (st != FL_OK)
        return st;
    FL_TRY(fl_session_make_function(session, language, declaration, &udf, err));
    st = put(session->engine, udf, err);
cleanup:
    end_change(session);
    return st;
}

/* The bytes of a module's file. */
static fl_status read_code(fl_session *session, fl_str path, fl_text *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_file *file = NULL;
    char *bytes = NULL;
    FL_TRY(fl_file_open(session->memory.system, path, &file, err));
    if (file->bytes > CODE_BYTES_MAX) {
        st = FL_FAIL(err, FL_ERR_LIMIT, "\"%.*s\" has %lld bytes, a function's module has up to %d MB",
                     FL_STR_ARG(path), (long long)file->bytes, CODE_BYTES_MAX >> 20);
        goto cleanup;
    }
    FL_TRY(fl_alloc(&session->statement_memory, file->bytes + 1, (void **)&bytes, err));
    FL_TRY(fl_file_read_at(file, 0, bytes, file->bytes, err));
    fl_text_add(ret, (fl_str){bytes, file->bytes});
    st = fl_text_status(ret, err);
cleanup:
    fl_free(bytes);
    fl_file_unref(file);
    return st;
}

fl_status fl_session_create_function(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    const fl_function_declaration *declaration = bound->declaration;
    const fl_udf_language *language = fl_engine_language(declaration->language);
    fl_udf *udf = NULL;
    fl_text code;
    if (language == NULL)
        return fail_language(declaration->language, err);
    st = begin_change(session, true, err);
    if (st != FL_OK)
        return st;
    fl_text_init(&code, &session->statement_memory);
    bool is_known = fl_udf_store_active(&engine->functions, declaration->name) != NULL;
    if (is_known && bound->if_not_exists)
        goto cleanup;
    if (is_known && !bound->or_replace) {
        st = FL_FAIL(err, FL_ERR_DUPLICATE, "function \"%.*s\" exists already", FL_STR_ARG(declaration->name));
        fl_err_state(err, "42723", st);
        fl_err_hint(err, "CREATE OR REPLACE FUNCTION makes a new version of it");
        fl_err_at(err, bound->name_pos);
        goto cleanup;
    }
    if (!language->is_text)
        st = read_code(session, bound->declaration->code, &code, err);
    fl_function_declaration whole = *declaration;
    whole.code = language->is_text ? declaration->code : fl_text_str(&code);
    if (st == FL_OK)
        st = fl_session_make_function(session, language, &whole, &udf, err);
    if (st != FL_OK) { /* places in the code mean nothing in the statement's text */
        if (err != NULL)
            err->position = 0;
        fl_err_at(err, bound->code_pos);
        goto cleanup;
    }
    st = put(engine, udf, err);
    if (st != FL_OK)
        fl_err_at(err, bound->name_pos);
cleanup:
    end_change(session);
    fl_text_drop(&code);
    return st;
}

/* ---- dropping ---- */

static fl_status fail_unknown(const fl_engine *engine, fl_str name, int32_t pos, fl_err *err)
{
    fl_nearest near;
    bool is_built_in =
        fl_registry_func(engine->registry, name) != NULL || fl_registry_agg(engine->registry, name) != NULL;
    fl_status st =
        FL_FAIL(err, FL_ERR_FUNCTION,
                is_built_in ? "\"%.*s\" is a built-in function, none of a user's" : "function \"%.*s\" does not exist",
                FL_STR_ARG(name));
    fl_nearest_init(&near, name);
    for (int32_t i = 0; i < engine->functions.n; i++)
        fl_nearest_offer(&near, engine->functions.items[i].udf->declaration.name);
    fl_nearest_hint(&near, err);
    fl_err_at(err, pos);
    return st;
}

static fl_status drop_function(fl_engine *engine, fl_udf *active, fl_err *err)
{
    fl_status st = make_change(engine, FL_UDF_DROPPED, active, err);
    if (st == FL_OK)
        fl_udf_store_remove(&engine->functions, active->declaration.name);
    return st;
}

fl_status fl_session_drop_functions(fl_session *session, const fl_str *names, const int32_t *names_pos, int32_t n,
                                    bool if_exists, fl_err *err)
{
    fl_engine *engine = session->engine;
    fl_status st = begin_change(session, false, err);
    if (st != FL_OK)
        return st;
    for (int32_t i = 0; i < n && !if_exists; i++) /* all or none */
        if (fl_udf_store_active(&engine->functions, names[i]) == NULL)
            FL_TRY(fail_unknown(engine, names[i], names_pos[i], err));
    for (int32_t i = 0; i < n; i++) {
        fl_udf *active = fl_udf_store_active(&engine->functions, names[i]);
        if (active != NULL) /* else it was named twice, or need not be there */
            FL_TRY(drop_function(engine, active, err));
    }
    if (engine->function_store != NULL)
        fl_function_store_sweep(engine);
cleanup:
    end_change(session);
    return st;
}

static fl_status fail_version(const fl_engine *engine, fl_str name, int64_t version, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t last = fl_udf_store_next_version(&engine->functions, name) - 1;
    if (version == 0)
        st = FL_FAIL(err, FL_ERR_FUNCTION, "function \"%.*s\" has no version before the active one", FL_STR_ARG(name));
    else
        st = FL_FAIL(err, FL_ERR_FUNCTION, "function \"%.*s\" has no version %lld", FL_STR_ARG(name),
                     (long long)version);
    if (last > 0)
        fl_err_hint(err, "its last version is %lld", (long long)last);
    return fl_err_state(err, "42704", st);
}

fl_status fl_session_activate_function(fl_session *session, fl_str name, int64_t version, fl_err *err)
{
    fl_engine *engine = session->engine;
    const fl_udf *loaded;
    fl_status st = begin_change(session, false, err);
    if (st != FL_OK)
        return st;
    if (fl_udf_store_active(&engine->functions, name) == NULL)
        FL_TRY(fail_unknown(engine, name, -1, err));
    fl_udf *udf = version > 0 ? fl_udf_store_version(&engine->functions, name, version)
                              : fl_udf_store_version_before(&engine->functions, name);
    if (udf == NULL || version < 0)
        FL_TRY(fail_version(engine, name, version, err));
    FL_TRY(fl_udf_load(udf, &loaded, err));
    st = activate(engine, udf, err);
cleanup:
    end_change(session);
    return st;
}

/* ---- showing ---- */

/* A version's columns, as texts in the arena. */
typedef struct shown {
    fl_str signature, language, version, hash, created;
} shown;

static fl_status print_version(const fl_udf *udf, fl_arena *arena, shown *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text signature, when;
    char hash[2 * FL_UDF_HASH_BYTES + 1];
    fl_value created = {.type = FL_TYPE(FL_TIMESTAMPTZ), .i = udf->created_us};
    fl_text_init(&signature, NULL);
    fl_text_init(&when, NULL);
    for (int32_t i = 0; i < FL_UDF_HASH_BYTES; i++)
        snprintf(hash + 2 * i, 3, "%02x", udf->hash[i]);
    fl_udf_print_signature(&signature, udf);
    if (udf->declaration.fuel > 0)
        fl_text_addf(&signature, " FUEL %lld", (long long)udf->declaration.fuel);
    fl_value_print(&when, &created);
    FL_TRY(fl_text_status(&signature, err));
    FL_TRY(fl_text_status(&when, err));
    FL_TRY(fl_arena_copy_str(arena, fl_text_str(&signature), &ret->signature, err));
    FL_TRY(fl_arena_copy_str(arena, fl_str_of(udf->language->name), &ret->language, err));
    FL_TRY(fl_arena_format(arena, &ret->version, err, "%lld", (long long)udf->version));
    FL_TRY(fl_arena_copy_str(arena, fl_str_of(hash), &ret->hash, err));
    FL_TRY(fl_arena_copy_str(arena, fl_text_str(&when), &ret->created, err));
cleanup:
    fl_text_drop(&signature);
    fl_text_drop(&when);
    return st;
}

static fl_status add_row(const fl_udf *udf, fl_arena *arena, fl_str *ret, fl_err *err)
{
    fl_status st = FL_OK;
    shown s;
    FL_TRY(print_version(udf, arena, &s, err));
    FL_TRY(fl_arena_copy_str(arena, udf->declaration.name, &ret[0], err));
    ret[1] = s.signature;
    if (udf->refusal.len > 0)
        FL_TRY(fl_arena_format(arena, &ret[1], err, "refused: %.*s", FL_STR_ARG(udf->refusal)));
    ret[2] = s.language;
    ret[3] = s.version;
    ret[4] = s.hash;
    ret[5] = s.created;
cleanup:
    return st;
}

fl_status fl_session_show_functions(fl_session *session, fl_rows *ret, fl_err *err)
{
    static const char *const names[] = {"function", "signature", "language", "version", "sha256", "created"};
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    fl_arena arena;
    fl_str *cells = NULL;
    int64_t n = 0;
    fl_arena_init(&arena, &session->statement_memory);
    pthread_mutex_lock(&engine->functions_lock);
    st = FL_NEW_ARRAY(&arena, engine->functions.n * FL_LEN(names) + 1, &cells, err);
    for (int32_t i = 0; st == FL_OK && i < engine->functions.n; i++)
        if (engine->functions.items[i].is_active)
            st = add_row(engine->functions.items[i].udf, &arena, &cells[n++ * FL_LEN(names)], err);
    pthread_mutex_unlock(&engine->functions_lock);
    if (st == FL_OK)
        st = fl_rows_of_text(&engine->memory, names, (int32_t)FL_LEN(names), cells, n, ret, err);
    fl_arena_drop(&arena);
    return st;
}

static fl_status add_version(const fl_engine *engine, const fl_udf_entry *entry, fl_arena *arena, fl_str *ret,
                             fl_err *err)
{
    fl_status st = FL_OK;
    shown s;
    fl_err why = {0};
    FL_TRY(print_version(entry->udf, arena, &s, err));
    ret[0] = s.version;
    ret[1] = entry->is_active ? FL_STR("active") : (fl_str){0};
    ret[2] = s.signature;
    ret[3] = s.language;
    ret[4] = s.hash;
    ret[5] = s.created;
    if (fl_function_store_check(engine, entry->udf, entry->is_active, &why) != FL_OK)
        st = fl_arena_copy_str(arena, fl_str_of(why.message), &ret[6], err);
cleanup:
    return st;
}

fl_status fl_session_show_versions(fl_session *session, fl_str name, fl_rows *ret, fl_err *err)
{
    static const char *const names[] = {"version", "state", "signature", "language", "sha256", "created", "fault"};
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    fl_arena arena;
    fl_str *cells = NULL;
    int64_t n = 0;
    fl_arena_init(&arena, &session->statement_memory);
    pthread_mutex_lock(&engine->functions_lock);
    if (fl_udf_store_active(&engine->functions, name) == NULL)
        FL_TRY(fail_unknown(engine, name, -1, err));
    FL_TRY(FL_NEW_ARRAY(&arena, engine->functions.n * FL_LEN(names) + 1, &cells, err));
    for (int32_t i = engine->functions.n - 1; i >= 0; i--) {
        const fl_udf_entry *entry = &engine->functions.items[i];
        if (fl_str_is_equal_nocase(entry->udf->declaration.name, name))
            FL_TRY(add_version(engine, entry, &arena, &cells[n++ * FL_LEN(names)], err));
    }
    st = fl_rows_of_text(&engine->memory, names, (int32_t)FL_LEN(names), cells, n, ret, err);
cleanup:
    pthread_mutex_unlock(&engine->functions_lock);
    fl_arena_drop(&arena);
    return st;
}

/* ---- the C API ---- */

/* "(double, text) -> double" as CREATE FUNCTION has it. */
static fl_status parse_arrow(fl_session *session, fl_arena *arena, const char *signature, fl_function_declaration *ret,
                             fl_err *err)
{
    fl_status st = FL_OK;
    fl_str text;
    const char *arrow = NULL;
    for (const char *at = signature; (at = strstr(at, "->")) != NULL; at += 2)
        arrow = at;
    if (arrow == NULL) {
        st =
            FL_FAIL(err, FL_ERR_SYNTAX, "the signature \"%s\" has no ->: it is as (double, text) -> double", signature);
        goto cleanup;
    }
    FL_TRY(fl_arena_format(arena, &text, err, "%.*s RETURNS %s", (int)(arrow - signature), signature, arrow + 2));
    st = fl_function_parse_signature(session->engine, arena, text, ret, err);
    if (st != FL_OK && err != NULL) {
        err->position = 0; /* in a text that nobody wrote */
        fl_err_prefix(err, "the signature \"%s\": ", signature);
    }
cleanup:
    return st;
}

static fl_status fail_missing(fl_err *err)
{
    return FL_FAIL(err, FL_ERR_CONFIG, "a function's name, language or code is NULL or empty");
}

fl_status fl_session_deploy_function(fl_session *session, const char *name, const char *language, const char *signature,
                                     const void *code, size_t bytes, fl_err *err)
{
    const fl_function_options none = {.size = sizeof(none)};
    return fl_session_deploy_function_with(session, &none, name, language, signature, code, bytes, err);
}

fl_status fl_session_deploy_function_with(fl_session *session, const fl_function_options *options, const char *name,
                                          const char *language, const char *signature, const void *code, size_t bytes,
                                          fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena arena;
    fl_function_declaration d = {0};
    fl_function_options said = {0};
    if (options == NULL || options->size < sizeof(options->size) || options->size > sizeof(said))
        return FL_FAIL(err, FL_ERR_CONFIG, "the options of a function are NULL, or of another version of fletch");
    memcpy(&said, options, options->size);
    if (said.fuel < 0)
        return FL_FAIL(err, FL_ERR_CONFIG, "a function's fuel is %lld steps, it is from 1 on, or 0 for none",
                       (long long)said.fuel);
    if (name == NULL || name[0] == 0 || language == NULL || code == NULL || bytes > INT64_MAX / 2)
        return fail_missing(err);
    int64_t started_ns = fl_session_begin(session);
    fl_arena_init(&arena, &session->statement_memory);
    if (fl_utf8_check(name, (int64_t)strlen(name)) >= 0) {
        st = FL_FAIL(err, FL_ERR_VALUE, "the function's name is no UTF-8");
        goto cleanup;
    }
    if (signature != NULL)
        FL_TRY(parse_arrow(session, &arena, signature, &d, err));
    d.is_aggregate = said.is_aggregate;
    d.takes_nulls = said.takes_nulls;
    d.errors_are_null = said.errors_are_null;
    d.fuel = said.fuel;
    d.name = fl_str_of(name);
    d.language = fl_str_of(language);
    d.code = (fl_str){code, (int64_t)bytes};
    st = fl_session_put_function(session, &d, err);
cleanup:
    fl_arena_drop(&arena);
    return fl_session_end(session, started_ns, st, err);
}

fl_status fl_session_compile_function(fl_session *session, const char *name, const char *signature, const void *module,
                                      size_t bytes, const char *key_file, char **ret_code, size_t *ret_bytes,
                                      fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena arena;
    fl_text code;
    fl_function_declaration d = {0};
    if (module == NULL || key_file == NULL || bytes > CODE_BYTES_MAX)
        return FL_FAIL(err, FL_ERR_CONFIG,
                       "a module or the name of a key's file is NULL, or the module has more than %d MB",
                       CODE_BYTES_MAX >> 20);
    int64_t started_ns = fl_session_begin(session);
    fl_arena_init(&arena, &session->statement_memory);
    fl_text_init(&code, NULL);
    if (name != NULL && fl_utf8_check(name, (int64_t)strlen(name)) >= 0) {
        st = FL_FAIL(err, FL_ERR_VALUE, "the function's name is no UTF-8");
        goto cleanup;
    }
    if (signature != NULL)
        FL_TRY(parse_arrow(session, &arena, signature, &d, err));
    d.name = name != NULL ? fl_str_of(name) : (fl_str){0};
    d.language = FL_STR("wasm");
    d.code = (fl_str){module, (int64_t)bytes};
    FL_TRY(fl_session_compile_signed(session, &d, key_file, &code, err));
    if (code.len > CODE_BYTES_MAX) {
        st = FL_FAIL(err, FL_ERR_LIMIT, "the module and its native code have %lld bytes, they may have up to %d MB",
                     (long long)code.len, CODE_BYTES_MAX >> 20);
        goto cleanup;
    }
    *ret_code = code.data;
    *ret_bytes = (size_t)code.len;
    fl_text_init(&code, NULL); /* it is the caller's now */
cleanup:
    fl_text_drop(&code);
    fl_arena_drop(&arena);
    return fl_session_end(session, started_ns, st, err);
}

fl_status fl_session_rollback_function(fl_session *session, const char *name, int64_t version, fl_err *err)
{
    if (name == NULL)
        return fail_missing(err);
    int64_t started_ns = fl_session_begin(session);
    fl_status st = fl_session_activate_function(session, fl_str_of(name), version, err);
    return fl_session_end(session, started_ns, st, err);
}

fl_status fl_session_show_function(fl_session *session, const char *name, struct ArrowArrayStream *ret_rows,
                                   fl_err *err)
{
    fl_rows rows = {0};
    if (name == NULL)
        return fail_missing(err);
    int64_t started_ns = fl_session_begin(session);
    fl_status st = fl_session_show_versions(session, fl_str_of(name), &rows, err);
    if (st == FL_OK)
        st = fl_rows_give(session, &rows, ret_rows, err);
    fl_rows_drop(&rows);
    return fl_session_end(session, started_ns, st, err);
}
