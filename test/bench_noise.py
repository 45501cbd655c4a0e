#!/usr/bin/env python3
"""bench/noise.py, held against made-up records: what became slower is found, what the machine or chance did is not.

Relies on: Python alone.
"""

import contextlib
import copy
import io
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
import noise  # noqa: E402

PEERS = ("duckdb", "polars", "datafusion")


def record(seed, queries=30, runs=5, jitter=0.02):
    """Times of four engines; those of a query differ by the jitter, which only adds."""
    base, chance = random.Random(1), random.Random(seed)
    results = {}
    for n in range(queries):
        cells = {}
        for engine in ("fletch", *PEERS):
            least = base.uniform(1, 1000)
            times = [least * (1 + abs(chance.gauss(0, jitter))) for _ in range(runs)]
            cells[engine] = {"ms": min(times), "times": times, "error": None}
        results[f"q{n:02d}"] = cells
    return results


def scaled(results, factor, keep=lambda query, engine: True):
    changed = copy.deepcopy(results)
    for query, cells in changed.items():
        for engine, cell in cells.items():
            if keep(query, engine):
                cell["times"] = [time * factor for time in cell["times"]]
                cell["ms"] *= factor
    return changed


def slower(now, before):
    return noise.Verdict(now, before).slower()


def of_fletch(query=None):
    return lambda name, engine: engine == "fletch" and query in (None, name)


def without_peers(results):
    return {query: {"fletch": cells["fletch"]} for query, cells in results.items()}


def main():
    before = record(1)
    assert slower(before, before) == []
    for seed in range(2, 102):
        now = record(seed)
        assert slower(now, before) == [], seed
        assert slower(scaled(now, 1.5, of_fletch("q07")), before) == ["q07"], seed
        assert slower(scaled(now, 1.5), before) == [], seed                          # the machine, not fletch
        assert slower(scaled(now, 0.5, of_fletch("q07")), before) == [], seed        # faster
        assert "q07" in slower(scaled(scaled(now, 1.5), 1.5, of_fletch("q07")), before), seed
    assert len(slower(scaled(record(2), 1.5, of_fletch()), before)) == 31            # each query, and the suite
    assert slower(scaled(record(2), 1.045, of_fletch()), before)[-1:] == ["suite"]   # each within its noise, together not

    noisy = record(3)
    noisy["q07"]["fletch"]["times"] = [time * factor for time, factor in zip(before["q07"]["fletch"]["times"], (1.5, 2.2, 2.9, 3.5, 4.0))]
    noisy["q07"]["fletch"]["ms"] = min(noisy["q07"]["fletch"]["times"])
    assert slower(noisy, before) == []                                               # its own runs differ by more than that
    restless = record(5, jitter=0.5)
    assert slower(scaled(restless, 1.25, of_fletch("q07")), before) == []            # the peers' times scatter as much

    old = copy.deepcopy(before)                                                      # a record without single runs
    for cells in old.values():
        for cell in cells.values():
            del cell["times"]
    assert slower(before, old) == [] and slower(scaled(before, 1.5, of_fletch("q07")), old) == ["q07"]
    assert slower(without_peers(scaled(before, 1.08)), without_peers(before)) == ["suite"]
    assert "q07" in slower(without_peers(scaled(before, 1.5, of_fletch("q07"))), without_peers(before))
    failed = copy.deepcopy(before)
    failed["q07"]["fletch"] = {"ms": None, "times": [], "error": "refused"}
    assert slower(failed, before) == [] and slower(before, failed) == [] and slower(before, {}) == []

    assert noise.Verdict(failed, before).lost == ["q07"] and noise.Verdict(before, failed).lost == []

    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert not noise.compare({"suites": {"s": before}}, {"suites": {"s": before}, "commit": "c"})
        assert noise.compare({"suites": {"s": failed}}, {"suites": {"s": before}, "commit": "c"})
        assert noise.compare({"suites": {"s": scaled(before, 1.5, of_fletch("q07"))}}, {"suites": {"s": before}, "commit": "c"})
    assert "none: q07." in out.getvalue() and "| q07 |" in out.getvalue() and out.getvalue().count(" slower |") == 1
    print("all verdicts are as expected")


if __name__ == "__main__":
    main()
