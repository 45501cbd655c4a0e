#!/usr/bin/env python3
"""Statements of twice the size cost twice the work: whatever it is that grows, branches, columns, nesting, joins, texts, patterns.

    doubling.py [--fletch PROGRAM] [NAME...]     NAMEs: only these; exit status 77 (skipped) where valgrind is missing

Each statement is made of a size that doubles three times. Counted are the instructions of the whole process less those of
an empty statement, so that a busy machine hardly lies, and the least of several counts where one is too high; each doubling may cost 2.3 times what was before, or the statement
ends at a limit that is named: 54000 or 54001, with the number that is allowed.
Relies on: valgrind's callgrind; `fletch --pipe`.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq

import pipe

LIMIT = 2.3
DOUBLINGS = 3
TRIES_MORE = 3    # where one costs too much


def each(template, n, separator=", "):
    """n copies of the template, in which {i} is 0 .. n-1, {j} the next number and {h} the one before."""
    return separator.join(template.format(i=i, j=i + 1, h=i - 1) for i in range(n))


def wide(n):
    """A subquery of n columns and one row."""
    return f"(SELECT {each('{i} AS c{i}', n)})"


def struct(n):
    return "{" + each("'k{i}': {i}", n) + "}"


def numbers(condition, rows=10):
    return f"SELECT count(*) FROM range({rows}) AS t(a) WHERE {condition}"


def text(expression, unit="a"):
    """The expression over a text of the size: a row's, so that it runs as it does for tables."""
    return lambda n: f"SELECT count({expression}) FROM (SELECT repeat('{unit}', {n} + i) AS s FROM range(1) AS r(i)) AS t"


def listed(expression):
    """The expression over a list of the size."""
    return lambda n: (f"SELECT count({expression}) FROM (SELECT array_agg(i * 7919 % 300007) AS l, array_agg('x' || i) AS t, "
                      f"array_agg([i]) AS n FROM range({n}) AS r(i)) AS t")


def nested(left, middle, right=""):
    return lambda n: f"SELECT {left * n}{middle}{right * n}"


def views(source):
    """Views on views; {v} of the source is the one before."""
    return lambda n: ["CREATE VIEW v0 AS SELECT 1 AS a"] + [
        f"CREATE VIEW v{i + 1} AS SELECT x.a FROM {source.format(v=f'v{i}')}" for i in range(n)] + [f"SELECT a FROM v{n}"]


def common_tables(source, n):
    return f"WITH c0 AS (SELECT 1 AS a), {each('c{j} AS (SELECT x.a FROM ' + source + ')', n)} SELECT a FROM c{n}"


