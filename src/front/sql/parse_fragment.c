/* Fragments: pieces of a query that are parsed by themselves and must be used up by it. */
#include "front/sql/parse.h"

/* Behind the piece: nothing may be left. Takes what the parser learned and drops it. */
static fl_status end(parser *p, fl_sql_fragment *fragment, const char *expected, fl_status st)
{
    if (st == FL_OK && !is_at(p, FL_SQL_END)) {
        fl_str found = text_of(p, p->now);
        st = fl_sql_fail_at(p, p->now->start, FL_ERR_SYNTAX, "syntax error at or near \"%.*s\": expected %s",
                            found.len > 60 ? 60 : (int)found.len, found.data, expected);
    }
    FL_ASSERT(st != FL_OK || p->stack_count == 0);
    fragment->parameter_count = p->parameter_count;
    fl_sql_parser_drop(p);
    return st;
}

fl_status fl_sql_fragment_select(fl_sql_fragment *fragment, fl_ast_select *ret, fl_err *err)
{
    parser p;
    fl_status st = fl_sql_fragment_begin(&p, fragment, err);
    if (st == FL_OK)
        st = fl_sql_parse_select_list(&p, ret);
    return end(&p, fragment, "\",\" or the end of the list", st);
}

fl_status fl_sql_fragment_items(fl_sql_fragment *fragment, fl_ast_item **ret, int32_t *ret_count, fl_err *err)
{
    parser p;
    fl_status st = fl_sql_fragment_begin(&p, fragment, err);
    if (st == FL_OK)
        st = fl_sql_parse_items(&p, ret, ret_count);
    return end(&p, fragment, "\",\" or the end of the list", st);
}

fl_status fl_sql_fragment_condition(fl_sql_fragment *fragment, fl_ast_expr **ret, fl_err *err)
{
    parser p;
    fl_status st = fl_sql_fragment_begin(&p, fragment, err);
    if (st == FL_OK)
        st = fl_sql_parse_expr(&p, ret);
    return end(&p, fragment, "the end of the condition", st);
}

fl_status fl_sql_fragment_order(fl_sql_fragment *fragment, fl_ast_query *ret, fl_err *err)
{
    parser p;
    fl_status st = fl_sql_fragment_begin(&p, fragment, err);
    if (st == FL_OK)
        st = fl_sql_parse_order(&p, ret);
    return end(&p, fragment, "\",\" or the end of the keys", st);
}

fl_status fl_sql_fragment_table(fl_sql_fragment *fragment, fl_ast_table **ret, fl_err *err)
{
    parser p;
    fl_status st = fl_sql_fragment_begin(&p, fragment, err);
    if (st == FL_OK)
        st = fl_sql_parse_table_primary(&p, ret);
    return end(&p, fragment, "the end of the table's name", st);
}
