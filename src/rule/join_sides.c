/* What two plans of a region's relations are joined by: conjuncts that see both sides for the first time, and of each class of equal columns one
 * equality, which the query has or which follows from it. */
#include "op/join/node.h"
#include "opt/relation_set.h"
#include "rule/join_region.h"

/* The conjuncts of one join. */
typedef struct condition {
    const fl_node *left, *right; /* what is joined */
    const fl_expr **exprs;
    int32_t *numbers; /* as the text has them */
    int32_t n;
    bool is_whole; /* the sides put out all columns that it takes */
} condition;

static fl_status note_missing(const fl_join_region *r, condition *c, const fl_expr *expr, fl_err *err)
{
    fl_col_set used;
    fl_col_set_init(&used);
    fl_status st = fl_expr_add_cols(r->regions->scratch, expr, &used, err);
    fl_col_set_remove_all(&used, &c->left->made);
    fl_col_set_remove_all(&used, &c->right->made);
    c->is_whole &= fl_col_set_is_empty(&used);
    return st;
}

static void put_conjunct(condition *c, const fl_expr *expr, int32_t number)
{
    int32_t at = c->n++;
    for (; at > 0 && c->numbers[at - 1] > number; at--) {
        c->numbers[at] = c->numbers[at - 1];
        c->exprs[at] = c->exprs[at - 1];
    }
    c->numbers[at] = number;
    c->exprs[at] = expr;
}

static bool may_apply(const fl_join_region *r, int32_t site, const uint64_t *set)
{
    const fl_join_site *s = &r->graph.sites[site];
    return fl_conflict_rules_hold(s->rules, s->n_rules, set, r->graph.n_words);
}

/* One equality of the class between the sides: one that the query has, else one that follows from those below. */
static fl_status put_equality(const fl_join_region *r, const fl_equality_class *class, const fl_join_tree *tree,
                              condition *c, fl_err *err)
{
    fl_status st = FL_OK;
    const uint64_t *left = tree->left->set, *right = tree->right->set;
    for (int32_t i = r->first_equality[class - r->graph.classes]; i >= 0; i = r->equalities[i].next) {
        const fl_written_equality *w = &r->equalities[i];
        bool crosses = fl_relation_set_has(left, w->a)
                           ? fl_relation_set_has(right, w->b)
                           : fl_relation_set_has(left, w->b) && fl_relation_set_has(right, w->a);
        const fl_col_id *cols[2] = {&w->expr->args[0]->col, &w->expr->args[1]->col};
        crosses &= fl_join_puts_out(c->left, *cols[0])
                       ? fl_join_puts_out(c->right, *cols[1])
                       : fl_join_puts_out(c->left, *cols[1]) && fl_join_puts_out(c->right, *cols[0]);
        if (crosses && may_apply(r, w->site, tree->set)) {
            put_conjunct(c, w->expr, w->number);
            return FL_OK;
        }
    }
    for (int32_t i = 0; i < class->n; i++)
        for (int32_t k = 0; k < class->n && fl_relation_set_has(left, class->members[i].relation); k++) {
            const fl_class_member *a = &class->members[i], *b = &class->members[k];
            const fl_expr *sides[2], *e = NULL;
            if (!fl_relation_set_has(right, b->relation) || !fl_join_puts_out(c->left, a->col) ||
                !fl_join_puts_out(c->right, b->col) ||
                !may_apply(r, fl_join_graph_meeting(&r->graph, a->relation, b->relation), tree->set))
                continue;
            FL_TRY(fl_expr_column(r->regions->plan, a->col, -1, &sides[0], err));
            FL_TRY(fl_expr_column(r->regions->plan, b->col, -1, &sides[1], err));
            FL_TRY(fl_expr_call(r->regions->plan, FL_STR("="), sides, 2, -1, &e, err));
            put_conjunct(c, e, r->n_conjuncts);
            return FL_OK;
        }
    c->is_whole = false;
cleanup:
    return st;
}

static fl_status put_conjuncts(const fl_join_region *r, const fl_join_tree *tree, condition *c, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_graph *graph = &r->graph;
    int32_t n_words = graph->n_words;
    FL_TRY(FL_NEW_ARRAY(r->regions->scratch, r->n_conjuncts + graph->n_classes, &c->exprs, err));
    FL_TRY(FL_NEW_ARRAY(r->regions->scratch, r->n_conjuncts + graph->n_classes, &c->numbers, err));
    for (int32_t i = 0; i < graph->n_operators; i++) {
        const fl_join_operator *op = &graph->operators[i];
        if (op->conjunct >= 0 && fl_relation_set_has_all(tree->set, op->set, n_words) &&
            !fl_relation_set_has_all(tree->left->set, op->set, n_words) &&
            !fl_relation_set_has_all(tree->right->set, op->set, n_words)) {
            put_conjunct(c, r->conjuncts[op->conjunct], op->conjunct);
            FL_TRY(note_missing(r, c, r->conjuncts[op->conjunct], err));
        }
    }
    for (int32_t i = 0; i < graph->n_classes; i++) {
        const fl_equality_class *class = &graph->classes[i];
        if (class->n > 1 && fl_relation_set_meets(class->set, tree->left->set, n_words) &&
            fl_relation_set_meets(class->set, tree->right->set, n_words))
            FL_TRY(put_equality(r, class, tree, c, err));
    }
cleanup:
    return st;
}

fl_status fl_join_region_join(const fl_join_region *r, const fl_join_tree *tree, const fl_node *left,
                              const fl_node *right, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    condition c = {.left = left, .right = right, .is_whole = true};
    fl_plan *plan = r->regions->plan;
    *ret = NULL;
    if (tree->site < 0) {
        FL_TRY(put_conjuncts(r, tree, &c, err));
        if (c.is_whole)
            st = fl_join_build_all(plan, FL_JOIN_INNER, left, right, c.exprs, c.n, (fl_col_id){0}, ret, err);
        return st;
    }
    const fl_join_attrs *join = fl_join_of(r->joins[tree->site]);
    fl_join_kind kind = join->kind == FL_JOIN_RIGHT ? FL_JOIN_LEFT : (fl_join_kind)join->kind;
    for (int32_t i = 0; i < join->n_conjuncts; i++)
        FL_TRY(note_missing(r, &c, join->conjuncts[i], err));
    if (c.is_whole)
        st = fl_join_build_all(plan, kind, left, right, join->conjuncts, join->n_conjuncts, (fl_col_id){0}, ret, err);
cleanup:
    return st;
}
