/* read_parquet: opens files, compares their columns, makes the table. */
#include "format/parquet/table.h"

#include "base/hash.h"
#include "base/nearest.h"

static void table_free(fl_table *base)
{
    fl_pq_table *table = (fl_pq_table *)base;
    for (int32_t i = 0; i < table->n_files; i++)
        fl_file_unref(table->files[i].file);
    fl_arena_drop(&table->arena);
    fl_free(table);
}

static const fl_table_ops table_ops = {.scan_new = fl_pq_scan_new, .stats = fl_pq_table_stats, .free = table_free};

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

static fl_status read_options(fl_pq_table *table, const fl_option *options, int32_t n_options, fl_err *err)
{
    const struct {
        fl_str name;
        bool *value;
    } known[] = {{FL_STR("verify_checksums"), &table->verifies_checksums},
                 {FL_STR("binary_as_string"), &table->has_text_in_bytes}};
    for (int32_t i = 0; i < n_options; i++) {
        const fl_option *o = &options[i];
        bool *value = NULL;
        for (int64_t k = 0; k < FL_LEN(known); k++)
            if (fl_str_is_equal_nocase(o->name, known[k].name))
                value = known[k].value;
        if (value == NULL) {
            fl_nearest near;
            FL_FAIL(err, FL_ERR_CONFIG, "read_parquet has no option \"%.*s\"", FL_STR_ARG(o->name));
            fl_err_state(err, "42703", FL_ERR_CONFIG);
            fl_nearest_init(&near, o->name);
            for (int64_t k = 0; k < FL_LEN(known); k++)
                fl_nearest_offer(&near, known[k].name);
            fl_nearest_hint(&near, err);
        } else if (o->value.is_null || o->value.type.id != FL_BOOL) {
            FL_FAIL(err, FL_ERR_CONFIG, "read_parquet's option %.*s is true or false, not a value of type %s",
                    FL_STR_ARG(o->name), FL_TYPE_NAME(o->value.type));
        } else {
            *value = o->value.b;
            continue;
        }
        fl_err_at(err, o->pos);
        return FL_ERR_CONFIG;
    }
    return FL_OK;
}

static fl_status open_files(fl_pq_table *table, const fl_str *paths, int64_t n_paths, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t version = 0;
    FL_TRY(FL_NEW_ARRAY(&table->arena, n_paths, &table->files, err));
    for (int64_t i = 0; i < n_paths; i++) {
        fl_file *file = NULL;
        FL_TRY(fl_file_open(paths[i], &file, err));
        table->files[i].file = file;
        table->n_files++;
        FL_TRY(fl_pq_metadata_read(&table->arena, file, table->has_text_in_bytes, &table->files[i], err));
        if (i > 0)
            FL_TRY(check_same_columns(&table->files[0], &table->files[i], err));
        for (int32_t c = 0; c < table->files[0].n_columns; c++) /* one file with nulls is enough */
            table->files[0].fields[c].nullable |= table->files[i].fields[c].nullable;
        table->base.rows += (double)table->files[i].rows;
        version = fl_hash_combine(version, (uint64_t)file->modified_ns ^ (uint64_t)file->bytes << 20);
    }
    table->base.version = version;
cleanup:
    return st;
}

static fl_status table_open(fl_memory *memory, const fl_str *paths, int64_t n_paths, const fl_option *options,
                            int32_t n_options, fl_table **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pq_table *table = NULL;
    if (n_paths < 1 || n_paths > INT32_MAX)
        return FL_FAIL(err, FL_ERR_CONFIG, "read_parquet needs at least one file");
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*table), (void **)&table, err));
    fl_arena_init(&table->arena, memory);
    table->base.ops = &table_ops;
    table->base.format = "parquet";
    table->verifies_checksums = true;
    atomic_init(&table->base.refs, 1);
    FL_TRY(read_options(table, options, n_options, err));
    FL_TRY(fl_arena_copy_str(&table->arena, paths[0], &table->base.name, err));
    FL_TRY(open_files(table, paths, n_paths, err));
    if (n_paths > 1)
        FL_TRY(fl_arena_format(&table->arena, &table->base.name, err, "%.*s and %lld more", FL_STR_ARG(paths[0]),
                               (long long)n_paths - 1));
    table->base.fields = table->files[0].fields;
    table->base.n_cols = table->files[0].n_columns;
    *ret = &table->base;
    return FL_OK;
cleanup:
    if (table != NULL)
        table_free(&table->base);
    return st;
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
