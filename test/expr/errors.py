#!/usr/bin/env python3
"""Runs the golden errors of errors.txt: SQLSTATE, JSON pointer, place in the text and the name that is told; and hostile requests, which
are answered or refused within two seconds of the processor and 500 MB.

Relies on: ../pipe.py, and so on a built program (--fletch). Exit status 1 when a case differs.
"""

import argparse
import json
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import pipe  # noqa: E402  (found through the line above)

MARK = "@@"
SECONDS_MAX = 2.0
PEAK_MB_MAX = 500


def place_of(value):
    """The byte at which the mark stands in the text that has it, or None."""
    if isinstance(value, str):
        return len(value[:value.index(MARK)].encode()) if MARK in value else None
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((place for place in map(place_of, parts) if place is not None), None)


def differences(error, state, pointer, place, part):
    """What of the expected is not in the error, as short texts."""
    message = error.get("message") or ""
    if error.get("sqlstate") != state:
        yield f"SQLSTATE {error.get('sqlstate')} instead of {state}"
    if pointer and not message.startswith(f"at {pointer}: "):
        yield f"not at {pointer}"
    if error.get("position") != place:
        yield f"position {error.get('position')} instead of {place}"
    if part.lower() not in f"{message} {error.get('hint') or ''}".lower():
        yield f"neither message nor hint holds '{part}'"


def check_golden(session):
    count = failed = 0
    for number, line in enumerate((HERE / "errors.txt").read_text(encoding="utf-8").split("\n"), 1):
        if not line or line.startswith("#"):
            continue
        marked, state, pointer, part = (line.split("\t") + ["", ""])[:4]
        answer = session.ask_json(marked.replace(MARK, "", 1))
        error = answer.get("error", {"message": "no error"})
        found = list(differences(error, state, pointer, place_of(json.loads(marked)), part))
        count += 1
        failed += bool(found)
        if found:
            print(f"errors.txt:{number}: {marked}\n  {'; '.join(found)}\n  {error.get('message')} | {error.get('hint')}")
    return count, failed


def nested(times, before, inner, after):
    return before * times + inner + after * times


def hostile():
    """(what, request, SQLSTATE or None: there is an answer)."""
    def expr(text):
        return json.dumps({"from": "items", "filter": {"$expr": text}})

    def raw(text):
        return '{"from": "items", "filter": ' + text + "}"

    deep = 100_000
    for sign in ("(", "-", "!", "abs(", "qty ? ", "qty ? 1 : ", "[", "qty in ["):
        yield f"{sign} {deep} deep", expr(sign * deep + "qty"), "54001"
    yield "a sum of 50,000 terms", expr(" + ".join(["qty"] * 50_000) + " > 1"), "54001"
    yield "a sum of 900 terms", expr(" + ".join(["qty"] * 900) + " > 1"), None
    for sign in ("&&", "||"):
        yield f"20,000 {sign}", expr(f" {sign} ".join(f"qty > {i}" for i in range(20_000))), None
    yield "20,000 && of one tree", raw(json.dumps({"$expr": {"op": "&&", "args": [{"op": ">", "left": {"field": "qty"}, "right": 0}] * 20_000}})), None
    yield "20,000 filters in $and", raw(json.dumps({"$and": [{"qty": {"$gt": 0}}] * 20_000})), None
    yield "100,000 values in $in", raw(json.dumps({"qty": {"$in": list(range(100_000))}})), None
    yield "100,000 values behind in", expr(f"qty in [{', '.join(map(str, range(100_000)))}]"), None
    yield "$and deep", raw(nested(deep, '{"$and": [', "{}", "]}")), "54001"
    yield "$not deep", raw(nested(deep, '{"$not": ', "{}", "}")), "54001"
    yield "a field's $not deep", raw('{"qty": ' + nested(deep, '{"$not": ', '{"$gt": 1}', "}") + "}"), "54001"
    yield "arrays deep", raw('{"$expr": ' + nested(deep, "[", "1", "]") + "}"), "54001"
    yield "expr deep", raw('{"$expr": ' + nested(deep, '{"expr": ', '"qty > 1"', "}") + "}"), "54001"
    yield "trees deep", raw('{"$expr": ' + nested(deep, '{"op": "!", "arg": ', "true", "}") + "}"), "54001"
    yield "choices deep", raw('{"$expr": ' + nested(deep, '{"cond": true, "then": 1, "else": ', "1", "}") + "}"), "54001"
    yield "a path of 50,000 names", expr("metadata" + ".a" * 50_000), "42703"
    yield "a text of 10 MB", raw(json.dumps({"name": "x" * 10_000_000})), None
    yield "an infix text of 10 MB", expr("name == '" + "\\u00e9" * 1_600_000 + "'"), None
    yield "a name of 10 MB", expr("x" * 10_000_000), "42703"
    yield "a key of 10 MB", raw(json.dumps({"x" * 10_000_000: 1})), "42703"
    yield "a number of 1 MB", raw('{"qty": ' + "9" * 1_000_000 + "}"), "22003"
    yield "1e999", raw('{"qty": 1e999}'), "22003"
    yield "a small number", raw('{"qty": 1e-999}'), "22003"
    yield "20,000 columns", json.dumps({"from": "items", "select": ["qty"] * 20_000}), None
    yield "20,000 sort keys", json.dumps({"from": "items", "sort": ["qty"] * 20_000}), None
    yield "100,000 unknown names", json.dumps({"from": "items", **{f"x{i}": 1 for i in range(100_000)}}), "42601"
    yield "10 MB of é before the fault", expr("é" * 5_000_000 + " ("), "42601"


def processor_seconds(pid):
    """What a process has used; the clock on the wall would measure other processes, too."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def check_hostile(session, slack):
    count = failed = 0
    for what, request, state in hostile():
        began = processor_seconds(session.process.pid)
        answer = session.ask_json(request)
        seconds = processor_seconds(session.process.pid) - began
        count += 1
        found = answer["error"]["sqlstate"] if "error" in answer else None
        if found != state or seconds > slack * SECONDS_MAX or session.peak_mb() > slack * PEAK_MB_MAX:
            failed += 1
            print(f"{what}: {found} instead of {state}, {seconds:.1f} s, {session.peak_mb():.0f} MB: {str(answer)[:300]}")
    return count, failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fletch", type=pathlib.Path, default=pipe.PROGRAM)
    parser.add_argument("--slack", type=int, default=1, help="so many times the seconds and bytes: for sanitizers")
    args = parser.parse_args()
    with pipe.Pipe(args.fletch) as session:
        session.run(f"CREATE TABLE items AS SELECT * FROM '{HERE / 'items.ndjson'}'")
        golden, wrong = check_golden(session)
        hard, refused = check_hostile(session, args.slack)
        alive = session.rows("SELECT count(*) FROM items") == [[2]]
    print(f"{golden - wrong} of {golden} errors and {hard - refused} of {hard} hostile requests are as expected")
    return 0 if wrong == refused == 0 and alive else 1


if __name__ == "__main__":
    sys.exit(main())
