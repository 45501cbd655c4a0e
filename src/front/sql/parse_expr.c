/* Expressions: precedence climbing over PostgreSQL's operators.
 *
 * Chains of AND and OR become one node each; other chains are loops to the left. What recurses is counted: nesting in
 * the text by fl_sql_enter(), the tree by `height`. */
#include "front/sql/ast_make.h"
#include "front/sql/parse.h"

/* From loosest to tightest, as PostgreSQL's manual lists them ("Operator Precedence"). Unary minus, ::, [] and field
 * access bind tighter than all of these. */
enum power {
    POWER_NONE,
    POWER_OR,
    POWER_AND,
    POWER_NOT,
    POWER_IS,
    POWER_COMPARE,
    POWER_BETWEEN, /* IN, LIKE, too */
    POWER_OTHER,   /* ||, ~, ->, bits */
    POWER_ADD,
    POWER_MUL,
    POWER_POW,
    POWER_ZONE,
};

static fl_status parse_ops(parser *p, int power_min, fl_ast_expr **ret);

fl_status fl_sql_new_expr(parser *p, fl_ast_kind kind, int32_t start, fl_ast_expr **ret)
{
    fl_status st = NEW(p, ret);
    if (st != FL_OK)
        return st;
    (*ret)->kind = (uint8_t)kind;
    (*ret)->height = 1;
    (*ret)->start = (*ret)->at = start;
    return FL_OK;
}

fl_status fl_sql_end_expr(parser *p, fl_ast_expr *expr, int32_t below)
{
    expr->end = end_before(p);
    if (below >= FL_SQL_DEPTH_MAX)
        return fl_sql_fail_deep(p, expr->at);
    expr->height = (uint16_t)(below + 1);
    if (expr->height > p->tallest)
        p->tallest = expr->height;
    return FL_OK;
}

int32_t fl_sql_height_of(fl_ast_expr *const *items, int32_t count)
{
    int32_t height = 0;
    for (int32_t i = 0; i < count; i++)
        height = higher(height, items[i]);
    return height;
}

/* ---- infix operators ---- */

