#!/usr/bin/env python3
"""One engine in a process of its own, so that its memory can be measured and its threads disturb nobody else's.

    worker.py ENGINE THREADS [PROGRAM]      commands on standard input, one JSON object a line, answers likewise

    {"load": {"events": "path"}, "memory": true}    make tables, in memory or as views of the files: Parquet, CSV or NDJSON
    {"sql": "...", "answer": true}                  run; the wall time runs from the text to the whole result as Arrow
    {"run": "..."}                                  run, whatever comes of it
    {"plan": "...", "times": 50}                    from the text to the physical plan (of Polars: the optimized logical one), so often
    {"sql": "...", "answer": true, "times": 50}     run so often, for texts that take microseconds; one with $1 is prepared before and has VALUE in its place
    {"sql": "...", "answer": true, "copy": "csv"}   copy the rows to a file of the format, with a header; `answer` is what pyarrow reads of it

An answer is {"ms", "rows", "answer", "peak_mb"} or {"error"}; to `plan` {"us"}, the least, which for fletch contains printing the plan; to
`times` the least, each from the text (or the prepared statement) to the rows in the form that the engine gives with least work. `answer` holds the rows of a small result; of a large one
a summary that no order of rows changes: count, and per column a sum, or total length and extremes of texts.
fletch runs behind `--pipe` when PROGRAM is the program, whose `ms` is taken: right for small results, but a large one would
mostly measure JSON. When PROGRAM is libfletch.so it runs in this process, as the peers do, and gives an Arrow stream.
Relies on: test/pipe.py; the packages of tools/requirements.txt.
"""

import datetime
import decimal
import json
import os
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test"))
import library  # noqa: E402
import pipe  # noqa: E402

SMALL_ROWS_MAX = 2000
VALUE = 517  # of parameters


def peak_mb(pid="self"):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def to_json(value):
    """Decimals keep their exactness as tagged text; the rest is what JSON has."""
    if isinstance(value, decimal.Decimal):
        return {"decimal": str(value)}
    if isinstance(value, (datetime.date, datetime.datetime, datetime.time)):
        return value.isoformat()
    return value


def summarize(table):
    """Of an Arrow table: what does not depend on the order of its rows. Chunk by chunk, as a table may be large."""
    import pyarrow as pa
    import pyarrow.compute as pc
    row = [table.num_rows]
    for column in table.columns:
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        is_text = pa.types.is_string_view(kind) or pa.types.is_large_string(kind) or pa.types.is_string(kind)
        totals, least, most = [], [], []
        for chunk in column.chunks:
            if chunk.null_count == len(chunk):
                continue
            if is_text:
                texts = chunk.cast(pa.large_string())
                totals.append(pc.sum(pc.binary_length(texts)).as_py())
                least.append(pc.min(texts).as_py())
                most.append(pc.max(texts).as_py())
                continue
            if pa.types.is_boolean(kind):
                chunk = chunk.cast(pa.int8())
            elif pa.types.is_temporal(kind):
                chunk = (chunk.cast(pa.timestamp("us")) if pa.types.is_timestamp(kind) else chunk.cast(pa.int32())).cast(pa.int64()).cast(pa.float64())
            totals.append(pc.sum(chunk).as_py())
        total = sum(totals) if totals else None
        row += [total, min(least, default=None), max(most, default=None)] if is_text else \
               [float(total) if isinstance(total, decimal.Decimal) else total]
    return [row]


def read_file(path):
    import pyarrow.csv as csv
    import pyarrow.parquet as pq
    return csv.read_csv(path) if path.suffix == ".csv" else pq.read_table(path)


def least_us(function, times):
    """Microseconds of the fastest call."""
    best = None
    for _ in range(times):
        start = time.perf_counter()
        function()
        spent = (time.perf_counter() - start) * 1e6
        best = spent if best is None else min(best, spent)
    return best


