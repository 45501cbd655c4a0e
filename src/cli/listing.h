/* Small answers as lists: what the prompt itself asks the session. */
#ifndef FL_CLI_LISTING_H
#define FL_CLI_LISTING_H

#include "cli/text.h"
#include "fletch/fletch.h"

/** Adds the first `n_columns` columns of a statement's rows, with tabs between them and a line each. False with *err where it fails. */
bool fl_cli_list(fl_session *session, const char *sql, int n_columns, fl_cli_text *ret, fl_err *err);

/** Adds a name as SQL has it: with quotes where it needs them. */
void fl_cli_add_name(fl_cli_text *text, const char *name, size_t len);

#endif
