/* Paths of SQL/JSON (ISO/IEC 9075-2:2016, section 9.39) as PostgreSQL has them (9.16.2): $.a[*] ? (@.b > 1).size().
 *
 *     FL_TRY(fl_jsonpath_parse(arena, text, &path, err));                  once a path
 *     fl_jsonpath_run run = {.work = &work, .path = path, .root = root};   for each value
 *     FL_TRY(fl_jsonpath_query(&run, &found, &is_failed, err)); */
#ifndef FL_FUNC_JSON_JSONPATH_H
#define FL_FUNC_JSON_JSONPATH_H

#include "exec/json_text.h"
#include "func/text/regex.h"

typedef enum fl_jsonpath_kind {
    FL_JP_ROOT,     /* $ */
    FL_JP_CURRENT,  /* @ */
    FL_JP_LAST,     /* last, within [] */
    FL_JP_VARIABLE, /* $name */
    FL_JP_STRING,
    FL_JP_NUMBER,
    FL_JP_NULL,
    FL_JP_BOOL,
    FL_JP_MEMBER,      /* .name */
    FL_JP_ANY_MEMBER,  /* .* */
    FL_JP_ELEMENTS,    /* [1, 3 to last] */
    FL_JP_ANY_ELEMENT, /* [*] */
    FL_JP_BELOW,       /* .**{first to last} */
    FL_JP_FILTER,      /* ? (…) */
    FL_JP_TYPE,        /* methods: .type() … */
    FL_JP_SIZE,
    FL_JP_ABS,
    FL_JP_FLOOR,
    FL_JP_CEILING,
    FL_JP_DOUBLE,
    FL_JP_DATETIME,
    FL_JP_KEYVALUE,
    FL_JP_ADD, /* of two numbers */
    FL_JP_SUB,
    FL_JP_MUL,
    FL_JP_DIV,
    FL_JP_MOD,
    FL_JP_PLUS, /* of each number */
    FL_JP_MINUS,
    FL_JP_AND, /* from here on: predicates */
    FL_JP_OR,
    FL_JP_NOT,
    FL_JP_IS_UNKNOWN,
    FL_JP_EXISTS,
    FL_JP_EQ,
    FL_JP_NE,
    FL_JP_LT,
    FL_JP_LE,
    FL_JP_GT,
    FL_JP_GE,
    FL_JP_STARTS_WITH,
    FL_JP_LIKE_REGEX
} fl_jsonpath_kind;

#define FL_JP_LAST_LEVEL (-1) /* of .**: the deepest */

/* One part of a path, and what comes behind it. */
typedef struct fl_jsonpath_step {
    fl_jsonpath_kind kind;
    const struct fl_jsonpath_step *next; /* is applied to what this one gives; NULL: nothing is */
    const struct fl_jsonpath_step *args[2];
    fl_str text;                              /* of a string, name, variable */
    yyjson_val value;                         /* of a literal */
    const struct fl_jsonpath_step **elements; /* [2 * n_elements]: from and to; to NULL: one element */
    int32_t n_elements;
    int64_t first, last;   /* levels of .** */
    const fl_regex *regex; /* like_regex */
} fl_jsonpath_step;

typedef struct fl_jsonpath {
    const fl_jsonpath_step *first;
    bool is_strict;
} fl_jsonpath;

/** Reads a path; what it points at lies in the arena, `text` among it, and is not changed any more. FL_ERR_VALUE (42601) with the place where it is
 *  none; FL_ERR_LIMIT (54001) for one that is nested too deep. */
fl_status fl_jsonpath_parse(fl_arena *arena, fl_str text, const fl_jsonpath **ret, fl_err *err);

/* Values that were found, in the call's heap or the document. */
typedef struct fl_jsonpath_items {
    yyjson_val **values;
    int64_t n, capacity;
} fl_jsonpath_items;

/* A path on its way through a value. */
typedef struct fl_jsonpath_run {
    fl_json_work *work;
    const fl_jsonpath *path;
    yyjson_val *root;
    yyjson_val *variables; /* an object; NULL: there are none */
    bool uses_zone;        /* a time without a zone is taken for UTC's where it is compared with one that has some */
    bool is_silent;        /* errors of the value end the run, and are not told */
    yyjson_val *current;   /* @ */
    int64_t last;          /* of the array whose elements are taken; -1: there is none */
    bool is_relaxed;       /* what is not there is nothing, not an error */
    bool is_tolerant;      /* errors make what is asked unknown: within predicates */
    int32_t depth;
} fl_jsonpath_run;

/** All values that the path leads to. *ret_failed: the run is silent and an error ended it, behind those found before. */
fl_status fl_jsonpath_query(fl_jsonpath_run *run, fl_jsonpath_items *ret, bool *ret_failed, fl_err *err);

/** Whether it leads to any; in the lax mode what comes behind the first is not looked at. */
fl_status fl_jsonpath_exists(fl_jsonpath_run *run, bool *ret, bool *ret_failed, fl_err *err);

#endif
