/* The select list's items: stars and COLUMNS(...) spelled out, and what a column is called without an alias. */
#include "front/sql/ast_make.h"
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
    case FL_AST_COLLATE:
        return name_of(ast->field.value);
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

/* ---- which columns are meant ---- */

/* The columns that a star of this table, or of none, stands for. */
static bool is_of_star(const scope_col *col, int32_t table)
{
    return table >= 0 ? col->table == table && !col->is_system : !col->is_hidden;
}

/* Names of one of a star's lists, looked into for each column. */
typedef struct star_names {
    fl_name_map first;
    int32_t *next; /* the next one of the same name, + 1 */
    const fl_ast_star_name **names;
    bool *is_met;
    int32_t n;
} star_names;

static fl_status names_init(binder *b, int32_t n, star_names *ret)
{
    fl_status st = FL_OK;
    *ret = (star_names){0};
    fl_name_map_init(&ret->first, b->arena);
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &ret->next, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &ret->names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &ret->is_met, b->err));
cleanup:
    return st;
}

static fl_status names_add(binder *b, const fl_ast_star_name *name, star_names *list)
{
    int32_t at = list->n++, known;
    list->names[at] = name;
    fl_status st = fl_name_map_add(&list->first, name->name.text, at, &known, b->err);
    for (int32_t i = known; st == FL_OK && i >= 0; i = list->next[i] - 1)
        if (fl_str_is_equal_nocase(list->names[i]->table.text, name->table.text))
            return fl_sql_bind_fail_state(b, name->name.start, FL_ERR_DUPLICATE, "42701",
                                          "column \"%.*s\" is named twice", FL_STR_ARG(name->name.text));
    if (st == FL_OK && known >= 0) {
        list->next[at] = list->next[known];
        list->next[known] = at + 1;
    }
    return st;
}

/* Whether a column of this name belongs to the table that is written before the name; a merged column to both of its tables. */
static bool is_of_table(const scope *s, const scope_col *col, const fl_ast_star_name *name)
{
    if (name->table.text.len == 0)
        return true;
    int32_t table = fl_sql_scope_table(s, name->table.text);
    if (table < 0 || col->table == table)
        return table >= 0;
    for (int32_t i = 0; i < s->n_cols && col->table < 0; i++)
        if (s->cols[i].table == table && s->cols[i].is_hidden && fl_str_is_equal_nocase(s->cols[i].name, col->name))
            return true;
    return false;
}

/* The place of the column's name in the list, which is noted as met; -1: it is not there. */
static int32_t names_find(const scope *s, const scope_col *col, star_names *list)
{
    for (int32_t i = fl_name_map_find(&list->first, col->name); i >= 0; i = list->next[i] - 1) {
        if (is_of_table(s, col, list->names[i])) {
            list->is_met[i] = true;
            return i;
        }
    }
    return -1;
}

/* A name in EXCLUDE, REPLACE or RENAME that no column has is a slip. */
static fl_status check_names(binder *b, const scope *s, int32_t table, const star_names *list, const char *word)
{
    fl_nearest near;
    for (int32_t i = 0; i < list->n; i++) {
        const fl_ast_name *name = &list->names[i]->name;
        if (list->is_met[i])
            continue;
        fl_nearest_init(&near, name->text);
        for (int32_t c = 0; c < s->n_cols; c++)
            if (is_of_star(&s->cols[c], table))
                fl_nearest_offer(&near, s->cols[c].name);
        fl_status st = fl_sql_bind_fail(b, name->start, FL_ERR_COLUMN, "column \"%.*s\" of %s is not there",
                                        FL_STR_ARG(name->text), word);
        fl_nearest_hint(&near, b->err);
        return st;
    }
    return FL_OK;
}

/* Binds a condition over a name, in which the name is called `param`, to its value for one. */
static fl_status eval_of_name(binder *b, const fl_ast_expr *ast, fl_str param, fl_str name, fl_value *ret)
{
    fl_status st = FL_OK;
    scope s;
    int32_t next[1] = {0};
    fl_value text = {.type = FL_TYPE(FL_UTF8), .s = name};
    select_item item = {.alias = param, .ast = ast};
    fl_sql_scope_init(&s, NULL, CLAUSE_SELECT);
    FL_TRY(fl_expr_const(b->plan, &text, ast->start, &item.expr, b->err));
    fl_name_map_init(&s.aliases.first, b->arena);
    FL_TRY(fl_name_map_add(&s.aliases.first, param, 0, NULL, b->err));
    s.aliases.next = next;
    s.items = &item;
    s.n_items = 1;
    FL_TRY(fl_sql_bind_constant(b, &s, ast, "a condition over columns' names", ret));
cleanup:
    return st;
}

