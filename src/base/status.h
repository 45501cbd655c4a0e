/* The house idiom for errors: FL_FAIL makes one, FL_TRY passes one on.
 *
 * Relies on nothing but the public record (fletch/status.h). `err` may be NULL everywhere. Thread-safe: a record belongs
 * to the caller's thread.
 *
 *     fl_status read_header(fl_file *file, header *ret, fl_err *err)
 *     {
 *         fl_status st = FL_OK;
 *         FL_TRY(fl_file_read_at(file, 0, ret, sizeof(*ret), err));
 *         if (ret->magic != MAGIC)
 *             return FL_FAIL(err, FL_ERR_CORRUPT, "\"%s\" is no Parquet file", file->path);
 *     cleanup:
 *         return st;
 *     } */
#ifndef FL_BASE_STATUS_H
#define FL_BASE_STATUS_H

#include "fletch/status.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

/* Our mistakes stop the process at once, in every build: what is asserted so costs a few instructions a batch at the most, as
 * a comparison of numbers that are at hand. */
#define FL_ASSERT(cond) assert(cond)

/* Those that look at every row are held in sanitized and debug builds alone (cmake/flags.cmake). FL_ASSERT_NO_FAULT takes what
 * a checking function says is wrong, NULL: nothing is. */
#if defined(FLETCH_SLOW_ASSERTS)
#define FL_ASSERT_SLOW(cond) assert(cond)
#define FL_ASSERT_NO_FAULT(fault) fl_assert_no_fault((fault), __FILE__, __LINE__)
#else
#define FL_ASSERT_SLOW(cond) ((void)0)
#define FL_ASSERT_NO_FAULT(fault) ((void)0)
#endif

/** Stops the process, and says why and where, unless there is no fault. */
void fl_assert_no_fault(const char *fault, const char *file, int line);

#define FL_LIKELY(x) __builtin_expect(!!(x), 1)
#define FL_UNLIKELY(x) __builtin_expect(!!(x), 0)

#define FL_LEN(array) ((int64_t)(sizeof(array) / sizeof((array)[0])))

/** Runs a call that returns fl_status; on failure stores it in `st` and jumps to `cleanup`. */
#define FL_TRY(call)                  \
    do {                              \
        st = (call);                  \
        if (FL_UNLIKELY(st != FL_OK)) \
            goto cleanup;             \
    } while (0)

/** Fills `err` (may be NULL) with a code, its SQLSTATE and a printf-formatted message; gives the code back. Clears hint
 *  and place. A message too long is cut at a character border. */
#define FL_FAIL(err, code, ...) fl_err_code(fl_err_set((err), (code), __VA_ARGS__), (code))

fl_status fl_err_set(fl_err *err, fl_status code, const char *format, ...) __attribute__((format(printf, 3, 4), cold));

/* The code that was given is what comes back: said here, where compilers and analyzers see it, so that they know that a
 * function that failed did not return FL_OK. */
static inline fl_status fl_err_code(fl_status set, fl_status code)
{
    (void)set;
    return code;
}

/** Makes it one that says nothing, which costs less than to clear it all: for records that are rarely filled. */
static inline void fl_err_clear(fl_err *err)
{
    err->code = FL_OK;
    err->sqlstate[0] = err->message[0] = err->hint[0] = 0;
    err->position = err->line = err->column = 0;
}

/** Replaces the SQLSTATE that the code implies (five characters). Gives err->code back, or `otherwise` where err is NULL. */
fl_status fl_err_state(fl_err *err, const char *sqlstate, fl_status otherwise);

/** Sets the hint of an error that is already filled. */
void fl_err_hint(fl_err *err, const char *format, ...) __attribute__((format(printf, 2, 3), cold));

/** Adds to the hint that there is, behind a semicolon or a question mark; or makes it the hint. */
void fl_err_hint_add(fl_err *err, const char *format, ...) __attribute__((format(printf, 2, 3), cold));

/** Puts text before the message: context that only the caller knows ("file.parquet, row group 3: "). */
void fl_err_prefix(fl_err *err, const char *format, ...) __attribute__((format(printf, 2, 3), cold));

/** Sets the place in the query text when the record has none yet; offset counts bytes from 0, negative = unknown. */
void fl_err_at(fl_err *err, int64_t offset);

/** The SQLSTATE that a code implies: five characters. */
const char *fl_status_sqlstate(fl_status code);

#endif
