/* Primaries: literals, columns, parentheses, CASE, casts, lists and structs, and what binds directly to them: the signs
 * before; ::, [] and field access behind. */
#include "front/sql/parse.h"

static fl_status parse_primary(parser *p, fl_ast_expr **ret);

static fl_status parse_literal(parser *p, fl_ast_kind kind, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    FL_TRY(fl_sql_new_expr(p, kind, p->now->start, ret));
    (*ret)->end = p->now->end;
    FL_TRY(fl_sql_parse_value(p, &(*ret)->text));
cleanup:
    return st;
}

static bool has_line_break(fl_str text)
{
    return memchr(text.data, '\n', (size_t)text.len) != NULL;
}

/* 'one' and, on a later line, 'two' are one literal, as the standard has it. */
static fl_status parse_string_literal(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    FL_TRY(parse_literal(p, FL_AST_STRING, ret));
    while (is_at(p, FL_SQL_STRING) && p->now[-1].kind == FL_SQL_STRING &&
           has_line_break(text_between(p, p->now[-1].end, p->now->start))) {
        fl_str more, whole;
        FL_TRY(fl_sql_parse_string(p, "a string", &more));
        FL_TRY(fl_arena_get(p->arena, (*ret)->text.len + more.len + 1, (void **)&whole.data, p->err));
        memcpy((char *)whole.data, (*ret)->text.data, (size_t)(*ret)->text.len);
        memcpy((char *)whole.data + (*ret)->text.len, more.data, (size_t)more.len);
        whole.len = (*ret)->text.len + more.len;
        (*ret)->text = whole;
        (*ret)->end = end_before(p);
    }
cleanup:
    return st;
}

static fl_status parse_word_literal(parser *p, fl_ast_kind kind, fl_ast_expr **ret)
{
    fl_status st = fl_sql_new_expr(p, kind, p->now->start, ret);
    if (st != FL_OK)
        return st;
    (*ret)->truth = kind == FL_AST_BOOL && is_word(p, FL_KW_TRUE);
    (*ret)->end = p->now->end;
    advance(p);
    return FL_OK;
}

/* The number of a parameter that is called by a name: the place of the name among those that were met. */
static fl_status number_of_name(parser *p, fl_str name, int64_t *ret)
{
    fl_status st = FL_OK;
    int32_t at = 0;
    while (at < p->parameter_count && !fl_str_is_equal_nocase(p->parameter_names[at], name))
        at++;
    if (at == p->parameter_count && (at & (at + 1)) == 0) { /* room for twice as many */
        fl_str *names = NULL;
        FL_TRY(FL_NEW_ARRAY(p->arena, 2 * at + 1, &names, p->err));
        if (at > 0)
            memcpy(names, p->parameter_names, (size_t)at * sizeof(*names));
        p->parameter_names = names;
    }
    if (at == p->parameter_count && at < UINT16_MAX)
        p->parameter_names[at] = name;
    *ret = at + 1;
cleanup:
    return st;
}

/* $1, $name or ?, one of them in all of a statement. */
static fl_status parse_parameter(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    const fl_sql_token *token = p->now++;
    int64_t number = 0;
    bool is_question = token->kind == FL_SQL_QUESTION;
    fl_str name = is_question ? (fl_str){0} : text_between(p, token->start + 1, token->end);
    bool is_number = !is_question && name.data[0] >= '0' && name.data[0] <= '9';
    p->has_question |= is_question;
    p->has_dollar |= is_number;
    bool has_names = p->parameter_names != NULL || (!is_question && !is_number);
    if (p->has_question + p->has_dollar + has_names > 1)
        return fl_sql_fail_at(p, token->start, FL_ERR_SYNTAX,
                              "parameters are written ?, $1 or $name, not in two ways in one statement");
    if (is_question)
        number = p->parameter_count + 1;
    else if (!is_number)
        FL_TRY(number_of_name(p, name, &number));
    for (int64_t i = 0; is_number && i < name.len && number <= UINT16_MAX; i++)
        number = number * 10 + (name.data[i] - '0');
    if (number < 1 || number > UINT16_MAX)
        return fl_sql_fail_at(p, token->start, FL_ERR_SYNTAX, "parameters are numbered from $1 to $%d", UINT16_MAX);
    FL_TRY(fl_sql_new_expr(p, FL_AST_PARAMETER, token->start, ret));
    (*ret)->parameter = (int32_t)number;
    if (!is_question && !is_number)
        (*ret)->parameter_name = name;
    (*ret)->end = token->end;
    if (number > p->parameter_count)
        p->parameter_count = (int32_t)number;
cleanup:
    return st;
}

