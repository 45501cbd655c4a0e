/* The table of united files: its columns, and where each file has them. */
#include "base/hash.h"
#include "format/hive_paths.h"
#include "format/options.h"
#include "format/united_internal.h"

/* ---- the table ---- */

static void table_free(fl_table *base)
{
    fl_united *t = (fl_united *)base;
    for (int32_t i = 0; i < t->n_parts; i++)
        fl_table_unref(t->parts[i].table);
    fl_arena_drop(&t->arena);
    fl_free(t);
}

/* Statistics of all files together: bounds where each has some, values counted as if files had the same ones. */
static void table_stats(fl_table *base, int32_t col, fl_col_stats *ret)
{
    const fl_united *t = (const fl_united *)base;
    double nulls = 0, rows = 0;
    bool has_nulls = true;
    *ret = (fl_col_stats){.null_fraction = -1, .distinct = -1};
    for (int32_t i = 0; i < t->n_parts; i++) {
        const fl_united_part *p = &t->parts[i];
        const fl_value *value = &p->values[col];
        fl_col_stats own = {.null_fraction = value->is_null ? 1 : 0, .distinct = -1};
        bool is_constant = p->cols[col] == FL_UNITED_CONSTANT;
        if (is_constant && !value->is_null) {
            own.has_bounds = true;
            own.min = own.max = *value;
        } else if (!is_constant) {
            own.null_fraction = -1;
            if (p->table->ops->stats != NULL)
                p->table->ops->stats(p->table, p->cols[col], &own);
        }
        bool has_none = is_constant && value->is_null;
        if (i == 0) {
            ret->has_bounds = own.has_bounds;
            ret->min = own.min;
            ret->max = own.max;
        } else if (!has_none) {
            ret->has_bounds &= own.has_bounds;
            if (ret->has_bounds && fl_value_compare(&own.min, &ret->min) < 0)
                ret->min = own.min;
            if (ret->has_bounds && fl_value_compare(&own.max, &ret->max) > 0)
                ret->max = own.max;
        }
        ret->distinct = own.distinct > ret->distinct ? own.distinct : ret->distinct;
        has_nulls &= own.null_fraction >= 0;
        nulls += own.null_fraction * p->table->rows;
        rows += p->table->rows;
    }
    if (has_nulls && rows > 0)
        ret->null_fraction = nulls / rows;
}

static const fl_table_ops table_ops = {.scan_new = fl_united_scan_new, .stats = table_stats, .free = table_free};

/* ---- columns ---- */

typedef struct columns {
    fl_arena *arena;
    fl_field *fields;
    int64_t capacity;
    int32_t n;
} columns;

static int32_t find_column(const columns *c, fl_str name)
{
    for (int32_t i = 0; i < c->n; i++)
        if (fl_str_is_equal_nocase(c->fields[i].name, name))
            return i;
    return -1;
}

static fl_status add_column(columns *c, fl_str name, fl_type type, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_grow(c->arena->memory, (void **)&c->fields, &c->capacity, c->n + 1, (int64_t)sizeof(fl_field), err));
    c->fields[c->n] = (fl_field){.type = type, .nullable = true};
    FL_TRY(fl_arena_copy_str(c->arena, name, &c->fields[c->n].name, err));
    FL_TRY(fl_type_copy(c->arena, type, &c->fields[c->n].type, err));
    c->n++;
cleanup:
    return st;
}

/* The type that holds the values of both, as texts of a file are read; false: there is none but text. */
static fl_type meet(fl_type a, fl_type b)
{
    if (fl_type_is_equal(a, b))
        return a;
    if (fl_type_is_numeric(a) && fl_type_is_numeric(b)) {
        bool is_whole = (fl_type_is_integer(a) || (a.id == FL_DECIMAL && a.scale == 0)) &&
                        (fl_type_is_integer(b) || (b.id == FL_DECIMAL && b.scale == 0));
        return is_whole ? FL_TYPE_DECIMAL(FL_DECIMAL_PRECISION_MAX, 0) : FL_TYPE(FL_F64);
    }
    if ((a.id == FL_DATE && b.id == FL_TIMESTAMP) || (a.id == FL_TIMESTAMP && b.id == FL_DATE))
        return FL_TYPE(FL_TIMESTAMP);
    return FL_TYPE(FL_UTF8);
}

