/* Records of the caller's as tables: values and nulls of each kind, at odd offsets; what is wrong with a description or a value;
 * who reads, when they are released, and by several threads at once. Arrays are as large as they must be, so that sanitizers see a read
 * past their ends. */
#include "fletch/records.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

typedef struct fixture {
    fl_engine *engine;
    fl_session *session;
    int released;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    fl_err err = {0};
    f.released = 0;
    assert_int_equal(fl_engine_open(NULL, &f.engine, &err), FL_OK);
    assert_int_equal(fl_session_open(f.engine, &f.session, &err), FL_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    fl_session_close(f->session);
    fl_engine_close(f->engine);
    return 0;
}

static int64_t only_value(struct ArrowArrayStream *rows)
{
    struct ArrowArray batch = {0};
    if (rows->get_next(rows, &batch) != 0)
        fail_msg("%s", rows->get_last_error(rows));
    assert_non_null(batch.release);
    assert_int_equal(batch.length, 1);
    int64_t value = ((const int64_t *)batch.children[0]->buffers[1])[0];
    batch.release(&batch);
    rows->release(rows);
    return value;
}

static int64_t ask(fl_session *session, const char *sql)
{
    struct ArrowArrayStream rows;
    fl_err err = {0};
    if (fl_session_query(session, sql, &rows, &err) != FL_OK)
        fail_msg("%s: %s", sql, err.message);
    return only_value(&rows);
}

/* Whether a condition holds for all rows of a query. */
static void assert_all(fixture *f, const char *from, const char *condition)
{
    char sql[1024];
    (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s WHERE (%s) IS NOT TRUE", from, condition);
    if (ask(f->session, sql) != 0)
        fail_msg("%s does not hold in %s", condition, from);
}

/* The error of a query, wherever it comes. */
static fl_status fault(fixture *f, const char *sql, fl_err *ret)
{
    struct ArrowArrayStream rows;
    struct ArrowArray batch = {0};
    fl_status st = fl_session_query(f->session, sql, &rows, ret);
    if (st != FL_OK)
        return st;
    while (rows.get_next(&rows, &batch) == 0 && batch.release != NULL)
        batch.release(&batch);
    st = fl_stream_error(&rows, ret);
    rows.release(&rows);
    return st;
}

static void count_release(void *owner)
{
    (*(int *)owner)++;
}

#pragma pack(push, 1)
/* Packed, so that nothing lies as its type would. */
typedef struct record {
    uint8_t flags; /* bit 0: i32 is there; bit 7: f64 is null */
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    float f32;
    double f64;
    bool truth, truth_is_null;
    int64_t price;
    __int128 wide;
    int32_t day;
    int64_t time, at_us, at_s;
    const char *text;
    const char *sized;
    uint16_t sized_bytes;
    char code[5];
    uint8_t raw[3];
} record;
#pragma pack(pop)

#define AT(member) .offset = (int64_t)offsetof(record, member)

static const fl_record_field fields[] = {
    {.name = "i8", .type = "tinyint", AT(i8)},
    {.name = "i16", .type = "smallint", AT(i16), .nulls = FL_RECORD_NULL_VALUE, .null_value = -1},
    {.name = "i32", .type = "integer", AT(i32), .nulls = FL_RECORD_VALID_BIT, .null_offset = 0, .null_bit = 0},
    {.name = "i64", .type = "bigint", AT(i64)},
    {.name = "u8", .type = "utinyint", AT(u8)},
    {.name = "u16", .type = "usmallint", AT(u16)},
    {.name = "u32", .type = "uinteger", AT(u32)},
    {.name = "u64", .type = "ubigint", AT(u64)},
    {.name = "f32", .type = "real", AT(f32), .nulls = FL_RECORD_NULL_NAN},
    {.name = "f64", .type = "double", AT(f64), .nulls = FL_RECORD_NULL_BIT, .null_offset = 0, .null_bit = 7},
    {.name = "truth",
     .type = "boolean",
     AT(truth),
     .nulls = FL_RECORD_NULL_BYTE,
     .null_offset = offsetof(record, truth_is_null)},
    {.name = "price", .type = "decimal(12, 2)", AT(price)},
    {.name = "wide", .type = "decimal(30,0)", AT(wide)},
    {.name = "day", .type = "date", AT(day)},
    {.name = "time", .type = "time", AT(time)},
    {.name = "at_us", .type = "timestamp", AT(at_us)},
    {.name = "at_s", .type = "timestamp(0)", AT(at_s)},
    {.name = "text", .type = "text", AT(text)},
    {.name = "sized",
     .type = "text",
     AT(sized),
     .text = FL_RECORD_TEXT_SIZED,
     .length_bytes = 2,
     .length_offset = offsetof(record, sized_bytes)},
    {.name = "code", .type = "varchar", AT(code), .text = FL_RECORD_TEXT_ARRAY, .length_bytes = 5},
    {.name = "raw", .type = "bytea", AT(raw), .text = FL_RECORD_TEXT_ARRAY, .length_bytes = 3},
};

static const char *const texts[] = {"", "a", "twelve bytes", "a text of more than twelve bytes", NULL};

static record *make_records(int64_t n)
{
    record *all = malloc((size_t)n * sizeof(*all));
    assert_non_null(all);
    for (int64_t i = 0; i < n; i++) {
        all[i] = (record){.flags = (uint8_t)((i % 3 != 0) | (i % 5 == 0) << 7 | 0x42),
                          .i8 = (int8_t)(i % 100 - 50),
                          .i16 = (int16_t)(i % 7 - 1),
                          .i32 = (int32_t)(i * 3),
                          .i64 = i,
                          .u8 = (uint8_t)(i % 256),
                          .u16 = (uint16_t)(65535 - i % 1000),
                          .u32 = (uint32_t)(4000000000u + i),
                          .u64 = UINT64_MAX - (uint64_t)i,
                          .f32 = i % 4 == 0 ? NAN : (float)(i % 1000) / 4,
                          .f64 = (double)i / 8,
                          .truth = i % 2 == 0,
                          .truth_is_null = i % 11 == 0,
                          .price = i * 100 + 25,
                          .wide = (__int128)i * 1000000000000ll * 1000000,
                          .day = (int32_t)(i % 1000),
                          .time = i % 86400 * 1000000,
                          .at_us = i * 1000001,
                          .at_s = i,
                          .text = texts[i % 5],
                          .sized = "abcdefghijklmnopqrstuvwxyz",
                          .sized_bytes = (uint16_t)(i % 27)};
        memcpy(all[i].code, "12345", (size_t)(i % 6));
        memset(all[i].raw, (int)(i % 3), 3);
    }
    return all;
}

static fl_records describe(fixture *f, const record *all, int64_t n)
{
    return (fl_records){.size = sizeof(fl_records),
                        .data = all,
                        .rows = n,
                        .stride = sizeof(record),
                        .fields = fields,
                        .n_fields = sizeof(fields) / sizeof(fields[0]),
                        .release = count_release,
                        .owner = &f->released};
}

static void register_all(fixture *f, const char *name, const fl_records *records)
{
    fl_err err = {0};
    if (fl_session_register_records(f->session, name, records, false, &err) != FL_OK)
        fail_msg("%s", err.message);
}

static void test_values(void **state)
{
    static const char *const hold[] = {
        "i8 = i64 % 100 - 50",
        "i16 IS NOT DISTINCT FROM nullif(i64 % 7 - 1, -1)",
        "i32 IS NOT DISTINCT FROM CASE WHEN i64 % 3 <> 0 THEN i64 * 3 END",
        "u8 = i64 % 256 AND u16 = 65535 - i64 % 1000 AND u32 = 4000000000 + i64",
        "u64::decimal(20, 0) = 18446744073709551615 - i64",
        "f32 IS NOT DISTINCT FROM CASE WHEN i64 % 4 <> 0 THEN (i64 % 1000)::real / 4 END",
        "f64 IS NOT DISTINCT FROM CASE WHEN i64 % 5 <> 0 THEN i64::double / 8 END",
        "truth IS NOT DISTINCT FROM CASE WHEN i64 % 11 <> 0 THEN i64 % 2 = 0 END",
        "price = i64 + 0.25 AND wide = i64::decimal(30, 0) * 1000000000000000000",
        "day = date '1970-01-01' + (i64 % 1000)::integer",
        "time = time '00:00:00' + interval '1 second' * (i64 % 86400)",
        "at_us = timestamp '1970-01-01' + interval '1 microsecond' * (i64 * 1000001)",
        "at_s = timestamp '1970-01-01' + interval '1 second' * i64",
        "text IS NOT DISTINCT FROM (ARRAY['', 'a', 'twelve bytes', 'a text of more than twelve bytes'])[i64 % 5 + 1]",
        "sized = left('abcdefghijklmnopqrstuvwxyz', (i64 % 27)::integer)",
        "code = left('12345', (i64 % 6)::integer)",
        "raw = CASE i64 % 3 WHEN 0 THEN '\\x000000'::bytea WHEN 1 THEN '\\x010101'::bytea ELSE '\\x020202'::bytea END",
    };
    fixture *f = *state;
    const int64_t n = 70001; /* several morsels, and rows beside a batch's end */
    record *all = make_records(n);
    fl_records records = describe(f, all, n);
    register_all(f, "r", &records);
    assert_int_equal(ask(f->session, "SELECT count(*) FROM r"), n);
    for (size_t i = 0; i < sizeof(hold) / sizeof(hold[0]); i++) {
        assert_all(f, "r", hold[i]);
        assert_all(f, "(FROM r WHERE i64 % 13 = 5)", hold[i]); /* not all rows are wanted */
    }
    assert_int_equal(ask(f->session, "SELECT count(*) FROM r a JOIN r b ON a.i64 = b.i64 AND a.text = b.text"), 56001);
    assert_int_equal(ask(f->session, "SELECT count(DISTINCT text) FROM r"), 4);
    assert_int_equal(ask(f->session, "SELECT i64 FROM r ORDER BY price DESC LIMIT 1"), n - 1);
    assert_int_equal(ask(f->session, "CREATE TABLE copy AS FROM r; SELECT count(*) FROM (FROM copy EXCEPT FROM r)"), 0);
    assert_int_equal(f->released, 0);
    assert_int_equal(fl_session_unregister(f->session, "r", NULL), FL_OK);
    assert_int_equal(f->released, 1);
    free(all);
    assert_int_equal(ask(f->session, "SELECT count(*) FROM copy"), n);
}

/* An array of numbers is a table of one column, read where it lies; one that starts at an odd address is not. */
static void test_plain_arrays(void **state)
{
    static const fl_record_field field = {.name = "x", .type = "integer"};
    fixture *f = *state;
    const int64_t n = 5003;
    for (int shift = 0; shift < 2; shift++) {
        char *bytes = malloc((size_t)n * 4 + (size_t)shift);
        assert_non_null(bytes);
        for (int32_t i = 0; i < n; i++)
            memcpy(bytes + shift + (size_t)i * 4, &i, 4);
        fl_records records = {
            .size = sizeof(records), .data = bytes + shift, .rows = n, .stride = 4, .fields = &field, .n_fields = 1};
        register_all(f, "numbers", &records);
        assert_int_equal(ask(f->session, "SELECT sum(x)::bigint FROM numbers"), n * (n - 1) / 2);
        assert_int_equal(ask(f->session, "SELECT count(*) FROM numbers WHERE x % 2 = 1"), n / 2);
        assert_int_equal(fl_session_unregister(f->session, "numbers", NULL), FL_OK);
        free(bytes);
    }
    fl_records none = {.size = sizeof(none), .stride = 4, .fields = &field, .n_fields = 1};
    register_all(f, "none", &none);
    assert_int_equal(ask(f->session, "SELECT count(*) FROM none"), 0);
    assert_int_equal(ask(f->session, "SELECT count(*) FROM (SELECT sum(x) AS s FROM none) WHERE s IS NULL"), 1);
}

static void test_changes_are_refused(void **state)
{
    static const char *const changes[] = {
        "INSERT INTO r (i64) VALUES (1)",
        "UPDATE r SET i64 = 1",
        "DELETE FROM r",
        "TRUNCATE r",
        "ALTER TABLE r ADD COLUMN y integer",
        "ALTER TABLE r RENAME TO q",
        "MERGE INTO r USING (SELECT 1::bigint AS a) ON i64 = a WHEN MATCHED THEN DELETE",
        "CREATE UNIQUE INDEX ON r (i64)",
    };
    fixture *f = *state;
    record *all = make_records(10);
    fl_records records = describe(f, all, 10);
    fl_err err = {0};
    register_all(f, "r", &records);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        fl_status st = fault(f, changes[i], &err);
        if (st != FL_ERR_UNSUPPORTED || strstr(err.message, "cannot be changed") == NULL)
            fail_msg("%s: %d %s", changes[i], st, err.message);
    }
    assert_int_equal(ask(f->session, "SELECT count(*) FROM r"), 10);
    assert_int_equal(f->released, 0);
    assert_int_equal(ask(f->session, "DROP TABLE r; SELECT 1::bigint"), 1);
    assert_int_equal(f->released, 1);
    free(all);
}

static void test_bad_descriptions(void **state)
{
    static const struct {
        fl_record_field field;
        fl_status status;
        const char *sqlstate, *part; /* of the message or the hint */
    } bad[] = {
        {{.name = "a", .type = "bigint", .offset = 9}, FL_ERR_CONFIG, "22023", "takes bytes 9 to 16, records are 16"},
        {{.name = "a", .type = "bigint", .offset = -1}, FL_ERR_CONFIG, "22023", "beyond its record"},
        {{.name = "a", .type = "tinyint", .offset = 16}, FL_ERR_CONFIG, "22023", "beyond its record"},
        {{.name = "a", .type = "bigin"}, FL_ERR_TYPE, "42704", "bigint"},
        {{.name = "a", .type = "decimal(39, 2)"}, FL_ERR_TYPE, "22023", "precision from 1 to 38"},
        {{.name = "a", .type = "decimal(12"}, FL_ERR_TYPE, "22023", "decimal(12"},
        {{.name = "a", .type = "interval"}, FL_ERR_TYPE, "42804", "cannot hold"},
        {{.name = "a", .type = "timestamp(2)"}, FL_ERR_TYPE, "42804", "cannot hold"},
        {{.name = "a"}, FL_ERR_CONFIG, "22023", "no type"},
        {{.type = "bigint"}, FL_ERR_CONFIG, "22023", "no name"},
        {{.name = "a\xff", .type = "bigint"}, FL_ERR_VALUE, "22021", "0xff at offset 1"},
        {{.name = "B", .type = "bigint"}, FL_ERR_DUPLICATE, "42701", "fields 1 and 2"},
        {{.name = "a", .type = "bigint", .nulls = 9}, FL_ERR_CONFIG, "22023", "nulls"},
        {{.name = "a", .type = "bigint", .nulls = FL_RECORD_NULL_BYTE, .null_offset = 16},
         FL_ERR_CONFIG,
         "22023",
         "the byte for null"},
        {{.name = "a", .type = "bigint", .nulls = FL_RECORD_VALID_BIT, .null_offset = 15, .null_bit = 8},
         FL_ERR_CONFIG,
         "22023",
         "the bit for null"},
        {{.name = "a", .type = "tinyint", .nulls = FL_RECORD_NULL_VALUE, .null_value = 128},
         FL_ERR_CONFIG,
         "22023",
         "cannot hold"},
        {{.name = "a", .type = "text", .nulls = FL_RECORD_NULL_VALUE}, FL_ERR_CONFIG, "22023", "no value for null"},
        {{.name = "a", .type = "bigint", .nulls = FL_RECORD_NULL_NAN}, FL_ERR_CONFIG, "22023", "not real or double"},
        {{.name = "a", .type = "bytea"}, FL_ERR_CONFIG, "22023", "FL_RECORD_TEXT_SIZED"},
        {{.name = "a", .type = "text", .text = 3}, FL_ERR_CONFIG, "22023", "`text`"},
        {{.name = "a", .type = "text", .text = FL_RECORD_TEXT_SIZED, .length_bytes = 3},
         FL_ERR_CONFIG,
         "22023",
         "other than 1, 2, 4 or 8"},
        {{.name = "a", .type = "text", .text = FL_RECORD_TEXT_SIZED, .length_bytes = 8, .length_offset = 9},
         FL_ERR_CONFIG,
         "22023",
         "the length"},
        {{.name = "a", .type = "text", .text = FL_RECORD_TEXT_ARRAY, .length_bytes = 17},
         FL_ERR_CONFIG,
         "22023",
         "the value"},
        {{.name = "a", .type = "text", .text = FL_RECORD_TEXT_ARRAY}, FL_ERR_CONFIG, "22023", "length_bytes 0"},
    };
    fixture *f = *state;
    const int64_t data[2] = {0};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        fl_record_field both[] = {{.name = "b", .type = "bigint", .offset = 8}, bad[i].field};
        fl_records records = {.size = sizeof(records),
                              .data = data,
                              .rows = 1,
                              .stride = 16,
                              .fields = both,
                              .n_fields = 2,
                              .release = count_release,
                              .owner = &f->released};
        fl_err err = {0};
        fl_status st = fl_session_register_records(f->session, "t", &records, false, &err);
        bool is_told = strstr(err.message, bad[i].part) != NULL || strstr(err.hint, bad[i].part) != NULL;
        if (st != bad[i].status || strcmp(err.sqlstate, bad[i].sqlstate) != 0 || !is_told)
            fail_msg("%zu: %d %s %s (%s)", i, st, err.sqlstate, err.message, err.hint);
        assert_int_equal(f->released, (int)i + 1); /* in any case */
    }
}

