/* The prompt: lines from a terminal, statements that end with a semicolon, answers as tables. */
#ifndef FL_CLI_SHELL_H
#define FL_CLI_SHELL_H

#include "cli/run.h"

/** Reads and runs statements until Ctrl-D, `exit`, or a Ctrl-C on an empty line that follows another. False when the
 *  terminal cannot be set up. */
bool fl_cli_shell(fl_cli_run *run);

#endif