/* `(`: a subquery, an expression, or a row of several. */
static fl_status parse_parens(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    int32_t start = p->now->start;
    advance(p);
    if (fl_sql_is_query_inside(p)) {
        FL_TRY(fl_sql_new_expr(p, FL_AST_SUBQUERY, start, &expr));
        FL_TRY(fl_sql_parse_query(p, &expr->sub.query));
        FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\""));
        FL_TRY(fl_sql_end_expr(p, expr, expr->sub.query->height));
    } else {
        FL_TRY(fl_sql_parse_expr(p, &expr));
        if (is_at(p, FL_SQL_COMMA)) {
            fl_ast_expr *row;
            int64_t mark = p->stack_count;
            FL_TRY(fl_sql_new_expr(p, FL_AST_ROW, start, &row));
            FL_TRY(fl_sql_push(p, expr));
            while (accept(p, FL_SQL_COMMA)) {
                if (is_at(p, FL_SQL_RIGHT_PAREN))
                    break;
                FL_TRY(fl_sql_parse_expr(p, &expr));
                FL_TRY(fl_sql_push(p, expr));
            }
            FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
            FL_TRY(fl_sql_pop_list(p, mark, &row->list.items, &row->list.count));
            FL_TRY(fl_sql_end_expr(p, row, fl_sql_height_of(row->list.items, row->list.count)));
            expr = row;
        } else {
            FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "an operator, \",\" or \")\""));
        }
    }
    *ret = expr;
cleanup:
    return st;
}

/* [1, 2], ARRAY[1, 2] and ROW(1, 2): the opening token stands here. */
static fl_status parse_items(parser *p, fl_ast_kind kind, int32_t start, fl_sql_token_kind close, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    advance(p);
    FL_TRY(fl_sql_new_expr(p, kind, start, &expr));
    if (!is_at(p, close))
        FL_TRY(fl_sql_parse_expr_list(p, &expr->list.items, &expr->list.count));
    FL_TRY(fl_sql_expect(p, close, close == FL_SQL_RIGHT_PAREN ? "\",\" or \")\"" : "\",\" or \"]\""));
    FL_TRY(fl_sql_end_expr(p, expr, fl_sql_height_of(expr->list.items, expr->list.count)));
    *ret = expr;
cleanup:
    return st;
}

/* {'a': 1, b: 2} */
static fl_status parse_struct(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    int64_t mark = p->stack_count;
    int32_t height = 0;
    FL_TRY(fl_sql_new_expr(p, FL_AST_STRUCT, p->now->start, &expr));
    advance(p);
    do {
        if (is_at(p, FL_SQL_RIGHT_BRACE))
            break;
        fl_ast_arg *item;
        FL_TRY(NEW(p, &item));
        item->name.start = p->now->start;
        item->name.end = p->now->end;
        if (is_at(p, FL_SQL_STRING))
            FL_TRY(fl_sql_parse_string(p, "a field name", &item->name.text));
        else
            FL_TRY(fl_sql_parse_label(p, "a field name", &item->name));
        FL_TRY(fl_sql_expect(p, FL_SQL_COLON, "\":\""));
        FL_TRY(fl_sql_parse_expr(p, &item->value));
        height = higher(height, item->value);
        FL_TRY(fl_sql_push(p, item));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_BRACE, "\",\" or \"}\""));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_arg), &expr->record.items, &expr->record.count));
    FL_TRY(fl_sql_end_expr(p, expr, height));
    *ret = expr;
cleanup:
    return st;
}

