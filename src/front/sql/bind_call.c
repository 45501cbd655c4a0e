/* Calls: functions, aggregates (collected in their SELECT's scope), and the forms that are calls in the text only:
 * coalesce, nullif, if, struct_pack. */
#include "front/sql/bind.h"

#include "base/hash.h"
#include "base/nearest.h"
#include "op/window/node.h"
#include "plan/rule.h"

/* ---- aggregates ---- */

const char *fl_sql_clause_name(clause clause)
{
    switch (clause) {
    case CLAUSE_FROM:
        return "FROM";
    case CLAUSE_ON:
        return "a join's condition";
    case CLAUSE_WHERE:
        return "WHERE";
    case CLAUSE_SELECT:
        return "SELECT";
    case CLAUSE_GROUP:
        return "GROUP BY";
    case CLAUSE_HAVING:
        return "HAVING";
    case CLAUSE_QUALIFY:
        return "QUALIFY";
    case CLAUSE_ORDER:
        return "ORDER BY";
    case CLAUSE_LIMIT:
        return "LIMIT";
    case CLAUSE_VALUES:
        return "VALUES";
    case CLAUSE_SET:
        return "UPDATE";
    case CLAUSE_RETURNING:
        return "RETURNING";
    case CLAUSE_RULE:
        return "CHECK and GENERATED";
    case CLAUSE_SET_ORDER:
        return "ORDER BY of a set operation";
    }
    return "this place";
}

static bool takes_aggregates(const scope *s)
{
    return (s->clause == CLAUSE_SELECT || s->clause == CLAUSE_HAVING || s->clause == CLAUSE_QUALIFY ||
            s->clause == CLAUSE_ORDER) &&
           !s->in_aggregate;
}

static fl_status fail_misplaced(binder *b, const scope *s, const fl_ast_expr *ast)
{
    if (s->in_aggregate)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_GROUPING, "aggregate calls cannot be nested");
    fl_status st = fl_sql_bind_fail(b, ast->start, FL_ERR_GROUPING, "aggregate functions are not allowed in %s",
                                    fl_sql_clause_name(s->clause));
    if (s->clause == CLAUSE_WHERE)
        fl_err_hint(b->err, "use HAVING, which is tested after grouping");
    return st;
}

static bool reads_scope(const scope *s, const fl_col_set *cols)
{
    for (int32_t i = 0; i < s->n_cols; i++)
        if (fl_col_set_has(cols, s->cols[i].col))
            return true;
    return false;
}

/* The query that an aggregate belongs to: the innermost whose columns its arguments read (PostgreSQL, section 4.2.7);
 * without columns the one that it is written in. */
fl_status fl_sql_owner_of(binder *b, scope *s, const fl_expr *const *args, int32_t n_args, scope **ret)
{
    fl_status st = FL_OK;
    fl_col_set cols;
    *ret = s;
    fl_col_set_init(&cols);
    for (int32_t i = 0; i < n_args; i++)
        FL_TRY(fl_expr_add_cols(fl_plan_arena(b->plan), args[i], &cols, b->err));
    if (fl_col_set_is_empty(&cols))
        return FL_OK;
    for (scope *at = s; at != NULL; at = at->outer) {
        if (reads_scope(at, &cols)) {
            *ret = at;
            return FL_OK;
        }
    }
cleanup:
    return st;
}

static bool is_same_agg(const fl_agg *a, const fl_agg *c)
{
    if (a->agg != c->agg || a->kernel != c->kernel || a->n_args != c->n_args || a->filter != c->filter ||
        a->is_distinct != c->is_distinct || a->n_order != c->n_order)
        return false;
    for (int32_t i = 0; i < a->n_args; i++)
        if (a->args[i] != c->args[i] || (a->args[i]->flags & FL_EXPR_VOLATILE))
            return false;
    for (int32_t i = 0; i < a->n_order; i++)
        if (a->order[i].expr != c->order[i].expr || a->order[i].is_descending != c->order[i].is_descending ||
            a->order[i].nulls_first != c->order[i].nulls_first)
            return false;
    return true;
}

/* Equal for aggregates that are the same. */
static uint64_t hash_agg(const fl_agg *a)
{
    uint64_t hash = fl_hash_combine(fl_index_map_key(a->agg), fl_index_map_key(a->filter));
    for (int32_t i = 0; i < a->n_args; i++)
        hash = fl_hash_combine(hash, fl_index_map_key(a->args[i]));
    for (int32_t i = 0; i < a->n_order; i++)
        hash = fl_hash_combine(hash, fl_index_map_key(a->order[i].expr));
    return hash | 1;
}

