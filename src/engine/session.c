/* Sessions and prepared statements as the C API has them. */
#include "engine/function_store.h"
#include "engine/internal.h"
#include "format/rejects.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "plan/rule.h"
#include "store/arrow_stream.h"

#include <stdio.h>

struct fl_statement {
    fl_handle handle;
    char *text;
    int64_t bytes;
    int32_t n_params;
    fl_type *types;
    fl_value *values;
    bool *is_bound;
    char **names;   /* of parameters; NULL: they have numbers */
    fl_arena arena; /* bound texts */
};

/* ---- handles ------------------------------------------------------------------------------------------------------- */

void fl_handle_attach(fl_handle *handle, fl_session *session, void (*detach)(fl_handle *handle))
{
    FL_ASSERT(handle->session == NULL && session != NULL);
    *handle = (fl_handle){.session = session, .next = session->handles, .detach = detach};
    if (session->handles != NULL)
        session->handles->previous = handle;
    session->handles = handle;
}

void fl_handle_remove(fl_handle *handle)
{
    if (handle->session == NULL)
        return;
    if (handle->previous != NULL)
        handle->previous->next = handle->next;
    else
        handle->session->handles = handle->next;
    if (handle->next != NULL)
        handle->next->previous = handle->previous;
    *handle = (fl_handle){0};
}

fl_status fl_handle_check(const fl_handle *handle, fl_err *err)
{
    if (handle->session != NULL)
        return FL_OK;
    return FL_FAIL(err, FL_ERR_CONFIG, "the session that this was made from is closed");
}

/* ---- sessions ------------------------------------------------------------------------------------------------------ */

fl_status fl_session_open(fl_engine *engine, fl_session **ret_session, fl_err *err)
{
    fl_session *session = NULL;
    fl_status st = fl_alloc_zero(NULL, (int64_t)sizeof(*session), (void **)&session, err);
    if (st != FL_OK)
        return st;
    session->engine = engine;
    session->refs = 1;
    fl_memory_init(&session->memory, &engine->memory, "session's memory", 0);
    st = fl_rejects_new(&session->memory, &session->memory.rejects, err);
    if (st == FL_OK)
        st = fl_session_use_main(session, err);
    if (st != FL_OK) {
        fl_rejects_free(session->memory.rejects);
        fl_free(session);
        return st;
    }
    pthread_mutex_lock(&engine->lock);
    session->id = ++engine->n_sessions;
    pthread_mutex_unlock(&engine->lock);
    atomic_fetch_add(&engine->refs, 1);
    session->registry = fl_engine_registry(engine);
    fl_memory_init(&session->statement_memory, &session->memory, "statement's memory", 0);
    session->statement_memory.interrupt = &session->interrupt;
    session->interrupt.system = engine->memory.system;
    fl_spill_quota_init(&session->spill_quota, &engine->spill_quota, "temp_limit", 0);
    fl_settings_init(&session->settings, engine);
    fl_session_sequences_init(session);
    fl_session_facts_init(session);
    session->changed_rows = -1;
    pthread_mutex_init(&session->lock, NULL);
    *ret_session = session;
    return FL_OK;
}

void fl_session_close(fl_session *session)
{
    if (session == NULL)
        return;
    while (session->handles != NULL) {
        fl_handle *handle = session->handles;
        handle->detach(handle);
        fl_handle_remove(handle);
    }
    while (session->prepared != NULL) {
        fl_prepared *next = session->prepared->next;
        fl_prepared_free(session->prepared);
        session->prepared = next;
    }
    fl_session_drop_variables(session);
    fl_files_in_use_drop(&session->files);
    fl_registry_unref(session->registry);
    session->registry = NULL;
    fl_session_unref(session);
}

void fl_session_unref(fl_session *session)
{
    if (atomic_fetch_sub(&session->refs, 1) > 1)
        return;
    fl_engine *engine = session->engine;
    pthread_mutex_destroy(&session->lock);
    fl_free(session->given);
    fl_rejects_free(session->memory.rejects);
    fl_session_drop_homes(session);
    fl_parquet_keys_free(session);
    fl_free(session);
    fl_engine_unref(engine);
}

int64_t fl_session_begin(fl_session *session)
{
    session->changed_rows = -1;
    session->command = "";
    atomic_fetch_add(&session->n_calls, 1);
    session->notes[0] = 0;
    fl_function_store_look(session->engine);
    fl_registry_unref(session->registry);
    session->registry = fl_engine_registry(session->engine);
    fl_interrupt_begin(&session->interrupt);
    fl_interrupt_set_timeout(&session->interrupt, session->settings.timeout_ms);
    return fl_clock_process_ns(session->memory.system);
}

