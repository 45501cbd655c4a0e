/* Packed and encoded text: the rows of the plain file, whatever the pieces; every cut and every changed byte is an error or the same
 * rows; faults leave no trace. */
#include "format/files_table.h"
#include "table_rows.h"

#include <bzlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#define BYTES_MAX (64 << 10)

extern const fl_format_desc fl_format_csv, fl_format_json;

static fl_memory memory;

typedef struct bytes {
    char data[BYTES_MAX];
    int64_t len;
} bytes;

static void add(bytes *to, const void *data, int64_t len)
{
    assert_true(to->len + len <= BYTES_MAX);
    memcpy(to->data + to->len, data, (size_t)len);
    to->len += len;
}

static void add_number(bytes *to, uint32_t value, int width)
{
    add(to, &value, width);
}

static void add_deflated(bytes *to, fl_str text, int window_bits)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)text.data;
    z.avail_in = (unsigned)text.len;
    z.next_out = (Bytef *)to->data + to->len;
    z.avail_out = (unsigned)(BYTES_MAX - to->len);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    to->len = BYTES_MAX - z.avail_out;
    deflateEnd(&z);
}

/* ---- ways to pack a text ---- */

static void pack_gzip(bytes *to, fl_str text)
{
    add_deflated(to, text, 15 + 16);
}

static void pack_members(bytes *to, fl_str text)
{
    static const char zeros[512];
    add_deflated(to, (fl_str){text.data, text.len / 3}, 15 + 16);
    add_deflated(to, (fl_str){NULL, 0}, 15 + 16);
    add_deflated(to, (fl_str){text.data + text.len / 3, text.len - text.len / 3}, 15 + 16);
    add(to, zeros, sizeof(zeros));
}

static void pack_zstd(bytes *to, fl_str text)
{
    for (int half = 0; half < 2; half++) {
        fl_str part =
            half == 0 ? (fl_str){text.data, text.len / 2} : (fl_str){text.data + text.len / 2, text.len - text.len / 2};
        to->len +=
            (int64_t)ZSTD_compress(to->data + to->len, (size_t)(BYTES_MAX - to->len), part.data, (size_t)part.len, 3);
    }
}

static void pack_bzip2(bytes *to, fl_str text)
{
    for (int half = 0; half < 2; half++) {
        fl_str part =
            half == 0 ? (fl_str){text.data, text.len / 2} : (fl_str){text.data + text.len / 2, text.len - text.len / 2};
        unsigned room = (unsigned)(BYTES_MAX - to->len);
        char *from = (char *)(uintptr_t)part.data;
        assert_int_equal(BZ2_bzBuffToBuffCompress(to->data + to->len, &room, from, (unsigned)part.len, 1, 0, 0), BZ_OK);
        to->len += room;
    }
}

/* A zip as tools write it to a pipe (sizes behind the bytes), or, stored, with all in the header. */
static void pack_zip_as(bytes *to, fl_str text, bool is_stored)
{
    uint32_t checksum = (uint32_t)crc32(0, (const Bytef *)text.data, (unsigned)text.len);
    add_number(to, 0x04034B50, 4);
    add_number(to, 20, 2);
    add_number(to, is_stored ? 0 : 8, 2);
    add_number(to, is_stored ? 0 : 8, 2);
    add_number(to, 0, 4); /* time and date */
    add_number(to, is_stored ? checksum : 0, 4);
    add_number(to, is_stored ? (uint32_t)text.len : 0, 4);
    add_number(to, is_stored ? (uint32_t)text.len : 0, 4);
    add_number(to, 5, 2);
    add_number(to, 0, 2);
    add(to, "a.csv", 5);
    if (is_stored) {
        add(to, text.data, text.len);
    } else {
        int64_t before = to->len;
        add_deflated(to, text, -15);
        uint32_t packed = (uint32_t)(to->len - before);
        add_number(to, 0x08074B50, 4);
        add_number(to, checksum, 4);
        add_number(to, packed, 4);
        add_number(to, (uint32_t)text.len, 4);
    }
    add_number(to, 0x02014B50, 4); /* the list of files begins */
}

