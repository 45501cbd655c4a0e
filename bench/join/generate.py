#!/usr/bin/env python3
"""Writes the join tables of H2O's db-benchmark for 1e7 rows, no nulls, unsorted: x, small (10 rows), medium (1e4), big (1e7).

    generate.py FOLDER [ROWS]          relies on numpy and pyarrow; the same seed gives the same files

A key of n values draws 1.1 n numbers: nine tenths of n are on both sides, a tenth on the left alone, a tenth on the right
alone. So nine of ten rows of x find a partner. id1, id2, id3 are the keys of small, medium and big; id4, id5, id6 the same as text.
"""

import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SEED = 108


def split(rng, n):
    """Values that both sides have, the left has, the right has."""
    values = (rng.permutation(int(n * 1.1)) + 1).astype(np.int32)
    common = int(n * 0.9)
    return np.concatenate([values[:common], values[common:n]]), np.concatenate([values[:common], values[n:]])


def sample_all(rng, values, rows):
    """Each value at least once, in no order."""
    drawn = np.concatenate([values, rng.choice(values, rows - len(values))]) if rows > len(values) else values[:rows]
    return rng.permutation(drawn)


def text(numbers):
    return pc.binary_join_element_wise("id", pa.array(numbers).cast(pa.string()), "")


def main():
    folder = pathlib.Path(sys.argv[1])
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000
    rng = np.random.default_rng(SEED)
    folder.mkdir(parents=True, exist_ok=True)
    keys = [split(rng, n) for n in (rows // 1_000_000, rows // 1_000, rows)]

    def write(name, n_rows, n_keys, side, value):
        ids = [sample_all(rng, keys[key][side], n_rows) for key in range(n_keys)]
        columns = {f"id{key + 1}": pa.array(ids[key]) for key in range(n_keys)}
        columns |= {f"id{key + 4}": text(ids[key]) for key in range(n_keys)}
        columns[value] = pa.array(np.round(rng.random(n_rows) * 100, 6))
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")

    write("x", rows, 3, 0, "v1")
    write("small", rows // 1_000_000, 1, 1, "v2")
    write("medium", rows // 1_000, 2, 1, "v2")
    write("big", rows, 3, 1, "v2")


if __name__ == "__main__":
    main()
