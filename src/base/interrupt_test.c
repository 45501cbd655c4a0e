/* Work that is interrupted gives nothing out: budgets, large regions that are cleared, copies, counted steps. */
#include "base/interrupt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>

static void test_deadline(void **state)
{
    (void)state;
    fl_interrupt interrupt = {0};
    assert_int_equal(fl_interrupt_check(NULL, NULL), FL_OK);
    fl_interrupt_begin(&interrupt);
    assert_int_equal(fl_interrupt_check(&interrupt, NULL), FL_OK);
    fl_interrupt_set_timeout(&interrupt, INT64_MAX); /* longer than the clock goes */
    assert_int_equal(fl_interrupt_check(&interrupt, NULL), FL_OK);
    fl_interrupt_set_timeout(&interrupt, 1);
    while (!fl_interrupt_is_late(&interrupt))
        ;
    assert_int_equal(fl_interrupt_check(&interrupt, NULL), FL_ERR_TIMEOUT);
    fl_interrupt_request(&interrupt); /* asking counts more */
    assert_int_equal(fl_interrupt_check(&interrupt, NULL), FL_ERR_CANCELLED);
    fl_interrupt_begin(&interrupt);
    assert_int_equal(fl_interrupt_check(&interrupt, NULL), FL_OK);
}

/* Work below a call hears what is asked of it, its deadline stands still between calls, and only the reason that was seen is told. */
static void test_below(void **state)
{
    (void)state;
    fl_interrupt call = {0}, work;
    fl_interrupt_begin(&call);
    fl_interrupt_set_timeout(&call, 3600000);
    fl_interrupt_begin_below(&work, &call);
    assert_int_equal(fl_interrupt_check(&work, NULL), FL_OK);
    int64_t left_ns = fl_interrupt_rest(&work);
    assert_true(left_ns > 0 && left_ns <= 3600000 * 1000000ll);
    fl_interrupt_request(&call); /* no call of the work is under way */
    assert_int_equal(fl_interrupt_check(&work, NULL), FL_OK);
    fl_interrupt_go_on(&work, left_ns);
    assert_int_equal(fl_interrupt_check(&work, NULL), FL_OK);
    fl_interrupt_request(&call);
    assert_int_equal(fl_interrupt_check(&work, NULL), FL_ERR_CANCELLED);
    fl_interrupt_go_on(&work, 0);
    while (!fl_interrupt_is_late(&work))
        ;
    assert_int_equal(fl_interrupt_check(&work, NULL), FL_ERR_TIMEOUT);
    (void)fl_interrupt_rest(&work);
    assert_int_equal(fl_interrupt_check(&work, NULL), FL_OK); /* it does not run while nobody is in a call */
    fl_interrupt_stop(&work);
    assert_int_equal(fl_interrupt_check(&work, NULL), FL_ERR_CANCELLED);
}

typedef struct ending_call {
    fl_interrupt *work;
    _Atomic bool ends;
} ending_call;

static void *look_on(void *ptr)
{
    ending_call *c = ptr;
    while (!atomic_load(&c->ends)) {
        fl_status st = fl_interrupt_check(c->work, NULL);
        assert_true(st == FL_OK || st == FL_ERR_TIMEOUT || st == FL_ERR_CANCELLED);
    }
    return NULL;
}

/* A helper looks while calls end: what it saw is what it tells, though it is true no more. */
static void test_calls_end_meanwhile(void **state)
{
    (void)state;
    fl_interrupt call = {0}, work;
    ending_call c = {.work = &work};
    pthread_t thread;
    fl_interrupt_begin(&call);
    fl_interrupt_begin_below(&work, &call);
    assert_int_equal(pthread_create(&thread, NULL, look_on, &c), 0);
    for (int32_t i = 0; i < 20000; i++) {
        fl_interrupt_go_on(&work, 0);
        fl_interrupt_request(&call);
        (void)fl_interrupt_rest(&work);
    }
    atomic_store(&c.ends, true);
    pthread_join(thread, NULL);
}

/* The n-th look finds a request, for all n: a block is whole or not there, and its bytes are not counted. */
static void test_allocations(void **state)
{
    (void)state;
    const int64_t bytes = 100ll << 20;
    fl_interrupt interrupt = {0};
    fl_memory memory;
    int64_t n = 1;
    fl_memory_init(&memory, NULL, "test", 0);
    memory.interrupt = &interrupt;
    for (bool was_struck = true; was_struck; n++) {
        void *block = &memory; /* stays as it is on failure */
        fl_interrupt_begin(&interrupt);
        fl_fault_arm(FL_FAULT_INTERRUPT, n);
        fl_status st = fl_alloc_zero(&memory, bytes, &block, NULL);
        was_struck = !fl_fault_is_armed(FL_FAULT_INTERRUPT);
        fl_fault_arm(FL_FAULT_INTERRUPT, 0);
        assert_int_equal(st, was_struck ? FL_ERR_CANCELLED : FL_OK);
        if (st != FL_OK) {
            assert_ptr_equal(block, &memory);
        } else {
            assert_int_equal(((const char *)block)[bytes - 1], 0);
            fl_free(block);
        }
        assert_int_equal(memory.used_bytes, 0);
    }
    assert_true(n > 3); /* more looks than the first */
}

static void test_steps(void **state)
{
    (void)state;
    fl_interrupt interrupt = {0};
    fl_memory memory = {.interrupt = &interrupt};
    fl_work work = fl_work_of(&memory);
    fl_interrupt_request(&interrupt);
    assert_int_equal(fl_work_add(&work, FL_WORK_STEPS - 1, NULL), FL_OK);
    assert_int_equal(fl_work_add(&work, 1, NULL), FL_ERR_CANCELLED);
    work = fl_work_of(NULL);
    assert_int_equal(fl_work_add(&work, FL_WORK_STEPS * 2, NULL), FL_OK);
    char *from = calloc(1, 64 << 20), *to = calloc(1, 64 << 20);
    from[(64 << 20) - 1] = 'x';
    work = fl_work_of(&memory);
    assert_int_equal(fl_work_copy(&work, to, from, 64 << 20, NULL), FL_ERR_CANCELLED);
    fl_interrupt_begin(&interrupt);
    assert_int_equal(fl_work_copy(&work, to, from, 64 << 20, NULL), FL_OK);
    assert_int_equal(to[(64 << 20) - 1], 'x');
    free(from);
    free(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_below), cmocka_unit_test(test_calls_end_meanwhile),
                                       cmocka_unit_test(test_deadline), cmocka_unit_test(test_allocations),
                                       cmocka_unit_test(test_steps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
