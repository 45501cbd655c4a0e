/* What the log says becomes entries of the engine's functions; these become the registry's. */
#include "engine/function_store.h"

#include "engine/internal.h"

#include <stdio.h>

#define CODE_BYTES_MAX (64 << 20)
#define WAIT_NS 10000000000 /* for another's change to end */
#define NAME_BYTES (2 * FL_UDF_HASH_BYTES + 1)

static void name_code(const fl_udf *udf, char ret[NAME_BYTES])
{
    for (int32_t i = 0; i < FL_UDF_HASH_BYTES; i++)
        snprintf(ret + 2 * i, 3, "%02x", udf->hash[i]);
}

/* ---- code --------------------------------------------------------------------------------------------------------------- */

static fl_status read_code(const fl_function_store *store, const fl_udf *udf, char **ret, int64_t *ret_bytes,
                           fl_err *err)
{
    char name[NAME_BYTES], path[FL_UDF_PATH_BYTES], *bytes = NULL;
    uint8_t hash[FL_UDF_HASH_BYTES];
    int64_t n = 0;
    fl_status st = FL_OK;
    name_code(udf, name);
    if (snprintf(path, sizeof(path), "%s/%s", store->modules, name) >= FL_UDF_PATH_BYTES)
        return FL_FAIL(err, FL_ERR_CONFIG, "the path of its code is too long");
    FL_TRY(fl_udf_file_read(store->system, path, CODE_BYTES_MAX, &bytes, &n, err));
    FL_TRY(fl_digest_sha256((fl_str){bytes, n}, hash, err));
    if (memcmp(hash, udf->hash, sizeof(hash)) != 0)
        FL_TRY(FL_FAIL(err, FL_ERR_CORRUPT, "\"%s\" is damaged: its bytes do not have the SHA-256 that is its name",
                       path));
    *ret = bytes;
    *ret_bytes = n;
    return FL_OK;
cleanup:
    fl_free(bytes);
    return st;
}

static fl_status fetch(fl_udf_loader *loader, const fl_udf *udf, char **ret, int64_t *ret_bytes, fl_err *err)
{
    return read_code((const fl_function_store *)loader, udf, ret, ret_bytes, err);
}

fl_status fl_function_store_keep_code(fl_engine *engine, const fl_udf *udf, fl_err *err)
{
    fl_status st = FL_OK;
    fl_function_store *store = engine->function_store;
    char name[NAME_BYTES], *bytes = NULL;
    int64_t n = 0;
    name_code(udf, name);
    FL_TRY(fl_udf_folder_make(store->system, store->modules, err));
    if (read_code(store, udf, &bytes, &n, NULL) != FL_OK)
        st = fl_udf_file_write(store->system, store->modules, name, &udf->declaration.code, 1, true, err);
cleanup:
    fl_free(bytes);
    return st;
}

typedef struct sweeping {
    const fl_engine *engine;
    fl_function_store *store;
} sweeping;

static bool sweep_file(void *ctx, const char *name)
{
    const sweeping *s = ctx;
    char path[FL_UDF_PATH_BYTES], kept[NAME_BYTES];
    for (int32_t i = 0; i < s->engine->functions.n; i++) {
        name_code(s->engine->functions.items[i].udf, kept);
        if (strcmp(name, kept) == 0)
            return true;
    }
    if (snprintf(path, sizeof(path), "%s/%s", s->store->modules, name) < FL_UDF_PATH_BYTES)
        (void)fl_system_remove(s->store->system, path);
    return true;
}

void fl_function_store_sweep(fl_engine *engine)
{
    sweeping s = {engine, engine->function_store};
    if (s.store->n_damages == 0) /* else nobody knows what is needed still */
        (void)fl_system_list(s.store->system, s.store->modules, sweep_file, &s);
}

/* ---- declarations ------------------------------------------------------------------------------------------------------- */

