/* Runs sqllogictest files over the public C API, and fills in their answers with --rewrite.
 *
 *   slt_runner [--engine NAME] [--classic] [--rewrite] [--memory SIZE] [--set SQL]... FILE-or-FOLDER...
 *
 * Reads SQLite's format (one value a line, hash-threshold, skipif/onlyif, halt) and DuckDB's additions (one row a line
 * with tabs, loop/foreach, include, require, expected error texts). Each file gets a session of its own. --classic
 * prints values as SQLite's runner does (R with three decimals, I cut to an integer); otherwise values are compared as
 * PostgreSQL prints them. --engine is the name that skipif and onlyif know; --set runs a statement before each file.
 * --memory is the memory_limit of all records, but for one behind a comment "# memory: REASON": where that fails for want of memory,
 * it is run again without the limit.
 *
 * Relies on: include/fletch/ alone, arrow_text.h for values, md5.h for hashes.
 * Exit status: 0 all records passed, 1 some did not, 2 usage or unreadable file. */
#include "arrow_text.h"
#include "md5.h"

#include <dirent.h>
#include <errno.h>
#include <fletch/fletch.h>
#include <ftw.h>
#include <math.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FAILURES_SHOWN_MAX 10 /* per file: the first ones say what is wrong */
#define INCLUDE_DEPTH_MAX 8
#define VARIABLES_MAX 16
#define SETTINGS_MAX 16
#define TEST_DIR "${TEST_DIR}" /* stands for a folder of the file's own */

struct options {
    const char *engine;
    bool classic, rewrite;
    const char *memory; /* NULL: no limit */
    const char *settings[SETTINGS_MAX];
    int settings_count;
};

struct variable {
    const char *name;
    char value[256];
};

/* An answer put in place of lines [begin, end) of the file that is being rewritten. */
struct edit {
    size_t begin, end;
    char *text;
};

struct lines {
    char *text;
    char **at;
    size_t count;
};

struct file {
    const struct options *options;
    const char *path;
    fl_engine *engine;
    fl_session *session;
    struct variable variables[VARIABLES_MAX];
    int variables_count;
    long hash_threshold;
    int depth; /* of includes */
    long records, failures, skipped;
    char folder[256];  /* TEST_DIR; empty: none yet */
    bool needs_memory; /* the record under way says so */
    struct edit *edits;
    size_t edits_count;
    bool halted;
};

/* The rows of a query as text, row by row. */
struct result {
    char **values;
    size_t count, capacity; /* of values */
    size_t columns;
};

static void *must(void *memory)
{
    if (memory == NULL) {
        fprintf(stderr, "slt_runner: out of memory\n");
        exit(2);
    }
    return memory;
}

/* ---- lines ---- */

static bool read_lines(const char *path, struct lines *ret_lines)
{
    FILE *stream = fopen(path, "rb");
    if (stream == NULL) {
        fprintf(stderr, "slt_runner: %s: %s\n", path, strerror(errno));
        return false;
    }
    struct text text = {0};
    char piece[65536];
    size_t got;
    while ((got = fread(piece, 1, sizeof piece, stream)) > 0)
        text_add(&text, piece, got);
    fclose(stream);
    text_add(&text, "", 0);

    struct lines lines = {.text = text.data};
    size_t capacity = 0;
    for (char *at = text.data; at < text.data + text.len;) {
        if (lines.count == capacity) {
            capacity = capacity * 2 + 256;
            lines.at = must(realloc(lines.at, capacity * sizeof *lines.at));
        }
        lines.at[lines.count++] = at;
        char *end = strchr(at, '\n');
        if (end == NULL)
            break;
        *end = '\0';
        if (end > at && end[-1] == '\r')
            end[-1] = '\0';
        at = end + 1;
    }
    *ret_lines = lines;
    return true;
}

static void drop_lines(struct lines *lines)
{
    free(lines->text);
    free(lines->at);
    *lines = (struct lines){0};
}

static bool is_blank(const char *line)
{
    return line[strspn(line, " \t")] == '\0';
}

