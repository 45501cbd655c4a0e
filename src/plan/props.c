/* Properties: derived once a node, remembered in the plan; what makes them up for the classes' derive_props. */
#include "plan/props.h"

#include "plan/expr_walk.h"
#include "plan/null.h"
#include "plan/plan_internal.h"

#include <math.h>

/* Copies, so that taking columns away below does not reach what is shared. */
static fl_status copy_set(fl_plan *plan, const fl_col_set *set, fl_col_set *ret, fl_err *err)
{
    fl_col_set_init(ret);
    return fl_col_set_add_all(fl_plan_arena(plan), ret, set, err);
}

fl_status fl_props_add_key(fl_plan *plan, fl_props *props, const fl_col_set *cols, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n = 0;
    for (int32_t i = 0; i < props->n_keys; i++)
        if (fl_col_set_has_all(cols, &props->keys[i])) /* a part of it is one */
            return FL_OK;
    for (int32_t i = 0; i < props->n_keys; i++)
        if (!fl_col_set_has_all(&props->keys[i], cols))
            props->keys[n++] = props->keys[i];
    props->n_keys = n;
    if (n == FL_PROPS_KEYS_MAX)
        return FL_OK;
    if (props->keys == NULL)
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), FL_PROPS_KEYS_MAX, &props->keys, err));
    FL_TRY(copy_set(plan, cols, &props->keys[n], err));
    props->n_keys++;
cleanup:
    return st;
}

fl_status fl_props_add_dependency(fl_plan *plan, fl_props *props, const fl_col_set *from, const fl_col_set *to,
                                  fl_err *err)
{
    fl_status st = FL_OK;
    fl_dependency *d = NULL;
    if (props->n_dependencies == FL_PROPS_DEPENDENCIES_MAX || fl_col_set_has_all(from, to))
        return FL_OK;
    if (props->dependencies == NULL)
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), FL_PROPS_DEPENDENCIES_MAX, &props->dependencies, err));
    d = &props->dependencies[props->n_dependencies];
    FL_TRY(copy_set(plan, from, &d->from, err));
    FL_TRY(copy_set(plan, to, &d->to, err));
    props->n_dependencies++;
cleanup:
    return st;
}

static int32_t find_equal(const fl_props *props, fl_col_id col)
{
    for (int32_t i = 0; i < props->n_equal; i++)
        if (fl_col_set_has(&props->equal[i], col))
            return i;
    return -1;
}

/* Adds a set of equal columns, none of which is in another. The words stay where they are: sets of equal columns never grow. */
static fl_status push_equal_set(fl_plan *plan, fl_props *props, const fl_col_set *cols, fl_err *err)
{
    fl_status st = FL_OK;
    if (props->n_equal == props->equal_capacity) { /* in the arena: what it grew from is left there */
        int64_t grown = props->n_equal == 0 ? 4 : props->n_equal * 2;
        fl_col_set *sets = NULL;
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), grown, &sets, err));
        if (props->n_equal > 0)
            memcpy(sets, props->equal, (size_t)props->n_equal * sizeof(*sets));
        props->equal = sets;
        props->equal_capacity = grown;
    }
    props->equal[props->n_equal++] = *cols;
cleanup:
    return st;
}

/* Adds a set of columns that are equal, which may join others that are known. */
static fl_status add_equal_set(fl_plan *plan, fl_props *props, const fl_col_set *cols, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set all;
    int32_t n = 0;
    FL_TRY(copy_set(plan, cols, &all, err));
    for (int32_t i = 0; i < props->n_equal; i++) {
        if (fl_col_set_meets(&props->equal[i], cols))
            FL_TRY(fl_col_set_add_all(fl_plan_arena(plan), &all, &props->equal[i], err));
        else
            props->equal[n++] = props->equal[i];
    }
    props->n_equal = n;
    st = push_equal_set(plan, props, &all, err);
cleanup:
    return st;
}

fl_status fl_props_add_equal(fl_plan *plan, fl_props *props, fl_col_id a, fl_col_id b, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set both;
    fl_col_set_init(&both);
    FL_TRY(fl_col_set_add(fl_plan_arena(plan), &both, a, err));
    FL_TRY(fl_col_set_add(fl_plan_arena(plan), &both, b, err));
    st = add_equal_set(plan, props, &both, err);
cleanup:
    return st;
}

