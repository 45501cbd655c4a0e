/* Values of traits and their payloads, interned in a plan, and sets of them. The kinds: plan/trait_kinds.c. */
#include "plan/trait.h"

#include "base/hash.h"
#include "plan/plan_internal.h"
#include "plan/registry.h"

/* ---- payloads ---- */

static const _Alignas(16) char zeros[256]; /* the default payload of every kind */

typedef struct payload_key {
    const fl_trait_desc *trait;
    const void *payload;
} payload_key;

static bool is_same_payload(const void *ctx, const void *thing)
{
    const payload_key *key = ctx;
    const fl_trait_payload_entry *known = thing;
    return key->trait == known->trait &&
           fl_fields_are_same(key->trait->fields, key->trait->n_fields, key->payload, known->payload);
}

static uint64_t hash_payload(const fl_trait_desc *trait, const void *payload)
{
    return fl_fields_hash(trait->fields, trait->n_fields, payload,
                          fl_hash_bytes(trait->name, (int64_t)strlen(trait->name)));
}

fl_status fl_trait_intern(fl_plan *plan, const fl_trait_desc *trait, const void *payload, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_trait_payload_entry *made = NULL;
    void *copy = NULL;
    FL_ASSERT(trait->payload_bytes > 0 && trait->payload_bytes <= (int32_t)sizeof(zeros));
    if (fl_fields_are_same(trait->fields, trait->n_fields, payload, zeros)) {
        *ret = 0;
        return FL_OK;
    }
    FL_ASSERT(plan->making != NULL);
    payload_key key = {trait, payload};
    uint64_t hash = hash_payload(trait, payload);
    const fl_trait_payload_entry *known = fl_intern_find(&plan->making->payload_places, hash, is_same_payload, &key);
    if (known != NULL) {
        *ret = known->value;
        return FL_OK;
    }
    FL_TRY(fl_grow(plan->memory, (void **)&plan->payloads, &plan->making->payloads_capacity, plan->n_payloads + 1,
                   (int64_t)sizeof(const fl_trait_payload_entry *), err));
    FL_TRY(FL_NEW(fl_plan_arena(plan), &made, err));
    FL_TRY(fl_arena_get(fl_plan_arena(plan), trait->payload_bytes, &copy, err));
    memcpy(copy, payload, (size_t)trait->payload_bytes);
    FL_TRY(fl_fields_copy(fl_plan_arena(plan), trait->fields, trait->n_fields, copy, err));
    *made = (fl_trait_payload_entry){trait, copy, hash, plan->n_payloads + 1};
    FL_TRY(fl_intern_add(plan, &plan->making->payload_places, hash, made, err));
    plan->payloads[plan->n_payloads++] = made;
    *ret = made->value;
cleanup:
    return st;
}

static const fl_trait_payload_entry *entry_of(const fl_plan *plan, const fl_trait_desc *trait, int32_t value)
{
    FL_ASSERT(value >= 1 && value <= plan->n_payloads && plan->payloads[value - 1]->trait == trait);
    return plan->payloads[value - 1];
}

const void *fl_trait_payload(const fl_plan *plan, const fl_trait_desc *trait, int32_t value)
{
    return value == 0 ? NULL : entry_of(plan, trait, value)->payload;
}

/* ---- the lattice ---- */

bool fl_trait_satisfies(const fl_plan *plan, const fl_trait_desc *trait, int32_t a, int32_t b)
{
    return a == b || b == 0 || (a != 0 && trait->satisfies != NULL && trait->satisfies(plan, a, b));
}

fl_status fl_trait_combine(fl_plan *plan, const fl_trait_desc *trait, int32_t a, int32_t b, int32_t *ret, fl_err *err)
{
    *ret = FL_TRAIT_NONE;
    if (fl_trait_satisfies(plan, trait, a, b))
        *ret = a;
    else if (fl_trait_satisfies(plan, trait, b, a))
        *ret = b;
    else if (trait->combine != NULL)
        return trait->combine(plan, a, b, ret, err);
    return FL_OK;
}

fl_status fl_trait_project(fl_plan *plan, const fl_trait_desc *trait, int32_t value, const fl_col_map *map,
                           int32_t *ret, fl_err *err)
{
    if (value != 0 && trait->project != NULL)
        return trait->project(plan, value, map, ret, err);
    *ret = value;
    return FL_OK;
}

