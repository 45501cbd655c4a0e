/* Ctrl-C: stops the query that runs; where none runs, whoever waits.
 *
 * The one place of the program with a signal handler. The first Ctrl-C asks the session to stop and is remembered; one
 * more before it was taken notice of ends the program. Relies on fl_session_interrupt being safe in a handler. */
#ifndef FL_CLI_INTERRUPT_H
#define FL_CLI_INTERRUPT_H

#include "fletch/fletch.h"

enum { STATUS_INTERRUPTED = 130 }; /* the program's exit status then, as shells say it: 128 and the signal's number */

/** Sends Ctrl-C to `session` from now on; NULL: the system's default again. */
void fl_cli_interrupt_watch(fl_session *session);

/** Whether Ctrl-C was pressed since the last fl_cli_interrupt_clear. */
bool fl_cli_interrupt_is_set(void);

void fl_cli_interrupt_clear(void);

#endif
