/* EXPORT DATABASE and IMPORT DATABASE: a folder with schema.sql, which makes the tables and views, load.sql, which copies the rows in, and
 * a file a table. Both are plain SQL, of statements that this engine runs one by one. What fails leaves nothing: of files, those that
 * were not there before are taken away, of what is in the
 * catalog that which was made. */
#include "base/collation.h"
#include "base/new_file.h"
#include "engine/internal.h"
#include "front/sql/lexer.h"
#include "plan/table_rules.h"

#include <errno.h>

#define SCRIPT_BYTES_MAX (256 << 20)

/* A file that was written. */
typedef struct written {
    struct written *next;
    const char *path;
    bool was_there;
} written;

typedef struct exporting {
    fl_session *session;
    const fl_sql_bound *bound;
    fl_arena arena;
    fl_str *names; /* of tables and views, sorted; without temporary ones */
    fl_catalog_entry *entries;
    fl_str *files; /* of tables */
    bool *is_done; /* views that are written */
    int32_t n;
    written *files_written;
    const char *folder; /* that was made; NULL: it was there */
    fl_full_name home;  /* where names of the script are that say no schema */
} exporting;

static void add_name(fl_text *text, fl_str name)
{
    fl_text_add_quoted(text, name, '"');
}

static void add_string(fl_text *text, fl_str value)
{
    fl_value v = {.type = FL_TYPE(FL_UTF8), .s = value};
    fl_value_print_sql(text, &v);
}

/* ---- statements ---------------------------------------------------------------------------------------------------- */

/* Runs the statements of a text, whose rows nobody wants. An error has no place: its text is not the user's. */
static fl_status run_script(fl_session *session, fl_str text, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sql_parser parser = {0};
    fl_arena arena;
    fl_arena_init(&arena, &session->statement_memory);
    FL_TRY(fl_sql_parser_init(&parser, &session->statement_memory, text, err));
    for (;;) {
        fl_ast_statement *ast = NULL;
        fl_rows rows = {0};
        fl_arena_reset(&arena);
        FL_TRY(fl_interrupt_check(&session->interrupt, err));
        FL_TRY(fl_sql_parser_next(&parser, &arena, &ast, err));
        if (ast == NULL)
            break;
        st = fl_session_execute(session, text, ast, NULL, 0, &rows, err);
        fl_rows_drop(&rows);
        FL_TRY(st);
    }
cleanup:
    if (st != FL_OK && err != NULL)
        err->position = 0;
    fl_sql_parser_drop(&parser);
    fl_arena_drop(&arena);
    return st;
}

/* ---- what is written ----------------------------------------------------------------------------------------------- */

static fl_status note_written(exporting *e, fl_str path, fl_err *err)
{
    fl_status st = FL_OK;
    written *w = NULL;
    fl_str copy;
    fl_file_info info;
    FL_TRY(FL_NEW(&e->arena, &w, err));
    FL_TRY(fl_arena_copy_str(&e->arena, path, &copy, err));
    *w = (written){.next = e->files_written, .path = copy.data};
    w->was_there = fl_system_look(e->session->memory.system, w->path, true, &info) == 0;
    e->files_written = w;
cleanup:
    return st;
}

static fl_status path_of(exporting *e, fl_str name, fl_str *ret, fl_err *err)
{
    fl_str folder = e->bound->name;
    while (folder.len > 1 && folder.data[folder.len - 1] == '/')
        folder.len--;
    return fl_arena_format(&e->arena, ret, err, "%.*s/%.*s", FL_STR_ARG(folder), FL_STR_ARG(name));
}

static fl_status write_script(exporting *e, const char *name, const fl_text *text, fl_err *err)
{
    fl_status st = FL_OK;
    fl_new_file file = {.fd = -1};
    fl_str path;
    FL_TRY(fl_text_status(text, err));
    FL_TRY(path_of(e, fl_str_of(name), &path, err));
    FL_TRY(note_written(e, path, err));
    FL_TRY(fl_new_file_open(&e->arena, path, &file, err));
    FL_TRY(fl_new_file_write(&file, fl_text_str(text), err));
    st = fl_new_file_commit(&file, err);
cleanup:
    fl_new_file_drop(&file, st != FL_OK);
    return st;
}

/* ---- schema.sql ---------------------------------------------------------------------------------------------------- */

