/* Status codes and the error record: how every call of fletch that can fail says so.
 *
 * A call returns FL_OK or a code; where it takes an `fl_err *`, that record then holds the code, its SQLSTATE, a message
 * with the values in it, a hint, and the place. Codes are grouped by who can act on them. The record is plain memory of
 * the caller's: nothing in it needs freeing, so that an error can be reported when memory is what ran out.
 *
 *     fl_err err = {0};
 *     if (fl_session_query(session, "SELECT 1", &stream, &err) != FL_OK)
 *         fprintf(stderr, "%s: %s\n", err.sqlstate, err.message); */
#ifndef FLETCH_STATUS_H
#define FLETCH_STATUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fl_status {
    FL_OK = 0,

    /* configuration: whoever starts the program or session */
    FL_ERR_CONFIG = 1,

    /* query: whoever wrote the text */
    FL_ERR_SYNTAX = 10,      /* 42601 */
    FL_ERR_TABLE = 11,       /* 42P01: no such table, view or file */
    FL_ERR_COLUMN = 12,      /* 42703 */
    FL_ERR_FUNCTION = 13,    /* 42883: no such function or operator for these types */
    FL_ERR_AMBIGUOUS = 14,   /* 42702 */
    FL_ERR_GROUPING = 15,    /* 42803 */
    FL_ERR_TYPE = 16,        /* 42804 */
    FL_ERR_DUPLICATE = 17,   /* 42P07 */
    FL_ERR_UNSUPPORTED = 18, /* 0A000: named, but not built (yet) */
    FL_ERR_PARAMETER = 19,   /* 08P01: prepared statement's parameters */

    /* data: whoever made the values */
    FL_ERR_VALUE = 30,       /* 22P02: text that is no value of the type */
    FL_ERR_RANGE = 31,       /* 22003: numeric value out of range */
    FL_ERR_DIVISION = 32,    /* 22012 */
    FL_ERR_CARDINALITY = 33, /* 21000: more than one row from a scalar subquery */
    FL_ERR_CONSTRAINT = 34,  /* 23502 */
    FL_ERR_FORMAT = 35,      /* 22000: a file that breaks its format's rules where a person could mend it */
    FL_ERR_CORRUPT = 36,     /* XX001: a file whose bytes are damaged */

    /* resource: whoever runs the machine */
    FL_ERR_MEMORY = 50,    /* 53200 */
    FL_ERR_LIMIT = 51,     /* 54000 */
    FL_ERR_IO = 52,        /* 58030 */
    FL_ERR_CANCELLED = 53, /* 57014 */
    FL_ERR_TIMEOUT = 54,   /* 57014 */

    /* ours */
    FL_ERR_PLAN = 70,     /* XX000: no executable plan */
    FL_ERR_INTERNAL = 71, /* XX000 */

    /* no error: the receiver wants no more rows (never leaves the library) */
    FL_DONE = 100
} fl_status;

#define FL_ERR_MESSAGE_MAX 1024
#define FL_ERR_HINT_MAX 512

typedef struct fl_err {
    fl_status code;
    char sqlstate[6];                 /* five characters and a zero */
    char message[FL_ERR_MESSAGE_MAX]; /* one line or a few, UTF-8, without a trailing newline */
    char hint[FL_ERR_HINT_MAX];       /* what to write or do instead; empty when there is no advice */
    int64_t position;                 /* byte offset + 1 in the query text; 0 = unknown */
    int64_t line;                     /* of a data file, from 1; 0 = unknown */
    int64_t column;                   /* of that line, from 1; 0 = unknown */
} fl_err;

#ifdef __cplusplus
}
#endif

#endif