/* name ~ pattern, for the pattern of COLUMNS('pattern'). */
static fl_status matches(binder *b, const fl_ast_star *star, fl_str pattern, fl_str name, bool *ret)
{
    fl_status st = FL_OK;
    fl_value value;
    fl_ast_maker m = fl_sql_maker(b->arena, star->pick->start, star->pick->end, b->err);
    fl_ast_expr *args[2] = {fl_sql_make_text(&m, name), fl_sql_make_text(&m, pattern)};
    fl_ast_expr *call = fl_sql_make_call(&m, "regexp_matches", 2, args);
    FL_TRY(m.st);
    FL_TRY(eval_of_name(b, call, FL_STR("name"), name, &value));
    *ret = !value.is_null && value.b;
cleanup:
    return st;
}

static fl_status test_name(binder *b, const fl_ast_star *star, fl_str name, bool *ret)
{
    fl_status st = FL_OK;
    fl_value value;
    FL_TRY(eval_of_name(b, star->test, star->param.text, name, &value));
    if (!value.is_null && value.type.id != FL_BOOL)
        return fl_sql_bind_fail(b, star->test->start, FL_ERR_TYPE, "a condition over columns' names is boolean, not %s",
                                FL_TYPE_NAME(value.type));
    *ret = !value.is_null && value.b;
cleanup:
    return st;
}

/* The names of COLUMNS([...]): texts. */
static fl_status pick_names(binder *b, const fl_ast_star *star, const fl_value *list, star_names *ret)
{
    fl_status st = FL_OK;
    fl_ast_star_name *names = NULL;
    int64_t n = list->list.n;
    FL_TRY(names_init(b, (int32_t)n, ret));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &names, b->err));
    for (int64_t i = 0; i < n; i++) {
        const fl_value *name = &list->list.items[i];
        if (name->is_null || name->type.id != FL_UTF8)
            return fl_sql_bind_fail(b, star->pick->start, FL_ERR_TYPE, "COLUMNS takes a pattern, or a list of names");
        names[i].name = (fl_ast_name){name->s, star->pick->start, star->pick->end};
        FL_TRY(names_add(b, &names[i], ret));
    }
cleanup:
    return st;
}

/* What COLUMNS('pattern') and COLUMNS([names]) leave of the columns. */
static fl_status pick(binder *b, scope *s, const fl_ast_star *star, const scope_col **cols, int32_t *n)
{
    fl_status st = FL_OK;
    int32_t kept = 0;
    fl_value value;
    star_names names = {0};
    scope none;
    fl_sql_scope_init(&none, NULL, CLAUSE_SELECT);
    FL_TRY(fl_sql_bind_constant(b, &none, star->pick, "the argument of COLUMNS", &value));
    bool is_list = !value.is_null && value.type.id == FL_LIST;
    if (value.is_null || (!is_list && value.type.id != FL_UTF8))
        return fl_sql_bind_fail(b, star->pick->start, FL_ERR_TYPE,
                                "COLUMNS takes *, a pattern, a list of names or a lambda, not %s",
                                value.is_null ? "null" : FL_TYPE_NAME(value.type));
    if (is_list)
        FL_TRY(pick_names(b, star, &value, &names));
    for (int32_t i = 0; i < *n; i++) {
        bool is_picked = is_list && names_find(s, cols[i], &names) >= 0;
        if (!is_list)
            FL_TRY(matches(b, star, value.s, cols[i]->name, &is_picked));
        if (is_picked)
            cols[kept++] = cols[i];
    }
    *n = kept;
    if (is_list)
        FL_TRY(check_names(b, s, -1, &names, "COLUMNS"));
    if (kept == 0 && !is_list) {
        fl_nearest near;
        st = fl_sql_bind_fail(b, star->pick->start, FL_ERR_COLUMN, "no column has a name that matches \"%.*s\"",
                              FL_STR_ARG(value.s));
        fl_nearest_init(&near, value.s);
        for (int32_t i = 0; i < s->n_cols; i++)
            fl_nearest_offer(&near, s->cols[i].name);
        fl_nearest_hint(&near, b->err);
    }
cleanup:
    return st;
}

