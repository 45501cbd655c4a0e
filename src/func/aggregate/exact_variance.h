/* Variance and standard deviation of integers, and of decimals of 64 bits, without rounding before the end.
 *
 * A state holds how many there are, their sum and that of their squares, whole: so the answer does not depend on the order of the
 * rows, nor on who added up which of them, and values that lie far from 0 and close to each other keep all their digits. */
#ifndef FL_FUNC_AGGREGATE_EXACT_VARIANCE_H
#define FL_FUNC_AGGREGATE_EXACT_VARIANCE_H

#include "exec/agg.h"

/** Whether values of the type are added up so; *ret_arg, where they are: the type that they shall have. */
bool fl_exact_variance_takes(fl_type type, fl_type *ret_arg);

extern const fl_agg_kernel fl_exact_var_pop, fl_exact_var_samp, fl_exact_stddev_pop, fl_exact_stddev_samp;

#endif
