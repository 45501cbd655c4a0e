/* Reading, walking and printing JSON (json.h). */
#include "func/json/json.h"

/* ---- memory -------------------------------------------------------------------------------------------------------- */

static void *take(void *ctx, size_t size)
{
    fl_json_work *work = ctx;
    void *block = NULL;
    return fl_arena_get(work->call->heap, (int64_t)size, &block, &work->failure) == FL_OK ? block : NULL;
}

static void *retake(void *ctx, void *old, size_t old_size, size_t size)
{
    if (size <= old_size)
        return old;
    void *block = take(ctx, size);
    if (block != NULL && old_size > 0)
        memcpy(block, old, old_size);
    return block;
}

static void give_back(void *ctx, void *block)
{
    (void)ctx;
    (void)block; /* the heap goes back to its mark */
}

void fl_json_begin(fl_json_work *work, fl_call *call)
{
    *work = (fl_json_work){.call = call, .mark = fl_arena_mark_get(call->heap)};
    work->alc = (yyjson_alc){.malloc = take, .realloc = retake, .free = give_back, .ctx = work};
}

void fl_json_end(fl_json_work *work)
{
    fl_arena_rewind(work->call->heap, work->mark);
}

fl_status fl_json_fail_memory(const fl_json_work *work, fl_err *err)
{
    if (work->failure.code == FL_OK)
        return FL_FAIL(err, FL_ERR_INTERNAL, "a JSON value cannot be written");
    if (err != NULL)
        *err = work->failure;
    return work->failure.code;
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

/* Brackets within brackets, before a parser sees them. */
static bool is_too_deep(fl_str text)
{
    int64_t depth = 0;
    bool is_string = false;
    for (int64_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '\\')
            i++;
        else if (c == '"')
            is_string = !is_string;
        else if (!is_string && (c == '{' || c == '['))
            depth++;
        else if (!is_string && (c == '}' || c == ']'))
            depth--;
        if (depth > FL_JSON_NESTING_MAX)
            return true;
    }
    return false;
}

static fl_status parse(fl_json_work *work, fl_str text, yyjson_doc **ret, yyjson_read_err *fault, fl_err *err)
{
    fl_status st = fl_call_work(work->call, 2 * text.len + 16, err);
    if (st != FL_OK)
        return st;
    if (text.len > FL_JSON_NESTING_MAX && is_too_deep(text)) {
        st = FL_FAIL(err, FL_ERR_LIMIT, "the JSON is nested more than %d deep", FL_JSON_NESTING_MAX);
        return fl_err_state(err, "54001", st);
    }
    *ret =
        yyjson_read_opts((char *)(uintptr_t)text.data, (size_t)text.len, YYJSON_READ_BIGNUM_AS_RAW, &work->alc, fault);
    return *ret == NULL && work->failure.code != FL_OK ? fl_json_fail_memory(work, err) : FL_OK;
}

fl_status fl_json_read(fl_json_work *work, fl_str text, yyjson_val **ret, fl_err *err)
{
    yyjson_doc *doc = NULL;
    yyjson_read_err fault = {0};
    fl_status st = parse(work, text, &doc, &fault, err);
    if (st != FL_OK)
        return st;
    if (doc == NULL)
        return fl_err_state(err, "22P02",
                            FL_FAIL(err, FL_ERR_VALUE, "\"%.*s\" is no JSON: %s at byte %lld",
                                    (int)(text.len < 60 ? text.len : 60), text.data, fault.msg,
                                    (long long)fault.pos + 1));
    *ret = yyjson_doc_get_root(doc);
    return FL_OK;
}

fl_status fl_json_is_valid(fl_json_work *work, fl_str text, bool *ret, fl_err *err)
{
    yyjson_doc *doc = NULL;
    yyjson_read_err fault = {0};
    fl_status st = parse(work, text, &doc, &fault, err);
    *ret = doc != NULL;
    return st;
}

/* ---- paths --------------------------------------------------------------------------------------------------------- */

static fl_status fail_path(fl_str path, int64_t at, fl_err *err)
{
    fl_status st = FL_FAIL(err, FL_ERR_VALUE, "\"%.*s\" is no path: it breaks off at byte %lld",
                           (int)(path.len < 60 ? path.len : 60), path.data, (long long)at + 1);
    fl_err_hint(err, "paths are written as $.a.b[0], $.\"a b\"[#-1], or /a/b/0");
    return fl_err_state(err, "22023", st);
}

static fl_status fail_wildcard(fl_err *err)
{
    fl_status st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "paths to several values (*, ..) are not supported");
    fl_err_hint(err, "give a list of paths");
    return st;
}

static fl_status read_name(fl_str path, int64_t *at, fl_json_step *ret, fl_err *err)
{
    int64_t from = *at;
    if (from < path.len && path.data[from] == '*')
        return fail_wildcard(err);
    if (from < path.len && path.data[from] == '.')
        return fail_wildcard(err);
    if (from < path.len && path.data[from] == '"') {
        const char *end = memchr(path.data + from + 1, '"', (size_t)(path.len - from - 1));
        if (end == NULL)
            return fail_path(path, from, err);
        ret->name = (fl_str){path.data + from + 1, end - (path.data + from + 1)};
        *at = end - path.data + 1;
        return FL_OK;
    }
    while (*at < path.len && path.data[*at] != '.' && path.data[*at] != '[')
        ++*at;
    if (*at == from)
        return fail_path(path, from, err);
    ret->name = (fl_str){path.data + from, *at - from};
    return FL_OK;
}

