/* Paths taken apart: parse_path, parse_filename, parse_dirname, parse_dirpath; path_join puts them together.
 *
 * What separates is said by a name: both_slash (the default), forward_slash, backslash, or system, which is forward_slash. */
#include "exec/pieces.h"
#include "func/text/text.h"

typedef struct separators {
    bool slash, backslash;
} separators;

static separators separators_of(fl_str name)
{
    separators ret = {true, true};
    if (fl_str_is_equal_nocase(name, FL_STR("forward_slash")) || fl_str_is_equal_nocase(name, FL_STR("system")))
        ret.backslash = false;
    else if (fl_str_is_equal_nocase(name, FL_STR("backslash")))
        ret.slash = false;
    return ret;
}

static bool separates(separators s, char c)
{
    return (s.slash && c == '/') || (s.backslash && c == '\\');
}

static separators separators_at(const fl_call *call, int32_t arg, int32_t row)
{
    return arg < call->n_args ? separators_of(fl_text_arg(call, arg, row)) : (separators){true, true};
}

/* Where the first and the last separator are, -1 where there is none. */
static int64_t first_separator(fl_str x, separators s)
{
    for (int64_t i = 0; i < x.len; i++)
        if (separates(s, x.data[i]))
            return i;
    return -1;
}

static int64_t last_separator(fl_str x, separators s)
{
    int64_t i = x.len - 1;
    while (i >= 0 && !separates(s, x.data[i]))
        i--;
    return i;
}

static void put_part(fl_call *call, int32_t row, fl_str part)
{
    fl_ret_view(call)[row] = fl_view_of(part.len == 0 ? "" : part.data, part.len);
}

static fl_status dirname_of(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        int64_t at = first_separator(x, separators_at(call, 1, row));
        put_part(call, row, (fl_str){x.data, at < 0 ? 0 : at == 0 ? 1 : at});
        st = fl_call_work(call, x.len / 8, err);
    }
    return st;
}

static fl_status dirpath_of(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        int64_t at = last_separator(x, separators_at(call, 1, row));
        put_part(call, row, (fl_str){x.data, at < 0 ? 0 : at});
        st = fl_call_work(call, x.len / 8, err);
    }
    return st;
}

static fl_status filename_of(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    bool has_trim = call->n_args > 1 && call->args[1].type.id == FL_BOOL;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        int64_t at = last_separator(x, separators_at(call, has_trim ? 2 : 1, row));
        fl_str name = {x.data + at + 1, x.len - at - 1};
        const fl_vec *trim = has_trim ? &call->args[1] : NULL;
        if (has_trim && fl_bit_get(trim->data, fl_vec_row(trim, row))) {
            const char *dot = name.len > 0 ? memrchr(name.data, '.', (size_t)name.len) : NULL;
            name.len = dot != NULL ? dot - name.data : name.len;
        }
        put_part(call, row, name);
        st = fl_call_work(call, x.len / 8, err);
    }
    return st;
}

/* A separator in front is a part of its own; others are not there. */
static fl_status parts_of(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pieces pieces = {0};
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = pieces.n;
        bool wanted =
            fl_vec_is_valid(&call->args[0], row) && (call->n_args < 2 || fl_vec_is_valid(&call->args[1], row));
        fl_str x = wanted ? fl_text_arg(call, 0, row) : (fl_str){0};
        separators s = wanted ? separators_at(call, 1, row) : (separators){0};
        if (x.len > 0 && separates(s, x.data[0]))
            FL_TRY(fl_pieces_add(call, &pieces, (fl_str){x.data, 1}, false, err));
        for (int64_t from = 0, to; from < x.len; from = to + 1) {
            for (to = from; to < x.len && !separates(s, x.data[to]);)
                to++;
            if (to > from)
                FL_TRY(fl_pieces_add(call, &pieces, (fl_str){x.data + from, to - from}, false, err));
            FL_TRY(fl_call_work(call, to - from + 8, err));
        }
        fl_pieces_end_row(call, &pieces, row, start);
    }
    st = fl_pieces_finish(call, &pieces, err);
cleanup:
    return st;
}

static fl_status resolve_parts(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    for (int32_t i = 0; i < n_args; i++)
        if (n_args > 2 || (args[i].id != FL_UTF8 && args[i].id != FL_NULL))
            return FL_FAIL(err, FL_ERR_FUNCTION, "a path and a separator were expected");
    if (n_args == 0)
        return FL_FAIL(err, FL_ERR_FUNCTION, "a path and a separator were expected");
    *ret = (fl_func_choice){.args = {FL_TYPE(FL_UTF8), FL_TYPE(FL_UTF8)}, .n_args = n_args, .run = parts_of};
    return fl_type_list_of(arena, FL_TYPE(FL_UTF8), &ret->ret, err);
}

/* ---- path_join ----------------------------------------------------------------------------------------------------- */

