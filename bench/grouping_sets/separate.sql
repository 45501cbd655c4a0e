-- three groupings, none of which is finer than another
SELECT category, key, quantity, count(*) AS n, max(value) AS most FROM events GROUP BY GROUPING SETS ((category), (key), (quantity))
