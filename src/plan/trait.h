/* Traits: physical properties of an operator that do not change while it runs.
 *
 * A kind is registered (name, values, satisfies); a trait set holds at most one value per kind, sorted by kind, interned in
 * its plan, so that comparing sets is comparing pointers. A kind that is absent has its default value, 0. */
#ifndef FL_PLAN_TRAIT_H
#define FL_PLAN_TRAIT_H

#include "plan/plan.h"

typedef struct fl_trait_desc {
    uint32_t size; /* FL_DESC */
    const char *name;
    const char *const *values; /* names of values 0 .. n_values-1; NULL: numbers */
    int32_t n_values;
    /** Whether value a provides what b asks for; NULL: equal values only, and anything satisfies the default. */
    bool (*satisfies)(int32_t a, int32_t b);
    const char *doc;
} fl_trait_desc;

extern const fl_trait_desc fl_trait_convention;     /* logical, vectorized, compiled */
extern const fl_trait_desc fl_trait_implementation; /* any, hash, perfect_hash, nested_loop, sort, heap, stream */
extern const fl_trait_desc fl_trait_ordering;       /* unordered, ordered (the sort keys of the node below) */
extern const fl_trait_desc fl_trait_partitioning;   /* none, hash, range */
extern const fl_trait_desc fl_trait_input_mode;     /* batch, unbounded */

enum { FL_LOGICAL, FL_VECTORIZED, FL_COMPILED };
enum {
    FL_IMPL_ANY,
    FL_IMPL_HASH,
    FL_IMPL_PERFECT_HASH,
    FL_IMPL_NESTED_LOOP,
    FL_IMPL_SORT,
    FL_IMPL_HEAP,
    FL_IMPL_STREAM
};

typedef struct fl_trait_value {
    const fl_trait_desc *trait;
    int32_t value;
} fl_trait_value;

typedef struct fl_trait_set {
    uint64_t hash; /* stable: by names */
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
bool fl_trait_set_satisfies(const fl_trait_set *have, const fl_trait_set *want);

/** "vectorized, hash" */
void fl_trait_print(fl_text *text, const fl_trait_set *set);

#endif
