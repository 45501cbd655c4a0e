/* Colours of words, quotes, numbers and comments. Relies on scan.h for where they end, and on the session for which words it knows. */
#include "cli/highlight.h"

#include "cli/dot_command.h"
#include "cli/scan.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int compare_lines(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    return strcasecmp(x, y);
}

void fl_cli_highlight_open(fl_cli_highlight *highlight, fl_session *session)
{
    char *words;
    *highlight = (fl_cli_highlight){0};
    if (fl_session_words(session, &words, NULL) != FL_OK)
        return;
    size_t len = strlen(words);
    fl_cli_text_add(&highlight->words, words, len + 1);
    fl_text_free(words);
    highlight->lines = calloc(len + 1, sizeof(*highlight->lines));
    for (char *at = highlight->words.data; *at != 0 && highlight->lines != NULL;) {
        char *newline = strchrnul(at, '\n');
        bool is_last = *newline == 0;
        *newline = 0;
        highlight->lines[highlight->n_lines++] = at;
        at = newline + !is_last;
    }
    if (highlight->n_lines > 0)
        qsort(highlight->lines, highlight->n_lines, sizeof(*highlight->lines), compare_lines);
}

void fl_cli_highlight_close(fl_cli_highlight *highlight)
{
    free(highlight->lines);
    fl_cli_text_drop(&highlight->words);
    *highlight = (fl_cli_highlight){0};
}

static bool is_known(const fl_cli_highlight *highlight, const char *word, size_t len, const char *more)
{
    char line[80];
    const char *wanted = line;
    size_t n_more = strlen(more);
    if (len + n_more >= sizeof(line) || highlight->n_lines == 0)
        return false;
    memcpy(line, word, len);
    memcpy(line + len, more, n_more + 1);
    return bsearch(&wanted, highlight->lines, highlight->n_lines, sizeof(wanted), compare_lines) != NULL;
}

static fl_cli_colour word_colour(const fl_cli_highlight *highlight, const char *text, size_t len, size_t at, size_t end)
{
    if (at > 0 && text[at - 1] == '.') /* a column, whatever it is called */
        return FL_CLI_PLAIN;
    if (end < len && text[end] == '(' && is_known(highlight, text + at, end - at, "("))
        return FL_CLI_FUNCTION;
    return is_known(highlight, text + at, end - at, "") ? FL_CLI_KEYWORD : FL_CLI_PLAIN;
}

fl_cli_colour fl_cli_highlight_at(const fl_cli_highlight *highlight, const char *text, size_t len, size_t at,
                                  size_t *ret_end)
{
    fl_cli_scanned next = fl_cli_scan(text, len, at);
    *ret_end = next.end;
    if (at == 0 && fl_cli_is_dot_command(text, len)) {
        while (*ret_end < len && text[*ret_end] != ' ' && text[*ret_end] != '\n')
            ++*ret_end;
        return FL_CLI_COMMAND;
    }
    switch (next.kind) {
    case FL_CLI_COMMENT:
        return FL_CLI_REMARK;
    case FL_CLI_STRING:
    case FL_CLI_NAME:
        return FL_CLI_TEXT;
    case FL_CLI_NUMBER:
        return FL_CLI_DIGITS;
    case FL_CLI_WORD:
        return word_colour(highlight, text, len, at, next.end);
    default:
        return FL_CLI_PLAIN;
    }
}

const char *fl_cli_colour_code(fl_cli_colour colour)
{
    static const char *const codes[] = {
        [FL_CLI_PLAIN] = "",          [FL_CLI_KEYWORD] = "\x1b[1;34m", [FL_CLI_FUNCTION] = "\x1b[36m",
        [FL_CLI_TEXT] = "\x1b[32m",   [FL_CLI_DIGITS] = "\x1b[35m",    [FL_CLI_REMARK] = "\x1b[90m",
        [FL_CLI_COMMAND] = "\x1b[33m"};
    return codes[colour];
}
