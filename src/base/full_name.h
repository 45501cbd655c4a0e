/* Names of what a catalog has: a database, a schema in it, and a name in that.
 *
 * A catalog knows each by one text, its key, in which the parts stand behind each other as SQL would write them: "t" in the schema and
 * database that need not be said, "s.t" in another schema of that database, "d.s.t" in another database. A part that holds a dot or a
 * double quote stands in quotes, so that a table called "s.t" and t of a schema s have keys of their own. Keys are compared without
 * regard to case, as names are. */
#ifndef FL_BASE_FULL_NAME_H
#define FL_BASE_FULL_NAME_H

#include "base/arena.h"

#define FL_MAIN_DATABASE FL_STR("fletch")
#define FL_MAIN_SCHEMA FL_STR("main")
#define FL_NAME_PARTS_MAX 3

typedef struct fl_full_name {
    fl_str database, schema, name;
} fl_full_name;

/** Whether a schema is the one that need not be said: main, also called public. */
bool fl_is_main_schema(fl_str schema);

/** The key of a name. */
fl_status fl_full_name_key(fl_arena *arena, const fl_full_name *name, fl_str *ret, fl_err *err);

/** The parts of a key; borrowed from it where they have no quotes. */
fl_status fl_full_name_of_key(fl_arena *arena, fl_str key, fl_full_name *ret, fl_err *err);

/** Parts as one text, and back: what stands between dots, without quotes. FL_ERR_VALUE (42602) for more than FL_NAME_PARTS_MAX, empty
 *  ones and quotes that are not closed. */
fl_status fl_name_join(fl_arena *arena, const fl_str *parts, int32_t n, fl_str *ret, fl_err *err);
fl_status fl_name_split(fl_arena *arena, fl_str text, fl_str parts[FL_NAME_PARTS_MAX], int32_t *ret_n, fl_err *err);

/** Whether a key's name is in this schema; with an empty schema, in any of the database. */
bool fl_key_is_in(fl_str key, fl_str database, fl_str schema);

#endif
