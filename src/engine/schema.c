/* Schemas: CREATE and DROP. What is in one is in the catalog under a key that names it (base/full_name.h); "main", also called "public", is
 * there in every database and need not be said. */
#include "engine/change.h"
#include "engine/system_tables.h"

/* The engine's lock is held. */
static fl_schema **look_up(fl_engine *engine, fl_str database, fl_str name)
{
    fl_schema **at = &engine->schemas;
    while (*at != NULL && (!fl_str_is_equal_nocase(fl_str_of((*at)->name), name) ||
                           !fl_str_is_equal_nocase(fl_str_of((*at)->database), database)))
        at = &(*at)->next;
    return at;
}

bool fl_engine_has_schema(fl_engine *engine, fl_str database, fl_str name)
{
    if (fl_is_main_schema(name))
        return fl_engine_has_database(engine, database);
    pthread_mutex_lock(&engine->lock);
    bool has = *look_up(engine, database, name) != NULL;
    pthread_mutex_unlock(&engine->lock);
    return has;
}

void fl_schema_free(fl_schema *schema)
{
    if (schema != NULL) {
        fl_free(schema->database);
        fl_free(schema->name);
        fl_free(schema->comment);
    }
    fl_free(schema);
}

/* Which schema is meant: `s` of the session's database, or `d.s`. */
static fl_status find_place(fl_session *session, fl_arena *arena, fl_str written, int32_t pos, fl_full_name *ret,
                            fl_err *err)
{
    fl_status st = FL_OK;
    fl_str parts[FL_NAME_PARTS_MAX];
    int32_t n = 0;
    FL_TRY(fl_name_split(arena, written, parts, &n, err));
    *ret = (fl_full_name){.database = n > 1 ? parts[n - 2] : session->home->database, .schema = parts[n - 1]};
    if (!fl_engine_has_database(session->engine, ret->database))
        st = fl_engine_fail_database(session->engine, ret->database, err);
cleanup:
    if (st != FL_OK)
        fl_err_at(err, pos);
    return st;
}

fl_status fl_session_create_schema(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    fl_schema *made = NULL;
    fl_full_name place;
    fl_arena arena;
    fl_arena_init(&arena, &session->statement_memory);
    FL_TRY(find_place(session, &arena, bound->name, bound->name_pos, &place, err));
    bool is_known = fl_system_has_schema(place.schema) || fl_engine_has_schema(engine, place.database, place.schema);
    if (is_known && !bound->if_not_exists) {
        st = FL_FAIL(err, FL_ERR_DUPLICATE, "schema \"%.*s\" exists already", FL_STR_ARG(place.schema));
        fl_err_at(err, bound->name_pos);
        fl_err_state(err, "42P06", st);
    }
    if (is_known)
        goto cleanup;
    FL_TRY(fl_alloc_zero(NULL, (int64_t)sizeof(*made), (void **)&made, err));
    FL_TRY(fl_copy_name(place.database, &made->database, err));
    FL_TRY(fl_copy_name(place.schema, &made->name, err));
    pthread_mutex_lock(&engine->lock);
    made->made = ++engine->n_made;
    *look_up(engine, place.database, place.schema) = made;
    pthread_mutex_unlock(&engine->lock);
    made = NULL;
cleanup:
    fl_schema_free(made);
    fl_arena_drop(&arena);
    return st;
}

fl_status fl_session_drop_inside(fl_session *session, fl_str database, fl_str schema, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    fl_arena arena;
    fl_str *names = NULL;
    int32_t n = 0;
    fl_arena_init(&arena, &session->statement_memory);
    FL_TRY(fl_engine_names(engine, &arena, &names, &n, err));
    for (int32_t i = 0; i < n; i++)
        if (fl_key_is_in(names[i], database, schema) && fl_engine_has(engine, names[i]) == 1)
            FL_TRY(fl_check_unreferred(session, names[i], NULL, true, NULL, 0, err));
    fl_session_publish(session);
    for (int32_t i = 0; i < n; i++)
        if (fl_key_is_in(names[i], database, schema))
            FL_TRY(fl_engine_drop(engine, names[i], fl_engine_has(engine, names[i]) == 2, true, -1, err));
    pthread_mutex_lock(&engine->lock);
    fl_engine_forget_sequences_in(engine, database, schema);
    fl_engine_forget_macros_in(engine, database, schema);
    for (fl_schema **at = &engine->schemas; *at != NULL;) {
        fl_schema *found = *at;
        if (!fl_str_is_equal_nocase(fl_str_of(found->database), database) ||
            (schema.len > 0 && !fl_str_is_equal_nocase(fl_str_of(found->name), schema))) {
            at = &found->next;
            continue;
        }
        *at = found->next;
        fl_schema_free(found);
    }
    pthread_mutex_unlock(&engine->lock);
cleanup:
    fl_arena_drop(&arena);
    return st;
}

/* Whether anything is in the schema. */
static fl_status check_empty(fl_session *session, const fl_full_name *place, fl_arena *arena, int32_t pos, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str *names = NULL;
    int32_t n = 0;
    bool is_empty = !fl_engine_has_sequence_in(session->engine, place->database, place->schema) &&
                    !fl_engine_has_macro_in(session->engine, place->database, place->schema);
    FL_TRY(fl_engine_names(session->engine, arena, &names, &n, err));
    for (int32_t i = 0; i < n; i++)
        is_empty &= !fl_key_is_in(names[i], place->database, place->schema);
    if (!is_empty) {
        st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "schema \"%.*s\" is not empty", FL_STR_ARG(place->schema));
        fl_err_hint(err, "DROP SCHEMA … CASCADE drops what is in it, too");
        fl_err_at(err, pos);
        fl_err_state(err, "2BP01", st);
    }
cleanup:
    return st;
}

fl_status fl_session_drop_schema(fl_session *session, fl_str name, bool if_exists, bool cascades, int32_t pos,
                                 fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    fl_arena arena;
    fl_full_name place;
    fl_arena_init(&arena, &session->statement_memory);
    FL_TRY(find_place(session, &arena, name, pos, &place, err));
    if (fl_is_main_schema(place.schema)) {
        st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "schema \"%.*s\" is always there", FL_STR_ARG(place.schema));
        fl_err_at(err, pos);
        fl_err_state(err, "2BP01", st);
        goto cleanup;
    }
    if (!fl_engine_has_schema(engine, place.database, place.schema)) {
        if (!if_exists) {
            st = FL_FAIL(err, FL_ERR_TABLE, "schema \"%.*s\" does not exist", FL_STR_ARG(place.schema));
            fl_err_at(err, pos);
            fl_err_state(err, "3F000", st);
        }
        goto cleanup;
    }
    if (!cascades)
        FL_TRY(check_empty(session, &place, &arena, pos, err));
    st = fl_session_drop_inside(session, place.database, place.schema, err);
cleanup:
    fl_arena_drop(&arena);
    return st;
}
