#!/usr/bin/env python3
"""Sorts and shared rows that do not fit in memory: all rows as without a limit, and in their order.

    spilled_order.py [--fletch PROGRAM] [PART ...]

Each part runs its statements in processes of their own, with a small --memory and a temporary folder, beside one without a limit.
Relies on: nothing but the program.
"""

import argparse
import json
import os
import sys
import tempfile

import pipe

ROOMY_MB = 40  # beside the limit: the program, its threads' stacks, what the allocator keeps


class Bench:
    """A process with a limit and one without; problems are printed and counted."""

    def __init__(self, program, threads, memory_mb, vector_size=2048):
        self.what = f"{threads} threads, {memory_mb} MB, vectors of {vector_size}"
        self.memory_mb = memory_mb
        self.folder = tempfile.TemporaryDirectory()
        self.small = pipe.Pipe(program, ["--threads", str(threads), "--memory", f"{memory_mb}MB"], timeout_s=300)
        self.full = pipe.Pipe(program, ["--threads", str(threads)], timeout_s=300)
        self.problems = 0
        for process in (self.small, self.full):
            process.run(f"SET vector_size = {vector_size}")
        self.small.run(f"SET temp_directory = '{self.folder.name}'")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.small.close()
        self.full.close()
        if os.listdir(self.folder.name):
            self.tell("files are left", os.listdir(self.folder.name))
        self.folder.cleanup()

    def tell(self, problem, detail):
        print(f"{self.what}: …{problem[-100:]}: {str(detail)[:300]}")
        self.problems += 1

    def compare(self, sql, in_order=True):
        """The rows of both processes; in_order: also their order."""
        one, other = self.small.ask(sql), self.full.ask(sql)
        if "error" in one or "error" in other:
            self.tell(sql, one.get("error", other.get("error")))
            return
        a, b = one["rows"], other["rows"]
        if not in_order:
            a, b = sorted(map(json.dumps, a)), sorted(map(json.dumps, b))
        if a != b:
            self.tell(sql, f"{len(a)} rows, {len(b)} without a limit, that differ")

    def spilled(self, sql):
        """What EXPLAIN ANALYZE counted, in bytes and splits by operator."""
        counts = {}
        answer = self.small.ask("EXPLAIN (ANALYZE, FORMAT JSON) " + sql)
        if "error" in answer:
            self.tell(sql, answer["error"])
            return counts
        nodes = [json.loads(answer["rows"][0][0])["plan"]]
        while nodes:
            node = nodes.pop()
            nodes += node["inputs"]
            actual = node.get("actual", {})
            known = counts.get(node["op"], (0, 0))
            counts[node["op"]] = (known[0] + actual.get("spilled_bytes", 0), known[1] + actual.get("spill_splits", 0))
        return counts

    def must_spill(self, sql, operator, splits=False):
        counts = self.spilled(sql).get(operator, (0, 0))
        if counts[0] == 0 or (splits and counts[1] == 0):
            self.tell(sql, f"{operator} spilled {counts[0]} bytes, {counts[1]} splits")

    def must_fail(self, sql, state):
        error = self.small.ask(sql).get("error", {})
        if error.get("sqlstate") != state:
            self.tell(sql, f"{error or 'no error'} where {state} is due")

    def must_be_small(self):
        peak = self.small.peak_mb()
        if peak > self.memory_mb * 1.1 + ROOMY_MB:
            self.tell("peak of the process", f"{peak:.0f} MB")


# ---- sort, topk, materialize ----------------------------------------------------------------------------------------

# Nulls, few and many values, texts that begin the same, all kinds of columns.
MIXED = """(SELECT i, CASE WHEN i % 7 = 0 THEN NULL ELSE (i * 7919) % 10007 END AS k, i % 5 AS few,
    'a long common prefix of texts ' || ((i * 31) % 977)::text AS t,
    CASE WHEN i % 3 = 0 THEN NULL ELSE [i, NULL, i + 1] END AS l, {{'x': i::text || ' is a text', 'y': i * 0.5}} AS st,
    (i * 1.25 - 1000)::double AS d, ((i * 37) % 1001)::decimal(30, 2) AS dec,
    date '2020-01-01' + (i % 500)::integer AS dt, i % 2 = 0 AS b FROM range({rows}) AS r(i)) AS q"""
FEW = "random() < 0.0001"  # of the rows above a sort, since EXPLAIN ANALYZE keeps its rows in memory
ORDERS = ["k, i", "few", "k DESC NULLS LAST", "t DESC, k NULLS FIRST", "l", "st, few", "dec, dt DESC, b", "b, d DESC"]


