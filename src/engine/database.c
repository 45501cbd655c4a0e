/* Databases: ATTACH, DETACH and USE, and what a name means that a session writes. There is always the one called "fletch"; others live in
 * memory beside it, and end with the engine as it does. */
#include "engine/change.h"
#include "engine/system_tables.h"

#include "base/nearest.h"

#include <stdlib.h>

fl_status fl_copy_name(fl_str name, char **ret, fl_err *err)
{
    fl_status st = fl_alloc_zero(NULL, name.len + 1, (void **)ret, err);
    if (st == FL_OK && name.len > 0)
        memcpy(*ret, name.data, (size_t)name.len);
    return st;
}

/* The engine's lock is held. */
static fl_database **look_up(fl_engine *engine, fl_str name)
{
    fl_database **at = &engine->databases;
    while (*at != NULL && !fl_str_is_equal_nocase(fl_str_of((*at)->name), name))
        at = &(*at)->next;
    return at;
}

bool fl_engine_has_database(fl_engine *engine, fl_str name)
{
    if (fl_str_is_equal_nocase(name, FL_MAIN_DATABASE))
        return true;
    pthread_mutex_lock(&engine->lock);
    bool has = *look_up(engine, name) != NULL;
    pthread_mutex_unlock(&engine->lock);
    return has;
}

void fl_database_free(fl_database *database)
{
    if (database != NULL) {
        fl_free(database->name);
        fl_free(database->main_comment);
    }
    fl_free(database);
}

fl_status fl_engine_fail_database(fl_engine *engine, fl_str name, fl_err *err)
{
    fl_nearest near;
    fl_status st = FL_FAIL(err, FL_ERR_TABLE, "there is no database \"%.*s\"", FL_STR_ARG(name));
    fl_nearest_init(&near, name);
    fl_nearest_offer(&near, FL_MAIN_DATABASE);
    pthread_mutex_lock(&engine->lock);
    for (const fl_database *d = engine->databases; d != NULL; d = d->next)
        fl_nearest_offer(&near, fl_str_of(d->name));
    fl_nearest_hint(&near, err);
    pthread_mutex_unlock(&engine->lock);
    return fl_err_state(err, "3D000", st);
}

static fl_status fail_schema(fl_engine *engine, fl_str database, fl_str name, fl_err *err)
{
    fl_nearest near;
    fl_status st = FL_FAIL(err, FL_ERR_TABLE, "there is no schema \"%.*s\"", FL_STR_ARG(name));
    fl_nearest_init(&near, name);
    pthread_mutex_lock(&engine->lock);
    for (const fl_schema *s = engine->schemas; s != NULL; s = s->next)
        if (fl_str_is_equal_nocase(fl_str_of(s->database), database))
            fl_nearest_offer(&near, fl_str_of(s->name));
    for (const fl_database *d = engine->databases; d != NULL; d = d->next)
        fl_nearest_offer(&near, fl_str_of(d->name));
    fl_nearest_hint(&near, err);
    pthread_mutex_unlock(&engine->lock);
    return fl_err_state(err, "3F000", st);
}

static int compare_names(const void *a, const void *b)
{
    return fl_str_compare(*(const fl_str *)a, *(const fl_str *)b);
}

fl_status fl_engine_databases(fl_engine *engine, fl_arena *arena, fl_str **ret, int32_t *ret_n, fl_err *err)
{
    int32_t n = 1;
    pthread_mutex_lock(&engine->lock);
    for (const fl_database *d = engine->databases; d != NULL; d = d->next)
        n++;
    fl_status st = FL_NEW_ARRAY(arena, n, ret, err);
    if (st == FL_OK)
        (*ret)[0] = FL_MAIN_DATABASE;
    n = 1;
    for (const fl_database *d = engine->databases; d != NULL && st == FL_OK; d = d->next)
        st = fl_arena_copy_str(arena, fl_str_of(d->name), &(*ret)[n++], err);
    pthread_mutex_unlock(&engine->lock);
    if (st == FL_OK)
        qsort(*ret, (size_t)n, sizeof(**ret), compare_names);
    *ret_n = n;
    return st;
}

/* ---- what names mean ----------------------------------------------------------------------------------------------- */

