/* Operators: making (hash-consed), rewriting, visiting, hashing; all generic over the class's fields[]. */
#include "plan/node.h"

#include "base/hash.h"
#include "base/interrupt.h"
#include "plan/plan_internal.h"
#include "plan/table.h"

#define FIELD_AT(type, attrs, offset) (*(type *)((char *)(uintptr_t)(attrs) + (offset)))

static int32_t count_of(const fl_attr_field *f, const void *attrs)
{
    return FIELD_AT(const int32_t, attrs, f->count_offset);
}

typedef struct node_key {
    const fl_op_desc *op;
    const void *attrs;
    const fl_trait_set *traits;
    const fl_node *const *inputs;
    int32_t n_inputs;
    const fl_col_id *cols;
    int32_t n_cols;
} node_key;

static bool is_same_agg(const fl_agg *a, const fl_agg *b)
{
    if (a->agg != b->agg || a->kernel != b->kernel || a->n_args != b->n_args || a->filter != b->filter ||
        a->is_distinct != b->is_distinct || a->n_order != b->n_order || a->out.n != b->out.n)
        return false;
    for (int32_t i = 0; i < a->n_args; i++)
        if (a->args[i] != b->args[i])
            return false;
    for (int32_t i = 0; i < a->n_order; i++)
        if (a->order[i].expr != b->order[i].expr || a->order[i].is_descending != b->order[i].is_descending ||
            a->order[i].nulls_first != b->order[i].nulls_first)
            return false;
    return true;
}

static bool is_same_field(const fl_attr_field *f, const void *a, const void *b)
{
    int32_t n = 0;
    switch (f->kind) {
    case FL_FIELD_EXPR:
        return FIELD_AT(const fl_expr *, a, f->offset) == FIELD_AT(const fl_expr *, b, f->offset);
    case FL_FIELD_COL:
    case FL_FIELD_I32:
    case FL_FIELD_ENUM:
        return FIELD_AT(int32_t, a, f->offset) == FIELD_AT(int32_t, b, f->offset);
    case FL_FIELD_I64:
        return FIELD_AT(int64_t, a, f->offset) == FIELD_AT(int64_t, b, f->offset);
    case FL_FIELD_BOOL:
        return FIELD_AT(bool, a, f->offset) == FIELD_AT(bool, b, f->offset);
    case FL_FIELD_TABLE:
        return FIELD_AT(fl_table *, a, f->offset) == FIELD_AT(fl_table *, b, f->offset);
    case FL_FIELD_NAME:
        return fl_str_is_equal(FIELD_AT(fl_str, a, f->offset), FIELD_AT(fl_str, b, f->offset));
    case FL_FIELD_EXPRS:
    case FL_FIELD_COLS:
    case FL_FIELD_COLS_USED:
    case FL_FIELD_SORT_KEYS:
    case FL_FIELD_AGGS:
        break;
    }
    if ((n = count_of(f, a)) != count_of(f, b))
        return false;
    for (int32_t i = 0; i < n; i++) {
        if (f->kind == FL_FIELD_EXPRS) {
            if (FIELD_AT(const fl_expr *const *, a, f->offset)[i] != FIELD_AT(const fl_expr *const *, b, f->offset)[i])
                return false;
        } else if (f->kind == FL_FIELD_SORT_KEYS) {
            const fl_sort_key *x = &FIELD_AT(const fl_sort_key *, a, f->offset)[i];
            const fl_sort_key *y = &FIELD_AT(const fl_sort_key *, b, f->offset)[i];
            if (x->expr != y->expr || x->is_descending != y->is_descending || x->nulls_first != y->nulls_first)
                return false;
        } else if (f->kind == FL_FIELD_AGGS) {
            if (!is_same_agg(&FIELD_AT(const fl_agg *, a, f->offset)[i], &FIELD_AT(const fl_agg *, b, f->offset)[i]))
                return false;
        } else if (FIELD_AT(const fl_col_id *, a, f->offset)[i].n != FIELD_AT(const fl_col_id *, b, f->offset)[i].n) {
            return false;
        }
    }
    return true;
}

