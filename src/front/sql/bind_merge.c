/* MERGE, and INSERT ... ON CONFLICT DO UPDATE, as queries: the rows of a source joined with those of the table, and of each pair what
 * becomes of it. An arm is a WHEN: the first one that is true of a pair decides. Each column of the new row is a CASE over the arms. */
#include "front/sql/bind_insert.h"

#include "base/nearest.h"
#include "op/filter/node.h"
#include "op/join/node.h"
#include "op/project/node.h"
#include "op/sort/node.h"

typedef struct arm {
    fl_ast_merge_match match;
    fl_merge_action action;
    const fl_expr *condition; /* NULL: none */
    const fl_expr **values;   /* [n_cols]; of an update NULL: the old one */
} arm;

/* A source joined with the table. */
typedef struct pairs {
    const fl_node *node;
    fl_col_id place;        /* null where there is no row of the table */
    fl_col_id mark;         /* null where there is none of the source */
    bool has_unmatched_old; /* else there is a source in each pair */
    const fl_col_id *old;   /* the table's columns */
    const fl_expr *
        refused; /* true of pairs whose row would be refused, whatever became of it: the first arm takes them. NULL: none */
    scope *beside; /* names of the source; RETURNING knows them. NULL: it does not */
} pairs;

/* ---- which key ---- */

static bool is_key_of(const fl_table *table, const fl_table_key *key, const fl_ast_conflict *conflict)
{
    for (int32_t k = 0; k < key->n_cols; k++) {
        bool is_named = false;
        for (int32_t i = 0; i < conflict->column_count; i++)
            is_named |= fl_str_is_equal_nocase(table->fields[key->cols[k]].name, conflict->columns[i].text);
        if (!is_named)
            return false;
    }
    return key->n_cols == conflict->column_count;
}

static fl_status fail_no_column(const change *ch, const fl_ast_name *name, fl_err *err)
{
    fl_nearest near;
    fl_status st = FL_FAIL(err, FL_ERR_COLUMN, "there is no column \"%.*s\" in \"%.*s\"", FL_STR_ARG(name->text),
                           FL_STR_ARG(ch->bound->name));
    fl_nearest_init(&near, name->text);
    for (int32_t c = 0; c < ch->table->n_cols; c++)
        fl_nearest_offer(&near, ch->table->fields[c].name);
    fl_nearest_hint(&near, err);
    fl_err_at(err, name->start);
    return st;
}

static fl_status fail_no_key(const change *ch, const fl_ast_conflict *conflict, fl_err *err)
{
    const fl_table *table = ch->table;
    for (int32_t i = 0; i < conflict->column_count; i++) {
        int32_t c = 0;
        while (c < table->n_cols && !fl_str_is_equal_nocase(table->fields[c].name, conflict->columns[i].text))
            c++;
        if (c == table->n_cols)
            return fail_no_column(ch, &conflict->columns[i], err);
    }
    fl_status st;
    if (conflict->constraint.text.len > 0)
        st = FL_FAIL(err, FL_ERR_COLUMN, "table \"%.*s\" has no unique constraint \"%.*s\"",
                     FL_STR_ARG(ch->bound->name), FL_STR_ARG(conflict->constraint.text));
    else
        st = FL_FAIL(err, FL_ERR_COLUMN, "table \"%.*s\" has no PRIMARY KEY or UNIQUE of these columns",
                     FL_STR_ARG(ch->bound->name));
    if (table->n_keys > 0)
        fl_err_hint(err, "did you mean ON CONFLICT ON CONSTRAINT %.*s?", FL_STR_ARG(table->keys[0].name));
    else
        fl_err_hint(err, "CREATE UNIQUE INDEX ON %.*s (…) makes one", FL_STR_ARG(ch->bound->name));
    fl_err_at(err, conflict->constraint.text.len > 0 ? conflict->constraint.start : conflict->start);
    return fl_err_state(err, conflict->constraint.text.len > 0 ? "42704" : "42P10", st);
}

