/* Text that arrives by Arrow is UTF-8 or refused with column and row, wherever it lies; and structs that lack what the interface
 * asks for are refused, whatever it is. */
#include "arrow/value.h"
#include "base/clock.h"
#include "store/arrow_stream.h"

#include "arrow_borrowed.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static fl_memory memory;

/* One column: its schema and array, and those of what is in it. Everything belongs to the test. */
typedef struct column {
    struct ArrowSchema schema;
    struct ArrowArray array;
    const void *buffers[3];
    struct ArrowSchema *schema_children[1];
    struct ArrowArray *children[1];
} column;

/* A stream of one batch of one column. */
typedef struct stream {
    column *column;
    struct ArrowSchema *schema_children[1];
    struct ArrowArray *children[1];
    const void *buffers[1];
    bool is_done;
    bool has_no_schema;
} stream;

static int get_schema(struct ArrowArrayStream *self, struct ArrowSchema *ret)
{
    stream *s = self->private_data;
    s->schema_children[0] = &s->column->schema;
    *ret = (struct ArrowSchema){
        .format = "+s", .n_children = 1, .children = s->schema_children, .release = release_schema};
    return s->has_no_schema ? EIO : 0;
}

static int get_next(struct ArrowArrayStream *self, struct ArrowArray *ret)
{
    stream *s = self->private_data;
    *ret = (struct ArrowArray){0};
    if (s->is_done)
        return 0;
    s->is_done = true;
    s->children[0] = &s->column->array;
    *ret = (struct ArrowArray){.length = s->column->array.length,
                               .n_buffers = 1,
                               .buffers = s->buffers,
                               .n_children = 1,
                               .children = s->children,
                               .release = release_array};
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *self)
{
    (void)self;
    return "no schema \xff";
}

static struct ArrowArrayStream stream_of(stream *s)
{
    return (struct ArrowArrayStream){.get_schema = get_schema,
                                     .get_next = get_next,
                                     .get_last_error = get_last_error,
                                     .release = release_stream,
                                     .private_data = s};
}

static fl_status import(column *col, fl_arrow_import *ret, fl_err *err)
{
    stream s = {.column = col};
    struct ArrowArrayStream source = stream_of(&s);
    *err = (fl_err){0};
    fl_status st = fl_arrow_import_stream(&memory, NULL, &source, ret, err);
    assert_null(source.release);
    return st;
}

static void check_refused(column *col, const char *sqlstate, const char *words)
{
    fl_arrow_import got;
    fl_err err;
    assert_int_not_equal(import(col, &got, &err), FL_OK);
    if (strstr(err.message, words) == NULL)
        print_error("\"%s\" instead of \"%s\"\n", err.message, words);
    assert_non_null(strstr(err.message, words));
    assert_string_equal(err.sqlstate, sqlstate);
}

static void fill(column *ret, const char *name, const char *format, int64_t rows, int64_t n_buffers,
                 const void *const *buffers)
{
    *ret = (column){.schema = {.format = format, .name = name, .flags = ARROW_FLAG_NULLABLE, .release = release_schema},
                    .array = {.length = rows, .null_count = -1, .n_buffers = n_buffers, .release = release_array}};
    for (int64_t i = 0; i < n_buffers; i++)
        ret->buffers[i] = buffers[i];
    ret->array.buffers = ret->buffers;
}

static void put_child(column *ret, column *child)
{
    ret->schema_children[0] = &child->schema;
    ret->children[0] = &child->array;
    ret->schema.n_children = ret->array.n_children = 1;
    ret->schema.children = ret->schema_children;
    ret->array.children = ret->children;
}

/* Three rows: "ab", what is given, "é". */
static void fill_text(column *ret, const char *name, const char *format, const char *middle, const uint8_t *valid)
{
    static int32_t narrow[4];
    static int64_t wide[4];
    static char chars[64];
    int32_t len = (int32_t)strlen(middle);
    memcpy(chars, "ab", 2);
    memcpy(chars + 2, middle, (size_t)len);
    memcpy(chars + 2 + len, "\xc3\xa9", 2);
    for (int i = 0; i < 4; i++)
        wide[i] = narrow[i] = (const int32_t[]){0, 2, 2 + len, 4 + len}[i];
    const void *offsets = format[0] == 'u' || format[0] == 'z' ? (const void *)narrow : wide;
    fill(ret, name, format, 3, 3, (const void *[]){valid, offsets, chars});
}

