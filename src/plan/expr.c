/* Expressions: making (hash-consed), typing, rewriting. */
#include "plan/expr.h"

#include "base/hash.h"
#include "base/nearest.h"
#include "plan/literal.h"
#include "plan/local_time.h"
#include "plan/plan_internal.h"
#include "plan/registry.h"
#include "plan/signature.h"

#include <stdio.h>

#include <stdarg.h>
#include <stdlib.h>

#define EXPANSIONS_MAX 64
#define DEPTH_MAX 1000
#define CAST_HINT_BYTES 60

static bool is_same_expr(const void *ctx, const void *thing)
{
    const fl_expr *a = ctx, *b = thing;
    if (a->kind != b->kind || a->n_args != b->n_args || a->is_try != b->is_try || a->is_compared != b->is_compared ||
        a->param != b->param || !fl_type_is_equal(a->type, b->type) || ((a->flags ^ b->flags) & FL_EXPR_UNTYPED))
        return false;
    for (int32_t i = 0; i < a->n_args; i++)
        if (a->args[i] != b->args[i])
            return false;
    switch (a->kind) {
    case FL_EXPR_COLUMN:
        return a->col.n == b->col.n;
    case FL_EXPR_CONST:
        return fl_value_is_same(a->value, b->value);
    case FL_EXPR_CALL:
        return a->func == b->func && a->run == b->run;
    case FL_EXPR_SUBQUERY:
        if (a->subquery->kind != b->subquery->kind || a->subquery->query != b->subquery->query ||
            a->subquery->n_left != b->subquery->n_left ||
            (a->subquery->compare != b->subquery->compare && strcmp(a->subquery->compare, b->subquery->compare) != 0))
            return false;
        for (int32_t i = 0; i < a->subquery->n_left; i++)
            if (a->subquery->left[i] != b->subquery->left[i])
                return false;
        return true;
    default:
        return true;
    }
}

static uint64_t hash_expr(const fl_expr *e)
{
    if (e->kind == FL_EXPR_CONST)
        return fl_hash_combine((uint64_t)e->kind << 32, fl_value_hash(e->value));
    if (e->kind == FL_EXPR_COLUMN) /* which has one type */
        return fl_hash_combine((uint64_t)e->kind << 32, (uint64_t)e->col.n);
    uint64_t hash = fl_hash_combine((uint64_t)e->kind << 32 | (uint64_t)(uint32_t)e->param, fl_type_hash(e->type));
    for (int32_t i = 0; i < e->n_args; i++)
        hash = fl_hash_combine(hash, fl_expr_head_of(e->args[i])->hash);
    if (e->kind == FL_EXPR_CALL)
        hash = fl_hash_combine(hash, fl_hash_bytes(e->func->name, (int64_t)strlen(e->func->name)));
    else if (e->kind == FL_EXPR_SUBQUERY) {
        hash = fl_hash_combine(hash, fl_node_hash(e->subquery->query));
        for (int32_t i = 0; i < e->subquery->n_left; i++)
            hash = fl_hash_combine(hash, fl_expr_head_of(e->subquery->left[i])->hash);
    }
    return hash;
}

static fl_status add_parts_cols(fl_arena *arena, const fl_expr *e, fl_col_set *set, fl_err *err)
{
    fl_status st = FL_OK;
    if (e->kind == FL_EXPR_SUBQUERY) {
        FL_TRY(fl_col_set_add_all(arena, set, &e->subquery->query->outer, err));
        for (int32_t i = 0; i < e->subquery->n_left; i++)
            FL_TRY(fl_expr_add_cols(arena, e->subquery->left[i], set, err));
    }
    for (int32_t i = 0; i < e->n_args; i++)
        FL_TRY(fl_expr_add_cols(arena, e->args[i], set, err));
cleanup:
    return st;
}

fl_status fl_expr_add_cols(fl_arena *arena, const fl_expr *e, fl_col_set *set, fl_err *err)
{
    if (!(e->flags & FL_EXPR_HAS_COLUMN))
        return FL_OK;
    if (e->kind == FL_EXPR_COLUMN)
        return fl_col_set_add(arena, set, e->col, err);
    return e->size > FL_EXPR_SMALL ? fl_col_set_add_all(arena, set, &fl_expr_head_of(e)->cols, err)
                                   : add_parts_cols(arena, e, set, err);
}

/* Derives flags and depth, then finds or stores. `e` lies on the caller's stack; args are copied when stored. */
static fl_status intern(fl_plan *plan, fl_expr *e, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    FL_ASSERT(plan->making != NULL);
    e->depth = 1;
    if (plan->making->expansions > 0)
        e->pos = plan->making->expansion_pos;
    int64_t size = 1;
    for (int32_t i = 0; i < e->n_args; i++) {
        size += e->args[i]->size;
        e->flags |= e->args[i]->flags & (FL_EXPR_CAN_FAIL | FL_EXPR_VOLATILE | FL_EXPR_HAS_SUBQUERY |
                                         FL_EXPR_HAS_PARAM | FL_EXPR_HAS_COLUMN);
        if (e->args[i]->depth >= e->depth)
            e->depth = (uint16_t)(e->args[i]->depth + 1);
    }
    if (e->depth > DEPTH_MAX) {
        st = FL_FAIL(err, FL_ERR_LIMIT, "expressions nested deeper than %d levels are not supported", DEPTH_MAX);
        fl_err_state(err, "54001", st);
        fl_err_at(err, e->pos);
        return st;
    }
    for (int32_t i = 0; e->kind == FL_EXPR_SUBQUERY && i < e->subquery->n_left; i++)
        size += e->subquery->left[i]->size;
    e->size = size < INT32_MAX ? (int32_t)size : INT32_MAX;
    uint64_t hash = hash_expr(e);
    const fl_expr *known =
        (e->flags & FL_EXPR_VOLATILE) ? NULL : fl_intern_find(&plan->making->exprs, hash, is_same_expr, e);
    if (known != NULL) {
        *ret = known;
        return FL_OK;
    }
    fl_headed_expr *whole = NULL;
    const fl_expr **args = NULL;
    FL_TRY(fl_arena_get(fl_plan_arena(plan), (int64_t)sizeof(*whole), (void **)&whole, err));
    *whole = (fl_headed_expr){.head.hash = hash, .expr = *e};
    fl_expr *made = &whole->expr;
    if (e->n_args > 0) {
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), e->n_args, &args, err));
        memcpy(args, e->args, (size_t)e->n_args * sizeof(*args));
        made->args = args;
    }
    if (e->kind == FL_EXPR_CONST) {
        fl_value *value = NULL;
        FL_TRY(FL_NEW(fl_plan_arena(plan), &value, err));
        FL_TRY(fl_value_copy(fl_plan_arena(plan), e->value, value, err));
        made->value = value;
        made->type = value->type;
    }
    if (e->size > FL_EXPR_SMALL && (e->flags & FL_EXPR_HAS_COLUMN))
        FL_TRY(add_parts_cols(fl_plan_arena(plan), made, &whole->head.cols, err));
    if (!(e->flags & FL_EXPR_VOLATILE)) /* which is never found again */
        FL_TRY(fl_intern_add(plan, &plan->making->exprs, hash, made, err));
    *ret = made;
