/* EXPLAIN: a plan as an indented tree or as JSON, with estimated rows and, after a run, actual figures. */
#ifndef FL_PLAN_EXPLAIN_H
#define FL_PLAN_EXPLAIN_H

#include "plan/call_tally.h"
#include "plan/query.h"

/* What a run measured at a node. */
typedef struct fl_node_actual {
    int64_t rows;
    int64_t ns;            /* summed over workers */
    int64_t bytes;         /* memory held at the end of its work */
    int64_t spilled_bytes; /* rows that were written to the disk, as they were in memory */
    int64_t spill_splits;  /* partitions of them that were too large and split again */
    bool has_run;
} fl_node_actual;

typedef struct fl_explain {
    const fl_query *query;
    const fl_node_actual *actual;   /* by node id; NULL before a run */
    const fl_props *const *props;   /* by node id; NULL: properties are not shown */
    const double *costs;            /* by node id, in nanoseconds, with all below; NULL: costs are not shown */
    bool has_provenance;            /* the rules that made each node are shown: fl_plan_keep_provenance */
    const char *const *rules_fired; /* names in order of first firing, NULL-terminated; may be NULL */
    fl_str memo;                    /* lines on what a search kept, and on why a rule did not do what was expected; */
    fl_str why_not;                 /* empty: nobody asked */
    const fl_func_desc *const *expanded; /* n_expanded functions that became a part of the plan */
    int32_t n_expanded;
    fl_call_tally *tally; /* of a run, to which it adds; NULL: none */
} fl_explain;

/** Two spaces a level: `join [hash] kind: inner, conjuncts: (a = b)  ~150 rows`. Properties stand in a line of their own below:
 *  `| not null: a; keys: (a), (b, c); rows: 0..10`; so do the rules that made a node: `| made by lower_join, order_joins`. How users' functions
 *  are called comes below the operators, the lines on memo and rule come last. */
void fl_explain_text(fl_text *text, const fl_explain *explain);

/** One operator: its class, traits and fields, as in `join [hash] kind: inner, conjuncts: (a = b)`. */
void fl_explain_operator(fl_text *text, const fl_plan *plan, const fl_node *node);

/** `12.3 us`: a time with three digits. */
void fl_explain_ns(fl_text *text, double ns);

/** {"plan": {"op":…, "traits":…, attributes…, "rows":…, "actual":{…}, "inputs":[…]}, "rules_fired":[…], "plan_hash":…,
 *  "shape_hash":…, "functions":[…], "memo":…, "why_not":…}: the last three where there is something to say; two are text. */
void fl_explain_json(fl_text *text, const fl_explain *explain);

#endif
