/* The syntax tree of SQL: what was written, before anything is known about tables, columns or types.
 *
 * Plain structs in the statement's arena; nothing is freed one by one and nothing changes after parsing. Every node has
 * its place: byte offsets [start, end) into the text. Names and literals point into the text where they can, so the
 * text must outlive the tree.
 *
 * Holds: `height` of an expression is at most FL_SQL_DEPTH_MAX, so that whoever walks the tree may recurse. Chains of
 * AND and OR, and chains of one set operation, are single nodes with many inputs: their length is not depth. */
#ifndef FL_FRONT_SQL_AST_H
#define FL_FRONT_SQL_AST_H

#include "base/str.h"

#define FL_SQL_DEPTH_MAX 1000 /* nested parentheses, subqueries, operators */

typedef struct fl_ast_expr fl_ast_expr;
typedef struct fl_ast_query fl_ast_query;
typedef struct fl_ast_table fl_ast_table;

typedef struct fl_ast_name {
    fl_str text; /* without quotes; empty where an optional name is absent */
    int32_t start, end;
} fl_ast_name;

/* `a`, `a.b`, `a.b.c`: a column, table or function as it was written. */
typedef struct fl_ast_path {
    fl_ast_name *parts;
    int32_t count;
} fl_ast_path;

/* ---- types ---- */

/* `decimal(10, 2)`, `varchar(20)`, `int[]`, `struct(a int)`. Names of several words are joined by single blanks, in
 * lower case: "double precision", "timestamp with time zone". */
typedef struct fl_ast_type {
    fl_str name;
    int64_t modifiers[2];
    int32_t modifier_count;
    int32_t list_depth;          /* pairs of brackets behind the name */
    int32_t *list_lengths;       /* [list_depth] what stands in each, -1: nothing; NULL: nowhere does anything */
    struct fl_ast_field *fields; /* of struct(...) */
    int32_t field_count;
    int32_t start, end;
} fl_ast_type;

typedef struct fl_ast_field {
    fl_ast_name name;
    fl_ast_type *type;
} fl_ast_field;

/* ---- expressions ---- */

typedef enum fl_ast_kind {
    FL_AST_COLUMN,          /* path */
    FL_AST_STAR,            /* star: `*`, `t.*`; only in select lists and count(*) */
    FL_AST_COLUMNS,         /* star: COLUMNS(...); flag: *COLUMNS(...), whose columns are so many arguments */
    FL_AST_BOUND,           /* bound: a column of the plan; the binder puts it in, no text has it */
    FL_AST_VALUE,           /* value: a constant, from the binder, too */
    FL_AST_DONE,            /* done: what the binder has bound already, as it stands */
    FL_AST_INTEGER,         /* text: decimal digits */
    FL_AST_DECIMAL,         /* text: digits with a point */
    FL_AST_FLOAT,           /* text: digits with an exponent */
    FL_AST_STRING,          /* text: the value, escapes resolved */
    FL_AST_BLOB,            /* text: the bytes */
    FL_AST_BOOL,            /* truth */
    FL_AST_NULL,            /* */
    FL_AST_TYPED,           /* typed: DATE '2020-01-01' */
    FL_AST_INTERVAL,        /* interval */
    FL_AST_PARAMETER,       /* parameter: from 1; parameter_name */
    FL_AST_AND,             /* list, at least two */
    FL_AST_OR,              /* list, at least two */
    FL_AST_NOT,             /* ops.left */
    FL_AST_UNARY,           /* op, ops.left */
    FL_AST_BINARY,          /* op, ops.left, ops.right */
    FL_AST_IS,              /* is, ops.left; for DISTINCT FROM ops.right too */
    FL_AST_BETWEEN,         /* ops.left, ops.right = low, ops.third = high; symmetric */
    FL_AST_LIKE,            /* op (LIKE, ILIKE), ops.left, ops.right, ops.third = escape or NULL */
    FL_AST_IN_LIST,         /* in */
    FL_AST_IN_QUERY,        /* sub: left, query */
    FL_AST_QUANTIFIED,      /* op, sub: left, query; all */
    FL_AST_QUANTIFIED_LIST, /* op, ops.left = value, ops.right = list expression; all */
    FL_AST_EXISTS,          /* sub: query */
    FL_AST_SUBQUERY,        /* sub: query, one value */
    FL_AST_ARRAY_QUERY,     /* sub: query, ARRAY(SELECT ...) */
    FL_AST_CASE,            /* cases */
    FL_AST_CAST,            /* cast; try */
    FL_AST_CALL,            /* call */
    FL_AST_ROW,             /* list: `(a, b)`, ROW(a) */
    FL_AST_LIST,            /* list: `[1, 2]`; flag: `MAP {}` */
    FL_AST_STRUCT,          /* record: `{'a': 1}` */
    FL_AST_FIELD,           /* field: (expr).name */
    FL_AST_COLLATE,         /* field: expr COLLATE name */
    FL_AST_INDEX,           /* index: expr[i], expr[a:b] */
    FL_AST_DEFAULT,         /* DEFAULT in VALUES and SET */
    FL_AST_ROLLUP,          /* list; in GROUP BY, as the next two: elements are expressions or rows */
    FL_AST_CUBE,            /* list */
    FL_AST_SETS,            /* list: GROUPING SETS (...), whose elements may be each of the three */
} fl_ast_kind;

