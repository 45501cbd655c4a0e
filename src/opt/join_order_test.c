/* Orders of joins: what DPhyp finds against all there is, over random graphs; that every order which the conflict rules leave
 * gives the rows of the query's own, over random tables with nulls; pairs counted; large graphs. */
#include "opt/join_order.h"

#include "base/clock.h"
#include "opt/dphyp.h"
#include "opt/greedy.h"
#include "opt/join_cross.h"
#include "opt/join_rows.h"
#include "opt/linearized.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define SMALL_MAX 8 /* relations of a random graph */
#define COLS 2

static uint64_t seed;

static uint32_t below(uint32_t n)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)((seed >> 33) % n);
}

/* ---- graphs of a shape --------------------------------------------------------------------------------------------------- */

static void begin_shape(fl_join_graph *graph, fl_arena *arena, int32_t n)
{
    int32_t at = 0;
    assert_int_equal(fl_join_graph_init(graph, arena, n, NULL), FL_OK);
    for (int32_t i = 0; i < n; i++) {
        graph->relations[i].log_rows = 3 + below(10);
        graph->relations[i].log_base_rows = graph->relations[i].log_rows + below(5);
        graph->relations[i].width = 8;
    }
    for (int32_t i = 1; i < n; i++)
        assert_int_equal(fl_join_graph_add_site(graph, FL_REORDER_INNER, at, i, &at, NULL), FL_OK);
}

/* A conjunct of two relations, at the site that has them at its two sides. */
static void connect(fl_join_graph *graph, int32_t a, int32_t b, double share)
{
    uint64_t used[FL_JOIN_RELATIONS_MAX / 64] = {0}, none[FL_JOIN_RELATIONS_MAX / 64] = {0};
    int32_t site = graph->n_relations + fl_join_graph_meeting(graph, a, b);
    fl_relation_set_add(used, a);
    fl_relation_set_add(used, b);
    assert_int_equal(fl_join_graph_add_conjunct(graph, site, graph->n_operators, used, none, share, true, NULL), FL_OK);
}

typedef enum shape { CHAIN, STAR, CYCLE, CLIQUE } shape;

static void make_shape(fl_join_graph *graph, fl_arena *arena, shape shape, int32_t n)
{
    begin_shape(graph, arena, n);
    for (int32_t a = 0; a < n; a++)
        for (int32_t b = a + 1; b < n; b++) {
            bool is_next = b == a + 1, is_round = a == 0 && b == n - 1;
            if (shape == CLIQUE || (shape == STAR ? a == 0 : is_next || (shape == CYCLE && is_round)))
                connect(graph, a, b, -2.0 - below(8));
        }
    assert_int_equal(fl_join_graph_finish(graph, NULL), FL_OK);
}

static void test_pairs(void **state)
{
    (void)state;
    static const struct {
        shape shape;
        int32_t n;
        int64_t pairs;
    } cases[] = {{CHAIN, 20, 1330}, {STAR, 10, 2304}, {CLIQUE, 10, 28501}, {CYCLE, 10, 405}};
    for (int64_t i = 0; i < FL_LEN(cases); i++) {
        fl_arena arena;
        fl_join_graph graph;
        fl_arena_init(&arena, NULL);
        make_shape(&graph, &arena, cases[i].shape, cases[i].n);
        fl_dphyp_count count = fl_dphyp_count_pairs(&graph, 1000000);
        assert_false(count.is_over);
        assert_int_equal(count.pairs, cases[i].pairs);
        fl_arena_drop(&arena);
    }
}

/* A clique of 20 has 1.7 billion pairs: counting gives up, and what is planned instead is small. */
static int32_t count_of_set(const fl_join_split *splits, int32_t n, uint64_t set)
{
    int32_t count = 0;
    for (int32_t i = 0; i < n; i++)
        count += splits[i].set == set;
    return count;
}