fl_col_id fl_col_map_get(const fl_col_map *map, fl_col_id col)
{
    for (int32_t i = 0; i < map->n; i++)
        if (fl_col_is_equal(map->from[i], col))
            return map->to[i];
    return (fl_col_id){0};
}

/* ---- sets ---- */

int32_t fl_trait_get(const fl_trait_set *set, const fl_trait_desc *trait)
{
    for (int32_t i = 0; i < set->n; i++)
        if (set->values[i].trait == trait)
            return set->values[i].value;
    return 0;
}

const fl_trait_set fl_trait_set_none;

const fl_trait_set *fl_trait_none(const fl_plan *plan)
{
    (void)plan;
    return &fl_trait_set_none;
}

static bool is_same_set(const void *a, const void *b)
{
    const fl_trait_set *x = a, *y = b;
    return x->n == y->n && memcmp(x->values, y->values, (size_t)x->n * sizeof(x->values[0])) == 0;
}

/* Of an enumerated kind; NULL: the value has no name. */
static const char *name_of(const fl_plan *plan, const fl_trait_value *v)
{
    if (v->value < v->trait->n_values)
        return v->trait->values[v->value];
    return v->trait->values == NULL ? NULL : fl_registry_trait_value_name(plan->registry, v->trait, v->value);
}

static uint64_t hash_value(const fl_plan *plan, const fl_trait_value *v)
{
    const char *name = name_of(plan, v);
    if (v->trait->payload_bytes > 0)
        return entry_of(plan, v->trait, v->value)->hash;
    return name != NULL ? fl_hash_bytes(name, (int64_t)strlen(name)) : (uint64_t)v->value;
}

static uint64_t hash_set(const fl_plan *plan, const fl_trait_set *set)
{
    uint64_t hash = 0x7A175;
    for (int32_t i = 0; i < set->n; i++) {
        fl_str name = fl_str_of(set->values[i].trait->name);
        hash = fl_hash_combine(hash, fl_hash_bytes(name.data, name.len));
        hash = fl_hash_combine(hash, hash_value(plan, &set->values[i]));
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
    FL_ASSERT(value >= 0);
    fl_trait_set *made = NULL;
    fl_status st =
        fl_arena_get_zero(fl_plan_arena(plan), (int64_t)sizeof(*made) + (set->n + 1) * (int64_t)sizeof(fl_trait_value),
                          (void **)&made, err);
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
        *ret = &fl_trait_set_none;
        return FL_OK;
    }
    for (int32_t i = 0; i < made->n; i++) { /* padding takes part in the comparison */
        fl_trait_value clean;
        memset(&clean, 0, sizeof(clean));
        clean.trait = made->values[i].trait;
        clean.value = made->values[i].value;
        memcpy(&made->values[i], &clean, sizeof(clean));
    }
    made->hash = hash_set(plan, made);
    const fl_trait_set *known = fl_intern_find(&plan->making->traits, made->hash, is_same_set, made);
    if (known == NULL) {
        if ((st = fl_intern_add(plan, &plan->making->traits, made->hash, made, err)) != FL_OK)
            return st;
        known = made;
    }
    *ret = known;
    return FL_OK;
}

bool fl_trait_set_satisfies(const fl_plan *plan, const fl_trait_set *have, const fl_trait_set *want)
{
    for (int32_t i = 0; i < want->n; i++) {
        const fl_trait_desc *trait = want->values[i].trait;
        if (!fl_trait_satisfies(plan, trait, fl_trait_get(have, trait), want->values[i].value))
            return false;
    }
    return true;
}

static void print_value(fl_text *text, const fl_plan *plan, const fl_trait_value *v)
{
    const char *name = name_of(plan, v);
    if (v->trait->print != NULL)
        v->trait->print(text, plan, v->value);
    else if (name != NULL)
        fl_text_add(text, fl_str_of(name));
    else
        fl_text_addf(text, "%s=%d", v->trait->name, v->value);
}

void fl_trait_print(fl_text *text, const fl_plan *plan, const fl_trait_set *set)
{
    if (fl_trait_get(set, &fl_trait_convention) == FL_LOGICAL)
        fl_text_add(text, FL_STR("logical"));
    bool first = fl_trait_get(set, &fl_trait_convention) != FL_LOGICAL;
    for (int32_t i = 0; i < set->n; i++) {
        if (!first)
            fl_text_add(text, FL_STR(", "));
        first = false;
        print_value(text, plan, &set->values[i]);
    }
}
