/* A plan: a counted arena that holds immutable expressions and operators, and the columns that they name.
 *
 * Everything is hash-consed: building the same expression or node twice gives the same pointer, so equality is pointer
 * equality within a plan. Columns have ids, never positions, so rewriting never renumbers. While it is built a plan
 * belongs to one thread; afterwards any thread may read it. What leaves it are hashes of names and values (plan/plan_hash.h).
 *
 * What is kept is a copy of what was chosen (plan/plan_copy.h): a plan in which nothing can be made any more, neither
 * expressions nor operators, columns, traits or properties. */
#ifndef FL_PLAN_PLAN_H
#define FL_PLAN_PLAN_H

#include "arrow/value.h"

typedef struct fl_plan fl_plan;
typedef struct fl_expr fl_expr;
typedef struct fl_node fl_node;
typedef struct fl_registry fl_registry;
typedef struct fl_table fl_table;

typedef struct fl_col_id {
    int32_t n; /* from 1; 0 = none */
} fl_col_id;

static inline bool fl_col_is_equal(fl_col_id a, fl_col_id b)
{
    return a.n == b.n;
}

typedef struct fl_col_info {
    fl_str name; /* for EXPLAIN and messages; not part of any identity */
    fl_type type;
    fl_table *table;     /* base columns: where it comes from (held by the plan); else NULL */
    int32_t table_col;   /* base columns: which of the table's columns it is */
    int32_t subquery_at; /* results of scalar subqueries: the subquery's place + 1, for the error about a second row */
} fl_col_info;

/** A new plan with one reference. It holds a reference to the registry. */
fl_status fl_plan_new(fl_memory *memory, const fl_registry *registry, fl_plan **ret, fl_err *err);
fl_plan *fl_plan_ref(fl_plan *plan);
void fl_plan_unref(fl_plan *plan);

/** Where what is made lies; a copy has none. */
fl_arena *fl_plan_arena(fl_plan *plan);
fl_memory *fl_plan_memory(const fl_plan *plan);
/** Whether a call of a function with FL_MANY_ROWS was made in it. */
bool fl_plan_wants_many_rows(const fl_plan *plan);
const fl_registry *fl_plan_registry(const fl_plan *plan);

/** A new column. Name is copied, type's fields too. */
fl_status fl_plan_add_col(fl_plan *plan, const fl_col_info *info, fl_col_id *ret, fl_err *err);
const fl_col_info *fl_plan_col(const fl_plan *plan, fl_col_id col);

/** Whether both are columns of one table, made by one scan of it: of a table that is scanned twice each scan has its own. */
bool fl_plan_is_one_scan(const fl_plan *plan, fl_col_id a, fl_col_id b);

/** What a column is called from now on, as an alias says; `name` is borrowed for the plan's life. Columns of tables keep
 *  theirs. For a plan that is being made. */
void fl_plan_call_col(fl_plan *plan, fl_col_id col, fl_str name);

/** The functions that became expressions of the plan, once each; a copy knows none. */
const struct fl_func_desc *const *fl_plan_expanded(const fl_plan *plan, int32_t *ret_n);

/** Notes where in the text the scalar subquery stands whose result the column is. For a plan that is being made. */
void fl_plan_place_subquery(fl_plan *plan, fl_col_id col, int32_t pos);
int32_t fl_plan_cols(const fl_plan *plan); /* ids are 1 .. this */

/** Notes that a rule derived the expression: *ret_is_new is true the first time. So a rule that adds what follows adds it once,
 *  whatever other rules make of it. For a plan that is being made. */
fl_status fl_plan_derive_once(fl_plan *plan, const fl_expr *expr, bool *ret_is_new, fl_err *err);

/** Notes that what is derived from a condition of a join is asked of one of its sides already; later ones join the first. For a
 *  plan that is being made. */
fl_status fl_plan_note_implied(fl_plan *plan, const fl_expr *condition, const fl_expr *implied, fl_err *err);

/** What was noted of the condition so, `at` = 0, 1 and so on; NULL: no more. */
const fl_expr *fl_plan_implied(const fl_plan *plan, const fl_expr *condition, int32_t at);

/** Nodes made so far; their ids are 1 .. this. */
int32_t fl_plan_nodes(const fl_plan *plan);

/** Keeps a reference to a table for as long as the plan lives. */
fl_status fl_plan_hold_table(fl_plan *plan, fl_table *table, fl_err *err);

/* Column sets: bits by id, from the least id to the greatest, so that a node's set costs as much as its own part of the plan.
 * The words lie in the arena that is given; cheap to test, immutable by custom once shared. */
typedef struct fl_col_set {
    int32_t first_word; /* ids from first_word * 64 on */
    int32_t n_words;
    uint64_t *words;
} fl_col_set;

void fl_col_set_init(fl_col_set *set);
fl_status fl_col_set_add(fl_arena *arena, fl_col_set *set, fl_col_id col, fl_err *err);
fl_status fl_col_set_add_cols(fl_arena *arena, fl_col_set *set, const fl_col_id *cols, int32_t n, fl_err *err);
fl_status fl_col_set_add_all(fl_arena *arena, fl_col_set *set, const fl_col_set *other, fl_err *err);
void fl_col_set_remove(fl_col_set *set, fl_col_id col);
void fl_col_set_remove_all(fl_col_set *set, const fl_col_set *other);
void fl_col_set_keep_all(fl_col_set *set, const fl_col_set *other); /* removes what is not in `other` */
bool fl_col_set_has(const fl_col_set *set, fl_col_id col);
bool fl_col_set_has_all(const fl_col_set *set, const fl_col_set *part);
bool fl_col_set_meets(const fl_col_set *a, const fl_col_set *b);
bool fl_col_set_is_empty(const fl_col_set *set);
int32_t fl_col_set_count(const fl_col_set *set);
fl_col_id fl_col_set_first(const fl_col_set *set); /* the least; n = 0: it is empty */

#endif