class ArrowEngine:
    """Peers in this process: `execute` gives an Arrow table."""

    prepared = {}  # by text; a process has one engine

    def run(self, sql, want_answer):
        start = time.perf_counter()
        table = self.execute(sql)
        ms = (time.perf_counter() - start) * 1000
        return self.reply_of(table, ms, want_answer)

    def run_copy(self, sql, want_answer, file_format):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / f"rows.{file_format}"
            start = time.perf_counter()
            self.copy(sql, path, file_format)
            ms = (time.perf_counter() - start) * 1000
            return self.reply_of(read_file(path), ms, want_answer) if want_answer else {"ms": ms, "peak_mb": peak_mb()}

    def reply_of(self, table, ms, want_answer):
        reply = {"ms": ms, "rows": table.num_rows, "peak_mb": peak_mb()}
        if want_answer:
            if table.num_rows > SMALL_ROWS_MAX:
                reply["answer"] = summarize(table)
            else:
                columns = [column.to_pylist() for column in table.columns]
                reply["answer"] = [[to_json(value) for value in row] for row in zip(*columns)]
        return reply

    def repeat(self, sql, want_answer, times):
        if sql not in self.prepared:
            self.prepared[sql] = self.prepare(sql) if "$1" in sql else lambda: self.fetch(sql)
        run = self.prepared[sql]
        ms = least_us(run, times) / 1000
        reply = {"ms": ms, "peak_mb": peak_mb()}
        if want_answer:
            reply |= {name: value for name, value in self.run(sql.replace("$1", str(VALUE)), True).items() if name in ("rows", "answer")}
        return reply

    def prepare(self, sql):
        raise NotImplementedError("no prepared statements")

    def copy(self, sql, path, file_format):
        header = ", HEADER" if file_format == "csv" else ""
        self.execute(f"COPY ({sql.split(chr(10), 1)[1]}) TO '{path}' (FORMAT {file_format}{header})")


class DuckDB(ArrowEngine):
    def __init__(self, threads):
        import duckdb
        self.connection = duckdb.connect()
        self.connection.execute(f"SET threads = {threads}")

    def load(self, tables, memory):
        for name, path in tables.items():
            self.connection.execute(f"CREATE {'TABLE' if memory else 'VIEW'} {name} AS SELECT * FROM '{path}'")

    def fetch(self, sql):
        self.connection.execute(sql).fetchall()

    def prepare(self, sql):
        self.connection.execute(f"PREPARE prepared AS {sql}")
        return lambda: self.fetch(f"EXECUTE prepared({VALUE})")

    def execute(self, sql):
        return self.connection.sql(sql).to_arrow_table()   # a relation: an executed cursor would copy its rows once more

    def plan(self, sql, times):
        return least_us(lambda: self.connection.execute(f"PREPARE planned AS {sql}"), times)


class Polars(ArrowEngine):
    def __init__(self, threads):
        os.environ["POLARS_MAX_THREADS"] = str(threads)   # read when the package is first loaded
        import polars
        self.polars = polars
        self.context = polars.SQLContext()

    def load(self, tables, memory):
        scans = {".csv": lambda path: self.polars.scan_csv(path, try_parse_dates=True), ".ndjson": self.polars.scan_ndjson,
                 ".parquet": self.polars.scan_parquet}
        for name, path in tables.items():
            frame = scans[pathlib.Path(path).suffix](path)
            self.context.register(name, frame.collect() if memory else frame)

    def fetch(self, sql):
        self.context.execute(sql).collect()

    def execute(self, sql):
        return self.context.execute(sql).collect().to_arrow()

    def copy(self, sql, path, file_format):
        frame = self.context.execute(sql)
        frame.sink_csv(path) if file_format == "csv" else frame.sink_parquet(path)

    def plan(self, sql, times):
        return least_us(lambda: self.context.execute(sql).explain(), times)


class DataFusion(ArrowEngine):
    def __init__(self, threads):
        import datafusion
        self.threads = threads
        self.context = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(threads))

    def load(self, tables, memory):
        import pyarrow.parquet as pq
        for name, path in tables.items():
            suffix = pathlib.Path(path).suffix
            if memory:
                batches = pq.read_table(path).to_batches()
                parts = [batches[thread::self.threads] for thread in range(self.threads)]
                self.context.register_record_batches(name, [part for part in parts if part])
            elif suffix == ".csv":
                self.context.register_csv(name, str(path))
            elif suffix == ".ndjson":
                self.context.register_json(name, str(path), file_extension=suffix)
            else:
                self.context.register_parquet(name, str(path))

    def fetch(self, sql):
        self.context.sql(sql).collect()

    def prepare(self, sql):
        self.context.sql(f"PREPARE prepared AS {sql}").collect()
        return lambda: self.fetch(f"EXECUTE prepared({VALUE})")

    def execute(self, sql):
        return self.context.sql(sql).to_arrow_table()

    def copy(self, sql, path, file_format):
        self.context.sql(f"COPY ({sql.split(chr(10), 1)[1]}) TO '{path}' STORED AS {file_format}").collect()

    def plan(self, sql, times):
        return least_us(lambda: self.context.sql(sql).execution_plan(), times)