/* Where all splits are wanted each pair is one; each set's first is the one that the best tree has, and both sides have their own. */
static void test_splits(void **state)
{
    (void)state;
    static const struct {
        shape shape;
        int32_t n;
        int32_t pairs;
    } cases[] = {{CHAIN, 6, 35}, {STAR, 6, 80}, {CLIQUE, 5, 90}, {CYCLE, 5, 40}};
    for (int64_t i = 0; i < FL_LEN(cases); i++) {
        fl_arena arena;
        fl_join_graph graph;
        const fl_join_split *splits = NULL;
        const fl_join_tree *tree = NULL;
        fl_join_splits_wanted wanted = {.n_max = 1000, .near = INFINITY};
        int32_t n = 0;
        fl_arena_init(&arena, NULL);
        make_shape(&graph, &arena, cases[i].shape, cases[i].n);
        assert_int_equal(fl_join_order_splits(&graph, &wanted, &splits, &n, NULL), FL_OK);
        assert_int_equal(n, cases[i].pairs);
        assert_int_equal(fl_join_order(&graph, &tree, NULL), FL_OK);
        assert_true(splits[0].set == *tree->set);
        assert_true(splits[0].left == *tree->left->set || splits[0].left == *tree->right->set);
        for (int32_t k = 0; k < n; k++)
            for (int32_t side = 0; side < 2; side++) {
                uint64_t set = side == 0 ? splits[k].left : splits[k].set & ~splits[k].left;
                assert_true(set != 0 && (set & ~splits[k].set) == 0);
                assert_true((set & (set - 1)) == 0 || count_of_set(splits, n, set) > 0);
            }
        wanted.n_max = 3; /* beside one for each set */
        assert_int_equal(fl_join_order_splits(&graph, &wanted, &splits, &n, NULL), FL_OK);
        int32_t n_sets = 0;
        for (int32_t k = 0; k < n; k++)
            n_sets += count_of_set(splits, k, splits[k].set) == 0;
        assert_int_equal(n, n_sets + 3);
        wanted.near = 0; /* nothing is cheaper than the best */
        assert_int_equal(fl_join_order_splits(&graph, &wanted, &splits, &n, NULL), FL_OK);
        assert_int_equal(n, cases[i].n - 1);
        fl_arena_drop(&arena);
    }
}

static void test_clique_stays_small(void **state)
{
    (void)state;
    fl_arena arena;
    fl_join_graph graph;
    const fl_join_tree *tree = NULL;
    fl_arena_init(&arena, NULL);
    make_shape(&graph, &arena, CLIQUE, 20);
    assert_true(fl_dphyp_count_pairs(&graph, 50000).is_over);
    assert_int_equal(fl_join_order(&graph, &tree, NULL), FL_OK);
    assert_non_null(tree);
    assert_true(FL_ARENA_IS_EXACT || arena.bytes <= 1 << 20);
    fl_arena_drop(&arena);
}

static void test_long_chain(void **state)
{
    (void)state;
    static const shape shapes[] = {CHAIN, STAR};
    for (int64_t i = 0; i < FL_LEN(shapes); i++) {
        fl_arena arena;
        fl_join_graph graph;
        const fl_join_tree *tree = NULL, *greedy = NULL;
        fl_arena_init(&arena, NULL);
        int64_t start = fl_clock_ns(NULL);
        make_shape(&graph, &arena, shapes[i], 500);
        assert_int_equal(fl_join_order(&graph, &tree, NULL), FL_OK);
        assert_true(FL_ARENA_IS_EXACT || fl_clock_ns(NULL) - start < 1000000000);
        assert_non_null(tree);
        assert_int_equal(fl_relation_set_count(tree->set, graph.n_words), 500);
        assert_int_equal(fl_greedy(&graph, &greedy, NULL), FL_OK);
        assert_true(tree->cost <= greedy->cost);
        fl_arena_drop(&arena);
    }
}

/* A large relation with filtered small ones around it. */
static void make_star_of_keys(fl_join_graph *graph, fl_arena *arena, int32_t n)
{
    begin_shape(graph, arena, n);
    graph->relations[0].log_rows = graph->relations[0].log_base_rows = 23;
    for (int32_t i = 1; i < n; i++) {
        graph->relations[i].log_base_rows = 3 + below(14);
        graph->relations[i].log_rows = fmax(0, graph->relations[i].log_base_rows - below(8));
        connect(graph, 0, i, -graph->relations[i].log_base_rows);
    }
    assert_int_equal(fl_join_graph_finish(graph, NULL), FL_OK);
}

