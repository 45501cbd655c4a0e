/* The commands, and what they do. */
#include "cli/dot_command.h"

#include "cli/listing.h"
#include "cli/nearest.h"
#include "cli/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 4
#define DEPTH_MAX 16               /* of files that read files */
#define FILE_BYTES_MAX (256 << 20) /* of statements, read whole */
#define EDITED_TEXT "/tmp/fletch-XXXXXX.sql"

typedef struct call {
    fl_cli_shell *shell;
    char *words[ARGUMENTS_MAX]; /* behind the command */
    int n;
} call;

typedef struct command {
    const char *name, *arguments, *help;
    int least, most; /* arguments */
    bool (*run)(const call *c);
} command;

static bool fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

static bool fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("Error: ", stderr);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return false;
}

static bool fail_statement(const fl_err *err)
{
    fl_cli_report(stderr, err, "", 0, 0);
    return false;
}

/* ---- tables ---- */

/* `*` and `%` stand for any characters, `?` and `_` for one. */
static bool matches(const char *pattern, const char *name, size_t len)
{
    if (*pattern == 0)
        return len == 0;
    if (*pattern == '*' || *pattern == '%')
        return matches(pattern + 1, name, len) || (len > 0 && matches(pattern, name + 1, len - 1));
    bool is_same = len > 0 && (*pattern == '?' || *pattern == '_' || strncasecmp(pattern, name, 1) == 0);
    return is_same && matches(pattern + 1, name + 1, len - 1);
}

static bool run_tables(const call *c)
{
    fl_cli_text names = {0};
    fl_err err = {0};
    if (!fl_cli_list(c->shell->run->session, "SHOW TABLES", 1, &names, &err))
        return fail_statement(&err);
    for (size_t at = 0; at < names.len;) {
        size_t len = (size_t)((const char *)memchr(names.data + at, '\n', names.len - at) - names.data) - at;
        if (c->n == 0 || matches(c->words[0], names.data + at, len))
            fprintf(c->shell->run->file, "%.*s\n", (int)len, names.data + at);
        at += len + 1;
    }
    fflush(c->shell->run->file);
    fl_cli_text_drop(&names);
    return true;
}

/* A table's columns as the statement that would make it. */
static bool show_columns(const call *c, const char *name, size_t len)
{
    fl_cli_text sql = {0}, columns = {0}, made = {0};
    fl_err err = {0};
    fl_cli_text_add_str(&sql, "DESCRIBE ");
    fl_cli_add_name(&sql, name, len);
    fl_cli_text_add_char(&sql, 0);
    bool is_good = fl_cli_list(c->shell->run->session, sql.data, 3, &columns, &err);
    if (!is_good)
        fail_statement(&err);
    fl_cli_text_add_str(&made, "CREATE TABLE ");
    fl_cli_add_name(&made, name, len);
    fl_cli_text_add_str(&made, "(");
    for (size_t at = 0; is_good && at < columns.len;) {
        const char *column = columns.data + at, *type = memchr(column, '\t', columns.len - at);
        const char *null = memchr(type + 1, '\t', columns.len - (size_t)(type + 1 - columns.data));
        const char *end = memchr(null + 1, '\n', columns.len - (size_t)(null + 1 - columns.data));
        fl_cli_text_add_str(&made, at == 0 ? "" : ", ");
        fl_cli_add_name(&made, column, (size_t)(type - column));
        fl_cli_text_addf(&made, " %.*s%s", (int)(null - type - 1), type + 1, null[1] == 'N' ? " NOT NULL" : "");
        at = (size_t)(end + 1 - columns.data);
    }
    if (is_good)
        fprintf(c->shell->run->file, "%.*s);\n", (int)made.len, made.data);
    fl_cli_text_drop(&sql);
    fl_cli_text_drop(&columns);
    fl_cli_text_drop(&made);
    return is_good;
}

/* Adds what a column of duckdb_tables() has of a table. */
static bool add_table_text(const call *c, const char *column, const char *name, size_t len, fl_cli_text *ret)
{
    fl_cli_text sql = {0};
    fl_err err = {0};
    fl_cli_text_addf(&sql, "SELECT %s FROM duckdb_tables() WHERE %s <> '' AND lower(table_name) = lower('", column,
                     column);
    for (size_t i = 0; i < len; i++)
        fl_cli_text_addf(&sql, name[i] == '\'' ? "''" : "%c", name[i]);
    fl_cli_text_add(&sql, "')", 3); /* and its end */
    bool is_good = fl_cli_list(c->shell->run->session, sql.data, 1, ret, &err);
    if (!is_good)
        fail_statement(&err);
    fl_cli_text_drop(&sql);
    return is_good;
}

/* The statements that make a table; of a view, or of what is no table by itself, its columns as those of one. Foreign keys are added to
 * `keys`: they come when all tables are there. */