fl_status fl_session_end(fl_session *session, int64_t started_ns, fl_status st, fl_err *err)
{
    FL_ASSERT(atomic_load(&session->n_calls) > 0);
    atomic_fetch_sub(&session->n_calls, 1);
    session->cpu_ns = fl_clock_process_ns(session->memory.system) - started_ns;
    if (st == FL_ERR_FUNCTION)
        fl_function_store_hint(session->engine, err);
    if (st == FL_OK || fl_interrupt_is_cause(st))
        return st;
    fl_status why = fl_interrupt_check(&session->interrupt, err);
    return why != FL_OK ? why : st;
}

static fl_status fail_missing(const char *what, fl_err *err)
{
    return FL_FAIL(err, FL_ERR_CONFIG, "%s is NULL", what);
}

static fl_status check_utf8(const char *what, const char *text, int64_t bytes, fl_err *err)
{
    int64_t bad = bytes > 0 ? fl_utf8_check(text, bytes) : -1; /* a text of no bytes may be NULL */
    if (bad < 0)
        return FL_OK;
    fl_status st = FL_FAIL(err, FL_ERR_VALUE, "%s is no UTF-8: byte 0x%02x at offset %lld", what,
                           (unsigned char)text[bad], (long long)bad);
    return fl_err_state(err, "22021", st);
}

fl_status fl_session_query_text(fl_session *session, const char *sql, size_t bytes, struct ArrowArrayStream *ret_rows,
                                fl_err *err)
{
    fl_status st = FL_OK;
    fl_str text = {sql, (int64_t)bytes};
    fl_arena arena;
    fl_sql_parser parser = {0};
    fl_rows rows = {0}, last = {0};
    if (sql == NULL && bytes > 0)
        return fail_missing("the query's text", err);
    int64_t started_ns = fl_session_begin(session);
    fl_arena_init(&arena, &session->statement_memory);
    if (bytes > INT32_MAX / 2) {
        st = FL_FAIL(err, FL_ERR_LIMIT, "the query text has %zu bytes; the limit is %d", bytes, INT32_MAX / 2);
        goto cleanup;
    }
    FL_TRY(fl_sql_parser_init(&parser, &session->statement_memory, text, err));
    for (;;) {
        fl_ast_statement *ast = NULL;
        fl_arena_reset(&arena);
        fl_interrupt_set_timeout(&session->interrupt, session->settings.timeout_ms); /* each statement has its own */
        st = fl_sql_parser_next(&parser, &arena, &ast, err);
        if (st == FL_OK && ast == NULL)
            break;
        if (last.stream != NULL) { /* it comes first, whatever is behind it */
            fl_err of_last = {0};
            fl_status finished = fl_result_stream_finish(last.stream, &of_last);
            if (finished != FL_OK && err != NULL)
                *err = of_last;
            FL_TRY(finished);
        }
        FL_TRY(st);
        FL_TRY(fl_session_execute(session, text, ast, NULL, 0, &rows, err));
        fl_rows_drop(&last);
        last = rows;
        rows = (fl_rows){0};
    }
    st = fl_rows_give(session, &last, ret_rows, err);
cleanup:
    fl_sql_parser_drop(&parser);
    fl_rows_drop(&last);
    fl_arena_drop(&arena);
    return fl_session_end(session, started_ns, st, err);
}

fl_status fl_session_query(fl_session *session, const char *sql, struct ArrowArrayStream *ret_rows, fl_err *err)
{
    if (sql == NULL)
        return fail_missing("the query's text", err);
    return fl_session_query_text(session, sql, strlen(sql), ret_rows, err);
}

fl_status fl_session_run_statement(fl_session *session, const fl_ast_statement *ast, fl_locator *locator,
                                   struct ArrowArrayStream *ret_rows, fl_err *err)
{
    fl_rows rows = {0};
    int64_t started_ns = fl_session_begin(session);
    fl_status st = fl_session_execute(session, (fl_str){0}, ast, NULL, 0, &rows, err);
    if (st == FL_OK && rows.stream != NULL)
        fl_result_stream_set_locator(rows.stream, locator);
    if (st == FL_OK)
        st = fl_rows_give(session, &rows, ret_rows, err);
    fl_rows_drop(&rows);
    return fl_session_end(session, started_ns, st, err);
}

/* ---- prepared statements ------------------------------------------------------------------------------------------ */

