/* join: its class, and how one is built. */
#include "op/join/node.h"

#include "opt/cost.h"
#include "plan/estimate.h"
#include "plan/props.h"
#include "plan/rewrites.h"

#include <math.h>
#include <stddef.h>

static const char *const kinds[] = {"inner", "left", "right", "full", "semi", "anti", "mark", "single", "first"};

static int32_t derive_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan;
    const fl_join_attrs *join = attrs;
    int32_t n = inputs[0]->n_cols;
    memcpy(ret, inputs[0]->cols, (size_t)n * sizeof(*ret));
    if (join->kind != FL_JOIN_SEMI && join->kind != FL_JOIN_ANTI && join->kind != FL_JOIN_MARK) {
        memcpy(ret + n, inputs[1]->cols, (size_t)inputs[1]->n_cols * sizeof(*ret));
        n += inputs[1]->n_cols;
    }
    if (join->kind == FL_JOIN_MARK)
        ret[n++] = join->mark;
    return n;
}

#define EQUAL_NODES_MAX 16 /* that are looked at for equal columns */

static bool add_equal(fl_equal_cols *cols, fl_col_id a, fl_col_id b)
{
    bool has_a = false, has_b = false;
    for (int32_t i = 0; i < cols->n; i++) {
        has_a |= cols->cols[i].n == a.n;
        has_b |= cols->cols[i].n == b.n;
    }
    if (has_a == has_b || cols->n == FL_EQUAL_COLS_MAX)
        return false;
    cols->cols[cols->n++] = has_a ? b : a;
    return true;
}

/* Looks below the node for columns that inner joins made equal to those that are there. *left: nodes that may still be looked at.
 * Whether there were any. */
static bool find_equal_below(const fl_node *node, fl_equal_cols *cols, int32_t *left)
{
    bool is_join = node->op == &fl_op_join, any = false;
    const fl_join_attrs *join = is_join ? fl_join_of(node) : NULL;
    if (--*left < 0)
        return false;
    for (int32_t i = 0; is_join && join->kind == FL_JOIN_INNER && i < join->n_conjuncts; i++) {
        const fl_expr *e = join->conjuncts[i];
        if (fl_expr_is_equality(e) && e->args[0]->kind == FL_EXPR_COLUMN && e->args[1]->kind == FL_EXPR_COLUMN)
            any |= add_equal(cols, e->args[0]->col, e->args[1]->col);
    }
    if (!is_join && (node->n_inputs != 1 || !fl_rows_are(node, FL_ROWS_ALONE)))
        return any;
    for (int32_t i = 0; i < node->n_inputs; i++)
        if (i == 0 ? !is_join || join->kind != FL_JOIN_RIGHT : join->kind == FL_JOIN_INNER)
            any |= find_equal_below(node->inputs[i], cols, left);
    return any;
}

/* Those that joins above made equal are found by one look; others need another one. */
static void find_equal(const fl_node *node, fl_equal_cols *cols)
{
    int32_t left = EQUAL_NODES_MAX;
    while (find_equal_below(node, cols, &left))
        continue;
}

static double derive_rows(const fl_plan *plan, const fl_node *node)
{
    const fl_join_attrs *join = fl_join_of(node);
    double left = node->inputs[0]->rows, right = node->inputs[1]->rows;
    double share =
        fl_estimate_join(plan, join->conjuncts, join->n_conjuncts, node->inputs[0], node->inputs[1], find_equal);
    double pairs = left * right * share;
    switch (join->kind) {
    case FL_JOIN_LEFT:
        return fmax(left, pairs);
    case FL_JOIN_RIGHT:
        return fmax(right, pairs);
    case FL_JOIN_FULL:
        return fmax(left + right, pairs);
    case FL_JOIN_SEMI:
        return fmax(1, fmin(left, join->n_conjuncts == 0 ? left : pairs) * 0.8);
    case FL_JOIN_ANTI: /* a pair takes one row away at the most */
        return fmax(1, fmax(left * 0.3, join->n_conjuncts == 0 ? 0 : left - pairs));
    case FL_JOIN_MARK:
    case FL_JOIN_SINGLE:
    case FL_JOIN_FIRST:
        return left;
    default:
        return fmax(1, pairs);
    }
}

