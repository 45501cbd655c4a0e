#!/usr/bin/env python3
"""Generated queries: whichever way a query is optimized, its rows or its SQLSTATE must be the same.

    generated.py [--fletch PROGRAM] [--queries N] [--seed S] [--from K] [--jobs J] [--no-duckdb]

The queries of a seed are numbered from 0 (query_generator.py); WORLD_QUERIES in a row share tables. The reference is
SET optimizer = 'none' on one thread. Against it stand: the optimizer's other ways, rules that fired switched off one at a
time and several at once, statistics that lie, other plans of the memo, vectors of 1 and 2 rows, two threads; each a road
with its settings, all under verify_rules. Every second query is asked of DuckDB, too, when it is installed and the query has
nothing in it that can fail.

Rows are compared as multisets, and columns that they are sorted by as lists. What is promised of errors: docs/ARCHITECTURE.md, "What
can fail". So where the reference has rows each road has them; where it fails, a road fails with the same SQLSTATE, or the
optimizer has found that what fails is not needed.

On a mismatch the query is made smaller as long as the mismatch stays, then the rows of its tables and the settings; what is
left is printed with the seed and number and what differs. Known ones are in KNOWN. Exit status 1 when roads disagree.

Relies on: ../pipe.py, differential.py (how answers are compared), query_generator.py, query_tree.py; duckdb, where it is to
be asked.
"""

import argparse
import collections
import datetime
import decimal
import json
import math
import multiprocessing
import pathlib
import random
import re
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pipe  # noqa: E402
from differential import disagreement, values_equal  # noqa: E402
from query_generator import World, generate  # noqa: E402
from query_tree import cuts, order_of  # noqa: E402

try:
    import duckdb
except ImportError:
    duckdb = None

WORLD_QUERIES = 50
TIMEOUT_MS = 2000
PEER_TIMEOUT_S = 10
CHECKS_MAX = 1500      # of one query that is made smaller
REPORTED_MAX = 5       # mismatches of one worker that are made smaller
PLAN_STEP = 997        # as in plans.py
PROGRESS = 1000        # queries
ENDS = ("57014", "53200")  # over the time or memory limit: that says nothing
DEFAULTS = {"optimizer": "'search'", "verify_rules": "true", "threads": "1", "vector_size": "2048", "plan_number": "0",
            "disabled_rules": "''", "false_statistics": "0"}
REFERENCE = {**DEFAULTS, "optimizer": "'none'"}

# Mismatches that are known: what is said of them (docs/roadmap.md has the line where it is ours), and a pattern of the query's text.
KNOWN = [("DuckDB 2.0.0 takes a CASE without ELSE for true where it is null", r"CASE WHEN .* END LIKE '")]


# ---- fletch ----------------------------------------------------------------------------------------------------------------


class Engine:
    """A fletch process with a world; settings are changed as a road wants them."""

    def __init__(self, program):
        self.program, self.pipe, self.world, self.ends = program, None, None, []

    def open(self, world):
        """A fresh process: what one query leaves behind is not to be blamed on a later one's world."""
        self.close()
        self.world = world
        self.pipe = pipe.Pipe(self.program, timeout_s=60)
        self.settings = {}
        for statement in world.statements("fletch"):
            answer = self.pipe.ask(statement)
            if "error" in answer and not statement.startswith("CREATE VIEW"):
                raise pipe.QueryError(answer["error"])  # of a view: a literal's cast fails already; what names it is refused
        self.pipe.run(f"SET timeout = {TIMEOUT_MS}")

    def close(self):
        """Ends the process; what is not 0, for example after a sanitizer's report, is kept in `ends`."""
        status = 0 if self.pipe is None else self.pipe.close()
        self.pipe = None
        if status != 0:
            self.ends.append(status)

    def ask(self, sql, settings):
        """The answer under the settings. A process that dies is an error of its own; a new one is there for the next query."""
        wanted = {**DEFAULTS, **settings}
        changes = [f"SET {name} = {value}" for name, value in wanted.items() if self.settings.get(name) != value]
        try:
            lines = b"".join(json.dumps({"sql": text}).encode() + b"\n" for text in [*changes, sql])
            self.pipe.process.stdin.write(lines)
            answers = [json.loads(self.pipe.read_line()) for _ in [*changes, sql]]
        except (pipe.Died, OSError) as died:
            self.pipe.close()
            self.pipe = None
            self.open(self.world)
            return {"error": {"sqlstate": "died", "message": str(died)}}
        for change, answer in zip(changes, answers):
            if "error" in answer and "disabled_rules" not in change:
                raise pipe.QueryError(answer["error"])
        self.settings = wanted
        return answers[-1]

    def rules_fired(self, sql):
        answer = self.ask("EXPLAIN (FORMAT JSON) " + sql, {})
        return [] if "error" in answer else json.loads(answer["rows"][0][0])["rules_fired"]


