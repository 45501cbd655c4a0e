#!/usr/bin/env python3
"""Refuses rules that ask which class an operator is of, instead of asking the class (src/plan/rewrites.h).

A rule that knows classes by name does nothing for one that comes from outside. What the pattern matched needs no test, and another
operator's class can be compared with it (`below->op == node->op`). ALLOWED names the rules that are about single classes
and look for them where no pattern can: which classes, and why. Prints each test that is not allowed, and each permission that nothing
uses, and exits with status 1.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TEST = re.compile(r"\bop\s*[!=]=\s*&fl_op_(\w+)|&fl_op_(\w+)\s*[!=]=|strcmp\([^;]*\bop->name\b")

ALLOWED = {
    # a reader of shared rows is taken away when the whole plan, from its root on, has no second one
    "src/rule/eliminate_materialize.c": {"materialize"},
    # what reads shared rows, and what filters them, is found in one walk from the root
    "src/rule/filter_shared.c": {"materialize", "filter"},
    # it goes on with the projection that it made of the row before
    "src/rule/inline_row.c": {"project"},
    # regions of joins are found and put in order in one walk from the root
    "src/rule/join_region.c": {"join"},
}


def main():
    problems, used = [], {name: set() for name in ALLOWED}
    sources = [path for folder in ("rule", "opt") for path in sorted((ROOT / "src" / folder).glob("*.c"))]
    for path in sources:
        if path.name.endswith("_test.c"):
            continue
        name, text = str(path.relative_to(ROOT)), path.read_text()
        for match in TEST.finditer(text):
            op = match.group(1) or match.group(2) or "a name"
            if op in ALLOWED.get(name, ()):
                used[name].add(op)
            else:
                line = text[: match.start()].count("\n") + 1
                problems.append(f"{name}:{line}: tests an operator for being {op}: ask its class (plan/rewrites.h)")
    for name, ops in ALLOWED.items():
        for op in sorted(ops - used[name]):
            problems.append(f"tools/check_rules.py: {name} no longer tests for {op}: take the permission away")
    print("\n".join(problems) if problems else f"rules: {len(sources)} files, none lists classes that it need not")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