typedef enum fl_ast_op {
    FL_AST_OP_NONE,
    FL_AST_OP_ADD,
    FL_AST_OP_SUB,
    FL_AST_OP_MUL,
    FL_AST_OP_DIV,
    FL_AST_OP_INT_DIV, /* // */
    FL_AST_OP_MOD,
    FL_AST_OP_POW,
    FL_AST_OP_CONCAT,
    FL_AST_OP_EQ,
    FL_AST_OP_NE,
    FL_AST_OP_LT,
    FL_AST_OP_LE,
    FL_AST_OP_GT,
    FL_AST_OP_GE,
    FL_AST_OP_REGEX,        /* ~ ; negated for !~ */
    FL_AST_OP_REGEX_NOCASE, /* ~* */
    FL_AST_OP_LIKE,
    FL_AST_OP_ILIKE,
    FL_AST_OP_BIT_AND,
    FL_AST_OP_BIT_OR,
    FL_AST_OP_BIT_XOR, /* # */
    FL_AST_OP_BIT_NOT, /* prefix ~ */
    FL_AST_OP_SHIFT_LEFT,
    FL_AST_OP_SHIFT_RIGHT,
    FL_AST_OP_ARROW,       /* -> */
    FL_AST_OP_ARROW_TEXT,  /* ->> */
    FL_AST_OP_PATH,        /* #> */
    FL_AST_OP_PATH_TEXT,   /* #>> */
    FL_AST_OP_PATH_DELETE, /* #- */
    FL_AST_OP_HAS,         /* ? */
    FL_AST_OP_PATH_EXISTS, /* @? */
    FL_AST_OP_PATH_MATCH,  /* @@ */
    FL_AST_OP_HAS_ANY,     /* ?| */
    FL_AST_OP_HAS_ALL,     /* ?& */
    FL_AST_OP_PLUS,        /* prefix */
    FL_AST_OP_MINUS,       /* prefix */
    FL_AST_OP_CONTAINS,    /* @> */
    FL_AST_OP_CONTAINED,   /* <@ */
    FL_AST_OP_OVERLAPS,    /* && */
    FL_AST_OP_STARTS,      /* ^@ */
    FL_AST_OP_SIMILAR,     /* SIMILAR TO */
    FL_AST_OP_GLOB,
} fl_ast_op;

typedef enum fl_ast_is {
    FL_AST_IS_NULL,
    FL_AST_IS_TRUE,
    FL_AST_IS_FALSE,
    FL_AST_IS_UNKNOWN,
    FL_AST_IS_DISTINCT,
} fl_ast_is;

typedef struct fl_ast_order {
    fl_ast_expr *expr;
    bool is_descending;
    bool has_nulls;       /* NULLS FIRST or LAST was written */
    bool nulls_first;     /* which of them; without has_nulls the session's default holds */
    fl_ast_expr *columns; /* of a query's: the last COLUMNS(...) in it, or NULL */
    int32_t start, end;
} fl_ast_order;

typedef struct fl_ast_arg {
    fl_ast_name name; /* of `name := value`; empty for a positional one */
    fl_ast_expr *value;
    fl_ast_name *params; /* of a lambda, whose body is the value; else NULL. Only while the call is parsed */
    int32_t param_count;
} fl_ast_arg;

/* A bound of a window's frame: 2 PRECEDING. */
typedef enum fl_ast_bound_kind {
    FL_AST_BOUND_UNBOUNDED_PRECEDING,
    FL_AST_BOUND_PRECEDING,
    FL_AST_BOUND_CURRENT_ROW,
    FL_AST_BOUND_FOLLOWING,
    FL_AST_BOUND_UNBOUNDED_FOLLOWING,
} fl_ast_bound_kind;

typedef struct fl_ast_bound {
    fl_ast_bound_kind kind;
    fl_ast_expr *offset; /* of PRECEDING and FOLLOWING */
    int32_t start;
} fl_ast_bound;

typedef enum fl_ast_unit { FL_AST_RANGE, FL_AST_ROWS, FL_AST_GROUPS } fl_ast_unit;
typedef enum fl_ast_exclude {
    FL_AST_EXCLUDE_NO_OTHERS,
    FL_AST_EXCLUDE_CURRENT_ROW,
    FL_AST_EXCLUDE_GROUP,
    FL_AST_EXCLUDE_TIES,
} fl_ast_exclude;

/* OVER w is a base and nothing else; OVER (w ...) takes over what the base says. */
typedef struct fl_ast_window {
    fl_ast_name base; /* may be empty */
    bool is_name;     /* OVER w: what w says, its frame, too */
    fl_ast_expr **partition;
    int32_t partition_count;
    int32_t partition_start;
    fl_ast_order *order;
    int32_t order_count;
    bool has_frame;
    fl_ast_unit unit;
    fl_ast_bound from, to;
    fl_ast_exclude exclude;
    int32_t frame_start;
    int32_t start, end;
    uint16_t height; /* of the tallest expression in it */
} fl_ast_window;

/* WINDOW name AS (...) */
typedef struct fl_ast_named_window {
    fl_ast_name name;
    fl_ast_window *window;
} fl_ast_named_window;