static bool is_same_node(const void *ctx, const void *thing)
{
    const node_key *k = ctx;
    const fl_node *n = thing;
    if (k->op != n->op || k->traits != n->traits || k->n_inputs != n->n_inputs || k->n_cols != n->n_cols)
        return false;
    for (int32_t i = 0; i < k->n_inputs; i++)
        if (k->inputs[i] != n->inputs[i])
            return false;
    for (int32_t i = 0; i < k->n_cols; i++)
        if (k->cols[i].n != n->cols[i].n)
            return false;
    for (int32_t i = 0; i < k->op->n_fields; i++)
        if (!is_same_field(&k->op->fields[i], k->attrs, n->attrs))
            return false;
    return true;
}

/* Hash of a field within the plan, by pointers' hashes and ids. */
static uint64_t hash_field(const fl_attr_field *f, const void *attrs)
{
    uint64_t hash = 0x51ED;
#define EXPR_HASH(e) ((e) == NULL ? 7 : (e)->hash)
    switch (f->kind) {
    case FL_FIELD_EXPR:
        return EXPR_HASH(FIELD_AT(const fl_expr *, attrs, f->offset));
    case FL_FIELD_COL:
        return (uint64_t)FIELD_AT(fl_col_id, attrs, f->offset).n;
    case FL_FIELD_I32:
    case FL_FIELD_ENUM:
        return (uint64_t)FIELD_AT(int32_t, attrs, f->offset);
    case FL_FIELD_I64:
        return (uint64_t)FIELD_AT(int64_t, attrs, f->offset);
    case FL_FIELD_BOOL:
        return FIELD_AT(bool, attrs, f->offset);
    case FL_FIELD_TABLE: {
        const fl_table *table = FIELD_AT(fl_table *, attrs, f->offset);
        return fl_hash_bytes(table->name.data, table->name.len);
    }
    case FL_FIELD_NAME: {
        fl_str s = FIELD_AT(fl_str, attrs, f->offset);
        return fl_hash_bytes(s.data, s.len);
    }
    case FL_FIELD_EXPRS:
    case FL_FIELD_COLS:
    case FL_FIELD_COLS_USED:
    case FL_FIELD_SORT_KEYS:
    case FL_FIELD_AGGS:
        break;
    }
    for (int32_t i = 0; i < count_of(f, attrs); i++) {
        uint64_t one = 0;
        if (f->kind == FL_FIELD_EXPRS) {
            one = EXPR_HASH(FIELD_AT(const fl_expr *const *, attrs, f->offset)[i]);
        } else if (f->kind == FL_FIELD_SORT_KEYS) {
            const fl_sort_key *key = &FIELD_AT(const fl_sort_key *, attrs, f->offset)[i];
            one = fl_hash_combine(EXPR_HASH(key->expr), (uint64_t)key->is_descending * 2 + key->nulls_first);
        } else if (f->kind == FL_FIELD_AGGS) {
            one = (uint64_t)FIELD_AT(const fl_agg *, attrs, f->offset)[i].out.n;
        } else {
            one = (uint64_t)FIELD_AT(const fl_col_id *, attrs, f->offset)[i].n;
        }
        hash = fl_hash_combine(hash, one);
    }
    return hash;
#undef EXPR_HASH
}

typedef struct derive {
    fl_plan *plan;
    fl_col_set used;
    bool can_fail;
    uint32_t holds;
} derive;

/* What the plans of subqueries in an expression hold. */
static fl_status add_subqueries(fl_expr_walk *walk, const fl_expr *expr, uint32_t *holds, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_new = true;
    if (!(expr->flags & FL_EXPR_HAS_SUBQUERY))
        return FL_OK;
    FL_TRY(fl_expr_walk_enter(walk, expr, &is_new, err));
    if (is_new && expr->kind == FL_EXPR_SUBQUERY)
        *holds |= expr->subquery->query->holds;
    for (int32_t i = 0; i < expr->n_args && is_new; i++)
        FL_TRY(add_subqueries(walk, expr->args[i], holds, err));
cleanup:
    return st;
}

static fl_status derive_expr(void *ctx, const fl_expr *expr, fl_err *err)
{
    derive *d = ctx;
    d->can_fail |= (expr->flags & FL_EXPR_CAN_FAIL) != 0;
    d->holds |= expr->flags & FL_EXPR_VOLATILE ? FL_HOLDS_VOLATILE : 0;
    if (expr->flags & FL_EXPR_HAS_SUBQUERY) {
        fl_expr_walk walk;
        fl_expr_walk_init(&walk, d->plan);
        d->holds |= FL_HOLDS_DEPENDENT;
        fl_status st = add_subqueries(&walk, expr, &d->holds, err);
        fl_expr_walk_drop(&walk);
        if (st != FL_OK)
            return st;
    }
    return fl_expr_add_cols(&d->plan->arena, expr, &d->used, err);
}

