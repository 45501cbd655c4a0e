#!/usr/bin/env python3
"""Makes random/changes_N.slt: statements that change two tables, and what is in them then. PostgreSQL says which of them fail.

    PGHOST=… PGUSER=… python test/slt/random/make_changes.py [--files N] [--statements N]
    python test/slt/confirm.py --rewrite test/slt/random/changes_*.slt
"""
import argparse
import pathlib
import random

import psycopg

HERE = pathlib.Path(__file__).resolve().parent
TABLES = """CREATE TABLE p (k integer PRIMARY KEY, v integer CHECK (v < 90), w text, g integer GENERATED ALWAYS AS (k * 2 + coalesce(v, 0)) STORED);
CREATE TABLE t (k integer PRIMARY KEY, u integer UNIQUE, p integer REFERENCES p ON DELETE SET NULL ON UPDATE CASCADE, n integer DEFAULT 3)"""


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def number(self, below=30, nulls=0.08):
        return "NULL" if self.r.random() < nulls else str(self.r.randrange(below))

    def condition(self, table, columns):
        column = f"{table}.{self.r.choice(columns)}"
        return self.r.choice([
            f"{column} % {self.r.randrange(2, 6)} = {self.r.randrange(3)}",
            f"{column} BETWEEN {self.r.randrange(20)} AND {self.r.randrange(10, 30)}",
            f"{column} IS NULL",
            f"{column} IN ({self.number()}, {self.number()}, 7)",
            f"{column} > (SELECT avg(k) FROM {self.r.choice(['p', 't'])})",
            f"EXISTS (SELECT 1 FROM p AS q WHERE q.k = {column})",
        ])

    def returning(self, items):
        return f" RETURNING {', '.join(self.r.sample(items, self.r.randrange(1, len(items))))}" if self.r.random() < 0.6 else ""

    def source(self):
        return self.r.choice([
            "(SELECT k, max(n) AS n FROM t GROUP BY k)",
            "(SELECT k + 3 AS k, v AS n FROM p WHERE k % 3 > 0)",
            f"(SELECT x AS k, x * 2 AS n FROM generate_series({self.r.randrange(10)}, {self.r.randrange(10, 35)}) AS g(x))",
        ])

    def insert(self):
        if self.r.random() < 0.5:
            rows = ", ".join(f"({self.number(30, 0)}, {self.number(90)}, 'w{self.r.randrange(9)}')"
                             for _ in range(self.r.randrange(1, 6)))
            text = f"INSERT INTO p AS x (k, v, w) {self.r.choice(['VALUES ' + rows, f'SELECT k, n, NULL FROM {self.source()} AS s'])}"
            text += self.r.choice(["", " ON CONFLICT DO NOTHING", " ON CONFLICT (k) DO NOTHING",
                                   " ON CONFLICT (k) DO UPDATE SET v = excluded.v, w = x.w || excluded.w",
                                   f" ON CONFLICT (k) DO UPDATE SET v = x.v + 1 WHERE {self.condition('x', ['k', 'v'])}"])
            return text + self.returning(["x.k", "v + 1", "w", "g", "(SELECT count(*) FROM p)"])
        rows = ", ".join(f"({self.number(30, 0)}, {self.number()}, {self.number(12, 0.3)}, {self.r.choice(['DEFAULT', self.number()])})"
                         for _ in range(self.r.randrange(1, 6)))
        text = f"INSERT INTO t VALUES {rows}" + self.r.choice([
            "", " ON CONFLICT DO NOTHING", " ON CONFLICT (u) DO NOTHING",
            " ON CONFLICT (k) DO UPDATE SET n = excluded.n, p = excluded.p",
            " ON CONFLICT (u) DO UPDATE SET n = t.n + excluded.k"])
        return text + self.returning(["k", "u", "n * 2", "t.p"])

    def update(self):
        if self.r.random() < 0.3:
            return (f"UPDATE t SET n = s.n, u = {self.r.choice(['u', 's.k', 'u + 1000'])} FROM {self.source()} AS s WHERE s.k = t.k AND "
                    f"{self.condition('t', ['k', 'u'])}" + self.returning(["t.k", "s.n", "t.n + s.n"]))
        if self.r.random() < 0.4:
            return (f"UPDATE p SET {self.r.choice(['v = v + 7', 'k = k + 100', 'w = NULL, v = 1', 'v = g'])} WHERE "
                    f"{self.condition('p', ['k', 'v', 'g'])}" + self.returning(["k", "v", "g - v", "w"]))
        return (f"UPDATE t SET {self.r.choice(['n = n + k', 'p = k', 'u = NULL', 'k = k + 50, n = DEFAULT'])} WHERE "
                f"{self.condition('t', ['k', 'u', 'p', 'n'])}" + self.returning(["k", "u", "p", "n"]))

    def delete(self):
        if self.r.random() < 0.3:
            return (f"DELETE FROM t USING {self.source()} AS s WHERE s.k = t.k AND {self.condition('t', ['n', 'u'])}"
                    + self.returning(["t.k", "s.k + 1", "t.n"]))
        table, columns = self.r.choice([("p", ["k", "v"]), ("t", ["k", "n", "u"])])
        return f"DELETE FROM {table} WHERE {self.condition(table, columns)}" + self.returning([f"{table}.k", "k + 1"])

    def merge(self):
        arms = self.r.sample([
            f"WHEN MATCHED AND {self.condition('t', ['n', 'u'])} THEN DELETE",
            "WHEN MATCHED THEN UPDATE SET n = t.n + s.n",
            f"WHEN MATCHED AND {self.condition('s', ['k', 'n'])} THEN UPDATE SET u = NULL, n = DEFAULT",
            "WHEN NOT MATCHED AND s.k % 2 = 0 THEN DO NOTHING",
            "WHEN NOT MATCHED THEN INSERT (k, u) VALUES (s.k, s.k + 200)",
        ], self.r.randrange(1, 4))
        last = [a for a in arms if " AND " not in a.split(" THEN ")[0]]
        arms = [a for a in arms if a not in last] + last
        return f"MERGE INTO t USING {self.source()} AS s ON t.k = s.k {' '.join(arms)}"

    def moved(self):
        return (f"WITH d AS (DELETE FROM t WHERE {self.condition('t', ['k', 'n'])} RETURNING k, n) "
                "INSERT INTO p (k, v) SELECT k + 300, n % 50 FROM d ON CONFLICT (k) DO UPDATE SET v = 0 RETURNING k, v")

    def statement(self):
        make = self.r.choices([self.insert, self.update, self.delete, self.merge, self.moved], [8, 5, 2, 3, 1])[0]
        return make()


