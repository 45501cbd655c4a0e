/* COPY, EXPORT DATABASE, IMPORT DATABASE: what is copied, the file, and options as both PostgreSQL and DuckDB write them. */
#include "front/sql/parse.h"

/* ---- options ---- */

/* A constant, or a word that stands for the string of its letters; * for all columns. */
static fl_status parse_option_value(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    if (is_at(p, FL_SQL_ASTERISK)) {
        FL_TRY(fl_sql_new_expr(p, FL_AST_STAR, p->now->start, ret));
        advance(p);
        return fl_sql_end_expr(p, *ret, 0);
    }
    bool is_constant = is_word(p, FL_KW_TRUE) || is_word(p, FL_KW_FALSE) || is_word(p, FL_KW_NULL);
    if (!is_at(p, FL_SQL_WORD) || is_constant)
        return fl_sql_parse_expr(p, ret);
    FL_TRY(fl_sql_new_expr(p, FL_AST_STRING, p->now->start, ret));
    (*ret)->text = text_of(p, p->now);
    advance(p);
    st = fl_sql_end_expr(p, *ret, 0);
cleanup:
    return st;
}

/* A name in double quotes, as the string of its letters; or any other value. */
static fl_status parse_listed_value(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_name name;
    if (!fl_sql_is_name(p) || ahead(p, 1)->kind == FL_SQL_LEFT_PAREN)
        return parse_option_value(p, ret);
    FL_TRY(fl_sql_parse_name(p, "a column's name", &name));
    FL_TRY(fl_sql_new_expr(p, FL_AST_STRING, name.start, ret));
    (*ret)->text = name.text;
    st = fl_sql_end_expr(p, *ret, 0);
cleanup:
    return st;
}

static fl_status parse_list(parser *p, fl_ast_copy_option *option)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    option->is_list = true;
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\""));
    do {
        fl_ast_expr *value = NULL;
        if (p->stack_count > mark && is_at(p, FL_SQL_RIGHT_PAREN))
            break;
        FL_TRY(parse_listed_value(p, &value));
        FL_TRY(fl_sql_push(p, value));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    st = fl_sql_pop_list(p, mark, &option->values, &option->value_count);
cleanup:
    return st;
}

static fl_status add_value(parser *p, fl_ast_copy_option *option)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    fl_ast_expr *value = NULL;
    FL_TRY(parse_listed_value(p, &value));
    FL_TRY(fl_sql_push(p, value));
    st = fl_sql_pop_list(p, mark, &option->values, &option->value_count);
cleanup:
    return st;
}

/* name [=] [value | (values)] */
static fl_status parse_option(parser *p)
{
    fl_status st = FL_OK;
    fl_ast_copy_option *option;
    FL_TRY(NEW(p, &option));
    FL_TRY(fl_sql_parse_label(p, "an option's name", &option->name));
    (void)accept(p, FL_SQL_EQUAL);
    if (is_at(p, FL_SQL_LEFT_PAREN))
        FL_TRY(parse_list(p, option));
    else if (!is_at(p, FL_SQL_COMMA) && !is_at(p, FL_SQL_RIGHT_PAREN))
        FL_TRY(add_value(p, option));
    FL_TRY(fl_sql_push(p, option));
cleanup:
    return st;
}

static bool is_at_end(const parser *p)
{
    return is_at(p, FL_SQL_END) || is_at(p, FL_SQL_SEMICOLON);
}

/* PostgreSQL's older way, without parentheses: CSV HEADER DELIMITER AS ',' FORCE QUOTE a, b. */
static fl_status parse_plain_option(parser *p)
{
    fl_status st = FL_OK;
    fl_ast_copy_option *option;
    int64_t mark = p->stack_count;
    FL_TRY(NEW(p, &option));
    if (!is_at(p, FL_SQL_WORD))
        return fl_sql_fail_expected(p, "an option, as HEADER, or options in parentheses");
    bool is_format = fl_sql_is_said(p, p->now, "csv") || fl_sql_is_said(p, p->now, "binary");
    if (is_format) {
        option->name = (fl_ast_name){.text = FL_STR("format"), .start = p->now->start, .end = p->now->end};
        FL_TRY(add_value(p, option));
    } else if (fl_sql_is_said(p, p->now, "force") && fl_sql_is_said(p, ahead(p, 1), "quote")) {
        option->name = (fl_ast_name){.text = FL_STR("force_quote"), .start = p->now->start, .end = p->now->end};
        advance(p);
        advance(p);
        do {
            fl_ast_expr *value = NULL;
            FL_TRY(parse_listed_value(p, &value));
            FL_TRY(fl_sql_push(p, value));
        } while (accept(p, FL_SQL_COMMA));
        option->is_list = true;
        FL_TRY(fl_sql_pop_list(p, mark, &option->values, &option->value_count));
    } else {
        FL_TRY(fl_sql_parse_label(p, "an option's name", &option->name));
        (void)accept_word(p, FL_KW_AS);
        if (is_at(p, FL_SQL_STRING))
            FL_TRY(add_value(p, option));
    }
    st = fl_sql_push(p, option);
cleanup:
    return st;
}

