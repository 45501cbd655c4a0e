/* Windows: calls with OVER are collected while a SELECT's expressions are bound, as aggregates are: a call becomes a reference to the
 * column of its results. When all are bound, and grouped, the window operators go below them: one for each partition and order.
 *
 * Operators whose keys are the first ones of another's go above that one, so that one sort serves them all. */
#include "front/sql/bind.h"

#include "op/project/node.h"
#include "op/window/node.h"
#include "plan/rule.h"

/* A call with OVER, over the columns that are grouped or those of FROM. */
struct window_call {
    fl_agg agg;
    fl_frame frame;
    fl_sort_key *own_order; /* agg's */
    const fl_expr **partition;
    int32_t n_partition;
    fl_sort_key *order;
    int32_t n_order;
    int32_t pos;
    bool is_placed;
};

/* What OVER says, names looked up. */
struct over {
    const fl_ast_window *partition, *order, *frame; /* where each is written; NULL: nowhere */
};
typedef struct over over;

/* ---- where windows may stand ---------------------------------------------------------------------------------------- */

static bool takes_windows(const scope *s)
{
    return s->clause == CLAUSE_SELECT || s->clause == CLAUSE_ORDER || s->clause == CLAUSE_QUALIFY;
}

fl_status fl_sql_check_window(binder *b, const scope *s, const fl_ast_expr *ast)
{
    if (s->in_aggregate) {
        fl_status st = fl_sql_bind_fail(b, ast->start, FL_ERR_GROUPING,
                                        "calls of aggregates cannot contain calls of window functions");
        fl_err_hint(b->err, "compute it in a subquery, and aggregate over that");
        return st;
    }
    if (s->in_window) {
        fl_status st = fl_sql_bind_fail_state(b, ast->start, FL_ERR_GROUPING, "42P20",
                                              "calls of window functions cannot be nested");
        fl_err_hint(b->err, "compute the inner one in a subquery");
        return st;
    }
    if (takes_windows(s))
        return FL_OK;
    fl_status st = fl_sql_bind_fail_state(b, ast->start, FL_ERR_GROUPING, "42P20",
                                          "window functions are not allowed in %s", fl_sql_clause_name(s->clause));
    if (s->clause == CLAUSE_WHERE || s->clause == CLAUSE_HAVING)
        fl_err_hint(b->err, "use QUALIFY, which is tested when windows are computed");
    else
        fl_err_hint(b->err, "compute it in a subquery");
    return st;
}

fl_status fl_sql_reads_windows(binder *b, const scope *s, const fl_expr *expr, bool *ret)
{
    fl_status st = FL_OK;
    fl_col_set used;
    *ret = false;
    if (s->n_windows == 0)
        return FL_OK;
    fl_col_set_init(&used);
    FL_TRY(fl_expr_add_cols(fl_plan_arena(b->plan), expr, &used, b->err));
    *ret = fl_col_set_meets(&used, &s->window_cols);
cleanup:
    return st;
}

fl_status fl_sql_refuse_windows(binder *b, const scope *s, const fl_expr *expr, int32_t pos, const char *place)
{
    fl_status st = FL_OK;
    bool reads = false;
    FL_TRY(fl_sql_reads_windows(b, s, expr, &reads));
    if (!reads)
        return FL_OK;
    if (place == NULL)
        st = fl_sql_bind_fail_state(b, pos, FL_ERR_GROUPING, "42P20", "calls of window functions cannot be nested");
    else
        st = fl_sql_bind_fail_state(b, pos, FL_ERR_GROUPING, "42P20", "window functions are not allowed in %s", place);
    fl_err_hint(b->err, "compute it in a subquery");
cleanup:
    return st;
}

/* ---- names of windows ----------------------------------------------------------------------------------------------- */

static fl_status fail_over(binder *b, int32_t at, const char *what, fl_str name)
{
    return fl_sql_bind_fail_state(b, at, FL_ERR_SYNTAX, "42P20", what, FL_STR_ARG(name));
}

static fl_status fail_no_window(binder *b, fl_ast_name name)
{
    fl_status st = fl_sql_bind_fail_state(b, name.start, FL_ERR_SYNTAX, "42704", "there is no window \"%.*s\"",
                                          FL_STR_ARG(name.text));
    fl_err_hint(b->err, "write WINDOW %.*s AS (...) behind FROM, WHERE, GROUP BY and HAVING", FL_STR_ARG(name.text));
    return st;
}