def write(path, seed, n):
    maker = Maker(seed)
    lines = ["# Changes of two tables that refer to each other, and what is in them then. Made by random/make_changes.py.",
             "# confirmed: postgresql 15", ""]
    with psycopg.connect(autocommit=True) as db:
        db.execute("DROP SCHEMA IF EXISTS made CASCADE")
        db.execute("CREATE SCHEMA made")
        db.execute("SET search_path = made")
        for text in TABLES.split(";"):
            db.execute(text)
            lines += ["statement ok", text.strip(), ""]
        for i in range(n):
            text = maker.statement()
            try:
                returns = db.execute(text).description is not None
                lines += ["query ? rowsort" if returns else "statement ok", text] + (["----"] if returns else []) + [""]
            except psycopg.Error as error:
                lines += [f"statement error {error.sqlstate}", text, ""]
            if i % 4 == 3:
                for table in "pt":
                    lines += ["query ? rowsort", f"SELECT * FROM {table}", "----", ""]
        db.execute("DROP SCHEMA made CASCADE")
    path.write_text("\n".join(lines))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=2)
    parser.add_argument("--statements", type=int, default=120)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--folder", type=pathlib.Path, default=HERE)
    args = parser.parse_args()
    for i in range(args.first, args.first + args.files):
        write(args.folder / f"changes_{i}.slt", i, args.statements)


if __name__ == "__main__":
    main()
