/* What Parquet files say of themselves: parquet_metadata and its kin, with the names that DuckDB gives their columns. */
#include "base/text.h"
#include "engine/file_functions.h"
#include "format/parquet/describe.h"

static fl_status describe(fl_session *session, fl_arena *arena, fl_str path, fl_pq_description *ret, fl_err *err)
{
    fl_file *file = NULL;
    fl_status st = fl_file_open(session->statement_memory.system, path, &file, err);
    if (st == FL_OK)
        st = fl_pq_describe(arena, file, ret, err);
    fl_file_unref(file);
    return st;
}

/* What is negative was not said. */
static void fill_said(fl_filled_table *t, int64_t number)
{
    if (number < 0)
        fl_fill_null(t);
    else
        fl_fill_number(t, number);
}

/* ---- parquet_metadata ---- */

static fl_status value_text(fl_arena *arena, const fl_pq_leaf *leaf, fl_str stored, fl_str *ret, fl_err *err)
{
    fl_value value;
    fl_text text;
    *ret = (fl_str){0};
    if (stored.data == NULL || !fl_pq_statistic_value(leaf, stored, &value))
        return FL_OK;
    if (value.type.id == FL_UTF8 || value.type.id == FL_BINARY)
        value = (fl_value){.type = FL_TYPE(leaf->is_text ? FL_UTF8 : FL_BINARY), .s = stored};
    fl_text_init(&text, NULL);
    fl_value_print(&text, &value);
    fl_status st = fl_text_status(&text, err);
    if (st == FL_OK)
        st = fl_arena_copy_str(arena, fl_text_str(&text), ret, err);
    fl_text_drop(&text);
    return st;
}

/* The path's names with commas between them, and what the column's pages are coded by. */
static fl_status list_texts(fl_arena *arena, const fl_pq_leaf *leaf, const fl_pq_described_chunk *c, fl_str *ret_path,
                            fl_str *ret_encodings, fl_err *err)
{
    fl_text text;
    fl_text_init(&text, NULL);
    for (int64_t i = 0; i < leaf->path.len; i++)
        fl_text_add(&text, leaf->path.data[i] == '.' ? FL_STR(", ") : (fl_str){leaf->path.data + i, 1});
    fl_status st = fl_text_status(&text, err);
    if (st == FL_OK)
        st = fl_arena_copy_str(arena, fl_text_str(&text), ret_path, err);
    fl_text_drop(&text);
    fl_text_init(&text, NULL);
    for (int32_t i = 0; i < c->n_encodings; i++) {
        const char *name = fl_pq_encoding_name(c->encodings[i]);
        fl_text_addf(&text, "%s%s", i > 0 ? ", " : "", name == NULL ? "UNKNOWN" : name);
    }
    if (st == FL_OK)
        st = fl_text_status(&text, err);
    if (st == FL_OK)
        st = fl_arena_copy_str(arena, fl_text_str(&text), ret_encodings, err);
    fl_text_drop(&text);
    return st;
}

static fl_status add_chunk(const fl_pq_description *d, fl_str path, int32_t group, int32_t col, fl_arena *arena,
                           fl_filled_table *t, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_pq_described_group *g = &d->groups[group];
    const fl_pq_described_chunk *c = &g->chunks[col];
    const fl_pq_leaf *leaf = &d->meta.leaves[col];
    fl_str names = {0}, encodings = {0}, bounds[4];
    const fl_str stored[4] = {c->stats.min, c->stats.max, c->stats.min_value, c->stats.max_value};
    for (int i = 0; i < 4; i++)
        FL_TRY(value_text(arena, leaf, stored[i], &bounds[i], err));
    FL_TRY(list_texts(arena, leaf, c, &names, &encodings, err));
    int64_t packed = 0;
    for (int32_t i = 0; i < g->n_chunks; i++)
        packed += g->chunks[i].bytes;
    fl_fill_text(t, path);
    fl_fill_number(t, group);
    fill_said(t, g->rows);
    fl_fill_number(t, g->n_chunks);
    fill_said(t, g->bytes);
    fl_fill_number(t, col);
    fl_fill_number(t, c->file_offset);
    fl_fill_number(t, c->values);
    fl_fill_text(t, names);
    fl_fill(t, fl_pq_physical_name(c->physical));
    fl_fill_text(t, bounds[0]);
    fl_fill_text(t, bounds[1]);
    fill_said(t, c->stats.null_count);
    fill_said(t, c->stats.distinct_count);
    fl_fill_text(t, bounds[2]);
    fl_fill_text(t, bounds[3]);
    fl_fill(t, fl_pq_stored_codec_name(c->codec));
    fl_fill_text(t, encodings);
    fill_said(t, c->index_at);
    fill_said(t, c->dictionary_at);
    fill_said(t, c->data_at);
    fl_fill_number(t, c->bytes);
    fl_fill_number(t, c->unpacked_bytes);
    fill_said(t, c->bloom_at);
    fill_said(t, c->bloom_bytes);
    const int8_t exact[2] = {c->min_is_exact, c->max_is_exact};
    for (int i = 0; i < 2; i++)
        if (exact[i] < 0)
            fl_fill_null(t);
        else
            fl_fill_bool(t, exact[i] != 0);
    fill_said(t, g->packed_bytes >= 0 ? g->packed_bytes : packed);
    FL_TRY(fl_filled_table_end_row(t, err));
cleanup:
    return st;
}