static void detach_statement(fl_handle *handle)
{
    fl_arena_drop(&((fl_statement *)handle)->arena);
}

fl_status fl_session_prepare(fl_session *session, const char *sql, size_t bytes, fl_statement **ret_statement,
                             fl_err *err)
{
    fl_status st = FL_OK;
    fl_statement *statement = NULL;
    fl_sql_parser parser = {0};
    fl_sql_bound bound = {0};
    fl_ast_statement *ast = NULL, *more = NULL;
    fl_arena arena;
    bool is_bound = false;
    if (sql == NULL)
        return fail_missing("the statement's text", err);
    int64_t started_ns = fl_session_begin(session);
    fl_arena_init(&arena, &session->statement_memory);
    FL_TRY(fl_alloc_zero(NULL, (int64_t)sizeof(*statement), (void **)&statement, err));
    fl_arena_init(&statement->arena, &session->memory);
    fl_handle_attach(&statement->handle, session, detach_statement);
    FL_TRY(fl_alloc(NULL, (int64_t)bytes + 1, (void **)&statement->text, err));
    memcpy(statement->text, sql, bytes);
    statement->text[bytes] = 0;
    statement->bytes = (int64_t)bytes;
    fl_str text = {statement->text, (int64_t)bytes};
    FL_TRY(fl_sql_parser_init(&parser, &session->statement_memory, text, err));
    FL_TRY(fl_sql_parser_next(&parser, &arena, &ast, err));
    if (ast == NULL) {
        st = FL_FAIL(err, FL_ERR_SYNTAX, "the text holds no statement");
        goto cleanup;
    }
    int32_t n_params = ast->parameter_count;
    FL_TRY(fl_session_bind_only(session, &arena, text, ast, &bound, err));
    is_bound = true;
    const fl_query *query = &bound.query;
    FL_TRY(fl_sql_parser_next(&parser, &arena, &more, err));
    if (more != NULL) {
        st = FL_FAIL(err, FL_ERR_SYNTAX, "a prepared statement holds one statement");
        fl_err_at(err, more->start);
        goto cleanup;
    }
    statement->n_params = n_params;
    FL_TRY(fl_copy_param_names(ast, &statement->names, err));
    FL_TRY(fl_alloc_zero(NULL, (n_params + 1) * (int64_t)sizeof(fl_type), (void **)&statement->types, err));
    FL_TRY(fl_alloc_zero(NULL, (n_params + 1) * (int64_t)sizeof(fl_value), (void **)&statement->values, err));
    FL_TRY(fl_alloc_zero(NULL, n_params + 1, (void **)&statement->is_bound, err));
    for (int32_t i = 0; i < n_params && i < query->n_params; i++)
        if (!fl_type_is_nested(query->param_types[i]))
            statement->types[i] = query->param_types[i];
    *ret_statement = statement;
    statement = NULL;
cleanup:
    if (is_bound)
        fl_sql_bound_drop(&bound);
    fl_sql_parser_drop(&parser);
    fl_arena_drop(&arena);
    fl_statement_close(statement);
    return fl_session_end(session, started_ns, st, err);
}

void fl_statement_close(fl_statement *statement)
{
    if (statement == NULL)
        return;
    if (statement->handle.session != NULL)
        fl_arena_drop(&statement->arena);
    fl_handle_remove(&statement->handle);
    fl_free(statement->text);
    fl_free(statement->types);
    fl_free(statement->values);
    fl_free(statement->is_bound);
    fl_free_param_names(statement->names, statement->n_params);
    fl_free(statement);
}

int32_t fl_statement_params(const fl_statement *statement)
{
    return statement->n_params;
}

const char *fl_statement_param_name(const fl_statement *statement, int32_t number)
{
    bool has_name = statement->names != NULL && number >= 1 && number <= statement->n_params;
    return has_name ? statement->names[number - 1] : "";
}

int32_t fl_statement_find_param(const fl_statement *statement, const char *name)
{
    for (int32_t i = 0; name != NULL && statement->names != NULL && i < statement->n_params; i++)
        if (fl_str_is_equal_nocase(fl_str_of(statement->names[i]), fl_str_of(name)))
            return i + 1;
    return 0;
}

