#!/usr/bin/env python3
"""R24, Parquet files that say that they are sorted: who relies on it gets rows in order, or is told that it is not so.

    parquet_order.py [--fletch PROGRAM] [--seed N] [--files 40]

PyArrow writes files of one to three keys, in row groups and several files, which say by which columns they are sorted. In some of
them rows are out of order: within a batch, at the seams of batches and of pieces, anywhere. Queries that want the order, whole
and filtered, with a limit and without, through a join, give what they give without it; where rows are out of order that, or
XX001 with the file's name. A file in order is never refused, and the order of one whose row groups follow each other is used.
Every file can be made again from the seed that is printed. Relies on: pyarrow.
"""

import argparse
import datetime
import pathlib
import random
import sys
import tempfile
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

import pipe

SHOWN_MAX = 20
PIECE_ROWS = 122880     # of a row group, before it is cut in pieces
TYPES = {
    "int": (pa.int64(), lambda v: v),
    "small": (pa.int16(), lambda v: v % 30000),
    "text": (pa.string(), lambda v: f"a text of some length, {v:07}"),
    "short": (pa.string(), lambda v: f"{v:07}"),
    "day": (pa.date32(), lambda v: datetime.date(1970, 1, 1) + datetime.timedelta(v % 30000)),
    "price": (pa.decimal128(20, 2), lambda v: Decimal(v) / 100),
    "stamp": (pa.timestamp("us"), lambda v: datetime.datetime(2000, 1, 1) + datetime.timedelta(seconds=v)),
}


class Made:
    """A file, or several: rows sorted by some keys, and whether they still are."""

    def __init__(self, rng, folder, number):
        self.rng = rng
        self.keys = [(rng.choice(list(TYPES)), rng.random() < 0.5, rng.random() < 0.5) for _ in range(rng.randint(1, 3))]
        n = rng.choice([2, 50, 3000, 20000, 20000, PIECE_ROWS * 2 + 5])
        spread = rng.choice([3, 40, n, 10 * n])
        nulls = rng.choice([0, 0, 0.1])
        rows = [[None if rng.random() < nulls else TYPES[t][1](rng.randrange(spread)) for t, _, _ in self.keys] for _ in range(n)]
        for k in reversed(range(len(self.keys))):
            _, down, first = self.keys[k]
            values = [row for row in rows if row[k] is not None]
            values.sort(key=lambda row: row[k], reverse=down)
            none = [row for row in rows if row[k] is None]
            rows = none + values if first else values + none
        self.is_true, self.rows = True, n
        if n > 50 and rng.random() < 0.5:
            self.spoil(rows)
        self.group = rng.choice([n, n, max(1, n // 2), max(1, n // 7)])
        self.files = 1 if rng.random() < 0.7 else 2
        names = [f"k{i}" for i in range(len(self.keys))]
        table = pa.table({**{name: pa.array([row[i] for row in rows], TYPES[self.keys[i][0]][0]) for i, name in enumerate(names)},
                          "id": pa.array(range(n), pa.int32()), "part": pa.array([i % 7 for i in range(n)], pa.int32())})
        says = [pq.SortingColumn(i, descending=down, nulls_first=first) for i, (_, down, first) in enumerate(self.keys)]
        self.paths = []
        for f in range(self.files):
            path = folder / f"file_{number}_{f}.parquet"
            pq.write_table(table.slice(n * f // self.files, n * (f + 1) // self.files - n * f // self.files), path,
                           row_group_size=self.group, sorting_columns=says, write_page_index=rng.random() < 0.5)
            self.paths.append(path)

    def spoil(self, rows):
        """Two rows change places, neighbours mostly, at places where another worker or batch begins, now and then; or the last row is
        one that belongs first."""
        if self.rng.random() < 0.2:
            self.is_true = rows[0] == rows[-1]
            rows[-1] = rows[0]
            return
        a = self.rng.choice([len(rows) // 2 - 1, 2047, 0, self.rng.randrange(len(rows) - 1)]) % (len(rows) - 1)
        b = a + 1 if self.rng.random() < 0.7 else self.rng.randrange(len(rows))
        self.is_true = rows[a] == rows[b]
        rows[a], rows[b] = rows[b], rows[a]

    def source(self):
        return "read_parquet([" + ", ".join(f"'{path}'" for path in self.paths) + "])"

    def order(self, n):
        return ", ".join(f"k{i} {'DESC' if down else 'ASC'} NULLS {'FIRST' if first else 'LAST'}"
                         for i, (_, down, first) in enumerate(self.keys[:n]))

    def queries(self):
        """Of each the keys alone are compared: rows that tie may come in any order where there is a limit."""
        names = [f"k{i}" for i in range(len(self.keys))]
        for n in range(1, len(self.keys) + 1):
            keys, order = ", ".join(names[:n]), self.order(n)
            yield f"SELECT {keys} FROM {self.source()} ORDER BY {order}"
            yield f"SELECT {keys} FROM {self.source()} WHERE part = 3 ORDER BY {order}"
            yield f"SELECT {keys} FROM {self.source()} ORDER BY {order} LIMIT 10 OFFSET 2040"
            yield f"SELECT {keys} FROM {self.source()} ORDER BY {order} LIMIT 2"
            yield f"SELECT {keys} FROM {self.source()} ORDER BY {order} LIMIT 10 OFFSET {max(0, self.rows // 2 - 5)}"
            yield (f"SELECT {keys} FROM {self.source()} AS t JOIN (SELECT range AS p FROM range(5)) AS u ON t.part = u.p "
                   f"ORDER BY {order}")


def answer(session, sql):
    got = session.ask(sql)
    return got["error"] if "error" in got else got["rows"]


def check(session, made, counts):
    problems = []
    for sql in made.queries():
        session.run("SET disabled_rules = 'order_scan,stop_topk'")
        wanted = answer(session, sql)
        session.run("SET disabled_rules = ''")
        got = answer(session, sql)
        if isinstance(got, dict):
            counts["refused"] += 1
            if made.is_true or got["sqlstate"] != "XX001" or not any(str(path) in got["message"] for path in made.paths):
                problems.append(f"{sql}: {got}")
        elif got != wanted:
            problems.append(f"{sql}: other rows than without the order")
    plan = "\n".join(row[0] for row in session.rows(f"EXPLAIN {next(made.queries())}"))
    is_used = "ordered(" in plan
    counts["used"] += is_used
    if made.files == 1 and made.group >= len(session.rows(f"SELECT id FROM {made.source()}")) and not is_used:
        problems.append(f"the order of {made.source()} is not used:\n{plan}")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fletch", default=pipe.PROGRAM)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=int, default=40)
    args = parser.parse_args()
    rng, problems, counts = random.Random(args.seed), [], {"used": 0, "refused": 0}
    with tempfile.TemporaryDirectory() as folder, pipe.Pipe(args.fletch, ["--threads", "4"]) as session:
        for number in range(args.files):
            problems += check(session, Made(rng, pathlib.Path(folder), number), counts)
    print(f"seed {args.seed}: {args.files} tables, {counts['used']} orders used, {counts['refused']} queries refused, "
          f"{len(problems)} problems")
    for problem in problems[:SHOWN_MAX]:
        print("  " + problem[:600])
    return 1 if problems or counts["used"] == 0 or counts["refused"] == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
