/* Schemas: names in front of names. What is in one is in the catalog as schema.name; "main", also called "public", is the one whose name is
 * not said. */
#include "engine/change.h"
#include "engine/system_tables.h"

static fl_schema **look_up(fl_engine *engine, fl_str name)
{
    fl_schema **at = &engine->schemas;
    while (*at != NULL && !fl_str_is_equal_nocase(fl_str_of((*at)->name), name))
        at = &(*at)->next;
    return at;
}

static bool is_main(fl_str name)
{
    return fl_str_is_equal_nocase(name, FL_STR("main")) || fl_str_is_equal_nocase(name, FL_STR("public"));
}

bool fl_engine_has_schema(fl_engine *engine, fl_str name)
{
    pthread_mutex_lock(&engine->lock);
    bool has = *look_up(engine, name) != NULL;
    pthread_mutex_unlock(&engine->lock);
    return has;
}

void fl_schema_free(fl_schema *schema)
{
    if (schema != NULL)
        fl_free(schema->name);
    fl_free(schema);
}

fl_status fl_session_create_schema(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    fl_schema *made = NULL;
    bool is_known =
        is_main(bound->name) || fl_system_has_schema(bound->name) || fl_engine_has_schema(engine, bound->name);
    if (is_known && bound->if_not_exists)
        return FL_OK;
    if (is_known) {
        st = FL_FAIL(err, FL_ERR_DUPLICATE, "schema \"%.*s\" exists already", FL_STR_ARG(bound->name));
        fl_err_at(err, bound->name_pos);
        return fl_err_state(err, "42P06", st);
    }
    FL_TRY(fl_alloc_zero(NULL, (int64_t)sizeof(*made), (void **)&made, err));
    FL_TRY(fl_alloc_zero(NULL, bound->name.len + 1, (void **)&made->name, err));
    memcpy(made->name, bound->name.data, (size_t)bound->name.len);
    pthread_mutex_lock(&engine->lock);
    *look_up(engine, bound->name) = made;
    pthread_mutex_unlock(&engine->lock);
    made = NULL;
cleanup:
    fl_schema_free(made);
    return st;
}

static bool is_inside(fl_str name, fl_str schema)
{
    return name.len > schema.len && name.data[schema.len] == '.' &&
           fl_str_is_equal_nocase((fl_str){name.data, schema.len}, schema);
}

/* Drops what is in the schema. */
static fl_status drop_inside(fl_session *session, fl_str schema, fl_str *names, int32_t n, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < n; i++)
        if (is_inside(names[i], schema) && fl_engine_has(session->engine, names[i]) == 1)
            FL_TRY(fl_check_unreferred(session, names[i], NULL, true, NULL, 0, err));
    fl_session_publish(session);
    for (int32_t i = 0; i < n; i++)
        if (is_inside(names[i], schema))
            FL_TRY(fl_engine_drop(session->engine, names[i], fl_engine_has(session->engine, names[i]) == 2, true, -1,
                                  err));
cleanup:
    return st;
}

fl_status fl_session_drop_schema(fl_session *session, fl_str name, bool if_exists, bool cascades, int32_t pos,
                                 fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    fl_arena arena;
    fl_str *names = NULL;
    int32_t n = 0, n_inside = 0;
    fl_arena_init(&arena, &session->statement_memory);
    if (is_main(name)) {
        st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "schema \"%.*s\" is always there", FL_STR_ARG(name));
        fl_err_at(err, pos);
        return fl_err_state(err, "2BP01", st);
    }
    if (!fl_engine_has_schema(engine, name)) {
        if (if_exists)
            return FL_OK;
        st = FL_FAIL(err, FL_ERR_TABLE, "schema \"%.*s\" does not exist", FL_STR_ARG(name));
        fl_err_at(err, pos);
        return fl_err_state(err, "3F000", st);
    }
    FL_TRY(fl_engine_names(engine, &arena, &names, &n, err));
    for (int32_t i = 0; i < n; i++)
        n_inside += is_inside(names[i], name);
    if ((n_inside > 0 || fl_engine_has_sequence_in(engine, name)) && !cascades) {
        st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "schema \"%.*s\" is not empty", FL_STR_ARG(name));
        fl_err_hint(err, "DROP SCHEMA … CASCADE drops what is in it, too");
        fl_err_at(err, pos);
        st = fl_err_state(err, "2BP01", st);
        goto cleanup;
    }
    FL_TRY(drop_inside(session, name, names, n, err));
    pthread_mutex_lock(&engine->lock);
    fl_schema **at = look_up(engine, name), *found = *at;
    if (found != NULL)
        *at = found->next;
    fl_engine_forget_sequences_in(engine, name);
    pthread_mutex_unlock(&engine->lock);
    fl_schema_free(found);
cleanup:
    fl_arena_drop(&arena);
    return st;
}
