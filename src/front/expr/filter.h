/* The filter language: objects that say which rows are kept, as document databases have them.
 *
 *     {"age": {"$gt": 25, "$lt": 65}, "city": "Oslo"}                  all must hold
 *     {"$or": [{"a": 1}, {"b": {"$in": [1, 2]}}]}   {"$not": {…}}   {"$and": […]}   {"$nor": […]}
 *     {"$expr": "price * qty > 100"}                                   also as a tree, also "expr"
 *
 * Of a field: $eq $ne $gt $gte $lt $lte $in $nin $not $exists, $regex with $options "i". A field is compared with a value, or with an
 * expression's tree. A field that is null, or that a document lacks, equals null alone: {"a": null}, {"a": {"$gte": null}}, {"a": {"$exists": false}}. What
 * $ne, $nin, $not and $nor say holds for it: they keep all rows that the positive form would not. */
#ifndef FL_FRONT_EXPR_FILTER_H
#define FL_FRONT_EXPR_FILTER_H

#include "front/expr/json_ref.h"

/** *ret NULL: the object is empty, and keeps all. */
fl_status fl_filter_parse(maker *m, json_ref ref, fl_ast_expr **ret);

#endif
