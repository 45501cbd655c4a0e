/* ALTER TABLE: the definition as it becomes, action by action, and, where rows change or are held to what is new, a query of all of them as
 * an INSERT would have them. */
#include "front/sql/bind_definition.h"

#include "base/nearest.h"
#include "op/project/node.h"
#include "op/scan/node.h"

/* A table while it is altered. */
typedef struct altering {
    definition d;
    change ch; /* of the table as it becomes: for its query */
    fl_table shape;
    fl_table *old;
    fl_sql_bound *bound;
    const fl_ast_alter_action **conversions; /* [old columns]: SET TYPE; NULL: none */
    bool rewrites;
} altering;

/* ---- what the table is ---- */

/* What the table has now; texts and lists of columns are the old table's, which is held as long as the statement. */
static fl_status begin_definition(altering *a, const fl_column_rules *rules, const fl_table_constraints *constraints)
{
    fl_status st = FL_OK;
    definition *d = &a->d;
    const fl_table *old = a->old;
    for (int32_t c = 0; c < old->n_cols; c++) {
        fl_sql_column made = {.name = old->fields[c].name, .type = old->fields[c].type, .from = c};
        if (rules != NULL) {
            made.is_not_null = rules[c].is_not_null;
            made.default_text = rules[c].default_text;
            made.identity = rules[c].identity;
            made.sequence = rules[c].sequence;
            made.generated = rules[c].generated;
        }
        FL_TRY(fl_sql_definition_grow(d, &d->columns, d->n_columns, &d->columns_capacity, (int64_t)sizeof(made)));
        d->columns[d->n_columns++] = made;
    }
    for (int32_t k = 0; k < old->n_keys; k++) {
        FL_TRY(fl_sql_definition_grow(d, &d->keys, d->n_keys, &d->keys_capacity, (int64_t)sizeof(*d->keys)));
        d->keys[d->n_keys++] = old->keys[k];
    }
    for (int32_t k = 0; k < constraints->n_checks; k++) {
        FL_TRY(fl_sql_definition_grow(d, &d->checks, d->n_checks, &d->checks_capacity, (int64_t)sizeof(*d->checks)));
        d->checks[d->n_checks++] = constraints->checks[k];
    }
    for (int32_t k = 0; k < constraints->n_foreign_keys; k++) {
        FL_TRY(fl_sql_definition_grow(d, &d->foreign_keys, d->n_foreign_keys, &d->foreign_keys_capacity,
                                      (int64_t)sizeof(*d->foreign_keys)));
        d->foreign_keys[d->n_foreign_keys++] = constraints->foreign_keys[k];
    }
cleanup:
    return st;
}

/* ---- columns ---- */

static bool reads(const int32_t *cols, int32_t n, int32_t col)
{
    for (int32_t i = 0; i < n; i++)
        if (cols[i] == col)
            return true;
    return false;
}

/* Columns behind one that went have smaller numbers. */
static fl_status renumber(const definition *d, const int32_t **cols, int32_t n, int32_t gone)
{
    int32_t *made = NULL;
    fl_status st = FL_NEW_ARRAY(d->arena, n + 1, &made, d->err);
    for (int32_t i = 0; i < n && st == FL_OK; i++)
        made[i] = (*cols)[i] - ((*cols)[i] > gone);
    if (st == FL_OK)
        *cols = made;
    return st;
}

