/* The counters behind base/fault.h. */
#include "base/fault.h"

_Atomic int64_t fl_fault_left[FL_FAULT_COUNT];

void fl_fault_arm(fl_fault fault, int64_t n)
{
    atomic_store(&fl_fault_left[fault], n);
}

bool fl_fault_is_armed(fl_fault fault)
{
    return atomic_load(&fl_fault_left[fault]) > 0;
}
