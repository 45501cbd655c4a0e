/* The tables: their columns, and what fills them. */
#include "engine/system_tables.h"

#include "base/hash.h"
#include "base/text.h"
#include "engine/filled_table.h"
#include "format/rejects.h"
#include "front/sql/lexer.h"
#include "plan/table_rules.h"

#define DATABASE "fletch"

/* A named table or view as it was when the statement began. */
typedef struct listed {
    fl_str schema, name;
    fl_table *table; /* NULL: a view; a reference */
    fl_str view_text;
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

/* The engine's lock is held. */
static bool is_schema(const fl_engine *engine, fl_str name)
{
    const fl_schema *schema = engine->schemas;
    while (schema != NULL && !fl_str_is_equal_nocase(fl_str_of(schema->name), name))
        schema = schema->next;
    return schema != NULL;
}

static fl_status list_tables(filling *f, fl_err *err)
{
    fl_engine *engine = f->session->engine;
    pthread_mutex_lock(&engine->lock);
    fl_status st = FL_NEW_ARRAY(f->arena, engine->n_items + 1, &f->tables, err);
    for (int32_t i = 0; i < engine->n_items && st == FL_OK; i++) {
        const fl_catalog_item *item = &engine->items[i];
        listed *to = &f->tables[f->n_tables];
        const char *dot = strchr(item->name, '.');
        bool has_schema = dot != NULL && is_schema(engine, (fl_str){item->name, dot - item->name});
        *to = (listed){.schema = has_schema ? (fl_str){item->name, dot - item->name} : FL_STR("main"),
                       .name = fl_str_of(has_schema ? dot + 1 : item->name),
                       .is_temporary = item->is_temporary};
        st = fl_arena_copy_str(f->arena, to->schema, &to->schema, err);
        if (st == FL_OK)
            st = fl_arena_copy_str(f->arena, to->name, &to->name, err);
        if (st == FL_OK && item->table == NULL)
            st = fl_arena_copy_str(f->arena, fl_str_of(item->view_text), &to->view_text, err);
        if (st == FL_OK && item->table != NULL)
            to->table = fl_table_ref(item->table);
        f->n_tables += st == FL_OK;
    }
    pthread_mutex_unlock(&engine->lock);
    return st;
}

static fl_status list_schemas(filling *f, fl_str **ret, int32_t *ret_n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = f->session->engine;
    int32_t n = 0;
    pthread_mutex_lock(&engine->lock);
    for (const fl_schema *s = engine->schemas; s != NULL; s = s->next)
        n++;
    st = FL_NEW_ARRAY(f->arena, n + 3, ret, err);
    if (st == FL_OK) {
        (*ret)[0] = FL_STR("information_schema");
        (*ret)[1] = FL_STR("main");
        (*ret)[2] = FL_STR("pg_catalog");
        *ret_n = 3;
    }
    for (const fl_schema *s = engine->schemas; s != NULL && st == FL_OK; s = s->next)
        st = fl_arena_copy_str(f->arena, fl_str_of(s->name), &(*ret)[(*ret_n)++], err);
    pthread_mutex_unlock(&engine->lock);
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
    fl_str *names = NULL;
    int32_t n = 0;
    FL_TRY(list_schemas(f, &names, &n, err));
    for (int32_t i = 0; i < n; i++) {
        fl_fill(&f->table, DATABASE);
        fl_fill_text(&f->table, names[i]);
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
        fl_fill(&f->table, DATABASE);
        fl_fill_text(&f->table, f->tables[i].schema);
        fl_fill_text(&f->table, f->tables[i].name);
        fl_fill(&f->table, f->tables[i].table != NULL ? "BASE TABLE" : "VIEW");
        fl_fill(&f->table, NULL);
        fl_fill(&f->table, f->tables[i].table != NULL ? "YES" : "NO");
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
            fl_fill(&f->table, DATABASE);
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
            }
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
        fl_fill(&f->table, DATABASE);
        fl_fill_text(&f->table, f->tables[i].schema);
        fl_fill_text(&f->table, f->tables[i].name);
        fl_fill_text(&f->table, f->tables[i].view_text);
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
cleanup:
    return st;
}

static fl_status add_constraint(filling *f, const listed *t, fl_str name, const char *type, fl_err *err)
{
    fl_fill(&f->table, DATABASE);
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

/* ---- pg_catalog ---- */

static fl_status fill_pg_tables(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < f->n_tables; i++) {
        if (f->tables[i].table == NULL)
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
        if (f->tables[i].table != NULL)
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
    fl_str *names = NULL;
    int32_t n = 0;
    FL_TRY(list_schemas(f, &names, &n, err));
    for (int32_t i = 0; i < n; i++) {
        fl_fill_number(&f->table, oid_of(names[i], FL_STR("")));
        fl_fill_text(&f->table, names[i]);
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
cleanup:
    return st;
}

static fl_status fill_pg_class(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < f->n_tables; i++) {
        const listed *t = &f->tables[i];
        fl_fill_number(&f->table, oid_of(t->schema, t->name));
        fl_fill_text(&f->table, t->name);
        fl_fill_number(&f->table, oid_of(t->schema, FL_STR("")));
        fl_fill(&f->table, t->table != NULL ? "r" : "v");
        fl_fill_number(&f->table, t->table != NULL ? (int64_t)t->table->rows : 0);
        fl_fill_number(&f->table, t->table != NULL ? t->table->n_cols : 0);
        fl_fill_bool(&f->table, t->table != NULL && t->table->n_keys > 0);
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
cleanup:
    return st;
}

static fl_status fill_pg_attribute(filling *f, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < f->n_tables; i++) {
        const listed *t = &f->tables[i];
        for (int32_t col = 0; t->table != NULL && col < t->table->n_cols; col++) {
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

static const char *const type_names[] = {
    "boolean", "tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger",    "ubigint",  "real",
    "double",  "decimal", "text",     "bytea",   "date",   "time",     "timestamp", "timestamptz", "interval", NULL};

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
        fl_fill(&f->table, DATABASE);
        fl_fill_text(&f->table, f->tables[i].schema);
        fl_fill_text(&f->table, f->tables[i].name);
        fl_fill_number(&f->table, oid_of(f->tables[i].schema, f->tables[i].name));
        fl_fill_bool(&f->table, false);
        fl_fill_bool(&f->table, f->tables[i].is_temporary);
        fl_fill_bool(&f->table, has_primary);
        fl_fill_number(&f->table, (int64_t)table->rows);
        fl_fill_number(&f->table, table->n_cols);
        FL_TRY(fl_filled_table_end_row(&f->table, err));
    }
cleanup:
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
    fl_str wanted = f->args[0].s;
    const listed *found = NULL;
    for (int32_t i = 0; i < f->n_tables; i++) {
        const listed *t = &f->tables[i];
        int64_t dot = t->schema.len;
        bool is_full = wanted.len == dot + 1 + t->name.len && wanted.data[dot] == '.' &&
                       fl_str_is_equal_nocase((fl_str){wanted.data, dot}, t->schema) &&
                       fl_str_is_equal_nocase((fl_str){wanted.data + dot + 1, t->name.len}, t->name);
        if (is_full || (fl_str_is_equal(t->schema, FL_STR("main")) && fl_str_is_equal_nocase(t->name, wanted)))
            found = t;
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
    fl_fill_number(&f->table, 0);
    fl_fill(&f->table, DATABASE);
    return fl_filled_table_end_row(&f->table, err);
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
cleanup:
    return st;
}

/* ---- the list ---- */

static const system_table system_tables[] = {
    {"information_schema.schemata", NULL, 0, "catalog_name:t schema_name:t schema_owner:t", fill_schemata},
    {"information_schema.tables", NULL, 0,
     "table_catalog:t table_schema:t table_name:t table_type:t self_referencing_column_name:t is_insertable_into:t",
     fill_tables},
    {"information_schema.columns", NULL, 0,
     "table_catalog:t table_schema:t table_name:t column_name:t ordinal_position:i column_default:t is_nullable:t "
     "data_type:t "
     "numeric_precision:i numeric_scale:i character_maximum_length:i",
     fill_columns},
    {"information_schema.views", NULL, 0, "table_catalog:t table_schema:t table_name:t view_definition:t", fill_views},
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
     "column_count:i",
     fill_duckdb_tables},
    {NULL, "duckdb_columns", 0,
     "database_name:t schema_name:t table_name:t column_name:t column_index:i column_default:t is_nullable:t "
     "data_type:t "
     "numeric_precision:i numeric_scale:i",
     fill_columns},
    {NULL, "duckdb_views", 0, "database_name:t schema_name:t view_name:t sql:t", fill_views},
    {NULL, "duckdb_settings", 0, "name:t value:t", fill_settings},
    {NULL, "duckdb_functions", 0, "database_name:t schema_name:t function_name:t function_type:t description:t",
     fill_functions},
    {NULL, "duckdb_keywords", 0, "keyword_name:t keyword_category:t", fill_keywords},
    {NULL, "duckdb_types", 0, "database_name:t schema_name:t type_name:t", fill_types},
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

fl_status fl_system_table_find(fl_session *session, fl_str name, fl_table **ret, fl_err *err)
{
    *ret = NULL;
    for (int64_t i = 0; i < FL_LEN(system_tables); i++) {
        const char *known = system_tables[i].name;
        if (known == NULL)
            continue;
        const char *in_pg = strncmp(known, "pg_catalog.", 11) == 0 ? known + 11 : known;
        if (fl_str_is_equal_nocase(name, fl_str_of(known)) || fl_str_is_equal_nocase(name, fl_str_of(in_pg)))
            return make(session, &system_tables[i], NULL, ret, err);
    }
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
