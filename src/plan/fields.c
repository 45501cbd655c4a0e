/* The generic routines over fields: each goes by the field's kind alone. */
#include "plan/fields.h"

#include "base/hash.h"
#include "plan/plan_internal.h"
#include "plan/table.h"

#include <math.h>

#define AT FL_FIELD_AT
#define PRINTED_NODES_MAX 20 /* of a plan that is an attribute */

/* ---- the same ---- */

/* The same for every NaN. */
static uint64_t bits_of(double value)
{
    uint64_t bits;
    double one = isnan(value) ? NAN : value;
    memcpy(&bits, &one, sizeof(bits));
    return bits;
}

static bool is_same_key(const fl_sort_key *a, const fl_sort_key *b)
{
    return a->expr == b->expr && a->is_descending == b->is_descending && a->nulls_first == b->nulls_first;
}

static bool is_same_order_key(const fl_order_key *a, const fl_order_key *b)
{
    if (a->n_cols != b->n_cols || a->is_descending != b->is_descending || a->nulls_first != b->nulls_first ||
        a->is_null_free != b->is_null_free)
        return false;
    for (int32_t i = 0; i < a->n_cols; i++)
        if (a->cols[i].n != b->cols[i].n)
            return false;
    return true;
}

static bool is_same_frame(const fl_frame *a, const fl_frame *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    for (int32_t i = 0; i < FL_FRAME_EXPRS; i++)
        if (a->exprs[i] != b->exprs[i])
            return false;
    return a->unit == b->unit && a->start == b->start && a->end == b->end && a->exclude == b->exclude &&
           a->ignores_nulls == b->ignores_nulls;
}

static bool is_same_agg(const fl_agg *a, const fl_agg *b)
{
    if (a->agg != b->agg || a->kernel != b->kernel || a->n_args != b->n_args || a->filter != b->filter ||
        a->is_distinct != b->is_distinct || a->n_order != b->n_order || a->out.n != b->out.n ||
        !is_same_frame(a->frame, b->frame))
        return false;
    for (int32_t i = 0; i < a->n_args; i++)
        if (a->args[i] != b->args[i])
            return false;
    for (int32_t i = 0; i < a->n_order; i++)
        if (!is_same_key(&a->order[i], &b->order[i]))
            return false;
    return true;
}

static bool is_same_item(const fl_attr_field *f, const void *a, const void *b, int32_t i)
{
    switch (f->kind) {
    case FL_FIELD_SORT_KEYS:
        return is_same_key(&AT(const fl_sort_key *, a, f->offset)[i], &AT(const fl_sort_key *, b, f->offset)[i]);
    case FL_FIELD_ORDER_KEYS:
        return is_same_order_key(&AT(const fl_order_key *, a, f->offset)[i],
                                 &AT(const fl_order_key *, b, f->offset)[i]);
    default:
        return is_same_agg(&AT(const fl_agg *, a, f->offset)[i], &AT(const fl_agg *, b, f->offset)[i]);
    }
}

/* Of pointers and ids. */
static bool is_same_array(const fl_attr_field *f, const void *a, const void *b, int64_t item_bytes)
{
    int32_t n = fl_field_count(f, a);
    return n == fl_field_count(f, b) &&
           (n == 0 ||
            memcmp(AT(const void *, a, f->offset), AT(const void *, b, f->offset), (size_t)(n * item_bytes)) == 0);
}

static bool is_same_field(const fl_attr_field *f, const void *a, const void *b)
{
    switch (f->kind) {
    case FL_FIELD_EXPR:
    case FL_FIELD_TABLE:
    case FL_FIELD_PLAN:
        return AT(const void *, a, f->offset) == AT(const void *, b, f->offset);
    case FL_FIELD_COL:
    case FL_FIELD_I32:
    case FL_FIELD_ENUM:
        return AT(int32_t, a, f->offset) == AT(int32_t, b, f->offset);
    case FL_FIELD_I64:
        return AT(int64_t, a, f->offset) == AT(int64_t, b, f->offset);
    case FL_FIELD_F64:
        return bits_of(AT(double, a, f->offset)) == bits_of(AT(double, b, f->offset));
    case FL_FIELD_BOOL:
        return AT(bool, a, f->offset) == AT(bool, b, f->offset);
    case FL_FIELD_STR:
    case FL_FIELD_NAME:
        return fl_str_is_equal(AT(fl_str, a, f->offset), AT(fl_str, b, f->offset));
    case FL_FIELD_TYPE:
        return fl_type_is_equal(AT(fl_type, a, f->offset), AT(fl_type, b, f->offset));
    case FL_FIELD_VALUE: {
        const fl_value *x = AT(const fl_value *, a, f->offset), *y = AT(const fl_value *, b, f->offset);
        return x == y || (x != NULL && y != NULL && fl_value_is_same(x, y));
    }
    case FL_FIELD_EXPRS:
        return is_same_array(f, a, b, (int64_t)sizeof(const fl_expr *));
    case FL_FIELD_COLS:
    case FL_FIELD_COLS_USED:
        return is_same_array(f, a, b, (int64_t)sizeof(fl_col_id));
    case FL_FIELD_SORT_KEYS:
    case FL_FIELD_ORDER_KEYS:
    case FL_FIELD_AGGS:
        break;
    }
    int32_t n = fl_field_count(f, a);
    if (n != fl_field_count(f, b))
        return false;
    for (int32_t i = 0; i < n; i++)
        if (!is_same_item(f, a, b, i))
            return false;
    return true;
}

