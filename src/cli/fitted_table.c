/* Tables that a terminal holds: of many rows the first and the last ones, of wide values the beginning, of many columns the first and the
 * last ones. What is left out is said below.
 *
 * Rows are looked at as they come and only those that are shown are kept, so an answer of any size takes the memory of a screen. */
#include "cli/format.h"
#include "cli/table_cells.h"
#include "cli/value.h"

#include <stdlib.h>
#include <string.h>

#define COLUMN_WIDTH_MIN 12 /* narrower columns say too little: rather some are left out */
#define ELLIPSIS "…"

typedef struct fl_cli_fitted {
    int64_t n_cols;
    int64_t head_max, tail_max; /* rows; head_max 0: all */
    fl_cli_text *head;          /* rows of cells, names first */
    int64_t n_head, head_room;  /* rows, names included */
    fl_cli_text *tail;          /* a ring */
    int64_t n_tail, tail_at;    /* rows seen behind the head; where the next one goes */
    size_t *widths;
    bool *is_shown; /* per column */
} fl_cli_fitted;

void fl_cli_fitted_drop(fl_cli_fitted *f)
{
    if (f == NULL)
        return;
    for (int64_t i = 0; i < f->head_room * f->n_cols; i++)
        fl_cli_text_drop(&f->head[i]);
    for (int64_t i = 0; i < f->tail_max * f->n_cols; i++)
        fl_cli_text_drop(&f->tail[i]);
    free(f->head);
    free(f->tail);
    free(f->widths);
    free(f->is_shown);
    free(f);
}

static fl_cli_text *add_head(fl_cli_fitted *f)
{
    if (f->n_head == f->head_room) {
        int64_t room = f->head_room == 0 ? 64 : 2 * f->head_room;
        fl_cli_text *rows = fl_cli_take((size_t)(room * f->n_cols), sizeof(*rows));
        if (f->n_head > 0)
            memcpy(rows, f->head, (size_t)(f->n_head * f->n_cols) * sizeof(*rows));
        free(f->head);
        f->head = rows;
        f->head_room = room;
    }
    return &f->head[f->n_head++ * f->n_cols];
}

static fl_cli_text *add_tail(fl_cli_fitted *f)
{
    fl_cli_text *row = &f->tail[f->tail_at * f->n_cols];
    f->tail_at = (f->tail_at + 1) % f->tail_max;
    return row;
}

static void begin(fl_cli_answer *answer)
{
    fl_cli_fitted *f = fl_cli_take(1, sizeof(*f));
    const fl_cli_view *view = answer->view;
    f->n_cols = answer->schema->n_children;
    f->head_max = view->rows_max - view->rows_max / 2;
    f->tail_max = view->rows_max / 2;
    f->tail = fl_cli_take((size_t)(f->tail_max * f->n_cols), sizeof(*f->tail));
    f->widths = fl_cli_take((size_t)f->n_cols, sizeof(*f->widths));
    f->is_shown = fl_cli_take((size_t)f->n_cols, sizeof(*f->is_shown));
    answer->fitted = f;
    fl_cli_text *names = add_head(f);
    for (int64_t i = 0; i < f->n_cols; i++)
        fl_cli_cell_add(&names[i], answer->schema->children[i]->name, strlen(answer->schema->children[i]->name), false);
}

static void read_row(const fl_cli_answer *answer, const struct ArrowArray *rows, int64_t row, fl_cli_text *cells)
{
    fl_cli_text value = {0};
    for (int64_t i = 0; i < answer->schema->n_children; i++) {
        const struct ArrowSchema *column = answer->schema->children[i];
        value.len = cells[i].len = 0;
        if (answer->view->null_text[0] != 0 && fl_cli_value_is_null(column, rows->children[i], rows->offset + row))
            fl_cli_text_add_str(&value, answer->view->null_text);
        else
            fl_cli_value_add_text(&value, column, rows->children[i], rows->offset + row);
        fl_cli_cell_add(&cells[i], value.data, value.len, false);
    }
    fl_cli_text_drop(&value);
}