cleanup:
    return st;
}

fl_status fl_expr_column(fl_plan *plan, fl_col_id col, int32_t pos, const fl_expr **ret, fl_err *err)
{
    const fl_col_info *info = fl_plan_col(plan, col);
    fl_expr e = {.kind = FL_EXPR_COLUMN, .pos = pos, .type = info->type, .col = col, .flags = FL_EXPR_HAS_COLUMN};
    return intern(plan, &e, ret, err);
}

fl_status fl_expr_const(fl_plan *plan, const fl_value *value, int32_t pos, const fl_expr **ret, fl_err *err)
{
    fl_expr e = {.kind = FL_EXPR_CONST, .pos = pos, .type = value->type, .value = value};
    return intern(plan, &e, ret, err);
}

fl_status fl_expr_untyped(fl_plan *plan, const fl_value *value, int32_t pos, const fl_expr **ret, fl_err *err)
{
    fl_value v = *value;
    if (v.is_null)
        v.type = FL_TYPE(FL_NULL);
    fl_expr e = {.kind = FL_EXPR_CONST, .pos = pos, .type = v.type, .value = &v, .flags = FL_EXPR_UNTYPED};
    return intern(plan, &e, ret, err);
}

fl_status fl_expr_param(fl_plan *plan, int32_t number, fl_type type, int32_t pos, const fl_expr **ret, fl_err *err)
{
    fl_expr e = {.kind = FL_EXPR_PARAM, .pos = pos, .type = type, .param = number, .flags = FL_EXPR_HAS_PARAM};
    return intern(plan, &e, ret, err);
}

/* The type that an expression shows to its neighbours. */
static fl_type seen_type(const fl_expr *e)
{
    return e->flags & FL_EXPR_UNTYPED ? FL_TYPE(FL_NULL) : e->type;
}

/* The types that arguments show to function resolution. A list without a typed element is any list beside another one, and one
 * of texts beside a text. */
static fl_status seen_types(fl_plan *plan, const fl_expr *const *args, int32_t n, fl_type *types, fl_err *err)
{
    fl_status st = FL_OK;
    bool has_list = false, has_text = false;
    for (int32_t i = 0; i < n; i++) {
        types[i] = seen_type(args[i]);
        has_list |= types[i].id == FL_LIST;
        has_text |= args[i]->type.id == FL_UTF8;
    }
    for (int32_t i = 0; i < n && !has_list; i++) {
        if (args[i]->type.id != FL_LIST)
            continue;
        types[i] = args[i]->type;
        if (!has_text || args[i]->value->list.n > 0)
            continue;
        fl_type text = FL_TYPE(FL_UTF8);
        FL_TRY(types[i].extension == FL_MAP ? fl_type_map_of(fl_plan_arena(plan), text, text, &types[i], err)
                                            : fl_type_list_of(fl_plan_arena(plan), text, &types[i], err));
    }
cleanup:
    return st;
}

/* What exists of a function or aggregate (the other is NULL): "substr(text, bigint) → text; substr(x, from): …". */
static void hint_signatures(const fl_func_desc *func, const fl_agg_desc *agg, fl_err *err)
{
    const char *doc = func != NULL ? func->doc : agg->doc;
    fl_text text;
    fl_text_init(&text, NULL);
    if (func != NULL)
        fl_func_print_signatures(&text, func);
    else
        fl_agg_print_signatures(&text, agg);
    fl_err_hint(err, "%s%s%s", text.data == NULL ? "" : text.data, text.len > 0 && doc != NULL ? "; " : "",
                doc == NULL ? "" : doc);
    fl_text_drop(&text);
}

void fl_expr_offer_functions(const fl_plan *plan, struct fl_nearest *near)
{
    int32_t n = 0;
    const fl_func_desc *const *funcs = fl_registry_funcs(plan->registry, &n);
    for (int32_t i = 0; i < n; i++)
        fl_nearest_offer(near, fl_str_of(funcs[i]->name));
    const fl_agg_desc *const *aggs = fl_registry_aggs(plan->registry, &n);
    for (int32_t i = 0; i < n; i++)
        fl_nearest_offer(near, fl_str_of(aggs[i]->name));
}

/* The nearest names, and what the first of them takes. */
static void hint_near(const fl_plan *plan, fl_str name, fl_err *err)
{
    fl_nearest near;
    fl_text text;
    fl_nearest_init(&near, name);
    fl_expr_offer_functions(plan, &near);
    fl_nearest_hint(&near, err);
    if (near.count == 0 || err == NULL)
        return;
    fl_text_init(&text, NULL);
    const fl_func_desc *func = fl_registry_func(plan->registry, near.name[0]);
    if (func != NULL)
        fl_func_print_signatures(&text, func);
    else
        fl_agg_print_signatures(&text, fl_registry_agg(plan->registry, near.name[0]));
    if (text.len > 0)
        fl_err_hint_add(err, "%s", text.data);
    fl_text_drop(&text);
}

/* Of two arguments that do not meet: the text, or else the second one, as what the other is. */
static void hint_cast(const fl_plan *plan, const fl_expr *const *args, fl_err *err)
{
    fl_text text;
    int32_t which = args[0]->type.id == FL_UTF8 ? 0 : 1;
    fl_text_init(&text, NULL);
    fl_expr_print(&text, plan, args[which]);
    bool is_short = text.data != NULL && text.len <= CAST_HINT_BYTES;
    fl_err_hint(err, "cast one side: CAST(%s AS %s)", is_short ? text.data : "…", FL_TYPE_NAME(args[1 - which]->type));
    fl_text_drop(&text);
}

static fl_status fail_no_function(const fl_plan *plan, fl_str name, const fl_expr *const *args, int32_t n_args,
                                  int32_t pos, const fl_func_desc *func, const fl_agg_desc *agg, fl_err *err)
{
    fl_text text;
    fl_text_init(&text, NULL);
    bool is_operator = name.len > 0 && !((name.data[0] | 32) >= 'a' && (name.data[0] | 32) <= 'z');
    for (int32_t i = 0; i < n_args; i++) {
        if (i > 0)
            fl_text_add(&text, is_operator ? FL_STR(" and ") : FL_STR(", "));
        if ((args[i]->flags & FL_EXPR_UNTYPED) && args[i]->type.id != FL_LIST)
            fl_text_add(&text, args[i]->value->is_null ? FL_STR("null") : FL_STR("text"));
        else
            fl_type_print(&text, args[i]->type);
    }
    fl_str types = text.data == NULL ? FL_STR("") : fl_text_str(&text);
    fl_status st;
    if (is_operator)
        st = FL_FAIL(err, FL_ERR_FUNCTION, "operator %.*s does not take %.*s", FL_STR_ARG(name), FL_STR_ARG(types));
    else if (func != NULL || agg != NULL)
        st = FL_FAIL(err, FL_ERR_FUNCTION, "function %.*s does not take (%.*s)", FL_STR_ARG(name), FL_STR_ARG(types));
    else
        st = FL_FAIL(err, FL_ERR_FUNCTION, "function %.*s(%.*s) does not exist", FL_STR_ARG(name), FL_STR_ARG(types));
    if (func != NULL && is_operator && n_args == 2)
        hint_cast(plan, args, err);
    else if (is_operator && func != NULL)
        fl_err_hint(err, "%s", func->doc == NULL ? "" : func->doc);
    else if (is_operator)
        fl_err_hint(err, "fields of structs are read as (x).name, elements of lists as x[1]");
    else if (func != NULL || agg != NULL)
        hint_signatures(func, agg, err);
    else
        hint_near(plan, name, err);
    fl_err_at(err, pos);
    fl_text_drop(&text);
    return st;
}