/* The columns of `s` that a star or COLUMNS means, in their order. */
static fl_status columns_of(binder *b, scope *s, const fl_ast_star *star, int32_t pos, const scope_col ***ret,
                            int32_t *ret_n)
{
    fl_status st = FL_OK;
    int32_t table = -1, n = 0;
    star_names excluded;
    if (star->table.count > 0) {
        table = fl_sql_scope_table(s, star->table.parts[star->table.count - 1].text);
        if (table < 0)
            return fl_sql_fail_no_table(b, s, (fl_ast_path){&star->table.parts[star->table.count - 1], 1}, pos);
    } else if (s->n_tables == 0) {
        return fl_sql_bind_fail(b, pos, FL_ERR_SYNTAX, "SELECT * needs a FROM");
    }
    FL_TRY(FL_NEW_ARRAY(b->arena, s->n_cols + 1, ret, b->err));
    FL_TRY(names_init(b, star->exclude_count, &excluded));
    for (int32_t i = 0; i < star->exclude_count; i++)
        FL_TRY(names_add(b, &star->exclude[i], &excluded));
    for (int32_t i = 0; i < s->n_cols; i++) {
        bool is_meant = is_of_star(&s->cols[i], table) && names_find(s, &s->cols[i], &excluded) < 0;
        if (is_meant && star->test != NULL)
            FL_TRY(test_name(b, star, s->cols[i].name, &is_meant));
        if (is_meant)
            (*ret)[n++] = &s->cols[i];
    }
    FL_TRY(check_names(b, s, table, &excluded, "EXCLUDE"));
    if (star->pick != NULL)
        FL_TRY(pick(b, s, star, *ret, &n));
    if (n == 0 && star->test != NULL)
        return fl_sql_bind_fail(b, star->test->start, FL_ERR_COLUMN, "the condition holds for no column's name");
    if (n == 0 && star->exclude_count > 0) /* a source may have no columns */
        return fl_sql_bind_fail(b, pos, FL_ERR_SYNTAX, "nothing is left of this star");
    *ret_n = n;
cleanup:
    return st;
}

/* ---- stars ---- */

/* The items under way. */
typedef struct items {
    select_item *list;
    int32_t n, capacity;
} items;

static fl_status add_item(binder *b, items *to, select_item item)
{
    fl_status st = fl_sql_bind_grow(b, &to->list, to->n, &to->capacity, sizeof(*to->list));
    if (st == FL_OK)
        to->list[to->n++] = item;
    return st;
}

/* Where t.* finds its table, which may be an outer query's; the innermost scope for stars of no table. NULL: there is none. */
static scope *scope_of_star(scope *s, const fl_ast_star *star)
{
    scope *at = s;
    while (star->table.count > 0 && at != NULL &&
           fl_sql_scope_table(at, star->table.parts[star->table.count - 1].text) < 0)
        at = at->outer;
    return at;
}

/* What stands behind a star. */
typedef struct star_lists {
    star_names excluded, renamed, replaced;
} star_lists;

static fl_status star_lists_init(binder *b, const fl_ast_star *star, star_lists *ret)
{
    fl_status st = FL_OK;
    FL_TRY(names_init(b, star->exclude_count, &ret->excluded));
    for (int32_t i = 0; i < star->exclude_count; i++)
        FL_TRY(names_add(b, &star->exclude[i], &ret->excluded));
    FL_TRY(names_init(b, star->rename_count, &ret->renamed));
    for (int32_t i = 0; i < star->rename_count; i++)
        FL_TRY(names_add(b, &star->rename[i].from, &ret->renamed));
    FL_TRY(names_init(b, star->replace_count, &ret->replaced));
    for (int32_t i = 0; i < star->replace_count; i++)
        FL_TRY(names_add(b, &star->replace[i].name, &ret->replaced));
cleanup:
    return st;
}

