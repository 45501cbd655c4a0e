/* Runs one hot kernel over data that it makes, for test/instruction_counts.py, which counts the instructions inside of it.
 *
 *     hot_kernels utf8_long | utf8_short       prints the bytes that went through the kernel
 *     hot_kernels STATEMENT                    prints the rows that it works on, by one worker: one of `statements`, whose
 *                                              instructions are those inside of `counted`
 *
 * Text is of words, of whose characters one in ten is beyond ASCII (two to four bytes), as one text or as values of 10 to 80
 * bytes. */
#include "base/utf8.h"

#include <fletch/fletch.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES (1 << 20)

static int64_t make_text(char *text)
{
    static const char *const foreign[] = {"ä", "ж", "中", "語", "😀"};
    uint32_t random = 1;
    int64_t len = 0;
    while (len + 8 < TEXT_BYTES) {
        random = random * 1664525 + 1013904223;
        if ((random >> 16) % 10 == 0) {
            const char *character = foreign[(random >> 20) % 5];
            memcpy(text + len, character, strlen(character));
            len += (int64_t)strlen(character);
        } else {
            text[len++] = (random >> 16) % 7 == 0 ? ' ' : (char)('a' + (random >> 20) % 26);
        }
    }
    return len;
}

#define TABLE_ROWS "200000"

/* What is done with a table of whole numbers, and texts of 10 to 15 characters that begin the same, in no order. */
static const struct statement {
    const char *name, *sql;
} statements[] = {
    {"arithmetic", "SELECT sum(a * 3 + b - 7) FROM t"},
    {"filter", "SELECT count(*) FROM t WHERE a % 1000 < 500 AND b > 17"},
    {"group_numbers", "SELECT count(*) FROM (SELECT a, count(*), sum(b) FROM t GROUP BY a) AS q"},
    {"group_texts", "SELECT count(*) FROM (SELECT s, count(*) FROM t GROUP BY s) AS q"},
    {"join", "SELECT sum(l.b + r.b) FROM t AS l JOIN (SELECT a + 1 AS a, b FROM t) AS r ON l.a = r.a"},
    {"sort", "SELECT a, b FROM t ORDER BY a OFFSET 199999"},
    {"like", "SELECT count(*) FROM t WHERE s LIKE '%99%'"},
    {"export", "SELECT a, s FROM t"},
    {"to_text", "SELECT sum(length(a::text)) FROM t"},
};

static int run(fl_session *session, const char *sql)
{
    struct ArrowArrayStream rows;
    struct ArrowArray array;
    fl_err err;
    if (fl_session_query(session, sql, &rows, &err) != FL_OK) {
        fprintf(stderr, "%s: %s\n", sql, err.message);
        return 1;
    }
    int failed = rows.get_next(&rows, &array);
    while (failed == 0 && array.release != NULL) {
        array.release(&array);
        failed = rows.get_next(&rows, &array);
    }
    rows.release(&rows);
    return failed;
}

/* Nothing but the statement itself. */
__attribute__((noinline)) static int counted(fl_session *session, const char *sql)
{
    int failed = run(session, sql);
    __asm__ volatile(""); /* so that it is a call */
    return failed;
}

static int run_statement(const char *sql)
{
    fl_engine_options options = {.size = sizeof(options), .threads = 1};
    fl_engine *engine = NULL;
    fl_session *session = NULL;
    int failed =
        fl_engine_open(&options, &engine, NULL) != FL_OK || fl_session_open(engine, &session, NULL) != FL_OK ||
        run(session,
            "CREATE TABLE t AS SELECT range * 7919 % " TABLE_ROWS " AS a, range % 1000 AS b, 'text ' || "
            "(range * 104729 % " TABLE_ROWS ") * 7 || repeat('x', range % 5) AS s FROM range(" TABLE_ROWS ")") ||
        counted(session, sql);
    fl_session_close(session);
    fl_engine_close(engine);
    if (!failed)
        puts(TABLE_ROWS);
    return failed;
}

int main(int argc, char **argv)
{
    static char text[TEXT_BYTES];
    int64_t len = make_text(text), checked = 0;
    if (argc != 2)
        return 2;
    for (size_t i = 0; i < sizeof(statements) / sizeof(*statements); i++)
        if (strcmp(argv[1], statements[i].name) == 0)
            return run_statement(statements[i].sql);
    if (strcmp(argv[1], "utf8_long") == 0) {
        checked = len;
        if (fl_utf8_check(text, len) >= 0)
            return 1;
    } else if (strcmp(argv[1], "utf8_short") == 0) {
        for (int64_t at = 0; at < len;) {
            int64_t end = at + 10 + checked % 71;
            end = end < len ? end : len;
            while (end < len && ((unsigned char)text[end] & 0xC0) == 0x80)
                end++;
            if (fl_utf8_check(text + at, end - at) >= 0)
                return 1;
            checked += end - at;
            at = end;
        }
    } else {
        return 2;
    }
    printf("%lld\n", (long long)checked);
    return 0;
}