/* Bytes of "scheme://", or of the slashes in front; what is before them is no part of a path. */
static int64_t root_of(fl_str x)
{
    int64_t i = 0;
    while (i < x.len && ((x.data[i] >= 'a' && x.data[i] <= 'z') || (x.data[i] >= '0' && x.data[i] <= '9')))
        i++;
    if (i > 0 && i + 2 < x.len && memcmp(x.data + i, "://", 3) == 0)
        return i + 3;
    return x.len > 0 && x.data[0] == '/' ? 1 : 0;
}

/* Adds a part to out[root .. *len): nothing for ".", back by one for "..". */
static void add_part(char *out, int64_t root, int64_t *len, fl_str part)
{
    bool is_up = part.len == 2 && memcmp(part.data, "..", 2) == 0;
    if (part.len == 0 || (part.len == 1 && part.data[0] == '.'))
        return;
    int64_t last = *len;
    while (last > root && out[last - 1] != '/')
        last--;
    bool last_is_up = *len - last == 2 && memcmp(out + last, "..", 2) == 0;
    if (is_up && *len > root && !last_is_up) {
        *len = last > root ? last - 1 : root;
        return;
    }
    if (is_up && root > 0) /* nothing is above the root */
        return;
    if (*len > root)
        out[(*len)++] = '/';
    memcpy(out + *len, part.data, (size_t)part.len);
    *len += part.len;
}

static fl_status join_row(fl_call *call, int32_t row, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t bytes = 0, root = 0, len = 0;
    char *out = NULL;
    for (int32_t a = 0; a < call->n_args; a++)
        bytes += fl_text_arg(call, a, row).len + 1;
    if (bytes > FL_TEXT_BYTES_MAX)
        return fl_text_fail_long(err);
    FL_TRY(fl_call_room(call, bytes + 1, &out, err));
    for (int32_t a = 0; a < call->n_args; a++) {
        fl_str x = fl_text_arg(call, a, row);
        int64_t own = root_of(x);
        if (own > 0 && len > 0)
            return fl_err_state(err, "22023",
                                FL_FAIL(err, FL_ERR_VALUE,
                                        "the path \"%.*s\" begins at a root: nothing can be in front of it",
                                        (int)(x.len < 60 ? x.len : 60), x.data));
        if (own > 0) {
            memcpy(out, x.data, (size_t)own);
            root = len = own;
        }
        for (int64_t from = own, to; from < x.len; from = to + 1) {
            for (to = from; to < x.len && x.data[to] != '/';)
                to++;
            add_part(out, root, &len, (fl_str){x.data + from, to - from});
        }
    }
    fl_str last = fl_text_arg(call, call->n_args - 1, row);
    if (last.len > 0 && last.data[last.len - 1] == '/' && len > root) /* a folder's path says that it is one */
        out[len++] = '/';
    FL_TRY(fl_call_work(call, 2 * bytes, err));
    fl_ret_view(call)[row] = fl_view_of(out, len);
cleanup:
    return st;
}

static fl_status join(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++) {
        bool wanted = fl_call_wants(call, row);
        for (int32_t a = 0; a < call->n_args; a++)
            wanted &= fl_vec_is_valid(&call->args[a], row);
        fl_ret_view(call)[row] = (fl_view){0};
        if (wanted)
            st = join_row(call, row, err);
    }
    return st;
}

static const fl_func_desc funcs[] = {
    FL_TEXT_FUNC("parse_filename",
                 "parse_filename(path [, without ending] [, separator]): what is behind the last separator",
                 {FL_ARGS(FL_UTF8), FL_UTF8, 0, filename_of}, {FL_ARGS(FL_UTF8, FL_UTF8), FL_UTF8, 0, filename_of},
                 {FL_ARGS(FL_UTF8, FL_BOOL), FL_UTF8, 0, filename_of},
                 {FL_ARGS(FL_UTF8, FL_BOOL, FL_UTF8), FL_UTF8, 0, filename_of}),
    FL_TEXT_FUNC("parse_dirname", "parse_dirname(path [, separator]): the first folder",
                 {FL_ARGS(FL_UTF8), FL_UTF8, 0, dirname_of}, {FL_ARGS(FL_UTF8, FL_UTF8), FL_UTF8, 0, dirname_of}),
    FL_TEXT_FUNC("parse_dirpath", "parse_dirpath(path [, separator]): what is in front of the last separator",
                 {FL_ARGS(FL_UTF8), FL_UTF8, 0, dirpath_of}, {FL_ARGS(FL_UTF8, FL_UTF8), FL_UTF8, 0, dirpath_of}),
    {FL_DESC(fl_func_desc), .name = "parse_path", .traits = FL_TEXT_TRAITS, .resolve = resolve_parts,
     .doc = "parse_path(path [, separator]): folders and file as a list"},
    FL_TEXT_FUNC("path_join", "path_join(a, b, ...): one path of several, without . and ..",
                 {FL_ARGS(FL_UTF8, FL_UTF8), FL_UTF8, FL_VARIADIC | FL_CAN_FAIL, join}),
};

FL_FUNC_SET(path, funcs);
