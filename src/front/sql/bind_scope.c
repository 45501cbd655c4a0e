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

fl_status fl_sql_scope_add_table(binder *b, scope *s, fl_str alias, fl_str name, const fl_str *names,
                                 const fl_col_id *cols, int32_t n_cols, int32_t pos)
{
    fl_status st = FL_OK;
    scope_col *all = NULL;
    scope_table *tables = NULL;
    if (alias.len > 0 && fl_sql_scope_table(s, alias) >= 0)
        return fl_sql_bind_fail_state(b, pos, FL_ERR_DUPLICATE, "42712", "two tables are called \"%.*s\" here",
                                      FL_STR_ARG(alias));
    FL_TRY(FL_NEW_ARRAY(b->arena, s->n_cols + n_cols + 1, &all, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, s->n_tables + 1, &tables, b->err));
    if (s->n_cols > 0)
        memcpy(all, s->cols, (size_t)s->n_cols * sizeof(*all));
    if (s->n_tables > 0)
        memcpy(tables, s->tables, (size_t)s->n_tables * sizeof(*tables));
    for (int32_t i = 0; i < n_cols; i++)
        all[s->n_cols + i] = (scope_col){.name = names[i], .col = cols[i], .table = s->n_tables};
    tables[s->n_tables] = (scope_table){alias, name};
    s->cols = all;
    s->n_cols += n_cols;
    s->tables = tables;
    s->n_tables++;
    s->index = NULL;
cleanup:
    return st;
}

fl_status fl_sql_scope_add_all(binder *b, scope *s, const scope *from)
{
    fl_status st = FL_OK;
    scope_col *cols = NULL;
    scope_table *tables = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, s->n_cols + from->n_cols + 1, &cols, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, s->n_tables + from->n_tables + 1, &tables, b->err));
    if (s->n_cols > 0)
        memcpy(cols, s->cols, (size_t)s->n_cols * sizeof(*cols));
    if (s->n_tables > 0)
        memcpy(tables, s->tables, (size_t)s->n_tables * sizeof(*tables));
    for (int32_t i = 0; i < from->n_cols; i++) {
        cols[s->n_cols + i] = from->cols[i];
        if (from->cols[i].table >= 0)
            cols[s->n_cols + i].table += s->n_tables;
    }
    if (from->n_tables > 0)
        memcpy(tables + s->n_tables, from->tables, (size_t)from->n_tables * sizeof(*tables));
    s->cols = cols;
    s->n_cols += from->n_cols;
    s->tables = tables;
    s->n_tables += from->n_tables;
    s->index = NULL;
cleanup:
    return st;
}

int32_t fl_sql_scope_table(const scope *s, fl_str alias)
{
    for (int32_t i = 0; i < s->n_tables; i++)
        if (s->tables[i].alias.len > 0 && fl_str_is_equal_nocase(s->tables[i].alias, alias))
            return i;
    return -1;
}

/* ---- looking up ---- */

static uint64_t hash_nocase(fl_str name)
{
    uint64_t hash = (uint64_t)name.len;
    for (int64_t i = 0; i < name.len; i++)
        hash = hash * 31 + (unsigned char)fl_char_lower(name.data[i]);
    return fl_hash_u64(hash, 0);
}

/* Every column has an entry; columns of one name follow each other along the probe. */
static fl_status make_index(binder *b, scope *s)
{
    fl_status st = FL_OK;
    int32_t size = 64;
    while (size < s->n_cols * 2)
        size *= 2;
    FL_TRY(FL_NEW_ARRAY(b->arena, size, &s->index, b->err));
    s->index_size = size;
    for (int32_t i = 0; i < s->n_cols; i++) {
        uint64_t at = hash_nocase(s->cols[i].name) & (uint64_t)(size - 1);
        while (s->index[at] != 0)
            at = (at + 1) & (uint64_t)(size - 1);
        s->index[at] = i + 1;
    }
cleanup:
    return st;
}

/* The next column of this name, from *cursor on; NULL at the end. */
static const scope_col *next_named(const scope *s, fl_str name, int64_t *cursor)
{
    if (s->index == NULL) {
        for (int64_t i = *cursor; i < s->n_cols; i++) {
            if (fl_str_is_equal_nocase(s->cols[i].name, name)) {
                *cursor = i + 1;
                return &s->cols[i];
            }
        }
        return NULL;
    }
    int64_t mask = s->index_size - 1;
    int64_t at = *cursor == 0 ? (int64_t)(hash_nocase(name) & (uint64_t)mask) : *cursor & mask;
    for (; s->index[at] != 0; at = (at + 1) & mask) {
        const scope_col *col = &s->cols[s->index[at] - 1];
        if (fl_str_is_equal_nocase(col->name, name)) {
            *cursor = at + 1 + s->index_size; /* never 0, the same slot under the mask */
            return col;
        }
    }
    return NULL;
}