bool fl_expr_is_equality(const fl_expr *e)
{
    return e->kind == FL_EXPR_CALL && e->n_args == 2 &&
           (strcmp(e->func->name, "=") == 0 || strcmp(e->func->name, "is_not_distinct_from") == 0);
}

static bool is_fixed(const fl_expr *e)
{
    return !(e->flags & (FL_EXPR_HAS_COLUMN | FL_EXPR_VOLATILE | FL_EXPR_HAS_SUBQUERY));
}

static fl_status add_test(fl_plan *plan, fl_props *props, const fl_expr *test, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < props->n_tests; i++)
        if (props->tests[i] == test)
            return FL_OK;
    if (props->n_tests == FL_PROPS_TESTS_MAX)
        return FL_OK;
    if (props->tests == NULL)
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), FL_PROPS_TESTS_MAX, &props->tests, err));
    props->tests[props->n_tests++] = test;
cleanup:
    return st;
}

static fl_status note_test(fl_plan *plan, fl_props *props, const fl_expr *conjunct, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set used;
    fl_col_set_init(&used);
    if (conjunct->size > FL_EXPR_SMALL || !fl_expr_is_movable(conjunct))
        return FL_OK;
    FL_TRY(fl_expr_add_cols(fl_plan_arena(plan), conjunct, &used, err));
    if (fl_col_set_count(&used) == 1)
        st = add_test(plan, props, conjunct, err);
cleanup:
    return st;
}

/* Of columns that are not null anyhow nothing need be kept in mind. */
static fl_status add_mark(fl_plan *plan, fl_props *props, fl_mark mark, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set_remove_all(&mark.not_null, &props->not_null);
    if (fl_col_set_is_empty(&mark.not_null) || props->n_marks == FL_PROPS_MARKS_MAX)
        return FL_OK;
    if (props->marks == NULL)
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), FL_PROPS_MARKS_MAX, &props->marks, err));
    props->marks[props->n_marks++] = mark;
cleanup:
    return st;
}

fl_status fl_props_add_mark(fl_plan *plan, fl_props *props, fl_col_id mark, const fl_expr *const *conjuncts, int32_t n,
                            fl_err *err)
{
    fl_status st = FL_OK;
    fl_mark made = {.col = mark};
    fl_col_set_init(&made.not_null);
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_expr_add_null_rejected(fl_plan_arena(plan), conjuncts[i], props->marks, props->n_marks,
                                         &made.not_null, err));
    st = add_mark(plan, props, made, err);
cleanup:
    return st;
}

fl_status fl_props_add_conjuncts(fl_plan *plan, fl_props *props, const fl_expr *const *conjuncts, int32_t n,
                                 fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < n; i++) {
        const fl_expr *e = conjuncts[i];
        if (e->kind == FL_EXPR_AND) { /* as folding leaves it */
            FL_TRY(fl_props_add_conjuncts(plan, props, e->args, e->n_args, err));
            continue;
        }
        FL_TRY(fl_expr_add_null_rejected(fl_plan_arena(plan), e, props->marks, props->n_marks, &props->not_null, err));
        FL_TRY(note_test(plan, props, e, err));
        if (!fl_expr_is_equality(e))
            continue;
        const fl_expr *a = e->args[0], *b = e->args[1];
        if (a->kind != FL_EXPR_COLUMN)
            a = e->args[1], b = e->args[0];
        if (a->kind != FL_EXPR_COLUMN || fl_type_is_float(a->type)) /* 0 and -0 are equal and not the same */
            continue;
        if (b->kind == FL_EXPR_COLUMN)
            FL_TRY(fl_props_add_equal(plan, props, a->col, b->col, err));
        else if (is_fixed(b))
            FL_TRY(fl_col_set_add(fl_plan_arena(plan), &props->constant, a->col, err));
    }
cleanup:
    return st;
}

