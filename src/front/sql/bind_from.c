/* FROM: tables, views, files, table functions and subqueries become scopes of names over plan nodes; joins merge them. */
#include "front/sql/ast_make.h"
#include "front/sql/bind.h"

#include "base/index_map.h"
#include "base/nearest.h"
#include "op/apply/node.h"
#include "op/filter/node.h"
#include "op/join/node.h"
#include "op/project/node.h"
#include "op/scan/node.h"

/* Where tables of a FROM may look: `beside`, the tables to the left, and behind them `outer`. LATERAL need not be written. */
typedef struct place {
    scope *outer;
    scope *beside;
    cte *ctes;
} place;

static fl_status bind_table(binder *b, const place *at, const fl_ast_table *ast, scope *s, const fl_node **ret);

/* ---- names of one table ---- */

/* Enters a table's columns under its alias, with the names that the alias gives them. */
static fl_status enter_table(binder *b, const fl_ast_table *ast, fl_str alias, fl_str name, fl_str *names,
                             const fl_col_id *cols, int32_t n_cols, scope *s)
{
    fl_status st = FL_OK;
    if (ast->alias.text.len > 0)
        alias = ast->alias.text;
    if (ast->column_count > n_cols)
        return fl_sql_bind_fail_state(b, ast->columns[n_cols].start, FL_ERR_COLUMN, "42P10",
                                      "\"%.*s\" has %d columns, %d names are given", FL_STR_ARG(alias), n_cols,
                                      ast->column_count);
    for (int32_t i = 0; i < ast->column_count; i++) {
        FL_TRY(fl_sql_bind_keep(b, ast->columns[i].text, &names[i]));
        fl_plan_call_col(b->plan, cols[i], names[i]);
    }
    FL_TRY(fl_sql_bind_keep(b, alias, &alias));
    FL_TRY(fl_sql_bind_keep(b, name, &name));
    FL_TRY(fl_sql_scope_add_table(b, s, alias, name, names, cols, n_cols, ast->start));
cleanup:
    return st;
}

/* Columns that are one expression, SELECT 1 AS a, 1 AS b, become two: who reads them takes them for different ones. */
static fl_status tell_apart(binder *b, output *out)
{
    fl_status st = FL_OK;
    fl_index_map known;
    bool has_twice = false;
    fl_col_id *cols = NULL, *copies = NULL;
    fl_index_map_init(&known, b->arena);
    for (int32_t i = 0; i < out->n_cols && !has_twice; i++) {
        has_twice = fl_index_map_find(&known, (uint64_t)out->cols[i].col.n) >= 0;
        FL_TRY(fl_index_map_add(&known, (uint64_t)out->cols[i].col.n, i, b->err));
    }
    if (!has_twice)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols, &cols, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols, &copies, b->err));
    for (int32_t i = 0; i < out->n_cols; i++)
        cols[i] = out->cols[i].col;
    FL_TRY(fl_project_copy(b->plan, out->root, cols, out->n_cols, copies, &out->root, b->err));
    for (int32_t i = 0; i < out->n_cols; i++)
        out->cols[i].col = copies[i];
cleanup:
    return st;
}

static fl_status enter_output(binder *b, const fl_ast_table *ast, fl_str alias, fl_str name, output *out, scope *s)
{
    fl_status st = FL_OK;
    fl_str *names = NULL;
    fl_col_id *cols = NULL;
    FL_TRY(tell_apart(b, out));
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &cols, b->err));
    for (int32_t i = 0; i < out->n_cols; i++) {
        names[i] = out->cols[i].name;
        cols[i] = out->cols[i].col;
    }
    FL_TRY(enter_table(b, ast, alias, name, names, cols, out->n_cols, s));
cleanup:
    return st;
}

/* Takes over the caller's reference to the table. */
static fl_status scan_table(binder *b, const fl_ast_table *ast, fl_table *table, fl_str alias, fl_str name, scope *s,
                            const fl_node **ret)
{
    fl_status st = FL_OK;
    fl_str *names = NULL;
    fl_table *numbered = NULL;
    if (b->has_rowid && table->ops->numbered != NULL)
        FL_TRY(table->ops->numbered(table, b->env->memory, &numbered, b->err));
    FL_TRY(fl_scan_build(b->plan, numbered != NULL ? numbered : table, ret, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, table->n_cols + 1, &names, b->err));
    for (int32_t i = 0; i < table->n_cols; i++)
        names[i] = table->fields[i].name;
    FL_TRY(enter_table(b, ast, alias, name, names, fl_scan_of(*ret)->cols, table->n_cols, s));
    if (numbered != NULL)
        FL_TRY(fl_sql_scope_add_system(b, s, FL_STR("rowid"), fl_scan_of(*ret)->cols[table->n_cols]));
cleanup:
    fl_table_unref(numbered);
    fl_table_unref(table);
    return st;
}

/* ---- tables and files by name ---- */

