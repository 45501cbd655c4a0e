/* The tables: their columns, and what fills them. */
#include "engine/system_tables.h"

#include "base/hash.h"
#include "base/text.h"
#include "engine/filled_table.h"
#include "format/rejects.h"
#include "front/sql/lexer.h"
#include "plan/table_rules.h"

#define DATABASE "fletch" /* of what is built in */

typedef struct listed_comment {
    struct listed_comment *next;
    fl_str column, text;
} listed_comment;

/* A named table or view as it was when the statement began. */
typedef struct listed {
    fl_str database, schema, name;
    fl_table *table; /* NULL: a view; a reference */
    fl_str view_text, comment;
    listed_comment *comments; /* on its columns */
    bool is_temporary;
} listed;

typedef struct filling {
    fl_session *session;
    fl_arena *arena;
    const fl_value *args;
    fl_filled_table table;
    listed *tables;
    int32_t n_tables;
} filling;

typedef struct system_table {
    const char *name;     /* with its schema; NULL: only a function */
    const char *function; /* NULL: only a name */
    int32_t n_args;       /* of the function: a text */
    const char *columns;
    fl_status (*fill)(filling *f, fl_err *err);
} system_table;

/* A number that stands for a name as long as the engine lives: what drivers join by. */
static int64_t oid_of(fl_str schema, fl_str name)
{
    return (int64_t)(fl_hash_combine(fl_hash_bytes(schema.data, schema.len), fl_hash_bytes(name.data, name.len)) &
                     0x7FFFFFFF);
}

/* ---- what there is ---- */

static fl_status list_comments(filling *f, const fl_catalog_item *item, listed *ret, fl_err *err)
{
    fl_status st = FL_OK;
    if (item->comment != NULL)
        FL_TRY(fl_arena_copy_str(f->arena, fl_str_of(item->comment), &ret->comment, err));
    for (const fl_named_comment *c = item->comments; c != NULL; c = c->next) {
        listed_comment *made = NULL;
        if (c->is_key)
            continue;
        FL_TRY(FL_NEW(f->arena, &made, err));
        FL_TRY(fl_arena_copy_str(f->arena, fl_str_of(c->name), &made->column, err));
        FL_TRY(fl_arena_copy_str(f->arena, fl_str_of(c->text), &made->text, err));
        made->next = ret->comments;
        ret->comments = made;
    }
cleanup:
    return st;
}

static fl_str column_comment(const listed *t, fl_str column)
{
    const listed_comment *c = t->comments;
    while (c != NULL && !fl_str_is_equal_nocase(c->column, column))
        c = c->next;
    return c != NULL ? c->text : (fl_str){0};
}

static fl_status list_tables(filling *f, fl_err *err)
{
    fl_engine *engine = f->session->engine;
    pthread_mutex_lock(&engine->lock);
    fl_status st = FL_NEW_ARRAY(f->arena, engine->n_items + 1, &f->tables, err);
    for (int32_t i = 0; i < engine->n_items && st == FL_OK; i++) {
        const fl_catalog_item *item = &engine->items[i];
        listed *to = &f->tables[f->n_tables];
        fl_full_name full;
        fl_str key;
        st = fl_arena_copy_str(f->arena, fl_str_of(item->name), &key, err);
        if (st == FL_OK)
            st = fl_full_name_of_key(f->arena, key, &full, err);
        if (st == FL_OK)
            *to = (listed){.database = full.database,
                           .schema = full.schema,
                           .name = full.name,
                           .is_temporary = item->is_temporary};
        if (st == FL_OK && item->table == NULL)
            st = fl_arena_copy_str(f->arena, fl_str_of(item->view_text), &to->view_text, err);
        if (st == FL_OK)
            st = list_comments(f, item, to, err);
        if (st == FL_OK && item->table != NULL)
            to->table = fl_table_ref(item->table);
        f->n_tables += st == FL_OK;
    }
    pthread_mutex_unlock(&engine->lock);
    return st;
}

/* Database and schema of each. */
static fl_status list_schemas(filling *f, fl_full_name **ret, int32_t *ret_n, fl_err *err)
{
    static const char *const told[] = {"information_schema", "main", "pg_catalog"};
    fl_status st = FL_OK;
    fl_engine *engine = f->session->engine;
    fl_str *databases = NULL;
    int32_t n_databases = 0, n = 0;
    FL_TRY(fl_engine_databases(engine, f->arena, &databases, &n_databases, err));
    pthread_mutex_lock(&engine->lock);
    for (const fl_schema *s = engine->schemas; s != NULL; s = s->next)
        n++;
    st = FL_NEW_ARRAY(f->arena, n_databases * FL_LEN(told) + n, ret, err);
    n = 0;
    for (int32_t d = 0; d < n_databases && st == FL_OK; d++)
        for (int64_t i = 0; i < FL_LEN(told); i++)
            (*ret)[n++] = (fl_full_name){.database = databases[d], .schema = fl_str_of(told[i])};
    for (const fl_schema *s = engine->schemas; s != NULL && st == FL_OK; s = s->next, n++) {
        st = fl_arena_copy_str(f->arena, fl_str_of(s->database), &(*ret)[n].database, err);
        if (st == FL_OK)
            st = fl_arena_copy_str(f->arena, fl_str_of(s->name), &(*ret)[n].schema, err);
    }
    pthread_mutex_unlock(&engine->lock);
    *ret_n = n;
cleanup:
    return st;
}

