#!/usr/bin/env python3
"""The program's contract: options, exit statuses, output formats, standard input, and the lines of --pipe.

    program.py [--fletch PROGRAM]

What a shell script or a driver of `fletch --pipe` may count on. Relies on test/pipe.py alone.
Exit status 1 when something differs.
"""

import argparse
import csv
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test"))
import pipe  # noqa: E402

PROBLEMS = []


def expect(what, got, wanted):
    if got != wanted:
        PROBLEMS.append(f"{what}: {got!r}, not {wanted!r}")


def run(program, *args, text=None, timeout=60):
    done = subprocess.run([program, *args], input=text, capture_output=True, text=True, timeout=timeout)
    return done.returncode, done.stdout, done.stderr


def check_statuses(program, folder):
    expect("SELECT 1", run(program, "-c", "SELECT 1")[0], 0)
    status, out, err = run(program, "-c", "SELECT nope")
    expect("a failed query's status", status, 1)
    expect("a failed query's standard output", out, "")
    expect("a failed query names the column", "nope" in err, True)
    expect("an unknown option", run(program, "--no-such-option")[0], 2)
    expect("an option without its value", run(program, "-c")[0], 2)
    expect("an unknown format", run(program, "--format", "nope", "-c", "SELECT 1")[0], 2)
    expect("threads that are no number", run(program, "--threads", "many", "-c", "SELECT 1")[0], 2)
    expect("memory that is no size", run(program, "--memory", "much", "-c", "SELECT 1")[0], 2)
    expect("a file of statements that is not there", run(program, "-f", str(folder / "none.sql"))[0] in (1, 2), True)
    expect("help", run(program, "--help")[0], 0)
    script = folder / "script.sql"
    script.write_text("CREATE TABLE t AS SELECT 1 AS a;\nSELECT a + 1 AS b FROM t;\n")
    status, out, _ = run(program, "--format", "csv", "-f", str(script))
    expect("a file of statements", (status, out.split()), (0, ["b", "2"]))
    status, out, _ = run(program, "--format", "csv", text="SELECT 1 AS a;\nSELECT 2 AS b")
    expect("statements on standard input", (status, out.split()), (0, ["a", "1", "b", "2"]))
    status, out, _ = run(program, "--format", "csv", "-c", "SELECT 1 AS a; SELECT nope; SELECT 3 AS c")
    expect("the status after one of several failed", status, 1)
    target = folder / "out.csv"
    status, out, _ = run(program, "--format", "csv", "-o", str(target), "-c", "SELECT 5 AS five")
    expect("-o writes the file and nothing else", (status, out, target.read_text().split()), (0, "", ["five", "5"]))
    expect("-o into a folder that is not there",
           run(program, "-o", str(folder / "none" / "x"), "-c", "SELECT 1")[0] in (1, 2), True)
    status, out, err = run(program, "--timing", "-c", "SELECT 1")
    expect("--timing says ms", "ms" in out + err, True)
    expect("--threads and --memory", run(program, "--threads", "1", "--memory", "200MB", "-c", "SELECT 1")[0], 0)


ROWS_SQL = "SELECT * FROM (VALUES (1, 'a,b', true), (2, 'say \"x\"', false), (3, NULL, NULL)) AS t(n, s, b) ORDER BY n"


def check_formats(program):
    _, out, _ = run(program, "--format", "csv", "-c", ROWS_SQL)
    expect("csv", list(csv.reader(io.StringIO(out))),
           [["n", "s", "b"], ["1", "a,b", "true"], ["2", 'say "x"', "false"], ["3", "", ""]])
    rows = [{"n": 1, "s": "a,b", "b": True}, {"n": 2, "s": 'say "x"', "b": False}, {"n": 3, "s": None, "b": None}]
    _, out, _ = run(program, "--format", "ndjson", "-c", ROWS_SQL)
    expect("ndjson", [json.loads(line) for line in out.splitlines()], rows)
    _, out, _ = run(program, "--format", "json", "-c", ROWS_SQL)
    expect("json", json.loads(out), rows)
    _, out, _ = run(program, "--format", "markdown", "-c", ROWS_SQL)
    lines = out.splitlines()
    expect("markdown's first cells", [cell.strip() for cell in lines[0].strip("| ").split("|")], ["n", "s", "b"])
    expect("markdown's lines", len(lines) >= 5 and set(lines[1]) <= set("|-: "), True)
    for name in ("table", "line"):
        status, out, _ = run(program, "--format", name, "-c", ROWS_SQL)
        expect(f"{name} shows the values", status == 0 and 'say "x"' in out and "a,b" in out, True)
    _, out, _ = run(program, "--format", "csv", "-c", "SELECT 1 AS a WHERE false")
    expect("csv of no rows", out.split(), ["a"])
    _, out, _ = run(program, "--format", "json", "-c", "SELECT 1 AS a WHERE false")
    expect("json of no rows", json.loads(out), [])


