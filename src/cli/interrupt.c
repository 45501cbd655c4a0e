/* The handler of Ctrl-C. */
#include "cli/interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

static fl_session *_Atomic watched;
static atomic_int pressed;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    if (atomic_fetch_add(&pressed, 1) > 0)
        _exit(STATUS_INTERRUPTED);
    fl_session *session = atomic_load(&watched);
    if (session != NULL)
        fl_session_interrupt(session);
}

void fl_cli_interrupt_watch(fl_session *session)
{
    struct sigaction action = {.sa_handler = session == NULL ? SIG_DFL : on_interrupt}; /* no SA_RESTART: reads end */
    atomic_store(&watched, session);
    sigaction(SIGINT, &action, NULL);
}

bool fl_cli_interrupt_is_set(void)
{
    return atomic_load(&pressed) > 0;
}

void fl_cli_interrupt_clear(void)
{
    atomic_store(&pressed, 0);
}