static bool is_not_null(const fl_table *table, int32_t col)
{
    const fl_column_rules *rules = fl_memory_table_rules(table);
    bool is = !table->fields[col].nullable || (rules != NULL && rules[col].is_not_null);
    for (int32_t k = 0; k < table->n_keys; k++)
        for (int32_t i = 0; i < table->keys[k].n_cols && table->keys[k].is_primary; i++)
            is |= table->keys[k].cols[i] == col;
    return is;
}

static fl_str default_of(const fl_table *table, int32_t col)
{
    const fl_column_rules *rules = fl_memory_table_rules(table);
    return rules == NULL || rules[col].default_text.len == 0 ? (fl_str){0} : rules[col].default_text;
}

/* ---- information_schema ---- */

static fl_status fill_schemata(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    fl_full_name *names = NULL;
    int32_t n = 0;
    FL_TRY(list_schemas(f, &names, &n, err));
    for (int32_t i = 0; i < n; i++) {
        fl_fill_text(&f->table, names[i].database);
        fl_fill_text(&f->table, names[i].schema);
        fl_fill(&f->table, DATABASE);
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
cleanup:
    return st;
}

static fl_status fill_tables(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < f->n_tables; i++) {
        fl_fill_text(&f->table, f->tables[i].database);
        fl_fill_text(&f->table, f->tables[i].schema);
        fl_fill_text(&f->table, f->tables[i].name);
        fl_fill(&f->table, f->tables[i].table != NULL ? "BASE TABLE" : "VIEW");
        fl_fill(&f->table, NULL);
        fl_fill(&f->table, f->tables[i].table != NULL ? "YES" : "NO");
        fl_fill_text(&f->table, f->tables[i].comment);
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
cleanup:
    return st;
}

static fl_status fill_columns(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < f->n_tables; i++) {
        const fl_table *table = f->tables[i].table;
        for (int32_t col = 0; table != NULL && col < table->n_cols; col++) {
            fl_type type = table->fields[col].type;
            fl_str written = {0};
            FL_TRY(fl_filled_type_name(f->arena, type, &written, err));
            fl_fill_text(&f->table, f->tables[i].database);
            fl_fill_text(&f->table, f->tables[i].schema);
            fl_fill_text(&f->table, f->tables[i].name);
            fl_fill_text(&f->table, table->fields[col].name);
            fl_fill_number(&f->table, col + 1);
            fl_fill_text(&f->table, default_of(table, col));
            fl_fill(&f->table, is_not_null(table, col) ? "NO" : "YES");
            fl_fill_text(&f->table, written);
            if (type.id == FL_DECIMAL) {
                fl_fill_number(&f->table, type.precision);
                fl_fill_number(&f->table, type.scale);
            } else {
                fl_fill_null(&f->table);
                fl_fill_null(&f->table);
            }
            fl_fill_null(&f->table);
            fl_fill_text(&f->table, column_comment(&f->tables[i], table->fields[col].name));
            FL_TRY(fl_filled_table_end_row(&f->table, err));
        }
    }
cleanup:
    return st;
}

static fl_status fill_views(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < f->n_tables; i++) {
        if (f->tables[i].table != NULL)
            continue;
        fl_fill_text(&f->table, f->tables[i].database);
        fl_fill_text(&f->table, f->tables[i].schema);
        fl_fill_text(&f->table, f->tables[i].name);
        fl_fill_text(&f->table, f->tables[i].view_text);
        fl_fill_text(&f->table, f->tables[i].comment);
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
cleanup:
    return st;
}

static fl_status add_constraint(filling *f, const listed *t, fl_str name, const char *type, fl_err *err)
{
    fl_fill_text(&f->table, t->database);
    fl_fill_text(&f->table, t->schema);
    fl_fill_text(&f->table, name);
    fl_fill_text(&f->table, t->schema);
    fl_fill_text(&f->table, t->name);
    fl_fill(&f->table, type);
    return fl_filled_table_end_row(&f->table, err);
}

