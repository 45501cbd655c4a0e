/* Rules and phases: how plans are rewritten. The descriptors live here, so that the registry can hold them and opt/ can
 * drive them.
 *
 * A rule has a pattern over operator classes and traits (plan/pattern.h), a check for what a pattern cannot say, and on_match,
 * which hands each equal plan to fl_rule_call_transform_to(): none, one or many. It never looks at a frontend and never
 * mutates. Phases say what they need and what they give, by names of their own choosing; their order follows from that. */
#ifndef FL_PLAN_RULE_H
#define FL_PLAN_RULE_H

#include "base/metrics.h"
#include "plan/evaluator.h"
#include "plan/pattern.h"

typedef enum fl_rule_scope { FL_SCOPE_GLOBAL = 1, FL_SCOPE_LOCAL = 2, FL_SCOPE_BOTH = 3 } fl_rule_scope;

/* What a rule keeps of the plan it replaces. Columns (with their types: an id has one) are held to it after every application
 * (opt/check_result.h); only rules of the whole plan (`root`) may do without, those keep what the query puts out. */
enum {
    FL_KEEPS_COLS = 1,
    FL_KEEPS_ROW_COUNT =
        2, /* and what properties say of it: who finds out that there are fewer rows does not keep this */
    FL_KEEPS_ORDER = 4,
    FL_KEEPS_NOT_NULL = 8 /* properties still say of each column that it is not null, where they did */
};

typedef struct fl_rule_call fl_rule_call;

typedef struct fl_rule_desc {
    uint32_t size; /* FL_DESC */
    const char *name;
    const char *phase;
    const char *pattern;
    uint8_t scope;
    bool is_required; /* without it no executable plan exists: cannot be switched off */
    bool
        answers_wants; /* in a search: not applied when a plan is found, but for each set of traits that is wanted of it */
    int32_t promise; /* higher is tried first */
    uint32_t keeps;
    bool (*check)(const fl_rule_call *call);
    fl_status (*on_match)(fl_rule_call *call, fl_err *err);
    const char *doc;
} fl_rule_desc;

typedef enum fl_phase_strategy {
    FL_PHASE_EXHAUST, /* rewrite to a fixpoint */
    FL_PHASE_ONCE,    /* each rule once over the plan, in order of promise */
    FL_PHASE_SEARCH   /* all plans that rules hand over are kept, the cheapest is taken (opt/search.h) */
} fl_phase_strategy;

typedef struct fl_phase_desc {
    uint32_t size; /* FL_DESC */
    const char *name;
    const char *const *needs; /* NULL-terminated: runs behind every phase that gives one of these; NULL: nothing */
    const char *const *gives; /* NULL-terminated; NULL: nothing but its own name, which every phase gives */
    const char *const
        *replaces; /* NULL-terminated; phases that a search stands for: it has their rules beside its own */
    uint8_t strategy;
    bool is_reference; /* also run for optimizer = 'none' (with required rules only) */
    const char *doc;
} fl_phase_desc;

struct fl_rule_call {
    fl_plan *plan;
    const fl_node *node;      /* what the pattern matched */
    const fl_node *root;      /* the whole plan at this moment */
    const fl_col_set *wanted; /* columns that the query puts out */
    fl_evaluator *evaluator;
    bool is_costed; /* plans handed over are kept and costed: a rule that knows several need not choose among them */
    const fl_trait_set *want; /* what the rows shall have, for rules that answer wants; else NULL */
    const fl_rule_desc *rule;
    const fl_pattern *pattern;
    const fl_node *const
        *bound;              /* [pattern->n_nodes]: what each of the pattern's nodes stands for; bound[0] is `node` */
    bool is_numbered;        /* plans will be taken by number, also dear ones */
    fl_arena *scratch;       /* for on_match: reset after each application, so nothing of a plan may point into it */
    const fl_node **results; /* [n_results]: all plans handed over, in order; in `scratch` */
    int64_t results_capacity;
    int32_t n_results;
    struct fl_equal_plans *equals; /* [n_equals], in `scratch` */
    int64_t equals_capacity;
    int32_t n_equals;
};

/* A part of call->node, and another plan for it. */
typedef struct fl_equal_plans {
    const fl_node *part;
    const fl_node *other;
} fl_equal_plans;

/** Hands over a plan that is equal to call->node. It must put out the same columns (any order). May be called several times:
 *  rewriting phases go on with the first plan that is not call->node itself. */
fl_status fl_rule_call_transform_to(fl_rule_call *call, const fl_node *node, fl_err *err);

/** For rules of the whole plan, in a search: `part`, which call->node contains or an earlier `other` does, may be done as `other`, too. */
fl_status fl_rule_call_equate(fl_rule_call *call, const fl_node *part, const fl_node *other, fl_err *err);

/** What the pattern's part of that name matched. The pattern must have the name. */
const fl_node *fl_rule_call_bound(const fl_rule_call *call, const char *name);

/** Counts what the rule did, where the engine counts. */
static inline void fl_rule_call_count(const fl_rule_call *call, fl_metric metric, int64_t n)
{
    fl_metrics_add(fl_memory_metrics(fl_plan_memory(call->plan)), metric, n);
}

#endif
