#!/usr/bin/env python3
"""All 22 TPC-H queries in fletch and in other engines on the same Parquet files; the rows must be the same.

    compare.py --data FOLDER [--engines duckdb,polars,datafusion] [--queries 1,6] [--threads N] [--fletch PROGRAM]
               [--subject fletch] [--memory SIZE]

Queries are those of bench/tpch with the specification's validation parameters. Sort keys are compared row by row, all
columns as multisets (LIMIT may cut among ties in no key here); doubles to 1e-9 relative, exact types exactly.
Relies on: test/oracles.py. Exit status 1 when rows differ.
"""

import argparse
import pathlib
import re
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "test"))
import oracles  # noqa: E402
import pipe  # noqa: E402


def order_keys(sql, names):
    """Positions of the columns in the statement's last ORDER BY, which all are output names in these queries."""
    match = re.search(r"ORDER BY ([^()]*?)(?:\s+LIMIT \d+)?\s*$", sql.strip())
    if match is None:
        return []
    words = [item.split()[0].lower() for item in match.group(1).split(",")]
    lower = [name.lower() for name in names]
    return [lower.index(word) for word in words]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--engines", default="duckdb")
    parser.add_argument("--queries", default=",".join(str(n) for n in range(1, 23)))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    parser.add_argument("--memory", help="the subject's limit, where that is fletch")
    parser.add_argument("--subject", default="fletch", choices=oracles.ENGINES)
    args = parser.parse_args()

    tables = {path.stem: path.resolve() for path in sorted(pathlib.Path(args.data).glob("*.parquet"))}
    if len(tables) != 8:
        sys.exit(f"{args.data}: {len(tables)} of 8 tables; tools/install-deps.sh data generates them")
    subject = oracles.open_engine(args.subject, tables, args.threads, args.fletch, args.memory)
    peers = [oracles.open_engine(name, tables, args.threads) for name in args.engines.split(",")]
    failures = 0
    for number in (int(word) for word in args.queries.split(",")):
        sql = (ROOT / "bench" / "tpch" / f"q{number:02d}.sql").read_text()
        start = time.perf_counter()
        try:
            ours = subject.query(sql)
        except Exception as error:  # whatever went wrong, the other queries are still worth knowing
            print(f"Q{number}: {args.subject} failed: {error}")
            failures += 1
            if isinstance(error, pipe.Died):
                subject = oracles.open_engine(args.subject, tables, args.threads, args.fletch, args.memory)
            continue
        ms = (time.perf_counter() - start) * 1000
        verdicts = []
        for peer in peers:
            theirs = peer.query(sql)
            problem = oracles.difference(ours, theirs, keys=order_keys(sql, ours.names))
            verdicts.append(f"{peer.name}: {problem or 'same'}")
            failures += problem is not None
        print(f"Q{number}: {len(ours.rows)} rows, {ms:.0f} ms; " + "; ".join(verdicts), flush=True)
    try:
        subject.close()
    except pipe.Died as error:
        print(f"{args.subject} ended badly: {error}")
        failures += 1
    print("all rows are the same" if failures == 0 else f"{failures} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