static bool is_null_const(const fl_expr *e)
{
    return e->kind == FL_EXPR_CONST && e->value->is_null;
}

/* A call that a null constant decides: what the other arguments read is not computed and cannot raise, as in PostgreSQL.
 * Arguments without columns are kept, since they raise there, too (19 / 0 * NULL). */
static bool is_decided_by_null(const fl_func_choice *choice, const fl_expr *const *args, int32_t n_args)
{
    bool has_null = false;
    if (!(choice->traits & FL_NULL_GIVES_NULL) || !(choice->traits & FL_PURE))
        return false;
    for (int32_t i = 0; i < n_args; i++) {
        if (args[i]->kind != FL_EXPR_CONST && !(args[i]->flags & FL_EXPR_HAS_COLUMN))
            return false;
        has_null |= is_null_const(args[i]);
    }
    return has_null;
}

/* Whether `prepare` makes something of the constants among the arguments: a pattern that compiles, say. */
static bool is_prepared(const fl_plan *plan, const fl_func_desc *func, const fl_expr *const *args, int32_t n_args)
{
    const fl_value *values[FL_FUNC_ARGS_MAX] = {0};
    fl_arena arena;
    void *state = NULL;
    FL_ASSERT(func->prepare != NULL && n_args <= FL_FUNC_ARGS_MAX);
    for (int32_t i = 0; i < n_args; i++)
        if (args[i]->kind == FL_EXPR_CONST)
            values[i] = args[i]->value;
    fl_arena_init(&arena, plan->memory);
    fl_status st = func->prepare(func, &arena, values, n_args, &state, NULL);
    fl_arena_drop(&arena);
    return st == FL_OK && state != NULL;
}

static bool is_untyped_text(const fl_expr *e)
{
    return (e->flags & FL_EXPR_UNTYPED) && e->type.id == FL_UTF8;
}

/* Resolves a call whose untyped literals took their neighbours' types once more, with the types that they have there. */
static fl_status settle_literals(fl_plan *plan, const fl_func_desc *func, const fl_expr *const *args, fl_type *types,
                                 int32_t n_args, fl_func_choice *choice, fl_err *err)
{
    fl_status st = FL_OK;
    bool any = false;
    for (int32_t i = 0; i < n_args; i++) {
        fl_type wanted = choice->args[i < choice->n_args ? i : choice->n_args - 1], type;
        if (!is_untyped_text(args[i]))
            continue;
        st = fl_literal_type(fl_plan_arena(plan), args[i]->value->s, wanted, &type, err);
        if (st != FL_OK) {
            fl_err_at(err, args[i]->pos);
            return st;
        }
        if (fl_type_is_equal(type, wanted))
            continue;
        types[i] = type;
        any = true;
    }
    fl_func_choice settled = {0};
    if (any && fl_func_resolve(func, fl_plan_arena(plan), types, n_args, &settled, NULL) == FL_OK)
        *choice = settled;
    return st;
}

static fl_status note_expanded(fl_plan *plan, const fl_func_desc *func, fl_err *err)
{
    fl_plan_making *making = plan->making;
    for (int32_t i = 0; i < making->n_expanded; i++)
        if (making->expanded[i] == func)
            return FL_OK;
    fl_status st = fl_grow(plan->memory, (void **)&making->expanded, &making->expanded_capacity, making->n_expanded + 1,
                           (int64_t)sizeof(*making->expanded), err);
    if (st == FL_OK)
        making->expanded[making->n_expanded++] = func;
    return st;
}

/* A function that is an expression becomes it, and so may others that are called in it. */
static fl_status expand(fl_plan *plan, const fl_func_desc *func, const fl_expr *const *args, int32_t n_args,
                        int32_t pos, const fl_expr **ret, fl_err *err)
{
    fl_plan_making *making = plan->making;
    if (making->expansions >= EXPANSIONS_MAX) {
        fl_status st = FL_FAIL(err, FL_ERR_LIMIT, "function %s: functions call each other deeper than %d levels",
                               func->name, EXPANSIONS_MAX);
        fl_err_state(err, "54001", st);
        fl_err_at(err, pos);
        return st;
    }
    fl_status st = note_expanded(plan, func, err);
    if (st != FL_OK)
        return st;
    if (making->expansions++ == 0)
        making->expansion_pos = pos;
    st = func->expand(func, plan, args, n_args, pos, ret, err);
    making->expansions--;
    if (st != FL_OK && making->expansions == 0 && err != NULL) { /* the text at hand is the caller's */
        fl_err_prefix(err, "in function %s: ", func->name);
        err->position = 0;
        fl_err_at(err, pos);
    }
    return st;
}

/* The function of that name; where an argument's type is one over another, and it has a function of its own by that name, this one. */
static const fl_func_desc *find_function(const fl_plan *plan, fl_str name, const fl_expr *const *args, int32_t n_args)
{
    for (int32_t i = 0; i < n_args; i++) {
        char own[96];
        const char *type = fl_extension_name((fl_extension)args[i]->type.extension);
        if (type[0] == 0 || name.len > 64)
            continue;
        int len = snprintf(own, sizeof(own), "%s %.*s", type, FL_STR_ARG(name));
        const fl_func_desc *func = fl_registry_func(plan->registry, (fl_str){own, len});
        if (func != NULL)
            return func;
    }
    return fl_registry_func(plan->registry, name);
}

