/* The registry: a list per kind, which grows until it is sealed. Functions are looked up often while binding, so they are also hashed by name. */
#include "plan/registry.h"

#include "base/hash.h"
#include "plan/rule_set.h"

#define NAME_SLOTS 4096 /* power of two, several times the functions there are */

typedef struct list {
    const void **items;
    int64_t capacity;
    int32_t n;
} list;

/* A value that was added to a trait: the trait's own and those added to it before come first. */
typedef struct trait_value {
    const fl_trait_desc *trait;
    const char *name;
    int32_t value;
} trait_value;

/* A user's function: a scalar one or an aggregate. */
typedef struct user_func {
    const fl_func_desc *func;
    const fl_agg_desc *agg;
    fl_func_owner *owner;
} user_func;

struct fl_registry {
    _Atomic int32_t refs;
    bool is_sealed;
    list ops, traits, rules, phases, funcs, aggs, formats, writers;
    const fl_func_desc *func_by_name[NAME_SLOTS];
    const fl_agg_desc *agg_by_name[NAME_SLOTS];
    user_func *user_funcs; /* which are in funcs or aggs, too */
    int64_t user_funcs_capacity;
    int32_t n_user_funcs;
    trait_value *trait_values;
    int64_t trait_values_capacity;
    int32_t n_trait_values;
    fl_arena arena;          /* compiled patterns, lists of rules */
    fl_rule_entry *compiled; /* parallel to rules */
    int64_t compiled_capacity;
    fl_rule_set rule_set; /* when sealed */
};

fl_status fl_registry_new(fl_registry **ret, fl_err *err)
{
    fl_status st = fl_alloc_zero(NULL, (int64_t)sizeof(**ret), (void **)ret, err);
    if (st != FL_OK)
        return st;
    atomic_store(&(*ret)->refs, 1);
    fl_arena_init(&(*ret)->arena, NULL);
    return FL_OK;
}

/* The count is all that changes of a sealed registry. */
const fl_registry *fl_registry_ref(const fl_registry *registry)
{
    atomic_fetch_add(&((fl_registry *)registry)->refs, 1);
    return registry;
}

static void unref_owner(fl_func_owner *owner)
{
    if (atomic_fetch_sub(&owner->refs, 1) == 1)
        owner->free(owner);
}

void fl_registry_unref(const fl_registry *shared)
{
    fl_registry *registry = (fl_registry *)shared;
    if (registry == NULL || atomic_fetch_sub(&registry->refs, 1) > 1)
        return;
    list *lists[] = {&registry->ops,   &registry->traits, &registry->rules,   &registry->phases,
                     &registry->funcs, &registry->aggs,   &registry->formats, &registry->writers};
    for (int64_t i = 0; i < FL_LEN(lists); i++)
        fl_free(lists[i]->items);
    for (int32_t i = 0; i < registry->n_user_funcs; i++)
        unref_owner(registry->user_funcs[i].owner);
    fl_free(registry->user_funcs);
    fl_free(registry->trait_values);
    fl_free(registry->compiled);
    fl_arena_drop(&registry->arena);
    fl_free(registry);
}

static fl_status copy_list(const list *from, list *to, fl_err *err)
{
    fl_status st = fl_grow(NULL, (void **)&to->items, &to->capacity, from->n, (int64_t)sizeof(void *), err);
    if (st != FL_OK || from->n == 0)
        return st;
    memcpy(to->items, from->items, (size_t)from->n * sizeof(void *));
    to->n = from->n;
    return FL_OK;
}