static const struct {
    uint8_t power;
    uint8_t op;
    bool is_negated;
} infix[] = {
    [FL_SQL_PLUS] = {POWER_ADD, FL_AST_OP_ADD, false},
    [FL_SQL_MINUS] = {POWER_ADD, FL_AST_OP_SUB, false},
    [FL_SQL_ASTERISK] = {POWER_MUL, FL_AST_OP_MUL, false},
    [FL_SQL_SLASH] = {POWER_MUL, FL_AST_OP_DIV, false},
    [FL_SQL_DOUBLE_SLASH] = {POWER_MUL, FL_AST_OP_INT_DIV, false},
    [FL_SQL_PERCENT] = {POWER_MUL, FL_AST_OP_MOD, false},
    [FL_SQL_POWER] = {POWER_POW, FL_AST_OP_POW, false},
    [FL_SQL_CONCAT] = {POWER_OTHER, FL_AST_OP_CONCAT, false},
    [FL_SQL_EQUAL] = {POWER_COMPARE, FL_AST_OP_EQ, false},
    [FL_SQL_NOT_EQUAL] = {POWER_COMPARE, FL_AST_OP_NE, false},
    [FL_SQL_LESS] = {POWER_COMPARE, FL_AST_OP_LT, false},
    [FL_SQL_LESS_EQUAL] = {POWER_COMPARE, FL_AST_OP_LE, false},
    [FL_SQL_GREATER] = {POWER_COMPARE, FL_AST_OP_GT, false},
    [FL_SQL_GREATER_EQUAL] = {POWER_COMPARE, FL_AST_OP_GE, false},
    [FL_SQL_TILDE] = {POWER_OTHER, FL_AST_OP_REGEX, false},
    [FL_SQL_TILDE_STAR] = {POWER_OTHER, FL_AST_OP_REGEX_NOCASE, false},
    [FL_SQL_NOT_TILDE] = {POWER_OTHER, FL_AST_OP_REGEX, true},
    [FL_SQL_NOT_TILDE_STAR] = {POWER_OTHER, FL_AST_OP_REGEX_NOCASE, true},
    [FL_SQL_LIKE_OP] = {POWER_OTHER, FL_AST_OP_LIKE, false},
    [FL_SQL_ILIKE_OP] = {POWER_OTHER, FL_AST_OP_ILIKE, false},
    [FL_SQL_NOT_LIKE_OP] = {POWER_OTHER, FL_AST_OP_LIKE, true},
    [FL_SQL_NOT_ILIKE_OP] = {POWER_OTHER, FL_AST_OP_ILIKE, true},
    [FL_SQL_AMPERSAND] = {POWER_OTHER, FL_AST_OP_BIT_AND, false},
    [FL_SQL_PIPE] = {POWER_OTHER, FL_AST_OP_BIT_OR, false},
    [FL_SQL_HASH] = {POWER_OTHER, FL_AST_OP_BIT_XOR, false},
    [FL_SQL_SHIFT_LEFT] = {POWER_OTHER, FL_AST_OP_SHIFT_LEFT, false},
    [FL_SQL_SHIFT_RIGHT] = {POWER_OTHER, FL_AST_OP_SHIFT_RIGHT, false},
    [FL_SQL_ARROW] = {POWER_OTHER, FL_AST_OP_ARROW, false},
    [FL_SQL_ARROW_TEXT] = {POWER_OTHER, FL_AST_OP_ARROW_TEXT, false},
    [FL_SQL_PATH] = {POWER_OTHER, FL_AST_OP_PATH, false},
    [FL_SQL_PATH_TEXT] = {POWER_OTHER, FL_AST_OP_PATH_TEXT, false},
    [FL_SQL_PATH_DELETE] = {POWER_OTHER, FL_AST_OP_PATH_DELETE, false},
    [FL_SQL_QUESTION] = {POWER_OTHER, FL_AST_OP_HAS, false}, /* where no operand can stand */
    [FL_SQL_PATH_EXISTS] = {POWER_OTHER, FL_AST_OP_PATH_EXISTS, false},
    [FL_SQL_PATH_MATCH] = {POWER_OTHER, FL_AST_OP_PATH_MATCH, false},
    [FL_SQL_HAS_ANY] = {POWER_OTHER, FL_AST_OP_HAS_ANY, false},
    [FL_SQL_HAS_ALL] = {POWER_OTHER, FL_AST_OP_HAS_ALL, false},
    [FL_SQL_CONTAINS] = {POWER_OTHER, FL_AST_OP_CONTAINS, false},
    [FL_SQL_CONTAINED] = {POWER_OTHER, FL_AST_OP_CONTAINED, false},
    [FL_SQL_OVERLAPS] = {POWER_OTHER, FL_AST_OP_OVERLAPS, false},
    [FL_SQL_STARTS] = {POWER_OTHER, FL_AST_OP_STARTS, false},
    [FL_SQL_OTHER_OP] = {POWER_OTHER, FL_AST_OP_NONE, false},
};

static int power_of_word(fl_sql_keyword word)
{
    switch (word) {
    case FL_KW_OR:
        return POWER_OR;
    case FL_KW_AND:
        return POWER_AND;
    case FL_KW_IS:
    case FL_KW_ISNULL:
    case FL_KW_NOTNULL:
        return POWER_IS;
    case FL_KW_BETWEEN:
    case FL_KW_IN:
    case FL_KW_LIKE:
    case FL_KW_ILIKE:
    case FL_KW_SIMILAR:
    case FL_KW_GLOB:
        return POWER_BETWEEN;
    case FL_KW_AT:
    case FL_KW_COLLATE:
        return POWER_ZONE;
    default:
        return POWER_NONE;
    }
}

