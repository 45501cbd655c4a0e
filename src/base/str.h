/* fl_str: bytes and a length, borrowed. The one string view of the project; text is UTF-8 where nothing else is said. */
#ifndef FL_BASE_STR_H
#define FL_BASE_STR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct fl_str {
    const char *data; /* not terminated; may be NULL when len is 0 */
    int64_t len;      /* bytes */
} fl_str;

/* In a static initializer. */
#define FL_STR_INIT(literal) {(literal), (int64_t)sizeof(literal) - 1}
#define FL_STR(literal) ((fl_str){(literal), (int64_t)sizeof(literal) - 1})

/* For printf: printf("%.*s", FL_STR_ARG(s)) */
#define FL_STR_ARG(s) (int)(s).len, (s).data

static inline fl_str fl_str_of(const char *text)
{
    return (fl_str){text, text == NULL ? 0 : (int64_t)strlen(text)};
}

static inline bool fl_str_is_equal(fl_str a, fl_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, (size_t)a.len) == 0);
}

/** Below, at or above zero, by bytes: code point order for UTF-8. */
static inline int fl_str_compare(fl_str a, fl_str b)
{
    int64_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.data, b.data, (size_t)len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static inline char fl_char_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/** Equal but for the case of ASCII letters: how identifiers and keywords compare. */
static inline bool fl_str_is_equal_nocase(fl_str a, fl_str b)
{
    if (a.len != b.len)
        return false;
    for (int64_t i = 0; i < a.len; i++)
        if (fl_char_lower(a.data[i]) != fl_char_lower(b.data[i]))
            return false;
    return true;
}

static inline bool fl_str_has_prefix(fl_str text, fl_str prefix)
{
    return text.len >= prefix.len && memcmp(text.data, prefix.data, (size_t)prefix.len) == 0;
}

static inline bool fl_str_has_suffix(fl_str text, fl_str suffix)
{
    return text.len >= suffix.len && memcmp(text.data + text.len - suffix.len, suffix.data, (size_t)suffix.len) == 0;
}

#endif
