#!/usr/bin/env python3
"""What a user's function costs: nanoseconds a row, in each tier, beside plain C and DuckDB's Python functions.

The function is test/udf/modules/scoring.c's `score`: two doubles and an integer in, a double out. Each figure is a query that sums it over
a table in memory, less the same query that sums a column, on one thread; the best of the runs. `deploy` is CREATE FUNCTION, then one answer.
Relies on: build/release/fletch with its plugins, gcc (for udf_python.c and udf_wasm.c, too), DuckDB in .deps/venv, NumPy for Python's functions.
"""

import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test"))
sys.path.insert(0, str(ROOT / "test" / "udf"))
import bad_modules  # noqa: E402  (found through the lines above)
import pipe  # noqa: E402

MODULE = ROOT / "test" / "udf" / "modules" / "scoring.wasm"
EXPRESSION = "price * quantity * (bonus > 3 ? 1.1 : 1) > 100 ? price * quantity * (bonus > 3 ? 1.1 : 1) : price * quantity * (bonus > 3 ? 1.1 : 1) / 2"
COLUMNS = "range::double AS price, (range % 7)::double AS quantity, (range % 5)::integer AS bonus"

PLAIN_C = """
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
static double score(double price, double quantity, int bonus)
{
    double s = price * quantity;
    if (bonus > 3) s *= 1.1;
    return s > 100 ? s : s / 2;
}
int main(int argc, char **argv)
{
    int n = atoi(argv[1]);
    double *a = malloc(n * 8l), *b = malloc(n * 8l), *r = malloc(n * 8l), best = 1e9, sum = 0;
    int *c = malloc(n * 4l);
    for (int i = 0; i < n; i++) a[i] = i, b[i] = i % 7, c[i] = i % 5, r[i] = 0;
    for (int run = 0; run < 7; run++) {
        struct timespec t, u;
        clock_gettime(CLOCK_MONOTONIC, &t);
        for (int at = 0; at < n; at += 2048) /* as the engine has it: a batch at a time */
            for (int i = at; i < at + 2048 && i < n; i++) r[i] = score(a[i], b[i], c[i]);
        clock_gettime(CLOCK_MONOTONIC, &u);
        double ns = (u.tv_sec - t.tv_sec) * 1e9 + (u.tv_nsec - t.tv_nsec);
        best = ns < best ? ns : best;
        sum += r[n / 2];
    }
    printf("%f %f\\n", best / n, sum);
}
"""


def plain_c(rows):
    with tempfile.TemporaryDirectory() as folder:
        source, program = pathlib.Path(folder, "c.c"), pathlib.Path(folder, "c")
        source.write_text(PLAIN_C)
        subprocess.run(["gcc", "-O3", "-o", program, source], check=True)
        return float(subprocess.run([program, str(rows)], check=True, capture_output=True, text=True).stdout.split()[0])


def best_cpu_ms(session, sql, runs):
    return min(session.run(sql)["cpu_ms"] for _ in range(runs))


def fletch(program, rows, runs):
    figures = {}
    create = "CREATE OR REPLACE FUNCTION score(price double, quantity double, bonus integer) RETURNS double LANGUAGE"
    query = "SELECT sum(score(price, quantity, bonus)) FROM t"
    with pipe.Pipe(program, args=["--threads", "1"]) as session:
        session.run(f"CREATE TABLE t AS SELECT {COLUMNS} FROM range({rows})")
        base = best_cpu_ms(session, "SELECT sum(price) FROM t", runs)

        def measure(name, sql=query, n=rows):
            figures[name] = (best_cpu_ms(session, sql, runs) - base * n / rows) * 1e6 / n

        measure("native filter: price * 1.2 > 100", "SELECT count(*) FROM t WHERE price * 1.2 > 100")
        session.run(f"{create} expr AS '{EXPRESSION}'")
        measure("expression")
        begin = time.perf_counter()
        session.run(f"{create} wasm AS '{MODULE}'")
        session.run("SELECT score(1, 2, 3)")
        figures["deploy to first answer, ms (first: loads Wasmtime)"] = (time.perf_counter() - begin) * 1e3
        time.sleep(0.2)  # until it is compiled
        measure("WebAssembly, compiled, a loop over columns")
        loops = ROOT / "test" / "udf" / "modules" / "texts.wasm"
        session.run(f"CREATE OR REPLACE FUNCTION vowels(x text) RETURNS integer LANGUAGE wasm AS '{loops}'")
        session.run("CREATE TABLE s AS SELECT 'aeiou' || range AS x FROM range(500000)")
        time.sleep(0.2)
        figures["WebAssembly, compiled, a text of 11 bytes a row"] = (
            best_cpu_ms(session, "SELECT sum(vowels(x)) FROM s", runs)
            - best_cpu_ms(session, "SELECT sum(length(x)) FROM s", runs)) * 1e6 / 500000
        session.run(f"CREATE OR REPLACE FUNCTION shout(x text) RETURNS text LANGUAGE wasm AS '{loops}'")
        time.sleep(0.2)
        figures["WebAssembly, compiled, a call a row (text in and out)"] = (
            best_cpu_ms(session, "SELECT sum(length(shout(x))) FROM s", runs)
            - best_cpu_ms(session, "SELECT sum(length(x)) FROM s", runs)) * 1e6 / 500000
        began = []
        for version in range(6):
            module = ROOT / "test" / "udf" / "modules" / ("plus_one.wasm" if version % 2 else "plus_two.wasm")
            begin = time.perf_counter()
            session.run(f"CREATE OR REPLACE FUNCTION plus LANGUAGE wasm AS '{module}'")
            session.run("SELECT plus(1)")
            began.append((time.perf_counter() - begin) * 1e3)
        figures["deploy to first answer, ms (engines up)"] = min(began)
    return figures


