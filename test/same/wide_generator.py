"""Queries with what query_generator.py leaves out: windows, grouping sets, recursion; and statements that change rows.

    generate_windows(rng, world), generate_grouping_sets(rng, world), generate_recursion(rng, world)   a Query each
    generate_changes(rng, world)    Changes: statements over one table, whose rows afterwards are asked for

Answers are one here, too: functions that depend on the order of equal rows stand over a whole order, frames of rows likewise, a row
that is changed meets one row of a source at most, and expressions do not fail but by what a table asks of its rows.
Relies on: query_generator.py, query_tree.py.
"""

import copy
import re

from query_generator import DECLARED, TYPES, Column, Maker, Query, expr, literal
from query_tree import Node, Several, whole

SET_KINDS = ("ROLLUP", "CUBE", "GROUPING SETS", "GROUPING SETS")
DEPTH_MAX = 6   # rounds of a recursion that ends by a count
MEETS_ROWS = ("int", "text", "date", "dec", "ts")   # types of keys


class WideMaker(Maker):
    # -- windows

    def frame(self, is_whole):
        """A frame that gives one answer: of rows where the order is whole, of groups and peers else."""
        rng = self.rng
        if self.chance(0.35):
            return ""
        units = rng.choice(["ROWS", "ROWS", "GROUPS", "RANGE"]) if is_whole else rng.choice(["GROUPS", "RANGE"])
        starts = ["UNBOUNDED PRECEDING", "CURRENT ROW"]
        ends = ["UNBOUNDED FOLLOWING", "CURRENT ROW"]
        if units != "RANGE":
            starts += ["1 PRECEDING", "2 PRECEDING", "1 FOLLOWING"]
            ends += ["1 FOLLOWING", "3 FOLLOWING"]
        start, end = rng.choice(starts), rng.choice(ends)
        if start == "1 FOLLOWING" and end == "CURRENT ROW":
            end = "UNBOUNDED FOLLOWING"
        exclude = rng.choice(["", "", "", "", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES"])
        if exclude in (" EXCLUDE CURRENT ROW", " EXCLUDE TIES") and not is_whole:
            exclude = ""
        return f" {units} BETWEEN {start} AND {end}{exclude}"

    def over(self, scope, keys, needs_order):
        """The window of a function: (node, whether its order is whole, whether it has one)."""
        rng = self.rng
        plain = [c for c in scope if c.type != "dbl"] or scope
        parts = [copy.deepcopy(c.node) for c in rng.sample(plain, min(len(plain), rng.choice([0, 1, 1, 2])))]
        is_whole = needs_order or self.chance(0.5)
        order = [Node("order", copy.deepcopy(c.node), rng.choice(["", " DESC", " NULLS FIRST", " DESC NULLS LAST"]))
                 for c in rng.sample(plain, min(len(plain), rng.choice([0, 1, 1, 2])))]
        if is_whole:
            order += [Node("order", whole(key)) for key in keys]   # made smaller, the order would not be whole
        return (Several(parts, "PARTITION BY ", behind=" "), Several(order, "ORDER BY ", least=len(order))), is_whole, bool(order)

    def value_frame(self, scope):
        """The window of an aggregate over rows that are near in value: one sort key and offsets of its type."""
        near = [c for c in scope if c.type in ("int", "date", "dec")]
        if not near:
            return None
        key, rng = self.rng.choice(near), self.rng
        steps = ["interval '1' day", "interval '1' month", "interval '40' day"] if key.type == "date" else ["1", "2", "5"]
        start = rng.choice(["UNBOUNDED PRECEDING", "CURRENT ROW", f"{rng.choice(steps)} PRECEDING"])
        end = rng.choice(["UNBOUNDED FOLLOWING", "CURRENT ROW", f"{rng.choice(steps)} FOLLOWING"])
        parts = [copy.deepcopy(c.node) for c in rng.sample(scope, 1) if c.type != "dbl" and self.chance(0.5)]
        order = [Node("order", whole(key.node), rng.choice(["", " DESC", " NULLS FIRST"]))]
        return (Several(parts, "PARTITION BY ", behind=" "), Several(order, "ORDER BY ", least=1),
                f" RANGE BETWEEN {start} AND {end}{rng.choice(['', '', '', ' EXCLUDE GROUP'])}")

    def aggregate_window(self, kind, scope, keys):
        """An aggregate with DISTINCT, FILTER or a frame of values."""
        rng = self.rng
        near = self.value_frame(scope) if self.chance(0.6) else None
        if near is None:
            (parts, order), is_whole, has_order = self.over(scope, keys, False)
            near = parts, order, self.frame(is_whole) if has_order else ""
        name = {"int": ["min", "max", "count", "sum"], "dec": ["min", "max", "sum"], "bool": ["bool_and", "bool_or"]}.get(
            kind, ["min", "max"])
        call = rng.choice(name)
        has_exclude = "EXCLUDE" in near[2]
        distinct = "DISTINCT " if call in ("count", "sum") and not has_exclude and self.chance(0.25) else ""
        filters = [self.predicate(scope, [], 1)] if self.chance(0.35) else []
        return expr(call, "(", distinct, self.an_expr(kind, scope, [], 1), ")", Several(filters, " FILTER (WHERE ", behind=")"), " OVER (",
                    *near, ")")

    def over_groups(self):
        """Windows over groups: (query, types)."""
        rng = self.rng
        source, scope, _ = self.source([], joins=rng.choice([0, 0, 1]), depth=0)
        plain = [c for c in scope if c.type != "dbl"] or scope
        keys = rng.sample(plain, min(len(plain), rng.choice([1, 1, 2])))
        where = self.conditions(scope, [], rng.choice([0, 1]), 1)
        columns = [Column(copy.deepcopy(c.node), c.type) for c in keys]
        columns += [Column(self.aggregate(kind, scope, []), kind) for kind in rng.sample(["int", "dec", "text", "date"], 2)]
        kinds = [self.a_type(columns) for _ in range(rng.randint(1, 2))]
        saved, self.an_expr = self.an_expr, lambda kind, near, outer, depth=0: self.column(kind, near, []) or self.constant(kind)
        try:
            items = [copy.deepcopy(c.node) for c in keys] + [self.window_call(kind, columns, [c.node for c in keys]) for kind in kinds]
        finally:
            self.an_expr = saved
        return Node("query", "SELECT ", Several([Node("item", x, f" AS c{n + 1}") for n, x in enumerate(items)], least=1), " FROM ",
                    source, Several(where, " WHERE ", " AND "), Several([copy.deepcopy(c.node) for c in keys], " GROUP BY ", least=len(keys)))

    def first_of_each(self):
        """DISTINCT ON under a whole order."""
        rng = self.rng
        source, scope, keys = self.keyed_source(False)
        on = [c.node for c in rng.sample(scope, min(len(scope), rng.choice([1, 1, 2])))]
        texts = [node.text() for node in on]
        order = [Node("order", whole(node), rng.choice(["", " DESC", " NULLS FIRST"])) for node in on]
        order += [Node("order", whole(key), rng.choice(["", " DESC"])) for key in keys if key.text() not in texts]
        items = [copy.deepcopy(c.node) for c in scope]
        where = self.conditions(scope, [], rng.choice([0, 1]), 1)
        body = Node("query", "SELECT ", Several([Node("on", whole(node)) for node in on], "DISTINCT ON (", behind=") ", least=len(on)),
                    Several([Node("item", x, f" AS c{n + 1}") for n, x in enumerate(items)], least=1), " FROM ", source,
                    Several(where, " WHERE ", " AND "), Several(order, " ORDER BY ", least=len(order)))
        alias = self.name("x")
        return Node("query", "SELECT * FROM ", Node("source", "(", body, f") {alias}", names=(alias,)))

    def window_call(self, kind, scope, keys):
        rng = self.rng

        def call(name, args, needs_order, has_frame):
            (parts, order), is_whole, has_order = self.over(scope, keys, needs_order)
            frame = self.frame(is_whole) if has_frame and has_order else ""
            return expr(name, "(", args, ") OVER (", parts, order, frame, ")")

        def arg(of):
            return self.an_expr(of, scope, [], 1)

        if self.chance(0.3):
            return self.aggregate_window(kind, scope, keys)
        makers = [lambda: call(rng.choice(["min", "max"]), Several([arg(kind)], least=1), False, True),
                  lambda: call(rng.choice(["first_value", "last_value"]), Several([arg(kind)], least=1), True, True),
                  lambda: call("nth_value", Several([arg(kind), expr(rng.choice("123"))], least=2), True, True),
                  lambda: call(rng.choice(["lag", "lead"]), Several([arg(kind), expr(rng.choice("0123"))], least=1), True, False),
                  lambda: call(rng.choice(["lag", "lead"]), Several([arg(kind), expr("1"), arg(kind)], least=1), True, False)]
        if kind == "bool":
            makers[0] = lambda: call(rng.choice(["bool_and", "bool_or"]), Several([arg(kind)], least=1), False, True)
        if kind == "int":
            makers += [lambda: call("row_number", "", True, False),
                       lambda: call(rng.choice(["rank", "dense_rank"]), "", False, False),
                       lambda: call("ntile", expr(rng.choice("1235")), True, False),
                       lambda: call("count", expr("*"), False, True),
                       lambda: call("count", Several([arg(rng.choice(TYPES))], least=1), False, True)]
        if kind in ("int", "dec"):
            makers += 2 * [lambda: call("sum", Several([arg(kind)], least=1), False, True)]
        if kind == "dbl":
            makers += [lambda: call(rng.choice(["percent_rank", "cume_dist"]), "", False, False),
                       lambda: call("avg", Several([arg("int")], least=1), False, True)]
        return self.pick(*makers)

    def keyed_source(self, is_distinct):
        """A relation whose columns tell rows apart, so far as they differ: (node, scope, keys)."""
        rng = self.rng
        if self.chance(0.6):
            t = rng.choices(self.world.tables, [0.3, 0.5, 1.5, 3, 3, 2.5, 1.5, 0.3][:len(self.world.tables)])[0]
            inner, types = f"SELECT {'DISTINCT ' if is_distinct else ''}{', '.join(name for name, _, _ in t.columns)} FROM {t.name}", [kind for _, _, kind in t.columns]
            names = [name for name, _, _ in t.columns]
            body = Node("query", inner)
        else:
            body, types, _ = self.select([], depth=0, joins=rng.choice([0, 1, 1]))
            names = [f"c{n + 1}" for n in range(len(types))]
            if is_distinct:
                body = Node("query", "SELECT DISTINCT * FROM (", body, f") {self.name('x')}")
        alias = self.name("r")
        scope = [Column(expr(f"{alias}.{name}"), kind) for name, kind in zip(names, types)]
        node = Node("source", "(", body, f") {alias}({', '.join(names)})", names=(alias,))
        return node, scope, [c.node for c in scope]

    def windows(self):
        rng = self.rng
        if self.chance(0.12):
            return Query(self.over_groups(), self.fails)
        if self.chance(0.08):
            return Query(self.first_of_each(), self.fails)
        # which of two equal rows comes first decides what several functions give the same row, but not what one gives them all
        is_distinct = self.chance(0.7)
        source, scope, keys = self.keyed_source(is_distinct)
        where = self.conditions(scope, [], rng.choice([0, 0, 1]), 1)
        items, types = [], []
        for _ in range(rng.randint(1, 3) if is_distinct else 1):
            kind = self.a_type(scope)
            items.append(self.window_call(kind, scope, keys))
            types.append(kind)
        for c in rng.sample(scope, min(len(scope), rng.randint(0, 2))):
            items.append(copy.deepcopy(c.node))
            types.append(c.type)
        qualify = []
        if is_distinct and self.chance(0.25):
            kind = self.a_type(scope)
            qualify = [expr("(", self.window_call(kind, scope, keys), rng.choice([" <= ", " <> ", " >= "]), self.constant(kind), ")")]
        body = Node("query", "SELECT ", Several([Node("item", x, f" AS c{n + 1}") for n, x in enumerate(items)], least=1), " FROM ",
                    source, Several(where, " WHERE ", " AND "), Several(qualify, " QUALIFY ", " AND "))
        if not self.chance(0.35):
            return Query(body, self.fails)
        # a filter or a limit above windows
        alias = self.name("x")
        outer = [Column(expr(f"{alias}.c{n + 1}"), kind) for n, kind in enumerate(types)]
        above = self.conditions(outer, [], rng.choice([0, 1, 1]), 1)
        order = [self.order_item(n + 1) for n in range(len(types))]
        tail = [self.first_rows(order, rng.choice([1, 3, 10]))] if self.chance(0.4) else []
        root = Node("query", "SELECT ", Several([Node("item", copy.deepcopy(c.node)) for c in outer], least=len(outer)), " FROM ",
                    Node("source", "(", body, f") {alias}", names=(alias,)), Several(above, " WHERE ", " AND "), Several(tail))
        return Query(root, self.fails)

    # -- grouping sets

    def grouping_sets(self):
        rng = self.rng
        source, scope, _ = self.source([], joins=rng.choice([0, 0, 1]), depth=0)
        where = self.conditions(scope, [], rng.choice([0, 0, 1]), 1)
        plain = [c for c in scope if c.type != "dbl"] or scope
        keys = rng.sample(plain, min(len(plain), rng.choice([1, 2, 2, 3])))

        def a_set():
            picked = rng.sample(keys, rng.randint(0, len(keys)))
            return Node("set", "(", ", ".join(c.node.text() for c in picked), ")")

        def element():
            kind = rng.choice(SET_KINDS)
            if kind == "GROUPING SETS":
                return Node("sets", "GROUPING SETS (", Several([a_set() for _ in range(rng.randint(1, 4))], least=1), ")")
            picked = rng.sample(keys, rng.randint(1, len(keys)))
            return Node("sets", f"{kind} (", ", ".join(c.node.text() for c in picked), ")")

        elements = [element() for _ in range(rng.choice([1, 1, 1, 2]))]
        named = " ".join(e.text() for e in elements)
        keys = [c for c in keys if re.search(rf"{re.escape(c.node.text())}\b", named)]   # of the others there is no value of a group
        items, kinds = [], []
        for c in keys:
            items.append(copy.deepcopy(c.node))
            kinds.append(c.type)
        if keys and self.chance(0.6):
            items.append(expr("grouping(", ", ".join(c.node.text() for c in rng.sample(keys, rng.randint(1, len(keys)))), ")"))
            kinds.append("int")
        for _ in range(rng.randint(1, 2)):
            kind = self.a_type(scope)
            items.append(self.aggregate(kind, scope, []))
            kinds.append(kind)
        having = []
        if self.chance(0.3):
            having = [expr("(", self.aggregate("int", scope, []), rng.choice([" > ", " <= ", " <> "]), self.constant("int"), ")")]
        elif keys and self.chance(0.3):
            key = rng.choice(keys)
            having = [expr("(", copy.deepcopy(key.node), rng.choice([" IS NULL", " IS NOT NULL"]), ")")]
        body = Node("query", "SELECT ", Several([Node("item", x, f" AS c{n + 1}") for n, x in enumerate(items)], least=1), " FROM ",
                    source, Several(where, " WHERE ", " AND "), Several(elements, " GROUP BY ", least=1),
                    Several(having, " HAVING ", " AND "))
        if not self.chance(0.35):
            return Query(body, self.fails)
        alias = self.name("x")
        outer = [Column(expr(f"{alias}.c{n + 1}"), kind) for n, kind in enumerate(kinds)]
        above = self.conditions(outer, [], 1, 1)
        root = Node("query", "SELECT ", Several([Node("item", copy.deepcopy(c.node)) for c in outer], least=1), " FROM ",
                    Node("source", "(", body, f") {alias}", names=(alias,)), Several(above, " WHERE ", " AND "))
        return Query(root, self.fails)

    # -- recursion

    def recursion(self):
        """A walk: along an integer column by UNION, which ends when nothing is new, or for so many rounds by a count."""
        rng = self.rng
        w, p, q = self.name("w"), self.name("p"), self.name("q")
        first, first_scope, _ = self.source([], joins=0, depth=0)
        step, step_scope, _ = self.relation([], 0)
        kind = rng.choice(sorted({c.type for c in first_scope} & {c.type for c in step_scope} - {"dbl"}) or ["int"])

        def value(scope, depth):
            return self.an_expr(kind, scope, [], depth)

        where = self.conditions(first_scope, [], rng.choice([0, 1]), 1)
        counted = self.chance(0.6)
        walk = [Column(expr(f"{w}.v"), kind)] + ([Column(expr(f"{w}.n"), "int")] if counted else [])
        on = self.equalities(walk[:1], step_scope, 1) or [expr("(", copy.deepcopy(walk[0].node), " = ", value(step_scope, 0), ")")]
        if self.chance(0.3):
            on.append(self.predicate(walk + step_scope, [], 1))
        more = [expr(f"({w}.n < {rng.randint(1, DEPTH_MAX if self.chance(0.2) else 2)})")] if counted else []
        # without a count values come from the table alone, so that there are only so many
        following = value(step_scope + (walk[:1] if counted else []), 1) if counted else self.column(kind, step_scope, [])
        following = following or copy.deepcopy(walk[0].node)
        n_first, n_next = (", 0 AS n", f", {w}.n + 1") if counted else ("", "")
        cast = f"::{'int' if kind == 'int' else DECLARED[kind] if kind != 'dec' else 'decimal(20,2)'}"
        recursive = Node("with", f"{w}(v{', n' if counted else ''}) AS (",
                         Node("query", "SELECT (", value(first_scope, 1), f"){cast} AS v{n_first} FROM ", first,
                              Several(where, " WHERE ", " AND ")),
                         " UNION ", Node("query", "SELECT ", rng.choice(["", "DISTINCT "]), "(", following, f"){cast}{n_next} FROM {w} ",
                                         rng.choice(["JOIN ", "JOIN "]), step, " ON ", Several(on + more, between=" AND ", least=len(more) + 1)),
                         ")")
        scope = [Column(expr(f"{p}.v"), kind)] + ([Column(expr(f"{p}.n"), "int")] if counted else [])
        source = Node("source", f"{w} {p}", names=(p,))
        if self.chance(0.3):   # read twice
            source = Node("source", source, f" JOIN {w} {q} ON ({p}.v = {q}.v)", names=(p, q))
        items = self.rng.choice([
            lambda: [self.aggregate(kind, scope, []), expr("count(*)")],
            lambda: [copy.deepcopy(c.node) for c in scope],
            lambda: [copy.deepcopy(scope[0].node), self.an_expr("int", scope, [], 1)]])()
        above = self.conditions(scope, [], rng.choice([0, 0, 1]), 1)
        root = Node("query", "WITH RECURSIVE ", recursive, " SELECT ",
                    Several([Node("item", x, f" AS c{n + 1}") for n, x in enumerate(items)], least=1), " FROM ", source,
                    Several(above, " WHERE ", " AND "))
        return Query(root, self.fails)

    # -- changes

    def condition(self, scope, depth=2):
        return self.predicate(scope, [], depth)

    def one_row_each(self, key_type):
        """A relation with one row for each value of a first column, which is not null: (query, types)."""
        source, scope, _ = self.source([], joins=self.rng.choice([0, 0, 1]), depth=0)
        keys = [c for c in scope if c.type == key_type]
        if not keys:
            return None
        key = self.rng.choice(keys)
        types = [key_type] + [self.a_type(scope) for _ in range(2)]
        items = [copy.deepcopy(key.node)] + [self.aggregate(kind, scope, []) for kind in types[1:]]
        where = [expr("(", copy.deepcopy(key.node), " IS NOT NULL)"), *self.conditions(scope, [], self.rng.choice([0, 1]), 1)]
        return Node("query", "SELECT ", Several([Node("item", x, f" AS c{n + 1}") for n, x in enumerate(items)], least=3), " FROM ",
                    source, Several(where, " WHERE ", " AND ", least=1), Several([copy.deepcopy(key.node)], " GROUP BY ", least=1)), types

    def returning(self, table, prefix=""):
        if not self.chance(0.2):
            return Several([])
        names = self.rng.sample([name for name, _, _ in table.columns], self.rng.randint(1, min(3, len(table.columns))))
        return Several([Node("item", expr(f"{prefix}{name}")) for name in names], " RETURNING ")

    def settable(self, table):
        return [(name, kind) for name, declared, kind in table.columns if name != "k"]

    def assignments(self, table, scope, least=1):
        columns = self.settable(table)
        picked = self.rng.sample(columns, min(len(columns), self.rng.randint(1, 2)))
        pieces = []
        for name, kind in picked:
            value = self.an_expr(kind, scope, [], 2)
            pieces.append(Node("set", f"{name} = ", value))
        return Several(pieces, least=least)

    def insert(self, table):
        rng = self.rng
        columns = [(name, kind) for name, _, kind in table.columns]
        if self.chance(0.4) and len(columns) > 2:
            kept = [c for c in columns if c[0] == "k" or self.chance(0.6)]
            columns = kept or columns
        if self.chance(0.3):
            columns = rng.sample(columns, len(columns))
        names = ", ".join(name for name, _ in columns)
        if self.chance(0.5):
            def value(name, kind):
                return expr(str(rng.randrange(0, 400))) if name == "k" else self.constant(kind)
            lines = [Node("line", "(", Several([value(*c) for c in columns], least=len(columns)), ")") for _ in range(rng.randint(1, 3))]
            body = Node("query", "VALUES ", Several(lines, least=1))
        else:
            source, scope, _ = self.source([], joins=rng.choice([0, 0, 1]), depth=0)
            where = self.conditions(scope, [], rng.choice([0, 1]), 1)
            items = [self.an_expr(kind, scope, [], 1) for _, kind in columns]
            if table.constraints and self.chance(0.8):   # keys that there are not yet, mostly
                for n, (name, _) in enumerate(columns):
                    if name == "k":
                        items[n] = expr("(1000 + row_number() OVER ())")
                        where, items = [], [x if m == n else self.constant(columns[m][1]) for m, x in enumerate(items)]
            body = Node("query", "SELECT ", Several([Node("item", x) for x in items], least=len(items)), " FROM ", source,
                        Several(where, " WHERE ", " AND "))
        conflict = Several([])
        if table.constraints and "k" in [name for name, _ in columns] and self.chance(0.6) and "VALUES" in body.text()[:8]:
            if self.chance(0.5) or not self.settable(table):
                conflict = Several([Node("conflict", " ON CONFLICT (k) DO NOTHING")])
            else:
                body.parts[1].nodes = body.parts[1].nodes[:1]   # one row meets one row
                mine = [Column(expr(f"{table.name}.{name}"), kind) for name, _, kind in table.columns]
                new = [Column(expr(f"excluded.{name}"), kind) for name, kind in columns]
                where = [self.condition(mine + new, 1)] if self.chance(0.4) else []
                conflict = Several([Node("conflict", " ON CONFLICT (k) DO UPDATE SET ", self.assignments(table, new + mine),
                                         Several(where, " WHERE "))])
        return Node("statement", f"INSERT INTO {table.name} ({names}) ", body, conflict, self.returning(table))

    def update(self, table):
        mine = [Column(expr(f"{table.name}.{name}"), kind) for name, _, kind in table.columns]
        if self.chance(0.35):
            key = self.rng.choice([c for c in mine if c.type in MEETS_ROWS])
            made = self.one_row_each(key.type)
            if made is not None:
                alias = self.name("u")
                other = [Column(expr(f"{alias}.c{n + 1}"), kind) for n, kind in enumerate(made[1])]
                where = [expr("(", copy.deepcopy(key.node), f" = {alias}.c1)")]
                where += [self.condition(mine + other, 1)] if self.chance(0.3) else []
                return Node("statement", f"UPDATE {table.name} SET ", self.assignments(table, other + mine), " FROM (", made[0],
                            f") {alias}", Several(where, " WHERE ", " AND ", least=1), self.returning(table, f"{table.name}."))
        where = [self.condition(mine)] if self.chance(0.9) else []
        return Node("statement", f"UPDATE {table.name} SET ", self.assignments(table, mine), Several(where, " WHERE "),
                    self.returning(table))

    def delete(self, table):
        mine = [Column(expr(f"{table.name}.{name}"), kind) for name, _, kind in table.columns]
        if self.chance(0.25):
            source, scope, _ = self.relation([], 0)
            pairs = self.equalities(mine, scope, 1)
            if pairs:
                return Node("statement", f"DELETE FROM {table.name} USING ", source, Several(pairs, " WHERE ", " AND ", least=1))
        return Node("statement", f"DELETE FROM {table.name}", Several([self.condition(mine)], " WHERE ", least=1),
                    self.returning(table))

    def merge(self, table):
        rng = self.rng
        mine = [Column(expr(f"{table.name}.{name}"), kind) for name, _, kind in table.columns]
        key = rng.choice([c for c in mine if c.type in MEETS_ROWS])
        made = self.one_row_each(key.type)
        if made is None:
            return self.delete(table)
        alias = self.name("m")
        other = [Column(expr(f"{alias}.c{n + 1}"), kind) for n, kind in enumerate(made[1])]

        def also(scope):
            return Several([self.condition(scope, 1)] if self.chance(0.4) else [], " AND ")

        clauses = []
        for _ in range(rng.randint(1, 2)):
            then = Node("then", "DELETE") if self.chance(0.3) else Node("then", "UPDATE SET ", self.assignments(table, other + mine))
            clauses.append(Node("when", " WHEN MATCHED", also(mine + other), " THEN ", then))
        if self.chance(0.5):
            columns = [("k", "int"), *rng.sample(self.settable(table), min(2, len(self.settable(table))))]
            if "k" not in [name for name, _, _ in table.columns]:
                columns = columns[1:]
            values = [self.an_expr(kind, other, [], 1) for _, kind in columns]
            clauses.append(Node("when", " WHEN NOT MATCHED", also(other), f" THEN INSERT ({', '.join(n for n, _ in columns)}) VALUES (",
                                Several(values, least=len(values)), ")"))
        if self.chance(0.3):
            then = Node("then", "DELETE") if self.chance(0.5) else Node("then", "UPDATE SET ", self.assignments(table, mine))
            clauses.append(Node("when", " WHEN NOT MATCHED BY SOURCE", also(mine), " THEN ", then))
        return Node("statement", f"MERGE INTO {table.name} USING (", made[0], f") {alias} ON ",
                    Several([expr("(", copy.deepcopy(key.node), f" = {alias}.c1)")], least=1), Several(clauses, between="", least=1))

    def changes(self):
        rng = self.rng
        tables = [t for t in self.world.tables if len(t.rows) <= 300]
        table = rng.choice(tables)
        makers = [(3, self.insert), (3, self.update), (2, self.delete), (2, self.merge)]
        statements = [self.pick(*[(w, lambda m=m: m(table)) for w, m in makers]) for _ in range(rng.randint(1, 5))]
        return Changes(Node("changes", Several(statements, between="; ", least=1)), table.name)


class Changes:
    """Statements that change the rows of one table."""

    fails = None

    def __init__(self, root, table):
        self.root, self.table = root, table

    def with_root(self, root):
        return Changes(root, self.table)

    def statements(self, dialect="fletch"):
        return [node.text(dialect) for node in self.root.parts[0].nodes]

    def text(self, dialect="fletch"):
        return self.root.text(dialect)


def generate_windows(rng, world):
    return WideMaker(rng, world, None).windows()


def generate_grouping_sets(rng, world):
    return WideMaker(rng, world, None).grouping_sets()


def generate_recursion(rng, world):
    return WideMaker(rng, world, None).recursion()


def generate_changes(rng, world):
    return WideMaker(rng, world, None).changes()
