/* Literals: numbers, strings, intervals; lists, structs and rows of any values. */
#include "front/sql/bind.h"

#include "base/datetime.h"
#include "base/number.h"

#include <math.h>

/* ---- numbers ---- */

/* int32, then int64, then decimal. */
static fl_status integer_value(binder *b, const fl_ast_expr *ast, fl_value *ret)
{
    int64_t value;
    fl_i128 wide;
    fl_str digits = ast->text;
    while (digits.len > 1 && digits.data[0] == '0') {
        digits.data++;
        digits.len--;
    }
    if (fl_i64_parse(digits, &value) == 0) {
        *ret = (fl_value){.type = FL_TYPE(value <= INT32_MAX ? FL_I32 : FL_I64), .i = value};
        return FL_OK;
    }
    if (digits.len > FL_DECIMAL_PRECISION_MAX || fl_decimal_parse(digits, FL_DECIMAL_PRECISION_MAX, 0, &wide) != 0)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_RANGE, "the number has %lld digits, %d is the limit",
                                (long long)digits.len, FL_DECIMAL_PRECISION_MAX);
    *ret = (fl_value){.type = FL_TYPE_DECIMAL(digits.len, 0), .d = wide};
    return FL_OK;
}

static fl_status decimal_value(binder *b, const fl_ast_expr *ast, fl_value *ret)
{
    fl_str text = ast->text;
    fl_i128 value;
    const char *point = memchr(text.data, '.', (size_t)text.len);
    int64_t scale = text.data + text.len - point - 1, whole = point - text.data;
    while (whole > 1 && text.data[0] == '0') {
        text.data++;
        text.len--;
        whole--;
    }
    if (whole == 1 && text.data[0] == '0')
        whole = 0;
    int64_t precision = whole + scale > 0 ? whole + scale : 1;
    if (precision > FL_DECIMAL_PRECISION_MAX || fl_decimal_parse(text, (int32_t)precision, (int32_t)scale, &value) != 0)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_RANGE, "the number has %lld digits, %d is the limit",
                                (long long)precision, FL_DECIMAL_PRECISION_MAX);
    *ret = (fl_value){.type = FL_TYPE_DECIMAL(precision, scale), .d = value};
    return FL_OK;
}

static fl_status float_value(binder *b, const fl_ast_expr *ast, fl_value *ret)
{
    double value;
    if (fl_double_parse(ast->text, &value) != 0 || isinf(value))
        return fl_sql_bind_fail(b, ast->start, FL_ERR_RANGE, "the number %.*s is out of range of double",
                                FL_STR_ARG(ast->text));
    *ret = (fl_value){.type = FL_TYPE(FL_F64), .f = value};
    return FL_OK;
}

fl_status fl_sql_bind_literal(binder *b, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    fl_value value = {0};
    switch ((fl_ast_kind)ast->kind) {
    case FL_AST_INTEGER:
        FL_TRY(integer_value(b, ast, &value));
        break;
    case FL_AST_DECIMAL:
        FL_TRY(decimal_value(b, ast, &value));
        break;
    case FL_AST_FLOAT:
        FL_TRY(float_value(b, ast, &value));
        break;
    case FL_AST_BOOL:
        value = (fl_value){.type = FL_TYPE(FL_BOOL), .b = ast->truth};
        break;
    case FL_AST_BLOB:
        value = (fl_value){.type = FL_TYPE(FL_BINARY), .s = ast->text};
        break;
    case FL_AST_NULL:
        value = (fl_value){.type = FL_TYPE(FL_NULL), .is_null = true};
        return fl_expr_untyped(b->plan, &value, ast->start, ret, b->err);
    default:
        FL_ASSERT(ast->kind == FL_AST_STRING);
        value = (fl_value){.type = FL_TYPE(FL_UTF8), .s = ast->text};
        return fl_expr_untyped(b->plan, &value, ast->start, ret, b->err);
    }
    st = fl_expr_const(b->plan, &value, ast->start, ret, b->err);
cleanup:
    return st;
}

fl_status fl_sql_expr_bool(binder *b, bool truth, int32_t pos, const fl_expr **ret)
{
    fl_value value = {.type = FL_TYPE(FL_BOOL), .b = truth};
    return fl_expr_const(b->plan, &value, pos, ret, b->err);
}

/* ---- intervals ---- */

static fl_status interval_value(binder *b, fl_str text, int32_t pos, fl_value *ret)
{
    fl_interval *interval = &ret->interval;
    *ret = (fl_value){.type = FL_TYPE(FL_INTERVAL)};
    int fault = fl_interval_parse(text, &interval->months, &interval->days, &interval->nanos);
    if (fault == 0)
        return FL_OK;
    return fl_sql_bind_fail_state(b, pos, FL_ERR_VALUE, fault == 2 ? "22008" : "22007", "\"%.*s\" is no interval",
                                  FL_STR_ARG(text));
}