/* A name in its database, with its schema where it is in one. */
static void add_full_name(exporting *e, fl_text *text, fl_str key)
{
    fl_full_name full;
    if (fl_full_name_of_key(&e->arena, key, &full, NULL) != FL_OK)
        full = (fl_full_name){.schema = FL_MAIN_SCHEMA, .name = key};
    if (!fl_is_main_schema(full.schema) || !fl_is_main_schema(e->home.schema)) {
        add_name(text, full.schema);
        fl_text_add_char(text, '.');
    }
    add_name(text, full.name);
}

/* An expression over columns, which may be called otherwise by now than when it was written. */
static fl_status add_rule(exporting *e, fl_text *text, const fl_table *table, const fl_rule_text *rule, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sql_lexer lexer;
    fl_sql_token token;
    int32_t at = 0;
    FL_TRY(fl_sql_lexer_init(&lexer, rule->text, err));
    do {
        fl_str value = {0};
        FL_TRY(fl_sql_lexer_next(&lexer, &token, err));
        if (token.kind != FL_SQL_WORD && token.kind != FL_SQL_QUOTED)
            continue;
        FL_TRY(fl_sql_token_value(rule->text, &token, &e->arena, &value, err));
        for (int32_t i = 0; i < rule->n_cols; i++)
            if (fl_str_is_equal_nocase(rule->names[i], value) &&
                !fl_str_is_equal_nocase(value, table->fields[rule->cols[i]].name)) {
                fl_text_add(text, (fl_str){rule->text.data + at, token.start - at});
                add_name(text, table->fields[rule->cols[i]].name);
                at = token.end;
                break;
            }
    } while (token.kind != FL_SQL_END);
    fl_text_add(text, (fl_str){rule->text.data + at, rule->text.len - at});
cleanup:
    return st;
}

static void add_columns(fl_text *text, const fl_table *table, const int32_t *cols, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        fl_text_add(text, i > 0 ? FL_STR(", ") : FL_STR(" ("));
        add_name(text, table->fields[cols[i]].name);
    }
    fl_text_add_char(text, ')');
}

static void add_sequence_options(fl_text *text, const fl_sequence *s)
{
    fl_text_addf(text, "INCREMENT %lld MINVALUE %lld MAXVALUE %lld START %lld%s", (long long)s->increment,
                 (long long)s->min, (long long)s->max, (long long)s->start, s->cycles ? " CYCLE" : "");
}

static const fl_sequence *find_sequence(const fl_engine *engine, fl_str name)
{
    const fl_sequence *s = engine->sequences;
    while (s != NULL && !fl_str_is_equal_nocase(fl_str_of(s->name), name))
        s = s->next;
    return s;
}

/* A default in parentheses, which may be its own. */
static fl_status add_default(fl_text *text, fl_str written, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sql_lexer lexer;
    fl_sql_token token;
    int32_t depth = 0;
    bool is_one = written.data[0] == '(';
    FL_TRY(fl_sql_lexer_init(&lexer, written, err));
    do {
        FL_TRY(fl_sql_lexer_next(&lexer, &token, err));
        depth += (token.kind == FL_SQL_LEFT_PAREN) - (token.kind == FL_SQL_RIGHT_PAREN);
        is_one &= depth > 0 || token.kind == FL_SQL_END || token.end == written.len;
    } while (token.kind != FL_SQL_END);
    fl_text_addf(text, is_one ? " DEFAULT %.*s" : " DEFAULT (%.*s)", FL_STR_ARG(written));
cleanup:
    return st;
}

static fl_status add_column(exporting *e, fl_text *text, const fl_table *table, int32_t i, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_column_rules *rules = fl_memory_table_rules(table);
    add_name(text, table->fields[i].name);
    fl_text_add_char(text, ' ');
    fl_type type = table->fields[i].type;
    fl_type_print(text, type);
    if (fl_type_is_text(type) && fl_collation_has_key((fl_collation)type.precision)) {
        fl_text_add(text, FL_STR(" COLLATE "));
        add_name(text, fl_str_of(fl_collation_name((fl_collation)type.precision)));
    }
    if (rules == NULL)
        return FL_OK;
    if (rules[i].identity != FL_IDENTITY_NONE) {
        pthread_mutex_lock(&e->session->engine->lock);
        const fl_sequence *s = find_sequence(e->session->engine, rules[i].sequence);
        fl_text_add(text, rules[i].identity == FL_IDENTITY_ALWAYS ? FL_STR(" GENERATED ALWAYS AS IDENTITY")
                                                                  : FL_STR(" GENERATED BY DEFAULT AS IDENTITY"));
        if (s != NULL) {
            fl_text_add(text, FL_STR(" ("));
            add_sequence_options(text, s);
            fl_text_add_char(text, ')');
        }
        pthread_mutex_unlock(&e->session->engine->lock);
    } else if (rules[i].generated.text.len > 0) {
        fl_text_add(text, FL_STR(" GENERATED ALWAYS AS ("));
        FL_TRY(add_rule(e, text, table, &rules[i].generated, err));
        fl_text_add(text, FL_STR(") STORED"));
    } else if (rules[i].default_text.len > 0) {
        FL_TRY(add_default(text, rules[i].default_text, err));
    }
    if (rules[i].is_not_null)
        fl_text_add(text, FL_STR(" NOT NULL"));
cleanup:
    return st;
}

