/* A memo as EXPLAIN (MEMO) shows it. */
#ifndef FL_OPT_MEMO_PRINT_H
#define FL_OPT_MEMO_PRINT_H

#include "opt/memo.h"
#include "plan/rule.h"

/** Each group with its expressions, the numbers of the groups below them and the rule that made each; then what was wanted of
 *  it: the winner with its cost, and why others were not taken (where trials were kept). Rules are by index. */
void fl_memo_print(fl_text *text, const fl_memo *memo, const fl_rule_desc *const *rules);

/** The expressions that a rule made, and what became of them: taken, or dearer than which. */
void fl_memo_print_rule(fl_text *text, const fl_memo *memo, const fl_rule_desc *const *rules, const fl_rule_desc *rule);

#endif
