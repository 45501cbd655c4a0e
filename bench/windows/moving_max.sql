-- a maximum of the last hundred rows of a key
SELECT id, max(value) OVER (PARTITION BY key ORDER BY id ROWS BETWEEN 99 PRECEDING AND CURRENT ROW) AS most FROM events
