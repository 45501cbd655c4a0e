#!/usr/bin/env python3
"""R15, one query down every road: the answer must not depend on rules, the optimizer, vector sizes or threads.

    differential.py [--slt] [--tpch] [--fletch PROGRAM] [--filter TEXT] [--rule-queries N] [FILE.slt...]

For each query of test/slt but for spill/, whose limits are meant for one plan (with the statements before it as its world) or of bench/tpch (at scale 0.01), the answer
under the defaults is compared with the answer under one change at a time: each rule that fired switched off
(EXPLAIN (FORMAT JSON) names them), SET optimizer = 'none', vector sizes 1, 2 and 2048, 1 and 2 threads, 16 MB of memory (but for
statements below a comment "# memory: REASON"). Rows are compared as multisets, doubles to 1e-12 relative; an error must be the same
SQLSTATE on every road.

A rule that must run (`required`) refuses to be switched off; that is said, and is no failure.
Relies on: test/pipe.py. One process per road and file, so that a file's world is built once per road.
Exit status 1 when roads disagree.
"""

import argparse
import collections
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "test"))
import pipe  # noqa: E402

ROADS = {
    "verify_rules": ["SET verify_rules = true"],
    "optimizer none": ["SET optimizer = 'none'"],
    "optimizer simple": ["SET optimizer = 'simple'"],
    "plan 7": ["SET optimizer = 'search'", "SET plan_number = 7"],
    "vector_size 1": ["SET vector_size = 1"],
    "vector_size 2": ["SET vector_size = 2"],
    "vector_size 2048": ["SET vector_size = 2048"],
    "vector_size 16384": ["SET vector_size = 16384"],
    "threads 1": ["SET threads = 1"],
    "threads 2": ["SET threads = 2"],
    "memory 16 MB": ["SET memory_limit = '16MB'"],  # statements that say that they need more run without it
}
MEMORY = "memory 16 MB"
DAMAGED = "XX001"
# What a query says about its own plan or settings differs by intent.
OWN_PLAN = re.compile(r"^\s*(EXPLAIN|SHOW|SET|RESET|PRAGMA)\b", re.I)
# Values that differ from call to call, and tables that reading fills.
VOLATILE = re.compile(r"\b(store_rejects|reject_errors|reject_scans|random|now|current_timestamp|current_time|current_date|clock_timestamp|any_value|version)\b", re.I)
# What a query changes the following ones see: it is run on every road, as statements are, and they are compared.
CHANGE = re.compile(r"^\s*(INSERT|UPDATE|DELETE|MERGE)\b|^\s*WITH\b.*\b(INSERT|MERGE)\s+INTO\b|^\s*WITH\b.*\b(DELETE\s+FROM|UPDATE\s+\w+\s+(\w+\s+)?SET)\b"
                    r"|\b(nextval|setval|currval|lastval)\b", re.I | re.S)
PREPARED = re.compile(r"^\s*PREPARE\b.*?\bAS\s+(.*)", re.I | re.S)
RELATIVE = 1e-12


class Case:
    """A statement of a world: `is_query` ones are compared, all are run in order."""

    def __init__(self, place, sql, is_query, needs_memory=False):
        self.place, self.sql, self.is_query, self.needs_memory = place, sql, is_query, needs_memory


def hide_changes(cases):
    """Queries that change something become statements; so do those that EXECUTE a change."""
    prepared = [PREPARED.match(case.sql) for case in cases]
    has_prepared = any(match and CHANGE.search(match.group(1)) for match in prepared)
    for case in cases:
        if CHANGE.search(case.sql) or (has_prepared and re.match(r"\s*EXECUTE\b", case.sql, re.I)):
            case.is_query = False
    return cases


