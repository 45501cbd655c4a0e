#!/usr/bin/env python3
"""--metrics-file, and what is written about metrics: docs/metrics.md, the dashboard and the alerts of example/metrics/.

    metrics.py [--fletch PROGRAM] [--rewrite]

The page's table is that of the program (--rewrite puts it there); dashboard and alerts name metrics that there are, and the page names all.
Then queries of which it is known what they count, and a second process that takes native code from the cache. Relies on ../pipe.py.
Exit status 1 when something is wrong.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))
import pipe  # noqa: E402  (found through the line above)

PAGE = ROOT / "docs" / "metrics.md"
EXAMPLES = ROOT / "example" / "metrics"
MODULES = ROOT / "test" / "udf" / "modules"
TABLE = re.compile(r"(?<= puts it here -->\n).*(?=<!-- end -->)", re.DOTALL)
NAME = re.compile(r"\b[a-z]+(?:_[a-z]+)*_(?:total|seconds|complexity)(?:_bucket|_sum|_count)?\b")
WANTED = """
    expression_evaluations_total expression_evaluation_duration_seconds expression_errors_total wasm_udfs_deployed_total
    wasm_udf_compile_duration_seconds wasm_udf_call_duration_seconds wasm_udf_cache_hits_total wasm_udf_cache_misses_total
    wasm_udf_interpreter_calls_total wasm_udf_jit_calls_total query_planning_duration_seconds query_plan_complexity
    predicate_pushdowns_total csv_lines_skipped_total filter_merges_total
