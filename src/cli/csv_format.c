/* CSV as RFC 4180 has it, with lines that end in a newline alone. NULL is an empty field, the empty text is "". */
#include "cli/format.h"
#include "cli/value.h"

#include <string.h>

static void add_field(fl_cli_text *text, const char *data, size_t len)
{
    bool is_quoted = len == 0;
    for (size_t i = 0; i < len && !is_quoted; i++)
        is_quoted = data[i] == ',' || data[i] == '"' || data[i] == '\n' || data[i] == '\r';
    if (!is_quoted) {
        fl_cli_text_add(text, data, len);
        return;
    }
    fl_cli_text_add_char(text, '"');
    for (size_t at = 0; at < len;) {
        const char *quote = memchr(data + at, '"', len - at);
        size_t end = quote == NULL ? len : (size_t)(quote + 1 - data);
        fl_cli_text_add(text, data + at, end - at);
        if (quote != NULL)
            fl_cli_text_add_char(text, '"');
        at = end;
    }
    fl_cli_text_add_char(text, '"');
}

static void csv_begin(fl_cli_answer *answer)
{
    for (int64_t i = 0; i < answer->schema->n_children; i++) {
        const char *name = answer->schema->children[i]->name;
        if (i > 0)
            fl_cli_text_add_char(&answer->text, ',');
        add_field(&answer->text, name, strlen(name));
    }
    fl_cli_text_add_char(&answer->text, '\n');
}

static void csv_batch(fl_cli_answer *answer, const struct ArrowArray *batch)
{
    fl_cli_text value = {0};
    int64_t columns = answer->schema->n_children;
    for (int64_t row = 0; row < batch->length; row++) {
        for (int64_t i = 0; i < columns; i++) {
            const struct ArrowSchema *column = answer->schema->children[i];
            if (i > 0)
                fl_cli_text_add_char(&answer->text, ',');
            if (fl_cli_value_is_null(column, batch->children[i], batch->offset + row))
                continue;
            value.len = 0;
            fl_cli_value_add_text(&value, column, batch->children[i], batch->offset + row);
            add_field(&answer->text, value.data, value.len);
        }
        fl_cli_text_add_char(&answer->text, '\n');
    }
    fl_cli_text_drop(&value);
}

static void csv_end(fl_cli_answer *answer)
{
    (void)answer;
}

const fl_cli_format fl_cli_format_csv = {"csv", csv_begin, csv_batch, csv_end};
