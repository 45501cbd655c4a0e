#!/usr/bin/env python3
"""Functions in Python in their worker processes: values, errors, and what a function must not be able to do.

Each case of HOSTILE is a function that breaks out or breaks down: the query is told so, nothing was read, sent or left behind, and the next
query is answered by another process. Relies on: ../pipe.py and a built program with its plugin beside it (--fletch); status 77 without.
"""

import argparse
import json
import os
import pathlib
import signal
import socket
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import pipe  # noqa: E402  (found through the line above)

failures = []


def check(name, found, expected):
    if found != expected:
        failures.append(name)
        print(f"{name}: {found!r}\n    expected {expected!r}")


def create(body, signature="(x bigint) RETURNS bigint", clauses="", name="f"):
    return f"CREATE OR REPLACE FUNCTION {name}{signature} LANGUAGE python {clauses} AS $python$\n{body}\n$python$"


def children(session):
    """Processes of the program's, as the kernel lists them by thread."""
    found = []
    for tasks in pathlib.Path(f"/proc/{session.process.pid}/task").glob("*/children"):
        try:
            found += tasks.read_text().split()
        except OSError:
            pass  # the thread has ended meanwhile
    return found


def state(pid):
    """R: it runs, S: it waits, T: it was stopped, Z: it has ended; also where nothing is left of it."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def busy(session):
    """Workers that are not at rest, a moment after the last call."""
    end = time.monotonic() + 2
    while (found := [pid for pid in children(session) if state(pid) not in "TZ"]) and time.monotonic() < end:
        time.sleep(0.01)
    return found


# ---- values and errors ----


def answers(session):
    rows = session.rows
    session.run(create("def f(x): return x * 2"))
    check("a row", rows("SELECT sum(f(range))::bigint FROM range(100000)"), [[9999900000]])
    session.run(create("import fletch\n@fletch.batch\ndef f(x): return x * 2"))
    check("a batch", rows("SELECT sum(f(range))::bigint FROM range(100000)"), [[9999900000]])
    session.run(create("def f(x): return None if x % 2 else x"))
    check("none is null", rows("SELECT count(f(range)), sum(f(range))::bigint FROM range(10)"), [[5, 20]])
    session.run(create("def f(x, y): return y * x", "(x bigint, y text) RETURNS text"))
    check("texts beyond their room", rows("SELECT sum(length(f(range, 'smörgås')))::bigint FROM range(3000)"), [[7 * 2999 * 1500]])
    session.run(create("def f(x): return float(x) * 1e300 * 1e300 if x else 3.4028234e38", "(x bigint) RETURNS real"))
    check("an infinity is one", rows("SELECT f(0) = 3.4028234e38::real, f(1) = 'inf'::real"), [[True, True]])
    session.run(create("import fletch, numpy\n@fletch.batch\ndef f(x): return numpy.array([numpy.inf, 1e30, 5])[x]", "(x bigint) RETURNS real"))
    check("and in a batch", rows("SELECT count(*) FROM range(3) WHERE f(range) = 'inf'::real"), [[1]])
    session.run(create("import fletch, numpy\n@fletch.batch\ndef f(x): return numpy.array(['2024-01-01T00:00:00.000001000', 'NaT'], 'M8[ns]')[x]", "(x bigint) RETURNS timestamp"))
    check("nanoseconds that are microseconds", rows("SELECT f(range)::text FROM range(2) ORDER BY 1"), [["2024-01-01 00:00:00.000001"], [None]])
    session.run(create("import fletch\n@fletch.batch\ndef f(x): return [v.upper() if v > 'b' else None for v in x]", "(x text) RETURNS text"))
    check("a batch of texts", rows("SELECT f(c) FROM (VALUES ('a'), ('c'), ('é')) t(c)"), [[None], ["C"], ["É"]])
    session.run(create("def f(x): return x + bytes([0, 255])", "(x binary) RETURNS binary"))
    check("binary", rows("SELECT length(f('ab'::binary))"), [[4]])
    session.run(create("import datetime\ndef f(d, t): return t + datetime.timedelta(days=d.day)", "(d date, t timestamp) RETURNS timestamp"))
    check("dates", rows("SELECT f('2024-02-29', '2024-01-01 10:00')::text"), [["2024-01-30 10:00:00"]])
    session.run(create("import fletch, numpy\n@fletch.batch\ndef f(d): return d + numpy.timedelta64(1, 'D')", "(d date) RETURNS date"))
    check("a batch of dates", rows("SELECT f('2024-02-29')::text"), [["2024-03-01"]])
    session.run(create("def f(x): return x.utcoffset().total_seconds() == 0", "(x timestamptz) RETURNS boolean"))
    check("a zone", rows("SELECT f('2024-02-29 10:00+02')"), [[True]])
    session.run(create("def f(x): return x is None", "(x bigint) RETURNS boolean", "CALLED ON NULL INPUT"))
    check("called on null", rows("SELECT f(1), f(null)"), [[False, True]])
    session.run(create("def f(x): return 1 // (x - 3)", clauses="ON ERROR NULL"))
    check("on error null", rows("SELECT count(f(range)) FROM range(10000)"), [[9999]])
    session.run(create("import fletch, numpy\n@fletch.batch\ndef f(x):\n    assert (x != 3).all()\n    return x", clauses="ON ERROR NULL"))
    check("on error null in a batch", rows("SELECT count(f(range)) FROM range(10000)"), [[9999]])
    session.run(create("n = 0\ndef f():\n    global n\n    n += 1\n    return n", "() RETURNS bigint", "VOLATILE"))
    check("volatile", rows("SELECT count(DISTINCT f()) FROM range(100)"), [[100]])
    session.run(create("def f(x): return x", "(x bigint) RETURNS bigint"))
    check("as a filter", rows("SELECT count(*) FROM range(100) WHERE f(range) > 49"), [[50]])
    session.run(create("def g(x): return x + 1", name="g"))
    check("one in another", rows("SELECT f(g(f(1)))"), [[2]])
    check("how it is called", [row[0] for row in rows("EXPLAIN SELECT f(range) FROM range(5)") if "python" in row[0]],
          ["function f: python: in worker processes, called row by row: it does not say @fletch.batch"])
    session.run(create("import fletch, time\n@fletch.batch\ndef f(x):\n    time.sleep(1)\n    return x", clauses="ON ERROR NULL"))
    session.run(create("import fletch\n@fletch.batch\ndef g(x): return x", clauses="ON ERROR NULL", name="g"))
    check("in workers", rows("SELECT sum(f(range) + g(range))::bigint FROM range(100)"), [[9900]])
    plan = "\n".join(row[0] for row in rows("EXPLAIN SELECT * FROM range(100) t(n) WHERE f(n) > 3 AND g(n) > 5"))
    check("the cheaper one first", plan.index("g(range)") < plan.index("f(range)"), True)


# Annotations, and what SHOW FUNCTIONS or the error says of the function.
ANNOTATED = {
    "def f(x: int, y: float, z: str) -> bool: return True": "(x bigint, y double, z text) → boolean",
    "def f() -> bytes: return b''": "() → bytea",
    "from datetime import date, datetime, time\ndef f(d: date, t: time, Moment: datetime) -> datetime: return Moment": "(d date, t time, Moment timestamp) → timestamp",
    "from typing import Optional\ndef f(x: Optional[int], y: 'str | None') -> int | None: return x": "(x bigint, y text) → bigint",
    "from __future__ import annotations\ndef f(x: int) -> int: return x": "(x bigint) → bigint",
    "import fletch\n@fletch.batch\ndef f(x: float) -> float: return x": "(x double) → double",
    "def f(x: int, X: int, grün: int) -> int: return x": "(x bigint, bigint, grün bigint) → bigint",
    "class F:\n    def g(self, x: int) -> int: return x\nf = F().g": "(x bigint) → bigint",
    "def f(x, y: int) -> int: return x": "function f: its types are not declared, and the parameter x of def f has no annotation",
    "def f(x: int): return x": "function f: its types are not declared, and def f has no annotation of its result (-> float)",
    "def f(x: int) -> None: pass": "function f: the result of def f is annotated as NoneType: types are known of bool, int, float, str, bytes, date, time, datetime",
    "def f(x: list[int]) -> int: return x": "function f: the parameter x of def f is annotated as list[int]: types are known of",
    "def f(x: int | str) -> int: return x": "function f: the parameter x of def f is annotated as int | str: types are known of",
    "def f(*x: int) -> int: return x": "function f: its types are not declared, and f has no parameters that could say them one by one",
    "def f(x: 'strange') -> int: return x": "function f: an annotation of def f is not defined: name 'strange' is not defined",
    "def f(a: int, b: int, c: int, d: int, e: int, g: int, h: int, i: int, j: int) -> int: return a": "function f: def f has 9 parameters, a function has up to 8",
}


def annotated(session):
    """Types that no declaration says come from the text."""
    for text, wanted in ANNOTATED.items():
        session.ask("DROP FUNCTION IF EXISTS f")
        answer = session.ask(create(text, ""))
        found = answer["error"]["message"] if "error" in answer else next(row[1] for row in session.rows("SHOW FUNCTIONS") if row[0] == "f")
        check(f"annotated: {text}", found[: len(wanted)] if "error" in answer else found, wanted)
        if "error" in answer:
            check(f"its state: {text}", (answer["error"]["sqlstate"], "annotations say types" in answer["error"]["hint"]), ("42P13", True))
    session.run(create("def f(x: int, y: float = 2) -> float: return None if x == 3 else x * y", ""))
    check("annotated and called", session.rows("SELECT f(range, 1.5), f(range::integer, 2) FROM range(2, 5)"), [[3, 4], [None, None], [6, 8]])
    session.run(create("import fletch\n@fletch.batch\ndef f(x: float) -> float: return x * 2", ""))
    check("annotated and called for many", session.rows("SELECT sum(f(range))::bigint FROM range(100000)"), [[9999900000]])
    session.run(create("def f(x: str) -> int: return x", "(x bigint) RETURNS bigint"))
    check("what is declared counts", session.rows("SELECT f(3)"), [[3]])


# ---- @fletch.arrow ----

ARROW = "import fletch, pyarrow as pa, pyarrow.compute as pc\n@fletch.arrow\ndef f(x): return {}"

# A type, and two of its values.
ARROW_VALUES = [
    ("boolean", "true", "false"), ("tinyint", "-128", "127"), ("smallint", "-32768", "5"), ("integer", "-7", "2147483647"), ("bigint", "-7", "9223372036854775807"),
    ("utinyint", "0", "255"), ("usmallint", "0", "65535"), ("uinteger", "1", "4294967295"), ("ubigint", "1", "18446744073709551615"), ("real", "1.5", "-2.25"),
    ("double", "1e300", "0.1"), ("date", "2024-02-29", "0001-01-01"), ("time", "10:11:12.000013", "00:00:00"), ("timestamp", "2024-02-29 10:00:00.000001", "1900-01-01 00:00:00"),
    ("timestamp(9)", "2024-02-29 10:00:00.000000001", "1970-01-01 00:00:00"), ("timestamptz", "2024-02-29 10:00:00+00", "1900-01-01 00:00:00+00"),
    ("text", "smörgås", ""), ("bytea", "\\x00ff", "\\x61")
]

# Of x bigint 7: what the function gives, its type, and the row's text or a part of the error.
ARROW_RESULTS = {
    "its argument": ("x", "bigint", "7"),
    "chunks": ("pa.chunked_array([x.slice(0, 0), x])", "bigint", "7"),
    "a slice": ("pa.concat_arrays([pa.array([5]), x]).slice(1)", "bigint", "7"),
    "narrower numbers": ("x.cast('int8')", "bigint", "7"),
    "a number for a float": ("x", "double", "7"),
    "nulls": ("pa.nulls(len(x))", "bigint", "null"),
    "a null": ("pa.array([None] * len(x), 'int64')", "bigint", "null"),
    "strings of 32 bits": ("pa.array(['a', 'b']).slice(1).take(pa.array([0] * len(x)))", "text", "b"),
    "a dictionary": ("pa.array(['b'] * len(x)).dictionary_encode()", "text", "b"),
    "null texts": ("pa.array([None] * len(x), 'string')", "text", "null"),
    "of booleans": ("pc.equal(x, 7)", "boolean", "true"),
    "an infinity": ("pa.array([float('inf')] * len(x))", "real", "Infinity"),
    "too large": ("pa.array([300] * len(x))", "tinyint", "function f(7): it gave 300, beyond what tinyint holds"),
    "a real that is too large": ("pa.array([1e39] * len(x))", "real", "function f(7): it gave 1e+39, beyond what real holds"),
    "between two microseconds": ("pa.array([1500] * len(x), pa.timestamp('ns'))", "timestamp", "function f(7): it gave 1970-01-01 00:00:00.000001500, which timestamp in us does not hold"),
    "beyond all moments": ("pa.array([2 ** 62] * len(x), pa.timestamp('s'))", "timestamp", "does not hold"),
    "another type": ("x.cast('string')", "bigint", "it gave an array of string, it RETURNS bigint"),
    "a list": ("[7]", "bigint", "it gave a value of type list, expected an array of pyarrow with 1 values"),
    "too few": ("x.slice(1)", "bigint", "it gave 0 values for 1 rows"),
    "an exception": ("pa.array(['a']).cast('int64')", "bigint", "function f(7): pyarrow.lib.ArrowInvalid: "),
    "no UTF-8": ("pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(bytes([0, 0, 0, 0, 1, 0, 0, 0])), pa.py_buffer(bytes([255]))])", "text", "is no UTF-8"),
    "texts beyond their bytes": ("pa.Array.from_buffers(pa.large_string(), 1, [None, pa.py_buffer(bytes(8) + bytes([0, 1]) + bytes(6)), pa.py_buffer(b'a')])", "text", "function f("),
}


def arrow_folder():
    """Where pyarrow is, of this Python; functions have another, of the same version where it was set up so."""
    try:
        import pyarrow
    except ImportError:
        return None
    return str(pathlib.Path(pyarrow.__file__).parent.parent)


def arrow(program):
    with pipe.Pipe(program, ["--allow-python"]) as session:
        answer = session.ask(create(ARROW.format("x").replace(", pyarrow as pa, pyarrow.compute as pc", "")))
        if "error" in answer: # else the machine has it for all
            check("without pyarrow", (answer["error"]["sqlstate"], answer["error"]["message"][:81]), ("42P13", "function f: it says @fletch.arrow, and pyarrow cannot be imported from the folder"))
    folder = arrow_folder()
    if folder is None:
        print("there is no pyarrow here: @fletch.arrow was not tried")
        return
    with pipe.Pipe(program, ["--allow-python", "--python-path", folder]) as session:
        answer = session.ask(create(ARROW.format("x")))
        if "error" in answer:
            print(f"this pyarrow is not of functions' Python: @fletch.arrow was not tried: {answer['error']['message']}")
            return
        check("how it is called", [row[0] for row in session.rows("EXPLAIN SELECT f(range) FROM range(5)") if "python" in row[0]],
              ["function f: python: in worker processes, batches of Arrow's arrays"])
        for kind, *values in ARROW_VALUES:
            session.run(create(ARROW.format("x"), f"(x {kind}) RETURNS {kind}"))
            rows = ", ".join(f"('{value}'::{kind})" for value in values)
            check(f"arrow: {kind}", session.rows(f"SELECT count(*) FROM (VALUES {rows}) t(v) WHERE f(v) = v"), [[2]])
            session.run(create(ARROW.format("x.fill_null(x[-1])"), f"(x {kind}) RETURNS {kind}", "CALLED ON NULL INPUT"))
            check(f"arrow: {kind} and null", session.rows(f"SELECT count(*) FROM (VALUES (1, null), (2, '{values[0]}'::{kind})) t(i, v) WHERE f(v) = '{values[0]}'::{kind}"), [[2]])
        for name, (text, returns, wanted) in ARROW_RESULTS.items():
            session.run(create(ARROW.format(text), f"(x bigint) RETURNS {returns}"))
            answer = session.ask("SELECT coalesce(f(7)::text, 'null')")
            found = answer["error"]["message"] if "error" in answer else answer["rows"][0][0]
            check(f"arrow: {name}", found == wanted or ("error" in answer and wanted in found) or found, True)
            if "moment" in name or "micro" in name:
                check(f"arrow: {name}, its state", answer["error"]["sqlstate"], "22008")
        session.run(create(ARROW.format("pc.multiply(x, 2)")))
        check("arrow: many rows", session.rows("SELECT sum(f(range))::bigint FROM range(100000)"), [[9999900000]])
        session.run(create(ARROW.format("pc.utf8_upper(x)"), "(x text) RETURNS text"))
        check("arrow: many texts", session.rows("SELECT count(*) FROM range(50000) WHERE f('text ' || range) = 'TEXT ' || range"), [[50000]])
        session.run(create(ARROW.format("pc.divide(1, pc.subtract(x, 3))"), clauses="ON ERROR NULL"))
        check("arrow: on error null", session.rows("SELECT count(f(range)), sum(f(range))::bigint FROM range(2, 100)"), [[97, 0]])
        session.run(create("import fletch, pyarrow as pa\n@fletch.arrow\ndef f(x):\n    x.buffers()[1].is_mutable and 1 / 0\n    memoryview(x.buffers()[1])[0] = 1\n    return x"))
        check("arrow: what it is given cannot be written to", "TypeError: cannot modify read-only memory" in session.ask("SELECT f(7)")["error"]["message"], True)


def slow_texts(session):
    """What stands outside of the function is stopped as its calls are."""
    session.run("SET timeout = 300")
    began = time.monotonic()
    answer = session.ask(create("while True: pass\ndef f(x): return x"))
    check("a text without an end", answer.get("error", {}).get("sqlstate"), "57014")
    check("it ends soon", time.monotonic() - began < 5, True)
    session.run("RESET timeout")


def many_rows(session):
    """A function over columns is given many rows at once, in whatever statement it stands."""
    session.run(create("import fletch, numpy\n@fletch.batch\ndef f(x): return numpy.full(len(x), len(x))"))
    session.run("CREATE OR REPLACE TABLE many AS SELECT range AS n, range % 100 AS k, 'text ' || range AS t FROM range(100000)")
    check("rows of a batch", session.rows("SELECT max(f(n)) FROM many"), [[16384]])
    check("rows of a streamed batch", session.rows("SELECT f(range) FROM range(100000)")[0], [16384])
    check("rows behind a limit", session.rows("SELECT f(range) FROM range(100000) LIMIT 1"), [[1]])
    session.run("SET vector_size = 100")
    check("rows of a smaller batch", session.rows("SELECT max(f(n)) FROM many"), [[100]])
    session.run("RESET vector_size")
    session.run("SET memory_limit = '100MB'")
    check("rows of a batch where there is little memory", session.rows("SELECT max(f(n)) FROM many"), [[2048]])
    session.run("RESET memory_limit")
    session.run(create("import fletch\n@fletch.batch\ndef f(x): return x"))
    for query in ("SELECT sum({0})::bigint, count(DISTINCT {0}) FROM many", "SELECT count(*) FROM many WHERE {0} % 7 = 3 AND k > 5",
                  "SELECT k, max({0}) FROM many GROUP BY k ORDER BY k", "SELECT t FROM many ORDER BY -{0} LIMIT 3 OFFSET 20000",
                  "SELECT count(*), max(b.t) FROM many JOIN many b ON {0} = b.n + 5", "SELECT t, {0} FROM many ORDER BY t LIMIT 5",
                  "SELECT {0} FROM many EXCEPT SELECT n + 3 FROM many ORDER BY 1", "SELECT DISTINCT {0} % 10 AS d FROM many ORDER BY d"):
        call, plain = query.format("f(many.n)" if "JOIN" in query else "f(n)"), query.format("many.n" if "JOIN" in query else "n")
        check(f"many rows: {call}", session.ask(call).get("rows") or session.ask(call), session.rows(plain))


# What a text RETURNS but bigint stands behind # at its end.
REAL = "def f(x): return {} #real"
REALS = "import fletch, numpy\n@fletch.batch\ndef f(x): return {} #real"
MOMENTS = "import fletch, numpy\n@fletch.batch\ndef f(x): return numpy.full(len(x), numpy.datetime64({1})) #{0}"

ERRORS = {
    "raises": ("def f(x):\n    return {}[x]", "38000", "function f(7): KeyError: 7", "line 3, in f"),
    "raises in a batch": (
        "import fletch\n@fletch.batch\ndef f(x):\n    if (x == 7).any(): raise ValueError('seven')\n    return x",
        "38000", "function f(7): ValueError: seven", "raise ValueError"),
    "exits": ("import sys\ndef f(x): sys.exit(3)", "38000", "function f(7): SystemExit: 3", ""),
    "recurses": ("def f(x): return f(x)", "38000", "function f(7): RecursionError", ""),
    "wrong type": ("def f(x): return 'a'", "38000", "it gave a value of type str, it RETURNS bigint", ""),
    "float for an integer": ("def f(x): return 1.0", "38000", "of type float, it RETURNS bigint: int() or round()", ""),
    "too large": ("def f(x): return 2 ** 63", "38000", "it gave 9223372036854775808, beyond what bigint holds", ""),
    "wrong length": ("import fletch\n@fletch.batch\ndef f(x): return [1, 2, 3]", "38000", "it gave 3 values for 1 rows", ""),
    "no column": ("import fletch\n@fletch.batch\ndef f(x): return 1", "38000", "it gave a value of type int, expected a column of 1 values", ""),
    "wrong type of a column": ("import fletch\n@fletch.batch\ndef f(x): return x * 0.5", "38000", "it gave an array of float64, it RETURNS bigint", ""),
    "two dimensions": ("import fletch\n@fletch.batch\ndef f(x): return x.reshape(1, 1)", "38000", "with 2 dimensions", ""),
    "lone surrogate": ("def f(x): raise ValueError('\\ud800')", "38000", "function f(7)", ""),
    "exception that raises": ("class E(Exception):\n    def __str__(self): raise ValueError\ndef f(x): raise E()", "38000", "function f(7): ", ""),
    "no such module": ("import not_there\ndef f(x): return x", "38000", "ModuleNotFoundError: No module named 'not_there'", "line 2"),
    "syntax": ("def f(x):\n  return 1 +", "42P13", "function f: SyntaxError: invalid syntax, line 3", ""),
    "another name": ("def g(x): return x", "42P13", "the text defines no function f, but g", ""),
    "an unsigned number that is too large": ("import fletch, numpy\n@fletch.batch\ndef f(x): return numpy.array([2 ** 63], 'u8')", "38000", "function f(7): it gave 9223372036854775808, beyond what bigint holds", ""),
    "a real that is too large": (REAL.format("3.5e38"), "38000", "function f(7): it gave 3.5e+38, beyond what real holds", ""),
    "a real that is too small": (REAL.format("-1e300"), "38000", "function f(7): it gave -1e+300, beyond what real holds", ""),
    "reals that are too large": (REALS.format("numpy.full(len(x), 1e39)"), "38000", "function f(7): it gave 1e+39, beyond what real holds", ""),
    "timestamps between two microseconds": (MOMENTS.format("timestamp", "'2024-01-01T00:00:00.000001500', 'ns'"), "22008", "function f(7): it gave 2024-01-01T00:00:00.000001500, which timestamp in microseconds does not hold", ""),
    "timestamps beyond the years": (MOMENTS.format("timestamp", "'400000-01-01', 'D'"), "22008", "which timestamp in microseconds does not hold", ""),
    "a timestamp between two seconds": ("import datetime\ndef f(x): return datetime.datetime(2024, 1, 1, 0, 0, 0, 5) #timestamp(0)", "22008", "function f(7): it gave 2024-01-01 00:00:00.000005, which timestamp in seconds does not hold", ""),
    "dates with a time": (MOMENTS.format("date", "'2024-01-01T10', 'h'"), "22008", "which date in days does not hold", ""),
    "no function": ("f = 3", "42P13", "f is a int, not a function", ""),
    "arguments": ("def f(x, y): return x", "42P13", "it is declared with 1 arguments, def f takes 2", ""),
    "ends at its start": ("import os\nos._exit(4)", "38000", "its process exited with status 4", ""),
}


def errors(session):
    for name, (body, state, message, hint) in ERRORS.items():
        body, _, returns = body.partition("#")
        answer = session.ask(create(body, f"(x bigint) RETURNS {returns or 'bigint'}"))
        if "error" not in answer:
            answer = session.ask("SELECT f(7)")
        error = answer.get("error", {"sqlstate": "", "message": str(answer)})
        is_told = error["sqlstate"] == state and message in error["message"] and hint in error.get("hint", "")
        check(f"error: {name}", is_told or error, True)
    answer = session.ask("CREATE FUNCTION h(x interval) RETURNS bigint LANGUAGE python AS $$def h(x): return 1$$")
    check("a type that is not passed", answer["error"]["sqlstate"], "0A000")
    answer = session.ask("CREATE FUNCTION h() RETURNS bigint LANGUAGE python AS $$\nimport fletch\n@fletch.batch\ndef h(): return 1\n$$")
    check("a batch of no columns", answer["error"]["sqlstate"], "42P13")
    session.run(create("def f(x): return chr(0xd800)", "(x bigint) RETURNS text"))
    check("no UTF-8", "cannot be written as UTF-8" in session.ask("SELECT f(1)")["error"]["message"], True)


# ---- what it must not do ----

RAISES = """
def f(x):
    try:
        {action}
    except {exception}:
        return -1
    return 0
