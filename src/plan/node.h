/* Operators: class + attributes + traits + inputs, immutable, hash-consed in a plan.
 *
 * The class is a descriptor in the registry; its fields[] (plan/fields.h) give hashing, equality, printing (and later
 * serialization) for free. Logical and physical operators are one representation: a rule lowers a `join` with the trait
 * convention=logical to a `join` with convention=vectorized and implementation=hash. Each class has its attributes and makers in
 * op/<name>/node.h. */
#ifndef FL_PLAN_NODE_H
#define FL_PLAN_NODE_H

#include "plan/fields.h"
#include "plan/trait.h"

/* What a node or one below it is or has; what is computed once has the first only. */
enum {
    FL_HOLDS_DEPENDENT = 1, /* a dependent join, or a subquery in an expression */
    FL_HOLDS_VOLATILE = 2,  /* a volatile expression, also of a subquery */
    FL_HOLDS_GROUPS = 4,    /* grouping, also of a subquery */
    FL_HOLDS_ROUND = 8      /* rows of a recursion's last round: others in each */
};

typedef struct fl_props fl_props;             /* plan/props.h */
typedef struct fl_op_rewrites fl_op_rewrites; /* plan/rewrites.h */

/* What running costs, by an estimate (opt/cost.h). */
typedef struct fl_cost {
    double ns;    /* of all workers together */
    double bytes; /* that are held at once */
    double rows;  /* that are worked on */
} fl_cost;

typedef struct fl_op_desc {
    uint32_t size; /* FL_DESC */
    const char *name;
    const char *
        in_memory; /* what of it does not go to the disk, as a sentence for who has too little memory; NULL: nothing is said */
    int32_t n_inputs; /* -1: any number */
    int32_t attr_bytes;
    const fl_attr_field *fields;
    int32_t n_fields;
    /** All columns that the node could put out; `ret` has room for fl_plan_cols() ids. Returns how many. */
    int32_t (*derive_cols)(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret);
    /** Estimated rows out, from the inputs' and the statistics. */
    double (*derive_rows)(const fl_plan *plan, const fl_node *node);
    /** What is true of the rows that a node puts out, from what is true of its inputs' rows; NULL: nothing is known. */
    fl_status (*derive_props)(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret,
                              fl_err *err);
    /** Adds what the node itself costs in its implementation; its inputs are known by their rows. NULL: a row put out costs as
     *  little as a row can. */
    void (*cost)(const fl_plan *plan, const fl_node *node, fl_cost *cost);
    /** What the node asks of an input beyond its own convention, so that its rows have the traits `want`. There may be several
     *  ways to that, 0 … n_ways - 1 (n_ways 0 counts as 1); ret NULL: this way there is none. NULL: nothing is asked. */
    fl_status (*needs)(fl_plan *plan, const fl_node *node, int32_t input, const fl_trait_set *want, int32_t way,
                       const fl_trait_set **ret, fl_err *err);
    /** The traits of the node's rows, from those of its inputs' rows; `ret` begins as the node's own traits. NULL: no others. */
    fl_status (*gives)(fl_plan *plan, const fl_node *node, const fl_trait_set *const *inputs, const fl_trait_set **ret,
                       fl_err *err);
    /** A node of this class over `node` with the same rows, of which the kind of trait `enforces` has the value `want`; ret
     *  NULL: it cannot be. */
    fl_status (*enforce)(fl_plan *plan, const fl_node *node, int32_t want, const fl_node **ret, fl_err *err);
    const fl_trait_desc *enforces;
    int32_t n_ways;
    /** Whether only a search finds the best way to the node's rows, though it has less than two inputs; NULL: no. */
    fl_status (*has_choice)(fl_plan *plan, const fl_node *node, bool *ret, fl_err *err);
    /** What rules may do with it; NULL: nothing but what its fields say. */
    const fl_op_rewrites *rewrites;
    /** How exec/ runs it in the convention `vectorized`; NULL: it does not. See exec/operator.h. */
    const struct fl_op_exec *exec;
    const char *doc;
    uint32_t holds;        /* what each node of the class is */
    uint32_t hides;        /* what its inputs hold and it does not */
    bool is_computed_once; /* nodes over one input share its rows; EXPLAIN shows it below the first of them */
} fl_op_desc;

