#!/usr/bin/env python3
"""Makes the small files that test/slt/file/ and test/slt/format/ read; they are kept in the tree, so run this only to change them.

Relies on: pyarrow. Everything is fixed (no dates of today, no random numbers), so a second run gives the same rows.
"""

import bz2
import datetime
import decimal
import gzip
import json
import pathlib
import sys
import uuid
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import parquet_index  # noqa: E402
import thrift  # noqa: E402


def write(name, text):
    path = HERE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def packed_files():
    people = (HERE / "csv/people.csv").read_bytes()
    many = gzip.compress((HERE / "csv/ten_thousand.csv").read_bytes(), mtime=0)
    flipped = bytearray(many)
    flipped[-6] ^= 1
    write("csv/people.csv.gz", gzip.compress(people, mtime=0))
    write("csv/people.csv.bz2", bz2.compress(people))
    with pa.output_stream(str(HERE / "csv/people.csv.zst"), compression="zstd") as out:
        out.write(people)
    with zipfile.ZipFile(HERE / "csv/people.zip", "w") as archive:
        entry = zipfile.ZipInfo("people.csv", (2026, 11, 30, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, people)
    write("csv/cut_off.csv.gz", many[:len(many) // 2])
    write("csv/bad_checksum.csv.gz", bytes(flipped))
    write("csv/utf16.csv", 'name,note\nZoë,"naïve, café"\n😀,\n'.encode("utf-16"))
    write("csv/windows1252.csv", "name,price\nÉclair,€3\n".encode("cp1252"))
    write("json/choices.ndjson.gz", gzip.compress((HERE / "json/choices.ndjson").read_bytes(), mtime=0))


def hive_files():
    for year, month, rows in ((2023, "12", "1,10\n2,20\n"), (2024, "01", "3,30\n"), (2024, "02", "4,\n5,50\n")):
        write(f"hive/csv/year={year}/month={month}/a.csv", "id,n\n" + rows)
        ids = [int(line.split(",")[0]) for line in rows.split()]
        (HERE / f"hive/parquet/year={year}/month={month}").mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"id": pa.array(ids, pa.int64())}), HERE / f"hive/parquet/year={year}/month={month}/a.parquet")
    write("hive/odd/day=2024-01-01/tag=a%20b/a.csv", "id\n1\n")
    write("hive/odd/day=2024-01-02/tag=__HIVE_DEFAULT_PARTITION__/a.csv", "id\n2\n")
    write("hive/times/ts=2020-01-01 10%3A00%3A00.5/a.csv", "a\n1\n")
    write("hive/times/ts=2020-01-02 00%3A00%3A00/a.csv", "a\n2\n")
    write("hive/odd_days/day=2024-01-01/a.csv", "id\n1\n")
    write("hive/odd_days/day=never/a.csv", "id\n2\n")
    write("csv/by_name_1.csv", "a,b\n1,x\n2,y\n")
    write("csv/by_name_2.csv", "B,c\nz,2.5\n")
    write("csv/by_name_3.csv", "a,c\n1.5,2024-01-01\n")


