/* The pieces of a statement's text: no more of SQL than how words, quotes and comments begin and end. */
#ifndef FL_CLI_SCAN_H
#define FL_CLI_SCAN_H

#include <stdbool.h>
#include <stddef.h>

typedef enum fl_cli_piece_kind {
    FL_CLI_SPACE,
    FL_CLI_COMMENT, /* with the newline behind a line's */
    FL_CLI_STRING,  /* '...', $$...$$, $tag$...$tag$ */
    FL_CLI_NAME,    /* "..." */
    FL_CLI_NUMBER,
    FL_CLI_WORD,
    FL_CLI_SYMBOL /* one character */
} fl_cli_piece_kind;

typedef struct fl_cli_scanned {
    fl_cli_piece_kind kind;
    size_t end;   /* behind its last byte */
    bool is_open; /* the text ends within it */
} fl_cli_scanned;

/** What begins at `at`, which is below `len`. */
fl_cli_scanned fl_cli_scan(const char *text, size_t len, size_t at);

#endif