/* (a, b) OVERLAPS (c, d): a word that stays free for names. */
static bool is_overlaps(const parser *p)
{
    const fl_sql_token *next = ahead(p, 1);
    return fl_sql_is_said(p, p->now, "overlaps") &&
           (next->kind == FL_SQL_LEFT_PAREN || (next->keyword == FL_KW_ROW && ahead(p, 2)->kind == FL_SQL_LEFT_PAREN));
}

static int power_here(const parser *p)
{
    const fl_sql_token *token = p->now;
    if (token->kind != FL_SQL_WORD)
        return token->kind < FL_LEN(infix) ? infix[token->kind].power : POWER_NONE;
    if (token->keyword == FL_KW_NOT) {
        /* x NOT IN, x NOT LIKE, ...; `x NOT NULL` begins something else: a column's definition. */
        int power = power_of_word((fl_sql_keyword)ahead(p, 1)->keyword);
        return power == POWER_BETWEEN ? power : POWER_NONE;
    }
    if (is_overlaps(p))
        return POWER_BETWEEN;
    if (token->keyword == FL_KW_AT)
        return ahead(p, 1)->keyword == FL_KW_TIME ? POWER_ZONE : POWER_NONE;
    return power_of_word((fl_sql_keyword)token->keyword);
}

/* a AND b AND c: the operands so far are `*left`; the operator stands here. */
static fl_status parse_chain(parser *p, fl_ast_expr **left)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr, *item = *left;
    int64_t mark = p->stack_count;
    fl_sql_keyword word = (fl_sql_keyword)p->now->keyword;
    FL_TRY(fl_sql_new_expr(p, word == FL_KW_AND ? FL_AST_AND : FL_AST_OR, item->start, &expr));
    expr->at = p->now->start;
    FL_TRY(fl_sql_push(p, item));
    while (accept_word(p, word)) {
        FL_TRY(parse_ops(p, (word == FL_KW_AND ? POWER_AND : POWER_OR) + 1, &item));
        FL_TRY(fl_sql_push(p, item));
    }
    FL_TRY(fl_sql_pop_list(p, mark, &expr->list.items, &expr->list.count));
    FL_TRY(fl_sql_end_expr(p, expr, fl_sql_height_of(expr->list.items, expr->list.count)));
    *left = expr;
cleanup:
    return st;
}

static fl_status parse_is(parser *p, fl_ast_expr **left)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    FL_TRY(fl_sql_new_expr(p, FL_AST_IS, (*left)->start, &expr));
    expr->at = p->now->start;
    expr->ops.left = *left;
    expr->op = FL_AST_IS_NULL;
    if (accept_word(p, FL_KW_NOTNULL)) {
        expr->is_negated = true;
    } else if (!accept_word(p, FL_KW_ISNULL)) {
        advance(p);
        expr->is_negated = accept_word(p, FL_KW_NOT);
        switch ((fl_sql_keyword)p->now->keyword) {
        case FL_KW_NULL:
            expr->op = FL_AST_IS_NULL;
            break;
        case FL_KW_TRUE:
            expr->op = FL_AST_IS_TRUE;
            break;
        case FL_KW_FALSE:
            expr->op = FL_AST_IS_FALSE;
            break;
        case FL_KW_UNKNOWN:
            expr->op = FL_AST_IS_UNKNOWN;
            break;
        case FL_KW_DISTINCT:
            expr->op = FL_AST_IS_DISTINCT;
            break;
        default:
            return fl_sql_fail_expected(p, "NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM");
        }
        advance(p);
        if (expr->op == FL_AST_IS_DISTINCT) {
            FL_TRY(fl_sql_expect_word(p, FL_KW_FROM));
            FL_TRY(parse_ops(p, POWER_IS + 1, &expr->ops.right));
        }
    }
    FL_TRY(fl_sql_end_expr(p, expr, higher((*left)->height, expr->ops.right)));
    *left = expr;
cleanup:
    return st;
}

