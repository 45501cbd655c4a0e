/* Names: scopes of columns and tables, and what a name means at a place. */
#include "front/sql/bind.h"

#include "base/hash.h"
#include "base/nearest.h"

#define INDEX_FROM 24 /* columns from which on a scope looks names up by hash */

scope *fl_sql_scope_init(scope *s, scope *outer, clause clause)
{
    *s = (scope){.outer = outer, .clause = clause};
    return s;
}

/* The place in the index of the name, or where it would be. */
static int64_t index_place(const scope *s, fl_str name)
{
    int64_t mask = s->index_size - 1, at = (int64_t)(fl_name_hash(name) & (uint64_t)mask);
    while (s->index[at] != 0 && !fl_str_is_equal_nocase(s->cols[s->index[at] - 1].name, name))
        at = (at + 1) & mask;
    return at;
}

/* Columns of one name are a chain in their order. */
static void index_col(scope *s, int32_t i)
{
    int32_t *first = &s->index[index_place(s, s->cols[i].name)];
    s->cols[i].next = 0;
    s->cols[i].last = i + 1;
    if (*first == 0) {
        *first = i + 1;
        return;
    }
    s->cols[s->cols[*first - 1].last - 1].next = i + 1;
    s->cols[*first - 1].last = i + 1;
}

static fl_status make_index(binder *b, scope *s)
{
    fl_status st = FL_OK;
    int32_t size = 64;
    while (size < s->n_cols * 4)
        size *= 2;
    FL_TRY(FL_NEW_ARRAY(b->arena, size, &s->index, b->err));
    s->index_size = size;
    for (int32_t i = 0; i < s->n_cols; i++)
        index_col(s, i);
cleanup:
    return st;
}

/* Room for more of both, doubled so that adding one by one is linear. */
static fl_status make_room(binder *b, scope *s, int32_t n_cols, int32_t n_tables)
{
    fl_status st = FL_OK;
    if (s->n_cols + n_cols > s->cols_capacity) {
        scope_col *cols = NULL;
        int32_t capacity = s->n_cols + n_cols + (s->n_cols > 0 ? s->n_cols + n_cols : 0);
        FL_TRY(FL_NEW_ARRAY(b->arena, capacity, &cols, b->err));
        if (s->n_cols > 0)
            memcpy(cols, s->cols, (size_t)s->n_cols * sizeof(*cols));
        s->cols = cols;
        s->cols_capacity = capacity;
    }
    if (s->n_tables + n_tables > s->tables_capacity) {
        scope_table *tables = NULL;
        int32_t capacity = (s->n_tables + n_tables) * 2;
        FL_TRY(FL_NEW_ARRAY(b->arena, capacity, &tables, b->err));
        if (s->n_tables > 0)
            memcpy(tables, s->tables, (size_t)s->n_tables * sizeof(*tables));
        s->tables = tables;
        s->tables_capacity = capacity;
    }
cleanup:
    return st;
}

static void add_col(scope *s, scope_col col)
{
    s->cols[s->n_cols++] = col;
    if (s->index != NULL && s->n_cols * 2 <= s->index_size)
        index_col(s, s->n_cols - 1);
    else
        s->index = NULL;
}

fl_status fl_sql_scope_add_table(binder *b, scope *s, fl_str alias, fl_str name, const fl_str *names,
                                 const fl_col_id *cols, int32_t n_cols, int32_t pos)
{
    fl_status st = FL_OK;
    if (alias.len > 0 && fl_sql_scope_table(s, alias) >= 0)
        return fl_sql_bind_fail_state(b, pos, FL_ERR_DUPLICATE, "42712", "two tables are called \"%.*s\" here",
                                      FL_STR_ARG(alias));
    FL_TRY(make_room(b, s, n_cols, 1));
    for (int32_t i = 0; i < n_cols; i++)
        add_col(s, (scope_col){.name = names[i], .col = cols[i], .table = s->n_tables});
    s->tables[s->n_tables++] = (scope_table){.alias = alias, .name = name};
cleanup:
    return st;
}

