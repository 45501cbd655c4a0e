#!/usr/bin/env python3
"""Writes the group-by table of H2O's db-benchmark, G1_1e7_1e2_0_0, as x.parquet: 10,000,000 rows, 100 large groups, no nulls.

    generate.py FOLDER [ROWS]          relies on numpy and pyarrow; the same seed gives the same file

id1, id2 (text) and id4, id5 have K = 100 values; id3 (text) and id6 have ROWS / K; v1 is 1 to 5, v2 1 to 15, v3 0 to 100
with six digits. All are uniform and independent.
"""

import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SEED = 108
K = 100


def texts(rng, values, digits, rows):
    names = pa.array([f"id{n:0{digits}d}" for n in range(1, values + 1)])
    return names.take(pa.array(rng.integers(0, values, rows, dtype=np.int32)))


def main():
    folder = pathlib.Path(sys.argv[1])
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000
    rng = np.random.default_rng(SEED)
    folder.mkdir(parents=True, exist_ok=True)
    x = pa.table({
        "id1": texts(rng, K, 3, rows),
        "id2": texts(rng, K, 3, rows),
        "id3": texts(rng, rows // K, 10, rows),
        "id4": pa.array(rng.integers(1, K + 1, rows, dtype=np.int32)),
        "id5": pa.array(rng.integers(1, K + 1, rows, dtype=np.int32)),
        "id6": pa.array(rng.integers(1, rows // K + 1, rows, dtype=np.int32)),
        "v1": pa.array(rng.integers(1, 6, rows, dtype=np.int32)),
        "v2": pa.array(rng.integers(1, 16, rows, dtype=np.int32)),
        "v3": pa.array(np.round(rng.random(rows) * 100, 6)),
    })
    pq.write_table(x, folder / "x.parquet")


if __name__ == "__main__":
    main()