def csv_files():
    write("csv/people.csv", 'id,name,born,score,active\n1,Ada,1815-12-10,9.5,true\n2,"Hopper, Grace",1906-12-09,,false\n'
                            '3,"Alan ""T"" Turing",1912-06-23,7.25,true\n4,,1903-12-28,-1,false\n')
    write("csv/semicolon.csv", "a;b\n1;x,y\n2;z\n")
    write("csv/tabs.tsv", "a\tb\n1\tone\n2\ttwo words\n")
    write("csv/european.csv", "day;moment;amount\n31.01.2024;31/01/24 10:05;1,5\n01.02.2024;01/02/24 00:00;-2000,125\n;;\n")
    write("csv/uneven.csv", "a,b,c\n1,x,10\n2,y\n3\n4,z,40\n")
    write("csv/uneven_and_bad.csv", "a,b,c\n1,x,10\n2,y\n3,z,30,300\nfour,w,40\n5,v,5.5.5\n6,u,60\n")
    write("csv/pipe.csv", "a|b\n1|x\n2|\n")
    write("csv/crlf.csv", b"a,b\r\n1,x\r\n2,y\r\n")
    write("csv/bom.csv", b"\xef\xbb\xbfa,b\n1,\xc3\xa9\n")
    write("csv/no_header.csv", "1,x,2.5\n2,y,3.5\n")
    write("csv/no_last_newline.csv", "a,b\n1,x\n2,y")
    write("csv/quoted_newline.csv", 'a,b\n1,"two\nlines"\n2,"one line"\n')
    write("csv/only_header.csv", "a,b\n")
    write("csv/empty_lines.csv", "a,b\n1,x\n\n2,y\n")
    write("csv/nulls.csv", "a,b\n1,NA\nNA,x\n3,\n")
    write("csv/types.csv", "i,big,r,d,ts,b,s\n1,3000000000,1.5,2024-01-31,2024-01-31 12:00:00,true,abc\n"
                           "-2,-1,2,1999-12-31,1999-12-31 23:59:59.5,false,12x\n,,,,,,\n")
    write("csv/late_text.csv", "a,b\n" + "".join(f"{i},{i}\n" for i in range(20)) + "20,last\n")
    write("csv/ragged_short.csv", "a,b,c\n1,2,3\n4,5\n6,7,8\n")
    write("csv/ragged_long.csv", "a,b\n1,2\n3,4,5\n6,7\n")
    write("csv/bad_number.csv", "a,b\n1,2\n2,x\n3,4\n")
    write("csv/unclosed_quote.csv", 'a,b\n1,x\n2,"never closed\n3,z\n')
    write("csv/latin1.csv", b"a,b\n1,caf\xe9\n")
    write("csv/nul_byte.csv", b"a,b\n1,x\x00y\n")
    write("csv/codes.csv", "zip,phone,code,n,half,padded\n01234,+1555,\"007\",-007,0.5,00\n10115,+1556,\"008\",0,1,01\n")
    write("csv/wide_numbers.csv", "big,huge,odd,word\n9223372036854775808,-9223372036854775809,inf,nan\n"
                                  "1,99999999999999999999999999999999999999,-1.5,inf\n,1,nan,Infinity\n")
    write("csv/comment.csv", "# it's c\na;b\n1;2\n# \"between\n3;4\n")
    write("csv/title.csv", "Report of 2024\n\na;b\n1;2\n3;4\n")
    write("csv/percent.csv", "% a remark\na,b\n1,2\n")
    write("csv/times.csv", "12:30:00,hello\n12:31:00,world\n")
    write("csv/same_names.csv", "a,A,b,a\n1,2,3,4\n")
    write("csv/blank_quote.csv", "a, \"b\"\n1, \"x, y\"\n")
    write("csv/backslash_quote.csv", 'a,b\n"x \\"y\\" z",1\n')
    write("csv/empty.csv", "")
    write("csv/long_header.csv", ",".join(f"column_{i}_{'x' * 90}" for i in range(3000)) + "\n" + ",".join("1" for _ in range(3000)) + "\n")
    rows = "".join(f"{i},name{i % 7},{i * 0.5},{'' if i % 11 == 0 else i % 13}\n" for i in range(10000))
    write("csv/ten_thousand.csv", "id,name,half,maybe\n" + rows)
    for part in (1, 2, 3):
        write(f"glob/part{part}.csv", "part,x\n" + "".join(f"{part},{part * 10 + i}\n" for i in range(part)))
    write("glob/other.txt", "not a part\n")
    for name in ("top", "year/2023", "year/2024/01", "year/2024/02", "data[1]", "data1", "a,b", "ünï/é1", "back\\slash", "{x}",
                 ".hidden/no", "year/.no"):
        write(f"glob/deep/{name}.csv", f"name\n\"{name}\"\n")