""".split()
PATIENCE_S = 30


class Wrong(Exception):
    """What was found is not what had to be."""


def read(path):
    """{series: value}, and [(name, type, help)] of a file of metrics."""
    values, described, helps = {}, [], {}
    for line in path.read_text().splitlines():
        if line.startswith("# HELP "):
            name, text = line.removeprefix("# HELP ").split(" ", 1)
            helps[name] = text
        elif line.startswith("# TYPE "):
            name, kind = line.removeprefix("# TYPE ").split(" ")
            described.append((name, kind, helps[name]))
        else:
            series, value = line.rsplit(" ", 1)
            values[series] = float(value)
    return values, described


def expect(what, found, wanted):
    if found != wanted:
        raise Wrong(f"{what}: {found}, expected {wanted}")


def wait_for(path, series, wanted):
    """Until the file says so."""
    end = time.monotonic() + PATIENCE_S
    while (found := read(path)[0].get(series)) != wanted:
        if time.monotonic() > end:
            raise Wrong(f"{series} is {found} after {PATIENCE_S} s, expected {wanted}")
        time.sleep(0.1)


# ---- what is written about them ----

def table_of(described):
    rows = "".join(f"| `{name}` | {kind} | {text} |\n" for name, kind, text in described)
    return f"\n| metric | type | what it is |\n| --- | --- | --- |\n{rows}\n"


def series_of(described):
    names = set()
    for name, kind, _ in described:
        names |= {name + end for end in ("_bucket", "_sum", "_count")} if kind == "histogram" else {name}
    return names


def test_page(described, rewrites):
    text = PAGE.read_text(encoding="utf-8")
    if rewrites:
        text = TABLE.sub(lambda _: table_of(described), text)
        PAGE.write_text(text, encoding="utf-8")
    expect("the table of docs/metrics.md", TABLE.search(text).group(), table_of(described))


def test_names(described):
    expect("metrics", [name for name, _, _ in described], WANTED)


def test_examples(described):
    known, named = series_of(described), set()
    dashboard = json.loads((EXAMPLES / "dashboard.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    for expression in [*expressions, (EXAMPLES / "alerts.yml").read_text()]:
        found = set(NAME.findall(expression))
        if not found or not found <= known:
            raise Wrong(f"there are no metrics {sorted(found - known)} in {expression}")
        named |= found
    missing = [name for name, kind, _ in described if not any(series.startswith(name) for series in named)]
    expect("metrics that neither dashboard nor alerts show", missing, [])


# ---- what is counted ----

def run(program, tmp, *statements, status=0):
    """The metrics of a process that ran these."""
    path = tmp / "run.prom"
    commands = [word for statement in statements for word in ("-c", statement)]
    done = subprocess.run([program, "--metrics-file", str(path), "--threads", "2", *commands], cwd=ROOT, capture_output=True, text=True,
                          check=False, timeout=120)
    expect(f"exit status of {statements}", done.returncode, status)
    left = [file.name for file in tmp.iterdir() if file.name.endswith(".tmp")]
    expect("files that were left", left, [])
    return read(path)[0]


def test_counts(program, tmp):
    table = "CREATE TABLE t AS SELECT range AS a, range % 7 AS b FROM range(100000)"
    plain = run(program, tmp, table)
    found = run(program, tmp, table, "SELECT count(*) FROM (SELECT a + b AS c, b FROM t WHERE a > 5) WHERE c < 50 AND b = 3")
    expect("planned queries", found["query_planning_duration_seconds_count"] - plain["query_planning_duration_seconds_count"], 1)
    expect("plans", found["query_plan_complexity_count"], found["query_planning_duration_seconds_count"])
    if found["predicate_pushdowns_total"] < 3 or found["filter_merges_total"] < 1:
        raise Wrong(f"{found['predicate_pushdowns_total']} pushdowns and {found['filter_merges_total']} merges of three conjuncts, two filters")
    evaluated = found["expression_evaluations_total"] - plain["expression_evaluations_total"]
    if not 100000 <= evaluated <= 300000:
        raise Wrong(f"{evaluated} evaluations of 3 conjuncts over 100000 rows")
    count = found["expression_evaluation_duration_seconds_count"]
    if not 0 < count < evaluated / 2048 * 3:
        raise Wrong(f"{count} of {evaluated} evaluations were timed")
    expect("buckets", found['expression_evaluation_duration_seconds_bucket{le="+Inf"}'], count)
    expect("errors", found["expression_errors_total"], 0)


def test_errors(program, tmp):
    found = run(program, tmp, "SELECT 10 / (range - 3) FROM range(10)", status=1)
    expect("errors", found["expression_errors_total"], 1)
    found = run(program, tmp, "SELECT 10 / 0", status=1)  # which is found out when it is planned, and left to the run
    expect("errors", found["expression_errors_total"], 1)


def test_each_second(program, tmp):
    path = tmp / "pipe.prom"
    with pipe.Pipe(program, ["--metrics-file", str(path)]) as session:
        session.run("SHOW threads")  # by when there is a file
        expect("at the start", read(path)[0]["query_plan_complexity_count"], 0)
        session.run("SELECT 1")
        wait_for(path, "query_plan_complexity_count", 1)
        session.run("SELECT 2")
        wait_for(path, "query_plan_complexity_count", 2)


def test_no_file(program, tmp):
    done = subprocess.run([program, "--metrics-file", str(tmp / "none" / "x.prom"), "-c", "SELECT 42"], capture_output=True, text=True,
                          check=False, timeout=60)
    expect("exit status", done.returncode, 1)
    expect("answer", done.stdout, "")
    if "No such file or directory" not in done.stderr:
        raise Wrong(done.stderr)


# ---- WebAssembly ----

def wasm(path, name):
    return f"CREATE OR REPLACE FUNCTION {name} LANGUAGE wasm AS '{MODULES / path}.wasm'"


def test_tiers(program, tmp):
    """Every row is called once, in one tier or the other; a module with SIMD is never interpreted; errors are an expression's."""
    found = run(program, tmp, wasm("plus_one", "plus"), "SELECT sum(plus(range)) FROM range(300000)")
    expect("calls", found["wasm_udf_interpreter_calls_total"] + found["wasm_udf_jit_calls_total"], 300000)
    expect("deployments", found["wasm_udfs_deployed_total"], 1)
    found = run(program, tmp, wasm("simd", "norm4"), "SELECT sum(norm4(range, 1, 2, 3)) FROM range(300000)")
    expect("interpreted calls", found["wasm_udf_interpreter_calls_total"], 0)
    expect("compiled calls", found["wasm_udf_jit_calls_total"], 300000)
    expect("compiles", found["wasm_udf_compile_duration_seconds_count"], 1)
    expect("cache", (found["wasm_udf_cache_hits_total"], found["wasm_udf_cache_misses_total"]), (0, 0))
    if not 0 < found["wasm_udf_call_duration_seconds_count"] <= 300000 / 2048 / 16 + 3:
        raise Wrong(f"{found['wasm_udf_call_duration_seconds_count']} calls were timed")


