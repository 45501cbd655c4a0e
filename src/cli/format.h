/* How answers are written: a format is three calls over a stream's batches.
 *
 * begin() gets the columns, batch() each batch, end() the rest. They add to `out->text`; whoever calls them writes it to
 * the file now and then, so that formats know nothing of files. A new format is a struct here and a line in
 * fl_cli_format_find(). One answer at a time. */
#ifndef FL_CLI_FORMAT_H
#define FL_CLI_FORMAT_H

#include "cli/text.h"
#include "fletch/arrow.h"

/* How much of a table a terminal shows. */
#define FL_CLI_NULL_TEXT_BYTES 64
typedef struct fl_cli_view {
    int64_t rows_max; /* half of them from the end; 0: all */
    size_t width;     /* of the table, in columns of characters; 0: any */
    bool has_width;   /* it was said; else it is the terminal's */
    char null_text[FL_CLI_NULL_TEXT_BYTES];
} fl_cli_view;

typedef struct fl_cli_answer {
    fl_cli_text text;                 /* what is to be written */
    const struct ArrowSchema *schema; /* a struct: its children are the columns */
    int64_t rows;                     /* given to batch() before this batch */
    fl_cli_text *cells;               /* table and markdown: the first rows, until widths are known */
    int64_t n_cells;
    int64_t cells_max;
    size_t *widths;               /* per column, once known */
    const char **places;          /* per column, while a row is written: the next line of its value */
    const fl_cli_view *view;      /* of fl_cli_format_fitted */
    struct fl_cli_fitted *fitted; /* its rows */
} fl_cli_answer;

typedef struct fl_cli_format {
    const char *name;
    void (*begin)(fl_cli_answer *answer);
    void (*batch)(fl_cli_answer *answer, const struct ArrowArray *batch);
    void (*end)(fl_cli_answer *answer);
} fl_cli_format;

extern const fl_cli_format fl_cli_format_table;
extern const fl_cli_format fl_cli_format_fitted; /* a table that a terminal holds; `view` must be there */
extern const fl_cli_format fl_cli_format_markdown;
extern const fl_cli_format fl_cli_format_csv;
extern const fl_cli_format fl_cli_format_json;
extern const fl_cli_format fl_cli_format_ndjson;
extern const fl_cli_format fl_cli_format_line;

/** The i-th format's name; NULL behind the last one. */
const char *fl_cli_format_name(int32_t i);

/** The format of that name, or NULL. */
const fl_cli_format *fl_cli_format_find(const char *name);

/** Gives back what fl_cli_format_fitted took. */
void fl_cli_fitted_drop(struct fl_cli_fitted *fitted);

/** Gives back what the formats took. */
void fl_cli_answer_drop(fl_cli_answer *answer);

#endif