/* Whether what stands here, behind a left parenthesis, is a query. `((SELECT 1) + 1)` is not, `((SELECT 1) UNION ...)`
 * is: behind a run of parentheses, what follows the inner ones decides. */
bool fl_sql_is_query_inside(parser *p)
{
    const fl_sql_token *first = p->now;
    if (first >= p->plain_from && first < p->plain_to)
        return false;
    while (first->kind == FL_SQL_LEFT_PAREN)
        first++;
    switch ((fl_sql_keyword)first->keyword) {
    case FL_KW_SELECT:
    case FL_KW_WITH:
    case FL_KW_FROM:
    case FL_KW_TABLE:
        break;
    case FL_KW_VALUES:
        if (first[1].kind == FL_SQL_LEFT_PAREN)
            break;
        return false;
    case FL_KW_PIVOT:
    case FL_KW_UNPIVOT:
        break;
    case FL_KW_SUMMARIZE:
        if (fl_sql_is_summarize(first))
            break;
        return false;
    default: /* for the inner parentheses, too, which are asked about next */
        p->plain_from = p->now;
        p->plain_to = first;
        return false;
    }
    int64_t open = first - p->now, depth = open;
    for (const fl_sql_token *token = first; depth > 0; token++) {
        if (token->kind == FL_SQL_END || token->kind == FL_SQL_SEMICOLON)
            return true; /* broken either way: the query's parser says it best */
        if (token->kind == FL_SQL_LEFT_PAREN) {
            depth++;
        } else if (token->kind == FL_SQL_RIGHT_PAREN) {
            depth--;
            if (depth >= open)
                continue;
            open = depth;
            switch ((fl_sql_keyword)token[1].keyword) {
            case FL_KW_UNION:
            case FL_KW_INTERSECT:
            case FL_KW_EXCEPT:
            case FL_KW_ORDER:
            case FL_KW_LIMIT:
            case FL_KW_OFFSET:
            case FL_KW_FETCH:
                break;
            default:
                if (token[1].kind != FL_SQL_RIGHT_PAREN)
                    return false;
            }
        }
    }
    return true;
}

/* x IN l, without parentheses: x = ANY (l). */
static fl_status parse_in_value(parser *p, bool is_negated, int32_t at, fl_ast_expr **left)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    if (!fl_sql_is_name(p) && !is_at(p, FL_SQL_LEFT_BRACKET) && !is_word(p, FL_KW_ARRAY) &&
        !is_at(p, FL_SQL_PARAMETER) && !is_at(p, FL_SQL_QUESTION))
        return fl_sql_fail_expected(p, "\"(\" and a list or a query, or a list's column");
    FL_TRY(fl_sql_new_expr(p, FL_AST_QUANTIFIED_LIST, (*left)->start, &expr));
    expr->at = at;
    expr->op = is_negated ? FL_AST_OP_NE : FL_AST_OP_EQ;
    expr->flag = is_negated;
    expr->ops.left = *left;
    FL_TRY(parse_ops(p, POWER_BETWEEN + 1, &expr->ops.right));
    FL_TRY(fl_sql_end_expr(p, expr, higher((*left)->height, expr->ops.right)));
    *left = expr;
cleanup:
    return st;
}

/* x LIKE ANY (...), behind the operator: patterns in a list, apart by commas, or in a list's column or value. */
static fl_status parse_like_any(parser *p, fl_ast_expr *expr)
{
    fl_status st = FL_OK;
    fl_ast_expr **items, *list;
    int32_t n, start = p->now->start;
    expr->kind = FL_AST_QUANTIFIED_LIST;
    expr->flag = is_word(p, FL_KW_ALL);
    advance(p);
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\" and patterns"));
    if (fl_sql_is_query_inside(p)) {
        FL_TRY(fl_sql_new_expr(p, FL_AST_ARRAY_QUERY, start, &list));
        FL_TRY(fl_sql_parse_query(p, &list->sub.query));
        FL_TRY(fl_sql_end_expr(p, list, list->sub.query->height));
        items = &list;
        n = 1;
    } else {
        FL_TRY(fl_sql_parse_expr_list(p, &items, &n));
    }
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    bool is_pattern = items[0]->kind == FL_AST_STRING; /* one pattern, not a list of them */
    expr->ops.right = items[0];
    if (n > 1 || is_pattern) {
        FL_TRY(fl_sql_new_expr(p, FL_AST_LIST, start, &list));
        list->list.items = items;
        list->list.count = n;
        FL_TRY(fl_sql_end_expr(p, list, fl_sql_height_of(items, n)));
        expr->ops.right = list;
    }
