/* Columns of tables and what tables ask of rows: NOT NULL, DEFAULT, GENERATED, PRIMARY KEY, UNIQUE, CHECK, REFERENCES. */
#include "front/sql/parse.h"

/* PRIMARY KEY or UNIQUE, after which a table's constraint names its columns. `name`: of CONSTRAINT. */
static fl_status parse_key(parser *p, fl_ast_name name, const fl_ast_name *column, fl_ast_create_table *create)
{
    fl_status st = FL_OK;
    fl_ast_table_key *key, **end = &create->keys;
    FL_TRY(NEW(p, &key));
    key->name = name;
    key->start = p->now->start;
    key->is_primary = is_word(p, FL_KW_PRIMARY);
    advance(p);
    if (key->is_primary)
        FL_TRY(fl_sql_expect_word(p, FL_KW_KEY));
    if (column != NULL) {
        key->column_count = 1;
        FL_TRY(FL_NEW_ARRAY(p->arena, 1, &key->columns, p->err));
        key->columns[0] = *column;
    } else {
        FL_TRY(fl_sql_parse_name_list(p, &key->columns, &key->column_count));
    }
    while (*end != NULL)
        end = &(*end)->next;
    *end = key;
cleanup:
    return st;
}

/* (expression), of which the text is kept, too. */
static fl_status parse_enclosed(parser *p, fl_ast_expr **ret, int32_t *ret_start, int32_t *ret_end)
{
    fl_status st = FL_OK;
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\""));
    *ret_start = p->now->start;
    FL_TRY(fl_sql_parse_expr(p, ret));
    *ret_end = end_before(p);
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\""));
cleanup:
    return st;
}

static fl_status parse_check(parser *p, fl_ast_name name, fl_ast_create_table *create)
{
    fl_status st = FL_OK;
    fl_ast_check *check, **end = &create->checks;
    FL_TRY(NEW(p, &check));
    check->name = name;
    check->start = p->now->start;
    advance(p);
    FL_TRY(parse_enclosed(p, &check->condition, &check->text_start, &check->text_end));
    while (*end != NULL)
        end = &(*end)->next;
    *end = check;
cleanup:
    return st;
}

static fl_status parse_reference_action(parser *p, fl_ast_reference_action *ret)
{
    bool is_no_action = fl_sql_is_said(p, p->now, "no") && fl_sql_is_said(p, ahead(p, 1), "action");
    if (is_no_action || is_word(p, FL_KW_RESTRICT)) {
        advance(p);
        if (is_no_action)
            advance(p);
        *ret = FL_AST_REFERENCE_REFUSES;
    } else if (accept_word(p, FL_KW_CASCADE)) {
        *ret = FL_AST_REFERENCE_CASCADES;
    } else if (is_word(p, FL_KW_SET)) {
        int32_t at = p->now->start;
        advance(p);
        if (accept_word(p, FL_KW_DEFAULT))
            return fl_sql_fail_unsupported(p, at, "SET DEFAULT of foreign keys is", "write SET NULL, or CASCADE");
        if (!accept_word(p, FL_KW_NULL))
            return fl_sql_fail_expected(p, "NULL");
        *ret = FL_AST_REFERENCE_SETS_NULL;
    } else {
        return fl_sql_fail_expected(p, "NO ACTION, RESTRICT, CASCADE or SET NULL");
    }
    return FL_OK;
}

/* Behind the columns: [MATCH SIMPLE] [ON DELETE …] [ON UPDATE …] [NOT DEFERRABLE], in any order. */
static fl_status parse_reference_options(parser *p, fl_ast_foreign_key *key)
{
    fl_status st = FL_OK;
    for (;;) {
        int32_t at = p->now->start;
        if (fl_sql_accept_said(p, "match")) {
            if (!fl_sql_accept_said(p, "simple"))
                return fl_sql_fail_unsupported(p, at, "MATCH FULL and MATCH PARTIAL are",
                                               "leave it out: a row with a null in the key refers to nothing");
        } else if (is_word(p, FL_KW_ON) && ahead(p, 1)->keyword == FL_KW_DELETE) {
            advance(p);
            advance(p);
            FL_TRY(parse_reference_action(p, &key->on_delete));
        } else if (is_word(p, FL_KW_ON) && ahead(p, 1)->keyword == FL_KW_UPDATE) {
            advance(p);
            advance(p);
            FL_TRY(parse_reference_action(p, &key->on_update));
        } else if (fl_sql_is_said(p, p->now, "deferrable")) {
            return fl_sql_fail_unsupported(p, at, "deferred constraints are",
                                           "leave it out: rows are held to it at the end of each statement");
        } else {
            return FL_OK;
        }
    }
cleanup:
    return st;
}

/* REFERENCES …, of the column, or of those that FOREIGN KEY names. */
static fl_status parse_foreign_key(parser *p, fl_ast_name name, const fl_ast_name *column, fl_ast_create_table *create)
{
    fl_status st = FL_OK;
    fl_ast_foreign_key *key, **end = &create->foreign_keys;
    FL_TRY(NEW(p, &key));
    key->name = name;
    key->start = p->now->start;
    if (column != NULL) {
        key->column_count = 1;
        FL_TRY(FL_NEW_ARRAY(p->arena, 1, &key->columns, p->err));
        key->columns[0] = *column;
    } else {
        advance(p);
        FL_TRY(fl_sql_expect_word(p, FL_KW_KEY));
        FL_TRY(fl_sql_parse_name_list(p, &key->columns, &key->column_count));
    }
    FL_TRY(fl_sql_expect_word(p, FL_KW_REFERENCES));
    FL_TRY(fl_sql_parse_path(p, "a table name", &key->table));
    if (is_at(p, FL_SQL_LEFT_PAREN))
        FL_TRY(fl_sql_parse_name_list(p, &key->table_columns, &key->table_column_count));
    FL_TRY(parse_reference_options(p, key));
    while (*end != NULL)
        end = &(*end)->next;
    *end = key;
cleanup:
    return st;
}

