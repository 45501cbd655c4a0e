/* COPY: to a file, a plan that writes the rows of a query; from one, the INSERT of what the format's reader gives. EXPORT and IMPORT
 * DATABASE are made of both by whoever runs them. */
#include "front/sql/bind_definition.h"

#include "base/nearest.h"
#include "op/copy/node.h"
#include "op/project/node.h"

/* ---- options ---- */

typedef struct copying {
    fl_sql_env *env;
    const fl_ast_copy *copy;
    const fl_writer_desc *writer;
    fl_option *options; /* all that were given, under their names in lower case */
    int32_t n_options;
} copying;

static fl_status bind_value(binder *b, const fl_ast_expr *ast, fl_value *ret)
{
    scope s;
    if (ast->kind == FL_AST_STAR) {
        *ret = (fl_value){.type = FL_TYPE(FL_UTF8), .s = FL_STR("*")};
        return FL_OK;
    }
    fl_sql_scope_init(&s, NULL, CLAUSE_VALUES);
    return fl_sql_bind_constant(b, &s, ast, "an option of COPY", ret);
}

static fl_status bind_list(binder *b, const fl_ast_copy_option *ast, fl_value *ret)
{
    fl_status st = FL_OK;
    fl_value *items = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, ast->value_count + 1, &items, b->err));
    for (int32_t i = 0; i < ast->value_count; i++) {
        FL_TRY(bind_value(b, ast->values[i], &items[i]));
        if (items[i].type.id != FL_UTF8 || items[i].is_null)
            return fl_sql_bind_fail(b, ast->values[i]->start, FL_ERR_CONFIG, "a list of COPY's option %.*s is of names",
                                    FL_STR_ARG(ast->name.text));
    }
    *ret = (fl_value){.list = {.items = items, .n = ast->value_count}};
    st = fl_type_list_of(b->arena, FL_TYPE(FL_UTF8), &ret->type, b->err);
cleanup:
    return st;
}

static fl_status bind_options(binder *b, copying *c)
{
    fl_status st = FL_OK;
    const fl_ast_copy *copy = c->copy;
    c->n_options = 0;
    FL_TRY(FL_NEW_ARRAY(b->arena, copy->option_count + 3, &c->options, b->err));
    for (int32_t i = 0; i < copy->option_count; i++) {
        const fl_ast_copy_option *ast = &copy->options[i];
        fl_option *option = &c->options[c->n_options];
        char *name = NULL;
        FL_TRY(fl_arena_get(b->arena, ast->name.text.len + 1, (void **)&name, b->err));
        for (int64_t k = 0; k < ast->name.text.len; k++)
            name[k] = fl_char_lower(ast->name.text.data[k]);
        *option = (fl_option){.name = {name, ast->name.text.len}, .pos = ast->name.start};
        for (int32_t k = 0; k < c->n_options; k++)
            if (fl_str_is_equal(c->options[k].name, option->name))
                return fl_sql_bind_fail_state(b, option->pos, FL_ERR_SYNTAX, "42601", "option %.*s is given twice",
                                              FL_STR_ARG(option->name));
        if (ast->is_list)
            FL_TRY(bind_list(b, ast, &option->value));
        else if (ast->value_count > 0)
            FL_TRY(bind_value(b, ast->values[0], &option->value));
        else
            option->value = (fl_value){.type = FL_TYPE(FL_BOOL), .b = true};
        c->n_options++;
    }
cleanup:
    return st;
}

/* Takes an option out of those that are left for the writer; false: it was not given. */
static bool take(copying *c, const char *name, fl_option *ret)
{
    for (int32_t i = 0; i < c->n_options; i++)
        if (fl_str_is_equal(c->options[i].name, fl_str_of(name))) {
            *ret = c->options[i];
            memmove(&c->options[i], &c->options[i + 1], (size_t)(c->n_options - i - 1) * sizeof(*ret));
            c->n_options--;
            return true;
        }
    return false;
}

static fl_status take_bool(binder *b, copying *c, const char *name, bool *ret)
{
    fl_option option;
    *ret = false;
    if (!take(c, name, &option))
        return FL_OK;
    if (option.value.is_null || option.value.type.id != FL_BOOL)
        return fl_sql_bind_fail(b, option.pos, FL_ERR_CONFIG, "COPY's option %s is true or false", name);
    *ret = option.value.b;
    return FL_OK;
}

/* A number of bytes, or a size such as '10MB'. */
static fl_status take_size(binder *b, copying *c, const char *name, int64_t *ret)
{
    fl_option option;
    if (!take(c, name, &option))
        return FL_OK;
    const fl_value *v = &option.value;
    int64_t bytes = -1;
    if (!v->is_null && fl_type_is_signed(v->type))
        bytes = v->i;
    else if (v->is_null || v->type.id != FL_UTF8 || !fl_size_read(v->s, &bytes))
        bytes = -1;
    if (bytes <= 0)
        return fl_sql_bind_fail(b, option.pos, FL_ERR_CONFIG, "COPY's option %s is a size such as '100MB'", name);
    *ret = bytes;
    return FL_OK;
}