static fl_status add_table(exporting *e, fl_text *text, fl_str name, const fl_table *table, bool is_temporary,
                           fl_err *err)
{
    fl_status st = FL_OK;
    const fl_table_constraints *constraints = fl_memory_table_constraints(table);
    fl_text_add(text, is_temporary ? FL_STR("CREATE TEMPORARY TABLE ") : FL_STR("CREATE TABLE "));
    add_full_name(e, text, name);
    fl_text_add_char(text, '(');
    for (int32_t i = 0; i < table->n_cols; i++) {
        fl_text_add(text, i > 0 ? FL_STR(", ") : FL_STR(""));
        FL_TRY(add_column(e, text, table, i, err));
    }
    for (int32_t k = 0; k < table->n_keys; k++) {
        const fl_table_key *key = &table->keys[k];
        fl_text_add(text, FL_STR(", CONSTRAINT "));
        add_name(text, key->name);
        fl_text_add(text, key->is_primary ? FL_STR(" PRIMARY KEY") : FL_STR(" UNIQUE"));
        add_columns(text, table, key->cols, key->n_cols);
    }
    for (int32_t k = 0; k < constraints->n_checks; k++) {
        fl_text_add(text, FL_STR(", CONSTRAINT "));
        add_name(text, constraints->checks[k].name);
        fl_text_add(text, FL_STR(" CHECK ("));
        FL_TRY(add_rule(e, text, table, &constraints->checks[k].condition, err));
        fl_text_add_char(text, ')');
    }
    fl_text_add(text, FL_STR(");\n"));
cleanup:
    return st;
}

/* Foreign keys come last, behind the rows of all tables. */
static void add_foreign_keys(exporting *e, fl_text *load, fl_str name, const fl_table *table)
{
    static const char *const actions[] = {"NO ACTION", "CASCADE", "SET NULL"};
    const fl_table_constraints *constraints = fl_memory_table_constraints(table);
    for (int32_t k = 0; k < constraints->n_foreign_keys; k++) {
        const fl_foreign_key *key = &constraints->foreign_keys[k];
        fl_text_add(load, FL_STR("ALTER TABLE "));
        add_full_name(e, load, name);
        fl_text_add(load, FL_STR(" ADD CONSTRAINT "));
        add_name(load, key->name);
        fl_text_add(load, FL_STR(" FOREIGN KEY"));
        add_columns(load, table, key->cols, key->n_cols);
        fl_text_add(load, FL_STR(" REFERENCES "));
        add_full_name(e, load, key->table);
        for (int32_t i = 0; i < key->n_cols; i++) {
            fl_text_add(load, i > 0 ? FL_STR(", ") : FL_STR(" ("));
            add_name(load, key->table_cols[i]);
        }
        fl_text_addf(load, ") ON DELETE %s ON UPDATE %s;\n", actions[key->on_delete], actions[key->on_update]);
    }
}

fl_status fl_table_print_sql(fl_session *session, const fl_full_name *name, const fl_table *table, bool is_temporary,
                             fl_text *ret_table, fl_text *ret_foreign_keys, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str key;
    exporting e = {.session = session};
    fl_arena_init(&e.arena, &session->statement_memory);
    e.home = (fl_full_name){.database = session->home->database, .schema = session->home->schema};
    FL_TRY(fl_full_name_key(&e.arena, name, &key, err));
    FL_TRY(add_table(&e, ret_table, key, table, is_temporary, err));
    add_foreign_keys(&e, ret_foreign_keys, key, table);
    FL_TRY(fl_text_status(ret_table, err));
    st = fl_text_status(ret_foreign_keys, err);
cleanup:
    fl_arena_drop(&e.arena);
    return st;
}

/* What an identity column's sequence is called when the table is made. */
static fl_status name_sequence(exporting *e, fl_str table, fl_str column, fl_str *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_full_name full;
    FL_TRY(fl_full_name_of_key(&e->arena, table, &full, err));
    FL_TRY(fl_arena_format(&e->arena, &full.name, err, "%.*s_%.*s_seq", FL_STR_ARG(full.name), FL_STR_ARG(column)));
    full.database = FL_MAIN_DATABASE;
    st = fl_full_name_key(&e->arena, &full, ret, err);
cleanup:
    return st;
}

