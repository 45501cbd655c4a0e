/* The optimizer: phases of rules, each applied until none fires any more, or a search in the place of the last ones.
 *
 * Rules and phases are those of the registry that the plan holds, which is sealed. What it returns is what runs. `optimizer = none` runs the reference phases with their required rules only. */
#ifndef FL_OPT_OPTIMIZE_H
#define FL_OPT_OPTIMIZE_H

#include "opt/rule_inquiry.h"
#include "plan/query.h"
#include "plan/registry.h"
#include "plan/rule.h"

typedef struct fl_optimize_options {
    bool is_reference;            /* optimizer = 'none' */
    bool searches;                /* optimizer = 'search': phases that a search stands for make place for it */
    const fl_str *disabled_rules; /* names; required ones stay on */
    int32_t n_disabled;
    bool verifies_properties; /* what each rule hands over is held to its promise about rows, nulls and order, too */
    fl_evaluator *evaluator;  /* may be NULL: constants are not folded */
    int64_t ticks_max;        /* of a search; see opt/search.h, here and below */
    double threshold;
    int64_t plan_number;
} fl_optimize_options;

#define FL_OPTIMIZE_TICKS 20000 /* of a search, where nobody says otherwise */
#define FL_OPTIMIZE_THRESHOLD 0.01

typedef struct fl_optimize_report {
    const char **rules_fired; /* NULL-terminated, in order of first firing; in the plan's arena */
    int32_t n_fired;
    int64_t applications;
    fl_text *memo;            /* set before: gets the memo of a search as EXPLAIN shows it; NULL: it is not wanted */
    fl_rule_inquiry *inquiry; /* set before: asks why a rule did not do more; NULL: nobody asks */
} fl_optimize_report;

/** Optimizes query->root in place (the plan only grows). FL_ERR_PLAN when an operator is left logical, by its name;
 *  FL_ERR_INTERNAL when rules undo each other (both are named) or one gives what is no equal plan. `report` may be NULL. */
fl_status fl_optimize(fl_query *query, const fl_optimize_options *options, fl_optimize_report *report, fl_err *err);

#endif
