#!/usr/bin/env python3
"""Wrong answers, looked for by what logic says of them: windows, grouping sets, recursion, parts of queries, and changes.

    logic.py [--fletch PROGRAM] [--queries N] [--seed S] [--from K] [--jobs J] [--no-duckdb] [--postgresql] [--kinds K,…]

Query n of a seed is of the kind n modulo len(KINDS):

    windows, grouping sets, recursion    the optimizer's roads against none, as in generated.py, but fewer of them; and DuckDB
    parts       ternary logic partitioning (Rigger & Su 2020): the rows of a query are those where a condition is true, those where it is
                false and those where it is unknown; also of groups by HAVING, of DISTINCT, and of what aggregates make of parts
    counts      non-optimizing reference engine construction (Rigger & Su 2020): as many rows pass a filter as a select list says true of;
                a join's condition as a filter of the product; an outer join as the inner one and the rows without partners
    forms       one question in two forms: grouping sets as a UNION of groupings, INTERSECT and EXCEPT as joins, windows as subqueries, IN as
                EXISTS, DISTINCT as groups, pages as the whole, ASOF joins as the greatest of what is not greater
    changes     INSERT, UPDATE, DELETE and MERGE in a row over one table: its rows afterwards under two settings, in DuckDB, and, of a
                single UPDATE or DELETE, as a SELECT in front of it foretells them

--postgresql asks the server that libpq's environment variables name, too, where it understands the text.
A mismatch is made smaller as in generated.py. Exit status 1 when there is one.

Relies on: generated.py (engines, comparing, making smaller), wide_generator.py, query_generator.py; duckdb and psycopg, where they are to be
asked.
"""

import argparse
import collections
import contextlib
import copy
import multiprocessing
import pathlib
import random
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import generated  # noqa: E402
import pipe  # noqa: E402
from generated import ENDS, REFERENCE, WORLD_QUERIES, Mismatch, Worker, difference, duckdb, from_pipe, plain  # noqa: E402
from query_generator import expr  # noqa: E402
from query_tree import Node, Several  # noqa: E402
from wide_generator import (WideMaker, generate_changes, generate_grouping_sets, generate_recursion,  # noqa: E402
                            generate_windows)

KINDS = ("windows", "parts", "changes", "grouping sets", "counts", "recursion", "forms", "parts", "changes", "forms")
MAKERS = {"windows": generate_windows, "grouping sets": generate_grouping_sets, "recursion": generate_recursion}
PROGRESS = 10000
ROADS = 3
GATHERED = {"count(*)": "sum({})", "sum": "sum({})", "min": "min({})", "max": "max({})", "bool_and": "bool_and({})",
            "bool_or": "bool_or({})"}

# Differences from DuckDB that are explained: what is said of them, and a pattern of the text.
KNOWN = [("DuckDB 2.0.0 makes 261 5 where DISTINCT is asked of a sum", r"DISTINCT \* FROM \(SELECT .*sum\("),
         ("DuckDB 2.0.0 finds no group by HAVING above an outer join whose other side is empty", r"(LEFT|RIGHT|FULL) JOIN .* HAVING \("),
         ("DuckDB 2.0.0 makes a LIMIT below DISTINCT larger", r"DISTINCT \* FROM \(SELECT .* LIMIT"),
         ("DuckDB 2.0.0 looks for a key's duplicates while MERGE goes on", r"MERGE .* THEN INSERT .* BY SOURCE THEN DELETE"),
         *generated.KNOWN]


# ---- texts that are to give the same rows --------------------------------------------------------------------------------------


class Pair:
    """A query and another one with the same rows, made of one tree, so that both are made smaller at once."""

    fails = None

    def __init__(self, root, make):
        self.root, self.make = root, make

    def with_root(self, root):
        return Pair(root, self.make)

    def texts(self, dialect="fletch"):
        return self.make(self.root, dialect)

    def text(self, dialect="fletch"):
        return "; ".join(self.texts(dialect))

    def sorted_columns(self, _):
        return []


def texts_of(root, dialect):
    """The parts of a pair's tree as texts."""
    return [part.text(dialect) if isinstance(part, Node) else [node.text(dialect) for node in part.nodes] for part in root.parts]


