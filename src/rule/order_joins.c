/* order_joins: the order of inner joins, by estimated cost.
 *
 * Each maximal region of inner joins is taken apart into relations and conjuncts. Up to RELATIONS_DP relations are ordered
 * by dynamic programming over connected subsets (as DPsub in Moerkotte & Neumann 2006), more greedily: the pair with the
 * smallest result first. Cost is the sum of intermediate results, with build sides weighing double. Conjuncts that can
 * raise stay where the text has them: above the region. */
#include "op/filter/node.h"
#include "op/join/node.h"
#include "base/index_map.h"
#include "plan/estimate.h"
#include "plan/rule.h"

#include <math.h>

#define RELATIONS_MAX 63
#define RELATIONS_DP 11

typedef struct predicate {
    const fl_expr *expr;
    uint64_t relations; /* that it reads */
    double selectivity; /* of one that reads the same relations as one before it: its square root */
} predicate;

typedef struct ordering {
    fl_plan *plan;
    fl_arena *scratch;
    const fl_node **done; /* by node id: what became of a node, which may be the input of several */
} ordering;

typedef struct region {
    fl_plan *plan;
    ordering *ordering;
    const fl_node *relations[RELATIONS_MAX];
    int32_t n_relations;
    predicate *predicates;
    int32_t n_predicates;
    int64_t capacity;
} region;

typedef struct entry {
    const fl_node *plan;
    double rows;
    double cost;
    uint64_t left; /* relations of the left input; 0: a relation itself */
} entry;

static fl_status order(ordering *o, const fl_node *node, const fl_node **ret, fl_err *err);

static bool is_plain(const fl_node *node)
{
    if (node->op != &fl_op_join || fl_join_of(node)->kind != FL_JOIN_INNER)
        return false;
    for (int32_t i = 0; i < fl_join_of(node)->n_conjuncts; i++)
        if (fl_join_of(node)->conjuncts[i]->flags & (FL_EXPR_CAN_FAIL | FL_EXPR_VOLATILE | FL_EXPR_HAS_SUBQUERY))
            return false;
    return true;
}

/* How many, or more than RELATIONS_MAX: long chains go down at the left. */
static int32_t count_relations(const fl_node *node)
{
    int32_t n = 1;
    for (; n <= RELATIONS_MAX && is_plain(node); node = node->inputs[0])
        n += count_relations(node->inputs[1]);
    return n;
}

static fl_status collect(region *r, const fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    if (!is_plain(node) || r->n_relations >= RELATIONS_MAX) {
        FL_TRY(order(r->ordering, node, &r->relations[r->n_relations], err));
        r->n_relations++;
        return FL_OK;
    }
    const fl_join_attrs *join = fl_join_of(node);
    FL_TRY(collect(r, node->inputs[0], err));
    FL_TRY(collect(r, node->inputs[1], err));
    for (int32_t i = 0; i < join->n_conjuncts; i++) {
        if (r->n_predicates == r->capacity) {
            predicate *grown = NULL;
            int64_t capacity = r->capacity == 0 ? 16 : r->capacity * 2;
            FL_TRY(FL_NEW_ARRAY(r->ordering->scratch, capacity, &grown, err));
            if (r->n_predicates > 0)
                memcpy(grown, r->predicates, (size_t)r->n_predicates * sizeof(*grown));
            r->predicates = grown;
            r->capacity = capacity;
        }
        r->predicates[r->n_predicates++] =
            (predicate){join->conjuncts[i], 0, fl_estimate_selectivity(r->plan, join->conjuncts[i])};
    }
cleanup:
    return st;
}

static fl_status find_relations(region *r, fl_err *err)
{
    fl_status st = FL_OK;
    fl_index_map seen;
    fl_index_map_init(&seen, r->ordering->scratch);
    for (int32_t p = 0; p < r->n_predicates; p++) {
        fl_col_set used;
        fl_col_set_init(&used);
        FL_TRY(fl_expr_add_cols(r->ordering->scratch, r->predicates[p].expr, &used, err));
        for (int32_t i = 0; i < r->n_relations; i++)
            if (fl_col_set_meets(&used, &r->relations[i]->made))
                r->predicates[p].relations |= 1ull << i;
        if (r->predicates[p].relations == 0)
            continue;
        if (fl_index_map_find(&seen, r->predicates[p].relations) >= 0)
            r->predicates[p].selectivity = sqrt(r->predicates[p].selectivity);
        FL_TRY(fl_index_map_add(&seen, r->predicates[p].relations, p, err));
    }
cleanup:
    return st;
}

/* Rows of a set of relations: their product, times all conjuncts within. Equalities between the same two relations are
 * dependent (composite keys): the second and later ones count by their square root. */
