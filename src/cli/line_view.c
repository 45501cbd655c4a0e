/* Drawing a line that is edited. The places of its characters are counted as a terminal counts: a row that is full wraps when one more
 * character comes, and one of two columns that has room for one goes to the next row. */
#include "cli/line_view.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TAB_COLUMNS 8

typedef struct place {
    long row, column; /* the column may be the one behind the last: it wraps when something comes */
} place;

typedef struct screen {
    long rows, columns;
} screen;

static screen ask_screen(void)
{
    struct winsize size;
    bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
    return is_known ? (screen){size.ws_row, size.ws_col} : (screen){24, 80};
}

/* A character, and what is written for it. */
typedef struct glyph {
    size_t bytes;
    long width;
    char written[16]; /* terminated; of a line's end nothing */
} glyph;

static glyph glyph_at(const char *text, size_t len, size_t at, long column)
{
    glyph g = {.bytes = 1};
    uint32_t code;
    uint8_t c = (uint8_t)text[at];
    int bytes = fl_cli_utf8_decode(text + at, len - at, &code);
    if (c == '\n')
        return g;
    if (c == '\t') {
        g.width = TAB_COLUMNS - column % TAB_COLUMNS;
        memset(g.written, ' ', (size_t)g.width);
    } else if (c < ' ' || c == 0x7F) { /* ^A, ^? */
        g.width = 2;
        g.written[0] = '^';
        g.written[1] = (char)(c ^ 0x40);
    } else if (bytes == 0) {
        g.width = 1;
        strcpy(g.written, "\xEF\xBF\xBD");
    } else {
        g.bytes = (size_t)bytes;
        g.width = (long)fl_cli_display_width(text + at, g.bytes);
        memcpy(g.written, text + at, g.bytes);
    }
    return g;
}

/* Where a character of that width stands that comes at `at`. */
static place wrapped(place at, long width, long columns)
{
    return at.column + width > columns && at.column > 0 ? (place){at.row + 1, 0} : at;
}

static place behind(place at, const glyph *g, char c, long columns)
{
    if (c == '\n')
        return (place){at.row + 1, 0};
    at = wrapped(at, g->width, columns);
    return (place){at.row, at.column + g->width < columns ? at.column + g->width : columns};
}

/* Where byte `end` of a text stands that begins in the first column. */
static place place_of(const char *text, size_t len, size_t end, long columns)
{
    place at = {0, 0};
    for (size_t i = 0; i < end;) {
        glyph g = glyph_at(text, len, i, at.column);
        at = behind(at, &g, text[i], columns);
        i += g.bytes;
    }
    return wrapped(at, end < len && text[end] != '\n' ? 1 : at.column == columns, columns);
}

static void write_out(fl_cli_text *out)
{
    fwrite(out->data, 1, out->len, stdout);
    fflush(stdout);
    fl_cli_text_drop(out);
}

/* ---- drawing --------------------------------------------------------------------------------------------------------- */

typedef struct pen {
    fl_cli_text out;
    screen screen;
    place at;  /* of the text */
    long top;  /* the rows from here on are written, as many as there are */
    place now; /* where the terminal is */
    fl_cli_colour colour;
} pen;

static void go_up(fl_cli_text *out, long rows)
{
    if (rows > 0)
        fl_cli_text_addf(out, "\x1b[%ldA", rows);
    fl_cli_text_add_char(out, '\r');
}

static void turn(pen *pen, fl_cli_colour colour)
{
    if (colour == pen->colour)
        return;
    fl_cli_text_add_str(&pen->out, pen->colour != FL_CLI_PLAIN ? "\x1b[0m" : "");
    fl_cli_text_add_str(&pen->out, fl_cli_colour_code(colour));
    pen->colour = colour;
}

static bool is_seen(const pen *pen, long row)
{
    return row >= pen->top && row < pen->top + pen->screen.rows;
}