/* What a specification says by itself, and by the window that it names, which is one of those that were looked at. */
static fl_status resolve(binder *b, const scope *s, const fl_ast_window *w, over *ret)
{
    fl_status st = FL_OK;
    *ret = (over){0};
    if (w->base.text.len > 0) {
        int32_t i = s->n_named_windows > 0 ? fl_name_map_find(&s->named_places, w->base.text) : -1;
        if (i < 0)
            return fail_no_window(b, w->base);
        *ret = s->named_windows[i];
        if (w->is_name)
            return FL_OK;
        if (w->partition_count > 0)
            return fail_over(b, w->partition_start, "PARTITION BY is that of the window \"%.*s\"", w->base.text);
        if (w->order_count > 0 && ret->order != NULL)
            return fail_over(b, w->order[0].start, "the window \"%.*s\" has an ORDER BY of its own", w->base.text);
        if (ret->frame != NULL) {
            st = fail_over(b, w->base.start, "the window \"%.*s\" cannot be extended: it has a frame", w->base.text);
            fl_err_hint(b->err, "write OVER %.*s, without parentheses", FL_STR_ARG(w->base.text));
            return st;
        }
    }
    if (w->partition_count > 0)
        ret->partition = w;
    if (w->order_count > 0)
        ret->order = w;
    if (w->has_frame)
        ret->frame = w;
    return st;
}

fl_status fl_sql_check_windows(binder *b, scope *s, const fl_ast_select *ast)
{
    fl_status st = FL_OK;
    fl_name_map_init(&s->named_places, b->arena);
    FL_TRY(FL_NEW_ARRAY(b->arena, ast->window_count + 1, &s->named_windows, b->err));
    for (int32_t i = 0; i < ast->window_count; i++) {
        fl_str name = ast->windows[i].name.text;
        int32_t first = -1;
        FL_TRY(resolve(b, s, ast->windows[i].window, &s->named_windows[i])); /* of those before it */
        FL_TRY(fl_name_map_add(&s->named_places, name, i, &first, b->err));
        if (first >= 0)
            return fail_over(b, ast->windows[i].name.start, "there are two windows \"%.*s\"", name);
        s->n_named_windows = i + 1;
    }
cleanup:
    return st;
}

/* ---- frames --------------------------------------------------------------------------------------------------------- */

static fl_status fail_frame(binder *b, int32_t at, const char *what, const char *hint)
{
    fl_status st = fl_sql_bind_fail_state(b, at, FL_ERR_SYNTAX, "42P20", "%s", what);
    fl_err_hint(b->err, "%s", hint);
    return st;
}

static fl_status check_frame(binder *b, const over *o)
{
    const fl_ast_window *w = o->frame;
    fl_ast_bound_kind from = w->from.kind, to = w->to.kind;
    bool by_value = w->unit == FL_AST_RANGE && (w->from.offset != NULL || w->to.offset != NULL);
    if (from == FL_AST_BOUND_UNBOUNDED_FOLLOWING)
        return fail_frame(b, w->from.start, "a frame cannot start at UNBOUNDED FOLLOWING",
                          "the start stands first: BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING");
    if (to == FL_AST_BOUND_UNBOUNDED_PRECEDING)
        return fail_frame(b, w->to.start, "a frame cannot end at UNBOUNDED PRECEDING",
                          "the start stands first: BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW");
    if (from == FL_AST_BOUND_CURRENT_ROW && to == FL_AST_BOUND_PRECEDING)
        return fail_frame(b, w->to.start, "a frame that starts at the current row cannot end before it",
                          "exchange the bounds: BETWEEN n PRECEDING AND CURRENT ROW");
    if (from == FL_AST_BOUND_FOLLOWING && (to == FL_AST_BOUND_PRECEDING || to == FL_AST_BOUND_CURRENT_ROW))
        return fail_frame(b, w->to.start, "a frame that starts behind the current row cannot end before that",
                          "write BETWEEN with the start first, or end at n FOLLOWING");
    if (w->unit == FL_AST_GROUPS && o->order == NULL)
        return fail_frame(b, w->frame_start, "GROUPS needs an ORDER BY",
                          "groups are of rows that ORDER BY holds equal");
    if (by_value && (o->order == NULL || o->order->order_count != 1))
        return fail_frame(b, w->frame_start, "RANGE with an offset needs an ORDER BY of one expression",
                          "the offset is added to its value; ROWS and GROUPS count");
    return FL_OK;
}