def json_files():
    people = [{"id": 1, "name": "Ada", "tags": ["math", "code"], "home": {"city": "London", "zip": 10}},
              {"id": 2, "name": None, "tags": [], "home": {"city": "Paris", "zip": None}},
              {"id": 3, "name": "Alan é \U0001f986", "home": None, "extra": True}]
    write("json/people.ndjson", "".join(json.dumps(p, ensure_ascii=False) + "\n" for p in people))
    write("json/people.json", json.dumps(people, ensure_ascii=False, indent=1) + "\n")
    write("json/numbers.ndjson", '{"i": 1, "r": 1.5, "big": 9007199254740993}\n{"i": -2, "r": 2, "big": 1}\n{"r": 1e3}\n')
    write("json/mixed.ndjson", '{"v": 1}\n{"v": "two"}\n{"v": null}\n')
    write("json/escapes.ndjson", '{"s": "a\\"b\\\\c\\n\\u00e9\\ud83e\\udd86"}\n{"s": ""}\n')
    write("json/broken.ndjson", '{"a": 1}\n{"a": \n{"a": 3}\n')
    write("json/empty.ndjson", "")
    write("json/digits.ndjson", '{"m": 1.10, "big": 9223372036854775808, "wide": 18446744073709551616, "mix": 9223372036854775808}\n'
                                '{"m": "x", "big": 1, "wide": -1, "mix": 1.5}\n{"m": [12345678901234567.25, {"a": 1e2}]}\n')
    write("json/late_key.ndjson", '{"a": 1}\n{"a": 2, "late": 5}\n')
    write("json/late_inner_key.ndjson", '{"a": {"x": 1}}\n{"a": {"x": 2, "late": 5}}\n')
    write("json/late_text.ndjson", '{"a": "x"}\n{"a": 1.50}\n')
    write("json/nul_key.ndjson", '{"a\\u0000b": 1, "a": 2}\n')
    write("json/same_names.ndjson", '{"a": 1, "A": 2}\n{"A": 3}\n')
    write("json/no_rows.json", "[]\n")
    write("json/no_columns.json", "{}\n")
    write("json/pretty.jsonl", '{\n  "a": 1,\n  "b": [1,\n 2]\n}\n{\n  "a": 2\n}\n')
    write("json/array.ndjson", '[\n  {"a": 1},\n  {"a": 2}\n]\n')
    write("json/nulls_1.ndjson", '{"a": 1, "b": null}\n')
    write("json/nulls_2.ndjson", '{"a": 2, "b": "x"}\n')
    write("json/nanoseconds.ndjson", '{"t": "2024-01-31T12:00:00.123456789Z"}\n')
    write("json/dates.ndjson", '{"d": "2024-01-31", "t": "2024-01-31 12:00:00"}\n{"d": "1999-12-31", "t": "1999-12-31 23:59:59"}\n')


def parquet_file(name, table, **options):
    path = HERE / "parquet" / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, **({"compression": "none", "write_page_checksum": True} | options))


