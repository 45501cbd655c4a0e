/* The footer: from bytes to fl_pq_metadata, every number checked before it is believed.
 *
 * The file is [PAR1][pages …][page indexes …][footer][4 bytes: its length][PAR1]. */
#include "format/parquet/metadata.h"

#include "base/utf8.h"
#include "format/parquet/thrift.h"

#define MAGIC_BYTES 4
#define TAIL_BYTES 8
#define SIGNATURE_BYTES 28 /* nonce and tag */
/* The least that a column chunk and a row group take in a footer: counts are checked against the bytes left. */
#define CHUNK_BYTES_MIN 8
#define GROUP_BYTES_MIN 4

typedef struct footer {
    fl_arena *arena;
    fl_pq_thrift t;
    fl_pq_metadata *meta;
    fl_pq_element *elements;
    int64_t n_elements;
    int64_t rows;
    fl_str row_groups; /* read again when the number of columns is known */
    bool *has_type_order;
    int64_t n_orders;
    bool has_orders;
    bool is_encrypted; /* somewhere */
    bool is_elsewhere; /* a chunk lies in another file */
    int32_t group;     /* at hand */
} footer;

/* The number of a union's member, which is all that is said of a unit. */
static void read_unit(fl_pq_thrift *t, int32_t kind, void *ret_unit)
{
    int32_t id = 0, k = 0;
    if (!fl_pq_thrift_struct(t, kind))
        return;
    while (fl_pq_thrift_field(t, &id, &k)) {
        *(int32_t *)ret_unit = id;
        fl_pq_thrift_skip(t, k);
    }
}

/* Logical types that say more than their number. */
static const fl_pq_thrift_member decimal_type[] = {
    [1] = FL_PQ_THRIFT_VALUE(I32, fl_pq_element, scale), [2] = FL_PQ_THRIFT_VALUE(I32, fl_pq_element, precision)};
static const fl_pq_thrift_member time_type[] = {[1] = FL_PQ_THRIFT_VALUE(BOOL, fl_pq_element, is_utc),
                                                [2] = FL_PQ_THRIFT_CALL(offsetof(fl_pq_element, unit), read_unit)};
static const fl_pq_thrift_member int_type[] = {
    [1] = FL_PQ_THRIFT_VALUE(I32, fl_pq_element, bit_width), [2] = FL_PQ_THRIFT_VALUE(BOOL, fl_pq_element, is_signed)};

static void read_logical_type(fl_pq_thrift *t, int32_t kind, void *ret_element)
{
    fl_pq_element *e = ret_element;
    int32_t id = 0, k = 0;
    if (!fl_pq_thrift_struct(t, kind))
        return;
    while (fl_pq_thrift_field(t, &id, &k)) {
        e->logical = id;
        if (id == 5 && fl_pq_thrift_struct(t, k))
            fl_pq_thrift_read(t, decimal_type, FL_LEN(decimal_type), e);
        else if ((id == 7 || id == 8) && fl_pq_thrift_struct(t, k))
            fl_pq_thrift_read(t, time_type, FL_LEN(time_type), e);
        else if (id == 10 && fl_pq_thrift_struct(t, k))
            fl_pq_thrift_read(t, int_type, FL_LEN(int_type), e);
        else
            fl_pq_thrift_skip(t, k);
    }
}

static const fl_pq_thrift_member schema_element[] = {
    [1] = FL_PQ_THRIFT_VALUE(I32, fl_pq_element, physical),   [2] = FL_PQ_THRIFT_VALUE(I32, fl_pq_element, type_length),
    [3] = FL_PQ_THRIFT_VALUE(I32, fl_pq_element, repetition), [4] = FL_PQ_THRIFT_VALUE(STR, fl_pq_element, name),
    [5] = FL_PQ_THRIFT_VALUE(I32, fl_pq_element, n_children), [6] = FL_PQ_THRIFT_VALUE(I32, fl_pq_element, converted),
    [7] = FL_PQ_THRIFT_VALUE(I32, fl_pq_element, scale),      [8] = FL_PQ_THRIFT_VALUE(I32, fl_pq_element, precision),
    [9] = FL_PQ_THRIFT_VALUE(I32, fl_pq_element, field_id),   [10] = FL_PQ_THRIFT_CALL(0, read_logical_type),
};