/* A frame is the same for all rows of the query. */
static fl_status bind_offset(binder *b, scope *s, const fl_ast_window *w, const fl_ast_bound *bound,
                             const fl_expr **ret)
{
    static const char *const units[] = {"RANGE", "ROWS", "GROUPS"};
    fl_status st = FL_OK;
    *ret = NULL;
    if (bound->offset == NULL)
        return FL_OK;
    FL_TRY(fl_sql_bind_expr(b, s, bound->offset, ret));
    if ((*ret)->flags & (FL_EXPR_HAS_COLUMN | FL_EXPR_VOLATILE)) {
        st = fl_sql_bind_fail_state(b, bound->offset->start, FL_ERR_COLUMN, "42P10",
                                    "the offset of %s is the same for all rows: it reads no column", units[w->unit]);
        fl_err_hint(b->err, "write a number, an interval or a parameter");
        return st;
    }
    if ((*ret)->flags & FL_EXPR_HAS_SUBQUERY)
        return fl_sql_bind_fail(b, bound->offset->start, FL_ERR_UNSUPPORTED,
                                "a subquery as the offset of a frame is not supported yet");
    if (w->unit == FL_AST_RANGE)
        return FL_OK;
    fl_type type = (*ret)->type;
    if (!fl_type_is_numeric(type) && !((*ret)->flags & FL_EXPR_UNTYPED) && type.id != FL_NULL &&
        (*ret)->kind != FL_EXPR_PARAM) {
        st = fl_sql_bind_fail(b, bound->offset->start, FL_ERR_TYPE, "the offset of %s is a number, not %s",
                              units[w->unit], FL_TYPE_NAME(type));
        fl_err_hint(b->err, "offsets of values are those of RANGE");
        return st;
    }
    FL_TRY(fl_expr_cast(b->plan, *ret, FL_TYPE(FL_I64), false, bound->offset->start, ret, b->err));
cleanup:
    return st;
}

static fl_status fail_range(binder *b, const fl_ast_bound *bound, fl_type key, fl_type offset)
{
    fl_status st = fl_sql_bind_fail(b, bound->start, FL_ERR_UNSUPPORTED,
                                    "RANGE with an offset of type %s is not supported for an ORDER BY of type %s",
                                    FL_TYPE_NAME(offset), FL_TYPE_NAME(key));
    if (key.id == FL_DATE || key.id == FL_TIMESTAMP || key.id == FL_TIMESTAMPTZ)
        fl_err_hint(b->err, "write an interval: RANGE BETWEEN INTERVAL '3 days' PRECEDING AND CURRENT ROW");
    else
        fl_err_hint(b->err, "numbers have numbers as offsets, dates and times intervals; ROWS and GROUPS count");
    return st;
}

/* The key moved by the offset, before or behind it in the direction of the order. */
static fl_status move_key(binder *b, const fl_ast_bound *bound, const fl_sort_key *order, const fl_expr *key,
                          const fl_expr **offset, const fl_expr **ret)
{
    fl_status st = FL_OK;
    bool is_time = !fl_type_is_numeric(order->expr->type);
    bool is_back = (bound->kind == FL_AST_BOUND_PRECEDING) != order->is_descending;
    *ret = NULL;
    if (*offset == NULL)
        return FL_OK;
    if (((*offset)->flags & FL_EXPR_UNTYPED) || (*offset)->type.id == FL_NULL)
        FL_TRY(fl_expr_cast(b->plan, *offset, is_time ? FL_TYPE(FL_INTERVAL) : order->expr->type, false, (*offset)->pos,
                            offset, b->err));
    if (is_time ? (*offset)->type.id != FL_INTERVAL : !fl_type_is_numeric((*offset)->type))
        return fail_range(b, bound, order->expr->type, (*offset)->type);
    const fl_expr *args[] = {key, *offset};
    if (fl_type_is_integer((*offset)->type) && key->type.id == FL_DECIMAL)
        FL_TRY(fl_expr_cast(b->plan, *offset, FL_TYPE_DECIMAL(20, 0), false, (*offset)->pos, &args[1], b->err));
    FL_TRY(fl_expr_call(b->plan, is_back ? FL_STR("-") : FL_STR("+"), args, 2, (*offset)->pos, ret, b->err));
cleanup:
    return st;
}

