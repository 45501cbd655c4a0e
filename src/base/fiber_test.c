/* Fibers: they pause and go on, on any thread, with what is on their stacks; stacks are used again; signals stay the thread's. */
#include "base/fiber.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>

#define STEPS 100
#define FIBERS 200

typedef struct counting {
    fl_fiber *fiber;
    int32_t count;
    int32_t steps;
    int32_t faults; /* seen on the fiber, or by a thread that ran it */
} counting;

static void count(void *ctx)
{
    counting *c = ctx;
    char text[64]; /* on the stack, as is where it is */
    memset(text, c->steps & 127, sizeof(text));
    for (int32_t i = 0; i < c->steps; i++) {
        c->count++;
        fl_fiber_pause(c->fiber);
        for (size_t b = 0; b < sizeof(text); b++)
            c->faults += text[b] != (c->steps & 127);
    }
}

static fl_fibers *new_fibers(void)
{
    fl_fibers *fibers = NULL;
    assert_int_equal(fl_fibers_new(&fibers, NULL), FL_OK);
    return fibers;
}

static void test_pauses_and_goes_on(void **state)
{
    (void)state;
    fl_fibers *fibers = new_fibers();
    counting all[FIBERS] = {0};
    for (int32_t i = 0; i < FIBERS; i++) {
        all[i].steps = STEPS + i % 7;
        assert_int_equal(fl_fiber_get(fibers, count, &all[i], &all[i].fiber, NULL), FL_OK);
    }
    for (int32_t step = 0; step < STEPS; step++) /* all in turn */
        for (int32_t i = 0; i < FIBERS; i++) {
            assert_false(fl_fiber_run(all[i].fiber));
            assert_int_equal(all[i].count, step + 1);
        }
    for (int32_t i = 0; i < FIBERS; i++) {
        int32_t rest = 0;
        while (!fl_fiber_run(all[i].fiber))
            rest++;
        assert_int_equal(rest, i % 7);
        assert_int_equal(all[i].faults, 0);
        fl_fiber_put(fibers, all[i].fiber);
    }
    fl_fibers_free(fibers);
}

static void test_stacks_are_used_again(void **state)
{
    (void)state;
    fl_fibers *fibers = new_fibers();
    fl_fiber *first = NULL;
    for (int32_t i = 0; i < 1000; i++) {
        counting c = {.steps = i % 3};
        assert_int_equal(fl_fiber_get(fibers, count, &c, &c.fiber, NULL), FL_OK);
        first = i == 0 ? c.fiber : first;
        assert_ptr_equal(c.fiber, first);
        while (i % 5 != 0 && !fl_fiber_run(c.fiber)) /* some are never run */
            ;
        fl_fiber_put(fibers, c.fiber);
    }
    fl_fibers_free(fibers);
}

static void *run_once(void *ptr)
{
    counting *c = ptr;
    sigset_t mask, seen;
    sigemptyset(&mask);
    sigaddset(&mask, c->count % 2 == 0 ? SIGUSR1 : SIGUSR2);
    (void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
    bool has_ended = fl_fiber_run(c->fiber);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &seen);
    c->faults += sigismember(&seen, SIGUSR1) != sigismember(&mask, SIGUSR1);
    c->faults += sigismember(&seen, SIGUSR2) != sigismember(&mask, SIGUSR2);
    return has_ended ? ptr : NULL;
}

/* On the fiber: the signals that are kept out are those of the thread. */
static void look_at_signals(void *ctx)
{
    counting *c = ctx;
    while (c->count < STEPS) {
        sigset_t seen;
        (void)pthread_sigmask(SIG_SETMASK, NULL, &seen);
        c->faults += sigismember(&seen, SIGUSR1) != (c->count % 2 == 0);
        c->faults += sigismember(&seen, SIGUSR2) != (c->count % 2 == 1);
        c->count++;
        fl_fiber_pause(c->fiber);
    }
}

static void test_goes_on_on_other_threads(void **state)
{
    (void)state;
    fl_fibers *fibers = new_fibers();
    counting c = {0};
    assert_int_equal(fl_fiber_get(fibers, look_at_signals, &c, &c.fiber, NULL), FL_OK);
    for (int32_t step = 0; step <= STEPS; step++) {
        pthread_t thread;
        void *has_ended = NULL;
        assert_int_equal(pthread_create(&thread, NULL, run_once, &c), 0);
        assert_int_equal(pthread_join(thread, &has_ended), 0);
        assert_int_equal(has_ended != NULL, step == STEPS);
    }
    assert_int_equal(c.faults, 0);
    fl_fiber_put(fibers, c.fiber);
    fl_fibers_free(fibers);
}

/* Some megabytes of stack, as a thread has them. */
static int64_t go_deep(int32_t levels, counting *c)
{
    volatile char room[1024];
    memset((void *)room, levels & 127, sizeof(room));
    if (levels == 0)
        fl_fiber_pause(c->fiber);
    int64_t below = levels > 0 ? go_deep(levels - 1, c) : 0;
    return below + (room[levels & 1023] == (levels & 127));
}

static void dive(void *ctx)
{
    counting *c = ctx;
    c->count = (int32_t)go_deep(c->steps, c);
}

static void test_stacks_are_deep(void **state)
{
    (void)state;
    fl_fibers *fibers = new_fibers();
    for (int32_t round = 0; round < 3; round++) {
        counting c = {.steps = 3000};
        assert_int_equal(fl_fiber_get(fibers, dive, &c, &c.fiber, NULL), FL_OK);
        assert_false(fl_fiber_run(c.fiber));
        assert_true(fl_fiber_run(c.fiber));
        assert_int_equal(c.count, c.steps + 1);
        fl_fiber_put(fibers, c.fiber);
    }
    fl_fibers_free(fibers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pauses_and_goes_on),
        cmocka_unit_test(test_stacks_are_used_again),
        cmocka_unit_test(test_goes_on_on_other_threads),
        cmocka_unit_test(test_stacks_are_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
