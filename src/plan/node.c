/* Operators: making (hash-consed), rewriting, visiting, hashing; all generic over the class's fields[]. */
#include "plan/node.h"

#include "base/hash.h"
#include "base/interrupt.h"
#include "plan/plan_internal.h"
#include "plan/table.h"

typedef struct node_key {
    const fl_op_desc *op;
    const void *attrs;
    const fl_trait_set *traits;
    const fl_node *const *inputs;
    int32_t n_inputs;
    const fl_col_id *cols;
    int32_t n_cols;
} node_key;

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
    return fl_fields_are_same(k->op->fields, k->op->n_fields, k->attrs, n->attrs);
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
    if (is_new && expr->kind == FL_EXPR_SUBQUERY) {
        *holds |= expr->subquery->query->holds;
        for (int32_t i = 0; i < expr->subquery->n_left; i++)
            FL_TRY(add_subqueries(walk, expr->subquery->left[i], holds, err));
    }
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
    return fl_expr_add_cols(fl_plan_arena(d->plan), expr, &d->used, err);
}

fl_status fl_node_visit_exprs(const fl_node *node, fl_expr_visitor fn, void *ctx, fl_err *err)
{
    return fl_fields_visit_exprs(node->op->fields, node->op->n_fields, node->attrs, fn, ctx, err);
}

/* Visits the expressions, and adds the columns that are read by themselves. */
static fl_status add_used(fl_arena *arena, const fl_op_desc *op, const void *attrs, fl_expr_visitor fn, void *ctx,
                          fl_col_set *used, fl_err *err)
{
    fl_status st = fl_fields_visit_exprs(op->fields, op->n_fields, attrs, fn, ctx, err);
    return st != FL_OK ? st : fl_fields_add_cols(arena, op->fields, op->n_fields, attrs, used, err);
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

/* What a plan that is an attribute adds: it is no input, but runs below the node as one. */
static void derive_plans(fl_node *node, derive *d)
{
    for (int32_t i = 0; i < node->op->n_fields; i++) {
        const fl_attr_field *f = &node->op->fields[i];
        const fl_node *plan = f->kind == FL_FIELD_PLAN ? FL_FIELD_AT(const fl_node *, node->attrs, f->offset) : NULL;
        if (plan == NULL)
            continue;
        d->can_fail |= plan->can_fail;
        d->holds |= plan->holds;
        if (plan->height >= node->height)
            node->height = plan->height + 1;
    }
}

/* What follows from attributes and inputs. */
static fl_status derive_node(fl_plan *plan, fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_op_desc *op = node->op;
    derive d = {.plan = plan};
    node->height = 1;
    fl_col_set_init(&d.used);
    FL_TRY(add_used(fl_plan_arena(plan), op, node->attrs, derive_expr, &d, &d.used, err));
    derive_plans(node, &d);
    node->can_fail = d.can_fail;
    node->holds = (uint16_t)(d.holds | op->holds);
    for (int32_t i = 0; i < node->n_inputs; i++) {
        const fl_node *input = node->inputs[i];
        node->can_fail |= input->can_fail;
        node->holds |= input->holds;
        if (input->height >= node->height)
            node->height = input->height + 1;
        FL_TRY(fl_col_set_add_all(fl_plan_arena(plan), &d.used, &input->outer, err));
    }
    node->holds &= (uint16_t)~op->hides;
    if (op->is_computed_once)
        node->holds &= FL_HOLDS_DEPENDENT | FL_HOLDS_ROUND;
    node->outer = d.used;
    for (int32_t i = 0; i < node->n_inputs; i++)
        fl_col_set_remove_all(&node->outer, &node->inputs[i]->made);
    if (node->n_inputs == 0) /* a leaf's filters read its own columns, also those that it does not put out */
        for (int32_t i = 0; i < op->n_fields; i++) {
            const fl_attr_field *f = &op->fields[i];
            if (f->kind == FL_FIELD_COLS)
                for (int32_t c = 0; c < fl_field_count(f, node->attrs); c++)
                    fl_col_set_remove(&node->outer, FL_FIELD_AT(const fl_col_id *, node->attrs, f->offset)[c]);
        }
    double rows = op->derive_rows != NULL ? op->derive_rows(plan, node) : 1;
    node->rows = rows >= 0 && rows < 1e300 ? rows : 1e300; /* also NaN: an estimate never makes arithmetic fail */
cleanup:
    return st;
}

/* `of`: a node that it is made again of, whose attributes and what they point to lie in the plan's arena already, or else the key's
 * do, and nobody will change them; or NULL. */
static fl_status fill_node(fl_plan *plan, const node_key *key, const fl_node *of, fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_id *cols = NULL;
    const fl_op_desc *op = key->op;
    node->attrs = key->attrs;
    if (of == NULL && op->attr_bytes > 0) {
        void *attrs = NULL;
        FL_TRY(fl_arena_get(fl_plan_arena(plan), op->attr_bytes, &attrs, err));
        memcpy(attrs, key->attrs, (size_t)op->attr_bytes);
        FL_TRY(fl_fields_copy(fl_plan_arena(plan), op->fields, op->n_fields, attrs, err));
        node->attrs = attrs;
    }
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), key->n_cols, &cols, err));
    if (key->n_cols > 0)
        memcpy(cols, key->cols, (size_t)key->n_cols * sizeof(*cols));
    node->op = op;
    node->traits = key->traits;
    node->n_cols = key->n_cols;
    node->cols = cols;
    node->id = ++plan->n_nodes;
    fl_col_set_init(&node->made);
    FL_TRY(fl_col_set_add_cols(fl_plan_arena(plan), &node->made, cols, key->n_cols, err));
    if (of == NULL || key->attrs != of->attrs || key->inputs != of->inputs || of->id <= plan->making->n_unsampled)
        return derive_node(plan, node, err);
    node->height = of->height;
    node->can_fail = of->can_fail;
    node->holds = of->holds;
    node->outer = of->outer; /* frozen, as the node that it is of */
    node->rows = of->rows;
