/* Looking at every value before any is read. */
#include "format/csv/bad_lines.h"

#include "base/strptime.h"
#include "format/csv/values.h"

/* The kind of a type that was found by looking. */
static uint32_t kind_of(fl_type type)
{
    switch (type.id) {
    case FL_BOOL:
        return FL_CSV_BOOL;
    case FL_I64:
        return FL_CSV_I64;
    case FL_DECIMAL:
        return FL_CSV_DECIMAL;
    case FL_F64:
        return FL_CSV_F64;
    case FL_DATE:
        return FL_CSV_DATE;
    case FL_TIMESTAMP:
        return FL_CSV_TIMESTAMP;
    case FL_TIME:
        return FL_CSV_TIME;
    default:
        return FL_CSV_TIMESTAMPTZ;
    }
}

static bool can_read(const fl_csv_table *table, int32_t col, fl_str text)
{
    const fl_csv_options *o = &table->options;
    fl_type type = table->base.table.fields[col].type;
    char buffer[FL_CSV_NUMBER_BYTES];
    fl_value value;
    int64_t us;
    fl_str format = fl_csv_column_format(table, col);
    if (format.len > 0)
        return fl_strptime(text, format, &us) == FL_STRPTIME_OK;
    if (fl_type_is_numeric(type))
        text = fl_csv_number(o, text, buffer);
    if (fl_csv_is_guessed(table, col) && o->decimal_separator == 0)
        return (fl_csv_kinds_of(text, FL_CSV_ANY) & kind_of(type)) != 0;
    fl_status st = fl_value_from_text(type, text, &value, NULL);
    return st == FL_OK || st == FL_ERR_UNSUPPORTED; /* JSON is looked at when it is read */
}

static fl_status look(const fl_csv_table *table, const fl_csv_dialect *dialect, const fl_csv_chunk *chunk, int64_t row,
                      fl_csv_on_bad on_bad, void *ctx, bool *ret_is_good, fl_err *err)
{
    fl_status st = FL_OK;
    *ret_is_good = true;
    for (int32_t col = 0; col < chunk->n_cols && (*ret_is_good || on_bad != NULL); col++) {
        bool is_quoted;
        if (fl_type_is_string(table->base.table.fields[col].type))
            continue;
        fl_str text = fl_csv_field_text(dialect, fl_csv_chunk_field(chunk, row, col), &is_quoted);
        if (fl_csv_is_null(&table->options, text, is_quoted, false) || can_read(table, col, text))
            continue;
        *ret_is_good = false;
        if (on_bad != NULL)
            FL_TRY(on_bad(ctx, chunk, row, col, text, err));
    }
cleanup:
    return st;
}

fl_status fl_csv_drop_bad_lines(const fl_csv_table *table, const fl_csv_dialect *dialect, fl_csv_chunk *chunk,
                                fl_csv_on_bad on_bad, void *ctx, int64_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t kept = 0, n = chunk->n_cols, rows = chunk->rows;
    for (int64_t row = 0; row < rows; row++) {
        bool is_good = true;
        FL_TRY(look(table, dialect, chunk, row, on_bad, ctx, &is_good, err));
        if (!is_good)
            continue;
        int64_t from = row + chunk->first, to = kept + chunk->first;
        if (from != to) {
            memmove(chunk->index.at + to * n, chunk->index.at + from * n, (size_t)n * sizeof(*chunk->index.at));
            chunk->starts[to] = chunk->starts[from];
        }
        kept++;
    }
    FL_ASSERT(kept <= rows);
    *ret = rows - kept;
    chunk->rows = kept;
cleanup:
    return st;
}
