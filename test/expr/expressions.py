#!/usr/bin/env python3
"""Runs the expressions of expressions.txt: the infix text and the tree give the expected value, and Python's eval agrees.

Relies on: ../pipe.py, and so on a built program (--fletch). Exit status 1 when a case differs.
"""

import argparse
import json
import math
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import pipe  # noqa: E402  (found through the line above)

ITEMS = HERE / "items.ndjson"
KEYS = ("infix", "tree", "value", "type", "python", "note")


def cases(path):
    """Yields (line number, case) of the blocks of a file."""
    case = {}
    for number, line in enumerate([*path.read_text(encoding="utf-8").split("\n"), ""], 1):
        if line.startswith("#"):
            continue
        if not line:
            if case:
                yield number - len(case), case
            case = {}
            continue
        key, value = line[:8].strip(), line[8:]
        if key not in KEYS or key in case:
            raise SystemExit(f"{path.name}:{number}: a line begins with one of {', '.join(KEYS)}, each once")
        case[key] = value


def is_same(found, expected):
    if isinstance(found, float) and isinstance(expected, float):
        return found == expected or abs(found - expected) <= 1e-15 * max(abs(found), abs(expected))
    return type(found) is type(expected) and found == expected


def differences(session, case, row):
    expected = json.loads(case["value"])
    for form, item in (("infix", case["infix"]), ("tree", {"expr": json.loads(case["tree"]), "as": "x"})):
        if form == "infix":
            item = f"{item} as x"
        answer = session.ask_json({"from": str(ITEMS), "filter": {"id": 1}, "select": [item]})
        if "error" in answer:
            yield f"{form}: {answer['error']['message']}"
            continue
        found = answer["rows"][0][0]
        if not is_same(found, expected):
            yield f"{form}: {found!r} instead of {expected!r}"
        if "type" in case and answer["types"][0] != case["type"]:
            yield f"{form}: type {answer['types'][0]} instead of {case['type']}"
    if "python" in case:
        found = eval(case["python"], {"math": math, "re": re}, row)  # a file of this folder says it
        if found != expected and not (isinstance(found, float) and math.isclose(found, expected, rel_tol=1e-15)):
            yield f"python: {found!r} instead of {expected!r}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fletch", type=pathlib.Path, default=pipe.PROGRAM)
    row = json.loads(ITEMS.read_text(encoding="utf-8").split("\n")[0])
    path = HERE / "expressions.txt"
    count = failed = 0
    with pipe.Pipe(parser.parse_args().fletch) as session:
        for number, case in cases(path):
            count += 1
            found = list(differences(session, case, row))
            failed += bool(found)
            for text in found:
                print(f"{path.name}:{number}: {case['infix']}\n  {text}")
    print(f"{count - failed} of {count} expressions are as expected")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
