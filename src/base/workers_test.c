/* The pool: pieces are done once each, jobs share helpers by weight, and a short one does not wait for a long one. */
#include "base/workers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#define PIECES 10000

typedef struct counts {
    _Atomic int32_t done[PIECES];
    int32_t fails_at; /* -1: none does */
} counts;

static fl_status count(void *ctx, int32_t i, fl_err *err)
{
    counts *c = ctx;
    atomic_fetch_add(&c->done[i], 1);
    return i == c->fails_at ? FL_FAIL(err, FL_ERR_VALUE, "piece %d", i) : FL_OK;
}

static void test_each_piece_once(void **state)
{
    (void)state;
    fl_workers *workers = NULL;
    assert_int_equal(fl_workers_new(4, &workers, NULL), FL_OK);
    for (int32_t threads = 1; threads <= 8; threads *= 2) {
        counts c = {.fails_at = -1};
        assert_int_equal(fl_workers_each(workers, threads, PIECES, count, &c, NULL, NULL), FL_OK);
        for (int32_t i = 0; i < PIECES; i++)
            assert_int_equal(c.done[i], 1);
    }
    counts c = {.fails_at = 17};
    fl_err err = {0};
    assert_int_equal(fl_workers_each(workers, 4, PIECES, count, &c, NULL, &err), FL_ERR_VALUE);
    assert_string_equal(err.message, "piece 17");
    assert_int_equal(fl_workers_each(workers, 4, 0, count, &c, NULL, &err), FL_OK);
    assert_int_equal(fl_workers_each(NULL, 4, 3, count, &c, NULL, &err), FL_OK);
    fl_workers_free(workers);
}

/* A job without an end, whose helpers count the time that they gave. */
typedef struct endless {
    fl_job job;
    _Atomic bool stops;
    _Atomic int64_t turns;
} endless;

static void help(fl_job *job, int32_t worker, const fl_job_turn *turn)
{
    endless *e = (endless *)job;
    assert_in_range(worker, 1, job->workers_max - 1);
    atomic_fetch_add(&e->turns, 1);
    while (!atomic_load(&e->stops) && !fl_job_shall_leave(turn))
        ;
    if (atomic_load(&e->stops))
        fl_job_call(job, 0);
}

static void begin(endless *e, fl_workers *workers, int32_t weight)
{
    *e = (endless){0};
    fl_job_init(&e->job, workers, 2, weight, help);
    fl_job_call(&e->job, 1);
}

static void end(endless *e)
{
    atomic_store(&e->stops, true);
    fl_job_end(&e->job);
}

/* One thread, two jobs without an end: both get turns, the heavy one many times those of the light one. */
static void test_weights(void **state)
{
    (void)state;
    fl_workers *workers = NULL;
    endless query, background;
    fl_workers_counts got;
    assert_int_equal(fl_workers_new(2, &workers, NULL), FL_OK);
    begin(&background, workers, FL_JOB_WEIGHT_BACKGROUND);
    begin(&query, workers, FL_JOB_WEIGHT);
    while (atomic_load(&background.turns) < 5)
        ;
    assert_true(atomic_load(&query.turns) > 3 * atomic_load(&background.turns));
    end(&query);
    end(&background);
    fl_workers_count(workers, &got);
    assert_true(got.turns_cut > 0);
    assert_int_equal(got.sleeps_beside_work, 0);
    fl_workers_free(workers);
}

/* Loops end though every thread of the pool is with a job that never does. */
static void test_nobody_waits(void **state)
{
    (void)state;
    fl_workers *workers = NULL;
    endless other;
    counts c = {.fails_at = -1};
    assert_int_equal(fl_workers_new(2, &workers, NULL), FL_OK);
    begin(&other, workers, FL_JOB_WEIGHT);
    assert_int_equal(fl_workers_each(workers, 2, PIECES, count, &c, NULL, NULL), FL_OK);
    end(&other);
    fl_workers_free(workers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_piece_once), cmocka_unit_test(test_weights),
                                       cmocka_unit_test(test_nobody_waits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
