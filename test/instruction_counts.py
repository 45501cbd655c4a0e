#!/usr/bin/env python3
"""Hot kernels take no more instructions than said here. Instructions are counted, not timed, so a busy machine does not lie.

A limit is a tenth above what was counted when it was written. Who makes a kernel better lowers it.

    instruction_counts.py --kernels PROGRAM      exit status 77 (skipped) where valgrind is missing or knows no AVX2

Relies on: valgrind's callgrind, which counts what happens inside of one function; PROGRAM is test/hot_kernels.c.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys

# kernel: the function to count in, and instructions per byte or row at the most, of the AVX2 build
LIMITS = {
    "utf8_long": ("fl_utf8_check", 1.5),
    "utf8_short": ("fl_utf8_check", 3.5),
    "arithmetic": ("counted", 12.7),
    "filter": ("counted", 48),
    "group_numbers": ("counted", 176),
    "group_texts": ("counted", 323),
    "join": ("counted", 428),
    "sort": ("counted", 403),
    "like": ("counted", 170),
    "to_text": ("counted", 290),
    "export": ("counted", 85),
}


def count(program, kernel, function):
    """Instructions inside of the function, and the bytes or rows that the kernel says it went through."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--toggle-collect={function}",
               program, kernel]
    run = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "FLETCH_SIMD": "avx2"}, check=False)
    if run.returncode != 0:
        sys.exit(f"{kernel}: exit status {run.returncode}\n{run.stderr}")
    collected = re.search(r"Collected\s*:\s*(\d+)", run.stderr)
    return int(collected.group(1)), int(run.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kernels", required=True)
    args = parser.parse_args()
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
        has_avx2 = "avx2" in info.read()
    if shutil.which("valgrind") is None or not has_avx2:
        print("skipped: needs valgrind and a processor with AVX2")
        return 77
    failed = 0
    for kernel, (function, limit) in LIMITS.items():
        instructions, size = count(args.kernels, kernel, function)
        each = instructions / size
        failed += each > limit
        unit = "row" if function == "counted" else "byte"
        print(f"{kernel}: {each:.2f} instructions a {unit}, at most {limit}{' FAILED' if each > limit else ''}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
