/* INSERT, UPDATE, DELETE, TRUNCATE. */
#include "front/sql/parse.h"

static fl_status refuse_tail(parser *p)
{
    if (is_word(p, FL_KW_RETURNING))
        return fl_sql_fail_unsupported(p, p->now->start, "RETURNING is",
                                       "leave it out and run a SELECT before or after it");
    if (is_word(p, FL_KW_ON) && ahead(p, 1)->keyword == FL_KW_CONFLICT)
        return fl_sql_fail_unsupported(p, p->now->start, "ON CONFLICT is",
                                       "write INSERT INTO t SELECT … WHERE NOT EXISTS (SELECT 1 FROM t WHERE t.id = "
                                       "…), and UPDATE for rows that are there");
    return FL_OK;
}

/* name [[AS] alias], without what else may stand behind FROM. */
static fl_status parse_target(parser *p, fl_ast_table **ret)
{
    fl_status st = FL_OK;
    fl_ast_table *table;
    FL_TRY(NEW(p, &table));
    table->kind = FL_AST_TABLE_NAME;
    table->height = 1;
    table->start = p->now->start;
    FL_TRY(fl_sql_parse_path(p, "a table name", &table->path));
    table->end = end_before(p);
    FL_TRY(fl_sql_parse_alias(p, &table->alias));
    *ret = table;
cleanup:
    return st;
}

fl_status fl_sql_parse_insert(parser *p, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    fl_ast_insert *insert;
    statement->kind = FL_AST_INSERT;
    FL_TRY(NEW(p, &insert));
    statement->insert = insert;
    advance(p);
    if (is_word(p, FL_KW_OR))
        return fl_sql_fail_unsupported(p, p->now->start, "INSERT OR ... is",
                                       "write INSERT INTO t SELECT … WHERE NOT EXISTS (SELECT 1 FROM t WHERE t.id = "
                                       "…), and UPDATE for rows that are there");
    FL_TRY(fl_sql_expect_word(p, FL_KW_INTO));
    FL_TRY(fl_sql_parse_path(p, "a table name", &insert->path));
    if (is_word(p, FL_KW_AS))
        FL_TRY(fl_sql_parse_alias(p, &insert->alias));
    if (is_at(p, FL_SQL_LEFT_PAREN) && !fl_sql_is_query_inside(&(parser){.now = p->now + 1}))
        FL_TRY(fl_sql_parse_name_list(p, &insert->columns, &insert->column_count));
    if (is_word(p, FL_KW_OVERRIDING))
        return fl_sql_fail_unsupported(
            p, p->now->start, "OVERRIDING is",
            "leave it out: a value that is given is taken, DEFAULT is for those that are not");
    if (is_word(p, FL_KW_BY) && ahead(p, 1)->kind == FL_SQL_WORD)
        return fl_sql_fail_unsupported(p, p->now->start, "INSERT ... BY NAME is",
                                       "name the columns: INSERT INTO t (a, b) SELECT a, b FROM …");
    if (is_word(p, FL_KW_DEFAULT) && ahead(p, 1)->keyword == FL_KW_VALUES) {
        advance(p);
        advance(p);
    } else {
        if (!fl_sql_is_query_start(p))
            return fl_sql_fail_expected(p, "VALUES, a query or DEFAULT VALUES");
        FL_TRY(fl_sql_parse_query(p, &insert->query));
    }
    FL_TRY(refuse_tail(p));
cleanup:
    return st;
}

/* (a, b) = (x, y): an assignment per column. */
static fl_status parse_assigns_of_row(parser *p)
{
    fl_status st = FL_OK;
    fl_ast_name *names;
    fl_ast_expr *row;
    int32_t count;
    FL_TRY(fl_sql_parse_name_list(p, &names, &count));
    FL_TRY(fl_sql_expect(p, FL_SQL_EQUAL, "\"=\""));
    FL_TRY(fl_sql_parse_expr(p, &row));
    if (row->kind == FL_AST_SUBQUERY)
        return fl_sql_fail_unsupported(
            p, row->start, "SET (a, b) = (query) is",
            "write SET a = (query), b = (query), or UPDATE … SET a = s.a, b = s.b FROM (query) AS s WHERE …");
    int32_t values = row->kind == FL_AST_ROW ? row->list.count : 1;
    if (values != count)
        return fl_sql_fail_at(p, row->start, FL_ERR_SYNTAX, "%d values for %d columns", values, count);
    for (int32_t i = 0; i < count; i++) {
        fl_ast_assign *assign;
        FL_TRY(NEW(p, &assign));
        *assign = (fl_ast_assign){.name = names[i], .value = row->kind == FL_AST_ROW ? row->list.items[i] : row};
        FL_TRY(fl_sql_push(p, assign));
    }
cleanup:
    return st;
}

static fl_status parse_assign(parser *p)
{
    fl_status st = FL_OK;
    fl_ast_assign *assign;
    if (is_at(p, FL_SQL_LEFT_PAREN))
        return parse_assigns_of_row(p);
    FL_TRY(NEW(p, &assign));
    FL_TRY(fl_sql_parse_name(p, "a column name", &assign->name));
    if (is_at(p, FL_SQL_DOT) || is_at(p, FL_SQL_LEFT_BRACKET))
        return fl_sql_fail_unsupported(p, p->now->start, "assignments to parts of a column are",
                                       "assign the whole value: SET s = {'a': 1, 'b': (s).b}");
    FL_TRY(fl_sql_expect(p, FL_SQL_EQUAL, "\"=\""));
    FL_TRY(fl_sql_parse_expr(p, &assign->value));
    FL_TRY(fl_sql_push(p, assign));
cleanup:
    return st;
}

fl_status fl_sql_parse_update(parser *p, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    fl_ast_update *update;
    int64_t mark = p->stack_count;
    statement->kind = FL_AST_UPDATE;
    FL_TRY(NEW(p, &update));
    statement->update = update;
    advance(p);
    FL_TRY(parse_target(p, &update->table));
    FL_TRY(fl_sql_expect_word(p, FL_KW_SET));
    do {
        if (p->stack_count > mark && fl_sql_is_list_end(p))
            break;
        FL_TRY(parse_assign(p));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_assign), &update->assigns, &update->assign_count));
    if (accept_word(p, FL_KW_FROM))
        FL_TRY(fl_sql_parse_from(p, &update->from));
    if (accept_word(p, FL_KW_WHERE))
        FL_TRY(fl_sql_parse_expr(p, &update->where));
    FL_TRY(refuse_tail(p));
cleanup:
    return st;
}

fl_status fl_sql_parse_delete(parser *p, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    fl_ast_erase *erase;
    bool is_truncate = is_word(p, FL_KW_TRUNCATE);
    statement->kind = is_truncate ? FL_AST_TRUNCATE : FL_AST_DELETE;
    FL_TRY(NEW(p, &erase));
    statement->erase = erase;
    advance(p);
    if (is_truncate)
        accept_word(p, FL_KW_TABLE);
    else
        FL_TRY(fl_sql_expect_word(p, FL_KW_FROM));
    FL_TRY(parse_target(p, &erase->table));
    if (!is_truncate) {
        if (accept_word(p, FL_KW_USING))
            FL_TRY(fl_sql_parse_from(p, &erase->usings));
        if (accept_word(p, FL_KW_WHERE))
            FL_TRY(fl_sql_parse_expr(p, &erase->where));
        FL_TRY(refuse_tail(p));
    }
cleanup:
    return st;
}
