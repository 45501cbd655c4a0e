/* Dropping rows that are not among the first of their partition, before these are sorted. */
#ifndef FL_OP_WINDOW_CUT_H
#define FL_OP_WINDOW_CUT_H

#include "exec/eval.h"
#include "exec/exec.h"
#include "op/window/node.h"

#define FL_WINDOW_CUT_MAX 64 /* rows that are wanted of a partition: each of them is held against those that come */

/** Whether there are many more rows than are wanted, by estimates, and they can be told. */
bool fl_window_can_cut(const fl_node *node);

/** Adds the stage in front of `next`, for rows of the node's input. */
fl_status fl_window_build_cut(fl_exec *exec, const fl_node *node, fl_stage *next, fl_stage **ret, fl_err *err);

#endif