static fl_status fill_constraints(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < f->n_tables; i++) {
        const listed *t = &f->tables[i];
        if (t->table == NULL)
            continue;
        const fl_table_constraints *constraints = fl_memory_table_constraints(t->table);
        for (int32_t k = 0; k < t->table->n_keys; k++)
            FL_TRY(add_constraint(f, t, t->table->keys[k].name, t->table->keys[k].is_primary ? "PRIMARY KEY" : "UNIQUE",
                                  err));
        for (int32_t k = 0; k < constraints->n_foreign_keys; k++)
            FL_TRY(add_constraint(f, t, constraints->foreign_keys[k].name, "FOREIGN KEY", err));
        for (int32_t k = 0; k < constraints->n_checks; k++)
            FL_TRY(add_constraint(f, t, constraints->checks[k].name, "CHECK", err));
    }
cleanup:
    return st;
}

/* ---- pg_catalog: of the session's database alone ---- */

static bool is_own(const filling *f, fl_str database)
{
    return fl_str_is_equal_nocase(database, f->session->home->database);
}

static fl_status fill_pg_tables(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < f->n_tables; i++) {
        if (f->tables[i].table == NULL || !is_own(f, f->tables[i].database))
            continue;
        fl_fill_text(&f->table, f->tables[i].schema);
        fl_fill_text(&f->table, f->tables[i].name);
        fl_fill(&f->table, DATABASE);
        fl_fill(&f->table, NULL);
        fl_fill_bool(&f->table, f->tables[i].table->n_keys > 0);
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
cleanup:
    return st;
}

static fl_status fill_pg_views(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < f->n_tables; i++) {
        if (f->tables[i].table != NULL || !is_own(f, f->tables[i].database))
            continue;
        fl_fill_text(&f->table, f->tables[i].schema);
        fl_fill_text(&f->table, f->tables[i].name);
        fl_fill(&f->table, DATABASE);
        fl_fill_text(&f->table, f->tables[i].view_text);
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
cleanup:
    return st;
}

static fl_status fill_pg_namespace(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    fl_full_name *names = NULL;
    int32_t n = 0;
    FL_TRY(list_schemas(f, &names, &n, err));
    for (int32_t i = 0; i < n; i++) {
        if (!is_own(f, names[i].database))
            continue;
        fl_fill_number(&f->table, oid_of(names[i].schema, FL_STR("")));
        fl_fill_text(&f->table, names[i].schema);
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
cleanup:
    return st;
}

static fl_status add_sequence_class(filling *f, const fl_sequence *s, fl_err *err)
{
    fl_status st = FL_OK;
    fl_full_name full;
    fl_str key;
    FL_TRY(fl_arena_copy_str(f->arena, fl_str_of(s->name), &key, err));
    FL_TRY(fl_full_name_of_key(f->arena, key, &full, err));
    if (!is_own(f, full.database))
        return FL_OK;
    fl_fill_number(&f->table, oid_of(full.schema, full.name));
    fl_fill_text(&f->table, full.name);
    fl_fill_number(&f->table, oid_of(full.schema, FL_STR("")));
    fl_fill(&f->table, "S");
    fl_fill_number(&f->table, 1);
    fl_fill_number(&f->table, 3);
    fl_fill_bool(&f->table, false);
    st = fl_filled_table_end_row(&f->table, err);
cleanup:
    return st;
}

static fl_status fill_pg_class(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < f->n_tables; i++) {
        const listed *t = &f->tables[i];
        if (!is_own(f, t->database))
            continue;
        fl_fill_number(&f->table, oid_of(t->schema, t->name));
        fl_fill_text(&f->table, t->name);
        fl_fill_number(&f->table, oid_of(t->schema, FL_STR("")));
        fl_fill(&f->table, t->table != NULL ? "r" : "v");
        fl_fill_number(&f->table, t->table != NULL ? (int64_t)t->table->rows : 0);
        fl_fill_number(&f->table, t->table != NULL ? t->table->n_cols : 0);
        fl_fill_bool(&f->table, t->table != NULL && t->table->n_keys > 0);
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
    pthread_mutex_lock(&f->session->engine->lock);
    for (const fl_sequence *s = f->session->engine->sequences; s != NULL && st == FL_OK; s = s->next)
        st = add_sequence_class(f, s, err);
    pthread_mutex_unlock(&f->session->engine->lock);
cleanup:
    return st;
}

static fl_status fill_pg_attribute(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < f->n_tables; i++) {
        const listed *t = &f->tables[i];
        for (int32_t col = 0; t->table != NULL && is_own(f, t->database) && col < t->table->n_cols; col++) {
            fl_str written = {0};
            FL_TRY(fl_filled_type_name(f->arena, t->table->fields[col].type, &written, err));
            fl_fill_number(&f->table, oid_of(t->schema, t->name));
            fl_fill_text(&f->table, t->table->fields[col].name);
            fl_fill_number(&f->table, oid_of(FL_STR("type"), written));
            fl_fill_number(&f->table, col + 1);
            fl_fill_bool(&f->table, is_not_null(t->table, col));
            fl_fill_bool(&f->table, default_of(t->table, col).len > 0);
            fl_fill_bool(&f->table, false);
            FL_TRY(fl_filled_table_end_row(&f->table, err));
        }
    }
cleanup:
    return st;
}

