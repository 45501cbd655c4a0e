/* What a statement that is being typed may go on with: keywords, functions, tables, columns of the tables that it names, files within
 * quotes, dot commands. */
#ifndef FL_CLI_COMPLETION_H
#define FL_CLI_COMPLETION_H

#include "cli/text.h"
#include "fletch/fletch.h"

typedef struct fl_cli_completion {
    size_t start;      /* where in the text the word begins that each one replaces */
    fl_cli_text words; /* that begin with what is there, a line each, sorted, each once */
    size_t n;
    size_t common; /* bytes that all of them begin with */
} fl_cli_completion;

/** Completes what stands before byte `at` of a statement, of which what follows is looked at for tables. Asks the session for tables and
 *  columns: not while it runs. */
void fl_cli_complete(fl_session *session, const char *text, size_t len, size_t at, fl_cli_completion *ret);

void fl_cli_completion_drop(fl_cli_completion *completion);

#endif
