/* The line of a text around a place, below an error's message: for frontends whose texts are not the one that the caller has at hand. */
#ifndef FL_BASE_EXCERPT_H
#define FL_BASE_EXCERPT_H

#include "base/status.h"
#include "base/str.h"

/** Adds the line (of a long one a part) and a caret under byte `place` to the message, and sets the position there. The rest of the
 *  error stays. `err` may be NULL. */
void fl_err_add_excerpt(fl_err *err, fl_str text, int64_t place);

#endif
