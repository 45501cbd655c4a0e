/* The catalog: named tables and views of the engine, and files as tables. Names match case-insensitively. */
#include "engine/system_tables.h"
#include "engine/file_functions.h"
#include "format/united_files.h"

#include "base/file.h"
#include "base/file_glob.h"
#include "base/name_map.h"
#include "base/nearest.h"
#include "base/system.h"
#include "store/range_table.h"

#include <stdio.h>
#include <stdlib.h>

fl_catalog_item *fl_engine_item(fl_engine *engine, fl_str name)
{
    uint64_t hash = fl_name_hash(name);
    for (int32_t i = 0; i < engine->n_items; i++)
        if (engine->items[i].name_hash == hash && fl_str_is_equal_nocase(fl_str_of(engine->items[i].name), name))
            return &engine->items[i];
    return NULL;
}

static void drop_item(fl_catalog_item *item)
{
    fl_free(item->name);
    fl_free(item->view_text);
    fl_free(item->view_database);
    fl_free(item->view_schema);
    for (int32_t i = 0; i < item->n_view_cols; i++)
        fl_free((void *)(uintptr_t)item->view_cols[i].data);
    fl_free(item->view_cols);
    fl_free(item->comment);
    fl_named_comments_free(item->comments);
    fl_key_index_free(item->index);
    fl_table_unref(item->table);
}

/* Puts an item under its name; takes it over in any case. */
static fl_status put(fl_engine *engine, fl_catalog_item *item, bool replaces, fl_err *err)
{
    fl_status st = FL_OK;
    pthread_mutex_lock(&engine->lock);
    fl_catalog_item *known = fl_engine_item(engine, fl_str_of(item->name));
    if (known != NULL && !replaces)
        st = FL_FAIL(err, FL_ERR_DUPLICATE, "%s \"%s\" exists already", known->table != NULL ? "table" : "view",
                     known->name);
    else if (known != NULL && (known->table == NULL) != (item->table == NULL)) {
        st = FL_FAIL(err, FL_ERR_TABLE, "\"%s\" is a %s", known->name, known->table != NULL ? "table" : "view");
        fl_err_state(err, "42809", st);
    } else if (known != NULL) {
        drop_item(known);
        *known = *item;
    } else {
        st = fl_grow(NULL, (void **)&engine->items, &engine->items_capacity, engine->n_items + 1,
                     (int64_t)sizeof(*item), err);
        if (st == FL_OK)
            engine->items[engine->n_items++] = *item;
    }
    pthread_mutex_unlock(&engine->lock);
    if (st != FL_OK) {
        fl_table *table = item->table;
        item->table = NULL; /* the caller's again */
        item->index = NULL;
        drop_item(item);
        item->table = table;
    }
    return st;
}

fl_status fl_engine_put_table(fl_engine *engine, fl_str name, fl_table *table, fl_key_index *index, bool replaces,
                              fl_err *err)
{
    fl_catalog_item item = {.name_hash = fl_name_hash(name), .table = table, .index = index};
    fl_status st = fl_copy_name(name, &item.name, err);
    return st != FL_OK ? st : put(engine, &item, replaces, err);
}

fl_status fl_engine_put_view(fl_engine *engine, fl_str name, const fl_catalog_entry *view, bool replaces, fl_err *err)
{
    fl_status st = FL_OK;
    fl_catalog_item item = {.name_hash = fl_name_hash(name)};
    FL_TRY(fl_copy_name(name, &item.name, err));
    FL_TRY(fl_copy_name(view->view_text, &item.view_text, err));
    FL_TRY(fl_copy_name(view->database, &item.view_database, err));
    FL_TRY(fl_copy_name(view->schema, &item.view_schema, err));
    if (view->n_view_cols > 0)
        FL_TRY(fl_alloc_zero(NULL, view->n_view_cols * (int64_t)sizeof(fl_str), (void **)&item.view_cols, err));
    for (; item.n_view_cols < view->n_view_cols; item.n_view_cols++) {
        char *copy = NULL;
        FL_TRY(fl_copy_name(view->view_cols[item.n_view_cols], &copy, err));
        item.view_cols[item.n_view_cols] = (fl_str){copy, view->view_cols[item.n_view_cols].len};
    }
    return put(engine, &item, replaces, err);
cleanup:
    drop_item(&item);
    return st;
}

