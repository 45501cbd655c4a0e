/* Whether the rows of a vector come in order, as ORDER BY has it: NaN is one value above all others, -0 is 0, text goes by its
 * bytes. */
#ifndef FL_ARROW_VEC_ORDER_H
#define FL_ARROW_VEC_ORDER_H

#include "arrow/vec.h"
#include "base/interrupt.h"

/* What holds of a vector's rows from the first to the last. All false: nothing is known. */
typedef struct fl_vec_order {
    bool ascends;     /* no value that is not null is less than the one before it */
    bool descends;    /* no greater */
    bool nulls_first; /* no null stands behind a value */
    bool nulls_last;  /* nor before one; both where there is no null, or nothing else */
} fl_vec_order;

/** Whether values of the type are compared here, and by words (exec/order_words.h): not intervals, lists, structs, and what is nothing
 *  but null. */
bool fl_type_is_ordered(fl_type type);

/** What holds of the first `rows` rows. Cost: up to the first row that is out of order, in either direction. Of as many as a batch or
 *  a segment has. */
fl_vec_order fl_vec_order_of(const fl_vec *vec, int64_t rows);

/** The same of any number of rows: it looks whether to stop. FL_ERR_CANCELLED, FL_ERR_TIMEOUT. */
fl_status fl_vec_find_order(const fl_vec *vec, int64_t rows, fl_work *work, fl_vec_order *ret, fl_err *err);

/** Negative, 0 or positive: row i of `a` beside row j of `b`, of the same type and valid both. The type is ordered. */
int fl_vec_compare(const fl_vec *a, int64_t i, const fl_vec *b, int64_t j);

#endif