static double rows_of(const region *r, uint64_t set)
{
    double rows = 1;
    for (uint64_t s = set; s != 0; s &= s - 1)
        rows *= r->relations[__builtin_ctzll(s)]->rows;
    for (int32_t p = 0; p < r->n_predicates; p++) {
        uint64_t in = r->predicates[p].relations;
        if ((in & ~set) != 0 || in == 0)
            continue;
        rows *= r->predicates[p].selectivity;
    }
    return rows < 1 ? 1 : rows;
}

static bool are_connected(const region *r, uint64_t a, uint64_t b)
{
    for (int32_t p = 0; p < r->n_predicates; p++) {
        uint64_t in = r->predicates[p].relations;
        if ((in & a) != 0 && (in & b) != 0 && (in & ~(a | b)) == 0)
            return true;
    }
    return false;
}

static double join_cost(double left_rows, double right_rows, double rows)
{
    double build = left_rows < right_rows ? left_rows : right_rows,
           probe = left_rows < right_rows ? right_rows : left_rows;
    return rows + 2 * build + 0.3 * probe;
}

/* Joins two plans: the smaller side is the right one, which is built. */
static fl_status make(region *r, const entry *a, uint64_t set_a, const entry *b, uint64_t set_b, const fl_node **ret,
                      fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **on = NULL;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(r->plan), r->n_predicates + 1, &on, err));
    for (int32_t p = 0; p < r->n_predicates; p++) {
        uint64_t in = r->predicates[p].relations;
        bool within = (in & ~(set_a | set_b)) == 0;
        /* A join below has it already when a composite side holds all that it reads; a relation by itself has none. */
        bool earlier =
            ((in & ~set_a) == 0 && (set_a & (set_a - 1)) != 0) || ((in & ~set_b) == 0 && (set_b & (set_b - 1)) != 0);
        if (within && !earlier)
            on[n++] = r->predicates[p].expr;
    }
    bool swap = a->rows < b->rows;
    st = fl_join_build_all(r->plan, FL_JOIN_INNER, swap ? b->plan : a->plan, swap ? a->plan : b->plan, on, n,
                           (fl_col_id){0}, ret, err);
cleanup:
    return st;
}

static fl_status build_best(region *r, entry *best, uint64_t set, fl_err *err)
{
    fl_status st = FL_OK;
    entry *e = &best[set];
    if (e->plan != NULL)
        return FL_OK;
    uint64_t right = set & ~e->left;
    FL_TRY(build_best(r, best, e->left, err));
    FL_TRY(build_best(r, best, right, err));
    st = make(r, &best[e->left], e->left, &best[right], right, &e->plan, err);
cleanup:
    return st;
}

static fl_status by_programming(region *r, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    entry *best = NULL;
    uint64_t all = (1ull << r->n_relations) - 1;
    fl_memory *memory = fl_plan_arena(r->plan)->memory;
    FL_TRY(fl_alloc_zero(memory, (int64_t)(all + 1) * (int64_t)sizeof(entry), (void **)&best, err));
    for (int32_t i = 0; i < r->n_relations; i++)
        best[1ull << i] = (entry){r->relations[i], r->relations[i]->rows < 1 ? 1 : r->relations[i]->rows, 0, 0};
    for (uint64_t set = 1; set <= all; set++) {
        if ((set & (set - 1)) == 0)
            continue;
        double rows = -1;
        entry *e = &best[set];
        for (int crossed = 0; crossed < 2 && e->left == 0; crossed++) /* cross products only where nothing connects */
            for (uint64_t left = (set - 1) & set; left != 0; left = (left - 1) & set) {
                uint64_t right = set & ~left;
                if (left < right) /* each split once */
                    break;
                const entry *a = &best[left], *b = &best[right];
                if ((a->left == 0 && a->plan == NULL) || (b->left == 0 && b->plan == NULL))
                    continue;
                if (crossed == 0 ? !are_connected(r, left, right) : set != all)
                    continue;
                if (rows < 0)
                    rows = rows_of(r, set);
                double cost = a->cost + b->cost + join_cost(a->rows, b->rows, rows);
                if (e->left == 0 || cost < e->cost)
                    *e = (entry){NULL, rows, cost, left};
            }
    }
    if (best[all].left == 0) { /* several parts that nothing connects: greedily */
        *ret = NULL;
        goto cleanup;
    }
    FL_TRY(build_best(r, best, all, err));
    *ret = best[all].plan;
cleanup:
    fl_free(best);
    return st;
}

/* The parts of a region that are joined so far. */
typedef struct parting {
    int32_t n;
    entry parts[RELATIONS_MAX];
    uint64_t sets[RELATIONS_MAX];
    int32_t owners[RELATIONS_MAX];             /* of relations: the part that has it */
    double rows[RELATIONS_MAX][RELATIONS_MAX]; /* of pairs a < b where predicates connect them; else -1 */
} parting;

static double *pair_rows(parting *p, int32_t a, int32_t b)
{
    return &p->rows[a < b ? a : b][a < b ? b : a];
}

