/* SEARCH and CYCLE of a recursive query: what they stand for, as PostgreSQL's documentation has it (7.8.2).
 *
 *     t(a, b) AS (first UNION step) SEARCH DEPTH FIRST BY a SET o CYCLE a SET mark USING path
 *
 * is, with names that have blanks for the columns between step and table,
 *
 *     first:  SELECT a, b, [row(a)] AS o, false AS mark, [row(a)] AS path FROM (first) AS s(a, b)
 *     step:   SELECT a, b, list_append(o, row(a)), list_contains(path, row(a)), list_append(path, row(a))
 *             FROM (step with t.o and t.path behind its columns, where not t.mark) AS s(a, b, o, path)
 *
 * BREADTH FIRST has row(0, a) and row(t.o.f1 + 1, a) instead. */
#include "front/sql/ast_make.h"
#include "front/sql/bind.h"

#define SOURCE FL_STR("s")
#define ORDER FL_STR("order of a search")
#define MARK FL_STR("mark of a cycle")
#define WAY FL_STR("way to a row")

typedef struct expansion {
    binder *b;
    fl_ast_maker maker;
    const fl_ast_cte *cte;
    const fl_str *names; /* of the columns that are written */
    int32_t n;
    fl_str *inner; /* what they are called inside */
} expansion;

static fl_status find_columns(const expansion *e, const fl_ast_name *columns, int32_t count, const char *clause,
                              int32_t **ret)
{
    fl_status st = FL_OK;
    FL_TRY(FL_NEW_ARRAY(e->b->arena, count + 1, ret, e->b->err));
    for (int32_t k = 0; k < count; k++) {
        int32_t found;
        FL_TRY(fl_sql_find_column_of(e->b, e->cte, e->names, e->n, &columns[k], &found));
        for (int32_t j = 0; j < k; j++)
            if ((*ret)[j] == found) {
                st =
                    fl_sql_bind_fail_state(e->b, columns[k].start, FL_ERR_DUPLICATE, "42701",
                                           "column \"%.*s\" is named twice by %s", FL_STR_ARG(columns[k].text), clause);
                goto cleanup;
            }
        (*ret)[k] = found;
    }
cleanup:
    return st;
}

/* A new column has a name of its own. */
static fl_status check_new(const expansion *e, const fl_ast_name *name, const fl_ast_name *others, int32_t n_others)
{
    bool is_there = false;
    for (int32_t i = 0; i < e->n; i++)
        is_there |= fl_str_is_equal_nocase(e->names[i], name->text);
    for (int32_t i = 0; i < n_others; i++)
        is_there |= fl_str_is_equal_nocase(others[i].text, name->text);
    if (!is_there)
        return FL_OK;
    return fl_sql_bind_fail_state(e->b, name->start, FL_ERR_DUPLICATE, "42701",
                                  "\"%.*s\" has a column \"%.*s\" already", FL_STR_ARG(e->cte->name.text),
                                  FL_STR_ARG(name->text));
}

/* row(a, b), or row(number, a, b) */
static fl_ast_expr *row_of(expansion *e, fl_ast_expr *number, const int32_t *columns, int32_t count)
{
    fl_ast_expr **parts = NULL;
    int32_t n = 0;
    if (e->maker.st == FL_OK)
        e->maker.st = FL_NEW_ARRAY(e->b->arena, count + 2, &parts, e->b->err);
    if (e->maker.st != FL_OK)
        return fl_sql_make_null(&e->maker);
    if (number != NULL)
        parts[n++] = number;
    for (int32_t i = 0; i < count; i++)
        parts[n++] = fl_sql_make_column(&e->maker, SOURCE, e->inner[columns[i]]);
    return fl_sql_make_list(&e->maker, FL_AST_ROW, parts, n);
}

static fl_ast_expr *list_of(expansion *e, fl_ast_expr *row)
{
    return fl_sql_make_call(&e->maker, "list_value", 1, &row);
}

static fl_ast_expr *call_of_two(expansion *e, const char *name, fl_ast_expr *a, fl_ast_expr *b)
{
    fl_ast_expr *args[2] = {a, b};
    return fl_sql_make_call(&e->maker, name, 2, args);
}

static fl_ast_item item_of(const expansion *e, fl_ast_expr *expr, fl_str alias)
{
    return (fl_ast_item){.expr = expr, .alias = fl_sql_make_name(&e->maker, alias)};
}