/* The name that a sequence has after IMPORT, where it is an identity column's, with which it is made; empty: it is none's. */
static fl_status name_of_identity(exporting *e, fl_str sequence, fl_str *ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = (fl_str){0};
    for (int32_t i = 0; i < e->n && st == FL_OK; i++) {
        const fl_table *table = e->entries[i].table;
        const fl_column_rules *rules = table != NULL ? fl_memory_table_rules(table) : NULL;
        for (int32_t c = 0; rules != NULL && c < table->n_cols && st == FL_OK; c++)
            if (rules[c].identity != FL_IDENTITY_NONE && fl_str_is_equal_nocase(rules[c].sequence, sequence))
                st = name_sequence(e, e->names[i], table->fields[c].name, ret, err);
    }
    return st;
}

/* A key of the database that need not be said. */
static fl_status name_relative(exporting *e, fl_str key, fl_str *ret, fl_err *err)
{
    fl_full_name full;
    fl_status st = fl_full_name_of_key(&e->arena, key, &full, err);
    full.database = FL_MAIN_DATABASE;
    return st != FL_OK ? st : fl_full_name_key(&e->arena, &full, ret, err);
}

/* Whether a table is none of those that are written. */
static bool is_left_out(const exporting *e, fl_str table)
{
    bool is_written = false;
    for (int32_t i = 0; i < e->n; i++)
        is_written |= fl_str_is_equal_nocase(e->names[i], table);
    return !is_written;
}

/* What they gave last is set behind the rows. */
static fl_status add_schemas_and_sequences(exporting *e, fl_text *text, fl_text *load, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = e->session->engine;
    fl_sequence *sequences = NULL;
    fl_str *names = NULL;
    int32_t n = 0;
    pthread_mutex_lock(&engine->lock);
    fl_str database = e->session->home->database;
    for (const fl_schema *s = engine->schemas; s != NULL; s = s->next) {
        if (!fl_str_is_equal_nocase(fl_str_of(s->database), database))
            continue;
        fl_text_add(text, FL_STR("CREATE SCHEMA "));
        add_name(text, fl_str_of(s->name));
        fl_text_add(text, FL_STR(";\n"));
    }
    for (const fl_sequence *s = engine->sequences; s != NULL; s = s->next)
        n++;
    st = FL_NEW_ARRAY(&e->arena, n + 1, &sequences, err);
    if (st == FL_OK)
        st = FL_NEW_ARRAY(&e->arena, n + 1, &names, err);
    n = 0;
    for (const fl_sequence *s = engine->sequences; s != NULL && st == FL_OK; s = s->next) {
        if (!fl_key_is_in(fl_str_of(s->name), database, (fl_str){0}) ||
            (s->table_name != NULL && is_left_out(e, fl_str_of(s->table_name))))
            continue;
        sequences[n] = *s;
        st = fl_arena_copy_str(&e->arena, fl_str_of(s->name), &names[n++], err);
    }
    pthread_mutex_unlock(&engine->lock);
    for (int32_t i = 0; i < n && st == FL_OK; i++) {
        fl_str identity = {0};
        st = name_of_identity(e, names[i], &identity, err);
        if (st == FL_OK && identity.len == 0) {
            fl_text_add(text, FL_STR("CREATE SEQUENCE "));
            add_full_name(e, text, names[i]);
            fl_text_add_char(text, ' ');
            add_sequence_options(text, &sequences[i]);
            fl_text_add(text, FL_STR(";\n"));
        }
        fl_text_add(load, FL_STR("SELECT setval("));
        if (st == FL_OK && identity.len == 0)
            st = name_relative(e, names[i], &identity, err);
        add_string(load, identity);
        fl_text_addf(load, ", %lld, %s);\n", (long long)sequences[i].last, sequences[i].is_given ? "true" : "false");
    }
    return st;
}

/* What is written from here on is read where its names mean what they meant when it was made. */
static void go_to(exporting *e, fl_text *text, fl_str database, fl_str schema)
{
    bool is_own = fl_str_is_equal_nocase(database, e->session->home->database);
    if (fl_str_is_equal_nocase(database, e->home.database) && fl_str_is_equal_nocase(schema, e->home.schema))
        return;
    fl_text_add(text, FL_STR("USE "));
    if (!is_own) {
        add_name(text, database);
        fl_text_add_char(text, '.');
    }
    add_name(text, schema);
    fl_text_add(text, FL_STR(";\n"));
    e->home = (fl_full_name){.database = database, .schema = schema};
}