fl_status fl_sql_scope_add_system(binder *b, scope *s, fl_str name, fl_col_id col)
{
    fl_status st = FL_OK;
    FL_ASSERT(s->n_tables > 0);
    for (int32_t i = 0; i < s->n_cols; i++)
        if (s->cols[i].table == s->n_tables - 1 && fl_str_is_equal_nocase(s->cols[i].name, name))
            return FL_OK; /* the table has a column of its own that is called so */
    FL_TRY(make_room(b, s, 1, 0));
    add_col(s, (scope_col){.name = name, .col = col, .table = s->n_tables - 1, .is_hidden = true, .is_system = true});
cleanup:
    return st;
}

fl_status fl_sql_scope_add_all(binder *b, scope *s, const scope *from)
{
    fl_status st = FL_OK;
    int32_t n_tables = s->n_tables;
    FL_TRY(make_room(b, s, from->n_cols, from->n_tables));
    for (int32_t i = 0; i < from->n_cols; i++) {
        scope_col col = from->cols[i];
        if (col.table >= 0)
            col.table += n_tables;
        add_col(s, col);
    }
    if (from->n_tables > 0)
        memcpy(s->tables + n_tables, from->tables, (size_t)from->n_tables * sizeof(*from->tables));
    s->n_tables += from->n_tables;
cleanup:
    return st;
}

fl_status fl_sql_scope_take(binder *b, scope *s, scope *from)
{
    if (s->n_cols > 0 || s->n_tables > 0)
        return fl_sql_scope_add_all(b, s, from);
    s->cols = from->cols;
    s->n_cols = from->n_cols;
    s->cols_capacity = from->cols_capacity;
    s->tables = from->tables;
    s->n_tables = from->n_tables;
    s->tables_capacity = from->tables_capacity;
    s->index = from->index;
    s->index_size = from->index_size;
    return FL_OK;
}

int32_t fl_sql_scope_table(const scope *s, fl_str alias)
{
    for (int32_t i = 0; i < s->n_tables; i++)
        if (s->tables[i].alias.len > 0 && fl_str_is_equal_nocase(s->tables[i].alias, alias))
            return i;
    return -1;
}

/* ---- looking up ---- */

/* The next column of this name, from *cursor on, which begins as 0; NULL at the end. */
static const scope_col *next_named(const scope *s, fl_str name, int32_t *cursor)
{
    if (s->index == NULL) {
        for (int32_t i = *cursor; i < s->n_cols; i++) {
            if (fl_str_is_equal_nocase(s->cols[i].name, name)) {
                *cursor = i + 1;
                return &s->cols[i];
            }
        }
        return NULL;
    }
    int32_t found = *cursor == 0 ? s->index[index_place(s, name)] : s->cols[*cursor - 1].next;
    *cursor = found;
    return found == 0 ? NULL : &s->cols[found - 1];
}

static fl_status fail_ambiguous(binder *b, const scope *s, fl_str name, int32_t pos)
{
    fl_text uses;
    fl_text_init(&uses, NULL);
    int32_t cursor = 0;
    const scope_col *col;
    int32_t n = 0;
    while ((col = next_named(s, name, &cursor)) != NULL) {
        if ((col->is_hidden && !col->is_system) || col->table < 0 || s->tables[col->table].alias.len == 0)
            continue;
        fl_text_addf(&uses, "%s%.*s.%.*s", n++ > 0 ? " or " : "", FL_STR_ARG(s->tables[col->table].alias),
                     FL_STR_ARG(col->name));
    }
    fl_status st = fl_sql_bind_fail(b, pos, FL_ERR_AMBIGUOUS, "column \"%.*s\" is ambiguous", FL_STR_ARG(name));
    if (n > 0 && uses.data != NULL)
        fl_err_hint(b->err, "use: %s", uses.data);
    fl_text_drop(&uses);
    return st;
}