/* SELECT s.a, s.b, … and what is more, FROM (body) AS s(a, b, …) */
static fl_ast_body *wrap(expansion *e, fl_ast_body *body, const fl_str *more, int32_t n_more, fl_ast_item *items,
                         int32_t n_items)
{
    fl_ast_name *columns = NULL;
    fl_ast_query *query = fl_sql_make_query(&e->maker, items, n_items, NULL);
    fl_ast_table *table = NULL;
    if (query == NULL)
        return NULL;
    fl_ast_query *inner = fl_sql_make_query(&e->maker, items, n_items, NULL);
    if (inner != NULL) {
        inner->body = body;
        inner->height = e->cte->query->height;
        table = fl_sql_make_table_of(&e->maker, inner, SOURCE);
    }
    if (table == NULL || (e->maker.st = FL_NEW_ARRAY(e->b->arena, e->n + n_more + 1, &columns, e->b->err)) != FL_OK)
        return NULL;
    for (int32_t i = 0; i < e->n + n_more; i++)
        columns[i] = fl_sql_make_name(&e->maker, i < e->n ? e->inner[i] : more[i - e->n]);
    table->columns = columns;
    table->column_count = e->n + n_more;
    query->body->select->from = table;
    query->height = (uint16_t)(table->height < FL_SQL_DEPTH_MAX ? table->height + 1 : FL_SQL_DEPTH_MAX);
    return query->body;
}

/* References of the table expression in a tree of joins. */
static void find_reference(const fl_ast_table *table, const fl_ast_cte *cte, const fl_ast_table **ret, int32_t *ret_n)
{
    if (table == NULL)
        return;
    if (table->kind == FL_AST_TABLE_JOIN) {
        find_reference(table->join->left, cte, ret, ret_n);
        find_reference(table->join->right, cte, ret, ret_n);
    } else if (table->kind == FL_AST_TABLE_NAME && table->path.count == 1 &&
               fl_str_is_equal_nocase(table->path.parts[0].text, cte->name.text)) {
        *ret = table;
        ++*ret_n;
    }
}

static fl_status fail_step(const expansion *e, int32_t pos, const char *what)
{
    fl_status st = fl_sql_bind_fail_state(e->b, pos, FL_ERR_UNSUPPORTED, "0A000", "with SEARCH or CYCLE %s", what);
    fl_err_hint(e->b->err, "write \"SELECT … FROM %.*s …\" behind UNION", FL_STR_ARG(e->cte->name.text));
    return st;
}

/* The step with the way so far behind its columns, of rows that have not come back to where they were. */
static fl_status extend_step(expansion *e, const fl_ast_body *step, const fl_str *more, int32_t n_more,
                             fl_ast_expr *value, fl_ast_body **ret)
{
    fl_status st = FL_OK;
    const fl_ast_table *reference = NULL;
    fl_ast_select *select = NULL;
    fl_ast_item *items = NULL;
    int32_t n_references = 0;
    while (step->kind == FL_AST_BODY_QUERY && step->query->cte_count == 0 && step->query->order_count == 0 &&
           step->query->limit == NULL && step->query->offset == NULL)
        step = step->query->body;
    if (step->kind != FL_AST_BODY_SELECT)
        return fail_step(e, step->start, "the part that reads itself must be a SELECT");
    if (step->select->has_group || step->select->group_all || step->select->group_count > 0)
        return fail_step(e, step->start, "the part that reads itself must not group rows");
    find_reference(step->select->from, e->cte, &reference, &n_references);
    if (n_references != 1)
        return fail_step(e, step->start, "the part that reads itself must do so once, in its own FROM");
    fl_str alias = reference->alias.text.len > 0 ? reference->alias.text : e->cte->name.text;
    FL_TRY(FL_NEW(e->b->arena, ret, e->b->err));
    FL_TRY(FL_NEW(e->b->arena, &select, e->b->err));
    FL_TRY(FL_NEW_ARRAY(e->b->arena, step->select->item_count + n_more + 1, &items, e->b->err));
    *select = *step->select;
    memcpy(items, select->items, (size_t)select->item_count * sizeof(*items));
    for (int32_t i = 0; i < n_more; i++)
        items[select->item_count++] = item_of(e, fl_sql_make_column(&e->maker, alias, more[i]), more[i]);
    select->items = items;
    if (value != NULL) {
        fl_ast_expr **both = NULL;
        FL_TRY(FL_NEW_ARRAY(e->b->arena, 2, &both, e->b->err));
        both[0] = fl_sql_make_binary(&e->maker, FL_AST_OP_NE, fl_sql_make_column(&e->maker, alias, MARK), value);
        both[1] = select->where;
        select->where = fl_sql_make_list(&e->maker, FL_AST_AND, both, both[1] != NULL ? 2 : 1);
    }
    **ret = *step;
    (*ret)->select = select;
    st = e->maker.st;
cleanup:
    return st;
}

