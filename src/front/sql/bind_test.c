/* The binder's answers: output columns and types, plans' shapes, faults by code and place. Functions and tables are the
 * test's own: nothing runs here. */
#include "front/sql/sql.h"

#include "base/fault.h"
#include "base/text.h"
#include "plan/explain.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdio.h>

/* ---- functions that only have types ---- */

static fl_status run_nothing(struct fl_call *call, fl_err *err)
{
    (void)call;
    return FL_FAIL(err, FL_ERR_INTERNAL, "a test's function is not run");
}

static fl_status choose(fl_func_choice *ret, fl_type arg, int32_t n_args, fl_type result)
{
    *ret =
        (fl_func_choice){.n_args = n_args, .ret = result, .traits = FL_PURE | FL_NULL_GIVES_NULL, .run = run_nothing};
    for (int32_t i = 0; i < n_args; i++)
        ret->args[i] = arg;
    return FL_OK;
}

static fl_status resolve_number(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_type common = args[0];
    if (n_args == 2 && args[0].id == FL_DATE && args[1].id == FL_INTERVAL) {
        *ret =
            (fl_func_choice){.args = {args[0], args[1]}, .n_args = 2, .ret = FL_TYPE(FL_TIMESTAMP), .run = run_nothing};
        return FL_OK;
    }
    if (n_args == 2 && !fl_type_common(args[0], args[1], &common))
        return FL_FAIL(err, FL_ERR_FUNCTION, "no");
    if (common.id == FL_NULL)
        common = FL_TYPE(FL_I32);
    return fl_type_is_numeric(common) ? choose(ret, common, n_args, common) : FL_FAIL(err, FL_ERR_FUNCTION, "no");
}

static fl_status resolve_compare(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_type common;
    if (n_args != 2 || !fl_type_common(args[0], args[1], &common))
        return FL_FAIL(err, FL_ERR_FUNCTION, "no");
    if (common.id == FL_NULL)
        common = FL_TYPE(FL_UTF8);
    return choose(ret, common, 2, FL_TYPE(FL_BOOL));
}

static fl_status resolve_element(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args != 2 || args[0].id != FL_LIST)
        return FL_FAIL(err, FL_ERR_FUNCTION, "no");
    *ret = (fl_func_choice){
        .args = {args[0], FL_TYPE(FL_I64)}, .n_args = 2, .ret = args[0].fields[0].type, .run = run_nothing};
    return FL_OK;
}

#define TEXT_FUNC(func_name, n)                                                                           \
    {FL_DESC(fl_func_desc), .name = (func_name), .overloads = &text_overloads[(n) - 1], .n_overloads = 1, \
     .traits = FL_PURE}
#define NUMBER_FUNC(func_name) {FL_DESC(fl_func_desc), .name = (func_name), .resolve = resolve_number}
#define COMPARE_FUNC(func_name) {FL_DESC(fl_func_desc), .name = (func_name), .resolve = resolve_compare}

static const fl_func_overload text_overloads[] = {
    {.args = FL_ARGS(FL_UTF8), .ret = FL_UTF8, .run = run_nothing},
    {.args = FL_ARGS(FL_UTF8, FL_UTF8), .ret = FL_UTF8, .run = run_nothing},
};
static const fl_func_overload like_overload = {.args = FL_ARGS(FL_UTF8, FL_UTF8), .ret = FL_BOOL, .run = run_nothing};
static const fl_func_overload substring_overload = {
    .args = FL_ARGS(FL_UTF8, FL_I64), .ret = FL_UTF8, .run = run_nothing};

static const fl_func_desc funcs[] = {
    NUMBER_FUNC("+"),
    NUMBER_FUNC("-"),
    NUMBER_FUNC("*"),
    NUMBER_FUNC("/"),
    NUMBER_FUNC("abs"),
    COMPARE_FUNC("="),
    COMPARE_FUNC("<>"),
    COMPARE_FUNC("<"),
    COMPARE_FUNC("<="),
    COMPARE_FUNC(">"),
    COMPARE_FUNC(">="),
    COMPARE_FUNC("is_not_distinct_from"),
    TEXT_FUNC("upper", 1),
    TEXT_FUNC("||", 2),
    {FL_DESC(fl_func_desc), .name = "like", .overloads = &like_overload, .n_overloads = 1},
    {FL_DESC(fl_func_desc), .name = "substring", .overloads = &substring_overload, .n_overloads = 1},
    {FL_DESC(fl_func_desc), .name = "list_extract", .resolve = resolve_element},
};

