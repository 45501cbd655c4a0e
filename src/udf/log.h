/* The log of a folder of functions: what was created, activated and dropped, in order. What holds is what its records say together.
 *
 * It is only ever appended to, by one process at a time, which holds the file's lock (the kernel gives it back when a process ends, however
 * it does). A record is a header and a payload; the payload is brought to the disk first, then the header is written, and a place
 * without a header is no record. So what a killed process leaves behind is a tail without a header, which the next one cuts off, and a
 * header or payload that does not fit its hash was damaged later: that is told apart from a torn end, and reported with its number and
 * byte. A header knows the hash of the function's name, so that damage to a payload is known to be that function's; behind a damaged
 * header the next whole record is looked for.
 *
 *     header, 32 bytes:  "FLU1" · payload's bytes · hash of the name · hash of the payload · hash of all this and of the place
 *     payload:           kind, flags, version, created, SHA-256 of the code, name, language, signature, fuel if any; zeros up to
 *                        32 bytes
 *
 * One thread at a time. */
#ifndef FL_UDF_LOG_H
#define FL_UDF_LOG_H

#include "base/interrupt.h"
#include "udf/folder.h"
#include "udf/function.h"

typedef enum fl_udf_change { FL_UDF_CREATED = 1, FL_UDF_ACTIVATED, FL_UDF_DROPPED, FL_UDF_CHANGES } fl_udf_change;

/* What a record says. Texts are borrowed. ACTIVATED has name and version, DROPPED a name. */
typedef struct fl_udf_record {
    fl_udf_change change;
    bool is_aggregate, takes_nulls, errors_are_null;
    fl_function_volatility volatility;
    int64_t version, created_us;
    int64_t fuel; /* 0: none was declared */
    uint8_t hash[FL_UDF_HASH_BYTES];
    fl_str name, language;
    fl_str signature; /* as CREATE FUNCTION has it behind the name: ("x" double) RETURNS double */
} fl_udf_record;

/* Where a record lies. */
typedef struct fl_udf_place {
    int64_t number, at; /* from 1; byte in the file */
    bool has_name;      /* name_hash is known; else it may be any function's: only damaged records are so */
    uint64_t name_hash;
} fl_udf_place;

typedef struct fl_udf_log {
    const fl_system *system;
    char path[FL_UDF_PATH_BYTES];
    int fd; /* while it is locked; else -1 */
    uint64_t device, inode;
    int64_t end;        /* up to where it was read */
    int64_t seen_bytes; /* the file's size then: a torn record may lie behind the end */
    int64_t records;    /* that were read, damaged ones too */
} fl_udf_log;

/** `folder` need not be there yet. */
fl_status fl_udf_log_init(fl_udf_log *log, const fl_system *system, const char *folder, fl_err *err);

/** Whether the file is as it was read. */
bool fl_udf_log_is_read(const fl_udf_log *log);

/** Forgets that anything was read: the next read begins anew. */
void fl_udf_log_rewind(fl_udf_log *log);

/* What a log is locked for. */
typedef enum fl_udf_log_use {
    FL_UDF_LOG_READ,
    FL_UDF_LOG_CHANGE, /* one that is there */
    FL_UDF_LOG_MAKE    /* one that is made where there is none */
} fl_udf_log_use;

/** Takes the file's lock. *ret_has: false, there is no file, or (wait_ns 0) another holds it. FL_ERR_IO when it is not given back in so
 *  long. The interrupt may be NULL. */
fl_status fl_udf_log_lock(fl_udf_log *log, fl_udf_log_use use, int64_t wait_ns, fl_interrupt *interrupt, bool *ret_has,
                          fl_err *err);
void fl_udf_log_unlock(fl_udf_log *log);

/** Whether what was read is another file's than the one that is locked, or more than it has. */
bool fl_udf_log_is_another(const fl_udf_log *log);

/** Reads the records behind those that were read, of a log that is locked: each gets a record, NULL for a damaged one, and where it lies. What it fails with is
 *  passed on, and the log rewound. */
typedef fl_status (*fl_udf_log_reader)(void *ctx, const fl_udf_record *record, const fl_udf_place *place, fl_err *err);
fl_status fl_udf_log_read(fl_udf_log *log, fl_udf_log_reader each, void *ctx, fl_err *err);

/** Appends a record to a log that is locked and read to its end; it is on the disk when this returns. On failure it is not there. */
fl_status fl_udf_log_append(fl_udf_log *log, const fl_udf_record *record, fl_err *err);

/** Of a name, as headers have it: without regard to case. */
uint64_t fl_udf_log_name_hash(fl_str name);

#endif