fl_status fl_registry_copy(const fl_registry *from, fl_registry **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_registry *copy = NULL;
    FL_TRY(fl_registry_new(&copy, err));
    FL_TRY(copy_list(&from->ops, &copy->ops, err));
    FL_TRY(copy_list(&from->traits, &copy->traits, err));
    FL_TRY(copy_list(&from->phases, &copy->phases, err));
    FL_TRY(copy_list(&from->funcs, &copy->funcs, err));
    FL_TRY(copy_list(&from->aggs, &copy->aggs, err));
    FL_TRY(copy_list(&from->formats, &copy->formats, err));
    FL_TRY(copy_list(&from->writers, &copy->writers, err));
    memcpy(copy->func_by_name, from->func_by_name, sizeof(copy->func_by_name));
    memcpy(copy->agg_by_name, from->agg_by_name, sizeof(copy->agg_by_name));
    FL_TRY(fl_grow(NULL, (void **)&copy->user_funcs, &copy->user_funcs_capacity, from->n_user_funcs,
                   (int64_t)sizeof(*copy->user_funcs), err));
    for (int32_t i = 0; i < from->n_user_funcs; i++) {
        copy->user_funcs[copy->n_user_funcs++] = from->user_funcs[i];
        atomic_fetch_add(&from->user_funcs[i].owner->refs, 1);
    }
    for (int32_t i = 0; i < from->n_trait_values; i++) {
        int32_t value;
        FL_TRY(fl_registry_add_trait_value(copy, from->trait_values[i].trait, from->trait_values[i].name, &value, err));
    }
    for (int32_t i = 0; i < from->rules.n; i++)
        FL_TRY(fl_registry_add_rule(copy, from->rules.items[i], err));
    *ret = copy;
    return FL_OK;
cleanup:
    fl_registry_unref(copy);
    return st;
}

fl_status fl_registry_seal(fl_registry *registry, fl_err *err)
{
    fl_status st = fl_rule_set_make((const fl_phase_desc *const *)registry->phases.items, registry->phases.n,
                                    (const fl_op_desc *const *)registry->ops.items, registry->ops.n, registry->compiled,
                                    registry->rules.n, &registry->arena, &registry->rule_set, err);
    registry->is_sealed = st == FL_OK;
    return st;
}

const fl_rule_set *fl_registry_rule_set(const fl_registry *registry)
{
    return registry->is_sealed ? &registry->rule_set : NULL;
}

static fl_status check_open(const fl_registry *registry, const char *kind, const char *name, fl_err *err)
{
    if (!registry->is_sealed)
        return FL_OK;
    return FL_FAIL(err, FL_ERR_CONFIG, "the %s \"%s\" comes too late: the registry is sealed", kind, name);
}

/* Every descriptor has its name behind `size`; so lists can be searched without knowing the kind. */
typedef struct named {
    uint32_t size;
    const char *name;
} named;

static const void *find(const list *l, fl_str name)
{
    for (int32_t i = 0; i < l->n; i++)
        if (fl_str_is_equal_nocase(fl_str_of(((const named *)l->items[i])->name), name))
            return l->items[i];
    return NULL;
}

static fl_status add(const fl_registry *registry, list *l, const void *item, const char *kind, fl_err *err)
{
    const named *n = item;
    fl_status st = check_open(registry, kind, n->name, err);
    if (st != FL_OK)
        return st;
    if (find(l, fl_str_of(n->name)) != NULL)
        return FL_FAIL(err, FL_ERR_DUPLICATE, "a %s named \"%s\" is registered already", kind, n->name);
    st = fl_grow(NULL, (void **)&l->items, &l->capacity, l->n + 1, (int64_t)sizeof(void *), err);
    if (st == FL_OK)
        l->items[l->n++] = item;
    return st;
}

fl_status fl_registry_add_op(fl_registry *registry, const fl_op_desc *op, fl_err *err)
{
    if (strcmp(op->name, "root") == 0) /* which in a pattern is the whole plan */
        return FL_FAIL(err, FL_ERR_CONFIG, "an operator cannot be named \"root\"");
    return add(registry, &registry->ops, op, "operator", err);
}

fl_status fl_registry_add_trait(fl_registry *registry, const fl_trait_desc *trait, fl_err *err)
{
    return add(registry, &registry->traits, trait, "trait", err);
}

fl_status fl_registry_add_trait_value(fl_registry *registry, const fl_trait_desc *trait, const char *name, int32_t *ret,
                                      fl_err *err)
{
    int32_t value = trait->n_values;
    FL_ASSERT(trait->values != NULL);
    if (fl_registry_trait_value(registry, trait, fl_str_of(name)) != FL_TRAIT_NONE)
        return FL_FAIL(err, FL_ERR_DUPLICATE, "the trait %s has a value named \"%s\" already", trait->name, name);
    for (int32_t i = 0; i < registry->n_trait_values; i++)
        value += registry->trait_values[i].trait == trait;
    fl_status st = fl_grow(NULL, (void **)&registry->trait_values, &registry->trait_values_capacity,
                           registry->n_trait_values + 1, (int64_t)sizeof(*registry->trait_values), err);
    if (st != FL_OK)
        return st;
    registry->trait_values[registry->n_trait_values++] = (trait_value){trait, name, value};
    *ret = value;
    return FL_OK;
}