void fl_engine_replace_tables(fl_engine *engine, fl_table_version *versions, int32_t n)
{
    pthread_mutex_lock(&engine->lock);
    for (int32_t i = 0; i < n; i++) {
        fl_catalog_item *item = fl_engine_item(engine, versions[i].name);
        FL_ASSERT(item != NULL && item->table != NULL); /* who changes tables has the turn */
        fl_table *old = item->table;
        fl_key_index *index = item->index;
        item->table = versions[i].table;
        item->index = versions[i].index;
        versions[i].table = old; /* goes when the lock is given back */
        versions[i].index = index;
    }
    pthread_mutex_unlock(&engine->lock);
    for (int32_t i = 0; i < n; i++) {
        fl_key_index_free(versions[i].index);
        fl_table_unref(versions[i].table);
        versions[i] = (fl_table_version){0};
    }
}

/* The table's name, where it can be written without memory. */
void fl_engine_set_temporary(fl_engine *engine, fl_str name, bool is_temporary)
{
    pthread_mutex_lock(&engine->lock);
    fl_catalog_item *item = fl_engine_item(engine, name);
    if (item != NULL)
        item->is_temporary = is_temporary;
    pthread_mutex_unlock(&engine->lock);
}

bool fl_engine_is_temporary(fl_engine *engine, fl_str name)
{
    pthread_mutex_lock(&engine->lock);
    const fl_catalog_item *item = fl_engine_item(engine, name);
    bool is = item != NULL && item->is_temporary;
    pthread_mutex_unlock(&engine->lock);
    return is;
}

static void rename_owner(char **name, fl_str old, const char *new_name)
{
    if (*name == NULL || !fl_str_is_equal_nocase(fl_str_of(*name), old))
        return;
    char *copy = NULL;
    if (fl_copy_name(fl_str_of(new_name), &copy, NULL) != FL_OK)
        return; /* it goes with the table no more */
    fl_free(*name);
    *name = copy;
}

void fl_engine_rename(fl_engine *engine, fl_str name, char *new_name)
{
    pthread_mutex_lock(&engine->lock);
    fl_catalog_item *item = fl_engine_item(engine, name);
    FL_ASSERT(item != NULL && fl_engine_item(engine, fl_str_of(new_name)) == NULL);
    for (fl_plain_index *index = engine->plain_indexes; index != NULL; index = index->next)
        rename_owner(&index->table_name, name, new_name);
    for (fl_sequence *sequence = engine->sequences; sequence != NULL; sequence = sequence->next)
        rename_owner(&sequence->table_name, name, new_name);
    char *old = item->name;
    item->name = new_name;
    item->name_hash = fl_name_hash(fl_str_of(new_name));
    pthread_mutex_unlock(&engine->lock);
    fl_free(old);
}

fl_table *fl_engine_table(fl_engine *engine, fl_str name)
{
    pthread_mutex_lock(&engine->lock);
    const fl_catalog_item *item = fl_engine_item(engine, name);
    fl_table *table = item == NULL || item->table == NULL ? NULL : fl_table_ref(item->table);
    pthread_mutex_unlock(&engine->lock);
    return table;
}

fl_key_index *fl_engine_take_key_index(fl_engine *engine, fl_str name)
{
    fl_key_index *index = NULL;
    pthread_mutex_lock(&engine->lock);
    fl_catalog_item *item = fl_engine_item(engine, name);
    if (item != NULL) {
        index = item->index;
        item->index = NULL;
    }
    pthread_mutex_unlock(&engine->lock);
    return index;
}

