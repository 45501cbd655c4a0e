/* Calls: arguments, DISTINCT, ORDER BY and FILTER in them; and the functions with a grammar of their own. */
#include "front/sql/parse.h"

/* may_be_lambda: an argument of a function that takes one. */
static fl_status parse_arg(parser *p, bool may_be_lambda, fl_ast_arg **ret)
{
    fl_status st = FL_OK;
    fl_ast_arg *arg;
    FL_TRY(NEW(p, &arg));
    if (fl_sql_is_name(p) && (ahead(p, 1)->kind == FL_SQL_COLON_EQUAL || ahead(p, 1)->kind == FL_SQL_FAT_ARROW)) {
        FL_TRY(fl_sql_parse_name(p, "an argument name", &arg->name));
        advance(p);
    }
    FL_TRY(may_be_lambda && fl_sql_is_lambda(p) ? fl_sql_parse_lambda(p, arg) : fl_sql_parse_expr(p, &arg->value));
    *ret = arg;
cleanup:
    return st;
}

/* WITHIN GROUP (ORDER BY x) */
static fl_status parse_within_group(parser *p, fl_ast_call *call)
{
    fl_status st = FL_OK;
    int32_t start = p->now->start;
    if (call->order_count > 0 || call->is_distinct || call->is_star)
        return fl_sql_fail_at(p, start, FL_ERR_SYNTAX,
                              "a call with WITHIN GROUP takes no *, DISTINCT or other ORDER BY");
    advance(p);
    advance(p);
    call->is_within_group = true;
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\""));
    FL_TRY(fl_sql_expect_word(p, FL_KW_ORDER));
    FL_TRY(fl_sql_expect_word(p, FL_KW_BY));
    FL_TRY(fl_sql_parse_order_list(p, &call->order, &call->order_count));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
cleanup:
    return st;
}

/* IGNORE NULLS or RESPECT NULLS: behind the arguments, as DuckDB has it, or behind the call, as the standard does. */
static fl_status parse_nulls(parser *p, fl_ast_call *call)
{
    if ((!is_word(p, FL_KW_IGNORE) && !is_word(p, FL_KW_RESPECT)) || ahead(p, 1)->keyword != FL_KW_NULLS)
        return FL_OK;
    if (call->nulls_start > 0)
        return fl_sql_fail_at(p, p->now->start, FL_ERR_SYNTAX, "a call says once what becomes of nulls");
    call->nulls_start = p->now->start;
    call->ignores_nulls = is_word(p, FL_KW_IGNORE);
    advance(p);
    advance(p);
    return FL_OK;
}

static fl_status parse_after_call(parser *p, fl_ast_call *call)
{
    fl_status st = FL_OK;
    if (is_word(p, FL_KW_WITHIN) && ahead(p, 1)->keyword == FL_KW_GROUP)
        FL_TRY(parse_within_group(p, call));
    if (is_word(p, FL_KW_FILTER) && ahead(p, 1)->kind == FL_SQL_LEFT_PAREN) {
        advance(p);
        advance(p);
        accept_word(p, FL_KW_WHERE);
        FL_TRY(fl_sql_parse_expr(p, &call->filter));
        FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\""));
    }
    if (ahead(p, 2)->kind != FL_SQL_RIGHT_PAREN) /* lag(abs(x) IGNORE NULLS): they are those of the call around */
        FL_TRY(parse_nulls(p, call));
    if (is_word(p, FL_KW_OVER) && (ahead(p, 1)->kind == FL_SQL_LEFT_PAREN || fl_sql_is_name_token(ahead(p, 1)))) {
        advance(p);
        FL_TRY(fl_sql_parse_over(p, &call->over));
    }
cleanup:
    return st;
}

/* `first`: the argument in front of those in parentheses, or NULL. */
static fl_status parse_call(parser *p, fl_ast_path path, fl_ast_expr *first, fl_ast_call **ret)
{
    fl_status st = FL_OK;
    fl_ast_call *call;
    int64_t mark = p->stack_count;
    bool takes_lambda = fl_sql_takes_lambda(path);
    FL_TRY(fl_sql_enter(p));
    FL_TRY(NEW(p, &call));
    call->path = path;
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\""));
    if (first != NULL) {
        fl_ast_arg *arg;
        FL_TRY(NEW(p, &arg));
        arg->value = first;
        call->is_method = true;
        FL_TRY(fl_sql_push(p, arg));
    }
    if (first == NULL && is_at(p, FL_SQL_ASTERISK) && ahead(p, 1)->kind == FL_SQL_RIGHT_PAREN) {
        advance(p);
        call->is_star = true;
    } else if (!is_at(p, FL_SQL_RIGHT_PAREN) || first != NULL) {
        call->is_distinct = accept_word(p, FL_KW_DISTINCT);
        if (!call->is_distinct)
            accept_word(p, FL_KW_ALL);
        do {
            fl_ast_arg *arg;
            if (p->stack_count > mark && is_at(p, FL_SQL_RIGHT_PAREN))
                break;
            FL_TRY(parse_arg(p, takes_lambda && p->stack_count > mark, &arg));
            FL_TRY(fl_sql_push(p, arg));
        } while (accept(p, FL_SQL_COMMA));
        FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_arg), &call->args, &call->arg_count));
        if (accept_word(p, FL_KW_ORDER)) {
            FL_TRY(fl_sql_expect_word(p, FL_KW_BY));
            FL_TRY(fl_sql_parse_order_list(p, &call->order, &call->order_count));
        }
        FL_TRY(parse_nulls(p, call));
    }
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    FL_TRY(parse_after_call(p, call));
    p->depth--;
    *ret = call;