static fl_status bind_cte(binder *b, const fl_ast_table *ast, cte *found, scope *s, const fl_node **ret)
{
    fl_status st = FL_OK;
    output out = {0};
    FL_TRY(fl_sql_bind_cte(b, found, ast->start, ast->path.count > 1, &out));
    FL_TRY(enter_output(b, ast, found->ast->name.text, found->ast->name.text, &out, s));
    for (int32_t i = 0; i < out.n_system; i++)
        FL_TRY(fl_sql_scope_add_system(b, s, out.system[i].name, out.system[i].col));
    *ret = out.root;
cleanup:
    return st;
}

/* A view is a text of its own: parsed and bound with nothing around it. Faults in it are told at the view's name. */
static fl_status bind_view(binder *b, const fl_ast_table *ast, fl_str name, const fl_catalog_entry *entry, scope *s,
                           const fl_node **ret)
{
    fl_status st = FL_OK;
    fl_sql_parser parser = {0};
    fl_ast_statement *statement = NULL;
    output out;
    fl_str text, database = b->env->catalog->database, schema = b->env->catalog->schema;
    if (b->view_depth >= VIEW_DEPTH_MAX)
        return fl_sql_bind_fail_state(b, ast->start, FL_ERR_LIMIT, "54001", "views on views deeper than %d",
                                      VIEW_DEPTH_MAX);
    if (++b->reads > READS_MAX)
        return fl_sql_fail_reads(b, ast->start);
    macro_frame *macro = b->macro;
    bool has_rowid = b->has_rowid;
    b->view_depth++;
    b->macro = NULL; /* whose parameters are no names here */
    b->env->catalog->database = entry->database;
    b->env->catalog->schema = entry->schema;
    FL_TRY(fl_sql_bind_keep(b, entry->view_text, &text));
    FL_TRY(fl_sql_parser_init(&parser, b->env->memory, text, b->err));
    FL_TRY(fl_sql_parser_next(&parser, b->arena, &statement, b->err));
    FL_ASSERT(statement != NULL && statement->kind == FL_AST_QUERY);
    b->has_rowid = statement->has_rowid;
    FL_TRY(fl_sql_bind_query(b, NULL, NULL, statement->query, &out));
    for (int32_t i = 0; i < entry->n_view_cols && i < out.n_cols; i++)
        FL_TRY(fl_sql_bind_keep(b, entry->view_cols[i], &out.cols[i].name));
cleanup:
    b->macro = macro;
    b->has_rowid = has_rowid;
    b->env->catalog->database = database;
    b->env->catalog->schema = schema;
    if (st != FL_OK && st != FL_ERR_LIMIT && b->err != NULL) {
        b->err->position = 0;
        fl_err_prefix(b->err, "in the view \"%.*s\": ", FL_STR_ARG(name));
        fl_err_at(b->err, ast->start);
    }
    fl_sql_parser_drop(&parser);
    if (st != FL_OK)
        return st;
    b->view_depth--;
    st = enter_output(b, ast, name, name, &out, s);
    *ret = out.root;
    return st;
}

/* orders of 'data/orders.parquet' */
static fl_str stem_of(fl_str path)
{
    int64_t start = path.len, end = path.len;
    while (start > 0 && path.data[start - 1] != '/')
        start--;
    for (int64_t i = start; i < path.len; i++) {
        if (path.data[i] == '.' && i > start) {
            end = i;
            break;
        }
    }
    return (fl_str){path.data + start, end - start};
}

static fl_status bind_file(binder *b, const fl_ast_table *ast, fl_str file, scope *s, const fl_node **ret)
{
    fl_table *table = NULL;
    fl_value path = {.type = FL_TYPE(FL_UTF8), .s = file};
    fl_status st = b->env->catalog->open(b->env->catalog, (fl_str){0}, &path, 1, NULL, 0, &table, b->err);
    if (st != FL_OK) {
        fl_err_at(b->err, ast->start);
        return st;
    }
    return scan_table(b, ast, table, stem_of(file), file, s, ret);
}

/* FROM "a.csv": a name in double quotes, of no table, that looks like a file's. */
static bool is_quoted_file(const fl_ast_table *ast)
{
    const fl_ast_name *name = &ast->path.parts[0];
    return ast->path.count == 1 && name->end - name->start == name->text.len + 2 && name->text.len > 0 &&
           (memchr(name->text.data, '.', (size_t)name->text.len) != NULL ||
            memchr(name->text.data, '/', (size_t)name->text.len) != NULL);
}

static fl_status fail_find(binder *b, const place *at, fl_str name, int32_t pos, fl_status st)
{
    if (st == FL_ERR_TABLE) {
        fl_nearest near;
        fl_nearest_init(&near, name);
        for (const cte *c = at->ctes; c != NULL; c = c->next)
            fl_nearest_offer(&near, c->ast->name.text);
        fl_nearest_hint(&near, b->err);
    }
    fl_err_at(b->err, pos);
    return st;
}