void fl_engine_give_key_index(fl_engine *engine, fl_str name, fl_key_index *index)
{
    pthread_mutex_lock(&engine->lock);
    fl_catalog_item *item = fl_engine_item(engine, name);
    bool is_taken = item != NULL && item->table != NULL && item->index == NULL &&
                    fl_key_index_version(index) == item->table->version;
    if (is_taken)
        item->index = index;
    pthread_mutex_unlock(&engine->lock);
    if (!is_taken)
        fl_key_index_free(index);
}

/* ---- indexes that are no keys -------------------------------------------------------------------------------------- */

static void free_plain_index(fl_plain_index *index)
{
    fl_free(index->name);
    fl_free(index->table_name);
    fl_free(index->comment);
    fl_free(index);
}

/* Where the index of the name is linked in; behind the last where there is none. The lock is held. */
static fl_plain_index **look_up_plain(fl_engine *engine, fl_str name)
{
    fl_plain_index **at = &engine->plain_indexes;
    while (*at != NULL && !fl_str_is_equal_nocase(fl_str_of((*at)->name), name))
        at = &(*at)->next;
    return at;
}

fl_status fl_engine_add_plain_index(fl_engine *engine, fl_str name, fl_str table_name, bool if_not_exists, int32_t pos,
                                    fl_err *err)
{
    fl_status st = FL_OK;
    fl_plain_index *index = NULL;
    if (name.len == 0)
        return FL_OK;
    FL_TRY(fl_alloc_zero(NULL, (int64_t)sizeof(*index), (void **)&index, err));
    FL_TRY(fl_copy_name(name, &index->name, err));
    FL_TRY(fl_copy_name(table_name, &index->table_name, err));
    pthread_mutex_lock(&engine->lock);
    fl_plain_index **at = look_up_plain(engine, name);
    bool is_known = *at != NULL;
    if (!is_known) {
        *at = index;
        index = NULL;
    }
    pthread_mutex_unlock(&engine->lock);
    if (is_known && !if_not_exists) {
        st = FL_FAIL(err, FL_ERR_DUPLICATE, "index \"%.*s\" exists already", FL_STR_ARG(name));
        fl_err_at(err, pos);
    }
cleanup:
    if (index != NULL)
        free_plain_index(index);
    return st;
}

bool fl_engine_drop_plain_index(fl_engine *engine, fl_str name)
{
    pthread_mutex_lock(&engine->lock);
    fl_plain_index **at = look_up_plain(engine, name), *index = *at;
    if (index != NULL) {
        *at = index->next;
        free_plain_index(index);
    }
    pthread_mutex_unlock(&engine->lock);
    return index != NULL;
}

/* The lock is held. */
static void forget_plain_indexes(fl_engine *engine, fl_str table_name)
{
    for (fl_plain_index **at = &engine->plain_indexes; *at != NULL;) {
        fl_plain_index *index = *at;
        if (!fl_str_is_equal_nocase(fl_str_of(index->table_name), table_name)) {
            at = &index->next;
            continue;
        }
        *at = index->next;
        free_plain_index(index);
    }
}

void fl_engine_forget_plain_indexes(fl_engine *engine, fl_str table_name)
{
    pthread_mutex_lock(&engine->lock);
    forget_plain_indexes(engine, table_name);
    pthread_mutex_unlock(&engine->lock);
}

void fl_engine_hint_index(fl_engine *engine, fl_nearest *near, fl_err *err)
{
    pthread_mutex_lock(&engine->lock);
    for (const fl_plain_index *index = engine->plain_indexes; index != NULL; index = index->next)
        fl_nearest_offer(near, fl_str_of(index->name));
    fl_nearest_hint(near, err);
    pthread_mutex_unlock(&engine->lock);
}

/* ---- names --------------------------------------------------------------------------------------------------------- */

int fl_engine_has(fl_engine *engine, fl_str name)
{
    pthread_mutex_lock(&engine->lock);
    const fl_catalog_item *item = fl_engine_item(engine, name);
    int kind = item == NULL ? 0 : item->table != NULL ? 1 : 2;
    pthread_mutex_unlock(&engine->lock);
    return kind;
}