# name: (the first size, the statement of a size or the list of them)
STATEMENTS = {
    # branches
    "case_of_values": (50, lambda n: f"SELECT CASE a {each('WHEN {i} THEN {i}', n, ' ')} END FROM range(10) AS t(a)"),
    "coalesce": (40, lambda n: f"SELECT coalesce({each('nullif(a, {i})', n)}) FROM range(10) AS t(a)"),
    "in_list": (500, lambda n: numbers(f"a IN ({each('{i}', n)})")),
    "or_of_ands": (50, lambda n: numbers(each("(a > {i} AND a < {j})", n, " OR "))),
    "and_of_ranges": (50, lambda n: numbers(each("a + 1 > {i}", n, " AND "))),
    "union_all": (50, lambda n: each("SELECT {i} AS a", n, " UNION ALL ")),
    "union": (30, lambda n: each("SELECT {i} AS a", n, " UNION ")),
    # columns
    "create_table": (200, lambda n: f"CREATE TABLE t ({each('c{i} integer', n)})"),
    "create_table_with_keys": (20, lambda n: [f"CREATE TABLE t ({each('c{i} integer UNIQUE', n)})",
                                              f"INSERT INTO t VALUES ({each('{i}', n)})"]),
    "select_list": (200, lambda n: f"SELECT {each('{i} AS c{i}', n)}"),
    "select_list_of_rows": (50, lambda n: f"SELECT {each('a + {i} AS c{i}', n)} FROM range(3) AS t(a)"),
    "star_replace": (50, lambda n: f"SELECT * REPLACE ({each('c{i} + 1 AS c{i}', n)}) FROM {wide(n)} AS t"),
    "natural_join": (50, lambda n: f"SELECT * FROM {wide(n)} AS a NATURAL JOIN {wide(n)} AS b"),
    "insert_columns": (50, lambda n: [f"CREATE TABLE t ({each('c{i} integer', n)})",
                                       f"INSERT INTO t ({each('c{i}', n)}) VALUES ({each('{i}', n)})"]),
    "update_columns": (30, lambda n: [f"CREATE TABLE t ({each('c{i} integer', n)})", "INSERT INTO t(c0) VALUES (1)",
                                       f"UPDATE t SET {each('c{i} = c0 + {i}', n)}"]),
    "group_keys": (50, lambda n: f"SELECT count(*) FROM range(10) AS t(a) GROUP BY {each('a % {j}', n)}"),
    "order_keys": (50, lambda n: f"SELECT a FROM range(10) AS t(a) ORDER BY {each('a % {j}', n)}"),
    "aggregates": (40, lambda n: f"SELECT {each('sum(a + {i})', n)} FROM range(10) AS t(a)"),
    "aggregates_distinct": (10, lambda n: f"SELECT {each('count(DISTINCT a + {i})', n)} FROM range(10) AS t(a)"),
    "struct_fields_read": (50, lambda n: f"SELECT {each('s.k{i}', n)} FROM (SELECT {struct(n)} AS s FROM range(3)) AS u"),
    "struct_fields_of_values": (50, lambda n: f"SELECT {each('s.k{i}', n)} FROM (VALUES ({struct(n)}), ({struct(n)})) AS u(s)"),
    "aliases_of_rows": (50, lambda n: f"SELECT a AS a0, {each('a{i} + 1 AS a{j}', n)} FROM range(3) AS t(a)"),
    "aliases_twice": (30, lambda n: f"SELECT a AS a0, {each('a{i} + a{i} AS a{j}', n)} FROM range(3) AS t(a) WHERE a = 0"),
    "values_of_expressions": (30, lambda n: "SELECT count(*) FROM (VALUES " + each("('x' || {i}, random())", n) + ") AS t(a, b)"),
    "insert_rows": (100, lambda n: ["CREATE TABLE t (a integer, b text)", "INSERT INTO t VALUES " + each("({i}, 'x{i}')", n)]),
    "explain_json": (40, lambda n: f"EXPLAIN (FORMAT json) SELECT {each('sum(a + {i})', n)} FROM range(10) AS t(a) GROUP BY a"),
    # nesting
    "parentheses": (100, nested("(", "1", ")")),
    "scalar_subqueries_nested": (20, nested("(SELECT ", "1", ")")),
    "subqueries_nested": (20, lambda n: f"SELECT a FROM {'(SELECT a + 1 AS a FROM ' * n}range(3) AS t(a){') AS t' * n}"),
    "functions_nested_of_rows": (50, lambda n: f"SELECT {'abs(' * n}a{')' * n} FROM range(3) AS t(a)"),
    "concatenations": (30, lambda n: "SELECT " + each("'a' || i", n, " || ") + " FROM range(10) AS r(i)"),
    "views_twice": (7, views("{v} AS x, {v} AS y")),
    "common_tables": (30, lambda n: common_tables("c{i} AS x", n)),
    "common_tables_twice": (7, lambda n: common_tables("c{i} AS x, c{i} AS y", n)),
    # joins and subqueries
    "joins_in_a_star": (8, lambda n: f"SELECT count(*) FROM range(1) AS t0(a) {each('JOIN range(1) AS t{j}(a) ON t{j}.a = t0.a', n, ' ')}"),
    "joins_of_tables": (4, lambda n: ["CREATE TABLE t AS SELECT i AS a, i AS b, i AS c FROM range(3) AS r(i)",
                                       f"SELECT count(*) FROM {each('t AS t{i}', n)} WHERE {each('t{i}.a = t{j}.b', n - 1, ' AND ')}"]),
    "joins_of_all": (4, lambda n: ["CREATE TABLE t AS SELECT i AS a, i AS b, i AS c FROM range(3) AS r(i)",
                                    f"SELECT count(*) FROM {each('t AS t{i}', n)} WHERE {each('t0.a = t{j}.a', n - 1, ' AND ')}"]),
    "join_conditions": (30, lambda n: f"SELECT count(*) FROM range(3) AS t(a) JOIN range(3) AS u(b) ON {each('a + {i} = b + {i}', n, ' AND ')}"),
    "exists": (6, lambda n: "SELECT count(*) FROM range(3) AS t(a) WHERE "
                             f"{each('EXISTS (SELECT 1 FROM range(9) AS u(b) WHERE u.b = t.a + {i})', n, ' AND ')}"),
    "exists_nested": (5, lambda n: f"SELECT count(*) FROM range(3) AS t0(a) WHERE "
                                   f"{each('EXISTS (SELECT 1 FROM range(3) AS t{j}(a) WHERE t{j}.a = t{i}.a AND ', n, '')}true{')' * n}"),
    "scalar_subqueries": (8, lambda n: f"SELECT {each('(SELECT max(b) FROM range({j}) AS u(b))', n)}"),
    "correlated_subqueries": (5, lambda n: f"SELECT {each('(SELECT max(b) FROM range(9) AS u(b) WHERE b < a + {i})', n)} FROM range(3) AS t(a)"),
    "lateral": (5, lambda n: f"SELECT count(*) FROM range(3) AS t0(a) {each(', LATERAL (SELECT t{i}.a + 1 AS a) AS t{j}', n, ' ')}"),
    "unnests": (5, lambda n: f"SELECT count(*) FROM range(3) AS t(a) {each(', unnest([a + {i}]) AS u{i}(b)', n, ' ')}"),
    # texts
    "long_literal": (5000, lambda n: f"SELECT length('{'x' * n}')"),
    "long_number_of_text": (5000, lambda n: f"SELECT ('0.' || repeat('1', {n}))::double"),
    "long_comment": (5000, lambda n: f"SELECT 1 /* {'x' * n} */"),
    "upper": (20000, text("upper(s)")),
    "replace_overlapping": (5000, text("replace(s, repeat('a', 500) || 'b', 'c')")),
    "translate_of_long_sets": (2000, text("translate(s, s, s)", "äb")),
    "position": (5000, text("position(repeat('a', length(s) / 2) || 'b' IN s)")),
    "string_to_array_overlapping": (5000, text("string_to_array(s, repeat('a', 500) || 'b')")),
    "digests": (20000, text("md5(s)")),
    "text_to_list": (1000, text("('[' || repeat('1,', length(s)) || '1]')::integer[]")),
    "list_to_text": (1000, listed("l::text")),
    "text_to_struct": (200, lambda n: "SELECT '{" + each("a{i}: {i}", n) + "}'::struct(" + each("a{i} integer", n) + ")"),
    "like_many_percents": (300, lambda n: f"SELECT repeat('ab', 1000) LIKE '{'%a_' * n}'"),
    "like_overlapping": (5000, text("s LIKE '%aaaaaaaaaaaaaaaaaaab%aaaaaaaaaaaaaaaaaaaaaaac'")),
    "regexp_replace": (1000, text("regexp_replace(s, 'a*b|a', 'xy', 'g')")),
    "regexp_extract_all": (1000, text("regexp_extract_all(s, 'a*b|a')")),
    "regex_alternatives": (40, lambda n: f"SELECT repeat('ab', 100) || i ~ '{each('x{i}', n, '|')}' FROM range(3) AS r(i)"),
    "regex_groups": (20, lambda n: f"SELECT regexp_replace(repeat('ab', 100) || i, '{'(a|b)' * n}', 'x') FROM range(3) AS r(i)"),
    "regex_repeats": (200, lambda n: f"SELECT repeat('a', 100) || i ~ '{'a?' * n}{'a' * n}' FROM range(3) AS r(i)"),
    "regex_set": (200, lambda n: f"SELECT 'aaa' || i ~ '[{''.join(chr(0x4e00 + 2 * i) for i in range(n))}]' FROM range(3) AS r(i)"),
    "string_agg": (500, lambda n: f"SELECT length(string_agg('x' || i, ',' ORDER BY i)) FROM range({n}) AS r(i)"),
    # lists
    "list_distinct_of_lists": (500, listed("list_distinct(n)")),
    "list_sort": (500, listed("list_sort(l)")),
    "list_has_all": (1000, listed("list_has_all(l, list_reverse(l))")),
    "unnest": (1000, lambda n: f"SELECT count(x) FROM (SELECT array_agg(i) AS l FROM range({n}) AS r(i)) AS t, unnest(l) AS u(x)"),
    # rows
    "join_lists": (300, lambda n: f"SELECT count(*) FROM range({n}) AS t(a) JOIN range({n}) AS u(b) ON [a] = [b]"),
    "sort": (300, lambda n: f"SELECT i FROM range({n}) AS r(i) ORDER BY i * 7919 % 300007, 'x' || i"),
    # many of them
    "tables": (20, lambda n: [f"CREATE TABLE t{i} (a integer)" for i in range(n)] + ["SHOW TABLES"]),
    "tables_in_a_union": (15, lambda n: [f"CREATE TABLE t{i} (a integer)" for i in range(n)] + [each("FROM t{i}", n, " UNION ALL ")]),
    "inserts": (20, lambda n: ["CREATE TABLE t (a integer PRIMARY KEY)"] + [f"INSERT INTO t VALUES ({i})" for i in range(n)] + ["FROM t"]),
    "parameters": (60, lambda n: [f"PREPARE p AS SELECT {each('${j}::integer', n)}", f"EXECUTE p ({each('{i}', n)})"]),
    # faults
    "unknown_column": (200, lambda n: f"SELECT c_{n} FROM {wide(n)} AS t"),
    "unknown_table": (50, lambda n: [f"CREATE TABLE t{i} (a integer)" for i in range(n)] + ["SELECT 1 FROM t_"]),
    "unknown_field": (100, lambda n: f"SELECT s.unknown FROM (SELECT {struct(n)} AS s) AS u"),
    "duplicate_column": (200, lambda n: f"CREATE TABLE t ({each('c{i} integer', n)}, c0 integer)"),
    "typo_at_the_end": (200, lambda n: f"SELECT {each('{i} AS c{i}', n)} FORM t"),
    "open_quotes": (10000, lambda n: f"SELECT '{chr(39) * 2 * n}"),
    "open_comment": (10000, lambda n: f"SELECT 1 {'/*' * n}"),
    "not_grouped": (50, lambda n: f"SELECT {each('a + {i}', n)}, b FROM (SELECT 1 AS a, 2 AS b) AS t GROUP BY {each('a + {i}', n)}"),
}


