/* Rules and phases: how plans are rewritten. The descriptors live here, so that the registry can hold them and opt/ can
 * drive them.
 *
 * A rule has a pattern over operator classes and traits, a check for what a pattern cannot say, and on_match, which hands
 * each equal plan to fl_rule_call_transform_to(): none, one or many. It never looks at a frontend and never mutates.
 * Pattern text: `filter(join)` a filter over a join; `?` any operator; `filter[logical]` with a trait's value;
 * `join(?, scan)`; `root` matches the whole plan once per round. */
#ifndef FL_PLAN_RULE_H
#define FL_PLAN_RULE_H

#include "plan/node.h"

typedef enum fl_rule_scope { FL_SCOPE_GLOBAL = 1, FL_SCOPE_LOCAL = 2, FL_SCOPE_BOTH = 3 } fl_rule_scope;

/* What a rule keeps of the plan it replaces; checked after every application in debug builds. */
enum { FL_KEEPS_COLS = 1, FL_KEEPS_ROW_COUNT = 2, FL_KEEPS_ORDER = 4 };

typedef struct fl_rule_call fl_rule_call;

typedef struct fl_rule_desc {
    uint32_t size; /* FL_DESC */
    const char *name;
    const char *phase;
    const char *pattern;
    uint8_t scope;
    bool is_required; /* without it no executable plan exists: cannot be switched off */
    int32_t promise;  /* higher is tried first */
    uint32_t keeps;
    bool (*check)(const fl_rule_call *call);
    fl_status (*on_match)(fl_rule_call *call, fl_err *err);
    const char *doc;
} fl_rule_desc;

typedef enum fl_phase_strategy {
    FL_PHASE_EXHAUST, /* rewrite to a fixpoint */
    FL_PHASE_ONCE     /* each rule once over the plan, in order of promise */
} fl_phase_strategy;

typedef struct fl_phase_desc {
    uint32_t size; /* FL_DESC */
    const char *name;
    const char *after; /* the phase that it follows; NULL: the first */
    uint8_t strategy;
    bool is_reference; /* also run for optimizer = 'none' (with required rules only) */
    const char *doc;
} fl_phase_desc;

/* Evaluates constant expressions for rules; exec/ implements it, so that opt/ need not know exec/. */
typedef struct fl_evaluator {
    /** Evaluates an expression without columns. Fails as the expression would. */
    fl_status (*fold)(struct fl_evaluator *evaluator, fl_plan *plan, const fl_expr *expr, fl_arena *arena,
                      fl_value *ret, fl_err *err);
} fl_evaluator;

struct fl_rule_call {
    fl_plan *plan;
    const fl_node *node;      /* what the pattern matched */
    const fl_node *root;      /* the whole plan at this moment */
    const fl_col_set *wanted; /* columns that the query puts out */
    fl_evaluator *evaluator;
    const fl_rule_desc *rule;
    const fl_node *result; /* the first plan handed over */
    int32_t n_results;
};

/** Hands over a plan that is equal to call->node. It must put out the same columns (any order). */
fl_status fl_rule_call_transform_to(fl_rule_call *call, const fl_node *node, fl_err *err);

#endif
