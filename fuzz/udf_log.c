/* Fuzzing what a folder of functions holds: any bytes are its log, and an engine is opened over it that shows its functions, calls one and
 * changes them. Nothing may crash, leak or run on; what the changes made must be seen by the next engine, however the log began. */
#include "engine/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define CREATE "CREATE OR REPLACE FUNCTION f(x bigint) RETURNS bigint LANGUAGE expr AS 'x + 1'"

static char folder[] = "/tmp/fletch-fuzz-log-XXXXXX";

static void remove_folder(void)
{
    char command[64];
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", folder);
}

static fl_status run(fl_session *session, const char *sql)
{
    struct ArrowArrayStream rows;
    fl_status st = fl_session_query(session, sql, &rows, NULL);
    if (st == FL_OK)
        rows.release(&rows);
    return st;
}

static fl_session *open_session(fl_engine **ret)
{
    fl_engine_options options = {.size = sizeof(options), .threads = 1, .udf_dir = folder};
    fl_session *session = NULL;
    if (fl_engine_open(&options, ret, NULL) != FL_OK || fl_session_open(*ret, &session, NULL) != FL_OK)
        abort(); /* whatever the log says */
    return session;
}

static void write_log(const uint8_t *data, size_t bytes)
{
    char path[64];
    snprintf(path, sizeof(path), "%s/functions.log", folder);
    FILE *file = fopen(path, "w");
    if (file == NULL || fwrite(data, 1, bytes, file) != bytes || fclose(file) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fl_engine *engine = NULL;
    static bool has_folder; /* its name may end with the template's letters */
    if (!has_folder) {
        if (mkdtemp(folder) == NULL)
            abort();
        has_folder = true;
        atexit(remove_folder);
    }
    write_log(data, bytes);
    fl_session *session = open_session(&engine);
    (void)run(session, "SHOW FUNCTIONS");
    (void)run(session, "SELECT f(1)");
    (void)fl_session_rollback_function(session, "f", 0, NULL);
    if (run(session, CREATE) != FL_OK || run(session, "SELECT f(1)") != FL_OK)
        abort();
    fl_session_close(session);
    fl_engine_close(engine);
    session = open_session(&engine);
    if (run(session, "SELECT f(1)") != FL_OK || run(session, "DROP FUNCTION f") != FL_OK)
        abort();
    fl_session_close(session);
    fl_engine_close(engine);
    return 0;
}
