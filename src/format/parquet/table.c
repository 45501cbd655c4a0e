/* read_parquet: its named arguments, and the table that it makes of files with the same columns. */
#include "format/parquet/table.h"

/* All files have the first one's columns, in the same order and of the same types. */
static fl_status check_same_columns(const fl_pq_metadata *first, const fl_pq_metadata *other, fl_err *err)
{
    for (int32_t i = 0; i < first->n_columns || i < other->n_columns; i++) {
        const char *path = other->file->path;
        if (i >= other->n_columns)
            return FL_FAIL(err, FL_ERR_FORMAT, "\"%s\" has no column \"%.*s\", which \"%s\" has", path,
                           FL_STR_ARG(first->fields[i].name), first->file->path);
        if (i >= first->n_columns)
            return FL_FAIL(err, FL_ERR_FORMAT, "\"%s\" has a column \"%.*s\", which \"%s\" has not", path,
                           FL_STR_ARG(other->fields[i].name), first->file->path);
        const fl_field *a = &first->fields[i], *b = &other->fields[i];
        if (!fl_str_is_equal(a->name, b->name))
            return FL_FAIL(err, FL_ERR_FORMAT, "column %d of \"%s\" is \"%.*s\", but \"%.*s\" in \"%s\"", i + 1, path,
                           FL_STR_ARG(b->name), FL_STR_ARG(a->name), first->file->path);
        if (!fl_type_is_equal(a->type, b->type))
            return FL_FAIL(err, FL_ERR_FORMAT, "column \"%.*s\" of \"%s\" is %s, but %s in \"%s\"", FL_STR_ARG(b->name),
                           path, FL_TYPE_NAME(b->type), FL_TYPE_NAME(a->type), first->file->path);
    }
    return FL_OK;
}

static fl_status learn(fl_files_table *base, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pq_table *table = (fl_pq_table *)base;
    (void)memory; /* what a footer says stays */
    FL_TRY(FL_NEW_ARRAY(&base->arena, base->n_files, &table->files, err));
    fl_pq_metadata *first = &table->files[0];
    for (int32_t f = 0; f < base->n_files; f++) {
        fl_pq_metadata *meta = &table->files[f];
        FL_TRY(fl_pq_metadata_read(&base->arena, base->files[f], table->has_text_in_bytes, meta, err));
        FL_TRY(check_same_columns(first, meta, err));
        for (int32_t c = 0; c < first->n_columns; c++) /* one file with nulls is enough */
            first->fields[c].nullable |= meta->fields[c].nullable;
        base->table.rows += (double)meta->rows;
    }
    base->table.fields = first->fields;
    base->table.n_cols = first->n_columns;
cleanup:
    return st;
}

static const fl_option_desc options[] = {
    {"verify_checksums", FL_OPTION_BOOL, fl_option_bool, offsetof(fl_pq_table, verifies_checksums), -1},
    {"binary_as_string", FL_OPTION_BOOL, fl_option_bool, offsetof(fl_pq_table, has_text_in_bytes), -1},
};

static const fl_table_ops table_ops = {
    .scan_new = fl_pq_scan_new, .stats = fl_pq_table_stats, .free = fl_files_table_free};

static const fl_pq_table defaults = {.verifies_checksums = true};

static const fl_files_reader reader = {.format = &fl_format_parquet,
                                       .ops = &table_ops,
                                       .options = options,
                                       .n_options = FL_LEN(options),
                                       .table_bytes = (int64_t)sizeof(fl_pq_table),
                                       .defaults = &defaults,
                                       .learn = learn};

static fl_status table_open(fl_memory *memory, const fl_str *paths, int64_t n_paths, const fl_option *given,
                            int32_t n_given, fl_table **ret, fl_err *err)
{
    return fl_files_table_open(&reader, memory, paths, n_paths, given, n_given, ret, err);
}

static const char *const suffixes[] = {".parquet", ".parq", ".pq", NULL};

const fl_format_desc fl_format_parquet = {
    .size = (uint32_t)sizeof(fl_format_desc),
    .name = "parquet",
    .function = "read_parquet",
    .suffixes = suffixes,
    .open = table_open,
    .doc = "read_parquet(file [, verify_checksums := true] [, binary_as_string := false]) gives the rows of one or "
           "several Parquet files",
};
