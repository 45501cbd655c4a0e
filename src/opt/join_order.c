/* Which way an order is looked for, by the size of the graph. */
#include "opt/join_order.h"

#include "opt/dphyp.h"
#include "opt/greedy.h"
#include "opt/join_cross.h"
#include "opt/linearized.h"

#define PAIRS_MAX 50000 /* some milliseconds */

static void keep_cheaper(const fl_join_tree **best, const fl_join_tree *tree)
{
    if (tree != NULL && (*best == NULL || tree->cost < (*best)->cost))
        *best = tree;
}

/* Subtrees that are small enough are put in order again, each over the line of its leaves, which holds it itself. */
static fl_status reorder_small(const fl_join_graph *graph, const fl_join_tree *tree, int32_t *line,
                               const fl_join_tree **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_tree *left = NULL, *right = NULL;
    *ret = tree;
    if (tree->relation >= 0)
        return FL_OK;
    if (fl_relation_set_count(tree->set, graph->n_words) <= FL_LINEARIZED_MAX) {
        const fl_join_tree *better = NULL;
        FL_TRY(fl_linearized(graph, line, fl_join_tree_leaves(tree, line), &better, err));
        keep_cheaper(ret, better);
        return FL_OK;
    }
    FL_TRY(reorder_small(graph, tree->left, line, &left, err));
    FL_TRY(reorder_small(graph, tree->right, line, &right, err));
    st = fl_join_tree_join(graph, left, right, ret, err);
cleanup:
    return st;
}

/* The line of IKKBZ and that of the greedy tree's leaves, so that the result is never worse than that. */
static fl_status by_lines(const fl_join_graph *graph, const fl_join_tree **ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t *line = NULL;
    bool found = false;
    const fl_join_tree *tree = NULL;
    FL_TRY(FL_NEW_ARRAY(graph->arena, graph->n_relations, &line, err));
    FL_TRY(fl_greedy(graph, ret, err));
    if (graph->n_relations > FL_LINEARIZED_MAX)
        return *ret == NULL ? FL_OK : reorder_small(graph, *ret, line, ret, err);
    if (*ret != NULL) {
        FL_TRY(fl_linearized(graph, line, fl_join_tree_leaves(*ret, line), &tree, err));
        keep_cheaper(ret, tree);
    }
    FL_TRY(fl_ikkbz(graph, line, &found, err));
    if (found) {
        FL_TRY(fl_linearized(graph, line, graph->n_relations, &tree, err));
        keep_cheaper(ret, tree);
    }
cleanup:
    return st;
}

static fl_status find_order(const fl_join_graph *graph, const fl_join_tree **ret, fl_err *err)
{
    if (graph->n_relations <= FL_DPHYP_RELATIONS_MAX) {
        fl_dphyp_count count = fl_dphyp_count_pairs(graph, PAIRS_MAX);
        if (!count.is_over)
            return fl_dphyp(graph, count.sets, ret, err);
    }
    return by_lines(graph, ret, err);
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