static void test_linearized_is_near(void **state)
{
    (void)state;
    seed = 5;
    for (int32_t round = 0; round < 8; round++) {
        fl_arena arena;
        fl_join_graph graph;
        const fl_join_tree *exact = NULL, *tree = NULL;
        int32_t n = round == 0 ? 20 : 13;
        fl_arena_init(&arena, NULL);
        make_star_of_keys(&graph, &arena, n);
        fl_dphyp_count count = fl_dphyp_count_pairs(&graph, 10000000);
        assert_int_equal(count.pairs, (int64_t)(n - 1) << (n - 2));
        assert_int_equal(fl_dphyp(&graph, count.sets, &exact, NULL), FL_OK);
        int32_t line[20];
        bool found = false;
        assert_int_equal(fl_ikkbz(&graph, line, &found, NULL), FL_OK);
        assert_true(found);
        assert_int_equal(fl_linearized(&graph, line, n, &tree, NULL), FL_OK);
        assert_true(tree->cost >= exact->cost * (1 - 1e-9));
        assert_true(tree->cost <= exact->cost * 1.1);
        fl_arena_drop(&arena);
    }
}

/* ---- rows ---------------------------------------------------------------------------------------------------------------- */

static fl_class_member member(int32_t relation, int32_t col, double log_distinct)
{
    return (fl_class_member){relation, {relation * COLS + col + 1}, log_distinct};
}

static void equate(fl_join_graph *graph, fl_class_member a, fl_class_member b)
{
    bool is_one = false;
    int32_t site = graph->n_relations + fl_join_graph_meeting(graph, a.relation, b.relation);
    assert_int_equal(fl_join_graph_add_equality(graph, site, &a, &b, &is_one, NULL), FL_OK);
    assert_true(is_one);
}

/* Three relations by one class: two equalities count, those of most distinct values; what follows connects, too. */
static void test_rows_of_class(void **state)
{
    (void)state;
    fl_arena arena;
    fl_join_graph graph;
    static const double logs[] = {10, 4, 7};
    fl_arena_init(&arena, NULL);
    begin_shape(&graph, &arena, 3);
    for (int32_t i = 0; i < 3; i++)
        graph.relations[i].log_rows = graph.relations[i].log_base_rows = 10;
    for (int32_t i = 1; i < 3; i++)
        equate(&graph, member(i - 1, 0, logs[i - 1]), member(i, 0, logs[i]));
    equate(&graph, member(0, 0, logs[0]), member(2, 0, logs[2])); /* says nothing new */
    assert_int_equal(fl_join_graph_finish(&graph, NULL), FL_OK);
    assert_true(fl_join_graph_log_rows(&graph, &(uint64_t){7}) == 30 - 10 - 7);
    assert_true(fl_join_graph_log_rows(&graph, &(uint64_t){6}) == 20 - 7);
    assert_int_equal(fl_dphyp_count_pairs(&graph, 1000).pairs, 6);
    fl_arena_drop(&arena);
}

/* Two equalities of a composite key keep no fewer pairs than the smaller relation's rows allow. */
static void test_rows_of_composite_key(void **state)
{
    (void)state;
    fl_arena arena;
    fl_join_graph graph;
    fl_col_set key = {0};
    fl_arena_init(&arena, NULL);
    for (int32_t has_key = 0; has_key < 2; has_key++) {
        begin_shape(&graph, &arena, 2);
        graph.relations[0].log_rows = graph.relations[0].log_base_rows = 22;
        graph.relations[1].log_rows = 15;
        graph.relations[1].log_base_rows = 20;
        assert_int_equal(fl_col_set_add(&arena, &key, (fl_col_id){COLS + 1}, NULL), FL_OK);
        assert_int_equal(fl_col_set_add(&arena, &key, (fl_col_id){COLS + 2}, NULL), FL_OK);
        graph.relations[1].keys = &key;
        graph.relations[1].n_keys = has_key;
        for (int32_t c = 0; c < 2; c++) /* without a key: more values than rows; with it: fewer than it must have */
            equate(&graph, member(0, c, has_key ? 8 : 17), member(1, c, has_key ? 8 : 17));
        assert_int_equal(fl_join_graph_finish(&graph, NULL), FL_OK);
        assert_true(fl_join_graph_log_rows(&graph, &(uint64_t){3}) == 22 + 15 - 20);
    }
    fl_arena_drop(&arena);
}

