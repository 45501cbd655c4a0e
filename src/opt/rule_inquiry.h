/* Why a rule did not do what somebody expected of it: what became of it at each operator. EXPLAIN (WHY NOT rule) asks.
 *
 * The driver and the search tell each try; the answer is text, a line a try. One thread at a time. */
#ifndef FL_OPT_RULE_INQUIRY_H
#define FL_OPT_RULE_INQUIRY_H

#include "base/text.h"
#include "plan/rule_set.h"

typedef enum fl_rule_outcome {
    FL_RULE_UNMATCHED, /* the operator is of the class that the pattern begins with, and does not match all of it */
    FL_RULE_REFUSED,   /* its check said no */
    FL_RULE_SILENT,    /* it handed over nothing, or what was there */
    FL_RULE_FIRED
} fl_rule_outcome;

typedef struct fl_rule_inquiry {
    const fl_rule_desc *rule; /* that is asked about */
    fl_text *text;            /* gets the answer */
    fl_text tries;            /* lines, in the order of the tries */
    fl_index_map seen;        /* tries that have a line: by their text */
    fl_arena arena;
    int32_t n_hidden; /* tries beyond the lines that are shown */
    bool has_run;     /* its phase, or a search in its place */
    bool is_off;
} fl_rule_inquiry;

/** Begins; `rule` and `text` are borrowed. fl_rule_inquiry_drop also after failures. */
void fl_rule_inquiry_init(fl_rule_inquiry *inquiry, const fl_rule_desc *rule, fl_text *text);
void fl_rule_inquiry_drop(fl_rule_inquiry *inquiry);

/** Writes down what became of the rule that is asked about. */
fl_status fl_rule_inquiry_write(fl_rule_inquiry *inquiry, const fl_plan *plan, const fl_node *node,
                                fl_rule_outcome outcome, fl_err *err);

/** Notes what became of a rule at a node; does nothing for other rules, and where `inquiry` is NULL, as for all but those who
 *  ask. */
static inline fl_status fl_rule_inquiry_note(fl_rule_inquiry *inquiry, const fl_plan *plan, const fl_rule_desc *rule,
                                             const fl_node *node, fl_rule_outcome outcome, fl_err *err)
{
    return inquiry == NULL || inquiry->rule != rule ? FL_OK : fl_rule_inquiry_write(inquiry, plan, node, outcome, err);
}

/** Writes the answer, but for what a search adds behind it. */
fl_status fl_rule_inquiry_finish(fl_rule_inquiry *inquiry, fl_err *err);

#endif
