/* Types of columns as text, nested ones too: "integer[]", "struct(a integer, b text[])[]". */
#include "format/options.h"

typedef struct type_reader {
    fl_arena *arena;
    fl_str text;
    int64_t at;
    int32_t depth;
} type_reader;

static char peek(const type_reader *r)
{
    return r->at < r->text.len ? r->text.data[r->at] : 0;
}

static void skip_blanks(type_reader *r)
{
    while (peek(r) == ' ')
        r->at++;
}

static bool accept(type_reader *r, fl_str part)
{
    skip_blanks(r);
    fl_str rest = {r->text.data + r->at, part.len};
    if (r->text.len - r->at < part.len || !fl_str_is_equal_nocase(rest, part))
        return false;
    r->at += part.len;
    return true;
}

/* A name up to a blank, or in double quotes. */
static fl_status read_name(type_reader *r, fl_str *ret, fl_err *err)
{
    fl_status st = FL_OK;
    char *name = NULL;
    int64_t len = 0;
    skip_blanks(r);
    bool is_quoted = peek(r) == '"';
    FL_TRY(fl_arena_get(r->arena, r->text.len - r->at + 1, (void **)&name, err));
    r->at += is_quoted;
    for (; r->at < r->text.len; r->at++) {
        char c = peek(r);
        if (is_quoted && c == '"') {
            r->at++;
            if (peek(r) != '"')
                break;
        } else if (!is_quoted && c == ' ') {
            break;
        }
        name[len++] = c;
    }
    *ret = (fl_str){name, len};
cleanup:
    return st;
}

static fl_status read_nested(type_reader *r, fl_type *ret, fl_err *err);

/* Behind "struct(". */
static fl_status read_struct(type_reader *r, fl_type *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_field *fields = NULL;
    int32_t n = 0, commas = 1;
    for (int64_t i = r->at; i < r->text.len; i++)
        commas += r->text.data[i] == ',';
    FL_TRY(FL_NEW_ARRAY(r->arena, commas, &fields, err));
    do {
        FL_TRY(read_name(r, &fields[n].name, err));
        FL_TRY(read_nested(r, &fields[n].type, err));
        fields[n++].nullable = true;
    } while (accept(r, FL_STR(",")));
    if (!accept(r, FL_STR(")")))
        return FL_ERR_TYPE;
    *ret = (fl_type){.id = FL_STRUCT, .n_fields = n, .fields = fields};
cleanup:
    return st;
}

static fl_status read_nested(type_reader *r, fl_type *ret, fl_err *err)
{
    fl_status st = FL_OK;
    if (r->depth++ >= FL_TYPE_DEPTH_MAX)
        return FL_ERR_TYPE;
    if (accept(r, FL_STR("struct("))) {
        FL_TRY(read_struct(r, ret, err));
    } else {
        int64_t start = r->at, parens = 0;
        for (; r->at < r->text.len && (parens > 0 || strchr("[,)", peek(r)) == NULL); r->at++)
            parens += peek(r) == '(' ? 1 : peek(r) == ')' ? -1 : 0;
        if (!fl_option_type_read((fl_str){r->text.data + start, r->at - start}, ret))
            return FL_ERR_TYPE;
    }
    while (accept(r, FL_STR("[]")))
        FL_TRY(fl_type_list_of(r->arena, *ret, ret, err));
    r->depth--;
cleanup:
    return st;
}

fl_status fl_option_nested_columns(fl_arena *arena, const fl_value *value, void *ret_fields, fl_err *err)
{
    fl_status st = FL_OK;
    fl_field *fields = NULL;
    if (value->is_null || value->type.id != FL_STRUCT || value->type.n_fields < 1)
        return FL_ERR_TYPE;
    FL_TRY(FL_NEW_ARRAY(arena, value->type.n_fields, &fields, err));
    for (int32_t i = 0; i < value->type.n_fields; i++) {
        const fl_value *type = &value->list.items[i];
        FL_TRY(fl_arena_copy_str(arena, value->type.fields[i].name, &fields[i].name, err));
        fields[i].nullable = true;
        if (type->is_null || type->type.id != FL_UTF8)
            return FL_FAIL(err, FL_ERR_CONFIG, "the type of column \"%.*s\" is a text such as 'integer'",
                           FL_STR_ARG(fields[i].name));
        type_reader r = {.arena = arena, .text = type->s};
        st = read_nested(&r, &fields[i].type, err);
        skip_blanks(&r);
        if (st == FL_ERR_TYPE || (st == FL_OK && r.at < r.text.len))
            return FL_FAIL(err, FL_ERR_CONFIG, "column \"%.*s\" cannot be of type \"%.*s\"", FL_STR_ARG(fields[i].name),
                           FL_STR_ARG(type->s));
        FL_TRY(st);
    }
    *(fl_option_fields *)ret_fields = (fl_option_fields){fields, value->type.n_fields};
cleanup:
    return st;
}