fl_status fl_sql_add_aggregate(binder *b, scope *s, const fl_agg *agg, int32_t pos, const fl_expr **ret)
{
    fl_status st = FL_OK;
    uint64_t key = hash_agg(agg);
    int32_t known = fl_index_map_find(&s->agg_places, key);
    if (known >= 0 && is_same_agg(&s->aggs[known], agg))
        return fl_expr_column(b->plan, s->aggs[known].out, pos, ret, b->err);
    s->agg_places.arena = b->arena;
    FL_TRY(fl_index_map_add(&s->agg_places, key, s->n_aggs, b->err));
    FL_TRY(fl_sql_bind_grow(b, &s->aggs, s->n_aggs, &s->aggs_capacity, sizeof(*s->aggs)));
    s->aggs[s->n_aggs++] = *agg;
    FL_TRY(fl_col_set_add(fl_plan_arena(b->plan), &s->agg_cols, agg->out, b->err));
    FL_TRY(fl_expr_column(b->plan, agg->out, pos, ret, b->err));
cleanup:
    return st;
}

static fl_status bind_aggregate_parts(binder *b, scope *s, const fl_ast_call *call, const fl_expr **args,
                                      const fl_expr **filter, fl_sort_key *keys)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < call->arg_count; i++)
        FL_TRY(fl_sql_bind_expr(b, s, call->args[i].value, &args[i]));
    for (int32_t i = 0; i < call->order_count; i++) {
        FL_TRY(fl_sql_bind_expr(b, s, call->order[i].expr, &keys[i].expr));
        if (!call->is_within_group)
            FL_TRY(fl_sql_collate_key(b, &keys[i].expr));
        keys[i].is_descending = call->order[i].is_descending;
        keys[i].nulls_first = fl_sql_nulls_first(b, &call->order[i]);
    }
    if (call->filter != NULL)
        FL_TRY(fl_sql_bind_bool(b, s, call->filter, "argument of FILTER", filter));
    if (s->filter != NULL) {
        const fl_expr *pair[2] = {NULL, *filter};
        FL_TRY(fl_sql_bind_bool(b, s, s->filter, "argument of FILTER", &pair[0]));
        FL_TRY(fl_expr_and(b->plan, pair, *filter != NULL ? 2 : 1, s->filter->start, filter, b->err));
    }
cleanup:
    return st;
}

/* percentile_cont(f) WITHIN GROUP (ORDER BY x) is percentile_cont(x, f) in the order of x; where nothing is fed in order, a
 * descending one is a negative fraction. */
static fl_status move_within_group(binder *b, const fl_agg_desc *desc, const fl_ast_expr *ast, const fl_expr **args,
                                   const fl_sort_key *keys)
{
    fl_status st = FL_OK;
    const fl_ast_call *call = ast->call;
    if (call->order_count != 1 || call->arg_count > 1)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_FUNCTION, "%s WITHIN GROUP takes one argument and one ORDER BY",
                                desc->name);
    double fraction;
    args[1] = args[0];
    args[0] = keys[0].expr;
    if (call->arg_count == 1 && fl_expr_is_const(args[1]) && fl_value_to_double(args[1]->value, &fraction) &&
        fraction < 0)
        return fl_sql_bind_fail(b, call->args[0].value->start, FL_ERR_RANGE, "a fraction is between 0 and 1, not %g",
                                fraction);
    if (call->arg_count == 0 || !keys[0].is_descending || !desc->ignores_order)
        return FL_OK;
    if (args[1]->type.id == FL_LIST)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_UNSUPPORTED,
                                "a list of fractions in descending order is not supported yet");
    FL_TRY(fl_expr_cast(b->plan, args[1], FL_TYPE(FL_F64), false, args[1]->pos, &args[1], b->err));
    FL_TRY(fl_expr_call_args(b->plan, "-", args[1]->pos, &args[1], b->err, 1, args[1]));
cleanup:
    return st;
}

static fl_status check_within_group(binder *b, const fl_agg_desc *desc, const fl_ast_expr *ast)
{
    bool is_mode = strcmp(desc->name, "mode") == 0; /* the one that is called both ways */
    if (ast->call->is_within_group && !desc->is_within_group && !is_mode)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_FUNCTION, "%s is called without WITHIN GROUP", desc->name);
    if (!ast->call->is_within_group && desc->is_within_group) {
        fl_status st =
            fl_sql_bind_fail_state(b, ast->start, FL_ERR_FUNCTION, "42809", "%s needs WITHIN GROUP", desc->name);
        fl_err_hint(b->err, "%s", desc->doc);
        return st;
    }
    return FL_OK;
}

