#!/usr/bin/env python3
"""R40, more files than the process may open: tables of them, joins of such tables, many tables of one file each.

    many_files.py [--fletch PROGRAM] [--files 300] [--limit 64]

The questions come again when the files were at rest for long enough that the engine keeps their tables.
The program runs under `ulimit -n LIMIT`. Files that are replaced, changed or removed between the opening of a table and
its being read (a prepared statement opens anew; within one statement the first scan removes) are errors, never other rows.
Relies on: pyarrow to make files.
"""

import argparse
import json
import os
import pathlib
import resource
import sys
import tempfile
import time

import pyarrow as pa
import pyarrow.parquet as pq

import pipe


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--limit", type=int, default=64)
    args = parser.parse_args()
    problems = []
    n = args.files
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for i in range(n):
            pq.write_table(pa.table({"id": [i, i + n], "v": [f"v{i}", None]}), folder / f"{i:04}.parquet", row_group_size=1)
            (folder / f"{i:04}.csv").write_text(f"id,v\n{i},v{i}\n{i + n},\n")
            (folder / f"{i:04}.ndjson").write_text(json.dumps({"id": i, "v": f"v{i}"}) + "\n" + json.dumps({"id": i + n}) + "\n")
        # a soft limit only, so that this program's own is as before
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (args.limit, hard))
        asked = pipe.Pipe(args.fletch, timeout_s=120)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

        def check(sql, wanted):
            try:
                got = [[int(cell) for cell in row] for row in asked.rows(sql)]    # sums are decimals
            except pipe.QueryError as error:
                got = str(error)
            if got != wanted:
                problems.append(f"{sql[:200]}: {str(got)[:300]}, not {wanted}")

        all_ids = n * (2 * n - 1)
        for threads, rests_s in ((1, 0), (2, 2.2), (2, 0)):
            time.sleep(rests_s)
            asked.run(f"SET threads = {threads}")
            for end in ("parquet", "csv", "ndjson"):
                check(f"SELECT count(*), sum(id), count(v) FROM '{folder}/*.{end}'", [[2 * n, all_ids, n]])
                check(f"SELECT count(*) FROM '{folder}/*.{end}' WHERE id = {n - 1}", [[1]])
            check(f"SELECT count(*) FROM '{folder}/*.parquet' a JOIN '{folder}/*.csv' b USING (id) JOIN '{folder}/*.ndjson' c USING (id)",
                  [[2 * n]])
            union = " UNION ALL ".join(f"SELECT id FROM '{folder}/{i:04}.{('parquet', 'csv', 'ndjson')[i % 3]}'" for i in range(n))
            check(f"SELECT count(*), sum(id) FROM ({union}) u", [[2 * n, all_ids]])
            # a file is let go when its morsel ends, or is read no further: by each of so many scans
            union = " UNION ALL ".join(f"SELECT id FROM '{folder}/{i:04}.parquet'" for i in range(n))
            check(f"SELECT count(*), sum(id) FROM ({union}) u", [[2 * n, all_ids]])
            union = " UNION ALL ".join(f"(SELECT id FROM '{folder}/{i:04}.parquet' LIMIT 1)" for i in range(n))
            check(f"SELECT count(*), sum(id) FROM ({union}) u", [[n, n * (n - 1) // 2]])
        # views keep their tables' text, prepared statements read what is there when they run
        for i in range(n):
            asked.run(f"CREATE VIEW v{i} AS FROM '{folder}/{i:04}.csv'")
        check(f"SELECT sum(id) FROM v{n - 1}", [[n - 1 + 2 * n - 1]])
        # the last file is one of those that are opened again
        last = folder / f"{n - 1:04}.csv"
        asked.run(f"PREPARE p AS SELECT sum(id) FROM '{folder}/*.csv'")
        check("EXECUTE p", [[all_ids]])
        beside = folder / "beside"
        beside.write_text(f"id,v\n{n - 1},other\n{2 * n},\n")
        os.replace(beside, last)
        check("EXECUTE p", [[all_ids + 1]])
        last.unlink()
        check("EXECUTE p", [[all_ids - (2 * n - 1) - (n - 1)]])
        asked.close()
    for problem in problems:
        print(problem)
    print(f"{n} files of each kind under a limit of {args.limit}: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