/* All files' columns by name; where types differ and the reader may be told, *ret_retyped. */
static fl_status unite_columns(fl_united *t, columns *c, bool by_name, bool has_types, const fl_str *paths,
                               bool *ret_retyped, fl_err *err)
{
    fl_status st = FL_OK;
    *ret_retyped = false;
    for (int32_t i = 0; i < t->n_parts; i++) {
        const fl_table *own = t->parts[i].table;
        for (int32_t col = 0; col < own->n_cols; col++) {
            const fl_field *field = &own->fields[col];
            int32_t known_col = find_column(c, field->name);
            if (known_col < 0 && (by_name || i == 0)) {
                FL_TRY(add_column(c, field->name, field->type, err));
            } else if (known_col < 0) {
                st = FL_FAIL(err, FL_ERR_FORMAT, "\"%.*s\" has a column \"%.*s\", which \"%.*s\" does not have",
                             FL_STR_ARG(paths[i]), FL_STR_ARG(field->name), FL_STR_ARG(paths[0]));
                fl_err_hint(err, "union_by_name = true takes the columns of all files");
                goto cleanup;
            } else if (!fl_type_is_equal(c->fields[known_col].type, field->type)) {
                fl_type type = meet(c->fields[known_col].type, field->type);
                if (!has_types) {
                    FL_FAIL(err, FL_ERR_TYPE, "column \"%.*s\" is %s in \"%.*s\", but %s in files before it",
                            FL_STR_ARG(field->name), FL_TYPE_NAME(field->type), FL_STR_ARG(paths[i]),
                            FL_TYPE_NAME(c->fields[known_col].type));
                    fl_err_hint(err, "read them apart and put them together by UNION ALL BY NAME, with casts");
                    st = fl_err_state(err, "42804", FL_ERR_TYPE);
                    goto cleanup;
                }
                c->fields[known_col].type = type;
                *ret_retyped = true;
            }
        }
    }
cleanup:
    return st;
}

/* ---- partitions ---- */

static fl_status say_type(const fl_united_wishes *wishes, fl_arena *arena, fl_str key, fl_type *ret, bool *ret_said,
                          fl_err *err)
{
    fl_status st = FL_OK;
    fl_option_fields fields = {0};
    *ret_said = false;
    if (wishes->hive_types.type.id == FL_NULL)
        return FL_OK;
    FL_TRY(fl_option_columns(arena, &wishes->hive_types, &fields, err));
    for (int32_t i = 0; i < fields.n; i++)
        if (fl_str_is_equal_nocase(fields.fields[i].name, key)) {
            *ret = fields.fields[i].type;
            *ret_said = true;
        }
cleanup:
    return st;
}

/* One partition column: its type, and each file's value. */
static fl_status add_partition(fl_united *t, columns *c, fl_str key, const fl_str *paths,
                               const fl_united_wishes *wishes, fl_value *values, int32_t *ret_col, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str *texts = NULL;
    fl_type type = FL_TYPE(FL_UTF8);
    bool is_said = false;
    FL_TRY(FL_NEW_ARRAY(&t->arena, t->n_parts, &texts, err));
    for (int32_t i = 0; i < t->n_parts; i++)
        FL_TRY(fl_hive_value(&t->arena, paths[i], key, &texts[i], err));
    FL_TRY(say_type(wishes, &t->arena, key, &type, &is_said, err));
    if (!is_said && wishes->hive_autocast)
        type = fl_hive_guess_type(texts, t->n_parts);
    *ret_col = find_column(c, key);
    if (*ret_col < 0) {
        *ret_col = c->n;
        FL_TRY(add_column(c, key, type, err));
    }
    c->fields[*ret_col].type = type;
    for (int32_t i = 0; i < t->n_parts; i++) {
        fl_err inner;
        values[i] = (fl_value){.type = type, .is_null = true};
        if (texts[i].data == NULL || fl_value_from_text(type, texts[i], &values[i], &inner) == FL_OK)
            continue;
        FL_FAIL(err, FL_ERR_CONFIG, "the folder \"%.*s=%.*s\" of \"%.*s\" is no %s", FL_STR_ARG(key),
                FL_STR_ARG(texts[i]), FL_STR_ARG(paths[i]), FL_TYPE_NAME(type));
        fl_err_hint(err, "give the partition another type in hive_types, or read it as text");
        return fl_err_state(err, "22023", FL_ERR_CONFIG);
    }
cleanup:
    return st;
}

/* ---- opening ---- */