/* What an aggregate does with texts that are the same by their collation is said of min and max alone. */
static fl_status refuse_collated(binder *b, const fl_ast_expr *ast, const fl_expr *arg)
{
    if (!ast->call->is_distinct || !fl_sql_is_collated(arg))
        return FL_OK;
    fl_status st =
        fl_sql_bind_fail(b, ast->start, FL_ERR_UNSUPPORTED, "DISTINCT of an aggregate is not supported by collation");
    fl_err_hint(b->err, "take a key, for example count(DISTINCT lower(x))");
    return st;
}

/* The least (greatest) text by a collation is the one whose key is, and of lists and structs the one that is: arg_min(x, key). */
static fl_status take_extreme(binder *b, const fl_agg_desc **desc, const fl_expr **args, int32_t *n_args)
{
    bool is_min = (*desc)->answer == FL_ANSWER_MIN;
    if (*n_args != 1 || !(is_min || (*desc)->answer == FL_ANSWER_MAX) ||
        !(fl_sql_is_collated(args[0]) || fl_type_is_nested(args[0]->type)))
        return FL_OK;
    *desc = fl_registry_agg(b->env->registry, is_min ? FL_STR("arg_min") : FL_STR("arg_max"));
    FL_ASSERT(*desc != NULL);
    args[1] = args[0];
    *n_args = 2;
    return fl_sql_collate_key(b, &args[1]);
}

static fl_status bind_aggregate(binder *b, scope *s, const fl_ast_expr *ast, fl_str name, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_ast_call *call = ast->call;
    const fl_expr **args = NULL, *filter = NULL;
    fl_sort_key *keys = NULL;
    fl_agg agg;
    scope *owner;
    bool was_in = s->in_aggregate, is_over = call->over != NULL;
    bool *in = is_over ? &s->in_window : &s->in_aggregate;
    int32_t n_lists = s->n_lists;
    const fl_agg_desc *desc = fl_registry_agg(b->env->registry, name);
    int32_t n_args = call->arg_count + call->is_within_group;
    if (is_over)
        FL_TRY(fl_sql_check_window(b, s, ast));
    else if (was_in)
        return fail_misplaced(b, s, ast);
    if (!is_over && call->nulls_start > 0) {
        fl_sql_bind_fail(b, call->nulls_start, FL_ERR_UNSUPPORTED,
                         "IGNORE NULLS and RESPECT NULLS are for functions over windows");
        fl_err_hint(b->err, "write FILTER (WHERE x IS NOT NULL) behind the call");
        return FL_ERR_UNSUPPORTED;
    }
    FL_TRY(check_within_group(b, desc, ast));
    FL_TRY(FL_NEW_ARRAY(b->arena, call->arg_count + 2, &args, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, call->order_count + 1, &keys, b->err));
    *in = true;
    st = bind_aggregate_parts(b, s, call, args, &filter, keys);
    *in = false;
    FL_TRY(st);
    if (call->is_within_group)
        FL_TRY(move_within_group(b, desc, ast, args, keys));
    FL_TRY(take_extreme(b, &desc, args, &n_args));
    if (is_over) {
        window_parts parts = {args, n_args, filter, keys, call->order_count};
        FL_TRY(fl_sql_refuse_unnest(b, s, n_lists, "a window function's call"));
        return fl_sql_add_window(b, s, ast, desc, &parts, ret);
    }
    for (int32_t i = 0; i < n_args; i++)
        FL_TRY(refuse_collated(b, ast, args[i]));
    FL_TRY(fl_sql_owner_of(b, s, args, n_args, &owner));
    if (!takes_aggregates(owner))
        return fail_misplaced(b, owner, ast);
    FL_TRY(fl_agg_make_of(b->plan, desc, args, n_args, call->is_distinct, filter, keys, call->order_count, ast->start,
                          &agg, b->err));
    FL_TRY(fl_sql_add_aggregate(b, owner, &agg, ast->start, ret));
cleanup:
    return st;
}

/* ---- forms ---- */

