/* What the values of a column look like: learned value by value, then made a type.
 *
 * A shape is a tree: kinds seen, fields of the objects seen (their union, in order of appearance), the shape of the lists'
 * elements. Only one kind gives its type; integers beyond 64 bits are decimals, integers with other numbers doubles;
 * everything else mixed is text, which holds the values as JSON.
 * Texts that are all ISO dates or timestamps are those. Lives in an arena. */
#ifndef FL_FORMAT_JSON_SHAPE_H
#define FL_FORMAT_JSON_SHAPE_H

#include "arrow/type.h"
#include "format/json/parse.h"
#include "base/names.h"

typedef struct fl_json_shape {
    uint32_t kinds;
    uint32_t times; /* kinds of time that all texts so far are */
    struct fl_json_shape **fields;
    fl_str *names; /* of the fields */
    fl_name_index index;
    int32_t n_fields;
    int32_t fields_max;
    struct fl_json_shape *element;
} fl_json_shape;

/** A shape that has seen nothing. */
fl_status fl_json_shape_new(fl_arena *arena, fl_json_shape **ret, fl_err *err);

/** Learns a value. FL_ERR_MEMORY. */
fl_status fl_json_shape_add(fl_arena *arena, fl_json_shape *shape, yyjson_val *value, fl_err *err);

/** The type for all values seen; its fields are in the arena. */
fl_status fl_json_shape_type(fl_arena *arena, const fl_json_shape *shape, fl_type *ret, fl_err *err);

/** Reads an ISO date, or a timestamp without or with a zone, as `type` (FL_DATE, FL_TIMESTAMP, FL_TIMESTAMPTZ) has it. */
bool fl_json_read_time(fl_type type, fl_str text, int64_t *ret);

#endif