fl_status fl_sql_find_conflict(change *ch, const fl_ast_conflict *conflict, fl_err *err)
{
    const fl_table *table = ch->table;
    bool is_any = conflict->column_count == 0 && conflict->constraint.text.len == 0;
    int32_t found = FL_SQL_NO_KEY;
    if (is_any && conflict->does_nothing) {
        ch->bound->skips_key = FL_SQL_EVERY_KEY;
        return FL_OK;
    }
    for (int32_t k = 0; k < table->n_keys && found < 0; k++) {
        bool is_meant = is_any ? table->n_keys == 1 || (conflict->replaces && table->keys[k].is_primary)
                        : conflict->column_count > 0
                            ? is_key_of(table, &table->keys[k], conflict)
                            : fl_str_is_equal_nocase(table->keys[k].name, conflict->constraint.text);
        if (is_meant)
            found = k;
    }
    if (found < 0 && is_any && table->n_keys > 1) {
        fl_status st = FL_FAIL(err, FL_ERR_SYNTAX, "\"%.*s\" has several keys: which one is meant has to be said",
                               FL_STR_ARG(ch->bound->name));
        fl_err_hint(err, "write ON CONFLICT (columns) DO UPDATE SET …");
        fl_err_at(err, conflict->start);
        return st;
    }
    if (found < 0)
        return fail_no_key(ch, conflict, err);
    if (conflict->does_nothing)
        ch->bound->skips_key = found;
    else
        ch->bound->conflict_key = found;
    return FL_OK;
}

/* ---- arms ---- */

static fl_status number(binder *b, int64_t n, const fl_expr **ret)
{
    fl_value value = {.type = FL_TYPE(FL_I32), .i = n};
    return fl_expr_const(b->plan, &value, -1, ret, b->err);
}

/* Whether a pair is one that the arm is about. */
static fl_status test_arm(binder *b, const pairs *p, const arm *a, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr *parts[3], *col;
    int32_t n = 0;
    FL_TRY(fl_expr_column(b->plan, p->place, -1, &col, b->err));
    FL_TRY(fl_expr_is_null(b->plan, col, -1, &parts[n], b->err));
    if (a->match != FL_AST_NOT_MATCHED)
        FL_TRY(fl_expr_not(b->plan, parts[n], -1, &parts[n], b->err));
    n++;
    if (a->match != FL_AST_NOT_MATCHED && p->has_unmatched_old) {
        FL_TRY(fl_expr_column(b->plan, p->mark, -1, &col, b->err));
        FL_TRY(fl_expr_is_null(b->plan, col, -1, &parts[n], b->err));
        if (a->match == FL_AST_MATCHED)
            FL_TRY(fl_expr_not(b->plan, parts[n], -1, &parts[n], b->err));
        n++;
    }
    if (a->condition != NULL)
        parts[n++] = a->condition;
    FL_TRY(fl_expr_and(b->plan, parts, n, -1, ret, b->err));
cleanup:
    return st;
}

/* Adds which arm takes each pair, from 1, and drops pairs that none changes. */
static fl_status choose_arms(binder *b, pairs *p, const arm *arms, int32_t n, fl_col_id *ret)
{
    fl_status st = FL_OK;
    const fl_expr **cases = NULL, *chosen, *none, *test;
    int32_t k = 0;
    fl_str name = FL_STR("arm");
    FL_TRY(FL_NEW_ARRAY(b->arena, 2 * n + 3, &cases, b->err));
    FL_TRY(number(b, 0, &none));
    if (p->refused != NULL) {
        cases[k++] = p->refused;
        FL_TRY(number(b, 1, &cases[k++]));
    }
    for (int32_t i = 0; i < n; i++) {
        FL_TRY(test_arm(b, p, &arms[i], &cases[k++]));
        FL_TRY(number(b, arms[i].action == FL_MERGE_NOTHING ? 0 : i + 1, &cases[k++]));
    }
    cases[k++] = none;
    FL_TRY(fl_expr_case(b->plan, cases, k, -1, &chosen, b->err));
    FL_TRY(fl_project_extend(b->plan, p->node, &chosen, &name, 1, ret, &p->node, b->err));
    FL_TRY(fl_expr_column(b->plan, *ret, -1, &chosen, b->err));
    FL_TRY(fl_sql_compare(b, FL_AST_OP_GT, chosen, none, -1, &test));
    FL_TRY(fl_filter_build(b->plan, p->node, test, &p->node, b->err));
cleanup:
    return st;
}

