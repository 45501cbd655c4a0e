/* Structs taken apart and put together: struct_extract, struct_concat, struct_insert, struct_update, struct_keys, struct_values, and
 * struct_contains, struct_position, which look for a value among the fields.
 *
 * None has a kernel: a call becomes an expression over the fields, so that only those are read that somebody asks for. */
#include "plan/expr.h"
#include "plan/func.h"

#define FIELDS_MAX 1000 /* of a struct that is put together */

static bool is_struct(fl_type type)
{
    return type.id == FL_STRUCT && type.n_fields > 0;
}

static fl_status fail_struct(fl_err *err)
{
    return FL_FAIL(err, FL_ERR_FUNCTION, "a struct was expected");
}

static fl_status text_of(fl_plan *plan, fl_str text, int32_t pos, const fl_expr **ret, fl_err *err)
{
    fl_value value = {.type = FL_TYPE(FL_UTF8), .s = text};
    return fl_expr_const(plan, &value, pos, ret, err);
}

static fl_status field_at(fl_plan *plan, const fl_expr *from, int64_t i, int32_t pos, const fl_expr **ret, fl_err *err)
{
    return fl_expr_field(plan, from, from->type.fields[i].name, pos, ret, err);
}

/* Null where the struct is, else the expression. */
static fl_status unless_null(fl_plan *plan, const fl_expr *tested, const fl_expr *otherwise, int32_t pos,
                             const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *cases[3] = {NULL, NULL, otherwise};
    fl_value null = {.type = otherwise->type, .is_null = true};
    FL_TRY(fl_expr_is_null(plan, tested, pos, &cases[0], err));
    FL_TRY(fl_expr_const(plan, &null, pos, &cases[1], err));
    st = fl_expr_case(plan, cases, 3, pos, ret, err);
cleanup:
    return st;
}

/* ---- struct_extract ------------------------------------------------------------------------------------------------ */

static fl_status expand_extract(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t n_args,
                                int32_t pos, const fl_expr **ret, fl_err *err)
{
    FL_ASSERT(n_args == 2);
    (void)n_args;
    const fl_expr *key = args[1];
    if (!fl_expr_is_const(key) || key->value->is_null)
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "%s takes a constant name or place", func->name);
    if (key->type.id == FL_UTF8)
        return fl_expr_field(plan, args[0], key->value->s, pos, ret, err);
    if (key->value->i < 1 || key->value->i > args[0]->type.n_fields)
        return fl_err_state(err, "42703",
                            FL_FAIL(err, FL_ERR_COLUMN, "there is no field %lld: the struct has %d",
                                    (long long)key->value->i, args[0]->type.n_fields));
    return field_at(plan, args[0], key->value->i - 1, pos, ret, err);
}

static fl_status resolve_extract(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    bool is_place = n_args == 2 && fl_type_is_integer(args[1]);
    if (n_args != 2 || !is_struct(args[0]) || (!is_place && args[1].id != FL_UTF8 && args[1].id != FL_NULL))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a struct and a field's name or place were expected");
    *ret = (fl_func_choice){
        .args = {args[0], FL_TYPE(is_place ? FL_I64 : FL_UTF8)}, .n_args = 2, .ret = args[0].fields[0].type};
    return FL_OK;
}

/* ---- struct_concat, struct_insert, struct_update ------------------------------------------------------------------- */

/* The fields of a struct that is being put together. */
typedef struct making {
    fl_str names[FIELDS_MAX];
    const fl_expr *values[FIELDS_MAX];
    int32_t n;
    bool is_row; /* all of them came from rows, whose fields have no names of their own */
} making;

/* Adds the fields of a struct; one that is there is replaced, or refused. */
static fl_status add_fields(fl_plan *plan, making *to, const fl_expr *from, bool replaces, int32_t pos, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_row = fl_type_is_row(from->type) && to->is_row;
    for (int32_t i = 0; i < from->type.n_fields; i++) {
        fl_str name = from->type.fields[i].name;
        int32_t at = 0;
        while (at < to->n && (is_row || !fl_str_is_equal_nocase(to->names[at], name)))
            at++;
        if (at < to->n && !replaces)
            return fl_err_state(
                err, "42701", FL_FAIL(err, FL_ERR_DUPLICATE, "there are two fields named \"%.*s\"", FL_STR_ARG(name)));
        if (at == FIELDS_MAX)
            return FL_FAIL(err, FL_ERR_LIMIT, "the struct would have more than %d fields", FIELDS_MAX);
        FL_TRY(field_at(plan, from, i, pos, &to->values[at], err));
        to->names[at] = name;
        to->n += at == to->n;
    }
    to->is_row = is_row;
cleanup:
    return st;
}

static fl_status put_together(fl_plan *plan, const fl_expr *const *args, int32_t n_args, bool replaces, int32_t pos,
                              const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    making *m = NULL;
    FL_TRY(FL_NEW(fl_plan_arena(plan), &m, err));
    m->is_row = true;
    for (int32_t i = 0; i < n_args; i++)
        FL_TRY(add_fields(plan, m, args[i], replaces, pos, err));
    st = fl_expr_struct(plan, m->is_row ? NULL : m->names, m->values, m->n, pos, ret, err);
cleanup:
    return st;
}

