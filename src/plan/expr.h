/* Scalar expressions: immutable trees, hash-consed in a plan. Every frontend's expressions become these.
 *
 *     const fl_expr *price, *limit, *test;
 *     FL_TRY(fl_expr_column(plan, price_col, -1, &price, err));
 *     FL_TRY(fl_expr_const(plan, &hundred, -1, &limit, err));
 *     FL_TRY(fl_expr_call_args(plan, "<", -1, &test, err, 2, price, limit));
 *
 * The makers resolve functions, add casts, derive types and flags, and report errors with the given place in the text
 * (`pos`, bytes from 0, -1 = none). */
#ifndef FL_PLAN_EXPR_H
#define FL_PLAN_EXPR_H

#include "plan/func.h"

struct fl_nearest;

typedef enum fl_expr_kind {
    FL_EXPR_COLUMN,   /* col */
    FL_EXPR_CONST,    /* value */
    FL_EXPR_PARAM,    /* param: number from 0; type is its declared or inferred one */
    FL_EXPR_CALL,     /* func, kernel; args */
    FL_EXPR_CAST,     /* args[0] to type; is_try */
    FL_EXPR_CASE,     /* args: when, then, when, then, …, else */
    FL_EXPR_AND,      /* args: 2 or more, never ANDs themselves */
    FL_EXPR_OR,       /* args: 2 or more, never ORs themselves */
    FL_EXPR_NOT,      /* args[0] */
    FL_EXPR_IS_NULL,  /* args[0]: never null itself */
    FL_EXPR_IN,       /* args[0] in constants args[1 …] of the same type */
    FL_EXPR_SUBQUERY, /* subquery: until it is unnested */
    FL_EXPR_FIELD,    /* args[0].field of a struct: param is the field's number */
    FL_EXPR_STRUCT    /* args are its fields in order, their names are the type's; never null itself */
} fl_expr_kind;

/* Flags, of the node or anything below it. */
enum {
    FL_EXPR_CAN_FAIL = 1,
    FL_EXPR_VOLATILE = 2,
    FL_EXPR_HAS_SUBQUERY = 4,
    FL_EXPR_HAS_PARAM = 8,
    FL_EXPR_HAS_COLUMN = 16,
    FL_EXPR_UNTYPED = 32 /* this node is a string literal, NULL or a list of NULLs whose type its context decides */
};

typedef enum fl_subquery_kind {
    FL_SUBQUERY_SCALAR, /* one column, at most one row (else FL_ERR_CARDINALITY); no row = null */
    FL_SUBQUERY_EXISTS, /* true when there is a row */
    FL_SUBQUERY_ANY,    /* left `compare` some row: three-valued; IN is `= ANY` */
    FL_SUBQUERY_ALL     /* left `compare` every row; NOT IN is `<> ALL` */
} fl_subquery_kind;

typedef struct fl_subquery {
    fl_subquery_kind kind;
    const char *compare;  /* "=", "<>", "<", "<=", ">", ">=" */
    const fl_node *query; /* columns of its own; outer columns occur free in it */
    int32_t n_left;       /* ANY, ALL: expressions compared with the query's first n columns (rows: several) */
    const fl_expr *const *left;
} fl_subquery;

struct fl_expr {
    uint8_t kind;
    bool is_try;      /* CAST: failing values become null */
    bool is_compared; /* CAST: see fl_expr_cast_compared */
    uint16_t flags;
    uint16_t depth; /* levels below, itself included */
    int32_t pos;    /* place in the query text; not part of the identity */
    int32_t n_args;
    union {
        int32_t param;   /* PARAM, FIELD; else 0 */
        uint32_t traits; /* CALL: of the function */
    };
    int32_t size; /* parts as a tree, where shared ones count as often as they are met; INT32_MAX: that many or more */
    fl_type type;
    const fl_expr *const *args;
    union {
        fl_col_id col;
        const fl_value *value;
        struct {
            const fl_func_desc *func;
            fl_func_run run;
        };
        const fl_subquery *subquery;
    };
};

fl_status fl_expr_column(fl_plan *plan, fl_col_id col, int32_t pos, const fl_expr **ret, fl_err *err);
fl_status fl_expr_const(fl_plan *plan, const fl_value *value, int32_t pos, const fl_expr **ret, fl_err *err);

/** A string literal (or NULL) that takes its type from its context: 'x' = name, date_col < '2020-01-01'. */
fl_status fl_expr_untyped(fl_plan *plan, const fl_value *value, int32_t pos, const fl_expr **ret, fl_err *err);
fl_status fl_expr_param(fl_plan *plan, int32_t number, fl_type type, int32_t pos, const fl_expr **ret, fl_err *err);

