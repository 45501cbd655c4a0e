/* Commands of the prompt that are no SQL: `.tables`, `.mode csv`. They are a line each, without a semicolon. */
#ifndef FL_CLI_DOT_COMMAND_H
#define FL_CLI_DOT_COMMAND_H

#include "cli/shell.h"

/** Whether a line is one, where no statement is begun: it begins with a dot, or with a backslash and something behind it. */
bool fl_cli_is_dot_command(const char *line, size_t len);

/** The i-th command's name, with its dot; NULL behind the last. */
const char *fl_cli_dot_command_name(int i);

/** Runs a line that is one. False where it fails, which it has told then. */
bool fl_cli_dot_command(fl_cli_shell *shell, const char *line, size_t len);

#endif