bool fl_engine_knows(fl_engine *engine, fl_str name)
{
    if (fl_engine_has(engine, name) != 0 || fl_engine_has_sequence(engine, name) ||
        fl_engine_has_macro(engine, name, FL_MACRO_VALUE) || fl_engine_has_macro(engine, name, FL_MACRO_TABLE) ||
        fl_engine_has_macro(engine, name, FL_MACRO_TYPE))
        return true;
    pthread_mutex_lock(&engine->lock);
    bool knows = *look_up_plain(engine, name) != NULL;
    pthread_mutex_unlock(&engine->lock);
    return knows;
}

#define HINTED_FILES 3

/* Files in a folder that a format reads: first those whose names begin as what was looked for, then the first of the alphabet. */
typedef struct file_names {
    const fl_registry *registry;
    fl_str wanted;
    char names[HINTED_FILES][FL_ERR_HINT_MAX / (2 * HINTED_FILES)];
    int n;
} file_names;

static bool is_alike(const file_names *files, const char *name)
{
    fl_str start = {name, (int64_t)strlen(name)};
    start.len = start.len < files->wanted.len ? start.len : files->wanted.len;
    return fl_str_is_equal_nocase(start, files->wanted);
}

static bool add_file_name(void *ctx, const char *name)
{
    file_names *files = ctx;
    if (fl_registry_format_of_path(files->registry, fl_str_of(name)) == NULL || strlen(name) >= sizeof(files->names[0]))
        return true;
    int at = files->n;
    for (; at > 0; at--) {
        int likelier = (int)is_alike(files, name) - (int)is_alike(files, files->names[at - 1]);
        if (likelier < 0 || (likelier == 0 && strcmp(name, files->names[at - 1]) > 0))
            break;
        if (at < HINTED_FILES)
            memcpy(files->names[at], files->names[at - 1], sizeof(files->names[0]));
    }
    if (at < HINTED_FILES)
        memcpy(files->names[at], name, strlen(name) + 1);
    files->n += files->n < HINTED_FILES;
    return true;
}

static fl_status fail_missing(fl_engine *engine, fl_str name, const char *kind, int32_t pos, fl_err *err)
{
    fl_nearest near;
    fl_status st = FL_FAIL(err, FL_ERR_TABLE, "%s \"%.*s\" does not exist", kind, FL_STR_ARG(name));
    fl_nearest_init(&near, name);
    for (int32_t i = 0; i < engine->n_items; i++)
        fl_nearest_offer(&near, fl_str_of(engine->items[i].name));
    if (engine->n_items > 0) {
        bool is_one = engine->n_items == 1;
        fl_nearest_hint(&near, err);
        fl_err_hint_add(err,
                        is_one ? "there is %d table or view: SHOW TABLES lists it"
                               : "there are %d tables and views: SHOW TABLES lists them",
                        engine->n_items);
    } else { /* nothing in the catalog: perhaps a file was meant */
        file_names files = {.registry = engine->registry, .wanted = name};
        (void)fl_system_list(engine->memory.system, ".", add_file_name, &files);
        char list[FL_ERR_HINT_MAX] = "";
        for (int i = 0; i < files.n; i++)
            (void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s'%s'", i > 0 ? ", " : "",
                           files.names[i]);
        if (files.n > 0)
            fl_err_hint(err, "there are no tables; files here: %s", list);
        else
            fl_err_hint(err, "there are no tables yet: CREATE TABLE makes one, FROM 'file.parquet' reads a file");
    }
    fl_err_at(err, pos);
    return st;
}

