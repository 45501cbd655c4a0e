/* ALTER TABLE and ALTER VIEW. */
#include "front/sql/parse.h"

/* [COLUMN], where a name follows: a column may be called so. */
static void accept_column_word(parser *p)
{
    if (fl_sql_is_said(p, p->now, "column") && (fl_sql_is_name_token(ahead(p, 1)) || ahead(p, 1)->keyword == FL_KW_IF))
        advance(p);
}

/* [COLUMN] name, and in front of it what the flag says. */
static fl_status parse_column_name(parser *p, fl_ast_alter_action *action)
{
    accept_column_word(p);
    action->if_exists |= fl_sql_accept_if_exists(p);
    return fl_sql_parse_name(p, "a column name", &action->name);
}

static fl_status parse_add(parser *p, fl_ast_alter_action *action)
{
    fl_status st = FL_OK;
    bool is_constraint = false;
    FL_TRY(NEW(p, &action->parts));
    FL_TRY(fl_sql_parse_table_constraint(p, action->parts, &is_constraint));
    if (is_constraint) {
        action->kind = FL_AST_ALTER_ADD_CONSTRAINT;
        return FL_OK;
    }
    action->kind = FL_AST_ALTER_ADD_COLUMN;
    accept_column_word(p);
    FL_TRY(fl_sql_parse_if_not_exists(p, &action->if_not_exists));
    fl_ast_column_def *column;
    FL_TRY(fl_sql_parse_column_def(p, action->parts, &column));
    if (column->type == NULL)
        return fl_sql_fail_at(p, column->name.end, FL_ERR_SYNTAX, "the column \"%.*s\" needs a type",
                              FL_STR_ARG(column->name.text));
    action->parts->columns = column;
    action->parts->column_count = 1;
cleanup:
    return st;
}

static fl_status parse_drop(parser *p, fl_ast_alter_action *action)
{
    fl_status st = FL_OK;
    if (accept_word(p, FL_KW_CONSTRAINT)) {
        action->kind = FL_AST_ALTER_DROP_CONSTRAINT;
        action->if_exists = fl_sql_accept_if_exists(p);
        FL_TRY(fl_sql_parse_name(p, "a constraint's name", &action->name));
    } else {
        action->kind = FL_AST_ALTER_DROP_COLUMN;
        FL_TRY(parse_column_name(p, action));
    }
    action->cascades = fl_sql_accept_cascade(p);
cleanup:
    return st;
}

static fl_status parse_rename(parser *p, fl_ast_alter_action *action)
{
    fl_status st = FL_OK;
    if (accept_word(p, FL_KW_CONSTRAINT)) {
        action->kind = FL_AST_ALTER_RENAME_CONSTRAINT;
        FL_TRY(fl_sql_parse_name(p, "a constraint's name", &action->name));
    } else if (is_word(p, FL_KW_TO)) {
        action->kind = FL_AST_ALTER_RENAME;
    } else {
        action->kind = FL_AST_ALTER_RENAME_COLUMN;
        FL_TRY(parse_column_name(p, action));
    }
    FL_TRY(fl_sql_expect_word(p, FL_KW_TO));
    FL_TRY(fl_sql_parse_name(p, "a new name", &action->to));
cleanup:
    return st;
}

/* An expression whose text is kept. */
static fl_status parse_text(parser *p, fl_ast_alter_action *action)
{
    action->text_start = p->now->start;
    fl_status st = fl_sql_parse_expr(p, &action->expr);
    action->text_end = end_before(p);
    return st;
}

/* [SET DATA] TYPE type [USING e] */
static fl_status parse_type(parser *p, fl_ast_alter_action *action)
{
    fl_status st = FL_OK;
    action->kind = FL_AST_ALTER_SET_TYPE;
    FL_TRY(fl_sql_parse_type(p, &action->type));
    if (accept_word(p, FL_KW_COLLATE))
        FL_TRY(fl_sql_parse_collation(p, &action->collation));
    if (accept_word(p, FL_KW_USING))
        FL_TRY(parse_text(p, action));
cleanup:
    return st;
}

