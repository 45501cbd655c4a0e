/* What holds a scan's rows to the order that its table claims: neighbours in a batch, where batches and morsels meet, whichever
 * morsel is done first; with masks, several keys, nulls. */
#include "op/scan/order_check.h"

#include "op/scan/node.h"
#include "plan/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROWS_MAX 16
#define N_COLS 2

/* ---- a table that claims an order ---- */

static const fl_field table_fields[N_COLS] = {{.name = FL_STR("a"), .type = FL_TYPE(FL_I32), .nullable = true},
                                              {.name = FL_STR("b"), .type = FL_TYPE(FL_I32), .nullable = true}};
static const fl_table_order_key order_keys[] = {{.col = 0}, {.col = 1, .is_descending = true, .nulls_first = true}};
static const fl_table_order order = {.keys = order_keys, .n_keys = 2, .is_claimed = true};

static int32_t orders(fl_table *table, const fl_table_order **ret)
{
    (void)table;
    *ret = &order;
    return 1;
}

static void free_nothing(fl_table *table)
{
    (void)table;
}

static const fl_table_ops table_ops = {.orders = orders, .free = free_nothing};

static void place(const fl_scan *scan, int64_t morsel, fl_text *text)
{
    (void)scan;
    fl_text_addf(text, "piece %d", (int)morsel);
}

static const fl_scan_ops scan_ops = {.place = place};

/* ---- */

typedef struct fixture {
    fl_memory memory;
    fl_registry *registry;
    fl_plan *plan;
    fl_table table;
    fl_scan scan;
    fl_exec exec; /* as much of a run as the check looks at */
    fl_order_check *check;
    fl_order_check_worker *workers[2];
    fl_err err;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    f = (fixture){
        .scan = {.ops = &scan_ops},
        .table = {.ops = &table_ops, .refs = 1, .name = FL_STR("t"), .fields = table_fields, .n_cols = N_COLS}};
    fl_memory_init(&f.memory, NULL, "test", 0);
    assert_int_equal(fl_registry_new(&f.registry, NULL), FL_OK);
    assert_int_equal(fl_registry_add_trait(f.registry, &fl_trait_ordering, NULL), FL_OK);
    assert_int_equal(fl_registry_add_op(f.registry, &fl_op_scan, NULL), FL_OK);
    assert_int_equal(fl_registry_seal(f.registry, NULL), FL_OK);
    assert_int_equal(fl_plan_new(&f.memory, f.registry, &f.plan, NULL), FL_OK);
    fl_arena_init(&f.exec.arena, &f.memory);
    f.exec.plan = f.exec.context.plan = f.plan;
    f.exec.context.memory = &f.memory;
    *state = &f;
    return 0;
}

/* Checks the first n keys of the order. */
static void begin(fixture *f, int32_t n_keys)
{
    const fl_node *node = NULL;
    const fl_trait_set *traits = NULL;
    fl_ordering whole;
    int32_t value = 0;
    assert_int_equal(fl_scan_build(f->plan, &f->table, &node, NULL), FL_OK);
    assert_int_equal(fl_scan_order(f->plan, node, &order, &whole, NULL), FL_OK);
    assert_int_equal(fl_ordering_make(f->plan, whole.keys, n_keys, &value, NULL), FL_OK);
    assert_int_equal(fl_trait_with(f->plan, node->traits, &fl_trait_ordering, value, &traits, NULL), FL_OK);
    assert_int_equal(fl_node_with_traits(f->plan, node, traits, &node, NULL), FL_OK);
    assert_true(fl_scan_checks_order(node));
    assert_int_equal(fl_order_check_new(&f->exec, node, &f->check, NULL), FL_OK);
    for (int32_t w = 0; w < 2; w++)
        assert_int_equal(fl_order_check_worker_new(f->check, &f->memory, &f->workers[w], NULL), FL_OK);
}

static void end(fixture *f)
{
    for (int32_t w = 0; w < 2; w++)
        fl_order_check_worker_free(f->workers[w]);
    fl_order_check_drop(f->check);
    f->check = NULL;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    fl_arena_drop(&f->exec.arena);
    fl_plan_unref(f->plan);
    fl_registry_unref(f->registry);
    assert_int_equal(f->memory.used_bytes, 0);
    return 0;
}