/* MAP {k: v, ...} is map([k, ...], [v, ...]), MAP {} a list that says so; MAP stands here. */
static fl_status parse_map(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *lists[2], *part;
    int64_t mark = p->stack_count;
    int32_t n = 0;
    fl_ast_expr **parts = NULL;
    FL_TRY(fl_sql_enter(p));
    FL_TRY(fl_sql_new_call(p, p->now, "map", 2, ret));
    for (int i = 0; i < 2; i++)
        FL_TRY(fl_sql_new_expr(p, FL_AST_LIST, p->now->start, &lists[i]));
    advance(p);
    advance(p);
    while (!is_at(p, FL_SQL_RIGHT_BRACE)) {
        FL_TRY(fl_sql_parse_expr(p, &part));
        FL_TRY(fl_sql_push(p, part));
        FL_TRY(fl_sql_expect(p, FL_SQL_COLON, "\":\""));
        FL_TRY(fl_sql_parse_expr(p, &part));
        FL_TRY(fl_sql_push(p, part));
        if (!accept(p, FL_SQL_COMMA))
            break;
    }
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_BRACE, "\",\" or \"}\""));
    FL_TRY(fl_sql_pop_list(p, mark, &parts, &n));
    if (n == 0) {
        lists[0]->flag = true;
        *ret = lists[0];
    }
    for (int i = 0; i < 2 && n > 0; i++) {
        fl_ast_expr *list = lists[i];
        FL_TRY(FL_NEW_ARRAY(p->arena, n + 1, &list->list.items, p->err));
        for (int32_t k = i; k < n; k += 2)
            list->list.items[list->list.count++] = parts[k];
        FL_TRY(fl_sql_end_expr(p, list, fl_sql_height_of(list->list.items, list->list.count)));
        (*ret)->call->args[(*ret)->call->arg_count++].value = list;
    }
    FL_TRY(fl_sql_end_expr(p, *ret, n == 0 ? 0 : higher(lists[0]->height, lists[1])));
    p->depth--;
cleanup:
    return st;
}

static fl_status parse_case(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    fl_ast_case *cases;
    int64_t mark = p->stack_count;
    int32_t height = 0;
    FL_TRY(fl_sql_new_expr(p, FL_AST_CASE, p->now->start, &expr));
    FL_TRY(NEW(p, &cases));
    expr->cases = cases;
    advance(p);
    if (!is_word(p, FL_KW_WHEN))
        FL_TRY(fl_sql_parse_expr(p, &cases->subject));
    if (!is_word(p, FL_KW_WHEN))
        return fl_sql_fail_expected(p, "WHEN");
    while (accept_word(p, FL_KW_WHEN)) {
        fl_ast_when *when;
        FL_TRY(NEW(p, &when));
        FL_TRY(fl_sql_parse_expr(p, &when->when));
        FL_TRY(fl_sql_expect_word(p, FL_KW_THEN));
        FL_TRY(fl_sql_parse_expr(p, &when->then));
        FL_TRY(fl_sql_push(p, when));
        height = higher(higher(height, when->when), when->then);
    }
    if (accept_word(p, FL_KW_ELSE))
        FL_TRY(fl_sql_parse_expr(p, &cases->otherwise));
    if (!is_word(p, FL_KW_END))
        return fl_sql_fail_expected(p, cases->otherwise == NULL ? "WHEN, ELSE or END" : "END");
    advance(p);
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_when), &cases->whens, &cases->when_count));
    FL_TRY(fl_sql_end_expr(p, expr, higher(higher(height, cases->subject), cases->otherwise)));
    *ret = expr;
cleanup:
    return st;
}

static fl_status parse_cast(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    FL_TRY(fl_sql_new_expr(p, FL_AST_CAST, p->now->start, &expr));
    expr->flag = is_word(p, FL_KW_TRY_CAST);
    advance(p);
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\""));
    FL_TRY(fl_sql_parse_expr(p, &expr->cast.value));
    FL_TRY(fl_sql_expect_word(p, FL_KW_AS));
    FL_TRY(fl_sql_parse_type(p, &expr->cast.type));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\""));
    FL_TRY(fl_sql_end_expr(p, expr, expr->cast.value->height));
    *ret = expr;
cleanup:
    return st;
}