cleanup:
    return st;
}

/* (a, b) OVERLAPS (c, d): whether two spans of time have a moment in common. Each goes from its lesser end, which belongs to it, to the other,
 * which does not; the second value may be the span's length. Of nulls as PostgreSQL has it: a span with one end known begins there. */
static fl_status parse_overlaps(parser *p, fl_ast_expr **left)
{
    fl_status st = FL_OK;
    fl_ast_expr *right, *rows[2], *args[4];
    int32_t at = p->now->start;
    advance(p);
    FL_TRY(parse_ops(p, POWER_BETWEEN + 1, &right));
    rows[0] = *left;
    rows[1] = right;
    for (int i = 0; i < 2; i++) {
        if (rows[i]->kind != FL_AST_ROW || rows[i]->list.count != 2)
            return fl_sql_fail_at(p, rows[i]->start, FL_ERR_SYNTAX,
                                  "OVERLAPS compares two spans: (start, end) OVERLAPS (start, end)");
        args[2 * i] = rows[i]->list.items[0];
        args[2 * i + 1] = rows[i]->list.items[1];
    }
    fl_ast_maker m = fl_sql_maker(p->arena, at, end_before(p), p->err);
    fl_ast_expr *call = fl_sql_make_call(&m, "overlaps", 4, args);
    call->start = (*left)->start;
    *left = call;
    FL_TRY(m.st);
    FL_TRY(fl_sql_end_expr(p, call, call->height - 1));
cleanup:
    return st;
}

static fl_status parse_in(parser *p, bool is_negated, fl_ast_expr **left)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    int32_t at = p->now->start;
    advance(p);
    if (!is_at(p, FL_SQL_LEFT_PAREN))
        return parse_in_value(p, is_negated, at, left);
    advance(p);
    if (fl_sql_is_query_inside(p)) {
        FL_TRY(fl_sql_new_expr(p, FL_AST_IN_QUERY, (*left)->start, &expr));
        expr->sub.left = *left;
        FL_TRY(fl_sql_parse_query(p, &expr->sub.query));
    } else {
        FL_TRY(fl_sql_new_expr(p, FL_AST_IN_LIST, (*left)->start, &expr));
        expr->in.left = *left;
        FL_TRY(fl_sql_parse_expr_list(p, &expr->in.items, &expr->in.count));
    }
    expr->at = at;
    expr->is_negated = is_negated;
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\""));
    FL_TRY(fl_sql_end_expr(p, expr,
                           expr->kind == FL_AST_IN_QUERY
                               ? higher(expr->sub.query->height, *left)
                               : higher(fl_sql_height_of(expr->in.items, expr->in.count), *left)));
    *left = expr;
cleanup:
    return st;
}

