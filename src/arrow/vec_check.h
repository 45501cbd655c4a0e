/* Whether vectors and batches are as arrow/vec.h says, for assertions: what a vector's maker and its reader agree on is looked
 * at where it is handed over, and not where a wrong row shows. */
#ifndef FL_ARROW_VEC_CHECK_H
#define FL_ARROW_VEC_CHECK_H

#include "arrow/vec.h"

/** What is wrong with the first `rows` rows of a vector, of which those of the mask (NULL: all) are wanted; NULL: nothing is.
 *  Every slot is touched, so that the address sanitizer sees those that may not be read; values are held to their type where they are
 *  wanted and not null. Costs more than reading all. */
const char *fl_vec_fault(const fl_vec *vec, const uint64_t *mask, int64_t rows);

/** The same of all columns of a batch, and of its mask. */
const char *fl_batch_fault(const fl_batch *batch);

/** What is wrong with a list of `count` row numbers: they ascend, each is below `rows`. */
const char *fl_list_fault(const uint16_t *list, int32_t count, int32_t rows);

#endif