bool fl_fields_are_same(const fl_attr_field *fields, int32_t n_fields, const void *a, const void *b)
{
    for (int32_t i = 0; i < n_fields; i++)
        if (!is_same_field(&fields[i], a, b))
            return false;
    return true;
}

/* ---- hashing within the plan, by ids and by the hashes of expressions and nodes ---- */

static uint64_t hash_order_key(const fl_order_key *key)
{
    uint64_t hash = (uint64_t)key->is_descending * 4 + (uint64_t)key->nulls_first * 2 + key->is_null_free;
    for (int32_t i = 0; i < key->n_cols; i++)
        hash = fl_hash_combine(hash, (uint64_t)key->cols[i].n);
    return hash;
}

static uint64_t hash_item(const fl_attr_field *f, const void *attrs, int32_t i)
{
    switch (f->kind) {
    case FL_FIELD_SORT_KEYS: {
        const fl_sort_key *key = &AT(const fl_sort_key *, attrs, f->offset)[i];
        return fl_hash_combine(fl_expr_head_of(key->expr)->hash, (uint64_t)key->is_descending * 2 + key->nulls_first);
    }
    case FL_FIELD_ORDER_KEYS:
        return hash_order_key(&AT(const fl_order_key *, attrs, f->offset)[i]);
    default:
        return (uint64_t)AT(const fl_agg *, attrs, f->offset)[i].out.n;
    }
}

uint64_t fl_field_hash(const fl_attr_field *f, const void *attrs)
{
    uint64_t hash = 0x51ED;
    switch (f->kind) {
    case FL_FIELD_EXPR: {
        const fl_expr *expr = AT(const fl_expr *, attrs, f->offset);
        return expr == NULL ? 7 : fl_expr_head_of(expr)->hash;
    }
    case FL_FIELD_PLAN: {
        const fl_node *node = AT(const fl_node *, attrs, f->offset);
        return node == NULL ? 7 : fl_node_hash(node);
    }
    case FL_FIELD_COL:
    case FL_FIELD_I32:
    case FL_FIELD_ENUM:
        return (uint64_t)AT(int32_t, attrs, f->offset);
    case FL_FIELD_I64:
        return (uint64_t)AT(int64_t, attrs, f->offset);
    case FL_FIELD_F64:
        return bits_of(AT(double, attrs, f->offset));
    case FL_FIELD_BOOL:
        return AT(bool, attrs, f->offset);
    case FL_FIELD_TABLE: {
        const fl_table *table = AT(fl_table *, attrs, f->offset);
        return fl_hash_bytes(table->name.data, table->name.len);
    }
    case FL_FIELD_STR:
    case FL_FIELD_NAME: {
        fl_str s = AT(fl_str, attrs, f->offset);
        return fl_hash_bytes(s.data, s.len);
    }
    case FL_FIELD_TYPE:
        return fl_type_hash(AT(fl_type, attrs, f->offset));
    case FL_FIELD_VALUE: {
        const fl_value *value = AT(const fl_value *, attrs, f->offset);
        return value == NULL ? 7 : fl_value_hash(value);
    }
    case FL_FIELD_EXPRS: {
        const fl_expr *const *exprs = AT(const fl_expr *const *, attrs, f->offset);
        for (int32_t i = 0, n = fl_field_count(f, attrs); i < n; i++)
            hash = fl_hash_combine(hash, fl_expr_head_of(exprs[i])->hash);
        return hash;
    }
    case FL_FIELD_COLS:
    case FL_FIELD_COLS_USED: {
        const fl_col_id *cols = AT(const fl_col_id *, attrs, f->offset);
        for (int32_t i = 0, n = fl_field_count(f, attrs); i < n; i++)
            hash = fl_hash_combine(hash, (uint64_t)cols[i].n);
        return hash;
    }
    case FL_FIELD_SORT_KEYS:
    case FL_FIELD_ORDER_KEYS:
    case FL_FIELD_AGGS:
        for (int32_t i = 0, n = fl_field_count(f, attrs); i < n; i++)
            hash = fl_hash_combine(hash, hash_item(f, attrs, i));
        return hash;
    }
    return hash;
}

