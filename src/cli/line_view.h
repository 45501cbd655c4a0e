/* A line that is being edited, as a terminal shows it: drawn in colours, over as many rows as it takes.
 *
 * libedit edits and has no place in what it draws where a colour could begin, so in colour it draws nowhere, and this draws what it has
 * whenever it waits for a key. */
#ifndef FL_CLI_LINE_VIEW_H
#define FL_CLI_LINE_VIEW_H

#include "cli/highlight.h"

/* What is to be seen. */
typedef struct fl_cli_line {
    const char *prompt;
    const char *text; /* all of the statement; of its bytes those from `first` on are the line */
    size_t len, first;
    size_t cursor; /* a place in the text */
} fl_cli_line;

typedef struct fl_cli_line_view {
    const fl_cli_highlight *highlight; /* NULL: all plain */
    fl_cli_text shown;                 /* prompt and line, as drawn last; empty: nothing is there */
    size_t cursor;                     /* a place in it */
    long top;                          /* the first of its rows that is there: a terminal may have fewer */
} fl_cli_line_view;

/** Draws over what is there. */
void fl_cli_line_view_draw(fl_cli_line_view *view, const fl_cli_line *line);

/** Goes to the row behind what is there. What is drawn next is drawn anew. */
void fl_cli_line_view_end(fl_cli_line_view *view);

/** Clears the terminal. */
void fl_cli_line_view_clear(fl_cli_line_view *view);

void fl_cli_line_view_drop(fl_cli_line_view *view);

#endif
