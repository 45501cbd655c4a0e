/* Fragments: pieces of a query that are parsed by themselves and must be used up by it. */
#include "front/sql/parse.h"

/* Behind the piece: nothing may be left. Takes what the parser learned and drops it. */
static fl_status end(parser *p, fl_sql_fragment *fragment, fl_sql_whole whole, const char *expected, fl_status st)
{
    if (st == FL_OK && !is_at(p, FL_SQL_END))
        st = fl_sql_fail_expected(p, expected);
    if (st == FL_ERR_SYNTAX && p->fault != NULL)
        fl_sql_guess_keyword(p, whole);
    FL_ASSERT(st != FL_OK || p->stack_count == 0);
    fragment->parameter_count = p->parameter_count;
    fl_sql_parser_drop(p);
    return st;
}

static fl_status try_select(parser *p)
{
    fl_ast_select select = {0};
    return fl_sql_parse_select_list(p, &select);
}

fl_status fl_sql_fragment_select(fl_sql_fragment *fragment, fl_ast_select *ret, fl_err *err)
{
    parser p;
    fl_status st = fl_sql_fragment_begin(&p, fragment, err);
    if (st == FL_OK)
        st = fl_sql_parse_select_list(&p, ret);
    return end(&p, fragment, try_select, "\",\" or the end of the list", st);
}

static fl_status try_items(parser *p)
{
    fl_ast_item *items;
    int32_t count;
    return fl_sql_parse_items(p, &items, &count);
}

fl_status fl_sql_fragment_items(fl_sql_fragment *fragment, fl_ast_item **ret, int32_t *ret_count, fl_err *err)
{
    parser p;
    fl_status st = fl_sql_fragment_begin(&p, fragment, err);
    if (st == FL_OK)
        st = fl_sql_parse_items(&p, ret, ret_count);
    return end(&p, fragment, try_items, "\",\" or the end of the list", st);
}

static fl_status try_condition(parser *p)
{
    fl_ast_expr *condition;
    return fl_sql_parse_expr(p, &condition);
}

fl_status fl_sql_fragment_condition(fl_sql_fragment *fragment, fl_ast_expr **ret, fl_err *err)
{
    parser p;
    fl_status st = fl_sql_fragment_begin(&p, fragment, err);
    if (st == FL_OK)
        st = fl_sql_parse_expr(&p, ret);
    return end(&p, fragment, try_condition, "the end of the condition", st);
}

static fl_status try_order(parser *p)
{
    fl_ast_query query = {0};
    return fl_sql_parse_order(p, &query);
}

fl_status fl_sql_fragment_order(fl_sql_fragment *fragment, fl_ast_query *ret, fl_err *err)
{
    parser p;
    fl_status st = fl_sql_fragment_begin(&p, fragment, err);
    if (st == FL_OK)
        st = fl_sql_parse_order(&p, ret);
    return end(&p, fragment, try_order, "\",\" or the end of the keys", st);
}

static fl_status try_table(parser *p)
{
    fl_ast_table *table;
    return fl_sql_parse_table_primary(p, &table);
}

fl_status fl_sql_fragment_table(fl_sql_fragment *fragment, fl_ast_table **ret, fl_err *err)
{
    parser p;
    fl_status st = fl_sql_fragment_begin(&p, fragment, err);
    if (st == FL_OK)
        st = fl_sql_parse_table_primary(&p, ret);
    return end(&p, fragment, try_table, "the end of the table's name", st);
}
