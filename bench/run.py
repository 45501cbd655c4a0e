#!/usr/bin/env python3
"""fletch beside DuckDB, Polars and DataFusion, in one run: TPC-H and TPC-DS from Parquet, scenarios in memory, planning, start-up.

    run.py [--suites tpch,tpcds,scenarios,planning,startup,firstrow] [--engines fletch,duckdb,polars,datafusion] [--threads N] [--runs N]
           [--only NAME,...] [--quick] [--save FILE] [--compare FILE] [--fletch PROGRAM]

Engines take turns, query by query and run by run, so that whatever else the machine does hits all of them. The figure
is the best of the runs. Answers are compared before a time is printed: a wrong answer has no time. Geometric means are
over the queries that every shown engine answered. TPC-DS is run beside DuckDB alone, unless --engines says more, by one thread and by
two, without the texts that fletch refuses; its answers are held against stored ones, which know of ties. --quick is TPC-H at scale 0.1 and two runs. --save writes the
figures as JSON; --compare shows the change against such a file and ends with status 1 when fletch's geometric mean in a
suite is more than 10 % above the saved one.
Relies on: bench/worker.py, test/oracles.py, test/tpcds/compare.py; data by tools/install-deps.sh data, bench-data and tpcds.
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
import planning  # noqa: E402

STARTS = 21
NOISE = 1.10


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


def run_suite(queries, engines, args, threads, tables, memory, stored=None):
    """{query: {engine: {"ms", "error"}}} and {engine: peak MB}. `stored` gives a query's answer; without it, peers judge each other."""
    # large results are taken from the library, as the peers give theirs; see worker.py
    subject = pathlib.Path(args.fletch).with_name("libfletch.so") if memory else args.fletch
    workers = {name: Worker(name, threads, subject) for name in engines}
    for worker in list(workers.values()):
        reply = worker.ask({"load": {name: str(path) for name, path in tables.items()}, "memory": memory})
        if "error" in reply:
            print(f"{worker.name}: cannot load: {reply['error']}", file=sys.stderr)
        if stored and worker.name == "duckdb":
            worker.ask({"run": "SET default_null_order = 'nulls_last_on_asc_first_on_desc'"})
    results, peaks = {}, dict.fromkeys(engines, 0.0)
    for query, sql in queries:
        cells = {name: {"ms": None, "error": None} for name in engines}
        answers, n_rows = {}, {}
        for run in range(args.runs):
            for name, worker in workers.items():
                if cells[name]["error"]:
                    continue
                reply = worker.ask({"sql": sql, "answer": run == 0})
                if "error" in reply:
                    cells[name]["error"] = reply["error"]
                    continue
                cells[name]["ms"] = min(reply["ms"], cells[name]["ms"] or math.inf)
                peaks[name] = max(peaks[name], reply["peak_mb"])
                if run == 0:
                    answers[name], n_rows[name] = revive(reply["answer"]), reply["rows"]
        judge = next((name for name in engines if name != "fletch" and name in answers), None)
        for name in answers:
            if stored and n_rows[name] == len(answers[name].rows):  # not a summary
                problem = tpcds.difference(answers[name], stored(query)) if n_rows[name] > 0 else None
                if problem is not None:
                    cells[name] = {"ms": None, "error": f"wrong: {problem}"}
                continue
            problem = oracles.difference(answers[name], answers[judge]) if judge and name != judge else None
            if problem is not None:
                cells[name] = {"ms": None, "error": f"wrong beside {judge}: {problem}"}
        results[query] = cells
    for worker in workers.values():
        worker.close()
    return results, peaks


