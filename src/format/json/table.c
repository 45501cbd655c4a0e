/* read_json: opens files, learns their columns from a sample, makes the table. */
#include "format/json/table.h"

#include "base/hash.h"
#include "base/nearest.h"

#define SAMPLE_ROWS 20480
#define SAMPLE_BYTES (256 << 10) /* of a chunk while sampling */
#define COLUMNS_MAX 100000       /* keys that are data make a table no one wants */

static void table_free(fl_table *base)
{
    fl_json_table *table = (fl_json_table *)base;
    for (int32_t i = 0; i < table->n_sources; i++)
        fl_file_unref(table->sources[i].file);
    fl_arena_drop(&table->arena);
    fl_free(table);
}

static const fl_table_ops table_ops = {.scan_new = fl_json_scan_new, .free = table_free};

/* ---- options ---- */

static fl_status fail_option(const fl_option *o, fl_err *err, const char *wanted)
{
    FL_FAIL(err, FL_ERR_CONFIG, "read_json's option %.*s is %s", FL_STR_ARG(o->name), wanted);
    fl_err_at(err, o->pos);
    return FL_ERR_CONFIG;
}

static fl_status read_columns(fl_json_table *table, const fl_option *o, fl_err *err)
{
    fl_status st = FL_OK;
    fl_field *fields = NULL;
    const fl_value *v = &o->value;
    if (v->is_null || v->type.id != FL_STRUCT || v->type.n_fields < 1)
        return fail_option(o, err, "names and types, as in {'a': 'integer', 'b': 'text'}");
    FL_TRY(FL_NEW_ARRAY(&table->arena, v->type.n_fields, &fields, err));
    for (int32_t i = 0; i < v->type.n_fields; i++) {
        const fl_value *type = &v->list.items[i];
        FL_TRY(fl_arena_copy_str(&table->arena, v->type.fields[i].name, &fields[i].name, err));
        fields[i].nullable = true;
        if (type->is_null || type->type.id != FL_UTF8 || !fl_type_from_name(type->s, -1, -1, &fields[i].type) ||
            fields[i].type.id == FL_NULL || fl_type_is_nested(fields[i].type)) {
            FL_FAIL(err, FL_ERR_CONFIG, "column \"%.*s\" needs the name of a simple type, such as 'integer'",
                    FL_STR_ARG(fields[i].name));
            fl_err_at(err, o->pos);
            return FL_ERR_CONFIG;
        }
    }
    table->base.fields = fields;
    table->base.n_cols = v->type.n_fields;
    table->has_columns = true;
cleanup:
    return st;
}

static fl_status read_options(fl_json_table *table, const fl_option *options, int32_t n_options, fl_err *err)
{
    static const fl_str names[] = {{"columns", 7}, {"sample_size", 11}};
    for (int32_t i = 0; i < n_options; i++) {
        const fl_option *o = &options[i];
        if (fl_str_is_equal_nocase(o->name, names[0])) {
            fl_status st = read_columns(table, o, err);
            if (st != FL_OK)
                return st;
        } else if (fl_str_is_equal_nocase(o->name, names[1])) {
            if (o->value.is_null || !fl_type_is_signed(o->value.type) || o->value.i == 0 || o->value.i < -1)
                return fail_option(o, err, "a number of records, or -1 for all");
            table->sample_rows = o->value.i;
        } else {
            fl_nearest near;
            FL_FAIL(err, FL_ERR_CONFIG, "read_json has no option \"%.*s\"", FL_STR_ARG(o->name));
            fl_err_state(err, "42703", FL_ERR_CONFIG);
            fl_nearest_init(&near, o->name);
            for (int64_t n = 0; n < FL_LEN(names); n++)
                fl_nearest_offer(&near, names[n]);
            fl_nearest_hint(&near, err);
            fl_err_at(err, o->pos);
            return FL_ERR_CONFIG;
        }
    }
    return FL_OK;
}

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
        fl_err complaint;
        int64_t at = s->chunk.offset + s->chunk.records[i].start;
        if (i % 1024 == 0)
            fl_arena_reset(&s->records);
        FL_TRY(fl_json_parse(&s->chunk, source, i, &s->records, &record, err));
        st = fl_json_shape_add(&s->table->arena, s->shape, record, &complaint);
        if (st != FL_OK)
            return fl_json_fail_at(source, at, &complaint, err);
        if (s->shape->n_fields > COLUMNS_MAX) {
            st = FL_FAIL(err, FL_ERR_LIMIT, "\"%s\" has more than %d different keys", source->file->path, COLUMNS_MAX);
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
    int64_t bytes = source->file->bytes, at = source->start, limit = s->table->sample_rows;
    if (source->layout != FL_JSON_LINES) {
        int64_t before = s->rows;
        FL_TRY(fl_json_chunk_read_whole(&s->chunk, source, err));
        FL_TRY(learn_chunk(s, source, err));
        s->rows = before + s->chunk.count;
        s->bytes += bytes - at;
        return FL_OK;
    }
    while (at < bytes && (at == source->start || limit < 0 || s->rows < limit)) {
        int64_t end = at + SAMPLE_BYTES < bytes ? at + SAMPLE_BYTES : bytes;
        FL_TRY(fl_json_chunk_read_lines(&s->chunk, source, at, end, err));
        FL_TRY(learn_chunk(s, source, err));
        s->bytes += end - at;
        at = end;
    }
    s->is_all &= at == bytes && (limit < 0 || s->rows < limit);
cleanup:
    return st;
}

