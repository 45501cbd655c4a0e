/* The scanner: one switch on the first byte. Keywords are found by length, then by halving a bucket of at most 50. */
#include "front/sql/lexer.h"

#include "base/utf8.h"

#include <stdio.h>

/* ---- keywords ---- */

#define KEYWORD_BYTES_MAX 17

typedef struct keyword {
    char word[KEYWORD_BYTES_MAX + 1];
    uint8_t bytes;
    uint8_t class;
} keyword;

#define FREE FL_SQL_FREE
#define NO_BARE FL_SQL_NO_BARE
#define RESERVED FL_SQL_RESERVED
static const keyword keywords[FL_KW_COUNT] = {
    {"", 0, FREE},
#define FL_KEYWORD(name, word, class) {word, sizeof(word) - 1, class},
#include "front/sql/keyword.def"
#undef FL_KEYWORD
};
#undef FREE
#undef NO_BARE
#undef RESERVED

/* How many words are shorter than n letters: counted by the compiler, so that the list alone needs care. */
#define FL_KEYWORD(name, word, class) +(sizeof(word) - 1 < KEYWORD_LIMIT)
static const int16_t keywords_below[KEYWORD_BYTES_MAX + 2] = {
#define KEYWORD_LIMIT 0
    0,
#undef KEYWORD_LIMIT
#define KEYWORD_LIMIT 1
    0
#include "front/sql/keyword.def"
    ,
#undef KEYWORD_LIMIT
#define KEYWORD_LIMIT 2
    0
#include "front/sql/keyword.def"
    ,
#undef KEYWORD_LIMIT
#define KEYWORD_LIMIT 3
    0
#include "front/sql/keyword.def"
    ,
#undef KEYWORD_LIMIT
#define KEYWORD_LIMIT 4
    0
#include "front/sql/keyword.def"
    ,
#undef KEYWORD_LIMIT
#define KEYWORD_LIMIT 5
    0
#include "front/sql/keyword.def"
    ,
#undef KEYWORD_LIMIT
#define KEYWORD_LIMIT 6
    0
#include "front/sql/keyword.def"
    ,
#undef KEYWORD_LIMIT
#define KEYWORD_LIMIT 7
    0
#include "front/sql/keyword.def"
    ,
#undef KEYWORD_LIMIT
#define KEYWORD_LIMIT 8
    0
#include "front/sql/keyword.def"
    ,
#undef KEYWORD_LIMIT
#define KEYWORD_LIMIT 9
    0
#include "front/sql/keyword.def"
    ,
#undef KEYWORD_LIMIT
#define KEYWORD_LIMIT 10
    0
#include "front/sql/keyword.def"
    ,
#undef KEYWORD_LIMIT
#define KEYWORD_LIMIT 11
    0
#include "front/sql/keyword.def"
    ,
#undef KEYWORD_LIMIT
#define KEYWORD_LIMIT 12
    0
#include "front/sql/keyword.def"
    ,
#undef KEYWORD_LIMIT
#define KEYWORD_LIMIT 13
    0
#include "front/sql/keyword.def"
    ,
#undef KEYWORD_LIMIT
#define KEYWORD_LIMIT 14
    0
#include "front/sql/keyword.def"
    ,
#undef KEYWORD_LIMIT
#define KEYWORD_LIMIT 15
    0
#include "front/sql/keyword.def"
    ,
#undef KEYWORD_LIMIT
#define KEYWORD_LIMIT 16
    0
#include "front/sql/keyword.def"
    ,
#undef KEYWORD_LIMIT
#define KEYWORD_LIMIT 17
    0
#include "front/sql/keyword.def"
    ,
#undef KEYWORD_LIMIT
#define KEYWORD_LIMIT 18
    0
#include "front/sql/keyword.def"
    ,
#undef KEYWORD_LIMIT
};
#undef FL_KEYWORD

