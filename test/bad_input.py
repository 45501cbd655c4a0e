#!/usr/bin/env python3
"""Input that is wrong, damaged or huge: an answer or a clear error in bounded time, and the session goes on.

    bad_input.py [--fletch PROGRAM] [--only TEXT]

Each check is a case of docs/RELIABILITY.md, by its number there: truncated and lying Parquet files (1, 3, 4, 5),
compression bombs (6), broken CSV (7) and JSON (8), paths that are no files (10), texts of SQL that are too deep, too
long or no text (11), plans that are too wide (12). After every statement the session must answer SELECT 42.
Relies on: pyarrow to make files, test/pipe.py. Exit status 1 when a check fails.
"""

import argparse
import gzip
import os
import pathlib
import socket
import sys
import tempfile
import time

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test"))
import pipe  # noqa: E402

SECONDS_MAX = 2.0
# A sanitizer's build is slower by an order of magnitude; the limits are about growth, not about speed.
SLOW_FACTOR = 15


class Checker:
    def __init__(self, program, seconds_max):
        self.program, self.seconds_max = program, seconds_max
        self.problems = []
        self.case = ""
        self.pipe = pipe.Pipe(program, timeout_s=60)

    def problem(self, text):
        self.problems.append(f"{self.case}: {text}")

    def ask(self, sql, label=None):
        """The answer; its time, and that the session survives, are checked on the way. None when the process died."""
        label = label or sql[:100]
        start = time.monotonic()
        try:
            answer = self.pipe.ask(sql)
            took = time.monotonic() - start
            if took > self.seconds_max:
                self.problem(f"{label}: {took:.1f} s")
            if self.pipe.rows("SELECT 42") != [[42]]:
                self.problem(f"{label}: the session no longer answers")
        except (pipe.Died, pipe.QueryError) as died:
            self.problem(f"{label}: {died}")
            self.pipe.close()
            self.pipe = pipe.Pipe(self.program, timeout_s=60)
            return None
        if "error" in answer and answer["error"].get("sqlstate") in (None, "", "XX000"):
            self.problem(f"{label}: an internal error: {answer['error'].get('message')}")
        return answer

    def refuses(self, sql, label=None, states=(), words=()):
        """An error, with one of `states`, whose message or hint has all of `words`."""
        answer = self.ask(sql, label)
        if answer is None:
            return
        label = label or sql[:100]
        if "error" not in answer:
            self.problem(f"{label}: answered {str(answer['rows'])[:100]} instead of an error")
            return
        error = answer["error"]
        text = f"{error.get('message')} {error.get('hint')}"
        if states and error["sqlstate"] not in states:
            self.problem(f"{label}: {error['sqlstate']} instead of {' or '.join(states)}: {text[:200]}")
        for word in words:
            if word not in text:
                self.problem(f"{label}: '{word}' is not in: {text[:200]}")

    def gives(self, sql, rows, label=None):
        answer = self.ask(sql, label)
        if answer is not None and answer.get("rows") != rows:
            self.problem(f"{label or sql[:100]}: {str(answer.get('rows', answer.get('error')))[:200]}, not {str(rows)[:100]}")

    def lives(self, sql, label=None):
        """Any answer or error."""
        self.ask(sql, label)


def small_parquet(folder, **options):
    path = folder / "small.parquet"
    table = pa.table({"a": pa.array(range(40), pa.int64()), "s": pa.array([f"text {i % 7}" for i in range(40)])})
    pq.write_table(table, path, **options)
    return path


def case_1_prefixes(check, folder):
    data = small_parquet(folder, write_page_checksum=True).read_bytes()
    cut = folder / "prefix.parquet"
    for length in range(len(data)):
        cut.write_bytes(data[:length])
        check.refuses(f"SELECT count(*), sum(a), max(s) FROM '{cut}'", f"the first {length} of {len(data)} bytes",
                      words=["prefix.parquet"])