/* BETWEEN, IN, LIKE, ILIKE, SIMILAR TO with or without NOT. */
static fl_status parse_between_in_like(parser *p, fl_ast_expr **left)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    int32_t at = p->now->start, height = (*left)->height;
    bool is_negated = accept_word(p, FL_KW_NOT);
    fl_sql_keyword word = (fl_sql_keyword)p->now->keyword;
    if (word == FL_KW_IN)
        return parse_in(p, is_negated, left);
    if (is_overlaps(p))
        return parse_overlaps(p, left);
    advance(p);
    FL_TRY(fl_sql_new_expr(p, word == FL_KW_BETWEEN ? FL_AST_BETWEEN : FL_AST_LIKE, (*left)->start, &expr));
    expr->at = at;
    expr->is_negated = is_negated;
    expr->ops.left = *left;
    if (word == FL_KW_BETWEEN) {
        expr->flag = accept_word(p, FL_KW_SYMMETRIC);
        if (!expr->flag)
            accept_word(p, FL_KW_ASYMMETRIC);
        FL_TRY(parse_ops(p, POWER_BETWEEN + 1, &expr->ops.right));
        FL_TRY(fl_sql_expect_word(p, FL_KW_AND));
        FL_TRY(parse_ops(p, POWER_BETWEEN + 1, &expr->ops.third));
    } else {
        expr->op = word == FL_KW_LIKE      ? FL_AST_OP_LIKE
                   : word == FL_KW_SIMILAR ? FL_AST_OP_SIMILAR
                   : word == FL_KW_GLOB    ? FL_AST_OP_GLOB
                                           : FL_AST_OP_ILIKE;
        if (word == FL_KW_SIMILAR)
            FL_TRY(fl_sql_expect_word(p, FL_KW_TO));
        if (is_word(p, FL_KW_ANY) || is_word(p, FL_KW_ALL) || is_word(p, FL_KW_SOME))
            FL_TRY(parse_like_any(p, expr));
        else
            FL_TRY(parse_ops(p, POWER_BETWEEN + 1, &expr->ops.right));
        if (expr->kind == FL_AST_LIKE && accept_word(p, FL_KW_ESCAPE))
            FL_TRY(parse_ops(p, POWER_BETWEEN + 1, &expr->ops.third));
    }
    FL_TRY(fl_sql_end_expr(p, expr, higher(higher(height, expr->ops.right), expr->ops.third)));
    *left = expr;
cleanup:
    return st;
}

/* A name, or several that are joined by points: nocase.noaccent. */
fl_status fl_sql_parse_collation(parser *p, fl_ast_name *ret)
{
    fl_status st = FL_OK;
    fl_ast_path path;
    FL_TRY(fl_sql_parse_path(p, "a collation's name", &path));
    *ret = path.parts[0];
    for (int32_t i = 1; i < path.count; i++) {
        if (i == 1 && fl_str_is_equal_nocase(ret->text, FL_STR("pg_catalog"))) {
            *ret = path.parts[i];
            continue;
        }
        FL_TRY(fl_arena_format(p->arena, &ret->text, p->err, "%.*s.%.*s", FL_STR_ARG(ret->text),
                               FL_STR_ARG(path.parts[i].text)));
        ret->end = path.parts[i].end;
    }
cleanup:
    return st;
}

/* x COLLATE name */
static fl_status parse_collate(parser *p, fl_ast_expr **left)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    FL_TRY(fl_sql_new_expr(p, FL_AST_COLLATE, (*left)->start, &expr));
    expr->at = p->now->start;
    advance(p);
    FL_TRY(NEW(p, &expr->field.name));
    FL_TRY(fl_sql_parse_collation(p, expr->field.name));
    expr->field.value = *left;
    FL_TRY(fl_sql_end_expr(p, expr, (*left)->height));
    *left = expr;
cleanup:
    return st;
}

/* x AT TIME ZONE z is timezone(z, x), as PostgreSQL has it. */
static fl_status parse_zone_or_collate(parser *p, fl_ast_expr **left)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    fl_ast_call *call;
    if (is_word(p, FL_KW_COLLATE))
        return parse_collate(p, left);
    FL_TRY(fl_sql_new_expr(p, FL_AST_CALL, (*left)->start, &expr));
    expr->at = p->now->start;
    advance(p);
    advance(p);
    FL_TRY(fl_sql_expect_word(p, FL_KW_ZONE));
    FL_TRY(NEW(p, &call));
    FL_TRY(NEW(p, &call->path.parts));
    FL_TRY(FL_NEW_ARRAY(p->arena, 2, &call->args, p->err));
    call->path.count = 1;
    call->path.parts[0] = (fl_ast_name){FL_STR("timezone"), expr->at, end_before(p)};
    call->arg_count = 2;
    FL_TRY(parse_ops(p, POWER_ZONE + 1, &call->args[0].value));
    call->args[1].value = *left;
    expr->call = call;
    FL_TRY(fl_sql_end_expr(p, expr, higher((*left)->height, call->args[0].value)));
    *left = expr;