static fl_status read_index(fl_str path, int64_t *at, fl_json_step *ret, fl_err *err)
{
    int64_t from = *at;
    ret->name.data = NULL;
    if (*at < path.len && path.data[*at] == '*')
        return fail_wildcard(err);
    if (*at < path.len && path.data[*at] == '#')
        ++*at;
    if (*at < path.len && path.data[*at] == '-') {
        ret->is_from_end = true;
        ++*at;
    } else if (*at > from) { /* [#] is behind the last one */
        ret->is_from_end = true;
    }
    for (; *at < path.len && path.data[*at] >= '0' && path.data[*at] <= '9' && ret->index < INT32_MAX; ++*at)
        ret->index = ret->index * 10 + (path.data[*at] - '0');
    if (*at >= path.len || path.data[*at] != ']' || *at == from)
        return fail_path(path, from, err);
    ++*at;
    return FL_OK;
}

fl_status fl_json_next_step(fl_str path, int64_t *at, fl_json_step *ret, bool *ret_is_step, fl_err *err)
{
    *ret = (fl_json_step){0};
    *ret_is_step = *at < path.len;
    if (!*ret_is_step)
        return FL_OK;
    char c = path.data[(*at)++];
    if (c == '.')
        return read_name(path, at, ret, err);
    return c == '[' ? read_index(path, at, ret, err) : fail_path(path, *at - 1, err);
}

static yyjson_val *step_into(yyjson_val *from, const fl_json_step *step)
{
    if (step->name.data != NULL)
        return yyjson_obj_getn(from, step->name.data, (size_t)step->name.len);
    int64_t index = step->is_from_end ? (int64_t)yyjson_arr_size(from) - step->index : step->index;
    return index >= 0 ? yyjson_arr_get(from, (size_t)index) : NULL;
}

fl_status fl_json_find(yyjson_val *from, fl_str path, yyjson_val **ret, fl_err *err)
{
    *ret = NULL;
    if (path.len > 0 && path.data[0] == '/') {
        yyjson_ptr_err fault = {0};
        *ret = unsafe_yyjson_ptr_getx(from, path.data, (size_t)path.len, &fault);
        return fault.code == YYJSON_PTR_ERR_SYNTAX ? fail_path(path, (int64_t)fault.pos, err) : FL_OK;
    }
    if (path.len == 0 || path.data[0] != '$') {
        *ret = path.len > 0 ? yyjson_obj_getn(from, path.data, (size_t)path.len) : from;
        return FL_OK;
    }
    int64_t at = 1;
    for (;;) {
        fl_json_step step;
        bool is_step;
        fl_status st = fl_json_next_step(path, &at, &step, &is_step, err);
        if (st != FL_OK)
            return st;
        if (!is_step)
            break;
        if (from != NULL) /* the rest is read all the same: it may be no path */
            from = step_into(from, &step);
    }
    *ret = from;
    return FL_OK;
}

/* ---- printing ------------------------------------------------------------------------------------------------------ */

fl_status fl_json_print_value(fl_json_work *work, const yyjson_val *value, yyjson_write_flag flags, fl_text *to,
                              fl_err *err)
{
    size_t len = 0;
    const char *text = yyjson_val_write_opts(value, flags, &work->alc, &len, NULL);
    if (text == NULL)
        return fl_json_fail_memory(work, err);
    fl_text_add(to, (fl_str){text, (int64_t)len});
    return fl_call_work(work->call, (int64_t)len, err);
}

fl_status fl_json_print_plain(fl_json_work *work, yyjson_val *value, fl_text *to, fl_err *err)
{
    if (!yyjson_is_str(value))
        return fl_json_print_value(work, value, YYJSON_WRITE_NOFLAG, to, err);
    fl_str text = fl_json_str(value);
    if (text.len > 0 && memchr(text.data, 0, (size_t)text.len) != NULL)
        return fl_err_state(err, "22P05", FL_FAIL(err, FL_ERR_VALUE, "a JSON string with \\u0000 cannot be a text"));
    fl_text_add(to, text);
    return FL_OK;
}

fl_status fl_json_keep(fl_call *call, int32_t row, const fl_text *text, fl_err *err)
{
    char *out = NULL;
    fl_status st = fl_text_status(text, err);
    if (st != FL_OK)
        return st;
    if (text->len > (int64_t)1 << 30)
        return FL_FAIL(err, FL_ERR_LIMIT, "the text would be longer than 1 GB");
    if (text->len > FL_VIEW_INLINE_MAX) {
        st = fl_call_room(call, text->len, &out, err);
        if (st != FL_OK)
            return st;
        memcpy(out, text->data, (size_t)text->len);
    }
    fl_ret_view(call)[row] = fl_view_of(text->len == 0 ? "" : out != NULL ? out : text->data, text->len);
    return FL_OK;
}
