-- a median of the last hundred rows of a key
SELECT id, median(value) OVER (PARTITION BY key ORDER BY id ROWS BETWEEN 99 PRECEDING AND CURRENT ROW) AS middle FROM events
