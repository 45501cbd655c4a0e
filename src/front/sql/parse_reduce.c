/* list_reduce(l, (a, x) -> e) and list_reduce(l, (a, x) -> e, initial) become queries that go from element to element; l may have no element
 * where there is an initial value:
 *
 *     (SELECT CASE WHEN l IS NULL THEN NULL WHEN len(l) = 0 THEN error(…) ELSE
 *        (WITH RECURSIVE r(a, i) AS (
 *           SELECT l[1], 1
 *           UNION ALL SELECT e, i + 1 FROM (SELECT a, l[i + 1] AS x, i FROM r WHERE i < len(l)) AS s)
 *         SELECT a FROM r WHERE i = len(l)) END
 *      FROM (SELECT … AS l) AS s)
 *
 * so that all rows' lists go on by one element in each round. What the query calls its own has blanks in its names. */
#include "front/sql/ast_make.h"
#include "front/sql/parse.h"

#define REDUCED FL_STR("reduction of a list")
#define SO_FAR FL_STR("value so far")
#define STEP FL_STR("step of a reduction")
#define AT FL_STR("place in a list")
#define LIST FL_STR("list that is reduced")

static fl_ast_item item_of(const fl_ast_maker *m, fl_ast_expr *expr, fl_str alias)
{
    return (fl_ast_item){.expr = expr, .alias = fl_sql_make_name(m, alias)};
}

static fl_ast_expr *length_of(fl_ast_maker *m, fl_ast_expr *list)
{
    return fl_sql_make_call(m, "len", 1, &list);
}

static fl_ast_expr *element_at(fl_ast_maker *m, fl_ast_expr *list, fl_ast_expr *at)
{
    fl_ast_expr *args[2] = {list, at};
    return fl_sql_make_call(m, "list_extract", 2, args);
}

static fl_ast_expr *at(fl_ast_maker *m)
{
    return fl_sql_make_column(m, (fl_str){0}, AT);
}

static fl_ast_expr *next_at(fl_ast_maker *m)
{
    return fl_sql_make_binary(m, FL_AST_OP_ADD, at(m), fl_sql_make_integer(m, 1));
}

static fl_ast_expr *compare_at(fl_ast_maker *m, fl_ast_op op, fl_ast_expr *list)
{
    return fl_sql_make_binary(m, op, at(m), length_of(m, list));
}

/* first UNION ALL step */
static fl_ast_query *union_of(fl_ast_maker *m, fl_ast_query *first, fl_ast_query *step)
{
    fl_ast_query *query = fl_sql_make_query(m, NULL, 0, NULL);
    fl_ast_set *set = NULL;
    if (query == NULL || (m->st = FL_NEW(m->arena, &set, m->err)) != FL_OK ||
        (m->st = FL_NEW_ARRAY(m->arena, 2, &set->inputs, m->err)) != FL_OK)
        return NULL;
    set->op = FL_AST_UNION;
    set->is_all = true;
    set->input_count = 2;
    set->inputs[0] = first->body;
    set->inputs[1] = step->body;
    query->body->kind = FL_AST_BODY_SET;
    query->body->set = set;
    query->height = first->height > step->height ? first->height : step->height;
    return query;
}

/* SELECT e, i + 1 FROM (SELECT a, l[i + 1] AS x, i FROM r WHERE i < len(l)) AS s */
static fl_ast_query *step_of(fl_ast_maker *m, fl_ast_expr *list, const fl_ast_arg *lambda)
{
    fl_ast_item inner[4] = {
        item_of(m, fl_sql_make_column(m, (fl_str){0}, SO_FAR), lambda->params[0].text),
        item_of(m, element_at(m, list, next_at(m)), lambda->params[1].text),
        item_of(m, at(m), AT),
        item_of(m, next_at(m), lambda->param_count > 2 ? lambda->params[2].text : STEP),
    };
    fl_ast_query *elements = fl_sql_make_query(m, inner, 4, fl_sql_make_table(m, REDUCED));
    if (elements == NULL)
        return NULL;
    elements->body->select->where = compare_at(m, FL_AST_OP_LT, list);
    fl_ast_item outer[2] = {item_of(m, lambda->value, SO_FAR), item_of(m, next_at(m), AT)};
    return fl_sql_make_query(m, outer, 2, fl_sql_make_table_of(m, elements, STEP));
}

