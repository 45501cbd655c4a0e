#!/usr/bin/env python3
"""Writes tables that are walked through: tree (1,000,000 nodes), edges (1,000,000 of 200,000 nodes), list (100,000 nodes).

    generate.py FOLDER [ROWS]          relies on numpy and pyarrow; the same seed gives the same files

A node's parent in tree is any one before it; edges lead from any node to any other; list is one ring, in no order. All are int32.
"""

import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SEED = 610


def main():
    folder = pathlib.Path(sys.argv[1])
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    rng = np.random.default_rng(SEED)
    folder.mkdir(parents=True, exist_ok=True)
    nodes = np.arange(1, rows, dtype=np.int32)
    ring = rng.permutation(rows // 10).astype(np.int32)
    tables = {
        "tree": {"node": nodes, "parent": (rng.random(rows - 1) * nodes).astype(np.int32)},
        "edges": {"source": rng.integers(0, rows // 5, rows, dtype=np.int32), "target": rng.integers(0, rows // 5, rows, dtype=np.int32)},
        "list": {"node": ring, "next": np.roll(ring, -1)},
    }
    for name, columns in tables.items():
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")


if __name__ == "__main__":
    main()
