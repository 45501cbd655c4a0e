/* What is true of the rows of a join, by its kind. An apply's are those of the join that it becomes, but for what its right
 * side says: that holds within the rows of one left row only. */
#include "op/join/node.h"
#include "plan/null.h"
#include "plan/props.h"

#include <math.h>

typedef struct joining {
    fl_plan *plan;
    const fl_node *node;
    const fl_expr *const *conjuncts;
    int32_t n_conjuncts;
    const fl_props *sides[2];
    bool is_dependent;
    fl_props *ret;
} joining;

/* The conjuncts fix one of the side's keys. */
static fl_status meets_one(const joining *j, int32_t side, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set fixed;
    fl_arena *arena = fl_plan_arena(j->plan);
    const fl_node *input = j->node->inputs[side];
    *ret = j->sides[side]->rows_max <= 1;
    fl_col_set_init(&fixed);
    for (int32_t i = 0; i < j->n_conjuncts && j->sides[side]->n_keys > 0 && !*ret; i++) {
        const fl_expr *e = j->conjuncts[i];
        if (!fl_expr_is_equality(e))
            continue;
        for (int32_t a = 0; a < 2; a++) {
            fl_col_set others;
            const fl_expr *col = e->args[a], *other = e->args[1 - a];
            fl_col_set_init(&others);
            FL_TRY(fl_expr_add_cols(arena, other, &others, err));
            if (col->kind == FL_EXPR_COLUMN && fl_col_set_has(&input->made, col->col) &&
                !fl_col_set_meets(&others, &input->made) && !(other->flags & FL_EXPR_VOLATILE))
                FL_TRY(fl_col_set_add(arena, &fixed, col->col, err));
        }
    }
    if (!*ret)
        st = fl_props_has_key(j->plan, j->sides[side], &fixed, ret, err);
cleanup:
    return st;
}

/* Keys of the result: a side's where its rows meet one of the other at most, else a key of each. */
static fl_status add_keys(const joining *j, const bool *one, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t side = 0; side < 2; side++)
        for (int32_t k = 0; k < j->sides[side]->n_keys && one[1 - side]; k++)
            FL_TRY(fl_props_add_key(j->plan, j->ret, &j->sides[side]->keys[k], err));
    for (int32_t l = 0; l < j->sides[0]->n_keys; l++)
        for (int32_t r = 0; r < j->sides[1]->n_keys; r++) {
            fl_col_set key;
            fl_col_set_init(&key);
            FL_TRY(fl_col_set_add_all(fl_plan_arena(j->plan), &key, &j->sides[0]->keys[l], err));
            FL_TRY(fl_col_set_add_all(fl_plan_arena(j->plan), &key, &j->sides[1]->keys[r], err));
            FL_TRY(fl_props_add_key(j->plan, j->ret, &key, err));
        }
cleanup:
    return st;
}

/* What a side says of its own columns. With nulls in the place of its rows (`is_extended`) they are null or constant together;
 * what depends on columns that may be null anyhow does no longer. */
static fl_status add_side(const joining *j, int32_t side, bool is_extended, fl_err *err)
{
    fl_status st = FL_OK;
    fl_props own = *j->sides[side];
    int32_t n = 0;
    bool is_bound = j->is_dependent && side == 1;
    fl_dependency kept[FL_PROPS_DEPENDENCIES_MAX];
    for (int32_t i = 0; i < own.n_dependencies && !is_bound; i++)
        if (!is_extended || fl_col_set_meets(&own.dependencies[i].from, &own.not_null))
            kept[n++] = own.dependencies[i];
    for (int32_t i = 0; i < own.n_keys && !is_bound && n < FL_PROPS_DEPENDENCIES_MAX; i++)
        if (!is_extended || fl_col_set_meets(&own.keys[i], &own.not_null))
            kept[n++] = (fl_dependency){own.keys[i], j->node->inputs[side]->made};
    own.n_keys = 0; /* add_keys */
    own.dependencies = kept;
    own.n_dependencies = n;
    if (is_extended) {
        fl_col_set_init(&own.not_null);
        own.n_tests = 0;
    }
    if (is_extended || is_bound)
        fl_col_set_init(&own.constant);
    st = fl_props_add_all(j->plan, j->ret, &own, err);
    return st;
}

static double times(double rows, double matches)
{
    return rows == 0 || matches == 0 ? 0 : rows * matches;
}

/* Whether a conjunct is true of no pair. */
static bool never_meet(const joining *j)
{
    for (int32_t i = 0; i < j->n_conjuncts; i++)
        if (fl_expr_is_false_or_null(j->conjuncts[i]))
            return true;
    return false;
}