/* Takes out a column, and with it the constraints that have it. */
static fl_status remove_column(altering *a, int32_t col)
{
    fl_status st = FL_OK;
    definition *d = &a->d;
    int32_t n = 0;
    for (int32_t k = 0; k < d->n_keys; k++)
        if (!reads(d->keys[k].cols, d->keys[k].n_cols, col))
            d->keys[n++] = d->keys[k];
    d->n_keys = n;
    n = 0;
    for (int32_t k = 0; k < d->n_checks; k++)
        if (!reads(d->checks[k].condition.cols, d->checks[k].condition.n_cols, col))
            d->checks[n++] = d->checks[k];
    d->n_checks = n;
    n = 0;
    for (int32_t k = 0; k < d->n_foreign_keys; k++)
        if (!reads(d->foreign_keys[k].cols, d->foreign_keys[k].n_cols, col))
            d->foreign_keys[n++] = d->foreign_keys[k];
    d->n_foreign_keys = n;
    d->n_columns--;
    for (int32_t c = col; c < d->n_columns; c++)
        d->columns[c] = d->columns[c + 1];
    for (int32_t c = 0; c < d->n_columns; c++)
        FL_TRY(renumber(d, &d->columns[c].generated.cols, d->columns[c].generated.n_cols, col));
    for (int32_t k = 0; k < d->n_keys; k++)
        FL_TRY(renumber(d, &d->keys[k].cols, d->keys[k].n_cols, col));
    for (int32_t k = 0; k < d->n_checks; k++)
        FL_TRY(renumber(d, &d->checks[k].condition.cols, d->checks[k].condition.n_cols, col));
    for (int32_t k = 0; k < d->n_foreign_keys; k++)
        FL_TRY(renumber(d, &d->foreign_keys[k].cols, d->foreign_keys[k].n_cols, col));
cleanup:
    return st;
}

/* A generated column that reads this one; -1: none. */
static int32_t find_dependent(const definition *d, int32_t col)
{
    for (int32_t c = 0; c < d->n_columns; c++)
        if (reads(d->columns[c].generated.cols, d->columns[c].generated.n_cols, col))
            return c;
    return -1;
}

static fl_status fail_at(const altering *a, int32_t pos, fl_status st, const char *state)
{
    fl_err_at(a->d.err, pos);
    return fl_err_state(a->d.err, state, st);
}

static fl_status drop_column(altering *a, const fl_ast_alter_action *action)
{
    fl_status st = FL_OK;
    definition *d = &a->d;
    int32_t c = fl_sql_definition_find(d, action->name.text), other;
    if (c < 0)
        return action->if_exists ? FL_OK : fl_sql_definition_fail_column(d, &action->name);
    while ((other = find_dependent(d, c)) >= 0) {
        if (!action->cascades) {
            st = FL_FAIL(d->err, FL_ERR_UNSUPPORTED, "column \"%.*s\" is generated of \"%.*s\"",
                         FL_STR_ARG(d->columns[other].name), FL_STR_ARG(action->name.text));
            fl_err_hint(d->err, "DROP … CASCADE drops both");
            return fail_at(a, action->name.start, st, "2BP01");
        }
        FL_TRY(remove_column(a, other));
        c -= other < c;
    }
    if (d->n_columns == 1) {
        st = FL_FAIL(d->err, FL_ERR_UNSUPPORTED, "\"%.*s\" is the only column of its table",
                     FL_STR_ARG(action->name.text));
        fl_err_hint(d->err, "DROP TABLE takes the table away");
        return fail_at(a, action->name.start, st, "0A000");
    }
    FL_TRY(remove_column(a, c));
    a->bound->cascades |= action->cascades;
cleanup:
    return st;
}

static fl_status add_column(altering *a, const fl_ast_alter_action *action)
{
    fl_status st = FL_OK;
    definition *d = &a->d;
    const fl_ast_column_def *column = &action->parts->columns[0];
    if (action->if_not_exists && fl_sql_definition_find(d, column->name.text) >= 0)
        return FL_OK;
    FL_TRY(fl_sql_define_column(d, column));
    if (column->generated != NULL)
        FL_TRY(fl_sql_define_generated(d, d->n_columns - 1, column));
    FL_TRY(fl_sql_define_constraints(d, action->parts));
    a->rewrites = true;
    a->bound->alters_keys |= action->parts->keys != NULL;
    a->bound->alters_foreign_keys |= action->parts->foreign_keys != NULL;
cleanup:
    return st;
}

static fl_status rename_column(altering *a, const fl_ast_alter_action *action)
{
    fl_status st = FL_OK;
    definition *d = &a->d;
    int32_t c = fl_sql_definition_find(d, action->name.text);
    if (c < 0)
        return fl_sql_definition_fail_column(d, &action->name);
    if (fl_sql_definition_find(d, action->to.text) >= 0)
        return fl_sql_fail_twice(action->to.text, action->to.start, d->err);
    a->bound->old_column = d->columns[c].name;
    FL_TRY(fl_arena_copy_str(d->arena, action->to.text, &d->columns[c].name, d->err));
    a->bound->new_column = d->columns[c].name;
cleanup:
    return st;
}

