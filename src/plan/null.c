/* Null in expressions, by the kinds of their parts, which are met as often as they occur: so only small ones are looked into. */
#include "plan/null.h"

#define PARTS_MAX 4096

static bool can_any_be_null(const fl_expr *const *args, int32_t n, int32_t step, const fl_col_set *not_null);

static bool can_part_be_null(const fl_expr *e, const fl_col_set *not_null);

/* CASE WHEN x IS NOT NULL THEN x … and CASE WHEN x IS NULL THEN … ELSE x: there it is not null. */
static bool can_case_be_null(const fl_expr *e, const fl_col_set *not_null)
{
    for (int32_t result = 1; result + 1 < e->n_args; result += 2) {
        const fl_expr *when = e->args[result - 1], *then = e->args[result];
        bool is_guarded =
            when->kind == FL_EXPR_NOT && when->args[0]->kind == FL_EXPR_IS_NULL && when->args[0]->args[0] == then;
        for (int32_t before = 0; before + 1 < result && !is_guarded; before += 2)
            is_guarded = e->args[before]->kind == FL_EXPR_IS_NULL && e->args[before]->args[0] == then;
        if (!is_guarded && can_part_be_null(then, not_null))
            return true;
    }
    const fl_expr *otherwise = e->args[e->n_args - 1];
    for (int32_t before = 0; before + 1 < e->n_args; before += 2)
        if (e->args[before]->kind == FL_EXPR_IS_NULL && e->args[before]->args[0] == otherwise)
            return false;
    return can_part_be_null(otherwise, not_null);
}

static bool can_part_be_null(const fl_expr *e, const fl_col_set *not_null)
{
    switch (e->kind) {
    case FL_EXPR_COLUMN:
        return !fl_col_set_has(not_null, e->col);
    case FL_EXPR_CONST:
        return e->value->is_null;
    case FL_EXPR_CALL:
        return !(e->traits & FL_NULL_GIVES_NULL) || (e->traits & FL_GIVES_NULL) ||
               can_any_be_null(e->args, e->n_args, 1, not_null);
    case FL_EXPR_CAST:
        return (e->is_try && fl_cast_can_fail(e->args[0]->type, e->type)) ||
               (!e->is_compared && fl_cast_gives_null(e->args[0]->type, e->type)) ||
               can_part_be_null(e->args[0], not_null);
    case FL_EXPR_CASE:
        return can_case_be_null(e, not_null);
    case FL_EXPR_AND:
    case FL_EXPR_OR:
    case FL_EXPR_NOT:
        return can_any_be_null(e->args, e->n_args, 1, not_null);
    case FL_EXPR_IN:
        return can_part_be_null(e->args[0], not_null); /* its constants are not null */
    case FL_EXPR_IS_NULL:
    case FL_EXPR_STRUCT:
        return false;
    case FL_EXPR_SUBQUERY:
        return e->subquery->kind != FL_SUBQUERY_EXISTS;
    default:
        return true;
    }
}

static bool can_any_be_null(const fl_expr *const *args, int32_t n, int32_t step, const fl_col_set *not_null)
{
    for (int32_t i = 0; i < n; i += step)
        if (can_part_be_null(args[i], not_null))
            return true;
    return false;
}

bool fl_expr_can_be_null(const fl_expr *expr, const fl_col_set *not_null)
{
    return expr->size > PARTS_MAX || can_part_be_null(expr, not_null);
}

static fl_status add_null_givers(fl_arena *arena, const fl_expr *e, fl_col_set *set, fl_err *err)
{
    fl_status st = FL_OK;
    switch (e->kind) {
    case FL_EXPR_COLUMN:
        return fl_col_set_add(arena, set, e->col, err);
    case FL_EXPR_CAST:
    case FL_EXPR_NOT:
    case FL_EXPR_IN:
    case FL_EXPR_FIELD:
        return add_null_givers(arena, e->args[0], set, err);
    case FL_EXPR_CALL:
        for (int32_t i = 0; i < e->n_args && (e->traits & FL_NULL_GIVES_NULL) && st == FL_OK; i++)
            st = add_null_givers(arena, e->args[i], set, err);
        return st;
    default:
        return FL_OK;
    }
}

/* Of x IS NOT DISTINCT FROM a value that is not null: x; else NULL. */
static const fl_expr *same_as_value(const fl_expr *e)
{
    if (e->kind != FL_EXPR_CALL || e->n_args != 2 || strcmp(e->func->name, "is_not_distinct_from") != 0)
        return NULL;
    for (int32_t i = 0; i < 2; i++)
        if (e->args[i]->kind == FL_EXPR_CONST && !e->args[i]->value->is_null)
            return e->args[1 - i];
    return NULL;
}

static fl_status add_null_rejected(fl_arena *arena, const fl_expr *e, const fl_mark *marks, int32_t n_marks,
                                   fl_col_set *set, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < n_marks && e->kind == FL_EXPR_COLUMN && st == FL_OK; i++)
        if (fl_col_is_equal(marks[i].col, e->col))
            st = fl_col_set_add_all(arena, set, &marks[i].not_null, err);
    if (st != FL_OK)
        return st;
    if (e->kind == FL_EXPR_NOT && e->args[0]->kind == FL_EXPR_IS_NULL) /* x IS NOT NULL */
        return add_null_givers(arena, e->args[0]->args[0], set, err);
    if (e->kind == FL_EXPR_AND) {
        for (int32_t i = 0; i < e->n_args && st == FL_OK; i++)
            st = add_null_rejected(arena, e->args[i], marks, n_marks, set, err);
        return st;
    }
    if (e->kind == FL_EXPR_SUBQUERY && e->subquery->kind == FL_SUBQUERY_ANY &&
        e->subquery->n_left == 1) /* x IN (...) */
        return add_null_givers(arena, e->subquery->left[0], set, err);
    if (same_as_value(e) != NULL)
        return add_null_givers(arena, same_as_value(e), set, err);
    if (e->kind != FL_EXPR_OR)
        return add_null_givers(arena, e, set, err);
    fl_col_set all;
    fl_col_set_init(&all);
    for (int32_t i = 0; i < e->n_args && st == FL_OK; i++) { /* what each of an OR's branches rejects */
        fl_col_set one;
        fl_col_set_init(&one);
        st = add_null_rejected(arena, e->args[i], marks, n_marks, &one, err);
        if (i == 0)
            all = one;
        else
            fl_col_set_keep_all(&all, &one);
    }
    return st == FL_OK ? fl_col_set_add_all(arena, set, &all, err) : st;
}

fl_status fl_expr_add_null_rejected(fl_arena *arena, const fl_expr *conjunct, const fl_mark *marks, int32_t n_marks,
                                    fl_col_set *set, fl_err *err)
{
    return conjunct->size > PARTS_MAX ? FL_OK : add_null_rejected(arena, conjunct, marks, n_marks, set, err);
}