static void pack_zip(bytes *to, fl_str text)
{
    pack_zip_as(to, text, false);
}

static void pack_stored_zip(bytes *to, fl_str text)
{
    pack_zip_as(to, text, true);
}

static void (*const packers[])(bytes *, fl_str) = {pack_gzip,  pack_members, pack_zstd,
                                                   pack_bzip2, pack_zip,     pack_stored_zip};

/* ---- what is packed ---- */

static fl_text rows_text(int rows, bool is_json)
{
    fl_text text;
    fl_text_init(&text, NULL);
    if (!is_json)
        fl_text_add(&text, FL_STR("n,s\n"));
    for (int i = 0; i < rows; i++)
        fl_text_addf(&text,
                     is_json ? "{\"n\": %d, \"s\": \"a text, %d caf\xC3\xA9s\"}\n"
                             : "%d,\"a \"\"text\"\",\n%d caf\xC3\xA9s\"\n",
                     i, i * 7919 % 1000);
    return text;
}

static table_source source_of(const bytes *packed, const fl_format_desc *format)
{
    return (table_source){.format = format, .data = packed->data, .bytes = packed->len};
}

/* The hash of a source's rows; false when reading fails, as damaged text may. */
static bool hash_rows(const table_source *source, uint64_t *ret, fl_err *err)
{
    fl_table *table = NULL;
    table_rows rows = {0};
    if (table_open(source, &memory, &table, err) != FL_OK)
        return false;
    fl_status st = table_scan_rows(table, &(table_scan){.rows_max = 50, .piece_bytes = 700}, &memory, &rows, err);
    fl_table_unref(table);
    *ret = rows.hash;
    return st == FL_OK;
}

static bytes packed;

static void packed_text_gives_the_same_rows(void **state)
{
    (void)state;
    for (int is_json = 0; is_json < 2; is_json++) {
        fl_text text = rows_text(300, is_json != 0);
        const fl_format_desc *format = is_json ? &fl_format_json : &fl_format_csv;
        uint64_t plain = 0, hash = 1;
        fl_err err;
        assert_true(hash_rows(&(table_source){.format = format, .data = text.data, .bytes = text.len}, &plain, &err));
        for (int64_t i = 0; i < FL_LEN(packers); i++) {
            packed.len = 0;
            packers[i](&packed, (fl_str){text.data, text.len});
            table_source source = source_of(&packed, format);
            assert_true(hash_rows(&source, &hash, &err));
            assert_int_equal(hash, plain);
            table_check_pieces(&source, 40, &memory);
        }
        fl_text_drop(&text);
    }
}

static void encoded_text_gives_the_same_rows(void **state)
{
    (void)state;
    static const char *const names[] = {"utf-16", "utf-16be", "latin-1", "windows-1252"};
    fl_text text = rows_text(100, false);
    uint64_t plain = 0, hash = 1;
    fl_err err;
    assert_true(
        hash_rows(&(table_source){.format = &fl_format_csv, .data = text.data, .bytes = text.len}, &plain, &err));
    for (int way = 0; way < 4; way++) {
        fl_option option = {.name = FL_STR("encoding"),
                            .value = {.type = FL_TYPE(FL_UTF8), .s = fl_str_of(names[way])}};
        packed.len = 0;
        for (int64_t i = 0; i < text.len; i++) { /* every character is below U+0100 */
            uint32_t code = (uint8_t)text.data[i];
            if (code == 0xC3)
                code = 0xC0 | ((uint8_t)text.data[++i] & 0x3F);
            add_number(&packed, way == 1 ? code << 8 : code, way < 2 ? 2 : 1);
        }
        table_source source = source_of(&packed, &fl_format_csv);
        source.options = &option;
        source.n_options = 1;
        assert_true(hash_rows(&source, &hash, &err));
        assert_int_equal(hash, plain);
        table_check_pieces(&source, 30, &memory);
    }
    fl_text_drop(&text);
}