static fl_status set_type(altering *a, const fl_ast_alter_action *action, int32_t c)
{
    fl_status st = FL_OK;
    definition *d = &a->d;
    fl_sql_column *column = &d->columns[c];
    int32_t other = column->generated.text.len > 0 ? c : find_dependent(d, c);
    if (other >= 0) {
        st = FL_FAIL(d->err, FL_ERR_UNSUPPORTED, "the type of a column that \"%.*s\" is generated of cannot be altered",
                     FL_STR_ARG(d->columns[other].name));
        fl_err_hint(d->err, "drop the generated column, and add it again");
        return fail_at(a, action->name.start, st, "0A000");
    }
    FL_TRY(fl_sql_bind_type_alone(d->env, d->arena, d->ast, action->type, &column->type, d->err));
    if (action->collation.text.len > 0)
        FL_TRY(fl_sql_collate_column(d, &action->collation, &column->type));
    for (int32_t k = 0; k < d->n_keys && fl_collation_has_key((fl_collation)column->type.precision); k++)
        if (fl_type_is_text(column->type) && reads(d->keys[k].cols, d->keys[k].n_cols, c))
            return fl_sql_fail_collated_key(column->type, action->name.start, d->err);
    if (column->from >= 0)
        a->conversions[column->from] = action;
    a->rewrites = true;
    for (int32_t k = 0; k < d->n_keys; k++)
        a->bound->alters_keys |= reads(d->keys[k].cols, d->keys[k].n_cols, c);
    for (int32_t k = 0; k < d->n_foreign_keys; k++)
        a->bound->alters_foreign_keys |= reads(d->foreign_keys[k].cols, d->foreign_keys[k].n_cols, c);
cleanup:
    return st;
}

static fl_status set_default(altering *a, const fl_ast_alter_action *action, fl_sql_column *column)
{
    if (column->generated.text.len > 0) {
        fl_status st = FL_FAIL(a->d.err, FL_ERR_SYNTAX, "column \"%.*s\" is generated", FL_STR_ARG(column->name));
        return fail_at(a, action->name.start, st, "42601");
    }
    if (action->expr == NULL) {
        column->default_text = (fl_str){0};
        return FL_OK;
    }
    return fl_sql_define_default(&a->d, column, action->expr, action->text_start, action->text_end);
}

static fl_status drop_not_null(altering *a, const fl_ast_alter_action *action, int32_t c)
{
    const definition *d = &a->d;
    bool is_needed = d->columns[c].identity != FL_IDENTITY_NONE;
    for (int32_t k = 0; k < d->n_keys; k++)
        is_needed |= d->keys[k].is_primary && reads(d->keys[k].cols, d->keys[k].n_cols, c);
    if (is_needed) {
        fl_status st =
            FL_FAIL(d->err, FL_ERR_SYNTAX, "column \"%.*s\" is in the primary key, or counts: it is NOT NULL",
                    FL_STR_ARG(action->name.text));
        return fail_at(a, action->name.start, st, d->columns[c].identity != FL_IDENTITY_NONE ? "42601" : "42P16");
    }
    d->columns[c].is_not_null = false;
    return FL_OK;
}

/* ALTER COLUMN … */
static fl_status alter_column(altering *a, const fl_ast_alter_action *action)
{
    definition *d = &a->d;
    int32_t c = fl_sql_definition_find(d, action->name.text);
    if (c < 0)
        return action->if_exists ? FL_OK : fl_sql_definition_fail_column(d, &action->name);
    switch (action->kind) {
    case FL_AST_ALTER_SET_TYPE:
        return set_type(a, action, c);
    case FL_AST_ALTER_SET_DEFAULT:
        return set_default(a, action, &d->columns[c]);
    case FL_AST_ALTER_SET_NOT_NULL:
        d->columns[c].is_not_null = true;
        return FL_OK;
    case FL_AST_ALTER_DROP_EXPRESSION:
        if (d->columns[c].generated.text.len == 0 && !action->if_exists) {
            fl_status st =
                FL_FAIL(d->err, FL_ERR_UNSUPPORTED, "column \"%.*s\" is not generated", FL_STR_ARG(action->name.text));
            return fail_at(a, action->name.start, st, "55000");
        }
        d->columns[c].generated = (fl_rule_text){0};
        return FL_OK;
    default:
        return drop_not_null(a, action, c);
    }
}

