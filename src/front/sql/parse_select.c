/* Queries: WITH, SELECT and its clauses, VALUES, set operations, ORDER BY, LIMIT. */
#include "front/sql/parse.h"

static fl_status parse_body(parser *p, bool is_intersect, fl_ast_body **ret);

static fl_status new_body(parser *p, fl_ast_body_kind kind, int32_t start, fl_ast_body **ret)
{
    fl_status st = NEW(p, ret);
    if (st != FL_OK)
        return st;
    (*ret)->kind = kind;
    (*ret)->start = start;
    return FL_OK;
}

bool fl_sql_is_summarize(const fl_sql_token *token)
{
    if (token->keyword != FL_KW_SUMMARIZE)
        return false;
    const fl_sql_token *next = &token[1];
    while (next->kind == FL_SQL_LEFT_PAREN)
        next++;
    switch ((fl_sql_keyword)next->keyword) {
    case FL_KW_SELECT:
    case FL_KW_WITH:
    case FL_KW_FROM:
    case FL_KW_TABLE:
    case FL_KW_VALUES:
    case FL_KW_PIVOT:
    case FL_KW_UNPIVOT:
        return true;
    default: /* a name may follow, but no operator's word: summarize is a free name */
        return next == &token[1] && (next->kind == FL_SQL_STRING || fl_sql_is_name_token(next));
    }
}

bool fl_sql_is_query_start(const parser *p)
{
    const fl_sql_token *token = p->now;
    while (token->kind == FL_SQL_LEFT_PAREN)
        token++;
    switch ((fl_sql_keyword)token->keyword) {
    case FL_KW_SELECT:
    case FL_KW_WITH:
    case FL_KW_FROM:
    case FL_KW_TABLE:
    case FL_KW_VALUES:
    case FL_KW_PIVOT:
    case FL_KW_UNPIVOT:
        return true;
    default:
        return fl_sql_is_summarize(token);
    }
}

/* ---- SELECT ---- */

/* `expr`, `expr AS name`, `expr name`, `name: expr`, `*` */
static fl_status parse_item(parser *p, fl_ast_item **ret)
{
    fl_status st = FL_OK;
    fl_ast_item *item;
    fl_ast_expr *around = p->columns;
    p->columns = NULL;
    FL_TRY(NEW(p, &item));
    if (fl_sql_is_name(p) && ahead(p, 1)->kind == FL_SQL_COLON) {
        FL_TRY(fl_sql_parse_name(p, "an alias name", &item->alias));
        advance(p);
        FL_TRY(fl_sql_parse_expr(p, &item->expr));
    } else {
        FL_TRY(fl_sql_parse_expr(p, &item->expr));
        if (item->expr->kind != FL_AST_STAR)
            FL_TRY(fl_sql_parse_alias(p, &item->alias));
    }
    item->columns = p->columns;
    p->columns = around;
    *ret = item;
cleanup:
    return st;
}

fl_status fl_sql_parse_items(parser *p, fl_ast_item **ret, int32_t *ret_count)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    do {
        if (p->stack_count > mark && fl_sql_is_list_end(p))
            break;
        fl_ast_item *item;
        FL_TRY(parse_item(p, &item));
        FL_TRY(fl_sql_push(p, item));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_item), ret, ret_count));
cleanup:
    return st;
}

fl_status fl_sql_parse_select_list(parser *p, fl_ast_select *select)
{
    fl_status st = FL_OK;
    if (accept_word(p, FL_KW_DISTINCT)) {
        select->is_distinct = true;
        if (is_word(p, FL_KW_ON) && ahead(p, 1)->kind == FL_SQL_LEFT_PAREN) {
            advance(p);
            advance(p);
            FL_TRY(fl_sql_parse_expr_list(p, &select->distinct_on, &select->distinct_on_count));
            FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
        }
    } else {
        accept_word(p, FL_KW_ALL);
    }
    FL_TRY(fl_sql_parse_items(p, &select->items, &select->item_count));
    if (is_word(p, FL_KW_INTO))
        return fl_sql_fail_unsupported(p, p->now->start, "SELECT ... INTO is", "write CREATE TABLE name AS SELECT …");
cleanup:
    return st;
}