def check_standard_input(program, folder):
    """Rows of COPY … FROM STDIN: behind the statement in scripts and requests, else the process's own; pipes as files."""
    make, show = "CREATE TABLE t (a integer, b text)", "SELECT * FROM t"
    rows = '1,x\n2,"y;z"\n'
    script = folder / "rows.sql"
    script.write_text(f"{make};\nCOPY t FROM STDIN (FORMAT csv); -- two\n{rows}\\.\ncopy t (b, a) from stdin with (format csv);\nz,3\n"
                      f"\\.\n{show};\nCOPY t FROM STDIN (FORMAT csv, HEADER);\na,b\n4,to the end\n")
    wanted = ["Count", "2", "Count", "1", "a,b", "1,x", "2,y;z", "3,z", "Count", "1"]
    expect("rows in a script", run(program, "--format", "csv", "-f", str(script))[:2], (0, "\n".join(wanted) + "\n"))
    expect("rows in a script on standard input", run(program, "--format", "csv", text=script.read_text())[:2], (0, "\n".join(wanted) + "\n"))
    for what in ("STDIN", "'/dev/stdin'"):
        commands = ["--format", "csv", "-c", make, "-c", f"COPY t FROM {what} (FORMAT csv)", "-c", show]
        wanted = (0, "Count\n2\na,b\n1,x\n2,y;z\n")
        expect(f"COPY FROM {what} of a pipe", run(program, *commands, text=rows)[:2], wanted)
        file = folder / "rows.csv"
        file.write_text(rows)
        with open(file) as stdin:
            done = subprocess.run([program, *commands], stdin=stdin, capture_output=True, text=True, timeout=60)
        expect(f"COPY FROM {what} of a file", (done.returncode, done.stdout), wanted)
    read = "SELECT count(*) AS n, sum(column0) AS a FROM read_csv('/dev/stdin')"
    expect("a pipe as a file", run(program, "--format", "csv", "-c", read, text=rows)[:2], (0, "n,a\n2,3\n"))
    expect("a pipe as a file, twice", run(program, "--format", "csv", "-c", read, "-c", read, text=rows)[:2], (0, "n,a\n2,3\n" * 2))
    expect("no rows", run(program, "--format", "csv", "-c", make, "-c", "COPY t FROM STDIN (FORMAT csv)", text="")[:2], (0, "Count\n0\n"))
    status, _, err = run(program, "-c", make, "-c", "COPY t FROM STDIN (FORMAT csv)", text="1,x\nno number,y\n")
    expect("rows that do not fit", (status, "no number" in err), (1, True))
    status, _, err = run(program, "-c", make, "-c", "COPY t FROM STDIN", text="1\tx\n")
    expect("rows of PostgreSQL's text form", (status, "FORMAT csv" in err), (1, True))
    requests = "".join(json.dumps({"sql": sql}) + "\n" + more for sql, more in (
        (make, ""), ("COPY t FROM STDIN (FORMAT csv)", rows + "\\.\n"), ("COPY none FROM STDIN (FORMAT csv)", rows + "\\.\n"), (show, "")))
    answers = [json.loads(line) for line in run(program, "--pipe", text=requests)[1].splitlines()]
    expect("rows among requests", [a.get("changed_rows", a.get("rows", a.get("error", {}).get("sqlstate"))) for a in answers],
           [[], 2, "42P01", [[1, "x"], [2, "y;z"]]])
    answers = run(program, "--pipe", text=json.dumps({"sql": read}) + "\n")[1]
    expect("requests as a file", json.loads(answers)["error"]["sqlstate"], "58030")


