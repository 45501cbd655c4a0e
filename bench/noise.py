"""Whether queries became slower between two records of bench/run.py, judged against the noise of the records themselves.

The peers are the control: their programs are the same in both records, so whatever changed for them, the machine did. In a
suite, `machine` is the mean of ln(now / before) over the peers' queries, and `scatter` is how far single queries of theirs lie
from that mean (the median distance, times 1.4826 as for a normal distribution). A query of fletch is slower when

    ln(now / before) - machine  >  max(ln 1.05, 3 * scatter) + its own spread before + its own spread now

where times are the least of the runs, and the spread of a record is ln(median / least) of that query's runs. Three times the
scatter is passed by chance about once in 700 queries; less than 5 % is nobody's concern. Without peers in both records,
`machine` is 0 and `scatter` that of a 10 % change. A suite is slower when the mean over its queries is beyond
max(ln 1.03, 3 * scatter / sqrt(n)): many small losses are one, too. A query that had a time and has none now is lost, which is no better.
"""

import math
import statistics

LEAST = math.log(1.05)
LEAST_OF_SUITE = math.log(1.03)
UNKNOWN_SCATTER = math.log(1.10) / 3
PEERS_MIN = 5  # queries of peers, below which their scatter is not known


def spread(cell):
    times = cell.get("times") or [cell["ms"]]  # older records hold the least alone
    return math.log(max(statistics.median(times), cell["ms"]) / cell["ms"])


def pairs(now, before, keep):
    """(query, cell now, cell before) of the engines that `keep` takes, where both have a time."""
    for query, cells in now.items():
        for engine, cell in cells.items():
            old = before.get(query, {}).get(engine, {})
            if keep(engine) and cell.get("ms") and old.get("ms"):
                yield query, cell, old


def change(cell, old):
    return math.log(cell["ms"] / old["ms"])


class Verdict:
    """Of one suite: `machine` and `scatter` as above; per query (query, before ms, now ms, change less the machine's, bound)."""

    def __init__(self, now, before):
        control = [change(cell, old) for _, cell, old in pairs(now, before, lambda engine: engine != "fletch")]
        self.n_peers = len(control)
        self.machine = statistics.fmean(control) if control else 0.0
        self.scatter = UNKNOWN_SCATTER if len(control) < PEERS_MIN else \
            1.4826 * statistics.median(abs(one - self.machine) for one in control)
        self.lost = [query for query, cells in now.items() if "fletch" in cells and not cells["fletch"].get("ms")
                     and before.get(query, {}).get("fletch", {}).get("ms")]
        self.queries = []
        for query, cell, old in pairs(now, before, lambda engine: engine == "fletch"):
            bound = max(LEAST, 3 * self.scatter) + spread(cell) + spread(old)
            self.queries.append((query, old["ms"], cell["ms"], change(cell, old) - self.machine, bound))

    def slower(self):
        """Names of the queries that are slower beyond noise; `suite` for the mean."""
        found = [query for query, _, _, changed, bound in self.queries if changed > bound]
        if self.queries and self.mean() > max(LEAST_OF_SUITE, 3 * self.scatter / math.sqrt(len(self.queries))):
            found.append("suite")
        return found

    def mean(self):
        return statistics.fmean(changed for _, _, _, changed, _ in self.queries)


def compare(now, saved):
    """Prints the change of fletch's times, suite by suite; true when anything is slower beyond noise, or lost."""
    slower = False
    for suite, results in now["suites"].items():
        verdict = Verdict(results, saved.get("suites", {}).get(suite, {}))
        if not verdict.queries and not verdict.lost:
            continue
        found = verdict.slower()
        slower |= bool(found or verdict.lost)
        print(f"\n## {suite}: fletch against {saved['commit']}\n")
        if verdict.lost:
            print(f"Had a time and have none: {', '.join(verdict.lost)}.\n")
        if not verdict.queries:
            continue
        print(f"The peers' times are {math.exp(verdict.machine):.2f} of what they were ({verdict.n_peers} compared, "
              f"scatter {100 * math.expm1(verdict.scatter):.0f} %): the last two columns are beside that.\n")
        print("| query | before ms | now ms | now / before | noise explains |\n| --- | --- | --- | --- | --- |")
        for query, old, new, changed, bound in verdict.queries:
            print(f"| {query} | {old:.3f} | {new:.3f} | {math.exp(changed):.2f}{' slower' if query in found else ''} | {math.exp(bound):.2f} |")
        print(f"| geometric mean | | | {math.exp(verdict.mean()):.3f}{' slower' if 'suite' in found else ''} | |")
    return slower
