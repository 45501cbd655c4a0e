#!/usr/bin/env python3
"""Makes docs/functions.md: each function with its forms, what it does, and an example with its answer.

    page.py [--fletch PROGRAM] [--functions function_list] [--rewrite]

What a function does is said by its descriptor, the example by examples.txt, the answer by the engine. Without --rewrite the page is compared
with what would be made. A function without a description or an example, an example of none, and a call that fails are errors.
Relies on: ../pipe.py, a built program and function_list. Exit status 1 when the page is not what it should be.
"""

import argparse
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import pipe  # noqa: E402  (found through the line above)

PAGE = HERE.parent.parent / "docs" / "functions.md"
EXAMPLES = HERE / "examples.txt"
ROWS = "(VALUES (1, 10.0, 'a', true), (2, 20.0, 'b', false), (3, 20.0, 'b', NULL), (NULL, 45.0, NULL, true)) AS t(x, y, s, b)"
HEAD = f"""# Functions

Made by `test/functions/page.py --rewrite` of what the engine says of its functions and of
[test/functions/examples.txt](../test/functions/examples.txt); a test holds the page to both. [sql.md](sql.md) says what there is besides, and where answers
differ from PostgreSQL's and DuckDB's; what stands in brackets may be left out.

Examples of aggregates and windows are of these rows, called `t`:

| x | y | s | b |
| --- | --- | --- | --- |
| 1 | 10.0 | a | true |
| 2 | 20.0 | b | false |
| 3 | 20.0 | b | NULL |
| NULL | 45.0 | NULL | true |

"""


class Entry:
    def __init__(self, name, doc, is_aggregate=False):
        self.name, self.is_aggregate = name, is_aggregate
        alias = re.fullmatch(r"as (\w+)", doc)
        self.alias = alias.group(1) if alias else None
        self.forms, self.says = (name, doc) if doc.startswith("as ") else doc.replace(r"\|", "|").split(": ", 1) if ": " in doc else (doc, "")


def registered(program):
    """Entries of the registry, and in the order of their names."""
    parts = subprocess.run([program], check=True, capture_output=True, text=True).stdout.strip().split("\n\n")
    for part, is_aggregate in zip(parts, (False, True)):
        for line in part.split("\n"):
            name, doc = re.fullmatch(r"\| `(.*?)` \| (.*) \|", line).groups()
            yield Entry(name, doc, is_aggregate)


def read_examples(entries, problems):
    """Groups: (heading, [(entry, call)]); adds entries that are described there."""
    groups, described = [], None
    for line in EXAMPLES.read_text(encoding="utf-8").split("\n\n", 2)[2].split("\n"):
        line = line.strip()
        if line.startswith("# "):
            groups.append((line[2:], []))
        elif line.startswith("! "):
            described = Entry(re.match(r"! (\w+)", line).group(1), line[2:])
            entries[described.name] = described
        elif line:
            name, call = re.match(r"(\w+): (.*)", line).groups() if re.match(r"\w+: ", line) else (re.match(r"\w+", line).group(), line)
            if name not in entries:   # coalesce and its like are grammar
                entries[name] = Entry(name, {"coalesce": "coalesce(a, b, ...): the first that is not null",
                                             "nullif": "nullif(a, b): a, null where it equals b",
                                             "if": "if(condition, a, b): a where the condition is true, else b",
                                             "ifnull": "ifnull(a, b): a, b where it is null"}.get(name, ""))
                if not entries[name].says:
                    problems.append(f"there is an example of {name}, but no such function")
            groups[-1][1].append((entries[name], call))
    return groups


def answer_of(session, entry, call, is_over_rows):
    """The answer as text, of a window those of all rows."""
    is_window = " OVER (" in call
    sql = f"SELECT ({call})::text AS answer" + (f" FROM {ROWS}" if is_over_rows or is_window else "")
    answer = session.ask(sql + (" ORDER BY x NULLS LAST" if is_window else ""))
    if "error" in answer:
        return f"error: {answer['error']['message']}", entry.name == "error"
    values = ["NULL" if row[0] is None else row[0].replace("\n", "⏎") for row in answer["rows"]]
    return ", ".join(values), True


def code(text):
    return "`" + text.replace("|", "\\|") + "`"


def make(session, functions, problems):
    entries = {}
    for entry in registered(functions):
        entries.setdefault(entry.name, entry)
    groups = read_examples(entries, problems)
    shown = {entry.name: call for _, items in groups for entry, call in items}
    for entry in entries.values():
        what = entry.alias
        if entry.name in shown:
            continue
        if what is None or what not in shown:
            problems.append(f"{entry.name} has no example in {EXAMPLES.name}")
            continue
        group = next(items for _, items in groups if any(e.name == what for e, _ in items))
        at = max(i for i, (e, _) in enumerate(group) if what in (e.name, e.alias))
        group.insert(at + 1, (entry, re.sub(rf"\b{what}\(", f"{entry.name}(", shown[what], count=1)))
        shown[entry.name] = ""
    text = HEAD
    count = 0
    for heading, items in groups:
        text += f"## {heading}\n\n| function | what it does | example | answer |\n| --- | --- | --- | --- |\n"
        for entry, call in items:
            answer, is_right = answer_of(session, entry, call, entry.is_aggregate)
            if not is_right:
                problems.append(f"{call}: {answer}")
            if not entry.says:
                problems.append(f"{entry.name} has no description")
            count += 1
            says = entry.says.replace("|", "\\|")
            text += f"| {code(entry.forms)} | {says} | {code(call)} | {code(answer) if answer else ''} |\n"
        text += "\n"
    return text.rstrip("\n") + "\n", count


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fletch", type=pathlib.Path, default=pipe.PROGRAM)
    parser.add_argument("--functions", type=pathlib.Path, default=pipe.PROGRAM.with_name("function_list"))
    parser.add_argument("--rewrite", action="store_true")
    args = parser.parse_args()
    problems = []
    with pipe.Pipe(args.fletch) as session:
        session.run("CREATE SEQUENCE numbers")
        text, count = make(session, args.functions, problems)
    if args.rewrite:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        problems.append("docs/functions.md is not what would be made: test/functions/page.py --rewrite")
    print("\n".join([*problems, f"{count} functions, {len(problems)} problems"]))
    return 1 if problems or count < 500 else 0


if __name__ == "__main__":
    sys.exit(main())