static bool show_schema(const call *c, const char *name, size_t len, fl_cli_text *keys)
{
    fl_cli_text table = {0};
    bool is_told = add_table_text(c, "sql", name, len, &table) && table.len > 0;
    if (is_told)
        fprintf(c->shell->run->file, "%.*s", (int)table.len, table.data);
    fl_cli_text_drop(&table);
    return is_told ? add_table_text(c, "foreign_keys_sql", name, len, keys) : show_columns(c, name, len);
}
static bool run_schema(const call *c)
{
    fl_cli_text names = {0};
    fl_err err = {0};
    bool is_good = true;
    fl_cli_text keys = {0};
    if (c->n == 1) {
        is_good = show_schema(c, c->words[0], strlen(c->words[0]), &keys);
        fprintf(c->shell->run->file, "%.*s", (int)keys.len, keys.len > 0 ? keys.data : "");
        fl_cli_text_drop(&keys);
        return is_good;
    }
    if (!fl_cli_list(c->shell->run->session, "SHOW TABLES", 1, &names, &err))
        return fail_statement(&err);
    for (size_t at = 0; at < names.len;) {
        size_t len = (size_t)((const char *)memchr(names.data + at, '\n', names.len - at) - names.data) - at;
        is_good &= show_schema(c, names.data + at, len, &keys);
        at += len + 1;
    }
    fprintf(c->shell->run->file, "%.*s", (int)keys.len, keys.len > 0 ? keys.data : "");
    fl_cli_text_drop(&keys);
    fflush(c->shell->run->file);
    fl_cli_text_drop(&names);
    return is_good;
}

/* ---- how answers look ---- */

static bool run_mode(const call *c)
{
    const char *near = NULL;
    if (c->n == 0) {
        printf("%s\n", c->shell->run->format->name);
        return true;
    }
    const fl_cli_format *format = fl_cli_format_find(c->words[0]);
    if (format != NULL) {
        c->shell->run->format = format;
        return true;
    }
    for (int32_t i = 0; fl_cli_format_name(i) != NULL; i++)
        fl_cli_nearest_offer(c->words[0], fl_cli_format_name(i), &near);
    fail("there is no format \"%s\"", c->words[0]);
    if (near != NULL)
        fprintf(stderr, "Hint: did you mean \"%s\"?\n", near);
    else
        fputs("Hint: formats are table, csv, json, ndjson, markdown and line\n", stderr);
    return false;
}

static bool read_switch(const char *word, bool *ret)
{
    *ret = strcmp(word, "on") == 0;
    return *ret || strcmp(word, "off") == 0 || fail("expected on or off, found \"%s\"", word);
}

static bool run_timer(const call *c)
{
    return read_switch(c->words[0], &c->shell->run->has_timing);
}

static bool read_number(const char *word, long *ret)
{
    char *end;
    errno = 0;
    *ret = strtol(word, &end, 10);
    bool is_good = errno == 0 && end != word && *end == 0 && *ret >= 0 && *ret <= INT32_MAX;
    return is_good || fail("expected a number from 0 (all) on, found \"%s\"", word);
}

static bool run_maxrows(const call *c)
{
    long rows = 0;
    if (!read_number(c->words[0], &rows))
        return false;
    c->shell->run->view.rows_max = rows;
    return true;
}

static bool run_maxwidth(const call *c)
{
    long width = 0;
    if (!read_number(c->words[0], &width))
        return false;
    c->shell->run->view.width = (size_t)width;
    c->shell->run->view.has_width = true;
    return true;
}

static bool run_nullvalue(const call *c)
{
    snprintf(c->shell->run->view.null_text, sizeof(c->shell->run->view.null_text), "%s", c->words[0]);
    return true;
}

static bool run_highlight(const call *c)
{
    return read_switch(c->words[0], &c->shell->has_highlight);
}

static bool run_pager(const call *c)
{
    return read_switch(c->words[0], &c->shell->has_pager);
}

/* ---- where answers go ---- */

static bool open_output(fl_cli_shell *shell, const char *path)
{
    FILE *file = shell->terminal;
    if (path != NULL && (file = fopen(path, "we")) == NULL)
        return fail("cannot write \"%s\": %s", path, strerror(errno));
    if (shell->run->file != shell->terminal && fclose(shell->run->file) != 0)
        fail("cannot write the last answer: %s", strerror(errno));
    shell->run->file = file;
    return true;
}

static bool run_output(const call *c)
{
    c->shell->is_once = false;
    return open_output(c->shell, c->n == 1 ? c->words[0] : NULL);
}

static bool run_once(const call *c)
{
    bool is_good = open_output(c->shell, c->words[0]);
    c->shell->is_once = is_good;
    return is_good;
}

