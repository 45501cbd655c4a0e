/* Functions and aggregates as the plan sees them: names, types, traits, and how a call is resolved. Their kernels are
 * pointers here and are run by exec/ (exec/func.h, exec/agg.h have the calling conventions).
 *
 * A function is one descriptor with overloads (fixed types) or with a `resolve` of its own (types that depend on the
 * arguments, as decimals do). Operators are functions named by their sign: "+", "=", "||", "-" (also unary). */
#ifndef FL_PLAN_FUNC_H
#define FL_PLAN_FUNC_H

#include "arrow/bounds.h"
#include "base/text.h"
#include "plan/plan.h"

struct fl_call;
struct fl_agg_kernel;

typedef fl_status (*fl_func_run)(struct fl_call *call, fl_err *err);

/* Traits of a function. */
enum {
    FL_PURE = 1,            /* same arguments, same result: may be folded, shared, run once per dictionary value */
    FL_NULL_GIVES_NULL = 2, /* any null argument gives null: the evaluator computes validity, kernels ignore it */
    FL_CAN_FAIL = 4,        /* may raise: is run on selected rows only, never moved in front of another predicate */
    FL_CONST_ARGS = 8,      /* kernel handles FL_CONST argument vectors (else the evaluator expands them) */
    FL_DICT_ARGS = 16,      /* kernel handles FL_DICT argument vectors (else they are resolved) */
    FL_VARIADIC = 32,       /* the last argument type may repeat, also zero times */
    FL_OFFSETS_ARGS = 64,   /* kernel reads strings by fl_vec_str, in any form (else the evaluator makes views) */
    FL_SETS_VALID = 128,    /* kernel writes ret's validity itself (not with FL_NULL_GIVES_NULL) */
    FL_GIVES_NULL = 512,    /* with FL_NULL_GIVES_NULL: other arguments may give null, too (see fl_call_own_valid) */
    FL_COMPARES = 1024, /* arguments are only compared: a date beside timestamps need not fit (fl_expr_cast_compared) */
    FL_NANOS = 2048,    /* kernel takes timestamps in nanoseconds, too, all of a call in one unit; so is the result */
    FL_PREPARED =
        4096, /* may raise where `prepare` makes nothing of the constant arguments: FL_CAN_FAIL then (patterns) */
    FL_ANY_TYPE = 16384, /* `resolve` knows of types over others (fl_type.extension), or need not: else it is asked with
                            plain types alone (fl_types_plain) */
    FL_ROWS = 32768,     /* gives a list, whose elements are rows where the call stands in FROM or a select list */
    FL_LOCAL_TIME =
        65536, /* reads of a timestamptz what clocks of the session's zone show (plan/local_time.h); without arguments:
                              what they show now */
    FL_MANY_ROWS = 8192, /* a call costs much by itself: batches shall be large */
    FL_STABLE =
        256 /* not pure, but the same for a whole statement: without arguments it is computed when that is bound */
};

#define FL_FUNC_ARGS_MAX 8

/* Types in overloads beyond fl_type_id; FL_OF_…: types over others. */
enum {
    FL_ANY = 200,
    FL_SAME = 201 /* as the first argument */,
    FL_ANY_DECIMAL = 202,
    FL_OF_JSON = 203,
    FL_OF_UUID = 204,
    FL_END = 255
};

typedef struct fl_func_overload {
    uint8_t args[FL_FUNC_ARGS_MAX]; /* fl_type_id or FL_ANY…; ends with FL_END: write FL_ARGS(…) */
    uint8_t ret;                    /* fl_type_id, or FL_SAME */
    uint32_t traits;                /* added to the descriptor's */
    fl_func_run run;
} fl_func_overload;

/** The type of an overload's code that is one. */
fl_type fl_func_type_of(uint8_t code);

#define FL_ARGS(...) {__VA_ARGS__ __VA_OPT__(, ) FL_END}

/* A parameter for calls that name their arguments: f(days => 3). `otherwise` is its value where it is left out and a later one
 * is given, as a literal; NULL: it has to be given. */
typedef struct fl_func_param {
    const char *name;
    const char *otherwise;
} fl_func_param;

