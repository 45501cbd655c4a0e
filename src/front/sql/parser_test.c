/* The parser's trees and faults: expressions as prefix text, queries by their parts, errors by code and place. */
#include "front/sql/parser.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- help ---- */

typedef struct fixture {
    fl_memory memory;
    fl_arena arena;
    fl_sql_parser parser;
    fl_err err;
} fixture;

static void open_text(fixture *f, fl_str text)
{
    fl_memory_init(&f->memory, NULL, "test", 0);
    fl_arena_init(&f->arena, &f->memory);
    assert_int_equal(fl_sql_parser_init(&f->parser, &f->memory, text, &f->err), FL_OK);
}

static void close_text(fixture *f)
{
    fl_sql_parser_drop(&f->parser);
    fl_arena_drop(&f->arena);
    assert_int_equal(f->memory.used_bytes, 0);
}

static fl_status parse_one(const char *text, fl_err *err)
{
    fixture f = {0};
    fl_ast_statement *statement = NULL;
    open_text(&f, fl_str_of(text));
    fl_status st = fl_sql_parser_next(&f.parser, &f.arena, &statement, err);
    close_text(&f);
    return st;
}

static void accepts(const char *text)
{
    fl_err err = {0};
    if (parse_one(text, &err) != FL_OK)
        fail_msg("%s\n  %s (at %d)", text, err.message, (int)err.position - 1);
}

/* `mark` stands in the text where the fault is expected: "SELECT 1 ^+" with '^' as the mark. */
static void refuses(fl_status code, const char *text, const char *hint)
{
    char clean[512];
    const char *mark = strchr(text, '@');
    assert_non_null(mark);
    snprintf(clean, sizeof(clean), "%.*s%s", (int)(mark - text), text, mark + 1);
    fl_err err = {0};
    fl_status st = parse_one(clean, &err);
    if (st != code || err.position != mark - text + 1 || (hint != NULL && strcmp(hint, err.hint) != 0))
        fail_msg("%s\n  gives %d at %d: %s; %s", text, st, (int)err.position - 1, err.message, err.hint);
}

static void says(const char *text, const char *part)
{
    fl_err err = {0};
    assert_int_equal(parse_one(text, &err), FL_ERR_SYNTAX);
    if (strstr(err.message, part) == NULL)
        fail_msg("%s\n  gives %s, which does not say \"%s\"", text, err.message, part);
}

static void print_expr(fl_text *out, const fl_ast_expr *expr);

static void print_list(fl_text *out, const char *name, fl_ast_expr *const *items, int32_t count)
{
    fl_text_addf(out, "(%s", name);
    for (int32_t i = 0; i < count; i++) {
        fl_text_add_char(out, ' ');
        print_expr(out, items[i]);
    }
    fl_text_add_char(out, ')');
}

