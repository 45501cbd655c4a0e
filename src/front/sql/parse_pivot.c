/* PIVOT and UNPIVOT: DuckDB's statements, which are queries, and the standard's forms behind a table in FROM. */
#include "front/sql/parse.h"

/* ---- PIVOT ---- */

/* value [AS name] of IN (...) */
static fl_status parse_value(parser *p, fl_ast_item **ret)
{
    fl_status st = FL_OK;
    FL_TRY(NEW(p, ret));
    FL_TRY(fl_sql_parse_expr(p, &(*ret)->expr));
    FL_TRY(fl_sql_parse_alias(p, &(*ret)->alias));
cleanup:
    return st;
}

/* Behind IN. */
static fl_status parse_values(parser *p, fl_ast_pivot_key *key)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\" and values or a query"));
    if (fl_sql_is_query_inside(p)) {
        FL_TRY(fl_sql_parse_query(p, &key->query));
        return fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\"");
    }
    do {
        fl_ast_item *item;
        if (p->stack_count > mark && is_at(p, FL_SQL_RIGHT_PAREN))
            break;
        FL_TRY(parse_value(p, &item));
        FL_TRY(fl_sql_push(p, item));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_item), &key->values, &key->value_count));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
cleanup:
    return st;
}

/* One of ON: key, or key IN (...). IN of any other expression is part of it: ON (a IN (1, 2)). */
static fl_status parse_key(parser *p, fl_ast_pivot_key **ret)
{
    fl_status st = FL_OK;
    fl_ast_pivot_key *key;
    const fl_sql_token *start = p->now;
    int32_t parameter_count = p->parameter_count;
    FL_TRY(NEW(p, &key));
    FL_TRY(fl_sql_parse_operand(p, &key->key));
    if (accept_word(p, FL_KW_IN)) {
        FL_TRY(parse_values(p, key));
    } else { /* the rest of an expression may follow, as > 5 */
        p->now = start;
        p->parameter_count = parameter_count;
        FL_TRY(fl_sql_parse_expr(p, &key->key));
    }
    *ret = key;
cleanup:
    return st;
}

static fl_status parse_group(parser *p, fl_ast_pivot *pivot)
{
    fl_status st = FL_OK;
    if (!accept_word(p, FL_KW_GROUP))
        return FL_OK;
    FL_TRY(fl_sql_expect_word(p, FL_KW_BY));
    pivot->has_group = true;
    FL_TRY(fl_sql_parse_expr_list(p, &pivot->groups, &pivot->group_count));
cleanup:
    return st;
}

/* What a column of several aggregates is called behind its value: the aggregate's text, where it has no alias. */
static void name_usings(const parser *p, fl_ast_pivot *pivot)
{
    for (int32_t i = 0; i < pivot->using_count && pivot->using_count > 1; i++) {
        fl_ast_item *item = &pivot->usings[i];
        if (item->alias.text.len == 0)
            item->alias =
                (fl_ast_name){text_between(p, item->expr->start, item->expr->end), item->expr->start, item->expr->end};
    }
}

static fl_status end_pivot(parser *p, fl_ast_table *table, const fl_ast_table *source)
{
    int32_t below = source->height;
    return fl_sql_end_table(p, table, p->tallest > below ? p->tallest : below);
}

fl_status fl_sql_parse_pivot_keys(parser *p, fl_ast_pivot *pivot)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    do {
        fl_ast_pivot_key *key;
        FL_TRY(parse_key(p, &key));
        FL_TRY(fl_sql_push(p, key));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_pivot_key), &pivot->keys, &pivot->key_count));
cleanup:
    return st;
}

fl_status fl_sql_parse_pivot_usings(parser *p, fl_ast_pivot *pivot)
{
    fl_status st = FL_OK;
    FL_TRY(fl_sql_parse_items(p, &pivot->usings, &pivot->using_count));
    name_usings(p, pivot);
cleanup:
    return st;
}

/* source [ON keys] [USING aggregates] [GROUP BY groups], behind PIVOT */
static fl_status parse_pivot(parser *p, int32_t start, fl_ast_table **ret)
{
    fl_status st = FL_OK;
    fl_ast_table *table;
    FL_TRY(fl_sql_new_table(p, FL_AST_TABLE_PIVOT, start, &table));
    FL_TRY(NEW(p, &table->pivot));
    fl_ast_pivot *pivot = table->pivot;
    FL_TRY(fl_sql_parse_table_primary(p, &pivot->source));
    if (accept_word(p, FL_KW_ON))
        FL_TRY(fl_sql_parse_pivot_keys(p, pivot));
    if (accept_word(p, FL_KW_USING))
        FL_TRY(fl_sql_parse_pivot_usings(p, pivot));
    else if (pivot->key_count == 0)
        return fl_sql_fail_expected(p, "ON or USING");
    FL_TRY(parse_group(p, pivot));
    FL_TRY(end_pivot(p, table, pivot->source));
    *ret = table;
cleanup:
    return st;
}

/* (aggregates FOR key IN (...) key IN (...) [GROUP BY groups]) */
static fl_status parse_pivot_parens(parser *p, fl_ast_pivot *pivot)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\""));
    FL_TRY(fl_sql_parse_pivot_usings(p, pivot));
    FL_TRY(fl_sql_expect_word(p, FL_KW_FOR));
    do {
        fl_ast_pivot_key *key;
        FL_TRY(NEW(p, &key));
        FL_TRY(fl_sql_parse_operand(p, &key->key));
        FL_TRY(fl_sql_expect_word(p, FL_KW_IN));
        FL_TRY(parse_values(p, key));
        FL_TRY(fl_sql_push(p, key));
    } while (!is_word(p, FL_KW_GROUP) && !is_at(p, FL_SQL_RIGHT_PAREN) && !is_at(p, FL_SQL_END));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_pivot_key), &pivot->keys, &pivot->key_count));
    FL_TRY(parse_group(p, pivot));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "a key, GROUP BY or \")\""));