fl_status fl_sql_parse_group(parser *p, fl_ast_select *select)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    select->has_group = true;
    if (is_word(p, FL_KW_ALL)) {
        advance(p);
        select->group_all = true;
        return FL_OK;
    }
    do {
        fl_ast_expr *expr;
        if (p->stack_count > mark && fl_sql_is_list_end(p))
            break;
        if (is_at(p, FL_SQL_LEFT_PAREN) && ahead(p, 1)->kind == FL_SQL_RIGHT_PAREN) {
            advance(p);
            advance(p);
            continue;
        }
        FL_TRY(fl_sql_is_grouping_sets(p) ? fl_sql_parse_grouping_sets(p, &expr) : fl_sql_parse_expr(p, &expr));
        FL_TRY(fl_sql_push(p, expr));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_pop_list(p, mark, &select->groups, &select->group_count));
cleanup:
    return st;
}

/* WHERE, GROUP BY, HAVING, and what comes later. */
static fl_status parse_clauses(parser *p, fl_ast_select *select)
{
    fl_status st = FL_OK;
    if (accept_word(p, FL_KW_WHERE)) {
        p->columns = NULL;
        FL_TRY(fl_sql_parse_expr(p, &select->where));
        select->where_columns = p->columns;
    }
    if (accept_word(p, FL_KW_GROUP)) {
        FL_TRY(fl_sql_expect_word(p, FL_KW_BY));
        FL_TRY(fl_sql_parse_group(p, select));
    }
    if (accept_word(p, FL_KW_HAVING))
        FL_TRY(fl_sql_parse_expr(p, &select->having));
    if (accept_word(p, FL_KW_WINDOW))
        FL_TRY(fl_sql_parse_windows(p, &select->windows, &select->window_count));
    if (accept_word(p, FL_KW_QUALIFY))
        FL_TRY(fl_sql_parse_expr(p, &select->qualify));
    if (select->windows == NULL && accept_word(p, FL_KW_WINDOW)) /* either may be the first */
        FL_TRY(fl_sql_parse_windows(p, &select->windows, &select->window_count));
    if (is_word(p, FL_KW_USING) && ahead(p, 1)->keyword == FL_KW_SAMPLE) {
        advance(p);
        advance(p);
        FL_TRY(fl_sql_parse_sample(p, &select->sample));
    }
cleanup:
    return st;
}

static fl_status select_star(parser *p, fl_ast_select *select, int32_t at)
{
    fl_status st = FL_OK;
    fl_ast_expr *star;
    FL_TRY(fl_sql_new_expr(p, FL_AST_STAR, at, &star));
    FL_TRY(NEW(p, &star->star));
    star->end = at;
    FL_TRY(NEW(p, &select->items));
    select->items[0].expr = star;
    select->item_count = 1;
cleanup:
    return st;
}

static fl_status parse_select(parser *p, fl_ast_body **ret)
{
    fl_status st = FL_OK;
    fl_ast_body *body;
    fl_ast_select *select;
    FL_TRY(new_body(p, FL_AST_BODY_SELECT, p->now->start, &body));
    FL_TRY(NEW(p, &select));
    body->select = select;
    if (accept_word(p, FL_KW_FROM)) { /* FROM t [SELECT ...] */
        FL_TRY(fl_sql_parse_from(p, &select->from));
        if (accept_word(p, FL_KW_SELECT))
            FL_TRY(fl_sql_parse_select_list(p, select));
        else
            FL_TRY(select_star(p, select, body->start));
    } else {
        FL_TRY(fl_sql_expect_word(p, FL_KW_SELECT));
        FL_TRY(fl_sql_parse_select_list(p, select));
        if (accept_word(p, FL_KW_FROM))
            FL_TRY(fl_sql_parse_from(p, &select->from));
    }
    FL_TRY(parse_clauses(p, select));
    body->end = end_before(p);
    *ret = body;
cleanup:
    return st;
}

static fl_status new_query(parser *p, int32_t start, fl_ast_query **ret)
{
    fl_status st = NEW(p, ret);
    if (st != FL_OK)
        return st;
    (*ret)->start = start;
    return FL_OK;
}