/* Opens the files again with the types that all of them have. */
static fl_status retype(fl_united *t, const columns *c, const fl_str *paths, const fl_option *options,
                        int32_t n_options, const fl_united_opener *opener, fl_err *err)
{
    fl_status st = FL_OK;
    fl_option *more = NULL;
    FL_TRY(FL_NEW_ARRAY(&t->arena, n_options + 1, &more, err));
    memcpy(more, options, (size_t)n_options * sizeof(*options));
    for (int32_t i = 0; i < t->n_parts; i++) {
        fl_table *table = NULL, *old = t->parts[i].table;
        fl_field *fields = NULL;
        fl_value *names = NULL;
        int32_t n = 0;
        FL_TRY(FL_NEW_ARRAY(&t->arena, old->n_cols + 1, &fields, err));
        FL_TRY(FL_NEW_ARRAY(&t->arena, old->n_cols + 1, &names, err));
        for (int32_t col = 0; col < old->n_cols; col++) {
            int32_t known_col = find_column(c, old->fields[col].name);
            if (fl_type_is_equal(c->fields[known_col].type, old->fields[col].type))
                continue;
            fields[n] = (fl_field){.name = old->fields[col].name, .type = FL_TYPE(FL_UTF8), .nullable = true};
            names[n] = (fl_value){.type = FL_TYPE(FL_UTF8)};
            FL_TRY(fl_arena_copy_str(&t->arena, fl_str_of(FL_TYPE_NAME(c->fields[known_col].type)), &names[n].s, err));
            n++;
        }
        if (n == 0)
            continue;
        fl_type types = {.id = FL_STRUCT, .fields = fields, .n_fields = n};
        more[n_options] =
            (fl_option){.name = FL_STR("types"), .value = {.type = types, .list = {.items = names, .n = n}}};
        FL_TRY(opener->open(opener->ctx, paths[i], more, n_options + 1, &table, err));
        fl_table_unref(old);
        t->parts[i].table = table;
    }
cleanup:
    return st;
}

/* Where each file's columns are; what is not in it is null. */
static fl_status place_columns(fl_united *t, const columns *c, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < t->n_parts; i++) {
        fl_united_part *p = &t->parts[i];
        FL_TRY(FL_NEW_ARRAY(&t->arena, c->n + 1, &p->cols, err));
        FL_TRY(FL_NEW_ARRAY(&t->arena, c->n + 1, &p->values, err));
        FL_TRY(FL_NEW_ARRAY(&t->arena, c->n + 1, &p->constants, err));
        for (int32_t col = 0; col < c->n; col++) {
            p->cols[col] = FL_UNITED_CONSTANT;
            p->values[col] = (fl_value){.type = c->fields[col].type, .is_null = true};
            for (int32_t own = 0; own < p->table->n_cols && p->cols[col] == FL_UNITED_CONSTANT; own++)
                if (fl_str_is_equal_nocase(p->table->fields[own].name, c->fields[col].name))
                    p->cols[col] = own;
        }
    }
cleanup:
    return st;
}

static void set_constant(fl_united *t, int32_t number, int32_t col, const fl_value *value)
{
    t->parts[number].cols[col] = FL_UNITED_CONSTANT;
    t->parts[number].values[col] = *value;
}

static fl_status make_vectors(fl_united *t, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < t->n_parts; i++)
        for (int32_t col = 0; col < t->table.n_cols; col++)
            if (t->parts[i].cols[col] == FL_UNITED_CONSTANT)
                FL_TRY(fl_value_to_vec(&t->arena, &t->parts[i].values[col], &t->parts[i].constants[col], err));
cleanup:
    return st;
}