/* CASE WHEN a IS NOT NULL THEN a WHEN b IS NOT NULL THEN b ELSE c END: what follows the first value is not evaluated. */
static fl_status make_coalesce(binder *b, const fl_expr *const *args, int32_t n, const fl_ast_expr *ast,
                               const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr **cases = NULL;
    fl_type type;
    int32_t odd, n_cases = 0;
    FL_TRY(fl_expr_common_type(b->plan, args, n, &type, &odd, b->err));
    if (odd >= 0)
        return fl_sql_bind_fail(b, ast->call->args[odd].value->start, FL_ERR_TYPE,
                                "arguments of coalesce have types %s and %s, which have no common type",
                                FL_TYPE_NAME(type), FL_TYPE_NAME(args[odd]->type));
    if (type.id == FL_NULL)
        type = FL_TYPE(FL_UTF8);
    FL_TRY(FL_NEW_ARRAY(b->arena, n * 2 + 1, &cases, b->err));
    for (int32_t i = 0; i < n; i++) {
        const fl_expr *value, *is_null;
        FL_TRY(fl_expr_cast(b->plan, args[i], type, false, ast->call->args[i].value->start, &value, b->err));
        if (i == n - 1) {
            cases[n_cases++] = value;
            break;
        }
        FL_TRY(fl_expr_is_null(b->plan, value, ast->start, &is_null, b->err));
        FL_TRY(fl_expr_not(b->plan, is_null, ast->start, &cases[n_cases++], b->err));
        cases[n_cases++] = value;
    }
    if (n_cases == 1)
        *ret = cases[0];
    else
        FL_TRY(fl_expr_case(b->plan, cases, n_cases, ast->start, ret, b->err));
cleanup:
    return st;
}

/* CASE WHEN a = b THEN NULL ELSE a END; an untyped literal is a value of b's type, as where it is compared with b. */
static fl_status make_nullif(binder *b, const fl_expr *const *args, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr *cases[3], *first = args[0];
    fl_value null = {.type = first->type, .is_null = true};
    if (first->flags & FL_EXPR_UNTYPED) {
        int32_t odd;
        FL_TRY(fl_expr_common_type(b->plan, args, 2, &null.type, &odd, b->err));
        if (odd >= 0 || null.type.id == FL_NULL)
            null.type = first->type.id == FL_NULL ? FL_TYPE(FL_UTF8) : first->type; /* comparing says what is wrong */
        FL_TRY(fl_expr_cast(b->plan, first, null.type, false, ast->call->args[0].value->start, &first, b->err));
    }
    FL_TRY(fl_sql_compare(b, FL_AST_OP_EQ, first, args[1], ast->start, &cases[0]));
    FL_TRY(fl_expr_const(b->plan, &null, ast->start, &cases[1], b->err));
    cases[2] = first;
    FL_TRY(fl_expr_case(b->plan, cases, 3, ast->start, ret, b->err));
cleanup:
    return st;
}

static const struct {
    const char *name;
    int32_t args_min, args_max;
    enum { FORM_COALESCE, FORM_NULLIF, FORM_IF } form;
    const char *doc;
} forms[] = {
    {"coalesce", 1, INT32_MAX, FORM_COALESCE, "coalesce(a, b, ...) is the first argument that is not null"},
    {"ifnull", 2, 2, FORM_COALESCE, "ifnull(a, b) is a, or b where a is null"},
    {"nullif", 2, 2, FORM_NULLIF, "nullif(a, b) is null where a = b, else a"},
    {"if", 3, 3, FORM_IF, "if(condition, a, b) is a where the condition is true, else b"},
};

bool fl_sql_is_form(fl_str name)
{
    for (int64_t i = 0; i < FL_LEN(forms); i++)
        if (fl_str_is_equal_nocase(name, fl_str_of(forms[i].name)))
            return true;
    return fl_str_is_equal_nocase(name, FL_STR("unnest")) || fl_str_is_equal_nocase(name, FL_STR("getvariable"));
}

static fl_status bind_form(binder *b, int64_t form, const fl_expr *const *args, int32_t n, const fl_ast_expr *ast,
                           const fl_expr **ret)
{
    if (n < forms[form].args_min || n > forms[form].args_max) {
        fl_sql_bind_fail(b, ast->start, FL_ERR_SYNTAX, "function %s does not take %d arguments", forms[form].name, n);
        fl_err_hint(b->err, "%s", forms[form].doc);
        return FL_ERR_FUNCTION;
    }
    switch (forms[form].form) {
    case FORM_COALESCE:
        return make_coalesce(b, args, n, ast, ret);
    case FORM_NULLIF:
        return make_nullif(b, args, ast, ret);
    case FORM_IF:
        return fl_expr_case(b->plan, args, 3, ast->start, ret, b->err);
    }
    return FL_OK;
}