static void add_name(fl_text *text, fl_str name)
{
    fl_text_add_char(text, '"');
    for (int64_t i = 0; i < name.len; i++) {
        if (name.data[i] == '"')
            fl_text_add_char(text, '"');
        fl_text_add_char(text, name.data[i]);
    }
    fl_text_add(text, FL_STR("\" "));
}

/* ("x" double, "t" text) RETURNS double */
static void print_signature(fl_text *text, const fl_function_declaration *d)
{
    fl_text_add_char(text, '(');
    for (int32_t i = 0; i < d->n_params; i++) {
        if (i > 0)
            fl_text_add(text, FL_STR(", "));
        if (d->params[i].name.len > 0)
            add_name(text, d->params[i].name);
        fl_type_print(text, d->params[i].type);
    }
    fl_text_add(text, FL_STR(") RETURNS "));
    fl_type_print(text, d->returns);
}

fl_status fl_function_parse_signature(fl_engine *engine, fl_arena *arena, fl_str signature,
                                      fl_function_declaration *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text text;
    fl_sql_parser parser = {0};
    fl_ast_statement *ast = NULL, *more = NULL;
    fl_sql_bound bound;
    const fl_registry *registry = fl_engine_registry(engine);
    fl_sql_env env = {.memory = &engine->memory, .registry = registry, .is_final = true};
    fl_text_init(&text, NULL);
    fl_text_add(&text, FL_STR("CREATE FUNCTION f"));
    fl_text_add(&text, signature);
    fl_text_add(&text, FL_STR(" LANGUAGE l AS ''"));
    FL_TRY(fl_text_status(&text, err));
    FL_TRY(fl_sql_parser_init(&parser, &engine->memory, fl_text_str(&text), err));
    FL_TRY(fl_sql_parser_next(&parser, arena, &ast, err));
    FL_TRY(fl_sql_parser_next(&parser, arena, &more, err));
    if (ast->kind != FL_AST_CREATE_FUNCTION || more != NULL)
        FL_TRY(FL_FAIL(err, FL_ERR_SYNTAX, "there is more than a signature"));
    FL_TRY(fl_sql_bind(&env, arena, fl_text_str(&text), ast, &bound, err));
    *ret = *bound.declaration;
    fl_sql_bound_drop(&bound);
cleanup:
    fl_sql_parser_drop(&parser);
    fl_registry_unref(registry);
    fl_text_drop(&text);
    return st;
}

/* ---- taking in what the log says ---------------------------------------------------------------------------------------- */

static fl_status make_stored(fl_engine *engine, const fl_function_declaration *d, const fl_udf_language *language,
                             const uint8_t *hash, fl_str refusal, fl_udf **ret, fl_err *err)
{
    fl_function_store *store = engine->function_store;
    return fl_udf_new_stored(language, d, hash, engine, &store->cache, engine->memory.metrics, &store->loader, refusal,
                             ret, err);
}

static fl_status take_created(fl_engine *engine, const fl_udf_record *record, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena arena;
    fl_text refusal;
    fl_err why = {0};
    fl_udf *udf = NULL;
    fl_function_declaration d = {0};
    const fl_udf_language *language = fl_engine_language(record->language);
    fl_arena_init(&arena, NULL);
    fl_text_init(&refusal, NULL);
    FL_TRY(fl_udf_store_reserve(&engine->functions, err));
    st = fl_function_parse_signature(engine, &arena, record->signature, &d, &why);
    if (st == FL_ERR_MEMORY) {
        if (err != NULL)
            *err = why;
        goto cleanup;
    }
    if (st != FL_OK) { /* of a version of fletch that knows more types */
        fl_text_addf(&refusal, "its types are not known here: %s", why.message);
        d = (fl_function_declaration){.returns = FL_TYPE(FL_NULL)};
    }
    if (language == NULL) {
        fl_text_addf(&refusal, "there is no language \"%.*s\" here", FL_STR_ARG(record->language));
        language = fl_engine_language(FL_STR("expr"));
    }
    FL_TRY(fl_text_status(&refusal, err));
    d.name = record->name;
    d.language = record->language;
    d.code = (fl_str){0};
    d.is_aggregate = record->is_aggregate;
    d.takes_nulls = record->takes_nulls;
    d.errors_are_null = record->errors_are_null;
    d.fuel = record->fuel;
    d.volatility = record->volatility;
    FL_TRY(make_stored(engine, &d, language, record->hash, fl_text_str(&refusal), &udf, err));
    udf->version = record->version;
    udf->created_us = record->created_us;
    fl_udf_store_add(&engine->functions, udf);
cleanup:
    fl_text_drop(&refusal);
    fl_arena_drop(&arena);
    return st;
}