def case_3_lying_sizes(check, folder):
    data = bytearray(small_parquet(folder, compression="none", use_dictionary=False).read_bytes())
    # the first page header begins at byte 4: type (15 00), then uncompressed and compressed size as zigzag varints
    huge = bytes([0xFE, 0xFF, 0xFF, 0xFF, 0x0F])
    at = data.index(b"\x15", 5)
    lying = folder / "lying.parquet"
    lying.write_bytes(bytes(data[:at + 1]) + huge + bytes(data[at + 2:]))
    check.refuses(f"SELECT sum(a) FROM '{lying}'", "a page of 2 GB in a file of 1 KB")
    footer_length = folder / "footer.parquet"
    footer_length.write_bytes(bytes(data[:-8]) + (0xFFFFFFF0).to_bytes(4, "little") + b"PAR1")
    check.refuses(f"SELECT sum(a) FROM '{footer_length}'", "a footer of 4 GB in a file of 1 KB")


def case_4_lying_values(check, folder):
    """Numbers inside of pages that point elsewhere, in files without checksums. Each file is whole before it is changed."""
    def write(name, column, **options):
        path = folder / name
        pq.write_table(pa.table({"a": column}), path, compression="none", write_statistics=False, **options)
        return path, bytearray(path.read_bytes())

    def change(path, data, old, new, label):
        where = data.index(old)
        assert data.count(old) == 1, f"{label}: {old} is not in one place"
        path.write_bytes(bytes(data[:where]) + new + bytes(data[where + len(old):]))
        check.refuses(f"SELECT count(*), max(a::text) FROM '{path}'", label, states=["XX001"], words=[path.name])

    # three values in 40 rows: codes of two bits, of which 3 is none
    path, data = write("codes.parquet", pa.array([f"word{i % 3}" for i in range(40)]), use_dictionary=True)
    codes = bytes(sum((i % 3) << 2 * (i % 4) for i in range(at, at + 4)) for at in range(0, 40, 4))
    change(path, data, codes, b"\xff" * 10, "a dictionary code out of range")
    path, data = write("lengths.parquet", pa.array(["first", "second"]), use_dictionary=False)
    change(path, data, b"\x06\0\0\0second", b"\x07\0\0\0second", "a text that is longer than the page")
    change(path, data, b"\x06\0\0\0second", b"\xff\xff\xff\xffsecond", "a text of a negative length")
    path, data = write("deltas.parquet", pa.array(["first", "second"]), use_dictionary=False,
                       column_encoding="DELTA_LENGTH_BYTE_ARRAY")
    change(path, data, b"firstsecond", b"first" + b"\xff" * 6, "text that is not UTF-8")
    lengths = data.index(b"firstsecond") - 1
    for value in range(256):    # every byte of the lengths' last block
        changed = bytearray(data)
        changed[lengths] = value
        path.write_bytes(changed)
        check.lives(f"SELECT count(*), max(a) FROM '{path}'", f"lengths that end with {value}")
    path, data = write("names.parquet", pa.array([{"first": 1, "second": 2}]), store_schema=False)
    for name in (b"first", b"second"):
        path.write_bytes(data.replace(name, name[:-1] + b"\xff"))
        check.refuses(f"SELECT count(*) FROM '{path}'", "a name that is not UTF-8", states=["22021"], words=[path.name])
    path, data = write("lists.parquet", pa.array([[1, 2], [3], []] * 10, pa.list_(pa.int32())), use_dictionary=False)
    page = data.index(b"\x15", 5)
    for at in range(page, min(page + 120, len(data))):
        for value in (0x00, 0xFF, data[at] ^ 0x01, data[at] ^ 0x80):
            changed = bytearray(data)
            changed[at] = value
            path.write_bytes(changed)
            check.lives(f"SELECT count(*), sum(len(a)) FROM '{path}'", f"levels of lists with {value} at {at}")


def case_5_wide_and_deep(check, folder):
    wide = folder / "wide.parquet"
    pq.write_table(pa.table({f"c{i}": [i] for i in range(10_000)}), wide)
    check.gives(f"SELECT c0, c9999 FROM '{wide}'", [[0, 9999]])
    groups = folder / "groups.parquet"
    pq.write_table(pa.table({"a": range(10_000)}), groups, row_group_size=1)
    check.gives(f"SELECT count(*), max(a) FROM '{groups}'", [[10_000, 9999]])
    kind = pa.int32()
    value = 1
    for _ in range(100):
        kind, value = pa.list_(kind), [value]
    deep = folder / "deep.parquet"
    pq.write_table(pa.table({"a": pa.array([value], kind), "b": [7]}), deep)
    check.lives(f"SELECT a FROM '{deep}'", "lists in lists, 100 deep")


