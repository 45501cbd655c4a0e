/* A table of one or several CSV files: what is known of them, and what its scans share with it. */
#ifndef FL_FORMAT_CSV_TABLE_H
#define FL_FORMAT_CSV_TABLE_H

#include "format/csv/chunk.h"
#include "format/csv/forms.h"
#include "format/files_table.h"
#include "format/text_sample.h"

typedef struct fl_csv_file {
    fl_text_file *file; /* the table's */
    fl_csv_layout layout;
    int64_t first_line; /* offset of the first line that is none of the blank ones before it */
} fl_csv_file;

typedef struct fl_csv_options {
    fl_text_wishes text;
    fl_csv_wishes wishes;
    bool has_header, header; /* said; and what */
    fl_option_texts nullstrs;
    fl_str date_format, timestamp_format; /* empty: ISO */
    char decimal_separator;               /* 0: a point */
    bool all_varchar;
    bool null_padding, ignore_errors, store_rejects;
    int64_t skip; /* lines at the start of each file */
    bool has_skip;
    int64_t sample_rows; /* negative: all */
    uint32_t candidates; /* kinds that may be found by looking */
    fl_option_fields columns;
    fl_option_texts names;  /* of the first columns, instead of the header's */
    fl_option_fields types; /* of some columns: by name, or, without names, of the first ones */
} fl_csv_options;

typedef struct fl_csv_table {
    fl_files_table base;
    fl_csv_file *files;
    int32_t first; /* the first file that is not empty: whose header and dialect are the others', too */
    fl_csv_options options;
    bool has_header;
    fl_str *
        formats; /* per column: the form of its dates or timestamps that was found (forms.h); empty: ISO. NULL: all are */
    bool *is_said; /* per column: its type was not found by looking; NULL: of none */
} fl_csv_table;

extern const fl_format_desc fl_format_csv;

/** Finds dialect, header, names and types of the table's opened files. FL_ERR_FORMAT and all that chunks can fail with. */
fl_status fl_csv_sniff(fl_csv_table *table, fl_memory *memory, fl_err *err);

/** fl_table_ops.scan_new of CSV tables. */
fl_status fl_csv_scan_new(fl_table *table, const fl_scan_request *request, fl_scan **ret, fl_err *err);

/** fl_file_sampling.scan_new of CSV tables. */
fl_status fl_csv_sample_scan_new(fl_table *table, const fl_scan_request *request, fl_scan **ret, fl_err *err);

/** Finds the windows that a sample is read from. */
fl_status fl_csv_find_windows(fl_csv_table *table, fl_memory *memory, const fl_text_windows **ret, fl_err *err);

/** Whether a field's text stands for NULL in a column of this type. */
static inline bool fl_csv_is_null(const fl_csv_options *options, fl_str text, bool is_quoted, bool is_text)
{
    for (int32_t i = 0; i < options->nullstrs.n && !is_quoted; i++)
        if (fl_str_is_equal(text, options->nullstrs.items[i]))
            return true;
    return text.len == 0 && (!is_text || (!is_quoted && options->nullstrs.n == 0));
}

/** Whether what the sample did not show of a column is text, and no value. */
static inline bool fl_csv_is_guessed(const fl_csv_table *table, int32_t col)
{
    return table->is_said == NULL || !table->is_said[col];
}

/** The form of a column's dates or timestamps, said or found; empty: ISO's. */
static inline fl_str fl_csv_column_format(const fl_csv_table *table, int32_t col)
{
    if (table->formats != NULL && table->formats[col].len > 0)
        return table->formats[col];
    uint8_t type = table->base.table.fields[col].type.id;
    return type == FL_DATE        ? table->options.date_format
           : type == FL_TIMESTAMP ? table->options.timestamp_format
                                  : (fl_str){0};
}

/** The form of the first column of the type that has one; empty: ISO's. */
static inline fl_str fl_csv_format_of(const fl_csv_table *table, uint8_t type)
{
    fl_str format = {0};
    for (int32_t col = 0; col < table->base.table.n_cols && format.len == 0; col++)
        if (table->base.table.fields[col].type.id == type)
            format = fl_csv_column_format(table, col);
    return format;
}

#define FL_CSV_NUMBER_BYTES 64

/** A number's text with a point, where the file has another separator: in `buffer`, but for longer ones, which are no numbers. */
static inline fl_str fl_csv_number(const fl_csv_options *options, fl_str text, char buffer[FL_CSV_NUMBER_BYTES])
{
    if (FL_LIKELY(options->decimal_separator == 0) || text.len > FL_CSV_NUMBER_BYTES)
        return text;
    for (int64_t i = 0; i < text.len; i++)
        buffer[i] = text.data[i] == options->decimal_separator ? '.' : text.data[i] == '.' ? '?' : text.data[i];
    return (fl_str){buffer, text.len};
}

#endif
