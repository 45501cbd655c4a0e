/* What is found by looking at CSV files: sniff_csv, with the names that DuckDB gives its columns. */
#include "base/text.h"
#include "engine/file_functions.h"
#include "format/csv/table.h"

/* A byte as an option's text would have it; none is called "(empty)". */
static fl_str byte_text(fl_arena *arena, fl_str bytes)
{
    (void)arena;
    return bytes.len == 0 || bytes.data[0] == 0 ? FL_STR("(empty)") : bytes.data[0] == '\t' ? FL_STR("\\t") : bytes;
}

static void add_option(fl_text *text, const char *name, fl_str value)
{
    fl_text_addf(text, ", %s = ", name);
    fl_text_add_quoted(text, value, '\'');
}

/* The query that reads the file in the same way without looking. */
static void print_query(fl_text *text, const fl_csv_table *table, fl_str path)
{
    const fl_csv_layout *layout = &table->files[table->first].layout;
    const fl_csv_dialect *d = &layout->dialect;
    fl_text_add(text, FL_STR("FROM read_csv("));
    fl_text_add_quoted(text, path, '\'');
    add_option(text, "delim", d->delim[0] == '\t' ? FL_STR("\\t") : fl_csv_delim(d));
    add_option(text, "quote", (fl_str){&d->quote, d->quote != 0});
    add_option(text, "escape", (fl_str){&d->escape, d->escape != 0});
    add_option(text, "comment", (fl_str){&d->comment, d->comment != 0});
    if (layout->skipped > 0)
        fl_text_addf(text, ", skip = %lld", (long long)layout->skipped);
    fl_text_addf(text, ", header = %s, columns = {", table->has_header ? "true" : "false");
    for (int32_t i = 0; i < table->base.table.n_cols; i++) {
        const fl_field *field = &table->base.table.fields[i];
        fl_text_add(text, i > 0 ? FL_STR(", ") : FL_STR(""));
        fl_text_add_quoted(text, field->name, '\'');
        fl_text_add(text, FL_STR(": '"));
        fl_type_print(text, field->type);
        fl_text_add_char(text, '\'');
    }
    fl_text_add_char(text, '}');
    fl_str date = fl_csv_format_of(table, FL_DATE), stamp = fl_csv_format_of(table, FL_TIMESTAMP);
    if (date.len > 0)
        add_option(text, "dateformat", date);
    if (stamp.len > 0)
        add_option(text, "timestampformat", stamp);
    fl_text_add(text, FL_STR(");"));
}

static fl_status take_text(fl_arena *arena, fl_text *text, fl_str *ret, fl_err *err)
{
    fl_status st = fl_text_status(text, err);
    if (st == FL_OK)
        st = fl_arena_copy_str(arena, fl_text_str(text), ret, err);
    fl_text_drop(text);
    return st;
}

static fl_status add_file(fl_session *session, const fl_file_function *f, fl_str path, const fl_option *options,
                          int32_t n_options, fl_arena *arena, fl_filled_table *t, fl_err *err)
{
    (void)f;
    fl_status st = FL_OK;
    fl_table *opened = NULL;
    fl_str query = {0}, given = {0};
    fl_text text;
    FL_TRY(fl_format_csv.open(&session->statement_memory, &path, 1, options, n_options, &opened, err));
    const fl_csv_table *table = (const fl_csv_table *)opened;
    const fl_csv_layout *layout = &table->files[table->first].layout;
    const fl_csv_dialect *d = &layout->dialect;
    fl_text_init(&text, NULL);
    print_query(&text, table, path);
    FL_TRY(take_text(arena, &text, &query, err));
    fl_text_init(&text, NULL);
    for (int32_t i = 0; i < n_options; i++) {
        fl_text_addf(&text, "%s%.*s = ", i > 0 ? ", " : "", FL_STR_ARG(options[i].name));
        fl_value_print_sql(&text, &options[i].value);
    }
    FL_TRY(take_text(arena, &text, &given, err));
    fl_str date = fl_csv_format_of(table, FL_DATE), stamp = fl_csv_format_of(table, FL_TIMESTAMP);
    fl_fill_text(t, byte_text(arena, fl_csv_delim(d)));
    fl_fill_text(t, byte_text(arena, (fl_str){&d->quote, 1}));
    fl_fill_text(t, byte_text(arena, (fl_str){&d->escape, 1}));
    fl_fill(t, d->newline == '\n' ? "\\n" : "\\r");
    fl_fill_text(t, byte_text(arena, (fl_str){&d->comment, 1}));
    fl_fill_number(t, layout->skipped);
    fl_fill_bool(t, table->has_header);
    FL_TRY(fl_fill_fields(t, opened->fields, opened->n_cols, err));
    fl_fill_text(t, date.len > 0 ? date : (fl_str){0});
    fl_fill_text(t, stamp.len > 0 ? stamp : (fl_str){0});
    fl_fill_text(t, n_options > 0 ? given : (fl_str){0});
    fl_fill_text(t, query);
    FL_TRY(fl_filled_table_end_row(t, err));
cleanup:
    fl_table_unref(opened);
    return st;
}

const fl_file_function fl_csv_functions[] = {
    {.name = "sniff_csv",
     .columns = "Delimiter:t Quote:t Escape:t NewLineDelimiter:t Comment:t SkipRows:i HasHeader:b Columns:f "
                "DateFormat:t TimestampFormat:t UserArguments:t Prompt:t",
     .has_options = true,
     .add = add_file},
    {0},
};