cleanup:
    return st;
}

/* ---- UNPIVOT ---- */

static bool accept_nulls(parser *p, bool *ret)
{
    bool is_include = fl_sql_is_said(p, p->now, "include");
    if (ahead(p, 1)->keyword != FL_KW_NULLS || (!is_include && !is_word(p, FL_KW_EXCLUDE)))
        return false;
    p->now += 2;
    *ret = is_include;
    return true;
}

fl_status fl_sql_parse_value_names(parser *p, fl_ast_unpivot *unpivot)
{
    return fl_sql_parse_names(p, "a name for the values' column", &unpivot->values, &unpivot->value_count);
}

/* One name per column of the source where none is said: name and value. */
static fl_status name_plainly(parser *p, fl_ast_unpivot *unpivot)
{
    fl_status st = FL_OK;
    unpivot->name = (fl_ast_name){FL_STR("name"), p->now->start, p->now->start};
    FL_TRY(NEW(p, &unpivot->values));
    unpivot->values[0] = (fl_ast_name){FL_STR("value"), p->now->start, p->now->start};
    unpivot->value_count = 1;
cleanup:
    return st;
}

/* source ON columns [INTO NAME name VALUE values], behind UNPIVOT */
static fl_status parse_unpivot(parser *p, int32_t start, fl_ast_table **ret)
{
    fl_status st = FL_OK;
    fl_ast_table *table;
    FL_TRY(fl_sql_new_table(p, FL_AST_TABLE_UNPIVOT, start, &table));
    FL_TRY(NEW(p, &table->unpivot));
    fl_ast_unpivot *unpivot = table->unpivot;
    accept_nulls(p, &unpivot->has_nulls);
    FL_TRY(fl_sql_parse_table_primary(p, &unpivot->source));
    FL_TRY(fl_sql_expect_word(p, FL_KW_ON));
    FL_TRY(fl_sql_parse_items(p, &unpivot->items, &unpivot->item_count));
    FL_TRY(name_plainly(p, unpivot));
    if (accept_word(p, FL_KW_INTO)) {
        if (!fl_sql_is_said(p, p->now, "name"))
            return fl_sql_fail_expected(p, "NAME, as in INTO NAME month VALUE sales");
        advance(p);
        FL_TRY(fl_sql_parse_name(p, "a name for the names' column", &unpivot->name));
        if (!fl_sql_is_said(p, p->now, "value"))
            return fl_sql_fail_expected(p, "VALUE, as in INTO NAME month VALUE sales");
        advance(p);
        FL_TRY(fl_sql_parse_value_names(p, unpivot));
    }
    FL_TRY(end_pivot(p, table, unpivot->source));
    *ret = table;
cleanup:
    return st;
}

/* (value FOR name IN (columns)), ((v, w) FOR name IN ((a, b) AS x, ...)) */
static fl_status parse_unpivot_parens(parser *p, fl_ast_unpivot *unpivot)
{
    fl_status st = FL_OK;
    accept_nulls(p, &unpivot->has_nulls);
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\""));
    bool is_list = accept(p, FL_SQL_LEFT_PAREN);
    FL_TRY(fl_sql_parse_value_names(p, unpivot));
    if (is_list)
        FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    FL_TRY(fl_sql_expect_word(p, FL_KW_FOR));
    FL_TRY(fl_sql_parse_name(p, "a name for the names' column", &unpivot->name));
    FL_TRY(fl_sql_expect_word(p, FL_KW_IN));
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\" and columns"));
    FL_TRY(fl_sql_parse_items(p, &unpivot->items, &unpivot->item_count));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\""));
cleanup:
    return st;
}

/* ---- both ---- */

fl_status fl_sql_parse_pivot(parser *p, fl_ast_query **ret)
{
    fl_status st = FL_OK;
    fl_ast_table *table = NULL;
    int32_t start = p->now->start;
    bool is_pivot = is_word(p, FL_KW_PIVOT);
    FL_TRY(fl_sql_enter(p));
    advance(p);
    FL_TRY(is_pivot ? parse_pivot(p, start, &table) : parse_unpivot(p, start, &table));
    FL_TRY(fl_sql_query_of_table(p, table, ret));
    p->depth--;
cleanup:
    return st;
}

fl_status fl_sql_parse_pivot_suffix(parser *p, fl_ast_table **table)
{
    fl_status st = FL_OK;
    fl_ast_table *made, *source = *table;
    bool is_pivot = is_word(p, FL_KW_PIVOT);
    FL_TRY(fl_sql_enter(p));
    FL_TRY(fl_sql_new_table(p, is_pivot ? FL_AST_TABLE_PIVOT : FL_AST_TABLE_UNPIVOT, source->start, &made));
    advance(p);
    if (is_pivot) {
        FL_TRY(NEW(p, &made->pivot));
        made->pivot->source = source;
        FL_TRY(parse_pivot_parens(p, made->pivot));
    } else {
        FL_TRY(NEW(p, &made->unpivot));
        made->unpivot->source = source;
        FL_TRY(parse_unpivot_parens(p, made->unpivot));
    }
    FL_TRY(end_pivot(p, made, source));
    p->depth--;
    *table = made;
cleanup:
    return st;
}