static fl_status visit_field(const fl_attr_field *f, const void *attrs, fl_expr_visitor fn, void *ctx, fl_err *err)
{
    fl_status st = FL_OK;
    if (f->kind == FL_FIELD_EXPR) {
        const fl_expr *e = FIELD_AT(const fl_expr *, attrs, f->offset);
        return e == NULL ? FL_OK : fn(ctx, e, err);
    }
    if (f->kind != FL_FIELD_EXPRS && f->kind != FL_FIELD_SORT_KEYS && f->kind != FL_FIELD_AGGS)
        return FL_OK;
    for (int32_t i = 0; i < count_of(f, attrs); i++) {
        if (f->kind == FL_FIELD_EXPRS) {
            FL_TRY(fn(ctx, FIELD_AT(const fl_expr *const *, attrs, f->offset)[i], err));
        } else if (f->kind == FL_FIELD_SORT_KEYS) {
            FL_TRY(fn(ctx, FIELD_AT(const fl_sort_key *, attrs, f->offset)[i].expr, err));
        } else {
            const fl_agg *agg = &FIELD_AT(const fl_agg *, attrs, f->offset)[i];
            for (int32_t a = 0; a < agg->n_args; a++)
                FL_TRY(fn(ctx, agg->args[a], err));
            if (agg->filter != NULL)
                FL_TRY(fn(ctx, agg->filter, err));
            for (int32_t o = 0; o < agg->n_order; o++)
                FL_TRY(fn(ctx, agg->order[o].expr, err));
        }
    }
cleanup:
    return st;
}

fl_status fl_node_visit_exprs(const fl_node *node, fl_expr_visitor fn, void *ctx, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < node->op->n_fields && st == FL_OK; i++)
        st = visit_field(&node->op->fields[i], node->attrs, fn, ctx, err);
    return st;
}

/* Visits the expressions, and adds the columns that are read by themselves. */
static fl_status add_used(fl_arena *arena, const fl_op_desc *op, const void *attrs, fl_expr_visitor fn, void *ctx,
                          fl_col_set *used, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < op->n_fields; i++) {
        const fl_attr_field *f = &op->fields[i];
        FL_TRY(visit_field(f, attrs, fn, ctx, err));
        if (f->kind == FL_FIELD_COLS_USED)
            for (int32_t c = 0; c < count_of(f, attrs); c++)
                FL_TRY(fl_col_set_add(arena, used, FIELD_AT(const fl_col_id *, attrs, f->offset)[c], err));
    }
cleanup:
    return st;
}

typedef struct using
{
    fl_arena *arena;
    fl_col_set *set;
}
using;

static fl_status use_expr(void *ctx, const fl_expr *expr, fl_err *err)
{
    using *u = ctx;
    return fl_expr_add_cols(u->arena, expr, u->set, err);
}

fl_status fl_node_add_used_cols(fl_arena *arena, const fl_node *node, fl_col_set *set, fl_err *err)
{
    using u = {arena, set};
    return add_used(arena, node->op, node->attrs, use_expr, &u, set, err);
}

