/* What a table asks of its rows beyond types and unique keys: defaults, NOT NULL, generated columns, CHECK, foreign keys. The store keeps
 * it beside the rows, frontends bind it, the engine holds rows to it. Immutable once a table has it. */
#ifndef FL_PLAN_TABLE_RULES_H
#define FL_PLAN_TABLE_RULES_H

#include "arrow/type.h"

/* An expression over the table's columns, as it was written. A column that was renamed since is called in it as it was then. */
typedef struct fl_rule_text {
    fl_str text;         /* empty: none */
    int32_t n_cols;      /* columns that it reads: */
    const int32_t *cols; /* of the table */
    const fl_str *names; /* what they are called in the text */
} fl_rule_text;

typedef enum fl_identity { FL_IDENTITY_NONE, FL_IDENTITY_BY_DEFAULT, FL_IDENTITY_ALWAYS } fl_identity;

typedef struct fl_column_rules {
    fl_str default_text; /* behind DEFAULT; empty: NULL */
    bool is_not_null;
    uint8_t identity;       /* fl_identity: its default is the next number of a sequence */
    fl_str sequence;        /* that goes with the column; empty: none */
    fl_rule_text generated; /* what the column always is */
} fl_column_rules;

typedef struct fl_table_check {
    fl_str name;
    fl_rule_text condition; /* must not be false */
} fl_table_check;

typedef enum fl_reference_action {
    FL_REFERENCE_REFUSES, /* NO ACTION, RESTRICT */
    FL_REFERENCE_CASCADES,
    FL_REFERENCE_SETS_NULL,
} fl_reference_action;

/* Each row in which none of cols is null has a row of the other table with the same values in the columns of one of its keys. */
typedef struct fl_foreign_key {
    fl_str name;
    int32_t n_cols;
    const int32_t *cols;
    fl_str table; /* the other one; may be the same */
    const fl_str *table_cols;
    uint8_t on_delete, on_update; /* fl_reference_action */
} fl_foreign_key;

typedef struct fl_table_constraints {
    const fl_table_check *checks;
    int32_t n_checks;
    const fl_foreign_key *foreign_keys;
    int32_t n_foreign_keys;
} fl_table_constraints;

#endif