/* The only column of a function's table by the function's name; `table` -1: of any table. */
static const scope_col *find_only(const scope *s, int32_t table, fl_str name)
{
    for (int32_t t = 0; t < s->n_tables; t++) {
        if ((table >= 0 && t != table) || s->tables[t].only.len == 0 ||
            !fl_str_is_equal_nocase(s->tables[t].only, name))
            continue;
        for (int32_t i = 0; i < s->n_cols; i++)
            if (s->cols[i].table == t)
                return &s->cols[i];
    }
    return NULL;
}

fl_status fl_sql_scope_find(binder *b, scope *s, fl_str name, int32_t pos, const scope_col **ret)
{
    fl_status st = FL_OK;
    int32_t cursor = 0;
    const scope_col *col, *found = NULL;
    *ret = NULL;
    if (s->index == NULL && s->n_cols >= INDEX_FROM)
        FL_TRY(make_index(b, s));
    while ((col = next_named(s, name, &cursor)) != NULL) {
        if (col->is_hidden && !col->is_system)
            continue;
        if (found != NULL && !fl_col_is_equal(found->col, col->col))
            return fail_ambiguous(b, s, name, pos);
        found = col;
    }
    *ret = found != NULL ? found : find_only(s, -1, name);
cleanup:
    return st;
}

/* The column `name` of one table. */
static fl_status find_in_table(binder *b, scope *s, int32_t table, fl_str name, int32_t pos, const scope_col **ret)
{
    fl_status st = FL_OK;
    int32_t cursor = 0;
    const scope_col *col;
    *ret = NULL;
    if (s->index == NULL && s->n_cols >= INDEX_FROM)
        FL_TRY(make_index(b, s));
    while ((col = next_named(s, name, &cursor)) != NULL) {
        if (col->table != table)
            continue;
        if (*ret != NULL)
            return fl_sql_bind_fail(b, pos, FL_ERR_AMBIGUOUS, "\"%.*s\" has two columns \"%.*s\"",
                                    FL_STR_ARG(s->tables[table].alias), FL_STR_ARG(name));
        *ret = col;
    }
    if (*ret == NULL)
        *ret = find_only(s, table, name);
cleanup:
    return st;
}

/* ---- faults ---- */

fl_status fl_sql_fail_no_table(binder *b, scope *s, fl_ast_path path, int32_t pos)
{
    fl_nearest near;
    fl_str name = path.parts[path.count > 1 ? path.count - 2 : 0].text;
    fl_status st = fl_sql_bind_fail(b, pos, FL_ERR_TABLE, "there is no table \"%.*s\" in FROM", FL_STR_ARG(name));
    fl_nearest_init(&near, name);
    for (scope *at = fl_sql_visible(b, s); at != NULL; at = fl_sql_visible(b, at->outer)) {
        for (int32_t i = 0; i < at->n_tables; i++) {
            if (at->tables[i].alias.len > 0 && fl_str_is_equal_nocase(at->tables[i].name, name)) {
                fl_err_hint(b->err, "\"%.*s\" is called \"%.*s\" here", FL_STR_ARG(name),
                            FL_STR_ARG(at->tables[i].alias));
                return st;
            }
            fl_nearest_offer(&near, at->tables[i].alias);
        }
    }
    fl_nearest_hint(&near, b->err);
    return st;
}

/* `quoted` is written in double quotes and names nothing: in other systems that is a text. */
static void hint_single_quotes(binder *b, fl_str quoted)
{
    fl_text hint;
    fl_text_init(&hint, NULL);
    fl_text_addf(&hint, "%s%sdouble quotes are for names; as a text it is '", b->err->hint,
                 b->err->hint[0] != 0 ? " or: " : "");
    for (int64_t i = 0; i < quoted.len; i++)
        fl_text_addf(&hint, quoted.data[i] == '\'' ? "''" : "%c", quoted.data[i]);
    fl_text_add(&hint, FL_STR("'"));
    if (hint.data != NULL)
        fl_err_hint(b->err, "%s", hint.data);
    fl_text_drop(&hint);
}

