/* What the files of plan/ share of a plan and nobody else sees. */
#ifndef FL_PLAN_PLAN_INTERNAL_H
#define FL_PLAN_PLAN_INTERNAL_H

#include "arrow/field_index.h"
#include "plan/estimate.h"
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

/* provenance.c */
typedef struct fl_provenance fl_provenance;
void fl_provenance_free(fl_provenance *provenance);
/* Notes that a node was made again of another, of which it only has other inputs if is_same; where provenance is kept. */
fl_status fl_provenance_note_made(fl_plan *plan, const fl_node *of, const fl_node *made, bool is_same, fl_err *err);

/* What is known of the order of a node's rows. */
typedef struct fl_known_order {
    bool is_asked; /* whether one below it makes an order, which has_maker says */
    bool has_maker;
    bool has_inner_maker; /* one that is no leaf */
    int32_t order_next;   /* the value of its order, and 1; 0: nobody asked */
} fl_known_order;

/* What was estimated of an expression; negative: nobody asked. */
typedef struct fl_known_share {
    double figured; /* by figures, without a look at rows */
    double whole;
} fl_known_share;

/* What follows of a condition of a join. */
typedef struct fl_implied {
    const fl_expr *expr;
    int32_t next; /* of the same condition; -1: none */
} fl_implied;

/* The values of columns that meet. */
typedef struct fl_known_grid {
    fl_value_grid grid;
    int32_t n;
    fl_col_id cols[2 * FL_EQUAL_COLS_MAX];
} fl_known_grid;

/* What a plan needs only while it is made. */
typedef struct fl_plan_making {
    fl_arena arena;
    int32_t expansions;            /* of functions that are expressions, in each other, under way */
    const fl_func_desc **expanded; /* [n_expanded]: those that were, once each */
    int64_t expanded_capacity;
    int32_t n_expanded;
    int32_t expansion_pos; /* what is made meanwhile stands where the outermost is called */
    int64_t cols_capacity;
    int64_t tables_capacity;
    int64_t payloads_capacity;
    fl_intern exprs;
    fl_intern nodes;
    fl_intern traits;
    fl_intern payload_places;
    const fl_known_grid **grids; /* by column id, the last one that was made; NULL: none */
    int64_t grids_capacity;
    fl_index_map meeting_places; /* in meetings, by columns that meet: fl_estimate_join */
    double *meetings;            /* shares of pairs */
    int64_t meetings_capacity;
    int32_t n_meetings;
    fl_index_map derived;    /* expressions: fl_plan_derive_once */
    fl_index_map conditions; /* the first of what is implied: fl_plan_note_implied */
    fl_implied *implied;
    int64_t implied_capacity;
    int32_t n_implied;
    fl_index_map struct_places; /* in structs, by a type's fields */
    fl_field_index *structs;
    int64_t structs_capacity;
    int32_t n_structs;
    fl_index_map share_places; /* of expressions */
    fl_known_share *shares;    /* while samples are looked at */
    int64_t shares_capacity;
    int32_t n_shares;
    int32_t n_unsampled;    /* nodes that were made before samples were looked at: their rows are first guesses */
    fl_samples *samples;    /* what conjuncts were seen to be true for; NULL: nobody looked */
    const fl_props **props; /* by node id; NULL where nobody asked yet */
    int64_t props_capacity;
    fl_provenance *provenance; /* NULL: it is not kept */
    fl_known_order *orders;    /* by node id */
    int64_t orders_capacity;
    fl_col_id *scratch; /* fl_plan_scratch_cols */
    int64_t scratch_capacity;
} fl_plan_making;

struct fl_plan {
    _Atomic int32_t refs;
    int32_t n_cols;
    int32_t n_told; /* columns of which there is more than the id: the first ones; in a plan that is made all */
    int32_t n_tables;
    int32_t n_nodes;
    int32_t n_payloads;
    bool wants_many_rows;
    uint64_t false_statistics; /* plan/false_statistics.h */
    char zone[64];             /* plan/local_time.h; empty: UTC */
    fl_memory *memory;
    const fl_registry *registry;
    fl_col_info *cols;
    fl_table **tables;
    const fl_trait_payload_entry **payloads;
    fl_plan_making *making; /* NULL: a copy, which lies in one block with all that it points to */
};

/* What stands in front of each expression of a plan that is made; in a copy, of those that have more than FL_EXPR_SMALL parts. */
typedef struct fl_expr_head {
    uint64_t hash;   /* within the plan (column ids) */
    fl_col_set cols; /* that a large one reads: see fl_expr_add_cols */
} fl_expr_head;

typedef struct fl_headed_expr {
    fl_expr_head head;
    fl_expr expr;
} fl_headed_expr;

static inline const fl_expr_head *fl_expr_head_of(const fl_expr *expr)
{
    return (const fl_expr_head *)expr - 1;
}

/* What stands in front of each operator of a plan that is made. */
typedef struct fl_node_head {
    uint64_t hash; /* within the plan */
} fl_node_head;

static inline uint64_t fl_node_hash(const fl_node *node)
{
    return ((const fl_node_head *)node - 1)->hash;
}

/** The kind's default values, of any plan. */
extern const fl_trait_set fl_trait_set_none;

/** Expressions with `between` between them; of long lists the first ones and how many more there are. */
void fl_expr_print_list(fl_text *text, const fl_plan *plan, const fl_expr *const *args, int32_t n, const char *between);

/** Room for as many columns as the plan has, until the next call: what a node puts out is copied from there. */
fl_status fl_plan_scratch_cols(fl_plan *plan, fl_col_id **ret, fl_err *err);

/** Finds an interned thing for which is_same(ctx, thing) holds; NULL when there is none. */
const void *fl_intern_find(const fl_intern *intern, uint64_t hash, bool (*is_same)(const void *ctx, const void *thing),
                           const void *ctx);
fl_status fl_intern_add(fl_plan *plan, fl_intern *intern, uint64_t hash, const void *thing, fl_err *err);

#endif
