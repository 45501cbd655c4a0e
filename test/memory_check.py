#!/usr/bin/env python3
"""A sample of statements in the program as it is shipped, under valgrind: the sanitizers see other builds only.

    memory_check.py [--fletch PROGRAM]

Parquet, CSV and JSON, joins, aggregates, sorts, texts, changes and errors; twice, with the best kernels that valgrind
emulates (AVX2: it hides AVX-512 from the program) and with the baseline's. An invalid access, a value that was never
set, a leak, and an answer where an error is due or the other way round fail.
Relies on: valgrind (tools/install-deps.sh test), .deps/data. Exit status 77 (skipped) without valgrind.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
VALGRIND = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
            "--errors-for-leak-kinds=definite,indirect,possible", "--show-leak-kinds=definite,indirect,possible"]

# Statements of one session, in their order.
ANSWERED = [
    "SELECT l_returnflag, l_linestatus, sum(l_quantity), avg(l_extendedprice * (1 - l_discount)), count(*) FROM "
    "'.deps/data/tpch-sf0.01/lineitem.parquet' WHERE l_shipdate <= DATE '1998-09-02' GROUP BY ALL ORDER BY ALL",
    "SELECT o_orderpriority, count(*), count(DISTINCT o_custkey) FROM '.deps/data/tpch-sf0.01/orders.parquet' o "
    "WHERE EXISTS (SELECT 1 FROM '.deps/data/tpch-sf0.01/lineitem.parquet' l WHERE l.l_orderkey = o.o_orderkey "
    "AND l_commitdate < l_receiptdate) GROUP BY 1 ORDER BY 1",
    "SELECT n_name, c_name, sum(o_totalprice) FROM '.deps/data/tpch-sf0.01/customer.parquet' JOIN "
    "'.deps/data/tpch-sf0.01/orders.parquet' ON c_custkey = o_custkey LEFT JOIN "
    "'.deps/data/tpch-sf0.01/nation.parquet' ON n_nationkey = c_nationkey GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 5",
    "SELECT * FROM 'test/data/parquet/nested.parquet'",
    "SELECT * FROM 'test/data/parquet/types.parquet'",
    "SELECT count(*), sum(n) FROM (SELECT length(word) AS n FROM 'test/data/parquet/delta.parquet') t",
    "SELECT carrier, count(*), avg(arr_time) FROM read_csv('.deps/data/flights/planes.csv') p, (SELECT 'x' AS "
    "carrier, 1 AS arr_time) q GROUP BY ALL",
    "SELECT name, lat, upper(tzone) FROM '.deps/data/flights/airports.csv' WHERE name LIKE '%Intl%' ORDER BY lat "
    "DESC LIMIT 5",
    "SELECT * FROM read_csv('test/data/csv/people.csv', all_varchar = true)",
    "SELECT Origin, count(*), min(Year), max(Name) FROM '.deps/data/cars/cars.ndjson' GROUP BY 1 ORDER BY 1",
    "SELECT count(*), avg(Horsepower) FROM '.deps/data/cars/cars.json' WHERE Cylinders IN (4, 6)",
    "CREATE TABLE t AS SELECT i AS a, i % 13 AS g, 'text ' || i::text AS s, CASE WHEN i % 5 = 0 THEN NULL ELSE i "
    "* 1.5 END AS x FROM range(20000) AS r(i)",
    "UPDATE t SET x = x + 1 WHERE g = 3",
    "DELETE FROM t WHERE a % 100 = 7",
    "SELECT g, count(x), sum(x), min(s), string_agg(s, ',' ORDER BY a) FILTER (WHERE a < 50), count(DISTINCT s) "
    "FROM t GROUP BY g ORDER BY g LIMIT 4",
    "SELECT count(*) FROM t a FULL JOIN t b ON a.a = b.a + 10000",
    "SELECT s, x FROM t ORDER BY x DESC NULLS LAST, s LIMIT 7",
    "SELECT count(*) FROM (SELECT a, s FROM t ORDER BY s, a) o",
    "SELECT g FROM t WHERE a IN (SELECT a + 1 FROM t WHERE g = 2) UNION SELECT a FROM t WHERE a < 3 EXCEPT "
    "SELECT 4",
    "SELECT regexp_replace(s, '[0-9]+', '#'), substring(s, 3, 4), replace(s, 't', 'TT'), md5(s), s LIKE '%9_' "
    "FROM t ORDER BY a LIMIT 3",
    "SELECT a.range * 300 + b.range FROM range(300) a, range(300) b",
    "SELECT x.s FROM t x JOIN t y ON x.g = y.g WHERE x.a < 300 LIMIT 40000",
    "SELECT [a, g], {'k': 1} FROM t ORDER BY a LIMIT 2",
    "EXPLAIN ANALYZE SELECT count(*) FROM t WHERE a > 100",
    "DESCRIBE t",
]

# With the SQLSTATE of each.
REFUSED = {
    "SELECT 1 / 0": "22012",
    "SELECT nothing FROM t": "42703",
    "SELECT FROM WHERE": "42601",
    "SELECT * FROM 'test/data/parquet/bad_checksum.parquet'": "XX001",
    "SELECT * FROM 'test/data/parquet/bad_truncated.parquet'": "XX001",
    "SELECT * FROM read_csv('test/data/csv/people.csv', columns = {'a': 'integer'})": "22000",
    "SELECT * FROM '.deps/data/none.parquet'": "58P01",
    "SELECT (9223372036854775807)::bigint + a FROM t": "22003",
}


def check(what, command, text, environment):
    """Standard output of the command under valgrind, which must have nothing to say; problems are printed."""
    done = subprocess.run(VALGRIND + command, input=text, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=280)
    if done.returncode != 0 or "==" in done.stderr:
        print(f"{what}: exit status {done.returncode}\n{done.stderr[:6000]}")
        return None
    return done.stdout


def check_session(program, environment, what):
    statements = ANSWERED + list(REFUSED)
    output = check(what, [program, "--pipe", "--threads", "2"], "".join(json.dumps({"sql": sql}) + "\n" for sql in statements),
                   environment)
    if output is None:
        return 1
    problems = 0
    for sql, line in zip(statements, output.splitlines(), strict=True):
        state = json.loads(line).get("error", {}).get("sqlstate")
        if state != REFUSED.get(sql):
            print(f"{what}: {sql}: {line[:200]}, not {REFUSED.get(sql, 'rows')}")
            problems += 1
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fletch", default=str(ROOT / "build" / "release" / "fletch"))
    args = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("valgrind is not installed")
        return 77
    problems = 0
    for simd in ("avx512", "baseline"):   # never more than the processor seems to have
        problems += check_session(args.fletch, {**os.environ, "FLETCH_SIMD": simd}, simd)
    for form in ("table", "csv", "json", "markdown"):
        command = [args.fletch, "--format", form, "-c", "SELECT * FROM 'test/data/parquet/types.parquet'"]
        problems += check(form, command, "", os.environ) is None
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
