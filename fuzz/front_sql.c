/* Fuzzing the SQL frontend: any bytes are parsed and bound, statement by statement, within a memory budget; nothing may
 * crash, leak, run on, or point outside of the text.
 *
 * Functions and tables are the target's own, so that a finding is the frontend's: any two types that meet are taken by
 * every operator, every name is a table, a name with a `v` in front is a view. */
#include "front/sql/sql.h"

#include <stdlib.h>

#define CHECK(cond)  \
    do {             \
        if (!(cond)) \
            abort(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* ---- functions ---- */

static fl_status resolve_same(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_type common = FL_TYPE(FL_NULL);
    for (int32_t i = 0; i < n_args; i++)
        if (n_args > FL_FUNC_ARGS_MAX || !fl_type_common(common, args[i], &common))
            return FL_FAIL(err, FL_ERR_FUNCTION, "no");
    if (common.id == FL_NULL)
        common = FL_TYPE(FL_I32);
    *ret = (fl_func_choice){.n_args = n_args, .ret = common};
    for (int32_t i = 0; i < n_args; i++)
        ret->args[i] = common;
    return FL_OK;
}

static fl_status resolve_test(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_status st = resolve_same(args, n_args, ret, err);
    ret->ret = FL_TYPE(FL_BOOL);
    return st;
}

static fl_status resolve_agg(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    (void)err;
    *ret =
        (fl_agg_choice){.n_args = n_args > 0, .ret = n_args > 0 && args[0].id != FL_NULL ? args[0] : FL_TYPE(FL_I64)};
    if (n_args > 0)
        ret->args[0] = args[0];
    return FL_OK;
}

#define SAME(func_name) {FL_DESC(fl_func_desc), .name = (func_name), .resolve = resolve_same, .traits = FL_PURE}
#define TEST(func_name) {FL_DESC(fl_func_desc), .name = (func_name), .resolve = resolve_test, .traits = FL_PURE}
#define AGG(agg_name) {FL_DESC(fl_agg_desc), .name = (agg_name), .doc = (agg_name), .resolve = resolve_agg}

static const fl_func_desc funcs[] = {
    SAME("+"),
    SAME("-"),
    SAME("*"),
    SAME("/"),
    SAME("%"),
    SAME("||"),
    SAME("abs"),
    SAME("upper"),
    SAME("extract"),
    SAME("substring"),
    SAME("list_extract"),
    SAME("greatest"),
    TEST("="),
    TEST("<>"),
    TEST("<"),
    TEST("<="),
    TEST(">"),
    TEST(">="),
    TEST("like"),
    TEST("is_distinct_from"),
    TEST("is_not_distinct_from"),
    {FL_DESC(fl_func_desc), .name = "random", .resolve = resolve_same},
};
static const fl_agg_desc aggs[] = {AGG("count"), AGG("sum"), AGG("max"), AGG("array_agg")};
static const fl_func_set func_set = {funcs, FL_LEN(funcs), NULL, 0};
static const fl_func_set agg_set = {NULL, 0, aggs, FL_LEN(aggs)};

/* ---- tables ---- */

#define COL(col_name, ...) {.name = {(col_name), sizeof(col_name) - 1}, .type = __VA_ARGS__, .nullable = true}

static const fl_field home_fields[] = {COL("city", {.id = FL_UTF8}), COL("zip", {.id = FL_I32})};
static const fl_field fields[] = {
    COL("id", {.id = FL_I32}),
    COL("name", {.id = FL_UTF8}),
    COL("total", {.id = FL_DECIMAL, .precision = 10, .scale = 2}),
    COL("placed", {.id = FL_DATE}),
    COL("home", {.id = FL_STRUCT, .n_fields = 2, .fields = home_fields}),
};

static void free_table(fl_table *table)
{
    (void)table;
}

static const fl_table_ops table_ops = {.free = free_table};
static fl_table table = {
    .ops = &table_ops, .refs = 1, .name = {"t", 1}, .format = "memory", .fields = fields, .n_cols = FL_LEN(fields)};

static fl_status find_table(fl_catalog *catalog, fl_str name, fl_catalog_entry *ret, fl_err *err)
{
    (void)catalog;
    if (name.len > 20)
        return FL_FAIL(err, FL_ERR_TABLE, "there is no table \"%.*s\"", FL_STR_ARG(name));
    if (name.len > 0 && name.data[0] == 'v')
        ret->view_text = name.len > 3 ? FL_STR("SELECT * FROM v") : FL_STR("SELECT id, total AS x FROM t WHERE id > 1");
    else
        ret->table = fl_table_ref(&table);
    return FL_OK;
}

static fl_status open_table(fl_catalog *catalog, fl_str function, const fl_value *args, int32_t n_args,
                            const fl_option *options, int32_t n_options, fl_table **ret, fl_err *err)
{
    (void)catalog, (void)function, (void)args, (void)options, (void)err;
    if (n_args + n_options > 9)
        return FL_FAIL(err, FL_ERR_FUNCTION, "too many");
    *ret = fl_table_ref(&table);
    return FL_OK;
}

static void get_rules(fl_sql_env *env, const fl_table *of, const fl_column_rules **ret_rules,
                      const fl_table_constraints **ret_constraints)
{
    static const fl_column_rules rules[64] = {{.default_text = {"1 + 1", 5}}};
    (void)env, (void)of, (void)ret_constraints;
    *ret_rules = rules;
}

/* ---- the target ---- */

static void run(fl_str text, fl_memory *memory, fl_registry *registry)
{
    fl_catalog catalog = {.find = find_table, .open = open_table};
    fl_sql_env env = {.memory = memory, .registry = registry, .catalog = &catalog, .get_rules = get_rules};
    fl_arena arena;
    fl_sql_parser parser;
    fl_err err = {0};
    fl_arena_init(&arena, memory);
    if (fl_sql_parser_init(&parser, memory, text, &err) == FL_OK) {
        fl_ast_statement *statement = NULL;
        fl_status st;
        do {
            fl_sql_bound bound;
            st = fl_sql_parser_next(&parser, &arena, &statement, &err);
            CHECK(st == FL_OK || err.position <= text.len + 1);
            if (st != FL_OK || statement == NULL)
                break;
            CHECK(statement->end <= text.len);
            if (fl_sql_bind(&env, &arena, text, statement, &bound, &err) == FL_OK)
                fl_sql_bound_drop(&bound);
            else
                CHECK(err.position <= text.len + 1);
        } while (true);
    }
    fl_sql_parser_drop(&parser);
    fl_arena_drop(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fl_memory memory;
    fl_registry *registry = NULL;
    fl_memory_init(&memory, NULL, "fuzz", 64 << 20);
    CHECK(fl_registry_new(&registry, NULL) == FL_OK);
    CHECK(fl_registry_add_funcs(registry, &func_set, NULL) == FL_OK);
    CHECK(fl_registry_add_funcs(registry, &agg_set, NULL) == FL_OK);
    run((fl_str){(const char *)data, (int64_t)bytes}, &memory, registry);
    fl_registry_unref(registry);
    CHECK(memory.used_bytes == 0);
    CHECK(table.refs == 1);
    return 0;
}