/* The database and schema in front of a name. `s.t` is in a schema of the session's database, or in the main one of a database. */
static fl_status find_place(fl_engine *engine, fl_str home, const fl_str *parts, int32_t n, fl_full_name *ret,
                            fl_err *err)
{
    fl_str first = parts[0];
    bool is_schema = fl_engine_has_schema(engine, home, first) || fl_system_has_schema(first);
    bool is_database = fl_engine_has_database(engine, first);
    if (n == 2 && is_schema && is_database) {
        fl_status st = FL_FAIL(err, FL_ERR_AMBIGUOUS, "\"%.*s\" is a schema and a database", FL_STR_ARG(first));
        fl_err_hint(err, "write %.*s.main.%.*s or %.*s.%.*s.%.*s", FL_STR_ARG(first), FL_STR_ARG(parts[1]),
                    FL_STR_ARG(home), FL_STR_ARG(first), FL_STR_ARG(parts[1]));
        return st;
    }
    *ret = (fl_full_name){.database = n == 2 && !is_database ? home : first,
                          .schema = n == 3        ? parts[1]
                                    : is_database ? FL_MAIN_SCHEMA
                                                  : first,
                          .name = parts[n - 1]};
    if (n == 3 && !is_database)
        return fl_engine_fail_database(engine, first, err);
    if (fl_system_has_schema(ret->schema)) /* which tells of all databases */
        ret->database = FL_MAIN_DATABASE;
    else if (!fl_engine_has_schema(engine, ret->database, ret->schema))
        return fail_schema(engine, ret->database, ret->schema, err);
    return FL_OK;
}

fl_status fl_session_qualify(fl_session *session, fl_str database, fl_str schema, const fl_str *parts, int32_t n,
                             bool is_new, fl_arena *arena, fl_str *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    fl_full_name name = {database, schema, parts[n - 1]};
    if (n > FL_NAME_PARTS_MAX)
        return fl_err_state(
            err, "42601",
            FL_FAIL(err, FL_ERR_SYNTAX, "a name has a database, a schema and itself: %d parts are too many", n));
    if (n > 1)
        FL_TRY(find_place(engine, database, parts, n, &name, err));
    FL_TRY(fl_full_name_key(arena, &name, ret, err));
    if (n > 1 || is_new || (fl_is_main_schema(schema) && fl_str_is_equal_nocase(database, FL_MAIN_DATABASE)))
        return FL_OK;
    if (fl_engine_knows(engine, *ret)) /* what is not in the session's schema may be in the main one of its database */
        return FL_OK;
    fl_str other = {0};
    name.schema = FL_MAIN_SCHEMA;
    FL_TRY(fl_full_name_key(arena, &name, &other, err));
    if (fl_engine_knows(engine, other))
        *ret = other;
    else if (fl_system_has_table(name.name))
        *ret = name.name;
cleanup:
    return st;
}

fl_status fl_session_qualify_text(fl_session *session, fl_str text, fl_arena *arena, fl_str *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str parts[FL_NAME_PARTS_MAX];
    int32_t n = 0;
    FL_TRY(fl_name_split(arena, text, parts, &n, err));
    st = fl_session_qualify(session, session->home->database, session->home->schema, parts, n, false, arena, ret, err);
cleanup:
    return st;
}

fl_status fl_engine_show_databases(fl_engine *engine, fl_rows *ret, fl_err *err)
{
    static const char *const names[] = {"database_name"};
    fl_status st = FL_OK;
    fl_arena arena;
    fl_str *cells = NULL;
    int32_t n = 0;
    fl_arena_init(&arena, NULL);
    FL_TRY(fl_engine_databases(engine, &arena, &cells, &n, err));
    st = fl_rows_of_text(&engine->memory, names, 1, cells, n, ret, err);
cleanup:
    fl_arena_drop(&arena);
    return st;
}

/* ---- statements ---------------------------------------------------------------------------------------------------- */