def read_slt(path):
    """Statements and queries of a file, skipif and loops left out (they say nothing about roads)."""
    cases, lines, at = [], path.read_text(encoding="utf-8").split("\n"), 0
    skip = needs_memory = False
    while at < len(lines):
        words = lines[at].split()
        if words[:1] and words[0] in ("skipif", "onlyif"):
            skip = (words[0] == "skipif") == (words[1] == "fletch")
        if words[:1] == ["halt"]:
            break
        needs_memory |= words[:2] == ["#", "memory:"]
        if words[:1] and words[0] in ("statement", "query"):
            start = at
            at += 1
            sql = []
            while at < len(lines) and lines[at].strip() and lines[at] != "----":
                sql.append(lines[at])
                at += 1
            while at < len(lines) and lines[at].strip():
                at += 1
            if not skip:
                cases.append(Case(f"{path.relative_to(ROOT)}:{start + 1}", "\n".join(sql), words[0] == "query", needs_memory))
            skip = needs_memory = False
        at += 1
    return hide_changes(cases)


def read_tpch():
    folder = ROOT / ".deps" / "data" / "tpch-sf0.01"
    world = [Case(path.stem, f"CREATE VIEW {path.stem} AS SELECT * FROM '{path}'", False)
             for path in sorted(folder.glob("*.parquet"))]
    if not world:
        sys.exit(f"{folder} is empty: tools/install-deps.sh data generates it")
    return world + [Case(path.name, path.read_text(), True) for path in sorted((ROOT / "bench/tpch").glob("q*.sql"))]


def canonical(value):
    """What decides a row's place when multisets are compared: doubles by ten digits, so that last bits do not."""
    if isinstance(value, float):
        return f"{value:.9e}"
    return json.dumps(value, sort_keys=True)


def values_equal(left, right):
    if isinstance(left, (int, float)) and isinstance(right, (int, float)) and not isinstance(left, bool):
        return left == right or abs(left - right) <= max(1e-300, RELATIVE * max(abs(left), abs(right)))
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(values_equal, left, right))
    return left == right


def disagreement(base, other, has_memory):
    """None, or how two answers differ. Another plan may need more memory than a limit that the file sets, with `has_memory`."""
    if "error" in base or "error" in other:
        states = [answer.get("error", {}).get("sqlstate", "no error") for answer in (base, other)]
        if states[0] == states[1] or "53200" in states and (has_memory or states[0] == "53200"):
            return None
        if set(states) == {"no error", DAMAGED}:
            return None  # rows of a file that are not read are not found to be damaged
        text = (other.get("error") or base.get("error"))["message"]
        return f"{states[0]} by default, {states[1]} here ({text})"
    if base["types"] != other["types"]:
        return f"types {base['types']} by default, {other['types']} here"
    if len(base["rows"]) != len(other["rows"]):
        return f"{len(base['rows'])} rows by default, {len(other['rows'])} here"
    ordered = [sorted(answer["rows"], key=lambda row: [canonical(value) for value in row]) for answer in (base, other)]
    for left, right in zip(*ordered):
        if not all(map(values_equal, left, right)):
            return f"{left} by default, {right} here"
    return None


class Road:
    """One process under one set of settings."""

    def __init__(self, program, settings):
        self.program, self.settings = program, settings
        self.pipe = pipe.Pipe(program, timeout_s=120)
        self.refused = None
        for sql in settings:
            answer = self.pipe.ask(sql)
            if "error" in answer:
                self.refused = answer["error"]["message"]

    def ask(self, case):
        answer = self.pipe.ask(case.sql)
        if self.settings != ROADS[MEMORY] or not case.needs_memory or answer.get("error", {}).get("sqlstate") != "53200":
            return answer
        self.pipe.run("SET memory_limit = 0")
        answer = self.pipe.ask(case.sql)
        self.pipe.run(self.settings[0])
        return answer

    def run(self, cases):
        """Answers by position. A process that dies gives an error of its own and a fresh process without that world."""
        answers = []
        for case in cases:
            try:
                answers.append(self.ask(case))
            except pipe.Died as died:
                answers.append({"error": {"sqlstate": "died", "message": str(died)}})
                self.pipe.close()
                self.pipe = pipe.Pipe(self.program, timeout_s=120)
                for sql in self.settings:
                    self.pipe.ask(sql)
        return answers

    def close(self, report):
        """A process that ends badly, for example with a sanitizer's report of a leak, is a failure of its own."""
        status = self.pipe.close()
        if status != 0:
            report.ended_badly.append(f"{'; '.join(self.settings) or 'defaults'}: exit status {status}")


