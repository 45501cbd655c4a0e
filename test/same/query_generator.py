"""Tables and queries by the numbers of a seed: the same seed gives the same text on every machine.

    world = World(random.Random("3/0"))          # tables with rows, and views
    query = generate(random.Random("3/7"), world)
    query.text("fletch"); query.text("duckdb")   # the one place where the dialects part is integer division

What a query may contain is chosen so that its answer is one: LIMIT stands behind a whole order alone, sums are of exact types,
and expressions that can fail are of one kind in a query (`fails` is its SQLSTATE), so that it does not matter which fails first.
Relies on: query_tree.py.
"""

import contextlib
import copy
import itertools
import re

from query_tree import By, Node, Several, order_of

TYPES = ("int", "dec", "text", "date", "ts", "dbl", "bool")
DECLARED = {"dec": "decimal(8,2)", "date": "date", "ts": "timestamp", "dbl": "double", "bool": "boolean", "text": "text"}
CAST_TO = {**DECLARED, "int": "int", "dec": "decimal(20,2)"}
WORDS = ["a", "b", "ab", "abc", "", "B", "x1", "ba", "7", "12"]
DATES = ["2020-01-01", "2020-01-31", "2020-02-29", "2020-03-01", "2021-01-01", "1999-12-31"]
FAILURES = ("22012", "22P02", "22003", "21000")
LATE_ROWS = 6000   # more than a batch has: who reads the first ones does not meet the last one, which fails
MIXED = ({"int", "dec"}, {"int", "dbl"}, {"date", "ts"})   # types that may meet in an equality
JOINS = ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN")
PRODUCT_MAX = 20000   # rows that a source may have by the generator's rough count
CROSS_MAX = 1500


def expr(*parts):
    return Node("expr", *parts)


LATE = {"22012": expr("(7", By(" / ", " // "), f"(i::int - {LATE_ROWS - 1}))"),
        "22P02": expr(f"(CASE WHEN i = {LATE_ROWS - 1} THEN 'none' ELSE '7' END)::int"),
        "22003": expr(f"(i::int + {(1 << 31) - LATE_ROWS + 1})")}


class Column:
    """What an expression may name: a piece of text with a type."""

    def __init__(self, node, kind):
        self.node, self.type = node, kind


# ---- tables --------------------------------------------------------------------------------------------------------------


class Table:
    def __init__(self, name, columns, constraints, rows):
        self.name, self.columns, self.constraints, self.rows = name, columns, constraints, rows  # (name, declared, type)

    def statements(self, rows=None):
        rows = self.rows if rows is None else rows
        parts = [f"{name} {declared}" for name, declared, _ in self.columns] + self.constraints
        result = [f"CREATE OR REPLACE TABLE {self.name} ({', '.join(parts)})"]
        for at in range(0, len(rows), 500):
            lines = ", ".join("(" + ", ".join(row) + ")" for row in rows[at:at + 500])
            result.append(f"INSERT INTO {self.name} VALUES {lines}")
        return result


def literal(rng, kind):
    """A literal of a type, from so few that equal ones are met."""
    if kind == "int":
        return str(rng.choice([0, 1, 2, 3, 5, 7, 10, 20]))
    if kind == "dec":
        return f"{rng.randrange(-2, 8)}.{rng.choice(['00', '25', '50', '99'])}::decimal(8,2)"
    if kind == "text":
        return f"'{rng.choice(WORDS)}'"
    if kind == "date":
        return f"date '{rng.choice(DATES)}'"
    if kind == "ts":
        return f"timestamp '{rng.choice(DATES)} {rng.choice(['00:00:00', '12:30:00'])}'"
    if kind == "dbl":
        return f"{rng.choice([0, 1, 2.5, 7, 0.25])}::double"
    return rng.choice(["true", "false"])