fl_status fl_props_add_computed(fl_plan *plan, fl_props *props, fl_col_id col, const fl_expr *expr, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set from, to;
    if (expr->kind == FL_EXPR_COLUMN)
        return expr->col.n == col.n ? FL_OK : fl_props_add_equal(plan, props, col, expr->col, err);
    if (!fl_expr_can_be_null(expr, &props->not_null))
        FL_TRY(fl_col_set_add(fl_plan_arena(plan), &props->not_null, col, err));
    if (is_fixed(expr))
        return fl_col_set_add(fl_plan_arena(plan), &props->constant, col, err);
    if (expr->flags & (FL_EXPR_VOLATILE | FL_EXPR_HAS_SUBQUERY))
        return FL_OK;
    fl_col_set_init(&from);
    fl_col_set_init(&to);
    FL_TRY(fl_expr_add_cols(fl_plan_arena(plan), expr, &from, err));
    FL_TRY(fl_col_set_add(fl_plan_arena(plan), &to, col, err));
    st = fl_props_add_dependency(plan, props, &from, &to, err);
cleanup:
    return st;
}

fl_status fl_props_add_all(fl_plan *plan, fl_props *props, const fl_props *other, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_col_set_add_all(fl_plan_arena(plan), &props->not_null, &other->not_null, err));
    FL_TRY(fl_col_set_add_all(fl_plan_arena(plan), &props->constant, &other->constant, err));
    for (int32_t i = 0; i < other->n_tests; i++)
        FL_TRY(add_test(plan, props, other->tests[i], err));
    for (int32_t i = 0; i < other->n_marks; i++) {
        fl_mark mark = {.col = other->marks[i].col};
        FL_TRY(copy_set(plan, &other->marks[i].not_null, &mark.not_null, err));
        FL_TRY(add_mark(plan, props, mark, err));
    }
    for (int32_t i = 0; i < other->n_keys; i++)
        FL_TRY(fl_props_add_key(plan, props, &other->keys[i], err));
    bool is_first = props->n_equal == 0; /* the other's sets have nothing in common with each other */
    for (int32_t i = 0; i < other->n_equal; i++)
        FL_TRY((is_first ? push_equal_set : add_equal_set)(plan, props, &other->equal[i], err));
    for (int32_t i = 0; i < other->n_dependencies; i++)
        FL_TRY(fl_props_add_dependency(plan, props, &other->dependencies[i].from, &other->dependencies[i].to, err));
cleanup:
    return st;
}

fl_status fl_props_add_order(fl_plan *plan, fl_props *props, fl_ordering order, fl_err *err)
{
    fl_status st = FL_OK;
    fl_ordering *orders = NULL; /* made anew: those there are may be another node's */
    if (order.n_keys == 0 || props->n_orders == FL_PROPS_ORDERS_MAX)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), props->n_orders + 1, &orders, err));
    if (props->n_orders > 0)
        memcpy(orders, props->orders, (size_t)props->n_orders * sizeof(*orders));
    orders[props->n_orders++] = order;
    props->orders = orders;
cleanup:
    return st;
}

fl_status fl_props_put_order(fl_plan *plan, fl_props *props, const fl_sort_key *keys, int32_t n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_order_key *first = NULL;
    int32_t n_first = 0;
    bool is_whole = true;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n, &first, err));
    for (int32_t i = 0; i < n && is_whole; i++) {
        const fl_expr *e = keys[i].expr;
        if (e->kind == FL_EXPR_COLUMN)
            first[n_first++] = (fl_order_key){.cols = &e->col,
                                              .n_cols = 1,
                                              .is_descending = keys[i].is_descending,
                                              .nulls_first = keys[i].nulls_first};
        else
            is_whole = is_fixed(e);
    }
    const fl_ordering *before = props->orders;
    int32_t n_before = is_whole ? props->n_orders : 0;
    props->n_orders = 0;
    if (n_before == 0)
        return fl_props_add_order(plan, props, (fl_ordering){first, n_first}, err);
    for (int32_t i = 0; i < n_before; i++) {
        fl_order_key *both = NULL;
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n_first + before[i].n_keys, &both, err));
        memcpy(both, first, (size_t)n_first * sizeof(*both));
        memcpy(both + n_first, before[i].keys, (size_t)before[i].n_keys * sizeof(*both));
        FL_TRY(fl_props_add_order(plan, props, (fl_ordering){both, n_first + before[i].n_keys}, err));
    }
cleanup:
    return st;
}

