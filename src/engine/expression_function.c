/* LANGUAGE expr: functions that are expressions, in infix text or as a JSON tree. A call of one is its body over the arguments: nothing
 * of the function is left in the plan. */
#include "engine/internal.h"

#include "front/expr/request.h"
#include "udf/function.h"

typedef struct expression {
    fl_request request; /* holds the body's nodes */
    fl_ast_expr *body;
} expression;

static fl_status bind_body(const fl_udf *udf, fl_plan *plan, const fl_expr *const *args, const fl_expr **ret,
                           fl_err *err)
{
    const expression *e = udf->state;
    const fl_function_declaration *d = &udf->declaration;
    fl_sql_env env = {.memory = fl_plan_memory(plan), .registry = fl_plan_registry(plan), .is_final = true};
    return fl_sql_bind_body(&env, plan, e->body, d->params, args, d->n_params, d->returns, ret, err);
}

static fl_status expand(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t n_args,
                        int32_t pos, const fl_expr **ret, fl_err *err)
{
    const fl_udf *udf = func->ctx;
    FL_ASSERT(n_args == udf->declaration.n_params);
    (void)n_args;
    (void)pos;
    return bind_body(udf, plan, args, ret, err);
}

static void explain(const fl_func_desc *func, fl_text *text)
{
    (void)func;
    fl_text_add(text, FL_STR("expr: part of the plan"));
}

/* Binds the body once over columns, so that its faults are told when it is written. */
static fl_status check_body(fl_udf *udf, const fl_registry *registry, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_function_declaration *d = &udf->declaration;
    const fl_expr *args[FL_FUNC_ARGS_MAX], *bound = NULL;
    fl_plan *plan = NULL;
    FL_TRY(fl_plan_new(NULL, registry, &plan, err));
    for (int32_t i = 0; i < d->n_params; i++) {
        fl_col_info info = {.name = d->params[i].name, .type = d->params[i].type};
        fl_col_id col;
        FL_TRY(fl_plan_add_col(plan, &info, &col, err));
        FL_TRY(fl_expr_column(plan, col, -1, &args[i], err));
    }
    st = bind_body(udf, plan, args, &bound, err);
cleanup:
    fl_plan_unref(plan);
    return st;
}

static fl_status check_declaration(const fl_function_declaration *d, fl_err *err)
{
    if (!d->has_signature)
        return FL_FAIL(err, FL_ERR_SYNTAX, "a function of LANGUAGE expr needs its parameters and RETURNS");
    if (d->is_aggregate || d->errors_are_null || d->is_strict || d->fuel > 0 || d->volatility != FL_FUNCTION_IMMUTABLE)
        return FL_FAIL(err, FL_ERR_SYNTAX, "a function of LANGUAGE expr takes no %s: it is as its expression is",
                       d->is_aggregate      ? "AGGREGATE"
                       : d->errors_are_null ? "ON ERROR NULL"
                       : d->is_strict       ? "STRICT"
                       : d->fuel > 0        ? "FUEL"
                                            : "VOLATILE or STABLE");
    for (int32_t i = 0; i < d->n_params; i++)
        if (d->params[i].name.len == 0)
            return FL_FAIL(err, FL_ERR_SYNTAX, "parameter %d of a function of LANGUAGE expr needs a name", i + 1);
    return FL_OK;
}

static bool is_tree(fl_str code)
{
    for (int64_t i = 0; i < code.len; i++)
        if (strchr(" \t\r\n", code.data[i]) == NULL)
            return code.data[i] == '{';
    return false;
}

static fl_status load(fl_udf *udf, fl_err *err)
{
    fl_status st = FL_OK;
    expression *e = NULL;
    fl_engine *engine = udf->environment;
    const fl_registry *registry = fl_engine_registry(engine);
    fl_str code = udf->declaration.code;
    FL_TRY(check_declaration(&udf->declaration, err));
    FL_TRY(FL_NEW(&udf->arena, &e, err));
    fl_request_init(&e->request, NULL);
    udf->state = e;
    udf->func.expand = expand;
    udf->func.explain = explain;
    FL_TRY(is_tree(code) ? fl_request_parse_tree(&e->request, code, &e->body, err)
                         : fl_request_parse_infix(&e->request, code, &e->body, err));
    FL_TRY(check_body(udf, registry, err));
cleanup:
    if (st != FL_OK && e != NULL)
        fl_request_locate(&e->request, err);
    fl_registry_unref(registry);
    return st;
}

static void unload(fl_udf *udf)
{
    expression *e = udf->state;
    if (e != NULL)
        fl_request_drop(&e->request);
}

const fl_udf_language fl_expression_language = {
    .size = sizeof(fl_udf_language),
    .name = "expr",
    .doc = "an expression: price * 1.2, or a JSON tree",
    .is_text = true,
    .load = load,
    .unload = unload,
};
