/* INSERT, UPDATE, DELETE, TRUNCATE. */
#include "front/sql/parse.h"

fl_status fl_sql_parse_returning(parser *p, fl_ast_returning *ret)
{
    if (!accept_word(p, FL_KW_RETURNING))
        return FL_OK;
    return fl_sql_parse_items(p, &ret->items, &ret->item_count);
}

fl_status fl_sql_parse_target(parser *p, fl_ast_table **ret)
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
    if (accept_word(p, FL_KW_OR)) {
        FL_TRY(NEW(p, &insert->conflict));
        insert->conflict->start = p->now->start;
        insert->conflict->does_nothing = is_word(p, FL_KW_IGNORE);
        insert->conflict->replaces = is_word(p, FL_KW_REPLACE);
        if (!accept_word(p, FL_KW_IGNORE) && !accept_word(p, FL_KW_REPLACE))
            return fl_sql_fail_expected(p, "REPLACE or IGNORE");
    }
    FL_TRY(fl_sql_expect_word(p, FL_KW_INTO));
    FL_TRY(fl_sql_parse_path(p, "a table name", &insert->path));
    if (is_word(p, FL_KW_AS))
        FL_TRY(fl_sql_parse_alias(p, &insert->alias));
    if (is_at(p, FL_SQL_LEFT_PAREN) && !fl_sql_is_query_inside(&(parser){.now = p->now + 1}))
        FL_TRY(fl_sql_parse_name_list(p, &insert->columns, &insert->column_count));
    if (is_word(p, FL_KW_BY) && ahead(p, 1)->kind == FL_SQL_WORD) {
        advance(p);
        insert->by_name = fl_sql_is_said(p, p->now, "name");
        if (!insert->by_name && !fl_sql_is_said(p, p->now, "position"))
            return fl_sql_fail_expected(p, "NAME or POSITION");
        advance(p);
    }
    if (accept_word(p, FL_KW_OVERRIDING)) {
        insert->is_overriding = fl_sql_is_said(p, p->now, "system");
        insert->ignores_values = fl_sql_is_said(p, p->now, "user");
        if (!insert->is_overriding && !insert->ignores_values)
            return fl_sql_fail_expected(p, "SYSTEM VALUE or USER VALUE");
        advance(p);
        if (!fl_sql_accept_said(p, "value"))
            return fl_sql_fail_expected(p, "VALUE");
    }
    if (is_word(p, FL_KW_DEFAULT) && ahead(p, 1)->keyword == FL_KW_VALUES) {
        advance(p);
        advance(p);
    } else {
        if (!fl_sql_is_query_start(p))
            return fl_sql_fail_expected(p, "VALUES, a query or DEFAULT VALUES");
        FL_TRY(fl_sql_parse_query(p, &insert->query));
    }
    if (insert->conflict == NULL)
        FL_TRY(fl_sql_parse_conflict(p, &insert->conflict));
    FL_TRY(fl_sql_parse_returning(p, &insert->returning));
cleanup:
    return st;
}

/* Column i of a query as an expression: SELECT name FROM (query) AS assigned (names). */
static fl_status column_of_query(parser *p, const fl_ast_expr *row, fl_ast_name *names, int32_t count, int32_t i,
                                 fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_table *table;
    fl_ast_query *query;
    fl_ast_expr *column;
    FL_TRY(NEW(p, &table));
    *table = (fl_ast_table){.kind = FL_AST_TABLE_QUERY, .start = row->start, .end = row->end, .column_count = count};
    table->height = (uint16_t)(row->height + 1);
    table->alias.text = FL_STR("assigned");
    table->columns = names;
    table->query = row->sub.query;
    FL_TRY(fl_sql_query_of_table(p, table, &query));
    FL_TRY(fl_sql_new_expr(p, FL_AST_COLUMN, row->start, &column));
    column->path = (fl_ast_path){.parts = &names[i], .count = 1};
    FL_TRY(fl_sql_end_expr(p, column, 0));
    query->body->select->items[0].expr = column;
    FL_TRY(fl_sql_new_expr(p, FL_AST_SUBQUERY, row->start, ret));
    (*ret)->sub.query = query;
    FL_TRY(fl_sql_end_expr(p, *ret, query->height));
cleanup:
    return st;
}

