/* Each part keeps the partner that it is cheapest to join with. When two become one, the new part looks at all that it may
 * meet. Of the others, those whose partner is gone and which do not like the new one better look again when it is their turn
 * by what they cost with the old one: joins seldom make a part cheaper to meet.
 *
 * Where all joins are inner ones, one pass over the operators and classes of a part gives the rows with each of its neighbors;
 * else each pair is looked at. */
#include "opt/greedy.h"

#include "base/interrupt.h"
#include "opt/join_rows.h"

#include <math.h>

#define NONE (-1)
#define GONE (-2)

typedef struct part {
    const fl_join_tree *tree; /* NULL: it went into another */
    double log_rows;
    int32_t width;
    int32_t partner; /* NONE: none may be met; GONE: it went into another, and the cost was that with it */
    double cost;     /* with the partner */
} part;

typedef struct greed {
    const fl_join_graph *graph;
    part *parts;             /* by one of its relations */
    int32_t *owner;          /* by relation: its part */
    int32_t *operators_at;   /* by relation: where its operators begin in the list; one more than there are relations */
    int32_t *operators_list; /* operators that read a relation */
    int32_t *classes_at, *classes_list;
    bool *is_near;         /* by part, of the one that is looked at: an operator connects it */
    double *share;         /* what operators between them keep */
    double *least;         /* of the class that is looked at, by part: its least distinct values */
    int32_t *near, n_near; /* parts that are near */
    int32_t *stamps;       /* by operator, then by class: the last look that counted it */
    int32_t n_looks;
    fl_work work;
} greed;

/* Lists of what reads each relation, one behind the other. */
static fl_status make_lists(const fl_join_graph *graph, const uint64_t *const *sets, int32_t n_sets, int32_t **ret_at,
                            int32_t **ret_list, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n = graph->n_relations, *at = NULL, *list = NULL;
    FL_TRY(FL_NEW_ARRAY(graph->arena, n + 2, &at, err));
    for (int32_t i = 0; i < n_sets; i++)
        for (FL_EACH_RELATION(r, sets[i], graph->n_words))
            at[r + 2]++;
    for (int32_t r = 2; r < n + 2; r++)
        at[r] += at[r - 1];
    FL_TRY(FL_NEW_ARRAY(graph->arena, at[n + 1], &list, err));
    for (int32_t i = 0; i < n_sets; i++)
        for (FL_EACH_RELATION(r, sets[i], graph->n_words))
            list[at[r + 1]++] = i;
    *ret_at = at;
    *ret_list = list;
cleanup:
    return st;
}

static fl_status index_graph(greed *g, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_graph *graph = g->graph;
    const uint64_t **sets = NULL;
    FL_TRY(FL_NEW_ARRAY(graph->arena, graph->n_operators + graph->n_classes, &sets, err));
    for (int32_t i = 0; i < graph->n_operators; i++)
        sets[i] = graph->operators[i].set;
    FL_TRY(make_lists(graph, sets, graph->n_operators, &g->operators_at, &g->operators_list, err));
    for (int32_t i = 0; i < graph->n_classes; i++)
        sets[i] = graph->classes[i].set;
    FL_TRY(make_lists(graph, sets, graph->n_classes, &g->classes_at, &g->classes_list, err));
cleanup:
    return st;
}

static void note_near(greed *g, int32_t other, double share)
{
    if (!g->is_near[other]) {
        g->is_near[other] = true;
        g->share[other] = 0;
        g->near[g->n_near++] = other;
    }
    g->share[other] += share;
}

/* An operator connects with the part that holds all that it reads beyond this one. */
static void note_operator(greed *g, int32_t at, int32_t number)
{
    const fl_join_operator *op = &g->graph->operators[number];
    int32_t other = -1;
    if (g->stamps[number] == g->n_looks)
        return;
    g->stamps[number] = g->n_looks;
    for (FL_EACH_RELATION(r, op->set, g->graph->n_words)) {
        int32_t owner = g->owner[r];
        if (owner == at || owner == other)
            continue;
        if (other >= 0)
            return;
        other = owner;
    }
    if (other >= 0)
        note_near(g, other, op->share);
}

