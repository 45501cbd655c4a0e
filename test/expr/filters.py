#!/usr/bin/env python3
"""Random filters over random documents: fletch keeps the documents that a small evaluator in Python keeps.

The evaluator has MongoDB's semantics as src/front/expr/filter.h tells them: a field that is null or that a document lacks equals null
alone, and $ne, $nin, $not and $nor keep what the positive form does not. Conditions in $expr are SQL's: null in, null out. Documents are
an NDJSON file. Everything comes of the seed. Relies on: ../pipe.py and a built program. Exit status 1 when a filter differs.
"""

import argparse
import json
import pathlib
import random
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import pipe  # noqa: E402  (found through the line above)

WORDS = ["Oslo", "oslo", "Bergen", "", "Óslo", "naïve 東京", "it's", 'say "so"', "a.b", "$5", "back\\slash", "tab\there"]
PATTERNS = ["^O", "o$", "e", "^$", "[A-Z]", "^.{4}$", "a|s", "\\.", "\\$", "ó"]
KINDS = {"n": "integer", "x": "double", "s": "text", "ok": "boolean", "p.n": "integer", "p.q.s": "text", "odd key": "integer"}
TESTS = {"$eq": lambda a, b: a == b, "$gt": lambda a, b: a > b, "$gte": lambda a, b: a >= b,
         "$lt": lambda a, b: a < b, "$lte": lambda a, b: a <= b}


# ---- documents and filters -------------------------------------------------------------------------------------------


def value_of(rng, kind):
    if kind == "integer":
        return rng.randint(-3, 6)
    if kind == "double":
        return rng.choice([-1.5, -0.5, 0.0, 0.25, 1.5, 2.5, 1e10])
    return rng.choice(WORDS) if kind == "text" else rng.random() < 0.5


def put(document, path, value):
    *outer, last = path.split(".")
    for name in outer:
        document = document.setdefault(name, {})
    document[last] = value


def document_of(rng, number):
    """Each field is there, null or missing; so is the object around it."""
    document = {"id": number}
    for path, kind in KINDS.items():
        what = rng.random()
        if what < 0.7:
            put(document, path, value_of(rng, kind))
        elif what < 0.85:
            put(document, path, None)
    if "p" in document and rng.random() < 0.1:
        document["p"] = None
    return document


def constant_of(rng, kind):
    return None if rng.random() < 0.08 else value_of(rng, kind)


def list_of(rng, kind):
    return [constant_of(rng, kind) for _ in range(rng.randint(0, 4))]


def other_field(rng, path):
    return rng.choice([p for p, kind in KINDS.items() if kind == KINDS[path]])