static fl_status bind_named(binder *b, const place *at, const fl_ast_table *ast, scope *s, const fl_node **ret)
{
    fl_catalog_entry entry = {0};
    fl_str name = ast->path.parts[ast->path.count - 1].text, full = name;
    bool is_recurring = ast->path.count == 2 && fl_str_is_equal_nocase(ast->path.parts[0].text, FL_STR("recurring"));
    if (ast->path.count == 1 || is_recurring) {
        uint64_t hash = fl_name_hash(name);
        for (cte *c = at->ctes; c != NULL; c = c->next)
            if (c->name_hash == hash && fl_str_is_equal_nocase(c->ast->name.text, name) &&
                (!is_recurring || c->self != NULL))
                return bind_cte(b, ast, c, s, ret);
    }
    fl_status st = fl_sql_qualify(b->env, b->arena, ast->path, false, &full, b->err);
    if (st == FL_ERR_TABLE)
        return fl_err_state(b->err, "42P01", st);
    if (st != FL_OK)
        return st;
    st = b->env->catalog->find(b->env->catalog, full, &entry, b->err);
    if (st == FL_ERR_TABLE && is_quoted_file(ast))
        return bind_file(b, ast, name, s, ret);
    if (st != FL_OK)
        return fail_find(b, at, full, ast->start, st);
    if (entry.table == NULL)
        return bind_view(b, ast, name, &entry, s, ret);
    return scan_table(b, ast, entry.table, name, name, s, ret);
}

/* ---- table functions ---- */

/* Sees the tables to its left, with or without LATERAL. */
static fl_status bind_unnest(binder *b, const place *at, const fl_ast_table *ast, scope *s, const fl_node **ret)
{
    fl_status st = FL_OK;
    scope here;
    output out = {0};
    fl_sql_scope_init(&here, at->beside, CLAUSE_FROM);
    here.ctes = at->ctes;
    FL_TRY(fl_sql_bind_unnest_table(b, &here, ast, &out));
    FL_TRY(enter_output(b, ast, FL_STR("unnest"), FL_STR("unnest"), &out, s));
    s->tables[s->n_tables - 1].is_value = out.n_cols == 1;
    *ret = out.root;
cleanup:
    return st;
}

/* Beside the rows their numbers, from 1: WITH ORDINALITY. */
static fl_status scan_numbered(binder *b, const fl_ast_table *ast, fl_table *table, fl_str name, scope *s,
                               const fl_node **ret)
{
    fl_status st = FL_OK;
    output out = {0};
    fl_col_id number;
    bool is_series = strcmp(table->format, "range") == 0;
    fl_str column = {0};
    if (is_series &&
        ast->alias.text.len > 0) /* as without numbers: of single values the alias is the column's name, too */
        FL_TRY(fl_sql_bind_keep(b, ast->alias.text, &column));
    FL_TRY(fl_scan_build(b->plan, table, ret, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, table->n_cols + 1, &out.cols, b->err));
    for (int32_t i = 0; i < table->n_cols; i++)
        out.cols[out.n_cols++] =
            (out_col){.name = column.len > 0 ? column : table->fields[i].name, .col = fl_scan_of(*ret)->cols[i]};
    FL_TRY(fl_sql_number_rows(b, *ret, &number, ret));
    out.cols[out.n_cols++] = (out_col){.name = FL_STR("ordinality"), .col = number};
    FL_TRY(enter_output(b, ast, name, name, &out, s));
cleanup:
    fl_table_unref(table);
    return st;
}

/* The same of rows of a macro. */
static fl_status number_output(binder *b, output *out)
{
    fl_status st = FL_OK;
    fl_col_id number;
    out_col *cols = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &cols, b->err));
    if (out->n_cols > 0)
        memcpy(cols, out->cols, (size_t)out->n_cols * sizeof(*cols));
    FL_TRY(fl_sql_number_rows(b, out->root, &number, &out->root));
    cols[out->n_cols++] = (out_col){.name = FL_STR("ordinality"), .col = number};
    out->cols = cols;
cleanup:
    return st;
}

/* The rows of a table function. One that gives single values, no rows of columns that have names, calls its column as the table
 * is called (PostgreSQL, section 7.2.1.4); range() is DuckDB's, where the column keeps the function's name. */
static fl_status scan_function(binder *b, const fl_ast_table *ast, fl_table *table, fl_str name, scope *s,
                               const fl_node **ret)
{
    fl_status st = FL_OK;
    bool is_series = strcmp(table->format, "range") == 0;
    if (!is_series || ast->alias.text.len == 0 || ast->column_count > 0) {
        st = scan_table(b, ast, table, name, name, s, ret);
        if (st == FL_OK)
            s->tables[s->n_tables - 1].is_value = is_series;
        return st;
    }
    fl_str column, only = FL_STR("range");
    FL_TRY(fl_sql_bind_keep(b, ast->alias.text, &column));
    FL_TRY(fl_scan_build(b->plan, table, ret, b->err));
    FL_TRY(enter_table(b, ast, name, name, &column, fl_scan_of(*ret)->cols, 1, s));
    if (fl_str_is_equal_nocase(name, only))
        s->tables[s->n_tables - 1].only = only;
cleanup:
    fl_table_unref(table);
    return st;
}