static fl_status add_macros(exporting *e, fl_text *text, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = e->session->engine;
    pthread_mutex_lock(&engine->lock);
    for (const fl_macro *m = engine->macros; m != NULL; m = m->next) {
        fl_str name, database, schema;
        if (!fl_key_is_in(fl_str_of(m->name), e->session->home->database, (fl_str){0}))
            continue;
        FL_TRY(fl_arena_copy_str(&e->arena, fl_str_of(m->name), &name, err));
        FL_TRY(fl_arena_copy_str(&e->arena, fl_str_of(m->database), &database, err));
        FL_TRY(fl_arena_copy_str(&e->arena, fl_str_of(m->schema), &schema, err));
        go_to(e, text, database, schema);
        fl_text_add(text, m->kind == FL_MACRO_TYPE ? FL_STR("CREATE TYPE ") : FL_STR("CREATE MACRO "));
        add_full_name(e, text, name);
        fl_text_addf(text, "%s%s;\n", m->kind == FL_MACRO_TYPE ? " AS " : "", m->text);
    }
cleanup:
    pthread_mutex_unlock(&engine->lock);
    return st;
}

static void add_view(exporting *e, fl_text *text, fl_str name, const fl_catalog_entry *view)
{
    go_to(e, text, view->database, view->schema);
    fl_text_add(text, FL_STR("CREATE VIEW "));
    add_full_name(e, text, name);
    for (int32_t i = 0; i < view->n_view_cols; i++) {
        fl_text_add(text, i > 0 ? FL_STR(", ") : FL_STR(" ("));
        add_name(text, view->view_cols[i]);
    }
    fl_text_addf(text, "%s AS %.*s;\n", view->n_view_cols > 0 ? ")" : "", FL_STR_ARG(view->view_text));
}

/* Whether a text has the name in it, whatever its case: a view's text then may read it. */
static bool mentions(fl_str text, fl_str name)
{
    for (int64_t i = 0; i + name.len <= text.len; i++)
        if (fl_str_is_equal_nocase((fl_str){text.data + i, name.len}, name))
            return true;
    return false;
}

/* A view behind those that it may read. */
static void add_views_from(exporting *e, fl_text *text, int32_t i)
{
    if (e->is_done[i] || e->entries[i].table != NULL)
        return;
    e->is_done[i] = true;
    for (int32_t k = 0; k < e->n; k++)
        if (k != i && mentions(e->entries[i].view_text, e->names[k]))
            add_views_from(e, text, k);
    add_view(e, text, e->names[i], &e->entries[i]);
}

/* COMMENT ON what name IS text, of a thing that has a comment. The engine's lock is held. */
static void add_comment(exporting *e, fl_text *text, const char *what, fl_str key, fl_str column, const char *comment)
{
    if (comment == NULL || !fl_key_is_in(key, e->session->home->database, (fl_str){0}))
        return;
    fl_text_addf(text, "COMMENT ON %s ", what);
    add_full_name(e, text, key);
    if (column.len > 0) {
        fl_text_add_char(text, '.');
        add_name(text, column);
    }
    fl_text_add(text, FL_STR(" IS "));
    add_string(text, fl_str_of(comment));
    fl_text_add(text, FL_STR(";\n"));
}

static fl_status add_item_comments(exporting *e, fl_text *text, const fl_catalog_item *item, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str key = fl_str_of(item->name);
    add_comment(e, text, item->table != NULL ? "TABLE" : "VIEW", key, (fl_str){0}, item->comment);
    for (const fl_named_comment *c = item->comments; c != NULL; c = c->next) {
        fl_full_name full;
        fl_str index;
        if (!c->is_key) {
            add_comment(e, text, "COLUMN", key, fl_str_of(c->name), c->text);
            continue;
        }
        FL_TRY(fl_full_name_of_key(&e->arena, key, &full, err));
        full.name = fl_str_of(c->name);
        FL_TRY(fl_full_name_key(&e->arena, &full, &index, err));
        add_comment(e, text, "INDEX", index, (fl_str){0}, c->text);
    }
cleanup:
    return st;
}

