/* Which modules are interpreted: what compilers of C make is, what wasm3 runs wrongly is not. */
#include "udf/wasm/instruction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_interpreted(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool can;
    } cases[] = {
        {"test/udf/modules/scoring.wasm", true},
        {"test/udf/modules/loops.wasm", true},
        {"test/udf/modules/texts.wasm", true},
        {"test/udf/modules/aggregates.wasm", true},
        {"test/udf/modules/traps.wasm", true},
        {"test/udf/modules/wasi.wasm", true},
        {"test/udf/modules/simd.wasm", false},
        {"fuzz/corpus/wasm_tiers/found_grow_by_all_ones", true},
        {"fuzz/corpus/wasm_tiers/found_nan_bits", true},
        {"fuzz/corpus/wasm_tiers/found_br_if_with_value", false},
        {"fuzz/corpus/wasm_tiers/found_signalling_nan", false},
    };
    for (int64_t i = 0; i < FL_LEN(cases); i++) {
        fl_arena arena;
        wasm_module module;
        static char bytes[1 << 18];
        FILE *file = fopen(cases[i].path, "rb");
        assert_non_null(file);
        int64_t n = (int64_t)fread(bytes, 1, sizeof(bytes), file);
        fclose(file);
        fl_arena_init(&arena, NULL);
        assert_int_equal(fl_wasm_read(&arena, (fl_str){bytes, n}, &module, NULL), FL_OK);
        if (fl_wasm_can_interpret(&module) != cases[i].can)
            fail_msg("%s", cases[i].path);
        fl_arena_drop(&arena);
    }
}

/* A body of one function without locals, by its instructions: () → i32. */
static bool can_interpret(const char *code, int64_t n)
{
    int32_t func = 0;
    uint8_t result = WASM_I32;
    wasm_type type = {.results = &result, .n_results = 1};
    wasm_body body = {.code = {(const uint8_t *)code, n}};
    wasm_module module = {.types = &type, .n_types = 1, .funcs = &func, .n_funcs = 1, .bodies = &body};
    return fl_wasm_can_interpret(&module);
}

#define CAN(code) can_interpret(code, sizeof(code) - 1)

static void test_branches(void **state)
{
    (void)state;
    /* block; 1; br_if 0; end; 1; end: to a label without a value */
    assert_true(CAN("\x02\x40\x41\x01\x0D\x00\x0B\x41\x01\x0B"));
    /* to the function's own, which has one */
    assert_false(CAN("\x02\x40\x41\x05\x41\x01\x0D\x01\x1A\x0B\x41\x01\x0B"));
    /* block i32; 5; 1; br_if 0; end */
    assert_false(CAN("\x02\x7F\x41\x05\x41\x01\x0D\x00\x0B\x0B"));
    /* a loop's label takes none */
    assert_true(CAN("\x03\x7F\x41\x01\x0D\x00\x41\x05\x0B\x0B"));
    /* br carries one, nothing is behind it */
    assert_true(CAN("\x02\x7F\x41\x05\x0C\x00\x0B\x0B"));
    /* br_table of a block without a value, and of that and the function */
    assert_true(CAN("\x02\x40\x41\x01\x0E\x01\x00\x00\x0B\x41\x01\x0B"));
    assert_false(CAN("\x02\x40\x41\x05\x41\x01\x0E\x01\x00\x01\x0B\x41\x01\x0B"));
    /* behind the end of a block its label is none */
    assert_true(CAN("\x02\x40\x02\x7F\x41\x05\x0B\x1A\x41\x01\x0D\x00\x0B\x41\x01\x0B"));
    /* a block of a type with parameters */
    assert_false(CAN("\x02\x00\x0B\x0B"));
    /* no such label: bodies that are not valid are refused elsewhere */
    assert_false(CAN("\x41\x01\x0D\x07\x0B"));
    assert_true(CAN("\x0B\x0B\x0B\x0B"));
}

static void test_depth(void **state)
{
    (void)state;
    static char code[4096];
    for (int32_t n = 900; n <= 1100; n += 200) { /* blocks in each other */
        for (int32_t i = 0; i < n; i++) {
            code[2 * i] = WASM_BLOCK;
            code[2 * i + 1] = WASM_BLOCK_EMPTY;
            code[2 * n + i] = WASM_END;
        }
        assert_int_equal(can_interpret(code, 3 * n), n < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interpreted),
        cmocka_unit_test(test_branches),
        cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