/* A name that no field of the struct has is a slip. */
static fl_status check_fields(binder *b, const fl_type *type, const star_names *list, const char *word)
{
    fl_nearest near;
    for (int32_t i = 0; i < list->n; i++) {
        const fl_ast_name *name = &list->names[i]->name;
        if (list->is_met[i])
            continue;
        fl_status st = fl_sql_bind_fail(b, name->start, FL_ERR_COLUMN, "field \"%.*s\" of %s is not there",
                                        FL_STR_ARG(name->text), word);
        fl_nearest_init(&near, name->text);
        for (int32_t f = 0; f < type->n_fields; f++)
            fl_nearest_offer(&near, type->fields[f].name);
        fl_nearest_hint(&near, b->err);
        return st;
    }
    return FL_OK;
}

/* s.* where s is a struct: its fields. */
static fl_status expand_struct(binder *b, scope *s, const fl_ast_expr *ast, items *to)
{
    fl_status st = FL_OK;
    const fl_ast_star *star = ast->star;
    fl_ast_expr column = {.kind = FL_AST_COLUMN, .height = 1, .start = ast->start, .end = ast->end, .at = ast->start};
    const fl_expr *value;
    star_lists lists;
    scope fields;
    int32_t n = 0;
    column.path = star->table;
    fl_sql_scope_init(&fields, NULL, CLAUSE_SELECT);
    FL_TRY(fl_sql_bind_column(b, s, &column, &value));
    if (value->type.id != FL_STRUCT)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_TYPE, "\"%.*s\" is no table and no struct, but %s",
                                FL_STR_ARG(star->table.parts[star->table.count - 1].text), FL_TYPE_NAME(value->type));
    FL_TRY(star_lists_init(b, star, &lists));
    for (int32_t i = 0; i < value->type.n_fields; i++) {
        const scope_col field = {.name = value->type.fields[i].name, .table = -1};
        bool is_meant = names_find(&fields, &field, &lists.excluded) < 0;
        if (is_meant && star->test != NULL)
            FL_TRY(test_name(b, star, field.name, &is_meant));
        if (!is_meant)
            continue;
        select_item item = {.name = field.name, .pos = ast->start};
        int32_t r = names_find(&fields, &field, &lists.renamed);
        if (r >= 0)
            FL_TRY(fl_sql_bind_keep(b, star->rename[r].to.text, &item.name));
        r = names_find(&fields, &field, &lists.replaced);
        if (r >= 0)
            item.ast = star->replace[r].expr;
        else
            FL_TRY(fl_expr_field(b->plan, value, field.name, ast->start, &item.expr, b->err));
        FL_TRY(add_item(b, to, item));
        n += 1;
    }
    FL_TRY(check_fields(b, &value->type, &lists.excluded, "EXCLUDE"));
    FL_TRY(check_fields(b, &value->type, &lists.renamed, "RENAME"));
    FL_TRY(check_fields(b, &value->type, &lists.replaced, "REPLACE"));
    if (n == 0)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_SYNTAX, "nothing is left of this star");
cleanup:
    return st;
}

/* Whether s.* or t.s.* begins with a column or a table. */
static bool is_column_star(binder *b, scope *s, const fl_ast_star *star)
{
    const fl_ast_name *name = &star->table.parts[0];
    for (scope *at = s; at != NULL; at = at->outer) {
        const scope_col *col = NULL;
        bool is_found = fl_sql_scope_find(b, at, name->text, name->start, &col) != FL_OK || col != NULL;
        if (is_found || (star->table.count > 1 && fl_sql_scope_table(at, name->text) >= 0))
            return true;
    }
    return false;
}

static fl_status expand_star(binder *b, scope *s, const fl_ast_expr *ast, items *to)
{
    fl_status st = FL_OK;
    const fl_ast_star *star = ast->star;
    const scope_col **cols;
    star_names renamed, replaced;
    int32_t n;
    scope *at = scope_of_star(s, star);
    if (at == NULL && is_column_star(b, s, star))
        return expand_struct(b, s, ast, to);
    s = at != NULL ? at : s;
    FL_TRY(columns_of(b, s, star, ast->start, &cols, &n));
    FL_TRY(names_init(b, star->rename_count, &renamed));
    for (int32_t i = 0; i < star->rename_count; i++)
        FL_TRY(names_add(b, &star->rename[i].from, &renamed));
    FL_TRY(names_init(b, star->replace_count, &replaced));
    for (int32_t i = 0; i < star->replace_count; i++)
        FL_TRY(names_add(b, &star->replace[i].name, &replaced));
    for (int32_t i = 0; i < n; i++) {
        select_item item = {.name = cols[i]->name, .pos = ast->start};
        int32_t r = names_find(s, cols[i], &renamed);
        if (r >= 0)
            FL_TRY(fl_sql_bind_keep(b, star->rename[r].to.text, &item.name));
        r = names_find(s, cols[i], &replaced);
        if (r >= 0)
            item.ast = star->replace[r].expr;
        else
            FL_TRY(fl_expr_column(b->plan, cols[i]->col, ast->start, &item.expr, b->err));
        FL_TRY(add_item(b, to, item));
    }
    int32_t table = star->table.count > 0 ? fl_sql_scope_table(s, star->table.parts[star->table.count - 1].text) : -1;
    FL_TRY(check_names(b, s, table, &replaced, "REPLACE"));
    FL_TRY(check_names(b, s, table, &renamed, "RENAME"));
cleanup:
    return st;
}