fl_status fl_sql_query_of_table(parser *p, fl_ast_table *table, fl_ast_query **ret)
{
    fl_status st = FL_OK;
    fl_ast_body *body;
    FL_TRY(new_query(p, table->start, ret));
    FL_TRY(new_body(p, FL_AST_BODY_SELECT, table->start, &body));
    FL_TRY(NEW(p, &body->select));
    FL_TRY(select_star(p, body->select, table->start));
    body->select->from = table;
    (*ret)->end = body->end = table->end;
    (*ret)->height = table->height;
    (*ret)->body = body;
cleanup:
    return st;
}

/* ---- VALUES ---- */

static fl_status parse_row(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *row;
    FL_TRY(fl_sql_new_expr(p, FL_AST_ROW, p->now->start, &row));
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\""));
    FL_TRY(fl_sql_parse_expr_list(p, &row->list.items, &row->list.count));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    FL_TRY(fl_sql_end_expr(p, row, fl_sql_height_of(row->list.items, row->list.count)));
    *ret = row;
cleanup:
    return st;
}

static fl_status parse_values(parser *p, fl_ast_body **ret)
{
    fl_status st = FL_OK;
    fl_ast_body *body;
    fl_ast_values *values;
    int64_t mark = p->stack_count;
    FL_TRY(new_body(p, FL_AST_BODY_VALUES, p->now->start, &body));
    FL_TRY(NEW(p, &values));
    body->values = values;
    advance(p);
    do {
        fl_ast_expr *row;
        if (p->stack_count > mark && !is_at(p, FL_SQL_LEFT_PAREN))
            break; /* a trailing comma */
        FL_TRY(parse_row(p, &row));
        if (p->stack_count == mark)
            values->column_count = row->list.count;
        else if (row->list.count != values->column_count)
            return fl_sql_fail_at(p, row->start, FL_ERR_SYNTAX, "a row of %d values, the first row has %d",
                                  row->list.count, values->column_count);
        FL_TRY(fl_sql_push(p, row));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_pop_list(p, mark, &values->rows, &values->row_count));
    body->end = end_before(p);
    *ret = body;
cleanup:
    return st;
}

/* SUMMARIZE t, SUMMARIZE SELECT ... */
static fl_status parse_summarize(parser *p, fl_ast_body **ret)
{
    fl_status st = FL_OK;
    fl_ast_table *table;
    FL_TRY(new_body(p, FL_AST_BODY_SUMMARIZE, p->now->start, ret));
    advance(p);
    if (fl_sql_is_query_start(p) && !is_word(p, FL_KW_TABLE)) {
        FL_TRY(fl_sql_parse_query(p, &(*ret)->query));
    } else {
        accept_word(p, FL_KW_TABLE);
        FL_TRY(fl_sql_parse_table_primary(p, &table));
        FL_TRY(fl_sql_query_of_table(p, table, &(*ret)->query));
    }
    (*ret)->end = end_before(p);
cleanup:
    return st;
}

/* ---- set operations ---- */

static fl_status parse_body_primary(parser *p, fl_ast_body **ret)
{
    fl_status st = FL_OK;
    fl_ast_table *table;
    int32_t start = p->now->start;
    if (is_at(p, FL_SQL_LEFT_PAREN)) {
        advance(p);
        FL_TRY(new_body(p, FL_AST_BODY_QUERY, start, ret));
        FL_TRY(fl_sql_parse_query(p, &(*ret)->query));
        FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\""));
        (*ret)->end = end_before(p);
    } else if (is_word(p, FL_KW_VALUES)) {
        return parse_values(p, ret);
    } else if (accept_word(p, FL_KW_TABLE)) {
        FL_TRY(fl_sql_parse_table_primary(p, &table));
        FL_TRY(new_body(p, FL_AST_BODY_QUERY, start, ret));
        FL_TRY(fl_sql_query_of_table(p, table, &(*ret)->query));
        (*ret)->end = end_before(p);
    } else if (is_word(p, FL_KW_SELECT) || is_word(p, FL_KW_FROM)) {
        return parse_select(p, ret);
    } else if (is_word(p, FL_KW_PIVOT) || is_word(p, FL_KW_UNPIVOT)) {
        fl_ast_query *query;
        FL_TRY(fl_sql_parse_pivot(p, &query));
        *ret = query->body;
    } else if (fl_sql_is_summarize(p->now)) {
        return parse_summarize(p, ret);
    } else {
        return fl_sql_fail_expected(p, "a query (SELECT, FROM, VALUES or TABLE)");
    }