static fl_status read_schema(footer *f, int32_t kind, fl_err *err)
{
    fl_pq_thrift *t = &f->t;
    int32_t element = 0;
    int64_t count = fl_pq_thrift_list(t, kind, 4, &element);
    /* groups count too: a chain of them per column is possible, a million is not meant */
    if (count > (int64_t)FL_PQ_COLUMNS_MAX * 4)
        return FL_FAIL(err, FL_ERR_LIMIT, "its schema has %lld elements; %d columns are the most", (long long)count,
                       FL_PQ_COLUMNS_MAX);
    fl_status st = FL_NEW_ARRAY(f->arena, count, &f->elements, err);
    if (st != FL_OK)
        return st;
    f->n_elements = count;
    for (int64_t i = 0; i < count && fl_pq_thrift_struct(t, element); i++) {
        f->elements[i] = (fl_pq_element){.name = FL_STR(""), .physical = -1, .converted = -1, .field_id = -1};
        fl_pq_thrift_read(t, schema_element, FL_LEN(schema_element), &f->elements[i]);
        fl_str name = f->elements[i].name;
        if (!fl_utf8_is_valid(name.data, name.len)) {
            st = FL_FAIL(err, FL_ERR_CORRUPT, "its schema has the name \"%.*s\", which is no UTF-8", FL_STR_ARG(name));
            return fl_err_state(err, "22021", st);
        }
    }
    return FL_OK;
}

static fl_status read_column_orders(footer *f, int32_t kind, fl_err *err)
{
    fl_pq_thrift *t = &f->t;
    int32_t element = 0;
    int64_t count = fl_pq_thrift_list(t, kind, 1, &element);
    fl_status st = FL_NEW_ARRAY(f->arena, count, &f->has_type_order, err);
    if (st != FL_OK)
        return st;
    f->n_orders = count;
    f->has_orders = true;
    for (int64_t i = 0; i < count && fl_pq_thrift_struct(t, element); i++) {
        int32_t id = 0, k = 0;
        while (fl_pq_thrift_field(t, &id, &k)) {
            f->has_type_order[i] = id == 1;
            fl_pq_thrift_skip(t, k);
        }
    }
    return FL_OK;
}

static const fl_pq_thrift_member statistics[] = {
    [1] = FL_PQ_THRIFT_VALUE(STR, fl_pq_statistics, max),
    [2] = FL_PQ_THRIFT_VALUE(STR, fl_pq_statistics, min),
    [3] = FL_PQ_THRIFT_VALUE(I64, fl_pq_statistics, null_count),
    [4] = FL_PQ_THRIFT_VALUE(I64, fl_pq_statistics, distinct_count),
    [5] = FL_PQ_THRIFT_VALUE(STR, fl_pq_statistics, max_value),
    [6] = FL_PQ_THRIFT_VALUE(STR, fl_pq_statistics, min_value),
    [7] = FL_PQ_THRIFT_VALUE(BOOL, fl_pq_statistics, is_max_exact),
};

typedef struct encoding_stats {
    int64_t type, encoding, pages;
} encoding_stats;

static const fl_pq_thrift_member encoding_members[] = {[1] = FL_PQ_THRIFT_VALUE(I64, encoding_stats, type),
                                                       [2] = FL_PQ_THRIFT_VALUE(I64, encoding_stats, encoding),
                                                       [3] = FL_PQ_THRIFT_VALUE(I64, encoding_stats, pages)};

