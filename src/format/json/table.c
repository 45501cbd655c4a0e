/* read_json: its named arguments, and the table that it makes, whose columns are learned from a sample. */
#include "format/json/table.h"

#include "base/hash.h"

#define COLUMNS_MAX 100000 /* keys that are data make a table no one wants */

/* ---- the sample ---- */

typedef struct sample {
    fl_json_table *table;
    fl_json_shape *shape;
    fl_json_chunk chunk;
    fl_arena records; /* trees of a chunk's records */
    int64_t rows;
    int64_t bytes; /* that they took */
    bool is_all;
} sample;

static fl_status learn_chunk(sample *s, const fl_json_source *source, fl_err *err)
{
    fl_status st = FL_OK;
    for (int64_t i = 0; i < s->chunk.count && (s->table->sample_rows < 0 || s->rows < s->table->sample_rows);
         i++, s->rows++) {
        yyjson_val *record = NULL;
        if (i % 1024 == 0)
            fl_arena_reset(&s->records);
        FL_TRY(fl_json_parse(&s->chunk, source, i, false, &s->records, &record, err));
        FL_TRY(fl_json_shape_add(&s->table->base.arena, s->shape, record, err));
        if (s->shape->n_fields > COLUMNS_MAX) {
            st = FL_FAIL(err, FL_ERR_LIMIT, "\"%s\" has more than %d different keys", source->file->file->path,
                         COLUMNS_MAX);
            fl_err_hint(err, "name the columns that you want: columns = {'a': 'integer', 'b': 'text'}");
            return st;
        }
    }
cleanup:
    return st;
}

static fl_status learn_source(sample *s, const fl_json_source *source, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t at = source->start, limit = s->table->sample_rows;
    if (source->layout != FL_JSON_LINES) {
        int64_t before = s->rows;
        FL_TRY(fl_json_chunk_read_whole(&s->chunk, source, err));
        FL_TRY(learn_chunk(s, source, err));
        s->rows = before + s->chunk.count;
        s->bytes += fl_text_file_bytes(source->file) - at;
        return FL_OK;
    }
    while (at < fl_text_file_bytes(source->file) && (at == source->start || limit < 0 || s->rows < limit)) {
        int64_t end = at + FL_TEXT_SAMPLE_BYTES;
        FL_TRY(fl_json_chunk_read_lines(&s->chunk, source, at, end, err));
        end = end < fl_text_file_bytes(source->file) ? end : fl_text_file_bytes(source->file);
        FL_TRY(learn_chunk(s, source, err));
        s->bytes += end - at;
        at = end;
    }
    s->is_all &= at == fl_text_file_bytes(source->file) && (limit < 0 || s->rows < limit);
cleanup:
    return st;
}

static fl_status index_keys(fl_json_table *table, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < table->base.table.n_cols; i++)
        FL_TRY(fl_name_index_add(&table->index, &table->base.arena, table->keys, err));
cleanup:
    return st;
}

/* Columns that the user named are the keys of that name. */
static fl_status take_columns(fl_json_table *table, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n = table->columns.n;
    FL_TRY(FL_NEW_ARRAY(&table->base.arena, n, &table->keys, err));
    for (int32_t i = 0; i < n; i++)
        table->keys[i] = table->columns.fields[i].name;
    table->base.table.fields = table->columns.fields;
    table->base.table.n_cols = n;
    FL_TRY(index_keys(table, err));
cleanup:
    return st;
}

static fl_status make_columns(fl_json_table *table, const fl_json_shape *shape, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena *arena = &table->base.arena;
    int32_t n = shape->n_fields;
    fl_field *fields = NULL;
    fl_str *names = NULL;
    FL_TRY(FL_NEW_ARRAY(arena, n + 1, &fields, err));
    FL_TRY(FL_NEW_ARRAY(arena, n + 1, &names, err));
    if (n > 0)
        memcpy(names, shape->names, (size_t)n * sizeof(*names));
    FL_TRY(fl_names_tell_apart(arena, memory, names, n, &table->base.table.note, err));
    for (int32_t i = 0; i < n; i++) {
        fields[i] = (fl_field){.name = names[i], .nullable = true};
        FL_TRY(fl_json_shape_type(arena, shape->fields[i], &fields[i].type, err));
    }
    table->keys = shape->names;
    table->base.table.fields = fields;
    table->base.table.n_cols = n;
    FL_TRY(index_keys(table, err));
cleanup:
    return st;
}