static fl_status fail_no_column(binder *b, scope *s, int32_t table, fl_ast_name written, int32_t pos)
{
    fl_str name = written.text;
    fl_nearest near;
    fl_status st;
    fl_nearest_init(&near, name);
    if (table >= 0)
        st = fl_sql_bind_fail(b, pos, FL_ERR_COLUMN, "there is no column \"%.*s\" in \"%.*s\"", FL_STR_ARG(name),
                              FL_STR_ARG(s->tables[table].alias));
    else
        st = fl_sql_bind_fail(b, pos, FL_ERR_COLUMN, "there is no column \"%.*s\"", FL_STR_ARG(name));
    int32_t n_cols = 0;
    for (int32_t i = 0; table < 0 && b->macro != NULL && b->macro->macro != NULL && i < b->macro->macro->param_count;
         i++)
        fl_nearest_offer(&near, b->macro->macro->params[i].name.text);
    for (const scope *at = fl_sql_visible(b, s); at != NULL; at = table >= 0 ? NULL : fl_sql_visible(b, at->outer)) {
        n_cols += at->n_cols;
        for (int32_t i = 0; i < at->n_cols; i++)
            if (table < 0 || at->cols[i].table == table)
                fl_nearest_offer(&near, at->cols[i].name);
        if (table < 0)
            for (int32_t i = 0; i < at->n_items; i++)
                fl_nearest_offer(&near, at->items[i].alias);
    }
    fl_nearest_hint(&near, b->err);
    if (near.count == 0 && n_cols == 0 && written.end - written.start == name.len)
        fl_err_hint(b->err, "there is no FROM here; text is written in single quotes");
    if (table < 0 && written.end - written.start > name.len && b->err != NULL) /* it has quotes */
        hint_single_quotes(b, name);
    return st;
}

/* ---- column expressions ---- */

static fl_status add_ref(binder *b, scope *s, fl_col_id col, int32_t pos)
{
    fl_status st = FL_OK;
    if (s->in_aggregate)
        return FL_OK;
    FL_TRY(fl_sql_bind_grow(b, &s->refs, s->n_refs, &s->refs_capacity, sizeof(*s->refs)));
    s->refs[s->n_refs++] = (col_ref){col, pos};
cleanup:
    return st;
}

fl_status fl_sql_bind_scope_col(binder *b, scope *s, const scope_col *col, int32_t pos, const fl_expr **ret)
{
    fl_status st = add_ref(b, s, col->col, pos);
    return st != FL_OK ? st : fl_expr_column(b->plan, col->col, pos, ret, b->err);
}

/* Fields of a struct column, from part `from` of the path on. */
static fl_status bind_fields(binder *b, const fl_ast_path *path, int32_t from, const fl_expr *value,
                             const fl_expr **ret)
{
    fl_status st = FL_OK;
    for (int32_t i = from; i < path->count; i++)
        FL_TRY(fl_sql_bind_member(b, value, &path->parts[i], &value));
    *ret = value;
cleanup:
    return st;
}

/* An alias of the select list, bound once more where it is not bound yet: once a clause, since aliases are made of aliases. */
static fl_status bind_alias(binder *b, scope *s, fl_str name, int32_t pos, const fl_expr **ret)
{
    fl_status st = FL_OK;
    select_item *found = NULL;
    *ret = NULL;
    for (int32_t i = s->n_items > 0 ? fl_name_map_find(&s->aliases.first, name) : -1; i >= 0;
         i = s->aliases.next[i] - 1) {
        select_item *item = &s->items[i];
        if (item->ast == NULL || item->is_binding)
            continue;
        if (found != NULL)
            return fl_sql_bind_fail(b, pos, FL_ERR_AMBIGUOUS, "column \"%.*s\" is ambiguous", FL_STR_ARG(name));
        found = item;
    }
    if (found == NULL || (s->clause == CLAUSE_SELECT && found->expr == NULL))
        return FL_OK; /* in the list itself only what stands to the left is an alias yet */
    if (found->expr != NULL && !s->in_aggregate) {
        *ret = found->expr;
        return FL_OK;
    }
    const fl_expr **known = &found->alias_expr[s->in_aggregate];
    if (*known == NULL || found->alias_clause[s->in_aggregate] != s->clause) {
        const scope_col *picked = s->picked;
        const fl_ast_expr *filter = s->filter;
        found->is_binding = true;
        s->picked = found->picked;
        s->filter = found->filter;
        st = fl_sql_bind_expr(b, s, found->ast, known);
        s->picked = picked;
        s->filter = filter;
        found->is_binding = false;
        found->alias_clause[s->in_aggregate] = s->clause;
        FL_TRY(st);
    }
    *ret = *known;
cleanup:
    return st;
}