static fl_status expand_concat(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t n_args,
                               int32_t pos, const fl_expr **ret, fl_err *err)
{
    (void)func;
    return put_together(plan, args, n_args, false, pos, ret, err);
}

static fl_status expand_update(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t n_args,
                               int32_t pos, const fl_expr **ret, fl_err *err)
{
    (void)func;
    return put_together(plan, args, n_args, true, pos, ret, err);
}

static fl_status resolve_concat(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args < 1 || n_args > FL_FUNC_ARGS_MAX)
        return fail_struct(err);
    *ret = (fl_func_choice){.n_args = n_args, .ret = args[0]};
    for (int32_t i = 0; i < n_args; i++) {
        if (!is_struct(args[i]))
            return fail_struct(err);
        ret->args[i] = args[i];
    }
    return FL_OK;
}

/* ---- struct_keys, struct_values ------------------------------------------------------------------------------------ */

static fl_status expand_keys(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t n_args,
                             int32_t pos, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **names = NULL, *list = NULL;
    fl_type type = args[0]->type;
    FL_ASSERT(n_args == 1);
    (void)func;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), type.n_fields, &names, err));
    for (int32_t i = 0; i < type.n_fields; i++)
        FL_TRY(text_of(plan, type.fields[i].name, pos, &names[i], err));
    FL_TRY(fl_expr_call(plan, FL_STR("list_value"), names, type.n_fields, pos, &list, err));
    st = unless_null(plan, args[0], list, pos, ret, err);
cleanup:
    return st;
}

static fl_status expand_values(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t n_args,
                               int32_t pos, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **values = NULL, *row = NULL;
    fl_type type = args[0]->type;
    FL_ASSERT(n_args == 1);
    (void)func;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), type.n_fields, &values, err));
    for (int32_t i = 0; i < type.n_fields; i++)
        FL_TRY(field_at(plan, args[0], i, pos, &values[i], err));
    FL_TRY(fl_expr_struct(plan, NULL, values, type.n_fields, pos, &row, err));
    st = unless_null(plan, args[0], row, pos, ret, err);
cleanup:
    return st;
}

static fl_status resolve_one(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args != 1 || !is_struct(args[0]))
        return fail_struct(err);
    *ret = (fl_func_choice){.args = {args[0]}, .n_args = 1, .ret = args[0]};
    return FL_OK;
}

/* ---- looking for a value ------------------------------------------------------------------------------------------- */

/* In the list of the fields, by the function of lists whose name the context is. */
static fl_status expand_look(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t n_args,
                             int32_t pos, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **values = NULL, *list = NULL, *found = NULL;
    fl_type type = args[0]->type;
    FL_ASSERT(n_args == 2);
    (void)n_args;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), type.n_fields, &values, err));
    for (int32_t i = 0; i < type.n_fields; i++)
        FL_TRY(field_at(plan, args[0], i, pos, &values[i], err));
    FL_TRY(fl_expr_call(plan, FL_STR("list_value"), values, type.n_fields, pos, &list, err));
    FL_TRY(fl_expr_call_args(plan, func->ctx, pos, &found, err, 2, list, args[1]));
    st = unless_null(plan, args[0], found, pos, ret, err);
cleanup:
    return st;
}

static fl_status resolve_look(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args != 2 || !is_struct(args[0]))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a struct and a value were expected");
    *ret = (fl_func_choice){.args = {args[0], args[1].id == FL_NULL ? args[0].fields[0].type : args[1]},
                            .n_args = 2,
                            .ret = FL_TYPE(FL_BOOL)};
    return FL_OK;
}

#define FUNC(name_, op, ctx_, help)    \
    {FL_DESC(fl_func_desc),            \
     .name = name_,                    \
     .traits = FL_PURE | FL_ANY_TYPE,  \
     .ctx = (void *)(uintptr_t)(ctx_), \
     .doc = help,                      \
     op}
#define AS(resolve_, expand_) .resolve = resolve_, .expand = expand_

static const fl_func_desc funcs[] = {
    FUNC("struct_extract", AS(resolve_extract, expand_extract), NULL, "struct_extract(s, name | place): as s.name"),
    FUNC("struct_concat", AS(resolve_concat, expand_concat), NULL, "struct_concat(s, t, ...): a struct of all fields"),
    FUNC("struct_insert", AS(resolve_concat, expand_concat), NULL, "struct_insert(s, a := x, ...): s with more fields"),
    FUNC("struct_update", AS(resolve_concat, expand_update), NULL,
         "struct_update(s, a := x, ...): s with other values of its fields, or with more"),
    FUNC("struct_keys", AS(resolve_one, expand_keys), NULL, "struct_keys(s): the names of the fields"),
    FUNC("struct_values", AS(resolve_one, expand_values), NULL, "struct_values(s): the fields as a row"),
    FUNC("struct_contains", AS(resolve_look, expand_look), "list_contains",
         "struct_contains(s, x): whether a field is x"),
    FUNC("struct_position", AS(resolve_look, expand_look), "array_position",
         "struct_position(s, x): which field is x, from 1; null where none is"),
};

FL_FUNC_SET(struct_fields, funcs);