/* CASE arm WHEN 1 THEN … of the arms for which `of` gives something; else `otherwise`. */
static fl_status by_arm(binder *b, const fl_expr *const *of, int32_t n, const fl_expr *chosen, const fl_expr *otherwise,
                        const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr **cases = NULL, *which;
    int32_t k = 0;
    FL_TRY(FL_NEW_ARRAY(b->arena, 2 * n + 1, &cases, b->err));
    for (int32_t i = 0; i < n; i++) {
        if (of[i] == NULL || of[i] == otherwise)
            continue;
        FL_TRY(number(b, i + 1, &which));
        FL_TRY(fl_sql_compare(b, FL_AST_OP_EQ, chosen, which, -1, &cases[k++]));
        cases[k++] = of[i];
    }
    cases[k++] = otherwise;
    if (k == 1)
        *ret = otherwise;
    else
        FL_TRY(fl_expr_case(b->plan, cases, k, -1, ret, b->err));
cleanup:
    return st;
}

/* Notes the columns that an update may change. */
static void note_assigned(change *ch, const arm *arms, int32_t n)
{
    fl_sql_bound *bound = ch->bound;
    bound->n_assigned = 0;
    for (int32_t c = 0; c < ch->table->n_cols; c++) {
        bool is_assigned = fl_sql_is_generated(ch, c);
        for (int32_t i = 0; i < n; i++)
            is_assigned |= arms[i].action == FL_MERGE_UPDATE && arms[i].values[c] != NULL;
        if (is_assigned)
            bound->assigned[bound->n_assigned++] = c;
    }
}

/* What becomes of a row, and its columns. */
static fl_status put_arms(binder *b, change *ch, pairs *p, const arm *arms, int32_t n, output *ret)
{
    fl_status st = FL_OK;
    int32_t n_cols = ch->table->n_cols;
    changed_rows rows = {.is_new = true, .n_lead = 2, .n_put = n_cols, .beside = p->beside};
    const fl_expr **exprs = NULL, **of = NULL, *chosen, *action, *gone;
    fl_str *names = NULL;
    fl_col_id *cols = NULL, arm_col;
    fl_sort_key key = {0};
    bool deletes = false;
    note_assigned(ch, arms, n);
    FL_TRY(choose_arms(b, p, arms, n, &arm_col));
    FL_TRY(fl_expr_column(b->plan, arm_col, -1, &chosen, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 2, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 2, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 2, &cols, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &of, b->err));
    for (int32_t c = 0; c < n_cols; c++) {
        const fl_expr *old;
        FL_TRY(fl_expr_column(b->plan, p->old[c], -1, &old, b->err));
        for (int32_t i = 0; i < n; i++)
            of[i] = arms[i].values == NULL ? NULL : arms[i].values[c];
        FL_TRY(by_arm(b, of, n, chosen, old, &exprs[c]));
        FL_TRY(fl_expr_cast(b->plan, exprs[c], ch->table->fields[c].type, false, -1, &exprs[c], b->err));
        names[c] = ch->table->fields[c].name;
    }
    for (int32_t i = 0; i < n; i++) {
        FL_TRY(number(b, (int64_t)arms[i].action, &of[i]));
        deletes |= arms[i].action == FL_MERGE_DELETE;
    }
    FL_TRY(number(b, FL_MERGE_NOTHING, &action));
    FL_TRY(by_arm(b, of, n, chosen, action, &exprs[n_cols]));
    names[n_cols] = FL_STR("action");
    FL_TRY(fl_project_extend(b->plan, p->node, exprs, names, n_cols + 1, cols, &rows.node, b->err));
    FL_TRY(fl_expr_column(b->plan, p->place, -1, &key.expr, b->err));
    FL_TRY(fl_sort_build(b->plan, rows.node, &key, 1, &rows.node, b->err));
    rows.image = cols;
    rows.lead[0] = (out_col){.name = FL_STR("place"), .col = p->place};
    rows.lead[1] = (out_col){.name = FL_STR("action"), .col = cols[n_cols]};
    if (deletes) {
        FL_TRY(number(b, FL_MERGE_DELETE, &gone));
        FL_TRY(fl_expr_column(b->plan, cols[n_cols], -1, &action, b->err));
        FL_TRY(fl_sql_compare(b, FL_AST_OP_EQ, action, gone, -1, &rows.is_gone));
    }
    FL_TRY(fl_sql_all_columns(b, ch, &rows.put));
    FL_TRY(fl_sql_put_rows(b, ch, &rows, ret));
cleanup:
    return st;
}