/* How many pages are coded by the dictionary: where there are others, it was given up for its size. */
static void read_encoding_stats(fl_pq_thrift *t, int32_t kind, void *ret_chunk)
{
    fl_pq_chunk *c = ret_chunk;
    int32_t element = 0;
    int64_t count = fl_pq_thrift_list(t, kind, 4, &element);
    for (int64_t i = 0; i < count && fl_pq_thrift_struct(t, element); i++) {
        encoding_stats s = {.type = -1, .encoding = -1};
        fl_pq_thrift_read(t, encoding_members, FL_LEN(encoding_members), &s);
        if ((s.type != 0 && s.type != 3) || s.pages < 0 || s.pages > 1 << 20) /* data pages, v1 and v2 */
            continue;
        if (s.encoding == FL_PQ_PLAIN_DICTIONARY || s.encoding == FL_PQ_RLE_DICTIONARY)
            c->coded_pages = (int32_t)s.pages;
        else
            c->other_pages = (int32_t)s.pages;
    }
}

static void read_codec(fl_pq_thrift *t, int32_t kind, void *ret_codec)
{
    int64_t codec = fl_pq_thrift_int(t, kind);
    *(uint8_t *)ret_codec = codec < 0 || codec > FL_PQ_CODEC_COUNT ? FL_PQ_CODEC_COUNT : (uint8_t)codec;
}

/* How a column's metadata and pages are sealed. */
static void read_column_crypto(fl_pq_thrift *t, int32_t kind, void *ret_by)
{
    int32_t id = 0, k = 0;
    if (!fl_pq_thrift_struct(t, kind))
        return;
    while (fl_pq_thrift_field(t, &id, &k)) {
        *(int32_t *)ret_by = id;
        fl_pq_thrift_skip(t, k);
    }
}

enum { SEALED_BY_FOOTER_KEY = 1, SEALED_BY_OWN_KEY = 2 };

/* A column chunk as the footer has it. */
typedef struct stored_chunk {
    fl_pq_chunk chunk;
    fl_str path; /* of the file that it lies in, where that is another */
    int64_t dictionary_at;
    int32_t physical;
    int32_t sealed_by; /* 0: it is not */
    fl_str sealed;     /* its metadata */
} stored_chunk;

static const fl_pq_thrift_member column_metadata[] = {
    [1] = FL_PQ_THRIFT_VALUE(I32, stored_chunk, physical),
    [4] = FL_PQ_THRIFT_CALL(offsetof(stored_chunk, chunk.codec), read_codec),
    [5] = FL_PQ_THRIFT_VALUE(I64, stored_chunk, chunk.values),
    [7] = FL_PQ_THRIFT_VALUE(I64, stored_chunk, chunk.bytes),
    [9] = FL_PQ_THRIFT_VALUE(I64, stored_chunk, chunk.data_begin),
    [11] = FL_PQ_THRIFT_VALUE(I64, stored_chunk, dictionary_at),
    [12] = FL_PQ_THRIFT_MEMBERS(offsetof(stored_chunk, chunk.stats), statistics),
    [13] = FL_PQ_THRIFT_CALL(offsetof(stored_chunk, chunk), read_encoding_stats),
};

static const fl_pq_thrift_member column_chunk[] = {
    [1] = FL_PQ_THRIFT_VALUE(STR, stored_chunk, path),
    [3] = FL_PQ_THRIFT_MEMBERS(0, column_metadata),
    [4] = FL_PQ_THRIFT_VALUE(I64, stored_chunk, chunk.offset_index_at),
    [5] = FL_PQ_THRIFT_VALUE(I32, stored_chunk, chunk.offset_index_bytes),
    [6] = FL_PQ_THRIFT_VALUE(I64, stored_chunk, chunk.column_index_at),
    [7] = FL_PQ_THRIFT_VALUE(I32, stored_chunk, chunk.column_index_bytes),
    [8] = FL_PQ_THRIFT_CALL(offsetof(stored_chunk, sealed_by), read_column_crypto),
    [9] = FL_PQ_THRIFT_VALUE(STR, stored_chunk, sealed),
};

