#!/usr/bin/env python3
"""R28: every statement can be stopped: by an interrupt from another thread, and by its timeout, wherever it is.

    cancel.py [--fletch PROGRAM] [--times N] [--threads N] [NAME...]     N tries of each statement and way; NAMEs: only these

Long statements of each kind (long values in text functions, planning, changes of tables, looking at files, sorts, joins,
groups, a slow reader of rows) are stopped at moments drawn by chance. Counted is the processor time of this process from
the request to the return of the call, so that a busy machine does not lie: 99 of 100 tries must take 100 ms at the most.
The call must say 57014, and the session must answer the next question.
Relies on: libfletch.so beside the program; statements that run longer than the latest moment (--longest, 0.4 s).
"""

import argparse
import collections
import ctypes
import pathlib
import random
import sys
import tempfile
import threading
import time

import library
import pipe

LIMIT_MS = 100
MEMORY_BYTES = 8 << 30

# Texts that cannot be folded away: rows of a table. `long` has a text of 16 MB, `texts` 20,000 of 1 KB.
SET_UP = [
    "CREATE TABLE long AS SELECT repeat('abcdefghi ä', 1400000) AS s, repeat('a', 30000) AS a, 1 AS one",
    "CREATE TABLE texts AS SELECT i, repeat('abcdefghi ä' || i, 80) AS s FROM range(20000) AS r(i)",
    "CREATE TABLE numbers AS SELECT i, i * 7919 % 5000011 AS n, i % 1000 AS k, (i * 31 % 977)::double AS x, "
    "'name ' || (i * 7919 % 3000017) AS s FROM range(5000000) AS r(i)",
    "CREATE TABLE lists AS SELECT array_agg(i * 7919 % 300007) AS l FROM range(300000) AS r(i)",
    "CREATE TABLE views AS SELECT 1 AS a",
]


def on_long(expression, times=1000):
    """An expression over the long text, many times over."""
    return f"SELECT count({expression}) FROM long, range({times}) AS r(i)"