def write_csv_columns(n, path):
    path.write_text(each("column{i}", n, ",") + "\n" + (each("{i}", n, ",") + "\n") * 3, encoding="ascii")


def write_csv_quotes(n, path):
    path.write_text("a,b\n" + '"x ""y""\nz",1\n' * n, encoding="ascii")


def write_csv_field(n, path):
    path.write_text("a,b\n" + "x" * n + ",1\n", encoding="ascii")


def write_csv_same_names(n, path):
    path.write_text("a," * n + "b\n" + "1," * n + "2\n", encoding="ascii")


def write_csv_open_quote(n, path):
    path.write_text('a,b\n"x,1\n' + "y,2\n" * n, encoding="ascii")


def write_json_keys(n, path):
    path.write_text(("{" + each('"k{i}": {i}', n) + "}\n") * 2, encoding="ascii")


def write_json_other_keys(n, path):
    path.write_text(each('{{"k{i}": {i}}}', n, "\n"), encoding="ascii")


def write_json_same_keys(n, path):
    path.write_text("{" + each('"k": {i}', n) + "}\n", encoding="ascii")


def write_json_array(n, path):
    path.write_text("[" + each('{{"a": {i}}}', n) + "]", encoding="ascii")


def write_json_list(n, path):
    path.write_text('{"a": [' + each("{i}", n) + "]}\n", encoding="ascii")