/* ---- ON CONFLICT DO UPDATE ---- */

/* What a pair's update assigns. */
static fl_status bind_update_arm(binder *b, change *ch, scope *both, const fl_col_id *given, arm *ret)
{
    fl_status st = FL_OK;
    const fl_ast_insert *insert = ch->ast->insert;
    const fl_ast_conflict *conflict = insert->conflict;
    const fl_table_key *by = &ch->table->keys[ch->bound->conflict_key];
    fl_name_map fields;
    FL_TRY(FL_NEW_ARRAY(b->arena, ch->table->n_cols + 1, &ret->values, b->err));
    both->clause = CLAUSE_WHERE;
    if (conflict->where != NULL)
        FL_TRY(fl_sql_bind_bool(b, both, conflict->where, "argument of WHERE", &ret->condition));
    both->clause = CLAUSE_SET;
    FL_TRY(fl_sql_bind_assigns(b, ch, both, conflict->assigns, conflict->assign_count, ret->values, NULL));
    FL_TRY(fl_sql_map_fields(b, ch->table, &fields));
    for (int32_t i = 0; conflict->replaces && i < (insert->column_count > 0 ? insert->column_count : ch->table->n_cols);
         i++) {
        int32_t c = i;
        bool is_key = false;
        if (insert->column_count > 0)
            FL_TRY(fl_sql_find_field(b, ch->table, &fields, &insert->columns[i], &c));
        for (int32_t k = 0; k < by->n_cols; k++)
            is_key |= by->cols[k] == c;
        if (!is_key && !fl_sql_is_generated(ch, c))
            FL_TRY(fl_expr_column(b->plan, given[c], -1, &ret->values[c], b->err));
    }
cleanup:
    return st;
}

/* As PostgreSQL has it, a row that cannot be inserted is refused, also where another one would be updated: what NOT NULL and CHECK say
 * of it. Such a row goes on as one to be inserted, which the engine then finds. */
static fl_status test_given(binder *b, const change *ch, const changed_rows *given, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_table *table = ch->table;
    const fl_expr **parts = NULL;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(b->arena, table->n_cols + ch->constraints->n_checks + 1, &parts, b->err));
    for (int32_t c = 0; c < table->n_cols && ch->rules != NULL; c++) {
        if (!ch->rules[c].is_not_null)
            continue;
        FL_TRY(fl_expr_column(b->plan, given->image[c], -1, &parts[n], b->err));
        FL_TRY(fl_expr_is_null(b->plan, parts[n], -1, &parts[n], b->err));
        n++;
    }
    for (int32_t i = 0; i < ch->constraints->n_checks; i++, n++) {
        FL_TRY(fl_sql_bind_rule(b, &ch->constraints->checks[i].condition, given->image, &parts[n]));
        FL_TRY(fl_expr_cast(b->plan, parts[n], FL_TYPE(FL_BOOL), false, -1, &parts[n], b->err));
        FL_TRY(fl_expr_not(b->plan, parts[n], -1, &parts[n], b->err));
    }
    *ret = NULL;
    if (n > 0)
        FL_TRY(fl_expr_or(b->plan, parts, n, -1, ret, b->err));
cleanup:
    return st;
}

