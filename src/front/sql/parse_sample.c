/* Samples of rows: TABLESAMPLE behind a table, USING SAMPLE behind a SELECT's clauses.
 *
 *     TABLESAMPLE BERNOULLI (10) REPEATABLE (7)     TABLESAMPLE reservoir(20 ROWS)     TABLESAMPLE 10%
 *     USING SAMPLE 20     USING SAMPLE 10%     USING SAMPLE 10 PERCENT (bernoulli, 7)     USING SAMPLE reservoir(20 ROWS)
 *
 * A number without a unit is a share in percent behind BERNOULLI and SYSTEM, as PostgreSQL has it, else a number of rows. */
#include "front/sql/parse.h"

static fl_status parse_method(parser *p, fl_ast_sample *sample)
{
    static const char *const names[] = {"system", "bernoulli", "reservoir"};
    fl_ast_name name;
    fl_status st = fl_sql_parse_name(p, "a sampling method", &name);
    if (st != FL_OK)
        return st;
    for (int i = 0; i < 3; i++) {
        if (fl_str_is_equal_nocase(name.text, fl_str_of(names[i]))) {
            sample->method = (fl_ast_sample_method)(FL_AST_SAMPLE_SYSTEM + i);
            return FL_OK;
        }
    }
    fl_sql_fail_at(p, name.start, FL_ERR_FUNCTION, "there is no sampling method \"%.*s\"", FL_STR_ARG(name.text));
    fl_err_hint(p->err,
                "write BERNOULLI (each row by itself), SYSTEM (blocks of rows) or RESERVOIR (a number of rows)");
    return fl_err_state(p->err, "42704", FL_ERR_FUNCTION);
}

/* n, n%, n PERCENT, n ROWS */
static fl_status parse_size(parser *p, fl_ast_sample *sample)
{
    fl_status st = FL_OK;
    const fl_sql_token *start = p->now;
    int32_t parameter_count = p->parameter_count;
    FL_TRY(fl_sql_parse_prefix(p, &sample->size)); /* not more: a percent sign is a unit here */
    if (is_at(p, FL_SQL_PLUS) || is_at(p, FL_SQL_MINUS) || is_at(p, FL_SQL_ASTERISK) || is_at(p, FL_SQL_SLASH)) {
        p->now = start;
        p->parameter_count = parameter_count;
        FL_TRY(fl_sql_parse_expr(p, &sample->size));
    }
    if (accept(p, FL_SQL_PERCENT) || accept_word(p, FL_KW_PERCENT)) {
        sample->is_percent = true;
    } else if (accept_word(p, FL_KW_ROWS) || accept_word(p, FL_KW_ROW)) {
        if (sample->method == FL_AST_SAMPLE_SYSTEM || sample->method == FL_AST_SAMPLE_BERNOULLI)
            return fl_sql_fail_at(p, sample->size->start, FL_ERR_SYNTAX,
                                  "BERNOULLI and SYSTEM take a share of the rows; RESERVOIR takes a number");
    } else {
        sample->is_percent = sample->method == FL_AST_SAMPLE_SYSTEM || sample->method == FL_AST_SAMPLE_BERNOULLI;
    }
cleanup:
    return st;
}

/* method(size), (size), size [(method [, seed])] */
static fl_status parse_what(parser *p, fl_ast_sample *sample)
{
    fl_status st = FL_OK;
    if (is_at(p, FL_SQL_WORD) && ahead(p, 1)->kind == FL_SQL_LEFT_PAREN) {
        FL_TRY(parse_method(p, sample));
        advance(p);
        FL_TRY(parse_size(p, sample));
        return fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\"");
    }
    if (accept(p, FL_SQL_LEFT_PAREN)) {
        FL_TRY(parse_size(p, sample));
        return fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\"");
    }
    if (is_at(p, FL_SQL_WORD))
        return fl_sql_fail_expected(p, "a number, or a sampling method as in BERNOULLI (10)");
    FL_TRY(parse_size(p, sample));
    if (!accept(p, FL_SQL_LEFT_PAREN))
        return FL_OK;
    int32_t at = p->now->start;
    FL_TRY(parse_method(p, sample));
    if (!sample->is_percent && sample->method != FL_AST_SAMPLE_RESERVOIR)
        return fl_sql_fail_at(p, at, FL_ERR_SYNTAX,
                              "BERNOULLI and SYSTEM take a share of the rows; RESERVOIR takes a number");
    if (accept(p, FL_SQL_COMMA))
        FL_TRY(fl_sql_parse_expr(p, &sample->seed));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
cleanup:
    return st;
}

fl_status fl_sql_parse_sample(parser *p, fl_ast_sample **ret)
{
    fl_status st = FL_OK;
    fl_ast_sample *sample;
    FL_TRY(NEW(p, &sample));
    sample->start = p->now->start;
    FL_TRY(parse_what(p, sample));
    if (fl_sql_is_said(p, p->now, "repeatable") && ahead(p, 1)->kind == FL_SQL_LEFT_PAREN) {
        advance(p);
        advance(p);
        FL_TRY(fl_sql_parse_expr(p, &sample->seed));
        FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\""));
    }
    if (sample->method == FL_AST_SAMPLE_ANY)
        sample->method = sample->is_percent ? FL_AST_SAMPLE_SYSTEM : FL_AST_SAMPLE_RESERVOIR;
    *ret = sample;
cleanup:
    return st;
}
