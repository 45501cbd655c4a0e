#!/usr/bin/env python3
"""Which of DuckDB's functions there are: compares duckdb_functions.txt with duckdb_functions() and with our registry.

A line of the list is "kind name: what", where kind is scalar, aggregate or macro, and what is

    there            the registry has it by that name
    syntax           the grammar has it: a form, a constructor, a lambda
    as NAME          it goes by that name or operator
    no: REASON       it is not there

Left out are what users do not call by a name of their own: operators, functions that begin with an underscore, collations, geometry, variant.
Relies on: the Python package duckdb, a built program (--fletch) and function_list (--functions). Exit status 1 when the list is not right.
"""

import argparse
import collections
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import pipe  # noqa: E402  (found through the line above)

LIST = HERE / "duckdb_functions.txt"
LINE = re.compile(r"^(scalar|aggregate|macro) (\w+): (there|syntax|as .+|no: .+)$")
COUNTED = re.compile(r"^(?!(icu_)?collate_|icu_sort_key|st_|variant)[a-z]")


def names_of_duckdb():
    import duckdb

    rows = duckdb.connect().execute("SELECT DISTINCT function_type, function_name FROM duckdb_functions()").fetchall()
    found = collections.defaultdict(set)
    for kind, name in rows:
        if COUNTED.match(name):
            found[kind].add(name)
    return {kind: found[kind] for kind in ("scalar", "aggregate", "macro")}


def names_of_registry(program):
    lines = subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines()
    return {line.split("`")[1] for line in lines if line}


def read_list():
    ret = {}
    for number, line in enumerate(LIST.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        match = LINE.match(line)
        if match is None:
            raise SystemExit(f"{LIST.name}:{number}: not of the form: {line}")
        kind, name, what = match.groups()
        if (kind, name) in ret:
            raise SystemExit(f"{LIST.name}:{number}: {kind} {name} is there twice")
        ret[kind, name] = what
    return ret


def faults(listed, duckdb, registry):
    for kind, names in duckdb.items():
        for name in sorted(names):
            if (kind, name) not in listed:
                yield f"{kind} {name} is not in the list"
    for (kind, name), what in listed.items():
        if name not in duckdb[kind]:
            yield f"{kind} {name}: DuckDB has no such function"
        if (what == "there") != (name in registry):
            yield f"{kind} {name}: {what}" + (", but it is in the registry" if name in registry else ", but it is not in the registry")
        other = what[3:] if what.startswith("as ") else None
        if other is not None and re.match(r"^\w+$", other) and other not in registry:
            yield f"{kind} {name}: there is no {other}, either"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fletch", type=pathlib.Path, default=pipe.PROGRAM)
    parser.add_argument("--functions", type=pathlib.Path)
    args = parser.parse_args()
    registry = names_of_registry(args.functions or args.fletch.with_name("function_list"))
    duckdb = names_of_duckdb()
    listed = read_list()
    wrong = list(faults(listed, duckdb, registry))
    print("\n".join(wrong))
    for kind, names in duckdb.items():
        counts = collections.Counter(what.split(":")[0].split(" ")[0] for (k, _), what in listed.items() if k == kind)
        usable = counts["there"] + counts["syntax"] + counts["as"]
        print(f"{kind}: {usable} of DuckDB's {len(names)} ({counts['there']} by name, {counts['syntax']} by the grammar, "
              f"{counts['as']} by another name)")
    print(f"the registry has {len(registry)} functions and aggregates that have a name")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