int32_t fl_registry_trait_value(const fl_registry *registry, const fl_trait_desc *trait, fl_str name)
{
    for (int32_t i = 0; i < trait->n_values; i++)
        if (fl_str_is_equal_nocase(fl_str_of(trait->values[i]), name))
            return i;
    for (int32_t i = 0; i < registry->n_trait_values; i++) {
        const trait_value *v = &registry->trait_values[i];
        if (v->trait == trait && fl_str_is_equal_nocase(fl_str_of(v->name), name))
            return v->value;
    }
    return FL_TRAIT_NONE;
}

const char *fl_registry_trait_value_name(const fl_registry *registry, const fl_trait_desc *trait, int32_t value)
{
    for (int32_t i = 0; i < registry->n_trait_values; i++)
        if (registry->trait_values[i].trait == trait && registry->trait_values[i].value == value)
            return registry->trait_values[i].name;
    return NULL;
}

fl_status fl_registry_add_rule(fl_registry *registry, const fl_rule_desc *rule, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_pattern *pattern = NULL;
    FL_TRY(check_open(registry, "rule", rule->name, err));
    FL_TRY(fl_pattern_compile(registry, rule->name, rule->pattern, &registry->arena, &pattern, err));
    if (!pattern->is_root && !(rule->keeps & FL_KEEPS_COLS))
        return FL_FAIL(err, FL_ERR_CONFIG, "rule %s, pattern \"%s\": what replaces a part of a plan keeps its columns",
                       rule->name, rule->pattern);
    FL_TRY(fl_grow(NULL, (void **)&registry->compiled, &registry->compiled_capacity, registry->rules.n + 1,
                   (int64_t)sizeof(*registry->compiled), err));
    FL_TRY(add(registry, &registry->rules, rule, "rule", err));
    int32_t index = registry->rules.n - 1;
    registry->compiled[index] = (fl_rule_entry){.rule = rule, .pattern = pattern, .index = index};
cleanup:
    return st;
}

fl_status fl_registry_add_phase(fl_registry *registry, const fl_phase_desc *phase, fl_err *err)
{
    return add(registry, &registry->phases, phase, "phase", err);
}

fl_status fl_registry_add_format(fl_registry *registry, const fl_format_desc *format, fl_err *err)
{
    return add(registry, &registry->formats, format, "format", err);
}

fl_status fl_registry_add_writer(fl_registry *registry, const fl_writer_desc *writer, fl_err *err)
{
    return add(registry, &registry->writers, writer, "writer", err);
}

static uint32_t name_slot(fl_str name)
{
    uint32_t hash = 2166136261u; /* FNV-1a over lower-cased letters */
    for (int64_t i = 0; i < name.len; i++)
        hash = (hash ^ (uint8_t)fl_char_lower(name.data[i])) * 16777619u;
    return (hash ^ hash >> 15) & (NAME_SLOTS - 1);
}

static void index_name(const void **slots, const void *item)
{
    uint32_t i = name_slot(fl_str_of(((const named *)item)->name));
    while (slots[i] != NULL)
        i = (i + 1) & (NAME_SLOTS - 1);
    slots[i] = item;
}

static const void *look_up(const void *const *slots, fl_str name)
{
    for (uint32_t i = name_slot(name); slots[i] != NULL; i = (i + 1) & (NAME_SLOTS - 1))
        if (fl_str_is_equal_nocase(fl_str_of(((const named *)slots[i])->name), name))
            return slots[i];
    return NULL;
}

static fl_status add_named(list *l, const void **slots, const void *item, const char *kind, fl_err *err)
{
    const char *name = ((const named *)item)->name;
    if (look_up(slots, fl_str_of(name)) != NULL)
        return FL_FAIL(err, FL_ERR_DUPLICATE, "a %s named \"%s\" is registered already", kind, name);
    if (l->n >= NAME_SLOTS / 2)
        return FL_FAIL(err, FL_ERR_LIMIT, "more than %d %ss are registered", NAME_SLOTS / 2, kind);
    fl_status st = fl_grow(NULL, (void **)&l->items, &l->capacity, l->n + 1, (int64_t)sizeof(void *), err);
    if (st != FL_OK)
        return st;
    l->items[l->n++] = item;
    index_name(slots, item);
    return FL_OK;
}

