/* Null in expressions: where one can arise, and what rejects it.
 *
 * Whether a column can be null depends on where it is looked at: below an outer join it cannot, above it can. So it belongs
 * to the operator (fl_props.not_null), neither to the column's id nor to an expression, and is handed in here. */
#ifndef FL_PLAN_NULL_H
#define FL_PLAN_NULL_H

#include "plan/expr.h"

/** Whether the expression may be null for rows whose columns in `not_null` are not. True where it is too large to be looked
 *  into. Thread-safe, as it only reads. */
bool fl_expr_can_be_null(const fl_expr *expr, const fl_col_set *not_null);

/* Where the boolean column is true, the others are not null: what a comparison says of the columns that it read, when its
 * outcome is a column. */
typedef struct fl_mark {
    fl_col_id col;
    fl_col_set not_null;
} fl_mark;

/** Adds the columns that are not null in a row for which the conjunct is true, by what is known of marks. Not all of them,
 *  where it is large. */
fl_status fl_expr_add_null_rejected(fl_arena *arena, const fl_expr *conjunct, const fl_mark *marks, int32_t n_marks,
                                    fl_col_set *set, fl_err *err);

#endif
