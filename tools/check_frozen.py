#!/usr/bin/env python3
"""Plans are frozen: nothing that is made of one is written again. Refuses the casts by which C would allow it.

Looked for in src/ (tests left out): a cast, also through an integer, to a pointer to one of the plan's types or to a struct
of attributes that is not const, where what is cast is no fresh memory. The compiler refuses the rest: those types are only
handed out as const. Prints each cast with its line and exits with status 1.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What a plan is made of. Its container (fl_plan) and tables are counted, so references to them are not const.
TYPES = ("fl_node", "fl_expr", "fl_col_info", "fl_trait_set", "fl_trait_value", "fl_agg", "fl_sort_key", "fl_order_key", "fl_subquery",
         "fl_props", "fl_col_set", "fl_dependency", "fl_query", r"fl_\w+_attrs")
CAST = re.compile(r"\((?:struct )?(?:" + "|".join(TYPES) + r") \*+\)")
AROUND = re.compile(r"\((?:void|char|fl_plan|struct fl_plan) \*\)\(uintptr_t\)")
PLAN_FOLDERS = ("plan", "opt", "rule", "op")


def find(path):
    """The casts of a file: (line, text)."""
    folder = path.relative_to(ROOT / "src").parts[0]
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if CAST.search(line) or (folder in PLAN_FOLDERS and AROUND.search(line)):
            yield number, line.strip()


def main():
    bad = [f"{path.relative_to(ROOT)}:{number}: {text}"
           for path in sorted((ROOT / "src").rglob("*.[ch]")) if not path.name.endswith("_test.c")
           for number, text in find(path)]
    print("\n".join(bad + [f"{len(bad)} casts write where plans are frozen"]))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
