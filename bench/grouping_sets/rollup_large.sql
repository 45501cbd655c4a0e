-- as many groups as rows at the finest
SELECT key, name, sum(quantity) AS quantities FROM events GROUP BY ROLLUP (key, name)