def parquet_files():
    utc = datetime.timezone.utc
    types = pa.table({
        "b": pa.array([True, False, None]),
        "i8": pa.array([-128, 127, None], pa.int8()), "i16": pa.array([-32768, 32767, None], pa.int16()),
        "i32": pa.array([-2147483648, 2147483647, None], pa.int32()),
        "i64": pa.array([-9223372036854775808, 9223372036854775807, None], pa.int64()),
        "u8": pa.array([0, 255, None], pa.uint8()), "u16": pa.array([0, 65535, None], pa.uint16()),
        "u32": pa.array([0, 4294967295, None], pa.uint32()), "u64": pa.array([0, 18446744073709551615, None], pa.uint64()),
        "f32": pa.array([0.5, -1.25, None], pa.float32()), "f64": pa.array([0.1, float("nan"), None], pa.float64()),
        "d9": pa.array([decimal.Decimal("1.50"), decimal.Decimal("-9999999.99"), None], pa.decimal128(9, 2)),
        "d18": pa.array([decimal.Decimal("1.500"), decimal.Decimal("-0.001"), None], pa.decimal128(18, 3)),
        "d38": pa.array([decimal.Decimal("12345678901234567890123456.789"), decimal.Decimal("-1.000"), None], pa.decimal128(38, 3)),
        "s": pa.array(["", "Grüße \U0001f986", None]), "bin": pa.array([b"", b"\x00\xff", None], pa.binary()),
        "dt": pa.array([datetime.date(1969, 12, 31), datetime.date(2024, 2, 29), None]),
        "tm": pa.array([datetime.time(0, 0), datetime.time(23, 59, 59, 999999), None], pa.time64("us")),
        "ts_ms": pa.array([datetime.datetime(1999, 12, 31, 23, 59, 59, 500000), datetime.datetime(1970, 1, 1), None], pa.timestamp("ms")),
        "ts_us": pa.array([datetime.datetime(2024, 1, 31, 12, 0, 0, 1), datetime.datetime(1900, 1, 1), None], pa.timestamp("us")),
        "tz": pa.array([datetime.datetime(2024, 1, 31, 12, tzinfo=utc), datetime.datetime(1970, 1, 1, tzinfo=utc), None], pa.timestamp("us", "UTC")),
    })
    parquet_file("types", types)
    parquet_file("types_v2_pages", types, data_page_version="2.0")
    parquet_file("types_int96", types.select(["ts_us"]), use_deprecated_int96_timestamps=True)
    parquet_file("decimal_as_integer", types.select(["d9", "d18", "d38"]), store_decimal_as_integer=True)
    rows = 3000                    # more than a vector of 2,048 rows
    codes = pa.table({
        "id": pa.array(range(rows), pa.int64()), "small": pa.array([i % 10 for i in range(rows)], pa.int32()),
        "word": pa.array([None if i % 17 == 0 else f"word{i % 50}" for i in range(rows)]),
        "real": pa.array([i * 0.25 for i in range(rows)]), "flag": pa.array([None if i % 19 == 0 else i % 3 == 0 for i in range(rows)]),
    })
    for codec in ("snappy", "zstd", "lz4", "gzip", "brotli"):
        parquet_file(f"codec_{codec}", codes, compression=codec)
    parquet_file("codec_none", codes, use_dictionary=False)
    parquet_file("dictionary_fallback", codes, dictionary_pagesize_limit=256, data_page_size=1024)
    plain = {"use_dictionary": False, "data_page_size": 2048}
    parquet_file("delta", codes, column_encoding={"id": "DELTA_BINARY_PACKED", "small": "DELTA_BINARY_PACKED",
                                                  "word": "DELTA_BYTE_ARRAY", "flag": "RLE"}, data_page_version="2.0", **plain)
    parquet_file("delta_length", codes, column_encoding={"word": "DELTA_LENGTH_BYTE_ARRAY"}, **plain)
    parquet_file("byte_stream_split", codes, column_encoding={"real": "BYTE_STREAM_SPLIT", "id": "BYTE_STREAM_SPLIT",
                                                              "small": "BYTE_STREAM_SPLIT"}, **plain)
    parquet_file("v2_zstd", codes, data_page_version="2.0", compression="zstd")
    parquet_file("row_groups", codes, row_group_size=250, write_page_index=True, data_page_size=512)
    parquet_file("no_statistics", codes, write_statistics=False, row_group_size=1000)
    parquet_file("no_rows", codes.slice(0, 0))
    wide = pa.table({f"c{i}": pa.array([i, i + 1], pa.int32()) for i in range(300)})
    parquet_file("three_hundred_columns", wide)
    parquet_file("required", pa.table([pa.array([1, 2, 3], pa.int32()), pa.array(["a", "b", "c"])], schema=pa.schema(
        [pa.field("n", pa.int32(), nullable=False), pa.field("s", pa.string(), nullable=False)])))
    parquet_file("all_null", pa.table({"a": pa.array([None] * 5, pa.int32()), "b": pa.array([None] * 5, pa.string())}))
    parquet_file("fixed_binary", pa.table({"f": pa.array([b"abcd", b"\x00\x01\x02\x03", None], pa.binary(4))}))
    parquet_file("names", pa.table({"Mixed Case": [1], "order": [2], "ünï": [3]}))
    item = pa.struct([("k", pa.string()), ("v", pa.int32())])
    nested = pa.table({
        "id": pa.array([1, 2, 3, 4], pa.int32()),
        "l": pa.array([[1, 2, 3], [], None, [None, 5]], pa.list_(pa.int32())),
        "s": pa.array([{"a": 1, "b": "x"}, {"a": None, "b": "y"}, None, {"a": 4, "b": None}],
                      pa.struct([("a", pa.int32()), ("b", pa.string())])),
        "ls": pa.array([[{"k": "p", "v": 1}, {"k": "q", "v": None}], [], None, [None]], pa.list_(item)),
        "ll": pa.array([[[1], [2, 3]], [[]], None, [None, [4]]], pa.list_(pa.list_(pa.int64()))),
        "ss": pa.array([{"in": {"x": 1.5}}, {"in": None}, None, {"in": {"x": None}}],
                       pa.struct([("in", pa.struct([("x", pa.float64())]))])),
        "words": pa.array([["a", "bb"], ["", None], [], None], pa.list_(pa.string())),
    })
    parquet_file("nested", nested)
    parquet_file("nested_v2_pages", nested, data_page_version="2.0", compression="zstd")
    for name, encoding in (("plain", "PLAIN"), ("lengths", "DELTA_LENGTH_BYTE_ARRAY"), ("prefixes", "DELTA_BYTE_ARRAY")):
        options = {"use_dictionary": False, "column_encoding": {"s": encoding}, "write_statistics": False}
        words = ["Grüße", "", "中文 text", "\U0001f986" * 40, "ж" * 64, "plain", "x" * 127 + "é"]
        parquet_file(f"text_{name}", pa.table({"s": words * 3}), **options)
        # cut within a character, which the bytes behind it complete: a length (128), the next value
        for cut, values in (("by_length", [b"\xe4\xb8", b"x" * 128]), ("by_value", [b"\xc3", b"\xa4"])):
            buffers = pa.array(values, pa.binary()).buffers()
            parquet_file(f"bad_text_cut_{cut}_{name}", pa.table({"s": pa.StringArray.from_buffers(2, *buffers[1:])}), **options)
    for part in (1, 2, 3):
        parquet_file(f"part_{part}", pa.table({"part": pa.array([part] * part, pa.int32()), "x": pa.array(range(part), pa.int64())}))
    good = (HERE / "parquet/required.parquet").read_bytes()
    write("parquet/bad_truncated.parquet", good[:-20])
    write("parquet/bad_magic.parquet", good[:-4] + b"XXXX")
    write("parquet/bad_empty.parquet", b"")
    write("parquet/bad_text.parquet", "this is not a Parquet file\n")
    checked = (HERE / "parquet/codec_none.parquet").read_bytes()
    at = checked.index(b"word1") + 2       # inside a data page, so that only its checksum can tell
    write("parquet/bad_checksum.parquet", checked[:at] + bytes([checked[at] ^ 1]) + checked[at + 1:])


