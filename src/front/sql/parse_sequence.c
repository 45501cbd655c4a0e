/* CREATE SEQUENCE, ALTER SEQUENCE, and the options of identity columns. */
#include "front/sql/parse.h"

static fl_status parse_number(parser *p, int64_t *ret)
{
    bool is_negative = accept(p, FL_SQL_MINUS);
    fl_str text = text_of(p, p->now);
    uint64_t value = 0;
    if (!is_at(p, FL_SQL_INTEGER))
        return fl_sql_fail_expected(p, "a whole number");
    for (int64_t i = 0; i < text.len; i++) {
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        if (digit > 9)
            return fl_sql_fail_expected(p, "a whole number");
        if (value > ((uint64_t)INT64_MAX + is_negative - digit) / 10)
            return fl_sql_fail_at(p, p->now->start, FL_ERR_RANGE, "%.*s does not fit a bigint", FL_STR_ARG(text));
        value = value * 10 + digit;
    }
    advance(p);
    *ret = is_negative ? (int64_t)(0 - value) : (int64_t)value;
    return FL_OK;
}

/* One option, if one stands here. */
static fl_status parse_option(parser *p, fl_ast_sequence_options *o, bool *ret_any)
{
    fl_status st = FL_OK;
    *ret_any = true;
    if (accept_word(p, FL_KW_START)) {
        accept_word(p, FL_KW_WITH);
        o->has_start = true;
        return parse_number(p, &o->start);
    }
    if (fl_sql_accept_said(p, "restart")) {
        accept_word(p, FL_KW_WITH);
        o->has_restart = true;
        o->is_restart_given = is_at(p, FL_SQL_INTEGER) || is_at(p, FL_SQL_MINUS);
        return o->is_restart_given ? parse_number(p, &o->restart) : FL_OK;
    }
    if (fl_sql_accept_said(p, "increment")) {
        accept_word(p, FL_KW_BY);
        o->has_increment = true;
        return parse_number(p, &o->increment);
    }
    if (fl_sql_accept_said(p, "minvalue")) {
        o->has_min = true;
        return parse_number(p, &o->min);
    }
    if (fl_sql_accept_said(p, "maxvalue")) {
        o->has_max = true;
        return parse_number(p, &o->max);
    }
    if (fl_sql_accept_said(p, "cycle")) {
        o->has_cycle = o->cycles = true;
        return FL_OK;
    }
    if (fl_sql_accept_said(p, "cache")) {
        int64_t ignored;
        return parse_number(p, &ignored);
    }
    if (fl_sql_is_said(p, p->now, "no")) {
        advance(p);
        if (fl_sql_accept_said(p, "cycle")) {
            o->has_cycle = true;
            o->cycles = false;
        } else if (!fl_sql_accept_said(p, "minvalue") && !fl_sql_accept_said(p, "maxvalue")) {
            return fl_sql_fail_expected(p, "MINVALUE, MAXVALUE or CYCLE");
        }
        return FL_OK;
    }
    if (fl_sql_accept_said(p, "owned")) {
        FL_TRY(fl_sql_expect_word(p, FL_KW_BY));
        return fl_sql_parse_path(p, "a column of a table, or NONE", &o->owner);
    }
    if (accept_word(p, FL_KW_AS)) {
        fl_ast_type *type;
        return fl_sql_parse_type(p, &type);
    }
    *ret_any = false;
cleanup:
    return st;
}

fl_status fl_sql_parse_sequence_options(parser *p, fl_ast_sequence_options *ret)
{
    fl_status st = FL_OK;
    bool any = true;
    while (any)
        FL_TRY(parse_option(p, ret, &any));
    if (ret->has_increment && ret->increment == 0)
        return fl_sql_fail_at(p, end_before(p), FL_ERR_SYNTAX, "a sequence's INCREMENT is not 0");
cleanup:
    return st;
}

fl_status fl_sql_parse_create_sequence(parser *p, fl_ast_statement *statement, bool or_replace)
{
    fl_status st = FL_OK;
    fl_ast_sequence *sequence;
    statement->kind = FL_AST_CREATE_SEQUENCE;
    FL_TRY(NEW(p, &sequence));
    statement->sequence = sequence;
    sequence->or_replace = or_replace;
    FL_TRY(fl_sql_parse_if_not_exists(p, &sequence->if_not_exists));
    FL_TRY(fl_sql_parse_path(p, "a sequence's name", &sequence->path));
    FL_TRY(fl_sql_parse_sequence_options(p, &sequence->options));
cleanup:
    return st;
}

fl_status fl_sql_parse_alter_sequence(parser *p, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    fl_ast_sequence *sequence;
    statement->kind = FL_AST_ALTER_SEQUENCE;
    FL_TRY(NEW(p, &sequence));
    statement->sequence = sequence;
    sequence->if_exists = fl_sql_accept_if_exists(p);
    FL_TRY(fl_sql_parse_path(p, "a sequence's name", &sequence->path));
    if (accept_word(p, FL_KW_RENAME)) {
        FL_TRY(fl_sql_expect_word(p, FL_KW_TO));
        return fl_sql_parse_name(p, "a new name", &sequence->to);
    }
    int64_t before = p->now - p->tokens;
    FL_TRY(fl_sql_parse_sequence_options(p, &sequence->options));
    if (p->now - p->tokens == before)
        return fl_sql_fail_expected(p, "RESTART, INCREMENT, MINVALUE, MAXVALUE, START, CYCLE or RENAME TO");
cleanup:
    return st;
}