static fl_status learn(fl_united *t, columns *c, const fl_str *paths, const fl_united_wishes *wishes,
                       const fl_option *options, int32_t n_options, const fl_united_opener *opener, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_retyped = false;
    int32_t n_keys = 0, filename = -1, *partitions = NULL;
    fl_str *keys = NULL;
    fl_value *values = NULL;
    FL_TRY(unite_columns(t, c, wishes->by_name, opener->has_types, paths, &is_retyped, err));
    if (is_retyped)
        FL_TRY(retype(t, c, paths, options, n_options, opener, err));
    if (wishes->filename.len > 0) {
        if (find_column(c, wishes->filename) >= 0) {
            st = FL_FAIL(err, FL_ERR_CONFIG, "the files have a column \"%.*s\" already", FL_STR_ARG(wishes->filename));
            fl_err_hint(err, "filename = 'file' calls the new one so");
            goto cleanup;
        }
        filename = c->n;
        FL_TRY(add_column(c, wishes->filename, FL_TYPE(FL_UTF8), err));
    }
    if (wishes->hive)
        FL_TRY(fl_hive_keys(&t->arena, paths[0], &keys, &n_keys, err));
    FL_TRY(FL_NEW_ARRAY(&t->arena, (int64_t)n_keys * t->n_parts + 1, &values, err));
    FL_TRY(FL_NEW_ARRAY(&t->arena, n_keys + 1, &partitions, err));
    for (int32_t k = 0; k < n_keys; k++)
        FL_TRY(add_partition(t, c, keys[k], paths, wishes, values + (int64_t)k * t->n_parts, &partitions[k], err));
    FL_TRY(place_columns(t, c, err));
    for (int32_t i = 0; i < t->n_parts; i++) {
        fl_value name = {.type = FL_TYPE(FL_UTF8)};
        if (filename >= 0) {
            FL_TRY(fl_arena_copy_str(&t->arena, paths[i], &name.s, err));
            set_constant(t, i, filename, &name);
        }
        for (int32_t k = 0; k < n_keys; k++)
            set_constant(t, i, partitions[k], &values[(int64_t)k * t->n_parts + i]);
    }
    t->table.n_cols = c->n;
    FL_TRY(make_vectors(t, err));
cleanup:
    return st;
}

/* Name, version and hash: those of the files, and of what is said of them. */
static fl_status identify(fl_united *t, const fl_str *paths, const fl_united_wishes *wishes, fl_err *err)
{
    fl_status st = FL_OK;
    t->table.format = t->parts[0].table->format;
    for (int32_t i = 0; i < t->n_parts; i++) {
        const fl_table *own = t->parts[i].table;
        t->table.version = fl_hash_combine(t->table.version, own->version);
        t->table.options_hash = fl_hash_combine(t->table.options_hash, own->options_hash);
        t->table.options_hash = fl_hash_combine(t->table.options_hash, fl_hash_bytes(paths[i].data, paths[i].len));
        t->table.rows += own->rows;
        if (t->table.note.len == 0 && own->note.len > 0)
            FL_TRY(fl_arena_copy_str(&t->arena, own->note, &t->table.note, err));
    }
    for (int32_t col = 0; col < t->table.n_cols; col++)
        t->table.options_hash = fl_hash_combine(t->table.options_hash, fl_type_hash(t->table.fields[col].type));
    t->table.options_hash = fl_hash_combine(t->table.options_hash, (uint64_t)wishes->by_name << 1 | wishes->hive);
    t->table.options_hash =
        fl_hash_combine(t->table.options_hash, fl_hash_bytes(wishes->filename.data, wishes->filename.len));
    if (t->n_parts > 1)
        FL_TRY(
            fl_arena_format(&t->arena, &t->table.name, err, "%.*s and %d more", FL_STR_ARG(paths[0]), t->n_parts - 1));
    else
        FL_TRY(fl_arena_copy_str(&t->arena, paths[0], &t->table.name, err));
cleanup:
    return st;
}

fl_status fl_united_files_open(fl_memory *memory, const fl_str *paths, int64_t n_paths, const fl_united_wishes *wishes,
                               const fl_option *options, int32_t n_options, const fl_united_opener *opener,
                               fl_table **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_united *t = NULL;
    columns c = {0};
    fl_field *fields = NULL;
    FL_ASSERT(n_paths > 0 && n_paths <= INT32_MAX);
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*t), (void **)&t, err));
    t->table.ops = &table_ops;
    atomic_init(&t->table.refs, 1);
    fl_arena_init(&t->arena, memory);
    c.arena = &t->arena;
    FL_TRY(FL_NEW_ARRAY(&t->arena, n_paths, &t->parts, err));
    for (; t->n_parts < n_paths; t->n_parts++)
        FL_TRY(opener->open(opener->ctx, paths[t->n_parts], options, n_options, &t->parts[t->n_parts].table, err));
    FL_TRY(learn(t, &c, paths, wishes, options, n_options, opener, err));
    FL_TRY(FL_NEW_ARRAY(&t->arena, c.n + 1, &fields, err));
    memcpy(fields, c.fields, (size_t)c.n * sizeof(*fields));
    t->table.fields = fields;
    FL_TRY(identify(t, paths, wishes, err));
    *ret = &t->table;
    t = NULL;
cleanup:
    fl_free(c.fields);
    if (t != NULL)
        table_free(&t->table);
    return st;
}
