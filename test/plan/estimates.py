#!/usr/bin/env python3
"""Estimated rows against counted ones: predicates over even, skewed, correlated and null data, and joins of them; of tables in
memory, and of the same rows in Parquet, CSV and NDJSON files.

    estimates.py [--fletch PROGRAM]

For each question the rows that EXPLAIN estimates at the root are held against what the query gives; the quotient of the
larger by the smaller (the q-error of Moerkotte et al. 2009) has a limit of its own. Exit status 1 when one is beyond it.
Files have samples where several tables are to be put in order, so questions of one are asked beside a table of one row. Then a
sample has to decide which side of a join is built.
Relies on: `fletch --pipe`; EXPLAIN (FORMAT JSON); pyarrow.
"""

import argparse
import csv
import json
import pathlib
import sys
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq

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
    "CREATE TABLE visits AS SELECT floor(1000 * power((i * 7919 % 100003) / 100003.0, 5))::bigint AS customer, i / 300 AS day FROM range(60000) AS r(i)",
    "CREATE TABLE stock AS SELECT i % 500 AS item, i / 500 AS shop, i % 7 AS n FROM range(10000) AS r(i)",
    "CREATE TABLE calendar AS SELECT i AS day, i / 365 AS year, i % 12 AS month FROM range(73000) AS r(i)",
    "CREATE TABLE sold AS SELECT 36500 + i * 7919 % 1825 AS day, i AS amount FROM range(50000) AS r(i)",
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
    (1.5, "sales JOIN visits ON sales.customer = visits.customer"),
    (1.3, "u JOIN sales ON u.id = sales.customer JOIN visits ON u.id = visits.customer"),  # both have the same few customers most often
    (1.5, "u JOIN sales ON u.id = sales.customer JOIN visits ON u.id = visits.customer WHERE sales.shop = 3 AND visits.day < 30"),
    (1.5, "u JOIN sales ON u.id = sales.customer JOIN visits ON u.id = visits.customer JOIN stock ON u.id = stock.item WHERE sales.shop = 3"),
    (1.3, "sales JOIN u AS x ON sales.customer = x.id JOIN u AS y ON sales.customer = y.id WHERE x.kind < 5 AND y.kind < 6"),  # of the same rows
    (1.3, "u AS x JOIN u AS y ON x.id = y.id WHERE x.kind < 5 AND y.kind > 4"),  # of which none is both
    (2.0, "visits AS x JOIN visits AS y ON x.day = y.day"),  # the rows of a day lie together
    (1.5, "orders JOIN stock ON orders.item = stock.item AND orders.shop = stock.shop"),
    (2.0, "orders JOIN stock ON orders.item = stock.item AND orders.shop = stock.shop WHERE stock.n = 3"),
    (1.3, "sold JOIN calendar ON sold.day = calendar.day WHERE calendar.year = 102"),  # the days of a year of five in two hundred
    (1.5, "sold JOIN calendar ON sold.day = calendar.day WHERE calendar.year IN (101, 102) AND calendar.month = 3"),
    (1.5, "sold JOIN calendar ON sold.day = calendar.day WHERE calendar.month = 3"),
    (150, "sold JOIN calendar ON sold.day = calendar.day WHERE calendar.year = 7"),  # nothing was sold
    (2.5, "calendar JOIN sold ON sold.day = calendar.day WHERE calendar.year BETWEEN 104 AND 120"),
    (12, "(SELECT DISTINCT a, b FROM t) AS d"),  # that b follows from a is not seen
    (1.3, "(SELECT s, count(*) FROM t GROUP BY s) AS g"),
    (1.6, "(SELECT day, count(*) FROM t WHERE id < 1000 GROUP BY day) AS g"),
]