/* A format of strftime, under any of two names; *ret_pos negative: none. */
static fl_status take_time_format(binder *b, copying *c, const char *name, const char *other, fl_value *ret,
                                  int32_t *ret_pos)
{
    fl_option option;
    *ret_pos = -1;
    if (!take(c, name, &option) && !take(c, other, &option))
        return FL_OK;
    if (option.value.is_null || option.value.type.id != FL_UTF8)
        return fl_sql_bind_fail(b, option.pos, FL_ERR_CONFIG, "COPY's option %s is a format such as '%%d/%%m/%%Y'",
                                name);
    *ret = option.value;
    *ret_pos = option.pos;
    return FL_OK;
}

/* DATEFORMAT, TIMESTAMPFORMAT: dates and timestamps become texts; *ret_pos of one of them, negative: there is none. */
static fl_status format_times(binder *b, copying *c, output *out, int32_t *ret_pos)
{
    fl_status st = FL_OK;
    fl_value date_format, stamp_format;
    int32_t date_pos, stamp_pos, n = 0;
    const fl_expr **exprs = NULL;
    fl_col_id *cols = NULL;
    FL_TRY(take_time_format(b, c, "dateformat", "date_format", &date_format, &date_pos));
    FL_TRY(take_time_format(b, c, "timestampformat", "timestamp_format", &stamp_format, &stamp_pos));
    *ret_pos = date_pos >= 0 ? date_pos : stamp_pos;
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &cols, b->err));
    for (int32_t i = 0; i < out->n_cols; i++) {
        fl_type type = fl_plan_col(b->plan, out->cols[i].col)->type;
        bool is_date = type.id == FL_DATE && date_pos >= 0, is_stamp = fl_type_is_timestamp(type) && stamp_pos >= 0;
        const fl_expr *col = NULL, *format = NULL;
        if (!is_date && !is_stamp)
            continue;
        FL_TRY(fl_expr_column(b->plan, out->cols[i].col, -1, &col, b->err));
        FL_TRY(fl_expr_const(b->plan, is_date ? &date_format : &stamp_format, -1, &format, b->err));
        st = fl_expr_call_args(b->plan, "strftime", is_date ? date_pos : stamp_pos, &exprs[n], b->err, 2, col, format);
        if (st != FL_OK)
            fl_err_at(b->err, is_date ? date_pos : stamp_pos);
        FL_TRY(st);
        n++;
    }
    if (n == 0)
        return FL_OK;
    FL_TRY(fl_project_extend(b->plan, out->root, exprs, NULL, n, cols, &out->root, b->err));
    n = 0;
    for (int32_t i = 0; i < out->n_cols; i++) {
        fl_type type = fl_plan_col(b->plan, out->cols[i].col)->type;
        if ((type.id == FL_DATE && date_pos >= 0) || (fl_type_is_timestamp(type) && stamp_pos >= 0))
            out->cols[i].col = cols[n++];
    }
cleanup:
    return st;
}

static fl_status fail_format(binder *b, int32_t pos, fl_str name)
{
    fl_nearest near;
    int32_t n = 0;
    const fl_writer_desc *const *writers = fl_registry_writers(b->env->registry, &n);
    fl_text known;
    fl_text_init(&known, NULL);
    fl_sql_bind_fail(b, pos, FL_ERR_CONFIG, "there is no format \"%.*s\"", FL_STR_ARG(name));
    fl_nearest_init(&near, name);
    for (int32_t i = 0; i < n; i++) {
        fl_nearest_offer(&near, fl_str_of(writers[i]->name));
        fl_text_addf(&known, "%s%s", i > 0 ? ", " : "", writers[i]->name);
    }
    if (near.count > 0)
        fl_nearest_hint(&near, b->err);
    else
        fl_err_hint(b->err, "formats are: %s", fl_text_status(&known, NULL) == FL_OK ? known.data : "");
    fl_text_drop(&known);
    return fl_err_state(b->err, "22023", FL_ERR_CONFIG);
}

/* The path without an ending that says how the file is packed. */
static fl_str without_packing(fl_str path, fl_str *ret_packing)
{
    static const struct {
        const char *suffix, *packing;
    } known[] = {{".gz", "gzip"}, {".zst", "zstd"}};
    for (int64_t i = 0; i < FL_LEN(known); i++) {
        fl_str suffix = fl_str_of(known[i].suffix);
        if (path.len > suffix.len &&
            fl_str_is_equal_nocase((fl_str){path.data + path.len - suffix.len, suffix.len}, suffix)) {
            *ret_packing = fl_str_of(known[i].packing);
            return (fl_str){path.data, path.len - suffix.len};
        }
    }
    *ret_packing = (fl_str){0};
    return path;
}

static bool has_option(const copying *c, const char *name)
{
    for (int32_t i = 0; i < c->n_options; i++)
        if (fl_str_is_equal(c->options[i].name, fl_str_of(name)))
            return true;
    return false;
}

/* By FORMAT, or by the file's ending, which may also say how it is packed, and that tabs are between its fields. A folder has none: then
 * it is CSV. */
