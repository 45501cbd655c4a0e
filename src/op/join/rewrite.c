/* join: what rules may do with it, by its kind. An apply is one whose right side is made anew for each left row. */
#include "op/apply/node.h"
#include "op/filter/node.h"
#include "op/join/node.h"
#include "op/project/node.h"

#include "plan/rewrites.h"

/* Every left row comes out, with nulls where it has no partner. */
static bool keeps_left(int32_t kind)
{
    return kind == FL_JOIN_LEFT || kind == FL_JOIN_MARK || kind == FL_JOIN_SINGLE || kind == FL_JOIN_FIRST;
}

bool fl_join_drops_unmet(fl_join_kind kind, int32_t side)
{
    switch (kind) {
    case FL_JOIN_INNER:
    case FL_JOIN_SEMI:
        return true;
    case FL_JOIN_RIGHT:
        return side == 0;
    case FL_JOIN_LEFT:
    case FL_JOIN_ANTI:
    case FL_JOIN_SINGLE:
    case FL_JOIN_FIRST:
        return side == 1;
    default:
        return false;
    }
}

uint32_t fl_join_flow(fl_join_kind kind)
{
    if (keeps_left(kind))
        return FL_ROWS_CHOSEN | FL_ROWS_ALONE |
               (kind == FL_JOIN_LEFT ? FL_ROWS_SOME | FL_ROWS_ALL : FL_ROWS_ONE_FOR_ONE);
    return FL_ROWS_CHOSEN;
}

static uint32_t flow(const fl_node *node)
{
    return fl_join_flow((fl_join_kind)fl_join_of(node)->kind);
}

/* Of which partner there is, and of a single one, no order shows; of several any one may be the first. */
static fl_order_use order(const fl_node *node, int32_t input)
{
    int32_t kind = fl_join_of(node)->kind;
    bool is_passed = fl_order_is_passed(node, input) == FL_ORDER_PASSED;
    if (!is_passed || (kind == FL_JOIN_FIRST && input == 1) || fl_join_of(node)->n_order > 0)
        return FL_ORDER_USED;
    bool is_looked_up = kind == FL_JOIN_SEMI || kind == FL_JOIN_ANTI || kind == FL_JOIN_MARK || kind == FL_JOIN_SINGLE;
    return input == 1 && is_looked_up ? FL_ORDER_IGNORED : FL_ORDER_PASSED;
}

/* To the side that has all of the columns, unless its rows may come out as nulls. */
static fl_status passes(fl_plan *plan, const fl_node *node, int32_t input, const fl_expr *const *conjuncts, int32_t n,
                        const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t kind = fl_join_of(node)->kind;
    bool to_left = kind != FL_JOIN_RIGHT && kind != FL_JOIN_FULL;
    bool to_right = kind == FL_JOIN_INNER || kind == FL_JOIN_RIGHT;
    for (int32_t i = 0; i < n && (input == 0 ? to_left : to_right); i++) {
        fl_col_set used;
        fl_col_set_init(&used);
        FL_TRY(fl_expr_add_cols(fl_plan_arena(plan), conjuncts[i], &used, err));
        if (!fl_col_set_is_empty(&used) && fl_col_set_has_all(&node->inputs[input]->made, &used))
            ret[i] = conjuncts[i];
    }
cleanup:
    return st;
}

/* What reads both sides of an inner join is a condition of it. */
static fl_status takes(fl_plan *plan, const fl_node *node, const fl_expr *const *conjuncts, int32_t n, bool *ret_taken,
                       const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_join_attrs attrs = *fl_join_of(node);
    const fl_expr **on = NULL;
    *ret = node;
    if (attrs.kind != FL_JOIN_INNER)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), attrs.n_conjuncts + n, &on, err));
    for (int32_t i = 0; i < attrs.n_conjuncts; i++)
        on[i] = attrs.conjuncts[i];
    for (int32_t i = 0; i < n; i++) {
        ret_taken[i] = (conjuncts[i]->flags & FL_EXPR_HAS_COLUMN) && fl_expr_is_movable(conjuncts[i]);
        if (ret_taken[i])
            on[attrs.n_conjuncts++] = conjuncts[i];
    }
    attrs.conjuncts = on;
    st = fl_node_make(plan, &fl_op_join, &attrs, node->traits, node->inputs, 2, node->cols, node->n_cols, ret, err);
cleanup:
    return st;
}

