/* Tables that are made row by row when a statement names them: what the engine knows of itself, and of files. */
#ifndef FL_ENGINE_FILLED_TABLE_H
#define FL_ENGINE_FILLED_TABLE_H

#include "engine/internal.h"

#define FL_FILLED_COLUMNS_MAX 32

typedef struct fl_filled_table {
    fl_memory *memory; /* of what is made */
    fl_arena *arena;   /* of the values: until the table is finished */
    fl_field *fields;
    int32_t n_cols, at; /* the row's next value */
    fl_value row[FL_FILLED_COLUMNS_MAX];
    fl_segment_builder *builder;
} fl_filled_table;

/** Begins a table of columns "name:type", with blanks between them: t is text, i bigint, u ubigint, b boolean, x bytea, z timestamptz,
 *  f a list of structs of two texts, "name" and "type". The text lives as long as the program. */
fl_status fl_filled_table_begin(fl_filled_table *table, fl_memory *memory, fl_arena *arena, const char *columns,
                                fl_err *err);

/* The row's next value; texts are copied by fl_filled_table_end_row, and null where data is NULL. */
void fl_fill_text(fl_filled_table *table, fl_str text);
void fl_fill(fl_filled_table *table, const char *text);
void fl_fill_null(fl_filled_table *table);
void fl_fill_number(fl_filled_table *table, int64_t number); /* of timestamptz: microseconds */
void fl_fill_bool(fl_filled_table *table, bool truth);

/** A type's name, for a text, in the arena. */
fl_status fl_filled_type_name(fl_arena *arena, fl_type type, fl_str *ret, fl_err *err);

/** A list of fields: their names and types' names. */
fl_status fl_fill_fields(fl_filled_table *table, const fl_field *fields, int32_t n, fl_err *err);

/** Ends the row; what was not said of it is null. */
fl_status fl_filled_table_end_row(fl_filled_table *table, fl_err *err);

/** Makes the table: a reference for the caller. */
fl_status fl_filled_table_finish(fl_filled_table *table, fl_str name, fl_table **ret, fl_err *err);

void fl_filled_table_drop(fl_filled_table *table);

#endif
