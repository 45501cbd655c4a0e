/* --metrics-file: what the engine counts, in a file that Prometheus' node_exporter reads (its textfile collector) or any other.
 *
 * The file is written beside and renamed, so that a reader finds it whole: at the start, each second, and at the end. */
#ifndef FL_CLI_METRICS_H
#define FL_CLI_METRICS_H

#include "fletch/fletch.h"

#include <pthread.h>

typedef struct fl_cli_metrics {
    fl_engine *engine;
    const char *path; /* NULL: nothing is written */
    pthread_t thread;
    pthread_mutex_t lock; /* guards is_over */
    pthread_cond_t changed;
    bool is_over, has_failed; /* the last write did */
} fl_cli_metrics;

/** Writes the file, and begins to write it each second; path NULL: does nothing. False: it cannot be written, which is told on standard
 *  error. */
bool fl_cli_metrics_begin(fl_cli_metrics *metrics, fl_engine *engine, const char *path);

/** Writes it for the last time, before the engine is closed. False as above. */
bool fl_cli_metrics_end(fl_cli_metrics *metrics);

#endif