/* generate_series(1, t.n) and range(t.n): the lists of these names, unnested, where the arguments are no constants, or times. */
static fl_status bind_series(binder *b, const place *at, const fl_ast_table *ast, fl_str name, scope *s,
                             const fl_node **ret)
{
    fl_status st = FL_OK;
    scope here;
    output out = {0};
    bool is_range = fl_str_is_equal_nocase(name, FL_STR("range"));
    fl_ast_maker m = fl_sql_maker(b->arena, ast->call->path.parts[0].start, ast->end, b->err);
    fl_ast_expr **args = NULL;
    fl_ast_table unnest = *ast;
    fl_sql_scope_init(&here, at->beside, CLAUSE_FROM);
    here.ctes = at->ctes;
    FL_TRY(FL_NEW_ARRAY(b->arena, ast->call->arg_count + 1, &args, b->err));
    for (int32_t i = 0; i < ast->call->arg_count; i++)
        args[i] = ast->call->args[i].value;
    fl_ast_expr *list = fl_sql_make_call(&m, is_range ? "range" : "generate_series", ast->call->arg_count, args);
    fl_ast_expr *call = fl_sql_make_call(&m, "unnest", 1, &list);
    FL_TRY(m.st);
    unnest.call = call->call;
    FL_TRY(fl_sql_bind_unnest_table(b, &here, &unnest, &out));
    if (ast->alias.text.len == 0)
        out.cols[0].name = is_range ? FL_STR("range") : FL_STR("generate_series");
    FL_TRY(enter_output(b, ast, name, name, &out, s));
    s->tables[s->n_tables - 1].is_value = out.n_cols == 1;
    if (is_range && ast->alias.text.len > 0 && ast->column_count == 0)
        s->tables[s->n_tables - 1].only = FL_STR("range");
    *ret = out.root;
cleanup:
    return st;
}

/* The fields of the first column, which is a struct, as columns. */
static fl_status spread_fields(binder *b, output *out, int32_t pos)
{
    fl_status st = FL_OK;
    const fl_expr *row, **fields = NULL;
    fl_type type = fl_plan_col(b->plan, out->cols[0].col)->type;
    fl_col_id *cols = NULL;
    out_col *made = NULL;
    int32_t n = type.n_fields;
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &fields, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &cols, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + out->n_cols + 1, &made, b->err));
    FL_TRY(fl_expr_column(b->plan, out->cols[0].col, pos, &row, b->err));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_expr_field(b->plan, row, type.fields[i].name, pos, &fields[i], b->err));
    FL_TRY(fl_project_extend(b->plan, out->root, fields, NULL, n, cols, &out->root, b->err));
    for (int32_t i = 0; i < n; i++)
        made[i] = (out_col){.name = type.fields[i].name, .col = cols[i], .pos = pos};
    for (int32_t i = 1; i < out->n_cols; i++) /* WITH ORDINALITY */
        made[n + i - 1] = out->cols[i];
    out->cols = made;
    out->n_cols += n - 1;
cleanup:
    return st;
}

/* A function whose list is rows, json_each(t.j), unnested. */
static fl_status bind_rows(binder *b, const place *at, const fl_ast_table *ast, const fl_func_desc *func, scope *s,
                           const fl_node **ret)
{
    fl_status st = FL_OK;
    scope here;
    output out = {0};
    fl_ast_table unnest = *ast;
    fl_str name = ast->call->path.parts[ast->call->path.count - 1].text;
    fl_ast_maker m = fl_sql_maker(b->arena, ast->call->path.parts[0].start, ast->end, b->err);
    fl_ast_expr list = {.kind = FL_AST_CALL, .start = ast->start, .end = ast->end, .call = ast->call};
    fl_ast_expr *lists[] = {&list}, *call = fl_sql_make_call(&m, "unnest", 1, lists);
    FL_TRY(m.st);
    fl_sql_scope_init(&here, at->beside, CLAUSE_FROM);
    here.ctes = at->ctes;
    unnest.call = call->call;
    unnest.column_count = 0;
    FL_TRY(fl_sql_bind_unnest_table(b, &here, &unnest, &out));
    bool is_value = fl_plan_col(b->plan, out.cols[0].col)->type.id != FL_STRUCT;
    if (!is_value)
        FL_TRY(spread_fields(b, &out, ast->start));
    else if (func->row_name != NULL)
        out.cols[0].name = fl_str_of(func->row_name);
    else if (ast->alias.text.len == 0)
        out.cols[0].name = name;
    FL_TRY(enter_output(b, ast, name, name, &out, s));
    s->tables[s->n_tables - 1].is_value = is_value && out.n_cols == 1;
    *ret = out.root;
cleanup:
    return st;
}

/* Whether a call makes a series of other than whole numbers that are known. */
static fl_status is_unnested_series(binder *b, scope *here, const fl_ast_call *call, fl_str name, bool *ret)
{
    fl_status st = FL_OK;
    *ret = false;
    if (!fl_str_is_equal_nocase(name, FL_STR("generate_series")) && !fl_str_is_equal_nocase(name, FL_STR("range")))
        return FL_OK;
    for (int32_t i = 0; i < call->arg_count && !*ret; i++) {
        const fl_expr *arg;
        if (call->args[i].name.text.len > 0)
            return FL_OK;
        FL_TRY(fl_sql_bind_expr(b, here, call->args[i].value, &arg));
        *ret = (arg->flags & (FL_EXPR_HAS_COLUMN | FL_EXPR_HAS_SUBQUERY)) != 0 || arg->type.id == FL_DATE ||
               arg->type.id == FL_TIMESTAMP || arg->type.id == FL_TIMESTAMPTZ || arg->type.id == FL_INTERVAL;
    }
cleanup:
    return st;
}

