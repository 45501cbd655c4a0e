/* CREATE TABLE: columns, keys, checks, foreign keys. Each expression is bound once here, so that its faults are told when it is written,
 * and kept as text. */
#include "front/sql/bind_definition.h"

#include "base/nearest.h"
#include "op/values/node.h"

/* ---- finding and growing ---- */

int32_t fl_sql_definition_find(const definition *d, fl_str column)
{
    if (d->known.arena != NULL)
        return fl_name_map_find(&d->known, column);
    for (int32_t i = 0; i < d->n_columns; i++)
        if (fl_str_is_equal_nocase(d->columns[i].name, column))
            return i;
    return -1;
}

fl_status fl_sql_definition_grow(const definition *d, void *items, int32_t count, int32_t *capacity, int64_t bytes)
{
    fl_status st = FL_OK;
    void *old, *made;
    if (count < *capacity)
        return FL_OK;
    int32_t wanted = *capacity == 0 ? 8 : *capacity * 2;
    memcpy(&old, items, sizeof(old));
    FL_TRY(fl_arena_get_zero(d->arena, wanted * bytes, &made, d->err));
    if (count > 0)
        memcpy(made, old, (size_t)(count * bytes));
    memcpy(items, &made, sizeof(made));
    *capacity = wanted;
cleanup:
    return st;
}

static fl_status fail_no_column(fl_str name, const fl_str *columns, int32_t n_columns, fl_str table, int32_t pos,
                                fl_err *err)
{
    fl_nearest near;
    fl_status st =
        FL_FAIL(err, FL_ERR_COLUMN, "there is no column \"%.*s\" in \"%.*s\"", FL_STR_ARG(name), FL_STR_ARG(table));
    fl_nearest_init(&near, name);
    for (int32_t i = 0; i < n_columns; i++)
        fl_nearest_offer(&near, columns[i]);
    fl_nearest_hint(&near, err);
    fl_err_at(err, pos);
    return st;
}

fl_status fl_sql_definition_fail_column(const definition *d, const fl_ast_name *name)
{
    fl_str *names = NULL;
    fl_status st = FL_NEW_ARRAY(d->arena, d->n_columns + 1, &names, d->err);
    for (int32_t i = 0; i < d->n_columns && st == FL_OK; i++)
        names[i] = d->columns[i].name;
    return st != FL_OK ? st : fail_no_column(name->text, names, d->n_columns, d->name, name->start, d->err);
}

static fl_status find_column(const definition *d, const fl_ast_name *name, int32_t *ret)
{
    *ret = fl_sql_definition_find(d, name->text);
    return *ret >= 0 ? FL_OK : fl_sql_definition_fail_column(d, name);
}

bool fl_sql_definition_has(const definition *d, fl_str name)
{
    bool has = false;
    if (d->constraints.arena != NULL)
        return fl_name_map_find(&d->constraints, name) >= 0;
    for (int32_t i = 0; i < d->n_keys; i++)
        has |= fl_str_is_equal_nocase(d->keys[i].name, name);
    for (int32_t i = 0; i < d->n_checks; i++)
        has |= fl_str_is_equal_nocase(d->checks[i].name, name);
    for (int32_t i = 0; i < d->n_foreign_keys; i++)
        has |= fl_str_is_equal_nocase(d->foreign_keys[i].name, name);
    return has;
}

/* Keeps the name of a constraint that was added. */
static fl_status note_constraint(definition *d, fl_str name)
{
    return d->constraints.arena == NULL ? FL_OK : fl_name_map_add(&d->constraints, name, 0, NULL, d->err);
}

/* The name that was given, or table_columns_ending, with a number where that is taken. */
static fl_status name_constraint(const definition *d, const fl_ast_name *given, const int32_t *cols, int32_t n,
                                 const char *ending, fl_str *ret)
{
    fl_status st = FL_OK;
    fl_text text;
    if (given->text.len > 0) {
        if (!fl_sql_definition_has(d, given->text))
            return fl_arena_copy_str(d->arena, given->text, ret, d->err);
        st = FL_FAIL(d->err, FL_ERR_DUPLICATE, "\"%.*s\" has a constraint \"%.*s\" already", FL_STR_ARG(d->name),
                     FL_STR_ARG(given->text));
        fl_err_state(d->err, "42710", st);
        fl_err_at(d->err, given->start);
        return st;
    }
    fl_text_init(&text, NULL);
    for (int32_t number = 0; st == FL_OK; number++) {
        text.len = 0;
        fl_text_add(&text, d->short_name);
        for (int32_t i = 0; i < n; i++) {
            fl_text_add_char(&text, '_');
            fl_text_add(&text, d->columns[cols[i]].name);
        }
        fl_text_addf(&text, number > 0 ? "_%s%d" : "_%s", ending, number);
        st = fl_text_status(&text, d->err);
        if (st == FL_OK && !fl_sql_definition_has(d, fl_text_str(&text)))
            break;
    }
    if (st == FL_OK)
        st = fl_arena_copy_str(d->arena, fl_text_str(&text), ret, d->err);
    fl_text_drop(&text);
    return st;
}