uint64_t fl_fields_hash(const fl_attr_field *fields, int32_t n_fields, const void *attrs, uint64_t hash)
{
    for (int32_t i = 0; i < n_fields; i++)
        hash = fl_hash_combine(hash, fl_field_hash(&fields[i], attrs));
    return hash;
}

/* ---- copying ---- */

/* A copy of an array in the new place; NULL where it is empty. */
static fl_status take_copy(fl_field_mover *mover, const void *array, int64_t bytes, int64_t alignment, void **ret,
                           fl_err *err)
{
    *ret = NULL;
    if (bytes == 0)
        return FL_OK;
    fl_status st = mover->take(mover, bytes, alignment, ret, err);
    if (st == FL_OK)
        memcpy(*ret, array, (size_t)bytes);
    return st;
}

#define TAKE_COPY(mover, array, n, ret, err)                                                            \
    take_copy((mover), (array), (n) * (int64_t)sizeof(**(ret)), (int64_t)_Alignof(__typeof__(**(ret))), \
              (void **)(ret), (err))

fl_status fl_field_move_str(fl_field_mover *mover, fl_str *s, fl_err *err)
{
    char *copy = NULL;
    fl_status st = mover->take(mover, s->len + 1, 1, (void **)&copy, err);
    if (st != FL_OK)
        return st;
    if (s->len > 0)
        memcpy(copy, s->data, (size_t)s->len);
    copy[s->len] = 0;
    s->data = copy;
    return FL_OK;
}

static fl_status move_cols(fl_field_mover *mover, const fl_col_id **cols, int32_t n, bool is_made, fl_err *err)
{
    fl_col_id *copy = NULL;
    fl_status st = TAKE_COPY(mover, *cols, n, &copy, err);
    for (int32_t i = 0; copy != NULL && i < n && st == FL_OK && mover->move_col != NULL; i++)
        mover->move_col(mover, &copy[i], is_made);
    *cols = copy;
    return st;
}

static fl_status move_expr(fl_field_mover *mover, const fl_expr **expr, fl_err *err)
{
    return *expr == NULL || mover->move_expr == NULL ? FL_OK : mover->move_expr(mover, expr, err);
}

static fl_status move_exprs(fl_field_mover *mover, const fl_expr *const **exprs, int32_t n, fl_err *err)
{
    const fl_expr **copy = NULL;
    fl_status st = TAKE_COPY(mover, *exprs, n, &copy, err);
    for (int32_t i = 0; copy != NULL && i < n && st == FL_OK; i++)
        st = move_expr(mover, &copy[i], err);
    *exprs = copy;
    return st;
}

static fl_status move_sort_keys(fl_field_mover *mover, const fl_sort_key **keys, int32_t n, fl_err *err)
{
    fl_sort_key *copy = NULL;
    fl_status st = TAKE_COPY(mover, *keys, n, &copy, err);
    for (int32_t i = 0; copy != NULL && i < n && st == FL_OK; i++)
        st = move_expr(mover, &copy[i].expr, err);
    *keys = copy;
    return st;
}

static fl_status move_order_keys(fl_field_mover *mover, const fl_order_key **keys, int32_t n, fl_err *err)
{
    fl_order_key *copy = NULL;
    fl_status st = TAKE_COPY(mover, *keys, n, &copy, err);
    for (int32_t i = 0; copy != NULL && i < n && st == FL_OK; i++)
        st = move_cols(mover, &copy[i].cols, copy[i].n_cols, false, err);
    *keys = copy;
    return st;
}

static fl_status move_frame(fl_field_mover *mover, const fl_frame **frame, fl_err *err)
{
    fl_frame *copy = NULL;
    if (*frame == NULL)
        return FL_OK;
    fl_status st = TAKE_COPY(mover, *frame, 1, &copy, err);
    for (int32_t i = 0; i < FL_FRAME_EXPRS && st == FL_OK; i++)
        st = move_expr(mover, &copy->exprs[i], err);
    *frame = copy;
    return st;
}