/* Whether it can be dropped; *ret NULL: there is none, which is as well. The lock is held. */
static fl_status find_dropped(fl_engine *engine, fl_str name, bool wants_view, bool if_exists, int32_t pos,
                              fl_catalog_item **ret, fl_err *err)
{
    fl_catalog_item *item = *ret = fl_engine_item(engine, name);
    if (item == NULL)
        return if_exists ? FL_OK : fail_missing(engine, name, wants_view ? "view" : "table", pos, err);
    if ((item->table == NULL) == wants_view)
        return FL_OK;
    fl_status st = FL_FAIL(err, FL_ERR_TABLE, "\"%s\" is a %s", item->name, item->table != NULL ? "table" : "view");
    fl_err_state(err, "42809", st);
    fl_err_hint(err, "DROP %s removes it", item->table != NULL ? "TABLE" : "VIEW");
    fl_err_at(err, pos);
    return st;
}

fl_status fl_engine_check_drop(fl_engine *engine, fl_str name, bool wants_view, bool if_exists, int32_t pos,
                               fl_err *err)
{
    fl_catalog_item *item;
    pthread_mutex_lock(&engine->lock);
    fl_status st = find_dropped(engine, name, wants_view, if_exists, pos, &item, err);
    pthread_mutex_unlock(&engine->lock);
    return st;
}

fl_status fl_engine_drop(fl_engine *engine, fl_str name, bool wants_view, bool if_exists, int32_t pos, fl_err *err)
{
    fl_catalog_item *item;
    pthread_mutex_lock(&engine->lock);
    fl_status st = find_dropped(engine, name, wants_view, if_exists, pos, &item, err);
    if (st == FL_OK && item != NULL) {
        forget_plain_indexes(engine, fl_str_of(item->name));
        fl_engine_forget_sequences(engine, fl_str_of(item->name));
        drop_item(item);
        *item = engine->items[--engine->n_items];
    }
    pthread_mutex_unlock(&engine->lock);
    return st;
}

static int compare_names(const void *a, const void *b)
{
    return fl_str_compare(*(const fl_str *)a, *(const fl_str *)b);
}

fl_status fl_engine_names(fl_engine *engine, fl_arena *arena, fl_str **ret, int32_t *ret_n, fl_err *err)
{
    pthread_mutex_lock(&engine->lock);
    *ret_n = engine->n_items;
    fl_status st = FL_NEW_ARRAY(arena, engine->n_items + 1, ret, err);
    for (int32_t i = 0; i < engine->n_items && st == FL_OK; i++)
        st = fl_arena_copy_str(arena, fl_str_of(engine->items[i].name), &(*ret)[i], err);
    pthread_mutex_unlock(&engine->lock);
    if (st == FL_OK)
        qsort(*ret, (size_t)*ret_n, sizeof(**ret), compare_names);
    return st;
}

void fl_engine_clear(fl_engine *engine)
{
    for (int32_t i = 0; i < engine->n_items; i++)
        drop_item(&engine->items[i]);
    while (engine->plain_indexes != NULL) {
        fl_plain_index *next = engine->plain_indexes->next;
        free_plain_index(engine->plain_indexes);
        engine->plain_indexes = next;
    }
    while (engine->sequences != NULL) {
        fl_sequence *next = engine->sequences->next;
        fl_sequence_free(engine->sequences);
        engine->sequences = next;
    }
    while (engine->macros != NULL) {
        fl_macro *next = engine->macros->next;
        fl_macro_free(engine->macros);
        engine->macros = next;
    }
    while (engine->databases != NULL) {
        fl_database *next = engine->databases->next;
        fl_database_free(engine->databases);
        engine->databases = next;
    }
    while (engine->schemas != NULL) {
        fl_schema *next = engine->schemas->next;
        fl_schema_free(engine->schemas);
        engine->schemas = next;
    }
    fl_free(engine->main_comment);
    engine->main_comment = NULL;
    fl_free(engine->items);
    engine->items = NULL;
    engine->n_items = 0;
    engine->items_capacity = 0;
}

/* ---- as frontends see it ------------------------------------------------------------------------------------------ */

