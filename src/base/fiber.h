/* Fibers: calls on a stack of their own, which can be left in the middle and gone on with later, by any thread.
 *
 * Whoever runs a fiber gets the thread back when the fiber's function pauses or ends. In between nothing of it runs, and it
 * holds nothing but its stack: so it must hold no lock while it pauses, and keep no address of what belongs to a thread (errno's, too).
 *
 *     FL_TRY(fl_fiber_get(fibers, work, ctx, &fiber, err));
 *     while (!fl_fiber_run(fiber))       work() called fl_fiber_pause
 *         ...;
 *     fl_fiber_put(fibers, fiber);
 *
 * A stack is as large as a thread's, takes what is touched of it, and ends in a page that cannot be: a fault, not foreign
 * memory. Stacks are kept, so that having a fiber costs less than a microsecond mostly; they are not counted, as those of threads
 * are not. The sanitizers, and valgrind where its header is there, are told of each switch. */
#ifndef FL_BASE_FIBER_H
#define FL_BASE_FIBER_H

#include "base/status.h"

typedef struct fl_fiber fl_fiber;
typedef struct fl_fibers fl_fibers;

/** What keeps stacks between fibers; used by any threads at once. */
fl_status fl_fibers_new(fl_fibers **ret, fl_err *err);

/** All fibers have been put back; NULL does nothing. */
void fl_fibers_free(fl_fibers *fibers);

/** A fiber that will call fn(ctx), when it is run first. FL_ERR_MEMORY: the system has no room for a stack. */
fl_status fl_fiber_get(fl_fibers *fibers, void (*fn)(void *ctx), void *ctx, fl_fiber **ret, fl_err *err);

/** Gives back a fiber that has ended, or was never run. */
void fl_fiber_put(fl_fibers *fibers, fl_fiber *fiber);

/** Runs the fiber from where it is until it pauses (false) or ends (true). One thread at a time, which is on no fiber. */
bool fl_fiber_run(fl_fiber *fiber);

/** On the fiber: goes back to who runs it, and returns when it is run again. */
void fl_fiber_pause(fl_fiber *fiber);

#endif