typedef struct fl_ast_call {
    fl_ast_path path;
    fl_ast_arg *args;
    int32_t arg_count;
    bool is_star;     /* count(*) */
    bool is_method;   /* x.f(y): the first argument stood in front */
    bool is_distinct; /* f(DISTINCT x) */
    fl_ast_order *order;
    int32_t order_count;
    bool is_within_group; /* the order is that of WITHIN GROUP (ORDER BY ...) */
    fl_ast_expr *filter;  /* FILTER (WHERE ...) or NULL */
    bool ignores_nulls;   /* IGNORE NULLS */
    int32_t nulls_start;  /* where that or RESPECT NULLS was written; 0: nowhere */
    fl_ast_window *over;  /* or NULL */
} fl_ast_call;

typedef struct fl_ast_when {
    fl_ast_expr *when;
    fl_ast_expr *then;
} fl_ast_when;

typedef struct fl_ast_case {
    fl_ast_expr *subject; /* of CASE x WHEN ..., or NULL */
    fl_ast_when *whens;
    int32_t when_count;
    fl_ast_expr *otherwise; /* or NULL */
} fl_ast_case;

/* A column of a star, with or without its table: `a`, `t.a`. */
typedef struct fl_ast_star_name {
    fl_ast_name table; /* may be empty */
    fl_ast_name name;
} fl_ast_star_name;

typedef struct fl_ast_replace {
    fl_ast_expr *expr;
    fl_ast_star_name name;
} fl_ast_replace;

typedef struct fl_ast_rename {
    fl_ast_star_name from;
    fl_ast_name to;
} fl_ast_rename;

/* Which columns are meant: all of the tables or of one; of these those for whose names `test` holds, or that `pick` names. */
typedef struct fl_ast_star {
    fl_ast_path table; /* of `t.*`; count 0 for `*` */
    fl_ast_star_name *exclude;
    int32_t exclude_count;
    fl_ast_replace *replace;
    int32_t replace_count;
    fl_ast_rename *rename;
    int32_t rename_count;
    fl_ast_expr *test; /* of * LIKE 'a%' and COLUMNS(lambda c: ...), over `param`; or NULL */
    fl_ast_name param; /* what a column's name is called in it */
    fl_ast_expr *pick; /* of COLUMNS('regex') and COLUMNS([names]), a constant; or NULL */
    fl_ast_expr *next; /* of COLUMNS: the one before it in the same item or condition */
} fl_ast_star;

struct fl_ast_expr {
    uint8_t kind;    /* fl_ast_kind */
    uint8_t op;      /* fl_ast_op; of FL_AST_IS an fl_ast_is */
    bool is_negated; /* NOT IN, NOT LIKE, IS NOT ..., !~ */
    bool flag;       /* BETWEEN SYMMETRIC; ALL instead of ANY; TRY_CAST; a slice instead of one element */
    uint16_t height; /* 1 for a leaf */
    int32_t start, end;
    int32_t at; /* the operator's place, where there is one; else start */
    union {
        fl_ast_path path;
        fl_ast_star *star;
        int32_t bound;
        const struct fl_value *value;
        const struct fl_expr *done;
        fl_str text;
        bool truth;
        struct {
            int32_t parameter;
            fl_str parameter_name; /* empty: it has a number */
        };
        struct {
            fl_ast_type *type;
            fl_str text;
        } typed;
        struct {
            fl_ast_expr *value; /* a string, a number, or an expression in parentheses */
            fl_str unit;        /* of INTERVAL '1' YEAR, in lower case; empty when the text says it */
        } interval;
        struct {
            fl_ast_expr **items;
            int32_t count;
        } list;
        struct {
            fl_ast_expr *left, *right, *third;
        } ops;
        struct {
            fl_ast_expr *left;
            fl_ast_expr **items;
            int32_t count;
        } in;
        struct {
            fl_ast_expr *left;
            fl_ast_query *query;
        } sub;
        fl_ast_case *cases;
        struct {
            fl_ast_expr *value;
            fl_ast_type *type;
        } cast;
        fl_ast_call *call;
        struct {
            fl_ast_arg *items; /* all named */
            int32_t count;
        } record;
        struct {
            fl_ast_expr *value;
            fl_ast_name *name;
        } field;
        struct {
            fl_ast_expr *value, *from, *to; /* of a slice either bound may be NULL */
        } index;
    };
};

/* ---- tables ---- */

typedef enum fl_ast_sample_method {
    FL_AST_SAMPLE_ANY,       /* while it is parsed only */
    FL_AST_SAMPLE_SYSTEM,    /* blocks of rows */
    FL_AST_SAMPLE_BERNOULLI, /* each row by itself */
    FL_AST_SAMPLE_RESERVOIR, /* so many rows */
} fl_ast_sample_method;

/* TABLESAMPLE and USING SAMPLE. */
typedef struct fl_ast_sample {
    fl_ast_sample_method method;
    fl_ast_expr *size; /* a number of rows, or */
    bool is_percent;   /* a share of them */
    fl_ast_expr *seed; /* or NULL */
    int32_t start;
} fl_ast_sample;

