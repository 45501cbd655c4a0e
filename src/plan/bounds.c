/* Bounds through casts, CASE and the calls of functions. */
#include "plan/bounds.h"

#include "base/datetime.h"

#define DEPTH_MAX 64

/* x / by, halves away from zero, as casts to a smaller scale round. */
static fl_i128 round_down_to(fl_i128 x, fl_i128 by)
{
    return x < 0 ? -((-x + by / 2) / by) : (x + by / 2) / by;
}

static int scale_of(fl_type type)
{
    return type.id == FL_DECIMAL ? type.scale : 0;
}

/* Casts that are kept to whole numbers are monotonic: the ends of the interval are cast. */
static fl_bounds cast_bounds(fl_type from, fl_type to, fl_bounds b)
{
    fl_i128 by = 1;
    if (!b.is_known)
        return b;
    if ((fl_type_is_integer(from) || from.id == FL_DECIMAL) && (fl_type_is_integer(to) || to.id == FL_DECIMAL)) {
        int shift = scale_of(to) - scale_of(from);
        if (shift < 0) {
            by = fl_pow10_i128[-shift];
            return (fl_bounds){true, round_down_to(b.low, by), round_down_to(b.high, by)};
        }
        by = fl_pow10_i128[shift];
    } else if (from.id == FL_DATE && fl_type_is_timestamp(to) && to.unit == FL_MICRO) {
        by = FL_US_PER_DAY;
        if (b.low < FL_US_MIN / by || b.high > FL_US_MAX / by) /* infinity, or beside all timestamps */
            return (fl_bounds){0};
    } else if (from.id != to.id || from.unit != to.unit) {
        return (fl_bounds){0};
    }
    b.is_known = !__builtin_mul_overflow(b.low, by, &b.low) && !__builtin_mul_overflow(b.high, by, &b.high);
    return b;
}

fl_bounds fl_expr_bounds_step(const fl_expr *e, const fl_bounds *args)
{
    if (e->kind == FL_EXPR_CAST)
        return cast_bounds(e->args[0]->type, e->type, args[0]);
    if (e->kind == FL_EXPR_CALL && e->func->bounds != NULL && e->n_args <= FL_FUNC_ARGS_MAX)
        return e->func->bounds(e, args);
    return (fl_bounds){0};
}

static fl_bounds bounds_of(const fl_expr *e, fl_bounds_leaf leaf, void *ctx, int32_t depth)
{
    fl_bounds unknown = {0}, args[FL_FUNC_ARGS_MAX], ret = {0};
    if (depth > DEPTH_MAX)
        return unknown;
    switch (e->kind) {
    case FL_EXPR_COLUMN:
    case FL_EXPR_PARAM:
        return leaf(ctx, e);
    case FL_EXPR_CONST:
        return fl_bounds_of_values(e->value, e->value);
    case FL_EXPR_CASE: {
        bool is_first = true;
        for (int32_t i = 1; i <= e->n_args; i += 2) { /* when, then, when, then, else */
            const fl_expr *branch = e->args[i < e->n_args ? i : e->n_args - 1];
            if (branch->kind == FL_EXPR_CONST && branch->value->is_null)
                continue;
            fl_bounds one = bounds_of(branch, leaf, ctx, depth + 1);
            ret = is_first ? one : fl_bounds_hull(ret, one);
            is_first = false;
        }
        return ret;
    }
    case FL_EXPR_CALL:
        if (e->func->bounds == NULL)
            return unknown;
        break;
    case FL_EXPR_CAST:
        break;
    default:
        return unknown;
    }
    for (int32_t i = 0; i < e->n_args && i < FL_FUNC_ARGS_MAX; i++)
        args[i] = bounds_of(e->args[i], leaf, ctx, depth + 1);
    ret = fl_expr_bounds_step(e, args);
    return fl_bounds_fit(ret, e->type) ? ret : unknown;
}

fl_bounds fl_expr_bounds(const fl_expr *e, fl_bounds_leaf leaf, void *ctx)
{
    return bounds_of(e, leaf, ctx, 0);
}
