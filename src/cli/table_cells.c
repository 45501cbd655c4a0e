/* Cleaning, measuring and padding cells. */
#include "cli/table_cells.h"

#include <stdlib.h>
#include <string.h>

void fl_cli_cell_add(fl_cli_text *to, const char *data, size_t len, bool is_markdown)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)data[i];
        if (c == '\n' && is_markdown)
            fl_cli_text_add_str(to, "<br>");
        else if (c == '|' && is_markdown)
            fl_cli_text_add_str(to, "\\|");
        else if (c == '\t')
            fl_cli_text_add_str(to, is_markdown ? " " : "\\t");
        else if (c == '\r')
            fl_cli_text_add_str(to, "\\r");
        else if ((c < 0x20 && c != '\n') || c == 0x7F)
            fl_cli_text_addf(to, "\\x%02x", c);
        else
            fl_cli_text_add_char(to, (char)c);
    }
    while (to->len > 0 && to->data[to->len - 1] == '\n') /* a last newline would be an empty line in each table */
        to->len--;
}

bool fl_cli_cell_next_line(const fl_cli_text *cell, const char **at, const char **ret, size_t *ret_len)
{
    if (*at == NULL)
        return false;
    size_t left = (size_t)(cell->data + cell->len - *at);
    const char *newline = memchr(*at, '\n', left);
    *ret = *at;
    *ret_len = newline == NULL ? left : (size_t)(newline - *at);
    *at = newline == NULL ? NULL : newline + 1;
    return true;
}

size_t fl_cli_cell_width(const fl_cli_text *cell)
{
    size_t widest = 0, len;
    const char *line, *at = cell->data;
    while (fl_cli_cell_next_line(cell, &at, &line, &len)) {
        size_t width = fl_cli_display_width(line, len);
        widest = width > widest ? width : widest;
    }
    return widest;
}

void fl_cli_cell_add_padded(fl_cli_text *text, const char *data, size_t len, size_t width, bool is_right)
{
    size_t own = fl_cli_display_width(data, len), pad = own < width ? width - own : 0;
    if (is_right)
        fl_cli_text_add_repeated(text, ' ', pad);
    fl_cli_text_add(text, data, len);
    if (!is_right)
        fl_cli_text_add_repeated(text, ' ', pad);
}

void *fl_cli_take(size_t count, size_t bytes)
{
    void *block = calloc(count == 0 ? 1 : count, bytes);
    if (block == NULL) {
        fprintf(stderr, "fletch: out of memory for %zu columns\n", count);
        exit(1);
    }
    return block;
}