static fl_status move_agg(fl_field_mover *mover, fl_agg *agg, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(move_sort_keys(mover, &agg->order, agg->n_order, err));
    FL_TRY(move_frame(mover, &agg->frame, err));
    if (mover->move_expr == NULL)
        return FL_OK;
    for (int32_t i = 0; i < agg->n_args; i++)
        FL_TRY(move_expr(mover, &agg->args[i], err));
    FL_TRY(move_expr(mover, &agg->filter, err));
    FL_TRY(mover->move_type(mover, &agg->type, err));
    mover->move_col(mover, &agg->out, true);
cleanup:
    return st;
}

static fl_status move_aggs(fl_field_mover *mover, const fl_agg **aggs, int32_t n, fl_err *err)
{
    fl_agg *copy = NULL;
    fl_status st = TAKE_COPY(mover, *aggs, n, &copy, err);
    for (int32_t i = 0; i < n && st == FL_OK; i++)
        st = move_agg(mover, &copy[i], err);
    *aggs = copy;
    return st;
}

static fl_status move_field(fl_field_mover *mover, const fl_attr_field *f, void *attrs, fl_err *err)
{
    switch (f->kind) {
    case FL_FIELD_I64:
    case FL_FIELD_I32:
    case FL_FIELD_F64:
    case FL_FIELD_BOOL:
    case FL_FIELD_ENUM:
        return FL_OK;
    case FL_FIELD_EXPR:
        return move_expr(mover, FL_FIELD_SLOT(const fl_expr *, attrs, f->offset), err);
    case FL_FIELD_PLAN: {
        const fl_node **node = FL_FIELD_SLOT(const fl_node *, attrs, f->offset);
        return *node == NULL || mover->move_node == NULL ? FL_OK : mover->move_node(mover, node, err);
    }
    case FL_FIELD_COL:
        if (mover->move_col != NULL)
            mover->move_col(mover, FL_FIELD_SLOT(fl_col_id, attrs, f->offset), true);
        return FL_OK;
    case FL_FIELD_TABLE:
        return mover->note_table == NULL ? FL_OK : mover->note_table(mover, AT(fl_table *, attrs, f->offset), err);
    case FL_FIELD_STR:
    case FL_FIELD_NAME:
        return fl_field_move_str(mover, FL_FIELD_SLOT(fl_str, attrs, f->offset), err);
    case FL_FIELD_TYPE:
        return mover->move_type(mover, FL_FIELD_SLOT(fl_type, attrs, f->offset), err);
    case FL_FIELD_VALUE: {
        const fl_value **value = FL_FIELD_SLOT(const fl_value *, attrs, f->offset);
        return *value == NULL ? FL_OK : mover->move_value(mover, value, err);
    }
    case FL_FIELD_EXPRS:
        return move_exprs(mover, FL_FIELD_SLOT(const fl_expr *const *, attrs, f->offset), fl_field_count(f, attrs),
                          err);
    case FL_FIELD_COLS:
    case FL_FIELD_COLS_USED:
        return move_cols(mover, FL_FIELD_SLOT(const fl_col_id *, attrs, f->offset), fl_field_count(f, attrs),
                         f->kind == FL_FIELD_COLS, err);
    case FL_FIELD_SORT_KEYS:
        return move_sort_keys(mover, FL_FIELD_SLOT(const fl_sort_key *, attrs, f->offset), fl_field_count(f, attrs),
                              err);
    case FL_FIELD_ORDER_KEYS:
        return move_order_keys(mover, FL_FIELD_SLOT(const fl_order_key *, attrs, f->offset), fl_field_count(f, attrs),
                               err);
    case FL_FIELD_AGGS:
        return move_aggs(mover, FL_FIELD_SLOT(const fl_agg *, attrs, f->offset), fl_field_count(f, attrs), err);
    }
    return FL_OK;
}

fl_status fl_fields_move(fl_field_mover *mover, const fl_attr_field *fields, int32_t n_fields, void *attrs, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < n_fields && st == FL_OK; i++)
        st = move_field(mover, &fields[i], attrs, err);
    return st;
}

/* Into an arena of the same plan. */
typedef struct arena_mover {
    fl_field_mover base;
    fl_arena *arena;
} arena_mover;

static fl_status take_of_arena(fl_field_mover *mover, int64_t bytes, int64_t alignment, void **ret, fl_err *err)
{
    (void)alignment; /* an arena's is enough for all */
    return fl_arena_get(((arena_mover *)mover)->arena, bytes, ret, err);
}

static fl_status copy_type(fl_field_mover *mover, fl_type *type, fl_err *err)
{
    return fl_type_copy(((arena_mover *)mover)->arena, *type, type, err);
}

