/* How the functions of a plan are called, where they say it (fl_func_desc.explain). A part of EXPLAIN. */
#ifndef FL_PLAN_EXPLAIN_FUNCTIONS_H
#define FL_PLAN_EXPLAIN_FUNCTIONS_H

#include "plan/explain.h"

/** A line each, `function score: wasm: …`, with the rows of a run behind it; as JSON a member: `,"functions":[{"name":…,"how":…,
 *  "rows":{"compiled":…}}]`. Without such functions nothing. */
void fl_explain_functions(fl_text *text, const fl_explain *explain, bool is_json);

#endif