/* ---- constraints ---- */

/* Takes a constraint out, or, with `to`, calls it otherwise: whether there is one of the name. */
static bool change_constraint(definition *d, fl_str name, const fl_str *to)
{
    for (int32_t k = 0; k < d->n_keys; k++) {
        if (!fl_str_is_equal_nocase(d->keys[k].name, name))
            continue;
        if (to != NULL)
            d->keys[k].name = *to;
        else
            memmove(&d->keys[k], &d->keys[k + 1], (size_t)(--d->n_keys - k) * sizeof(*d->keys));
        return true;
    }
    for (int32_t k = 0; k < d->n_checks; k++) {
        if (!fl_str_is_equal_nocase(d->checks[k].name, name))
            continue;
        if (to != NULL)
            d->checks[k].name = *to;
        else
            memmove(&d->checks[k], &d->checks[k + 1], (size_t)(--d->n_checks - k) * sizeof(*d->checks));
        return true;
    }
    for (int32_t k = 0; k < d->n_foreign_keys; k++) {
        if (!fl_str_is_equal_nocase(d->foreign_keys[k].name, name))
            continue;
        if (to != NULL)
            d->foreign_keys[k].name = *to;
        else
            memmove(&d->foreign_keys[k], &d->foreign_keys[k + 1],
                    (size_t)(--d->n_foreign_keys - k) * sizeof(*d->foreign_keys));
        return true;
    }
    return false;
}

static fl_status fail_no_constraint(altering *a, const fl_ast_name *name)
{
    const definition *d = &a->d;
    fl_nearest near;
    fl_status st = FL_FAIL(d->err, FL_ERR_TABLE, "\"%.*s\" has no constraint \"%.*s\"", FL_STR_ARG(d->name),
                           FL_STR_ARG(name->text));
    fl_nearest_init(&near, name->text);
    for (int32_t i = 0; i < d->n_keys; i++)
        fl_nearest_offer(&near, d->keys[i].name);
    for (int32_t i = 0; i < d->n_checks; i++)
        fl_nearest_offer(&near, d->checks[i].name);
    for (int32_t i = 0; i < d->n_foreign_keys; i++)
        fl_nearest_offer(&near, d->foreign_keys[i].name);
    fl_nearest_hint(&near, d->err);
    return fail_at(a, name->start, st, "42704");
}

static fl_status alter_constraint(altering *a, const fl_ast_alter_action *action)
{
    fl_status st = FL_OK;
    definition *d = &a->d;
    bool renames = action->kind == FL_AST_ALTER_RENAME_CONSTRAINT;
    fl_str to = {0};
    if (renames)
        FL_TRY(fl_arena_copy_str(d->arena, action->to.text, &to, d->err));
    if (renames && fl_sql_definition_has(d, to)) {
        st = FL_FAIL(d->err, FL_ERR_DUPLICATE, "\"%.*s\" has a constraint \"%.*s\" already", FL_STR_ARG(d->name),
                     FL_STR_ARG(to));
        return fail_at(a, action->to.start, st, "42710");
    }
    if (!change_constraint(d, action->name.text, renames ? &to : NULL) && !action->if_exists)
        return fail_no_constraint(a, &action->name);
    a->bound->cascades |= action->cascades;
cleanup:
    return st;
}