/* (a, b) = (SELECT x, y): each column is computed by itself; the optimizer finds what they share. */
static fl_status assign_columns(parser *p, const fl_ast_expr *row, fl_ast_name *names, int32_t count)
{
    fl_status st = FL_OK;
    const fl_ast_body *body = row->sub.query->body;
    int32_t n = count;
    if (body->kind == FL_AST_BODY_VALUES)
        n = body->values->column_count;
    bool has_star = false;
    for (int32_t i = 0; body->kind == FL_AST_BODY_SELECT && i < body->select->item_count; i++)
        has_star |= body->select->items[i].expr->kind == FL_AST_STAR;
    if (body->kind == FL_AST_BODY_SELECT && !has_star)
        n = body->select->item_count;
    if (n != count)
        return fl_sql_fail_at(p, row->start, FL_ERR_SYNTAX, "%d values for %d columns", n, count);
    for (int32_t i = 0; i < count; i++) {
        fl_ast_assign *assign;
        FL_TRY(NEW(p, &assign));
        assign->name = names[i];
        FL_TRY(column_of_query(p, row, names, count, i, &assign->value));
        FL_TRY(fl_sql_push(p, assign));
    }
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
        return assign_columns(p, row, names, count);
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

fl_status fl_sql_parse_assigns(parser *p, fl_ast_assign **ret, int32_t *ret_count)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    do {
        if (p->stack_count > mark && fl_sql_is_list_end(p))
            break;
        FL_TRY(parse_assign(p));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_assign), ret, ret_count));
cleanup:
    return st;
}

fl_status fl_sql_parse_update(parser *p, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    fl_ast_update *update;
    statement->kind = FL_AST_UPDATE;
    FL_TRY(NEW(p, &update));
    statement->update = update;
    advance(p);
    FL_TRY(fl_sql_parse_target(p, &update->table));
    FL_TRY(fl_sql_expect_word(p, FL_KW_SET));
    FL_TRY(fl_sql_parse_assigns(p, &update->assigns, &update->assign_count));
    if (accept_word(p, FL_KW_FROM))
        FL_TRY(fl_sql_parse_from(p, &update->from));
    if (accept_word(p, FL_KW_WHERE))
        FL_TRY(fl_sql_parse_expr(p, &update->where));
    FL_TRY(fl_sql_parse_returning(p, &update->returning));
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
    FL_TRY(fl_sql_parse_target(p, &erase->table));
    if (!is_truncate) {
        if (accept_word(p, FL_KW_USING))
            FL_TRY(fl_sql_parse_from(p, &erase->usings));
        if (accept_word(p, FL_KW_WHERE))
            FL_TRY(fl_sql_parse_expr(p, &erase->where));
        FL_TRY(fl_sql_parse_returning(p, &erase->returning));
    }
cleanup:
    return st;
}

/* ---- which change ---- */

bool fl_sql_is_change(const parser *p, const fl_sql_token *token)
{
    const fl_sql_token *next = token->kind == FL_SQL_END ? token : token + 1;
    (void)p;
    switch ((fl_sql_keyword)token->keyword) {
    case FL_KW_INSERT:
        return next->keyword == FL_KW_INTO || next->keyword == FL_KW_OR;
    case FL_KW_MERGE:
        return next->keyword == FL_KW_INTO;
    case FL_KW_DELETE:
        return next->keyword == FL_KW_FROM;
    case FL_KW_UPDATE:
        return fl_sql_is_name_token(next);
    default:
        return false;
    }
}

void fl_sql_set_with(fl_ast_statement *change, fl_ast_query *with)
{
    switch (change->kind) {
    case FL_AST_INSERT:
        change->insert->with = with;
        return;
    case FL_AST_UPDATE:
        change->update->with = with;
        return;
    case FL_AST_MERGE:
        change->merge->with = with;
        return;
    default:
        change->erase->with = with;
        return;
    }
}

fl_status fl_sql_parse_change(parser *p, fl_ast_query *with, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    statement->start = p->now->start;
    switch ((fl_sql_keyword)p->now->keyword) {
    case FL_KW_INSERT:
        FL_TRY(fl_sql_parse_insert(p, statement));
        break;
    case FL_KW_UPDATE:
        FL_TRY(fl_sql_parse_update(p, statement));
        break;
    case FL_KW_MERGE:
        FL_TRY(fl_sql_parse_merge(p, statement));
        break;
    default:
        FL_TRY(fl_sql_parse_delete(p, statement));
        break;
    }
    statement->end = end_before(p);
    if (with != NULL)
        fl_sql_set_with(statement, with);
cleanup:
    return st;
}