# Limits of text files, where they are others: of a place there are the rows that lie next to each other, and nothing tells of bounds.
OF_TEXT = {
    "t WHERE id >= 97500": 3,
    "t WHERE skewed = 500": 3,
    "t WHERE a = 3": 2,
    "t WHERE a = 3 AND b = 0": 2,
    "t WHERE day < date '2021-01-01'": 4.5,
    "t WHERE day >= date '2021-01-01' AND day < date '2021-06-01'": 7,
    "t WHERE s = 'name 77'": 4,
    "sales JOIN u ON sales.customer = u.id": 3,
    "sales JOIN u ON sales.customer = u.id WHERE u.kind = 3": 3,
    "sales JOIN u ON sales.customer = u.id WHERE u.id BETWEEN 100 AND 200": 3,
    "u JOIN sales ON u.id = sales.customer JOIN visits ON u.id = visits.customer WHERE sales.shop = 3 AND visits.day < 30": 2.5,
    "sold JOIN calendar ON sold.day = calendar.day WHERE calendar.year = 102": 60,
    "sold JOIN calendar ON sold.day = calendar.day WHERE calendar.year IN (101, 102) AND calendar.month = 3": 60,
    "sold JOIN calendar ON sold.day = calendar.day WHERE calendar.year = 7": 300,
    "(SELECT s, count(*) FROM t GROUP BY s) AS g": 2.5,
    "(SELECT day, count(*) FROM t WHERE id < 1000 GROUP BY day) AS g": 5,
}

# Few rows hold the word, so they are the ones to be built, though their table is the larger one.
DOCS = "SELECT i AS id, i % 1000 AS kind, CASE WHEN i * 7919 % 1000 = 7 THEN 'with a needle' ELSE 'hay ' || i * 7919 % 5003 END AS s FROM range(100000) AS r(i)"
BUILT = "docs JOIN u ON docs.kind = u.id WHERE docs.s LIKE '%needle%'"


def write_files(session, folder):
    """The tables' rows as files of each format."""
    for name in ("t", "u", "sales", "visits", "stock", "orders", "calendar", "sold", "docs"):
        answer = session.run(f"SELECT * FROM {name}")
        columns, rows = answer["columns"], answer["rows"]
        arrays = [pa.array([row[i] for row in rows]) for i in range(len(columns))]
        arrays = [a.cast(pa.date32()) if kind == "date" else a for a, kind in zip(arrays, answer["types"])]
        pq.write_table(pa.table(arrays, names=columns), folder / f"{name}.parquet", row_group_size=20000)
        with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)
        with open(folder / f"{name}.ndjson", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(dict(zip(columns, row))) + "\n" for row in rows)


def ask(session, question, limit, errors):
    """Whether the estimate is within the limit."""
    plan = json.loads(session.rows(f"EXPLAIN (FORMAT JSON) SELECT * FROM {question}")[0][0])["plan"]
    counted = session.rows(f"SELECT count(*) FROM {question}")[0][0]
    estimated, counted = max(1.0, float(plan["rows"])), max(1.0, float(counted))
    error = max(estimated / counted, counted / estimated)
    errors.append(error)
    if error > limit:
        print(f"{question}: {counted:.0f} rows, estimated {estimated:.0f}: {error:.2f} times off, {limit} are allowed")
    return error <= limit


def summary(title, errors, failures):
    errors.sort()
    print(f"{title}: {len(errors)} questions, {failures} failures; median {errors[len(errors) // 2]:.2f}, worst {errors[-1]:.2f}")


def builds_docs(session):
    """Whether the side that is built is the one with few rows; a join builds its right side."""
    plan = json.loads(session.rows(f"EXPLAIN (FORMAT JSON) SELECT docs.id, u.label FROM {BUILT}")[0][0])["plan"]
    while plan["op"] != "join":
        plan = plan["inputs"][0]
    return "docs" in json.dumps(plan["inputs"][1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    args = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with pipe.Pipe(args.fletch, ["--threads", "1"]) as session:
            for statement in [*SET_UP, f"CREATE TABLE docs AS {DOCS}"]:
                session.run(statement)
            errors = []
            failures = sum(not ask(session, question, limit, errors) for limit, question in QUESTIONS)
            summary("in memory", errors, failures)
            failed += failures
            write_files(session, folder)
        for suffix, limits in (("parquet", {}), ("csv", OF_TEXT), ("ndjson", OF_TEXT)):
            with pipe.Pipe(args.fletch, ["--threads", "1"]) as session:
                for path in sorted(folder.glob(f"*.{suffix}")):
                    session.run(f"CREATE VIEW {path.stem} AS SELECT * FROM '{path}'")
                session.run("CREATE TABLE one AS SELECT 1 AS one")
                errors = []
                failures = sum(not ask(session, f"one, {question}", limits.get(question, limit), errors) for limit, question in QUESTIONS)
                summary(f"in {suffix} files", errors, failures)
                failed += failures
                if not builds_docs(session):
                    print(f"{BUILT}: the side with many rows is built")
                    failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
