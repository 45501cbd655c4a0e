#!/usr/bin/env python3
"""What COPY writes, as others read it.

    copy_files.py [--fletch PROGRAM]

PyArrow and DuckDB give the same rows of each format as were written. Of Parquet files the statistics of row groups are those of their
rows, page indexes tell each page's place, bounds and nulls, Bloom filters exclude what is not there and nothing that is, and a page
with a flipped bit is found by its checksum. A file is the same for any number of threads. Relies on: pyarrow, duckdb.
"""

import argparse
import base64
import datetime
import decimal
import json
import math
import pathlib
import sys
import tempfile
import uuid

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

import pipe
import thrift

ROWS = 150_000
MAKE = f"""CREATE TABLE t AS SELECT i AS id, i % 7 = 0 AS flag, (i % 100)::tinyint AS small, (i * 7919 % 100003)::integer AS mixed,
    CASE WHEN i % 5 > 0 THEN i * 1000003 END AS big, i / 8.0 AS real, (i * i % 997 * 1.25)::decimal(9, 2) AS price, (i * i % 997 * 10)::integer AS code, (i * i % 997 * 10)::bigint AS long_code,
    (i * 3)::decimal(30, 5) AS wide, 'word ' || (i % 50) AS word, CASE WHEN i % 3 > 0 THEN 'a longer text, number ' || (i * 31 % 100019) END AS text,
    DATE '2020-01-01' + (i % 3000)::integer AS day, TIMESTAMP '2024-01-01' + to_seconds(i) AS moment,
    CASE WHEN i < 75000 THEN NULL ELSE i END AS late, CASE WHEN i % 4 > 0 THEN range(i % 4) END AS items,
    {{'a': i, 'b': ['x' || i % 10, NULL]}} AS pair FROM range({ROWS}) AS r(i)"""
FLAT = ["id", "small", "mixed", "big", "real", "price", "code", "long_code", "wide", "word", "text", "day", "moment", "late"]


def check(is_true, what):
    if not is_true:
        raise SystemExit(f"copy_files: {what}")


def same_rows(fletch, folder):
    """Each format beside the rows of the table, as PyArrow has them of the Parquet file and DuckDB of all."""
    truth = pq.read_table(folder / "t.parquet")
    check(truth.num_rows == ROWS, "rows of the Parquet file")
    con = duckdb.connect()
    con.execute(f"CREATE TABLE truth AS FROM '{folder}/t.parquet'")
    check(con.sql("SELECT * FROM truth").to_arrow_table().cast(truth.schema).equals(truth), "PyArrow and DuckDB differ")
    for row in (0, 1, 74_999, 75_000, ROWS - 1):
        told = fletch.rows(f"SELECT id, big, wide::text, text, day::text, moment::text, late, items FROM t WHERE id = {row}")[0]
        there = truth.slice(row, 1).to_pylist()[0]
        there["moment"] = there["moment"].strftime("%Y-%m-%d %H:%M:%S")
        names = ["id", "big", "wide", "text", "day", "moment", "late"]
        check([str(v) for v in told[:7]] == [str(there[n]) for n in names], f"row {row}: {told} is not {there}")
    for name, options in (("t.arrow", ""), ("packed.arrow", " (COMPRESSION zstd)"), ("t.arrows", ""), ("packed.arrows", " (COMPRESSION lz4)")):
        path = folder / name
        fletch.run(f"COPY t TO '{path}'{options}")
        with (pa.ipc.open_file if path.suffix == ".arrow" else pa.ipc.open_stream)(path) as reader:
            table = reader.read_all()
        table.validate(full=True)
        check(table.cast(truth.schema).equals(truth), f"rows of {name}")
    for name, options, reader in (("t.csv", "", "read_csv"), ("t.csv.gz", "", "read_csv"), ("t.ndjson", "", "read_json"),
                                  ("t.json", " (ARRAY true)", "read_json")):
        fletch.run(f"COPY t TO '{folder}/{name}'{options}")
        for query in ("SELECT count(*), sum(id), sum(big), count(text), max(word), sum(late::bigint), min(day)::text, max(moment)::text",
                      "SELECT count(DISTINCT text), count(DISTINCT mixed), sum(CASE WHEN flag THEN 1 ELSE 0 END)"):
            want = con.sql(f"{query} FROM truth").fetchall()
            got = con.sql(f"{query} FROM {reader}('{folder}/{name}', sample_size = -1)").fetchall()
            check(want == got, f"{name}: {got} is not {want}")
    print("rows of every format as PyArrow and DuckDB read them")