/* RANGE with offsets: what rows' keys are held against. */
static fl_status bind_range(binder *b, const fl_ast_window *w, const fl_sort_key *order, fl_frame *frame)
{
    fl_status st = FL_OK;
    const fl_expr *key = order->expr, *all[3];
    fl_type type = key->type;
    int32_t odd = 0;
    if (w->from.offset == NULL && w->to.offset == NULL)
        return FL_OK;
    if (!fl_type_is_numeric(type) && type.id != FL_DATE && type.id != FL_TIMESTAMP && type.id != FL_TIMESTAMPTZ &&
        type.id != FL_INTERVAL)
        return fail_range(b, w->from.offset != NULL ? &w->from : &w->to, type,
                          frame->exprs[w->from.offset != NULL ? FL_FRAME_START_OFFSET : FL_FRAME_END_OFFSET]->type);
    if (fl_type_is_integer(type)) /* what is moved never leaves its type */
        FL_TRY(fl_expr_cast(b->plan, key, FL_TYPE_DECIMAL(20, 0), false, key->pos, &key, b->err));
    else if (fl_type_is_float(type))
        FL_TRY(fl_expr_cast(b->plan, key, FL_TYPE(FL_F64), false, key->pos, &key, b->err));
    FL_TRY(move_key(b, &w->from, order, key, &frame->exprs[FL_FRAME_START_OFFSET], &all[1]));
    FL_TRY(move_key(b, &w->to, order, key, &frame->exprs[FL_FRAME_END_OFFSET], &all[2]));
    all[0] = key;
    FL_TRY(fl_expr_common_type(b->plan, all, 3, &type, &odd, b->err));
    for (int32_t i = 0; i < 3; i++)
        if (all[i] != NULL)
            FL_TRY(fl_expr_cast(b->plan, all[i], type, false, all[i]->pos, &frame->exprs[FL_FRAME_KEY + i], b->err));
cleanup:
    return st;
}

static fl_status bind_frame(binder *b, scope *s, const over *o, const fl_sort_key *order, fl_frame *frame)
{
    fl_status st = FL_OK;
    const fl_ast_window *w = o->frame;
    *frame = (fl_frame){.unit = FL_FRAME_RANGE, .start = FL_FRAME_UNBOUNDED_PRECEDING, .end = FL_FRAME_CURRENT_ROW};
    if (w == NULL)
        return FL_OK;
    FL_TRY(check_frame(b, o));
    frame->unit = (uint8_t)w->unit;
    frame->start = (uint8_t)w->from.kind;
    frame->end = (uint8_t)w->to.kind;
    frame->exclude = (uint8_t)w->exclude;
    FL_TRY(bind_offset(b, s, w, &w->from, &frame->exprs[FL_FRAME_START_OFFSET]));
    FL_TRY(bind_offset(b, s, w, &w->to, &frame->exprs[FL_FRAME_END_OFFSET]));
    if (w->unit == FL_AST_RANGE && o->order != NULL)
        FL_TRY(bind_range(b, w, order, frame));
cleanup:
    return st;
}

/* ---- calls ---------------------------------------------------------------------------------------------------------- */

static fl_status check_key(binder *b, const scope *s, const fl_expr **key, int32_t pos)
{
    fl_status st = FL_OK;
    if ((*key)->flags & FL_EXPR_UNTYPED)
        FL_TRY(fl_expr_cast(b->plan, *key, FL_TYPE(FL_UTF8), false, pos, key, b->err));
    FL_TRY(fl_sql_refuse_windows(b, s, *key, pos, NULL));
cleanup:
    return st;
}

static fl_status bind_over(binder *b, scope *s, const fl_ast_window *ast, struct window_call *w)
{
    fl_status st = FL_OK;
    over o;
    FL_TRY(resolve(b, s, ast, &o));
    int32_t n_partition = o.partition == NULL ? 0 : o.partition->partition_count;
    int32_t n_order = o.order == NULL ? 0 : o.order->order_count;
    fl_sort_key *order = NULL;
    bool by_value = o.frame != NULL && o.frame->unit == FL_AST_RANGE &&
                    (o.frame->from.offset != NULL || o.frame->to.offset != NULL);
    FL_TRY(FL_NEW_ARRAY(b->arena, n_partition + 1, &w->partition, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_order + 1, &w->order, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_order + 1, &order, b->err));
    for (int32_t i = 0; i < n_partition; i++) {
        const fl_expr *key;
        FL_TRY(fl_sql_bind_expr(b, s, o.partition->partition[i], &key));
        FL_TRY(check_key(b, s, &key, o.partition->partition[i]->start));
        FL_TRY(fl_sql_collate_key(b, &key));
        if (!fl_expr_is_const(key)) /* all rows are of one partition by it */
            w->partition[w->n_partition++] = key;
    }
    for (int32_t i = 0; i < n_order; i++) {
        const fl_ast_order *key = &o.order->order[i];
        FL_TRY(fl_sql_bind_expr(b, s, key->expr, &order[i].expr));
        FL_TRY(check_key(b, s, &order[i].expr, key->start));
        FL_TRY(fl_sql_collate_key(b, &order[i].expr));
        order[i].is_descending = key->is_descending;
        order[i].nulls_first = fl_sql_nulls_first(b, key);
        if (!fl_expr_is_const(order[i].expr) || by_value) /* an offset has a direction, though all rows are peers */
            w->order[w->n_order++] = order[i];
    }
    FL_TRY(bind_frame(b, s, &o, order, &w->frame));
cleanup:
    return st;
}

