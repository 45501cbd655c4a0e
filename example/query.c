/* Runs one query with fletch and adds up its first column: the C API from end to end. */
#include <fletch/fletch.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    const char *sql = argc > 1 ? argv[1] : "SELECT range FROM range(1000)";
    fl_engine *engine = NULL;
    fl_session *session = NULL;
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    fl_err err = {0};
    int64_t sum = 0, count = 0;
    if (fl_engine_open(NULL, &engine, &err) != FL_OK || fl_session_open(engine, &session, &err) != FL_OK ||
        fl_session_query(session, sql, &rows, &err) != FL_OK) {
        fprintf(stderr, "%s: %s\n%s\n", err.sqlstate, err.message, err.hint);
        fl_session_close(session);
        fl_engine_close(engine);
        return 1;
    }
    while (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
        const int64_t *values = batch.children[0]->buffers[1];
        for (int64_t i = 0; i < batch.length; i++)
            sum += values[i];
        count += batch.length;
        batch.release(&batch);
    }
    bool is_whole = fl_stream_error(&rows, &err) == FL_OK; /* rows are computed as they are read */
    if (!is_whole)
        fprintf(stderr, "%s\n", err.message);
    printf("%lld rows, sum %lld\n", (long long)count, (long long)sum);
    rows.release(&rows);
    fl_session_close(session);
    fl_engine_close(engine);
    return is_whole ? 0 : 1;
}