cleanup:
    return st;
}

fl_status fl_sql_parse_args(parser *p, fl_ast_arg **ret, int32_t *ret_count)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    do {
        fl_ast_arg *arg = NULL;
        FL_TRY(parse_arg(p, false, &arg));
        FL_TRY(fl_sql_push(p, arg));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_arg), ret, ret_count));
cleanup:
    return st;
}

fl_status fl_sql_parse_call(parser *p, fl_ast_path path, fl_ast_call **ret)
{
    return parse_call(p, path, NULL, ret);
}

static fl_status parse_call_expr(parser *p, fl_ast_path path, fl_ast_expr *first, int32_t start, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    int32_t height = 0;
    FL_TRY(fl_sql_new_expr(p, FL_AST_CALL, start, &expr));
    FL_TRY(parse_call(p, path, first, &expr->call));
    for (int32_t i = 0; i < expr->call->arg_count; i++)
        height = higher(height, expr->call->args[i].value);
    for (int32_t i = 0; i < expr->call->order_count; i++)
        height = higher(height, expr->call->order[i].expr);
    if (expr->call->over != NULL && expr->call->over->height > height)
        height = expr->call->over->height;
    FL_TRY(fl_sql_end_expr(p, expr, higher(height, expr->call->filter)));
    *ret = expr;
    for (int32_t i = 0; i < expr->call->arg_count; i++)
        if (expr->call->args[i].params != NULL)
            return fl_sql_expand_lambda(p, expr, ret);
cleanup:
    return st;
}

fl_status fl_sql_parse_call_expr(parser *p, fl_ast_path path, int32_t start, fl_ast_expr **ret)
{
    return parse_call_expr(p, path, NULL, start, ret);
}

fl_status fl_sql_parse_method_call(parser *p, fl_ast_path path, fl_ast_expr *first, fl_ast_expr **ret)
{
    return parse_call_expr(p, path, first, first->start, ret);
}

fl_status fl_sql_parse_word_call(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    fl_ast_path path = {.count = 1};
    int32_t start = p->now->start;
    FL_TRY(NEW(p, &path.parts));
    path.parts[0] = (fl_ast_name){fl_sql_keyword_text((fl_sql_keyword)p->now->keyword), start, p->now->end};
    advance(p);
    if (is_at(p, FL_SQL_LEFT_PAREN))
        return fl_sql_parse_call_expr(p, path, start, ret);
    FL_TRY(fl_sql_new_expr(p, FL_AST_CALL, start, &expr));
    FL_TRY(NEW(p, &expr->call));
    expr->call->path = path;
    expr->end = end_before(p);
    *ret = expr;
cleanup:
    return st;
}

/* ---- EXTRACT, SUBSTRING, POSITION, TRIM, OVERLAY ---- */

/* The usual call that a special one stands for. */
fl_status fl_sql_new_call(parser *p, const fl_sql_token *word, const char *name, int32_t arg_max, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_call *call;
    FL_TRY(fl_sql_new_expr(p, FL_AST_CALL, word->start, ret));
    FL_TRY(NEW(p, &call));
    FL_TRY(NEW(p, &call->path.parts));
    FL_TRY(FL_NEW_ARRAY(p->arena, arg_max, &call->args, p->err));
    call->path.count = 1;
    call->path.parts[0] = (fl_ast_name){fl_str_of(name), word->start, word->end};
    (*ret)->call = call;
cleanup:
    return st;
}

/* The closing parenthesis and what every node needs at its end. */
static fl_status end_call(parser *p, fl_ast_expr *expr)
{
    fl_status st = FL_OK;
    int32_t height = 0;
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\""));
    for (int32_t i = 0; i < expr->call->arg_count; i++)
        height = higher(height, expr->call->args[i].value);
    FL_TRY(fl_sql_end_expr(p, expr, height));
    p->depth--;
cleanup:
    return st;
}

static fl_status add_arg(parser *p, fl_ast_call *call)
{
    return fl_sql_parse_expr(p, &call->args[call->arg_count++].value);
}

