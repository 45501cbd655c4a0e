"""Engines that answers are compared with, behind one small interface, and the comparison itself.

    engine = open_engine("duckdb", {"lineitem": "path.parquet"}, threads=2)
    table = engine.query("SELECT ...")        # Table(names, rows)
    problem = difference(ours, theirs)        # None when they agree

Relies on: the packages of tools/requirements.txt; test/pipe.py for fletch itself. Values are Python's: int, float,
Decimal, str, bool, None, and dates and times as text in ISO form, so that no engine's own classes are compared.
"""

import datetime
import decimal
import math
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pipe  # noqa: E402

ENGINES = ("fletch", "duckdb", "polars", "datafusion")


class Table:
    """Column names and rows of an answer; ms is the wall time of the query, cpu_ms fletch's own count."""

    def __init__(self, names, rows, ms=0.0):
        self.names = list(names)
        self.rows = rows
        self.ms = ms


def plain(value):
    """One of Python's plain values for what an engine returned."""
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def from_arrow(table):
    columns = [column.to_pylist() for column in table.columns]
    return Table(table.column_names, [[plain(value) for value in row] for row in zip(*columns)])


class Fletch:
    name = "fletch"

    def __init__(self, tables, threads=2, program=pipe.PROGRAM, memory=None):
        """`memory`: the program's limit, as in 200MB; None: its own."""
        limit = ["--memory", memory] if memory else []
        self.pipe = pipe.Pipe(program, ["--threads", str(threads), *limit], timeout_s=300)
        for table, path in tables.items():
            self.pipe.run(f"CREATE VIEW {table} AS SELECT * FROM '{path}'")

    def query(self, sql):
        answer = self.pipe.run(sql)
        types = [name.lower() for name in answer["types"]]
        return Table(answer["columns"], [[self.value(t, v) for t, v in zip(types, row)] for row in answer["rows"]],
                     answer["ms"])

    @staticmethod
    def value(name, value):
        """Decimals, wide integers, NaN and infinities arrive as strings (the pipe's contract)."""
        if isinstance(value, str):
            if name.startswith(("decimal", "numeric")):
                return decimal.Decimal(value)
            if name.startswith(("double", "float", "real")):
                return float(value)
            if "int" in name and not name.startswith("interval"):
                return int(value)
        return value

    def close(self):
        status = self.pipe.close()
        if status != 0:   # a sanitizer's report at the end, for example a leak
            raise pipe.Died(f"exit status {status}")


class DuckDB:
    name = "duckdb"

    def __init__(self, tables, threads=2):
        import duckdb
        self.connection = duckdb.connect()
        self.connection.execute(f"SET threads = {threads}")
        for table, path in tables.items():
            self.connection.execute(f"CREATE VIEW {table} AS SELECT * FROM '{path}'")

    def query(self, sql):
        cursor = self.connection.execute(sql)
        names = [column[0] for column in cursor.description]
        return Table(names, [[plain(value) for value in row] for row in cursor.fetchall()])

    def close(self):
        self.connection.close()


class Polars:
    name = "polars"

    def __init__(self, tables, threads=2):
        os.environ["POLARS_MAX_THREADS"] = str(threads)   # read once, when the package is first loaded
        import polars
        self.context = polars.SQLContext()
        for table, path in tables.items():
            self.context.register(table, polars.scan_parquet(path))

    def query(self, sql):
        frame = self.context.execute(sql).collect()
        return Table(frame.columns, [[plain(value) for value in row] for row in frame.rows()])

    def close(self):
        pass


class DataFusion:
    name = "datafusion"

    def __init__(self, tables, threads=2):
        import datafusion
        config = datafusion.SessionConfig().with_target_partitions(threads)
        self.context = datafusion.SessionContext(config)
        for table, path in tables.items():
            self.context.register_parquet(table, str(path))

    def query(self, sql):
        return from_arrow(self.context.sql(sql).to_arrow_table())

    def close(self):
        pass


def open_engine(name, tables, threads=2, program=pipe.PROGRAM, memory=None):
    """`program` and `memory` are fletch's."""
    if name == "fletch":
        return Fletch(tables, threads, program, memory)
    return {"duckdb": DuckDB, "polars": Polars, "datafusion": DataFusion}[name](tables, threads)


def values_equal(left, right, relative):
    """Numbers of equal exact types are equal exactly; where one is a double, to `relative`."""
    if left is None or right is None:
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(values_equal(a, b, relative) for a, b in zip(left, right))
    numbers = (int, float, decimal.Decimal)
    if isinstance(left, numbers) and isinstance(right, numbers) and bool not in (type(left), type(right)):
        if isinstance(left, float) or isinstance(right, float):
            # an engine whose average is a decimal cuts it off at the last of that decimal's digits
            places = [-value.as_tuple().exponent for value in (left, right)
                      if isinstance(value, decimal.Decimal) and value.is_finite()]
            cut = 10.0 ** -places[0] if places and places[0] >= 4 else 0.0
            left, right = float(left), float(right)
            return left == right or (math.isnan(left) and math.isnan(right)) or \
                abs(left - right) <= max(cut, relative * max(abs(left), abs(right)))
        return left == right
    return left == right


def sort_key(row):
    """Some total order; doubles are cut to six digits so that last bits do not decide it."""
    numbers = (int, float, decimal.Decimal)
    return ["" if value is None else f"{float(value):.6e}" if isinstance(value, numbers) else str(value)
            for value in row]


def difference(ours, theirs, relative=1e-9, keys=None):
    """None when two tables agree as multisets and, in the columns `keys`, row by row; else what differs first."""
    if len(ours.names) != len(theirs.names):
        return f"{len(ours.names)} columns, not {len(theirs.names)}"
    if len(ours.rows) != len(theirs.rows):
        return f"{len(ours.rows)} rows, not {len(theirs.rows)}"
    for row, (left, right) in enumerate(zip(ours.rows, theirs.rows)):
        for key in keys or ():
            if not values_equal(left[key], right[key], relative):
                return f"row {row}, sort key {ours.names[key]}: {left[key]!r}, not {right[key]!r}"
    for left, right in zip(sorted(ours.rows, key=sort_key), sorted(theirs.rows, key=sort_key)):
        for name, a, b in zip(ours.names, left, right):
            if not values_equal(a, b, relative):
                return f"column {name}: {a!r}, not {b!r}, in {left!r}"
    return None
