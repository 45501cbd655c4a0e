/* Samples: what TABLESAMPLE and USING SAMPLE leave of rows.
 *
 * Each row, or each block of rows, draws a number: BERNOULLI and SYSTEM keep those below the share, RESERVOIR the rows with the least
 * ones. With a seed the number is a hash of it and the row's own number, so that the same rows come again as long as the
 * source puts them out in the same order; without one it is random(). */
#include "front/sql/bind.h"

#include "base/hash.h"
#include "op/filter/node.h"
#include "op/limit/node.h"
#include "op/project/node.h"
#include "op/sort/node.h"
#include "op/scan/node.h"
#include "plan/evaluator.h"
#include "plan/sampled_table.h"

#define BLOCK_ROWS 2048 /* of SYSTEM */

typedef struct sampling {
    const fl_ast_sample *ast;
    double share; /* of is_percent: 0 to 1 */
    int64_t rows;
    bool has_seed;
    int64_t seed; /* mixed, so that near seeds have nothing in common */
} sampling;

static fl_status fail_size(binder *b, const fl_ast_sample *ast, const char *what)
{
    return fl_sql_bind_fail_state(b, ast->size->start, FL_ERR_RANGE, "2202H", "the size of a sample %s", what);
}

static fl_status bind_number(binder *b, scope *s, const fl_ast_expr *ast, fl_type type, const char *what, fl_value *ret)
{
    fl_status st = FL_OK;
    fl_value value;
    FL_TRY(fl_sql_bind_constant(b, s, ast, what, &value));
    if (value.is_null) {
        *ret = value;
        return FL_OK;
    }
    if (!fl_type_is_numeric(value.type) && value.type.id != FL_UTF8)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_TYPE, "%s is a number, not %s", what, FL_TYPE_NAME(value.type));
    st = fl_value_cast(&value, type, ret, b->err);
    if (st != FL_OK)
        fl_err_at(b->err, ast->start);
cleanup:
    return st;
}

/* Whether the size is a parameter that has no value yet: the statement is bound again when there is one. */
static bool is_open(binder *b, const fl_ast_sample *ast)
{
    int32_t number = ast->size->kind == FL_AST_PARAMETER ? ast->size->parameter - 1 : -1;
    if (number >= 0 && number < b->n_limit_types)
        b->limit_types[number] = FL_TYPE(ast->is_percent ? FL_F64 : FL_I64);
    return number >= b->env->n_params;
}

static fl_status read_sizes(binder *b, scope *outer, const fl_ast_sample *ast, sampling *ret)
{
    fl_status st = FL_OK;
    scope s;
    fl_value size, seed;
    fl_sql_scope_init(&s, outer, CLAUSE_LIMIT);
    *ret = (sampling){.ast = ast};
    FL_TRY(bind_number(b, &s, ast->size, FL_TYPE(ast->is_percent ? FL_F64 : FL_I64), "the size of a sample", &size));
    if (size.is_null)
        return fail_size(b, ast, "must not be null");
    if (ast->is_percent && !(size.f >= 0 && size.f <= 100))
        return fail_size(b, ast, "in percent is between 0 and 100");
    if (!ast->is_percent && size.i < 0)
        return fail_size(b, ast, "must not be negative");
    ret->share = ast->is_percent ? size.f / 100 : 0;
    ret->rows = ast->is_percent ? 0 : size.i;
    if (ast->seed == NULL)
        return FL_OK;
    FL_TRY(bind_number(b, &s, ast->seed, FL_TYPE(FL_F64), "the seed of a sample", &seed));
    if (seed.is_null)
        return fl_sql_bind_fail_state(b, ast->seed->start, FL_ERR_VALUE, "2202G",
                                      "the seed of a sample must not be null");
    ret->has_seed = true;
    uint64_t bits;
    memcpy(&bits, &seed.f, sizeof(bits));
    ret->seed = (int64_t)(fl_hash_u64(bits, 0) >> 3); /* room for adding a row's number */
cleanup:
    return st;
}

static fl_status make_number(binder *b, int64_t i, const fl_expr **ret)
{
    fl_value value = {.type = FL_TYPE(FL_I64), .i = i};
    return fl_expr_const(b->plan, &value, -1, ret, b->err);
}

