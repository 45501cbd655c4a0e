/* Fibers by ucontext, with one stack each that is used again. A fiber never ends for the system: behind a function it waits for the
 * next one, so that its context is made once. */
#include "base/fiber.h"

#include "base/memory.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define HAS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAS_TSAN 1
#endif
#endif
#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef HAS_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif

#define STACK_BYTES (8ll << 20)  /* as a thread's: of addresses, which cost nothing */
#define KEPT_BYTES (256ll << 10) /* of a stack that waits: what most work touches */
#define TRIM_USES 16             /* between looks whether it has more */
#define KEPT_MAX 64              /* stacks that wait */

struct fl_fiber {
    fl_fiber *next; /* that waits */
    uint8_t *memory;
    int64_t page_bytes; /* at the low end of memory, which nobody may touch */
    void (*fn)(void *ctx);
    void *ctx;
    bool has_ended;
    uint32_t uses;
    ucontext_t own, host; /* where it goes on, and who runs it */
#ifdef HAS_ASAN
    void *own_frames, *host_frames; /* frames that the sanitizer keeps apart from the stack */
    const void *host_stack;
    size_t host_bytes;
#endif
#ifdef HAS_TSAN
    void *own_tsan, *host_tsan;
#endif
#ifdef VALGRIND_STACK_REGISTER
    unsigned valgrind_id;
#endif
};

struct fl_fibers {
    pthread_mutex_t lock;
    fl_fiber *first; /* those that wait */
    int32_t n;
};

/* ---- switching ----------------------------------------------------------------------------------------------------- */

static void leave_host(fl_fiber *fiber)
{
#ifdef HAS_ASAN
    __sanitizer_start_switch_fiber(&fiber->host_frames, fiber->memory + fiber->page_bytes,
                                   (size_t)(STACK_BYTES - fiber->page_bytes));
#endif
#ifdef HAS_TSAN
    fiber->host_tsan = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(fiber->own_tsan, 0);
#endif
    (void)fiber;
}

static void enter_host(fl_fiber *fiber)
{
#ifdef HAS_ASAN
    __sanitizer_finish_switch_fiber(fiber->host_frames, NULL, NULL);
#endif
    (void)fiber;
}

static void leave_fiber(fl_fiber *fiber)
{
#ifdef HAS_ASAN
    __sanitizer_start_switch_fiber(&fiber->own_frames, fiber->host_stack, fiber->host_bytes);
#endif
#ifdef HAS_TSAN
    __tsan_switch_to_fiber(fiber->host_tsan, 0);
#endif
    (void)fiber;
}

static void enter_fiber(fl_fiber *fiber)
{
#ifdef HAS_ASAN
    __sanitizer_finish_switch_fiber(fiber->own_frames, &fiber->host_stack, &fiber->host_bytes);
#endif
    (void)fiber;
}

static void switch_context(ucontext_t *from, const ucontext_t *to)
{
#ifdef HAS_ASAN
    /* The sanitizer's swapcontext forgets what it knows of the whole stack that it goes to, and complains. */
    volatile bool is_back = false;
    (void)getcontext(from);
    if (!is_back) {
        is_back = true;
        (void)setcontext(to);
    }
#else
    (void)swapcontext(from, to);
#endif
}

/* Of its own, so that no caller keeps the address of what is a thread's (the compiler may take it for always the same). */
__attribute__((noinline)) static void go_to_host(fl_fiber *fiber)
{
    leave_fiber(fiber);
    switch_context(&fiber->own, &fiber->host);
    enter_fiber(fiber);
}

/* makecontext passes ints. */
static void serve(unsigned high, unsigned low)
{
    fl_fiber *fiber = (fl_fiber *)(uintptr_t)((uint64_t)high << 32 | low);
    enter_fiber(fiber);
    for (;;) {
        fiber->fn(fiber->ctx);
        fiber->has_ended = true;
        go_to_host(fiber);
    }
}

bool fl_fiber_run(fl_fiber *fiber)
{
    FL_ASSERT(!fiber->has_ended);
    /* The context brings the mask of signals along in which it was left: this thread's own is meant. */
    (void)pthread_sigmask(SIG_SETMASK, NULL, &fiber->own.uc_sigmask);
    leave_host(fiber);
    switch_context(&fiber->host, &fiber->own);
    enter_host(fiber);
    return fiber->has_ended;
}

void fl_fiber_pause(fl_fiber *fiber)
{
    FL_ASSERT((uint8_t *)__builtin_frame_address(0) > fiber->memory &&
              (uint8_t *)__builtin_frame_address(0) <= fiber->memory + STACK_BYTES);
    go_to_host(fiber);
}

/* ---- stacks -------------------------------------------------------------------------------------------------------- */

