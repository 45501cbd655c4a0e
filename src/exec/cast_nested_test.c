/* What is printed reads back: random lists, structs and rows of nasty texts, nested, as fl_value_print writes them. */
#include "exec/cast_nested.h"

#include "arrow/value.h"
#include "exec/cast.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROUNDS 3000
#define DEPTH 3

static uint64_t random_state = 11;

static int64_t below(int64_t n)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (int64_t)((random_state >> 33) % (uint64_t)n);
}

static fl_str random_text(fl_arena *arena)
{
    static const char *const words[] = {"",   "null",     "NULL", "a",    "it's", "\\", "\"",   "'", "[",
                                        "]",  "{",        "}",    "(",    ")",    ",",  ":",    " ", "\t",
                                        "\n", "\xc3\xa9", "=",    "a, b", "\\x0", "''", "\"\"", "1", ";"};
    fl_str ret;
    char bytes[32];
    int64_t len = 0;
    for (int64_t n = below(4); n >= 0; n--) {
        const char *word = words[below(FL_LEN(words))];
        memcpy(bytes + len, word, strlen(word));
        len += (int64_t)strlen(word);
    }
    assert_int_equal(fl_arena_copy_str(arena, (fl_str){bytes, len}, &ret, NULL), FL_OK);
    return ret;
}

static fl_type random_type(fl_arena *arena, int depth)
{
    static const uint8_t plain[] = {FL_UTF8, FL_UTF8, FL_UTF8, FL_I32, FL_BOOL, FL_BINARY, FL_TIME};
    int64_t kind = depth == 0 ? 3 : below(4);
    fl_type ret;
    if (kind >= 3)
        return FL_TYPE(plain[below(FL_LEN(plain))]);
    if (kind == 0) {
        assert_int_equal(fl_type_list_of(arena, random_type(arena, depth - 1), &ret, NULL), FL_OK);
        return ret;
    }
    fl_field *fields = NULL;
    int32_t n = (int32_t)below(3) + 1;
    assert_int_equal(FL_NEW_ARRAY(arena, n, &fields, NULL), FL_OK);
    for (int32_t i = 0; i < n; i++) {
        char name[48];
        fl_str nasty = random_text(arena);
        int len = kind == 1 ? snprintf(name, sizeof(name), "f%d", i + 1)
                            : snprintf(name, sizeof(name), "%d%.*s", i, FL_STR_ARG(nasty)); /* no name twice */
        assert_int_equal(fl_arena_copy_str(arena, (fl_str){name, len}, &fields[i].name, NULL), FL_OK);
        fields[i].type = random_type(arena, depth - 1);
        fields[i].nullable = true;
    }
    return (fl_type){.id = FL_STRUCT, .n_fields = n, .fields = fields};
}

static fl_value random_value(fl_arena *arena, fl_type type)
{
    fl_value ret = {.type = type, .is_null = below(6) == 0};
    if (ret.is_null)
        return ret;
    switch (type.id) {
    case FL_UTF8:
    case FL_BINARY:
        ret.s = random_text(arena);
        break;
    case FL_I32:
        ret.i = below(100) - 50;
        break;
    case FL_BOOL:
        ret.b = below(2) == 0;
        break;
    case FL_TIME:
        ret.i = below(86400) * 1000000;
        break;
    default: {
        fl_value *items = NULL;
        ret.list.n = type.id == FL_LIST ? below(4) : type.n_fields;
        assert_int_equal(FL_NEW_ARRAY(arena, ret.list.n + 1, &items, NULL), FL_OK);
        for (int64_t i = 0; i < ret.list.n; i++)
            items[i] = random_value(arena, type.fields[type.id == FL_LIST ? 0 : i].type);
        ret.list.items = items;
    }
    }
    return ret;
}

static void what_is_printed_reads_back(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        fl_arena arena;
        fl_arena_init(&arena, NULL);
        fl_type type = random_type(&arena, DEPTH);
        fl_value value = random_value(&arena, type), back;
        fl_text text;
        fl_text_init(&text, NULL);
        if (!fl_type_is_nested(type) || value.is_null) {
            fl_arena_drop(&arena);
            continue;
        }
        fl_value_print(&text, &value);
        fl_view view = fl_view_of(text.data, text.len);
        uint64_t valid[2] = {1, 0};
        fl_i128 data[4] = {0};
        fl_vec arg, ret;
        fl_vec_set_flat(&arg, FL_TYPE(FL_UTF8), &view, NULL);
        fl_vec_set_flat(&ret, type, data, valid);
        fl_call call = {.rows = 1, .n_args = 1, .args = &arg, .ret = &ret, .heap = &arena};
        fl_err err = {0};
        if (fl_cast_run(&call, false, &err) != FL_OK)
            fail_msg("%s: %s", text.data, err.message);
        assert_int_equal(fl_value_from_vec(&arena, &ret, 0, &back, NULL), FL_OK);
        if (!fl_value_is_same(&value, &back)) {
            fl_text other;
            fl_text_init(&other, NULL);
            fl_value_print(&other, &back);
            fail_msg("%s came back as %s", text.data, other.data);
        }
        fl_text_drop(&text);
        fl_arena_drop(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_printed_reads_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