/* The rows that come, each beside the one that has its key. */
static fl_status join_by_key(binder *b, const change *ch, const changed_rows *given, const fl_col_id *old, pairs *p)
{
    fl_status st = FL_OK;
    const fl_table_key *key = &ch->table->keys[ch->bound->conflict_key];
    const fl_expr **parts = NULL, *condition;
    FL_TRY(FL_NEW_ARRAY(b->arena, key->n_cols, &parts, b->err));
    for (int32_t k = 0; k < key->n_cols; k++) {
        const fl_expr *left, *right;
        FL_TRY(fl_expr_column(b->plan, given->image[key->cols[k]], -1, &left, b->err));
        FL_TRY(fl_expr_column(b->plan, old[key->cols[k]], -1, &right, b->err));
        FL_TRY(fl_sql_compare(b, FL_AST_OP_EQ, left, right, -1, &parts[k]));
    }
    FL_TRY(fl_expr_and(b->plan, parts, key->n_cols, -1, &condition, b->err));
    FL_TRY(fl_join_build(b->plan, FL_JOIN_LEFT, given->node, p->node, condition, NULL, &p->node, b->err));
cleanup:
    return st;
}

static fl_status plan_upsert(binder *b, void *ctx, output *ret)
{
    fl_status st = FL_OK;
    change *ch = ctx;
    const fl_table *table = ch->table;
    changed_rows given = {0};
    pairs p = {0};
    arm arms[2] = {{.match = FL_AST_NOT_MATCHED, .action = FL_MERGE_INSERT},
                   {.match = FL_AST_MATCHED, .action = FL_MERGE_UPDATE}};
    fl_col_id *old = NULL;
    fl_str *names = NULL;
    scope both;
    FL_TRY(fl_sql_begin_plan(b, ch));
    FL_TRY(fl_sql_plan_new_rows(b, ch, &given));
    FL_TRY(fl_sql_generate(b, ch, &given));
    fl_sql_scope_init(&both, NULL, CLAUSE_SET);
    both.ctes = ch->ctes;
    FL_TRY(fl_sql_scan_target(b, ch, ch->bound->name_pos, &both, &p.place, &p.node));
    FL_TRY(FL_NEW_ARRAY(b->arena, table->n_cols + 1, &old, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, table->n_cols + 1, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, table->n_cols + 1, &arms[0].values, b->err));
    for (int32_t c = 0; c < table->n_cols; c++) {
        old[c] = both.cols[c].col;
        names[c] = table->fields[c].name;
        FL_TRY(fl_expr_column(b->plan, given.image[c], -1, &arms[0].values[c], b->err));
    }
    p.old = old;
    FL_TRY(join_by_key(b, ch, &given, old, &p));
    FL_TRY(test_given(b, ch, &given, &p.refused));
    FL_TRY(fl_sql_scope_add_table(b, &both, FL_STR("excluded"), (fl_str){0}, names, given.image, table->n_cols,
                                  ch->bound->name_pos));
    FL_TRY(bind_update_arm(b, ch, &both, given.image, &arms[1]));
    FL_TRY(put_arms(b, ch, &p, arms, 2, ret));
cleanup:
    return st;
}

fl_status fl_sql_bind_upsert(change *ch, fl_arena *arena, fl_err *err)
{
    fl_status st = FL_OK;
    ch->bound->kind = FL_AST_MERGE;
    FL_TRY(FL_NEW_ARRAY(arena, ch->table->n_cols + 1, &ch->bound->assigned, err));
    FL_TRY(fl_sql_bind_plan(ch->env, ch->ast, plan_upsert, ch, &ch->bound->query, err));
cleanup:
    return st;
}

/* ---- MERGE ---- */

/* What the statement works with. */
typedef struct merging {
    const fl_ast_merge *ast;
    scope target, source, both;
} merging;

static fl_status merge_condition(binder *b, merging *m, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr **parts = NULL;
    int32_t n = m->ast->using_count;
    if (m->ast->on != NULL)
        return fl_sql_bind_bool(b, &m->both, m->ast->on, "argument of ON", ret);
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &parts, b->err));
    for (int32_t i = 0; i < n; i++) {
        const fl_ast_name *name = &m->ast->usings[i];
        fl_ast_expr column = {.kind = FL_AST_COLUMN, .start = name->start, .end = name->end};
        const fl_expr *left, *right;
        column.path = (fl_ast_path){.parts = &m->ast->usings[i], .count = 1};
        FL_TRY(fl_sql_bind_column(b, &m->target, &column, &left));
        FL_TRY(fl_sql_bind_column(b, &m->source, &column, &right));
        FL_TRY(fl_sql_compare(b, FL_AST_OP_EQ, left, right, name->start, &parts[i]));
    }
    FL_TRY(fl_expr_and(b->plan, parts, n, -1, ret, b->err));