static fl_status parse_exists(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    FL_TRY(fl_sql_new_expr(p, FL_AST_EXISTS, p->now->start, &expr));
    advance(p);
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\" and a query"));
    if (!fl_sql_is_query_start(p))
        return fl_sql_fail_expected(p, "a query");
    FL_TRY(fl_sql_parse_query(p, &expr->sub.query));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\""));
    FL_TRY(fl_sql_end_expr(p, expr, expr->sub.query->height));
    *ret = expr;
cleanup:
    return st;
}

/* ARRAY(query), behind the word. */
static fl_status parse_array_query(parser *p, int32_t start, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    FL_TRY(fl_sql_new_expr(p, FL_AST_ARRAY_QUERY, start, &expr));
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\" and a query"));
    if (!fl_sql_is_query_start(p))
        return fl_sql_fail_expected(p, "a query");
    FL_TRY(fl_sql_parse_query(p, &expr->sub.query));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\""));
    FL_TRY(fl_sql_end_expr(p, expr, expr->sub.query->height));
    *ret = expr;
cleanup:
    return st;
}

/* The unit of INTERVAL '1' YEAR, plural allowed; empty when no unit stands here. */
static fl_str interval_unit(const parser *p)
{
    static const fl_str units[] = {
        {"year", 4},         {"quarter", 7}, {"month", 5},       {"week", 4},   {"day", 3},
        {"hour", 4},         {"minute", 6},  {"second", 6},      {"decade", 6}, {"millisecond", 11},
        {"microsecond", 11}, {"century", 7}, {"millennium", 10},
    };
    fl_str word = text_of(p, p->now);
    if (!is_at(p, FL_SQL_WORD))
        return (fl_str){0};
    if (fl_str_is_equal_nocase(word, FL_STR("centuries")))
        return FL_STR("century");
    if (word.len > 1 && fl_char_lower(word.data[word.len - 1]) == 's')
        word.len--;
    for (int64_t i = 0; i < FL_LEN(units); i++)
        if (fl_str_is_equal_nocase(word, units[i]))
            return units[i];
    return (fl_str){0};
}

static fl_status parse_interval(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr, *value;
    FL_TRY(fl_sql_new_expr(p, FL_AST_INTERVAL, p->now->start, &expr));
    advance(p);
    if (is_at(p, FL_SQL_MINUS))
        FL_TRY(fl_sql_parse_prefix(p, &value));
    else
        FL_TRY(parse_primary(p, &value)); /* not more: in INTERVAL '1 day'::text it is the interval that is cast */
    expr->interval.value = value;
    expr->interval.unit = interval_unit(p);
    if (expr->interval.unit.len > 0) {
        advance(p);
        if (is_word(p, FL_KW_TO))
            return fl_sql_fail_unsupported(p, p->now->start, "intervals from one unit TO another are",
                                           "write the units out: interval '1 year 2 months'");
    } else if (value->kind != FL_AST_STRING) {
        return fl_sql_fail_expected(p, "an interval's unit, as in INTERVAL 3 DAY");
    }
    FL_TRY(fl_sql_end_expr(p, expr, value->height));
    *ret = expr;
cleanup:
    return st;
}

/* DATE '2020-01-01', DECIMAL(3, 1) '1.5', TIMESTAMP(3) WITH TIME ZONE '...', DOUBLE PRECISION '1'. */
static bool is_typed_literal(const parser *p)
{
    int64_t n = 1;
    fl_sql_keyword word = (fl_sql_keyword)p->now->keyword;
    if (word == FL_KW_DOUBLE)
        n += ahead(p, n)->keyword == FL_KW_PRECISION;
    if (ahead(p, n)->kind == FL_SQL_LEFT_PAREN && ahead(p, n + 1)->kind == FL_SQL_INTEGER) {
        n += 2;
        if (ahead(p, n)->kind == FL_SQL_COMMA && ahead(p, n + 1)->kind == FL_SQL_INTEGER)
            n += 2;
        if (ahead(p, n)->kind != FL_SQL_RIGHT_PAREN)
            return false;
        n++;
    }
    if ((word == FL_KW_TIME || word == FL_KW_TIMESTAMP) &&
        (ahead(p, n)->keyword == FL_KW_WITH || ahead(p, n)->keyword == FL_KW_WITHOUT))
        n += 3;
    return ahead(p, n)->kind == FL_SQL_STRING;
}