def print_suite(title, results, engines, peaks, places=2):
    print(f"\n## {title}\n")
    peers = [name for name in engines if name != "fletch"]
    has_ratio = "fletch" in engines and peers
    head = ["query"] + [f"{name} ms" for name in engines] + (["to duckdb", "to best peer"] if has_ratio else [])
    print("| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    notes, shared = [], []
    for query, cells in results.items():
        times = {name: cells[name]["ms"] for name in engines}
        row = [query] + [f"{times[name]:.{places}f}" if times[name] is not None else "–" for name in engines]
        if has_ratio:
            best = min((times[name] for name in peers if times[name] is not None), default=None)
            ours = times["fletch"]
            for other in (times.get("duckdb"), best):
                row.append(f"{ours / other:.2f}" if ours is not None and other else "–")
        if all(time is not None for time in times.values()):
            shared.append(query)
        notes += [f"- {query}, {name}: {cell['error']}" for name, cell in cells.items() if cell["error"]]
        print("| " + " | ".join(row) + " |")
    means = {name: geomean([results[query][name]["ms"] for query in shared]) for name in engines}
    row = [f"geometric mean of {len(shared)}"] + [f"{means[name]:.2f}" for name in engines]
    if has_ratio:
        best = geomean([min(results[query][name]["ms"] for name in peers) for query in shared])
        row += [f"{means['fletch'] / means['duckdb']:.2f}" if "duckdb" in means else "–", f"{means['fletch'] / best:.2f}"]
    print("| " + " | ".join(row) + " |")
    if peaks:
        print("| peak memory, MB | " + " | ".join(f"{peaks[name]:.0f}" for name in engines) + " |" +
              (" | |" if has_ratio else ""))
    if notes:
        print("\n" + "\n".join(notes))


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
            results, peaks = run_suite(queries, engines, args, threads, tables, memory=False,
                                       stored=lambda query: tpcds.Answer(tpcds.DATA / "answers" / f"{query}.json"))
            print_suite(f"TPC-DS, scale 1, from Parquet, {threads} thread(s), best of {args.runs}", results, engines, peaks)
            record["suites"][f"tpcds-{threads}"], record["peak_mb"][f"tpcds-{threads}"] = results, peaks


def compare(now, saved):
    """Prints the change of fletch's times; true when a suite became slower by more than noise."""
    slower = False
    for suite, results in now["suites"].items():
        before = saved.get("suites", {}).get(suite, {})
        pairs = [(query, before[query]["fletch"]["ms"], cells["fletch"]["ms"]) for query, cells in results.items()
                 if query in before and "fletch" in cells and cells["fletch"]["ms"] and before[query].get("fletch", {}).get("ms")]
        if not pairs:
            continue
        print(f"\n## {suite}: fletch against {saved['commit']}\n\n| query | before ms | now ms | now / before |\n| --- | --- | --- | --- |")
        for query, old, new in pairs:
            print(f"| {query} | {old:.2f} | {new:.2f} | {new / old:.2f}{' slower' if new > old * NOISE else ''} |")
        ratio = geomean([new / old for _, old, new in pairs])
        print(f"| geometric mean | | | {ratio:.3f} |")
        slower |= ratio > NOISE
    return slower


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suites", default="tpch,tpcds,scenarios,planning,startup,firstrow")
    parser.add_argument("--engines", help=f"default: {','.join(oracles.ENGINES)}; for TPC-DS fletch,duckdb")
    parser.add_argument("--threads", type=int, help="default: 2 for TPC-H, 1 and 2 for TPC-DS, 1 for the scenarios")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="", help="names of queries, such as q01,sort_full")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--save")
    parser.add_argument("--compare")
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    args = parser.parse_args()
    engines = args.engines.split(",") if args.engines else list(oracles.ENGINES)
    suites = args.suites.split(",")
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

    if "tpch" in suites:
        folder = ROOT / ".deps" / "data" / f"tpch-sf{scale}"
        tables = {path.stem: path for path in sorted(folder.glob("*.parquet"))}
        if not tables:
            sys.exit(f"{folder} is empty: run tools/install-deps.sh bench-data")
        queries = [(path.stem, path.read_text()) for path in sorted((BENCH / "tpch").glob("q*.sql"))]
        queries = [query for query in queries if not only or query[0] in only]
        threads = args.threads or 2
        if queries:
            results, peaks = run_suite(queries, engines, args, threads, tables, memory=False)
            print_suite(f"TPC-H, scale {scale}, from Parquet, {threads} threads, best of {args.runs}", results, engines, peaks)
            record["suites"][f"tpch-{scale}"], record["peak_mb"]["tpch"] = results, peaks

    if "tpcds" in suites:
        run_tpcds(engines if args.engines else ["fletch", "duckdb"], args, only, record)

    if "scenarios" in suites:
        folder = ROOT / ".deps" / "data" / "scenarios"
        if not (folder / "dims.parquet").exists():
            subprocess.run([sys.executable, str(BENCH / "scenarios" / "generate.py"), str(folder)], check=True)
        tables = {path.stem: path for path in sorted(folder.glob("*.parquet"))}
        queries = [(path.stem, path.read_text()) for path in sorted((BENCH / "scenarios").glob("*.sql"))]
        queries = [query for query in queries if not only or query[0] in only]
        threads = args.threads or 1
        if queries:
            results, peaks = run_suite(queries, engines, args, threads, tables, memory=True)
            print_suite(f"Scenarios, 1,000,000 rows in memory, {threads} thread(s), best of {args.runs}", results, engines, peaks)
            record["suites"]["scenarios"], record["peak_mb"]["scenarios"] = results, peaks

    if "planning" in suites:
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

    if "startup" in suites and "fletch" in engines:
        started = start_up(args.fletch)
        if started is None:
            print("\n## Start-up\n\nfletch -c 'SELECT 1' failed")
        else:
            print(f"\n## Start-up\n\n`fletch -c 'SELECT 1'`: {started[0]:.1f} ms to the first byte, "
                  f"{started[1]:.1f} MB at the peak (median of {STARTS} starts)")
            record["startup"] = {"ms": started[0], "peak_mb": started[1]}

    if "firstrow" in suites and "fletch" in engines:
        table = ROOT / ".deps" / "data" / "tpch-sf1" / "lineitem.parquet"
        threads = args.threads or os.cpu_count()
        found = first_row.compare(args.fletch, table, threads)
        print(f"\n## First row of 6,001,215, {threads} thread(s), median of {first_row.TIMES}\n")
        for engine, (ms, mb) in found.items():
            print(f"{engine}: {ms:.0f} ms, {mb:.0f} MB at the peak")
        record["first_row"] = {engine: {"ms": ms, "peak_mb": mb} for engine, (ms, mb) in found.items()}

    if args.save:
        pathlib.Path(args.save).write_text(json.dumps(record, indent=1) + "\n")
    if args.compare:
        return 1 if compare(record, json.loads(pathlib.Path(args.compare).read_text())) else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