static void print_expr(fl_text *out, const fl_ast_expr *expr)
{
    static const char *const ops[] = {"",   "+",  "-",  "*",  "/",   "//", "%",    "^",     "||",      "=",   "<>",
                                      "<",  "<=", ">",  ">=", "~",   "~*", "like", "ilike", "&",       "|",   "#",
                                      "~",  "<<", ">>", "->", "->>", "#>", "#>>",  "#-",    "?",       "@?",  "@@",
                                      "?|", "?&", "+",  "-",  "@>",  "<@", "&&",   "^@",    "similar", "glob"};
    static const char *const tests[] = {"null", "true", "false", "unknown", "distinct"};
    switch ((fl_ast_kind)expr->kind) {
    case FL_AST_COLUMN:
        for (int32_t i = 0; i < expr->path.count; i++)
            fl_text_addf(out, "%s%.*s", i > 0 ? "." : "", FL_STR_ARG(expr->path.parts[i].text));
        break;
    case FL_AST_STAR:
        fl_text_addf(out, "*");
        if (expr->star->test != NULL)
            print_list(out, " where", &expr->star->test, 1);
        break;
    case FL_AST_COLUMNS:
        fl_text_addf(out, "%scolumns", expr->flag ? "*" : "");
        print_list(out, "", expr->star->test != NULL ? &expr->star->test : &expr->star->pick,
                   expr->star->test != NULL || expr->star->pick != NULL);
        break;
    case FL_AST_BOUND: /* no text has them */
    case FL_AST_VALUE:
    case FL_AST_DONE:
        fail();
        break;
    case FL_AST_INTEGER:
    case FL_AST_DECIMAL:
    case FL_AST_FLOAT:
        fl_text_add(out, expr->text);
        break;
    case FL_AST_STRING:
        fl_text_addf(out, "'%.*s'", FL_STR_ARG(expr->text));
        break;
    case FL_AST_BLOB:
        fl_text_addf(out, "blob:%d", (int)expr->text.len);
        break;
    case FL_AST_BOOL:
        fl_text_addf(out, expr->truth ? "true" : "false");
        break;
    case FL_AST_NULL:
        fl_text_addf(out, "null");
        break;
    case FL_AST_DEFAULT:
        fl_text_addf(out, "default");
        break;
    case FL_AST_TYPED:
        fl_text_addf(out, "%.*s'%.*s'", FL_STR_ARG(expr->typed.type->name), FL_STR_ARG(expr->typed.text));
        break;
    case FL_AST_INTERVAL:
        fl_text_addf(out, "(interval ");
        print_expr(out, expr->interval.value);
        fl_text_addf(out, " %.*s)", FL_STR_ARG(expr->interval.unit));
        break;
    case FL_AST_PARAMETER:
        fl_text_addf(out, "$%d", expr->parameter);
        break;
    case FL_AST_AND:
        print_list(out, "and", expr->list.items, expr->list.count);
        break;
    case FL_AST_OR:
        print_list(out, "or", expr->list.items, expr->list.count);
        break;
    case FL_AST_ROW:
        print_list(out, "row", expr->list.items, expr->list.count);
        break;
    case FL_AST_ROLLUP:
        print_list(out, "rollup", expr->list.items, expr->list.count);
        break;
    case FL_AST_CUBE:
        print_list(out, "cube", expr->list.items, expr->list.count);
        break;
    case FL_AST_SETS:
        print_list(out, "sets", expr->list.items, expr->list.count);
        break;
    case FL_AST_LIST:
        print_list(out, "list", expr->list.items, expr->list.count);
        break;
    case FL_AST_NOT:
        print_list(out, "not", &expr->ops.left, 1);
        break;
    case FL_AST_UNARY:
        print_list(out, ops[expr->op], &expr->ops.left, 1);
        break;
    case FL_AST_BINARY: {
        fl_ast_expr *pair[] = {expr->ops.left, expr->ops.right};
        fl_text_addf(out, "%s", expr->is_negated ? "!" : "");
        print_list(out, ops[expr->op], pair, 2);
        break;
    }
    case FL_AST_IS: {
        fl_ast_expr *pair[] = {expr->ops.left, expr->ops.right};
        fl_text_addf(out, "%s", expr->is_negated ? "!" : "");
        print_list(out, tests[expr->op], pair, expr->op == FL_AST_IS_DISTINCT ? 2 : 1);
        break;
    }
    case FL_AST_BETWEEN:
    case FL_AST_LIKE: {
        fl_ast_expr *all[] = {expr->ops.left, expr->ops.right, expr->ops.third};
        fl_text_addf(out, "%s", expr->is_negated ? "!" : "");
        print_list(out, expr->kind == FL_AST_LIKE ? ops[expr->op] : "between", all, expr->ops.third != NULL ? 3 : 2);
        break;
    }
    case FL_AST_IN_LIST:
        fl_text_addf(out, "%s(in ", expr->is_negated ? "!" : "");
        print_expr(out, expr->in.left);
        print_list(out, "", expr->in.items, expr->in.count);
        fl_text_add_char(out, ')');
        break;
    case FL_AST_IN_QUERY:
        fl_text_addf(out, "%s(in query)", expr->is_negated ? "!" : "");
        break;
    case FL_AST_QUANTIFIED:
        fl_text_addf(out, "(%s %s query)", ops[expr->op], expr->flag ? "all" : "any");
        break;
    case FL_AST_QUANTIFIED_LIST:
        fl_text_addf(out, "(%s %s list)", ops[expr->op], expr->flag ? "all" : "any");
        break;
    case FL_AST_EXISTS:
        fl_text_addf(out, "(exists)");
        break;
    case FL_AST_SUBQUERY:
        fl_text_addf(out, "(query)");
        break;
    case FL_AST_ARRAY_QUERY:
        fl_text_addf(out, "(array query)");
        break;
    case FL_AST_CASE:
        fl_text_addf(out, "(case %d%s%s)", expr->cases->when_count, expr->cases->subject != NULL ? " of" : "",
                     expr->cases->otherwise != NULL ? " else" : "");
        break;
    case FL_AST_CAST:
        fl_text_addf(out, "(%scast ", expr->flag ? "try_" : "");
        print_expr(out, expr->cast.value);
        fl_text_addf(out, " %.*s", FL_STR_ARG(expr->cast.type->name));
        for (int32_t i = 0; i < expr->cast.type->modifier_count; i++)
            fl_text_addf(out, ",%d", (int)expr->cast.type->modifiers[i]);
        for (int32_t i = 0; i < expr->cast.type->list_depth; i++)
            fl_text_addf(out, "[]");
        fl_text_add_char(out, ')');
        break;
    case FL_AST_CALL:
        fl_text_addf(out, "%.*s(%s%s", FL_STR_ARG(expr->call->path.parts[expr->call->path.count - 1].text),
                     expr->call->is_star ? "*" : "", expr->call->is_distinct ? "distinct " : "");
        for (int32_t i = 0; i < expr->call->arg_count; i++) {
            fl_text_addf(out, "%s", i > 0 ? ", " : "");
            if (expr->call->args[i].name.text.len > 0)
                fl_text_addf(out, "%.*s: ", FL_STR_ARG(expr->call->args[i].name.text));
            print_expr(out, expr->call->args[i].value);
        }
        fl_text_addf(out, "%s%s)", expr->call->order_count > 0 ? " order" : "",
                     expr->call->filter != NULL ? " filter" : "");
        break;
    case FL_AST_STRUCT:
        fl_text_addf(out, "(struct %d)", expr->record.count);
        break;
    case FL_AST_FIELD:
        print_expr(out, expr->field.value);
        fl_text_addf(out, "!%.*s", FL_STR_ARG(expr->field.name->text));
        break;
    case FL_AST_COLLATE:
        print_expr(out, expr->field.value);
        fl_text_addf(out, " collate %.*s", FL_STR_ARG(expr->field.name->text));
        break;
    case FL_AST_INDEX:
        print_expr(out, expr->index.value);
        fl_text_addf(out, expr->flag ? "[:]" : "[i]");
        break;
    }
}