/* A part that nothing connects is crossed as a whole; one of a single row is, too, where that lets both be keys. */
static void test_crosses(void **state)
{
    (void)state;
    fl_arena arena;
    fl_join_graph graph;
    fl_arena_init(&arena, NULL);
    begin_shape(&graph, &arena, 4);
    connect(&graph, 0, 1, -3);
    connect(&graph, 2, 3, -3);
    assert_int_equal(fl_join_graph_finish(&graph, NULL), FL_OK);
    assert_true(fl_join_graph_meet(&graph, &(uint64_t){3}, &(uint64_t){12}, 1).is_legal);
    assert_false(fl_join_graph_meet(&graph, &(uint64_t){1}, &(uint64_t){4}, 1).is_legal);
    assert_int_equal(fl_dphyp_count_pairs(&graph, 1000).is_over, false);
    begin_shape(&graph, &arena, 3);
    graph.relations[2].log_rows = 0;
    graph.relations[2].is_one_row = true;
    connect(&graph, 0, 1, -3);
    connect(&graph, 0, 2, -3);
    assert_int_equal(fl_join_graph_finish(&graph, NULL), FL_OK);
    assert_true(fl_join_graph_meet(&graph, &(uint64_t){2}, &(uint64_t){4}, 1).is_legal);
    fl_arena_drop(&arena);
}

/* ---- random queries ------------------------------------------------------------------------------------------------------ */

typedef enum predicate_kind {
    EQUAL,          /* two columns */
    NOT_DISTINCT,   /* two columns: null meets null */
    SUM,            /* a column and the sum of others, of any number: all of them must not be null */
    COALESCED,      /* as SUM, with 0 for null */
    PREDICATE_KINDS /* how many */
} predicate_kind;

typedef struct predicate {
    predicate_kind kind;
    int32_t site;
    int32_t cols[4];
    int32_t n_cols;
    bool is_class; /* an equality that went into a class */
} predicate;

typedef struct query {
    fl_join_graph graph;
    int32_t n;
    predicate predicates[4 * SMALL_MAX];
    int32_t n_predicates;
    uint64_t visible[SMALL_MAX]; /* by site: relations whose columns it puts out */
} query;

static uint64_t visible_of(const query *q, int32_t operand)
{
    return operand < q->n ? 1ull << operand : q->visible[operand - q->n];
}

static int32_t any_col(uint64_t relations)
{
    int32_t skips = (int32_t)below((uint32_t)__builtin_popcountll(relations));
    for (; skips > 0; skips--)
        relations &= relations - 1;
    return __builtin_ctzll(relations) * COLS + (int32_t)below(COLS);
}

static void add_predicate(query *q, int32_t site, bool is_inner, uint64_t left, uint64_t right)
{
    predicate *p = &q->predicates[q->n_predicates];
    uint64_t used = 0, rejected = 0;
    *p = (predicate){.kind = (predicate_kind)below(PREDICATE_KINDS), .site = site, .n_cols = 2};
    if (is_inner && below(2) == 0)
        p->kind = EQUAL;
    p->cols[0] = any_col(left);
    p->cols[1] = any_col(right);
    for (int32_t i = 0; p->kind >= SUM && i < 2 && below(2) == 0; i++)
        p->cols[p->n_cols++] = any_col(left | right);
    if (p->kind >= SUM && below(12) == 0) /* of one side only */
        p->cols[1] = any_col(left);
    for (int32_t i = 0; i < p->n_cols; i++)
        used |= 1ull << (p->cols[i] / COLS);
    rejected = p->kind == EQUAL || p->kind == SUM ? used : 0;
    if (is_inner && p->kind == EQUAL) {
        fl_class_member a = member(p->cols[0] / COLS, p->cols[0] % COLS, 1 + below(4));
        fl_class_member b = member(p->cols[1] / COLS, p->cols[1] % COLS, 1 + below(4));
        assert_int_equal(fl_join_graph_add_equality(&q->graph, q->n + site, &a, &b, &p->is_class, NULL), FL_OK);
    }
    if (!p->is_class)
        assert_int_equal(fl_join_graph_add_conjunct(&q->graph, q->n + site, q->n_predicates, &used, &rejected,
                                                    -1.0 - below(4), p->kind == EQUAL, NULL),
                         FL_OK);
    q->n_predicates++;
}

