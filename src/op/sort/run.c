/* sort: collects all rows, puts pointers to them in the input's order, sorts these by all workers, and puts the rows out. Rows that
 * left memory are merged by ranges, each by a worker. */
#include "op/sort/node.h"

#include "exec/sort_source.h"

static fl_status build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sort_source *source = NULL;
    const fl_sort_attrs *attrs = fl_sort_of(node);
    FL_TRY(fl_sort_source_new(exec, node, &source, err));
    FL_TRY(fl_sort_sink_build(exec, node, attrs->keys, attrs->n_keys, 0, false, fl_sort_source_finish, source,
                              &source->sink, err));
    FL_TRY(fl_exec_wait_for(exec, &source->base.waits, &source->sink->base, err));
    st = fl_exec_add_pipeline(exec, &source->base, next, err);
cleanup:
    return st;
}

const fl_op_exec fl_sort_exec = {.build = build};