fl_status fl_expr_call(fl_plan *plan, fl_str name, const fl_expr *const *args, int32_t n_args, int32_t pos,
                       const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_func_desc *func = find_function(plan, name, args, n_args);
    const fl_expr *local[FL_FUNC_ARGS_MAX], **cast = local;
    fl_type local_types[FL_FUNC_ARGS_MAX], *types = local_types;
    if (func == NULL)
        return fail_no_function(plan, name, args, n_args, pos, NULL, NULL, err);
    if (n_args > FL_FUNC_ARGS_MAX) {
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n_args, &cast, err));
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n_args, &types, err));
    }
    FL_TRY(seen_types(plan, args, n_args, types, err));
    fl_func_choice choice = {0};
    fl_err why = {0};
    st = fl_func_resolve(func, fl_plan_arena(plan), types, n_args, &choice, &why);
    if (st == FL_ERR_FUNCTION)
        return fail_no_function(plan, name, args, n_args, pos, func, NULL, err);
    if (st != FL_OK) {
        if (err != NULL)
            *err = why;
        fl_err_at(err, pos);
        return st;
    }
    if (choice.func != NULL)
        func = choice.func;
    if (fl_call_is_local(plan, func, args, n_args))
        return fl_expr_call_local(plan, func, args, n_args, choice.ret, pos, ret, err);
    FL_TRY(settle_literals(plan, func, args, types, n_args, &choice, err));
    for (int32_t i = 0; i < n_args; i++) {
        fl_type wanted = choice.args[i < choice.n_args ? i : choice.n_args - 1];
        if (wanted.id == FL_NULL)
            wanted = FL_TYPE(FL_UTF8);
        if (choice.traits & FL_COMPARES)
            FL_TRY(fl_expr_cast_compared(plan, args[i], wanted, &cast[i], err));
        else
            FL_TRY(fl_expr_cast(plan, args[i], wanted, false, args[i]->pos, &cast[i], err));
    }
    if (func->expand != NULL)
        return expand(plan, func, cast, n_args, pos, ret, err);
    if (is_decided_by_null(&choice, cast, n_args)) {
        fl_value null = {.type = choice.ret, .is_null = true};
        return fl_expr_const(plan, &null, pos, ret, err);
    }
    if ((choice.traits & FL_PREPARED) && !is_prepared(plan, func, cast, n_args))
        choice.traits |= FL_CAN_FAIL;
    fl_expr e = {.kind = FL_EXPR_CALL,
                 .pos = pos,
                 .n_args = n_args,
                 .type = choice.ret,
                 .args = cast,
                 .func = func,
                 .run = choice.run,
                 .traits = choice.traits};
    if (choice.traits & FL_CAN_FAIL)
        e.flags |= FL_EXPR_CAN_FAIL;
    if (!(choice.traits & FL_PURE))
        e.flags |= FL_EXPR_VOLATILE;
    plan->wants_many_rows |= (choice.traits & FL_MANY_ROWS) != 0;
    st = intern(plan, &e, ret, err);
cleanup:
    return st;
}

fl_status fl_expr_call_args(fl_plan *plan, const char *name, int32_t pos, const fl_expr **ret, fl_err *err, int n_args,
                            ...)
{
    const fl_expr *args[FL_FUNC_ARGS_MAX];
    va_list list;
    va_start(list, n_args);
    for (int i = 0; i < n_args; i++)
        args[i] = va_arg(list, const fl_expr *);
    va_end(list);
    return fl_expr_call(plan, fl_str_of(name), args, n_args, pos, ret, err);
}

/* A list of nothing but nulls and lists of such, or an empty map, as one of another type, which its casts have no say in. False: it has items that
 * the type has no place for. */
static bool retype_list(fl_plan *plan, const fl_value *list, fl_type type, fl_value *ret)
{
    fl_value *items = NULL;
    *ret = (fl_value){.type = type, .is_null = list->is_null};
    if (list->is_null)
        return true;
    if (list->type.id != FL_LIST || type.id != FL_LIST ||
        (type.extension == FL_MAP && list->type.extension != FL_MAP) ||
        FL_NEW_ARRAY(fl_plan_arena(plan), list->list.n + 1, &items, NULL) != FL_OK)
        return false;
    for (int64_t i = 0; i < list->list.n; i++)
        if (!retype_list(plan, &list->list.items[i], type.fields[0].type, &items[i]))
            return false;
    ret->list.items = items;
    ret->list.n = list->list.n;
    return true;
}

fl_status fl_expr_cast(fl_plan *plan, const fl_expr *expr, fl_type type, bool is_try, int32_t pos, const fl_expr **ret,
                       fl_err *err)
{
    bool untyped = expr->flags & FL_EXPR_UNTYPED;
    if (fl_type_is_equal(expr->type, type) && !untyped) {
        *ret = expr;
        return FL_OK;
    }
    if (type.id == FL_NULL) {
        *ret = expr;
        return FL_OK;
    }
    if (fl_cast_is_local(plan, expr->type, type))
        return fl_expr_cast_local(plan, expr, type, is_try, pos, ret, err);
    fl_value retyped;
    if (untyped && expr->type.id == FL_LIST && retype_list(plan, expr->value, type, &retyped))
        return fl_expr_const(plan, &retyped, expr->pos, ret, err);
    if (!fl_cast_exists(expr->type, type)) {
        fl_status st = FL_FAIL(err, FL_ERR_TYPE, "cannot cast %s to %s", FL_TYPE_NAME(expr->type), FL_TYPE_NAME(type));
        fl_err_state(err, "42846", st);
        fl_err_at(err, pos >= 0 ? pos : expr->pos);
        return st;
    }
    if (expr->kind == FL_EXPR_CONST) { /* at once, unless it fails: then when (and if) it is evaluated */
        fl_value value;
        fl_status st = fl_value_cast(expr->value, type, &value, untyped && !is_try ? err : NULL);
        if (st == FL_OK)
            return fl_expr_const(plan, &value, expr->pos, ret, err);
        if (untyped && !is_try && st != FL_ERR_UNSUPPORTED) {
            fl_err_at(err, expr->pos);
            return st;
        }
        if (is_try && (st == FL_ERR_VALUE || st == FL_ERR_RANGE)) {
            value = (fl_value){.type = type, .is_null = true};
            return fl_expr_const(plan, &value, expr->pos, ret, err);
        }
    }
    if (expr->kind == FL_EXPR_PARAM && expr->type.id == FL_NULL) /* a parameter takes the type that it is used as */
        return fl_expr_param(plan, expr->param, type, expr->pos, ret, err);
    fl_expr e = {.kind = FL_EXPR_CAST,
                 .pos = pos >= 0 ? pos : expr->pos,
                 .n_args = 1,
                 .type = type,
                 .args = &expr,
                 .is_try = is_try};
    if (fl_cast_can_fail(expr->type, type) && !is_try)
        e.flags |= FL_EXPR_CAN_FAIL;
    return intern(plan, &e, ret, err);
}

fl_status fl_expr_cast_compared(fl_plan *plan, const fl_expr *expr, fl_type type, const fl_expr **ret, fl_err *err)
{
    if (expr->type.id != FL_DATE || !fl_type_is_timestamp(type) || type.unit == FL_NANO ||
        fl_cast_is_local(plan, expr->type, type) ||
        (expr->kind == FL_EXPR_CONST && fl_expr_cast(plan, expr, type, false, expr->pos, ret, NULL) == FL_OK &&
         (*ret)->kind == FL_EXPR_CONST))
        return fl_expr_cast(plan, expr, type, false, expr->pos, ret, err);
    fl_expr e = {.kind = FL_EXPR_CAST, .pos = expr->pos, .n_args = 1, .type = type, .args = &expr, .is_compared = true};
    return intern(plan, &e, ret, err);
}