/* Puts one that is refused in the place of a name's active version. */
static fl_status refuse(fl_engine *engine, const fl_udf *active, const fl_udf_place *place, const char *why,
                        fl_err *err)
{
    fl_status st = FL_OK;
    fl_udf *udf = NULL;
    char text[FL_UDF_PATH_BYTES + 200];
    int n = snprintf(text, sizeof(text), "record %lld of \"%s\", at byte %lld, %s: deploy it again",
                     (long long)place->number, engine->function_store->log.path, (long long)place->at, why);
    fl_function_declaration d = active->declaration;
    d.code = (fl_str){0};
    FL_TRY(fl_udf_store_reserve(&engine->functions, err));
    FL_TRY(make_stored(engine, &d, active->language, active->hash, (fl_str){text, n}, &udf, err));
    fl_udf_store_add(&engine->functions, udf); /* its version is 0: none that was deployed */
cleanup:
    return st;
}

/* A record that says nothing, for it is damaged or leads nowhere: the functions whose record it may be are refused. */
static fl_status take_damage(fl_engine *engine, const fl_udf_place *place, const char *why, fl_err *err)
{
    fl_status st = FL_OK;
    fl_function_store *store = engine->function_store;
    bool is_known = false;
    int32_t n = engine->functions.n; /* those that are refused now come behind */
    store->n_damages++;
    for (int32_t i = 0; i < n; i++) {
        const fl_udf_entry *entry = &engine->functions.items[i];
        if (!entry->is_active || entry->udf->refusal.len > 0 ||
            (place->has_name && fl_udf_log_name_hash(entry->udf->declaration.name) != place->name_hash))
            continue;
        is_known = true;
        FL_TRY(refuse(engine, entry->udf, place, why, err));
    }
    if (!place->has_name || !is_known)
        store->nameless = *place;
cleanup:
    return st;
}

static fl_status take(void *ctx, const fl_udf_record *record, const fl_udf_place *place, fl_err *err)
{
    fl_engine *engine = ctx;
    fl_udf_store *functions = &engine->functions;
    if (record == NULL)
        return take_damage(engine, place,
                           place->has_name ? "is damaged, and it is this function's"
                                           : "is damaged, and it may be this function's",
                           err);
    const fl_udf *version = fl_udf_store_version(functions, record->name, record->version);
    switch (record->change) {
    case FL_UDF_CREATED:
        return version == NULL ? take_created(engine, record, err)
                               : take_damage(engine, place, "has a version of it that there is", err);
    case FL_UDF_ACTIVATED:
        if (version == NULL) /* the record that created it is damaged */
            return take_damage(engine, place, "makes a version active that there is not", err);
        fl_udf_store_activate(functions, version);
        return FL_OK;
    default:
        fl_udf_store_remove(functions, record->name);
        return FL_OK;
    }
}

/* Makes the registry's functions those that are active. */
static fl_status put_active(void *ctx, fl_registry *registry, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = ctx;
    fl_registry_remove_user_funcs(registry);
    for (int32_t i = 0; i < engine->functions.n; i++) {
        fl_udf *udf = engine->functions.items[i].udf;
        if (!engine->functions.items[i].is_active)
            continue;
        st = fl_registry_put_user_func(registry, udf->declaration.is_aggregate ? NULL : &udf->func,
                                       udf->declaration.is_aggregate ? &udf->agg : NULL, &udf->owner, err);
        if (st == FL_ERR_DUPLICATE) /* it became a built-in function meanwhile */
            st = FL_OK;
        FL_TRY(st);
    }
cleanup:
    return st;
}