static fl_status resolve_count(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    if (n_args > 1)
        return FL_FAIL(err, FL_ERR_FUNCTION, "no");
    *ret = (fl_agg_choice){.n_args = n_args, .ret = FL_TYPE(FL_I64)};
    if (n_args == 1)
        ret->args[0] = args[0];
    return FL_OK;
}

static fl_status resolve_sum(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    if (n_args != 1 || !fl_type_is_numeric(args[0]))
        return FL_FAIL(err, FL_ERR_FUNCTION, "no");
    *ret = (fl_agg_choice){.args = {args[0]}, .n_args = 1, .ret = FL_TYPE_DECIMAL(38, 0)};
    return FL_OK;
}

static fl_status resolve_max(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    if (n_args != 1)
        return FL_FAIL(err, FL_ERR_FUNCTION, "no");
    *ret = (fl_agg_choice){.args = {args[0]}, .n_args = 1, .ret = args[0]};
    return FL_OK;
}

static fl_field array_element = {.name = {"item", 4}, .type = {.id = FL_UTF8}};

static fl_status resolve_array(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    if (n_args != 1)
        return FL_FAIL(err, FL_ERR_FUNCTION, "no");
    *ret = (fl_agg_choice){
        .args = {args[0]}, .n_args = 1, .ret = {.id = FL_LIST, .n_fields = 1, .fields = &array_element}};
    return FL_OK;
}

static const fl_agg_desc aggs[] = {
    {FL_DESC(fl_agg_desc), .name = "count", .doc = "count", .resolve = resolve_count},
    {FL_DESC(fl_agg_desc), .name = "sum", .doc = "sum(x) adds numbers, not text", .resolve = resolve_sum},
    {FL_DESC(fl_agg_desc), .name = "max", .doc = "max", .resolve = resolve_max},
    {FL_DESC(fl_agg_desc), .name = "any_value", .doc = "any_value", .resolve = resolve_max},
    {FL_DESC(fl_agg_desc), .name = "array_agg", .doc = "array_agg", .resolve = resolve_array},
};

static const fl_func_set func_set = {funcs, FL_LEN(funcs), NULL, 0};
static const fl_func_set agg_set = {NULL, 0, aggs, FL_LEN(aggs)};

/* ---- tables without rows ---- */

static void free_table(fl_table *table)
{
    (void)table;
}

#define COL(col_name, ...) {.name = {(col_name), sizeof(col_name) - 1}, .type = __VA_ARGS__, .nullable = true}

static const fl_field orders_fields[] = {
    COL("order_id", {.id = FL_I32}),
    COL("customer_name", {.id = FL_UTF8}),
    COL("total", {.id = FL_DECIMAL, .precision = 10, .scale = 2}),
    COL("placed", {.id = FL_DATE}),
};
static const fl_field customers_fields[] = {COL("customer_id", {.id = FL_I32}), COL("name", {.id = FL_UTF8}),
                                            COL("city", {.id = FL_UTF8})};
static const fl_field home_fields[] = {COL("city", {.id = FL_UTF8}), COL("zip", {.id = FL_I32})};
static const fl_field people_fields[] = {COL("id", {.id = FL_I64}),
                                         COL("home", {.id = FL_STRUCT, .n_fields = 2, .fields = home_fields})};

static fl_status number(fl_table *table, fl_memory *memory, fl_table **ret, fl_err *err);

static const fl_table_ops table_ops = {.free = free_table, .numbered = number};

static const fl_field numbered_orders[] = {COL("order_id", {.id = FL_I32}), COL("customer_name", {.id = FL_UTF8}),
                                           COL("total", {.id = FL_DECIMAL, .precision = 10, .scale = 2}),
                                           COL("placed", {.id = FL_DATE}), COL("place", {.id = FL_I64})};
static const fl_field numbered_customers[] = {COL("customer_id", {.id = FL_I32}), COL("name", {.id = FL_UTF8}),
                                              COL("city", {.id = FL_UTF8}), COL("place", {.id = FL_I64})};

static fl_table numbered[] = {
    {.ops = &table_ops, .refs = 1, .name = {"orders", 6}, .format = "memory", .fields = numbered_orders, .n_cols = 5},
    {.ops = &table_ops,
     .refs = 1,
     .name = {"customers", 9},
     .format = "memory",
     .fields = numbered_customers,
     .n_cols = 4},
};

