/* Fields: what structs of attributes hold, told by tables, so that comparing, hashing, copying, visiting, rewriting and
 * printing are written once for all operators and for the payloads of traits.
 *
 * A field has a kind and an offset; of an array also the offset of its count. What the fields do not tell is no part of a
 * struct's identity and is not copied beyond its own bytes. */
#ifndef FL_PLAN_FIELDS_H
#define FL_PLAN_FIELDS_H

#include "plan/expr_walk.h"

typedef enum fl_field_kind {
    FL_FIELD_EXPR,       /* const fl_expr *; may be NULL */
    FL_FIELD_EXPRS,      /* const fl_expr *const *, int32_t count */
    FL_FIELD_COLS,       /* const fl_col_id *, int32_t count: columns that the node makes */
    FL_FIELD_COL,        /* fl_col_id that the node makes; n = 0: none */
    FL_FIELD_COLS_USED,  /* const fl_col_id *, int32_t count: columns that the node reads */
    FL_FIELD_SORT_KEYS,  /* const fl_sort_key *, count */
    FL_FIELD_ORDER_KEYS, /* const fl_order_key *, count: of columns that the node reads */
    FL_FIELD_AGGS,       /* const fl_agg *, count */
    FL_FIELD_I64,        /* int64_t; printed unless negative */
    FL_FIELD_I32,        /* int32_t */
    FL_FIELD_F64,        /* double; the same when its bits are, and NaN is NaN; printed unless NaN */
    FL_FIELD_BOOL,
    FL_FIELD_ENUM,  /* int32_t, names[] */
    FL_FIELD_TABLE, /* fl_table * */
    FL_FIELD_STR,   /* fl_str */
    FL_FIELD_NAME,  /* fl_str: what it is called, which does not count in plan hashes */
    FL_FIELD_TYPE,  /* fl_type */
    FL_FIELD_VALUE, /* const fl_value *; may be NULL */
    FL_FIELD_PLAN /* const fl_node * of the same plan, may be NULL: its outer references are columns that the node reads */
} fl_field_kind;

typedef struct fl_attr_field {
    const char *name;
    fl_field_kind kind;
    int32_t offset;
    int32_t count_offset;
    const char *const *names; /* FL_FIELD_ENUM */
    bool is_hidden;           /* not printed by EXPLAIN */
    bool is_unordered;        /* conjuncts, columns passed through: the plan hash does not see their order */
} fl_attr_field;

/* A key of an order that rows have: columns which are equal in each of the rows, so that any of them names it. */
typedef struct fl_order_key {
    const fl_col_id *cols;
    int32_t n_cols; /* at least one */
    bool is_descending;
    bool nulls_first;
    bool is_null_free; /* there is no null among them: it does not matter where nulls would stand */
} fl_order_key;

/* What structs of attributes need at most. */
#define FL_ATTRS_ALIGNMENT 8

/* What lies at an offset, its place in attributes that are being made, and how long a field's array is. */
#define FL_FIELD_AT(type, attrs, offset) (*(type const *)((const char *)(attrs) + (offset)))
#define FL_FIELD_SLOT(type, attrs, offset) ((type *)((char *)(attrs) + (offset)))
static inline int32_t fl_field_count(const fl_attr_field *f, const void *attrs)
{
    return FL_FIELD_AT(int32_t, attrs, f->count_offset);
}

/** Whether two structs of the same plan are the same. Expressions and nodes are compared by pointer. */
bool fl_fields_are_same(const fl_attr_field *fields, int32_t n_fields, const void *a, const void *b);

/** The hash of a field, and the hash of all of them mixed into `hash`: structs of the same plan that are the same have the
 *  same. Made of ids, but for numbers, types, strings, values and tables, which have it in every process. */
uint64_t fl_field_hash(const fl_attr_field *f, const void *attrs);
uint64_t fl_fields_hash(const fl_attr_field *fields, int32_t n_fields, const void *attrs, uint64_t hash);

/** Puts copies in the arena in the place of all that `attrs`, a copy of the struct's own bytes, points to. Expressions and
 *  nodes, with their types and those of aggregates, belong to the plan, tables are counted by it: these are shared. */
fl_status fl_fields_copy(fl_arena *arena, const fl_attr_field *fields, int32_t n_fields, void *attrs, fl_err *err);

/* What takes a struct with all that it points to into another plan: each function puts into its place what is there instead. */
typedef struct fl_field_mover fl_field_mover;
struct fl_field_mover {
    /** Room for arrays and strings. */
    fl_status (*take)(fl_field_mover *mover, int64_t bytes, int64_t alignment, void **ret, fl_err *err);
    fl_status (*move_type)(fl_field_mover *mover, fl_type *type, fl_err *err);
    fl_status (*move_value)(fl_field_mover *mover, const fl_value **value, fl_err *err); /* none is NULL, as below */
    /* All or none of these: without them it stays the same plan. */
    fl_status (*move_expr)(fl_field_mover *mover, const fl_expr **expr, fl_err *err);
    fl_status (*move_node)(fl_field_mover *mover, const fl_node **node, fl_err *err);
    void (*move_col)(fl_field_mover *mover, fl_col_id *col, bool is_made); /* n = 0: none */
    fl_status (*note_table)(fl_field_mover *mover, fl_table *table, fl_err *err);
};

/** A copy of a string, with a terminating zero. */
fl_status fl_field_move_str(fl_field_mover *mover, fl_str *s, fl_err *err);

/** Moves all that `attrs`, a copy of the struct's own bytes, points to. */
fl_status fl_fields_move(fl_field_mover *mover, const fl_attr_field *fields, int32_t n_fields, void *attrs,
                         fl_err *err);

/** Calls fn for each expression's root. */
typedef fl_status (*fl_expr_visitor)(void *ctx, const fl_expr *expr, fl_err *err);
fl_status fl_fields_visit_exprs(const fl_attr_field *fields, int32_t n_fields, const void *attrs, fl_expr_visitor fn,
                                void *ctx, fl_err *err);

/** Adds the columns that are read otherwise than by expressions. */
fl_status fl_fields_add_cols(fl_arena *arena, const fl_attr_field *fields, int32_t n_fields, const void *attrs,
                             fl_col_set *set, fl_err *err);

/** Rewrites every expression in `attrs`, a copy of the struct's own bytes; arrays of expressions are made anew in the plan's
 *  arena. */
fl_status fl_fields_rewrite_exprs(fl_expr_walk *walk, const fl_attr_field *fields, int32_t n_fields, void *attrs,
                                  fl_expr_rewriter fn, void *ctx, fl_err *err);

/** Adds a field's value as EXPLAIN shows it; false when there is nothing to show. */
bool fl_field_print(fl_text *text, const fl_plan *plan, const fl_attr_field *f, const void *attrs);

/** "a=b DESC NULLS LAST" */
void fl_order_key_print(fl_text *text, const fl_plan *plan, const fl_order_key *key);

#endif
