#!/usr/bin/env python3
"""R9: files that change under the program: between the statements that read them, and while a query reads them.

    file_changes.py [--fletch PROGRAM] [--rounds 12]

  - Prepared statements and views over a file that another one replaced, with other columns: rows of the new file, or an
    error that names what is missing.
  - Queries on several workers over a file that is meanwhile replaced (the rows of one of the two, always) or truncated,
    emptied, appended to (the rows, or 58030 "changed"); the process lives, and the next query is right.
  - Files that were at rest, so that the engine keeps their tables, and then change in ways that are hard to see: replaced
    or rewritten at the same length with the time put back, reached by a link that leads elsewhere, one more in a folder.
What every single moment of a scan gives is the unit test's matter (src/format/files_table_test.c), as is which tables are
kept (src/format/files_cache_test.c).
Relies on: pyarrow to make files, test/pipe.py. Exit status 1 when something differs.
"""

import argparse
import json
import os
import pathlib
import random
import sys
import tempfile
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test"))
import pipe  # noqa: E402

ROWS = 200_000
PROBLEMS = []


def expect(what, got, wanted):
    if got != wanted:
        PROBLEMS.append(f"{what}: {str(got)[:200]}, not {str(wanted)[:200]}")


def write_csv(path, columns):
    names = list(columns)
    path.write_text("".join(",".join(str(cell) for cell in line) + "\n" for line in [names, *zip(*columns.values())]))


def write_ndjson(path, columns):
    names = list(columns)
    path.write_text("".join(json.dumps(dict(zip(names, line))) + "\n" for line in zip(*columns.values())))


def write_parquet(path, columns):
    pq.write_table(pa.table(columns), path, row_group_size=20_000)


FORMATS = {"csv": write_csv, "ndjson": write_ndjson, "parquet": write_parquet}


def replace(path, write, columns):
    """Another file takes the name's place, as careful writers do it."""
    beside = path.with_name("beside." + path.name)
    write(beside, columns)
    os.replace(beside, path)


def answer(session, sql):
    """Rows, or the SQLSTATE and all that is said."""
    got = session.ask(sql)
    if "error" in got:
        return got["error"]["sqlstate"], f"{got['error']['message']} {got['error'].get('hint')}"
    return got["rows"]


def refuses(session, what, sql, state, word):
    got = answer(session, sql)
    if not isinstance(got, tuple) or got[0] != state or word not in got[1]:
        PROBLEMS.append(f"{what}: {sql}: {str(got)[:200]}, not {state} with '{word}'")


def check_statements(session, name, write, path):
    """Statements outlive the file that they were made over."""
    write(path, {"a": [1, 2], "b": ["x", "y"]})
    for sql in (f"PREPARE rows_{name} AS SELECT * FROM '{path}' ORDER BY ALL", f"CREATE VIEW view_{name} AS SELECT b, a FROM '{path}'",
                f"PREPARE some_{name} AS SELECT b FROM '{path}' WHERE a = $1", f"CREATE VIEW named_{name} (k, l) AS SELECT * FROM '{path}'"):
        session.run(sql)
    expect(f"{name}, as it was", answer(session, f"EXECUTE rows_{name}"), [[1, "x"], [2, "y"]])
    expect(f"{name}, a parameter", answer(session, f"EXECUTE some_{name}(2)"), [["y"]])

    replace(path, write, {"b": ["q", "r", "s"], "c": [1.5, 2.5, 3.5], "a": [3, 2, 1]})
    expect(f"{name}, more columns", answer(session, f"EXECUTE rows_{name}"), [["q", 1.5, 3], ["r", 2.5, 2], ["s", 3.5, 1]])
    expect(f"{name}, more columns, a parameter", answer(session, f"EXECUTE some_{name}(2)"), [["r"]])
    expect(f"{name}, more columns, a view", answer(session, f"FROM view_{name} ORDER BY a"), [["s", 1], ["r", 2], ["q", 3]])
    expect(f"{name}, more columns, a view's names", answer(session, f"SELECT k, l, a FROM named_{name} WHERE a = 1"), [["s", 3.5, 1]])

    replace(path, write, {"a": ["one", "two"], "b": [7, 8]})
    expect(f"{name}, other types", answer(session, f"EXECUTE rows_{name}"), [["one", 7], ["two", 8]])
    expect(f"{name}, other types, a view", answer(session, f"FROM view_{name} ORDER BY b"), [[7, "one"], [8, "two"]])
    refuses(session, f"{name}, other types", f"EXECUTE some_{name}(2)", "42883", "text")

    replace(path, write, {"c": [1]})
    expect(f"{name}, one other column", answer(session, f"EXECUTE rows_{name}"), [[1]])
    for sql in (f"EXECUTE some_{name}(2)", f"FROM view_{name}"):
        refuses(session, f"{name}, one other column", sql, "42703", '"')
    path.unlink()
    for sql in (f"EXECUTE rows_{name}", f"FROM view_{name}"):
        refuses(session, f"{name}, no file", sql, "58P01", path.name)
    write(path, {"a": [1, 2], "b": ["x", "y"]})
    expect(f"{name}, as it was again", answer(session, f"EXECUTE some_{name}(1)"), [["x"]])


REST_S = 2.2  # after which a file's times are believed


