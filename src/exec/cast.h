/* Casts as kernels: a vector of one type becomes a vector of another. */
#ifndef FL_EXEC_CAST_H
#define FL_EXEC_CAST_H

#include "exec/func.h"

/** Casts call->args[0] (flat; strings as views; decimals of width 8 or 16) into call->ret. Rows outside call->mask are
 *  not looked at. is_try: values that do not fit become null in fl_call_valid(call), which then must be writable. */
fl_status fl_cast_run(fl_call *call, bool is_try, fl_err *err);

/** Casts dates to timestamps that they are compared with; cannot fail: a day out of range lies between all timestamps and
 *  infinity (fl_date_to_us_beside). */
void fl_cast_compared(fl_call *call);

#endif
