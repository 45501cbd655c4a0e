/* Rows for COPY … FROM STDIN: what follows the statement, up to a line `\.`, is put where the library finds standard input. */
#ifndef FL_CLI_COPY_IN_H
#define FL_CLI_COPY_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Text behind a statement that has its rows. */
typedef struct fl_cli_rows {
    const char *data;
    size_t len;
} fl_cli_rows;

/** Takes the rows off the text and makes them standard input, until fl_cli_copy_in_end. False: the reason was told. */
bool fl_cli_copy_in_text(fl_cli_rows *rows, int *ret_saved);

/** The same with rows that are read: of a file, or, where `in` is NULL, as they are typed at the terminal. */
bool fl_cli_copy_in_lines(FILE *in, int *ret_saved);

/** Gives standard input back. */
void fl_cli_copy_in_end(int saved);

/** Makes a pipe that standard input is a file, by reading it to its end: files are read at more than one place. Does nothing where it is
 *  another thing. */
bool fl_cli_copy_in_whole(void);

#endif
