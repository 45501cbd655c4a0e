-- a filter of a fifth, ten groups
SELECT country, count(*) AS n, sum(quantity) AS quantities, avg(score) AS score FROM events WHERE kind = 'buy' GROUP BY country