cleanup:
    return st;
}

/* = ANY (query or list), behind the operator. */
static fl_status parse_quantified(parser *p, fl_ast_expr *left, fl_ast_op op, int32_t at, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    bool is_all = is_word(p, FL_KW_ALL);
    advance(p);
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\" and a query"));
    if (fl_sql_is_query_inside(p)) {
        FL_TRY(fl_sql_new_expr(p, FL_AST_QUANTIFIED, left->start, &expr));
        expr->sub.left = left;
        FL_TRY(fl_sql_parse_query(p, &expr->sub.query));
    } else {
        FL_TRY(fl_sql_new_expr(p, FL_AST_QUANTIFIED_LIST, left->start, &expr));
        expr->ops.left = left;
        FL_TRY(fl_sql_parse_expr(p, &expr->ops.right));
    }
    expr->op = (uint8_t)op;
    expr->flag = is_all;
    expr->at = at;
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\""));
    FL_TRY(fl_sql_end_expr(p, expr,
                           expr->kind == FL_AST_QUANTIFIED ? higher(expr->sub.query->height, left)
                                                           : higher(left->height, expr->ops.right)));
    *ret = expr;
cleanup:
    return st;
}

static fl_status parse_binary(parser *p, int power, fl_ast_expr **left)
{
    fl_status st = FL_OK;
    const fl_sql_token *token = p->now;
    fl_ast_op op = (fl_ast_op)infix[token->kind].op;
    fl_ast_expr *expr;
    if (op == FL_AST_OP_NONE)
        return fl_sql_fail_operator(p);
    advance(p);
    if ((is_word(p, FL_KW_ANY) || is_word(p, FL_KW_SOME) || is_word(p, FL_KW_ALL)) &&
        ahead(p, 1)->kind == FL_SQL_LEFT_PAREN) {
        if (power != POWER_COMPARE)
            return fl_sql_fail_unsupported(
                p, p->now->start, "ANY and ALL with this operator are",
                "ANY and ALL go behind =, <>, <, <=, >, >=, LIKE and ILIKE; else write x ~ '^(a|b)'");
        return parse_quantified(p, *left, op, token->start, left);
    }
    bool is_like = op == FL_AST_OP_LIKE || op == FL_AST_OP_ILIKE;
    FL_TRY(fl_sql_new_expr(p, is_like ? FL_AST_LIKE : FL_AST_BINARY, (*left)->start, &expr));
    expr->op = (uint8_t)op;
    expr->is_negated = infix[token->kind].is_negated;
    expr->at = token->start;
    expr->ops.left = *left;
    FL_TRY(parse_ops(p, power + 1, &expr->ops.right));
    FL_TRY(fl_sql_end_expr(p, expr, higher((*left)->height, expr->ops.right)));
    *left = expr;
    if (power == POWER_COMPARE && power_here(p) == POWER_COMPARE) {
        fl_sql_fail_at(p, p->now->start, FL_ERR_SYNTAX, "syntax error at or near \"%.*s\": comparisons do not chain",
                       FL_STR_ARG(text_of(p, p->now)));
        fl_err_hint(p->err, "write a < b AND b < c");
        return FL_ERR_SYNTAX;
    }
cleanup:
    return st;
}