/* ---- COLUMNS ---- */

fl_status fl_sql_bind_picked(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    if (ast->flag)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_SYNTAX, "*COLUMNS(...) stands for several arguments or elements");
    if (s->picked == NULL)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_SYNTAX,
                                "COLUMNS(...) stands in select lists, WHERE, GROUP BY and ORDER BY only");
    return fl_sql_bind_scope_col(b, s, s->picked, ast->start, ret);
}

/* The columns that all COLUMNS(...) of an expression, from `last` on, stand for: the same ones. n stays -1 where all of them are spread. */
static fl_status picked_columns(binder *b, scope *s, const fl_ast_expr *last, const scope_col ***ret, int32_t *ret_n)
{
    fl_status st = FL_OK;
    *ret_n = -1;
    for (const fl_ast_expr *at = last; at != NULL; at = at->star->next) {
        const scope_col **cols;
        int32_t n;
        if (at->flag)
            continue;
        FL_TRY(columns_of(b, s, at->star, at->start, &cols, &n));
        bool is_same = *ret_n < 0 || (*ret_n == n && memcmp(cols, *ret, (size_t)n * sizeof(*cols)) == 0);
        if (!is_same) {
            fl_sql_bind_fail(b, last->start, FL_ERR_SYNTAX, "all COLUMNS(...) of one expression pick the same columns");
            fl_err_hint(b->err, "these pick %d and %d, which are others", n, *ret_n);
            return FL_ERR_SYNTAX;
        }
        *ret = cols;
        *ret_n = n;
    }
cleanup:
    return st;
}

fl_status fl_sql_expand_orders(binder *b, scope *s, const fl_ast_order *orders, int32_t n, sort_list *ret)
{
    fl_status st = FL_OK;
    int32_t room = n, capacity = n + 1;
    *ret = (sort_list){0};
    FL_TRY(FL_NEW_ARRAY(b->arena, capacity, &ret->orders, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, capacity, &ret->picked, b->err));
    for (int32_t i = 0; i < n; i++) {
        const scope_col **cols = NULL;
        int32_t n_cols = -1;
        FL_TRY(picked_columns(b, s, orders[i].columns, &cols, &n_cols));
        room += n_cols > 0 ? n_cols : 0;
        if (room > capacity - 1) {
            sort_list more = {0};
            capacity = room * 2;
            FL_TRY(FL_NEW_ARRAY(b->arena, capacity, &more.orders, b->err));
            FL_TRY(FL_NEW_ARRAY(b->arena, capacity, &more.picked, b->err));
            memcpy(more.orders, ret->orders, (size_t)ret->n * sizeof(*more.orders));
            memcpy(more.picked, ret->picked, (size_t)ret->n * sizeof(*more.picked));
            ret->orders = more.orders;
            ret->picked = more.picked;
        }
        for (int32_t c = 0; c < (n_cols < 0 ? 1 : n_cols); c++) {
            ret->orders[ret->n] = orders[i];
            ret->picked[ret->n++] = n_cols < 0 ? NULL : cols[c];
        }
    }
cleanup:
    return st;
}