def difference(query, reference, other):
    """None, or how two answers differ under what is promised."""
    if "error" in reference or "error" in other:
        states = [answer.get("error", {}).get("sqlstate") for answer in (reference, other)]
        if "died" not in states and (states[0] == states[1] or states[1] in (*ENDS, None)):
            return None
        message = (other.get("error") or reference.get("error"))["message"]
        return f"{states[0] or 'rows'} by the reference, {states[1] or 'rows'} here ({message})"
    is_like = reference["types"] == other["types"] and len(reference["rows"]) == len(other["rows"])
    if is_like and reference["rows"] == other["rows"]:
        return None
    columns = query.sorted_columns(len(reference["types"])) if is_like else []
    for number, rows in enumerate(zip(reference["rows"], other["rows"]) if columns else []):
        left, right = ([row[column] for column in columns] for row in rows)
        if left != right and not values_equal(left, right):
            return f"row {number} in order: {left} by the reference, {right} here"
    return disagreement(reference, other, True)


def outcome(answer):
    """What it is counted as."""
    if "error" not in answer:
        return "with rows" if answer["rows"] else "without rows"
    return "refused" if answer["error"]["sqlstate"].startswith(("42", "0A")) else "failing"


def roads(rng, fired, is_sorted):
    """Settings that a query is asked under: (name, settings)."""
    yield "simple", {"optimizer": "'simple'"}
    yield "search", {"vector_size": rng.choice(["1", "2", "2048"])}
    for rule in rng.sample(fired, min(len(fired), 3)):
        yield f"without {rule}", {"disabled_rules": f"'{rule}'", "optimizer": rng.choice(["'search'", "'simple'"])}
    some = [rule for rule in fired if rng.random() < 0.4]
    yield "without some rules", {"disabled_rules": f"'{','.join(some)}'", "optimizer": rng.choice(["'search'", "'simple'"])}
    for _ in range(3):
        yield "false statistics", {"false_statistics": str(rng.randrange(1, 1 << 30))}
    yield "false statistics, simple", {"false_statistics": str(rng.randrange(1, 1 << 30)), "optimizer": "'simple'"}
    start = rng.randrange(1, 1 << 20)
    for i in range(20 if rng.random() < 0.1 else 8 if is_sorted else 3):  # plans differ in where they sort
        yield "another plan", {"plan_number": str(start + i * PLAN_STEP)}
    yield "vector size", {"vector_size": rng.choice(["1", "2"]), "optimizer": "'none'"}
    yield "two threads", {"threads": "2", "vector_size": rng.choice(["2", "2048"])}


# ---- DuckDB ------------------------------------------------------------------------------------------------------------------


class Peer:
    """DuckDB with the same world, or nobody."""

    def __init__(self):
        self.connection = None

    def open(self, world):
        if self.connection is not None:
            self.connection.close()
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("SET order_by_non_integer_literal = true")
        self.connection.execute("SET default_null_order = 'nulls_last_on_asc_first_on_desc'")
        for statement in world.statements("duckdb"):
            try:
                self.connection.execute(statement)
            except duckdb.Error:
                if not statement.startswith("CREATE VIEW"):
                    raise  # of a view: it refuses what names it, then

    def rows(self, sql):
        """Rows, or None where DuckDB refuses the query or takes too long."""
        timer = threading.Timer(PEER_TIMEOUT_S, self.connection.interrupt)
        timer.start()
        try:
            return self.connection.execute(sql).fetchall()
        except (duckdb.Error, RuntimeError):
            return None
        finally:
            timer.cancel()


def plain(value):
    """One form for the values of both engines."""
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float, decimal.Decimal)):
        return "NaN" if value != value else f"{float(value):.9g}" if math.isfinite(value) else str(float(value))
    return value


def from_pipe(answer):
    numeric = [name.startswith(("decimal", "double")) or "int" in name for name in answer["types"]]
    return [[plain(float(value) if is_number and isinstance(value, str) else value) for is_number, value in zip(numeric, row)]
            for row in answer["rows"]]


def peer_difference(query, answer, rows):
    ours, theirs = from_pipe(answer), [[plain(value) for value in row] for row in rows]
    columns = query.sorted_columns(len(answer["types"]))
    for number, (left, right) in enumerate(zip(ours, theirs) if len(ours) == len(theirs) else []):
        left, right = ([row[column] for column in columns] for row in (left, right))
        if left != right:
            return f"row {number} in order: {left} here, {right} of DuckDB"
    if len(columns) < len(answer["types"]):
        ours, theirs = sorted(ours, key=repr), sorted(theirs, key=repr)
    if ours == theirs:
        return None
    if len(ours) != len(theirs):
        return f"{len(ours)} rows here, {len(theirs)} of DuckDB"
    return next(f"{x} here, {y} of DuckDB" for x, y in zip(ours, theirs) if x != y)