static fl_status find_writer(binder *b, copying *c, bool is_folder)
{
    fl_option format;
    fl_str packing, path = without_packing(c->copy->file, &packing);
    if (packing.len > 0 && !has_option(c, "compression"))
        c->options[c->n_options++] = (fl_option){.name = FL_STR("compression"),
                                                 .value = {.type = FL_TYPE(FL_UTF8), .s = packing},
                                                 .pos = c->copy->file_start};
    bool is_tabbed = fl_str_has_suffix(path, FL_STR(".tsv")) && !has_option(c, "delim") &&
                     !has_option(c, "delimiter") && !has_option(c, "sep");
    if (is_tabbed)
        c->options[c->n_options++] = (fl_option){.name = FL_STR("delim"),
                                                 .value = {.type = FL_TYPE(FL_UTF8), .s = FL_STR("\t")},
                                                 .pos = c->copy->file_start};
    if (take(c, "format", &format)) {
        if (format.value.is_null || format.value.type.id != FL_UTF8)
            return fl_sql_bind_fail(b, format.pos, FL_ERR_CONFIG, "COPY's option format is a name, such as parquet");
        c->writer = fl_registry_writer(b->env->registry, format.value.s);
        return c->writer != NULL ? FL_OK : fail_format(b, format.pos, format.value.s);
    }
    /* without a format, and with the options that PostgreSQL has for both, STDOUT has PostgreSQL's */
    c->writer = c->copy->is_standard ? fl_registry_writer(b->env->registry, FL_STR("text"))
                                     : fl_registry_writer_of_path(b->env->registry, path);
    if (c->writer == NULL && fl_str_is_equal(path, FL_STR("/dev/stdout")))
        c->writer = fl_registry_writer(b->env->registry, FL_STR("csv"));
    if (c->writer == NULL && is_folder)
        c->writer = fl_registry_writer(b->env->registry, FL_STR("csv"));
    if (c->writer != NULL)
        return FL_OK;
    fl_sql_bind_fail(b, c->copy->file_start, FL_ERR_CONFIG, "the ending of \"%.*s\" names no format",
                     FL_STR_ARG(c->copy->file));
    fl_err_hint(b->err, "say which: (FORMAT csv), (FORMAT parquet)");
    return fl_err_state(b->err, "22023", FL_ERR_CONFIG);
}

/* ---- COPY TO ---- */

static fl_status list_of_texts(binder *b, const fl_str *texts, int32_t n, const fl_value **ret)
{
    fl_status st = FL_OK;
    fl_value *items = NULL, *list = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &items, b->err));
    FL_TRY(FL_NEW(b->arena, &list, b->err));
    for (int32_t i = 0; i < n; i++)
        items[i] = (fl_value){.type = FL_TYPE(FL_UTF8), .s = texts[i]};
    list->list.items = items;
    list->list.n = n;
    FL_TRY(fl_type_list_of(b->arena, FL_TYPE(FL_UTF8), &list->type, b->err));
    *ret = list;
cleanup:
    return st;
}

static fl_status struct_of_options(binder *b, const copying *c, const fl_value **ret)
{
    fl_status st = FL_OK;
    fl_value *made = NULL, *items = NULL;
    fl_field *fields = NULL;
    *ret = NULL;
    if (c->n_options == 0)
        return FL_OK;
    FL_TRY(FL_NEW(b->arena, &made, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, c->n_options, &items, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, c->n_options, &fields, b->err));
    for (int32_t i = 0; i < c->n_options; i++) {
        items[i] = c->options[i].value;
        fields[i] = (fl_field){.name = c->options[i].name, .type = items[i].type, .nullable = true};
    }
    made->type = (fl_type){.id = FL_STRUCT, .n_fields = c->n_options, .fields = fields};
    made->list.items = items;
    made->list.n = c->n_options;
    *ret = made;
cleanup:
    return st;
}

/* Names by which columns are written: of several of one name, whatever its case, the later ones are numbered: a, a_1. */
static fl_status name_columns(binder *b, const output *out, fl_str **ret)
{
    fl_status st = FL_OK;
    fl_name_map known;
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, ret, b->err));
    fl_name_map_init(&known, b->arena);
    for (int32_t i = 0; i < out->n_cols; i++) {
        int32_t other = -1;
        FL_TRY(fl_sql_bind_keep(b, out->cols[i].name, &(*ret)[i]));
        FL_TRY(fl_name_map_add(&known, (*ret)[i], i, &other, b->err));
        for (int32_t n = 1; other >= 0; n++) {
            FL_TRY(fl_arena_format(b->arena, &(*ret)[i], b->err, "%.*s_%d", FL_STR_ARG(out->cols[i].name), n));
            FL_TRY(fl_name_map_add(&known, (*ret)[i], i, &other, b->err));
        }
    }
cleanup:
    return st;
}

