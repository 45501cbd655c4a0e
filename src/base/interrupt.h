/* When a statement shall stop: because somebody asked for it, or because its time is over.
 *
 * A session has one fl_interrupt; the budget of what a call works with leads to it (fl_memory.interrupt), so that whatever has
 * memory to work with, a kernel, a reader, the binder or a rule, can look without being handed anything more. Allocations
 * look by themselves. Loops that may run for milliseconds without one count their work:
 *
 *     fl_work work = fl_work_of(heap->memory);
 *     for (…)
 *         FL_TRY(fl_work_add(&work, bytes_of_this_step, err));
 *
 * Thread-safe: any thread may ask (a signal handler, too), all workers look. */
#ifndef FL_BASE_INTERRUPT_H
#define FL_BASE_INTERRUPT_H

#include "base/fault.h"
#include "base/memory.h"

/* Steps between two looks. A step is about a byte looked at: a look every few hundred microseconds. */
#define FL_WORK_STEPS 262144

typedef struct fl_interrupt {
    _Atomic bool is_requested;
    _Atomic int64_t deadline_ns;      /* of fl_clock_ns; 0 = none */
    _Atomic int64_t requests;         /* ever made */
    const struct fl_system *system;   /* whose clock that is; set before it is used, NULL = the system's own */
    const struct fl_interrupt *above; /* requests to it are meant for this one, too: those that come after `seen` */
    _Atomic int64_t seen;             /* negative: none is, as no call is under way */
} fl_interrupt;

/** Begins a call: forgets requests that came before it. No deadline. */
void fl_interrupt_begin(fl_interrupt *interrupt);

/** Begins work that goes on when the call is over in which it began, and which is stopped with the session's calls: takes the
 *  call's interrupt as it is. `above` outlives it. */
void fl_interrupt_begin_below(fl_interrupt *interrupt, const fl_interrupt *above);

/** Ends a call: requests are not meant for the work, and the deadline does not come nearer, until fl_interrupt_go_on. Gives what is
 *  left of it. */
int64_t fl_interrupt_rest(fl_interrupt *interrupt);
void fl_interrupt_go_on(fl_interrupt *interrupt, int64_t left_ns);

/** The deadline is so long from now; 0 = none. */
void fl_interrupt_set_timeout(fl_interrupt *interrupt, int64_t timeout_ms);

/** Asks the work under way to stop. Safe in a signal handler. */
void fl_interrupt_request(fl_interrupt *interrupt);

/** The same for this work alone, not for what began below it. */
void fl_interrupt_stop(fl_interrupt *interrupt);

/** Names the reason, FL_ERR_CANCELLED or FL_ERR_TIMEOUT, and gives it back. Whoever saw it says so: another look may find that the call
 *  has ended meanwhile. */
fl_status fl_interrupt_fail(fl_status reason, fl_err *err);

/** Whether somebody asked the work to stop. */
static inline bool fl_interrupt_is_asked(const fl_interrupt *interrupt)
{
    if (atomic_load_explicit(&interrupt->is_requested, memory_order_relaxed))
        return true;
    int64_t seen = interrupt->above == NULL ? -1 : atomic_load_explicit(&interrupt->seen, memory_order_relaxed);
    return seen >= 0 && atomic_load_explicit(&interrupt->above->requests, memory_order_relaxed) != seen;
}

/** Slow path of fl_interrupt_is_late: looks at the clock. */
bool fl_interrupt_deadline_is_over(const fl_interrupt *interrupt, int64_t deadline_ns);

/** Whether the deadline is over, where there is one. */
static inline bool fl_interrupt_is_late(const fl_interrupt *interrupt)
{
    int64_t deadline_ns = atomic_load_explicit(&interrupt->deadline_ns, memory_order_relaxed);
    return deadline_ns != 0 && fl_interrupt_deadline_is_over(interrupt, deadline_ns);
}

/** Whether the work shall stop, for code that knows no fl_err and takes a function for it: `interrupt` is an fl_interrupt, or NULL. */
bool fl_interrupt_shall_stop(void *interrupt);

/** FL_ERR_CANCELLED or FL_ERR_TIMEOUT when the work shall stop; interrupt may be NULL: it never shall. Costs a load, and a
 *  look at the clock where there is a deadline. */
static inline fl_status fl_interrupt_check(fl_interrupt *interrupt, fl_err *err)
{
    if (interrupt == NULL)
        return FL_OK;
    if (FL_UNLIKELY(fl_fault_is_due(FL_FAULT_INTERRUPT)))
        fl_interrupt_request(interrupt);
    if (FL_UNLIKELY(fl_interrupt_is_asked(interrupt)))
        return fl_interrupt_fail(FL_ERR_CANCELLED, err);
    if (FL_UNLIKELY(fl_interrupt_is_late(interrupt)))
        return fl_interrupt_fail(FL_ERR_TIMEOUT, err);
    return FL_OK;
}

/** Whether an error says that the statement was stopped: nothing else may be tried in its place. */
static inline bool fl_interrupt_is_cause(fl_status st)
{
    return st == FL_ERR_CANCELLED || st == FL_ERR_TIMEOUT;
}

/* Work done since the last look. */
typedef struct fl_work {
    fl_interrupt *interrupt;
    int64_t steps_left;
} fl_work;

/** The first look comes after FL_WORK_STEPS; memory may be NULL: no look is needed. */
static inline fl_work fl_work_of(const fl_memory *memory)
{
    return (fl_work){memory != NULL ? memory->interrupt : NULL, FL_WORK_STEPS};
}

/** Counts steps (≥ 0) and looks when it is time. Call it before or after each piece of work, of at most some
 *  FL_WORK_STEPS steps. */
static inline fl_status fl_work_add(fl_work *work, int64_t steps, fl_err *err)
{
    work->steps_left -= steps;
    if (FL_LIKELY(work->steps_left > 0))
        return FL_OK;
    work->steps_left = FL_WORK_STEPS;
    return fl_interrupt_check(work->interrupt, err);
}

/** memcpy that looks between pieces: for copies of any size. */
fl_status fl_work_copy(fl_work *work, void *to, const void *from, int64_t bytes, fl_err *err);

#endif