# ---- smaller cases ----------------------------------------------------------------------------------------------------------


class Mismatch:
    """What differs, and how to find out whether it still does: check(query, settings) is the problem, or None."""

    def __init__(self, query, road, settings, problem, check):
        self.query, self.road, self.settings, self.problem, self.check_all = query, road, settings, problem, check

    def check(self, query):
        return self.check_all(query, self.settings)


def make_smaller(mismatch, checks):
    """Takes from the query what can be taken; greedy, from the top again after each success."""
    query = mismatch.query
    again = True
    while again:
        again = False
        for root in cuts(query.root):
            checks -= 1
            if checks < 0:
                return
            smaller = query.with_root(root)
            problem = mismatch.check(smaller)
            if problem is not None:
                query, again = smaller, True
                mismatch.query, mismatch.problem = smaller, problem
                break


def make_settings_smaller(mismatch):
    """Takes settings away, and rules from a list of them."""
    for name in list(mismatch.settings):
        fewer = {other: value for other, value in mismatch.settings.items() if other != name}
        if mismatch.check_all(mismatch.query, fewer) is not None:
            mismatch.settings = fewer
    rules = mismatch.settings.get("disabled_rules", "''").strip("'").split(",")
    for rule in rules[:]:
        fewer = {**mismatch.settings, "disabled_rules": f"'{','.join(r for r in rules if r != rule)}'"}
        if len(rules) > 1 and mismatch.check_all(mismatch.query, fewer) is not None:
            mismatch.settings = fewer
            rules.remove(rule)