static void gives(const char *expr, const char *expected)
{
    char sql[512];
    fixture f = {0};
    fl_ast_statement *statement = NULL;
    fl_text out;
    snprintf(sql, sizeof(sql), "SELECT %s", expr);
    open_text(&f, fl_str_of(sql));
    fl_text_init(&out, NULL);
    if (fl_sql_parser_next(&f.parser, &f.arena, &statement, &f.err) != FL_OK)
        fail_msg("%s\n  %s", sql, f.err.message);
    const fl_ast_expr *top = statement->query->body->select->items[0].expr;
    if (*expr != '(') {
        assert_int_equal(top->start, 7);
        assert_int_equal(top->end, strlen(sql));
    }
    print_expr(&out, top);
    assert_string_equal(out.data, expected);
    fl_text_drop(&out);
    close_text(&f);
}

/* ---- keywords ---- */

static void keywords_are_sorted_and_found(void **state)
{
    (void)state;
    for (int keyword = 1; keyword < FL_KW_COUNT; keyword++) {
        fl_str text = fl_sql_keyword_text((fl_sql_keyword)keyword);
        if (keyword > 1) {
            fl_str before = fl_sql_keyword_text((fl_sql_keyword)(keyword - 1));
            assert_true(before.len < text.len || (before.len == text.len && fl_str_compare(before, text) < 0));
        }
        assert_int_equal(fl_sql_keyword_find(text), keyword);
    }
    assert_int_equal(fl_sql_keyword_find(FL_STR("SeLeCt")), FL_KW_SELECT);
    assert_int_equal(fl_sql_keyword_find(FL_STR("selec")), FL_KW_NONE);
    assert_int_equal(fl_sql_keyword_find(FL_STR("")), FL_KW_NONE);
}

/* ---- expressions ---- */

static void operators_bind_as_in_postgresql(void **state)
{
    (void)state;
    gives("1 + 2 * 3", "(+ 1 (* 2 3))");
    gives("1 - 2 - 3", "(- (- 1 2) 3)");
    gives("-2 ^ 2", "(^ (- 2) 2)");
    gives("-a::int", "(- (cast a int))");
    gives("2 ^ 3 ^ 4", "(^ (^ 2 3) 4)");
    gives("a OR b AND c OR d", "(or a (and b c) d)");
    gives("a AND b AND c AND d", "(and a b c d)");
    gives("a AND (b AND c)", "(and a (and b c))");
    gives("NOT a = b AND c", "(and (not (= a b)) c)");
    gives("NOT NOT a", "(not (not a))");
    gives("a = b IS NULL", "(null (= a b))");
    gives("a IS NOT NULL AND b ISNULL", "(and !(null a) (null b))");
    gives("a || b = c", "(= (|| a b) c)");
    gives("a + b || c", "(|| (+ a b) c)");
    gives("a BETWEEN 1 AND 2 AND b", "(and (between a 1 2) b)");
    gives("a NOT BETWEEN b + 1 AND c * 2", "!(between a (+ b 1) (* c 2))");
    gives("a IN (1, 2,) AND NOT b", "(and (in a( 1 2)) (not b))");
    gives("a NOT IN (SELECT 1)", "!(in query)");
    gives("a IN ((SELECT 1))", "(in query)");
    gives("a IN ((SELECT 1), 2)", "(in a( (query) 2))");
    gives("a IN ((SELECT 1) + 1)", "(in a( (+ (query) 1)))");
    gives("a LIKE 'x%' ESCAPE '!' OR b NOT ILIKE c", "(or (like a 'x%' '!') !(ilike b c))");
    gives("a GLOB 'x*' OR b NOT GLOB c", "(or (glob a 'x*') !(glob b c))");
    gives("a LIKE ANY ('x', 'y') AND b NOT ILIKE ALL (c)", "(and (like any list) (ilike all list))");
    gives("a IN b AND c NOT IN [1]", "(and (= any list) (<> all list))");
    gives("(a, b) OVERLAPS (c, d) AND e", "(and overlaps(a, b, c, d) e)");
    gives("a COLLATE \"C\" < b", "(< a collate C b)");
    gives("a COLLATE nocase.noaccent || b", "(|| a collate nocase.noaccent b)");
    gives("j ? 'a' AND k ?| l OR k ?& l", "(or (and (? j 'a') (?| k l)) (?& k l))");
    gives("j #- '{a}' = ?", "(= (#- j '{a}') $1)");
    gives("?||'x'", "(|| $1 'x')");
    gives("a.f(b).g() || (c).h(1)", "(|| g(f(a, b)) h(c, 1))");
    gives("main.f(a) + t.a.f()", "(+ f(a) f(t.a))");
    gives("min(COLUMNS(*)) + 1", "(+ min(columns()) 1)");
    gives("f(*COLUMNS('a'), b)", "f(*columns( 'a'), b)");
    gives("COLUMNS(lambda c: c LIKE 'x') * 2", "(* columns( (like c 'x')) 2)");
    gives("a SIMILAR TO 'x%' ESCAPE '!' AND b NOT SIMILAR TO c", "(and (similar a 'x%' '!') !(similar b c))");
    gives("a || b @> c AND a <@ b && c ^@ d", "(and (@> (|| a b) c) (^@ (&& (<@ a b) c) d))");
    gives("ARRAY(SELECT 1)", "(array query)");
    gives("a !~ 'x' AND b ~* 'y'", "(and !(~ a 'x') (~* b 'y'))");
    gives("a IS DISTINCT FROM b + 1", "(distinct a (+ b 1))");
    gives("a IS NOT DISTINCT FROM NULL", "!(distinct a null)");
    gives("a IS NOT TRUE", "!(true a)");
    gives("a = ANY (SELECT 1)", "(= any query)");
    gives("a <> ALL ([1, 2])", "(<> all list)");
    gives("a < b AND b <= c", "(and (< a b) (<= b c))");
    gives("- - 1", "(- (- 1))");
    gives("a -- comment\n+ /* and /* another */ */ b", "(+ a b)");
    gives("a AT TIME ZONE 'UTC' + b", "(+ timezone('UTC', a) b)");
    gives("a << 1 | b", "(| (<< a 1) b)");
    gives("5 % 3 // 2", "(// (% 5 3) 2)");
}