def write_json_nested(n, path):
    path.write_text('{"a": ' + "[" * n + "1" + "]" * n + "}\n", encoding="ascii")


# name: (the first size, what writes a file, the file's name, the statement)
FILES = {
    "csv_columns": (200, write_csv_columns, "a.csv", "FROM '{file}'"),
    "csv_quotes": (1000, write_csv_quotes, "a.csv", "SELECT count(a) FROM '{file}'"),
    "csv_field": (20000, write_csv_field, "a.csv", "SELECT length(a) FROM '{file}'"),
    "json_keys": (100, write_json_keys, "a.ndjson", "FROM '{file}'"),
    "json_other_keys": (40, write_json_other_keys, "a.ndjson", "SELECT k1 FROM '{file}'"),
    "json_nested": (7, write_json_nested, "a.ndjson", "FROM '{file}'"),
}


def write_parquet_columns(n, path):
    pq.write_table(pa.table({f"column{i}": pa.array([i, i + 1]) for i in range(n)}), path)


def write_parquet_row_groups(n, path):
    pq.write_table(pa.table({"a": pa.array(range(n)), "b": pa.array([f"x{i}" for i in range(n)])}), path, row_group_size=1)


def write_parquet_pages(n, path):
    pq.write_table(pa.table({"a": pa.array(range(n * 8)), "b": pa.array([f"x{i}" for i in range(n * 8)])}), path,
                   data_page_size=1, write_batch_size=8, write_page_index=True, use_dictionary=False)