/* What a call resolves to. A resolver finds func and arena set, and reads them before it sets the rest. */
typedef struct fl_func_choice {
    const struct fl_func_desc *func; /* whose resolver is asked */
    fl_arena *arena;                 /* for the fields of types that the function makes (fl_type_list_of) */
    fl_type args[FL_FUNC_ARGS_MAX];  /* what each argument is cast to; for variadic calls the last repeats */
    int32_t n_args;                  /* entries used in args */
    fl_type ret;
    uint32_t traits;
    fl_func_run run;
} fl_func_choice;

/* Between which values an argument lies; those that it may equal itself, but for an open end. */
typedef struct fl_func_range {
    bool has_low, has_high, is_high_open;
    fl_value low, high;
} fl_func_range;

typedef struct fl_func_desc {
    uint32_t size; /* FL_DESC */
    const char *name;
    const char *doc;
    uint32_t traits;
    const fl_func_param *params; /* n_params of them, in order; none: arguments go by place only */
    int32_t n_params;
    const fl_func_overload *overloads; /* n_overloads of them; or: */
    int32_t n_overloads;
    const char *mirror; /* the function that gives the same for two arguments exchanged; NULL: none is known */
    /** Chooses types and kernel for these argument types (an untyped literal or parameter comes as FL_NULL). FL_ERR_FUNCTION
     *  (err may be NULL) when there is none: the caller words the message. Other errors are passed on. It may put another descriptor in
     *  its place (ret->func), which lives as long. */
    fl_status (*resolve)(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err);
    /** What the results of a call lie between where each argument does within its bounds: a proof, and that nothing is raised
     *  but for overflow, before which this is (the caller compares with the result's type). Unknown where nothing is known or
     *  something may be raised; NULL: always. */
    fl_bounds (*bounds)(const fl_expr *call, const fl_bounds *args);
    /** Of a test: what its first argument lies between wherever the result is true. The others are these values (const_args[0] and
     *  what is not constant: NULL). What is given lies in the arena. *ret begins with nothing known; NULL: always. */
    fl_status (*range)(fl_arena *arena, const fl_value *const *const_args, int32_t n_args, fl_func_range *ret,
                       fl_err *err);
    /** Prepares what all calls of one expression share (a compiled pattern) in the arena; const arguments are given as
     *  values, others are NULL. Result arrives in fl_call.state. It holds nothing but memory
     *  of the arena: what belongs to the function lives as long as its descriptor, what a worker needs is made by local_new. */
    fl_status (*prepare)(const struct fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                         void **ret_state, fl_err *err);
    /** Gives the expression that a call stands for, in its place, where the function is one: over the arguments, which are cast to their
     *  types. NULL: it is called. */
    fl_status (*expand)(const struct fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t n_args,
                        int32_t pos, const fl_expr **ret, fl_err *err);
    /** Makes what the calls of one expression share in one worker, at the first of them; arrives in fl_call.local. NULL: nothing. */
    fl_status (*local_new)(struct fl_call *call, void **ret_local, fl_err *err);
    void (*local_free)(const struct fl_func_desc *func, void *local);
    /** Says how calls are done now, and why so, for EXPLAIN: "wasm: interpreted: compiled code is not ready". NULL: there is one way. */
    void (*explain)(const struct fl_func_desc *func, fl_text *text);
    /** What a call takes, in nanoseconds a row, as it was measured or is to be expected: predicates that cost less go before it. Such a
     *  call may take any time: it is not tried on samples, and what cannot fail goes before it. NULL: about what operators take. */
    double (*cost_ns)(const struct fl_func_desc *func);
    const char *row_name;  /* of a function whose list is rows: what its column is called; NULL: as the function */
    const char *signature; /* where `resolve` has one form only: "f(double) → double"; else NULL */
    void *ctx;             /* the function's own: its kernels find it at fl_call.func->ctx */
    uint64_t identity; /* hash of its implementation, where that may change under the name; 0: the name says it all */
    const char *
        alias_of; /* another name of that function, which the registry gives in its place; size, name and doc are all it has */
} fl_func_desc;

#define FL_DESC(type) .size = (uint32_t)sizeof(type)