typedef enum fl_ast_table_kind {
    FL_AST_TABLE_NAME,     /* path */
    FL_AST_TABLE_FILE,     /* file: 'orders.parquet' */
    FL_AST_TABLE_FUNCTION, /* call */
    FL_AST_TABLE_QUERY,    /* query: (SELECT ...), (VALUES ...) */
    FL_AST_TABLE_JOIN,     /* join */
    FL_AST_TABLE_PIVOT,    /* pivot */
    FL_AST_TABLE_UNPIVOT,  /* unpivot */
    FL_AST_TABLE_BOUND,    /* bound: a source that the binder has already; no text has it */
} fl_ast_table_kind;

typedef enum fl_ast_join_kind {
    FL_AST_JOIN_INNER,
    FL_AST_JOIN_LEFT,
    FL_AST_JOIN_RIGHT,
    FL_AST_JOIN_FULL,
    FL_AST_JOIN_CROSS, /* and the comma */
    FL_AST_JOIN_SEMI,
    FL_AST_JOIN_ANTI,
    FL_AST_JOIN_POSITIONAL,
} fl_ast_join_kind;

typedef struct fl_ast_join {
    fl_ast_join_kind kind;
    bool is_natural;
    bool is_asof; /* the condition has one inequality, which means the nearest row */
    fl_ast_table *left, *right;
    fl_ast_expr *on; /* or NULL */
    fl_ast_name *usings;
    int32_t using_count;
} fl_ast_join;

struct fl_ast_table {
    uint8_t kind;        /* fl_ast_table_kind */
    bool is_lateral;     /* LATERAL was written */
    bool has_ordinality; /* WITH ORDINALITY was */
    uint16_t height;
    int32_t start, end;
    fl_ast_name alias;    /* may be empty */
    fl_ast_name *columns; /* of `alias(a, b)` */
    int32_t column_count;
    fl_ast_sample *sample; /* or NULL */
    union {
        fl_ast_path path;
        fl_str file;
        fl_ast_call *call;
        fl_ast_query *query;
        fl_ast_join *join;
        struct fl_ast_pivot *pivot;
        struct fl_ast_unpivot *unpivot;
        struct fl_sql_source *bound;
    };
};

/* ---- queries ---- */

typedef struct fl_ast_item {
    fl_ast_expr *expr;
    fl_ast_name alias;    /* may be empty */
    fl_ast_expr *columns; /* the last COLUMNS(...) in it, or NULL */
    fl_ast_expr *filter;  /* of all aggregates in it, beside their own; from the binder. NULL: none */
} fl_ast_item;

/* key IN (value, value AS name, ...): each value becomes a column. */
typedef struct fl_ast_pivot_key {
    fl_ast_expr *key;    /* FL_AST_ROW: several at once */
    fl_ast_item *values; /* NULL: those that there are */
    int32_t value_count;
    fl_ast_query *query; /* IN (SELECT ...), or NULL */
} fl_ast_pivot_key;

/* PIVOT source ON keys USING aggregates GROUP BY groups, and source PIVOT (aggregates FOR keys GROUP BY groups). */
typedef struct fl_ast_pivot {
    fl_ast_table *source;
    fl_ast_pivot_key *keys;
    int32_t key_count;
    fl_ast_item *usings; /* none: count(*) */
    int32_t using_count;
    bool has_group;
    fl_ast_expr **groups;
    int32_t group_count;
} fl_ast_pivot;

/* UNPIVOT source ON columns INTO NAME name VALUE values, and source UNPIVOT (values FOR name IN (columns)). */
typedef struct fl_ast_unpivot {
    fl_ast_table *source;
    bool has_nulls;     /* INCLUDE NULLS */
    fl_ast_item *items; /* a column, COLUMNS(...), a star; or a row of so many as there are values */
    int32_t item_count;
    fl_ast_name name;
    fl_ast_name *values;
    int32_t value_count;
} fl_ast_unpivot;

typedef struct fl_ast_select {
    bool is_distinct;
    fl_ast_expr **distinct_on; /* DISTINCT ON (...) */
    int32_t distinct_on_count;
    fl_ast_item *items;
    int32_t item_count;
    fl_ast_table *from;    /* or NULL */
    fl_ast_sample *sample; /* of FROM's rows, or NULL */
    fl_ast_expr *where;
    fl_ast_expr *where_columns; /* the last COLUMNS(...) in it, or NULL */
    bool group_all;             /* GROUP BY ALL */
    bool has_group;             /* GROUP BY was written: GROUP BY () has no expression but is one group */
    fl_ast_expr **groups;
    int32_t group_count;
    fl_ast_expr *having;
    fl_ast_named_window *windows;
    int32_t window_count;
    fl_ast_expr *qualify; /* or NULL */
} fl_ast_select;

typedef struct fl_ast_values {
    fl_ast_expr **rows; /* each an FL_AST_ROW; all of the same length */
    int32_t row_count;
    int32_t column_count;
} fl_ast_values;

typedef enum fl_ast_set_op {
    FL_AST_UNION,
    FL_AST_INTERSECT,
    FL_AST_EXCEPT,
} fl_ast_set_op;

/* A left-deep chain of one operation: ((a op b) op c) op d. */
typedef struct fl_ast_set {
    fl_ast_set_op op;
    bool is_all;
    bool is_by_name; /* UNION BY NAME: columns meet by their names, not their places */
    struct fl_ast_body **inputs;
    int32_t input_count;
} fl_ast_set;