/* Where a side has no rows, those of the other come out as they are, with nulls for the side's columns and false for a mark. */
static fl_status without(fl_plan *plan, const fl_node *node, int32_t input, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *other = node->inputs[1 - input];
    int32_t kind = fl_join_of(node)->kind, n = 0;
    bool keeps_other = kind == FL_JOIN_FULL || (input == 0 ? kind == FL_JOIN_RIGHT : keeps_left(kind));
    const fl_expr **exprs = NULL;
    fl_col_id *cols = NULL;
    *ret = node;
    if (kind == FL_JOIN_ANTI && input == 1)
        return fl_node_with_cols(plan, other, node->cols, node->n_cols, ret, err);
    if (!keeps_other)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), node->n_cols + 1, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), node->n_cols + 1, &cols, err));
    for (int32_t i = 0; i < node->n_cols; i++) {
        fl_value value = {.type = fl_plan_col(plan, node->cols[i])->type, .is_null = kind != FL_JOIN_MARK};
        if (fl_col_set_has(&other->made, node->cols[i]))
            continue;
        cols[n] = node->cols[i];
        FL_TRY(fl_expr_const(plan, &value, -1, &exprs[n++], err));
    }
    fl_project_attrs attrs = {
        .n_cols = n, .cols = cols, .n_exprs = n, .exprs = exprs, .n_passed = other->n_cols, .passed = other->cols};
    *ret = other;
    if (n > 0)
        FL_TRY(fl_node_make(plan, &fl_op_project, &attrs, NULL, &other, 1, NULL, 0, ret, err));
    st = fl_node_with_cols(plan, *ret, node->cols, node->n_cols, ret, err);
cleanup:
    return st;
}

/* ---- subqueries in the condition ------------------------------------------------------------------------------------ */

typedef struct looking {
    const fl_node *node;
    bool reads_both; /* there is a subquery that reads columns of both sides */
} looking;

static fl_status look(void *ctx, fl_plan *plan, const fl_expr *expr, const fl_expr **ret, fl_err *err)
{
    looking *l = ctx;
    fl_col_set used;
    *ret = expr;
    if (expr->kind != FL_EXPR_SUBQUERY)
        return FL_OK;
    fl_col_set_init(&used);
    fl_status st = fl_expr_add_cols(fl_plan_arena(plan), expr, &used, err);
    l->reads_both |=
        fl_col_set_meets(&used, &l->node->inputs[0]->made) && fl_col_set_meets(&used, &l->node->inputs[1]->made);
    return st;
}

/* Where subqueries read both sides, the other side's rows are those that the condition lets through, row by row of the side
 * that is kept. A full join keeps both. What holds no subquery is the condition of the pairs as well, which says what is true of them. */
static fl_status apply_condition(fl_plan *plan, const fl_node *node, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_attrs *join = fl_join_of(node);
    bool keeps_right = join->kind == FL_JOIN_RIGHT;
    const fl_node *kept = node->inputs[keeps_right ? 1 : 0], *other = node->inputs[keeps_right ? 0 : 1];
    const fl_expr **plain = NULL;
    int32_t n_plain = 0;
    if (join->kind == FL_JOIN_FULL) {
        st = FL_FAIL(err, FL_ERR_UNSUPPORTED,
                     "subqueries that read both sides of a full join are not supported yet in its condition");
        fl_err_at(err, join->conjuncts[0]->pos);
        return st;
    }
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), join->n_conjuncts, &plain, err));
    for (int32_t i = 0; i < join->n_conjuncts; i++)
        if (fl_expr_is_movable(join->conjuncts[i]))
            plain[n_plain++] = join->conjuncts[i];
    FL_TRY(fl_filter_build_all(plan, other, join->conjuncts, join->n_conjuncts, &other, err));
    FL_TRY(fl_apply_build(plan, keeps_right ? FL_JOIN_LEFT : (fl_join_kind)join->kind, kept, other, plain, n_plain,
                          (fl_col_id){0}, ret, err));
    st = fl_node_with_cols(plan, *ret, node->cols, node->n_cols, ret, err);
cleanup:
    return st;
}

static fl_status free_exprs(fl_plan *plan, const fl_node *node, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_attrs *join = fl_join_of(node);
    const fl_expr *same = NULL;
    looking l = {node, false};
    *ret = node;
    if (join->kind == FL_JOIN_INNER) { /* the same as a filter behind it */
        FL_TRY(fl_join_build_all(plan, FL_JOIN_INNER, node->inputs[0], node->inputs[1], NULL, 0, (fl_col_id){0}, ret,
                                 err));
        return fl_filter_build_all(plan, *ret, join->conjuncts, join->n_conjuncts, ret, err);
    }
    for (int32_t i = 0; i < join->n_conjuncts; i++)
        FL_TRY(fl_expr_rewrite(plan, join->conjuncts[i], look, &l, &same, err));
    if (l.reads_both)
        st = apply_condition(plan, node, ret, err);
cleanup:
    return st;
}

/* ---- outer columns ------------------------------------------------------------------------------------------------- */

static fl_status pull(fl_unnesting *u, const fl_node *node, bool missing_is_null, const fl_node **ret, fl_err *err)
{
    (void)missing_is_null; /* a row that is missing on one side leaves nothing of the other's */
    fl_status st = FL_OK;
    const fl_join_attrs *join = fl_join_of(node);
    const fl_node *left = NULL, *right = node->inputs[1];
    const fl_expr **kept = NULL;
    int32_t n_kept = 0, from = 0;
    bool is_inner = join->kind == FL_JOIN_INNER;
    bool is_left = keeps_left(join->kind) || join->kind == FL_JOIN_SEMI || join->kind == FL_JOIN_ANTI;
    if (!is_inner && (!is_left || fl_unnesting_is_needed(u, right)))
        return FL_OK;
    FL_TRY(fl_unnesting_pull(u, node->inputs[0], false, &left, err));
    if (left != NULL && is_inner)
        FL_TRY(fl_unnesting_pull(u, node->inputs[1], false, &right, err));
    if (left == NULL || right == NULL)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), join->n_conjuncts + 1, &kept, err));
    from = u->n_pulled;
    FL_TRY(fl_unnesting_part(u, join->conjuncts, join->n_conjuncts, kept, &n_kept, err));
    if (is_inner || u->n_pulled == from)
        st = fl_join_build_all(u->plan, (fl_join_kind)join->kind, left, right, kept, n_kept, join->mark, ret, err);