/* A batch: a digit a row of each column, a dot is null. `mask` (may be NULL): rows with an x are wanted. */
static fl_status add(fixture *f, int32_t worker, int64_t morsel, const char *a, const char *b, const char *mask)
{
    int32_t values[N_COLS][ROWS_MAX], n = (int32_t)strlen(a), kept = n;
    uint64_t valid[N_COLS] = {0}, wanted = 0;
    const char *digits[N_COLS] = {a, b};
    fl_vec vecs[N_COLS];
    for (int32_t c = 0; c < N_COLS; c++) {
        for (int32_t i = 0; i < n; i++) {
            values[c][i] = digits[c][i] == '.' ? -7 : digits[c][i] - '0';
            fl_bit_put(&valid[c], i, digits[c][i] != '.');
        }
        fl_vec_set_flat(&vecs[c], FL_TYPE(FL_I32), values[c], &valid[c]);
    }
    for (int32_t i = 0; i < n && mask != NULL; i++) {
        fl_bit_put(&wanted, i, mask[i] == 'x');
        kept -= mask[i] != 'x';
    }
    fl_batch batch = {.rows = n, .cols = N_COLS, .vec = vecs, .kept = kept, .mask = mask != NULL ? &wanted : NULL};
    f->err = (fl_err){0};
    return fl_order_check_rows(f->workers[worker], &batch, &f->scan, morsel, &f->err);
}

static fl_status end_morsel(fixture *f, int32_t worker, int64_t morsel)
{
    f->err = (fl_err){0};
    return fl_order_check_end(f->workers[worker], &f->scan, morsel, &f->err);
}

static void assert_batch(fixture *f, int32_t n_keys, const char *a, const char *b, const char *mask, fl_status wanted)
{
    begin(f, n_keys);
    assert_int_equal(add(f, 0, 0, a, b, mask), wanted);
    end(f);
}

static void test_neighbours_in_a_batch(void **state)
{
    fixture *f = *state;
    assert_batch(f, 1, "11239..", "1234567", NULL, FL_OK);
    assert_batch(f, 1, "11293", "11111", NULL, FL_ERR_CORRUPT);
    assert_batch(f, 1, ".123", "1111", NULL, FL_ERR_CORRUPT); /* nulls are last */
    assert_batch(f, 1, "1.23", "1111", NULL, FL_ERR_CORRUPT);
    assert_batch(f, 2, "111122", ".531.1", NULL, FL_OK); /* the second key begins anew */
    assert_batch(f, 2, "1111", ".513", NULL, FL_ERR_CORRUPT);
    assert_batch(f, 2, "1111", "53.1", NULL, FL_ERR_CORRUPT); /* and has its nulls first */
}

/* Rows that nobody wants may stand anywhere. */
static void test_masks(void **state)
{
    fixture *f = *state;
    assert_batch(f, 1, "91.23", "11111", "-x-xx", FL_OK);
    assert_batch(f, 1, "91.23", "11111", "xx-xx", FL_ERR_CORRUPT);
    assert_batch(f, 2, "1111", "5913", "x-x-", FL_OK);
    assert_batch(f, 2, "1111", "5913", "x--x", FL_OK);
    assert_batch(f, 2, "1111", "5913", "--xx", FL_ERR_CORRUPT);
}

static void test_batches_of_a_morsel_meet(void **state)
{
    fixture *f = *state;
    begin(f, 1);
    assert_int_equal(add(f, 0, 4, "123", "111", NULL), FL_OK);
    assert_int_equal(add(f, 0, 4, "3", "1", NULL), FL_OK);
    assert_int_equal(add(f, 1, 5, "1", "1", NULL), FL_OK); /* another worker's morsel */
    assert_int_equal(add(f, 0, 4, "29", "11", "-x"), FL_OK);
    assert_int_equal(add(f, 0, 4, "89", "11", NULL), FL_ERR_CORRUPT);
    assert_non_null(strstr(f->err.message, "piece 4"));
    assert_non_null(strstr(f->err.message, "\"a\""));
    end(f);
}

/* Morsels that hold the rows from `first` to `last`, done in the order of their digits in `done`; FL_OK where they are in order. */
static fl_status morsels(fixture *f, const char *const *rows, const char *done)
{
    fl_status st = FL_OK;
    begin(f, 1);
    for (int32_t i = 0; done[i] != 0 && st == FL_OK; i++) {
        const char *a = rows[done[i] - '0'];
        if (*a != 0)
            assert_int_equal(add(f, i % 2, done[i] - '0', a, a, NULL), FL_OK);
        st = end_morsel(f, i % 2, done[i] - '0');
    }
    end(f);
    return st;
}

static void test_morsels_meet(void **state)
{
    fixture *f = *state;
    static const char *const ways[] = {"0123", "3210", "0321", "2031", "1302"};
    static const char *const good[] = {"12", "23", "", "34."}, *const bad[] = {"12", "29", "", "34"};
    static const char *const null_before[] = {"1.", "", "", "34"};
    for (int64_t w = 0; w < FL_LEN(ways); w++) {
        assert_int_equal(morsels(f, good, ways[w]), FL_OK);
        assert_int_equal(morsels(f, bad, ways[w]), FL_ERR_CORRUPT);
        assert_non_null(strstr(f->err.message, "piece 3"));
        assert_int_equal(morsels(f, null_before, ways[w]), FL_ERR_CORRUPT);
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_neighbours_in_a_batch),
        TEST(test_masks),
        TEST(test_batches_of_a_morsel_meet),
        TEST(test_morsels_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
