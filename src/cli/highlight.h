/* Which part of a statement that is being typed is shown in which colour. */
#ifndef FL_CLI_HIGHLIGHT_H
#define FL_CLI_HIGHLIGHT_H

#include "cli/text.h"
#include "fletch/fletch.h"

typedef enum fl_cli_colour {
    FL_CLI_PLAIN,
    FL_CLI_KEYWORD,
    FL_CLI_FUNCTION,
    FL_CLI_TEXT, /* in quotes */
    FL_CLI_DIGITS,
    FL_CLI_REMARK,
    FL_CLI_COMMAND /* that begins with a dot */
} fl_cli_colour;

typedef struct fl_cli_highlight {
    fl_cli_text words;  /* of the language, as fl_session_words has them */
    const char **lines; /* [n_lines] where they begin, in order of their letters whatever the case */
    size_t n_lines;
} fl_cli_highlight;

/** Asks the session for its words: not while it runs. Without them keywords and functions are plain. */
void fl_cli_highlight_open(fl_cli_highlight *highlight, fl_session *session);
void fl_cli_highlight_close(fl_cli_highlight *highlight);

/** The colour of what begins at `at`, which is below `len`, and where that ends. `text` is all of the statement so far. */
fl_cli_colour fl_cli_highlight_at(const fl_cli_highlight *highlight, const char *text, size_t len, size_t at,
                                  size_t *ret_end);

/** What turns a terminal to that colour, from plain. */
const char *fl_cli_colour_code(fl_cli_colour colour);

#endif
