/* Finding where words, quotes and comments end. */
#include "cli/scan.h"

#include <string.h>

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80) != 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Behind the closing quote; a doubled one is read as two quoted parts, which ends at the same place. */
static size_t quoted_end(const char *text, size_t len, size_t at, bool has_escapes, bool *ret_is_open)
{
    char quote = text[at];
    for (at++; at < len; at++) {
        if (text[at] == quote)
            return at + 1;
        if (has_escapes && text[at] == '\\' && len - at > 1)
            at++;
    }
    *ret_is_open = true;
    return len;
}

/* Of $$...$$ and $tag$...$tag$; a lone $, as of a parameter, ends behind itself. */
static size_t dollar_end(const char *text, size_t len, size_t at, bool *ret_is_open)
{
    size_t close = at + 1;
    while (close < len && is_word(text[close]))
        close++;
    if (close == len || text[close] != '$' || (close > at + 1 && is_digit(text[at + 1])))
        return at + 1;
    size_t tag = close + 1 - at;
    const char *found = memmem(text + close + 1, len - close - 1, text + at, tag);
    *ret_is_open = found == NULL;
    return found == NULL ? len : (size_t)(found - text) + tag;
}

/* Comments nest. */
static size_t comment_end(const char *text, size_t len, size_t at, bool *ret_is_open)
{
    int depth = 0;
    do {
        if (len - at < 2) {
            *ret_is_open = true;
            return len;
        }
        bool begins = text[at] == '/' && text[at + 1] == '*', ends = text[at] == '*' && text[at + 1] == '/';
        depth += begins - ends;
        at += begins || ends ? 2 : 1;
    } while (depth > 0);
    return at;
}

/* 12, 1.5e-3, .5, 0xFF, 1_000: what reads so; whether it is a number is the engine's to say. */
static size_t number_end(const char *text, size_t len, size_t at)
{
    for (at++; at < len; at++) {
        bool is_exponent = (text[at - 1] | 32) == 'e' && (text[at] == '+' || text[at] == '-');
        if (!is_word(text[at]) && text[at] != '.' && !is_exponent)
            break;
    }
    return at;
}

/* E'...' has escapes; the letter must stand alone. */
static bool has_escape_mark(const char *text, size_t quote)
{
    return quote > 0 && (text[quote - 1] | 32) == 'e' && (quote == 1 || !is_word(text[quote - 2]));
}

fl_cli_scanned fl_cli_scan(const char *text, size_t len, size_t at)
{
    fl_cli_scanned ret = {.kind = FL_CLI_SYMBOL, .end = at + 1};
    char c = text[at], second = len - at > 1 ? text[at + 1] : 0;
    if (c == '-' && second == '-') {
        const char *newline = memchr(text + at, '\n', len - at);
        ret.kind = FL_CLI_COMMENT;
        ret.end = newline == NULL ? len : (size_t)(newline - text) + 1;
    } else if (c == '/' && second == '*') {
        ret.kind = FL_CLI_COMMENT;
        ret.end = comment_end(text, len, at, &ret.is_open);
    } else if (is_space(c)) {
        ret.kind = FL_CLI_SPACE;
        while (ret.end < len && is_space(text[ret.end]))
            ret.end++;
    } else if (c == '\'' || c == '"') {
        ret.kind = c == '"' ? FL_CLI_NAME : FL_CLI_STRING;
        ret.end = quoted_end(text, len, at, c == '\'' && has_escape_mark(text, at), &ret.is_open);
    } else if (c == '$') {
        ret.end = dollar_end(text, len, at, &ret.is_open);
        ret.kind = ret.end > at + 1 ? FL_CLI_STRING : FL_CLI_SYMBOL;
    } else if (is_digit(c) || (c == '.' && is_digit(second))) {
        ret.kind = FL_CLI_NUMBER;
        ret.end = number_end(text, len, at);
    } else if (is_word(c)) {
        ret.kind = FL_CLI_WORD;
        while (ret.end < len && (is_word(text[ret.end]) || text[ret.end] == '$')) /* a$b is one name */
            ret.end++;
    }
    return ret;
}
