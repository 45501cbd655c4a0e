/* The table of united files: its columns, and where each file has them. */
#include "base/file.h"
#include "base/hash.h"
#include "base/nearest.h"
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
        bool is_converted = fl_united_is_converted(t, i, col);
        if (is_constant && !value->is_null) {
            own.has_bounds = true;
            own.min = own.max = *value;
        } else if (!is_constant) {
            own.null_fraction = -1;
            if (p->table->ops->stats != NULL && !is_converted)
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
static fl_type meet(fl_arena *arena, fl_type a, fl_type b)
{
    fl_type common;
    if (fl_type_is_equal(a, b))
        return a;
    if (fl_type_is_nested(a) && fl_type_is_nested(b) && fl_type_common_in(arena, a, b, &common))
        return common;
    if (fl_type_is_numeric(a) && fl_type_is_numeric(b)) {
        bool is_whole = (fl_type_is_integer(a) || (a.id == FL_DECIMAL && a.scale == 0)) &&
                        (fl_type_is_integer(b) || (b.id == FL_DECIMAL && b.scale == 0));
        return is_whole ? FL_TYPE_DECIMAL(FL_DECIMAL_PRECISION_MAX, 0) : FL_TYPE(FL_F64);
    }
    if ((a.id == FL_DATE && b.id == FL_TIMESTAMP) || (a.id == FL_TIMESTAMP && b.id == FL_DATE))
        return FL_TYPE(FL_TIMESTAMP);
    return FL_TYPE(FL_UTF8);
}

static bool has_column(const fl_table *table, fl_str name)
{
    for (int32_t i = 0; i < table->n_cols; i++)
        if (fl_str_is_equal_nocase(table->fields[i].name, name))
            return true;
    return false;
}

/* All files' columns by name; where types differ and the reader may be told, *ret_retyped. */
static fl_status unite_columns(fl_united *t, columns *c, bool by_name, bool has_types, const fl_str *paths,
                               bool *ret_retyped, fl_err *err)
{
    fl_status st = FL_OK;
    *ret_retyped = false;
    for (int32_t i = 0; i < t->n_parts; i++) {
        const fl_table *own = t->parts[i].table;
        for (int32_t known_col = 0; known_col < c->n && !by_name; known_col++) {
            fl_str name = c->fields[known_col].name;
            if (has_column(own, name))
                continue;
            st = FL_FAIL(err, FL_ERR_FORMAT, "\"%.*s\" has no column \"%.*s\", which \"%.*s\" has",
                         FL_STR_ARG(paths[i]), FL_STR_ARG(name), FL_STR_ARG(paths[0]));
            fl_err_hint(err, "union_by_name = true takes the columns of all files");
            goto cleanup;
        }
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
                fl_type type = meet(&t->arena, c->fields[known_col].type, field->type);
                bool can_convert =
                    fl_united_can_convert(field->type, type) && fl_united_can_convert(c->fields[known_col].type, type);
                if (!has_types && !can_convert) {
                    FL_FAIL(err, FL_ERR_TYPE, "column \"%.*s\" is %s in \"%.*s\", but %s in files before it",
                            FL_STR_ARG(field->name), FL_TYPE_NAME(field->type), FL_STR_ARG(paths[i]),
                            FL_TYPE_NAME(c->fields[known_col].type));
                    fl_err_hint(err, "read them apart and put them together by UNION ALL BY NAME, with casts");
                    st = fl_err_state(err, "42804", FL_ERR_TYPE);
                    goto cleanup;
                }
                FL_TRY(fl_type_copy(&t->arena, type, &c->fields[known_col].type, err)); /* a part's may go */
                *ret_retyped = has_types;
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

static fl_status name_type(fl_arena *arena, fl_type type, fl_str *ret, fl_err *err)
{
    fl_text text;
    fl_text_init(&text, arena->memory);
    fl_type_print(&text, type);
    fl_status st = fl_text_status(&text, err);
    if (st == FL_OK)
        st = fl_arena_copy_str(arena, fl_text_str(&text), ret, err);
    fl_text_drop(&text);
    return st;
}

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
        bool any_other = false;
        FL_TRY(FL_NEW_ARRAY(&t->arena, old->n_cols + 1, &fields, err));
        FL_TRY(FL_NEW_ARRAY(&t->arena, old->n_cols + 1, &names, err));
        for (int32_t col = 0; col < old->n_cols; col++) {
            int32_t known_col = find_column(c, old->fields[col].name);
            bool is_other = !fl_type_is_equal(c->fields[known_col].type, old->fields[col].type);
            any_other |= is_other;
            if (!is_other && !opener->has_all_types)
                continue;
            fields[n] = (fl_field){.name = old->fields[col].name, .type = FL_TYPE(FL_UTF8), .nullable = true};
            names[n] = (fl_value){.type = FL_TYPE(FL_UTF8)};
            FL_TRY(name_type(&t->arena, c->fields[known_col].type, &names[n].s, err));
            n++;
        }
        if (!any_other)
            continue;
        fl_type types = {.id = FL_STRUCT, .fields = fields, .n_fields = n};
        more[n_options] = (fl_option){.name = fl_str_of(opener->types_option),
                                      .value = {.type = types, .list = {.items = names, .n = n}}};
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

/* Types that were said of columns of any of the files. */
static fl_status take_types(columns *c, const fl_option_fields *types, fl_str path, bool *ret_retyped, fl_err *err)
{
    for (int32_t i = 0; i < types->n; i++) {
        int32_t col = find_column(c, types->fields[i].name);
        if (col < 0) {
            fl_nearest near;
            FL_FAIL(err, FL_ERR_CONFIG, "the types name a column \"%.*s\", which neither \"%.*s\" nor another file has",
                    FL_STR_ARG(types->fields[i].name), FL_STR_ARG(path));
            fl_err_state(err, "42703", FL_ERR_CONFIG);
            fl_nearest_init(&near, types->fields[i].name);
            for (int32_t other = 0; other < c->n; other++)
                fl_nearest_offer(&near, c->fields[other].name);
            fl_nearest_hint(&near, err);
            return FL_ERR_CONFIG;
        }
        *ret_retyped |= !fl_type_is_equal(c->fields[col].type, types->fields[i].type);
        c->fields[col].type = types->fields[i].type;
    }
    return FL_OK;
}

/* Each of hive_types is a key of the folders. */
static fl_status check_said(const fl_united_wishes *wishes, const fl_str *keys, int32_t n_keys, fl_str path,
                            fl_err *err)
{
    const fl_type *said = &wishes->hive_types.type;
    for (int32_t i = 0; i < (said->id == FL_STRUCT ? said->n_fields : 0); i++) {
        bool is_key = false;
        for (int32_t k = 0; k < n_keys; k++)
            is_key |= fl_str_is_equal_nocase(keys[k], said->fields[i].name);
        if (is_key)
            continue;
        fl_nearest near;
        FL_FAIL(err, FL_ERR_CONFIG, "hive_types names \"%.*s\", but no folder of \"%.*s\" is called so",
                FL_STR_ARG(said->fields[i].name), FL_STR_ARG(path));
        fl_err_state(err, "42703", FL_ERR_CONFIG);
        fl_nearest_init(&near, said->fields[i].name);
        for (int32_t k = 0; k < n_keys; k++)
            fl_nearest_offer(&near, keys[k]);
        fl_nearest_hint(&near, err);
        return FL_ERR_CONFIG;
    }
    return FL_OK;
}

static fl_status learn(fl_united *t, columns *c, const fl_str *paths, const fl_united_wishes *wishes,
                       const fl_option *options, int32_t n_options, const fl_option_fields *types,
                       const fl_united_opener *opener, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_retyped = false;
    int32_t n_keys = 0, filename = -1, *partitions = NULL;
    fl_str *keys = NULL;
    fl_value *values = NULL;
    FL_TRY(unite_columns(t, c, wishes->by_name, opener->types_option != NULL, paths, &is_retyped, err));
    FL_TRY(take_types(c, types, paths[0], &is_retyped, err));
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
    FL_TRY(check_said(wishes, keys, n_keys, paths[0], err));
    for (int32_t k = 0; k < n_keys && filename >= 0; k++)
        if (fl_str_is_equal_nocase(keys[k], wishes->filename)) {
            st = FL_FAIL(err, FL_ERR_CONFIG, "the folders have a key \"%.*s\" already", FL_STR_ARG(keys[k]));
            fl_err_hint(err, "filename = 'file' calls the new column so");
            goto cleanup;
        }
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

/* Types of columns by name, which need not be in every file. */
static bool is_types_option(const fl_united_opener *opener, const fl_option *option)
{
    static const fl_str names[] = {FL_STR("types"), FL_STR("dtypes"), FL_STR("column_types")};
    bool is_one = false;
    for (int64_t i = 0; i < FL_LEN(names); i++)
        is_one |= fl_str_is_equal_nocase(option->name, names[i]);
    return opener->types_option != NULL && is_one && option->value.type.id == FL_STRUCT && !option->value.is_null;
}

static fl_status read_types(fl_arena *arena, const fl_option *option, fl_option_fields *ret, fl_err *err)
{
    fl_status st = fl_option_columns(arena, &option->value, ret, err);
    if (st == FL_ERR_TYPE)
        st = FL_FAIL(err, FL_ERR_CONFIG, "the option %.*s is %s", FL_STR_ARG(option->name), FL_OPTION_TYPES);
    if (st != FL_OK)
        fl_err_at(err, option->pos);
    return st;
}

static bool is_empty(const fl_memory *memory, fl_str path)
{
    fl_file *file = NULL;
    bool is = fl_file_open(memory->system, path, &file, NULL) == FL_OK && file->bytes == 0;
    fl_file_unref(file);
    return is;
}

fl_status fl_united_files_open(fl_memory *memory, const fl_str *paths, int64_t n_paths, const fl_united_wishes *wishes,
                               const fl_option *options, int32_t n_options, const fl_united_opener *opener,
                               fl_table **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_united *t = NULL;
    columns c = {0};
    fl_field *fields = NULL;
    fl_str *own_paths = NULL; /* of files that are not empty */
    fl_option *own = NULL;
    fl_option_fields types = {0};
    int32_t n_own = 0;
    FL_ASSERT(n_paths > 0 && n_paths <= INT32_MAX);
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*t), (void **)&t, err));
    t->table.ops = &table_ops;
    atomic_init(&t->table.refs, 1);
    fl_arena_init(&t->arena, memory);
    c.arena = &t->arena;
    FL_TRY(FL_NEW_ARRAY(&t->arena, n_paths, &t->parts, err));
    FL_TRY(FL_NEW_ARRAY(&t->arena, n_paths, &own_paths, err));
    FL_TRY(FL_NEW_ARRAY(&t->arena, n_options + 1, &own, err));
    for (int32_t i = 0; i < n_options; i++)
        if (!wishes->by_name || !is_types_option(opener, &options[i]))
            own[n_own++] = options[i];
        else
            FL_TRY(read_types(&t->arena, &options[i], &types, err));
    for (int64_t i = 0; i < n_paths; i++) {
        fl_table **part = &t->parts[t->n_parts].table;
        fl_err fault = {0};
        st = opener->open(opener->ctx, paths[i], own, n_own, part, &fault);
        if (st == FL_ERR_FORMAT && n_paths > 1 && is_empty(memory, paths[i]) && (t->n_parts > 0 || i + 1 < n_paths)) {
            st = FL_OK; /* no rows, whatever the columns are */
            continue;
        }
        if (st != FL_OK && err != NULL)
            *err = fault;
        FL_TRY(st);
        own_paths[t->n_parts++] = paths[i];
    }
    paths = own_paths;
    FL_TRY(learn(t, &c, paths, wishes, own, n_own, &types, opener, err));
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