fl_status fl_props_pass(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret, fl_err *err)
{
    (void)node;
    ret->rows_min = inputs[0]->rows_min;
    ret->rows_max = inputs[0]->rows_max;
    ret->orders = inputs[0]->orders;
    ret->n_orders = inputs[0]->n_orders;
    return fl_props_add_all(plan, ret, inputs[0], err);
}

fl_status fl_props_close(fl_plan *plan, const fl_props *props, fl_col_set *set, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_col_set_add_all(fl_plan_arena(plan), set, &props->constant, err));
    for (bool grows = true; grows;) {
        grows = false;
        for (int32_t i = 0; i < props->n_equal; i++) {
            if (!fl_col_set_meets(set, &props->equal[i]) || fl_col_set_has_all(set, &props->equal[i]))
                continue;
            FL_TRY(fl_col_set_add_all(fl_plan_arena(plan), set, &props->equal[i], err));
            grows = true;
        }
        for (int32_t i = 0; i < props->n_dependencies; i++) {
            const fl_dependency *d = &props->dependencies[i];
            if (!fl_col_set_has_all(set, &d->from) || fl_col_set_has_all(set, &d->to))
                continue;
            FL_TRY(fl_col_set_add_all(fl_plan_arena(plan), set, &d->to, err));
            grows = true;
        }
    }
cleanup:
    return st;
}

fl_status fl_props_has_key(fl_plan *plan, const fl_props *props, const fl_col_set *cols, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set all;
    *ret = false;
    if (props->n_keys == 0)
        return FL_OK;
    FL_TRY(copy_set(plan, cols, &all, err));
    FL_TRY(fl_props_close(plan, props, &all, err));
    for (int32_t i = 0; i < props->n_keys && !*ret; i++)
        *ret = fl_col_set_has_all(&all, &props->keys[i]);
cleanup:
    return st;
}

/* The first key, from `next` on, that is not decided by columns in which all rows agree; NULL: there is none. */
static const fl_order_key *open_key(const fl_ordering *order, const fl_col_set *fixed, int32_t *next)
{
    for (; *next < order->n_keys; ++*next) {
        const fl_order_key *key = &order->keys[*next];
        int32_t c = 0;
        while (c < key->n_cols && !fl_col_set_has(fixed, key->cols[c]))
            c++;
        if (c == key->n_cols)
            return key;
    }
    return NULL;
}

fl_status fl_props_decides_nothing(fl_plan *plan, const fl_props *props, const fl_col_set *fixed, const fl_expr *key,
                                   bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set read;
    fl_col_set_init(&read);
    *ret = false;
    for (int32_t i = 0; i < props->n_keys && !*ret; i++)
        *ret = fl_col_set_has_all(fixed, &props->keys[i]);
    if (*ret || (key->flags & (FL_EXPR_VOLATILE | FL_EXPR_HAS_SUBQUERY | FL_EXPR_CAN_FAIL)))
        goto cleanup;
    FL_TRY(fl_expr_add_cols(fl_plan_arena(plan), key, &read, err));
    *ret = fl_col_set_has_all(fixed, &read);
cleanup:
    return st;
}

fl_status fl_props_is_ordered(fl_plan *plan, const fl_props *props, const fl_sort_key *keys, int32_t n, bool *ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set fixed; /* what all rows agree in that agree in the keys so far */
    int32_t next[FL_PROPS_ORDERS_MAX] = {0};
    fl_col_set_init(&fixed);
    *ret = true;
    for (int32_t i = 0; i < n && *ret; i++) {
        const fl_expr *e = keys[i].expr;
        bool is_unique = false;
        FL_TRY(fl_props_close(plan, props, &fixed, err));
        FL_TRY(fl_props_has_key(plan, props, &fixed, &is_unique, err));
        if (is_unique)
            break;
        if (is_fixed(e) || (e->kind == FL_EXPR_COLUMN && fl_col_set_has(&fixed, e->col)))
            continue;
        *ret =
            false; /* among rows that agree in the keys so far, each of the orders holds from its first open key on */
        for (int32_t o = 0; o < props->n_orders && !*ret; o++) {
            const fl_order_key *key = open_key(&props->orders[o], &fixed, &next[o]);
            *ret = key != NULL && e->kind == FL_EXPR_COLUMN && fl_order_key_has(key, e->col) &&
                   key->is_descending == keys[i].is_descending &&
                   (key->is_null_free || key->nulls_first == keys[i].nulls_first ||
                    fl_col_set_has(&props->not_null, e->col));
        }
        if (*ret)
            FL_TRY(fl_col_set_add(fl_plan_arena(plan), &fixed, e->col, err));
    }
cleanup:
    return st;
}

