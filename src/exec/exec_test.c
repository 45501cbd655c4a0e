/* Runs of operators that are made up: one with more inputs than two, each of which becomes a pipeline of its own; and a graph that grows
 * while it runs. */
#include "exec/exec.h"
#include "plan/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define INPUTS 5

/* ---- numbers: one row with a number; append: the rows of all inputs, one input after the other ---- */

typedef struct number_attrs {
    int64_t number;
} number_attrs;

typedef struct number_source {
    fl_source base;
    bool is_done;
} number_source;

static const fl_attr_field number_fields[] = {
    {.name = "number", .kind = FL_FIELD_I64, .offset = offsetof(number_attrs, number)},
};

static int32_t derive_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan;
    (void)attrs;
    (void)inputs;
    ret[0] = (fl_col_id){1};
    return 1;
}

static fl_status run_number(fl_source *source, fl_worker *worker, void *local, fl_stage *to, bool *ret_any, fl_err *err)
{
    number_source *numbers = (number_source *)source;
    fl_vec vec;
    (void)local;
    *ret_any = !numbers->is_done;
    if (numbers->is_done)
        return FL_OK;
    numbers->is_done = true;
    fl_vec_set_const(&vec, FL_TYPE(FL_I64), &((const number_attrs *)source->node->attrs)->number);
    fl_batch batch = {.rows = 1, .cols = 1, .vec = &vec, .kept = 1};
    return fl_push(source->node, to, worker, &batch, err);
}

static const fl_source_ops number_source_ops = {.run = run_number};

static fl_status build_number(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    number_source *source = NULL;
    FL_TRY(fl_exec_add_source(exec, &number_source_ops, (int64_t)sizeof(*source), node, &source, err));
    source->base.workers_max = 1;
    st = fl_exec_add_pipeline(exec, &source->base, next, err);
cleanup:
    return st;
}

static fl_status build_append(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < node->n_inputs && st == FL_OK; i++)
        st = fl_exec_build(exec, node->inputs[i], next, err);
    return st;
}

static const fl_op_exec number_exec = {.build = build_number}, append_exec = {.build = build_append};

static const fl_op_desc number_op = {FL_DESC(fl_op_desc),
                                     .name = "number",
                                     .attr_bytes = sizeof(number_attrs),
                                     .fields = number_fields,
                                     .n_fields = FL_LEN(number_fields),
                                     .derive_cols = derive_cols,
                                     .exec = &number_exec};
static const fl_op_desc append_op = {FL_DESC(fl_op_desc), .name = "append", .n_inputs = -1, .derive_cols = derive_cols,
                                     .exec = &append_exec};

/* ---- what arrives ---- */

typedef struct list_stage {
    fl_stage base;
    int64_t *numbers;
    int32_t *n;
} list_stage;

static fl_status push_list(fl_stage *stage, fl_worker *worker, void *local, fl_batch *batch, fl_err *err)
{
    list_stage *list = (list_stage *)stage;
    (void)worker;
    (void)local;
    (void)err;
    assert_int_equal(batch->rows, 1);
    list->numbers[(*list->n)++] = *(const int64_t *)batch->vec[0].data;
    return FL_OK;
}

static const fl_stage_ops list_ops = {.what = "the list", .push = push_list};

static void test_five_inputs(void **state)
{
    fl_registry *registry = NULL;
    fl_plan *plan = NULL;
    fl_exec *exec = NULL;
    fl_workers *workers = NULL;
    list_stage *list = NULL;
    fl_col_id col;
    const fl_trait_set *traits = NULL;
    const fl_node *inputs[INPUTS], *root = NULL;
    int64_t numbers[INPUTS] = {0};
    int32_t n = 0;
    fl_memory memory;
    fl_session_state session = {.vector_rows = 2048, .threads = 1};
    fl_col_info info = {.name = FL_STR("number"), .type = FL_TYPE(FL_I64)};
    (void)state;
    fl_memory_init(&memory, NULL, "test", 0);
    assert_int_equal(fl_registry_new(&registry, NULL), FL_OK);
    assert_int_equal(fl_plan_new(NULL, registry, &plan, NULL), FL_OK);
    assert_int_equal(fl_workers_new(1, &workers, NULL), FL_OK);
    assert_int_equal(fl_plan_add_col(plan, &info, &col, NULL), FL_OK);
    assert_int_equal(fl_trait_with(plan, fl_trait_none(plan), &fl_trait_convention, FL_VECTORIZED, &traits, NULL),
                     FL_OK);
    for (int32_t i = 0; i < INPUTS; i++) {
        number_attrs attrs = {.number = i * i};
        assert_int_equal(fl_node_make(plan, &number_op, &attrs, traits, NULL, 0, NULL, 0, &inputs[i], NULL), FL_OK);
    }
    assert_int_equal(fl_node_make(plan, &append_op, NULL, traits, inputs, INPUTS, NULL, 0, &root, NULL), FL_OK);

    fl_exec_context context = {.plan = plan, .session = &session, .memory = &memory, .workers = workers};
    assert_int_equal(fl_exec_new(&context, &exec, NULL), FL_OK);
    assert_int_equal(fl_exec_add_stage(exec, &list_ops, (int64_t)sizeof(*list), NULL, NULL, &list, NULL), FL_OK);
    list->numbers = numbers;
    list->n = &n;
    assert_int_equal(fl_exec_build(exec, root, &list->base, NULL), FL_OK);
    assert_int_equal(fl_exec_run(exec, NULL), FL_OK);
    assert_int_equal(n, INPUTS);
    for (int32_t i = 0; i < INPUTS; i++)
        assert_int_equal(numbers[i], i * i);
    fl_exec_free(exec);
    fl_workers_free(workers);
    fl_plan_unref(plan);
    fl_registry_unref(registry);
}