# Each type, values of it in SQL, and what PyArrow makes of them (None: an interval, which is compared by DuckDB alone).
UTC = datetime.timezone.utc
TYPES = [
    ("boolean", ["true", "false"], [True, False]),
    ("tinyint", ["-128", "127"], [-128, 127]), ("smallint", ["-32768", "32767"], [-32768, 32767]),
    ("integer", ["-2147483648", "2147483647"], [-2**31, 2**31 - 1]),
    ("bigint", ["-9223372036854775808", "9223372036854775807"], [-2**63, 2**63 - 1]),
    ("utinyint", ["0", "255"], [0, 255]), ("usmallint", ["0", "65535"], [0, 65535]), ("uinteger", ["0", "4294967295"], [0, 2**32 - 1]),
    ("ubigint", ["0", "18446744073709551615"], [0, 2**64 - 1]),
    ("real", ["1.5", "'-Infinity'"], [1.5, -math.inf]), ("double", ["0.1", "'Infinity'"], [0.1, math.inf]),
    ("decimal(9,2)", ["-9999999.99", "0.01"], [decimal.Decimal("-9999999.99"), decimal.Decimal("0.01")]),
    ("decimal(18,4)", ["12345678901234.5678", "-0.0001"], [decimal.Decimal("12345678901234.5678"), decimal.Decimal("-0.0001")]),
    ("decimal(38,10)", ["1234567890123456789012345678.0123456789", "0"], [decimal.Decimal("1234567890123456789012345678.0123456789"), decimal.Decimal("0E-10")]),
    ("text", ["''", "'a,\"b''c' || chr(10) || '#;|' || chr(9)"], ["", "a,\"b'c\n#;|\t"]),
    ("bytea", ["'\\x00ff'", "''"], [b"\x00\xff", b""]),
    ("date", ["'2024-02-29'", "'1969-12-31'"], [datetime.date(2024, 2, 29), datetime.date(1969, 12, 31)]),
    ("time", ["'23:59:59.999999'", "'00:00:00'"], [datetime.time(23, 59, 59, 999999), datetime.time(0)]),
    ("timestamp", ["'2024-02-29 12:34:56.789012'", "'1969-12-31 23:59:59.999999'"],
     [datetime.datetime(2024, 2, 29, 12, 34, 56, 789012), datetime.datetime(1969, 12, 31, 23, 59, 59, 999999)]),
    ("timestamp(0)", ["'2024-02-29 12:34:56'", "'1969-12-31 23:59:59'"],
     [datetime.datetime(2024, 2, 29, 12, 34, 56), datetime.datetime(1969, 12, 31, 23, 59, 59)]),
    ("timestamp(3)", ["'2024-02-29 12:34:56.789'", "'1969-12-31 23:59:59.999'"],
     [datetime.datetime(2024, 2, 29, 12, 34, 56, 789000), datetime.datetime(1969, 12, 31, 23, 59, 59, 999000)]),
    ("timestamptz", ["'2024-02-29 12:34:56.789012+00'", "'1969-12-31 23:59:59+00'"],
     [datetime.datetime(2024, 2, 29, 12, 34, 56, 789012, UTC), datetime.datetime(1969, 12, 31, 23, 59, 59, 0, UTC)]),
    ("interval", ["'1 year 2 days 03:00:00'", "'00:00:00'"], None),
    ("json", ["""'{"a":[1,null]}'""", "'7'"], ('{"a":[1,null]}', "7")),
    ("uuid", ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'00000000-0000-0000-0000-000000000000'"],
     (uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), uuid.UUID(int=0))),
    ("enum('b', 'a')", ["'a'", "'b'"], ("a", "b")),
    ("bit", ["'0101'", "'1'"], ("0101", "1")),
    ("timetz", ["'10:00+02'", "'23:59:59.5-08:30'"], ("10:00:00+02", "23:59:59.5-08:30")),
    ("map(text, integer)", ["MAP {'k': 1, 'l': NULL}", "MAP {}"], ([("k", 1), ("l", None)], [])),
    ("map(integer, map(text, uuid[]))", ["MAP {1: MAP {'x': ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, NULL]}, 2: NULL}", "MAP {3: MAP {}}"], None),
]
FORMATS = ["parquet", "zstd.parquet", "csv", "csv.gz", "ndjson", "json", "arrow", "arrows"]