cleanup:
    return st;
}

/* What stands behind the operation's word: [ALL | DISTINCT] [BY NAME]. Gives the number of tokens. */
static int32_t set_form(const parser *p, bool *ret_all, bool *ret_by_name)
{
    int32_t n = 1;
    *ret_all = ahead(p, n)->keyword == FL_KW_ALL;
    n += *ret_all || ahead(p, n)->keyword == FL_KW_DISTINCT;
    *ret_by_name = ahead(p, n)->keyword == FL_KW_BY && fl_sql_is_said(p, ahead(p, n + 1), "name");
    return *ret_by_name ? n + 2 : n;
}

/* UNION and EXCEPT bind looser than INTERSECT; repeats of one operation become one node. */
static fl_status parse_body(parser *p, bool is_intersect, fl_ast_body **ret)
{
    fl_status st = FL_OK;
    fl_ast_body *left;
    FL_TRY(is_intersect ? parse_body_primary(p, &left) : parse_body(p, true, &left));
    for (;;) {
        fl_sql_keyword word = (fl_sql_keyword)p->now->keyword;
        if (is_intersect ? word != FL_KW_INTERSECT : word != FL_KW_UNION && word != FL_KW_EXCEPT)
            break;
        fl_ast_body *body, *input = left;
        fl_ast_set *set;
        int64_t mark = p->stack_count;
        bool is_all, is_by_name;
        set_form(p, &is_all, &is_by_name);
        if (is_by_name && word != FL_KW_UNION)
            return fl_sql_fail_at(p, p->now->start, FL_ERR_SYNTAX, "BY NAME goes behind UNION and UNION ALL only");
        FL_TRY(new_body(p, FL_AST_BODY_SET, left->start, &body));
        FL_TRY(NEW(p, &set));
        body->set = set;
        set->op = word == FL_KW_UNION ? FL_AST_UNION : word == FL_KW_EXCEPT ? FL_AST_EXCEPT : FL_AST_INTERSECT;
        set->is_all = is_all;
        set->is_by_name = is_by_name;
        FL_TRY(fl_sql_push(p, input));
        while (is_word(p, word)) {
            bool all, by_name;
            int32_t n_tokens = set_form(p, &all, &by_name);
            if (all != is_all || by_name != is_by_name)
                break;
            p->now += n_tokens;
            FL_TRY(is_intersect ? parse_body_primary(p, &input) : parse_body(p, true, &input));
            FL_TRY(fl_sql_push(p, input));
        }
        FL_TRY(fl_sql_pop_list(p, mark, &set->inputs, &set->input_count));
        body->end = end_before(p);
        left = body;
    }
    *ret = left;
cleanup:
    return st;
}

/* ---- the whole query ---- */

/* A change of rows may use the table expressions in front of it. */
static fl_status give_ctes(parser *p, const fl_ast_query *query)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < query->cte_count; i++) {
        fl_ast_query *with;
        if (query->ctes[i].change == NULL)
            continue;
        FL_TRY(NEW(p, &with));
        *with = (fl_ast_query){.ctes = query->ctes, .cte_count = i, .is_recursive = query->is_recursive};
        fl_sql_set_with(query->ctes[i].change, with);
        query->ctes[i].change->parameter_count = p->parameter_count;
    }
cleanup:
    return st;
}

