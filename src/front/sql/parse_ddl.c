/* CREATE and DROP. */
#include "front/sql/parse.h"

fl_status fl_sql_parse_if_not_exists(parser *p, bool *ret)
{
    fl_status st = FL_OK;
    *ret = false;
    if (is_word(p, FL_KW_IF) && ahead(p, 1)->keyword == FL_KW_NOT) {
        advance(p);
        advance(p);
        FL_TRY(fl_sql_expect_word(p, FL_KW_EXISTS));
        *ret = true;
    }
cleanup:
    return st;
}

bool fl_sql_accept_if_exists(parser *p)
{
    if (!is_word(p, FL_KW_IF) || ahead(p, 1)->keyword != FL_KW_EXISTS)
        return false;
    advance(p);
    advance(p);
    return true;
}

bool fl_sql_accept_cascade(parser *p)
{
    bool cascades = accept_word(p, FL_KW_CASCADE);
    if (!cascades)
        accept_word(p, FL_KW_RESTRICT);
    return cascades;
}

/* (name type ..., ...) or, in front of AS, names alone. */
static fl_status parse_column_defs(parser *p, fl_ast_create_table *create)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\" or AS"));
    do {
        fl_ast_column_def *column;
        bool is_constraint = false;
        if (p->stack_count > mark && is_at(p, FL_SQL_RIGHT_PAREN))
            break;
        FL_TRY(fl_sql_parse_table_constraint(p, create, &is_constraint));
        if (is_constraint)
            continue;
        FL_TRY(fl_sql_parse_column_def(p, create, &column));
        FL_TRY(fl_sql_push(p, column));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_column_def), &create->columns, &create->column_count));
cleanup:
    return st;
}

/* With AS columns have names only, without it each has a type. */
static fl_status check_column_defs(parser *p, const fl_ast_create_table *create)
{
    if (create->query != NULL && create->checks != NULL)
        return fl_sql_fail_at(p, create->checks->start, FL_ERR_SYNTAX,
                              "CREATE TABLE AS takes no constraints: ALTER TABLE adds them");
    if (create->query != NULL && create->foreign_keys != NULL)
        return fl_sql_fail_at(p, create->foreign_keys->start, FL_ERR_SYNTAX,
                              "CREATE TABLE AS takes no constraints: ALTER TABLE adds them");
    if (create->query != NULL && create->keys != NULL)
        return fl_sql_fail_at(p, create->keys->start, FL_ERR_SYNTAX,
                              "CREATE TABLE AS takes no keys: CREATE UNIQUE INDEX makes one of its rows");
    for (int32_t i = 0; i < create->column_count; i++) {
        const fl_ast_column_def *column = &create->columns[i];
        if (create->query == NULL && column->type == NULL)
            return fl_sql_fail_at(p, column->name.end, FL_ERR_SYNTAX, "the column \"%.*s\" needs a type",
                                  FL_STR_ARG(column->name.text));
        if (create->query != NULL && column->type != NULL)
            return fl_sql_fail_at(p, column->type->start, FL_ERR_SYNTAX,
                                  "CREATE TABLE AS takes the columns' types from its query");
    }
    return FL_OK;
}

static fl_status parse_create_table(parser *p, fl_ast_statement *statement, fl_ast_create_table from)
{
    fl_status st = FL_OK;
    fl_ast_create_table *create;
    FL_TRY(NEW(p, &create));
    *create = from;
    statement->kind = FL_AST_CREATE_TABLE;
    statement->create_table = create;
    FL_TRY(fl_sql_parse_if_not_exists(p, &create->if_not_exists));
    FL_TRY(fl_sql_parse_path(p, "a table name", &create->path));
    if (!is_word(p, FL_KW_AS))
        FL_TRY(parse_column_defs(p, create));
    if (accept_word(p, FL_KW_AS)) {
        FL_TRY(fl_sql_parse_query(p, &create->query));
        if (is_word(p, FL_KW_WITH) && (ahead(p, 1)->keyword == FL_KW_NO || ahead(p, 1)->keyword == FL_KW_DATA)) {
            advance(p);
            create->is_empty = accept_word(p, FL_KW_NO);
            FL_TRY(fl_sql_expect_word(p, FL_KW_DATA));
        }
    }
    FL_TRY(check_column_defs(p, create));
cleanup:
    return st;
}

