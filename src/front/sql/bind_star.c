/* The select list's items: stars spelled out (EXCLUDE, REPLACE, RENAME), and what a column is called without an alias. */
#include "front/sql/bind.h"

#include "base/nearest.h"

/* ---- names ---- */

/* As PostgreSQL names columns: by the column, the function, the type of a cast of something nameless; else ?column?. */
static fl_str name_of(const fl_ast_expr *ast)
{
    fl_str inner = {0};
    switch ((fl_ast_kind)ast->kind) {
    case FL_AST_COLUMN:
        return ast->path.parts[ast->path.count - 1].text;
    case FL_AST_FIELD:
        return ast->field.name->text;
    case FL_AST_CALL:
        return ast->call->path.parts[ast->call->path.count - 1].text;
    case FL_AST_CAST:
        inner = name_of(ast->cast.value);
        return inner.len > 0 ? inner : ast->cast.type->name;
    case FL_AST_INDEX:
        return name_of(ast->index.value);
    case FL_AST_TYPED:
        return ast->typed.type->name;
    case FL_AST_INTERVAL:
        return FL_STR("interval");
    case FL_AST_BOOL:
        return FL_STR("bool");
    case FL_AST_EXISTS:
        return FL_STR("exists");
    case FL_AST_ARRAY_QUERY:
        return FL_STR("array");
    case FL_AST_LIST:
        return FL_STR("list");
    case FL_AST_STRUCT:
        return FL_STR("struct");
    case FL_AST_ROW:
        return FL_STR("row");
    case FL_AST_CASE:
        if (ast->cases->otherwise != NULL)
            inner = name_of(ast->cases->otherwise);
        return inner.len > 0 ? inner : FL_STR("case");
    case FL_AST_SUBQUERY:
        if (ast->sub.query->body->kind == FL_AST_BODY_SELECT) {
            const fl_ast_item *item = &ast->sub.query->body->select->items[0];
            return item->alias.text.len > 0 ? item->alias.text : name_of(item->expr);
        }
        return (fl_str){0};
    default:
        return (fl_str){0};
    }
}

fl_str fl_sql_name_of(const fl_ast_expr *ast)
{
    fl_str name = name_of(ast);
    return name.len > 0 ? name : FL_STR("?column?");
}

/* ---- stars ---- */

/* The columns that a star stands for, or the names of one of its lists. */
static bool is_of_star(const scope_col *col, int32_t table)
{
    return table >= 0 ? col->table == table : !col->is_hidden;
}

static fl_status map_names(binder *b, const fl_ast_name *names, int32_t n, fl_name_map *ret)
{
    fl_status st = FL_OK;
    fl_name_map_init(ret, b->arena);
    for (int32_t i = 0; i < n && st == FL_OK; i++)
        st = fl_name_map_add(ret, names[i].text, i, NULL, b->err);
    return st;
}

/* A name in EXCLUDE, REPLACE or RENAME that no column has is a slip. */
static fl_status check_name(binder *b, const scope *s, int32_t table, const fl_name_map *cols, const fl_ast_name *name,
                            const char *word)
{
    fl_nearest near;
    if (fl_name_map_find(cols, name->text) >= 0)
        return FL_OK;
    fl_nearest_init(&near, name->text);
    for (int32_t i = 0; i < s->n_cols; i++)
        if (is_of_star(&s->cols[i], table))
            fl_nearest_offer(&near, s->cols[i].name);
    fl_status st = fl_sql_bind_fail(b, name->start, FL_ERR_COLUMN, "column \"%.*s\" of %s is not there",
                                    FL_STR_ARG(name->text), word);
    fl_nearest_hint(&near, b->err);
    return st;
}

static fl_status check_star(binder *b, const scope *s, int32_t table, const fl_ast_star *star)
{
    fl_status st = FL_OK;
    fl_name_map cols;
    if (star->exclude_count + star->replace_count + star->rename_count == 0)
        return FL_OK;
    fl_name_map_init(&cols, b->arena);
    for (int32_t i = 0; i < s->n_cols; i++)
        if (is_of_star(&s->cols[i], table))
            FL_TRY(fl_name_map_add(&cols, s->cols[i].name, i, NULL, b->err));
    for (int32_t i = 0; i < star->exclude_count; i++)
        FL_TRY(check_name(b, s, table, &cols, &star->exclude[i], "EXCLUDE"));
    for (int32_t i = 0; i < star->replace_count; i++)
        FL_TRY(check_name(b, s, table, &cols, &star->replace[i].name, "REPLACE"));
    for (int32_t i = 0; i < star->rename_count; i++)
        FL_TRY(check_name(b, s, table, &cols, &star->rename[i].from, "RENAME"));
cleanup:
    return st;
}