static void test_bad_arrays(void **state)
{
    static const fl_record_field field = {.name = "x", .type = "integer"};
    static const int32_t data[4];
    fixture *f = *state;
    fl_err err = {0};
    const fl_records good = {
        .size = sizeof(good), .data = data, .rows = 4, .stride = 4, .fields = &field, .n_fields = 1};
    fl_records bad[7] = {good, good, good, good, good, good, good};
    bad[0].data = NULL;
    bad[1].rows = -1;
    bad[2].stride = 0;
    bad[3].rows = INT64_MAX;
    bad[4].n_fields = 0;
    bad[5].fields = NULL;
    bad[6].size = 1;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(fl_session_register_records(f->session, "t", &bad[i], false, &err), FL_ERR_CONFIG);
        assert_string_equal(err.sqlstate, "22023");
    }
    assert_int_equal(fl_session_register_records(f->session, "t", NULL, false, &err), FL_ERR_CONFIG);
    assert_int_equal(fl_session_register_records(f->session, NULL, &good, false, &err), FL_ERR_CONFIG);
    assert_int_equal(fl_session_register_records(f->session, "", &good, false, &err), FL_ERR_CONFIG);
    register_all(f, "t", &good);
    assert_int_equal(fl_session_register_records(f->session, "T", &good, false, &err), FL_ERR_DUPLICATE);
    assert_int_equal(fl_session_register_records(f->session, "T", &good, true, &err), FL_OK);
    assert_int_equal(fl_session_unregister(f->session, "t", &err), FL_OK);
    assert_int_equal(fl_session_unregister(f->session, "t", &err), FL_ERR_TABLE);
    assert_int_equal(fl_session_unregister(f->session, NULL, &err), FL_ERR_CONFIG);
}

