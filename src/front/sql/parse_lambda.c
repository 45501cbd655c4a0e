/* list_transform(l, x -> e) and list_filter(l, x -> p), also as lambda x: e and with the element's number behind x, become queries over
 * the list's elements:
 *
 *     CASE WHEN l IS NULL THEN NULL ELSE ARRAY(SELECT e FROM unnest(l) WITH ORDINALITY AS t(x, i) ORDER BY i) END
 *
 * so that a lambda is bound, optimized and run as any other subquery. list_reduce is parse_reduce.c. */
#include "front/sql/parse.h"

#define PARAMS_MAX 3

static const char *const transforms[] = {"list_transform", "array_transform", "list_apply", "array_apply", "apply"};
static const char *const filters[] = {"list_filter", "array_filter", "filter"};

static const char *const reductions[] = {"list_reduce", "array_reduce", "reduce"};

static bool is_among(fl_str name, const char *const *names, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (fl_str_is_equal_nocase(name, fl_str_of(names[i])))
            return true;
    return false;
}

static bool is_filter(fl_str name)
{
    return is_among(name, filters, FL_LEN(filters));
}

bool fl_sql_takes_lambda(fl_ast_path path)
{
    fl_str name = path.parts[path.count - 1].text;
    return path.count == 1 && (is_filter(name) || is_among(name, transforms, FL_LEN(transforms)) ||
                               is_among(name, reductions, FL_LEN(reductions)));
}

static bool is_lambda_word(const parser *p)
{
    return p->now->kind == FL_SQL_WORD && fl_str_is_equal_nocase(text_of(p, p->now), FL_STR("lambda")) &&
           fl_sql_is_name_token(ahead(p, 1));
}

bool fl_sql_is_lambda(const parser *p)
{
    if (is_lambda_word(p))
        return true;
    if (fl_sql_is_name(p))
        return ahead(p, 1)->kind == FL_SQL_ARROW;
    if (!is_at(p, FL_SQL_LEFT_PAREN))
        return false;
    int32_t at = 1; /* (x), (x, i), (a, x, i) and an arrow */
    for (int32_t n = 1; fl_sql_is_name_token(ahead(p, at)); n++, at += 2)
        if (ahead(p, at + 1)->kind != FL_SQL_COMMA || n == PARAMS_MAX)
            return ahead(p, at + 1)->kind == FL_SQL_RIGHT_PAREN && ahead(p, at + 2)->kind == FL_SQL_ARROW;
    return false;
}

/* x ->, (x, i) ->, lambda x, i:, and the same of three. */
static fl_status parse_params(parser *p, fl_ast_arg *arg)
{
    fl_status st = FL_OK;
    bool is_word = is_lambda_word(p), is_list = false;
    FL_TRY(FL_NEW_ARRAY(p->arena, PARAMS_MAX, &arg->params, p->err));
    if (is_word)
        advance(p);
    else
        is_list = accept(p, FL_SQL_LEFT_PAREN);
    do {
        if (arg->param_count == PARAMS_MAX)
            return fl_sql_fail_at(p, p->now->start, FL_ERR_SYNTAX, "a lambda takes %d parameters at the most",
                                  PARAMS_MAX);
        FL_TRY(fl_sql_parse_name(p, "a lambda's parameter", &arg->params[arg->param_count++]));
    } while ((is_word || is_list) && accept(p, FL_SQL_COMMA));
    if (is_list)
        FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\""));
    st = is_word ? fl_sql_expect(p, FL_SQL_COLON, "\":\"") : fl_sql_expect(p, FL_SQL_ARROW, "\"->\"");
cleanup:
    return st;
}

fl_status fl_sql_parse_lambda(parser *p, fl_ast_arg *arg)
{
    fl_status st = parse_params(p, arg);
    return st != FL_OK ? st : fl_sql_parse_expr(p, &arg->value);
}

/* ---- the query ----------------------------------------------------------------------------------------------------- */

static fl_status new_node(parser *p, fl_ast_kind kind, const fl_ast_expr *call, int32_t below, fl_ast_expr **ret)
{
    fl_status st = fl_sql_new_expr(p, kind, call->start, ret);
    if (st == FL_OK)
        st = fl_sql_end_expr(p, *ret, below);
    return st;
}

static fl_status new_column(parser *p, fl_ast_name name, const fl_ast_expr *call, fl_ast_expr **ret)
{
    fl_status st = new_node(p, FL_AST_COLUMN, call, 0, ret);
    if (st != FL_OK)
        return st;
    (*ret)->path.count = 1;
    st = NEW(p, &(*ret)->path.parts);
    if (st == FL_OK)
        (*ret)->path.parts[0] = name;
    return st;
}