static bool is_same_order(const fl_sort_key *a, const fl_sort_key *c, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        if (a[i].expr != c[i].expr || a[i].is_descending != c[i].is_descending || a[i].nulls_first != c[i].nulls_first)
            return false;
    return true;
}

static bool is_among(const fl_expr *expr, const fl_expr *const *exprs, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        if (exprs[i] == expr)
            return true;
    return false;
}

/* Whether partition and order are the same. */
static bool is_same_window(const struct window_call *a, const struct window_call *c)
{
    if (a->n_partition != c->n_partition || a->n_order != c->n_order)
        return false;
    for (int32_t i = 0; i < a->n_partition; i++)
        if (!is_among(a->partition[i], c->partition, c->n_partition) ||
            !is_among(c->partition[i], a->partition, a->n_partition))
            return false;
    return is_same_order(a->order, c->order, a->n_order);
}

static bool is_same_call(const struct window_call *a, const struct window_call *c)
{
    if (a->agg.agg != c->agg.agg || a->agg.kernel != c->agg.kernel || a->agg.n_args != c->agg.n_args ||
        a->agg.filter != c->agg.filter || a->agg.is_distinct != c->agg.is_distinct ||
        a->agg.n_order != c->agg.n_order || !is_same_order(a->agg.order, c->agg.order, a->agg.n_order) ||
        !is_same_window(a, c))
        return false;
    for (int32_t i = 0; i < a->agg.n_args; i++)
        if (a->agg.args[i] != c->agg.args[i] || (a->agg.args[i]->flags & FL_EXPR_VOLATILE))
            return false;
    for (int32_t i = 0; i < FL_FRAME_EXPRS; i++)
        if (a->frame.exprs[i] != c->frame.exprs[i])
            return false;
    return a->frame.unit == c->frame.unit && a->frame.start == c->frame.start && a->frame.end == c->frame.end &&
           a->frame.exclude == c->frame.exclude && a->frame.ignores_nulls == c->frame.ignores_nulls;
}

static fl_status add_call(binder *b, scope *s, const struct window_call *w, const fl_expr **ret)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < s->n_windows; i++)
        if (is_same_call(&s->windows[i], w))
            return fl_expr_column(b->plan, s->windows[i].agg.out, w->pos, ret, b->err);
    FL_TRY(fl_sql_bind_grow(b, &s->windows, s->n_windows, &s->windows_capacity, sizeof(*s->windows)));
    s->windows[s->n_windows++] = *w;
    FL_TRY(fl_col_set_add(fl_plan_arena(b->plan), &s->window_cols, w->agg.out, b->err));
    st = fl_expr_column(b->plan, w->agg.out, w->pos, ret, b->err);
cleanup:
    return st;
}

/* What IGNORE NULLS, DISTINCT, FILTER and ORDER BY say to whom. */
static fl_status check_call(binder *b, const fl_agg_desc *desc, const fl_ast_expr *ast)
{
    const fl_ast_call *call = ast->call;
    if (call->nulls_start > 0 && !fl_window_can_ignore_nulls(desc)) {
        fl_status st = fl_sql_bind_fail(b, call->nulls_start, FL_ERR_UNSUPPORTED,
                                        "%s takes neither IGNORE NULLS nor RESPECT NULLS", desc->name);
        fl_err_hint(b->err, "write FILTER (WHERE x IS NOT NULL) behind the call");
        return st;
    }
    if (desc->window == FL_OVER_NONE)
        return FL_OK;
    if (call->is_star)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_FUNCTION, "function %s(*) does not exist", desc->name);
    if (!call->is_distinct && call->order_count == 0 && call->filter == NULL)
        return FL_OK;
    return fl_sql_bind_fail(b, ast->start, FL_ERR_UNSUPPORTED,
                            "%s is no aggregate: DISTINCT, ORDER BY and FILTER are for aggregates", desc->name);
}