def where_of(conditions):
    return " WHERE " + " AND ".join(conditions) if conditions else ""


def three(p):
    return p, f"NOT {p}", f"({p}) IS NULL"


def parts_of_rows(root, dialect):
    items, source, where, (p,) = texts_of(root, dialect)
    head = f"SELECT {', '.join(items)} FROM {source}"
    return head + where_of(where), " UNION ALL ".join(head + where_of([*where, part]) for part in three(p))


def parts_of_distinct(root, dialect):
    items, source, where, (p,) = texts_of(root, dialect)
    head = f"SELECT DISTINCT {', '.join(items)} FROM {source}"
    return head + where_of(where), " UNION ".join(head + where_of([*where, part]) for part in three(p))


def parts_of_aggregate(root, dialect):
    (call,), source, where, (p,) = texts_of(root, dialect)
    head = f"SELECT {call} AS c1 FROM {source}"
    gathered = next((text for name, text in GATHERED.items() if call.startswith(name)), "no aggregate").format("c1")
    kind = re.search(r"::(bigint|decimal\(20,2\))$", call)
    cast = "bigint" if call == "count(*)" else kind.group(1) if kind else None
    return (head + where_of(where),
            f"SELECT {f'({gathered})::{cast}' if cast else gathered} AS c1 FROM (" +
            " UNION ALL ".join(head + where_of([*where, part]) for part in three(p)) + ") x")


def parts_of_groups(root, dialect):
    items, source, where, keys, (p,) = texts_of(root, dialect)
    head = f"SELECT {', '.join(items)} FROM {source}{where_of(where)} GROUP BY {', '.join(keys)}"
    return head, " UNION ALL ".join(f"{head} HAVING {part}" for part in three(p))


def counts_of_filter(root, dialect):
    source, (p,) = texts_of(root, dialect)
    return (f"SELECT count(*) FROM {source} WHERE {p}",
            f"SELECT coalesce(sum(CASE WHEN {p} THEN 1 ELSE 0 END), 0)::bigint FROM {source}")


def counts_of_join(root, dialect):
    left, right, (p,) = texts_of(root, dialect)
    return f"SELECT count(*) FROM {left} JOIN {right} ON {p}", f"SELECT count(*) FROM {left} CROSS JOIN {right} WHERE {p}"


def rows_of_outer_join(root, dialect):
    """The first relation's rows, and of the other whether there was one."""
    left, right, (p,), items = texts_of(root, dialect)
    return (f"SELECT {', '.join(items)} FROM {left} LEFT JOIN {right} ON {p}",
            f"SELECT {', '.join(items)} FROM {left} JOIN {right} ON {p} UNION ALL "
            f"SELECT {', '.join(items)} FROM {left} ANTI JOIN {right} ON {p}")


def rows_of_full_join(root, dialect):
    left, right, (p,), items = texts_of(root, dialect)
    nulls = ", ".join("NULL" for _ in items)
    return (f"SELECT {', '.join(items)} FROM {left} FULL JOIN {right} ON {p}",
            f"SELECT {', '.join(items)} FROM {left} LEFT JOIN {right} ON {p} UNION ALL "
            f"SELECT {nulls} FROM {right} ANTI JOIN {left} ON {p}")


def one(node):
    return Several([node], least=1)


def make_parts(rng, world):
    maker = WideMaker(rng, world, None)
    source, scope, _ = maker.source([], joins=rng.choice([0, 0, 1, 1, 2]), depth=1)
    where = Several(maker.conditions(scope, [], rng.choice([0, 0, 1]), 1))
    how = rng.random()
    if how < 0.2:
        plain_columns = [c for c in scope if c.type != "dbl"] or scope
        keys = [copy.deepcopy(c.node) for c in rng.sample(plain_columns, min(len(plain_columns), rng.choice([1, 1, 2])))]
        items = [copy.deepcopy(key) for key in keys] + [maker.aggregate(maker.a_type(scope), scope, [])]
        kind = maker.a_type(scope)
        p = expr("(", maker.aggregate(kind, scope, []), rng.choice([" > ", " <> ", " <= "]), maker.constant(kind), ")")
        return Pair(Node("pair", Several(items, least=1), source, where, Several(keys, least=1), one(p)), parts_of_groups)
    p = one(maker.predicate(scope, [], 2))
    if how < 0.45:
        kind = maker.a_type(scope)
        for _ in range(20):
            call = maker.aggregate(kind, scope, [])
            text = call.text()
            if text.startswith(tuple(GATHERED)) and "DISTINCT" not in text and not isinstance(call.parts[-1], Several):
                return Pair(Node("pair", one(call), source, where, p), parts_of_aggregate)
    items = Several([maker.an_expr(maker.a_type(scope), scope, [], 1) for _ in range(rng.randint(1, 2))], least=1)
    return Pair(Node("pair", items, source, where, p), parts_of_distinct if how > 0.85 else parts_of_rows)


