/* Signatures of functions for messages: "substr(text, bigint) → text".
 *
 * Overloads that are listed are printed as they are. Functions and aggregates that choose by code are asked with one
 * argument of each common type: what is taken as it is, without a cast, is printed. */
#ifndef FL_PLAN_SIGNATURE_H
#define FL_PLAN_SIGNATURE_H

#include "base/text.h"
#include "plan/func.h"

/** Adds the signatures, comma-separated, with an ellipsis behind the first few hundred bytes. Adds nothing where none is
 *  found: the descriptor's doc says more then. Memory that resolving takes is the call's own. */
void fl_func_print_signatures(fl_text *text, const fl_func_desc *func);
void fl_agg_print_signatures(fl_text *text, const fl_agg_desc *agg);

#endif
