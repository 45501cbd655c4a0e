/* Fuzzing the whole road of a query: any text is run in a session of its own, parsed, optimized and executed on one worker
 * within 64 MB and 200 ms, and its rows are read to their last byte; nothing may crash, leak, or run on.
 *
 * Texts that could name a file, or change the limits, are passed over: files have targets of their own (format_*.c), and
 * without limits a cross join is no finding. Two small tables are there to be asked. */
#include "base/clock.h"
#include "fletch/fletch.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CHECK(cond)  \
    do {             \
        if (!(cond)) \
            abort(); \
    } while (0)

#define BYTES_MAX 4000
#define CALL_NS_MAX 5000000000ll /* far above the timeout: sanitizers and a busy machine slow things down */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static const char prepare[] =
    "SET threads = 1; SET memory_limit = '64MB'; SET timeout = 200;"
    "CREATE TABLE t (id integer, g smallint, x double, d decimal(12,2), s text, day date, at timestamp, ok boolean);"
    "INSERT INTO t VALUES (1, 1, 0.5, 10.25, 'one', '2024-01-31', '2024-01-31 10:00:00', true),"
    " (2, 1, -1.5, -3.00, 'two', '2024-02-29', '1969-12-31 23:59:59.5', false),"
    " (3, 2, NULL, 0.01, 'a longer text, beyond a view''s own bytes', '1970-01-01', NULL, NULL),"
    " (NULL, NULL, 'NaN', NULL, NULL, NULL, '9999-12-31 00:00:00', true);"
    "CREATE TABLE u (id integer, k text); INSERT INTO u VALUES (1, 'one'), (2, 'x'), (2, 'two'), (NULL, NULL)";

static bool has(const char *text, const char *word)
{
    size_t len = strlen(word);
    for (; *text != 0; text++)
        if (strncasecmp(text, word, len) == 0)
            return true;
    return false;
}

/* A file's name has an ending that names its format, or stands in a reader's call. */
static bool is_passed_over(const char *text)
{
    static const char *const words[] = {"read_", "parquet", "csv",          "json",    "tsv",
                                        "copy",  "timeout", "memory_limit", "threads", "reset"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (has(text, words[i]))
            return true;
    return false;
}

static void drain(struct ArrowArrayStream *rows)
{
    struct ArrowSchema schema;
    CHECK(rows->get_schema(rows, &schema) == 0);
    for (;;) {
        struct ArrowArray array;
        if (rows->get_next(rows, &array) != 0) { /* memory may run out here, too */
            CHECK(rows->get_last_error(rows) != NULL);
            break;
        }
        if (array.release == NULL)
            break;
        CHECK(array.n_children == schema.n_children);
        for (int64_t c = 0; c < array.n_children; c++) {
            const struct ArrowArray *col = array.children[c];
            const char *format = schema.children[c]->format;
            CHECK(col->length == array.length);
            if (format[0] != 'u' && format[0] != 'z')
                continue;
            const int32_t *offsets = col->buffers[1];
            const uint8_t *chars = col->buffers[2];
            uint32_t sum = 0;
            for (int64_t row = 0; row < col->length; row++) {
                CHECK(offsets[row] >= 0 && offsets[row] <= offsets[row + 1]);
                for (int32_t i = offsets[row]; i < offsets[row + 1]; i++)
                    sum += chars[i]; /* touches every byte */
            }
            CHECK(sum < UINT32_MAX);
        }
        array.release(&array);
    }
    schema.release(&schema);
    rows->release(rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static char text[BYTES_MAX + 1];
    fl_engine_options options = {.size = sizeof(options), .threads = 1, .memory_limit_bytes = 64 << 20};
    fl_engine *engine = NULL;
    fl_session *session = NULL;
    struct ArrowArrayStream rows;
    fl_err err = {0};
    if (bytes > BYTES_MAX || memchr(data, 0, bytes) != NULL)
        return 0;
    memcpy(text, data, bytes);
    text[bytes] = 0;
    if (is_passed_over(text))
        return 0;
    CHECK(fl_engine_open(&options, &engine, &err) == FL_OK);
    CHECK(fl_session_open(engine, &session, &err) == FL_OK);
    CHECK(fl_session_query(session, prepare, &rows, &err) == FL_OK);
    rows.release(&rows);
    int64_t began = fl_clock_ns(NULL);
    if (fl_session_query(session, text, &rows, &err) == FL_OK)
        drain(&rows);
    else
        CHECK(err.code != FL_ERR_INTERNAL && err.message[0] != 0);
    CHECK(fl_clock_ns(NULL) - began < CALL_NS_MAX);
    /* whatever it was, the session goes on */
    CHECK(fl_session_query(session, "SELECT 1", &rows, &err) == FL_OK);
    drain(&rows);
    fl_session_close(session);
    fl_engine_close(engine);
    return 0;
}
