#!/usr/bin/env python3
"""Writes documents.parquet: 1,000,000 rows of an id and a JSON document as text, some 200 bytes each.

    generate.py FOLDER [ROWS]          relies on numpy and pyarrow; the same seed gives the same file
"""

import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SEED = 8259
KINDS = pa.array(["view", "click", "buy", "search", "leave"])
COUNTRIES = pa.array("DE FR IT ES PL NL SE AT CZ DK".split())


def text(values):
    return pa.array(values).cast(pa.string())


def take(rng, pool, rows):
    return pool.take(pa.array(rng.integers(0, len(pool), rows, dtype=np.int32)))


def main():
    folder = pathlib.Path(sys.argv[1])
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    rng = np.random.default_rng(SEED)
    folder.mkdir(parents=True, exist_ok=True)
    user = rng.integers(0, 50_000, rows)
    documents = pc.binary_join_element_wise(
        '{"kind":"', take(rng, KINDS, rows), '","user":{"id":', text(user), ',"name":"user ', text(user * 31 % 50_000),
        '","address":{"country":"', take(rng, COUNTRIES, rows), '","zip":"', text(rng.integers(10_000, 99_999, rows)),
        '"}},"amount":', text(np.round(rng.gamma(2, 20, rows), 2)), ',"note":"said \\"no\\", größer", "tags":["a', text(rng.integers(0, 9, rows)),
        '","b', text(rng.integers(0, 99, rows)), '","c"],"discount":', pa.array(np.where(rng.random(rows) < .3, "null", "5")), '}', "")
    pq.write_table(pa.table({"id": pa.array(np.arange(rows, dtype=np.int64)), "document": documents}), folder / "documents.parquet")


if __name__ == "__main__":
    main()
