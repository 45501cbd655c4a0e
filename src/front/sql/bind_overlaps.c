/* (a, b) OVERLAPS (c, d), as PostgreSQL means it: spans of time that begin at their lesser end, which belongs to them, and go to the other, which
 * does not; where one end is not known, they begin at the one that is. A span may be given by its start and length.
 *
 *     CASE WHEN s > t THEN CASE WHEN s < t_end THEN true WHEN s_end IS NULL OR t_end IS NULL THEN NULL ELSE false END
 *          WHEN s < t THEN CASE WHEN t < s_end THEN true WHEN s_end IS NULL OR t_end IS NULL THEN NULL ELSE false END
 *          WHEN s IS NULL OR t IS NULL OR s_end IS NULL OR t_end IS NULL THEN NULL ELSE true END */
#include "front/sql/bind.h"

typedef struct span {
    const fl_expr *start, *end;
    const fl_expr *is_start_null, *is_end_null;
} span;

static fl_status make_null(binder *b, fl_type type, int32_t pos, const fl_expr **ret)
{
    fl_value null = {.type = type, .is_null = true};
    return fl_expr_const(b->plan, &null, pos, ret, b->err);
}

/* The lesser end, or the one that is known; and the other. */
static fl_status make_span(binder *b, const fl_expr *x, const fl_expr *y, int32_t pos, span *ret)
{
    fl_status st = FL_OK;
    const fl_expr *nulls[2], *any, *is_greater, *none, *pair[2] = {x, y};
    fl_type type;
    int32_t odd;
    if (y->type.id == FL_INTERVAL && x->type.id != FL_INTERVAL)
        FL_TRY(fl_expr_call_args(b->plan, "+", pos, &pair[1], b->err, 2, x, y));
    FL_TRY(fl_expr_common_type(b->plan, pair, 2, &type, &odd, b->err));
    if (odd >= 0)
        return fl_sql_bind_fail(b, pos, FL_ERR_TYPE,
                                "the ends of a span have types %s and %s, which have no common type",
                                FL_TYPE_NAME(pair[0]->type), FL_TYPE_NAME(pair[1]->type));
    if (type.id == FL_NULL || type.id == FL_UTF8)
        type = FL_TYPE(FL_TIMESTAMP);
    for (int i = 0; i < 2; i++) {
        FL_TRY(fl_expr_cast(b->plan, pair[i], type, false, pos, &pair[i], b->err));
        FL_TRY(fl_expr_is_null(b->plan, pair[i], pos, &nulls[i], b->err));
    }
    FL_TRY(fl_sql_compare(b, FL_AST_OP_GT, pair[0], pair[1], pos, &is_greater));
    FL_TRY(make_null(b, type, pos, &none));
    FL_TRY(fl_expr_or(b->plan, nulls, 2, pos, &any, b->err));
    const fl_expr *first[] = {nulls[1], pair[0], nulls[0], pair[1], is_greater, pair[1], pair[0]};
    const fl_expr *second[] = {any, none, is_greater, pair[0], pair[1]};
    FL_TRY(fl_expr_case(b->plan, first, 7, pos, &ret->start, b->err));
    FL_TRY(fl_expr_case(b->plan, second, 5, pos, &ret->end, b->err));
    FL_TRY(fl_expr_is_null(b->plan, ret->start, pos, &ret->is_start_null, b->err));
    FL_TRY(fl_expr_is_null(b->plan, ret->end, pos, &ret->is_end_null, b->err));
cleanup:
    return st;
}

/* Whether the later span, which begins at `start`, begins before the end of the other. */
static fl_status begins_before(binder *b, const fl_expr *start, const fl_expr *end, const fl_expr *is_open, int32_t pos,
                               const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr *parts[5];
    FL_TRY(fl_sql_compare(b, FL_AST_OP_LT, start, end, pos, &parts[0]));
    FL_TRY(fl_sql_expr_bool(b, true, pos, &parts[1]));
    parts[2] = is_open;
    FL_TRY(make_null(b, FL_TYPE(FL_BOOL), pos, &parts[3]));
    FL_TRY(fl_sql_expr_bool(b, false, pos, &parts[4]));
    FL_TRY(fl_expr_case(b->plan, parts, 5, pos, ret, b->err));
cleanup:
    return st;
}

fl_status fl_sql_bind_overlaps(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_ast_call *call = ast->call;
    const fl_expr *args[4], *opens[2], *nulls[3], *is_open, *is_unknown, *parts[7];
    span x, y;
    int32_t pos = ast->at;
    FL_ASSERT(call->arg_count == 4);
    for (int i = 0; i < 4; i++)
        FL_TRY(fl_sql_bind_expr(b, s, call->args[i].value, &args[i]));
    FL_TRY(make_span(b, args[0], args[1], pos, &x));
    FL_TRY(make_span(b, args[2], args[3], pos, &y));
    opens[0] = x.is_end_null;
    opens[1] = y.is_end_null;
    FL_TRY(fl_expr_or(b->plan, opens, 2, pos, &is_open, b->err));
    nulls[0] = x.is_start_null;
    nulls[1] = y.is_start_null;
    nulls[2] = is_open;
    FL_TRY(fl_expr_or(b->plan, nulls, 3, pos, &is_unknown, b->err));
    FL_TRY(fl_sql_compare(b, FL_AST_OP_GT, x.start, y.start, pos, &parts[0]));
    FL_TRY(begins_before(b, x.start, y.end, is_open, pos, &parts[1]));
    FL_TRY(fl_sql_compare(b, FL_AST_OP_LT, x.start, y.start, pos, &parts[2]));
    FL_TRY(begins_before(b, y.start, x.end, is_open, pos, &parts[3]));
    parts[4] = is_unknown;
    FL_TRY(make_null(b, FL_TYPE(FL_BOOL), pos, &parts[5]));
    FL_TRY(fl_sql_expr_bool(b, true, pos, &parts[6]));
    FL_TRY(fl_expr_case(b->plan, parts, 7, pos, ret, b->err));
cleanup:
    return st;
}
