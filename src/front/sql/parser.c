/* The parser's ground floor: a statement's tokens, faults and guesses, names and types, lists. */
#include "front/sql/parse.h"

#include "arrow/type.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- faults ---- */

fl_status fl_sql_fail_at(parser *p, int32_t at, fl_status code, const char *format, ...)
{
    char message[FL_ERR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    fl_err_set(p->err, code, "%s", message);
    fl_err_at(p->err, at);
    return code;
}

const char *fl_sql_keyword_upper(fl_sql_keyword keyword, char upper[32])
{
    fl_str text = fl_sql_keyword_text(keyword);
    FL_ASSERT(text.len < 32);
    for (int64_t i = 0; i < text.len; i++)
        upper[i] = text.data[i] >= 'a' && text.data[i] <= 'z' ? (char)(text.data[i] - 32) : text.data[i];
    upper[text.len] = 0;
    return upper;
}

fl_status fl_sql_fail_expected(parser *p, const char *expected)
{
    const fl_sql_token *token = p->fault = p->now;
    int32_t bytes = token->end - token->start;
    if (token->kind == FL_SQL_END)
        fl_sql_fail_at(p, token->start, FL_ERR_SYNTAX, "syntax error at the end of the text: expected %s", expected);
    else
        fl_sql_fail_at(p, token->start, FL_ERR_SYNTAX, "syntax error at or near \"%.*s\": expected %s",
                       bytes > 60 ? 60 : bytes, text_of(p, token).data, expected);
    if (token->kind == FL_SQL_WORD && fl_sql_keyword_class_of(token->keyword) == FL_SQL_RESERVED &&
        strstr(expected, "name") != NULL)
        fl_err_hint(p->err, "\"%.*s\" is a reserved word: as a name it needs double quotes", bytes,
                    text_of(p, token).data);
    return FL_ERR_SYNTAX;
}

fl_status fl_sql_fail_unsupported(parser *p, int32_t at, const char *what, const char *instead)
{
    fl_status st = fl_sql_fail_at(p, at, FL_ERR_UNSUPPORTED, "%s not supported yet", what);
    fl_err_hint(p->err, "%s", instead);
    return st;
}

fl_status fl_sql_fail_operator(parser *p)
{
    static const struct {
        const char *text;
        const char *instead;
    } known[] = {{"@", "write abs(x)"},
                 {"|/", "write sqrt(x)"},
                 {"||/", "write cbrt(x)"},
                 {"!", "write NOT for a negation, <> for \"is not equal\""},
                 {"@@@", "write x LIKE '%word%' or x ~ 'pattern'"}};
    fl_str text = text_of(p, p->now);
    fl_status st = fl_sql_fail_at(p, p->now->start, FL_ERR_UNSUPPORTED, "the operator %.*s is not supported yet",
                                  FL_STR_ARG(text));
    fl_err_hint(p->err, "fields are read as (x).name, elements of lists as x[1]");
    for (int64_t i = 0; i < FL_LEN(known); i++)
        if (fl_str_is_equal(fl_str_of(known[i].text), text))
            fl_err_hint(p->err, "%s", known[i].instead);
    return st;
}

fl_status fl_sql_expect(parser *p, fl_sql_token_kind kind, const char *what)
{
    if (p->now->kind != kind)
        return fl_sql_fail_expected(p, what);
    p->now++;
    return FL_OK;
}

fl_status fl_sql_expect_word(parser *p, fl_sql_keyword keyword)
{
    if (p->now->keyword == keyword) {
        p->now++;
        return FL_OK;
    }
    char upper[32];
    return fl_sql_fail_expected(p, fl_sql_keyword_upper(keyword, upper));
}

fl_status fl_sql_fail_deep(parser *p, int32_t at)
{
    fl_sql_fail_at(p, at, FL_ERR_LIMIT, "nested too deep: this is level %d, and %d is the limit", FL_SQL_DEPTH_MAX + 1,
                   FL_SQL_DEPTH_MAX);
    fl_err_hint(p->err, "long chains of AND, OR and UNION nest once only; a chain of other operators can be cut by "
                        "parentheses or a subquery");
    return fl_err_state(p->err, "54001", FL_ERR_LIMIT);
}

fl_status fl_sql_enter(parser *p)
{
    if (p->depth >= FL_SQL_DEPTH_MAX)
        return fl_sql_fail_deep(p, p->now->start);
    p->depth++;
    return FL_OK;
}

/* ---- lists ---- */

fl_status fl_sql_push(parser *p, void *item)
{
    if (p->stack_count == p->stack_capacity) {
        fl_status st =
            fl_grow(p->memory, (void **)&p->stack, &p->stack_capacity, p->stack_count + 1, sizeof(*p->stack), p->err);
        if (st != FL_OK)
            return st;
    }
    p->stack[p->stack_count++] = item;
    return FL_OK;
}

fl_status fl_sql_pop_list(parser *p, int64_t mark, void *ret_items, int32_t *ret_count)
{
    int64_t count = p->stack_count - mark;
    void *items = NULL;
    if (count > 0) {
        fl_status st = fl_arena_get(p->arena, count * (int64_t)sizeof(void *), &items, p->err);
        if (st != FL_OK)
            return st;
        memcpy(items, p->stack + mark, (size_t)count * sizeof(void *));
    }
    p->stack_count = mark;
    memcpy(ret_items, &items, sizeof(items));
    *ret_count = (int32_t)count;
    return FL_OK;
}

fl_status fl_sql_pop_values(parser *p, int64_t mark, int64_t bytes, void *ret_items, int32_t *ret_count)
{
    int64_t count = p->stack_count - mark;
    void *items = NULL;
    if (count > 0) {
        fl_status st = fl_arena_get(p->arena, count * bytes, &items, p->err);
        if (st != FL_OK)
            return st;
        for (int64_t i = 0; i < count; i++)
            memcpy((char *)items + i * bytes, p->stack[mark + i], (size_t)bytes);
    }
    p->stack_count = mark;
    memcpy(ret_items, &items, sizeof(items));
    *ret_count = (int32_t)count;
    return FL_OK;
}

bool fl_sql_is_list_end(const parser *p)
{
    switch (p->now->kind) {
    case FL_SQL_END:
    case FL_SQL_SEMICOLON:
    case FL_SQL_RIGHT_PAREN:
    case FL_SQL_RIGHT_BRACKET:
    case FL_SQL_RIGHT_BRACE:
        return true;
    default:
        break;
    }
    switch ((fl_sql_keyword)p->now->keyword) {
    case FL_KW_FROM:
    case FL_KW_WHERE:
    case FL_KW_GROUP:
    case FL_KW_HAVING:
    case FL_KW_ORDER:
    case FL_KW_LIMIT:
    case FL_KW_OFFSET:
    case FL_KW_FETCH:
    case FL_KW_UNION:
    case FL_KW_INTERSECT:
    case FL_KW_EXCEPT:
    case FL_KW_QUALIFY:
    case FL_KW_WINDOW:
        return true;
    default:
        return false;
    }
}

/* ---- names ---- */

bool fl_sql_is_name_token(const fl_sql_token *token)
{
    return token->kind == FL_SQL_QUOTED ||
           (token->kind == FL_SQL_WORD && fl_sql_keyword_class_of(token->keyword) != FL_SQL_RESERVED);
}

bool fl_sql_is_name(const parser *p)
{
    return fl_sql_is_name_token(p->now);
}

/* The lexer counts from the start of its text, tokens and errors from the base. */
static fl_status shift_error(const parser *p, fl_status st)
{
    if (st != FL_OK && p->err != NULL && p->err->position > 0)
        p->err->position += p->base;
    return st;
}

static fl_status take_value(parser *p, const fl_sql_token *token, fl_str *ret)
{
    fl_sql_token local = *token;
    local.start -= p->base;
    local.end -= p->base;
    return shift_error(p, fl_sql_token_value(p->lexer.text, &local, p->arena, ret, p->err));
}

fl_status fl_sql_parse_value(parser *p, fl_str *ret)
{
    return take_value(p, p->now++, ret);
}

static fl_status take_name(parser *p, fl_ast_name *ret)
{
    const fl_sql_token *token = p->now++;
    ret->start = token->start;
    ret->end = token->end;
    return take_value(p, token, &ret->text);
}

fl_status fl_sql_parse_name(parser *p, const char *what, fl_ast_name *ret)
{
    return fl_sql_is_name(p) ? take_name(p, ret) : fl_sql_fail_expected(p, what);
}

fl_status fl_sql_parse_label(parser *p, const char *what, fl_ast_name *ret)
{
    return is_at(p, FL_SQL_WORD) || is_at(p, FL_SQL_QUOTED) ? take_name(p, ret) : fl_sql_fail_expected(p, what);
}

fl_status fl_sql_parse_alias(parser *p, fl_ast_name *ret)
{
    *ret = (fl_ast_name){0};
    if (accept_word(p, FL_KW_AS)) {
        if (is_at(p, FL_SQL_STRING)) { /* AS 'name': what MySQL's and DuckDB's users write */
            const fl_sql_token *token = p->now++;
            ret->start = token->start;
            ret->end = token->end;
            return take_value(p, token, &ret->text);
        }
        return fl_sql_parse_label(p, "an alias name", ret);
    }
    bool is_bare =
        is_at(p, FL_SQL_QUOTED) || (is_at(p, FL_SQL_WORD) && fl_sql_keyword_class_of(p->now->keyword) == FL_SQL_FREE);
    return is_bare ? take_name(p, ret) : FL_OK;
}

fl_status fl_sql_parse_path(parser *p, const char *what, fl_ast_path *ret)
{
    fl_status st = FL_OK;
    fl_ast_name parts[8];
    int32_t count = 0;
    FL_TRY(fl_sql_parse_name(p, what, &parts[count++]));
    while (is_at(p, FL_SQL_DOT) && (ahead(p, 1)->kind == FL_SQL_WORD || ahead(p, 1)->kind == FL_SQL_QUOTED)) {
        advance(p);
        if (count == FL_LEN(parts))
            return fl_sql_fail_at(p, p->now->start, FL_ERR_SYNTAX, "a name has at most %d parts", (int)FL_LEN(parts));
        FL_TRY(take_name(p, &parts[count++]));
    }
    FL_TRY(fl_arena_get(p->arena, count * (int64_t)sizeof(*parts), (void **)&ret->parts, p->err));
    memcpy(ret->parts, parts, (size_t)count * sizeof(*parts));
    ret->count = count;
cleanup:
    return st;
}

fl_status fl_sql_parse_names(parser *p, const char *what, fl_ast_name **ret, int32_t *ret_count)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    do {
        fl_ast_name *name;
        FL_TRY(NEW(p, &name));
        FL_TRY(fl_sql_parse_name(p, what, name));
        FL_TRY(fl_sql_push(p, name));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_name), ret, ret_count));