/* ---- functions ---- */

/* Where a grammar's form has a name of its own but the registry knows it by another. */
static fl_str usual_name(const binder *b, fl_str name)
{
    static const struct {
        const char *from, *to;
    } pairs[] = {{"extract", "date_part"},
                 {"date_part", "extract"},
                 {"trim", "btrim"},
                 {"strpos", "position"},
                 {"substring", "substr"}};
    if (fl_registry_func(b->env->registry, name) != NULL)
        return name;
    for (int64_t i = 0; i < FL_LEN(pairs); i++)
        if (fl_str_is_equal_nocase(name, fl_str_of(pairs[i].from)) &&
            fl_registry_func(b->env->registry, fl_str_of(pairs[i].to)) != NULL)
            return fl_str_of(pairs[i].to);
    return name;
}

/* extract gives integers, but for the fields that have a fraction: these are date_part's, which gives doubles. */
static fl_str function_name(const binder *b, fl_str name, const fl_expr *const *args, int32_t n)
{
    static const char *const fractions[] = {"second", "seconds", "epoch", "julian"};
    if (n == 2 && fl_str_is_equal_nocase(name, FL_STR("extract")) && fl_expr_is_const(args[0]) &&
        args[0]->type.id == FL_UTF8)
        for (int64_t i = 0; i < FL_LEN(fractions); i++)
            if (fl_str_is_equal_nocase(args[0]->value->s, fl_str_of(fractions[i])))
                return usual_name(b, FL_STR("date_part"));
    return usual_name(b, name);
}

/* What only SQL has is a better guess where it is nearer than the functions that were looked through. */
static fl_status fail_function(binder *b, fl_str name, fl_status st)
{
    fl_nearest near, functions;
    bool is_known = fl_registry_func(fl_plan_registry(b->plan), name) != NULL ||
                    fl_registry_agg(fl_plan_registry(b->plan), name) != NULL;
    if (st != FL_ERR_FUNCTION || b->err == NULL || (is_known && b->err->hint[0] != 0))
        return st;
    fl_nearest_init(&functions, name);
    fl_expr_offer_functions(b->plan, &functions);
    fl_nearest_init(&near, name);
    for (int64_t i = 0; i < FL_LEN(forms); i++)
        fl_nearest_offer(&near, fl_str_of(forms[i].name));
    if (b->env->catalog != NULL && b->env->catalog->offer_macros != NULL)
        b->env->catalog->offer_macros(b->env->catalog, false, &near);
    for (int32_t i = 0; fl_window_name(i) != NULL; i++)
        fl_nearest_offer(&near, fl_str_of(fl_window_name(i)));
    if (functions.count == 0 || (near.count > 0 && near.distance[0] < functions.distance[0]))
        fl_nearest_hint(&near, b->err);
    return st;
}

static fl_status check_plain_call(binder *b, const fl_ast_expr *ast)
{
    const fl_ast_call *call = ast->call;
    fl_str name = call->path.parts[call->path.count - 1].text;
    if (call->is_star)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_FUNCTION, "function %.*s(*) does not exist", FL_STR_ARG(name));
    if (call->is_distinct || call->order_count > 0 || call->filter != NULL)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_FUNCTION,
                                "%.*s is no aggregate: DISTINCT, ORDER BY and FILTER are for aggregates",
                                FL_STR_ARG(name));
    if (call->over != NULL || call->nulls_start > 0)
        return fl_sql_bind_fail_state(b, ast->start, FL_ERR_FUNCTION, "42809",
                                      "%.*s is neither an aggregate nor a function of windows: it takes no OVER",
                                      FL_STR_ARG(name));
    return FL_OK;
}

/* ---- named arguments ---- */

static fl_status fail_param(binder *b, const fl_func_desc *func, const fl_ast_name *name)
{
    fl_nearest near;
    fl_status st = fl_sql_bind_fail(b, name->start, FL_ERR_FUNCTION, "function %s has no parameter \"%.*s\"",
                                    func->name, FL_STR_ARG(name->text));
    fl_nearest_init(&near, name->text);
    for (int32_t i = 0; i < func->n_params; i++)
        fl_nearest_offer(&near, fl_str_of(func->params[i].name));
    fl_nearest_hint(&near, b->err);
    if (near.count == 0)
        fl_err_hint(b->err, "%s", func->doc);
    return st;
}

