#!/usr/bin/env python3
"""How good the chosen plans are: each against the best of sampled ones, and estimates against what came.

    plan_quality.py [--fletch PROGRAM] [--queries N] [--samples N] [--seed N] [--tpch SCALE] [--tpcds yes|no] [--verbose]

Three sets of questions. Generated ones join 4 to 12 tables of skewed and correlated data; their other plans are random orders of the joins
(the text's order, with `order_joins` switched off). TPC-H's and TPC-DS's other plans are those of the memo (`SET plan_number`). A plan is stopped at
three times the chosen one's time; a question whose chosen plan takes over two seconds is left out. The figure is the chosen plan's time
over the best one's, 1 when the chosen one is the best itself; the q-error of a join is the factor between estimated and counted rows.
Every plan that comes to its end has to give the chosen one's answer; exit status 1 when one does not.
Relies on: test/pipe.py, test/same/differential.py (how answers are compared), test/tpcds/compare.py; data by tools/install-deps.sh data and tpcds.
"""

import argparse
import json
import math
import pathlib
import random
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test"))
sys.path.insert(0, str(ROOT / "test" / "same"))
sys.path.insert(0, str(ROOT / "test" / "tpcds"))
import compare as tpcds  # noqa: E402
import pipe  # noqa: E402
from differential import disagreement  # noqa: E402

RUNS = 3
LONGEST_MS = 2000  # of a chosen plan: questions with more rows than that are left out
STOPPED_AT = 3
SKEWED = "floor(pow((range * {step} % 100003) / 100003.0, {power}) * {n})::int"
# name: (rows, {column: expression}); a column that ends in _id names the table that it refers to
TABLES = {
    "country": (40, {"id": "range::int", "zone": "(range % 4)::int"}),
    "city": (800, {"id": "range::int", "country_id": SKEWED.format(step=7919, power=2, n=40), "size": "(range % 9)::int"}),
    "shop": (3000, {"id": "range::int", "city_id": SKEWED.format(step=104729, power=3, n=800), "kind": "(range % 5)::int"}),
    "person": (30000, {"id": "range::int", "city_id": SKEWED.format(step=1299709, power=3, n=800), "age": "(range * 31 % 90)::int",
                       "vip": "(range * 31 % 90 > 80)::int"}),
    "brand": (200, {"id": "range::int", "country_id": SKEWED.format(step=15485863, power=2, n=40)}),
    "item": (5000, {"id": "range::int", "brand_id": SKEWED.format(step=32452843, power=3, n=200), "price": "(range * 17 % 1000)::int",
                    "class": "(range * 17 % 1000 / 100)::int"}),
    "sale": (200000, {"id": "range::int", "person_id": SKEWED.format(step=49979687, power=4, n=30000),
                      "shop_id": SKEWED.format(step=67867967, power=3, n=3000), "day": "(range * 13 % 730)::int",
                      "month": "(range * 13 % 730 / 30)::int"}),
    "line": (500000, {"sale_id": SKEWED.format(step=86028121, power=1, n=200000), "item_id": SKEWED.format(step=122949823, power=4, n=5000),
                      "amount": "(range * 7 % 20)::int"}),
    "visit": (150000, {"person_id": SKEWED.format(step=141650939, power=3, n=30000), "shop_id": SKEWED.format(step=160481183, power=2, n=3000),
                       "day": "(range * 11 % 730)::int"}),
}
FILTERS = [("country", "zone = {0}", 4), ("city", "size < {0}", 9), ("shop", "kind = {0}", 5), ("person", "age > {0}", 90),
           ("person", "vip = 1 AND age > {0}", 90), ("item", "class = {0}", 10), ("item", "price > {0} * 90 AND class > {0}", 10),
           ("sale", "month = {0}", 24), ("sale", "day > {0} * 30 AND month >= {0}", 24), ("line", "amount = {0}", 20),
           ("visit", "day < {0}", 730), ("country", "id = {0}", 40), ("city", "id = {0}", 800)]


