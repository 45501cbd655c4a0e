#!/usr/bin/env python3
"""Statements over far more rows than fit into memory, by one worker and by two: right, small, and nothing is left.

    spill_cases.py [--fletch PROGRAM] [--threads 1,2] [CASE ...]

Each case runs in a process of its own with a limit of 200 MB, in which the process's high-water mark must stay below 220 MB. EXPLAIN ANALYZE
runs it and counts: what its operator spilled is no less than what its rows take beyond the limit, and the partitions of a hot key
and of very many groups are split again. The answer is DuckDB's: it is asked for in a filter above the statement, through which its row must come, so that one run
shows counters and answer. The spill file is gone when the process has ended, also by SIGKILL. DuckDB's time by two threads under the same limit is shown
beside; where it runs out of memory there, its answer comes from a second run with more.
Relies on: the packages of tools/requirements.txt, a few GB of disk in $TMPDIR. Exit status 1 when something does not hold.
"""

import argparse
import collections
import json
import os
import sys
import tempfile
import time

import duckdb
import pipe

LIMIT_MB = 200
PEAK_MB = 220
ROOMY = "8GB"  # for answers that DuckDB does not have within the limit
KILL_S = 60    # by when rows are spilled

# operator: whose counters are looked at; data_mb: what the rows that it has to keep take at the least; splits: partitions split again
Case = collections.namedtuple("Case", "name operator data_mb splits sql")

CASES = [
    Case("sort of wide rows", "sort", 3.0 * 205, False, """
        SELECT count(*), string_agg(i::text, ',') FROM (
            SELECT i, s FROM (SELECT i, 'wide ' || repeat('x', 180) || i AS s, i * 7919 % 3000017 AS k FROM range(3000000) AS r(i)) AS q
            ORDER BY k DESC LIMIT 2999000) AS z WHERE (i + length(s) * 0 + floor(random())::bigint) % 99991 = 0"""),
    Case("many of the first", "topk", 0.9 * 315, False, """
        SELECT count(*), sum(i), min(k), max(k), max(s) FROM (
            SELECT i, i * 7919 % 3000017 AS k, 'text of row ' || repeat('x', 280) || i AS s FROM range(3000000) AS r(i)
            ORDER BY k LIMIT 900000) AS q"""),
    Case("join of two sides of 1 GB", "join", 2 * 9.0 * 108, False, """
        SELECT count(*), sum(l.i), sum(r.i), max(l.s), min(r.s)
        FROM (SELECT i * 7919 % 9000011 AS k, i, 'left ' || repeat('x', 80) || i AS s FROM range(9000000) AS r(i)) AS l
        JOIN (SELECT i * 3571 % 9000011 AS k, i, 'right ' || repeat('y', 80) || i AS s FROM range(9000000) AS r(i)) AS r ON l.k = r.k"""),
    Case("join with a hot key", "join", 3.0 * 80 + 4.0 * 80, True, """
        SELECT count(*), count(r.i), sum(l.i), sum(r.i), max(l.s), min(r.s)
        FROM (SELECT i * 7919 % 4000037 AS k, i, 'left ' || repeat('x', 60) || i AS s FROM range(4000000) AS r(i)) AS l
        LEFT JOIN (SELECT CASE WHEN i % 100 < 99 THEN 7 ELSE i END AS k, i, 'hot ' || repeat('z', 60) || i AS s FROM range(3000000) AS r(i)) AS r
        ON l.k = r.k"""),
    Case("10^7 groups of texts", "aggregate", 10.0 * 60, True, """
        SELECT count(*), sum(n), sum(v), min(s), max(s) FROM (
            SELECT 'key ' || (i * 7919 % 10000019)::text || ' of some length' AS s, count(*) AS n, sum(i) AS v
            FROM range(12000000) AS r(i) GROUP BY 1) AS q"""),
    Case("DISTINCT", "aggregate", 4.0 * 75, False, """
        SELECT count(*), sum(a), min(s), max(s) FROM (
            SELECT DISTINCT i * 7919 % 4000037 AS a, 'text ' || repeat('x', 40) || (i * 7919 % 4000037) AS s FROM range(6000000) AS r(i)) AS q"""),
    Case("EXCEPT", "set_op", 4.0 * 70, False, """
        SELECT count(*), min(s), max(s) FROM (
            SELECT 'text ' || repeat('x', 40) || (i * 3) AS s FROM range(4000000) AS r(i)
            EXCEPT SELECT 'text ' || repeat('x', 40) || (i * 6) FROM range(4000000) AS r(i)) AS q"""),
    Case("INTERSECT ALL", "set_op", 5.0 * 40, False, """
        SELECT count(*), sum(a) FROM (
            SELECT i % 5000000 AS a, i % 5 FROM range(8000000) AS r(i)
            INTERSECT ALL SELECT i % 4000000, i % 5 FROM range(8000000) AS r(i)) AS q"""),
    Case("count(DISTINCT) of groups", "aggregate", 7.0 * 40, False, """
        SELECT sum(k), sum(n), max(n) FROM (
            SELECT i % 1009 AS k, count(DISTINCT 'text ' || (i * 7919 % 5000011)) AS n FROM range(7000000) AS r(i) GROUP BY 1) AS q"""),
    Case("rows that are read twice", "materialize", 6.0 * 110, False, """
        WITH c AS MATERIALIZED (SELECT i, 'text of row ' || repeat('x', 80) || i AS s FROM range(6000000) AS r(i))
        SELECT sum(n), max(s) FROM (
            SELECT count(*) AS n, max(s) AS s FROM c WHERE i % 3 = 0 UNION ALL SELECT sum(i), min(s) FROM c) AS q"""),
    Case("values in an order", "aggregate", 6.0 * 40, False, """
        SELECT count(*), sum(length(x)), max(x) FROM (
            SELECT i % 100003 AS k, string_agg('text ' || i, ',' ORDER BY i DESC) AS x FROM range(6000000) AS r(i) GROUP BY 1) AS q"""),
]
# Stopped by SIGKILL while their rows are on the disk.
KILLED = ("sort of wide rows", "join of two sides of 1 GB")


