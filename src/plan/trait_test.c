/* Trait kinds are lattices: over a sample of values of each kind, what `satisfies`, `combine` and `project` owe each other
 * holds. Then what each kind means, names that are added at run time, sets, and what is printed. */
#include "plan/ordering.h"
#include "plan/partitioning.h"
#include "plan/plan_internal.h"
#include "plan/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define COLS 5
#define SAMPLE_MAX 32

typedef struct fixture {
    fl_registry *registry;
    fl_plan *plan;
    fl_col_id cols[COLS]; /* a, b, c, d, e */
} fixture;

typedef struct sample {
    const fl_trait_desc *trait;
    int32_t values[SAMPLE_MAX];
    int32_t n;
} sample;

static int begin(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_int_equal(fl_registry_new(&f->registry, NULL), FL_OK);
    assert_int_equal(fl_plan_new(NULL, f->registry, &f->plan, NULL), FL_OK);
    for (int32_t i = 0; i < COLS; i++) {
        char name = (char)('a' + i);
        fl_col_info info = {.name = {&name, 1}, .type = FL_TYPE(FL_I64)};
        assert_int_equal(fl_plan_add_col(f->plan, &info, &f->cols[i], NULL), FL_OK);
    }
    *state = f;
    return 0;
}

static int end(void **state)
{
    fixture *f = *state;
    fl_plan_unref(f->plan);
    fl_registry_unref(f->registry);
    free(f);
    return 0;
}

/* "a=c+,b!": columns by letter, "+" behind those of a key: descending, "!": nulls first. */
static int32_t ordering(fixture *f, const char *text)
{
    fl_order_key keys[8] = {0};
    fl_col_id cols[8][COLS] = {0};
    int32_t n = 0, value = -1;
    for (const char *at = text; *at != 0; at++) {
        if (*at >= 'a' && *at <= 'e')
            cols[n][keys[n].n_cols++] = f->cols[*at - 'a'];
        else if (*at == '+')
            keys[n].is_descending = true;
        else if (*at == '!')
            keys[n].nulls_first = true;
        keys[n].cols = cols[n];
        n += *at == ',';
    }
    n += keys[n].n_cols > 0;
    assert_int_equal(fl_ordering_make(f->plan, keys, n, &value, NULL), FL_OK);
    memset(cols, 0xEE, sizeof(cols)); /* a value keeps nothing of its maker's */
    return value;
}

static int32_t partitioning(fixture *f, fl_partitioning_kind kind, const char *letters)
{
    fl_col_id cols[8] = {0};
    int32_t n = 0, value = -1;
    for (; letters[n] != 0; n++)
        cols[n] = f->cols[letters[n] - 'a'];
    assert_int_equal(fl_partitioning_make(f->plan, kind, cols, n, &value, NULL), FL_OK);
    memset(cols, 0xEE, sizeof(cols));
    return value;
}

static int32_t hash(fixture *f, const char *letters)
{
    return partitioning(f, FL_PARTITION_HASH, letters);
}

static int32_t range(fixture *f, const char *letters)
{
    return partitioning(f, FL_PARTITION_RANGE, letters);
}

static int32_t lateness(fixture *f, int64_t us)
{
    int32_t value = -1;
    assert_int_equal(fl_lateness_make(f->plan, us, &value, NULL), FL_OK);
    return value;
}

static int32_t placement(fixture *f, const char *name)
{
    int32_t value = -1;
    assert_int_equal(fl_placement_make(f->plan, fl_str_of(name), &value, NULL), FL_OK);
    return value;
}

static int32_t hardware(fixture *f, int64_t features)
{
    int32_t value = -1;
    assert_int_equal(fl_hardware_make(f->plan, features, &value, NULL), FL_OK);
    return value;
}

static bool satisfies(fixture *f, const fl_trait_desc *trait, int32_t a, int32_t b)
{
    return fl_trait_satisfies(f->plan, trait, a, b);
}