static fl_status fail_ambiguous(binder *b, const scope *s, fl_str name, int32_t pos)
{
    fl_text uses;
    fl_text_init(&uses, NULL);
    int64_t cursor = 0;
    const scope_col *col;
    int32_t n = 0;
    while ((col = next_named(s, name, &cursor)) != NULL) {
        if (col->is_hidden || col->table < 0 || s->tables[col->table].alias.len == 0)
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

fl_status fl_sql_scope_find(binder *b, scope *s, fl_str name, int32_t pos, const scope_col **ret)
{
    fl_status st = FL_OK;
    int64_t cursor = 0;
    const scope_col *col, *found = NULL;
    *ret = NULL;
    if (s->index == NULL && s->n_cols >= INDEX_FROM)
        FL_TRY(make_index(b, s));
    while ((col = next_named(s, name, &cursor)) != NULL) {
        if (col->is_hidden)
            continue;
        if (found != NULL && !fl_col_is_equal(found->col, col->col))
            return fail_ambiguous(b, s, name, pos);
        found = col;
    }
    *ret = found;
cleanup:
    return st;
}

/* The column `name` of one table. */
static fl_status find_in_table(binder *b, scope *s, int32_t table, fl_str name, int32_t pos, const scope_col **ret)
{
    fl_status st = FL_OK;
    int64_t cursor = 0;
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
cleanup:
    return st;
}

/* ---- faults ---- */

fl_status fl_sql_fail_no_table(binder *b, const scope *s, fl_ast_path path, int32_t pos)
{
    fl_nearest near;
    fl_str name = path.parts[path.count > 1 ? path.count - 2 : 0].text;
    fl_status st = fl_sql_bind_fail(b, pos, FL_ERR_TABLE, "there is no table \"%.*s\" in FROM", FL_STR_ARG(name));
    fl_nearest_init(&near, name);
    for (const scope *at = s; at != NULL; at = at->outer) {
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

static fl_status fail_no_column(binder *b, const scope *s, int32_t table, fl_str name, int32_t pos)
{
    fl_nearest near;
    fl_status st;
    fl_nearest_init(&near, name);
    if (table >= 0)
        st = fl_sql_bind_fail(b, pos, FL_ERR_COLUMN, "there is no column \"%.*s\" in \"%.*s\"", FL_STR_ARG(name),
                              FL_STR_ARG(s->tables[table].alias));
    else
        st = fl_sql_bind_fail(b, pos, FL_ERR_COLUMN, "there is no column \"%.*s\"", FL_STR_ARG(name));
    int32_t n_cols = 0;
    for (const scope *at = s; at != NULL; at = table >= 0 ? NULL : at->outer) {
        n_cols += at->n_cols;
        for (int32_t i = 0; i < at->n_cols; i++)
            if (table < 0 || at->cols[i].table == table)
                fl_nearest_offer(&near, at->cols[i].name);
        if (table < 0)
            for (int32_t i = 0; i < at->n_items; i++)
                fl_nearest_offer(&near, at->items[i].alias);
    }
    fl_nearest_hint(&near, b->err);
    if (near.count == 0 && n_cols == 0)
        fl_err_hint(b->err, "there is no FROM here; text is written in single quotes");
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

/* Fields of a struct column, from part `from` of the path on. */
static fl_status bind_fields(binder *b, const fl_ast_path *path, int32_t from, const fl_expr *value,
                             const fl_expr **ret)
{
    fl_status st = FL_OK;
    for (int32_t i = from; i < path->count; i++)
        FL_TRY(fl_expr_field(b->plan, value, path->parts[i].text, path->parts[i].start, &value, b->err));
    *ret = value;
cleanup:
    return st;
}

/* An alias of the select list, bound anew unless it is bound already. */
static fl_status bind_alias(binder *b, scope *s, fl_str name, int32_t pos, const fl_expr **ret)
{
    fl_status st = FL_OK;
    select_item *found = NULL;
    *ret = NULL;
    for (int32_t i = 0; i < s->n_items; i++) {
        select_item *item = &s->items[i];
        if (item->alias.len == 0 || item->ast == NULL || item->is_binding || !fl_str_is_equal_nocase(item->alias, name))
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
    found->is_binding = true;
    st = fl_sql_bind_expr(b, s, found->ast, ret);
    found->is_binding = false;
    return st;
}

fl_status fl_sql_bind_column(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_ast_path *path = &ast->path;
    const fl_ast_name *parts = path->parts;
    const scope_col *col = NULL;
    const scope *table_scope = NULL;
    int32_t table_found = -1;
    for (scope *at = s; at != NULL; at = at->outer) {
        int32_t from = 1;
        if (path->count > 1) {
            /* t.a, or schema.t.a; then column.field */
            int32_t table = fl_sql_scope_table(at, parts[0].text);
            if (table >= 0)
                FL_TRY(find_in_table(b, at, table, parts[1].text, ast->start, &col));
            from = 2;
            if (table >= 0 && table_scope == NULL) {
                table_scope = at;
                table_found = table;
            }
            if (col == NULL && path->count > 2 && (table = fl_sql_scope_table(at, parts[1].text)) >= 0 &&
                at->tables[table].name.len > 0) {
                FL_TRY(find_in_table(b, at, table, parts[2].text, ast->start, &col));
                from = 3;
            }
        }
        if (col == NULL) {
            FL_TRY(fl_sql_scope_find(b, at, parts[0].text, ast->start, &col));
            from = 1;
        }
        if (col != NULL) {
            const fl_expr *value;
            FL_TRY(add_ref(b, at, col->col, ast->start));
            FL_TRY(fl_expr_column(b->plan, col->col, ast->start, &value, b->err));
            return bind_fields(b, path, from, value, ret);
        }
    }
    const fl_expr *value; /* an alias is for its own SELECT only */
    FL_TRY(bind_alias(b, s, parts[0].text, ast->start, &value));
    if (value != NULL)
        return bind_fields(b, path, 1, value, ret);
    if (path->count > 1 && table_scope == NULL)
        return fl_sql_fail_no_table(b, s, *path, ast->start);
    return fail_no_column(b, table_scope != NULL ? table_scope : s, table_found,
                          parts[table_scope != NULL ? 1 : 0].text, ast->start);
cleanup:
    return st;
}
