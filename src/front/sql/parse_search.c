/* SEARCH and CYCLE behind a table expression of WITH RECURSIVE: in which order its rows can be put, and where a way that comes back to where
 * it was ends. What they stand for is front/sql/bind_search.c. */
#include "front/sql/parse.h"

static fl_status parse_search(parser *p, fl_ast_search **ret)
{
    fl_status st = FL_OK;
    FL_TRY(NEW(p, ret));
    (*ret)->is_depth = fl_sql_accept_said(p, "depth");
    if (!(*ret)->is_depth && !fl_sql_accept_said(p, "breadth"))
        return fl_sql_fail_expected(p, "DEPTH or BREADTH");
    FL_TRY(fl_sql_expect_word(p, FL_KW_FIRST));
    FL_TRY(fl_sql_expect_word(p, FL_KW_BY));
    FL_TRY(fl_sql_parse_names(p, "a column name", &(*ret)->columns, &(*ret)->column_count));
    FL_TRY(fl_sql_expect_word(p, FL_KW_SET));
    st = fl_sql_parse_name(p, "a name for the column to order by", &(*ret)->into);
cleanup:
    return st;
}

static fl_status parse_cycle(parser *p, fl_ast_cycle **ret)
{
    fl_status st = FL_OK;
    FL_TRY(NEW(p, ret));
    FL_TRY(fl_sql_parse_names(p, "a column name", &(*ret)->columns, &(*ret)->column_count));
    FL_TRY(fl_sql_expect_word(p, FL_KW_SET));
    FL_TRY(fl_sql_parse_name(p, "a name for the column that marks a cycle", &(*ret)->mark));
    if (accept_word(p, FL_KW_TO)) {
        FL_TRY(fl_sql_parse_expr(p, &(*ret)->value));
        FL_TRY(fl_sql_expect_word(p, FL_KW_DEFAULT));
        FL_TRY(fl_sql_parse_expr(p, &(*ret)->other));
    }
    FL_TRY(fl_sql_expect_word(p, FL_KW_USING));
    st = fl_sql_parse_name(p, "a name for the column with the way", &(*ret)->path);
cleanup:
    return st;
}

fl_status fl_sql_parse_search(parser *p, bool is_recursive, fl_ast_cte *cte)
{
    fl_status st = FL_OK;
    int32_t start = p->now->start;
    if (fl_sql_accept_said(p, "search"))
        FL_TRY(parse_search(p, &cte->search));
    if (fl_sql_accept_said(p, "cycle"))
        FL_TRY(parse_cycle(p, &cte->cycle));
    if (!is_recursive && (cte->search != NULL || cte->cycle != NULL)) {
        st = fl_sql_fail_at(p, start, FL_ERR_SYNTAX, "SEARCH and CYCLE are for queries that read themselves");
        fl_err_hint(p->err, "write WITH RECURSIVE");
    }
cleanup:
    return st;
}