def check_pipe(program):
    with pipe.Pipe(program) as fletch:
        answer = fletch.ask("SELECT 1 AS a, 'x' AS b")
        expect("pipe's keys", {"columns", "types", "rows", "ms", "cpu_ms"} <= set(answer), True)
        expect("pipe's columns and rows", (answer["columns"], answer["rows"]), (["a", "b"], [[1, "x"]]))
        expect("one type a column", len(answer["types"]), 2)
        expect("times are numbers", [isinstance(answer[key], (int, float)) for key in ("ms", "cpu_ms")], [True, True])
        for sql, wanted in (
                ("SELECT 9007199254740992", 9007199254740992),
                ("SELECT 9007199254740993", "9007199254740993"),
                ("SELECT -9007199254740993", "-9007199254740993"),
                ("SELECT 1.50", "1.50"),
                ("SELECT CAST(0.1 AS double precision)", 0.1),
                ("SELECT CAST('NaN' AS double precision)", "NaN"),
                ("SELECT CAST('Infinity' AS double precision)", "Infinity"),
                ("SELECT CAST('-Infinity' AS double precision)", "-Infinity"),
                ("SELECT true", True),
                ("SELECT NULL", None),
                ("SELECT date '2024-02-29'", "2024-02-29"),
                ("SELECT timestamp '2024-02-29 12:30:00'", "2024-02-29 12:30:00"),
                ("SELECT time '12:30:00'", "12:30:00"),
                ("SELECT interval '1 day 2 hours'", "1 day 02:00:00"),
                ("SELECT 'a\"b\\c\n\u00e9\U0001f600'", 'a"b\\c\n\u00e9\U0001f600'),
                ("SELECT [1, 2, NULL]", [1, 2, None])):
            answer = fletch.ask(sql)
            got = answer["rows"][0][0] if "rows" in answer else answer["error"]["message"]
            expect(sql, (type(got), got), (type(wanted), wanted))
        answer = fletch.ask("CREATE TABLE t (a integer, b text)")
        expect("a statement without a result", [answer.get(key) for key in ("columns", "types", "rows")], [[], [], []])
        fletch.run("INSERT INTO t VALUES (1, 'x'), (2, 'y')")
        expect("one session throughout", fletch.rows("SELECT count(*) FROM t"), [[2]])
        expect("parameters", fletch.rows("SELECT b FROM t WHERE a = $1 AND b <> $2", [2, "x"]), [["y"]])
        expect("a null parameter", fletch.rows("SELECT CAST($1 AS integer)", [None]), [[None]])
        error = fletch.ask("SELECT aa FROM t").get("error", {})
        expect("an error's keys", {"code", "sqlstate", "message", "position", "hint"} <= set(error), True)
        expect("its sqlstate and position", (error.get("sqlstate"), error.get("position")), ("42703", 7))
        expect("positions count bytes", fletch.ask("SELECT '\u00e9', aa FROM t")["error"]["position"], 13)
        expect("a missing parameter", fletch.ask("SELECT $1 + $2", [1]).get("error") is not None, True)
        for line in (b"this is no JSON\n", b"{}\n", b'{"sql": 5}\n', b'{"sql": "SELECT 1", "params": 3}\n', b"[]\n", b"\xff\xfe\n"):
            fletch.process.stdin.write(line)
            expect(f"the line {line!r}", "error" in json.loads(fletch.read_line()), True)
        expect("the session after bad lines", fletch.rows("SELECT 42"), [[42]])
        expect("two statements in one line", "error" in fletch.ask("SELECT 1; SELECT 2"), True)
        expect("a semicolon at the end", fletch.rows("SELECT 1;"), [[1]])
        expect("pipe's exit status", fletch.close(), 0)


def check_notes(program):
    """What a statement's user should know besides its rows: on standard error, and beside the rows of --pipe."""
    sql = "SELECT A_1, a_2 FROM 'test/data/csv/same_names.csv'"
    status, out, err = run(program, "--format", "csv", "-c", sql)
    expect("a note's rows", (status, out.splitlines()), (0, ["A_1,a_2", "2,4"]))
    expect("a note", err.startswith("Note: ") and "A_1" in err and "a_2" in err and len(err.splitlines()) == 1, True)
    expect("no note", run(program, "-c", "SELECT 1")[2], "")
    with pipe.Pipe(program) as fletch:
        expect("a note in a pipe", ["A_1" in note for note in fletch.ask(sql)["notes"]], [True])
        expect("no note in a pipe", "notes" in fletch.ask("SELECT 1"), False)
        for name in ("csv/same_names.csv", "json/same_names.ndjson", "parquet/same_names.parquet"):
            expect(f"{name}'s names", fletch.ask(f"SELECT * FROM 'test/data/{name}'")["columns"][:2], ["a", "A_1"])


