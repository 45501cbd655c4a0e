/* Printing, generic over the operators' fields. */
#include "opt/memo_print.h"

#include "plan/explain.h"

/* `  e4 join [vectorized, hash] kind: inner (2, 3)  by lower_join`; of one that is a group, what is asked of it. */
static void print_expr(fl_text *text, const fl_memo *memo, int32_t at, const fl_rule_desc *const *rules)
{
    const fl_memo_expr *expr = &memo->exprs[at];
    const fl_node *node = expr->node;
    fl_text_addf(text, "  e%d ", at);
    if (fl_is_group(node)) {
        fl_text_addf(text, "group %d [", fl_memo_input(memo, node, 0));
        fl_trait_print(text, memo->plan, node->traits);
        fl_text_add_char(text, ']');
    } else {
        fl_explain_operator(text, memo->plan, node);
        for (int32_t i = 0; i < node->n_inputs; i++)
            fl_text_addf(text, "%s%d", i == 0 ? " (" : ", ", fl_memo_input(memo, node, i));
        if (node->n_inputs > 0)
            fl_text_add_char(text, ')');
    }
    if (expr->is_enforcer)
        fl_text_add(text, FL_STR("  to enforce"));
    else if (expr->born_of != FL_MEMO_NONE)
        fl_text_addf(text, "  by %s", rules[expr->born_of]->name);
    fl_text_add_char(text, '\n');
}

/* A try that was not the last best one. The greedy pass tries the same again: the last word about a way counts. */
static bool is_last_word(const fl_memo *memo, int32_t at)
{
    const fl_memo_trial *t = &memo->trials[at];
    for (int32_t i = at + 1; i < memo->n_trials; i++)
        if (memo->trials[i].goal == t->goal && memo->trials[i].expr == t->expr && memo->trials[i].way == t->way)
            return false;
    return t->expr != memo->goals[t->goal].expr || t->way != memo->goals[t->goal].way;
}

static void print_trial(fl_text *text, const fl_memo *memo, const fl_memo_trial *t)
{
    fl_text_addf(text, "    not e%d", t->expr);
    if (t->way > 0)
        fl_text_addf(text, ", way %d", t->way);
    switch (t->verdict) {
    case FL_MEMO_BEST:
    case FL_MEMO_DEARER:
        fl_text_add(text, FL_STR(": costs "));
        fl_explain_ns(text, t->total);
        break;
    case FL_MEMO_PRUNED:
        fl_text_add(text, FL_STR(": costs at least "));
        fl_explain_ns(text, t->total);
        break;
    case FL_MEMO_NO_INPUT:
        fl_text_addf(text, ": nothing gives group %d as it needs it",
                     fl_memo_input(memo, memo->exprs[t->expr].node, t->input));
        break;
    case FL_MEMO_UNFIT:
        fl_text_add(text, FL_STR(": does not give that"));
        break;
    }
    fl_text_add_char(text, '\n');
}

static void print_goal(fl_text *text, const fl_memo *memo, int32_t at, const fl_rule_desc *const *rules)
{
    const fl_memo_goal *goal = &memo->goals[at];
    if (goal->enforcer != FL_MEMO_NONE)
        print_expr(text, memo, goal->enforcer, rules);
    fl_text_add(text, FL_STR("  wanted "));
    fl_trait_print(text, memo->plan, goal->want);
    if (goal->expr == FL_MEMO_NONE) {
        fl_text_add(text, FL_STR(": no plan\n"));
    } else {
        fl_text_addf(text, ": e%d", goal->expr);
        if (goal->way > 0)
            fl_text_addf(text, ", way %d", goal->way);
        fl_text_add(text, FL_STR(", costs "));
        fl_explain_ns(text, goal->total);
        fl_text_add_char(text, '\n');
    }
    for (int32_t t = 0; t < memo->n_trials; t++)
        if (memo->trials[t].goal == at && memo->exprs[memo->trials[t].expr].node != NULL && is_last_word(memo, t))
            print_trial(text, memo, &memo->trials[t]);
}

/* What became of an expression in the goals of its group. */
static void print_trials_of(fl_text *text, const fl_memo *memo, int32_t expr)
{
    for (int32_t g = memo->groups[fl_memo_find(memo, memo->exprs[expr].group)].first_goal; g != FL_MEMO_NONE;
         g = memo->goals[g].next) {
        const fl_memo_goal *goal = &memo->goals[g];
        fl_text_add(text, FL_STR("    wanted "));
        fl_trait_print(text, memo->plan, goal->want);
        if (goal->expr == expr) {
            fl_text_add(text, FL_STR(": it is taken\n"));
            continue;
        }
        if (goal->expr != FL_MEMO_NONE) {
            fl_text_addf(text, ": e%d is taken and costs ", goal->expr);
            fl_explain_ns(text, goal->total);
        }
        fl_text_add_char(text, '\n');
        for (int32_t t = 0; t < memo->n_trials; t++)
            if (memo->trials[t].goal == g && memo->trials[t].expr == expr && is_last_word(memo, t))
                print_trial(text, memo, &memo->trials[t]);
    }
}

void fl_memo_print_rule(fl_text *text, const fl_memo *memo, const fl_rule_desc *const *rules, const fl_rule_desc *rule)
{
    for (int32_t e = 0; e < memo->n_exprs; e++) {
        const fl_memo_expr *expr = &memo->exprs[e];
        if (expr->node == NULL || expr->is_enforcer || expr->born_of == FL_MEMO_NONE || rules[expr->born_of] != rule)
            continue;
        print_expr(text, memo, e, rules);
        print_trials_of(text, memo, e);
    }
}

void fl_memo_print(fl_text *text, const fl_memo *memo, const fl_rule_desc *const *rules)
{
    for (int32_t g = 0; g < memo->n_groups; g++) {
        const fl_memo_group *group = &memo->groups[g];
        if (group->parent != g)
            continue;
        fl_text_addf(text, "group %d  ~%.0f rows\n", g, group->leaf->rows);
        for (int32_t e = group->first; e != FL_MEMO_NONE; e = memo->exprs[e].next)
            if (memo->exprs[e].node != NULL)
                print_expr(text, memo, e, rules);
        for (int32_t goal = group->first_goal; goal != FL_MEMO_NONE; goal = memo->goals[goal].next)
            print_goal(text, memo, goal, rules);
    }
}
