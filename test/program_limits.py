#!/usr/bin/env python3
"""Holds the release program to its limits: at most 15 MB, stripped, first row of `SELECT 1` in 20 ms and 20 MB.

    program_limits.py PROGRAM      relies on readelf and test/pipe.py. The time is the best of ten starts, as a busy machine only adds to
it. Memory is read from /proc while a `--pipe` process waits: what wait4 reports includes the parent before exec.
"""

import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pipe  # noqa: E402

SIZE_MAX, START_MS_MAX, PEAK_MB_MAX = 15_000_000, 20.0, 20.0


def main():
    program, problems = sys.argv[1], []
    size = os.path.getsize(program)
    if size > SIZE_MAX:
        problems.append(f"{size} bytes, more than {SIZE_MAX}")
    sections = subprocess.run(["readelf", "-WS", program], capture_output=True, text=True, check=True).stdout
    if ".symtab" in sections or ".debug_info" in sections:
        problems.append("not stripped")
    best_ms = float("inf")
    for _ in range(10):
        start = time.perf_counter()
        process = subprocess.Popen([program, "-c", "SELECT 1"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        text = process.stdout.read(1)
        best_ms = min(best_ms, (time.perf_counter() - start) * 1000)
        text += process.stdout.read()
        process.wait()
        process.stdout.close()
        if process.returncode != 0 or b"1" not in text:
            problems.append(f"SELECT 1: exit status {process.returncode}, output {text[:100]!r}")
            break
    if best_ms > START_MS_MAX:
        problems.append(f"first row after {best_ms:.1f} ms, later than {START_MS_MAX}")
    with pipe.Pipe(program) as one:
        one.run("SELECT 1")
        peak_mb = one.peak_mb()
    if peak_mb > PEAK_MB_MAX:
        problems.append(f"{peak_mb:.1f} MB at the peak, more than {PEAK_MB_MAX}")
    print("\n".join(problems) or f"{size} bytes, first row in {best_ms:.1f} ms, {peak_mb:.1f} MB")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