SLOW_SQL = "SELECT count(*) FROM range(100000) a, range(100000) b WHERE a.range + b.range = -1"


def check_signals(program):
    """A reader that goes away is no error to shout about; Ctrl-C ends the query within 100 ms and a little."""
    process = subprocess.Popen([program, "--format", "csv", "-c", "SELECT * FROM range(3000000)"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    err, status = process.stderr.read(), process.wait(timeout=60)
    expect("a broken pipe's standard error", err, b"")
    expect("a broken pipe ends the program", status in (0, 1, 141, -signal.SIGPIPE), True)

    process = subprocess.Popen([program, "-c", SLOW_SQL], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(1.0)
    expect("a slow query is still at work", process.poll(), None)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=30)
        took = (time.monotonic() - start) * 1000
        slow = any(word in program for word in ("asan", "tsan", "debug"))
        expect(f"Ctrl-C took {took:.0f} ms", took < (2000 if slow else 300), True)
        expect("Ctrl-C says so", b"cancel" in process.stderr.read().lower(), True)
        expect("Ctrl-C's exit status", process.returncode, 130)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        PROBLEMS.append("Ctrl-C does not end a query")
    process.stdout.close()
    process.stderr.close()
    check_interrupted(program)


def check_interrupted(program):
    """Ctrl-C is exit status 130 wherever the statements come from; with --pipe it ends the statement alone."""
    with tempfile.TemporaryDirectory(prefix="fletch-interrupted-") as folder:
        script = pathlib.Path(folder) / "slow.sql"
        script.write_text(f"SELECT 1;\n{SLOW_SQL};\nSELECT 2;\n")
        fifo = pathlib.Path(folder) / "fifo"
        os.mkfifo(fifo)
        for what, args, text in (("-f", ["-f", str(script)], b""), ("standard input", [], script.read_bytes()),
                                 ("a later -c", ["-c", "SELECT 1", "-c", SLOW_SQL, "-c", "SELECT 2"], b""),
                                 ("standard input that is still open", [], None), ("a file that has no end yet", ["-f", str(fifo)], None)):
            process = subprocess.Popen([program, "--format", "csv", *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE)
            writer = open(fifo, "wb", buffering=0) if str(fifo) in args else None
            if text is not None:
                process.stdin.write(text)
                process.stdin.close()
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            try:
                expect(f"Ctrl-C and {what}: exit status", process.wait(timeout=30), 130)
                expect(f"Ctrl-C and {what}: what comes later is left", b"2" in process.stdout.read().split(), False)
            except subprocess.TimeoutExpired:
                process.kill()
                PROBLEMS.append(f"Ctrl-C does not end {what}")
            for stream in (writer, process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
    with pipe.Pipe(program) as fletch:
        fletch.process.stdin.write(json.dumps({"sql": SLOW_SQL}).encode() + b"\n")
        fletch.process.stdin.flush()
        time.sleep(0.5)
        fletch.process.send_signal(signal.SIGINT)
        expect("Ctrl-C and --pipe: the statement", json.loads(fletch.read_line())["error"]["code"], "cancelled")
        expect("Ctrl-C and --pipe: the next one", fletch.rows("SELECT 42"), [[42]])
        expect("Ctrl-C and --pipe: exit status", fletch.close(), 0)


def check_ended(program, folder):
    """A signal that ends the program lets a COPY take away what it wrote; rows to standard output are nothing but rows."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        place = folder / f"ended_{number}"
        place.mkdir()
        sql = f"COPY (SELECT range AS a, range::text AS b FROM range(3000000000)) TO '{place}/x.csv'"
        process = subprocess.Popen([program, "-c", sql], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        until = time.monotonic() + 30
        while not os.listdir(place) and time.monotonic() < until:
            time.sleep(0.02)
        expect(f"signal {number}: a file is being written", len(os.listdir(place)), 1)
        process.send_signal(number)
        process.communicate(timeout=60)
        expect(f"signal {number}: exit status", process.returncode, 128 + number)
        expect(f"signal {number}: what is left", os.listdir(place), [])
    expect("COPY TO STDOUT", run(program, "-c", "COPY (SELECT 1, 'a\tb', NULL) TO STDOUT")[1], "1\ta\\tb\t\\N\n")
    expect("COPY TO STDOUT as CSV", run(program, "-c", "COPY (SELECT 1 AS a, 'x,y' AS b) TO STDOUT (FORMAT csv); SELECT 2", "--format", "csv")[1],
           'a,b\n1,"x,y"\n?column?\n2\n')
    expect("COPY to /dev/stdout", run(program, "-c", "COPY (SELECT 1 AS a) TO '/dev/stdout' (FORMAT ndjson)")[1], '{"a":1}\n')
    with open("/dev/full", "wb") as full:
        done = subprocess.run([program, "-c", "COPY (FROM range(100000)) TO STDOUT"], stdout=full, stderr=subprocess.PIPE, timeout=60)
        expect("COPY TO STDOUT where nothing can be written", (done.returncode, b"full" in done.stderr), (1, True))


def check_limits(program, folder):
    """Numbers out of range, names that are misspelt, and inputs that never end."""
    for args, part in ((["--threads", "0"], "1 to 256"), (["--threads=-1"], "1 to 256"), (["--threads", "257"], "1 to 256"),
                       (["--threads", "99999999999"], "1 to 256"), (["--memory=-1"], "from 1 byte"), (["--memory", "0"], "from 1 byte"),
                       (["--memory=-5MB"], "from 1 byte"), (["--format", "cvs"], "did you mean csv?"),
                       (["--formt", "csv"], "did you mean --format?"), (["--memroy=5MB"], "did you mean --memory?"),
                       (["--timming"], "did you mean --timing?"), (["--nonsense"], "no option --nonsense"), (["-x"], "no option -x"),
                       (["--format"], "--format needs a value"), (["-f"], "-f needs a value"), (["--pipe=1"], "takes no value")):
        status, out, err = run(program, *args)
        expect(f"{args}: status and output", (status, out), (2, ""))
        expect(f"{args}: {err!r} says {part!r}", part in err, True)
    expect("the most threads", run(program, "--threads", "256", "-c", "SELECT 1")[0], 0)
    for sql, part in (("SET threads = 0", "1 to 256"), ("SET threads = -1", "1 to 256"), ("SET threads = 257", "1 to 256"),
                      ("SET memory_limit = '-5MB'", "from 0"), ("SET memory_limit = -1", "from 0"), ("SET timeout = -1", "from 0"),
                      ("SET vector_size = 0", "1 to 16384"), ("SET vector_size = -7", "1 to 16384")):
        status, _, err = run(program, "-c", sql)
        expect(f"{sql}: {err!r}", (status, part in err), (1, True))
    for what, status, out, err in (("-f /dev/zero", *run(program, "-f", "/dev/zero")), ("a folder", *run(program, "-f", str(folder))),
                                   ("/dev/zero behind -c", *run(program, "-c", "SELECT 1", "-f", "/dev/zero"))):
        expect(f"{what}: {err!r}", (status, err.startswith("Error: ")), (1, True))
        expect(f"{what} says why", ("Is a directory" if what == "a folder" else "256 MB") in err, True)
    with open("/dev/zero", "rb") as zeros:
        done = subprocess.run([program], stdin=zeros, capture_output=True, timeout=60)
        expect("standard input without end", (done.returncode, b"256 MB" in done.stderr), (1, True))
        done = subprocess.run([program, "--pipe"], stdin=zeros, capture_output=True, timeout=60)
        expect("a request without end", (done.returncode, json.loads(done.stdout)["error"]["sqlstate"]), (1, "54000"))
    with open("/dev/full", "wb") as full:
        for args in (["-c", "SELECT 1"], ["--format", "csv", "-c", "SELECT * FROM range(100000)"], ["--help"]):
            expect(f"{args} where nothing can be written", subprocess.run([program, *args], stdout=full, stderr=subprocess.DEVNULL,
                                                                          timeout=60).returncode, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    args = parser.parse_args()
    program = os.path.abspath(args.fletch)
    with tempfile.TemporaryDirectory(prefix="fletch-program-") as folder:
        for check in (lambda: check_statuses(program, pathlib.Path(folder)), lambda: check_formats(program),
                      lambda: check_limits(program, pathlib.Path(folder)), lambda: check_ended(program, pathlib.Path(folder)),
                      lambda: check_standard_input(program, pathlib.Path(folder)), lambda: check_pipe(program), lambda: check_notes(program), lambda: check_signals(program)):
            try:
                check()
            except Exception as error:  # the other checks are still worth knowing
                PROBLEMS.append(f"{type(error).__name__}: {error}")
    print("\n".join(PROBLEMS) or "the program keeps its contract")
    return 1 if PROBLEMS else 0


if __name__ == "__main__":
    sys.exit(main())
