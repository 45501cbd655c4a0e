/* Arrow streams whose values, counts and promises are not what their types say: refused with column and row, or read by
 * what is there. */
#include "store/arrow_stream.h"

#include "arrow_borrowed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROWS_MAX 8

static fl_memory memory;

/* A stream of one column in one batch or two; what is zero is as it should be. */
typedef struct stream {
    const char *format;
    const void *values;
    int64_t rows;
    const uint8_t *valid;
    const uint8_t *batch_valid;
    int64_t null_count;
    int64_t batch_nulls;
    bool is_required;
    fl_interrupt *interrupt;
    int batches; /* given out so far */
    int batches_max;
    struct ArrowSchema child_schema;
    struct ArrowSchema *schema_children[1];
    struct ArrowArray child;
    struct ArrowArray *children[1];
    const void *buffers[2];
    const void *batch_buffers[1];
} stream;

static int get_schema(struct ArrowArrayStream *self, struct ArrowSchema *ret)
{
    stream *s = self->private_data;
    s->child_schema = (struct ArrowSchema){
        .format = s->format, .name = "c", .flags = s->is_required ? 0 : ARROW_FLAG_NULLABLE, .release = release_schema};
    s->schema_children[0] = &s->child_schema;
    *ret = (struct ArrowSchema){
        .format = "+s", .n_children = 1, .children = s->schema_children, .release = release_schema};
    return 0;
}

static int get_next(struct ArrowArrayStream *self, struct ArrowArray *ret)
{
    stream *s = self->private_data;
    *ret = (struct ArrowArray){0};
    if (s->batches++ >= s->batches_max)
        return 0;
    s->buffers[0] = s->valid;
    s->buffers[1] = s->values;
    s->child = (struct ArrowArray){.length = s->rows,
                                   .null_count = s->null_count,
                                   .n_buffers = 2,
                                   .buffers = s->buffers,
                                   .release = release_array};
    s->children[0] = &s->child;
    s->batch_buffers[0] = s->batch_valid;
    *ret = (struct ArrowArray){.length = s->rows,
                               .null_count = s->batch_nulls,
                               .n_buffers = 1,
                               .buffers = s->batch_buffers,
                               .n_children = 1,
                               .children = s->children,
                               .release = release_array};
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *self)
{
    (void)self;
    return NULL;
}

static fl_status import(stream *s, fl_arrow_import *ret, fl_err *err)
{
    s->batches = 0;
    s->batches_max += s->batches_max == 0;
    struct ArrowArrayStream source = {.get_schema = get_schema,
                                      .get_next = get_next,
                                      .get_last_error = get_last_error,
                                      .release = release_stream,
                                      .private_data = s};
    *err = (fl_err){0};
    return fl_arrow_import_stream(&memory, s->interrupt, &source, ret, err);
}

/* It is refused, and the message has these words. */
static void check_refused(stream s, const char *words)
{
    fl_arrow_import got;
    fl_err err;
    assert_int_not_equal(import(&s, &got, &err), FL_OK);
    if (strstr(err.message, words) == NULL)
        print_error("%s: \"%s\" instead of \"%s\"\n", s.format, err.message, words);
    assert_non_null(strstr(err.message, words));
}

/* It is read, and the values of the given width are these. */
static void check_read(stream s, const void *wanted, int64_t bytes)
{
    fl_arrow_import got;
    fl_err err;
    fl_status st = import(&s, &got, &err);
    if (st != FL_OK)
        print_error("%s: %s\n", s.format, err.message);
    assert_int_equal(st, FL_OK);
    assert_int_equal(got.n_segments, s.batches_max);
    assert_int_equal(got.segments[0]->rows, s.rows);
    if (bytes > 0)
        assert_memory_equal(got.segments[0]->vecs[0].data, wanted, (size_t)bytes);
    fl_arrow_import_drop(&got);
}

static void refuses_values_out_of_range(void **state)
{
    (void)state;
    const int64_t day = 86400000;
    check_refused((stream){.format = "tdm", .values = (int64_t[]){0, day, (1LL << 31) * day}, .rows = 3}, "row 3");
    check_refused((stream){.format = "tdm", .values = (int64_t[]){0, -1}, .rows = 2},
                  "row 2 a date that is no whole day");
    check_refused((stream){.format = "ttu", .values = (int64_t[]){0, day * 1000 + 1}, .rows = 2}, "\"c\" has in row 2");
    check_refused((stream){.format = "ttu", .values = (int64_t[]){-1}, .rows = 1}, "row 1 a time beyond 24 hours");
    check_refused((stream){.format = "ttn", .values = (int64_t[]){1000, 1001}, .rows = 2},
                  "row 2 a time with nanoseconds");
    check_refused((stream){.format = "ttm", .values = (int32_t[]){0, 86400001}, .rows = 2}, "row 2");
    check_refused((stream){.format = "tts", .values = (int32_t[]){0, 86401}, .rows = 2}, "row 2");
    check_refused((stream){.format = "tss:", .values = (int64_t[]){0, INT64_MAX / 1000}, .rows = 2},
                  "row 2 a timestamp");
    check_refused((stream){.format = "tsm:UTC", .values = (int64_t[]){INT64_MIN / 2, 0}, .rows = 2},
                  "row 1 a timestamp");
    check_refused((stream){.format = "d:4,2", .values = (fl_i128[]){9999, 10000}, .rows = 2}, "row 2 a decimal");
    check_refused((stream){.format = "d:38,2", .values = (fl_i128[]){0, fl_pow10_i128[38]}, .rows = 2},
                  "row 2 a decimal");
    check_refused((stream){.format = "d:9,2,32", .values = (int32_t[]){1000000000}, .rows = 1}, "row 1 a decimal");
    check_refused((stream){.format = "d:50,2,256", .values = (fl_i128[]){1, 0, 5, 1}, .rows = 2}, "row 2 a decimal");
    check_refused((stream){.format = "d:50,45,256", .values = (fl_i128[]){1, 0}, .rows = 1}, "is not known");
    check_refused((stream){.format = "tdm", .values = (int64_t[]){1}, .rows = 1, .batches_max = 2}, "row 1");
}

