/* CREATE MACRO: its head, and its definition, which is read again from its text wherever it is called. */
#include "front/sql/parse.h"

/* name [type] [:= default] */
static fl_status parse_param(parser *p, fl_ast_macro_param **ret)
{
    fl_status st = FL_OK;
    fl_ast_macro_param *param;
    FL_TRY(NEW(p, &param));
    FL_TRY(fl_sql_parse_name(p, "a parameter's name", &param->name));
    if (fl_sql_is_name(p) && !is_word(p, FL_KW_DEFAULT))
        FL_TRY(fl_sql_parse_type(p, &param->type));
    if (accept(p, FL_SQL_COLON_EQUAL) || accept(p, FL_SQL_FAT_ARROW) || accept_word(p, FL_KW_DEFAULT))
        FL_TRY(fl_sql_parse_expr(p, &param->otherwise));
    *ret = param;
cleanup:
    return st;
}

/* (params) AS expression, (params) AS TABLE query */
static fl_status parse_overload(parser *p, fl_ast_macro **ret)
{
    fl_status st = FL_OK;
    fl_ast_macro *macro;
    int64_t mark = p->stack_count;
    FL_TRY(NEW(p, &macro));
    macro->start = p->now->start;
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\" with the macro's parameters"));
    while (!is_at(p, FL_SQL_RIGHT_PAREN)) {
        fl_ast_macro_param *param;
        FL_TRY(parse_param(p, &param));
        FL_TRY(fl_sql_push(p, param));
        if (!accept(p, FL_SQL_COMMA))
            break;
    }
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_macro_param), &macro->params, &macro->param_count));
    FL_TRY(fl_sql_expect_word(p, FL_KW_AS));
    int32_t n_parameters = p->parameter_count, at = p->now->start;
    if (is_word(p, FL_KW_TABLE)) {
        advance(p);
        FL_TRY(fl_sql_parse_query(p, &macro->query));
    } else {
        FL_TRY(fl_sql_parse_expr(p, &macro->body));
    }
    if (p->parameter_count > n_parameters) {
        fl_sql_fail_at(p, at, FL_ERR_PARAMETER, "a macro has no parameters of a statement");
        fl_err_hint(p->err, "its own are called by their names");
        return fl_err_state(p->err, "42P02", FL_ERR_PARAMETER);
    }
    *ret = macro;
cleanup:
    return st;
}

static fl_status parse_overloads(parser *p, fl_ast_macro **ret, int32_t *ret_n)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    do {
        fl_ast_macro *macro = NULL;
        FL_TRY(parse_overload(p, &macro));
        FL_TRY(fl_sql_push(p, macro));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_macro), ret, ret_n));
    for (int32_t i = 1; i < *ret_n; i++)
        if (((*ret)[i].query != NULL) != ((*ret)[0].query != NULL))
            return fl_sql_fail_at(p, (*ret)[i].start, FL_ERR_SYNTAX, "a macro gives values or tables, not both");
cleanup:
    return st;
}

fl_status fl_sql_parse_create_macro(parser *p, fl_ast_statement *statement, bool or_replace)
{
    fl_status st = FL_OK;
    fl_ast_create_macro *create;
    FL_TRY(NEW(p, &create));
    create->or_replace = or_replace;
    statement->kind = FL_AST_CREATE_MACRO;
    statement->create_macro = create;
    FL_TRY(fl_sql_parse_if_not_exists(p, &create->if_not_exists));
    FL_TRY(fl_sql_parse_path(p, "a macro's name", &create->path));
    create->text_start = p->now->start;
    FL_TRY(parse_overloads(p, &create->overloads, &create->overload_count));
    create->text_end = end_before(p);
cleanup:
    return st;
}

bool fl_sql_is_macro(const parser *p)
{
    const fl_sql_token *token = ahead(p, 1);
    int32_t depth = 0;
    if (token->keyword == FL_KW_IF)
        token = ahead(p, 4); /* IF NOT EXISTS */
    while (token->kind == FL_SQL_WORD || token->kind == FL_SQL_QUOTED || token->kind == FL_SQL_DOT)
        token++;
    if (token->kind != FL_SQL_LEFT_PAREN)
        return false;
    for (; token->kind != FL_SQL_END && token->kind != FL_SQL_SEMICOLON; token++) {
        depth += (token->kind == FL_SQL_LEFT_PAREN) - (token->kind == FL_SQL_RIGHT_PAREN);
        if (depth == 0)
            break;
    }
    if (token->kind != FL_SQL_RIGHT_PAREN || token[1].keyword != FL_KW_AS)
        return false;
    return token[2].kind != FL_SQL_STRING && token[2].kind != FL_SQL_ESCAPE_STRING &&
           token[2].kind != FL_SQL_DOLLAR_STRING;
}

typedef struct macro_list {
    fl_ast_macro *items;
    int32_t n;
} macro_list;

static fl_status parse_list(parser *p, void *ret)
{
    macro_list *list = ret;
    return parse_overloads(p, &list->items, &list->n);
}

static fl_status try_list(parser *p)
{
    macro_list list;
    return parse_list(p, &list);
}

fl_status fl_sql_fragment_macro(fl_sql_fragment *fragment, fl_ast_macro **ret, int32_t *ret_count, fl_err *err)
{
    macro_list list = {0};
    fl_status st =
        fl_sql_parse_whole_piece(fragment, parse_list, try_list, "\",\" or the end of the macro", &list, err);
    *ret = list.items;
    *ret_count = list.n;
    return st;
}