struct fl_node {
    const fl_op_desc *op;
    const void *attrs; /* op->attr_bytes bytes, in the plan's arena */
    const fl_trait_set *traits;
    const fl_col_id *cols; /* what the node puts out, in this order */
    int32_t n_cols;
    int32_t n_inputs;
    double rows;      /* estimate */
    fl_col_set made;  /* columns put out, as a set */
    fl_col_set outer; /* columns read here or below that nothing below makes: outer references */
    int32_t id;       /* order of making, from 1: names the node in EXPLAIN and counters */
    int32_t height;   /* longest way to a leaf, plans that are attributes included */
    uint16_t holds;   /* FL_HOLDS_... */
    bool can_fail;    /* an expression here or below can raise */
    const fl_node *inputs[];
};

/** Makes a node, or finds the one that is the same. Attributes are copied with all that they point to (fl_fields_copy), so it
 *  may lie anywhere till the call is over. `cols` NULL: all columns; else the subset to put out, in this order. `traits` NULL: convention=logical. */
fl_status fl_node_make(fl_plan *plan, const fl_op_desc *op, const void *attrs, const fl_trait_set *traits,
                       const fl_node *const *inputs, int32_t n_inputs, const fl_col_id *cols, int32_t n_cols,
                       const fl_node **ret, fl_err *err);

/** The same node over other inputs; output columns that are gone are dropped. */
fl_status fl_node_with_inputs(fl_plan *plan, const fl_node *node, const fl_node *const *inputs, const fl_node **ret,
                              fl_err *err);

/** The same node with other traits / output columns. */
fl_status fl_node_with_traits(fl_plan *plan, const fl_node *node, const fl_trait_set *traits, const fl_node **ret,
                              fl_err *err);
fl_status fl_node_with_cols(fl_plan *plan, const fl_node *node, const fl_col_id *cols, int32_t n_cols,
                            const fl_node **ret, fl_err *err);

/** The same node with every expression in its fields rewritten by `fn` (see fl_expr_rewrite). */
fl_status fl_node_rewrite_exprs(fl_plan *plan, const fl_node *node, fl_expr_rewriter fn, void *ctx, const fl_node **ret,
                                fl_err *err);

/** The same top-down: fn sees each part as it is in the node, before what is in it, and what fn gives another for is not gone
 *  into. */
fl_status fl_node_replace_exprs(fl_plan *plan, const fl_node *node, fl_expr_rewriter fn, void *ctx, const fl_node **ret,
                                fl_err *err);

/** Adds the columns that the node's own expressions read. */
fl_status fl_node_add_used_cols(fl_arena *arena, const fl_node *node, fl_col_set *set, fl_err *err);

/** Calls fn for each expression root in the node's fields. */
fl_status fl_node_visit_exprs(const fl_node *node, fl_expr_visitor fn, void *ctx, fl_err *err);

/** Visits each distinct node below and including `node`, inputs first (subqueries' plans are not entered). */
typedef fl_status (*fl_node_visitor)(void *ctx, const fl_node *node, fl_err *err);
fl_status fl_node_visit(const fl_node *node, fl_node_visitor fn, void *ctx, fl_err *err);

/** Rewrites bottom-up: fn sees each node over its rewritten inputs and may give another. Shared nodes are done once. */
typedef fl_status (*fl_node_rewriter)(void *ctx, fl_plan *plan, const fl_node *node, const fl_node **ret, fl_err *err);
fl_status fl_node_rewrite(fl_plan *plan, const fl_node *node, fl_node_rewriter fn, void *ctx, const fl_node **ret,
                          fl_err *err);

/* What became of nodes: by id, NULL where nobody asked. Begins as zeros, is freed with fl_free. */
typedef struct fl_settled {
    const fl_node **results;
    int64_t capacity;
} fl_settled;

/** As fl_node_rewrite, until fn gives each node back as it is: the inputs of what it makes are rewritten, too, then it is asked
 *  again. So what comes out of a node, as a subquery's plan does, costs no walk of the whole plan of its own. What is in `settled`
 *  from calls before, with the same fn, is not asked about again. */
fl_status fl_node_settle(fl_plan *plan, const fl_node *node, fl_node_rewriter fn, void *ctx, fl_settled *settled,
                         const fl_node **ret, fl_err *err);

#endif