static fl_status number(fl_table *table, fl_memory *memory, fl_table **ret, fl_err *err)
{
    (void)memory, (void)err;
    *ret = fl_table_ref(&numbered[table->fields == customers_fields]);
    return FL_OK;
}

static fl_table tables[] = {
    {.ops = &table_ops, .refs = 1, .name = {"orders", 6}, .format = "memory", .fields = orders_fields, .n_cols = 4},
    {.ops = &table_ops,
     .refs = 1,
     .name = {"customers", 9},
     .format = "memory",
     .fields = customers_fields,
     .n_cols = 3},
    {.ops = &table_ops, .refs = 1, .name = {"people", 6}, .format = "memory", .fields = people_fields, .n_cols = 2},
};

static fl_status find_table(fl_catalog *catalog, fl_str name, fl_catalog_entry *ret, fl_err *err)
{
    (void)catalog;
    for (int64_t i = 0; i < FL_LEN(tables); i++) {
        if (fl_str_is_equal_nocase(tables[i].name, name)) {
            ret->table = fl_table_ref(&tables[i]);
            return FL_OK;
        }
    }
    if (fl_str_is_equal(name, FL_STR("big"))) {
        ret->view_text = FL_STR("SELECT order_id AS id, total FROM orders WHERE total > 100");
        return FL_OK;
    }
    if (fl_str_is_equal(name, FL_STR("broken"))) {
        ret->view_text = FL_STR("SELECT nothing FROM orders");
        return FL_OK;
    }
    return FL_FAIL(err, FL_ERR_TABLE, "there is no table \"%.*s\"", FL_STR_ARG(name));
}

static fl_status open_file(fl_catalog *catalog, fl_str function, const fl_value *args, int32_t n_args,
                           const fl_option *options, int32_t n_options, fl_table **ret, fl_err *err)
{
    (void)catalog;
    (void)err;
    assert_true(function.len == 0 || n_options == 1);
    assert_int_equal(n_args, 1);
    assert_int_equal(args[0].type.id, FL_UTF8);
    if (n_options == 1)
        assert_true(fl_str_is_equal(options[0].name, FL_STR("header")));
    *ret = fl_table_ref(&tables[1]);
    return FL_OK;
}

static fl_catalog catalog = {.find = find_table, .open = open_file};

static void get_rules(fl_sql_env *env, const fl_table *table, const fl_column_rules **ret_rules,
                      const fl_table_constraints **ret_constraints)
{
    static fl_column_rules rules[6];
    rules[2].default_text = FL_STR("'Bern' || 'e'");
    (void)env, (void)ret_constraints;
    if (table == &tables[1])
        *ret_rules = rules;
}

static fl_status get_scalar(fl_sql_env *env, const fl_query *query, fl_arena *arena, fl_value *ret, fl_err *err)
{
    (void)env, (void)arena, (void)err;
    assert_int_equal(query->n_outputs, 1);
    *ret = (fl_value){.type = FL_TYPE(FL_I64), .i = 77};
    return FL_OK;
}

/* ---- help ---- */

typedef struct fixture {
    fl_memory memory;
    fl_arena arena;
    fl_registry *registry;
    fl_sql_env env;
    fl_sql_bound bound;
    fl_sql_parser parser;
    fl_err err;
    int32_t refs[FL_LEN(tables)];
} fixture;

static void set_up(fixture *f)
{
    *f = (fixture){0};
    for (int64_t i = 0; i < FL_LEN(tables); i++)
        f->refs[i] = tables[i].refs;
    fl_memory_init(&f->memory, NULL, "test", 0);
    fl_arena_init(&f->arena, &f->memory);
    assert_int_equal(fl_registry_new(&f->registry, NULL), FL_OK);
    assert_int_equal(fl_registry_add_funcs(f->registry, &func_set, NULL), FL_OK);
    assert_int_equal(fl_registry_add_funcs(f->registry, &agg_set, NULL), FL_OK);
    f->env = (fl_sql_env){.memory = &f->memory,
                          .registry = f->registry,
                          .catalog = &catalog,
                          .get_rules = get_rules,
                          .get_scalar = get_scalar};
}