static fl_status add_metadata(fl_session *session, const fl_file_function *f, fl_str path, const fl_option *options,
                              int32_t n_options, fl_arena *arena, fl_filled_table *t, fl_err *err)
{
    (void)f, (void)options, (void)n_options;
    fl_status st = FL_OK;
    fl_pq_description d;
    FL_TRY(describe(session, arena, path, &d, err));
    for (int32_t g = 0; g < d.n_groups; g++)
        for (int32_t col = 0; col < d.groups[g].n_chunks && col < d.meta.n_leaves; col++)
            FL_TRY(add_chunk(&d, path, g, col, arena, t, err));
cleanup:
    return st;
}

/* ---- parquet_schema ---- */

enum { LOGICAL_DECIMAL = 5, LOGICAL_TIME = 7, LOGICAL_TIMESTAMP = 8, LOGICAL_INT = 10 }; /* as in parquet.thrift */

static fl_status logical_name(fl_arena *arena, const fl_pq_element *e, fl_str *ret, fl_err *err)
{
    static const char *const names[] = {NULL,   "String",    "Map",     "List",     "Enum",     "Decimal", "Date",
                                        "Time", "Timestamp", NULL,      "Int",      "Null",     "Json",    "Bson",
                                        "UUID", "Float16",   "Variant", "Geometry", "Geography"};
    static const char *const units[] = {"?", "MILLIS=MilliSeconds(), MICROS=<null>, NANOS=<null>",
                                        "MILLIS=<null>, MICROS=MicroSeconds(), NANOS=<null>",
                                        "MILLIS=<null>, MICROS=<null>, NANOS=NanoSeconds()"};
    *ret = (fl_str){0};
    if (e->logical < 0 || e->logical >= FL_LEN(names) || names[e->logical] == NULL)
        return FL_OK;
    if (e->logical == LOGICAL_DECIMAL)
        return fl_arena_format(arena, ret, err, "DecimalType(scale=%d, precision=%d)", e->scale, e->precision);
    if (e->logical == LOGICAL_INT)
        return fl_arena_format(arena, ret, err, "IntType(bitWidth=%d, isSigned=%d)", e->bit_width, e->is_signed);
    if (e->logical != LOGICAL_TIME && e->logical != LOGICAL_TIMESTAMP)
        return fl_arena_format(arena, ret, err, "%sType()", names[e->logical]);
    return fl_arena_format(arena, ret, err, "%sType(isAdjustedToUTC=%d, unit=TimeUnit(%s))", names[e->logical],
                           e->is_utc, units[e->unit >= 1 && e->unit <= 3 ? e->unit : 0]);
}