static void make_query(query *q, fl_arena *arena, int32_t n, bool has_outer)
{
    int32_t operands[SMALL_MAX], n_operands = n;
    *q = (query){.n = n};
    assert_int_equal(fl_join_graph_init(&q->graph, arena, n, NULL), FL_OK);
    for (int32_t i = 0; i < n; i++) {
        operands[i] = i;
        q->graph.relations[i].log_rows = 1 + below(8);
        q->graph.relations[i].log_base_rows = q->graph.relations[i].log_rows;
        q->graph.relations[i].width = (int32_t)below(50);
    }
    while (n_operands > 1) {
        int32_t a = (int32_t)below((uint32_t)n_operands), left = operands[a];
        operands[a] = operands[--n_operands];
        int32_t b = (int32_t)below((uint32_t)n_operands), right = operands[b];
        fl_reorder_kind kind = has_outer && below(2) == 0 ? (fl_reorder_kind)below(5) : FL_REORDER_INNER;
        assert_int_equal(fl_join_graph_add_site(&q->graph, kind, left, right, &operands[b], NULL), FL_OK);
        q->visible[operands[b] - n] = visible_of(q, left);
        if (kind != FL_REORDER_SEMI && kind != FL_REORDER_ANTI)
            q->visible[operands[b] - n] |= visible_of(q, right);
    }
    for (int32_t s = 0; s < n - 1; s++) {
        const fl_join_site *site = &q->graph.sites[s];
        bool is_inner = site->kind == FL_REORDER_INNER;
        int32_t wanted = below(10) == 0 ? 0 : below(3) == 0 ? 2 : 1;
        for (int32_t i = 0; i < wanted; i++)
            add_predicate(q, s, is_inner, visible_of(q, site->sides[0]), visible_of(q, site->sides[1]));
    }
    assert_int_equal(fl_join_graph_finish(&q->graph, NULL), FL_OK);
}

/* The least cost of all trees whose joins are legal, by trying all ways to cut each set. */
static double best_of_all(const fl_join_graph *graph)
{
    static double best[1 << SMALL_MAX], rows[1 << SMALL_MAX];
    uint64_t all = (1ull << graph->n_relations) - 1;
    for (uint64_t set = 1; set <= all; set++) {
        best[set] = (set & (set - 1)) == 0 ? 0 : INFINITY;
        rows[set] = fl_join_rows(fl_join_graph_log_rows(graph, &set));
        for (uint64_t a = (set - 1) & set; a != 0; a = (a - 1) & set) {
            uint64_t b = set & ~a;
            if (a < b || isinf(best[a]) || isinf(best[b]))
                continue;
            fl_join_meeting meeting = fl_join_graph_meet(graph, &a, &b, 1);
            if (!meeting.is_legal)
                continue;
            double cost =
                best[a] + best[b] +
                fl_join_tree_cost(graph, (fl_join_side){rows[a], fl_join_graph_width(graph, &a)},
                                  (fl_join_side){rows[b], fl_join_graph_width(graph, &b)}, rows[set], meeting.site);
            best[set] = fmin(best[set], cost);
        }
    }
    return best[all];
}

static void test_dphyp_finds_the_best(void **state)
{
    (void)state;
    int32_t unordered = 0;
    for (int32_t round = 0; round < 6000; round++) {
        fl_arena arena;
        query q;
        const fl_join_tree *tree = NULL, *line = NULL;
        seed = (uint64_t)round;
        fl_arena_init(&arena, NULL);
        make_query(&q, &arena, 2 + (int32_t)below(SMALL_MAX - 1), round % 2 == 0);
        double best = best_of_all(&q.graph);
        if (isinf(best)) {
            assert_int_equal(fl_join_graph_cross_sites(&q.graph, NULL), FL_OK);
            best = best_of_all(&q.graph);
        }
        fl_dphyp_count count = fl_dphyp_count_pairs(&q.graph, 1000000);
        assert_false(count.is_over);
        assert_int_equal(fl_dphyp(&q.graph, count.sets, &tree, NULL), FL_OK);
        unordered += tree == NULL;
        if ((tree == NULL) != !!isinf(best) || (tree != NULL && fabs(tree->cost - best) > 1e-9 * best))
            fail_msg("round %d, %d relations: the cost is %g, could be %g", round, q.n,
                     tree == NULL ? INFINITY : tree->cost, best);
        assert_int_equal(fl_greedy(&q.graph, &line, NULL), FL_OK); /* may come to an end where nothing may meet */
        if (line != NULL)
            assert_true(line->cost >= best * (1 - 1e-9));
        fl_arena_drop(&arena);
    }
    assert_int_equal(unordered, 0);
}

