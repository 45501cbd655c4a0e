/* CREATE FUNCTION, and bodies of functions that are expressions. */
#include "front/sql/bind_statement.h"

#include "op/values/node.h"
#include "plan/expr_walk.h"

typedef struct types_ctx {
    const fl_ast_create_function *create;
    fl_arena *arena; /* what is kept */
    fl_function_param *params;
    fl_type *returns;
} types_ctx;

static fl_status plan_types(binder *b, void *ctx, output *ret)
{
    fl_status st = FL_OK;
    types_ctx *c = ctx;
    fl_type type;
    for (int32_t i = 0; i < c->create->param_count; i++) {
        FL_TRY(fl_sql_bind_type(b, c->create->params[i].type, &type));
        FL_TRY(fl_type_copy(c->arena, type, &c->params[i].type, b->err));
        FL_TRY(fl_arena_copy_str(c->arena, c->create->params[i].name.text, &c->params[i].name, b->err));
    }
    if (c->create->returns != NULL) {
        FL_TRY(fl_sql_bind_type(b, c->create->returns, &type));
        FL_TRY(fl_type_copy(c->arena, type, c->returns, b->err));
    }
    FL_TRY(fl_values_build(b->plan, NULL, 1, 0, NULL, &ret->root, b->err));
cleanup:
    return st;
}

static fl_status check_params(const fl_ast_create_function *create, fl_err *err)
{
    fl_status st = FL_OK;
    if (create->param_count > FL_FUNC_ARGS_MAX) {
        st = FL_FAIL(err, FL_ERR_LIMIT, "a function has up to %d parameters, this one has %d", FL_FUNC_ARGS_MAX,
                     create->param_count);
        fl_err_state(err, "54023", st);
        fl_err_at(err, create->path.parts[0].start);
        return st;
    }
    for (int32_t i = 0; i < create->param_count; i++)
        for (int32_t k = 0; k < i; k++) {
            fl_ast_name name = create->params[i].name;
            if (name.text.len == 0 || !fl_str_is_equal_nocase(name.text, create->params[k].name.text))
                continue;
            st = FL_FAIL(err, FL_ERR_DUPLICATE, "two parameters are called \"%.*s\"", FL_STR_ARG(name.text));
            fl_err_state(err, "42P13", st);
            fl_err_at(err, name.start);
            return st;
        }
    return FL_OK;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_create_function)
{
    (void)text;
    fl_status st = FL_OK;
    const fl_ast_create_function *create = ast->create_function;
    fl_query scratch = {0};
    fl_function_declaration *made = NULL;
    fl_function_param *params = NULL;
    FL_TRY(check_params(create, err));
    if (create->path.count == 1) /* functions are in no schema */
        FL_TRY(fl_arena_copy_str(arena, create->path.parts[0].text, &ret->name, err));
    else
        FL_TRY(fl_sql_set_name(env, arena, create->path, true, ret, err));
    ret->name_pos = create->path.parts[0].start;
    FL_TRY(FL_NEW(arena, &made, err));
    FL_TRY(FL_NEW_ARRAY(arena, create->param_count + 1, &params, err));
    types_ctx ctx = {create, arena, params, &made->returns};
    FL_TRY(fl_sql_bind_plan(env, ast, plan_types, &ctx, &scratch, err));
    FL_TRY(fl_arena_copy_str(arena, create->language.text, &made->language, err));
    FL_TRY(fl_arena_copy_str(arena, create->code, &made->code, err));
    made->name = ret->name;
    made->has_signature = create->has_params;
    made->is_aggregate = create->is_aggregate;
    made->takes_nulls = create->takes_nulls;
    made->is_strict = create->is_strict;
    made->errors_are_null = create->errors_are_null;
    made->volatility = create->volatility == FL_AST_VOLATILE ? FL_FUNCTION_VOLATILE
                       : create->volatility == FL_AST_STABLE ? FL_FUNCTION_STABLE
                                                             : FL_FUNCTION_IMMUTABLE;
    made->fuel = create->fuel;
    made->params = params;
    made->n_params = create->param_count;
    ret->declaration = made;
    ret->or_replace = create->or_replace;
    ret->if_not_exists = create->if_not_exists;
    ret->code_pos = create->code_start;
cleanup:
    fl_plan_unref(scratch.plan);
    return st;
}

fl_status fl_sql_bind_body(fl_sql_env *env, fl_plan *plan, const fl_ast_expr *body, const fl_function_param *params,
                           const fl_expr *const *args, int32_t n_params, fl_type returns, const fl_expr **ret,
                           fl_err *err)
{
    fl_status st = FL_OK;
    binder b = {.env = env, .plan = plan, .arena = fl_plan_arena(plan), .err = err};
    scope s;
    fl_str names[FL_FUNC_ARGS_MAX];
    fl_col_id cols[FL_FUNC_ARGS_MAX];
    fl_substitution substitution = {0};
    FL_ASSERT(n_params <= FL_FUNC_ARGS_MAX);
    fl_sql_scope_init(&s, NULL, CLAUSE_VALUES);
    for (int32_t i = 0; i < n_params; i++) {
        fl_col_info info = {.name = params[i].name, .type = params[i].type};
        FL_TRY(fl_plan_add_col(plan, &info, &cols[i], err));
        names[i] = params[i].name;
    }
    FL_TRY(fl_sql_scope_add_table(&b, &s, (fl_str){0}, (fl_str){0}, names, cols, n_params, 0));
    FL_TRY(fl_sql_bind_expr(&b, &s, body, ret));
    FL_TRY(fl_sql_assign(&b, *ret, returns, FL_STR("result"), body->start, ret));
    if (n_params == 0)
        return FL_OK;
    FL_TRY(fl_substitution_init(&substitution, plan, cols, args, n_params, err));
    st = fl_substitute(&substitution, *ret, ret, err);
    fl_substitution_drop(&substitution);
cleanup:
    return st;
}