fl_status fl_expr_cast_beside(fl_plan *plan, const fl_expr *expr, fl_type type, const fl_expr **ret, fl_err *err)
{
    if (is_untyped_text(expr)) {
        fl_status st = fl_literal_type(fl_plan_arena(plan), expr->value->s, type, &type, err);
        if (st != FL_OK) {
            fl_err_at(err, expr->pos);
            return st;
        }
    }
    return fl_expr_cast(plan, expr, type, false, expr->pos, ret, err);
}

fl_status fl_expr_common_type(fl_plan *plan, const fl_expr *const *args, int32_t n, fl_type *ret, int32_t *ret_odd,
                              fl_err *err)
{
    fl_type type = FL_TYPE(FL_NULL), common, whole;
    *ret_odd = -1;
    for (int32_t i = 0; i < n; i++) {
        if (args[i] == NULL)
            continue;
        if (!fl_type_common_in(fl_plan_arena(plan), type, seen_type(args[i]), &common)) {
            *ret = type;
            *ret_odd = i;
            return FL_OK;
        }
        type = common;
    }
    for (int32_t i = 0; i < n && type.id == FL_NULL; i++)
        if (args[i] != NULL && args[i]->type.id == FL_LIST)
            type = args[i]->type;
    whole = type;
    for (int32_t i = 0; i < n; i++) {
        if (args[i] == NULL || !is_untyped_text(args[i]))
            continue;
        fl_status st = fl_literal_type(fl_plan_arena(plan), args[i]->value->s, type, &common, err);
        if (st != FL_OK) {
            fl_err_at(err, args[i]->pos);
            return st;
        }
        if (fl_type_common_in(fl_plan_arena(plan), whole, common, &common))
            whole = common;
    }
    *ret = whole;
    return FL_OK;
}

fl_status fl_expr_coerce(fl_plan *plan, const fl_expr *expr, fl_type type, const fl_expr **ret, fl_err *err)
{
    if ((expr->flags & FL_EXPR_UNTYPED) || expr->type.id == FL_NULL || fl_cast_is_implicit(expr->type, type, NULL))
        return fl_expr_cast(plan, expr, type, false, expr->pos, ret, err);
    fl_status st = FL_FAIL(err, FL_ERR_TYPE, "expected a value of type %s, found %s", FL_TYPE_NAME(type),
                           FL_TYPE_NAME(expr->type));
    if (fl_cast_exists(expr->type, type))
        fl_err_hint(err, "write CAST(… AS %s)", FL_TYPE_NAME(type));
    fl_err_at(err, expr->pos);
    return st;
}

/* AND or OR of arguments, flattened. */
static fl_status junction(fl_plan *plan, uint8_t kind, const fl_expr *const *args, int32_t n_args, int32_t pos,
                          const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n = 0;
    for (int32_t i = 0; i < n_args; i++)
        n += args[i]->kind == kind ? args[i]->n_args : 1;
    const fl_expr **flat = NULL;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n, &flat, err));
    n = 0;
    for (int32_t i = 0; i < n_args; i++) {
        const fl_expr *arg = NULL;
        st = fl_expr_coerce(plan, args[i], FL_TYPE(FL_BOOL), &arg, NULL);
        if (st != FL_OK) {
            st = FL_FAIL(err, FL_ERR_TYPE, "argument of %s must be boolean, not %s", kind == FL_EXPR_AND ? "AND" : "OR",
                         FL_TYPE_NAME(args[i]->type));
            fl_err_at(err, args[i]->pos);
            goto cleanup;
        }
        if (arg->kind == kind)
            for (int32_t j = 0; j < arg->n_args; j++)
                flat[n++] = arg->args[j];
        else
            flat[n++] = arg;
    }
    if (n == 1) {
        *ret = flat[0];
        return FL_OK;
    }
    fl_expr e = {.kind = kind, .pos = pos, .n_args = n, .type = FL_TYPE(FL_BOOL), .args = flat};
    st = intern(plan, &e, ret, err);
cleanup:
    return st;
}

fl_status fl_expr_and(fl_plan *plan, const fl_expr *const *args, int32_t n_args, int32_t pos, const fl_expr **ret,
                      fl_err *err)
{
    return junction(plan, FL_EXPR_AND, args, n_args, pos, ret, err);
}

fl_status fl_expr_or(fl_plan *plan, const fl_expr *const *args, int32_t n_args, int32_t pos, const fl_expr **ret,
                     fl_err *err)
{
    return junction(plan, FL_EXPR_OR, args, n_args, pos, ret, err);
}

fl_status fl_expr_not(fl_plan *plan, const fl_expr *arg, int32_t pos, const fl_expr **ret, fl_err *err)
{
    const fl_expr *bool_arg = NULL;
    fl_status st = fl_expr_coerce(plan, arg, FL_TYPE(FL_BOOL), &bool_arg, NULL);
    if (st != FL_OK) {
        st = FL_FAIL(err, FL_ERR_TYPE, "argument of NOT must be boolean, not %s", FL_TYPE_NAME(arg->type));
        fl_err_at(err, arg->pos);
        return st;
    }
    fl_expr e = {.kind = FL_EXPR_NOT, .pos = pos, .n_args = 1, .type = FL_TYPE(FL_BOOL), .args = &bool_arg};
    return intern(plan, &e, ret, err);
}

fl_status fl_expr_is_null(fl_plan *plan, const fl_expr *arg, int32_t pos, const fl_expr **ret, fl_err *err)
{
    fl_expr e = {.kind = FL_EXPR_IS_NULL, .pos = pos, .n_args = 1, .type = FL_TYPE(FL_BOOL), .args = &arg};
    return intern(plan, &e, ret, err);
}