def check_sort(program):
    problems = 0
    for threads in (1, 2):
        for vector_size, rows, memory_mb in ((2048, 60000, 20), (1000, 60000, 16), (2, 30000, 8), (1, 20000, 6)):
            table = MIXED.format(rows=rows)
            with Bench(program, threads, memory_mb, vector_size) as bench:
                for order in ORDERS if vector_size > 2 else ORDERS[:4]:
                    bench.compare(f"SELECT i, k, few, t, l, st, b FROM {table} ORDER BY {order}")
                order = ORDERS[1]
                bench.compare(f"SELECT i, t FROM {table} WHERE i % 3 = 1 ORDER BY {order}, i DESC LIMIT {rows // 4} "
                              f"OFFSET {rows // 20}")
                # all keys are the same: the order is the input's
                bench.compare(f"SELECT i, t FROM (SELECT i, t FROM {table} UNION ALL SELECT -i, t FROM {table}) AS u "
                              "ORDER BY i > -1000000000")
                bench.must_spill(f"SELECT * FROM (SELECT * FROM {table} ORDER BY t) AS q WHERE {FEW}", "sort")
                problems += bench.problems
        with Bench(program, threads, 60) as bench:
            many = "SELECT i, 'text of row ' || i::text AS s FROM range(1500000) AS r(i) ORDER BY (i * 7919) % 1000003, i"
            bench.must_spill(f"SELECT * FROM ({many}) AS q WHERE {FEW}", "sort")
            bench.must_be_small()
            bench.must_spill(f"SELECT * FROM ({many} LIMIT 900000 OFFSET 1000) AS q WHERE {FEW}", "topk")
            bench.must_be_small()
            bench.small.run("SET temp_limit = '1MB'")
            bench.must_fail(many, "53400")
            bench.small.run("RESET temp_limit")
            bench.compare("SELECT count(*) FROM range(10) AS r(i)")
            problems += bench.problems
        with Bench(program, threads, 12) as bench:  # more runs than are merged at once
            bench.must_spill("SELECT * FROM (SELECT i, 'text of row ' || i::text AS s FROM range(700000) AS r(i) "
                             f"ORDER BY (i * 7919) % 1000003, i) AS q WHERE {FEW}", "sort", splits=True)
            problems += bench.problems
    return problems


def check_materialize(program):
    problems = 0
    for threads in (1, 2):
        for vector_size, rows, memory_mb in ((2048, 60000, 14), (2, 30000, 6), (1, 20000, 6)):
            table = MIXED.format(rows=rows)
            with Bench(program, threads, memory_mb, vector_size) as bench:
                shared = f"WITH c AS MATERIALIZED (SELECT i, k, few, t, l, st, b FROM {table})"
                both = f"{shared} SELECT * FROM c WHERE few = 1 UNION ALL SELECT * FROM c WHERE few < 3"
                bench.compare(both)
                bench.compare(f"{shared} SELECT a.i, a.st, b.t FROM c AS a JOIN c AS b ON a.i = b.i + 5 WHERE a.i < 100 AND "
                              "b.few = 2 ORDER BY a.i")
                bench.must_spill(f"{shared} SELECT count(l), max(t) FROM c WHERE few = 1 UNION ALL SELECT count(*), min(t) FROM c",
                                 "materialize")
                problems += bench.problems
        with Bench(program, threads, 60) as bench:
            bench.must_spill("WITH c AS MATERIALIZED (SELECT i, 'text of row ' || i::text AS s FROM range(2000000) AS r(i)) "
                             "SELECT count(*), min(s) FROM c UNION ALL SELECT sum(i), max(s) FROM c", "materialize")
            bench.must_be_small()
            problems += bench.problems
    return problems


# ---- what comes in an order: groups that are runs or lie in them, merge joins -----------------------------------------

# Runs of three rows, and of 1,000; in order of both or of the long ones alone.
RUNS = """CREATE OR REPLACE TABLE runs AS SELECT i // 3 AS a, i // 1000 AS h, CASE WHEN i % 5 > 0 THEN (i * 7919) % 7 END AS b, i AS c
    FROM range({rows}) AS r(i) ORDER BY {order}"""