/* Leaves come in the order of the elements that are no groups. */
static fl_status add_schema(fl_session *session, const fl_file_function *f, fl_str path, const fl_option *options,
                            int32_t n_options, fl_arena *arena, fl_filled_table *t, fl_err *err)
{
    (void)f, (void)options, (void)n_options;
    static const char *const repetitions[] = {"REQUIRED", "OPTIONAL", "REPEATED"};
    fl_status st = FL_OK;
    fl_pq_description d;
    int32_t leaf = 0;
    FL_TRY(describe(session, arena, path, &d, err));
    for (int64_t i = 0; i < d.n_elements; i++) {
        const fl_pq_element *e = &d.elements[i];
        fl_str logical = {0}, type = {0}, length = {0};
        bool is_leaf = e->physical >= 0;
        FL_TRY(logical_name(arena, e, &logical, err));
        if (is_leaf) {
            FL_ASSERT(leaf < d.meta.n_leaves);
            FL_TRY(fl_filled_type_name(arena, d.meta.leaves[leaf++].type, &type, err));
        }
        if (is_leaf && e->type_length > 0)
            FL_TRY(fl_arena_format(arena, &length, err, "%d", e->type_length));
        bool is_decimal = e->precision > 0;
        fl_fill_text(t, path);
        fl_fill_text(t, e->name);
        fl_fill(t, fl_pq_physical_name(e->physical));
        fl_fill_text(t, length);
        fl_fill(t, e->repetition < 0 || e->repetition > 2 ? NULL : repetitions[e->repetition]);
        fill_said(t, is_leaf ? -1 : e->n_children);
        fl_fill(t, fl_pq_converted_name(e->converted));
        fill_said(t, is_decimal ? e->scale : -1);
        fill_said(t, is_decimal ? e->precision : -1);
        fill_said(t, e->field_id);
        fl_fill_text(t, logical);
        fl_fill_text(t, type);
        fl_fill_number(t, i);
        FL_TRY(fl_filled_table_end_row(t, err));
    }
cleanup:
    return st;
}

/* ---- parquet_file_metadata, parquet_kv_metadata ---- */

static fl_status add_file(fl_session *session, const fl_file_function *f, fl_str path, const fl_option *options,
                          int32_t n_options, fl_arena *arena, fl_filled_table *t, fl_err *err)
{
    (void)f, (void)options, (void)n_options;
    fl_pq_description d;
    fl_status st = describe(session, arena, path, &d, err);
    if (st != FL_OK)
        return st;
    fl_fill_text(t, path);
    fl_fill_text(t, d.created_by);
    fl_fill_number(t, d.meta.rows);
    fl_fill_number(t, d.n_groups);
    fl_fill_number(t, d.version);
    fl_fill_null(t); /* not encrypted */
    fl_fill_null(t);
    fl_fill_number(t, d.file_bytes);
    fl_fill_number(t, d.footer_bytes);
    return fl_filled_table_end_row(t, err);
}

static fl_status add_pairs(fl_session *session, const fl_file_function *f, fl_str path, const fl_option *options,
                           int32_t n_options, fl_arena *arena, fl_filled_table *t, fl_err *err)
{
    (void)f, (void)options, (void)n_options;
    fl_status st = FL_OK;
    fl_pq_description d;
    FL_TRY(describe(session, arena, path, &d, err));
    for (int64_t i = 0; i < d.n_pairs; i++) {
        fl_fill_text(t, path);
        fl_fill_text(t, d.pairs[i].key);
        fl_fill_text(t, d.pairs[i].value);
        FL_TRY(fl_filled_table_end_row(t, err));
    }
cleanup:
    return st;
}

const fl_file_function fl_parquet_functions[] = {
    {.name = "parquet_metadata",
     .columns = "file_name:t row_group_id:i row_group_num_rows:i row_group_num_columns:i row_group_bytes:i column_id:i "
                "file_offset:i num_values:i path_in_schema:t type:t stats_min:t stats_max:t stats_null_count:i "
                "stats_distinct_count:i stats_min_value:t stats_max_value:t compression:t encodings:t "
                "index_page_offset:i dictionary_page_offset:i data_page_offset:i total_compressed_size:i "
                "total_uncompressed_size:i bloom_filter_offset:i bloom_filter_length:i min_is_exact:b max_is_exact:b "
                "row_group_compressed_bytes:i",
     .add = add_metadata},
    {.name = "parquet_schema",
     .columns = "file_name:t name:t type:t type_length:t repetition_type:t num_children:i converted_type:t scale:i "
                "precision:i field_id:i logical_type:t fletch_type:t column_id:i",
     .add = add_schema},
    {.name = "parquet_file_metadata",
     .columns = "file_name:t created_by:t num_rows:i num_row_groups:i format_version:i encryption_algorithm:t "
                "footer_signing_key_metadata:t file_size_bytes:u footer_size:u",
     .add = add_file},
    {.name = "parquet_kv_metadata", .columns = "file_name:t key:x value:x", .add = add_pairs},
    {0},
};
