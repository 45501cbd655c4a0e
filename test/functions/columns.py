#!/usr/bin/env python3
"""The calls of examples.txt over columns: what is computed of literals when a query is planned must be what is computed of rows.

    columns.py [--fletch PROGRAM]

Each literal of a call becomes a column of rows that hold it, with rows between them in which one of the columns is null; in VALUES and in a
table, by vectors of 1, 2 and 2,048 rows. Calls whose arguments must be constants are left out, and said how many. Exit status 1 when an answer
differs. Relies on: ../pipe.py, page.py.
"""

import argparse
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))
import page  # noqa: E402
import pipe  # noqa: E402

LITERAL = re.compile(r"(?:\b(?:date|timestamp|timestamptz|time|interval) )?'(?:[^']|'')*'(?:::\w+)?|"
                     r"(?<![\w.$\]\[])\d+(?:\.\d+)?(?:::\w+)?(?![\w.:])|\[[^\[\]]*\]")
NOT_SCALAR = re.compile(r" OVER |\b(nextval|currval|lastval|setval|random|uuid|gen_random_uuid|uuidv7|error)\(|\b[xysb]\b(?!')")
GRAMMAR = ("extract", "overlay", "timezone")   # whose words are no values


def calls():
    for line in page.EXAMPLES.read_text(encoding="utf-8").split("\n\n", 2)[2].split("\n"):
        name, _, call = line.partition(": ") if re.match(r"\w+: ", line) else ("", "", line)
        if call and call[0] not in "#!" and name not in GRAMMAR and "{'" not in call and not NOT_SCALAR.search(re.sub(r"'[^']*'", "''", call)):
            yield call


def with_parts(call, places, parts):
    """The call with other texts where its literals are."""
    text, at = "", 0
    for place, part in zip(places, parts):
        text += call[at:place.start()] + part
        at = place.end()
    return text + call[at:]


def one(session, call):
    """What differs, and how many answers were compared."""
    places = list(LITERAL.finditer(call))
    literals = [place.group() for place in places]
    folded = session.ask(f"SELECT ({call})::text")
    if not literals or "error" in folded:
        return [], 0
    columns = [f"c{n}" for n in range(len(literals))]
    rows = [literals, *[["NULL" if n == k else x for n, x in enumerate(literals)] for k in range(len(literals))], literals]
    expected = [folded]
    for k, literal in enumerate(literals):
        kind = session.ask(f"SELECT typeof({literal})").get("rows", [[None]])[0][0]
        if kind is None:  # a name of an enum's, which is no expression
            return [], 0
        text = with_parts(call, places, [f"NULL::{kind}" if n == k else x for n, x in enumerate(literals)])
        expected.append(session.ask(f"SELECT ({text})::text"))
    expected.append(folded)
    values = f"(VALUES {', '.join('(' + ', '.join(row) + ')' for row in rows)}) t({', '.join(columns)})"
    session.run(f"CREATE OR REPLACE TABLE kept AS SELECT * FROM {values}")
    found, compared = [], 0
    for size in (1, 2, 2048):
        session.run(f"SET vector_size = {size}")
        for source in (values, "kept t"):
            over = with_parts(call, places, [f"t.{c}" for c in columns])
            answer = session.ask(f"SELECT ({over})::text FROM {source}")
            if "error" in answer:
                state = answer["error"]["sqlstate"]
                found += [f"{over}: {answer['error']['message']}"] if state.startswith("XX") else []
                continue
            for row, want in zip(answer["rows"], expected):
                if "error" not in want:
                    compared += 1
                    if row[0] != want["rows"][0][0]:
                        found.append(f"{call}: {want['rows'][0][0]} of literals, {row[0]} of columns by vectors of {size} rows")
    return found, compared


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fletch", type=pathlib.Path, default=pipe.PROGRAM)
    args = parser.parse_args()
    problems, n_calls, left_out, compared = [], 0, 0, 0
    with pipe.Pipe(args.fletch) as session:
        for call in calls():
            found, n = one(session, call)
            problems += found
            compared += n
            n_calls += n > 0
            left_out += n == 0
    print("\n".join([*problems, f"{n_calls} calls, {compared} answers, {len(problems)} of them other ones; {left_out} calls left out"]))
    return 1 if problems or n_calls < 300 else 0


if __name__ == "__main__":
    sys.exit(main())