def make_counts(rng, world):
    maker = WideMaker(rng, world, None)
    if rng.random() < 0.4:
        source, scope, _ = maker.source([], joins=rng.choice([0, 1, 1, 2]), depth=1)
        return Pair(Node("pair", source, one(maker.predicate(scope, [], 2))), counts_of_filter)
    for _ in range(20):
        left, left_scope, left_rows = maker.relation([], 1)
        right, right_scope, right_rows = maker.relation([], 1)
        if left_rows * right_rows < 20000:
            break
    p = maker.predicate(left_scope + right_scope, [], 2)
    if rng.random() < 0.6:
        both = maker.equalities(left_scope, right_scope, 1)
        p = expr("(", Several([*both, p], between=" AND ", least=1), ")") if both else p
    if rng.random() < 0.4:
        return Pair(Node("pair", left, right, one(p)), counts_of_join)
    # columns: of a constant there would be a value in rows without a partner, too
    items = Several([Node("column", c.node.text()) for c in rng.sample(left_scope, min(len(left_scope), 2))], least=1)
    return Pair(Node("pair", left, right, one(p), items), rng.choice([rows_of_outer_join, rows_of_full_join]))


# ---- one question in two forms -------------------------------------------------------------------------------------------------


def sets_as_union(root, dialect):
    """Groups by each set alone; a key that is in none of it is null."""
    keys, calls, source, where, sets = texts_of(root, dialect)
    tail = f" FROM {source}{where_of(where)}"
    names = [f"k{n}" for n in range(len(keys))]
    whole = (f"SELECT {', '.join(f'{key} AS {name}' for key, name in zip(keys, names))}, {', '.join(calls)}{tail} "
             f"GROUP BY GROUPING SETS ({', '.join(sets)})")
    parts = []
    for text in sets:
        picked = text.strip("()").split(", ") if text != "()" else []
        items = [key if key in picked else "NULL" for key in keys]
        group = f" GROUP BY {', '.join(picked)}" if picked else ""
        parts.append(f"SELECT {', '.join(items)}, {', '.join(calls)}{tail}{group}")
    return whole, " UNION ALL ".join(parts)


def set_operation_as_join(name, join):
    def make(root, dialect):
        left, right, columns = texts_of(root, dialect)
        on = " AND ".join(f"(x.{c} IS NOT DISTINCT FROM y.{c})" for c in columns)
        return (f"({left}) {name} ({right})",
                f"SELECT DISTINCT {', '.join(f'x.{c}' for c in columns)} FROM ({left}) x {join} ({right}) y ON {on}")
    make.__name__ = f"{name.lower()}_as_join"
    return make


def window_as_subquery(root, dialect):
    """A total over the rows of a partition."""
    source, keys, (call,), (item,) = texts_of(root, dialect)
    def inside(text):
        return re.sub(r"\br(\d+)\b", r"q\1", text)

    same = " AND ".join(f"({inside(key)} IS NOT DISTINCT FROM {key})" for key in keys)
    return (f"SELECT {item}, {call} OVER (PARTITION BY {', '.join(keys)}) FROM {source}",
            f"SELECT {item}, (SELECT {inside(call)} FROM {inside(source)} WHERE {same}) FROM {source}")


def in_as_exists(root, dialect):
    source, (x,), query, (item,) = texts_of(root, dialect)
    return (f"SELECT {item} FROM {source} WHERE {x} IN ({query})",
            f"SELECT {item} FROM {source} WHERE EXISTS (SELECT 1 FROM ({query}) s WHERE s.c1 = {x})")


