/* Traits: physical properties of an operator that do not change while it runs.
 *
 * A kind is registered (name, values, their lattice); a trait set holds at most one value per kind, sorted by kind, interned
 * in its plan, so that comparing sets is comparing pointers. A kind that is absent has its default value, 0, which anything
 * satisfies.
 *
 * A value is a number. Of an enumerated kind it is one of the kind's names, to which a registry may add others (an
 * implementation that a plug-in brings: fl_registry_add_trait_value). Of a kind with a payload it stands for a struct, told
 * by fields as an operator's attributes are and interned in the plan: so a value means something in its plan alone, but the
 * hash of a set is made of names and values and means the same everywhere. The payload of all zeros is the default. */
#ifndef FL_PLAN_TRAIT_H
#define FL_PLAN_TRAIT_H

#include "plan/fields.h"

#define FL_TRAIT_NONE (-1) /* there is no such value */

/* What columns are called above a node: from[i] is to[i] there; a column that is not in `from` is lost. */
typedef struct fl_col_map {
    const fl_col_id *from;
    const fl_col_id *to;
    int32_t n;
} fl_col_map;

/* A kind is either enumerated (values), or has a payload (payload_bytes, fields), or its values are plain numbers. */
typedef struct fl_trait_desc {
    uint32_t size; /* FL_DESC */
    const char *name;
    const char *const *values; /* names of values 0 .. n_values-1 */
    int32_t n_values;
    int32_t payload_bytes;
    const fl_attr_field *fields;
    int32_t n_fields;
    /* What NULL stands for: values are unrelated, no value depends on columns. None of these is asked about equal values or
     * the default; see the functions below. */
    bool (*satisfies)(const fl_plan *plan, int32_t a, int32_t b);
    fl_status (*combine)(fl_plan *plan, int32_t a, int32_t b, int32_t *ret, fl_err *err);
    fl_status (*project)(fl_plan *plan, int32_t value, const fl_col_map *map, int32_t *ret, fl_err *err);
    void (*print)(fl_text *text, const fl_plan *plan, int32_t value);
    const char *doc;
} fl_trait_desc;

extern const fl_trait_desc fl_trait_convention;     /* logical, vectorized, compiled */
extern const fl_trait_desc fl_trait_implementation; /* any, hash, nested_loop, merge and others */
extern const fl_trait_desc fl_trait_ordering;       /* plan/ordering.h */
extern const fl_trait_desc fl_trait_partitioning;   /* plan/partitioning.h */
extern const fl_trait_desc fl_trait_input_mode;     /* batch, unbounded */
extern const fl_trait_desc fl_trait_data_format;    /* any, batches, rows, arrow */
extern const fl_trait_desc fl_trait_windowing;      /* none, tumbling, sliding, session */
extern const fl_trait_desc fl_trait_delivery;  /* at_most_once, at_least_once, exactly_once: each gives those before */
extern const fl_trait_desc fl_trait_lateness;  /* fl_lateness_make */
extern const fl_trait_desc fl_trait_placement; /* fl_placement_make */
extern const fl_trait_desc fl_trait_hardware;  /* fl_hardware_make */

enum { FL_LOGICAL, FL_VECTORIZED, FL_COMPILED };
enum {
    FL_IMPL_ANY,
    FL_IMPL_HASH,
    FL_IMPL_PERFECT_HASH,
    FL_IMPL_NESTED_LOOP,
    FL_IMPL_SORT,
    FL_IMPL_HEAP,
    FL_IMPL_STREAM,
    FL_IMPL_MERGE,
    FL_IMPL_SORTED,
    FL_IMPL_PARTLY_SORTED
};
enum { FL_BATCH, FL_UNBOUNDED };
enum { FL_FORMAT_ANY, FL_FORMAT_BATCHES, FL_FORMAT_ROWS, FL_FORMAT_ARROW };
enum { FL_WINDOW_NONE, FL_WINDOW_TUMBLING, FL_WINDOW_SLIDING, FL_WINDOW_SESSION };
enum { FL_AT_MOST_ONCE, FL_AT_LEAST_ONCE, FL_EXACTLY_ONCE };
enum { FL_HARDWARE_AVX2 = 1, FL_HARDWARE_AVX512 = 2, FL_HARDWARE_NEON = 4, FL_HARDWARE_GPU = 8 };

/** The value for rows that may be late by so many microseconds (≥ 0) and are counted still. More satisfies less. */
fl_status fl_lateness_make(fl_plan *plan, int64_t us, int32_t *ret, fl_err *err);

/** The value for running at the named place; empty: anywhere. */
fl_status fl_placement_make(fl_plan *plan, fl_str name, int32_t *ret, fl_err *err);

/** The value for a set of FL_HARDWARE_... More features satisfy fewer. */
fl_status fl_hardware_make(fl_plan *plan, int64_t features, int32_t *ret, fl_err *err);

/* ---- values ---- */

/** The value of a kind with the payload, which is copied (fl_fields_copy); 0 where it is all zeros. */
fl_status fl_trait_intern(fl_plan *plan, const fl_trait_desc *trait, const void *payload, int32_t *ret, fl_err *err);

/** The payload of a value; NULL for 0. */
const void *fl_trait_payload(const fl_plan *plan, const fl_trait_desc *trait, int32_t value);

/** Whether what has value a is as b asks. Reflexive and transitive; everything satisfies 0. */
bool fl_trait_satisfies(const fl_plan *plan, const fl_trait_desc *trait, int32_t a, int32_t b);

/** The weakest known value that satisfies both; FL_TRAIT_NONE: there is none. */
fl_status fl_trait_combine(fl_plan *plan, const fl_trait_desc *trait, int32_t a, int32_t b, int32_t *ret, fl_err *err);

/** What is left of a value where columns are called otherwise or are lost. Under the same names the value satisfies it. */
fl_status fl_trait_project(fl_plan *plan, const fl_trait_desc *trait, int32_t value, const fl_col_map *map,
                           int32_t *ret, fl_err *err);

/** What a column is called above; n = 0: it is lost. The first of several names. */
fl_col_id fl_col_map_get(const fl_col_map *map, fl_col_id col);

/* ---- sets ---- */

typedef struct fl_trait_value {
    const fl_trait_desc *trait;
    int32_t value;
} fl_trait_value;

typedef struct fl_trait_set {
    uint64_t hash; /* within the plan */
    int32_t n;
    fl_trait_value values[];
} fl_trait_set;

/** The value of a kind; 0 where it is absent. */
int32_t fl_trait_get(const fl_trait_set *set, const fl_trait_desc *trait);

/** The set with one value changed, interned. */
fl_status fl_trait_with(fl_plan *plan, const fl_trait_set *set, const fl_trait_desc *trait, int32_t value,
                        const fl_trait_set **ret, fl_err *err);

/** The empty set (everything default: convention=logical). */
const fl_trait_set *fl_trait_none(const fl_plan *plan);

/** Whether each value of `want` is satisfied by `have`. */
bool fl_trait_set_satisfies(const fl_plan *plan, const fl_trait_set *have, const fl_trait_set *want);

/** "vectorized, hash" */
void fl_trait_print(fl_text *text, const fl_plan *plan, const fl_trait_set *set);

#endif