static void reads_what_types_hold(void **state)
{
    (void)state;
    const int64_t day = 86400000;
    const uint8_t second_is_null = 0x05;
    check_read((stream){.format = "tdm", .values = (int64_t[]){-day, 0, day}, .rows = 3}, (int32_t[]){-1, 0, 1}, 12);
    check_read((stream){.format = "ttu", .values = (int64_t[]){0, day * 1000}, .rows = 2}, (int64_t[]){0, day * 1000},
               16);
    check_read((stream){.format = "ttn", .values = (int64_t[]){1000, 0}, .rows = 2}, (int64_t[]){1, 0}, 16);
    check_read((stream){.format = "tsu:", .values = (int64_t[]){INT64_MAX, INT64_MIN}, .rows = 2},
               (int64_t[]){INT64_MAX, INT64_MIN}, 16);
    check_read((stream){.format = "d:50,2,256", .values = (fl_i128[]){150, 0, -150, -1}, .rows = 2},
               (fl_i128[]){150, -150}, 32);
    check_read((stream){.format = "d:20,2,256", .values = (fl_i128[]){7, 0}, .rows = 1}, (fl_i128[]){7}, 16);
    check_read((stream){.format = "d:9,2,32", .values = (int32_t[]){-5, 5}, .rows = 2}, (int64_t[]){-5, 5}, 16);
    check_read((stream){.format = "d:18,2,64", .values = (int64_t[]){-5, 5}, .rows = 2}, (int64_t[]){-5, 5}, 16);
    check_read((stream){.format = "d:4,2",
                        .values = (fl_i128[]){1, 99999, 2},
                        .rows = 3,
                        .valid = &second_is_null,
                        .null_count = 1},
               NULL, 0);
    check_read(
        (stream){
            .format = "ttu", .values = (int64_t[]){1, -5, 2}, .rows = 3, .valid = &second_is_null, .null_count = -1},
        NULL, 0);
}

static void holds_nulls_against_their_bits(void **state)
{
    (void)state;
    const uint8_t second_is_null = 0x05, none_is_null = 0xFF;
    const int32_t values[] = {1, 2, 3};
    fl_arrow_import got;
    fl_err err;
    for (int64_t said = -1; said <= 3; said++) { /* whatever their number is said to be */
        stream s = {.format = "i",
                    .values = values,
                    .rows = 3,
                    .valid = &second_is_null,
                    .null_count = said,
                    .is_required = true};
        assert_int_equal(import(&s, &got, &err), FL_OK);
        assert_int_equal(got.segments[0]->nulls[0], 1);
        assert_false(fl_is_valid(got.segments[0]->vecs[0].valid, 1));
        assert_true(got.fields[0].nullable); /* a promise that was not kept */
        fl_arrow_import_drop(&got);
    }
    stream whole = {
        .format = "i", .values = values, .rows = 3, .valid = &none_is_null, .null_count = 2, .is_required = true};
    assert_int_equal(import(&whole, &got, &err), FL_OK);
    assert_null(got.segments[0]->vecs[0].valid);
    assert_false(got.fields[0].nullable);
    fl_arrow_import_drop(&got);
    check_refused((stream){.format = "i", .values = values, .rows = 3, .null_count = 1}, "nulls");
    check_refused((stream){.format = "i", .values = values, .rows = 3, .valid = &none_is_null, .null_count = 4},
                  "nulls");
    check_refused((stream){.format = "i", .values = values, .rows = 3, .batch_valid = &second_is_null},
                  "row 2 is null");
    check_refused((stream){.format = "i", .values = values, .rows = 3, .batch_nulls = 1}, "null");
    check_read((stream){.format = "i", .values = values, .rows = 3, .batch_valid = &none_is_null}, values, 12);
}

/* Whether columns come in order is asked of all rows of an array, however many. */
static void stops_in_the_middle_of_an_array(void **state)
{
    (void)state;
    enum { MANY = 200000 };
    int64_t *values = calloc(MANY, sizeof(*values));
    fl_interrupt interrupt = {.is_requested = false};
    fl_arrow_import got;
    fl_err err;
    assert_non_null(values);
    fl_fault_arm(FL_FAULT_INTERRUPT, 6); /* two looks are before and behind the array */
    assert_int_equal(
        import(&(stream){.format = "l", .values = values, .rows = MANY, .interrupt = &interrupt}, &got, &err),
        FL_ERR_CANCELLED);
    free(values);
}

static int set_up(void **state)
{
    (void)state;
    fl_memory_init(&memory, NULL, "test", INT64_MAX);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_values_out_of_range),
        cmocka_unit_test(reads_what_types_hold),
        cmocka_unit_test(holds_nulls_against_their_bits),
        cmocka_unit_test(stops_in_the_middle_of_an_array),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
