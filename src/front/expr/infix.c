/* Recursive descent over tokens that are read as they are needed. */
#include "front/expr/infix.h"

#include "base/text.h"
#include "base/utf8.h"

#include <stdio.h>

typedef enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_NUMBER, TOKEN_TEXT, TOKEN_SIGN } token_kind;

typedef struct token {
    token_kind kind;
    fl_str text;    /* as it is written; of TOKEN_TEXT and quoted names the value */
    int32_t at;     /* byte of the text */
    bool is_quoted; /* a name in backquotes: no keyword */
} token;

typedef struct reader {
    maker *m;
    fl_str text;
    int32_t base;
    int64_t next; /* byte behind the token at hand */
    token now;
} reader;

static const char *const signs[] = {"&&", "||", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%",
                                    "<",  ">",  "!",  "?",  ":",  "(",  ")", "[", "]", ",", "."};

/* What people write who come from other languages. */
static const struct {
    const char *sign;
    const char *hint;
} strangers[] = {{"=", "equality is =="},
                 {"&", "and is &&"},
                 {"|", "or is ||"},
                 {"^", "powers are pow(x, y)"},
                 {"$", "fields are written without a sign: doc.price, or price"}};

/* The same of words, where an operator should stand. */
static const struct {
    const char *word;
    const char *hint;
} strange_words[] = {{"and", "and is &&"},
                     {"or", "or is ||"},
                     {"not", "not is !"},
                     {"is", "a test for null is x == null, or x != null"},
                     {"between", "between is x >= low && x <= high"},
                     {"like", "patterns are regexp_like(x, pattern), starts_with(x, prefix), contains(x, part)"},
                     {"mod", "the remainder is x % y"},
                     {"div", "whole division is div(x, y)"},
                     {"if", "a choice is condition ? value : other"}};

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int32_t position(const reader *r, int64_t at)
{
    return r->base + (int32_t)at;
}

/* ---- tokens ---- */

