#!/usr/bin/env python3
"""fletch beside DuckDB, Polars and DataFusion, in one run: TPC-H, TPC-DS, the suites of bench/suites.py, planning, start-up.

    run.py [--suites tpch,tpcds,scenarios,groupby,join,clickbench-memory,clickbench-parquet,csv,json,windows,windows-1e7,grouping-sets,recursion,
           copy,json-extract,tiny,planning,startup,firstrow,udf]
           [--engines fletch,duckdb,polars,datafusion] [--threads N] [--runs N] [--only NAME,...] [--quick] [--save FILE] [--compare FILE]
           [--fletch PROGRAM]

Engines take turns, query by query and run by run, so that whatever else the machine does hits all of them. The figure
is the best of the runs. Answers are compared before a time is printed: a wrong answer has no time. Geometric means of times are
over the queries that every shown engine answered, those of ratios over the queries that fletch and one of the peers answered. Suites of
large data are run three times at most. TPC-DS is run beside DuckDB alone, unless --engines says more, by one thread and by
two, without the texts that fletch refuses; its answers are held against stored ones, which know of ties. --quick is TPC-H at scale
0.1 and two runs, without the suites of large data. --save writes the figures as JSON, those of each run, too; --compare judges each query
against such a file and the noise of both (bench/noise.py has the rule), and ends with status 1 when one is slower beyond it.
Relies on: bench/worker.py, test/oracles.py, test/tpcds/compare.py; data by tools/install-deps.sh data, bench-data and tpcds; the suites'
own data, 3 GB, are made when they are first asked for.
"""

import argparse
import datetime
import decimal
import json
import math
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
sys.path.insert(0, str(ROOT / "test"))
sys.path.insert(0, str(ROOT / "test" / "tpcds"))
import compare as tpcds  # noqa: E402
import oracles  # noqa: E402
import pipe  # noqa: E402
import first_row  # noqa: E402
import noise  # noqa: E402
import planning  # noqa: E402
import suites  # noqa: E402
import udf  # noqa: E402

ALL_SUITES = ["tpch", "tpcds", *(suite.name for suite in suites.SUITES if not suite.is_large), "planning", "startup", "firstrow", "udf"]
QUICK_SUITES = ["tpch", "tpcds", "scenarios", "planning", "startup", "firstrow"]
UDF_ROWS = 3000000
STARTS = 21


