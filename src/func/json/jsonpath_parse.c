/* Reading paths of SQL/JSON: by recursive descent, with the precedence of operators as PostgreSQL has it. Whether a part is a predicate, which
 * is true or false, or an expression, which gives values, is part of the grammar. */
#include "func/json/jsonpath.h"

#include <stdlib.h>

#define NESTED_MAX 256
#define FAILED_BYTES 40 /* of the text that are shown */

typedef fl_jsonpath_step step;

typedef enum token_kind { T_END, T_SYMBOL, T_NAME, T_STRING, T_NUMBER, T_VARIABLE } token_kind;

typedef struct token {
    token_kind kind;
    fl_str text;     /* of a name, string, variable: without quotes and escapes */
    int64_t at, end; /* in the text */
    bool is_quoted;
    yyjson_val number;
} token;

typedef struct parser {
    fl_arena *arena;
    fl_str text;
    token now;
    int32_t depth, subscripts, filters; /* that are around */
    fl_err *err;
} parser;

/* A part, and whether it is a predicate. */
typedef struct part {
    step *first;
    bool is_predicate;
} part;

/* ---- errors ---------------------------------------------------------------------------------------------------------- */

static fl_status fail_at(parser *p, int64_t at, const char *wanted)
{
    int64_t left = p->text.len - at;
    fl_status st =
        left <= 0
            ? FL_FAIL(p->err, FL_ERR_VALUE, "the path ends too early: %s was expected", wanted)
            : FL_FAIL(p->err, FL_ERR_VALUE, "syntax error at \"%.*s\", byte %lld of the path: %s was expected",
                      (int)(left < FAILED_BYTES ? left : FAILED_BYTES), p->text.data + at, (long long)at + 1, wanted);
    return fl_err_state(p->err, "42601", st);
}

static fl_status fail(parser *p, const char *wanted)
{
    return fail_at(p, p->now.at, wanted);
}

static fl_status enter(parser *p)
{
    if (++p->depth <= NESTED_MAX)
        return FL_OK;
    return fl_err_state(p->err, "54001", FL_FAIL(p->err, FL_ERR_LIMIT, "paths are nested at most %d deep", NESTED_MAX));
}

/* ---- tokens ---------------------------------------------------------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_special(char c)
{
    return is_space(c) || strchr("?%$.[]{}()|&!=<>@#,*:-+/\"", c) != NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char at(const parser *p, int64_t i)
{
    return i < p->text.len ? p->text.data[i] : 0;
}

static fl_status skip_space(parser *p, int64_t *i)
{
    for (;;) {
        while (*i < p->text.len && is_space(at(p, *i)))
            ++*i;
        if (at(p, *i) != '/' || at(p, *i + 1) != '*')
            return FL_OK;
        int64_t from = *i;
        for (*i += 2; *i < p->text.len && !(at(p, *i) == '*' && at(p, *i + 1) == '/');)
            ++*i;
        if (*i >= p->text.len)
            return fail_at(p, from, "the end of a comment");
        *i += 2;
    }
}

static int hex_of(char c)
{
    return is_digit(c) ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* So many hexadecimal digits from *i on; -1: they are not there. */
