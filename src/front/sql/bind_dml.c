/* INSERT, UPDATE, DELETE as queries: the rows to add; the rows to change and what they get; the rows to delete. */
#include "front/sql/bind_statement.h"

#include "base/nearest.h"
#include "op/filter/node.h"
#include "op/join/node.h"
#include "op/project/node.h"
#include "op/scan/node.h"
#include "op/sort/node.h"
#include "op/values/node.h"

typedef struct dml {
    fl_sql_env *env;
    const fl_ast_statement *ast;
    fl_table *table;
    int32_t *assigned; /* UPDATE: columns, in the order of the text */
    int32_t n_assigned;
} dml;

/* ---- the table ---- */

fl_status fl_sql_find_target(fl_sql_env *env, fl_arena *arena, fl_ast_path path, fl_sql_bound *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_catalog_entry entry = {0};
    FL_TRY(fl_arena_copy_str(arena, path.parts[path.count - 1].text, &ret->name, err));
    ret->name_pos = path.parts[0].start;
    st = env->catalog->find(env->catalog, ret->name, &entry, err);
    if (st != FL_OK) {
        fl_err_at(err, ret->name_pos);
        goto cleanup;
    }
    if (entry.table == NULL) {
        FL_FAIL(err, FL_ERR_TABLE, "\"%.*s\" is a view: its rows cannot be changed", FL_STR_ARG(ret->name));
        fl_err_at(err, ret->name_pos);
        return fl_err_state(err, "42809", FL_ERR_TABLE);
    }
    ret->table = entry.table;
    ret->holds_table = true;
cleanup:
    return st;
}

static fl_status map_fields(binder *b, const fl_table *table, fl_name_map *ret)
{
    fl_status st = FL_OK;
    fl_name_map_init(ret, b->arena);
    for (int32_t i = 0; i < table->n_cols && st == FL_OK; i++)
        st = fl_name_map_add(ret, table->fields[i].name, i, NULL, b->err);
    return st;
}

static fl_status find_column(binder *b, const fl_table *table, const fl_name_map *fields, const fl_ast_name *name,
                             int32_t *ret)
{
    fl_nearest near;
    *ret = fl_name_map_find(fields, name->text);
    if (*ret >= 0)
        return FL_OK;
    fl_nearest_init(&near, name->text);
    for (int32_t i = 0; i < table->n_cols; i++)
        fl_nearest_offer(&near, table->fields[i].name);
    fl_status st = fl_sql_bind_fail(b, name->start, FL_ERR_COLUMN, "there is no column \"%.*s\" in \"%.*s\"",
                                    FL_STR_ARG(name->text), FL_STR_ARG(table->name));
    fl_nearest_hint(&near, b->err);
    return st;
}

/* ---- values for columns ---- */

/* What an assignment casts without being asked: what an expression does, numbers to each other, times to each other,
 * anything to text (PostgreSQL's assignment casts). */
static bool is_assignable(fl_type from, fl_type to)
{
    bool is_time = (from.id == FL_DATE || fl_type_is_timestamp(from) || from.id == FL_TIME) &&
                   (to.id == FL_DATE || fl_type_is_timestamp(to) || to.id == FL_TIME);
    return fl_cast_is_implicit(from, to, NULL) || to.id == FL_UTF8 ||
           (fl_type_is_numeric(from) && fl_type_is_numeric(to)) || is_time ||
           (fl_type_is_nested(from) && from.id == to.id);
}

fl_status fl_sql_assign(binder *b, const fl_expr *value, fl_type type, fl_str name, int32_t pos, const fl_expr **ret)
{
    bool is_untyped = value->flags & FL_EXPR_UNTYPED || value->type.id == FL_NULL;
    if (!is_untyped && !is_assignable(value->type, type)) {
        fl_sql_bind_fail(b, pos, FL_ERR_TYPE, "column \"%.*s\" has type %s, the value has type %s", FL_STR_ARG(name),
                         FL_TYPE_NAME(type), FL_TYPE_NAME(value->type));
        if (fl_cast_exists(value->type, type))
            fl_err_hint(b->err, "write CAST(... AS %s)", FL_TYPE_NAME(type));
        return FL_ERR_TYPE;
    }
    fl_status st = fl_expr_cast(b->plan, value, type, false, pos, ret, b->err);
    if (st == FL_ERR_VALUE || st == FL_ERR_RANGE)
        fl_err_prefix(b->err, "column \"%.*s\": ", FL_STR_ARG(name));
    return st;
}