static void batch(fl_cli_answer *answer, const struct ArrowArray *rows)
{
    fl_cli_fitted *f = answer->fitted;
    int64_t row = 0;
    for (; row < rows->length && (f->head_max == 0 || f->n_head - 1 < f->head_max); row++)
        read_row(answer, rows, row, add_head(f));
    f->n_tail += rows->length - row;
    if (row < rows->length - f->tail_max) /* the batch itself pushes these out */
        row = rows->length - f->tail_max;
    for (; row < rows->length && f->tail_max > 0; row++)
        read_row(answer, rows, row, add_tail(f));
}

/* ---- what fits ---- */

static void measure(fl_cli_fitted *f)
{
    int64_t n_tail = f->n_tail < f->tail_max ? f->n_tail : f->tail_max;
    for (int64_t i = 0; i < (f->n_head + n_tail) * f->n_cols; i++) {
        const fl_cli_text *cell = i < f->n_head * f->n_cols ? &f->head[i] : &f->tail[i - f->n_head * f->n_cols];
        size_t width = fl_cli_cell_width(cell), *widest = &f->widths[i % f->n_cols];
        *widest = width > *widest ? width : *widest;
    }
    for (int64_t i = 0; i < f->n_cols; i++)
        f->is_shown[i] = true;
}

/* Of the columns that are shown, one for the ellipsis of those that are not included: " a | b". */
static size_t table_width(const fl_cli_fitted *f)
{
    size_t width = 1;
    bool has_gap = false;
    for (int64_t i = 0; i < f->n_cols; i++) {
        if (f->is_shown[i])
            width += f->widths[i] + 3;
        has_gap |= !f->is_shown[i];
    }
    return width - 2 + (has_gap ? 4 : 0);
}

/* The widest column that is wider than the least; -1: there is none. */
static int64_t find_widest(const fl_cli_fitted *f, size_t *ret_second)
{
    int64_t widest = -1;
    *ret_second = COLUMN_WIDTH_MIN;
    for (int64_t i = 0; i < f->n_cols; i++) {
        if (f->widths[i] <= COLUMN_WIDTH_MIN)
            continue;
        if (widest < 0 || f->widths[i] > f->widths[widest]) {
            *ret_second = widest < 0 ? COLUMN_WIDTH_MIN : f->widths[widest];
            widest = i;
        } else if (f->widths[i] > *ret_second) {
            *ret_second = f->widths[i];
        }
    }
    return widest;
}

/* Wide columns give way first, the widest down to the next one; then columns in the middle are left out. */
static void fit(fl_cli_fitted *f, size_t width)
{
    size_t second;
    for (int64_t col; table_width(f) > width && (col = find_widest(f, &second)) >= 0;) {
        size_t over = table_width(f) - width, least = second < f->widths[col] ? second : f->widths[col] - 1;
        f->widths[col] = f->widths[col] - least < over ? least : f->widths[col] - over;
    }
    for (int64_t left = 2; table_width(f) > width && left < f->n_cols; left++) {
        int64_t middle = f->n_cols / 2, at = middle + (left % 2 == 0 ? -(left / 2 - 1) : left / 2);
        if (at > 0 && at < f->n_cols - 1)
            f->is_shown[at] = false;
    }
}

/* ---- writing ---- */

/* As much of a line as `width` holds, with an ellipsis where it is cut. */
static void add_cut(fl_cli_text *text, const char *line, size_t len, size_t width, bool is_right)
{
    if (fl_cli_display_width(line, len) <= width) {
        fl_cli_cell_add_padded(text, line, len, width, is_right);
        return;
    }
    fl_cli_text cut = {0};
    uint32_t code;
    for (size_t at = 0; at < len;) {
        int bytes = fl_cli_utf8_decode(line + at, len - at, &code);
        bytes = bytes == 0 ? 1 : bytes;
        if (fl_cli_display_width(line, at + (size_t)bytes) + 1 > width)
            break;
        at += (size_t)bytes;
        cut.len = 0;
        fl_cli_text_add(&cut, line, at);
    }
    fl_cli_text_add_str(&cut, ELLIPSIS);
    fl_cli_cell_add_padded(text, cut.data, cut.len, width, false);
    fl_cli_text_drop(&cut);
}