static fl_status bind_prepared(fixture *f, const char *sql)
{
    fl_status st;
    fl_ast_statement *ast = NULL;
    st = fl_sql_parser_init(&f->parser, &f->memory, fl_str_of(sql), &f->err);
    if (st == FL_OK)
        st = fl_sql_parser_next(&f->parser, &f->arena, &ast, &f->err);
    if (st == FL_OK)
        st = fl_sql_bind(&f->env, &f->arena, fl_str_of(sql), ast, &f->bound, &f->err);
    return st;
}

static fl_status bind_text(fixture *f, const char *sql)
{
    set_up(f);
    return bind_prepared(f, sql);
}

static void drop(fixture *f)
{
    fl_sql_bound_drop(&f->bound);
    fl_sql_parser_drop(&f->parser);
    fl_arena_drop(&f->arena);
    fl_registry_unref(f->registry);
    assert_int_equal(f->memory.used_bytes, 0);
    for (int64_t i = 0; i < FL_LEN(tables); i++)
        assert_int_equal(tables[i].refs, f->refs[i]);
}

static void add_outputs(fl_text *text, const fl_query *query)
{
    for (int32_t i = 0; i < query->n_outputs; i++) {
        fl_text_addf(text, "%s%.*s ", i > 0 ? ", " : "", FL_STR_ARG(query->names[i]));
        fl_type_print(text, fl_plan_col(query->plan, query->outputs[i])->type);
    }
}

/* The output columns with their types. */
static void gives(const char *sql, const char *expected)
{
    fixture f;
    fl_text text;
    if (bind_text(&f, sql) != FL_OK)
        fail_msg("%s\n  %s (at %d)", sql, f.err.message, (int)f.err.position - 1);
    fl_text_init(&text, NULL);
    add_outputs(&text, &f.bound.query);
    if (strcmp(text.data, expected) != 0)
        fail_msg("%s\n  gives %s\n  not   %s", sql, text.data, expected);
    fl_text_drop(&text);
    drop(&f);
}

static void binds(const char *sql)
{
    fixture f;
    if (bind_text(&f, sql) != FL_OK)
        fail_msg("%s\n  %s (at %d)", sql, f.err.message, (int)f.err.position - 1);
    drop(&f);
}

/* The plan's text holds `part`. */
static void plans(const char *sql, const char *part)
{
    fixture f;
    fl_text text;
    if (bind_text(&f, sql) != FL_OK)
        fail_msg("%s\n  %s (at %d)", sql, f.err.message, (int)f.err.position - 1);
    fl_text_init(&text, NULL);
    fl_explain explain = {.query = &f.bound.query};
    fl_explain_text(&text, &explain);
    if (strstr(text.data, part) == NULL)
        fail_msg("%s\n  lacks %s\n%s", sql, part, text.data);
    fl_text_drop(&text);
    drop(&f);
}

/* '@' marks the fault's place; `part` is in the hint or the message. */
static void refuses(const char *sqlstate, const char *sql, const char *part)
{
    char clean[512];
    fixture f;
    const char *mark = strchr(sql, '@');
    snprintf(clean, sizeof(clean), "%.*s%s", (int)(mark - sql), sql, mark + 1);
    fl_status st = bind_text(&f, clean);
    if (st == FL_OK || strcmp(f.err.sqlstate, sqlstate) != 0 || f.err.position != mark - sql + 1 ||
        (strstr(f.err.hint, part) == NULL && strstr(f.err.message, part) == NULL))
        fail_msg("%s\n  gives %s at %d: %s; %s", sql, f.err.sqlstate, (int)f.err.position - 1, f.err.message,
                 f.err.hint);
    drop(&f);
}

/* ---- queries ---- */