def make_tables_smaller(mismatch, engines, checks):
    """Takes rows from the tables that the query names, half of them, a quarter, …, single ones."""
    for table in engines[0].world.named_in(mismatch.query.text())[0]:
        step = max(1, len(table.rows) // 2)
        while step >= 1:
            at = 0
            while at < len(table.rows):
                kept = table.rows
                table.rows = kept[:at] + kept[at + step:]
                checks -= 1
                for engine in engines:
                    fill(engine, table)
                problem = mismatch.check(mismatch.query) if checks >= 0 else None
                if problem is None:
                    table.rows = kept
                    at += step
                    for engine in engines:
                        fill(engine, table)
                else:
                    mismatch.problem = problem
                if checks < 0:
                    return
            step //= 2


def fill(engine, table):
    for statement in table.statements():
        if isinstance(engine, Peer):
            engine.connection.execute(statement)
        else:
            engine.ask(statement, {})


# ---- the run -----------------------------------------------------------------------------------------------------------------


class Report:
    def __init__(self):
        self.count, self.by_road = collections.Counter(), collections.Counter()


class Worker:
    """Every jobs-th world of a seed, one after the other."""

    def __init__(self, args):
        self.args, self.report = args, Report()
        self.engine = Engine(args.fletch)
        self.peer = Peer() if duckdb is not None and not args.no_duckdb else None

    def run(self, worlds):
        for number in worlds:
            self.open(number)
            first = number * WORLD_QUERIES
            for n in range(max(first, self.args.first), min(first + WORLD_QUERIES, self.args.first + self.args.queries)):
                self.one(n)
        self.engine.close()
        for status in self.engine.ends:
            self.report.count["processes that ended badly"] += 1
            print(f"a process ended with status {status}", flush=True)
        return self.report

    def open(self, number):
        self.world_number = number
        world = World(random.Random(f"{self.args.seed}/world {number}"))
        self.engine.open(world)
        if self.peer is not None:
            self.peer.open(world)

    def one(self, number):
        rng = random.Random(f"{self.args.seed}/query {number}")
        query, count = generate(rng, self.engine.world), self.report.count
        text = query.text()
        reference = self.engine.ask(text, REFERENCE)
        state = reference.get("error", {}).get("sqlstate")
        count["queries"] += 1
        if state in ENDS:
            count["over a limit"] += 1
            return
        count[outcome(reference)] += 1
        saved = None
        for name, settings in roads(rng, self.engine.rules_fired(text), order_of(query.root) is not None):
            count["comparisons"] += 1
            answer = self.engine.ask(text, settings)
            if answer.get("error", {}).get("sqlstate") in ENDS:
                count["slow roads"] += 1
            problem, base = difference(query, reference, answer), REFERENCE
            if problem is None and "error" in reference and "rows" in answer:
                if saved is None:  # the first road that can do without what fails: others that can have the same rows
                    saved = (answer, settings)
                    count[f"saved from {state}"] += 1
                problem, base = difference(query, saved[0], answer), saved[1]
            if problem is not None:
                self.tell(number, Mismatch(query, name, settings, problem, lambda q, s, b=base: self.check(q, b, s)))
                return
        if self.peer is not None and state is None and query.fails is None and number % 2 == 0:
            self.ask_peer(number, query, reference)

    def check(self, query, base, settings):
        text = query.text()
        return difference(query, self.engine.ask(text, base), self.engine.ask(text, settings))

    def ask_peer(self, number, query, reference):
        rows = self.peer.rows(query.text("duckdb"))
        if rows is None:
            self.report.count["refused by DuckDB"] += 1
            return
        self.report.count["compared with DuckDB"] += 1
        problem = peer_difference(query, reference, rows)
        if problem is not None:
            self.tell(number, Mismatch(query, "DuckDB", REFERENCE, problem, self.check_peer))

    def check_peer(self, query, settings):
        answer = self.engine.ask(query.text(), {**REFERENCE, **settings})
        rows = None if "error" in answer else self.peer.rows(query.text("duckdb"))
        return None if rows is None else peer_difference(query, answer, rows)

    def tell(self, number, mismatch):
        """Makes it smaller and writes it down; the world is made anew for the queries behind it."""
        report, whole = self.report, f"{mismatch.problem}\n  {mismatch.query.text()}"
        report.count["mismatches"] += 1
        report.by_road[mismatch.road] += 1
        if report.count["mismatches"] > REPORTED_MAX:
            print(f"query {number} of seed {self.args.seed}, {mismatch.road}: {mismatch.problem}", flush=True)
            return
        engines = [self.engine] + ([self.peer] if mismatch.road == "DuckDB" else [])
        make_smaller(mismatch, CHECKS_MAX)
        make_settings_smaller(mismatch)
        make_tables_smaller(mismatch, engines, CHECKS_MAX // 3)
        make_smaller(mismatch, CHECKS_MAX)
        lines = [f"query {number} of seed {self.args.seed}, {mismatch.road}: {whole}", f"made smaller: {mismatch.problem}"]
        tables, views = self.engine.world.named_in(mismatch.query.text())
        lines += [f"  {statement};" for table in tables for statement in table.statements()]
        lines += [f"  CREATE VIEW {name} AS {select.text()};" for name, _, _, select, _ in views]
        changed = [f"SET {name} = {value}" for name, value in mismatch.settings.items() if DEFAULTS[name] != value]
        lines += [f"  {'; '.join(['SET verify_rules = true', *changed])};", f"  {mismatch.query.text()};"]
        known = self.is_known(mismatch)
        if known is not None:
            report.count["mismatches"] -= 1
            report.count["known mismatches"] += 1
            lines = [f"query {number} of seed {self.args.seed} is known: {known}"]
        print("\n".join(lines), flush=True)
        self.open(self.world_number)

    def is_known(self, mismatch):
        """What is said of a mismatch that is known."""
        return next((known for known, pattern in KNOWN if re.search(pattern, mismatch.query.text(), re.I)), None)


def work(job):
    args, worlds = job
    return Worker(args).run(worlds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the number of the first query")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once")
    parser.add_argument("--no-duckdb", action="store_true")
    args = parser.parse_args()
    start = time.monotonic()
    worlds = range(args.first // WORLD_QUERIES, (args.first + args.queries - 1) // WORLD_QUERIES + 1)
    reports, count, by_road = [], collections.Counter(), collections.Counter()
    if args.jobs > 1:
        with multiprocessing.Pool(args.jobs) as pool:
            # a few worlds at a time, so that no process is left with the last ones alone
            for report in pool.imap_unordered(work, [(args, worlds[i:i + 4]) for i in range(0, len(worlds), 4)]):
                reports.append(report)
                done = sum(r.count["queries"] for r in reports)
                if done // PROGRESS > (done - report.count["queries"]) // PROGRESS:
                    print(f"{done} queries, {sum(r.count['mismatches'] for r in reports)} mismatches", flush=True)
    else:
        reports = [work((args, worlds))]
    for report in reports:
        count += report.count
        by_road += report.by_road
    print(f"seed {args.seed}, {time.monotonic() - start:.0f} s: " + ", ".join(f"{n} {name}" for name, n in count.most_common()))
    if by_road:
        print("by road: " + ", ".join(f"{road} {n}" for road, n in by_road.most_common()))
    return 1 if count["mismatches"] > 0 or count["processes that ended badly"] > 0 or count["comparisons"] == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