def make_tables(session):
    for name, (rows, columns) in TABLES.items():
        session.run(f"CREATE TABLE {name} AS SELECT {', '.join(f'{text} AS {column}' for column, text in columns.items())} FROM range({rows})")


def references(table):
    """Columns of the table with the tables that they refer to."""
    return [(column, column.removesuffix("_id")) for column in TABLES[table][1] if column.endswith("_id")]


class Question:
    """Relations by alias, and edges between them, which are a tree: (alias, alias, condition)."""

    def __init__(self, chance):
        self.tables, self.edges, self.filters = ["sale"], [], []
        wanted = chance.randint(4, 12)
        while len(self.tables) < wanted:
            at = chance.randrange(len(self.tables))
            steps = [(f"t{{0}}.{column} = t{{1}}.id", other) for column, other in references(self.tables[at])]
            steps += [(f"t{{0}}.id = t{{1}}.{column}", name) for name in TABLES for column, other in references(name) if other == self.tables[at]]
            condition, table = chance.choice(steps)
            if TABLES[table][0] > 100000 and sum(TABLES[t][0] > 100000 for t in self.tables) >= 2:
                continue
            self.edges.append((at, len(self.tables), condition.format(at, len(self.tables))))
            self.tables.append(table)
        for at, table in enumerate(self.tables):
            fitting = [entry for entry in FILTERS if entry[0] == table]
            if fitting and (chance.random() < 0.5 or table in ("sale", "line")):
                _, text, values = chance.choice(fitting)
                self.filters.append(" AND ".join(f"t{at}.{part}" for part in text.format(chance.randrange(values)).split(" AND ")))

    def sql(self, chance=None):
        """Joins in the order in which they were made up, or in a random one."""
        order, left = [0], list(self.edges)
        if chance is not None:
            order = [chance.randrange(len(self.tables))]
        text, conditions = f"{self.tables[order[0]]} AS t{order[0]}", []
        while left:
            edge = chance.choice([e for e in left if (e[0] in order) != (e[1] in order)]) if chance is not None else left[0]
            left.remove(edge)
            new = edge[1] if edge[0] in order else edge[0]
            order.append(new)
            text += f" JOIN {self.tables[new]} AS t{new} ON {edge[2]}"
        conditions = f" WHERE {' AND '.join(self.filters)}" if self.filters else ""
        return f"SELECT count(*) AS n, min(t0.day) AS first FROM {text}{conditions}"


def q_errors(node):
    """Of all joins of a plan."""
    if node["op"] == "join" and "actual" in node:
        estimated, counted = max(1, node["rows"]), max(1, node["actual"]["rows"])
        yield max(estimated / counted, counted / estimated)
    for below in node["inputs"]:
        yield from q_errors(below)


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else math.nan


class Answers:
    """Of one question; `answer` is the chosen plan's, which others must give as well."""

    def __init__(self, session, name):
        self.session, self.name, self.answer, self.n_wrong = session, name, None, 0

    def fastest(self, sql, runs=RUNS):
        """Milliseconds of processor time; None: it was stopped."""
        try:
            answers = [self.session.run(sql) for _ in range(runs)]
        except pipe.QueryError as failure:
            if failure.sqlstate != "57014":
                raise
            return None
        self.answer = self.answer or answers[0]
        for answer in answers:
            problem = disagreement(self.answer, answer)
            if problem is not None:
                self.n_wrong += 1
                print(f"{self.name}: {problem}\n  {sql}", file=sys.stderr, flush=True)
        return min(answer["cpu_ms"] for answer in answers)


