/* Running statements and writing their answers: what -c, -f, standard input and the prompt have in common. */
#ifndef FL_CLI_RUN_H
#define FL_CLI_RUN_H

#include "cli/copy_in.h"
#include "cli/format.h"
#include "fletch/fletch.h"

#include <stdio.h>

typedef struct fl_cli_run {
    fl_session *session;
    const fl_cli_format *format;
    FILE *file; /* where answers go; errors and times go to standard error */
    bool has_timing;
    bool is_prompt; /* tables are fitted to the terminal, and what takes long shows how far it is */
    fl_cli_view view;
    bool is_script;     /* rows of COPY … FROM STDIN stand in the text, behind their statement */
    fl_cli_rows *rows;  /* the text behind the one that runs has them; NULL: standard input */
    bool tells_changes; /* says of statements without rows what they did: INSERT 0 3 */
} fl_cli_run;

/** Runs the statements of a text one by one. Stops at the first that fails, with its error reported, and gives false;
 *  those before it have taken effect. */
bool fl_cli_run_text(fl_cli_run *run, const char *text, size_t len);

/** Writes the rows of an answer that began at `start_ms`, and releases it. */
bool fl_cli_run_answer(fl_cli_run *run, struct ArrowArrayStream *rows, double start_ms);

/** Runs a query that is a JSON object. */
bool fl_cli_run_json(fl_cli_run *run, const char *text, size_t len);

/** Monotonic time in milliseconds. */
double fl_cli_clock_ms(void);

#endif