def sorted_parquet_files():
    """Files that say by which columns their rows are sorted, in truth and not."""
    by = pq.SortingColumn
    small = {"compression": "zstd", "column_encoding": {"id": "DELTA_BINARY_PACKED"}, "use_dictionary": ["word"]}
    rows = 6000
    table = pa.table({"id": pa.array(range(rows), pa.int32()), "part": pa.array([i % 3 for i in range(rows)], pa.int32()),
                      "word": pa.array([f"word {i // 2000}" for i in range(rows)])})
    parquet_file("sorted", table, row_group_size=2000, sorting_columns=[by(0), by(1, descending=True)], **small)
    for part in (0, 1):
        parquet_file(f"sorted_part_{part}", table.slice(part * 3000, 3000), row_group_size=1500, sorting_columns=[by(0)], **small)
    swapped = list(range(rows))
    swapped[2500:2502] = [2501, 2500]
    parquet_file("sorted_untrue", table.take(swapped), row_group_size=2000, sorting_columns=[by(0)], **small)
    long = pa.table({"id": pa.array([*range(69999), 70000, 69999, *range(70001, 140000)], pa.int32()), "word": ["w"] * 140000})
    parquet_file("sorted_untrue_between", long, row_group_size=140000, sorting_columns=[by(0)], **small)
    # each row group is sorted, and all of them are not
    over = pa.table({"id": pa.array([i % 2000 for i in range(rows)], pa.int32()), "word": ["w"] * rows})
    parquet_file("sorted_groups", over, row_group_size=2000, sorting_columns=[by(0)], **small)
    # rows of one value lie in two groups, so that the second column says nothing of them
    ties = pa.table({"id": pa.array([i // 1500 for i in range(rows)], pa.int32()),
                     "n": pa.array([i % 2000 for i in range(rows)], pa.int32()), "word": ["w"] * rows})
    parquet_file("sorted_ties", ties, row_group_size=2000, sorting_columns=[by(0), by(1)], **small)
    down = pa.table({"id": pa.array([*range(5000, 0, -1), *[None] * 1000], pa.int32()), "word": ["w"] * rows})
    parquet_file("sorted_down", down, row_group_size=2000, sorting_columns=[by(0, descending=True, nulls_first=False)], **small)
    parquet_file("sorted_float", pa.table({"id": pa.array([0.5, 1.5, float("nan")])}), sorting_columns=[by(0)])


def odd_parquet_files():
    """What other writers got wrong, and values that their types cannot hold."""
    pages = pa.table([pa.array([i // 1000 * 10 + i % 7 for i in range(4000)], pa.int32())],
                     schema=pa.schema([pa.field("a", pa.int32(), nullable=False)]))
    parquet_file("pages_said_null", pages, write_page_index=True, data_page_size=1000, write_batch_size=1000,
                 use_dictionary=False)
    lie("pages_said_null", "null page", lambda old: b"\x01")
    parquet_file("footer_no_rows", pages.slice(0, 300), row_group_size=100)
    lie("footer_no_rows", "footer rows", lambda old: bytes([0x80] * (len(old) - 1) + [0]))
    # the chunk's size without its dictionary page's header, which is 14 bytes long
    words = pa.table({"w": pa.array([f"word {i % 30}" for i in range(5000)]), "n": pa.array(range(5000), pa.int32())})
    parquet_file("dictionary_header_left_out", words)
    lie("dictionary_header_left_out", "chunk bytes", shorter_by_14)
    uuids = pa.array([None if i % 5 == 0 else uuid.UUID(int=i * 0x1234567890ABCDEF1234567).bytes for i in range(20)], pa.binary(16))
    parquet_file("uuid_delta", pa.table({"u": pa.ExtensionArray.from_storage(pa.uuid(), uuids)}), use_dictionary=False,
                 column_encoding={"u": "DELTA_BYTE_ARRAY"})
    parquet_file("same_names", pa.table([pa.array([1]), pa.array([2]), pa.array([3])], names=["a", "A", "a"]))
    parquet_file("null_type_1", pa.table({"i": [1, 2], "v": pa.nulls(2), "l": pa.nulls(2)}))
    parquet_file("null_type_2", pa.table({"i": [3, 4], "v": ["x", None], "l": pa.array([[1], []], pa.list_(pa.int32()))}))
    nanos = 1704067200000000000
    stamps = pa.array([nanos + 123456000, None, nanos + 123456789], pa.timestamp("ns"))
    parquet_file("int96_nanos", pa.table({"i": [1, 2, 3], "t": stamps, "l": pa.array([[], [nanos], [nanos + 1]],
                                          pa.list_(pa.timestamp("ns")))}), use_deprecated_int96_timestamps=True)
    parquet_file("time_nanos", pa.table({"i": [1, 2, 3], "t": pa.array([1000, None, 2001], pa.time64("ns"))}))
    parquet_file("time_nanos_whole", pa.table({"t": pa.array([1000, None, 86399999999000], pa.time64("ns"))}))
    parquet_file("time_beyond", pa.table({"i": [1, 2, 3, 4], "us": pa.array([0, None, 5, 86400000001], pa.int64()).cast(pa.time64("us")),
                                          "ms": pa.array([1, 2, None, -1], pa.int32()).cast(pa.time32("ms"))}))
    big = decimal.Decimal
    wide = [big("1.5"), None, big(10) ** 35, -big(10) ** 35, big(10) ** 37]
    parquet_file("decimal_wide", pa.table({"i": range(5), "d": pa.array(wide, pa.decimal256(50, 2))}))
    parquet_file("decimal_wide_fits", pa.table({"d": pa.array(wide[:4], pa.decimal256(50, 2))}), row_group_size=1)
    parquet_file("decimal_scale_45", pa.table({"d": pa.array([big("1.5")], pa.decimal256(50, 45))}))
    # a decimal(4,2) that holds 123456: its bytes stand in the page, its annotation is what lies
    parquet_file("decimal_beyond", pa.table({"d": pa.array([big("0.01"), big("1234.56")], pa.decimal128(6, 2))}),
                 store_decimal_as_integer=True, use_dictionary=False, write_statistics=False)
    lie("decimal_beyond", "precision", lambda old: b"\x08")


def lie(name, what, change):
    """Puts other bytes, as many, where the file claims something (see test/parquet_index.py)."""
    path = HERE / "parquet" / f"{name}.parquet"
    data = bytearray(path.read_bytes())
    for begin, end in parquet_index.Claims(bytes(data)).spans[what]:
        data[begin:end] = change(bytes(data[begin:end]))
    path.write_bytes(data)


def shorter_by_14(old):
    value = thrift.varint(old, 0)[0] - 2 * 14
    return bytes([value >> 7 * i & 0x7F | (0x80 if i + 1 < len(old) else 0) for i in range(len(old))])


if __name__ == "__main__":
    csv_files()
    json_files()
    parquet_files()
    sorted_parquet_files()
    odd_parquet_files()
    packed_files()
    hive_files()