fl_status fl_sql_bind_interval(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_ast_expr *value = ast->interval.value;
    const fl_expr *factor, *one;
    fl_str unit = ast->interval.unit, text;
    fl_value made;
    bool is_number = value->kind == FL_AST_INTEGER || value->kind == FL_AST_DECIMAL || value->kind == FL_AST_FLOAT;
    if (value->kind == FL_AST_STRING || is_number) {
        text = value->text;
        /* INTERVAL '1' YEAR; a unit behind a text that has its own ('1 day' DAY) says nothing new. */
        double number;
        if (unit.len > 0 && (is_number || fl_double_parse(text, &number) == 0))
            FL_TRY(fl_arena_format(b->arena, &text, b->err, "%.*s %.*s", FL_STR_ARG(text), FL_STR_ARG(unit)));
        FL_TRY(interval_value(b, text, value->start, &made));
        return fl_expr_const(b->plan, &made, ast->start, ret, b->err);
    }
    FL_TRY(fl_sql_bind_expr(b, s, value, &factor));
    FL_TRY(fl_arena_format(b->arena, &text, b->err, "1 %.*s", FL_STR_ARG(unit)));
    FL_TRY(interval_value(b, text, ast->start, &made));
    FL_TRY(fl_expr_const(b->plan, &made, ast->start, &one, b->err));
    FL_TRY(fl_expr_call_args(b->plan, "*", ast->start, ret, b->err, 2, one, factor));
cleanup:
    return st;
}

/* ---- lists and structs ---- */

fl_status fl_sql_bind_list(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    int32_t n;
    fl_ast_expr *const *asts;
    const fl_expr **items = NULL;
    fl_value *values = NULL;
    fl_type type;
    int32_t odd;
    bool is_constant = true, is_untyped = true; /* [], [NULL], [[]] are lists of anything, MAP {} a map */
    FL_TRY(fl_sql_spread_list(b, s, ast->list.items, ast->list.count, &asts, &n));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &items, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &values, b->err));
    for (int32_t i = 0; i < n; i++) {
        FL_TRY(fl_sql_bind_expr(b, s, asts[i], &items[i]));
        is_untyped &= (items[i]->flags & FL_EXPR_UNTYPED) && items[i]->type.id != FL_UTF8;
    }
    FL_TRY(fl_expr_common_type(b->plan, items, n, &type, &odd, b->err));
    if (odd >= 0)
        return fl_sql_bind_fail(b, asts[odd]->start, FL_ERR_TYPE,
                                "a list's items have types %s and %s, which have no common type", FL_TYPE_NAME(type),
                                FL_TYPE_NAME(items[odd]->type));
    if (type.id == FL_NULL) {
        type = FL_TYPE(n == 0 ? FL_I32 : FL_UTF8);
        for (int32_t i = 0; i < n; i++)
            type = items[i]->type.extension == FL_MAP ? items[i]->type : type; /* [MAP {}, NULL] */
    }
    for (int32_t i = 0; i < n; i++) {
        FL_TRY(fl_expr_cast(b->plan, items[i], type, false, asts[i]->start, &items[i], b->err));
        is_constant &= fl_expr_is_const(items[i]);
        if (is_constant)
            values[i] = *items[i]->value;
    }
    if (!is_constant)
        return fl_expr_call(b->plan, FL_STR("list_value"), items, n, ast->start, ret, b->err);
    fl_value list = {.list = {values, n}};
    FL_TRY(ast->flag ? fl_type_map_of(b->arena, type, type, &list.type, b->err)
                     : fl_type_list_of(b->arena, type, &list.type, b->err));
    st = is_untyped ? fl_expr_untyped(b->plan, &list, ast->start, ret, b->err)
                    : fl_expr_const(b->plan, &list, ast->start, ret, b->err);
cleanup:
    return st;
}

/* A name that stands twice could not be told apart. */
static fl_status check_field_names(binder *b, const fl_ast_arg *items, int32_t n)
{
    fl_status st = FL_OK;
    fl_name_map known;
    fl_name_map_init(&known, b->arena);
    for (int32_t i = 0; i < n; i++) {
        int32_t other;
        FL_TRY(fl_name_map_add(&known, items[i].name.text, i, &other, b->err));
        if (other >= 0)
            return fl_sql_bind_fail_state(b, items[i].name.start, FL_ERR_DUPLICATE, "42701",
                                          "a struct has the field \"%.*s\" twice", FL_STR_ARG(items[i].name.text));
    }
cleanup:
    return st;
}

fl_status fl_sql_bind_struct(binder *b, scope *s, const fl_ast_arg *items, int32_t n, int32_t pos, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr **args = NULL;
    fl_str *names = NULL;
    FL_TRY(check_field_names(b, items, n));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &args, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &names, b->err));
    for (int32_t i = 0; i < n; i++) {
        names[i] = items[i].name.text;
        FL_TRY(fl_sql_bind_expr(b, s, items[i].value, &args[i]));
    }
    FL_TRY(fl_expr_struct(b->plan, names, args, n, pos, ret, b->err));
cleanup:
    return st;
}

fl_status fl_sql_bind_row(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr **args = NULL;
    if (ast->list.count == 0) {
        fl_sql_bind_fail(b, ast->start, FL_ERR_UNSUPPORTED, "rows without values are not supported yet");
        fl_err_hint(b->err, "give it one: ROW(NULL)");
        return FL_ERR_UNSUPPORTED;
    }
    fl_ast_expr *const *asts;
    int32_t n;
    FL_TRY(fl_sql_spread_list(b, s, ast->list.items, ast->list.count, &asts, &n));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &args, b->err));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_sql_bind_expr(b, s, asts[i], &args[i]));
    FL_TRY(fl_expr_struct(b->plan, NULL, args, n, ast->start, ret, b->err));
cleanup:
    return st;
}
