/* The merge join, as the join's other implementations see it. */
#ifndef FL_OP_JOIN_MERGE_H
#define FL_OP_JOIN_MERGE_H

#include "exec/exec.h"

/** fl_op_exec.build of a join whose inputs come in its order (fl_join_attrs.order). */
fl_status fl_join_build_merge(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err);

#endif
