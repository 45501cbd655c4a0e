-- two keys, 10 and 1000 values: 10,000 groups, their 10 and one
SELECT category, key, sum(quantity) AS quantities, avg(value) AS mean FROM events GROUP BY ROLLUP (category, key)