/* Opens a chunk's metadata where they are sealed apart. Without the key they are as if they were not there. */
static fl_status open_chunk(footer *f, int32_t leaf, stored_chunk *c, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_pq_keys *keys = f->meta->options.keys;
    uint8_t *opened = NULL;
    int64_t bytes = -1;
    fl_pq_thrift t;
    f->is_encrypted = true;
    c->chunk.is_sealed = true;
    if (keys != NULL && c->sealed_by == SEALED_BY_FOOTER_KEY) {
        c->chunk.key = keys->footer;
    } else if (keys != NULL) {
        const fl_pq_column_key *own = fl_pq_key_of(keys, f->meta->leaves[leaf].path);
        c->chunk.key = own != NULL ? own->key : (fl_str){0};
    }
    if (c->chunk.key.len == 0 || c->sealed.len == 0)
        return FL_OK;
    FL_TRY(fl_arena_get(f->arena, c->sealed.len, (void **)&opened, err));
    fl_pq_module_place place = {.module = FL_PQ_MODULE_COLUMN_METADATA, .group = f->group, .column = leaf};
    FL_TRY(fl_pq_module_open(&f->meta->crypt, c->chunk.key, place, c->sealed, opened, &bytes, err));
    if (bytes < 0) {
        FL_FAIL(err, FL_ERR_CONFIG, "the key of column \"%.*s\" is not the one that it was encrypted with",
                FL_STR_ARG(f->meta->leaves[leaf].path));
        return fl_err_state(err, "28000", FL_ERR_CONFIG);
    }
    fl_pq_thrift_init(&t, opened, bytes);
    fl_pq_thrift_read(&t, column_metadata, FL_LEN(column_metadata), c);
    f->t.is_bad |= t.is_bad;
cleanup:
    return st;
}

static fl_status read_chunk(footer *f, int32_t leaf, fl_pq_chunk *ret, int32_t *ret_physical, fl_err *err)
{
    stored_chunk c = {.physical = -1, .dictionary_at = -1};
    c.chunk = (fl_pq_chunk){.values = -1,
                            .begin = -1,
                            .bytes = -1,
                            .stats = {.null_count = -1, .distinct_count = -1, .is_max_exact = true}};
    fl_pq_thrift_read(&f->t, column_chunk, FL_LEN(column_chunk), &c);
    f->is_elsewhere |= c.path.len > 0;
    if (c.sealed_by == 0 && f->meta->crypt.is_bare) /* DuckDB does not say it of each column */
        c.sealed_by = SEALED_BY_FOOTER_KEY;
    if (c.sealed_by != 0 && !f->t.is_bad) {
        fl_status st = open_chunk(f, leaf, &c, err);
        if (st != FL_OK)
            return st;
        c.chunk.offset_index_at = c.chunk.column_index_at = 0; /* they are sealed, too, and pages have numbers */
    }
    *ret_physical = c.physical;
    *ret = c.chunk;
    /* offset 0 is the magic: old writers put it there when there is no dictionary page */
    ret->has_dictionary = c.dictionary_at > 0;
    ret->begin = ret->has_dictionary && c.dictionary_at < ret->data_begin ? c.dictionary_at : ret->data_begin;
    return FL_OK;
}

static const fl_pq_thrift_member sorting_column[] = {
    [1] = FL_PQ_THRIFT_VALUE(I32, fl_pq_sorting, leaf),
    [2] = FL_PQ_THRIFT_VALUE(BOOL, fl_pq_sorting, is_descending),
    [3] = FL_PQ_THRIFT_VALUE(BOOL, fl_pq_sorting, nulls_first),
};