static fl_status find(fl_catalog *base, fl_str name, fl_catalog_entry *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_session_catalog *catalog = (fl_session_catalog *)base;
    fl_engine *engine = catalog->session->engine;
    *ret = (fl_catalog_entry){0};
    pthread_mutex_lock(&engine->lock);
    const fl_catalog_item *item = fl_engine_item(engine, name);
    if (item == NULL) {
        pthread_mutex_unlock(&engine->lock);
        st = fl_system_table_find(catalog->session, name, &ret->table, err);
        if (st != FL_OK || ret->table != NULL)
            return st;
        pthread_mutex_lock(&engine->lock);
        st = fail_missing(engine, name, "table", -1, err);
    } else if (item->table != NULL) {
        ret->table = fl_table_ref(item->table);
    } else {
        fl_str *cols = NULL;
        FL_TRY(fl_arena_copy_str(catalog->arena, fl_str_of(item->view_text), &ret->view_text, err));
        FL_TRY(fl_arena_copy_str(catalog->arena, fl_str_of(item->view_database), &ret->database, err));
        FL_TRY(fl_arena_copy_str(catalog->arena, fl_str_of(item->view_schema), &ret->schema, err));
        FL_TRY(FL_NEW_ARRAY(catalog->arena, item->n_view_cols + 1, &cols, err));
        for (int32_t i = 0; i < item->n_view_cols; i++)
            FL_TRY(fl_arena_copy_str(catalog->arena, item->view_cols[i], &cols[i], err));
        ret->view_cols = item->n_view_cols > 0 ? cols : NULL;
        ret->n_view_cols = item->n_view_cols;
    }
cleanup:
    pthread_mutex_unlock(&engine->lock);
    return st;
}

static fl_status open_range(fl_session *session, fl_str function, const fl_value *args, int32_t n_args, fl_table **ret,
                            fl_err *err)
{
    fl_status st = FL_OK;
    bool is_closed = fl_str_is_equal_nocase(function, FL_STR("generate_series"));
    int64_t n[3] = {0, 0, 1};
    if (n_args < 1 || n_args > 3 || (is_closed && n_args < 2)) {
        st = FL_FAIL(err, FL_ERR_FUNCTION, "%.*s takes %s", FL_STR_ARG(function),
                     is_closed ? "start, stop and optionally a step" : "[start,] stop [, step]");
        goto cleanup;
    }
    for (int32_t i = 0; i < n_args; i++) {
        fl_value value;
        if (!fl_type_is_integer(args[i].type) && args[i].type.id != FL_DECIMAL && args[i].type.id != FL_NULL) {
            st = FL_FAIL(err, FL_ERR_FUNCTION, "%.*s takes integers, not %s", FL_STR_ARG(function),
                         FL_TYPE_NAME(args[i].type));
            goto cleanup;
        }
        FL_TRY(fl_value_cast(&args[i], FL_TYPE(FL_I64), &value, err));
        if (value.is_null) { /* no rows, as PostgreSQL */
            n[0] = n[1] = 0;
            is_closed = false;
            break;
        }
        n[n_args == 1 ? 1 : i] = value.i;
    }
    st = fl_range_table_new(&session->statement_memory, is_closed ? FL_STR("generate_series") : FL_STR("range"), n[0],
                            n[1], n[2], is_closed, ret, err);
cleanup:
    return st;
}

typedef struct file_opener {
    fl_session *session;
    const fl_format_desc *format;
} file_opener;

static fl_status open_file(void *ctx, fl_str path, const fl_option *options, int32_t n_options, fl_table **ret,
                           fl_err *err)
{
    const file_opener *opener = ctx;
    fl_session *session = opener->session;
    return fl_files_cache_open(session->engine->files, &session->files, opener->format, &session->statement_memory,
                               &path, 1, options, n_options, ret, err);
}