/* ---- a graph that grows ---- */

#define ROUNDS 6

/* A sink whose finish adds a pipeline into itself's like, as rounds of a recursion do. */
typedef struct round_stage {
    fl_stage base;
    fl_exec *exec;
    const fl_node *number;
    list_stage *list;
    int32_t left;
    int64_t rows;
} round_stage;

static fl_status push_round(fl_stage *stage, fl_worker *worker, void *local, fl_batch *batch, fl_err *err)
{
    (void)worker;
    (void)local;
    (void)err;
    ((round_stage *)stage)->rows += batch->kept;
    return FL_OK;
}

static fl_status finish_round(fl_stage *stage, void *const *locals, int32_t n_locals, fl_err *err);

static const fl_stage_ops round_ops = {.what = "the round", .push = push_round, .finish = finish_round};

static fl_status finish_round(fl_stage *stage, void *const *locals, int32_t n_locals, fl_err *err)
{
    fl_status st = FL_OK;
    round_stage *round = (round_stage *)stage, *next = NULL;
    (void)locals;
    (void)n_locals;
    assert_int_equal(round->rows, 1);
    assert_int_equal(*round->list->n, 0); /* who waits for the first round waits for all that come of it */
    if (round->left == 0)
        return FL_OK;
    FL_TRY(fl_exec_add_stage(round->exec, &round_ops, (int64_t)sizeof(*next), NULL, NULL, &next, err));
    next->exec = round->exec;
    next->number = round->number;
    next->list = round->list;
    next->left = round->left - 1;
    FL_TRY(fl_exec_build(round->exec, round->number, &next->base, err));
    st = fl_exec_add_finish(round->exec, &next->base, err);
cleanup:
    return st;
}

static void test_graph_grows(void **state)
{
    fl_registry *registry = NULL;
    fl_plan *plan = NULL;
    fl_exec *exec = NULL;
    fl_workers *workers = NULL;
    list_stage *list = NULL;
    round_stage *round = NULL;
    number_source *source = NULL;
    fl_col_id col;
    const fl_trait_set *traits = NULL;
    const fl_node *node = NULL;
    number_attrs attrs = {.number = 7};
    int64_t numbers[INPUTS] = {0};
    int32_t n = 0;
    fl_memory memory;
    fl_session_state session = {.vector_rows = 2048, .threads = 2};
    fl_col_info info = {.name = FL_STR("number"), .type = FL_TYPE(FL_I64)};
    (void)state;
    fl_memory_init(&memory, NULL, "test", 0);
    assert_int_equal(fl_registry_new(&registry, NULL), FL_OK);
    assert_int_equal(fl_plan_new(NULL, registry, &plan, NULL), FL_OK);
    assert_int_equal(fl_workers_new(2, &workers, NULL), FL_OK);
    assert_int_equal(fl_plan_add_col(plan, &info, &col, NULL), FL_OK);
    assert_int_equal(fl_trait_with(plan, fl_trait_none(plan), &fl_trait_convention, FL_VECTORIZED, &traits, NULL),
                     FL_OK);
    assert_int_equal(fl_node_make(plan, &number_op, &attrs, traits, NULL, 0, NULL, 0, &node, NULL), FL_OK);
    fl_exec_context context = {.plan = plan, .session = &session, .memory = &memory, .workers = workers};
    assert_int_equal(fl_exec_new(&context, &exec, NULL), FL_OK);
    assert_int_equal(fl_exec_add_stage(exec, &list_ops, (int64_t)sizeof(*list), NULL, NULL, &list, NULL), FL_OK);
    list->numbers = numbers;
    list->n = &n;
    assert_int_equal(fl_exec_add_stage(exec, &round_ops, (int64_t)sizeof(*round), NULL, NULL, &round, NULL), FL_OK);
    round->exec = exec;
    round->number = node;
    round->list = list;
    round->left = ROUNDS;
    assert_int_equal(fl_exec_build(exec, node, &round->base, NULL), FL_OK);
    assert_int_equal(fl_exec_add_finish(exec, &round->base, NULL), FL_OK);
    assert_int_equal(fl_exec_add_source(exec, &number_source_ops, (int64_t)sizeof(*source), node, &source, NULL),
                     FL_OK);
    assert_int_equal(fl_exec_wait_for(exec, &source->base.waits, &round->base, NULL), FL_OK);
    assert_int_equal(fl_exec_add_pipeline(exec, &source->base, &list->base, NULL), FL_OK);
    assert_int_equal(fl_exec_run(exec, NULL), FL_OK);
    assert_int_equal(n, 1);
    assert_int_equal(exec->n_pipelines, ROUNDS + 2);
    fl_exec_free(exec);
    fl_workers_free(workers);
    fl_plan_unref(plan);
    fl_registry_unref(registry);
}