static fl_status learn_columns(fl_json_table *table, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    sample s = {.table = table, .is_all = true};
    bool has_array = false; /* [] has no rows and no columns, but is no empty file */
    double bytes = 0;
    fl_json_chunk_init(&s.chunk, memory);
    fl_arena_init(&s.records, memory);
    FL_TRY(fl_json_shape_new(&table->base.arena, &s.shape, err));
    for (int32_t i = 0; i < table->base.n_files; i++) {
        FL_TRY(learn_source(&s, &table->sources[i], err));
        has_array |= table->sources[i].layout == FL_JSON_ARRAY;
        bytes += fl_text_file_estimate_bytes(table->sources[i].file) - (double)table->sources[i].start;
    }
    table->base.has_counted = s.is_all;
    table->base.table.rows = s.is_all || s.bytes == 0 ? (double)s.rows : (double)s.rows * (bytes / (double)s.bytes);
    if (table->columns.fields == NULL && s.shape->n_fields == 0 && s.rows == 0 && !has_array) {
        st = FL_FAIL(err, FL_ERR_FORMAT, "\"%s\" is empty: there is no object to find columns by",
                     table->base.files[0]->path);
        fl_err_hint(err, "name them: columns = {'a': 'integer', 'b': 'text'}");
        goto cleanup;
    }
    if (table->columns.fields != NULL)
        FL_TRY(take_columns(table, err));
    else
        FL_TRY(make_columns(table, s.shape, memory, err));
cleanup:
    fl_arena_drop(&s.records);
    fl_json_chunk_drop(&s.chunk);
    return st;
}

/* ---- the table ---- */

static fl_status learn(fl_files_table *base, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    fl_json_table *table = (fl_json_table *)base;
    FL_TRY(FL_NEW_ARRAY(&base->arena, base->n_files, &table->sources, err));
    FL_TRY(FL_NEW_ARRAY(&base->arena, base->n_files, &base->texts, err));
    for (int32_t f = 0; f < base->n_files; f++) {
        table->sources[f].file = &base->texts[f];
        FL_TRY(fl_json_source_find(memory, base->files[f], &table->text, &table->sources[f], err));
    }
    FL_TRY(learn_columns(table, memory, err));
    base->table.version = fl_hash_combine(base->table.version, (uint64_t)table->sample_rows);
cleanup:
    return st;
}

static const fl_option_desc options[] = {
    {"columns", FL_OPTION_COLUMNS, fl_option_nested_columns, offsetof(fl_json_table, columns), -1},
    {"compression", FL_TEXT_COMPRESSION, fl_option_text, offsetof(fl_json_table, text.compression), -1},
    {"encoding", FL_TEXT_ENCODING, fl_option_text, offsetof(fl_json_table, text.encoding), -1},
    {"sample_size", FL_OPTION_ROWS, fl_option_rows, offsetof(fl_json_table, sample_rows), -1},
};

static const fl_file_sampling sampling = {
    .scan_new = fl_json_sample_scan_new, .rows_of = fl_text_windows_rows_of, .has_windows = true};

static const fl_table_ops table_ops = {.scan_new = fl_json_scan_new, FL_FILE_SAMPLE_OPS, .free = fl_files_table_free};

static const fl_json_table defaults = {.base.table.is_sample_read = true,
                                       .base.sampling = &sampling,
                                       .base.piece_bytes = FL_TEXT_PIECE_BYTES,
                                       .sample_rows = FL_TEXT_SAMPLE_ROWS};

static const fl_files_reader reader = {.format = &fl_format_json,
                                       .ops = &table_ops,
                                       .options = options,
                                       .n_options = FL_LEN(options),
                                       .table_bytes = (int64_t)sizeof(fl_json_table),
                                       .defaults = &defaults,
                                       .learn = learn};

static fl_status table_open(fl_memory *memory, const fl_str *paths, int64_t n_paths, const fl_option *given,
                            int32_t n_given, fl_table **ret, fl_err *err)
{
    return fl_files_table_open(&reader, memory, paths, n_paths, given, n_given, ret, err);
}

static const char *const suffixes[] = {".json",       ".ndjson",    ".jsonl",      ".json.gz",   ".ndjson.gz",
                                       ".jsonl.gz",   ".json.zst",  ".ndjson.zst", ".jsonl.zst", ".json.bz2",
                                       ".ndjson.bz2", ".jsonl.bz2", NULL};

static const char *const aliases[] = {"read_json_auto", "read_ndjson", "read_ndjson_auto", NULL};

const fl_format_desc fl_format_json = {
    .size = (uint32_t)sizeof(fl_format_desc),
    .name = "json",
    .function = "read_json",
    .aliases = aliases,
    .types_option = "columns",
    .has_all_types = true,
    .suffixes = suffixes,
    .open = table_open,
    .doc = "read_json(file [, columns, sample_size, compression, encoding]) gives the objects of one or several JSON "
           "files, an object a line "
           "or an array of objects; the last of several equal keys counts, a missing one is NULL",
};