cleanup:
    return st;
}

/* UPDATE or INSERT without values: the source's columns that are called as the table's. */
static fl_status take_row(binder *b, const change *ch, const merging *m, const fl_ast_merge_when *when,
                          const fl_expr **values)
{
    fl_status st = FL_OK;
    fl_name_map fields;
    int32_t n = 0;
    FL_TRY(fl_sql_map_fields(b, ch->table, &fields));
    for (int32_t i = 0; i < m->source.n_cols; i++) {
        int32_t c = fl_name_map_find(&fields, m->source.cols[i].name);
        if (c < 0 || values[c] != NULL || m->source.cols[i].is_hidden || fl_sql_is_generated(ch, c))
            continue;
        const fl_field *field = &ch->table->fields[c];
        FL_TRY(fl_expr_column(b->plan, m->source.cols[i].col, -1, &values[c], b->err));
        FL_TRY(fl_sql_assign(b, values[c], field->type, field->name, when->start, &values[c]));
        n++;
    }
    if (n == 0)
        return fl_sql_bind_fail(b, when->start, FL_ERR_COLUMN, "no column of the source is called as one of \"%.*s\"",
                                FL_STR_ARG(ch->bound->name));
cleanup:
    return st;
}

/* VALUES without names: the table's columns in their order. */
static fl_status name_by_place(binder *b, const change *ch, const fl_ast_merge_when *when, fl_ast_assign **ret)
{
    fl_status st = FL_OK;
    int32_t n = when->assign_count;
    if (n > ch->table->n_cols)
        return fl_sql_bind_fail(b, when->assigns[ch->table->n_cols].value->start, FL_ERR_SYNTAX,
                                "%d values for %d columns", n, ch->table->n_cols);
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, ret, b->err));
    for (int32_t i = 0; i < n; i++) {
        (*ret)[i] = when->assigns[i];
        (*ret)[i].name = (fl_ast_name){.text = ch->table->fields[i].name, .start = when->assigns[i].value->start};
    }
cleanup:
    return st;
}

static fl_status bind_arm(binder *b, change *ch, merging *m, const fl_ast_merge_when *when, arm *ret)
{
    static const fl_merge_action actions[] = {[FL_AST_MERGE_NOTHING] = FL_MERGE_NOTHING,
                                              [FL_AST_MERGE_INSERT] = FL_MERGE_INSERT,
                                              [FL_AST_MERGE_UPDATE] = FL_MERGE_UPDATE,
                                              [FL_AST_MERGE_DELETE] = FL_MERGE_DELETE};
    fl_status st = FL_OK;
    scope *s = when->match == FL_AST_MATCHED ? &m->both : when->match == FL_AST_NOT_MATCHED ? &m->source : &m->target;
    fl_ast_assign *assigns = when->assigns;
    bool inserts = when->action == FL_AST_MERGE_INSERT;
    *ret = (arm){.match = when->match, .action = actions[when->action]};
    s->clause = CLAUSE_WHERE;
    if (when->condition != NULL)
        FL_TRY(fl_sql_bind_bool(b, s, when->condition, "argument of WHEN", &ret->condition));
    if (!inserts && when->action != FL_AST_MERGE_UPDATE)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(b->arena, ch->table->n_cols + 1, &ret->values, b->err));
    s->clause = inserts ? CLAUSE_VALUES : CLAUSE_SET;
    ch->is_overriding = when->is_overriding;
    if (when->is_by_place)
        FL_TRY(name_by_place(b, ch, when, &assigns));
    if (when->takes_row)
        FL_TRY(take_row(b, ch, m, when, ret->values));
    FL_TRY(fl_sql_bind_assigns(b, ch, s, assigns, when->assign_count, ret->values, NULL));
    for (int32_t c = 0; inserts && c < ch->table->n_cols; c++)
        if (ret->values[c] == NULL)
            FL_TRY(fl_sql_bind_default(b, ch, c, &ret->values[c]));
