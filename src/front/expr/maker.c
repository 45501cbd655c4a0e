/* Nodes, with their heights. */
#include "front/expr/maker.h"

#include <stdarg.h>
#include <stdio.h>

fl_status fl_maker_fail(const maker *m, int32_t at, const char *format, ...)
{
    char message[FL_ERR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    fl_status st = FL_FAIL(m->err, FL_ERR_SYNTAX, "%s", message);
    fl_err_at(m->err, at);
    return st;
}

static fl_status fail_deep(const maker *m, int32_t at)
{
    fl_status st = FL_FAIL(m->err, FL_ERR_LIMIT, "nested too deep: %d is the limit", FL_SQL_DEPTH_MAX);
    fl_err_state(m->err, "54001", st);
    fl_err_at(m->err, at);
    return st;
}

fl_status fl_maker_enter(maker *m, int32_t at)
{
    if (m->depth >= FL_SQL_DEPTH_MAX)
        return fail_deep(m, at);
    m->depth++;
    return FL_OK;
}

static fl_status new_node(maker *m, fl_ast_kind kind, int32_t height, int32_t at, fl_ast_expr **ret)
{
    if (height > FL_SQL_DEPTH_MAX)
        return fail_deep(m, at);
    fl_status st = FL_NEW(m->arena, ret, m->err);
    if (st == FL_OK)
        **ret = (fl_ast_expr){.kind = (uint8_t)kind, .height = (uint16_t)height, .start = at, .end = at + 1, .at = at};
    return st;
}

static int32_t height_of(fl_ast_expr *const *items, int32_t n)
{
    int32_t height = 0;
    for (int32_t i = 0; i < n; i++)
        height = items[i] != NULL && items[i]->height > height ? items[i]->height : height;
    return height;
}

static fl_status copy_items(maker *m, fl_ast_expr *const *items, int32_t n, fl_ast_expr ***ret)
{
    fl_status st = FL_NEW_ARRAY(m->arena, n + 1, ret, m->err);
    if (st == FL_OK && n > 0)
        memcpy(*ret, items, (size_t)n * sizeof(fl_ast_expr *));
    return st;
}

fl_status fl_maker_check_name(const maker *m, fl_str name, int32_t at)
{
    return memchr(name.data, 0, (size_t)name.len) == NULL ? FL_OK : fl_maker_fail(m, at, "a name holds no NUL");
}

fl_status fl_maker_literal(maker *m, fl_ast_kind kind, fl_str text, int32_t at, fl_ast_expr **ret)
{
    fl_status st = new_node(m, kind, 1, at, ret);
    if (st == FL_OK)
        (*ret)->text = text;
    return st;
}

fl_status fl_maker_null(maker *m, int32_t at, fl_ast_expr **ret)
{
    return new_node(m, FL_AST_NULL, 1, at, ret);
}

fl_status fl_maker_bool(maker *m, bool truth, int32_t at, fl_ast_expr **ret)
{
    fl_status st = new_node(m, FL_AST_BOOL, 1, at, ret);
    if (st == FL_OK)
        (*ret)->truth = truth;
    return st;
}

fl_status fl_maker_number(maker *m, fl_str digits, int32_t at, fl_ast_expr **ret)
{
    bool is_negative = digits.len > 0 && digits.data[0] == '-';
    fl_ast_kind kind = FL_AST_INTEGER;
    if (is_negative)
        digits = (fl_str){digits.data + 1, digits.len - 1};
    for (int64_t i = 0; i < digits.len; i++) {
        char c = digits.data[i];
        if (c == '.' && kind == FL_AST_INTEGER)
            kind = FL_AST_DECIMAL;
        else if (c == 'e' || c == 'E')
            kind = FL_AST_FLOAT;
    }
    fl_status st = fl_maker_literal(m, kind, digits, at, ret);
    return st == FL_OK && is_negative ? fl_maker_operator(m, MAKER_NEGATE, *ret, NULL, at, ret) : st;
}

fl_status fl_maker_column(maker *m, fl_ast_name *parts, int32_t n, int32_t at, fl_ast_expr **ret)
{
    FL_ASSERT(n > 0);
    if (n > 1 && fl_str_is_equal_nocase(parts[0].text, FL_STR("doc"))) { /* the row itself */
        parts++;
        n--;
    }
    fl_status st = new_node(m, FL_AST_COLUMN, 1, at, ret);
    if (st == FL_OK)
        (*ret)->path = (fl_ast_path){parts, n};
    return st;
}

fl_status fl_maker_field(maker *m, fl_str path, int32_t at, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_name *parts = NULL;
    int32_t n = 0, n_dots = 0;
    for (int64_t i = 0; i < path.len; i++)
        n_dots += path.data[i] == '.';
    FL_TRY(fl_maker_check_name(m, path, at));
    FL_TRY(FL_NEW_ARRAY(m->arena, n_dots + 1, &parts, m->err));
    for (int64_t begin = 0, i = 0; i <= path.len; i++) {
        if (i < path.len && path.data[i] != '.')
            continue;
        if (i == begin)
            return fl_maker_fail(m, at, "\"%.*s\" is no field: a name is missing", FL_STR_ARG(path));
        parts[n++] = (fl_ast_name){{path.data + begin, i - begin}, at, at + 1};
        begin = i + 1;
    }
    st = fl_maker_column(m, parts, n, at, ret);
cleanup:
    return st;
}

/* left::double */
static fl_status to_double(maker *m, fl_ast_expr *value, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_type *type = NULL;
    int32_t at = value->at;
    FL_TRY(FL_NEW(m->arena, &type, m->err));
    *type = (fl_ast_type){.name = FL_STR("double"), .start = at, .end = at + 1};
    FL_TRY(new_node(m, FL_AST_CAST, value->height + 1, at, ret));
    (*ret)->cast.value = value;
    (*ret)->cast.type = type;
cleanup:
    return st;
}

fl_status fl_maker_operator(maker *m, maker_op op, fl_ast_expr *left, fl_ast_expr *right, int32_t at, fl_ast_expr **ret)
{
    static const uint8_t ops[] = {[MAKER_ADD] = FL_AST_OP_ADD, [MAKER_SUB] = FL_AST_OP_SUB, [MAKER_MUL] = FL_AST_OP_MUL,
                                  [MAKER_DIV] = FL_AST_OP_DIV, [MAKER_MOD] = FL_AST_OP_MOD, [MAKER_POW] = FL_AST_OP_POW,
                                  [MAKER_EQ] = FL_AST_OP_EQ,   [MAKER_NE] = FL_AST_OP_NE,   [MAKER_LT] = FL_AST_OP_LT,
                                  [MAKER_LE] = FL_AST_OP_LE,   [MAKER_GT] = FL_AST_OP_GT,   [MAKER_GE] = FL_AST_OP_GE};
    fl_status st = FL_OK;
    fl_ast_expr *sides[] = {left, right};
    if (op == MAKER_AND || op == MAKER_OR)
        return fl_maker_junction(m, op == MAKER_AND ? FL_AST_AND : FL_AST_OR, sides, 2, at, ret);
    if ((op == MAKER_EQ || op == MAKER_NE) && (left->kind == FL_AST_NULL || right->kind == FL_AST_NULL))
        return fl_maker_is(m, FL_AST_IS_NULL, op == MAKER_NE, left->kind == FL_AST_NULL ? right : left, NULL, at, ret);
    if (op == MAKER_DIV)
        FL_TRY(to_double(m, left, &sides[0]));
    fl_ast_kind kind = op == MAKER_NOT ? FL_AST_NOT : op == MAKER_NEGATE ? FL_AST_UNARY : FL_AST_BINARY;
    FL_TRY(new_node(m, kind, height_of(sides, 2) + 1, at, ret));
    (*ret)->op = op == MAKER_NOT ? FL_AST_OP_NONE : op == MAKER_NEGATE ? FL_AST_OP_MINUS : ops[op];
    (*ret)->ops.left = sides[0];
    (*ret)->ops.right = right;
cleanup:
    return st;
}

/* How many of one kind's items a node stands for: chains are one node. */
static int32_t count_of(const fl_ast_expr *item, fl_ast_kind kind)
{
    return item->kind == kind ? item->list.count : 1;
}

fl_status fl_maker_junction(maker *m, fl_ast_kind kind, fl_ast_expr *const *items, int32_t n, int32_t at,
                            fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr **list = NULL;
    int32_t count = 0;
    FL_ASSERT(n > 0 && (kind == FL_AST_AND || kind == FL_AST_OR));
    if (n == 1) {
        *ret = items[0];
        return FL_OK;
    }
    for (int32_t i = 0; i < n; i++)
        count += count_of(items[i], kind);
    FL_TRY(FL_NEW_ARRAY(m->arena, count + 1, &list, m->err));
    count = 0;
    for (int32_t i = 0; i < n; i++) {
        if (items[i]->kind == kind) {
            memcpy(list + count, items[i]->list.items, (size_t)items[i]->list.count * sizeof(*list));
            count += items[i]->list.count;
        } else {
            list[count++] = items[i];
        }
    }
    FL_TRY(new_node(m, kind, height_of(list, count) + 1, at, ret));
    (*ret)->list.items = list;
    (*ret)->list.count = count;
cleanup:
    return st;
}

fl_status fl_maker_choice(maker *m, fl_ast_expr *when, fl_ast_expr *then, fl_ast_expr *otherwise, int32_t at,
                          fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_case *cases = NULL;
    fl_ast_expr *parts[] = {when, then, otherwise};
    FL_TRY(FL_NEW(m->arena, &cases, m->err));
    FL_TRY(FL_NEW(m->arena, &cases->whens, m->err));
    cases->whens[0] = (fl_ast_when){when, then};
    cases->when_count = 1;
    cases->otherwise = otherwise;
    FL_TRY(new_node(m, FL_AST_CASE, height_of(parts, 3) + 1, at, ret));
    (*ret)->cases = cases;
cleanup:
    return st;
}

fl_status fl_maker_is(maker *m, fl_ast_is is, bool is_negated, fl_ast_expr *left, fl_ast_expr *right, int32_t at,
                      fl_ast_expr **ret)
{
    fl_ast_expr *sides[] = {left, right};
    fl_status st = new_node(m, FL_AST_IS, height_of(sides, 2) + 1, at, ret);
    if (st != FL_OK)
        return st;
    (*ret)->op = (uint8_t)is;
    (*ret)->is_negated = is_negated;
    (*ret)->ops.left = left;
    (*ret)->ops.right = right;
    return FL_OK;
}

fl_status fl_maker_in(maker *m, fl_ast_expr *left, fl_ast_expr *const *items, int32_t n, int32_t at, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr *parts[2];
    int32_t below = height_of(items, n);
    if (n == 0) { /* what is left of it is bound nevertheless */
        FL_TRY(fl_maker_is(m, FL_AST_IS_NULL, false, left, NULL, at, &parts[0]));
        FL_TRY(fl_maker_bool(m, false, at, &parts[1]));
        return fl_maker_junction(m, FL_AST_AND, parts, 2, at, ret);
    }
    FL_TRY(new_node(m, FL_AST_IN_LIST, (left->height > below ? left->height : below) + 1, at, ret));
    (*ret)->in.left = left;
    (*ret)->in.count = n;
    st = copy_items(m, items, n, &(*ret)->in.items);
cleanup:
    return st;
}

fl_status fl_maker_list(maker *m, fl_ast_expr *const *items, int32_t n, int32_t at, fl_ast_expr **ret)
{
    fl_status st = new_node(m, FL_AST_LIST, height_of(items, n) + 1, at, ret);
    if (st != FL_OK)
        return st;
    (*ret)->list.count = n;
    return copy_items(m, items, n, &(*ret)->list.items);
}

fl_status fl_maker_regex(maker *m, fl_ast_expr *left, fl_ast_expr *pattern, bool no_case, int32_t at, fl_ast_expr **ret)
{
    fl_ast_expr *sides[] = {left, pattern};
    fl_status st = new_node(m, FL_AST_BINARY, height_of(sides, 2) + 1, at, ret);
    if (st != FL_OK)
        return st;
    (*ret)->op = no_case ? FL_AST_OP_REGEX_NOCASE : FL_AST_OP_REGEX;
    (*ret)->ops.left = left;
    (*ret)->ops.right = pattern;
    return FL_OK;
}

fl_status fl_maker_star(maker *m, int32_t at, fl_ast_expr **ret)
{
    fl_status st = new_node(m, FL_AST_STAR, 1, at, ret);
    return st == FL_OK ? FL_NEW(m->arena, &(*ret)->star, m->err) : st;
}

fl_status fl_maker_call(maker *m, fl_str name, fl_ast_expr *const *args, int32_t n, bool is_star, bool is_distinct,
                        int32_t at, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_call *call = NULL;
    if (n > 1 && fl_str_is_equal_nocase(name, FL_STR("min")))
        name = FL_STR("least");
    else if (n > 1 && fl_str_is_equal_nocase(name, FL_STR("max")))
        name = FL_STR("greatest");
    FL_TRY(FL_NEW(m->arena, &call, m->err));
    FL_TRY(FL_NEW(m->arena, &call->path.parts, m->err));
    FL_TRY(FL_NEW_ARRAY(m->arena, n + 1, &call->args, m->err));
    call->path.parts[0] = (fl_ast_name){name, at, at + 1};
    call->path.count = 1;
    for (int32_t i = 0; i < n; i++)
        call->args[i] = (fl_ast_arg){.name = {.start = at, .end = at}, .value = args[i]};
    call->arg_count = n;
    call->is_star = is_star;
    call->is_distinct = is_distinct;
    FL_TRY(new_node(m, FL_AST_CALL, height_of(args, n) + 1, at, ret));
    (*ret)->call = call;
cleanup:
    return st;
}