/* ---- types ---- */

typedef struct type_ctx {
    const fl_ast_type *ast;
    fl_arena *arena;
    fl_type type;
} type_ctx;

static fl_status plan_type(binder *b, void *ctx, output *ret)
{
    fl_status st = FL_OK;
    type_ctx *t = ctx;
    fl_type type;
    FL_TRY(fl_sql_bind_type(b, t->ast, &type));
    FL_TRY(fl_type_copy(t->arena, type, &t->type, b->err));
    FL_TRY(fl_values_build(b->plan, NULL, 1, 0, NULL, &ret->root, b->err));
cleanup:
    return st;
}

fl_status fl_sql_bind_type_alone(fl_sql_env *env, fl_arena *arena, const fl_ast_statement *statement,
                                 const fl_ast_type *ast, fl_type *ret, fl_err *err)
{
    fl_query scratch = {0};
    type_ctx ctx = {.ast = ast, .arena = arena};
    fl_status st = fl_sql_bind_plan(env, statement, plan_type, &ctx, &scratch, err);
    fl_plan_unref(scratch.plan);
    if (st == FL_OK)
        *ret = ctx.type;
    return st;
}

/* serial and its kin: an integer that counts. */
static bool is_serial(const fl_ast_type *ast, fl_type *ret)
{
    static const struct {
        const char *name;
        fl_type_id id;
    } names[] = {{"serial", FL_I32},  {"serial4", FL_I32},     {"bigserial", FL_I64},
                 {"serial8", FL_I64}, {"smallserial", FL_I16}, {"serial2", FL_I16}};
    for (int64_t i = 0; i < FL_LEN(names) && ast->list_depth == 0 && ast->field_count == 0; i++)
        if (fl_str_is_equal_nocase(ast->name, fl_str_of(names[i].name))) {
            *ret = FL_TYPE(names[i].id);
            return true;
        }
    return false;
}

/* ---- columns ---- */

/* An expression of a definition. */
typedef struct rule_ctx {
    const definition *d;
    fl_sql_column *column; /* DEFAULT, GENERATED; NULL: CHECK */
    const fl_ast_expr *ast;
    bool has_columns; /* it may read them */
    fl_rule_text *ret;
} rule_ctx;

static fl_status fail_rule(binder *b, const rule_ctx *r, const char *why, fl_status code, const char *state)
{
    const char *what = r->column == NULL ? "CHECK" : "GENERATED";
    return fl_sql_bind_fail_state(b, r->ast->start, code, state, "%s %s", what, why);
}

/* Notes the columns that the expression reads. */
static fl_status note_columns(binder *b, const rule_ctx *r, const fl_expr *expr, const fl_col_id *cols)
{
    fl_status st = FL_OK;
    const definition *d = r->d;
    fl_col_set used;
    int32_t *noted = NULL;
    fl_str *names = NULL;
    fl_col_set_init(&used);
    FL_TRY(fl_expr_add_cols(b->arena, expr, &used, b->err));
    FL_TRY(FL_NEW_ARRAY(d->arena, d->n_columns + 1, &noted, b->err));
    FL_TRY(FL_NEW_ARRAY(d->arena, d->n_columns + 1, &names, b->err));
    for (int32_t i = 0; i < d->n_columns; i++)
        if (fl_col_set_has(&used, cols[i])) {
            noted[r->ret->n_cols] = i;
            names[r->ret->n_cols++] = d->columns[i].name;
            if (r->column != NULL && d->columns[i].generated.text.len > 0)
                return fail_rule(b, r, "reads no other generated column", FL_ERR_UNSUPPORTED, "42P17");
        }
    r->ret->cols = noted;
    r->ret->names = names;
cleanup:
    return st;
}