static void refuses_text_that_is_no_utf8(void **state)
{
    (void)state;
    static const char *const bad[] = {"\xff", "x\x80", "\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf5\x80\x80\x80"};
    static const char *const formats[] = {"u", "U"};
    static const uint8_t all = 0xFF;
    column c;
    for (int64_t i = 0; i < FL_LEN(bad); i++)
        for (int64_t f = 0; f < FL_LEN(formats); f++) {
            fill_text(&c, "t", formats[f], bad[i], f == 0 ? NULL : &all);
            check_refused(&c, "22021", "column \"t\" has in row 2 text that is no UTF-8: byte 0x");
        }
    /* two halves of one character are no texts */
    fill(&c, "t", "u", 2, 3, (const void *[]){NULL, (const int32_t[]){0, 2, 3}, "a\xc3\xa9"});
    check_refused(&c, "22021", "column \"t\" has in row 1 text that is no UTF-8: byte 0xc3 at offset 1");
    /* nobody says that bytes are text */
    fl_arrow_import got;
    fl_err err;
    fill_text(&c, "t", "z", "\xff", NULL);
    assert_int_equal(import(&c, &got, &err), FL_OK);
    fl_arrow_import_drop(&got);
    /* the last piece of a long text counts as the first does, and characters may lie across pieces */
    static char chars[3 * FL_WORK_STEPS];
    for (size_t i = 0; i + 2 < sizeof(chars); i += 3)
        memcpy(chars + i, "\xe2\x82\xac", 3);
    const int32_t offsets[] = {0, sizeof(chars)};
    fill(&c, "long", "u", 1, 3, (const void *[]){NULL, offsets, chars});
    assert_int_equal(import(&c, &got, &err), FL_OK);
    fl_arrow_import_drop(&got);
    chars[sizeof(chars) - 1] = 'x';
    check_refused(&c, "22021", "column \"long\" has in row 1 text");
}

static void names_the_row_of_nested_text(void **state)
{
    (void)state;
    column text, list, record, key;
    /* rows ["ab"], [], [bad, "é"] */
    fill_text(&text, "item", "u", "\xff", NULL);
    fill(&list, "tags", "+l", 3, 2, (const void *[]){NULL, (const int32_t[]){0, 1, 1, 3}});
    put_child(&list, &text);
    check_refused(&list, "22021", "column \"tags\" has in row 3 text");
    fill(&list, "tags", "+L", 2, 2, (const void *[]){NULL, (const int64_t[]){0, 2, 3}});
    put_child(&list, &text);
    check_refused(&list, "22021", "column \"tags\" has in row 1 text");
    /* a slice that leaves it out */
    fl_arrow_import got;
    fl_err err;
    list.array.offset = list.array.length = 1;
    assert_int_equal(import(&list, &got, &err), FL_OK);
    assert_int_equal(got.segments[0]->vecs[0].child_rows, 1);
    fl_arrow_import_drop(&got);
    fill_text(&text, "name", "U", "\xff", NULL);
    fill(&record, "person", "+s", 3, 1, (const void *[]){NULL});
    put_child(&record, &text);
    check_refused(&record, "22021", "column \"person.name\" has in row 2 text");
    fill(&list, "people", "+l", 1, 2, (const void *[]){NULL, (const int32_t[]){0, 3}});
    put_child(&list, &record);
    check_refused(&list, "22021", "column \"people.name\" has in row 1 text");
    fill_text(&text, "", "u", "\xff", NULL);
    fill(&key, "code", "c", 2, 2, (const void *[]){NULL, (const int8_t[]){0, 2}});
    key.schema.dictionary = &text.schema;
    key.array.dictionary = &text.array;
    check_refused(&key, "22021", "column \"code\" has in dictionary value 2 text");
    fill_text(&text, "n\xff", "u", "x", NULL);
    check_refused(&text, "22021", "name of Arrow column \"n?\" is no UTF-8");
    fill(&record, "r", "+s", 3, 1, (const void *[]){NULL});
    put_child(&record, &text);
    check_refused(&record, "22021", "name of Arrow column \"n?\" is no UTF-8");
    fill(&text, "t", "\xff", 1, 2, (const void *[]){NULL, &text});
    check_refused(&text, "42804", "Arrow type \"?\"");
}

/* What lies in rows that are null is nobody's business, but kernels may look at it. */
static void empties_null_rows(void **state)
{
    (void)state;
    static const uint8_t second_is_null = 0x05;
    fl_arrow_import got;
    fl_err err;
    column c;
    fill_text(&c, "t", "u", "\xff\xff", &second_is_null);
    assert_int_equal(import(&c, &got, &err), FL_OK);
    const fl_vec *vec = &got.segments[0]->vecs[0];
    assert_int_equal(got.segments[0]->nulls[0], 1);
    assert_memory_equal(fl_vec_str(vec, 0).data, "ab", 2);
    assert_int_equal(fl_vec_str(vec, 1).len, 0);
    assert_int_equal(fl_vec_str(vec, 2).len, 2);
    fl_arrow_import_drop(&got);
}