def case_6_bombs(check, folder):
    bomb = folder / "bomb.parquet"
    pq.write_table(pa.table({"s": ["x" * 50_000_000, "y"]}), bomb, compression="zstd", use_dictionary=False)
    check.pipe.close()
    check.pipe = pipe.Pipe(check.program, timeout_s=60)   # of its own: the peak is the process's
    check.lives("SET memory_limit = '32MB'")
    check.lives(f"SELECT length(s) FROM '{bomb}'", "a text of 50 MB under a limit of 32 MB")
    peak = check.pipe.peak_mb()
    if peak > 32 + 64 and "asan" not in str(check.program) and "tsan" not in str(check.program):
        check.problem(f"a limit of 32 MB, {peak:.0f} MB used")
    check.lives("RESET memory_limit")
    packed = folder / "packed.csv.gz"
    packed.write_bytes(gzip.compress(b"a\n" + b"1" * 30_000_000 + b"\n"))
    check.lives(f"SELECT a FROM '{packed}'", "a gzipped CSV field of 30 MB")


def case_7_csv(check, folder):
    def write(name, data):
        path = folder / name
        path.write_bytes(data)
        return path

    short = write("short.csv", b"a,b,c\n1,2,3\n4,5\n7,8,9\n")
    check.refuses(f"SELECT * FROM read_csv('{short}', delim = ',', header = true)", "a row with a field too few",
                  words=["short.csv", "3"])
    long = write("long.csv", b"a,b\n1,2\n3,4,5\n6,7\n")
    check.refuses(f"SELECT * FROM read_csv('{long}', delim = ',', header = true)", "a row with a field too many", words=["long.csv", "3"])
    quote = write("quote.csv", b'a,b\n1,"never closed\n2,x\n')
    check.refuses(f"SELECT * FROM read_csv('{quote}', delim = ',', header = true)", "a quote without its end", words=["quote.csv"])
    nul = write("nul.csv", b"a,b\n1,x\x00y\n2,z\n")
    check.refuses(f"SELECT a, length(b) FROM '{nul}'", "a NUL byte in a field", states=["22021"], words=["nul.csv", "line 2, column 4"])
    bom = write("bom.csv", b"\xef\xbb\xbfa,b\n1,x\n")
    check.gives(f"SELECT a, b FROM '{bom}'", [[1, "x"]], "a byte order mark")
    returns = write("returns.csv", b"a,b\r\n1,x\r\n2,y\r\n")
    check.gives(f"SELECT a, b FROM '{returns}' ORDER BY a", [[1, "x"], [2, "y"]], "lines that end in CR LF")
    mixed = write("mixed.csv", b"a,b\r\n1,x\n2,y\r\n")
    check.gives(f"SELECT a, b FROM '{mixed}'", [[1, "x"], [2, "y"]], "mixed line ends")
    old = write("old.csv", b"a,b\r1,x\r2,y\r")
    check.gives(f"SELECT a, b FROM '{old}'", [[1, "x"], [2, "y"]], "lines that end in CR alone")
    latin = write("latin.csv", "a,b\n1,caf\u00e9\n".encode("latin-1"))
    check.refuses(f"SELECT * FROM read_csv('{latin}', header = true)", "text that is not UTF-8", words=["latin.csv", "UTF-8"])
    empty = write("empty.csv", b"")
    check.refuses(f"SELECT * FROM '{empty}'", "an empty file", states=["22000"], words=["empty.csv"])
    header = write("header.csv", b"a,b\n")
    check.gives(f"SELECT count(*) FROM read_csv('{header}', header = true)", [[0]], "a header and no rows")
    line = write("line.csv", b"a,b\n1," + b"x" * 20_000_000 + b"\n")
    check.gives(f"SELECT length(b) FROM '{line}'", [[20_000_000]], "a line of 20 MB")
    line.write_bytes(b"a,b\n1," + b"x" * 110_000_000 + b"\n")
    check.refuses(f"SELECT length(b) FROM '{line}'", "a line of 110 MB", states=["54000"], words=["line.csv", "line 2", "100 MB"])
    number = write("number.csv", b"a,b\n" + b"1,2\n" * 30_000 + b"3,oops\n")
    check.refuses(f"SELECT sum(b) FROM read_csv('{number}', columns = {{'a': 'integer', 'b': 'integer'}})",
                  "a word among numbers", words=["number.csv", "30002", "oops"])