static fl_status plan_rule(binder *b, void *ctx, output *ret)
{
    fl_status st = FL_OK;
    rule_ctx *r = ctx;
    const definition *d = r->d;
    const fl_expr **nulls = NULL, *expr;
    fl_str *names = NULL;
    scope s;
    bool is_default = !r->has_columns;
    int32_t n = is_default ? 0 : d->n_columns;
    fl_sql_scope_init(&s, NULL, is_default ? CLAUSE_VALUES : CLAUSE_RULE);
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &nulls, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &names, b->err));
    for (int32_t i = 0; i < n; i++) {
        fl_value null = {.type = d->columns[i].type, .is_null = true};
        FL_TRY(fl_expr_const(b->plan, &null, -1, &nulls[i], b->err));
        names[i] = d->columns[i].name;
    }
    FL_TRY(fl_values_build(b->plan, nulls, 1, n, names, &ret->root, b->err));
    const fl_col_id *cols = fl_values_of(ret->root)->cols;
    if (!is_default)
        FL_TRY(fl_sql_scope_add_table(b, &s, d->short_name, d->name, names, cols, n, -1));
    if (r->column == NULL)
        FL_TRY(fl_sql_bind_bool(b, &s, r->ast, "argument of CHECK", &expr));
    else
        FL_TRY(fl_sql_bind_expr(b, &s, r->ast, &expr));
    if (is_default)
        return fl_sql_assign(b, expr, r->column->type, r->column->name, r->ast->start, &expr);
    if (expr->flags & FL_EXPR_HAS_SUBQUERY)
        return fail_rule(b, r, "takes no subquery", FL_ERR_UNSUPPORTED, "0A000");
    if (expr->flags & FL_EXPR_HAS_PARAM)
        return fail_rule(b, r, "takes no parameter", FL_ERR_PARAMETER, "42P02");
    if (r->column != NULL && (expr->flags & FL_EXPR_VOLATILE))
        return fail_rule(b, r, "takes no function whose value changes from call to call", FL_ERR_UNSUPPORTED, "42P17");
    if (r->column != NULL)
        FL_TRY(fl_sql_assign(b, expr, r->column->type, r->column->name, r->ast->start, &expr));
    r->ret->n_cols = 0;
    FL_TRY(note_columns(b, r, expr, cols));
cleanup:
    return st;
}

static fl_status bind_rule(rule_ctx *r, int32_t start, int32_t end)
{
    const definition *d = r->d;
    fl_query scratch = {0};
    fl_status st = fl_sql_bind_plan(d->env, d->ast, plan_rule, r, &scratch, d->err);
    fl_plan_unref(scratch.plan);
    fl_str written = {d->text.data + start, end - start};
    return st != FL_OK ? st : fl_arena_copy_str(d->arena, written, &r->ret->text, d->err);
}

fl_status fl_sql_define_default(definition *d, fl_sql_column *column, const fl_ast_expr *ast, int32_t start,
                                int32_t end)
{
    fl_rule_text rule = {0};
    rule_ctx r = {.d = d, .column = column, .ast = ast, .ret = &rule};
    fl_status st = bind_rule(&r, start, end);
    if (st == FL_OK)
        column->default_text = rule.text;
    return st;
}

fl_status fl_sql_collate_column(const definition *d, const fl_ast_name *name, fl_type *type)
{
    fl_status st = FL_OK;
    fl_collation collation;
    FL_TRY(fl_sql_find_collation(name, &collation, d->err));
    if (!fl_type_is_text(*type)) {
        st = FL_FAIL(d->err, FL_ERR_TYPE, "type %s has no collations, text has", FL_TYPE_NAME(*type));
        fl_err_at(d->err, name->start);
        return fl_err_state(d->err, "42804", st);
    }
    type->precision = (uint8_t)collation;
cleanup:
    return st;
}

/* The column's default is the next number of a sequence of its own. */
static fl_status define_sequence(definition *d, fl_sql_column *column)
{
    fl_status st = FL_OK;
    fl_str name;
    column->is_sequence_new = true;
    fl_text text;
    fl_text_init(&text, NULL);
    FL_TRY(
        fl_arena_format(d->arena, &name, d->err, "%.*s_%.*s_seq", FL_STR_ARG(d->short_name), FL_STR_ARG(column->name)));
    FL_TRY(fl_sql_rename(d->arena, d->name, name, &column->sequence, d->err));
    fl_text_add(&text, FL_STR("nextval("));
    fl_text_add_quoted(&text, column->sequence, '\''); /* which may have quotes in its name */
    fl_text_add_char(&text, ')');
    FL_TRY(fl_text_status(&text, d->err));
    FL_TRY(fl_arena_copy_str(d->arena, fl_text_str(&text), &column->default_text, d->err));
cleanup:
    fl_text_drop(&text);
    return st;
}