/* PARTITION_BY (a, b): positions of the columns. */
static fl_status find_parts(binder *b, copying *c, const fl_str *names, int32_t n_names, int32_t **ret, int32_t *ret_n)
{
    fl_status st = FL_OK;
    fl_option option;
    *ret_n = 0;
    FL_TRY(FL_NEW_ARRAY(b->arena, n_names + 1, ret, b->err));
    if (!take(c, "partition_by", &option))
        return FL_OK;
    bool is_list = option.value.type.id == FL_LIST;
    if (option.value.is_null || (!is_list && option.value.type.id != FL_UTF8))
        return fl_sql_bind_fail(b, option.pos, FL_ERR_CONFIG, "COPY's option partition_by names columns: (a, b)");
    const fl_value *items = is_list ? option.value.list.items : &option.value;
    for (int64_t i = 0; i < (is_list ? option.value.list.n : 1); i++) {
        fl_nearest near;
        int32_t at = 0;
        fl_nearest_init(&near, items[i].s);
        for (; at < n_names && !fl_str_is_equal_nocase(names[at], items[i].s); at++)
            fl_nearest_offer(&near, names[at]);
        if (at == n_names) {
            fl_sql_bind_fail(b, option.pos, FL_ERR_COLUMN, "there is no column \"%.*s\" to partition by",
                             FL_STR_ARG(items[i].s));
            fl_nearest_hint(&near, b->err);
            return FL_ERR_COLUMN;
        }
        for (int32_t k = 0; k < *ret_n; k++)
            if ((*ret)[k] == at)
                return fl_sql_bind_fail_state(b, option.pos, FL_ERR_DUPLICATE, "42701",
                                              "column \"%.*s\" is named twice", FL_STR_ARG(names[at]));
        (*ret)[(*ret_n)++] = at;
    }
    if (*ret_n == n_names)
        return fl_sql_bind_fail(b, option.pos, FL_ERR_CONFIG, "partition_by leaves no column for the files");
cleanup:
    return st;
}

/* Whether the writer takes the columns and options: what is wrong is told now, with its place. */
static fl_status check_writer(binder *b, const copying *c, const fl_copy_attrs *attrs)
{
    fl_status st = FL_OK;
    fl_writer *writer = NULL;
    fl_field *fields = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, attrs->n_from + 1, &fields, b->err));
    for (int32_t i = 0; i < attrs->n_from; i++)
        fields[i] = (fl_field){.name = attrs->names->list.items[i].s,
                               .type = fl_plan_col(b->plan, attrs->from[i])->type,
                               .nullable = true};
    st = c->writer->open(b->env->memory, fields, attrs->n_from, c->options, c->n_options, &writer, b->err);
    if (st != FL_OK)
        fl_err_at(b->err, c->copy->file_start);
cleanup:
    fl_writer_free(writer);
    return st;
}

static fl_status choose_columns(binder *b, copying *c, const output *out, fl_copy_attrs *attrs)
{
    fl_status st = FL_OK;
    fl_str *names = NULL, *written = NULL, *parts = NULL;
    fl_col_id *from = NULL, *part_cols = NULL;
    int32_t *part_at = NULL, n_parts = 0;
    bool keeps_parts;
    FL_TRY(name_columns(b, out, &names));
    FL_TRY(find_parts(b, c, names, out->n_cols, &part_at, &n_parts));
    FL_TRY(take_bool(b, c, "write_partition_columns", &keeps_parts));
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &from, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &written, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_parts + 1, &part_cols, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_parts + 1, &parts, b->err));
    for (int32_t i = 0; i < out->n_cols; i++) {
        bool is_part = false;
        for (int32_t p = 0; p < n_parts; p++)
            is_part |= part_at[p] == i;
        if (is_part && !keeps_parts)
            continue;
        from[attrs->n_from] = out->cols[i].col;
        written[attrs->n_from++] = names[i];
    }
    for (int32_t p = 0; p < n_parts; p++) {
        part_cols[p] = out->cols[part_at[p]].col;
        parts[p] = names[part_at[p]];
        if (fl_type_is_nested(fl_plan_col(b->plan, part_cols[p])->type))
            return fl_sql_bind_fail(b, c->copy->file_start, FL_ERR_UNSUPPORTED,
                                    "column \"%.*s\" is of type %s, which names no folder", FL_STR_ARG(parts[p]),
                                    FL_TYPE_NAME(fl_plan_col(b->plan, part_cols[p])->type));
    }
    attrs->from = from;
    attrs->parts = part_cols;
    attrs->n_parts = n_parts;
    FL_TRY(list_of_texts(b, written, attrs->n_from, &attrs->names));
    st = list_of_texts(b, parts, n_parts, &attrs->part_names);
cleanup:
    return st;
}

/* Columns of types that the writer does not know become text. */
static fl_status cast_unknown(binder *b, const copying *c, const fl_node **root, fl_copy_attrs *attrs)
{
    fl_status st = FL_OK;
    int32_t n = 0;
    const fl_expr **exprs = NULL;
    fl_col_id *cols = NULL, *from = NULL;
    int32_t *places = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, attrs->n_from + 1, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, attrs->n_from + 1, &cols, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, attrs->n_from + 1, &from, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, attrs->n_from + 1, &places, b->err));
    for (int32_t i = 0; i < attrs->n_from; i++) {
        fl_type type = fl_plan_col(b->plan, attrs->from[i])->type, known;
        from[i] = attrs->from[i];
        FL_TRY(fl_type_as_known(b->arena, type, c->writer->extensions, &known, b->err));
        if (fl_type_is_equal(type, known))
            continue;
        FL_TRY(fl_expr_column(b->plan, from[i], -1, &exprs[n], b->err));
        FL_TRY(fl_expr_cast(b->plan, exprs[n], known, false, -1, &exprs[n], b->err));
        places[n++] = i;
    }
    if (n == 0)
        return FL_OK;
    FL_TRY(fl_project_extend(b->plan, *root, exprs, NULL, n, cols, root, b->err));
    for (int32_t i = 0; i < n; i++)
        from[places[i]] = cols[i];
    attrs->from = from;
cleanup:
    return st;
}