static void outputs(void **state)
{
    (void)state;
    gives("SELECT 1, 3000000000 AS big, 99999999999999999999, 1.50, 1e3, 'x', NULL, true",
          "?column? integer, big bigint, ?column? decimal(20,0), ?column? decimal(3,2), ?column? double, "
          "?column? text, ?column? text, bool boolean");
    gives("SELECT -5, -1.5, - 2", "?column? integer, ?column? decimal(2,1), ?column? integer");
    gives("SELECT * FROM orders", "order_id integer, customer_name text, total decimal(10,2), placed date");
    gives("SELECT * EXCLUDE (total, placed) FROM orders", "order_id integer, customer_name text");
    gives("SELECT * REPLACE (order_id + 3000000000 AS order_id) EXCLUDE (total, placed, customer_name) FROM orders",
          "order_id bigint");
    gives("SELECT * RENAME (city AS town) FROM customers", "customer_id integer, name text, town text");
    gives("FROM customers SELECT upper(NAME), x: city", "upper text, x text");
    gives("SELECT c.*, o.total FROM orders o, customers c",
          "customer_id integer, name text, city text, total decimal(10,2)");
    gives("SELECT CAST(order_id AS bigint), total::text, DATE '2020-01-01', INTERVAL '1' DAY FROM orders",
          "order_id bigint, total text, DATE date, interval interval");
    gives("SELECT p.home.city, home.zip, (home).zip FROM people p", "city text, zip integer, zip integer");
    gives("SELECT [1, 2], [1, 2][1], {'a': 1}.a", "list integer[], list integer, a integer");
    gives("SELECT CASE WHEN total > 1 THEN 1 ELSE total END FROM orders", "total decimal(12,2)");
    gives("SELECT coalesce(NULL, order_id), nullif(order_id, 1) FROM orders", "coalesce integer, nullif integer");
    gives("VALUES (1, 'a'), (3000000000, NULL)", "column1 bigint, column2 text");
    gives("SELECT x + 1 FROM (VALUES (1)) AS v(x)", "?column? integer");
    gives("SELECT * FROM big", "id integer, total decimal(10,2)");
    gives("SELECT * FROM 'data/people.csv' WHERE people.city = 'x'", "customer_id integer, name text, city text");
    gives("SELECT * FROM read_csv('x', header = true)", "customer_id integer, name text, city text");
    gives("SELECT order_id = 1 OR total BETWEEN 1 AND '2' x FROM orders", "x boolean");
    gives("SELECT order_id IS NOT DISTINCT FROM NULL AS same FROM orders", "same boolean");
    gives("SELECT placed + INTERVAL '1' MONTH FROM orders", "?column? timestamp");
}

static void scopes(void **state)
{
    (void)state;
    gives("SELECT * FROM orders o JOIN customers c ON o.customer_name = c.name AND o.order_id = customer_id",
          "order_id integer, customer_name text, total decimal(10,2), placed date, customer_id integer, name text, "
          "city text");
    gives("SELECT * FROM customers a JOIN customers b USING (customer_id)",
          "customer_id integer, name text, city text, name text, city text");
    gives("SELECT * FROM customers a NATURAL FULL JOIN customers b", "customer_id integer, name text, city text");
    gives("SELECT customer_id, a.customer_id, b.name FROM customers a LEFT JOIN customers b USING (customer_id)",
          "customer_id integer, customer_id integer, name text");
    gives("SELECT * FROM customers a SEMI JOIN orders b ON a.name = b.customer_name",
          "customer_id integer, name text, city text");
    gives("WITH a AS (SELECT 1 AS x), b(y) AS (SELECT x + 1 FROM a) SELECT * FROM a, b", "x integer, y integer");
    gives("WITH orders AS (SELECT 1 AS x) SELECT * FROM orders, (WITH orders AS (SELECT 2 AS z) FROM orders) t",
          "x integer, z integer");
    gives("SELECT total * 2 AS twice, twice + 1 AS more FROM orders WHERE twice > 3",
          "twice decimal(12,2), more decimal(12,2)");
    plans("SELECT * FROM orders o, LATERAL (SELECT * FROM customers c WHERE c.name = o.customer_name) l", "apply");
    plans("SELECT name FROM customers c WHERE EXISTS (SELECT 1 FROM orders WHERE customer_name = c.name)", "filter");
    gives("SELECT (SELECT max(total) FROM orders WHERE customer_name = c.name) FROM customers c", "max decimal(10,2)");
    binds("SELECT 1 FROM orders WHERE (order_id, customer_name) IN (SELECT customer_id, name FROM customers)");
    binds("SELECT 1 FROM orders WHERE order_id NOT IN (SELECT customer_id FROM customers)");
    binds("SELECT 1 FROM orders WHERE order_id > ALL (SELECT customer_id FROM customers)");
    binds("SELECT 1 FROM orders WHERE (order_id, customer_name) IN ((1, 'a'), (2, 'b')) AND (1, 2) < (order_id, 3)");
    binds("SELECT 1 FROM orders WHERE order_id = ANY ([1, 2])");
    binds("SELECT 1 FROM orders WHERE order_id IN (SELECT order_id FROM (SELECT order_id, order_id FROM orders) x(a, "
          "order_id))");
}

