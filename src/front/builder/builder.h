/* The builder frontend: steps in the order of the calls become the syntax tree of one query, which is bound like SQL's.
 *
 * No text of a query is made. Each step's fragment is parsed by itself (fl_sql_fragment), so it cannot reach into other
 * steps; its nodes go to their clause of the SELECT under way. A step that comes "too late" for its clause (a filter
 * behind an aggregate filters the aggregate's rows) makes what is there a subquery. So a query has the same plan, and the
 * same plan hash, whichever frontend wrote it.
 *
 * Holds: texts and nodes live in the builder's arena. Fragments lie behind each other in one space of positions, so that
 * the place of an error tells its step.
 *
 *     fl_steps steps;
 *     fl_ast_statement statement;
 *     fl_steps_init(&steps, memory);
 *     fl_steps_from(&steps, FL_STR("orders"));
 *     fl_steps_where(&steps, FL_STR("amount > 100"));
 *     if (fl_steps_finish(&steps, &statement, err) != FL_OK || bind_and_run(&statement, err) != FL_OK)
 *         fl_steps_locate(&steps, err);
 *     fl_steps_drop(&steps);
 *
 * One thread at a time. The first error is kept, later steps do nothing. Texts are copied. */
#ifndef FL_FRONT_BUILDER_BUILDER_H
#define FL_FRONT_BUILDER_BUILDER_H

#include "front/sql/parser.h"

/* Clauses of a SELECT in the order in which it applies them. */
typedef enum fl_step {
    FL_STEP_FROM,
    FL_STEP_JOIN,
    FL_STEP_SAMPLE,
    FL_STEP_WHERE,
    FL_STEP_GROUP,
    FL_STEP_WINDOW,
    FL_STEP_SELECT, /* agg, too */
    FL_STEP_QUALIFY,
    FL_STEP_SET,
    FL_STEP_ORDER,
    FL_STEP_SKIP,
    FL_STEP_TAKE
} fl_step;

typedef struct fl_steps {
    fl_memory *memory;
    fl_arena arena;
    struct fl_step_text *texts; /* the fragments, last one first */
    int32_t base;               /* where the next fragment begins */
    int32_t parameter_count;    /* the highest $n */
    fl_ast_query *query;        /* so far; its body is: */
    fl_ast_select *select;      /* the SELECT under way */
    fl_ast_item *groups;        /* keys of group_by, which are the agg's first columns */
    int32_t group_count;
    fl_ast_copy *copy; /* where the rows go; NULL: to who asks for them. The last step */
    fl_step last;      /* the latest clause in use */
    bool is_grouped;   /* a group_by waits for its agg */
    fl_status st;
    fl_err err;
} fl_steps;

void fl_steps_init(fl_steps *steps, fl_memory *memory);
void fl_steps_drop(fl_steps *steps);

/** The table: a name, `function(...)`, `(query)`, with an alias or without; or a file's path, with or without quotes. */
void fl_steps_from(fl_steps *steps, fl_str table);

/** Another table; `kind` is inner, left, right, full, semi, anti, cross, asof, asof left or positional, `on` is empty for cross and
 *  positional joins alone. */
void fl_steps_join(fl_steps *steps, fl_str table, fl_str kind, fl_str on);

/** Conditions of several calls must all hold. */
void fl_steps_where(fl_steps *steps, fl_str condition);

/** A sample of the tables' rows, as behind USING SAMPLE: "10%", "reservoir(20 ROWS)". */
void fl_steps_sample(fl_steps *steps, fl_str size);

/** Keys, with or without aliases, ROLLUP and its kin without; an agg must follow, whose first columns are the keys, each once. */
void fl_steps_group_by(fl_steps *steps, fl_str keys);

/** The group's keys, then these. */
void fl_steps_agg(fl_steps *steps, fl_str aggregates);
void fl_steps_select(fl_steps *steps, fl_str list);

/** Named windows, `w AS (...)`, for the select or agg and qualify behind it. */
void fl_steps_window(fl_steps *steps, fl_str windows);

/** A condition over functions of windows; of several calls all must hold. Sees the columns of the select before it. */
void fl_steps_qualify(fl_steps *steps, fl_str condition);

/** The rows so far and those of a table, as fl_steps_from takes it. `kind` is union, intersect or except, behind it all, for union by
 *  name, too, apart by single blanks. */
void fl_steps_set(fl_steps *steps, fl_str kind, fl_str table);

/** The rows so far as PIVOT and UNPIVOT have them; `usings`, `groups`, `name` and `values` may be empty. */
void fl_steps_pivot(fl_steps *steps, fl_str keys, fl_str usings, fl_str groups);
void fl_steps_unpivot(fl_steps *steps, fl_str columns, fl_str name, fl_str values);

/** Keys of several calls in a row sort one after the other. */
void fl_steps_order_by(fl_steps *steps, fl_str keys);
void fl_steps_take(fl_steps *steps, int64_t rows);
void fl_steps_skip(fl_steps *steps, int64_t rows);

/** Writes the rows to a file: what COPY has behind TO, its name and its options, "(FORMAT csv, HEADER)" or empty. No step may follow. */
void fl_steps_copy_to(fl_steps *steps, fl_str file, fl_str options);

/** The statement of the steps so far; its nodes belong to the builder. More steps may follow. The first step's error when
 *  one was wrong: its message begins with the step ("where: ..."), its position counts in that step's text. */
fl_status fl_steps_finish(const fl_steps *steps, fl_ast_statement *ret, fl_err *err);

/** Words an error of binding or running the statement by the step that it comes from, as above, with the line of the text
 *  and a caret below. An error without a place stays as it is. */
void fl_steps_locate(const fl_steps *steps, fl_err *err);

#endif