/* unnest(list) WITH ORDINALITY AS t(x, i) */
static fl_status new_elements(parser *p, const fl_ast_expr *call, fl_ast_expr *list, const fl_ast_name *names,
                              fl_ast_table **ret)
{
    fl_status st = FL_OK;
    fl_ast_table *table;
    FL_TRY(NEW(p, &table));
    *table = (fl_ast_table){.kind = FL_AST_TABLE_FUNCTION,
                            .has_ordinality = true,
                            .height = (uint16_t)(list->height + 1),
                            .start = call->start,
                            .end = call->end,
                            .alias = {FL_STR("elements of a list"), call->start, call->end},
                            .column_count = 2};
    FL_TRY(FL_NEW_ARRAY(p->arena, 2, &table->columns, p->err));
    memcpy(table->columns, names, 2 * sizeof(*names));
    FL_TRY(NEW(p, &table->call));
    FL_TRY(NEW(p, &table->call->path.parts));
    FL_TRY(NEW(p, &table->call->args));
    table->call->path.count = 1;
    table->call->path.parts[0] = (fl_ast_name){FL_STR("unnest"), call->start, call->end};
    table->call->arg_count = 1;
    table->call->args[0].value = list;
    *ret = table;
cleanup:
    return st;
}

static fl_status new_query(parser *p, const fl_ast_expr *call, fl_ast_expr *list, const fl_ast_arg *lambda,
                           bool filters_, fl_ast_query **ret)
{
    fl_status st = FL_OK;
    fl_ast_query *query;
    fl_ast_select *select;
    int32_t height = higher(list->height + 1, lambda->value);
    fl_ast_name names[2] = {lambda->params[0], {FL_STR("number of an element"), call->start, call->end}};
    if (lambda->param_count == 2)
        names[1] = lambda->params[1];
    FL_TRY(NEW(p, &query));
    FL_TRY(NEW(p, &query->body));
    FL_TRY(NEW(p, &select));
    FL_TRY(NEW(p, &select->items));
    FL_TRY(NEW(p, &query->order));
    *query->body = (fl_ast_body){.kind = FL_AST_BODY_SELECT, .start = call->start, .end = call->end, .select = select};
    select->item_count = 1;
    select->items[0].expr = lambda->value;
    if (filters_) {
        select->where = lambda->value;
        FL_TRY(new_column(p, names[0], call, &select->items[0].expr));
    }
    FL_TRY(new_elements(p, call, list, names, &select->from));
    query->start = call->start;
    query->end = call->end;
    query->height = (uint16_t)(height + 1);
    query->order_count = 1;
    query->order[0] = (fl_ast_order){.start = call->start, .end = call->end};
    FL_TRY(new_column(p, names[1], call, &query->order[0].expr));
    *ret = query;
cleanup:
    return st;
}

fl_status fl_sql_expand_lambda(parser *p, const fl_ast_expr *call, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    const fl_ast_call *c = call->call;
    fl_str name = c->path.parts[0].text;
    fl_ast_expr *array, *is_null, *null;
    if (is_among(name, reductions, FL_LEN(reductions)))
        return fl_sql_expand_reduce(p, call, ret);
    if (c->arg_count == 2 && c->args[1].param_count > 2)
        return fl_sql_fail_at(p, c->args[1].params[2].start, FL_ERR_SYNTAX,
                              "the lambda of %.*s takes an element, and its number", FL_STR_ARG(name));
    if (c->arg_count != 2 || c->args[1].params == NULL || c->is_distinct || c->order_count > 0 || c->filter != NULL ||
        c->over != NULL)
        return fl_sql_fail_at(p, call->start, FL_ERR_SYNTAX, "%.*s takes a list and a lambda", FL_STR_ARG(name));
    FL_TRY(new_node(p, FL_AST_NULL, call, 0, &null));
    FL_TRY(new_node(p, FL_AST_IS, call, c->args[0].value->height, &is_null));
    is_null->op = FL_AST_IS_NULL;
    is_null->ops.left = c->args[0].value;
    fl_ast_query *query;
    FL_TRY(new_query(p, call, c->args[0].value, &c->args[1], is_filter(name), &query));
    FL_TRY(new_node(p, FL_AST_ARRAY_QUERY, call, query->height, &array));
    array->sub.query = query;
    FL_TRY(new_node(p, FL_AST_CASE, call, array->height, ret));
    FL_TRY(NEW(p, &(*ret)->cases));
    FL_TRY(NEW(p, &(*ret)->cases->whens));
    (*ret)->cases->when_count = 1;
    (*ret)->cases->whens[0] = (fl_ast_when){is_null, null};
    (*ret)->cases->otherwise = array;
cleanup:
    return st;
}
