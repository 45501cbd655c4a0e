/* Macros: what CREATE MACRO keeps, and calls, in whose place the macro's text is bound anew.
 *
 * A macro's body sees its parameters and what it makes itself, nothing else of the query around the call. A parameter stands for its
 * argument as it is written, bound where the call stands: an aggregate's argument may be a parameter, and a parameter may be one in an
 * aggregate's call. Faults in the body are told at the call, with the macro's name in front; those in an argument at their own place. */
#include "front/sql/bind_statement.h"

#include "base/nearest.h"

#define MACRO_DEPTH_MAX 64 /* calls of macros in macros */

/* ---- CREATE MACRO -------------------------------------------------------------------------------------------------- */

static fl_status fail_at(fl_status st, const char *state, int32_t pos, fl_err *err)
{
    fl_err_at(err, pos);
    return fl_err_state(err, state, st);
}

static fl_status check_params(const fl_ast_macro *macro, fl_err *err)
{
    for (int32_t i = 0; i < macro->param_count; i++) {
        const fl_ast_macro_param *param = &macro->params[i];
        if (i > 0 && macro->params[i - 1].otherwise != NULL && param->otherwise == NULL) {
            fl_status st = FL_FAIL(err, FL_ERR_SYNTAX, "parameter \"%.*s\" needs a default: it is behind one that has",
                                   FL_STR_ARG(param->name.text));
            return fail_at(st, "42P13", param->name.start, err);
        }
        for (int32_t k = 0; k < i; k++)
            if (fl_str_is_equal_nocase(param->name.text, macro->params[k].name.text)) {
                fl_status st =
                    FL_FAIL(err, FL_ERR_DUPLICATE, "two parameters are called \"%.*s\"", FL_STR_ARG(param->name.text));
                return fail_at(st, "42P13", param->name.start, err);
            }
    }
    return FL_OK;
}

static int32_t args_min(const fl_ast_macro *macro)
{
    int32_t n = macro->param_count;
    while (n > 0 && macro->params[n - 1].otherwise != NULL)
        n--;
    return n;
}

/* Which overload is meant must follow from the number of arguments. */
static fl_status check_overloads(const fl_ast_create_macro *create, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < create->overload_count; i++) {
        const fl_ast_macro *a = &create->overloads[i];
        FL_TRY(check_params(a, err));
        for (int32_t k = 0; k < i; k++) {
            const fl_ast_macro *c = &create->overloads[k];
            if (args_min(a) > c->param_count || args_min(c) > a->param_count)
                continue;
            st = FL_FAIL(err, FL_ERR_DUPLICATE, "two forms of the macro take %d arguments",
                         args_min(a) > args_min(c) ? args_min(a) : args_min(c));
            return fail_at(st, "42723", a->start, err);
        }
    }
cleanup:
    return st;
}

/* Binds a body once over nulls, to tell of names in it that mean nothing. What else is wrong may be right with other arguments, or when
 * tables are there that are not yet. */
static fl_status plan_trial(binder *b, void *ctx, output *ret)
{
    fl_status st = FL_OK;
    const fl_ast_macro *macro = ctx;
    const fl_expr *value;
    scope s;
    macro_frame frame = {.macro = macro, .scope = &s, .is_trial = true};
    fl_sql_scope_init(&s, NULL, CLAUSE_SELECT);
    b->macro = &frame;
    if (macro->query != NULL)
        return fl_sql_bind_query(b, &s, NULL, macro->query, ret);
    FL_TRY(fl_sql_bind_expr(b, &s, macro->body, &value));
    st = fl_sql_bind_nothing(b, ret);
cleanup:
    return st;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_create_macro)
{
    fl_status st = FL_OK;
    const fl_ast_create_macro *create = ast->create_macro;
    ret->or_replace = create->or_replace;
    ret->if_not_exists = create->if_not_exists;
    ret->macro_kind = create->overloads[0].query != NULL ? FL_MACRO_TABLE : FL_MACRO_VALUE;
    FL_TRY(fl_sql_set_name(env, arena, create->path, true, ret, err));
    FL_TRY(check_overloads(create, err));
    if (fl_sql_is_form(create->path.parts[create->path.count - 1].text)) {
        st = FL_FAIL(err, FL_ERR_DUPLICATE, "\"%.*s\" is a form of the language", FL_STR_ARG(ret->name));
        return fail_at(st, "42723", ret->name_pos, err);
    }
    for (int32_t i = 0; i < create->overload_count; i++) {
        fl_query query = {0};
        fl_err own = {0};
        st = fl_sql_bind_plan(env, ast, plan_trial, &create->overloads[i], &query, &own);
        fl_plan_unref(query.plan);
        if (st == FL_ERR_COLUMN || st == FL_ERR_AMBIGUOUS || st == FL_ERR_MEMORY || st == FL_ERR_CANCELLED) {
            if (err != NULL)
                *err = own;
            return st;
        }
        st = FL_OK;
    }
    fl_str written = {text.data + create->text_start, create->text_end - create->text_start};
    FL_TRY(fl_arena_copy_str(arena, written, &ret->view_text, err));
cleanup:
    return st;
}