static fl_status fail_alias(const char *name, const char *target, fl_err *err)
{
    return FL_FAIL(err, FL_ERR_CONFIG, "\"%s\" is to be another name of \"%s\", which is not registered", name, target);
}

fl_status fl_registry_add_funcs(fl_registry *registry, const fl_func_set *set, fl_err *err)
{
    fl_status st = FL_OK;
    if (set->n_funcs + set->n_aggs > 0)
        st = check_open(registry, "function", set->n_funcs > 0 ? set->funcs[0].name : set->aggs[0].name, err);
    for (int32_t i = 0; i < set->n_funcs && st == FL_OK; i++) {
        const char *target = set->funcs[i].alias_of;
        if (target != NULL && fl_registry_func(registry, fl_str_of(target)) == NULL)
            return fail_alias(set->funcs[i].name, target, err);
        st = add_named(&registry->funcs, (const void **)registry->func_by_name, &set->funcs[i], "function", err);
    }
    for (int32_t i = 0; i < set->n_aggs && st == FL_OK; i++) {
        const char *target = set->aggs[i].alias_of;
        if (target != NULL && fl_registry_agg(registry, fl_str_of(target)) == NULL)
            return fail_alias(set->aggs[i].name, target, err);
        st = add_named(&registry->aggs, (const void **)registry->agg_by_name, &set->aggs[i], "aggregate", err);
    }
    return st;
}

static const char *user_func_name(const user_func *f)
{
    return f->func != NULL ? f->func->name : f->agg->name;
}

static void remove_item(list *l, const void **slots, const void *item)
{
    int32_t at = 0;
    while (l->items[at] != item)
        at++;
    memmove(&l->items[at], &l->items[at + 1], (size_t)(l->n - at - 1) * sizeof(void *));
    l->n--;
    memset(slots, 0, NAME_SLOTS * sizeof(void *)); /* entries behind it may have been pushed on by it */
    for (int32_t i = 0; i < l->n; i++)
        index_name(slots, l->items[i]);
}

bool fl_registry_remove_user_func(fl_registry *registry, fl_str name)
{
    int32_t at = 0;
    FL_ASSERT(!registry->is_sealed);
    while (at < registry->n_user_funcs &&
           !fl_str_is_equal_nocase(fl_str_of(user_func_name(&registry->user_funcs[at])), name))
        at++;
    if (at == registry->n_user_funcs)
        return false;
    user_func found = registry->user_funcs[at];
    if (found.func != NULL)
        remove_item(&registry->funcs, (const void **)registry->func_by_name, found.func);
    else
        remove_item(&registry->aggs, (const void **)registry->agg_by_name, found.agg);
    registry->user_funcs[at] = registry->user_funcs[--registry->n_user_funcs];
    unref_owner(found.owner);
    return true;
}

void fl_registry_remove_user_funcs(fl_registry *registry)
{
    while (registry->n_user_funcs > 0)
        fl_registry_remove_user_func(registry, fl_str_of(user_func_name(&registry->user_funcs[0])));
}

fl_status fl_registry_put_user_func(fl_registry *registry, const fl_func_desc *func, const fl_agg_desc *agg,
                                    fl_func_owner *owner, fl_err *err)
{
    fl_status st = FL_OK;
    FL_ASSERT((func != NULL) != (agg != NULL));
    fl_str name = fl_str_of(func != NULL ? func->name : agg->name);
    FL_TRY(check_open(registry, "function", name.data, err));
    fl_registry_remove_user_func(registry, name);
    if (fl_registry_func(registry, name) != NULL || fl_registry_agg(registry, name) != NULL)
        return FL_FAIL(err, FL_ERR_DUPLICATE, "\"%s\" is a built-in function: its name cannot be taken", name.data);
    FL_TRY(fl_grow(NULL, (void **)&registry->user_funcs, &registry->user_funcs_capacity, registry->n_user_funcs + 1,
                   (int64_t)sizeof(*registry->user_funcs), err));
    FL_TRY(func != NULL ? add_named(&registry->funcs, (const void **)registry->func_by_name, func, "function", err)
                        : add_named(&registry->aggs, (const void **)registry->agg_by_name, agg, "aggregate", err));
    registry->user_funcs[registry->n_user_funcs++] = (user_func){func, agg, owner};
    atomic_fetch_add(&owner->refs, 1);
cleanup:
    return st;
}

