/* Results that are kept for a dictionary's values: a dictionary of results has an identity of its own, by which readers keep theirs. */
#include "exec/eval.h"
#include "plan/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS 64
#define SMALL 4
#define LARGE 20

/* same(text): what it is given. It may fail, so it is called for values alone that rows have which are asked for. */
static fl_status same(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_view(call)[row] = fl_vec_view(&call->args[0], row);
    return FL_OK;
}

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "same", .doc = "same(x): x", .traits = FL_PURE | FL_NULL_GIVES_NULL | FL_CAN_FAIL,
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_UTF8), FL_UTF8, 0, same}}, .n_overloads = 1},
};
FL_FUNC_SET(same, funcs);

/* A column of a dictionary with so many values, "a", "b" …; row i has value i % values. */
typedef struct column {
    fl_view views[LARGE];
    char letters[LARGE];
    uint32_t codes[ROWS];
    fl_vec values, vec;
} column;

static void make_column(column *c, int32_t values)
{
    for (int32_t i = 0; i < values; i++) {
        c->letters[i] = (char)('a' + i);
        c->views[i] = fl_view_of(&c->letters[i], 1);
    }
    for (int32_t i = 0; i < ROWS; i++)
        c->codes[i] = (uint32_t)(i % values);
    fl_vec_set_flat(&c->values, FL_TYPE(FL_UTF8), c->views, NULL);
    c->vec = (fl_vec){.type = FL_TYPE(FL_UTF8),
                      .layout = FL_DICT,
                      .width = 4,
                      .data = c->codes,
                      .child = &c->values,
                      .child_rows = values,
                      .dict_id = fl_dict_id_new()};
}

/* The values of both expressions for a batch of the column; all rows are null where `valid` has no bit. */
static void evaluate(fl_eval *eval, fl_arena *heap, column *c, const uint64_t *valid, fl_vec ret[2])
{
    c->vec.valid = valid;
    fl_batch batch = {.rows = ROWS, .cols = 1, .vec = &c->vec, .kept = ROWS};
    fl_eval_begin(eval, &batch, heap);
    for (int32_t i = 0; i < 2; i++) {
        assert_int_equal(fl_eval_value(eval, i, NULL, &ret[i], NULL), FL_OK);
        assert_int_equal(ret[i].layout, FL_DICT);
        assert_int_equal(ret[i].child_rows, c->vec.child_rows);
        for (int32_t row = 0; row < ROWS && valid == NULL; row++) {
            fl_str text = fl_vec_str(&ret[i], row);
            assert_int_equal(text.len, 1);
            assert_int_equal(text.data[0], c->letters[row % c->vec.child_rows]);
        }
    }
}

static void test_identity_of_results(void **state)
{
    (void)state;
    static const uint64_t none[1];
    fl_registry *registry = NULL;
    fl_plan *plan = NULL;
    fl_program *program = NULL;
    fl_eval *eval = NULL;
    fl_memory memory;
    fl_arena arena, heap;
    fl_col_id col;
    fl_col_info info = {.name = FL_STR("t"), .type = FL_TYPE(FL_UTF8)};
    fl_session_state session = {.vector_rows = ROWS, .threads = 1};
    const fl_expr *column_of = NULL, *exprs[2];
    column small, large;
    fl_vec before[2], after[2];
    fl_memory_init(&memory, NULL, "test", 0);
    fl_arena_init(&arena, NULL);
    fl_arena_init(&heap, NULL);
    assert_int_equal(fl_registry_new(&registry, NULL), FL_OK);
    assert_int_equal(fl_registry_add_funcs(registry, &fl_func_set_same, NULL), FL_OK);
    assert_int_equal(fl_plan_new(NULL, registry, &plan, NULL), FL_OK);
    assert_int_equal(fl_plan_add_col(plan, &info, &col, NULL), FL_OK);
    assert_int_equal(fl_expr_column(plan, col, -1, &column_of, NULL), FL_OK);
    assert_int_equal(fl_expr_call(plan, FL_STR("same"), &column_of, 1, -1, &exprs[0], NULL), FL_OK);
    assert_int_equal(fl_expr_call(plan, FL_STR("same"), &exprs[0], 1, -1, &exprs[1], NULL), FL_OK);
    assert_int_equal(fl_program_new(&arena, plan, &session, exprs, 2, &col, 1, &program, NULL), FL_OK);
    assert_int_equal(fl_eval_new(program, &memory, ROWS, &eval, NULL), FL_OK);
    make_column(&small, SMALL);
    make_column(&large, LARGE);
    evaluate(eval, &heap, &small, NULL, before);
    evaluate(eval, &heap, &small, NULL, after);
    assert_int_equal(before[0].dict_id, after[0].dict_id); /* nothing was added: what readers keep is right still */
    evaluate(eval, &heap, &large, none, after);            /* of another, of which no value is asked for yet */
    assert_int_not_equal(before[0].dict_id, after[0].dict_id);
    assert_int_not_equal(before[1].dict_id, after[1].dict_id);
    evaluate(eval, &heap, &large, NULL, after);
    evaluate(eval, &heap, &small, NULL, after);
    fl_eval_free(eval);
    fl_plan_unref(plan);
    fl_registry_unref(registry);
    fl_arena_drop(&heap);
    fl_arena_drop(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity_of_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
