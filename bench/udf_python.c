/* Times statements in an engine of this process: what functions in Python cost where no other program can ask, in the process itself.
 *
 *     udf_python PLUGIN_DIR here|workers RUNS STATEMENT…      prints the best processor-independent time of each statement, in milliseconds */
#include "fletch/fletch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double run(fl_session *session, const char *sql)
{
    struct ArrowArrayStream rows;
    struct ArrowArray batch;
    fl_err err = {0};
    double start = now_ms();
    if (fl_session_query(session, sql, &rows, &err) != FL_OK) {
        fprintf(stderr, "%s: %s\n", sql, err.message);
        exit(1);
    }
    while (rows.get_next(&rows, &batch) == 0 && batch.release != NULL)
        batch.release(&batch);
    rows.release(&rows);
    return now_ms() - start;
}

int main(int argc, char **argv)
{
    fl_engine *engine;
    fl_session *session;
    fl_err err = {0};
    if (argc < 5)
        return 2;
    fl_engine_options options = {.size = sizeof(options), .threads = 1, .plugin_dir = argv[1]};
    options.allow_python = FL_PYTHON_ALLOWED | (strcmp(argv[2], "here") == 0 ? FL_PYTHON_IN_PROCESS : 0);
    if (fl_engine_open(&options, &engine, &err) != FL_OK || fl_session_open(engine, &session, &err) != FL_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (int i = 4; i < argc; i++) {
        double best = run(session, argv[i]);
        for (int k = 1; k < atoi(argv[3]) && strncmp(argv[i], "CREATE", 6) != 0; k++) {
            double ms = run(session, argv[i]);
            best = ms < best ? ms : best;
        }
        printf("%f\n", best);
    }
    fl_session_close(session);
    fl_engine_close(engine);
    return 0;
}
