/* Growing text. */
#include "base/text.h"

#include "base/interrupt.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

void fl_text_init(fl_text *text, fl_memory *memory)
{
    *text = (fl_text){.memory = memory};
}

void fl_text_drop(fl_text *text)
{
    fl_free(text->data);
    fl_text_init(text, text->memory);
}

void fl_text_clear(fl_text *text)
{
    text->len = 0;
    if (text->data != NULL)
        text->data[0] = 0;
}

static bool make_room(fl_text *text, int64_t bytes)
{
    if (text->st == FL_OK && text->len + bytes + 1 > text->capacity)
        text->st = fl_grow(text->memory, (void **)&text->data, &text->capacity, text->len + bytes + 1, 1, NULL);
    return text->st == FL_OK;
}

char *fl_text_room(fl_text *text, int64_t bytes)
{
    FL_ASSERT(bytes >= 0);
    return make_room(text, bytes) ? text->data + text->len : NULL;
}

void fl_text_add(fl_text *text, fl_str part)
{
    if (!make_room(text, part.len))
        return;
    if (part.len > 0)
        memcpy(text->data + text->len, part.data, (size_t)part.len);
    text->len += part.len;
    text->data[text->len] = 0;
}

void fl_text_add_text(fl_text *text, const fl_text *part)
{
    fl_text_add(text, fl_text_str(part));
    if (part->st != FL_OK)
        text->st = part->st;
}

void fl_text_add_char(fl_text *text, char c)
{
    fl_text_add(text, (fl_str){&c, 1});
}

void fl_text_addf(fl_text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0 || !make_room(text, len))
        return;
    va_start(args, format);
    vsnprintf(text->data + text->len, (size_t)len + 1, format, args);
    va_end(args);
    text->len += len;
}

void fl_text_add_quoted(fl_text *text, fl_str part, char quote)
{
    fl_text_add_char(text, quote);
    for (int64_t i = 0; i < part.len; i++) {
        if (part.data[i] == quote)
            fl_text_add_char(text, quote);
        fl_text_add_char(text, part.data[i]);
    }
    fl_text_add_char(text, quote);
}

void fl_text_add_json(fl_text *text, fl_str part)
{
    fl_text_add_char(text, '"');
    int64_t plain = 0; /* start of the run not yet added */
    for (int64_t i = 0; i < part.len;) {
        unsigned char c = (unsigned char)part.data[i];
        int width = c < 0x80 ? 1 : fl_utf8_width(part.data + i, part.len - i);
        if (c >= 0x20 && c != '"' && c != '\\' && width > 0) {
            i += width;
            continue;
        }
        fl_text_add(text, (fl_str){part.data + plain, i - plain});
        if (c == '"' || c == '\\')
            fl_text_addf(text, "\\%c", c);
        else if (c == '\n')
            fl_text_add(text, FL_STR("\\n"));
        else if (c == '\t')
            fl_text_add(text, FL_STR("\\t"));
        else if (c == '\r')
            fl_text_add(text, FL_STR("\\r"));
        else if (c < 0x20)
            fl_text_addf(text, "\\u%04x", c);
        else
            fl_text_add(text, FL_STR("\xEF\xBF\xBD"));
        plain = ++i;
    }
    fl_text_add(text, (fl_str){part.data + plain, part.len - plain});
    fl_text_add_char(text, '"');
}

fl_status fl_text_status(const fl_text *text, fl_err *err)
{
    if (fl_interrupt_is_cause(text->st))
        return fl_interrupt_fail(text->st, err);
    if (text->st != FL_OK)
        return FL_FAIL(err, text->st, "out of memory while a text of %lld bytes was built", (long long)text->len);
    return FL_OK;
}