static fl_status bind_function(binder *b, const place *at, const fl_ast_table *ast, scope *s, const fl_node **ret)
{
    fl_status st = FL_OK;
    const fl_ast_call *call = ast->call;
    fl_str name = call->path.parts[call->path.count - 1].text;
    fl_value *args = NULL;
    fl_option *options = NULL;
    fl_table *table = NULL;
    int32_t n_args = 0, n_options = 0;
    scope here;
    if (fl_str_is_equal_nocase(name, FL_STR("unnest")))
        return bind_unnest(b, at, ast, s, ret);
    fl_sql_scope_init(&here, at->beside, CLAUSE_FROM); /* to say of columns there that they are not constant */
    here.ctes = at->ctes;
    if (call->is_star || call->is_distinct || call->order_count > 0 || call->filter != NULL)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_SYNTAX,
                                "DISTINCT, ORDER BY, FILTER and * have no place in a table function's call");
    bool is_series, is_macro;
    output out = {0};
    FL_TRY(fl_sql_bind_macro_table(b, &here, call, ast->start, &is_macro, &out));
    if (is_macro && ast->has_ordinality)
        FL_TRY(number_output(b, &out));
    if (is_macro) {
        st = enter_output(b, ast, name, name, &out, s);
        *ret = out.root;
        return st;
    }
    FL_TRY(is_unnested_series(b, &here, call, name, &is_series));
    if (is_series)
        return bind_series(b, at, ast, name, s, ret);
    const fl_func_desc *func = fl_registry_func(b->env->registry, name);
    if (func != NULL && (func->traits & FL_ROWS))
        return bind_rows(b, at, ast, func, s, ret);
    FL_TRY(FL_NEW_ARRAY(b->arena, call->arg_count + 1, &args, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, call->arg_count + 1, &options, b->err));
    for (int32_t i = 0; i < call->arg_count; i++) {
        const fl_ast_arg *arg = &call->args[i];
        if (arg->name.text.len == 0) {
            if (n_options > 0)
                return fl_sql_bind_fail(b, arg->value->start, FL_ERR_SYNTAX,
                                        "arguments by place go before those by name");
            FL_TRY(fl_sql_bind_constant(b, &here, arg->value, "a table function's argument", &args[n_args++]));
        } else {
            fl_option *option = &options[n_options++];
            option->name = arg->name.text;
            option->pos = arg->name.start;
            FL_TRY(fl_sql_bind_constant(b, &here, arg->value, "a table function's argument", &option->value));
        }
    }
    st = b->env->catalog->open(b->env->catalog, name, args, n_args, options, n_options, &table, b->err);
    if (st != FL_OK) {
        fl_err_at(b->err, ast->start);
        goto cleanup;
    }
    return ast->has_ordinality ? scan_numbered(b, ast, table, name, s, ret)
                               : scan_function(b, ast, table, name, s, ret);
cleanup:
    return st;
}

static fl_status bind_query_table(binder *b, const place *at, const fl_ast_table *ast, scope *s, const fl_node **ret)
{
    fl_status st = FL_OK;
    output out;
    FL_TRY(fl_sql_bind_query(b, at->beside, at->ctes, ast->query, &out));
    FL_TRY(enter_output(b, ast, (fl_str){0}, (fl_str){0}, &out, s));
    *ret = out.root;
cleanup:
    return st;
}

/* ---- joins ---- */

/* USING and NATURAL: one pair of columns, and the column that stands for both. */
typedef struct merge {
    fl_str name;
    fl_col_id left, right;
    fl_col_id col;
} merge;

static fl_status add_merge(binder *b, scope *left, scope *right, fl_str name, int32_t pos, merge *ret)
{
    fl_status st = FL_OK;
    const scope_col *a, *c;
    FL_TRY(fl_sql_scope_find(b, left, name, pos, &a));
    FL_TRY(fl_sql_scope_find(b, right, name, pos, &c));
    if (a == NULL || c == NULL) {
        fl_nearest near;
        fl_sql_bind_fail(b, pos, FL_ERR_COLUMN, "column \"%.*s\" of USING is not in the %s table", FL_STR_ARG(name),
                         a == NULL ? "left" : "right");
        fl_nearest_init(&near, name);
        const scope *searched = a == NULL ? left : right;
        for (int32_t i = 0; i < searched->n_cols; i++)
            fl_nearest_offer(&near, searched->cols[i].name);
        fl_nearest_hint(&near, b->err);
        return FL_ERR_COLUMN;
    }
    *ret = (merge){.name = a->name, .left = a->col, .right = c->col};
cleanup:
    return st;
}