/* What is behind a column that there is not is not known either. */
static fl_status read_sorting(footer *f, int32_t kind, fl_pq_row_group *g, fl_err *err)
{
    int32_t element = 0;
    int64_t count = fl_pq_thrift_list(&f->t, kind, 4, &element);
    if (f->t.is_bad || count == 0 || g->sorting != NULL)
        return FL_OK;
    fl_status st = FL_NEW_ARRAY(f->arena, count, &g->sorting, err);
    if (st != FL_OK)
        return st;
    bool is_known = true;
    for (int64_t i = 0; i < count && fl_pq_thrift_struct(&f->t, element); i++) {
        fl_pq_sorting sorting = {.leaf = -1};
        fl_pq_thrift_read(&f->t, sorting_column, FL_LEN(sorting_column), &sorting);
        is_known &= sorting.leaf >= 0 && sorting.leaf < f->meta->n_leaves;
        if (is_known)
            g->sorting[g->n_sorting++] = sorting;
    }
    return FL_OK;
}

/* Offsets and counts of a chunk, against the file and the row group. */
static fl_status check_chunk(const footer *f, int32_t group, int32_t leaf, int32_t physical, fl_err *err)
{
    const fl_pq_metadata *meta = f->meta;
    const fl_pq_leaf *l = &meta->leaves[leaf];
    const fl_pq_chunk *c = &meta->groups[group].chunks[leaf];
    int64_t rows = meta->groups[group].rows;
    const char *wrong = NULL;
    if (physical != (int32_t)l->physical)
        wrong = "its type is not the schema's";
    else if (c->values < rows || (l->rep_max == 0 && c->values != rows))
        wrong = "its number of values does not fit the row group's rows";
    else if (rows > 0 && (c->begin < MAGIC_BYTES || c->bytes < 0 || c->bytes > meta->file->bytes - c->begin))
        wrong = "it lies outside of the file";
    if (wrong == NULL)
        return FL_OK;
    return FL_FAIL(err, FL_ERR_CORRUPT, "row group %d, column \"%.*s\": %s", group, FL_STR_ARG(l->path), wrong);
}

static fl_status read_row_group(footer *f, int32_t group, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pq_metadata *meta = f->meta;
    fl_pq_thrift *t = &f->t;
    fl_pq_row_group *g = &meta->groups[group];
    int32_t id = 0, k = 0, *physical = NULL;
    int64_t count = 0;
    g->rows = -1;
    f->group = group;
    while (fl_pq_thrift_field(t, &id, &k)) {
        if (id == 1 && g->chunks == NULL) {
            int32_t element = 0;
            count = fl_pq_thrift_list(t, k, CHUNK_BYTES_MIN, &element);
            if (t->is_bad)
                break;
            if (count != meta->n_leaves)
                return FL_FAIL(err, FL_ERR_CORRUPT, "row group %d has %lld columns, the schema %d", group,
                               (long long)count, meta->n_leaves);
            FL_TRY(FL_NEW_ARRAY(f->arena, count, &g->chunks, err));
            FL_TRY(FL_NEW_ARRAY(f->arena, count, &physical, err));
            for (int64_t i = 0; i < count && fl_pq_thrift_struct(t, element); i++)
                FL_TRY(read_chunk(f, (int32_t)i, &g->chunks[i], &physical[i], err));
        } else if (id == 3) {
            g->rows = fl_pq_thrift_int(t, k);
        } else if (id == 4) {
            FL_TRY(read_sorting(f, k, g, err));
        } else {
            fl_pq_thrift_skip(t, k);
        }
    }
    if (t->is_bad)
        return FL_OK; /* said by the caller */
    if (g->rows < 0 || g->rows > INT64_MAX / 4 - meta->rows || (g->chunks == NULL && meta->n_leaves > 0))
        return FL_FAIL(err, FL_ERR_CORRUPT, "row group %d has no valid number of rows or no columns", group);
    meta->rows += g->rows;
    for (int32_t i = 0; i < meta->n_leaves && physical != NULL; i++)
        if (!g->chunks[i].is_sealed || g->chunks[i].key.len > 0)
            FL_TRY(check_chunk(f, group, i, physical[i], err));
cleanup:
    return st;
}