static void groups(void **state)
{
    (void)state;
    gives("SELECT count(*), sum(total) AS s FROM orders", "count bigint, s decimal(38,0)");
    gives(
        "SELECT customer_name, count(*) FROM orders GROUP BY customer_name HAVING sum(total) > 1 ORDER BY max(placed)",
        "customer_name text, count bigint");
    gives("SELECT order_id + 1 AS k, count(*) FROM orders GROUP BY k ORDER BY 2 DESC, k", "k integer, count bigint");
    gives("SELECT order_id + 1, order_id + 1 + 2 FROM orders GROUP BY order_id + 1",
          "?column? integer, ?column? integer");
    gives("SELECT customer_name, placed, sum(total) FROM orders GROUP BY ALL",
          "customer_name text, placed date, sum decimal(38,0)");
    gives("SELECT upper(customer_name) u, count(DISTINCT placed) FILTER (WHERE total > 1) FROM orders GROUP BY 1",
          "u text, count bigint");
    gives("SELECT 1 FROM orders HAVING count(*) > 1", "?column? integer");
    gives("SELECT DISTINCT customer_name FROM orders ORDER BY customer_name", "customer_name text");
    gives("SELECT DISTINCT ON (order_id) customer_name FROM orders ORDER BY order_id, placed DESC",
          "customer_name text");
    gives("SELECT customer_name, (SELECT max(name) FROM customers WHERE name = customer_name) FROM orders GROUP BY "
          "customer_name",
          "customer_name text, max text");
    gives("SELECT sum(total) AS t FROM orders GROUP BY customer_name HAVING t > 1 ORDER BY t + 1", "t decimal(38,0)");
    plans("SELECT sum(total), sum(total) + 1 FROM orders", "aggregates: sum");
    plans("SELECT total FROM orders LIMIT (SELECT max(order_id) FROM orders)", "77");
    binds("SELECT name FROM customers c GROUP BY name HAVING EXISTS (SELECT 1 FROM orders WHERE order_id = "
          "max(c.customer_id))");
}

static void set_operations(void **state)
{
    (void)state;
    gives("SELECT 1 AS a UNION SELECT 3000000000 UNION SELECT NULL", "a bigint");
    gives("SELECT NULL AS a UNION ALL SELECT NULL UNION ALL SELECT placed FROM orders", "a date");
    gives("SELECT '2020-01-01' AS a EXCEPT SELECT placed FROM orders ORDER BY a", "a date");
    gives(
        "(SELECT order_id FROM orders LIMIT 1) INTERSECT SELECT customer_id FROM customers ORDER BY 1 LIMIT 2 OFFSET 1",
        "order_id integer");
    gives("SELECT * FROM (SELECT 1 AS a UNION ALL VALUES (2)) t ORDER BY ALL DESC", "a integer");
}

static void changes(void **state)
{
    (void)state;
    gives("INSERT INTO customers VALUES (1, 'a', DEFAULT), ('2', 3, 'c')", "customer_id integer, name text, city text");
    gives("INSERT INTO customers (name) SELECT customer_name FROM orders", "customer_id integer, name text, city text");
    gives("INSERT INTO customers DEFAULT VALUES", "customer_id integer, name text, city text");
    gives("UPDATE customers SET name = upper(name), city = DEFAULT WHERE customer_id = 1",
          "place bigint, name text, city text");
    gives("UPDATE customers c SET name = o.customer_name FROM orders o WHERE o.order_id = c.customer_id",
          "place bigint, name text");
    gives("DELETE FROM customers WHERE city IN (SELECT customer_name FROM orders)", "place bigint");
    gives("DELETE FROM customers USING orders WHERE name = customer_name", "place bigint");
    binds("TRUNCATE customers");
    binds("CREATE TABLE t (a int NOT NULL DEFAULT 1 + 2, b struct(x int)[])");
    binds("CREATE VIEW v (a) AS SELECT order_id FROM orders");
    binds("DROP TABLE a, b");
    binds("ANALYZE customers");
    binds("ANALYZE");
    binds("SET threads = 4");
    binds("EXPLAIN ANALYZE SELECT 1");
    binds("EXECUTE p (1 + 1, 'a')");
    fixture f;
    assert_int_equal(bind_text(&f, "CREATE TABLE t (a int NOT NULL DEFAULT (1 + 2) * 3, b text)"), FL_OK);
    assert_int_equal(f.bound.n_columns, 2);
    assert_true(fl_str_is_equal(f.bound.columns[0].default_text, FL_STR("(1 + 2) * 3")));
    assert_true(f.bound.columns[0].is_not_null);
    drop(&f);
    assert_int_equal(bind_text(&f, "CREATE TABLE t (x) AS SELECT order_id, total FROM orders"), FL_OK);
    assert_int_equal(f.bound.n_columns, 2);
    assert_true(fl_str_is_equal(f.bound.columns[0].name, FL_STR("x")));
    assert_int_equal(f.bound.columns[1].type.id, FL_DECIMAL);
    drop(&f);
}