/* Puts what each row draws beside the rows, as a double from 0 to 1. */
static fl_status draw(binder *b, const sampling *s, const fl_node *input, const fl_node **ret, fl_col_id *ret_col)
{
    fl_status st = FL_OK;
    bool is_block = s->ast->method == FL_AST_SAMPLE_SYSTEM;
    fl_col_id number;
    const fl_expr *drawn, *part;
    fl_value least = {.type = FL_TYPE(FL_F64), .f = 0x1p-64};
    if (!is_block && !s->has_seed) {
        FL_TRY(fl_expr_call_args(b->plan, "random", -1, &drawn, b->err, 0));
        return fl_project_extend(b->plan, input, &drawn, NULL, 1, ret_col, ret, b->err);
    }
    FL_TRY(fl_sql_number_rows(b, input, &number, ret));
    FL_TRY(fl_expr_column(b->plan, number, -1, &drawn, b->err));
    if (is_block) {
        FL_TRY(make_number(b, BLOCK_ROWS, &part));
        FL_TRY(fl_expr_call_args(b->plan, "//", -1, &drawn, b->err, 2, drawn, part));
    }
    FL_TRY(make_number(b, s->seed, &part));
    FL_TRY(fl_expr_call_args(b->plan, "+", -1, &drawn, b->err, 2, drawn, part));
    FL_TRY(fl_expr_call_args(b->plan, "hash", -1, &drawn, b->err, 1, drawn));
    FL_TRY(fl_expr_cast(b->plan, drawn, FL_TYPE(FL_F64), false, -1, &drawn, b->err));
    FL_TRY(fl_expr_const(b->plan, &least, -1, &part, b->err));
    FL_TRY(fl_expr_call_args(b->plan, "*", -1, &drawn, b->err, 2, drawn, part));
    FL_TRY(fl_project_extend(b->plan, *ret, &drawn, NULL, 1, ret_col, ret, b->err));
cleanup:
    return st;
}

/* A seed of its own for a sample that need not come again. */
static fl_status draw_seed(binder *b, sampling *s)
{
    fl_status st = FL_OK;
    const fl_expr *drawn;
    uint64_t random;
    fl_value value;
    if (b->env->evaluator == NULL)
        return FL_OK;
    FL_TRY(fl_expr_call_args(b->plan, "random", -1, &drawn, b->err, 0));
    FL_TRY(b->env->evaluator->fold(b->env->evaluator, b->plan, drawn, b->arena, &value, b->err));
    memcpy(&random, &value.f, sizeof(random));
    s->seed = (int64_t)(fl_hash_u64(random, 0) >> 3);
cleanup:
    return st;
}

/* SYSTEM of a table: morsels that are left out are not read. Which rows are in one depends on how many workers read, so that such a sample
 * cannot be had again. */
static fl_status sample_scan(binder *b, const sampling *s, const fl_node **node)
{
    fl_status st = FL_OK;
    fl_scan_attrs scan = *fl_scan_of(*node);
    fl_table *table = NULL;
    FL_TRY(fl_sampled_table_new(scan.table, s->share, (uint64_t)s->seed, b->env->memory, &table, b->err));
    FL_TRY(fl_plan_hold_table(b->plan, table, b->err));
    scan.table = table;
    FL_TRY(fl_node_make(b->plan, &fl_op_scan, &scan, NULL, NULL, 0, NULL, 0, node, b->err));
cleanup:
    fl_table_unref(table);
    return st;
}

fl_status fl_sql_sample(binder *b, scope *outer, const fl_ast_sample *ast, const fl_node **node)
{
    fl_status st = FL_OK;
    sampling s;
    fl_col_id col;
    const fl_expr *drawn, *bound, *test;
    if (is_open(b, ast))
        return FL_OK;
    FL_TRY(read_sizes(b, outer, ast, &s));
    if (ast->is_percent && s.share >= 1)
        return FL_OK;
    if (ast->method == FL_AST_SAMPLE_SYSTEM && !s.has_seed) {
        FL_TRY(draw_seed(b, &s));
        if ((*node)->op == &fl_op_scan)
            return sample_scan(b, &s, node);
    }
    FL_TRY(draw(b, &s, *node, node, &col));
    FL_TRY(fl_expr_column(b->plan, col, -1, &drawn, b->err));
    if (ast->method == FL_AST_SAMPLE_RESERVOIR) {
        fl_sort_key key = {.expr = drawn};
        FL_TRY(fl_sort_build(b->plan, *node, &key, 1, node, b->err));
        st = ast->is_percent ? fl_sql_keep_share(b, s.share * 100, 0, &key, 1, node)
                             : fl_limit_build(b->plan, *node, s.rows, 0, node, b->err);
        goto cleanup;
    }
    fl_value share = {.type = FL_TYPE(FL_F64), .f = s.share};
    FL_TRY(fl_expr_const(b->plan, &share, -1, &bound, b->err));
    FL_TRY(fl_sql_compare(b, FL_AST_OP_LT, drawn, bound, -1, &test));
    FL_TRY(fl_filter_build(b->plan, *node, test, node, b->err));
cleanup:
    return st;
}