static fl_status read_row_groups(footer *f, int32_t kind, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pq_thrift *t = &f->t;
    int32_t element = 0;
    int64_t count = fl_pq_thrift_list(t, kind, GROUP_BYTES_MIN, &element);
    if (count > FL_PQ_ROW_GROUPS_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "it has %lld row groups; %d are the most", (long long)count,
                       FL_PQ_ROW_GROUPS_MAX);
    FL_TRY(FL_NEW_ARRAY(f->arena, count, &f->meta->groups, err));
    f->meta->n_groups = (int32_t)count;
    for (int32_t i = 0; i < count && fl_pq_thrift_struct(t, element); i++)
        FL_TRY(read_row_group(f, i, err));
cleanup:
    return st;
}

static fl_status fail_keyless(fl_err *err)
{
    FL_FAIL(err, FL_ERR_CONFIG, "it is encrypted, and there is no key");
    fl_err_hint(err, "give it: encryption_config = {'footer_key': '…'}");
    return fl_err_state(err, "28000", FL_ERR_CONFIG);
}

static fl_status join(fl_arena *arena, fl_str a, fl_str b, fl_str *ret, fl_err *err)
{
    char *both = NULL;
    fl_status st = fl_arena_get(arena, a.len + b.len + 1, (void **)&both, err);
    if (st != FL_OK)
        return st;
    if (a.len > 0)
        memcpy(both, a.data, (size_t)a.len);
    if (b.len > 0)
        memcpy(both + a.len, b.data, (size_t)b.len);
    *ret = (fl_str){both, a.len + b.len};
    return FL_OK;
}

/* What additional data of modules begin with. */
typedef struct algorithm {
    fl_str prefix, unique;
    bool is_given_prefix; /* by the user */
} algorithm;

static const fl_pq_thrift_member algorithm_members[] = {[1] = FL_PQ_THRIFT_VALUE(STR, algorithm, prefix),
                                                        [2] = FL_PQ_THRIFT_VALUE(STR, algorithm, unique),
                                                        [3] = FL_PQ_THRIFT_VALUE(BOOL, algorithm, is_given_prefix)};

static fl_status read_algorithm(footer *f, fl_pq_thrift *t, int32_t kind, fl_err *err)
{
    const fl_pq_keys *keys = f->meta->options.keys;
    algorithm a = {0};
    int32_t id = 0, k = 0;
    if (!fl_pq_thrift_struct(t, kind))
        return FL_OK;
    while (fl_pq_thrift_field(t, &id, &k)) {
        f->meta->crypt.is_ctr = id == 2;
        if (fl_pq_thrift_struct(t, k))
            fl_pq_thrift_read(t, algorithm_members, FL_LEN(algorithm_members), &a);
    }
    if (keys != NULL && keys->aad_prefix.len > 0)
        a.prefix = keys->aad_prefix;
    return join(f->arena, a.prefix, a.unique, &f->meta->crypt.aad, err);
}

