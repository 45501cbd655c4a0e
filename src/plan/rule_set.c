/* Ordering phases (a stable topological sort) and sorting rules into lists. Everything here is small: loops over all do. */
#include "plan/rule_set.h"

#include "base/nearest.h"
#include "base/text.h"

/* ---- the order of phases ------------------------------------------------------------------------------------------ */

typedef struct ordering {
    const fl_phase_desc *const *phases;
    int32_t n;
    bool *is_placed; /* [n] */
} ordering;

static bool gives(const fl_phase_desc *phase, const char *name)
{
    if (strcmp(phase->name, name) == 0)
        return true;
    for (const char *const *given = phase->gives; given != NULL && *given != NULL; given++)
        if (strcmp(*given, name) == 0)
            return true;
    return false;
}

static fl_status check_needs(const ordering *o, const fl_phase_desc *phase, fl_err *err)
{
    for (const char *const *need = phase->needs; need != NULL && *need != NULL; need++) {
        bool found = false;
        for (int32_t i = 0; i < o->n && !found; i++)
            found = gives(o->phases[i], *need);
        if (found)
            continue;
        fl_nearest near;
        fl_status st =
            FL_FAIL(err, FL_ERR_CONFIG, "the phase %s needs \"%s\", which no phase gives", phase->name, *need);
        fl_nearest_init(&near, fl_str_of(*need));
        for (int32_t i = 0; i < o->n; i++) {
            fl_nearest_offer(&near, fl_str_of(o->phases[i]->name));
            for (const char *const *given = o->phases[i]->gives; given != NULL && *given != NULL; given++)
                fl_nearest_offer(&near, fl_str_of(*given));
        }
        fl_nearest_hint(&near, err);
        return st;
    }
    return FL_OK;
}

/* The first phase that has to run before this one and has no place yet; -1: none. */
static int32_t waits_for(const ordering *o, int32_t phase)
{
    for (const char *const *need = o->phases[phase]->needs; need != NULL && *need != NULL; need++)
        for (int32_t i = 0; i < o->n; i++)
            if (!o->is_placed[i] && gives(o->phases[i], *need))
                return i;
    return -1;
}

/* Nothing can be placed, so whoever follows the waiting comes into a cycle; who was met n times ago is in it. */
static fl_status fail_cycle(const ordering *o, fl_err *err)
{
    int32_t first = 0;
    while (o->is_placed[first])
        first++;
    for (int32_t i = 0; i < o->n; i++)
        first = waits_for(o, first);
    fl_text text;
    fl_text_init(&text, NULL);
    int32_t at = first;
    do {
        fl_text_addf(&text, "%s%s", at == first ? "" : ", ", o->phases[at]->name);
        at = waits_for(o, at);
    } while (at != first);
    fl_str names = fl_text_str(&text);
    fl_status st =
        FL_FAIL(err, FL_ERR_CONFIG, "phases wait for each other, each for the next: %.*s", FL_STR_ARG(names));
    fl_text_drop(&text);
    return st;
}

/* Each round places the first phase, in order of registration, that waits for none. */
static fl_status order_phases(ordering *o, fl_phase_rules *ret, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < o->n; i++)
        FL_TRY(check_needs(o, o->phases[i], err));
    for (int32_t done = 0; done < o->n; done++) {
        int32_t next = 0;
        while (next < o->n && (o->is_placed[next] || waits_for(o, next) >= 0))
            next++;
        if (next == o->n)
            return fail_cycle(o, err);
        o->is_placed[next] = true;
        ret[done].phase = o->phases[next];
    }
cleanup:
    return st;
}

/* ---- rules -------------------------------------------------------------------------------------------------------- */

static int32_t slot_of(const fl_rule_set *set, const fl_op_desc *op)
{
    int32_t mask = set->class_slots - 1;
    int32_t slot = (int32_t)(((uint64_t)(uintptr_t)op * 0x9E3779B97F4A7C15ull) >> 40) & mask;
    while (set->classes[slot] != NULL && set->classes[slot] != op)
        slot = (slot + 1) & mask;
    return slot;
}

/* The list has room for all rules. */
static void insert(fl_rule_list *list, const fl_rule_entry *entry)
{
    int32_t at = list->n++;
    for (; at > 0 && list->entries[at - 1]->rule->promise < entry->rule->promise; at--)
        list->entries[at] = list->entries[at - 1];
    list->entries[at] = entry;
}

