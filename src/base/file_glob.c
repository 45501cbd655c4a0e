/* Patterns of file names: braces become patterns, each of which is walked folder by folder. */
#include "base/file_glob.h"

#include "base/file.h"
#include "base/glob.h"

#include "base/system.h"

#include <errno.h>
#include <stdlib.h>

#define ALTERNATIVES_MAX 10000
#define DEPTH_MAX 200 /* of folders below **, and of braces */

typedef struct names {
    fl_str *items;
    int64_t n;
    int64_t capacity;
} names;

typedef struct search {
    fl_arena *arena;
    names found;
    fl_err *err;
} search;

static fl_status add_name(names *list, fl_str name, fl_err *err)
{
    fl_status st =
        fl_grow(NULL, (void **)&list->items, &list->capacity, list->n + 1, (int64_t)sizeof(*list->items), err);
    if (st == FL_OK)
        list->items[list->n++] = name;
    return st;
}

static int compare_names(const void *a, const void *b)
{
    return fl_str_compare(*(const fl_str *)a, *(const fl_str *)b);
}

static void sort_names(names *list)
{
    int64_t kept = 0;
    if (list->n > 1)
        qsort(list->items, (size_t)list->n, sizeof(*list->items), compare_names);
    for (int64_t i = 0; i < list->n; i++)
        if (kept == 0 || !fl_str_is_equal(list->items[i], list->items[kept - 1]))
            list->items[kept++] = list->items[i];
    list->n = kept;
}

/* ---- one name ---- */

/* Whether one part of a pattern, which has no slash, matches a whole name. */
static bool is_match(fl_str p, fl_str name)
{
    if (name.len > 0 && name.data[0] == '.' && (p.len == 0 || p.data[0] != '.'))
        return false;
    return fl_glob_matches(p, name);
}

static bool has_wildcard(fl_str p)
{
    for (int64_t i = 0; i < p.len; i++) {
        if (p.data[i] == '\\')
            i++;
        else if (p.data[i] == '*' || p.data[i] == '?' || p.data[i] == '[')
            return true;
    }
    return false;
}

/* Whether a name stands for itself alone: nothing in it has a meaning in patterns. */
static bool is_plain(fl_str p)
{
    for (int64_t i = 0; i < p.len; i++)
        if (p.data[i] == '*' || p.data[i] == '?' || p.data[i] == '[' || p.data[i] == '{' || p.data[i] == '\\')
            return false;
    return true;
}

static fl_status unescape(fl_arena *arena, fl_str p, fl_str *ret, fl_err *err)
{
    char *text = NULL;
    fl_status st = fl_arena_get(arena, p.len + 1, (void **)&text, err);
    int64_t len = 0;
    for (int64_t i = 0; st == FL_OK && i < p.len; i++) {
        i += p.data[i] == '\\' && i + 1 < p.len;
        text[len++] = p.data[i];
    }
    if (st == FL_OK) {
        text[len] = 0;
        *ret = (fl_str){text, len};
    }
    return st;
}

/* ---- folders ---- */

typedef struct listing {
    search *search;
    names *names;
    fl_status st;
} listing;

static bool add_entry(void *ctx, const char *name)
{
    listing *l = ctx;
    fl_str copy;
    l->st = fl_arena_copy_str(l->search->arena, fl_str_of(name), &copy, l->search->err);
    if (l->st == FL_OK)
        l->st = add_name(l->names, copy, l->search->err);
    return l->st == FL_OK;
}

static const fl_system *system_of(const search *s)
{
    return fl_memory_system(s->arena->memory);
}

/* The names in a folder; none where it is no folder. */
static fl_status list_folder(search *s, fl_str folder, names *ret)
{
    listing l = {s, ret, FL_OK};
    const char *path = folder.len == 0 ? "." : folder.data;
    int failure = fl_system_list(system_of(s), path, add_entry, &l);
    if (failure == 0 || failure == -ENOENT || failure == -ENOTDIR)
        return l.st;
    return FL_FAIL(s->err, FL_ERR_IO, "cannot list \"%s\": %s", path, fl_system_reason(failure));
}

/* What is at a path; *ret_is_there says whether there is anything. Where it cannot be told that is an error: a file that is left out
 * would make an answer wrong. */
static fl_status look(search *s, fl_str path, bool follows_links, bool *ret_is_there, fl_file_info *ret)
{
    int failure = path.len > 0 ? fl_system_look(system_of(s), path.data, follows_links, ret) : -ENOENT;
    *ret_is_there = failure == 0;
    if (failure == 0 || failure == -ENOENT || failure == -ENOTDIR || failure == -ENAMETOOLONG || failure == -ELOOP)
        return FL_OK;
    return FL_FAIL(s->err, FL_ERR_IO, "cannot look at \"%s\": %s", path.data, fl_system_reason(failure));
}