fl_status fl_expr_case(fl_plan *plan, const fl_expr *const *args, int32_t n_args, int32_t pos, const fl_expr **ret,
                       fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **cast = NULL;
    fl_type type;
    int32_t odd;
    FL_ASSERT(n_args % 2 == 1);
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n_args, &cast, err));
    for (int32_t i = 1; i <= n_args; i += 2) /* when, then, when, then, else: the values */
        cast[i < n_args ? i : n_args - 1] = args[i < n_args ? i : n_args - 1];
    FL_TRY(fl_expr_common_type(plan, cast, n_args, &type, &odd, err));
    if (odd >= 0) {
        st = FL_FAIL(err, FL_ERR_TYPE, "the branches of CASE have types %s and %s, which have no common type",
                     FL_TYPE_NAME(type), FL_TYPE_NAME(args[odd]->type));
        fl_err_at(err, args[odd]->pos);
        goto cleanup;
    }
    if (type.id == FL_NULL)
        type = FL_TYPE(FL_UTF8);
    fl_expr e = {.kind = FL_EXPR_CASE, .pos = pos, .n_args = n_args, .type = type};
    for (int32_t i = 0; i < n_args; i++) {
        if (i % 2 == 0 && i != n_args - 1) {
            st = fl_expr_coerce(plan, args[i], FL_TYPE(FL_BOOL), &cast[i], NULL);
            if (st != FL_OK) {
                st = FL_FAIL(err, FL_ERR_TYPE, "argument of CASE/WHEN must be boolean, not %s",
                             FL_TYPE_NAME(args[i]->type));
                fl_err_at(err, args[i]->pos);
                goto cleanup;
            }
            continue;
        }
        if (args[i] == NULL) {
            fl_value null = {.type = type, .is_null = true};
            FL_TRY(fl_expr_const(plan, &null, pos, &cast[i], err));
        } else {
            FL_TRY(fl_expr_cast(plan, args[i], type, false, args[i]->pos, &cast[i], err));
        }
    }
    e.args = cast;
    st = intern(plan, &e, ret, err);
cleanup:
    return st;
}

static int compare_consts(const void *a, const void *b)
{
    return fl_value_compare((*(const fl_expr *const *)a)->value, (*(const fl_expr *const *)b)->value);
}

/* A constant as one of `type` where it is equal to one; else, and where it is none, the expression itself. */
static fl_status cast_exactly(fl_plan *plan, const fl_expr *e, fl_type type, const fl_expr **ret, fl_err *err)
{
    fl_value value;
    *ret = e;
    if (e->kind != FL_EXPR_CONST || fl_value_cast(e->value, type, &value, NULL) != FL_OK)
        return FL_OK;
    bool is_exact = value.is_null || !fl_type_is_scaled_apart(e->type, type) ||
                    fl_value_compare_scaled(fl_value_scaled(&value), type, fl_value_scaled(e->value), e->type) == 0;
    return is_exact ? fl_expr_const(plan, &value, e->pos, ret, err) : FL_OK;
}

fl_status fl_expr_in(fl_plan *plan, const fl_expr *arg, const fl_expr *const *list, int32_t n, int32_t pos,
                     const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **consts = NULL, **others = NULL;
    int32_t n_consts = 1, n_others = 0;
    bool has_null = false;
    fl_type type;
    int32_t odd;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n + 1, &consts, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n + 2, &others, err));
    consts[0] = arg;
    if (n > 0)
        memcpy(consts + 1, list, (size_t)n * sizeof(*consts));
    FL_TRY(fl_expr_common_type(plan, consts, n + 1, &type, &odd, err));
    if (odd >= 0) {
        st = FL_FAIL(err, FL_ERR_FUNCTION, "operator = does not take %s and %s", FL_TYPE_NAME(type),
                     FL_TYPE_NAME(list[odd - 1]->type));
        fl_err_at(err, list[odd - 1]->pos);
        goto cleanup;
    }
    if (type.id == FL_NULL)
        type = FL_TYPE(FL_UTF8);
    if (arg->type.id == FL_F32 &&
        type.id == FL_F64) { /* constants meet a real column as reals, as in PostgreSQL's lists */
        bool all_const = true;
        for (int32_t i = 0; i < n; i++)
            all_const &= list[i]->kind == FL_EXPR_CONST;
        if (all_const)
            type = arg->type;
    }
    if (is_untyped_text(arg))
        FL_TRY(fl_expr_cast_beside(plan, arg, type, &arg, err));
    bool is_apart = false;
    for (int32_t i = 0; i < n; i++) {
        consts[i + 1] = list[i];
        if (is_untyped_text(list[i]))
            FL_TRY(fl_expr_cast_beside(plan, list[i], type, &consts[i + 1], err));
        is_apart |= fl_type_is_scaled_apart(arg->type, consts[i + 1]->type);
    }
    list = consts + 1; /* read in front of where it is written */
    if (is_apart)
        type = arg->type;
    FL_TRY(fl_expr_cast_compared(plan, arg, type, &arg, err));
    for (int32_t i = 0; i < n; i++) {
        const fl_expr *item = list[i];
        if (is_apart)
            FL_TRY(cast_exactly(plan, item, type, &item, err));
        else
            FL_TRY(fl_expr_cast_compared(plan, item, type, &item, err));
        if (item->kind == FL_EXPR_CONST && (item->value->is_null || is_null_const(arg)))
            has_null = true;
        else if (item->kind == FL_EXPR_CONST && fl_type_is_equal(item->type, type) && !fl_type_is_nested(type) &&
                 type.id != FL_INTERVAL) /* a month may be 30 days */
            consts[n_consts++] = item;
        else
            FL_TRY(fl_expr_call_args(plan, "=", pos, &others[n_others++], err, 2, arg, item));
    }
    if (n_consts > 1) {
        int32_t kept = 2;
        qsort(consts + 1, (size_t)n_consts - 1, sizeof(*consts), compare_consts);
        for (int32_t i = 2; i < n_consts; i++)
            if (compare_consts(&consts[i], &consts[kept - 1]) != 0)
                consts[kept++] = consts[i];
        consts[0] = arg;
        fl_expr e = {.kind = FL_EXPR_IN, .pos = pos, .n_args = kept, .type = FL_TYPE(FL_BOOL), .args = consts};
        if (kept == 2)
            FL_TRY(fl_expr_call_args(plan, "=", pos, &others[n_others++], err, 2, arg, consts[1]));
        else
            FL_TRY(intern(plan, &e, &others[n_others++], err));
    }
    if (has_null) {
        fl_value null = {.type = FL_TYPE(FL_BOOL), .is_null = true};
        FL_TRY(fl_expr_const(plan, &null, pos, &others[n_others++], err));
    }
    if (n_others == 0) {
        fl_value no = {.type = FL_TYPE(FL_BOOL)};
        return fl_expr_const(plan, &no, pos, ret, err);
    }
    st = fl_expr_or(plan, others, n_others, pos, ret, err);
cleanup:
    return st;
}

fl_status fl_expr_compare_rows(fl_plan *plan, const char *op, const fl_expr *const *left, const fl_expr *const *right,
                               int32_t n, int32_t pos, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **parts = NULL, *whole = NULL;
    const char strict[] = {op[0], 0};
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n, &parts, err));
    if (strcmp(op, "=") == 0 || strcmp(op, "<>") == 0) {
        for (int32_t i = 0; i < n; i++)
            FL_TRY(fl_expr_call_args(plan, op, pos, &parts[i], err, 2, left[i], right[i]));
        return (op[0] == '=' ? fl_expr_and : fl_expr_or)(plan, parts, n, pos, ret, err);
    }
    for (int32_t i = n - 1; i >= 0; i--) { /* this pair decides, or it is equal and the rest decides */
        const fl_expr *here, *rest[2];
        FL_TRY(fl_expr_call_args(plan, i == n - 1 ? op : strict, pos, &here, err, 2, left[i], right[i]));
        if (whole != NULL) {
            FL_TRY(fl_expr_call_args(plan, "=", pos, &rest[0], err, 2, left[i], right[i]));
            rest[1] = whole;
            FL_TRY(fl_expr_and(plan, rest, 2, pos, &rest[1], err));
            rest[0] = here;
            FL_TRY(fl_expr_or(plan, rest, 2, pos, &here, err));
        }
        whole = here;
    }
    *ret = whole;
