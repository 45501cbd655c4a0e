/* Cuts a text into statements at the semicolons that are not inside of strings, names or comments.
 *
 * The library runs several statements at a time but gives the last one's rows only; the program shows them all. It needs
 * to know no more of SQL than how quotes and comments end. */
#ifndef FL_CLI_SPLIT_H
#define FL_CLI_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct fl_cli_piece {
    size_t start;    /* first byte that is no white space; comments before the statement belong to it */
    size_t end;      /* behind its last byte, without the semicolon */
    size_t next;     /* where the next piece begins: behind the semicolon */
    bool is_ended;   /* whether there was a semicolon */
    bool is_empty;   /* nothing but white space and comments */
    bool is_copy_in; /* COPY … FROM STDIN: rows follow it */
    bool is_open;    /* ends within a string, a quoted name or a comment */
} fl_cli_piece;

/** The piece that begins at `from`. Behind the last one `next` is `len`. */
fl_cli_piece fl_cli_split(const char *text, size_t len, size_t from);

#endif
