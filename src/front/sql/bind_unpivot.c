/* UNPIVOT: a row for each of some columns, with its name and its value:
 *
 *     UNPIVOT t ON a, b INTO NAME n VALUE v
 *     SELECT (the other columns), u.n, u.v FROM t, unnest(['a', 'b'], [t.a, t.b]) AS u(n, v) WHERE u.v IS NOT NULL
 *
 * The source is bound once and the query over it is put together of it. */
#include "front/sql/ast_make.h"
#include "front/sql/bind.h"

/* One of the rows: a name, and as many expressions as there are columns of values. */
typedef struct entry {
    fl_str name;
    fl_ast_expr **values;
} entry;

typedef struct entries {
    entry *list;
    int32_t n, capacity;
} entries;

static fl_status add_entry(binder *b, const fl_ast_unpivot *unpivot, fl_str name, fl_ast_expr **values, int32_t n,
                           int32_t pos, entries *to)
{
    fl_status st = FL_OK;
    if (n != unpivot->value_count)
        return fl_sql_bind_fail(b, pos, FL_ERR_SYNTAX,
                                "UNPIVOT into %d columns of values takes as many at once, not %d", unpivot->value_count,
                                n);
    FL_TRY(fl_sql_bind_grow(b, &to->list, to->n, &to->capacity, sizeof(*to->list)));
    to->list[to->n].values = values;
    FL_TRY(fl_sql_bind_keep(b, name, &to->list[to->n++].name));
cleanup:
    return st;
}

/* (a, b) [AS name]: without one it is a_b. */
static fl_status add_row(binder *b, const fl_ast_unpivot *unpivot, const fl_ast_item *item, entries *to)
{
    fl_status st = FL_OK;
    const fl_ast_expr *row = item->expr;
    fl_text name;
    fl_text_init(&name, b->env->memory);
    for (int32_t i = 0; i < row->list.count; i++) {
        fl_text_add(&name, i > 0 ? FL_STR("_") : FL_STR(""));
        fl_text_add(&name, fl_sql_name_of(row->list.items[i]));
    }
    FL_TRY(fl_text_status(&name, b->err));
    FL_TRY(add_entry(b, unpivot, item->alias.text.len > 0 ? item->alias.text : fl_text_str(&name), row->list.items,
                     row->list.count, row->start, to));
cleanup:
    fl_text_drop(&name);
    return st;
}

/* A column, an expression, a star, COLUMNS(...). */
static fl_status add_columns(binder *b, scope *source, const fl_ast_unpivot *unpivot, const fl_ast_item *item,
                             entries *to)
{
    fl_status st = FL_OK;
    fl_ast_item copy = *item;
    fl_ast_select one = {.items = &copy, .item_count = 1};
    select_item *items;
    int32_t n;
    FL_TRY(fl_sql_expand_items(b, source, &one, &items, &n));
    for (int32_t i = 0; i < n; i++) {
        fl_ast_expr **value = NULL;
        fl_ast_maker m = fl_sql_maker(b->arena, item->expr->start, item->expr->end, b->err);
        FL_TRY(FL_NEW(b->arena, &value, b->err));
        *value = item->expr;
        if (items[i].picked != NULL && item->expr->kind != FL_AST_COLUMNS)
            return fl_sql_bind_fail(b, item->expr->start, FL_ERR_UNSUPPORTED,
                                    "UNPIVOT takes COLUMNS(...) by itself, not expressions with it");
        if (items[i].picked != NULL)
            *value = fl_sql_make_bound(&m, items[i].picked->col.n);
        else if (items[i].ast == NULL)
            *value = fl_sql_make_bound(&m, items[i].expr->col.n);
        else if (item->expr->kind == FL_AST_STAR)
            return fl_sql_bind_fail(b, item->expr->start, FL_ERR_UNSUPPORTED, "UNPIVOT takes no star with REPLACE");
        FL_TRY(m.st);
        FL_TRY(add_entry(b, unpivot, items[i].name, value, 1, item->expr->start, to));
    }
cleanup:
    return st;
}

/* The columns that entries read; the values of each column must have a type in common. */
static fl_status used_columns(binder *b, scope *source, const fl_ast_unpivot *unpivot, const entries *from,
                              fl_col_set *ret)
{
    fl_status st = FL_OK;
    const fl_expr **exprs = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, from->n + 1, &exprs, b->err));
    source->clause = CLAUSE_FROM;
    for (int32_t v = 0; v < unpivot->value_count; v++) {
        fl_type type;
        int32_t odd;
        for (int32_t i = 0; i < from->n; i++) {
            FL_TRY(fl_sql_bind_expr(b, source, from->list[i].values[v], &exprs[i]));
            FL_TRY(fl_expr_add_cols(fl_plan_arena(b->plan), exprs[i], ret, b->err));
        }
        FL_TRY(fl_expr_common_type(b->plan, exprs, from->n, &type, &odd, b->err));
        if (odd < 0)
            continue;
        st = fl_sql_bind_fail(b, from->list[odd].values[v]->start, FL_ERR_TYPE,
                              "columns of UNPIVOT have types %s and %s, which have no common type", FL_TYPE_NAME(type),
                              FL_TYPE_NAME(exprs[odd]->type));
        fl_err_hint(b->err, "cast them to one: %.*s::text", FL_STR_ARG(from->list[odd].name));
        goto cleanup;
    }
