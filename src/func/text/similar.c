/* x SIMILAR TO pattern: the standard's regular expressions, which match the whole text. A pattern is rewritten as one of
 * ours (PostgreSQL, section 9.7.2): % is .*, _ is ., parentheses capture nothing, . ^ $ stand for themselves. */
#include "func/text/regex.h"
#include "func/text/text.h"

#include "base/utf8.h"

static fl_status fail_escape(fl_err *err)
{
    return fl_err_state(err, "22025", FL_FAIL(err, FL_ERR_VALUE, "the escape of SIMILAR TO is one character or none"));
}

static int64_t put(char *out, int64_t n, fl_str part)
{
    memcpy(out + n, part.data, (size_t)part.len);
    return n + part.len;
}

/* The pattern as a regular expression, in the arena. An empty escape: none. */
static fl_status rewrite(fl_arena *arena, fl_str pattern, fl_str escape, fl_str *ret, fl_err *err)
{
    fl_status st = FL_OK;
    char *out = NULL;
    int64_t n = 0;
    int in_brackets = 0; /* 1: behind the bracket, 2: further on, where ] ends it */
    if (escape.len > 0 && fl_utf8_width(escape.data, escape.len) != escape.len)
        return fail_escape(err);
    FL_TRY(fl_arena_get(arena, pattern.len * 3 + 16, (void **)&out, err));
    n = put(out, n, FL_STR("^(?:"));
    for (int64_t i = 0; i < pattern.len; i++) {
        char c = pattern.data[i];
        bool is_escape = escape.len > 0 && pattern.len - i > escape.len &&
                         memcmp(pattern.data + i, escape.data, (size_t)escape.len) == 0;
        if (is_escape) {
            i += escape.len;
            c = pattern.data[i];
            if ((unsigned char)c < 0x80 && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
                !(c >= '0' && c <= '9'))
                out[n++] = '\\';
            out[n++] = c;
            in_brackets = in_brackets > 0 ? 2 : 0;
        } else if (in_brackets > 0) {
            bool ends = c == ']' && in_brackets == 2;
            if (c == '\\')
                out[n++] = '\\';
            out[n++] = c;
            in_brackets = ends ? 0 : c == '^' && in_brackets == 1 ? 1 : 2;
        } else if (c == '[') {
            out[n++] = c;
            in_brackets = 1;
        } else if (c == '%') {
            out[n++] = '.';
            out[n++] = '*';
        } else if (c == '_') {
            out[n++] = '.';
        } else if (c == '(') {
            n = put(out, n, FL_STR("(?:"));
        } else {
            if (c == '.' || c == '^' || c == '$' || c == '\\')
                out[n++] = '\\';
            out[n++] = c;
        }
    }
    n = put(out, n, FL_STR(")$"));
    *ret = (fl_str){out, n};
cleanup:
    return st;
}

static fl_status compile(fl_arena *arena, fl_str pattern, fl_str escape, fl_regex **ret, fl_err *err)
{
    fl_str text;
    fl_status st = rewrite(arena, pattern, escape, &text, err);
    return st != FL_OK ? st : fl_regex_compile(arena, text, 0, ret, err);
}

/* A pattern with a mistake is told about when a row asks for it: state stays NULL. */
static fl_status prepare(const fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                         void **ret, fl_err *err)
{
    (void)func;
    fl_regex *regex;
    (void)err;
    *ret = NULL;
    for (int32_t i = 1; i < n_args; i++)
        if (args[i] == NULL || args[i]->is_null)
            return FL_OK;
    if (compile(arena, args[1]->s, n_args == 3 ? args[2]->s : FL_STR("\\"), &regex, NULL) == FL_OK)
        *ret = regex;
    return FL_OK;
}

static fl_status similar_to(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_regex *regex = call->state;
    fl_regex_run run;
    fl_str pattern = {0}, escape = {0};
    bool is_ready = false;
    for (int32_t row = 0; row < call->rows; row++) {
        bool wanted = fl_call_wants(call, row);
        for (int32_t a = 0; a < call->n_args && wanted; a++)
            wanted = fl_vec_is_valid(&call->args[a], row);
        fl_bit_clear(fl_ret_bits(call), row);
        if (!wanted)
            continue;
        if (call->state == NULL) {
            fl_str here = fl_text_arg(call, 1, row),
                   sign = call->n_args == 3 ? fl_text_arg(call, 2, row) : FL_STR("\\");
            if (!is_ready || !fl_str_is_equal(here, pattern) || !fl_str_is_equal(sign, escape)) {
                FL_TRY(compile(call->heap, here, sign, &regex, err));
                is_ready = false;
                pattern = here;
                escape = sign;
            }
        }
        if (!is_ready)
            FL_TRY(fl_regex_run_init(&run, regex, false, call->heap, err));
        is_ready = true;
        bool found = false;
        fl_regex_begin(&run, fl_text_arg(call, 0, row));
        FL_TRY(fl_regex_search(&run, 0, &found, err));
        fl_bit_put(fl_ret_bits(call), row, found);
    }
cleanup:
    return st;
}

static const fl_func_desc funcs[] = {
    FL_TEXT_FUNC_PREPARED("similar_to",
                          "x SIMILAR TO pattern [ESCAPE c]: whether the standard's regular expression is all of x",
                          prepare, {FL_ARGS(FL_UTF8, FL_UTF8), FL_BOOL, FL_CAN_FAIL, similar_to},
                          {FL_ARGS(FL_UTF8, FL_UTF8, FL_UTF8), FL_BOOL, FL_CAN_FAIL, similar_to}),
};

FL_FUNC_SET(similar, funcs);