fl_status fl_sql_parse_ctes(parser *p, fl_ast_query *query)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    query->is_recursive = accept_word(p, FL_KW_RECURSIVE);
    do {
        fl_ast_cte *cte;
        if (p->stack_count > mark && (is_word(p, FL_KW_SELECT) || is_word(p, FL_KW_FROM)))
            break; /* a trailing comma */
        FL_TRY(NEW(p, &cte));
        FL_TRY(fl_sql_parse_name(p, "a name for the common table expression", &cte->name));
        if (is_at(p, FL_SQL_LEFT_PAREN))
            FL_TRY(fl_sql_parse_name_list(p, &cte->columns, &cte->column_count));
        if (is_word(p, FL_KW_USING)) {
            if (!query->is_recursive) {
                st = fl_sql_fail_at(p, p->now->start, FL_ERR_SYNTAX, "USING KEY is for queries that read themselves");
                fl_err_hint(p->err, "write WITH RECURSIVE");
                goto cleanup;
            }
            advance(p);
            FL_TRY(fl_sql_expect_word(p, FL_KW_KEY));
            FL_TRY(fl_sql_parse_name_list(p, &cte->keys, &cte->key_count));
        }
        FL_TRY(fl_sql_expect_word(p, FL_KW_AS));
        if (is_word(p, FL_KW_NOT) && ahead(p, 1)->keyword == FL_KW_MATERIALIZED) {
            advance(p);
            advance(p);
            cte->is_inlined = true;
        } else {
            cte->is_materialized = accept_word(p, FL_KW_MATERIALIZED);
        }
        FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\" and a query"));
        if (fl_sql_is_change(p, p->now)) {
            FL_TRY(NEW(p, &cte->change));
            FL_TRY(fl_sql_parse_change(p, NULL, cte->change));
        } else {
            FL_TRY(fl_sql_parse_query(p, &cte->query));
        }
        FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\""));
        if (cte->query != NULL)
            FL_TRY(fl_sql_parse_search(p, query->is_recursive, cte));
        FL_TRY(fl_sql_push(p, cte));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_cte), &query->ctes, &query->cte_count));
    FL_TRY(give_ctes(p, query));
cleanup:
    return st;
}

fl_status fl_sql_parse_order(parser *p, fl_ast_query *query)
{
    fl_status st = FL_OK;
    if (!is_word(p, FL_KW_ALL))
        return fl_sql_parse_query_order_list(p, &query->order, &query->order_count);
    query->order_all = true;
    query->order_count = 1;
    FL_TRY(NEW(p, &query->order));
    query->order->start = p->now->start;
    advance(p);
    FL_TRY(fl_sql_parse_nulls_order(p, query->order));
    query->order->end = end_before(p);
cleanup:
    return st;
}

static fl_status parse_fetch(parser *p, fl_ast_query *query)
{
    fl_status st = FL_OK;
    if (!accept_word(p, FL_KW_FIRST) && !accept_word(p, FL_KW_NEXT))
        return fl_sql_fail_expected(p, "FIRST or NEXT");
    if (is_word(p, FL_KW_ROW) || is_word(p, FL_KW_ROWS)) {
        FL_TRY(fl_sql_new_expr(p, FL_AST_INTEGER, p->now->start, &query->limit));
        query->limit->text = FL_STR("1");
        query->limit->end = p->now->start;
    } else {
        FL_TRY(fl_sql_parse_prefix(p, &query->limit));
    }
    if (!accept_word(p, FL_KW_ROW) && !accept_word(p, FL_KW_ROWS))
        return fl_sql_fail_expected(p, "ROW or ROWS");
    if (is_word(p, FL_KW_WITH) && fl_sql_is_said(p, ahead(p, 1), "ties")) {
        if (query->order_count == 0)
            return fl_sql_fail_at(p, p->now->start, FL_ERR_SYNTAX,
                                  "WITH TIES needs ORDER BY, which says what ties are");
        advance(p);
        advance(p);
        query->has_ties = true;
        return FL_OK;
    }
    if (!accept_word(p, FL_KW_ONLY))
        return fl_sql_fail_expected(p, "ONLY or WITH TIES");
cleanup:
    return st;
}

/* Whether the percent sign here is a unit and no operator: nothing that could be divided by stands behind it. */
static bool is_percent_sign(const parser *p)
{
    const fl_sql_token *next = ahead(p, 1);
    return is_at(p, FL_SQL_PERCENT) && (next->kind == FL_SQL_END || next->kind == FL_SQL_SEMICOLON ||
                                        next->kind == FL_SQL_RIGHT_PAREN || next->keyword == FL_KW_OFFSET);
}

