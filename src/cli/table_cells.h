/* Cells of tables for people: what is in them, how wide they are, how they are filled up. Control characters are shown as escapes, so
 * that data cannot steer a terminal. */
#ifndef FL_CLI_TABLE_CELLS_H
#define FL_CLI_TABLE_CELLS_H

#include "cli/text.h"

/** Adds a value with control characters made visible; newlines stay in a table and become <br> in Markdown. */
void fl_cli_cell_add(fl_cli_text *to, const char *data, size_t len, bool is_markdown);

/** The line of a cell at *at, which goes on to the next one and is NULL behind the last: false then. */
bool fl_cli_cell_next_line(const fl_cli_text *cell, const char **at, const char **ret, size_t *ret_len);

/** The width of its widest line on a terminal. */
size_t fl_cli_cell_width(const fl_cli_text *cell);

/** Adds a text, filled up with blanks to `width`. */
void fl_cli_cell_add_padded(fl_cli_text *text, const char *data, size_t len, size_t width, bool is_right);

/** Cleared memory; ends the program where there is none. */
void *fl_cli_take(size_t count, size_t bytes);

#endif