static fl_status copy_value(fl_field_mover *mover, const fl_value **value, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena *arena = ((arena_mover *)mover)->arena;
    fl_value *copy = NULL;
    FL_TRY(FL_NEW(arena, &copy, err));
    FL_TRY(fl_value_copy(arena, *value, copy, err));
    *value = copy;
cleanup:
    return st;
}

fl_status fl_fields_copy(fl_arena *arena, const fl_attr_field *fields, int32_t n_fields, void *attrs, fl_err *err)
{
    arena_mover mover = {{.take = take_of_arena, .move_type = copy_type, .move_value = copy_value}, arena};
    return fl_fields_move(&mover.base, fields, n_fields, attrs, err);
}

/* ---- expressions and columns ---- */

static fl_status visit_field(const fl_attr_field *f, const void *attrs, fl_expr_visitor fn, void *ctx, fl_err *err)
{
    fl_status st = FL_OK;
    if (f->kind == FL_FIELD_EXPR) {
        const fl_expr *e = AT(const fl_expr *, attrs, f->offset);
        return e == NULL ? FL_OK : fn(ctx, e, err);
    }
    if (f->kind != FL_FIELD_EXPRS && f->kind != FL_FIELD_SORT_KEYS && f->kind != FL_FIELD_AGGS)
        return FL_OK;
    for (int32_t i = 0; i < fl_field_count(f, attrs); i++) {
        if (f->kind == FL_FIELD_EXPRS) {
            FL_TRY(fn(ctx, AT(const fl_expr *const *, attrs, f->offset)[i], err));
        } else if (f->kind == FL_FIELD_SORT_KEYS) {
            FL_TRY(fn(ctx, AT(const fl_sort_key *, attrs, f->offset)[i].expr, err));
        } else {
            const fl_agg *agg = &AT(const fl_agg *, attrs, f->offset)[i];
            for (int32_t a = 0; a < agg->n_args; a++)
                FL_TRY(fn(ctx, agg->args[a], err));
            if (agg->filter != NULL)
                FL_TRY(fn(ctx, agg->filter, err));
            for (int32_t o = 0; o < agg->n_order; o++)
                FL_TRY(fn(ctx, agg->order[o].expr, err));
            for (int32_t e = 0; e < FL_FRAME_EXPRS && agg->frame != NULL; e++)
                if (agg->frame->exprs[e] != NULL)
                    FL_TRY(fn(ctx, agg->frame->exprs[e], err));
        }
    }
cleanup:
    return st;
}

fl_status fl_fields_visit_exprs(const fl_attr_field *fields, int32_t n_fields, const void *attrs, fl_expr_visitor fn,
                                void *ctx, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < n_fields && st == FL_OK; i++)
        st = visit_field(&fields[i], attrs, fn, ctx, err);
    return st;
}

fl_status fl_fields_add_cols(fl_arena *arena, const fl_attr_field *fields, int32_t n_fields, const void *attrs,
                             fl_col_set *set, fl_err *err)
{
    fl_status st = FL_OK;
    for (const fl_attr_field *f = fields; f < fields + n_fields; f++) {
        if (f->kind == FL_FIELD_COLS_USED) {
            for (int32_t i = 0; i < fl_field_count(f, attrs); i++)
                FL_TRY(fl_col_set_add(arena, set, AT(const fl_col_id *, attrs, f->offset)[i], err));
        } else if (f->kind == FL_FIELD_ORDER_KEYS) {
            for (int32_t i = 0; i < fl_field_count(f, attrs); i++) {
                const fl_order_key *key = &AT(const fl_order_key *, attrs, f->offset)[i];
                FL_TRY(fl_col_set_add_cols(arena, set, key->cols, key->n_cols, err));
            }
        } else if (f->kind == FL_FIELD_PLAN) {
            const fl_node *node = AT(const fl_node *, attrs, f->offset);
            if (node != NULL)
                FL_TRY(fl_col_set_add_all(arena, set, &node->outer, err));
        }
    }
cleanup:
    return st;
}

static fl_status rewrite_keys(fl_expr_walk *walk, const fl_sort_key *keys, int32_t n, fl_expr_rewriter fn, void *ctx,
                              const fl_sort_key **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sort_key *copy = NULL;
    const fl_expr *now = NULL;
    *ret = keys;
    for (int32_t i = 0; i < n; i++) {
        FL_TRY(fl_expr_walk_rewrite(walk, keys[i].expr, fn, ctx, &now, err));
        if (now == keys[i].expr)
            continue;
        if (copy == NULL) {
            FL_TRY(FL_NEW_ARRAY(fl_plan_arena(walk->plan), n, &copy, err));
            memcpy(copy, keys, (size_t)n * sizeof(*copy));
            *ret = copy;
        }
        copy[i].expr = now;
    }
cleanup:
    return st;
}