static fl_status add_description(filling *f, int64_t oid, const char *class_name, int64_t number, fl_str text,
                                 fl_err *err)
{
    if (text.len == 0)
        return FL_OK;
    fl_fill_number(&f->table, oid);
    fl_fill_number(&f->table, oid_of(FL_STR("pg_catalog"), fl_str_of(class_name)));
    fl_fill_number(&f->table, number);
    fl_fill_text(&f->table, text);
    return fl_filled_table_end_row(&f->table, err);
}

/* A comment on a thing that has no place in the list of tables. The engine's lock is held. */
static fl_status describe(filling *f, fl_str schema, fl_str name, const char *class_name, const char *comment,
                          fl_err *err)
{
    fl_status st = FL_OK;
    fl_str text;
    if (comment == NULL)
        return FL_OK;
    FL_TRY(fl_arena_copy_str(f->arena, fl_str_of(comment), &text, err));
    st = add_description(f, oid_of(schema, name), class_name, 0, text, err);
cleanup:
    return st;
}

static fl_status describe_others(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = f->session->engine;
    pthread_mutex_lock(&engine->lock);
    if (is_own(f, FL_MAIN_DATABASE))
        FL_TRY(describe(f, FL_MAIN_SCHEMA, FL_STR(""), "pg_namespace", engine->main_comment, err));
    for (const fl_database *d = engine->databases; d != NULL; d = d->next)
        if (is_own(f, fl_str_of(d->name)))
            FL_TRY(describe(f, FL_MAIN_SCHEMA, FL_STR(""), "pg_namespace", d->main_comment, err));
    for (const fl_schema *s = engine->schemas; s != NULL; s = s->next)
        if (is_own(f, fl_str_of(s->database)))
            FL_TRY(describe(f, fl_str_of(s->name), FL_STR(""), "pg_namespace", s->comment, err));
    for (const fl_sequence *s = engine->sequences; s != NULL; s = s->next) {
        fl_full_name full;
        FL_TRY(fl_full_name_of_key(f->arena, fl_str_of(s->name), &full, err));
        if (is_own(f, full.database))
            FL_TRY(describe(f, full.schema, full.name, "pg_class", s->comment, err));
    }
cleanup:
    pthread_mutex_unlock(&engine->lock);
    return st;
}

static fl_status fill_pg_description(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < f->n_tables; i++) {
        const listed *t = &f->tables[i];
        if (!is_own(f, t->database))
            continue;
        FL_TRY(add_description(f, oid_of(t->schema, t->name), "pg_class", 0, t->comment, err));
        for (int32_t c = 0; t->table != NULL && c < t->table->n_cols; c++)
            FL_TRY(add_description(f, oid_of(t->schema, t->name), "pg_class", c + 1,
                                   column_comment(t, t->table->fields[c].name), err));
    }
    st = describe_others(f, err);
cleanup:
    return st;
}

static const char *const type_names[] = {"boolean",   "tinyint",  "smallint", "integer", "bigint",    "utinyint",
                                         "usmallint", "uinteger", "ubigint",  "real",    "double",    "decimal",
                                         "text",      "bytea",    "date",     "time",    "timestamp", "timestamptz",
                                         "interval",  "json",     "uuid",     "bit",     "timetz",    NULL};

