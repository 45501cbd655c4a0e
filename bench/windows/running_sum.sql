-- a running sum within each key
SELECT id, sum(quantity) OVER (PARTITION BY key ORDER BY id) AS total FROM events