static fl_status rewrite_exprs(fl_expr_walk *walk, const fl_expr *const *exprs, int32_t n, fl_expr_rewriter fn,
                               void *ctx, const fl_expr *const **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **copy = NULL, *now = NULL;
    *ret = exprs;
    for (int32_t i = 0; i < n; i++) {
        FL_TRY(fl_expr_walk_rewrite(walk, exprs[i], fn, ctx, &now, err));
        if (now == exprs[i])
            continue;
        if (copy == NULL) {
            FL_TRY(FL_NEW_ARRAY(fl_plan_arena(walk->plan), n, &copy, err));
            memcpy(copy, exprs, (size_t)n * sizeof(*copy));
            *ret = copy;
        }
        copy[i] = now;
    }
cleanup:
    return st;
}

static fl_status rewrite_frame(fl_expr_walk *walk, const fl_frame **frame, fl_expr_rewriter fn, void *ctx, fl_err *err)
{
    fl_status st = FL_OK;
    fl_frame now = **frame, *copy = NULL;
    for (int32_t i = 0; i < FL_FRAME_EXPRS; i++)
        if (now.exprs[i] != NULL)
            FL_TRY(fl_expr_walk_rewrite(walk, now.exprs[i], fn, ctx, &now.exprs[i], err));
    if (is_same_frame(&now, *frame))
        return FL_OK;
    FL_TRY(FL_NEW(fl_plan_arena(walk->plan), &copy, err));
    *copy = now;
    *frame = copy;
cleanup:
    return st;
}

static fl_status rewrite_agg(fl_expr_walk *walk, fl_agg *agg, fl_expr_rewriter fn, void *ctx, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t a = 0; a < agg->n_args; a++)
        FL_TRY(fl_expr_walk_rewrite(walk, agg->args[a], fn, ctx, &agg->args[a], err));
    if (agg->filter != NULL)
        FL_TRY(fl_expr_walk_rewrite(walk, agg->filter, fn, ctx, &agg->filter, err));
    if (agg->n_order > 0)
        FL_TRY(rewrite_keys(walk, agg->order, agg->n_order, fn, ctx, &agg->order, err));
    if (agg->frame != NULL)
        FL_TRY(rewrite_frame(walk, &agg->frame, fn, ctx, err));
cleanup:
    return st;
}

static fl_status rewrite_aggs(fl_expr_walk *walk, const fl_agg *aggs, int32_t n, fl_expr_rewriter fn, void *ctx,
                              const fl_agg **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_agg *copy = NULL;
    *ret = aggs;
    for (int32_t i = 0; i < n; i++) {
        fl_agg now = aggs[i];
        FL_TRY(rewrite_agg(walk, &now, fn, ctx, err));
        if (is_same_agg(&now, &aggs[i]))
            continue;
        if (copy == NULL) {
            FL_TRY(FL_NEW_ARRAY(fl_plan_arena(walk->plan), n, &copy, err));
            memcpy(copy, aggs, (size_t)n * sizeof(*copy));
            *ret = copy;
        }
        copy[i] = now;
    }
cleanup:
    return st;
}

static fl_status rewrite_field(fl_expr_walk *walk, const fl_attr_field *f, void *attrs, fl_expr_rewriter fn, void *ctx,
                               fl_err *err)
{
    if (f->kind == FL_FIELD_EXPR) {
        const fl_expr **slot = FL_FIELD_SLOT(const fl_expr *, attrs, f->offset);
        return *slot == NULL ? FL_OK : fl_expr_walk_rewrite(walk, *slot, fn, ctx, slot, err);
    }
    int32_t n = f->kind == FL_FIELD_EXPRS || f->kind == FL_FIELD_SORT_KEYS || f->kind == FL_FIELD_AGGS
                    ? fl_field_count(f, attrs)
                    : 0;
    if (n == 0)
        return FL_OK;
    if (f->kind == FL_FIELD_SORT_KEYS) {
        const fl_sort_key **slot = FL_FIELD_SLOT(const fl_sort_key *, attrs, f->offset);
        return rewrite_keys(walk, *slot, n, fn, ctx, slot, err);
    }
    if (f->kind == FL_FIELD_EXPRS) {
        const fl_expr *const **slot = FL_FIELD_SLOT(const fl_expr *const *, attrs, f->offset);
        return rewrite_exprs(walk, *slot, n, fn, ctx, slot, err);
    }
    const fl_agg **slot = FL_FIELD_SLOT(const fl_agg *, attrs, f->offset);
    return rewrite_aggs(walk, *slot, n, fn, ctx, slot, err);
}