static fl_status plan_copy(binder *b, void *ctx, output *ret)
{
    fl_status st = FL_OK;
    copying *c = ctx;
    output out = {0};
    fl_copy_attrs attrs = {.path = c->copy->file, .file_bytes = -1};
    bool overwrites;
    int32_t format_pos;
    if (c->copy->file.len == 0)
        return fl_sql_bind_fail_state(b, c->copy->file_start, FL_ERR_CONFIG, "22023", "a file's name cannot be empty");
    FL_TRY(fl_sql_bind_query(b, NULL, NULL, c->copy->query, &out));
    FL_TRY(bind_options(b, c));
    FL_TRY(format_times(b, c, &out, &format_pos));
    FL_TRY(choose_columns(b, c, &out, &attrs));
    FL_TRY(take_bool(b, c, "per_thread_output", &attrs.is_by_worker));
    FL_TRY(take_size(b, c, "file_size_bytes", &attrs.file_bytes));
    FL_TRY(take_bool(b, c, "overwrite_or_ignore", &attrs.may_overwrite));
    FL_TRY(take_bool(b, c, "overwrite", &overwrites));
    attrs.may_overwrite |= overwrites;
    attrs.is_folder = attrs.n_parts > 0 || attrs.is_by_worker || attrs.file_bytes >= 0;
    FL_TRY(find_writer(b, c, attrs.is_folder));
    attrs.format = fl_str_of(c->writer->name);
    if (format_pos >= 0 && strcmp(c->writer->reader, "read_csv") != 0 && strcmp(c->writer->reader, "read_json") != 0)
        return fl_sql_bind_fail(b, format_pos, FL_ERR_CONFIG,
                                "%s keeps dates and times as such: it has no format of them", c->writer->name);
    FL_TRY(cast_unknown(b, c, &out.root, &attrs));
    FL_TRY(check_writer(b, c, &attrs));
    FL_TRY(struct_of_options(b, c, &attrs.options));
    FL_TRY(FL_NEW_ARRAY(b->arena, 1, &ret->cols, b->err));
    ret->n_cols = 1;
    ret->cols[0].name = FL_STR("Count");
    st = fl_copy_build(b->plan, out.root, &attrs, &ret->cols[0].col, &ret->root, b->err);
cleanup:
    return st;
}

/* A column is written, or read, once. */
static fl_status check_once(fl_arena *arena, const fl_ast_copy *copy, fl_err *err)
{
    fl_status st = FL_OK;
    fl_name_map names;
    fl_name_map_init(&names, arena);
    for (int32_t i = 0; i < copy->column_count; i++) {
        int32_t known;
        FL_TRY(fl_name_map_add(&names, copy->columns[i].text, i, &known, err));
        if (known >= 0)
            return fl_sql_fail_twice(copy->columns[i].text, copy->columns[i].start, err);
    }
cleanup:
    return st;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_copy_to)
{
    (void)text;
    copying c = {.env = env, .copy = ast->copy};
    fl_status st = check_once(arena, ast->copy, err);
    return st != FL_OK ? st : fl_sql_bind_plan(env, ast, plan_copy, &c, &ret->query, err);
}

/* ---- COPY FROM ---- */

/* Places of the text that stands for the statement, and what they are in the statement's. */
typedef struct place_pair {
    int64_t made;
    int32_t written;
} place_pair;

typedef struct insert_text {
    fl_text text;
    place_pair *places;
    int32_t n_places;
} insert_text;

static void note_place(insert_text *t, int32_t written)
{
    t->places[t->n_places++] = (place_pair){t->text.len, written};
}

static void add_name(fl_text *text, fl_str name)
{
    fl_text_add_quoted(text, name, '"');
}

static void add_string(fl_text *text, fl_str value)
{
    fl_value v = {.type = FL_TYPE(FL_UTF8), .s = value};
    fl_value_print_sql(text, &v);
}

/* A value as it is written, whatever it is: lists and structs of options, too. */
static void add_value_text(fl_text *text, const fl_value *value)
{
    bool is_list = value->type.id == FL_LIST;
    if (value->is_null || !fl_type_is_nested(value->type)) {
        fl_value_print_sql(text, value);
        return;
    }
    fl_text_add_char(text, is_list ? '[' : '{');
    for (int64_t i = 0; i < value->list.n; i++) {
        if (i > 0)
            fl_text_add(text, FL_STR(", "));
        if (!is_list) {
            add_string(text, value->type.fields[i].name);
            fl_text_add(text, FL_STR(": "));
        }
        add_value_text(text, &value->list.items[i]);
    }
    fl_text_add_char(text, is_list ? ']' : '}');
}

/* The reader's name of an option of COPY. */
static fl_str option_name(fl_str name)
{
    static const struct {
        const char *written, *read;
    } known[] = {{"delimiter", "delim"}, {"sep", "delim"}, {"null", "nullstr"}};
    for (int64_t i = 0; i < FL_LEN(known); i++)
        if (fl_str_is_equal_nocase(name, fl_str_of(known[i].written)))
            return fl_str_of(known[i].read);
    return name;
}

static bool is_flag_word(fl_str word, bool *ret)
{
    *ret = fl_str_is_equal_nocase(word, FL_STR("on")) || fl_str_is_equal_nocase(word, FL_STR("match"));
    return *ret || fl_str_is_equal_nocase(word, FL_STR("off"));
}