static fl_status fail_both(const definition *d, const fl_ast_column_def *ast, const char *what)
{
    fl_status st =
        FL_FAIL(d->err, FL_ERR_SYNTAX, "column \"%.*s\" has both a default and %s", FL_STR_ARG(ast->name.text), what);
    fl_err_at(d->err, ast->name.start);
    return st;
}

fl_status fl_sql_define_column(definition *d, const fl_ast_column_def *ast)
{
    fl_status st = FL_OK;
    fl_sql_column made = {.from = -1, .is_not_null = ast->is_not_null};
    if (fl_sql_definition_find(d, ast->name.text) >= 0)
        return fl_sql_fail_twice(ast->name.text, ast->name.start, d->err);
    if (ast->otherwise != NULL && (ast->generated != NULL || ast->identity != FL_AST_IDENTITY_NONE))
        return fail_both(d, ast, ast->generated != NULL ? "GENERATED" : "IDENTITY");
    FL_TRY(fl_arena_copy_str(d->arena, ast->name.text, &made.name, d->err));
    bool counts = is_serial(ast->type, &made.type);
    if (counts && ast->otherwise != NULL)
        return fail_both(d, ast, "serial");
    made.is_not_null |= counts;
    if (!counts)
        FL_TRY(fl_sql_bind_type_alone(d->env, d->arena, d->ast, ast->type, &made.type, d->err));
    if (ast->collation.text.len > 0)
        FL_TRY(fl_sql_collate_column(d, &ast->collation, &made.type));
    if (ast->identity != FL_AST_IDENTITY_NONE) {
        made.identity = ast->identity == FL_AST_IDENTITY_ALWAYS ? FL_IDENTITY_ALWAYS : FL_IDENTITY_BY_DEFAULT;
        made.sequence_options = ast->sequence;
        if (!fl_type_is_integer(made.type)) {
            st = FL_FAIL(d->err, FL_ERR_TYPE, "an identity column is smallint, integer or bigint, not %s",
                         FL_TYPE_NAME(made.type));
            fl_err_at(d->err, ast->type->start);
            return fl_err_state(d->err, "22023", st);
        }
    }
    if (counts || made.identity != FL_IDENTITY_NONE)
        FL_TRY(define_sequence(d, &made));
    if (ast->otherwise != NULL)
        FL_TRY(fl_sql_define_default(d, &made, ast->otherwise, ast->otherwise_start, ast->otherwise_end));
    FL_TRY(fl_sql_definition_grow(d, &d->columns, d->n_columns, &d->columns_capacity, (int64_t)sizeof(made)));
    if (d->known.arena != NULL)
        FL_TRY(fl_name_map_add(&d->known, made.name, d->n_columns, NULL, d->err));
    d->columns[d->n_columns++] = made;
cleanup:
    return st;
}

fl_status fl_sql_define_generated(definition *d, int32_t column, const fl_ast_column_def *ast)
{
    fl_rule_text rule = {0};
    rule_ctx r = {.d = d, .column = &d->columns[column], .ast = ast->generated, .has_columns = true, .ret = &rule};
    fl_status st = bind_rule(&r, ast->generated_start, ast->generated_end);
    if (st == FL_OK && rule.n_cols > 0)
        for (int32_t i = 0; i < rule.n_cols; i++)
            if (rule.cols[i] == column) {
                st = FL_FAIL(d->err, FL_ERR_UNSUPPORTED, "GENERATED reads no other generated column");
                fl_err_at(d->err, ast->generated->start);
                return fl_err_state(d->err, "42P17", st);
            }
    if (st == FL_OK)
        d->columns[column].generated = rule;
    return st;
}

/* ---- constraints ---- */

fl_status fl_sql_fail_collated_key(fl_type type, int32_t pos, fl_err *err)
{
    fl_status st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "keys of collation \"%s\" are not supported",
                           fl_collation_name((fl_collation)type.precision));
    fl_err_hint(err, "make the key's text a column of its own, for example GENERATED ALWAYS AS (lower(x))");
    fl_err_at(err, pos);
    return st;
}