static fl_status expand(expansion *e, fl_ast_body *first, const fl_ast_body *step, fl_ast_body **ret_first,
                        fl_ast_body **ret_step, fl_str *ret_system, int32_t *ret_n)
{
    fl_status st = FL_OK;
    fl_ast_maker *m = &e->maker;
    const fl_ast_search *search = e->cte->search;
    const fl_ast_cycle *cycle = e->cte->cycle;
    fl_ast_item *items[2];
    fl_str more[2]; /* what the step hands on */
    int32_t *places = NULL, n = e->n, n_more = 0;
    fl_ast_expr *value = NULL, *other = NULL;
    for (int side = 0; side < 2; side++) {
        FL_TRY(FL_NEW_ARRAY(e->b->arena, e->n + FL_SQL_SEARCH_COLS_MAX, &items[side], e->b->err));
        for (int32_t i = 0; i < e->n; i++)
            items[side][i] = item_of(e, fl_sql_make_column(m, SOURCE, e->inner[i]), e->names[i]);
    }
    if (search != NULL) {
        int32_t count = search->column_count;
        fl_ast_expr *so_far = fl_sql_make_column(m, SOURCE, ORDER), *begin, *next;
        FL_TRY(find_columns(e, search->columns, count, "SEARCH", &places));
        FL_TRY(check_new(e, &search->into, NULL, 0));
        if (search->is_depth) {
            begin = list_of(e, row_of(e, NULL, places, count));
            next = call_of_two(e, "list_append", so_far, row_of(e, NULL, places, count));
        } else {
            fl_ast_expr *depth = fl_sql_make_field(m, so_far, FL_STR("f1"));
            begin = row_of(e, fl_sql_make_cast(m, fl_sql_make_integer(m, 0), "bigint"), places, count);
            next = row_of(e, fl_sql_make_binary(m, FL_AST_OP_ADD, depth, fl_sql_make_integer(m, 1)), places, count);
        }
        items[0][n] = item_of(e, begin, search->into.text);
        items[1][n++] = item_of(e, next, search->into.text);
        ret_system[(*ret_n)++] = more[n_more++] = ORDER;
    }
    if (cycle != NULL) {
        int32_t count = cycle->column_count;
        fl_ast_name taken[2] = {cycle->mark, search != NULL ? search->into : cycle->mark};
        value = cycle->value != NULL ? cycle->value : fl_sql_make_bool(m, true);
        other = cycle->other != NULL ? cycle->other : fl_sql_make_bool(m, false);
        FL_TRY(find_columns(e, cycle->columns, count, "CYCLE", &places));
        FL_TRY(check_new(e, &cycle->mark, taken + 1, search != NULL ? 1 : 0));
        FL_TRY(check_new(e, &cycle->path, taken, 2));
        fl_ast_expr *way = fl_sql_make_column(m, SOURCE, WAY);
        fl_ast_expr *none[3] = {fl_sql_make_bool(m, false), value, other};
        fl_ast_expr *met[3] = {call_of_two(e, "list_contains", way, row_of(e, NULL, places, count)), value, other};
        items[0][n] = item_of(e, fl_sql_make_case(m, 3, none), cycle->mark.text);
        items[1][n++] = item_of(e, fl_sql_make_case(m, 3, met), cycle->mark.text);
        items[0][n] = item_of(e, list_of(e, row_of(e, NULL, places, count)), cycle->path.text);
        items[1][n++] =
            item_of(e, call_of_two(e, "list_append", way, row_of(e, NULL, places, count)), cycle->path.text);
        ret_system[(*ret_n)++] = MARK;
        ret_system[(*ret_n)++] = more[n_more++] = WAY;
    }
    fl_ast_body *inner = NULL;
    FL_TRY(extend_step(e, step, more, n_more, value, &inner));
    *ret_first = wrap(e, first, NULL, 0, items[0], n);
    *ret_step = wrap(e, inner, more, n_more, items[1], n);
    FL_ASSERT(*ret_n == n - e->n);
    st = m->st;
cleanup:
    return st;
}

fl_status fl_sql_expand_search(binder *b, const fl_ast_cte *ast, const fl_ast_set *set, const fl_str *names, int32_t n,
                               fl_ast_body **ret_first, fl_ast_body **ret_step,
                               fl_str ret_system[FL_SQL_SEARCH_COLS_MAX], int32_t *ret_n)
{
    fl_status st = FL_OK;
    fl_ast_body *first = set->inputs[0];
    const fl_ast_body *step = set->inputs[set->input_count - 1];
    expansion e = {.b = b,
                   .maker = fl_sql_maker(b->arena, ast->name.start, ast->name.end, b->err),
                   .cte = ast,
                   .names = names,
                   .n = n};
    FL_ASSERT(ast->search != NULL || ast->cycle != NULL);
    *ret_n = 0;
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &e.inner, b->err));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_arena_format(b->arena, &e.inner[i], b->err, "column %d of a row", i));
    if (set->input_count > 2) { /* first parts, one behind the other */
        fl_ast_set *firsts = NULL;
        FL_TRY(FL_NEW(b->arena, &firsts, b->err));
        FL_TRY(FL_NEW(b->arena, &first, b->err));
        *firsts = *set;
        firsts->input_count--;
        *first =
            (fl_ast_body){.kind = FL_AST_BODY_SET, .start = set->inputs[0]->start, .end = step->start, .set = firsts};
    }
    st = expand(&e, first, step, ret_first, ret_step, ret_system, ret_n);
cleanup:
    return st;
}