static void utf16_is_known_by_its_mark(void **state)
{
    (void)state;
    static const char little[] = "\xFF\xFE"
                                 "a\0\n\0\x3D\xD8\x00\xDE\n\0",
                      big[] = "\xFE\xFF\0a\0\n\xD8\x3D\xDE\x00\0\n",
                      half[] = "\xFF\xFE"
                               "a\0\n\0\x3D\xD8x\0\n\0",
                      cut[] = "\xFF\xFE"
                              "a\0\n\0\x3D\xD8";
    const char *wanted = "a text\n\xF0\x9F\x98\x80\n";
    table_check_text(&(table_source){.format = &fl_format_csv, .data = little, .bytes = sizeof(little) - 1}, wanted,
                     &memory);
    table_check_text(&(table_source){.format = &fl_format_csv, .data = big, .bytes = sizeof(big) - 1}, wanted, &memory);
    table_check_fails(&(table_source){.format = &fl_format_csv, .data = half, .bytes = sizeof(half) - 1}, "22021", 0, 0,
                      &memory);
    table_check_fails(&(table_source){.format = &fl_format_csv, .data = cut, .bytes = sizeof(cut) - 1}, "22021", 0, 0,
                      &memory);
}

/* What is cut off is said; a changed byte gives an error, or, where it says nothing of the text, the same rows. */
static void damage_is_found(void **state)
{
    (void)state;
    fl_text text = rows_text(20, false);
    uint64_t plain = 0, hash = 0;
    fl_err err;
    assert_true(
        hash_rows(&(table_source){.format = &fl_format_csv, .data = text.data, .bytes = text.len}, &plain, &err));
    for (int64_t i = 0; i < FL_LEN(packers); i++) {
        packed.len = 0;
        packers[i](&packed, (fl_str){text.data, text.len});
        int64_t whole = packed.len;
        for (packed.len = 5; packed.len < whole; packed.len++) {
            table_source source = source_of(&packed, &fl_format_csv);
            if (hash_rows(&source, &hash, &err)) /* zeros behind the end are missing, or a member of several */
                assert_true(packers[i] == pack_members || packers[i] == pack_zstd || packers[i] == pack_bzip2);
        }
        for (int64_t at = 4; at < whole; at++) {
            packed.data[at] ^= 0x10;
            table_source source = source_of(&packed, &fl_format_csv);
            if (hash_rows(&source, &hash, &err) && packers[i] != pack_zstd) /* whose frames have no checksum here */
                assert_int_equal(hash, plain);
            packed.data[at] ^= 0x10;
        }
        assert_int_equal(memory.used_bytes, 0);
    }
    fl_text_drop(&text);
}

static void names_what_follows(void **state)
{
    (void)state;
    static const fl_str text = FL_STR("a\n1\n");
    packed.len = 0;
    pack_gzip(&packed, text);
    add(&packed, "more", 4);
    table_source source = source_of(&packed, &fl_format_csv);
    table_check_fails(&source, "XX001", 0, 0, &memory);
    packed.len = 0;
    pack_zip(&packed, text);
    packed.len -= 4;
    pack_zip(&packed, text);
    source = source_of(&packed, &fl_format_csv);
    table_check_fails(&source, "XX001", 0, 0, &memory);
}

static void faults_leave_no_trace(void **state)
{
    (void)state;
    fl_text text = rows_text(30, false);
    for (int64_t i = 0; i < FL_LEN(packers); i++) {
        packed.len = 0;
        packers[i](&packed, (fl_str){text.data, text.len});
        table_source source = source_of(&packed, &fl_format_csv);
        table_check_faults(&source, &(table_scan){.rows_max = 7, .piece_bytes = 300}, &memory);
    }
    fl_text_drop(&text);
}

static int leaves_no_memory(void **state)
{
    (void)state;
    return memory.used_bytes == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(packed_text_gives_the_same_rows, leaves_no_memory),
        cmocka_unit_test_teardown(encoded_text_gives_the_same_rows, leaves_no_memory),
        cmocka_unit_test_teardown(utf16_is_known_by_its_mark, leaves_no_memory),
        cmocka_unit_test_teardown(damage_is_found, leaves_no_memory),
        cmocka_unit_test_teardown(names_what_follows, leaves_no_memory),
        cmocka_unit_test_teardown(faults_leave_no_trace, leaves_no_memory),
    };
    fl_memory_init(&memory, NULL, "test", 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
