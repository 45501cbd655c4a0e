/* Stars in select lists: `*` and `t.*` with EXCLUDE, REPLACE, RENAME and LIKE; and COLUMNS(...), which picks columns in the same ways. */
#include "front/sql/ast_make.h"
#include "front/sql/parse.h"

/* a, or t.a */
static fl_status parse_star_name(parser *p, fl_ast_star_name *ret)
{
    fl_status st = FL_OK;
    fl_ast_path path;
    FL_TRY(fl_sql_parse_path(p, "a column name", &path));
    if (path.count > 2)
        return fl_sql_fail_at(p, path.parts[0].start, FL_ERR_SYNTAX, "a column of a star is a or t.a");
    *ret = (fl_ast_star_name){.name = path.parts[path.count - 1]};
    if (path.count == 2)
        ret->table = path.parts[0];
cleanup:
    return st;
}

static fl_status parse_exclude(parser *p, fl_ast_star *star)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    bool is_list = accept(p, FL_SQL_LEFT_PAREN);
    do {
        fl_ast_star_name *name;
        if (p->stack_count > mark && fl_sql_is_list_end(p))
            break;
        FL_TRY(NEW(p, &name));
        FL_TRY(parse_star_name(p, name));
        FL_TRY(fl_sql_push(p, name));
    } while (is_list && accept(p, FL_SQL_COMMA));
    if (is_list)
        FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_star_name), &star->exclude, &star->exclude_count));
cleanup:
    return st;
}

/* REPLACE (expr AS name, ...) */
static fl_status parse_replace(parser *p, fl_ast_star *star, int32_t *height)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\""));
    do {
        fl_ast_replace *replace;
        if (p->stack_count > mark && fl_sql_is_list_end(p))
            break;
        FL_TRY(NEW(p, &replace));
        FL_TRY(fl_sql_parse_expr(p, &replace->expr));
        FL_TRY(fl_sql_expect_word(p, FL_KW_AS));
        FL_TRY(parse_star_name(p, &replace->name));
        FL_TRY(fl_sql_push(p, replace));
        *height = higher(*height, replace->expr);
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_replace), &star->replace, &star->replace_count));
cleanup:
    return st;
}

/* RENAME (a AS b, ...) */
static fl_status parse_rename(parser *p, fl_ast_star *star)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\""));
    do {
        fl_ast_rename *rename;
        if (p->stack_count > mark && fl_sql_is_list_end(p))
            break;
        FL_TRY(NEW(p, &rename));
        FL_TRY(parse_star_name(p, &rename->from));
        FL_TRY(fl_sql_expect_word(p, FL_KW_AS));
        FL_TRY(fl_sql_parse_label(p, "a column name", &rename->to));
        FL_TRY(fl_sql_push(p, rename));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_rename), &star->rename, &star->rename_count));
cleanup:
    return st;
}

/* Behind the asterisk: EXCLUDE, REPLACE, RENAME, each as often as one likes. */
static fl_status parse_changes(parser *p, fl_ast_star *star, int32_t *height)
{
    fl_status st = FL_OK;
    for (;;) {
        fl_sql_token_kind next = (fl_sql_token_kind)ahead(p, 1)->kind;
        if (is_word(p, FL_KW_EXCLUDE) && (next == FL_SQL_LEFT_PAREN || fl_sql_is_name_token(ahead(p, 1)))) {
            advance(p);
            FL_TRY(parse_exclude(p, star));
        } else if (is_word(p, FL_KW_EXCEPT) && next == FL_SQL_LEFT_PAREN && ahead(p, 2)->keyword != FL_KW_SELECT) {
            advance(p); /* BigQuery's word for EXCLUDE */
            FL_TRY(parse_exclude(p, star));
        } else if (is_word(p, FL_KW_REPLACE) && next == FL_SQL_LEFT_PAREN) {
            advance(p);
            FL_TRY(parse_replace(p, star, height));
        } else if (is_word(p, FL_KW_RENAME) && next == FL_SQL_LEFT_PAREN) {
            advance(p);
            FL_TRY(parse_rename(p, star));
        } else {
            break;
        }
    }
cleanup:
    return st;
}

/* What a column's name is called in a condition over names, where the text has no word for it. */
static fl_str any_name(void)
{
    return FL_STR("name of a column");
}

