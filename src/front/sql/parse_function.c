/* CREATE FUNCTION. */
#include "front/sql/parse.h"

static bool accept_said(parser *p, const char *word)
{
    bool is = fl_sql_is_said(p, p->now, word);
    if (is)
        advance(p);
    return is;
}

static fl_status expect_said(parser *p, const char *word)
{
    return accept_said(p, word) ? FL_OK : fl_sql_fail_expected(p, word);
}

/* Whether a parameter's type stands here, without a name before it. */
static bool is_type_alone(const parser *p)
{
    static const char *const seconds[] = {"precision", "varying", "with", "without"}; /* of types of two words */
    const fl_sql_token *next = ahead(p, 1);
    bool is = next->kind == FL_SQL_COMMA || next->kind == FL_SQL_RIGHT_PAREN || next->kind == FL_SQL_LEFT_PAREN ||
              next->kind == FL_SQL_LEFT_BRACKET;
    for (int64_t i = 0; i < FL_LEN(seconds); i++)
        is |= fl_sql_is_said(p, next, seconds[i]);
    return is;
}

/* (name type, …) or types alone. */
static fl_status parse_params(parser *p, fl_ast_create_function *create)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    create->has_params = true;
    advance(p);
    while (!is_at(p, FL_SQL_RIGHT_PAREN)) {
        fl_ast_function_param *param;
        FL_TRY(NEW(p, &param));
        if (!is_type_alone(p))
            FL_TRY(fl_sql_parse_name(p, "a parameter's name", &param->name));
        FL_TRY(fl_sql_parse_type(p, &param->type));
        FL_TRY(fl_sql_push(p, param));
        if (!accept(p, FL_SQL_COMMA))
            break;
    }
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_function_param), &create->params, &create->param_count));
cleanup:
    return st;
}

/* Steps, a whole number from 1 on. */
static fl_status parse_fuel(parser *p, fl_ast_create_function *create)
{
    static const char what[] = "the steps that a call may take, a whole number from 1 on";
    fl_status st = FL_OK;
    int32_t start = p->now->start;
    fl_str digits;
    if (!is_at(p, FL_SQL_INTEGER))
        return fl_sql_fail_expected(p, what);
    FL_TRY(fl_sql_parse_value(p, &digits));
    create->fuel = 0;
    for (int64_t i = 0; i < digits.len; i++)
        if (__builtin_mul_overflow(create->fuel, 10, &create->fuel) ||
            __builtin_add_overflow(create->fuel, digits.data[i] - '0', &create->fuel))
            return fl_sql_fail_at(p, start, FL_ERR_SYNTAX, "FUEL %.*s is too large: %lld is the limit",
                                  FL_STR_ARG(digits), (long long)INT64_MAX);
    if (create->fuel == 0)
        st = fl_sql_fail_at(p, start, FL_ERR_SYNTAX, "FUEL 0 lets no call begin: expected %s", what);
cleanup:
    return st;
}

/* One of the clauses that follow in any order; *ret_any false: none stands here. */
static fl_status parse_clause(parser *p, fl_ast_create_function *create, bool *ret_any)
{
    fl_status st = FL_OK;
    *ret_any = true;
    if (accept_said(p, "returns")) {
        if (accept_word(p, FL_KW_NULL)) {
            FL_TRY(fl_sql_expect_word(p, FL_KW_ON));
            FL_TRY(fl_sql_expect_word(p, FL_KW_NULL));
            create->is_strict = true;
            return expect_said(p, "input");
        }
        return fl_sql_parse_type(p, &create->returns);
    }
    if (accept_said(p, "language"))
        return is_at(p, FL_SQL_STRING) ? fl_sql_parse_string(p, "a language", &create->language.text)
                                       : fl_sql_parse_name(p, "a language", &create->language);
    if (accept_word(p, FL_KW_AS)) {
        create->has_code = true;
        create->code_start = p->now->start;
        return fl_sql_parse_string(p, "the function's text, or its file's name, in quotes", &create->code);
    }
    if (accept_said(p, "fuel"))
        return parse_fuel(p, create);
    if (accept_said(p, "strict")) {
        create->is_strict = true;
        return FL_OK;
    }
    if (accept_said(p, "called")) {
        create->takes_nulls = true;
        FL_TRY(fl_sql_expect_word(p, FL_KW_ON));
        FL_TRY(fl_sql_expect_word(p, FL_KW_NULL));
        return expect_said(p, "input");
    }
    if (accept_word(p, FL_KW_ON)) {
        create->errors_are_null = true;
        FL_TRY(expect_said(p, "error"));
        return fl_sql_expect_word(p, FL_KW_NULL);
    }
    if (accept_said(p, "immutable"))
        create->volatility = FL_AST_IMMUTABLE;
    else if (accept_said(p, "stable"))
        create->volatility = FL_AST_STABLE;
    else if (accept_said(p, "volatile"))
        create->volatility = FL_AST_VOLATILE;
    else
        *ret_any = false;
cleanup:
    return st;
}

fl_status fl_sql_parse_create_function(parser *p, fl_ast_statement *statement, bool or_replace, bool is_aggregate)
{
    fl_status st = FL_OK;
    fl_ast_create_function *create;
    bool any = true;
    FL_TRY(NEW(p, &create));
    create->or_replace = or_replace;
    create->is_aggregate = is_aggregate;
    statement->kind = FL_AST_CREATE_FUNCTION;
    statement->create_function = create;
    FL_TRY(fl_sql_parse_if_not_exists(p, &create->if_not_exists));
    FL_TRY(fl_sql_parse_path(p, "a function's name", &create->path));
    if (is_at(p, FL_SQL_LEFT_PAREN))
        FL_TRY(parse_params(p, create));
    while (any)
        FL_TRY(parse_clause(p, create, &any));
    if (create->language.text.len == 0)
        return fl_sql_fail_expected(p, "LANGUAGE with expr, wasm or python");
    if (!create->has_code)
        return fl_sql_fail_expected(p, "AS with the function's text or file");
    if (create->has_params != (create->returns != NULL)) {
        st = fl_sql_fail_at(p, create->path.parts[0].start, FL_ERR_SYNTAX,
                            create->has_params ? "the function has parameters, but no RETURNS"
                                               : "the function has RETURNS, but no parameters");
        fl_err_hint(p->err, "both are written, or none where the code says them: CREATE FUNCTION f(x double) RETURNS "
                            "double …");
    }
cleanup:
    return st;
}