static fl_status find_merges(binder *b, const fl_ast_table *ast, scope *left, scope *right, merge **ret, int32_t *ret_n)
{
    fl_status st = FL_OK;
    const fl_ast_join *join = ast->join;
    merge *merges = NULL;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(b->arena, (join->is_natural ? left->n_cols : join->using_count) + 1, &merges, b->err));
    for (int32_t i = 0; i < join->using_count; i++)
        FL_TRY(add_merge(b, left, right, join->usings[i].text, join->usings[i].start, &merges[n++]));
    for (int32_t i = 0; join->is_natural && i < left->n_cols; i++) {
        const scope_col *other;
        if (left->cols[i].is_hidden)
            continue;
        FL_TRY(fl_sql_scope_find(b, right, left->cols[i].name, ast->start, &other));
        if (other != NULL)
            FL_TRY(add_merge(b, left, right, left->cols[i].name, ast->start, &merges[n++]));
    }
    *ret = merges;
    *ret_n = n;
cleanup:
    return st;
}

/* Equalities; the last one of an ASOF join is its inequality. */
static fl_status merge_condition(binder *b, const merge *merges, int32_t n, bool is_asof, int32_t pos,
                                 const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr **parts = NULL;
    *ret = NULL;
    if (n == 0)
        return FL_OK; /* NATURAL without a common column is a cross product */
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &parts, b->err));
    for (int32_t i = 0; i < n; i++) {
        const fl_expr *left, *right;
        FL_TRY(fl_expr_column(b->plan, merges[i].left, pos, &left, b->err));
        FL_TRY(fl_expr_column(b->plan, merges[i].right, pos, &right, b->err));
        FL_TRY(fl_sql_compare(b, is_asof && i == n - 1 ? FL_AST_OP_GE : FL_AST_OP_EQ, left, right, pos, &parts[i]));
    }
    FL_TRY(fl_expr_and(b->plan, parts, n, pos, ret, b->err));
cleanup:
    return st;
}

/* The merged columns: the side that is never padded with nulls; of a full join the first that is there. */
static fl_status merge_columns(binder *b, fl_ast_join_kind kind, merge *merges, int32_t n, int32_t pos,
                               const fl_node **node)
{
    fl_status st = FL_OK;
    const fl_expr **exprs = NULL;
    fl_str *names = NULL;
    fl_col_id *cols = NULL;
    for (int32_t i = 0; i < n; i++)
        merges[i].col = kind == FL_AST_JOIN_RIGHT ? merges[i].right : merges[i].left;
    if (kind != FL_AST_JOIN_FULL || n == 0)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &cols, b->err));
    for (int32_t i = 0; i < n; i++) {
        const fl_expr *left, *right, *cases[3];
        FL_TRY(fl_expr_column(b->plan, merges[i].left, pos, &left, b->err));
        FL_TRY(fl_expr_column(b->plan, merges[i].right, pos, &right, b->err));
        FL_TRY(fl_expr_is_null(b->plan, left, pos, &cases[0], b->err));
        cases[1] = right;
        cases[2] = left;
        FL_TRY(fl_expr_case(b->plan, cases, 3, pos, &exprs[i], b->err));
        names[i] = merges[i].name;
    }
    FL_TRY(fl_project_extend(b->plan, *node, exprs, names, n, cols, node, b->err));
    for (int32_t i = 0; i < n; i++)
        merges[i].col = cols[i];
cleanup:
    return st;
}

static fl_status hide_merged(binder *b, const merge *merges, int32_t n, bool is_left, scope *side)
{
    fl_status st = FL_OK;
    fl_index_map merged;
    fl_index_map_init(&merged, b->arena);
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_index_map_add(&merged, (uint64_t)(is_left ? merges[i].left : merges[i].right).n, i, b->err));
    for (int32_t i = 0; i < side->n_cols; i++)
        side->cols[i].is_hidden |= fl_index_map_find(&merged, (uint64_t)side->cols[i].col.n) >= 0;
cleanup:
    return st;
}

/* Merged columns first, then what is left of both sides. */
static fl_status merge_scopes(binder *b, const merge *merges, int32_t n, scope *left, scope *right, scope *s)
{
    fl_status st = FL_OK;
    scope made;
    fl_sql_scope_init(&made, NULL, CLAUSE_FROM);
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &made.cols, b->err));
    for (int32_t i = 0; i < n; i++)
        made.cols[i] = (scope_col){.name = merges[i].name, .col = merges[i].col, .table = -1};
    made.n_cols = made.cols_capacity = n;
    FL_TRY(hide_merged(b, merges, n, true, left));
    FL_TRY(hide_merged(b, merges, n, false, right));
    FL_TRY(fl_sql_scope_add_all(b, &made, left));
    FL_TRY(fl_sql_scope_add_all(b, &made, right));
    st = fl_sql_scope_take(b, s, &made);
cleanup:
    return st;
}

static fl_status check_aliases(binder *b, const fl_ast_table *ast, const scope *left, const scope *right)
{
    for (int32_t i = 0; i < right->n_tables; i++)
        if (right->tables[i].alias.len > 0 && fl_sql_scope_table(left, right->tables[i].alias) >= 0)
            return fl_sql_bind_fail_state(b, ast->join->right->start, FL_ERR_DUPLICATE, "42712",
                                          "two tables are called \"%.*s\" here: give one an alias",
                                          FL_STR_ARG(right->tables[i].alias));
    return FL_OK;
}

