/* The built-in pieces, from builtins.def into a registry. */
#include "engine/internal.h"
#include "plan/rule.h"

#define FL_OP(name) extern const fl_op_desc fl_op_##name;
#define FL_TRAIT(name)
#define FL_PHASE(name) extern const fl_phase_desc fl_phase_##name;
#define FL_RULE(name) extern const fl_rule_desc fl_rule_##name;
#define FL_FUNC(name) extern const fl_func_set fl_func_set_##name;
#define FL_FORMAT(name) extern const fl_format_desc fl_format_##name;
#define FL_WRITER(name) extern const fl_writer_desc fl_writer_##name;
#include "engine/builtins.def"
#undef FL_OP
#undef FL_TRAIT
#undef FL_PHASE
#undef FL_RULE
#undef FL_FUNC
#undef FL_FORMAT
#undef FL_WRITER

fl_status fl_engine_add_builtins(fl_registry *registry, fl_err *err)
{
    fl_status st = FL_OK;
#define FL_OP(name) FL_TRY(fl_registry_add_op(registry, &fl_op_##name, err));
#define FL_TRAIT(name) FL_TRY(fl_registry_add_trait(registry, &fl_trait_##name, err));
#define FL_PHASE(name) FL_TRY(fl_registry_add_phase(registry, &fl_phase_##name, err));
#define FL_RULE(name) FL_TRY(fl_registry_add_rule(registry, &fl_rule_##name, err));
#define FL_FUNC(name) FL_TRY(fl_registry_add_funcs(registry, &fl_func_set_##name, err));
#define FL_FORMAT(name) FL_TRY(fl_registry_add_format(registry, &fl_format_##name, err));
#define FL_WRITER(name) FL_TRY(fl_registry_add_writer(registry, &fl_writer_##name, err));
#include "engine/builtins.def"
cleanup:
    return st;
}
