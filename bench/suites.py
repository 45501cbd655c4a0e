"""Suites whose queries are files beside a generate.py: what is loaded, by how many threads they run, how often.

A suite's folder holds `<query>.sql`; `generate.py FOLDER` writes the data, once, into .deps/data/<folder>. A query whose answer
is not the same in every engine, because rows are tied, says in its first line what is: `-- compared: column 3` (as a multiset),
or `-- compared: number of rows`.
Relies on: bench/worker.py, which loads the files.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"


class Suite:
    def __init__(self, name, title, folder=None, memory=True, threads=(2,), library=True, times=None, runs_max=None):
        """`library`: fletch by its C API and not behind --pipe; `times`: of a query in one run, of which the least counts."""
        self.name, self.title, self.folder = name, title, folder or name
        self.memory, self.threads, self.library, self.times, self.runs_max = memory, threads, library, times, runs_max

    def tables(self):
        """{table: file}; made when they are missing."""
        folder = ROOT / ".deps" / "data" / self.folder
        if not any(folder.glob("*.*")):
            part = folder.with_name(folder.name + ".part")  # half of the files is never taken for all of them
            subprocess.run(["rm", "-rf", str(part)], check=True)
            subprocess.run([sys.executable, str(BENCH / self.folder / "generate.py"), str(part)], check=True)
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
    Suite("tiny", "Tiny queries over 1,000 rows in memory", threads=(1,), times=200),
]


def compared(sql):
    """What of an answer is compared: None for all of it, else a list of columns, which may be empty."""
    found = re.match(r"-- compared: (?:column (\d+)|number of rows)", sql)
    return None if found is None else [int(found[1]) - 1] if found[1] else []