static fl_status parse_typed(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    FL_TRY(fl_sql_new_expr(p, FL_AST_TYPED, p->now->start, &expr));
    FL_TRY(fl_sql_parse_type(p, &expr->typed.type));
    expr->at = p->now->start;
    if (fl_str_is_equal_nocase(expr->typed.type->name, FL_STR("b")) && expr->typed.type->end == expr->at)
        expr->typed.type->name = FL_STR("bit"); /* B'101' */
    FL_TRY(fl_sql_parse_string(p, "a string", &expr->typed.text));
    FL_TRY(fl_sql_end_expr(p, expr, 0));
    *ret = expr;
cleanup:
    return st;
}

/* Schemas that functions are called in, as others write them. */
static bool is_schema(fl_str name)
{
    static const char *const names[] = {"main", "public", "pg_catalog", "information_schema", "system"};
    for (int64_t i = 0; i < FL_LEN(names); i++)
        if (fl_str_is_equal_nocase(name, fl_str_of(names[i])))
            return true;
    return false;
}

/* A column, `t.*`, or a call: what begins with a name. */
static fl_status parse_named(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    fl_ast_path path;
    int32_t start = p->now->start;
    FL_TRY(fl_sql_parse_path(p, "an expression", &path));
    if (is_at(p, FL_SQL_LEFT_PAREN) && path.count > 1 && !is_schema(path.parts[path.count - 2].text)) {
        FL_TRY(fl_sql_new_expr(p, FL_AST_COLUMN, start, &expr)); /* a.f(b) is f(a, b) */
        expr->path = (fl_ast_path){path.parts, path.count - 1};
        expr->end = path.parts[path.count - 2].end;
        return fl_sql_parse_method_call(p, (fl_ast_path){path.parts + path.count - 1, 1}, expr, ret);
    }
    if (is_at(p, FL_SQL_LEFT_PAREN))
        return fl_sql_parse_call_expr(p, path, start, ret);
    if (is_at(p, FL_SQL_DOT) && ahead(p, 1)->kind == FL_SQL_ASTERISK) {
        advance(p);
        return fl_sql_parse_star(p, path, start, ret);
    }
    FL_TRY(fl_sql_new_expr(p, FL_AST_COLUMN, start, &expr));
    expr->path = path;
    expr->end = end_before(p);
    p->has_rowid |= fl_str_is_equal_nocase(path.parts[path.count - 1].text, FL_STR("rowid"));
    *ret = expr;
cleanup:
    return st;
}

static bool is_interval_start(const parser *p)
{
    switch ((fl_sql_token_kind)ahead(p, 1)->kind) {
    case FL_SQL_STRING:
    case FL_SQL_ESCAPE_STRING:
    case FL_SQL_INTEGER:
    case FL_SQL_DECIMAL:
    case FL_SQL_PARAMETER:
    case FL_SQL_LEFT_PAREN:
        return true;
    case FL_SQL_MINUS: /* INTERVAL -3 DAY, but not a column: interval - 3 */
        return ahead(p, 2)->kind == FL_SQL_INTEGER && ahead(p, 3)->kind == FL_SQL_WORD &&
               fl_sql_keyword_class_of((fl_sql_keyword)ahead(p, 3)->keyword) == FL_SQL_FREE;
    default:
        return false;
    }
}

