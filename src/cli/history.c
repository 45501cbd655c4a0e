/* The history's file, in libedit's form. */
#include "cli/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HISTORY_STATEMENTS 2000
#define HISTORY_HEAD "_HiStOrY_V2_\n" /* of libedit's files */

/* A statement as one line: newlines outside of quotes are blanks, comments to the end of a line are left out. */
static void add_line(fl_cli_text *line, const char *text, size_t len)
{
    char quote = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (quote == 0 && c == '-' && i + 1 < len && text[i + 1] == '-') {
            while (i + 1 < len && text[i + 1] != '\n')
                i++;
            continue;
        }
        if (quote == 0 && (c == '\'' || c == '"'))
            quote = c;
        else if (c == quote)
            quote = 0;
        fl_cli_text_add_char(line, c == '\n' && quote == 0 ? ' ' : c);
    }
    while (line->len > 0 && line->data[line->len - 1] == ' ')
        line->len--;
    fl_cli_text_add_char(line, 0);
}

static void fail(fl_cli_history *h)
{
    if (!h->has_told)
        fprintf(stderr, "fletch: the history cannot be kept in \"%s\": %s\n", h->path, strerror(errno));
    h->has_told = true;
}

/* Adds an entry to the file in libedit's form: an entry a line, bytes that are no letters as \ooo. Other prompts may do so at the same time,
 * and a program that is killed has lost none. */
static void append(fl_cli_history *h, const char *entry)
{
    struct stat about;
    fl_cli_text line = {0};
    char code[8];
    int fd = open(h->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) != 0 || fstat(fd, &about) != 0) {
        fail(h);
        goto cleanup;
    }
    if (about.st_size == 0)
        fl_cli_text_add(&line, HISTORY_HEAD, sizeof(HISTORY_HEAD) - 1);
    for (const char *c = entry; *c != 0; c++) {
        bool is_plain = *c > ' ' && *c < 0x7F && *c != '\\';
        snprintf(code, sizeof(code), is_plain ? "%c" : "\\%03o", (unsigned char)*c);
        fl_cli_text_add(&line, code, strlen(code));
    }
    fl_cli_text_add_char(&line, '\n');
    if (write(fd, line.data, line.len) != (ssize_t)line.len)
        fail(h);
cleanup:
    if (fd >= 0)
        close(fd);
    fl_cli_text_drop(&line);
}

/* What many prompts added is more than one loads: the file becomes what was loaded. */
static void shorten(const fl_cli_history *h)
{
    char path[FL_CLI_PATH_BYTES + 8];
    HistEvent event;
    int lines = 0;
    FILE *file = fopen(h->path, "re");
    if (file == NULL)
        return;
    for (int c; (c = getc(file)) != EOF;)
        lines += c == '\n';
    fclose(file);
    if (lines <= 2 * HISTORY_STATEMENTS)
        return;
    snprintf(path, sizeof(path), "%s.new", h->path);
    if (history(h->list, &event, H_SAVE, path) < 0 || rename(path, h->path) != 0)
        unlink(path);
}

/* A statement that is the last one once more is no entry. */
void fl_cli_history_add(fl_cli_history *h, const char *text, size_t len)
{
    HistEvent event;
    fl_cli_text line = {0};
    add_line(&line, text, len);
    bool is_new = history(h->list, &event, H_FIRST) < 0 || line.len == 0 || strcmp(event.str, line.data) != 0;
    if (line.len > 1 && is_new) {
        history(h->list, &event, H_ENTER, line.data);
        if (h->path[0] != 0)
            append(h, line.data);
    }
    fl_cli_text_drop(&line);
}

bool fl_cli_history_open(fl_cli_history *h)
{
    HistEvent event;
    const char *said = getenv("FLETCH_HISTORY"), *home = getenv("HOME");
    *h = (fl_cli_history){.list = history_init()};
    if (h->list == NULL)
        return false;
    if (said != NULL)
        snprintf(h->path, sizeof(h->path), "%s", said);
    else if (home != NULL)
        snprintf(h->path, sizeof(h->path), "%s/.fletch_history", home);
    history(h->list, &event, H_SETSIZE, HISTORY_STATEMENTS);
    history(h->list, &event, H_SETUNIQUE, 1);
    if (h->path[0] != 0 && history(h->list, &event, H_LOAD, h->path) >= 0)
        shorten(h);
    return true;
}

void fl_cli_history_close(fl_cli_history *h)
{
    if (h->list != NULL)
        history_end(h->list);
    h->list = NULL;
}
