/* A user's function as it is declared: what CREATE FUNCTION says, before anything is made of it. */
#ifndef FL_PLAN_FUNCTION_DECLARATION_H
#define FL_PLAN_FUNCTION_DECLARATION_H

#include "plan/func.h"

typedef struct fl_function_param {
    fl_str name; /* empty: none was given */
    fl_type type;
} fl_function_param;

/* Whether a function may be called less often than the text says. */
typedef enum fl_function_volatility {
    FL_FUNCTION_IMMUTABLE, /* same arguments, same result: the default */
    FL_FUNCTION_STABLE,    /* within a statement */
    FL_FUNCTION_VOLATILE,
} fl_function_volatility;

typedef struct fl_function_declaration {
    fl_str name;
    fl_str language;
    fl_str code;          /* the text between quotes; bytes of a module where it came otherwise */
    bool has_signature;   /* params and returns were written; else the language takes them from the code */
    bool is_aggregate;    /* CREATE AGGREGATE FUNCTION */
    bool takes_nulls;     /* CALLED ON NULL INPUT; else any null argument gives null, and it is not called */
    bool is_strict;       /* STRICT was written, which is what is meant by nothing */
    bool errors_are_null; /* ON ERROR NULL */
    fl_function_volatility volatility;
    int64_t fuel; /* FUEL: steps that a call may take; 0: not said */
    const fl_function_param *params;
    int32_t n_params; /* up to FL_FUNC_ARGS_MAX */
    fl_type returns;
} fl_function_declaration;

#endif