cleanup:
    return st;
}

fl_status fl_sql_parse_name_list(parser *p, fl_ast_name **ret, int32_t *ret_count)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\""));
    do {
        if (p->stack_count > mark && fl_sql_is_list_end(p))
            break;
        fl_ast_name *name;
        FL_TRY(NEW(p, &name));
        FL_TRY(fl_sql_parse_name(p, "a column name", name));
        FL_TRY(fl_sql_push(p, name));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_name), ret, ret_count));
cleanup:
    return st;
}

fl_status fl_sql_parse_string(parser *p, const char *what, fl_str *ret)
{
    if (!is_at(p, FL_SQL_STRING) && !is_at(p, FL_SQL_ESCAPE_STRING) && !is_at(p, FL_SQL_DOLLAR_STRING))
        return fl_sql_fail_expected(p, what);
    return fl_sql_parse_value(p, ret);
}

/* ---- types ---- */

/* WITH TIME ZONE or WITHOUT TIME ZONE, behind time and timestamp. */
static fl_status parse_zone(parser *p, fl_ast_type *type)
{
    bool is_time = fl_str_is_equal_nocase(type->name, FL_STR("time"));
    bool has_zone = is_word(p, FL_KW_WITH);
    if ((!has_zone && !is_word(p, FL_KW_WITHOUT)) || ahead(p, 1)->keyword != FL_KW_TIME)
        return FL_OK;
    advance(p);
    advance(p);
    if (has_zone)
        type->name = is_time ? FL_STR("time with time zone") : FL_STR("timestamp with time zone");
    return fl_sql_expect_word(p, FL_KW_ZONE);
}

