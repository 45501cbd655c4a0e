/* Who is told to spill: the largest where memory is short for all, and each whose own next batch might not fit. */
#include "exec/spill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define MB 1000000
#define LIMIT (12 * MB) /* a sixth of it, 2 MB, is kept for what cannot be written */

typedef struct fixture {
    fl_memory memory;
    fl_exec exec; /* as much of a run as holders look at */
    fl_spill_holder one, other;
} fixture;

/* Two holders of a run, in whose budget `used` bytes are taken. */
static void open_fixture(fixture *f, int64_t limit, int64_t used)
{
    *f = (fixture){.exec.context.memory = &f->memory};
    fl_memory_init(&f->memory, NULL, "query", limit);
    assert_int_equal(fl_memory_charge(&f->memory, used, NULL), FL_OK);
    fl_spill_register(&f->exec, &f->one);
    fl_spill_register(&f->exec, &f->other);
}

/* A holder looks after a batch that made it grow to so much. */
static bool grow(fixture *f, fl_spill_holder *holder, int64_t bytes)
{
    assert_int_equal(fl_memory_charge(&f->memory, bytes - atomic_load(&holder->bytes), NULL), FL_OK);
    return fl_spill_is_due(&f->exec, holder, bytes);
}

static void without_a_limit_nobody_spills(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f, 0, 0);
    assert_false(fl_spill_is_possible(&f.exec));
    assert_false(grow(&f, &f.one, 4000LL * MB));
}

static void the_largest_spills_where_it_could_not_grow_by_half(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f, LIMIT, 0);
    for (int64_t bytes = MB / 10; bytes <= 6 * MB;
         bytes += MB / 10) /* 6 + 3 + 2 of 12 MB, and little for one more batch */
        assert_false(grow(&f, &f.one, bytes));
    assert_true(grow(&f, &f.one, 7 * MB));
    fl_spill_gave_back(&f.one);
    fl_memory_charge(&f.memory, -7LL * MB, NULL);
    assert_false(grow(&f, &f.one, MB));
}

static void the_largest_leaves_the_others_room_for_a_batch(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f, LIMIT, 0);
    assert_false(grow(&f, &f.other, 2 * MB)); /* in one batch: it may take as much again before it looks */
    assert_false(grow(&f, &f.one, MB));
    assert_false(grow(&f, &f.one, 2 * MB));
    assert_false(grow(&f, &f.one, 3 * MB));
    assert_true(grow(&f, &f.one, 5 * MB)); /* leaves 5: less than 2.5 + 2 + 2 */
}

static void a_smaller_one_spills_where_its_next_batch_might_not_fit(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f, LIMIT, 3 * MB);
    assert_true(grow(&f, &f.one, 4 * MB));   /* it is told so, and writes for a while */
    assert_true(grow(&f, &f.other, 3 * MB)); /* leaves 2: less than 3 + 2 */
    fl_spill_gave_back(&f.other);
    fl_memory_charge(&f.memory, -3LL * MB, NULL);
    assert_false(fl_spill_is_due(&f.exec, &f.other, MB / 100)); /* too little to write */
}

static void those_that_ended_ask_for_no_room(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f, LIMIT, 0);
    assert_false(grow(&f, &f.other, 2 * MB));
    fl_spill_ended(&f.other);
    for (int64_t bytes = MB; bytes <= 4 * MB; bytes += MB)
        assert_false(grow(&f, &f.one, bytes)); /* leaves 6 in the end: 2 + 2 */
    assert_true(grow(&f, &f.one, 6 * MB));     /* leaves 4: less than 3 + 2 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_limit_nobody_spills),
        cmocka_unit_test(the_largest_spills_where_it_could_not_grow_by_half),
        cmocka_unit_test(the_largest_leaves_the_others_room_for_a_batch),
        cmocka_unit_test(a_smaller_one_spills_where_its_next_batch_might_not_fit),
        cmocka_unit_test(those_that_ended_ask_for_no_room),
    };
    return cmocka_run_group_tests_name("exec/spill", tests, NULL, NULL);
}