static fl_status apply(altering *a, const fl_ast_alter_action *action)
{
    switch (action->kind) {
    case FL_AST_ALTER_ADD_COLUMN:
        return add_column(a, action);
    case FL_AST_ALTER_DROP_COLUMN:
        return drop_column(a, action);
    case FL_AST_ALTER_RENAME_COLUMN:
        return rename_column(a, action);
    case FL_AST_ALTER_ADD_CONSTRAINT:
        a->rewrites |= action->parts->checks != NULL;
        a->bound->alters_keys |= action->parts->keys != NULL;
        a->bound->alters_foreign_keys |= action->parts->foreign_keys != NULL;
        return fl_sql_define_constraints(&a->d, action->parts);
    case FL_AST_ALTER_DROP_CONSTRAINT:
    case FL_AST_ALTER_RENAME_CONSTRAINT:
        return alter_constraint(a, action);
    default:
        return alter_column(a, action);
    }
}

/* ---- the rows ---- */

/* The table as it becomes, so far as binding its rows needs it. */
static fl_status shape_table(altering *a)
{
    fl_status st = FL_OK;
    const definition *d = &a->d;
    fl_field *fields = NULL;
    fl_column_rules *rules = NULL;
    static const fl_ast_returning none = {0};
    FL_TRY(FL_NEW_ARRAY(d->arena, d->n_columns + 1, &fields, d->err));
    FL_TRY(FL_NEW_ARRAY(d->arena, d->n_columns + 1, &rules, d->err));
    for (int32_t c = 0; c < d->n_columns; c++) {
        fields[c] = (fl_field){.name = d->columns[c].name, .type = d->columns[c].type, .nullable = true};
        rules[c] = (fl_column_rules){.default_text = d->columns[c].default_text, .generated = d->columns[c].generated};
    }
    a->shape = (fl_table){.name = d->name, .fields = fields, .n_cols = d->n_columns};
    a->ch = (change){.env = d->env,
                     .ast = d->ast,
                     .bound = a->bound,
                     .table = &a->shape,
                     .alias = d->short_name,
                     .rules = rules,
                     .constraints = &a->bound->constraints,
                     .returning = &none};
cleanup:
    return st;
}

static fl_status fail_cast(binder *b, const fl_ast_alter_action *action, fl_type from, fl_type to)
{
    fl_sql_bind_fail_state(b, action->type->start, FL_ERR_TYPE, "42804",
                           "column \"%.*s\" of type %s is not cast to %s by itself", FL_STR_ARG(action->name.text),
                           FL_TYPE_NAME(from), FL_TYPE_NAME(to));
    if (fl_cast_exists(from, to))
        fl_err_hint(b->err, "write USING CAST(%.*s AS %s)", FL_STR_ARG(action->name.text), FL_TYPE_NAME(to));
    return FL_ERR_TYPE;
}

/* What a column holds of a row of the old table. */
static fl_status bind_column(binder *b, altering *a, scope *s, const fl_col_id *old, int32_t c, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_sql_column *column = &a->d.columns[c];
    if (column->from < 0) /* where it is generated what it takes is put aside */
        return fl_sql_bind_default(b, &a->ch, c, ret);
    const fl_ast_alter_action *conversion = a->conversions[column->from];
    if (conversion != NULL) /* the default has to suit the new type, too */
        FL_TRY(fl_sql_bind_default(b, &a->ch, c, ret));
    FL_TRY(fl_expr_column(b->plan, old[column->from], -1, ret, b->err));
    if (conversion == NULL)
        return FL_OK;
    if (conversion->expr != NULL) {
        FL_TRY(fl_sql_bind_expr(b, s, conversion->expr, ret));
        return fl_sql_assign(b, *ret, column->type, column->name, conversion->expr->start, ret);
    }
    if (fl_sql_assign(b, *ret, column->type, column->name, conversion->type->start, ret) != FL_OK)
        return fail_cast(b, conversion, a->old->fields[column->from].type, column->type);
cleanup:
    return st;
}