static fl_status add_comments(exporting *e, fl_text *text, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = e->session->engine;
    pthread_mutex_lock(&engine->lock);
    const char *on_main = engine->main_comment;
    for (const fl_database *d = engine->databases; d != NULL; d = d->next)
        if (fl_str_is_equal_nocase(fl_str_of(d->name), e->session->home->database))
            on_main = d->main_comment;
    if (on_main != NULL) {
        fl_text_add(text, FL_STR("COMMENT ON SCHEMA main IS "));
        add_string(text, fl_str_of(on_main));
        fl_text_add(text, FL_STR(";\n"));
    }
    for (const fl_schema *s = engine->schemas; s != NULL; s = s->next) {
        if (s->comment == NULL || !fl_str_is_equal_nocase(fl_str_of(s->database), e->session->home->database))
            continue;
        fl_text_add(text, FL_STR("COMMENT ON SCHEMA "));
        add_name(text, fl_str_of(s->name));
        fl_text_add(text, FL_STR(" IS "));
        add_string(text, fl_str_of(s->comment));
        fl_text_add(text, FL_STR(";\n"));
    }
    for (int32_t i = 0; i < engine->n_items; i++)
        FL_TRY(add_item_comments(e, text, &engine->items[i], err));
    for (const fl_sequence *s = engine->sequences; s != NULL; s = s->next)
        add_comment(e, text, "SEQUENCE", fl_str_of(s->name), (fl_str){0}, s->comment);
    for (const fl_macro *m = engine->macros; m != NULL; m = m->next)
        add_comment(e, text,
                    m->kind == FL_MACRO_TABLE  ? "MACRO TABLE"
                    : m->kind == FL_MACRO_TYPE ? "TYPE"
                                               : "MACRO",
                    fl_str_of(m->name), (fl_str){0}, m->comment);
cleanup:
    pthread_mutex_unlock(&engine->lock);
    return st;
}

/* ---- EXPORT -------------------------------------------------------------------------------------------------------- */

/* A file's name of a table's: what is no letter, digit or one of -_ becomes _; of several that are the same then later ones are numbered. */
static fl_status name_file(exporting *e, int32_t i, fl_err *err)
{
    fl_status st = FL_OK;
    char *plain = NULL;
    fl_str name = e->names[i], suffix = e->bound->names[0];
    bool is_taken = true;
    FL_TRY(fl_arena_get(&e->arena, name.len + 1, (void **)&plain, err));
    for (int64_t k = 0; k < name.len; k++) {
        char c = fl_char_lower(name.data[k]);
        plain[k] = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ? c : '_';
    }
    for (int32_t n = 0; is_taken; n++) {
        if (n == 0)
            FL_TRY(fl_arena_format(&e->arena, &e->files[i], err, "%.*s%.*s", (int)name.len, plain, FL_STR_ARG(suffix)));
        else
            FL_TRY(fl_arena_format(&e->arena, &e->files[i], err, "%.*s_%d%.*s", (int)name.len, plain, n,
                                   FL_STR_ARG(suffix)));
        is_taken = false;
        for (int32_t k = 0; k < i; k++)
            is_taken |= e->entries[k].table != NULL && fl_str_is_equal(e->files[k], e->files[i]);
    }
cleanup:
    return st;
}

/* The columns that are no others' expressions, where there are such. */
static fl_status add_given_columns(exporting *e, fl_text *text, const fl_table *table, fl_err *err)
{
    const fl_column_rules *rules = fl_memory_table_rules(table);
    int32_t *given = NULL, n = 0;
    fl_status st = FL_NEW_ARRAY(&e->arena, table->n_cols + 1, &given, err);
    for (int32_t i = 0; i < table->n_cols && st == FL_OK; i++)
        if (rules == NULL || rules[i].generated.text.len == 0)
            given[n++] = i;
    if (st == FL_OK && n < table->n_cols && n > 0)
        add_columns(text, table, given, n);
    return st;
}

static fl_status export_table(exporting *e, int32_t i, fl_text *load, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str path, options = e->bound->view_text;
    fl_text copy;
    fl_text_init(&copy, &e->session->statement_memory);
    FL_TRY(name_file(e, i, err));
    FL_TRY(path_of(e, e->files[i], &path, err));
    FL_TRY(note_written(e, path, err));
    fl_text_add(&copy, FL_STR("COPY "));
    add_full_name(e, &copy, e->names[i]);
    FL_TRY(add_given_columns(e, &copy, e->entries[i].table, err));
    fl_text_add(&copy, FL_STR(" TO "));
    add_string(&copy, path);
    fl_text_addf(&copy, " %.*s", FL_STR_ARG(options));
    FL_TRY(fl_text_status(&copy, err));
    FL_TRY(run_script(e->session, fl_text_str(&copy), err));
    fl_text_add(load, FL_STR("COPY "));
    add_full_name(e, load, e->names[i]);
    FL_TRY(add_given_columns(e, load, e->entries[i].table, err));
    fl_text_add(load, FL_STR(" FROM "));
    add_string(load, path);
    fl_text_addf(load, " %.*s;\n", FL_STR_ARG(e->bound->names[1]));
cleanup:
    fl_text_drop(&copy);
    return st;
}