def every_type(fletch, folder):
    """Values of each type, NULL, and lists and structs of them, go through every format and back; PyArrow reads those of Parquet and Arrow."""
    for name, values, told in TYPES:
        fletch.run("DROP TABLE IF EXISTS e")
        fletch.run("DROP TABLE IF EXISTS back")
        fletch.run(f"CREATE TABLE e (x {name}, l {name}[], s struct(a {name}), n struct(l {name}[])[])")
        a, b = (f"CAST({v} AS {name})" for v in values)
        fletch.run(f"INSERT INTO e VALUES ({a}, [{a}, NULL, {b}], {{'a': {b}}}, [{{'l': [{a}]}}]), (NULL, NULL, NULL, NULL), ({b}, [], {{'a': NULL}}, [])")
        fletch.run("CREATE TABLE back AS FROM e WITH NO DATA")
        for ending in FORMATS:
            path = folder / f"every.{ending}"
            options = " (COMPRESSION zstd)" if ending == "zstd.parquet" else " (ARRAY true)" if ending == "json" else ""
            fletch.run(f"COPY e TO '{path}'{options}")
            fletch.run("TRUNCATE back")
            fletch.run(f"COPY back FROM '{path}'")
            for query in ("FROM e EXCEPT ALL FROM back", "FROM back EXCEPT ALL FROM e"):
                check(fletch.rows(f"SELECT count(*) FROM ({query})") == [[0]], f"{name} through {ending}: {fletch.rows('FROM back')}")
            if told is None or ending not in ("parquet", "arrow"):
                continue
            table = pq.read_table(path) if ending == "parquet" else pa.ipc.open_file(path).read_all()
            first, second = told
            want = [{"x": first, "l": [first, None, second], "s": {"a": second}, "n": [{"l": [first]}]},
                    {"x": None, "l": None, "s": None, "n": None}, {"x": second, "l": [], "s": {"a": None}, "n": []}]
            check(table.to_pylist() == want, f"{name} in {ending}: {table.to_pylist()} is not {want}")
    print(f"{len(TYPES)} types through {len(FORMATS)} formats and back")


def encrypted(fletch, folder):
    """A file that is written by a key: PyArrow opens each of its parts with it, and none with another."""
    for key in ("0123456789abcdef", "0123456789abcdef01234567", "0123456789abcdef0123456789abcdef"):
        path = folder / f"encrypted_{len(key)}.parquet"
        fletch.run(f"COPY t TO '{path}' (ENCRYPTION_CONFIG {{'footer_key': '{key}'}}, ROW_GROUP_SIZE 20000, COMPRESSION zstd)")
        table = pq.read_table(path, decryption_properties=pe.create_decryption_properties(key.encode()))
        check(table.equals(pq.read_table(folder / "t.parquet").cast(table.schema)), f"rows of {path.name}")
        check(b"text" not in path.read_bytes(), f"{path.name} holds plain text")
        try:
            pq.read_table(path, decryption_properties=pe.create_decryption_properties(b"1" + key.encode()[1:]))
            check(False, f"{path.name} opens with another key")
        except OSError:
            pass
    print("encrypted files as PyArrow opens them")


class PlainKms(pe.KmsClient):
    """Keys that are wrapped in nothing but base64: what a file says of its keys are the keys."""

    def wrap_key(self, key_bytes, master_key_identifier):
        return base64.b64encode(key_bytes)

    def unwrap_key(self, wrapped_key, master_key_identifier):
        return base64.b64decode(wrapped_key)


def key_material(key, is_footer):
    """What PyArrow looks for in a file, to ask a service for a key."""
    material = {"keyMaterialType": "PKMT1", "internalStorage": True, "isFooterKey": is_footer, "masterKeyID": "m",
                "wrappedDEK": base64.b64encode(key.encode()).decode(), "doubleWrapping": False}
    return json.dumps(material | ({"kmsInstanceID": "DEFAULT", "kmsInstanceURL": "DEFAULT"} if is_footer else {}))