static fl_status fill_pg_type(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    for (int i = 0; type_names[i] != NULL; i++) {
        fl_fill_number(&f->table, oid_of(FL_STR("type"), fl_str_of(type_names[i])));
        fl_fill(&f->table, type_names[i]);
        fl_fill_number(&f->table, oid_of(FL_STR("pg_catalog"), FL_STR("")));
        fl_fill(&f->table, "b");
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
cleanup:
    return st;
}

static fl_status fill_settings(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; fl_settings_name(i).len > 0; i++) {
        fl_text text;
        fl_str value = {0};
        fl_text_init(&text, NULL);
        st = fl_settings_print(f->session, fl_settings_name(i), &text, -1, err);
        if (st == FL_OK)
            st = fl_text_status(&text, err);
        if (st == FL_OK)
            st = fl_arena_copy_str(f->arena, fl_text_str(&text), &value, err);
        fl_text_drop(&text);
        FL_TRY(st);
        fl_fill_text(&f->table, fl_settings_name(i));
        fl_fill_text(&f->table, value);
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
cleanup:
    return st;
}

/* ---- lines that were left out ---- */

static fl_status add_reject(void *ctx, const fl_reject *r, fl_err *err)
{
    filling *f = ctx;
    fl_fill_number(&f->table, r->scan);
    fl_fill_number(&f->table, r->file);
    if (r->piece < 0 && r->line >= 0)
        fl_fill_number(&f->table, r->line);
    else
        fl_fill_null(&f->table);
    fl_fill_number(&f->table, r->line_at + 1);
    fl_fill_number(&f->table, r->at + 1);
    fl_fill_number(&f->table, r->column + 1);
    fl_fill_text(&f->table, r->column_name);
    fl_fill(&f->table, r->kind);
    fl_fill_text(&f->table, r->text.data == NULL ? FL_STR("") : r->text);
    fl_fill_text(&f->table, r->message);
    return fl_filled_table_end_row(&f->table, err);
}

static fl_status fill_reject_errors(filling *f, fl_err *err)
{
    return fl_rejects_each(f->session->memory.rejects, add_reject, f, err);
}

static fl_status add_reject_file(void *ctx, const fl_reject_file *r, fl_err *err)
{
    filling *f = ctx;
    fl_fill_number(&f->table, r->scan);
    fl_fill_number(&f->table, r->file);
    fl_fill_text(&f->table, r->path);
    fl_fill_text(&f->table, r->delim);
    fl_fill_text(&f->table, r->quote);
    fl_fill_text(&f->table, r->escape);
    fl_fill_text(&f->table, r->newline);
    fl_fill_number(&f->table, r->skipped);
    fl_fill_bool(&f->table, r->has_header);
    fl_fill_text(&f->table, r->columns);
    fl_fill_text(&f->table, r->date_format);
    fl_fill_text(&f->table, r->timestamp_format);
    fl_fill_text(&f->table, r->options);
    return fl_filled_table_end_row(&f->table, err);
}

static fl_status fill_reject_scans(filling *f, fl_err *err)
{
    return fl_rejects_each_file(f->session->memory.rejects, add_reject_file, f, err);
}

/* ---- DuckDB's functions ---- */

static fl_status fill_sql(filling *f, const listed *l, fl_err *err)
{
    fl_text made, foreign_keys;
    fl_full_name name = {.database = l->database, .schema = l->schema, .name = l->name};
    fl_text_init(&made, &f->session->statement_memory);
    fl_text_init(&foreign_keys, &f->session->statement_memory);
    fl_status st = fl_table_print_sql(f->session, &name, l->table, l->is_temporary, &made, &foreign_keys, err);
    fl_str kept = {0}, kept_keys = {0};
    if (st == FL_OK) /* without the end of its line */
        st = fl_arena_copy_str(f->arena, (fl_str){made.data, made.len - 1}, &kept, err);
    if (st == FL_OK && foreign_keys.len > 0)
        st = fl_arena_copy_str(f->arena, (fl_str){foreign_keys.data, foreign_keys.len - 1}, &kept_keys, err);
    if (st == FL_OK) {
        fl_fill_text(&f->table, kept);
        fl_fill_text(&f->table, kept_keys);
    }
    fl_text_drop(&made);
    fl_text_drop(&foreign_keys);
    return st;
}

static fl_status fill_duckdb_tables(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < f->n_tables; i++) {
        const fl_table *table = f->tables[i].table;
        if (table == NULL)
            continue;
        bool has_primary = false;
        for (int32_t k = 0; k < table->n_keys; k++)
            has_primary |= table->keys[k].is_primary;
        fl_fill_text(&f->table, f->tables[i].database);
        fl_fill_text(&f->table, f->tables[i].schema);
        fl_fill_text(&f->table, f->tables[i].name);
        fl_fill_number(&f->table, oid_of(f->tables[i].schema, f->tables[i].name));
        fl_fill_bool(&f->table, false);
        fl_fill_bool(&f->table, f->tables[i].is_temporary);
        fl_fill_bool(&f->table, has_primary);
        fl_fill_number(&f->table, (int64_t)table->rows);
        fl_fill_number(&f->table, table->n_cols);
        fl_fill_text(&f->table, f->tables[i].comment);
        FL_TRY(fill_sql(f, &f->tables[i], err));
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
cleanup:
    return st;
}

/* The macros, behind the functions. */
static fl_status fill_macros(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = f->session->engine;
    pthread_mutex_lock(&engine->lock);
    for (const fl_macro *m = engine->macros; m != NULL; m = m->next) {
        fl_full_name full;
        fl_str key, text;
        if (m->kind == FL_MACRO_TYPE)
            continue;
        FL_TRY(fl_arena_copy_str(f->arena, fl_str_of(m->name), &key, err));
        FL_TRY(fl_arena_copy_str(f->arena, fl_str_of(m->text), &text, err));
        FL_TRY(fl_full_name_of_key(f->arena, key, &full, err));
        fl_fill_text(&f->table, full.database);
        fl_fill_text(&f->table, full.schema);
        fl_fill_text(&f->table, full.name);
        fl_fill(&f->table, m->kind == FL_MACRO_TABLE ? "table_macro" : "macro");
        fl_fill(&f->table, NULL);
        fl_fill_text(&f->table, text);
        if (m->comment != NULL) {
            FL_TRY(fl_arena_copy_str(f->arena, fl_str_of(m->comment), &text, err));
            fl_fill_text(&f->table, text);
        }
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
cleanup:
    pthread_mutex_unlock(&engine->lock);
    return st;
}

static fl_status fill_functions(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n_funcs = 0, n_aggs = 0, n_formats = 0;
    const fl_registry *registry = f->session->registry;
    const fl_func_desc *const *funcs = fl_registry_funcs(registry, &n_funcs);
    const fl_agg_desc *const *aggs = fl_registry_aggs(registry, &n_aggs);
    const fl_format_desc *const *formats = fl_registry_formats(registry, &n_formats);
    for (int32_t i = 0; i < n_funcs + n_aggs + n_formats; i++) {
        bool is_func = i < n_funcs, is_agg = !is_func && i < n_funcs + n_aggs;
        fl_fill(&f->table, DATABASE);
        fl_fill(&f->table, "main");
        fl_fill(&f->table, is_func  ? funcs[i]->name
                           : is_agg ? aggs[i - n_funcs]->name
                                    : formats[i - n_funcs - n_aggs]->function);
        fl_fill(&f->table, is_func ? "scalar" : is_agg ? "aggregate" : "table");
        fl_fill(&f->table, is_func  ? funcs[i]->doc
                           : is_agg ? aggs[i - n_funcs]->doc
                                    : formats[i - n_funcs - n_aggs]->doc);
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
    st = fill_macros(f, err);
cleanup:
    return st;
}

static fl_status fill_keywords(filling *f, fl_err *err)
{
    static const char *const classes[] = {"unreserved", "column_name", "reserved"};
    fl_status st = FL_OK;
    for (int keyword = FL_KW_NONE + 1; keyword < FL_KW_COUNT; keyword++) {
        fl_fill_text(&f->table, fl_sql_keyword_text((fl_sql_keyword)keyword));
        fl_fill(&f->table, classes[fl_sql_keyword_class_of((fl_sql_keyword)keyword)]);
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
cleanup:
    return st;
}

static fl_status fill_table_info(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str wanted = f->args[0].s, key = {0};
    const listed *found = NULL;
    FL_TRY(fl_session_qualify_text(f->session, wanted, f->arena, &key, err));
    for (int32_t i = 0; i < f->n_tables; i++) {
        const fl_full_name full = {f->tables[i].database, f->tables[i].schema, f->tables[i].name};
        fl_str known;
        FL_TRY(fl_full_name_key(f->arena, &full, &known, err));
        if (fl_str_is_equal_nocase(known, key))
            found = &f->tables[i];
    }
    if (found == NULL || found->table == NULL) {
        fl_nearest near;
        FL_FAIL(err, FL_ERR_TABLE,
                found == NULL ? "there is no table \"%.*s\"" : "\"%.*s\" is a view: DESCRIBE shows its columns",
                FL_STR_ARG(wanted));
        fl_nearest_init(&near, wanted);
        for (int32_t i = 0; i < f->n_tables && found == NULL; i++)
            fl_nearest_offer(&near, f->tables[i].name);
        fl_nearest_hint(&near, err);
        return fl_err_state(err, found == NULL ? "42P01" : "42809", FL_ERR_TABLE);
    }
    for (int32_t col = 0; col < found->table->n_cols; col++) {
        const fl_table *table = found->table;
        fl_str written = {0};
        bool is_primary = false;
        for (int32_t k = 0; k < table->n_keys; k++)
            for (int32_t i = 0; i < table->keys[k].n_cols && table->keys[k].is_primary; i++)
                is_primary |= table->keys[k].cols[i] == col;
        FL_TRY(fl_filled_type_name(f->arena, table->fields[col].type, &written, err));
        fl_fill_number(&f->table, col);
        fl_fill_text(&f->table, table->fields[col].name);
        fl_fill_text(&f->table, written);
        fl_fill_bool(&f->table, is_not_null(table, col));
        fl_fill_text(&f->table, default_of(table, col));
        fl_fill_bool(&f->table, is_primary);
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
cleanup:
    return st;
}

static fl_status fill_databases(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str *names = NULL;
    int32_t n = 0;
    FL_TRY(fl_engine_databases(f->session->engine, f->arena, &names, &n, err));
    for (int32_t i = 0; i < n; i++) {
        fl_fill_number(&f->table, fl_str_is_equal(names[i], FL_MAIN_DATABASE) ? 0 : oid_of(names[i], FL_STR("")));
        fl_fill_text(&f->table, names[i]);
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
cleanup:
    return st;
}

static fl_status fill_variables(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    for (const fl_variable *v = f->session->variables; v != NULL; v = v->next) {
        fl_text text;
        fl_str written, type;
        fl_text_init(&text, NULL);
        fl_value_print(&text, &v->value);
        st = fl_text_status(&text, err);
        if (st == FL_OK)
            st = fl_arena_copy_str(f->arena, fl_text_str(&text), &written, err);
        fl_text_drop(&text);
        FL_TRY(st);
        FL_TRY(fl_filled_type_name(f->arena, v->value.type, &type, err));
        fl_fill_text(&f->table, v->name);
        fl_fill_text(&f->table, written);
        fl_fill_text(&f->table, type);
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
cleanup:
    return st;
}

static fl_status fill_version(filling *f, fl_err *err)
{
    fl_fill(&f->table, FLETCH_VERSION);
    fl_fill(&f->table, "fletch " FLETCH_VERSION);
    return fl_filled_table_end_row(&f->table, err);
}

static fl_status fill_names(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < f->n_tables; i++) {
        fl_fill_text(&f->table, f->tables[i].name);
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
cleanup:
    return st;
}

static fl_status fill_types(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    for (int i = 0; type_names[i] != NULL; i++) {
        fl_fill(&f->table, DATABASE);
        fl_fill(&f->table, "main");
        fl_fill(&f->table, type_names[i]);
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
    fl_engine *engine = f->session->engine;
    pthread_mutex_lock(&engine->lock);
    for (const fl_macro *m = engine->macros; m != NULL && st == FL_OK; m = m->next) {
        fl_full_name full;
        fl_str key;
        if (m->kind != FL_MACRO_TYPE)
            continue;
        st = fl_arena_copy_str(f->arena, fl_str_of(m->name), &key, err);
        if (st == FL_OK)
            st = fl_full_name_of_key(f->arena, key, &full, err);
        if (st != FL_OK)
            break;
        fl_fill_text(&f->table, full.database);
        fl_fill_text(&f->table, full.schema);
        fl_fill_text(&f->table, full.name);
        st = fl_filled_table_end_row(&f->table, err);
    }
    pthread_mutex_unlock(&engine->lock);
cleanup:
    return st;
}

/* ---- the list ---- */

static const system_table system_tables[] = {
    {"information_schema.schemata", NULL, 0, "catalog_name:t schema_name:t schema_owner:t", fill_schemata},
    {"information_schema.tables", NULL, 0,
     "table_catalog:t table_schema:t table_name:t table_type:t self_referencing_column_name:t is_insertable_into:t "
     "table_comment:t",
     fill_tables},
    {"information_schema.columns", NULL, 0,
     "table_catalog:t table_schema:t table_name:t column_name:t ordinal_position:i column_default:t is_nullable:t "
     "data_type:t "
     "numeric_precision:i numeric_scale:i character_maximum_length:i column_comment:t",
     fill_columns},
    {"information_schema.views", NULL, 0,
     "table_catalog:t table_schema:t table_name:t view_definition:t table_comment:t", fill_views},
    {"information_schema.table_constraints", NULL, 0,
     "constraint_catalog:t constraint_schema:t constraint_name:t table_schema:t table_name:t constraint_type:t",
     fill_constraints},
    {"pg_catalog.pg_tables", NULL, 0, "schemaname:t tablename:t tableowner:t tablespace:t hasindexes:b",
     fill_pg_tables},
    {"pg_catalog.pg_views", NULL, 0, "schemaname:t viewname:t viewowner:t definition:t", fill_pg_views},
    {"pg_catalog.pg_namespace", NULL, 0, "oid:i nspname:t", fill_pg_namespace},
    {"pg_catalog.pg_class", NULL, 0, "oid:i relname:t relnamespace:i relkind:t reltuples:i relnatts:i relhasindex:b",
     fill_pg_class},
    {"pg_catalog.pg_attribute", NULL, 0,
     "attrelid:i attname:t atttypid:i attnum:i attnotnull:b atthasdef:b attisdropped:b", fill_pg_attribute},
    {"pg_catalog.pg_type", NULL, 0, "oid:i typname:t typnamespace:i typtype:t", fill_pg_type},
    {"pg_catalog.pg_description", NULL, 0, "objoid:i classoid:i objsubid:i description:t", fill_pg_description},
    {"pg_catalog.pg_settings", NULL, 0, "name:t setting:t", fill_settings},
    {"reject_errors", NULL, 0,
     "scan_id:i file_id:i line:i line_byte_position:i byte_position:i column_idx:i column_name:t error_type:t "
     "csv_line:t error_message:t",
     fill_reject_errors},
    {"reject_scans", NULL, 0,
     "scan_id:i file_id:i file_path:t delimiter:t quote:t escape:t newline_delimiter:t skip_rows:i has_header:b "
     "columns:t date_format:t timestamp_format:t user_arguments:t",
     fill_reject_scans},
    {NULL, "duckdb_schemas", 0, "database_name:t schema_name:t owner:t", fill_schemata},
    {NULL, "duckdb_tables", 0,
     "database_name:t schema_name:t table_name:t table_oid:i internal:b temporary:b has_primary_key:b estimated_size:i "
     "column_count:i comment:t sql:t foreign_keys_sql:t",
     fill_duckdb_tables},
    {NULL, "duckdb_columns", 0,
     "database_name:t schema_name:t table_name:t column_name:t column_index:i column_default:t is_nullable:t "
     "data_type:t "
     "numeric_precision:i numeric_scale:i character_maximum_length:i comment:t",
     fill_columns},
    {NULL, "duckdb_views", 0, "database_name:t schema_name:t view_name:t sql:t comment:t", fill_views},
    {NULL, "duckdb_settings", 0, "name:t value:t", fill_settings},
    {NULL, "duckdb_functions", 0,
     "database_name:t schema_name:t function_name:t function_type:t description:t macro_definition:t comment:t",
     fill_functions},
    {NULL, "duckdb_keywords", 0, "keyword_name:t keyword_category:t", fill_keywords},
    {NULL, "duckdb_types", 0, "database_name:t schema_name:t type_name:t", fill_types},
    {NULL, "duckdb_variables", 0, "name:t value:t type:t", fill_variables},
    {NULL, "duckdb_databases", 0, "database_oid:i database_name:t", fill_databases},
    {NULL, "pragma_table_info", 1, "cid:i name:t type:t notnull:b dflt_value:t pk:b", fill_table_info},
    {NULL, "pragma_show_tables", 0, "name:t", fill_names},
    {NULL, "pragma_database_list", 0, "seq:i name:t", fill_databases},
    {NULL, "pragma_version", 0, "library_version:t name:t", fill_version},
};

static fl_status make(fl_session *session, const system_table *desc, const fl_value *args, fl_table **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena arena;
    filling f = {.session = session, .arena = &arena, .args = args};
    fl_str name = fl_str_of(desc->name != NULL ? desc->name : desc->function);
    fl_arena_init(&arena, &session->statement_memory);
    FL_TRY(fl_filled_table_begin(&f.table, &session->engine->memory, &arena, desc->columns, err));
    FL_TRY(list_tables(&f, err));
    FL_TRY(desc->fill(&f, err));
    FL_TRY(fl_filled_table_finish(&f.table, name, ret, err));
cleanup:
    fl_filled_table_drop(&f.table);
    for (int32_t i = 0; i < f.n_tables; i++)
        fl_table_unref(f.tables[i].table);
    fl_arena_drop(&arena);
    return st;
}

bool fl_system_has_schema(fl_str name)
{
    return fl_str_is_equal_nocase(name, FL_STR("information_schema")) ||
           fl_str_is_equal_nocase(name, FL_STR("pg_catalog"));
}

/* Whether a name is this table's, whose schema need not be said where it is pg_catalog. */
static bool is_called(const system_table *t, fl_str name)
{
    fl_str known = fl_str_of(t->name != NULL ? t->name : ""), schema = FL_STR("pg_catalog.");
    if (known.len == 0)
        return false;
    fl_str in_pg = fl_str_has_prefix(known, schema) ? (fl_str){known.data + schema.len, known.len - schema.len} : known;
    return fl_str_is_equal_nocase(name, known) || fl_str_is_equal_nocase(name, in_pg);
}

bool fl_system_has_table(fl_str name)
{
    for (int64_t i = 0; i < FL_LEN(system_tables); i++)
        if (is_called(&system_tables[i], name))
            return true;
    return false;
}

fl_status fl_system_table_find(fl_session *session, fl_str name, fl_table **ret, fl_err *err)
{
    *ret = NULL;
    for (int64_t i = 0; i < FL_LEN(system_tables); i++)
        if (is_called(&system_tables[i], name))
            return make(session, &system_tables[i], NULL, ret, err);
    return FL_OK;
}

fl_status fl_system_table_call(fl_session *session, fl_str function, const fl_value *args, int32_t n_args,
                               fl_table **ret, fl_err *err)
{
    *ret = NULL;
    for (int64_t i = 0; i < FL_LEN(system_tables); i++) {
        const system_table *t = &system_tables[i];
        if (t->function == NULL || !fl_str_is_equal_nocase(function, fl_str_of(t->function)))
            continue;
        if (n_args != t->n_args || (n_args == 1 && (args[0].is_null || args[0].type.id != FL_UTF8)))
            return FL_FAIL(err, FL_ERR_FUNCTION, "%s takes %s", t->function,
                           t->n_args == 0 ? "nothing" : "the name of a table");
        return make(session, t, args, ret, err);
    }
    return FL_OK;
}

void fl_system_table_offer(fl_nearest *near)
{
    for (int64_t i = 0; i < FL_LEN(system_tables); i++)
        if (system_tables[i].function != NULL)
            fl_nearest_offer(near, fl_str_of(system_tables[i].function));
}
