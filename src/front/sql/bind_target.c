/* The table of a change: finding it, scanning its rows, and what its columns take. */
#include "front/sql/bind_change.h"

#include "base/nearest.h"
#include "op/scan/node.h"

/* ---- the table ---- */

fl_status fl_sql_find_target(fl_sql_env *env, fl_arena *arena, fl_ast_path path, fl_sql_bound *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_catalog_entry entry = {0};
    FL_TRY(fl_sql_set_name(env, arena, path, false, ret, err));
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
    if (strcmp(entry.table->format, FL_FORMAT_SYSTEM) == 0) {
        FL_FAIL(err, FL_ERR_UNSUPPORTED, "\"%.*s\" tells what there is: it cannot be changed", FL_STR_ARG(ret->name));
        fl_err_at(err, ret->name_pos);
        fl_err_hint(err, "it follows CREATE, ALTER, DROP and SET");
        return fl_err_state(err, "42501", FL_ERR_UNSUPPORTED);
    }
cleanup:
    return st;
}

fl_status fl_sql_begin_change(fl_sql_env *env, fl_arena *arena, const fl_ast_statement *ast, fl_ast_path path,
                              fl_sql_bound *ret, change *ret_change, fl_err *err)
{
    static const fl_table_constraints none = {0};
    fl_status st = FL_OK;
    FL_TRY(fl_sql_find_target(env, arena, path, ret, err));
    ret->skips_key = ret->conflict_key = FL_SQL_NO_KEY;
    *ret_change = (change){.env = env,
                           .ast = ast,
                           .bound = ret,
                           .table = ret->table,
                           .alias = path.parts[path.count - 1].text,
                           .constraints = &none};
    if (env->get_rules != NULL)
        env->get_rules(env, ret->table, &ret_change->rules, &ret_change->constraints);
cleanup:
    return st;
}

fl_status fl_sql_begin_plan(binder *b, change *ch)
{
    ch->ctes = NULL;
    return ch->with == NULL ? FL_OK : fl_sql_enter_ctes(b, NULL, ch->with, &ch->ctes);
}

fl_status fl_sql_map_fields(binder *b, const fl_table *table, fl_name_map *ret)
{
    fl_status st = FL_OK;
    fl_name_map_init(ret, b->arena);
    for (int32_t i = 0; i < table->n_cols && st == FL_OK; i++)
        st = fl_name_map_add(ret, table->fields[i].name, i, NULL, b->err);
    return st;
}