static fl_status read_footer(footer *f, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pq_thrift *t = &f->t;
    const uint8_t *row_groups = NULL;
    int32_t id = 0, k = 0, row_groups_kind = 0;
    while (fl_pq_thrift_field(t, &id, &k)) {
        switch (id) {
        case 2:
            if (f->elements == NULL)
                FL_TRY(read_schema(f, k, err));
            else
                fl_pq_thrift_skip(t, k);
            break;
        case 3:
            f->rows = fl_pq_thrift_int(t, k);
            break;
        case 4:
            row_groups = t->at;
            row_groups_kind = k;
            fl_pq_thrift_skip(t, k);
            break;
        case 7:
            FL_TRY(read_column_orders(f, k, err));
            break;
        case 8: /* the footer is plain text, columns are not */
            f->is_encrypted = true;
            FL_TRY(read_algorithm(f, t, k, err));
            break;
        default:
            fl_pq_thrift_skip(t, k);
        }
    }
    if (f->is_encrypted && !t->is_bad && f->meta->options.keys == NULL)
        return fail_keyless(err);
    if (t->is_bad)
        goto cleanup;
    if (f->n_elements == 0)
        return FL_FAIL(err, FL_ERR_CORRUPT, "its footer has no schema");
    FL_TRY(fl_pq_schema_build(f->arena, f->elements, f->n_elements, f->meta, err));
    f->meta->elements = f->elements;
    f->meta->n_elements = f->n_elements;
    for (int32_t i = 0; i < f->meta->n_leaves; i++) {
        fl_pq_leaf *leaf = &f->meta->leaves[i];
        /* integers have one order only, so that writers without orders may be believed about them */
        leaf->has_type_order = f->has_orders ? i < f->n_orders && f->has_type_order[i] : leaf->is_signed_order;
        leaf->has_type_order &= leaf->is_order_known;
        leaf->is_signed_order &= leaf->is_order_known;
    }
    if (row_groups != NULL) {
        t->at = row_groups;
        FL_TRY(read_row_groups(f, row_groups_kind, err));
        if (f->is_encrypted && f->meta->options.keys == NULL)
            return fail_keyless(err);
        if (f->is_elsewhere)
            return FL_FAIL(err, FL_ERR_UNSUPPORTED, "its columns lie in other files; that cannot be read");
    }
    /* some writers leave the footer's own number at 0 */
    if (!t->is_bad && f->rows != 0 && f->rows != f->meta->rows)
        return FL_FAIL(err, FL_ERR_CORRUPT, "its footer says %lld rows, its row groups have %lld", (long long)f->rows,
                       (long long)f->meta->rows);
cleanup:
    return st;
}

int64_t fl_pq_group_row(const fl_pq_metadata *meta, int32_t group)
{
    int64_t rows = 0;
    for (int32_t g = 0; g < group; g++)
        rows += meta->groups[g].rows;
    return rows;
}

/* Says which kind of not being a Parquet file it is. */
static fl_status fail_magic(fl_file *file, fl_err *err)
{
    char head[MAGIC_BYTES] = {0};
    if (file->bytes >= MAGIC_BYTES) {
        fl_status st = fl_file_read_at(file, 0, head, MAGIC_BYTES, err);
        if (st != FL_OK)
            return st;
    }
    if (memcmp(head, "PAR1", MAGIC_BYTES) == 0)
        return FL_FAIL(err, FL_ERR_CORRUPT, "\"%s\" is truncated or damaged: footer missing, %lld bytes", file->path,
                       (long long)file->bytes);
    if (file->bytes == 0)
        return FL_FAIL(err, FL_ERR_CORRUPT, "\"%s\" is no Parquet file: it is empty", file->path);
    return FL_FAIL(err, FL_ERR_CORRUPT, "\"%s\" is no Parquet file: it does not begin and end with PAR1 (%lld bytes)",
                   file->path, (long long)file->bytes);
}

static fl_status fail_key(fl_err *err)
{
    FL_FAIL(err, FL_ERR_CONFIG, "the footer key is not the one that it was encrypted with, or its footer was changed");
    return fl_err_state(err, "28000", FL_ERR_CONFIG);
}

/* A sealed footer: in front of it stands how it is sealed. */
static fl_status open_footer(footer *f, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pq_metadata *meta = f->meta;
    fl_pq_thrift t;
    uint8_t *opened = NULL;
    int64_t bytes = -1;
    int32_t id = 0, k = 0;
    fl_pq_thrift_init(&t, meta->footer.data, meta->footer.len);
    while (fl_pq_thrift_field(&t, &id, &k))
        if (id == 1)
            FL_TRY(read_algorithm(f, &t, k, err));
        else
            fl_pq_thrift_skip(&t, k);
    if (t.is_bad)
        return FL_FAIL(err, FL_ERR_CORRUPT, "what it says of its encryption is malformed");
    fl_str sealed = {(const char *)t.at, t.end - t.at};
    FL_TRY(fl_arena_get(f->arena, sealed.len + 1, (void **)&opened, err));
    fl_pq_module_place place = {.module = FL_PQ_MODULE_FOOTER};
    FL_TRY(fl_pq_module_open(&meta->crypt, meta->options.keys->footer, place, sealed, opened, &bytes, err));
    if (bytes < 0) {
        meta->crypt.is_bare = true;
        FL_TRY(fl_pq_module_open(&meta->crypt, meta->options.keys->footer, place, sealed, opened, &bytes, err));
    }
    if (bytes < 0)
        return fail_key(err);
    meta->footer = (fl_str){(const char *)opened, bytes};
cleanup:
    return st;
}

