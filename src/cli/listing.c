/* Statements whose rows are few and are kept. */
#include "cli/listing.h"

#include "cli/value.h"

#include <string.h>

bool fl_cli_list(fl_session *session, const char *sql, int n_columns, fl_cli_text *ret, fl_err *err)
{
    struct ArrowArrayStream rows = {0};
    struct ArrowSchema schema = {0};
    if (fl_session_query_text(session, sql, strlen(sql), &rows, err) != FL_OK)
        return false;
    bool is_good = rows.get_schema(&rows, &schema) == 0;
    while (is_good && schema.n_children >= n_columns) {
        struct ArrowArray batch = {0};
        is_good = rows.get_next(&rows, &batch) == 0;
        if (!is_good || batch.release == NULL)
            break;
        for (int64_t row = 0; row < batch.length; row++)
            for (int i = 0; i < n_columns; i++) {
                fl_cli_value_add_text(ret, schema.children[i], batch.children[i], batch.offset + row);
                fl_cli_text_add_char(ret, i + 1 < n_columns ? '\t' : '\n');
            }
        batch.release(&batch);
    }
    if (!is_good)
        (void)fl_stream_error(&rows, err);
    if (schema.release != NULL)
        schema.release(&schema);
    rows.release(&rows);
    return is_good;
}

void fl_cli_add_name(fl_cli_text *text, const char *name, size_t len)
{
    bool is_plain = len > 0 && !(name[0] >= '0' && name[0] <= '9');
    for (size_t i = 0; i < len; i++)
        is_plain &= (name[i] >= 'a' && name[i] <= 'z') || name[i] == '_' || (name[i] >= '0' && name[i] <= '9');
    if (is_plain) {
        fl_cli_text_add(text, name, len);
        return;
    }
    fl_cli_text_add_char(text, '"');
    for (size_t i = 0; i < len; i++) {
        if (name[i] == '"')
            fl_cli_text_add_char(text, '"');
        fl_cli_text_add_char(text, name[i]);
    }
    fl_cli_text_add_char(text, '"');
}