def make_table(rng, name, n_rows):
    """Columns of all types; some repeat another one, follow from it, are keys, are skewed, are NULL now and then or always."""
    kinds = [("k", "int"), ("a", "int"), ("b", "int"), ("n", "int"), ("s", "text"), ("d", "dec"), ("dt", "date"),
             ("ts", "ts"), ("f", "dbl"), ("p", "bool")]
    picked = [kinds[0]] + rng.sample(kinds[1:], rng.randint(2, 6))
    if rng.random() < 0.3:
        rng.shuffle(picked)
    values, columns, unique = {}, [], rng.random() < 0.6
    for column, kind in picked:
        declared = DECLARED.get(kind) or ("int" if column in "ka" else rng.choice(["int", "bigint", "smallint"]))
        nulls = rng.choice([0, 0, 0, 0.1, 0.3, 1.0 if rng.random() < 0.1 else 0.1])
        wide = rng.choice([3, 10, 10, max(2, n_rows)])
        column_values = []
        for i in range(n_rows):
            if column == "k":
                value = str(i if unique else rng.randrange(max(1, n_rows * 2 // 3)))
            elif column == "b" and "a" in values and values["a"][i] != "NULL":
                value = str(int(values["a"][i]) % 3)
            elif kind == "int":
                value = str(int(wide * rng.random() ** 2))
            elif kind == "dec":
                value = f"{int(wide * rng.random())}.{rng.choice(['00', '50'])}"
            elif kind == "dbl" and rng.random() < 0.02:
                value = rng.choice(["'NaN'", "'Infinity'"])
            elif kind == "dbl":
                value = str(int(wide * rng.random()) / 4)
            else:
                value = literal(rng, kind)
            if column != "k" and rng.random() < nulls:
                value = "NULL"
            column_values.append(value)
        values[column] = column_values
        not_null = column != "k" and "NULL" not in column_values and rng.random() < 0.5
        columns.append((column, declared + (" NOT NULL" if not_null or (column == "k" and rng.random() < 0.5) else ""), kind))
    constraints = []
    if unique and rng.random() < 0.8:
        constraints.append(rng.choice(["PRIMARY KEY (k)", "UNIQUE (k)", "UNIQUE (k)"]))
        if constraints == ["UNIQUE (k)"] and rng.random() < 0.6:   # nulls may repeat
            values["k"] = ["NULL" if rng.random() < 0.15 else value for value in values["k"]]
            columns = [("k", "int", kind) if column == "k" else (column, declared, kind) for column, declared, kind in columns]
    if "a" in values and rng.random() < 0.15:
        columns.append(("a2", "int", "int"))   # the same as another one
        values["a2"] = values["a"]
        picked = [*picked, ("a2", "int")]
    rows = [list(row) for row in zip(*(values[column] for column, _ in picked))]
    if n_rows > 0 and rng.random() < 0.5:
        rng.shuffle(rows)
    return Table(name, columns, constraints, rows)


class World:
    """Tables and views that a run of queries shares."""

    def __init__(self, rng):
        sizes = [0, 1, rng.randint(2, 6), rng.randint(5, 30), rng.randint(20, 80), rng.randint(50, 120), 300]
        if rng.random() < 0.2:
            sizes.append(5000)
        self.tables = [make_table(rng, f"t{i}", n) for i, n in enumerate(sizes)]
        self.views = []  # (name, [(column, type)], rough rows, text by dialect, what fails in it or None)
        for i, fails in enumerate([None, None, None, *rng.sample(FAILURES, 2)]):
            maker = Maker(rng, self, fails)
            select, types, rows = maker.select([], depth=1)
            columns = [(f"c{n + 1}", kind) for n, kind in enumerate(types)]
            self.views.append((f"v{i}", columns, rows, select, fails))
        fails = rng.choice(sorted(LATE))
        self.views.append(("late", [("c1", "int")], LATE_ROWS, Node("query", "SELECT ", LATE[fails], f" AS c1 FROM range({LATE_ROWS}) "
                                    f"AS r(i) JOIN range({LATE_ROWS}) AS s(j) ON r.i = s.j"), fails))

    def statements(self, dialect):
        result = [statement for table in self.tables for statement in table.statements()]
        return result + [f"CREATE VIEW {name} AS {select.text(dialect)}" for name, _, _, select, _ in self.views]


    def named_in(self, text):
        """Tables and views that a query names, also in its views."""
        views = []
        for view in reversed(self.views):   # a view names views before it
            if re.search(rf"\b{view[0]}\b", text):
                views.insert(0, view)
                text += view[3].text()
        return [table for table in self.tables if re.search(rf"\b{table.name}\b", text)], views


# ---- queries ---------------------------------------------------------------------------------------------------------------


class Query:
    """`fails`: the SQLSTATE of those of its expressions that can fail, or None."""

    def __init__(self, root, fails):
        self.root, self.fails = root, fails

    def with_root(self, root):
        return Query(root, self.fails)

    def sorted_columns(self, n_columns):
        """Columns whose values come in one order alone: all where it is sorted by all, else the first sort keys."""
        keys, columns = [node.text().split()[0] for node in order_of(self.root) or []], range(n_columns)
        if all(str(n + 1) in keys for n in columns):
            return list(columns)
        first = itertools.takewhile(lambda key: key in [str(n + 1) for n in columns], keys)
        return [int(key) - 1 for key in first]

    def text(self, dialect="fletch"):
        return self.root.text(dialect)


class Maker:
    """Makes one query. Scopes are lists of Column; `outer` are those of the queries around."""

    def __init__(self, rng, world, fails):
        self.rng, self.world, self.fails = rng, world, fails
        self.n_names = 0
        self.ctes = []         # (name, [(column, type)], rough rows)
        self.reused = []       # (type, node): subqueries that read nothing from around them

    def name(self, letter):
        self.n_names += 1
        return f"{letter}{self.n_names}"

    def chance(self, share):
        return self.rng.random() < share

    def pick(self, *makers):
        """Calls one of the makers; (weight, maker) or a maker of weight 1."""
        pairs = [maker if isinstance(maker, tuple) else (1, maker) for maker in makers]
        return self.rng.choices([m for _, m in pairs], [w for w, _ in pairs])[0]()

    @contextlib.contextmanager
    def nothing_fails(self):
        """Where conditions join: whether the sides of an equality are computed when one has no rows depends on the plan."""
        fails, self.fails = self.fails, None
        yield
        self.fails = fails

    # -- expressions

    def column(self, kind, scope, outer):
        """A column of the type, seldom of the queries around; None when there is none."""
        near = [c for c in scope if c.type == kind]
        far = [c for c in outer if c.type == kind]
        if far and (not near or self.chance(0.25)):
            near = far
        return copy.deepcopy(self.rng.choice(near).node) if near else None

    def constant(self, kind):
        if self.chance(0.03):
            return expr(f"NULL::{CAST_TO[kind]}")
        return expr(literal(self.rng, kind))

    def an_expr(self, kind, scope, outer, depth=2):
        if depth > 0 and self.chance(0.45):
            return self.compound(kind, scope, outer, depth - 1)
        column = self.column(kind, scope, outer) if self.chance(0.85) else None
        return column or self.constant(kind)

    def compound(self, kind, scope, outer, depth):
        def sub(of):
            return self.an_expr(of, scope, outer, depth)

        general = [
            lambda: expr("CASE WHEN ", self.predicate(scope, outer, depth), " THEN ", sub(kind), " ELSE ", sub(kind), " END"),
            lambda: expr("CASE WHEN ", self.predicate(scope, outer, depth), " THEN ", sub(kind), " END"),
            lambda: expr("coalesce(", sub(kind), ", ", sub(kind), ")"),
            lambda: expr("nullif(", sub(kind), ", ", sub(kind), ")"),
            lambda: expr(self.rng.choice(["greatest(", "least("]), sub(kind), ", ", sub(kind), ")"),
        ]
        if depth > 0 or self.chance(0.3):
            general.append(lambda: self.scalar_subquery(kind, scope, outer))
        return self.pick(*general, *[(2, maker) for maker in self.of_type(kind, sub, scope, outer, depth)])

    def of_type(self, kind, sub, scope, outer, depth):
        rng = self.rng
        if kind == "int":
            makers = [
                lambda: expr("(", sub("int"), rng.choice([" + ", " - "]), sub("int"), ")"),
                lambda: expr("(", sub("int"), " * ", rng.choice(["2", "3", "-1"]), ")"),
                lambda: expr("(", sub("int"), By(" / ", " // "), rng.choice(["2", "3"]), ")"),
                lambda: expr("(", sub("int"), " % ", rng.choice(["2", "3", "5"]), ")"),
                lambda: expr("(", sub("int"), " % nullif(", sub("int"), ", 0))"),
                lambda: expr("abs(", sub("int"), ")"),
                lambda: expr("length(", sub("text"), ")"),
                lambda: expr("extract(", rng.choice(["year", "month", "day"]), " FROM ", sub(rng.choice(["date", "ts"])), ")"),
                lambda: expr("(", sub("bool"), ")::int"),
                lambda: expr("(", sub("int"), ")::bigint"),
                lambda: self.guarded(sub, scope, outer),
            ]
            if self.fails == "22012":
                makers += 4 * [lambda: expr("(", sub("int"), rng.choice([By(" / ", " // "), " % "]), sub("int"), ")")]
            elif self.fails == "22P02":
                makers += 4 * [lambda: expr("(", sub("text"), ")::int")]
            elif self.fails == "22003":
                makers += [lambda: expr("(", sub("int"), rng.choice([" + 2147483640", " * 1000000000"]), ")"),
                           lambda: expr("(", sub("int"), " * 20)::", rng.choice(["tinyint", "utinyint"]), "::int")]
            elif self.fails == "21000":
                makers += 3 * [lambda: self.scalar_subquery("int", scope, outer, risky=True)]
            return makers
        if kind == "dec":
            return [lambda: expr("(", sub("dec"), rng.choice([" + ", " - "]), sub("dec"), ")"),
                    lambda: expr("abs(", sub("dec"), ")"),
                    lambda: expr("(", sub("int"), ")::decimal(20,2)")]
        if kind == "text":
            return [lambda: expr("(", sub("text"), " || ", sub("text"), ")"),
                    lambda: expr(rng.choice(["upper(", "lower(", "trim("]), sub("text"), ")"),
                    lambda: expr("substr(", sub("text"), ", ", rng.choice(["1, 1", "2", "1, 2"]), ")"),
                    lambda: expr("replace(", sub("text"), ", 'a', ", sub("text"), ")"),
                    lambda: expr("(", sub(rng.choice(["int", "date", "bool"])), ")::text")]
        if kind == "date":
            return [lambda: expr("(", sub("date"), rng.choice([" + 1", " - 31"]), ")"),
                    lambda: expr("(", sub("ts"), ")::date")]
        if kind == "ts":
            return [lambda: expr("(", sub("date"), ")::timestamp"),
                    lambda: expr("date_trunc('month', ", sub("ts"), ")"),
                    lambda: expr("(", sub("ts"), " + interval '1' day)")]
        if kind == "dbl":
            return [lambda: expr("(", sub("int"), ")::double"), lambda: expr("(", sub("dec"), ")::double"),
                    lambda: expr("abs(", sub("dbl"), ")")]
        return [lambda: self.predicate(scope, outer, depth)]

    def guarded(self, sub, scope, outer):
        """What would fail is not asked for. A literal's cast is one of the text, and fails there."""
        divisor, text = sub("int"), self.column("text", scope, outer) or expr("'7'")
        return self.pick(
            lambda: expr("CASE WHEN ", divisor, " <> 0 THEN ", sub("int"), self.rng.choice([By(" / ", " // "), " % "]),
                         copy.deepcopy(divisor), " END"),
            lambda: expr("CASE WHEN ", text, " IN ('7', '12') THEN (", copy.deepcopy(text), ")::int ELSE ", sub("int"), " END"))

    def guarded_conditions(self, scope, outer):
        """The same as two conjuncts: the first one keeps rows from the second."""
        divisor, text = self.an_expr("int", scope, outer, 0), self.column("text", scope, outer) or expr("'7'")
        compare = self.rng.choice([" > ", " <> ", " <= "])
        return self.pick(
            lambda: [expr("(", divisor, " <> 0)"),
                     expr("(", self.an_expr("int", scope, outer, 1), By(" / ", " // "), copy.deepcopy(divisor), compare, "1)")],
            lambda: [expr("(", text, " IN ('7', '12'))"), expr("((", copy.deepcopy(text), ")::int", compare, "8)")])

    def a_type(self, scope):
        """Mostly one that there is a column of."""
        return self.rng.choice(scope).type if scope and self.chance(0.9) else self.rng.choice(TYPES)

    def predicate(self, scope, outer, depth=2):
        rng = self.rng
        kind = self.a_type(scope)

        def sub(of=kind):
            return self.an_expr(of, scope, outer, depth - 1)

        def column():
            return self.column(kind, scope, outer) or self.constant(kind)

        compare = ["=", "<>", "<>", "<", "<=", "<=", ">", ">="]
        makers = [
            (5, lambda: expr("(", column(), f" {rng.choice(compare)} ", self.constant(kind), ")")),
            (3, lambda: expr("(", sub(), f" {rng.choice(compare)} ", sub(), ")")),
            (2, lambda: expr("(", column(), rng.choice([" IN (", " NOT IN ("]),
                             Several([self.constant(kind) for _ in range(rng.randint(1, 6))], least=1), "))")),
            (1, lambda: expr("(", sub(), rng.choice([" BETWEEN ", " NOT BETWEEN "]), sub(), " AND ", sub(), ")")),
            (2, lambda: expr("(", sub(), rng.choice([" IS NULL)", " IS NOT NULL)", " IS NOT NULL)"]))),
            (1, lambda: expr("(", sub(), rng.choice([" IS DISTINCT FROM ", " IS NOT DISTINCT FROM "]), sub(), ")")),
            (1, lambda: expr("(", sub("text"), rng.choice([" LIKE ", " NOT LIKE "]),
                             rng.choice(["'a%'", "'%b%'", "'_b%'", "'ab'", "'%'"]), ")")),
            (1, lambda: expr("(", column(), f" {rng.choice(compare)} ", column(), ")")),
            (0.3, lambda: expr(rng.choice(["true", "false", "NULL::boolean", "(1 = 1)"]))),
        ]
        if depth > 0:
            makers += [
                (2, lambda: expr("(", Several([self.predicate(scope, outer, depth - 1) for _ in range(rng.randint(2, 3))],
                                                     between=rng.choice([" OR ", " AND ", " OR "]), least=1), ")")),
                (0.7, lambda: self.common_part(scope, outer, depth)),
                (1, lambda: expr("(NOT ", self.predicate(scope, outer, depth - 1), ")")),
                (0.7, lambda: expr("(", self.predicate(scope, outer, depth - 1),
                                   rng.choice([" IS TRUE)", " IS NOT TRUE)", " IS FALSE)", " IS UNKNOWN)"]))),
            ]
            if any(c.type == "bool" for c in scope):
                makers.append((1, lambda: self.column("bool", scope, [])))
        if depth > 1:
            makers.append((2.5, lambda: self.subquery_predicate(kind, scope, outer)))
        return self.pick(*makers)

    def common_part(self, scope, outer, depth):
        """An OR of ANDs that have a conjunct in common."""
        common = self.predicate(scope, outer, 0)
        branches = [expr("(", Several([copy.deepcopy(common), self.predicate(scope, outer, depth - 1)], between=" AND ",
                                      least=1), ")")
                    for _ in range(self.rng.randint(2, 3))]
        return expr("(", Several(branches, between=" OR ", least=1), ")")

    # -- subqueries in expressions

    def around(self, scope, outer):
        """What a subquery may name: nothing, mostly this query's columns, seldom all."""
        return self.rng.choice([[], scope, scope, scope + outer])

    def subquery_predicate(self, kind, scope, outer):
        rng = self.rng
        reusable = [node for of, node in self.reused if of == "predicate"]
        around = self.around(scope, outer)

        def left():
            with self.nothing_fails():
                return self.an_expr(kind, scope, outer, 1)

        def query(types):
            if self.chance(0.1) and types is not None:
                return self.set_operation(around, 0, types)[0]
            return self.select(around, types=types, depth=0)[0]

        def exists():
            limit = Several([Node("limit", f" LIMIT {rng.choice([0, 1, 1, 2])}")] if self.chance(0.15) else [])
            return expr(rng.choice(["EXISTS (", "NOT EXISTS ("]), "(", query(None), ")", limit, ")")

        if reusable and self.chance(0.25):
            return copy.deepcopy(rng.choice(reusable))
        if self.chance(0.4):
            node = exists()
            if not around:
                self.reused.append(("predicate", node))
            return node
        return self.pick(
            (4, lambda: expr("(", left(), rng.choice([" IN (", " NOT IN ("]), query([kind]), "))")),
            (1, lambda: expr("(", left(), rng.choice([" = ANY (", " > ALL (", " <= ANY (", " <> ALL ("]), query([kind]), "))")),
            (1, lambda: expr("((", left(), ", ", self.an_expr("int", scope, outer, 0), rng.choice([") IN (", ") NOT IN ("]),
                             query([kind, "int"]), "))")))

    def scalar_subquery(self, kind, scope, outer, risky=False):
        around = self.around(scope, outer)
        reusable = [node for of, node in self.reused if of == kind]
        if reusable and self.chance(0.3):
            return copy.deepcopy(self.rng.choice(reusable))
        if risky:
            query = self.select(around, types=[kind], depth=0, grouped=self.chance(0.5))[0]
        elif self.chance(0.2):
            query = self.select(around, types=[kind], depth=0, limit=1)[0]
        elif self.chance(0.2 if self.fails is None else 0.5):
            query = self.any_row(kind, around)
        else:
            query = self.one_group(kind, around) if self.chance(0.3) else self.one_aggregate(kind, around)
        node = expr("(", query, ")")
        if not around and not risky:
            self.reused.append((kind, node))
        return node

    def any_row(self, kind, around):
        """One row, whichever comes first: it need not be known which one it is, since the value is the same in all."""
        if any(view[0] == "late" and view[4] == self.fails for view in self.world.views) and self.chance(0.7):
            views = [self.first_of_late(kind) for _ in range(2 if kind == "int" else 1)]
            return Node("query", "SELECT ", Several([expr("(", view, ")") for view in views], between=" + ", least=1), " AS c1")
        source, scope, _ = self.source([], joins=self.rng.choice([0, 0, 1]), depth=0)
        where = self.conditions(scope, around, self.rng.choice([0, 0, 1]), depth=1)
        value = self.an_expr(kind, scope, [], 1)
        return Node("query", "SELECT coalesce(nullif(", value, ", ", copy.deepcopy(value), f"), {literal(self.rng, kind)}) AS c1 FROM ",
                    source, Several(where, " WHERE ", " AND "), " LIMIT 1")

    def first_of_late(self, kind):
        alias = self.name("r")
        return Node("query", f"SELECT CASE WHEN {alias}.c1 IS NOT NULL THEN {literal(self.rng, kind)} END AS c1 FROM ",
                    Node("source", f"late {alias}", names=(alias,)), " LIMIT 1")

    def one_aggregate(self, kind, around):
        """An aggregate without groups: one row."""
        source, scope, _ = self.source(around, joins=self.rng.choice([0, 0, 1]), depth=0)
        where = self.conditions(scope, around, self.rng.choice([0, 1, 1, 2]), depth=1)
        return Node("query", "SELECT ", self.aggregate(kind, scope, around), " AS c1", " FROM ", source,
                    Several(where, " WHERE ", " AND "))

    def one_group(self, kind, around):
        """An aggregate of the group that an outer column picks: one row at most."""
        source, scope, _ = self.source([], joins=0, depth=0)
        pairs = [(x, y) for x in scope for y in around if x.type == y.type and x.type != "bool"]
        if not pairs:
            return self.one_aggregate(kind, around)
        key, picked = self.rng.choice(pairs)
        where = [expr("(", copy.deepcopy(key.node), " = ", copy.deepcopy(picked.node), ")"),
                 *self.conditions(scope, [], self.rng.choice([0, 1]), 1)]
        return Node("query", "SELECT ", self.aggregate(kind, scope, []), " AS c1", " FROM ", source,
                    Several(where, " WHERE ", " AND "), Several([copy.deepcopy(key.node)], " GROUP BY "))

    def aggregate(self, kind, scope, outer):
        rng = self.rng

        def arg(of):  # of outer columns alone it would be an aggregate of the outer query
            return self.an_expr(of, scope, [], 1)

        distinct = rng.choice(["", "", "", "DISTINCT "])
        plain = [lambda: expr(rng.choice(["min(", "max("]), arg(kind), ")")]
        if kind == "int":
            plain += [lambda: expr("count(*)"), lambda: expr("count(", distinct, arg(rng.choice(TYPES)), ")"),
                      lambda: expr("sum(", distinct, arg("int"), ")::bigint")]
        elif kind == "dec":
            plain += 2 * [lambda: expr("sum(", distinct, arg("dec"), ")::decimal(20,2)")]
        elif kind == "dbl":
            plain += [lambda: expr("avg(", distinct, arg("int"), ")")]
        elif kind == "bool":
            plain = [lambda: expr(rng.choice(["bool_and(", "bool_or("]), self.predicate(scope, [], 1), ")")]
        elif kind == "text":
            def together():
                x = arg("text")
                return expr("string_agg(", x, ", ',' ORDER BY ", copy.deepcopy(x), rng.choice(["", " DESC"]), ")")
            plain.append(together)
        node = self.pick(*plain)
        if self.chance(0.2) and not str(node).endswith(("bigint", "2)")):
            node.parts.append(Several([self.predicate(scope, [], 1)], " FILTER (WHERE ", behind=")"))
        return node

    # -- sources

    def relation(self, outer, depth):
        """One relation: (node, scope, rough rows)."""
        rng = self.rng
        alias = self.name("r")

        def columns(pairs):
            return [Column(expr(f"{alias}.{name}"), kind) for name, kind in pairs]

        def table():
            # small ones more often: products of many relations stay small
            t = rng.choices(self.world.tables, [0.15, 0.3, 1.2, 3, 3, 2.5, 1.5, 0.4][:len(self.world.tables)])[0]
            return (Node("source", f"{t.name} {alias}", names=(alias,)),
                    columns([(name, kind) for name, _, kind in t.columns]), len(t.rows))

        def skipped():
            """A table without its first rows, and perhaps without its last: tables give their rows in one order."""
            t = rng.choice(self.world.tables)
            limit = rng.choice(["", "", f" LIMIT {rng.randint(1, 30)}"])
            return (Node("source", f"(SELECT * FROM {t.name}{limit} OFFSET {rng.choice([1, 3, 10])}) {alias}", names=(alias,)),
                    columns([(name, kind) for name, _, kind in t.columns]), len(t.rows))

        def view():
            name, pairs, rows, _, _ = rng.choice(views)
            return Node("source", f"{name} {alias}", names=(alias,)), columns(pairs), rows

        def cte():
            name, pairs, rows = rng.choice(self.ctes)
            return Node("source", f"{name} {alias}", names=(alias,)), columns(pairs), rows

        def derived():
            query, types, rows = self.select([], depth=depth - 1) if self.chance(0.8) else self.set_operation([], depth - 1)
            if self.chance(0.35):
                query = Node("query", "(", query, ")", Several([self.order_item(n + 1) for n in range(len(types))
                                                                if self.chance(0.7)], " ORDER BY "))
            return (Node("source", "(", query, f") {alias}", names=(alias,)),
                    columns([(f"c{n + 1}", kind) for n, kind in enumerate(types)]), rows)

        def values():
            types = [rng.choice(TYPES) for _ in range(rng.randint(1, 3))]
            rows = rng.randint(1, 4)
            lines = [Node("line", "(", ", ".join(self.constant(kind).text() for kind in types), ")") for _ in range(rows)]
            names = [f"c{n + 1}" for n in range(len(types))]
            first = Node("line", "(", ", ".join(literal(rng, kind) for kind in types), ")")  # it settles the types
            return (Node("source", "(VALUES ", first, Several(lines, ", "), f") {alias}({', '.join(names)})", names=(alias,)),
                    columns(list(zip(names, types))), rows + 1)

        def counted():
            """How many rows a limit lets through does not depend on which these are."""
            query = self.select([], depth=0)[0]
            limit = Several([Node("limit", f" LIMIT {rng.choice([0, 1, 5, 20])}")], behind=rng.choice(["", "", " OFFSET 2"]))
            return (Node("source", "(SELECT count(*) AS c1 FROM (", "(", query, ")", limit, f") x) {alias}", names=(alias,)),
                    columns([("c1", "int")]), 1)

        makers = [(8, table), (0.4, skipped), (0.5, values), (0.25, counted)]
        views = [v for v in self.world.views if v[4] in (None, self.fails) and v[0] != "late"]   # that a join might read whole
        if views:
            makers.append((0.8 if self.fails is None else 3, view))
        if self.ctes:
            makers.append((5, cte))
        if depth > 0:
            makers.append((2.5, derived))
        return self.pick(*makers)

    def source(self, outer, joins, depth):
        """A tree of joins: (node, scope, rough rows)."""
        if joins == 0:
            return self.relation(outer, depth)
        if joins == 1 and depth > 0 and self.chance(0.1):
            return self.sorted_join()
        left_joins = self.rng.choice([joins - 1, joins - 1, joins - 1, self.rng.randint(0, joins - 1)])
        left, left_scope, left_rows = self.source(outer, left_joins, depth)
        if self.chance(0.1) and depth > 0 and left_rows < 1000:
            return self.lateral(left, left_scope, left_rows, outer)
        right, right_scope, right_rows = self.source(outer, joins - 1 - left_joins, depth)
        both, rows = left_scope + right_scope, left_rows * right_rows
        names = left.names + right.names
        if self.chance(0.06) and rows <= CROSS_MAX:
            return Node("source", left, " CROSS JOIN ", self.grouped(right), names=names), both, rows
        kind = self.rng.choices(JOINS, [10, 7, 2, 3, 1, 1])[0]
        on = []
        equal = self.equalities(left_scope, right_scope, 1 if self.chance(0.88) else 2)
        if equal and (rows > CROSS_MAX or self.chance(0.93)):
            on += equal
            rows = rows // 8
        if rows > PRODUCT_MAX:
            return left, left_scope, left_rows
        if not on or self.chance(0.25):
            with self.nothing_fails():
                on.append(self.predicate(both, outer if self.chance(0.1) else [], 2 if kind in ("JOIN", "LEFT JOIN") else 1))
        node = Node("source", left, f" {kind} ", self.grouped(right), " ON ", Several(on, between=" AND ", least=1), names=names)
        shared = sorted({(c.node.text().split(".")[-1], c.type) for c in left_scope} &
                        {(c.node.text().split(".")[-1], c.type) for c in right_scope})
        if shared and len(names) == 2 and equal and self.chance(0.15):
            using = [name for name, _ in self.rng.sample(shared, self.rng.choice([1, 1, min(2, len(shared))]))]
            node = Node("source", left, f" {kind} ", right, f" USING ({', '.join(using)})", names=names)
        if kind in ("SEMI JOIN", "ANTI JOIN"):
            return node, left_scope, left_rows
        rows = max(rows, left_rows if kind in ("LEFT JOIN", "FULL JOIN") else 0)
        return node, both, max(rows, right_rows if kind in ("RIGHT JOIN", "FULL JOIN") else 0)

    def sorted_join(self):
        """Two sorted inputs that meet in their sort keys."""
        kind, other = self.rng.choice(["int", "int", "text", "date"]), self.rng.choice(TYPES[:5])
        nodes, scopes, rows = [], [], 1
        order = [self.order_item(n + 1) for n in range(self.rng.choice([1, 1, 2]))]
        for _ in range(2):
            alias = self.name("r")
            query, types, more = self.select([], types=[kind, other], depth=0)
            items = copy.deepcopy(order) if self.chance(0.8) else [self.order_item(1)]
            nodes.append(Node("source", "((", query, ")", Several(items, " ORDER BY "), f") {alias}", names=(alias,)))
            scopes.append([Column(expr(f"{alias}.c{n + 1}"), of) for n, of in enumerate(types)])
            rows *= max(1, more)
        on = [expr("(", copy.deepcopy(x.node), " = ", copy.deepcopy(y.node), ")")
              for x, y in list(zip(*scopes))[:self.rng.choice([1, 1, 2])]]
        join = self.rng.choice(JOINS)
        node = Node("source", nodes[0], f" {join} ", nodes[1], " ON ", Several(on, between=" AND ", least=1),
                    names=nodes[0].names + nodes[1].names)
        return node, scopes[0] + ([] if join in ("SEMI JOIN", "ANTI JOIN") else scopes[1]), rows // 8 + 1

    @staticmethod
    def grouped(source):
        return Node("source", "(", source, ")", names=source.names) if len(source.names) > 1 else source

    def lateral(self, left, left_scope, left_rows, outer):
        alias = self.name("l")
        if self.chance(0.2):
            kind = self.a_type(left_scope)
            elements = Several([self.an_expr(kind, left_scope, [], 0) for _ in range(self.rng.randint(1, 3))], least=1)
            node = Node("source", left, " CROSS JOIN unnest([", elements, f"]) AS {alias}(c1)", names=left.names + (alias,))
            return node, left_scope + [Column(expr(f"{alias}.c1"), kind)], left_rows * 2
        if self.chance(0.3):
            query, types, rows = self.one_aggregate("int", left_scope), ["int"], 1
        else:
            limit = self.rng.choice([None, None, 1, 2])
            query, types, rows = self.select(left_scope, depth=0, limit=limit)
        scope = [Column(expr(f"{alias}.c{n + 1}"), kind) for n, kind in enumerate(types)]
        join, on = self.rng.choice([(" CROSS JOIN", ""), (" LEFT JOIN", " ON true"), (" JOIN", " ON true")])
        return (Node("source", left, f"{join} LATERAL (", query, f") {alias}{on}", names=left.names + (alias,)),
                left_scope + scope, min(left_rows * max(1, rows // 8), PRODUCT_MAX))

    def equalities(self, left, right, n):
        pairs = [(x, y) for x in left for y in right if x.type == y.type and x.type != "bool"]
        if self.chance(0.08):
            pairs += [(x, y) for x in left for y in right if {x.type, y.type} in MIXED]
        ints = [pair for pair in pairs if pair[0].type == "int"]
        pairs = ints if ints and self.chance(0.75) else pairs
        picked = self.rng.sample(pairs, min(n, len(pairs)))
        return [expr("(", copy.deepcopy(x.node), " = " if self.chance(0.93) else " IS NOT DISTINCT FROM ",
                     copy.deepcopy(y.node), ")")
                for x, y in picked]

    def conditions(self, scope, outer, n, depth=2):
        with self.nothing_fails() if outer else contextlib.nullcontext():
            conditions = [self.predicate(scope, outer, depth) for _ in range(n)]
        if n > 0 and self.chance(0.1):
            conditions += self.guarded_conditions(scope, outer)
        if outer and scope and self.chance(0.8):
            conditions[:0] = self.equalities(scope, outer, 1)   # correlated
        return conditions

    # -- queries

    def order_item(self, ordinal):
        return Node("order", f"{ordinal}", self.rng.choice(["", " DESC", "", " DESC", " NULLS FIRST", " DESC NULLS LAST"]))

    def select(self, outer, types=None, depth=1, limit=None, grouped=None, joins=None):
        """(query, types, rough rows). With `types` it has columns of these."""
        rng = self.rng
        if joins is None:
            joins = rng.choice([0, 0, 1, 1, 2] if depth > 0 else [0, 0, 0, 1])
        source, scope, rows = self.source(outer, joins, depth)
        on = []
        if self.chance(0.07) and rows < 200:
            more, more_scope, more_rows = self.relation([], 0)
            if rows * more_rows <= CROSS_MAX:
                on = self.equalities(scope, more_scope, 1)
                source = Node("source", source, ", ", more, names=source.names + more.names)
                scope, rows = scope + more_scope, rows * more_rows // (8 if on else 1)
        where = on + self.conditions(scope, outer, rng.choice([0, 0, 0, 0, 1, 1, 2]), 2 if depth > 0 else 1)
        wanted = types or [self.a_type(scope) for _ in range(rng.randint(1, 3))]
        if grouped is None:
            grouped = self.chance(0.3)
        group, having = [], []
        if grouped:
            plain = [c for c in scope if c.type != "dbl"] or scope
            keys = [Column(copy.deepcopy(c.node), c.type) for c in rng.sample(plain, min(len(plain), rng.choice([0, 1, 1, 2])))]
            if scope and self.chance(0.2):
                kind = self.a_type(scope)
                key = self.compound(kind, scope, [], 0) if kind != "bool" else None
                if key is not None and any(c.node.text() in key.text() for c in scope):
                    keys.append(Column(key, kind))
            group = [copy.deepcopy(key.node) for key in keys]

            def item(kind):
                near = [key for key in keys if key.type == kind]
                if near and self.chance(0.6):
                    return copy.deepcopy(rng.choice(near).node)
                return self.aggregate(kind, scope, outer)

            items = [item(kind) for kind in wanted]
            if not keys:
                items[0] = self.aggregate(wanted[0], scope, outer)
                items[1:] = [self.aggregate(kind, scope, outer) for kind in wanted[1:]]
            if keys and self.chance(0.3):
                kind = rng.choice(["int", "text"])
                right = self.scalar_subquery(kind, [], []) if self.chance(0.25) else self.constant(kind)
                having.append(expr("(", self.aggregate(kind, scope, []), rng.choice([" > ", " <> ", " <= "]), right, ")"))
            rows = 1 if not keys else rows
        else:
            items = [self.an_expr(kind, scope, outer, 2 if depth > 0 else 1) for kind in wanted]
        distinct = not grouped and self.chance(0.15)
        order = []
        if limit is not None or (types is None and not outer and self.chance(0.12)):
            order = [self.order_item(n + 1) for n in rng.sample(range(len(wanted)), len(wanted))]
            if not grouped and not distinct and scope and self.chance(0.25):
                order.insert(0, Node("order", self.compound(self.a_type(scope), scope, [], 0), rng.choice(["", " DESC"])))
            limit = limit if limit is not None else rng.choice([0, 1, 3, 3, 10, 10, 50, 50])
        node = Node("query", "SELECT ", Several([Node("distinct", "DISTINCT")] if distinct else [], behind=" "),
                    Several([Node("item", x, f" AS c{n + 1}") for n, x in enumerate(items)], least=1),
                    " FROM ", source, Several(where, " WHERE ", " AND "), Several(group, " GROUP BY "),
                    Several(having, " HAVING ", " AND "),
                    Several([self.first_rows(order, limit)] if order else []))
        if order:
            rows = min(rows, limit)
        return node, wanted, rows

    def first_rows(self, order, limit):
        """ORDER BY and LIMIT: the order is whole, or it is not known which rows these are."""
        offset = [Node("offset", f"{self.rng.choice([0, 1, 2, 5])}")] if self.chance(0.2) else []
        return Node("tail", Several(order, " ORDER BY ", least=len(order)), f" LIMIT {limit}", Several(offset, " OFFSET "))

    def set_operation(self, outer, depth, kinds=None):
        kinds = kinds or [self.rng.choice(["int", "int", "text", "date", "dec", "bool"]) for _ in range(self.rng.randint(1, 3))]
        operators = ["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"]
        left, _, left_rows = self.select(outer, types=kinds, depth=depth)
        right, _, right_rows = self.select(outer, types=kinds, depth=depth)
        node, rows = Node("query", "(", left, f") {self.rng.choice(operators)} (", right, ")"), left_rows + right_rows
        if self.chance(0.25):
            third, _, third_rows = self.select(outer, types=kinds, depth=depth)
            node, rows = Node("query", "(", node, f") {self.rng.choice(operators)} (", third, ")"), rows + third_rows
        return node, kinds, rows

    def query(self):
        rng = self.rng
        withs = []
        for _ in range(rng.choices([0, 1, 2], [75, 18, 7])[0]):
            name = self.name("w")
            query, types, rows = self.select([], depth=1)
            how = rng.choice([" AS ", " AS MATERIALIZED ", " AS MATERIALIZED ", " AS NOT MATERIALIZED "])
            withs.append(Node("with", f"{name}{how}(", query, ")"))
            self.ctes.append((name, [(f"c{n + 1}", kind) for n, kind in enumerate(types)], rows))
        if self.chance(0.15):
            body, types, _ = self.set_operation([], 1)
        else:
            joins = rng.choices(range(8), [20, 25, 20, 12, 9, 6, 5, 3])[0]
            body, types, _ = self.select([], depth=2, joins=joins)
        order, tail = [], []
        if order_of(body) is None and self.chance(0.35):
            whole = self.chance(0.6)
            ordinals = [n + 1 for n in range(len(types)) if whole or self.chance(0.6)]
            rng.shuffle(ordinals)
            order = [self.order_item(n) for n in ordinals]
            if len(order) == len(types) and self.chance(0.5):
                tail, order = [self.first_rows(order, rng.choice([0, 1, 5, 20]))], []
        root = Node("query", Several(withs, "WITH ", behind=" "), body, Several(order, " ORDER BY "), Several(tail))
        return Query(root, self.fails)


def generate(rng, world):
    fails = rng.choice(FAILURES) if rng.random() < 0.3 else None
    return Maker(rng, world, fails).query()