/* A footer in plain text is signed: where there is a key, it is held to that. */
static fl_status check_signature(const footer *f, fl_err *err)
{
    bool is_signed = true;
    const fl_pq_metadata *meta = f->meta;
    int64_t bytes = f->t.at - f->t.begin, rest = f->t.end - f->t.at;
    if (f->t.is_bad || rest != SIGNATURE_BYTES || meta->options.keys == NULL || meta->options.keys->footer.len == 0)
        return FL_OK;
    fl_str signature = {meta->footer.data + bytes, rest};
    fl_status st = fl_pq_footer_is_signed(&meta->crypt, meta->options.keys->footer, (fl_str){meta->footer.data, bytes},
                                          signature, &is_signed, err);
    return st == FL_OK && !is_signed ? fail_key(err) : st;
}

fl_status fl_pq_metadata_read(fl_arena *arena, fl_file *file, fl_pq_type_options options, fl_pq_metadata *ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t tail[TAIL_BYTES];
    uint8_t *bytes = NULL;
    *ret = (fl_pq_metadata){.file = file, .options = options};
    footer f = {.arena = arena, .meta = ret};
    if (file->bytes < MAGIC_BYTES + TAIL_BYTES)
        return fail_magic(file, err);
    FL_TRY(fl_file_read_at(file, file->bytes - TAIL_BYTES, tail, TAIL_BYTES, err));
    bool is_sealed = memcmp(tail + 4, "PARE", MAGIC_BYTES) == 0;
    if (is_sealed && options.keys == NULL) {
        st = fail_keyless(err);
        fl_err_prefix(err, "\"%s\" cannot be read: ", file->path);
        return st;
    }
    if (!is_sealed && memcmp(tail + 4, "PAR1", MAGIC_BYTES) != 0)
        return fail_magic(file, err);
    int64_t length =
        (int64_t)((uint32_t)tail[0] | (uint32_t)tail[1] << 8 | (uint32_t)tail[2] << 16 | (uint32_t)tail[3] << 24);
    if (length > file->bytes - TAIL_BYTES - MAGIC_BYTES)
        return FL_FAIL(err, FL_ERR_CORRUPT, "\"%s\" is damaged: its footer would have %lld bytes, the file has %lld",
                       file->path, (long long)length, (long long)file->bytes);
    FL_TRY(fl_arena_get(arena, length, (void **)&bytes, err));
    FL_TRY(fl_file_read_at(file, file->bytes - TAIL_BYTES - length, bytes, length, err));
    ret->footer = (fl_str){(const char *)bytes, length};
    if (is_sealed) {
        if ((st = open_footer(&f, err)) != FL_OK)
            fl_err_prefix(err, "\"%s\" cannot be read: ", file->path);
        FL_TRY(st);
        length = ret->footer.len;
    }
    fl_pq_thrift_init(&f.t, ret->footer.data, length);
    if ((st = read_footer(&f, err)) != FL_OK || (st = check_signature(&f, err)) != FL_OK)
        fl_err_prefix(err, "\"%s\" cannot be read: ", file->path);
    else if (f.t.is_bad)
        st = FL_FAIL(err, FL_ERR_CORRUPT, "\"%s\" is damaged: its footer is malformed at byte %lld of %lld", file->path,
                     (long long)(f.t.at - f.t.begin), (long long)length);
cleanup:
    return st;
}
