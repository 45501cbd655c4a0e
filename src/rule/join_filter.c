/* join_filter: a filter over inner joins becomes the condition of the lowest join that sees its columns.
 *
 * FROM a, b WHERE a.x = b.x is written as a product with a filter; run so, it has no end. Required, so that also the
 * reference plan (optimizer = 'none') can be run. What joins nothing stays where it is: it would be asked before conjuncts that
 * stand in front of it, and of those some may raise. */
#include "op/filter/node.h"
#include "op/join/node.h"
#include "plan/rule.h"

static bool is_inner(const fl_node *join)
{
    return fl_join_of(join)->kind == FL_JOIN_INNER;
}

/* Joins that pass each left row on or drop it: what is said of left rows may be said below. */
static bool keeps_left(const fl_node *join)
{
    int32_t kind = fl_join_of(join)->kind;
    return kind == FL_JOIN_SEMI || kind == FL_JOIN_ANTI || kind == FL_JOIN_MARK || kind == FL_JOIN_SINGLE ||
           kind == FL_JOIN_LEFT || kind == FL_JOIN_FIRST;
}

/* Whether a side of the join is a join, too. */
static bool is_nested(const fl_node *join, int32_t side)
{
    return join->inputs[side]->op == join->op;
}

/* Whether the columns are seen to be of one relation: a single one is, a mark too, and those of one scan. */
static bool is_of_one(const fl_plan *plan, const fl_col_set *used)
{
    fl_col_id first = {0};
    for (int32_t w = 0; w < used->n_words; w++)
        for (uint64_t word = used->words[w]; word != 0; word &= word - 1) {
            fl_col_id col = {(used->first_word + w) * 64 + __builtin_ctzll(word)};
            if (first.n != 0 && !fl_plan_is_one_scan(plan, first, col))
                return false;
            first = col;
        }
    return true;
}

static bool check(const fl_rule_call *call)
{
    const fl_node *join = fl_rule_call_bound(call, "join");
    return is_inner(join) || (keeps_left(join) && is_nested(join, 0));
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_filter_attrs *filter = fl_filter_of(call->node);
    const fl_node *join = fl_rule_call_bound(call, "join"), *sides[2] = {join->inputs[0], join->inputs[1]}, *out = NULL;
    const fl_expr **on = NULL, **kept = NULL, **moved[2] = {NULL, NULL};
    int32_t n_on = fl_join_of(join)->n_conjuncts, n_kept = 0, n_moved[2] = {0, 0};
    fl_arena *arena = fl_plan_arena(call->plan);
    FL_TRY(FL_NEW_ARRAY(arena, n_on + filter->n_conjuncts + 1, &on, err));
    FL_TRY(FL_NEW_ARRAY(arena, filter->n_conjuncts, &kept, err));
    for (int32_t s = 0; s < 2; s++)
        FL_TRY(FL_NEW_ARRAY(arena, filter->n_conjuncts, &moved[s], err));
    for (int32_t i = 0; i < n_on; i++)
        on[i] = fl_join_of(join)->conjuncts[i];
    for (int32_t i = 0; i < filter->n_conjuncts; i++) {
        const fl_expr *e = filter->conjuncts[i];
        fl_col_set used;
        fl_col_set_init(&used);
        FL_TRY(fl_expr_add_cols(call->scratch, e, &used, err));
        bool is_one = is_of_one(call->plan, &used), left = fl_col_set_meets(&used, &sides[0]->made),
             right = fl_col_set_meets(&used, &sides[1]->made);
        if (!fl_expr_is_movable(e))
            kept[n_kept++] = e;
        else if (left && right && is_inner(join))
            on[n_on++] = e;
        else if (left && fl_col_set_has_all(&sides[0]->made, &used) && is_nested(join, 0) && !is_one)
            moved[0][n_moved[0]++] = e;
        else if (right && is_inner(join) && is_nested(join, 1) && is_inner(sides[1]) && !is_one)
            moved[1][n_moved[1]++] = e;
        else
            kept[n_kept++] = e;
    }
    if (n_kept == filter->n_conjuncts)
        return FL_OK;
    for (int32_t s = 0; s < 2; s++)
        FL_TRY(fl_filter_build_all(call->plan, sides[s], moved[s], n_moved[s], &sides[s], err));
    FL_TRY(fl_join_build_all(call->plan, (fl_join_kind)fl_join_of(join)->kind, sides[0], sides[1], on, n_on,
                             fl_join_of(join)->mark, &out, err));
    FL_TRY(fl_node_with_cols(call->plan, out, join->cols, join->n_cols, &out, err));
    FL_TRY(fl_filter_build_all(call->plan, out, kept, n_kept, &out, err));
    FL_TRY(fl_node_with_cols(call->plan, out, call->node->cols, call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_join_filter = {
    FL_DESC(fl_rule_desc),
    .name = "join_filter",
    .phase = "unnest",
    .pattern = "filter(join:join)",
    .scope = FL_SCOPE_BOTH,
    .is_required = true,
    .promise = -10,
    .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL, /* a join sees of its condition how many rows there can be */
    .check = check,
    .on_match = on_match,
    .doc = "conditions in WHERE join the tables they name"};