static fl_status parse_not(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    FL_TRY(fl_sql_enter(p));
    FL_TRY(fl_sql_new_expr(p, FL_AST_NOT, p->now->start, &expr));
    advance(p);
    FL_TRY(parse_ops(p, POWER_NOT, &expr->ops.left));
    FL_TRY(fl_sql_end_expr(p, expr, expr->ops.left->height));
    p->depth--;
    *ret = expr;
cleanup:
    return st;
}

static fl_status parse_ops(parser *p, int power_min, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *left;
    if (is_word(p, FL_KW_NOT))
        FL_TRY(parse_not(p, &left));
    else
        FL_TRY(fl_sql_parse_prefix(p, &left));
    for (;;) {
        int power = power_here(p);
        if (power == POWER_NONE || power < power_min)
            break;
        switch (power) {
        case POWER_OR:
        case POWER_AND:
            FL_TRY(parse_chain(p, &left));
            break;
        case POWER_IS:
            FL_TRY(parse_is(p, &left));
            break;
        case POWER_BETWEEN:
            FL_TRY(parse_between_in_like(p, &left));
            break;
        case POWER_ZONE:
            FL_TRY(parse_zone_or_collate(p, &left));
            break;
        default:
            FL_TRY(parse_binary(p, power, &left));
            break;
        }
    }
    *ret = left;
cleanup:
    return st;
}

fl_status fl_sql_parse_expr(parser *p, fl_ast_expr **ret)
{
    fl_status st = fl_sql_enter(p);
    if (st != FL_OK)
        return st;
    st = parse_ops(p, POWER_NONE, ret);
    p->depth--;
    return st;
}

fl_status fl_sql_parse_operand(parser *p, fl_ast_expr **ret)
{
    return parse_ops(p, POWER_BETWEEN + 1, ret);
}

fl_status fl_sql_parse_expr_list(parser *p, fl_ast_expr ***ret, int32_t *ret_count)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    do {
        if (p->stack_count > mark && fl_sql_is_list_end(p))
            break;
        fl_ast_expr *item;
        FL_TRY(fl_sql_parse_expr(p, &item));
        FL_TRY(fl_sql_push(p, item));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_pop_list(p, mark, ret, ret_count));
cleanup:
    return st;
}

fl_status fl_sql_parse_nulls_order(parser *p, fl_ast_order *order)
{
    order->is_descending = accept_word(p, FL_KW_DESC);
    if (!order->is_descending)
        accept_word(p, FL_KW_ASC);
    if (is_word(p, FL_KW_NULLS)) {
        advance(p);
        order->has_nulls = true;
        order->nulls_first = is_word(p, FL_KW_FIRST);
        if (!order->nulls_first && !is_word(p, FL_KW_LAST))
            return fl_sql_fail_expected(p, "FIRST or LAST");
        advance(p);
    }
    return FL_OK;
}

static fl_status parse_orders(parser *p, bool is_of_query, fl_ast_order **ret, int32_t *ret_count)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    do {
        if (p->stack_count > mark && fl_sql_is_list_end(p))
            break;
        fl_ast_order *order;
        FL_TRY(NEW(p, &order));
        order->start = p->now->start;
        if (is_of_query)
            p->columns = NULL;
        FL_TRY(fl_sql_parse_expr(p, &order->expr));
        if (is_of_query)
            order->columns = p->columns;
        if (is_word(p, FL_KW_USING))
            return fl_sql_fail_unsupported(p, p->now->start, "ORDER BY ... USING is",
                                           "write ORDER BY x ASC or ORDER BY x DESC");
        FL_TRY(fl_sql_parse_nulls_order(p, order));
        order->end = end_before(p);
        FL_TRY(fl_sql_push(p, order));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_order), ret, ret_count));
cleanup:
    return st;
}

fl_status fl_sql_parse_order_list(parser *p, fl_ast_order **ret, int32_t *ret_count)
{
    return parse_orders(p, false, ret, ret_count);
}

fl_status fl_sql_parse_query_order_list(parser *p, fl_ast_order **ret, int32_t *ret_count)
{
    return parse_orders(p, true, ret, ret_count);
}
