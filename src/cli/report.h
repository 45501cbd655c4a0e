/* Errors as a person reads them: the message, the line of the query with a caret below the place, the hint. */
#ifndef FL_CLI_REPORT_H
#define FL_CLI_REPORT_H

#include "fletch/status.h"

#include <stddef.h>
#include <stdio.h>

/** Prints an error of the statement text[start, end) of a longer text; lines are counted in the whole of it. */
void fl_cli_report(FILE *file, const fl_err *err, const char *text, size_t len, size_t start);

#endif
