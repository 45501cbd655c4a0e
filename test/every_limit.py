#!/usr/bin/env python3
"""Statements that answer in a small memory limit answer in each larger one: what a store grows by must not outgrow what spilling leaves.

    every_limit.py [--fletch PROGRAM] [NAME ...]

Each statement runs on one worker with batches of 64 rows, in limits from its least one up in steps of a fiftieth, and without one.
Relies on: nothing but the program.
"""

import argparse
import json
import sys

import pipe

ROWS = "(SELECT i, repeat('x', 200) || i AS s FROM range({n}) AS r(i)) AS q"
FEW, MANY = ROWS.format(n=500), ROWS.format(n=900)
# Rows of a table in order.
PLACED = "CREATE TABLE placed AS SELECT i // 3 AS a, i * 7 % 911 AS k, i AS c FROM range(900) AS r(i) ORDER BY a, c"
LIMIT_MAX_KB = 4000  # beyond it nothing is short of memory
STATEMENTS = {  # the least limit in kB, and what is asked
    "distinct on": (500, f"SELECT DISTINCT ON (i % 60) i % 60, i, s FROM {FEW} ORDER BY i % 60, s"),
    "ordered aggregates": (400, "SELECT i % 450, array_agg(s ORDER BY i DESC), string_agg(s, ',' ORDER BY s) "
                                f"FROM {MANY} GROUP BY i % 450"),
    "group by": (400, f"SELECT i % 450, count(*), min(s), max(s) FROM {MANY} GROUP BY i % 450"),
    "distinct": (400, f"SELECT DISTINCT s FROM {MANY}"),
    "distinct aggregate": (400, f"SELECT i % 7, count(DISTINCT s), min(s) FROM {MANY} GROUP BY i % 7"),
    "intersect": (400, f"SELECT s FROM {MANY} INTERSECT SELECT s FROM {MANY} WHERE i % 3 > 0"),
    "merge join": (600, f"SELECT count(*), max(l.s), min(r.s) FROM (SELECT i % 600 AS k, s FROM {MANY} ORDER BY k) AS l "
                        f"JOIN (SELECT i % 700 AS k, s FROM {MANY} ORDER BY k) AS r ON l.k = r.k"),
    "one of many": (500, f"SELECT first(s), last(s), first(i ORDER BY s DESC), last(s ORDER BY i % 7, s) FROM "
                         f"(SELECT * FROM {MANY} UNION ALL SELECT * FROM {MANY}) AS p"),
    "hash join in order": (500, f"SELECT a, c, s FROM placed JOIN {MANY} ON k = i ORDER BY a"),
    "hash join in order, tested": (500, f"SELECT a, c, k IN (SELECT i FROM {MANY} WHERE s > '') FROM placed ORDER BY a"),
    "windows": (600, f"SELECT i, rank() OVER w, lag(s) OVER w, min(s) OVER w FROM {MANY} WINDOW w AS (PARTITION BY i % 90 ORDER BY s)"),
    "windows, streamed": (600, f"SELECT s, row_number() OVER w, sum(i) OVER w FROM {MANY} WINDOW w AS (ORDER BY s)"),
    "except": (400, f"SELECT s FROM {MANY} EXCEPT SELECT s FROM {MANY} WHERE i % 3 > 0"),
}


def check(program, name):
    least_kb, sql = STATEMENTS[name]
    problems, limit_kb = 0, least_kb
    with pipe.Pipe(program, ["--threads", "1"]) as process:
        process.run(PLACED)
        process.run("SET vector_size = 64")
        expected = sorted(map(json.dumps, process.rows(sql)))
        while limit_kb <= LIMIT_MAX_KB:
            process.run(f"SET memory_limit = '{limit_kb}kB'")
            answer = process.ask(sql)
            if "error" in answer:
                print(f"{name}, {limit_kb} kB: {answer['error']['sqlstate']} {answer['error']['message']}")
                problems += 1
            elif sorted(map(json.dumps, answer["rows"])) != expected:
                print(f"{name}, {limit_kb} kB: other rows than without a limit")
                problems += 1
            limit_kb += limit_kb // 50
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(STATEMENTS)}; all when none is named")
    arguments = parser.parse_args()
    problems = sum(check(arguments.fletch, name) for name in arguments.names or STATEMENTS)
    print(f"{problems} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