static void parameters(void **state)
{
    (void)state;
    fixture f;
    assert_int_equal(
        bind_text(&f, "PREPARE p AS SELECT $2, $1 FROM orders WHERE order_id = $1 AND total > $3 LIMIT $4"), FL_OK);
    const fl_query *query = &f.bound.inner->query;
    assert_int_equal(query->n_params, 4);
    assert_int_equal(query->param_types[0].id, FL_I32);
    assert_int_equal(query->param_types[1].id, FL_UTF8);
    assert_int_equal(query->param_types[2].id, FL_DECIMAL);
    assert_int_equal(query->param_types[3].id, FL_I64);
    drop(&f);
    assert_int_equal(bind_text(&f, "PREPARE p (bigint) AS SELECT $1"), FL_OK);
    assert_int_equal(f.bound.inner->query.param_types[0].id, FL_I64);
    drop(&f);
}

/* ---- faults ---- */

static void faults(void **state)
{
    (void)state;
    refuses("42P01", "SELECT * FROM @nothing", "nothing");
    refuses("42P01", "WITH recent AS (SELECT 1) SELECT * FROM @recnt", "recent");
    refuses("42703", "SELECT @custmer_name FROM orders", "customer_name");
    refuses("42703", "SELECT @o.totl FROM orders o", "total");
    refuses("42703", "SELECT sum(@totl) FROM orders", "total");
    refuses("42703", "SELECT order_id FROM orders WHERE EXISTS (SELECT 1 FROM customers WHERE name = @custmer_name)",
            "customer_name");
    refuses("42P01", "SELECT @ordrs.total FROM orders", "orders");
    refuses("42P01", "SELECT @orders.total FROM orders o", "\"o\"");
    refuses("42P01", "SELECT @x.* FROM orders", "x");
    refuses("42702", "SELECT @order_id FROM orders a JOIN orders b ON a.order_id = b.order_id", "a.order_id");
    refuses("42702", "SELECT total AS x, placed AS x FROM orders ORDER BY @x", "x");
    refuses("42701", "CREATE TABLE t (a integer, @a text)", "a");
    refuses("42712", "SELECT 1 FROM orders, @orders", "orders");
    refuses("42883", "SELECT @uper(customer_name) FROM orders", "upper");
    refuses("42883", "SELECT @cont(*) FROM orders", "count");
    refuses("42883", "SELECT 1 WHERE @colesce(1, 2) = 1", "coalesce");
    refuses("42883", "SELECT @sum(customer_name) FROM orders", "text");
    refuses("42883", "SELECT customer_name @+ 1 FROM orders", "text");
    refuses("42883", "SELECT order_id FROM orders WHERE customer_name @= 5", "integer");
    refuses("42804", "SELECT order_id FROM orders WHERE @total", "boolean");
    refuses("42804", "SELECT order_id FROM orders WHERE @order_id AND true", "boolean");
    refuses("42804", "SELECT NOT @order_id FROM orders", "boolean");
    refuses("42804", "SELECT CASE WHEN @1 THEN 2 END", "boolean");
    refuses("42804", "SELECT coalesce(order_id, @placed) FROM orders", "date");
    refuses("42804", "SELECT order_id FROM orders UNION SELECT @placed FROM orders", "date");
    refuses("42601", "SELECT 1 UNION SELECT @1, 2", "columns");
    refuses("42704", "SELECT 1::@intger", "integer");
    refuses("42704", "CREATE TABLE t (a @integr)", "integer");
    refuses("22P02", "SELECT order_id FROM orders WHERE order_id IN (1, @'two')", "two");
    refuses("22P02", "SELECT @'x'::integer", "x");
    refuses("22P02", "SELECT 'x', @'x'::integer", "x");
    refuses("22008", "SELECT date @'2024-02-30'", "2024-02-30");
    refuses("22007", "SELECT date @'soon'", "soon");
    refuses("22007", "SELECT interval @'soon'", "soon");
    refuses("42803", "SELECT @customer_name, count(*) FROM orders", "GROUP BY");
    refuses("42803", "SELECT @total FROM orders GROUP BY order_id", "GROUP BY");
    refuses("42803", "SELECT order_id FROM orders WHERE @sum(total) > 1", "HAVING");
    refuses("42803", "SELECT max(@sum(total)) FROM orders", "nested");
    refuses("42803", "SELECT order_id FROM orders GROUP BY @count(*)", "GROUP BY");
    refuses("42803", "SELECT count(*) c FROM orders GROUP BY @c", "GROUP BY");
    refuses("42P10", "SELECT order_id FROM orders GROUP BY @7", "7");
    refuses("42P10", "SELECT order_id FROM orders ORDER BY @7", "7");
    refuses("42P10", "SELECT DISTINCT order_id FROM orders ORDER BY @total", "DISTINCT");
    refuses("42703", "INSERT INTO orders (order_id, @totl) VALUES (1, 2)", "total");
    refuses("42703", "UPDATE orders SET @totl = 1", "total");
    refuses("42804", "INSERT INTO orders (order_id) SELECT @placed FROM orders", "date");
    refuses("42601", "INSERT INTO orders (order_id) VALUES @(1, 2)", "values");
    refuses("42703", "SELECT * EXCLUDE (@totl) FROM orders", "total");
    refuses("42703", "SELECT * FROM orders JOIN customers USING (@name)", "left");
    refuses("2201W", "SELECT 1 LIMIT @-1", "negative");
    refuses("42601", "SELECT @(SELECT 1, 2)", "one column");
    refuses("42703", "SELECT * FROM @broken", "in the view");
    refuses("42809", "DELETE FROM @big", "view");
    refuses("42601", "SELECT 1 WHERE @*", "*");
}

