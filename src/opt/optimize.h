/* The optimizer, simple strategy: phases of rules, each applied until none fires any more.
 *
 * Rules and phases are those of the registry that the plan holds, which is sealed. What it returns is what runs. `optimizer = none` runs the reference phases with their required rules only. */
#ifndef FL_OPT_OPTIMIZE_H
#define FL_OPT_OPTIMIZE_H

#include "plan/query.h"
#include "plan/registry.h"
#include "plan/rule.h"

typedef struct fl_optimize_options {
    bool is_reference;            /* optimizer = 'none' */
    const fl_str *disabled_rules; /* names; required ones stay on */
    int32_t n_disabled;
    bool verifies_properties; /* what each rule hands over is held to its promise about rows, nulls and order, too */
    fl_evaluator *evaluator;  /* may be NULL: constants are not folded */
} fl_optimize_options;

typedef struct fl_optimize_report {
    const char **rules_fired; /* NULL-terminated, in order of first firing; in the plan's arena */
    int32_t n_fired;
    int64_t applications;
} fl_optimize_report;

/** Optimizes query->root in place (the plan only grows). FL_ERR_PLAN when an operator is left logical, by its name;
 *  FL_ERR_INTERNAL when rules undo each other (both are named) or one gives what is no equal plan. `report` may be NULL. */
fl_status fl_optimize(fl_query *query, const fl_optimize_options *options, fl_optimize_report *report, fl_err *err);

#endif
