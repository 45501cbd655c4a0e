#!/usr/bin/env python3
"""Runs the golden errors of sql/errors.txt: SQLSTATE, place and the name that the hint must give.

Relies on: ../pipe.py, and so on a built program (its path may be given as the argument). The place is compared with the
position that `fletch --pipe` reports: a byte offset from 0. Exit status 1 when a case differs.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import pipe  # noqa: E402  (found through the line above)

MARK = "@@"


def differences(error, state, place, part):
    """What of the expected is not in the error, as short texts."""
    found = []
    if error.get("sqlstate") != state:
        found.append(f"SQLSTATE {error.get('sqlstate')} instead of {state}")
    if place is not None and error.get("position") != place:
        found.append(f"position {error.get('position')} instead of {place}")
    if part and part.lower() not in f"{error.get('message') or ''} {error.get('hint') or ''}".lower():
        found.append(f"neither message nor hint holds '{part}'")
    return found


def main():
    program = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pipe.PROGRAM
    cases = failed = 0
    with pipe.Pipe(program) as session:
        for number, line in enumerate((HERE / "sql" / "errors.txt").read_text(encoding="utf-8").split("\n"), 1):
            if not line or line.startswith("#"):
                continue
            if line.startswith("+"):
                session.run(line[1:])
                continue
            marked, state, part = (line.split("\t") + [""])[:3]
            place = len(marked[:marked.index(MARK)].encode()) if MARK in marked else None
            cases += 1
            try:
                session.run(marked.replace(MARK, "", 1))
                found = ["no error"]
                error = {}
            except pipe.QueryError as failure:
                error = failure.error
                found = differences(error, state, place, part)
            if found:
                failed += 1
                print(f"errors.txt:{number}: {marked}\n  {'; '.join(found)}\n  {error.get('message')} | {error.get('hint')}")
    print(f"{cases - failed} of {cases} errors are as expected")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