cleanup:
    return st;
}

fl_status fl_expr_subquery(fl_plan *plan, const fl_subquery *subquery, int32_t pos, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_subquery *copy = NULL;
    const fl_expr **left = NULL;
    FL_TRY(FL_NEW(fl_plan_arena(plan), &copy, err));
    *copy = *subquery;
    if (copy->compare == NULL)
        copy->compare = "=";
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), subquery->n_left + 1, &left, err));
    fl_expr e = {.kind = FL_EXPR_SUBQUERY,
                 .pos = pos,
                 .type = FL_TYPE(FL_BOOL),
                 .subquery = copy,
                 .flags = FL_EXPR_HAS_SUBQUERY | FL_EXPR_HAS_COLUMN};
    for (int32_t i = 0; i < subquery->n_left; i++) {
        left[i] = subquery->left[i];
        e.flags |= left[i]->flags & (FL_EXPR_CAN_FAIL | FL_EXPR_VOLATILE | FL_EXPR_HAS_PARAM);
    }
    copy->left = left;
    if (subquery->kind == FL_SUBQUERY_SCALAR) {
        fl_plan_place_subquery(plan, subquery->query->cols[0], pos);
        e.type = fl_plan_col(plan, subquery->query->cols[0])->type;
    }
    if (subquery->kind == FL_SUBQUERY_SCALAR || subquery->query->can_fail)
        e.flags |= FL_EXPR_CAN_FAIL;
    st = intern(plan, &e, ret, err);
cleanup:
    return st;
}

fl_status fl_expr_struct(fl_plan *plan, const fl_str *names, const fl_expr *const *args, int32_t n_args, int32_t pos,
                         const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_field *fields = NULL;
    const fl_expr **typed = NULL;
    fl_value *values = NULL;
    bool is_constant = true;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n_args + 1, &fields, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n_args + 1, &typed, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n_args + 1, &values, err));
    for (int32_t i = 0; i < n_args; i++) {
        fl_type type = args[i]->type.id == FL_NULL ? FL_TYPE(FL_UTF8) : args[i]->type;
        FL_TRY(fl_expr_cast(plan, args[i], type, false, args[i]->pos, &typed[i], err));
        fields[i] = (fl_field){.type = type, .nullable = true};
        if (names != NULL)
            FL_TRY(fl_arena_copy_str(fl_plan_arena(plan), names[i], &fields[i].name, err));
        else
            FL_TRY(fl_arena_format(fl_plan_arena(plan), &fields[i].name, err, "f%d", i + 1));
        is_constant &= fl_expr_is_const(typed[i]);
        if (is_constant)
            values[i] = *typed[i]->value;
    }
    FL_TRY(fl_type_check_size(fields, n_args, err));
    fl_type type = {.id = FL_STRUCT, .n_fields = n_args, .fields = fields};
    if (is_constant) {
        fl_value value = {.type = type, .list = {values, n_args}};
        return fl_expr_const(plan, &value, pos, ret, err);
    }
    fl_expr e = {.kind = FL_EXPR_STRUCT, .pos = pos, .n_args = n_args, .type = type, .args = typed};
    st = intern(plan, &e, ret, err);
cleanup:
    return st;
}

/* The same fields of other values. */
static fl_status struct_with_args(fl_plan *plan, const fl_expr *expr, const fl_expr *const *args, const fl_expr **ret,
                                  fl_err *err)
{
    fl_status st = FL_OK;
    fl_str *names = NULL;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), expr->n_args + 1, &names, err));
    for (int32_t i = 0; i < expr->n_args; i++)
        names[i] = expr->type.fields[i].name;
    st = fl_expr_struct(plan, names, args, expr->n_args, expr->pos, ret, err);
cleanup:
    return st;
}

/* By an index that is kept for each struct type, since many fields of one may be read. */
static fl_status find_field(fl_plan *plan, fl_type type, fl_str name, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t at = fl_index_map_find(&plan->making->struct_places, fl_index_map_key(type.fields));
    if (at < 0) {
        at = plan->making->n_structs;
        FL_TRY(fl_grow(plan->memory, (void **)&plan->making->structs, &plan->making->structs_capacity, at + 1,
                       (int64_t)sizeof(*plan->making->structs), err));
        FL_TRY(fl_field_index_init(&plan->making->structs[at], fl_plan_arena(plan), type, err));
        FL_TRY(fl_index_map_add(&plan->making->struct_places, fl_index_map_key(type.fields), at, err));
        plan->making->n_structs++;
    }
    *ret = fl_field_index_find(&plan->making->structs[at], name);
cleanup:
    return st;
}

fl_status fl_expr_field(fl_plan *plan, const fl_expr *arg, fl_str name, int32_t pos, const fl_expr **ret, fl_err *err)
{
    int32_t at = -1;
    if (arg->type.id != FL_STRUCT) {
        fl_status st = FL_FAIL(err, FL_ERR_TYPE, "%s has no fields: .%.*s needs a struct", FL_TYPE_NAME(arg->type),
                               FL_STR_ARG(name));
        fl_err_at(err, pos);
        return st;
    }
    fl_status st = find_field(plan, arg->type, name, &at, err);
    if (st != FL_OK)
        return st;
    if (at >= 0 && arg->kind == FL_EXPR_STRUCT) {
        *ret = arg->args[at];
        return FL_OK;
    }
    if (at >= 0) {
        fl_expr e = {.kind = FL_EXPR_FIELD,
                     .pos = pos,
                     .n_args = 1,
                     .type = arg->type.fields[at].type,
                     .args = &arg,
                     .param = at};
        return intern(plan, &e, ret, err);
    }
    st = FL_FAIL(err, FL_ERR_COLUMN, "the struct has no field \"%.*s\"", FL_STR_ARG(name));
    fl_nearest near;
    fl_nearest_init(&near, name);
    for (int32_t i = 0; i < arg->type.n_fields; i++)
        fl_nearest_offer(&near, arg->type.fields[i].name);
    fl_nearest_hint(&near, err);
    fl_err_at(err, pos);
    return st;
}