static fl_status bind(fl_statement *statement, int32_t number, const fl_value *value, fl_err *err)
{
    fl_status st = fl_handle_check(&statement->handle, err);
    if (st != FL_OK)
        return st;
    if (number < 1 || number > statement->n_params)
        return FL_FAIL(err, FL_ERR_PARAMETER, "there is no parameter $%d: the statement has %d", number,
                       statement->n_params);
    fl_value *slot = &statement->values[number - 1];
    fl_type type = statement->types[number - 1];
    fl_value copy;
    FL_TRY(fl_value_copy(&statement->arena, value, &copy, err));
    st = fl_param_cast(&statement->arena, &copy, type, &copy, err);
    if (st != FL_OK && statement->names != NULL)
        fl_err_prefix(err, "parameter $%s: ", statement->names[number - 1]);
    else if (st != FL_OK)
        fl_err_prefix(err, "parameter $%d: ", number);
    FL_TRY(st);
    if (fl_type_is_integer(type) && fl_type_is_float(value->type) && !value->is_null) {
        fl_value back;
        FL_TRY(fl_value_cast(&copy, value->type, &back, err));
        if (fl_value_compare(&back, value) != 0) { /* rounded, it would meet values that it does not equal */
            st = FL_FAIL(err, FL_ERR_VALUE, "parameter $%d is of type %s, %.15g is none", number, FL_TYPE_NAME(type),
                         value->f);
            fl_err_hint(err, "write $%d::double", number);
            return st;
        }
    }
    *slot = copy;
    statement->is_bound[number - 1] = true;
cleanup:
    return st;
}

fl_status fl_statement_bind_null(fl_statement *statement, int32_t number, fl_err *err)
{
    fl_value value = {.type = FL_TYPE(FL_UTF8), .is_null = true};
    return bind(statement, number, &value, err);
}

fl_status fl_statement_bind_bool(fl_statement *statement, int32_t number, bool b, fl_err *err)
{
    fl_value value = {.type = FL_TYPE(FL_BOOL), .b = b};
    return bind(statement, number, &value, err);
}

fl_status fl_statement_bind_int64(fl_statement *statement, int32_t number, int64_t i, fl_err *err)
{
    fl_value value = {.type = FL_TYPE(FL_I64), .i = i};
    return bind(statement, number, &value, err);
}

fl_status fl_statement_bind_double(fl_statement *statement, int32_t number, double f, fl_err *err)
{
    fl_value value = {.type = FL_TYPE(FL_F64), .f = f};
    return bind(statement, number, &value, err);
}

fl_status fl_statement_bind_text(fl_statement *statement, int32_t number, const char *text, size_t bytes, fl_err *err)
{
    fl_value value = {.type = FL_TYPE(FL_UTF8), .s = {text, (int64_t)bytes}};
    if (text == NULL && bytes > 0)
        return fail_missing("the parameter's text", err);
    char what[32];
    (void)snprintf(what, sizeof(what), "parameter $%d", number);
    fl_status st = check_utf8(what, text, (int64_t)bytes, err);
    return st != FL_OK ? st : bind(statement, number, &value, err);
}

fl_status fl_statement_execute(fl_statement *statement, struct ArrowArrayStream *ret_rows, fl_err *err)
{
    fl_status st = fl_handle_check(&statement->handle, err);
    if (st != FL_OK)
        return st;
    fl_session *session = statement->handle.session;
    fl_arena arena;
    fl_sql_parser parser = {0};
    fl_ast_statement *ast = NULL;
    fl_rows rows = {0};
    fl_str text = {statement->text, statement->bytes};
    int64_t started_ns = fl_session_begin(session);
    fl_arena_init(&arena, &session->statement_memory);
    for (int32_t i = 0; i < statement->n_params; i++)
        if (!statement->is_bound[i]) {
            st = statement->names != NULL
                     ? FL_FAIL(err, FL_ERR_PARAMETER, "parameter $%s has no value", statement->names[i])
                     : FL_FAIL(err, FL_ERR_PARAMETER, "parameter $%d has no value", i + 1);
            goto cleanup;
        }
    FL_TRY(fl_sql_parser_init(&parser, &session->statement_memory, text, err));
    FL_TRY(fl_sql_parser_next(&parser, &arena, &ast, err));
    FL_TRY(fl_session_execute(session, text, ast, statement->values, statement->n_params, &rows, err));
    st = fl_rows_give(session, &rows, ret_rows, err);
cleanup:
    fl_sql_parser_drop(&parser);
    fl_rows_drop(&rows);
    fl_arena_drop(&arena);
    return fl_session_end(session, started_ns, st, err);
}

/* ---- the rest ----------------------------------------------------------------------------------------------------- */

fl_status fl_session_check_table_name(const char *name, fl_err *err)
{
    if (name == NULL)
        return fail_missing("the table's name", err);
    if (name[0] == 0)
        return FL_FAIL(err, FL_ERR_CONFIG, "the table's name is empty");
    return check_utf8("the table's name", name, (int64_t)strlen(name), err);
}

