/* A thread that draws the bar on standard error ten times a second. */
#include "cli/progress.h"

#include "cli/run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 1000
#define STEP_MS 100
#define BAR_CELLS 30

static void draw(double share, double ms)
{
    char bar[BAR_CELLS + 1];
    int full = (int)(share * BAR_CELLS);
    full = full > BAR_CELLS ? BAR_CELLS : full;
    memset(bar, '#', (size_t)full);
    memset(bar + full, '.', (size_t)(BAR_CELLS - full));
    bar[BAR_CELLS] = 0;
    fprintf(stderr, "\r\033[K[%s] %3.0f %%  %.1f s", bar, share * 100, ms / 1e3);
    if (share >= 0.01 && share < 1)
        fprintf(stderr, ", about %.0f s left", ms / share * (1 - share) / 1e3 + 0.5);
    fflush(stderr);
}

static struct timespec after(struct timespec from, long ms)
{
    from.tv_nsec += ms % 1000 * 1000000;
    from.tv_sec += ms / 1000 + from.tv_nsec / 1000000000;
    from.tv_nsec %= 1000000000;
    return from;
}

static void *watch(void *ctx)
{
    fl_cli_progress *p = ctx;
    struct timespec next;
    double start = fl_cli_clock_ms();
    clock_gettime(CLOCK_MONOTONIC, &next);
    next = after(next, WAIT_MS);
    pthread_mutex_lock(&p->lock);
    while (!p->is_over) {
        if (pthread_cond_timedwait(&p->changed, &p->lock, &next) != ETIMEDOUT)
            continue;
        draw(fl_session_progress(p->session), fl_cli_clock_ms() - start);
        p->is_shown = true;
        next = after(next, STEP_MS);
    }
    if (p->is_shown)
        fputs("\r\033[K", stderr);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

void fl_cli_progress_begin(fl_cli_progress *p, const fl_session *session)
{
    pthread_condattr_t attributes;
    sigset_t all, before;
    *p = (fl_cli_progress){.session = session};
    if (!isatty(STDERR_FILENO))
        return;
    pthread_mutex_init(&p->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&p->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    sigfillset(&all); /* Ctrl-C is for the thread that reads and runs */
    pthread_sigmask(SIG_BLOCK, &all, &before);
    p->is_running = pthread_create(&p->thread, NULL, watch, p) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void fl_cli_progress_end(fl_cli_progress *p)
{
    if (!p->is_running)
        return;
    pthread_mutex_lock(&p->lock);
    p->is_over = true;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    p->is_running = false;
}
