/* INSERT, UPDATE, DELETE as queries: the rows to add; the rows to change and what they get; the rows to delete. ON CONFLICT DO UPDATE
 * is a MERGE of the rows to add (bind_merge.c). */
#include "front/sql/bind_insert.h"

#include "base/nearest.h"
#include "op/filter/node.h"
#include "op/join/node.h"
#include "op/project/node.h"
#include "op/sort/node.h"
#include "op/values/node.h"

/* ---- INSERT ---- */

/* from[i]: which value column i of the table takes, or -1 for its default. */
static fl_status map_columns(binder *b, const change *ch, int32_t n_values, int32_t pos, int32_t **ret)
{
    fl_status st = FL_OK;
    const fl_ast_insert *insert = ch->ast->insert;
    int32_t n_cols = ch->table->n_cols, *from = NULL;
    int32_t wanted = insert->column_count > 0 ? insert->column_count : n_cols;
    fl_name_map fields;
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &from, b->err));
    if (n_values > wanted || (insert->column_count > 0 && n_values < wanted))
        return fl_sql_bind_fail(b, pos, FL_ERR_SYNTAX, "%d values for %d columns", n_values, wanted);
    for (int32_t i = 0; i < n_cols; i++)
        from[i] = insert->column_count == 0 && i < n_values ? i : -1;
    FL_TRY(fl_sql_map_fields(b, ch->table, &fields));
    for (int32_t i = 0; i < insert->column_count; i++) {
        int32_t col;
        FL_TRY(fl_sql_find_field(b, ch->table, &fields, &insert->columns[i], &col));
        if (from[col] >= 0)
            return fl_sql_bind_fail_state(b, insert->columns[i].start, FL_ERR_DUPLICATE, "42701",
                                          "column \"%.*s\" is named twice", FL_STR_ARG(insert->columns[i].text));
        from[col] = i;
    }
    *ret = from;
cleanup:
    return st;
}

/* BY NAME: of the query's columns, by what they are called. */
static fl_status map_names(binder *b, const change *ch, const output *out, int32_t **ret)
{
    fl_status st = FL_OK;
    int32_t *from = NULL;
    fl_name_map fields;
    int32_t pos = ch->ast->insert->query->start;
    FL_TRY(FL_NEW_ARRAY(b->arena, ch->table->n_cols + 1, &from, b->err));
    memset(from, -1, (size_t)ch->table->n_cols * sizeof(*from));
    FL_TRY(fl_sql_map_fields(b, ch->table, &fields));
    for (int32_t i = 0; i < out->n_cols; i++) {
        fl_ast_name name = {.text = out->cols[i].name, .start = out->cols[i].pos > 0 ? out->cols[i].pos : pos};
        int32_t col;
        FL_TRY(fl_sql_find_field(b, ch->table, &fields, &name, &col));
        if (from[col] >= 0)
            return fl_sql_bind_fail_state(b, name.start, FL_ERR_DUPLICATE, "42701",
                                          "the query has column \"%.*s\" twice", FL_STR_ARG(name.text));
        from[col] = i;
    }
    *ret = from;
cleanup:
    return st;
}