fl_status fl_expr_with_args(fl_plan *plan, const fl_expr *expr, const fl_expr *const *args, const fl_expr **ret,
                            fl_err *err)
{
    bool same = true;
    for (int32_t i = 0; i < expr->n_args; i++)
        same &= args[i] == expr->args[i];
    if (same) {
        *ret = expr;
        return FL_OK;
    }
    switch (expr->kind) {
    case FL_EXPR_CALL:
        return fl_expr_call(plan, fl_str_of(expr->func->name), args, expr->n_args, expr->pos, ret, err);
    case FL_EXPR_CAST:
        if (expr->is_compared)
            return fl_expr_cast_compared(plan, args[0], expr->type, ret, err);
        return fl_expr_cast(plan, args[0], expr->type, expr->is_try, expr->pos, ret, err);
    case FL_EXPR_AND:
        return fl_expr_and(plan, args, expr->n_args, expr->pos, ret, err);
    case FL_EXPR_OR:
        return fl_expr_or(plan, args, expr->n_args, expr->pos, ret, err);
    case FL_EXPR_NOT:
        return fl_expr_not(plan, args[0], expr->pos, ret, err);
    case FL_EXPR_CASE:
        return fl_expr_case(plan, args, expr->n_args, expr->pos, ret, err);
    case FL_EXPR_STRUCT:
        return struct_with_args(plan, expr, args, ret, err);
    case FL_EXPR_FIELD:
        if (args[0]->kind == FL_EXPR_STRUCT && !(args[0]->flags & (FL_EXPR_CAN_FAIL | FL_EXPR_VOLATILE))) {
            *ret = args[0]->args[expr->param]; /* the other fields need not be computed, and nobody can tell */
            return FL_OK;
        }
        /* fall through */
    default: {
        fl_expr e = *expr;
        e.flags = 0;
        e.args = args;
        return intern(plan, &e, ret, err);
    }
    }
}

static bool is_among(const fl_expr *e, const fl_expr *const *args, int32_t n_args)
{
    for (int32_t i = 0; i < n_args; i++)
        if (args[i] == e)
            return true;
    return false;
}

/* What an aggregate of these arguments can be ordered by. */
static fl_status check_order(const fl_agg_desc *agg, const fl_expr *const *args, int32_t n_args, bool is_distinct,
                             const fl_sort_key *order, int32_t n_order, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < n_order; i++) {
        if (is_distinct && !is_among(order[i].expr, args, n_args)) { /* rows that are one would have several places */
            st = FL_FAIL(err, FL_ERR_COLUMN, "in %s with DISTINCT, ORDER BY expressions must be arguments", agg->name);
            fl_err_state(err, "42P10", st);
        } else if (agg->is_sorted && !is_among(order[i].expr, args, 1)) {
            st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "%s can be ordered by its argument only", agg->name);
        } else {
            continue;
        }
        fl_err_at(err, order[i].expr->pos);
        return st;
    }
    return FL_OK;
}

fl_status fl_agg_make(fl_plan *plan, fl_str name, const fl_expr *const *args, int32_t n_args, bool is_distinct,
                      const fl_expr *filter, const fl_sort_key *order, int32_t n_order, int32_t pos, fl_agg *ret,
                      fl_err *err)
{
    const fl_agg_desc *agg = fl_registry_agg(plan->registry, name);
    if (agg == NULL)
        return fail_no_function(plan, name, args, n_args, pos, NULL, agg, err);
    return fl_agg_make_of(plan, agg, args, n_args, is_distinct, filter, order, n_order, pos, ret, err);
}

fl_status fl_agg_make_of(fl_plan *plan, const fl_agg_desc *agg, const fl_expr *const *args, int32_t n_args,
                         bool is_distinct, const fl_expr *filter, const fl_sort_key *order, int32_t n_order,
                         int32_t pos, fl_agg *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str name = fl_str_of(agg->name);
    fl_type types[FL_AGG_ARGS_MAX] = {0};
    fl_agg_choice choice = {.agg = agg, .arena = fl_plan_arena(plan)};
    if (n_args > FL_AGG_ARGS_MAX)
        return fail_no_function(plan, name, args, n_args, pos, NULL, agg, err);
    FL_TRY(seen_types(plan, args, n_args, types, err));
    fl_err why = {0};
    const fl_type *seen = types;
    if (!agg->takes_any_type)
        st = fl_types_plain(choice.arena, types, n_args, agg->name, &seen, &why);
    if (st == FL_OK)
        st = agg->resolve(seen, n_args, &choice, &why);
    if (st == FL_ERR_FUNCTION)
        return fail_no_function(plan, name, args, n_args, pos, NULL, agg, err);
    if (st != FL_OK) {
        if (err != NULL)
            *err = why;
        fl_err_at(err, pos);
        return st;
    }
    if (choice.agg != NULL)
        agg = choice.agg;
    fl_agg made = {.agg = agg,
                   .kernel = choice.kernel,
                   .n_args = choice.n_args,
                   .type = choice.ret,
                   .never_fails = choice.never_fails,
                   .filter = filter,
                   .is_distinct = is_distinct && !agg->ignores_distinct && choice.n_args > 0};
    for (int32_t i = 0; i < choice.n_args; i++) {
        fl_type wanted = choice.args[i].id == FL_NULL ? FL_TYPE(FL_UTF8) : choice.args[i];
        FL_TRY(fl_expr_cast(plan, args[i], wanted, false, args[i]->pos, &made.args[i], err));
    }
    if (filter != NULL)
        FL_TRY(fl_expr_coerce(plan, filter, FL_TYPE(FL_BOOL), &made.filter, err));
    for (int32_t i = agg->n_row_args; agg->n_row_args > 0 && i < made.n_args; i++) {
        if (!(made.args[i]->flags & FL_EXPR_HAS_COLUMN))
            continue;
        st = FL_FAIL(err, FL_ERR_GROUPING, "this argument of %s is the same for all rows: it reads no column",
                     agg->name);
        fl_err_at(err, args[i]->pos);
        return st;
    }
    FL_TRY(check_order(agg, args, n_args, is_distinct, order, n_order, err));
    fl_sort_key first = {.expr = made.args[0]};
    if (n_order == 0 && agg->is_sorted && made.n_args > 0) {
        order = &first;
        n_order = 1;
    }
    if (n_order > 0 && (!agg->ignores_order || agg->obeys_order)) {
        fl_sort_key *keys = NULL;
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n_order, &keys, err));
        memcpy(keys, order, (size_t)n_order * sizeof(*keys));
        made.order = keys;
        made.n_order = n_order;
    }
    fl_text text;
    fl_text_init(&text, NULL);
    fl_text_addf(&text, "%s(%s", agg->name, made.is_distinct ? "DISTINCT " : "");
    if (n_args == 0 && agg->window == 0)
        fl_text_add_char(&text, '*');
    fl_expr_print_list(&text, plan, args, n_args, ", ");
    fl_text_add_char(&text, ')');
    fl_col_info info = {
        .name = fl_text_str(&text),
        .type = choice.ret,
    };
    st = fl_text_status(&text, err);
    if (st == FL_OK)
        st = fl_plan_add_col(plan, &info, &made.out, err);
    fl_text_drop(&text);
    FL_TRY(st);
    *ret = made;
cleanup:
    return st;
}