/* ---- statements ---- */

static bool run_read(const call *c)
{
    fl_cli_text text = {0};
    FILE *file = fopen(c->words[0], "re");
    if (file == NULL)
        return fail("cannot read \"%s\": %s", c->words[0], strerror(errno));
    bool is_good = fl_cli_text_add_file(&text, file, FILE_BYTES_MAX);
    fclose(file);
    if (!is_good)
        fail("cannot read \"%s\": %s", c->words[0], strerror(errno));
    else if (c->shell->depth >= DEPTH_MAX)
        is_good = fail("\"%s\" is read by itself, or %d files read each other", c->words[0], DEPTH_MAX);
    c->shell->depth++;
    is_good = is_good && fl_cli_shell_lines(c->shell, text.data, text.len);
    c->shell->depth--;
    fl_cli_text_drop(&text);
    return is_good;
}

static bool run_last(const call *c)
{
    if (c->shell->last.len == 0)
        return fail("nothing ran yet");
    fl_cli_view view = c->shell->run->view;
    c->shell->run->view.rows_max = 0;
    bool is_good = fl_cli_shell_statements(c->shell, c->shell->last.data, c->shell->last.len);
    c->shell->run->view = view;
    return is_good;
}

static bool edit_file(const char *path)
{
    const char *editor = getenv("VISUAL") != NULL ? getenv("VISUAL") : getenv("EDITOR");
    char line[FL_CLI_PATH_BYTES];
    snprintf(line, sizeof(line), "%s '%s'", editor != NULL ? editor : "vi", path);
    int status = system(line);
    return (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0) || fail("the editor failed: %s", line);
}

static bool run_edit(const call *c)
{
    char path[] = EDITED_TEXT;
    fl_cli_text text = {0};
    int fd = mkstemps(path, 4);
    if (fd < 0)
        return fail("cannot write \"%s\": %s", path, strerror(errno));
    bool is_good = write(fd, c->shell->last.data, c->shell->last.len) == (ssize_t)c->shell->last.len;
    close(fd);
    is_good = is_good && edit_file(path);
    FILE *file = is_good ? fopen(path, "re") : NULL;
    is_good = file != NULL && fl_cli_text_add_file(&text, file, FILE_BYTES_MAX);
    if (file != NULL)
        fclose(file);
    unlink(path);
    if (is_good && text.len > 0) {
        fprintf(c->shell->run->file, "%.*s%s", (int)text.len, text.data, text.data[text.len - 1] == '\n' ? "" : "\n");
        is_good = fl_cli_shell_statements(c->shell, text.data, text.len);
    }
    fl_cli_text_drop(&text);
    return is_good;
}

static bool run_open(const call *c)
{
    (void)c;
    fail("tables live in memory and end with the program: there are no database files yet");
    fputs("Hint: EXPORT DATABASE 'folder' keeps them, IMPORT DATABASE 'folder' brings them back; files are tables: "
          "FROM 'a.parquet'\n",
          stderr);
    return false;
}

static bool run_quit(const call *c)
{
    c->shell->is_leaving = true;
    return true;
}

static bool run_show(const call *c)
{
    const fl_cli_run *run = c->shell->run;
    printf("highlight  %s\nmode       %s\nmaxrows    %lld\nmaxwidth   %zu\nnullvalue  %s\npager      %s\ntimer      "
           "%s\nhistory    %s\n",
           c->shell->has_highlight ? "on" : "off", run->format->name, (long long)run->view.rows_max, run->view.width,
           run->view.null_text, c->shell->has_pager ? "on" : "off", run->has_timing ? "on" : "off",
           c->shell->history_path);
    return true;
}

static bool run_help(const call *c);

static const command commands[] = {
    {".edit", "", "the last statement in $VISUAL or $EDITOR, then run it", 0, 0, run_edit},
    {".exit", "", "leave", 0, 0, run_quit},
    {".help", "[COMMAND]", "this list", 0, 1, run_help},
    {".highlight", "on|off", "what is typed is coloured", 1, 1, run_highlight},
    {".last", "", "run the last statement again and show all of its rows", 0, 0, run_last},
    {".maxrows", "N", "rows of a table that are shown, half of them from its end; 0: all", 1, 1, run_maxrows},
    {".maxwidth", "N", "columns of characters that a table may take; 0: any", 1, 1, run_maxwidth},
    {".mode", "[FORMAT]", "table, csv, json, ndjson, markdown or line", 0, 1, run_mode},
    {".nullvalue", "TEXT", "what NULL looks like in tables", 1, 1, run_nullvalue},
    {".once", "FILE", "the next answer goes to a file", 1, 1, run_once},
    {".open", "[FILE]", "", 0, 1, run_open},
    {".output", "[FILE]", "answers go to a file, or here again", 0, 1, run_output},
    {".pager", "on|off", "answers go through $PAGER, or less", 1, 1, run_pager},
    {".quit", "", "leave", 0, 0, run_quit},
    {".read", "FILE", "run the statements and commands of a file", 1, 1, run_read},
    {".schema", "[TABLE]", "tables as the statements that would make them", 0, 1, run_schema},
    {".show", "", "what these commands have set", 0, 0, run_show},
    {".tables", "[PATTERN]", "names of tables and views; * stands for any characters", 0, 1, run_tables},
    {".timer", "on|off", "say how long each statement took", 1, 1, run_timer},
};

