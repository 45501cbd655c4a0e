/* Parquet's VARIANT, values that carry their types with them, as JSON.
 *
 * A variant column is a group of `metadata`, the names of all fields, and `value`, the value in an encoding of its own. Parts that have the
 * same type in many rows may be shredded: they lie in columns of their own below `typed_value`, and only what does not fit stays in `value`.
 * After the format's VariantEncoding.md and VariantShredding.md. */
#ifndef FL_FORMAT_PARQUET_VARIANT_H
#define FL_FORMAT_PARQUET_VARIANT_H

#include "format/parquet/metadata.h"

/** What is wrong, in words, with the columns of a group that is annotated as a variant; NULL: nothing. */
const char *fl_pq_variant_fault(const fl_pq_node *group);

/** Adds the JSON of a valid slot of a group's vector (a struct of `metadata`, `value`, `typed_value`). A file's faults are told in
 *  *ret_wrong, and the status is FL_OK then. FL_ERR_MEMORY, or the interrupt's. The arena is for the while of the call. */
fl_status fl_pq_variant_print(const fl_vec *group, int64_t slot, fl_arena *arena, fl_text *text, const char **ret_wrong,
                              fl_err *err);

#endif
