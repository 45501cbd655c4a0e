#!/usr/bin/env python3
"""Variance and standard deviation of integers and narrow decimals, against exact arithmetic: whoever adds up which rows.

    exact_variance.py [--fletch PROGRAM]

Values lie far from 0 and close to each other, at the ends of their types, on both sides of 0, or are all the same; with nulls; in groups
and in one. Each way to run a question must give the same double, which is within some last digits of what fractions say.
Relies on: pipe.py. Exit status 1 when an answer is wrong.
"""

import argparse
import decimal
import fractions
import itertools
import math
import random
import sys

import pipe

ROWS, GROUPS = 5000, 7
DIGITS = 1e-15
SETTINGS = {"threads": (1, 2), "vector_size": (7, 2048), "optimizer": ("'none'", "'search'")}
INTEGERS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
FUNCTIONS = ("var_pop", "var_samp", "stddev_pop", "stddev_samp")


def columns(rng):
    """(name, declared type, values); values are whole numbers, or of as many decimal places as the type has."""
    for kind, bits in INTEGERS.items():
        low, high = -(1 << bits - 1), (1 << bits - 1) - 1
        yield f"ends of {kind}", kind, [rng.choice([low, high]) for _ in range(ROWS)]
        yield f"all of {kind}", kind, [rng.randint(low, high) for _ in range(ROWS)]
        yield f"the greatest of {kind}", kind, [high - rng.randrange(20) for _ in range(ROWS)]
    yield "ends of ubigint", "ubigint", [rng.choice([0, (1 << 64) - 1]) for _ in range(ROWS)]
    yield "the greatest of ubigint", "ubigint", [(1 << 64) - 1 - rng.randrange(20) for _ in range(ROWS)]
    yield "beyond what doubles hold", "bigint", [9007199254740993 + i * 3 for i in range(ROWS)]
    yield "one value", "bigint", [9007199254740993] * ROWS
    yield "an outlier first", "bigint", [-9007199254740993] + [9007199254740993 + i % 10 for i in range(ROWS - 1)]
    yield "prices", "decimal(9,2)", [decimal.Decimal(rng.randint(-999999999, 999999999)).scaleb(-2) for _ in range(ROWS)]
    yield "long decimals", "decimal(18,4)", [decimal.Decimal(99999999999999 * 10000 + rng.randrange(9999)).scaleb(-4) for _ in range(ROWS)]


def wanted(function, values):
    """The double, or None."""
    n = len(values)
    by = n - function.endswith("samp")
    if by <= 0:
        return None
    exact = [fractions.Fraction(value) for value in values]
    mean = sum(exact) / n
    variance = sum((value - mean) ** 2 for value in exact) / by
    if not function.startswith("stddev"):
        return float(variance)
    with decimal.localcontext() as context:
        context.prec = 60
        return float((decimal.Decimal(variance.numerator) / variance.denominator).sqrt())


def is_right(got, want):
    return got == want if want is None or got is None else math.isclose(got, want, rel_tol=DIGITS, abs_tol=0)


def check(session, name, declared, values):
    """How many answers are wrong."""
    rows = [(i % GROUPS if i > 0 else GROUPS, None if i % 11 == 5 else value) for i, value in enumerate(values)]   # group GROUPS: one row
    session.run(f"CREATE OR REPLACE TABLE t (g int, x {declared})")
    for at in range(0, len(rows), 1000):
        session.run("INSERT INTO t VALUES " + ", ".join(f"({g}, {'NULL' if x is None else x})" for g, x in rows[at:at + 1000]))
    functions = ", ".join(f"{function}(x)" for function in FUNCTIONS)
    wrong, seen = 0, {}
    for question in (f"SELECT 0, {functions} FROM t", f"SELECT g, {functions} FROM t GROUP BY g"):
        is_grouped = "GROUP" in question
        want = {}
        for key in {g if is_grouped else 0 for g, _ in rows}:
            own = [x for g, x in rows if x is not None and (not is_grouped or g == key)]
            want[key] = [wanted(function, own) for function in FUNCTIONS]
        for ways in itertools.product(*SETTINGS.values()):
            for setting, value in zip(SETTINGS, ways):
                session.run(f"SET {setting} = {value}")
            got = {row[0]: row[1:] for row in session.rows(question)}
            is_like = got == seen.setdefault(question, got)
            if not is_like or got.keys() != want.keys() or not all(is_right(x, y) for key in want for x, y in zip(got[key], want[key])):
                wrong += 1
                print(f"{name}, {question} by {ways}: {got} instead of {want}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    args = parser.parse_args()
    wrong = 0
    with pipe.Pipe(args.fletch) as session:
        for name, declared, values in columns(random.Random("variance")):
            wrong += check(session, name, declared, values)
    print(f"{wrong} wrong answers")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
