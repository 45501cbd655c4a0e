/* Evaluating expressions over batches.
 *
 * A program is made once per operator from its expressions: the distinct nodes in order, constants as vectors, functions
 * prepared; it is shared by all workers. Each worker has an fl_eval with the nodes' result buffers, so that evaluating
 * allocates nothing but the bytes of new strings. Common subexpressions are evaluated once a batch. A function of one
 * dictionary column runs once per dictionary value, and its results are kept until the dictionary changes.
 *
 * AND, OR and CASE evaluate later arguments only for rows that need them: an expression that can raise does so only for
 * rows that reach it. */
#ifndef FL_EXEC_EVAL_H
#define FL_EXEC_EVAL_H

#include "exec/func.h"
#include "exec/session_state.h"
#include "plan/expr.h"

typedef struct fl_program fl_program;
typedef struct fl_eval fl_eval;

/* Where columns come from when they are not all in the batch yet (scans): loads column `col` for the rows of mask. Those are all that
 * the value is asked for, not those that a part of it looks at: the column is loaded once, and others look at it, too. */
typedef fl_status (*fl_eval_load)(void *ctx, int32_t col, const uint64_t *mask, fl_vec *ret, fl_err *err);

/** Compiles expressions over input columns `cols` (positions in the batch). All memory from `arena`, which outlives the
 *  program. Expressions must hold no subquery. */
fl_status fl_program_new(fl_arena *arena, const fl_plan *plan, const fl_session_state *session,
                         const fl_expr *const *exprs, int32_t n_exprs, const fl_col_id *cols, int32_t n_cols,
                         fl_program **ret, fl_err *err);

/** A worker's evaluator for batches of up to rows_max rows. */
fl_status fl_eval_new(const fl_program *program, fl_memory *memory, int32_t rows_max, fl_eval **ret, fl_err *err);
void fl_eval_free(fl_eval *eval);

/** Begins a batch. `heap` takes the bytes of new strings and must live until the results are used up. */
void fl_eval_begin(fl_eval *eval, const fl_batch *batch, fl_arena *heap);

/** Begins a batch whose columns are loaded when they are asked for. */
void fl_eval_begin_lazy(fl_eval *eval, int32_t rows, fl_eval_load load, void *ctx, fl_arena *heap);

/** The value of expression i for the rows of mask (NULL = all; other rows hold anything). Valid until the next begin. Whoever asks
 *  later in this batch asks for these rows or fewer. */
fl_status fl_eval_value(fl_eval *eval, int32_t i, const uint64_t *mask, fl_vec *ret, fl_err *err);

/** The same, for rows that this use alone has chosen: what is computed is not taken for a later use, which may ask for others. */
fl_status fl_eval_value_apart(fl_eval *eval, int32_t i, const uint64_t *mask, fl_vec *ret, fl_err *err);

/** Keeps in `mask` (all rows of the batch on entry: bits set for rows to look at) the rows for which expression i is true.
 *  ret_kept: how many. */
fl_status fl_eval_filter(fl_eval *eval, int32_t i, uint64_t *mask, int32_t *ret_kept, fl_err *err);

/** Evaluates an expression without columns once, outside of any run: constants, parameters. Strings lie in the arena. */
fl_status fl_eval_once(fl_arena *arena, const fl_plan *plan, const fl_session_state *session, const fl_expr *expr,
                       fl_value *ret, fl_err *err);

/** The same for an optimizer: what takes longer than FL_FOLD_MS_MAX is an error, FL_ERR_TIMEOUT, as a run may never reach it. */
#define FL_FOLD_MS_MAX 50
fl_status fl_eval_folded(fl_arena *arena, const fl_plan *plan, const fl_session_state *session, const fl_expr *expr,
                         fl_value *ret, fl_err *err);

#endif
