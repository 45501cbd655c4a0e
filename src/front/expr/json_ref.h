/* A JSON value and where it stands: what the readers of requests walk over. */
#ifndef FL_FRONT_EXPR_JSON_REF_H
#define FL_FRONT_EXPR_JSON_REF_H

#include "front/expr/maker.h"

#include <yyjson.h>

typedef struct json_ref {
    yyjson_val *value;
    int32_t place; /* number of it */
    int32_t at;    /* its position */
} json_ref;

/** A member of an object, or an item of an array (key NULL). */
fl_status fl_json_ref_member(maker *m, json_ref of, yyjson_val *key, yyjson_val *value, json_ref *ret);
fl_status fl_json_ref_item(maker *m, json_ref of, int32_t index, yyjson_val *value, json_ref *ret);

/** The member of that name; ret->value NULL when there is none. */
fl_status fl_json_ref_get(maker *m, json_ref of, const char *name, json_ref *ret);

/** Refuses names that are not among these (ends with NULL), a name that comes twice, and "as" where nothing is named by it. `what` has
 *  them: "an expression". */
fl_status fl_json_ref_check_names(maker *m, json_ref of, const char *const *names, const char *what);

/** Hints at the nearest of these names (ends with NULL), where one is near. */
void fl_json_ref_hint_name(maker *m, fl_str name, const char *const *names);

/** The text of a string, or of a number as it is written; it lies in the document. */
static inline fl_str fl_json_ref_text(yyjson_val *value)
{
    FL_ASSERT(yyjson_is_str(value) || yyjson_is_raw(value));
    return (fl_str){unsafe_yyjson_get_str(value), (int64_t)unsafe_yyjson_get_len(value)};
}

/** "an object", "the number 5", as messages call it. */
const char *fl_json_ref_describe(yyjson_val *value, char *buffer, int64_t bytes);
#define JSON_DESCRIBE_BYTES 64

/** What a string's bytes are as an infix text: a place of its own. ret_base: the position of the first. */
fl_status fl_json_ref_infix_place(maker *m, json_ref of, int32_t *ret_base);

#endif