WIDE = "'a long common prefix of texts ' || (c % 1013)::text || repeat('.', 80)"
GROUPS = {  # what is made of them, by the operator's implementation
    "sorted": "SELECT a, count(*) AS n, min(t) AS x, max(t) AS y FROM w GROUP BY a",
    "partly_sorted": "SELECT a, b, count(*) AS n, min(t) AS x, max(t) AS y FROM w GROUP BY a, b",
    "partly_sorted by few": "SELECT h, t, b, sum(c) AS n, max(t) AS y, count(b) AS z FROM w GROUP BY h, t, b",
}
LEFT = "(SELECT a, b, c FROM runs WHERE c % 4 <> 1)"
RIGHT = f"(SELECT a, b, c, {WIDE} AS t FROM runs WHERE c % 9 <> 2)"
MERGES = [  # some of the rows, since what a batch is joined to waits in memory until it is read
    f"SELECT l.a, l.c, r.c, r.t FROM {LEFT} AS l JOIN {RIGHT} AS r ON l.a = r.a",
    f"SELECT l.a, l.c, r.c, r.t FROM {LEFT} AS l LEFT JOIN {RIGHT} AS r ON l.a = r.a",
    f"SELECT l.a, l.c FROM {LEFT} AS l WHERE EXISTS (SELECT 1 FROM {RIGHT} AS r WHERE l.a = r.a AND r.b > l.b AND length(r.t) > l.b)",
    f"SELECT l.a, l.c FROM {LEFT} AS l WHERE NOT EXISTS (SELECT 1 FROM {RIGHT} AS r WHERE l.a = r.a AND r.b > l.b)",
]
# Pages of one key, gone over for each row of it.
HOT = """SELECT l.a, count(*), sum(r.c), min(r.t) FROM (SELECT i AS a FROM range(4) AS r(i) UNION ALL SELECT i + 3 FROM range(9)
    AS r(i) ORDER BY 1 LIMIT 100) AS l JOIN (SELECT i // 15000 AS a, i AS c, 'a text of the side that is kept ' || i::text AS t
    FROM range({rows}) AS r(i) ORDER BY a, c LIMIT 10000000) AS r ON l.a = r.a GROUP BY l.a"""


