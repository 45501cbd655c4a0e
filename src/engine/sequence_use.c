/* DROP SEQUENCE, which looks whether columns' defaults count by it: nextval('s') in their texts. */
#include "engine/change.h"
#include "front/sql/lexer.h"

/* Whether a text calls nextval of the sequence. */
static fl_status calls(fl_session *session, fl_arena *arena, fl_str text, fl_str sequence, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sql_lexer lexer;
    fl_sql_token token = {0}, before[2] = {{0}};
    *ret = false;
    FL_TRY(fl_sql_lexer_init(&lexer, text, err));
    do {
        before[0] = before[1];
        before[1] = token;
        FL_TRY(fl_sql_lexer_next(&lexer, &token, err));
        fl_str word = {text.data + before[0].start, before[0].end - before[0].start}, name, key;
        if (token.kind != FL_SQL_STRING || before[1].kind != FL_SQL_LEFT_PAREN || before[0].kind != FL_SQL_WORD ||
            !fl_str_is_equal_nocase(word, FL_STR("nextval")))
            continue;
        FL_TRY(fl_sql_token_value(text, &token, arena, &name, err));
        *ret |=
            fl_session_qualify_text(session, name, arena, &key, NULL) == FL_OK && fl_str_is_equal_nocase(key, sequence);
    } while (token.kind != FL_SQL_END);
cleanup:
    return st;
}

/* The table without these defaults. */
static fl_status put_without(fl_session *session, fl_str name, fl_table *table, const fl_column_rules *rules,
                             fl_err *err)
{
    fl_status st = FL_OK;
    fl_table *made = NULL;
    fl_key_index *index = NULL;
    fl_table_parts parts = {.keys = table->keys, .n_keys = table->n_keys, .rules = rules};
    parts.order = *fl_memory_table_order(table);
    parts.segments = fl_memory_table_segments(table, &parts.n_segments);
    FL_TRY(fl_make_version(session, table, &parts, &made, err));
    index = fl_session_take_index(session, name, table);
    FL_TRY(fl_session_put_version(session, name, made, index, err));
    made = NULL;
    index = NULL;
cleanup:
    fl_key_index_free(index);
    fl_table_unref(made);
    return st;
}

/* What of one table counts by the sequence: it is refused, or goes. */
static fl_status look_at(fl_session *session, fl_arena *arena, fl_str name, fl_table *table, fl_str sequence,
                         bool cascades, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_column_rules *rules = fl_memory_table_rules(table);
    fl_column_rules *without = NULL;
    bool any = false;
    if (rules == NULL)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(arena, table->n_cols + 1, &without, err));
    for (int32_t c = 0; c < table->n_cols; c++) {
        bool is_use = false;
        without[c] = rules[c];
        if (rules[c].default_text.len > 0)
            FL_TRY(calls(session, arena, rules[c].default_text, sequence, &is_use, err));
        if (is_use && !cascades) {
            st = FL_FAIL(err, FL_ERR_UNSUPPORTED,
                         "the default of column \"%.*s\" of \"%.*s\" counts by sequence \"%.*s\"",
                         FL_STR_ARG(table->fields[c].name), FL_STR_ARG(name), FL_STR_ARG(sequence));
            fl_err_hint(err, "DROP SEQUENCE … CASCADE drops the default, too");
            return fl_err_state(err, "2BP01", st);
        }
        any |= is_use;
        if (is_use)
            without[c].default_text = (fl_str){0};
    }
    if (any)
        st = put_without(session, name, table, without, err);
cleanup:
    return st;
}

fl_status fl_session_drop_sequence(fl_session *session, fl_str name, bool if_exists, bool cascades, int32_t pos,
                                   fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    fl_arena arena;
    fl_str *names = NULL;
    int32_t n = 0;
    bool has_owner = false;
    fl_arena_init(&arena, &session->statement_memory);
    pthread_mutex_lock(&engine->lock);
    for (const fl_sequence *s = engine->sequences; s != NULL; s = s->next)
        has_owner |= s->table_name != NULL && fl_str_is_equal_nocase(fl_str_of(s->name), name);
    pthread_mutex_unlock(&engine->lock);
    FL_TRY(fl_engine_names(engine, &arena, &names, &n, err));
    for (int32_t i = 0; i < n && (!has_owner || cascades); i++) { /* that it goes with a table is said first */
        fl_table *table = fl_session_latest(session, names[i]);
        if (table != NULL)
            st = look_at(session, &arena, names[i], table, name, cascades, err);
        fl_table_unref(table);
        FL_TRY(st);
    }
    fl_session_publish(session);
    st = fl_engine_drop_sequence(engine, name, if_exists, cascades, pos, err);
cleanup:
    if (st != FL_OK)
        fl_err_at(err, pos);
    fl_arena_drop(&arena);
    return st;
}