fl_status fl_sql_expand_groups(binder *b, scope *s, fl_ast_expr *const *elements, int32_t n, fl_ast_expr *const **ret,
                               int32_t *ret_n)
{
    fl_status st = FL_OK;
    fl_ast_expr **made = NULL;
    int32_t at = 0, room = 0;
    *ret = elements;
    *ret_n = n;
    for (int32_t round = 0; round < 2; round++) {
        for (int32_t i = 0; i < n; i++) {
            const scope_col **cols = NULL;
            int32_t n_cols = 0;
            bool is_columns = elements[i]->kind == FL_AST_COLUMNS && !elements[i]->flag;
            fl_ast_maker m = fl_sql_maker(b->arena, elements[i]->start, elements[i]->end, b->err);
            if (is_columns)
                FL_TRY(columns_of(b, s, elements[i]->star, elements[i]->start, &cols, &n_cols));
            room += is_columns ? n_cols : 1;
            for (int32_t c = 0; made != NULL && c < (is_columns ? n_cols : 1); c++)
                made[at++] = is_columns ? fl_sql_make_bound(&m, cols[c]->col.n) : elements[i];
            FL_TRY(m.st);
        }
        if (made == NULL)
            FL_TRY(FL_NEW_ARRAY(b->arena, room + 1, &made, b->err));
    }
    *ret = made;
    *ret_n = at;
cleanup:
    return st;
}

/* The only pattern of COLUMNS('pattern') in an item; empty where there is none. */
static fl_str pattern_of(const fl_ast_item *item)
{
    for (const fl_ast_expr *at = item->columns; at != NULL; at = at->star->next)
        if (at->star->pick != NULL && at->star->pick->kind == FL_AST_STRING)
            return at->star->pick->text;
    return (fl_str){0};
}

/* AS 'x_\1': \0 is the column's name, \1 and others what the pattern's groups match of it. */
static fl_status name_picked(binder *b, const fl_ast_item *item, fl_str name, fl_str *ret)
{
    fl_status st = FL_OK;
    fl_str alias = item->alias.text, pattern = pattern_of(item);
    fl_text made;
    fl_text_init(&made, b->env->memory);
    for (int64_t i = 0; i < alias.len; i++) {
        if (alias.data[i] != '\\' || i + 1 == alias.len || alias.data[i + 1] < '0' || alias.data[i + 1] > '9') {
            fl_text_add_char(&made, alias.data[i]);
            continue;
        }
        int group = alias.data[++i] - '0';
        if (group == 0 || pattern.len == 0) {
            fl_text_add(&made, name);
            continue;
        }
        fl_value value;
        fl_ast_maker m = fl_sql_maker(b->arena, item->alias.start, item->alias.end, b->err);
        fl_ast_expr *args[3] = {fl_sql_make_text(&m, name), fl_sql_make_text(&m, pattern),
                                fl_sql_make_integer(&m, group)};
        fl_ast_expr *call = fl_sql_make_call(&m, "regexp_extract", 3, args);
        FL_TRY(m.st);
        FL_TRY(eval_of_name(b, call, FL_STR("name"), name, &value));
        if (!value.is_null)
            fl_text_add(&made, value.s);
    }
    FL_TRY(fl_text_status(&made, b->err));
    FL_TRY(fl_sql_bind_keep(b, fl_text_str(&made), ret));
cleanup:
    fl_text_drop(&made);
    return st;
}

/* An expression with COLUMNS(...) in it: once for each of the columns. */
static fl_status expand_columns(binder *b, scope *s, const fl_ast_item *item, items *to, bool *ret)
{
    fl_status st = FL_OK;
    const scope_col **cols = NULL;
    int32_t n;
    FL_TRY(picked_columns(b, s, item->columns, &cols, &n));
    *ret = n >= 0;
    for (int32_t i = 0; i < n; i++) {
        select_item made = {.name = cols[i]->name,
                            .ast = item->expr,
                            .pos = item->expr->start,
                            .picked = cols[i],
                            .filter = item->filter};
        if (item->alias.text.len > 0) {
            FL_TRY(name_picked(b, item, cols[i]->name, &made.alias));
            made.name = made.alias;
        }
        FL_TRY(add_item(b, to, made));
    }
cleanup:
    return st;
}

fl_status fl_sql_bind_where(binder *b, scope *s, const fl_ast_select *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const scope_col **cols = NULL;
    const fl_expr **parts = NULL;
    int32_t n = -1;
    FL_TRY(picked_columns(b, s, ast->where_columns, &cols, &n));
    if (n < 0)
        return fl_sql_bind_bool(b, s, ast->where, "argument of WHERE", ret);
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &parts, b->err));
    for (int32_t i = 0; i < n; i++) {
        s->picked = cols[i];
        FL_TRY(fl_sql_bind_bool(b, s, ast->where, "argument of WHERE", &parts[i]));
    }
    s->picked = NULL;
    if (n == 0)
        return fl_sql_expr_bool(b, true, ast->where->start, ret);
    FL_TRY(fl_expr_and(b->plan, parts, n, ast->where->start, ret, b->err));