/* [NOT] LIKE, ILIKE, GLOB, SIMILAR TO: a condition over the columns' names. */
static fl_status parse_name_test(parser *p, fl_ast_star *star, int32_t start)
{
    fl_status st = FL_OK;
    bool is_negated = is_word(p, FL_KW_NOT);
    fl_ast_op op = FL_AST_OP_NONE;
    int32_t at = p->now->start;
    switch ((fl_sql_keyword)ahead(p, is_negated)->keyword) {
    case FL_KW_LIKE:
        op = FL_AST_OP_LIKE;
        break;
    case FL_KW_ILIKE:
        op = FL_AST_OP_ILIKE;
        break;
    case FL_KW_GLOB:
        op = FL_AST_OP_GLOB;
        break;
    case FL_KW_SIMILAR:
        op = FL_AST_OP_SIMILAR;
        break;
    default:
        return FL_OK;
    }
    p->now += 1 + is_negated;
    if (op == FL_AST_OP_SIMILAR)
        FL_TRY(fl_sql_expect_word(p, FL_KW_TO));
    fl_ast_expr *pattern;
    FL_TRY(fl_sql_parse_operand(p, &pattern));
    fl_ast_maker m = fl_sql_maker(p->arena, start, end_before(p), p->err);
    star->param = fl_sql_make_name(&m, any_name());
    star->test = fl_sql_make_binary(&m, op, fl_sql_make_column(&m, (fl_str){0}, any_name()), pattern);
    star->test->is_negated = is_negated;
    star->test->start = star->test->at = at;
    st = m.st;
cleanup:
    return st;
}

fl_status fl_sql_parse_star(parser *p, fl_ast_path table, int32_t start, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    int32_t height = 0;
    FL_TRY(fl_sql_new_expr(p, FL_AST_STAR, start, &expr));
    FL_TRY(NEW(p, &expr->star));
    expr->star->table = table;
    advance(p);
    FL_TRY(parse_changes(p, expr->star, &height));
    FL_TRY(parse_name_test(p, expr->star, start));
    FL_TRY(fl_sql_end_expr(p, expr, higher(height, expr->star->test)));
    *ret = expr;
cleanup:
    return st;
}

/* ---- COLUMNS ---- */

bool fl_sql_is_columns(const parser *p)
{
    bool is_spread = is_at(p, FL_SQL_ASTERISK);
    return ahead(p, is_spread)->keyword == FL_KW_COLUMNS && ahead(p, 1 + is_spread)->kind == FL_SQL_LEFT_PAREN;
}

/* lambda c: condition, or c -> condition */
static fl_status parse_name_lambda(parser *p, fl_ast_star *star)
{
    fl_status st = FL_OK;
    fl_ast_arg lambda = {0};
    FL_TRY(fl_sql_parse_lambda(p, &lambda));
    if (lambda.param_count != 1)
        return fl_sql_fail_at(p, lambda.params[1].start, FL_ERR_SYNTAX,
                              "a lambda in COLUMNS takes a column's name alone");
    star->param = lambda.params[0];
    star->test = lambda.value;
cleanup:
    return st;
}

/* t.* in the parentheses: the table's name is taken, the asterisk stands here. */
static fl_status parse_inner_star(parser *p, fl_ast_star *star, int32_t start, int32_t *height)
{
    fl_status st = FL_OK;
    if (!is_at(p, FL_SQL_ASTERISK)) {
        FL_TRY(fl_sql_parse_path(p, "a table name", &star->table));
        FL_TRY(fl_sql_expect(p, FL_SQL_DOT, "\".\""));
    }
    FL_TRY(fl_sql_expect(p, FL_SQL_ASTERISK, "\"*\""));
    FL_TRY(parse_changes(p, star, height));
    FL_TRY(parse_name_test(p, star, start));
cleanup:
    return st;
}

fl_status fl_sql_parse_columns(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    int32_t height = 0, start = p->now->start;
    FL_TRY(fl_sql_new_expr(p, FL_AST_COLUMNS, start, &expr));
    FL_TRY(NEW(p, &expr->star));
    expr->flag = accept(p, FL_SQL_ASTERISK);
    advance(p);
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\""));
    bool is_star = is_at(p, FL_SQL_ASTERISK) ||
                   (fl_sql_is_name(p) && ahead(p, 1)->kind == FL_SQL_DOT && ahead(p, 2)->kind == FL_SQL_ASTERISK);
    if (is_star)
        FL_TRY(parse_inner_star(p, expr->star, start, &height));
    else if (fl_sql_is_lambda(p))
        FL_TRY(parse_name_lambda(p, expr->star));
    else
        FL_TRY(fl_sql_parse_expr(p, &expr->star->pick));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\""));
    FL_TRY(fl_sql_end_expr(p, expr, higher(higher(height, expr->star->test), expr->star->pick)));
    expr->star->next = p->columns;
    p->columns = expr;
    *ret = expr;
cleanup:
    return st;
}