fl_status fl_sql_add_window(binder *b, scope *s, const fl_ast_expr *ast, const fl_agg_desc *desc,
                            const window_parts *parts, const fl_expr **ret)
{
    fl_status st = FL_OK;
    struct window_call w = {.pos = ast->start};
    int32_t n_lists = s->n_lists;
    FL_TRY(check_call(b, desc, ast));
    for (int32_t i = 0; i < parts->n_args; i++)
        FL_TRY(fl_sql_refuse_windows(b, s, parts->args[i], ast->start, NULL));
    if (parts->filter != NULL)
        FL_TRY(fl_sql_refuse_windows(b, s, parts->filter, ast->start, NULL));
    s->in_window = true;
    st = bind_over(b, s, ast->call->over, &w);
    s->in_window = false;
    FL_TRY(st);
    FL_TRY(fl_sql_refuse_unnest(b, s, n_lists, "a window"));
    if (!fl_window_has_frame(desc))
        w.frame =
            (fl_frame){.unit = FL_FRAME_RANGE, .start = FL_FRAME_UNBOUNDED_PRECEDING, .end = FL_FRAME_CURRENT_ROW};
    w.frame.ignores_nulls = ast->call->ignores_nulls;
    FL_TRY(fl_agg_make_of(b->plan, desc, parts->args, parts->n_args, ast->call->is_distinct, parts->filter,
                          parts->order, parts->n_order, ast->start, &w.agg, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, w.agg.n_order + 1, &w.own_order, b->err));
    if (w.agg.n_order > 0)
        memcpy(w.own_order, w.agg.order, (size_t)w.agg.n_order * sizeof(*w.own_order));
    w.agg.order = w.own_order;
    FL_TRY(add_call(b, s, &w, ret));
cleanup:
    return st;
}

/* lag(x, n, y): x and y are of one type. */
static fl_status meet_types(binder *b, const fl_ast_call *call, const fl_expr **args)
{
    fl_status st = FL_OK;
    const fl_expr *pair[] = {args[0], args[2]};
    fl_type type;
    int32_t odd;
    FL_TRY(fl_expr_common_type(b->plan, pair, 2, &type, &odd, b->err));
    if (odd >= 0)
        return fl_sql_bind_fail(b, call->args[2].value->start, FL_ERR_TYPE,
                                "the value and its default have types %s and %s, which have no common type",
                                FL_TYPE_NAME(args[0]->type), FL_TYPE_NAME(args[2]->type));
    if (type.id == FL_NULL)
        return FL_OK;
    FL_TRY(fl_expr_cast(b->plan, args[0], type, false, call->args[0].value->start, &args[0], b->err));
    FL_TRY(fl_expr_cast(b->plan, args[2], type, false, call->args[2].value->start, &args[2], b->err));
cleanup:
    return st;
}

fl_status fl_sql_bind_window(binder *b, scope *s, const fl_ast_expr *ast, const fl_agg_desc *desc, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_ast_call *call = ast->call;
    const fl_expr **args = NULL;
    int32_t n_lists = s->n_lists;
    bool shifts = desc->window == FL_OVER_LAG || desc->window == FL_OVER_LEAD;
    if (call->over == NULL) {
        st = fl_sql_bind_fail_state(b, ast->start, FL_ERR_FUNCTION, "42809", "%s needs OVER", desc->name);
        fl_err_hint(b->err, "write %s(...) OVER (PARTITION BY ... ORDER BY ...)", desc->name);
        return st;
    }
    FL_TRY(fl_sql_check_window(b, s, ast));
    FL_TRY(check_call(b, desc, ast));
    FL_TRY(FL_NEW_ARRAY(b->arena, call->arg_count + 1, &args, b->err));
    s->in_window = true;
    for (int32_t i = 0; i < call->arg_count && st == FL_OK; i++)
        st = fl_sql_bind_expr(b, s, call->args[i].value, &args[i]);
    s->in_window = false;
    FL_TRY(st);
    FL_TRY(fl_sql_refuse_unnest(b, s, n_lists, "a window function's call"));
    if (shifts && call->arg_count == 3)
        FL_TRY(meet_types(b, call, args));
    window_parts parts = {.args = args, .n_args = call->arg_count};
    FL_TRY(fl_sql_add_window(b, s, ast, desc, &parts, ret));
cleanup:
    return st;
}