def not_in_as_not_exists(root, dialect):
    source, (x,), query, (item,) = texts_of(root, dialect)
    return (f"SELECT {item} FROM {source} WHERE {x} NOT IN ({query})",
            f"SELECT {item} FROM {source} WHERE NOT EXISTS (SELECT 1 FROM ({query}) s WHERE s.c1 = {x} OR s.c1 IS NULL OR {x} IS NULL)")


def distinct_as_groups(root, dialect):
    source, where, items = texts_of(root, dialect)
    names = [f"c{n}" for n in range(len(items))]
    inner = f"SELECT {', '.join(f'{item} AS {name}' for item, name in zip(items, names))} FROM {source}{where_of(where)}"
    return (f"SELECT DISTINCT {', '.join(items)} FROM {source}{where_of(where)}",
            f"SELECT {', '.join(names)} FROM ({inner}) x GROUP BY {', '.join(names)}")


def pages_as_whole(count):
    def make(root, dialect):
        source, where, items = texts_of(root, dialect)
        query = f"SELECT {', '.join(f'{item} AS c{n}' for n, item in enumerate(items))} FROM {source}{where_of(where)}"
        order = ", ".join(str(n + 1) for n in range(len(items)))
        return query, f"({query} ORDER BY {order} LIMIT {count}) UNION ALL ({query} ORDER BY {order} OFFSET {count})"
    make.__name__ = "pages_as_whole"
    return make


def first_rows_as_counts(count):
    """How many rows of each group are among its first."""
    def make(root, dialect):
        source, keys, order = texts_of(root, dialect)
        names = ", ".join(f"{key} AS k{n}" for n, key in enumerate(keys))
        return (f"SELECT count(*) FROM (SELECT {names}, row_number() OVER (PARTITION BY {', '.join(keys)} ORDER BY {', '.join(order)}) AS n "
                f"FROM {source}) x WHERE n <= {count}",
                f"SELECT coalesce(sum(least(n, {count})), 0)::bigint FROM (SELECT count(*) AS n FROM {source} GROUP BY {', '.join(keys)}) x")
    make.__name__ = "first_rows_as_counts"
    return make


def asof_as_greatest(root, dialect):
    left, right, (x,), (y,) = texts_of(root, dialect)
    return (f"SELECT {x}, {y} FROM {left} ASOF JOIN {right} ON {x} >= {y}",
            f"SELECT v, m FROM (SELECT {x} AS v, (SELECT max({y}) FROM {right} WHERE {y} <= {x}) AS m FROM {left}) z WHERE m IS NOT NULL")


