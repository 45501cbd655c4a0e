/* Patterns: `filter(join)`, `?`, `aggregate[logical](?)`, `root`. Matching is by class name and trait value names. */
#ifndef FL_OPT_PATTERN_H
#define FL_OPT_PATTERN_H

#include "plan/node.h"

/** Whether the node (with its inputs, as deep as the pattern goes) matches. A pattern that does not parse matches nothing
 *  (and fails an assertion). */
bool fl_pattern_matches(const char *pattern, const fl_node *node);

/** Whether the pattern is `root`: it is tried on the whole plan, not on each node. */
bool fl_pattern_is_root(const char *pattern);

#endif