static fl_status parse_word_primary(parser *p, fl_ast_expr **ret)
{
    bool has_paren = ahead(p, 1)->kind == FL_SQL_LEFT_PAREN;
    fl_status st = FL_OK;
    switch ((fl_sql_keyword)p->now->keyword) {
    case FL_KW_NONE:
        break;
    case FL_KW_NULL:
        return parse_word_literal(p, FL_AST_NULL, ret);
    case FL_KW_TRUE:
    case FL_KW_FALSE:
        return parse_word_literal(p, FL_AST_BOOL, ret);
    case FL_KW_DEFAULT:
        return parse_word_literal(p, FL_AST_DEFAULT, ret);
    case FL_KW_CASE:
        return parse_case(p, ret);
    case FL_KW_CAST:
    case FL_KW_TRY_CAST:
        return parse_cast(p, ret);
    case FL_KW_EXISTS:
        if (has_paren)
            return parse_exists(p, ret);
        break;
    case FL_KW_INTERVAL:
        if (has_paren && is_typed_literal(p)) /* INTERVAL(2) '1.555 s' */
            return parse_typed(p, ret);
        if (is_interval_start(p))
            return parse_interval(p, ret);
        break;
    case FL_KW_ARRAY: {
        int32_t start = p->now->start;
        advance(p);
        if (has_paren)
            return parse_array_query(p, start, ret);
        if (!is_at(p, FL_SQL_LEFT_BRACKET))
            return fl_sql_fail_expected(p, "\"[\"");
        return parse_items(p, FL_AST_LIST, start, FL_SQL_RIGHT_BRACKET, ret);
    }
    case FL_KW_ROW:
        if (has_paren) {
            int32_t start = p->now->start;
            advance(p);
            return parse_items(p, FL_AST_ROW, start, FL_SQL_RIGHT_PAREN, ret);
        }
        break;
    case FL_KW_MAP:
        if (ahead(p, 1)->kind == FL_SQL_LEFT_BRACE)
            return parse_map(p, ret);
        break;
    case FL_KW_COLUMNS:
        if (has_paren)
            return fl_sql_parse_columns(p, ret);
        break;
    case FL_KW_CURRENT_DATE:
    case FL_KW_CURRENT_TIME:
    case FL_KW_CURRENT_TIMESTAMP:
    case FL_KW_LOCALTIME:
    case FL_KW_LOCALTIMESTAMP:
        return fl_sql_parse_word_call(p, ret);
    case FL_KW_LEFT:
    case FL_KW_RIGHT:
        if (has_paren)
            return fl_sql_parse_word_call(p, ret);
        break;
    default:
        if (has_paren) {
            *ret = NULL;
            st = fl_sql_parse_special_call(p, ret);
            if (st != FL_OK || *ret != NULL)
                return st;
        }
        break;
    }
    if (fl_sql_is_name(p) && is_typed_literal(p))
        return parse_typed(p, ret);
    return parse_named(p, ret);
}

static fl_status parse_primary(parser *p, fl_ast_expr **ret)
{
    switch ((fl_sql_token_kind)p->now->kind) {
    case FL_SQL_WORD:
        return parse_word_primary(p, ret);
    case FL_SQL_QUOTED:
        return parse_named(p, ret);
    case FL_SQL_INTEGER:
        return parse_literal(p, FL_AST_INTEGER, ret);
    case FL_SQL_DECIMAL:
        return parse_literal(p, FL_AST_DECIMAL, ret);
    case FL_SQL_FLOAT:
        return parse_literal(p, FL_AST_FLOAT, ret);
    case FL_SQL_STRING:
    case FL_SQL_ESCAPE_STRING:
    case FL_SQL_DOLLAR_STRING:
        return parse_string_literal(p, ret);
    case FL_SQL_BLOB:
        return parse_literal(p, FL_AST_BLOB, ret);
    case FL_SQL_PARAMETER:
    case FL_SQL_QUESTION:
        return parse_parameter(p, ret);
    case FL_SQL_LEFT_PAREN:
        return parse_parens(p, ret);
    case FL_SQL_LEFT_BRACKET:
        return parse_items(p, FL_AST_LIST, p->now->start, FL_SQL_RIGHT_BRACKET, ret);
    case FL_SQL_LEFT_BRACE:
        return parse_struct(p, ret);
    case FL_SQL_ASTERISK:
        if (fl_sql_is_columns(p))
            return fl_sql_parse_columns(p, ret);
        return fl_sql_parse_star(p, (fl_ast_path){0}, p->now->start, ret);
    default:
        return fl_sql_fail_expected(p, "an expression");
    }
}

