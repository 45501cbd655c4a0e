#!/usr/bin/env python3
"""Runs the patterns of patterns.json, each in its cheapest tier, and prints which shares the tiers take.

A pattern is a filter or a score that is in use somewhere (`where`): its documents, what it must come to, and what it is in Python, from
which `expected` was computed apart from fletch (pattern_references.py). Patterns that an expression can say have `expression`, or `filter`,
whose `expected` are the ids of the documents kept; the others say what they need instead. Those of
WebAssembly call a `function` of modules/patterns.wasm; those of Python have `code`, a text that defines `function`.

Relies on: ../pipe.py, and so on a built program (--fletch). Exit status 1 when a pattern differs, or expressions take less than 80 %.
"""

import argparse
import json
import math
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import pattern_references  # noqa: E402  (found beside this file)
import pipe  # noqa: E402  (found through the line above)

TIERS = ("expression", "wasm", "python")
MODULE = HERE / "modules" / "patterns.wasm"
SHARE_MIN = 0.8


def is_same(found, expected):
    if isinstance(found, str) and isinstance(expected, (int, float)) and not isinstance(expected, bool):
        found = float(found)  # a decimal, or a whole number beyond 2^53
    if isinstance(expected, list):
        return isinstance(found, list) and len(found) == len(expected) and all(map(is_same, found, expected))
    if isinstance(expected, (int, float)) and not isinstance(expected, bool):
        return isinstance(found, (int, float)) and not isinstance(found, bool) and math.isclose(
            found, expected, rel_tol=1e-9, abs_tol=1e-12)
    return type(found) is type(expected) and found == expected


def reference(pattern, documents):
    """What Python says; a check that `expected` was not written by hand."""
    values = [eval(pattern["python"], {**vars(pattern_references), **d}) for d in documents]  # a file of this folder says it
    return [d["id"] for d, value in zip(documents, values) if value] if "filter" in pattern else values


def run(session, pattern, path):
    if pattern["tier"] == "wasm":
        session.run(f"CREATE OR REPLACE FUNCTION {pattern['function']} LANGUAGE wasm AS '{MODULE}'")
    if pattern["tier"] == "python":
        text = "\n".join(pattern["code"])
        session.run(f"CREATE OR REPLACE FUNCTION {pattern['function']} LANGUAGE python AS $python$\n{text}\n$python$")
    if "filter" in pattern:
        request = {"filter": pattern["filter"], "select": ["id"]}
    else:
        request = {"select": [pattern["expression"] + " as value"]}
    answer = session.ask_json({"from": str(path), "sort": ["id"], **request})
    return [row[0] for row in answer["rows"]] if "rows" in answer else answer["error"]["message"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fletch", type=pathlib.Path, default=pipe.PROGRAM)
    everything = json.loads((HERE / "patterns.json").read_text(encoding="utf-8"))
    documents, patterns = everything["documents"], everything["patterns"]
    failed, taken = 0, dict.fromkeys(TIERS, 0)
    program = parser.parse_args().fletch
    is_run = {"expression": True, "wasm": True, "python": (program.parent / "fletch_python.so").exists()}
    with tempfile.TemporaryDirectory() as folder, pipe.Pipe(program, ["--allow-python"]) as session:
        for name, rows in documents.items():
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (pathlib.Path(folder) / f"{name}.ndjson").write_text(text, encoding="utf-8")
        for pattern in patterns:
            expected = pattern["expected"]
            if not is_same(reference(pattern, documents[pattern["input"]]), expected):
                failed += 1
                print(f"{pattern['name']}: Python does not come to what is expected")
            taken[pattern["tier"]] += 1
            if not is_run[pattern["tier"]]:
                continue
            found = run(session, pattern, pathlib.Path(folder) / f"{pattern['input']}.ndjson")
            if not is_same(found, expected):
                failed += 1
                print(f"{pattern['name']}: {found} instead of {expected}")
    share = taken["expression"] / len(patterns)
    for tier in TIERS:
        state = "run" if is_run[tier] else "not run: there is no plugin"
        print(f"{tier}: {taken[tier]} of {len(patterns)}, {100 * taken[tier] / len(patterns):.0f} % ({state})")
    return 1 if failed or share < SHARE_MIN else 0


if __name__ == "__main__":
    sys.exit(main())
