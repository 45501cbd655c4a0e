-- Arithmetic and a CASE for every row.
SELECT id, value * 1.1e0 + quantity AS adjusted, CASE WHEN value < 250 THEN 'low' WHEN value < 750 THEN 'middle' ELSE 'high' END AS level FROM events