class Worker:
    """The process of one engine; see worker.py."""

    def __init__(self, name, threads, program):
        self.name = name
        env = {**os.environ, "POLARS_MAX_THREADS": str(threads)}
        self.process = subprocess.Popen(
            [sys.executable, str(BENCH / "worker.py"), name, str(threads), str(program)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def ask(self, command):
        try:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except OSError as error:
            return {"error": str(error)}
        return json.loads(line) if line else {"error": "the worker ended"}

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def revive(answer):
    """Worker's rows with decimals as decimals again."""
    rows = [[decimal.Decimal(value["decimal"]) if isinstance(value, dict) else value for value in row]
            for row in answer]
    return oracles.Table([str(n) for n in range(len(rows[0]) if rows else 0)], rows)


def geomean(values):
    return math.exp(sum(math.log(max(value, 1e-3)) for value in values) / len(values)) if values else float("nan")


def only_columns(table, columns):
    return table if columns is None else oracles.Table([str(n) for n in columns], [[row[n] for n in columns] for row in table.rows])


def run_suite(queries, engines, args, runs, threads, tables, memory, library, stored=None, times=None):
    """{query: {engine: {"ms", "times", "error"}}} and {engine: peak MB}; "times" are all runs', "ms" the least.

    `stored` gives a query's answer; without it, peers judge each other. `times`: of one run, see bench/suites.py."""
    # large results are taken from the library, as the peers give theirs; see worker.py
    subject = pathlib.Path(args.fletch).with_name("libfletch.so") if library else args.fletch
    workers = {name: Worker(name, threads, subject) for name in engines}
    for worker in list(workers.values()):
        reply = worker.ask({"load": {name: str(path) for name, path in tables.items()}, "memory": memory})
        if "error" in reply:
            print(f"{worker.name}: cannot load: {reply['error']}", file=sys.stderr)
        if stored and worker.name == "duckdb":
            worker.ask({"run": "SET default_null_order = 'nulls_last_on_asc_first_on_desc'"})
    results, peaks = {}, dict.fromkeys(engines, 0.0)
    for query, sql in queries:
        cells = {name: {"ms": None, "times": [], "error": None} for name in engines}
        answers, n_rows = {}, {}
        columns = suites.compared(sql)
        for run in range(runs):
            for name, worker in workers.items():
                if cells[name]["error"]:
                    continue
                how = {"times": times} if times else {"copy": suites.copied_to(sql)} if suites.copied_to(sql) else {}
                reply = worker.ask({"sql": sql, "answer": run == 0, **how})
                if "error" in reply:
                    cells[name] = {"ms": None, "times": [], "error": reply["error"]}
                    continue
                cells[name]["times"].append(reply["ms"])
                cells[name]["ms"] = min(cells[name]["times"])
                peaks[name] = max(peaks[name], reply["peak_mb"])
                if run == 0:
                    answers[name], n_rows[name] = revive(reply["answer"]), reply["rows"]
        judge = next((name for name in engines if name != "fletch" and name in answers), None)
        for name in answers:
            if stored and n_rows[name] == len(answers[name].rows):  # not a summary
                problem = tpcds.difference(answers[name], stored(query)) if n_rows[name] > 0 else None
                if problem is not None:
                    cells[name] = {"ms": None, "times": [], "error": f"wrong: {problem}"}
                continue
            problem = None
            if judge and name != judge:
                problem = f"{n_rows[name]} rows, not {n_rows[judge]}" if n_rows[name] != n_rows[judge] else \
                    oracles.difference(only_columns(answers[name], columns), only_columns(answers[judge], columns))
            if problem is not None:
                cells[name] = {"ms": None, "times": [], "error": f"wrong beside {judge}: {problem}"[:600]}
        results[query] = cells
    for worker in workers.values():
        worker.close()
    return results, peaks


def ratio_of(results, ours, others):
    """Geometric mean of `ours` over the fastest of `others`, and of how many: the queries that `ours` and one of the others answered."""
    ratios = []
    for cells in results.values():
        best = min((cells[name]["ms"] for name in others if cells[name]["ms"] is not None), default=None)
        if cells[ours]["ms"] is not None and best:
            ratios.append(cells[ours]["ms"] / best)
    return geomean(ratios), len(ratios)


def print_suite(title, results, engines, peaks, places=2, unit="ms", megabytes=None):
    """`megabytes`: that each query reads, for a column of fletch's rate."""
    print(f"\n## {title}\n")
    scale = {"ms": 1, "µs": 1000}[unit]
    peers = [name for name in engines if name != "fletch"]
    has_ratio = "fletch" in engines and peers
    has_rate = "fletch" in engines and megabytes
    head = ["query"] + [f"{name} {unit}" for name in engines] + (["to duckdb", "to best peer"] if has_ratio else []) + (["MB/s"] if has_rate else [])
    print("| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    notes, shared = [], []
    for query, cells in results.items():
        times = {name: cells[name]["ms"] for name in engines}
        row = [query] + [f"{times[name] * scale:.{places}f}" if times[name] is not None else "–" for name in engines]
        if has_ratio:
            best = min((times[name] for name in peers if times[name] is not None), default=None)
            ours = times["fletch"]
            for other in (times.get("duckdb"), best):
                row.append(f"{ours / other:.2f}" if ours is not None and other else "–")
        if has_rate:
            row.append(f"{megabytes * 1000 / times['fletch']:.0f}" if times["fletch"] else "–")
        if all(time is not None for time in times.values()):
            shared.append(query)
        notes += [f"- {query}, {name}: {cell['error']}" for name, cell in cells.items() if cell["error"]]
        print("| " + " | ".join(row) + " |")
    means = {name: geomean([results[query][name]["ms"] * scale for query in shared]) for name in engines}
    row = [f"geometric mean of {len(shared)}"] + [f"{means[name]:.{places}f}" for name in engines]
    if has_ratio:
        counted = [ratio_of(results, "fletch", others) for others in (["duckdb"] if "duckdb" in engines else [], peers)]
        row += [f"{ratio:.2f}" + (f" of {n}" if n != len(shared) else "") if n else "–" for ratio, n in counted]
    if has_rate:
        row.append("")
    print("| " + " | ".join(row) + " |")
    if peaks:
        print("| peak memory, MB | " + " | ".join(f"{peaks[name]:.0f}" for name in engines) + " |" +
              (" | |" if has_ratio else "") + (" |" if has_rate else ""))
    if notes:
        print("\n" + "\n".join(notes))
    sys.stdout.flush()


def run_planning(engines, args, tables, memory, questions, times=planning.TIMES):
    """{question: {engine: {"ms", "error"}}}, of the time from the text to the plan; one thread."""
    subject = pathlib.Path(args.fletch).with_name("libfletch.so")
    workers = {name: Worker(name, 1, subject) for name in engines}
    for worker in workers.values():
        reply = worker.ask({"load": {name: str(path) for name, path in tables.items()}, "memory": memory})
        if "error" in reply:
            print(f"{worker.name}: cannot load: {reply['error']}", file=sys.stderr)
    results = {}
    only = set(filter(None, args.only.split(",")))
    for question, sql in questions:
        if only and question not in only:
            continue
        results[question] = {}
        for name, worker in workers.items():
            reply = worker.ask({"plan": sql, "times": times})
            results[question][name] = {"ms": reply["us"] / 1000 if "us" in reply else None, "error": reply.get("error")}
    for worker in workers.values():
        worker.close()
    return results


def plan_tpcds(engines, args, record):
    tables = {path.stem: path for path in sorted(tpcds.DATA.glob("*.parquet"))}
    results = run_planning(engines, args, tables, False, planning.tpcds_questions(), planning.TPCDS_TIMES)
    if not results:
        return
    print_suite(f"Planning, TPC-DS, scale 1, Parquet, least of {planning.TPCDS_TIMES}", results, engines, {}, places=3)
    for name in engines:
        times = [cells[name]["ms"] for cells in results.values() if cells[name]["ms"] is not None]
        print(f"\n{name}: median {statistics.median(times):.2f} ms, the longest {max(times):.2f} ms, {len(times)} texts in {sum(times):.1f} ms")
    record["suites"]["planning-tpcds"] = results


def start_up(program):
    """Wall time from the start of the process to its first byte of output, the median; and the peak memory of SELECT 1.

    The memory is that of a `--pipe` process, read while it waits: what wait4 reports includes the parent before exec.
    """
    walls = []
    for _ in range(STARTS):
        start = time.perf_counter()
        process = subprocess.Popen([str(program), "-c", "SELECT 1"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        first = process.stdout.read(1)
        walls.append((time.perf_counter() - start) * 1000)
        process.stdout.read()
        process.stdout.close()
        if process.wait() != 0 or not first:
            return None
    with pipe.Pipe(program) as one:
        one.run("SELECT 1")
        return sorted(walls)[STARTS // 2], one.peak_mb()


def command_output(*command):
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def run_tpcds(engines, args, only, record):
    tables = {path.stem: path for path in sorted(tpcds.DATA.glob("*.parquet"))}
    if not tables:
        sys.exit(f"{tpcds.DATA} is empty: run tools/install-deps.sh tpcds")
    queries = [(path.stem, path.read_text()) for path in sorted((tpcds.DATA / "queries").glob("q*.sql"))
               if tpcds.refusal(int(path.stem[1:])) is None and (not only or path.stem in only)]
    for threads in [args.threads] if args.threads else [1, 2]:
        if queries:
            results, peaks = run_suite(queries, engines, args, args.runs, threads, tables, memory=False, library=False,
                                       stored=lambda query: tpcds.Answer(tpcds.DATA / "answers" / f"{query}.json"))
            print_suite(f"TPC-DS, scale 1, from Parquet, {threads} thread(s), best of {args.runs}", results, engines, peaks)
            record["suites"][f"tpcds-{threads}"], record["peak_mb"][f"tpcds-{threads}"] = results, peaks


def run_files(suite, engines, args, only, record):
    queries = suite.queries(only)
    for threads in [args.threads] if args.threads else suite.threads:
        if not queries:
            continue
        runs = min(args.runs, suite.runs_max or args.runs)
        results, peaks = run_suite(queries, engines, args, runs, threads, suite.tables(), suite.memory, suite.library, times=suite.times)
        megabytes = suite.megabytes()
        size = f", {megabytes:.0f} MB" if megabytes else ""
        print_suite(f"{suite.title}{size}, {threads} thread(s), best of {runs}", results, engines, peaks,
                    unit="µs" if suite.times else "ms", places=1 if suite.times else 2, megabytes=megabytes)
        name = suite.name if len(suite.threads) == 1 else f"{suite.name}-{threads}"
        record["suites"][name], record["peak_mb"][name] = results, peaks
        save(args, record)


def save(args, record):
    """After each suite of large data, too: what was measured is kept when a later one is stopped."""
    if args.save:
        pathlib.Path(args.save).write_text(json.dumps(record, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suites", help=f"default: {','.join(ALL_SUITES)}; with --quick {','.join(QUICK_SUITES)}")
    parser.add_argument("--engines", help=f"default: {','.join(oracles.ENGINES)}; for TPC-DS fletch,duckdb")
    parser.add_argument("--threads", type=int, help="default: of each suite its own, which its title tells")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="", help="names of queries, such as q01,sort_full")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--save")
    parser.add_argument("--compare")
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    args = parser.parse_args()
    engines = args.engines.split(",") if args.engines else list(oracles.ENGINES)
    wanted = (args.suites or ",".join(QUICK_SUITES if args.quick else ALL_SUITES)).split(",")
    only = set(filter(None, args.only.split(",")))
    if args.quick:
        args.runs = min(args.runs, 2)
    scale = "0.1" if args.quick else "1"

    record = {"commit": command_output("git", "describe", "--always", "--dirty"), "machine": processor(),
              "cores": os.cpu_count(), "date": datetime.date.today().isoformat(), "suites": {}, "peak_mb": {}}
    print(f"# fletch {record['commit']} beside its peers, {record['date']}\n")
    print(f"Machine: {record['machine']}, {record['cores']} cores. Command: bench/run.py {' '.join(sys.argv[1:])}")
    print("Peers: " + ", ".join(f"{name} {command_output(sys.executable, '-c', f'import {name}; print({name}.__version__)')}"
                                for name in engines if name != "fletch"))

    if "tpch" in wanted:
        folder = ROOT / ".deps" / "data" / f"tpch-sf{scale}"
        tables = {path.stem: path for path in sorted(folder.glob("*.parquet"))}
        if not tables:
            sys.exit(f"{folder} is empty: run tools/install-deps.sh bench-data")
        queries = [(path.stem, path.read_text()) for path in sorted((BENCH / "tpch").glob("q*.sql"))]
        queries = [query for query in queries if not only or query[0] in only]
        threads = args.threads or 2
        if queries:
            results, peaks = run_suite(queries, engines, args, args.runs, threads, tables, memory=False, library=False)
            print_suite(f"TPC-H, scale {scale}, from Parquet, {threads} threads, best of {args.runs}", results, engines, peaks)
            record["suites"][f"tpch-{scale}"], record["peak_mb"]["tpch"] = results, peaks

    if "tpcds" in wanted:
        run_tpcds(engines if args.engines else ["fletch", "duckdb"], args, only, record)

    for suite in suites.SUITES:
        if suite.name in wanted:
            run_files(suite, engines, args, only, record)

    if "planning" in wanted:
        folder = ROOT / ".deps" / "data" / "tpch-sf0.1"
        tables = {path.stem: path for path in sorted(folder.glob("*.parquet"))}
        with tempfile.TemporaryDirectory() as made:
            tables["relation"] = pathlib.Path(made) / "relation.parquet"
            planning.write_relation(tables["relation"])
            for memory in (True, False):
                results = run_planning(engines, args, tables, memory, planning.questions())
                where = "in memory" if memory else "Parquet"
                print_suite(f"Planning, tables {where}, least of {planning.TIMES}", results, engines, {}, places=3)
                record["suites"][f"planning-{'memory' if memory else 'parquet'}"] = results
        plan_tpcds(engines if args.engines else ["fletch", "duckdb"], args, record)

    if "startup" in wanted and "fletch" in engines:
        started = start_up(args.fletch)
        if started is None:
            print("\n## Start-up\n\nfletch -c 'SELECT 1' failed")
        else:
            print(f"\n## Start-up\n\n`fletch -c 'SELECT 1'`: {started[0]:.1f} ms to the first byte, "
                  f"{started[1]:.1f} MB at the peak (median of {STARTS} starts)")
            record["startup"] = {"ms": started[0], "peak_mb": started[1]}

    if "firstrow" in wanted and "fletch" in engines:
        table = ROOT / ".deps" / "data" / "tpch-sf1" / "lineitem.parquet"
        threads = args.threads or os.cpu_count()
        found = first_row.compare(args.fletch, table, threads)
        print(f"\n## First row of 6,001,215, {threads} thread(s), median of {first_row.TIMES}\n")
        for engine, (ms, mb) in found.items():
            print(f"{engine}: {ms:.0f} ms, {mb:.0f} MB at the peak")
        record["first_row"] = {engine: {"ms": ms, "peak_mb": mb} for engine, (ms, mb) in found.items()}

    if "udf" in wanted and "fletch" in engines:
        record["udf"] = udf.measure(args.fletch, UDF_ROWS, args.runs, "duckdb" in engines)
        print("\n## Functions of users, 1 thread\n")
        udf.show(record["udf"])

    save(args, record)
    if args.compare:
        return 1 if noise.compare(record, json.loads(pathlib.Path(args.compare).read_text())) else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
