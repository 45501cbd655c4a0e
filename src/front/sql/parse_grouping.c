/* Grouping sets: ROLLUP (a, b), CUBE (a, b), GROUPING SETS ((a, b), ROLLUP (c), ()), as elements of GROUP BY. */
#include "front/sql/parse.h"

bool fl_sql_is_grouping_sets(parser *p)
{
    if (is_word(p, FL_KW_GROUPING))
        return ahead(p, 1)->keyword == FL_KW_SETS;
    return (is_word(p, FL_KW_ROLLUP) || is_word(p, FL_KW_CUBE)) && ahead(p, 1)->kind == FL_SQL_LEFT_PAREN;
}

/* An expression, several in parentheses, none in parentheses; in GROUPING SETS also what makes several sets. */
static fl_status parse_element(parser *p, bool takes_sets, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    if (takes_sets && fl_sql_is_grouping_sets(p))
        return fl_sql_parse_grouping_sets(p, ret);
    if (!is_at(p, FL_SQL_LEFT_PAREN) || ahead(p, 1)->kind != FL_SQL_RIGHT_PAREN)
        return fl_sql_parse_expr(p, ret);
    FL_TRY(fl_sql_new_expr(p, FL_AST_ROW, p->now->start, ret));
    advance(p);
    advance(p);
    st = fl_sql_end_expr(p, *ret, 0);
cleanup:
    return st;
}

fl_status fl_sql_parse_grouping_sets(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *sets, *element;
    int64_t mark = p->stack_count;
    fl_ast_kind kind = is_word(p, FL_KW_ROLLUP) ? FL_AST_ROLLUP : is_word(p, FL_KW_CUBE) ? FL_AST_CUBE : FL_AST_SETS;
    FL_TRY(fl_sql_enter(p));
    FL_TRY(fl_sql_new_expr(p, kind, p->now->start, &sets));
    advance(p);
    if (kind == FL_AST_SETS)
        advance(p);
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\""));
    do {
        if (p->stack_count > mark && is_at(p, FL_SQL_RIGHT_PAREN))
            break; /* a trailing comma */
        FL_TRY(parse_element(p, kind == FL_AST_SETS, &element));
        FL_TRY(fl_sql_push(p, element));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    FL_TRY(fl_sql_pop_list(p, mark, &sets->list.items, &sets->list.count));
    FL_TRY(fl_sql_end_expr(p, sets, fl_sql_height_of(sets->list.items, sets->list.count)));
    p->depth--;
    *ret = sets;
cleanup:
    return st;
}