/* A column's default, or NULL. Its text is parsed anew and bound with nothing around it. */
static fl_status bind_default(binder *b, fl_table *table, int32_t col, const fl_expr **ret)
{
    fl_status st = FL_OK;
    fl_sql_parser parser = {0};
    fl_ast_statement *statement = NULL;
    fl_str written = {0}, text;
    fl_value null = {.type = table->fields[col].type, .is_null = true};
    scope s;
    if (b->env->get_default != NULL)
        FL_TRY(b->env->get_default(b->env, table, col, &written, b->err));
    if (written.len == 0)
        return fl_expr_const(b->plan, &null, -1, ret, b->err);
    FL_TRY(fl_arena_format(b->arena, &text, b->err, "SELECT %.*s", FL_STR_ARG(written)));
    FL_TRY(fl_sql_parser_init(&parser, b->env->memory, text, b->err));
    FL_TRY(fl_sql_parser_next(&parser, b->arena, &statement, b->err));
    fl_sql_scope_init(&s, NULL, CLAUSE_VALUES);
    FL_TRY(fl_sql_bind_expr(b, &s, statement->query->body->select->items[0].expr, ret));
    FL_TRY(fl_sql_assign(b, *ret, table->fields[col].type, table->fields[col].name, -1, ret));
cleanup:
    fl_sql_parser_drop(&parser);
    return st;
}

/* ---- INSERT ---- */

/* from[i]: which value column i of the table takes, or -1 for its default. */
static fl_status map_columns(binder *b, const dml *d, int32_t n_values, int32_t pos, int32_t **ret)
{
    fl_status st = FL_OK;
    const fl_ast_insert *insert = d->ast->insert;
    int32_t n_cols = d->table->n_cols, *from = NULL;
    int32_t wanted = insert->column_count > 0 ? insert->column_count : n_cols;
    fl_name_map fields;
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &from, b->err));
    if (n_values > wanted || (insert->column_count > 0 && n_values < wanted))
        return fl_sql_bind_fail(b, pos, FL_ERR_SYNTAX, "%d values for %d columns", n_values, wanted);
    for (int32_t i = 0; i < n_cols; i++)
        from[i] = insert->column_count == 0 && i < n_values ? i : -1;
    FL_TRY(map_fields(b, d->table, &fields));
    for (int32_t i = 0; i < insert->column_count; i++) {
        int32_t col;
        FL_TRY(find_column(b, d->table, &fields, &insert->columns[i], &col));
        if (from[col] >= 0)
            return fl_sql_bind_fail_state(b, insert->columns[i].start, FL_ERR_DUPLICATE, "42701",
                                          "column \"%.*s\" is named twice", FL_STR_ARG(insert->columns[i].text));
        from[col] = i;
    }
    *ret = from;
cleanup:
    return st;
}

/* The output with the table's columns: `cols` hold them in order. */
static fl_status set_output(binder *b, const fl_table *table, const fl_node *node, const fl_col_id *cols, output *ret)
{
    fl_status st = FL_OK;
    int32_t n = table->n_cols;
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &ret->cols, b->err));
    ret->root = node;
    ret->n_cols = n;
    for (int32_t i = 0; i < n; i++)
        ret->cols[i] = (out_col){.name = table->fields[i].name, .col = cols[i]};
cleanup:
    return st;
}