typedef enum fl_ast_body_kind {
    FL_AST_BODY_SELECT,
    FL_AST_BODY_VALUES,
    FL_AST_BODY_SET,
    FL_AST_BODY_QUERY,     /* in parentheses, with clauses of its own */
    FL_AST_BODY_SUMMARIZE, /* query: a row about each of its columns */
} fl_ast_body_kind;

typedef struct fl_ast_body {
    fl_ast_body_kind kind;
    int32_t start, end;
    union {
        fl_ast_select *select;
        fl_ast_values *values;
        fl_ast_set *set;
        fl_ast_query *query;
    };
} fl_ast_body;

/* SEARCH DEPTH | BREADTH FIRST BY columns SET into */
typedef struct fl_ast_search {
    bool is_depth;
    fl_ast_name *columns;
    int32_t column_count;
    fl_ast_name into;
} fl_ast_search;

/* CYCLE columns SET mark [TO value DEFAULT other] USING path */
typedef struct fl_ast_cycle {
    fl_ast_name *columns;
    int32_t column_count;
    fl_ast_name mark, path;
    fl_ast_expr *value, *other; /* true and false where they are not written */
} fl_ast_cycle;

typedef struct fl_ast_cte {
    fl_ast_name name;
    fl_ast_name *columns;
    int32_t column_count;
    fl_ast_name *keys; /* USING KEY (…); none: it was not written */
    int32_t key_count;
    fl_ast_search *search; /* or NULL */
    fl_ast_cycle *cycle;   /* or NULL */
    bool widens;           /* a column of the step whose type is wider makes that of the first part so */
    bool is_materialized;  /* MATERIALIZED was written */
    bool is_inlined;       /* NOT MATERIALIZED was */
    fl_ast_query *query;
    struct fl_ast_statement *change; /* INSERT, UPDATE, DELETE, MERGE in its place; NULL: a query */
} fl_ast_cte;

struct fl_ast_query {
    int32_t start, end;
    uint16_t height; /* of the tallest expression or join tree in it, subqueries counted */
    fl_ast_cte *ctes;
    int32_t cte_count;
    bool is_recursive; /* WITH RECURSIVE: each may read itself */
    fl_ast_body *body;
    bool order_all; /* ORDER BY ALL; its direction is in order[0], whose expr is NULL */
    fl_ast_order *order;
    int32_t order_count;
    fl_ast_expr *limit;  /* NULL = none (LIMIT ALL, too) */
    bool is_percent;     /* the limit is a share of the rows, in percent */
    bool has_ties;       /* FETCH FIRST ... WITH TIES: the last row's peers, too */
    fl_ast_expr *offset; /* NULL = none */
};

/* ---- statements ---- */

typedef enum fl_ast_statement_kind {
    FL_AST_QUERY,           /* query */
    FL_AST_CREATE_TABLE,    /* create_table */
    FL_AST_CREATE_VIEW,     /* create_view */
    FL_AST_CREATE_INDEX,    /* create_index */
    FL_AST_CREATE_FUNCTION, /* create_function */
    FL_AST_INSERT,          /* insert */
    FL_AST_UPDATE,          /* update */
    FL_AST_DELETE,          /* erase */
    FL_AST_TRUNCATE,        /* erase, without a condition */
    FL_AST_MERGE,           /* merge */
    FL_AST_ALTER,           /* alter */
    FL_AST_CREATE_SEQUENCE, /* sequence */
    FL_AST_ALTER_SEQUENCE,  /* sequence */
    FL_AST_CREATE_SCHEMA,   /* schema */
    FL_AST_DROP,            /* drop */
    FL_AST_ANALYZE,         /* analyze */
    FL_AST_DESCRIBE,        /* describe */
    FL_AST_SHOW_TABLES,     /* */
    FL_AST_SHOW,            /* setting: name; empty = all */
    FL_AST_SET,             /* setting: name, value */
    FL_AST_RESET,           /* setting: name */
    FL_AST_EXPLAIN,         /* explain */
    FL_AST_PREPARE,         /* prepare */
    FL_AST_EXECUTE,         /* execute */
    FL_AST_DEALLOCATE,      /* setting: name; empty = all */
    FL_AST_KILL,            /* setting: name, digits */
    FL_AST_COPY_TO,         /* copy */
    FL_AST_COPY_FROM,       /* copy */
    FL_AST_EXPORT,          /* copy: file is the folder */
    FL_AST_IMPORT,          /* copy: file is the folder */
    FL_AST_ATTACH,          /* database */
    FL_AST_DETACH,          /* database */
    FL_AST_USE,             /* use: database, schema or both */
    FL_AST_CREATE_MACRO,    /* create_macro */
    FL_AST_CREATE_TYPE,     /* create_type */
    FL_AST_SET_VARIABLE,    /* variable */
    FL_AST_RESET_VARIABLE,  /* variable: name */
    FL_AST_COMMENT,         /* comment */
} fl_ast_statement_kind;