cleanup:
    return st;
}

/* ret[i] is left[i], or right[i] where a full join has no left row: where both are there they are the same. */
static fl_status merge_domains(fl_unnesting *u, const fl_node *node, const fl_col_id *left, const fl_col_id *right,
                               const fl_node **ret, fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **exprs = NULL;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), u->n_cols, &exprs, err));
    for (int32_t i = 0; i < u->n_cols; i++) {
        const fl_expr *cases[3];
        FL_TRY(fl_expr_column(u->plan, left[i], -1, &cases[2], err));
        FL_TRY(fl_expr_column(u->plan, right[i], -1, &cases[1], err));
        FL_TRY(fl_expr_is_null(u->plan, cases[2], -1, &cases[0], err));
        FL_TRY(fl_expr_case(u->plan, cases, 3, -1, &exprs[i], err));
    }
    st = fl_project_extend(u->plan, node, exprs, NULL, u->n_cols, ret_cols, ret, err);
cleanup:
    return st;
}

/* A right or full join: rows of the right side are there for every value of the domain, with or without partners. So both sides have
 * the domain's columns, and partners are of one value. */
static fl_status push_both(fl_unnesting *u, const fl_node *node, const fl_node **ret, fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_attrs *join = fl_join_of(node);
    const fl_node *sides[2];
    fl_col_id *cols[2] = {NULL, NULL};
    const fl_expr **tests = NULL;
    fl_arena *arena = fl_plan_arena(u->plan);
    int32_t n = join->n_conjuncts;
    FL_TRY(FL_NEW_ARRAY(arena, n + u->n_cols + 1, &tests, err));
    for (int32_t i = 0; i < 2; i++) {
        FL_TRY(FL_NEW_ARRAY(arena, u->n_cols, &cols[i], err));
        FL_TRY(fl_unnesting_push(u, node->inputs[i], &sides[i], cols[i], err));
    }
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_unnesting_rename(u, cols[1], join->conjuncts[i], &tests[i], err));
    FL_TRY(fl_unnesting_equate(u, cols[0], cols[1], tests + n, err));
    FL_TRY(fl_join_build_all(u->plan, (fl_join_kind)join->kind, sides[0], sides[1], tests, n + u->n_cols, join->mark,
                             ret, err));
    if (join->kind == FL_JOIN_FULL)
        FL_TRY(merge_domains(u, *ret, cols[0], cols[1], ret, ret_cols, err));
    else
        memcpy(ret_cols, cols[1], (size_t)u->n_cols * sizeof(*ret_cols));
cleanup:
    return st;
}

static fl_status push(fl_unnesting *u, const fl_node *node, const fl_node **ret, fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_attrs *join = fl_join_of(node);
    const fl_node *left = node->inputs[0], *right = node->inputs[1];
    fl_col_id *right_cols = NULL;
    const fl_expr **tests = NULL;
    fl_arena *arena = fl_plan_arena(u->plan);
    int32_t n = join->n_conjuncts;
    bool in_right = fl_unnesting_is_needed(u, right), in_left = fl_unnesting_is_needed(u, left);
    if (join->kind == FL_JOIN_RIGHT || join->kind == FL_JOIN_FULL)
        return push_both(u, node, ret, ret_cols, err);
    FL_TRY(FL_NEW_ARRAY(arena, u->n_cols, &right_cols, err));
    FL_TRY(FL_NEW_ARRAY(arena, n + u->n_cols + 1, &tests, err));
    if (join->kind == FL_JOIN_INNER && in_right && !in_left) {
        FL_TRY(fl_unnesting_push(u, right, &right, ret_cols, err));
        in_right = false;
    } else {
        FL_TRY(fl_unnesting_push(u, left, &left, ret_cols, err));
        if (in_right)
            FL_TRY(fl_unnesting_push(u, right, &right, right_cols, err));
    }
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_unnesting_rename(u, ret_cols, join->conjuncts[i], &tests[i], err));
    if (in_right) {
        FL_TRY(fl_unnesting_equate(u, ret_cols, right_cols, tests + n, err));
        n += u->n_cols;
    }
    st = fl_join_build_all(u->plan, (fl_join_kind)join->kind, left, right, tests, n, join->mark, ret, err);
cleanup:
    return st;
}

const fl_op_rewrites fl_join_rewrites = {FL_DESC(fl_op_rewrites), .flow = flow,   .order = order,
                                         .passes = passes,        .takes = takes, .free_exprs = free_exprs,
                                         .without = without,      .pull = pull,   .push = push};