static fl_status parse_modifiers(parser *p, fl_ast_type *type)
{
    fl_status st = FL_OK;
    if (!is_at(p, FL_SQL_LEFT_PAREN))
        return FL_OK;
    advance(p);
    do {
        if (!is_at(p, FL_SQL_INTEGER))
            return fl_sql_fail_expected(p, "a number");
        if (type->modifier_count == FL_LEN(type->modifiers))
            return fl_sql_fail_expected(p, "\")\"");
        fl_str digits;
        int64_t value = 0;
        FL_TRY(take_value(p, p->now, &digits));
        for (int64_t i = 0; i < digits.len; i++) {
            value = value * 10 + (digits.data[i] - '0');
            if (value > INT32_MAX)
                return fl_sql_fail_at(p, p->now->start, FL_ERR_SYNTAX,
                                      "a type's size of %.*s is too large: %d is the limit", FL_STR_ARG(digits),
                                      INT32_MAX);
        }
        type->modifiers[type->modifier_count++] = value;
        advance(p);
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
cleanup:
    return st;
}

static fl_status parse_struct_type(parser *p, fl_ast_type *type)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\""));
    do {
        fl_ast_field *field;
        FL_TRY(NEW(p, &field));
        FL_TRY(fl_sql_parse_label(p, "a field name", &field->name));
        FL_TRY(fl_sql_parse_type(p, &field->type));
        FL_TRY(fl_sql_push(p, field));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_field), &type->fields, &type->field_count));