static void primaries(void **state)
{
    (void)state;
    gives("1_000", "1000");
    gives("0xFF", "255");
    gives("1.50", "1.50");
    gives(".5", ".5");
    gives("1.", "1.");
    gives("1e5", "1e5");
    gives("1.5E-3", "1.5E-3");
    gives("'it''s'", "'it's'");
    gives("E'a\\n\\u00e9\\''", "'a\n\xC3\xA9''");
    gives("$$it's$$", "'it's'");
    gives("$x$a$$b$x$", "'a$$b'");
    gives("x'00ff'", "blob:2");
    gives("true", "true");
    gives("\"Od\"\"d\"", "Od\"d");
    gives("t.\"select\".from", "t.select.from");
    gives("stra\xC3\x9F"
          "e",
          "stra\xC3\x9F"
          "e");
    gives("$2", "$2");
    gives("? + ?", "(+ $1 $2)");
    gives("DATE '2020-01-01'", "DATE'2020-01-01'");
    gives("TIMESTAMP WITH TIME ZONE '2020-01-01'", "timestamp with time zone'2020-01-01'");
    gives("interval '1' year", "(interval '1' year)");
    gives("INTERVAL '1 year 2 days'", "(interval '1 year 2 days' )");
    gives("INTERVAL 3 DAYS", "(interval 3 day)");
    gives("INTERVAL '1 day'::text", "(cast (interval '1 day' ) text)");
    gives("'one'\n  'two'", "'onetwo'");
    gives("INTERVAL (a + 1) month", "(interval (+ a 1) month)");
    gives("interval + 1", "(+ interval 1)");
    gives("interval - 1", "(- interval 1)");
    gives("INTERVAL -3 DAY", "(interval (- 3) day)");
    gives("date", "date");
    gives("CAST(a AS decimal(10, 2))", "(cast a decimal,10,2)");
    gives("TRY_CAST(a AS int[][])", "(try_cast a int[][])");
    gives("a::double precision", "(cast a double precision)");
    gives("a::timestamp with time zone", "(cast a timestamp with time zone)");
    gives("a::varchar(3)::text", "(cast (cast a varchar,3) text)");
    gives("CASE WHEN a THEN 1 ELSE 2 END", "(case 1 else)");
    gives("CASE a WHEN 1 THEN 2 WHEN 2 THEN 3 END", "(case 2 of)");
    gives("(1, 2)", "(row 1 2)");
    gives("ROW(1)", "(row 1)");
    gives("[1, 2, 3][1]", "(list 1 2 3)[i]");
    gives("ARRAY[1]", "(list 1)");
    gives("a[1:2]", "a[:]");
    gives("{'a': 1, b: 2}", "(struct 2)");
    gives("(a).b.c", "a!b!c");
    gives("EXISTS (SELECT 1)", "(exists)");
    gives("(SELECT 1) + 1", "(+ (query) 1)");
    gives("((SELECT 1) + 1)", "(+ (query) 1)");
    gives("((SELECT 1) UNION (SELECT 2))", "(query)");
    gives("(((SELECT 1)))", "(query)");
}

