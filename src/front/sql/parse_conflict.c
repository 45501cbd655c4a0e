/* ON CONFLICT: what becomes of rows to be inserted whose keys are there. */
#include "front/sql/parse.h"

/* (a, b), ON CONSTRAINT name, or nothing. */
static fl_status parse_key(parser *p, fl_ast_conflict *conflict)
{
    fl_status st = FL_OK;
    if (accept_word(p, FL_KW_ON)) {
        FL_TRY(fl_sql_expect_word(p, FL_KW_CONSTRAINT));
        FL_TRY(fl_sql_parse_name(p, "a constraint's name", &conflict->constraint));
    } else if (is_at(p, FL_SQL_LEFT_PAREN)) {
        FL_TRY(fl_sql_parse_name_list(p, &conflict->columns, &conflict->column_count));
    }
    if (is_word(p, FL_KW_WHERE))
        return fl_sql_fail_unsupported(p, p->now->start, "partial indexes are",
                                       "leave WHERE out here: a key is of all rows");
cleanup:
    return st;
}

fl_status fl_sql_parse_conflict(parser *p, fl_ast_conflict **ret)
{
    fl_status st = FL_OK;
    fl_ast_conflict *conflict;
    if (!is_word(p, FL_KW_ON) || ahead(p, 1)->keyword != FL_KW_CONFLICT)
        return FL_OK;
    FL_TRY(NEW(p, &conflict));
    conflict->start = p->now->start;
    advance(p);
    advance(p);
    FL_TRY(parse_key(p, conflict));
    if (!fl_sql_accept_said(p, "do"))
        return fl_sql_fail_expected(p, "DO NOTHING or DO UPDATE SET");
    if (fl_sql_accept_said(p, "nothing")) {
        conflict->does_nothing = true;
    } else {
        if (!accept_word(p, FL_KW_UPDATE))
            return fl_sql_fail_expected(p, "NOTHING or UPDATE");
        FL_TRY(fl_sql_expect_word(p, FL_KW_SET));
        FL_TRY(fl_sql_parse_assigns(p, &conflict->assigns, &conflict->assign_count));
        if (accept_word(p, FL_KW_WHERE))
            FL_TRY(fl_sql_parse_expr(p, &conflict->where));
    }
    *ret = conflict;
cleanup:
    return st;
}