/* PRIMARY KEY (…) or UNIQUE (…) of a table. */
typedef struct fl_ast_table_key {
    struct fl_ast_table_key *next; /* in the order of the text */
    fl_ast_name name;              /* of CONSTRAINT; empty text: none */
    fl_ast_name *columns;
    int32_t column_count;
    int32_t start;
    bool is_primary;
} fl_ast_table_key;

/* CHECK (…) */
typedef struct fl_ast_check {
    struct fl_ast_check *next;
    fl_ast_name name; /* of CONSTRAINT; empty text: none */
    int32_t start;
    fl_ast_expr *condition;
    int32_t text_start, text_end; /* its text */
} fl_ast_check;

typedef enum fl_ast_reference_action {
    FL_AST_REFERENCE_REFUSES, /* NO ACTION, RESTRICT */
    FL_AST_REFERENCE_CASCADES,
    FL_AST_REFERENCE_SETS_NULL,
} fl_ast_reference_action;

/* FOREIGN KEY (…) REFERENCES t (…) */
typedef struct fl_ast_foreign_key {
    struct fl_ast_foreign_key *next;
    fl_ast_name name; /* of CONSTRAINT; empty text: none */
    int32_t start;
    fl_ast_name *columns;
    int32_t column_count;
    fl_ast_path table;
    fl_ast_name *table_columns; /* none: its primary key */
    int32_t table_column_count;
    fl_ast_reference_action on_delete, on_update;
} fl_ast_foreign_key;

/* What a sequence is told; has_… false: not said. */
typedef struct fl_ast_sequence_options {
    bool has_start, has_increment, has_min, has_max, has_cycle, has_restart, is_restart_given;
    bool cycles;
    int64_t start, increment, min, max, restart;
    fl_ast_path owner; /* OWNED BY table.column; count 0: not said */
} fl_ast_sequence_options;

typedef enum fl_ast_identity {
    FL_AST_IDENTITY_NONE,
    FL_AST_IDENTITY_BY_DEFAULT,
    FL_AST_IDENTITY_ALWAYS
} fl_ast_identity;

typedef struct fl_ast_column_def {
    fl_ast_name name;
    fl_ast_type *type;
    bool is_not_null;
    fl_ast_name collation;                  /* may be empty */
    fl_ast_expr *otherwise;                 /* DEFAULT or NULL */
    int32_t otherwise_start, otherwise_end; /* its text */
    fl_ast_expr *generated;                 /* GENERATED ALWAYS AS (…) or NULL */
    int32_t generated_start, generated_end;
    fl_ast_identity identity;
    fl_ast_sequence_options *sequence; /* of an identity; NULL: none were written */
} fl_ast_column_def;

typedef struct fl_ast_create_table {
    fl_ast_path path;
    bool or_replace, if_not_exists, is_temporary;
    fl_ast_column_def *columns; /* with AS: names alone, or none */
    int32_t column_count;
    fl_ast_table_key *keys; /* of columns and of the table, as the next two */
    fl_ast_check *checks;
    fl_ast_foreign_key *foreign_keys;
    fl_ast_query *query; /* of AS, or NULL */
    bool is_empty;       /* WITH NO DATA */
} fl_ast_create_table;

typedef enum fl_ast_alter_kind {
    FL_AST_ALTER_ADD_COLUMN,     /* parts: one column and its constraints */
    FL_AST_ALTER_DROP_COLUMN,    /* name */
    FL_AST_ALTER_RENAME,         /* to: of the table or view */
    FL_AST_ALTER_RENAME_COLUMN,  /* name, to */
    FL_AST_ALTER_SET_TYPE,       /* name, type, expr (USING) or NULL */
    FL_AST_ALTER_SET_DEFAULT,    /* name, expr or NULL: DROP DEFAULT */
    FL_AST_ALTER_SET_NOT_NULL,   /* name */
    FL_AST_ALTER_DROP_NOT_NULL,  /* name */
    FL_AST_ALTER_ADD_CONSTRAINT, /* parts */
    FL_AST_ALTER_DROP_CONSTRAINT,
    FL_AST_ALTER_RENAME_CONSTRAINT,
    FL_AST_ALTER_DROP_EXPRESSION, /* name: a generated column becomes one like others */
} fl_ast_alter_kind;

typedef struct fl_ast_alter_action {
    fl_ast_alter_kind kind;
    int32_t start;
    fl_ast_name name, to;
    bool if_exists, if_not_exists, cascades;
    fl_ast_create_table *parts;
    fl_ast_type *type;
    fl_ast_name collation; /* behind the type; may be empty */
    fl_ast_expr *expr;
    int32_t text_start, text_end; /* of expr */
} fl_ast_alter_action;

typedef struct fl_ast_alter {
    fl_ast_path path;
    bool if_exists, is_view;
    fl_ast_alter_action *actions;
    int32_t action_count;
} fl_ast_alter;

typedef struct fl_ast_create_schema {
    fl_ast_path path;
    bool if_not_exists;
} fl_ast_create_schema;

typedef struct fl_ast_variable {
    fl_ast_name name;
    fl_ast_query *query; /* of its value: one row of one column */
} fl_ast_variable;

typedef struct fl_ast_macro_param {
    fl_ast_name name;
    fl_ast_type *type;      /* or NULL */
    fl_ast_expr *otherwise; /* or NULL */
} fl_ast_macro_param;