fl_status fl_session_go_to(fl_session *session, fl_str database, fl_str schema, fl_err *err)
{
    fl_home *home = session->homes;
    while (home != NULL && (!fl_str_is_equal(home->database, database) || !fl_str_is_equal(home->schema, schema)))
        home = home->next;
    if (home == NULL) {
        int64_t bytes = (int64_t)sizeof(*home) + database.len + schema.len;
        fl_status st = fl_alloc_zero(NULL, bytes, (void **)&home, err);
        if (st != FL_OK)
            return st;
        memcpy(home->bytes, database.data, (size_t)database.len);
        memcpy(home->bytes + database.len, schema.data, (size_t)schema.len);
        home->database = (fl_str){home->bytes, database.len};
        home->schema = (fl_str){home->bytes + database.len, schema.len};
        home->next = session->homes;
        session->homes = home;
    }
    atomic_store(&session->home, home);
    return FL_OK;
}

void fl_session_drop_homes(fl_session *session)
{
    while (session->homes != NULL) {
        fl_home *next = session->homes->next;
        fl_free(session->homes);
        session->homes = next;
    }
}

fl_status fl_session_use_main(fl_session *session, fl_err *err)
{
    return fl_session_go_to(session, FL_MAIN_DATABASE, FL_MAIN_SCHEMA, err);
}

fl_status fl_session_use(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    const fl_str *parts = bound->names;
    fl_str home = session->home->database;
    if (bound->n_names == 2 && !fl_engine_has_database(engine, parts[0]))
        st = fl_engine_fail_database(engine, parts[0], err);
    else if (bound->n_names == 2 && !fl_engine_has_schema(engine, parts[0], parts[1]))
        st = fail_schema(engine, parts[0], parts[1], err);
    else if (bound->n_names == 2)
        return fl_session_go_to(session, parts[0], fl_is_main_schema(parts[1]) ? FL_MAIN_SCHEMA : parts[1], err);
    else if (fl_engine_has_schema(engine, home, parts[0]))
        return fl_session_go_to(session, home, fl_is_main_schema(parts[0]) ? FL_MAIN_SCHEMA : parts[0], err);
    else if (fl_engine_has_database(engine, parts[0]))
        return fl_session_go_to(session, parts[0], FL_MAIN_SCHEMA, err);
    else
        st = fail_schema(engine, home, parts[0], err);
    fl_err_at(err, bound->name_pos);
    return st;
}

fl_status fl_session_attach(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    fl_database *made = NULL;
    if (fl_engine_has_database(engine, bound->name)) {
        if (bound->if_not_exists)
            return FL_OK;
        st = FL_FAIL(err, FL_ERR_DUPLICATE, "database \"%.*s\" exists already", FL_STR_ARG(bound->name));
        fl_err_at(err, bound->name_pos);
        return fl_err_state(err, "42P04", st);
    }
    FL_TRY(fl_alloc_zero(NULL, (int64_t)sizeof(*made), (void **)&made, err));
    FL_TRY(fl_copy_name(bound->name, &made->name, err));
    pthread_mutex_lock(&engine->lock);
    *look_up(engine, bound->name) = made;
    pthread_mutex_unlock(&engine->lock);
    made = NULL;
cleanup:
    fl_database_free(made);
    return st;
}

fl_status fl_session_detach(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    if (!fl_engine_has_database(engine, bound->name)) {
        if (bound->if_exists)
            return FL_OK;
        st = fl_engine_fail_database(engine, bound->name, err);
    } else if (fl_str_is_equal_nocase(bound->name, FL_MAIN_DATABASE)) {
        st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "database \"%.*s\" is always there", FL_STR_ARG(bound->name));
        fl_err_state(err, "55006", st);
    } else if (fl_str_is_equal_nocase(bound->name, session->home->database)) {
        st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "database \"%.*s\" is in use", FL_STR_ARG(bound->name));
        fl_err_hint(err, "USE another one first");
        fl_err_state(err, "55006", st);
    }
    if (st != FL_OK) {
        fl_err_at(err, bound->name_pos);
        return st;
    }
    FL_TRY(fl_session_drop_inside(session, bound->name, (fl_str){0}, err));
    pthread_mutex_lock(&engine->lock);
    fl_database **at = look_up(engine, bound->name), *found = *at;
    if (found != NULL)
        *at = found->next;
    pthread_mutex_unlock(&engine->lock);
    fl_database_free(found);
cleanup:
    return st;
}
