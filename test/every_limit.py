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
LIMIT_MAX_KB = 4000  # beyond it nothing is short of memory
STATEMENTS = {  # the least limit in kB, and what is asked
    "distinct on": (500, f"SELECT DISTINCT ON (i % 60) i % 60, i, s FROM {FEW} ORDER BY i % 60, s"),
    "ordered aggregates": (400, "SELECT i % 450, array_agg(s ORDER BY i DESC), string_agg(s, ',' ORDER BY s) "
                                f"FROM {MANY} GROUP BY i % 450"),
    "group by": (400, f"SELECT i % 450, count(*), min(s), max(s) FROM {MANY} GROUP BY i % 450"),
    "distinct": (400, f"SELECT DISTINCT s FROM {MANY}"),
    "distinct aggregate": (400, f"SELECT i % 7, count(DISTINCT s), min(s) FROM {MANY} GROUP BY i % 7"),
    "intersect": (400, f"SELECT s FROM {MANY} INTERSECT SELECT s FROM {MANY} WHERE i % 3 > 0"),
    "except": (400, f"SELECT s FROM {MANY} EXCEPT SELECT s FROM {MANY} WHERE i % 3 > 0"),
}


def check(program, name):
    least_kb, sql = STATEMENTS[name]
    problems, limit_kb = 0, least_kb
    with pipe.Pipe(program, ["--threads", "1"]) as process:
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