def write_many_csv(n, path):
    for i in range(n):
        path.with_name(f"many{i}.csv").write_text(f"a,b\n{i},x\n", encoding="ascii")


def write_many_json(n, path):
    for i in range(n):
        path.with_name(f"many{i}.json").write_text('{"a": 1, "b": "x"}', encoding="ascii")


def write_many_parquet(n, path):
    for i in range(n):
        pq.write_table(pa.table({"a": pa.array([i]), "b": pa.array(["x"])}), path.with_name(f"many{i}.parquet"))


FILES.update({
    "parquet_columns": (50, write_parquet_columns, "a.parquet", "FROM '{file}'"),
    "parquet_row_groups": (50, write_parquet_row_groups, "a.parquet", "SELECT count(*), sum(a), max(b) FROM '{file}' WHERE a > 3"),
    "parquet_pages": (50, write_parquet_pages, "a.parquet", "SELECT count(*), sum(a), max(b) FROM '{file}' WHERE a > 3"),
    "many_csv": (10, write_many_csv, "many*.csv", "SELECT count(*), sum(a) FROM '{file}'"),
    "many_parquet": (10, write_many_parquet, "many*.parquet", "SELECT count(*), sum(a) FROM '{file}'"),
})

# What the program itself does with texts and answers: (the first size, its arguments, the text of a size)
PROGRAMS = {
    "program_statements": (50, ["--format", "csv"], lambda n: each("SELECT {i}", n, ";\n")),
    "program_table_wide": (100, [], lambda n: f"SELECT {each('{i} AS c{i}', n)}"),
    "program_table_long": (500, [], lambda n: f"SELECT i, 'x' || i FROM range({n}) AS r(i)"),
    "program_table_values": (10000, [], lambda n: f"SELECT repeat('ä', {n}) AS a"),
    "program_csv": (10000, ["--format", "csv"], lambda n: f"SELECT repeat('\"', {n}) AS a"),
    "program_fault_at_the_end": (10000, [], lambda n: "SELECT 1,\n" * n + " 1 FORM t"),
}


