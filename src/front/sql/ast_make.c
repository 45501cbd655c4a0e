/* Making syntax trees that no text has. */
#include "front/sql/ast_make.h"

#include <stdio.h>

static void *get(fl_ast_maker *m, int64_t bytes)
{
    void *ret = NULL;
    if (m->st != FL_OK)
        return NULL;
    m->st = fl_arena_get(m->arena, bytes > 0 ? bytes : 1, &ret, m->err);
    if (m->st != FL_OK)
        return NULL;
    memset(ret, 0, (size_t)(bytes > 0 ? bytes : 1));
    return ret;
}

static fl_ast_expr *new_expr(fl_ast_maker *m, fl_ast_kind kind, int32_t below)
{
    fl_ast_expr *ret = get(m, (int64_t)sizeof(*ret));
    if (ret == NULL) {
        m->no_expr = (fl_ast_expr){.kind = FL_AST_NULL, .height = 1, .start = m->start, .at = m->start, .end = m->end};
        return &m->no_expr;
    }
    ret->kind = (uint8_t)kind;
    ret->height = (uint16_t)(below < FL_SQL_DEPTH_MAX ? below + 1 : FL_SQL_DEPTH_MAX);
    ret->start = ret->at = m->start;
    ret->end = m->end;
    return ret;
}

fl_ast_name fl_sql_make_name(const fl_ast_maker *m, fl_str text)
{
    return (fl_ast_name){text, m->start, m->end};
}

static fl_ast_path make_path(fl_ast_maker *m, fl_str table, fl_str name)
{
    fl_ast_path path = {0};
    path.parts = get(m, 2 * (int64_t)sizeof(*path.parts));
    if (path.parts == NULL)
        return path;
    if (table.len > 0)
        path.parts[path.count++] = fl_sql_make_name(m, table);
    path.parts[path.count++] = fl_sql_make_name(m, name);
    return path;
}

fl_ast_expr *fl_sql_make_column(fl_ast_maker *m, fl_str table, fl_str name)
{
    fl_ast_expr *ret = new_expr(m, FL_AST_COLUMN, 0);
    ret->path = make_path(m, table, name);
    return ret;
}

fl_ast_expr *fl_sql_make_bound(fl_ast_maker *m, int32_t col)
{
    fl_ast_expr *ret = new_expr(m, FL_AST_BOUND, 0);
    ret->bound = col;
    return ret;
}

fl_ast_expr *fl_sql_make_string(fl_ast_maker *m, fl_str text)
{
    fl_ast_expr *ret = new_expr(m, FL_AST_STRING, 0);
    ret->text = text;
    return ret;
}

static fl_ast_type *make_type(fl_ast_maker *m, const char *name)
{
    fl_ast_type *ret = get(m, (int64_t)sizeof(*ret));
    if (ret != NULL)
        *ret = (fl_ast_type){.name = fl_str_of(name), .start = m->start, .end = m->end};
    return ret;
}

fl_ast_expr *fl_sql_make_text(fl_ast_maker *m, fl_str text)
{
    fl_ast_expr *ret = new_expr(m, FL_AST_TYPED, 0);
    ret->typed.type = make_type(m, "text");
    ret->typed.text = text;
    return ret;
}

fl_ast_expr *fl_sql_make_integer(fl_ast_maker *m, int64_t value)
{
    fl_ast_expr *ret = new_expr(m, FL_AST_INTEGER, 0);
    char *digits = get(m, 24);
    FL_ASSERT(value >= 0);
    if (digits != NULL)
        ret->text = (fl_str){digits, snprintf(digits, 24, "%lld", (long long)value)};
    return ret;
}

fl_ast_expr *fl_sql_make_decimal(fl_ast_maker *m, fl_str digits)
{
    fl_ast_expr *ret = new_expr(m, FL_AST_DECIMAL, 0);
    ret->text = digits;
    return ret;
}

fl_ast_expr *fl_sql_make_value(fl_ast_maker *m, const struct fl_value *value)
{
    fl_ast_expr *ret = new_expr(m, FL_AST_VALUE, 0);
    ret->value = value;
    return ret;
}

