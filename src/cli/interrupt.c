/* The handler of Ctrl-C, and of signals that end the program: what a statement wrote so far is taken away first. */
#include "cli/interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define ENDED_BY 128 /* added to a signal: the status that shells tell of it */

static fl_session *_Atomic watched;
static atomic_int pressed;
static atomic_int ended; /* by this signal; 0: by none */

static void on_signal(int number)
{
    if (number != SIGINT)
        atomic_store(&ended, number);
    if (atomic_fetch_add(&pressed, 1) > 0)
        _exit(number == SIGINT ? STATUS_INTERRUPTED : ENDED_BY + number);
    fl_session *session = atomic_load(&watched);
    if (session != NULL)
        fl_session_interrupt(session);
}

/* What whoever started the program said to be ignored, as nohup does, stays so. */
static void handle(int number, bool is_watched)
{
    struct sigaction before, action = {.sa_handler = is_watched ? on_signal : SIG_DFL}; /* no SA_RESTART: reads end */
    if (number == SIGINT || (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN))
        sigaction(number, &action, NULL);
}

void fl_cli_interrupt_watch(fl_session *session)
{
    atomic_store(&watched, session);
    handle(SIGINT, session != NULL);
    handle(SIGTERM, session != NULL);
    handle(SIGHUP, session != NULL);
}

bool fl_cli_interrupt_is_set(void)
{
    return atomic_load(&pressed) > 0;
}

void fl_cli_interrupt_clear(void)
{
    if (atomic_load(&ended) > 0) /* no statement runs */
        exit(fl_cli_interrupt_status());
    atomic_store(&pressed, 0);
}

int fl_cli_interrupt_status(void)
{
    int number = atomic_load(&ended);
    return number == 0 ? STATUS_INTERRUPTED : ENDED_BY + number;
}