#define N_COMMANDS ((int)(sizeof(commands) / sizeof(commands[0])))

/* As PostgreSQL's shell calls some of them. */
static const struct {
    const char *name, *command;
} psql[] = {{"\\d", ".schema"}, {"\\dt", ".tables"}, {"\\q", ".quit"},
            {"\\?", ".help"},   {"\\i", ".read"},    {"\\o", ".output"}};

static bool run_help(const call *c)
{
    if (c->n == 0)
        puts("Statements end with a semicolon and may take several lines.\n"
             "  FROM 'file.parquet' LIMIT 10;     files are tables: Parquet, CSV, JSON\n"
             "  DESCRIBE 'file.csv';              columns and their types\n"
             "  EXPLAIN ANALYZE SELECT ...;       the plan, with rows and times\n"
             "Tab completes words. Ctrl-C stops a query. Ctrl-D leaves. Commands are a line each:");
    bool is_found = c->n == 0;
    for (int i = 0; i < N_COMMANDS; i++) {
        const command *known = &commands[i];
        bool is_wanted =
            c->n == 0 || strcmp(c->words[0], known->name) == 0 || strcmp(c->words[0], known->name + 1) == 0;
        if (is_wanted && known->help[0] != 0)
            printf("  %-11s %-10s %s\n", known->name, known->arguments, known->help);
        is_found |= is_wanted;
    }
    return is_found || fail("there is no command \"%s\"", c->words[0]);
}

/* ---- lines ---- */

bool fl_cli_is_dot_command(const char *line, size_t len)
{
    return len > 0 && (line[0] == '.' || (line[0] == '\\' && len > 1)); /* no statement begins so */
}

const char *fl_cli_dot_command_name(int i)
{
    return i >= 0 && i < N_COMMANDS ? commands[i].name : NULL;
}

/* The next word of a line: up to a blank, or between quotes. Writes into the line. NULL: none is left. */
static char *next_word(char **at)
{
    char *word = *at + strspn(*at, " \t\r\n");
    if (*word == 0)
        return NULL;
    bool is_quoted = *word == '\'' || *word == '"';
    char *end = is_quoted ? strchr(word + 1, *word) : word + strcspn(word, " \t\r\n");
    word += is_quoted;
    end = end == NULL ? word + strlen(word) : end;
    *at = *end == 0 ? end : end + 1;
    *end = 0;
    return word;
}

static const command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof(psql) / sizeof(psql[0]); i++)
        if (strcmp(name, psql[i].name) == 0)
            name = psql[i].command;
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcasecmp(name, commands[i].name) == 0)
            return &commands[i];
    return NULL;
}

static void fail_name(const char *name)
{
    const char *near = NULL;
    for (int i = 0; i < N_COMMANDS; i++)
        fl_cli_nearest_offer(name, commands[i].name, &near);
    fail("there is no command \"%s\"", name);
    fprintf(stderr, "Hint: %s%s%s\n", near != NULL ? "did you mean \"" : ".help lists them", near != NULL ? near : "",
            near != NULL ? "\"?" : "");
}

bool fl_cli_dot_command(fl_cli_shell *shell, const char *line, size_t len)
{
    char *copy = strndup(line, len), *at = copy;
    call c = {.shell = shell};
    if (copy == NULL)
        return fail("out of memory");
    while (len > 0 && (copy[len - 1] == ';' || copy[len - 1] == '\n' || copy[len - 1] == ' ')) /* as some type it */
        copy[--len] = 0;
    const char *name = next_word(&at);
    char *word = NULL;
    const command *known = find_command(name);
    bool is_good = known != NULL;
    if (known == NULL) {
        fail_name(name);
        free(copy);
        return false;
    }
    while (is_good && (word = next_word(&at)) != NULL) {
        if (c.n == known->most || c.n == ARGUMENTS_MAX)
            is_good =
                fail("%s takes %s, and no \"%s\"", known->name, known->most == 0 ? "nothing" : known->arguments, word);
        else
            c.words[c.n++] = word;
    }
    if (is_good && c.n < known->least)
        is_good = fail("%s takes %s", known->name, known->arguments);
    is_good = is_good && known->run(&c);
    free(copy);
    return is_good;
}