static fl_status fill_node(fl_plan *plan, const node_key *key, fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    void *attrs = NULL;
    fl_col_id *cols = NULL;
    derive d = {.plan = plan};
    FL_TRY(fl_arena_get_zero(&plan->arena, key->op->attr_bytes, &attrs, err));
    memcpy(attrs, key->attrs, (size_t)key->op->attr_bytes);
    FL_TRY(FL_NEW_ARRAY(&plan->arena, key->n_cols, &cols, err));
    if (key->n_cols > 0)
        memcpy(cols, key->cols, (size_t)key->n_cols * sizeof(*cols));
    node->op = key->op;
    node->attrs = attrs;
    node->traits = key->traits;
    node->n_inputs = key->n_inputs;
    node->n_cols = key->n_cols;
    node->cols = cols;
    node->height = 1;
    node->id = ++plan->n_nodes;
    fl_col_set_init(&node->made);
    FL_TRY(fl_col_set_add_cols(fl_plan_arena(plan), &node->made, cols, key->n_cols, err));
    fl_col_set_init(&d.used);
    FL_TRY(add_used(&plan->arena, key->op, attrs, derive_expr, &d, &d.used, err));
    node->can_fail = d.can_fail;
    node->holds = d.holds | key->op->holds;
    for (int32_t i = 0; i < key->n_inputs; i++) {
        const fl_node *input = key->inputs[i];
        node->inputs[i] = input;
        node->can_fail |= input->can_fail;
        node->holds |= input->holds;
        if (input->height >= node->height)
            node->height = input->height + 1;
        FL_TRY(fl_col_set_add_all(fl_plan_arena(plan), &d.used, &input->outer, err));
    }
    if (key->op->is_computed_once)
        node->holds &= FL_HOLDS_DEPENDENT;
    node->outer = d.used;
    for (int32_t i = 0; i < key->n_inputs; i++)
        fl_col_set_remove_all(&node->outer, &key->inputs[i]->made);
    if (key->n_inputs == 0) /* a leaf's filters read its own columns, also those that it does not put out */
        for (int32_t i = 0; i < key->op->n_fields; i++) {
            const fl_attr_field *f = &key->op->fields[i];
            if (f->kind == FL_FIELD_COLS)
                for (int32_t c = 0; c < count_of(f, attrs); c++)
                    fl_col_set_remove(&node->outer, FIELD_AT(const fl_col_id *, attrs, f->offset)[c]);
        }
    double rows = key->op->derive_rows != NULL ? key->op->derive_rows(plan, node) : 1;
    node->rows = rows >= 0 && rows < 1e300 ? rows : 1e300; /* also NaN: an estimate never makes arithmetic fail */
cleanup:
    return st;
}

fl_status fl_node_make(fl_plan *plan, const fl_op_desc *op, const void *attrs, const fl_trait_set *traits,
                       const fl_node *const *inputs, int32_t n_inputs, const fl_col_id *cols, int32_t n_cols,
                       const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_node *node = NULL;
    fl_col_id *all = NULL;
    FL_ASSERT(n_inputs <= FL_NODE_INPUTS_MAX);
    FL_TRY(fl_interrupt_check(plan->arena.memory != NULL ? plan->arena.memory->interrupt : NULL, err));
    if (traits == NULL)
        traits = plan->no_traits;
    if (cols == NULL) {
        FL_TRY(fl_plan_scratch_cols(plan, &all, err));
        n_cols = op->derive_cols(plan, attrs, inputs, all);
        cols = all;
    }
    node_key key = {op, attrs, traits, inputs, n_inputs, cols, n_cols};
    uint64_t hash = fl_hash_combine(fl_hash_bytes(op->name, (int64_t)strlen(op->name)), traits->hash);
    for (int32_t i = 0; i < n_inputs; i++)
        hash = fl_hash_combine(hash, inputs[i]->hash);
    for (int32_t i = 0; i < n_cols; i++)
        hash = fl_hash_combine(hash, (uint64_t)cols[i].n);
    for (int32_t i = 0; i < op->n_fields; i++)
        hash = fl_hash_combine(hash, hash_field(&op->fields[i], attrs));
    const fl_node *known = fl_intern_find(&plan->nodes, hash, is_same_node, &key);
    if (known != NULL) {
        *ret = known;
        return FL_OK;
    }
    FL_TRY(FL_NEW(&plan->arena, &node, err));
    node->hash = hash;
    FL_TRY(fill_node(plan, &key, node, err));
    if (node->height > 1000000)
        return FL_FAIL(err, FL_ERR_LIMIT, "the plan is more than 1,000,000 operators deep");
    FL_TRY(fl_intern_add(plan, &plan->nodes, hash, node, err));
    *ret = node;
cleanup:
    return st;
}

fl_status fl_node_with_inputs(fl_plan *plan, const fl_node *node, const fl_node *const *inputs, const fl_node **ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_id *all = NULL, *kept = NULL;
    int32_t n_kept = 0;
    bool same = true;
    for (int32_t i = 0; i < node->n_inputs; i++)
        same &= inputs[i] == node->inputs[i];
    if (same) {
        *ret = node;
        return FL_OK;
    }
    FL_TRY(fl_plan_scratch_cols(plan, &all, err));
    FL_TRY(FL_NEW_ARRAY(&plan->arena, node->n_cols + 1, &kept, err));
    int32_t n_all = node->op->derive_cols(plan, node->attrs, inputs, all);
    fl_col_set possible;
    fl_col_set_init(&possible);
    FL_TRY(fl_col_set_add_cols(fl_plan_arena(plan), &possible, all, n_all, err));
    for (int32_t i = 0; i < node->n_cols; i++)
        if (fl_col_set_has(&possible, node->cols[i]))
            kept[n_kept++] = node->cols[i];
    st = fl_node_make(plan, node->op, node->attrs, node->traits, inputs, node->n_inputs, kept, n_kept, ret, err);
cleanup:
    return st;
}