static fl_status derive_props(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret,
                              fl_err *err)
{
    return fl_join_derive_props(plan, node, fl_join_of(node), false, inputs, ret, err);
}

/* Whether probe rows without a partner are dropped, so that a run-time filter may do it earlier. */
static bool drops_probe_rows(const fl_join_attrs *join)
{
    return join->kind == FL_JOIN_INNER || join->kind == FL_JOIN_RIGHT || join->kind == FL_JOIN_SEMI || join->build_left;
}

#define DROPPED_MIN 0.05 /* share of the probe rows: estimates say less of how sides meet than filters find out */

/* Pairs that agree in the keys which rows are merged by: where other columns must be equal, too, each is looked at. */
static double merged_pairs(const fl_plan *plan, const fl_node *node)
{
    const fl_join_attrs *join = fl_join_of(node);
    const fl_expr *keys[FL_JOIN_ORDER_MAX];
    fl_col_id sides[2];
    for (int32_t k = 0; k < join->n_order; k++)
        keys[k] = fl_join_merge_key(node, k, sides);
    return node->inputs[0]->rows * node->inputs[1]->rows *
           fl_estimate_join(plan, keys, join->n_order, node->inputs[0], node->inputs[1], find_equal);
}

static void merge_cost(const fl_plan *plan, const fl_node *node, fl_cost *cost)
{
    const fl_node *left = node->inputs[0], *right = node->inputs[1];
    fl_cost_add_kept(cost, right->rows, right->n_cols + 1); /* and the word */
    fl_cost_add(cost, FL_COST_MERGE, left->rows + right->rows);
    int32_t n_equal = 0;
    for (int32_t i = 0; i < fl_join_of(node)->n_conjuncts; i++)
        n_equal += fl_expr_is_equality(fl_join_of(node)->conjuncts[i]);
    if (fl_join_of(node)->n_order < n_equal)
        fl_cost_add(cost, FL_COST_PAIR, merged_pairs(plan, node));
}

/* Of a recursion: nobody knows. What is below a side that is kept is done once, too, but counts as if each round did it, as the other side's rows
 * do: so it is many. */
#define ROUNDS 256

bool fl_join_is_kept(const fl_node *left, const fl_node *right, const fl_join_attrs *join)
{
    bool changes_build = join->build_left || join->kind == FL_JOIN_RIGHT || join->kind == FL_JOIN_FULL; /* by probing */
    return !changes_build && (left->holds & FL_HOLDS_ROUND) && !(right->holds & (FL_HOLDS_ROUND | FL_HOLDS_VOLATILE)) &&
           fl_col_set_is_empty(&right->outer);
}

/* A filter that drops little is left out while the scan runs, so it costs what it drops. */
static void cost(const fl_plan *plan, const fl_node *node, fl_cost *cost)
{
    if (fl_trait_get(node->traits, &fl_trait_implementation) == FL_IMPL_MERGE) {
        merge_cost(plan, node, cost);
        return;
    }
    const fl_join_attrs *join = fl_join_of(node);
    const fl_node *build = node->inputs[join->build_left ? 0 : 1], *probe = node->inputs[join->build_left ? 1 : 0];
    double bytes = build->rows * fl_cost_row_bytes(build->n_cols), probed = probe->rows;
    double built = fl_join_is_kept(node->inputs[0], node->inputs[1], join) ? build->rows / ROUNDS : build->rows;
    fl_cost_add_kept(cost, built, build->n_cols);
    if (fl_trait_get(node->traits, &fl_trait_implementation) == FL_IMPL_NESTED_LOOP) {
        fl_cost_add(cost, FL_COST_PAIR, build->rows * probe->rows);
        return;
    }
    if (join->filters_probe && drops_probe_rows(join)) {
        double dropped = fmax(probed - node->rows, probed * DROPPED_MIN);
        fl_cost_add(cost, FL_COST_FILTER_ROW, dropped);
        probed -= dropped;
    }
    fl_cost_add_random(cost, FL_COST_BUILD, built, bytes);
    fl_cost_add_random(cost, FL_COST_PROBE, probed, bytes);
    fl_cost_add(cost, FL_COST_ROW, join->build_left ? build->rows : 0);
}