/* A function file's export: one or several descriptors (a family). builtins.def lists FL_FUNC(<set>). */
typedef struct fl_func_set {
    const fl_func_desc *funcs;
    int32_t n_funcs;
    const struct fl_agg_desc *aggs;
    int32_t n_aggs;
} fl_func_set;

#define FL_FUNC_SET(set_name, array) \
    const fl_func_set fl_func_set_##set_name = {.funcs = (array), .n_funcs = (int32_t)FL_LEN(array)}
#define FL_AGG_SET(set_name, array) \
    const fl_func_set fl_func_set_##set_name = {.aggs = (array), .n_aggs = (int32_t)FL_LEN(array)}

#define FL_AGG_ARGS_MAX 8

/* Aggregates; agg and arena are as for functions. */
typedef struct fl_agg_choice {
    const struct fl_agg_desc *agg;
    fl_arena *arena;
    fl_type args[FL_AGG_ARGS_MAX];
    int32_t n_args; /* after defaults: 0 for count(*) */
    fl_type ret;
    bool never_fails; /* gives a result for whatever rows: they may be those that nobody asked for */
    const struct fl_agg_kernel *kernel;
} fl_agg_choice;

/* What of all rows of a table answers an aggregate (fl_table_facts). */
typedef enum fl_agg_answer { FL_ANSWER_NONE, FL_ANSWER_COUNT, FL_ANSWER_MIN, FL_ANSWER_MAX } fl_agg_answer;

typedef struct fl_agg_desc {
    uint32_t size;
    const char *name;
    const char *doc;
    bool ignores_distinct; /* min, max, bool_and: DISTINCT changes nothing */
    bool ignores_order;    /* result does not depend on the order of rows (string_agg, array_agg: false) */
    bool obeys_order;      /* ignores_order, but with an ORDER BY of its own it goes by that (any_value) */
    bool empty_is_zero;    /* of no rows: 0 (count), else null */
    bool skips_nulls;      /* rows in which its argument is null change nothing */
    bool is_sorted;        /* is fed in the order of its first argument, where no ORDER BY says another */
    bool takes_any_type;   /* as FL_ANY_TYPE of functions */
    bool is_within_group;  /* is called f(...) WITHIN GROUP (ORDER BY first argument) only */
    uint8_t answer;        /* fl_agg_answer */
    const char *merge;     /* the aggregate that makes its result of results over parts of the rows; NULL: none does */
    int32_t n_row_args;    /* arguments behind these are the same for all rows: they read no column. 0: no such */
    uint8_t window;        /* of what is called over windows only: which it is (op/window/node.h). 0: an aggregate */
    fl_status (*resolve)(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err);
    void (*explain)(const struct fl_agg_desc *agg, fl_text *text); /* as for functions, as are the next three */
    const char *signature;
    void *ctx; /* kernels find it at fl_agg_call.agg->ctx */
    uint64_t identity;
    const char *alias_of;
} fl_agg_desc;

/** *ret = the plain types that values of these types are taken for by who knows no others (fl_type_plain): the array itself where all
 *  are plain, else one of the arena. FL_ERR_FUNCTION, with the function's name, where there is none. */
fl_status fl_types_plain(fl_arena *arena, const fl_type *types, int32_t n, const char *name, const fl_type **ret,
                         fl_err *err);

/** Resolves overloads by implicit casts: exact matches first, then the fewest and nearest casts (PostgreSQL, section
 *  10.3: numeric preferred types; FL_NULL matches anything). Fields of new types go to the arena. FL_ERR_FUNCTION when none
 *  fits. */
fl_status fl_func_resolve(const fl_func_desc *func, fl_arena *arena, const fl_type *args, int32_t n_args,
                          fl_func_choice *ret, fl_err *err);

/** Whether a value of type `from` is cast to `to` without being asked (integer to bigint, decimal, double; date to
 *  timestamp; null to any). *ret_cost: 0 same, more = farther. */
bool fl_cast_is_implicit(fl_type from, fl_type to, int32_t *ret_cost);

/** Whether an explicit cast exists at all. */
bool fl_cast_exists(fl_type from, fl_type to);

/** Whether that cast can raise for some value. */
bool fl_cast_can_fail(fl_type from, fl_type to);

/** Whether that cast can give null for some value. */
bool fl_cast_gives_null(fl_type from, fl_type to);

#endif