static fl_status add_options(binder *b, insert_text *t, const copying *c)
{
    for (int32_t i = 0; i < c->n_options; i++) {
        const fl_option *option = &c->options[i];
        fl_str name = option_name(option->name);
        fl_value value = option->value;
        bool is_on = false;
        if (fl_str_is_equal(name, FL_STR("header")) && value.type.id == FL_UTF8 && is_flag_word(value.s, &is_on))
            value = (fl_value){.type = FL_TYPE(FL_BOOL), .b = is_on};
        fl_text_add(&t->text, FL_STR(", "));
        note_place(t, option->pos);
        add_name(&t->text, name);
        fl_text_add(&t->text, FL_STR(" = "));
        add_value_text(&t->text, &value);
    }
    return fl_text_status(&t->text, b->err);
}

/* Whether it, or a part of it, is a type over another one. */
static bool has_extension(fl_type type)
{
    bool has = type.extension != FL_PLAIN;
    for (int32_t i = 0; i < type.n_fields && !has; i++)
        has = has_extension(type.fields[i].type);
    return has;
}

/* The type with texts for bytes. */
static fl_status without_bytes(binder *b, fl_type type, fl_type *ret)
{
    fl_status st = FL_OK;
    fl_field *fields = NULL;
    *ret = type.id == FL_BINARY ? FL_TYPE(FL_UTF8) : type;
    if (!fl_type_is_nested(type))
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(b->arena, type.n_fields + 1, &fields, b->err));
    for (int32_t i = 0; i < type.n_fields; i++) {
        fields[i] = type.fields[i];
        FL_TRY(without_bytes(b, type.fields[i].type, &fields[i].type));
    }
    ret->fields = fields;
cleanup:
    return st;
}

/* The type that a text reader is asked for: what it cannot read itself is text or JSON, which is cast. */
static fl_status add_read_type(binder *b, fl_text *text, fl_type type, bool is_csv)
{
    fl_text name;
    fl_type read = FL_TYPE(FL_UTF8);
    fl_text_init(&name, text->memory);
    fl_status st = FL_OK;
    if (has_extension(type))
        read = is_csv ? FL_TYPE(FL_UTF8) : FL_TYPE_JSON;
    else if (!is_csv || !fl_type_is_nested(type))
        st = without_bytes(b, type, &read);
    if (st != FL_OK)
        return st;
    fl_type_print(&name, read);
    if (fl_text_status(&name, NULL) == FL_OK)
        add_string(text, fl_text_str(&name));
    else
        text->st = name.st;
    fl_text_drop(&name);
    return FL_OK;
}

/* The type by which the user has a column read, in a struct of types; NULL: by the table's. */
static const fl_value *type_wish(const fl_option *types, fl_str column)
{
    for (int32_t i = 0; types->value.type.id == FL_STRUCT && i < types->value.type.n_fields; i++)
        if (fl_str_is_equal_nocase(types->value.type.fields[i].name, column))
            return &types->value.list.items[i];
    return NULL;
}

/* The option of types, under any of its names: a struct whose names are the table's columns. */
static fl_status take_types(binder *b, copying *c, const fl_table *table, fl_option *ret)
{
    *ret = (fl_option){0};
    if (!take(c, "types", ret) && !take(c, "dtypes", ret) && !take(c, "column_types", ret))
        return FL_OK;
    if (ret->value.is_null || ret->value.type.id != FL_STRUCT)
        return fl_sql_bind_fail(b, ret->pos, FL_ERR_CONFIG,
                                "COPY's option types is a struct of types by column, as {'a': 'text'}");
    for (int32_t i = 0; i < ret->value.type.n_fields; i++) {
        fl_str name = ret->value.type.fields[i].name;
        fl_nearest near;
        int32_t at = 0;
        fl_nearest_init(&near, name);
        for (; at < table->n_cols && !fl_str_is_equal_nocase(table->fields[at].name, name); at++)
            fl_nearest_offer(&near, table->fields[at].name);
        if (at < table->n_cols)
            continue;
        fl_sql_bind_fail(b, ret->pos, FL_ERR_COLUMN, "there is no column \"%.*s\" in \"%.*s\"", FL_STR_ARG(name),
                         FL_STR_ARG(table->name));
        fl_nearest_hint(&near, b->err);
        return FL_ERR_COLUMN;
    }
    return FL_OK;
}

typedef struct copy_from {
    copying c;
    const fl_table *table;
    insert_text made;
    const int32_t *cols; /* of the table, in the order of the file */
    int32_t n_cols;
} copy_from;