static fl_status make_folder(exporting *e, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str folder;
    fl_file_info info;
    FL_TRY(fl_arena_copy_str(&e->arena, e->bound->name, &folder, err));
    const fl_system *system = e->session->memory.system;
    int failure = fl_system_create_folder(system, folder.data);
    e->folder = failure == 0 ? folder.data : NULL;
    if (failure == -EEXIST && fl_system_look(system, folder.data, true, &info) == 0 && info.kind != FL_FILE_FOLDER)
        failure = -ENOTDIR;
    if (failure < 0 && failure != -EEXIST)
        st = fl_new_file_fail(system, folder.data, "make the folder", failure, err);
cleanup:
    return st;
}

static fl_status look_up(exporting *e, fl_err *err)
{
    fl_status st = FL_OK;
    fl_session_catalog catalog;
    fl_session_catalog_init(&catalog, e->session, &e->arena);
    FL_TRY(fl_engine_names(e->session->engine, &e->arena, &e->names, &e->n, err));
    FL_TRY(FL_NEW_ARRAY(&e->arena, e->n + 1, &e->entries, err));
    FL_TRY(FL_NEW_ARRAY(&e->arena, e->n + 1, &e->files, err));
    FL_TRY(FL_NEW_ARRAY(&e->arena, e->n + 1, &e->is_done, err));
    int32_t n = e->n;
    e->n = 0;
    for (int32_t i = 0; i < n; i++)
        if (fl_key_is_in(e->names[i], e->session->home->database, (fl_str){0}) &&
            !fl_engine_is_temporary(e->session->engine, e->names[i]))
            e->names[e->n++] = e->names[i];
    for (int32_t i = 0; i < e->n; i++)
        FL_TRY(catalog.base.find(&catalog.base, e->names[i], &e->entries[i], err));
cleanup:
    return st;
}

static void undo(exporting *e)
{
    const fl_system *system = e->session->memory.system;
    for (const written *w = e->files_written; w != NULL; w = w->next)
        if (!w->was_there)
            (void)fl_system_remove(system, w->path);
    if (e->folder != NULL)
        (void)fl_system_remove_folder(system, e->folder);
}

fl_status fl_session_export(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    exporting e = {.session = session, .bound = bound};
    fl_text schema, load, states;
    fl_arena_init(&e.arena, &session->statement_memory);
    fl_text_init(&schema, &session->statement_memory);
    fl_text_init(&load, &session->statement_memory);
    fl_text_init(&states, &session->statement_memory);
    FL_ASSERT(bound->n_names == 2);
    const fl_home *home = session->home;
    e.home = (fl_full_name){.database = home->database, .schema = FL_MAIN_SCHEMA};
    FL_TRY(fl_session_go_to(session, home->database, FL_MAIN_SCHEMA, err));
    FL_TRY(look_up(&e, err));
    FL_TRY(make_folder(&e, err));
    FL_TRY(add_schemas_and_sequences(&e, &schema, &states, err));
    FL_TRY(add_macros(&e, &schema, err));
    go_to(&e, &schema, home->database, FL_MAIN_SCHEMA);
    for (int32_t i = 0; i < e.n; i++)
        if (e.entries[i].table != NULL) {
            FL_TRY(add_table(&e, &schema, e.names[i], e.entries[i].table, false, err));
            FL_TRY(export_table(&e, i, &load, err));
        }
    for (int32_t i = 0; i < e.n; i++)
        if (e.entries[i].table != NULL)
            add_foreign_keys(&e, &load, e.names[i], e.entries[i].table);
    for (int32_t i = 0; i < e.n; i++)
        add_views_from(&e, &schema, i);
    go_to(&e, &schema, home->database, FL_MAIN_SCHEMA);
    FL_TRY(add_comments(&e, &schema, err));
    FL_TRY(write_script(&e, "schema.sql", &schema, err));
    FL_TRY(fl_text_status(&states, err));
    fl_text_add(&load, fl_text_str(&states));
    FL_TRY(write_script(&e, "load.sql", &load, err));
cleanup:
    atomic_store(&session->home, home);
    if (st != FL_OK)
        undo(&e);
    for (int32_t i = 0; i < e.n && e.entries != NULL; i++)
        fl_table_unref(e.entries[i].table);
    fl_text_drop(&schema);
    fl_text_drop(&load);
    fl_text_drop(&states);
    fl_arena_drop(&e.arena);
    return st;
}

