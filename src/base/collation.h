/* Collations: in what way texts are compared, where it is not by code point. A collation is named; what it does is told by the key that
 * texts are compared by (func/text/collate.c). */
#ifndef FL_BASE_COLLATION_H
#define FL_BASE_COLLATION_H

#include "base/str.h"

typedef enum fl_collation {
    FL_COLLATION_NONE, /* nothing is said: by code point */
    FL_COLLATION_C,    /* by code point, as was said */
    FL_COLLATION_NOCASE,
    FL_COLLATION_NOACCENT,
    FL_COLLATION_NOCASE_NOACCENT,
    FL_COLLATION_NFC,
    FL_COLLATION_COUNT
} fl_collation;

/** The collation that goes by the name, in any case; FL_COLLATION_NONE: there is none. */
fl_collation fl_collation_find(fl_str name);

/** Its first name. */
const char *fl_collation_name(fl_collation collation);

/** All names, for hints: the i-th, NULL behind the last one. */
const char *fl_collation_known(int32_t i);

/** Whether texts are compared by a key of theirs. */
static inline bool fl_collation_has_key(fl_collation collation)
{
    return collation >= FL_COLLATION_NOCASE;
}

#endif
