/* lower_join: joins with an equality between their sides are hashed, others compare every pair.
 *
 * Values of different scales (fl_type_is_scaled_apart) hash apart where they are equal. Equal ones are equal in the coarser type,
 * too, which every value of the finer can be cast to: that equality is added as a key. Not for marks, whose one condition is
 * three-valued. */
#include "op/join/node.h"
#include "opt/lower.h"

/* Whether a conjunct is an equality between the sides. */
static fl_status is_key(fl_rule_call *call, const fl_expr *e, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_col_set *left = &call->node->inputs[0]->made, *right = &call->node->inputs[1]->made;
    fl_col_set a, b;
    *ret = false;
    if (e->kind != FL_EXPR_CALL || e->n_args != 2 ||
        (strcmp(e->func->name, "=") != 0 && strcmp(e->func->name, "is_not_distinct_from") != 0))
        return FL_OK;
    fl_col_set_init(&a);
    fl_col_set_init(&b);
    FL_TRY(fl_expr_add_cols(call->scratch, e->args[0], &a, err));
    FL_TRY(fl_expr_add_cols(call->scratch, e->args[1], &b, err));
    if (fl_col_set_is_empty(&a) || fl_col_set_is_empty(&b))
        return FL_OK;
    *ret = (fl_col_set_has_all(left, &a) && fl_col_set_has_all(right, &b)) ||
           (fl_col_set_has_all(right, &a) && fl_col_set_has_all(left, &b));
cleanup:
    return st;
}

/* Of two types that are apart the one with fewer digits behind the point, wide enough for both. */
static fl_type coarser(fl_type a, fl_type b)
{
    static const uint8_t digits[] = {[FL_SECOND] = 0, [FL_MILLI] = 3, [FL_MICRO] = 6, [FL_NANO] = 9};
    if (a.id == FL_DECIMAL)
        return FL_TYPE_DECIMAL(FL_DECIMAL_PRECISION_MAX, a.scale < b.scale ? a.scale : b.scale);
    if (a.id == FL_DATE || b.id == FL_DATE)
        return FL_TYPE(FL_DATE);
    return digits[a.unit] < digits[b.unit] ? a : (fl_type){.id = a.id, .unit = b.unit};
}

static fl_status add_coarse_key(fl_plan *plan, const fl_expr *e, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *sides[2];
    fl_type type = coarser(e->args[0]->type, e->args[1]->type);
    for (int32_t i = 0; i < 2; i++)
        FL_TRY(fl_expr_cast(plan, e->args[i], type, false, e->pos, &sides[i], err));
    FL_TRY(fl_expr_call(plan, fl_str_of(e->func->name), sides, 2, e->pos, ret, err));
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_join_attrs join = *fl_join_of(call->node);
    const fl_trait_set *traits = NULL;
    const fl_node *out = NULL;
    const fl_expr **conjuncts = NULL;
    bool is_hashed = false, is_wide = false;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(call->plan), join.n_conjuncts * 2 + 1, &conjuncts, err));
    int32_t n = 0;
    for (int32_t i = 0; i < join.n_conjuncts; i++) {
        const fl_expr *e = join.conjuncts[i];
        bool is_one = false;
        conjuncts[n++] = e;
        FL_TRY(is_key(call, e, &is_one, err));
        if (is_one && !fl_type_is_equal(e->args[0]->type, e->args[1]->type)) {
            is_one = join.kind != FL_JOIN_MARK;
            is_wide |= is_one;
            if (is_one)
                FL_TRY(add_coarse_key(call->plan, e, &conjuncts[n++], err));
        }
        is_hashed |= is_one;
    }
    if (!is_wide)
        return fl_lower(call, is_hashed ? FL_IMPL_HASH : FL_IMPL_NESTED_LOOP, err);
    join.conjuncts = conjuncts;
    join.n_conjuncts = n;
    FL_TRY(fl_lower_traits(call->plan, call->node->traits, FL_IMPL_HASH, &traits, err));
    FL_TRY(fl_node_make(call->plan, call->node->op, &join, traits, call->node->inputs, 2, call->node->cols,
                        call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_lower_join = {FL_DESC(fl_rule_desc),
                                         .name = "lower_join",
                                         .phase = "lower",
                                         .pattern = "join[convention=logical]",
                                         .scope = FL_SCOPE_BOTH,
                                         .is_required = true,
                                         .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT,
                                         .on_match = on_match,
                                         .doc = "joins are hashed where there is an equality, else nested loops"};
