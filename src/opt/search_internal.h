/* What the files of the search share and nobody else sees. */
#ifndef FL_OPT_SEARCH_INTERNAL_H
#define FL_OPT_SEARCH_INTERNAL_H

#include "opt/memo.h"
#include "opt/search.h"

/* Task, thing and progress; see search.c. */
typedef struct search_task search_task;

typedef struct fl_search_state {
    const fl_search_options *options;
    fl_memo memo;
    fl_plan *plan;
    const fl_trait_set *plain; /* nothing is wanted but the convention */
    int32_t convention;
    const fl_phase_rules **phases; /* whose rules are used */
    int32_t n_phases;
    fl_arena scratch; /* of one application */
    fl_arena trees;   /* what a pattern is bound to */
    search_task *tasks;
    int64_t tasks_capacity;
    int32_t n_tasks;
    int32_t pass; /* 1: greedy, 2: the search */
    int64_t ticks, quiet;
    bool is_stopping;
} fl_search_state;

static inline bool fl_search_is_greedy(const fl_search_state *s)
{
    return s->pass == 1;
}

/** The number of inputs that an expression's plans have: its groups. */
static inline int32_t fl_search_inputs(const fl_node *expr)
{
    return fl_is_group(expr) ? 1 : expr->n_inputs;
}

static inline int32_t fl_search_ways(const fl_node *expr)
{
    return expr->op->n_ways > 1 ? expr->op->n_ways : 1;
}

/** Whether an expression can be a part of a plan that is executed. */
static inline bool fl_search_is_executable(const fl_search_state *s, const fl_memo_expr *expr)
{
    return expr->node != NULL && fl_trait_get(expr->node->traits, &fl_trait_convention) == s->convention;
}

/** Applies a rule to an expression, and adds what it hands over to the expression's group. `want`: see fl_rule_call. */
fl_status fl_search_apply(fl_search_state *s, int32_t expr, const fl_rule_entry *entry, const fl_trait_set *want,
                          fl_err *err);

/** What an expression asks of an input on its way to a goal; NULL: this way there is none. */
fl_status fl_search_needs(fl_search_state *s, int32_t goal, int32_t expr, int32_t way, int32_t input,
                          const fl_trait_set **ret, fl_err *err);

/** Makes the goal's enforcer where an operator can be one. */
fl_status fl_search_make_enforcer(fl_search_state *s, int32_t goal, fl_err *err);

/** The traits of an expression's rows over inputs of these. */
fl_status fl_search_gives(fl_search_state *s, const fl_node *node, const fl_trait_set *const *inputs,
                          const fl_trait_set **ret, fl_err *err);

/** The plan of the goal's winners, or of number `number` (from 0) where it is not negative. */
fl_status fl_search_extract(fl_search_state *s, int32_t goal, int64_t number, const fl_node **ret, fl_err *err);

/** How many plans a goal's memo holds, as far as fl_search_extract counts. */
fl_status fl_search_count(fl_search_state *s, int32_t goal, double *ret, fl_err *err);

#endif
