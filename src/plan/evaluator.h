/* Evaluates expressions while a plan is made: exec/ implements it, so that plan/ and opt/ need not know exec/. */
#ifndef FL_PLAN_EVALUATOR_H
#define FL_PLAN_EVALUATOR_H

#include "plan/expr.h"

typedef struct fl_evaluator {
    /** Evaluates an expression without columns. Fails as the expression would. */
    fl_status (*fold)(struct fl_evaluator *evaluator, fl_plan *plan, const fl_expr *expr, fl_arena *arena,
                      fl_value *ret, fl_err *err);
    /** Clears the bits in `mask` of the rows for which the conjunct is not true; its columns are vecs[i] for cols[i]. NULL: it
     *  cannot. */
    fl_status (*select)(struct fl_evaluator *evaluator, const fl_plan *plan, const fl_expr *conjunct,
                        const fl_col_id *cols, const fl_vec *vecs, int32_t n_cols, int32_t rows, uint64_t *mask,
                        fl_err *err);
} fl_evaluator;

#endif