static fl_status parse_create_view(parser *p, fl_ast_statement *statement, fl_ast_create_table from)
{
    fl_status st = FL_OK;
    fl_ast_create_view *create;
    FL_TRY(NEW(p, &create));
    create->or_replace = from.or_replace;
    create->is_temporary = from.is_temporary;
    statement->kind = FL_AST_CREATE_VIEW;
    statement->create_view = create;
    FL_TRY(fl_sql_parse_if_not_exists(p, &create->if_not_exists));
    FL_TRY(fl_sql_parse_path(p, "a view name", &create->path));
    if (is_at(p, FL_SQL_LEFT_PAREN))
        FL_TRY(fl_sql_parse_name_list(p, &create->columns, &create->column_count));
    FL_TRY(fl_sql_expect_word(p, FL_KW_AS));
    FL_TRY(fl_sql_parse_query(p, &create->query));
    if (is_word(p, FL_KW_WITH))
        return fl_sql_fail_unsupported(p, p->now->start, "WITH CHECK OPTION is", "leave it out: views are read only");
cleanup:
    return st;
}

static fl_status parse_create_index(parser *p, fl_ast_statement *statement, bool is_unique)
{
    fl_status st = FL_OK;
    fl_ast_create_index *create;
    fl_ast_order *keys;
    FL_TRY(NEW(p, &create));
    statement->kind = FL_AST_CREATE_INDEX;
    statement->create_index = create;
    create->is_unique = is_unique;
    accept_word(p, FL_KW_CONCURRENTLY);
    FL_TRY(fl_sql_parse_if_not_exists(p, &create->if_not_exists));
    if (!is_word(p, FL_KW_ON))
        FL_TRY(fl_sql_parse_path(p, "an index name", &create->name));
    FL_TRY(fl_sql_expect_word(p, FL_KW_ON));
    FL_TRY(fl_sql_parse_path(p, "a table name", &create->table));
    if (accept_word(p, FL_KW_USING)) {
        fl_ast_name method;
        FL_TRY(fl_sql_parse_name(p, "an index method", &method));
    }
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\""));
    FL_TRY(fl_sql_parse_order_list(p, &keys, &create->key_count));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    FL_TRY(FL_NEW_ARRAY(p->arena, create->key_count, &create->keys, p->err));
    for (int32_t i = 0; i < create->key_count; i++)
        create->keys[i] = keys[i].expr;
    if (is_word(p, FL_KW_WHERE))
        return fl_sql_fail_unsupported(p, p->now->start, "partial indexes are",
                                       "leave WHERE out: plain indexes are taken and speed nothing up, as zones of "
                                       "rows are skipped by themselves");
cleanup:
    return st;
}

static fl_status parse_create_schema(parser *p, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    fl_ast_create_schema *schema;
    statement->kind = FL_AST_CREATE_SCHEMA;
    FL_TRY(NEW(p, &schema));
    statement->schema = schema;
    FL_TRY(fl_sql_parse_if_not_exists(p, &schema->if_not_exists));
    FL_TRY(fl_sql_parse_path(p, "a schema's name", &schema->path));
cleanup:
    return st;
}

/* name AS type, where a list of values in parentheses is a struct's fields, as PostgreSQL writes it. */
static fl_status parse_create_type(parser *p, fl_ast_statement *statement, bool or_replace)
{
    fl_status st = FL_OK;
    fl_ast_create_type *create;
    FL_TRY(NEW(p, &create));
    create->or_replace = or_replace;
    statement->kind = FL_AST_CREATE_TYPE;
    statement->create_type = create;
    FL_TRY(fl_sql_parse_if_not_exists(p, &create->if_not_exists));
    FL_TRY(fl_sql_parse_path(p, "a type's name", &create->path));
    FL_TRY(fl_sql_expect_word(p, FL_KW_AS));
    st = fl_sql_parse_type(p, &create->type);
cleanup:
    return st;
}