cleanup:
    return st;
}

/* map(key, value) */
static fl_status parse_map_type(parser *p, fl_ast_type *type)
{
    fl_status st = FL_OK;
    FL_TRY(FL_NEW_ARRAY(p->arena, 2, &type->fields, p->err));
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\""));
    FL_TRY(fl_sql_parse_type(p, &type->fields[0].type));
    FL_TRY(fl_sql_expect(p, FL_SQL_COMMA, "\",\""));
    FL_TRY(fl_sql_parse_type(p, &type->fields[1].type));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\")\""));
    type->field_count = 2;
cleanup:
    return st;
}

/* enum('a', 'b'): fields without types. */
static fl_status parse_enum_type(parser *p, fl_ast_type *type)
{
    fl_status st = FL_OK;
    int64_t mark = p->stack_count;
    FL_TRY(fl_sql_expect(p, FL_SQL_LEFT_PAREN, "\"(\""));
    do {
        fl_ast_field *field;
        FL_TRY(NEW(p, &field));
        field->name.start = p->now->start;
        field->name.end = p->now->end;
        FL_TRY(fl_sql_parse_string(p, "a value of the enum, in quotes", &field->name.text));
        FL_TRY(fl_sql_push(p, field));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    FL_TRY(fl_sql_pop_values(p, mark, sizeof(fl_ast_field), &type->fields, &type->field_count));
cleanup:
    return st;
}

/* The number between brackets: of the elements that there are. */
static fl_status parse_list_length(parser *p, fl_ast_type *type)
{
    fl_status st = FL_OK;
    int32_t at = p->now->start;
    fl_str digits = text_of(p, p->now);
    int64_t length = 0;
    for (int64_t i = 0; i < digits.len && length <= FL_TYPE_LIST_LENGTH_MAX; i++)
        length = length * 10 + (digits.data[i] - '0');
    if (length < 1 || length > FL_TYPE_LIST_LENGTH_MAX)
        return fl_err_state(p->err, "22023",
                            fl_sql_fail_at(p, at, FL_ERR_RANGE, "a list has between 1 and %d elements, not %.*s",
                                           FL_TYPE_LIST_LENGTH_MAX, FL_STR_ARG(digits)));
    if (type->list_lengths == NULL) {
        FL_TRY(FL_NEW_ARRAY(p->arena, FL_TYPE_DEPTH_MAX, &type->list_lengths, p->err));
        for (int32_t i = 0; i < FL_TYPE_DEPTH_MAX; i++)
            type->list_lengths[i] = -1;
    }
    type->list_lengths[type->list_depth] = (int32_t)length;
    advance(p);
cleanup:
    return st;
}

fl_status fl_sql_parse_type(parser *p, fl_ast_type **ret)
{
    fl_status st = FL_OK;
    fl_ast_type *type;
    fl_ast_name name;
    FL_TRY(fl_sql_enter(p));
    FL_TRY(NEW(p, &type));
    type->start = p->now->start;
    if (is_at(p, FL_SQL_LEFT_PAREN)) { /* CREATE TYPE t AS (a integer) */
        type->name = FL_STR("struct");
        FL_TRY(parse_struct_type(p, type));
        type->end = end_before(p);
        p->depth--;
        *ret = type;
        return FL_OK;
    }
    fl_sql_keyword word = p->now->keyword;
    FL_TRY(fl_sql_parse_name(p, "a type name", &name));
    type->name = name.text;
    if (word == FL_KW_DOUBLE && is_word(p, FL_KW_PRECISION)) {
        advance(p);
        type->name = FL_STR("double precision");
    } else if ((word == FL_KW_CHARACTER || word == FL_KW_CHAR || word == FL_KW_NATIONAL)) {
        if (word == FL_KW_NATIONAL && (is_word(p, FL_KW_CHARACTER) || is_word(p, FL_KW_CHAR)))
            advance(p);
        if (accept_word(p, FL_KW_VARYING))
            type->name = FL_STR("varchar");
    }
    if (word == FL_KW_STRUCT || (word == FL_KW_ROW && is_at(p, FL_SQL_LEFT_PAREN))) {
        FL_TRY(parse_struct_type(p, type));
    } else if (word == FL_KW_MAP) {
        FL_TRY(parse_map_type(p, type));
    } else if (word == FL_KW_ENUM) {
        FL_TRY(parse_enum_type(p, type));
    } else if (word == FL_KW_BIT && accept_word(p, FL_KW_VARYING)) {
        type->name = FL_STR("varbit");
        FL_TRY(parse_modifiers(p, type));
    } else {
        FL_TRY(parse_modifiers(p, type));
    }
    if (word == FL_KW_TIME || word == FL_KW_TIMESTAMP)
        FL_TRY(parse_zone(p, type));
    while (is_at(p, FL_SQL_LEFT_BRACKET)) {
        advance(p);
        if (type->list_depth == FL_TYPE_DEPTH_MAX)
            return fl_sql_fail_at(p, type->start, FL_ERR_LIMIT, "a type of more than %d nested lists",
                                  FL_TYPE_DEPTH_MAX);
        if (is_at(p, FL_SQL_INTEGER))
            FL_TRY(parse_list_length(p, type));
        else if (type->list_lengths != NULL)
            type->list_lengths[type->list_depth] = -1;
        FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_BRACKET, "\"]\""));
        type->list_depth++;
    }
    type->end = end_before(p);
    p->depth--;
    *ret = type;
