/* A system of a test's own (base/system.h): the machine's, but for what the test sets. Its clock stands still or goes on by what is
 * said, its disk is full, flips bits or is interrupted all the time, its n-th call fails, its randomness is known, and it notes in
 * which order files are written, brought to the disk and renamed.
 *
 *     owned_system owned;
 *     owned_system_init(&owned);
 *     owned.owns_clock = true;
 *     fl_engine_open_on(&owned.system, NULL, &engine, &err);
 */
#ifndef TEST_OWNED_SYSTEM_H
#define TEST_OWNED_SYSTEM_H

#include "base/system.h"

#include <stdatomic.h>

typedef enum owned_call {
    OWNED_CALL_ANY, /* of files, folders, links and randomness */
    OWNED_CALL_READ,
    OWNED_CALL_WRITE
} owned_call;

typedef struct owned_system {
    fl_system system; /* first */

    bool owns_clock;
    _Atomic int64_t now_ns;  /* of the monotonic clock; process_ns is the same */
    _Atomic int64_t wall_us; /* stands still */
    int64_t look_ns;         /* now_ns goes on by so much with each look */
    _Atomic int64_t looks;   /* at now_ns */
    int64_t jump_look;       /* at this look ... */
    int64_t jump_ns;         /* ... it goes on by so much more */
    _Atomic int64_t waits;   /* each of which ends at its time, without waiting */

    int64_t room_bytes;  /* the disk is full behind so many written bytes; negative: never */
    int64_t bit_flipped; /* of any file, when it is read; negative: none */
    int64_t piece_max;   /* a call reads and writes no more; 0: as much as it may */
    bool is_interrupted; /* a signal comes in between every other read and write */
    bool has_no_holes;
    _Atomic int64_t calls;      /* of reads and writes */
    owned_call failing;         /* which calls are counted: one of them fails */
    _Atomic int64_t calls_left; /* until it does, once; 0 or less: it does not */
    int failure;                /* its reason, -EIO if you like; 0: a read gives a flipped bit */
    const char *failed;         /* what was called, "read_at" for one */
    _Atomic int64_t files_open;
    int64_t resized_bytes; /* size of the file that was made larger or smaller last, before */

    bool owns_random;
    uint8_t random; /* each byte of it */

    bool is_noting;
    char notes[4096]; /* "make a; write 5; sync; rename a b; sync_folder .; " */
} owned_system;

void owned_system_init(owned_system *owned);

#endif