/* INSERT ... VALUES: each value takes its column's type at once. */
static fl_status plan_insert_values(binder *b, const change *ch, const fl_ast_expr *const *rows, int32_t n_rows,
                                    int32_t n_values, changed_rows *ret)
{
    fl_status st = FL_OK;
    int32_t n_cols = ch->table->n_cols, *from;
    const fl_expr **exprs = NULL, **defaults = NULL;
    fl_str *names = NULL;
    scope s;
    fl_sql_scope_init(&s, NULL, CLAUSE_VALUES);
    s.ctes = ch->ctes;
    FL_TRY(map_columns(b, ch, n_values, n_values > 0 ? rows[0]->start : ch->ast->start, &from));
    FL_TRY(FL_NEW_ARRAY(b->arena, (int64_t)n_rows * n_cols + 1, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &defaults, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &names, b->err));
    for (int32_t c = 0; c < n_cols; c++)
        names[c] = ch->table->fields[c].name;
    for (int32_t r = 0; r < n_rows; r++) {
        for (int32_t c = 0; c < n_cols; c++) {
            const fl_ast_expr *value = from[c] < 0 ? NULL : rows[r]->list.items[from[c]];
            const fl_expr **expr = &exprs[(int64_t)r * n_cols + c];
            if (value == NULL || value->kind == FL_AST_DEFAULT || fl_sql_ignores_value(ch, c)) {
                if (defaults[c] == NULL || (defaults[c]->flags & FL_EXPR_VOLATILE))
                    FL_TRY(fl_sql_bind_default(b, ch, c, &defaults[c]));
                *expr = defaults[c];
            } else {
                FL_TRY(fl_sql_check_given(b, ch, c, value->start));
                FL_TRY(fl_sql_bind_expr(b, &s, value, expr));
                FL_TRY(fl_sql_assign(b, *expr, ch->table->fields[c].type, names[c], value->start, expr));
            }
        }
    }
    FL_TRY(fl_values_build(b->plan, exprs, n_rows, n_cols, names, &ret->node, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &ret->image, b->err));
    for (int32_t c = 0; c < n_cols; c++)
        ret->image[c] = fl_values_of(ret->node)->cols[c];
cleanup:
    return st;
}

static fl_status plan_insert_query(binder *b, const change *ch, changed_rows *ret)
{
    fl_status st = FL_OK;
    const fl_ast_insert *insert = ch->ast->insert;
    int32_t n_cols = ch->table->n_cols, *from;
    output out;
    const fl_expr **exprs = NULL;
    fl_str *names = NULL;
    FL_TRY(fl_sql_bind_query(b, NULL, ch->ctes, insert->query, &out));
    if (insert->by_name)
        FL_TRY(map_names(b, ch, &out, &from));
    else
        FL_TRY(map_columns(b, ch, out.n_cols, insert->query->start, &from));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &ret->image, b->err));
    for (int32_t c = 0; c < n_cols; c++) {
        const fl_field *field = &ch->table->fields[c];
        names[c] = field->name;
        if (from[c] < 0 || fl_sql_ignores_value(ch, c)) {
            FL_TRY(fl_sql_bind_default(b, ch, c, &exprs[c]));
            continue;
        }
        const out_col *col = &out.cols[from[c]];
        FL_TRY(fl_sql_check_given(b, ch, c, col->pos > 0 ? col->pos : insert->query->start));
        if (col->literal != NULL)
            exprs[c] = col->literal;
        else
            FL_TRY(fl_expr_column(b->plan, col->col, col->pos, &exprs[c], b->err));
        FL_TRY(fl_sql_assign(b, exprs[c], field->type, field->name, col->pos, &exprs[c]));
    }
    FL_TRY(fl_project_build(b->plan, out.root, exprs, names, n_cols, ret->image, &ret->node, b->err));
cleanup:
    return st;
}

/* VALUES without clauses of its own, whose rows may have DEFAULT. */
static const fl_ast_values *plain_values(const fl_ast_query *query)
{
    bool is_plain = query->cte_count == 0 && query->order_count == 0 && query->limit == NULL && query->offset == NULL;
    return is_plain && query->body->kind == FL_AST_BODY_VALUES ? query->body->values : NULL;
}

