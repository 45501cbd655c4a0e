#!/usr/bin/env python3
"""Makes TPC-DS: the tables as Parquet files, the 99 texts, and the answers that DuckDB gives to them over these files.

    generate.py FOLDER [--scale N] [--threads N]

FOLDER gets <table>.parquet, queries/q<nn>.sql and answers/q<nn>.json. Tables that are there stay; texts and answers are made anew.
An answer is taken without the text's last LIMIT, down to the last row that is tied with the last one of it, so that any choice
among ties can be held against it: {"columns", "types", "rows", "keys", "limit"}, where `keys` holds each row's values of ORDER BY. Decimals and
64-bit integers are texts, as in the pipe's answers.
Relies on: tools/requirements-tpcds.txt, whose extension of DuckDB holds generator and texts. Nulls are ordered as fletch does: last,
in descending order first, where a text does not say it.
"""

import argparse
import decimal
import json
import pathlib
import re
import sys

import duckdb
import duckdb_extensions

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "test"))
from oracles import plain  # noqa: E402

# Items of ORDER BY whose name is not that of the answer's column, which is given by its name or as an expression over such names.
HIDDEN_KEYS = {
    6: {"a.ca_state": "state"},
    16: {"count(DISTINCT cs_order_number)": '"order count"'},
    19: {"i_brand": "brand", "i_brand_id": "brand_id"},
    39: {"inv1.w_warehouse_sk": "wsk1", "inv1.i_item_sk": "isk1", "inv1.d_moy": "dmoy1", "inv1.mean": "mean1", "inv1.cov": "cov1"},
    55: {"i_brand_id": "brand_id"},
    64: {"cs1.s1": "s11", "cs2.s1": "s12"},
    70: {"CASE WHEN grouping(s_state)+grouping(s_county) = 0 THEN s_state END": "CASE WHEN lochierarchy = 0 THEN s_state END"},
    71: {"i_brand_id": "brand_id"},
    78: {"ss_qty": "store_qty", "ss_wc": "store_wholesale_cost", "ss_sp": "store_sales_price"},
    79: {"SUBSTRING(s_city,1,30)": '"main.""substring""(s_city, 1, 30)"'},
    84: {"c_customer_id": "customer_id"},
    85: {"SUBSTRING(r_reason_desc,1,20)": '"main.""substring""(r_reason_desc, 1, 20)"', "avg(ws_quantity)": "avg1",
         "avg(wr_refunded_cash)": "avg2"},
    86: {"CASE WHEN grouping(i_category)+grouping(i_class) = 0 THEN i_category END": "CASE WHEN lochierarchy = 0 THEN i_category END"},
    91: {"sum(cr_net_loss)": "Returns_Loss"},
    92: {"sum(ws_ext_discount_amt)": '"Excess Discount Amount"'},
    94: {"count(DISTINCT ws_order_number)": '"order count"'},
    95: {"count(DISTINCT ws_order_number)": '"order count"'},
    96: {"count(*)": '"count_star()"'},
}


def make_tables(folder, scale, threads):
    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}")
    connection.execute("LOAD tpcds")
    connection.execute(f"CALL dsdgen(sf = {scale})")
    folder.mkdir(parents=True)
    for (table,) in connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall():
        connection.execute(f"COPY {table} TO '{folder / table}.parquet' (FORMAT parquet)")
    connection.close()


def split_items(text):
    """Of a list, apart at the commas that are in no parentheses."""
    items, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            items.append(text[start:at])
            start = at + 1
    return [" ".join(item.split()) for item in [*items, text[start:]]]


def split_text(sql):
    """(the text without its last ORDER BY and LIMIT, items of ORDER BY, LIMIT or None)"""
    body = sql.strip().rstrip(";").strip()
    limit = re.search(r"\s+LIMIT\s+(\d+)$", body, re.IGNORECASE)
    if limit:
        body = body[:limit.start()]
    order = re.search(r"\s+ORDER\s+BY\s+((?:(?!\bORDER\s+BY\b|\bFROM\b).)*)$", body, re.IGNORECASE | re.DOTALL)
    if order and order.group(1).count("(") != order.group(1).count(")"):
        order = None  # that of a window or subquery
    return body, split_items(order.group(1)) if order else [], int(limit.group(1)) if limit else None


def key_expression(number, item, columns):
    """What gives an item of ORDER BY from the columns of the answer."""
    item = re.sub(r"(\s+(ASC|DESC))?(\s+NULLS\s+(FIRST|LAST))?$", "", item, flags=re.IGNORECASE).strip()
    if item in HIDDEN_KEYS.get(number, {}):
        return HIDDEN_KEYS[number][item]
    if item.isdigit():
        item = columns[int(item) - 1]
    if re.fullmatch(r"(\w+\.)?\w+", item):
        item = item.split(".")[-1]
    return f'"{item}"' if item.lower() in [name.lower() for name in columns] else item


def answer_of(connection, number, sql):
    body, items, limit = split_text(sql)
    columns = [column[0] for column in connection.execute(f"DESCRIBE {body}").fetchall()]
    keys = [key_expression(number, item, columns) for item in items]
    cursor = connection.execute(f"SELECT answer.*{''.join(f', {key}' for key in keys)} FROM ({body}) AS answer" if keys else body)
    types = [str(column[1]) for column in cursor.description][:len(columns)]
    rows = [[plain(value) for value in row] for row in cursor.fetchall()]
    if limit is not None and keys:
        end = min(limit, len(rows))
        while 0 < end < len(rows) and rows[end][len(columns):] == rows[limit - 1][len(columns):]:
            end += 1
        rows = rows[:end]
    return {"columns": columns, "types": types, "limit": limit, "rows": [row[:len(columns)] for row in rows],
            "keys": [row[len(columns):] for row in rows]}


def to_json(value):
    if isinstance(value, decimal.Decimal):
        return {"decimal": str(value)}
    raise TypeError(type(value))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--scale", default="1")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    duckdb_extensions.import_extension("tpcds")
    if not (args.folder / "store_sales.parquet").exists():
        part = args.folder.with_name(args.folder.name + ".part")
        make_tables(part, args.scale, args.threads)
        part.rename(args.folder)

    connection = duckdb.connect()
    connection.execute(f"SET threads = {args.threads}")
    connection.execute("SET default_null_order = 'nulls_last_on_asc_first_on_desc'")
    connection.execute("LOAD tpcds")
    for path in sorted(args.folder.glob("*.parquet")):
        connection.execute(f"CREATE VIEW {path.stem} AS SELECT * FROM '{path}'")
    for name in ("queries", "answers"):
        (args.folder / name).mkdir(exist_ok=True)
    for number, sql in connection.execute("SELECT query_nr, query FROM tpcds_queries() ORDER BY 1").fetchall():
        answer = answer_of(connection, number, sql)
        (args.folder / "queries" / f"q{number:02d}.sql").write_text(sql.strip().rstrip(";") + "\n")
        (args.folder / "answers" / f"q{number:02d}.json").write_text(json.dumps(answer, default=to_json) + "\n")


if __name__ == "__main__":
    main()
