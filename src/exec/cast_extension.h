/* Casts to and from types over others: JSON, UUID, enum, bit, timetz, map. */
#ifndef FL_EXEC_CAST_EXTENSION_H
#define FL_EXEC_CAST_EXTENSION_H

#include "exec/func.h"

/** As fl_cast_run, where one of the types is an extension. *ret_done false: values are to be cast one by one, as those of plain types. */
fl_status fl_cast_extension(fl_call *call, bool is_try, bool *ret_done, fl_err *err);

#endif