fl_status fl_fields_rewrite_exprs(fl_expr_walk *walk, const fl_attr_field *fields, int32_t n_fields, void *attrs,
                                  fl_expr_rewriter fn, void *ctx, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < n_fields && st == FL_OK; i++)
        st = rewrite_field(walk, &fields[i], attrs, fn, ctx, err);
    return st;
}

/* ---- printing ---- */

static void print_direction(fl_text *text, bool is_descending, bool nulls_first)
{
    if (is_descending)
        fl_text_add(text, FL_STR(" DESC"));
    if (nulls_first != is_descending)
        fl_text_add(text, nulls_first ? FL_STR(" NULLS FIRST") : FL_STR(" NULLS LAST"));
}

static void print_key(fl_text *text, const fl_plan *plan, const fl_sort_key *key)
{
    fl_expr_print(text, plan, key->expr);
    print_direction(text, key->is_descending, key->nulls_first);
}

void fl_order_key_print(fl_text *text, const fl_plan *plan, const fl_order_key *key)
{
    for (int32_t i = 0; i < key->n_cols; i++) {
        if (i > 0)
            fl_text_add_char(text, '=');
        fl_text_add(text, fl_plan_col(plan, key->cols[i])->name);
    }
    print_direction(text, key->is_descending, key->is_null_free ? key->is_descending : key->nulls_first);
}

/* Whether the order is the aggregate's own, which nobody wrote. */
static bool is_own_order(const fl_agg *agg)
{
    return agg->agg->is_sorted && agg->n_order == 1 && agg->order[0].expr == agg->args[0] &&
           !agg->order[0].is_descending && !agg->order[0].nulls_first;
}

static void print_bound(fl_text *text, const fl_plan *plan, uint8_t bound, const fl_expr *offset)
{
    static const char *const names[] = {"UNBOUNDED PRECEDING", "PRECEDING", "CURRENT ROW", "FOLLOWING",
                                        "UNBOUNDED FOLLOWING"};
    if (offset != NULL) {
        fl_expr_print(text, plan, offset);
        fl_text_add_char(text, ' ');
    }
    fl_text_add(text, fl_str_of(names[bound]));
}

/* What nobody needs to write is not shown. */
static void print_frame(fl_text *text, const fl_plan *plan, const fl_frame *frame)
{
    static const char *const units[] = {"RANGE", "ROWS", "GROUPS"};
    static const char *const excludes[] = {"NO OTHERS", "CURRENT ROW", "GROUP", "TIES"};
    if (frame->ignores_nulls)
        fl_text_add(text, FL_STR(" IGNORE NULLS"));
    if (frame->unit != FL_FRAME_RANGE || frame->start != FL_FRAME_UNBOUNDED_PRECEDING ||
        frame->end != FL_FRAME_CURRENT_ROW) {
        fl_text_addf(text, " %s BETWEEN ", units[frame->unit]);
        print_bound(text, plan, frame->start, frame->exprs[FL_FRAME_START_OFFSET]);
        fl_text_add(text, FL_STR(" AND "));
        print_bound(text, plan, frame->end, frame->exprs[FL_FRAME_END_OFFSET]);
    }
    if (frame->exclude != FL_EXCLUDE_NO_OTHERS)
        fl_text_addf(text, " EXCLUDE %s", excludes[frame->exclude]);
}

static void print_agg(fl_text *text, const fl_plan *plan, const fl_agg *agg)
{
    fl_text_addf(text, "%s(%s", agg->agg->name, agg->is_distinct ? "DISTINCT " : "");
    if (agg->n_args == 0 && agg->agg->window == 0)
        fl_text_add_char(text, '*');
    for (int32_t i = 0; i < agg->n_args; i++) {
        if (i > 0)
            fl_text_add(text, FL_STR(", "));
        fl_expr_print(text, plan, agg->args[i]);
    }
    for (int32_t i = 0; i < agg->n_order && !is_own_order(agg); i++) {
        fl_text_add(text, i == 0 ? FL_STR(" ORDER BY ") : FL_STR(", "));
        print_key(text, plan, &agg->order[i]);
    }
    fl_text_add_char(text, ')');
    if (agg->filter != NULL) {
        fl_text_add(text, FL_STR(" FILTER "));
        fl_expr_print(text, plan, agg->filter);
    }
    if (agg->frame != NULL)
        print_frame(text, plan, agg->frame);
}

