/* Which way an order is looked for, by the size of the graph and by what there is to win: a search that takes longer than the
 * greedy order runs cannot pay. */
#include "opt/join_order.h"

#include "opt/dphyp.h"
#include "opt/greedy.h"
#include "opt/join_cross.h"
#include "opt/linearized.h"

#include <math.h>

#define PAIRS_MAX 50000           /* some milliseconds */
#define PAIRS_OF_LINES_MAX 350000 /* two lines of 100 relations: each pair costs less than one of sets */
#define PAIRS_FREE 256            /* some microseconds: looked at whatever the order costs */
#define PAIRS_PER_ROW 0.5         /* that a search looks at while a row is put out, the unit of fl_join_cost */
#define PAIRS_PER_RELATION 16
#define PAIRS_OF_SPLITS_MAX 2000

static void keep_cheaper(const fl_join_tree **best, const fl_join_tree *tree)
{
    if (tree != NULL && (*best == NULL || tree->cost < (*best)->cost))
        *best = tree;
}

/* Subtrees of so many relations are put in order again, each over the line of its leaves, which holds it itself. */
static fl_status reorder_small(const fl_join_graph *graph, const fl_join_tree *tree, int32_t n_max, int32_t *line,
                               const fl_join_tree **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_tree *left = NULL, *right = NULL;
    *ret = tree;
    if (tree->relation >= 0)
        return FL_OK;
    if (fl_relation_set_count(tree->set, graph->n_words) <= n_max) {
        const fl_join_tree *better = NULL;
        FL_TRY(fl_linearized(graph, line, fl_join_tree_leaves(tree, line), &better, err));
        keep_cheaper(ret, better);
        return FL_OK;
    }
    FL_TRY(reorder_small(graph, tree->left, n_max, line, &left, err));
    FL_TRY(reorder_small(graph, tree->right, n_max, line, &right, err));
    st = fl_join_tree_join(graph, left, right, ret, err);
cleanup:
    return st;
}

/* The line of IKKBZ and that of the greedy tree's leaves, so that the result is never worse than that; as long as the pairs of
 * stretches, which are cubic, are not too many. */
static fl_status by_lines(const fl_join_graph *graph, double pairs_max, const fl_join_tree **ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t *line = NULL, n = graph->n_relations;
    int32_t n_max = (int32_t)fmin(FL_LINEARIZED_MAX, sqrt(3 * pairs_max / n));
    bool found = false;
    const fl_join_tree *tree = NULL;
    FL_TRY(FL_NEW_ARRAY(graph->arena, n, &line, err));
    if (n > n_max)
        return *ret == NULL ? FL_OK : reorder_small(graph, *ret, n_max, line, ret, err);
    if (*ret != NULL) {
        FL_TRY(fl_linearized(graph, line, fl_join_tree_leaves(*ret, line), &tree, err));
        keep_cheaper(ret, tree);
    }
    FL_TRY(fl_ikkbz(graph, line, &found, err));
    if (found) {
        FL_TRY(fl_linearized(graph, line, n, &tree, err));
        keep_cheaper(ret, tree);
    }
cleanup:
    return st;
}

/* Exactly, if there are so few pairs. */
static fl_status by_pairs(const fl_join_graph *graph, int64_t pairs_max, bool *ret_done, const fl_join_tree **ret,
                          fl_err *err)
{
    *ret_done = false;
    if (graph->n_relations > FL_DPHYP_RELATIONS_MAX)
        return FL_OK;
    fl_dphyp_count count = fl_dphyp_count_pairs(graph, pairs_max);
    *ret_done = !count.is_over;
    return count.is_over ? FL_OK : fl_dphyp(graph, count.sets, ret, err);
}

static fl_status find_order(const fl_join_graph *graph, const fl_join_tree **ret, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_done = false;
    double pairs = PAIRS_OF_LINES_MAX, free = fmax(PAIRS_FREE, PAIRS_PER_RELATION * graph->n_relations);
    FL_TRY(by_pairs(graph, PAIRS_FREE, &is_done, ret, err));
    if (is_done)
        return FL_OK;
    FL_TRY(fl_greedy(graph, ret, err));
    if (*ret != NULL)
        pairs = fmax(free, fmin(pairs, PAIRS_PER_ROW * (*ret)->cost));
    if (pairs > free)
        FL_TRY(by_pairs(graph, (int64_t)fmin(pairs, PAIRS_MAX), &is_done, ret, err));
    if (!is_done)
        FL_TRY(by_lines(graph, pairs, ret, err));
cleanup:
    return st;
}

fl_status fl_join_order(fl_join_graph *graph, const fl_join_tree **ret, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(find_order(graph, ret, err));
    if (*ret == NULL && !graph->is_inner) {
        FL_TRY(fl_join_graph_cross_sites(graph, err));
        FL_TRY(find_order(graph, ret, err));
    }
cleanup:
    return st;
}

fl_status fl_join_order_splits(fl_join_graph *graph, const fl_join_splits_wanted *wanted, const fl_join_split **ret,
                               int32_t *ret_n, fl_err *err)
{
    *ret = NULL;
    *ret_n = 0;
    if (graph->n_relations > FL_JOIN_SPLIT_RELATIONS_MAX)
        return FL_OK;
    fl_dphyp_count count = fl_dphyp_count_pairs(graph, PAIRS_OF_SPLITS_MAX);
    return count.is_over ? FL_OK : fl_dphyp_splits(graph, count.sets, wanted, ret, ret_n, err);
}
