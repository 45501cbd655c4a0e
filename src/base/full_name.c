/* Keys of full names. */
#include "base/full_name.h"

#include "base/text.h"

/* A part as it stands in a key, with its quotes. */
typedef struct piece {
    const char *data;
    int64_t len;
} piece;

bool fl_is_main_schema(fl_str schema)
{
    return fl_str_is_equal_nocase(schema, FL_MAIN_SCHEMA) || fl_str_is_equal_nocase(schema, FL_STR("public"));
}

static bool needs_quotes(fl_str part)
{
    return part.len == 0 || memchr(part.data, '.', (size_t)part.len) != NULL ||
           memchr(part.data, '"', (size_t)part.len) != NULL;
}

fl_status fl_name_join(fl_arena *arena, const fl_str *parts, int32_t n, fl_str *ret, fl_err *err)
{
    fl_text text;
    FL_ASSERT(n > 0);
    if (n == 1 && !needs_quotes(parts[0]))
        return fl_arena_copy_str(arena, parts[0], ret, err);
    fl_text_init(&text, NULL);
    for (int32_t i = 0; i < n; i++) {
        if (i > 0)
            fl_text_add_char(&text, '.');
        if (needs_quotes(parts[i]))
            fl_text_add_quoted(&text, parts[i], '"');
        else
            fl_text_add(&text, parts[i]);
    }
    fl_status st = fl_text_status(&text, err);
    if (st == FL_OK)
        st = fl_arena_copy_str(arena, fl_text_str(&text), ret, err);
    fl_text_drop(&text);
    return st;
}

fl_status fl_full_name_key(fl_arena *arena, const fl_full_name *name, fl_str *ret, fl_err *err)
{
    bool is_main = fl_is_main_schema(name->schema);
    fl_str parts[] = {name->database, is_main ? FL_MAIN_SCHEMA : name->schema, name->name};
    int32_t first = !fl_str_is_equal_nocase(name->database, FL_MAIN_DATABASE) ? 0 : is_main ? 2 : 1;
    return fl_name_join(arena, parts + first, FL_NAME_PARTS_MAX - first, ret, err);
}

/* The piece that begins at *at, which is put behind it and its dot; false: it is none. */
static bool next_piece(fl_str text, int64_t *at, piece *ret)
{
    int64_t start = *at, end = start;
    bool is_quoted = end < text.len && text.data[end] == '"';
    if (is_quoted) {
        for (end++; end < text.len; end++) {
            if (text.data[end] != '"')
                continue;
            if (end + 1 == text.len || text.data[end + 1] != '"')
                break;
            end++; /* the second of two */
        }
        if (end == text.len)
            return false;
        end++;
    } else {
        while (end < text.len && text.data[end] != '.' && text.data[end] != '"')
            end++;
    }
    if (end == start || (end < text.len && text.data[end] != '.') || end + 1 == text.len)
        return false;
    *ret = (piece){text.data + start, end - start};
    *at = end + 1;
    return true;
}

/* The pieces of a text; 0: it is no name. */
static int32_t pieces_of(fl_str text, piece ret[FL_NAME_PARTS_MAX])
{
    int32_t n = 0;
    for (int64_t at = 0; at < text.len; n++)
        if (n == FL_NAME_PARTS_MAX || !next_piece(text, &at, &ret[n]))
            return 0;
    return n;
}

static fl_status text_of(fl_arena *arena, piece p, fl_str *ret, fl_err *err)
{
    char *out = NULL;
    int64_t len = 0;
    *ret = (fl_str){p.data, p.len};
    if (p.data[0] != '"')
        return FL_OK;
    fl_status st = fl_arena_get(arena, p.len, (void **)&out, err);
    if (st != FL_OK)
        return st;
    for (int64_t i = 1; i < p.len - 1; i++) {
        out[len++] = p.data[i];
        i += p.data[i] == '"';
    }
    *ret = (fl_str){out, len};
    return FL_OK;
}

fl_status fl_name_split(fl_arena *arena, fl_str text, fl_str parts[FL_NAME_PARTS_MAX], int32_t *ret_n, fl_err *err)
{
    piece pieces[FL_NAME_PARTS_MAX];
    int32_t n = pieces_of(text, pieces);
    fl_status st = FL_OK;
    if (n == 0) {
        st = FL_FAIL(err, FL_ERR_VALUE, "\"%.*s\" is no name: up to %d parts stand in one, dots between them",
                     FL_STR_ARG(text), FL_NAME_PARTS_MAX);
        return fl_err_state(err, "42602", st);
    }
    for (int32_t i = 0; i < n && st == FL_OK; i++)
        st = text_of(arena, pieces[i], &parts[i], err);
    *ret_n = n;
    return st;
}

fl_status fl_full_name_of_key(fl_arena *arena, fl_str key, fl_full_name *ret, fl_err *err)
{
    fl_str parts[FL_NAME_PARTS_MAX];
    int32_t n = 0;
    fl_status st = fl_name_split(arena, key, parts, &n, err);
    if (st != FL_OK)
        return st;
    *ret = (fl_full_name){.database = n == 3 ? parts[0] : FL_MAIN_DATABASE,
                          .schema = n > 1 ? parts[n - 2] : FL_MAIN_SCHEMA,
                          .name = parts[n - 1]};
    return FL_OK;
}

/* Whether a piece is this part, whatever the case of either. */
static bool is_part(piece p, fl_str part)
{
    int64_t at = 0;
    if (p.data[0] != '"')
        return fl_str_is_equal_nocase((fl_str){p.data, p.len}, part);
    for (int64_t i = 1; i < p.len - 1; i++, at++) {
        if (at == part.len || fl_char_lower(p.data[i]) != fl_char_lower(part.data[at]))
            return false;
        i += p.data[i] == '"';
    }
    return at == part.len;
}

bool fl_key_is_in(fl_str key, fl_str database, fl_str schema)
{
    piece pieces[FL_NAME_PARTS_MAX];
    int32_t n = pieces_of(key, pieces);
    bool is_main = fl_str_is_equal_nocase(database, FL_MAIN_DATABASE);
    if (n == 0 || (n == 3) == is_main || (n == 3 && !is_part(pieces[0], database)))
        return false;
    if (schema.len == 0)
        return true;
    if (fl_is_main_schema(schema))
        return n == 1 || is_part(pieces[n - 2], FL_MAIN_SCHEMA);
    return n > 1 && is_part(pieces[n - 2], schema);
}
