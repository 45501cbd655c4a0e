/* Growing texts, JSON strings, and how wide text is on a terminal. */
#include "cli/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define READ_BYTES 65536

static void reserve(fl_cli_text *text, size_t more)
{
    if (text->capacity - text->len >= more)
        return;
    size_t capacity = text->capacity < 256 ? 256 : text->capacity;
    while (capacity - text->len < more) {
        if (capacity > SIZE_MAX / 2) {
            fprintf(stderr, "fletch: a text of more than %zu bytes\n", capacity);
            exit(1);
        }
        capacity *= 2;
    }
    char *data = realloc(text->data, capacity);
    if (data == NULL) {
        fprintf(stderr, "fletch: out of memory for a text of %zu bytes\n", capacity);
        exit(1);
    }
    text->data = data;
    text->capacity = capacity;
}

void fl_cli_text_drop(fl_cli_text *text)
{
    free(text->data);
    *text = (fl_cli_text){0};
}

void fl_cli_text_add(fl_cli_text *text, const char *data, size_t len)
{
    if (len == 0)
        return;
    reserve(text, len);
    memcpy(text->data + text->len, data, len);
    text->len += len;
}

void fl_cli_text_add_str(fl_cli_text *text, const char *terminated)
{
    fl_cli_text_add(text, terminated, strlen(terminated));
}

void fl_cli_text_add_char(fl_cli_text *text, char c)
{
    reserve(text, 1);
    text->data[text->len++] = c;
}

void fl_cli_text_add_repeated(fl_cli_text *text, char c, size_t count)
{
    reserve(text, count + 1);
    memset(text->data + text->len, c, count);
    text->len += count;
}

void fl_cli_text_addf(fl_cli_text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    reserve(text, 128);
    int len = vsnprintf(text->data + text->len, text->capacity - text->len, format, args);
    va_end(args);
    if (len < 0)
        return;
    if ((size_t)len >= text->capacity - text->len) {
        reserve(text, (size_t)len + 1);
        va_start(args, format);
        vsnprintf(text->data + text->len, text->capacity - text->len, format, args);
        va_end(args);
    }
    text->len += (size_t)len;
}

int fl_cli_utf8_decode(const char *p, size_t left, uint32_t *ret_code)
{
    const uint8_t *u = (const uint8_t *)p;
    if (left == 0)
        return 0;
    if (u[0] < 0x80) {
        *ret_code = u[0];
        return 1;
    }
    int width = u[0] >= 0xF0 ? 4 : u[0] >= 0xE0 ? 3 : 2;
    if (u[0] < 0xC2 || u[0] > 0xF4 || left < (size_t)width)
        return 0;
    uint32_t code = u[0] & (0x7Fu >> width);
    for (int i = 1; i < width; i++) {
        if ((u[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (u[i] & 0x3Fu);
    }
    if ((width == 3 && code < 0x800) || (width == 4 && (code < 0x10000 || code > 0x10FFFF)) ||
        (code >= 0xD800 && code <= 0xDFFF))
        return 0;
    *ret_code = code;
    return width;
}

static void add_json_escape(fl_cli_text *text, char c)
{
    switch (c) {
    case '"':
        fl_cli_text_add(text, "\\\"", 2);
        break;
    case '\\':
        fl_cli_text_add(text, "\\\\", 2);
        break;
    case '\n':
        fl_cli_text_add(text, "\\n", 2);
        break;
    case '\r':
        fl_cli_text_add(text, "\\r", 2);
        break;
    case '\t':
        fl_cli_text_add(text, "\\t", 2);
        break;
    default:
        fl_cli_text_addf(text, "\\u%04x", (unsigned)(uint8_t)c);
    }
}

void fl_cli_text_add_json(fl_cli_text *text, const char *data, size_t len)
{
    fl_cli_text_add_char(text, '"');
    size_t plain = 0, at = 0;
    while (at < len) {
        uint8_t c = (uint8_t)data[at];
        uint32_t code;
        int width = 1;
        if (c >= 0x20 && c < 0x7F && c != '"' && c != '\\') {
            at++;
            continue;
        }
        if (c >= 0x80 && (width = fl_cli_utf8_decode(data + at, len - at, &code)) > 0) {
            at += (size_t)width;
            continue;
        }
        fl_cli_text_add(text, data + plain, at - plain);
        if (c >= 0x80)
            fl_cli_text_add(text, "\xEF\xBF\xBD", 3);
        else
            add_json_escape(text, (char)c);
        plain = ++at;
    }
    fl_cli_text_add(text, data + plain, len - plain);
    fl_cli_text_add_char(text, '"');
}

bool fl_cli_text_add_file(fl_cli_text *text, FILE *file, size_t bytes_max)
{
    for (;;) {
        if (text->len > bytes_max) {
            errno = EFBIG;
            return false;
        }
        reserve(text, READ_BYTES);
        size_t got = fread(text->data + text->len, 1, READ_BYTES, file);
        text->len += got;
        if (got < READ_BYTES)
            return ferror(file) == 0;
    }
}

typedef struct code_range {
    uint32_t first, last;
} code_range;

/* Main ranges of Unicode's East Asian Width W and F, emoji included (UAX 11); odd single signs are not worth a table. */
static const code_range wide[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xAC00, 0xD7A3},
                                  {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
                                  {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD}};
/* Marks that combine with the character before them, and signs without a width. */
static const code_range narrow[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A},
                                    {0x064B, 0x065F}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F},
                                    {0x202A, 0x202E}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};

static bool is_among(uint32_t code, const code_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

size_t fl_cli_display_width(const char *data, size_t len)
{
    size_t width = 0;
    for (size_t at = 0; at < len;) {
        uint32_t code;
        int bytes = fl_cli_utf8_decode(data + at, len - at, &code);
        if (bytes == 0) {
            width++;
            at++;
            continue;
        }
        at += (size_t)bytes;
        if (code < 0x300)
            width++;
        else if (is_among(code, wide, sizeof(wide) / sizeof(wide[0])))
            width += 2;
        else if (!is_among(code, narrow, sizeof(narrow) / sizeof(narrow[0])))
            width++;
    }
    return width;
}