/* A plan in one line: "limit(sort(scan))". */
static void print_plan(fl_text *text, const fl_node *node, int *left)
{
    if (--*left < 0) {
        fl_text_add(text, FL_STR("…"));
        return;
    }
    fl_text_add(text, fl_str_of(node->op->name));
    for (int32_t i = 0; i < node->n_inputs && *left >= 0; i++) {
        fl_text_add(text, i == 0 ? FL_STR("(") : FL_STR(", "));
        print_plan(text, node->inputs[i], left);
    }
    if (node->n_inputs > 0)
        fl_text_add_char(text, ')');
}

static void print_item(fl_text *text, const fl_plan *plan, const fl_attr_field *f, const void *attrs, int32_t i)
{
    switch (f->kind) {
    case FL_FIELD_EXPRS:
        fl_expr_print(text, plan, AT(const fl_expr *const *, attrs, f->offset)[i]);
        return;
    case FL_FIELD_SORT_KEYS:
        print_key(text, plan, &AT(const fl_sort_key *, attrs, f->offset)[i]);
        return;
    case FL_FIELD_ORDER_KEYS:
        fl_order_key_print(text, plan, &AT(const fl_order_key *, attrs, f->offset)[i]);
        return;
    case FL_FIELD_AGGS:
        print_agg(text, plan, &AT(const fl_agg *, attrs, f->offset)[i]);
        return;
    default:
        fl_text_add(text, fl_plan_col(plan, AT(const fl_col_id *, attrs, f->offset)[i])->name);
        return;
    }
}

bool fl_field_print(fl_text *text, const fl_plan *plan, const fl_attr_field *f, const void *attrs)
{
    if (f->is_hidden)
        return false;
    switch (f->kind) {
    case FL_FIELD_EXPR: {
        const fl_expr *e = AT(const fl_expr *, attrs, f->offset);
        if (e != NULL)
            fl_expr_print(text, plan, e);
        return e != NULL;
    }
    case FL_FIELD_I64:
        if (AT(int64_t, attrs, f->offset) < 0)
            return false;
        fl_text_addf(text, "%lld", (long long)AT(int64_t, attrs, f->offset));
        return true;
    case FL_FIELD_I32:
        fl_text_addf(text, "%d", AT(int32_t, attrs, f->offset));
        return true;
    case FL_FIELD_F64: {
        fl_value number = {.type = FL_TYPE(FL_F64), .f = AT(double, attrs, f->offset)};
        if (isnan(number.f))
            return false;
        fl_value_print(text, &number);
        return true;
    }
    case FL_FIELD_BOOL:
        if (AT(bool, attrs, f->offset))
            fl_text_add(text, FL_STR("yes"));
        return AT(bool, attrs, f->offset);
    case FL_FIELD_ENUM:
        fl_text_add(text, fl_str_of(f->names[AT(int32_t, attrs, f->offset)]));
        return true;
    case FL_FIELD_TABLE:
        fl_text_add(text, AT(fl_table *, attrs, f->offset)->name);
        return true;
    case FL_FIELD_STR:
    case FL_FIELD_NAME:
        fl_text_add(text, AT(fl_str, attrs, f->offset));
        return true;
    case FL_FIELD_TYPE:
        fl_type_print(text, AT(fl_type, attrs, f->offset));
        return true;
    case FL_FIELD_VALUE: {
        const fl_value *value = AT(const fl_value *, attrs, f->offset);
        if (value != NULL)
            fl_value_print_sql(text, value);
        return value != NULL;
    }
    case FL_FIELD_PLAN: {
        const fl_node *node = AT(const fl_node *, attrs, f->offset);
        int left = PRINTED_NODES_MAX;
        if (node != NULL)
            print_plan(text, node, &left);
        return node != NULL;
    }
    case FL_FIELD_COL:
        if (AT(fl_col_id, attrs, f->offset).n == 0)
            return false;
        fl_text_add(text, fl_plan_col(plan, AT(fl_col_id, attrs, f->offset))->name);
        return true;
    case FL_FIELD_EXPRS:
    case FL_FIELD_COLS:
    case FL_FIELD_COLS_USED:
    case FL_FIELD_SORT_KEYS:
    case FL_FIELD_ORDER_KEYS:
    case FL_FIELD_AGGS:
        break;
    }
    int32_t n = fl_field_count(f, attrs);
    bool is_conjunction = f->is_unordered && f->kind == FL_FIELD_EXPRS;
    for (int32_t i = 0; i < n; i++) {
        if (i > 0)
            fl_text_add(text, is_conjunction ? FL_STR(" AND ") : FL_STR(", "));
        print_item(text, plan, f, attrs, i);
    }
    return n > 0;
}