cleanup:
    return st;
}

/* ---- statements ---- */

fl_status fl_sql_parser_init(fl_sql_parser *parser, fl_memory *memory, fl_str text, fl_err *err)
{
    *parser = (fl_sql_parser){.memory = memory};
    return fl_sql_lexer_init(&parser->lexer, text, err);
}

void fl_sql_parser_drop(fl_sql_parser *parser)
{
    fl_free(parser->tokens);
    fl_free(parser->stack);
    *parser = (fl_sql_parser){0};
}

/* Cuts the next statement into tokens, up to and with its semicolon. */
static fl_status read_tokens(parser *p, bool skips_empty)
{
    fl_status st = FL_OK;
    fl_sql_token token = {.kind = FL_SQL_SEMICOLON};
    p->token_count = 0;
    p->plain_from = p->plain_to = NULL;
    p->lexer.begin = p->lexer.at;
    do {
        if (p->token_count == p->token_capacity)
            FL_TRY(fl_grow(p->memory, (void **)&p->tokens, &p->token_capacity,
                           p->token_count == 0 ? 256 : p->token_count + 1, sizeof(*p->tokens), p->err));
        FL_TRY(shift_error(p, fl_sql_lexer_next(&p->lexer, &token, p->err)));
        token.start += p->base;
        token.end += p->base;
        if (skips_empty && token.kind == FL_SQL_SEMICOLON && p->token_count == 0) {
            p->lexer.begin = p->lexer.at;
            continue; /* an empty statement */
        }
        p->tokens[p->token_count++] = token;
        if (token.kind == FL_SQL_SEMICOLON)
            break;
    } while (token.kind != FL_SQL_END);
    p->now = p->tokens;
cleanup:
    return st;
}

