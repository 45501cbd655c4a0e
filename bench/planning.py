"""Questions whose planning is measured: small ones, TPC-H's, joins of ten and twenty relations in four shapes; and TPC-DS's.

Relies on: bench/tpch, test/tpcds/compare.py; pyarrow, for the one file that the joins read under many names.
"""

import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "test" / "tpcds"))
import compare as tpcds  # noqa: E402

TPCH = pathlib.Path(__file__).resolve().parent / "tpch"
RELATION_ROWS = 100_000
TIMES = 50
TPCDS_TIMES = 10  # each; there are many of them


def edges(shape, n):
    """Pairs (earlier, later) of relations that are joined."""
    if shape == "star":
        return [(0, i) for i in range(1, n)]
    if shape == "clique":
        return [(i, j) for j in range(n) for i in range(j)]
    return [(i - 1, i) for i in range(1, n)] + ([(0, n - 1)] if shape == "cycle" else [])


def join(shape, n):
    """Each pair of relations meets by columns of its own, so no equality follows from others."""
    text = "SELECT count(*) AS n FROM relation AS r0"
    for later in range(1, n):
        on = [f"r{a}.c{b} = r{b}.c{a}" for a, b in edges(shape, n) if b == later]
        text += f" JOIN relation AS r{later} ON {' AND '.join(on)}"
    return text


def write_relation(path, n=20):
    """Column c<i> has a number of distinct values of its own."""
    columns = {f"c{i}": pa.array([row * (7919 + i) % (100 * (i + 1)) for row in range(RELATION_ROWS)], pa.int32()) for i in range(n)}
    pq.write_table(pa.table(columns), path)


def questions():
    """(name, SQL) over TPC-H's tables and `relation`."""
    yield "select 1", "SELECT 1 AS one"
    yield "filter", "SELECT c_custkey FROM customer WHERE c_acctbal > 100 AND c_nationkey = 3"
    for name in ("q01", "q05", "q08", "q09"):
        yield name, (TPCH / f"{name}.sql").read_text()
    for n in (10, 20):
        for shape in ("chain", "star", "cycle", "clique"):
            yield f"{shape} {n}", join(shape, n)


def tpcds_questions():
    """The TPC-DS texts that fletch runs."""
    for path in sorted((tpcds.DATA / "queries").glob("q*.sql")):
        if tpcds.refusal(int(path.stem[1:])) is None:
            yield f"ds {path.stem}", path.read_text()
