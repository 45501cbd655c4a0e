/* read_parquet: its named arguments, and the table that it makes of files with the same columns. */
#include "format/parquet/table.h"

#include "base/names.h"

#define ROW_NUMBER FL_STR("file_row_number")

static bool is_null_type(const fl_pq_metadata *meta, int32_t column)
{
    const fl_pq_node *node = &meta->columns[column];
    return node->kind == FL_PQ_LEAF && meta->leaves[node->leaf].is_null_type;
}

/* All files have the first one's columns, in the same order and of the same types; columns of nothing but nulls are of any
 * type. models: per column the file whose type counts; the table's fields get their types. */
static fl_status merge_columns(fl_pq_table *table, int32_t file, fl_field *fields, fl_err *err)
{
    const fl_pq_metadata *first = &table->files[0], *other = &table->files[file];
    for (int32_t i = 0; i < first->n_columns || i < other->n_columns; i++) {
        const char *path = other->file->path;
        if (i >= other->n_columns)
            return FL_FAIL(err, FL_ERR_FORMAT, "\"%s\" has no column \"%.*s\", which \"%s\" has", path,
                           FL_STR_ARG(first->fields[i].name), first->file->path);
        if (i >= first->n_columns)
            return FL_FAIL(err, FL_ERR_FORMAT, "\"%s\" has a column \"%.*s\", which \"%s\" has not", path,
                           FL_STR_ARG(other->fields[i].name), first->file->path);
        const fl_pq_metadata *model = &table->files[table->models[i]];
        const fl_field *a = &fields[i], *b = &other->fields[i];
        if (!fl_str_is_equal(first->fields[i].name, b->name))
            return FL_FAIL(err, FL_ERR_FORMAT, "column %d of \"%s\" is \"%.*s\", but \"%.*s\" in \"%s\"", i + 1, path,
                           FL_STR_ARG(b->name), FL_STR_ARG(first->fields[i].name), first->file->path);
        fields[i].nullable |= b->nullable; /* one file with nulls is enough */
        if (is_null_type(other, i))
            continue;
        if (is_null_type(model, i)) {
            table->models[i] = file;
            fields[i].type = b->type;
        } else if (!fl_type_is_equal(a->type, b->type)) {
            FL_FAIL(err, FL_ERR_TYPE, "column \"%.*s\" of \"%s\" is %s, but %s in \"%s\"", FL_STR_ARG(b->name), path,
                    FL_TYPE_NAME(b->type), FL_TYPE_NAME(a->type), model->file->path);
            return fl_err_state(err, "42804", FL_ERR_TYPE);
        }
    }
    return FL_OK;
}

static fl_status learn(fl_files_table *base, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pq_table *table = (fl_pq_table *)base;
    fl_field *fields = NULL;
    fl_str *names = NULL;
    FL_ASSERT(base->n_files > 0);
    FL_TRY(FL_NEW_ARRAY(&base->arena, base->n_files, &table->files, err));
    for (int32_t f = 0; f < base->n_files; f++) {
        fl_pq_metadata *meta = &table->files[f];
        FL_TRY(fl_pq_metadata_read(&base->arena, base->files[f], table->types, meta, err));
        if (f == 0) {
            FL_TRY(FL_NEW_ARRAY(&base->arena, meta->n_columns + 1, &table->models, err));
            FL_TRY(FL_NEW_ARRAY(&base->arena, meta->n_columns + 1, &fields, err));
            for (int32_t i = 0; i < meta->n_columns; i++)
                fields[i] = meta->fields[i];
        } else {
            FL_TRY(merge_columns(table, f, fields, err));
        }
        base->table.rows += (double)meta->rows;
    }
    FL_ASSERT(fields != NULL); /* there is a first file */
    base->table.fields = fields;
    base->table.n_cols = table->files[0].n_columns;
    for (int32_t i = 0; i < base->table.n_cols && table->has_row_numbers; i++)
        if (fl_str_is_equal_nocase(fields[i].name, ROW_NUMBER))
            return FL_FAIL(err, FL_ERR_CONFIG, "\"%s\" has a column \"%.*s\" already", base->files[0]->path,
                           FL_STR_ARG(fields[i].name));
    if (table->has_row_numbers)
        fields[base->table.n_cols++] = (fl_field){.name = ROW_NUMBER, .type = FL_TYPE(FL_I64)};
    FL_TRY(FL_NEW_ARRAY(&base->arena, base->table.n_cols, &table->stats, err));
    FL_TRY(fl_pq_table_find_order(table, err));
    FL_TRY(FL_NEW_ARRAY(&base->arena, base->table.n_cols, &names, err));
    for (int32_t i = 0; i < base->table.n_cols; i++)
        names[i] = fields[i].name;
    FL_TRY(fl_names_tell_apart(&base->arena, memory, names, base->table.n_cols, &base->table.note, err));
    for (int32_t i = 0; i < base->table.n_cols; i++)
        fields[i].name = names[i];
cleanup:
    return st;
}