static fl_ast_query *query_of(fl_ast_maker *m, fl_ast_expr *list, const fl_ast_arg *lambda, fl_ast_expr *initial)
{
    fl_ast_expr *begin = initial != NULL ? initial : element_at(m, list, fl_sql_make_integer(m, 1));
    fl_ast_item first_items[2] = {
        item_of(m, begin, SO_FAR),
        item_of(m, fl_sql_make_cast(m, fl_sql_make_integer(m, initial != NULL ? 0 : 1), "bigint"), AT)};
    fl_ast_item last_item = item_of(m, fl_sql_make_column(m, (fl_str){0}, SO_FAR), SO_FAR);
    fl_ast_query *first = fl_sql_make_query(m, first_items, 2, NULL), *step = step_of(m, list, lambda);
    fl_ast_query *ret = fl_sql_make_query(m, &last_item, 1, fl_sql_make_table(m, REDUCED));
    fl_ast_cte *cte = NULL;
    if (first == NULL || step == NULL || ret == NULL || (m->st = FL_NEW(m->arena, &cte, m->err)) != FL_OK ||
        (m->st = FL_NEW_ARRAY(m->arena, 2, &cte->columns, m->err)) != FL_OK)
        return NULL;
    ret->body->select->where = compare_at(m, FL_AST_OP_EQ, list);
    cte->name = fl_sql_make_name(m, REDUCED);
    cte->columns[0] = fl_sql_make_name(m, SO_FAR);
    cte->columns[1] = fl_sql_make_name(m, AT);
    cte->column_count = 2;
    cte->widens = true;
    cte->query = union_of(m, first, step);
    ret->ctes = cte;
    ret->cte_count = 1;
    ret->is_recursive = true;
    if (cte->query != NULL && cte->query->height >= ret->height)
        ret->height = (uint16_t)(cte->query->height + 1);
    return ret;
}

/* An element of the list that is never there: null, or an error where `raises` is given. It has the elements' type. */
static fl_ast_expr *no_element(fl_ast_maker *m, fl_ast_expr *list, fl_ast_expr *raises)
{
    fl_ast_expr *parts[3] = {raises != NULL ? fl_sql_make_is_null(m, raises, false) : fl_sql_make_bool(m, false),
                             fl_sql_make_integer(m, 1), fl_sql_make_null(m)};
    return element_at(m, list, fl_sql_make_case(m, 3, parts));
}

fl_status fl_sql_expand_reduce(parser *p, const fl_ast_expr *call, fl_ast_expr **ret)
{
    const fl_ast_call *c = call->call;
    fl_ast_maker m = fl_sql_maker(p->arena, call->start, call->end, p->err);
    if (c->arg_count < 2 || c->arg_count > 3 || c->args[0].params != NULL || c->args[1].params == NULL ||
        (c->arg_count == 3 && c->args[2].params != NULL) || c->is_distinct || c->order_count > 0 || c->filter != NULL ||
        c->over != NULL)
        return fl_sql_fail_at(p, call->start, FL_ERR_SYNTAX,
                              "%.*s takes a list, a lambda and, if need be, a value to begin with",
                              FL_STR_ARG(c->path.parts[0].text));
    if (c->args[1].param_count < 2)
        return fl_sql_fail_at(p, c->args[1].params[0].start, FL_ERR_SYNTAX,
                              "the lambda of %.*s takes the value so far and an element, and the element's number",
                              FL_STR_ARG(c->path.parts[0].text));
    if (c->args[0].value->kind == FL_AST_NULL) {
        *ret = fl_sql_make_null(&m);
        return m.st != FL_OK ? m.st : fl_sql_end_expr(p, *ret, 0);
    }
    fl_ast_item given = item_of(&m, c->args[0].value, LIST);
    fl_ast_query *source = fl_sql_make_query(&m, &given, 1, NULL);
    fl_ast_expr *list = fl_sql_make_column(&m, (fl_str){0}, LIST),
                *initial = c->arg_count == 3 ? c->args[2].value : NULL;
    if (initial != NULL && initial->kind == FL_AST_NULL)
        initial = no_element(&m, list, NULL);
    fl_ast_query *query = query_of(&m, list, &c->args[1], initial);
    fl_ast_expr *message = fl_sql_make_text(&m, FL_STR("list_reduce of an empty list needs a value to begin with"));
    fl_ast_expr *parts[5] = {
        fl_sql_make_is_null(&m, list, false),
        fl_sql_make_null(&m),
        fl_sql_make_binary(&m, FL_AST_OP_EQ, length_of(&m, list), fl_sql_make_integer(&m, 0)),
        initial != NULL ? initial : no_element(&m, list, fl_sql_make_call(&m, "error", 1, &message)),
        fl_sql_make_sub(&m, FL_AST_SUBQUERY, query),
    };
    fl_ast_item reduced = item_of(&m, fl_sql_make_case(&m, 5, parts), c->path.parts[0].text);
    fl_ast_query *whole = fl_sql_make_query(&m, &reduced, 1, fl_sql_make_table_of(&m, source, STEP));
    *ret = fl_sql_make_sub(&m, FL_AST_SUBQUERY, whole);
    return m.st != FL_OK ? m.st : fl_sql_end_expr(p, *ret, (*ret)->height - 1);
}