static fl_status learn(fl_json_table *table, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    sample s = {.table = table, .is_all = true};
    fl_type type;
    double bytes = 0;
    fl_json_chunk_init(&s.chunk, memory);
    fl_arena_init(&s.records, memory);
    FL_TRY(fl_json_shape_new(&table->arena, &s.shape, err));
    for (int32_t i = 0; i < table->n_sources; i++) {
        FL_TRY(learn_source(&s, &table->sources[i], err));
        bytes += (double)(table->sources[i].file->bytes - table->sources[i].start);
    }
    table->base.rows = s.is_all || s.bytes == 0 ? (double)s.rows : (double)s.rows * (bytes / (double)s.bytes);
    if (table->has_columns)
        goto cleanup;
    if (s.shape->n_fields == 0) {
        st = FL_FAIL(err, FL_ERR_FORMAT, "\"%s\" is empty: there is no object to find columns by",
                     table->sources[0].file->path);
        fl_err_hint(err, "name them: columns = {'a': 'integer', 'b': 'text'}");
        goto cleanup;
    }
    FL_TRY(fl_json_shape_type(&table->arena, s.shape, &type, err));
    table->base.fields = type.fields;
    table->base.n_cols = type.n_fields;
cleanup:
    fl_arena_drop(&s.records);
    fl_json_chunk_drop(&s.chunk);
    return st;
}

/* ---- opening ---- */

static fl_status open_files(fl_json_table *table, fl_memory *memory, const fl_str *paths, int64_t n_paths, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t version = (uint64_t)table->sample_rows;
    FL_TRY(FL_NEW_ARRAY(&table->arena, n_paths, &table->sources, err));
    for (int64_t i = 0; i < n_paths; i++) {
        fl_file *file = NULL;
        FL_TRY(fl_file_open(paths[i], &file, err));
        table->sources[i].file = file;
        table->n_sources++;
        FL_TRY(fl_json_source_find(memory, &table->sources[i], err));
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
    fl_json_table *table = NULL;
    if (n_paths < 1 || n_paths > INT32_MAX)
        return FL_FAIL(err, FL_ERR_CONFIG, "read_json needs at least one file");
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*table), (void **)&table, err));
    fl_arena_init(&table->arena, memory);
    table->base.ops = &table_ops;
    table->base.format = "json";
    table->sample_rows = SAMPLE_ROWS;
    table->chunk_bytes = FL_JSON_CHUNK_BYTES;
    atomic_init(&table->base.refs, 1);
    FL_TRY(read_options(table, options, n_options, err));
    FL_TRY(open_files(table, memory, paths, n_paths, err));
    FL_TRY(learn(table, memory, err));
    if (n_paths > 1)
        FL_TRY(fl_arena_format(&table->arena, &table->base.name, err, "%.*s and %lld more", FL_STR_ARG(paths[0]),
                               (long long)n_paths - 1));
    else
        FL_TRY(fl_arena_copy_str(&table->arena, paths[0], &table->base.name, err));
    for (int32_t i = 0; i < table->base.n_cols; i++)
        table->base.version = fl_hash_combine(table->base.version, fl_type_hash(table->base.fields[i].type));
    *ret = &table->base;
    return FL_OK;
cleanup:
    if (table != NULL)
        table_free(&table->base);
    return st;
}

static const char *const suffixes[] = {".json", ".ndjson", ".jsonl", NULL};

const fl_format_desc fl_format_json = {
    .size = (uint32_t)sizeof(fl_format_desc),
    .name = "json",
    .function = "read_json",
    .suffixes = suffixes,
    .open = table_open,
    .doc = "read_json(file [, columns, sample_size]) gives the objects of one or several JSON files, an object a line "
           "or an "
           "array of objects; the last of several equal keys counts, a missing one is NULL",
};
