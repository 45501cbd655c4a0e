/* The memo: equal plans in groups, each kept once.
 *
 * An expression is a node whose inputs are nodes of the class `group` (opt/group.h). Making a node interns it, so an expression
 * that comes a second time is found, whoever made it; hashing, printing and fields need nothing of their own. What else is known
 * of expressions and groups stands beside the nodes in arrays, by number.
 *
 * Plans of a group put out the same rows of the same columns, in the order that the plan it began with has, if it has one. What
 * is added with more columns leaves them out. When an expression turns up in two groups these are one: they merge, and expressions over the group that went are
 * made again over the one that stays, which may merge further ones. Numbers of groups stay valid; fl_memo_find says what a
 * group has become. */
#ifndef FL_OPT_MEMO_H
#define FL_OPT_MEMO_H

#include "opt/group.h"

#define FL_MEMO_NONE (-1)

typedef struct fl_memo_expr {
    const fl_node *node; /* over groups; NULL: it became another expression when groups merged */
    int32_t group;
    int32_t next;     /* in the group; FL_MEMO_NONE: the last one */
    int32_t born_of;  /* the rule that made it, by index; FL_MEMO_NONE: it was there */
    bool is_enforcer; /* over its own group, in no list */
    uint64_t *fired;  /* bits by a rule's index */
} fl_memo_expr;

/* The best known way to a group's rows with the traits that are wanted. */
typedef struct fl_memo_goal {
    int32_t group;
    int32_t next; /* of the group */
    const fl_trait_set *want;
    const fl_trait_set *given; /* by the winner */
    int32_t expr;              /* the winner; FL_MEMO_NONE: none yet */
    int32_t way;
    int32_t
        enforcer; /* an expression over the goal's own group that makes its rows as wanted; FL_MEMO_NONE: none was made */
    fl_cost cost;     /* of the winner with all below */
    double total;     /* fl_cost_total of it; INFINITY: none */
    int32_t begun_in; /* the last pass of a search that began it; what is begun is done, or on the stack */
    double n_plans;   /* how many there are to choose from; -1: not counted */
    bool is_counting;
} fl_memo_goal;

/* What became of a try to reach a goal by an expression. */
typedef enum fl_memo_verdict {
    FL_MEMO_BEST,     /* cheaper than all before it */
    FL_MEMO_DEARER,   /* `total` is what it costs */
    FL_MEMO_PRUNED,   /* it costs `total` at least, which is too much */
    FL_MEMO_NO_INPUT, /* its input number `input` has no plan as it needs it */
    FL_MEMO_UNFIT     /* what it puts out is not as wanted */
} fl_memo_verdict;

typedef struct fl_memo_trial {
    int32_t goal, expr, way, input;
    fl_memo_verdict verdict;
    double total;
} fl_memo_trial;

typedef struct fl_memo_group {
    int32_t parent; /* itself, or the group that this one became (union-find) */
    int32_t first, last;
    int32_t first_goal;
    int32_t explored_in; /* the last pass of a search that did */
    const fl_node *leaf; /* stands for the group as an input */
    double bound;        /* no plan of the group costs less */
} fl_memo_group;

typedef struct fl_memo {
    fl_plan *plan;
    fl_arena arena;
    fl_memo_expr *exprs;
    int64_t exprs_capacity;
    int32_t n_exprs;
    fl_memo_group *groups;
    int64_t groups_capacity;
    int32_t n_groups;
    fl_memo_goal *goals;
    int64_t goals_capacity;
    int32_t n_goals;
    bool keeps_trials; /* for those who want to know why a plan was not taken */
    fl_memo_trial *trials;
    int64_t trials_capacity;
    int32_t n_trials;
    int32_t
        *places; /* by node id: 1 + the expression that the node is, or -1 - the group that began with it; 0: neither */
    int64_t places_capacity;
    int32_t n_rules;
    int32_t n_merges;
} fl_memo;

void fl_memo_init(fl_memo *memo, fl_plan *plan, int32_t n_rules);
void fl_memo_drop(fl_memo *memo);

/** The group that a plan belongs to, which is put there with all below it when it is new. */
fl_status fl_memo_add_plan(fl_memo *memo, const fl_node *node, int32_t *ret_group, fl_err *err);

/** Adds a plan to a group, as the equal of those in it; below it groups may stand for plans. Merges where the plan is known in
 *  another group; a group of other columns is left out: neither could stand for the other. */
fl_status fl_memo_add_equal(fl_memo *memo, int32_t group, const fl_node *node, int32_t born_of, fl_err *err);

/** Makes the goal's enforcer: an expression over the goal's own group, which is in no list and is found by no node. */
fl_status fl_memo_add_enforcer(fl_memo *memo, int32_t goal, const fl_node *node, fl_err *err);

/** The group that this one has become. */
int32_t fl_memo_find(const fl_memo *memo, int32_t group);

/** The group that stands as an input of an expression. */
int32_t fl_memo_input(const fl_memo *memo, const fl_node *expr, int32_t input);

/** The goal for a group and the traits; made when it is new. */
fl_status fl_memo_goal_of(fl_memo *memo, int32_t group, const fl_trait_set *want, int32_t *ret, fl_err *err);

/** Notes what became of a try, where that is wanted. */
fl_status fl_memo_note(fl_memo *memo, const fl_memo_trial *trial, fl_err *err);

#endif