/* Files one after the other are the reader's own table; those that are put together in another way are one of their tables. */
static fl_status open_table(fl_session_catalog *catalog, const fl_format_desc *format, const fl_str *paths, int64_t n,
                            const fl_option *options, int32_t n_options, fl_table **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_session *session = catalog->session;
    file_opener ctx = {session, format};
    fl_united_opener opener = {
        .ctx = &ctx, .open = open_file, .types_option = format->types_option, .has_all_types = format->has_all_types};
    fl_united_wishes wishes;
    fl_option *own = NULL;
    bool is_united = false;
    FL_TRY(FL_NEW_ARRAY(catalog->arena, n_options + 1, &own, err));
    if (n_options > 0)
        memcpy(own, options, (size_t)n_options * sizeof(*own));
    FL_TRY(fl_parquet_keys_resolve(session, catalog->arena, own, n_options, err));
    FL_TRY(
        fl_united_wishes_take(format->function, catalog->arena, own, &n_options, paths, n, &wishes, &is_united, err));
    if (is_united)
        return fl_united_files_open(&session->statement_memory, paths, n, &wishes, own, n_options, &opener, ret, err);
    fl_err fault = {0};
    st = fl_files_cache_open(session->engine->files, &session->files, format, &session->statement_memory, paths, n, own,
                             n_options, ret, &fault);
    /* types that differ from file to file meet where each file is a table of its own */
    if (st == FL_ERR_TYPE && strcmp(fault.sqlstate, "42804") == 0 && n > 1)
        return fl_united_files_open(&session->statement_memory, paths, n, &wishes, own, n_options, &opener, ret, err);
    if (st != FL_OK && err != NULL)
        *err = fault;
    return st;
cleanup:
    return st;
}

static fl_status open_files(fl_session_catalog *catalog, const fl_format_desc *format, const fl_value *paths,
                            int64_t n_paths, const fl_option *options, int32_t n_options, fl_table **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str *all = NULL;
    int64_t n = 0, capacity = 0;
    for (int64_t i = 0; i < n_paths; i++) {
        fl_str *found = NULL;
        int64_t n_found = 0;
        if (paths[i].is_null || paths[i].type.id != FL_UTF8) {
            st = FL_FAIL(err, FL_ERR_TYPE, "a file name must be text, not %s", FL_TYPE_NAME(paths[i].type));
            goto cleanup;
        }
        FL_TRY(fl_file_glob(catalog->arena, paths[i].s, &found, &n_found, err));
        FL_TRY(fl_grow(NULL, (void **)&all, &capacity, n + n_found, (int64_t)sizeof(fl_str), err));
        memcpy(all + n, found, (size_t)n_found * sizeof(fl_str));
        n += n_found;
    }
    if (format == NULL && n > 0)
        format = fl_registry_format_of_path(catalog->session->registry, all[0]);
    if (n == 0) {
        st = FL_FAIL(err, FL_ERR_TABLE, "no file was named");
        goto cleanup;
    }
    if (format == NULL) {
        fl_file *file = NULL; /* a missing file is the better message */
        FL_TRY(fl_file_open(catalog->session->statement_memory.system, all[0], &file, err));
        fl_file_unref(file);
        st = FL_FAIL(err, FL_ERR_TABLE, "the ending of \"%.*s\" names no format", FL_STR_ARG(all[0]));
        fl_err_hint(err, "say which: read_parquet('…'), read_csv('…'), read_json('…')");
        goto cleanup;
    }
    FL_TRY(open_table(catalog, format, all, n, options, n_options, ret, err));
    fl_session *session = catalog->session;
    if ((*ret)->note.len > 0)
        fl_session_add_note(session, (*ret)->name, (*ret)->note);
cleanup:
    fl_free(all);
    return st;
}

static bool find_macro(fl_catalog *base, fl_str key, fl_macro_kind kind, fl_catalog_macro *ret)
{
    fl_session_catalog *catalog = (fl_session_catalog *)base;
    return fl_engine_find_macro(catalog->session->engine, key, kind, catalog->arena, ret);
}

static void offer_macros(fl_catalog *base, fl_macro_kind kind, fl_nearest *near)
{
    fl_engine_offer_macros(((fl_session_catalog *)base)->session->engine, kind, near);
}