/* What a class makes of a part and others, by values. */
static void note_values(greed *g, int32_t at, const fl_equality_class *class)
{
    uint64_t both[FL_JOIN_RELATIONS_MAX / 64];
    const uint64_t *set = g->parts[at].tree->set;
    double own = fl_equality_class_log_share(class, set);
    for (int32_t i = 0; i < class->n; i++)
        g->least[g->owner[class->members[i].relation]] = 0;
    for (int32_t i = 0; i < class->n; i++) {
        int32_t other = g->owner[class->members[i].relation];
        if (other == at || g->least[other] < 0) /* counted already */
            continue;
        const uint64_t *others = g->parts[other].tree->set;
        fl_relation_set_unite(both, set, others, g->graph->n_words);
        note_near(g, other,
                  fl_equality_class_log_share(class, both) - own - fl_equality_class_log_share(class, others));
        g->least[other] = -1;
    }
}

/* Members come by their distinct values, so the last one of each part is its least. */
static void note_class(greed *g, int32_t at, int32_t number)
{
    const fl_equality_class *class = &g->graph->classes[number];
    int32_t *stamp = &g->stamps[g->graph->n_operators + number];
    if (*stamp == g->n_looks)
        return;
    *stamp = g->n_looks;
    if (class->log_shares != NULL) {
        note_values(g, at, class);
        return;
    }
    for (int32_t i = 0; i < class->n; i++)
        g->least[g->owner[class->members[i].relation]] = class->members[i].log_distinct;
    double own = g->least[at];
    for (int32_t i = 0; i < class->n; i++) {
        int32_t other = g->owner[class->members[i].relation];
        if (other == at || g->least[other] < 0) /* counted already */
            continue;
        note_near(g, other, -fmax(own, g->least[other]));
        g->least[other] = -1;
    }
}

static double cost_with(const greed *g, int32_t a, int32_t b, double log_rows, int32_t site)
{
    const part *x = &g->parts[a], *y = &g->parts[b];
    return fl_join_tree_cost(g->graph, (fl_join_side){x->tree->rows, x->width}, (fl_join_side){y->tree->rows, y->width},
                             fl_join_rows(log_rows), site);
}

static void offer(greed *g, int32_t at, int32_t partner, double cost)
{
    part *p = &g->parts[at];
    if (p->partner != NONE && p->cost <= cost)
        return;
    p->partner = partner;
    p->cost = cost;
}

/* Finds the partner of a part; a new one is offered to all that it may meet. */
static fl_status look_at_all(greed *g, int32_t at, bool is_new, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_graph *graph = g->graph;
    uint64_t both[FL_JOIN_RELATIONS_MAX / 64];
    g->parts[at].partner = NONE;
    for (int32_t other = 0; other < graph->n_relations; other++) {
        const part *p = &g->parts[other];
        if (p->tree == NULL || other == at)
            continue;
        FL_TRY(fl_work_add(&g->work, graph->n_operators, err));
        fl_join_meeting meeting = fl_join_graph_meet(graph, g->parts[at].tree->set, p->tree->set, graph->n_words);
        if (!meeting.is_legal)
            continue;
        fl_relation_set_unite(both, g->parts[at].tree->set, p->tree->set, graph->n_words);
        double cost = cost_with(g, at, other, fl_join_graph_log_rows(graph, both), meeting.site);
        offer(g, at, other, cost);
        if (is_new)
            offer(g, other, at, cost);
    }
cleanup:
    return st;
}