static fl_status plan_rows(binder *b, void *ctx, output *ret)
{
    fl_status st = FL_OK;
    altering *a = ctx;
    int32_t n = a->d.n_columns, n_old = a->old->n_cols;
    changed_rows rows = {.is_new = true, .n_put = n};
    const fl_expr **exprs = NULL;
    fl_str *names = NULL;
    int32_t *put = NULL;
    scope s;
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, (n > n_old ? n : n_old) + 1, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &rows.image, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &put, b->err));
    FL_TRY(fl_scan_build(b->plan, a->old, &rows.node, b->err));
    const fl_col_id *old = fl_scan_of(rows.node)->cols;
    fl_sql_scope_init(&s, NULL, CLAUSE_VALUES);
    for (int32_t c = 0; c < n_old; c++)
        names[c] = a->old->fields[c].name;
    FL_TRY(fl_sql_scope_add_table(b, &s, a->d.short_name, a->d.name, names, old, n_old, -1));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &names, b->err));
    for (int32_t c = 0; c < n; c++) {
        FL_TRY(bind_column(b, a, &s, old, c, &exprs[c]));
        names[c] = a->d.columns[c].name;
        put[c] = c;
    }
    FL_TRY(fl_project_build(b->plan, rows.node, exprs, names, n, rows.image, &rows.node, b->err));
    rows.put = put;
    FL_TRY(fl_sql_put_rows(b, &a->ch, &rows, ret));
cleanup:
    return st;
}

/* ---- the statement ---- */

/* The table or view; a name that is not there is none where IF EXISTS was written. */
static fl_status find_altered(fl_sql_env *env, const fl_ast_alter *alter, fl_sql_bound *ret, bool *ret_any, fl_err *err)
{
    fl_catalog_entry entry = {0};
    fl_status st = env->catalog->find(env->catalog, ret->name, &entry, err);
    *ret_any = st == FL_OK;
    if (st == FL_ERR_TABLE && alter->if_exists)
        return FL_OK;
    if (st != FL_OK) {
        fl_err_at(err, ret->name_pos);
        return st;
    }
    if ((entry.table == NULL) != alter->is_view) {
        st = FL_FAIL(err, FL_ERR_TABLE, "\"%.*s\" is a %s", FL_STR_ARG(ret->name), alter->is_view ? "table" : "view");
        fl_err_hint(err, alter->is_view ? "ALTER TABLE alters it" : "CREATE OR REPLACE VIEW makes it anew");
        fl_err_at(err, ret->name_pos);
        fl_table_unref(entry.table);
        return fl_err_state(err, "42809", st);
    }
    ret->table = entry.table;
    ret->holds_table = entry.table != NULL;
    return FL_OK;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_alter)
{
    fl_status st = FL_OK;
    const fl_ast_alter *alter = ast->alter;
    altering a = {.d = {.env = env, .arena = arena, .text = text, .ast = ast, .err = err}, .bound = ret};
    const fl_column_rules *rules = NULL;
    static const fl_table_constraints none = {0};
    const fl_table_constraints *constraints = &none;
    bool any;
    ret->is_view = alter->is_view;
    FL_TRY(fl_sql_set_name(env, arena, alter->path, false, ret, err));
    FL_TRY(find_altered(env, alter, ret, &any, err));
    if (!any) {
        ret->if_exists = true;
        return FL_OK;
    }
    if (alter->actions[0].kind == FL_AST_ALTER_RENAME)
        return fl_sql_rename(arena, ret->name, alter->actions[0].to.text, &ret->new_name, err);
    if (alter->is_view) {
        st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "columns of a view cannot be altered");
        fl_err_hint(err, "CREATE OR REPLACE VIEW makes it anew");
        return fail_at(&a, alter->actions[0].start, st, "0A000");
    }
    a.old = ret->table;
    a.d.name = ret->name;
    a.d.short_name = alter->path.parts[alter->path.count - 1].text;
    if (env->get_rules != NULL)
        env->get_rules(env, a.old, &rules, &constraints);
    FL_TRY(FL_NEW_ARRAY(arena, a.old->n_cols + 1, &a.conversions, err));
    FL_TRY(begin_definition(&a, rules, constraints));
    for (int32_t i = 0; i < alter->action_count; i++)
        FL_TRY(apply(&a, &alter->actions[i]));
    fl_sql_definition_give(&a.d, ret);
    FL_TRY(shape_table(&a));
    if (a.rewrites)
        FL_TRY(fl_sql_bind_plan(env, ast, plan_rows, &a, &ret->query, err));
cleanup:
    return st;
}