class FletchLibrary(ArrowEngine):
    """fletch by its C API: the rows of a call are an Arrow C stream."""

    def __init__(self, threads, path):
        self.library = library.Library(threads, path)

    def load(self, tables, memory):
        for name, path in tables.items():
            self.execute(f"CREATE {'TABLE' if memory else 'VIEW'} {name} AS SELECT * FROM '{path}'")

    def fetch(self, sql):
        self.library.run(sql)

    def prepare(self, sql):
        statement = self.library.prepare(sql)
        return lambda: self.library.run_prepared(statement, VALUE)

    def execute(self, sql):
        return self.library.execute(sql)

    def plan(self, sql, times):
        text = f"EXPLAIN {sql}"
        return least_us(lambda: self.library.run(text), times)


class Fletch:
    """The program behind --pipe."""

    def __init__(self, threads, program):
        self.pipe = pipe.Pipe(program, ["--threads", str(threads)], timeout_s=300)

    def load(self, tables, memory):
        for name, path in tables.items():
            self.pipe.run(f"CREATE {'TABLE' if memory else 'VIEW'} {name} AS SELECT * FROM '{path}'")

    def run(self, sql, want_answer):
        answer = self.pipe.run(sql)
        reply = {"ms": answer["ms"], "rows": len(answer["rows"]), "peak_mb": peak_mb(self.pipe.process.pid)}
        if want_answer:
            large = len(answer["rows"]) > SMALL_ROWS_MAX
            reply["answer"] = self.summary(answer) if large else self.values(answer)
        return reply

    @staticmethod
    def summary(answer):
        """As `summarize`, of rows that came as JSON."""
        row = [len(answer["rows"])]
        for kind, column in zip(answer["types"], zip(*answer["rows"])):
            present = [value for value in column if value is not None]
            if kind.lower().startswith(("utf8", "varchar", "text")):
                row += [sum(len(value.encode()) for value in present), min(present), max(present)]
            else:
                row += [float(sum(decimal.Decimal(str(value)) for value in present))
                        if kind.lower().startswith(("decimal", "numeric")) else sum(present)]
        return [row]

    @staticmethod
    def values(answer):
        kinds = [kind.lower() for kind in answer["types"]]
        return [[{"decimal": value} if isinstance(value, str) and kind.startswith(("decimal", "numeric", "int", "bigint"))
                 and not kind.startswith("interval") else value for kind, value in zip(kinds, row)]
                for row in answer["rows"]]


def main():
    name, threads = sys.argv[1], int(sys.argv[2])
    if name == "fletch":
        engine = (FletchLibrary if sys.argv[3].endswith(".so") else Fletch)(threads, sys.argv[3])
    else:
        engine = {"duckdb": DuckDB, "polars": Polars, "datafusion": DataFusion}[name](threads)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            if "load" in command:
                engine.load(command["load"], command["memory"])
                reply = {"ok": True}
            elif "run" in command:
                engine.execute(command["run"])
                reply = {"ok": True}
            elif "plan" in command:
                reply = {"us": engine.plan(command["plan"], command["times"])}
            elif "copy" in command:
                reply = engine.run_copy(command["sql"], command.get("answer", False), command["copy"])
            elif "times" in command:
                reply = engine.repeat(command["sql"], command.get("answer", False), command["times"])
            else:
                reply = engine.run(command["sql"], command.get("answer", False))
        except Exception as error:  # an engine that cannot do one query goes on with the next
            reply = {"error": f"{type(error).__name__}: {error}".split("\n")[0][:300]}
        print(json.dumps(reply, default=str), flush=True)


if __name__ == "__main__":
    main()
