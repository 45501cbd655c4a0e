/* Ctrl-C: stops the query that runs; where none runs, whoever waits. SIGTERM and SIGHUP do the same, and end the program behind it, so that
 * a COPY leaves no half of a file.
 *
 * The one place of the program with a signal handler. The first Ctrl-C asks the session to stop and is remembered; one
 * more before it was taken notice of ends the program. Relies on fl_session_interrupt being safe in a handler. */
#ifndef FL_CLI_INTERRUPT_H
#define FL_CLI_INTERRUPT_H

#include "fletch/fletch.h"

enum { STATUS_INTERRUPTED = 130 }; /* the program's exit status then, as shells say it: 128 and the signal's number */

/** Sends Ctrl-C and what ends the program to `session` from now on; NULL: the system's default again. */
void fl_cli_interrupt_watch(fl_session *session);

/** Whether Ctrl-C was pressed since the last fl_cli_interrupt_clear. */
bool fl_cli_interrupt_is_set(void);

/** Forgets it, when no statement runs; ends the program where a signal asked for that. */
void fl_cli_interrupt_clear(void);

/** The program's exit status. */
int fl_cli_interrupt_status(void);

#endif