/* Puts an argument that has a name to its place, behind the n_plain that have none. *n is how many places are in use. */
static fl_status place_named(binder *b, scope *s, const fl_func_desc *func, const fl_ast_arg *arg, int32_t n_plain,
                             const fl_expr **args, int32_t *n)
{
    fl_status st = FL_OK;
    int32_t place = 0;
    while (place < func->n_params && !fl_str_is_equal_nocase(arg->name.text, fl_str_of(func->params[place].name)))
        place++;
    if (place == func->n_params)
        return fail_param(b, func, &arg->name);
    if (args[place] != NULL)
        return fl_sql_bind_fail(b, arg->name.start, place < n_plain ? FL_ERR_FUNCTION : FL_ERR_SYNTAX,
                                "the argument \"%.*s\" is given twice", FL_STR_ARG(arg->name.text));
    FL_TRY(fl_sql_bind_expr(b, s, arg->value, &args[place]));
    if (place >= *n)
        *n = place + 1;
cleanup:
    return st;
}

/* f(1, c => 3): first those without names by their places, then the others by name; what is left out takes its default. */
static fl_status bind_named_args(binder *b, scope *s, const fl_func_desc *func, const fl_ast_expr *ast,
                                 const fl_expr ***ret, int32_t *ret_n)
{
    fl_status st = FL_OK;
    const fl_ast_call *call = ast->call;
    const fl_expr **args = NULL;
    int32_t n = 0, n_plain = 0;
    FL_TRY(FL_NEW_ARRAY(b->arena, func->n_params + call->arg_count, &args, b->err));
    for (int32_t i = 0; i < call->arg_count; i++) {
        const fl_ast_arg *arg = &call->args[i];
        if (arg->name.text.len > 0) {
            FL_TRY(place_named(b, s, func, arg, n_plain, args, &n));
        } else if (n_plain < i) {
            return fl_sql_bind_fail(b, arg->value->start, FL_ERR_SYNTAX, "arguments by place go before those by name");
        } else {
            FL_TRY(fl_sql_bind_expr(b, s, arg->value, &args[i]));
            n = n_plain = i + 1;
        }
    }
    for (int32_t i = 0; i < n && i < func->n_params; i++) {
        fl_value otherwise = {.type = FL_TYPE(FL_UTF8)};
        if (args[i] != NULL)
            continue;
        if (func->params[i].otherwise == NULL)
            return fl_sql_bind_fail(b, ast->start, FL_ERR_FUNCTION, "function %s needs a value for \"%s\"", func->name,
                                    func->params[i].name);
        otherwise.s = fl_str_of(func->params[i].otherwise);
        FL_TRY(fl_expr_untyped(b->plan, &otherwise, ast->start, &args[i], b->err));
    }
    *ret = args;
    *ret_n = n;
cleanup:
    return st;
}

/* The first argument with a name, or NULL. */
static const fl_ast_arg *first_named(const fl_ast_call *call)
{
    for (int32_t i = 0; i < call->arg_count; i++)
        if (call->args[i].name.text.len > 0)
            return &call->args[i];
    return NULL;
}

static fl_status bind_named_call(binder *b, scope *s, const fl_ast_expr *ast, fl_str name, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_func_desc *func = fl_registry_func(b->env->registry, name);
    const fl_expr **args = NULL;
    int32_t n = 0;
    if (func != NULL && func->n_params == 0) {
        const fl_ast_name *given = &first_named(ast->call)->name;
        return fl_sql_bind_fail(b, given->start, FL_ERR_FUNCTION,
                                "function %.*s takes its arguments by place, not by name", FL_STR_ARG(name));
    }
    if (func == NULL) /* no such function: told as for other calls */
        return fl_expr_call(b->plan, name, NULL, 0, ast->start, ret, b->err);
    FL_TRY(check_plain_call(b, ast));
    FL_TRY(bind_named_args(b, s, func, ast, &args, &n));
    FL_TRY(fl_expr_call(b->plan, name, args, n, ast->start, ret, b->err));
cleanup:
    return st;
}