/* INSERT ... VALUES: each value takes its column's type at once. */
static fl_status plan_insert_values(binder *b, const dml *d, const fl_ast_expr *const *rows, int32_t n_rows,
                                    int32_t n_values, output *ret)
{
    fl_status st = FL_OK;
    int32_t n_cols = d->table->n_cols, *from;
    const fl_expr **exprs = NULL, **defaults = NULL;
    fl_str *names = NULL;
    scope s;
    const fl_node *node;
    fl_sql_scope_init(&s, NULL, CLAUSE_VALUES);
    FL_TRY(map_columns(b, d, n_values, n_values > 0 ? rows[0]->start : d->ast->start, &from));
    FL_TRY(FL_NEW_ARRAY(b->arena, (int64_t)n_rows * n_cols + 1, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &defaults, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &names, b->err));
    for (int32_t c = 0; c < n_cols; c++)
        names[c] = d->table->fields[c].name;
    for (int32_t r = 0; r < n_rows; r++) {
        for (int32_t c = 0; c < n_cols; c++) {
            const fl_ast_expr *value = from[c] < 0 ? NULL : rows[r]->list.items[from[c]];
            const fl_expr **expr = &exprs[(int64_t)r * n_cols + c];
            if (value == NULL || value->kind == FL_AST_DEFAULT) {
                if (defaults[c] == NULL || (defaults[c]->flags & FL_EXPR_VOLATILE))
                    FL_TRY(bind_default(b, d->table, c, &defaults[c]));
                *expr = defaults[c];
            } else {
                FL_TRY(fl_sql_bind_expr(b, &s, value, expr));
                FL_TRY(fl_sql_assign(b, *expr, d->table->fields[c].type, names[c], value->start, expr));
            }
        }
    }
    FL_TRY(fl_values_build(b->plan, exprs, n_rows, n_cols, names, &node, b->err));
    FL_TRY(set_output(b, d->table, node, fl_values_of(node)->cols, ret));
cleanup:
    return st;
}

static fl_status plan_insert_query(binder *b, const dml *d, output *ret)
{
    fl_status st = FL_OK;
    int32_t n_cols = d->table->n_cols, *from;
    output out;
    const fl_expr **exprs = NULL;
    fl_str *names = NULL;
    fl_col_id *cols = NULL;
    const fl_node *node;
    FL_TRY(fl_sql_bind_query(b, NULL, NULL, d->ast->insert->query, &out));
    FL_TRY(map_columns(b, d, out.n_cols, d->ast->insert->query->start, &from));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &cols, b->err));
    for (int32_t c = 0; c < n_cols; c++) {
        const fl_field *field = &d->table->fields[c];
        names[c] = field->name;
        if (from[c] < 0) {
            FL_TRY(bind_default(b, d->table, c, &exprs[c]));
            continue;
        }
        const out_col *col = &out.cols[from[c]];
        if (col->literal != NULL)
            exprs[c] = col->literal;
        else
            FL_TRY(fl_expr_column(b->plan, col->col, col->pos, &exprs[c], b->err));
        FL_TRY(fl_sql_assign(b, exprs[c], field->type, field->name, col->pos, &exprs[c]));
    }
    FL_TRY(fl_project_build(b->plan, out.root, exprs, names, n_cols, cols, &node, b->err));
    FL_TRY(set_output(b, d->table, node, cols, ret));
cleanup:
    return st;
}

/* VALUES without clauses of its own, whose rows may have DEFAULT. */
static const fl_ast_values *plain_values(const fl_ast_query *query)
{
    bool is_plain = query->cte_count == 0 && query->order_count == 0 && query->limit == NULL && query->offset == NULL;
    return is_plain && query->body->kind == FL_AST_BODY_VALUES ? query->body->values : NULL;
}

static fl_status plan_insert(binder *b, void *ctx, output *ret)
{
    const dml *d = ctx;
    const fl_ast_insert *insert = d->ast->insert;
    if (insert->query == NULL) {
        if (insert->column_count > 0)
            return fl_sql_bind_fail(b, insert->columns[0].start, FL_ERR_SYNTAX, "DEFAULT VALUES takes no column list");
        return plan_insert_values(b, d, NULL, 1, 0, ret);
    }
    const fl_ast_values *values = plain_values(insert->query);
    if (values != NULL)
        return plan_insert_values(b, d, (const fl_ast_expr *const *)values->rows, values->row_count,
                                  values->column_count, ret);
    return plan_insert_query(b, d, ret);
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_insert)
{
    (void)text;
    fl_status st = FL_OK;
    FL_TRY(fl_sql_find_target(env, arena, ast->insert->path, ret, err));
    dml d = {.env = env, .ast = ast, .table = ret->table};
    FL_TRY(fl_sql_bind_plan(env, ast, plan_insert, &d, &ret->query, err));
cleanup:
    return st;
}

/* ---- UPDATE ---- */