/* A column that a path means, and how many of the path's parts name it. */
typedef struct found_col {
    scope *at;
    const scope_col *col;
    int32_t parts;
    scope *table_at; /* where a table has the path's first name; NULL: nowhere */
    int32_t table;
    fl_type no_struct; /* of the first column of the path's first name that has no fields; FL_NULL: there is none */
} found_col;

/* t.a, schema.t.a or database.schema.t.a: the nearest table of the name is the one that is meant, whatever columns there are of that name. */
static fl_status find_in_tables(binder *b, scope *s, const fl_ast_expr *ast, found_col *ret)
{
    fl_status st = FL_OK;
    const fl_ast_path *path = &ast->path;
    const fl_ast_name *parts = path->parts;
    for (scope *at = fl_sql_visible(b, s); at != NULL && ret->col == NULL; at = fl_sql_visible(b, at->outer)) {
        int32_t table = fl_sql_scope_table(at, parts[0].text);
        ret->at = at;
        if (table >= 0 && ret->table_at == NULL) {
            ret->table_at = at;
            ret->table = table;
            ret->parts = 2;
            FL_TRY(find_in_table(b, at, table, parts[1].text, ast->start, &ret->col));
        }
        for (int32_t i = 1; i < FL_NAME_PARTS_MAX && i + 1 < path->count && ret->col == NULL; i++)
            if ((table = fl_sql_scope_table(at, parts[i].text)) >= 0 && at->tables[table].name.len > 0) {
                ret->parts = i + 2;
                FL_TRY(find_in_table(b, at, table, parts[i + 1].text, ast->start, &ret->col));
            }
    }
cleanup:
    return st;
}

/* a, or a.field of a struct, or of JSON. */
static fl_status find_by_name(binder *b, scope *s, const fl_ast_expr *ast, found_col *ret)
{
    fl_status st = FL_OK;
    for (scope *at = fl_sql_visible(b, s); at != NULL && ret->col == NULL; at = fl_sql_visible(b, at->outer)) {
        ret->at = at;
        ret->parts = 1;
        FL_TRY(fl_sql_scope_find(b, at, ast->path.parts[0].text, ast->start, &ret->col));
        fl_type type = ret->col == NULL ? FL_TYPE(FL_NULL) : fl_plan_col(b->plan, ret->col->col)->type;
        if (ret->col == NULL || ast->path.count == 1 || type.id == FL_STRUCT || type.extension == FL_JSON)
            continue;
        ret->col = NULL;
        ret->no_struct = ret->no_struct.id == FL_NULL ? type : ret->no_struct;
    }
cleanup:
    return st;
}

/* g of generate_series(1, 3) AS g(x): the row of a function of single values is its value. Columns of that name go before, those
 * of outer queries, too. */
static const scope_col *find_value(const binder *b, scope *s, fl_str name, scope **ret_at)
{
    for (scope *at = fl_sql_visible(b, s); at != NULL; at = fl_sql_visible(b, at->outer)) {
        int32_t table = fl_sql_scope_table(at, name);
        if (table < 0)
            continue;
        *ret_at = at;
        for (int32_t i = 0; i < at->n_cols && at->tables[table].is_value; i++)
            if (at->cols[i].table == table)
                return &at->cols[i];
        return NULL;
    }
    return NULL;
}

