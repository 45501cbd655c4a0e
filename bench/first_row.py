#!/usr/bin/env python3
"""How soon the first row of a large answer is there, and what memory that takes: `FROM lineitem | head -1`, beside DuckDB's program.

The program writes CSV into a pipe that is closed behind the first row, as `head` does. The time runs from the start of the process to that row; the
peak is the process's own high-water mark at that moment.
Relies on: lineitem.parquet at scale 1 (the Makefile); DuckDB's program (PyPI duckdb-cli) in the environment of tools/requirements.txt.
"""

import os
import pathlib
import subprocess
import sys
import time

import worker

TIMES = 7


def first_row(command):
    """Milliseconds and MB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    header, row = process.stdout.readline(), process.stdout.readline()
    took = (time.perf_counter() - start) * 1000
    peak = worker.peak_mb(process.pid)
    process.stdout.close()
    process.wait()
    if not header or not row:
        raise RuntimeError(f"{command[0]} gave no row")
    return took, peak


def compare(program, table, threads):
    """By engine: the median time and the largest peak. Rounds alternate, so that both see the same noise."""
    sql = f"FROM '{table}'"
    commands = {"fletch": [str(program), "--threads", str(threads), "--format", "csv", "-c", sql]}
    duckdb = pathlib.Path(sys.executable).with_name("duckdb")
    if duckdb.exists():
        commands["duckdb"] = [str(duckdb), "-csv", "-c", f"SET threads = {threads}", "-c", sql]
    measured = {engine: [] for engine in commands}
    for _ in range(TIMES):
        for engine, command in commands.items():
            measured[engine].append(first_row(command))
    return {engine: (sorted(ms for ms, _ in all_of)[TIMES // 2], max(mb for _, mb in all_of)) for engine, all_of in measured.items()}


if __name__ == "__main__":
    for engine, (ms, mb) in compare(sys.argv[1], sys.argv[2], os.cpu_count()).items():
        print(f"{engine}: {ms:.0f} ms, {mb:.0f} MB")