static int32_t combine(fixture *f, const fl_trait_desc *trait, int32_t a, int32_t b)
{
    int32_t value = -2;
    assert_int_equal(fl_trait_combine(f->plan, trait, a, b, &value, NULL), FL_OK);
    return value;
}

static int32_t project(fixture *f, const fl_trait_desc *trait, int32_t value, const fl_col_map *map)
{
    int32_t ret = -2;
    assert_int_equal(fl_trait_project(f->plan, trait, value, map, &ret, NULL), FL_OK);
    return ret;
}

/* ---- the laws ---- */

static void add(sample *s, int32_t value)
{
    assert_true(s->n < SAMPLE_MAX);
    s->values[s->n++] = value;
}

static void check_order(fixture *f, const sample *s)
{
    for (int32_t i = 0; i < s->n; i++) {
        assert_true(satisfies(f, s->trait, s->values[i], s->values[i]));
        assert_true(satisfies(f, s->trait, s->values[i], 0));
        for (int32_t j = 0; j < s->n; j++)
            for (int32_t k = 0; k < s->n; k++)
                if (satisfies(f, s->trait, s->values[i], s->values[j]) &&
                    satisfies(f, s->trait, s->values[j], s->values[k]))
                    assert_true(satisfies(f, s->trait, s->values[i], s->values[k]));
    }
}

static void check_combine(fixture *f, const sample *s)
{
    for (int32_t i = 0; i < s->n; i++)
        for (int32_t j = 0; j < s->n; j++) {
            int32_t a = s->values[i], b = s->values[j], both = combine(f, s->trait, a, b);
            if (both == FL_TRAIT_NONE) { /* then no value of the sample gives both */
                for (int32_t k = 0; k < s->n; k++)
                    assert_false(satisfies(f, s->trait, s->values[k], a) && satisfies(f, s->trait, s->values[k], b));
                continue;
            }
            assert_true(satisfies(f, s->trait, both, a));
            assert_true(satisfies(f, s->trait, both, b));
        }
}

static void check_project(fixture *f, const sample *s)
{
    fl_col_map all = {.from = f->cols, .to = f->cols, .n = COLS};
    for (int32_t i = 0; i < s->n; i++) {
        assert_int_equal(project(f, s->trait, s->values[i], &all), s->values[i]);
        for (int32_t lost = 0; lost < 1 << COLS; lost++) {
            fl_col_id kept[COLS];
            int32_t n = 0;
            for (int32_t c = 0; c < COLS; c++)
                if (!(lost >> c & 1))
                    kept[n++] = f->cols[c];
            fl_col_map map = {.from = kept, .to = kept, .n = n};
            assert_true(satisfies(f, s->trait, s->values[i], project(f, s->trait, s->values[i], &map)));
        }
    }
}

static void check(fixture *f, const sample *s)
{
    check_order(f, s);
    check_combine(f, s);
    check_project(f, s);
}

static void test_enumerated(void **state)
{
    fixture *f = *state;
    const fl_trait_desc *kinds[] = {&fl_trait_convention,  &fl_trait_implementation, &fl_trait_input_mode,
                                    &fl_trait_data_format, &fl_trait_windowing,      &fl_trait_delivery};
    for (int32_t k = 0; k < FL_LEN(kinds); k++) {
        sample s = {.trait = kinds[k]};
        for (int32_t value = 0; value < kinds[k]->n_values; value++)
            add(&s, value);
        check(f, &s);
    }
    assert_false(satisfies(f, &fl_trait_implementation, FL_IMPL_HASH, FL_IMPL_SORT));
    assert_int_equal(combine(f, &fl_trait_implementation, FL_IMPL_HASH, FL_IMPL_SORT), FL_TRAIT_NONE);
    assert_true(satisfies(f, &fl_trait_delivery, FL_EXACTLY_ONCE, FL_AT_LEAST_ONCE));
    assert_false(satisfies(f, &fl_trait_delivery, FL_AT_MOST_ONCE, FL_AT_LEAST_ONCE));
}

