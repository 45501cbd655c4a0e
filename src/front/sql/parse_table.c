/* What stands behind FROM: tables, files, functions, subqueries, and the joins between them. */
#include "front/sql/parse.h"

static fl_status parse_joins(parser *p, fl_ast_table **left);

fl_status fl_sql_new_table(parser *p, fl_ast_table_kind kind, int32_t start, fl_ast_table **ret)
{
    fl_status st = NEW(p, ret);
    if (st != FL_OK)
        return st;
    (*ret)->kind = (uint8_t)kind;
    (*ret)->height = 1;
    (*ret)->start = start;
    return FL_OK;
}

fl_status fl_sql_end_table(parser *p, fl_ast_table *table, int32_t below)
{
    table->end = end_before(p);
    if (below >= FL_SQL_DEPTH_MAX)
        return fl_sql_fail_deep(p, table->start);
    table->height = (uint16_t)(below + 1);
    if (table->height > p->tallest)
        p->tallest = table->height;
    return FL_OK;
}

/* ---- one table ---- */

/* TABLESAMPLE, before the alias or behind it */
static fl_status parse_table_sample(parser *p, fl_ast_table *table)
{
    if (!is_word(p, FL_KW_TABLESAMPLE))
        return FL_OK;
    if (table->sample != NULL)
        return fl_sql_fail_at(p, p->now->start, FL_ERR_SYNTAX, "a table with two samples");
    advance(p);
    return fl_sql_parse_sample(p, &table->sample);
}

static fl_status parse_table_alias(parser *p, fl_ast_table *table)
{
    fl_status st = FL_OK;
    FL_TRY(parse_table_sample(p, table));
    if (is_word(p, FL_KW_WITH) && ahead(p, 1)->keyword == FL_KW_ORDINALITY) {
        if (table->kind != FL_AST_TABLE_FUNCTION)
            return fl_sql_fail_at(p, p->now->start, FL_ERR_SYNTAX, "WITH ORDINALITY goes behind a table function");
        advance(p);
        advance(p);
        table->has_ordinality = true;
    }
    fl_ast_name alias;
    FL_TRY(fl_sql_parse_alias(p, &alias));
    if (alias.text.len > 0) {
        if (table->alias.text.len > 0)
            return fl_sql_fail_at(p, alias.start, FL_ERR_SYNTAX, "a table with two aliases, \"%.*s\" and \"%.*s\"",
                                  FL_STR_ARG(table->alias.text), FL_STR_ARG(alias.text));
        table->alias = alias;
        if (is_at(p, FL_SQL_LEFT_PAREN))
            FL_TRY(fl_sql_parse_name_list(p, &table->columns, &table->column_count));
    }
    FL_TRY(parse_table_sample(p, table));
cleanup:
    return st;
}

/* Behind a left parenthesis: a query, or joins. */
static fl_status parse_table_parens(parser *p, int32_t start, fl_ast_table **ret)
{
    fl_status st = FL_OK;
    fl_ast_table *table;
    FL_TRY(fl_sql_enter(p));
    if (fl_sql_is_query_inside(p)) {
        FL_TRY(fl_sql_new_table(p, FL_AST_TABLE_QUERY, start, &table));
        FL_TRY(fl_sql_parse_query(p, &table->query));
        FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\""));
        FL_TRY(fl_sql_end_table(p, table, table->query->height));
    } else {
        FL_TRY(fl_sql_parse_table_primary(p, &table));
        FL_TRY(parse_joins(p, &table));
        FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "a join or \")\""));
    }
    p->depth--;
    *ret = table;
cleanup:
    return st;
}

/* f(x = 1): in a table function's arguments an equation with a plain name is a named argument, as DuckDB has it. */
static void name_args(fl_ast_call *call)
{
    for (int32_t i = 0; i < call->arg_count; i++) {
        fl_ast_expr *value = call->args[i].value;
        if (call->args[i].name.text.len == 0 && value->kind == FL_AST_BINARY && value->op == FL_AST_OP_EQ &&
            value->ops.left->kind == FL_AST_COLUMN && value->ops.left->path.count == 1) {
            call->args[i].name = value->ops.left->path.parts[0];
            call->args[i].value = value->ops.right;
        }
    }
}

static fl_status parse_table_function(parser *p, fl_ast_path path, int32_t start, fl_ast_table **ret)
{
    fl_status st = FL_OK;
    FL_TRY(fl_sql_new_table(p, FL_AST_TABLE_FUNCTION, start, ret));
    FL_TRY(fl_sql_parse_call(p, path, &(*ret)->call));
    name_args((*ret)->call);
    int32_t height = 0;
    for (int32_t i = 0; i < (*ret)->call->arg_count; i++)
        height = higher(height, (*ret)->call->args[i].value);
    FL_TRY(fl_sql_end_table(p, *ret, height));
cleanup:
    return st;
}