fl_status fl_sql_bind_key(fl_arena *arena, const fl_ast_table_key *ast, fl_str table, const fl_str *columns,
                          const fl_type *types, int32_t n_columns, fl_table_key *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t *cols = NULL;
    fl_text name;
    fl_text_init(&name, NULL);
    fl_text_add(&name, table);
    FL_TRY(FL_NEW_ARRAY(arena, ast->column_count, &cols, err));
    for (int32_t i = 0; i < ast->column_count; i++) {
        const fl_ast_name *column = &ast->columns[i];
        int32_t c = 0;
        while (c < n_columns && !fl_str_is_equal_nocase(columns[c], column->text))
            c++;
        if (c == n_columns) {
            st = fail_no_column(column->text, columns, n_columns, table, column->start, err);
            goto cleanup;
        }
        for (int32_t k = 0; k < i; k++)
            if (cols[k] == c) {
                st = fl_sql_fail_twice(column->text, column->start, err);
                goto cleanup;
            }
        if (fl_type_is_text(types[c]) && fl_collation_has_key((fl_collation)types[c].precision)) {
            st = fl_sql_fail_collated_key(types[c], column->start, err);
            goto cleanup;
        }
        if (fl_type_is_nested(types[c])) {
            st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "keys of type %s are not supported yet", FL_TYPE_NAME(types[c]));
            fl_err_hint(err, "make its parts columns of their own, or keep its text: CAST(… AS text)");
            fl_err_at(err, column->start);
            goto cleanup;
        }
        cols[i] = c;
        if (!ast->is_primary) {
            fl_text_add_char(&name, '_');
            fl_text_add(&name, columns[c]);
        }
    }
    fl_text_add(&name, ast->is_primary ? FL_STR("_pkey") : FL_STR("_key"));
    FL_TRY(fl_text_status(&name, err));
    *ret = (fl_table_key){.cols = cols, .n_cols = ast->column_count, .is_primary = ast->is_primary};
    FL_TRY(fl_arena_copy_str(arena, ast->name.text.len > 0 ? ast->name.text : fl_text_str(&name), &ret->name, err));
cleanup:
    fl_text_drop(&name);
    return st;
}

static fl_status define_key(definition *d, const fl_ast_table_key *ast, const fl_str *names, const fl_type *types)
{
    fl_status st = FL_OK;
    fl_table_key made;
    for (int32_t i = 0; i < d->n_keys && ast->is_primary; i++)
        if (d->keys[i].is_primary) {
            FL_FAIL(d->err, FL_ERR_DUPLICATE, "table \"%.*s\" has a primary key already", FL_STR_ARG(d->name));
            fl_err_at(d->err, ast->start);
            return fl_err_state(d->err, "42P16", FL_ERR_DUPLICATE);
        }
    FL_TRY(fl_sql_bind_key(d->arena, ast, d->short_name, names, types, d->n_columns, &made, d->err));
    if (ast->name.text.len > 0 || fl_sql_definition_has(d, made.name))
        FL_TRY(name_constraint(d, &ast->name, made.cols, ast->is_primary ? 0 : made.n_cols,
                               ast->is_primary ? "pkey" : "key", &made.name));
    for (int32_t i = 0; ast->is_primary && i < made.n_cols; i++)
        d->columns[made.cols[i]].is_not_null = true;
    FL_TRY(fl_sql_definition_grow(d, &d->keys, d->n_keys, &d->keys_capacity, (int64_t)sizeof(made)));
    d->keys[d->n_keys++] = made;
    FL_TRY(note_constraint(d, made.name));
cleanup:
    return st;
}

static fl_status define_check(definition *d, const fl_ast_check *ast)
{
    fl_status st = FL_OK;
    fl_table_check made = {0};
    rule_ctx r = {.d = d, .ast = ast->condition, .has_columns = true, .ret = &made.condition};
    FL_TRY(bind_rule(&r, ast->text_start, ast->text_end));
    FL_TRY(name_constraint(d, &ast->name, made.condition.cols, made.condition.n_cols == 1, "check", &made.name));
    FL_TRY(fl_sql_definition_grow(d, &d->checks, d->n_checks, &d->checks_capacity, (int64_t)sizeof(made)));
    d->checks[d->n_checks++] = made;
    FL_TRY(note_constraint(d, made.name));
cleanup:
    return st;
}

/* The table that a foreign key refers to, and its keys: this one, or another one. */
typedef struct referred {
    fl_table *table; /* NULL: the table that is defined */
    const fl_table_key *keys;
    int32_t n_keys;
} referred;

static fl_str referred_column(const definition *d, const referred *to, int32_t col)
{
    return to->table != NULL ? to->table->fields[col].name : d->columns[col].name;
}

static fl_status fail_foreign_key(const definition *d, const fl_ast_foreign_key *ast, const char *state,
                                  const char *message)
{
    fl_status st = FL_FAIL(d->err, FL_ERR_TABLE, "%s", message);
    fl_err_at(d->err, ast->start);
    return fl_err_state(d->err, state, st);
}