cleanup:
    return st;
}

/* A node with its head in front of it and its inputs behind it. */
static fl_status new_node(fl_plan *plan, const node_key *key, uint64_t hash, fl_node **ret, fl_err *err)
{
    struct {
        fl_node_head head;
        fl_node node;
    } *whole = NULL;
    fl_status st =
        fl_arena_get_zero(fl_plan_arena(plan), (int64_t)sizeof(*whole) + key->n_inputs * (int64_t)sizeof(*key->inputs),
                          (void **)&whole, err);
    if (st != FL_OK)
        return st;
    whole->head.hash = hash;
    for (int32_t i = 0; i < key->n_inputs; i++)
        whole->node.inputs[i] = key->inputs[i];
    whole->node.n_inputs = key->n_inputs;
    *ret = &whole->node;
    return FL_OK;
}

static fl_status make(fl_plan *plan, const node_key *key, const fl_node *of, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_node *node = NULL;
    const fl_op_desc *op = key->op;
    FL_ASSERT(plan->making != NULL && (op->n_inputs < 0 || key->n_inputs == op->n_inputs));
    FL_TRY(fl_interrupt_check(plan->memory != NULL ? plan->memory->interrupt : NULL, err));
    uint64_t hash = fl_hash_combine(fl_hash_bytes(op->name, (int64_t)strlen(op->name)), key->traits->hash);
    for (int32_t i = 0; i < key->n_inputs; i++)
        hash = fl_hash_combine(hash, fl_node_hash(key->inputs[i]));
    for (int32_t i = 0; i < key->n_cols; i++)
        hash = fl_hash_combine(hash, (uint64_t)key->cols[i].n);
    hash = fl_fields_hash(op->fields, op->n_fields, key->attrs, hash);
    const fl_node *known = fl_intern_find(&plan->making->nodes, hash, is_same_node, key);
    if (known != NULL) {
        *ret = known;
        return FL_OK;
    }
    FL_TRY(new_node(plan, key, hash, &node, err));
    FL_TRY(fill_node(plan, key, of, node, err));
    if (node->height > 1000000)
        return FL_FAIL(err, FL_ERR_LIMIT, "the plan is more than 1,000,000 operators deep");
    FL_TRY(fl_intern_add(plan, &plan->making->nodes, hash, node, err));
    *ret = node;
cleanup:
    return st;
}

