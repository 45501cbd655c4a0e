/* Casts and calls by way of the local time (local_time.h). Relies on the functions timezone, timestamptz_text and text_timestamptz of the
 * registry. */
#include "plan/local_time.h"

#include "plan/plan_internal.h"

#include <string.h>

void fl_plan_set_zone(fl_plan *plan, fl_str zone)
{
    FL_ASSERT(zone.len < FL_PLAN_ZONE_BYTES && plan->n_cols == 0);
    bool is_utc = fl_str_is_equal_nocase(zone, FL_STR("UTC"));
    if (!is_utc && zone.len > 0)
        memcpy(plan->zone, zone.data, (size_t)zone.len);
    plan->zone[is_utc ? 0 : zone.len] = 0;
}

static fl_status zone_of(fl_plan *plan, int32_t pos, const fl_expr **ret, fl_err *err)
{
    fl_value zone = {.type = FL_TYPE(FL_UTF8), .s = fl_str_of(plan->zone)};
    return fl_expr_const(plan, &zone, pos, ret, err);
}

/* A moment as clocks show it, or the moment at which they show a time. */
static fl_status in_zone(fl_plan *plan, const fl_expr *x, int32_t pos, const fl_expr **ret, fl_err *err)
{
    const fl_expr *zone;
    fl_status st = zone_of(plan, pos, &zone, err);
    return st != FL_OK ? st : fl_expr_call_args(plan, "timezone", pos, ret, err, 2, zone, x);
}

/* ---- casts --------------------------------------------------------------------------------------------------------- */

bool fl_cast_is_local(const fl_plan *plan, fl_type from, fl_type to)
{
    if (plan->zone[0] == 0 || from.id == to.id)
        return false;
    if (to.extension == FL_TIMETZ)
        return from.id == FL_TIMESTAMPTZ || from.id == FL_TIME;
    if (from.id == FL_TIMESTAMPTZ)
        return to.id == FL_TIMESTAMP || to.id == FL_DATE || to.id == FL_TIME || fl_type_is_text(to);
    return to.id == FL_TIMESTAMPTZ && (from.id == FL_TIMESTAMP || from.id == FL_DATE || fl_type_is_text(from));
}

fl_status fl_expr_cast_local(fl_plan *plan, const fl_expr *expr, fl_type type, bool is_try, int32_t pos,
                             const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_type from = expr->type, stamp = {.id = FL_TIMESTAMP, .unit = type.id == FL_TIMESTAMPTZ ? type.unit : from.unit};
    const fl_expr *zone, *made = expr, *as_is;
    fl_value tries = {.type = FL_TYPE(FL_BOOL), .b = is_try};
    pos = pos >= 0 ? pos : expr->pos;
    FL_ASSERT(fl_cast_is_local(plan, from, type));
    FL_TRY(zone_of(plan, pos, &zone, err));
    if (type.extension == FL_TIMETZ)
        return fl_expr_call_args(plan, from.id == FL_TIME ? "time_timetz" : "timestamptz_timetz", pos, ret, err, 2,
                                 expr, zone);
    if (fl_type_is_text(type))
        return fl_expr_call_args(plan, "timestamptz_text", pos, ret, err, 2, expr, zone);
    if (fl_type_is_text(from)) { /* the text may have a zone of its own */
        FL_TRY(fl_expr_cast(plan, expr, from, false, pos, &made, err));
        FL_TRY(fl_expr_const(plan, &tries, pos, &as_is, err));
        FL_TRY(fl_expr_call_args(plan, "text_timestamptz", pos, &made, err, 3, made, zone, as_is));
    } else {
        if (from.id != FL_TIMESTAMPTZ)
            FL_TRY(fl_expr_cast(plan, expr, stamp, is_try, pos, &made, err));
        FL_TRY(in_zone(plan, made, pos, &made, err));
    }
    st = fl_expr_cast(plan, made, type, is_try, pos, ret, err);
cleanup:
    return st;
}

