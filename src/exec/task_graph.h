/* What exec/exec.c and exec/task_graph.c share of a run: its tasks. */
#ifndef FL_EXEC_TASK_GRAPH_H
#define FL_EXEC_TASK_GRAPH_H

#include "exec/exec.h"

/** A helper of the pool works on the run: fl_job.help of its job. */
void fl_exec_help(fl_job *job, int32_t worker, const fl_job_turn *turn);

/** A limit that is passed is the fault of who asks: the innermost stage (`what`, or its node) or source that an error of
 *  FL_ERR_MEMORY comes from. */
void fl_exec_say_who(const char *what, const fl_node *node, fl_err *err);

#endif