def rules_fired(process, sql):
    answer = process.ask("EXPLAIN (FORMAT JSON) " + sql)
    if "error" in answer or not answer["rows"]:
        return []
    try:
        plan = json.loads("".join(str(row[-1]) for row in answer["rows"]))
    except json.JSONDecodeError:
        return []
    plan = plan[0] if isinstance(plan, list) else plan
    return sorted(set(plan.get("rules_fired", [])))


def spread(places, most):
    """At most so many of the places (0: all), from the first to the last."""
    places = sorted(places)
    return set(places if most == 0 or len(places) <= most else places[::-(-len(places) // most)])


def run_world(program, cases, report, rule_queries=0):
    """All roads over one world; returns (comparisons, disagreements). Roads without a rule take `rule_queries` queries each, 0: all."""
    base = Road(program, [])
    answers, fired = [], []
    for case in cases:
        answers += base.run([case])
        wanted = case.is_query and not OWN_PLAN.match(case.sql) and not VOLATILE.search(case.sql)
        fired.append(rules_fired(base.pipe, case.sql) if wanted and "error" not in answers[-1] else [])
    base.close(report)

    # A rule's road runs the whole world, but is compared only where the rule fired.
    by_rule = collections.defaultdict(set)
    for position, rules in enumerate(fired):
        for rule in rules:
            by_rule[rule].add(position)
    everywhere = {at for at, case in enumerate(cases)
                  if case.is_query and not OWN_PLAN.match(case.sql) and not VOLATILE.search(case.sql)}
    roads = [(name, settings, everywhere) for name, settings in ROADS.items()]
    roads += [(f"without {rule}", [f"SET disabled_rules = '{rule}'"], spread(places, rule_queries))
              for rule, places in sorted(by_rule.items())]

    compared = wrong = 0
    for name, settings, places in roads:
        road = Road(program, settings)
        if road.refused is not None:
            report.refused[name] = road.refused
            road.close(report)
            continue
        # Statements make the world, queries that are not compared are left out.
        needed = [at for at in range(max(places) + 1) if at in places or not cases[at].is_query] if places else []
        others = dict(zip(needed, road.run([cases[at] for at in needed])))
        road.close(report)
        for at in sorted(places):
            compared += 1
            problem = disagreement(answers[at], others[at], name != MEMORY)
            if problem is not None:
                wrong += 1
                report.by_road[name] += 1
                if report.by_road[name] <= 5:
                    print(f"{cases[at].place}, {name}: {problem[:400]}", flush=True)
    return compared, wrong


class Report:
    def __init__(self):
        self.refused, self.by_road, self.ended_badly = {}, collections.Counter(), []


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slt", action="store_true")
    parser.add_argument("--tpch", action="store_true")
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    parser.add_argument("--filter", default="", help="only files whose path has this text")
    parser.add_argument("--rule-queries", type=int, default=0, help="queries of a file that each rule is switched off for; 0: all in which it fires")
    parser.add_argument("--every", type=int, default=1, help="one of so many of --slt's files, in turn")
    parser.add_argument("--first", type=int, default=0, help="which of them to begin with")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    args = parser.parse_args()

    worlds = []
    if args.tpch:
        worlds.append(read_tpch())
    files = [path.resolve() for path in args.files]
    if args.slt:
        found = sorted(path for path in (ROOT / "test" / "slt").rglob("*.slt") if path.parent.name not in ("spill", "copy"))
        files += found[args.first::args.every]
    worlds += [read_slt(path) for path in files if args.filter in str(path)]

    report, compared, wrong = Report(), 0, 0
    for cases in worlds:
        if any(case.is_query for case in cases):
            more_compared, more_wrong = run_world(args.fletch, cases, report, args.rule_queries)
            compared += more_compared
            wrong += more_wrong
    for name, message in sorted(report.refused.items()):
        print(f"{name}: refused: {message}")
    for line in report.ended_badly:
        print(f"ended badly: {line}")
    queries = sum(case.is_query for cases in worlds for case in cases)
    print(f"{queries} queries, {compared} comparisons, {wrong} disagreements")
    if wrong:
        print("by road: " + ", ".join(f"{name} {count}" for name, count in report.by_road.most_common()))
    return 1 if wrong or report.ended_badly or compared == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