def encrypted_columns(fletch, folder):
    """A file whose columns have keys of their own, and one by the footer's: PyArrow opens it by what it says of its keys."""
    keys = {"i": "1123456789abcdef", "l": "2123456789abcdef01234567"}
    path = folder / "encrypted_columns.parquet"
    config = {"footer_key": "0123456789abcdef", "column_keys": keys, "footer_key_metadata": key_material("0123456789abcdef", True),
              "column_key_metadata": {name: key_material(key, False) for name, key in keys.items()}}
    rows = "SELECT i, 'text ' || i AS s, [i, i + 1] AS l FROM range(50000) AS r(i)"
    fletch.run(f"COPY ({rows}) TO '{path}' (ENCRYPTION_CONFIG {str(config)}, ROW_GROUP_SIZE 20000)")
    crypto = pe.CryptoFactory(lambda config: PlainKms())
    table = pq.read_table(path, decryption_properties=crypto.file_decryption_properties(pe.KmsConnectionConfig()))
    want = pa.table({"i": pa.array(range(50000)), "s": [f"text {i}" for i in range(50000)], "l": [[i, i + 1] for i in range(50000)]})
    check(table.to_pydict() == want.to_pydict(), f"rows of {path.name}")
    try:
        pq.read_table(path, decryption_properties=pe.create_decryption_properties(b"0123456789abcdef"))
        check(False, f"all columns of {path.name} open with the footer's key")
    except OSError:
        pass
    table = pq.read_table(path, columns=["s"], decryption_properties=pe.create_decryption_properties(b"0123456789abcdef"))
    check(table["s"].to_pylist() == want["s"].to_pylist(), f"the footer's column of {path.name}")
    print("columns with keys of their own as PyArrow opens them")


def keys_of_columns(fletch):
    """A column that a query does not name is not read, so that its key is not asked for. Not in test/slt: plans that read every column, as
    test/same has them, need every key."""
    keys = "{'footer_key': 'w+XgVSjt/Om1oFpb0yC6bw==', 'column_keys': {'a': 'f9jjmN/59RckkdPd/vHqPA=='}}"
    file = f"read_parquet('{pipe.ROOT / 'test/data/parquet/encrypted_columns.parquet'}', encryption_config = {keys})"
    rows = fletch.rows(f"SELECT count(*), sum(a) FROM {file}")
    check(rows == [[300, "44850"]], f"a column whose key is given: {rows}")
    answer = fletch.ask(f"SELECT max(s) FROM {file}")
    check(answer.get("error", {}).get("sqlstate") == "28000", f"a column whose key is not given: {answer}")


def statistics(folder, path):
    """Row groups' bounds and nulls; PyArrow's view of what indexes there are."""
    file = pq.ParquetFile(path, page_checksum_verification=True)
    file.read().validate(full=True)
    n = 0
    for g in range(file.metadata.num_row_groups):
        group = file.read_row_group(g)
        for i in range(file.metadata.num_columns):
            column = file.metadata.row_group(g).column(i)
            name = column.path_in_schema
            check(column.has_offset_index, f"{name} of group {g} has no offset index")
            if name not in FLAT:
                continue
            values = group.column(name)
            stats = column.statistics
            check(stats.null_count == values.null_count, f"nulls of {name} in group {g}")
            check(stats.has_min_max == (values.null_count < len(values)), f"bounds of {name} in group {g}")
            if not stats.has_min_max:
                continue
            check(column.has_column_index, f"{name} of group {g} has no column index")
            bounds = pa.compute.min_max(values).as_py()
            check((stats.min, stats.max) == (bounds["min"], bounds["max"]),
                  f"{name} of group {g}: {stats.min}, {stats.max} instead of {bounds}")
            n += 1
    print(f"bounds and nulls of {n} chunks, checksums of all pages")