/* Of a log that is locked. */
static fl_status take_in(fl_engine *engine, fl_err *err)
{
    fl_status st = FL_OK;
    fl_function_store *store = engine->function_store;
    if (fl_udf_log_is_another(&store->log))
        fl_udf_log_rewind(&store->log);
    int64_t before = store->log.records;
    bool begins_anew = store->log.end == 0;
    bool had_any = begins_anew && engine->functions.n > 0;
    if (begins_anew) {
        fl_udf_store_drop(&engine->functions);
        store->n_damages = 0;
        store->nameless = (fl_udf_place){0};
    }
    FL_TRY(fl_udf_log_read(&store->log, take, engine, err));
    if (store->log.records != before || had_any)
        FL_TRY(fl_engine_extend(engine, put_active, engine, err));
cleanup:
    if (st != FL_OK)
        fl_udf_log_rewind(&store->log);
    return st;
}

/* A log that is not there any more is one that says nothing. */
static fl_status forget_gone(fl_engine *engine, fl_err *err)
{
    fl_file_info info;
    fl_function_store *store = engine->function_store;
    if (fl_system_look(store->system, store->log.path, true, &info) == 0)
        return FL_OK;
    fl_udf_log_rewind(&store->log);
    fl_udf_store_drop(&engine->functions);
    return fl_engine_extend(engine, put_active, engine, err);
}

/* ---- changing ----------------------------------------------------------------------------------------------------------- */

fl_status fl_function_store_begin(fl_session *session, bool makes, fl_err *err)
{
    fl_status st = FL_OK;
    bool has = false, is_there = false;
    fl_engine *engine = session->engine;
    fl_function_store *store = engine->function_store;
    FL_TRY(makes ? fl_udf_folder_make(store->system, store->folder, err)
                 : fl_udf_folder_check(store->system, store->folder, &is_there, err));
    FL_TRY(fl_udf_log_lock(&store->log, makes ? FL_UDF_LOG_MAKE : FL_UDF_LOG_CHANGE, WAIT_NS, &session->interrupt, &has,
                           err));
    st = has ? take_in(engine, err) : forget_gone(engine, err);
    if (st != FL_OK)
        fl_udf_log_unlock(&store->log);
cleanup:
    return st;
}

void fl_function_store_end(fl_engine *engine)
{
    fl_udf_log_unlock(&engine->function_store->log);
}

fl_status fl_function_store_keep(fl_engine *engine, fl_udf_change change, const fl_udf *udf, fl_err *err)
{
    fl_status st = FL_OK;
    fl_function_store *store = engine->function_store;
    const fl_function_declaration *d = &udf->declaration;
    fl_text signature;
    fl_udf_record record = {.change = change, .name = d->name};
    fl_text_init(&signature, NULL);
    if (change != FL_UDF_DROPPED)
        record.version = udf->version;
    if (change == FL_UDF_CREATED) {
        print_signature(&signature, d);
        FL_TRY(fl_text_status(&signature, err));
        FL_TRY(fl_function_store_keep_code(engine, udf, err));
        record.is_aggregate = d->is_aggregate;
        record.takes_nulls = d->takes_nulls;
        record.errors_are_null = d->errors_are_null;
        record.fuel = d->fuel;
        record.volatility = d->volatility;
        record.created_us = udf->created_us;
        record.language = fl_str_of(udf->language->name);
        record.signature = fl_text_str(&signature);
        memcpy(record.hash, udf->hash, sizeof(record.hash));
    }
    int failure = store->log.end == 0 ? fl_system_sync_folder(store->system, store->folder) : 0; /* the log's name */
    if (failure != 0)
        FL_TRY(FL_FAIL(err, FL_ERR_IO, "cannot write to \"%s\": %s", store->folder, fl_system_reason(failure)));
    st = fl_udf_log_append(&store->log, &record, err);
cleanup:
    fl_text_drop(&signature);
    return st;
}

