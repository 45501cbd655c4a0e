#!/usr/bin/env python3
"""Makes the small Parquet files with VARIANT columns that test/slt/format/parquet_variant.slt reads; they are kept in the tree, so run
this only to change them.

Relies on: duckdb, which writes variants and shreds them; pyarrow, for values that DuckDB does not write, and for broken ones.
"""

import pathlib
import struct
import uuid

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).resolve().parent / "parquet"
NULL = b"\x00"


def by_duckdb(name, query, options=""):
    duckdb.sql(f"COPY ({query}) TO '{HERE}/{name}.parquet' (FORMAT parquet, COMPRESSION uncompressed{options})")


def duckdb_files():
    values = ["NULL", "true", "false", "1::tinyint", "(-300)::smallint", "70000", "(-9223372036854775808)::bigint", "1.5::float",
              "0.1::double", "1e300::double", "1.0::double", "1.50::decimal(4,2)", "(-12345678.901)::decimal(18,3)",
              "12345678901234567890.123::decimal(38,3)", "DATE '2024-02-29'", "TIMESTAMP '2024-01-31 12:00:00.000001'",
              "TIMESTAMPTZ '2024-01-31 12:00:00+00'", "TIME '23:59:59.999999'", "'Grüße'", "'a \"quoted\" word'", "repeat('x', 70)",
              "'\\x00\\xFF'::blob", "'7ae5c1b2-0000-4000-8000-0123456789ab'::uuid", "[]", "[1, 2, 3]", "['a', NULL]",
              "{'b': 1, 'a': 'x'}", "{'l': [{'k': 1}, {'k': 2}], 's': {'t': {'u': NULL}}}", "[[1], [], [2, 3]]"]
    rows = " UNION ALL ".join(f"SELECT {i + 1} AS id, {v}::VARIANT AS v" for i, v in enumerate(values))
    by_duckdb("variant", f"SELECT * FROM ({rows}) ORDER BY id")
    shredded = ["{'a': 1, 'b': 'x', 'c': {'d': DATE '2024-02-29'}, 'l': [1, 2]}", "{'a': 'no number', 'b': 'y', 'z': 1}",
                "{'b': NULL, 'c': {'d': 'no date', 'e': 2.5::double}, 'l': [1::VARIANT, 'two'::VARIANT, NULL]}", "'no object'", "NULL", "{'l': []}", "[1, 2]",
                "{'A': 0, 'c': 7}"]
    rows = " UNION ALL ".join(f"SELECT {i + 1} AS id, {v}::VARIANT AS v" for i, v in enumerate(shredded))
    by_duckdb("variant_shredded", f"SELECT * FROM ({rows}) ORDER BY id",
              ", SHREDDING {'v': 'STRUCT(a BIGINT, b VARCHAR, c STRUCT(d DATE), l INTEGER[])'}")
    scalars = "SELECT i AS id, CASE WHEN i % 3 = 0 THEN 'text'::VARIANT ELSE (i::decimal(9,2) / 4)::decimal(9,2)::VARIANT END AS v FROM range(6) t(i)"
    by_duckdb("variant_shredded_decimal", scalars, ", SHREDDING {'v': 'DECIMAL(9,2)'}")


def metadata(*names):
    offsets = bytes(sum(len(n.encode()) for n in names[:i]) for i in range(len(names) + 1))
    return bytes([0x11, len(names)]) + offsets + "".join(names).encode()


def primitive(kind, data=b""):
    return bytes([kind << 2]) + data


def text(value):
    return bytes([len(value) << 2 | 1]) + value


def array(*items, ends=None):
    offsets = ends or [sum(len(i) for i in items[:n]) for n in range(len(items) + 1)]
    return bytes([3, len(items)]) + bytes(offsets) + b"".join(items)


def fields(ids, *items):
    return bytes([2, len(items)]) + bytes(ids) + array(*items)[2:]


def annotated(name, table, **options):
    """Writes a table whose struct column v is a variant: pyarrow cannot say so, so that its footer is changed."""
    path = HERE / f"{name}.parquet"
    pq.write_table(table, path, **({"compression": "none", "use_dictionary": False, "store_schema": False} | options))
    data = path.read_bytes()
    size = struct.unpack("<I", data[-8:-4])[0]
    body, footer = data[:-8 - size], data[-8 - size:-8]
    kind = table.schema.field("v").type if "v" in table.schema.names else table.schema.field("l").type.value_type
    children = kind.num_fields
    element = b"\x18\x01v\x15" + bytes([2 * children])
    assert footer.count(element + b"\x00") == 1
    footer = footer.replace(element + b"\x00", element + b"\x5c\x0c\x20\x00\x00\x00")   # logicalType: VARIANT
    path.write_bytes(body + footer + struct.pack("<I", len(footer)) + data[-4:])


def rows(pairs):
    kind = pa.struct([pa.field("metadata", pa.binary(), nullable=False), pa.field("value", pa.binary(), nullable=False)])
    values = [None if p is None else {"metadata": p[0], "value": p[1]} for p in pairs]
    return pa.table({"id": pa.array(range(1, len(pairs) + 1), pa.int32()), "v": pa.array(values, kind)})