static fl_status derive_pairs(const joining *j, fl_join_kind kind, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_props *left = j->sides[0], *right = j->sides[1];
    fl_props *ret = j->ret;
    bool one[2] = {false, false};
    bool left_extended = kind == FL_JOIN_RIGHT || kind == FL_JOIN_FULL;
    bool right_extended = kind != FL_JOIN_INNER && kind != FL_JOIN_RIGHT;
    FL_TRY(meets_one(j, 0, &one[0], err));
    FL_TRY(meets_one(j, 1, &one[1], err));
    if (kind == FL_JOIN_SINGLE || kind == FL_JOIN_FIRST)
        one[1] = true;
    if (j->is_dependent) /* a left row may meet the same right rows as another */
        one[0] = false;
    FL_TRY(add_side(j, 0, left_extended, err));
    FL_TRY(add_side(j, 1, right_extended, err));
    if (kind != FL_JOIN_FULL)
        FL_TRY(add_keys(j, (bool[]){one[0] && !right_extended, one[1] && !left_extended}, err));
    if (kind == FL_JOIN_INNER)
        FL_TRY(fl_props_add_conjuncts(j->plan, ret, j->conjuncts, j->n_conjuncts, err));
    /* Rows: all pairs, or as many as the side has whose rows meet one at most; and the rows that meet none. */
    double most = never_meet(j) ? 0 : times(left->rows_max, right->rows_max);
    most = one[1] ? fmin(most, left->rows_max) : most;
    most = one[0] ? fmin(most, right->rows_max) : most;
    bool is_cross = j->n_conjuncts == 0 && kind == FL_JOIN_INNER;
    ret->rows_min = is_cross ? times(left->rows_min, right->rows_min) : 0;
    if (right_extended) {
        ret->rows_min = left->rows_min;
        most = one[1] ? fmax(most, left->rows_max) : most + left->rows_max;
    }
    if (left_extended) {
        ret->rows_min = fmax(ret->rows_min, right->rows_min);
        most = one[0] && !right_extended ? fmax(most, right->rows_max) : most + right->rows_max;
    }
    ret->rows_max = fmax(most, ret->rows_min);
cleanup:
    return st;
}

/* A mark is null only where the comparison was, which is the first conjunct: the others tell which rows it is made with. It is
 * true only where all of them were, of some row. */
static fl_status derive_mark(const joining *j, fl_col_id mark, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena *arena = fl_plan_arena(j->plan);
    fl_col_set not_null;
    FL_TRY(fl_props_pass(j->plan, j->node, j->sides, j->ret, err));
    fl_col_set_init(&not_null);
    for (int32_t side = 0; side < 2; side++)
        FL_TRY(fl_col_set_add_all(arena, &not_null, &j->sides[side]->not_null, err));
    if (j->n_conjuncts == 0 || !fl_expr_can_be_null(j->conjuncts[0], &not_null))
        FL_TRY(fl_col_set_add(arena, &j->ret->not_null, mark, err));
    st = fl_props_add_mark(j->plan, j->ret, mark, j->conjuncts, j->n_conjuncts, err);
cleanup:
    return st;
}

fl_status fl_join_derive_props(fl_plan *plan, const fl_node *node, const fl_join_attrs *attrs, bool is_dependent,
                               const fl_props *const *inputs, fl_props *ret, fl_err *err)
{
    fl_status st = FL_OK;
    joining j = {.plan = plan,
                 .node = node,
                 .conjuncts = attrs->conjuncts,
                 .n_conjuncts = attrs->n_conjuncts,
                 .sides = {inputs[0], inputs[1]},
                 .is_dependent = is_dependent,
                 .ret = ret};
    FL_ASSERT(node->n_inputs == 2);
    switch (attrs->kind) { /* the side that is built comes in no order, and which it is is not known yet */
    case FL_JOIN_SEMI:
        FL_TRY(fl_props_pass(plan, node, inputs, ret, err));
        FL_TRY(add_side(&j, 1, false, err)); /* of a partner of the row, whose columns equal some of it */
        FL_TRY(fl_props_add_conjuncts(plan, ret, attrs->conjuncts, attrs->n_conjuncts, err));
        ret->rows_min = 0;
        if (inputs[1]->rows_max == 0 || never_meet(&j))
            ret->rows_max = 0;
        break;
    case FL_JOIN_ANTI:
        FL_TRY(fl_props_pass(plan, node, inputs, ret, err));
        ret->rows_min = 0;
        break;
    case FL_JOIN_MARK:
        st = derive_mark(&j, attrs->mark, err);
        break;
    default:
        st = derive_pairs(&j, attrs->kind, err);
        break;
    }
    ret->n_orders = 0;
cleanup:
    return st;
}

fl_status fl_join_meets_one(fl_plan *plan, const fl_node *node, int32_t side, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_attrs *attrs = fl_join_of(node);
    joining j = {.plan = plan, .node = node, .conjuncts = attrs->conjuncts, .n_conjuncts = attrs->n_conjuncts};
    FL_TRY(fl_node_props(plan, node->inputs[side], &j.sides[side], err));
    st = meets_one(&j, side, ret, err);
cleanup:
    return st;
}
