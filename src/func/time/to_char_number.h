/* to_char(number, pattern), which shares its name with that of dates. */
#ifndef FL_FUNC_TIME_TO_CHAR_NUMBER_H
#define FL_FUNC_TIME_TO_CHAR_NUMBER_H

#include "exec/func.h"

/** Kernel: args[0] is a bigint, a decimal or a double, args[1] the pattern. */
fl_status fl_to_char_number(fl_call *call, fl_err *err);

#endif
