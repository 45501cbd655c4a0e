-- the difference to the row before of the same key
SELECT id, value - lag(value) OVER (PARTITION BY key ORDER BY id) AS change FROM events
