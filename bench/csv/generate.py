#!/usr/bin/env python3
"""Writes trips.csv: 3,600,000 lines of ten columns, some 300 MB; one text column is quoted and holds commas and doubled quotes. No field is empty:
readers differ in whether that is NULL.

    generate.py FOLDER [ROWS]          relies on numpy and pyarrow; the same seed gives the same file
"""

import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

SEED = 1123
BLOCK = 250_000
COMMENTS = pa.array(['"late, but friendly"', '"said ""never again"""', '"fine"', '"-"', '"two stops, one dog"', '"rain, rain, rain"'])
ZONES = pa.array([f"zone {n}" for n in range(260)])


def text(values):
    return pa.array(values).cast(pa.string())


def take(rng, pool, rows):
    return pool.take(pa.array(rng.integers(0, len(pool), rows, dtype=np.int32)))


def main():
    folder = pathlib.Path(sys.argv[1])
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 3_600_000
    rng = np.random.default_rng(SEED)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "trips.csv", "w", encoding="utf-8") as file:
        file.write("id,started,day,vendor,passengers,distance,fare,pickup,comment,paid\n")
        for first in range(0, rows, BLOCK):
            n = min(BLOCK, rows - first)
            started = np.datetime64("2024-01-01T00:00:00") + (first + np.arange(n)).astype("timedelta64[s]") * 10
            lines = pc.binary_join_element_wise(
                text(np.arange(first, first + n)), pc.strftime(pa.array(started), format="%Y-%m-%d %H:%M:%S"), text(started.astype("datetime64[D]")),
                text(rng.integers(1, 5, n)), text(rng.integers(1, 7, n)), text(np.round(rng.gamma(2, 2, n), 3)), text(np.round(rng.gamma(3, 6, n), 2)),
                take(rng, ZONES, n), take(rng, COMMENTS, n), pa.array(np.where(rng.random(n) < 0.9, "true", "false")), ",")
            file.write("\n".join(lines.to_pylist()) + "\n")


if __name__ == "__main__":
    main()
