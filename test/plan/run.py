#!/usr/bin/env python3
"""Runs the golden plans: a question, and the plan it must get.

rule/ holds a file for each rule, with what must fire; properties/ one for each operator, with what is known of its rows; memo/
what searches keep and choose; why/ which rules made what, and what became of those that did not; functions/ how users' functions are
called, without whether a module is compiled by now, and in which order. Rules are looked at under optimizer = 'simple', unless a setup says otherwise.

    run.py [--fletch PROGRAM] [--rewrite] [FILE ...]

Every rule of src/engine/builtins.def has a file rule/<name>.plan, with at least one case where it fires and one where it
must not; every operator a file properties/<name>.plan, whose plans are those of EXPLAIN (PROPERTIES). Those of memo/ are of
EXPLAIN (MEMO), without numbers of rows and times, which belong to estimates; those of why/ of EXPLAIN (WHY), or with why-not=rule
behind `query` of EXPLAIN (WHY NOT rule). A file is blocks between blank lines; lines that begin with # say what a block is about:

    setup                                   one statement a line, for all queries behind it
    CREATE TABLE t (a int)

    query expect=fired                      or expect=not-fired; below properties/ and memo/ query alone
    SELECT a
    FROM t
    ----
    scan [vectorized, stream] table: t      as EXPLAIN shows it, without the estimates of rows

--rewrite puts the plans of this program there; what must fire is never rewritten. Each file has a session of its own, with
one thread. Relies on: ../pipe.py, and EXPLAIN (FORMAT JSON), whose rules_fired it reads. Exit status 1 when a case fails.
"""

import argparse
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import pipe  # noqa: E402  (found through the line above)

ENTRY = {"rule": re.compile(r"^FL_RULE\((\w+)\)", re.MULTILINE), "properties": re.compile(r"^FL_OP\((\w+)\)", re.MULTILINE)}
ROWS = re.compile(r"  ~\S+ rows$")
TIME = re.compile(r"costs (at least )?[\d.]+ (ns|us|ms|s)$")
TIER = re.compile(r"^(function .*: wasm: )(interpreted|compiled): .*")
OPTION = {"rule": "", "functions": "", "properties": "(PROPERTIES)", "memo": "(MEMO)", "why": "(WHY)"}
WHY_NOT = "query why-not="
EXPECTED = {"query expect=fired": True, "query expect=not-fired": False, "query": None}


def plan_of(session, sql, option):
    """The names of the rules that fired, and the lines of the plan."""
    fired = json.loads(session.rows(f"EXPLAIN (FORMAT JSON) {sql}")[0][0])["rules_fired"]
    lines = [TIER.sub(r"\1…", TIME.sub("costs …", ROWS.sub("", row[0]))) for row in session.rows(f"EXPLAIN {option} {sql}")]
    return fired, lines


def document_problem(session, sql, option):
    """What EXPLAIN says of the memo or of a rule it says in a document, too: the same lines."""
    members = {"memo": "MEMO" in option, "why_not": "WHY NOT" in option}
    whole = [row[0] for row in session.rows(f"EXPLAIN {option} {sql}")]
    document = json.loads(session.rows(f"EXPLAIN (FORMAT JSON, {option[1:]} {sql}")[0][0])
    for member, is_asked in members.items():
        lines = document.get(member, "").splitlines()
        if bool(lines) != is_asked or (is_asked and whole[-len(lines):] != lines):
            return f"the document's {member} is\n    " + "\n    ".join(lines)
    return None


def run_query(session, path, head, body):
    """What is wrong, as a list of texts, and the block as it should be."""
    cut = body.index("----") if "----" in body else len(body)
    question, wanted = body[:cut], body[cut + 1:]
    option = f"(WHY NOT {head.removeprefix(WHY_NOT)})" if head.startswith(WHY_NOT) else OPTION[path.parent.name]
    fired, plan = plan_of(session, " ".join(question), option)
    found = []
    if head in EXPECTED and head != "query" and (path.stem in fired) != EXPECTED[head]:
        found.append(f"{path.stem} {'fired' if path.stem in fired else 'did not fire'}; fired: {', '.join(fired)}")
    if plan != wanted:
        found.append("the plan is\n    " + "\n    ".join(plan))
    if option in (OPTION["memo"], OPTION["why"]) or head.startswith(WHY_NOT):
        found += [problem for problem in [document_problem(session, " ".join(question), option)] if problem is not None]
    return found, [*question, "----", *plan]


def run_file(path, program):
    """Problems, the expectations met in it, and the file's text with the plans as they are now."""
    problems, expectations, blocks = [], set(), []
    with pipe.Pipe(program, ["--threads", "1"]) as session:
        session.run(f"SET optimizer = '{'search' if path.parent.name in ('memo', 'why') else 'simple'}'")
        session.run("SET verify_rules = true")
        for block in path.read_text(encoding="utf-8").strip("\n").split("\n\n"):
            lines = block.split("\n")
            comments = [line for line in lines if line.startswith("#")]
            rest = lines[len(comments):]
            if rest and rest[0] == "setup":
                for statement in rest[1:]:
                    session.run(statement)
            elif rest and (rest[0] in EXPECTED or rest[0].startswith(WHY_NOT)):
                expectations.add(EXPECTED.get(rest[0]))
                try:
                    found, rest[1:] = run_query(session, path, rest[0], rest[1:])
                except pipe.QueryError as failure:
                    found = [str(failure)]
                problems += [f"{path.name}: {' '.join(rest[1:2])} …\n  {text}" for text in found]
            elif rest:
                problems.append(f"{path.name}: neither setup nor query: {rest[0]}")
            blocks.append("\n".join(comments + rest))
    return problems, expectations, "\n\n".join(blocks) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fletch", default=pipe.PROGRAM, type=pathlib.Path)
    parser.add_argument("--rewrite", action="store_true")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    args = parser.parse_args()
    paths = args.files or sorted(path for folder in OPTION for path in (HERE / folder).glob("*.plan"))
    problems = []
    for path in paths:
        found, expectations, text = run_file(path, args.fletch)
        problems += found
        if path.parent.name == "rule" and not expectations.issuperset((True, False)):
            problems.append(f"{path.name}: needs a case where the rule fires and one where it must not")
        if args.rewrite:
            path.write_text(text, encoding="utf-8")
    if not args.files:
        example = (HERE / "memo" / "worked_example.plan").read_text(encoding="utf-8").split("----\n")[1].rstrip("\n")
        if f"```\n{example}\n```" not in (pipe.ROOT / "docs" / "optimizer.md").read_text(encoding="utf-8"):
            problems.append("docs/optimizer.md does not show the memo of memo/worked_example.plan")
        builtins = (pipe.ROOT / "src" / "engine" / "builtins.def").read_text(encoding="utf-8")
        for folder, entry in ENTRY.items():
            wanted, names = entry.findall(builtins), {path.stem for path in paths if path.parent.name == folder}
            problems += [f"{folder}/{name}.plan is missing" for name in wanted if name not in names]
            problems += [f"{folder}/{name}.plan belongs to nothing" for name in sorted(names.difference(wanted))]
    print("\n".join(problems + [f"{len(paths)} files, {len(problems)} problems"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
