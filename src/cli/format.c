/* The list of output formats, and the simple ones: line, JSON. */
#include "cli/format.h"

#include "cli/value.h"

#include <stdlib.h>
#include <string.h>

static const fl_cli_format *const formats[] = {&fl_cli_format_table,  &fl_cli_format_csv,      &fl_cli_format_json,
                                               &fl_cli_format_ndjson, &fl_cli_format_markdown, &fl_cli_format_line};

const char *fl_cli_format_name(int32_t i)
{
    return (size_t)i < sizeof(formats) / sizeof(formats[0]) ? formats[i]->name : NULL;
}

const fl_cli_format *fl_cli_format_find(const char *name)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    return NULL;
}

void fl_cli_answer_drop(fl_cli_answer *answer)
{
    for (int64_t i = 0; i < answer->cells_max; i++)
        fl_cli_text_drop(&answer->cells[i]);
    free(answer->cells);
    free(answer->widths);
    free(answer->places);
    fl_cli_fitted_drop(answer->fitted);
    fl_cli_text_drop(&answer->text);
    *answer = (fl_cli_answer){0};
}

static void nothing(fl_cli_answer *answer)
{
    (void)answer;
}

/* ---- JSON: an array of objects; NDJSON: an object a line ---- */

static void add_object(fl_cli_answer *answer, const struct ArrowArray *batch, int64_t row)
{
    fl_cli_text *text = &answer->text;
    fl_cli_text_add_char(text, '{');
    for (int64_t i = 0; i < answer->schema->n_children; i++) {
        const struct ArrowSchema *column = answer->schema->children[i];
        if (i > 0)
            fl_cli_text_add_char(text, ',');
        fl_cli_text_add_json(text, column->name, strlen(column->name));
        fl_cli_text_add_char(text, ':');
        fl_cli_value_add_json(text, column, batch->children[i], batch->offset + row);
    }
    fl_cli_text_add_char(text, '}');
}

static void json_begin(fl_cli_answer *answer)
{
    fl_cli_text_add_char(&answer->text, '[');
}

static void json_batch(fl_cli_answer *answer, const struct ArrowArray *batch)
{
    for (int64_t row = 0; row < batch->length; row++) {
        fl_cli_text_add_str(&answer->text, answer->rows + row > 0 ? ",\n" : "\n");
        add_object(answer, batch, row);
    }
}

static void json_end(fl_cli_answer *answer)
{
    fl_cli_text_add_str(&answer->text, answer->rows > 0 ? "\n]\n" : "]\n");
}

static void ndjson_batch(fl_cli_answer *answer, const struct ArrowArray *batch)
{
    for (int64_t row = 0; row < batch->length; row++) {
        add_object(answer, batch, row);
        fl_cli_text_add_char(&answer->text, '\n');
    }
}

const fl_cli_format fl_cli_format_json = {"json", json_begin, json_batch, json_end};
const fl_cli_format fl_cli_format_ndjson = {"ndjson", nothing, ndjson_batch, nothing};

/* ---- line: a column a line, rows apart ---- */

static void line_batch(fl_cli_answer *answer, const struct ArrowArray *batch)
{
    size_t widest = 0;
    for (int64_t i = 0; i < answer->schema->n_children; i++) {
        const char *name = answer->schema->children[i]->name;
        size_t width = fl_cli_display_width(name, strlen(name));
        widest = width > widest ? width : widest;
    }
    for (int64_t row = 0; row < batch->length; row++) {
        if (answer->rows + row > 0)
            fl_cli_text_add_char(&answer->text, '\n');
        for (int64_t i = 0; i < answer->schema->n_children; i++) {
            const struct ArrowSchema *column = answer->schema->children[i];
            fl_cli_text_add_repeated(&answer->text, ' ',
                                     widest - fl_cli_display_width(column->name, strlen(column->name)));
            fl_cli_text_addf(&answer->text, "%s = ", column->name);
            fl_cli_value_add_text(&answer->text, column, batch->children[i], batch->offset + row);
            fl_cli_text_add_char(&answer->text, '\n');
        }
    }
}

const fl_cli_format fl_cli_format_line = {"line", nothing, line_batch, nothing};
