#!/usr/bin/env python3
"""Writes events.parquet for windows: ROWS rows in the order of id, 1000 to a key on average, no nulls.

    generate.py FOLDER [ROWS]          relies on numpy and pyarrow; the same seed gives the same file

id is 0 to ROWS - 1; key, quantity (1 to 100) and value (0 to 1000) are uniform and independent; seen_at grows by 0 to 19 seconds a row.
"""

import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SEED = 1003
ROWS_OF_KEY = 1000


def main():
    folder = pathlib.Path(sys.argv[1])
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    rng = np.random.default_rng(SEED)
    folder.mkdir(parents=True, exist_ok=True)
    seconds = np.cumsum(rng.integers(0, 20, rows, dtype=np.int64)) + 1_700_000_000
    events = pa.table({
        "id": pa.array(np.arange(rows, dtype=np.int64)),
        "key": pa.array(rng.integers(0, max(rows // ROWS_OF_KEY, 1), rows, dtype=np.int32)),
        "quantity": pa.array(rng.integers(1, 101, rows, dtype=np.int32)),
        "value": pa.array(rng.random(rows) * 1000),
        "seen_at": pa.array(seconds * 1_000_000, pa.timestamp("us")),
    })
    pq.write_table(events, folder / "events.parquet")


if __name__ == "__main__":
    main()
