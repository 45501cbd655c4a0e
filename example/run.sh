#!/bin/sh
# The main job of `make run`: questions to real files in three formats, each with its answer and time, some with the
# plan that was run; and a function that is deployed. Relies on: build/release/fletch, and the files that tools/install-deps.sh data left in
# .deps/data.
set -eu
cd "$(dirname "$0")/.."
fletch=build/release/fletch
data=.deps/data

ask() {
    printf '\n-- %s\n' "$1"
    printf '%s\n' "$2"
    "$fletch" --timing -c "$2"
}

ask 'Parquet: what was ordered and billed, by status (TPC-H, 600,000 lines)' "
SELECT l_returnflag, l_linestatus, sum(l_quantity) AS quantity,
       sum(l_extendedprice * (1 - l_discount)) AS billed, avg(l_discount) AS discount, count(*) AS lines
FROM '$data/tpch-sf0.1/lineitem.parquet'
WHERE l_shipdate <= date '1998-09-02'
GROUP BY ALL ORDER BY ALL"

ask 'CSV: which airlines were late in New York in 2013 (336,776 flights)' "
SELECT a.name, count(*) AS flights, round(avg(f.dep_delay), 1) AS minutes_late
FROM read_csv('$data/flights/flights.csv', nullstr = 'NA') f JOIN '$data/flights/airlines.csv' a USING (carrier)
WHERE f.dep_delay IS NOT NULL
GROUP BY a.name ORDER BY minutes_late DESC LIMIT 5"

ask 'NDJSON: the most frugal cars by origin' "
SELECT \"Origin\", count(*) AS models, round(avg(\"Miles_per_Gallon\"), 1) AS mpg, max(\"Horsepower\") AS strongest
FROM '$data/cars/cars.ndjson'
GROUP BY \"Origin\" ORDER BY mpg DESC"

ask 'A join over three Parquet files: the ten largest open orders' "
SELECT o.o_orderkey, c.c_name, sum(l.l_extendedprice * (1 - l.l_discount)) AS revenue, o.o_orderdate
FROM '$data/tpch-sf0.1/customer.parquet' c
JOIN '$data/tpch-sf0.1/orders.parquet' o ON c.c_custkey = o.o_custkey
JOIN '$data/tpch-sf0.1/lineitem.parquet' l ON l.l_orderkey = o.o_orderkey
WHERE c.c_mktsegment = 'BUILDING' AND o.o_orderdate < date '1995-03-15' AND l.l_shipdate > date '1995-03-15'
GROUP BY o.o_orderkey, c.c_name, o.o_orderdate
ORDER BY revenue DESC LIMIT 10"

ask 'A window over groups: the three best months of each airline, with what all months of it bring' "
SELECT name, month, flights, flights_in_all
FROM (SELECT a.name, f.month, count(*) AS flights, sum(count(*)) OVER (PARTITION BY a.name) AS flights_in_all,
             row_number() OVER (PARTITION BY a.name ORDER BY count(*) DESC) AS place
      FROM read_csv('$data/flights/flights.csv', nullstr = 'NA') f JOIN '$data/flights/airlines.csv' a USING (carrier)
      GROUP BY a.name, f.month) AS months
WHERE place <= 3 AND flights_in_all > 40000
ORDER BY name, flights DESC"

ask 'Totals and subtotals in one pass: ROLLUP' "
SELECT l_returnflag, l_linestatus, count(*) AS lines, grouping(l_returnflag, l_linestatus) AS coarser
FROM '$data/tpch-sf0.1/lineitem.parquet'
GROUP BY ROLLUP (l_returnflag, l_linestatus)
ORDER BY coarser, l_returnflag, l_linestatus"

written=$(mktemp -d)
trap 'rm -rf "$written"' EXIT
ask 'COPY: sorted rows into a Parquet file, and back; partitions in folders' "
COPY (SELECT l_orderkey, l_partkey, l_extendedprice, l_shipdate, l_shipmode FROM '$data/tpch-sf0.1/lineitem.parquet' ORDER BY l_shipdate)
TO '$written/by_date.parquet' (COMPRESSION zstd);
SELECT count(*) AS lines, min(l_shipdate) AS first, sum(l_extendedprice) AS total FROM '$written/by_date.parquet' WHERE l_shipdate < date '1993-01-01';
COPY (SELECT l_shipmode, l_orderkey, l_shipdate FROM '$written/by_date.parquet') TO '$written/modes' (FORMAT csv, PARTITION_BY l_shipmode);
SELECT count(*) AS by_air FROM '$written/modes/l_shipmode=AIR/*.csv'"

ask 'How a question is answered: the plan, with the rows and times of each step' "
EXPLAIN ANALYZE
SELECT n.n_name, count(*) AS customers
FROM '$data/tpch-sf0.1/customer.parquet' c JOIN '$data/tpch-sf0.1/nation.parquet' n ON c.c_nationkey = n.n_nationkey
WHERE c.c_acctbal > 9000
GROUP BY n.n_name ORDER BY customers DESC LIMIT 3"

functions=$(mktemp -d)
trap 'rm -rf "$written" "$functions"' EXIT
printf '\n-- A function of your own, in C (example/udf/c/scoring.c), compiled to WebAssembly, deployed and asked\n'
"$fletch" udf deploy test/udf/modules/score_c.wasm --name score --udf-dir "$functions"
"$fletch" --udf-dir "$functions" --timing -c "
SELECT l_shipmode, count(*) AS lines, round(avg(score(l_extendedprice::double, l_quantity::double, l_linenumber)), 2) AS score
FROM '$data/tpch-sf0.1/lineitem.parquet'
WHERE score(l_extendedprice::double, l_quantity::double, l_linenumber) > 1000
GROUP BY l_shipmode ORDER BY score DESC LIMIT 3"

printf '\nGo on with your own files:  %s -c "SELECT * FROM '\''path/to/file.parquet'\'' LIMIT 10"\n' "$fletch"
printf 'or at the prompt:           %s\n' "$fletch"
