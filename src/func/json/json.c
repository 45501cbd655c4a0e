/* Paths (json.h). */
#include "func/json/json.h"

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