/* The row that an outer join has not is null, and no row of nulls. One that is there and has nothing but nulls is taken for that. */
static fl_status null_where_padded(binder *b, const fl_expr **values, int32_t n, int32_t pos, const fl_expr **row)
{
    fl_status st = FL_OK;
    fl_value null = {.type = (*row)->type, .is_null = true};
    const fl_expr *cases[3];
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_expr_is_null(b->plan, values[i], pos, &values[i], b->err));
    FL_TRY(fl_expr_and(b->plan, values, n, pos, &cases[0], b->err));
    FL_TRY(fl_expr_const(b->plan, &null, pos, &cases[1], b->err));
    cases[2] = *row;
    FL_TRY(fl_expr_case(b->plan, cases, 3, pos, row, b->err));
cleanup:
    return st;
}

/* t, where no column is called so and a table is: its row, as a struct. */
static fl_status bind_whole_row(binder *b, scope *s, int32_t table, int32_t pos, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr **values = NULL;
    fl_str *names = NULL;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(b->arena, s->n_cols + 1, &values, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, s->n_cols + 1, &names, b->err));
    for (int32_t i = 0; i < s->n_cols; i++) {
        if (s->cols[i].table != table || s->cols[i].is_system)
            continue;
        names[n] = s->cols[i].name;
        FL_TRY(fl_sql_bind_scope_col(b, s, &s->cols[i], pos, &values[n++]));
    }
    FL_TRY(fl_expr_struct(b->plan, names, values, n, pos, ret, b->err));
    if (s->tables[table].is_padded && n > 0)
        FL_TRY(null_where_padded(b, values, n, pos, ret));
cleanup:
    return st;
}

fl_status fl_sql_bind_column(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_ast_path *path = &ast->path;
    const fl_expr *value;
    found_col found = {0};
    if (path->count > 1)
        FL_TRY(find_in_tables(b, s, ast, &found));
    if (found.col == NULL)
        FL_TRY(find_by_name(b, s, ast, &found));
    int32_t param = found.table_at == NULL ? fl_sql_macro_param(b, path->parts[0].text) : -1;
    if (param >= 0 && found.col != NULL) {
        st = fl_sql_bind_fail(b, ast->start, FL_ERR_AMBIGUOUS, "\"%.*s\" is a column and a parameter of the macro",
                              FL_STR_ARG(path->parts[0].text));
        fl_err_hint(b->err, "write the table's name in front of the column, or call the parameter otherwise");
        return st;
    }
    if (param >= 0) {
        FL_TRY(fl_sql_bind_macro_param(b, param, ast->start, &value));
        if (value->type.id == FL_NULL) { /* and so is each of its fields */
            *ret = value;
            return FL_OK;
        }
        return bind_fields(b, path, 1, value, ret);
    }
    if (found.col != NULL) {
        FL_TRY(fl_sql_bind_scope_col(b, found.at, found.col, ast->start, &value));
        return bind_fields(b, path, found.parts, value, ret);
    }
    value = NULL;
    if (fl_sql_visible(b, s) != NULL)
        FL_TRY(bind_alias(b, s, path->parts[0].text, ast->start, &value)); /* of its own SELECT only */
    if (value != NULL)
        return bind_fields(b, path, 1, value, ret);
    found.at = NULL;
    if (path->count == 1 && (found.col = find_value(b, s, path->parts[0].text, &found.at)) != NULL)
        return fl_sql_bind_scope_col(b, found.at, found.col, ast->start, ret);
    if (path->count == 1 && found.at != NULL) /* the table of that name */
        return bind_whole_row(b, found.at, fl_sql_scope_table(found.at, path->parts[0].text), ast->start, ret);
    if (path->count > 1 && found.table_at == NULL) {
        st = fl_sql_fail_no_table(b, s, *path, ast->start);
        if (found.no_struct.id != FL_NULL)
            fl_err_hint(b->err, "the column \"%.*s\" is no struct, but %s: it has no fields",
                        FL_STR_ARG(path->parts[0].text), FL_TYPE_NAME(found.no_struct));
        return st;
    }
    return fail_no_column(b, found.table_at != NULL ? found.table_at : s, found.table_at != NULL ? found.table : -1,
                          path->parts[found.table_at != NULL ? 1 : 0], ast->start);
cleanup:
    return st;
}