fl_status fl_node_make(fl_plan *plan, const fl_op_desc *op, const void *attrs, const fl_trait_set *traits,
                       const fl_node *const *inputs, int32_t n_inputs, const fl_col_id *cols, int32_t n_cols,
                       const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_id *all = NULL;
    node_key key = {op, attrs, traits != NULL ? traits : fl_trait_none(plan), inputs, n_inputs, cols, n_cols};
    if (cols == NULL) {
        FL_TRY(fl_plan_scratch_cols(plan, &all, err));
        key.n_cols = op->derive_cols(plan, attrs, inputs, all);
        key.cols = all;
    }
    st = make(plan, &key, NULL, ret, err);
cleanup:
    return st;
}

/* Makes a node again, changed. */
static fl_status make_of(fl_plan *plan, const fl_node *node, const node_key *key, const fl_node **ret, fl_err *err)
{
    fl_status st = make(plan, key, node, ret, err);
    if (st != FL_OK || plan->making->provenance == NULL)
        return st;
    return fl_provenance_note_made(plan, node, *ret, key->inputs != node->inputs, err);
}

static node_key key_of(const fl_node *node)
{
    return (node_key){node->op, node->attrs, node->traits, node->inputs, node->n_inputs, node->cols, node->n_cols};
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
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), node->n_cols + 1, &kept, err));
    int32_t n_all = node->op->derive_cols(plan, node->attrs, inputs, all);
    fl_col_set possible;
    fl_col_set_init(&possible);
    FL_TRY(fl_col_set_add_cols(fl_plan_arena(plan), &possible, all, n_all, err));
    for (int32_t i = 0; i < node->n_cols; i++)
        if (fl_col_set_has(&possible, node->cols[i]))
            kept[n_kept++] = node->cols[i];
    node_key key = key_of(node);
    key.inputs = inputs;
    key.cols = kept;
    key.n_cols = n_kept;
    st = make_of(plan, node, &key, ret, err);
cleanup:
    return st;
}

fl_status fl_node_with_traits(fl_plan *plan, const fl_node *node, const fl_trait_set *traits, const fl_node **ret,
                              fl_err *err)
{
    node_key key = key_of(node);
    key.traits = traits;
    return make_of(plan, node, &key, ret, err);
}

fl_status fl_node_with_cols(fl_plan *plan, const fl_node *node, const fl_col_id *cols, int32_t n_cols,
                            const fl_node **ret, fl_err *err)
{
    node_key key = key_of(node);
    key.cols = cols;
    key.n_cols = n_cols;
    return make_of(plan, node, &key, ret, err);
}

static fl_status rewrite_exprs(fl_plan *plan, const fl_node *node, bool is_top_down, fl_expr_rewriter fn, void *ctx,
                               const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    void *attrs = NULL;
    size_t attr_bytes = (size_t)node->op->attr_bytes;
    fl_expr_walk walk;
    fl_expr_walk_init(&walk, plan);
    walk.is_top_down = is_top_down;
    *ret = node;
    if (attr_bytes == 0)
        return FL_OK;
    FL_TRY(fl_arena_get(fl_plan_arena(plan), node->op->attr_bytes, &attrs, err));
    memcpy(attrs, node->attrs, attr_bytes);
    FL_TRY(fl_fields_rewrite_exprs(&walk, node->op->fields, node->op->n_fields, attrs, fn, ctx, err));
    if (fl_fields_are_same(node->op->fields, node->op->n_fields, attrs, node->attrs))
        goto cleanup;
    node_key key = key_of(node);
    key.attrs = attrs;
    st = make_of(plan, node, &key, ret, err);
cleanup:
    fl_expr_walk_drop(&walk);
    return st;
}