/* ---- calls --------------------------------------------------------------------------------------------------------- */

/* A constant field's name that begins so. */
static bool is_field(const fl_expr *arg, const char *start)
{
    int64_t len = (int64_t)strlen(start);
    return arg->kind == FL_EXPR_CONST && !arg->value->is_null && fl_type_is_text(arg->type) &&
           arg->value->s.len >= len && fl_str_is_equal_nocase((fl_str){arg->value->s.data, len}, (fl_str){start, len});
}

bool fl_call_is_local(const fl_plan *plan, const fl_func_desc *func, const fl_expr *const *args, int32_t n_args)
{
    int32_t n_moments = 0;
    if (plan->zone[0] == 0 || !(func->traits & FL_LOCAL_TIME))
        return false;
    for (int32_t i = 0; i < n_args; i++)
        n_moments += args[i]->type.id == FL_TIMESTAMPTZ;
    return (n_args == 0) || (n_moments > 0 && (n_moments < n_args || n_args == 1) &&
                             !is_field(args[0], "epoch")); /* seconds since 1970 are of the moment */
}

/* A moment and an interval: hours are of the moment, months and days of the clocks. Of other sums the moment's zone does not matter. */
static fl_status add_in_zone(fl_plan *plan, const fl_expr *const *args, bool is_difference, fl_type made, int32_t pos,
                             const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t moment = args[0]->type.id == FL_TIMESTAMPTZ ? 0 : 1;
    const fl_expr *span, *zone, *local[2] = {args[0], args[1]};
    FL_TRY(zone_of(plan, pos, &zone, err));
    if (made.id != FL_TIMESTAMPTZ) { /* what is subtracted is a time without a zone, which means a moment */
        FL_TRY(fl_expr_cast(plan, args[1 - moment], args[moment]->type, false, pos, &local[1 - moment], err));
        return fl_expr_call(plan, is_difference ? FL_STR("-") : FL_STR("+"), local, 2, pos, ret, err);
    }
    FL_TRY(fl_expr_cast(plan, args[1 - moment], FL_TYPE(FL_INTERVAL), false, pos, &span, err));
    if (is_difference)
        FL_TRY(fl_expr_call_args(plan, "-", pos, &span, err, 1, span));
    st = fl_expr_call_args(plan, "timestamptz_add", pos, ret, err, 3, args[moment], span, zone);
cleanup:
    return st;
}

fl_status fl_expr_call_local(fl_plan *plan, const fl_func_desc *func, const fl_expr *const *args, int32_t n_args,
                             fl_type made, int32_t pos, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **local = NULL;
    if (n_args == 0) { /* the day, or the time, at which the statement began */
        FL_TRY(fl_expr_call_args(plan, "now", pos, ret, err, 0));
        return fl_expr_cast(plan, *ret, made, false, pos, ret, err);
    }
    if (strcmp(func->name, "+") == 0 || strcmp(func->name, "-") == 0)
        return add_in_zone(plan, args, func->name[0] == '-', made, pos, ret, err);
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n_args, &local, err));
    for (int32_t i = 0; i < n_args; i++) {
        local[i] = args[i];
        if (args[i]->type.id != FL_TIMESTAMPTZ)
            continue;
        if (is_field(args[0], "timezone") ||
            strncmp(func->name, "timezone", 8) == 0) /* which a time with an offset keeps */
            FL_TRY(fl_expr_cast(plan, args[i], (fl_type){.id = FL_I64, .extension = FL_TIMETZ}, false, args[i]->pos,
                                &local[i], err));
        else
            FL_TRY(in_zone(plan, args[i], args[i]->pos, &local[i], err));
    }
    FL_TRY(fl_expr_call(plan, fl_str_of(func->name), local, n_args, pos, ret, err));
    if (made.id == FL_TIMESTAMPTZ)
        st = in_zone(plan, *ret, pos, ret, err);
cleanup:
    return st;
}
