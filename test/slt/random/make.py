#!/usr/bin/env python3
"""Writes the .slt files of this folder: queries made at random from a small grammar, always the same ones.

They look where nobody thought of looking: odd mixes of NULLs, joins, negations, groups and subqueries. Nothing in the
grammar can raise an error or depend on an order. Relies on nothing; `../confirm.py --rewrite` fills in the answers.

    make.py && ../confirm.py --rewrite *.slt
"""

import pathlib
import random

HERE = pathlib.Path(__file__).resolve().parent
TABLES = {"t1": ("a", "b", "s"), "t2": ("a", "c", "s"), "t3": ("b", "c", "s")}
WORDS = ("'x'", "'y'", "'xy'", "''", "'Zebra'", "'a longer text, beyond twelve'")
QUERIES_PER_FILE = 60
WINDOW_QUERIES = 150


class Maker:
    """A query at a time; `scope` holds the columns that an expression may use, as (name, is it a text)."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *items):
        return self.random.choice(items)

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def number(self, scope, depth):
        columns = [name for name, is_text in scope if not is_text]
        if depth <= 0 or self.chance(35):
            return self.pick(*columns) if columns and self.chance(75) else str(self.random.randrange(-3, 12))
        return self.pick(
            lambda: f"({self.number(scope, depth - 1)} {self.pick('+', '-')} {self.number(scope, depth - 1)})",
            lambda: f"({self.number(scope, depth - 1)} * {self.random.randrange(-2, 4)})",
            lambda: f"({self.number(scope, depth - 1)} % {self.random.randrange(2, 6)})",
            lambda: f"abs({self.number(scope, depth - 1)})",
            lambda: f"coalesce({self.number(scope, depth - 1)}, {self.number(scope, depth - 1)})",
            lambda: f"nullif({self.number(scope, depth - 1)}, {self.number(scope, depth - 1)})",
            lambda: f"CASE WHEN {self.condition(scope, depth - 1)} THEN {self.number(scope, depth - 1)}"
                    f" ELSE {self.number(scope, depth - 1)} END",
            lambda: f"length({self.text(scope, depth - 1)})",
            lambda: f"greatest({self.number(scope, depth - 1)}, {self.number(scope, depth - 1)})",
        )()

    def text(self, scope, depth):
        columns = [name for name, is_text in scope if is_text]
        if depth <= 0 or self.chance(40):
            return self.pick(*columns) if columns and self.chance(75) else self.pick(*WORDS)
        return self.pick(
            lambda: f"({self.text(scope, depth - 1)} || {self.text(scope, depth - 1)})",
            lambda: f"upper({self.text(scope, depth - 1)})",
            lambda: f"substr({self.text(scope, depth - 1)}, {self.random.randrange(1, 4)}, {self.random.randrange(0, 9)})",
            lambda: f"coalesce({self.text(scope, depth - 1)}, {self.text(scope, depth - 1)})",
            lambda: f"replace({self.text(scope, depth - 1)}, 'x', 'yy')",
            lambda: f"({self.number(scope, depth - 1)})::text",
        )()

    def condition(self, scope, depth):
        compare = ("=", "<>", "<", "<=", ">", ">=")
        simple = (
            lambda: f"{self.number(scope, depth - 1)} {self.pick(*compare)} {self.number(scope, depth - 1)}",
            lambda: f"{self.text(scope, depth - 1)} {self.pick(*compare)} {self.text(scope, depth - 1)}",
            lambda: f"{self.number(scope, depth - 1)} IS {self.pick('', 'NOT ')}NULL",
            lambda: f"{self.number(scope, depth - 1)} {self.pick('', 'NOT ')}BETWEEN {self.random.randrange(-2, 3)} AND "
                    f"{self.number(scope, depth - 1)}",
            lambda: f"{self.number(scope, depth - 1)} {self.pick('', 'NOT ')}IN ({self.random.randrange(9)}, "
                    f"{self.random.randrange(9)}, {self.pick('NULL', '2', '7')})",
            lambda: f"{self.text(scope, depth - 1)} {self.pick('LIKE', 'NOT LIKE', 'ILIKE')} "
                    f"{self.pick(chr(39) + 'x%' + chr(39), chr(39) + '%y' + chr(39), chr(39) + '_' + chr(39), chr(39) + '%ONG%' + chr(39))}",
            lambda: f"{self.number(scope, depth - 1)} IS {self.pick('', 'NOT ')}DISTINCT FROM {self.number(scope, depth - 1)}",
        )
        if depth <= 0 or self.chance(45):
            return self.pick(*simple)()
        return self.pick(
            lambda: f"({self.condition(scope, depth - 1)} AND {self.condition(scope, depth - 1)})",
            lambda: f"({self.condition(scope, depth - 1)} OR {self.condition(scope, depth - 1)})",
            lambda: f"NOT ({self.condition(scope, depth - 1)})",
            lambda: f"({self.condition(scope, depth - 1)}) IS {self.pick('TRUE', 'NOT TRUE', 'FALSE', 'UNKNOWN')}",
        )()

    @staticmethod
    def columns(table, alias):
        return [(f"{alias}.{name}", name == "s") for name in TABLES[table]]

    def subquery(self, scope, depth):
        """A condition that holds a subquery, correlated more often than not."""
        table = self.pick(*TABLES)
        inner = self.columns(table, "q")
        number = self.pick(*[name for name, is_text in inner if not is_text])
        where = self.condition(inner + (scope if self.chance(70) else []), 1)
        return self.pick(
            lambda: f"{self.pick('', 'NOT ')}EXISTS (SELECT 1 FROM {table} q WHERE {where})",
            lambda: f"{self.number(scope, 1)} {self.pick('', 'NOT ')}IN (SELECT {number} FROM {table} q WHERE {where})",
            lambda: f"{self.number(scope, 1)} {self.pick('>', '<=', '=')} (SELECT {self.pick('max', 'min', 'sum', 'count')}"
                    f"({number}) FROM {table} q WHERE {where})",
            lambda: f"{self.number(scope, 1)} {self.pick('> ALL', '= ANY', '<> ALL', '<= ANY')} "
                    f"(SELECT {number} FROM {table} q WHERE {where})",
        )()

    def source(self, joins):
        """(FROM text, scope) with `joins` joins."""
        table = self.pick(*TABLES)
        text, scope = f"{table} x0", self.columns(table, "x0")
        for number in range(1, joins + 1):
            table = self.pick(*TABLES)
            more = self.columns(table, f"x{number}")
            kind = self.pick("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")
            left = self.pick(*[name for name, is_text in scope if not is_text])
            right = self.pick(*[name for name, is_text in more if not is_text])
            on = f"{left} = {right}"
            if kind != "FULL JOIN" and self.chance(40):     # a full join asks for equalities that can be merged or hashed
                on += f" {self.pick('AND', 'AND', 'OR')} {self.condition(scope + more, 1)}"
            text, scope = f"{text} {kind} {table} x{number} ON {on}", scope + more
        return text, scope

    def select(self, joins, with_subquery):
        text, scope = self.source(joins)
        items = [self.pick(self.number, self.number, self.text)(scope, 2) for _ in range(self.random.randrange(1, 4))]
        where = self.subquery(scope, 1) if with_subquery else self.condition(scope, 2)
        query = f"SELECT {self.pick('', '', 'DISTINCT ')}{', '.join(items)}"
        if self.chance(70):             # in the list it shows unknown apart from false, and no answer is empty
            return f"{query}, {where} FROM {text}"
        return f"{query} FROM {text} WHERE {where}"

    def group(self, joins):
        text, scope = self.source(joins)
        keys = [self.pick(self.number, self.text)(scope, 1) for _ in range(self.random.randrange(0, 3))]
        keys = [key for key in keys if "x" in key and "." in key]       # a constant would be an ordinal
        aggregates = [self.pick(
            lambda: "count(*)", lambda: f"count({self.number(scope, 1)})", lambda: f"sum({self.number(scope, 1)})",
            lambda: f"min({self.text(scope, 1)})", lambda: f"max({self.number(scope, 1)})",
            lambda: f"count(DISTINCT {self.number(scope, 1)})",
            lambda: f"sum({self.number(scope, 0)}) FILTER (WHERE {self.condition(scope, 1)})")()
            for _ in range(self.random.randrange(1, 4))]
        query = f"SELECT {', '.join(keys + aggregates)} FROM {text}"
        if self.chance(50):
            query += f" WHERE {self.condition(scope, 1)}"
        if keys:
            query += f" GROUP BY {', '.join(keys)}"
            if self.chance(30):
                query += f" HAVING count(*) {self.pick('>', '<')} {self.random.randrange(1, 4)}"
        return query

    def set_operation(self):
        table, other = self.pick(*TABLES), self.pick(*TABLES)
        one, two = self.columns(table, "x"), self.columns(other, "y")
        left = f"SELECT {self.number(one, 1)}, {self.text(one, 1)} FROM {table} x"
        right = f"SELECT {self.number(two, 1)}, {self.text(two, 1)} FROM {other} y WHERE {self.condition(two, 1)}"
        return f"{left} {self.pick('UNION', 'UNION ALL', 'INTERSECT', 'INTERSECT ALL', 'EXCEPT', 'EXCEPT ALL')} {right}"

    def bounds(self, offset):
        """BETWEEN ... AND ..., whose start does not lie behind its end."""
        places = ["UNBOUNDED PRECEDING", "{} PRECEDING", "CURRENT ROW", "{} FOLLOWING", "UNBOUNDED FOLLOWING"]
        usable = [i for i in range(5) if offset is not None or "{" not in places[i]]
        start, end = sorted(self.random.choice(usable) for _ in range(2))
        start, end = min(start, 3 if offset else 2), max(end, 1 if offset else 2)
        exclude = self.pick("", "", "", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES")
        text = f"BETWEEN {places[start]} AND {places[end]}"
        return "".join(part + (offset() if i < text.count("{}") else "") for i, part in enumerate(text.split("{}"))) + exclude

    def window(self):
        """A call with OVER. Its order is of all rows, so that the answer does not depend on how ties are broken."""
        partition = self.pick("", "PARTITION BY g ", "PARTITION BY s ", "PARTITION BY g, s ", "PARTITION BY a % 2 ")
        key = self.pick("a", "d", "s", "day", "a + g")
        order = f"ORDER BY {key}{self.pick('', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST')}"
        by_value = {"a": lambda: str(self.random.randrange(4)), "a + g": lambda: str(self.random.randrange(4)),
                    "d": lambda: self.pick("0.5", "2", "0"),
                    "day": lambda: f"INTERVAL '{self.pick('3 days', '1 month', '0 days')}'"}.get(key)
        unit = self.pick("", "", "ROWS", "ROWS", "RANGE", "GROUPS")
        if unit != "RANGE" or self.chance(30):
            order, by_value = f"{order}, id", None
        count = lambda: str(self.random.randrange(4))
        frame = "" if unit == "" else f" {unit} {self.bounds(by_value if unit == 'RANGE' else count)}"
        value = self.pick("a", "s", "d", "day", "g")
        is_total = "id" in order
        call = self.pick(
            lambda: "count(*)", lambda: f"count({value})", lambda: f"sum({self.pick('a', 'g', 'd')})", lambda: "avg(d)",
            lambda: f"min({value})", lambda: f"max({value})", lambda: "bool_or(a > 3)",
            lambda: f"sum(a) FILTER (WHERE {self.pick('g = 1', 'd > 1')})",
            lambda: f"{self.pick('rank', 'dense_rank', 'percent_rank', 'cume_dist')}()")
        if is_total:
            call = self.pick(call, lambda: f"{self.pick('first_value', 'last_value')}({value})",
                             lambda: f"nth_value({value}, {self.random.randrange(1, 4)})",
                             lambda: f"{self.pick('lag', 'lead')}({value}{self.pick('', ', 2', ', 0', ', -1')})",
                             lambda: f"{self.pick('lag', 'lead')}(a, 1, -g)", lambda: "row_number()",
                             lambda: f"ntile({self.random.randrange(1, 5)})", lambda: "string_agg(s, '-')")
        return f"{call()} OVER ({partition}{order}{frame})"

    def windows(self):
        calls = ", ".join(self.window() for _ in range(self.random.randrange(1, 4)))
        return f"SELECT id, {calls} FROM w{self.pick('', '', ' WHERE a IS NOT NULL')}"


def window_table(maker):
    yield "CREATE TABLE w (id integer, g integer, a integer, d double precision, s text, day date)"
    null = lambda value: "NULL" if maker.chance(15) else value
    rows = [f"({i}, {maker.random.randrange(3)}, {null(str(maker.random.randrange(9)))}, "
            f"{null(maker.pick('0.5', '1.5', '-2.25', '4', '7'))}, {null(maker.pick(*WORDS))}, "
            f"{null(f'DATE {chr(39)}2024-0{maker.random.randrange(1, 4)}-{maker.random.randrange(10, 29)}{chr(39)}')})"
            for i in range(25)]
    yield "INSERT INTO w VALUES " + ", ".join(rows)


def tables(maker):
    for table, columns in TABLES.items():
        definition = ", ".join(f"{name} {'text' if name == 's' else 'integer'}" for name in columns)
        yield f"CREATE TABLE {table} ({definition})"
        rows = [", ".join("NULL" if maker.chance(20) else maker.pick(*WORDS) if name == "s" else str(maker.random.randrange(8))
                          for name in columns) for _ in range(9)]
        yield f"INSERT INTO {table} VALUES " + ", ".join(f"({row})" for row in rows)


def main():
    kinds = {
        "expressions": lambda m: m.select(0, False), "joins": lambda m: m.select(m.random.randrange(1, 4), False),
        "subqueries": lambda m: m.select(m.random.randrange(0, 2), True), "groups": lambda m: m.group(m.random.randrange(0, 2)),
        "set_operations": lambda m: m.set_operation(), "windows": lambda m: m.windows(),
    }
    for seed, (name, make) in enumerate(kinds.items(), 1):
        maker = Maker(seed)
        out = [f"# Queries made at random by make.py (seed {seed}): {name.replace('_', ' ')}.\n# confirmed: postgresql 15"]
        is_window = name == "windows"
        out += [f"statement ok\n{statement}" for statement in (window_table if is_window else tables)(maker)]
        out += [f"query ? rowsort\n{make(maker)}\n----" for _ in range(WINDOW_QUERIES if is_window else QUERIES_PER_FILE)]
        (HERE / f"{name}.slt").write_text("\n\n".join(out) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
