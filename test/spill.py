#!/usr/bin/env python3
"""What spills: that it does, in how much memory, and what is left of it.

Each case runs in a process of its own with a limit of memory: the answer is the one that it has without a limit, EXPLAIN ANALYZE
says that rows were spilled and partitions split, the process takes no more than the limit and a tenth, and the temporary directory is
empty afterwards. A temp_limit that is too small is an error, after which the session goes on.

    spill.py [--fletch PROGRAM]
"""

import argparse
import json
import os
import sys
import tempfile

import pipe

BASE_MB = 12  # what a process takes that does nothing

TEXTS = "SELECT 'key ' || (i * 7919 % 600011)::text || ' of some length' AS s, count(*) AS n, sum(i) AS v FROM range(900000) AS r(i) GROUP BY 1"

# Two sides of half a million rows, about 100 bytes each.
LEFT = "(SELECT i * 7919 % 500009 AS k, i, 'left ' || repeat('x', 60) || i AS s FROM range(500000) AS r(i)) AS l"
RIGHT = "(SELECT i * 3571 % 500009 AS k, i, 'right ' || repeat('y', 60) || i AS s FROM range(500000) AS r(i)) AS r"
HOT = ("(SELECT CASE WHEN i % 100 < 99 THEN 7 ELSE i END AS k, i, 'hot ' || repeat('z', 60) || i AS s "
       "FROM range(400000) AS r(i)) AS r")
OUT = "count(*), count(l.i), count(r.i), sum(l.i), sum(r.i), max(l.s), min(r.s)"

# name, operator, statement, whether partitions must be split again
GROUPS = [
    ("groups of texts", "aggregate", f"SELECT count(*), sum(n), sum(v), min(s), max(s) FROM ({TEXTS}) AS q", False),
    ("DISTINCT", "aggregate", "SELECT count(*), sum(a) FROM (SELECT DISTINCT i * 7919 % 2000003 AS a FROM range(2000000) AS r(i)) AS q", False),
    ("states of texts", "aggregate",
     "SELECT count(*), sum(length(x)), max(y) FROM (SELECT i % 300007 AS k, min('a text of some length ' || i::text) AS x, "
     "max('a text ' || i::text) AS y FROM range(900000) AS r(i) GROUP BY 1) AS q", False),
    ("values in an order", "aggregate",
     "SELECT count(*), sum(length(x)), max(x) FROM (SELECT i % 100003 AS k, string_agg(i::text, ',' ORDER BY i) AS x FROM range(900000) AS r(i) "
     "GROUP BY 1) AS q", True),
    ("distinct values of few groups", "aggregate",
     "SELECT k, count(DISTINCT x), count(DISTINCT x + k) FROM (SELECT i % 3 AS k, i * 7919 % 1600057 AS x FROM range(1500000) AS r(i)) AS q GROUP BY k ORDER BY k", True),
    ("distinct values without groups", "aggregate",
     "SELECT count(DISTINCT x), sum(DISTINCT x) FROM (SELECT i * 7919 % 1600057 AS x FROM range(2000000) AS r(i)) AS q", False),
    ("EXCEPT", "set_op",
     "SELECT count(*), sum(a) FROM (SELECT i * 3 AS a FROM range(1500000) AS r(i) EXCEPT SELECT i * 6 FROM range(1500000) AS r(i)) AS q", False),
    ("INTERSECT ALL", "set_op",
     "SELECT count(*), sum(a) FROM (SELECT i % 1000000 AS a FROM range(1500000) AS r(i) INTERSECT ALL SELECT i % 700000 FROM range(1500000) AS r(i)) AS q",
     False),
]


JOINS = [
    ("inner join", "join", f"SELECT {OUT} FROM {LEFT} JOIN {RIGHT} ON l.k = r.k", False),
    ("left join", "join", f"SELECT {OUT} FROM {LEFT} LEFT JOIN {RIGHT} ON l.k = r.k AND (l.i + r.i) % 3 > 0", False),
    ("full join", "join", f"SELECT {OUT} FROM {LEFT} FULL JOIN {RIGHT} ON l.k = r.k AND r.i % 3 > 0", False),
    ("join with a hot key", "join", f"SELECT {OUT} FROM {LEFT} LEFT JOIN {HOT} ON l.k = r.k", True),
    ("anti join", "join", f"SELECT count(*), sum(i), max(s) FROM {LEFT} WHERE NOT EXISTS (SELECT 1 FROM {RIGHT} "
                          "WHERE l.k = r.k AND l.s <> r.s AND r.i % 3 > 0)", False),
]

MANY = "SELECT i, 'text of row ' || i::text AS s FROM range(2000000) AS r(i)"
FEW = "random() < 0"  # above a sort, which it keeps

SORTS = [
    ("sort", "sort", f"SELECT * FROM ({MANY} ORDER BY (i * 7919) % 1000003, i) AS q WHERE {FEW}", False),
    ("many of the first", "topk",
     f"SELECT count(*), sum(i), max(s) FROM ({MANY} ORDER BY (i * 7919) % 1000003, i LIMIT 900000 OFFSET 1000) AS q", False),
    ("shared rows", "materialize",
     f"WITH c AS MATERIALIZED ({MANY}) SELECT count(*), max(s) FROM c WHERE i % 3 = 0 UNION ALL SELECT sum(i), min(s) FROM c", False),
]

# By the limit in MB.
CASES = {50: GROUPS, 24: JOINS, 60: SORTS}


def nodes_of(node):
    yield node
    for child in node.get("inputs", []):
        yield from nodes_of(child)


def peak_mb(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1000
    return 0


def check(program, case, limit_mb, threads, folder):
    name, op, sql, must_split = case
    with pipe.Pipe(program) as free:
        wanted = free.rows(sql)
    failures = []
    with pipe.Pipe(program, args=("--memory", f"{limit_mb}MB", "--threads", str(threads))) as limited:
        limited.run(f"SET temp_directory = '{folder}'")
        rows = limited.rows(sql)
        peak = peak_mb(limited.process)
        if rows != wanted:
            failures.append(f"{rows} instead of {wanted}")
        if peak > limit_mb * 1.1 + BASE_MB:
            failures.append(f"{peak:.0f} MB were taken")
        plan = json.loads(limited.rows("EXPLAIN (ANALYZE, FORMAT JSON) " + sql)[0][0])["plan"]
        spilled = [node["actual"] for node in nodes_of(plan) if node["op"] == op and node["actual"]["spilled_bytes"] > 0]
        if not spilled:
            failures.append("nothing was spilled")
        elif must_split and not any(actual["spill_splits"] > 0 for actual in spilled):
            failures.append("nothing was split")
        limited.run("SET temp_limit = '1MB'")
        answer = limited.ask(sql)
        if answer.get("error", {}).get("sqlstate") != "53400":
            failures.append(f"with a temp_limit of 1 MB: {str(answer)[:200]}")
        limited.run("RESET temp_limit")
        if limited.rows("SELECT count(*) FROM range(1000)") != [[1000]]:
            failures.append("the session does not go on")
        if os.listdir(folder):
            failures.append(f"left in {folder}: {os.listdir(folder)}")
    for failure in failures:
        print(f"{name}, {threads} threads: {failure}")
    return len(failures)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    args = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for limit_mb, cases in CASES.items():
            for case in cases:
                for threads in (1, 2):
                    failed += check(args.fletch, case, limit_mb, threads, folder)
    print(f"{sum(map(len, CASES.values()))} statements that spill, {failed} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
