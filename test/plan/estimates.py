#!/usr/bin/env python3
"""Estimated rows against counted ones: predicates over even, skewed, correlated and null data, and joins of them.

    estimates.py [--fletch PROGRAM]

For each question the rows that EXPLAIN estimates at the root are held against what the query gives; the quotient of the
larger by the smaller (the q-error of Moerkotte et al. 2009) has a limit of its own. Exit status 1 when one is beyond it.
Relies on: `fletch --pipe`; EXPLAIN (FORMAT JSON).
"""

import argparse
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import pipe  # noqa: E402  (found through the line above)

SET_UP = [
    "CREATE TABLE t AS SELECT i AS id, i * 7919 % 1000003 AS even, floor(1000 * power((i * 7919 % 100003) / 100003.0, 4))::integer AS skewed, "
    "i % 100 AS a, i % 100 / 10 AS b, CASE WHEN i % 20 = 0 THEN i % 7 END AS rare, "
    "date '2020-01-01' + (i % 2000)::integer AS day, (i * 31 % 977) / 10.0 AS x, 'name ' || (i * 7919 % 5000) AS s "
    "FROM range(100000) AS r(i)",
    "CREATE TABLE u AS SELECT i AS id, i % 10 AS kind, 'group ' || i % 10 AS label FROM range(1000) AS r(i)",
    "CREATE TABLE sales AS SELECT i AS id, floor(1000 * power((i * 6151 % 100003) / 100003.0, 3))::bigint AS customer, i % 50 AS shop FROM range(50000) AS r(i)",
    "CREATE TABLE stock AS SELECT i % 500 AS item, i / 500 AS shop, i % 7 AS n FROM range(10000) AS r(i)",
    "CREATE TABLE orders AS SELECT i AS id, i * 31 % 500 AS item, i * 17 % 20 AS shop FROM range(100000) AS r(i)",
]

# (the limit, the question behind FROM)
QUESTIONS = [
    (1.2, "t WHERE even < 250000"),
    (1.2, "t WHERE even BETWEEN 250000 AND 500000"),
    (1.2, "t WHERE id >= 97500"),
    (1.5, "t WHERE even = 5"),
    (1.2, "t WHERE skewed = 0"),
    (2.5, "t WHERE skewed = 500"),
    (1.2, "t WHERE skewed < 10"),
    (1.2, "t WHERE a = 3"),
    (1.3, "t WHERE a = 3 AND b = 0"),   # b follows from a
    (200, "t WHERE a = 3 AND b = 7"),   # and contradicts it: a sample cannot tell none from few
    (1.2, "t WHERE a IN (1, 2, 3)"),
    (1.2, "t WHERE rare IS NULL"),
    (1.2, "t WHERE rare IS NOT NULL"),
    (1.5, "t WHERE rare = 3"),
    (1.3, "t WHERE NOT rare = 3"),
    (1.2, "t WHERE day < date '2021-01-01'"),
    (1.3, "t WHERE day >= date '2021-01-01' AND day < date '2021-06-01'"),
    (1.3, "t WHERE x > 50 OR a < 5"),
    (1.5, "t WHERE s LIKE '%99%'"),
    (2.0, "t WHERE s = 'name 77'"),
    (1.3, "t WHERE a < b + 5"),
    (1.3, "t WHERE even % 3 = 0"),
    (1.2, "t JOIN u ON t.a = u.id"),
    (1.3, "sales JOIN u ON sales.customer = u.id"),
    (1.5, "sales JOIN u ON sales.customer = u.id WHERE u.kind = 3"),
    (2.5, "sales JOIN u ON sales.customer = u.id WHERE u.id = 700"),
    (1.5, "sales JOIN u ON sales.customer = u.id WHERE u.id BETWEEN 100 AND 200"),
    (1.5, "sales AS x JOIN sales AS y ON x.customer = y.customer"),
    (1.5, "orders JOIN stock ON orders.item = stock.item AND orders.shop = stock.shop"),
    (2.0, "orders JOIN stock ON orders.item = stock.item AND orders.shop = stock.shop WHERE stock.n = 3"),
    (12, "(SELECT DISTINCT a, b FROM t) AS d"),  # that b follows from a is not seen
    (1.3, "(SELECT s, count(*) FROM t GROUP BY s) AS g"),
    (1.6, "(SELECT day, count(*) FROM t WHERE id < 1000 GROUP BY day) AS g"),
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    args = parser.parse_args()
    failures, errors = 0, []
    with pipe.Pipe(args.fletch, ["--threads", "1"]) as session:
        for statement in SET_UP:
            session.run(statement)
        for limit, question in QUESTIONS:
            plan = json.loads(session.rows(f"EXPLAIN (FORMAT JSON) SELECT * FROM {question}")[0][0])["plan"]
            counted = session.rows(f"SELECT count(*) FROM {question}")[0][0]
            estimated, counted = max(1.0, float(plan["rows"])), max(1.0, float(counted))
            error = max(estimated / counted, counted / estimated)
            errors.append(error)
            if error > limit:
                print(f"{question}: {counted:.0f} rows, estimated {estimated:.0f}: {error:.2f} times off, {limit} are allowed")
                failures += 1
    errors.sort()
    print(f"{len(errors)} questions, {failures} failures; median {errors[len(errors) // 2]:.2f}, worst {errors[-1]:.2f}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