static fl_status check_phase(const fl_phase_rules *phases, int32_t n, const fl_rule_desc *rule, fl_err *err)
{
    for (int32_t i = 0; i < n; i++)
        if (strcmp(phases[i].phase->name, rule->phase) == 0)
            return FL_OK;
    fl_nearest near;
    fl_status st =
        FL_FAIL(err, FL_ERR_CONFIG, "the rule %s is of the phase \"%s\", which there is not", rule->name, rule->phase);
    fl_nearest_init(&near, fl_str_of(rule->phase));
    for (int32_t i = 0; i < n; i++)
        fl_nearest_offer(&near, fl_str_of(phases[i].phase->name));
    fl_nearest_hint(&near, err);
    return st;
}

bool fl_phase_replaces(const fl_phase_desc *search, const fl_phase_desc *phase)
{
    for (const char *const *name = search->replaces; name != NULL && *name != NULL; name++)
        if (strcmp(*name, phase->name) == 0)
            return true;
    return false;
}

static fl_status check_replaced(const fl_phase_rules *phases, int32_t n, const fl_phase_desc *search, fl_err *err)
{
    for (const char *const *name = search->replaces; name != NULL && *name != NULL; name++) {
        bool found = false;
        for (int32_t i = 0; i < n && !found; i++)
            found = strcmp(phases[i].phase->name, *name) == 0;
        if (!found)
            return FL_FAIL(err, FL_ERR_CONFIG, "the phase %s replaces the phase \"%s\", which there is not",
                           search->name, *name);
    }
    return FL_OK;
}

static fl_status sort_rules(const fl_rule_set *set, fl_phase_rules *phase, const fl_rule_entry *rules, fl_arena *arena,
                            fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n = 0;
    for (int32_t i = 0; i < set->n_rules; i++)
        n += strcmp(rules[i].rule->phase, phase->phase->name) == 0;
    FL_TRY(FL_NEW_ARRAY(arena, n, &phase->on_root.entries, err));
    FL_TRY(FL_NEW_ARRAY(arena, n, &phase->on_any.entries, err));
    FL_TRY(FL_NEW_ARRAY(arena, set->class_slots, &phase->on_class, err));
    for (int32_t c = 0; c < set->class_slots; c++)
        if (set->classes[c] != NULL)
            FL_TRY(FL_NEW_ARRAY(arena, n, &phase->on_class[c].entries, err));
    for (int32_t i = 0; i < set->n_rules; i++) {
        const fl_op_desc *op = rules[i].pattern->nodes[0].op;
        if (strcmp(rules[i].rule->phase, phase->phase->name) != 0)
            continue;
        if (rules[i].pattern->is_root) {
            insert(&phase->on_root, &rules[i]);
            continue;
        }
        if (op == NULL)
            insert(&phase->on_any, &rules[i]);
        for (int32_t c = 0; c < set->class_slots; c++)
            if (set->classes[c] != NULL && (op == NULL || op == set->classes[c]))
                insert(&phase->on_class[c], &rules[i]);
    }
cleanup:
    return st;
}

fl_status fl_rule_set_make(const fl_phase_desc *const *phases, int32_t n_phases, const fl_op_desc *const *ops,
                           int32_t n_ops, const fl_rule_entry *rules, int32_t n_rules, fl_arena *arena,
                           fl_rule_set *ret, fl_err *err)
{
    fl_status st = FL_OK;
    ordering o = {.phases = phases, .n = n_phases};
    fl_rule_set set = {.n_phases = n_phases, .n_rules = n_rules, .class_slots = 8};
    while (set.class_slots < n_ops * 2)
        set.class_slots *= 2;
    FL_TRY(FL_NEW_ARRAY(arena, n_phases, &o.is_placed, err));
    FL_TRY(FL_NEW_ARRAY(arena, n_phases, &set.phases, err));
    FL_TRY(FL_NEW_ARRAY(arena, set.class_slots, &set.classes, err));
    FL_TRY(order_phases(&o, set.phases, err));
    for (int32_t i = 0; i < n_ops; i++)
        set.classes[slot_of(&set, ops[i])] = ops[i];
    for (int32_t i = 0; i < n_phases; i++)
        FL_TRY(check_replaced(set.phases, n_phases, phases[i], err));
    for (int32_t i = 0; i < n_rules; i++)
        FL_TRY(check_phase(set.phases, n_phases, rules[i].rule, err));
    for (int32_t i = 0; i < n_phases; i++)
        FL_TRY(sort_rules(&set, &set.phases[i], rules, arena, err));
    *ret = set;
cleanup:
    return st;
}

const fl_rule_list *fl_rule_set_of_class(const fl_rule_set *set, const fl_phase_rules *phase, const fl_op_desc *op)
{
    int32_t slot = slot_of(set, op);
    return set->classes[slot] == NULL ? &phase->on_any : &phase->on_class[slot];
}