def check_runs(program):
    problems = 0
    for threads in (1, 2):
        for vector_size, rows, memory_mb in ((2048, 60000, 14), (1000, 60000, 14), (2, 20000, 14), (1, 20000, 14)):
            with Bench(program, threads, memory_mb, vector_size) as bench:
                for order in ("h", "a, c"):
                    for process in (bench.small, bench.full):
                        process.run(RUNS.format(rows=rows, order=order))
                    for how, groups in GROUPS.items():
                        sql = f"WITH w AS (SELECT a, h, b, c, {WIDE} AS t FROM runs) {groups}"
                        if how.split()[0] not in str(bench.small.run(f"EXPLAIN {sql}")["rows"]):
                            continue
                        bench.compare(sql)
                        if vector_size > 2:
                            bench.must_spill(f"SELECT * FROM ({sql}) AS q WHERE {FEW}", "aggregate")
                for merge in MERGES:
                    for offset in (0, rows // 3, rows):
                        sql = f"{merge} LIMIT 1000 OFFSET {offset}"
                        if "merge" not in str(bench.small.run(f"EXPLAIN {sql}")["rows"]):
                            bench.tell(sql, "is not merged")
                        bench.compare(sql)
                if vector_size > 2:
                    bench.must_spill(f"{MERGES[1]} LIMIT 10 OFFSET {rows}", "join")
                bench.compare(HOT.format(rows=rows), in_order=False)
                problems += bench.problems
    return problems


# ---- hash joins whose left side comes in an order that somebody relies on ---------------------------------------------

# Rows of the same a differ in c, which is in order, too. Some keys are null, some meet nothing.
PLACED = """CREATE OR REPLACE TABLE placed AS SELECT i // 3 AS a, CASE WHEN i % 11 > 0 THEN (i * 7919) % {rows} END AS k, i AS c,
    'left text of some length ' || i::text AS u FROM range({rows}) AS r(i) ORDER BY a, c"""
OTHERS = "(SELECT (i * 31) % ({rows} + 13) AS k, i AS v, 'a text of the other side ' || i::text || repeat('.', 80) AS t FROM range({rows}) AS r(i))"
SAME = OTHERS.replace("(i * 31) % ({rows} + 13)", "CASE WHEN i % 50 = 0 THEN i ELSE 7 END")  # one key has most of the rows
TESTED = "(SELECT CASE WHEN i % 4001 > {null} THEN 'left text of some length ' || i * 3 || repeat('.', 80) END AS t FROM range({{rows}}) AS r(i))"
NAME = "CASE WHEN k IS NOT NULL THEN u || repeat('.', 80) END"
PLACED_JOINS = {  # by kind: which partner of a row comes first is not said, so there is one, or they are counted
    "inner": f"SELECT a, c, u, v, t FROM placed AS l JOIN {OTHERS} AS r ON l.k = r.k ORDER BY a",
    "inner and more": f"SELECT a, c, v, t FROM placed AS l JOIN {OTHERS} AS r ON l.k = r.k AND l.c % 3 <> r.v % 3 ORDER BY a",
    "inner of expressions": f"SELECT a, c, v, t FROM placed AS l JOIN {OTHERS} AS r ON l.k + 1 = r.k + 2 ORDER BY a",
    "semi": f"SELECT a, c, u FROM placed AS l WHERE EXISTS (SELECT 1 FROM {OTHERS} AS r WHERE l.k = r.k AND l.u < r.t || r.v % 7) "
            "ORDER BY a",
    "anti": f"SELECT a, c, u FROM placed AS l WHERE NOT EXISTS (SELECT 1 FROM {OTHERS} AS r WHERE l.k = r.k AND r.t <> l.u) ORDER BY a",
    "mark": f"SELECT a, c, u, {NAME} IN (SELECT t FROM {TESTED.format(null=-1)} AS r) FROM placed ORDER BY a",
    "mark with nulls": f"SELECT a, c, u, {NAME} IN (SELECT t FROM {TESTED.format(null=0)} AS r) FROM placed ORDER BY a",
    "mark of none": f"SELECT a, c, u FROM placed WHERE {NAME} NOT IN (SELECT t FROM {TESTED.format(null=-1)} AS r) ORDER BY a",
    "mark of pairs": f"SELECT a, c, (k, u) IN (SELECT k, t FROM {OTHERS} AS r) FROM placed WHERE c % 1000 = 7 OR c < 9 ORDER BY a",
    "hot key": f"SELECT a, c, count(*), sum(v), max(t) FROM placed AS l JOIN {SAME} AS r ON l.k = r.k AND l.c % 64 <= 32 GROUP BY a, c",
    "merged": f"SELECT l.a, l.c, r.v, length(r.t), m.k FROM placed AS l JOIN {OTHERS} AS r ON l.k = r.k JOIN placed AS m ON l.a = m.a AND l.c = m.c "
              "ORDER BY l.a, l.c",
    "one on the other": f"SELECT a, c, r.v, s.v, s.t FROM placed AS l JOIN {OTHERS} AS r ON l.k = r.k JOIN {OTHERS} AS s ON l.c = s.k "
                        "ORDER BY a",
    "limit": f"SELECT a, c, u, v, t FROM placed AS l JOIN {OTHERS} AS r ON l.k = r.k ORDER BY a LIMIT 100 OFFSET 70",
}


def check_placed(program):
    problems = 0
    for threads in (1, 2):
        for vector_size, rows, memory_mb in ((2048, 60000, 20), (1000, 60000, 20), (2, 6500, 3), (1, 6500, 3)):
            with Bench(program, threads, memory_mb, vector_size) as bench:
                for process in (bench.small, bench.full):
                    process.run(PLACED.format(rows=rows))
                for kind, text in PLACED_JOINS.items():
                    sql = text.format(rows=rows)
                    plan = str(bench.small.run(f"EXPLAIN {sql}")["rows"])
                    if "ordered(" not in plan or not ("hash] kind" in plan or "nested_loop] kind" in plan):
                        bench.tell(kind, f"another plan {plan}")
                    bench.compare(sql)
                    bench.must_spill(f"SELECT * FROM ({sql}) AS q WHERE {FEW}", "join")
                problems += bench.problems
    return problems


# ---- of many rows one: without groups the others are forgotten ---------------------------------------------------------

ONE_OF_MANY = [
    "SELECT first(i), last(i), first(st), last(t), last(l) FROM (SELECT i, t, l, st FROM {table} UNION ALL SELECT -i, t, l, st FROM {table}) AS u",
    "SELECT first(i ORDER BY t DESC, d), last(l ORDER BY k NULLS FIRST, i), first(k ORDER BY few, k NULLS FIRST), last(st ORDER BY dec, i) FROM {table}",
    "SELECT first(DISTINCT k ORDER BY k DESC), last(DISTINCT t ORDER BY t), last(i) FILTER (WHERE few = 2), first(t) FILTER (WHERE i < 0) FROM {table}",
    "SELECT last(repeat(t, 900)), first(repeat(t, 900) ORDER BY i % 101, i), count(*) FROM {table} WHERE i % 40 = 0",
]


def check_one(program):
    problems = 0
    for threads in (1, 2):
        for vector_size, rows, memory_mb in ((2048, 60000, 9), (1000, 60000, 6), (2, 10000, 2), (1, 10000, 2)):
            with Bench(program, threads, memory_mb, vector_size) as bench:
                for sql in ONE_OF_MANY:
                    bench.compare(sql.format(table=MIXED.format(rows=rows)))
                problems += bench.problems
    return problems


PARTS = {"sort": check_sort, "materialize": check_materialize, "runs": check_runs, "placed": check_placed, "one": check_one}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all when none is named")
    arguments = parser.parse_args()
    problems = sum(PARTS[part](arguments.fletch) for part in arguments.parts or PARTS)
    print(f"{problems} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
