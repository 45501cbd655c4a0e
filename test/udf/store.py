#!/usr/bin/env python3
"""`fletch udf` and --udf-dir, as store.txt says: each command is a process of its own, in a folder that begins empty.

A line "$ words" of store.txt runs fletch with these words (quoted as in a shell, --udf-dir and --format csv are added); the lines
behind it are what it prints, standard error last, with * for any text; "status N" is its exit status where that is not 0. "! command" runs a
command of the shell, "write FILE TEXT" makes a file. {modules} is the folder of modules, {tmp} the one of the test, {udf} that of functions.
"""

import argparse
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def matches(pattern, line):
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), line) is not None


def run(fletch, words, tmp):
    args = [fletch, *words, "--format", "csv"]
    if "--udf-dir" not in words:
        args += ["--udf-dir", f"{tmp}/udf"]
    done = subprocess.run(args, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=tmp, timeout=60)
    lines = (done.stdout + done.stderr).splitlines()
    return lines + ([f"status {done.returncode}"] if done.returncode != 0 else [])


def read_cases(path):
    """(line number, kind, command, expected lines)"""
    cases = []
    for at, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith(("$ ", "! ", "write ")):
            cases.append((at, line.split(" ")[0], line.split(" ", 1)[1], []))
        elif line and not line.startswith("#"):
            cases[-1][3].append(line)
    return cases


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--fletch", default=str(HERE.parent.parent / "build" / "release" / "fletch"))
    options = arguments.parse_args()
    fletch = str(pathlib.Path(options.fletch).resolve())
    failed = n_commands = 0
    with tempfile.TemporaryDirectory() as tmp:
        for at, kind, command, expected in read_cases(HERE / "store.txt"):
            command, *expected = [text.replace("{modules}", str(HERE / "modules")).replace("{tmp}", tmp).replace("{udf}", f"{tmp}/udf")
                                  for text in (command, *expected)]
            if kind == "!":
                subprocess.run(command, shell=True, check=True, cwd=tmp)
                continue
            if kind == "write":
                name, text = command.split(" ", 1)
                pathlib.Path(tmp, name).write_text(text + "\n")
                continue
            n_commands += 1
            lines = run(fletch, shlex.split(command), tmp)
            if len(lines) != len(expected) or not all(map(matches, expected, lines)):
                failed += 1
                print(f"store.txt:{at}: $ {command}\n  expected:\n    " + "\n    ".join(expected) + "\n  got:\n    " + "\n    ".join(lines))
    print(f"{n_commands} commands, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
