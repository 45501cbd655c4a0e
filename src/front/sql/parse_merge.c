/* MERGE INTO target USING source ON … WHEN … THEN … */
#include "front/sql/parse.h"

/* NOT MATCHED [BY TARGET | BY SOURCE], MATCHED. */
static fl_status parse_match(parser *p, fl_ast_merge_when *when)
{
    bool is_not = accept_word(p, FL_KW_NOT);
    if (!fl_sql_accept_said(p, "matched"))
        return fl_sql_fail_expected(p, is_not ? "MATCHED" : "MATCHED or NOT MATCHED");
    when->match = is_not ? FL_AST_NOT_MATCHED : FL_AST_MATCHED;
    if (!is_not || !accept_word(p, FL_KW_BY))
        return FL_OK;
    if (fl_sql_accept_said(p, "source"))
        when->match = FL_AST_NOT_MATCHED_BY_SOURCE;
    else if (!fl_sql_accept_said(p, "target"))
        return fl_sql_fail_expected(p, "TARGET or SOURCE");
    return FL_OK;
}

/* [(names)] VALUES (…), DEFAULT VALUES, or nothing. */
static fl_status parse_insert(parser *p, fl_ast_merge_when *when)
{
    fl_status st = FL_OK;
    fl_ast_name *names = NULL;
    fl_ast_expr **values = NULL;
    int32_t n_names = 0, n_values = 0;
    if (accept_word(p, FL_KW_DEFAULT))
        return fl_sql_expect_word(p, FL_KW_VALUES);
    when->takes_row = accept(p, FL_SQL_ASTERISK);
    if (is_word(p, FL_KW_BY) && fl_sql_is_said(p, ahead(p, 1), "name")) {
        advance(p);
        advance(p);
        when->takes_row = true;
    }
    if (is_at(p, FL_SQL_LEFT_PAREN))
        FL_TRY(fl_sql_parse_name_list(p, &names, &n_names));
    if (accept_word(p, FL_KW_OVERRIDING)) {
        if (!fl_sql_accept_said(p, "system") || !fl_sql_accept_said(p, "value"))
            return fl_sql_fail_expected(p, "SYSTEM VALUE");
        when->is_overriding = true;
    }
    if (!is_word(p, FL_KW_VALUES)) {
        if (n_names > 0 || when->is_overriding)
            return fl_sql_fail_expected(p, "VALUES");
        when->takes_row = true;
        return FL_OK;
    }
    int32_t at = p->now->start;
    advance(p);
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\""));
    FL_TRY(fl_sql_parse_expr_list(p, &values, &n_values));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    if (n_names > 0 && n_names != n_values)
        return fl_sql_fail_at(p, at, FL_ERR_SYNTAX, "%d values for %d columns", n_values, n_names);
    when->is_by_place = n_names == 0;
    FL_TRY(FL_NEW_ARRAY(p->arena, n_values, &when->assigns, p->err));
    for (int32_t i = 0; i < n_values; i++) {
        when->assigns[i].value = values[i];
        if (n_names > 0)
            when->assigns[i].name = names[i];
    }
    when->assign_count = n_values;
cleanup:
    return st;
}

static fl_status parse_update(parser *p, fl_ast_merge_when *when)
{
    when->action = FL_AST_MERGE_UPDATE;
    if (is_word(p, FL_KW_BY) && fl_sql_is_said(p, ahead(p, 1), "name")) {
        advance(p);
        advance(p);
    } else if (accept_word(p, FL_KW_SET) && !accept(p, FL_SQL_ASTERISK)) {
        return fl_sql_parse_assigns(p, &when->assigns, &when->assign_count);
    }
    when->takes_row = true;
    return FL_OK;
}

static fl_status parse_action(parser *p, fl_ast_merge_when *when)
{
    int32_t at = p->now->start;
    bool inserts = when->match == FL_AST_NOT_MATCHED;
    if (fl_sql_accept_said(p, "do")) {
        if (!fl_sql_accept_said(p, "nothing"))
            return fl_sql_fail_expected(p, "NOTHING");
        return FL_OK;
    }
    if (accept_word(p, FL_KW_INSERT)) {
        when->action = FL_AST_MERGE_INSERT;
        if (!inserts)
            return fl_sql_fail_at(p, at, FL_ERR_SYNTAX, "only rows that are NOT MATCHED can be inserted");
        return parse_insert(p, when);
    }
    if (is_word(p, FL_KW_UPDATE) || is_word(p, FL_KW_DELETE)) {
        bool updates = is_word(p, FL_KW_UPDATE);
        advance(p);
        when->action = FL_AST_MERGE_DELETE;
        if (inserts)
            return fl_sql_fail_at(p, at, FL_ERR_SYNTAX, "rows that are NOT MATCHED can only be inserted");
        return updates ? parse_update(p, when) : FL_OK;
    }
    return fl_sql_fail_expected(p, inserts ? "INSERT or DO NOTHING" : "UPDATE, DELETE or DO NOTHING");
}

static fl_status parse_when(parser *p)
{
    fl_status st = FL_OK;
    fl_ast_merge_when *when;
    FL_TRY(NEW(p, &when));
    when->start = p->now->start;
    FL_TRY(fl_sql_expect_word(p, FL_KW_WHEN));
    FL_TRY(parse_match(p, when));
    if (accept_word(p, FL_KW_AND))
        FL_TRY(fl_sql_parse_expr(p, &when->condition));
    FL_TRY(fl_sql_expect_word(p, FL_KW_THEN));
    FL_TRY(parse_action(p, when));
    FL_TRY(fl_sql_push(p, when));
cleanup:
    return st;
}

fl_status fl_sql_parse_merge(parser *p, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    fl_ast_merge *merge;
    int64_t mark = p->stack_count;
    statement->kind = FL_AST_MERGE;
    FL_TRY(NEW(p, &merge));
    statement->merge = merge;
    advance(p);
    FL_TRY(fl_sql_expect_word(p, FL_KW_INTO));
    FL_TRY(fl_sql_parse_target(p, &merge->target));
    FL_TRY(fl_sql_expect_word(p, FL_KW_USING));
    FL_TRY(fl_sql_parse_table_primary(p, &merge->source));
    if (accept_word(p, FL_KW_USING)) {
        FL_TRY(fl_sql_parse_name_list(p, &merge->usings, &merge->using_count));
    } else {
        FL_TRY(fl_sql_expect_word(p, FL_KW_ON));
        FL_TRY(fl_sql_parse_expr(p, &merge->on));
    }
    do {
        FL_TRY(parse_when(p));
    } while (is_word(p, FL_KW_WHEN));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_merge_when), &merge->whens, &merge->when_count));
    FL_TRY(fl_sql_parse_returning(p, &merge->returning));
cleanup:
    return st;
}