/* ---- the operators -------------------------------------------------------------------------------------------------- */

/* Calls fn for each expression of a call. */
static fl_status each_expr(struct window_call *w, fl_status (*fn)(void *ctx, const fl_expr **expr), void *ctx)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < w->n_partition; i++)
        FL_TRY(fn(ctx, &w->partition[i]));
    for (int32_t i = 0; i < w->n_order; i++)
        FL_TRY(fn(ctx, &w->order[i].expr));
    for (int32_t i = 0; i < w->agg.n_args; i++)
        FL_TRY(fn(ctx, &w->agg.args[i]));
    if (w->agg.filter != NULL)
        FL_TRY(fn(ctx, &w->agg.filter));
    for (int32_t i = 0; i < w->agg.n_order; i++)
        FL_TRY(fn(ctx, &w->own_order[i].expr));
    for (int32_t i = FL_FRAME_KEY; i < FL_FRAME_EXPRS; i++)
        if (w->frame.exprs[i] != NULL)
            FL_TRY(fn(ctx, &w->frame.exprs[i]));
cleanup:
    return st;
}

static fl_status count_expr(void *ctx, const fl_expr **expr)
{
    (void)expr;
    ++*(int32_t *)ctx;
    return FL_OK;
}

static fl_status list_expr(void *ctx, const fl_expr **expr)
{
    const fl_expr ****at = ctx;
    *(*at)++ = expr;
    return FL_OK;
}

fl_status fl_sql_window_exprs(binder *b, scope *s, const fl_expr ****ret, int32_t *ret_n)
{
    fl_status st = FL_OK;
    const fl_expr ***list = NULL, ***at;
    int32_t n = 0;
    for (int32_t i = 0; i < s->n_windows; i++)
        FL_TRY(each_expr(&s->windows[i], count_expr, &n));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &list, b->err));
    at = list;
    for (int32_t i = 0; i < s->n_windows; i++)
        FL_TRY(each_expr(&s->windows[i], list_expr, &at));
    *ret = list;
    *ret_n = n;
cleanup:
    return st;
}

typedef struct projected {
    const fl_index_map *places;
    const fl_col_id *cols;
} projected;

static fl_status read_projected(void *ctx, fl_plan *plan, const fl_expr *expr, const fl_expr **ret, fl_err *err)
{
    const projected *p = ctx;
    int32_t place = fl_index_map_find(p->places, fl_index_map_key(expr));
    *ret = expr;
    if (place < 0 || (expr->flags & FL_EXPR_VOLATILE))
        return FL_OK;
    return fl_expr_column(plan, p->cols[place], expr->pos, ret, err);
}

/* What is computed below need not be computed above, and a test of it can go below. */
static fl_status read_all_projected(binder *b, projected *p, const fl_expr **const *exprs, int32_t n)
{
    fl_status st = FL_OK;
    fl_expr_walk walk;
    fl_expr_walk_init(&walk, b->plan);
    walk.is_top_down = true;
    for (int32_t i = 0; i < n; i++)
        if (*exprs[i] != NULL)
            FL_TRY(fl_expr_walk_rewrite(&walk, *exprs[i], read_projected, p, exprs[i], b->err));
cleanup:
    fl_expr_walk_drop(&walk);
    return st;
}

/* What calls compute with becomes columns, of which those that are computed over them make use. */
static fl_status project_exprs(binder *b, scope *s, const fl_expr **const *over, int32_t n_over, const fl_node **node)
{
    fl_status st = FL_OK;
    const fl_expr ***slots = NULL, **exprs = NULL;
    fl_str *names = NULL;
    fl_col_id *cols = NULL;
    int32_t n_slots = 0, n = 0;
    fl_index_map places;
    fl_index_map_init(&places, b->arena);
    FL_TRY(fl_sql_window_exprs(b, s, &slots, &n_slots));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_slots + 1, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_slots + 1, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_slots + 1, &cols, b->err));
    for (int32_t i = 0; i < n_slots; i++) {
        const fl_expr *expr = *slots[i];
        if (expr->kind == FL_EXPR_COLUMN || fl_expr_is_const(expr) ||
            fl_index_map_find(&places, fl_index_map_key(expr)) >= 0)
            continue;
        FL_TRY(fl_index_map_add(&places, fl_index_map_key(expr), n, b->err));
        exprs[n++] = expr;
    }
    if (n == 0)
        return FL_OK;
    FL_TRY(fl_project_extend(b->plan, *node, exprs, names, n, cols, node, b->err));
    for (int32_t i = 0; i < n_slots; i++) {
        int32_t place = fl_index_map_find(&places, fl_index_map_key(*slots[i]));
        if (place >= 0)
            FL_TRY(fl_expr_column(b->plan, cols[place], (*slots[i])->pos, slots[i], b->err));
    }
    st = read_all_projected(b, &(projected){&places, cols}, over, n_over);