def count(program, arguments, requests):
    """Instructions of the program for the requests, and the first error."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", str(program), "--threads", "1", *arguments]
    run = subprocess.run(command, input=requests.encode(), capture_output=True, check=False)
    collected = re.search(rb"Collected *: *([0-9]+)", run.stderr)
    if collected is None or run.returncode < 0:
        sys.exit(f"exit status {run.returncode}: {run.stderr.decode(errors='replace')[-2000:]}")
    answers = [json.loads(line) for line in run.stdout.splitlines()] if "--pipe" in arguments else []
    errors = [answer["error"] for answer in answers if "error" in answer]
    return int(collected.group(1)), errors[0] if errors else None


def count_statement(program, name, doubling):
    with tempfile.TemporaryDirectory() as folder:
        if name in PROGRAMS:
            n, arguments, make = PROGRAMS[name]
            return count(program, arguments, make(n << doubling))
        if name in FILES:
            n, write, file, sql = FILES[name]
            path = pathlib.Path(folder) / file
            write(n << doubling, path)
            statements = sql.replace("{file}", str(path))
        else:
            n, make = STATEMENTS[name]
            statements = make(n << doubling)
        statements = [statements] if isinstance(statements, str) else statements
        return count(program, ["--pipe"], "".join(json.dumps({"sql": sql}) + "\n" for sql in statements))


def check(program, name, empty):
    """Whether the statement's cost follows its size; says what it costs."""
    costs, limit, error = [], None, None
    for doubling in range(DOUBLINGS + 1):
        instructions, error = count_statement(program, name, doubling)
        if error is not None and error["sqlstate"] in ("54000", "54001"):
            limit = error["message"]
            break
        costs.append(instructions - empty)
    for _ in range(TRIES_MORE):  # what the system does meanwhile only adds: the least of several is the statement's own
        for i in [i for i in range(len(costs) - 1) if costs[i + 1] > LIMIT * costs[i]]:
            costs[i + 1] = min(costs[i + 1], count_statement(program, name, i + 1)[0] - empty)
    factors = [later / before for before, later in zip(costs, costs[1:])]
    failed = any(factor > LIMIT for factor in factors) or (limit is not None and not re.search("[0-9]", limit))
    end = f", then: {limit}" if limit else f", error {error['sqlstate']}: {error['message'][:60]}" if error else ""
    print(f"{name}: {costs[0] if costs else 0:,} instructions, then {', '.join(f'{f:.2f}' for f in factors)} times{end}"
          f"{' FAILED' if failed else ''}", flush=True)
    return not failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    parser.add_argument("--every", type=int, default=1, help="one of so many, in turn")
    parser.add_argument("--first", type=int, default=0, help="which of them to begin with")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("skipped: needs valgrind")
        return 77
    empty = min(count(args.fletch, arguments, request)[0]
                for arguments, request in ((["--pipe"], json.dumps({"sql": "SELECT 1"})), ([], "SELECT 1")))
    names = [name for name in (*STATEMENTS, *FILES, *PROGRAMS) if not args.names or name in args.names]
    names = names[args.first::args.every]
    failed = [name for name in names if not check(args.fletch, name, empty)]
    print(f"{len(names)} statements, {len(failed)} cost more than they may for twice the size: {failed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