def duckdb_rows(sql, memory, folder):
    """(rows, seconds, seconds of processors), or (None, …) where memory is not enough."""
    with duckdb.connect(config={"threads": 2, "memory_limit": memory, "temp_directory": folder}) as connection:
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            rows = connection.execute(sql).fetchall()
        except duckdb.OutOfMemoryException:
            rows = None
        return rows, time.perf_counter() - wall, time.process_time() - cpu


def literal(value):
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "NULL" if value is None else str(value)


def only(sql, row):
    """The statement, its row only if it is the given one."""
    names = [f"c{i}" for i in range(len(row))]
    wanted = " AND ".join(f"{name} IS NOT DISTINCT FROM {literal(value)}" for name, value in zip(names, row))
    return f"SELECT * FROM ({sql}) AS answer({', '.join(names)}) WHERE {wanted}"


def nodes_of(node):
    yield node
    for child in node.get("inputs", []):
        yield from nodes_of(child)


def limited(program, threads, folder):
    process = pipe.Pipe(program, ["--memory", f"{LIMIT_MB}MB", "--threads", str(threads)], timeout_s=600)
    process.run(f"SET temp_directory = '{folder}'")
    return process


def run_case(program, case, row, threads, folder):
    """(failures, seconds, line of figures)"""
    failures = []
    with limited(program, threads, folder) as process:
        start = time.perf_counter()
        answer = process.run("EXPLAIN (ANALYZE, FORMAT JSON) " + only(case.sql, row))
        seconds = time.perf_counter() - start
        plan = json.loads(answer["rows"][0][0])["plan"]
        counts = [node["actual"] for node in nodes_of(plan) if node["op"] == case.operator and "actual" in node]
        spilled_mb = sum(count["spilled_bytes"] for count in counts) / 1e6
        splits = sum(count["spill_splits"] for count in counts)
        peak = process.peak_mb() * 1.048576
        if plan["actual"]["rows"] != 1:
            failures.append(f"{process.rows(case.sql)} instead of {row}")
        if peak > PEAK_MB:
            failures.append(f"{peak:.0f} MB were taken")
        if spilled_mb == 0 or spilled_mb < case.data_mb - LIMIT_MB:
            failures.append(f"{spilled_mb:.0f} MB were spilled by {case.operator}, of {case.data_mb:.0f} MB")
        if case.splits and splits == 0:
            failures.append("no partition was split")
    if os.listdir(folder):
        failures.append(f"left behind: {os.listdir(folder)}")
    return failures, seconds, f"{seconds:6.1f} s {answer['cpu_ms'] / 1000:6.1f} s cpu {peak:4.0f} MB {spilled_mb:6.0f} MB {splits:4d} splits"


def has_spilled(pid, folder):
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            path = f"/proc/{pid}/fd/{name}"
            if os.readlink(path).startswith(folder) and os.stat(path).st_blocks > 0:
                return True
        except FileNotFoundError:
            pass  # closed meanwhile
    return False


def kill_case(program, case, folder):
    process = limited(program, 2, folder)
    process.process.stdin.write(json.dumps({"sql": case.sql}).encode() + b"\n")
    end = time.monotonic() + KILL_S
    while not has_spilled(process.process.pid, folder):
        if process.process.poll() is not None or time.monotonic() > end:
            process.close()
            return ["ended, or did not spill, before it was killed"]
        time.sleep(0.02)
    process.process.kill()
    process.close()
    return [f"left behind by SIGKILL: {os.listdir(folder)}"] if os.listdir(folder) else []


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="its name, or a part of it")
    args = parser.parse_args()
    failed = 0
    chosen = [case for case in CASES if not args.cases or any(name in case.name for name in args.cases)]
    if not chosen:
        sys.exit(f"no case has such a name; there are: {', '.join(case.name for case in CASES)}")
    for case in chosen:
        with tempfile.TemporaryDirectory() as folder:
            rows, peer_s, peer_cpu_s = duckdb_rows(case.sql, f"{LIMIT_MB}MB", folder)
            print(f"{case.name}\n    DuckDB    {peer_s:6.1f} s {peer_cpu_s:6.1f} s cpu" + ("" if rows is not None else ", out of memory"), flush=True)
            if rows is None:
                rows = duckdb_rows(case.sql, ROOMY, folder)[0]
                peer_s = None
        with tempfile.TemporaryDirectory() as folder:
            for threads in map(int, args.threads.split(",")):
                failures, seconds, line = run_case(args.fletch, case, rows[0], threads, folder)
                ratio = "" if peer_s is None or threads == 1 else f", {seconds / peer_s:.2f} of DuckDB's time"
                print(f"    {threads} threads {line}{ratio}", flush=True)
                for failure in failures:
                    print(f"    {threads} threads WRONG: {failure}", flush=True)
                failed += len(failures)
            for failure in kill_case(args.fletch, case, folder) if case.name in KILLED else []:
                print(f"    WRONG: {failure}", flush=True)
                failed += 1
    print(f"{len(chosen)} cases, {failed} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