const fl_op_desc *fl_registry_op(const fl_registry *registry, fl_str name)
{
    return find(&registry->ops, name);
}

const fl_trait_desc *fl_registry_trait(const fl_registry *registry, fl_str name)
{
    return find(&registry->traits, name);
}

const fl_func_desc *fl_registry_func(const fl_registry *registry, fl_str name)
{
    const fl_func_desc *func = look_up((const void *const *)registry->func_by_name, name);
    if (func != NULL && func->alias_of != NULL)
        func = look_up((const void *const *)registry->func_by_name, fl_str_of(func->alias_of));
    FL_ASSERT(func == NULL || func->alias_of == NULL);
    return func;
}

const fl_agg_desc *fl_registry_agg(const fl_registry *registry, fl_str name)
{
    const fl_agg_desc *agg = look_up((const void *const *)registry->agg_by_name, name);
    if (agg != NULL && agg->alias_of != NULL)
        agg = look_up((const void *const *)registry->agg_by_name, fl_str_of(agg->alias_of));
    FL_ASSERT(agg == NULL || agg->alias_of == NULL);
    return agg;
}

static bool has_suffix_of(fl_str path, const char *const *suffixes)
{
    for (; suffixes != NULL && *suffixes != NULL; suffixes++) {
        fl_str end = fl_str_of(*suffixes);
        if (path.len >= end.len && fl_str_is_equal_nocase((fl_str){path.data + path.len - end.len, end.len}, end))
            return true;
    }
    return false;
}

const fl_format_desc *fl_registry_format_of_path(const fl_registry *registry, fl_str path)
{
    for (int32_t i = 0; i < registry->formats.n; i++) {
        const fl_format_desc *format = registry->formats.items[i];
        if (has_suffix_of(path, format->suffixes))
            return format;
    }
    return NULL;
}

const fl_writer_desc *fl_registry_writer_of_path(const fl_registry *registry, fl_str path)
{
    for (int32_t i = 0; i < registry->writers.n; i++) {
        const fl_writer_desc *writer = registry->writers.items[i];
        if (has_suffix_of(path, writer->suffixes))
            return writer;
    }
    return NULL;
}

const fl_writer_desc *fl_registry_writer(const fl_registry *registry, fl_str name)
{
    for (int32_t i = 0; i < registry->writers.n; i++) {
        const fl_writer_desc *writer = registry->writers.items[i];
        if (fl_str_is_equal_nocase(fl_str_of(writer->name), name))
            return writer;
    }
    return NULL;
}

const fl_format_desc *fl_registry_format_of_function(const fl_registry *registry, fl_str name)
{
    for (int32_t i = 0; i < registry->formats.n; i++) {
        const fl_format_desc *format = registry->formats.items[i];
        if (fl_str_is_equal_nocase(fl_str_of(format->function), name))
            return format;
        for (const char *const *alias = format->aliases; alias != NULL && *alias != NULL; alias++)
            if (fl_str_is_equal_nocase(fl_str_of(*alias), name))
                return format;
    }
    return NULL;
}

#define LIST_OF(fn, type, field)                                       \
    type const *const *fn(const fl_registry *registry, int32_t *ret_n) \
    {                                                                  \
        *ret_n = registry->field.n;                                    \
        return (type const *const *)registry->field.items;             \
    }
LIST_OF(fl_registry_ops, fl_op_desc, ops)
LIST_OF(fl_registry_traits, fl_trait_desc, traits)
LIST_OF(fl_registry_rules, struct fl_rule_desc, rules)
LIST_OF(fl_registry_funcs, fl_func_desc, funcs)
LIST_OF(fl_registry_aggs, fl_agg_desc, aggs)
LIST_OF(fl_registry_formats, fl_format_desc, formats)
LIST_OF(fl_registry_writers, fl_writer_desc, writers)
#undef LIST_OF