fl_status fl_session_register(fl_session *session, const char *name, struct ArrowArrayStream *stream, bool replace,
                              fl_err *err)
{
    fl_status st = FL_OK;
    fl_arrow_import import = {0};
    fl_table *table = NULL;
    fl_engine *engine = session->engine;
    fl_arena arena;
    fl_str key;
    fl_arena_init(&arena, NULL);
    if (stream == NULL)
        return fail_missing("the stream", err);
    int64_t started_ns = fl_session_begin(session);
    FL_TRY(fl_session_check_table_name(name, err));
    st = fl_arrow_import_stream(&engine->memory, &session->interrupt, stream, &import, err);
    stream = NULL;
    FL_TRY(st);
    fl_full_name full = {session->home->database, session->home->schema, fl_str_of(name)};
    FL_TRY(fl_full_name_key(&arena, &full, &key, err));
    FL_TRY(fl_memory_table_new(&engine->memory, fl_str_of(name), import.fields, import.n_cols, import.segments,
                               import.n_segments, &table, err));
    FL_TRY(fl_session_begin_change(session, err)); /* no INSERT puts its version over this one */
    st = fl_engine_put_table(engine, key, table, NULL, replace, err);
    fl_session_end_change(session);
    FL_TRY(st);
    table = NULL;
cleanup:
    if (stream != NULL && stream->release != NULL)
        stream->release(stream);
    fl_table_unref(table);
    fl_arrow_import_drop(&import);
    fl_arena_drop(&arena);
    return fl_session_end(session, started_ns, st, err);
}

fl_status fl_stream_error(const struct ArrowArrayStream *stream, fl_err *ret_err)
{
    return fl_arrow_export_error(stream, ret_err);
}

void fl_session_interrupt(fl_session *session)
{
    if (atomic_load(&session->n_calls) == 0)
        atomic_fetch_add(&session->n_between, 1);
    fl_interrupt_request(&session->interrupt);
}

double fl_session_progress(const fl_session *session)
{
    fl_session *s = (fl_session *)(uintptr_t)session;
    pthread_mutex_lock(&s->lock);
    double share = s->exec != NULL ? fl_exec_progress(s->exec) : 0;
    pthread_mutex_unlock(&s->lock);
    return share;
}

int64_t fl_session_cpu_ns(const fl_session *session)
{
    return session->cpu_ns;
}

int64_t fl_session_changed_rows(const fl_session *session)
{
    return session->changed_rows;
}

const char *fl_session_command(const fl_session *session)
{
    return session->command != NULL ? session->command : "";
}

void fl_session_add_note(fl_session *session, fl_str subject, fl_str note)
{
    char line[NOTES_BYTES];
    int len = snprintf(line, sizeof(line), "\"%.*s\": %.*s\n", FL_STR_ARG(subject), FL_STR_ARG(note));
    size_t used = strlen(session->notes);
    /* a statement may be bound more than once */
    if (len > 0 && (size_t)len < sizeof(session->notes) - used && strstr(session->notes, line) == NULL)
        memcpy(session->notes + used, line, (size_t)len + 1);
}

const char *fl_session_notes(const fl_session *session)
{
    return session->notes;
}

fl_status fl_session_plan_hash(fl_session *session, const char *sql, uint64_t *ret_hash, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sql_parser parser = {0};
    fl_sql_bound bound = {0};
    fl_ast_statement *ast = NULL;
    fl_arena arena;
    if (sql == NULL)
        return fail_missing("the query's text", err);
    int64_t started_ns = fl_session_begin(session);
    fl_arena_init(&arena, &session->statement_memory);
    FL_TRY(fl_sql_parser_init(&parser, &session->statement_memory, fl_str_of(sql), err));
    FL_TRY(fl_sql_parser_next(&parser, &arena, &ast, err));
    if (ast == NULL || ast->kind != FL_AST_QUERY) {
        st = FL_FAIL(err, FL_ERR_SYNTAX, "a query was expected");
        goto cleanup;
    }
    FL_TRY(fl_session_bind_only(session, &arena, fl_str_of(sql), ast, &bound, err));
    st = fl_plan_hash(&bound.query, true, ret_hash, err);
    fl_sql_bound_drop(&bound);
cleanup:
    fl_sql_parser_drop(&parser);
    fl_arena_drop(&arena);
    return fl_session_end(session, started_ns, st, err);
}