static fl_join_kind plan_kind(fl_ast_join_kind kind)
{
    switch (kind) {
    case FL_AST_JOIN_LEFT:
        return FL_JOIN_LEFT;
    case FL_AST_JOIN_RIGHT:
        return FL_JOIN_RIGHT;
    case FL_AST_JOIN_FULL:
        return FL_JOIN_FULL;
    case FL_AST_JOIN_SEMI:
        return FL_JOIN_SEMI;
    case FL_AST_JOIN_ANTI:
        return FL_JOIN_ANTI;
    default:
        return FL_JOIN_INNER;
    }
}

/* The join itself; an apply where the right side looks at the left one. */
static fl_status build_join(binder *b, const fl_ast_table *ast, const fl_node *left, const fl_node *right,
                            const fl_expr *condition, const fl_node **ret)
{
    fl_status st = FL_OK;
    fl_join_kind kind = plan_kind(ast->join->kind);
    const fl_expr *later = NULL;
    if (condition != NULL && kind == FL_JOIN_INNER && (condition->flags & FL_EXPR_HAS_SUBQUERY)) {
        later = condition; /* the same rows, and subqueries in filters are what unnesting knows best */
        condition = NULL;
    }
    if (fl_col_set_meets(&right->outer, &left->made)) {
        if (kind == FL_JOIN_RIGHT || kind == FL_JOIN_FULL) {
            fl_sql_bind_fail(b, ast->join->right->start, FL_ERR_UNSUPPORTED,
                             "LATERAL at the right of a RIGHT or FULL join cannot see the left side");
            fl_err_hint(b->err, "write JOIN or LEFT JOIN, or a subquery that does not read the left side");
            return FL_ERR_UNSUPPORTED;
        }
        bool is_and = condition != NULL && condition->kind == FL_EXPR_AND;
        FL_TRY(fl_apply_build(b->plan, kind, left, right, is_and ? condition->args : &condition,
                              condition == NULL ? 0
                              : is_and          ? condition->n_args
                                                : 1,
                              (fl_col_id){0}, ret, b->err));
    } else {
        FL_TRY(fl_join_build(b->plan, kind, left, right, condition, NULL, ret, b->err));
    }
    if (later != NULL)
        FL_TRY(fl_filter_build(b->plan, *ret, later, ret, b->err));
cleanup:
    return st;
}

/* Gives the columns of a scope the ids that they have above a join. */
static void renumber_scope(scope *s, const fl_index_map *ids)
{
    for (int32_t i = 0; i < s->n_cols; i++) {
        int32_t id = fl_index_map_find(ids, (uint64_t)s->cols[i].col.n);
        FL_ASSERT(id > 0);
        s->cols[i].col.n = id;
    }
}

static void renumber_merges(merge *merges, int32_t n, const fl_index_map *ids)
{
    for (int32_t i = 0; i < n; i++) {
        merges[i].left.n = fl_index_map_find(ids, (uint64_t)merges[i].left.n);
        merges[i].right.n = fl_index_map_find(ids, (uint64_t)merges[i].right.n);
    }
}

static fl_status bind_join(binder *b, const place *at, const fl_ast_table *ast, scope *s, const fl_node **ret)
{
    fl_status st = FL_OK;
    const fl_ast_join *join = ast->join;
    const fl_node *left_node, *right_node;
    const fl_expr *condition = NULL;
    merge *merges = NULL;
    int32_t n_merges = 0;
    scope left, right, beside;
    fl_sql_scope_init(&left, at->outer, CLAUSE_FROM);
    fl_sql_scope_init(&right, at->outer, CLAUSE_FROM);
    fl_sql_scope_init(&beside, at->outer, CLAUSE_FROM);
    beside.ctes = at->ctes;
    FL_TRY(bind_table(b, at, join->left, &left, &left_node));
    left.ctes = at->ctes;
    place right_at = {at->outer, &left, at->ctes};
    if (at->beside != NULL && at->beside != at->outer) {
        FL_TRY(fl_sql_scope_add_all(b, &beside, at->beside));
        FL_TRY(fl_sql_scope_add_all(b, &beside, &left));
        right_at.beside = &beside;
    }
    FL_TRY(bind_table(b, &right_at, join->right, &right, &right_node));
    FL_TRY(check_aliases(b, ast, &left, &right));
    int32_t n_cols = left.n_cols, n_tables = left.n_tables;
    bool is_merging = join->is_natural || join->using_count > 0;
    if (is_merging) {
        FL_TRY(find_merges(b, ast, &left, &right, &merges, &n_merges));
        FL_TRY(merge_condition(b, merges, n_merges, join->is_asof, ast->start, &condition));
    } else { /* `left` becomes both: joins in a long chain are not copied */
        FL_TRY(fl_sql_scope_add_all(b, &left, &right));
        left.clause = CLAUSE_ON;
        if (join->on != NULL)
            FL_TRY(fl_sql_bind_bool(b, &left, join->on, "argument of JOIN/ON", &condition));
    }
    if (join->is_asof) {
        fl_index_map ids;
        FL_TRY(fl_sql_build_asof(b, ast, left_node, right_node, condition, &ids, ret));
        renumber_scope(&left, &ids);
        if (is_merging)
            renumber_scope(&right, &ids);
        renumber_merges(merges, n_merges, &ids);
    } else if (join->kind == FL_AST_JOIN_POSITIONAL) {
        FL_TRY(fl_sql_build_positional(b, ast, left_node, right_node, ret));
    } else {
        FL_TRY(build_join(b, ast, left_node, right_node, condition, ret));
    }
    bool pads_left = join->kind == FL_AST_JOIN_RIGHT || join->kind == FL_AST_JOIN_FULL;
    bool pads_right = join->kind == FL_AST_JOIN_LEFT || join->kind == FL_AST_JOIN_FULL;
    for (int32_t i = 0; i < left.n_tables; i++) /* where nothing is merged the right ones are behind the left ones */
        left.tables[i].is_padded |= i < n_tables ? pads_left : pads_right;
    for (int32_t i = 0; i < right.n_tables && is_merging; i++)
        right.tables[i].is_padded |= pads_right;
    if (join->kind == FL_AST_JOIN_SEMI || join->kind == FL_AST_JOIN_ANTI) {
        left.n_cols = n_cols;
        left.n_tables = n_tables;
        left.index = NULL;
        return fl_sql_scope_take(b, s, &left);
    }
    if (!is_merging)
        return fl_sql_scope_take(b, s, &left);
    FL_TRY(merge_columns(b, join->kind, merges, n_merges, ast->start, ret));
    FL_TRY(merge_scopes(b, merges, n_merges, &left, &right, s));
cleanup:
    return st;
}