# name: statement. Each runs for seconds where nothing stops it.
STATEMENTS = {
    # one long value in text functions
    "upper": on_long("upper(s || i)"),
    "reverse": on_long("reverse(s || i)"),
    "replace": on_long("replace(s || i, 'i ä', 'xyz')"),
    "translate": on_long("translate(s || i, 'äbc', 'xyz')"),
    "trim_and_pad": on_long("length(rpad(trim(s || i, 'x'), 20000000, 'äö'))"),
    "position": on_long("position('not there' || i IN s)"),
    "like": on_long("s LIKE '%a%b%c%d%e%f%x' || i || '%'"),
    "like_places": "SELECT count(*) FROM long, range(1000) AS r(i) WHERE a || i LIKE '%' || repeat('a_', 5000) || 'b%'",
    "ilike": on_long("s ILIKE '%GHI ÄX' || i || '%'"),
    "regexp_replace": on_long("regexp_replace(s, '(a|b)+c' || i, 'x', 'g')"),
    "regexp_like": "SELECT count(*) FROM long, range(1000) AS r(i) WHERE regexp_like(repeat(a, 10) || i, '(a*)*b')",
    "regexp_extract_all": on_long("regexp_extract_all(s || i, '[a-z]+ ä')"),
    "regexp_split": on_long("regexp_split_to_array(s || i, ' ')"),
    "string_to_array": on_long("string_to_array(s || i, ' ')"),
    "levenshtein": "SELECT sum(levenshtein(substr(a, 15000) || i, substr(a, 15000) || 'b')) FROM long, range(1000) AS r(i)",
    "digests": on_long("md5(s || i)"),
    "encode": on_long("encode((s || i)::bytea, 'hex')"),
    "length_and_substring": on_long("length(substring(s || i, 14000000, 10))"),
    "casts": on_long("(s || i)::bytea::text"),
    "lists": "SELECT count(list_distinct(l || i)) FROM lists, range(1000) AS r(i)",
    "list_sort": "SELECT count(list_sort(l || i)) FROM lists, range(1000) AS r(i)",
    "list_positions": "SELECT count(list_has_all(l || i, l)) FROM lists, range(1000) AS r(i)",
    "texts": "SELECT count(regexp_replace(upper(s), '(A|B|C)+.', 'x', 'g')) FROM texts, range(1000) AS r(i)",
    "repeat": "SELECT count(repeat(s || i, 50)) FROM long, range(1000) AS r(i)",
    # planning
    "parse": "SELECT " + ", ".join(f"({i} + {i}) * {i}" for i in range(300000)),
    "bind_columns": "CREATE OR REPLACE TABLE wide (" + ", ".join(f"c{i} integer" for i in range(400000)) + ")",
    "bind_joins": "SELECT count(*) FROM " + ", ".join(f"numbers t{i}" for i in range(300)) + " WHERE "
                  + " AND ".join(f"t{i}.n = t{i + 1}.i" for i in range(299)),
    "unions": " UNION ALL ".join("SELECT a FROM views" for _ in range(20000)),
    "conditions": "SELECT count(*) FROM numbers WHERE " + " OR ".join(f"(n < {i} AND k = {i % 7})" for i in range(60000)),
    # changes of tables
    "insert": "INSERT INTO numbers SELECT a.i, b.n, a.k, a.x, b.s FROM numbers a, numbers b",
    "update": "UPDATE numbers SET s = s || n, x = sqrt(x) WHERE levenshtein(s, 'name 1234567') > 1000",
    "update_all": "UPDATE numbers SET x = x + 0, s = substr(s || n, 1, length(s)), n = n + 0",
    "index": "CREATE UNIQUE INDEX by_i ON numbers (i, s)",
    "create_unique": "CREATE TABLE copied AS SELECT a.i, b.n FROM numbers a, numbers b",
    # looking at files
    "sniff_csv": "SELECT count(*) FROM read_csv('{folder}/wide.csv', sample_size = -1), range(1000)",
    "read_json": "SELECT count(*) FROM read_json('{folder}/large.json'), range(1000)",
    # operators
    "sort": "SELECT * FROM (SELECT s, n, i FROM numbers ORDER BY s, n, i) AS t ORDER BY i, s",
    "sort_values": "SELECT a.n + b.k AS n FROM numbers a, range(20) AS b(k) ORDER BY n",
    "join": "SELECT max(a.n + b.n) FROM numbers a JOIN numbers b ON a.k = b.k",
    "join_keys": "SELECT count(*) FROM numbers a JOIN numbers b ON a.s = b.s JOIN numbers c ON c.s = a.s",
    "join_loop": "SELECT count(*) FROM numbers a JOIN numbers b ON a.n < b.n AND a.x > b.x",
    "group": "SELECT s, count(*), sum(n) FROM numbers GROUP BY s",
    "group_states": "SELECT median(n), count(DISTINCT s), string_agg(s, ',' ORDER BY n), quantile_cont(x, 0.3) FROM numbers",
    "distinct": "SELECT count(*) FROM (SELECT DISTINCT a.n, b.k FROM numbers a, range(10) AS b(k)) AS t",
    "set_operation": "SELECT i, s FROM numbers EXCEPT SELECT i, s FROM numbers",
    "recompute": "SELECT sum(range) FROM range(1000000000000)",
    "unnest": "SELECT count(*) FROM lists, range(100000) AS r(i), unnest(l) AS u(x)",
    "many_rows": "SELECT a.i, a.s, b.k FROM numbers a, range(1000) AS b(k)",
}

# What is run after a statement that ended before it was stopped, so that it can run again.
TAKEN_BACK = {
    "index": "DROP INDEX by_i",
    "create_unique": "DROP TABLE copied",
}


def write_files(folder):
    """A CSV file of which every value must be looked at, and one JSON document."""
    with open(folder / "wide.csv", "w", encoding="ascii") as file:
        file.write(",".join(f"column{c}" for c in range(50)) + "\n")
        for row in range(60000):
            file.write(",".join(str(row * c % 1009) for c in range(50)) + "\n")
    with open(folder / "large.json", "w", encoding="ascii") as file:
        file.write("[")
        for row in range(600000):
            file.write(f'{{"id": {row}, "name": "number {row}", "tags": [{row % 7}, {row % 11}], "home": {{"x": {row / 7:.3f}}}}},\n')
        file.write('{"id": -1}]')


