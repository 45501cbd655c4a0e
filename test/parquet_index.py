#!/usr/bin/env python3
"""R24, Parquet files whose indexes and statistics lie: the rows are those of the file without them.

    parquet_index.py [--fletch PROGRAM] [--seed N] [--copies 40]

PyArrow writes small files with page indexes. In copies of them claims that the pages belie are put in place of the true
ones: pages of nothing but nulls, numbers of nulls, the order of bounds, minimum for maximum, rows and places of pages, the
footer's number of nulls and rows; each alone, and `--copies` random mixtures. Filters by every column then give what they
give on the whole file. Bounds that are merely narrower than the truth cannot be told from true ones: those stay.
Every file can be made again from the seed that is printed. Relies on: pyarrow.
"""

import argparse
import pathlib
import random
import sys
import tempfile
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

import pipe
import thrift

ROWS = 4000
SHOWN_MAX = 20


def make_table():
    """Sorted, unsorted and nested columns, with nulls (whole pages of them, too) and without."""
    rng = random.Random(7)
    required = {
        "id": pa.array(range(ROWS), pa.int32()),
        "down": pa.array(range(ROWS, 0, -1), pa.int64()),
        "mixed": pa.array([rng.randrange(1000) for _ in range(ROWS)], pa.int32()),
        "word": pa.array([f"word {i:05}" for i in range(ROWS)]),
    }
    optional = {
        "part": pa.array([None if i % 3 == 0 else i for i in range(ROWS)], pa.int32()),
        "late": pa.array([None if i < ROWS // 2 else i for i in range(ROWS)], pa.int64()),
        "real": pa.array([None if i % 5 == 0 else i / 4 for i in range(ROWS)], pa.float64()),
        "price": pa.array([Decimal(i) / 100 for i in range(ROWS)], pa.decimal128(20, 2)),
        "day": pa.array(range(ROWS), pa.int32()).cast(pa.date32()),
        "flag": pa.array([i >= ROWS // 2 for i in range(ROWS)]),
        "items": pa.array([[i, i + 1][: i % 3] for i in range(ROWS)], pa.list_(pa.int32())),
    }
    fields = [pa.field(name, column.type, nullable=name in optional) for name, column in {**required, **optional}.items()]
    return pa.table({**required, **optional}, schema=pa.schema(fields))


FILTERS = ["id = 17", "id > 3990", "id BETWEEN 990 AND 1010", "down < 5", "down = 3999", "mixed = 500", "word = 'word 00042'",
           "word > 'word 03990'", "part = 1000", "part < 4", "late >= 2000", "late = 2500", "late IS NULL AND id > 1990",
           "real > 990", "real = 0.25", "price = 12.34", "price < 0.05", "day = DATE '1970-02-01'", "flag AND id < 2010",
           "part > 3990 AND flag"]
QUERIES = [f"SELECT count(*), sum(id), sum(len(items)), count(part), min(word) FROM '{{}}' WHERE {f}" for f in FILTERS]
QUERIES.append("SELECT count(*), min(id), max(id), min(part), max(late), min(real), max(word), count(late) FROM '{}'")


# What the pages themselves need is nobody's advice.
NEEDED = ("chunk bytes", "precision")


class Claims:
    """Where a file's claims lie: names -> positions of their bytes."""

    def __init__(self, data):
        length = int.from_bytes(data[-8:-4], "little")
        footer, column, offset, pages = {}, {}, {}, {}
        thrift.walk_struct(data, len(data) - 8 - length, (), footer)
        # column chunks: 4.1 are the row groups' columns; 4 to 7 are where offset and column index lie
        for begin in footer.get((4, 1, 6), []):
            thrift.walk_struct(data, thrift.number(data, begin), (), column)
        for begin in footer.get((4, 1, 4), []):
            thrift.walk_struct(data, thrift.number(data, begin), (), offset)
        for begin in offset.get((1, 1), []):
            thrift.walk_struct(data, thrift.number(data, begin), (), pages)
        self.spans = {
            "null page": column.get((1,), []),
            "null count": column.get((5,), []),
            "order": column.get((4,), []),
            "page place": offset.get((1, 1), []),
            "page bytes": offset.get((1, 2), []),
            "page row": offset.get((1, 3), []),
            "page header's nulls": pages.get((8, 2), []),
            "page header's rows": pages.get((8, 3), []),
            "chunk null count": footer.get((4, 1, 3, 12, 3), []),
            "chunk bytes": footer[(4, 1, 3, 7)],
            "footer rows": footer[(3,)],
            "precision": footer.get((2, 8), []) + footer.get((2, 10, 5, 2), []),
        }
        self.column, self.footer = column, footer


def lie(rng, data, claims, what, span):
    """Another value in a claim's bytes, of the same length and sign."""
    begin, end = span
    if what == "null page":
        data[begin] = 3 - data[begin] if data[begin] in (1, 2) else 1
    elif what == "footer rows":    # 0, in as many bytes
        data[begin:end] = bytes([0x80] * (end - begin - 1) + [0])
    elif what == "order":
        data[begin] = rng.choice([0, 2, 4])
    else:
        last = end - 1
        data[last] = rng.randrange(1, 128)
        for at in range(begin, last):
            data[at] = rng.randrange(128) | 0x80


def lies(rng, source, copies):
    """Copies that lie: what about, and the bytes."""
    claims = Claims(source)
    for what, spans in claims.spans.items():
        if what in NEEDED:
            continue
        for span in rng.sample(spans, min(len(spans), 12)):
            data = bytearray(source)
            lie(rng, data, claims, what, span)
            yield f"{what} at byte {span[0]}", data
    for value in (1, 2):
        data = bytearray(source)
        for begin, _ in claims.spans["null page"]:
            data[begin] = value
        yield f"every null page is {value}", data
    for (name, spans, low, high) in (("pages", claims.column, (2,), (3,)),
                                     ("chunk", claims.footer, (4, 1, 3, 12, 6), (4, 1, 3, 12, 5))):
        data = bytearray(source)
        for a, b in zip(spans[low], spans[high]):
            if a[1] - a[0] == b[1] - b[0]:
                data[a[0]:a[1]], data[b[0]:b[1]] = source[b[0]:b[1]], source[a[0]:a[1]]
        yield f"minimum and maximum of each {name} change places", data
    for copy in range(copies):
        data = bytearray(source)
        for _ in range(rng.randrange(2, 30)):
            what = rng.choice([w for w, spans in claims.spans.items() if spans and w not in (*NEEDED, "footer rows")])
            lie(rng, data, claims, what, rng.choice(claims.spans[what]))
        yield f"mixture {copy}", data


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    parser.add_argument("--seed", type=int, default=2024)
    parser.add_argument("--copies", type=int, default=40)
    args = parser.parse_args()
    print(f"seed {args.seed}")
    rng = random.Random(args.seed)
    problems, checks = [], 0
    asked = pipe.Pipe(args.fletch, timeout_s=60)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for version in ("1.0", "2.0"):
            for dictionary in (False, True):
                options = {"data_page_version": version, "use_dictionary": dictionary, "row_group_size": 2000,
                           "data_page_size": 1500, "write_batch_size": 100}
                plain, indexed = folder / "plain.parquet", folder / "indexed.parquet"
                pq.write_table(make_table(), plain, write_statistics=False, **options)
                pq.write_table(make_table(), indexed, write_page_index=True, **options)
                wanted = [asked.rows(q.format(plain)) for q in QUERIES]
                for number, (what, data) in enumerate([("nothing", indexed.read_bytes()),
                                                       *lies(rng, indexed.read_bytes(), args.copies)]):
                    path = folder / f"lie{version}{dictionary}{number}.parquet"
                    path.write_bytes(data)
                    for query, rows in zip(QUERIES, wanted):
                        checks += 1
                        try:
                            got = asked.rows(query.format(path))
                        except pipe.QueryError as error:
                            got = str(error)
                        if got != rows:
                            problems.append(f"{what} (v{version}, dictionary {dictionary}): {query}: {got}, not {rows}")
                    path.unlink()
    asked.close()
    for problem in problems[:SHOWN_MAX]:
        print(problem)
    print(f"{checks} answers, {len(problems)} wrong")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
