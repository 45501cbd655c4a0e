/* A large partition is worked on by all workers: what one of them puts out waits for what another does, and comes. What the functions give
 * is tested through SQL. */
#include "base/workers.h"
#include "exec/exec.h"
#include "op/window/large.h"
#include "plan/registry.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#define ROWS 1000000
#define MORSEL_ROWS 2048
#define WAIT_SECONDS 20
#define WORKERS 2

/* ---- a node of as many rows ----------------------------------------------------------------------------------------- */

typedef struct numbers_source {
    fl_source base;
    _Atomic int64_t next;
} numbers_source;

static int32_t derive_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan, (void)attrs, (void)inputs;
    ret[0] = (fl_col_id){1};
    return 1;
}

static fl_status run_numbers(fl_source *base, fl_worker *worker, void *local, fl_stage *to, bool *ret_any, fl_err *err)
{
    int64_t numbers[MORSEL_ROWS + 8], start = atomic_fetch_add(&((numbers_source *)base)->next, MORSEL_ROWS);
    int32_t n = start < ROWS ? (int32_t)(ROWS - start < MORSEL_ROWS ? ROWS - start : MORSEL_ROWS) : 0;
    fl_vec vec;
    (void)local;
    *ret_any = n > 0;
    worker->morsel = start / MORSEL_ROWS;
    fl_arena_reset(&worker->arena);
    for (int32_t i = 0; i < n; i++)
        numbers[i] = (start + i) * 7919 % ROWS; /* each number once */
    fl_vec_set_flat(&vec, FL_TYPE(FL_I64), numbers, NULL);
    fl_batch batch = {.rows = n, .cols = 1, .vec = &vec, .kept = n};
    return fl_push(base->node, to, worker, &batch, err);
}

static const fl_source_ops numbers_ops = {.run = run_numbers};

static fl_status build_numbers(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    numbers_source *source = NULL;
    fl_status st = fl_exec_add_source(exec, &numbers_ops, (int64_t)sizeof(*source), node, &source, err);
    return st == FL_OK ? fl_exec_add_pipeline(exec, &source->base, next, err) : st;
}

static const fl_op_exec numbers_exec = {.build = build_numbers};
static const fl_op_desc numbers_op = {FL_DESC(fl_op_desc), .name = "numbers", .derive_cols = derive_cols,
                                      .exec = &numbers_exec};

/* ---- where workers meet --------------------------------------------------------------------------------------------- */

typedef struct meeting {
    fl_stage base;
    pthread_mutex_t lock;
    pthread_cond_t came;
    int64_t rows[WORKERS];
    int64_t sum;
    bool waits; /* the first batch of the first worker waits for one of another's */
} meeting;

static fl_status push(fl_stage *base, fl_worker *worker, void *local, fl_batch *batch, fl_err *err)
{
    meeting *m = (meeting *)base;
    struct timespec until;
    (void)local, (void)err;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_SECONDS;
    pthread_mutex_lock(&m->lock);
    m->rows[worker->id] += batch->kept;
    for (int32_t i = 0; i < batch->rows; i++)
        m->sum += ((const int64_t *)batch->vec[1].data)[i] - ((const int64_t *)batch->vec[0].data)[i];
    pthread_cond_broadcast(&m->came);
    while (m->waits && m->rows[1 - worker->id] == 0)
        m->waits = pthread_cond_timedwait(&m->came, &m->lock, &until) == 0;
    pthread_mutex_unlock(&m->lock);
    return FL_OK;
}

static const fl_stage_ops meeting_ops = {.what = "the meeting", .push = push};

/* ---- the test ------------------------------------------------------------------------------------------------------- */

static void run_window(int32_t threads, bool waits, int64_t ret_rows[WORKERS])
{
    fl_memory memory;
    fl_registry *registry = NULL;
    fl_plan *plan = NULL;
    fl_workers *workers = NULL;
    fl_exec *exec = NULL;
    meeting *m = NULL;
    fl_col_id col, number;
    const fl_trait_set *traits = NULL;
    const fl_node *input = NULL, *node = NULL;
    const fl_expr *key = NULL;
    fl_session_state session = {.vector_rows = 2048, .threads = threads};
    fl_col_info info = {.name = FL_STR("number"), .type = FL_TYPE(FL_I64)};
    fl_frame frame = {.unit = FL_FRAME_ROWS, .start = FL_FRAME_UNBOUNDED_PRECEDING, .end = FL_FRAME_CURRENT_ROW};
    fl_memory_init(&memory, NULL, "test", 0);
    assert_int_equal(fl_registry_new(&registry, NULL), FL_OK);
    assert_int_equal(fl_plan_new(&memory, registry, &plan, NULL), FL_OK);
    assert_int_equal(fl_workers_new(WORKERS, &workers, NULL), FL_OK);
    assert_int_equal(fl_plan_add_col(plan, &info, &col, NULL), FL_OK);
    assert_int_equal(fl_plan_add_col(plan, &info, &number, NULL), FL_OK);
    assert_int_equal(fl_trait_with(plan, fl_trait_none(plan), &fl_trait_convention, FL_VECTORIZED, &traits, NULL),
                     FL_OK);
    assert_int_equal(fl_node_make(plan, &numbers_op, NULL, traits, NULL, 0, NULL, 0, &input, NULL), FL_OK);
    assert_int_equal(fl_expr_column(plan, input->cols[0], -1, &key, NULL), FL_OK);
    fl_sort_key order = {.expr = key};
    fl_agg row_number = {
        .agg = fl_window_find(FL_STR("row_number")), .frame = &frame, .type = FL_TYPE(FL_I64), .out = number};
    fl_window_attrs attrs = {.n_order = 1, .order = &order, .n_functions = 1, .functions = &row_number, .limit = -1};
    assert_int_equal(fl_node_make(plan, &fl_op_window, &attrs, traits, &input, 1, NULL, 0, &node, NULL), FL_OK);
    fl_exec_context context = {.plan = plan, .session = &session, .memory = &memory, .workers = workers};
    assert_int_equal(fl_exec_new(&context, &exec, NULL), FL_OK);
    assert_int_equal(fl_exec_add_stage(exec, &meeting_ops, (int64_t)sizeof(*m), NULL, NULL, &m, NULL), FL_OK);
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->came, NULL);
    m->waits = waits;
    assert_int_equal(fl_exec_build(exec, node, &m->base, NULL), FL_OK);
    assert_int_equal(fl_exec_run(exec, NULL), FL_OK);
    assert_int_equal(m->sum, ROWS); /* the number of a row is one above it */
    memcpy(ret_rows, m->rows, sizeof(m->rows));
    pthread_mutex_destroy(&m->lock);
    pthread_cond_destroy(&m->came);
    fl_exec_free(exec);
    fl_workers_free(workers);
    fl_plan_unref(plan);
    fl_registry_unref(registry);
    assert_int_equal(memory.used_bytes, 0);
}

static void test_one_worker(void **state)
{
    int64_t rows[WORKERS];
    (void)state;
    run_window(1, false, rows);
    assert_int_equal(rows[0], ROWS);
}

static void test_two_workers_in_one_partition(void **state)
{
    int64_t rows[WORKERS];
    (void)state;
    run_window(2, true, rows);
    assert_int_equal(rows[0] + rows[1], ROWS);
    assert_true(rows[0] > 0 && rows[1] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_worker),
        cmocka_unit_test(test_two_workers_in_one_partition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