static void calls(void **state)
{
    (void)state;
    gives("f()", "f()");
    gives("main.f(a, b)", "f(a, b)");
    gives("count(*)", "count(*)");
    gives("count(DISTINCT a)", "count(distinct a)");
    gives("sum(a) FILTER (WHERE b > 1)", "sum(a filter)");
    gives("string_agg(a, ',' ORDER BY b DESC)", "string_agg(a, ',' order)");
    gives("f(a := 1, b => 2)", "f(a: 1, b: 2)");
    gives("left('abc', 2)", "left('abc', 2)");
    gives("replace(a, 'x', 'y')", "replace(a, 'x', 'y')");
    gives("EXTRACT(year FROM a)", "extract('year', a)");
    gives("SUBSTRING(a FROM 2 FOR 3)", "substring(a, 2, 3)");
    gives("substring(a FOR 3)", "substring(a, 1, 3)");
    gives("substring(a, 2)", "substring(a, 2)");
    gives("POSITION('a' IN b)", "strpos(b, 'a')");
    gives("TRIM(LEADING 'x' FROM a)", "ltrim(a, 'x')");
    gives("TRIM(BOTH FROM a)", "trim(a)");
    gives("trim(a, 'x')", "trim(a, 'x')");
    gives("OVERLAY(a PLACING 'x' FROM 1 FOR 2)", "overlay(a, 'x', 1, 2)");
    gives("current_date", "current_date()");
    gives("date_part('year', a)", "date_part('year', a)");
}

/* ---- queries and statements ---- */

static void queries(void **state)
{
    (void)state;
    accepts("SELECT a, b AS c, d e, x: 1, FROM t");
    accepts("SELECT *, t.*, * EXCLUDE (a, b) REPLACE (1 AS c), t.* EXCLUDE a FROM t");
    accepts("SELECT DISTINCT ON (a, b) c FROM t");
    accepts("FROM t");
    accepts("FROM t SELECT a WHERE b GROUP BY ALL HAVING c ORDER BY ALL DESC LIMIT 1 OFFSET 2");
    accepts("SELECT 1 FROM 'orders.parquet' o, s.t AS u(a, b), range(10) r, read_csv('x', header = true, sep := ';')");
    accepts("SELECT 1 FROM (VALUES (1, 2), (3, 4)) AS v(a, b)");
    accepts("SELECT 1 FROM a JOIN b ON a.x = b.x LEFT JOIN c USING (x, y) NATURAL FULL OUTER JOIN d CROSS JOIN e");
    accepts("SELECT 1 FROM a SEMI JOIN b USING (x) ANTI JOIN c ON true, LATERAL (SELECT a.x) l");
    accepts("SELECT 1 FROM a JOIN b JOIN c ON b.x = c.x ON a.x = b.x");
    accepts("SELECT 1 FROM (a CROSS JOIN b) JOIN (c) ON true");
    accepts("SELECT 1 FROM ((SELECT 1) UNION ALL (SELECT 2)) x");
    accepts("WITH a AS (SELECT 1), b(x, y) AS NOT MATERIALIZED (SELECT 2, 3) SELECT * FROM a, b");
    accepts("SELECT 1 UNION SELECT 2 EXCEPT ALL SELECT 3 INTERSECT SELECT 4 ORDER BY 1 NULLS FIRST LIMIT ALL");
    accepts("(SELECT 1 LIMIT 1) UNION ALL (SELECT 2) ORDER BY 1");
    accepts("VALUES (1, 'a'), (2, 'b'), ORDER BY 1");
    accepts("TABLE t");
    accepts("SELECT a FROM t FETCH FIRST 5 ROWS ONLY");
    accepts("SELECT a FROM t OFFSET 5 ROWS FETCH NEXT ROW ONLY");
    accepts("SELECT count(*) FROM t GROUP BY (), a, (b, c)");
    accepts("SELECT order_date date, year FROM t WHERE t.date > 1");
    accepts("\xEF\xBB\xBFSELECT\xC2\xA0"
            "1");
}

static void set_operations_are_chains(void **state)
{
    (void)state;
    fixture f = {0};
    fl_ast_statement *statement = NULL;
    open_text(&f, FL_STR("SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION SELECT 4 INTERSECT SELECT 5"));
    assert_int_equal(fl_sql_parser_next(&f.parser, &f.arena, &statement, &f.err), FL_OK);
    const fl_ast_set *outer = statement->query->body->set;
    assert_int_equal(outer->op, FL_AST_UNION);
    assert_false(outer->is_all);
    assert_int_equal(outer->input_count, 2);
    assert_int_equal(outer->inputs[0]->set->input_count, 3);
    assert_true(outer->inputs[0]->set->is_all);
    assert_int_equal(outer->inputs[1]->set->op, FL_AST_INTERSECT);
    close_text(&f);
}

