/* project: computes columns; passed columns keep their vectors. */
#include "exec/eval.h"
#include "exec/exec.h"
#include "op/project/node.h"

typedef struct project_stage {
    fl_stage base;
    fl_program *program;
    int32_t *from; /* per output column: input position, or -1 - number of the expression */
} project_stage;

static fl_status local_new(fl_stage *base, fl_worker *worker, void **ret, fl_err *err)
{
    project_stage *stage = (project_stage *)base;
    return fl_eval_new(stage->program, worker->exec->context.memory, worker->exec->context.session->vector_rows,
                       (fl_eval **)ret, err);
}

static void local_free(fl_stage *base, void *local)
{
    (void)base;
    fl_eval_free(local);
}

static fl_status push(fl_stage *base, fl_worker *worker, void *local, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    project_stage *stage = (project_stage *)base;
    fl_vec *vecs = NULL;
    FL_TRY(FL_NEW_ARRAY(&worker->arena, base->node->n_cols + 1, &vecs, err));
    fl_eval_begin(local, batch, &worker->arena);
    for (int32_t c = 0; c < base->node->n_cols; c++) {
        if (stage->from[c] >= 0)
            vecs[c] = batch->vec[stage->from[c]];
        else
            FL_TRY(fl_eval_value(local, -1 - stage->from[c], batch->mask, &vecs[c], err));
    }
    fl_batch out = {
        .rows = batch->rows, .cols = base->node->n_cols, .vec = vecs, .mask = batch->mask, .kept = batch->kept};
    st = fl_push(base->node, base->next, worker, &out, err);
cleanup:
    return st;
}

static const fl_stage_ops stage_ops = {.local_new = local_new, .push = push, .local_free = local_free};

static fl_status build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    project_stage *stage = NULL;
    const fl_project_attrs *project = fl_project_of(node);
    const fl_node *input = node->inputs[0];
    fl_index_map passed, computed;
    FL_TRY(fl_exec_add_stage(exec, &stage_ops, (int64_t)sizeof(*stage), node, next, &stage, err));
    FL_TRY(fl_program_new(&exec->arena, exec->plan, exec->context.session, project->exprs, project->n_exprs,
                          input->cols, input->n_cols, &stage->program, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, node->n_cols + 1, &stage->from, err));
    FL_TRY(fl_exec_col_places(exec, input->cols, input->n_cols, &passed, err));
    FL_TRY(fl_exec_col_places(exec, project->cols, project->n_cols, &computed, err));
    for (int32_t c = 0; c < node->n_cols; c++) {
        int32_t i = fl_index_map_find(&computed, (uint64_t)node->cols[c].n);
        stage->from[c] = i >= 0 ? -1 - i : fl_index_map_find(&passed, (uint64_t)node->cols[c].n);
    }
    st = fl_exec_build(exec, input, &stage->base, err);
cleanup:
    return st;
}

const fl_op_exec fl_project_exec = {.build = build};