/* struct_pack(a := x, b := y): the names are the fields'. */
static fl_status bind_struct_pack(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_ast_call *call = ast->call;
    FL_TRY(check_plain_call(b, ast));
    for (int32_t i = 0; i < call->arg_count; i++) {
        if (call->args[i].name.text.len > 0)
            continue;
        st = fl_sql_bind_fail(b, call->args[i].value->start, FL_ERR_SYNTAX, "struct_pack needs a name for each field");
        fl_err_hint(b->err, "write struct_pack(a := x, b := y)");
        return st;
    }
    FL_TRY(fl_sql_bind_struct(b, s, call->args, call->arg_count, ast->start, ret));
cleanup:
    return st;
}

/* struct_insert(s, b := y): a struct, and one of the named values. */
static bool is_struct_change(fl_str name, const fl_ast_call *call)
{
    return call->arg_count > 1 && call->args[0].name.text.len == 0 && first_named(call) == &call->args[1] &&
           (fl_str_is_equal_nocase(name, FL_STR("struct_insert")) ||
            fl_str_is_equal_nocase(name, FL_STR("struct_update")));
}

static fl_status bind_struct_change(binder *b, scope *s, const fl_ast_expr *ast, fl_str name, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_ast_call *call = ast->call;
    const fl_expr *args[2];
    FL_TRY(check_plain_call(b, ast));
    for (int32_t i = 1; i < call->arg_count; i++)
        if (call->args[i].name.text.len == 0)
            return fl_sql_bind_fail(b, call->args[i].value->start, FL_ERR_SYNTAX, "%.*s needs a name for each field",
                                    FL_STR_ARG(name));
    FL_TRY(fl_sql_bind_expr(b, s, call->args[0].value, &args[0]));
    FL_TRY(fl_sql_bind_struct(b, s, call->args + 1, call->arg_count - 1, ast->start, &args[1]));
    st = fl_expr_call(b->plan, name, args, 2, ast->start, ret, b->err);
cleanup:
    return st;
}

/* getvariable('x'): the value that the session's variable has now; null where it has none. */
static fl_status bind_variable(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    fl_value name, null = {.type = FL_TYPE(FL_NULL), .is_null = true};
    const fl_ast_call *call = ast->call;
    FL_TRY(check_plain_call(b, ast));
    if (call->arg_count != 1 || call->args[0].name.text.len > 0)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_FUNCTION, "getvariable takes the name of a variable");
    FL_TRY(fl_sql_bind_constant(b, s, call->args[0].value, "the name of a variable", &name));
    if (!name.is_null && name.type.id != FL_UTF8)
        return fl_sql_bind_fail(b, call->args[0].value->start, FL_ERR_TYPE, "the name of a variable is a text, not %s",
                                FL_TYPE_NAME(name.type));
    const fl_value *value = name.is_null || b->env->get_variable == NULL ? NULL : b->env->get_variable(b->env, name.s);
    if (value == NULL || (value->is_null && value->type.id == FL_NULL))
        st = fl_expr_untyped(b->plan, &null, ast->start, ret, b->err);
    else
        st = fl_expr_const(b->plan, value, ast->start, ret, b->err);
cleanup:
    return st;
}

/* ---- calls ---- */

/* now() and others are constants of the statement: scans prune by them, and nothing takes them for volatile. */
static fl_status fold_stable(binder *b, const fl_expr *call, const fl_expr **ret)
{
    fl_status st = FL_OK;
    fl_value value;
    if (call->kind != FL_EXPR_CALL || !(call->traits & FL_STABLE) || call->n_args > 0 || b->env->evaluator == NULL)
        return FL_OK;
    FL_TRY(b->env->evaluator->fold(b->env->evaluator, b->plan, call, b->arena, &value, b->err));
    st = fl_expr_const(b->plan, &value, call->pos, ret, b->err);
cleanup:
    return st;
}

/* The call with *COLUMNS(...) among its arguments spelled out. Their names count where arguments have names of their own. */
static fl_status spread_call(binder *b, scope *s, const fl_ast_expr *ast, const fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *made = NULL;
    fl_ast_arg *args = NULL;
    const fl_ast_arg *spread;
    int32_t n;
    fl_ast_path path = ast->call->path;
    bool has_names = fl_str_is_equal_nocase(path.parts[path.count - 1].text, FL_STR("struct_pack"));
    *ret = ast;
    FL_TRY(fl_sql_spread(b, s, ast->call->args, ast->call->arg_count, &spread, &n));
    if (spread == ast->call->args)
        return FL_OK;
    FL_TRY(FL_NEW(b->arena, &made, b->err));
    *made = *ast;
    FL_TRY(FL_NEW(b->arena, &made->call, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &args, b->err));
    memcpy(args, spread, (size_t)n * sizeof(*args));
    for (int32_t i = 0; i < n && !has_names; i++)
        if (args[i].value->kind == FL_AST_BOUND)
            args[i].name = (fl_ast_name){0};
    *made->call = *ast->call;
    made->call->args = args;
    made->call->arg_count = n;
    *ret = made;
cleanup:
    return st;
}

