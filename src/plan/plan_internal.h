/* What the files of plan/ share of a plan and nobody else sees. */
#ifndef FL_PLAN_PLAN_INTERNAL_H
#define FL_PLAN_PLAN_INTERNAL_H

#include "arrow/field_index.h"
#include "plan/node.h"

/* Interned things of one kind: open addressing, pointers to things that begin with nothing in common, so the hash is kept
 * beside them. */
typedef struct fl_intern_slot {
    uint64_t hash;
    const void *thing; /* NULL = empty */
} fl_intern_slot;

typedef struct fl_intern {
    fl_intern_slot *slots; /* power of two of them */
    int64_t n_slots;
    int64_t n_used;
} fl_intern;

/* A trait's value with a payload. */
typedef struct fl_trait_payload_entry {
    const fl_trait_desc *trait;
    const void *payload;
    uint64_t hash; /* by names and values */
    int32_t value; /* its place in the plan's list, from 1 */
} fl_trait_payload_entry;

/* sample_estimate.c */
typedef struct fl_samples fl_samples;
void fl_samples_free(fl_samples *samples);

struct fl_plan {
    _Atomic int32_t refs;
    fl_arena arena;
    const fl_registry *registry;
    fl_col_info *cols;
    int64_t cols_capacity;
    int32_t n_cols;
    fl_table **tables;
    int64_t tables_capacity;
    int32_t n_tables;
    int32_t n_nodes;
    fl_intern exprs;
    fl_intern nodes;
    fl_intern traits;
    const fl_trait_set *no_traits;
    fl_intern payload_places;
    const fl_trait_payload_entry **payloads;
    int64_t payloads_capacity;
    int32_t n_payloads;
    fl_index_map derived;       /* expressions: fl_plan_derive_once */
    fl_index_map struct_places; /* in structs, by a type's fields */
    fl_field_index *structs;
    int64_t structs_capacity;
    int32_t n_structs;
    fl_samples *samples;    /* what conjuncts were seen to be true for; NULL: nobody looked */
    const fl_props **props; /* by node id; NULL where nobody asked yet */
    int64_t props_capacity;
    fl_col_id *scratch; /* fl_plan_scratch_cols */
    int64_t scratch_capacity;
};

/** Expressions with `between` between them; of long lists the first ones and how many more there are. */
void fl_expr_print_list(fl_text *text, const fl_plan *plan, const fl_expr *const *args, int32_t n, const char *between);

/** Room for as many columns as the plan has, until the next call: what a node puts out is copied from there. */
fl_status fl_plan_scratch_cols(fl_plan *plan, fl_col_id **ret, fl_err *err);

/** Finds an interned thing for which is_same(ctx, thing) holds; NULL when there is none. */
const void *fl_intern_find(const fl_intern *intern, uint64_t hash, bool (*is_same)(const void *ctx, const void *thing),
                           const void *ctx);
fl_status fl_intern_add(fl_plan *plan, fl_intern *intern, uint64_t hash, const void *thing, fl_err *err);

#endif