fl_status fl_node_with_traits(fl_plan *plan, const fl_node *node, const fl_trait_set *traits, const fl_node **ret,
                              fl_err *err)
{
    return fl_node_make(plan, node->op, node->attrs, traits, node->inputs, node->n_inputs, node->cols, node->n_cols,
                        ret, err);
}

fl_status fl_node_with_cols(fl_plan *plan, const fl_node *node, const fl_col_id *cols, int32_t n_cols,
                            const fl_node **ret, fl_err *err)
{
    return fl_node_make(plan, node->op, node->attrs, node->traits, node->inputs, node->n_inputs, cols, n_cols, ret,
                        err);
}

static fl_status rewrite_keys(fl_expr_walk *walk, const fl_sort_key *keys, int32_t n, fl_expr_rewriter fn, void *ctx,
                              const fl_sort_key **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sort_key *copy = NULL;
    FL_TRY(FL_NEW_ARRAY(&walk->plan->arena, n, &copy, err));
    for (int32_t i = 0; i < n; i++) {
        copy[i] = keys[i];
        FL_TRY(fl_expr_walk_rewrite(walk, keys[i].expr, fn, ctx, &copy[i].expr, err));
    }
    *ret = copy;
cleanup:
    return st;
}

static fl_status rewrite_field(fl_expr_walk *walk, const fl_attr_field *f, void *attrs, fl_expr_rewriter fn, void *ctx,
                               fl_err *err)
{
    fl_status st = FL_OK;
    if (f->kind == FL_FIELD_EXPR) {
        const fl_expr **slot = &FIELD_AT(const fl_expr *, attrs, f->offset);
        return *slot == NULL ? FL_OK : fl_expr_walk_rewrite(walk, *slot, fn, ctx, slot, err);
    }
    int32_t n =
        f->kind == FL_FIELD_EXPRS || f->kind == FL_FIELD_SORT_KEYS || f->kind == FL_FIELD_AGGS ? count_of(f, attrs) : 0;
    if (n == 0)
        return FL_OK;
    if (f->kind == FL_FIELD_SORT_KEYS) {
        const fl_sort_key **slot = &FIELD_AT(const fl_sort_key *, attrs, f->offset);
        return rewrite_keys(walk, *slot, n, fn, ctx, slot, err);
    }
    if (f->kind == FL_FIELD_EXPRS) {
        const fl_expr **copy = NULL;
        const fl_expr *const **slot = &FIELD_AT(const fl_expr *const *, attrs, f->offset);
        FL_TRY(FL_NEW_ARRAY(&walk->plan->arena, n, &copy, err));
        for (int32_t i = 0; i < n; i++)
            FL_TRY(fl_expr_walk_rewrite(walk, (*slot)[i], fn, ctx, &copy[i], err));
        *slot = copy;
        return FL_OK;
    }
    fl_agg *copy = NULL;
    const fl_agg **slot = &FIELD_AT(const fl_agg *, attrs, f->offset);
    FL_TRY(FL_NEW_ARRAY(&walk->plan->arena, n, &copy, err));
    memcpy(copy, *slot, (size_t)n * sizeof(*copy));
    for (int32_t i = 0; i < n; i++) {
        for (int32_t a = 0; a < copy[i].n_args; a++)
            FL_TRY(fl_expr_walk_rewrite(walk, copy[i].args[a], fn, ctx, &copy[i].args[a], err));
        if (copy[i].filter != NULL)
            FL_TRY(fl_expr_walk_rewrite(walk, copy[i].filter, fn, ctx, &copy[i].filter, err));
        if (copy[i].n_order > 0)
            FL_TRY(rewrite_keys(walk, copy[i].order, copy[i].n_order, fn, ctx, &copy[i].order, err));
    }
    *slot = copy;
cleanup:
    return st;
}