static fl_status parse_table_named(parser *p, fl_ast_table **ret)
{
    fl_status st = FL_OK;
    fl_ast_path path;
    int32_t start = p->now->start;
    FL_TRY(fl_sql_parse_path(p, "a table name", &path));
    if (is_at(p, FL_SQL_LEFT_PAREN))
        return parse_table_function(p, path, start, ret);
    FL_TRY(fl_sql_new_table(p, FL_AST_TABLE_NAME, start, ret));
    (*ret)->path = path;
    FL_TRY(fl_sql_end_table(p, *ret, 0));
cleanup:
    return st;
}

fl_status fl_sql_parse_table_primary(parser *p, fl_ast_table **ret)
{
    fl_status st = FL_OK;
    fl_ast_table *table;
    fl_ast_name alias = {0};
    int32_t start = p->now->start;
    if (fl_sql_is_name(p) && ahead(p, 1)->kind == FL_SQL_COLON) { /* alias: table */
        FL_TRY(fl_sql_parse_name(p, "an alias name", &alias));
        advance(p);
    }
    bool is_lateral = accept_word(p, FL_KW_LATERAL);
    if (is_at(p, FL_SQL_LEFT_PAREN)) {
        advance(p);
        FL_TRY(parse_table_parens(p, start, &table));
    } else if (is_at(p, FL_SQL_STRING) || is_at(p, FL_SQL_ESCAPE_STRING) || is_at(p, FL_SQL_DOLLAR_STRING)) {
        FL_TRY(fl_sql_new_table(p, FL_AST_TABLE_FILE, start, &table));
        FL_TRY(fl_sql_parse_string(p, "a file", &table->file));
        FL_TRY(fl_sql_end_table(p, table, 0));
    } else if (is_word(p, FL_KW_VALUES) && ahead(p, 1)->kind == FL_SQL_LEFT_PAREN) {
        FL_TRY(fl_sql_new_table(p, FL_AST_TABLE_QUERY, start, &table));
        FL_TRY(fl_sql_parse_query(p, &table->query));
        FL_TRY(fl_sql_end_table(p, table, table->query->height));
    } else {
        FL_TRY(parse_table_named(p, &table));
    }
    if (is_lateral && table->kind != FL_AST_TABLE_QUERY && table->kind != FL_AST_TABLE_FUNCTION)
        return fl_sql_fail_at(p, start, FL_ERR_SYNTAX, "LATERAL goes before a subquery or a table function");
    table->is_lateral = is_lateral;
    if (alias.text.len > 0)
        table->alias = alias;
    FL_TRY(parse_table_alias(p, table));
    while (is_word(p, FL_KW_PIVOT) || is_word(p, FL_KW_UNPIVOT)) {
        FL_TRY(fl_sql_parse_pivot_suffix(p, &table));
        FL_TRY(parse_table_alias(p, table));
    }
    *ret = table;
cleanup:
    return st;
}

/* ---- joins ---- */

static bool is_join_start(const parser *p)
{
    switch ((fl_sql_keyword)p->now->keyword) {
    case FL_KW_JOIN:
    case FL_KW_INNER:
    case FL_KW_LEFT:
    case FL_KW_RIGHT:
    case FL_KW_FULL:
    case FL_KW_CROSS:
    case FL_KW_NATURAL:
        return true;
    case FL_KW_SEMI:
    case FL_KW_ANTI:
    case FL_KW_ASOF:
    case FL_KW_POSITIONAL:
        return ahead(p, 1)->kind == FL_SQL_WORD;
    default:
        return false;
    }
}

