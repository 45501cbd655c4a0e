/* Tables for people: aligned columns, as text or as Markdown.
 *
 * The first ROWS_MEASURED rows decide how wide columns are; a later, wider value sticks out instead of making the program
 * hold a whole answer. Values of several lines take several lines of the table. */
#include "cli/format.h"
#include "cli/table_cells.h"
#include "cli/value.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MEASURED 4096

typedef struct look {
    bool is_markdown;
} look;

static const look table_look = {false}, markdown_look = {true};

static void add_row(fl_cli_answer *answer, const fl_cli_text *cells, bool is_header, const look *look)
{
    fl_cli_text *text = &answer->text;
    int64_t columns = answer->schema->n_children;
    bool has_more = true;
    for (int64_t i = 0; i < columns; i++)
        answer->places[i] = cells[i].data;
    while (has_more) {
        size_t row_start = text->len;
        has_more = false;
        fl_cli_text_add_str(text, look->is_markdown ? "| " : " ");
        for (int64_t i = 0; i < columns; i++) {
            const char *line = "";
            size_t len = 0;
            (void)fl_cli_cell_next_line(&cells[i], &answer->places[i], &line, &len);
            has_more |= answer->places[i] != NULL;
            if (i > 0)
                fl_cli_text_add_str(text, " | ");
            fl_cli_cell_add_padded(text, line, len, answer->widths[i],
                                   !is_header && fl_cli_type_is_number(answer->schema->children[i]));
        }
        if (look->is_markdown)
            fl_cli_text_add_str(text, " |");
        while (text->len > row_start && text->data[text->len - 1] == ' ')
            text->len--;
        fl_cli_text_add_char(text, '\n');
    }
}

static void add_rule(fl_cli_answer *answer, const look *look)
{
    fl_cli_text *text = &answer->text;
    fl_cli_text_add_str(text, look->is_markdown ? "| " : "-");
    for (int64_t i = 0; i < answer->schema->n_children; i++) {
        bool is_right = look->is_markdown && fl_cli_type_is_number(answer->schema->children[i]);
        if (i > 0)
            fl_cli_text_add_str(text, look->is_markdown ? " | " : "-+-");
        fl_cli_text_add_repeated(text, '-', answer->widths[i] - (is_right ? 1 : 0));
        if (is_right)
            fl_cli_text_add_char(text, ':');
    }
    fl_cli_text_add_str(text, look->is_markdown ? " |\n" : "-\n");
}

static fl_cli_text *add_cells(fl_cli_answer *answer)
{
    int64_t columns = answer->schema->n_children;
    if (answer->n_cells + columns > answer->cells_max) {
        int64_t more = answer->cells_max * 2 > columns ? answer->cells_max * 2 : columns;
        fl_cli_text *cells = fl_cli_take((size_t)more, sizeof(*cells));
        memcpy(cells, answer->cells, (size_t)answer->n_cells * sizeof(*cells));
        free(answer->cells);
        answer->cells = cells;
        answer->cells_max = more;
    }
    fl_cli_text *row = &answer->cells[answer->n_cells];
    answer->n_cells += columns;
    return row;
}

/* Widths are known: writes the header and the rows that waited. Cell row 0 holds the names. */
static void start_table(fl_cli_answer *answer, const look *look)
{
    int64_t columns = answer->schema->n_children;
    answer->widths = fl_cli_take((size_t)columns, sizeof(*answer->widths));
    answer->places = fl_cli_take((size_t)columns, sizeof(*answer->places));
    for (int64_t i = 0; i < answer->n_cells; i++) {
        size_t width = fl_cli_cell_width(&answer->cells[i]), *widest = &answer->widths[i % columns];
        *widest = width > *widest ? width : *widest;
    }
    for (int64_t i = 0; i < columns && look->is_markdown; i++)
        if (answer->widths[i] < 3) /* shorter rules are no table to some readers of Markdown */
            answer->widths[i] = 3;
    for (int64_t i = 0; i < answer->n_cells; i += columns) {
        add_row(answer, &answer->cells[i], i == 0, look);
        if (i == 0)
            add_rule(answer, look);
    }
}

static void begin(fl_cli_answer *answer, const look *look)
{
    if (answer->schema->n_children == 0)
        return;
    answer->cells = fl_cli_take(64, sizeof(*answer->cells));
    answer->cells_max = 64;
    fl_cli_text *names = add_cells(answer);
    for (int64_t i = 0; i < answer->schema->n_children; i++)
        fl_cli_cell_add(&names[i], answer->schema->children[i]->name, strlen(answer->schema->children[i]->name),
                        look->is_markdown);
}

static void batch(fl_cli_answer *answer, const struct ArrowArray *rows, const look *look)
{
    int64_t columns = answer->schema->n_children;
    fl_cli_text value = {0};
    fl_cli_text *later = NULL;
    for (int64_t row = 0; row < rows->length && columns > 0; row++) {
        bool is_measured = answer->rows + row < ROWS_MEASURED;
        if (!is_measured && answer->widths == NULL)
            start_table(answer, look);
        if (!is_measured && later == NULL)
            later = fl_cli_take((size_t)columns, sizeof(*later));
        fl_cli_text *cells = is_measured ? add_cells(answer) : later;
        for (int64_t i = 0; i < columns; i++) {
            value.len = cells[i].len = 0;
            fl_cli_value_add_text(&value, answer->schema->children[i], rows->children[i], rows->offset + row);
            fl_cli_cell_add(&cells[i], value.data, value.len, look->is_markdown);
        }
        if (!is_measured)
            add_row(answer, cells, false, look);
    }
    for (int64_t i = 0; i < columns && later != NULL; i++)
        fl_cli_text_drop(&later[i]);
    free(later);
    fl_cli_text_drop(&value);
}

static void end(fl_cli_answer *answer, const look *look)
{
    if (answer->schema->n_children == 0)
        return;
    if (answer->widths == NULL)
        start_table(answer, look);
    if (!look->is_markdown)
        fl_cli_text_addf(&answer->text, "(%lld row%s)\n", (long long)answer->rows, answer->rows == 1 ? "" : "s");
}

static void table_begin(fl_cli_answer *answer)
{
    begin(answer, &table_look);
}

static void table_batch(fl_cli_answer *answer, const struct ArrowArray *rows)
{
    batch(answer, rows, &table_look);
}

static void table_end(fl_cli_answer *answer)
{
    end(answer, &table_look);
}

static void markdown_begin(fl_cli_answer *answer)
{
    begin(answer, &markdown_look);
}

static void markdown_batch(fl_cli_answer *answer, const struct ArrowArray *rows)
{
    batch(answer, rows, &markdown_look);
}

static void markdown_end(fl_cli_answer *answer)
{
    end(answer, &markdown_look);
}

const fl_cli_format fl_cli_format_table = {"table", table_begin, table_batch, table_end};
const fl_cli_format fl_cli_format_markdown = {"markdown", markdown_begin, markdown_batch, markdown_end};
