#!/usr/bin/env python3
"""Confirms the answers in test/slt/ with engines that are not ours.

Every .slt file is run against PostgreSQL and/or DuckDB and each difference is reported, so that an expected answer
is never just what fletch happened to return. A comment says who confirms what:

    # confirmed: postgresql 15     in the file's header: the default for all of its records
    # confirmed: duckdb 2.0.0      in the header, or above one record that PostgreSQL cannot run
    # differs: reason              above a record where fletch deviates on purpose; it is not compared

Relies on: Python packages psycopg (3), duckdb and pytz (with which duckdb hands over timestamptz); a PostgreSQL 15 server reached by libpq's environment variables
(PGHOST, PGUSER, ...) with a database that may be written to, in which each file gets a schema of its own.

    confirm.py [--rewrite] [FILE...]     no FILE: all files below this folder; exit status 1 when something differs

Comparing: R (double) to 1e-12 relative, because engines sum in different orders and PostgreSQL divides decimals in
more digits than a double has; D (decimal) by value, because PostgreSQL's scale belongs to the value and ours to the
type; all else as text. Of an error PostgreSQL's SQLSTATE is compared; DuckDB has none, so only that it fails.
"""

import argparse
import datetime
import decimal
import math
import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ENGINES = ("postgresql 15", "duckdb 2.0.0")


class Failure(Exception):
    """A statement failed in the engine; `state` is its SQLSTATE, or None where the engine has none."""

    def __init__(self, state, text):
        super().__init__(text)
        self.state = state


class Record:
    """One statement or query with its comments, answer and place."""

    def __init__(self, line):
        self.line = line
        self.comments = []
        self.kind = None        # 'statement' or 'query'
        self.args = []          # the words behind the kind
        self.sql = []
        self.rows = None        # expected rows as written, for a query

    def mark(self, name):
        """The text behind `# name:` in the comments above the record, or None."""
        for comment in self.comments:
            if comment.startswith(f"# {name}:"):
                return comment[len(name) + 3:].strip()
        return None


def read_file(path):
    """Splits a file into its header (comment lines up to the first blank one) and its records."""
    lines = path.read_text(encoding="utf-8").split("\n")
    header, records, at = [], [], 0
    while at < len(lines) and lines[at].startswith("#"):
        header.append(lines[at])
        at += 1
    comments = []
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
        elif line.startswith("#"):
            comments.append(line)
            at += 1
        else:
            record = Record(at + 1)
            record.comments, comments = comments, []
            words = line.split()
            record.kind, record.args = words[0], words[1:]
            if record.kind not in ("statement", "query"):
                raise SystemExit(f"{path}:{at + 1}: unknown record '{record.kind}'")
            at += 1
            while at < len(lines) and lines[at].strip() and lines[at] != "----":
                record.sql.append(lines[at])
                at += 1
            if record.kind == "query":
                record.rows = []
                if at < len(lines) and lines[at] == "----":
                    at += 1
                    while at < len(lines) and lines[at].strip():
                        record.rows.append(lines[at])
                        at += 1
            records.append(record)
    return header, records


def write_file(path, header, records, trailer=()):
    """Writes a file as read_file() reads it, one blank line between records."""
    out = ["\n".join(header)]
    for record in records:
        block = list(record.comments)
        block.append(" ".join([record.kind] + record.args))
        block += record.sql
        if record.kind == "query":
            block.append("----")
            block += record.rows
        out.append("\n".join(block))
    path.write_text("\n\n".join(out + list(trailer)) + "\n", encoding="utf-8")


def double_text(value):
    """A double in its shortest form, written as PostgreSQL writes it (1, 0.1, 1e+20)."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    number = decimal.Decimal(repr(float(value)))
    if number == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    exponent = number.adjusted()
    if -4 <= exponent < 15:
        text = format(number, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0")
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return ("-" if value < 0 else "") + f"{mantissa}e{exponent:+03d}"


def array_items(text):
    """The items of PostgreSQL's array text `{1,NULL,"a b",{2}}`; None for NULL, a list for an inner array."""
    def parse(at):
        items, at = [], at + 1
        while text[at] != "}":
            if text[at] == ",":
                at += 1
            elif text[at] == "{":
                inner, at = parse(at)
                items.append(inner)
            elif text[at] == '"':
                word, at = "", at + 1
                while text[at] != '"':
                    if text[at] == "\\":
                        at += 1
                    word += text[at]
                    at += 1
                items.append(word)
                at += 1
            else:
                end = at
                while text[end] not in ",}":
                    end += 1
                word, at = text[at:end], end
                items.append(None if word == "NULL" else word)
        return items, at + 1
    return parse(0)[0]


def list_text(items):
    """A list in the form of the files: [1, NULL, [2]]."""
    return "[" + ", ".join(list_text(i) if isinstance(i, list) else "NULL" if i is None else i for i in items) + "]"


