/* What the host and a worker tell each other: a record at the begin of memory that both have mapped, in which each counts its turns. Who waits
 * looks at the other's count for some microseconds, since to be woken costs more than many a batch, and then sleeps on a socket, of
 * which the other knows by a flag.
 *
 * The memory is a file without a name, which may grow and never shrinks: so the worker cannot take pages away from under the host. It is
 * mapped as large as it may become. The host gives all places; what the worker says it copies before it looks at it. */
#ifndef FL_PLUGIN_PYTHON_MESSAGE_H
#define FL_PLUGIN_PYTHON_MESSAGE_H

#include "udf/python/runtime.h"

#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#define PYTHON_SHARED_BYTES (1ll << 30) /* mapped */
#define PYTHON_ROOM_AT 8192             /* where columns begin */

#define PYTHON_SOCKET_FD 3
#define PYTHON_MEMORY_FD 4

typedef enum python_request {
    PYTHON_DEFINE, /* the texts lie in the room: name, folders of modules, code; each with a zero behind it */
    PYTHON_RUN,
    PYTHON_GO_ON, /* there is room for the result's texts now */
} python_request;

typedef enum python_reply { PYTHON_DONE, PYTHON_FAULT, PYTHON_NEEDS_ROOM } python_reply;

/* A column; places are counted from the begin of the memory, -1: there are no nulls. */
typedef struct python_place {
    int32_t type, unit;
    int64_t values, nulls, bytes, bytes_length;
} python_place;

typedef struct python_message {
    /* the host's */
    int32_t request;
    int32_t rows, n_args; /* PYTHON_DEFINE: n_args (-1: the text says it), and the result's type */
    python_place args[FL_PYTHON_ARGS_MAX], result;
    int64_t texts_room; /* bytes at result.bytes */
    int64_t code_bytes;
    bool takes_nulls, errors_are_null, is_repeatable;
    /* the worker's */
    int32_t reply;
    fl_python_signature signature;
    int64_t texts_bytes;  /* of the result */
    int64_t processor_ms; /* that the process used so far */
    fl_python_fault fault;
    _Atomic int32_t row; /* under way; -1: unknown */
    /* whose turn it is: each counts its own up, and says when it waits on the socket for the other's */
    _Atomic uint32_t asked, answered;
    _Atomic uint32_t host_sleeps, worker_sleeps;
} python_message;

/* The time that a look at a count is gone on with, where such looks came to something: else few are made. */
typedef struct python_patience {
    int32_t failed, skipped;
} python_patience;

#define PYTHON_LOOKS_US 300      /* looked for: a batch of 16,384 rows through a few of NumPy's calls */
#define PYTHON_LOOKS_ALONE_US 20 /* then whoever else wants the processor may have it between looks */
#define PYTHON_FAILED_MAX 3      /* looks in a row that came to nothing, until */
#define PYTHON_SKIPPED_MAX 64    /* so many turns are slept through */

static inline int64_t python_clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000ll + now.tv_nsec / 1000;
}

/** Waits a little until the count is `wanted`. */
static inline bool python_look(const _Atomic uint32_t *count, uint32_t wanted, python_patience *patience)
{
    if (patience->failed >= PYTHON_FAILED_MAX && patience->skipped++ < PYTHON_SKIPPED_MAX)
        return atomic_load(count) == wanted;
    patience->skipped = 0;
    int64_t start_us = python_clock_us(), waited_us = 0;
    do {
        if (waited_us > PYTHON_LOOKS_ALONE_US)
            sched_yield();
        for (int i = 0; i < 64; i++) {
            if (atomic_load_explicit(count, memory_order_acquire) == wanted) {
                patience->failed = 0;
                return true;
            }
#if defined(__x86_64__)
            __builtin_ia32_pause();
#endif
        }
        waited_us = python_clock_us() - start_us;
    } while (waited_us < PYTHON_LOOKS_US);
    patience->failed++;
    return false;
}

_Static_assert(sizeof(python_message) <= PYTHON_ROOM_AT, "the record ends before the room begins");

#endif