fl_status fl_node_rewrite_exprs(fl_plan *plan, const fl_node *node, fl_expr_rewriter fn, void *ctx, const fl_node **ret,
                                fl_err *err)
{
    fl_status st = FL_OK;
    void *attrs = NULL;
    fl_expr_walk walk;
    fl_expr_walk_init(&walk, plan);
    FL_TRY(fl_arena_get(&plan->arena, node->op->attr_bytes, &attrs, err));
    memcpy(attrs, node->attrs, (size_t)node->op->attr_bytes);
    for (int32_t i = 0; i < node->op->n_fields; i++)
        FL_TRY(rewrite_field(&walk, &node->op->fields[i], attrs, fn, ctx, err));
    st = fl_node_make(plan, node->op, attrs, node->traits, node->inputs, node->n_inputs, node->cols, node->n_cols, ret,
                      err);
cleanup:
    fl_expr_walk_drop(&walk);
    return st;
}

/* Nodes seen on a walk: bits by id. */
typedef struct seen {
    fl_memory *memory;
    uint64_t *bits;
    int64_t capacity;       /* words */
    const fl_node **result; /* rewriting: by id */
    int64_t result_capacity;
    bool settles; /* what was rewritten is entered again */
} seen;

static fl_status mark(seen *s, int32_t id, bool *ret_was, fl_err *err)
{
    int64_t word = id >> 6, old = s->capacity;
    fl_status st = fl_grow(s->memory, (void **)&s->bits, &s->capacity, word + 1, 8, err);
    if (st != FL_OK)
        return st;
    if (s->capacity > old)
        memset(s->bits + old, 0, (size_t)(s->capacity - old) * 8);
    *ret_was = fl_bit_get(s->bits, id);
    fl_bit_set(s->bits, id);
    return FL_OK;
}

static fl_status visit(seen *s, const fl_node *node, fl_node_visitor fn, void *ctx, fl_err *err)
{
    fl_status st = FL_OK;
    bool was = false;
    FL_TRY(mark(s, node->id, &was, err));
    if (was)
        return FL_OK;
    for (int32_t i = 0; i < node->n_inputs; i++)
        FL_TRY(visit(s, node->inputs[i], fn, ctx, err));
    st = fn(ctx, node, err);
cleanup:
    return st;
}

fl_status fl_node_visit(const fl_node *node, fl_node_visitor fn, void *ctx, fl_err *err)
{
    seen s = {0};
    fl_status st = visit(&s, node, fn, ctx, err);
    fl_free(s.bits);
    return st;
}

static fl_status note_result(seen *s, const fl_node *node, const fl_node *result, fl_err *err)
{
    int64_t old = s->result_capacity;
    fl_status st =
        fl_grow(s->memory, (void **)&s->result, &s->result_capacity, node->id + 1, (int64_t)sizeof(*s->result), err);
    if (st != FL_OK)
        return st;
    if (s->result_capacity > old)
        memset(s->result + old, 0, (size_t)(s->result_capacity - old) * sizeof(*s->result));
    s->result[node->id] = result;
    return FL_OK;
}

static fl_status rewrite(seen *s, fl_plan *plan, const fl_node *node, fl_node_rewriter fn, void *ctx,
                         const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *inputs[FL_NODE_INPUTS_MAX] = {0};
    if (node->id < s->result_capacity && s->result[node->id] != NULL) {
        *ret = s->result[node->id];
        return FL_OK;
    }
    for (const fl_node *given = node;;) {
        const fl_node *now = given;
        for (int32_t i = 0; i < given->n_inputs; i++)
            FL_TRY(rewrite(s, plan, given->inputs[i], fn, ctx, &inputs[i], err));
        FL_TRY(fl_node_with_inputs(plan, given, inputs, &now, err));
        FL_TRY(fn(ctx, plan, now, ret, err));
        if (!s->settles || *ret == now)
            break;
        given = *ret;
    }
    if (s->settles) /* met again below what is made later, it is done */
        FL_TRY(note_result(s, *ret, *ret, err));
    st = note_result(s, node, *ret, err);
cleanup:
    return st;
}

fl_status fl_node_settle(fl_plan *plan, const fl_node *node, fl_node_rewriter fn, void *ctx, const fl_node **ret,
                         fl_err *err)
{
    seen s = {.memory = plan->arena.memory, .settles = true};
    fl_status st = rewrite(&s, plan, node, fn, ctx, ret, err);
    fl_free(s.result);
    return st;
}

fl_status fl_node_rewrite(fl_plan *plan, const fl_node *node, fl_node_rewriter fn, void *ctx, const fl_node **ret,
                          fl_err *err)
{
    seen s = {.memory = plan->arena.memory};
    fl_status st = rewrite(&s, plan, node, fn, ctx, ret, err);
    fl_free(s.result);
    return st;
}