/* `lower` is padded with zeros, as the table's words are. */
static fl_sql_keyword find_lower(const char *lower, int64_t bytes)
{
    int low = 1 + keywords_below[bytes], high = 1 + keywords_below[bytes + 1];
    while (low < high) {
        int middle = (low + high) / 2;
        int order = memcmp(lower, keywords[middle].word, (size_t)bytes);
        if (order == 0)
            return (fl_sql_keyword)middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return FL_KW_NONE;
}

fl_sql_keyword fl_sql_keyword_find(fl_str word)
{
    char lower[KEYWORD_BYTES_MAX];
    if (word.len < 2 || word.len > KEYWORD_BYTES_MAX)
        return FL_KW_NONE;
    for (int64_t i = 0; i < word.len; i++)
        lower[i] = fl_char_lower(word.data[i]);
    return find_lower(lower, word.len);
}

fl_str fl_sql_keyword_text(fl_sql_keyword keyword)
{
    FL_ASSERT(keyword < FL_KW_COUNT);
    return (fl_str){keywords[keyword].word, keywords[keyword].bytes};
}

fl_sql_keyword_class fl_sql_keyword_class_of(fl_sql_keyword keyword)
{
    FL_ASSERT(keyword < FL_KW_COUNT);
    return (fl_sql_keyword_class)keywords[keyword].class;
}

/* ---- characters ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_word(char c)
{
    return is_word_start(c) || is_digit(c) || c == '$';
}

static int hex_of(char c)
{
    if (is_digit(c))
        return c - '0';
    c = fl_char_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ---- the text ---- */

static fl_status fail_at(fl_err *err, int64_t at, fl_status code, const char *message)
{
    fl_status st = FL_FAIL(err, code, "%s", message);
    fl_err_at(err, at);
    return st;
}

fl_status fl_sql_lexer_init(fl_sql_lexer *lexer, fl_str text, fl_err *err)
{
    if (text.len >= INT32_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "a query text of %lld bytes: 2 GB is the limit", (long long)text.len);
    int64_t bad = fl_utf8_check(text.data, text.len);
    if (bad >= 0) {
        FL_FAIL(err, FL_ERR_SYNTAX, "the query text is not UTF-8: byte 0x%02X at offset %lld",
                (unsigned char)text.data[bad], (long long)bad);
        fl_err_at(err, bad);
        return fl_err_state(err, "22021", FL_ERR_SYNTAX);
    }
    const char *nul = text.len > 0 ? memchr(text.data, 0, (size_t)text.len) : NULL;
    if (nul != NULL) {
        FL_FAIL(err, FL_ERR_SYNTAX, "the query text has a NUL byte at offset %lld", (long long)(nul - text.data));
        fl_err_at(err, nul - text.data);
        return fl_err_state(err, "22021", FL_ERR_SYNTAX);
    }
    *lexer = (fl_sql_lexer){.text = text};
    return FL_OK;
}

/* Bytes of the blank at p: ASCII, no-break space (text copied from pages), byte order mark; 0 for none. */
static int blank_width(const char *p, const char *end)
{
    switch ((unsigned char)*p) {
    case ' ':
    case '\t':
    case '\n':
    case '\r':
    case '\f':
    case '\v':
        return 1;
    case 0xC2:
        return (unsigned char)p[1] == 0xA0 ? 2 : 0;
    case 0xEF:
        return end - p >= 3 && (unsigned char)p[1] == 0xBB && (unsigned char)p[2] == 0xBF ? 3 : 0;
    default:
        return 0;
    }
}

/* `what` begins at a place and is never closed: much text may have been read as part of it, so the line is said. */
static fl_status fail_open(const fl_sql_lexer *lexer, int64_t at, const char *what, const char *closing, fl_err *err)
{
    const char *text = lexer->text.data, *begin = text + lexer->begin;
    int64_t line = 1;
    for (int width; begin < text + at && (width = blank_width(begin, text + at)) > 0;)
        begin += width;
    for (const char *p = begin; p < text + at; p++)
        line += *p == '\n';
    fl_status st =
        FL_FAIL(err, FL_ERR_SYNTAX, "%s that begins on line %lld of the statement has no end", what, (long long)line);
    fl_err_hint(err, "close it with %s", closing);
    fl_err_at(err, at);
    return st;
}

static fl_status skip_blanks(fl_sql_lexer *lexer, fl_err *err)
{
    const char *text = lexer->text.data, *end = text + lexer->text.len, *p = text + lexer->at;
    while (p < end) {
        int width = blank_width(p, end);
        if (width > 0) {
            p += width;
        } else if (*p == '-' && end - p > 1 && p[1] == '-') {
            const char *line = memchr(p, '\n', (size_t)(end - p));
            p = line == NULL ? end : line + 1;
        } else if (*p == '/' && end - p > 1 && p[1] == '*') {
            const char *start = p;
            int64_t depth = 0;
            do {
                if (end - p < 2)
                    return fail_open(lexer, start - text, "a comment", "*/ (comments nest)", err);
                if (p[0] == '/' && p[1] == '*')
                    depth++, p += 2;
                else if (p[0] == '*' && p[1] == '/')
                    depth--, p += 2;
                else
                    p++;
            } while (depth > 0);
        } else {
            break;
        }
    }
    lexer->at = (int32_t)(p - text);
    return FL_OK;
}

/* p is behind the opening quote; ret_end behind the closing one. A doubled quote stands for itself. */
static fl_status scan_quoted(fl_sql_lexer *lexer, const char *p, char quote, bool has_backslash, fl_sql_token *token,
                             fl_err *err)
{
    const char *text = lexer->text.data, *end = text + lexer->text.len;
    token->is_plain = true;
    while (p < end) {
        if (*p == quote) {
            if (end - p < 2 || p[1] != quote) {
                lexer->at = token->end = (int32_t)(p + 1 - text);
                return FL_OK;
            }
            token->is_plain = false;
            p++;
        } else if (has_backslash && *p == '\\') {
            token->is_plain = false;
            p++;
        }
        p++;
    }
    return fail_open(lexer, token->start, quote == '"' ? "a quoted name" : "a string",
                     quote == '"' ? "\"; a double quote inside is written twice" : "'; a quote inside is written twice",
                     err);
}

/* $$...$$ and $tag$...$tag$; also $1 and $name. */
static fl_status scan_dollar(fl_sql_lexer *lexer, const char *p, fl_sql_token *token, fl_err *err)
{
    const char *text = lexer->text.data, *end = text + lexer->text.len, *q = p + 1;
    if (q < end && is_digit(*q)) {
        while (q < end && is_digit(*q))
            q++;
        token->kind = FL_SQL_PARAMETER;
        lexer->at = token->end = (int32_t)(q - text);
        return FL_OK;
    }
    if (q < end && is_word_start(*q))
        while (q < end && is_word(*q) && *q != '$')
            q++;
    if (q > p + 1 && (q >= end || *q != '$')) {
        token->kind = FL_SQL_PARAMETER;
        lexer->at = token->end = (int32_t)(q - text);
        return FL_OK;
    }
    if (q >= end || *q != '$')
        return fail_at(err, token->start, FL_ERR_SYNTAX,
                       "expected a number or a name behind \"$\", as in $1 or $price");
    size_t tag = (size_t)(q + 1 - p);
    for (q++; end - q >= (ptrdiff_t)tag; q++) {
        q = memchr(q, '$', (size_t)(end - q));
        if (q == NULL || end - q < (ptrdiff_t)tag)
            break;
        if (memcmp(q, p, tag) == 0) {
            token->kind = FL_SQL_DOLLAR_STRING;
            token->is_plain = true;
            lexer->at = token->end = (int32_t)(q + (ptrdiff_t)tag - text);
            return FL_OK;
        }
    }
    char closing[80];
    snprintf(closing, sizeof(closing), "%.*s", (int)(tag < 64 ? tag : 64), p);
    return fail_open(lexer, token->start, "a dollar-quoted string", closing, err);
}

/* Digits with single underscores between them. */
static const char *scan_digits(const char *p, const char *end, fl_sql_token *token)
{
    while (p < end && (is_digit(*p) || (*p == '_' && end - p > 1 && is_digit(p[1])))) {
        if (*p == '_')
            token->is_plain = false;
        p++;
    }
    return p;
}

static fl_status scan_number(fl_sql_lexer *lexer, const char *p, fl_sql_token *token, fl_err *err)
{
    const char *text = lexer->text.data, *end = text + lexer->text.len, *start = p;
    token->kind = FL_SQL_INTEGER;
    token->is_plain = true;
    if (*p == '0' && end - p > 1 &&
        (fl_char_lower(p[1]) == 'x' || fl_char_lower(p[1]) == 'o' || fl_char_lower(p[1]) == 'b')) {
        int base = fl_char_lower(p[1]) == 'x' ? 16 : fl_char_lower(p[1]) == 'o' ? 8 : 2;
        token->is_plain = false;
        p += 2;
        while (p < end && ((hex_of(*p) >= 0 && hex_of(*p) < base) || (*p == '_' && p > start + 2)))
            p++;
        if (p == start + 2)
            return fail_at(err, token->start, FL_ERR_SYNTAX, "expected digits in the number that begins here");
    } else {
        p = scan_digits(p, end, token);
        if (p < end && *p == '.' && !(end - p > 1 && p[1] == '.')) {
            token->kind = FL_SQL_DECIMAL;
            p = scan_digits(p + 1, end, token);
        }
        if (p < end && (*p == 'e' || *p == 'E')) {
            const char *e = p + 1;
            if (e < end && (*e == '+' || *e == '-'))
                e++;
            if (e < end && is_digit(*e)) {
                token->kind = FL_SQL_FLOAT;
                p = scan_digits(e, end, token);
            }
        }
    }
    if (p < end && is_word_start(*p) && blank_width(p, end) == 0) {
        const char *junk = p;
        while (junk < end && is_word(*junk))
            junk++;
        FL_FAIL(err, FL_ERR_SYNTAX, "letters right behind a number: \"%.*s\"",
                junk - start > 60 ? 60 : (int)(junk - start), start);
        fl_err_at(err, token->start);
        return FL_ERR_SYNTAX;
    }
    lexer->at = token->end = (int32_t)(p - text);
    return FL_OK;
}

static fl_status scan_word(fl_sql_lexer *lexer, const char *p, fl_sql_token *token, fl_err *err)
{
    const char *text = lexer->text.data, *end = text + lexer->text.len, *start = p;
    if (end - p > 1 && p[1] == '\'') {
        char first = fl_char_lower(*p);
        if (first == 'e' || first == 'x') {
            token->kind = first == 'e' ? FL_SQL_ESCAPE_STRING : FL_SQL_BLOB;
            return scan_quoted(lexer, p + 2, '\'', first == 'e', token, err);
        }
    }
    char lower[KEYWORD_BYTES_MAX + 1];
    int64_t bytes = 0;
    while (p < end && is_word(*p)) {
        if ((unsigned char)*p >= 0x80 && blank_width(p, end) > 0)
            break;
        if (bytes < KEYWORD_BYTES_MAX)
            lower[bytes] = fl_char_lower(*p);
        bytes++;
        p++;
    }
    token->kind = FL_SQL_WORD;
    token->is_plain = true;
    token->keyword = bytes >= 2 && bytes <= KEYWORD_BYTES_MAX ? (uint16_t)find_lower(lower, bytes) : FL_KW_NONE;
    lexer->at = token->end = (int32_t)(p - text);
    FL_ASSERT(p > start);
    return FL_OK;
}

/* Longest first: an operator is found before its own beginning. */
static const struct {
    char text[5];
    uint8_t bytes;
    uint8_t kind;
} operators[] = {
    {"!~~*", 4, FL_SQL_NOT_ILIKE_OP},
    {"!~~", 3, FL_SQL_NOT_LIKE_OP},
    {"!~*", 3, FL_SQL_NOT_TILDE_STAR},
    {"~~*", 3, FL_SQL_ILIKE_OP},
    {"->>", 3, FL_SQL_ARROW_TEXT},
    {"#>>", 3, FL_SQL_PATH_TEXT},
    {"<=>", 3, FL_SQL_OTHER_OP},
    {"<->", 3, FL_SQL_OTHER_OP},
    {"::", 2, FL_SQL_DOUBLE_COLON},
    {":=", 2, FL_SQL_COLON_EQUAL},
    {"=>", 2, FL_SQL_FAT_ARROW},
    {"==", 2, FL_SQL_EQUAL},
    {"<>", 2, FL_SQL_NOT_EQUAL},
    {"!=", 2, FL_SQL_NOT_EQUAL},
    {"<=", 2, FL_SQL_LESS_EQUAL},
    {">=", 2, FL_SQL_GREATER_EQUAL},
    {"<<", 2, FL_SQL_SHIFT_LEFT},
    {">>", 2, FL_SQL_SHIFT_RIGHT},
    {"<@", 2, FL_SQL_CONTAINED},
    {"@>", 2, FL_SQL_CONTAINS},
    {"@@@", 3, FL_SQL_OTHER_OP},
    {"@@", 2, FL_SQL_PATH_MATCH},
    {"@?", 2, FL_SQL_PATH_EXISTS},
    {"&&", 2, FL_SQL_OVERLAPS},
    {"||/", 3, FL_SQL_OTHER_OP},
    {"|/", 2, FL_SQL_OTHER_OP},
    {"||", 2, FL_SQL_CONCAT},
    {"//", 2, FL_SQL_DOUBLE_SLASH},
    {"**", 2, FL_SQL_POWER},
    {"->", 2, FL_SQL_ARROW},
    {"!~", 2, FL_SQL_NOT_TILDE},
    {"~*", 2, FL_SQL_TILDE_STAR},
    {"~~", 2, FL_SQL_LIKE_OP},
    {"#-", 2, FL_SQL_PATH_DELETE},
    {"?|", 2, FL_SQL_HAS_ANY},
    {"?&", 2, FL_SQL_HAS_ALL},
    {"#>", 2, FL_SQL_PATH},
    {"^@", 2, FL_SQL_STARTS},
    {"!", 1, FL_SQL_OTHER_OP},
    {"@", 1, FL_SQL_OTHER_OP},
    {"<", 1, FL_SQL_LESS},
    {">", 1, FL_SQL_GREATER},
    {"=", 1, FL_SQL_EQUAL},
    {"+", 1, FL_SQL_PLUS},
    {"-", 1, FL_SQL_MINUS},
    {"*", 1, FL_SQL_ASTERISK},
    {"/", 1, FL_SQL_SLASH},
    {"%", 1, FL_SQL_PERCENT},
    {"^", 1, FL_SQL_POWER},
    {"~", 1, FL_SQL_TILDE},
    {"&", 1, FL_SQL_AMPERSAND},
    {"|", 1, FL_SQL_PIPE},
    {"#", 1, FL_SQL_HASH},
    {":", 1, FL_SQL_COLON},
    {"?", 1, FL_SQL_QUESTION},
};

static fl_status scan_operator(fl_sql_lexer *lexer, const char *p, fl_sql_token *token, fl_err *err)
{
    int64_t left = lexer->text.len - token->start;
    for (int64_t i = 0; i < FL_LEN(operators); i++) {
        if (operators[i].text[0] == *p && operators[i].bytes <= left &&
            memcmp(operators[i].text, p, operators[i].bytes) == 0) {
            if (*p == '?' && operators[i].bytes == 2 && left > 2 && p[2] == p[1])
                continue; /* ?||: a parameter, and || */
            token->kind = operators[i].kind;
            lexer->at = token->end = token->start + operators[i].bytes;
            return FL_OK;
        }
    }
    FL_FAIL(err, FL_ERR_SYNTAX, "no token of SQL begins with \"%c\"", *p);
    if (*p == '`')
        fl_err_hint(err, "names are quoted with double quotes: \"name\"");
    fl_err_at(err, token->start);
    return FL_ERR_SYNTAX;
}

fl_status fl_sql_lexer_next(fl_sql_lexer *lexer, fl_sql_token *ret, fl_err *err)
{
    fl_status st = skip_blanks(lexer, err);
    if (st != FL_OK)
        return st;
    const char *text = lexer->text.data, *end = text + lexer->text.len, *p = text + lexer->at;
    *ret = (fl_sql_token){.start = lexer->at, .end = lexer->at};
    if (p >= end)
        return FL_OK;

    fl_sql_token_kind single;
    switch (*p) {
    case ';':
        single = FL_SQL_SEMICOLON;
        break;
    case ',':
        single = FL_SQL_COMMA;
        break;
    case '(':
        single = FL_SQL_LEFT_PAREN;
        break;
    case ')':
        single = FL_SQL_RIGHT_PAREN;
        break;
    case '[':
        single = FL_SQL_LEFT_BRACKET;
        break;
    case ']':
        single = FL_SQL_RIGHT_BRACKET;
        break;
    case '{':
        single = FL_SQL_LEFT_BRACE;
        break;
    case '}':
        single = FL_SQL_RIGHT_BRACE;
        break;
    case '.':
        if (end - p > 1 && is_digit(p[1]))
            return scan_number(lexer, p, ret, err);
        single = FL_SQL_DOT;
        break;
    case '\'':
        ret->kind = FL_SQL_STRING;
        return scan_quoted(lexer, p + 1, '\'', false, ret, err);
    case '"':
        ret->kind = FL_SQL_QUOTED;
        st = scan_quoted(lexer, p + 1, '"', false, ret, err);
        if (st == FL_OK && ret->end - ret->start == 2)
            return fail_at(err, ret->start, FL_ERR_SYNTAX, "a quoted name may not be empty");
        return st;
    case '$':
        return scan_dollar(lexer, p, ret, err);
    default:
        if (is_digit(*p))
            return scan_number(lexer, p, ret, err);
        if (is_word_start(*p))
            return scan_word(lexer, p, ret, err);
        return scan_operator(lexer, p, ret, err);
    }
    ret->kind = (uint8_t)single;
    lexer->at = ret->end = ret->start + 1;
    return FL_OK;
}

/* ---- values ---- */

/* The escapes of E'...': returns the bytes read behind the backslash, 0 for a bad one. */
static int64_t unescape(const char *p, int64_t left, char *out, int64_t *ret_len)
{
    int64_t len = *ret_len, read = 1;
    uint32_t code = 0;
    int digits = 0;
    switch (*p) {
    case 'b':
        out[len++] = '\b';
        break;
    case 'f':
        out[len++] = '\f';
        break;
    case 'n':
        out[len++] = '\n';
        break;
    case 'r':
        out[len++] = '\r';
        break;
    case 't':
        out[len++] = '\t';
        break;
    case 'u':
    case 'U':
        digits = *p == 'u' ? 4 : 8;
        for (; read <= digits; read++) {
            if (read >= left || hex_of(p[read]) < 0)
                return 0;
            code = code << 4 | (uint32_t)hex_of(p[read]);
        }
        if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
            return 0;
        len += fl_utf8_encode(code, out + len);
        break;
    case 'x':
        while (read < left && read <= 2 && hex_of(p[read]) >= 0)
            code = code << 4 | (uint32_t)hex_of(p[read++]);
        if (read == 1 || code == 0)
            return 0;
        out[len++] = (char)code;
        break;
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
        for (read = 0; read < left && read < 3 && p[read] >= '0' && p[read] <= '7'; read++)
            code = code << 3 | (uint32_t)(p[read] - '0');
        if (code == 0 || code > 255)
            return 0;
        out[len++] = (char)code;
        break;
    default:
        out[len++] = *p;
        break;
    }
    *ret_len = len;
    return read;
}

static fl_status blob_value(fl_str inner, int32_t start, char *out, int64_t *ret_len, fl_err *err)
{
    if (inner.len % 2 != 0)
        return fail_at(err, start, FL_ERR_SYNTAX, "a blob needs an even number of hexadecimal digits");
    for (int64_t i = 0; i < inner.len; i += 2) {
        int high = hex_of(inner.data[i]), low = hex_of(inner.data[i + 1]);
        if (high < 0 || low < 0)
            return fail_at(err, start, FL_ERR_SYNTAX, "a blob holds hexadecimal digits only");
        out[i / 2] = (char)(high << 4 | low);
    }
    *ret_len = inner.len / 2;
    return FL_OK;
}

/* 0x1F, 0o17, 0b11 as decimal digits. */
static fl_status based_value(fl_str whole, int32_t start, fl_arena *arena, fl_str *ret, fl_err *err)
{
    int shift = fl_char_lower(whole.data[1]) == 'x' ? 4 : fl_char_lower(whole.data[1]) == 'o' ? 3 : 1;
    uint64_t value = 0;
    for (int64_t i = 2; i < whole.len; i++) {
        if (whole.data[i] == '_')
            continue;
        if (value >> (64 - shift) != 0)
            return fail_at(err, start, FL_ERR_RANGE, "a number beyond 64 bits");
        value = value << shift | (uint64_t)hex_of(whole.data[i]);
    }
    return fl_arena_format(arena, ret, err, "%llu", (unsigned long long)value);
}

fl_status fl_sql_token_value(fl_str text, const fl_sql_token *token, fl_arena *arena, fl_str *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str whole = {text.data + token->start, token->end - token->start};
    fl_str inner = whole;
    char *out = NULL;
    int64_t len = 0;
    switch (token->kind) {
    case FL_SQL_QUOTED:
    case FL_SQL_STRING:
        inner = (fl_str){whole.data + 1, whole.len - 2};
        break;
    case FL_SQL_ESCAPE_STRING:
    case FL_SQL_BLOB:
        inner = (fl_str){whole.data + 2, whole.len - 3};
        break;
    case FL_SQL_DOLLAR_STRING: {
        const char *second = memchr(whole.data + 1, '$', (size_t)whole.len - 1);
        int64_t tag = second + 1 - whole.data;
        inner = (fl_str){whole.data + tag, whole.len - 2 * tag};
        break;
    }
    default:
        break;
    }
    if (token->is_plain && token->kind != FL_SQL_BLOB) {
        *ret = inner;
        return FL_OK;
    }
    if (token->kind == FL_SQL_INTEGER && whole.len > 2 && whole.data[0] == '0' && !is_digit(whole.data[1]) &&
        whole.data[1] != '_')
        return based_value(whole, token->start, arena, ret, err);

    FL_TRY(fl_arena_get(arena, inner.len + 1, (void **)&out, err));
    if (token->kind == FL_SQL_BLOB) {
        FL_TRY(blob_value(inner, token->start, out, &len, err));
    } else if (token->kind == FL_SQL_QUOTED || token->kind == FL_SQL_STRING) {
        for (int64_t i = 0; i < inner.len; i++) {
            out[len++] = inner.data[i];
            if (inner.data[i] == whole.data[0])
                i++; /* the second of two */
        }
    } else if (token->kind == FL_SQL_ESCAPE_STRING) {
        for (int64_t i = 0; i < inner.len;) {
            if (inner.data[i] == '\\') {
                int64_t read = unescape(inner.data + i + 1, inner.len - i - 1, out, &len);
                if (read == 0)
                    return fail_at(err, token->start + 2 + i, FL_ERR_SYNTAX, "a bad escape in a string");
                i += 1 + read;
            } else {
                out[len++] = inner.data[i];
                i += inner.data[i] == '\'' ? 2 : 1;
            }
        }
        int64_t bad = fl_utf8_check(out, len);
        if (bad >= 0) {
            st = fail_at(err, token->start, FL_ERR_SYNTAX, "the escapes of this string make bytes that are no UTF-8");
            return fl_err_state(err, "22021", st);
        }
    } else {
        for (int64_t i = 0; i < inner.len; i++)
            if (inner.data[i] != '_')
                out[len++] = inner.data[i];
    }
    out[len] = 0;
    *ret = (fl_str){out, len};
cleanup:
    return st;
}