def case_8_json(check, folder):
    def write(name, text):
        path = folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    cut = write("cut.ndjson", '{"a": 1}\n{"a": 2\n')
    check.refuses(f"SELECT * FROM '{cut}'", "a truncated object", words=["cut.ndjson", "2"])
    array = write("array.json", '[{"a": 1}, {"a": 2}')
    check.refuses(f"SELECT * FROM '{array}'", "an array without its end", words=["array.json"])
    double = write("double.ndjson", '{"a": 1, "a": 2}\n')
    check.gives(f"SELECT a FROM '{double}'", [[2]], "a key twice: the last one counts")
    deep = write("deep.ndjson", '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}\n")
    check.refuses(f"SELECT a FROM '{deep}'", "arrays 100,000 deep", states=["54000"], words=["deep.ndjson", "line 1"])
    for number in ("1e999", "18446744073709551616"):
        huge = write("huge.ndjson", '{"a": 1}\n{"a": ' + number + "}\n")
        check.gives(f"SELECT a::text FROM '{huge}'", [["1"], [number]], f"the number {number}")
        check.refuses(f"SELECT a FROM read_json('{huge}', sample_size = 1)", f"the number {number} behind the sample",
                      states=["22003"], words=["huge.ndjson", "line 2", "column 7"])
    surrogate = write("surrogate.ndjson", '{"a": "\\ud800"}\n')
    check.refuses(f"SELECT a FROM '{surrogate}'", "half of a surrogate pair", states=["22000"], words=["surrogate.ndjson"])
    scalar = write("scalar.ndjson", "1\n2\n")
    check.refuses(f"SELECT * FROM '{scalar}'", "lines that are no objects", states=["22000"], words=["scalar.ndjson", "line 1"])
    empty = write("empty.ndjson", b"")
    check.refuses(f"SELECT * FROM '{empty}'", "an empty file", states=["22000"], words=["empty.ndjson"])
    mixed = write("mixed.ndjson", '{"a": 1}\n{"a": "x"}\n{"a": [1]}\n')
    check.gives(f"SELECT a FROM '{mixed}'", [["1"], ["x"], ["[1]"]], "a column of several types")


def case_10_paths(check, folder):
    os.mkdir(folder / "folder.parquet")
    os.mkfifo(folder / "fifo.csv")
    os.symlink(folder / "loop.csv", folder / "loop.csv")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "socket.csv"))
    for path in (folder / "socket.csv", folder / "folder.parquet", folder / "fifo.csv", folder / "loop.csv", "/dev/zero", "/dev/null.csv",
                 folder / "none.parquet", "/dev/stdin"):
        check.refuses(f"SELECT * FROM '{path}'", str(path))
    os.symlink(folder / "gone.csv", folder / "dangling.csv")
    for path in (folder / "dangling.csv", folder / "dangl*.csv"):
        check.refuses(f"SELECT * FROM '{path}'", "a link to nothing", states=["58P01"], words=["link", "gone.csv"])
    check.refuses(f"SELECT * FROM '{folder}'", "a directory", words=["directory"])
    check.refuses(f"SELECT * FROM '{folder}/none[1.csv'", "a bracket", states=["58P01"])
    for name in ("read_csv", "read_json", "read_parquet"):
        check.refuses(f"SELECT * FROM {name}('/dev/zero')", f"{name}('/dev/zero')")
    odd = folder / "a\nname.csv"
    odd.write_text("a\n1\n")
    check.gives(f"SELECT a FROM '{odd}'", [[1]], "a newline in a file's name")
    unreadable = folder / "unreadable.csv"
    unreadable.write_text("a\n1\n")
    unreadable.chmod(0)
    if os.geteuid() != 0:
        check.refuses(f"SELECT a FROM '{unreadable}'", words=["unreadable.csv"])


