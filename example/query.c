/* Runs one query with fletch and adds up its first column of 64-bit integers: the C API from end to end. */
#include <fletch/fletch.h>

#include <stdio.h>
#include <string.h>

/* Whether the stream's first column is of the format that is read here (Arrow's name of 64-bit integers is "l"). */
static bool has_integers(struct ArrowArrayStream *rows)
{
    struct ArrowSchema schema = {0};
    if (rows->get_schema(rows, &schema) != 0)
        return false;
    bool is_read = schema.n_children > 0 && strcmp(schema.children[0]->format, "l") == 0;
    schema.release(&schema);
    return is_read;
}

/* Null has no value: its bit in the first buffer, which may be missing, is 0. */
static int64_t sum_of(const struct ArrowArray *column)
{
    const unsigned char *valid = column->buffers[0];
    const int64_t *values = column->buffers[1];
    int64_t sum = 0;
    for (int64_t i = column->offset; i < column->offset + column->length; i++)
        if (valid == NULL || valid[i / 8] >> (i % 8) & 1)
            sum += values[i];
    return sum;
}

int main(int argc, char **argv)
{
    const char *sql = argc > 1 ? argv[1] : "SELECT range FROM range(1000)";
    fl_engine *engine = NULL;
    fl_session *session = NULL;
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    fl_err err = {0};
    int64_t sum = 0, count = 0;
    int status = 1;
    if (fl_engine_open(NULL, &engine, &err) != FL_OK || fl_session_open(engine, &session, &err) != FL_OK ||
        fl_session_query(session, sql, &rows, &err) != FL_OK) {
        fprintf(stderr, "%s: %s\n%s\n", err.sqlstate, err.message, err.hint);
    } else if (!has_integers(&rows)) {
        fprintf(stderr, "the first column is no bigint: cast it, as in SELECT x::bigint\n");
    } else {
        int failed;
        while ((failed = rows.get_next(&rows, &batch)) == 0 && batch.release != NULL) {
            sum += sum_of(batch.children[0]);
            count += batch.length;
            batch.release(&batch);
        }
        if (failed != 0)
            fprintf(stderr, "%s\n", rows.get_last_error(&rows));
        else
            printf("%lld rows, sum %lld\n", (long long)count, (long long)sum);
        status = failed != 0;
    }
    if (rows.release != NULL)
        rows.release(&rows);
    fl_session_close(session);
    fl_engine_close(engine);
    return status;
}
