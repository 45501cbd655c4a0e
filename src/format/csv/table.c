/* read_csv: opens files, has them looked at, makes the table. */
#include "format/csv/table.h"

#include "base/hash.h"

static void table_free(fl_table *base)
{
    fl_csv_table *table = (fl_csv_table *)base;
    for (int32_t i = 0; i < table->n_files; i++)
        fl_file_unref(table->files[i].file);
    fl_arena_drop(&table->arena);
    fl_free(table);
}

static const fl_table_ops table_ops = {.scan_new = fl_csv_scan_new, .free = table_free};

static fl_status open_files(fl_csv_table *table, const fl_str *paths, int64_t n_paths, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t version = 0;
    FL_TRY(FL_NEW_ARRAY(&table->arena, n_paths, &table->files, err));
    for (int64_t i = 0; i < n_paths; i++) {
        fl_file *file = NULL;
        FL_TRY(fl_file_open(paths[i], &file, err));
        table->files[i].file = file;
        table->n_files++;
        version = fl_hash_combine(version, (uint64_t)file->modified_ns ^ (uint64_t)file->bytes << 20);
    }
    table->base.version = version;
cleanup:
    return st;
}

/* What changes the rows is part of the table's identity. */
static uint64_t hash_options(const fl_csv_table *table)
{
    const fl_csv_dialect *d = &table->files[0].layout.dialect;
    const fl_csv_options *o = &table->options;
    uint64_t hash = (uint64_t)(uint8_t)d->delim | (uint64_t)(uint8_t)d->quote << 8 |
                    (uint64_t)(uint8_t)d->escape << 16 | (uint64_t)table->has_header << 24 |
                    (uint64_t)o->has_nullstr << 25;
    hash = fl_hash_combine(hash, fl_hash_bytes(o->nullstr.data, o->nullstr.len));
    for (int32_t i = 0; i < table->base.n_cols; i++)
        hash = fl_hash_combine(hash, fl_type_hash(table->base.fields[i].type));
    return hash;
}

static fl_status table_open(fl_memory *memory, const fl_str *paths, int64_t n_paths, const fl_option *options,
                            int32_t n_options, fl_table **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_csv_table *table = NULL;
    if (n_paths < 1 || n_paths > INT32_MAX)
        return FL_FAIL(err, FL_ERR_CONFIG, "read_csv needs at least one file");
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*table), (void **)&table, err));
    fl_arena_init(&table->arena, memory);
    table->base.ops = &table_ops;
    table->base.format = "csv";
    table->chunk_bytes = FL_CSV_CHUNK_BYTES;
    atomic_init(&table->base.refs, 1);
    FL_TRY(fl_csv_options_read(&table->arena, options, n_options, &table->options, err));
    FL_TRY(open_files(table, paths, n_paths, err));
    FL_TRY(fl_csv_sniff(table, memory, err));
    if (n_paths > 1)
        FL_TRY(fl_arena_format(&table->arena, &table->base.name, err, "%.*s and %lld more", FL_STR_ARG(paths[0]),
                               (long long)n_paths - 1));
    else
        FL_TRY(fl_arena_copy_str(&table->arena, paths[0], &table->base.name, err));
    table->base.version = fl_hash_combine(table->base.version, hash_options(table));
    *ret = &table->base;
    return FL_OK;
cleanup:
    if (table != NULL)
        table_free(&table->base);
    return st;
}

static const char *const suffixes[] = {".csv", ".tsv", ".csv.gz", ".tsv.gz", NULL};

const fl_format_desc fl_format_csv = {
    .size = (uint32_t)sizeof(fl_format_desc),
    .name = "csv",
    .function = "read_csv",
    .suffixes = suffixes,
    .open = table_open,
    .doc =
        "read_csv(file [, delim, quote, escape, header, nullstr, columns, all_varchar, sample_size]) gives the rows of "
        "one or several CSV files; what is not said is found by looking",
};
