/* Leaves and joins of an order. */
#include "opt/join_tree.h"

#include "opt/join_rows.h"

#include <math.h>

fl_status fl_join_tree_leaf(const fl_join_graph *graph, int32_t relation, const fl_join_tree **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_join_tree *leaf = NULL;
    uint64_t *set = NULL;
    FL_TRY(FL_NEW(graph->arena, &leaf, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, graph->n_words, &set, err));
    fl_relation_set_add(set, relation);
    *leaf = (fl_join_tree){
        .relation = relation, .site = -1, .set = set, .rows = fl_join_rows(fl_join_graph_log_rows(graph, set))};
    *ret = leaf;
cleanup:
    return st;
}

double fl_join_tree_cost(const fl_join_graph *graph, fl_join_side a, fl_join_side b, double rows, int32_t site)
{
    if (site >= 0 && graph->sites[site].kind == FL_REORDER_FULL)
        return fmin(fl_join_cost(a, b, rows, true), fl_join_cost(b, a, rows, true));
    return fl_join_cost(a, b, rows, false);
}

fl_status fl_join_tree_join(const fl_join_graph *graph, const fl_join_tree *a, const fl_join_tree *b,
                            const fl_join_tree **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_join_tree *tree = NULL;
    uint64_t *set = NULL;
    fl_join_meeting meeting = {.site = -1};
    FL_TRY(FL_NEW(graph->arena, &tree, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, graph->n_words, &set, err));
    fl_relation_set_unite(set, a->set, b->set, graph->n_words);
    if (!graph->is_inner) {
        meeting = fl_join_graph_meet(graph, a->set, b->set, graph->n_words);
        FL_ASSERT(meeting.is_legal);
    }
    bool is_free = meeting.site < 0 || graph->sites[meeting.site].kind == FL_REORDER_FULL;
    fl_join_side sides[2] = {{a->rows, fl_join_graph_width(graph, a->set)},
                             {b->rows, fl_join_graph_width(graph, b->set)}};
    bool swaps = is_free ? fl_join_builds_left(sides[0], sides[1]) : meeting.is_swapped;
    double rows = fl_join_rows(fl_join_graph_log_rows(graph, set));
    *tree =
        (fl_join_tree){.relation = -1,
                       .site = meeting.site,
                       .left = swaps ? b : a,
                       .right = swaps ? a : b,
                       .set = set,
                       .rows = rows,
                       .cost = a->cost + b->cost + fl_join_tree_cost(graph, sides[0], sides[1], rows, meeting.site)};
    *ret = tree;
cleanup:
    return st;
}

int32_t fl_join_tree_leaves(const fl_join_tree *tree, int32_t *ret)
{
    if (tree->relation >= 0) {
        *ret = tree->relation;
        return 1;
    }
    int32_t n = fl_join_tree_leaves(tree->left, ret);
    return n + fl_join_tree_leaves(tree->right, ret + n);
}