static fl_status open(fl_catalog *base, fl_str function, const fl_value *args, int32_t n_args, const fl_option *options,
                      int32_t n_options, fl_table **ret, fl_err *err)
{
    fl_session_catalog *catalog = (fl_session_catalog *)base;
    const fl_registry *registry = catalog->session->registry;
    const fl_format_desc *format = NULL;
    if (fl_str_is_equal_nocase(function, FL_STR("range")) ||
        fl_str_is_equal_nocase(function, FL_STR("generate_series"))) {
        if (n_options > 0) {
            fl_status st = FL_FAIL(err, FL_ERR_FUNCTION, "%.*s has no option \"%.*s\"", FL_STR_ARG(function),
                                   FL_STR_ARG(options[0].name));
            fl_err_at(err, options[0].pos);
            return st;
        }
        return open_range(catalog->session, function, args, n_args, ret, err);
    }
    if (fl_str_is_equal_nocase(function, FL_STR("pragma_add_parquet_key"))) {
        fl_status st = fl_parquet_key_add(catalog->session, args, n_args, err);
        return st != FL_OK
                   ? st
                   : fl_range_table_new(&catalog->session->statement_memory, function, 0, 0, 1, false, ret, err);
    }
    if (function.len > 0) {
        fl_status st = fl_system_table_call(catalog->session, function, args, n_args, ret, err);
        if (st == FL_OK && *ret == NULL) {
            st = fl_file_function_call(catalog->session, function, args, n_args, options, n_options, ret, err);
            if (st != FL_OK || *ret != NULL)
                return st;
        }
        if (st == FL_OK && *ret != NULL && n_options > 0) {
            fl_table_unref(*ret);
            *ret = NULL;
            st = FL_FAIL(err, FL_ERR_FUNCTION, "%.*s has no option \"%.*s\"", FL_STR_ARG(function),
                         FL_STR_ARG(options[0].name));
            fl_err_at(err, options[0].pos);
        }
        if (st != FL_OK || *ret != NULL)
            return st;
    }
    if (function.len > 0 && (format = fl_registry_format_of_function(registry, function)) == NULL) {
        fl_nearest near;
        int32_t n = 0;
        const fl_format_desc *const *formats = fl_registry_formats(registry, &n);
        fl_status st = FL_FAIL(err, FL_ERR_FUNCTION, "table function %.*s does not exist", FL_STR_ARG(function));
        fl_nearest_init(&near, function);
        for (int32_t i = 0; i < n; i++)
            fl_nearest_offer(&near, fl_str_of(formats[i]->function));
        fl_system_table_offer(&near);
        offer_macros(base, FL_MACRO_TABLE, &near);
        fl_file_functions_offer(&near);
        fl_nearest_offer(&near, FL_STR("range"));
        fl_nearest_offer(&near, FL_STR("generate_series"));
        fl_nearest_hint(&near, err);
        return st;
    }
    if (n_args != 1)
        return FL_FAIL(err, FL_ERR_FUNCTION, "%.*s takes a file name, a pattern or a list of names",
                       FL_STR_ARG(function));
    if (args[0].type.id == FL_LIST)
        return open_files(catalog, format, args[0].list.items, args[0].list.n, options, n_options, ret, err);
    return open_files(catalog, format, args, 1, options, n_options, ret, err);
}

static fl_status qualify(fl_catalog *base, const fl_str *parts, int32_t n, bool is_new, fl_arena *arena, fl_str *ret,
                         fl_err *err)
{
    fl_session *session = ((fl_session_catalog *)base)->session;
    return fl_session_qualify(session, base->database, base->schema, parts, n, is_new, arena, ret, err);
}

void fl_session_catalog_init(fl_session_catalog *catalog, fl_session *session, fl_arena *arena)
{
    *catalog = (fl_session_catalog){.base = {.database = session->home->database,
                                             .schema = session->home->schema,
                                             .qualify = qualify,
                                             .find = find,
                                             .open = open,
                                             .find_macro = find_macro,
                                             .offer_macros = offer_macros},
                                    .session = session,
                                    .arena = arena};
}