cleanup:
    return st;
}

static fl_join_kind kind_of(const fl_ast_merge *ast, bool *ret_keeps_target)
{
    bool keeps_source = false;
    *ret_keeps_target = false;
    for (int32_t i = 0; i < ast->when_count; i++) {
        keeps_source |= ast->whens[i].match == FL_AST_NOT_MATCHED;
        *ret_keeps_target |= ast->whens[i].match == FL_AST_NOT_MATCHED_BY_SOURCE;
    }
    if (*ret_keeps_target)
        return keeps_source ? FL_JOIN_FULL : FL_JOIN_RIGHT;
    return keeps_source ? FL_JOIN_LEFT : FL_JOIN_INNER;
}

static fl_status plan_merge(binder *b, void *ctx, output *ret)
{
    fl_status st = FL_OK;
    change *ch = ctx;
    merging m = {.ast = ch->ast->merge};
    pairs p = {0};
    arm *arms = NULL;
    const fl_node *source;
    const fl_expr *condition, *mark;
    fl_col_id *old = NULL;
    fl_str mark_name = FL_STR("met");
    FL_TRY(fl_sql_begin_plan(b, ch));
    fl_sql_scope_init(&m.target, NULL, CLAUSE_WHERE);
    fl_sql_scope_init(&m.source, NULL, CLAUSE_FROM);
    fl_sql_scope_init(&m.both, NULL, CLAUSE_FROM);
    m.target.ctes = m.source.ctes = m.both.ctes = ch->ctes;
    FL_TRY(fl_sql_scan_target(b, ch, m.ast->target->start, &m.target, &p.place, &p.node));
    FL_TRY(fl_sql_bind_from(b, NULL, m.ast->source, &m.source, &source));
    FL_TRY(fl_sql_expr_bool(b, true, -1, &mark));
    FL_TRY(fl_project_extend(b->plan, source, &mark, &mark_name, 1, &p.mark, &source, b->err));
    if (m.source.n_tables > 0 && fl_sql_scope_table(&m.source, ch->alias) >= 0)
        return fl_sql_bind_fail_state(b, m.ast->source->start, FL_ERR_DUPLICATE, "42712",
                                      "two tables are called \"%.*s\" here: give one an alias", FL_STR_ARG(ch->alias));
    FL_TRY(fl_sql_scope_add_all(b, &m.both, &m.target));
    FL_TRY(fl_sql_scope_add_all(b, &m.both, &m.source));
    m.both.clause = CLAUSE_ON;
    FL_TRY(merge_condition(b, &m, &condition));
    FL_TRY(FL_NEW_ARRAY(b->arena, ch->table->n_cols + 1, &old, b->err));
    for (int32_t c = 0; c < ch->table->n_cols; c++)
        old[c] = m.target.cols[c].col;
    p.old = old;
    p.beside = &m.source;
    FL_TRY(FL_NEW_ARRAY(b->arena, m.ast->when_count, &arms, b->err));
    for (int32_t i = 0; i < m.ast->when_count; i++)
        FL_TRY(bind_arm(b, ch, &m, &m.ast->whens[i], &arms[i]));
    FL_TRY(
        fl_join_build(b->plan, kind_of(m.ast, &p.has_unmatched_old), source, p.node, condition, NULL, &p.node, b->err));
    FL_TRY(put_arms(b, ch, &p, arms, m.ast->when_count, ret));
cleanup:
    return st;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_merge)
{
    (void)text;
    fl_status st = FL_OK;
    const fl_ast_merge *merge = ast->merge;
    change ch;
    FL_TRY(fl_sql_begin_change(env, arena, ast, merge->target->path, ret, &ch, err));
    ch.with = merge->with;
    ch.returning = &merge->returning;
    if (merge->target->alias.text.len > 0)
        ch.alias = merge->target->alias.text;
    FL_TRY(FL_NEW_ARRAY(arena, ch.table->n_cols + 1, &ret->assigned, err));
    FL_TRY(fl_sql_bind_plan(env, ast, plan_merge, &ch, &ret->query, err));
cleanup:
    return st;
}
