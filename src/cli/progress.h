/* A bar below the statement that runs, with the time left: after a second, at a terminal, until the answer begins. */
#ifndef FL_CLI_PROGRESS_H
#define FL_CLI_PROGRESS_H

#include "fletch/fletch.h"

#include <pthread.h>
#include <stdbool.h>

typedef struct fl_cli_progress {
    const fl_session *session;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_running; /* there is a thread */
    bool is_over;    /* guarded by lock, as is the next one */
    bool is_shown;
} fl_cli_progress;

/** Watches the session's statement from now on. Nothing is shown where standard error is no terminal. */
void fl_cli_progress_begin(fl_cli_progress *progress, const fl_session *session);

/** Takes the bar away, and ends the watch; may be called again, and then does nothing. */
void fl_cli_progress_end(fl_cli_progress *progress);

#endif