def put_back(path, changed):
    """Changes a file and gives it the times of before."""
    times = path.stat()
    changed()
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def check_rested(session, folders):
    """Files that were asked for again and again before they change."""
    before, after = {"a": [1, 2], "b": ["x", "y"]}, {"a": [3, 4], "b": ["x", "y"]}
    kinds = ("replaced", "rewritten", "cut", "grown", "removed")
    for name, folder in folders.items():
        for kind in kinds:
            FORMATS[name](folder / f"{kind}.{name}", before)
        for side, columns in (("left", before), ("right", after)):
            (folder / side).mkdir()
            FORMATS[name](folder / side / f"one.{name}", columns)
        (folder / "link").symlink_to("left")
    time.sleep(REST_S)
    for name, folder in folders.items():
        write = FORMATS[name]
        paths = {kind: folder / f"{kind}.{name}" for kind in kinds}
        asked = [f"SELECT sum(a)::integer FROM '{path}'" for path in paths.values()]
        linked, pattern = (f"SELECT sum(a)::integer FROM '{folder / place}'" for place in (f"link/one.{name}", f"left/*.{name}"))
        for _ in range(3):
            for sql in (*asked, linked, pattern):
                expect(f"{name}, at rest: {sql}", answer(session, sql), [[3]])
        put_back(paths["replaced"], lambda: replace(paths["replaced"], write, after))
        put_back(paths["rewritten"], lambda: write(paths["rewritten"], after))
        put_back(paths["cut"], lambda: write(paths["cut"], {"a": [7], "b": ["x"]}))
        put_back(paths["grown"], lambda: write(paths["grown"], {"a": [1, 2, 5], "b": ["x", "y", "z"]}))
        paths["removed"].unlink()
        (folder / "new").symlink_to("right")
        os.replace(folder / "new", folder / "link")
        write(folder / "left" / f"two.{name}", {"a": [10], "b": ["x"]})
        wanted = {"replaced": 7, "rewritten": 7, "cut": 7, "grown": 8}
        for _ in range(2):
            for kind, value in wanted.items():
                expect(f"{name}, {kind} after a rest", answer(session, f"SELECT sum(a)::integer FROM '{paths[kind]}'"), [[value]])
            refuses(session, f"{name}, removed after a rest", asked[-1], "58P01", paths["removed"].name)
            expect(f"{name}, another link after a rest", answer(session, linked), [[7]])
            expect(f"{name}, a file more after a rest", answer(session, pattern), [[13]])


def ask_while(session, sql, act):
    """Starts a query, lets `act` happen meanwhile, and gives the query's answer."""
    got = []
    asking = threading.Thread(target=lambda: got.append(answer(session, sql)))
    asking.start()
    act()
    asking.join()
    if not got:
        raise pipe.Died("no answer")
    return got[0]


def check_queries(session, name, write, path, rounds, rng):
    """Changes that come while a query runs."""
    columns = {digit: {"a": [digit] * ROWS, "b": [f"text {i % 100}" for i in range(ROWS)]} for digit in (1, 2)}
    right = {digit: [[ROWS, digit, digit, 100]] for digit in (1, 2)}
    sql = f"SELECT count(*), min(a), max(a), count(DISTINCT b) FROM '{path}'"
    for digit in columns:
        write(path.with_name(f"{digit}.{name}"), columns[digit])
    whole = path.with_name(f"1.{name}").read_bytes()
    changed = 0
    for number in range(rounds):
        digit = 1 + number % 2
        path.write_bytes(path.with_name(f"{digit}.{name}").read_bytes())
        expect(f"{name}, quiet", answer(session, sql), right[digit])
        beside = path.with_name(f"beside.{name}")
        beside.write_bytes(path.with_name(f"{3 - digit}.{name}").read_bytes())
        pause = rng.random() * rng.choice((0.003, 0.02))

        def exchange():
            time.sleep(pause)
            os.replace(beside, path)

        got = ask_while(session, sql, exchange)
        if got not in right.values():
            PROBLEMS.append(f"{name}, replaced after {pause * 1000:.1f} ms: {str(got)[:200]}")

        path.write_bytes(whole)
        length = rng.choice((0, 1, len(whole) // 2, len(whole) - 1, len(whole) + 1))

        def cut():
            time.sleep(pause)
            os.truncate(path, length)

        got = ask_while(session, sql, cut)
        is_refusal = isinstance(got, tuple) and got[0] == "58030" and "changed" in got[1]
        changed += is_refusal
        # the file may also have been opened after it was cut: then it is an empty or a broken one, and named as such
        is_of_cut = isinstance(got, tuple) and got[0] in ("22000", "22021", "XX001", "22P02") or \
            (isinstance(got, list) and got[0][0] < ROWS and length < len(whole))
        if not (got == right[1] or is_refusal or is_of_cut):
            PROBLEMS.append(f"{name}, cut to {length} of {len(whole)} bytes after {pause * 1000:.1f} ms: {str(got)[:200]}")
        expect(f"{name}, the session", answer(session, "SELECT 42"), [[42]])
    print(f"{name}: {changed} of {rounds} queries were told that their file changed")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    parser.add_argument("--rounds", type=int, default=12)
    args = parser.parse_args()
    rng = random.Random(9)
    session = pipe.Pipe(args.fletch, args=["--threads", "4"], timeout_s=60)
    try:
        with tempfile.TemporaryDirectory(prefix="file-changes-") as folder:
            folders = {name: pathlib.Path(folder) / name for name in FORMATS}
            for path in folders.values():
                path.mkdir()
            check_rested(session, folders)
        for name, write in FORMATS.items():
            with tempfile.TemporaryDirectory(prefix="file-changes-") as folder:
                check_statements(session, name, write, pathlib.Path(folder) / f"file.{name}")
                check_queries(session, name, write, pathlib.Path(folder) / f"file.{name}", args.rounds, rng)
    except (pipe.Died, pipe.QueryError) as died:
        PROBLEMS.append(str(died))
    expect("the process's end", session.close(), 0)
    print("\n".join(PROBLEMS[:40]))
    return 1 if PROBLEMS else 0


if __name__ == "__main__":
    sys.exit(main())