fl_ast_expr *fl_sql_make_done(fl_ast_maker *m, const struct fl_expr *done)
{
    fl_ast_expr *ret = new_expr(m, FL_AST_DONE, 0);
    ret->done = done;
    return ret;
}

fl_ast_expr *fl_sql_make_null(fl_ast_maker *m)
{
    return new_expr(m, FL_AST_NULL, 0);
}

fl_ast_expr *fl_sql_make_bool(fl_ast_maker *m, bool truth)
{
    fl_ast_expr *ret = new_expr(m, FL_AST_BOOL, 0);
    ret->truth = truth;
    return ret;
}

static int32_t max_of(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

fl_ast_expr *fl_sql_make_binary(fl_ast_maker *m, fl_ast_op op, fl_ast_expr *left, fl_ast_expr *right)
{
    bool is_like = op == FL_AST_OP_LIKE || op == FL_AST_OP_ILIKE || op == FL_AST_OP_SIMILAR || op == FL_AST_OP_GLOB;
    fl_ast_expr *ret = new_expr(m, is_like ? FL_AST_LIKE : FL_AST_BINARY, max_of(left->height, right->height));
    ret->op = (uint8_t)op;
    ret->ops.left = left;
    ret->ops.right = right;
    return ret;
}

fl_ast_expr *fl_sql_make_is_null(fl_ast_maker *m, fl_ast_expr *value, bool is_negated)
{
    fl_ast_expr *ret = new_expr(m, FL_AST_IS, value->height);
    ret->op = FL_AST_IS_NULL;
    ret->is_negated = is_negated;
    ret->ops.left = value;
    return ret;
}

fl_ast_expr *fl_sql_make_list(fl_ast_maker *m, fl_ast_kind kind, fl_ast_expr **items, int32_t n)
{
    int32_t height = 0;
    if (n == 1 && (kind == FL_AST_AND || kind == FL_AST_OR))
        return items[0];
    for (int32_t i = 0; i < n; i++)
        height = max_of(height, items[i]->height);
    fl_ast_expr *ret = new_expr(m, kind, height);
    ret->list.items = items;
    ret->list.count = n;
    return ret;
}

fl_ast_expr *fl_sql_make_case(fl_ast_maker *m, int32_t n, fl_ast_expr *const *parts)
{
    int32_t height = 0;
    FL_ASSERT(n >= 3 && n % 2 == 1);
    for (int32_t i = 0; i < n; i++)
        height = max_of(height, parts[i]->height);
    fl_ast_expr *ret = new_expr(m, FL_AST_CASE, height);
    fl_ast_case *cases = get(m, (int64_t)sizeof(*cases));
    fl_ast_when *whens = get(m, n / 2 * (int64_t)sizeof(*whens));
    if (cases == NULL || whens == NULL)
        return ret;
    for (int32_t i = 0; i < n / 2; i++)
        whens[i] = (fl_ast_when){parts[2 * i], parts[2 * i + 1]};
    *cases = (fl_ast_case){.whens = whens, .when_count = n / 2, .otherwise = parts[n - 1]};
    ret->cases = cases;
    return ret;
}

fl_ast_expr *fl_sql_make_cast(fl_ast_maker *m, fl_ast_expr *value, const char *type)
{
    fl_ast_expr *ret = new_expr(m, FL_AST_CAST, value->height);
    ret->cast.value = value;
    ret->cast.type = make_type(m, type);
    return ret;
}

fl_ast_expr *fl_sql_make_call(fl_ast_maker *m, const char *name, int32_t n, fl_ast_expr *const *args)
{
    int32_t height = 0;
    for (int32_t i = 0; i < n; i++)
        height = max_of(height, args[i]->height);
    fl_ast_expr *ret = new_expr(m, FL_AST_CALL, height);
    fl_ast_call *call = get(m, (int64_t)sizeof(*call));
    fl_ast_arg *made = get(m, n * (int64_t)sizeof(*made));
    if (call == NULL || made == NULL)
        return ret;
    for (int32_t i = 0; i < n; i++)
        made[i].value = args[i];
    call->path = make_path(m, (fl_str){0}, fl_str_of(name));
    call->args = made;
    call->arg_count = n;
    ret->call = call;
    return ret;
}

fl_ast_expr *fl_sql_make_field(fl_ast_maker *m, fl_ast_expr *value, fl_str name)
{
    fl_ast_expr *ret = new_expr(m, FL_AST_FIELD, value->height);
    ret->field.value = value;
    ret->field.name = get(m, (int64_t)sizeof(*ret->field.name));
    if (ret->field.name != NULL)
        *ret->field.name = fl_sql_make_name(m, name);
    return ret;
}

fl_ast_expr *fl_sql_make_sub(fl_ast_maker *m, fl_ast_kind kind, fl_ast_query *query)
{
    fl_ast_expr *ret = new_expr(m, kind, query != NULL ? query->height : 0);
    ret->sub.query = query;
    return ret;
}

fl_ast_query *fl_sql_make_query(fl_ast_maker *m, const fl_ast_item *items, int32_t n, fl_ast_table *from)
{
    fl_ast_query *query = get(m, (int64_t)sizeof(*query));
    fl_ast_body *body = get(m, (int64_t)sizeof(*body));
    fl_ast_select *select = get(m, (int64_t)sizeof(*select));
    fl_ast_item *copy = get(m, n * (int64_t)sizeof(*copy));
    int32_t height = from != NULL ? from->height : 0;
    if (query == NULL || body == NULL || select == NULL || copy == NULL)
        return NULL;
    for (int32_t i = 0; i < n; i++) {
        copy[i] = items[i];
        height = max_of(height, items[i].expr->height);
    }
    *select = (fl_ast_select){.items = copy, .item_count = n, .from = from};
    *body = (fl_ast_body){.kind = FL_AST_BODY_SELECT, .start = m->start, .end = m->end, .select = select};
    *query = (fl_ast_query){.start = m->start, .end = m->end, .body = body};
    query->height = (uint16_t)(height < FL_SQL_DEPTH_MAX ? height + 1 : FL_SQL_DEPTH_MAX);
    return query;
}

fl_ast_item fl_sql_make_star(fl_ast_maker *m)
{
    fl_ast_expr *star = new_expr(m, FL_AST_STAR, 0);
    star->star = get(m, (int64_t)sizeof(*star->star));
    return (fl_ast_item){.expr = star};
}

static fl_ast_table *new_table(fl_ast_maker *m, fl_ast_table_kind kind, int32_t below, fl_str alias)
{
    fl_ast_table *ret = get(m, (int64_t)sizeof(*ret));
    if (ret == NULL)
        return NULL;
    *ret = (fl_ast_table){.kind = (uint8_t)kind,
                          .height = (uint16_t)(below < FL_SQL_DEPTH_MAX ? below + 1 : FL_SQL_DEPTH_MAX),
                          .start = m->start,
                          .end = m->end,
                          .alias = fl_sql_make_name(m, alias)};
    return ret;
}

fl_ast_table *fl_sql_make_table(fl_ast_maker *m, fl_str name)
{
    fl_ast_table *ret = new_table(m, FL_AST_TABLE_NAME, 0, (fl_str){0});
    if (ret != NULL)
        ret->path = make_path(m, (fl_str){0}, name);
    return ret;
}

fl_ast_table *fl_sql_make_table_of(fl_ast_maker *m, fl_ast_query *query, fl_str alias)
{
    fl_ast_table *ret = new_table(m, FL_AST_TABLE_QUERY, query != NULL ? query->height : 0, alias);
    if (ret != NULL)
        ret->query = query;
    return ret;
}

fl_ast_table *fl_sql_make_unnest(fl_ast_maker *m, int32_t n_lists, fl_ast_expr *const *lists, fl_str alias,
                                 const fl_str *columns, int32_t n)
{
    fl_ast_expr *call = fl_sql_make_call(m, "unnest", n_lists, lists);
    fl_ast_table *ret = new_table(m, FL_AST_TABLE_FUNCTION, call->height, alias);
    if (ret == NULL)
        return NULL;
    ret->call = call->call;
    ret->columns = get(m, n * (int64_t)sizeof(*ret->columns));
    for (int32_t i = 0; i < n && ret->columns != NULL; i++)
        ret->columns[i] = fl_sql_make_name(m, columns[i]);
    ret->column_count = n;
    return ret;
}