/* A chain of views or table expressions that reads each link twice grows without bound; it is stopped. */
static void table_expressions_are_bounded(void **state)
{
    (void)state;
    fl_text sql;
    fl_text_init(&sql, NULL);
    fl_text_addf(&sql, "WITH c0 AS (SELECT 1 AS x)");
    for (int i = 1; i < 40; i++)
        fl_text_addf(&sql, ", c%d AS (SELECT a.x FROM c%d a, c%d b)", i, i - 1, i - 1);
    fl_text_addf(&sql, " SELECT * FROM c39");
    fixture f;
    assert_int_equal(bind_text(&f, sql.data), FL_ERR_LIMIT);
    drop(&f);
    fl_text_drop(&sql);
}

/* The n-th allocation fails, for every n until one run passes untouched: an error each time, and nothing is lost. */
static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "WITH a AS (SELECT order_id, sum(total) AS s FROM orders WHERE customer_name LIKE 'x%' GROUP BY 1) "
        "SELECT * FROM a JOIN customers c ON a.order_id = c.customer_id WHERE EXISTS (SELECT 1 FROM big WHERE id = s) "
        "UNION ALL SELECT 1, 2, 3, 'x', NULL ORDER BY 1 LIMIT 5",
        "INSERT INTO customers VALUES (1, 'a', DEFAULT)",
        "UPDATE customers c SET name = o.customer_name FROM orders o WHERE o.order_id = c.customer_id",
        "PREPARE p AS SELECT $1, $2 FROM orders WHERE order_id = $1 AND order_id + 3000000000 = $1",
        "CREATE TABLE t (a int DEFAULT 1 + 2, b struct(x int)[])",
        "SET a = 1, 'b', c",
    };
    for (int64_t i = 0; i < FL_LEN(texts); i++) {
        for (int64_t n = 1; n < 10000; n++) {
            fixture f;
            set_up(&f);
            fl_fault_arm(FL_FAULT_ALLOC, n);
            fl_status st = bind_prepared(&f, texts[i]);
            bool passed = fl_fault_is_armed(FL_FAULT_ALLOC);
            fl_fault_arm(FL_FAULT_ALLOC, 0);
            /* The text of a column's name may be lost for want of memory; the statement is not. */
            assert_true(st == FL_OK || (st == FL_ERR_MEMORY && !passed));
            drop(&f);
            if (passed)
                break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs),
        cmocka_unit_test(scopes),
        cmocka_unit_test(groups),
        cmocka_unit_test(set_operations),
        cmocka_unit_test(changes),
        cmocka_unit_test(parameters),
        cmocka_unit_test(faults),
        cmocka_unit_test(table_expressions_are_bounded),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