/** A call of the function or operator `name` (case-insensitive): resolves the overload and casts the arguments.
 *  FL_ERR_FUNCTION with the types found, candidates and nearest names. Comparisons ("=" …) first bring both sides to
 *  their common type. `and`, `or`, `not`, `coalesce`-like special forms have makers of their own. */
fl_status fl_expr_call(fl_plan *plan, fl_str name, const fl_expr *const *args, int32_t n_args, int32_t pos,
                       const fl_expr **ret, fl_err *err);
fl_status fl_expr_call_args(fl_plan *plan, const char *name, int32_t pos, const fl_expr **ret, fl_err *err, int n_args,
                            ...);

/** Casts; gives `expr` itself when it has the type already. Untyped literals are read as the type at once. */
fl_status fl_expr_cast(fl_plan *plan, const fl_expr *expr, fl_type type, bool is_try, int32_t pos, const fl_expr **ret,
                       fl_err *err);

/** Casts to the type of a neighbour that the expression meets: an untyped literal only to that type without its modifiers
 *  (plan/literal.h), so that `decimal(3,1)` beside it takes no digit from it. */
fl_status fl_expr_cast_beside(fl_plan *plan, const fl_expr *expr, fl_type type, const fl_expr **ret, fl_err *err);

/** The type in which expressions meet that become values of one column or list (NULL pointers are left out; FL_NULL where all
 *  are null or untyped). An untyped literal adds what it is beside the others. *ret_odd: the first that has no common type with
 *  those before it, whose type is then in *ret; else -1. */
fl_status fl_expr_common_type(fl_plan *plan, const fl_expr *const *args, int32_t n, fl_type *ret, int32_t *ret_odd,
                              fl_err *err);

/** Casts an argument that is only compared. A date beside timestamps need not be one of them, and does not fail: where it is
 *  out of their range it lies between all of them and infinity. */
fl_status fl_expr_cast_compared(fl_plan *plan, const fl_expr *expr, fl_type type, const fl_expr **ret, fl_err *err);

/** Casts only where the language does so without being asked; FL_ERR_TYPE names both types and the cast to write. */
fl_status fl_expr_coerce(fl_plan *plan, const fl_expr *expr, fl_type type, const fl_expr **ret, fl_err *err);

/** AND, OR (flattened, n ≥ 1; FL_ERR_TYPE unless boolean), NOT. */
fl_status fl_expr_and(fl_plan *plan, const fl_expr *const *args, int32_t n_args, int32_t pos, const fl_expr **ret,
                      fl_err *err);
fl_status fl_expr_or(fl_plan *plan, const fl_expr *const *args, int32_t n_args, int32_t pos, const fl_expr **ret,
                     fl_err *err);
fl_status fl_expr_not(fl_plan *plan, const fl_expr *arg, int32_t pos, const fl_expr **ret, fl_err *err);
fl_status fl_expr_is_null(fl_plan *plan, const fl_expr *arg, int32_t pos, const fl_expr **ret, fl_err *err);

/** args: when, then, …, else (NULL pointer = ELSE NULL); brings the branches to their common type. */
fl_status fl_expr_case(fl_plan *plan, const fl_expr *const *args, int32_t n_args, int32_t pos, const fl_expr **ret,
                       fl_err *err);

/** (a, b) op (c, d) for =, <>, <, <=, > and >=: equal in all pairs, or decided by the first pair that differs. n >= 1. */
fl_status fl_expr_compare_rows(fl_plan *plan, const char *op, const fl_expr *const *left, const fl_expr *const *right,
                               int32_t n, int32_t pos, const fl_expr **ret, fl_err *err);

/** x IN (list): constants become FL_EXPR_IN (sorted, without doubles), others ORs of equalities. */
fl_status fl_expr_in(fl_plan *plan, const fl_expr *arg, const fl_expr *const *list, int32_t n, int32_t pos,
                     const fl_expr **ret, fl_err *err);
fl_status fl_expr_subquery(fl_plan *plan, const fl_subquery *subquery, int32_t pos, const fl_expr **ret, fl_err *err);

/** A struct of values; `names` NULL makes a row, whose fields are f1, f2, ... One of constants is a constant. Untyped
 *  literals become text. */
fl_status fl_expr_struct(fl_plan *plan, const fl_str *names, const fl_expr *const *args, int32_t n_args, int32_t pos,
                         const fl_expr **ret, fl_err *err);

/** Offers the names of the functions and aggregates that a call may be of. */
void fl_expr_offer_functions(const fl_plan *plan, struct fl_nearest *near);

/** A struct's field by name (case-insensitive where unambiguous); FL_ERR_COLUMN with the nearest name. */
fl_status fl_expr_field(fl_plan *plan, const fl_expr *arg, fl_str name, int32_t pos, const fl_expr **ret, fl_err *err);

/** The same node with other arguments (same number), types derived again; for rewriters. */
fl_status fl_expr_with_args(fl_plan *plan, const fl_expr *expr, const fl_expr *const *args, const fl_expr **ret,
                            fl_err *err);

