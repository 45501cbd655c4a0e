/* The built-in trait kinds, and interned trait sets. */
#include "plan/trait.h"

#include "base/hash.h"
#include "plan/plan_internal.h"

static const char *const conventions[] = {"logical", "vectorized", "compiled"};
static const char *const implementations[] = {"any", "hash", "perfect_hash", "nested_loop", "sort", "heap", "stream"};
static const char *const orderings[] = {"unordered", "ordered"};
static const char *const partitionings[] = {"none", "hash", "range"};
static const char *const input_modes[] = {"batch", "unbounded"};

const fl_trait_desc fl_trait_convention = {
    FL_DESC(fl_trait_desc), .name = "convention", .values = conventions, .n_values = FL_LEN(conventions),
    .doc = "who can run the operator; a plan with a logical one is not executable"};
const fl_trait_desc fl_trait_implementation = {FL_DESC(fl_trait_desc), .name = "implementation",
                                               .values = implementations, .n_values = FL_LEN(implementations),
                                               .doc = "the algorithm chosen by a lowering rule"};
const fl_trait_desc fl_trait_ordering = {FL_DESC(fl_trait_desc), .name = "ordering", .values = orderings,
                                         .n_values = FL_LEN(orderings), .doc = "whether rows come in a defined order"};
const fl_trait_desc fl_trait_partitioning = {FL_DESC(fl_trait_desc), .name = "partitioning", .values = partitionings,
                                             .n_values = FL_LEN(partitionings),
                                             .doc = "how rows are spread over workers"};
const fl_trait_desc fl_trait_input_mode = {FL_DESC(fl_trait_desc), .name = "input_mode", .values = input_modes,
                                           .n_values = FL_LEN(input_modes), .doc = "whether the input ends"};

int32_t fl_trait_get(const fl_trait_set *set, const fl_trait_desc *trait)
{
    for (int32_t i = 0; i < set->n; i++)
        if (set->values[i].trait == trait)
            return set->values[i].value;
    return 0;
}

const fl_trait_set *fl_trait_none(const fl_plan *plan)
{
    return plan->no_traits;
}

static bool is_same_set(const void *a, const void *b)
{
    const fl_trait_set *x = a, *y = b;
    return x->n == y->n && memcmp(x->values, y->values, (size_t)x->n * sizeof(x->values[0])) == 0;
}

static uint64_t hash_set(const fl_trait_set *set)
{
    uint64_t hash = 0x7A175;
    for (int32_t i = 0; i < set->n; i++) {
        fl_str name = fl_str_of(set->values[i].trait->name);
        hash = fl_hash_combine(hash, fl_hash_bytes(name.data, name.len));
        hash = fl_hash_combine(hash, (uint64_t)set->values[i].value);
    }
    return hash;
}

fl_status fl_trait_with(fl_plan *plan, const fl_trait_set *set, const fl_trait_desc *trait, int32_t value,
                        const fl_trait_set **ret, fl_err *err)
{
    if (fl_trait_get(set, trait) == value) {
        *ret = set;
        return FL_OK;
    }
    fl_trait_set *made = NULL;
    fl_status st = fl_arena_get_zero(
        &plan->arena, (int64_t)sizeof(*made) + (set->n + 1) * (int64_t)sizeof(fl_trait_value), (void **)&made, err);
    if (st != FL_OK)
        return st;
    bool placed = value == 0; /* the default is left out */
    for (int32_t i = 0; i < set->n; i++) {
        if (set->values[i].trait == trait)
            continue;
        if (!placed && strcmp(trait->name, set->values[i].trait->name) < 0) {
            made->values[made->n++] = (fl_trait_value){trait, value};
            placed = true;
        }
        made->values[made->n++] = set->values[i];
    }
    if (!placed)
        made->values[made->n++] = (fl_trait_value){trait, value};
    if (made->n == 0) {
        *ret = plan->no_traits;
        return FL_OK;
    }
    for (int32_t i = 0; i < made->n; i++) { /* padding takes part in the comparison */
        fl_trait_value clean;
        memset(&clean, 0, sizeof(clean));
        clean.trait = made->values[i].trait;
        clean.value = made->values[i].value;
        memcpy(&made->values[i], &clean, sizeof(clean));
    }
    made->hash = hash_set(made);
    const fl_trait_set *known = fl_intern_find(&plan->traits, made->hash, is_same_set, made);
    if (known == NULL) {
        if ((st = fl_intern_add(plan, &plan->traits, made->hash, made, err)) != FL_OK)
            return st;
        known = made;
    }
    *ret = known;
    return FL_OK;
}

bool fl_trait_set_satisfies(const fl_trait_set *have, const fl_trait_set *want)
{
    for (int32_t i = 0; i < want->n; i++) {
        const fl_trait_desc *trait = want->values[i].trait;
        int32_t a = fl_trait_get(have, trait), b = want->values[i].value;
        if (trait->satisfies != NULL ? !trait->satisfies(a, b) : a != b && b != 0)
            return false;
    }
    return true;
}

void fl_trait_print(fl_text *text, const fl_trait_set *set)
{
    if (fl_trait_get(set, &fl_trait_convention) == FL_LOGICAL)
        fl_text_add(text, FL_STR("logical"));
    bool first = fl_trait_get(set, &fl_trait_convention) != FL_LOGICAL;
    for (int32_t i = 0; i < set->n; i++) {
        const fl_trait_value *v = &set->values[i];
        if (!first)
            fl_text_add(text, FL_STR(", "));
        first = false;
        if (v->trait->values != NULL && v->value < v->trait->n_values)
            fl_text_add(text, fl_str_of(v->trait->values[v->value]));
        else
            fl_text_addf(text, "%s=%d", v->trait->name, v->value);
    }
}
