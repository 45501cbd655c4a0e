/* values: computes its rows once, as one batch after the other, on one worker. */
#include "exec/eval.h"
#include "exec/exec.h"
#include "exec/rows.h"
#include "op/values/node.h"

typedef struct values_source {
    fl_source base;
    bool is_done;
} values_source;

static fl_status run(fl_source *base, fl_worker *worker, void *local, fl_stage *to, bool *ret_any, fl_err *err)
{
    (void)local;
    fl_status st = FL_OK;
    values_source *source = (values_source *)base;
    const fl_values_attrs *values = fl_values_of(base->node);
    int32_t n_cols = base->node->n_cols, vector_rows = worker->exec->context.session->vector_rows;
    *ret_any = !source->is_done;
    source->is_done = true;
    if (!*ret_any)
        return FL_OK;
    for (int32_t start = 0; start < values->n_rows; start += vector_rows) {
        int32_t rows = values->n_rows - start < vector_rows ? values->n_rows - start : vector_rows;
        fl_vec *vecs = NULL;
        fl_value *value = NULL;
        const fl_value **column = NULL;
        fl_arena_reset(&worker->arena);
        FL_TRY(FL_NEW_ARRAY(&worker->arena, n_cols + 1, &vecs, err));
        FL_TRY(FL_NEW_ARRAY(&worker->arena, rows, &value, err));
        FL_TRY(FL_NEW_ARRAY(&worker->arena, rows, &column, err));
        for (int32_t c = 0; c < n_cols; c++) {
            int32_t at = 0;
            while (values->cols[at].n != base->node->cols[c].n)
                at++;
            for (int32_t r = 0; r < rows; r++) {
                const fl_expr *e = values->exprs[(int64_t)(start + r) * values->n_cols + at];
                column[r] = &value[r];
                if (e->kind == FL_EXPR_CONST)
                    column[r] = e->value;
                else
                    FL_TRY(fl_eval_once(&worker->arena, worker->exec->plan, worker->exec->context.session, e, &value[r],
                                        err));
            }
            FL_TRY(fl_vec_from_values(&worker->arena, fl_plan_col(worker->exec->plan, base->node->cols[c])->type,
                                      column, rows, &vecs[c], err));
            if (c + 1 < n_cols) /* the next column's values must not overwrite strings that this one borrowed */
                FL_TRY(FL_NEW_ARRAY(&worker->arena, rows, &value, err));
        }
        fl_batch batch = {.rows = rows, .cols = n_cols, .vec = vecs, .kept = rows};
        FL_TRY(fl_push(base->node, to, worker, &batch, err));
    }
cleanup:
    return st;
}

static const fl_source_ops source_ops = {.run = run};

static fl_status build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    values_source *source = NULL;
    fl_status st = fl_exec_add_source(exec, &source_ops, (int64_t)sizeof(*source), node, &source, err);
    if (st != FL_OK)
        return st;
    source->base.workers_max = 1;
    return fl_exec_add_pipeline(exec, &source->base, next, err);
}

const fl_op_exec fl_values_exec = {.build = build};
