/* Arithmetic of dates, times and intervals: the kernels behind + - * / for these types. */
#ifndef FL_FUNC_ARITH_INTERVAL_H
#define FL_FUNC_ARITH_INTERVAL_H

#include "exec/func.h"

/** Chooses the form of `sign` ('+', '-', '*', '/') for two types of which one is a date, time, timestamp or interval.
 *  False when there is none. */
bool fl_interval_resolve(char sign, fl_type a, fl_type b, fl_func_choice *ret);

/** Unary minus of an interval. */
fl_status fl_interval_negate(fl_call *call, fl_err *err);

#endif