/* n, n%, n PERCENT */
static fl_status parse_limit(parser *p, fl_ast_query *query)
{
    fl_status st = FL_OK;
    bool is_plain = is_at(p, FL_SQL_INTEGER) || is_at(p, FL_SQL_DECIMAL) || is_at(p, FL_SQL_PARAMETER) ||
                    is_at(p, FL_SQL_QUESTION) || is_at(p, FL_SQL_LEFT_PAREN);
    const fl_sql_token *start = p->now;
    int32_t parameter_count = p->parameter_count;
    if (is_plain) { /* the sign would be taken for an operator */
        FL_TRY(fl_sql_parse_prefix(p, &query->limit));
        query->is_percent = is_percent_sign(p) || is_word(p, FL_KW_PERCENT);
        if (query->is_percent) {
            advance(p);
            return FL_OK;
        }
        p->now = start;
        p->parameter_count = parameter_count;
    }
    FL_TRY(fl_sql_parse_expr(p, &query->limit));
    query->is_percent = accept_word(p, FL_KW_PERCENT);
cleanup:
    return st;
}

/* LIMIT, OFFSET and FETCH, each once, in any order. */
static fl_status parse_limits(parser *p, fl_ast_query *query)
{
    fl_status st = FL_OK;
    bool has_limit = false;
    for (;;) {
        int32_t at = p->now->start;
        if (is_word(p, FL_KW_LIMIT) || is_word(p, FL_KW_FETCH)) {
            bool is_fetch = is_word(p, FL_KW_FETCH);
            if (has_limit)
                return fl_sql_fail_at(p, at, FL_ERR_SYNTAX, "a query with two limits");
            has_limit = true;
            advance(p);
            if (is_fetch)
                FL_TRY(parse_fetch(p, query));
            else if (!accept_word(p, FL_KW_ALL))
                FL_TRY(parse_limit(p, query));
            if (!is_fetch && is_at(p, FL_SQL_COMMA)) {
                fl_sql_fail_at(p, p->now->start, FL_ERR_SYNTAX,
                               "syntax error at or near \",\": LIMIT takes one number");
                fl_err_hint(p->err, "write LIMIT count OFFSET start");
                return FL_ERR_SYNTAX;
            }
        } else if (is_word(p, FL_KW_OFFSET)) {
            if (query->offset != NULL)
                return fl_sql_fail_at(p, at, FL_ERR_SYNTAX, "a query with two offsets");
            advance(p);
            FL_TRY(fl_sql_parse_expr(p, &query->offset));
            if (!accept_word(p, FL_KW_ROW))
                accept_word(p, FL_KW_ROWS);
        } else {
            break;
        }
    }
cleanup:
    return st;
}

fl_status fl_sql_parse_query(parser *p, fl_ast_query **ret)
{
    fl_status st = FL_OK;
    fl_ast_query *query;
    int32_t tallest = p->tallest;
    fl_ast_expr *columns = p->columns;
    p->tallest = 0;
    FL_TRY(fl_sql_enter(p));
    FL_TRY(new_query(p, p->now->start, &query));
    if (accept_word(p, FL_KW_WITH))
        FL_TRY(fl_sql_parse_ctes(p, query));
    FL_TRY(parse_body(p, false, &query->body));
    if (accept_word(p, FL_KW_ORDER)) {
        FL_TRY(fl_sql_expect_word(p, FL_KW_BY));
        FL_TRY(fl_sql_parse_order(p, query));
    }
    FL_TRY(parse_limits(p, query));
    if (is_word(p, FL_KW_FOR))
        return fl_sql_fail_unsupported(
            p, p->now->start, "row locks (FOR UPDATE, FOR SHARE) are",
            "leave it out: a statement reads one state of each table, whatever others write");
    query->end = end_before(p);
    if (p->tallest >= FL_SQL_DEPTH_MAX)
        return fl_sql_fail_deep(p, query->start);
    query->height = (uint16_t)++p->tallest;
    if (p->tallest < tallest)
        p->tallest = tallest;
    p->depth--;
    p->columns = columns;
    *ret = query;
cleanup:
    return st;
}
