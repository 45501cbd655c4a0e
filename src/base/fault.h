/* Fault points: tests make the n-th allocation, open, read or write fail, or interrupt there, and see that nothing is lost or leaked.
 *
 * The only mutable global of the library, by design: a test owns the process while it counts. Off, a point costs one
 * relaxed load. */
#ifndef FL_BASE_FAULT_H
#define FL_BASE_FAULT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum fl_fault {
    FL_FAULT_ALLOC,
    FL_FAULT_OPEN,
    FL_FAULT_READ,
    FL_FAULT_WRITE,
    FL_FAULT_INTERRUPT, /* the n-th look at an interrupt finds a request, as those after it do */
    FL_FAULT_COUNT
} fl_fault;

/* Calls left until the point fails; 0 or less = off. */
extern _Atomic int64_t fl_fault_left[FL_FAULT_COUNT];

/** Lets the n-th call from now (1 = the next) of this kind fail, once; 0 switches off. */
void fl_fault_arm(fl_fault fault, int64_t n);

/** Whether an armed fault has not struck yet: the run passed untouched. */
bool fl_fault_is_armed(fl_fault fault);

static inline bool fl_fault_is_due(fl_fault fault)
{
    if (__builtin_expect(atomic_load_explicit(&fl_fault_left[fault], memory_order_relaxed) <= 0, 1))
        return false;
    return atomic_fetch_sub(&fl_fault_left[fault], 1) == 1;
}

#endif
