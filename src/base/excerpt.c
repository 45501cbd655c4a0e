/* Excerpts begin and end at characters. */
#include "base/excerpt.h"

#include "base/utf8.h"

#define LINE_BYTES_MAX 100 /* of a long line, around the place */

void fl_err_add_excerpt(fl_err *err, fl_str text, int64_t place)
{
    char message[FL_ERR_MESSAGE_MAX];
    int64_t begin = place, end = place;
    if (err == NULL)
        return;
    FL_ASSERT(place >= 0 && place <= text.len);
    while (begin > 0 && text.data[begin - 1] != '\n' && place - begin < LINE_BYTES_MAX / 2)
        begin--;
    while (end < text.len && text.data[end] != '\n' && end - begin < LINE_BYTES_MAX)
        end++;
    while (begin < place && fl_utf8_is_continuation(text.data[begin]))
        begin++;
    while (end > place && end < text.len && fl_utf8_is_continuation(text.data[end]))
        end--;
    int64_t width = fl_utf8_count(text.data + begin, place - begin);
    fl_err old = *err;
    memcpy(message, err->message, sizeof(message));
    fl_err_set(err, old.code, "%s\n  %.*s\n  %*s^", message, (int)(end - begin), text.data + begin, (int)width, "");
    memcpy(err->sqlstate, old.sqlstate, sizeof(err->sqlstate));
    memcpy(err->hint, old.hint, sizeof(err->hint));
    err->position = place + 1;
}
