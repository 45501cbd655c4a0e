"""Suites whose queries are files beside a generate.py: what is loaded, by how many threads they run, how often.

A suite's folder holds `<query>.sql`; `generate.py FOLDER [ROWS]` writes the data, once, into .deps/data/<data>. A query whose answer
is not the same in every engine, because rows are tied, says in its first line what is: `-- compared: column 3` (as a multiset),
or `-- compared: number of rows`. `-- copied to: csv` there: its rows go to a file, which is read again for the comparison.
Relies on: bench/worker.py, which loads the files.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"


class Suite:
    def __init__(self, name, title, folder=None, memory=True, threads=(2,), library=True, times=None, runs_max=None, data=None, rows=None,
                 is_large=False):
        """`library`: fletch by its C API and not behind --pipe; `times`: of a query in one run, of which the least counts; `data`: the
        folder with the generate.py, where it is another suite's; `rows`: given to it; `is_large`: run when it is asked for by name alone."""
        self.name, self.title, self.folder = name, title, folder or name
        self.memory, self.threads, self.library, self.times, self.runs_max = memory, threads, library, times, runs_max
        self.data, self.rows, self.is_large = data or self.folder, rows, is_large

    def tables(self):
        """{table: file}; made when they are missing."""
        folder = ROOT / ".deps" / "data" / (f"{self.data}-{self.rows}" if self.rows else self.data)
        if not any(folder.glob("*.*")):
            part = folder.with_name(folder.name + ".part")  # half of the files is never taken for all of them
            subprocess.run(["rm", "-rf", str(part)], check=True)
            subprocess.run([sys.executable, str(BENCH / self.data / "generate.py"), str(part), *([str(self.rows)] if self.rows else [])],
                           check=True)
            part.rename(folder)
        return {path.stem: path for path in sorted(folder.glob("*.*"))}

    def queries(self, only):
        """(name, text) pairs; all of them when `only` is empty."""
        return [(path.stem, path.read_text()) for path in sorted((BENCH / self.folder).glob("*.sql")) if not only or path.stem in only]

    def megabytes(self):
        """Size of the text that each query reads; None where files are not text."""
        sizes = [path.stat().st_size for path in self.tables().values() if path.suffix in (".csv", ".ndjson")]
        return sum(sizes) / 1e6 if sizes else None


SUITES = [
    Suite("scenarios", "Scenarios, 1,000,000 rows in memory", threads=(1,)),
    Suite("groupby", "H2O group-by, 10,000,000 rows in memory", runs_max=3),
    Suite("join", "H2O joins, 10,000,000 rows in memory", runs_max=3),
    Suite("clickbench-memory", "ClickBench's queries, 5,000,000 generated rows in memory", "clickbench", runs_max=3),
    Suite("clickbench-parquet", "ClickBench's queries, 5,000,000 generated rows, Parquet", "clickbench", memory=False, runs_max=3),
    Suite("csv", "CSV", memory=False, threads=(1, 2), runs_max=3),
    Suite("json", "NDJSON of sixteen keys", memory=False, threads=(1, 2), runs_max=3),
    Suite("windows", "Windows, 1,000,000 rows in memory", threads=(1, 2), runs_max=3),
    Suite("windows-1e7", "Windows, 10,000,000 rows in memory", "windows", threads=(1, 2), runs_max=2, rows=10_000_000, is_large=True),
    Suite("grouping-sets", "Grouping sets, 1,000,000 rows in memory", "grouping_sets", threads=(1, 2), runs_max=3, data="scenarios"),
    Suite("recursion", "Recursion, tables in memory", threads=(1, 2), runs_max=3),
    Suite("copy", "COPY to a file, 1,000,000 rows in memory", threads=(1, 2), runs_max=3, data="scenarios"),
    Suite("json-extract", "Values of JSON documents, 1,000,000 texts in memory", "json_extract", threads=(1, 2), runs_max=3),
    Suite("tiny", "Tiny queries over 1,000 rows in memory", threads=(1,), times=200),
]


def compared(sql):
    """What of an answer is compared: None for all of it, else a list of columns, which may be empty."""
    found = re.match(r"-- compared: (?:column (\d+)|number of rows)", sql)
    return None if found is None else [int(found[1]) - 1] if found[1] else []


def copied_to(sql):
    """The format of the file that a query's rows are copied to, or None."""
    found = re.match(r"-- copied to: (\w+)", sql)
    return found and found[1]