/* ---- all orders give the same rows --------------------------------------------------------------------------------------- */

#define TABLE_ROWS 3
#define NIL 99
#define ROWS_MAX 4096
#define RESULTS_MAX 6
#define EVALUATED_MAX 5

/* A row of a result: by relation the number of its row; -1: nulls in its place; -2: not put out. */
typedef struct result {
    int32_t n;
    int8_t rows[ROWS_MAX][EVALUATED_MAX];
} result;

typedef struct evaluation {
    const query *q;
    int32_t n_rows[EVALUATED_MAX];
    int8_t tables[EVALUATED_MAX][TABLE_ROWS][COLS];
    result *results[1 << EVALUATED_MAX][RESULTS_MAX]; /* different ones of a set */
    int32_t n_results[1 << EVALUATED_MAX];
    fl_arena *arena;
    bool is_too_large;
} evaluation;

static int32_t value_of(const evaluation *e, const int8_t *row, int32_t col)
{
    int8_t at = row[col / COLS];
    assert_true(at >= -1);
    return at == -1 ? NIL : e->tables[col / COLS][at][col % COLS];
}

static bool is_true(const evaluation *e, const predicate *p, const int8_t *row)
{
    int32_t values[4], sum = 0;
    for (int32_t i = 0; i < p->n_cols; i++) {
        values[i] = value_of(e, row, p->cols[i]);
        if (values[i] == NIL && (p->kind == EQUAL || p->kind == SUM))
            return false;
        if (values[i] == NIL && p->kind == COALESCED)
            values[i] = 0;
        sum += i > 0 ? values[i] : 0;
    }
    return p->kind == SUM || p->kind == COALESCED ? values[0] == sum % 4 : values[0] == values[1];
}

static int compare_rows(const void *a, const void *b)
{
    return memcmp(a, b, EVALUATED_MAX);
}

static void put_row(evaluation *e, result *ret, const int8_t *row)
{
    if (ret->n == ROWS_MAX)
        e->is_too_large = true;
    else
        memcpy(ret->rows[ret->n++], row, EVALUATED_MAX);
}

/* The pair as one row; what neither has is the null row or hidden. */
static void merge_rows(const int8_t *a, const int8_t *b, int8_t *ret)
{
    for (int32_t i = 0; i < EVALUATED_MAX; i++)
        ret[i] = a[i] != -2 ? a[i] : b[i];
}

static void null_row(uint64_t relations, int8_t *ret)
{
    for (int32_t i = 0; i < EVALUATED_MAX; i++)
        ret[i] = (relations >> i) & 1 ? -1 : -2;
}

/* The join of two results by predicates (NULL at the end); set_a and set_b are the relations that are null where a row of the
 * side is missing, those it shows. */
static void join(evaluation *e, fl_reorder_kind kind, const result *a, uint64_t set_a, const result *b, uint64_t set_b,
                 const predicate *const *predicates, result *ret)
{
    int8_t row[EVALUATED_MAX], nulls[EVALUATED_MAX];
    bool is_met[ROWS_MAX] = {false};
    ret->n = 0;
    for (int32_t i = 0; i < a->n; i++) {
        bool any = false;
        for (int32_t k = 0; k < b->n; k++) {
            bool meets = true;
            merge_rows(a->rows[i], b->rows[k], row);
            for (int32_t p = 0; predicates[p] != NULL && meets; p++)
                meets = is_true(e, predicates[p], row);
            if (!meets)
                continue;
            any = is_met[k] = true;
            if (kind != FL_REORDER_SEMI && kind != FL_REORDER_ANTI)
                put_row(e, ret, row);
        }
        null_row(set_b, nulls);
        merge_rows(a->rows[i], nulls, row);
        if (!any && (kind == FL_REORDER_LEFT || kind == FL_REORDER_FULL))
            put_row(e, ret, row);
        if (any ? kind == FL_REORDER_SEMI : kind == FL_REORDER_ANTI)
            put_row(e, ret, a->rows[i]);
    }
    for (int32_t k = 0; k < b->n && kind == FL_REORDER_FULL; k++) {
        null_row(set_a, nulls);
        merge_rows(b->rows[k], nulls, row);
        if (!is_met[k])
            put_row(e, ret, row);
    }
    qsort(ret->rows, (size_t)ret->n, EVALUATED_MAX, compare_rows);
}

