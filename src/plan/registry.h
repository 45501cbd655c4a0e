/* The registry: operators, traits, rules, functions, formats, by name. Built once at start from engine/builtins.def (and by
 * plug-ins), then read-only: any thread may look things up. */
#ifndef FL_PLAN_REGISTRY_H
#define FL_PLAN_REGISTRY_H

#include "plan/func.h"
#include "plan/node.h"
#include "plan/table.h"

struct fl_rule_desc;
struct fl_phase_desc;

fl_status fl_registry_new(fl_registry **ret, fl_err *err);
void fl_registry_free(fl_registry *registry);

/** Adding is refused (FL_ERR_DUPLICATE) when the name is taken. Descriptors are borrowed. */
fl_status fl_registry_add_op(fl_registry *registry, const fl_op_desc *op, fl_err *err);
fl_status fl_registry_add_trait(fl_registry *registry, const fl_trait_desc *trait, fl_err *err);
fl_status fl_registry_add_rule(fl_registry *registry, const struct fl_rule_desc *rule, fl_err *err);
fl_status fl_registry_add_phase(fl_registry *registry, const struct fl_phase_desc *phase, fl_err *err);
fl_status fl_registry_add_funcs(fl_registry *registry, const fl_func_set *set, fl_err *err);
fl_status fl_registry_add_format(fl_registry *registry, const fl_format_desc *format, fl_err *err);

/** Adds a value to an enumerated trait, as an implementation that comes from outside is one. FL_ERR_DUPLICATE when the trait
 *  has one of the name. The name is borrowed. */
fl_status fl_registry_add_trait_value(fl_registry *registry, const fl_trait_desc *trait, const char *name, int32_t *ret,
                                      fl_err *err);

/** An enumerated trait's value by its name, FL_TRAIT_NONE when there is none; and the name of one that was added, NULL when
 *  there is none. */
int32_t fl_registry_trait_value(const fl_registry *registry, const fl_trait_desc *trait, fl_str name);
const char *fl_registry_trait_value_name(const fl_registry *registry, const fl_trait_desc *trait, int32_t value);

/** NULL when there is none. Function and aggregate names match case-insensitively. */
const fl_op_desc *fl_registry_op(const fl_registry *registry, fl_str name);
const fl_func_desc *fl_registry_func(const fl_registry *registry, fl_str name);
const fl_agg_desc *fl_registry_agg(const fl_registry *registry, fl_str name);
const fl_format_desc *fl_registry_format(const fl_registry *registry, fl_str name);
const fl_format_desc *fl_registry_format_of_path(const fl_registry *registry, fl_str path);
const fl_format_desc *fl_registry_format_of_function(const fl_registry *registry, fl_str name);

/** Everything of a kind, for EXPLAIN, SHOW and suggestions. */
const struct fl_rule_desc *const *fl_registry_rules(const fl_registry *registry, int32_t *ret_n);
const struct fl_phase_desc *const *fl_registry_phases(const fl_registry *registry, int32_t *ret_n);
const fl_func_desc *const *fl_registry_funcs(const fl_registry *registry, int32_t *ret_n);
const fl_agg_desc *const *fl_registry_aggs(const fl_registry *registry, int32_t *ret_n);
const fl_format_desc *const *fl_registry_formats(const fl_registry *registry, int32_t *ret_n);

#endif