def stop_once(engine, sql, way, moment):
    """Stops a statement `moment` seconds after its start: the processor time in ms that it took to return, or None when it
    had ended before; and how often it was asked. An interrupt that finds no statement running stops none: on a busy machine
    it may come before the statement does, so it is asked again after two seconds."""
    asked, returned = [], threading.Event()

    def ask():
        wait = moment
        while not returned.wait(wait):
            if way == "interrupt":
                engine.interrupt()
            asked.append(time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID))
            wait = 2 if way == "interrupt" else None

    engine.run(f"SET timeout = {max(1, int(moment * 1000)) if way == 'timeout' else 0}")
    timer = threading.Thread(target=ask)
    timer.start()
    try:
        engine.run(sql)
        state = None
    except pipe.QueryError as error:
        state = error.sqlstate
        message = str(error)
    now = time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID)
    returned.set()
    timer.join()
    engine.run("SET timeout = 0")
    if state is None:
        return None, len(asked)
    if state != "57014":
        raise AssertionError(f"expected 57014, found {message}")
    return max(0.0, (now - asked[-1]) * 1000) if asked else 0.0, len(asked)


def read_slowly(engine):
    """A reader of rows that is interrupted between two of its reads, when nothing runs: the next read ends the stream, and the session goes on."""
    stream, batch, reads = engine.query("SELECT i, s FROM numbers"), engine.Array(), 0
    while stream.get_next(ctypes.byref(stream), ctypes.byref(batch)) == 0:
        assert batch.release, "the rows came to their end"
        batch.release(ctypes.byref(batch))
        reads += 1
        if reads == 3:
            engine.interrupt()
    stream.release(ctypes.byref(stream))
    assert reads == 3, reads
    check_session(engine)


def check_session(engine):
    answer = engine.execute("SELECT count(*) AS n FROM range(3)")
    assert answer["n"][0].as_py() == 3, answer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    parser.add_argument("--times", type=int, default=25)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--longest", type=float, default=0.4, help="seconds after which a statement is stopped at the latest")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    chance = random.Random(args.seed)
    engine = library.Library(args.threads, pathlib.Path(args.fletch).with_name("libfletch.so"), MEMORY_BYTES)
    took, ended, failures = collections.defaultdict(list), [], 0
    with tempfile.TemporaryDirectory() as name:
        write_files(pathlib.Path(name))
        for sql in SET_UP:
            engine.run(sql)
        if not args.names:
            read_slowly(engine)
        for statement, sql in STATEMENTS.items():
            if args.names and statement not in args.names:
                continue
            again = 0
            for way in ("interrupt", "timeout"):
                for _ in range(args.times):
                    try:
                        ms, times_asked = stop_once(engine, sql.replace("{folder}", name), way, chance.uniform(0.002, args.longest))
                        again += max(0, times_asked - 1)
                        check_session(engine)
                    except AssertionError as failure:
                        print(f"{statement}, {way}: {failure}")
                        failures += 1
                        continue
                    if ms is None:
                        ended.append(statement)
                        engine.run(TAKEN_BACK.get(statement, "SELECT 1"))
                    else:
                        took[statement].append(ms)
            if again > 1 + args.times // 25:
                print(f"{statement}: did not hear {again} interrupts")
                failures += 1
            times = sorted(took[statement]) or [0.0]
            print(f"{statement}: {len(times)} stopped, median {times[len(times) // 2]:.1f} ms, longest {times[-1]:.1f} ms", flush=True)
    every = sorted(ms for times in took.values() for ms in times)
    worst = every[min(len(every) - 1, int(len(every) * 0.99))]
    print(f"{len(took)} statements, {len(every)} stopped, {len(ended)} ended before they were: {collections.Counter(ended)}")
    print(f"99 of 100 took {worst:.1f} ms at the most, the longest {every[-1]:.1f} ms")
    if worst > LIMIT_MS or failures:
        print(f"FAILED: {failures} failures; {LIMIT_MS} ms are allowed")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
