/* Opening tables of files. */
#include "format/files_table.h"

#include "base/hash.h"

void fl_files_table_free(fl_table *base)
{
    fl_files_table *table = (fl_files_table *)base;
    for (int32_t i = 0; i < table->n_files; i++)
        fl_file_unref(table->files[i]);
    fl_file_sample_drop(&table->sample);
    fl_arena_drop(&table->arena);
    fl_memory_release(table->memory.parent, atomic_load(&table->memory.used_bytes)); /* the struct, and the handles */
    fl_free(table);
}

fl_status fl_files_table_sample(fl_table *base, fl_memory *memory, const int32_t *cols, int32_t n_cols,
                                fl_vec *ret_vecs, fl_table_sample *ret, fl_err *err)
{
    fl_files_table *table = (fl_files_table *)base;
    return fl_file_sample_get(&table->sample, base, table->sampling, memory, cols, n_cols, ret_vecs, ret, err);
}

fl_status fl_files_table_sample_stats(fl_table *base, fl_memory *memory, int32_t col, fl_col_stats *ret, fl_err *err)
{
    fl_files_table *table = (fl_files_table *)base;
    return fl_file_sample_stats(&table->sample, base, table->sampling, memory, col, ret, err);
}

fl_status fl_files_table_sample_rows(fl_table *base, fl_memory *memory, double *ret, fl_err *err)
{
    fl_files_table *table = (fl_files_table *)base;
    return fl_file_sample_rows(&table->sample, base, table->sampling, memory, ret, err);
}

static fl_status open_files(fl_files_table *table, const fl_str *paths, int64_t n_paths, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(FL_NEW_ARRAY(&table->arena, n_paths, &table->files, err));
    for (; table->n_files < n_paths; table->n_files++) {
        fl_file *file = NULL;
        int64_t handle_bytes = (int64_t)sizeof(*file) + paths[table->n_files].len + 1;
        FL_TRY(fl_memory_charge(&table->memory, handle_bytes, err));
        FL_TRY(fl_file_open(table->memory.system, paths[table->n_files], &file, err));
        table->files[table->n_files] = file;
        table->table.version =
            fl_hash_combine(table->table.version, (uint64_t)file->modified_ns ^ (uint64_t)file->bytes << 20);
    }
    for (int64_t i = 1; i < n_paths; i++)
        table->table.options_hash =
            fl_hash_combine(table->table.options_hash, fl_hash_bytes(paths[i].data, paths[i].len));
    if (n_paths > 1)
        FL_TRY(fl_arena_format(&table->arena, &table->table.name, err, "%.*s and %lld more", FL_STR_ARG(paths[0]),
                               (long long)n_paths - 1));
    else
        FL_TRY(fl_arena_copy_str(&table->arena, paths[0], &table->table.name, err));
cleanup:
    return st;
}

static fl_status copy_options(fl_files_table *table, const fl_option *options, int32_t n_options, fl_err *err)
{
    fl_status st = FL_OK;
    fl_option *copies = NULL;
    FL_TRY(FL_NEW_ARRAY(&table->arena, n_options, &copies, err));
    for (int32_t i = 0; i < n_options; i++) {
        uint64_t hash = fl_hash_combine(fl_type_hash(options[i].value.type), fl_value_hash(&options[i].value));
        table->table.options_hash += /* in any order */
            fl_hash_combine(fl_hash_bytes(options[i].name.data, options[i].name.len), hash);
        FL_TRY(fl_arena_copy_str(&table->arena, options[i].name, &copies[i].name, err));
        FL_TRY(fl_value_copy(&table->arena, &options[i].value, &copies[i].value, err));
    }
    table->options = copies;
    table->n_options = n_options;
cleanup:
    return st;
}

fl_status fl_files_table_open(const fl_files_reader *reader, fl_memory *memory, const fl_str *paths, int64_t n_paths,
                              const fl_option *options, int32_t n_options, fl_table **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_files_table *table = NULL;
    const char *function = reader->format->function;
    if (n_paths < 1 || n_paths > INT32_MAX)
        return FL_FAIL(err, FL_ERR_CONFIG, "%s needs at least one file", function);
    FL_TRY(fl_alloc(NULL, reader->table_bytes, (void **)&table, err));
    memcpy(table, reader->defaults, (size_t)reader->table_bytes);
    fl_memory_init(&table->memory, memory, "table's memory", 0);
    table->table.ops = reader->ops;
    table->table.format = reader->format->name;
    atomic_init(&table->table.refs, 1);
    fl_arena_init(&table->arena, &table->memory);
    fl_file_sample_init(&table->sample, &table->memory);
    FL_TRY(fl_memory_charge(&table->memory, reader->table_bytes, err));
    FL_TRY(
        fl_options_read(function, reader->options, reader->n_options, options, n_options, &table->arena, table, err));
    FL_TRY(copy_options(table, options, n_options, err));
    FL_TRY(open_files(table, paths, n_paths, err));
    FL_TRY(reader->learn(table, memory, err));
    for (int32_t i = 0; i < table->table.n_cols; i++)
        table->table.version = fl_hash_combine(table->table.version, fl_type_hash(table->table.fields[i].type));
    *ret = &table->table;
    return FL_OK;
cleanup:
    if (table != NULL)
        fl_files_table_free(&table->table);
    return st;
}

bool fl_files_table_is_of(const fl_files_table *table, const fl_format_desc *format, const fl_str *paths,
                          int64_t n_paths, const fl_option *options, int32_t n_options)
{
    if (strcmp(table->table.format, format->name) != 0 || table->n_files != n_paths || table->n_options != n_options)
        return false;
    for (int32_t i = 0; i < n_paths; i++)
        if (!fl_str_is_equal(fl_str_of(table->files[i]->path), paths[i]))
            return false;
    for (int32_t i = 0; i < n_options; i++)
        if (!fl_str_is_equal_nocase(table->options[i].name, options[i].name) ||
            !fl_value_is_same(&table->options[i].value, &options[i].value))
            return false;
    return true;
}
