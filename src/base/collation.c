/* Names of collations: DuckDB's, and PostgreSQL's for what compares by code point. */
#include "base/collation.h"

#include "base/status.h"

static const struct {
    const char *name;
    fl_collation collation;
} names[] = {
    {"C", FL_COLLATION_C},
    {"POSIX", FL_COLLATION_C},
    {"ucs_basic", FL_COLLATION_C},
    {"binary", FL_COLLATION_C},
    {"C.UTF-8", FL_COLLATION_C},
    {"C.utf8", FL_COLLATION_C},
    {"nocase", FL_COLLATION_NOCASE},
    {"noaccent", FL_COLLATION_NOACCENT},
    {"nocase.noaccent", FL_COLLATION_NOCASE_NOACCENT},
    {"noaccent.nocase", FL_COLLATION_NOCASE_NOACCENT},
    {"nfc", FL_COLLATION_NFC},
};

fl_collation fl_collation_find(fl_str name)
{
    for (int64_t i = 0; i < FL_LEN(names); i++)
        if (fl_str_is_equal_nocase(name, fl_str_of(names[i].name)))
            return names[i].collation;
    return FL_COLLATION_NONE;
}

const char *fl_collation_name(fl_collation collation)
{
    for (int64_t i = 0; i < FL_LEN(names); i++)
        if (names[i].collation == collation)
            return names[i].name;
    return "";
}

const char *fl_collation_known(int32_t i)
{
    return i < (int32_t)FL_LEN(names) ? names[i].name : NULL;
}
