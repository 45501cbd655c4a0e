/* What a loop that waits for another thread does in each round. */
#ifndef FL_BASE_SPIN_H
#define FL_BASE_SPIN_H

/** Tells the processor that nothing is to be gained by hurrying. */
static inline void fl_spin_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory"); /* `yield` is no pause on most cores */
#endif
}

#endif