def case_11_texts(check, folder):
    check.refuses("SELECT " + "(" * 20_000 + "1" + ")" * 20_000, "20,000 parentheses")
    check.gives("SELECT " + "(" * 200 + "1" + ")" * 200, [[1]], "200 parentheses")
    check.lives("SELECT 1 WHERE " + " AND ".join(["1 = 1"] * 20_000), "20,000 ANDs")
    check.refuses("SELECT " + " + ".join(["1"] * 50_000), "a sum of 50,000 terms: nested deeper than expressions may be")
    check.gives("SELECT 7 IN (" + ", ".join(str(n) for n in range(100_000)) + ")", [[True]], "100,000 values in IN")
    check.gives("SELECT length('" + "x" * 10_000_000 + "')", [[10_000_000]], "a text of 10 MB")
    check.lives("SELECT " + "- " * 5000 + "1", "5,000 signs")
    check.lives("SELECT " + "NOT " * 20_000 + "true", "20,000 NOTs")
    check.lives("SELECT " + "CASE WHEN true THEN " * 5000 + "1" + " END" * 5000, "5,000 CASEs in one another")
    check.lives("SELECT * FROM " + "(SELECT * FROM " * 2000 + "(SELECT 1)" + ")" * 2000, "2,000 subqueries in one another")
    check.lives("SELECT " + "abs(" * 5000 + "1" + ")" * 5000, "5,000 calls in one another")
    check.lives(" UNION ALL ".join(["SELECT 1"] * 2000), "2,000 SELECTs in a UNION")
    check.refuses("SELECT 1\0, 2", "a NUL byte")
    check.refuses("SELECT '\ud800'", "half of a surrogate pair")
    check.lives("", "no text at all")
    check.refuses("SELECT 'never closed", "a string without its end")
    check.refuses("SELECT /* never closed", "a comment without its end")


def case_12_wide_plans(check, folder):
    names = [f"c{i}" for i in range(10_000)]
    check.gives("SELECT count(*) FROM (SELECT " + ", ".join(f"{i} AS {name}" for i, name in enumerate(names)) + ") t",
                [[1]], "10,000 columns")
    for count in (200, 900):
        tables = [f"(SELECT 1 AS x) t{i}" for i in range(count)]
        check.gives("SELECT count(*) FROM " + ", ".join(tables), [[1]], f"{count} tables joined")
        check.gives("SELECT count(*) FROM " + tables[0] + "".join(
            f" JOIN {table} ON t{i}.x = t{i + 1}.x" for i, table in enumerate(tables[1:])), [[1]], f"{count} tables joined by keys")
    check.refuses("SELECT count(*) FROM " + ", ".join(f"(SELECT 1 AS x) t{i}" for i in range(10_000)), "10,000 tables joined",
                  states=["54001"], words=["1000"])
    check.lives("CREATE TABLE base AS SELECT 1 AS x")
    deepest = 63
    for level in range(deepest + 1):
        check.gives(f"CREATE VIEW v{level} AS SELECT x FROM {f'v{level - 1}' if level else 'base'}", [], f"view {level}")
    check.gives(f"SELECT x FROM v{deepest}", [[1]], "views 64 deep")
    for level in range(deepest + 1, deepest + 4):
        check.lives(f"CREATE VIEW v{level} AS SELECT x FROM v{level - 1}")
    check.refuses(f"CREATE VIEW deep AS SELECT x FROM v{level}", "views deeper than 64")
    endless = "WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r)"
    check.lives("SET timeout = 1000")
    check.refuses(f"{endless} SELECT count(*) FROM r", "recursion without an end", states=["57014"])
    check.lives("SET timeout = 0")
    check.gives(f"{endless} SELECT 1 FROM r LIMIT 3", [[1]] * 3, "the first rows of a recursion without an end")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    slow = any(word in args.fletch for word in ("asan", "tsan", "debug"))
    check = Checker(args.fletch, SECONDS_MAX * (SLOW_FACTOR if slow else 1))
    for name, case in sorted(globals().items()):
        if name.startswith("case_") and args.only in name:
            before = len(check.problems)
            check.case = name
            with tempfile.TemporaryDirectory(prefix="bad-input-") as folder:
                case(check, pathlib.Path(folder))
            print(f"{name}: {len(check.problems) - before} problems", flush=True)
    status = check.pipe.close()
    if status != 0:
        check.problems.append(f"the process ended with status {status}")
    print("\n".join(problem[:500] for problem in check.problems[:40]))
    return 1 if check.problems else 0


if __name__ == "__main__":
    sys.exit(main())