fl_status fl_sql_plan_new_rows(binder *b, const change *ch, changed_rows *ret)
{
    const fl_ast_insert *insert = ch->ast->insert;
    if (insert->query == NULL) {
        if (insert->column_count > 0)
            return fl_sql_bind_fail(b, insert->columns[0].start, FL_ERR_SYNTAX, "DEFAULT VALUES takes no column list");
        return plan_insert_values(b, ch, NULL, 1, 0, ret);
    }
    if (insert->by_name && insert->column_count > 0)
        return fl_sql_bind_fail(b, insert->columns[0].start, FL_ERR_SYNTAX, "BY NAME takes no column list");
    const fl_ast_values *values = insert->by_name ? NULL : plain_values(insert->query);
    if (values != NULL)
        return plan_insert_values(b, ch, (const fl_ast_expr *const *)values->rows, values->row_count,
                                  values->column_count, ret);
    return plan_insert_query(b, ch, ret);
}

fl_status fl_sql_all_columns(binder *b, const change *ch, const int32_t **ret)
{
    int32_t *all = NULL;
    fl_status st = FL_NEW_ARRAY(b->arena, ch->table->n_cols + 1, &all, b->err);
    for (int32_t c = 0; c < ch->table->n_cols && st == FL_OK; c++)
        all[c] = c;
    *ret = all;
    return st;
}

static fl_status plan_insert(binder *b, void *ctx, output *ret)
{
    fl_status st = FL_OK;
    change *ch = ctx;
    changed_rows rows = {.is_new = true, .n_put = ch->table->n_cols};
    FL_TRY(fl_sql_begin_plan(b, ch));
    FL_TRY(fl_sql_plan_new_rows(b, ch, &rows));
    FL_TRY(fl_sql_all_columns(b, ch, &rows.put));
    FL_TRY(fl_sql_put_rows(b, ch, &rows, ret));
cleanup:
    return st;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_insert)
{
    (void)text;
    fl_status st = FL_OK;
    const fl_ast_insert *insert = ast->insert;
    change ch;
    FL_TRY(fl_sql_begin_change(env, arena, ast, insert->path, ret, &ch, err));
    ch.with = insert->with;
    ch.returning = &insert->returning;
    ch.is_overriding = insert->is_overriding;
    if (insert->alias.text.len > 0)
        ch.alias = insert->alias.text;
    if (insert->conflict != NULL)
        FL_TRY(fl_sql_find_conflict(&ch, insert->conflict, err));
    if (ret->conflict_key != FL_SQL_NO_KEY)
        return fl_sql_bind_upsert(&ch, arena, err);
    FL_TRY(fl_sql_bind_plan(env, ast, plan_insert, &ch, &ret->query, err));
cleanup:
    return st;
}

/* ---- UPDATE ---- */

/* UPDATE ... FROM: each row with a row of FROM that it meets; of several with any, as PostgreSQL has it. */
static fl_status join_source(binder *b, const change *ch, const fl_ast_table *source, const fl_ast_expr *where,
                             scope *s, scope *from, const fl_node **node, const fl_expr **test)
{
    fl_status st = FL_OK;
    const fl_node *right;
    const fl_expr *predicate = NULL, *mark;
    fl_col_id mark_col;
    fl_str mark_name = FL_STR("met");
    fl_sql_scope_init(from, NULL, CLAUSE_FROM);
    from->ctes = ch->ctes;
    FL_TRY(fl_sql_bind_from(b, NULL, source, from, &right));
    FL_TRY(fl_sql_scope_add_all(b, s, from));
    s->clause = CLAUSE_WHERE;
    if (where != NULL)
        FL_TRY(fl_sql_bind_bool(b, s, where, "argument of WHERE", &predicate));
    FL_TRY(fl_sql_expr_bool(b, true, -1, &mark));
    FL_TRY(fl_project_extend(b->plan, right, &mark, &mark_name, 1, &mark_col, &right, b->err));
    FL_TRY(fl_join_build(b->plan, FL_JOIN_FIRST, *node, right, predicate, NULL, node, b->err));
    FL_TRY(fl_expr_column(b->plan, mark_col, -1, test, b->err));
cleanup:
    return st;
}

