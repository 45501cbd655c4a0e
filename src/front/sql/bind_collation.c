/* COLLATE: a text's type says how it is compared (base/collation.h), and whoever compares, orders or groups texts takes a key of them in
 * their place, where the collation has one:
 *
 *     nocase: lower(x)     noaccent: strip_accents(x)     both: lower(strip_accents(x))     nfc: nfc_normalize(x)
 *
 * A collation that is written beats one that a column has, as in PostgreSQL (24.2); two that differ are an error. */
#include "front/sql/bind.h"

#include "base/collation.h"
#include "base/nearest.h"

#include <stdio.h>

#define COLLATE "collate " /* and its name: the function that stands for it (func/text/collate.c) */

static fl_collation collation_of(const fl_expr *expr)
{
    return fl_type_is_text(expr->type) ? (fl_collation)expr->type.precision : FL_COLLATION_NONE;
}

/* COLLATE was written here: its argument is what is compared. */
static bool is_written(const fl_expr *expr)
{
    return expr->kind == FL_EXPR_CALL && expr->n_args == 1 &&
           strncmp(expr->func->name, COLLATE, sizeof(COLLATE) - 1) == 0;
}

static const fl_expr *value_of(const fl_expr *expr)
{
    return is_written(expr) ? expr->args[0] : expr;
}

/* The key of a text; itself where there is none. */
static fl_status key_of(binder *b, fl_collation collation, const fl_expr *value, const fl_expr **ret)
{
    fl_status st = FL_OK;
    *ret = value;
    if (collation == FL_COLLATION_NOACCENT || collation == FL_COLLATION_NOCASE_NOACCENT)
        FL_TRY(fl_expr_call_args(b->plan, "strip_accents", value->pos, ret, b->err, 1, *ret));
    if (collation == FL_COLLATION_NOCASE || collation == FL_COLLATION_NOCASE_NOACCENT)
        FL_TRY(fl_expr_call_args(b->plan, "lower", value->pos, ret, b->err, 1, *ret));
    if (collation == FL_COLLATION_NFC)
        FL_TRY(fl_expr_call_args(b->plan, "nfc_normalize", value->pos, ret, b->err, 1, *ret));
cleanup:
    return st;
}

fl_status fl_sql_find_collation(const fl_ast_name *name, fl_collation *ret, fl_err *err)
{
    *ret = fl_collation_find(name->text);
    if (*ret != FL_COLLATION_NONE)
        return FL_OK;
    fl_nearest near;
    fl_status st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "there is no collation \"%.*s\"", FL_STR_ARG(name->text));
    fl_err_at(err, name->start);
    fl_nearest_init(&near, name->text);
    for (int32_t i = 0; fl_collation_known(i) != NULL; i++)
        fl_nearest_offer(&near, fl_str_of(fl_collation_known(i)));
    fl_nearest_hint(&near, err);
    if (err != NULL && err->hint[0] == 0)
        fl_err_hint(
            err,
            "there are C, nocase, noaccent, nocase.noaccent and nfc; texts without one are compared by code point");
    return fl_err_state(err, "42704", st);
}

/* The one of two sides: *ret is NONE where neither has one. */
static fl_status meet(binder *b, fl_collation *known, bool *is_known_written, const fl_expr *side, int32_t pos)
{
    fl_collation collation = collation_of(side);
    bool written = is_written(side);
    if (collation == FL_COLLATION_NONE || collation == *known || (*is_known_written && !written)) {
        *is_known_written |= written;
        return FL_OK;
    }
    if (*known != FL_COLLATION_NONE && written == *is_known_written) {
        fl_status st = fl_sql_bind_fail_state(b, pos, FL_ERR_TYPE, written ? "42P21" : "42P22",
                                              "texts of collations \"%s\" and \"%s\" are compared",
                                              fl_collation_name(*known), fl_collation_name(collation));
        fl_err_hint(b->err, "write COLLATE behind one of them to say how, COLLATE \"C\" by code point");
        return st;
    }
    *known = collation;
    *is_known_written = written;
    return FL_OK;
}

fl_status fl_sql_collate_all(binder *b, const fl_expr **sides, int32_t n, int32_t pos)
{
    fl_status st = FL_OK;
    fl_collation collation = FL_COLLATION_NONE;
    bool is_any_written = false;
    for (int32_t i = 0; i < n; i++)
        FL_TRY(meet(b, &collation, &is_any_written, sides[i], pos));
    if (collation == FL_COLLATION_NONE)
        return FL_OK;
    for (int32_t i = 0; i < n; i++)
        FL_TRY(key_of(b, collation, value_of(sides[i]), &sides[i]));
cleanup:
    return st;
}

fl_status fl_sql_collate_key(binder *b, const fl_expr **key)
{
    return key_of(b, collation_of(*key), value_of(*key), key);
}

fl_status fl_sql_collate(binder *b, fl_collation collation, const fl_expr *value, int32_t pos, const fl_expr **ret)
{
    char name[64];
    snprintf(name, sizeof(name), COLLATE "%s", fl_collation_name(collation));
    return fl_expr_call_args(b->plan, name, pos, ret, b->err, 1, value);
}

fl_status fl_sql_collate_as(binder *b, fl_type type, const fl_expr **value)
{
    bool is_other = fl_type_is_text(type) && fl_type_is_text((*value)->type) &&
                    (*value)->type.precision != type.precision && fl_collation_has_key((fl_collation)type.precision);
    return is_other ? fl_sql_collate(b, (fl_collation)type.precision, *value, (*value)->pos, value) : FL_OK;
}

fl_status fl_sql_refuse_collated(binder *b, const out_col *col, const char *what)
{
    fl_type type = fl_plan_col(b->plan, col->col)->type;
    if (!fl_type_is_text(type) || !fl_collation_has_key((fl_collation)type.precision))
        return FL_OK;
    fl_status st = fl_sql_bind_fail(b, col->pos, FL_ERR_UNSUPPORTED, "%s are not supported by collation \"%s\"", what,
                                    fl_collation_name((fl_collation)type.precision));
    fl_err_hint(b->err, "take a key, as lower(x), or write COLLATE \"C\" behind the column");
    return st;
}

bool fl_sql_is_collated(const fl_expr *expr)
{
    return fl_collation_has_key(collation_of(expr));
}
