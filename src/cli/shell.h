/* The prompt: lines from a terminal, statements that end with a semicolon, commands that begin with a dot, answers as tables. */
#ifndef FL_CLI_SHELL_H
#define FL_CLI_SHELL_H

#include "cli/run.h"

#define FL_CLI_PATH_BYTES 4096

/* What the prompt knows beside the session. */
typedef struct fl_cli_shell {
    fl_cli_run *run;
    fl_cli_text statement; /* lines of a statement that is not whole yet */
    fl_cli_text last;      /* the statement that ran last */
    FILE *terminal;        /* where answers go unless a command says otherwise */
    bool is_once;          /* `run->file` is for one answer */
    bool has_pager, has_highlight;
    bool is_leaving;
    int depth; /* of files that read files */
    const char *history_path;
} fl_cli_shell;

/** Reads and runs statements until Ctrl-D, `exit`, or a Ctrl-C on an empty line that follows another. False when the
 *  terminal cannot be set up. */
bool fl_cli_shell_run(fl_cli_run *run);

/** Runs a text line by line, as if it was typed: statements and commands. False where one fails; the rest is left. */
bool fl_cli_shell_lines(fl_cli_shell *shell, const char *text, size_t len);

/** Runs one statement or several, as `.last` and `.edit` do. */
bool fl_cli_shell_statements(fl_cli_shell *shell, const char *text, size_t len);

#endif