cleanup:
    return st;
}

static int32_t n_keys_of(const struct window_call *w)
{
    return w->n_partition + w->n_order;
}

/* In how many windows an expression cuts partitions: what more of them have goes first. */
static int32_t n_uses(const scope *s, const fl_expr *expr)
{
    int32_t n = 0;
    for (int32_t i = 0; i < s->n_windows; i++)
        n += is_among(expr, s->windows[i].partition, s->windows[i].n_partition);
    return n;
}

static void order_partition(const scope *s, struct window_call *w)
{
    for (int32_t i = 1; i < w->n_partition; i++)
        for (int32_t j = i; j > 0 && n_uses(s, w->partition[j]) > n_uses(s, w->partition[j - 1]); j--) {
            const fl_expr *swap = w->partition[j];
            w->partition[j] = w->partition[j - 1];
            w->partition[j - 1] = swap;
        }
}

static fl_sort_key key_of(const struct window_call *w, int32_t i)
{
    return i < w->n_partition ? (fl_sort_key){.expr = w->partition[i]} : w->order[i - w->n_partition];
}

/* Whether rows in the order of one window's keys are in that of the other's, partition keys in whichever order; then they are put in
 * that. */
static bool comes_in_order(const struct window_call *base, struct window_call *w)
{
    if (n_keys_of(w) > n_keys_of(base))
        return false;
    for (int32_t i = 0; i < w->n_partition; i++) {
        fl_sort_key key = key_of(base, i);
        if (!is_among(key.expr, w->partition, w->n_partition))
            return false;
        for (int32_t j = 0; j < i; j++)
            if (key_of(base, j).expr == key.expr)
                return false;
    }
    for (int32_t i = w->n_partition; i < n_keys_of(w); i++) {
        fl_sort_key key = key_of(base, i), own = key_of(w, i);
        if (!is_same_order(&key, &own, 1))
            return false;
    }
    for (int32_t i = 0; i < w->n_partition; i++)
        w->partition[i] = key_of(base, i).expr;
    return true;
}

/* The operator of all calls that are over the same window as one of them. */
static fl_status put_window(binder *b, scope *s, struct window_call *w, const fl_node **node)
{
    fl_status st = FL_OK;
    fl_agg *functions = NULL;
    fl_window_attrs attrs = {.n_partition = w->n_partition,
                             .partition = w->partition,
                             .n_order = w->n_order,
                             .order = w->order,
                             .limit = -1};
    FL_TRY(FL_NEW_ARRAY(b->arena, s->n_windows, &functions, b->err));
    for (int32_t i = 0; i < s->n_windows; i++) {
        struct window_call *other = &s->windows[i];
        if (other->is_placed || !is_same_window(w, other))
            continue;
        other->is_placed = true;
        other->agg.frame = &other->frame;
        functions[attrs.n_functions++] = other->agg;
    }
    attrs.functions = functions;
    FL_TRY(fl_window_build(b->plan, *node, &attrs, node, b->err));
cleanup:
    return st;
}

fl_status fl_sql_put_windows(binder *b, scope *s, const fl_expr **const *over, int32_t n_over, const fl_node **node)
{
    fl_status st = FL_OK;
    if (s->n_windows == 0)
        return FL_OK;
    FL_TRY(project_exprs(b, s, over, n_over, node));
    for (int32_t i = 0; i < s->n_windows; i++)
        order_partition(s, &s->windows[i]);
    for (;;) {
        struct window_call *base = NULL;
        for (int32_t i = 0; i < s->n_windows; i++)
            if (!s->windows[i].is_placed && (base == NULL || n_keys_of(&s->windows[i]) > n_keys_of(base)))
                base = &s->windows[i];
        if (base == NULL)
            return FL_OK;
        FL_TRY(put_window(b, s, base, node));
        for (int32_t i = 0; i < s->n_windows; i++)
            if (!s->windows[i].is_placed && comes_in_order(base, &s->windows[i]))
                FL_TRY(put_window(b, s, &s->windows[i], node));
    }
cleanup:
    return st;
}