/* Puts the rows in the table's order, which goes where they come so. */
static fl_status sort_by_place(binder *b, fl_col_id place, const fl_node **node)
{
    fl_status st = FL_OK;
    fl_sort_key key = {0};
    FL_TRY(fl_expr_column(b->plan, place, -1, &key.expr, b->err));
    FL_TRY(fl_sort_build(b->plan, *node, &key, 1, node, b->err));
cleanup:
    return st;
}

/* Computes what is assigned; image and put of the rows say where it is. */
static fl_status assign_values(binder *b, const change *ch, scope *s, const fl_col_id *old, changed_rows *rows)
{
    fl_status st = FL_OK;
    const fl_ast_update *update = ch->ast->update;
    int32_t n_cols = ch->table->n_cols, n = update->assign_count;
    const fl_expr **values = NULL, **exprs = NULL;
    fl_str *names = NULL;
    fl_col_id *cols = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &values, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &cols, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &rows->image, b->err));
    FL_TRY(fl_sql_bind_assigns(b, ch, s, update->assigns, n, values, ch->bound->assigned));
    for (int32_t i = 0; i < n; i++) {
        exprs[i] = values[ch->bound->assigned[i]];
        names[i] = ch->table->fields[ch->bound->assigned[i]].name;
    }
    FL_TRY(fl_project_extend(b->plan, rows->node, exprs, names, n, cols, &rows->node, b->err));
    memcpy(rows->image, old, (size_t)n_cols * sizeof(*old));
    for (int32_t i = 0; i < n; i++)
        rows->image[ch->bound->assigned[i]] = cols[i];
    for (int32_t c = 0; c < n_cols; c++)
        if (fl_sql_is_generated(ch, c) && values[c] == NULL)
            ch->bound->assigned[n++] = c;
    ch->bound->n_assigned = rows->n_put = n;
    rows->put = ch->bound->assigned;
cleanup:
    return st;
}

static fl_status plan_update(binder *b, void *ctx, output *ret)
{
    fl_status st = FL_OK;
    change *ch = ctx;
    const fl_ast_update *update = ch->ast->update;
    changed_rows rows = {.is_new = true, .n_lead = 1};
    const fl_expr *test = NULL;
    fl_col_id place, *old = NULL;
    scope s, from;
    fl_sql_scope_init(&s, NULL, CLAUSE_FROM);
    FL_TRY(fl_sql_begin_plan(b, ch));
    s.ctes = ch->ctes;
    FL_TRY(fl_sql_scan_target(b, ch, update->table->start, &s, &place, &rows.node));
    FL_TRY(FL_NEW_ARRAY(b->arena, ch->table->n_cols + 1, &old, b->err));
    for (int32_t c = 0; c < ch->table->n_cols; c++)
        old[c] = s.cols[c].col;
    if (update->from != NULL) {
        FL_TRY(join_source(b, ch, update->from, update->where, &s, &from, &rows.node, &test));
        rows.beside = &from;
    } else if (update->where != NULL) {
        s.clause = CLAUSE_WHERE;
        FL_TRY(fl_sql_bind_bool(b, &s, update->where, "argument of WHERE", &test));
    }
    if (test != NULL)
        FL_TRY(fl_filter_build(b->plan, rows.node, test, &rows.node, b->err));
    s.clause = CLAUSE_SET;
    FL_TRY(assign_values(b, ch, &s, old, &rows));
    FL_TRY(sort_by_place(b, place, &rows.node));
    rows.lead[0] = (out_col){.name = FL_STR("place"), .col = place};
    FL_TRY(fl_sql_put_rows(b, ch, &rows, ret));
cleanup:
    return st;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_update)
{
    (void)text;
    fl_status st = FL_OK;
    const fl_ast_update *update = ast->update;
    change ch;
    FL_TRY(fl_sql_begin_change(env, arena, ast, update->table->path, ret, &ch, err));
    ch.with = update->with;
    ch.returning = &update->returning;
    if (update->table->alias.text.len > 0)
        ch.alias = update->table->alias.text;
    FL_TRY(FL_NEW_ARRAY(arena, update->assign_count + ch.table->n_cols + 1, &ret->assigned, err));
    FL_TRY(fl_sql_bind_plan(env, ast, plan_update, &ch, &ret->query, err));
cleanup:
    return st;
}