fl_status fl_sql_parse_create(parser *p, fl_ast_statement *statement)
{
    fl_ast_create_table from = {0};
    advance(p);
    if (is_word(p, FL_KW_OR) && ahead(p, 1)->keyword == FL_KW_REPLACE) {
        advance(p);
        advance(p);
        from.or_replace = true;
    }
    from.is_temporary = accept_word(p, FL_KW_TEMP) || accept_word(p, FL_KW_TEMPORARY);
    if (!from.is_temporary)
        accept_word(p, FL_KW_UNLOGGED);
    int32_t at = p->now->start;
    if (fl_sql_is_said(p, p->now, "aggregate") && ahead(p, 1)->keyword == FL_KW_FUNCTION) {
        advance(p);
        advance(p);
        return fl_sql_parse_create_function(p, statement, from.or_replace, true);
    }
    switch ((fl_sql_keyword)p->now->keyword) {
    case FL_KW_TABLE:
        advance(p);
        return parse_create_table(p, statement, from);
    case FL_KW_VIEW:
        advance(p);
        return parse_create_view(p, statement, from);
    case FL_KW_INDEX:
        advance(p);
        return parse_create_index(p, statement, false);
    case FL_KW_UNIQUE:
        advance(p);
        if (!accept_word(p, FL_KW_INDEX))
            return fl_sql_fail_expected(p, "INDEX");
        return parse_create_index(p, statement, true);
    case FL_KW_SCHEMA:
        advance(p);
        return parse_create_schema(p, statement);
    case FL_KW_SEQUENCE:
        advance(p);
        return fl_sql_parse_create_sequence(p, statement, from.or_replace);
    case FL_KW_FUNCTION:
        if (fl_sql_is_macro(p)) {
            advance(p);
            return fl_sql_parse_create_macro(p, statement, from.or_replace);
        }
        advance(p);
        return fl_sql_parse_create_function(p, statement, from.or_replace, false);
    case FL_KW_MACRO:
        advance(p);
        return fl_sql_parse_create_macro(p, statement, from.or_replace);
    case FL_KW_TYPE:
        advance(p);
        return parse_create_type(p, statement, from.or_replace);
    case FL_KW_DATABASE:
        return fl_sql_fail_unsupported(p, at, "CREATE DATABASE is",
                                       "an engine is one database; files are read where they are: FROM 'file.parquet'");
    case FL_KW_TRIGGER:
        return fl_sql_fail_unsupported(p, at, "CREATE TRIGGER is", "run the statements one after another");
    case FL_KW_MATERIALIZED:
        return fl_sql_fail_unsupported(
            p, at, "materialized views are",
            "write CREATE TABLE name AS SELECT …, or CREATE VIEW for rows that are always fresh");
    case FL_KW_RECURSIVE:
        return fl_sql_fail_unsupported(p, at, "recursive views are",
                                       "numbers and dates in a row come from generate_series(start, stop, step); a "
                                       "fixed depth is a chain of joins");
    case FL_KW_VIRTUAL:
        return fl_sql_fail_unsupported(p, at, "virtual tables are",
                                       "files are tables: CREATE VIEW v AS SELECT * FROM 'file.csv'");
    default:
        return fl_sql_fail_expected(p, "TABLE, VIEW, INDEX, SEQUENCE, SCHEMA, TYPE, MACRO or FUNCTION");
    }
}

fl_status fl_sql_parse_drop(parser *p, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    fl_ast_drop *drop;
    int64_t mark = p->stack_count;
    statement->kind = FL_AST_DROP;
    FL_TRY(NEW(p, &drop));
    statement->drop = drop;
    advance(p);
    switch ((fl_sql_keyword)p->now->keyword) {
    case FL_KW_TABLE:
        drop->object = FL_AST_OBJECT_TABLE;
        break;
    case FL_KW_VIEW:
        drop->object = FL_AST_OBJECT_VIEW;
        break;
    case FL_KW_INDEX:
        drop->object = FL_AST_OBJECT_INDEX;
        break;
    case FL_KW_FUNCTION:
        drop->object = FL_AST_OBJECT_FUNCTION;
        break;
    case FL_KW_SEQUENCE:
        drop->object = FL_AST_OBJECT_SEQUENCE;
        break;
    case FL_KW_SCHEMA:
        drop->object = FL_AST_OBJECT_SCHEMA;
        break;
    case FL_KW_MACRO:
        drop->object = FL_AST_OBJECT_MACRO;
        break;
    case FL_KW_TYPE:
        drop->object = FL_AST_OBJECT_TYPE;
        break;
    case FL_KW_DATABASE:
    case FL_KW_TRIGGER:
    case FL_KW_MATERIALIZED:
        return fl_sql_fail_unsupported(
            p, p->now->start,
            "DROP of anything but tables, views, indexes, sequences, schemas, types, macros and functions is",
            "there are DROP TABLE, VIEW, INDEX, SEQUENCE, SCHEMA, TYPE, MACRO and FUNCTION");
    default:
        return fl_sql_fail_expected(p, "TABLE, VIEW, INDEX, SEQUENCE, SCHEMA, TYPE, MACRO or FUNCTION");
    }
    advance(p);
    if (drop->object == FL_AST_OBJECT_MACRO)
        drop->is_table_macro = accept_word(p, FL_KW_TABLE);
    drop->if_exists = fl_sql_accept_if_exists(p);
    do {
        fl_ast_path *path;
        FL_TRY(NEW(p, &path));
        FL_TRY(fl_sql_parse_path(p, "a name", path));
        FL_TRY(fl_sql_push(p, path));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_path), &drop->paths, &drop->path_count));
    drop->cascades = fl_sql_accept_cascade(p);
cleanup:
    return st;
}