static void scan(const evaluation *e, int32_t relation, result *ret)
{
    ret->n = e->n_rows[relation];
    for (int32_t i = 0; i < ret->n; i++) {
        null_row(0, ret->rows[i]);
        ret->rows[i][relation] = (int8_t)i;
    }
}

static uint64_t relations_of(const query *q, int32_t operand)
{
    if (operand < q->n)
        return 1ull << operand;
    return *q->graph.sites[operand - q->n].set[0] | *q->graph.sites[operand - q->n].set[1];
}

/* The query as it was written. */
static result *evaluate(evaluation *e, int32_t operand)
{
    result *ret = NULL;
    const query *q = e->q;
    assert_int_equal(FL_NEW(e->arena, &ret, NULL), FL_OK);
    if (operand < q->n) {
        scan(e, operand, ret);
        return ret;
    }
    const fl_join_site *site = &q->graph.sites[operand - q->n];
    const predicate *predicates[4 * SMALL_MAX + 1] = {NULL};
    int32_t n = 0;
    for (int32_t i = 0; i < q->n_predicates; i++)
        if (q->predicates[i].site == operand - q->n)
            predicates[n++] = &q->predicates[i];
    const result *a = evaluate(e, site->sides[0]), *b = evaluate(e, site->sides[1]);
    join(e, site->kind, a, visible_of(q, site->sides[0]), b, visible_of(q, site->sides[1]), predicates, ret);
    return ret;
}

/* What two sets that meet are joined by: as order_joins does it. */
static void find_predicates(const evaluation *e, uint64_t a, uint64_t b, fl_join_meeting meeting, predicate *made,
                            const predicate **ret)
{
    const query *q = e->q;
    const fl_join_graph *graph = &q->graph;
    uint64_t both = a | b;
    int32_t n = 0, n_made = 0;
    for (int32_t i = 0; i < q->n_predicates && meeting.site >= 0; i++)
        if (q->predicates[i].site == meeting.site)
            ret[n++] = &q->predicates[i];
    for (int32_t i = 0; i < graph->n_operators && meeting.site < 0; i++) {
        const fl_join_operator *op = &graph->operators[i];
        if (op->conjunct >= 0 && (*op->set & ~both) == 0 && (*op->set & a) != 0 && (*op->set & b) != 0)
            ret[n++] = &q->predicates[op->conjunct];
    }
    for (int32_t c = 0; c < graph->n_classes && meeting.site < 0; c++) {
        const fl_equality_class *class = &graph->classes[c];
        bool is_done = class->n == 0;
        for (int32_t i = 0; i < class->n && !is_done; i++)
            for (int32_t k = 0; k < class->n && !is_done; k++) {
                const fl_class_member *x = &class->members[i], *y = &class->members[k];
                if (!((a >> x->relation) & 1) || !((b >> y->relation) & 1))
                    continue;
                const fl_join_site *site = &graph->sites[fl_join_graph_meeting(graph, x->relation, y->relation)];
                if (!fl_conflict_rules_hold(site->rules, site->n_rules, &both, 1))
                    continue;
                made[n_made] = (predicate){.kind = EQUAL, .cols = {x->col.n - 1, y->col.n - 1}, .n_cols = 2};
                ret[n++] = &made[n_made++];
                is_done = true;
            }
    }
    ret[n] = NULL;
}

static void add_result(evaluation *e, uint64_t set, const result *one)
{
    for (int32_t i = 0; i < e->n_results[set]; i++)
        if (e->results[set][i]->n == one->n &&
            memcmp(e->results[set][i]->rows, one->rows, (size_t)one->n * EVALUATED_MAX) == 0)
            return;
    if (e->n_results[set] == RESULTS_MAX) {
        e->is_too_large = true;
        return;
    }
    result *kept = NULL;
    assert_int_equal(FL_NEW(e->arena, &kept, NULL), FL_OK);
    kept->n = one->n;
    memcpy(kept->rows, one->rows, (size_t)one->n * EVALUATED_MAX);
    e->results[set][e->n_results[set]++] = kept;
}