static void test_bad_values(void **state)
{
    fixture *f = *state;
    record *all = make_records(40000);
    fl_records records = describe(f, all, 40000);
    fl_err err = {0};
    all[35000].text = "caf\xe9 au lait";
    all[35001].price = 1000000000000;
    all[35002].time = -1;
    all[35003].at_s = INT64_MAX;
    register_all(f, "r", &records);
    assert_int_equal(ask(f->session, "SELECT count(*) FROM r"), 40000); /* nobody looks at them */
    assert_int_equal(ask(f->session, "SELECT count(text) FROM r WHERE i64 < 35000"), 28000);
    assert_int_equal(fault(f, "SELECT max(text) FROM r", &err), FL_ERR_VALUE);
    assert_string_equal(err.sqlstate, "22021");
    assert_non_null(
        strstr(err.message, "record 35001 has in column \"text\" text that is no UTF-8: byte 0xe9 at offset 3"));
    assert_int_equal(fault(f, "SELECT sum(price) FROM r", &err), FL_ERR_CORRUPT);
    assert_non_null(strstr(err.message, "record 35002 has in column \"price\" a decimal of more digits"));
    assert_int_equal(fault(f, "SELECT max(time) FROM r", &err), FL_ERR_CORRUPT);
    assert_non_null(strstr(err.message, "record 35003"));
    assert_int_equal(fault(f, "SELECT max(at_s) FROM r", &err), FL_ERR_CORRUPT);
    assert_non_null(strstr(err.message, "record 35004"));
    assert_int_equal(fl_session_unregister(f->session, "r", NULL), FL_OK);
    free(all);
}