/* Whether the key has the columns that are named, in any order. */
static bool is_key_named(const definition *d, const referred *to, const fl_table_key *key,
                         const fl_ast_foreign_key *ast)
{
    if (ast->table_column_count == 0)
        return key->is_primary;
    for (int32_t k = 0; k < key->n_cols; k++) {
        bool is_named = false;
        for (int32_t i = 0; i < ast->table_column_count; i++)
            is_named |= fl_str_is_equal_nocase(referred_column(d, to, key->cols[k]), ast->table_columns[i].text);
        if (!is_named)
            return false;
    }
    return key->n_cols == ast->table_column_count;
}

/* A table that is being made is known by its short name, too. */
static fl_status find_referred_name(const definition *d, const fl_ast_foreign_key *ast, fl_str *ret)
{
    if (ast->table.count == 1 && fl_str_is_equal_nocase(ast->table.parts[0].text, d->short_name)) {
        *ret = d->name;
        return FL_OK;
    }
    return fl_sql_qualify(d->env, d->arena, ast->table, false, ret, d->err);
}

static fl_status find_referred(const definition *d, const fl_ast_foreign_key *ast, fl_str name, referred *ret)
{
    fl_catalog_entry entry = {0};
    if (fl_str_is_equal_nocase(name, d->name)) {
        *ret = (referred){.keys = d->keys, .n_keys = d->n_keys};
        return FL_OK;
    }
    fl_status st = d->env->catalog->find(d->env->catalog, name, &entry, d->err);
    if (st != FL_OK) {
        fl_err_at(d->err, ast->table.parts[0].start);
        return st;
    }
    if (entry.table == NULL)
        return fail_foreign_key(d, ast, "42809", "a foreign key refers to a table, not to a view");
    *ret = (referred){.table = entry.table, .keys = entry.table->keys, .n_keys = entry.table->n_keys};
    return FL_OK;
}

/* Whether the table that is referred to has the columns that are named. */
static fl_status check_referred(const definition *d, const fl_ast_foreign_key *ast, const referred *to)
{
    fl_status st = FL_OK;
    fl_str *names = NULL;
    int32_t n = to->table != NULL ? to->table->n_cols : d->n_columns;
    FL_TRY(FL_NEW_ARRAY(d->arena, n + 1, &names, d->err));
    for (int32_t c = 0; c < n; c++)
        names[c] = referred_column(d, to, c);
    for (int32_t i = 0; i < ast->table_column_count; i++) {
        const fl_ast_name *name = &ast->table_columns[i];
        int32_t c = 0;
        while (c < n && !fl_str_is_equal_nocase(names[c], name->text))
            c++;
        if (c == n)
            return fail_no_column(name->text, names, n, to->table != NULL ? to->table->name : d->name, name->start,
                                  d->err);
    }
cleanup:
    return st;
}

/* Fills the columns of both sides. */
static fl_status pair_columns(const definition *d, const fl_ast_foreign_key *ast, const referred *to,
                              const fl_table_key *key, fl_foreign_key *ret)
{
    fl_status st = FL_OK;
    int32_t *cols = NULL;
    fl_str *names = NULL;
    if (ast->column_count != key->n_cols)
        return fail_foreign_key(d, ast, "42830", "a foreign key has as many columns as the key that it refers to");
    FL_TRY(FL_NEW_ARRAY(d->arena, key->n_cols, &cols, d->err));
    FL_TRY(FL_NEW_ARRAY(d->arena, key->n_cols, &names, d->err));
    for (int32_t i = 0; i < key->n_cols; i++) {
        int32_t c = -1;
        FL_TRY(find_column(d, &ast->columns[i], &cols[i]));
        for (int32_t k = 0; k < key->n_cols; k++) {
            bool is_it = ast->table_column_count == 0
                             ? k == i
                             : fl_str_is_equal_nocase(referred_column(d, to, key->cols[k]), ast->table_columns[i].text);
            c = is_it ? key->cols[k] : c;
        }
        if (c < 0)
            return fail_foreign_key(d, ast, "42830", "a foreign key names each column of the key once");
        fl_type there = to->table != NULL ? to->table->fields[c].type : d->columns[c].type, common;
        fl_type here = d->columns[cols[i]].type;
        bool is_text = (here.id == FL_UTF8) != (there.id == FL_UTF8);
        if (is_text || !fl_type_common_in(d->arena, here, there, &common))
            return fail_foreign_key(d, ast, "42804",
                                    "the foreign key's columns and those that it refers to have types that "
                                    "cannot be compared");
        FL_TRY(fl_arena_copy_str(d->arena, referred_column(d, to, c), &names[i], d->err));
    }
    ret->n_cols = key->n_cols;
    ret->cols = cols;
    ret->table_cols = names;
cleanup:
    return st;
}

