#!/usr/bin/env python3
"""Writes items.parquet (1,000 rows) and kinds.parquet (20), which queries of microseconds ask.

    generate.py FOLDER          relies on pyarrow
"""

import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rows = range(1000)
    pq.write_table(pa.table({
        "id": pa.array(rows, pa.int32()),
        "kind": pa.array([n * 7919 % 20 for n in rows], pa.int32()),
        "price": pa.array([n * 7919 % 1000 / 8 for n in rows]),
        "name": pa.array([f"item {n}" for n in rows]),
    }), folder / "items.parquet")
    pq.write_table(pa.table({"kind": pa.array(range(20), pa.int32()), "label": pa.array([f"kind {n}" for n in range(20)])}),
                   folder / "kinds.parquet")


if __name__ == "__main__":
    main()