/* (a JOIN b ...) AS x: all visible columns under one name. */
static fl_status bind_aliased_join(binder *b, const place *at, const fl_ast_table *ast, scope *s, const fl_node **ret)
{
    fl_status st = FL_OK;
    scope inner;
    output out = {0};
    fl_sql_scope_init(&inner, at->outer, CLAUSE_FROM);
    FL_TRY(bind_join(b, at, ast, &inner, ret));
    FL_TRY(FL_NEW_ARRAY(b->arena, inner.n_cols + 1, &out.cols, b->err));
    for (int32_t i = 0; i < inner.n_cols; i++)
        if (!inner.cols[i].is_hidden)
            out.cols[out.n_cols++] = (out_col){.name = inner.cols[i].name, .col = inner.cols[i].col};
    out.root = *ret;
    FL_TRY(enter_output(b, ast, (fl_str){0}, (fl_str){0}, &out, s));
    *ret = out.root;
cleanup:
    return st;
}

/* PIVOT and UNPIVOT are queries over their source. */
static fl_status bind_pivot(binder *b, const place *at, const fl_ast_table *ast, scope *s, const fl_node **ret)
{
    fl_status st = FL_OK;
    output out;
    FL_TRY(ast->kind == FL_AST_TABLE_PIVOT ? fl_sql_bind_pivot(b, at->beside, at->ctes, ast, &out)
                                           : fl_sql_bind_unpivot(b, at->beside, at->ctes, ast, &out));
    FL_TRY(enter_output(b, ast, (fl_str){0}, (fl_str){0}, &out, s));
    *ret = out.root;
cleanup:
    return st;
}

static fl_status bind_whole_table(binder *b, const place *at, const fl_ast_table *ast, scope *s, const fl_node **ret)
{
    switch ((fl_ast_table_kind)ast->kind) {
    case FL_AST_TABLE_NAME:
        return bind_named(b, at, ast, s, ret);
    case FL_AST_TABLE_FILE:
        return bind_file(b, ast, ast->file, s, ret);
    case FL_AST_TABLE_FUNCTION:
        return bind_function(b, at, ast, s, ret);
    case FL_AST_TABLE_QUERY:
        return bind_query_table(b, at, ast, s, ret);
    case FL_AST_TABLE_JOIN:
        return ast->alias.text.len > 0 ? bind_aliased_join(b, at, ast, s, ret) : bind_join(b, at, ast, s, ret);
    case FL_AST_TABLE_PIVOT:
    case FL_AST_TABLE_UNPIVOT:
        return bind_pivot(b, at, ast, s, ret);
    case FL_AST_TABLE_BOUND:
        *ret = ast->bound->node;
        return fl_sql_scope_take(b, s, ast->bound->scope);
    }
    return fl_sql_bind_fail(b, ast->start, FL_ERR_INTERNAL, "a table of unknown kind %d", ast->kind);
}

static fl_status bind_table(binder *b, const place *at, const fl_ast_table *ast, scope *s, const fl_node **ret)
{
    fl_status st = bind_whole_table(b, at, ast, s, ret);
    return st != FL_OK || ast->sample == NULL ? st : fl_sql_sample(b, at->outer, ast->sample, ret);
}

fl_status fl_sql_bind_from(binder *b, scope *outer, const fl_ast_table *ast, scope *s, const fl_node **ret)
{
    place at = {outer, outer, s->ctes};
    return bind_table(b, &at, ast, s, ret);
}