def make_forms(rng, world):
    maker = WideMaker(rng, world, None)

    def column(c):
        return Node("column", c.node.text())

    how = rng.randrange(9)
    if how == 1:
        kinds = [rng.choice(["int", "text", "date", "dec"]) for _ in range(rng.randint(1, 2))]
        left, right = (maker.select([], types=kinds, depth=1)[0] for _ in range(2))
        columns = Several([Node("column", f"c{n + 1}") for n in range(len(kinds))], least=len(kinds))
        return Pair(Node("pair", left, right, columns), set_operation_as_join(*rng.choice([("INTERSECT", "SEMI JOIN"), ("EXCEPT", "ANTI JOIN")])))
    if how == 8:
        left, left_scope, _ = maker.relation([], 0)
        right, right_scope, _ = maker.relation([], 0)
        pairs = [(x, y) for x in left_scope for y in right_scope if x.type == y.type and x.type in ("int", "date", "ts", "dec")]
        if pairs:
            x, y = rng.choice(pairs)
            return Pair(Node("pair", left, right, one(column(x)), one(column(y))), asof_as_greatest)
    if how in (3, 4):
        source, scope, _ = maker.source([], joins=rng.choice([0, 0, 1]), depth=1)
        kind = maker.a_type(scope)
        query = maker.select(maker.around(scope, []) if rng.random() < 0.5 else [], types=[kind], depth=1)[0]
        parts = [source, one(maker.an_expr(kind, scope, [], 1)), query, one(column(rng.choice(scope)))]
        return Pair(Node("pair", *parts), in_as_exists if how == 3 else not_in_as_not_exists)
    if how in (2, 7):
        source, scope, _ = maker.relation([], 0)
        keys = Several([column(c) for c in rng.sample(scope, min(len(scope), rng.choice([1, 1, 2])))], least=1)
        if how == 7:
            order = Several([column(c) for c in rng.sample(scope, min(len(scope), 2))], least=1)
            return Pair(Node("pair", source, keys, order), first_rows_as_counts(rng.choice([1, 2, 5])))
        call = maker.aggregate(maker.a_type(scope), scope, [])
        for _ in range(20):
            if re.fullmatch(r"(min|max|count|sum|bool_and|bool_or)\((?!.*(SELECT|string_agg)).*", call.text()) and not call.text().endswith(("bigint", "2)")):
                source_text = source.text()
                if re.fullmatch(r"\w+ r\d+", source_text):
                    return Pair(Node("pair", source, keys, one(call), one(column(rng.choice(scope)))), window_as_subquery)
            source, scope, _ = maker.relation([], 0)
            keys = Several([column(c) for c in rng.sample(scope, min(len(scope), rng.choice([1, 1, 2])))], least=1)
            call = maker.aggregate(maker.a_type(scope), scope, [])
    source, scope, _ = maker.source([], joins=rng.choice([0, 0, 1]), depth=1)
    where = Several(maker.conditions(scope, [], rng.choice([0, 1]), 1))
    if how in (0, 2):
        keys = rng.sample(scope, min(len(scope), rng.choice([1, 2, 2, 3])))
        sets = [Node("set", "(", ", ".join(c.node.text() for c in rng.sample(keys, rng.randint(0, len(keys)))), ")") for _ in range(rng.randint(1, 4))]
        sets.append(Node("set", "(", ", ".join(c.node.text() for c in keys), ")"))   # no key is in none of them
        calls = Several([maker.aggregate(maker.a_type(scope), scope, []) for _ in range(rng.randint(1, 2))], least=1)
        return Pair(Node("pair", Several([column(c) for c in keys], least=len(keys)), calls, source, where, Several(sets, least=1)), sets_as_union)
    items = Several([maker.an_expr(maker.a_type(scope), scope, [], 1) for _ in range(rng.randint(1, 3))], least=1)
    return Pair(Node("pair", source, where, items), distinct_as_groups if how == 5 else pages_as_whole(rng.choice([0, 1, 5, 50])))


# ---- PostgreSQL ---------------------------------------------------------------------------------------------------------------