static void test_numbers(void **state)
{
    fixture *f = *state;
    sample late = {.trait = &fl_trait_lateness}, where = {.trait = &fl_trait_placement},
           with = {.trait = &fl_trait_hardware};
    for (int64_t us = 0; us < 4; us++)
        add(&late, lateness(f, us * us * 1000000));
    check(f, &late);
    assert_true(satisfies(f, late.trait, late.values[2], late.values[1]));
    assert_false(satisfies(f, late.trait, late.values[1], late.values[2]));
    add(&where, placement(f, ""));
    add(&where, placement(f, "here"));
    add(&where, placement(f, "there"));
    check(f, &where);
    assert_int_equal(where.values[0], 0);
    assert_int_equal(where.values[1], placement(f, "here"));
    assert_int_equal(combine(f, where.trait, where.values[1], where.values[2]), FL_TRAIT_NONE);
    for (int64_t features = 0; features < 16; features++)
        add(&with, hardware(f, features));
    check(f, &with);
    assert_int_equal(combine(f, with.trait, hardware(f, FL_HARDWARE_AVX2), hardware(f, FL_HARDWARE_GPU)),
                     hardware(f, FL_HARDWARE_AVX2 | FL_HARDWARE_GPU));
}

static void test_ordering(void **state)
{
    fixture *f = *state;
    static const char *const texts[] = {"",     "a",     "a=c",    "b",       "a,b", "a=c,b",   "b,a",     "a+",   "a!",
                                        "a+,b", "a,b,e", "a,b+,e", "a,b!,e+", "e=b", "e=b,a=c", "a=c,e=b", "e=b,a"};
    sample s = {.trait = &fl_trait_ordering};
    for (int32_t i = 0; i < FL_LEN(texts); i++)
        add(&s, ordering(f, texts[i]));
    check_combine(f, &s);
    check_project(f, &s);
    /* Transitive where a class is named whole: of a=c and b=e */
    static const char *const whole[] = {"",         "a=c",        "a=c+",      "b=e",        "a=c,b=e",   "b=e,a=c",
                                        "a=c,b=e+", "a=c,d,b=e!", "d,a=c,b=e", "a=c,b=e,d+", "a=c,b=e,d", "d"};
    s.n = 0;
    for (int32_t i = 0; i < FL_LEN(whole); i++)
        add(&s, ordering(f, whole[i]));
    check(f, &s);

    assert_int_equal(ordering(f, ""), 0);
    assert_int_equal(ordering(f, "c=a=c,b"), ordering(f, "a=c,b"));
    assert_int_equal(ordering(f, "a=c,c,b"),
                     ordering(f, "a=c,b")); /* among equal rows of a nothing is left to order by c */
    assert_true(satisfies(f, s.trait, ordering(f, "a,b"), ordering(f, "a")));
    assert_false(satisfies(f, s.trait, ordering(f, "a"), ordering(f, "a,b")));
    assert_false(satisfies(f, s.trait, ordering(f, "a,b"), ordering(f, "b")));
    assert_true(satisfies(f, s.trait, ordering(f, "a=c,b"), ordering(f, "c,b")));
    assert_false(satisfies(f, s.trait, ordering(f, "a+"), ordering(f, "a")));
    assert_false(satisfies(f, s.trait, ordering(f, "a!"), ordering(f, "a")));
    assert_int_equal(combine(f, s.trait, ordering(f, "a"), ordering(f, "a,b")), ordering(f, "a,b"));
    assert_int_equal(combine(f, s.trait, ordering(f, "a"), ordering(f, "b")), FL_TRAIT_NONE);

    fl_col_map map = {.from = (fl_col_id[]){f->cols[0], f->cols[0], f->cols[2]}, /* a goes on as d and e, c as a */
                      .to = (fl_col_id[]){f->cols[4], f->cols[3], f->cols[0]},
                      .n = 3};
    assert_int_equal(project(f, s.trait, ordering(f, "a=c+,c,b"), &map), ordering(f, "a=d=e+"));
    assert_int_equal(project(f, s.trait, ordering(f, "c,a,b"), &map), ordering(f, "a,d=e"));
    assert_int_equal(project(f, s.trait, ordering(f, "b,a"), &map), 0);
}

