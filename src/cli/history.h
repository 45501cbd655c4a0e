/* What was typed before, in memory for the arrow keys and in a file ($FLETCH_HISTORY, else ~/.fletch_history) for the next session. A statement
 * is one entry, however many lines it took. The file is added to, so that several prompts may keep theirs in it; where it cannot be written that is
 * said once. */
#ifndef FL_CLI_HISTORY_H
#define FL_CLI_HISTORY_H

#include "cli/shell.h"

#include <histedit.h>

typedef struct fl_cli_history {
    History *list;
    char path[FL_CLI_PATH_BYTES]; /* empty: there is no file */
    bool has_told;                /* that it cannot be written */
} fl_cli_history;

/** Loads the file. False where there is no memory. */
bool fl_cli_history_open(fl_cli_history *history);
void fl_cli_history_close(fl_cli_history *history);

/** Adds a statement, but for one that is the last entry once more, and writes it to the file. */
void fl_cli_history_add(fl_cli_history *history, const char *text, size_t len);

#endif