/* A scan of the table's rows and their places, of which only the table's own columns have names. */
static fl_status scan_target(binder *b, const dml *d, const fl_ast_table *ast, scope *s, const fl_node **ret)
{
    fl_status st = FL_OK;
    fl_str *names = NULL;
    fl_table *numbered = NULL;
    fl_str name = ast->path.parts[ast->path.count - 1].text;
    if (d->table->ops->numbered == NULL)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_UNSUPPORTED, "the rows of \"%.*s\" cannot be changed",
                                FL_STR_ARG(d->table->name));
    FL_TRY(d->table->ops->numbered(d->table, b->env->memory, &numbered, b->err));
    FL_TRY(fl_scan_build(b->plan, numbered, ret, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, d->table->n_cols + 1, &names, b->err));
    for (int32_t i = 0; i < d->table->n_cols; i++)
        names[i] = d->table->fields[i].name;
    FL_TRY(fl_sql_scope_add_table(b, s, ast->alias.text.len > 0 ? ast->alias.text : name, name, names,
                                  fl_scan_of(*ret)->cols, d->table->n_cols, ast->start));
cleanup:
    fl_table_unref(numbered);
    return st;
}

/* The output: places, and the columns assigned under the table's names. */
static fl_status set_changes(binder *b, const dml *d, const fl_node *node, fl_col_id place, const fl_col_id *cols,
                             output *ret)
{
    fl_status st = FL_OK;
    FL_TRY(FL_NEW_ARRAY(b->arena, d->n_assigned + 1, &ret->cols, b->err));
    ret->root = node;
    ret->n_cols = d->n_assigned + 1;
    ret->cols[0] = (out_col){.name = FL_STR("place"), .col = place};
    for (int32_t i = 0; i < d->n_assigned; i++)
        ret->cols[1 + i] = (out_col){.name = d->table->fields[d->assigned[i]].name, .col = cols[i]};
cleanup:
    return st;
}

/* UPDATE ... FROM: each row with a row of FROM that it meets; of several with any, as PostgreSQL has it. */
static fl_status join_source(binder *b, const fl_ast_update *update, scope *s, const fl_node **node,
                             const fl_expr **test)
{
    fl_status st = FL_OK;
    scope from;
    const fl_node *right;
    const fl_expr *predicate = NULL, *mark;
    fl_col_id mark_col;
    fl_str mark_name = FL_STR("met");
    fl_sql_scope_init(&from, NULL, CLAUSE_FROM);
    FL_TRY(fl_sql_bind_from(b, NULL, update->from, &from, &right));
    FL_TRY(fl_sql_scope_add_all(b, s, &from));
    s->clause = CLAUSE_WHERE;
    if (update->where != NULL)
        FL_TRY(fl_sql_bind_bool(b, s, update->where, "argument of WHERE", &predicate));
    FL_TRY(fl_sql_expr_bool(b, true, -1, &mark));
    FL_TRY(fl_project_extend(b->plan, right, &mark, &mark_name, 1, &mark_col, &right, b->err));
    FL_TRY(fl_join_build(b->plan, FL_JOIN_FIRST, *node, right, predicate, NULL, node, b->err));
    FL_TRY(fl_expr_column(b->plan, mark_col, -1, test, b->err));
cleanup:
    return st;
}

/* Binds SET: which columns are assigned, their values behind exprs[0] and their names behind names[0]. */
static fl_status bind_assignments(binder *b, dml *d, scope *s, const fl_expr **exprs, fl_str *names)
{
    fl_status st = FL_OK;
    const fl_ast_update *update = d->ast->update;
    bool *is_assigned = NULL;
    fl_name_map fields;
    FL_TRY(FL_NEW_ARRAY(b->arena, d->table->n_cols + 1, &is_assigned, b->err));
    FL_TRY(map_fields(b, d->table, &fields));
    for (int32_t i = 0; i < update->assign_count; i++) {
        const fl_ast_assign *assign = &update->assigns[i];
        const fl_expr **value = &exprs[1 + i];
        int32_t c;
        FL_TRY(find_column(b, d->table, &fields, &assign->name, &c));
        if (is_assigned[c])
            return fl_sql_bind_fail_state(b, assign->name.start, FL_ERR_SYNTAX, "42601",
                                          "column \"%.*s\" is assigned twice", FL_STR_ARG(assign->name.text));
        is_assigned[c] = true;
        d->assigned[d->n_assigned++] = c;
        names[1 + i] = d->table->fields[c].name;
        if (assign->value->kind == FL_AST_DEFAULT)
            FL_TRY(bind_default(b, d->table, c, value));
        else
            FL_TRY(fl_sql_bind_expr(b, s, assign->value, value));
        FL_TRY(fl_sql_assign(b, *value, d->table->fields[c].type, names[1 + i], assign->value->start, value));
    }
cleanup:
    return st;
}