def look_at(session, name, sql, others, verbose):
    """(name, the chosen plan's time over the best one's, its q-errors, how many answers are not its own), or None. `others` are
    pairs of settings and SQL."""
    plans = Answers(session, name)
    session.run(f"SET timeout = {LONGEST_MS}")
    chosen = plans.fastest(sql)
    if chosen is None:
        return None
    session.run("SET timeout = 0")
    session.run("SET disabled_rules = 'runtime_filter'")  # one above leaves fewer rows of a join than meet
    errors = list(q_errors(json.loads(session.rows(f"EXPLAIN (ANALYZE, FORMAT json) {sql}")[0][0])["plan"]))
    session.run("SET disabled_rules = ''")
    best = chosen
    session.run(f"SET timeout = {math.ceil(STOPPED_AT * chosen) + 30}")
    for settings, other in others:
        for setting in settings:
            session.run(setting)
        time = plans.fastest(other, 1)
        if time is not None and time < best:
            best = min(time, plans.fastest(other) or time)
    for setting in ("SET timeout = 0", "SET plan_number = 0", "SET disabled_rules = ''"):
        session.run(setting)
    if verbose:
        print(f"{name}: {chosen:.2f} ms, the best {best:.2f}; q-errors up to {max(errors, default=1):.1f}", flush=True)
    return name, chosen / best, errors, plans.n_wrong


def report(title, seen):
    """How many answers were wrong."""
    seen = [one for one in seen if one is not None]
    ratios, errors = [one[1] for one in seen], [error for one in seen for error in one[2]]
    worst = max(seen, key=lambda one: one[1])
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    print(f"| {title} | {len(seen)} | {mean:.2f} | {worst[1]:.2f} ({worst[0]}) | {percentile(errors, 0.5):.1f} | {percentile(errors, 0.95):.0f} |")
    return sum(one[3] for one in seen)


def benchmark(title, folder, texts, args):
    """Texts over the tables of a folder, in memory, beside other plans of the memo."""
    with pipe.Pipe(args.fletch, ["--threads", "1"], timeout_s=600) as session:
        for path in sorted(folder.glob("*.parquet")):
            session.run(f"CREATE TABLE {path.stem} AS SELECT * FROM '{path}'")
        seen = []
        for path in texts:
            sql = path.read_text().strip().rstrip(";")
            others = [([f"SET plan_number = {1 + 997 * i}"], sql) for i in range(args.samples)]
            seen.append(look_at(session, path.stem, sql, others, args.verbose))
    return report(title, seen)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tpch", default="0.1", help="scale; 0: left out")
    parser.add_argument("--tpcds", default="yes", choices=("yes", "no"))
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    chance = random.Random(args.seed)
    print("| questions | | chosen / best of sampled | worst | q-error p50 | p95 |\n| --- | --- | --- | --- | --- | --- |")
    with pipe.Pipe(args.fletch, ["--threads", "1"], timeout_s=600) as session:
        make_tables(session)
        seen = []
        for number in range(args.queries):
            question = Question(random.Random(f"{args.seed} {number}"))
            others = [(["SET disabled_rules = 'order_joins'"], question.sql(chance)) for _ in range(args.samples)]
            seen.append(look_at(session, f"query {number}", question.sql(), others, args.verbose))
        n_wrong = report(f"generated, seed {args.seed}", seen)
    if args.tpch != "0":
        texts = sorted((ROOT / "bench" / "tpch").glob("q*.sql"))
        n_wrong += benchmark(f"TPC-H, scale {args.tpch}", ROOT / ".deps" / "data" / f"tpch-sf{args.tpch}", texts, args)
    if args.tpcds == "yes" and tpcds.DATA.exists():
        texts = [path for path in sorted((tpcds.DATA / "queries").glob("q*.sql")) if tpcds.refusal(int(path.stem[1:])) is None]
        n_wrong += benchmark("TPC-DS, scale 1", tpcds.DATA, texts, args)
    if n_wrong > 0:
        print(f"{n_wrong} answers were not those of the chosen plans", file=sys.stderr)
    return 1 if n_wrong > 0 else 0


if __name__ == "__main__":
    sys.exit(main())