static void refuses_what_lacks_its_parts(void **state)
{
    (void)state;
    column text, list, record, c;
    fill_text(&text, "t", "u", "x", NULL);
    c = text;
    c.array.buffers = NULL;
    check_refused(&c, "XX001", "lacks buffers");
    c = text;
    c.array.n_buffers = -1;
    check_refused(&c, "XX001", "lacks buffers");
    c = text;
    c.buffers[1] = NULL, c.array.buffers = c.buffers;
    check_refused(&c, "XX001", "has no data");
    c = text;
    c.buffers[2] = NULL, c.array.buffers = c.buffers;
    check_refused(&c, "XX001", "has no characters");
    c = text;
    c.array.length = -1;
    check_refused(&c, "XX001", "rows");
    c = text;
    c.array.offset = INT64_MAX;
    check_refused(&c, "XX001", "shorter");
    c = text;
    c.array.release = NULL;
    check_refused(&c, "XX001", "released");
    c = text;
    c.schema.format = NULL;
    check_refused(&c, "42804", "Arrow type");
    fill(&list, "l", "+l", 3, 2, (const void *[]){NULL, (const int32_t[]){0, 1, 2, 3}});
    check_refused(&list, "42804", "Arrow type"); /* a list of nothing */
    put_child(&list, &text);
    c = list;
    c.array.children = NULL;
    check_refused(&c, "XX001", "lacks");
    c = list;
    c.children[0] = NULL, c.array.children = c.children;
    check_refused(&c, "XX001", "lacks");
    c = list;
    c.schema.children = NULL;
    check_refused(&c, "42804", "Arrow type");
    text.array.length = -1;
    check_refused(&list, "XX001", "length");
    text.array.length = 3;
    fill(&record, "r", "+s", 3, 1, (const void *[]){NULL});
    put_child(&record, &text);
    record.array.n_children = -1;
    check_refused(&record, "XX001", "lacks");
    record.array.n_children = 1;
    record.schema.n_children = -1;
    check_refused(&record, "42804", "Arrow type");
}

static void refuses_streams_that_lack_theirs(void **state)
{
    (void)state;
    fl_arrow_import got;
    fl_err err = {0};
    column text;
    fill_text(&text, "t", "u", "x", NULL);
    for (int lack = 0; lack < 5; lack++) {
        stream s = {.column = &text, .has_no_schema = lack == 4};
        struct ArrowArrayStream source = stream_of(&s);
        if (lack == 0)
            source.get_schema = NULL;
        else if (lack == 1)
            source.get_next = NULL;
        else if (lack == 2)
            source.get_last_error = NULL;
        else if (lack == 3)
            source.release = NULL;
        assert_int_equal(fl_arrow_import_stream(&memory, NULL, &source, &got, &err),
                         lack == 4 ? FL_ERR_IO : FL_ERR_CORRUPT);
        assert_null(source.release);
        assert_true(lack != 4 || strstr(err.message, "no schema ?") != NULL);
    }
}

static void stops_when_asked(void **state)
{
    (void)state;
    static char chars[4 * FL_WORK_STEPS];
    const int32_t offsets[] = {0, sizeof(chars)};
    fl_interrupt interrupt = {0};
    fl_arrow_import got;
    fl_err err = {0};
    column text;
    memset(chars, 'x', sizeof(chars));
    fill(&text, "t", "u", 1, 3, (const void *[]){NULL, offsets, chars});
    fl_interrupt_begin(&interrupt);
    for (int is_asked = 0; is_asked < 2; is_asked++) {
        stream s = {.column = &text};
        struct ArrowArrayStream source = stream_of(&s);
        if (is_asked)
            fl_interrupt_request(&interrupt);
        fl_status st = fl_arrow_import_stream(&memory, &interrupt, &source, &got, &err);
        assert_int_equal(st, is_asked ? FL_ERR_CANCELLED : FL_OK);
        assert_null(source.release);
        if (st == FL_OK)
            fl_arrow_import_drop(&got);
    }
}

static int set_up(void **state)
{
    (void)state;
    fl_memory_init(&memory, NULL, "test", 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return memory.used_bytes == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_text_that_is_no_utf8),
        cmocka_unit_test(names_the_row_of_nested_text),
        cmocka_unit_test(empties_null_rows),
        cmocka_unit_test(refuses_what_lacks_its_parts),
        cmocka_unit_test(refuses_streams_that_lack_theirs),
        cmocka_unit_test(stops_when_asked),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