static fl_status look_at_near(greed *g, int32_t at, bool is_new, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_graph *graph = g->graph;
    g->n_looks++;
    g->n_near = 0;
    g->parts[at].partner = NONE;
    for (FL_EACH_RELATION(r, g->parts[at].tree->set, graph->n_words)) {
        for (int32_t i = g->operators_at[r]; i < g->operators_at[r + 1]; i++)
            note_operator(g, at, g->operators_list[i]);
        for (int32_t i = g->classes_at[r]; i < g->classes_at[r + 1]; i++)
            note_class(g, at, g->classes_list[i]);
    }
    FL_TRY(fl_work_add(&g->work, 16 + 16 * g->n_near, err));
    for (int32_t i = 0; i < g->n_near; i++) {
        int32_t other = g->near[i];
        g->is_near[other] = false;
        double log_rows = g->parts[at].log_rows + g->parts[other].log_rows + g->share[other];
        double cost = cost_with(g, at, other, log_rows, -1);
        offer(g, at, other, cost);
        if (is_new)
            offer(g, other, at, cost);
    }
cleanup:
    return st;
}

static fl_status look(greed *g, int32_t at, bool is_new, fl_err *err)
{
    return g->graph->is_inner ? look_at_near(g, at, is_new, err) : look_at_all(g, at, is_new, err);
}

static fl_status begin(greed *g, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_graph *graph = g->graph;
    int32_t n = graph->n_relations;
    FL_TRY(index_graph(g, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, n, &g->parts, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, n, &g->owner, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, n, &g->is_near, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, n, &g->share, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, n, &g->least, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, n, &g->near, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, graph->n_operators + graph->n_classes, &g->stamps, err));
    for (int32_t i = 0; i < n; i++) {
        g->owner[i] = i;
        FL_TRY(fl_join_tree_leaf(graph, i, &g->parts[i].tree, err));
        g->parts[i].log_rows = graph->relations[i].log_rows;
        g->parts[i].width = graph->relations[i].width;
    }
    for (int32_t i = 0; i < n; i++)
        FL_TRY(look(g, i, false, err));
cleanup:
    return st;
}

/* b goes into a. */
static fl_status unite(greed *g, int32_t a, int32_t b, fl_err *err)
{
    fl_status st = FL_OK;
    part *into = &g->parts[a];
    FL_TRY(fl_join_tree_join(g->graph, into->tree, g->parts[b].tree, &into->tree, err));
    for (FL_EACH_RELATION(r, g->parts[b].tree->set, g->graph->n_words))
        g->owner[r] = a;
    g->parts[b].tree = NULL;
    into->log_rows = fl_join_graph_log_rows(g->graph, into->tree->set);
    into->width = fl_join_graph_width(g->graph, into->tree->set);
    for (int32_t i = 0; i < g->graph->n_relations; i++)
        if (g->parts[i].tree != NULL && (g->parts[i].partner == a || g->parts[i].partner == b))
            g->parts[i].partner = GONE;
    st = look(g, a, true, err);
cleanup:
    return st;
}

/* The part that is cheapest to join with its partner; -1: none has one. */
static fl_status find_cheapest(greed *g, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    for (;;) {
        int32_t best = -1;
        for (int32_t i = 0; i < g->graph->n_relations; i++)
            if (g->parts[i].tree != NULL && g->parts[i].partner != NONE &&
                (best < 0 || g->parts[i].cost < g->parts[best].cost))
                best = i;
        *ret = best;
        if (best < 0 || g->parts[best].partner != GONE)
            return FL_OK;
        FL_TRY(look(g, best, false, err));
    }
cleanup:
    return st;
}

fl_status fl_greedy(const fl_join_graph *graph, const fl_join_tree **ret, fl_err *err)
{
    fl_status st = FL_OK;
    greed g = {.graph = graph, .work = fl_work_of(graph->arena->memory)};
    FL_TRY(begin(&g, err));
    *ret = g.parts[0].tree;
    for (int32_t n = graph->n_relations; n > 1; n--) {
        int32_t best = -1;
        FL_TRY(find_cheapest(&g, &best, err));
        if (best < 0) {
            *ret = NULL;
            break;
        }
        int32_t partner = g.parts[best].partner;
        FL_TRY(unite(&g, best, partner, err));
        *ret = g.parts[best].tree;
    }
cleanup:
    return st;
}