/* The set without constants, and by columns that are put out; false where one is not and no other holds the same. */
static fl_status settle_set(fl_plan *plan, const fl_props *props, const fl_col_set *made, const fl_col_set *set,
                            fl_col_set *ret, bool *ret_ok, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set rest;
    FL_TRY(copy_set(plan, set, &rest, err));
    fl_col_set_remove_all(&rest, &props->constant);
    FL_TRY(copy_set(plan, &rest, ret, err));
    fl_col_set_keep_all(ret, made);
    fl_col_set_remove_all(&rest, made);
    *ret_ok = true;
    for (fl_col_id col = fl_col_set_first(&rest); col.n != 0 && *ret_ok; col = fl_col_set_first(&rest)) {
        int32_t at = find_equal(props, col);
        fl_col_set others;
        *ret_ok = false;
        fl_col_set_remove(&rest, col);
        if (at < 0)
            continue;
        FL_TRY(copy_set(plan, &props->equal[at], &others, err));
        fl_col_set_keep_all(&others, made);
        if (fl_col_set_is_empty(&others))
            continue;
        *ret_ok = true;
        FL_TRY(fl_col_set_add(fl_plan_arena(plan), ret, fl_col_set_first(&others), err));
    }
cleanup:
    return st;
}

/* An order as far as columns that are put out tell it. */
static fl_status settle_order(fl_plan *plan, const fl_node *node, const fl_props *from, const fl_ordering *order,
                              fl_props *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_order_key *keys = NULL;
    int32_t n_keys = 0;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), order->n_keys, &keys, err));
    for (int32_t i = 0; i < order->n_keys; i++) {
        fl_col_id col = order->keys[i].cols[0];
        fl_col_set cols;
        fl_col_id *ids = NULL;
        int32_t n = 0, at = find_equal(from, col);
        fl_col_set_init(&cols);
        if (fl_col_set_has(&from->constant, col))
            continue;
        FL_TRY(fl_col_set_add(fl_plan_arena(plan), &cols, col, err));
        if (at >= 0)
            FL_TRY(fl_col_set_add_all(fl_plan_arena(plan), &cols, &from->equal[at], err));
        fl_col_set_keep_all(&cols, &node->made);
        if (fl_col_set_is_empty(&cols))
            break;
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), fl_col_set_count(&cols), &ids, err));
        for (col = fl_col_set_first(&cols); col.n != 0; col = fl_col_set_first(&cols)) {
            ids[n++] = col;
            fl_col_set_remove(&cols, col);
        }
        keys[n_keys] = order->keys[i];
        keys[n_keys].cols = ids;
        keys[n_keys++].n_cols = n;
    }
    st = fl_props_add_order(plan, ret, (fl_ordering){keys, n_keys}, err);
cleanup:
    return st;
}

/* A test of a column that is not put out, said of one that is and holds the same: a subquery's column under another name. */
static fl_status settle_test(fl_plan *plan, const fl_node *node, const fl_props *from, const fl_expr *test,
                             fl_col_set *used, fl_props *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_substitution s = {0};
    fl_col_id col = fl_col_set_first(used);
    int32_t at = fl_col_set_count(used) == 1 ? find_equal(from, col) : -1;
    fl_col_set others;
    const fl_expr *other = NULL;
    if (at < 0)
        return FL_OK;
    FL_TRY(copy_set(plan, &from->equal[at], &others, err));
    fl_col_set_keep_all(&others, &node->made);
    if (fl_col_set_is_empty(&others))
        return FL_OK;
    fl_type type = fl_plan_col(plan, fl_col_set_first(&others))->type;
    if (!fl_type_is_equal(type, fl_plan_col(plan, col)->type) ||
        fl_type_is_float(type)) /* -0 is equal to 0, and prints as -0 */
        return FL_OK;
    FL_TRY(fl_expr_column(plan, fl_col_set_first(&others), -1, &other, err));
    FL_TRY(fl_substitution_init(&s, plan, &col, &other, 1, err));
    FL_TRY(fl_substitute(&s, test, &test, err));
    st = add_test(plan, ret, test, err);
cleanup:
    fl_substitution_drop(&s);
    return st;
}