/* Rows of one part with each of the first n. */
static void weigh(const region *r, parting *p, int32_t part, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        *pair_rows(p, i, part) = -1;
    for (int32_t k = 0; k < r->n_predicates; k++) {
        uint64_t others = r->predicates[k].relations & ~p->sets[part];
        if (others == 0 || others == r->predicates[k].relations)
            continue;
        int32_t other = p->owners[__builtin_ctzll(others)];
        if (other >= n || (others & ~p->sets[other]) != 0)
            continue;
        double *rows = pair_rows(p, part, other);
        *rows = (*rows < 0 ? p->parts[part].rows * p->parts[other].rows : *rows) * r->predicates[k].selectivity;
    }
    for (int32_t i = 0; i < n; i++)
        if (*pair_rows(p, i, part) >= 0)
            *pair_rows(p, i, part) = fmax(1, *pair_rows(p, i, part));
}

static void put_part(parting *p, int32_t at, entry part, uint64_t set)
{
    p->parts[at] = part;
    p->sets[at] = set;
    for (uint64_t s = set; s != 0; s &= s - 1)
        p->owners[__builtin_ctzll(s)] = at;
}

static fl_status greedily(region *r, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    parting *p = NULL;
    FL_ASSERT(r->n_relations > 0);
    FL_TRY(FL_NEW(r->ordering->scratch, &p, err));
    p->n = r->n_relations;
    for (int32_t i = 0; i < p->n; i++)
        put_part(p, i, (entry){r->relations[i], r->relations[i]->rows, 0, 0}, 1ull << i);
    for (int32_t i = 1; i < p->n; i++)
        weigh(r, p, i, i);
    while (p->n > 1) {
        int32_t best_a = -1, best_b = -1;
        double best_cost = 0, best_rows = 0;
        for (int crossed = 0; crossed < 2 && best_a < 0; crossed++)
            for (int32_t a = 0; a < p->n; a++)
                for (int32_t b = a + 1; b < p->n; b++) {
                    double rows = crossed == 0 ? p->rows[a][b] : p->parts[a].rows * p->parts[b].rows;
                    double cost = join_cost(p->parts[a].rows, p->parts[b].rows, rows);
                    if (rows >= 0 && (best_a < 0 || cost < best_cost)) {
                        best_a = a;
                        best_b = b;
                        best_cost = cost;
                        best_rows = rows;
                    }
                }
        const fl_node *joined = NULL;
        FL_TRY(make(r, &p->parts[best_a], p->sets[best_a], &p->parts[best_b], p->sets[best_b], &joined, err));
        put_part(p, best_a, (entry){joined, best_rows, 0, 0}, p->sets[best_a] | p->sets[best_b]);
        p->n--;
        if (best_b < p->n) {
            put_part(p, best_b, p->parts[p->n], p->sets[p->n]);
            weigh(r, p, best_b, p->n);
        }
        weigh(r, p, best_a, p->n);
    }
    *ret = p->parts[0].plan;
cleanup:
    return st;
}

/* Orders every region below and including the node. */
static fl_status order(ordering *o, const fl_node *node, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node **inputs = NULL;
    *ret = o->done[node->id];
    if (*ret != NULL)
        return FL_OK;
    if (!is_plain(node) || count_relations(node) > RELATIONS_MAX) {
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(o->plan), node->n_inputs, &inputs, err));
        for (int32_t i = 0; i < node->n_inputs; i++)
            FL_TRY(order(o, node->inputs[i], &inputs[i], err));
        FL_TRY(fl_node_with_inputs(o->plan, node, inputs, ret, err));
    } else {
        region *r = NULL;
        const fl_node *joined = NULL;
        FL_TRY(FL_NEW(o->scratch, &r, err));
        r->plan = o->plan;
        r->ordering = o;
        FL_TRY(collect(r, node, err));
        FL_TRY(find_relations(r, err));
        if (r->n_relations <= RELATIONS_DP)
            FL_TRY(by_programming(r, &joined, err));
        if (joined == NULL)
            FL_TRY(greedily(r, &joined, err));
        FL_TRY(fl_node_with_cols(o->plan, joined, node->cols, node->n_cols, ret, err));
    }
    o->done[node->id] = *ret;
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *out = NULL;
    ordering o = {.plan = call->plan, .scratch = call->scratch};
    FL_TRY(FL_NEW_ARRAY(call->scratch, fl_plan_nodes(call->plan) + 1, &o.done, err));
    FL_TRY(order(&o, call->root, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_order_joins = {FL_DESC(fl_rule_desc),    .name = "order_joins",
                                          .phase = "join_order",    .pattern = "root",
                                          .scope = FL_SCOPE_GLOBAL, .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT,
                                          .on_match = on_match,     .doc = "inner joins in the order of least cost"};