/* INSERT INTO t (a, b) SELECT a, CAST(b AS integer[]) FROM read_csv('file', columns = {'a': 'integer', 'b': 'text'}, …) */
static fl_status make_insert(binder *b, copy_from *f)
{
    fl_text *text = &f->made.text;
    bool is_csv = strcmp(f->c.writer->reader, "read_csv") == 0, is_json = strcmp(f->c.writer->reader, "read_json") == 0;
    const fl_ast_copy *copy = f->c.copy;
    /* who says which columns the file has is not told by the table: they go by place then */
    bool is_told = (is_csv || is_json) && !has_option(&f->c, "columns");
    fl_option types = {0};
    fl_status st = is_told ? take_types(b, &f->c, f->table, &types) : FL_OK;
    if (st != FL_OK)
        return st;
    note_place(&f->made, copy->path.parts[0].start);
    fl_text_add(text, FL_STR("INSERT INTO "));
    for (int32_t i = 0; i < copy->path.count; i++) {
        fl_text_add(text, i > 0 ? FL_STR(".") : FL_STR(""));
        add_name(text, copy->path.parts[i].text);
    }
    fl_text_add(text, FL_STR(" ("));
    for (int32_t i = 0; i < f->n_cols; i++) {
        if (i > 0)
            fl_text_add(text, FL_STR(", "));
        add_name(text, f->table->fields[f->cols[i]].name);
    }
    fl_text_add(text,
                FL_STR(") OVERRIDING SYSTEM VALUE SELECT ")); /* identities have the file's numbers, as in PostgreSQL */
    note_place(&f->made, copy->file_start);
    for (int32_t i = 0; i < f->n_cols && is_told; i++) {
        const fl_field *field = &f->table->fields[f->cols[i]];
        if (i > 0)
            fl_text_add(text, FL_STR(", "));
        fl_text_add(text, FL_STR("CAST("));
        add_name(text, field->name);
        fl_text_add(text, FL_STR(" AS "));
        fl_type_print(text, field->type);
        fl_text_add_char(text, ')');
    }
    if (!is_told)
        fl_text_add_char(text, '*');
    fl_text_addf(text, " FROM %s(", f->c.writer->reader);
    add_string(text, copy->file);
    for (int32_t i = 0; i < f->n_cols && is_told; i++) {
        const fl_field *field = &f->table->fields[f->cols[i]];
        fl_text_add(text, i > 0 ? FL_STR(", ") : FL_STR(", columns = {"));
        add_string(text, field->name);
        fl_text_add(text, FL_STR(": "));
        const fl_value *wish = type_wish(&types, field->name);
        if (wish != NULL)
            fl_value_print_sql(text, wish);
        else
            st = add_read_type(b, text, field->type, is_csv);
        if (st != FL_OK)
            return st;
        if (i == f->n_cols - 1)
            fl_text_add_char(text, '}');
    }
    st = add_options(b, &f->made, &f->c);
    fl_text_add_char(text, ')');
    return st != FL_OK ? st : fl_text_status(text, b->err);
}

static fl_status find_columns(binder *b, copy_from *f)
{
    fl_status st = FL_OK;
    const fl_ast_copy *copy = f->c.copy;
    int32_t *cols = NULL, n = copy->column_count > 0 ? copy->column_count : f->table->n_cols;
    const fl_column_rules *rules = NULL;
    const fl_table_constraints *constraints = NULL;
    if (b->env->get_rules != NULL)
        b->env->get_rules(b->env, f->table, &rules, &constraints);
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &cols, b->err));
    for (int32_t i = 0; i < n; i++) {
        int32_t c = copy->column_count > 0 ? 0 : i;
        fl_nearest near;
        if (copy->column_count == 0 && rules != NULL && rules[i].generated.text.len > 0)
            continue; /* the table makes them */
        if (copy->column_count > 0) {
            fl_nearest_init(&near, copy->columns[i].text);
            for (; c < f->table->n_cols && !fl_str_is_equal_nocase(f->table->fields[c].name, copy->columns[i].text);
                 c++)
                fl_nearest_offer(&near, f->table->fields[c].name);
        }
        if (c == f->table->n_cols) {
            fl_sql_bind_fail(b, copy->columns[i].start, FL_ERR_COLUMN, "there is no column \"%.*s\" in \"%.*s\"",
                             FL_STR_ARG(copy->columns[i].text), FL_STR_ARG(f->table->name));
            fl_nearest_hint(&near, b->err);
            return FL_ERR_COLUMN;
        }
        cols[f->n_cols++] = c;
    }
    f->cols = cols;
cleanup:
    return st;
}

/* Makes the text in a plan of its own, which nothing is kept of. */
static fl_status write_insert(fl_sql_env *env, const fl_ast_statement *ast, copy_from *f, fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan *plan = NULL;
    binder b = {.env = env, .err = err};
    FL_TRY(fl_plan_new(env->memory, env->registry, &plan, err));
    b.plan = plan;
    b.arena = fl_plan_arena(plan);
    FL_TRY(FL_NEW_ARRAY(b.arena, ast->copy->option_count + 5, &f->made.places, err));
    FL_TRY(bind_options(&b, &f->c));
    FL_TRY(find_writer(&b, &f->c, false));
    if (f->c.writer->reader[0] == 0) {
        st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "rows in the form %s can be written, not read", f->c.writer->name);
        if (ast->copy->is_standard)
            fl_err_hint(err, "say which form they have: COPY t FROM STDIN (FORMAT csv)");
        else
            fl_err_hint(err,
                        "write them as CSV, or read lines: read_csv(file, delim = '\\t', quote = '', nullstr = '\\N')");
        fl_err_at(err, ast->copy->file_start);
        goto cleanup;
    }
    FL_TRY(find_columns(&b, f));
    st = make_insert(&b, f);
cleanup:
    if (st == FL_OK) { /* the places outlive the plan */
        place_pair *kept = NULL;
        int64_t bytes = f->made.n_places * (int64_t)sizeof(*kept);
        st = fl_alloc(env->memory, bytes + 1, (void **)&kept, err);
        if (st == FL_OK)
            memcpy(kept, f->made.places, (size_t)bytes);
        f->made.places = kept;
    } else {
        f->made.places = NULL;
    }
    fl_plan_unref(plan);
    return st;
}

