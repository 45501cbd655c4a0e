#!/usr/bin/env python3
"""Measures on this machine what src/opt/cost.c says of work: nanoseconds on one core.

    calibrate_cost.py [--fletch PROGRAM] [--repeat N]

Each kind of work is timed as the difference of two queries over tables in memory, one of which does more of it. Prints a line a
kind: its name, and the measured time, the best of N. What stands in the table are such times, rounded; they need not be those of any
one machine, since plans are compared by their ratios. Relies on: ../test/pipe.py.
"""

import argparse
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "test"))
import pipe  # noqa: E402

ROWS = 4_000_000
WORLD = [
    f"CREATE TABLE big AS SELECT range AS a, range * 7919 % {ROWS} AS b, range % 1000 AS c, "
    f"'text number ' || (range % 5000)::text AS s FROM range({ROWS})",
    "CREATE TABLE small AS SELECT range * 7 AS a, range AS v FROM range(1000)",
    f"CREATE TABLE far AS SELECT range * {ROWS // 1000} AS a FROM range(1000)",
    f"CREATE TABLE runs AS SELECT range AS a, range // {ROWS // 1000} * 1000003 AS c, range * 7 % 100 AS d FROM range({ROWS})",
    f"CREATE TABLE spread AS SELECT range * 1000003 % 2147483647 AS a, range AS v FROM range({ROWS // 2})",
]
SORTED = "(SELECT a FROM big ORDER BY a OFFSET 1) AS x"
MET = "NOT EXISTS (SELECT 1 FROM (SELECT a FROM far ORDER BY a OFFSET {}) AS y WHERE y.a = x.a)"
MERGES = 8  # the sort below takes much longer than one
AS_WRITTEN = {"BUILD"}  # these run without the optimizer, which builds the right side of a join
# kind: (query that does more, query that does less, times it is done more)
PAIRS = {
    "READ": ("SELECT sum(a), sum(b) FROM big", "SELECT sum(a) FROM big", ROWS),
    "TEST": ("SELECT count(*) FROM big WHERE b < 2000000 AND c < 990", "SELECT count(*) FROM big WHERE b < 2000000", ROWS // 2),
    "TEST_TEXT": ("SELECT count(*) FROM big WHERE s LIKE '%9 9%'", "SELECT count(s) FROM big", ROWS),
    "COMPUTE": ("SELECT sum(a + b * 3) FROM big", "SELECT sum(a), sum(b) FROM big", 2 * ROWS),
    "BUILD": ("SELECT count(*) FROM small JOIN spread USING (a)", "SELECT sum(a), sum(v) FROM spread", ROWS // 2),
    "PROBE": ("SELECT count(*) FROM big LEFT JOIN small ON big.b = small.a", "SELECT sum(b) FROM big", ROWS),
    "FILTER_ROW": ("SELECT count(*) FROM big JOIN small ON big.b = small.a", "SELECT sum(b) FROM big", ROWS),
    "PAIR": ("SELECT count(*) FROM small x JOIN small y ON x.a * x.v < y.a - y.v", "SELECT count(*) FROM small", 1_000_000),
    "MERGE": (f"SELECT count(*) FROM {SORTED} WHERE " + " AND ".join(map(MET.format, range(1, MERGES + 1))), f"SELECT count(*) FROM {SORTED}",
              ROWS * MERGES),
    "GROUP": ("SELECT sum(a) FROM big GROUP BY c * 1000003 + 1", "SELECT sum(a), sum(c * 1000003 + 1) FROM big", ROWS),
    "PLACE": ("SELECT sum(a) FROM big GROUP BY c", "SELECT sum(a), sum(c) FROM big", ROWS),
    "RUN": ("SELECT sum(a) FROM runs GROUP BY c", "SELECT sum(a), sum(c) FROM runs", ROWS),
    "RUN_GROUP": ("SELECT sum(s) FROM (SELECT sum(a) AS s FROM runs GROUP BY c, d) AS t", "SELECT sum(a), sum(d) FROM runs GROUP BY c", ROWS),
    "AGGREGATE": ("SELECT sum(a), sum(b), min(a) FROM big GROUP BY c", "SELECT sum(a), sum(b) FROM big GROUP BY c", ROWS),
    "SORT": ("SELECT count(*) FROM (SELECT a, b FROM big ORDER BY b OFFSET 1) AS t", "SELECT sum(a), sum(b) FROM big",
             ROWS * 22),
    "HEAP": ("SELECT a FROM big ORDER BY b LIMIT 10", "SELECT sum(b) FROM big", ROWS),
}


def best(session, query, repeat):
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        session.rows(query)
        times.append(time.perf_counter() - start)
    return min(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fletch", default=pipe.PROGRAM, type=pathlib.Path)
    parser.add_argument("--repeat", default=5, type=int)
    args = parser.parse_args()
    with pipe.Pipe(args.fletch, ["--threads", "1"], timeout_s=600) as session:
        for statement in WORLD:
            session.run(statement)
        session.run("SET disabled_rules = 'fold_aggregate'")  # what counts rows shall read them
        for kind, (more, less, times) in PAIRS.items():
            session.run(f"SET optimizer = '{'none' if kind in AS_WRITTEN else 'default'}'")
            spent = best(session, more, args.repeat) - best(session, less, args.repeat)
            print(f"{kind:12} {spent * 1e9 / times:8.2f} ns", flush=True)


if __name__ == "__main__":
    main()
