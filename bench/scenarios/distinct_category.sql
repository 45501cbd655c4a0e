-- Ten different values.
SELECT DISTINCT category FROM events ORDER BY category