static fl_status define_foreign_key(definition *d, const fl_ast_foreign_key *ast)
{
    static const fl_reference_action actions[] = {
        [FL_AST_REFERENCE_REFUSES] = FL_REFERENCE_REFUSES,
        [FL_AST_REFERENCE_CASCADES] = FL_REFERENCE_CASCADES,
        [FL_AST_REFERENCE_SETS_NULL] = FL_REFERENCE_SETS_NULL,
    };
    fl_status st = FL_OK;
    fl_foreign_key made = {.on_delete = (uint8_t)actions[ast->on_delete],
                           .on_update = (uint8_t)actions[ast->on_update]};
    referred to = {0};
    const fl_table_key *key = NULL;
    FL_TRY(find_referred_name(d, ast, &made.table));
    FL_TRY(find_referred(d, ast, made.table, &to));
    for (int32_t i = 0; i < ast->column_count; i++) {
        int32_t c;
        FL_TRY(find_column(d, &ast->columns[i], &c));
    }
    FL_TRY(check_referred(d, ast, &to));
    for (int32_t k = 0; k < to.n_keys && key == NULL; k++)
        if (is_key_named(d, &to, &to.keys[k], ast))
            key = &to.keys[k];
    if (key == NULL) {
        bool names_none = ast->table_column_count == 0;
        st = fail_foreign_key(d, ast, names_none ? "42704" : "42830",
                              names_none
                                  ? "the table that is referred to has no primary key"
                                  : "the columns that are referred to are no PRIMARY KEY or UNIQUE of their table");
        goto cleanup;
    }
    FL_TRY(pair_columns(d, ast, &to, key, &made));
    FL_TRY(name_constraint(d, &ast->name, made.cols, made.n_cols, "fkey", &made.name));
    FL_TRY(fl_sql_definition_grow(d, &d->foreign_keys, d->n_foreign_keys, &d->foreign_keys_capacity,
                                  (int64_t)sizeof(made)));
    d->foreign_keys[d->n_foreign_keys++] = made;
    FL_TRY(note_constraint(d, made.name));
cleanup:
    fl_table_unref(to.table);
    return st;
}

fl_status fl_sql_define_constraints(definition *d, const fl_ast_create_table *ast)
{
    fl_status st = FL_OK;
    fl_str *names = NULL;
    fl_type *types = NULL;
    FL_TRY(FL_NEW_ARRAY(d->arena, d->n_columns + 1, &names, d->err));
    FL_TRY(FL_NEW_ARRAY(d->arena, d->n_columns + 1, &types, d->err));
    for (int32_t i = 0; i < d->n_columns; i++) {
        names[i] = d->columns[i].name;
        types[i] = d->columns[i].type;
    }
    for (const fl_ast_table_key *key = ast->keys; key != NULL; key = key->next)
        FL_TRY(define_key(d, key, names, types));
    for (const fl_ast_check *check = ast->checks; check != NULL; check = check->next)
        FL_TRY(define_check(d, check));
    for (const fl_ast_foreign_key *key = ast->foreign_keys; key != NULL; key = key->next)
        FL_TRY(define_foreign_key(d, key));
cleanup:
    return st;
}

void fl_sql_definition_give(const definition *d, fl_sql_bound *ret)
{
    ret->columns = d->columns;
    ret->n_columns = d->n_columns;
    ret->keys = d->keys;
    ret->n_keys = d->n_keys;
    ret->constraints = (fl_table_constraints){.checks = d->checks,
                                              .n_checks = d->n_checks,
                                              .foreign_keys = d->foreign_keys,
                                              .n_foreign_keys = d->n_foreign_keys};
}

/* ---- CREATE TABLE ---- */

static fl_status plan_query(binder *b, void *ctx, output *ret)
{
    return fl_sql_bind_query(b, NULL, NULL, ctx, ret);
}

/* CREATE TABLE AS: the query's columns, renamed where names are given. */
static fl_status columns_of_query(fl_arena *arena, const fl_ast_create_table *create, fl_sql_bound *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_query *query = &ret->query;
    if (create->column_count > query->n_outputs) {
        FL_FAIL(err, FL_ERR_SYNTAX, "%d names for the %d columns of the query", create->column_count, query->n_outputs);
        fl_err_at(err, create->columns[query->n_outputs].name.start);
        return FL_ERR_SYNTAX;
    }
    ret->n_columns = query->n_outputs;
    FL_TRY(FL_NEW_ARRAY(arena, ret->n_columns + 1, &ret->columns, err));
    for (int32_t i = 0; i < ret->n_columns; i++) {
        fl_str name = i < create->column_count ? create->columns[i].name.text : query->names[i];
        FL_TRY(fl_arena_copy_str(arena, name, &ret->columns[i].name, err));
        ret->columns[i].from = -1;
        FL_TRY(fl_type_copy(arena, fl_plan_col(query->plan, query->outputs[i])->type, &ret->columns[i].type, err));
    }
cleanup:
    return st;
}

