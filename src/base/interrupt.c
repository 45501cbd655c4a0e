/* Asking a statement to stop. */
#include "base/interrupt.h"

#include "base/clock.h"

#include <string.h>

#define COPIED_BYTES (4 << 20)

void fl_interrupt_begin(fl_interrupt *interrupt)
{
    atomic_store(&interrupt->is_requested, false);
    atomic_store(&interrupt->deadline_ns, 0);
}

void fl_interrupt_set_timeout(fl_interrupt *interrupt, int64_t timeout_ms)
{
    FL_ASSERT(timeout_ms >= 0);
    int64_t now_ns = fl_clock_ns(interrupt->system);
    int64_t longest_ms = (INT64_MAX - now_ns) / 1000000;
    atomic_store(&interrupt->deadline_ns,
                 timeout_ms > 0 ? now_ns + (timeout_ms < longest_ms ? timeout_ms : longest_ms) * 1000000 : 0);
}

void fl_interrupt_begin_below(fl_interrupt *interrupt, const fl_interrupt *above)
{
    *interrupt = (fl_interrupt){.system = above->system, .above = above, .seen = atomic_load(&above->requests)};
    atomic_store(&interrupt->is_requested, atomic_load(&above->is_requested)); /* behind `seen`: none is missed */
    atomic_store(&interrupt->deadline_ns, atomic_load(&above->deadline_ns));
}

bool fl_interrupt_shall_stop(void *interrupt)
{
    const fl_interrupt *i = interrupt;
    return i != NULL && (fl_interrupt_is_asked(i) || fl_interrupt_is_late(i));
}

int64_t fl_interrupt_rest(fl_interrupt *interrupt)
{
    int64_t deadline_ns = atomic_load(&interrupt->deadline_ns), now_ns = fl_clock_ns(interrupt->system);
    atomic_store(&interrupt->deadline_ns, 0);
    atomic_store(&interrupt->seen, -1);
    return deadline_ns == 0 ? INT64_MAX : deadline_ns > now_ns ? deadline_ns - now_ns : 0;
}

void fl_interrupt_go_on(fl_interrupt *interrupt, int64_t left_ns)
{
    if (interrupt->above != NULL)
        atomic_store(&interrupt->seen, atomic_load(&interrupt->above->requests));
    atomic_store(&interrupt->deadline_ns, left_ns == INT64_MAX ? 0 : fl_clock_ns(interrupt->system) + left_ns);
}

void fl_interrupt_request(fl_interrupt *interrupt)
{
    atomic_fetch_add(&interrupt->requests, 1);
    atomic_store(&interrupt->is_requested, true);
}

void fl_interrupt_stop(fl_interrupt *interrupt)
{
    atomic_store(&interrupt->is_requested, true);
}

bool fl_interrupt_deadline_is_over(const fl_interrupt *interrupt, int64_t deadline_ns)
{
    return fl_clock_ns(interrupt->system) > deadline_ns;
}

fl_status fl_interrupt_fail(fl_status reason, fl_err *err)
{
    FL_ASSERT(fl_interrupt_is_cause(reason));
    if (reason == FL_ERR_CANCELLED)
        return FL_FAIL(err, FL_ERR_CANCELLED, "the statement was cancelled");
    return FL_FAIL(err, FL_ERR_TIMEOUT, "the statement was stopped at its timeout");
}

fl_status fl_work_copy(fl_work *work, void *to, const void *from, int64_t bytes, fl_err *err)
{
    fl_status st = FL_OK;
    for (int64_t at = 0; at < bytes && st == FL_OK; at += COPIED_BYTES) {
        int64_t piece = bytes - at < COPIED_BYTES ? bytes - at : COPIED_BYTES;
        memcpy((char *)to + at, (const char *)from + at, (size_t)piece);
        st = fl_work_add(work, piece / 8, err);
    }
    return st;
}