/* [i], [a:b], [a:], [:b]; the bracket stands here. */
static fl_status parse_index(parser *p, fl_ast_expr **value)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    FL_TRY(fl_sql_new_expr(p, FL_AST_INDEX, (*value)->start, &expr));
    expr->at = p->now->start;
    expr->index.value = *value;
    advance(p);
    if (!is_at(p, FL_SQL_COLON))
        FL_TRY(fl_sql_parse_expr(p, &expr->index.from));
    expr->flag = accept(p, FL_SQL_COLON);
    if (expr->flag && !is_at(p, FL_SQL_RIGHT_BRACKET))
        FL_TRY(fl_sql_parse_expr(p, &expr->index.to));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_BRACKET, "\"]\""));
    FL_TRY(fl_sql_end_expr(p, expr, higher(higher((*value)->height, expr->index.from), expr->index.to)));
    *value = expr;
cleanup:
    return st;
}

/* x.f(y) is f(x, y); the name stands here. */
static fl_status parse_method(parser *p, fl_ast_expr **value)
{
    fl_status st = FL_OK;
    fl_ast_path path = {.count = 1};
    FL_TRY(NEW(p, &path.parts));
    FL_TRY(fl_sql_parse_label(p, "a function's name", path.parts));
    FL_TRY(fl_sql_parse_method_call(p, path, *value, value));
cleanup:
    return st;
}

static fl_status parse_field(parser *p, fl_ast_expr **value)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    FL_TRY(fl_sql_new_expr(p, FL_AST_FIELD, (*value)->start, &expr));
    expr->at = p->now->start;
    expr->field.value = *value;
    advance(p);
    if (is_at(p, FL_SQL_ASTERISK))
        return fl_sql_fail_unsupported(p, expr->at, "(expression).* is",
                                       "name the fields: (expression).a, or the column: s.*");
    if (ahead(p, 1)->kind == FL_SQL_LEFT_PAREN && (is_at(p, FL_SQL_WORD) || is_at(p, FL_SQL_QUOTED)))
        return parse_method(p, value);
    FL_TRY(NEW(p, &expr->field.name));
    FL_TRY(fl_sql_parse_label(p, "a field name", expr->field.name));
    FL_TRY(fl_sql_end_expr(p, expr, (*value)->height));
    *value = expr;
cleanup:
    return st;
}

static fl_status parse_cast_mark(parser *p, fl_ast_expr **value)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    FL_TRY(fl_sql_new_expr(p, FL_AST_CAST, (*value)->start, &expr));
    expr->at = p->now->start;
    expr->cast.value = *value;
    advance(p);
    FL_TRY(fl_sql_parse_type(p, &expr->cast.type));
    FL_TRY(fl_sql_end_expr(p, expr, (*value)->height));
    *value = expr;
cleanup:
    return st;
}

fl_status fl_sql_parse_prefix(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *expr;
    fl_sql_token_kind kind = (fl_sql_token_kind)p->now->kind;
    if (kind == FL_SQL_MINUS || kind == FL_SQL_PLUS || kind == FL_SQL_TILDE) {
        FL_TRY(fl_sql_enter(p));
        FL_TRY(fl_sql_new_expr(p, FL_AST_UNARY, p->now->start, &expr));
        expr->op = kind == FL_SQL_MINUS ? FL_AST_OP_MINUS : kind == FL_SQL_PLUS ? FL_AST_OP_PLUS : FL_AST_OP_BIT_NOT;
        advance(p);
        FL_TRY(fl_sql_parse_prefix(p, &expr->ops.left));
        FL_TRY(fl_sql_end_expr(p, expr, expr->ops.left->height));
        p->depth--;
        *ret = expr;
        return FL_OK;
    }
    if (kind == FL_SQL_OTHER_OP)
        return fl_sql_fail_operator(p);
    FL_TRY(parse_primary(p, &expr));
    for (;;) {
        if (is_at(p, FL_SQL_DOUBLE_COLON))
            FL_TRY(parse_cast_mark(p, &expr));
        else if (is_at(p, FL_SQL_LEFT_BRACKET))
            FL_TRY(parse_index(p, &expr));
        else if (is_at(p, FL_SQL_DOT))
            FL_TRY(parse_field(p, &expr));
        else
            break;
    }
    *ret = expr;
cleanup:
    return st;
}
