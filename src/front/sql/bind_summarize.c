/* SUMMARIZE: a row about each column of a query, all of them by one pass over it:
 *
 *     SELECT s.* FROM (SELECT unnest([{'column_name': 'a', 'min': min(a)::text, ...}, ...]) AS s FROM query)
 *
 * What a column's type has no order or no mean for is null. */
#include "front/sql/ast_make.h"
#include "front/sql/bind.h"

static bool is_temporal(fl_type type)
{
    return type.id == FL_DATE || type.id == FL_TIME || type.id == FL_TIMESTAMP || type.id == FL_TIMESTAMPTZ;
}

/* f(x)::text, or f(x, fraction)::text */
static fl_ast_expr *text_of(fl_ast_maker *m, bool has_it, const char *name, fl_ast_expr *x, const char *fraction)
{
    fl_ast_expr *args[2] = {x, NULL};
    if (!has_it)
        return fl_sql_make_cast(m, fl_sql_make_null(m), "text");
    if (fraction != NULL)
        args[1] = fl_sql_make_decimal(m, fl_str_of(fraction));
    return fl_sql_make_cast(m, fl_sql_make_call(m, name, fraction != NULL ? 2 : 1, args), "text");
}

static fl_ast_expr *count_of(fl_ast_maker *m, fl_ast_expr *x)
{
    fl_ast_expr *call = fl_sql_make_call(m, "count", x != NULL ? 1 : 0, &x);
    if (m->st == FL_OK)
        call->call->is_star = x == NULL;
    return call;
}

/* (count(*) - count(x)) * 100.0 / count(*), null where there is no row */
static fl_ast_expr *null_share(fl_ast_maker *m, fl_ast_expr *x)
{
    fl_ast_expr *nulls = fl_sql_make_binary(m, FL_AST_OP_SUB, count_of(m, NULL), count_of(m, x));
    fl_ast_expr *pair[2] = {count_of(m, NULL), fl_sql_make_integer(m, 0)};
    fl_ast_expr *hundred = fl_sql_make_binary(m, FL_AST_OP_MUL, nulls, fl_sql_make_decimal(m, FL_STR("100.0")));
    fl_ast_expr *share = fl_sql_make_binary(m, FL_AST_OP_DIV, hundred, fl_sql_make_call(m, "nullif", 2, pair));
    fl_ast_expr *cast = fl_sql_make_cast(m, share, "decimal");
    if (m->st == FL_OK) {
        cast->cast.type->modifiers[0] = 9;
        cast->cast.type->modifiers[1] = 2;
        cast->cast.type->modifier_count = 2;
    }
    return cast;
}

static fl_status describe_column(binder *b, fl_ast_maker *m, const out_col *col, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_type type = fl_plan_col(b->plan, col->col)->type;
    bool is_plain = !fl_type_is_nested(type), is_number = fl_type_is_numeric(type);
    bool has_quantile = is_number || is_temporal(type);
    fl_ast_expr *x = fl_sql_make_bound(m, col->col.n), *record;
    fl_str type_name;
    FL_TRY(fl_sql_bind_keep(b, fl_str_of(FL_TYPE_NAME(type)), &type_name));
    const struct {
        const char *name;
        fl_ast_expr *value;
    } parts[] = {
        {"column_name", fl_sql_make_text(m, col->name)},
        {"column_type", fl_sql_make_text(m, type_name)},
        {"min", text_of(m, is_plain, "min", x, NULL)},
        {"max", text_of(m, is_plain, "max", x, NULL)},
        {"approx_unique", is_plain ? fl_sql_make_call(m, "approx_count_distinct", 1, &x)
                                   : fl_sql_make_cast(m, fl_sql_make_null(m), "bigint")},
        {"avg", text_of(m, is_number, "avg", x, NULL)},
        {"std", text_of(m, is_number, "stddev", x, NULL)},
        {"q25", text_of(m, has_quantile, "approx_quantile", x, "0.25")},
        {"q50", text_of(m, has_quantile, "approx_quantile", x, "0.5")},
        {"q75", text_of(m, has_quantile, "approx_quantile", x, "0.75")},
        {"count", count_of(m, NULL)},
        {"null_percentage", null_share(m, x)},
    };
    FL_TRY(m->st);
    fl_ast_arg *items = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, FL_LEN(parts), &items, b->err));
    for (int64_t i = 0; i < FL_LEN(parts); i++)
        items[i] = (fl_ast_arg){.name = fl_sql_make_name(m, fl_str_of(parts[i].name)), .value = parts[i].value};
    record = fl_sql_make_bound(m, 0);
    FL_TRY(m->st);
    record->kind = FL_AST_STRUCT;
    record->record.items = items;
    record->record.count = (int32_t)FL_LEN(parts);
    *ret = record;
cleanup:
    return st;
}

fl_status fl_sql_bind_summarize(binder *b, scope *outer, cte *ctes, const fl_ast_body *ast, output *ret)
{
    fl_status st = FL_OK;
    scope columns;
    output source;
    fl_sql_source bound = {.scope = &columns};
    fl_ast_table from = {
        .kind = FL_AST_TABLE_BOUND, .height = 1, .start = ast->start, .end = ast->end, .bound = &bound};
    fl_ast_maker m = fl_sql_maker(b->arena, ast->start, ast->end, b->err);
    fl_ast_expr **records = NULL;
    fl_str name = FL_STR("a column's summary");
    fl_sql_scope_init(&columns, outer, CLAUSE_FROM);
    FL_TRY(fl_sql_bind_query(b, outer, ctes, ast->query, &source));
    FL_TRY(fl_sql_output_exact(b, &source));
    bound.node = source.root;
    FL_TRY(FL_NEW_ARRAY(b->arena, source.n_cols + 1, &records, b->err));
    for (int32_t i = 0; i < source.n_cols; i++)
        FL_TRY(describe_column(b, &m, &source.cols[i], &records[i]));
    fl_ast_expr *list = fl_sql_make_list(&m, FL_AST_LIST, records, source.n_cols);
    fl_ast_item inner = {.expr = fl_sql_make_call(&m, "unnest", 1, &list), .alias = fl_sql_make_name(&m, name)};
    fl_ast_table *table = fl_sql_make_table_of(&m, fl_sql_make_query(&m, &inner, 1, &from), FL_STR("summaries"));
    fl_ast_item star = fl_sql_make_star(&m);
    FL_TRY(m.st);
    star.expr->star->table = fl_sql_make_column(&m, (fl_str){0}, name)->path;
    fl_ast_query *whole = fl_sql_make_query(&m, &star, 1, table);
    FL_TRY(m.st);
    FL_TRY(fl_sql_bind_query(b, outer, ctes, whole, ret));
cleanup:
    return st;
}