static void add_row(fl_cli_answer *answer, const fl_cli_text *cells, bool is_header)
{
    const fl_cli_fitted *f = answer->fitted;
    fl_cli_text *text = &answer->text;
    bool has_more = true;
    for (int64_t i = 0; i < f->n_cols; i++)
        answer->places[i] = cells[i].data;
    while (has_more) {
        size_t start = text->len;
        bool is_first = true;
        has_more = false;
        for (int64_t i = 0; i < f->n_cols; i++) {
            const char *line = "";
            size_t len = 0;
            if (!f->is_shown[i] && (i == 0 || f->is_shown[i - 1]))
                fl_cli_text_add_str(text, " | " ELLIPSIS);
            if (!f->is_shown[i])
                continue;
            (void)fl_cli_cell_next_line(&cells[i], &answer->places[i], &line, &len);
            has_more |= answer->places[i] != NULL;
            fl_cli_text_add_str(text, is_first ? " " : " | ");
            is_first = false;
            add_cut(text, line, len, f->widths[i], !is_header && fl_cli_type_is_number(answer->schema->children[i]));
        }
        while (text->len > start && text->data[text->len - 1] == ' ')
            text->len--;
        fl_cli_text_add_char(text, '\n');
    }
}

static void add_rule(fl_cli_answer *answer)
{
    const fl_cli_fitted *f = answer->fitted;
    bool is_first = true;
    for (int64_t i = 0; i < f->n_cols; i++) {
        if (!f->is_shown[i] && (i == 0 || f->is_shown[i - 1]))
            fl_cli_text_add_str(&answer->text, "-+--");
        if (!f->is_shown[i])
            continue;
        fl_cli_text_add_str(&answer->text, is_first ? "-" : "-+-");
        is_first = false;
        fl_cli_text_add_repeated(&answer->text, '-', f->widths[i]);
    }
    fl_cli_text_add_str(&answer->text, "-\n");
}

/* "(100000 rows, 40 shown; 16 columns, 9 shown)" */
static void add_footer(fl_cli_answer *answer)
{
    const fl_cli_fitted *f = answer->fitted;
    int64_t n_shown_cols = 0, n_tail = f->n_tail < f->tail_max ? f->n_tail : f->tail_max;
    int64_t n_shown = f->n_head - 1 + n_tail;
    for (int64_t i = 0; i < f->n_cols; i++)
        n_shown_cols += f->is_shown[i];
    fl_cli_text_addf(&answer->text, "(%lld row%s", (long long)answer->rows, answer->rows == 1 ? "" : "s");
    if (n_shown < answer->rows)
        fl_cli_text_addf(&answer->text, ", %lld shown", (long long)n_shown);
    if (n_shown_cols < f->n_cols)
        fl_cli_text_addf(&answer->text, "; %lld columns, %lld shown", (long long)f->n_cols, (long long)n_shown_cols);
    fl_cli_text_add_str(&answer->text, ")\n");
    if (n_shown < answer->rows)
        fl_cli_text_add_str(&answer->text, "(.maxrows 0 or .last shows all)\n");
}

static void end(fl_cli_answer *answer)
{
    fl_cli_fitted *f = answer->fitted;
    int64_t n_tail = f->n_tail < f->tail_max ? f->n_tail : f->tail_max;
    measure(f);
    if (answer->view->width > 0)
        fit(f, answer->view->width);
    answer->places = fl_cli_take((size_t)f->n_cols, sizeof(*answer->places));
    add_row(answer, f->head, true);
    add_rule(answer);
    for (int64_t row = 1; row < f->n_head; row++)
        add_row(answer, &f->head[row * f->n_cols], false);
    if (f->n_tail > n_tail)
        fl_cli_text_add_str(&answer->text, " " ELLIPSIS "\n");
    for (int64_t i = 0; i < n_tail; i++)
        add_row(answer, &f->tail[(f->tail_at + f->tail_max - n_tail + i) % f->tail_max * f->n_cols], false);
    add_footer(answer);
}

const fl_cli_format fl_cli_format_fitted = {"table", begin, batch, end};