static void statements(void **state)
{
    (void)state;
    accepts(
        "CREATE OR REPLACE TEMP TABLE IF NOT EXISTS t (a int NOT NULL, b varchar(10) DEFAULT 'x', c decimal(5,2),)");
    accepts("CREATE TABLE t AS SELECT 1 AS a WITH NO DATA");
    accepts("CREATE TABLE t(a, b) AS VALUES (1, 2)");
    accepts("CREATE OR REPLACE VIEW v (a, b) AS SELECT 1, 2");
    accepts("CREATE UNIQUE INDEX i ON t (a, b DESC)");
    accepts("CREATE TABLE t (key int CONSTRAINT c PRIMARY KEY, b int UNIQUE NOT NULL, UNIQUE (key, b), CONSTRAINT d "
            "UNIQUE (b))");
    accepts("CREATE INDEX ON t (a)");
    accepts("INSERT INTO t VALUES (1, DEFAULT), (2, 3)");
    accepts("INSERT INTO s.t (a, b) SELECT 1, 2");
    accepts("INSERT INTO t (SELECT 1)");
    accepts("INSERT INTO t DEFAULT VALUES");
    accepts("UPDATE t SET a = 1, b = DEFAULT FROM u WHERE t.x = u.x");
    accepts("UPDATE t x SET a = x.a + 1");
    accepts("DELETE FROM t USING u WHERE t.x = u.x");
    accepts("TRUNCATE TABLE t");
    accepts("DROP TABLE IF EXISTS a, s.b");
    accepts("DROP VIEW v");
    accepts("ANALYZE");
    accepts("ANALYZE s.t");
    accepts("DESCRIBE t");
    accepts("DESCRIBE SELECT 1");
    accepts("DESCRIBE 'x.parquet'");
    accepts("SHOW TABLES");
    accepts("SHOW threads");
    accepts("SET threads = 4");
    accepts("SET SESSION memory_limit TO '1GB'");
    accepts("SET disabled_rules = a, b");
    accepts("RESET threads");
    accepts("EXPLAIN SELECT 1");
    accepts("EXPLAIN ANALYZE SELECT 1");
    accepts("EXPLAIN (FORMAT JSON, ANALYZE) SELECT 1");
    accepts("EXPLAIN (SELECT 1)");
    accepts("PREPARE p (int, text) AS SELECT $1, $2");
    accepts("EXECUTE p(1, 'a')");
    accepts("DEALLOCATE PREPARE p");
    accepts("COPY t TO 'x.csv'");
    accepts("COPY main.t (a, \"B c\") TO 'x.csv' WITH (FORMAT csv, HEADER, DELIMITER = ';', FORCE_QUOTE (a, \"B c\"), "
            "NULL 'x')");
    accepts("COPY (WITH q AS (SELECT 1) FROM q) TO 'x' (FORMAT parquet, PARTITION_BY (a), FILE_SIZE_BYTES 10,)");
    accepts("COPY t (a) TO STDOUT WITH (FORMAT text, DELIMITER ',')");
    accepts("COPY t FROM 'x.csv' CSV HEADER DELIMITER AS ';' FORCE QUOTE a, b");
    accepts("EXPLAIN COPY t TO 'x.csv' (FORCE_QUOTE *)");
    accepts("EXPORT DATABASE 'x' (FORMAT parquet)");
    accepts("IMPORT DATABASE 'x'");
}

static void statements_come_one_by_one(void **state)
{
    (void)state;
    const char *text = ";; SELECT 1 ; -- first\n SELECT $3;";
    fixture f = {0};
    fl_ast_statement *statement = NULL;
    open_text(&f, fl_str_of(text));
    assert_int_equal(fl_sql_parser_next(&f.parser, &f.arena, &statement, &f.err), FL_OK);
    assert_int_equal(statement->start, 3);
    assert_int_equal(statement->end, 11);
    assert_int_equal(fl_sql_parser_next(&f.parser, &f.arena, &statement, &f.err), FL_OK);
    assert_int_equal(text[statement->start], 'S');
    assert_int_equal(statement->parameter_count, 3);
    assert_int_equal(fl_sql_parser_next(&f.parser, &f.arena, &statement, &f.err), FL_OK);
    assert_null(statement);
    close_text(&f);
}

/* ---- faults ---- */

