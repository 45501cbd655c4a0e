/* How deep the brackets of a JSON text lie within each other, told before a parser sees them: what walks over the tree later may recurse
 * then. Relies on nothing. */
#ifndef FL_BASE_JSON_NESTING_H
#define FL_BASE_JSON_NESTING_H

#include "base/str.h"

/** Whether some bracket lies within more than `most - 1` others. Texts that are no JSON are counted as far as they look like it. */
bool fl_json_is_deeper(fl_str text, int64_t most);

#endif