static const fl_attr_field fields[] = {
    {"kind", FL_FIELD_ENUM, offsetof(fl_join_attrs, kind), 0, kinds, false, false},
    {"on", FL_FIELD_EXPRS, offsetof(fl_join_attrs, conjuncts), offsetof(fl_join_attrs, n_conjuncts), NULL, false, true},
    {"mark", FL_FIELD_COL, offsetof(fl_join_attrs, mark), 0, NULL, false, false},
    {"build_left", FL_FIELD_BOOL, offsetof(fl_join_attrs, build_left), 0, NULL, false, false},
    {"order", FL_FIELD_SORT_KEYS, offsetof(fl_join_attrs, order), offsetof(fl_join_attrs, n_order), NULL, false, false},
    {"runtime_filter", FL_FIELD_BOOL, offsetof(fl_join_attrs, filters_probe), 0, NULL, false, false},
};

extern const fl_op_rewrites fl_join_rewrites;
extern const struct fl_op_exec fl_join_exec;

const fl_op_desc fl_op_join = {FL_DESC(fl_op_desc),
                               .name = "join",
                               .n_inputs = 2,
                               .attr_bytes = sizeof(fl_join_attrs),
                               .fields = fields,
                               .n_fields = FL_LEN(fields),
                               .derive_cols = derive_cols,
                               .derive_rows = derive_rows,
                               .derive_props = derive_props,
                               .cost = cost,
                               .needs = fl_join_needs,
                               .gives = fl_join_gives,
                               .n_ways = 2,
                               .rewrites = &fl_join_rewrites,
                               .exec = &fl_join_exec,
                               .doc = "rows of two inputs that meet"};

fl_status fl_join_build_all(fl_plan *plan, fl_join_kind kind, const fl_node *left, const fl_node *right,
                            const fl_expr *const *conjuncts, int32_t n, fl_col_id mark, const fl_node **ret,
                            fl_err *err)
{
    const fl_node *inputs[2] = {left, right};
    fl_join_attrs attrs = {.kind = kind, .n_conjuncts = n, .conjuncts = conjuncts, .mark = mark};
    return fl_node_make(plan, &fl_op_join, &attrs, NULL, inputs, 2, NULL, 0, ret, err);
}

fl_status fl_join_build(fl_plan *plan, fl_join_kind kind, const fl_node *left, const fl_node *right,
                        const fl_expr *predicate, fl_col_id *ret_mark, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_id mark = {0};
    if (kind == FL_JOIN_MARK) {
        fl_col_info info = {.name = FL_STR("mark"), .type = FL_TYPE(FL_BOOL)};
        FL_TRY(fl_plan_add_col(plan, &info, &mark, err));
        if (ret_mark != NULL)
            *ret_mark = mark;
    }
    if (predicate == NULL)
        return fl_join_build_all(plan, kind, left, right, NULL, 0, mark, ret, err);
    if (fl_expr_coerce(plan, predicate, FL_TYPE(FL_BOOL), &predicate, NULL) != FL_OK) {
        st = FL_FAIL(err, FL_ERR_TYPE, "a join condition must be boolean, not %s", FL_TYPE_NAME(predicate->type));
        fl_err_at(err, predicate->pos);
        return st;
    }
    if (predicate->kind == FL_EXPR_AND)
        return fl_join_build_all(plan, kind, left, right, predicate->args, predicate->n_args, mark, ret, err);
    st = fl_join_build_all(plan, kind, left, right, &predicate, 1, mark, ret, err);
cleanup:
    return st;
}