static int32_t hex_digits(fl_str text, int64_t at)
{
    int32_t value = 0;
    for (int64_t i = at; i < at + 4; i++) {
        char c = i < text.len ? text.data[i] : 0;
        int32_t digit = is_digit(c)            ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* What stands behind a backslash at `at`, which is moved behind it. */
static fl_status read_escape(reader *r, int64_t *at, char *to, int64_t *len)
{
    static const char letters[] = "nrtbf", values[] = "\n\r\t\b\f";
    char c = *at < r->text.len ? r->text.data[*at] : 0;
    const char *letter = c == 0 ? NULL : strchr(letters, c);
    int64_t begin = *at - 1;
    (*at)++;
    if (c == '\\' || c == '/' || c == '"' || c == '\'' || c == '`') {
        to[(*len)++] = c;
        return FL_OK;
    }
    if (letter != NULL) {
        to[(*len)++] = values[letter - letters];
        return FL_OK;
    }
    int32_t code = c == 'u' ? hex_digits(r->text, *at) : -1;
    if (code >= 0xD800 && code < 0xDC00 && *at + 6 <= r->text.len && r->text.data[*at + 4] == '\\' &&
        r->text.data[*at + 5] == 'u') {
        int32_t low = hex_digits(r->text, *at + 6);
        code = low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) : -1;
        *at += 6;
    }
    if (code <= 0 || (code >= 0xD800 && code < 0xE000))
        return fl_maker_fail(
            r->m, position(r, begin),
            "this is no escape: there are \\n \\r \\t \\b \\f \\\\ \\/ \\\" \\' and \\u with four digits");
    *at += 4;
    *len += fl_utf8_encode((uint32_t)code, to + *len);
    return FL_OK;
}

/* A text, or a name in backquotes, from its quote on. */
static fl_status read_quoted(reader *r, int64_t begin)
{
    fl_status st = FL_OK;
    char quote = r->text.data[begin], *value = NULL;
    int64_t at = begin + 1, len = 0;
    while (at < r->text.len && r->text.data[at] != quote)
        at += r->text.data[at] == '\\' ? 2 : 1;
    if (at >= r->text.len)
        return fl_maker_fail(r->m, position(r, begin), "the text that begins here has no end: %c is missing", quote);
    FL_TRY(fl_arena_get(r->m->arena, at - begin, (void **)&value, r->m->err));
    int64_t end = at;
    for (at = begin + 1; at < end;) {
        char c = r->text.data[at++];
        if (c == '\\')
            FL_TRY(read_escape(r, &at, value, &len));
        else
            value[len++] = c;
    }
    r->now = (token){quote == '`' ? TOKEN_NAME : TOKEN_TEXT, {value, len}, (int32_t)begin, quote == '`'};
    r->next = end + 1;
cleanup:
    return st;
}

static int64_t digits_end(const reader *r, int64_t at)
{
    while (at < r->text.len && is_digit(r->text.data[at]))
        at++;
    return at;
}

static fl_status read_number(reader *r, int64_t begin)
{
    int64_t end = digits_end(r, begin);
    if (end < r->text.len && r->text.data[end] == '.')
        end = digits_end(r, end + 1);
    if (end < r->text.len && (r->text.data[end] | 32) == 'e') {
        int64_t digits = end + 1;
        if (digits < r->text.len && (r->text.data[digits] == '+' || r->text.data[digits] == '-'))
            digits++;
        if (digits_end(r, digits) > digits)
            end = digits_end(r, digits);
    }
    if (end < r->text.len && is_name_start(r->text.data[end]))
        return fl_maker_fail(r->m, position(r, begin), "a number runs into a name here");
    r->now = (token){TOKEN_NUMBER, {r->text.data + begin, end - begin}, (int32_t)begin, false};
    r->next = end;
    return FL_OK;
}

static fl_status read_sign(reader *r, int64_t begin)
{
    fl_str rest = {r->text.data + begin, r->text.len - begin};
    for (int64_t i = 0; i < FL_LEN(signs); i++) {
        fl_str sign = fl_str_of(signs[i]);
        if (rest.len >= sign.len && memcmp(rest.data, sign.data, (size_t)sign.len) == 0) {
            r->now = (token){TOKEN_SIGN, {rest.data, sign.len}, (int32_t)begin, false};
            r->next = begin + sign.len;
            return FL_OK;
        }
    }
    if ((unsigned char)rest.data[0] < ' ' || rest.data[0] == 127)
        return fl_maker_fail(r->m, position(r, begin), "a control character, U+%04X, means nothing here",
                             (unsigned)rest.data[0]);
    fl_status st = fl_maker_fail(r->m, position(r, begin), "\"%c\" means nothing here", rest.data[0]);
    for (int64_t i = 0; i < FL_LEN(strangers); i++)
        if (rest.data[0] == strangers[i].sign[0])
            fl_err_hint(r->m->err, "%s", strangers[i].hint);
    return st;
}

static fl_status advance(reader *r)
{
    int64_t at = r->next;
    while (at < r->text.len && strchr(" \t\r\n", r->text.data[at]) != NULL && r->text.data[at] != 0)
        at++;
    char c = at < r->text.len ? r->text.data[at] : 0;
    if (at >= r->text.len) {
        r->now = (token){TOKEN_END, {NULL, 0}, (int32_t)r->text.len, false};
        return FL_OK;
    }
    if (c == '"' || c == '\'' || c == '`')
        return read_quoted(r, at);
    if (is_digit(c) || (c == '.' && at + 1 < r->text.len && is_digit(r->text.data[at + 1])))
        return read_number(r, at);
    if (!is_name_start(c))
        return read_sign(r, at);
    int64_t end = at;
    while (end < r->text.len && (is_name_start(r->text.data[end]) || is_digit(r->text.data[end])))
        end++;
    r->now = (token){TOKEN_NAME, {r->text.data + at, end - at}, (int32_t)at, false};
    r->next = end;
    return FL_OK;
}

static bool is_sign(const reader *r, const char *sign)
{
    return r->now.kind == TOKEN_SIGN && fl_str_is_equal(r->now.text, fl_str_of(sign));
}

static bool is_word(const reader *r, const char *word)
{
    return r->now.kind == TOKEN_NAME && !r->now.is_quoted && fl_str_is_equal_nocase(r->now.text, fl_str_of(word));
}

static fl_status fail_expected(const reader *r, const char *expected)
{
    int32_t at = position(r, r->now.at);
    if (r->now.kind == TOKEN_END)
        return fl_maker_fail(r->m, at, "expected %s, found the end of the expression", expected);
    fl_status st = fl_maker_fail(r->m, at, "expected %s, found \"%.*s\"", expected, FL_STR_ARG(r->now.text));
    for (int64_t i = 0; i < FL_LEN(strange_words); i++)
        if (is_word(r, strange_words[i].word))
            fl_err_hint(r->m->err, "%s", strange_words[i].hint);
    return st;
}

static fl_status take_sign(reader *r, const char *sign)
{
    char expected[8];
    if (is_sign(r, sign))
        return advance(r);
    snprintf(expected, sizeof(expected), "\"%s\"", sign);
    return fail_expected(r, expected);
}

/* ---- grammar ---- */

static fl_status parse_choice(reader *r, fl_ast_expr **ret);

/* Items up to the closing sign, which is taken. */
static fl_status parse_list(reader *r, const char *close, fl_ast_expr ***ret, int32_t *ret_n)
{
    fl_status st = FL_OK;
    fl_ast_expr **items = NULL;
    int64_t capacity = 0;
    int32_t n = 0;
    while (!is_sign(r, close)) {
        if (n > 0)
            FL_TRY(take_sign(r, ","));
        FL_TRY(fl_grow(r->m->memory, (void **)&items, &capacity, n + 1, (int64_t)sizeof(*items), r->m->err));
        FL_TRY(parse_choice(r, &items[n]));
        n++;
    }
    FL_TRY(advance(r));
    FL_TRY(FL_NEW_ARRAY(r->m->arena, n + 1, ret, r->m->err));
    if (n > 0)
        memcpy(*ret, items, (size_t)n * sizeof(*items));
    *ret_n = n;
cleanup:
    fl_free(items);
    return st;
}

/* Behind a name and its parenthesis. */
static fl_status parse_call(reader *r, token name, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr **args = NULL;
    int32_t n = 0;
    bool is_star = false, is_distinct = false;
    FL_TRY(advance(r));
    if (is_sign(r, "*")) { /* count(*) */
        is_star = true;
        FL_TRY(advance(r));
        FL_TRY(take_sign(r, ")"));
    } else {
        int64_t behind = r->next;
        if (is_word(r, "distinct")) { /* or a field of that name */
            token field = r->now;
            FL_TRY(advance(r));
            is_distinct = !is_sign(r, ",") && !is_sign(r, ")") && !is_sign(r, ".");
            if (!is_distinct) {
                r->now = field;
                r->next = behind;
            }
        }
        FL_TRY(parse_list(r, ")", &args, &n));
    }
    st = fl_maker_call(r->m, name.text, args, n, is_star, is_distinct, position(r, name.at), ret);
cleanup:
    return st;
}

/* A field from its first name on, which is taken: `.b.c` follows. */
static fl_status parse_path(reader *r, token first, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_name *names = NULL, *kept = NULL;
    int64_t capacity = 0;
    int32_t n = 0;
    for (token name = first;; name = r->now) {
        int32_t start = position(r, name.at);
        FL_TRY(fl_grow(r->m->memory, (void **)&names, &capacity, n + 1, (int64_t)sizeof(*names), r->m->err));
        names[n++] = (fl_ast_name){name.text, start, start + (int32_t)name.text.len};
        if (n > 1)
            FL_TRY(advance(r));
        if (!is_sign(r, "."))
            break;
        FL_TRY(advance(r));
        if (r->now.kind != TOKEN_NAME)
            FL_TRY(fail_expected(r, "a field's name behind the dot"));
    }
    FL_TRY(FL_NEW_ARRAY(r->m->arena, n, &kept, r->m->err));
    memcpy(kept, names, (size_t)n * sizeof(*names));
    st = fl_maker_column(r->m, kept, n, position(r, first.at), ret);
cleanup:
    fl_free(names);
    return st;
}

/* A call, a constant or a field. */
static fl_status parse_name(reader *r, fl_ast_expr **ret)
{
    token first = r->now;
    int32_t at = position(r, first.at);
    bool is_true = is_word(r, "true"), is_false = is_word(r, "false"), is_null = is_word(r, "null");
    fl_status st = advance(r);
    if (st != FL_OK)
        return st;
    if (is_sign(r, "(") && !first.is_quoted)
        return parse_call(r, first, ret);
    if ((is_true || is_false) && !is_sign(r, "."))
        return fl_maker_bool(r->m, is_true, at, ret);
    if (is_null && !is_sign(r, "."))
        return fl_maker_null(r->m, at, ret);
    return parse_path(r, first, ret);
}

static fl_status parse_list_value(reader *r, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr **items = NULL;
    int32_t n = 0, at = position(r, r->now.at);
    FL_TRY(advance(r));
    FL_TRY(parse_list(r, "]", &items, &n));
    st = fl_maker_list(r->m, items, n, at, ret);
cleanup:
    return st;
}

static fl_status parse_primary(reader *r, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    token t = r->now;
    switch (t.kind) {
    case TOKEN_NAME:
        return parse_name(r, ret);
    case TOKEN_NUMBER:
        FL_TRY(advance(r));
        return fl_maker_number(r->m, t.text, position(r, t.at), ret);
    case TOKEN_TEXT:
        FL_TRY(advance(r));
        return fl_maker_literal(r->m, FL_AST_STRING, t.text, position(r, t.at), ret);
    default:
        break;
    }
    if (is_sign(r, "["))
        return parse_list_value(r, ret);
    if (!is_sign(r, "("))
        return fail_expected(r, "a value");
    FL_TRY(advance(r));
    FL_TRY(parse_choice(r, ret));
    st = take_sign(r, ")");
cleanup:
    return st;
}

static fl_status parse_unary(reader *r, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    bool is_not = is_sign(r, "!");
    int32_t at = position(r, r->now.at);
    if (!is_not && !is_sign(r, "-"))
        return parse_primary(r, ret);
    FL_TRY(fl_maker_enter(r->m, at));
    FL_TRY(advance(r));
    FL_TRY(parse_unary(r, ret));
    fl_maker_leave(r->m);
    st = fl_maker_operator(r->m, is_not ? MAKER_NOT : MAKER_NEGATE, *ret, NULL, at, ret);
cleanup:
    return st;
}

typedef struct level_op {
    const char *sign;
    maker_op op;
} level_op;

/* Binary operators, loosest first; those of a level go from left to right. */
static const level_op levels[][4] = {
    {{"||", MAKER_OR}},
    {{"&&", MAKER_AND}},
    {{"==", MAKER_EQ}, {"!=", MAKER_NE}},
    {{"<=", MAKER_LE}, {">=", MAKER_GE}, {"<", MAKER_LT}, {">", MAKER_GT}},
    {{"+", MAKER_ADD}, {"-", MAKER_SUB}},
    {{"*", MAKER_MUL}, {"/", MAKER_DIV}, {"%", MAKER_MOD}},
};
#define LEVEL_AND 1
#define LEVEL_ORDER 3 /* of <, where `in` stands, too */

/* x in [a, b], x not in [a, b] */
static fl_status parse_in(reader *r, fl_ast_expr *left, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr **items = NULL;
    int32_t n = 0, at = position(r, r->now.at);
    bool is_negated = is_word(r, "not");
    FL_TRY(advance(r));
    if (is_negated && !is_word(r, "in"))
        return fail_expected(r, "\"in\" behind \"not\"");
    if (is_negated)
        FL_TRY(advance(r));
    FL_TRY(take_sign(r, "["));
    FL_TRY(parse_list(r, "]", &items, &n));
    FL_TRY(fl_maker_in(r->m, left, items, n, at, ret));
    if (is_negated)
        st = fl_maker_operator(r->m, MAKER_NOT, *ret, NULL, at, ret);
cleanup:
    return st;
}

static fl_status parse_level(reader *r, int32_t level, fl_ast_expr **ret);

/* a && b && …: its terms are gathered first, since there may be many. */
static fl_status parse_junction(reader *r, int32_t level, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr **items = NULL;
    int64_t capacity = 0;
    int32_t n = 0, at = 0;
    const level_op *op = levels[level];
    for (;;) {
        FL_TRY(fl_grow(r->m->memory, (void **)&items, &capacity, n + 1, (int64_t)sizeof(*items), r->m->err));
        FL_TRY(parse_level(r, level + 1, &items[n++]));
        if (!is_sign(r, op->sign))
            break;
        at = n == 1 ? position(r, r->now.at) : at;
        FL_TRY(advance(r));
    }
    st = fl_maker_junction(r->m, op->op == MAKER_AND ? FL_AST_AND : FL_AST_OR, items, n, at, ret);
cleanup:
    fl_free(items);
    return st;
}

static fl_status parse_level(reader *r, int32_t level, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *right = NULL;
    if (level == FL_LEN(levels))
        return parse_unary(r, ret);
    if (level <= LEVEL_AND)
        return parse_junction(r, level, ret);
    FL_TRY(parse_level(r, level + 1, ret));
    for (;;) {
        const level_op *op = levels[level], *end = op + FL_LEN(levels[level]);
        int32_t at = position(r, r->now.at);
        if (level == LEVEL_ORDER && (is_word(r, "in") || is_word(r, "not"))) {
            FL_TRY(parse_in(r, *ret, ret));
            continue;
        }
        while (op < end && op->sign != NULL && !is_sign(r, op->sign))
            op++;
        if (op == end || op->sign == NULL)
            return FL_OK;
        FL_TRY(advance(r));
        FL_TRY(parse_level(r, level + 1, &right));
        FL_TRY(fl_maker_operator(r->m, op->op, *ret, right, at, ret));
    }
cleanup:
    return st;
}

static fl_status parse_choice(reader *r, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *then = NULL, *otherwise = NULL;
    FL_TRY(fl_maker_enter(r->m, position(r, r->now.at)));
    FL_TRY(parse_level(r, 0, ret));
    if (is_sign(r, "?")) {
        int32_t at = position(r, r->now.at);
        FL_TRY(advance(r));
        FL_TRY(parse_choice(r, &then));
        FL_TRY(take_sign(r, ":"));
        FL_TRY(parse_choice(r, &otherwise));
        FL_TRY(fl_maker_choice(r->m, *ret, then, otherwise, at, ret));
    }
    fl_maker_leave(r->m);
cleanup:
    return st;
}

/* ---- whole texts ---- */

static fl_status begin(reader *r, maker *m, fl_str text, int32_t base)
{
    *r = (reader){.m = m, .text = text, .base = base};
    const char *nul = memchr(text.data, 0, (size_t)text.len);
    return nul == NULL ? advance(r) : fl_maker_fail(m, position(r, nul - text.data), "an expression holds no NUL");
}

static fl_status end(const reader *r)
{
    if (r->now.kind == TOKEN_END)
        return FL_OK;
    fl_status st = fail_expected(r, "an operator or the end of the expression");
    fl_str before = {r->text.data, r->now.at};
    while (before.len > 0 && before.data[before.len - 1] == ' ')
        before.len--;
    if (fl_str_is_equal_nocase(before, FL_STR("not")))
        fl_err_hint(r->m->err, "not is !");
    return st;
}

fl_status fl_infix_parse(maker *m, fl_str text, int32_t base, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    int32_t depth = m->depth;
    reader r;
    FL_TRY(begin(&r, m, text, base));
    FL_TRY(parse_choice(&r, ret));
    st = end(&r);
cleanup:
    m->depth = depth;
    return st;
}

fl_status fl_infix_parse_item(maker *m, fl_str text, int32_t base, fl_ast_item *ret)
{
    fl_status st = FL_OK;
    int32_t depth = m->depth;
    reader r;
    *ret = (fl_ast_item){0};
    FL_TRY(begin(&r, m, text, base));
    if (is_sign(&r, "*")) {
        FL_TRY(fl_maker_star(m, base, &ret->expr));
        FL_TRY(advance(&r));
    } else {
        FL_TRY(parse_choice(&r, &ret->expr));
        if (is_word(&r, "as")) {
            FL_TRY(advance(&r));
            if (r.now.kind != TOKEN_NAME)
                FL_TRY(fail_expected(&r, "a name behind \"as\""));
            int32_t at = position(&r, r.now.at);
            ret->alias = (fl_ast_name){r.now.text, at, at + (int32_t)r.now.text.len};
            FL_TRY(advance(&r));
        }
    }
    st = end(&r);
cleanup:
    m->depth = depth;
    return st;
}

bool fl_infix_is_field(fl_str text)
{
    bool is_start = true;
    for (int64_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (is_start ? !is_name_start(c) : c != '.' && !is_name_start(c) && !is_digit(c))
            return false;
        is_start = c == '.';
    }
    return text.len > 0 && !is_start;
}