static fl_status look_whether_folder(search *s, fl_str path, bool follows_links, bool *ret)
{
    fl_file_info info = {0};
    fl_status st = look(s, path, follows_links, ret, &info);
    *ret = *ret && info.kind == FL_FILE_FOLDER;
    return st;
}

static fl_status look_whether_there(search *s, fl_str path, bool *ret)
{
    fl_file_info info;
    return look(s, path, false, ret, &info);
}

static fl_status walk(search *s, fl_str folder, fl_str rest, int depth);

/* Goes on with an entry of a folder: the last part of a pattern finds what is no folder, others go into folders. */
static fl_status enter(search *s, fl_str folder, fl_str name, fl_str rest, bool is_last, int depth)
{
    fl_status st = FL_OK;
    fl_str path;
    bool is_folder = false, is_there = true;
    FL_TRY(fl_arena_format(s->arena, &path, s->err, "%.*s%.*s", FL_STR_ARG(folder), FL_STR_ARG(name)));
    if (is_last)
        FL_TRY(look_whether_there(s, path, &is_there));
    if (is_there)
        FL_TRY(look_whether_folder(s, path, true, &is_folder));
    if (is_last && is_there && !is_folder)
        FL_TRY(add_name(&s->found, path, s->err));
    if (!is_last && is_folder) {
        FL_TRY(fl_arena_format(s->arena, &path, s->err, "%.*s/", FL_STR_ARG(path)));
        FL_TRY(walk(s, path, rest, depth));
    }
cleanup:
    return st;
}

/* Folders below this one, any number of levels, and this one itself. */
static fl_status walk_all(search *s, fl_str folder, fl_str rest, int depth)
{
    fl_status st = FL_OK;
    names inside = {0};
    if (depth > DEPTH_MAX)
        return FL_FAIL(s->err, FL_ERR_LIMIT, "** goes into at most %d folders: \"%.*s\"", DEPTH_MAX,
                       FL_STR_ARG(folder));
    FL_TRY(walk(s, folder, rest, depth));
    FL_TRY(list_folder(s, folder, &inside));
    for (int64_t i = 0; i < inside.n; i++) {
        fl_str path;
        bool is_folder = false;
        if (inside.items[i].data[0] == '.')
            continue;
        FL_TRY(fl_arena_format(s->arena, &path, s->err, "%.*s%.*s", FL_STR_ARG(folder), FL_STR_ARG(inside.items[i])));
        FL_TRY(look_whether_folder(s, path, false, &is_folder));
        if (!is_folder)
            continue;
        FL_TRY(fl_arena_format(s->arena, &path, s->err, "%.*s/", FL_STR_ARG(path)));
        FL_TRY(walk_all(s, path, rest, depth + 1));
    }
cleanup:
    fl_free(inside.items);
    return st;
}

/* `folder` is empty or ends with a slash; `rest` is what the names below it must be. */
static fl_status walk(search *s, fl_str folder, fl_str rest, int depth)
{
    fl_status st = FL_OK;
    names inside = {0};
    const char *slash = rest.len > 0 ? memchr(rest.data, '/', (size_t)rest.len) : NULL;
    bool is_last = slash == NULL;
    fl_str part = {rest.data, is_last ? rest.len : slash - rest.data};
    fl_str below = is_last ? (fl_str){0} : (fl_str){slash + 1, rest.len - part.len - 1};
    if (fl_str_is_equal(part, FL_STR("**"))) {
        st = walk_all(s, folder, is_last ? FL_STR("*") : below, depth);
    } else if (!has_wildcard(part)) {
        fl_str name;
        FL_TRY(unescape(s->arena, part, &name, s->err));
        FL_TRY(enter(s, folder, name, below, is_last, depth));
    } else {
        FL_TRY(list_folder(s, folder, &inside));
        for (int64_t i = 0; i < inside.n; i++)
            if (is_match(part, inside.items[i]))
                FL_TRY(enter(s, folder, inside.items[i], below, is_last, depth));
    }
cleanup:
    fl_free(inside.items);
    return st;
}

/* ---- braces ---- */

