/* The search: of the plans that rules make of each other, the cheapest that is executable.
 *
 * The plan is put into a memo. Rules add equal plans to its groups: implementations, and whatever else they know. What is wanted
 * of a group's rows (traits) goes down from the root, each operator asks its inputs for what it needs to that end; what is given
 * comes up and is held against it. A wanted order that no plan has is enforced, at the height where that costs least.
 *
 * Work is a stack of small tasks. Each costs one tick, and ticks are bounded, so that the same plan is found on every machine. A
 * first, greedy pass takes the first implementation of everything; so there is a plan whatever the bounds are. */
#ifndef FL_OPT_SEARCH_H
#define FL_OPT_SEARCH_H

#include "opt/rule_inquiry.h"

typedef struct fl_search_options {
    const fl_rule_set *set;
    const fl_phase_rules *phase; /* of the strategy FL_PHASE_SEARCH */
    const bool *is_off;          /* by a rule's index */
    const fl_trait_set *want;    /* of the whole plan; its convention is that of all operators */
    const fl_rule_call *call;    /* what rules may ask for; the call's own parts are filled in */
    bool verifies_properties;    /* see fl_check_result */
    int64_t ticks_max;           /* of the search behind the greedy pass */
    double threshold;            /* it ends when for FL_SEARCH_QUIET prices no best plan became cheaper by this share */
    int64_t plan_number;         /* 0: the cheapest plan; k: the memo's k-th, counted round and round */
    fl_rule_inquiry *inquiry;    /* is told of the rule that it asks about; NULL: nobody asks */
    int64_t *n_groups;           /* gets how many groups the memo had; NULL: nobody wants it */
    fl_text *shown;              /* gets the memo as EXPLAIN shows it; NULL: nobody wants it */
    void (*fired)(void *ctx, const fl_rule_desc *rule); /* told of each application that made something new */
    void *ctx;
} fl_search_options;

#define FL_SEARCH_QUIET 1000

/** The plan to run. FL_ERR_PLAN when there is none, naming the operator that has no implementation and what was tried. */
fl_status fl_search(fl_plan *plan, const fl_node *root, const fl_search_options *options, const fl_node **ret,
                    fl_err *err);

#endif