/* What a set puts out when it is null-extended: all of it but what its semi and anti joins hide. */
static uint64_t shown(const query *q, uint64_t set)
{
    uint64_t hidden = 0;
    for (int32_t s = 0; s < q->n - 1; s++) {
        const fl_join_site *site = &q->graph.sites[s];
        if ((site->kind == FL_REORDER_SEMI || site->kind == FL_REORDER_ANTI) && (*site->set[0] & set) != 0)
            hidden |= *site->set[1];
    }
    return set & ~hidden;
}

static void evaluate_all(evaluation *e)
{
    static result joined;
    const query *q = e->q;
    uint64_t all = (1ull << q->n) - 1;
    for (uint64_t set = 1; set <= all; set++) {
        if ((set & (set - 1)) == 0) {
            scan(e, __builtin_ctzll(set), &joined);
            add_result(e, set, &joined);
            continue;
        }
        for (uint64_t a = (set - 1) & set; a != 0; a = (a - 1) & set) {
            uint64_t b = set & ~a;
            fl_join_meeting meeting = fl_join_graph_meet(&q->graph, &a, &b, 1);
            if (!meeting.is_legal || (meeting.site >= 0 && meeting.is_swapped))
                continue;
            predicate made[4 * SMALL_MAX];
            const predicate *predicates[8 * SMALL_MAX];
            fl_reorder_kind kind = meeting.site < 0 ? FL_REORDER_INNER : q->graph.sites[meeting.site].kind;
            find_predicates(e, a, b, meeting, made, predicates);
            for (int32_t i = 0; i < e->n_results[a]; i++)
                for (int32_t k = 0; k < e->n_results[b]; k++) {
                    join(e, kind, e->results[a][i], shown(q, a), e->results[b][k], shown(q, b), predicates, &joined);
                    add_result(e, set, &joined);
                }
        }
    }
}

static void test_all_orders_give_the_same_rows(void **state)
{
    (void)state;
    int64_t orders = 0;
    for (int32_t round = 0; round < 4000; round++) {
        fl_arena arena;
        query q;
        static evaluation e;
        seed = (uint64_t)round + 1000000;
        fl_arena_init(&arena, NULL);
        make_query(&q, &arena, 3 + (int32_t)below(EVALUATED_MAX - 2), true);
        e = (evaluation){.q = &q, .arena = &arena};
        for (int32_t i = 0; i < q.n; i++) {
            e.n_rows[i] = 1 + (int32_t)below(TABLE_ROWS);
            for (int32_t k = 0; k < e.n_rows[i]; k++)
                for (int32_t c = 0; c < COLS; c++)
                    e.tables[i][k][c] = below(4) == 0 ? NIL : (int8_t)below(2);
        }
        uint64_t all = (1ull << q.n) - 1;
        assert_int_equal(relations_of(&q, 2 * q.n - 2), all);
        const result *wanted = evaluate(&e, 2 * q.n - 2);
        evaluate_all(&e);
        if (e.n_results[all] == 0) {
            assert_int_equal(fl_join_graph_cross_sites(&q.graph, NULL), FL_OK);
            evaluate_all(&e);
        }
        if (!e.is_too_large) {
            if (e.n_results[all] != 1 || e.results[all][0]->n != wanted->n ||
                memcmp(e.results[all][0]->rows, wanted->rows, (size_t)wanted->n * EVALUATED_MAX) != 0)
                fail_msg("round %d: %d results, %d rows for %d", round, e.n_results[all],
                         e.n_results[all] > 0 ? e.results[all][0]->n : -1, wanted->n);
            orders += e.n_results[all];
        }
        fl_arena_drop(&arena);
    }
    assert_true(orders > 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_clique_stays_small),
        cmocka_unit_test(test_long_chain),
        cmocka_unit_test(test_linearized_is_near),
        cmocka_unit_test(test_rows_of_class),
        cmocka_unit_test(test_rows_of_composite_key),
        cmocka_unit_test(test_crosses),
        cmocka_unit_test(test_dphyp_finds_the_best),
        cmocka_unit_test(test_all_orders_give_the_same_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