fl_status fl_node_rewrite_exprs(fl_plan *plan, const fl_node *node, fl_expr_rewriter fn, void *ctx, const fl_node **ret,
                                fl_err *err)
{
    return rewrite_exprs(plan, node, false, fn, ctx, ret, err);
}

fl_status fl_node_replace_exprs(fl_plan *plan, const fl_node *node, fl_expr_rewriter fn, void *ctx, const fl_node **ret,
                                fl_err *err)
{
    return rewrite_exprs(plan, node, true, fn, ctx, ret, err);
}

/* Nodes seen on a walk: bits by id. */
typedef struct seen {
    fl_memory *memory;
    uint64_t *bits;
    int64_t capacity;    /* words */
    fl_settled *settled; /* rewriting: what became of nodes */
    bool settles;        /* what was rewritten is entered again */
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
    fl_settled *to = s->settled;
    int64_t old = to->capacity;
    fl_status st =
        fl_grow(s->memory, (void **)&to->results, &to->capacity, node->id + 1, (int64_t)sizeof(*to->results), err);
    if (st != FL_OK)
        return st;
    if (to->capacity > old)
        memset(to->results + old, 0, (size_t)(to->capacity - old) * sizeof(*to->results));
    to->results[node->id] = result;
    return FL_OK;
}

static fl_status rewrite(seen *s, fl_plan *plan, const fl_node *node, fl_node_rewriter fn, void *ctx,
                         const fl_node **ret, fl_err *err);

/* The node over its rewritten inputs. */
static fl_status rewrite_inputs(seen *s, fl_plan *plan, const fl_node *node, fl_node_rewriter fn, void *ctx,
                                const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node **inputs = NULL, *input = NULL; /* an array once there is another input */
    for (int32_t i = 0; i < node->n_inputs; i++) {
        FL_TRY(rewrite(s, plan, node->inputs[i], fn, ctx, &input, err));
        if (inputs == NULL && input != node->inputs[i]) {
            FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), node->n_inputs, &inputs, err));
            memcpy(inputs, node->inputs, (size_t)i * sizeof(*inputs));
        }
        if (inputs != NULL)
            inputs[i] = input;
    }
    *ret = node;
    if (inputs != NULL)
        st = fl_node_with_inputs(plan, node, inputs, ret, err);
cleanup:
    return st;
}

static fl_status rewrite(seen *s, fl_plan *plan, const fl_node *node, fl_node_rewriter fn, void *ctx,
                         const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    if (node->id < s->settled->capacity && s->settled->results[node->id] != NULL) {
        *ret = s->settled->results[node->id];
        return FL_OK;
    }
    for (const fl_node *given = node, *now = NULL;;) {
        FL_TRY(rewrite_inputs(s, plan, given, fn, ctx, &now, err));
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

fl_status fl_node_settle(fl_plan *plan, const fl_node *node, fl_node_rewriter fn, void *ctx, fl_settled *settled,
                         const fl_node **ret, fl_err *err)
{
    seen s = {.memory = plan->memory, .settled = settled, .settles = true};
    return rewrite(&s, plan, node, fn, ctx, ret, err);
}

fl_status fl_node_rewrite(fl_plan *plan, const fl_node *node, fl_node_rewriter fn, void *ctx, const fl_node **ret,
                          fl_err *err)
{
    fl_settled done = {0};
    seen s = {.memory = plan->memory, .settled = &done};
    fl_status st = rewrite(&s, plan, node, fn, ctx, ret, err);
    fl_free(done.results);
    return st;
}
