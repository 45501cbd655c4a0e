/* The rules of a registry, in the order in which the driver wants them: by phase, by class of operator, by promise.
 *
 * Made once, when a registry is sealed, and immutable from then on. */
#ifndef FL_PLAN_RULE_SET_H
#define FL_PLAN_RULE_SET_H

#include "plan/rule.h"

/* A rule with its compiled pattern. */
typedef struct fl_rule_entry {
    const fl_rule_desc *rule;
    const fl_pattern *pattern;
    int32_t index; /* in order of registration, from 0 */
} fl_rule_entry;

/* Higher promise first, ties in order of registration. */
typedef struct fl_rule_list {
    const fl_rule_entry **entries;
    int32_t n;
} fl_rule_list;

typedef struct fl_phase_rules {
    const fl_phase_desc *phase;
    fl_rule_list on_root;
    fl_rule_list on_any;    /* for operators that no pattern of the registry names */
    fl_rule_list *on_class; /* by place in fl_rule_set.classes */
} fl_phase_rules;

typedef struct fl_rule_set {
    fl_phase_rules *phases; /* in the order in which they run */
    int32_t n_phases;
    int32_t n_rules;
    const fl_op_desc **classes; /* open addressing by address; NULL = empty */
    int32_t class_slots;        /* power of two, with empty ones */
} fl_rule_set;

/** Makes the set in the arena; phases, operators, rules and patterns are borrowed. A phase runs behind all that give what it
 *  needs, else in order of registration. FL_ERR_CONFIG, naming them, for phases that wait for each other, for a need that
 *  no phase gives, for a phase to be replaced and for a rule's phase that there is not. */
fl_status fl_rule_set_make(const fl_phase_desc *const *phases, int32_t n_phases, const fl_op_desc *const *ops,
                           int32_t n_ops, const fl_rule_entry *rules, int32_t n_rules, fl_arena *arena,
                           fl_rule_set *ret, fl_err *err);

/** The rules of a phase whose patterns may match a node of the class; not those of `root`. */
const fl_rule_list *fl_rule_set_of_class(const fl_rule_set *set, const fl_phase_rules *phase, const fl_op_desc *op);

/** Whether a search stands for the phase. */
bool fl_phase_replaces(const fl_phase_desc *search, const fl_phase_desc *phase);

#endif