/* Where t.* finds its table, which may be an outer query's; the innermost scope for stars of no table, and of none that is there. */
static scope *scope_of_star(scope *s, const fl_ast_star *star)
{
    scope *at = s;
    if (star->table.count == 0)
        return s;
    while (at != NULL && fl_sql_scope_table(at, star->table.parts[star->table.count - 1].text) < 0)
        at = at->outer;
    return at != NULL ? at : s;
}

static fl_status expand_star(binder *b, scope *s, const fl_ast_expr *ast, select_item *items, int32_t *n)
{
    fl_status st = FL_OK;
    const fl_ast_star *star = ast->star;
    int32_t table = -1, before = *n;
    fl_name_map excluded, renamed, replaced;
    if (star->table.count > 0) {
        s = scope_of_star(s, star);
        table = fl_sql_scope_table(s, star->table.parts[star->table.count - 1].text);
        if (table < 0)
            return fl_sql_fail_no_table(b, s, (fl_ast_path){&star->table.parts[star->table.count - 1], 1}, ast->start);
    } else if (s->n_tables == 0) {
        return fl_sql_bind_fail(b, ast->start, FL_ERR_SYNTAX, "SELECT * needs a FROM");
    }
    FL_TRY(check_star(b, s, table, star));
    FL_TRY(map_names(b, star->exclude, star->exclude_count, &excluded));
    fl_name_map_init(&renamed, b->arena);
    for (int32_t r = 0; r < star->rename_count; r++)
        FL_TRY(fl_name_map_add(&renamed, star->rename[r].from.text, r, NULL, b->err));
    fl_name_map_init(&replaced, b->arena);
    for (int32_t r = 0; r < star->replace_count; r++)
        FL_TRY(fl_name_map_add(&replaced, star->replace[r].name.text, r, NULL, b->err));
    for (int32_t i = 0; i < s->n_cols; i++) {
        const scope_col *col = &s->cols[i];
        if (!is_of_star(col, table) || fl_name_map_find(&excluded, col->name) >= 0)
            continue;
        select_item *item = &items[(*n)++];
        *item = (select_item){.name = col->name, .pos = ast->start};
        int32_t r = fl_name_map_find(&renamed, col->name);
        if (r >= 0)
            FL_TRY(fl_sql_bind_keep(b, star->rename[r].to.text, &item->name));
        r = fl_name_map_find(&replaced, col->name);
        if (r >= 0)
            item->ast = star->replace[r].expr;
        if (item->ast == NULL)
            FL_TRY(fl_expr_column(b->plan, col->col, ast->start, &item->expr, b->err));
    }
    if (*n == before && star->exclude_count > 0) /* a source may have no columns */
        return fl_sql_bind_fail(b, ast->start, FL_ERR_SYNTAX, "nothing is left of this star");
cleanup:
    return st;
}

fl_status fl_sql_expand_items(binder *b, scope *s, const fl_ast_select *ast, select_item **ret, int32_t *ret_n)
{
    fl_status st = FL_OK;
    int32_t room = 0, n = 0;
    select_item *items = NULL;
    for (int32_t i = 0; i < ast->item_count; i++)
        room += ast->items[i].expr->kind == FL_AST_STAR ? scope_of_star(s, ast->items[i].expr->star)->n_cols : 1;
    FL_TRY(FL_NEW_ARRAY(b->arena, room + 1, &items, b->err));
    for (int32_t i = 0; i < ast->item_count; i++) {
        const fl_ast_item *item = &ast->items[i];
        if (item->expr->kind == FL_AST_STAR) {
            FL_TRY(expand_star(b, s, item->expr, items, &n));
            continue;
        }
        select_item *made = &items[n++];
        *made = (select_item){.ast = item->expr, .pos = item->expr->start};
        if (item->alias.text.len > 0)
            FL_TRY(fl_sql_bind_keep(b, item->alias.text, &made->alias));
        FL_TRY(fl_sql_bind_keep(b, made->alias.len > 0 ? made->alias : fl_sql_name_of(item->expr), &made->name));
    }
    *ret = items;
    *ret_n = n;
cleanup:
    return st;
}