def test_purity(program, tmp):
    """Calls of functions that are pure, which most are: once for what is constant, occurs twice, or is a value of a dictionary."""
    table = "CREATE TABLE t AS SELECT range AS a, 'text ' || (range % 10) AS x FROM range(100000)"
    texts = f"CREATE FUNCTION vowels(x text) RETURNS integer LANGUAGE wasm AS '{MODULES / 'texts'}.wasm'"
    tiers = ("wasm_udf_interpreter_calls_total", "wasm_udf_jit_calls_total")
    cases = [("a dictionary", texts, "SELECT sum(vowels(x)) FROM t", 10),
             ("rows of it that are asked for", texts, "SELECT sum(vowels(x)) FROM t WHERE a % 10 < 3", 3),
             ("a constant", wasm("plus_one", "plus"), "SELECT sum(a + plus(1)) FROM t", 1),
             ("twice", wasm("plus_one", "plus"), "SELECT sum(plus(a) + plus(a)) FROM t", 100000),
             ("VOLATILE", f"{texts} VOLATILE", "SELECT sum(vowels(x)) FROM t", 100000),
             ("STABLE", f"{texts} STABLE", "SELECT sum(vowels(x)) FROM t", 100000)]
    for what, function, query, calls in cases:
        found = run(program, tmp, "SET threads = 1", table, function, query)
        expect(f"calls for {what}", sum(found[tier] for tier in tiers), calls)


def test_second_process(program, tmp):
    """The first process compiles, the second one reads its code."""
    path, folder = tmp / "second.prom", str(tmp / "functions")
    for expected in ({"hits": 0, "misses": 1, "compiles": 1}, {"hits": 1, "misses": 0, "compiles": 0}):
        with pipe.Pipe(program, ["--metrics-file", str(path), "--udf-dir", folder]) as session:
            if expected["misses"]:
                session.run(wasm("plus_one", "plus"))
            expect("answer", session.rows("SELECT plus(4)"), [[5]])
            wait_for(path, "wasm_udf_cache_hits_total", expected["hits"])
            wait_for(path, "wasm_udf_cache_misses_total", expected["misses"])
            wait_for(path, "wasm_udf_compile_duration_seconds_count", expected["compiles"])
        wait_for(path, "wasm_udf_compile_duration_seconds_count", expected["compiles"])
        expect("deployments", read(path)[0]["wasm_udfs_deployed_total"], expected["misses"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    parser.add_argument("--rewrite", action="store_true")
    args = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        tmp = pathlib.Path(name)
        subprocess.run([args.fletch, "--metrics-file", str(tmp / "described.prom"), "-c", "SELECT 1"], check=True, capture_output=True)
        described = read(tmp / "described.prom")[1]
        tests = [(test_page, described, args.rewrite), (test_names, described), (test_examples, described)]
        tests += [(test, args.fletch, tmp) for test in (test_counts, test_errors, test_each_second, test_no_file, test_tiers,
                                                        test_purity, test_second_process)]
        for test, *given in tests:
            try:
                test(*given)
            except (Wrong, pipe.QueryError, pipe.Died) as error:
                failed += 1
                print(f"{test.__name__}: {error}")
    print(f"{len(tests) - failed} of {len(tests)} tests of metrics passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
