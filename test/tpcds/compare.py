#!/usr/bin/env python3
"""Each TPC-DS text in fletch, by one worker and by two; the rows must be those of DuckDB over the same Parquet files.

    compare.py [--data FOLDER] [--queries 1,6] [--threads 1,2] [--memory SIZE] [--fletch PROGRAM]

A row is right when the stored answer has it, as often; the sequence of sort keys must be the stored one. So rows that are tied may come in any
order, and where LIMIT cuts among them any of them may be left out. Exact types are compared exactly, doubles to 1e-9 of their size
(test/oracles.py). --memory is the program's limit of memory. Texts that fletch cannot run yet are listed in REFUSED: they have to fail for
the reason that is given there.
Relies on: test/tpcds/generate.py, which made texts and answers. Exit status 1 when an answer differs.
"""

import argparse
import decimal
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "test"))
import oracles  # noqa: E402
import pipe  # noqa: E402

DATA = ROOT / ".deps" / "data" / "tpcds-sf1"
# What the message says (SQLSTATE 0A000), and of which texts.
REFUSED = {  # reason: [numbers]
}
RELATIVE = 1e-9


class Answer:
    """A stored answer: all rows down to the last that is tied with the last one of the text's LIMIT, and their sort keys."""

    def __init__(self, path):
        stored = json.loads(path.read_text())
        self.names, self.limit = stored["columns"], stored["limit"]
        self.rows, self.keys = self.revive(stored["rows"]), self.revive(stored["keys"])

    @staticmethod
    def revive(rows):
        return [[decimal.Decimal(value["decimal"]) if isinstance(value, dict) else value for value in row] for row in rows]

    def rows_wanted(self):
        return len(self.rows) if self.limit is None else min(self.limit, len(self.rows))


def equal(left, right):
    return all(oracles.values_equal(a, b, RELATIVE) for a, b in zip(left, right))


def nearest(row, rows):
    """The row that has most values in common with `row`, and the first column that differs."""
    best = max(rows, key=lambda other: sum(oracles.values_equal(a, b, RELATIVE) for a, b in zip(row, other)))
    return best, next(column for column, (a, b) in enumerate(zip(row, best)) if not oracles.values_equal(a, b, RELATIVE))


def difference(ours, answer):
    """None, or what differs first, with row and column."""
    if len(ours.names) != len(answer.names):
        return f"{len(ours.names)} columns, not {len(answer.names)}"
    if len(ours.rows) != answer.rows_wanted():
        return f"{len(ours.rows)} rows, not {answer.rows_wanted()}"
    inexact = {column for row in [*ours.rows, *answer.rows] for column, value in enumerate(row) if isinstance(value, float)}

    def exact_part(row):
        return tuple(value for column, value in enumerate(row) if column not in inexact)

    left = {}  # places of stored rows that no row of ours was held against yet
    for at, row in enumerate(answer.rows):
        left.setdefault(exact_part(row), []).append(at)
    for at, row in enumerate(ours.rows):
        places = left.get(exact_part(row), [])
        same = [place for place in places if equal(row, answer.rows[place])]
        if not same:
            if any(equal(row, other) for other in answer.rows):
                return f"row {at} comes more often than it should: {row!r}"
            other, column = nearest(row, answer.rows)
            return f"row {at}, column {ours.names[column]}: {row[column]!r}, not {other[column]!r}, in {row!r}"
        in_order = [place for place in same if equal(answer.keys[place], answer.keys[at])]
        if not in_order:
            return f"row {at} is out of order: sort keys {answer.keys[same[0]]!r}, not {answer.keys[at]!r}, of {row!r}"
        places.remove(in_order[0])
    return None


def changed(value):
    """Another value of the type."""
    if isinstance(value, str):
        return value + "?"
    if isinstance(value, float):
        return value * (1 + 1e-6) + 1e-6
    return value + 1 if value is not None else 0


def verify_comparison(number, answer):
    """Breaks a stored answer on purpose, in each way that an engine might, and asserts that it is noticed where it was broken."""
    rows = answer.rows[:answer.rows_wanted()]
    assert difference(oracles.Table(answer.names, rows), answer) is None, number
    if not rows:
        return
    assert difference(oracles.Table(answer.names, rows[1:]), answer).endswith(f"{len(rows) - 1} rows, not {len(rows)}"), number
    middle, last = len(rows) // 2, len(answer.names) - 1
    broken = [list(row) for row in rows]
    broken[middle][last] = changed(broken[middle][last])
    problem = difference(oracles.Table(answer.names, broken), answer)
    assert problem is not None and problem.startswith(f"row {middle}, column "), (number, problem)
    twice = [*rows[:-1], rows[0]]
    assert len(rows) == 1 or rows.count(rows[0]) > 1 or difference(oracles.Table(answer.names, twice), answer) is not None, number
    if not equal(answer.keys[0], answer.keys[len(rows) - 1]):
        problem = difference(oracles.Table(answer.names, [rows[-1], *rows[1:-1], rows[0]]), answer)
        assert problem is not None and problem.startswith("row 0 is out of order"), (number, problem)


def refusal(number):
    return next((reason for reason, numbers in REFUSED.items() if number in numbers), None)


def verdict(engine, number, sql, answer):
    """(whether all is well, what to say of it)"""
    reason = refusal(number)
    try:
        ours = engine.query(sql)
    except pipe.QueryError as error:
        if reason is not None and error.sqlstate == "0A000" and reason in str(error):
            return True, f"refused, {reason}"
        return False, f"failed: {error}" + (f"; it should be refused for its {reason}" if reason else "")
    if reason is not None:
        return False, f"runs: take it off the list of those that are refused for their {reason}"
    problem = difference(ours, answer)
    return problem is None, problem or f"{len(ours.rows)} rows, {ours.ms:.0f} ms"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, default=DATA)
    parser.add_argument("--queries", default=",".join(str(n) for n in range(1, 100)))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--memory")
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    args = parser.parse_args()
    tables = {path.stem: path.resolve() for path in sorted(args.data.glob("*.parquet"))}
    if len(tables) != 24:
        sys.exit(f"{args.data}: {len(tables)} of 24 tables; tools/install-deps.sh tpcds makes them")
    numbers = [int(word) for word in args.queries.split(",")]
    answers = {number: Answer(args.data / "answers" / f"q{number:02d}.json") for number in numbers}
    for number, answer in answers.items():
        verify_comparison(number, answer)

    failures = 0
    engines = {threads: oracles.Fletch(tables, threads, args.fletch, args.memory) for threads in map(int, args.threads.split(","))}
    for number in numbers:
        sql = (args.data / "queries" / f"q{number:02d}.sql").read_text()
        verdicts = {}
        for threads in engines:
            try:
                verdicts[threads] = verdict(engines[threads], number, sql, answers[number])
            except pipe.Died as error:
                verdicts[threads] = False, f"the program ended: {error}"
                engines[threads] = oracles.Fletch(tables, threads, args.fletch, args.memory)
            failures += not verdicts[threads][0]
        print(f"Q{number}: " + "; ".join(f"{threads} threads: {'' if good else 'WRONG: '}{text}"
                                         for threads, (good, text) in verdicts.items()), flush=True)
    for threads, engine in engines.items():
        try:
            engine.close()
        except pipe.Died as error:
            print(f"{threads} threads: WRONG: the program ended badly: {error}")
            failures += 1
    n_refused = sum(refusal(number) is not None for number in numbers)
    print(f"{len(numbers) - n_refused} texts ran, {n_refused} are refused; " +
          ("all rows are DuckDB's" if failures == 0 else f"{failures} WRONG"))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
