/* A thread that writes the file each second. */
#include "cli/metrics.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATH_BYTES 4096

/* False with errno. */
static bool write_beside(const char *text, const char *beside, const char *path)
{
    FILE *file = fopen(beside, "we");
    if (file == NULL)
        return false;
    size_t bytes = strlen(text);
    bool is_good = fwrite(text, 1, bytes, file) == bytes;
    is_good = fclose(file) == 0 && is_good && rename(beside, path) == 0;
    int reason = errno;
    if (!is_good)
        (void)remove(beside);
    errno = reason;
    return is_good;
}

/* Tells of a failure once, until it is over. */
static bool write_file(fl_cli_metrics *metrics)
{
    char beside[PATH_BYTES], *text = NULL;
    fl_err err = {0};
    bool fits = snprintf(beside, sizeof(beside), "%s.%ld.tmp", metrics->path, (long)getpid()) < PATH_BYTES;
    bool has_text = fits && fl_engine_metrics(metrics->engine, &text, &err) == FL_OK;
    bool is_good = has_text && write_beside(text, beside, metrics->path);
    const char *why = !fits ? "its name is too long" : !has_text ? err.message : strerror(errno);
    if (!is_good && !metrics->has_failed)
        fprintf(stderr, "Error: cannot write metrics to \"%s\": %s\n", metrics->path, why);
    metrics->has_failed = !is_good;
    fl_text_free(text);
    return is_good;
}

static void *write_each_second(void *ctx)
{
    fl_cli_metrics *metrics = ctx;
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    pthread_mutex_lock(&metrics->lock);
    while (!metrics->is_over) {
        next.tv_sec++;
        while (!metrics->is_over && pthread_cond_timedwait(&metrics->changed, &metrics->lock, &next) != ETIMEDOUT)
            ;
        if (!metrics->is_over)
            (void)write_file(metrics);
    }
    pthread_mutex_unlock(&metrics->lock);
    return NULL;
}

/* Ctrl-C is for the thread that reads and asks. */
static bool start(fl_cli_metrics *metrics)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int reason = pthread_create(&metrics->thread, NULL, write_each_second, metrics);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (reason != 0)
        fprintf(stderr, "Error: cannot start the thread that writes metrics: %s\n", strerror(reason));
    return reason == 0;
}

bool fl_cli_metrics_begin(fl_cli_metrics *metrics, fl_engine *engine, const char *path)
{
    pthread_condattr_t monotonic;
    *metrics = (fl_cli_metrics){.engine = engine, .path = path};
    if (path == NULL)
        return true;
    pthread_mutex_init(&metrics->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&metrics->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (write_file(metrics) && start(metrics))
        return true;
    metrics->path = NULL;
    return false;
}

bool fl_cli_metrics_end(fl_cli_metrics *metrics)
{
    if (metrics->path == NULL)
        return true;
    pthread_mutex_lock(&metrics->lock);
    metrics->is_over = true;
    pthread_cond_signal(&metrics->changed);
    pthread_mutex_unlock(&metrics->lock);
    pthread_join(metrics->thread, NULL);
    pthread_cond_destroy(&metrics->changed);
    pthread_mutex_destroy(&metrics->lock);
    return write_file(metrics);
}