static void fiber_free(fl_fiber *fiber)
{
    if (fiber->memory != NULL) {
#ifdef VALGRIND_STACK_REGISTER
        VALGRIND_STACK_DEREGISTER(fiber->valgrind_id);
#endif
#ifdef HAS_ASAN
        __asan_unpoison_memory_region(fiber->memory, (size_t)STACK_BYTES);
#endif
#ifdef HAS_TSAN
        __tsan_destroy_fiber(fiber->own_tsan);
#endif
        (void)munmap(fiber->memory, (size_t)STACK_BYTES);
    }
    fl_free(fiber);
}

static fl_status fiber_new(fl_fiber **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_fiber *fiber = NULL;
    FL_TRY(fl_alloc_zero(NULL, (int64_t)sizeof(*fiber), (void **)&fiber, err));
    fiber->page_bytes = sysconf(_SC_PAGESIZE);
    void *memory = mmap(NULL, (size_t)STACK_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) {
        st = FL_FAIL(err, FL_ERR_MEMORY, "the system has no room for a stack of %lld MB", (long long)STACK_BYTES >> 20);
        goto cleanup;
    }
    fiber->memory = memory;
#ifdef HAS_TSAN
    fiber->own_tsan = __tsan_create_fiber(0);
#endif
#ifdef VALGRIND_STACK_REGISTER
    fiber->valgrind_id = VALGRIND_STACK_REGISTER(fiber->memory + fiber->page_bytes, fiber->memory + STACK_BYTES - 1);
#endif
    (void)madvise(memory, (size_t)STACK_BYTES, MADV_NOHUGEPAGE); /* the first page touched would be one of 2 MB */
    if (mprotect(memory, (size_t)fiber->page_bytes, PROT_NONE) != 0 || getcontext(&fiber->own) != 0) {
        st = FL_FAIL(err, FL_ERR_MEMORY, "the system makes no stack of its memory");
        goto cleanup;
    }
    fiber->own.uc_stack.ss_sp = fiber->memory + fiber->page_bytes;
    fiber->own.uc_stack.ss_size = (size_t)(STACK_BYTES - fiber->page_bytes);
    fiber->own.uc_link = NULL;
    makecontext(&fiber->own, (void (*)(void))serve, 2, (unsigned)((uint64_t)(uintptr_t)fiber >> 32),
                (unsigned)(uintptr_t)fiber);
    *ret = fiber;
    return FL_OK;
cleanup:
    if (fiber != NULL)
        fiber_free(fiber);
    return st;
}

fl_status fl_fibers_new(fl_fibers **ret, fl_err *err)
{
    fl_fibers *fibers = NULL;
    fl_status st = fl_alloc_zero(NULL, (int64_t)sizeof(*fibers), (void **)&fibers, err);
    if (st != FL_OK)
        return st;
    pthread_mutex_init(&fibers->lock, NULL);
    *ret = fibers;
    return FL_OK;
}

void fl_fibers_free(fl_fibers *fibers)
{
    if (fibers == NULL)
        return;
    while (fibers->first != NULL) {
        fl_fiber *fiber = fibers->first;
        fibers->first = fiber->next;
        fiber_free(fiber);
    }
    pthread_mutex_destroy(&fibers->lock);
    fl_free(fibers);
}

fl_status fl_fiber_get(fl_fibers *fibers, void (*fn)(void *ctx), void *ctx, fl_fiber **ret, fl_err *err)
{
    pthread_mutex_lock(&fibers->lock);
    fl_fiber *fiber = fibers->first;
    if (fiber != NULL) {
        fibers->first = fiber->next;
        fibers->n--;
    }
    pthread_mutex_unlock(&fibers->lock);
    fl_status st = fiber == NULL ? fiber_new(&fiber, err) : FL_OK;
    if (st != FL_OK)
        return st;
    fiber->next = NULL;
    fiber->fn = fn;
    fiber->ctx = ctx;
    fiber->has_ended = false;
    *ret = fiber;
    return FL_OK;
}

void fl_fiber_put(fl_fibers *fibers, fl_fiber *fiber)
{
    fiber->uses++;
    if (fiber->uses % TRIM_USES == 0) /* what went deep gives its pages back */
        (void)madvise(fiber->memory + fiber->page_bytes, (size_t)(STACK_BYTES - KEPT_BYTES - fiber->page_bytes),
                      MADV_DONTNEED);
    pthread_mutex_lock(&fibers->lock);
    bool is_kept = fibers->n < KEPT_MAX;
    if (is_kept) {
        fiber->next = fibers->first;
        fibers->first = fiber;
        fibers->n++;
    }
    pthread_mutex_unlock(&fibers->lock);
    if (!is_kept)
        fiber_free(fiber);
}