cleanup:
    return st;
}

/* unnest([names], [values], ...) AS unpivoted(name, value, ...) */
static fl_ast_table *make_rows(fl_ast_maker *m, binder *b, const fl_ast_unpivot *unpivot, const entries *from,
                               fl_str alias)
{
    fl_ast_expr **lists = NULL;
    fl_str *columns = NULL;
    int32_t n = unpivot->value_count + 1;
    if (m->st == FL_OK)
        m->st = FL_NEW_ARRAY(b->arena, n, &lists, b->err);
    if (m->st == FL_OK)
        m->st = FL_NEW_ARRAY(b->arena, n, &columns, b->err);
    for (int32_t v = 0; v < n && m->st == FL_OK; v++) {
        fl_ast_expr **items = NULL;
        m->st = FL_NEW_ARRAY(b->arena, from->n + 1, &items, b->err);
        for (int32_t i = 0; i < from->n && m->st == FL_OK; i++)
            items[i] = v == 0 ? fl_sql_make_text(m, from->list[i].name) : from->list[i].values[v - 1];
        if (m->st == FL_OK)
            lists[v] = fl_sql_make_list(m, FL_AST_LIST, items, from->n);
        columns[v] = v == 0 ? unpivot->name.text : unpivot->values[v - 1].text;
    }
    return m->st == FL_OK ? fl_sql_make_unnest(m, n, lists, alias, columns, n) : NULL;
}

/* Rows without nulls, and the columns that nothing reads in front of the new ones. */
static fl_status make_select(binder *b, fl_ast_maker *m, const fl_ast_unpivot *unpivot, const scope *source,
                             const fl_col_set *used, fl_str alias, fl_ast_select *ret)
{
    fl_status st = FL_OK;
    fl_ast_expr **tests = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, source->n_cols + unpivot->value_count + 1, &ret->items, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, unpivot->value_count, &tests, b->err));
    for (int32_t i = 0; i < source->n_cols; i++) {
        const scope_col *col = &source->cols[i];
        if (!col->is_hidden && !fl_col_set_has(used, col->col))
            ret->items[ret->item_count++] =
                (fl_ast_item){.expr = fl_sql_make_bound(m, col->col.n), .alias = fl_sql_make_name(m, col->name)};
    }
    ret->items[ret->item_count++].expr = fl_sql_make_column(m, alias, unpivot->name.text);
    for (int32_t v = 0; v < unpivot->value_count; v++) {
        fl_ast_expr *value = fl_sql_make_column(m, alias, unpivot->values[v].text);
        ret->items[ret->item_count++].expr = value;
        tests[v] = fl_sql_make_is_null(m, value, true);
    }
    if (!unpivot->has_nulls)
        ret->where = fl_sql_make_list(m, FL_AST_AND, tests, unpivot->value_count);
    st = m->st;
cleanup:
    return st;
}

fl_status fl_sql_bind_unpivot(binder *b, scope *outer, cte *ctes, const fl_ast_table *ast, output *ret)
{
    static const fl_ast_query no_tail = {0};
    fl_status st = FL_OK;
    const fl_ast_unpivot *unpivot = ast->unpivot;
    scope source;
    fl_sql_source bound = {.scope = &source};
    fl_ast_table left = {
        .kind = FL_AST_TABLE_BOUND, .height = 1, .start = ast->start, .end = ast->end, .bound = &bound};
    fl_ast_join join = {.kind = FL_AST_JOIN_CROSS, .left = &left};
    fl_ast_table from = {.kind = FL_AST_TABLE_JOIN, .height = 2, .start = ast->start, .end = ast->end, .join = &join};
    fl_ast_maker m = fl_sql_maker(b->arena, ast->start, ast->end, b->err);
    fl_ast_select select = {.from = &from};
    fl_str alias = FL_STR("unpivoted columns");
    entries made = {0};
    fl_col_set used;
    fl_col_set_init(&used);
    fl_sql_scope_init(&source, outer, CLAUSE_FROM);
    source.ctes = ctes;
    FL_TRY(fl_sql_bind_from(b, outer, unpivot->source, &source, &bound.node));
    for (int32_t i = 0; i < unpivot->item_count; i++) {
        const fl_ast_item *item = &unpivot->items[i];
        FL_TRY(item->expr->kind == FL_AST_ROW ? add_row(b, unpivot, item, &made)
                                              : add_columns(b, &source, unpivot, item, &made));
    }
    FL_TRY(used_columns(b, &source, unpivot, &made, &used));
    join.right = make_rows(&m, b, unpivot, &made, alias);
    FL_TRY(make_select(b, &m, unpivot, &source, &used, alias, &select));
    FL_TRY(fl_sql_bind_select(b, outer, ctes, &select, &no_tail, ret));
cleanup:
    return st;
}
