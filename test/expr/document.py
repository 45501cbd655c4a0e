#!/usr/bin/env python3
"""Runs the examples of docs/expressions.md, and compares its list of functions with the registry (--rewrite puts that in).

An example is a fenced block: `expr` and `tree` are lines `expression → value`, `filter` are lines `filter → ids kept`, `request` is followed
by its `answer`, a row a line, and `error` is a request and how its message begins. Relies on: ../pipe.py, a built program (--fletch) and
function_list (--functions). Exit status 1 when the page is wrong.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import pipe  # noqa: E402  (found through the line above)

PAGE = HERE.parent.parent / "docs" / "expressions.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LIST = re.compile(r"(?<= puts it here -->\n).*(?=<!-- end -->)", re.DOTALL)
KINDS = ("expr", "tree", "filter", "request", "answer", "error")


def list_of_functions(program):
    scalar, aggregates = subprocess.run([program], check=True, capture_output=True, text=True).stdout.strip().split("\n\n")
    return (f"\n| function | what it does |\n| --- | --- |\n{scalar}\n\n"
            f"| aggregate | what it does |\n| --- | --- |\n{aggregates}\n\n")


def rows_of(answer):
    return answer["rows"] if "rows" in answer else answer["error"]["message"]


def examples_of(kind, text):
    """The parts of a block: (request, what is expected)."""
    if kind == "error":
        request, message = text.strip().rsplit("\n", 1)
        yield request, message
        return
    for line in text.strip().split("\n"):
        said, _, expected = (part.strip() for part in line.rpartition("→"))
        if kind == "filter":
            yield {"from": "items", "filter": json.loads(said), "select": "id", "sort": "id"}, [[int(n)] for n in expected.split()]
        else:
            item = said + " as x" if kind == "expr" else {"expr": json.loads(said), "as": "x"}
            yield {"from": "items", "filter": {"id": 1}, "select": [item]}, [[json.loads(expected)]]


def check(session, text):
    """Yields (example, whether it is right, what was found)."""
    request = None
    for kind, block in FENCE.findall(text):
        if kind not in KINDS:
            yield kind, False, "an unknown kind of block"
        elif kind == "request":
            request = block
        elif kind == "answer":
            found = rows_of(session.ask_json(" ".join(request.split("\n"))))
            yield request, found == [json.loads(line) for line in block.strip().split("\n")], found
        else:
            for example, expected in examples_of(kind, block):
                found = rows_of(session.ask_json(example))
                yield example, found.startswith(expected) if kind == "error" and isinstance(found, str) else found == expected, found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fletch", type=pathlib.Path, default=pipe.PROGRAM)
    parser.add_argument("--functions", type=pathlib.Path, default=pipe.PROGRAM.with_name("function_list"))
    parser.add_argument("--rewrite", action="store_true")
    args = parser.parse_args()
    text = PAGE.read_text(encoding="utf-8")
    functions = list_of_functions(args.functions)
    if args.rewrite:
        text = LIST.sub(lambda _: functions, text)
        PAGE.write_text(text, encoding="utf-8")
    count = failed = 0
    with pipe.Pipe(args.fletch) as session:
        session.run(f"CREATE TABLE items AS SELECT * FROM '{HERE / 'items.ndjson'}'")
        for example, is_right, found in check(session, text):
            count += 1
            failed += not is_right
            if not is_right:
                print(f"{example}\n  {found}")
    is_listed = LIST.search(text).group() == functions
    if not is_listed:
        print("the list of functions is not the registry's: test/expr/document.py --rewrite")
    print(f"{count - failed} of {count} examples are as the page says")
    return 1 if failed or count < 40 or not is_listed else 0


if __name__ == "__main__":
    sys.exit(main())