def operators_of(rng, path, depth):
    kind = KINDS[path]
    made = {}
    for _ in range(rng.randint(1, 3)):
        op = rng.choice(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$not", "$regex"])
        if op in ("$in", "$nin"):
            made[op] = list_of(rng, kind)
        elif op == "$exists":
            made[op] = rng.random() < 0.5
        elif op == "$not":
            if depth > 0:
                made[op] = operators_of(rng, path, depth - 1)
        elif op == "$regex":
            if kind == "text":
                made[op] = rng.choice(PATTERNS)
                if rng.random() < 0.5:
                    made["$options"] = rng.choice(["i", ""])
        elif rng.random() < 0.15:
            made[op] = {"field": other_field(rng, path)}
        else:
            made[op] = constant_of(rng, kind)
    return made or {"$exists": True}


def condition_of(rng, depth):
    """A tree for $expr, of integers."""
    if depth > 0 and rng.random() < 0.5:
        op = rng.choice(["&&", "||", "!"])
        if op == "!":
            return {"op": "!", "arg": condition_of(rng, depth - 1)}
        return {"op": op, "left": condition_of(rng, depth - 1), "right": condition_of(rng, depth - 1)}
    sum_of = {"op": rng.choice(["+", "-", "*"]), "left": {"field": "n"}, "right": rng.choice([{"field": "p.n"}, 2])}
    return {"op": rng.choice(["==", "!=", "<", "<=", ">", ">="]), "left": sum_of,
            "right": rng.choice([{"field": "odd key"}, rng.randint(-4, 8), None])}


def filter_of(rng, depth):
    made = {}
    for _ in range(rng.randint(1, 2)):
        what = rng.random()
        if depth > 0 and what < 0.35:
            op = rng.choice(["$and", "$or", "$nor"])
            made[op] = [filter_of(rng, depth - 1) for _ in range(rng.randint(1, 3))]
        elif depth > 0 and what < 0.45:
            made["$not"] = filter_of(rng, depth - 1)
        elif what < 0.52:
            made[rng.choice(["$expr", "expr"])] = condition_of(rng, 2)
        else:
            path = rng.choice(list(KINDS))
            plain = rng.random() < 0.25
            made[rng.choice([path, f"doc.{path}"])] = (
                constant_of(rng, KINDS[path]) if plain else operators_of(rng, path, 2))
    return made if rng.random() < 0.97 else {}


# ---- what they mean --------------------------------------------------------------------------------------------------


def get(document, path):
    for name in path.removeprefix("doc.").split("."):
        if document is None:
            return None
        document = document.get(name)
    return document


def is_kept_by(operators, value, document):
    return all(holds(op, operand, operators, value, document) for op, operand in operators.items())


def holds(op, operand, operators, value, document):
    if op == "$not":
        return not is_kept_by(operand, value, document)
    if op == "$exists":
        return (value is not None) == operand
    if op == "$options":
        return True
    if op == "$regex":
        flags = re.IGNORECASE if operators.get("$options") == "i" else 0
        return value is not None and re.search(operand, value, flags) is not None
    if op in ("$in", "$nin"):
        return (value in operand) == (op == "$in")
    if op == "$ne":
        return not holds("$eq", operand, operators, value, document)
    if isinstance(operand, dict):
        other = get(document, operand["field"])
        return value is not None and other is not None and TESTS[op](value, other)
    if value is None or operand is None:
        return value is None and operand is None and op in ("$eq", "$gte", "$lte")
    return TESTS[op](value, operand)


def evaluate(tree, document):
    """A tree's value; None is null."""
    if not isinstance(tree, dict):
        return tree
    if "field" in tree:
        return get(document, tree["field"])
    op = tree["op"]
    if op == "!":
        arg = evaluate(tree["arg"], document)
        return None if arg is None else not arg
    if op in ("==", "!=") and tree["right"] is None:
        return (evaluate(tree["left"], document) is None) == (op == "==")
    left, right = evaluate(tree["left"], document), evaluate(tree["right"], document)
    if op in ("&&", "||"):
        decides = op == "||"
        return decides if decides in (left, right) else None if None in (left, right) else not decides
    if left is None or right is None:
        return None
    return {"+": lambda: left + right, "-": lambda: left - right, "*": lambda: left * right,
            "==": lambda: left == right, "!=": lambda: left != right, "<": lambda: left < right,
            "<=": lambda: left <= right, ">": lambda: left > right, ">=": lambda: left >= right}[op]()


def keeps(filter_, document):
    for name, what in filter_.items():
        if name in ("$and", "$or", "$nor"):
            parts = [keeps(part, document) for part in what]
            kept = all(parts) if name == "$and" else any(parts) != (name == "$nor")
        elif name == "$not":
            kept = not keeps(what, document)
        elif name in ("$expr", "expr"):
            kept = evaluate(what, document) is True
        else:
            value = get(document, name)
            kept = is_kept_by(what if isinstance(what, dict) else {"$eq": what}, value, document)
        if not kept:
            return False
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fletch", type=pathlib.Path, default=pipe.PROGRAM)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--filters", type=int, default=1500)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    documents = [document_of(rng, number) for number in range(300)]
    failed = kept_some = 0
    with tempfile.TemporaryDirectory() as folder, pipe.Pipe(args.fletch) as session:
        path = pathlib.Path(folder) / "documents.ndjson"
        path.write_text("".join(json.dumps(d, ensure_ascii=False) + "\n" for d in documents), encoding="utf-8")
        for _ in range(args.filters):
            filter_ = filter_of(rng, 3)
            expected = [d["id"] for d in documents if keeps(filter_, d)]
            answer = session.ask_json({"from": str(path), "filter": filter_, "select": "id", "sort": "id"})
            found = [row[0] for row in answer["rows"]] if "rows" in answer else answer["error"]["message"]
            kept_some += 0 < len(expected) < len(documents)
            if found != expected:
                failed += 1
                print(f"{json.dumps(filter_)}\n  {found}\n  instead of {expected}")
    print(f"{args.filters - failed} of {args.filters} filters keep what they should; {kept_some} keep some, not all")
    return 1 if failed or kept_some < args.filters // 2 else 0


if __name__ == "__main__":
    sys.exit(main())