/* (params) AS body, (params) AS TABLE query */
typedef struct fl_ast_macro {
    int32_t start;
    fl_ast_macro_param *params;
    int32_t param_count;
    fl_ast_expr *body;   /* or NULL: */
    fl_ast_query *query; /* of a macro that gives a table */
} fl_ast_macro;

typedef struct fl_ast_create_macro {
    fl_ast_path path;
    bool or_replace, if_not_exists;
    fl_ast_macro *overloads; /* which take different numbers of arguments */
    int32_t overload_count;
    int32_t text_start, text_end; /* theirs */
} fl_ast_create_macro;

/* CREATE TYPE name AS type */
typedef struct fl_ast_create_type {
    fl_ast_path path;
    bool or_replace, if_not_exists;
    fl_ast_type *type;
} fl_ast_create_type;

typedef struct fl_ast_database {
    fl_ast_name name;
    bool if_not_exists, if_exists;
} fl_ast_database;

typedef struct fl_ast_sequence {
    fl_ast_path path;
    bool or_replace, if_not_exists, if_exists;
    fl_ast_sequence_options options;
    fl_ast_name to; /* ALTER ... RENAME TO; empty: none */
} fl_ast_sequence;

typedef struct fl_ast_create_view {
    fl_ast_path path;
    bool or_replace, if_not_exists, is_temporary;
    fl_ast_name *columns;
    int32_t column_count;
    fl_ast_query *query; /* its text is [query->start, query->end) */
} fl_ast_create_view;

typedef struct fl_ast_create_index {
    fl_ast_path name; /* count 0 when none was given */
    fl_ast_path table;
    bool is_unique, if_not_exists;
    fl_ast_expr **keys;
    int32_t key_count;
} fl_ast_create_index;

typedef struct fl_ast_function_param {
    fl_ast_name name; /* may be empty */
    fl_ast_type *type;
} fl_ast_function_param;

typedef enum fl_ast_volatility { FL_AST_IMMUTABLE, FL_AST_STABLE, FL_AST_VOLATILE } fl_ast_volatility;

typedef struct fl_ast_create_function {
    fl_ast_path path;
    bool or_replace, if_not_exists, is_aggregate;
    bool has_params; /* parentheses were written */
    fl_ast_function_param *params;
    int32_t param_count;
    fl_ast_type *returns; /* or NULL */
    fl_ast_name language; /* may be empty */
    fl_str code;
    int32_t code_start;
    bool has_code, takes_nulls, is_strict, errors_are_null;
    fl_ast_volatility volatility;
    int64_t fuel; /* 0: not said */
} fl_ast_create_function;

typedef struct fl_ast_assign {
    fl_ast_name name;
    fl_ast_expr *value; /* may be FL_AST_DEFAULT */
} fl_ast_assign;

/* Behind a change of rows: what it gives back. */
typedef struct fl_ast_returning {
    fl_ast_item *items;
    int32_t item_count; /* 0: nothing */
} fl_ast_returning;

/* ON CONFLICT, INSERT OR REPLACE, INSERT OR IGNORE. */
typedef struct fl_ast_conflict {
    int32_t start;
    fl_ast_name *columns; /* the key's; none: any, or the only one */
    int32_t column_count;
    fl_ast_name constraint; /* of ON CONSTRAINT; empty: none */
    bool does_nothing;
    bool replaces; /* OR REPLACE: all columns that are given, by the primary key */
    fl_ast_assign *assigns;
    int32_t assign_count;
    fl_ast_expr *where; /* or NULL */
} fl_ast_conflict;

typedef struct fl_ast_insert {
    fl_ast_query *with; /* its table expressions alone; NULL: none */
    fl_ast_path path;
    fl_ast_name alias;
    fl_ast_name *columns;
    int32_t column_count;
    bool by_name;              /* the query's columns are named as the table's */
    bool is_overriding;        /* OVERRIDING SYSTEM VALUE */
    bool ignores_values;       /* OVERRIDING USER VALUE */
    fl_ast_query *query;       /* NULL for DEFAULT VALUES */
    fl_ast_conflict *conflict; /* or NULL */
    fl_ast_returning returning;
} fl_ast_insert;

typedef struct fl_ast_update {
    fl_ast_query *with;
    fl_ast_table *table;
    fl_ast_assign *assigns;
    int32_t assign_count;
    fl_ast_table *from; /* or NULL */
    fl_ast_expr *where; /* or NULL */
    fl_ast_returning returning;
} fl_ast_update;

typedef struct fl_ast_erase {
    fl_ast_query *with;
    fl_ast_table *table;
    fl_ast_table *usings; /* or NULL */
    fl_ast_expr *where;   /* or NULL */
    fl_ast_returning returning;
} fl_ast_erase;

typedef enum fl_ast_merge_match {
    FL_AST_MATCHED,
    FL_AST_NOT_MATCHED, /* a row of the source without one of the target */
    FL_AST_NOT_MATCHED_BY_SOURCE,
} fl_ast_merge_match;

typedef enum fl_ast_merge_action {
    FL_AST_MERGE_NOTHING,
    FL_AST_MERGE_INSERT,
    FL_AST_MERGE_UPDATE,
    FL_AST_MERGE_DELETE,
} fl_ast_merge_action;

