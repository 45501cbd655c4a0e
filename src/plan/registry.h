/* The registry: operators, traits, phases, rules, functions, formats, by name.
 *
 * A registry is filled, then sealed: from then on it is an immutable snapshot, which any thread may look things up in. It is
 * counted, and each plan holds the one it was begun with. To add to a sealed one is to copy it, add, seal the copy and put
 * that in its place (engine/registry.c). Descriptors are borrowed: they outlive all snapshots that hold them, but for those of
 * users' functions, whose owners the snapshots hold. */
#ifndef FL_PLAN_REGISTRY_H
#define FL_PLAN_REGISTRY_H

#include "plan/func.h"
#include "plan/node.h"
#include "plan/table.h"
#include "plan/writer.h"

struct fl_rule_desc;
struct fl_phase_desc;
struct fl_rule_set;

/** An empty one that is not sealed, with one reference. */
fl_status fl_registry_new(fl_registry **ret, fl_err *err);

/** One that is not sealed and holds what `from` does. */
fl_status fl_registry_copy(const fl_registry *from, fl_registry **ret, fl_err *err);

/** Orders phases and sorts rules; nothing can be added any more. Fails as fl_rule_set_make does, and leaves it as it was. */
fl_status fl_registry_seal(fl_registry *registry, fl_err *err);

/** References are taken and given back by any thread; the last one frees it. */
const fl_registry *fl_registry_ref(const fl_registry *registry);
void fl_registry_unref(const fl_registry *registry);

/** Adding is refused when the name is taken (FL_ERR_DUPLICATE) or the registry is sealed (FL_ERR_CONFIG). Operators and traits
 *  come before the rules whose patterns name them: a rule's pattern is compiled here (fl_pattern_compile). */
fl_status fl_registry_add_op(fl_registry *registry, const fl_op_desc *op, fl_err *err);
fl_status fl_registry_add_trait(fl_registry *registry, const fl_trait_desc *trait, fl_err *err);
fl_status fl_registry_add_rule(fl_registry *registry, const struct fl_rule_desc *rule, fl_err *err);
fl_status fl_registry_add_phase(fl_registry *registry, const struct fl_phase_desc *phase, fl_err *err);
fl_status fl_registry_add_funcs(fl_registry *registry, const fl_func_set *set, fl_err *err);
/* Keeps the descriptors of a function alive that comes and goes: each snapshot that holds the function holds a reference. */
typedef struct fl_func_owner {
    _Atomic int32_t refs;
    void (*free)(struct fl_func_owner *owner);
} fl_func_owner;

/** Adds a function of a user's, or puts it in the place of one of that name: scalar or aggregate, the other is NULL. Names of built-in
 *  functions cannot be taken (FL_ERR_DUPLICATE). The registry takes a reference of its own. */
fl_status fl_registry_put_user_func(fl_registry *registry, const fl_func_desc *func, const fl_agg_desc *agg,
                                    fl_func_owner *owner, fl_err *err);

/** Takes a function of a user's out; false when there is none of that name. */
bool fl_registry_remove_user_func(fl_registry *registry, fl_str name);

/** Takes out all of users'. */
void fl_registry_remove_user_funcs(fl_registry *registry);

fl_status fl_registry_add_format(fl_registry *registry, const fl_format_desc *format, fl_err *err);
fl_status fl_registry_add_writer(fl_registry *registry, const fl_writer_desc *writer, fl_err *err);

/** Adds a value to an enumerated trait, as an implementation that comes from outside is one. FL_ERR_DUPLICATE when the trait
 *  has one of the name. The name is borrowed. */
fl_status fl_registry_add_trait_value(fl_registry *registry, const fl_trait_desc *trait, const char *name, int32_t *ret,
                                      fl_err *err);

/** An enumerated trait's value by its name, FL_TRAIT_NONE when there is none; and the name of one that was added, NULL when
 *  there is none. */
int32_t fl_registry_trait_value(const fl_registry *registry, const fl_trait_desc *trait, fl_str name);
const char *fl_registry_trait_value_name(const fl_registry *registry, const fl_trait_desc *trait, int32_t value);

/** NULL when there is none. Function and aggregate names match case-insensitively; another name of a function (alias_of) gives that
 *  function, so that plans know it by one name. */
const fl_op_desc *fl_registry_op(const fl_registry *registry, fl_str name);
const fl_trait_desc *fl_registry_trait(const fl_registry *registry, fl_str name);
const fl_func_desc *fl_registry_func(const fl_registry *registry, fl_str name);
const fl_agg_desc *fl_registry_agg(const fl_registry *registry, fl_str name);
const fl_format_desc *fl_registry_format_of_path(const fl_registry *registry, fl_str path);
const fl_format_desc *fl_registry_format_of_function(const fl_registry *registry, fl_str name);
const fl_writer_desc *fl_registry_writer(const fl_registry *registry, fl_str name);
const fl_writer_desc *fl_registry_writer_of_path(const fl_registry *registry, fl_str path);

/** The rules as they are applied; NULL when the registry is not sealed. */
const struct fl_rule_set *fl_registry_rule_set(const fl_registry *registry);

/** Everything of a kind, for EXPLAIN, SHOW and suggestions. */
const fl_op_desc *const *fl_registry_ops(const fl_registry *registry, int32_t *ret_n);
const fl_trait_desc *const *fl_registry_traits(const fl_registry *registry, int32_t *ret_n);
const struct fl_rule_desc *const *fl_registry_rules(const fl_registry *registry, int32_t *ret_n);
const fl_func_desc *const *fl_registry_funcs(const fl_registry *registry, int32_t *ret_n);
const fl_agg_desc *const *fl_registry_aggs(const fl_registry *registry, int32_t *ret_n);
const fl_format_desc *const *fl_registry_formats(const fl_registry *registry, int32_t *ret_n);
const fl_writer_desc *const *fl_registry_writers(const fl_registry *registry, int32_t *ret_n);

#endif