class Server:
    """PostgreSQL with the same world, or nobody: what it does not understand is not compared."""

    def __init__(self):
        import psycopg
        self.psycopg = psycopg
        self.connection = psycopg.connect("", autocommit=True)
        self.connection.execute("SET statement_timeout = 5000")
        self.schema = f"logic_{self.connection.info.backend_pid}"

    @staticmethod
    def translate(sql):
        sql = re.sub(r"\bdouble\b(?! precision)", "double precision", sql)
        sql = re.sub(r"CREATE OR REPLACE TABLE (\w+)", r"DROP TABLE IF EXISTS \1 CASCADE; CREATE TABLE \1", sql)
        return sql.replace("::utinyint", "::smallint").replace("::tinyint", "::smallint")

    def open(self, world):
        self.connection.execute(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE; CREATE SCHEMA {self.schema}; SET search_path = {self.schema}")
        for statement in world.statements("fletch"):
            with contextlib.suppress(self.psycopg.Error):
                self.connection.execute(self.translate(statement))

    def rows(self, sql):
        """Rows, None where it refuses the text, "failed" where it fails."""
        try:
            cursor = self.connection.execute(self.translate(sql))
            return cursor.fetchall() if cursor.description is not None else []
        except self.psycopg.Error as error:
            state = error.sqlstate or ""
            return "failed" if state.startswith(("22", "23", "21")) else None

    def close(self):
        self.connection.execute(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE")


def values_difference(one, other):
    """Of two answers of fletch's, as multisets of values, whatever their types."""
    left, right = (sorted(from_pipe(answer), key=repr) for answer in (one, other))
    if len(left) != len(right):
        return f"{len(left)} rows of the first, {len(right)} of the second"
    return next((f"{x} of the first, {y} of the second" for x, y in zip(left, right) if x != y), None)


def rows_difference(ours, theirs, who):
    """Of two lists of rows, as multisets; ours of the pipe, theirs of a Python client."""
    left, right = sorted(from_pipe(ours), key=repr), sorted(([plain(v) for v in row] for row in theirs), key=repr)
    if len(left) != len(right):
        return f"{len(left)} rows here, {len(right)} of {who}"
    return next((f"{x} here, {y} of {who}" for x, y in zip(left, right) if x != y), None)


# ---- changes ------------------------------------------------------------------------------------------------------------------


def foretold(statement, columns):
    """Of an UPDATE of the table alone, or a DELETE without USING: a query of the rows that there will be; else None."""
    head = statement.parts[0]
    if head.startswith("UPDATE ") and len(statement.parts) == 4:
        table = head.split()[1]
        values, where = dict(node.text().split(" = ", 1) for node in statement.parts[1].nodes), statement.parts[2]
    elif head.startswith("DELETE FROM") and isinstance(statement.parts[1], Several):
        table = head.split()[2]
        values, where = {}, statement.parts[1]
    else:
        return None
    p = where.nodes[0].text() if where.nodes else "true"
    if head.startswith("DELETE"):
        return f"SELECT * FROM {table} WHERE ({p}) IS NOT TRUE"
    items = []
    for name, declared, _ in columns:
        kind = declared.replace(" NOT NULL", "")
        items.append(f"CASE WHEN {p} THEN ({values[name]})::{kind} ELSE {table}.{name} END" if name in values else f"{table}.{name}")
    return f"SELECT {', '.join(items)} FROM {table}"


class LogicWorker(Worker):
    """Every jobs-th world of a seed, one after the other."""

    def __init__(self, args):
        super().__init__(args)
        self.server = Server() if args.postgresql else None

    def run(self, worlds):
        report = super().run(worlds)
        if self.server is not None:
            self.server.close()
        return report

    def open(self, number):
        super().open(number)
        if self.server is not None:
            self.server.open(self.engine.world)

    def one(self, number):
        kind = KINDS[number % len(KINDS)]
        if self.args.kinds and kind not in self.args.kinds:
            return
        rng = random.Random(f"{self.args.seed}/logic {number}")
        self.report.count[kind] += 1
        self.report.count["queries"] += 1
        if kind in MAKERS:
            self.one_query(number, rng, MAKERS[kind](rng, self.engine.world))
        elif kind == "changes":
            self.one_change(number, rng, generate_changes(rng, self.engine.world))
        else:
            pair = {"parts": make_parts, "counts": make_counts, "forms": make_forms}[kind](rng, self.engine.world)
            self.one_pair(number, rng, pair)

    def some_settings(self, rng, text):
        settings = list(generated.roads(rng, self.engine.rules_fired(text), False))
        return rng.sample(settings, ROADS)

    # -- queries

    def one_query(self, number, rng, query):
        text = query.text()
        reference = self.engine.ask(text, REFERENCE)
        state = reference.get("error", {}).get("sqlstate")
        if state is not None:
            self.report.count["over a limit" if state in ENDS else f"refused with {state}"] += 1
            if state in ENDS or not state.startswith("XX"):
                return
            self.tell(number, Mismatch(query, "reference", REFERENCE, reference["error"]["message"], self.check_fault))
            return
        self.report.count["with rows" if reference["rows"] else "without rows"] += 1
        for name, settings in self.some_settings(rng, text):
            self.report.count["comparisons"] += 1
            problem = difference(query, reference, self.engine.ask(text, settings))
            if problem is not None:
                self.tell(number, Mismatch(query, name, settings, problem, lambda q, s: self.check(q, REFERENCE, s)))
                return
        if self.peer is not None:
            self.ask_peer(number, query, reference)
        if self.server is not None:
            self.ask_server(number, query, reference)

    def check_fault(self, query, settings):
        error = self.engine.ask(query.text(), {**REFERENCE, **settings}).get("error", {})
        return error.get("message") if error.get("sqlstate", "").startswith("XX") else None

    def ask_server(self, number, query, answer):
        rows = None if "extract(" in query.text() else self.server.rows(query.text())   # its extract is a numeric
        if rows is None or rows == "failed":
            self.report.count["refused by PostgreSQL"] += 1
            return
        self.report.count["compared with PostgreSQL"] += 1
        problem = rows_difference(answer, rows, "PostgreSQL")
        if problem is not None:
            self.tell(number, Mismatch(query, "PostgreSQL", REFERENCE, problem, self.check_server))

    def check_server(self, query, settings):
        if "extract(" in query.text():
            return None
        answer, rows = self.engine.ask(query.text(), {**REFERENCE, **settings}), self.server.rows(query.text())
        return None if "error" in answer or rows is None or rows == "failed" else rows_difference(answer, rows, "PostgreSQL")

    # -- pairs

    def one_pair(self, number, rng, pair):
        settings = self.some_settings(rng, pair.texts()[0])[0][1]
        problem = self.check_pair(pair, settings)
        if problem is not None:
            self.tell(number, Mismatch(pair, pair.make.__name__, settings, problem, self.check_pair))

    def check_pair(self, pair, settings):
        answers = [self.engine.ask(text, settings) for text in pair.texts()]
        states = [answer.get("error", {}).get("sqlstate") for answer in answers]
        for state in states:
            if state is not None:
                self.report.count["over a limit" if state in ENDS else f"refused with {state}"] += 1
        for answer, state in zip(answers, states):
            if state is not None and (state.startswith("XX") or state == "died"):
                return answer["error"]["message"]
        if any(state is not None for state in states):
            return None
        self.report.count["comparisons"] += 1
        return difference(pair, *answers) and values_difference(*answers)   # types may be others: of set operations both sides' one

    # -- changes

    def reset(self, table):
        for statement in table.statements():
            self.engine.ask(statement, {})
            if self.peer is not None:
                self.peer.connection.execute(statement)
            if self.server is not None:
                self.server.rows(statement)

    def play(self, changes, settings):
        """Answers of the statements, and the rows that they leave; and what a SELECT foretold wrongly, or None."""
        table = next(t for t in self.engine.world.tables if t.name == changes.table)
        for statement in table.statements():
            self.engine.ask(statement, settings)
        answers, wrong = [], None
        for node, text in zip(changes.root.parts[0].nodes, changes.statements()):
            query = foretold(node, table.columns)
            told = self.engine.ask(query, settings) if query is not None else None
            answers.append(self.engine.ask(text, settings))
            if told is not None and "error" not in told and "error" not in answers[-1] and wrong is None:
                self.report.count["foretold"] += 1
                now = self.engine.ask(f"SELECT * FROM {table.name}", {})
                told["types"] = now.get("types")
                problem = difference(Pair(None, None), told, now)
                wrong = f"a SELECT foretells other rows of {text}: {problem}" if problem else None
        answers.append(self.engine.ask(f"SELECT * FROM {table.name}", settings))
        return answers, wrong

    def check_changes(self, changes, settings):
        """Under the reference's settings and others."""
        answers, wrong = self.play(changes, REFERENCE)
        others, other_wrong = self.play(changes, settings)
        for text, x, y in zip([*changes.statements(), "the rows afterwards"], answers, others):
            states = [answer.get("error", {}).get("sqlstate") for answer in (x, y)]
            if any(state in ENDS for state in states):
                return None
            if any(state is not None and state.startswith(("XX", "died")) for state in states):
                return f"{text}: {(x.get('error') or y.get('error'))['message']}"
            if states[0] != states[1]:
                return f"{text}: {states[0]} by the reference, {states[1]} here"
            if states[0] is None and x.get("changed_rows") != y.get("changed_rows"):
                return f"{text}: changed {x.get('changed_rows')} rows by the reference, {y.get('changed_rows')} here"
            problem = difference(Pair(None, None), x, y) if states[0] is None else None
            if problem is not None:
                return f"{text}: {problem}"
        return wrong or other_wrong

    def check_with(self, who, ask):
        """Statement by statement, until one fails or is refused on one side: then the sides may differ with reason."""
        def check(changes, settings):
            table = next(t for t in self.engine.world.tables if t.name == changes.table)
            self.reset(table)
            if who == "PostgreSQL" and re.search(r"extract\(|OFFSET", changes.text()):
                return None   # its extract is a numeric, and rows that are updated stand behind others
            for text, theirs in zip(changes.statements(), changes.statements("duckdb")):
                ours, rows = self.engine.ask(text, {**REFERENCE, **settings}), ask(theirs if who == "DuckDB" else text)
                state = ours.get("error", {}).get("sqlstate")
                if rows is None or state in ENDS or (state is not None and state.startswith(("42", "0A"))):
                    self.report.count[f"refused by {who}" if rows is None else f"refused with {state}"] += 1
                    return None
                if state == "23502" and "ON CONFLICT" in text and who == "DuckDB":
                    return None   # as in PostgreSQL nulls are looked for before conflicts
                if (rows == "failed") != (state is not None):
                    return f"{text}: {state or 'done'} here, {'failed' if rows == 'failed' else 'done'} by {who}"
                if state is None and "RETURNING" in text:
                    problem = rows_difference(ours, rows, who)
                    if problem is not None:
                        return f"{text} returns {problem}"
            query = f"SELECT * FROM {table.name}"
            self.report.count[f"compared with {who}"] += 1
            return rows_difference(self.engine.ask(query, {}), ask(query), who)
        return check

    def peer_rows(self, sql):
        try:
            return self.peer.connection.execute(sql).fetchall()
        except (duckdb.ConstraintException, duckdb.ConversionException, duckdb.OutOfRangeException) as error:
            # what DuckDB looks at too early says nothing: casts in front of the condition that keeps rows from them, and keys
            # before all rows are changed (its documentation: over-eager constraint checking)
            return "failed" if isinstance(error, duckdb.ConstraintException) and "UPDATE" not in sql else None
        except (duckdb.Error, RuntimeError):
            return None

    def one_change(self, number, rng, changes):
        table = next(t for t in self.engine.world.tables if t.name == changes.table)
        settings = {"threads": rng.choice(["1", "2"]), "vector_size": rng.choice(["1", "2", "2048"]),
                    "optimizer": rng.choice(["'search'", "'search'", "'simple'"]),
                    "false_statistics": rng.choice(["0", str(rng.randrange(1, 1 << 30))])}
        self.report.count["comparisons"] += 1
        checks = [("changes", settings, self.check_changes)]
        if self.peer is not None:
            checks.append(("DuckDB", {}, self.check_with("DuckDB", self.peer_rows)))
        if self.server is not None:
            checks.append(("PostgreSQL", {}, self.check_with("PostgreSQL", self.server.rows)))
        for road, under, check in checks:
            problem = check(changes, under)
            if problem is not None:
                self.tell(number, Mismatch(changes, road, under, problem, check))
                break
        self.reset(table)

    def is_known(self, mismatch):
        return next((known for known, pattern in KNOWN
                     if mismatch.road == "DuckDB" and re.search(pattern, mismatch.query.text(), re.I | re.S)), None)


def work(job):
    args, worlds = job
    return LogicWorker(args).run(worlds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the number of the first query")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once")
    parser.add_argument("--kinds", default="", help="of these kinds alone")
    parser.add_argument("--no-duckdb", action="store_true")
    parser.add_argument("--postgresql", action="store_true")
    args = parser.parse_args()
    args.kinds = [kind for kind in args.kinds.split(",") if kind]
    start = time.monotonic()
    worlds = range(args.first // WORLD_QUERIES, (args.first + args.queries - 1) // WORLD_QUERIES + 1)
    count, done = collections.Counter(), 0
    with multiprocessing.Pool(args.jobs) as pool:
        for report in pool.imap_unordered(work, [(args, worlds[i:i + 4]) for i in range(0, len(worlds), 4)]):
            count += report.count
            if count["queries"] // PROGRESS > done:
                done = count["queries"] // PROGRESS
                print(f"{count['queries']} queries, {count['mismatches']} mismatches", flush=True)
    print(f"seed {args.seed}, {time.monotonic() - start:.0f} s: " + ", ".join(f"{n} {name}" for name, n in count.most_common()))
    return 1 if count["mismatches"] > 0 or count["processes that ended badly"] > 0 or count["comparisons"] == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
