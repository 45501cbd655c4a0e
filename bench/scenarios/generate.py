#!/usr/bin/env python3
"""Writes the scenarios' tables, events (1,000,000 rows) and dims (1,000), as Parquet. README.md describes them.

    generate.py FOLDER [ROWS]          relies on numpy and pyarrow; the same seed gives the same files
"""

import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SEED = 20240229
WORDS = np.array("amber brisk cedar delta ember fable grove haven ivory jolly karst lunar maple noble ocean "
                 "pearl quill river stone tulip".split())


def comments(rng, rows):
    """Five words each; in one of ten the middle one is `quick`, which no other text has."""
    parts = [WORDS[rng.integers(0, len(WORDS), rows)] for _ in range(5)]
    parts[2] = np.where(rng.random(rows) < 0.1, "quick", parts[2])
    return [" ".join(words) for words in zip(*parts)]


def main():
    folder = pathlib.Path(sys.argv[1])
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    rng = np.random.default_rng(SEED)
    folder.mkdir(parents=True, exist_ok=True)
    events = pa.table({
        "id": pa.array(np.arange(rows, dtype=np.int64)),
        "key": pa.array(rng.integers(0, 1000, rows, dtype=np.int32)),
        "quantity": pa.array(rng.integers(1, 101, rows, dtype=np.int32)),
        "value": pa.array(rng.random(rows) * 1000),
        "flag": pa.array(rng.random(rows) < 0.5),
        "category": pa.array([f"category {n}" for n in rng.integers(0, 10, rows)]),
        "name": pa.array([f"name {n}" for n in rng.integers(0, 100_000, rows)]),
        "comment": pa.array(comments(rng, rows)),
    })
    dims = pa.table({
        "key": pa.array(np.arange(1000, dtype=np.int32)),
        "label": pa.array([f"label {n % 50}" for n in range(1000)]),
        "weight": pa.array((np.arange(1000) // 100).astype(np.int32)),
    })
    pq.write_table(events, folder / "events.parquet")
    pq.write_table(dims, folder / "dims.parquet")


if __name__ == "__main__":
    main()
