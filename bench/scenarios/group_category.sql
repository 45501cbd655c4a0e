-- Ten groups by text, five aggregates.
SELECT category, count(*), sum(value), avg(value), min(value), max(quantity) FROM events GROUP BY category ORDER BY category