/* ---- a folder for what statements write ---- */

/* Made when it is first named, gone when the file has been run. */
static const char *test_folder(struct file *file)
{
    const char *parent = getenv("TMPDIR");
    if (file->folder[0] == '\0') {
        snprintf(file->folder, sizeof file->folder, "%s/slt-XXXXXX", parent != NULL ? parent : "/tmp");
        if (mkdtemp(file->folder) == NULL) {
            perror(file->folder);
            exit(2);
        }
    }
    return file->folder;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static void remove_folder(const struct file *file)
{
    if (file->folder[0] != '\0')
        nftw(file->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- variables of loop and foreach ---- */

/* `line` with ${name} replaced; the caller frees it. */
static char *substitute(struct file *file, const char *line)
{
    struct text text = {0};
    while (*line != '\0') {
        if (strncmp(line, TEST_DIR, strlen(TEST_DIR)) == 0) {
            const char *folder = test_folder(file);
            text_add(&text, folder, strlen(folder));
            line += strlen(TEST_DIR);
            continue;
        }
        const char *end = strncmp(line, "${", 2) == 0 ? strchr(line, '}') : NULL;
        const struct variable *found = NULL;
        for (int i = 0; end != NULL && i < file->variables_count; i++) {
            const char *name = file->variables[i].name;
            if (strlen(name) == (size_t)(end - line - 2) && strncmp(name, line + 2, strlen(name)) == 0)
                found = &file->variables[i];
        }
        if (found != NULL) {
            text_add(&text, found->value, strlen(found->value));
            line = end + 1;
        } else {
            text_add(&text, line++, 1);
        }
    }
    text_add(&text, "", 0);
    return text.data;
}

/* ---- results ---- */

static void result_add(struct result *result, const char *value, size_t len)
{
    if (result->count == result->capacity) {
        result->capacity = result->capacity * 2 + 64;
        result->values = must(realloc(result->values, result->capacity * sizeof *result->values));
    }
    char *copy = must(malloc(len + 1));
    memcpy(copy, value, len);
    copy[len] = '\0';
    result->values[result->count++] = copy;
}

static void result_drop(struct result *result)
{
    for (size_t i = 0; i < result->count; i++)
        free(result->values[i]);
    free(result->values);
    *result = (struct result){0};
}

/* One value as the file's dialect prints it; `type` is the query's letter for the column. */
static void add_value(const struct options *options, char type, const struct ArrowSchema *schema,
                      const struct ArrowArray *array, int64_t row, struct text *text)
{
    double number;
    if (arrow_is_null(schema, array, row)) {
        text_add(text, "NULL", 4);
    } else if (options->classic && type == 'R' && arrow_number(schema, array, row, &number)) {
        text_addf(text, "%.3f", number);
    } else if (options->classic && type == 'I' && strpbrk(schema->format, "fgd") != NULL &&
               arrow_number(schema, array, row, &number)) {
        text_addf(text, "%.0f", trunc(number) + 0.0);
    } else if (options->classic && strcmp(schema->format, "b") == 0 && type == 'I') {
        text_addf(text, "%d", arrow_number(schema, array, row, &number) && number != 0);
    } else {
        size_t start = text->len;
        arrow_text(schema, array, row, text);
        if (text->len == start)
            text_add(text, "(empty)", 7);
        for (size_t i = start; i < text->len; i++) {
            unsigned char byte = (unsigned char)text->data[i];
            if (byte == '\n' || byte == '\r' || (options->classic && (byte < ' ' || byte > '~')))
                text->data[i] = options->classic ? '@' : ' ';
        }
    }
}

/* Runs one statement under the limit that is set, and reads all of its rows. False, with err filled, when it failed. */
static bool run_once(struct file *file, const char *sql, const char *types, struct result *ret_result, fl_err *err)
{
    struct ArrowArrayStream stream = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArray array = {0};
    struct text value = {0};
    *err = (fl_err){0};
    *ret_result = (struct result){0};

    if (fl_session_query(file->session, sql, &stream, err) != FL_OK)
        return false;
    bool ok = stream.get_schema(&stream, &schema) == 0;
    if (ok)
        ret_result->columns = (size_t)schema.n_children;
    while (ok) {
        ok = stream.get_next(&stream, &array) == 0;
        if (!ok || array.release == NULL)
            break;
        for (int64_t row = 0; row < array.length; row++) {
            for (int64_t column = 0; column < schema.n_children; column++) {
                char type = types != NULL && column < (int64_t)strlen(types) ? types[column] : 'T';
                value.len = 0;
                add_value(file->options, type, schema.children[column], array.children[column], row + array.offset,
                          &value);
                result_add(ret_result, value.data, value.len);
            }
        }
        array.release(&array);
    }
    if (!ok && fl_stream_error(&stream, err) == FL_OK)
        snprintf(err->message, sizeof err->message, "the stream broke");
    if (schema.release != NULL)
        schema.release(&schema);
    if (stream.release != NULL)
        stream.release(&stream);
    free(value.data);
    if (!ok)
        result_drop(ret_result);
    return ok;
}

/* Sets the limit of the session: a size, "0" for none. */
static bool set_memory(struct file *file, const char *size)
{
    fl_err err;
    struct result result;
    char sql[80];
    snprintf(sql, sizeof sql, "SET memory_limit = '%s'", size);
    bool ok = run_once(file, sql, NULL, &result, &err);
    if (ok)
        result_drop(&result);
    else
        fprintf(stderr, "slt_runner: %s: %s\n", sql, err.message);
    return ok;
}

/* Runs one statement, again without the limit where it needs more and the file says so. What failed has changed nothing. */
static bool run(struct file *file, const char *sql, const char *types, struct result *ret_result, fl_err *err)
{
    bool ok = run_once(file, sql, types, ret_result, err);
    if (ok || !file->needs_memory || file->options->memory == NULL || strcmp(err->sqlstate, "53200") != 0)
        return ok;
    if (!set_memory(file, "0"))
        return false;
    ok = run_once(file, sql, types, ret_result, err);
    if (!set_memory(file, file->options->memory))
        exit(2); /* nothing is said of other records any more */
    return ok;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The values as lines: one a row, tabs between (`by_row`), or one a value; sorted as asked. The caller frees each. */
static struct result as_lines(const struct result *result, bool by_row, const char *sort)
{
    struct result lines = {.columns = 1};
    bool rowsort = strcmp(sort, "rowsort") == 0, valuesort = strcmp(sort, "valuesort") == 0;
    size_t columns = result->columns > 0 ? result->columns : 1;
    struct text text = {0};

    for (size_t i = 0; i < result->count; i += columns) {
        text.len = 0;
        for (size_t column = 0; column < columns; column++) {
            if (column > 0)
                text_add(&text, rowsort && !by_row ? "\n" : "\t", 1);
            text_add(&text, result->values[i + column], strlen(result->values[i + column]));
        }
        if (by_row || rowsort)
            result_add(&lines, text.data, text.len);
        else
            for (size_t column = 0; column < columns; column++)
                result_add(&lines, result->values[i + column], strlen(result->values[i + column]));
    }
    free(text.data);
    if ((rowsort || valuesort) && lines.count > 0)
        qsort(lines.values, lines.count, sizeof *lines.values, compare_texts);

    if (rowsort && !by_row) {
        struct result split = {.columns = 1};
        for (size_t i = 0; i < lines.count; i++) {
            char *rest = lines.values[i], *value;
            while ((value = strsep(&rest, "\n")) != NULL)
                result_add(&split, value, strlen(value));
        }
        result_drop(&lines);
        lines = split;
    }
    return lines;
}

/* "N values hashing to MD5" of values, one a line. */
static void hash_lines(const struct result *lines, char *ret_text, size_t bytes)
{
    struct text text = {0};
    for (size_t i = 0; i < lines->count; i++) {
        text_add(&text, lines->values[i], strlen(lines->values[i]));
        text_add(&text, "\n", 1);
    }
    char hex[33];
    md5_hex(text.data, text.len, hex);
    free(text.data);
    snprintf(ret_text, bytes, "%zu values hashing to %s", lines->count, hex);
}

/* A decimal's scale belongs to the type here and to the value in PostgreSQL: 1.50 and 1.5 are the same answer. Cuts the
 * zeros off that end decimals of a line with tabs between its columns. */
static void cut_scale(char *line, const char *types)
{
    char *to = line;
    for (size_t column = 0; *line != '\0'; column++) {
        size_t len = strcspn(line, "\t"), kept = len;
        bool is_decimal = column < strlen(types) && types[column] == 'D' && strcspn(line, ".") < len &&
                          strspn(line, "-.0123456789") >= len;
        while (is_decimal && (line[kept - 1] == '0' || line[kept - 1] == '.') && kept > strcspn(line, "."))
            kept--;
        memmove(to, line, kept);
        to += kept;
        line += len;
        if (*line == '\t') {
            *to++ = '\t';
            line++;
        }
    }
    *to = '\0';
}

/* Equal as texts, or, value by value, as doubles that differ only by the order of additions. */
static bool line_equal(const char *expected, const char *got, const char *types, bool exact)
{
    if (strcmp(expected, got) == 0)
        return true;
    if (exact)
        return false;
    char *left = must(strdup(expected)), *right = must(strdup(got));
    char *left_rest = left, *right_rest = right;
    bool equal = true;
    for (size_t column = 0; equal && (left_rest != NULL || right_rest != NULL); column++) {
        char *a = strsep(&left_rest, "\t"), *b = strsep(&right_rest, "\t");
        equal = a != NULL && b != NULL && strcmp(a, b) == 0;
        if (!equal && a != NULL && b != NULL && column < strlen(types) && types[column] == 'R') {
            char *a_end, *b_end;
            double x = strtod(a, &a_end), y = strtod(b, &b_end);
            equal = *a != '\0' && *b != '\0' && *a_end == '\0' && *b_end == '\0' &&
                    fabs(x - y) <= fmax(1e-15, 1e-12 * fmax(fabs(x), fabs(y)));
        }
    }
    free(left);
    free(right);
    return equal;
}

/* ---- records ---- */

static void fail(struct file *file, size_t line, const char *sql, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void fail(struct file *file, size_t line, const char *sql, const char *format, ...)
{
    file->failures++;
    if (file->failures > FAILURES_SHOWN_MAX)
        return;
    struct text text = {0};
    va_list args;
    va_start(args, format);
    char *message = NULL;
    int len = vasprintf(&message, format, args);
    va_end(args);
    text_add(&text, message, len > 0 ? (size_t)len : 0);
    printf("%s:%zu: %.*s\n    %.400s\n", file->path, line + 1, 2000, text.data, sql);
    free(message);
    free(text.data);
}

static void edit_add(struct file *file, size_t begin, size_t end, struct text *text)
{
    file->edits = must(realloc(file->edits, (file->edits_count + 1) * sizeof *file->edits));
    file->edits[file->edits_count++] = (struct edit){begin, end, text->data};
    *text = (struct text){0};
}

/* Does a failed statement's error fit what the file says of it: nothing, a SQLSTATE, <REGEX>:..., or part of its text? */
static bool error_fits(const char *expected, const fl_err *err)
{
    while (*expected == ' ')
        expected++;
    if (*expected == '\0' || strcmp(expected, err->sqlstate) == 0)
        return true;
    bool is_regex = strncmp(expected, "<REGEX>:", 8) == 0;
    if (strcasestr(err->message, expected) != NULL)
        return true;
    regex_t regex;
    if (regcomp(&regex, is_regex ? expected + 8 : expected, REG_EXTENDED | REG_NOSUB | REG_ICASE) != 0)
        return false;
    bool fits = regexec(&regex, err->message, 0, NULL, 0) == 0;
    regfree(&regex);
    return fits;
}

static void expect_error(struct file *file, size_t line, const char *sql, const char *expected)
{
    fl_err err;
    struct result result;
    if (run(file, sql, NULL, &result, &err)) {
        result_drop(&result);
        fail(file, line, sql, "no error, expected one%s%s", *expected != '\0' ? ": " : "", expected);
    } else if (!error_fits(expected, &err)) {
        fail(file, line, sql, "error %s: %s\n    expected %s", err.sqlstate, err.message, expected);
    }
}

static void expect_ok(struct file *file, size_t line, const char *sql)
{
    fl_err err;
    struct result result;
    if (run(file, sql, NULL, &result, &err))
        result_drop(&result);
    else
        fail(file, line, sql, "error %s: %s", err.sqlstate, err.message);
}

/* Compares a query's rows with lines [begin, end) of the file, or puts the rows there. */
static void expect_rows(struct file *file, size_t line, const char *sql, const char *types, const char *sort,
                        const struct lines *lines, size_t begin, size_t end)
{
    fl_err err;
    struct result result;
    if (!run(file, sql, types, &result, &err)) {
        fail(file, line, sql, "error %s: %s", err.sqlstate, err.message);
        return;
    }
    struct result by_value = as_lines(&result, false, sort);
    char hash[80];
    hash_lines(&by_value, hash, sizeof hash);
    bool is_long = file->hash_threshold > 0 && (long)by_value.count > file->hash_threshold;

    /* an answer inside a loop stands for several values of its variable, so that it stays as it is written */
    if (file->options->rewrite && file->variables_count == 0) {
        struct text text = {0};
        struct result rows = as_lines(&result, !file->options->classic, sort);
        text_add(&text, "----\n", 5);
        if (is_long)
            text_addf(&text, "%s\n", hash);
        for (size_t i = 0; i < rows.count && !is_long; i++) {
            text_add(&text, rows.values[i], strlen(rows.values[i]));
            text_add(&text, "\n", 1);
        }
        bool has_rule = begin > 0 && begin <= lines->count && strcmp(lines->at[begin - 1], "----") == 0;
        edit_add(file, has_rule ? begin - 1 : begin, end, &text);
        result_drop(&rows);
    } else if (strlen(types) != result.columns) {
        fail(file, line, sql, "%zu columns, expected %zu (%s)", result.columns, strlen(types), types);
    } else if (end == begin + 1 && strstr(lines->at[begin], " values hashing to ") != NULL) {
        if (strcmp(lines->at[begin], hash) != 0)
            fail(file, line, sql, "%s\n    expected %s", hash, lines->at[begin]);
    } else {
        /* one value a line, or one row: a file's own line count says which */
        bool by_row = result.columns > 1 && (end - begin) * result.columns == result.count;
        struct result got = as_lines(&result, by_row || (end - begin) != by_value.count, sort);
        struct result expected = {.columns = 1};
        for (size_t i = begin; i < end; i++) {
            char *text = substitute(file, lines->at[i]);
            result_add(&expected, text, strlen(text));
            free(text);
        }
        bool is_line_of_types = (by_row || result.columns == 1) && !file->options->classic;
        for (size_t i = 0; is_line_of_types && i < expected.count; i++)
            cut_scale(expected.values[i], types);
        for (size_t i = 0; is_line_of_types && i < got.count; i++)
            cut_scale(got.values[i], types);
        if (by_row && strcmp(sort, "nosort") != 0) {
            if (got.count > 0)
                qsort(got.values, got.count, sizeof *got.values, compare_texts);
            if (expected.count > 0)
                qsort(expected.values, expected.count, sizeof *expected.values, compare_texts);
        }
        if (expected.count != got.count) {
            fail(file, line, sql, "%zu lines of answer, expected %zu; first line: %s", got.count, expected.count,
                 got.count > 0 ? got.values[0] : "none");
        } else {
            for (size_t i = 0; i < got.count; i++) {
                if (!line_equal(expected.values[i], got.values[i], is_line_of_types ? types : "",
                                file->options->classic)) {
                    fail(file, line, sql, "answer's line %zu is   %s\n    expected           %s", i + 1, got.values[i],
                         expected.values[i]);
                    break;
                }
            }
        }
        result_drop(&expected);
        result_drop(&got);
    }
    result_drop(&by_value);
    result_drop(&result);
}

static bool run_file(struct file *file, const char *path);

/* The line after the `endloop` of the loop whose body begins at `at`. */
static size_t loop_end(const struct lines *lines, size_t at)
{
    for (int depth = 1; at < lines->count; at++) {
        if (strncmp(lines->at[at], "loop ", 5) == 0 || strncmp(lines->at[at], "foreach ", 8) == 0)
            depth++;
        else if (strncmp(lines->at[at], "endloop", 7) == 0 && --depth == 0)
            return at + 1;
    }
    return at;
}

static void run_lines(struct file *file, const struct lines *lines, size_t begin, size_t end);

/* `loop name from to` counts up to, but not including, `to`; `foreach name value...` takes one word at a time. */
static size_t run_loop(struct file *file, const struct lines *lines, size_t at, char *words)
{
    size_t after = loop_end(lines, at + 1);
    bool counts = strncmp(lines->at[at], "loop", 4) == 0;
    char *rest = words;
    const char *name = strtok_r(rest, " \t", &rest);
    if (name == NULL || file->variables_count == VARIABLES_MAX) {
        fail(file, at, lines->at[at], "a loop needs a variable, and nests at most %d deep", VARIABLES_MAX);
        return after;
    }
    struct variable *variable = &file->variables[file->variables_count++];
    variable->name = name;
    if (counts) {
        const char *from = strtok_r(NULL, " \t", &rest), *to = strtok_r(NULL, " \t", &rest);
        for (long i = from != NULL ? atol(from) : 0; to != NULL && i < atol(to) && !file->halted; i++) {
            snprintf(variable->value, sizeof variable->value, "%ld", i);
            run_lines(file, lines, at + 1, after - 1);
        }
    } else {
        const char *value;
        while ((value = strtok_r(NULL, " \t", &rest)) != NULL && !file->halted) {
            snprintf(variable->value, sizeof variable->value, "%s", value);
            run_lines(file, lines, at + 1, after - 1);
        }
    }
    file->variables_count--;
    return after;
}

/* One record that is no directive: its text up to a blank line or `----`, its answer up to a blank line. */
static size_t run_record(struct file *file, const struct lines *lines, size_t at, size_t end, char *words, bool skip)
{
    struct text sql = {0};
    size_t line = at, body = at + 1;
    for (; body < end && !is_blank(lines->at[body]) && strcmp(lines->at[body], "----") != 0; body++) {
        char *text = substitute(file, lines->at[body]);
        if (sql.len > 0)
            text_add(&sql, "\n", 1);
        text_add(&sql, text, strlen(text));
        free(text);
    }
    text_add(&sql, "", 0);
    bool has_rule = body < end && strcmp(lines->at[body], "----") == 0;
    size_t begin = has_rule ? body + 1 : body, after = begin;
    while (after < end && !is_blank(lines->at[after]))
        after++;

    char *rest = NULL;
    char *kind = strtok_r(words, " \t", &rest), *argument = strtok_r(NULL, " \t", &rest);
    if (argument == NULL)
        argument = "";
    file->records += !skip;
    file->skipped += skip;
    if (skip) {
    } else if (strcmp(argument, "error") == 0) {
        /* what is expected stands behind the word, as in DataFusion's files, or below the rule, as in DuckDB's */
        expect_error(file, line, sql.data,
                     rest != NULL && *rest != '\0' ? rest
                     : has_rule && after > begin   ? lines->at[begin]
                                                   : "");
    } else if (strcmp(kind, "statement") == 0) {
        if (strcmp(argument, "ok") == 0)
            expect_ok(file, line, sql.data);
        else if (strcmp(argument, "maybe") != 0)
            fail(file, line, sql.data, "a statement is ok or error, not %s", argument);
    } else {
        const char *sort = strtok_r(NULL, " \t", &rest);
        if (sort == NULL || (strcmp(sort, "rowsort") != 0 && strcmp(sort, "valuesort") != 0))
            sort = "nosort";
        expect_rows(file, line, sql.data, argument, sort, lines, begin, after);
    }
    free(sql.data);
    return after;
}

/* Opens an engine and a session, so that nothing of an earlier file is left. */
static bool open_session(struct file *file)
{
    fl_err err = {0};
    if (fl_engine_open(NULL, &file->engine, &err) != FL_OK ||
        fl_session_open(file->engine, &file->session, &err) != FL_OK) {
        fprintf(stderr, "slt_runner: no session: %s\n", err.message);
        return false;
    }
    if (file->options->memory != NULL && !set_memory(file, file->options->memory))
        return false;
    for (int i = 0; i < file->options->settings_count; i++) {
        struct result result;
        if (!run(file, file->options->settings[i], NULL, &result, &err)) {
            fprintf(stderr, "slt_runner: %s: %s\n", file->options->settings[i], err.message);
            return false;
        }
        result_drop(&result);
    }
    return true;
}

static void close_session(struct file *file)
{
    fl_session_close(file->session);
    fl_engine_close(file->engine);
    file->session = NULL;
    file->engine = NULL;
}

static void run_lines(struct file *file, const struct lines *lines, size_t begin, size_t end)
{
    bool skip = false; /* of the record that follows skipif or onlyif lines */
    for (size_t at = begin; at < end && !file->halted;) {
        const char *line = lines->at[at];
        if (is_blank(line) || line[0] == '#') {
            file->needs_memory |= strncmp(line, "# memory: ", 10) == 0;
            at++;
            continue;
        }
        char *words = substitute(file, line);
        words[strcspn(words, "#")] = '\0'; /* SQLite's files end some lines with a comment */
        words[strcspn(words, "\t\r")] = '\0';
        char *rest = NULL, *copy = must(strdup(words));
        const char *word = strtok_r(copy, " ", &rest);
        const char *argument = word != NULL ? strtok_r(NULL, " ", &rest) : NULL;
        if (word == NULL) {
            at++;
        } else if (strcmp(word, "statement") == 0 || strcmp(word, "query") == 0) {
            char *header = substitute(file, line);
            at = run_record(file, lines, at, end, header, skip);
            free(header);
            skip = file->needs_memory = false;
        } else if (strcmp(word, "skipif") == 0 || strcmp(word, "onlyif") == 0) {
            bool same = argument != NULL && strcasecmp(argument, file->options->engine) == 0;
            skip |= same == (word[0] == 's');
            at++;
        } else if (strcmp(word, "halt") == 0) {
            file->halted |= !skip;
            skip = false;
            at++;
        } else if (strcmp(word, "hash-threshold") == 0) {
            file->hash_threshold = argument != NULL ? atol(argument) : 0;
            at++;
        } else if (strcmp(word, "loop") == 0 || strcmp(word, "foreach") == 0) {
            char *list = substitute(file, line + strlen(word));
            if (skip)
                at = loop_end(lines, at + 1);
            else
                at = run_loop(file, lines, at, list);
            skip = false;
            free(list);
        } else if (strcmp(word, "include") == 0 && argument != NULL) {
            if (!run_file(file, argument))
                fail(file, at, line, "cannot be included");
            at++;
        } else if (strcmp(word, "require") == 0) {
            static const char *const held = " parquet json icu noforcestorage skip_reload vector_size ";
            struct text name = {0};
            text_addf(&name, " %s ", argument != NULL ? argument : "");
            if (strstr(held, name.data) == NULL) {
                printf("%s:%zu: needs %s: the rest is left out\n", file->path, at + 1, name.data);
                file->halted = true;
            }
            free(name.data);
            at++;
        } else if (strcmp(word, "restart") == 0 || strcmp(word, "load") == 0) {
            close_session(file);
            file->halted |= !open_session(file);
            at++;
        } else {
            fail(file, at, line, "not a directive of sqllogictest");
            at++;
        }
        free(copy);
        free(words);
    }
}

static bool run_file(struct file *file, const char *path)
{
    struct lines lines;
    if (file->depth == INCLUDE_DEPTH_MAX || !read_lines(path, &lines))
        return false;
    const char *outer = file->path;
    file->path = path;
    file->depth++;
    run_lines(file, &lines, 0, lines.count);
    file->depth--;
    file->path = outer;

    bool ok = true;
    if (file->edits_count > 0 && file->depth == 0) {
        FILE *stream = fopen(path, "wb");
        ok = stream != NULL;
        size_t edit = 0;
        for (size_t at = 0; ok && at <= lines.count; at++) {
            if (edit < file->edits_count && file->edits[edit].begin == at) {
                fputs(file->edits[edit].text, stream);
                at = file->edits[edit++].end;
            }
            if (at < lines.count)
                fprintf(stream, "%s\n", lines.at[at]);
        }
        ok = ok && fclose(stream) == 0;
    }
    for (size_t i = 0; i < file->edits_count && file->depth == 0; i++)
        free(file->edits[i].text);
    drop_lines(&lines);
    return ok;
}

/* ---- the program ---- */

struct totals {
    long files, records, failures, skipped;
    bool broken;
};

static void run_path(const struct options *options, const char *path, struct totals *totals)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        fprintf(stderr, "slt_runner: %s: %s\n", path, strerror(errno));
        totals->broken = true;
        return;
    }
    if (S_ISDIR(info.st_mode)) {
        struct dirent **entries = NULL;
        int count = scandir(path, &entries, NULL, alphasort);
        for (int i = 0; i < count; i++) {
            const char *name = entries[i]->d_name, *dot = strrchr(name, '.');
            struct text child = {0};
            text_addf(&child, "%s/%s", path, name);
            bool is_folder = name[0] != '.' && stat(child.data, &info) == 0 && S_ISDIR(info.st_mode);
            if (is_folder || (dot != NULL && (strcmp(dot, ".slt") == 0 || strcmp(dot, ".test") == 0)))
                run_path(options, child.data, totals);
            free(child.data);
            free(entries[i]);
        }
        free(entries);
        return;
    }

    struct file file = {.options = options};
    bool ok = open_session(&file) && run_file(&file, path);
    close_session(&file);
    remove_folder(&file);
    free(file.edits);
    if (file.failures > FAILURES_SHOWN_MAX)
        printf("%s: %ld more failures\n", path, file.failures - FAILURES_SHOWN_MAX);
    printf("%s: %ld records, %ld failed, %ld skipped\n", path, file.records, file.failures, file.skipped);
    fflush(stdout);
    totals->files++;
    totals->records += file.records;
    totals->failures += file.failures;
    totals->skipped += file.skipped;
    totals->broken |= !ok;
}

int main(int argc, char **argv)
{
    struct options options = {.engine = "fletch"};
    struct totals totals = {0};
    int at = 1;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        bool has_value = at + 1 < argc;
        if (strcmp(argv[at], "--classic") == 0)
            options.classic = true;
        else if (strcmp(argv[at], "--rewrite") == 0)
            options.rewrite = true;
        else if (strcmp(argv[at], "--engine") == 0 && has_value)
            options.engine = argv[++at];
        else if (strcmp(argv[at], "--memory") == 0 && has_value)
            options.memory = argv[++at];
        else if (strcmp(argv[at], "--set") == 0 && has_value && options.settings_count < SETTINGS_MAX)
            options.settings[options.settings_count++] = argv[++at];
        else
            break;
    }
    if (at == argc || strncmp(argv[at], "--", 2) == 0) {
        fprintf(stderr, "usage: slt_runner [--engine NAME] [--classic] [--rewrite] [--memory SIZE] [--set SQL]... "
                        "FILE-or-FOLDER...\n");
        return 2;
    }
    for (; at < argc; at++)
        run_path(&options, argv[at], &totals);
    printf("%ld files, %ld records, %ld failed, %ld skipped\n", totals.files, totals.records, totals.failures,
           totals.skipped);
    return totals.broken ? 2 : totals.failures > 0 ? 1 : 0;
}