/* ---- IMPORT -------------------------------------------------------------------------------------------------------- */

static fl_status read_script(fl_session *session, fl_str folder, const char *name, fl_arena *arena, fl_str *ret,
                             fl_err *err)
{
    fl_status st = FL_OK;
    fl_file *file = NULL;
    char *text = NULL;
    fl_str path;
    while (folder.len > 1 && folder.data[folder.len - 1] == '/')
        folder.len--;
    FL_TRY(fl_arena_format(arena, &path, err, "%.*s/%s", FL_STR_ARG(folder), name));
    FL_TRY(fl_file_open(session->memory.system, path, &file, err));
    if (file->bytes > SCRIPT_BYTES_MAX) {
        st = FL_FAIL(err, FL_ERR_LIMIT, "\"%s\" has more than %d bytes", file->path, SCRIPT_BYTES_MAX);
        goto cleanup;
    }
    FL_TRY(fl_arena_get(arena, file->bytes + 1, (void **)&text, err));
    FL_TRY(fl_file_read_at(file, 0, text, file->bytes, err));
    *ret = (fl_str){text, file->bytes};
cleanup:
    fl_file_unref(file);
    return st;
}

/* What there was before an import. */
typedef struct before {
    fl_str *names; /* of tables and views */
    int32_t n;
    int64_t n_made; /* of others */
} before;

static fl_status look_before(fl_engine *engine, fl_arena *arena, before *ret, fl_err *err)
{
    pthread_mutex_lock(&engine->lock);
    ret->n_made = engine->n_made;
    pthread_mutex_unlock(&engine->lock);
    return fl_engine_names(engine, arena, &ret->names, &ret->n, err);
}

static void forget_new_others(fl_engine *engine, int64_t n_made)
{
    pthread_mutex_lock(&engine->lock);
    for (fl_sequence **at = &engine->sequences; *at != NULL;) {
        fl_sequence *s = *at;
        *at = s->made > n_made ? s->next : *at;
        if (s->made > n_made)
            fl_sequence_free(s);
        else
            at = &s->next;
    }
    for (fl_macro **at = &engine->macros; *at != NULL;) {
        fl_macro *m = *at;
        *at = m->made > n_made ? m->next : *at;
        if (m->made > n_made)
            fl_macro_free(m);
        else
            at = &m->next;
    }
    for (fl_schema **at = &engine->schemas; *at != NULL;) {
        fl_schema *s = *at;
        *at = s->made > n_made ? s->next : *at;
        if (s->made > n_made)
            fl_schema_free(s);
        else
            at = &s->next;
    }
    pthread_mutex_unlock(&engine->lock);
}

/* Takes away what was not there before. The statement's memory may be used up, or its work be told to stop: what this needs is not counted. */
static void forget_new(fl_session *session, const before *then)
{
    fl_str *now = NULL;
    int32_t n = 0;
    fl_arena arena;
    fl_arena_init(&arena, NULL);
    if (fl_engine_names(session->engine, &arena, &now, &n, NULL) != FL_OK)
        n = 0;
    for (int32_t i = 0; i < n; i++) {
        bool is_new = true;
        for (int32_t k = 0; k < then->n; k++)
            is_new &= !fl_str_is_equal(now[i], then->names[k]);
        if (is_new)
            (void)fl_engine_drop(session->engine, now[i], fl_engine_has(session->engine, now[i]) == 2, true, -1, NULL);
    }
    forget_new_others(session->engine, then->n_made);
    fl_arena_drop(&arena);
}

fl_status fl_session_import(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena arena;
    before then = {0};
    fl_str schema, load;
    const fl_home *home = session->home;
    fl_arena_init(&arena, &session->statement_memory);
    FL_TRY(look_before(session->engine, &arena, &then, err));
    st = read_script(session, bound->name, "schema.sql", &arena, &schema, err);
    if (st == FL_OK)
        st = read_script(session, bound->name, "load.sql", &arena, &load, err);
    if (st != FL_OK) {
        fl_err_at(err, bound->name_pos);
        goto cleanup;
    }
    FL_TRY(fl_session_go_to(session, home->database, FL_MAIN_SCHEMA, err));
    st = run_script(session, schema, err);
    if (st == FL_OK)
        st = run_script(session, load, err);
    atomic_store(&session->home, home);
    if (st != FL_OK)
        forget_new(session, &then);
cleanup:
    fl_arena_drop(&arena);
    return st;
}