/* One statement and nothing behind it. */
static fl_status parse_whole(parser *p, fl_ast_statement **ret)
{
    fl_status st = FL_OK;
    FL_TRY(fl_sql_parse_statement(p, ret));
    (*ret)->end = end_before(p);
    (*ret)->parameter_count = p->parameter_count;
    (*ret)->parameter_names = p->parameter_names;
    (*ret)->has_rowid = p->has_rowid;
    if (!is_at(p, FL_SQL_END) && !is_at(p, FL_SQL_SEMICOLON))
        FL_TRY(fl_sql_fail_expected(p, "the end of the statement"));
    FL_ASSERT(p->stack_count == 0);
cleanup:
    return st;
}

static fl_status try_whole(parser *p)
{
    fl_ast_statement *statement = NULL;
    return parse_whole(p, &statement);
}

fl_status fl_sql_parser_next(fl_sql_parser *parser, fl_arena *arena, fl_ast_statement **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_ast_statement *statement = NULL;
    parser->arena = arena;
    parser->err = err;
    parser->fault = NULL;
    parser->stack_count = 0;
    parser->depth = parser->tallest = 0;
    parser->parameter_count = 0;
    parser->parameter_names = NULL;
    parser->has_rowid = false;
    parser->has_question = parser->has_dollar = false;
    FL_TRY(read_tokens(parser, true));
    if (!is_at(parser, FL_SQL_END)) {
        st = parse_whole(parser, &statement);
        if (st == FL_ERR_SYNTAX && parser->fault != NULL)
            st = fl_sql_explain_fault(parser, try_whole);
    }
    if (st == FL_OK)
        *ret = statement;
cleanup:
    parser->arena = NULL;
    parser->err = NULL;
    return st;
}

void fl_sql_hint_keyword(fl_memory *memory, fl_str text, const fl_ast_statement *statement, fl_err *err)
{
    fl_str own = {text.data + statement->start, statement->end - statement->start};
    parser p = {.memory = memory, .base = statement->start, .err = NULL};
    if (err == NULL || err->position <= 0)
        return;
    if (fl_sql_lexer_init(&p.lexer, own, NULL) == FL_OK && read_tokens(&p, false) == FL_OK) {
        p.err = err;
        fl_sql_guess_name(&p, try_whole, (int32_t)err->position - 1);
    }
    fl_sql_parser_drop(&p);
}

/* ---- fragments ---- */

fl_status fl_sql_fragment_begin(parser *p, const fl_sql_fragment *fragment, fl_err *err)
{
    fl_status st = FL_OK;
    *p = (parser){.memory = fragment->memory, .base = fragment->base, .arena = fragment->arena, .err = err};
    FL_TRY(shift_error(p, fl_sql_lexer_init(&p->lexer, fragment->text, err)));
    FL_TRY(read_tokens(p, false));
cleanup:
    return st;
}