static void test_partitioning(void **state)
{
    fixture *f = *state;
    static const char *const columns[] = {"a", "b", "ab", "ba", "abc", "c", "bcd", "ed"};
    sample s = {.trait = &fl_trait_partitioning};
    int32_t single = partitioning(f, FL_PARTITION_SINGLE, ""), broadcast = partitioning(f, FL_PARTITION_BROADCAST, "");
    add(&s, partitioning(f, FL_PARTITION_NONE, ""));
    add(&s, single);
    add(&s, broadcast);
    for (int32_t i = 0; i < FL_LEN(columns); i++) {
        add(&s, hash(f, columns[i]));
        add(&s, range(f, columns[i]));
    }
    check(f, &s);

    assert_int_equal(s.values[0], 0);
    assert_int_equal(hash(f, "ab"), hash(f, "bab"));
    assert_int_not_equal(range(f, "ab"), range(f, "ba"));
    assert_int_equal(hash(f, ""), single);
    assert_true(satisfies(f, s.trait, hash(f, "a"), hash(f, "ab")));
    assert_false(satisfies(f, s.trait, hash(f, "ab"), hash(f, "a")));
    assert_true(satisfies(f, s.trait, range(f, "ab"), hash(f, "abc")));
    assert_true(satisfies(f, s.trait, range(f, "a"), range(f, "ab")));
    assert_false(satisfies(f, s.trait, range(f, "b"), range(f, "ab")));
    assert_false(satisfies(f, s.trait, hash(f, "a"), range(f, "a")));
    assert_true(satisfies(f, s.trait, single, range(f, "a")));
    assert_false(satisfies(f, s.trait, single, broadcast));
    assert_false(satisfies(f, s.trait, broadcast, hash(f, "a")));
    assert_int_equal(combine(f, s.trait, hash(f, "ab"), hash(f, "bc")), hash(f, "b"));
    assert_int_equal(combine(f, s.trait, hash(f, "a"), hash(f, "b")), single);
    assert_int_equal(combine(f, s.trait, range(f, "abc"), range(f, "abd")), range(f, "ab"));
    assert_int_equal(combine(f, s.trait, hash(f, "ba"), range(f, "bce")), range(f, "b"));
    assert_int_equal(combine(f, s.trait, broadcast, hash(f, "a")), FL_TRAIT_NONE);

    fl_col_map map = {
        .from = (fl_col_id[]){f->cols[0], f->cols[1]}, .to = (fl_col_id[]){f->cols[3], f->cols[0]}, .n = 2};
    assert_int_equal(project(f, s.trait, range(f, "ab"), &map), range(f, "da"));
    assert_int_equal(project(f, s.trait, hash(f, "abc"), &map), 0); /* rows equal in a and b may differ in c */
    assert_int_equal(project(f, s.trait, single, &map), single);
}

/* ---- names, sets, texts ---- */