/* The words up to and with JOIN. */
static fl_status parse_join_kind(parser *p, fl_ast_join *join)
{
    int32_t start = p->now->start;
    join->is_asof = accept_word(p, FL_KW_ASOF);
    join->is_natural = accept_word(p, FL_KW_NATURAL);
    fl_sql_keyword word = (fl_sql_keyword)p->now->keyword;
    bool takes_outer = false;
    switch (word) {
    case FL_KW_LEFT:
        join->kind = FL_AST_JOIN_LEFT;
        takes_outer = true;
        break;
    case FL_KW_RIGHT:
        join->kind = FL_AST_JOIN_RIGHT;
        takes_outer = true;
        break;
    case FL_KW_FULL:
        join->kind = FL_AST_JOIN_FULL;
        takes_outer = true;
        break;
    case FL_KW_CROSS:
        join->kind = FL_AST_JOIN_CROSS;
        break;
    case FL_KW_SEMI:
        join->kind = FL_AST_JOIN_SEMI;
        break;
    case FL_KW_ANTI:
        join->kind = FL_AST_JOIN_ANTI;
        break;
    case FL_KW_POSITIONAL:
        join->kind = FL_AST_JOIN_POSITIONAL;
        break;
    default:
        join->kind = FL_AST_JOIN_INNER;
        break;
    }
    if (word != FL_KW_JOIN && (join->kind != FL_AST_JOIN_INNER || word == FL_KW_INNER))
        advance(p);
    if (takes_outer && !accept_word(p, FL_KW_OUTER) && join->kind == FL_AST_JOIN_LEFT) {
        if (accept_word(p, FL_KW_SEMI)) /* LEFT SEMI JOIN is Spark's spelling */
            join->kind = FL_AST_JOIN_SEMI;
        else if (accept_word(p, FL_KW_ANTI))
            join->kind = FL_AST_JOIN_ANTI;
    }
    if (join->is_asof && (join->is_natural || join->kind == FL_AST_JOIN_CROSS || join->kind == FL_AST_JOIN_POSITIONAL))
        return fl_sql_fail_at(p, start, FL_ERR_SYNTAX, "an ASOF join has a condition: ON or USING");
    if (join->is_natural && (join->kind == FL_AST_JOIN_CROSS || join->kind == FL_AST_JOIN_POSITIONAL))
        return fl_sql_fail_at(p, start, FL_ERR_SYNTAX, "a join is NATURAL or CROSS, not both");
    return fl_sql_expect_word(p, FL_KW_JOIN);
}

static fl_status parse_join_condition(parser *p, fl_ast_join *join)
{
    if (accept_word(p, FL_KW_ON))
        return fl_sql_parse_expr(p, &join->on);
    if (accept_word(p, FL_KW_USING))
        return fl_sql_parse_name_list(p, &join->usings, &join->using_count);
    return fl_sql_fail_expected(p, "ON or USING");
}

/* All joins that begin here, with *left as the first table. */
static fl_status parse_joins(parser *p, fl_ast_table **left)
{
    fl_status st = FL_OK;
    while (is_join_start(p)) {
        fl_ast_table *table;
        fl_ast_join *join;
        FL_TRY(fl_sql_new_table(p, FL_AST_TABLE_JOIN, (*left)->start, &table));
        FL_TRY(NEW(p, &join));
        table->join = join;
        join->left = *left;
        FL_TRY(parse_join_kind(p, join));
        FL_TRY(fl_sql_parse_table_primary(p, &join->right));
        if (!join->is_natural && join->kind != FL_AST_JOIN_CROSS && join->kind != FL_AST_JOIN_POSITIONAL) {
            if (is_join_start(p)) { /* a JOIN b JOIN c ON ... ON ...: the second join is the first one's right side */
                FL_TRY(fl_sql_enter(p));
                FL_TRY(parse_joins(p, &join->right));
                p->depth--;
            }
            FL_TRY(parse_join_condition(p, join));
        }
        int32_t below = join->left->height > join->right->height ? join->left->height : join->right->height;
        FL_TRY(fl_sql_end_table(p, table, higher(below, join->on)));
        *left = table;
    }
cleanup:
    return st;
}

fl_status fl_sql_parse_from(parser *p, fl_ast_table **ret)
{
    fl_status st = FL_OK;
    fl_ast_table *left;
    FL_TRY(fl_sql_parse_table_primary(p, &left));
    FL_TRY(parse_joins(p, &left));
    while (is_at(p, FL_SQL_COMMA)) {
        fl_ast_table *table;
        advance(p);
        if (fl_sql_is_list_end(p) || is_word(p, FL_KW_SELECT))
            break;
        FL_TRY(fl_sql_new_table(p, FL_AST_TABLE_JOIN, left->start, &table));
        FL_TRY(NEW(p, &table->join));
        table->join->kind = FL_AST_JOIN_CROSS;
        table->join->left = left;
        FL_TRY(fl_sql_parse_table_primary(p, &table->join->right));
        FL_TRY(parse_joins(p, &table->join->right));
        int32_t right = table->join->right->height;
        FL_TRY(fl_sql_end_table(p, table, left->height > right ? left->height : right));
        left = table;
    }
    *ret = left;
cleanup:
    return st;
}
