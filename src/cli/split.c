/* Finding where statements end. */
#include "cli/split.h"

#include <string.h>
#include <strings.h>

typedef struct scan {
    const char *at;
    const char *end;
    bool is_open;
} scan;

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80) != 0;
}

/* Behind the closing quote; a doubled one is read as two quoted parts, which ends at the same place. */
static void skip_quoted(scan *s, char quote, bool has_escapes)
{
    for (s->at++; s->at < s->end; s->at++) {
        if (*s->at == quote) {
            s->at++;
            return;
        }
        if (has_escapes && *s->at == '\\' && s->end - s->at > 1)
            s->at++;
    }
    s->is_open = true;
}

/* $$...$$ and $tag$...$tag$; a lone $, as of a parameter, is skipped alone. */
static void skip_dollar(scan *s)
{
    const char *close = s->at + 1;
    while (close < s->end && is_word(*close))
        close++;
    if (close == s->end || *close != '$' || (close > s->at + 1 && s->at[1] >= '0' && s->at[1] <= '9')) {
        s->at++;
        return;
    }
    size_t tag = (size_t)(close + 1 - s->at);
    const char *found = memmem(close + 1, (size_t)(s->end - close - 1), s->at, tag);
    s->is_open = found == NULL;
    s->at = found == NULL ? s->end : found + tag;
}

static void skip_comment(scan *s)
{
    int depth = 0;
    do {
        if (s->end - s->at < 2) {
            s->at = s->end;
            s->is_open = true;
            return;
        }
        if (s->at[0] == '/' && s->at[1] == '*') {
            depth++;
            s->at += 2;
        } else if (s->at[0] == '*' && s->at[1] == '/') {
            depth--;
            s->at += 2;
        } else {
            s->at++;
        }
    } while (depth > 0);
}

static void skip_line(scan *s)
{
    const char *newline = memchr(s->at, '\n', (size_t)(s->end - s->at));
    s->at = newline == NULL ? s->end : newline + 1;
}

/* E'...' has escapes; the letter must stand alone. */
static bool has_escape_mark(const char *quote, const char *start)
{
    return quote > start && (quote[-1] | 32) == 'e' && (quote - 1 == start || !is_word(quote[-2]));
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* How far a statement is COPY … FROM STDIN. */
typedef enum copy_state { COPY_UNKNOWN, COPY_NOT, COPY_BEGUN, COPY_FROM, COPY_IN } copy_state;

static bool is_said(const char *word, size_t len, const char *said)
{
    return len == strlen(said) && strncasecmp(word, said, len) == 0;
}

static copy_state note_word(copy_state state, const char *word, size_t len)
{
    if (state == COPY_UNKNOWN)
        return is_said(word, len, "copy") ? COPY_BEGUN : COPY_NOT;
    if (state == COPY_FROM)
        return is_said(word, len, "stdin") ? COPY_IN : COPY_NOT;
    return state == COPY_BEGUN && is_said(word, len, "from") ? COPY_FROM : state;
}

fl_cli_piece fl_cli_split(const char *text, size_t len, size_t from)
{
    scan s = {text + from, text + len, false};
    fl_cli_piece piece = {.is_empty = true};
    copy_state state = COPY_UNKNOWN;
    int depth = 0; /* of parentheses: the FROM of a query is none of COPY's */
    while (s.at < s.end && is_space(*s.at))
        s.at++;
    const char *start = s.at;
    piece.start = (size_t)(start - text);
    while (s.at < s.end && *s.at != ';') {
        char c = *s.at;
        bool has_second = s.end - s.at > 1;
        if (c == '-' && has_second && s.at[1] == '-') {
            skip_line(&s);
            continue;
        }
        if (c == '/' && has_second && s.at[1] == '*') {
            skip_comment(&s);
            piece.is_empty &= !s.is_open; /* an open comment is the engine's to refuse */
            continue;
        }
        if (is_space(c)) {
            s.at++;
            continue;
        }
        piece.is_empty = false;
        if (c == '\'' || c == '"') {
            skip_quoted(&s, c, c == '\'' && has_escape_mark(s.at, start));
        } else if (c == '$') {
            skip_dollar(&s);
        } else {
            const char *word = s.at++;
            depth += c == '(' ? 1 : c == ')' ? -1 : 0;
            while (is_word(*word) && s.at < s.end && (is_word(*s.at) || *s.at == '$')) /* a$b is one name */
                s.at++;
            if (is_word(*word) && depth == 0)
                state = note_word(state, word, (size_t)(s.at - word));
        }
    }
    piece.is_copy_in = state == COPY_IN;
    piece.end = (size_t)(s.at - text);
    piece.is_ended = s.at < s.end;
    piece.next = piece.end + (piece.is_ended ? 1 : 0);
    piece.is_open = s.is_open;
    return piece;
}