def page_index(path):
    """Each page's place, first row, nulls and bounds, of columns of whole numbers."""
    data = path.read_bytes()
    footer, n = {}, 0
    length = int.from_bytes(data[-8:-4], "little")
    thrift.walk_struct(data, len(data) - 8 - length, (), footer)
    file = pq.ParquetFile(path)
    spans = {key: iter(footer[key]) for key in footer}
    for g in range(file.metadata.num_row_groups):
        group = file.read_row_group(g)
        for i in range(file.metadata.num_columns):
            name = file.metadata.row_group(g).column(i).path_in_schema
            at = thrift.number(data, next(spans[(4, 1, 4)]))
            places = {}
            thrift.walk_struct(data, at, (), places)
            begins = [thrift.number(data, span) for span in places[(1, 1)]]
            sizes = [thrift.number(data, span) for span in places[(1, 2)]]
            rows = [thrift.number(data, span) for span in places[(1, 3)]]
            check(rows[0] == 0 and all(a + b == c for a, b, c in zip(begins, sizes, begins[1:])), f"places of {name}'s pages")
            for begin, size in zip(begins, sizes):
                head = {}
                end = thrift.walk_struct(data, begin, (), head)
                check(end + thrift.number(data, head[(3,)][0]) == begin + size and (4,) in head, f"a page of {name}")
            if not file.metadata.row_group(g).column(i).has_column_index:
                continue
            at = thrift.number(data, next(spans[(4, 1, 6)]))
            index = {}
            thrift.walk_struct(data, at, (), index)
            nulls = [thrift.number(data, span) for span in index[(5,)]]
            if name not in ("id", "mixed", "big", "late"):
                continue
            lows, highs = index[(2,)], index[(3,)]
            for page, (first, end) in enumerate(zip(rows, rows[1:] + [len(group)])):
                values = group.column(name).slice(first, end - first)
                check(nulls[page] == values.null_count, f"nulls of page {page} of {name}")
                bounds = pa.compute.min_max(values).as_py()
                for key, (begin, stop) in (("min", lows[page]), ("max", highs[page])):
                    width = 4 if name == "mixed" else 8
                    told = int.from_bytes(data[stop - width:stop], "little", signed=True) if stop - begin > width else None
                    check(told == bounds[key], f"{key} of page {page} of {name}: {told} is not {bounds[key]}")
                n += 1
    check(n > 25, "pages were looked at")
    print(f"bounds and nulls of {n} pages, places of all")


def bloom(path):
    con = duckdb.connect()
    for column, there, missing in (("word", "'word 7'", "'word 77'"), ("code", "10", "11"), ("long_code", "10", "11")):
        for value, excluded in ((there, False), (missing, True)):
            got = {row[2] for row in con.sql(f"SELECT * FROM parquet_bloom_probe('{path}', '{column}', {value})").fetchall()}
            check(got == {excluded}, f"the Bloom filter of {column} says {got} of {value}")
    print("Bloom filters by DuckDB")


def checksums(folder, path):
    data = bytearray(path.read_bytes())
    broken = folder / "broken.parquet"
    n = 0
    for at in range(100, len(data) // 2, len(data) // 40):
        data[at] ^= 1
        broken.write_bytes(data)
        try:
            pq.ParquetFile(broken, page_checksum_verification=True).read()
        except OSError:
            n += 1
        data[at] ^= 1
    check(n >= 15, f"flipped bits were found in {n} files only")
    print(f"{n} flipped bits found by PyArrow")


def same_bytes(fletch, folder):
    for name in ("t.parquet", "t.csv", "t.ndjson", "t.arrow"):
        told = set()
        for threads in (1, 2, 5):
            fletch.run(f"SET threads = {threads}")
            fletch.run(f"COPY (SELECT * FROM t WHERE id % 3 > 0) TO '{folder}/threads-{name}'")
            told.add((folder / f"threads-{name}").read_bytes())
        check(len(told) == 1, f"{name} depends on the number of threads")
    print("the same bytes by 1, 2 and 5 threads")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fletch", default=pipe.PROGRAM)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, pipe.Pipe(args.fletch) as fletch:
        folder = pathlib.Path(folder)
        path = folder / "t.parquet"
        fletch.run(MAKE)
        fletch.run(f"COPY t TO '{path}'")
        same_rows(fletch, folder)
        every_type(fletch, folder)
        encrypted(fletch, folder)
        encrypted_columns(fletch, folder)
        keys_of_columns(fletch)
        statistics(folder, path)
        page_index(path)
        bloom(path)
        checksums(folder, path)
        same_bytes(fletch, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