/* ---- parameters ---------------------------------------------------------------------------------------------------- */

scope *fl_sql_visible(const binder *b, scope *at)
{
    return b->macro != NULL && at == b->macro->scope ? NULL : at;
}

int32_t fl_sql_macro_param(const binder *b, fl_str name)
{
    for (int32_t i = 0; b->macro != NULL && b->macro->macro != NULL && i < b->macro->macro->param_count; i++)
        if (fl_str_is_equal_nocase(b->macro->macro->params[i].name.text, name))
            return i;
    return -1;
}

/* Counts the levels of expressions in each other, which the texts of macros could hide. */
static fl_status go_deeper(binder *b, int32_t height, int32_t pos)
{
    b->macro_height += height;
    if (b->macro_height > FL_SQL_DEPTH_MAX)
        return fl_sql_bind_fail_state(b, pos, FL_ERR_LIMIT, "54001", "macros and their arguments nest deeper than %d",
                                      FL_SQL_DEPTH_MAX);
    return FL_OK;
}

static fl_status bind_null(binder *b, int32_t pos, const fl_expr **ret)
{
    fl_value null = {.type = FL_TYPE(FL_NULL), .is_null = true};
    return fl_expr_untyped(b->plan, &null, pos, ret, b->err);
}

static fl_status cast_argument(binder *b, const fl_ast_macro_param *param, int32_t pos, const fl_expr **value)
{
    fl_status st = FL_OK;
    fl_type type, given = (*value)->type;
    FL_TRY(fl_sql_bind_type(b, param->type, &type));
    if (!((*value)->flags & FL_EXPR_UNTYPED) && given.id != FL_NULL && !fl_cast_is_implicit(given, type, NULL))
        return fl_sql_bind_fail(b, pos, FL_ERR_TYPE, "parameter \"%.*s\" has type %s, the argument has type %s",
                                FL_STR_ARG(param->name.text), FL_TYPE_NAME(type), FL_TYPE_NAME(given));
    st = fl_expr_cast(b->plan, *value, type, false, pos, value, b->err);
cleanup:
    return st;
}

fl_status fl_sql_bind_macro_param(binder *b, int32_t param, int32_t pos, const fl_expr **ret)
{
    fl_status st = FL_OK;
    macro_frame *frame = b->macro;
    fl_catalog *catalog = b->env->catalog;
    fl_str database = catalog->database, schema = catalog->schema;
    if (frame->is_trial)
        return bind_null(b, pos, ret);
    const fl_ast_expr *arg = frame->args[param];
    const fl_ast_macro_param *declared = &frame->macro->params[param];
    macro_frame alone = {.scope = frame->scope, .outer = frame->outer}; /* a default sees nothing */
    bool is_default = arg == NULL;
    cte *ctes = frame->scope->ctes;
    int32_t height = b->macro_height;
    if (is_default)
        arg = declared->otherwise;
    FL_TRY(go_deeper(b, arg->height, pos));
    b->macro = is_default ? &alone : frame->outer;
    if (!is_default) {
        frame->scope->ctes = frame->ctes;
        catalog->database = frame->database;
        catalog->schema = frame->schema;
    }
    st = fl_sql_bind_expr(b, frame->scope, arg, ret);
    if (st == FL_OK && declared->type != NULL)
        st = cast_argument(b, declared, arg->start, ret);
    frame->is_arg_fault |= st != FL_OK && !is_default;
cleanup:
    b->macro = frame;
    b->macro_height = height;
    frame->scope->ctes = ctes;
    catalog->database = database;
    catalog->schema = schema;
    return st;
}

/* ---- calls --------------------------------------------------------------------------------------------------------- */

/* How a macro is called, for messages: f(a, b := 1). */
static void add_form(fl_text *text, fl_str name, const fl_ast_macro *macro)
{
    fl_text_addf(text, "%.*s(", FL_STR_ARG(name));
    for (int32_t i = 0; i < macro->param_count; i++)
        fl_text_addf(text, "%s%.*s%s", i > 0 ? ", " : "", FL_STR_ARG(macro->params[i].name.text),
                     macro->params[i].otherwise != NULL ? " := …" : "");
    fl_text_add_char(text, ')');
}

