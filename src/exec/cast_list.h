/* Text as a list: '[1, 2, NULL]' as lists are printed, and '{1,2,NULL}' as PostgreSQL writes arrays. */
#ifndef FL_EXEC_CAST_LIST_H
#define FL_EXEC_CAST_LIST_H

#include "exec/func.h"

/** Casts the texts in call->args[0] (flat views) to lists. Elements are cut out, then cast as texts are. FL_ERR_VALUE
 *  (22P02) for what is no list, or null with is_try. */
fl_status fl_cast_text_to_list(fl_call *call, bool is_try, fl_err *err);

#endif