fl_status fl_sql_parse_copy_options(parser *p, fl_ast_copy *copy)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    copy->options_start = p->now->start;
    (void)accept_word(p, FL_KW_WITH);
    if (accept(p, FL_SQL_LEFT_PAREN)) {
        do {
            if (is_at(p, FL_SQL_RIGHT_PAREN))
                break;
            FL_TRY(parse_option(p));
        } while (accept(p, FL_SQL_COMMA));
        FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    } else {
        while (!is_at_end(p))
            FL_TRY(parse_plain_option(p));
    }
    st = fl_sql_pop_values(p, mark, sizeof(fl_ast_copy_option), &copy->options, &copy->option_count);
cleanup:
    return st;
}

/* ---- what is copied ---- */

/* SELECT the columns that are named, or all, FROM the table. */
static fl_status make_query(parser *p, fl_ast_copy *copy, int32_t start)
{
    fl_status st = FL_OK;
    fl_ast_table *table;
    fl_ast_select *select;
    FL_TRY(NEW(p, &table));
    *table = (fl_ast_table){
        .kind = FL_AST_TABLE_NAME, .height = 1, .start = start, .end = copy->path.parts[copy->path.count - 1].end};
    table->path = copy->path;
    FL_TRY(fl_sql_query_of_table(p, table, &copy->query));
    if (copy->column_count == 0)
        return FL_OK;
    select = copy->query->body->select;
    select->item_count = copy->column_count;
    FL_TRY(FL_NEW_ARRAY(p->arena, copy->column_count, &select->items, p->err));
    for (int32_t i = 0; i < copy->column_count; i++) {
        fl_ast_expr *column;
        FL_TRY(fl_sql_new_expr(p, FL_AST_COLUMN, copy->columns[i].start, &column));
        column->path = (fl_ast_path){.parts = &copy->columns[i], .count = 1};
        column->end = copy->columns[i].end;
        column->height = 1;
        select->items[i].expr = column;
    }
cleanup:
    return st;
}

static fl_status parse_file(parser *p, fl_ast_copy *copy, bool is_from)
{
    copy->file_start = p->now->start;
    if (!is_from && fl_sql_is_said(p, p->now, "stdout")) {
        advance(p);
        copy->file = FL_STR("/dev/stdout");
        copy->is_standard = true;
        return FL_OK;
    }
    if (is_from && fl_sql_is_said(p, p->now, "stdin")) {
        advance(p);
        copy->file = FL_STR("/dev/stdin");
        copy->is_standard = true;
        return FL_OK;
    }
    if (fl_sql_is_said(p, p->now, "program"))
        return fl_sql_fail_unsupported(p, p->now->start, "COPY with programs is",
                                       is_from ? "name a file: COPY t FROM 'rows.csv', or STDIN: COPY t FROM STDIN"
                                               : "name a file, or STDOUT in the program: COPY t TO STDOUT");
    return fl_sql_parse_string(p, "a file's name, as 'rows.parquet'", &copy->file);
}

fl_status fl_sql_parse_copy(parser *p, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    fl_ast_copy *copy;
    FL_TRY(NEW(p, &copy));
    statement->copy = copy;
    statement->kind = FL_AST_COPY_TO;
    advance(p);
    int32_t start = p->now->start;
    if (is_at(p, FL_SQL_LEFT_PAREN)) {
        advance(p);
        if (!fl_sql_is_query_start(p))
            return fl_sql_fail_expected(p, "a query (SELECT, FROM, VALUES or TABLE)");
        FL_TRY(fl_sql_parse_query(p, &copy->query));
        FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\""));
        FL_TRY(fl_sql_expect_word(p, FL_KW_TO));
    } else {
        FL_TRY(fl_sql_parse_path(p, "a table's name or a query in parentheses", &copy->path));
        if (is_at(p, FL_SQL_LEFT_PAREN))
            FL_TRY(fl_sql_parse_name_list(p, &copy->columns, &copy->column_count));
        if (accept_word(p, FL_KW_FROM))
            statement->kind = FL_AST_COPY_FROM;
        else if (!accept_word(p, FL_KW_TO))
            return fl_sql_fail_expected(p, "TO or FROM");
        if (statement->kind == FL_AST_COPY_TO)
            FL_TRY(make_query(p, copy, start));
    }
    FL_TRY(parse_file(p, copy, statement->kind == FL_AST_COPY_FROM));
    FL_TRY(fl_sql_parse_copy_options(p, copy));
cleanup:
    return st;
}

fl_status fl_sql_parse_export(parser *p, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    fl_ast_copy *copy;
    bool is_export = is_word(p, FL_KW_EXPORT);
    FL_TRY(NEW(p, &copy));
    statement->copy = copy;
    statement->kind = is_export ? FL_AST_EXPORT : FL_AST_IMPORT;
    advance(p);
    if (!fl_sql_is_said(p, p->now, "database"))
        return fl_sql_fail_expected(p, "DATABASE");
    advance(p);
    copy->file_start = p->now->start;
    FL_TRY(fl_sql_parse_string(p, "a folder's name, as 'backup'", &copy->file));
    if (is_export)
        FL_TRY(fl_sql_parse_copy_options(p, copy));
cleanup:
    return st;
}