cleanup:
    return st;
}

fl_status fl_sql_spread_list(binder *b, scope *s, fl_ast_expr *const *items, int32_t n, fl_ast_expr *const **ret,
                             int32_t *ret_n)
{
    fl_status st = FL_OK;
    fl_ast_arg *args = NULL;
    const fl_ast_arg *spread;
    fl_ast_expr **made = NULL;
    bool any = false;
    for (int32_t i = 0; i < n; i++)
        any |= items[i]->kind == FL_AST_COLUMNS && items[i]->flag;
    *ret = items;
    *ret_n = n;
    if (!any)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &args, b->err));
    for (int32_t i = 0; i < n; i++)
        args[i].value = items[i];
    FL_TRY(fl_sql_spread(b, s, args, n, &spread, &n));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &made, b->err));
    for (int32_t i = 0; i < n; i++)
        made[i] = spread[i].value;
    *ret = made;
    *ret_n = n;
cleanup:
    return st;
}

fl_status fl_sql_spread(binder *b, scope *s, const fl_ast_arg *args, int32_t n, const fl_ast_arg **ret, int32_t *ret_n)
{
    fl_status st = FL_OK;
    fl_ast_arg *made = NULL;
    int32_t capacity = 0, n_made = 0;
    bool any = false;
    for (int32_t i = 0; i < n; i++)
        any |= args[i].value->kind == FL_AST_COLUMNS && args[i].value->flag;
    *ret = args;
    *ret_n = n;
    for (int32_t i = 0; i < n && any; i++) {
        const fl_ast_expr *value = args[i].value;
        const scope_col **cols = NULL;
        int32_t n_cols = 1;
        bool is_spread = value->kind == FL_AST_COLUMNS && value->flag;
        if (is_spread)
            FL_TRY(columns_of(b, s, value->star, value->start, &cols, &n_cols));
        for (int32_t c = 0; c < n_cols; c++) {
            fl_ast_maker m = fl_sql_maker(b->arena, value->start, value->end, b->err);
            FL_TRY(fl_sql_bind_grow(b, &made, n_made, &capacity, sizeof(*made)));
            made[n_made] = args[i];
            if (is_spread) {
                const fl_expr *ref; /* notes that the column is read here */
                FL_TRY(fl_sql_bind_scope_col(b, s, cols[c], value->start, &ref));
                made[n_made] = (fl_ast_arg){.name = fl_sql_make_name(&m, cols[c]->name),
                                            .value = fl_sql_make_bound(&m, cols[c]->col.n)};
            }
            FL_TRY(m.st);
            n_made++;
        }
        *ret = made;
        *ret_n = n_made;
    }
cleanup:
    return st;
}

/* ---- the list ---- */

fl_status fl_sql_expand_items(binder *b, scope *s, const fl_ast_select *ast, select_item **ret, int32_t *ret_n)
{
    fl_status st = FL_OK;
    items made = {0};
    FL_TRY(FL_NEW_ARRAY(b->arena, ast->item_count + 1, &made.list, b->err));
    made.capacity = ast->item_count + 1;
    for (int32_t i = 0; i < ast->item_count; i++) {
        const fl_ast_item *item = &ast->items[i];
        bool is_done = item->expr->kind == FL_AST_STAR;
        if (is_done)
            FL_TRY(expand_star(b, s, item->expr, &made));
        else if (item->columns != NULL)
            FL_TRY(expand_columns(b, s, item, &made, &is_done));
        if (is_done)
            continue;
        select_item one = {.ast = item->expr, .pos = item->expr->start, .filter = item->filter};
        if (item->alias.text.len > 0)
            FL_TRY(fl_sql_bind_keep(b, item->alias.text, &one.alias));
        FL_TRY(fl_sql_bind_keep(b, one.alias.len > 0 ? one.alias : fl_sql_name_of(item->expr), &one.name));
        FL_TRY(add_item(b, &made, one));
    }
    *ret = made.list;
    *ret_n = made.n;
cleanup:
    return st;
}