/* A stream keeps the records of a table that is gone. */
static void test_release_waits_for_streams(void **state)
{
    fixture *f = *state;
    record *all = make_records(300000);
    fl_records records = describe(f, all, 300000);
    struct ArrowArrayStream rows;
    fl_err err = {0};
    int64_t n = 0;
    struct ArrowArray batch = {0};
    register_all(f, "r", &records);
    assert_int_equal(fl_session_query(f->session, "SELECT i64, sized, text, f64, wide FROM r", &rows, &err), FL_OK);
    assert_int_equal(fl_session_unregister(f->session, "r", &err), FL_OK);
    while (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
        n += batch.length;
        batch.release(&batch);
    }
    rows.release(&rows);
    assert_int_equal(n, 300000);
    assert_int_equal(f->released, 1);
    free(all);
}

/* Queries of two sessions over one array, while a third registers and unregisters it by other names. */
static void *ask_often(void *ptr)
{
    fl_session *session = NULL;
    if (fl_session_open(ptr, &session, NULL) != FL_OK)
        return ptr;
    for (int i = 0; i < 20; i++)
        if (ask(session, "SELECT count(*) FROM r WHERE text >= '' AND i64 % 2 = 0 AND price > 0") != 16000)
            return ptr;
    fl_session_close(session);
    return NULL;
}

static void test_threads(void **state)
{
    fixture *f = *state;
    record *all = make_records(40000);
    fl_records records = describe(f, all, 40000);
    pthread_t threads[2];
    register_all(f, "r", &records);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, f->engine), 0);
    for (int i = 0; i < 20; i++) {
        register_all(f, "other", &records);
        assert_int_equal(ask(f->session, "SELECT count(*) FROM other WHERE i32 >= 0"), 26666);
        assert_int_equal(fl_session_unregister(f->session, "other", NULL), FL_OK);
    }
    for (int i = 0; i < 2; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(f->released, 20);
    assert_int_equal(fl_session_unregister(f->session, "r", NULL), FL_OK);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_plain_arrays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_changes_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_descriptions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_arrays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_release_waits_for_streams, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_threads, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