/* GENERATED ALWAYS AS (expression) [STORED | VIRTUAL], GENERATED … AS IDENTITY [(options)]. Behind GENERATED. */
static fl_status parse_generated(parser *p, fl_ast_column_def *column)
{
    fl_status st = FL_OK;
    bool is_always = fl_sql_accept_said(p, "always");
    if (!is_always) {
        FL_TRY(fl_sql_expect_word(p, FL_KW_BY));
        FL_TRY(fl_sql_expect_word(p, FL_KW_DEFAULT));
    }
    FL_TRY(fl_sql_expect_word(p, FL_KW_AS));
    if (fl_sql_accept_said(p, "identity")) {
        column->identity = is_always ? FL_AST_IDENTITY_ALWAYS : FL_AST_IDENTITY_BY_DEFAULT;
        column->is_not_null = true;
        if (!accept(p, FL_SQL_LEFT_PAREN))
            return FL_OK;
        FL_TRY(NEW(p, &column->sequence));
        FL_TRY(fl_sql_parse_sequence_options(p, column->sequence));
        return fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "an option of a sequence or \")\"");
    }
    if (!is_always)
        return fl_sql_fail_expected(p, "IDENTITY");
    FL_TRY(parse_enclosed(p, &column->generated, &column->generated_start, &column->generated_end));
    if (!fl_sql_accept_said(p, "stored"))
        accept_word(p, FL_KW_VIRTUAL);
cleanup:
    return st;
}

static fl_status parse_column_constraints(parser *p, fl_ast_column_def *column, fl_ast_create_table *create)
{
    fl_status st = FL_OK;
    for (;;) {
        fl_ast_name name = {0};
        if (accept_word(p, FL_KW_CONSTRAINT))
            FL_TRY(fl_sql_parse_name(p, "a constraint's name", &name));
        if (accept_word(p, FL_KW_NOT)) {
            FL_TRY(fl_sql_expect_word(p, FL_KW_NULL));
            column->is_not_null = true;
        } else if (accept_word(p, FL_KW_NULL)) {
            continue;
        } else if (accept_word(p, FL_KW_DEFAULT)) {
            column->otherwise_start = p->now->start;
            FL_TRY(fl_sql_parse_operand(p, &column->otherwise));
            column->otherwise_end = end_before(p);
        } else if (is_word(p, FL_KW_PRIMARY) || is_word(p, FL_KW_UNIQUE)) {
            FL_TRY(parse_key(p, name, &column->name, create));
        } else if (is_word(p, FL_KW_CHECK)) {
            FL_TRY(parse_check(p, name, create));
        } else if (is_word(p, FL_KW_REFERENCES)) {
            FL_TRY(parse_foreign_key(p, name, &column->name, create));
        } else if (accept_word(p, FL_KW_GENERATED)) {
            FL_TRY(parse_generated(p, column));
        } else if (is_word(p, FL_KW_AS) && column->type != NULL && ahead(p, 1)->kind == FL_SQL_LEFT_PAREN) {
            advance(p); /* DuckDB's short form */
            FL_TRY(parse_enclosed(p, &column->generated, &column->generated_start, &column->generated_end));
            if (!fl_sql_accept_said(p, "stored"))
                accept_word(p, FL_KW_VIRTUAL);
        } else if (accept_word(p, FL_KW_COLLATE)) {
            FL_TRY(fl_sql_parse_collation(p, &column->collation));
        } else if (name.text.len > 0) {
            return fl_sql_fail_expected(p, "a constraint (NOT NULL, PRIMARY KEY, UNIQUE, CHECK, ...)");
        } else {
            break;
        }
    }
cleanup:
    return st;
}

fl_status fl_sql_parse_column_def(parser *p, fl_ast_create_table *create, fl_ast_column_def **ret)
{
    fl_status st = FL_OK;
    fl_ast_column_def *column;
    FL_TRY(NEW(p, &column));
    FL_TRY(fl_sql_parse_name(p, "a column name", &column->name));
    if (!is_at(p, FL_SQL_COMMA) && !is_at(p, FL_SQL_RIGHT_PAREN)) {
        FL_TRY(fl_sql_parse_type(p, &column->type));
        FL_TRY(parse_column_constraints(p, column, create));
    }
    *ret = column;
cleanup:
    return st;
}

fl_status fl_sql_parse_table_constraint(parser *p, fl_ast_create_table *create, bool *ret_any)
{
    fl_status st = FL_OK;
    fl_ast_name name = {0};
    *ret_any = true;
    if (accept_word(p, FL_KW_CONSTRAINT))
        FL_TRY(fl_sql_parse_name(p, "a constraint's name", &name));
    if (is_word(p, FL_KW_PRIMARY) || (is_word(p, FL_KW_UNIQUE) && ahead(p, 1)->kind == FL_SQL_LEFT_PAREN))
        return parse_key(p, name, NULL, create);
    if (is_word(p, FL_KW_FOREIGN))
        return parse_foreign_key(p, name, NULL, create);
    if (is_word(p, FL_KW_CHECK) && ahead(p, 1)->kind == FL_SQL_LEFT_PAREN)
        return parse_check(p, name, create);
    if (name.text.len > 0)
        return fl_sql_fail_expected(p, "a constraint (PRIMARY KEY, UNIQUE, CHECK, FOREIGN KEY)");
    *ret_any = false;
cleanup:
    return st;
}