static void faults_have_places_and_guesses(void **state)
{
    (void)state;
    refuses(FL_ERR_SYNTAX, "@SELEC 1", "did you mean SELECT?");
    refuses(FL_ERR_SYNTAX, "SELECT a @FORM t", "did you mean FROM?");
    refuses(FL_ERR_SYNTAX, "SELECT * @FORM t", "did you mean FROM?");
    refuses(FL_ERR_SYNTAX, "SELECT * FROM t @WEHRE x = 1", "did you mean WHERE?");
    refuses(FL_ERR_SYNTAX, "SELECT * FROM t GROUP @YB x", "did you mean BY?");
    refuses(FL_ERR_SYNTAX, "SELECT a FROM t @ODER BY a", "did you mean ORDER?");
    refuses(FL_ERR_SYNTAX, "SELECT 'a' @'b'", NULL);
    refuses(FL_ERR_SYNTAX, "SELECT 1 +@", NULL);
    refuses(FL_ERR_SYNTAX, "SELECT (1 + 2@", NULL);
    refuses(FL_ERR_SYNTAX, "SELECT 1 @)", NULL);
    refuses(FL_ERR_SYNTAX, "SELECT 1 < 2 @< 3", "write a < b AND b < c");
    refuses(FL_ERR_SYNTAX, "SELECT @'abc", NULL);
    refuses(FL_ERR_SYNTAX, "SELECT @/* abc", NULL);
    refuses(FL_ERR_SYNTAX, "SELECT @\"abc", NULL);
    refuses(FL_ERR_SYNTAX, "SELECT @1a", NULL);
    refuses(FL_ERR_SYNTAX, "SELECT @`a`", "names are quoted with double quotes: \"name\"");
    refuses(FL_ERR_SYNTAX, "SELECT 1 FROM @select", NULL);
    refuses(FL_ERR_SYNTAX, "SELECT 1 LIMIT 1@, 2", "write LIMIT count OFFSET start");
    refuses(FL_ERR_SYNTAX, "VALUES (1), @(1, 2)", NULL);
    refuses(FL_ERR_SYNTAX, "SELECT ? + @$1", NULL);
    refuses(FL_ERR_SYNTAX, "CREATE TABLE t (a@)", NULL);
    refuses(FL_ERR_SYNTAX, "SELECT sum(a) OVER (ORDER BY b @PARTITION BY c)", NULL);
    refuses(FL_ERR_SYNTAX, "SELECT sum(a) OVER (ROWS 1 @)", NULL);
    refuses(FL_ERR_SYNTAX, "SELECT sum(a) OVER (ROWS BETWEEN 1 PRECEDING @)", NULL);
    refuses(FL_ERR_SYNTAX, "SELECT sum(a) OVER (ROWS CURRENT ROW EXCLUDE @x)", NULL);
    refuses(FL_ERR_SYNTAX, "SELECT sum(a IGNORE NULLS) @RESPECT NULLS OVER ()", NULL);
    refuses(FL_ERR_UNSUPPORTED, "INSERT INTO t VALUES (1) ON CONFLICT (a) @WHERE a > 1 DO NOTHING", NULL);
    refuses(FL_ERR_UNSUPPORTED, "@BEGIN", NULL);
    refuses(FL_ERR_UNSUPPORTED, "COPY t TO @PROGRAM 'x'", NULL);
    refuses(FL_ERR_SYNTAX, "COPY t @'x'", NULL);
    refuses(FL_ERR_SYNTAX, "EXPORT @'x'", NULL);
    refuses(FL_ERR_UNSUPPORTED, "SELECT a @<-> b", NULL);
}

static void open_quotes_name_their_line(void **state)
{
    (void)state;
    says("SELECT 1,\n  'open", "a string that begins on line 2 ");
    says("\n\nSELECT 1,\n  \"open\n\n",
         "a quoted name that begins on line 2 "); /* blanks before the statement count not */
    says("SELECT $$a\nb$$,\n $x$ open\n $$", "a dollar-quoted string that begins on line 3 ");
    says("/* one\n two */ SELECT\n/* open /* nested */\n 1", "a comment that begins on line 3 ");
    says("SELECT E'a\\'\n' || E'open\\'", "a string that begins on line 2 ");
    refuses(FL_ERR_SYNTAX, "SELECT\n @$x$ open $$", "close it with $x$");
}

static void foreign_bytes_are_refused(void **state)
{
    (void)state;
    fl_memory memory;
    fl_sql_parser parser;
    fl_err err = {0};
    fl_memory_init(&memory, NULL, "test", 0);
    assert_int_equal(fl_sql_parser_init(&parser, &memory, FL_STR("SELECT '\xFF'"), &err), FL_ERR_SYNTAX);
    assert_int_equal(err.position, 9);
    fl_sql_parser_drop(&parser);
    err = (fl_err){0};
    assert_int_equal(fl_sql_parser_init(&parser, &memory, FL_STR("SELECT 1\0"), &err), FL_ERR_SYNTAX);
    assert_int_equal(err.position, 9);
    fl_sql_parser_drop(&parser);
}

/* prefix, `count` times part, suffix */
static fl_status parse_repeated(const char *prefix, const char *part, int64_t count, const char *suffix, fl_err *err)
{
    size_t bytes = strlen(prefix) + strlen(part) * (size_t)count + strlen(suffix) + 1, at = 0;
    char *text = malloc(bytes);
    assert_non_null(text);
    at += (size_t)sprintf(text, "%s", prefix);
    for (int64_t i = 0; i < count; i++) {
        memcpy(text + at, part, strlen(part));
        at += strlen(part);
    }
    memcpy(text + at, suffix, strlen(suffix) + 1);
    fl_status st = parse_one(text, err);
    free(text);
    return st;
}