fl_status fl_sql_find_field(binder *b, const fl_table *table, const fl_name_map *fields, const fl_ast_name *name,
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

fl_status fl_sql_scan_target(binder *b, const change *ch, int32_t pos, scope *s, fl_col_id *ret_place,
                             const fl_node **ret)
{
    fl_status st = FL_OK;
    fl_str *names = NULL;
    fl_table *numbered = NULL, *table = ch->table;
    if (table->ops->numbered == NULL) {
        st = fl_sql_bind_fail(b, pos, FL_ERR_UNSUPPORTED, "the rows of \"%.*s\" cannot be changed",
                              FL_STR_ARG(table->name));
        fl_err_hint(b->err, "CREATE TABLE t AS FROM … makes a table of them");
        return st;
    }
    FL_TRY(table->ops->numbered(table, b->env->memory, &numbered, b->err));
    FL_TRY(fl_scan_build(b->plan, numbered, ret, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, table->n_cols + 1, &names, b->err));
    for (int32_t i = 0; i < table->n_cols; i++)
        names[i] = table->fields[i].name;
    *ret_place = fl_scan_of(*ret)->cols[table->n_cols];
    FL_TRY(fl_sql_scope_add_table(b, s, ch->alias, ch->bound->name, names, fl_scan_of(*ret)->cols, table->n_cols, pos));
    FL_TRY(fl_sql_scope_add_system(b, s, FL_STR("rowid"), *ret_place));
cleanup:
    fl_table_unref(numbered);
    return st;
}

/* ---- values for columns ---- */

/* What an assignment casts without being asked: what an expression does, numbers to each other, times to each other,
 * anything to text (PostgreSQL's assignment casts); and text to types over others, so that columns of files that have no such types
 * can be copied into them. */
static bool is_assignable(fl_type from, fl_type to)
{
    bool is_time = (from.id == FL_DATE || fl_type_is_timestamp(from) || from.id == FL_TIME) &&
                   (to.id == FL_DATE || fl_type_is_timestamp(to) || to.id == FL_TIME);
    if (from.extension != FL_PLAIN || to.extension != FL_PLAIN)
        return fl_type_is_text(to) || ((fl_type_is_text(fl_type_plain(from)) || from.extension == FL_TIMETZ ||
                                        to.extension == FL_TIMETZ || from.extension == to.extension) &&
                                       fl_cast_exists(from, to));
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
    if (st == FL_OK)
        st = fl_sql_hold_length(b, type, false, pos, ret);
    if (st == FL_OK)
        st = fl_sql_collate_as(b, type, ret);
    if (st == FL_ERR_VALUE || st == FL_ERR_RANGE)
        fl_err_prefix(b->err, "column \"%.*s\": ", FL_STR_ARG(name));
    return st;
}

bool fl_sql_is_generated(const change *ch, int32_t col)
{
    return ch->rules != NULL && ch->rules[col].generated.text.len > 0;
}

fl_status fl_sql_check_given(binder *b, const change *ch, int32_t col, int32_t pos)
{
    bool is_identity = ch->rules != NULL && ch->rules[col].identity == FL_IDENTITY_ALWAYS && !ch->is_overriding;
    if (!is_identity && !fl_sql_is_generated(ch, col))
        return FL_OK;
    fl_sql_bind_fail_state(b, pos, FL_ERR_VALUE, "428C9", "column \"%.*s\" is generated: it takes no value but DEFAULT",
                           FL_STR_ARG(ch->table->fields[col].name));
    if (is_identity)
        fl_err_hint(b->err, "with INSERT … OVERRIDING SYSTEM VALUE it takes one");
    return FL_ERR_VALUE;
}

/* The text is parsed anew and bound with nothing around it. */
fl_status fl_sql_bind_default(binder *b, const change *ch, int32_t col, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_field *field = &ch->table->fields[col];
    fl_value null = {.type = field->type, .is_null = true};
    if (ch->rules == NULL || ch->rules[col].default_text.len == 0)
        return fl_expr_const(b->plan, &null, -1, ret, b->err);
    fl_rule_text rule = {.text = ch->rules[col].default_text};
    FL_TRY(fl_sql_bind_rule(b, &rule, NULL, ret));
    FL_TRY(fl_sql_assign(b, *ret, field->type, field->name, -1, ret));
cleanup:
    return st;
}

fl_status fl_sql_bind_assigns(binder *b, const change *ch, scope *s, const fl_ast_assign *assigns, int32_t n,
                              const fl_expr **values, int32_t *order)
{
    fl_status st = FL_OK;
    fl_name_map fields;
    FL_TRY(fl_sql_map_fields(b, ch->table, &fields));
    for (int32_t i = 0; i < n; i++) {
        const fl_ast_assign *assign = &assigns[i];
        int32_t c;
        FL_TRY(fl_sql_find_field(b, ch->table, &fields, &assign->name, &c));
        if (values[c] != NULL)
            return fl_sql_bind_fail_state(b, assign->name.start, FL_ERR_SYNTAX, "42601",
                                          "column \"%.*s\" is assigned twice", FL_STR_ARG(assign->name.text));
        if (order != NULL)
            order[i] = c;
        if (assign->value->kind == FL_AST_DEFAULT) {
            FL_TRY(fl_sql_bind_default(b, ch, c, &values[c]));
        } else {
            FL_TRY(fl_sql_check_given(b, ch, c, assign->value->start));
            FL_TRY(fl_sql_bind_expr(b, s, assign->value, &values[c]));
        }
        FL_TRY(fl_sql_assign(b, values[c], ch->table->fields[c].type, ch->table->fields[c].name, assign->value->start,
                             &values[c]));
    }
cleanup:
    return st;
}