/* What columns say of others that hold the same, and what speaks of columns that are not put out is taken away. */
static fl_status settle(fl_plan *plan, const fl_node *node, const fl_props *raw, fl_props *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_props from = *raw;
    *ret = (fl_props){.rows_min = raw->rows_min, .rows_max = raw->rows_max};
    for (int32_t i = 0; i < raw->n_equal; i++)
        if (fl_col_set_meets(&raw->equal[i], &from.not_null))
            FL_TRY(fl_col_set_add_all(fl_plan_arena(plan), &from.not_null, &raw->equal[i], err));
    if (!fl_col_set_is_empty(&raw->constant) || raw->n_dependencies > 0) /* what they determine is constant, too */
        FL_TRY(fl_props_close(plan, raw, &from.constant, err));
    FL_TRY(copy_set(plan, &from.not_null, &ret->not_null, err));
    fl_col_set_keep_all(&ret->not_null, &node->made);
    FL_TRY(copy_set(plan, &from.constant, &ret->constant, err));
    fl_col_set_keep_all(&ret->constant, &node->made);
    for (int32_t i = 0; i < raw->n_keys; i++) {
        fl_col_set key;
        bool ok;
        FL_TRY(settle_set(plan, &from, &node->made, &raw->keys[i], &key, &ok, err));
        if (ok)
            FL_TRY(fl_props_add_key(plan, ret, &key, err));
    }
    if (raw->rows_max <= 1) {
        fl_col_set none;
        fl_col_set_init(&none);
        FL_TRY(fl_props_add_key(plan, ret, &none, err));
    }
    for (int32_t i = 0; i < ret->n_keys && ret->rows_max > 1; i++)
        if (fl_col_set_is_empty(&ret->keys[i]))
            ret->rows_max = 1;
    for (int32_t i = 0; i < raw->n_dependencies; i++) {
        fl_col_set left, right;
        bool ok;
        FL_TRY(settle_set(plan, &from, &node->made, &raw->dependencies[i].from, &left, &ok, err));
        FL_TRY(copy_set(plan, &raw->dependencies[i].to, &right, err));
        fl_col_set_keep_all(&right, &node->made);
        if (ok)
            FL_TRY(fl_props_add_dependency(plan, ret, &left, &right, err));
    }
    for (int32_t i = 0; i < raw->n_equal; i++) {
        fl_col_set set;
        FL_TRY(copy_set(plan, &raw->equal[i], &set, err));
        fl_col_set_keep_all(&set, &node->made);
        if (fl_col_set_count(&set) > 1)
            FL_TRY(push_equal_set(plan, ret, &set, err));
    }
    for (int32_t i = 0; i < raw->n_tests; i++) {
        fl_col_set used;
        fl_col_set_init(&used);
        FL_TRY(fl_expr_add_cols(fl_plan_arena(plan), raw->tests[i], &used, err));
        if (fl_col_set_has_all(&node->made, &used))
            FL_TRY(add_test(plan, ret, raw->tests[i], err));
        else
            FL_TRY(settle_test(plan, node, &from, raw->tests[i], &used, ret, err));
    }
    for (int32_t i = 0; i < raw->n_marks; i++) {
        fl_mark mark = {.col = raw->marks[i].col};
        FL_TRY(copy_set(plan, &raw->marks[i].not_null, &mark.not_null, err));
        fl_col_set_keep_all(&mark.not_null, &node->made);
        if (fl_col_set_has(&node->made, mark.col))
            FL_TRY(add_mark(plan, ret, mark, err));
    }
    for (int32_t i = 0; i < raw->n_orders; i++)
        FL_TRY(settle_order(plan, node, &from, &raw->orders[i], ret, err));
cleanup:
    return st;
}

