/* Files of signed code: parts come back as they went in, and no byte of them can be changed, left out or added. */
#include "udf/signed_code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "udf_keys.h"

static void make(fl_text *ret)
{
    fl_signer signer;
    fl_signed_code parts = {.runtime = FL_STR("a compiler for a processor"),
                            .module = FL_STR("the module"),
                            .native = {.name = {1, 2, 3}, .code = FL_STR("its native code")}};
    fl_text_init(ret, NULL);
    assert_int_equal(fl_signer_init(&signer, FL_STR(PRIVATE_KEY), "key", NULL), FL_OK);
    assert_int_equal(fl_signed_code_make(&parts, &signer, ret, NULL), FL_OK);
    fl_signer_drop(&signer);
}

static void test_parts(void **state)
{
    (void)state;
    fl_text file;
    fl_signed_code parts = {0};
    uint8_t key[FL_PUBLIC_KEY_BYTES];
    make(&file);
    assert_true(fl_signed_code_is(fl_text_str(&file)));
    assert_false(fl_signed_code_is(FL_STR("FLSIGNE")));
    assert_int_equal(fl_signed_code_open(fl_text_str(&file), &parts, NULL), FL_OK);
    assert_true(fl_str_is_equal(parts.runtime, FL_STR("a compiler for a processor")));
    assert_true(fl_str_is_equal(parts.module, FL_STR("the module")));
    assert_true(fl_str_is_equal(parts.native.code, FL_STR("its native code")));
    assert_int_equal(parts.native.name[2], 3);
    assert_int_equal(fl_public_key_read(FL_STR(PUBLIC_KEY), "key", key, NULL), FL_OK);
    assert_memory_equal(parts.signer, key, sizeof(key));
    fl_text_drop(&file);
}

/* In a block that ends where the file does, so that a sanitizer sees each byte that is read behind it. */
static fl_status open_copy(const char *bytes, int64_t n, fl_err *err)
{
    fl_signed_code parts = {0};
    char *copy = malloc((size_t)n);
    assert_non_null(copy);
    memcpy(copy, bytes, (size_t)n);
    fl_status st = fl_signed_code_open((fl_str){copy, n}, &parts, err);
    free(copy);
    return st;
}

static void test_changed(void **state)
{
    (void)state;
    fl_text file;
    fl_err err = {0};
    make(&file);
    for (int64_t bit = 8 * 8; bit < 8 * file.len; bit++) { /* behind the magic: without it it is no such file */
        file.data[bit / 8] ^= (char)(1 << bit % 8);
        fl_status st = open_copy(file.data, file.len, &err);
        assert_int_equal(st, bit / 8 >= 8 && bit / 8 < 12 ? FL_ERR_UNSUPPORTED : FL_ERR_CORRUPT);
        assert_string_equal(err.sqlstate, st == FL_ERR_CORRUPT ? "42501" : "0A000");
        file.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (int64_t n = 8; n < file.len; n++)
        assert_int_equal(open_copy(file.data, n, &err), FL_ERR_CORRUPT);
    fl_text_add_char(&file, 'x');
    assert_int_equal(open_copy(file.data, file.len, &err), FL_ERR_CORRUPT);
    fl_text_drop(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