static void test_added_value(void **state)
{
    fixture *f = *state;
    int32_t radix = -1, trie = -1, other = -1;
    const fl_trait_desc *trait = &fl_trait_implementation;
    assert_int_equal(fl_registry_add_trait_value(f->registry, &fl_trait_windowing, "counted", &other, NULL), FL_OK);
    assert_int_equal(fl_registry_add_trait_value(f->registry, trait, "radix", &radix, NULL), FL_OK);
    assert_int_equal(fl_registry_add_trait_value(f->registry, trait, "trie", &trie, NULL), FL_OK);
    assert_int_equal(fl_registry_add_trait_value(f->registry, trait, "radix", &other, NULL), FL_ERR_DUPLICATE);
    assert_int_equal(fl_registry_add_trait_value(f->registry, trait, "hash", &other, NULL), FL_ERR_DUPLICATE);
    assert_int_equal(radix, trait->n_values);
    assert_int_equal(trie, radix + 1);
    assert_int_equal(fl_registry_trait_value(f->registry, trait, FL_STR("trie")), trie);
    assert_int_equal(fl_registry_trait_value(f->registry, trait, FL_STR("heap")), FL_IMPL_HEAP);
    assert_int_equal(fl_registry_trait_value(f->registry, trait, FL_STR("counted")), FL_TRAIT_NONE);
    sample s = {.trait = trait, .values = {0, FL_IMPL_HASH, radix, trie}, .n = 4};
    check(f, &s);
}

static const fl_trait_set *with(fixture *f, const fl_trait_set *set, const fl_trait_desc *trait, int32_t value)
{
    assert_int_equal(fl_trait_with(f->plan, set, trait, value, &set, NULL), FL_OK);
    return set;
}

static void assert_text(fixture *f, const fl_trait_set *set, const char *wanted)
{
    fl_text text;
    fl_text_init(&text, NULL);
    fl_trait_print(&text, f->plan, set);
    assert_string_equal(text.data, wanted);
    fl_text_drop(&text);
}

static void test_sets(void **state)
{
    fixture *f = *state;
    int32_t radix = -1;
    assert_int_equal(fl_registry_add_trait_value(f->registry, &fl_trait_implementation, "radix", &radix, NULL), FL_OK);
    const fl_trait_set *none = fl_trait_none(f->plan);
    const fl_trait_set *set = with(f, none, &fl_trait_implementation, radix);
    assert_text(f, set, "logical, radix");
    set = with(f, set, &fl_trait_convention, FL_VECTORIZED);
    set = with(f, set, &fl_trait_ordering, ordering(f, "a=c,b+,d!"));
    set = with(f, set, &fl_trait_partitioning, hash(f, "ba"));
    set = with(f, set, &fl_trait_hardware, hardware(f, FL_HARDWARE_AVX2 | FL_HARDWARE_GPU));
    set = with(f, set, &fl_trait_lateness, lateness(f, 1500));
    set = with(f, set, &fl_trait_placement, placement(f, "here"));
    assert_text(
        f, set,
        "vectorized, hardware=avx2+gpu, radix, lateness=1500us, ordered(a=c, b DESC NULLS LAST, d NULLS FIRST), "
        "partitioning=hash(a, b), placement=here");
    const fl_trait_set *want = with(f, none, &fl_trait_ordering, ordering(f, "c"));
    want = with(f, want, &fl_trait_partitioning, hash(f, "abe"));
    assert_true(fl_trait_set_satisfies(f->plan, set, want));
    assert_true(fl_trait_set_satisfies(f->plan, set, none));
    assert_false(fl_trait_set_satisfies(f->plan, none, want));
    want = with(f, want, &fl_trait_delivery, FL_EXACTLY_ONCE);
    assert_false(fl_trait_set_satisfies(f->plan, set, want));
    assert_ptr_equal(
        with(f, want, &fl_trait_delivery, 0),
        with(f, with(f, none, &fl_trait_partitioning, hash(f, "abe")), &fl_trait_ordering, ordering(f, "c")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_enumerated, begin, end),
        cmocka_unit_test_setup_teardown(test_numbers, begin, end),
        cmocka_unit_test_setup_teardown(test_ordering, begin, end),
        cmocka_unit_test_setup_teardown(test_partitioning, begin, end),
        cmocka_unit_test_setup_teardown(test_added_value, begin, end),
        cmocka_unit_test_setup_teardown(test_sets, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