class PostgreSQL:
    """A connection that speaks the text protocol, so that answers come as PostgreSQL itself prints them."""

    name = ENGINES[0]
    LETTERS = {16: "B", 20: "I", 21: "I", 23: "I", 700: "R", 701: "R", 1700: "D"}
    ARRAYS = {1000, 1001, 1005, 1007, 1016, 1021, 1022, 1009, 1015, 1182, 1115, 1185, 1187, 1231, 199, 1270, 2951, 3807}

    def __init__(self):
        import psycopg
        self.fields = psycopg.pq.DiagnosticField
        self.status = psycopg.pq.ExecStatus
        self.conn = psycopg.connect("", autocommit=True).pgconn
        for sql in ("SET client_min_messages = error", "SET TimeZone = 'UTC'", "SET IntervalStyle = 'postgres'",
                    "SET extra_float_digits = 1", "DROP SCHEMA IF EXISTS slt_confirm CASCADE",
                    "CREATE SCHEMA slt_confirm", "SET search_path = slt_confirm, pg_catalog",
                    "SET statement_timeout = '20s'"):
            self.run(sql)

    def run(self, sql):
        result = self.conn.exec_(sql.encode())
        if result.status not in (self.status.COMMAND_OK, self.status.TUPLES_OK, self.status.EMPTY_QUERY):
            state = result.error_field(self.fields.SQLSTATE)
            raise Failure(state.decode() if state else None, result.error_message.decode(errors="replace").strip())
        oids = [result.ftype(c) for c in range(result.nfields)]
        rows = [[self.value(result.get_value(r, c), oids[c]) for c in range(result.nfields)]
                for r in range(result.ntuples)]
        return "".join(self.LETTERS.get(oid, "T") for oid in oids), rows

    def value(self, raw, oid):
        if raw is None:
            return "NULL"
        text = raw.decode()
        if oid == 16:
            return "true" if text == "t" else "false"
        if oid in self.ARRAYS:
            return list_text(array_items(text))
        return text if text else "(empty)"

    def close(self):
        self.run("DROP SCHEMA slt_confirm CASCADE")
        self.conn.finish()


class DuckDB:
    """A fresh in-memory database whose values are printed in the form of the files."""

    name = ENGINES[1]

    def __init__(self):
        import duckdb
        self.error = duckdb.Error
        self.folder = tempfile.TemporaryDirectory()
        self.conn = duckdb.connect(":memory:")
        for setting in ("TimeZone = 'UTC'", "integer_division = true", "default_null_order = 'nulls_last_on_asc_first_on_desc'",
                        "threads = 1"):
            try:
                self.conn.execute(f"SET {setting}")
            except self.error:
                pass            # a setting of an extension that is not there; nothing in the files relies on it alone

    def run(self, sql):
        try:
            result = self.conn.execute(sql.replace("${TEST_DIR}", self.folder.name))
            columns = result.description or []
            letters = "".join(self.letter(str(c[1])) for c in columns)
            return letters, [[self.value(v, c[1]) for v, c in zip(row, columns)] for row in result.fetchall()]
        except (self.error, OverflowError, ValueError) as failure:
            raise Failure(None, str(failure)) from failure

    @staticmethod
    def letter(kind):
        kind = kind.upper()
        if kind.endswith("]"):
            return "T"
        if kind.startswith("DECIMAL") or kind == "HUGEINT":      # sums of int64 are decimals here
            return "D"
        if kind in ("FLOAT", "DOUBLE"):
            return "R"
        if kind == "BOOLEAN":
            return "B"
        return "I" if kind in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT",
                               "UINTEGER", "UBIGINT") else "T"

    def value(self, value, kind, inner=False):
        """A value of a type of DuckDB's; maps come as dicts, as structs do."""
        parts = [part[1] for part in kind.children] if isinstance(value, (list, tuple, dict)) else []
        if value is None:
            return "NULL"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float):
            return double_text(value)
        if isinstance(value, decimal.Decimal):
            return format(value, "f")
        if isinstance(value, (bytes, bytearray)):
            return "\\x" + bytes(value).hex()
        if isinstance(value, datetime.datetime):
            text = value.strftime("%Y-%m-%d %H:%M:%S") + (f".{value.microsecond:06d}".rstrip("0") if value.microsecond else "")
            return text + ("+00" if value.tzinfo else "")
        if isinstance(value, datetime.time):
            text = value.strftime("%H:%M:%S") + (f".{value.microsecond:06d}".rstrip("0") if value.microsecond else "")
            zone = value.strftime("%z")     # +0230
            return text + (zone[:3] + (":" + zone[3:] if zone[3:] != "00" else "") if zone else "")
        if isinstance(value, (list, tuple)):
            kinds = parts if kind.id == "tuple" else [parts[0]] * len(value)
            return "[" + ", ".join(self.value(v, k, True) for v, k in zip(value, kinds)) + "]"
        if isinstance(value, dict) and kind.id == "map":
            return "{" + ", ".join(f"{self.value(k, parts[0], True)}={self.value(v, parts[1], True)}" for k, v in value.items()) + "}"
        if isinstance(value, dict):
            return "{" + ", ".join(f"'{k}': {self.value(v, part, True)}" for (k, v), part in zip(value.items(), parts)) + "}"
        return str(value) if inner or str(value) else "(empty)"

    def close(self):
        self.conn.close()
        self.folder.cleanup()