/* ---- the engine's -------------------------------------------------------------------------------------------------------- */

static fl_status take_in_waiting(fl_engine *engine, int64_t wait_ns, fl_err *err)
{
    bool has = false;
    fl_function_store *store = engine->function_store;
    fl_status st = fl_udf_log_lock(&store->log, FL_UDF_LOG_READ, wait_ns, NULL, &has, err);
    if (!has)
        return st;
    st = take_in(engine, err);
    fl_udf_log_unlock(&store->log);
    return st;
}

void fl_function_store_look(fl_engine *engine)
{
    bool is_there;
    fl_function_store *store = engine->function_store;
    if (store == NULL || pthread_mutex_trylock(&engine->functions_lock) != 0)
        return;
    if (!fl_udf_log_is_read(&store->log) &&
        fl_udf_folder_check(store->system, store->folder, &is_there, NULL) == FL_OK &&
        take_in_waiting(engine, 0, NULL) == FL_OK)
        (void)forget_gone(engine, NULL);
    pthread_mutex_unlock(&engine->functions_lock);
}

void fl_function_store_hint(fl_engine *engine, fl_err *err)
{
    const fl_function_store *store = engine->function_store;
    if (store == NULL)
        return;
    pthread_mutex_lock(&engine->functions_lock);
    if (store->nameless.number > 0)
        fl_err_hint(err, "a function may be missing: record %lld of \"%s\", at byte %lld, is damaged",
                    (long long)store->nameless.number, store->log.path, (long long)store->nameless.at);
    pthread_mutex_unlock(&engine->functions_lock);
}

fl_status fl_function_store_check(const fl_engine *engine, const fl_udf *udf, bool is_active, fl_err *err)
{
    const fl_udf *loaded;
    char *bytes = NULL;
    int64_t n;
    if (engine->function_store == NULL)
        return FL_OK;
    if (udf->loader == NULL || is_active || udf->refusal.len > 0)
        return fl_udf_load(udf, &loaded, err);
    fl_status st = read_code(engine->function_store, udf, &bytes, &n, err);
    fl_free(bytes);
    return st;
}

fl_status fl_function_store_open(fl_engine *engine, fl_str folder, fl_err *err)
{
    fl_status st = FL_OK;
    fl_function_store *store = NULL;
    pthread_mutexattr_t recursive;
    bool is_there = false;
    while (folder.len > 1 && folder.data[folder.len - 1] == '/')
        folder.len--;
    if (folder.len > FL_TEMP_DIRECTORY_BYTES)
        return FL_FAIL(err, FL_ERR_CONFIG, "udf_dir has more than %d bytes", FL_TEMP_DIRECTORY_BYTES);
    FL_TRY(fl_alloc_zero(NULL, (int64_t)sizeof(*store), (void **)&store, err));
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&store->loader.lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    engine->function_store = store;
    store->loader.fetch = fetch;
    store->system = engine->memory.system;
    snprintf(store->folder, sizeof(store->folder), "%.*s", FL_STR_ARG(folder));
    snprintf(store->modules, sizeof(store->modules), "%.*s/modules", FL_STR_ARG(folder));
    FL_TRY(fl_udf_log_init(&store->log, store->system, store->folder, err));
    FL_TRY(fl_udf_folder_check(store->system, store->folder, &is_there, err));
    FL_TRY(fl_code_cache_init(&store->cache, store->system, store->folder, err));
    if (is_there)
        st = take_in_waiting(engine, WAIT_NS, err);
cleanup:
    return st;
}

void fl_function_store_free(fl_function_store *store)
{
    if (store == NULL)
        return;
    FL_ASSERT(store->log.fd < 0);
    pthread_mutex_destroy(&store->loader.lock);
    fl_free(store);
}
