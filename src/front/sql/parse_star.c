/* Stars in select lists: `*` and `t.*` with EXCLUDE, REPLACE and RENAME. */
#include "front/sql/parse.h"

static fl_status parse_exclude(parser *p, fl_ast_star *star)
{
    fl_status st = FL_OK;
    if (is_at(p, FL_SQL_LEFT_PAREN))
        return fl_sql_parse_name_list(p, &star->exclude, &star->exclude_count);
    FL_TRY(NEW(p, &star->exclude));
    star->exclude_count = 1;
    FL_TRY(fl_sql_parse_name(p, "a column name", star->exclude));
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
        FL_TRY(fl_sql_parse_label(p, "a column name", &replace->name));
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
        FL_TRY(fl_sql_parse_name(p, "a column name", &rename->from));
        FL_TRY(fl_sql_expect_word(p, FL_KW_AS));
        FL_TRY(fl_sql_parse_label(p, "a column name", &rename->to));
        FL_TRY(fl_sql_push(p, rename));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_rename), &star->rename, &star->rename_count));
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
    for (;;) {
        fl_sql_token_kind next = (fl_sql_token_kind)ahead(p, 1)->kind;
        if (is_word(p, FL_KW_EXCLUDE) && (next == FL_SQL_LEFT_PAREN || fl_sql_is_name_token(ahead(p, 1)))) {
            advance(p);
            FL_TRY(parse_exclude(p, expr->star));
        } else if (is_word(p, FL_KW_EXCEPT) && next == FL_SQL_LEFT_PAREN && ahead(p, 2)->keyword != FL_KW_SELECT) {
            advance(p); /* BigQuery's word for EXCLUDE */
            FL_TRY(parse_exclude(p, expr->star));
        } else if (is_word(p, FL_KW_REPLACE) && next == FL_SQL_LEFT_PAREN) {
            advance(p);
            FL_TRY(parse_replace(p, expr->star, &height));
        } else if (is_word(p, FL_KW_RENAME) && next == FL_SQL_LEFT_PAREN) {
            advance(p);
            FL_TRY(parse_rename(p, expr->star));
        } else {
            break;
        }
    }
    FL_TRY(fl_sql_end_expr(p, expr, height));
    *ret = expr;
cleanup:
    return st;
}
