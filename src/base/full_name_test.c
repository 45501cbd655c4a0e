/* Keys of full names: each name has one, and comes back from it; names are in their schemas alone. */
#include "base/full_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static fl_str key_of(fl_arena *arena, const char *database, const char *schema, const char *name)
{
    fl_full_name full = {fl_str_of(database), fl_str_of(schema), fl_str_of(name)};
    fl_str key = {0};
    assert_int_equal(fl_full_name_key(arena, &full, &key, NULL), FL_OK);
    return key;
}

static void keys_are_one_to_one(void **state)
{
    static const char *const names[][4] = {
        {"fletch", "main", "t", "t"},
        {"fletch", "main", "s.t", "\"s.t\""},
        {"fletch", "s", "t", "s.t"},
        {"d", "main", "t", "d.main.t"},
        {"d", "s", "t", "d.s.t"},
        {"fletch", "a.b", "c", "\"a.b\".c"},
        {"fletch", "a", "b.c", "a.\"b.c\""},
        {"fletch", "main", "a\"b", "\"a\"\"b\""},
        {"fletch", "main", "", "\"\""},
        {"fletch", "main", "a b", "a b"},
        {"d.e", "s", "t", "\"d.e\".s.t"},
    };
    fl_arena arena;
    (void)state;
    fl_arena_init(&arena, NULL);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        fl_full_name back;
        fl_str key = key_of(&arena, names[i][0], names[i][1], names[i][2]);
        assert_true(fl_str_is_equal(key, fl_str_of(names[i][3])));
        assert_int_equal(fl_full_name_of_key(&arena, key, &back, NULL), FL_OK);
        assert_true(fl_str_is_equal(back.database, fl_str_of(names[i][0])));
        assert_true(fl_str_is_equal(back.schema, fl_str_of(names[i][1])));
        assert_true(fl_str_is_equal(back.name, fl_str_of(names[i][2])));
    }
    assert_true(fl_str_is_equal(key_of(&arena, "FLETCH", "public", "t"), FL_STR("t")));
    fl_arena_drop(&arena);
}

static void names_are_in_their_schemas(void **state)
{
    static const struct {
        const char *key, *database, *schema;
        bool is;
    } cases[] = {
        {"t", "fletch", "main", true},
        {"t", "fletch", "public", true},
        {"t", "fletch", "", true},
        {"t", "fletch", "s", false},
        {"s.t", "fletch", "S", true},
        {"s.t", "fletch", "main", false},
        {"\"s.t\"", "fletch", "s", false},
        {"\"s.t\"", "fletch", "main", true},
        {"s.t", "s", "main", false},
        {"d.main.t", "d", "main", true},
        {"d.s.t", "D", "s", true},
        {"d.s.t", "d", "", true},
        {"d.s.t", "fletch", "s", false},
        {"d.s.t", "fletch", "d", false},
        {"\"a.b\".c", "fletch", "a.b", true},
        {"\"a\"\"b\".c", "fletch", "a\"b", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(
            fl_key_is_in(fl_str_of(cases[i].key), fl_str_of(cases[i].database), fl_str_of(cases[i].schema)),
            cases[i].is);
}

static void what_is_no_name_is_refused(void **state)
{
    static const char *const texts[] = {"", ".", "a.", ".a", "a..b", "a.b.c.d", "\"a", "a\"b", "\"a\"b", "\""};
    fl_arena arena;
    (void)state;
    fl_arena_init(&arena, NULL);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fl_str parts[FL_NAME_PARTS_MAX];
        int32_t n;
        assert_int_equal(fl_name_split(&arena, fl_str_of(texts[i]), parts, &n, NULL), FL_ERR_VALUE);
    }
    fl_arena_drop(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_one_to_one),
        cmocka_unit_test(names_are_in_their_schemas),
        cmocka_unit_test(what_is_no_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