static fl_status plan_update(binder *b, void *ctx, output *ret)
{
    fl_status st = FL_OK;
    dml *d = ctx;
    const fl_ast_update *update = d->ast->update;
    int32_t n = update->assign_count + 1;
    const fl_expr **exprs = NULL, *test = NULL;
    fl_str *names = NULL;
    fl_col_id *cols = NULL;
    fl_sort_key key = {0};
    const fl_node *node;
    scope s;
    d->n_assigned = 0;
    fl_sql_scope_init(&s, NULL, CLAUSE_FROM);
    FL_TRY(scan_target(b, d, update->table, &s, &node));
    fl_col_id place = fl_scan_of(node)->cols[d->table->n_cols];
    if (update->from != NULL) {
        FL_TRY(join_source(b, update, &s, &node, &test));
    } else if (update->where != NULL) {
        s.clause = CLAUSE_WHERE;
        FL_TRY(fl_sql_bind_bool(b, &s, update->where, "argument of WHERE", &test));
    }
    if (test != NULL)
        FL_TRY(fl_filter_build(b->plan, node, test, &node, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &cols, b->err));
    FL_TRY(fl_expr_column(b->plan, place, -1, &exprs[0], b->err));
    names[0] = FL_STR("place");
    s.clause = CLAUSE_SET;
    FL_TRY(bind_assignments(b, d, &s, exprs, names));
    FL_TRY(fl_project_build(b->plan, node, exprs, names, n, cols, &node, b->err));
    FL_TRY(fl_expr_column(b->plan, cols[0], -1, &key.expr, b->err));
    FL_TRY(fl_sort_build(b->plan, node, &key, 1, &node, b->err)); /* which goes where rows come in the table's order */
    FL_TRY(set_changes(b, d, node, cols[0], cols + 1, ret));
cleanup:
    return st;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_update)
{
    (void)text;
    fl_status st = FL_OK;
    FL_TRY(fl_sql_find_target(env, arena, ast->update->table->path, ret, err));
    dml d = {.env = env, .ast = ast, .table = ret->table};
    FL_TRY(FL_NEW_ARRAY(arena, ast->update->assign_count + 1, &d.assigned, err));
    FL_TRY(fl_sql_bind_plan(env, ast, plan_update, &d, &ret->query, err));
    ret->assigned = d.assigned;
    ret->n_assigned = d.n_assigned;
cleanup:
    return st;
}

/* ---- DELETE ---- */

static fl_status plan_delete(binder *b, void *ctx, output *ret)
{
    fl_status st = FL_OK;
    const dml *d = ctx;
    const fl_ast_erase *erase = d->ast->erase;
    const fl_node *node, *right;
    const fl_expr *test = NULL;
    scope s, usings;
    fl_sql_scope_init(&s, NULL, CLAUSE_FROM);
    FL_TRY(scan_target(b, d, erase->table, &s, &node));
    fl_col_id place = fl_scan_of(node)->cols[d->table->n_cols];
    if (erase->usings != NULL) {
        fl_sql_scope_init(&usings, NULL, CLAUSE_FROM);
        FL_TRY(fl_sql_bind_from(b, NULL, erase->usings, &usings, &right));
        FL_TRY(fl_sql_scope_add_all(b, &s, &usings));
    }
    s.clause = CLAUSE_WHERE;
    if (erase->where != NULL)
        FL_TRY(fl_sql_bind_bool(b, &s, erase->where, "argument of WHERE", &test));
    if (erase->usings != NULL)
        FL_TRY(fl_join_build(b->plan, FL_JOIN_SEMI, node, right, test, NULL, &node, b->err));
    else
        FL_TRY(fl_filter_build(b->plan, node, test, &node, b->err));
    FL_TRY(set_changes(b, d, node, place, NULL, ret));
cleanup:
    return st;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_delete)
{
    (void)text;
    fl_status st = FL_OK;
    const fl_ast_erase *erase = ast->erase;
    FL_TRY(fl_sql_find_target(env, arena, erase->table->path, ret, err));
    dml d = {.env = env, .ast = ast, .table = ret->table};
    if (ast->kind == FL_AST_DELETE && (erase->usings != NULL || erase->where != NULL))
        FL_TRY(fl_sql_bind_plan(env, ast, plan_delete, &d, &ret->query, err));
cleanup:
    return st;
}