static fl_status parse_alter_column(parser *p, fl_ast_alter_action *action)
{
    fl_status st = FL_OK;
    FL_TRY(parse_column_name(p, action));
    bool sets = accept_word(p, FL_KW_SET), drops = !sets && accept_word(p, FL_KW_DROP);
    if (sets && accept_word(p, FL_KW_DATA) && !is_word(p, FL_KW_TYPE))
        return fl_sql_fail_expected(p, "TYPE");
    if (!drops && accept_word(p, FL_KW_TYPE))
        return parse_type(p, action);
    if ((sets || drops) && accept_word(p, FL_KW_DEFAULT)) {
        action->kind = FL_AST_ALTER_SET_DEFAULT;
        return sets ? parse_text(p, action) : FL_OK;
    }
    if ((sets || drops) && accept_word(p, FL_KW_NOT)) {
        action->kind = sets ? FL_AST_ALTER_SET_NOT_NULL : FL_AST_ALTER_DROP_NOT_NULL;
        return fl_sql_expect_word(p, FL_KW_NULL);
    }
    if (drops && fl_sql_accept_said(p, "expression")) {
        action->kind = FL_AST_ALTER_DROP_EXPRESSION;
        action->if_exists = fl_sql_accept_if_exists(p);
        return FL_OK;
    }
    return fl_sql_fail_expected(p, sets    ? "TYPE, DEFAULT or NOT NULL"
                                   : drops ? "DEFAULT, NOT NULL or EXPRESSION"
                                           : "TYPE, SET or DROP");
cleanup:
    return st;
}

static fl_status parse_action(parser *p, bool is_view, fl_ast_alter_action **ret)
{
    fl_status st = FL_OK;
    fl_ast_alter_action *action;
    FL_TRY(NEW(p, &action));
    action->start = p->now->start;
    *ret = action;
    if (accept_word(p, FL_KW_RENAME))
        return parse_rename(p, action);
    if (!is_view && fl_sql_accept_said(p, "add"))
        return parse_add(p, action);
    if (!is_view && accept_word(p, FL_KW_DROP))
        return parse_drop(p, action);
    if (!is_view && accept_word(p, FL_KW_ALTER))
        return parse_alter_column(p, action);
    return fl_sql_fail_expected(p, is_view ? "RENAME TO" : "ADD, DROP, ALTER or RENAME");
cleanup:
    return st;
}

fl_status fl_sql_parse_alter(parser *p, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    fl_ast_alter *alter;
    int64_t mark = p->stack_count;
    statement->kind = FL_AST_ALTER;
    FL_TRY(NEW(p, &alter));
    statement->alter = alter;
    advance(p);
    if (accept_word(p, FL_KW_SEQUENCE))
        return fl_sql_parse_alter_sequence(p, statement);
    alter->is_view = accept_word(p, FL_KW_VIEW);
    if (!alter->is_view && !accept_word(p, FL_KW_TABLE))
        return fl_sql_fail_expected(p, "TABLE, VIEW or SEQUENCE");
    alter->if_exists = fl_sql_accept_if_exists(p);
    FL_TRY(fl_sql_parse_path(p, alter->is_view ? "a view name" : "a table name", &alter->path));
    do {
        fl_ast_alter_action *action;
        FL_TRY(parse_action(p, alter->is_view, &action));
        FL_TRY(fl_sql_push(p, action));
        bool is_rename = action->kind == FL_AST_ALTER_RENAME || action->kind == FL_AST_ALTER_RENAME_COLUMN;
        if (is_rename && (p->stack_count > mark + 1 || is_at(p, FL_SQL_COMMA)))
            return fl_sql_fail_at(p, action->start, FL_ERR_SYNTAX, "RENAME stands alone in ALTER TABLE");
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_alter_action), &alter->actions, &alter->action_count));
cleanup:
    return st;
}
