/* What a class says to rules: how rows, conjuncts, columns that nobody reads and outer columns go through its operators.
 *
 * A rule that works on operators of any class asks here and never lists the classes that it knows, so that one which comes from
 * outside takes part. Every member may be left out (NULL, 0): that is the answer which is safe, and the rule does nothing. A
 * rule that is about one class names it in its pattern. */
#ifndef FL_PLAN_REWRITES_H
#define FL_PLAN_REWRITES_H

#include "plan/unnesting.h"

/* How rows go through a node; what is not said may be otherwise. All but the last speak of the first input's rows.
 *
 * FL_ROWS_CHOSEN: of any input that makes a column which comes out, all rows with some of its values may be dropped below, where
 * a test above would drop these and null: run-time filters do.
 *
 * FL_ROWS_ARRANGED: the rows of the only input come out, and nothing is changed but their order.
 *
 * FL_ROWS_UNITED: the rows of every input come out, each once and by itself, under columns that `passes` tells. */
enum {
    FL_ROWS_SOME = 1,    /* there is a row out where there is one in */
    FL_ROWS_ALL = 2,     /* each comes out, once or more often */
    FL_ROWS_ONCE = 4,    /* none comes out twice, and there are no others */
    FL_ROWS_ORDERED = 8, /* they keep their order */
    FL_ROWS_ALONE = 16,  /* what becomes of a row does not depend on other rows */
    FL_ROWS_CHOSEN = 32,
    FL_ROWS_UNITED = 64,
    FL_ROWS_ARRANGED = 128
};
#define FL_ROWS_ONE_FOR_ONE (FL_ROWS_SOME | FL_ROWS_ALL | FL_ROWS_ONCE)

/* What the order of an input's rows is to a node. */
typedef enum fl_order_use {
    FL_ORDER_USED,   /* which rows come out may depend on it, or what is in them */
    FL_ORDER_PASSED, /* the order of the rows that come out depends on it, and nothing else */
    FL_ORDER_IGNORED /* nothing does */
} fl_order_use;

struct fl_op_rewrites {
    uint32_t size; /* FL_DESC */
    /** FL_ROWS_... */
    uint32_t (*flow)(const fl_node *node);
    /** What the order of an input's rows is to it. NULL: it is used. */
    fl_order_use (*order)(const fl_node *node, int32_t input);
    /** How the conjuncts of a filter over the node pass to one of its inputs: ret[i] is what conjuncts[i] says of that input's
     *  rows; NULL, as it is before, where it does not pass. One that has to be put over several of them passes to each; nothing is
     *  left of it above. Whether what can raise may move is the rule's to say (push_filter). */
    fl_status (*passes)(fl_plan *plan, const fl_node *node, int32_t input, const fl_expr *const *conjuncts, int32_t n,
                        const fl_expr **ret, fl_err *err);
    /** The node with conjuncts of a filter over it in its own condition; ret_taken[i], false before, says of which. When
     *  there are none, *ret is the node. */
    fl_status (*takes)(fl_plan *plan, const fl_node *node, const fl_expr *const *conjuncts, int32_t n, bool *ret_taken,
                       const fl_node **ret, fl_err *err);
    /** The node without what it computes for columns that are not wanted alone. Which columns it then asks of its inputs
     *  its fields tell, beside the wanted ones. */
    fl_status (*thin)(fl_plan *plan, const fl_node *node, const fl_col_set *wanted, const fl_node **ret, fl_err *err);
    /** The node for a reader to whom its first `rows` rows suffice; it may put out more, or be the node itself. */
    fl_status (*stop)(fl_plan *plan, const fl_node *node, int64_t rows, const fl_node **ret, fl_err *err);
    /** The node without its first `rows` rows, or the node itself. NULL: nothing is saved by it. */
    fl_status (*skip)(fl_plan *plan, const fl_node *node, int64_t rows, const fl_node **ret, fl_err *err);
    /** The field (FL_FIELD_EXPRS) of conjuncts by which rows are tested one after the other, until one is not true. */
    const char *tests;
    /** An equal plan in which the node's expressions stand over rows of an input, so that what subqueries in them give can be
     *  joined to the input that they read; the node itself where that is so already. */
    fl_status (*free_exprs)(fl_plan *plan, const fl_node *node, const fl_node **ret, fl_err *err);
    /** The node over an input with more columns than its own has, which come out, too. NULL: all of an input's columns come
     *  out anyhow. */
    fl_status (*widen)(fl_plan *plan, const fl_node *node, const fl_node *input, const fl_node **ret, fl_err *err);
    /** The node that has a row more for each of its input's that would give none: with nulls in the columns it makes. */
    fl_status (*keep_all)(fl_plan *plan, const fl_node *node, const fl_node **ret, fl_err *err);
    /** An equal plan for the case that one of its inputs has no rows, without that input; the node itself where it wants it. */
    fl_status (*without)(fl_plan *plan, const fl_node *node, int32_t input, const fl_node **ret, fl_err *err);
    /** ret[i], what cols[i] holds in the node's only row: an expression without columns of its inputs; *ret_is_one false, as before: it
     *  may have another number of rows, or of expressions that must not be computed again. */
    fl_status (*row)(fl_plan *plan, const fl_node *node, const fl_expr **ret, bool *ret_is_one, fl_err *err);
    /** How it is freed of outer columns: see plan/unnesting.h. */
    fl_unnesting_pull_fn pull;
    fl_unnesting_push_fn push;
};

/** What the node's class says; never NULL. */
const fl_op_rewrites *fl_rewrites_of(const fl_node *node);

/** Whether all of these FL_ROWS_... are true of the node. */
bool fl_rows_are(const fl_node *node, uint32_t flow);

/** `order` of any class. */
fl_order_use fl_order_of_input(const fl_node *node, int32_t input);

/** `order` of a class that passes it on, but for expressions that are volatile. */
fl_order_use fl_order_is_passed(const fl_node *node, int32_t input);

/** widen of any class of one input. */
fl_status fl_node_widen(fl_plan *plan, const fl_node *node, const fl_node *input, const fl_node **ret, fl_err *err);

/** *ret as the class says in `without`; the node itself where it says nothing. */
fl_status fl_node_without(fl_plan *plan, const fl_node *node, int32_t input, const fl_node **ret, fl_err *err);

/** passes of a class that puts out its first input's columns as they are, and rows that a conjunct over them may choose: those
 *  that read nothing else. */
fl_status fl_passes_as_it_is(fl_plan *plan, const fl_node *node, int32_t input, const fl_expr *const *conjuncts,
                             int32_t n, const fl_expr **ret, fl_err *err);

#endif
