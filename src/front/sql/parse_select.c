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
        return true;
    default:
        return false;
    }
}

/* ---- SELECT ---- */

/* `expr`, `expr AS name`, `expr name`, `name: expr`, `*` */
static fl_status parse_item(parser *p, fl_ast_item **ret)
{
    fl_status st = FL_OK;
    fl_ast_item *item;
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

static fl_status parse_group(parser *p, fl_ast_select *select)
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
    if (accept_word(p, FL_KW_WHERE))
        FL_TRY(fl_sql_parse_expr(p, &select->where));
    if (accept_word(p, FL_KW_GROUP)) {
        FL_TRY(fl_sql_expect_word(p, FL_KW_BY));
        FL_TRY(parse_group(p, select));
    }
    if (accept_word(p, FL_KW_HAVING))
        FL_TRY(fl_sql_parse_expr(p, &select->having));
    if (accept_word(p, FL_KW_WINDOW))
        FL_TRY(fl_sql_parse_windows(p, &select->windows, &select->window_count));
    if (accept_word(p, FL_KW_QUALIFY))
        FL_TRY(fl_sql_parse_expr(p, &select->qualify));
    if (select->windows == NULL && accept_word(p, FL_KW_WINDOW)) /* either may be the first */
        FL_TRY(fl_sql_parse_windows(p, &select->windows, &select->window_count));
    if (is_word(p, FL_KW_USING) && ahead(p, 1)->keyword == FL_KW_SAMPLE)
        return fl_sql_fail_unsupported(
            p, p->now->start, "USING SAMPLE is",
            "write WHERE random() < 0.1 for a share of the rows, ORDER BY random() LIMIT n for a number of them");
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
        return fl_sql_fail_unsupported(
            p, start, "PIVOT and UNPIVOT are",
            "write sum(x) FILTER (WHERE key = 'a') AS a, … GROUP BY for PIVOT, a UNION ALL of SELECTs for UNPIVOT");
    } else {
        return fl_sql_fail_expected(p, "a query (SELECT, FROM, VALUES or TABLE)");
    }
cleanup:
    return st;
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
        bool is_all = ahead(p, 1)->keyword == FL_KW_ALL;
        FL_TRY(new_body(p, FL_AST_BODY_SET, left->start, &body));
        FL_TRY(NEW(p, &set));
        body->set = set;
        set->op = word == FL_KW_UNION ? FL_AST_UNION : word == FL_KW_EXCEPT ? FL_AST_EXCEPT : FL_AST_INTERSECT;
        set->is_all = is_all;
        FL_TRY(fl_sql_push(p, input));
        while (is_word(p, word) && (ahead(p, 1)->keyword == FL_KW_ALL) == is_all) {
            advance(p);
            if (is_all || is_word(p, FL_KW_DISTINCT))
                advance(p);
            if (is_word(p, FL_KW_BY))
                return fl_sql_fail_unsupported(
                    p, p->now->start, "UNION BY NAME is",
                    "write the columns out in one order: SELECT a, b FROM t UNION ALL SELECT a, b FROM u");
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
        return fl_sql_parse_order_list(p, &query->order, &query->order_count);
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
    if (is_word(p, FL_KW_WITH))
        return fl_sql_fail_unsupported(
            p, p->now->start, "WITH TIES is",
            "write WHERE x <= (SELECT max(x) FROM (SELECT x FROM t ORDER BY x LIMIT n) AS s)");
    FL_TRY(fl_sql_expect_word(p, FL_KW_ONLY));
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
                FL_TRY(fl_sql_parse_expr(p, &query->limit));
            if (!is_fetch && is_at(p, FL_SQL_COMMA)) {
                fl_sql_fail_at(p, p->now->start, FL_ERR_SYNTAX,
                               "syntax error at or near \",\": LIMIT takes one number");
                fl_err_hint(p->err, "write LIMIT count OFFSET start");
                return FL_ERR_SYNTAX;
            }
            if (is_word(p, FL_KW_PERCENT) || is_at(p, FL_SQL_PERCENT))
                return fl_sql_fail_unsupported(
                    p, p->now->start, "limits in percent are",
                    "write LIMIT count, where count may be a query: LIMIT (SELECT count(*) / 10 FROM t)");
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
    *ret = query;
cleanup:
    return st;
}
