/* Patterns of names and texts: * ? [a-z] and \\. */
#include "base/glob.h"

/* The character at `at`, and how many bytes it has: names need not be UTF-8, a byte that is none is a character. */
static uint32_t char_at(fl_str s, int64_t at, int64_t *ret_bytes)
{
    uint8_t lead = (uint8_t)s.data[at];
    int64_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    uint32_t c = bytes == 1 ? lead : lead & (0x7Fu >> bytes);
    for (int64_t i = 1; i < bytes; i++) {
        uint8_t next = at + i < s.len ? (uint8_t)s.data[at + i] : 0;
        if ((next & 0xC0) != 0x80) {
            *ret_bytes = 1;
            return lead;
        }
        c = c << 6 | (next & 0x3F);
    }
    *ret_bytes = bytes;
    return c;
}

/* Whether the set that begins at p->data[*at] has the character; *at moves behind it. A bracket that is never closed is
 * no set: *ret_is_set. */
static bool is_in_set(fl_str p, int64_t *at, uint32_t c, bool *ret_is_set)
{
    int64_t i = *at + 1, bytes = 0;
    bool is_negated = i < p.len && (p.data[i] == '!' || p.data[i] == '^'), is_in = false;
    i += is_negated;
    for (int64_t first = i; i < p.len && (p.data[i] != ']' || i == first);) {
        i += p.data[i] == '\\' && i + 1 < p.len;
        uint32_t low = char_at(p, i, &bytes), high = low;
        i += bytes;
        if (i + 1 < p.len && p.data[i] == '-' && p.data[i + 1] != ']') {
            i += 1 + (p.data[i + 1] == '\\' && i + 2 < p.len);
            high = char_at(p, i, &bytes);
            i += bytes;
        }
        is_in |= c >= low && c <= high;
    }
    *ret_is_set = i < p.len;
    if (*ret_is_set)
        *at = i + 1;
    return is_in != is_negated;
}

bool fl_glob_matches(fl_str p, fl_str name)
{
    int64_t i = 0, at = 0, star = -1, star_at = 0; /* a star that fails later is tried again one character further on */
    while (at < name.len) {
        int64_t bytes = 0, pattern_bytes = 0, next = i;
        uint32_t c = char_at(name, at, &bytes);
        bool is_one = false, is_set = false;
        if (i < p.len && p.data[i] == '*') {
            star = ++i;
            star_at = at;
            continue;
        }
        if (i < p.len && p.data[i] == '?') {
            is_one = true;
            next = i + 1;
        } else if (i < p.len && p.data[i] == '[') {
            is_one = is_in_set(p, &next, c, &is_set);
        }
        if (i < p.len && p.data[i] != '?' && !is_set) {
            next = i + (p.data[i] == '\\' && i + 1 < p.len);
            is_one = char_at(p, next, &pattern_bytes) == c;
            next += pattern_bytes;
        }
        if (is_one) {
            i = next;
            at += bytes;
        } else if (star >= 0) {
            (void)char_at(name, star_at, &bytes);
            i = star;
            at = star_at += bytes;
        } else {
            return false;
        }
    }
    while (i < p.len && p.data[i] == '*')
        i++;
    return i == p.len;
}