def written_files():
    le = lambda code, *v: struct.pack("<" + code, *v)   # noqa: E731
    ab = metadata("a", "b")
    values = [
        NULL, primitive(1), primitive(2), primitive(3, le("b", -5)), primitive(4, le("h", -300)), primitive(5, le("i", 70000)),
        primitive(6, le("q", -2**63)), primitive(7, le("d", 0.1)), primitive(8, b"\x02" + le("i", -150)),
        primitive(9, b"\x03" + le("q", 1234567890123)), primitive(10, b"\x05" + (-10**30 - 1).to_bytes(16, "little", signed=True)),
        primitive(11, le("i", 19782)), primitive(12, le("q", 1706702400000001)), primitive(13, le("q", -1)), primitive(14, le("f", 1.25)),
        primitive(15, le("I", 4) + b"\x00\xff\x01\x02"), primitive(16, le("I", 6) + "Grüß".encode()), primitive(17, le("q", 86399999999)),
        primitive(18, le("q", 1706702400000000001)), primitive(19, le("q", 1)), primitive(20, uuid.UUID(int=0x7AE5C1B2000040008000AB).bytes),
        text(b""), text(b"short"), array(), array(primitive(1), text(b"x"), array(NULL)), fields([0, 1], primitive(3, b"\x01"), text(b"y")),
        bytes([2 | 0x40]) + le("I", 1) + b"\x00" + b"\x00\x02" + primitive(3, b"\x07"),   # is_large
        bytes([3 | 0x1C]) + le("I", 1) + le("II", 0, 1) + NULL,                           # large offsets
    ]
    annotated("variant_types", rows([(ab, v) for v in values] + [None]))
    doubled = array(text(b"0123456789"), ends=[0, 11])
    overlapping = bytes([3, 3, 0, 0, 0, 11]) + text(b"0123456789")
    deep = NULL
    for _ in range(251):
        deep = bytes([3 | 0x04, 1]) + le("HH", 0, len(deep)) + deep
    broken = [
        (ab, doubled), (b"\x12" + ab[1:], NULL), (b"", NULL), (ab[:3], NULL), (ab, b""), (ab, primitive(21)), (ab, primitive(6, b"\x00")),
        (ab, text(b"abc")[:2]), (ab, primitive(16, le("I", 2**32 - 1))), (ab, fields([2], NULL)), (ab, array(NULL, ends=[0, 9])),
        (ab, array(NULL, ends=[1, 1])), (ab, overlapping), (ab, text(b"\xff")), (metadata("a", "b")[:-1], fields([1], NULL)),
        (ab, primitive(8, b"\x63" + le("i", 1))), (ab, deep), (b"\x11\x01\x01\x00", fields([0], NULL)), (ab, primitive(17, le("q", -1))),
        (b"\x11\x01\x00\x01\xff", fields([0], NULL)), (ab, bytes([2 | 0x40]) + le("I", 2**32 - 1)),
    ]
    annotated("variant_broken", rows(broken), row_group_size=1)
    typed = pa.struct([pa.field("metadata", pa.binary()), pa.field("value", pa.binary()), pa.field("typed_value", pa.int64())])
    annotated("variant_both", pa.table({"id": [1, 2, 3], "v": pa.array([
        {"metadata": ab, "value": None, "typed_value": 5}, {"metadata": ab, "value": None, "typed_value": None},
        {"metadata": ab, "value": NULL, "typed_value": 5}], typed)}), row_group_size=2)
    item = pa.struct([pa.field("metadata", pa.binary(), nullable=False), pa.field("value", pa.binary(), nullable=False)])
    lists = [[{"metadata": ab, "value": primitive(1)}, None, {"metadata": ab, "value": fields([0], NULL)}], [], None,
             [{"metadata": ab, "value": text(b"x")}, {"metadata": ab, "value": text(b"xy")[:2]}]]
    annotated("variant_lists", pa.table({"id": [1, 2, 3, 4], "l": pa.array(lists, pa.list_(pa.field("v", item)))}),
              use_compliant_nested_type=False, row_group_size=3)
    part = pa.struct([pa.field("value", pa.binary()), pa.field("typed_value", pa.int32())])
    partial = pa.struct([pa.field("metadata", pa.binary()), pa.field("value", pa.binary()),
                         pa.field("typed_value", pa.struct([pa.field("a", part)]))])
    there = {"a": {"value": None, "typed_value": 1}}
    annotated("variant_partial", pa.table({"id": [1, 2, 3, 4], "v": pa.array([
        {"metadata": ab, "value": fields([1], primitive(1)), "typed_value": there},
        {"metadata": ab, "value": fields([0, 1], primitive(1), primitive(2)), "typed_value": there},
        {"metadata": ab, "value": text(b"no object"), "typed_value": there},
        {"metadata": ab, "value": None, "typed_value": {"a": None}}], partial)}), row_group_size=2)
    annotated("variant_no_metadata", pa.table({"v": pa.array([{"value": NULL}], pa.struct([pa.field("value", pa.binary())]))}))
    number = pa.struct([pa.field("metadata", pa.binary()), pa.field("value", pa.int32())])
    annotated("variant_number", pa.table({"v": pa.array([{"metadata": ab, "value": 1}], number)}))


if __name__ == "__main__":
    duckdb_files()
    written_files()