/* ---- DELETE ---- */

/* DELETE ... USING: the rows that meet one. Its columns are of use to RETURNING alone. */
static fl_status delete_using(binder *b, const change *ch, scope *s, scope *from, changed_rows *rows)
{
    fl_status st = FL_OK;
    const fl_ast_erase *erase = ch->ast->erase;
    const fl_node *right;
    const fl_expr *test = NULL;
    if (ch->returning->item_count > 0) {
        FL_TRY(join_source(b, ch, erase->usings, erase->where, s, from, &rows->node, &test));
        FL_TRY(fl_filter_build(b->plan, rows->node, test, &rows->node, b->err));
        rows->beside = from;
        return FL_OK;
    }
    fl_sql_scope_init(from, NULL, CLAUSE_FROM);
    from->ctes = ch->ctes;
    FL_TRY(fl_sql_bind_from(b, NULL, erase->usings, from, &right));
    FL_TRY(fl_sql_scope_add_all(b, s, from));
    s->clause = CLAUSE_WHERE;
    if (erase->where != NULL)
        FL_TRY(fl_sql_bind_bool(b, s, erase->where, "argument of WHERE", &test));
    FL_TRY(fl_join_build(b->plan, FL_JOIN_SEMI, rows->node, right, test, NULL, &rows->node, b->err));
cleanup:
    return st;
}

static fl_status plan_delete(binder *b, void *ctx, output *ret)
{
    fl_status st = FL_OK;
    change *ch = ctx;
    const fl_ast_erase *erase = ch->ast->erase;
    changed_rows rows = {.n_lead = 1};
    const fl_expr *test = NULL;
    fl_col_id place;
    scope s, from;
    fl_sql_scope_init(&s, NULL, CLAUSE_FROM);
    FL_TRY(fl_sql_begin_plan(b, ch));
    s.ctes = ch->ctes;
    FL_TRY(fl_sql_scan_target(b, ch, erase->table->start, &s, &place, &rows.node));
    FL_TRY(FL_NEW_ARRAY(b->arena, ch->table->n_cols + 1, &rows.image, b->err));
    for (int32_t c = 0; c < ch->table->n_cols; c++)
        rows.image[c] = s.cols[c].col;
    s.clause = CLAUSE_WHERE;
    if (erase->usings != NULL)
        FL_TRY(delete_using(b, ch, &s, &from, &rows));
    else if (erase->where != NULL)
        FL_TRY(fl_sql_bind_bool(b, &s, erase->where, "argument of WHERE", &test));
    if (test != NULL)
        FL_TRY(fl_filter_build(b->plan, rows.node, test, &rows.node, b->err));
    rows.lead[0] = (out_col){.name = FL_STR("place"), .col = place};
    FL_TRY(fl_sql_put_rows(b, ch, &rows, ret));
cleanup:
    return st;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_delete)
{
    (void)text;
    fl_status st = FL_OK;
    const fl_ast_erase *erase = ast->erase;
    change ch;
    FL_TRY(fl_sql_begin_change(env, arena, ast, erase->table->path, ret, &ch, err));
    ch.with = erase->with;
    ch.returning = &erase->returning;
    if (erase->table->alias.text.len > 0)
        ch.alias = erase->table->alias.text;
    bool takes_some = erase->usings != NULL || erase->where != NULL || erase->returning.item_count > 0;
    if (ast->kind == FL_AST_DELETE && takes_some)
        FL_TRY(fl_sql_bind_plan(env, ast, plan_delete, &ch, &ret->query, err));
cleanup:
    return st;
}
