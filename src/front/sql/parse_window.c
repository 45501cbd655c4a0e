/* Windows: OVER w, OVER (...), WINDOW w AS (...), and frames. */
#include "front/sql/parse.h"

/* Takes a word that is no keyword. */
static bool accept_said(parser *p, const char *word)
{
    if (!fl_sql_is_said(p, p->now, word))
        return false;
    advance(p);
    return true;
}

/* UNBOUNDED PRECEDING, CURRENT ROW, 2 FOLLOWING */
static fl_status parse_bound(parser *p, fl_ast_bound *bound)
{
    fl_status st = FL_OK;
    bound->start = p->now->start;
    if (fl_sql_is_said(p, p->now, "current") && ahead(p, 1)->keyword == FL_KW_ROW) {
        advance(p);
        advance(p);
        bound->kind = FL_AST_BOUND_CURRENT_ROW;
        return FL_OK;
    }
    bool is_unbounded = is_word(p, FL_KW_UNBOUNDED) &&
                        (ahead(p, 1)->keyword == FL_KW_PRECEDING || ahead(p, 1)->keyword == FL_KW_FOLLOWING);
    if (is_unbounded)
        advance(p);
    else
        FL_TRY(fl_sql_parse_operand(p, &bound->offset));
    if (accept_word(p, FL_KW_PRECEDING))
        bound->kind = is_unbounded ? FL_AST_BOUND_UNBOUNDED_PRECEDING : FL_AST_BOUND_PRECEDING;
    else if (accept_word(p, FL_KW_FOLLOWING))
        bound->kind = is_unbounded ? FL_AST_BOUND_UNBOUNDED_FOLLOWING : FL_AST_BOUND_FOLLOWING;
    else
        return fl_sql_fail_expected(p, "PRECEDING or FOLLOWING");
cleanup:
    return st;
}

/* EXCLUDE CURRENT ROW | GROUP | TIES | NO OTHERS */
static fl_status parse_exclude(parser *p, fl_ast_window *window)
{
    fl_status st = FL_OK;
    if (!accept_word(p, FL_KW_EXCLUDE))
        return FL_OK;
    if (accept_said(p, "current")) {
        FL_TRY(fl_sql_expect_word(p, FL_KW_ROW));
        window->exclude = FL_AST_EXCLUDE_CURRENT_ROW;
    } else if (accept_word(p, FL_KW_GROUP)) {
        window->exclude = FL_AST_EXCLUDE_GROUP;
    } else if (accept_said(p, "ties")) {
        window->exclude = FL_AST_EXCLUDE_TIES;
    } else if (accept_word(p, FL_KW_NO)) {
        if (!accept_said(p, "others"))
            return fl_sql_fail_expected(p, "OTHERS");
    } else {
        return fl_sql_fail_expected(p, "CURRENT ROW, GROUP, TIES or NO OTHERS");
    }
cleanup:
    return st;
}

static bool is_unit(const parser *p)
{
    return is_word(p, FL_KW_ROWS) || fl_sql_is_said(p, p->now, "range") || fl_sql_is_said(p, p->now, "groups");
}

/* A frame of one bound ends at the current row. */
static fl_status parse_frame(parser *p, fl_ast_window *window)
{
    fl_status st = FL_OK;
    if (!is_unit(p))
        return FL_OK;
    window->has_frame = true;
    window->frame_start = p->now->start;
    window->unit = is_word(p, FL_KW_ROWS)               ? FL_AST_ROWS
                   : fl_sql_is_said(p, p->now, "range") ? FL_AST_RANGE
                                                        : FL_AST_GROUPS;
    advance(p);
    if (accept_word(p, FL_KW_BETWEEN)) {
        FL_TRY(parse_bound(p, &window->from));
        FL_TRY(fl_sql_expect_word(p, FL_KW_AND));
        FL_TRY(parse_bound(p, &window->to));
    } else {
        FL_TRY(parse_bound(p, &window->from));
        window->to = (fl_ast_bound){.kind = FL_AST_BOUND_CURRENT_ROW, .start = window->from.start};
    }
    FL_TRY(parse_exclude(p, window));
cleanup:
    return st;
}

/* What is in the parentheses, and these. */
static fl_status parse_specification(parser *p, fl_ast_window *window)
{
    fl_status st = FL_OK;
    int32_t height = 0;
    FL_TRY(fl_sql_enter(p));
    window->start = p->now->start;
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\""));
    bool is_clause = (is_word(p, FL_KW_PARTITION) && ahead(p, 1)->keyword == FL_KW_BY) ||
                     (is_unit(p) && ahead(p, 1)->kind != FL_SQL_RIGHT_PAREN);
    if (fl_sql_is_name(p) && !is_clause)
        FL_TRY(fl_sql_parse_name(p, "a window's name", &window->base));
    if (is_word(p, FL_KW_PARTITION)) {
        window->partition_start = p->now->start;
        advance(p);
        FL_TRY(fl_sql_expect_word(p, FL_KW_BY));
        FL_TRY(fl_sql_parse_expr_list(p, &window->partition, &window->partition_count));
    }
    if (accept_word(p, FL_KW_ORDER)) {
        FL_TRY(fl_sql_expect_word(p, FL_KW_BY));
        FL_TRY(fl_sql_parse_order_list(p, &window->order, &window->order_count));
    }
    FL_TRY(parse_frame(p, window));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "PARTITION BY, ORDER BY, a frame or \")\""));
    window->end = end_before(p);
    for (int32_t i = 0; i < window->partition_count; i++)
        height = higher(height, window->partition[i]);
    for (int32_t i = 0; i < window->order_count; i++)
        height = higher(height, window->order[i].expr);
    height = higher(higher(height, window->from.offset), window->to.offset);
    window->height = (uint16_t)height; /* of nodes that were held against the limit */
    p->depth--;
cleanup:
    return st;
}

fl_status fl_sql_parse_over(parser *p, fl_ast_window **ret)
{
    fl_status st = FL_OK;
    fl_ast_window *window;
    FL_TRY(NEW(p, &window));
    if (is_at(p, FL_SQL_LEFT_PAREN)) {
        FL_TRY(parse_specification(p, window));
    } else {
        window->is_name = true;
        window->start = p->now->start;
        FL_TRY(fl_sql_parse_name(p, "a window's name", &window->base));
        window->end = end_before(p);
    }
    *ret = window;
cleanup:
    return st;
}

fl_status fl_sql_parse_windows(parser *p, fl_ast_named_window **ret, int32_t *ret_count)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    do {
        fl_ast_named_window *named;
        if (p->stack_count > mark && fl_sql_is_list_end(p))
            break;
        FL_TRY(NEW(p, &named));
        FL_TRY(NEW(p, &named->window));
        FL_TRY(fl_sql_parse_name(p, "a window's name", &named->name));
        FL_TRY(fl_sql_expect_word(p, FL_KW_AS));
        FL_TRY(parse_specification(p, named->window));
        FL_TRY(fl_sql_push(p, named));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_named_window), ret, ret_count));
cleanup:
    return st;
}