static void depth_is_limited_and_length_is_not(void **state)
{
    (void)state;
    fl_err err = {0};
    assert_int_equal(parse_repeated("SELECT ", "(", 900, "1", &err), FL_ERR_SYNTAX);
    assert_int_equal(parse_repeated("SELECT ", "(", 20000, "1", &err), FL_ERR_LIMIT);
    assert_string_equal(err.sqlstate, "54001");
    assert_string_equal(err.message, "nested too deep: this is level 1001, and 1000 is the limit");
    assert_int_equal(parse_repeated("SELECT ", "NOT ", 20000, "a", &err), FL_ERR_LIMIT);
    assert_int_equal(parse_repeated("SELECT ", "- ", 20000, "a", &err), FL_ERR_LIMIT);
    assert_int_equal(parse_repeated("SELECT ", "f(", 20000, "a", &err), FL_ERR_LIMIT);
    assert_int_equal(parse_repeated("SELECT ", "[", 20000, "a", &err), FL_ERR_LIMIT);
    assert_int_equal(parse_repeated("SELECT ", "CASE WHEN ", 20000, "a", &err), FL_ERR_LIMIT);
    assert_int_equal(parse_repeated("", "SELECT (", 20000, "a", &err), FL_ERR_LIMIT);
    assert_int_equal(parse_repeated("", "SELECT * FROM (", 20000, "a", &err), FL_ERR_LIMIT);
    assert_int_equal(parse_repeated("", "(", 20000, "SELECT 1", &err), FL_ERR_LIMIT);
    assert_int_equal(parse_repeated("", "EXPLAIN ", 20000, "SELECT 1", &err), FL_ERR_LIMIT);
    assert_int_equal(parse_repeated("SELECT 1 FROM a", " JOIN b", 20000, "", &err), FL_ERR_LIMIT);
    assert_int_equal(parse_repeated("SELECT 1", " + 1", 50000, "", &err), FL_ERR_LIMIT);
    assert_int_equal(parse_repeated("SELECT 1", " + 1", 900, "", &err), FL_OK);
    assert_int_equal(parse_repeated("SELECT a", " AND a", 20000, "", &err), FL_OK);
    assert_int_equal(parse_repeated("SELECT a", " OR a = 1", 20000, "", &err), FL_OK);
    assert_int_equal(parse_repeated("SELECT a IN (0", ", 1", 100000, ")", &err), FL_OK);
    assert_int_equal(parse_repeated("SELECT 1", " UNION ALL SELECT 1", 20000, "", &err), FL_OK);
    assert_int_equal(parse_repeated("SELECT 1 FROM a", ", b", 20000, "", &err), FL_ERR_LIMIT);
    assert_int_equal(parse_repeated("SELECT '", "x", 10000000, "'", &err), FL_OK);
}

static const char q1[] =
    "select l_returnflag, l_linestatus, sum(l_quantity) as sum_qty, sum(l_extendedprice) as sum_base_price,\n"
    " sum(l_extendedprice * (1 - l_discount)) as sum_disc_price,\n"
    " sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) as sum_charge,\n"
    " avg(l_quantity) as avg_qty, avg(l_extendedprice) as avg_price, avg(l_discount) as avg_disc,\n"
    " count(*) as count_order\n"
    "from lineitem\n"
    "where l_shipdate <= date '1998-12-01' - interval '90' day\n"
    "group by l_returnflag, l_linestatus\n"
    "order by l_returnflag, l_linestatus";

/* Prints a figure; asserts nothing about time, which a test run under a sanitizer cannot promise. */
static void speed_of_q1(void **state)
{
    (void)state;
    fixture f = {0};
    fl_memory_init(&f.memory, NULL, "test", 0);
    fl_arena_init(&f.arena, &f.memory);
    int64_t best_ns = INT64_MAX;
    for (int round = 0; round < 50; round++) {
        int64_t start_ns = fl_clock_ns(NULL);
        for (int i = 0; i < 20; i++) {
            fl_ast_statement *statement;
            fl_arena_reset(&f.arena);
            assert_int_equal(fl_sql_parser_init(&f.parser, &f.memory, FL_STR(q1), &f.err), FL_OK);
            assert_int_equal(fl_sql_parser_next(&f.parser, &f.arena, &statement, &f.err), FL_OK);
            fl_sql_parser_drop(&f.parser);
        }
        int64_t ns = (fl_clock_ns(NULL) - start_ns) / 20;
        best_ns = ns < best_ns ? ns : best_ns;
    }
    print_message("TPC-H Q1 parses in %.1f us\n", (double)best_ns / 1000);
    fl_arena_drop(&f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keywords_are_sorted_and_found),
        cmocka_unit_test(operators_bind_as_in_postgresql),
        cmocka_unit_test(primaries),
        cmocka_unit_test(calls),
        cmocka_unit_test(queries),
        cmocka_unit_test(set_operations_are_chains),
        cmocka_unit_test(statements),
        cmocka_unit_test(statements_come_one_by_one),
        cmocka_unit_test(faults_have_places_and_guesses),
        cmocka_unit_test(open_quotes_name_their_line),
        cmocka_unit_test(foreign_bytes_are_refused),
        cmocka_unit_test(depth_is_limited_and_length_is_not),
        cmocka_unit_test(speed_of_q1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