fl_status fl_sql_bind_call(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = spread_call(b, s, ast, &ast);
    const fl_ast_call *call = ast->call;
    fl_str name = call->path.parts[call->path.count - 1].text;
    const fl_expr **args = NULL;
    bool is_macro = false;
    if (st != FL_OK)
        return st;
    st = fl_sql_bind_macro_call(b, s, ast, &is_macro, ret);
    if (st != FL_OK || is_macro)
        return st;
    if (fl_str_is_equal_nocase(name, FL_STR("struct_pack")))
        return bind_struct_pack(b, s, ast, ret);
    if (is_struct_change(name, call))
        return bind_struct_change(b, s, ast, name, ret);
    if (fl_str_is_equal_nocase(name, FL_STR("unnest")))
        return fl_sql_bind_unnest(b, s, ast, ret);
    if (fl_str_is_equal_nocase(name, FL_STR("getvariable")))
        return bind_variable(b, s, ast, ret);
    if (fl_str_is_equal_nocase(name, FL_STR("grouping")) || fl_str_is_equal_nocase(name, FL_STR("grouping_id")))
        return fl_sql_bind_grouping(b, s, ast, ret);
    if (fl_str_is_equal_nocase(name, FL_STR("overlaps")) && call->arg_count == 4 && first_named(call) == NULL)
        return fl_sql_bind_overlaps(b, s, ast, ret);
    const fl_ast_arg *named = first_named(call);
    int64_t form = 0;
    while (form < FL_LEN(forms) && !fl_str_is_equal_nocase(name, fl_str_of(forms[form].name)))
        form++;
    bool is_aggregate = fl_registry_agg(b->env->registry, name) != NULL;
    const fl_agg_desc *over =
        fl_registry_func(b->env->registry, name) == NULL || call->over != NULL ? fl_window_find(name) : NULL;
    if (named != NULL && (is_aggregate || form < FL_LEN(forms)))
        return fl_sql_bind_fail(b, named->name.start, FL_ERR_FUNCTION,
                                "function %.*s takes its arguments by place, not by name", FL_STR_ARG(name));
    if (is_aggregate)
        return bind_aggregate(b, s, ast, name, ret);
    if (over != NULL && named == NULL)
        return fl_sql_bind_window(b, s, ast, over, ret);
    if (named != NULL) {
        st = bind_named_call(b, s, ast, name, ret);
        return st == FL_OK ? FL_OK : fail_function(b, name, st);
    }
    FL_TRY(FL_NEW_ARRAY(b->arena, call->arg_count + 1, &args, b->err));
    if (call->is_star || call->is_distinct || call->order_count > 0 || call->filter != NULL || call->over != NULL ||
        call->nulls_start > 0) {
        if (fl_registry_func(b->env->registry, name) != NULL)
            return check_plain_call(b, ast);
        st = fl_expr_call(b->plan, name, args, 0, ast->start, ret, b->err);
        return fail_function(b, name, st == FL_OK ? check_plain_call(b, ast) : st);
    }
    int32_t n_lists = s->n_lists;
    for (int32_t i = 0; i < call->arg_count; i++)
        FL_TRY(fl_sql_bind_expr(b, s, call->args[i].value, &args[i]));
    if (form < FL_LEN(forms) && forms[form].form != FORM_NULLIF)
        FL_TRY(fl_sql_refuse_unnest(b, s, n_lists, forms[form].name));
    if (form < FL_LEN(forms))
        return bind_form(b, form, args, call->arg_count, ast, ret);
    st = fl_expr_call(b->plan, function_name(b, name, args, call->arg_count), args, call->arg_count, ast->start, ret,
                      b->err);
    st = st == FL_OK ? fold_stable(b, *ret, ret) : fail_function(b, name, st);
    const fl_func_desc *func = st == FL_OK ? fl_registry_func(b->env->registry, name) : NULL;
    if (func != NULL && (func->traits & FL_ROWS) &&
        s->clause != CLAUSE_FROM) /* there its caller makes rows of the list */
        st = fl_sql_unnest_list(b, s, *ret, fl_str_of(func->name), ast->start, ret);
cleanup:
    return st;
}