static fl_status fail_arguments(binder *b, const macro_call *call, const fl_ast_macro *macros, int32_t n)
{
    fl_text forms;
    fl_text_init(&forms, NULL);
    for (int32_t i = 0; i < n; i++) {
        fl_text_add(&forms, i > 0 ? FL_STR(", ") : FL_STR(""));
        add_form(&forms, call->name, &macros[i]);
    }
    fl_status st = fl_sql_bind_fail(b, call->pos, FL_ERR_FUNCTION, "macro %.*s does not take these arguments",
                                    FL_STR_ARG(call->name));
    if (fl_text_status(&forms, NULL) == FL_OK)
        fl_err_hint(b->err, "it is called %.*s", FL_STR_ARG(fl_text_str(&forms)));
    fl_text_drop(&forms);
    return st;
}

/* Puts arguments to their parameters; false: they are none of this form's. */
static bool take_arguments(const macro_call *call, const fl_ast_macro *macro, fl_ast_expr **args)
{
    if (call->n_args > macro->param_count)
        return false;
    for (int32_t i = 0; i < call->n_args; i++) {
        const fl_ast_arg *arg = &call->args[i];
        int32_t at = i;
        if (arg->name.text.len > 0) {
            at = 0;
            while (at < macro->param_count && !fl_str_is_equal_nocase(macro->params[at].name.text, arg->name.text))
                at++;
        }
        if (at == macro->param_count || args[at] != NULL)
            return false;
        args[at] = arg->value;
    }
    for (int32_t i = 0; i < macro->param_count; i++)
        if (args[i] == NULL && macro->params[i].otherwise == NULL)
            return false;
    return true;
}

/* The form that takes the arguments. */
static fl_status choose(binder *b, const macro_call *call, const fl_ast_macro *macros, int32_t n, macro_frame *ret)
{
    fl_status st = FL_OK;
    bool has_name = false;
    for (int32_t i = 0; i < call->n_args; i++) {
        if (has_name && call->args[i].name.text.len == 0)
            return fl_sql_bind_fail(b, call->args[i].value->start, FL_ERR_SYNTAX,
                                    "arguments by place go before those by name");
        has_name |= call->args[i].name.text.len > 0;
    }
    for (int32_t i = 0; i < n; i++) {
        FL_TRY(FL_NEW_ARRAY(b->arena, macros[i].param_count + 1, &ret->args, b->err));
        if (!take_arguments(call, &macros[i], ret->args))
            continue;
        ret->macro = &macros[i];
        return FL_OK;
    }
    return fail_arguments(b, call, macros, n);
cleanup:
    return st;
}

static fl_status check_recursion(binder *b, const macro_call *call, bool is_table)
{
    int32_t depth = 0;
    for (const macro_frame *frame = b->macro; frame != NULL; frame = frame->caller, depth++)
        if (frame->key.len > 0 && frame->is_table == is_table && fl_str_is_equal_nocase(frame->key, call->key))
            return fl_sql_bind_fail_state(b, call->pos, FL_ERR_UNSUPPORTED, "42P19", "macro %.*s calls itself",
                                          FL_STR_ARG(call->name));
    if (depth >= MACRO_DEPTH_MAX)
        return fl_sql_bind_fail_state(b, call->pos, FL_ERR_LIMIT, "54001", "macros in macros deeper than %d",
                                      MACRO_DEPTH_MAX);
    if (++b->reads > READS_MAX) {
        fl_sql_bind_fail(b, call->pos, FL_ERR_LIMIT, "macros are called more than %d times", READS_MAX);
        fl_err_hint(b->err, "those inside of others count with each of them");
        return FL_ERR_LIMIT;
    }
    return FL_OK;
}