static void put(pen *pen, const char *text, size_t len, size_t end, size_t from, fl_cli_colour colour)
{
    for (size_t i = from; i < end;) {
        glyph g = glyph_at(text, len, i, pen->at.column);
        place here = wrapped(pen->at, g.width, pen->screen.columns);
        if (text[i] == '\n' && is_seen(pen, here.row) && is_seen(pen, here.row + 1)) {
            turn(pen, FL_CLI_PLAIN);
            fl_cli_text_add_str(&pen->out, here.column < pen->screen.columns ? "\x1b[K\r\n" : "\r\n");
        } else if (is_seen(pen, here.row)) {
            turn(pen, colour);
            fl_cli_text_add_str(&pen->out, g.written);
        }
        pen->at = behind(pen->at, &g, text[i], pen->screen.columns);
        if (is_seen(pen, pen->at.row))
            pen->now = pen->at;
        i += g.bytes;
    }
}

/* Where the text ends at the margin the terminal has not wrapped yet. */
static void settle(pen *pen)
{
    turn(pen, FL_CLI_PLAIN);
    if (pen->now.column == pen->screen.columns && is_seen(pen, pen->now.row + 1)) {
        fl_cli_text_add_str(&pen->out, " \r");
        pen->now = (place){pen->now.row + 1, 0};
    }
    fl_cli_text_add_str(&pen->out, "\x1b[J");
}

/* The rows that are shown hold the cursor's; they move no more than they must. */
static long choose_top(long top, long cursor, long last, long rows)
{
    if (last - top < rows && top == 0)
        return 0;
    top = top + rows > last + 1 ? last + 1 - rows : top;
    top = cursor < top ? cursor : cursor >= top + rows ? cursor - rows + 1 : top;
    return top < 0 ? 0 : top;
}

void fl_cli_line_view_draw(fl_cli_line_view *view, const fl_cli_line *line)
{
    size_t n_prompt = strlen(line->prompt);
    fl_cli_text text = {0};
    fl_cli_text_add(&text, line->prompt, n_prompt);
    fl_cli_text_add(&text, line->text + line->first, line->len - line->first);
    size_t cursor = n_prompt + line->cursor - line->first;
    if (text.len == view->shown.len && cursor == view->cursor && memcmp(text.data, view->shown.data, text.len) == 0) {
        fl_cli_text_drop(&text);
        return;
    }
    pen pen = {.screen = ask_screen()};
    long columns = pen.screen.columns;
    if (view->shown.len > 0) /* the terminal may be another size by now */
        go_up(&pen.out, place_of(view->shown.data, view->shown.len, view->cursor, columns).row - view->top);
    place to = place_of(text.data, text.len, cursor, columns), last = place_of(text.data, text.len, text.len, columns);
    pen.top = choose_top(view->top, to.row, last.row, pen.screen.rows);
    put(&pen, text.data, text.len, n_prompt, 0, FL_CLI_PLAIN);
    for (size_t at = 0, end; at < line->len; at = end) {
        fl_cli_colour colour = FL_CLI_PLAIN;
        end = line->len;
        if (view->highlight != NULL)
            colour = fl_cli_highlight_at(view->highlight, line->text, line->len, at, &end);
        size_t from = at > line->first ? at : line->first;
        if (end > line->first)
            put(&pen, text.data, text.len, n_prompt + end - line->first, n_prompt + from - line->first, colour);
    }
    settle(&pen);
    go_up(&pen.out, pen.now.row - to.row);
    if (to.column > 0)
        fl_cli_text_addf(&pen.out, "\x1b[%ldC", to.column);
    write_out(&pen.out);
    fl_cli_text_drop(&view->shown);
    view->shown = text;
    view->cursor = cursor;
    view->top = pen.top;
}

void fl_cli_line_view_end(fl_cli_line_view *view)
{
    fl_cli_text out = {0};
    screen screen = ask_screen();
    if (view->shown.len == 0)
        return;
    long last = place_of(view->shown.data, view->shown.len, view->shown.len, screen.columns).row;
    long here = place_of(view->shown.data, view->shown.len, view->cursor, screen.columns).row;
    last = last < view->top + screen.rows ? last : view->top + screen.rows - 1;
    if (last > here)
        fl_cli_text_addf(&out, "\x1b[%ldB", last - here);
    fl_cli_text_add_str(&out, "\r\n");
    write_out(&out);
    view->shown.len = 0;
    view->top = 0;
}

void fl_cli_line_view_clear(fl_cli_line_view *view)
{
    fputs("\x1b[H\x1b[2J", stdout);
    view->shown.len = 0;
    view->top = 0;
}

void fl_cli_line_view_drop(fl_cli_line_view *view)
{
    fl_cli_text_drop(&view->shown);
}