def same_value(want, got, letter):
    if want == got:
        return True
    if "NULL" in (want, got) or letter not in "RD":
        return False
    try:
        if letter == "D":
            return decimal.Decimal(want) == decimal.Decimal(got)
        a, b = float(want), float(got)
        return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-15) or (math.isnan(a) and math.isnan(b))
    except (ValueError, decimal.InvalidOperation):
        return False


def sort_rows(rows, mode):
    if mode == "rowsort":
        return sorted(rows)
    if mode == "valuesort":
        return [[v] for v in sorted(v for row in rows for v in row)]
    return rows


def check(record, engine, rewrite):
    """Runs one record; returns what differs, or None. With `rewrite` the engine's answer replaces the written one."""
    sql = "\n".join(record.sql)
    if record.kind == "statement":
        want = record.args[0]
        try:
            engine.run(sql)
        except Failure as failure:
            if want == "ok":
                return f"failed: {failure.state} {failure}"
            if rewrite and len(record.args) == 1 and failure.state:
                record.args.append(failure.state)
            if failure.state and record.args[1:] and failure.state != record.args[1]:
                return f"error {failure.state} instead of {record.args[1]}: {failure}"
            return None
        return None if want == "ok" else "no error"
    try:
        letters, rows = engine.run(sql)
    except Failure as failure:
        return f"failed: {failure.state} {failure}"
    if rewrite and record.args[0] == "?":
        record.args[0] = letters
    want_letters = record.args[0]
    if len(want_letters) != len(letters):
        return f"{len(letters)} columns instead of {len(want_letters)}"
    mode = record.args[1] if len(record.args) > 1 else "nosort"
    if rewrite:
        rows = [[double_text(float(v)) if letter == "R" and v != "NULL" else v for v, letter in zip(row, want_letters)]
                for row in rows]
        record.rows = ["\t".join(row) for row in sort_rows(rows, mode)]
        return None
    rows = sort_rows(rows, mode)
    want = sort_rows([row.split("\t") for row in record.rows], mode)
    letters = want_letters if mode != "valuesort" else "T"
    if len(want) == len(rows) and all(
            len(a) == len(b) and all(same_value(x, y, t) for x, y, t in zip(a, b, letters))
            for a, b in zip(want, rows)):
        return None
    return "expected\n" + "\n".join("  " + "\t".join(r) for r in want) + "\ngot\n" + "\n".join("  " + "\t".join(r) for r in rows)


def confirm_file(path, rewrite):
    """Returns (records confirmed, records that differ on purpose, list of differences)."""
    header, records = read_file(path)
    default = next((line.split(":", 1)[1].strip() for line in header if line.startswith("# confirmed:")), None)
    if default not in ENGINES:
        return 0, 0, [f"{path}: header names no engine ('# confirmed: {ENGINES[0]}' or '{ENGINES[1]}')"]
    wanted = {default} | {r.mark("confirmed") for r in records if r.mark("confirmed")}
    engines = [cls() for cls in (PostgreSQL, DuckDB) if cls.name in wanted]
    confirmed, on_purpose, differences = 0, 0, []
    for record in records:
        differs = record.mark("differs") is not None
        judge = record.mark("confirmed") or default
        for engine in engines:
            if engine.name == judge and not differs:
                problem = check(record, engine, rewrite)
                if problem:
                    differences.append(f"{path.relative_to(HERE)}:{record.line}: {engine.name}: {problem}\n  | "
                                       + "\n  | ".join(record.sql))
                else:
                    confirmed += 1
            elif record.kind == "statement" and record.args[0] == "ok":
                try:                # both engines need the tables, even when only one of them is asked here
                    engine.run("\n".join(record.sql))
                except Failure:
                    pass
        on_purpose += differs
    for engine in engines:
        engine.close()
    if rewrite:
        write_file(path, header, records)
    return confirmed, on_purpose, differences


def main():
    parser = argparse.ArgumentParser(description="confirms test/slt/ with PostgreSQL and DuckDB")
    parser.add_argument("--rewrite", action="store_true", help="write the engines' answers into the files")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    args = parser.parse_args()
    paths = [p.resolve() for p in args.files] or sorted(HERE.rglob("*.slt"))
    os.chdir(ROOT)              # files in the records are named from the top of the tree
    confirmed = on_purpose = 0
    bad = []
    for path in paths:
        good, differs, differences = confirm_file(path, args.rewrite)
        confirmed, on_purpose = confirmed + good, on_purpose + differs
        bad += differences
    for difference in bad:
        print(difference)
    print(f"{confirmed} records confirmed, {on_purpose} differ on purpose, {len(bad)} differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