/* What goes to another sink may wait for the pipelines of one that is not finished. */
static void test_behind_feeders(void **state)
{
    fl_registry *registry = NULL;
    fl_plan *plan = NULL;
    fl_exec *exec = NULL;
    fl_workers *workers = NULL;
    list_stage *list = NULL, *other = NULL;
    number_source *source = NULL;
    fl_col_id col;
    const fl_trait_set *traits = NULL;
    const fl_node *inputs[INPUTS], *root = NULL;
    int64_t numbers[INPUTS] = {0};
    int32_t n = 0;
    fl_memory memory;
    fl_session_state session = {.vector_rows = 2048, .threads = 2};
    fl_col_info info = {.name = FL_STR("number"), .type = FL_TYPE(FL_I64)};
    (void)state;
    fl_memory_init(&memory, NULL, "test", 0);
    assert_int_equal(fl_registry_new(&registry, NULL), FL_OK);
    assert_int_equal(fl_plan_new(NULL, registry, &plan, NULL), FL_OK);
    assert_int_equal(fl_workers_new(2, &workers, NULL), FL_OK);
    assert_int_equal(fl_plan_add_col(plan, &info, &col, NULL), FL_OK);
    assert_int_equal(fl_trait_with(plan, fl_trait_none(plan), &fl_trait_convention, FL_VECTORIZED, &traits, NULL),
                     FL_OK);
    for (int32_t i = 0; i < INPUTS; i++) {
        number_attrs attrs = {.number = i};
        assert_int_equal(fl_node_make(plan, &number_op, &attrs, traits, NULL, 0, NULL, 0, &inputs[i], NULL), FL_OK);
    }
    assert_int_equal(fl_node_make(plan, &append_op, NULL, traits, inputs, INPUTS - 1, NULL, 0, &root, NULL), FL_OK);
    fl_exec_context context = {.plan = plan, .session = &session, .memory = &memory, .workers = workers};
    assert_int_equal(fl_exec_new(&context, &exec, NULL), FL_OK);
    assert_int_equal(fl_exec_add_stage(exec, &list_ops, (int64_t)sizeof(*list), NULL, NULL, &list, NULL), FL_OK);
    assert_int_equal(fl_exec_add_stage(exec, &list_ops, (int64_t)sizeof(*other), NULL, NULL, &other, NULL), FL_OK);
    list->numbers = other->numbers = numbers;
    list->n = other->n = &n;
    assert_int_equal(fl_exec_build(exec, root, &list->base, NULL), FL_OK);
    assert_int_equal(
        fl_exec_add_source(exec, &number_source_ops, (int64_t)sizeof(*source), inputs[INPUTS - 1], &source, NULL),
        FL_OK);
    assert_int_equal(fl_exec_wait_for_feeders(exec, &source->base.waits, &list->base, NULL), FL_OK);
    assert_int_equal(fl_exec_add_pipeline(exec, &source->base, &other->base, NULL), FL_OK);
    assert_int_equal(fl_exec_run(exec, NULL), FL_OK);
    assert_int_equal(n, INPUTS);
    for (int32_t i = 0; i < INPUTS; i++)
        assert_int_equal(numbers[i], i);
    fl_exec_free(exec);
    fl_workers_free(workers);
    fl_plan_unref(plan);
    fl_registry_unref(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_five_inputs), cmocka_unit_test(test_graph_grows),
                                       cmocka_unit_test(test_behind_feeders)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
