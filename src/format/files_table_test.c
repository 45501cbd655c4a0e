/* R9: files that change between the opening of a table and the end of its scan, for every reader: the rows are those of
 * the file as it was opened, or the scan fails and says that it changed. Never other rows, never a signal. */
#include "format/files_table.h"

#include "table_rows.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PARQUET "test/data/parquet/row_groups.parquet"
#define RECORDS 400

extern const fl_format_desc fl_format_csv, fl_format_json, fl_format_parquet;

static fl_memory memory;

typedef struct bytes {
    char *data;
    int64_t len;
} bytes;

/* A file on disk that a test opens and then changes. */
typedef struct subject {
    const fl_format_desc *format;
    bytes content;
    bytes other; /* as long, with other rows */
    char path[64];
} subject;

typedef enum change { REWRITTEN, TRUNCATED, EMPTIED, GROWN, REPLACED, REMOVED, CHANGES } change;

/* ---- files ---- */

static void write_file(const char *path, const bytes *content)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, content->data, (size_t)content->len, 0), content->len);
    assert_int_equal(ftruncate(fd, content->len), 0);
    close(fd);
}

/* The file was last written a while ago: what is written in the same tick of the clock cannot be told apart. */
static void make_old(const char *path)
{
    const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void apply(const subject *s, change what)
{
    char beside[80];
    snprintf(beside, sizeof(beside), "%s.new", s->path);
    switch (what) {
    case REWRITTEN:
        write_file(s->path, &s->other);
        break;
    case TRUNCATED:
        assert_int_equal(truncate(s->path, s->content.len / 2), 0);
        break;
    case EMPTIED:
        assert_int_equal(truncate(s->path, 0), 0);
        break;
    case GROWN:
        assert_int_equal(truncate(s->path, s->content.len + 100), 0);
        break;
    case REPLACED: /* the table keeps the file that it opened */
        write_file(beside, &s->other);
        assert_int_equal(rename(beside, s->path), 0);
        break;
    case REMOVED:
        assert_int_equal(unlink(s->path), 0);
        break;
    case CHANGES:
        break;
    }
}

static bytes load(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    bytes b = {.len = ftell(file)};
    rewind(file);
    b.data = malloc((size_t)b.len);
    assert_non_null(b.data);
    assert_int_equal(fread(b.data, 1, (size_t)b.len, file), b.len);
    fclose(file);
    return b;
}

/* Records that are as long whatever the digit is. */
static bytes make_text(const char *head, const char *record, const char *tail, int digit)
{
    fl_text text;
    fl_text_init(&text, NULL);
    fl_text_add(&text, fl_str_of(head));
    for (int i = 0; i < RECORDS; i++)
        fl_text_addf(&text, record, i > 0 && tail[0] != 0 ? "," : "", 1000 + i, digit);
    fl_text_add(&text, fl_str_of(tail));
    bytes b = {malloc((size_t)text.len), text.len};
    assert_non_null(b.data);
    memcpy(b.data, text.data, (size_t)text.len);
    fl_text_drop(&text);
    return b;
}

static subject subject_new(const fl_format_desc *format, bytes content, bytes other)
{
    subject s = {.format = format, .content = content, .other = other, .path = "/tmp/fletch-changing-XXXXXX"};
    assert_int_equal(content.len, other.len);
    int fd = mkstemp(s.path);
    assert_true(fd >= 0);
    close(fd);
    return s;
}

static void subject_drop(subject *s)
{
    unlink(s->path);
    free(s->content.data);
    free(s->other.data);
}

/* ---- scans ---- */

typedef struct moment {
    const subject *subject;
    change what;
    int64_t batch; /* after which it happens */
    bool has_happened;
} moment;

static void after_batch(void *ctx, int64_t batches)
{
    moment *m = ctx;
    if (batches != m->batch)
        return;
    apply(m->subject, m->what);
    m->has_happened = true;
}

/* Opens the subject, scans it, and lets it change after a batch; negative: before the first. */
static fl_status scan_changing(const subject *s, moment *m, fl_text *ret, fl_err *err)
{
    fl_table *table = NULL;
    fl_str path = fl_str_of(s->path);
    table_rows rows = {.text = ret};
    table_scan how = {.rows_max = 64, .piece_bytes = 900, .after_batch = after_batch, .ctx = m};
    write_file(s->path, &s->content);
    make_old(s->path);
    assert_int_equal(s->format->open(&memory, &path, 1, NULL, 0, &table, NULL), FL_OK);
    if (m->batch < 0)
        after_batch(m, m->batch);
    fl_text_clear(ret);
    fl_status st = table_scan_rows(table, &how, &memory, &rows, err);
    fl_table_unref(table);
    return st;
}

static bool has_prefix(const fl_text *text, const fl_text *prefix)
{
    return prefix->len == 0 || fl_str_has_prefix(fl_text_str(text), fl_text_str(prefix));
}

/* Every change at every moment of the scan. */
static void check_changes(const subject *s)
{
    fl_text whole, text;
    fl_text_init(&whole, NULL);
    fl_text_init(&text, NULL);
    moment never = {.subject = s, .what = CHANGES, .batch = INT64_MAX};
    assert_int_equal(scan_changing(s, &never, &whole, NULL), FL_OK);
    assert_true(whole.len > 0);
    for (change what = 0; what < CHANGES; what++) {
        bool keeps_file = what == REPLACED || what == REMOVED;
        moment m = {.subject = s, .what = what, .batch = -1, .has_happened = true};
        for (; m.has_happened; m.batch++) {
            fl_err err = {0};
            m.has_happened = false;
            fl_status st = scan_changing(s, &m, &text, &err);
            assert_true(has_prefix(&whole, &text));
            if (st == FL_OK) {
                assert_int_equal(text.len, whole.len);
                assert_true(keeps_file || m.batch >= 0);
            } else {
                assert_false(keeps_file);
                assert_int_equal(st, FL_ERR_IO);
                assert_non_null(strstr(err.message, "changed while it was read"));
                assert_non_null(strstr(err.message, s->path));
            }
        }
        assert_true(m.batch > 4); /* there were several moments */
    }
    fl_text_drop(&whole);
    fl_text_drop(&text);
}

static void csv_files_may_change(void **state)
{
    (void)state;
    const char *record = "%s%d,%d,a text\n";
    subject s =
        subject_new(&fl_format_csv, make_text("n,digit,t\n", record, "", 1), make_text("n,digit,t\n", record, "", 2));
    check_changes(&s);
    subject_drop(&s);
}

static void ndjson_files_may_change(void **state)
{
    (void)state;
    const char *record = "%s{\"n\": %d, \"digit\": %d}\n";
    subject s = subject_new(&fl_format_json, make_text("", record, "", 1), make_text("", record, "", 2));
    check_changes(&s);
    subject_drop(&s);
}

static void json_arrays_may_change(void **state)
{
    (void)state;
    const char *record = "%s{\"n\": %d, \"digit\": %d}\n";
    subject s = subject_new(&fl_format_json, make_text("[", record, "]", 1), make_text("[", record, "]", 2));
    check_changes(&s);
    subject_drop(&s);
}

static void parquet_files_may_change(void **state)
{
    (void)state;
    bytes content = load(PARQUET), other = load(PARQUET);
    for (int64_t i = 4; i < other.len / 2; i++) /* pages: the footer stays */
        other.data[i] ^= 1;
    subject s = subject_new(&fl_format_parquet, content, other);
    check_changes(&s);
    subject_drop(&s);
}

static int leaves_no_memory(void **state)
{
    (void)state;
    return memory.used_bytes == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(csv_files_may_change, leaves_no_memory),
        cmocka_unit_test_teardown(ndjson_files_may_change, leaves_no_memory),
        cmocka_unit_test_teardown(json_arrays_may_change, leaves_no_memory),
        cmocka_unit_test_teardown(parquet_files_may_change, leaves_no_memory),
    };
    fl_memory_init(&memory, NULL, "test", 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