static fl_status bind_macro(binder *b, scope *s, const macro_call *call, bool is_table, const fl_expr **ret_expr,
                            output *ret_output)
{
    fl_status st = FL_OK;
    fl_catalog *catalog = b->env->catalog;
    fl_ast_macro *macros = NULL;
    int32_t n = 0, height = b->macro_height;
    bool is_parsed = false;
    macro_frame *caller = b->macro;
    macro_frame frame = {.outer = caller,
                         .caller = caller,
                         .key = call->key,
                         .is_table = is_table,
                         .scope = s,
                         .ctes = s->ctes,
                         .database = catalog->database,
                         .schema = catalog->schema};
    FL_TRY(check_recursion(b, call, is_table));
    fl_sql_fragment fragment = {.memory = b->env->memory, .arena = b->arena};
    FL_TRY(fl_sql_bind_keep(b, call->found.text, &fragment.text));
    FL_TRY(fl_sql_fragment_macro(&fragment, &macros, &n, b->err));
    FL_TRY(choose(b, call, macros, n, &frame));
    is_parsed = true;
    FL_TRY(go_deeper(b, is_table ? frame.macro->query->height : frame.macro->body->height, call->pos));
    b->macro = &frame;
    s->ctes = NULL;
    catalog->database = call->found.database;
    catalog->schema = call->found.schema;
    st = is_table ? fl_sql_bind_query(b, s, NULL, frame.macro->query, ret_output)
                  : fl_sql_bind_expr(b, s, frame.macro->body, ret_expr);
cleanup:
    b->macro = caller;
    b->macro_height = height;
    s->ctes = frame.ctes;
    catalog->database = frame.database;
    catalog->schema = frame.schema;
    if (st != FL_OK && is_parsed && !frame.is_arg_fault && b->err != NULL) {
        b->err->position = 0;
        if (st != FL_ERR_LIMIT)
            fl_err_prefix(b->err, "in the macro %.*s: ", FL_STR_ARG(call->name));
        fl_err_at(b->err, call->pos);
    }
    return st;
}

/* Whether a macro is meant. x.f(y) may be f of a schema x, where there is one. */
static fl_status find_macro(binder *b, const fl_ast_call *call, int32_t pos, bool is_table, macro_call *ret)
{
    fl_status st = FL_OK;
    fl_catalog *catalog = b->env->catalog;
    *ret = (macro_call){.args = call->args, .n_args = call->arg_count, .pos = pos};
    ret->name = call->path.parts[call->path.count - 1].text;
    if (catalog == NULL || catalog->find_macro == NULL)
        return FL_OK;
    if (call->is_method && call->args[0].value->kind == FL_AST_COLUMN) {
        const fl_ast_path *schema = &call->args[0].value->path;
        fl_ast_name parts[FL_NAME_PARTS_MAX];
        if (schema->count < FL_NAME_PARTS_MAX && catalog->find_macro(catalog, (fl_str){0}, is_table, NULL)) {
            for (int32_t i = 0; i < schema->count; i++)
                parts[i] = schema->parts[i];
            parts[schema->count] = call->path.parts[call->path.count - 1];
            fl_ast_path path = {parts, schema->count + 1};
            fl_err *err = b->err;
            st = fl_sql_qualify(b->env, b->arena, path, false, &ret->key, NULL);
            b->err = err;
            ret->is_found = st == FL_OK && catalog->find_macro(catalog, ret->key, is_table, &ret->found);
        }
        if (ret->is_found) {
            ret->args++;
            ret->n_args--;
            return FL_OK;
        }
    }
    bool is_function =
        fl_registry_func(b->env->registry, ret->name) != NULL || fl_registry_agg(b->env->registry, ret->name) != NULL;
    if (is_function && !is_table && !catalog->find_macro(catalog, (fl_str){0}, is_table, NULL))
        return FL_OK;
    if (fl_sql_qualify(b->env, b->arena, call->path, false, &ret->key, NULL) == FL_OK)
        ret->is_found = catalog->find_macro(catalog, ret->key, is_table, &ret->found);
    if (!ret->is_found) { /* of the system's, whose schema need not be said */
        ret->key = ret->name;
        ret->is_found = catalog->find_macro(catalog, ret->name, is_table, &ret->found);
    }
    return FL_OK;
}

fl_status fl_sql_bind_macro_call(binder *b, scope *s, const fl_ast_expr *ast, bool *ret_is, const fl_expr **ret)
{
    fl_status st = FL_OK;
    macro_call call;
    FL_TRY(find_macro(b, ast->call, ast->start, false, &call));
    *ret_is = call.is_found;
    if (!call.is_found)
        return FL_OK;
    const fl_ast_call *c = ast->call;
    if (c->is_star || c->is_distinct || c->order_count > 0 || c->filter != NULL || c->over != NULL ||
        c->nulls_start > 0)
        return fl_sql_bind_fail_state(b, ast->start, FL_ERR_FUNCTION, "42809",
                                      "%.*s is a macro: DISTINCT, ORDER BY, FILTER and OVER stand inside of it",
                                      FL_STR_ARG(call.name));
    st = bind_macro(b, s, &call, false, ret, NULL);
cleanup:
    return st;
}

fl_status fl_sql_bind_macro_table(binder *b, scope *s, const fl_ast_call *ast, int32_t pos, bool *ret_is, output *ret)
{
    fl_status st = FL_OK;
    macro_call call;
    FL_TRY(find_macro(b, ast, pos, true, &call));
    *ret_is = call.is_found;
    if (call.is_found)
        st = bind_macro(b, s, &call, true, NULL, ret);
cleanup:
    return st;
}