PYTHON = {
    "Python a row": """def score(price, quantity, bonus):
    s = price * quantity
    if bonus > 3:
        s *= 1.1
    return s if s > 100 else s / 2""",
    "Python over NumPy's columns": """import fletch
import numpy as np

@fletch.batch
def score(price, quantity, bonus):
    s = price * quantity * np.where(bonus > 3, 1.1, 1.0)
    return np.where(s > 100, s, s / 2)""",
}


def fletch_python(program, rows, runs):
    """By the clock, since a worker's time is its own; where other programs run beside it, a worker's figures are not worth much."""
    figures, folder = {}, pathlib.Path(program).resolve().parent
    with tempfile.TemporaryDirectory() as temporary:
        timer = pathlib.Path(temporary, "udf_python")
        subprocess.run(["gcc", "-O2", f"-I{ROOT}/include", "-o", timer, ROOT / "bench" / "udf_python.c", f"-L{folder}", "-lfletch",
                        f"-Wl,-rpath,{folder}"], check=True)
        for name, text in PYTHON.items():
            n = rows if "columns" in name else rows // 10
            create = f"CREATE FUNCTION score(price double, quantity double, bonus integer) RETURNS double LANGUAGE python AS $${text}$$"
            for how, where in (("here", "in process"), ("workers", "in a worker")):
                table = f"CREATE TABLE t AS SELECT {COLUMNS} FROM range({n})"
                queries = ["SELECT sum(price) FROM t", "SELECT sum(score(price, quantity, bonus)) FROM t"]
                run = subprocess.run([timer, folder, how, str(3 * runs), table, create, *queries], check=True, capture_output=True, text=True)
                base, whole = map(float, run.stdout.split()[2:])
                figures[f"{name}, {where}"] = (whole - base) * 1e6 / n
    return figures


def large_module(path):
    """Some 200 kB of functions like each other."""
    code = b"\x20\0\x41\x03\x6c\x41\x07\x6a\x21\0" * 6  # x = x * 3 + 7
    one = bad_modules.body(code + b"\x20\0")
    path.write_bytes(bad_modules.module(code=code + b"\x20\0", more_funcs=[b"\0"] * 3000, more_code=[one] * 3000))


def engines(program):
    """WebAssembly's engines without a query around them."""
    figures, plugin = {}, pathlib.Path(program).resolve().parent / "fletch_wasm.so"
    with tempfile.TemporaryDirectory() as folder:
        timer, large = pathlib.Path(folder, "udf_wasm"), pathlib.Path(folder, "large.wasm")
        subprocess.run(["gcc", "-O2", f"-I{ROOT}/src", "-o", timer, ROOT / "bench" / "udf_wasm.c", "-ldl"], check=True)
        large_module(large)
        for name, arguments in (("1 kB", [MODULE, "1000000"]), (f"{large.stat().st_size // 1000} kB", [large])):
            run = subprocess.run([timer, plugin, *arguments], check=True, capture_output=True, text=True)
            for line in run.stdout.splitlines():
                what, value = line.split("\t")
                figures[f"WebAssembly, a module of {name}, {what}" if ", ms" in what else f"WebAssembly, a single call, {what}"] = float(value)
    return figures


def duckdb_python(rows, runs):
    import duckdb
    import pyarrow
    import pyarrow.compute as compute

    def native(price, quantity, bonus):
        s = price * quantity
        if bonus > 3:
            s *= 1.1
        return s if s > 100 else s / 2

    def arrow(price, quantity, bonus):
        s = compute.multiply(price, quantity)
        s = compute.if_else(compute.greater(bonus, 3), compute.multiply(s, 1.1), s)
        return compute.if_else(compute.greater(s, 100), s, compute.divide(s, 2))

    session = duckdb.connect(config={"threads": 1})
    types = ["DOUBLE", "DOUBLE", "INTEGER"]
    session.create_function("native", native, types, "DOUBLE")
    session.create_function("arrow", arrow, types, "DOUBLE", type="arrow")
    session.execute(f"CREATE TABLE t AS SELECT {COLUMNS} FROM range({rows})")

    def seconds(sql, times):
        best = float("inf")
        for _ in range(times):
            begin = time.process_time()
            session.execute(sql).fetchall()
            best = min(best, time.process_time() - begin)
        return best

    base = seconds("SELECT sum(price) FROM t", runs)
    few = min(rows, 200000)
    return {
        "DuckDB, Python a row": seconds(f"SELECT sum(native(price, quantity, bonus)) FROM (FROM t LIMIT {few})", 2) * 1e9 / few,
        "DuckDB, Python over Arrow": (seconds("SELECT sum(arrow(price, quantity, bonus)) FROM t", runs) - base) * 1e9 / rows,
    }


def measure(program, rows, runs, has_duckdb=True):
    """Figures by what they are of: nanoseconds a row, or milliseconds where the name says so."""
    figures = {"plain C (gcc -O3)": plain_c(rows), **fletch(program, rows, runs), **engines(program)}
    if (pathlib.Path(program).resolve().parent / "fletch_python.so").exists():
        figures |= fletch_python(program, rows, runs)
    return {**figures, **duckdb_python(rows, runs)} if has_duckdb else figures


def show(figures):
    for name, value in figures.items():
        print(f"{name:60} {value:8.2f}{'' if ' ms ' in name or ', ms' in name else ' ns a row'}")


if __name__ == "__main__":
    show(measure(sys.argv[1] if len(sys.argv) > 1 else pipe.PROGRAM, 3000000, 5))