/* An error's place in the statement, from its place in what stands for it. */
static void move_place(const insert_text *t, fl_err *err)
{
    int64_t at = err == NULL ? 0 : err->position;
    if (at == 0)
        return;
    err->position = 0;
    for (int32_t i = 0; i < t->n_places; i++)
        if (t->places[i].made < at)
            err->position = t->places[i].written + 1;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_copy_from)
{
    (void)text;
    fl_status st = FL_OK;
    fl_sql_parser parser = {0};
    fl_ast_statement *insert = NULL;
    fl_sql_bound target = {0};
    copy_from f = {.c = {.env = env, .copy = ast->copy}};
    fl_str made;
    fl_text_init(&f.made.text, env->memory);
    FL_TRY(check_once(arena, ast->copy, err));
    FL_TRY(fl_sql_find_target(env, arena, ast->copy->path, &target, err));
    f.table = target.table;
    FL_TRY(write_insert(env, ast, &f, err));
    FL_TRY(fl_arena_copy_str(arena, fl_text_str(&f.made.text), &made, err));
    st = fl_sql_parser_init(&parser, env->memory, made, err);
    if (st == FL_OK)
        st = fl_sql_parser_next(&parser, arena, &insert, err);
    if (st == FL_OK)
        st = fl_sql_bind(env, arena, made, insert, ret, err);
    if (st != FL_OK)
        move_place(&f.made, err);
    FL_TRY(st);
    ret->kind = ast->kind;
    ret->ast = ast;
cleanup:
    fl_free(f.made.places);
    fl_text_drop(&f.made.text);
    fl_sql_parser_drop(&parser);
    fl_sql_bound_drop(&target);
    return st;
}

/* ---- EXPORT, IMPORT ---- */

/* What COPY FROM has to be told of a file that COPY TO was told so: (FORMAT csv, DELIM ';'). */
static void add_load_options(fl_text *text, const copying *c)
{
    static const char *const known[] = {"delim",   "delimiter", "sep",        "quote",           "escape",     "null",
                                        "nullstr", "header",    "dateformat", "timestampformat", "compression"};
    bool is_text = strcmp(c->writer->reader, "read_csv") == 0 || strcmp(c->writer->reader, "read_json") == 0;
    fl_text_addf(text, "(FORMAT %s", c->writer->name);
    for (int32_t i = 0; i < c->n_options && is_text; i++)
        for (int64_t k = 0; k < FL_LEN(known); k++)
            if (fl_str_is_equal(c->options[i].name, fl_str_of(known[k]))) {
                fl_text_addf(text, ", %s ", known[k]);
                fl_value_print_sql(text, &c->options[i].value);
            }
    fl_text_add_char(text, ')');
}

/* Behind the names of packed texts. */
static const char *packing_suffix(const copying *c)
{
    bool is_text = strcmp(c->writer->reader, "read_csv") == 0 || strcmp(c->writer->reader, "read_json") == 0;
    for (int32_t i = 0; i < c->n_options && is_text; i++) {
        const fl_option *option = &c->options[i];
        if (!fl_str_is_equal(option->name, FL_STR("compression")) || option->value.type.id != FL_UTF8 ||
            option->value.is_null)
            continue;
        if (fl_str_is_equal_nocase(option->value.s, FL_STR("gzip")) ||
            fl_str_is_equal_nocase(option->value.s, FL_STR("gz")))
            return ".gz";
        if (fl_str_is_equal_nocase(option->value.s, FL_STR("zstd")))
            return ".zst";
    }
    return "";
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_export)
{
    fl_status st = FL_OK;
    const fl_ast_copy *copy = ast->copy;
    fl_plan *plan = NULL;
    binder b = {.env = env, .err = err};
    copying c = {.env = env, .copy = copy};
    fl_text load;
    fl_text_init(&load, env->memory);
    FL_TRY(fl_arena_copy_str(arena, copy->file, &ret->name, err));
    ret->name_pos = copy->file_start;
    if (ast->kind == FL_AST_IMPORT)
        goto cleanup;
    FL_TRY(fl_plan_new(env->memory, env->registry, &plan, err));
    b.plan = plan;
    b.arena = fl_plan_arena(plan);
    FL_TRY(bind_options(&b, &c));
    FL_TRY(find_writer(&b, &c, true));
    add_load_options(&load, &c);
    FL_TRY(fl_text_status(&load, err));
    FL_TRY(FL_NEW_ARRAY(arena, 2, &ret->names, err));
    ret->n_names = 2;
    FL_TRY(fl_arena_format(arena, &ret->names[0], err, "%s%s",
                           c.writer->suffixes != NULL ? c.writer->suffixes[0] : ".json", packing_suffix(&c)));
    FL_TRY(fl_arena_copy_str(arena, fl_text_str(&load), &ret->names[1], err));
    if (copy->option_count > 0) /* else it is CSV, whatever the files are called */
        st = fl_arena_copy_str(arena, (fl_str){text.data + copy->options_start, ast->end - copy->options_start},
                               &ret->view_text, err);
cleanup:
    fl_text_drop(&load);
    fl_plan_unref(plan);
    return st;
}
