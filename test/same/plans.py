#!/usr/bin/env python3
"""One query by many plans of its memo: SET plan_number runs any of them, and the rows must be the same.

    plans.py [--fletch PROGRAM] [--plans N]

For each query N numbers are taken from the plans there are, each STEP further on; they count round and round. At least two different plans must come of them,
so that a memo which lost its alternatives is noticed. Rows are compared as multisets; a query whose order is whole (ordered=True)
as lists. Relies on: ../pipe.py. Exit status 1 when plans disagree.
"""

import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import pipe  # noqa: E402

STEP = 997  # a prime: it divides the number of plans of no query here
WORLD = [
    "CREATE TABLE few (a int NOT NULL, b int, c text)",
    "INSERT INTO few SELECT range, nullif(range % 4, 3), 'c' || (range % 3)::text FROM range(20)",
    "CREATE TABLE many AS SELECT (range % 15)::int AS a, range::int AS d, (range % 7)::int AS e FROM range(3000)",
    "CREATE TABLE other AS SELECT (range * 2)::int AS d, (range % 5)::int AS f FROM range(900)",
]
# (ordered, query)
QUERIES = [
    (False, "SELECT few.b, count(*), sum(d) FROM few JOIN many USING (a) GROUP BY few.b"),
    (True, "SELECT few.a, few.b, many.d FROM few JOIN many USING (a) ORDER BY few.b, many.d"),
    (False, "SELECT few.a, few.b, many.d FROM few LEFT JOIN many ON few.a = many.a AND many.e > 5 ORDER BY few.b"),
    (True, "SELECT c, e, count(*) FROM few JOIN many USING (a) JOIN other USING (d) WHERE f < 3 GROUP BY c, e ORDER BY c, e"),
    (False, "SELECT * FROM few WHERE a IN (SELECT e FROM many JOIN other USING (d)) ORDER BY b DESC"),
    (False, "SELECT * FROM few WHERE NOT EXISTS (SELECT 1 FROM many WHERE many.e = few.b) ORDER BY a"),
    (True, "SELECT a FROM few UNION SELECT e FROM many JOIN other USING (d) ORDER BY 1"),
    (True, "SELECT x.a, y.f, count(*) FROM few x FULL JOIN other y ON x.a = y.d GROUP BY ALL ORDER BY 1, 2, 3"),
    (False, "WITH m AS MATERIALIZED (SELECT a, count(*) AS n FROM many GROUP BY a) SELECT x.a, y.n FROM m x JOIN m y ON x.a = y.a + 1"),
    (False, "SELECT few.c, count(*), sum(d), min(few.b) FROM few LEFT JOIN many ON few.a = many.a AND many.e < few.a GROUP BY few.c"),
    (False, "SELECT e, count(*), max(f) FROM many JOIN other USING (d) JOIN few ON few.a = e GROUP BY e"),
    (True, "SELECT few.b, t.d FROM few JOIN (SELECT a, d FROM many ORDER BY d LIMIT 40) t USING (a) ORDER BY few.b, t.d LIMIT 9"),
    # inputs that are sorted: merged, grouped by runs, or neither
    (False, "SELECT x.d, x.e, y.f FROM (SELECT * FROM many ORDER BY a LIMIT 5000) x JOIN (SELECT * FROM other ORDER BY d LIMIT 5000) y ON x.a = y.d"),
    (False, "SELECT x.a, x.d, y.f FROM (SELECT * FROM many ORDER BY a, e LIMIT 5000) x LEFT JOIN (SELECT * FROM other ORDER BY d LIMIT 5000) y ON x.a = y.d AND x.e < y.f"),
    (True, "SELECT x.e, x.a, count(*), sum(x.d) FROM (SELECT * FROM many ORDER BY e, a LIMIT 5000) x JOIN few ON few.a = x.e GROUP BY x.e, x.a ORDER BY 1 DESC, 2"),
    (True, "SELECT b, count(*) FROM (SELECT * FROM few ORDER BY b DESC LIMIT 5000) x WHERE NOT EXISTS (SELECT 1 FROM (SELECT * FROM other ORDER BY f LIMIT 5000) y WHERE y.f = x.b) GROUP BY b ORDER BY b"),
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fletch", default=pipe.PROGRAM, type=pathlib.Path)
    parser.add_argument("--plans", default=20, type=int)
    args = parser.parse_args()
    problems = []
    with pipe.Pipe(args.fletch, ["--threads", "2"]) as session:
        for statement in [*WORLD, "SET optimizer = 'search'", "SET verify_rules = true"]:
            session.run(statement)
        for ordered, query in QUERIES:
            session.run("SET plan_number = 0")
            wanted = session.rows(query)
            plans = set()
            for i in range(args.plans):
                number = 1 + i * STEP
                session.run(f"SET plan_number = {number}")
                plans.add(str(session.rows(f"EXPLAIN {query}")))
                rows = session.rows(query)
                same = rows == wanted if ordered else sorted(map(str, rows)) == sorted(map(str, wanted))
                if not same:
                    problems.append(f"plan {number} of {query}: {len(rows)} rows {rows[:3]}, not {len(wanted)} {wanted[:3]}")
            if len(plans) < 2:
                problems.append(f"there is one plan of {query}")
    print("\n".join(problems + [f"{len(QUERIES)} queries by {args.plans} plans each, {len(problems)} problems"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
