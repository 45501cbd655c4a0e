/* Named arguments of a reader, as in read_csv('a.csv', delim = ';'): a table says which there are, what they may be and
 * where they go.
 *
 *     static const fl_option_desc known[] = {
 *         {"header", "true or false", fl_option_bool, offsetof(my_options, header), offsetof(my_options, has_header)},
 *         {"sample_size", FL_OPTION_ROWS, fl_option_rows, offsetof(my_options, sample_rows), -1},
 *     };
 *     FL_TRY(fl_options_read("read_csv", known, FL_LEN(known), options, n_options, arena, &mine, err)); */
#ifndef FL_FORMAT_OPTIONS_H
#define FL_FORMAT_OPTIONS_H

#include "plan/table.h"

typedef struct fl_option_desc {
    const char *name;
    const char *wanted; /* what its values are, for messages; NULL: known only to be refused, by `read` */
    /** Puts a value into `ret`. FL_ERR_TYPE, with nothing said, when it is not what is wanted. */
    fl_status (*read)(fl_arena *arena, const fl_value *value, void *ret, fl_err *err);
    int32_t at;       /* offset of `ret` in the reader's options */
    int32_t given_at; /* offset of a bool that is set when the option is there; negative: nobody asks */
} fl_option_desc;

/** Reads options into the struct `ret`; those that are not there are left as they are. The arena keeps texts and columns.
 *  FL_ERR_CONFIG with the place: 42703 and the nearest name for an unknown one, what is wanted for a wrong value. */
fl_status fl_options_read(const char *function, const fl_option_desc *known, int64_t n_known, const fl_option *options,
                          int32_t n_options, fl_arena *arena, void *ret, fl_err *err);

/* Readers of values, and what they want. */
#define FL_OPTION_BOOL "true or false"
#define FL_OPTION_TEXT "a text such as 'NA'"
#define FL_OPTION_ROWS "a number of rows, or -1 for all"
#define FL_OPTION_TEXTS "a text such as 'NA', or a list of them"
#define FL_OPTION_TYPES "types such as ['integer', 'text'], or those of some columns, {'a': 'integer'}"
#define FL_OPTION_COLUMNS "names and types, as in {'a': 'integer', 'b': 'text'}"

/* Columns that the user names instead of having them found. */
typedef struct fl_option_fields {
    const fl_field *fields; /* NULL: found by looking */
    int32_t n;
} fl_option_fields;

typedef struct fl_option_texts {
    const fl_str *items;
    int32_t n;
} fl_option_texts;

fl_status fl_option_bool(fl_arena *arena, const fl_value *value, void *ret_bool, fl_err *err);
fl_status fl_option_text(fl_arena *arena, const fl_value *value, void *ret_str, fl_err *err);
fl_status fl_option_texts_read(fl_arena *arena, const fl_value *value, void *ret_texts, fl_err *err);
fl_status fl_option_rows(fl_arena *arena, const fl_value *value, void *ret_i64, fl_err *err);
fl_status fl_option_columns(fl_arena *arena, const fl_value *value, void *ret_fields, fl_err *err);

/** As fl_option_columns, or a list of types, whose fields have no names: they are the first columns'. */
fl_status fl_option_types(fl_arena *arena, const fl_value *value, void *ret_fields, fl_err *err);

/** The same with lists and structs among the types. */
fl_status fl_option_nested_columns(fl_arena *arena, const fl_value *value, void *ret_fields, fl_err *err);

/** A type's name with its modifiers: "decimal(10,2)"; false: there is no such type, or it is nested. */
bool fl_option_type_read(fl_str name, fl_type *ret);

#endif