/* WHEN … THEN … */
typedef struct fl_ast_merge_when {
    int32_t start;
    fl_ast_merge_match match;
    fl_ast_merge_action action;
    fl_ast_expr *condition; /* or NULL */
    fl_ast_assign *assigns; /* UPDATE SET, and INSERT (names) VALUES (values); without names they go by place */
    int32_t assign_count;
    bool takes_row;     /* INSERT, UPDATE SET * alone: the columns of the source that are called as the target's */
    bool is_by_place;   /* the names are empty */
    bool is_overriding; /* OVERRIDING SYSTEM VALUE */
} fl_ast_merge_when;

typedef struct fl_ast_merge {
    fl_ast_query *with;
    fl_ast_table *target;
    fl_ast_table *source;
    fl_ast_expr *on;     /* or NULL: */
    fl_ast_name *usings; /* USING (a, b) */
    int32_t using_count;
    fl_ast_merge_when *whens;
    int32_t when_count;
    fl_ast_returning returning;
} fl_ast_merge;

typedef enum fl_ast_object {
    FL_AST_OBJECT_TABLE,
    FL_AST_OBJECT_VIEW,
    FL_AST_OBJECT_INDEX,
    FL_AST_OBJECT_FUNCTION,
    FL_AST_OBJECT_SEQUENCE,
    FL_AST_OBJECT_SCHEMA,
    FL_AST_OBJECT_MACRO,
    FL_AST_OBJECT_TYPE,
    FL_AST_OBJECT_COLUMN, /* of COMMENT */
} fl_ast_object;

typedef struct fl_ast_drop {
    fl_ast_object object;
    bool if_exists, cascades;
    bool is_table_macro;
    fl_ast_path *paths;
    int32_t path_count;
} fl_ast_drop;

/* COMMENT ON object path IS text */
typedef struct fl_ast_comment {
    fl_ast_object object;
    bool is_table_macro;
    fl_ast_path path; /* of a column: its last part */
    bool is_null;
    fl_str text;
} fl_ast_comment;

typedef struct fl_ast_setting {
    fl_ast_name name;
    fl_ast_expr **values; /* of SET: constants or words (as strings); none = DEFAULT */
    int32_t value_count;
} fl_ast_setting;

typedef enum fl_ast_format {
    FL_AST_FORMAT_TEXT,
    FL_AST_FORMAT_JSON,
} fl_ast_format;

typedef struct fl_ast_explain {
    bool is_analyze;
    bool has_properties, has_costs, has_memo, has_provenance;
    fl_ast_name why_not; /* a rule; empty: nobody asks */
    fl_ast_format format;
    struct fl_ast_statement *statement; /* query, INSERT, UPDATE, DELETE, CREATE TABLE AS, EXECUTE */
} fl_ast_explain;

typedef struct fl_ast_prepare {
    fl_ast_name name;
    fl_ast_type **types;
    int32_t type_count;
    struct fl_ast_statement *statement;
} fl_ast_prepare;

typedef struct fl_ast_execute {
    fl_ast_name name;
    fl_ast_arg *args;
    int32_t arg_count;
} fl_ast_execute;

/* name, name value, name (value, …) */
typedef struct fl_ast_copy_option {
    fl_ast_name name;
    fl_ast_expr **values; /* constants; words as strings, * as FL_AST_STAR */
    int32_t value_count;
    bool is_list; /* parentheses were written */
} fl_ast_copy_option;

typedef struct fl_ast_copy {
    fl_ast_path path; /* of the table; count 0: a query */
    fl_ast_name *columns;
    int32_t column_count;
    fl_ast_query *query; /* of the rows that are written: SELECT columns FROM path where a table was named */
    fl_str file;
    int32_t file_start;
    bool is_standard; /* STDOUT, STDIN */
    int32_t options_start;
    fl_ast_copy_option *options;
    int32_t option_count;
} fl_ast_copy;

typedef struct fl_ast_statement {
    fl_ast_statement_kind kind;
    int32_t start, end;      /* without the semicolon */
    int32_t parameter_count; /* the highest $n, or how many names there are */
    bool has_rowid;          /* a column of that name is written in it */
    fl_str *parameter_names; /* in the order of their first places; NULL: they have numbers */
    union {
        fl_ast_query *query;
        fl_ast_create_table *create_table;
        fl_ast_create_view *create_view;
        fl_ast_create_index *create_index;
        fl_ast_create_function *create_function;
        fl_ast_insert *insert;
        fl_ast_update *update;
        fl_ast_erase *erase;
        fl_ast_merge *merge;
        fl_ast_alter *alter;
        fl_ast_sequence *sequence;
        fl_ast_create_schema *schema;
        fl_ast_database *database;
        fl_ast_path use;
        fl_ast_create_macro *create_macro;
        fl_ast_create_type *create_type;
        fl_ast_variable *variable;
        fl_ast_comment *comment;
        fl_ast_drop *drop;
        fl_ast_path analyze;    /* count 0: all tables */
        fl_ast_query *describe; /* DESCRIBE t is SELECT * FROM t */
        fl_ast_setting *setting;
        fl_ast_explain *explain;
        fl_ast_prepare *prepare;
        fl_ast_execute *execute;
        fl_ast_copy *copy;
    };
} fl_ast_statement;

#endif
