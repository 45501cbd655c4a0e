/* Filling and completing error records; the table from code to SQLSTATE. */
#include "base/status.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    fl_status code;
    const char *sqlstate;
} codes[] = {
    {FL_OK, "00000"},
    {FL_ERR_CONFIG, "22023"},
    {FL_ERR_SYNTAX, "42601"},
    {FL_ERR_TABLE, "42P01"},
    {FL_ERR_COLUMN, "42703"},
    {FL_ERR_FUNCTION, "42883"},
    {FL_ERR_AMBIGUOUS, "42702"},
    {FL_ERR_GROUPING, "42803"},
    {FL_ERR_TYPE, "42804"},
    {FL_ERR_DUPLICATE, "42P07"},
    {FL_ERR_UNSUPPORTED, "0A000"},
    {FL_ERR_PARAMETER, "08P01"},
    {FL_ERR_VALUE, "22P02"},
    {FL_ERR_RANGE, "22003"},
    {FL_ERR_DIVISION, "22012"},
    {FL_ERR_CARDINALITY, "21000"},
    {FL_ERR_CONSTRAINT, "23502"},
    {FL_ERR_FORMAT, "22000"},
    {FL_ERR_CORRUPT, "XX001"},
    {FL_ERR_MEMORY, "53200"},
    {FL_ERR_LIMIT, "54000"},
    {FL_ERR_IO, "58030"},
    {FL_ERR_CANCELLED, "57014"},
    {FL_ERR_TIMEOUT, "57014"},
    {FL_ERR_PLAN, "XX000"},
    {FL_ERR_INTERNAL, "XX000"},
    {FL_DONE, "00000"},
};

const char *fl_status_sqlstate(fl_status code)
{
    for (int64_t i = 0; i < FL_LEN(codes); i++)
        if (codes[i].code == code)
            return codes[i].sqlstate;
    return "XX000";
}

void fl_assert_no_fault(const char *fault, const char *file, int line)
{
    if (fault == NULL)
        return;
    fprintf(stderr, "%s:%d: %s\n", file, line, fault);
    abort();
}

/* A message cut in the middle of a UTF-8 sequence would be no UTF-8: drop the started character. */
static void cut_at_character(char *text, size_t size, int wanted)
{
    if (wanted < 0 || (size_t)wanted < size)
        return;
    size_t end = size - 1;
    while (end > 0 && ((unsigned char)text[end - 1] & 0xC0) == 0x80)
        end--;
    if (end > 0 && (unsigned char)text[end - 1] >= 0xC0)
        end--;
    text[end] = 0;
}

/* A message is UTF-8 even where it tells of a name that is not: what breaks it becomes "?". */
static void mend(char *text)
{
    int64_t left = (int64_t)strlen(text);
    for (int width; left > 0; text += width, left -= width) {
        width = fl_utf8_width(text, left);
        if (width > 0)
            continue;
        *text = '?';
        width = 1;
    }
}

fl_status fl_err_set(fl_err *err, fl_status code, const char *format, ...)
{
    if (err == NULL)
        return code;
    va_list args;
    va_start(args, format);
    char text[FL_ERR_MESSAGE_MAX];
    int wanted = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    cut_at_character(text, sizeof(text), wanted);
    mend(text);
    memset(err, 0, offsetof(fl_err, message));
    err->code = code;
    memcpy(err->sqlstate, fl_status_sqlstate(code), 6);
    memcpy(err->message, text, sizeof(text));
    err->hint[0] = 0;
    err->position = err->line = err->column = 0;
    return code;
}

fl_status fl_err_state(fl_err *err, const char *sqlstate, fl_status otherwise)
{
    if (err == NULL)
        return otherwise;
    memcpy(err->sqlstate, sqlstate, 5);
    err->sqlstate[5] = 0;
    return err->code;
}

void fl_err_hint(fl_err *err, const char *format, ...)
{
    if (err == NULL)
        return;
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(err->hint, sizeof(err->hint), format, args);
    va_end(args);
    cut_at_character(err->hint, sizeof(err->hint), wanted);
    mend(err->hint);
}

void fl_err_hint_add(fl_err *err, const char *format, ...)
{
    char more[FL_ERR_HINT_MAX], before[FL_ERR_HINT_MAX];
    if (err == NULL)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(more, sizeof(more), format, args);
    va_end(args);
    memcpy(before, err->hint, sizeof(before));
    size_t len = strlen(before);
    bool is_ended = len > 0 && (before[len - 1] == '?' || before[len - 1] == ')');
    fl_err_hint(err, "%s%s%s", before, len == 0 ? "" : is_ended ? " " : "; ", more);
}

void fl_err_prefix(fl_err *err, const char *format, ...)
{
    if (err == NULL)
        return;
    char text[FL_ERR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    int used = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (used < 0 || used >= (int)sizeof(text))
        return;
    int wanted = used + snprintf(text + used, sizeof(text) - (size_t)used, "%s", err->message);
    cut_at_character(text, sizeof(text), wanted);
    mend(text);
    memcpy(err->message, text, sizeof(text));
}

void fl_err_at(fl_err *err, int64_t offset)
{
    if (err != NULL && err->position == 0 && offset >= 0)
        err->position = offset + 1;
}