static fl_status bind_query_table(fl_sql_env *env, fl_arena *arena, const fl_ast_statement *ast, fl_sql_bound *ret,
                                  fl_err *err)
{
    fl_status st = FL_OK;
    const fl_ast_create_table *create = ast->create_table;
    fl_name_map known;
    FL_TRY(fl_sql_bind_plan(env, ast, plan_query, create->query, &ret->query, err));
    FL_TRY(columns_of_query(arena, create, ret, err));
    fl_name_map_init(&known, arena);
    for (int32_t i = 0; i < ret->n_columns; i++) {
        int32_t other;
        FL_TRY(fl_name_map_add(&known, ret->columns[i].name, i, &other, err));
        if (other >= 0)
            return fl_sql_fail_twice(ret->columns[i].name,
                                     i < create->column_count ? create->columns[i].name.start : create->query->start,
                                     err);
    }
cleanup:
    return st;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_create_table)
{
    fl_status st = FL_OK;
    const fl_ast_create_table *create = ast->create_table;
    definition d = {.env = env, .arena = arena, .text = text, .ast = ast, .err = err};
    ret->or_replace = create->or_replace;
    ret->if_not_exists = create->if_not_exists;
    ret->is_empty = create->is_empty;
    ret->is_temporary = create->is_temporary;
    FL_TRY(fl_sql_set_name(env, arena, create->path, true, ret, err));
    if (create->query != NULL)
        return bind_query_table(env, arena, ast, ret, err);
    d.name = ret->name;
    d.short_name = create->path.parts[create->path.count - 1].text;
    fl_name_map_init(&d.known, arena);
    fl_name_map_init(&d.constraints, arena);
    for (int32_t i = 0; i < create->column_count; i++)
        FL_TRY(fl_sql_define_column(&d, &create->columns[i]));
    for (int32_t i = 0; i < create->column_count; i++)
        if (create->columns[i].generated != NULL)
            FL_TRY(fl_sql_define_generated(&d, i, &create->columns[i]));
    FL_TRY(fl_sql_define_constraints(&d, create));
    fl_sql_definition_give(&d, ret);
cleanup:
    return st;
}

/* ---- CREATE TYPE ---- */

/* The type, and where its text goes. */
typedef struct new_type {
    const fl_ast_type *type;
    fl_arena *arena;
    fl_str text;
} new_type;

/* It is written out whole: what it is made of may be dropped later. */
static fl_status plan_new_type(binder *b, void *ctx, output *ret)
{
    fl_type made;
    new_type *new = ctx;
    fl_text text;
    fl_text_init(&text, NULL);
    fl_status st = fl_sql_bind_type(b, new->type, &made);
    if (st == FL_OK) {
        fl_type_print(&text, made);
        st = fl_text_status(&text, b->err);
    }
    if (st == FL_OK)
        st = fl_arena_copy_str(new->arena, fl_text_str(&text), &new->text, b->err);
    fl_text_drop(&text);
    return st != FL_OK ? st : fl_sql_bind_nothing(b, ret);
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_create_type)
{
    (void)text;
    fl_status st = FL_OK;
    fl_query query = {0};
    const fl_ast_create_type *create = ast->create_type;
    fl_str name = create->path.parts[create->path.count - 1].text;
    new_type new = {.type = create->type, .arena = arena};
    fl_type known;
    ret->or_replace = create->or_replace;
    ret->if_not_exists = create->if_not_exists;
    ret->macro_kind = FL_MACRO_TYPE;
    FL_TRY(fl_sql_set_name(env, arena, create->path, true, ret, err));
    if (fl_type_from_name(name, -1, -1, &known)) {
        st = FL_FAIL(err, FL_ERR_DUPLICATE, "there is a type \"%.*s\" of SQL", FL_STR_ARG(name));
        fl_err_at(err, ret->name_pos);
        return fl_err_state(err, "42710", st);
    }
    FL_TRY(fl_sql_bind_plan(env, ast, plan_new_type, &new, &query, err));
    ret->view_text = new.text;
cleanup:
    fl_plan_unref(query.plan);
    return st;
}
