#!/usr/bin/env python3
"""Makes the files of this folder's data/, which the Parquet reader's unit tests read; run it only to change them.

Relies on: pyarrow. Everything is fixed, so that a second run gives the same rows.
"""

import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

DATA = pathlib.Path(__file__).resolve().parent / "data"
ROWS = 300000   # one row group of more rows than a morsel has

# id: 0, 1, 2, ...; word: one of 7, NULL every 1,000 rows; pair: a list of two every 10,000 rows, else empty
pieces = pa.table({
    "id": pa.array(range(ROWS), pa.int64()),
    "word": pa.array([None if i % 1000 == 0 else f"a word of some length, number {i // 50000}" for i in range(ROWS)]),
    "pair": pa.array([[i, i + 1] if i % 10000 == 0 else [] for i in range(ROWS)], pa.list_(pa.int64())),
})
for name, index in (("pieces", False), ("pieces_indexed", True)):
    pq.write_table(pieces, DATA / f"{name}.parquet", row_group_size=ROWS, compression="zstd", write_page_index=index,
                   use_dictionary=["word"], column_encoding={"id": "DELTA_BINARY_PACKED"}, data_page_size=8192)
small = pa.table({"n": pa.array([1, 2, 3], pa.int32()), "s": pa.array(["a", "b", "c"])})
pq.write_table(small, DATA / "small.parquet")
pq.write_table(small.rename_columns(["n", "t"]), DATA / "small_other_name.parquet")
pq.write_table(small.set_column(0, "n", pa.array([1, 2, 3], pa.int64())), DATA / "small_other_type.parquet")
# large: pages of more than 8 MB, which pack well; n: of the usual size
MANY = 1200000
large = pa.table({"large": pa.array([i // 1000 for i in range(MANY)], pa.int64()), "n": pa.array([7] * MANY, pa.int8())})
pq.write_table(large, DATA / "large_page.parquet", row_group_size=MANY, compression="zstd", use_dictionary=False,
               data_page_size=64 << 20, max_rows_per_page=MANY)