/* The first {…} with a comma of its own: where it begins and ends. */
static bool find_braces(fl_str p, int64_t *ret_begin, int64_t *ret_end)
{
    for (int64_t begin = 0; begin < p.len; begin++) {
        int64_t depth = 0;
        bool has_comma = false;
        if (p.data[begin] == '\\') {
            begin++;
            continue;
        }
        if (p.data[begin] != '{')
            continue;
        for (int64_t i = begin; i < p.len; i++) {
            if (p.data[i] == '\\') {
                i++;
                continue;
            }
            depth += (p.data[i] == '{') - (p.data[i] == '}');
            has_comma |= depth == 1 && p.data[i] == ',';
            if (depth == 0) {
                if (!has_comma)
                    break;
                *ret_begin = begin;
                *ret_end = i;
                return true;
            }
        }
    }
    return false;
}

/* Patterns without braces, for each choice of alternatives. */
static fl_status expand(search *s, fl_str p, names *ret, int depth)
{
    fl_status st = FL_OK;
    int64_t begin = 0, end = 0;
    if (!find_braces(p, &begin, &end))
        return add_name(ret, p, s->err);
    if (ret->n > ALTERNATIVES_MAX || depth > DEPTH_MAX)
        return FL_FAIL(s->err, FL_ERR_LIMIT, "the pattern \"%.*s\" has more than %d alternatives", FL_STR_ARG(p),
                       ALTERNATIVES_MAX);
    for (int64_t from = begin + 1, i = from, level = 0; i <= end; i++) {
        fl_str one;
        if (p.data[i] == '\\') {
            i++;
            continue;
        }
        level += (p.data[i] == '{') - (i < end && p.data[i] == '}');
        if (i < end && (level > 0 || p.data[i] != ','))
            continue;
        FL_TRY(fl_arena_format(s->arena, &one, s->err, "%.*s%.*s%.*s", (int)begin, p.data, (int)(i - from),
                               p.data + from, (int)(p.len - end - 1), p.data + end + 1));
        FL_TRY(expand(s, one, ret, depth + 1));
        from = i + 1;
    }
cleanup:
    return st;
}

static fl_status find_pattern(search *s, fl_str p)
{
    fl_str name;
    bool is_there = false;
    fl_status looked = look_whether_there(s, p, &is_there);
    if (looked != FL_OK || is_there)
        return looked != FL_OK ? looked : add_name(&s->found, p, s->err);
    if (!has_wildcard(p)) {
        fl_status st = unescape(s->arena, p, &name, s->err);
        return st == FL_OK ? add_name(&s->found, name, s->err) : st;
    }
    bool is_root = p.len > 0 && p.data[0] == '/';
    return walk(s, is_root ? FL_STR("/") : FL_STR(""), is_root ? (fl_str){p.data + 1, p.len - 1} : p, 0);
}

fl_status fl_file_glob(fl_arena *arena, fl_str pattern, fl_str **ret_paths, int64_t *ret_count, fl_err *err)
{
    fl_status st = FL_OK;
    search s = {.arena = arena, .err = err};
    names patterns = {0};
    fl_str text = {0};
    fl_str *paths = NULL;
    FL_TRY(fl_arena_copy_str(arena, pattern, &text, err));
    bool has_nul = text.len > 0 && memchr(text.data, 0, (size_t)text.len) != NULL; /* opening it says so */
    bool is_name = has_nul || is_plain(text);
    if (!is_name)
        FL_TRY(look_whether_there(&s, text, &is_name));
    if (is_name)
        FL_TRY(add_name(&s.found, text, err));
    else
        FL_TRY(expand(&s, text, &patterns, 0));
    for (int64_t i = 0; i < patterns.n; i++)
        FL_TRY(find_pattern(&s, patterns.items[i]));
    sort_names(&s.found);
    if (s.found.n == 0) {
        FL_FAIL(err, FL_ERR_TABLE, "no file matches \"%s\"", text.data);
        if (memchr(text.data, '[', (size_t)text.len) != NULL)
            fl_err_hint(err, "[…] stands for one of the characters in it; write [[] for a bracket");
        else if (memchr(text.data, '/', (size_t)text.len) == NULL)
            fl_file_hint_nearest(system_of(&s), text.data, err);
        st = fl_err_state(err, "58P01", FL_ERR_TABLE);
        goto cleanup;
    }
    FL_TRY(FL_NEW_ARRAY(arena, s.found.n, &paths, err));
    memcpy(paths, s.found.items, (size_t)s.found.n * sizeof(*paths));
    *ret_paths = paths;
    *ret_count = s.found.n;
cleanup:
    fl_free(patterns.items);
    fl_free(s.found.items);
    return st;
}
