/* Patterns: what a rule matches, compiled when the rule is registered.
 *
 *     filter(join)                        a filter over a join
 *     ?                                   any operator
 *     join(?, scan)                       inputs from the first on; those that are not written may be anything
 *     join[implementation=hash]           tests of traits, several apart by commas; a kind without names takes a number
 *     filter(j:join(l:?, r:?))            names, by which on_match finds what was matched (fl_rule_call_bound)
 *     root                                the whole plan, once per round; it stands alone
 *
 * Names are made of small letters, digits and underscores. A compiled pattern is immutable. */
#ifndef FL_PLAN_PATTERN_H
#define FL_PLAN_PATTERN_H

#include "plan/node.h"

#define FL_PATTERN_NODES_MAX 16

/* One operator of a pattern. */
typedef struct fl_pattern_node {
    const fl_op_desc *op; /* NULL: any */
    fl_str name;          /* empty: none */
    const fl_trait_value *tests;
    int32_t n_tests;
    int32_t n_inputs;
    int8_t inputs[FL_PATTERN_NODES_MAX]; /* places in nodes[] */
} fl_pattern_node;

typedef struct fl_pattern {
    bool is_root;                                /* `root`: nodes[0] is then any operator */
    int32_t n_nodes;                             /* at least 1 */
    fl_pattern_node nodes[FL_PATTERN_NODES_MAX]; /* in the order in which they are written */
} fl_pattern;

/** Compiles a rule's pattern into the arena. FL_ERR_CONFIG, naming rule, pattern and place, when it does not parse or names an
 *  operator, a kind of trait or a value that the registry does not have (the nearest name is the hint). Descriptors and
 *  text are borrowed. */
fl_status fl_pattern_compile(const fl_registry *registry, const char *rule, const char *text, fl_arena *arena,
                             const fl_pattern **ret, fl_err *err);

/** Whether the node (with its inputs, as deep as the pattern goes) matches. ret_bound[FL_PATTERN_NODES_MAX] gets the node
 *  that each of the pattern's nodes stands for; without a match what is in it means nothing. */
bool fl_pattern_matches(const fl_pattern *pattern, const fl_node *node, const fl_node **ret_bound);

/** The place in nodes[] that has the name; -1: none. */
int32_t fl_pattern_find(const fl_pattern *pattern, fl_str name);

#endif