fl_status fl_node_props(fl_plan *plan, const fl_node *node, const fl_props **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_props **inputs = NULL;
    fl_props raw = {.rows_max = INFINITY}, *made = NULL;
    FL_ASSERT(plan->making != NULL);
    if (node->id < plan->making->props_capacity && plan->making->props[node->id] != NULL) {
        *ret = plan->making->props[node->id];
        return FL_OK;
    }
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), node->n_inputs, &inputs, err));
    for (int32_t i = 0; i < node->n_inputs; i++)
        FL_TRY(fl_node_props(plan, node->inputs[i], &inputs[i], err));
    if (node->op->derive_props != NULL)
        FL_TRY(node->op->derive_props(plan, node, inputs, &raw, err));
    FL_ASSERT(raw.rows_min >= 0 && raw.rows_min <= raw.rows_max);
    FL_TRY(FL_NEW(fl_plan_arena(plan), &made, err));
    FL_TRY(settle(plan, node, &raw, made, err));
    int64_t old = plan->making->props_capacity;
    FL_TRY(fl_grow(plan->memory, (void **)&plan->making->props, &plan->making->props_capacity, plan->n_nodes + 1,
                   (int64_t)sizeof(*plan->making->props), err));
    if (plan->making->props_capacity > old)
        memset(plan->making->props + old, 0,
               (size_t)(plan->making->props_capacity - old) * sizeof(*plan->making->props));
    plan->making->props[node->id] = made;
    *ret = made;
cleanup:
    return st;
}

fl_status fl_node_input_not_null(fl_plan *plan, const fl_node *node, fl_col_set *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_props *props = NULL;
    fl_col_set_init(ret);
    for (int32_t i = 0; i < node->n_inputs; i++) {
        FL_TRY(fl_node_props(plan, node->inputs[i], &props, err));
        FL_TRY(fl_col_set_add_all(fl_plan_arena(plan), ret, &props->not_null, err));
    }
cleanup:
    return st;
}

static void print_set(fl_text *text, const fl_plan *plan, const char *open, const fl_col_set *set, const char *close)
{
    bool is_first = true;
    fl_text_add(text, fl_str_of(open));
    for (int32_t w = 0; w < set->n_words; w++)
        for (uint64_t word = set->words[w]; word != 0; word &= word - 1) {
            fl_col_id col = {(set->first_word + w) * 64 + __builtin_ctzll(word)};
            fl_text_addf(text, "%s%.*s", is_first ? "" : ", ", FL_STR_ARG(fl_plan_col(plan, col)->name));
            is_first = false;
        }
    fl_text_add(text, fl_str_of(close));
}

void fl_props_print(fl_text *text, const fl_plan *plan, const fl_props *props)
{
    if (!fl_col_set_is_empty(&props->not_null))
        print_set(text, plan, "not null: ", &props->not_null, "; ");
    if (!fl_col_set_is_empty(&props->constant))
        print_set(text, plan, "constant: ", &props->constant, "; ");
    for (int32_t i = 0; i < props->n_equal; i++)
        print_set(text, plan, i == 0 ? "equal: (" : ", (", &props->equal[i], i + 1 < props->n_equal ? ")" : "); ");
    for (int32_t i = 0; i < props->n_keys; i++)
        print_set(text, plan, i == 0 ? "keys: (" : ", (", &props->keys[i], i + 1 < props->n_keys ? ")" : "); ");
    for (int32_t i = 0; i < props->n_dependencies; i++) {
        print_set(text, plan, i == 0 ? "determined: (" : ", (", &props->dependencies[i].from, ") -> ");
        print_set(text, plan, "(", &props->dependencies[i].to, i + 1 < props->n_dependencies ? ")" : "); ");
    }
    for (int32_t o = 0; o < props->n_orders; o++)
        for (int32_t i = 0; i < props->orders[o].n_keys; i++) {
            fl_text_add(text, i > 0 ? FL_STR(", ") : o == 0 ? FL_STR("order: ") : FL_STR(" and "));
            fl_order_key_print(text, plan, &props->orders[o].keys[i]);
        }
    if (props->n_orders > 0)
        fl_text_add(text, FL_STR("; "));
    fl_text_addf(text, "rows: %.17g..", props->rows_min);
    if (props->rows_max < INFINITY)
        fl_text_addf(text, "%.17g", props->rows_max);
}