static int64_t read_hex(const parser *p, int64_t *i, int n)
{
    int64_t value = 0;
    for (int k = 0; k < n; k++, ++*i) {
        int digit = hex_of(at(p, *i));
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static void add_utf8(char *to, int64_t *n, int64_t code)
{
    if (code < 0x80) {
        to[(*n)++] = (char)code;
    } else if (code < 0x800) {
        to[(*n)++] = (char)(0xC0 | code >> 6);
        to[(*n)++] = (char)(0x80 | (code & 63));
    } else if (code < 0x10000) {
        to[(*n)++] = (char)(0xE0 | code >> 12);
        to[(*n)++] = (char)(0x80 | (code >> 6 & 63));
        to[(*n)++] = (char)(0x80 | (code & 63));
    } else {
        to[(*n)++] = (char)(0xF0 | code >> 18);
        to[(*n)++] = (char)(0x80 | (code >> 12 & 63));
        to[(*n)++] = (char)(0x80 | (code >> 6 & 63));
        to[(*n)++] = (char)(0x80 | (code & 63));
    }
}

/* \u0041, \u{1F600}, \x41; two surrogates make one character. */
static fl_status read_code(parser *p, int64_t *i, int64_t from, int64_t *ret)
{
    char kind = at(p, (*i)++);
    if (kind == 'u' && at(p, *i) == '{') {
        int64_t start = ++*i;
        for (*ret = 0; hex_of(at(p, *i)) >= 0 && *i - start < 6; ++*i)
            *ret = *ret * 16 + hex_of(at(p, *i));
        if (*i == start || at(p, (*i)++) != '}')
            *ret = -1;
    } else {
        *ret = read_hex(p, i, kind == 'x' ? 2 : 4);
        if (*ret >= 0xD800 && *ret < 0xDC00 && at(p, *i) == '\\' && at(p, *i + 1) == 'u') {
            *i += 2;
            int64_t low = read_hex(p, i, 4);
            *ret = low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((*ret - 0xD800) << 10) + (low - 0xDC00) : -1;
        }
    }
    if (*ret <= 0 || *ret > 0x10FFFF || (*ret >= 0xD800 && *ret < 0xE000))
        return fail_at(p, from, "a character by its number");
    return FL_OK;
}

static fl_status read_escape(parser *p, int64_t *i, char *to, int64_t *n)
{
    static const char letters[] = "bfnrtv", means[] = "\b\f\n\r\t\v";
    int64_t from = (*i)++, code;
    char c = at(p, *i);
    if (*i >= p->text.len)
        return fail_at(p, from, "a character behind \\");
    if (c == 'u' || c == 'x') {
        fl_status st = read_code(p, i, from, &code);
        if (st == FL_OK)
            add_utf8(to, n, code);
        return st;
    }
    const char *found = strchr(letters, c);
    to[(*n)++] = found != NULL ? means[found - letters] : c;
    ++*i;
    return FL_OK;
}

/* A name, or a text in quotes, from *i on. */
static fl_status read_text(parser *p, int64_t *i, bool is_quoted, fl_str *ret)
{
    fl_status st = FL_OK;
    int64_t from = *i, n = 0;
    char *to = NULL;
    FL_TRY(fl_arena_get(p->arena, p->text.len - from + 1, (void **)&to, p->err));
    *i += is_quoted;
    while (*i < p->text.len && (is_quoted ? at(p, *i) != '"' : !is_special(at(p, *i)))) {
        if (at(p, *i) == '\\')
            FL_TRY(read_escape(p, i, to, &n));
        else
            to[n++] = at(p, (*i)++);
    }
    if (is_quoted && *i >= p->text.len)
        return fail_at(p, from, "the end of a text in quotes");
    *i += is_quoted;
    *ret = (fl_str){to, n};
cleanup:
    return st;
}

static fl_status read_number(parser *p, int64_t *i, yyjson_val *ret)
{
    char digits[64];
    int64_t from = *i, n;
    bool is_real = false;
    while (is_digit(at(p, *i)))
        ++*i;
    if (at(p, *i) == '.' && !(at(p, *i + 1) == '*')) {
        is_real = true;
        for (++*i; is_digit(at(p, *i));)
            ++*i;
    }
    if ((at(p, *i) | 32) == 'e') {
        int64_t sign = at(p, *i + 1) == '-' || at(p, *i + 1) == '+';
        is_real = true;
        *i += 1 + sign;
        if (!is_digit(at(p, *i)))
            return fail_at(p, from, "a number");
        while (is_digit(at(p, *i)))
            ++*i;
    }
    n = *i - from;
    if (n >= (int64_t)sizeof(digits) || (*i < p->text.len && !is_special(at(p, *i))) ||
        (at(p, from) == '0' && n > 1 && is_digit(at(p, from + 1))))
        return fail_at(p, from, "a number");
    memcpy(digits, p->text.data + from, (size_t)n);
    digits[n] = 0;
    if (is_real || n > 18)
        yyjson_set_real(ret, strtod(digits, NULL));
    else
        yyjson_set_sint(ret, strtoll(digits, NULL, 10));
    return FL_OK;
}

/* The token behind the one at hand. */
static fl_status advance(parser *p)
{
    fl_status st = FL_OK;
    int64_t i = p->now.end;
    FL_TRY(skip_space(p, &i));
    p->now = (token){.kind = T_END, .at = i, .end = i};
    if (i >= p->text.len)
        return FL_OK;
    char c = at(p, i), second = at(p, i + 1);
    if (c == '"') {
        p->now.kind = T_STRING;
        FL_TRY(read_text(p, &i, true, &p->now.text));
    } else if (c == '$' && second != 0 && (second == '"' || !is_special(second))) {
        i++;
        p->now.kind = T_VARIABLE;
        FL_TRY(read_text(p, &i, second == '"', &p->now.text));
    } else if (is_digit(c) || (c == '.' && is_digit(second))) {
        p->now.kind = T_NUMBER;
        FL_TRY(read_number(p, &i, &p->now.number));
    } else if (is_special(c)) {
        static const char *const pairs[] = {"**", "==", "<>", "!=", "<=", ">=", "&&", "||"};
        p->now.kind = T_SYMBOL;
        i++;
        for (int64_t k = 0; k < FL_LEN(pairs); k++)
            if (pairs[k][0] == c && pairs[k][1] == second)
                i = p->now.at + 2;
    } else {
        p->now.kind = T_NAME;
        FL_TRY(read_text(p, &i, false, &p->now.text));
    }
    p->now.end = i;
cleanup:
    return st;
}

static bool is_symbol(const parser *p, const char *symbol)
{
    int64_t len = (int64_t)strlen(symbol);
    return p->now.kind == T_SYMBOL && p->now.end - p->now.at == len &&
           memcmp(p->text.data + p->now.at, symbol, (size_t)len) == 0;
}

static bool is_word(const parser *p, const char *word)
{
    return p->now.kind == T_NAME && fl_str_is_equal_nocase(p->now.text, fl_str_of(word));
}

static fl_status expect(parser *p, const char *symbol)
{
    if (!is_symbol(p, symbol))
        return fail(p, symbol);
    return advance(p);
}

/* ---- parts ----------------------------------------------------------------------------------------------------------- */

static fl_status parse_or(parser *p, part *ret);
static fl_status parse_sum(parser *p, part *ret);

static fl_status make(parser *p, fl_jsonpath_kind kind, const step *left, const step *right, step **ret)
{
    fl_status st = FL_NEW(p->arena, ret, p->err);
    if (st == FL_OK) {
        (*ret)->kind = kind;
        (*ret)->args[0] = left;
        (*ret)->args[1] = right;
    }
    return st;
}

/* An expression, not a predicate. */
static fl_status parse_values(parser *p, step **ret)
{
    part made;
    int64_t from = p->now.at;
    fl_status st = parse_sum(p, &made);
    if (st == FL_OK && made.is_predicate)
        st = fail_at(p, from, "a value, not a condition,");
    *ret = made.first;
    return st;
}

static fl_status parse_condition(parser *p, step **ret)
{
    part made;
    int64_t from = p->now.at;
    fl_status st = parse_or(p, &made);
    if (st == FL_OK && !made.is_predicate)
        st = fail_at(p, from, "a condition");
    *ret = made.first;
    return st;
}

static fl_status parse_literal(parser *p, step **ret)
{
    fl_status st = FL_OK;
    FL_TRY(make(p, FL_JP_NUMBER, NULL, NULL, ret));
    step *s = *ret;
    if (p->now.kind == T_NUMBER) {
        s->value = p->now.number;
    } else if (p->now.kind == T_STRING) {
        s->kind = FL_JP_STRING;
        s->text = p->now.text;
        yyjson_set_strn(&s->value, s->text.data, (size_t)s->text.len);
    } else if (p->now.kind == T_VARIABLE) {
        s->kind = FL_JP_VARIABLE;
        s->text = p->now.text;
    } else if (fl_str_is_equal(p->now.text, FL_STR("null"))) {
        s->kind = FL_JP_NULL;
        yyjson_set_null(&s->value);
    } else if (fl_str_is_equal(p->now.text, FL_STR("true")) || fl_str_is_equal(p->now.text, FL_STR("false"))) {
        s->kind = FL_JP_BOOL;
        yyjson_set_bool(&s->value, p->now.text.data[0] == 't');
    } else if (is_word(p, "last")) {
        if (p->subscripts == 0)
            return fail(p, "a value (last stands within [] only)");
        s->kind = FL_JP_LAST;
    } else {
        return fail(p, "a value");
    }
    st = advance(p);
cleanup:
    return st;
}

/* [*], [1, 3 to last] */
static fl_status parse_elements(parser *p, step **ret)
{
    fl_status st = FL_OK;
    const step **elements = NULL;
    int32_t capacity = 8;
    FL_TRY(make(p, FL_JP_ELEMENTS, NULL, NULL, ret));
    FL_TRY(advance(p));
    if (is_symbol(p, "*")) {
        (*ret)->kind = FL_JP_ANY_ELEMENT;
        FL_TRY(advance(p));
        return expect(p, "]");
    }
    FL_TRY(FL_NEW_ARRAY(p->arena, 2 * capacity, &elements, p->err));
    p->subscripts++;
    for (;;) {
        step *from = NULL, *to = NULL;
        FL_TRY(parse_values(p, &from));
        if (is_word(p, "to")) {
            FL_TRY(advance(p));
            FL_TRY(parse_values(p, &to));
        }
        if ((*ret)->n_elements == capacity) {
            const step **more = NULL;
            FL_TRY(FL_NEW_ARRAY(p->arena, 4 * capacity, &more, p->err));
            memcpy(more, elements, 2 * (size_t)capacity * sizeof(*more));
            elements = more;
            capacity *= 2;
        }
        elements[2 * (*ret)->n_elements] = from;
        elements[2 * (*ret)->n_elements + 1] = to;
        (*ret)->n_elements++;
        if (!is_symbol(p, ","))
            break;
        FL_TRY(advance(p));
    }
    p->subscripts--;
    (*ret)->elements = elements;
    st = expect(p, "]");
cleanup:
    return st;
}

static fl_status parse_level(parser *p, int64_t *ret)
{
    if (is_word(p, "last")) {
        *ret = FL_JP_LAST_LEVEL;
        return advance(p);
    }
    if (p->now.kind != T_NUMBER || !yyjson_is_sint(&p->now.number))
        return fail(p, "a level");
    *ret = yyjson_get_sint(&p->now.number);
    return advance(p);
}

/* **, **{2}, **{1 to last} */
static fl_status parse_below(parser *p, step **ret)
{
    fl_status st = FL_OK;
    FL_TRY(make(p, FL_JP_BELOW, NULL, NULL, ret));
    FL_TRY(advance(p));
    (*ret)->last = FL_JP_LAST_LEVEL;
    if (!is_symbol(p, "{"))
        return FL_OK;
    FL_TRY(advance(p));
    FL_TRY(parse_level(p, &(*ret)->first));
    (*ret)->last = (*ret)->first;
    if (is_word(p, "to")) {
        FL_TRY(advance(p));
        FL_TRY(parse_level(p, &(*ret)->last));
    }
    st = expect(p, "}");
cleanup:
    return st;
}

/* What follows a dot: *, **, a member's name, a method. */
static fl_status parse_member(parser *p, step **ret)
{
    static const struct {
        const char *name;
        fl_jsonpath_kind kind;
    } methods[] = {{"type", FL_JP_TYPE},         {"size", FL_JP_SIZE},        {"abs", FL_JP_ABS},
                   {"floor", FL_JP_FLOOR},       {"ceiling", FL_JP_CEILING},  {"double", FL_JP_DOUBLE},
                   {"datetime", FL_JP_DATETIME}, {"keyvalue", FL_JP_KEYVALUE}};
    fl_status st = FL_OK;
    FL_TRY(advance(p));
    if (is_symbol(p, "**"))
        return parse_below(p, ret);
    FL_TRY(make(p, FL_JP_MEMBER, NULL, NULL, ret));
    if (is_symbol(p, "*")) {
        (*ret)->kind = FL_JP_ANY_MEMBER;
        return advance(p);
    }
    if (p->now.kind != T_NAME && p->now.kind != T_STRING)
        return fail(p, "a member's name or a method");
    token name = p->now;
    (*ret)->text = name.text;
    FL_TRY(advance(p));
    if (name.kind == T_STRING || !is_symbol(p, "("))
        return FL_OK;
    for (int64_t i = 0; i < FL_LEN(methods); i++)
        if (fl_str_is_equal_nocase(name.text, fl_str_of(methods[i].name)))
            (*ret)->kind = methods[i].kind;
    if ((*ret)->kind == FL_JP_MEMBER)
        return fail_at(p, name.at, "type(), size(), abs(), floor(), ceiling(), double(), datetime() or keyvalue()");
    FL_TRY(advance(p));
    if ((*ret)->kind == FL_JP_DATETIME && p->now.kind == T_STRING) {
        (*ret)->text = p->now.text;
        st = fl_err_state(
            p->err, "0A000",
            FL_FAIL(p->err, FL_ERR_UNSUPPORTED, "datetime() takes no template: it reads the forms of ISO 8601"));
        goto cleanup;
    }
    st = expect(p, ")");
cleanup:
    return st;
}

static fl_status parse_filter(parser *p, step **ret)
{
    fl_status st = FL_OK;
    step *condition = NULL;
    FL_TRY(make(p, FL_JP_FILTER, NULL, NULL, ret));
    FL_TRY(advance(p));
    FL_TRY(expect(p, "("));
    p->filters++;
    FL_TRY(parse_condition(p, &condition));
    p->filters--;
    (*ret)->args[0] = condition;
    st = expect(p, ")");
cleanup:
    return st;
}

/* Accessors behind a part, which may be a chain already. */
static fl_status parse_accessors(parser *p, part *to)
{
    fl_status st = FL_OK;
    step *last = to->first;
    while (last->next != NULL)
        last = (step *)(uintptr_t)last->next; /* made here, a moment ago */
    for (;;) {
        step *more = NULL;
        if (is_symbol(p, "."))
            FL_TRY(parse_member(p, &more));
        else if (is_symbol(p, "["))
            FL_TRY(parse_elements(p, &more));
        else if (is_symbol(p, "?"))
            FL_TRY(parse_filter(p, &more));
        else
            break;
        last->next = more;
        last = more;
        to->is_predicate = false;
    }
cleanup:
    return st;
}

/* exists (…) */
static fl_status parse_exists(parser *p, part *ret)
{
    fl_status st = FL_OK;
    step *values = NULL;
    FL_TRY(advance(p));
    FL_TRY(expect(p, "("));
    FL_TRY(parse_values(p, &values));
    FL_TRY(expect(p, ")"));
    ret->is_predicate = true;
    st = make(p, FL_JP_EXISTS, values, NULL, &ret->first);
cleanup:
    return st;
}

static fl_status parse_primary(parser *p, part *ret)
{
    fl_status st = FL_OK;
    *ret = (part){0};
    if (is_symbol(p, "(")) {
        FL_TRY(enter(p));
        FL_TRY(advance(p));
        FL_TRY(parse_or(p, ret));
        FL_TRY(expect(p, ")"));
        p->depth--;
        if (ret->is_predicate && is_word(p, "is")) {
            FL_TRY(advance(p));
            if (!is_word(p, "unknown"))
                return fail(p, "unknown");
            FL_TRY(advance(p));
            return make(p, FL_JP_IS_UNKNOWN, ret->first, NULL, &ret->first);
        }
    } else if (is_symbol(p, "$")) {
        FL_TRY(make(p, FL_JP_ROOT, NULL, NULL, &ret->first));
        FL_TRY(advance(p));
    } else if (is_symbol(p, "@")) {
        if (p->filters == 0)
            return fail(p, "a value (@ stands within ? (…) only)");
        FL_TRY(make(p, FL_JP_CURRENT, NULL, NULL, &ret->first));
        FL_TRY(advance(p));
    } else if (is_word(p, "exists")) {
        return parse_exists(p, ret);
    } else {
        FL_TRY(parse_literal(p, &ret->first));
    }
    st = parse_accessors(p, ret);
cleanup:
    return st;
}

static fl_status parse_unary(parser *p, part *ret)
{
    fl_status st = FL_OK;
    bool is_minus = is_symbol(p, "-");
    if (!is_minus && !is_symbol(p, "+"))
        return parse_primary(p, ret);
    FL_TRY(enter(p));
    FL_TRY(advance(p));
    int64_t from = p->now.at;
    FL_TRY(parse_unary(p, ret));
    p->depth--;
    if (ret->is_predicate)
        return fail_at(p, from, "a value, not a condition,");
    st = make(p, is_minus ? FL_JP_MINUS : FL_JP_PLUS, ret->first, NULL, &ret->first);
cleanup:
    return st;
}

static fl_status parse_binary(parser *p, bool is_product, part *ret)
{
    static const struct {
        const char *symbol;
        fl_jsonpath_kind kind;
        bool is_product;
    } operators[] = {{"*", FL_JP_MUL, true},
                     {"/", FL_JP_DIV, true},
                     {"%", FL_JP_MOD, true},
                     {"+", FL_JP_ADD, false},
                     {"-", FL_JP_SUB, false}};
    fl_status st = FL_OK;
    int64_t from = p->now.at, i;
    FL_TRY(is_product ? parse_unary(p, ret) : parse_binary(p, true, ret));
    for (;;) {
        part right;
        for (i = 0; i < FL_LEN(operators); i++)
            if (operators[i].is_product == is_product && is_symbol(p, operators[i].symbol))
                break;
        if (i == FL_LEN(operators))
            return FL_OK;
        if (ret->is_predicate)
            return fail_at(p, from, "a value, not a condition,");
        FL_TRY(advance(p));
        from = p->now.at;
        FL_TRY(is_product ? parse_unary(p, &right) : parse_binary(p, true, &right));
        if (right.is_predicate)
            return fail_at(p, from, "a value, not a condition,");
        FL_TRY(make(p, operators[i].kind, ret->first, right.first, &ret->first));
    }
cleanup:
    return st;
}

static fl_status parse_sum(parser *p, part *ret)
{
    return parse_binary(p, false, ret);
}

/* ---- conditions ------------------------------------------------------------------------------------------------------ */

static fl_status parse_regex(parser *p, step *to)
{
    fl_status st = FL_OK;
    uint32_t flags = 0;
    fl_regex *regex = NULL;
    FL_TRY(advance(p));
    if (p->now.kind != T_STRING)
        return fail(p, "a regular expression in quotes");
    fl_str pattern = p->now.text;
    FL_TRY(advance(p));
    if (is_word(p, "flag")) {
        FL_TRY(advance(p));
        if (p->now.kind != T_STRING)
            return fail(p, "flags in quotes");
        for (int64_t i = 0; i < p->now.text.len; i++) {
            char c = p->now.text.data[i];
            if (c == 'x')
                return fl_err_state(p->err, "0A000",
                                    FL_FAIL(p->err, FL_ERR_UNSUPPORTED, "like_regex does not know the flag x"));
            if (strchr("ismq", c) == NULL)
                return fail(p, "flags among i, s, m, q");
            flags |= c == 'i' ? FL_REGEX_NO_CASE : c == 'q' ? FL_REGEX_LITERAL : c == 'm' ? FL_REGEX_LINES : 0u;
        }
        FL_TRY(advance(p));
    }
    FL_TRY(fl_regex_compile(p->arena, pattern, flags, &regex, p->err));
    to->regex = regex;
cleanup:
    return st;
}

static fl_status parse_comparison(parser *p, part *ret)
{
    static const struct {
        const char *symbol;
        fl_jsonpath_kind kind;
    } operators[] = {{"==", FL_JP_EQ}, {"=", FL_JP_EQ},  {"!=", FL_JP_NE}, {"<>", FL_JP_NE},
                     {"<", FL_JP_LT},  {"<=", FL_JP_LE}, {">", FL_JP_GT},  {">=", FL_JP_GE}};
    fl_status st = FL_OK;
    step *right = NULL;
    if (is_symbol(p, "!")) {
        FL_TRY(enter(p));
        FL_TRY(advance(p));
        int64_t from = p->now.at;
        if (!is_symbol(p, "(") && !is_word(p, "exists"))
            return fail(p, "a condition in parentheses, or exists,");
        FL_TRY(parse_primary(p, ret));
        p->depth--;
        if (!ret->is_predicate)
            return fail_at(p, from, "a condition");
        return make(p, FL_JP_NOT, ret->first, NULL, &ret->first);
    }
    FL_TRY(parse_sum(p, ret));
    if (ret->is_predicate)
        return FL_OK;
    if (is_word(p, "starts")) {
        FL_TRY(advance(p));
        if (!is_word(p, "with"))
            return fail(p, "with");
        FL_TRY(advance(p));
        if (p->now.kind != T_STRING && p->now.kind != T_VARIABLE)
            return fail(p, "a text in quotes or a variable");
        FL_TRY(parse_literal(p, &right));
        ret->is_predicate = true;
        return make(p, FL_JP_STARTS_WITH, ret->first, right, &ret->first);
    }
    if (is_word(p, "like_regex")) {
        FL_TRY(make(p, FL_JP_LIKE_REGEX, ret->first, NULL, &ret->first));
        ret->is_predicate = true;
        return parse_regex(p, ret->first);
    }
    for (int64_t i = 0; i < FL_LEN(operators); i++)
        if (is_symbol(p, operators[i].symbol)) {
            FL_TRY(advance(p));
            FL_TRY(parse_values(p, &right));
            ret->is_predicate = true;
            return make(p, operators[i].kind, ret->first, right, &ret->first);
        }
cleanup:
    return st;
}

static fl_status parse_connected(parser *p, bool is_or, part *ret)
{
    fl_status st = FL_OK;
    int64_t from = p->now.at;
    FL_TRY(is_or ? parse_connected(p, false, ret) : parse_comparison(p, ret));
    while (is_symbol(p, is_or ? "||" : "&&")) {
        part right;
        if (!ret->is_predicate)
            return fail_at(p, from, "a condition");
        FL_TRY(advance(p));
        from = p->now.at;
        FL_TRY(is_or ? parse_connected(p, false, &right) : parse_comparison(p, &right));
        if (!right.is_predicate)
            return fail_at(p, from, "a condition");
        FL_TRY(make(p, is_or ? FL_JP_OR : FL_JP_AND, ret->first, right.first, &ret->first));
    }
cleanup:
    return st;
}

static fl_status parse_or(parser *p, part *ret)
{
    return parse_connected(p, true, ret);
}

fl_status fl_jsonpath_parse(fl_arena *arena, fl_str text, const fl_jsonpath **ret, fl_err *err)
{
    fl_status st = FL_OK;
    parser p = {.arena = arena, .err = err};
    fl_jsonpath *path = NULL;
    part whole;
    FL_TRY(fl_arena_copy_str(arena, text, &p.text, err));
    FL_TRY(FL_NEW(arena, &path, err));
    FL_TRY(advance(&p));
    path->is_strict = is_word(&p, "strict");
    if (path->is_strict || is_word(&p, "lax"))
        FL_TRY(advance(&p));
    FL_TRY(parse_or(&p, &whole));
    if (p.now.kind != T_END)
        st = fail(&p, "the end of the path");
    path->first = whole.first;
    *ret = path;
cleanup:
    return st;
}