/** Adds the columns that the expression reads (free columns of subqueries too). Those of more than FL_EXPR_SMALL parts know
 *  them, so that this is quick. */
#define FL_EXPR_SMALL 16
fl_status fl_expr_add_cols(fl_arena *arena, const fl_expr *expr, fl_col_set *set, fl_err *err);

/** Adds the expression as SQL text with column names; for EXPLAIN and messages. Of very large ones only the size. */
void fl_expr_print(fl_text *text, const fl_plan *plan, const fl_expr *expr);

static inline bool fl_expr_is_const(const fl_expr *e)
{
    return e->kind == FL_EXPR_CONST;
}
/** Whether it may be evaluated for more or fewer rows than the text says: it cannot raise, is the same for the same row, and holds no
 *  subquery. */
static inline bool fl_expr_is_movable(const fl_expr *e)
{
    return (e->flags & (FL_EXPR_CAN_FAIL | FL_EXPR_VOLATILE | FL_EXPR_HAS_SUBQUERY)) == 0;
}
static inline bool fl_expr_is_true(const fl_expr *e)
{
    return e->kind == FL_EXPR_CONST && e->type.id == FL_BOOL && !e->value->is_null && e->value->b;
}
static inline bool fl_expr_is_false_or_null(const fl_expr *e)
{
    return e->kind == FL_EXPR_CONST && (e->value->is_null || (e->type.id == FL_BOOL && !e->value->b));
}

/* Which rows of its partition a function over a window sees, for each row: a frame. */
typedef enum fl_frame_unit { FL_FRAME_RANGE, FL_FRAME_ROWS, FL_FRAME_GROUPS } fl_frame_unit;
typedef enum fl_frame_bound {
    FL_FRAME_UNBOUNDED_PRECEDING,
    FL_FRAME_PRECEDING,
    FL_FRAME_CURRENT_ROW,
    FL_FRAME_FOLLOWING,
    FL_FRAME_UNBOUNDED_FOLLOWING
} fl_frame_bound;
typedef enum fl_frame_exclude {
    FL_EXCLUDE_NO_OTHERS,
    FL_EXCLUDE_CURRENT_ROW,
    FL_EXCLUDE_GROUP,
    FL_EXCLUDE_TIES
} fl_frame_exclude;

/* Expressions of a frame; NULL where it has no use for one. Offsets read no column. Of RANGE with offsets, key, low and high have one
 * type: the frame's rows are those whose key is not before low and not behind high, in the direction of the order. */
enum { FL_FRAME_START_OFFSET, FL_FRAME_END_OFFSET, FL_FRAME_KEY, FL_FRAME_LOW, FL_FRAME_HIGH, FL_FRAME_EXPRS };

typedef struct fl_frame {
    uint8_t unit;       /* fl_frame_unit */
    uint8_t start;      /* fl_frame_bound */
    uint8_t end;        /* fl_frame_bound */
    uint8_t exclude;    /* fl_frame_exclude */
    bool ignores_nulls; /* rows in which the function's argument is null are passed over */
    const fl_expr *exprs[FL_FRAME_EXPRS];
} fl_frame;

/* An aggregate call inside an aggregate operator, or a function over a window. */
typedef struct fl_agg {
    const fl_agg_desc *agg;
    const struct fl_agg_kernel *kernel;
    int32_t n_args;
    const fl_expr *args[FL_AGG_ARGS_MAX];
    const fl_expr *filter; /* FILTER (WHERE …) or NULL */
    bool is_distinct;
    bool never_fails; /* see fl_agg_choice */
    int32_t n_order;  /* ORDER BY inside the call, where the aggregate goes by it */
    const struct fl_sort_key *order;
    const fl_frame *frame; /* over a window; else NULL */
    fl_type type;
    fl_col_id out;
} fl_agg;

typedef struct fl_sort_key {
    const fl_expr *expr;
    bool is_descending;
    bool nulls_first;
} fl_sort_key;

/** Resolves an aggregate and casts its arguments. `ret->out` is a new column named `name`. FL_ERR_FUNCTION when it does
 *  not exist for these types. */
fl_status fl_agg_make(fl_plan *plan, fl_str name, const fl_expr *const *args, int32_t n_args, bool is_distinct,
                      const fl_expr *filter, const fl_sort_key *order, int32_t n_order, int32_t pos, fl_agg *ret,
                      fl_err *err);

/** The same for a descriptor that is in no registry. */
fl_status fl_agg_make_of(fl_plan *plan, const fl_agg_desc *agg, const fl_expr *const *args, int32_t n_args,
                         bool is_distinct, const fl_expr *filter, const fl_sort_key *order, int32_t n_order,
                         int32_t pos, fl_agg *ret, fl_err *err);

#endif
