-- A running sum over all rows.
SELECT id, sum(quantity) OVER (ORDER BY id) AS total FROM events