/* EXTRACT(year FROM x) */
static fl_status parse_extract(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    const fl_sql_token *word = p->now;
    fl_ast_expr *field;
    FL_TRY(fl_sql_enter(p));
    advance(p);
    advance(p);
    FL_TRY(fl_sql_new_call(p, word, "extract", 2, ret));
    FL_TRY(fl_sql_new_expr(p, FL_AST_STRING, p->now->start, &field));
    if (is_at(p, FL_SQL_STRING)) {
        FL_TRY(fl_sql_parse_string(p, "a field", &field->text));
    } else {
        fl_ast_name name;
        FL_TRY(fl_sql_parse_label(p, "a field, as in EXTRACT(year FROM x)", &name));
        field->text = name.text;
    }
    field->end = end_before(p);
    (*ret)->call->args[(*ret)->call->arg_count++].value = field;
    if (!accept(p, FL_SQL_COMMA))
        FL_TRY(fl_sql_expect_word(p, FL_KW_FROM));
    FL_TRY(add_arg(p, (*ret)->call));
    FL_TRY(end_call(p, *ret));
cleanup:
    return st;
}

/* SUBSTRING(x FROM a FOR b) and OVERLAY(x PLACING y FROM a FOR b); with commas they are ordinary calls, too. */
static fl_status parse_substring(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    const fl_sql_token *word = p->now;
    bool is_overlay = is_word(p, FL_KW_OVERLAY);
    FL_TRY(fl_sql_enter(p));
    advance(p);
    advance(p);
    FL_TRY(fl_sql_new_call(p, word, is_overlay ? "overlay" : "substring", 4, ret));
    fl_ast_call *call = (*ret)->call;
    FL_TRY(add_arg(p, call));
    if (is_at(p, FL_SQL_COMMA)) {
        while (call->arg_count < 4 && accept(p, FL_SQL_COMMA))
            FL_TRY(add_arg(p, call));
        return end_call(p, *ret);
    }
    if (is_overlay) {
        FL_TRY(fl_sql_expect_word(p, FL_KW_PLACING));
        FL_TRY(add_arg(p, call));
    }
    if (accept_word(p, FL_KW_FROM)) {
        FL_TRY(add_arg(p, call));
    } else if (is_overlay || !is_word(p, FL_KW_FOR)) {
        return fl_sql_fail_expected(p, "FROM");
    } else {
        fl_ast_expr *one;
        FL_TRY(fl_sql_new_expr(p, FL_AST_INTEGER, p->now->start, &one));
        one->text = FL_STR("1");
        one->end = one->start;
        call->args[call->arg_count++].value = one;
    }
    if (accept_word(p, FL_KW_FOR))
        FL_TRY(add_arg(p, call));
    FL_TRY(end_call(p, *ret));
cleanup:
    return st;
}

/* POSITION(a IN b) is strpos(b, a). */
static fl_status parse_position(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    const fl_sql_token *word = p->now;
    fl_ast_expr *part;
    FL_TRY(fl_sql_enter(p));
    advance(p);
    advance(p);
    FL_TRY(fl_sql_new_call(p, word, "strpos", 2, ret));
    fl_ast_call *call = (*ret)->call;
    FL_TRY(fl_sql_parse_operand(p, &part));
    FL_TRY(fl_sql_expect_word(p, FL_KW_IN));
    FL_TRY(add_arg(p, call));
    call->args[call->arg_count++].value = part;
    FL_TRY(end_call(p, *ret));
cleanup:
    return st;
}

/* TRIM([LEADING | TRAILING | BOTH] [characters] FROM x), TRIM(x), TRIM(x, characters) */
static fl_status parse_trim(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    const fl_sql_token *word = p->now;
    FL_TRY(fl_sql_enter(p));
    advance(p);
    advance(p);
    const char *name = is_word(p, FL_KW_LEADING) ? "ltrim" : is_word(p, FL_KW_TRAILING) ? "rtrim" : "trim";
    if (is_word(p, FL_KW_LEADING) || is_word(p, FL_KW_TRAILING) || is_word(p, FL_KW_BOTH))
        advance(p);
    FL_TRY(fl_sql_new_call(p, word, name, 2, ret));
    fl_ast_call *call = (*ret)->call;
    if (accept_word(p, FL_KW_FROM)) {
        FL_TRY(add_arg(p, call));
        return end_call(p, *ret);
    }
    FL_TRY(add_arg(p, call));
    if (accept_word(p, FL_KW_FROM)) {
        FL_TRY(add_arg(p, call));
        fl_ast_expr *characters = call->args[0].value;
        call->args[0].value = call->args[1].value;
        call->args[1].value = characters;
    } else if (accept(p, FL_SQL_COMMA)) {
        FL_TRY(add_arg(p, call));
    }
    FL_TRY(end_call(p, *ret));
cleanup:
    return st;
}

fl_status fl_sql_parse_special_call(parser *p, fl_ast_expr **ret)
{
    switch ((fl_sql_keyword)p->now->keyword) {
    case FL_KW_EXTRACT:
        return parse_extract(p, ret);
    case FL_KW_SUBSTRING:
    case FL_KW_OVERLAY:
        return parse_substring(p, ret);
    case FL_KW_POSITION:
        return parse_position(p, ret);
    case FL_KW_TRIM:
        return parse_trim(p, ret);
    default:
        return FL_OK;
    }
}