"""

# What the query answers (None: whatever the function likes), or a part of its error.
HOSTILE = {
    "reads a file": (RAISES.format(action="open('{secret}').read()", exception="PermissionError"), -1),
    "reads the host's environment": (RAISES.format(action="open('/proc/{pid}/environ').read()", exception="PermissionError"), -1),
    "reads its own environment": (RAISES.format(action="open('/proc/self/environ').read()", exception="PermissionError"), -1),
    "reads passwords": (RAISES.format(action="open('/etc/passwd').read()", exception="PermissionError"), -1),
    "lists a folder": (RAISES.format(action="import os; os.listdir('{folder}')", exception="PermissionError"), -1),
    "writes a file": (RAISES.format(action="open('{folder}/left', 'w')", exception="PermissionError"), -1),
    "writes among the modules": (RAISES.format(action="open('/usr/lib/python3/left', 'w')", exception="OSError"), -1),
    "makes a folder": (RAISES.format(action="import os; os.mkdir('{folder}/left')", exception="PermissionError"), -1),
    "removes a file": (RAISES.format(action="import os; os.unlink('{secret}')", exception="PermissionError"), -1),
    "links a file": (RAISES.format(action="import os; os.link('{secret}', '{folder}/left')", exception="PermissionError"), -1),
    "connects": (RAISES.format(action="import socket; socket.create_connection(('127.0.0.1', {port}), 1)", exception="PermissionError"), -1),
    "makes a socket": (RAISES.format(action="import socket; socket.socket(socket.AF_UNIX)", exception="PermissionError"), -1),
    "starts a program": (RAISES.format(action="import os; os.execv('/bin/true', ['true'])", exception="PermissionError"), -1),
    "starts a process": (RAISES.format(action="import subprocess; subprocess.run(['true'])", exception="PermissionError"), -1),
    "forks": (RAISES.format(action="import os; os.fork()", exception="PermissionError"), -1),
    "fork bomb": ("import os\ndef f(x):\n    while True:\n        os.fork()", "PermissionError"),
    "kills the host": (RAISES.format(action="import os; os.kill({pid}, 9)", exception="PermissionError"), -1),
    "traces the host": ("import ctypes\ndef f(x): return ctypes.CDLL(None).ptrace(16, {pid}, 0, 0)", -1),
    "limits the host": (RAISES.format(action="import resource; resource.prlimit({pid}, resource.RLIMIT_CPU, (1, 1))", exception="PermissionError"), -1),
    "lifts its limits": (RAISES.format(action="import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1))", exception="(PermissionError, ValueError)"), -1),
    "cuts the memory off": (RAISES.format(action="import os; os.ftruncate(3, 0)", exception="OSError"), -1),
    "sees secrets": ("import os\ndef f(x): return sum('SECRET' in name for name in os.environ)", 0),
    "has the host's files open": ("import os\ndef f(x):\n    n = 0\n    for fd in range(4, 256):\n        try:\n            os.fstat(fd)\n            n += 1\n        except OSError:\n            pass\n    return n", 0),
    "asks for 10 GB": (RAISES.format(action="bytearray(10 << 30)", exception="MemoryError"), -1),
    "asks for 10 GB by and by": ("def f(x):\n    a = []\n    while True:\n        a.append(bytes([1]) * (64 << 20))", "MemoryError"),
    "prints 1 GB": ("def f(x):\n    for _ in range(1024):\n        print('x' * (1 << 20))\n    return 5", 5),
    "reads its input": (RAISES.format(action="input()", exception="EOFError"), -1),
    "exits": ("import os\ndef f(x): os._exit(3)", "function f(7): its process exited with status 3"),
    "exits well": ("import os\ndef f(x): os._exit(0)", "its process exited with status 0"),
    "faults": ("import ctypes\ndef f(x): return ctypes.string_at(0)", "its process was ended by signal 11"),
    "aborts": ("import os\ndef f(x): os.abort()", "its process was ended by signal 6"),
    "closes its socket": ("import os\ndef f(x):\n    os.close(3)\n    while True: pass", "its process closed the connection"),
    "answers before it is asked": ("import os\ndef f(x):\n    os.write(3, b'x')\n    os.write(3, b'x')\n    while True: pass", None),
    "works on between calls": ("import threading\ndef work():\n    while True: pass\ndef f(x):\n    threading.Thread(target=work, daemon=True).start()\n    return 1", 1),
    "loops": ("def f(x):\n    while True: pass", "timeout"),
    "loops in C": ("def f(x): return sum(range(10 ** 15))", "timeout"),
    "ignores signals": ("import signal\nfor s in (1, 2, 15): signal.signal(s, signal.SIG_IGN)\ndef f(x):\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass", "timeout"),
    "sleeps": ("import time\ndef f(x): time.sleep(1000)", "timeout"),
    "starts threads": ("import threading\ndef f(x):\n    while True:\n        threading.Thread(target=lambda: threading.Event().wait()).start()", "RuntimeError: can't start new thread"),
    "opens many files": (RAISES.format(action="a = [open('/dev/null') for _ in range(10000)]", exception="OSError"), -1),
}


def hostile(session, folder, port):
    secret = pathlib.Path(folder) / "secret"
    secret.write_text("secret")
    session.run("SET timeout = 60000")
    for name, (body, expected) in HOSTILE.items():
        for word, value in {"{secret}": secret, "{folder}": folder, "{pid}": session.process.pid, "{port}": port}.items():
            body = body.replace(word, str(value))
        answer = session.ask(create(body))
        check(f"hostile: {name} is made", answer.get("error"), None)
        if expected == "timeout":
            session.run("SET timeout = 300")
        took = float("inf")
        for _ in range(3):  # the best counts: the machine may have other work
            begin = time.monotonic()
            answer = session.ask("SELECT f(7)")
            took = min(took, time.monotonic() - begin)
            if expected != "timeout" or took < 0.4:
                break
        if expected == "timeout":
            check(f"hostile: {name}", answer.get("error", {}).get("sqlstate") or answer, "57014")
            check(f"hostile: {name} ends within 100 ms of the deadline", took < 0.3 + 0.1 * SLACK or took, True)
            session.run("SET timeout = 60000")
        elif isinstance(expected, str):
            error = answer.get("error", {"message": str(answer), "sqlstate": ""})
            check(f"hostile: {name}", (error["sqlstate"], expected in error["message"] or error["message"]), ("38000", True))
        elif expected is not None:
            check(f"hostile: {name}", answer.get("rows") or answer, [[expected]])
        check(f"hostile: {name} rests between calls", busy(session), [])
        session.run(create("def g(x): return x + 1", name="g"))
        check(f"after: {name}", session.ask("SELECT g(1), 6 * 7").get("rows"), [[2, 42]])
        session.run(create("def f(x): return x"))
        check(f"replaced: {name}", session.ask("SELECT f(1)").get("rows"), [[1]])
    check("nothing was written", sorted(os.listdir(folder)), ["secret"])
    check("nothing was removed", secret.read_text(), "secret")


def replaced(session):
    """A worker that crashes on one row is replaced within the session, and its function works for others."""
    session.run(create("import os\ndef f(x):\n    if x == 5: os._exit(1)\n    return x"))
    for _ in range(3):
        check("a crash names its row", session.ask("SELECT sum(f(range))::bigint FROM range(9)")["error"]["message"], "function f(5): its process exited with status 1")
        check("and is replaced", session.rows("SELECT sum(f(range))::bigint FROM range(5)"), [[10]])


def killed(session):
    """A worker that somebody kills while it waits is replaced without a word."""
    session.run(create("def f(x): return x"))
    session.run("SELECT f(1)")
    for child in children(session):
        os.kill(int(child), signal.SIGKILL)
    check("an idle worker that was killed", session.rows("SELECT f(2)"), [[2]])


def interrupted(program):
    """The host is killed: its workers go, too, within a moment."""
    with pipe.Pipe(program, ["--allow-python"]) as session:
        session.run(create("def f(x):\n    while True: pass"))
        session.process.stdin.write(json.dumps({"sql": "SELECT f(1)"}).encode() + b"\n")
        time.sleep(0.5)
        workers = children(session)
        check("a worker runs", len(workers) >= 1, True)
        session.process.kill()
        session.process.wait()
        time.sleep(0.3)
        check("no worker is left", [pid for pid in workers if state(pid) != "Z"], [])


def idle_workers(session):
    for number in range(20):
        session.run(create("def f(x): return x", name=f"many{number}").replace("def f", f"def many{number}"))
    check("few workers wait", len(children(session)) <= 8, True)
    for number in range(20):
        check(f"function {number}", session.rows(f"SELECT many{number}({number})"), [[number]])
        session.run(f"DROP FUNCTION many{number}")


def without_walls(program):
    """A kernel without Landlock: a filter that says there is no such call stands for it."""
    import ctypes

    def hide_landlock():
        code = [(0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x00050000 | 38), (0x06, 0, 0, 0x7FFF0000)]
        instructions = b"".join(o.to_bytes(2, "little") + bytes([t, f]) + k.to_bytes(4, "little") for o, t, f, k in code)
        buffer = ctypes.create_string_buffer(instructions)
        program = ctypes.create_string_buffer(len(code).to_bytes(8, "little") + ctypes.addressof(buffer).to_bytes(8, "little"))
        libc = ctypes.CDLL(None)
        assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0

    import subprocess

    sql = create("def f(x): return x") + "; SELECT f(1) AS one"
    for option, expected in (("--allow-python", (1, "this kernel has no Landlock")), ("--allow-python=unconfined", (0, "one\n1"))):
        run = subprocess.run([program, option, "--format", "csv", "-c", sql], capture_output=True, text=True, preexec_fn=hide_landlock)
        check(f"no Landlock, {option}", (run.returncode, expected[1] in run.stdout + run.stderr or run.stdout + run.stderr), (expected[0], True))


def has_numpy(program):
    with pipe.Pipe(program, ["--allow-python"]) as session:
        return "error" not in session.ask(create("import numpy\ndef f(x): return x"))


def not_allowed(program):
    with pipe.Pipe(program) as session:
        answer = session.ask(create("def f(x): return x"))
        check("not allowed", (answer["error"]["sqlstate"], answer["error"]["message"]), ("42501", "LANGUAGE python is not allowed"))


def listen():
    """A port on which nobody must call."""
    server = socket.create_server(("127.0.0.1", 0))
    calls = []

    def accept():
        while True:
            try:
                server.accept()
            except OSError:
                return
            calls.append(1)

    threading.Thread(target=accept, daemon=True).start()
    return server, calls


def main():
    global SLACK
    parser = argparse.ArgumentParser()
    parser.add_argument("--fletch", type=pathlib.Path, default=pipe.PROGRAM)
    parser.add_argument("--slack", type=float, default=1)
    options = parser.parse_args()
    SLACK = options.slack
    program = options.fletch.resolve()
    not_allowed(program)
    if not (program.parent / "fletch_python.so").exists():
        print("fletch_python.so is not built: there were no headers of Python")
        return 77
    if not has_numpy(program):
        print("there is no NumPy for functions in Python: apt install python3-numpy")
        return 77
    server, calls = listen()
    with tempfile.TemporaryDirectory() as folder, pipe.Pipe(program, ["--allow-python"], env={"MY_SECRET": "1"}) as session:
        answers(session)
        annotated(session)
        slow_texts(session)
        many_rows(session)
        errors(session)
        hostile(session, folder, server.getsockname()[1])
        replaced(session)
        killed(session)
        idle_workers(session)
        check("the program ends well", session.close(), 0)
    server.close()
    check("nobody was called", calls, [])
    arrow(program)
    interrupted(program)
    without_walls(program)
    print(f"{len(ERRORS)} errors, {len(HOSTILE)} hostile functions; {len(failures)} checks failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
