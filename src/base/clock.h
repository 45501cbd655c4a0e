/* Time comes in through here, so that a test can own it (base/system.h). Monotonic for durations, wall for "now".
 *
 * `system` is that of the budget at hand; NULL, the system's own clock, costs no call through a table. */
#ifndef FL_BASE_CLOCK_H
#define FL_BASE_CLOCK_H

#include "base/system.h"

#include <time.h>

/** Nanoseconds of a clock that never goes back. */
static inline int64_t fl_clock_ns(const fl_system *system)
{
    struct timespec now;
    if (FL_UNLIKELY(system != NULL))
        return system->monotonic_ns(system);
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/** Processor time of the whole process, nanoseconds. */
static inline int64_t fl_clock_process_ns(const fl_system *system)
{
    return (system != NULL ? system : &fl_system_own)->process_ns(system);
}

/** Microseconds since 1970-01-01 UTC. */
static inline int64_t fl_clock_wall_us(const fl_system *system)
{
    return (system != NULL ? system : &fl_system_own)->wall_us(system);
}

#endif