static fl_status read_int96_as(fl_arena *arena, const fl_value *value, void *ret_bool, fl_err *err)
{
    fl_str text = {0};
    bool has_nanoseconds = false;
    fl_status st = fl_option_text(arena, value, &text, err);
    if (st == FL_OK && !(has_nanoseconds = fl_str_is_equal_nocase(text, FL_STR("timestamp_ns"))) &&
        !fl_str_is_equal_nocase(text, FL_STR("timestamp")))
        st = FL_ERR_TYPE;
    if (st == FL_OK)
        *(bool *)ret_bool = has_nanoseconds;
    return st;
}

static const fl_option_desc options[] = {
    {"verify_checksums", FL_OPTION_BOOL, fl_option_bool, offsetof(fl_pq_table, verifies_checksums), -1},
    {"encryption_config", FL_PQ_OPTION_KEYS, fl_pq_keys_read, offsetof(fl_pq_table, types.keys), -1},
    {"file_row_number", FL_OPTION_BOOL, fl_option_bool, offsetof(fl_pq_table, has_row_numbers), -1},
    {"binary_as_string", FL_OPTION_BOOL, fl_option_bool, offsetof(fl_pq_table, types.has_text_in_bytes), -1},
    {"int96_as", "'timestamp' or 'timestamp_ns'", read_int96_as, offsetof(fl_pq_table, types.has_nanoseconds), -1},
};

static int32_t orders(fl_table *base, const fl_table_order **ret)
{
    *ret = &((const fl_pq_table *)base)->order;
    return (*ret)->n_keys > 0;
}

/* The rows that a scan gives are those of the row groups. What footers say of columns is a claim. */
static void facts(fl_table *base, int32_t col, fl_table_facts *ret)
{
    const fl_pq_table *table = (const fl_pq_table *)base;
    *ret = (fl_table_facts){.nulls = col >= 0 && !base->fields[col].nullable ? 0 : -1};
    for (int32_t f = 0; f < table->base.n_files; f++)
        ret->rows += table->files[f].rows;
}

static const fl_file_sampling sampling = {.scan_new = fl_pq_scan_new, .rows_of = fl_pq_scan_morsel_rows};

static const fl_table_ops table_ops = {.scan_new = fl_pq_scan_new,
                                       .stats = fl_pq_table_stats,
                                       FL_FILE_SAMPLE_OPS,
                                       .orders = orders,
                                       .facts = facts,
                                       .free = fl_files_table_free};

static const fl_pq_table defaults = {
    .base.table.is_sample_read = true, .base.sampling = &sampling, .verifies_checksums = true};

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

static const char *const aliases[] = {"parquet_scan", NULL};

const fl_format_desc fl_format_parquet = {
    .size = (uint32_t)sizeof(fl_format_desc),
    .name = "parquet",
    .function = "read_parquet",
    .aliases = aliases,
    .suffixes = suffixes,
    .open = table_open,
    .doc = "read_parquet(file [, verify_checksums := true] [, binary_as_string := false] "
           "[, int96_as := 'timestamp'] [, file_row_number := false] [, encryption_config := {'footer_key': '…'}]) "
           "gives the rows of one or "
           "several Parquet files",
};
