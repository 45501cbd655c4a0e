/* Errors with their place in the query. */
#include "cli/report.h"

#include "cli/text.h"

#define SHOWN_BYTES_MAX 100 /* of a long line, around the place */

/* First byte of a character at or before `at`, not before `low`. */
static size_t character_start(const char *text, size_t low, size_t at)
{
    while (at > low && (text[at] & 0xC0) == 0x80)
        at--;
    return at;
}

static void add_shown(fl_cli_text *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        fl_cli_text_add_char(out, (uint8_t)text[i] < 0x20 || text[i] == 0x7F ? ' ' : text[i]);
}

static void add_place(fl_cli_text *out, const char *text, size_t len, size_t place)
{
    size_t line = 1, begin = 0, end = place;
    for (size_t i = 0; i < place; i++)
        if (text[i] == '\n') {
            line++;
            begin = i + 1;
        }
    while (end < len && text[end] != '\n')
        end++;
    bool is_cut_left = place - begin > SHOWN_BYTES_MAX * 3 / 4;
    if (is_cut_left)
        begin = character_start(text, begin, place - SHOWN_BYTES_MAX / 2);
    bool is_cut_right = end - begin > SHOWN_BYTES_MAX;
    if (is_cut_right)
        end = character_start(text, place, begin + SHOWN_BYTES_MAX);
    size_t line_start = out->len;
    fl_cli_text_addf(out, "LINE %zu: %s", line, is_cut_left ? "..." : "");
    size_t indent = out->len - line_start;
    add_shown(out, text + begin, end - begin);
    fl_cli_text_addf(out, "%s\n", is_cut_right ? "..." : "");
    fl_cli_text_add_repeated(out, ' ', indent + fl_cli_display_width(text + begin, place - begin));
    fl_cli_text_add_str(out, "^\n");
}

void fl_cli_report(FILE *file, const fl_err *err, const char *text, size_t len, size_t start)
{
    fl_cli_text out = {0};
    fl_cli_text_addf(&out, "Error: %s\n", err->message);
    if (err->position > 0 && start + (size_t)err->position - 1 <= len)
        add_place(&out, text, len, start + (size_t)err->position - 1);
    if (err->hint[0] != 0)
        fl_cli_text_addf(&out, "Hint: %s\n", err->hint);
    fwrite(out.data, 1, out.len, file);
    fl_cli_text_drop(&out);
}
